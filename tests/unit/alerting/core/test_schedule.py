"""Schedules: by the wall clock of the site, also where it is put forward or back; and what they do to rules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.rule import Kind
from alerting.model.schedule import DAYS, Calendar, Schedule, Span
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import START_NS, make_rule, make_scan, make_tags

S = 1_000_000_000
EVERY = tuple(range(7))


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * S


def spans(*parts: tuple[str, str], days: tuple[int, ...] = EVERY, zone: str = "Europe/Berlin") -> Schedule:
    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return Schedule(
        spans=tuple(Span(days=days, from_s=minutes(begin) * 60, to_s=minutes(end) * 60) for begin, end in parts),
        zone=zone,
    )


def switches(schedule: Schedule, begin: str, end: str) -> list[tuple[str, bool]]:
    return [
        (datetime.fromtimestamp(at // S, UTC).strftime("%m-%dT%H:%MZ"), opens)
        for at, opens in schedule.switches(ns(begin), ns(end))
    ]


def test_by_the_clock_of_the_site_not_by_utc() -> None:
    shanghai = spans(("08:00", "20:00"), zone="Asia/Shanghai")
    assert switches(shanghai, "2026-01-01T00:00+08:00", "2026-01-02T00:00+08:00") == [
        ("01-01T00:00Z", True),
        ("01-01T12:00Z", False),
    ]
    assert shanghai.is_open(ns("2026-01-01T08:00+08:00"))
    assert not shanghai.is_open(ns("2026-01-01T20:00+08:00"))


def test_a_clock_put_forward_and_back() -> None:
    """Berlin, 29 March 2026 at 02:00 to 03:00, 25 October at 03:00 to 02:00 (EU directive 2000/84/EC)."""
    day = spans(("08:00", "20:00"))
    assert switches(day, "2026-03-28T12:00Z", "2026-03-29T12:00Z") == [("03-28T19:00Z", False), ("03-29T06:00Z", True)]
    assert switches(spans(("02:30", "05:00")), "2026-03-29T00:00Z", "2026-03-29T12:00Z") == [
        ("03-29T01:00Z", True),
        ("03-29T03:00Z", False),
    ]
    assert switches(spans(("02:10", "02:50")), "2026-03-28T12:00Z", "2026-03-29T12:00Z") == []
    assert switches(spans(("02:30", "05:00")), "2026-10-24T12:00Z", "2026-10-25T12:00Z") == [
        ("10-25T00:30Z", True),
        ("10-25T04:00Z", False),
    ]
    assert switches(spans(("00:00", "02:30")), "2026-10-24T12:00Z", "2026-10-25T12:00Z") == [
        ("10-24T22:00Z", True),
        ("10-25T01:30Z", False),
    ]


def test_over_midnight_and_days_and_joined_spans() -> None:
    night = spans(("22:00", "06:00"), days=(4,), zone="UTC")  # begins on Fridays
    assert switches(night, "2026-01-01T00:00Z", "2026-01-08T00:00Z") == [
        ("01-02T22:00Z", True),
        ("01-03T06:00Z", False),
    ]
    assert switches(spans(("00:00", "24:00"), zone="UTC"), "2026-01-01T00:00Z", "2026-02-01T00:00Z") == []
    both = spans(("08:00", "12:00"), ("12:00", "18:00"), ("10:00", "11:00"), days=(3,), zone="UTC")
    assert switches(both, "2026-01-01T00:00Z", "2026-01-02T00:00Z") == [("01-01T08:00Z", True), ("01-01T18:00Z", False)]
    assert both.words() == "thu 08:00-12:00; thu 12:00-18:00; thu 10:00-11:00 UTC"
    assert spans(("08:00", "20:00"), days=(0, 1, 2, 5)).words() == "mon-wed,sat 08:00-20:00 Europe/Berlin"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    minutes=st.integers(0, 2 * 365 * 1440),
    begin=st.integers(0, 95),
    long=st.integers(1, 95),
    days=st.sets(st.sampled_from(range(7)), min_size=1),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_it_is_open_when_the_wall_clock_says_so(minutes: int, begin: int, long: int, days: set[int], zone: str) -> None:
    """From outside: ask the wall clock itself, away from the hours of a change."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    wall = at.astimezone(ZoneInfo(zone))
    around = {(at + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in range(-30, 31)}
    end = (begin + long) % 96
    schedule = Schedule(
        spans=(Span(days=tuple(sorted(days)), from_s=begin * 900, to_s=end * 900 or 86_400),), zone=zone
    )
    now, first, last = wall.hour * 60 + wall.minute, begin * 15, end * 15 or 1440
    today, yesterday = wall.weekday() in days, (wall - timedelta(days=1)).weekday() in days
    expected = today and first <= now < last if last > first else (today and now >= first) or (yesterday and now < last)
    if len(around) == 1:
        assert schedule.is_open(round(at.timestamp()) * S) is expected
        assert Calendar(schedule).is_open(round(at.timestamp()) * S) is expected
    following = schedule.next_ns(round(at.timestamp()) * S)
    assert following is None or schedule.is_open(following) is not schedule.is_open(following - 1)


# -------------------------------------------------------------------------------------------------- what it does

#: START_NS is 2023-11-14 22:13:20 UTC, a Tuesday: 06:13:20 of Wednesday in Shanghai. The span begins 100 s later.
OPEN_S, SHUT_S = 100, 160
WORDS = "wed 06:15-06:16 Asia/Shanghai"
MINUTE = Schedule(spans=(Span(days=(2,), from_s=375 * 60, to_s=376 * 60),), zone="Asia/Shanghai")


def told(drive: Drive, group: str = "high") -> list[tuple[str, float]]:
    return [(e.what.value, (e.time_ns - START_NS) / 1e9) for e in drive.log if e.group == group]


def test_it_opens_and_shuts_at_its_instants_without_a_sample() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, on_delay_s=5.0, off_delay_s=60.0, schedule=MINUTE))
    drive.sample(90, 90).tick(104.9)
    assert told(drive) == []
    drive.tick(106)
    drive.tick(159.9)
    assert told(drive) == [("raised", 105.0)]
    drive.tick(161)
    assert told(drive) == [("raised", 105.0), ("returned", 160.0)]
    cause = next(e for e in drive.log if e.what == "returned").cause
    assert (cause["disabled"], cause["schedule"]) == ("schedule", WORDS)


