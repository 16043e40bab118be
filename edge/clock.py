"""Clock: the port through which time is handed in."""

from typing import Protocol


class Clock(Protocol):
    """Source of time for everything outside the core.

    Waiting is the event loop's work (``asyncio.sleep``): under the manual clock the loop itself
    lives in the clock's time, see ``edge.clock_manual``.
    """

    def wall_ns(self) -> int:
        """Give the wall clock, ns since 1970-01-01 UTC. May jump."""
        ...

    def monotonic_ns(self) -> int:
        """Give a clock that never goes back, ns from an arbitrary start."""
        ...
