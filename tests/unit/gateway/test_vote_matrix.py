"""The time matrix for votes: two of two gauges of one source agree, under each trouble with time."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import orjson
import pytest

from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Link, Scan, Tag, TagTable
from gateway.intake import Intake
from gateway.record import restore_snapshot, snapshot_of
from gateway.turn import take_turn
from tests.time_matrix import (
    DELAY_S,
    LAST_S,
    SOURCE,
    STALE_S,
    START_NS,
    TROUBLES,
    S,
    Trouble,
    arrivals,
    as_items,
    begin_anew,
    judge_cell,
)

MEMBERS = ("T.v", "T.w")
TABLE = RuleTable(
    [
        *(Rule(id=f"{t}.H", tag=t, kind=Kind.H, setpoint=8.0, deadband=0.5, tier=Tier.BLUE) for t in MEMBERS),
        *(Rule(id=f"{t}.STALE", tag=t, kind=Kind.STALE, setpoint=STALE_S, tier=Tier.BLUE) for t in MEMBERS),
        Rule(
            id="V.VOTE",
            tag="V",
            kind=Kind.VOTE,
            setpoint=2,
            asked=MEMBERS,
            members=tuple(f"{t}.H" for t in MEMBERS),
            on_delay_s=DELAY_S,
            tier=Tier.YELLOW,
        ),
    ],
    TagTable(
        [
            *(Tag(name=t, source="plc", unit="T", eu="m", period_s=1.0) for t in MEMBERS),
            Tag(name="V", source="derived:plc", unit="T"),
        ]
    ),
)


def new_side(start_ns: int) -> tuple[Desk, Intake]:
    return Desk("site", TABLE, [HazardUnit(id="T")], [], start_ns), Intake((SOURCE,), TABLE.tags)


def of_both(items: Iterator[Scan | Link]) -> list[Scan | Link]:
    """Let both gauges say in each scan what one said."""
    return [
        item
        if isinstance(item, Link)
        else replace(
            item,
            rows=np.array([0, 1], dtype=np.int32),
            values=np.repeat(item.values, 2),
            quality=np.repeat(item.quality, 2),
            times_ns=np.repeat(item.times_ns, 2),
        )
        for item in items
    ]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
def test_cell(trouble: Trouble) -> None:
    """Each cell: judged right, or said within three scans that it is not."""
    desk, intake = new_side(START_NS)
    waiting = of_both(as_items(arrivals(Kind.H, trouble)))
    seen, remarks = [], []
    restart_ns = None if trouble.restart_s is None else START_NS + round(trouble.restart_s * S)
    for turn in range(1, int((LAST_S + 5) / 0.25)):
        now_ns = START_NS + round(turn * 0.25 * S)
        if restart_ns is not None and now_ns >= restart_ns:
            snapshot = orjson.loads(orjson.dumps(snapshot_of(desk, intake, ""), option=orjson.OPT_SERIALIZE_NUMPY))
            desk, intake = new_side(now_ns)
            restore_snapshot(snapshot, desk, intake)
            begin_anew(desk, now_ns)
            restart_ns = None
        items = [item for item in waiting if item.received_ns <= now_ns]
        del waiting[: len(items)]
        outcome = take_turn(desk, intake, items, [], now_ns).outcome
        seen += [
            (str(e.what), e.group, "H", (e.time_ns - START_NS) / S)
            for e in outcome.events
            if e.tag == "V" and e.condition == "VOTE" and not e.is_late
        ]
        remarks += [remark["kind"] for remark in outcome.remarks]

    assert judge_cell(Kind.H, trouble, seen, remarks) == [], seen
    assert trouble.name != "gap" or "late_derived_left_out" in remarks
