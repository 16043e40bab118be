"""Guard band: samples that can change nothing, found with one comparison and taken in bulk.

Flow: all scans of a tick -> [guard] -> quiet samples settled in bulk; the rest -> evaluate, one scan after the other
Why: at any moment nearly all values lie well inside their limits; judging them rule by rule costs ten times more.
Never: decides an exception. A guard only says "nothing can happen here"; it is closed whenever that is not certain.

The guard of a tag is the open interval of values in which none of its rules can start, stop or resume anything, given
which of them are active. It is closed (empty) while a delay runs or waits, while the tag is BAD or stale, and for ever
on tags with rules of other kinds than LL, L, H, HH, RATE, STALE and BAD. A rate cannot reach its setpoint while the
value is nearer than ``setpoint * window`` to all kept samples, because it is taken over at least a window. That holds
until the next sample is to be kept, so a guard ends at that time too.
"""

from dataclasses import fields
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from alerting.core.batch import AHEAD_NS_MAX, NONE_NS, Batch, Taken
from alerting.core.memory import NEVER_NS, RATE_SLOTS, Memory, Phase
from alerting.core.rate import judge_rates
from alerting.core.spread import spread
from alerting.model.rule import LIMITS, S_TO_NS, Kind, Rule, RuleTable
from edge.model import Quality

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
    }
)
PLAIN = frozenset({*LIMITS, Kind.RATE, Kind.STALE, Kind.BAD})
RATE_MARGIN = 1e-9  # Relative; far above what rounding can do, far below what matters.
RATE_MOST = 1e300  # Beyond, a difference may overflow: such a tag has no guard.
_OTHERS = attrgetter(*(each.name for each in fields(Rule) if each.name not in KNOWN))
_DEFAULTS = tuple(each.default for each in fields(Rule) if each.name not in KNOWN)


