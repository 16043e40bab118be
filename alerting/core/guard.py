"""Guard band: samples that can change nothing, found with one comparison and taken in bulk.

Flow: all scans of a tick -> [guard] -> quiet samples settled in bulk; the rest -> evaluate, one scan after the other
Why: at any moment nearly all values lie well inside their limits; judging them rule by rule costs ten times more.
Never: decides an exception. A guard only says "nothing can happen here"; it is closed whenever that is not certain.

The guard of a tag is the open interval of values in which none of its limits can start, stop or resume anything, given
which of them are active. It is closed (empty) while a delay runs or waits, while the tag is BAD or stale, and for ever
on tags with rules of other kinds than LL, L, H, HH, RATE, STALE and BAD. A rate is judged in bulk beside it.
"""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from alerting.core.many import spread
from alerting.core.memory import Memory, Phase
from alerting.core.rate import judge_rates
from alerting.model.rule import LIMITS, Kind, Rule, RuleTable
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
_DEFAULTS = {each.name: each.default for each in fields(Rule) if each.name not in KNOWN}


class Guard:
    """The guards of all tags for one memory; nothing of it needs to be saved, it begins closed.

    Attributes:
        is_plain: Tags whose rules the guard knows, bool (tags,).
        low, high: A value strictly between them changes nothing, float64 (tags,); low > high where closed.
    """

    def __init__(self, table: RuleTable) -> None:
        self.table = table
        tags = len(table.tags)
        self.low: NDArray[np.float64] = np.full(tags, np.inf)
        self.high: NDArray[np.float64] = np.full(tags, -np.inf)
        self.is_plain: NDArray[np.bool_] = np.ones(tags, dtype=np.bool_)
        self._place: NDArray[np.int64] = np.zeros(tags, dtype=np.int64)
        self._is_limit: NDArray[np.bool_] = np.isin(table.kind, [int(kind) for kind in LIMITS])
        odd = [k for k, rule in enumerate(table) if not _is_plain(rule)]
        self.is_plain[table.row[odd]] = False
        if len(table.many):
            self.is_plain[np.unique(table.inputs)] = False
        self._of: dict[Kind, NDArray[np.int32]] = {}
        for kind in (*LIMITS, Kind.RATE):
            mine = np.flatnonzero(table.kind == kind)
            of = np.full(tags, -1, dtype=np.int32)
            of[table.row[mine]] = mine
            self._of[kind] = of
            twice = np.bincount(table.row[mine], minlength=tags) > 1
            self.is_plain[twice] = False

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
        self.low[rows] = np.where(is_open, low, np.inf)
        self.high[rows] = np.where(is_open, high, -np.inf)

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

    def is_quiet(
        self,
        memory: Memory,
        rows: NDArray[np.int32],
        values: NDArray[np.float64],
        quality: NDArray[np.uint8],
        times_ns: NDArray[np.int64],
        counted_ns: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Tell which samples change nothing. NaN fails both comparisons.

        Args:
            rows, values, quality, times_ns: Samples of any number of scans, each tag at most once, (n,).
            counted_ns: Their times as the core counts them: not ahead of the receive time.
        """
        quiet: NDArray[np.bool_] = (self.low[rows] < values) & (values < self.high[rows])
        quiet &= quality == np.uint8(Quality.GOOD)
        quiet &= times_ns > memory.last_ns[rows]
        rate = self._of[Kind.RATE][rows]
        judged = np.flatnonzero(quiet & (rate >= 0))
        if len(judged):
            holds, _ = judge_rates(
                self.table, memory, rate[judged].astype(np.int64), values[judged], counted_ns[judged]
            )
            quiet[judged[holds]] = False
        return quiet

    def settle(
        self, memory: Memory, rows: NDArray[np.int32], values: NDArray[np.float64], time_ns: NDArray[np.int64]
    ) -> None:
        """Take quiet samples: what ``evaluate`` would remember of them, and nothing else."""
        memory.value[rows] = values
        memory.value_ns[rows] = time_ns
        memory.last_ns[rows] = time_ns
        memory.quality[rows] = Quality.GOOD
        memory.is_watched[rows] = True


def _is_plain(rule: Rule) -> bool:
    return rule.kind in PLAIN and all(getattr(rule, name) == default for name, default in _DEFAULTS.items())
