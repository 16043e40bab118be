"""What those work with that look after the store beside the road: ladders, duties, hidden hazards, exchange, reports.

Why: each looks now and then, writes in its own transaction and wakes the push worker; none of them holds up a tick.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from edge.clock import Clock
from gateway.config import Site
from gateway.meter import Meter

T = TypeVar("T")


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
