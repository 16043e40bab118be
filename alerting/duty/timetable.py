"""Timetable: when each step of a duty comes.

Flow: last day, or moment, of a duty; its row; the site's calendar -> [timetable] -> moments of the steps
Why: all of it follows from the record and the row, so that restart, import and changed calendar give the same days.
Never: does I/O, reads a clock.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerting.duty.kind import STEPS, Counts, Kind, Step
from alerting.roster.plan import NS, Calendar, Published, Told

LEAD_DAYS = 3
#: The default lead is a fifth of the period, but no more than LEAD_DAYS.
FIFTH = 5
DAY_NS = 86_400 * NS
#: A calendar of the plant may make all days of rest; the search ends.
SEARCH_DAYS = 400
#: Longer than any holiday with its weekends.
ROLLED_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """By when something is to be done: by the end of a day, or by a moment.

    Attributes:
        day: The last day in time; None where a moment counts.
        begins: The day from which on it could be done; None where nobody knows.
        due_ns, begins_ns: The moment, and from when on, ns since 1970; for a day 0.
    """

    day: date | None = None
    begins: date | None = None
    due_ns: int = 0
    begins_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What the days of a site are.

    Attributes:
        told_at_s: Second of the day at which what falls on a day is told.
    """

    calendar: Calendar
    published: Published
    zone: ZoneInfo
    told_at_s: int = 8 * 3600

    def counts(self, on: date, which: Counts) -> bool:
        """Tell whether a day counts."""
        return which is Counts.ALL or self.calendar.day(on, self.published).is_workday

    def is_by_weekday(self, on: date) -> bool:
        """Tell whether no calendar says what the day is, so that only its weekday does."""
        return self.calendar.day(on, self.published).told is Told.WEEKDAY

    def moment(self, on: date) -> int:
        """Give when what falls on a day is told, ns since 1970."""
        hour, rest = divmod(self.told_at_s, 3600)
        wall = datetime(on.year, on.month, on.day, hour, rest // 60, tzinfo=self.zone)
        return round(wall.timestamp()) * NS

    def end_of(self, on: date) -> int:
        """Give the end of a day, ns since 1970."""
        after = on + timedelta(days=1)
        return round(datetime(after.year, after.month, after.day, tzinfo=self.zone).timestamp()) * NS

    def date_of(self, at_ns: int) -> date:
        """Give the day of a moment."""
        return datetime.fromtimestamp(at_ns // NS, self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When the steps come, ns since 1970.

    Attributes:
        supervision_day: The day of the first supervision; None where a moment counts.
        is_by_weekday: No calendar is published for a day that was counted; Saturday and Sunday were days of rest.
    """

    moments: dict[Step, int]
    supervision_day: date | None = None
    is_by_weekday: bool = False


def timetable(kind: Kind, due: Due, days: Days) -> Timetable:
    """Work out when the steps come.

    A day's prompt comes on the day in which the moment "end of the last day minus lead" lies; its warning on the day
    after the last; its supervision on the day after the days of grace.
    """
    if due.day is None:
        return _of_moment(kind, due)
    after = due.day + timedelta(days=1)
    prompt = after - timedelta(days=_lead_days(kind, due, after))
    if due.begins is not None:
        prompt = min(max(prompt, due.begins), after)
    supervision, grace, is_by_weekday = after, kind.grace_days, False
    for _ in range(SEARCH_DAYS):
        if grace == 0:
            break
        if kind.counts is Counts.WORKDAYS:
            is_by_weekday = is_by_weekday or days.is_by_weekday(supervision)
        grace -= days.counts(supervision, kind.counts)
        supervision += timedelta(days=1)
    at = (days.moment(prompt), days.moment(after), days.moment(supervision))
    return Timetable(
        moments=dict(zip(STEPS, at, strict=True)), supervision_day=supervision, is_by_weekday=is_by_weekday
    )  # fmt: skip


def _lead_days(kind: Kind, due: Due, after: date) -> int:
    if kind.lead_days is not None:
        return math.ceil(kind.lead_days)
    period = (after - due.begins).days if due.begins is not None else kind.period_days
    return LEAD_DAYS if period is None else min(LEAD_DAYS, max(0, -(-period // FIFTH)))


def _of_moment(kind: Kind, due: Due) -> Timetable:
    lead_ns = min(LEAD_DAYS * DAY_NS, max(0, due.due_ns - due.begins_ns) // FIFTH)
    if kind.lead_days is not None:
        lead_ns = min(round(kind.lead_days * DAY_NS), max(0, due.due_ns - due.begins_ns))
    at = (due.due_ns - lead_ns, due.due_ns, due.due_ns + round(kind.grace_s * NS))
    return Timetable(moments=dict(zip(STEPS, at, strict=True)))


def repeats(kind: Kind, table: Timetable, days: Days, after_ns: int) -> Iterator[int]:
    """Give the moments after one at which supervision is told again, for ever."""
    first_ns = table.moments[Step.SUPERVISION]
    if table.supervision_day is None:
        gap_ns = kind.repeat_days * DAY_NS
        number = max(1, (after_ns - first_ns) // gap_ns + 1)
        while True:
            yield first_ns + number * gap_ns
            number += 1
    reached = max(after_ns, first_ns)
    # A moment that was rolled over days of rest belongs to a number before it.
    number = max(1, ((days.date_of(reached) - table.supervision_day).days - ROLLED_DAYS) // kind.repeat_days)
    while True:
        on = table.supervision_day + timedelta(days=number * kind.repeat_days)
        for _ in range(SEARCH_DAYS):
            if days.counts(on, kind.counts):
                break
            on += timedelta(days=1)
        at_ns = days.moment(on)
        if at_ns > reached:
            reached = at_ns
            yield at_ns
        number += 1
