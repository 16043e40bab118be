"""China: which days are of work and of rest, as the State Council publishes them year by year.

Why: days of rest are moved to weekends and back (调休), so that no rule gives them; a library carries the
    announcements.
Source: chinese_calendar, from the yearly notices of the General Office of the State Council on holidays.
The only module that imports it, and only where a calendar is asked for: a start does not pay for it.
"""

from datetime import date
from functools import cache

#: What the library calls a holiday → what people call it.
NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


@cache
def published(on: date) -> tuple[bool, str] | None:
    """Give whether a day is one of work, and the holiday that moved it; None for years that are not published."""
    import chinese_calendar  # noqa: PLC0415 - see the module head

    try:
        is_workday = bool(chinese_calendar.is_workday(on))
        _, name = chinese_calendar.get_holiday_detail(on)
    except NotImplementedError:
        return None
    return is_workday, str(name or "")
