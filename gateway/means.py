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
#: After so long all is looked at again, s: another process may have written.
AGAIN_S: Final = 10.0
NS: Final = 1_000_000_000


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
        changes: Counts what this process has written; None where nobody counts.
    """

    site: Callable[[], Site]
    clock: Clock
    meter: Meter
    read: Write
    write: Write
    wake_push: Callable[[], None]
    changes: Callable[[], int | None] = lambda: None


class Standstill:
    """Whether all stands as it did at the last look, so that another one would find nothing new.

    Why: most seconds of a site change nothing; a look each second that asks the store is a quarter of what they cost.
        What other processes write (imports from the command line) is found at the latest after ``AGAIN_S``.
    """

    def __init__(self) -> None:
        self._at: tuple[object, ...] | None = None
        self._until_ns = 0

    def holds(self, changes: int | None, *others: object, now_ns: int) -> bool:
        """Tell whether nothing was written, nothing else is otherwise, and no moment has come.

        Args:
            changes: As ``Means`` counts them, read before the look; None for not known.
            others: What else the look hangs on.
        """
        return changes is not None and now_ns < self._until_ns and self._at == (changes, *others)

    def keep(self, changes: int | None, *others: object, now_ns: int, due_ns: int | None = None) -> None:
        """Remember what a look was made by, and when something is due without anything being written."""
        self._at, self._until_ns = (changes, *others), now_ns + round(AGAIN_S * NS)
        if due_ns is not None:
            self._until_ns = min(self._until_ns, due_ns)


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
