"""Rules over several tags: which ones a scan touches, at what time, and whether all their inputs can be relied on.

Flow: Scan -> [touch] -> delays that ended before -> [is_ready] -> conditions
Why: a rule may need what another tag, of another source, said last; sources have clocks of their own.
Never: lets an input count that is BAD, stale or was never seen.

A scan is one instant for such a rule: it is judged once, with the values as they stand after the scan. Its time is the
newest time of any of its inputs, so it never goes back. Whether an input is stale is told by that input's own source:
by the scan's time for the scan's source, by the watermark for others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.core.layout import Reached
from alerting.core.memory import Memory
from alerting.core.spread import spread
from alerting.model.rule import RuleTable
from edge.few import greatest_across
from edge.model import Scan

__all__ = ["Indexes", "Touched", "held_until", "is_ready", "spread", "touch"]

Indexes = NDArray[np.int64]


@dataclass(slots=True)
class Touched:
    """The rules over several tags that a scan touches, each once, ascending.

    Attributes:
        rules: Rule indexes, int64 (n,).
        time_ns: When each is judged, int64 (n,).
        stale_ns: When the first of its inputs falls stale if nothing comes, in the rule's time, int64 (n,).
        come_ns: How far the source of each input has come with this scan, int64 (n, w).
        kinds: Places of each kind among them (``alerting.core.layout.parts_of``); None for not worked out.
    """

    rules: Indexes
    time_ns: NDArray[np.int64]
    stale_ns: NDArray[np.int64]
    come_ns: NDArray[np.int64]
    kinds: Mapping[int, Indexes] | None = None

    def where(self, mask: NDArray[np.bool_] | Indexes) -> "Touched":
        """Give the part where the mask is true, or at some places; itself where that is all."""
        if mask.dtype != np.bool_ and len(mask) == len(self.rules):
            return self
        return Touched(self.rules[mask], self.time_ns[mask], self.stale_ns[mask], self.come_ns[mask])


def touch(reached: Reached, memory: Memory, scan: Scan, time_ns: NDArray[np.int64]) -> Touched:
    """Tell when the rules over several tags that a scan touches are judged, before memory takes the scan.

    Args:
        time_ns: Accepted times of the scan's samples, int64 (n,).
    """
    newest = np.maximum.reduceat(time_ns[reached.sample], reached.start)
    inputs = reached.inputs
    source = memory.source[inputs]
    mine = source == memory.source[reached.by][:, None]
    come = np.where(mine, newest[:, None], memory.watermarks(scan.received_ns)[source])
    last_ns = memory.last_ns[inputs]
    judged_at = np.maximum(newest, greatest_across(last_ns))
    overdue = greatest_across(come - 1 - last_ns - memory.stale_ns[inputs])  # just before the scan
    return Touched(reached.rules, judged_at, judged_at - 1 - overdue, come)


def is_ready(table: RuleTable, memory: Memory, touched: Touched) -> NDArray[np.bool_]:
    """Tell, after memory has taken the scan, whose inputs can all be relied on, bool (n,).

    An input's last accepted sample must have been judged (neither BAD nor retained), and it must not be stale.
    """
    inputs = table.inputs[table.many_of[touched.rules]]
    last, valued = memory.last_ns[inputs], memory.value_ns[inputs]
    ready: NDArray[np.bool_] = (
        (valued > 0) & (valued == last) & (touched.come_ns < last + memory.stale_ns[inputs])
    ).all(axis=1)
    return ready


def held_until(
    table: RuleTable, memory: Memory, rules: Indexes, watermark: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell how far the time of rules has come at a clock reading, and when their first input falls stale in that time.

    Args:
        rules: Indexes of rules over several tags, (n,).
        watermark: Of each source, int64 (sources,).
    """
    inputs = table.inputs[table.many_of[rules]]
    come = watermark[memory.source[inputs]]
    until = greatest_across(come)
    return until, until - greatest_across(come - memory.last_ns[inputs] - memory.stale_ns[inputs])
