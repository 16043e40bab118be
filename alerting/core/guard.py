"""Guard band: samples that can change nothing, found with one comparison and taken in bulk.

Flow: all scans of a tick -> [guard] -> quiet samples settled in bulk; the rest -> evaluate, one scan after the other
Why: at any moment nearly all values lie well inside their limits; judging them rule by rule costs ten times more.
Never: decides an exception. A guard only says "nothing can happen here"; it is closed whenever that is not certain.

The guard of a tag is the open interval of values in which none of its rules can start, stop or resume anything, given
which of them are active. It is closed (empty) while a delay runs or waits, while the tag is BAD or stale, and for ever
on tags with rules of other kinds than LL, L, H, HH, RATE, STALE and BAD. A rate cannot reach its setpoint while the
value is nearer than ``setpoint * window`` to all kept samples, because it is taken over at least a window. That holds
until the next sample is to be kept, so a guard ends at that time too.

A tag that is not taken in bulk has bounds all the same, of those of its rules that are plain: ``sift`` tells for which
samples of a scan ``evaluate`` may leave these out, and lets rates keep what they want of them.
"""

import math
from dataclasses import fields
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from alerting.core.batch import AHEAD_NS_MAX, NONE_NS, Batch, Taken
from alerting.core.memory import NEVER_NS, RATE_SLOTS, Memory, Phase
from alerting.core.rate import GAP_WINDOWS, judge_rates
from alerting.core.spread import spread
from alerting.model.compact import Columns
from alerting.model.rule import LIMITS, S_TO_NS, Kind, Rule, RuleTable
from edge.few import every, places_of, some
from edge.model import Quality, Scan

#: Fields of a rule that the guard knows how to respect; a rule that uses any other is judged by ``evaluate`` alone.
KNOWN = frozenset(
    {
        "id",
        "tag",
        "kind",
        "setpoint",
        "tier",
        "deadband",
        "on_delay_s",
        "off_delay_s",
        "window_s",
        "is_latching",
        "revision",
        "response",
        "rationale",
    }
)
PLAIN = frozenset({*LIMITS, Kind.RATE, Kind.STALE, Kind.BAD})
RATE_MARGIN = 1e-9  # Relative; far above what rounding can do, far below what matters.
RATE_MOST = 1e300  # Beyond, a difference may overflow: such a tag has no guard.
REST, GOOD = np.uint8(Phase.REST), np.uint8(Quality.GOOD)  # a member of an enumeration is slower to look up
FEW = 8  # More samples are kept faster as columns.
SPAN = 128  # Neighbours that share a summary.
FEW_IN = 4  # Fewer than one sample in so many left out of a run: the run is taken, and these are put back.
#: Of a tag: the exact bounds between which no limit, and no rate, can start, stop or resume anything; until when;
#: and what compiled code asks of every sample: whose tag it is, whether it comes twice. One cache line.
EXACT = np.dtype(
    {
        "names": ["limit_low", "limit_high", "rate_low", "rate_high", "keep_ns", "seen", "source", "is_plain"],
        "formats": ["f8", "f8", "f8", "f8", "i8", "i8", "i4", "?"],
        "itemsize": 64,
    },
    align=True,
)
At: TypeAlias = slice | NDArray[np.int32]
T = TypeVar("T", bound=np.generic)
_OTHERS = attrgetter(*(each.name for each in fields(Rule) if each.name not in KNOWN))
_DEFAULTS = tuple(each.default for each in fields(Rule) if each.name not in KNOWN)


