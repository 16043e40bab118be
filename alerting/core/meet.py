"""Meet: let expressions meet their delays at the moments at which their truth may change.

Flow: Scan or clock reading -> [meet_moments, meet] -> Changes
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.delay import Indexes, expire_held, join, pause, step
from alerting.core.formula import Reach, moments
from alerting.core.layout import Reached
from alerting.core.many import Touched
from alerting.core.memory import NEVER_NS, Changes, Memory, no_changes
from alerting.model.rule import RuleTable
from edge.model import Scan


def part_formulas(reached: Reached, many: Touched) -> tuple[Touched | None, Touched | None, Touched | None]:
    """Part rules over several tags into those of fixed kinds, EXPRESSIONs and enable-conditions; None for none."""
    plain, asked, gates = (None if part is None else many.where(part) for part in reached.parts)
    if plain is not None:
        plain.kinds = reached.kinds
    return plain, asked, gates


def reach_of_scan(table: RuleTable, memory: Memory, asked: Touched | None, scan: Scan) -> Reach:
    """Tell how far the sources have come with a scan: its own by its samples, others by their watermark."""
    source = int(memory.source[scan.rows[0]])
    if asked is None:
        return Reach(memory.mark_ns)
    is_mine = memory.source[table.inputs[table.many_of[asked.rules]]] == source
    newest = np.where(is_mine, asked.come_ns, np.iinfo(np.int64).min).max(axis=1)
    return Reach(memory.watermarks(scan.received_ns), source, newest)


def meet_moments(
    table: RuleTable, memory: Memory, rules: Indexes, until_ns: NDArray[np.int64], reach: Reach
) -> Changes:
    """Let EXPRESSIONs meet their delays at each moment at which their truth may change, and end what ended since."""
    found = no_changes()
    for k, truth, at in moments(memory, rules, until_ns, reach):
        # What falls unknown had its value until then; what changes otherwise had it until just before.
        found = join(found, meet(table, memory, k, truth, at, at - (truth >= 0)))
    return join(found, expire_held(table, memory, rules, until_ns, np.full(len(rules), NEVER_NS)))


def meet(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    truth: NDArray[np.int8],
    at_ns: NDArray[np.int64],
    held_ns: NDArray[np.int64],
) -> Changes:
    """Let EXPRESSIONs that are enabled meet their delays: -1 unknown pauses, 0 lets go, 1 holds."""
    if table.gates:
        is_open = ~table.gates.shut(memory.is_active, rules)
        rules, truth, at_ns, held_ns = rules[is_open], truth[is_open], at_ns[is_open], held_ns[is_open]
    ended = expire_held(table, memory, rules, held_ns, np.full(len(rules), NEVER_NS))
    known = truth >= 0
    pause(memory, rules[~known], at_ns[~known])
    k, found = rules[known], truth[known]
    return join(ended, step(table, memory, k, found == 1, found == 0, at_ns[known]))
