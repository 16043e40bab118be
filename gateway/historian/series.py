"""From samples to a chart: merge, sum up in buckets, mark gaps.

Flow: recent samples + chunks + rollups -> [compose] -> Series
Never: does I/O; draws a line through a hole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.model import Quality
from edge.model.quality import is_bad
from edge.model.scan import QualityColumn, TimesNs, Values
from gateway.historian.port import Series

GAP_PERIODS = 3  # As many missed scans as make a tag stale.
GAP_NS_LEAST = 3_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Samples of one tag as columns (n,)."""

    times_ns: TimesNs
    values: Values
    quality: QualityColumn

    def __len__(self) -> int:
        return len(self.times_ns)

    def between(self, from_ns: int, to_ns: int) -> "Samples":
        """Give those of ascending samples with ``from_ns <= time < to_ns``."""
        lo, hi = np.searchsorted(self.times_ns, (from_ns, to_ns))
        return Samples(times_ns=self.times_ns[lo:hi], values=self.values[lo:hi], quality=self.quality[lo:hi])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Facts about spans of samples, as columns (n,): a sample, a chunk or a minute is a piece.

    Attributes:
        times_ns: A time inside the span, int64.
        mean, min, max: Of the good samples, float64; NaN where there is none.
        good: Finite samples that are not BAD, int64.
        bad: All others, int64.
        worst: Worst quality byte, uint8.
    """

    times_ns: TimesNs
    mean: Values
    min: Values
    max: Values
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    worst: QualityColumn

    def __len__(self) -> int:
        return len(self.times_ns)


def merge(parts: Sequence[Samples]) -> Samples:
    """Put samples in order of time; of equal times the one of the later part, or place, stays."""
    times_ns = np.concatenate([p.times_ns for p in parts]) if parts else np.empty(0, dtype=np.int64)
    if not len(times_ns):
        return Samples(times_ns=times_ns, values=np.empty(0), quality=np.empty(0, dtype=np.uint8))
    values = np.concatenate([p.values for p in parts])
    quality = np.concatenate([p.quality for p in parts])
    step = np.diff(times_ns)
    if (step > 0).all():
        return Samples(times_ns=times_ns, values=values, quality=quality)
    order = np.argsort(times_ns, kind="stable")
    sorted_ns = times_ns[order]
    order = order[np.append(sorted_ns[1:] != sorted_ns[:-1], [True])]
    return Samples(times_ns=times_ns[order], values=values[order], quality=quality[order])


def as_pieces(samples: Samples) -> Pieces:
    """Look at each sample as a piece."""
    is_good = np.isfinite(samples.values) & ~is_bad(samples.quality)
    value = np.where(is_good, samples.values, np.nan)
    good = is_good.astype(np.int64)
    return Pieces(
        times_ns=samples.times_ns, mean=value, min=value, max=value, good=good, bad=1 - good, worst=samples.quality
    )


def join(parts: Sequence[Pieces]) -> Pieces:
    """Put pieces behind one another."""
    return Pieces(
        times_ns=np.concatenate([p.times_ns for p in parts]),
        mean=np.concatenate([p.mean for p in parts]),
        min=np.concatenate([p.min for p in parts]),
        max=np.concatenate([p.max for p in parts]),
        good=np.concatenate([p.good for p in parts]),
        bad=np.concatenate([p.bad for p in parts]),
        worst=np.concatenate([p.worst for p in parts]),
    )


def sum_up(pieces: Pieces, from_ns: int, width_ns: int) -> Pieces:
    """Sum pieces up in buckets of equal width from ``from_ns``; empty buckets are left out.

    Returns:
        Pieces whose times are the buckets' begins, ascending.
    """
    if not len(pieces):
        return pieces
    bucket = (pieces.times_ns - from_ns) // width_ns
    if (bucket[1:] < bucket[:-1]).any():
        order = np.argsort(bucket, kind="stable")
        bucket = bucket[order]
    else:
        order = np.arange(len(bucket))
    first = np.append(0, np.flatnonzero(bucket[1:] != bucket[:-1]) + 1)
    good = np.add.reduceat(pieces.good[order], first)
    total = np.add.reduceat(np.where(pieces.good > 0, pieces.mean * pieces.good, 0.0)[order], first)
    return Pieces(
        times_ns=bucket[first] * width_ns + from_ns,
        mean=np.divide(total, good, out=np.full(len(first), np.nan), where=good > 0),
        min=np.fmin.reduceat(pieces.min[order], first),
        max=np.fmax.reduceat(pieces.max[order], first),
        good=good,
        bad=np.add.reduceat(pieces.bad[order], first),
        worst=np.maximum.reduceat(pieces.worst[order], first),
    )


def bucket_width_ns(from_ns: int, to_ns: int, points: int) -> int:
    """Give the least bucket width that covers the span with so many points, ns."""
    return max(1, -(-(to_ns - from_ns) // points))


def gap_ns_of(period_s: float) -> int:
    """Give the longest step between two samples that is no gap, ns."""
    return max(GAP_NS_LEAST, round(GAP_PERIODS * period_s * 1e9))


def series_of_samples(samples: Samples, gap_ns: int) -> Series:
    """Draw each sample."""
    count = np.ones(len(samples), dtype=np.int64)
    columns = (samples.times_ns, samples.values, samples.values, samples.values, samples.quality, count)
    return _mark_gaps(columns, gap_ns=gap_ns, step_ns=gap_ns // GAP_PERIODS, is_rolled_up=False)


def series_of_pieces(pieces: Pieces, gap_ns: int, width_ns: int) -> Series:
    """Draw each bucket; a hole spans at least one empty bucket and is longer than the gap (give or take a bucket)."""
    columns = (pieces.times_ns, pieces.mean, pieces.min, pieces.max, pieces.worst, pieces.good + pieces.bad)
    return _mark_gaps(columns, gap_ns=max(gap_ns, width_ns), step_ns=width_ns, is_rolled_up=True)


def _mark_gaps(
    columns: tuple[TimesNs, Values, Values, Values, QualityColumn, NDArray[np.int64]],
    *,
    gap_ns: int,
    step_ns: int,
    is_rolled_up: bool,
) -> Series:
    times_ns, values, least, most, quality, count = columns
    after = np.flatnonzero(np.diff(times_ns) > gap_ns) + 1
    if len(after):
        times_ns = np.insert(times_ns, after, times_ns[after - 1] + step_ns)
        values, least, most = (np.insert(column, after, np.nan) for column in (values, least, most))
        quality = np.insert(quality, after, np.uint8(Quality.BAD))
        count = np.insert(count, after, 0)
    return Series(
        times_ns=times_ns,
        values=values,
        min=least,
        max=most,
        quality=quality,
        count=count,
        is_rolled_up=is_rolled_up,
    )
