"""Collect: the greatest value of each rule's own statistic in each block of a recording.

Flow: Steps -> the detectors of ``alerting.core`` -> [Maxima] -> tails
Why: what is compared with the threshold in live operation is what the threshold is learnt from; nothing is rebuilt.

A DRIFT's statistic is its score; a TREND's is minus the logarithm of the time to limit by the lower bound of its slope,
so that both rise with what is alarming. Blocks are an hour, or four memories of the detector, whichever is longer, so
that their maxima hardly depend on each other.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.core.drift import Wait
from alerting.core.drift import advance as advance_drifts
from alerting.core.memory import Wander
from alerting.core.trend import Forecast
from alerting.core.trend import advance as advance_trends
from alerting.model.drift import SETPOINT
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import TagTable
from edge.model.quality import is_judged
from gateway.backtest.labels import Label
from gateway.recording import Steps

S = 1_000_000_000
BLOCK_S = 3600.0
MEMORIES = 4.0
COVER_SHARE = 0.5  # Share of a block that must have been judged.
NOTHING = -np.inf


class Maxima:
    """Block maxima of the DRIFT and TREND rules of a site.

    Attributes:
        rules: The rules, in the order of the columns.
        block_s: Length of a block of each, s.
    """

    def __init__(self, rules: Sequence[Rule], tags: TagTable, labels: Sequence[Label]) -> None:
        # With the threshold of nobody's history: what is held and what is cut depends on it a little.
        plain = [replace(r, setpoint=SETPOINT[r.drift.detector]) if r.drift is not None else r for r in rules]
        self._table = RuleTable(plain, tags)
        self._memory = Memory.fresh(self._table, 0)
        self.rules: tuple[Rule, ...] = tuple(rules)
        self.block_s = [max(BLOCK_S, MEMORIES * memory_s(rule, tags)) for rule in rules]
        index = {rule.id: k for k, rule in enumerate(rules)}
        self._column = np.array([index[rule.id] for rule in self._table], dtype=np.int64)
        self._is_drift = self._table.kind == Kind.DRIFT
        self._of_row: dict[int, list[int]] = {}
        for k, row in enumerate(self._table.row.tolist()):
            self._of_row.setdefault(row, []).append(k)
        self._labels = labels
        self._block_ns = np.array([round(self.block_s[c] * S) for c in self._column], dtype=np.int64)
        self._period_ns = np.array([round(tags[int(row)].period_s * S) for row in self._table.row], dtype=np.int64)
        self._at = np.full(len(rules), -1, dtype=np.int64)  # the block that is being filled
        self._greatest = np.full(len(rules), NOTHING)
        self._judged_ns = np.zeros(len(rules), dtype=np.int64)
        self._last_ns = np.zeros(len(rules), dtype=np.int64)
        self._found: list[list[float]] = [[] for _ in rules]
        self.judged_s: NDArray[np.float64] = np.zeros(len(rules))

    def take(self, steps: Steps) -> None:
        """Take a chunk; times rise from chunk to chunk."""
        mine = [(c, k) for c, row in enumerate(steps.rows.tolist()) for k in self._of_row.get(row, ())]
        if not mine:
            return
        column = np.array([c for c, _ in mine], dtype=np.int64)
        rules = np.array([k for _, k in mine], dtype=np.int64)
        order = np.argsort(rules)
        column, rules = column[order], rules[order]
        values = steps.values[:, column]
        use = np.isfinite(values)
        if steps.present is not None:
            use &= steps.present[:, column]
        if steps.quality is not None:
            use &= is_judged(steps.quality[:, column])
        for label in self._labels:
            part = slice(*np.searchsorted(steps.times_ns, [label.start_ns, label.end_ns + 1]).tolist())
            spoken = [label.speaks_of(self._table[int(k)].tag) for k in rules]
            use[part, np.array(spoken, dtype=np.bool_)] = False
        is_all: list[bool] = np.logical_and.reduce(use, axis=1).tolist()
        for i, time_ns in enumerate(steps.times_ns.tolist()):
            k, value = (rules, values[i]) if is_all[i] else (rules[use[i]], values[i, use[i]])
            if len(k):
                self._step(k, value, time_ns)

    def end(self) -> None:
        """Close the blocks that are open."""
        self._close(np.arange(len(self._at)))

    def of(self, rule: int) -> NDArray[np.float64]:
        """Give the maxima of one rule's blocks, in order of time; those in which nothing was alarming are left out."""
        return np.array(self._found[rule], dtype=np.float64)

    def _step(self, rules: NDArray[np.int64], value: NDArray[np.float64], time_ns: int) -> None:
        times_ns = np.full(len(rules), time_ns, dtype=np.int64)
        is_drift = self._is_drift[rules]
        score = np.full(len(rules), NOTHING)
        judged = np.zeros(len(rules), dtype=np.bool_)
        if is_drift.any():
            k = rules[is_drift]
            advance_drifts(self._table, self._memory, k, value[is_drift], times_ns[is_drift])
            state = self._memory.drift_state[self._memory.drift_of[k]]
            judged[is_drift] = state[:, Wander.WAITS] == Wait.NO
            score[is_drift] = state[:, Wander.SCORE]
        if not is_drift.all():
            k, v = rules[~is_drift], value[~is_drift]
            with np.errstate(over="ignore", invalid="ignore"):
                advance_trends(self._table, self._memory, k, v, times_ns[~is_drift])
            now = Forecast(self._table, self._memory, k)
            is_before = (now.distance > 0) & (now.sign * v < now.sign * self._table.setpoint[k])
            judged[~is_drift] = now.is_ready
            with np.errstate(divide="ignore"):
                score[~is_drift] = np.where(is_before & now.is_ready, -np.log(now.sure_s), NOTHING)
        c = self._column[rules]
        block = time_ns // self._block_ns[rules]
        turned = block != self._at[c]
        if turned.any():
            self._close(c[turned])
            self._at[c[turned]] = block[turned]
        self._greatest[c] = np.maximum(self._greatest[c], np.where(judged, score, NOTHING))
        passed = np.minimum(time_ns - self._last_ns[c], 3 * self._period_ns[rules])
        self._judged_ns[c] += np.where(judged, passed, 0)
        self._last_ns[c] = time_ns

    def _close(self, columns: NDArray[np.int64]) -> None:
        for c in columns.tolist():
            if self._judged_ns[c] >= COVER_SHARE * self.block_s[c] * S:
                self._found[c].append(float(self._greatest[c]))
                self.judged_s[c] += self._judged_ns[c] / S
            self._greatest[c], self._judged_ns[c] = NOTHING, 0


def memory_s(rule: Rule, tags: TagTable) -> float:
    """Give how long a rule's detector remembers, s."""
    if rule.drift is not None:
        return rule.drift.span_s
    if rule.blocks is not None:
        return rule.blocks.span_s
    return tags[tags.row_of[rule.tag]].period_s / rule.alpha
