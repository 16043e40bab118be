"""A clock that moves only when nothing is ready, and the event loop that lives in it.

Flow: tests and simulations run the whole gateway in ``ManualLoop``; a sleep of an hour costs nothing.
Why: time is handed in, so the same input gives the same output at any speed.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PASSED_MOST = 16  # Turns of the loop in which sockets may wait while callbacks are ready.
DEFAULT_START_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z, any fixed day will do.


class ManualClock:
    """Wall and monotonic time that somebody else moves."""

    def __init__(self, start_ns: int = DEFAULT_START_NS) -> None:
        self._elapsed_ns = 0
        self._wall_offset_ns = start_ns

    def wall_ns(self) -> int:
        """Give the wall clock, ns since 1970-01-01 UTC."""
        return self._wall_offset_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Give the time moved so far, ns."""
        return self._elapsed_ns

    def advance_ns(self, step_ns: int) -> None:
        """Move both clocks forward; a step is never negative."""
        assert step_ns >= 0, step_ns
        self._elapsed_ns += step_ns

    def step_wall_ns(self, step_ns: int) -> None:
        """Make the wall clock jump, forward or back, as NTP or a person would."""
        self._wall_offset_ns += step_ns


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for time: moves the manual clock instead, when no socket is ready."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self._passed = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0.0 and self._passed < PASSED_MOST:  # Much is ready already; to ask costs as much as a callback.
            self._passed += 1
            return []
        self._passed = 0
        ready = super().select(0)
        if not ready and timeout is None:
            return super().select(None)  # Only a socket or another thread can wake us.
        if not ready and timeout:
            self._clock.advance_ns(max(1, round(timeout * 1e9)))
        return ready


class ManualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a manual clock."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._manual_clock = clock

    def time(self) -> float:
        """Give the manual clock's monotonic time, s."""
        return self._manual_clock.monotonic_ns() / 1e9


def run_manual(main: Coroutine[Any, Any, T], clock: ManualClock) -> T:
    """Run a coroutine to its end in the clock's own time."""
    with asyncio.Runner(loop_factory=lambda: ManualLoop(clock)) as runner:
        return runner.run(main)
