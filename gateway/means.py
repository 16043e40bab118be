"""What those work with that look after the store beside the road: ladders, duties, hidden hazards, exchange, reports.

Why: each looks now and then, writes in its own transaction and wakes the push worker; none of them holds up a tick.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Never, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Site
from gateway.meter import Meter, Stage

T = TypeVar("T")
#: Pause after the store could not be read or written, s.
STORE_S: Final = 1.0


class Write(Protocol):
    """Runs a function in the store: in the executor of readers, or in one transaction of the single writer."""

    def __call__(self, function: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What each of them works with.

    Attributes:
        site: Gives the configuration in force, which may change while they run.
        read: Runs a function in the executor of readers.
        write: Runs one in a transaction of the single writer.
        wake_push: Told when the outbox has something new.
    """

    site: Callable[[], Site]
    clock: Clock
    meter: Meter
    read: Write
    write: Write
    wake_push: Callable[[], None]


async def look_on(means: Means, what: str, turn: Callable[[], Awaitable[T]], pause_s: Callable[[T], float]) -> Never:
    """Look, pause and look again until cancelled; a store that cannot be read or written is counted and tried again.

    Args:
        what: What the count of failures names.
        turn: Looks once.
        pause_s: Gives how long to wait after what a look came to, s.
    """
    while True:
        try:
            wait_s = pause_s(await turn())
        except SQLAlchemyError as failure:
            means.meter.error(Stage.PUSH, f"{what}: {failure}", means.clock.wall_ns())
            wait_s = STORE_S
        await asyncio.sleep(wait_s)