def test_it_switches_before_the_samples_that_are_not_older() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, schedule=MINUTE))
    drive.sample(50, 90)
    drive.sample(100, 10)  # What was said before counts at the instant, and this sample clears it in the same scan.
    drive.sample(120, 90)
    drive.sample(160, 95)
    assert told(drive) == [("raised", 120.0), ("returned", 160.0)]


def test_silence_counts_from_the_opening() -> None:
    drive = Drive(make_rule(Kind.STALE, 20.0, schedule=MINUTE))
    drive.sample(10, 1).tick(99)
    drive.tick(119.9)
    assert told(drive, "stale") == []
    drive.tick(121)
    assert told(drive, "stale") == [("raised", 120.0)]


def test_a_whole_span_between_two_looks() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, schedule=MINUTE))
    drive.sample(50, 90).tick(300)
    assert told(drive) == []
    assert not drive.desk.memories[next(iter(drive.desk.memories))].is_active[drive.desk.table.index_of["t0.H"]]


def test_a_scan_without_its_tags_is_not_a_look() -> None:
    """It would take the time of no sample for 1970, and all switches since then for due."""
    tags = make_tags(2)
    drive = Drive(make_rule(Kind.H, 80.0, tag="t0", schedule=MINUTE), tags=tags)
    drive.desk.begin(START_NS + S)
    drive.desk.take(make_scan(1, 5.0, row=1))
    table, memory = drive.desk.table, next(iter(drive.desk.memories.values()))
    assert memory.opened_ns[table.gates.cells].tolist() == [0]
    drive.desk.finish()
    assert memory.opened_ns[table.gates.cells].tolist() == [START_NS + OPEN_S * S]


def test_days_have_names() -> None:
    assert len(DAYS) == 7


@pytest.mark.parametrize("late_s", [0.0, 30.0])
def test_the_first_look_takes_the_state_as_it_is(late_s: float) -> None:
    drive = Drive(make_rule(Kind.H, 80.0, schedule=MINUTE))
    drive.sample(110 + late_s, 90)
    assert [what for what, _ in told(drive)] == ["raised"]
