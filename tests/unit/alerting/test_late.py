"""The late lane: what happened in a gap is found afterwards, and nothing live moves."""

import copy
from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy as np

from alerting.core import Memory
from alerting.late import COPIES_MAX, LATE_ENTRIES_MAX, Gap, GapBook
from alerting.model.alarm import State
from alerting.model.command import Verb
from alerting.model.rule import Kind, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.register.episode import Entry
from alerting.response.task import TaskTemplate
from edge.model import Nature, Tag, TagTable
from tests.unit.alerting.core.drive import Drive, Late
from tests.unit.alerting.core.scene import START_NS, at, make_rule, make_scan, make_tags

H = make_rule(Kind.H, 80.0, tier=Tier.YELLOW)
HH = make_rule(Kind.HH, 90.0, tier=Tier.ORANGE)


def open_gap(drive: Drive, to_s: float, source: str = "s0", nature: Nature = Nature.ACTUAL) -> Gap:
    gap = drive.desk.gaps.open(source, nature, drive.desk.memory(nature), drive.desk.alarms, at(to_s))
    assert gap is not None
    return gap


def late(gap: Gap, t_s: float, value: float, quality: int = 0, *, number: int = 1, row: int = 0) -> Late:
    scan = make_scan(t_s, value, quality, row=row, received_s=1000, number=number, source=gap.source)
    return Late(replace(scan, is_backfill=True, nature=gap.nature), gap)


Live: TypeAlias = tuple[dict[Nature, dict[str, object]], *tuple[dict[Any, Any], ...]]


def snapshot(drive: Drive) -> Live:
    """Everything live that must not move."""
    memories = {
        nature: {f.name: copy.deepcopy(getattr(memory, f.name)) for f in fields(memory)}
        for nature, memory in drive.desk.memories.items()
    }
    return memories, dict(drive.desk.alarms), dict(drive.desk.entries), dict(drive.desk.unit_tiers)


def assert_same(left: Live, right: Live) -> None:
    np.testing.assert_equal(left[0], right[0])
    assert left[1:] == right[1:]


# ---------------------------------------------------------------------------------------------- found, and not live


def test_an_excursion_in_a_gap_is_found_and_nothing_live_moves() -> None:
    drive = Drive(H, HH).sample(1, 50)
    gap = open_gap(drive, 100)
    drive.sample(100, 50)
    live = snapshot(drive)
    drive.tick(
        100,
        late(gap, 10, 85, number=1),
        late(gap, 20, 95, number=2),
        late(gap, 30, 85, number=3),
        late(gap, 40, 50, number=4),
    )

    assert [(e.what.value, e.condition, e.time_ns) for e in drive.outcome.events] == [
        ("raised", "H", at(10)),
        ("escalated", "HH", at(20)),
        ("lowered", "H", at(30)),
        ("returned", "H", at(40)),
    ]
    assert all(e.is_late and e.received_ns == at(100) for e in drive.outcome.events)
    assert all(e.cause["gap"] == gap.name for e in drive.outcome.events)
    assert_same(snapshot(drive), live)
    assert (drive.outcome.alarms, drive.outcome.units, drive.outcome.delays) == ({}, {}, [])


def test_a_late_excursion_enters_the_register_and_opens_no_tasks() -> None:
    tank = HazardUnit(id="u0", kind="tank")
    steps = [TaskTemplate(kind="*", tier=Tier.YELLOW, title={"en": "look"}, owner="operator", within_s=60)]
    drive = Drive(H, HH, units=[tank], templates=steps).sample(1, 50)
    gap = open_gap(drive, 100)
    drive.tick(100, late(gap, 10, 85))
    (entry,) = drive.outcome.entries.values()
    assert (entry.is_late, entry.unit, entry.opened_ns, entry.tier_max) == (True, "u0", at(10), Tier.YELLOW)
    assert entry.closed_ns == gap.to_ns, "without a return it ends where live judging took over"

    drive.tick(101, late(gap, 20, 95, number=2))
    drive.tick(102, late(gap, 30, 50, number=3))
    (closed,) = drive.outcome.entries.values()
    assert (closed.id, closed.opened_ns, closed.closed_ns) == (entry.id, at(10), at(30))
    assert (closed.tier, closed.tier_max, closed.alarms) == (Tier.NONE, Tier.ORANGE, entry.alarms)
    assert drive.outcome.tasks == []
    assert drive.desk.entries == {}