class Guard:
    """The guards of all tags for one memory; nothing of it needs to be saved, it begins closed.

    Attributes:
        is_plain: Tags whose rules the guard knows, bool (tags,).
        low, high: A value strictly between them changes nothing, float64 (tags,); low > high where closed.
        limit_low, limit_high: The same for all but the rate, float64 (tags,).
        keep_ns: From then on a rate wants to keep a sample, and the guard ends, int64 (tags,).
        rate_rule: The RATE rule of each tag, int32 (tags,); -1 for none.
    """

    def __init__(self, table: RuleTable) -> None:
        self.table = table
        tags = len(table.tags)
        self.low: NDArray[np.float64] = np.full(tags, np.inf)
        self.high: NDArray[np.float64] = np.full(tags, -np.inf)
        self.limit_low: NDArray[np.float64] = np.full(tags, np.inf)
        self.limit_high: NDArray[np.float64] = np.full(tags, -np.inf)
        self.keep_ns: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self.is_plain: NDArray[np.bool_] = np.ones(tags, dtype=np.bool_)
        self._place: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self._is_limit: NDArray[np.bool_] = np.isin(table.kind, [int(kind) for kind in LIMITS])
        self.is_plain[table.row[~plain_rules(table)]] = False
        if len(table.many):
            self.is_plain[np.unique(table.inputs)] = False
        self.is_plain[table.votes.is_member_row] = False  # Their votes are computed scan by scan, in order.
        self._of: dict[Kind, NDArray[np.int32]] = {}
        for kind in (*LIMITS, Kind.RATE):
            mine = np.flatnonzero(table.kind == kind)
            of = np.full(tags, -1, dtype=np.int32)
            of[table.row[mine]] = mine
            self._of[kind] = of
            twice = np.bincount(table.row[mine], minlength=tags) > 1
            self.is_plain[twice] = False
        self.rate_rule = self._of[Kind.RATE]

    def refresh(self, memory: Memory, rows: NDArray[np.int32]) -> None:
        """Set the guards of tags that have just been judged."""
        table = self.table
        rules, place = spread(table.first, rows)
        # A running delay, and silence, bad quality or a rate that is active, wait for what quiet samples do not tell.
        busy = (memory.phase[rules] != Phase.REST) | (memory.is_active[rules] & ~self._is_limit[rules])
        is_open = self.is_plain[rows] & (memory.quality[rows] == Quality.GOOD)
        is_open &= np.bincount(place[busy], minlength=len(rows)) == 0
        low = np.full(len(rows), -np.inf)
        high = np.full(len(rows), np.inf)
        for kind in LIMITS:
            k = self._of[kind][rows]
            has = k >= 0
            k = k[has]
            active, setpoint, deadband = memory.is_active[k], table.setpoint[k], table.deadband[k]
            if kind in (Kind.H, Kind.HH):
                # Inactive: quiet below the setpoint. Active: quiet as long as v < setpoint - deadband is false.
                high[has] = np.minimum(high[has], np.where(active, np.inf, setpoint))
                low[has] = np.maximum(low[has], np.where(active, np.nextafter(setpoint - deadband, -np.inf), -np.inf))
            else:
                low[has] = np.maximum(low[has], np.where(active, -np.inf, setpoint))
                high[has] = np.minimum(high[has], np.where(active, np.nextafter(setpoint + deadband, np.inf), np.inf))
        self.limit_low[rows] = low = np.where(is_open, low, np.inf)
        self.limit_high[rows] = high = np.where(is_open, high, -np.inf)
        self._bound_rates(memory, rows, low, high)
        self.low[rows], self.high[rows] = low, high

    def _bound_rates(
        self, memory: Memory, rows: NDArray[np.int32], low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        """Narrow bounds to what no rate can reach, and tell until when."""
        k = self._of[Kind.RATE][rows]
        has = k >= 0
        self.keep_ns[rows] = NEVER_NS
        if not has.any():
            return
        k = k[has]
        ring = memory.rate_of[k]
        at, was = memory.ring_ns[ring], memory.ring_value[ring]
        window = self.table.window_ns[k]
        self.keep_ns[rows[has]] = np.where(at[:, 0] > 0, at[:, 0] + window // (RATE_SLOTS - 2), 0)
        span = self.table.setpoint[k] * (window / S_TO_NS) * (1.0 - RATE_MARGIN)
        span = np.minimum(span, RATE_MOST)[:, None]
        is_kept, is_huge = at > 0, np.abs(was) >= RATE_MOST
        with np.errstate(over="ignore", invalid="ignore"):
            slack = RATE_MARGIN * np.abs(was)
            most = np.where(is_huge, -np.inf, was + span - slack)
            least = np.where(is_huge, np.inf, was - span + slack)
        high[has] = np.minimum(high[has], np.where(is_kept, most, np.inf).min(axis=1))
        low[has] = np.maximum(low[has], np.where(is_kept, least, -np.inf).max(axis=1))

    def close(self, rows: NDArray[np.int32]) -> None:
        """Close guards: something outside a scan has changed a rule."""
        self.low[rows] = np.inf
        self.high[rows] = -np.inf

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
        received = np.repeat(batch.received_ns, counts)
        fine = (rows >= 0) & (rows < tags)
        at = rows if fine.all() else np.where(fine, rows, 0)
        fine &= memory.source[at] == np.repeat(batch.source, counts)
        fine &= batch.times_ns <= received + AHEAD_NS_MAX
        fine &= batch.times_ns >= received - np.repeat(batch.lateness_ns, counts)
        fine &= batch.times_ns > memory.last_ns[at]
        if not (rows[1:] > rows[:-1]).all():  # A tag that comes twice is judged in order of time.
            known = np.flatnonzero((rows >= 0) & (rows < tags))
            fine[known] &= self.is_single(rows[known])
        counted = np.minimum(batch.times_ns, received)
        newest = np.maximum.reduceat(np.where(fine, counted, NONE_NS), batch.first[:-1])

        quiet = np.zeros(len(rows), dtype=np.bool_)
        mine = np.flatnonzero(fine)
        quiet[mine] = self._is_quiet(memory, rows[mine], batch.values[mine], batch.quality[mine], counted[mine])
        self._settle(memory, rows[quiet], batch.values[quiet], counted[quiet])
        left = counts - np.add.reduceat(quiet, batch.first[:-1], dtype=np.int64)
        return Taken(is_taken=quiet, left=left, newest_ns=newest)

    def _is_quiet(
        self,
        memory: Memory,
        rows: NDArray[np.int32],
        values: NDArray[np.float64],
        quality: NDArray[np.uint8],
        time_ns: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Tell which samples change nothing, and keep those that rates want. NaN fails both comparisons."""
        quiet: NDArray[np.bool_] = (self.low[rows] < values) & (values < self.high[rows])
        quiet &= quality == np.uint8(Quality.GOOD)
        kept = np.flatnonzero(quiet & (time_ns >= self.keep_ns[rows]))
        if len(kept):
            rate = self._of[Kind.RATE][rows[kept]].astype(np.int64)
            judge_rates(self.table, memory, rate, values[kept], time_ns[kept])  # Nothing holds: the bounds say so.
            self.refresh(memory, rows[kept])
        return quiet

    @staticmethod
    def _settle(
        memory: Memory, rows: NDArray[np.int32], values: NDArray[np.float64], time_ns: NDArray[np.int64]
    ) -> None:
        """Take quiet samples: what ``evaluate`` would remember of them, and nothing else."""
        memory.value[rows] = values
        memory.value_ns[rows] = time_ns
        memory.last_ns[rows] = time_ns
        memory.quality[rows] = Quality.GOOD
        memory.is_watched[rows] = True


def plain_rules(table: RuleTable) -> NDArray[np.bool_]:
    """Tell which rules the guard and the kernel know in every respect, bool (rules,)."""
    if "plain" not in table.made:
        known = np.fromiter(map(_DEFAULTS.__eq__, map(_OTHERS, table)), dtype=np.bool_, count=len(table))
        table.made["plain"] = known & np.isin(table.kind, [int(kind) for kind in PLAIN])
    plain: NDArray[np.bool_] = table.made["plain"]
    return plain
