"""A historian that lives in memory: the seam for simulations and tests of what lies around it.

The contract test runs it beside the embedded one; what it promises less is durability, and a past that ends at
``samples_most`` samples a tag.
"""

import asyncio

import numpy as np

from edge.model import Nature, Quality, Scan, TagTable
from edge.model.scan import Rows
from gateway.historian.grown import grow
from gateway.historian.port import Counts, Done, Latest, Series
from gateway.historian.series import (
    Samples,
    as_pieces,
    bucket_width_ns,
    gap_ns_of,
    merge,
    series_of_pieces,
    series_of_samples,
    sum_up,
)


class MemoryHistorian:
    """Keeps the newest samples of each tag, at once; see ``gateway.historian.port``."""

    def __init__(self, tags: TagTable, samples_most: int = 100_000) -> None:
        self._tags = tags
        self._at: Rows | None = None
        self._samples_most = samples_most
        self._kept: dict[tuple[int, Nature], Samples] = {}
        self._new: list[tuple[Rows, Scan]] = []  # by the rows of the first table; sorted by tag when asked for
        self._new_samples = 0
        self._taken = self._lost = 0
        self._is_closed = False

    @property
    def counts(self) -> Counts:
        """Give the books."""
        return Counts(taken=self._taken, committed=self._taken - self._lost, lost=self._lost)

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Keep a scan."""
        self._taken += len(scan)
        if self._is_closed:
            self._lost += len(scan)
        else:
            self._new.append((scan.rows if self._at is None else self._at[scan.rows], scan))
            self._new_samples += len(scan)
            if self._new_samples >= self._samples_most:
                self._sort_in()
        if done is not None:
            asyncio.get_running_loop().call_soon(done, not self._is_closed)

    async def flush(self) -> None:
        """Nothing waits here."""

    async def prepare(self, tags: TagTable) -> None:
        """Make room for other tags."""
        self._tags, _ = grow(self._tags, tags)

    def adopt(self, tags: TagTable) -> None:
        """Go by the rows of another table."""
        self._tags, self._at = grow(self._tags, tags)

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        """Give one tag's samples, or their sums in buckets; see the port."""
        row = row if self._at is None else int(self._at[row])
        gap_ns = gap_ns_of(float(self._tags.period_s[row]))
        samples = self._samples(row, nature or self._tags[row].nature).between(from_ns, to_ns)
        if len(samples) <= points:
            return series_of_samples(samples, gap_ns)
        width_ns = bucket_width_ns(from_ns, to_ns, points)
        return series_of_pieces(sum_up(as_pieces(samples), from_ns, width_ns), gap_ns, width_ns)

    async def latest(self, rows: Rows) -> Latest:
        """Give the newest sample of each tag."""
        n = len(rows)
        values, quality = np.full(n, np.nan), np.full(n, np.uint8(Quality.BAD), dtype=np.uint8)
        times_ns = np.zeros(n, dtype=np.int64)
        for k, row in enumerate((rows if self._at is None else self._at[rows]).tolist()):
            samples = self._samples(row, self._tags[row].nature)
            if len(samples):
                times_ns[k], values[k], quality[k] = samples.times_ns[-1], samples.values[-1], samples.quality[-1]
        return Latest(rows=rows, values=values, quality=quality, times_ns=times_ns)

    async def close(self) -> None:
        """Take no more."""
        self._is_closed = True

    def _samples(self, row: int, nature: Nature) -> Samples:
        """Give all that is kept of a tag."""
        self._sort_in()
        return self._kept.get((row, nature)) or merge([])

    def _sort_in(self) -> None:
        """Sort by tag what is new, and let go of what is too old."""
        by_nature: dict[Nature, list[tuple[Rows, Scan]]] = {}
        for rows, scan in self._new:
            by_nature.setdefault(scan.nature, []).append((rows, scan))
        self._new, self._new_samples = [], 0
        for nature, found in by_nature.items():
            rows = np.concatenate([rows for rows, _ in found])
            order = np.argsort(rows, kind="stable")  # Of each tag in order of arrival.
            rows = rows[order]
            new = Samples(
                times_ns=np.concatenate([scan.times_ns for _, scan in found])[order],
                values=np.concatenate([scan.values for _, scan in found])[order],
                quality=np.concatenate([scan.quality for _, scan in found])[order],
            )
            begins = np.flatnonzero(np.diff(rows, prepend=-1)).tolist()
            for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True):
                key, own = (int(rows[begin]), nature), slice(begin, end)
                part = Samples(times_ns=new.times_ns[own], values=new.values[own], quality=new.quality[own])
                kept = merge([*([self._kept[key]] if key in self._kept else []), part])
                i = max(0, len(kept) - self._samples_most)
                self._kept[key] = Samples(times_ns=kept.times_ns[i:], values=kept.values[i:], quality=kept.quality[i:])