def test_a_delay_that_ended_between_two_late_samples_rang() -> None:
    """No clock reading helps in the late lane: the samples themselves must show it."""
    drive = Drive(make_rule(Kind.H, 80.0, on_delay_s=5)).sample(1, 50)
    gap = open_gap(drive, 100)
    drive.tick(100, late(gap, 10, 85, number=1), late(gap, 60, 50, number=2))

    assert [(e.what.value, e.time_ns) for e in drive.outcome.events] == [("raised", at(15)), ("returned", at(60))]


def test_a_delay_goes_on_from_where_the_gap_began() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, on_delay_s=5)).sample(1, 85)
    gap = open_gap(drive, 100)
    drive.tick(200, late(gap, 4, 85, number=1), late(gap, 6, 85, number=2))

    assert [(e.what.value, e.time_ns) for e in drive.outcome.events if e.is_late] == [("raised", at(6))]


def test_a_live_alarm_that_returned_in_the_gap_is_said_late_and_stands_live() -> None:
    drive = Drive(H).sample(1, 85)
    live_id = drive.alarm.id
    gap = open_gap(drive, 100)
    drive.sample(100, 85)
    drive.tick(101, late(gap, 50, 20, number=1), late(gap, 60, 85, number=2))

    assert [(e.what.value, e.alarm) for e in drive.outcome.events] == [("returned", live_id), ("raised", live_id)]
    assert (drive.alarm.state, drive.alarm.ordinal) == (State.UNACK, 1)


def test_late_ids_never_meet_live_ones() -> None:
    drive = Drive(H).sample(1, 85)
    gap = open_gap(drive, 100)
    drive.sample(100, 20).sample(101, 85)
    drive.tick(102, late(gap, 50, 20, number=1), late(gap, 60, 85, number=2))
    drive.ask(103, Verb.ACK)
    ids = [event.id for event in drive.log]

    assert len(set(ids)) == len(ids)


def test_bad_late_samples_trip_and_clear_nothing() -> None:
    drive = Drive(H).sample(1, 50)
    gap = open_gap(drive, 100)
    drive.tick(100, late(gap, 10, 95, 0x82, number=1), late(gap, 20, float("nan"), number=2))

    assert drive.outcome.events == []


def test_a_late_sample_that_is_not_newer_in_its_gap_is_not_judged() -> None:
    drive = Drive(H).sample(1, 50)
    gap = open_gap(drive, 100)
    drive.tick(100, late(gap, 20, 50, number=1), late(gap, 10, 85, number=2), late(gap, 20, 85, number=3))

    assert drive.outcome.events == []


# ---------------------------------------------------------------------------------------------------------------- gaps


def test_a_gap_covers_the_time_between_exclusively() -> None:
    drive = Drive(H).sample(1, 50)
    gap = open_gap(drive, 100)
    found = [drive.desk.gaps.find("s0", Nature.ACTUAL, time_ns) for time_ns in (at(1), at(1) + 1, at(100) - 1, at(100))]

    assert found == [None, gap, gap, None]
    assert drive.desk.gaps.find("s0", Nature.TEST, at(50)) is None
    assert drive.desk.gaps.find("s1", Nature.ACTUAL, at(50)) is None


def test_no_room_or_no_tags_is_no_gap() -> None:
    drive = Drive(H).sample(1, 50)
    memory = drive.desk.memory(Nature.ACTUAL)

    assert drive.desk.gaps.open("s0", Nature.ACTUAL, memory, {}, at(1)) is None
    assert drive.desk.gaps.open("s0", Nature.ACTUAL, memory, {}, at(1) + 1) is None
    assert drive.desk.gaps.open("nobody", Nature.ACTUAL, memory, {}, at(100)) is None


def test_at_most_eight_copies_a_source_and_the_oldest_goes_counted() -> None:
    drive = Drive(H, make_rule(Kind.H, 80.0, tag="t1"), tags=make_tags(2, sources=2))
    drive.sample(1, 50).sample(1.5, 50, row=1)
    other = open_gap(drive, 5, "s1")
    gaps = []
    for n in range(COPIES_MAX + 2):
        gaps.append(open_gap(drive, 10 * n + 10))
        drive.sample(10 * n + 10, 50)

    assert drive.desk.gaps.closed == 2
    assert [drive.desk.gaps.find("s0", Nature.ACTUAL, gap.to_ns - 1) for gap in gaps] == [None, None, *gaps[2:]]
    assert drive.desk.gaps.find("s1", Nature.ACTUAL, at(2)) is other


