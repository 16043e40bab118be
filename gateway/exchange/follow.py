"""Follow: the register goes to the authorities that take it, a few seconds after it changed.

Flow: time -> [has the register or the configuration changed?] -> look -> outbox rows and what they tell, one
    transaction -> push worker
Why: notices and the note of what they tell are one transaction: a crash neither forgets a row nor tells it twice.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from gateway.config import Destination, Site
from gateway.exchange.plan import WAITING_MAX, Look, exchanging, is_for, is_stuck, look, waiting
from gateway.means import Means, look_on
from gateway.meter import Stage
from gateway.store.schema import exchanged, outbox, record

log = structlog.get_logger("exchange")

LOOK_S: Final = 5.0
#: All is looked at once more, should a clock have gone back meanwhile, s.
WHOLE_S: Final = 600.0
CHUNK: Final = 500


class Exchange:
    """Keeps authorities up to date with the register.

    Args:
        taken_out: Told how many notices that waited do so no longer, and why.
    """

    def __init__(self, means: Means, *, taken_out: Callable[[int, str], None]) -> None:
        self._means, self._site, self._clock = means, means.site, means.clock
        self._read, self._write, self._wake_push = means.read, means.write, means.wake_push
        self._taken_out = taken_out
        self._seen: object = None
        self._whole_s = 0.0

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "exchange", self.turn, lambda is_more: 0.0 if is_more else LOOK_S)

    async def turn(self) -> bool:
        """Tell what is new; give whether there is more."""
        site = self._site()
        to = [one for one in exchanging(site) if is_for(site, one) and not _is_dry(one)]
        if not to:
            return False
        now_s = self._clock.monotonic_ns() / 1e9
        state = await self._read(_state)
        seen = (state, tuple((one.id, one.profile) for one in to))
        if seen == self._seen and now_s < self._whole_s:
            return False
        is_more = is_full = False
        for destination in to:
            if await self._read(_counting(destination)) >= WAITING_MAX:
                is_full = True
                continue
            found = await self._read(_looking(site, destination, self._clock.wall_ns()))
            if found.notices:
                n = await self._write(_writing(destination.id, found))
                self._wake_push()
                if n:
                    self._taken_out(n, "superseded")
                self._means.meter.noted(Stage.PUSH, "exchanged", len(found.told))
                log.info("exchange.told", destination=destination.id, notices=len(found.notices), rows=len(found.told))
            is_more = is_more or found.is_more
        self._seen = None if is_more or is_full else seen
        self._whole_s = now_s + WHOLE_S
        return is_more


def _is_dry(destination: Destination) -> bool:
    options = destination.profile.exchange
    return options is not None and options.is_dry


def _state(connection: Connection) -> tuple[Any, ...]:
    """Give what changes whenever a record does, or when somebody wants all told again; read off two indexes."""
    newest = connection.scalar(select(func.max(record.c.time_ns)))
    last = connection.scalar(select(func.max(record.c.seq)))
    return newest, last, connection.scalar(select(func.count()).select_from(exchanged))


def _counting(destination: Destination) -> Callable[[Connection], int]:
    return lambda connection: waiting(connection, destination.id)


def _looking(site: Site, destination: Destination, now_ns: int) -> Callable[[Connection], Look]:
    return lambda connection: look(connection, site, destination, now_ns)


def _writing(destination: str, found: Look) -> Callable[[Connection], int]:
    return lambda connection: write(connection, destination, found)


def write(connection: Connection, destination: str, found: Look) -> int:
    """Put notices into the outbox, with the note of what they tell; give how many that waited they replace."""
    ids = [row["id"] for row in found.told]
    stuck = connection.execute(
        select(outbox.c.seq, outbox.c.chain, outbox.c.state).where(is_stuck(destination)).order_by(outbox.c.seq)
    ).all()
    old = [row.seq for row in stuck if row.chain in found.chains]
    n = len([row for row in stuck if row.chain in found.chains and row.state == "waiting"])
    for at in range(0, len(old), CHUNK):
        replaced = update(outbox).where(outbox.c.seq.in_(old[at : at + CHUNK]))
        connection.execute(replaced.values(state="expired", last_error="superseded"))
    for at in range(0, len(ids), CHUNK):
        mine = and_(exchanged.c.destination == destination, exchanged.c.id.in_(ids[at : at + CHUNK]))
        connection.execute(delete(exchanged).where(mine))
    connection.execute(insert(outbox), [notice.row() for notice in found.notices])
    connection.execute(insert(exchanged), list(found.told))
    return n


def tell_again(connection: Connection, destination: str, ledger: str | None = None) -> int:
    """Forget what a destination was told, so that it is told again; give how many records that are."""
    mine = exchanged.c.destination == destination
    if ledger is not None:
        mine = and_(mine, exchanged.c.ledger == ledger)
    n: int = connection.execute(delete(exchanged).where(mine)).rowcount
    return n
