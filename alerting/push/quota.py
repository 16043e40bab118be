"""Quota: how often a channel may be used, as its vendor counts.

Flow: limits, time of the question -> [Bucket] -> how long to wait
Why: a robot that is used too often refuses what comes, for minutes, and the alarms after it with it. A bucket that
    holds ``b`` and is filled with ``r`` a second lets through at most ``b + r·W`` in any window of ``W``: that sum is
    one below the vendor's figure, because a message that was slow may arrive in the next one's window.
Never: reads a clock. It begins empty, so that a restart gives nothing away either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: What may be asked for: fewer leave nothing to pace with.
MOST_LEAST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many messages in any window of so many seconds."""

    most: int
    window_s: float

    @property
    def burst(self) -> int:
        """So many may follow each other at once."""
        return max(1, self.most // 4)

    @property
    def rate(self) -> float:
        """So many come back in a second."""
        return (self.most - 1 - self.burst) / self.window_s


class Bucket:
    """Messages that may still be sent, by every limit of a channel.

    Args:
        limits: Of the vendor; none for no limit.
        now_s: Monotonic time at the start, s.
    """

    def __init__(self, limits: Sequence[Limit], now_s: float) -> None:
        self._limits = tuple(limits)
        self._level = [0.0] * len(self._limits)
        self._now_s = now_s

    def _fill(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self._now_s)
        self._now_s = max(now_s, self._now_s)
        for place, limit in enumerate(self._limits):
            self._level[place] = min(float(limit.burst), self._level[place] + limit.rate * passed_s)

    def free(self, now_s: float) -> int | None:
        """Give how many messages may be sent at once now; None for any number."""
        self._fill(now_s)
        return int(min(self._level) + 1e-9) if self._level else None

    def wait_s(self, now_s: float) -> float:
        """Give how long the next message has to wait, s; 0 for not at all."""
        self._fill(now_s)
        return max(
            (
                max(0.0, (1.0 - level) / limit.rate)
                for level, limit in zip(self._level, self._limits, strict=True)
                if level < 1.0 - 1e-9
            ),
            default=0.0,
        )

    def take(self, now_s: float) -> None:
        """Count one message; also one that failed, for the vendor counts it too."""
        self._fill(now_s)
        self._level = [level - 1.0 for level in self._level]


__all__ = ["MOST_LEAST", "Bucket", "Limit"]
