"""Troubles of lanes: bursts without times, back-fill that comes twice or in pieces, rules and units that move."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.model.command import Command, Verb
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Link, Nature, Scan, Tag, TagTable
from gateway.config import Site
from gateway.intake import Refusal
from gateway.turn import take_turn
from tests.scripted import events_of, live, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, S
from tests.trouble import (
    H0,
    MQTT,
    by_source,
    desk_and_intake,
    gateway_of,
    scan,
    since_start_s,
    table,
    two_tags,
    what_happened,
)

DOWN_S, UP_S = 11, 130  # An outage longer than the lateness of 60 s, so that what it held back is late.


def test_last_of_samples_with_one_time_is_judged() -> None:
    """Samples without times of their own are merged into one scan with one time; the last of them counts."""
    desk, intake = desk_and_intake(table(H0), SOURCE)
    turned = take_turn(desk, intake, [scan(1.0, [1.0, 1.0], [5.0, 9.0])], [], START_NS + S)
    assert [event.what.value for event in turned.outcome.events if event.alarm] == ["raised"]


def test_late_samples_that_come_again_after_a_restart_do_not_stop_the_store(tmp_path: Path) -> None:
    """A broker sends unacknowledged back-fill again; its events are known already and the road goes on."""
    clock = ManualClock(START_NS)
    site = small_site(table(H0), SOURCE, tmp_path)

    def back_fill() -> Scan:
        return scan(since_start_s(clock) + 1, [100, 101, 102], [9.0, 9.0, 5.0])

    live(small_gateway(site, clock, [scan(t, [t], [5.0]) for t in range(1, 11)]), 15.0, clock)
    run_manual(asyncio.sleep(200), clock)
    live(small_gateway(site, clock, [back_fill()]), 3.0, clock)
    assert what_happened(site, is_late=True) == ["raised", "returned"]

    now_s = since_start_s(clock)
    gateway = small_gateway(site, clock, [back_fill(), scan(now_s + 5, [now_s + 5], [9.0])])

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(10)
            assert gateway.road.store_error == ""

    run_manual(main(), clock)
    assert what_happened(site, is_late=True) == ["raised", "returned"]
    assert what_happened(site, is_late=False) == ["raised"]


def outage(*backlog: Scan) -> list[Scan | Link]:
    """Ten calm seconds, the link down, then the backlog."""
    return [
        *(scan(t, [t], [5.0]) for t in range(1, 11)),
        Link(source="plc", is_up=False, received_ns=START_NS + DOWN_S * S),
        Link(source="plc", is_up=True, received_ns=START_NS + UP_S * S),
        *backlog,
    ]


def late_times(site: Site) -> list[tuple[str, float]]:
    """Late events of the register with their times, s after the start."""
    return [(row.what, (row.time_ns - START_NS) / S) for row in events_of(site) if row.is_late]


def test_one_excursion_in_many_pieces_of_backlog_is_one_late_alarm(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(table(H0), SOURCE, tmp_path)
    pieces = [scan(UP_S + 0.1 + i * 0.01, [20 + i], [9.0]) for i in range(30)]
    over = [scan(UP_S + 1, [50], [5.0]), scan(UP_S + 2, [UP_S + 2], [5.0])]
    live(small_gateway(site, clock, outage(*pieces, *over)), UP_S + 10.0, clock)
    assert late_times(site) == [("raised", 20.0), ("returned", 50.0)]


def test_an_on_delay_runs_through_the_pieces_of_a_backlog(tmp_path: Path) -> None:
    """Thirty seconds above the limit in scans of one second trip a delay of ten, at the moment it ran out."""
    clock = ManualClock(START_NS)
    site = small_site(table(replace(H0, on_delay_s=10.0)), SOURCE, tmp_path)
    calm = [scan(UP_S + 0.1 + i * 0.01, [20 + i], [5.0]) for i in range(20)]
    high = [scan(UP_S + 0.5 + i * 0.01, [40 + i], [9.0]) for i in range(20)]
    over = [scan(UP_S + 1, [61], [5.0]), scan(UP_S + 2, [UP_S + 2], [5.0])]
    live(small_gateway(site, clock, outage(*calm, *high, *over)), UP_S + 10.0, clock)
    assert late_times(site) == [("raised", 50.0), ("returned", 61.0)]


def test_a_rule_that_comes_back_raises_again(tmp_path: Path) -> None:
    """A rule taken out while its alarm stood and put back later is not remembered as tripped."""
    clock = ManualClock(START_NS)
    other = Rule(id="T.v.L", tag="T.v", kind=Kind.L, setpoint=0.0, tier=Tier.BLUE)
    both = small_site(table(H0, other), SOURCE, tmp_path)
    without = small_site(table(other), SOURCE, tmp_path)
    items = [scan(t, [t], [9.0]) for t in range(1, 60)]
    for site in (both, without, both):
        live(small_gateway(site, clock, items), 10.0, clock)
    assert what_happened(both) == ["raised", "returned", "raised"]


def test_an_alarm_is_of_the_unit_to_which_its_tag_was_moved(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)

    def site(unit: str) -> Site:
        tags = TagTable([Tag(name="T.v", source="plc", unit=unit, period_s=1.0)])
        units = (HazardUnit(id="T", kind="tank"), HazardUnit(id="T2", kind="tank"))
        return replace(small_site(RuleTable([H0], tags), SOURCE, tmp_path), units=units)

    gateway = small_gateway(site("T"), clock, [scan(1, [1], [9.0]), scan(2, [2], [5.0])])

    async def first() -> None:
        async with gateway.running():
            await asyncio.sleep(4)
            alarm = next(alarm for alarm in gateway.desk.alarms.values() if alarm.tag == "T.v")
            await gateway.command(Command(verb=Verb.ACK, alarm=alarm.id, who="lee", received_ns=clock.wall_ns()))

    run_manual(first(), clock)
    again_s = since_start_s(clock) + 2
    live(small_gateway(site("T2"), clock, [scan(again_s, [again_s], [9.0])]), 5.0, clock)
    assert [row.unit for row in events_of(site("T")) if row.what == "raised"] == ["T", "T2"]


def test_one_device_behind_time_does_not_hide_the_silence_of_another() -> None:
    """T.v falls silent at 10 s; B.v behind the same source goes on with a clock 50 s behind. Silence is told."""
    stale = Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE)
    desk, intake = desk_and_intake(RuleTable([H0, stale], two_tags()), SOURCE)
    told = []
    for second in range(1, 30):
        if second <= 10:
            item = scan(second + 0.05, [second, second - 50], [5.0, 1.0], rows=[0, 1])
        else:
            item = scan(second + 0.05, [second - 50], [1.0], rows=[1])
        now_ns = START_NS + round((second + 0.1) * S)
        outcome = take_turn(desk, intake, [replace(item, number=second)], [], now_ns).outcome
        told += [(event.what.value, event.condition, second) for event in outcome.events if event.alarm]
    assert [(what, condition) for what, condition, _ in told] == [("raised", "STALE")]
    assert told[0][2] <= 17


@pytest.mark.parametrize("back_s", [5.0, 20.0, 55.0])
def test_one_device_whose_clock_is_set_back_is_judged_within_three_scans(back_s: float) -> None:
    """T.v and B.v share a source; the clock of T.v's device goes back at 110 s and forward again at 140 s."""
    desk, intake = desk_and_intake(RuleTable([H0], two_tags()), SOURCE)
    told, remarks = [], []
    for second in range(41, 160):
        mine_s = second - back_s if 110 <= second < 140 else second
        value = 9.0 if 112 <= second < 120 or 141 <= second < 145 else 5.0
        item = replace(scan(second + 0.05, [mine_s, second], [value, 1.0], rows=[0, 1]), number=second)
        outcome = take_turn(desk, intake, [item], [], START_NS + round((second + 0.1) * S)).outcome
        told += [(event.what.value, second, event.cause["quality"]) for event in outcome.events if event.alarm]
        remarks += [(one["kind"], one["tag"]) for one in outcome.remarks]
    assert [(what, second) for what, second, _ in told] == [
        ("raised", 112), ("returned", 120), ("raised", 141), ("returned", 145),
    ]  # fmt: skip
    assert [quality for _, _, quality in told] == ["UNCERTAIN(clock)"] * 2 + ["GOOD"] * 2
    assert remarks == [("clock_step", "T.v")]
    assert intake.refused[Refusal.OUT_OF_ORDER] == 2


