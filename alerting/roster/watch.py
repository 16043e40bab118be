"""Watch: one person at one post for one shift; who is on duty at a time, what overlaps, what nobody fills.

Never: does I/O, reads a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias
from zoneinfo import ZoneInfo

from alerting.roster.plan import NS, Published, RosterPlan

#: What may stand in the roster once: day, shift, post, planned person.
Place: TypeAlias = tuple[date, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One person at one post for one shift of one day.

    Attributes:
        number: Of the row in the store; 0 for one that is not kept yet.
        date: The day on which the shift begins, by the site's clock.
        person: Who was planned.
        substitute: Who stands in; empty for nobody.
        reason: Why somebody stands in.
    """

    number: int = 0
    date: date
    shift: str
    post: str
    person: str
    substitute: str = ""
    reason: str = ""

    @property
    def on_duty(self) -> str:
        """Who is really there."""
        return self.substitute or self.person

    @property
    def place(self) -> Place:
        """What may stand in the roster once: day, shift, post, planned person."""
        return (self.date, self.shift, self.post, self.person)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who is on duty at a time."""

    watch: Watch
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A shift of a post that nobody fills."""

    date: date
    shift: str
    post: str
    from_ns: int
    to_ns: int


def span_of(plan: RosterPlan, watch: Watch, zone: ZoneInfo) -> tuple[int, int] | None:
    """Give when a watch begins and ends, ns; None where its shift is no longer in the configuration."""
    shift = plan.shift(watch.shift)
    return None if shift is None else shift.span(watch.date, zone)


def dates_around(at_ns: int, zone: ZoneInfo) -> tuple[date, date]:
    """Give the days whose shifts may cover a time: the day itself and the one before, for shifts over midnight."""
    today = datetime.fromtimestamp(at_ns // NS, zone).date()
    return today - timedelta(days=1), today


def on_duty_at(plan: RosterPlan, watches: Iterable[Watch], at_ns: int, zone: ZoneInfo) -> list[OnDuty]:
    """Give who is on duty at a time: leaders first, then in the order of the posts, then as they were entered.

    Args:
        watches: At least those of ``dates_around``.
    """
    rank = {post.id: (not post.is_leader, place) for place, post in enumerate(plan.posts)}
    found = []
    for watch in watches:
        span = span_of(plan, watch, zone)
        if span is not None and watch.post in rank and span[0] <= at_ns < span[1]:
            found.append(OnDuty(watch=watch, from_ns=span[0], to_ns=span[1]))
    return sorted(found, key=lambda each: (rank[each.watch.post], each.watch.number))


def clash(plan: RosterPlan, watches: Iterable[Watch], new: Watch, zone: ZoneInfo) -> Watch | None:
    """Give a watch that has the same person at another place at the same time; None where there is none.

    Args:
        watches: Others, ``new`` itself not among them.
    """
    span = span_of(plan, new, zone)
    if span is None:
        return None
    for other in watches:
        theirs = span_of(plan, other, zone)
        if other.on_duty == new.on_duty and theirs and theirs[0] < span[1] and span[0] < theirs[1]:
            return other
    return None


def gaps(
    plan: RosterPlan,
    watches: Iterable[Watch],
    days: Sequence[date],
    published: Published,
    zone: ZoneInfo,
    spans: Mapping[str, Sequence[tuple[int, int]]] = MappingProxyType({}),
) -> list[Gap]:
    """Give the shifts of posts that nobody fills on these days.

    Args:
        spans: When events run that name a roster, by its name, ns; its posts are manned then alone.
    """
    filled = {(watch.date, watch.shift, watch.post) for watch in watches}
    found = []
    for on in days:
        day = plan.calendar.day(on, published)
        for post in plan.posts:
            for name in post.shifts:
                shift = plan.shift(name)
                if shift is not None and shift.is_manned(day) and (on, name, post.id) not in filled:
                    begin, end = shift.span(on, zone)
                    if post.roster and not any(a < end and begin < b for a, b in spans.get(post.roster, ())):
                        continue
                    found.append(Gap(date=on, shift=name, post=post.id, from_ns=begin, to_ns=end))
    return found
