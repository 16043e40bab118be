"""Period: a month or a quarter of the site's days, by name."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerting.register.field import Words
from alerting.register.months import plus_months

NS: Final = 1_000_000_000
_NAME: Final = re.compile(r"(\d{4})-(?:(0[1-9]|1[0-2])|Q([1-4]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Some whole months.

    Attributes:
        name: ``2026-10`` or ``2026-Q4``.
        first, last: Its days, both included.
    """

    name: str
    first: date
    last: date

    @property
    def title(self) -> Words:
        """Give it as people write it."""
        year = self.first.year
        if "Q" in self.name:
            return Words(f"quarter {self.name[-1]} of {year}", f"{year}年第{self.name[-1]}季度")
        return Words(f"{self.first:%B} {year}", f"{year}年{self.first.month}月")

    @property
    def months(self) -> tuple[str, ...]:
        """Give its months by name."""
        count = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        return tuple(f"{plus_months(self.first, number):%Y-%m}" for number in range(count))

    def span(self, zone: ZoneInfo) -> tuple[int, int]:
        """Give its first moment and the one after its last, ns since 1970."""
        after = self.last + timedelta(days=1)
        ends = (self.first, after)
        first, end = (round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS for day in ends)
        return first, end


def period_of(name: str) -> Period | None:
    """Read the name of a month or a quarter; None where it is none."""
    found = _NAME.fullmatch(name)
    if found is None or int(found[1]) < 1970:  # noqa: PLR2004 - times are counted from there
        return None
    month = int(found[2]) if found[2] else 3 * int(found[3]) - 2
    first = date(int(found[1]), month, 1)
    return Period(name=name, first=first, last=plus_months(first, 1 if found[2] else 3) - timedelta(days=1))
