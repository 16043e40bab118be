"""What a record is checked against at a site: its day, units and tags."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerting.register.field import Surroundings
from edge.model import TagTable
from gateway.config import Site
from gateway.register.minutes import minute
from gateway.roster.china import published

S_TO_NS: Final = 1_000_000_000


class _EngineeringUnits(Mapping[str, str]):
    """Units of a site's tags by name, looked up and never copied: a site has 100,000, a record names one."""

    def __init__(self, tags: TagTable) -> None:
        self._tags = tags

    def __getitem__(self, name: str) -> str:
        return self._tags[self._tags.row_of[name]].eu

    def __iter__(self) -> Iterator[str]:
        return iter(self._tags.row_of)

    def __len__(self) -> int:
        return len(self._tags)


def today_of(site: Site, now_ns: int) -> date:
    """Give the day at a site at a moment, ns since 1970-01-01 UTC."""
    return datetime.fromtimestamp(now_ns // S_TO_NS, tz=UTC).astimezone(ZoneInfo(site.timezone)).date()


def around(site: Site, now_ns: int, who: str = "") -> Surroundings:
    """Give the surroundings of a site's records at a moment, ns since 1970-01-01 UTC, for a person."""
    return Surroundings(
        now=minute(now_ns, ZoneInfo(site.timezone)),
        today=today_of(site, now_ns),
        who=who,
        posts={post.id: tuple(post.title.values()) for post in site.roster.posts},
        units=frozenset(unit.id for unit in site.units),
        tags=_EngineeringUnits(site.tags),
        is_workday=lambda on: site.roster.calendar.day(on, published).is_workday,
        risk=site.risk,
        rosters=site.roster.of_events,
        ladders=frozenset(plan.id for plan in site.escalations if plan.is_for_events),
    )
