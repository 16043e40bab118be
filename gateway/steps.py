"""Clock steps of single tags: one of several devices behind a source whose clock was set back.

Flow: samples that are older than their tag's last -> [ClockSteps] -> these are judged at receive time
Why: the other devices of the source run on, so that the source as a whole is never refused; without this the tag would
    not be judged until its device's clock had caught up.
Never: takes a sample that is as old as the last one for a step: who reports what did not change says so with its time.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.swap import Exchange
from edge.model import Scan

STEP_REFUSALS = 3  # Samples refused for time in a row: the clock was set back.
STEP_NS_MIN = 200_000_000  # … over at least that long, and no faster than time itself: else it is a redelivery.


class ClockSteps:
    """Refusals for time in a row, of each tag.

    Attributes:
        streak: How many, int32 (tags,).
        received_ns, time_ns: When the first of them came and which time it claimed, int64 (tags,).
        is_told: The step was said, bool (tags,).
    """

    def __init__(self, tags: int) -> None:
        self.streak: NDArray[np.int32] = np.zeros(tags, dtype=np.int32)
        self.received_ns: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self.time_ns: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self.is_told: NDArray[np.bool_] = np.zeros(tags, dtype=np.bool_)
        self.is_any = False  # so that nothing is looked at in the usual case

    def follow(self, exchange: Exchange) -> "ClockSteps":
        """Give the refusals by other rows, those of tags that are measured as before."""
        found = ClockSteps(len(exchange.new.tags))
        for name in ("streak", "received_ns", "time_ns", "is_told"):
            getattr(found, name)[exchange.row_here] = getattr(self, name)[exchange.row_there]
        found.is_any = bool(found.streak.any())
        return found

    def meet(self, scan: Scan, older: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Count samples that are older than their tag's last; tell which belong to a clock that was set back.

        Args:
            scan: Each tag at most once.
            older: Which of its samples, bool (n,).
        """
        rows = scan.rows[older]
        begins = rows[self.streak[rows] == 0]
        self.received_ns[begins] = scan.received_ns
        self.time_ns[begins] = scan.times_ns[older][self.streak[rows] == 0]
        self.streak[rows] += 1
        self.is_any |= len(rows) > 0
        passed_ns = scan.received_ns - self.received_ns[scan.rows]
        claimed_ns = scan.times_ns - self.time_ns[scan.rows]
        runs_on = (claimed_ns > 0) & (claimed_ns <= 2 * passed_ns) & (passed_ns >= STEP_NS_MIN)
        stepped: NDArray[np.bool_] = older & (self.streak[scan.rows] >= STEP_REFUSALS) & runs_on
        return stepped

    def clear(self, rows: NDArray[np.int32]) -> None:
        """Forget the refusals of tags that gave a newer sample."""
        if self.is_any:
            self.streak[rows] = 0
            self.is_told[rows] = False
            self.is_any = bool(self.streak.any())

    def news(self, rows: NDArray[np.int32]) -> list[int]:
        """Give those of the tags whose step was not said yet."""
        fresh = rows[~self.is_told[rows]]
        self.is_told[fresh] = True
        return [int(row) for row in fresh]
