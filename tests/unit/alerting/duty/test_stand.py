"""When the steps of a duty come, and what a look takes after the gateway was away."""

from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from alerting.duty.kind import Counts, Kind, Step
from alerting.duty.plan import DutyPlan
from alerting.duty.stand import Stand, advance
from alerting.duty.table import ACK, KINDS
from alerting.duty.timetable import Days, Due, repeats, timetable
from alerting.register.field import Kind as FieldKind
from alerting.register.field import Words
from alerting.register.ledgers import LEDGERS
from alerting.register.months import plus_months
from alerting.roster.plan import Calendar

ZONE = ZoneInfo("Asia/Shanghai")
NS = 1_000_000_000
#: 1 to 7 October are of rest, 10 October, a Saturday, is worked; 2027 is not published.
REST = {date(2026, 10, day) for day in range(1, 8)}


def published(on: date) -> tuple[bool, str] | None:
    if on.year > 2026:
        return None
    return (on == date(2026, 10, 10) or (on.weekday() < 5 and on not in REST)), ""


DAYS = Days(calendar=Calendar(country="CN"), published=published, zone=ZONE)
KIND = Kind(id="x.y", title=Words("x", "x"), basis=Words("b", "b"), ledger="x")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * NS


def shown(kind: Kind, due: Due, days: Days = DAYS) -> list[str]:
    moments = timetable(kind, due, days).moments
    return [f"{datetime.fromtimestamp(moments[step] // NS, ZONE):%m-%d %H:%M}" for step in Step]


@pytest.mark.parametrize(
    ("day", "begins", "steps"),
    [
        ("2026-09-22", "2026-09-01", ["09-20 08:00", "09-23 08:00", "09-24 08:00"]),  # three days at most
        ("2026-09-22", None, ["09-20 08:00", "09-23 08:00", "09-24 08:00"]),
        ("2026-09-22", "2026-09-13", ["09-21 08:00", "09-23 08:00", "09-24 08:00"]),  # a fifth of ten days
        ("2026-09-22", "2026-09-22", ["09-22 08:00", "09-23 08:00", "09-24 08:00"]),  # at once
        ("2026-09-30", "2026-09-01", ["09-28 08:00", "10-01 08:00", "10-09 08:00"]),  # a week of rest
        ("2026-10-08", "2026-09-01", ["10-06 08:00", "10-09 08:00", "10-10 08:00"]),
        ("2026-10-09", "2026-09-01", ["10-07 08:00", "10-10 08:00", "10-11 08:00"]),  # a Saturday that is worked
    ],
)
def test_the_steps_of_a_day(day: str, begins: str | None, steps: list[str]) -> None:
    due = Due(day=date.fromisoformat(day), begins=date.fromisoformat(begins) if begins else None)
    assert shown(KIND, due) == steps


def test_a_row_may_have_its_own_lead_grace_and_days() -> None:
    due = Due(day=date(2026, 9, 30), begins=date(2026, 9, 1))
    assert shown(replace(KIND, lead_days=10, grace_days=2), due) == ["09-21 08:00", "10-01 08:00", "10-10 08:00"]
    assert shown(replace(KIND, counts=Counts.ALL, grace_days=0), due)[2] == "10-01 08:00"
    assert shown(replace(KIND, lead_days=90), due)[0] == "09-01 08:00"  # Not before it could be done.
    noon = replace(DAYS, told_at_s=12 * 3600 + 1800)
    assert shown(KIND, due, noon)[1] == "10-01 12:30"


def test_years_without_a_published_calendar_count_weekdays_and_say_so() -> None:
    known = timetable(KIND, Due(day=date(2026, 9, 30)), DAYS)
    unknown = timetable(KIND, Due(day=date(2027, 9, 30)), DAYS)
    assert (known.is_by_weekday, unknown.is_by_weekday) == (False, True)
    assert unknown.supervision_day == date(2027, 10, 2)
    assert not timetable(replace(KIND, counts=Counts.ALL), Due(day=date(2027, 9, 30)), DAYS).is_by_weekday
    plain = replace(DAYS, calendar=Calendar())
    assert timetable(KIND, Due(day=date(2026, 9, 30)), plain).supervision_day == date(2026, 10, 2)


