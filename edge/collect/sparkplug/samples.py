"""Samples of metrics on their way to a scan, each stamped so that what came later is later. Pure.

Times of an edge node are in whole milliseconds, its clock may be behind ours, and a birth tells values that have been
so for hours. Three rules keep intake from refusing what is new:

* a value of a birth holds at the time of the birth's message;
* two values of one metric within one millisecond are 1 ns apart, in the order of their messages;
* a value that is not later than a mark of ours (the node was dead, the link was down) gets the receive time and
  UNCERTAIN(clock), because it came after the mark.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edge.model import Quality, Reason
from edge.model.quality import encode

MS_NS = 1_000_000
AHEAD_NS_MAX = 5_000_000_000  # A stamp farther ahead of the receive time orders nothing; intake replaces it.
BAD_COMMS = encode(Quality.BAD, Reason.COMMS)
UNCERTAIN_CLOCK = encode(Quality.UNCERTAIN, Reason.CLOCK)


class Columns:
    """Samples in order of arrival."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.values: list[float] = []
        self.quality: list[int] = []
        self.times_ns: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: int, value: float, quality: int, time_ns: int) -> None:
        """Append one."""
        self.rows.append(row)
        self.values.append(value)
        self.quality.append(quality)
        self.times_ns.append(time_ns)

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
        """Give them as columns of their own."""
        return (
            np.array(self.rows, dtype=np.int32),
            np.array(self.values, dtype=np.float64),
            np.array(self.quality, dtype=np.uint8),
            np.array(self.times_ns, dtype=np.int64),
        )


class Samples:
    """Those of the running turn, and what was last said of each row.

    Attributes:
        live: In order of arrival.
        history: What its node had kept while nobody heard it.
    """

    def __init__(self) -> None:
        self.live = Columns()
        self.history = Columns()
        self._last_ns: dict[int, int] = {}
        self._mark_ns: dict[int, int] = {}
        self._lost: set[int] = set()

    def take(self) -> tuple[Columns, Columns]:
        """Give what there is and begin anew."""
        live, history = self.live, self.history
        self.live, self.history = Columns(), Columns()
        return live, history

    def add(self, row: int, reading: tuple[float, int], time_ms: int, now_ns: int) -> None:
        """Add a live value.

        Args:
            row: The tag's.
            reading: Value and quality byte.
            time_ms: Of its node, since 1970 UTC; 0 for none, -1 for one that no clock shows.
            now_ns: Receive time.
        """
        value, quality = reading
        time_ns = time_ms * MS_NS if time_ms > 0 else now_ns
        is_doubtful = time_ms < 0
        last_ns = self._last_ns.get(row, 0)
        if time_ns <= last_ns:
            if last_ns - time_ns < MS_NS:
                time_ns = last_ns + 1
            elif time_ns <= self._mark_ns.get(row, -1):
                time_ns = self._mark_ns[row] = max(now_ns, last_ns + 1)
                is_doubtful = True
        if is_doubtful and quality == Quality.GOOD:
            quality = UNCERTAIN_CLOCK
        if time_ns <= now_ns + AHEAD_NS_MAX:
            self._last_ns[row] = max(last_ns, time_ns)
        self._lost.discard(row)
        self.live.add(row, value, quality, time_ns)

    def keep(self, row: int, reading: tuple[float, int], time_ms: int, now_ns: int) -> None:
        """Add a value that its node marks as historical."""
        self.history.add(row, *reading, time_ms * MS_NS if time_ms > 0 else now_ns)

    def lose(self, row: int, now_ns: int) -> None:
        """Say that nobody tells this tag any more, once."""
        if row in self._lost:
            return
        time_ns = max(now_ns, self._last_ns.get(row, 0) + 1)
        self._lost.add(row)
        self._last_ns[row] = self._mark_ns[row] = time_ns
        self.live.add(row, math.nan, BAD_COMMS, time_ns)
