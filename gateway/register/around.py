"""What a record is checked against at a site: its day, units and tags."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerting.register.field import Surroundings
from gateway.config import Site

S_TO_NS: Final = 1_000_000_000


def around(site: Site, now_ns: int, who: str = "") -> Surroundings:
    """Give the surroundings of a site's records at a moment, ns since 1970-01-01 UTC, for a person."""
    today = datetime.fromtimestamp(now_ns // S_TO_NS, tz=UTC).astimezone(ZoneInfo(site.timezone)).date()
    return Surroundings(
        today=today,
        who=who,
        units=frozenset(unit.id for unit in site.units),
        tags={tag.name: tag.eu for tag in site.tags},
    )
