"""When a scan class is due: start + k x period, without drift."""

import math


class Schedule:
    """Due times of one scan class on the event loop's clock.

    Why: sleeping one period after each cycle drifts by the cycle's length. Turns that a slow device makes
    impossible are not made up for; they are counted.
    """

    def __init__(self, period_s: float, start_s: float) -> None:
        self._period_s = period_s
        self._start_s = start_s
        self._turn = -1

    def next_due(self, now_s: float) -> tuple[float, int]:
        """Give when the next turn is due, and how many turns were late or left out to get there.

        A turn that is already due is taken at once; older ones are left out.
        """
        planned = self._turn + 1
        latest = math.floor((now_s - self._start_s) / self._period_s + 1e-9)
        if self._turn < 0 or latest < planned:
            self._turn = planned
            return self._start_s + planned * self._period_s, 0
        self._turn = latest
        return self._start_s + latest * self._period_s, latest - planned + 1
