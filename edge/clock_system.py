"""The machine's own clock."""

import time


class SystemClock:
    """Wall and monotonic time of this machine."""

    def wall_ns(self) -> int:
        """Give the wall clock, ns since 1970-01-01 UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Give the monotonic clock, ns."""
        return time.monotonic_ns()
