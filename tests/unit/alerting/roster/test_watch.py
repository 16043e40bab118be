"""Who is on duty: shifts over midnight, days on which clocks change, substitutes, clashes and gaps."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from alerting.roster.plan import Calendar, On, Post, RosterPlan, Shift, Told
from alerting.roster.watch import Watch, clash, dates_around, gaps, on_duty_at, span_of

NS = 1_000_000_000
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAY = Shift(id="day", title={}, from_s=8 * 3600, to_s=20 * 3600)
NIGHT = Shift(id="night", title={}, from_s=20 * 3600, to_s=8 * 3600)
OFFICE = Shift(id="office", title={}, from_s=9 * 3600, to_s=17 * 3600, on=On.WORKDAYS)
FEAST = Shift(id="feast", title={}, from_s=0, to_s=86_400, on=On.RESTDAYS)
PLAN = RosterPlan(
    calendar=Calendar(country="CN"),
    shifts=(DAY, NIGHT, OFFICE, FEAST),
    posts=(
        Post(id="board", title={}, shifts=("day", "night")),
        Post(id="boss", title={}, shifts=("office", "feast"), is_leader=True),
    ),
)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS


def watch(day: str, shift: str, post: str, person: str, number: int = 1) -> Watch:
    return Watch(number=number, date=date.fromisoformat(day), shift=shift, post=post, person=person)


def who(watches: list[Watch], text: str) -> list[str]:
    return [each.watch.on_duty for each in on_duty_at(PLAN, watches, at(text), SHANGHAI)]


ROSTER = [
    watch("2026-11-21", "night", "board", "li", 1),
    watch("2026-11-22", "day", "board", "wang", 2),
    watch("2026-11-22", "feast", "boss", "zhao", 3),
]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("2026-11-21T19:59:59", []),
        ("2026-11-21T20:00:00", ["li"]),
        ("2026-11-22T00:00:00", ["zhao", "li"]),
        ("2026-11-22T07:59:59", ["zhao", "li"]),
        ("2026-11-22T08:00:00", ["zhao", "wang"]),
        ("2026-11-22T20:00:00", ["zhao"]),
        ("2026-11-23T00:00:00", []),
    ],
)
def test_a_shift_begins_at_its_time_and_ends_at_the_next_ones(text: str, people: list[str]) -> None:
    assert who(ROSTER, text) == people


def test_whoever_stands_in_is_on_duty_and_the_planned_person_is_not() -> None:
    stood_in = [replace(ROSTER[1], substitute="sun", reason="ill")]

    assert who(stood_in, "2026-11-22T09:00:00") == ["sun"]


def test_a_watch_of_a_shift_or_post_that_is_gone_is_nobodys() -> None:
    lost = [watch("2026-11-22", "early", "board", "li"), watch("2026-11-22", "day", "gate", "li")]

    assert who(lost, "2026-11-22T09:00:00") == []


def test_days_around_a_time_are_those_whose_shifts_may_cover_it() -> None:
    assert dates_around(at("2026-11-22T00:30:00"), SHANGHAI) == (date(2026, 11, 21), date(2026, 11, 22))
    assert dates_around(at("2026-11-21T23:30:00"), SHANGHAI) == (date(2026, 11, 20), date(2026, 11, 21))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 11), ("2026-10-24", 13), ("2026-06-01", 12)])
def test_a_night_in_which_clocks_change_is_shorter_or_longer(day: str, hours: int) -> None:
    """Berlin, EU directive 2000/84/EC: last Sunday of March and of October."""
    span = span_of(PLAN, watch(day, "night", "board", "li"), BERLIN)

    assert span is not None
    assert span[1] - span[0] == hours * 3600 * NS


@pytest.mark.parametrize(
    ("new", "other"),
    [
        (watch("2026-11-22", "office", "boss", "wang", 9), 2),
        (watch("2026-11-22", "night", "board", "wang", 9), None),  # begins when the other one ends
        (watch("2026-11-22", "feast", "boss", "li", 9), 1),  # the night before reaches into it
        (watch("2026-11-22", "day", "board", "zhao", 9), 3),
        (watch("2026-11-22", "office", "boss", "sun", 9), None),
    ],
)
def test_one_person_is_not_at_two_places(new: Watch, other: int | None) -> None:
    found = clash(PLAN, ROSTER, new, SHANGHAI)

    assert (found.number if found else None) == other


def test_a_substitute_clashes_and_the_one_who_is_away_does_not() -> None:
    away = [replace(ROSTER[1], substitute="sun")]

    assert clash(PLAN, away, watch("2026-11-22", "office", "boss", "wang"), SHANGHAI) is None
    assert clash(PLAN, away, watch("2026-11-22", "office", "boss", "sun"), SHANGHAI) == away[0]


def published(on: date) -> tuple[bool, str] | None:
    return None if on.year > 2026 else (on.weekday() < 5, "")


def test_gaps_are_told_by_what_kind_of_day_it_is() -> None:
    saturday, monday = date(2026, 11, 21), date(2026, 11, 23)
    found = gaps(PLAN, ROSTER, [saturday, monday], published, SHANGHAI)

    assert [(gap.date.day, gap.post, gap.shift) for gap in found] == [
        (21, "board", "day"),
        (21, "boss", "feast"),
        (23, "board", "day"),
        (23, "board", "night"),
        (23, "boss", "office"),
    ]


def test_the_plants_own_days_go_before_the_published_ones() -> None:
    calendar = Calendar(country="CN", rest=(date(2026, 11, 23),), work=(date(2026, 11, 21),))

    assert (calendar.day(date(2026, 11, 23), published).is_workday) is False
    assert (calendar.day(date(2026, 11, 21), published).is_workday) is True
    assert calendar.day(date(2026, 11, 21), published).told is Told.PLANT
    assert calendar.day(date(2026, 11, 24), published).told is Told.PUBLISHED


@pytest.mark.parametrize(("country", "day"), [("CN", date(2027, 10, 1)), ("", date(2026, 10, 1))])
def test_without_a_published_calendar_weekdays_count_and_it_is_said(country: str, day: date) -> None:
    found = Calendar(country=country).day(day, published)

    assert found.told is Told.WEEKDAY
    assert found.is_workday is (day.weekday() < 5)
