"""What those work with that look after the store beside the road: ladders, duties, hidden hazards, exchange, reports.

Why: each looks now and then, writes in its own transaction and wakes the push worker; none of them holds up a tick.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Never, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Site
from gateway.meter import Meter, Stage
from gateway.store.changes import AGAIN_S, Changes

T = TypeVar("T")
#: Pause after the store could not be read or written, s.
STORE_S: Final = 1.0
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
        changes: Counts what was written; without it nothing is known of that.
    """

    site: Callable[[], Site]
    clock: Clock
    meter: Meter
    read: Write
    write: Write
    wake_push: Callable[[], None]
    changes: Changes = field(default_factory=lambda: Changes(is_counted=False))


class Standstill:
    """Whether all stands as it did at the last look, so that another one would find nothing new.

    Why: most seconds of a site change nothing; a look each second that asks the store is a quarter of what they cost.

    Attributes:
        due_ns: When something may come with nothing being written, as of the last look; None for never.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._at: tuple[object, ...] | None = None
        self._since_ns = 0
        self.due_ns: int | None = None

    def holds(self, *others: object, now_ns: int) -> bool:
        """Tell whether nothing was written, nothing else is otherwise, and no moment has come.

        Args:
            others: What else the look hangs on.
        """
        is_due = self.due_ns is not None and now_ns >= self.due_ns
        is_back = now_ns < self._since_ns  # The clock was set back: what is due then is another question.
        is_known = self._changes.is_counted and not is_due and not is_back
        return is_known and self._at == (self._changes.count, *others)

    def keep(self, count: int, *others: object, now_ns: int, due_ns: int | None = None) -> None:
        """Remember what a look was made by, and when something is due without anything being written.

        Args:
            count: Of the changes, read before the look.
        """
        self._at, self._since_ns, self.due_ns = (count, *others), now_ns, due_ns

    async def rest(self, now_ns: int) -> None:
        """Wait until something is written or due; not for long, for what else a look hangs on."""
        if self._at is None or not self._changes.is_counted or now_ns < self._since_ns:
            return
        most_s = AGAIN_S if self.due_ns is None else min(AGAIN_S, (self.due_ns - now_ns) / NS)
        count = self._at[0]
        assert isinstance(count, int)
        await self._changes.wait(count, most_s)


async def look_on(
    means: Means,
    what: str,
    turn: Callable[[], Awaitable[T]],
    pause_s: Callable[[T], float],
    still: Standstill | None = None,
) -> Never:
    """Look, pause and look again until cancelled; a store that cannot be read or written is counted and tried again.

    Args:
        what: What the count of failures names.
        turn: Looks once.
        pause_s: Gives how long to wait after what a look came to, s.
        still: After the pause, waits while a look would find nothing new.
    """
    while True:
        try:
            wait_s = pause_s(await turn())
        except SQLAlchemyError as failure:
            means.meter.error(Stage.PUSH, f"{what}: {failure}", means.clock.wall_ns())
            wait_s = STORE_S
        await asyncio.sleep(wait_s)
        if still is not None:
            await still.rest(means.clock.wall_ns())