def test_two_gaps_remember_apart() -> None:
    drive = Drive(H).sample(1, 50)
    first = open_gap(drive, 10)
    drive.sample(10, 50)
    second = open_gap(drive, 20)
    drive.sample(20, 50)
    drive.tick(21, late(second, 15, 85, number=1), late(first, 5, 85, number=2))

    assert [(e.what.value, e.time_ns, e.cause["gap"]) for e in drive.outcome.events] == [
        ("raised", at(15), second.name),
        ("raised", at(5), first.name),
    ]
    assert len({e.id for e in drive.outcome.events}) == 2


# ------------------------------------------------------------------------------------------------------ several sources


def test_only_the_sources_own_tags_are_judged_late() -> None:
    tags = make_tags(4, sources=2)
    drive = Drive(*(make_rule(Kind.H, 80.0, tag=f"t{n}") for n in range(4)), tags=tags)
    for row in range(4):
        drive.sample(1 + row, 50, row=row)
    gap = open_gap(drive, 100, "s1")
    drive.tick(100, late(gap, 50, 85, row=3))

    assert [event.tag for event in drive.outcome.events] == ["t3"]
    assert gap.part.rows.tolist() == [1, 3]


def test_an_exercise_gap_moves_no_actual_alarm() -> None:
    drive = Drive(H)
    drive.tick(1, replace(make_scan(1, 50), nature=Nature.EXERCISE))
    gap = open_gap(drive, 100, nature=Nature.EXERCISE)
    live = snapshot(drive)
    drive.tick(100, late(gap, 50, 85))

    assert [(e.what.value, e.nature) for e in drive.outcome.events] == [("raised", Nature.EXERCISE)]
    assert_same(snapshot(drive), live)


def test_a_rate_goes_on_over_the_edge_of_the_gap() -> None:
    tags = TagTable([Tag(name="x", source="s9"), Tag(name="t0", source="s0", unit="u0")])
    rate = make_rule(Kind.RATE, 2.0, window_s=2.0)
    drive = Drive(make_rule(Kind.RATE, 1.0, tag="x", window_s=1.0), rate, tags=tags)
    drive.sample(1, 0, row=1).sample(2, 0, row=1).sample(3, 0, row=1)
    gap = open_gap(drive, 100)
    drive.tick(100, late(gap, 4, 5, row=1))

    assert [(e.condition, e.time_ns) for e in drive.outcome.events if e.is_late] == [("RATE", at(4))]


def test_the_book_of_late_entries_is_bounded() -> None:
    book = GapBook(RuleTable([], make_tags(1)))
    for n in range(LATE_ENTRIES_MAX + 5):
        book.keep(Entry(id=str(n), nature=Nature.ACTUAL, unit="u0", opened_ns=n, is_late=True))

    assert len(book.entries) == LATE_ENTRIES_MAX
    assert min(int(name) for name in book.entries) == 5


def test_a_gap_in_a_site_without_rules() -> None:
    tags = make_tags(1)
    table = RuleTable([], tags)
    gap = GapBook(table).open("s0", Nature.ACTUAL, Memory.fresh(table, START_NS), {}, at(10))

    assert gap is not None
    assert list(gap.judge(make_scan(5, 1.0), "site", at(10))) == []


def test_a_rule_over_several_sources_is_not_judged_late_and_that_is_said() -> None:
    tags = make_tags(4, 2)  # t0 and t2 of source s0, t1 and t3 of s1
    far = make_rule(Kind.DEVIATION, 1.0, tag="t0", reference="t1")
    near = make_rule(Kind.DEVIATION, 1.0, tag="t0", reference="t2", name="near")
    drive = Drive(far, replace(near, id="t0.DEVIATION:near"), tags=tags)
    drive.sample(1, 50).sample(1, 50, row=1).sample(1, 50, row=2)

    drive.desk.begin(at(100))
    drive.desk.open_gap("s0", Nature.ACTUAL, at(99))
    outcome = drive.desk.finish()

    assert [(r["kind"], r["source"], r["rules"]) for r in outcome.remarks] == [
        ("late_rules_left_out", "s0", ["t0.DEVIATION"])
    ]