class Guard:
    """The guards of all tags for one memory; nothing of it needs to be saved, it begins closed.

    Each sample is compared with ``low`` and ``high``, which are halves as wide as they could be and lie next to each
    other; what is not strictly between them is compared with the exact bounds, which only few samples need.

    Attributes:
        is_plain: Tags whose rules the guard knows, and that may be taken in bulk, bool (tags,).
        is_bounded: Tags of which ``exact`` bounds the plain rules, whatever others they have, bool (tags,).
        low, high: The bounds rounded inwards, float32 (tags,); a value strictly between them is between the exact ones.
        exact: The exact bounds, by what they come from, ``EXACT`` (tags,): a value strictly between all of them
            changes nothing. The limits' are crossed where the guard is closed.
        keep_ns: From then on a rate wants to keep a sample, and the guard ends, int64 (tags,).
        own_keep_ns: The same, or earlier, of tags that are not plain too, int64 (tags,).
        keep_least_ns: The least of these of each ``SPAN`` neighbours, or less, int64 (tags / SPAN + 1,).
        rate_rule: The RATE rule of each tag, int32 (tags,); -1 for none.
    """

    def __init__(self, table: RuleTable) -> None:
        self.table = table
        tags = len(table.tags)
        self.low: NDArray[np.float32] = np.full(tags, np.inf, dtype=np.float32)
        self.high: NDArray[np.float32] = np.full(tags, -np.inf, dtype=np.float32)
        self.exact: NDArray[Any] = lines(tags, EXACT)
        self.exact["limit_low"] = self.exact["rate_low"] = np.inf
        self.exact["limit_high"] = self.exact["rate_high"] = -np.inf
        self.keep_ns: NDArray[np.int64] = self.exact["keep_ns"]
        self.keep_least_ns: NDArray[np.int64] = np.zeros(tags // SPAN + 1, dtype=np.int64)
        self.is_plain: NDArray[np.bool_] = self.exact["is_plain"]
        self.is_plain[:] = True
        self._place: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self._is_limit: NDArray[np.bool_] = np.isin(table.kind, [int(kind) for kind in LIMITS])
        self.is_plain[table.row[~plain_rules(table)]] = False
        if len(table.many):
            self.is_plain[np.unique(table.inputs)] = False
        self.is_plain[table.votes.is_member_row] = False  # Their votes are computed scan by scan, in order.
        self._plain_sources: NDArray[np.bool_] | None = None
        self.is_bounded: NDArray[np.bool_] = np.ones(tags, dtype=np.bool_)
        self.own_keep_ns: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self._is_plain_rule = plain_rules(table)
        of_kind: dict[Kind, NDArray[np.int32]] = {}
        for kind in (*LIMITS, Kind.RATE):
            mine = np.flatnonzero((table.kind == kind) & self._is_plain_rule)
            of = np.full(tags, -1, dtype=np.int32)
            of[table.row[mine]] = mine
            of_kind[kind] = of
            twice = np.bincount(table.row[mine], minlength=tags) > 1
            self.is_plain[twice] = self.is_bounded[twice] = False
        self.rate_rule = of_kind[Kind.RATE]
        #: The rules of each tag: H, HH, L, LL, int32 (tags, 4); -1 for none.
        self._limits = np.stack([of_kind[kind] for kind in (Kind.H, Kind.HH, Kind.L, Kind.LL)], axis=1)

    def refresh(self, memory: Memory, rows: NDArray[np.int32]) -> None:
        """Set the guards of tags that have just been judged."""
        bounded = self.is_bounded[rows]
        if not every(bounded):
            self.exact["keep_ns"][rows[~bounded]] = NEVER_NS
            rows = rows[bounded]
        if len(rows) == 0:
            return
        table = self.table
        rules, place = spread(table.first, rows)
        # A running delay, and silence, bad quality or a rate that is active, wait for what quiet samples do not tell.
        busy = (memory.phase[rules] != REST) | (memory.is_active[rules] & ~self._is_limit[rules])
        busy &= self._is_plain_rule[rules]
        is_open = memory.quality[rows] == GOOD
        is_open &= np.bincount(place[busy], minlength=len(rows)) == 0
        low, high = self._bound_limits(memory, rows)
        exact = self.exact
        exact["limit_low"][rows], exact["limit_high"][rows] = (
            np.where(is_open, low, np.inf),
            np.where(is_open, high, -np.inf),
        )
        self._set_rates(rows, *self._bound_rates(memory, rows))

    def _set_rates(
        self,
        rows: NDArray[np.int32],
        rate_low: NDArray[np.float64],
        rate_high: NDArray[np.float64],
        keep_ns: NDArray[np.int64],
    ) -> None:
        """Set the bounds of rates, and what follows from these and from the limits' bounds."""
        exact = self.exact
        exact["rate_low"][rows], exact["rate_high"][rows] = rate_low, rate_high
        self.own_keep_ns[rows] = keep_ns
        plain = self.is_plain[rows]
        if not every(plain):  # Never taken in bulk, and never what a look at kept samples waits for.
            exact["keep_ns"][rows[~plain]] = NEVER_NS
            rows, keep_ns, rate_low, rate_high = rows[plain], keep_ns[plain], rate_low[plain], rate_high[plain]
        if len(rows) == 0:
            return
        exact["keep_ns"][rows] = keep_ns
        np.minimum.at(self.keep_least_ns, rows // SPAN, keep_ns)
        self.low[rows] = _rounded_up(np.maximum(exact["limit_low"][rows], rate_low))
        self.high[rows] = -_rounded_up(-np.minimum(exact["limit_high"][rows], rate_high))

    def _bound_limits(self, memory: Memory, rows: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the bounds between which no limit starts, stops or resumes anything, (n,) each."""
        if len(self.table) == 0:
            return np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        k = self._limits[rows]
        has, setpoint, deadband = k >= 0, self.table.setpoint[k], self.table.deadband[k]
        active = has & memory.is_active[k]
        waits = has & ~active
        # Inactive: quiet below the setpoint. Active: quiet as long as v < setpoint - deadband is false. L mirrored.
        upper = np.where(waits[:, :2], setpoint[:, :2], np.inf).min(axis=1)
        lower = np.where(waits[:, 2:], setpoint[:, 2:], -np.inf).max(axis=1)
        if some(active):
            back = np.nextafter(setpoint[:, :2] - deadband[:, :2], -np.inf)
            lower = np.maximum(lower, np.where(active[:, :2], back, -np.inf).max(axis=1))
            back = np.nextafter(setpoint[:, 2:] + deadband[:, 2:], np.inf)
            upper = np.minimum(upper, np.where(active[:, 2:], back, np.inf).min(axis=1))
        return lower, upper

    def _bound_rates(
        self, memory: Memory, rows: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Give the bounds between which no rate holds, and until when they are good, (n,) each."""
        low, high = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        keep_ns = np.full(len(rows), NEVER_NS, dtype=np.int64)
        k = self.rate_rule[rows]
        has = k >= 0
        if not some(has):
            return low, high, keep_ns
        k = k[has]
        ring = memory.rate_of[k]
        at, was = memory.ring_ns[ring], memory.ring_value[ring]
        window = self.table.window_ns[k]
        keep_ns[has] = np.where(at[:, 0] > 0, at[:, 0] + window // (RATE_SLOTS - 2), 0)
        span = _span(self.table.setpoint[k], window)[:, None]
        is_kept, is_huge = at > 0, np.abs(was) >= RATE_MOST
        with np.errstate(over="ignore", invalid="ignore"):
            slack = RATE_MARGIN * np.abs(was)
            most = np.where(is_huge, -np.inf, was + span - slack)
            least = np.where(is_huge, np.inf, was - span + slack)
        high[has] = np.where(is_kept, most, np.inf).min(axis=1)
        low[has] = np.where(is_kept, least, -np.inf).max(axis=1)
        return low, high, keep_ns

    def close(self, rows: NDArray[np.int32]) -> None:
        """Close guards: something outside a scan has changed a rule."""
        if len(rows):
            self.low[rows] = self.exact["limit_low"][rows] = np.inf
            self.high[rows] = self.exact["limit_high"][rows] = -np.inf

    def sift(self, memory: Memory, scan: Scan, at: At | None = None) -> NDArray[np.bool_]:
        """Tell which samples of an admitted scan change no plain rule of their tag, bool (n,); rates keep theirs.

        Args:
            at: The scan's rows, as a slice where they are a run; for those who know.
        """
        rows = scan.rows if at is None else at
        value, exact, time_ns = scan.values, self.exact[rows], np.minimum(scan.times_ns, scan.received_ns)
        quiet: NDArray[np.bool_] = (exact["limit_low"] < value) & (value < exact["limit_high"])
        quiet &= (exact["rate_low"] < value) & (value < exact["rate_high"])
        quiet &= scan.quality == GOOD
        wanted = time_ns >= self.own_keep_ns[rows]
        if some(wanted):
            kept = places_of(wanted & quiet)
            has = self.rate_rule[scan.rows[kept]] >= 0
            self.own_keep_ns[scan.rows[kept[~has]]] = NEVER_NS  # Machine code sets bounds without it.
            kept = kept[has]
            if len(kept):
                self._keep_rates(memory, scan.rows[kept], value[kept], time_ns[kept])
        return quiet

    def _keep_rates(
        self, memory: Memory, rows: NDArray[np.int32], value: NDArray[np.float64], time_ns: NDArray[np.int64]
    ) -> None:
        """Keep samples that change nothing and that rates want; only the bounds of rates move by that."""
        if len(rows) <= FEW:
            self._set_rates(rows, *self._keep_few(memory, rows, value, time_ns))
            return
        judge_rates(self.table, memory, self.rate_rule[rows].astype(np.int64), value, time_ns)
        self._set_rates(rows, *self._bound_rates(memory, rows))

    def _keep_few(
        self, memory: Memory, rows: NDArray[np.int32], value: NDArray[np.float64], time_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Keep a few samples one by one, as ``judge_rates`` does, and bound their rates, as ``_bound_rates`` does."""
        ring = memory.rate_of[self.rate_rule[rows]]
        rings_ns, rings_value = memory.ring_ns[ring].tolist(), memory.ring_value[ring].tolist()
        lows, highs, keeps = [], [], []
        for n, (row, v, now_ns) in enumerate(zip(rows.tolist(), value.tolist(), time_ns.tolist(), strict=True)):
            window_ns, spacing_ns, span = self._rate_cards[row]
            ring_ns, ring_value = rings_ns[n], rings_value[n]
            if not ring_ns[0] or now_ns - ring_ns[0] > GAP_WINDOWS * window_ns:  # The first is the newest.
                ring_ns, ring_value = [now_ns] + [0] * (len(ring_ns) - 1), [v, *ring_value[:-1]]
            elif now_ns - ring_ns[0] >= spacing_ns:
                ring_ns, ring_value = [now_ns, *ring_ns[:-1]], [v, *ring_value[:-1]]
            rings_ns[n], rings_value[n] = ring_ns, ring_value
            kept = ring_value if ring_ns[-1] else [was for at_ns, was in zip(ring_ns, ring_value, strict=True) if at_ns]
            top, bottom = max(kept), min(kept)  # The bounds rise with the value, so that these two set them.
            is_huge = max(top, -bottom) >= RATE_MOST
            lows.append(math.inf if is_huge else top - span + RATE_MARGIN * abs(top))
            highs.append(-math.inf if is_huge else bottom + span - RATE_MARGIN * abs(bottom))
            keeps.append(ring_ns[0] + spacing_ns)
        memory.ring_ns[ring], memory.ring_value[ring] = rings_ns, rings_value
        return np.array(lows), np.array(highs), np.array(keeps, dtype=np.int64)

    @cached_property
    def _rate_cards(self) -> dict[int, tuple[int, int, float]]:
        """Give window, least time between kept samples and half width of the bounds of each tag's rate, by tag row."""
        rows = np.flatnonzero(self.rate_rule >= 0)
        k = self.rate_rule[rows]
        window = self.table.window_ns[k]
        columns = (window, window // (RATE_SLOTS - 2), _span(self.table.setpoint[k], window))
        return dict(zip(rows.tolist(), zip(*(column.tolist() for column in columns), strict=True), strict=True))

    def plain_sources(self, memory: Memory) -> NDArray[np.bool_]:
        """Tell which sources have plain tags alone, bool (sources,); worked out once."""
        if self._plain_sources is None:
            odd = np.bincount(memory.source[~self.is_plain], minlength=len(memory.mark_ns))
            self._plain_sources = odd == 0
        return self._plain_sources

    def is_single(self, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell which of some tag rows come once only, bool (n,)."""
        order = np.arange(len(rows))
        self._place[rows] = order
        doubled = self._place[rows] != order
        return ~np.isin(rows, rows[doubled]) if doubled.any() else np.ones(len(rows), dtype=np.bool_)

    def take(self, memory: Memory, batch: Batch) -> Taken:
        """Settle the quiet samples of a batch; exceptions are left to ``evaluate``."""
        rows, tags = batch.rows, len(memory.last_ns)
        counts = np.diff(batch.first)
        is_rising = bool((rows[1:] > rows[:-1]).all())
        at: At = rows
        if is_rising and rows[0] >= 0 and rows[-1] < tags:
            if rows[-1] - rows[0] == len(rows) - 1:
                at = slice(int(rows[0]), int(rows[-1]) + 1)  # A run of rows needs no gathering.
            fine = memory.source[at] == _each(batch.source, counts)
        else:
            known = (rows >= 0) & (rows < tags)
            at = np.where(known, rows, 0)
            fine = known & (memory.source[at] == _each(batch.source, counts))
        received = _each(batch.received_ns, counts)
        times_ns = batch.times_ns
        fine &= times_ns <= received + AHEAD_NS_MAX
        fine &= times_ns >= received - _each(batch.lateness_ns, counts)
        fine &= times_ns > memory.last_ns[at]
        if not is_rising:  # A tag that comes twice is judged in order of time.
            mine = np.flatnonzero((rows >= 0) & (rows < tags))
            fine[mine] &= self.is_single(rows[mine])
        counted = np.minimum(times_ns, received)
        newest = np.maximum.reduceat(counted if fine.all() else np.where(fine, counted, NONE_NS), batch.first[:-1])

        quiet = fine & (batch.quality == np.uint8(Quality.GOOD))
        quiet &= self._is_between(batch.values, at)
        self._keep(memory, batch, at, quiet, counted)
        odd = np.flatnonzero(~quiet)
        if len(odd) == 0:
            _settle(memory, at, batch.values, counted)
        elif isinstance(at, slice) and len(odd) * FEW_IN < len(rows):
            _settle_but(memory, at, batch.values, counted, rows[odd])
        else:
            _settle(memory, rows[quiet], batch.values[quiet], counted[quiet])
        left = counts - np.add.reduceat(quiet, batch.first[:-1], dtype=np.int64)
        return Taken(is_taken=quiet, left=left, newest_ns=newest)

    def _is_between(self, values: NDArray[np.float64], at: At) -> NDArray[np.bool_]:
        """Tell which values change nothing. NaN fails all comparisons."""
        quiet: NDArray[np.bool_] = (self.low[at] < values) & (values < self.high[at])
        doubt = np.flatnonzero(~quiet)
        if len(doubt):
            exact, value = self.exact[at][doubt], values[doubt]
            is_in = (exact["limit_low"] < value) & (value < exact["limit_high"])
            is_in &= (exact["rate_low"] < value) & (value < exact["rate_high"])
            quiet[doubt] = is_in & exact["is_plain"]
        return quiet

    def _keep(self, memory: Memory, batch: Batch, at: At, quiet: NDArray[np.bool_], time_ns: NDArray[np.int64]) -> None:
        """Keep the quiet samples that rates want. Nothing holds: the bounds say so."""
        spans = slice(0)
        if isinstance(at, slice):
            spans = slice(at.start // SPAN, (at.stop - 1) // SPAN + 1)
            if self.keep_least_ns[spans].min() > time_ns.max():
                return
        kept = np.flatnonzero(quiet & (time_ns >= self.keep_ns[at]))
        if len(kept):
            rows = batch.rows[kept]
            self._keep_rates(memory, rows, batch.values[kept], time_ns[kept])
        if isinstance(at, slice):
            mine = self.keep_ns[spans.start * SPAN : spans.stop * SPAN]
            self.keep_least_ns[spans] = np.minimum.reduceat(mine, np.arange(0, len(mine), SPAN))


def lines(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Make n records of a cache line, each within one line."""
    room = np.zeros(n + 1, dtype=dtype)
    at = -room.ctypes.data % dtype.itemsize
    return room.view(np.uint8)[at : at + n * dtype.itemsize].view(dtype)


def _settle(memory: Memory, at: At, values: NDArray[np.float64], time_ns: NDArray[np.int64]) -> None:
    """Take quiet samples: what ``evaluate`` would remember of them, and nothing else."""
    memory.value[at] = values
    memory.value_ns[at] = time_ns
    memory.last_ns[at] = time_ns
    memory.quality[at] = Quality.GOOD
    memory.is_watched[at] = True


def _settle_but(
    memory: Memory, at: slice, values: NDArray[np.float64], time_ns: NDArray[np.int64], rows: NDArray[np.int32]
) -> None:
    """Take the samples of a run of tags but of a few, whose memory stays as it is.

    A run is copied column by column; picking all but a few out of it costs five times as much.
    """
    columns: tuple[NDArray[Any], ...] = (
        memory.value,
        memory.value_ns,
        memory.last_ns,
        memory.quality,
        memory.is_watched,
    )
    kept = [column[rows] for column in columns]
    _settle(memory, at, values, time_ns)
    for column, was in zip(columns, kept, strict=True):
        column[rows] = was


def _each(of_scan: NDArray[T], counts: NDArray[np.int64]) -> NDArray[T]:
    """Give each sample what its scan has; where there is one scan, that alone."""
    return of_scan if len(of_scan) == 1 else np.repeat(of_scan, counts)


def _span(setpoint: NDArray[np.float64], window_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Tell how far from a kept sample a value may be before its rate can reach the setpoint, eu, (n,)."""
    return np.minimum(setpoint * (window_ns / S_TO_NS) * (1.0 - RATE_MARGIN), RATE_MOST)


def _rounded_up(bound: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to float32, never down."""
    with np.errstate(over="ignore"):
        rounded = bound.astype(np.float32)
    return np.where(rounded < bound, np.nextafter(rounded, np.float32(np.inf)), rounded)


def plain_rules(table: RuleTable) -> NDArray[np.bool_]:
    """Tell which rules the guard and the kernel know in every respect, bool (rules,)."""
    if "plain" not in table.made:
        columns = Columns(table.rules)
        known = np.array([_OTHERS(rule) == _DEFAULTS for rule in columns.shapes], dtype=np.bool_)
        table.made["plain"] = known[columns.of] & np.isin(table.kind, [int(kind) for kind in PLAIN])
    plain: NDArray[np.bool_] = table.made["plain"]
    return plain
