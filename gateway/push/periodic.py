"""Periodic: values, on-line states and sensors' master data, told every so often by the same outbox.

Flow: what stands now -> [compose_data] -> outbox rows of kind ``data``, which may expire -> the destination's lane
Why: a value of an hour ago is of use to nobody; a warning of an hour ago is. So data goes last, and is taken out when
    its time is over, while a warning never is.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import numpy as np
import structlog
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from alerting.core import Memory
from alerting.model.alarm import digest
from alerting.model.rule import LIMITS
from alerting.model.tier import Tier
from alerting.push.envelope import Thread, wrap
from alerting.push.notice import Notice
from alerting.push.profile import DataLine
from edge.clock import Clock
from edge.model import Nature
from edge.model.quality import describe
from gateway.config import Destination, Site
from gateway.means import Write
from gateway.store.schema import outbox
from gateway.system import SOURCE

T = TypeVar("T")
log = structlog.get_logger("push")

#: Rows in one notice: 500 kB of values at most, well below what receivers take.
ROWS_MAX: Final = 5000
LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands when data is composed.

    Attributes:
        memory_of: What the core remembers of a nature.
        is_up: Whether each source's link is up, by id.
    """

    memory_of: Callable[[Nature], Memory]
    is_up: Mapping[str, bool]


class Periodic:
    """Puts what is due into the outbox, until cancelled.

    Args:
        site: Gives the site in force.
        stands: Gives what stands now.
        wake: Called when something was put there.
    """

    def __init__(
        self,
        *,
        site: Callable[[], Site],
        clock: Clock,
        write: Write,
        stands: Callable[[], Standing],
        wake: Callable[[], None],
    ) -> None:
        self._site, self._clock, self._write, self._stands, self._wake = site, clock, write, stands, wake
        self._due_s: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Look once a second which lines are due."""
        while True:
            await asyncio.sleep(LOOK_S)
            now_s = self._clock.monotonic_ns() / 1e9
            notices: list[Notice] = []
            for destination in self._site().destinations:
                for place, line in enumerate(destination.profile.data):
                    if now_s >= self._due_s.get((destination.id, place), 0.0):
                        self._due_s[destination.id, place] = now_s + line.every_s
                        notices += compose_data(self._site(), destination, line, self._stands(), self._clock.wall_ns())
            if notices:
                await self._put([notice.row() for notice in notices])

    async def _put(self, rows: list[dict[str, Any]]) -> None:
        try:
            await self._write(lambda connection: connection.execute(insert(outbox), rows))
        except SQLAlchemyError:  # The next period brings newer ones.
            log.warning("push.data_not_written", notices=len(rows), exc_info=True)
            return
        self._wake()


def compose_data(site: Site, destination: Destination, line: DataLine, standing: Standing, now_ns: int) -> list[Notice]:
    """Compose the notices of one line that is due: one a nature that the destination accepts, and page by page."""
    notices = []
    for nature in destination.natures:
        rows = _ROWS[line.what](site, nature, standing)
        for page, start in enumerate(range(0, len(rows), ROWS_MAX)):
            key = digest("data", destination.id, line.what, nature, now_ns, page)
            body = {
                "key": key,
                "chain": digest("data", destination.id, line.what, nature, page),
                "subject": line.what,
                "action": "update",
                "site": {"id": site.id, "title": dict(site.title)},
                "nature": nature.value,
                "time": _iso(now_ns),
                "rows": rows[start : start + ROWS_MAX],
            }
            wire = wrap(destination.profile, body, Thread())
            if wire is not None:
                notices.append(
                    Notice(
                        key=key,
                        destination=destination.id,
                        chain=str(body["chain"]),
                        event="",
                        nature=nature,
                        action="update",
                        tier=Tier.NONE,
                        is_late=False,
                        created_ns=now_ns,
                        body=json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True),
                        wire=wire.text,
                        kind="data",
                        expires_ns=now_ns + round(line.expires_s * 1e9),
                    )
                )
    return notices


def _values(site: Site, nature: Nature, standing: Standing) -> list[dict[str, Any]]:
    """Give every tag's last judged value; a tag without one has null, never an invented number."""
    memory = standing.memory_of(nature)
    found = []
    for row, tag in enumerate(site.tags):
        if tag.nature is not nature or tag.source == SOURCE:
            continue
        value, time_ns = float(memory.value[row]), int(memory.value_ns[row])
        found.append(
            {
                "tag": tag.name,
                "unit": tag.unit,
                "value": value if np.isfinite(value) else None,
                "eu": tag.eu,
                "quality": describe(int(memory.quality[row])) if time_ns else "BAD",
                "time": _iso(time_ns) if time_ns else None,
            }
        )
    return found


def _states(site: Site, nature: Nature, standing: Standing) -> list[dict[str, Any]]:
    """Give whether each source is on line."""
    return [
        {"source": source.id, "protocol": source.protocol, "is_up": bool(standing.is_up.get(source.id, False))}
        for source in site.sources
        if source.nature is nature and source.id != SOURCE
    ]


def _sensors(site: Site, nature: Nature, _: Standing) -> list[dict[str, Any]]:
    """Give the master data of each measured tag: what, where, range and limits."""
    limits: dict[str, dict[str, float]] = {}
    for rule in site.rules:
        if rule.kind in LIMITS:
            limits.setdefault(rule.tag, {})[rule.kind.name] = rule.setpoint
    units = {unit.id: unit.title for unit in site.units}
    return [
        {
            "tag": tag.name,
            "title": dict(tag.title),
            "unit": tag.unit,
            "unit_title": dict(units.get(tag.unit, {})),
            "eu": tag.eu,
            "range_lo": tag.range_lo if np.isfinite(tag.range_lo) else None,
            "range_hi": tag.range_hi if np.isfinite(tag.range_hi) else None,
            "limits": limits.get(tag.name, {}),
        }
        for tag in site.tags
        if tag.nature is nature and tag.source != SOURCE
    ]


_ROWS: Final[Mapping[str, Callable[[Site, Nature, Standing], Sequence[dict[str, Any]]]]] = {
    "values": _values,
    "states": _states,
    "sensors": _sensors,
}


def _iso(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(microsecond=time_ns % 10**9 // 1000)
    return moment.isoformat(timespec="milliseconds")
