"""The time matrix against the pure side of the road: intake, core and alarm table."""

import pytest

from alerting.desk import Desk
from alerting.model.unit import HazardUnit
from gateway.intake import Intake
from gateway.record import restore_snapshot, snapshot_of
from gateway.turn import take_turn
from tests.time_matrix import (
    LAST_S,
    RIGHT,
    SOURCE,
    START_NS,
    TROUBLES,
    Row,
    S,
    Trouble,
    arrivals,
    as_items,
    begin_anew,
    judge_cell,
    name_of,
    rule_table,
    tag_table,
)

TICK_S = 0.25


def new_side(kind: Row, start_ns: int) -> tuple[Desk, Intake]:
    table = rule_table(kind)
    return Desk("site", table, [HazardUnit(id="T")], [], start_ns), Intake((SOURCE,), tag_table())


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
@pytest.mark.parametrize("kind", list(RIGHT), ids=name_of)
def test_cell(kind: Row, trouble: Trouble) -> None:
    """Each cell: judged right, or said within three scans that it is not."""
    desk, intake = new_side(kind, START_NS)
    waiting = list(as_items(arrivals(kind, trouble)))
    seen, remarks = [], []
    restart_ns = None if trouble.restart_s is None else START_NS + round(trouble.restart_s * S)
    for turn in range(1, int((LAST_S + 5) / TICK_S)):
        now_ns = START_NS + round(turn * TICK_S * S)
        if restart_ns is not None and now_ns >= restart_ns:
            snapshot = snapshot_of(desk, intake, "")
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
            if e.tag and not e.is_late
        ]
        remarks += [remark["kind"] for remark in outcome.remarks]

    wrong = judge_cell(kind, trouble, seen, remarks)

    assert wrong == [], (wrong, seen)
