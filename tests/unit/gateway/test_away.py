"""The road's own pauses are no silence of the plant, and are told."""

import numpy as np

from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import Source
from edge.model import Scan, Tag, TagTable
from gateway.intake import Intake
from gateway.turn import take_turn

S = 1_000_000_000
START_NS = 1_767_268_800 * S
STALE_S = 3


def plant() -> tuple[Desk, Intake]:
    tags = TagTable([Tag(name=name, source=name, unit="U") for name in ("here", "gone")])
    rules = RuleTable(
        [Rule(id=f"{tag.name}.STALE", tag=tag.name, kind=Kind.STALE, setpoint=STALE_S, tier=Tier.BLUE) for tag in tags],
        tags,
    )
    sources = [Source(id=tag.source, protocol="mqtt") for tag in tags]
    return Desk("site", rules, [HazardUnit(id="U")], [], START_NS), Intake(sources, tags)


def scan(second: float, number: int) -> Scan:
    at_ns = START_NS + round(second * S)
    return Scan(
        source="here", epoch=1, number=number, received_ns=at_ns, rows=np.array([0], dtype=np.int32),
        values=np.array([1.0]), quality=np.zeros(1, dtype=np.uint8), times_ns=np.array([at_ns]),
    )  # fmt: skip


def rung(desk: Desk, intake: Intake, second: float, scans: list[Scan], away_s: float = 0.0) -> list[str]:
    outcome = take_turn(desk, intake, scans, [], START_NS + round(second * S), away_ns=round(away_s * S)).outcome
    return [event.tag for event in outcome.events if event.what == "raised"]


def test_who_did_not_listen_calls_nobody_silent_and_waits_the_rest_of_the_time() -> None:
    desk, intake = plant()
    assert rung(desk, intake, 1, [scan(1, 1)]) == []
    assert rung(desk, intake, 2, [scan(2, 2)]) == []
    assert rung(desk, intake, 22, [], away_s=19.75) == []  # 2.25 s of silence were heard of the one, 0.25 of the other
    assert rung(desk, intake, 22.7, [scan(22.6, 3)]) == []
    assert rung(desk, intake, 22.9, []) == ["gone"]
    assert rung(desk, intake, 25.5, []) == []
    assert rung(desk, intake, 25.7, []) == ["here"]


def test_without_a_pause_the_same_silence_rings_at_once() -> None:
    desk, intake = plant()
    assert rung(desk, intake, 2, [scan(2, 1)]) == []
    assert sorted(rung(desk, intake, 22, [])) == ["gone", "here"]


def test_what_was_silent_before_the_pause_goes_on_being_silent() -> None:
    desk, intake = plant()
    assert rung(desk, intake, 4, [scan(4, 1)]) == ["gone"]
    assert rung(desk, intake, 60, [scan(59.9, 2)], away_s=55) == []
    (alarm,) = desk.alarms.values()
    assert alarm.tag == "gone"
    assert alarm.condition == "STALE"


def test_silence_counts_from_when_the_gateway_listens() -> None:
    desk, intake = plant()
    desk.listen_from(START_NS + 30 * S)
    assert rung(desk, intake, 32.9, []) == []
    assert sorted(rung(desk, intake, 33.1, [])) == ["gone", "here"]
