"""Which period is reported when: days and months by the wall clock, shifts by the plant's own order."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from alerting.report.plan import Due, ReportPlan, Span, last_due
from alerting.roster.plan import RosterPlan, Shift
from gateway.roster.china import published

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
SHIFTS = RosterPlan(
    shifts=(
        Shift(id="day", title={}, from_s=8 * 3600, to_s=20 * 3600),
        Shift(id="night", title={}, from_s=20 * 3600, to_s=8 * 3600),
    )
)


def ns(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000_000


def plan(span: Span, **more: float) -> ReportPlan:
    return ReportPlan(id="r", span=span, channel="mail", to=("a@b.example",), **more)  # type: ignore[arg-type]


def asked(one: ReportPlan, now: str, zone: ZoneInfo = SHANGHAI) -> tuple[str, str, str]:
    due = last_due(one, SHIFTS, zone, published, ns(now, zone))
    assert due is not None
    told = (datetime.fromtimestamp(each // 1_000_000_000, zone) for each in (due.from_ns, due.to_ns, due.due_ns))
    first, last, at = (each.strftime("%m-%d %H:%M") for each in told)
    return first, last, at


@pytest.mark.parametrize(
    ("now", "period"),
    [
        ("2026-03-05 07:59:59", ("03-03 00:00", "03-04 00:00", "03-04 08:00")),
        ("2026-03-05 08:00:00", ("03-04 00:00", "03-05 00:00", "03-05 08:00")),
        ("2026-03-05 23:59:59", ("03-04 00:00", "03-05 00:00", "03-05 08:00")),
        ("2026-01-01 09:00:00", ("12-31 00:00", "01-01 00:00", "01-01 08:00")),
    ],
)
def test_a_day_is_reported_on_the_next(now: str, period: tuple[str, str, str]) -> None:
    assert asked(plan("day"), now) == period


@pytest.mark.parametrize(
    ("now", "period"),
    [
        ("2026-03-01 07:59:00", ("01-01 00:00", "02-01 00:00", "02-01 08:00")),
        ("2026-03-01 08:00:00", ("02-01 00:00", "03-01 00:00", "03-01 08:00")),
        ("2026-03-31 12:00:00", ("02-01 00:00", "03-01 00:00", "03-01 08:00")),
    ],
)
def test_a_month_is_reported_on_the_first_of_the_next(now: str, period: tuple[str, str, str]) -> None:
    assert asked(plan("month"), now) == period


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_the_clock_changes_is_reported_whole(day: str, hours: int) -> None:
    now = ns(f"{day} 23:00:00", BERLIN) + 12 * 3600 * 1_000_000_000
    due = last_due(plan("day"), SHIFTS, BERLIN, published, now)
    assert due is not None
    assert due.to_ns - due.from_ns == hours * 3600 * 1_000_000_000


@pytest.mark.parametrize(
    ("now", "shift", "period"),
    [
        ("2026-03-05 20:09:59", "night", ("03-04 20:00", "03-05 08:00", "03-05 08:10")),
        ("2026-03-05 20:10:00", "day", ("03-05 08:00", "03-05 20:00", "03-05 20:10")),
        ("2026-03-06 08:09:00", "day", ("03-05 08:00", "03-05 20:00", "03-05 20:10")),
        ("2026-03-06 08:10:00", "night", ("03-05 20:00", "03-06 08:00", "03-06 08:10")),
    ],
)
def test_a_shift_is_reported_a_while_after_its_end(now: str, shift: str, period: tuple[str, str, str]) -> None:
    assert asked(plan("shift"), now) == period
    due = last_due(plan("shift"), SHIFTS, SHANGHAI, published, ns(now))
    assert isinstance(due, Due)
    assert due.shift == shift


def test_a_plant_without_shifts_has_no_report_of_one() -> None:
    assert last_due(plan("shift"), RosterPlan(), SHANGHAI, published, ns("2026-03-05 12:00:00")) is None
