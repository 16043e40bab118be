"""Keeping the books of delivery: counted once a second, written once a minute.

Flow: books -> [run] -> ledger, by source and hour
Why: what cannot be written is kept for the next minute; at kill -9 one minute of counting is lost, never a value.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Site
from gateway.delivery import ledger
from gateway.delivery.books import HOUR_NS, Books, Hour, rates
from gateway.means import Write
from gateway.receive import ReceiveClock

log = structlog.get_logger("gateway")

#: So much of the books of delivery is lost at kill -9.
WRITTEN_S: Final = 60


class BookKeeper:
    """Writes the books of delivery."""

    def __init__(self, books: Books, site: Callable[[], Site], clock: ReceiveClock, write: Write) -> None:
        self.books, self._site, self._clock, self._write = books, site, clock, write
        self._unsettled: set[tuple[str, int]] = set()  # hours whose rows are not final
        self.started_ns = clock.now_ns()
        self._booked_ns = self.started_ns // HOUR_NS * HOUR_NS  # The hour that was written last, or begun in.

    def load(self, connection: Connection) -> None:
        """Take over which hours were left unsettled."""
        self._unsettled = ledger.last_hours(connection)

    async def run(self) -> None:
        """Count once a second what came, or of little once a minute, when it is written down."""
        while True:
            for _ in range(WRITTEN_S):
                await asyncio.sleep(1.0)
                if self.books.is_much:
                    self.books.settle()
            await self.write()

    async def write(self) -> None:
        """Write down what came since the last time; what cannot be written is kept for the next."""
        self.books.settle()
        site = self._site()
        taken, now_ns = self.books.take(), self._clock.now_ns()
        hour_ns = now_ns // HOUR_NS * HOUR_NS
        rate_of = rates(site.sources, site.tags)
        for source in rate_of:  # Also of whom nothing came; and the hour before, which is whole now.
            taken.setdefault((source, hour_ns), Hour())
            if self._booked_ns < hour_ns:
                self._unsettled.add((source, self._booked_ns))
        for key in self._unsettled:
            taken.setdefault(key, Hour())

        def write(connection: Connection) -> None:
            ledger.write(connection, taken, rate_of, now_ns, self.started_ns, self._unsettled)
            if self._booked_ns != hour_ns:
                ledger.forget(connection, now_ns)

        try:
            await self._write(write)
        except SQLAlchemyError:
            self.books.give_back(taken)
            log.warning("delivery.not_written", hours=len(taken), exc_info=True)
            return
        self._booked_ns = hour_ns
        self._unsettled = set()
