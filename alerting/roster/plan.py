"""Plan: the shifts and posts of a site, and which days count as working days.

Why: what a roster must fill is the plant's own order and changes rarely, so it is configuration; who fills it changes
    every week and is kept in the store.
Never: does I/O, reads a clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

NS = 1_000_000_000
DAY_S = 86_400
SATURDAY = 5


class On(StrEnum):
    """The days on which a shift is manned."""

    ALL = "all"
    WORKDAYS = "workdays"
    RESTDAYS = "restdays"


class Told(StrEnum):
    """From where it is known what a day is."""

    PLANT = "plant"  # the site file says so
    PUBLISHED = "published"  # the calendar of the country
    WEEKDAY = "weekday"  # no calendar is published for the year: Saturday and Sunday are days of rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day is.

    Attributes:
        holiday: Name of the holiday that it belongs to, as the calendar has it; empty for none.
    """

    date: date
    is_workday: bool
    told: Told
    holiday: str = ""


#: Gives (is a working day, name of the holiday) of a date; None where no calendar is published for it.
Published: TypeAlias = Callable[[date], tuple[bool, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which days count as working days.

    Attributes:
        country: ``CN``, or empty for weekdays only.
        rest, work: Days that the plant itself says are of rest, or of work; they go before everything.
    """

    country: str = ""
    rest: tuple[date, ...] = ()
    work: tuple[date, ...] = ()

    def day(self, on: date, published: Published) -> Day:
        """Say what a day is."""
        known = published(on) if self.country else None
        name = known[1] if known else ""
        if on in self.rest or on in self.work:
            return Day(date=on, is_workday=on in self.work, told=Told.PLANT, holiday=name)
        if known:
            return Day(date=on, is_workday=known[0], told=Told.PUBLISHED, holiday=name)
        return Day(date=on, is_workday=on.weekday() < SATURDAY, told=Told.WEEKDAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A stretch of the day that somebody is on duty for.

    Attributes:
        from_s, to_s: Seconds of the site's wall clock since midnight; ``to_s`` at or below ``from_s`` is on the next
            day.
    """

    id: str
    title: Mapping[str, str]
    from_s: int
    to_s: int
    on: On = On.ALL

    def span(self, on: date, zone: ZoneInfo) -> tuple[int, int]:
        """Give when the shift of a day begins and ends, ns; a day on which clocks change has another length."""
        end = on if self.to_s > self.from_s else on + timedelta(days=1)
        return _at(on, self.from_s, zone), _at(end, self.to_s, zone)

    def is_manned(self, day: Day) -> bool:
        """Tell whether somebody must be there on a day."""
        return self.on is On.ALL or day.is_workday is (self.on is On.WORKDAYS)


def _at(on: date, second: int, zone: ZoneInfo) -> int:
    whole, rest = divmod(second, DAY_S)
    wall = datetime(on.year, on.month, on.day) + timedelta(days=whole)  # noqa: DTZ001 - the zone comes next
    hour, rest = divmod(rest, 3600)
    return round(wall.replace(hour=hour, minute=rest // 60, tzinfo=zone).timestamp()) * NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A place in the plant's order that somebody fills: control room, fire station, leader on duty.

    Attributes:
        shifts: Ids of the shifts in which it is manned.
        units: Hazard units that it answers for; empty for all.
        is_leader: Whoever is here leads the shift (带班领导).
        roster: Only while a large event runs that names this roster; empty for always.
        instead_of: The post whose calls it takes then, for the hazard units of the event; empty for none.
    """

    id: str
    title: Mapping[str, str]
    shifts: tuple[str, ...]
    units: tuple[str, ...] = ()
    is_leader: bool = False
    roster: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlan:
    """What a roster has to fill; empty where the site has none."""

    calendar: Calendar = field(default_factory=Calendar)
    shifts: tuple[Shift, ...] = ()
    posts: tuple[Post, ...] = ()

    def shift(self, name: str) -> Shift | None:
        """Give a shift by its id."""
        return next((each for each in self.shifts if each.id == name), None)

    @property
    def of_events(self) -> frozenset[str]:
        """Names of the rosters that hold only while a large event runs."""
        return frozenset(post.roster for post in self.posts if post.roster)

    def leaders(self, roster: str = "") -> set[str]:
        """Give the posts that lead: of an event's roster where it has such posts, else those that always do."""
        usual = {post.id for post in self.posts if post.is_leader and not post.roster}
        return {post.id for post in self.posts if roster and post.is_leader and post.roster == roster} or usual

    def instead(self, name: str, roster: str = "") -> set[str]:
        """Give who takes the calls of a post: those of an event's roster that stand instead of it, else itself."""
        return {post.id for post in self.posts if roster and post.roster == roster and post.instead_of == name} or {
            name
        }

    def post(self, name: str) -> Post | None:
        """Give a post by its id."""
        return next((each for each in self.posts if each.id == name), None)
