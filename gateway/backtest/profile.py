"""Profile of normal operation: how far each tag goes, and how much it trembles, outside of all labels.

Flow: Steps -> [profile] -> advice, pictures
Why: memory must stay flat over half a billion samples, so the recording is kept as buckets: for each stretch of steps
    each tag's least, greatest and one measure of its noise. When there are too many buckets, neighbours become one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.model import TagTable
from edge.model.quality import is_bad
from gateway.backtest.labels import Label
from gateway.backtest.stops import Stops
from gateway.recording import Steps

BUCKETS_MAX = 2_048  # With 1,000 tags 49 MB.
BUCKETS_LEAST = 20  # Below, nothing can be said about what is normal.
QUANTILE = 0.999  # Of the buckets' extremes: what normal operation reaches, but for one stretch in a thousand.
SIGMA_OF_MEDIAN = 1.482602218505602  # σ of a normal distribution over the median of its absolute value.
SECOND_DIFFERENCE = 6.0**0.5  # σ of v0 - 2 v1 + v2 over that of v, for uncorrelated noise.


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What one tag does in normal operation.

    Attributes:
        low, high: What its extremes reach, but for one stretch in a thousand, eu.
        least, greatest: Its extremes, eu.
        noise: Robust standard deviation of the detrended signal, eu.
        buckets: Stretches that this is known from.
    """

    low: float
    high: float
    least: float
    greatest: float
    noise: float
    buckets: int


class Profile:
    """Buckets of all tags of a site."""

    def __init__(self, tags: TagTable, labels: list[Label], *, is_counting_only: bool = False) -> None:
        self._is_counting_only = is_counting_only
        #: Where tags come to rest.
        self.stops = Stops(tags)
        self._tags = tags
        self._labels = labels
        self._least = np.full((BUCKETS_MAX, len(tags)), np.nan)
        self._greatest = np.full((BUCKETS_MAX, len(tags)), np.nan)
        self._noise = np.full((BUCKETS_MAX, len(tags)), np.nan)
        self._time_ns = np.zeros(BUCKETS_MAX, dtype=np.int64)
        self.counts = np.zeros(len(tags), dtype=np.int64)  # samples, labelled ones too
        self._full = 0  # buckets that are complete
        self._width = 1  # steps of a bucket
        self._fill = 0  # steps of the bucket that is not

    def take(self, steps: Steps) -> None:
        """Take a chunk."""
        self.counts[steps.rows] += len(steps) if steps.present is None else np.count_nonzero(steps.present, axis=0)
        if self._is_counting_only:
            return
        values = self._normal(steps)
        self.stops.take(steps.rows, steps.times_ns, values)
        at = 0
        while at < len(steps):
            if self._full == BUCKETS_MAX:
                self._merge()
            # As many whole buckets as fit, or the rest of one.
            room = (BUCKETS_MAX - self._full) * self._width - self._fill
            end = min(len(steps), at + room)
            self._put(steps.rows, steps.times_ns[at:end], values[at:end])
            at = end

    def normal(self, row: int) -> Normal | None:
        """Tell what a tag does in normal operation; None where too little was seen."""
        n = self._full + (self._fill > 0)
        least, greatest = self._least[:n, row], self._greatest[:n, row]
        is_known = np.isfinite(least)
        if np.count_nonzero(is_known) < BUCKETS_LEAST:
            return None
        least, greatest = least[is_known], greatest[is_known]
        noise = self._noise[:n, row]
        noise = noise[np.isfinite(noise)]
        median = float(np.median(noise)) if len(noise) else 0.0
        return Normal(
            low=float(np.quantile(least, 1 - QUANTILE, method="lower")),
            high=float(np.quantile(greatest, QUANTILE, method="higher")),
            least=float(least.min()),
            greatest=float(greatest.max()),
            noise=SIGMA_OF_MEDIAN * median / SECOND_DIFFERENCE,
            buckets=len(least),
        )

    def picture(self, row: int, points: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Give time, least and greatest of a tag in at most so many stretches; NaN where it had none."""
        n = self._full + (self._fill > 0)
        starts = np.arange(0, n, max(1, -(-n // points)))
        return (
            self._time_ns[starts],
            np.fmin.reduceat(self._least[:n, row], starts),
            np.fmax.reduceat(self._greatest[:n, row], starts),
        )

    def _normal(self, steps: Steps) -> NDArray[np.float64]:
        """Give the values of normal operation; NaN elsewhere."""
        spoilt = [
            (label, slice(*np.searchsorted(steps.times_ns, [label.start_ns, label.end_ns + 1]).tolist()))
            for label in self._labels
        ]
        spoilt = [(label, part) for label, part in spoilt if part.start < part.stop]
        if not spoilt and steps.quality is None:
            return steps.values
        values = steps.values.copy()
        if steps.quality is not None:
            values[is_bad(steps.quality)] = np.nan
        for label, part in spoilt:
            columns = slice(None) if not label.tag else steps.rows == self._tags.row_of[label.tag]
            values[part, columns] = np.nan
        return values

    def _put(self, rows: NDArray[np.int32], times_ns: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Put steps into buckets; there is room for them."""
        n = len(values)
        rest = (self._width - self._fill) % self._width if self._fill else 0
        starts = np.unique(np.concatenate([[0], np.arange(rest, n, self._width)]))
        buckets = np.arange(self._full, self._full + len(starts))
        if self._fill == 0:
            self._time_ns[buckets] = times_ns[starts]
        else:
            self._time_ns[buckets[1:]] = times_ns[starts[1:]]
        place = np.ix_(buckets, rows)
        finite = values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)
        self._least[place] = np.fmin(self._least[place], np.fmin.reduceat(finite, starts))
        self._greatest[place] = np.fmax(self._greatest[place], np.fmax.reduceat(finite, starts))
        self._put_noise(place, starts[starts + 2 < n], times_ns, finite)
        filled = self._fill + n
        self._full += filled // self._width
        self._fill = filled % self._width

    def _put_noise(
        self,
        place: tuple[NDArray[np.int64], ...],
        starts: NDArray[np.int64],
        times_ns: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Measure |v0 - 2 v1 + v2| once a bucket, where the three are evenly spaced: a steady slope leaves nothing."""
        even = times_ns[starts + 2] - 2 * times_ns[starts + 1] + times_ns[starts]
        second = np.abs(values[starts + 2] - 2 * values[starts + 1] + values[starts])
        second[even != 0] = np.nan
        buckets = (place[0][: len(starts)], place[1])
        known = self._noise[buckets]
        self._noise[buckets] = np.where(np.isfinite(known), known, second)

    def _merge(self) -> None:
        """Make one bucket of each two."""
        half = BUCKETS_MAX // 2
        self._least[:half] = np.fmin(self._least[0::2], self._least[1::2])
        self._greatest[:half] = np.fmax(self._greatest[0::2], self._greatest[1::2])
        self._noise[:half] = np.where(np.isfinite(self._noise[0::2]), self._noise[0::2], self._noise[1::2])
        self._time_ns[:half] = self._time_ns[0::2]
        for column in (self._least, self._greatest, self._noise):
            column[half:] = np.nan
        self._full, self._width = half, self._width * 2
