"""Receive time: one clock for the road that never goes back, over restarts too.

Why: source clocks jump and wall clocks are set; delays and silence must count by a clock that only goes forward.
Receive time = max(wall clock, last committed time) at start, plus monotonic time (design §3). A difference above
2 s from the wall clock is an alarm (system tag ``fengsui.clock_offset``) and is slewed.
"""

from edge.clock import Clock

OFFSET_NS_MAX = 2_000_000_000
SLEW = 0.05  # Of the time passed: 2 s are made up in 40 s, and time never stands still or goes back.


class ReceiveClock:
    """Receive time, ns since 1970-01-01 UTC."""

    def __init__(self, clock: Clock, committed_ns: int = 0) -> None:
        self._clock = clock
        self._base_ns = max(clock.wall_ns(), committed_ns)
        self._base_monotonic_ns = clock.monotonic_ns()

    def now_ns(self) -> int:
        """Give the receive time; corrected by at most ``SLEW`` towards the wall clock, never backwards."""
        monotonic_ns = self._clock.monotonic_ns()
        passed_ns = monotonic_ns - self._base_monotonic_ns
        now_ns = self._base_ns + passed_ns
        offset_ns = self._clock.wall_ns() - now_ns
        if abs(offset_ns) > OFFSET_NS_MAX:
            most_ns = int(passed_ns * SLEW)
            now_ns += max(-most_ns, min(most_ns, offset_ns))
        self._base_ns, self._base_monotonic_ns = now_ns, monotonic_ns
        return now_ns

    def wall_ns(self) -> int:
        """Be a Clock whose wall is the receive time: what collectors stamp and the API shows."""
        return self.now_ns()

    def monotonic_ns(self) -> int:
        """Give the monotonic clock, ns."""
        return self._clock.monotonic_ns()

    def offset_ns(self) -> int:
        """Tell how far the wall clock is ahead of the receive time, ns."""
        return self._clock.wall_ns() - self.now_ns()
