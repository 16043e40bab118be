"""Months: a day some months on; the last of a month where the day does not exist there."""

from calendar import monthrange
from datetime import date


def plus_months(day: date, months: int) -> date:
    """Give the day some months later: 31 January and one month is the last day of February."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