def test_what_is_reported_again_with_its_old_time_is_no_clock_step() -> None:
    desk, intake = desk_and_intake(RuleTable([H0], two_tags()), SOURCE)
    for second in range(1, 20):
        item = replace(scan(second + 0.05, [min(second, 5), second], [5.0, 1.0], rows=[0, 1]), number=second)
        take_turn(desk, intake, [item], [], START_NS + round((second + 0.1) * S))
    assert intake.replaced["clock_step"] == 0
    assert intake.refused[Refusal.DUPLICATE] == 14


def test_a_rule_over_two_tags_is_judged_on_after_a_kill(tmp_path: Path) -> None:
    """A rule that compares with a tag read every 10 min still knows that tag's value after kill -9."""
    tags = TagTable(
        [
            Tag(name="T.v", source="plc", unit="T", period_s=1.0),
            Tag(name="B.v", source="slow", unit="T", period_s=600.0),
            Tag(name="S.v", source="slow", unit="T", period_s=1.0),
        ]
    )
    apart = Rule(id="T.v.DEVIATION", tag="T.v", reference="B.v", kind=Kind.DEVIATION, setpoint=2.0, tier=Tier.RED)
    sources: tuple[Source, ...] = (MQTT, replace(MQTT, id="slow"))
    before = replace(small_site(RuleTable([apart], tags), MQTT, tmp_path / "before"), sources=sources)
    after = replace(before, data=tmp_path / "after")
    clock = ManualClock(START_NS)
    items = [
        scan(1, [1], [5.0], rows=[1], source="slow"),
        *(scan(t, [t], [1.0], rows=[2], source="slow") for t in range(2, 40)),
        *(scan(t + 0.5, [t + 0.5], [5.0 if t < 20 else 9.0]) for t in range(1, 40)),
    ]

    async def first() -> None:
        gateway = gateway_of(before, clock, by_source(items))
        async with gateway.running():
            await asyncio.sleep(15.3)
            shutil.copytree(before.data, after.data)  # What kill -9 at this moment would leave.

    run_manual(first(), clock)
    live(gateway_of(after, clock, by_source(items)), 15.0, clock)
    assert what_happened(after) == ["raised"]


def test_a_test_source_without_alarms_leaves_the_unit_its_tier(tmp_path: Path) -> None:
    """More sources of nature test than actual ones: the page still shows the tier of the actual alarm."""
    tags = TagTable(
        [
            Tag(name="T.v", source="plc", unit="T", period_s=1.0),
            *(Tag(name=f"X.{n}", source=f"x{n}", unit="T", nature=Nature.TEST) for n in range(2)),
        ]
    )
    more = tuple(replace(MQTT, id=f"x{n}", nature=Nature.TEST) for n in range(2))
    site = small_site(RuleTable([replace(H0, tier=Tier.RED)], tags), MQTT, tmp_path)
    clock = ManualClock(START_NS)
    gateway = gateway_of(replace(site, sources=(MQTT, *more)), clock, by_source([scan(1, [1], [9.0])]))

    async def main() -> dict[str, str]:
        async with gateway.running():
            await asyncio.sleep(5)
            return {unit["id"]: unit["tier"] for unit in gateway.picture.unit_rows()}

    assert run_manual(main(), clock)["T"] == "RED"
