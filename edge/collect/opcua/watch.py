"""Watch: what is known of each tag of one server, and the samples that a publication makes.

Flow: publication -> [take] -> columns of now, columns of back-fill
A publication's own samples come first, in the server's order; then every tag of the subscription whose period has
passed since its last sample is repeated, stamped with the moment for which the server's silence vouches.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.collect.door import Counters
from edge.collect.opcua.link import Publication, Sample
from edge.decode.judge import judge
from edge.decode.opcua import has_overflowed, quality_of, value_of
from edge.model import Quality, Reason, TagTable
from edge.model.quality import encode

S: Final = 1_000_000_000
MS: Final = 1_000_000
CLOCK: Final = encode(Quality.UNCERTAIN, Reason.CLOCK)
EARLY: Final = 0.75  # Of a period: a sign of life that comes a little early makes a sample too.
AHEAD_NS_MAX: Final = 5 * S  # A stamp farther ahead of the server's own clock orders nothing; intake replaces it.
LAG_NS_MAX: Final = 60 * S  # A source's clock farther behind its server's is a wrong clock, and intake says so.
NEVER: Final = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Class:
    """One scan class: the places of its tags among the source's, int64 (n,)."""

    period_s: float
    members: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Samples: tag rows int32 (n,), values in engineering units float64 (n,), quality uint8 (n,), times int64 (n,)."""

    rows: NDArray[np.int32]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    times_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(slots=True)
class _Lists:
    """Samples one after the other: handles, values as the server tells them, quality, times."""

    handles: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)

    def add(self, handle: int, value: float, quality: int, time_ns: int) -> None:
        """Append a sample."""
        self.handles.append(handle)
        self.values.append(value)
        self.quality.append(quality)
        self.times_ns.append(time_ns)


class Watch:
    """The tags of one source; a handle is a tag's place here, from 0.

    Args:
        tags: Of the site.
        rows: Those of the source, int32 (n,).
        lateness_s: Values older than this are not of now.
        counters: Takes ``queue_overflow`` (the server dropped values), ``repeated`` (told twice), ``unknown_handle``.
    """

    def __init__(self, tags: TagTable, rows: NDArray[np.int32], lateness_s: float, counters: Counters) -> None:
        self._rows = rows
        self._counters = counters
        self._lateness_ns = int(lateness_s * S)
        addresses = [tags[int(row)].address for row in rows]
        self._scale = np.array([float(a.get("scale", 1.0)) for a in addresses], dtype=np.float64)
        self._offset = np.array([float(a.get("offset", 0.0)) for a in addresses], dtype=np.float64)
        self._texts: list[Mapping[str, float]] = [dict(a.get("map", ())) for a in addresses]
        self._range_lo, self._range_hi = tags.range_lo[rows], tags.range_hi[rows]
        self._period_ns: NDArray[np.int64] = (tags.period_s[rows] * S).astype(np.int64)
        count = len(rows)
        self._sampling_ns = self._period_ns.copy()
        self._value = np.full(count, math.nan)  # Before scale and offset, as the server tells it.
        self._quality = np.zeros(count, dtype=np.uint8)
        self._is_known = np.zeros(count, dtype=np.bool_)
        self._is_first = np.ones(count, dtype=np.bool_)  # The next value is the first of a session, however old it is.
        self._told_ns = np.full(count, NEVER, dtype=np.int64)  # Stamp of the last sample that was delivered.
        self._source_ns = np.full(count, NEVER, dtype=np.int64)  # Stamp of the last value as the server gave it.
        self._published_ns = NEVER  # The server's clock, as it was last told.
        self._lag_ns = np.zeros(count, dtype=np.int64)  # By how much a tag's stamps are behind the server's clock.
        self.classes: tuple[Class, ...] = tuple(
            Class(period_s=float(period), members=np.flatnonzero(tags.period_s[rows] == period))
            for period in np.unique(tags.period_s[rows])
        )

    def expect_all(self) -> None:
        """Begin with a new session: nothing is known to hold until the server tells it."""
        self._is_known[:] = False
        self._is_first[:] = True

    def refuse(self, handle: int, status: int) -> None:
        """Note that the server does not give a tag, with its status code; it is BAD with each sign of life."""
        self._value[handle] = math.nan
        self._quality[handle] = quality_of(status)
        self._is_known[handle] = True

    def sample_every(self, handle: int, sampling_s: float) -> None:
        """Note how often the server looks at a tag."""
        if math.isfinite(sampling_s) and sampling_s >= 0:
            self._sampling_ns[handle] = int(sampling_s * S)

    # ----------------------------------------------------------------------------------------------------- publications

    def take(
        self, of: Class, handles: Sequence[int], publication: Publication, now_ns: int, *, is_old: bool = False
    ) -> tuple[Columns, Columns]:
        """Give the samples of a publication.

        Args:
            of: The scan class of its subscription.
            handles: All tags of its subscription.
            publication: What the server told.
            now_ns: Receive time.
            is_old: It was asked for again: all of it is back-fill, and it vouches for nothing.

        Returns:
            What is of now: its own samples, then what is repeated; and what came about while nobody listened.
        """
        published_ns = publication.published_ns if publication.published_ns > 0 else now_ns
        self._follow_clock(published_ns)
        live, late = _Lists(), _Lists()
        shifts: dict[int, int] = {}
        last = {sample.handle: place for place, sample in enumerate(publication.samples)}
        for place, sample in enumerate(publication.samples):
            if not 0 <= sample.handle < len(self._rows):
                self._counters.refuse("unknown_handle")
                continue
            if has_overflowed(sample.status):
                self._counters.refuse("queue_overflow")
            if is_old or (self._is_first[sample.handle] and last[sample.handle] != place):
                self._take_late(sample, late)
            elif self._is_first[sample.handle]:
                self._take_first(sample, published_ns, live, late)
            else:
                self._take_change(sample, published_ns, shifts, live)
        if not is_old:
            self._repeat(of, np.array(handles, dtype=np.int64), published_ns, live)
        return self._columns(live), self._columns(late)

    def _follow_clock(self, published_ns: int) -> None:
        """Begin anew with the stamps where the server's clock was set back; else nothing would be due for so long."""
        if published_ns < self._published_ns - AHEAD_NS_MAX:
            self._told_ns[:] = NEVER
            self._source_ns[:] = NEVER
            self._published_ns = published_ns
        self._published_ns = max(self._published_ns, published_ns)

    def _columns(self, lists: _Lists) -> Columns:
        at = np.array(lists.handles, dtype=np.int64)
        values = np.array(lists.values, dtype=np.float64)
        quality = np.array(lists.quality, dtype=np.uint8)
        with np.errstate(all="ignore"):  # What overflows is judged to be no number.
            values *= self._scale[at]
            values += self._offset[at]
        judge(values, quality, self._range_lo[at], self._range_hi[at])
        return Columns(
            rows=self._rows[at], values=values, quality=quality, times_ns=np.array(lists.times_ns, dtype=np.int64)
        )

    def _take_late(self, sample: Sample, late: _Lists) -> None:
        """Take a value that was not told while nobody listened, if it is news."""
        handle = sample.handle
        if sample.time_ns > self._source_ns[handle]:
            value, quality = value_of(sample.value, sample.status, self._texts[handle])
            self._source_ns[handle] = sample.time_ns
            late.add(handle, value, quality, sample.time_ns)
        else:
            self._counters.refuse("repeated")

    def _take_first(self, sample: Sample, published_ns: int, live: _Lists, late: _Lists) -> None:
        """Take the value that a session begins with: that of now, whenever it came about."""
        handle, time_ns = sample.handle, sample.time_ns
        value, quality = value_of(sample.value, sample.status, self._texts[handle])
        told_ns, source_ns = int(self._told_ns[handle]), int(self._source_ns[handle])
        if time_ns < 0 or time_ns <= told_ns or time_ns < published_ns - self._lateness_ns:
            if 0 <= source_ns < time_ns:  # It changed while nobody listened: told when, too.
                late.add(handle, value, quality, time_ns)
            time_ns = max(self._vouched_one(handle, published_ns), told_ns + 1)
        self._is_first[handle] = False
        self._note(sample, value, quality, time_ns)
        live.add(handle, value, quality, time_ns)

    def _take_change(self, sample: Sample, published_ns: int, shifts: dict[int, int], live: _Lists) -> None:
        """Take what changed."""
        handle, time_ns = sample.handle, sample.time_ns
        value, quality = value_of(sample.value, sample.status, self._texts[handle])
        behind_ns = max(0, published_ns - time_ns - int(self._sampling_ns[handle]))
        if time_ns < 0:
            time_ns = max(self._vouched_one(handle, published_ns), int(self._told_ns[handle]) + 1)
        elif time_ns == self._source_ns[handle] and self._is_same(handle, value, quality):
            self._counters.refuse("repeated")
            return
        elif time_ns > self._told_ns[handle]:
            # How far its clock is behind shows in each change; a clock that was put right is believed at once.
            self._lag_ns[handle] = min(int(self._lag_ns[handle]), behind_ns)
        elif time_ns > self._source_ns[handle]:
            time_ns, quality = self._follow_repetition(handle, time_ns, quality, behind_ns, shifts)
        self._note(sample, value, quality, time_ns)
        live.add(handle, value, quality, time_ns)

    def _note(self, sample: Sample, value: float, quality: int, time_ns: int) -> None:
        handle, most_ns = sample.handle, self._published_ns + AHEAD_NS_MAX
        if sample.time_ns <= most_ns:
            self._source_ns[handle] = max(int(self._source_ns[handle]), sample.time_ns)
        self._told_ns[handle] = max(int(self._told_ns[handle]), min(time_ns, most_ns))
        self._value[handle], self._quality[handle], self._is_known[handle] = value, quality, True

    def _is_same(self, handle: int, value: float, quality: int) -> bool:
        known = float(self._value[handle])
        is_equal = value == known or (math.isnan(value) and math.isnan(known))
        return is_equal and quality == int(self._quality[handle])

    def _follow_repetition(
        self, handle: int, time_ns: int, quality: int, behind_ns: int, shifts: dict[int, int]
    ) -> tuple[int, int]:
        """Stamp a change that is older than the tag's last repetition: its source's clock is behind the server's.

        All such changes of a tag in one publication move by the same time, so that what lies between them is kept;
        later repetitions keep that far back.
        """
        if handle not in shifts:
            shifts[handle] = int(self._told_ns[handle]) + MS - time_ns
            self._lag_ns[handle] = min(max(int(self._lag_ns[handle]), behind_ns), LAG_NS_MAX)
        shift_ns = shifts[handle]
        if shift_ns > self._period_ns[handle] and quality < Quality.UNCERTAIN:
            quality = CLOCK
        return time_ns + shift_ns, quality

    # ------------------------------------------------------------------------------------------------------ repeating

    def _repeat(self, of: Class, handles: NDArray[np.int64], published_ns: int, live: _Lists) -> None:
        """Repeat the tags whose period has passed: the server is alive and told no change."""
        vouched_ns = self._vouched_ns(handles, published_ns)
        # The difference to NEVER would not fit; so the due time is on the other side.
        is_due = self._is_known[handles] & (vouched_ns - int(EARLY * of.period_s * S) >= self._told_ns[handles])
        held, held_ns = handles[is_due], vouched_ns[is_due]
        self._told_ns[held] = held_ns
        live.handles += held.tolist()
        live.values += self._value[held].tolist()
        live.quality += self._quality[held].tolist()
        live.times_ns += held_ns.tolist()

    def _vouched_ns(self, handles: NDArray[np.int64], published_ns: int) -> NDArray[np.int64]:
        """Give the moments for which the server's silence vouches: what came later may not have been told yet."""
        vouched: NDArray[np.int64] = published_ns - self._sampling_ns[handles] - self._lag_ns[handles]
        return vouched

    def _vouched_one(self, handle: int, published_ns: int) -> int:
        return int(self._vouched_ns(np.array([handle]), published_ns)[0])
