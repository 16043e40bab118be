"""Schedule: in which spans of the week a rule is judged, by the clock on the wall of the site.

Flow: spans, time zone, a stretch of time -> [switches] -> UTC instants
Why: a viewing deck opens at 08:00 by the site's clock, also on the day on which that clock is put forward or back.
Never: reads a clock. Pure: the same spans, zone and stretch give the same instants.

A span runs from the first instant at which the wall clock shows ``from`` or later to the last at which it shows ``to``:
an hour that is skipped moves the begin to the moment of the change, an hour that comes twice counts twice. Where ``to``
is not after ``from`` it is a time of the next day; days name the day on which a span begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_S = 86_400
S_TO_NS = 1_000_000_000
AHEAD_DAYS = 9  # A week repeats; one day more on each side for spans over midnight and zones.


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span of the week.

    Attributes:
        days: Days on which it begins, 0 Monday to 6 Sunday, ascending.
        from_s, to_s: Times of the wall clock, s, from 0, and up to 86400; ``to`` not after ``from`` is next day's.
    """

    days: tuple[int, ...]
    from_s: int
    to_s: int

    def words(self) -> str:
        """Write it briefly, e.g. ``mon-fri 08:00-20:00``."""
        runs: list[list[int]] = []
        for day in self.days:
            if runs and runs[-1][-1] == day - 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        days = ",".join(DAYS[run[0]] + (f"-{DAYS[run[-1]]}" if len(run) > 1 else "") for run in runs)
        return f"{days} {_clock(self.from_s)}-{_clock(self.to_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Spans of the week in a time zone; a rule is judged within them.

    Attributes:
        zone: Name in the time zone database.
    """

    spans: tuple[Span, ...]
    zone: str

    def words(self) -> str:
        """Write it briefly, e.g. ``mon-fri 08:00-20:00 Asia/Shanghai``."""
        return f"{'; '.join(span.words() for span in self.spans)} {self.zone}"

    def open_stretches(self, from_ns: int, to_ns: int) -> list[tuple[int, int]]:
        """Give when it is open: stretches [begin, end) of UTC ns that touch ``[from_ns, to_ns]``, joined, ascending."""
        first, last = _day_of(from_ns) - timedelta(days=3), _day_of(to_ns) + timedelta(days=2)
        found: list[tuple[int, int]] = []
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        for begin, end in sorted(pair for day in days for pair in self._of_day(day)):
            if found and begin <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((begin, end))
        return [(begin, end) for begin, end in found if end > from_ns and begin <= to_ns]

    def is_open(self, time_ns: int) -> bool:
        """Tell whether a rule is judged at a time."""
        return any(begin <= time_ns < end for begin, end in self.open_stretches(time_ns, time_ns))

    def switches(self, after_ns: int, to_ns: int) -> list[tuple[int, bool]]:
        """Give the instants in ``(after_ns, to_ns]`` at which it opens (True) or shuts, ascending."""
        found = [
            switch
            for begin, end in self.open_stretches(after_ns, to_ns)
            for switch in ((begin, True), (end, False))
            if after_ns < switch[0] <= to_ns
        ]
        return sorted(found)

    def next_ns(self, after_ns: int) -> int | None:
        """Give the next instant after a time at which it opens or shuts; None where it never does."""
        ahead = self.switches(after_ns, after_ns + AHEAD_DAYS * DAY_S * S_TO_NS)
        return ahead[0][0] if ahead else None

    def _of_day(self, day: date) -> Iterator[tuple[int, int]]:
        zone = _zone(self.zone)
        for span in self.spans:
            if day.weekday() not in span.days:
                continue
            end_day = day if span.to_s > span.from_s else day + timedelta(days=1)
            begin, end = _first(zone, day, span.from_s), _last(zone, end_day, span.to_s)
            if begin < end:  # A span that lies within a skipped hour does not take place.
                yield begin, end


@dataclass(slots=True)
class Calendar:
    """A schedule that remembers the stretch between two switches in which it was asked last; it gives the same."""

    schedule: Schedule
    from_ns: int = 0
    to_ns: int = 0
    is_open_now: bool = field(default=True)

    def is_open(self, time_ns: int) -> bool:
        """Tell whether a rule is judged at a time."""
        self._look(time_ns)
        return self.is_open_now

    def next_ns(self, after_ns: int) -> int:
        """Give the next instant after a time at which it opens or shuts, or a time at which to ask again."""
        self._look(after_ns)
        return self.to_ns

    def _look(self, time_ns: int) -> None:
        if self.from_ns <= time_ns < self.to_ns:
            return
        self.is_open_now = self.schedule.is_open(time_ns)
        self.from_ns = time_ns
        self.to_ns = self.schedule.next_ns(time_ns) or time_ns + AHEAD_DAYS * DAY_S * S_TO_NS


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _day_of(time_ns: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_ns // S_TO_NS)).date()


def _wall(day: date, seconds: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001 - a wall clock


def _first(zone: ZoneInfo, day: date, seconds: int) -> int:
    """Give the first instant at which the wall clock shows a time or a later one, UTC ns."""
    wall = _wall(day, seconds)
    early = _utc_s(wall.replace(tzinfo=zone, fold=0))
    late = _utc_s(wall.replace(tzinfo=zone, fold=1))
    if late >= early:  # A time that there is once, or twice: the first.
        return early * S_TO_NS
    return _change(zone, late, early) * S_TO_NS


def _last(zone: ZoneInfo, day: date, seconds: int) -> int:
    """Give the last instant at which the wall clock comes to a time, UTC ns; a skipped one is the moment of change."""
    wall = _wall(day, seconds)
    early = _utc_s(wall.replace(tzinfo=zone, fold=0))
    late = _utc_s(wall.replace(tzinfo=zone, fold=1))
    return (late if late >= early else _change(zone, late, early)) * S_TO_NS


def _utc_s(wall: datetime) -> int:
    return round(wall.timestamp())


def _change(zone: ZoneInfo, low_s: int, high_s: int) -> int:
    """Find the second in ``(low_s, high_s]`` at which the offset of a zone changes."""
    before = datetime.fromtimestamp(low_s, zone).utcoffset()
    while high_s - low_s > 1:
        middle = (low_s + high_s) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low_s = middle
        else:
            high_s = middle
    return high_s


def _clock(seconds: int) -> str:
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return text if seconds % 60 == 0 else f"{text}:{seconds % 60:02d}"
