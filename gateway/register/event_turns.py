"""Event turns: large events that begin and end, in the audit chain.

Flow: filed events (store), the clock -> [turns] -> what begins or ends now -> [write, one transaction] -> audit chain
Why: an event replaces capacity, roster and escalation by the clock, without anybody's act; afterwards it must be seen
    from when to when it did, also where its filing was changed since.
Never: replaces anything itself: what is in force follows from the filing and the clock alone (``events``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, delete, insert, select

from alerting.register.large_event import Filing, running
from alerting.register.ledgers.large_events import CANCELLED, CLOSED, FILED
from gateway.config import Site
from gateway.means import Means, Standstill, look_on
from gateway.register.events import filings
from gateway.register.minutes import minute, next_minute_ns
from gateway.register.reading import of_ids
from gateway.register.record import Record
from gateway.store.acts import Hand, note
from gateway.store.schema import event_run

log = structlog.get_logger("register")

LOOK_S: Final = 10.0
WHO_MAX: Final = 64
BECAUSE: Final = {CLOSED: "ended", CANCELLED: "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What begins now, and the ids and codes of what ends."""

    begun: Sequence[Filing]
    ended: Sequence[tuple[str, str]]


def turns(connection: Connection, site: Site, now_ns: int) -> Turns:
    """Give which events run and stand nowhere as begun, and which stand so and run no more."""
    live = running(filings(connection), minute(now_ns, ZoneInfo(site.timezone)))
    noted = {row.record: row.code for row in connection.execute(select(event_run))}
    ids = {one.id for one in live}
    return Turns(
        begun=[one for one in live if one.id not in noted],
        ended=[(which, code) for which, code in noted.items() if which not in ids],
    )


def write(connection: Connection, site: Site, now_ns: int) -> int:
    """Write the turns of now into the audit chain; give how many there were."""
    found = turns(connection, site, now_ns)
    for one in found.begun:
        connection.execute(insert(event_run).values(record=one.id, code=one.code, noted_ns=now_ns))
        note(connection, _hand(one.code, now_ns), "large_event_began", **_facts(one))
    gone = of_ids(connection, [which for which, _ in found.ended])
    for which, code in found.ended:
        connection.execute(delete(event_run).where(event_run.c.record == which))
        because = _because(gone[which], minute(now_ns, ZoneInfo(site.timezone)))
        note(connection, _hand(code, now_ns), "large_event_ended", ledger="large_events", code=code, because=because)
    return len(found.begun) + len(found.ended)


def _hand(code: str, now_ns: int) -> Hand:
    return Hand(who=f"event:{code}"[:WHO_MAX], time_ns=now_ns)


def _facts(one: Filing) -> dict[str, Any]:
    return {
        "ledger": "large_events", "code": one.code, "filing": one.number, "zones": ", ".join(one.zones),
        "approved": one.approved, "roster": one.roster, "escalation": one.ladder, "begins": one.begins,
        "ends": one.ends,
    }  # fmt: skip


def _because(one: Record, now: str) -> str:
    """Say why an event runs no more: ``time``, ``ended``, ``cancelled``, ``removed``, or its filing was ``changed``."""
    if one.is_removed:
        return "removed"
    if one.values.get("state") == FILED:
        return "time" if str(one.values["until"]) <= now else "changed"
    return BECAUSE.get(str(one.values.get("state")), "changed")


class EventTurns:
    """Looks every ten seconds which events begin or end, while the gateway runs; filings speak of minutes."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "large events", self.turn, lambda _: LOOK_S, self._still)

    async def turn(self) -> int:
        """Look once; give how many begin or end. Nothing is written where none does."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        count, zone = self._means.changes.count, site.timezone
        if self._still.holds(zone, now_ns=now_ns):
            return 0
        found = await self._means.read(lambda connection: turns(connection, site, now_ns))
        if not found.begun and not found.ended:
            self._still.keep(count, zone, now_ns=now_ns, due_ns=next_minute_ns(now_ns))
            return 0
        turned = await self._means.write(lambda connection: write(connection, site, now_ns))
        log.info("events.turned", count=turned)
        return turned
