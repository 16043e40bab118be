"""Cycle: the days on which something comes again, counted from its first day.

Why: whoever is late does not move the next day: a monthly report stays on the 15th, the 31st is the last of a
    shorter month and is the 31st again after it.
Never: does I/O, reads a clock.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Final

from alerting.register.field import Choice, Words
from alerting.register.months import plus_months

CYCLES: Final = (
    Choice(code="days", title=Words("days", "天")),
    Choice(code="weeks", title=Words("weeks", "周")),
    Choice(code="months", title=Words("months", "月")),
    Choice(code="years", title=Words("years", "年")),
)
#: The longest that one time may be.
DAYS_OF: Final = {"days": 1, "weeks": 7, "months": 31, "years": 366}


def nth(first: date, every: int, cycle: str, number: int) -> date:
    """Give the day of the n-th time, the first being 0; months and years keep the day of the month where it exists."""
    if cycle in {"months", "years"}:
        return plus_months(first, number * every * (12 if cycle == "years" else 1))
    return first + timedelta(days=number * every * DAYS_OF[cycle])


def after(first: date, every: int, cycle: str, had: date) -> Iterator[date]:
    """Give the days after one, for ever."""
    start = max(1, (had - first).days // (every * DAYS_OF[cycle]))  # Not beyond the day.
    return (day for number in count(start) if (day := nth(first, every, cycle, number)) > had)