def test_supervision_comes_again_on_working_days_for_ever() -> None:
    table = timetable(KIND, Due(day=date(2026, 9, 23)), DAYS)
    days = [DAYS.date_of(each) for each in islice(repeats(KIND, table, DAYS, 0), 9)]
    assert [day.strftime("%m-%d") for day in days] == [
        "09-28", "09-29", "09-30", "10-08", "10-09", "10-10", "10-12", "10-13", "10-14",
    ]  # fmt: skip
    weekly = replace(KIND, repeat_days=7)
    days = [DAYS.date_of(each) for each in islice(repeats(weekly, table, DAYS, at("2026-09-30 09:00")), 3)]
    assert [day.strftime("%m-%d") for day in days] == ["10-08", "10-09", "10-16"]


def test_after_a_week_away_the_gravest_step_is_told_once() -> None:
    due = Due(day=date(2026, 9, 10), begins=date(2026, 9, 1))
    came = advance(KIND, due, Stand(), DAYS, at("2026-09-18 15:00"))
    assert [(taken.step, taken.is_passed) for taken in came.taken] == [
        (Step.PROMPT, True),
        (Step.WARNING, True),
        (Step.SUPERVISION, False),
    ]
    assert came.next_ns == at("2026-09-21 08:00")
    again = advance(KIND, due, came.stand, DAYS, at("2026-09-18 15:01"))
    assert again.taken == ()
    later = advance(KIND, due, came.stand, DAYS, at("2026-09-24 09:00"))
    assert [(taken.step, taken.number, taken.planned_ns) for taken in later.taken] == [
        (Step.SUPERVISION, 2, at("2026-09-24 08:00"))
    ]


def test_what_is_due_at_a_moment_has_minutes_of_grace() -> None:
    kind = DutyPlan().kind(ACK)
    assert kind is not None
    due = Due(due_ns=at("2026-10-03 12:15"), begins_ns=at("2026-10-03 12:00"))
    assert shown(kind, due) == ["10-03 12:12", "10-03 12:15", "10-03 12:25"]
    came = advance(kind, due, Stand(step=Step.SUPERVISION, times=1, taken_ns=at("2026-10-03 12:25")), DAYS, at("2026-10-04 12:25"))  # fmt: skip  # noqa: E501
    assert [taken.number for taken in came.taken] == [2]


def test_each_row_reads_fields_that_are_there_and_names_its_ledger() -> None:
    for kind in KINDS:
        if kind.ledger:
            ledger, name = kind.id.split(".")
            assert ledger == kind.ledger
            if kind.is_momentary:
                assert LEDGERS[ledger].field(name).kind is FieldKind.MOMENT
                continue
            values = {name: "2026-01-01", **({"state": "open"} if LEDGERS[ledger].acts else {})}
            wanted = kind.reads(values)
            assert wanted is not None
            assert LEDGERS[ledger].field(name).kind == "date"
            assert kind.reads({}) is None
    closed = {"hidden_hazards": {"state": "closed"}, "routines": {"state": "finished"}, "units": {"closed_on": "x"}}
    for ledger, over in closed.items():
        kind = next(each for each in KINDS if each.ledger == ledger)
        assert kind.reads({kind.id.split(".")[1]: "2026-01-01", **over}) is None


def test_a_plan_of_before_its_drills_were_due_has_a_day_without_being_edited() -> None:
    (kind,) = (each for each in KINDS if each.id == "plans.drill_due")
    for sort, more, day in (
        ("site", {}, date(2026, 2, 28)),
        ("special", {}, date(2026, 8, 31)),
        ("comprehensive", {"drilled_on": "2026-01-10"}, date(2027, 1, 10)),
        ("site", {"drill_months": 3, "drill_due": "2020-01-01"}, date(2025, 11, 30)),
    ):
        wanted = kind.reads({"sort": sort, "approved_on": "2025-08-31", "responsible": "li", **more})
        assert wanted is not None
        assert (wanted.day, wanted.holder) == (day, "li")


def test_months_end_where_the_month_does() -> None:
    assert plus_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert plus_months(date(2023, 3, 15), 36) == date(2026, 3, 15)
    assert plus_months(date(2025, 12, 31), 2) == date(2026, 2, 28)
