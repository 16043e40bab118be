"""Daily: the next moment at which a clock on the wall shows a time.

Why: a zone of an hour that summer time leaves out or doubles must still come once a day.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def next_daily_ns(after_ns: int, minutes: int, timezone: str) -> int:
    """Give the first moment after a time at which it is so many minutes past local midnight, ns since 1970 UTC.

    A time that summer time leaves out comes as much later as the clock was put forward; of a doubled one the first
    counts.
    """
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(after_ns / 1e9, zone).date()
    for ahead in range(-1, 3):
        on = day + timedelta(days=ahead)
        at = datetime(on.year, on.month, on.day, minutes // 60, minutes % 60, tzinfo=zone)
        at_ns = round(at.timestamp()) * 1_000_000_000
        if at_ns > after_ns:
            return at_ns
    raise AssertionError((after_ns, minutes, timezone))  # a day has fewer than 48 hours
