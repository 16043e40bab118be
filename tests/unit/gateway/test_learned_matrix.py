"""The time matrix for learned detectors: a limit on a ``pca`` and on an ``unusual`` tag under each trouble with time.

Both have seen what is normal before the matrix begins: the model was fitted, the window is full.
"""

import numpy as np
import orjson
import pytest

from alerting.core import pca
from alerting.desk import Desk
from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Nature, Tag, TagTable
from gateway.intake import Intake
from gateway.learn.pca import Shape, fit
from gateway.record import restore_snapshot, snapshot_of
from gateway.turn import take_turn
from tests.time_matrix import LAST_S, SOURCE, START_NS, TROUBLES, S, Trouble, arrivals, as_items, begin_anew, judge_cell
from tests.unit.alerting.core.derived.scene import derivation

USUAL = 5 + 0.1 * np.random.default_rng(1).normal(size=1000)
MODEL = fit(Shape(name="m", tags=("T.v",), period_s=1.0, lags=0, weight=1.0, variance=0.9), USUAL[:, None])
LEARNED = {
    "pca": derivation("T.d", "pca", {"tags": ("T.v",)}, words={"statistic": "t2", "model": "m"}, model=MODEL),
    "unusual": derivation("T.d", "unusual", {"tag": "T.v"}, numbers={"window": 1000.0, "season_s": 86_400.0}),
}
#: In multiples of the learned limit, and in standard deviations: 9 among a thousand values of 5 ± 0.1 is far beyond.
SETPOINT = {"pca": 1.0, "unusual": 5.0}


def table_of(kind: str) -> RuleTable:
    """Rules of the H row of the matrix, about the learned tag; both tags have a STALE rule."""
    tags = [
        Tag(name="T.v", source="plc", unit="T", eu="m", period_s=1.0),
        Tag(name="T.d", source="derived:plc", unit="T", period_s=1.0),
    ]
    stale = [Rule(id=f"{t.name}.STALE", tag=t.name, kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE) for t in tags]
    high = Rule(id="T.d.H", tag="T.d", kind=Kind.H, setpoint=SETPOINT[kind], on_delay_s=5.0, tier=Tier.BLUE)
    return RuleTable([*stale, high], TagTable(tags))


def new_side(kind: str, start_ns: int) -> tuple[Desk, Intake]:
    table, learned = table_of(kind), LEARNED[kind]
    assert isinstance(learned, Derivation)
    desk = Desk("site", table, [HazardUnit(id="T")], [], start_ns, [learned])
    if kind == "unusual":
        desk.memory(Nature.ACTUAL)
        (state,) = desk.derived_states[Nature.ACTUAL].of_group
        state["ring"][0, 0], state["seen"][0] = USUAL, len(USUAL)
    return desk, Intake((SOURCE,), table.tags)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
@pytest.mark.parametrize("kind", list(LEARNED))
def test_cell(kind: str, trouble: Trouble) -> None:
    """Each cell: judged right, or said within three scans that it is not."""
    desk, intake = new_side(kind, START_NS)
    waiting = list(as_items(arrivals(Kind.H, trouble)))
    seen, remarks = [], []
    restart_ns = None if trouble.restart_s is None else START_NS + round(trouble.restart_s * S)
    for turn in range(1, int((LAST_S + 5) / 0.25)):
        now_ns = START_NS + round(turn * 0.25 * S)
        if restart_ns is not None and now_ns >= restart_ns:
            snapshot = orjson.loads(orjson.dumps(snapshot_of(desk, intake, ""), option=orjson.OPT_SERIALIZE_NUMPY))
            desk, intake = new_side(kind, now_ns)
            restore_snapshot(snapshot, desk, intake)
            begin_anew(desk, now_ns)
            restart_ns = None
        items = [item for item in waiting if item.received_ns <= now_ns]
        del waiting[: len(items)]
        outcome = take_turn(desk, intake, items, [], now_ns).outcome
        seen += [
            (str(e.what), e.group, e.condition, (e.time_ns - START_NS) / S)
            for e in outcome.events
            if e.tag == "T.d" and not e.is_late
        ]
        remarks += [remark["kind"] for remark in outcome.remarks]

    assert judge_cell(Kind.H, trouble, seen, remarks) == [], seen
    assert trouble.name != "gap" or "late_derived_left_out" in remarks


def test_the_model_finds_it() -> None:
    """9 is beyond the limit that was learnt from 5 ± 0.1, and 5 is not."""
    t2, _ = pca.run(MODEL, np.array([[5.0], [9.0]]))

    assert (t2 / MODEL.t2_limit > 1).tolist() == [False, True]
