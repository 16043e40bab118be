"""Delays: start, stop, resume and finish the on- and off-delays of rules.

Flow: holds, lets go -> [step] -> Changes; clock readings and silence -> [expire_held, pause] -> Changes
Never: looks at values; counts time spent BAD or stale.

An on-delay counts while the condition holds, pauses while the tag is BAD or stale, and resumes; an off-delay starts
anew after that (design §3).
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import PAUSED, Changes, Memory, Phase, no_changes
from alerting.model.rule import RuleTable
from edge.few import is_all_zero, some

Indexes = NDArray[np.int64]
REST, ON, OFF = (np.uint8(phase) for phase in Phase)  # A member of an enumeration is slower to look up.


def expire_held(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    until_ns: NDArray[np.int64],
    stale_ns: NDArray[np.int64] | None = None,
) -> Changes:
    """End the delays that ran out by ``until_ns``, the value being held; pause those whose tag fell stale first.

    Args:
        stale_ns: When an input of each rule falls stale; its own tag's time where it is not given.
    """
    if not memory.timers.is_any:
        return no_changes()
    busy = (memory.phase[rules] != REST) & (memory.since_ns[rules] != PAUSED)
    if not some(busy):
        return no_changes()
    k, until = rules[busy], until_ns[busy]
    row = table.row[k]
    stale_at = memory.last_ns[row] + memory.stale_ns[row] if stale_ns is None else stale_ns[busy]
    turned_stale = until >= stale_at
    until = np.minimum(until, stale_at)
    is_on = memory.phase[k] == ON
    delay = np.where(is_on, table.on_ns[k], table.off_ns[k])
    due = memory.since_ns[k] + delay - memory.elapsed_ns[k]
    ended = until >= due
    paused = ~ended & turned_stale
    pause(memory, k[paused], stale_at[paused])
    done, done_on = k[ended], is_on[ended]
    memory.is_active[done] = done_on
    memory.phase[done] = REST
    memory.is_dirty[done] = True
    memory.since_ns[done] = PAUSED
    memory.elapsed_ns[done] = 0
    return report(table, memory, done, due[ended], active=done_on)


def pause(memory: Memory, rules: Indexes, at_ns: NDArray[np.int64]) -> None:
    """Stop counting: an on-delay keeps what it counted, an off-delay starts anew."""
    running = memory.since_ns[rules] != PAUSED
    if not some(running):
        return
    k, at = rules[running], at_ns[running]
    counted = np.maximum(at - memory.since_ns[k], 0)
    memory.elapsed_ns[k] = np.where(memory.phase[k] == ON, memory.elapsed_ns[k] + counted, 0)
    memory.since_ns[k] = PAUSED
    memory.is_dirty[k] = True


def step(
    table: RuleTable,
    memory: Memory,
    k: Indexes,
    holds: NDArray[np.bool_],
    lets_go: NDArray[np.bool_],
    time_ns: NDArray[np.int64],
) -> Changes:
    """Start, stop, resume or finish delays by what the samples say."""
    active = memory.is_active[k]
    wants_on = ~active & holds
    wants_off = active & lets_go
    wants = wants_on | wants_off
    if not some(wants) and is_all_zero(memory.phase[k]):  # As nearly always: nothing starts, nothing ran.
        return no_changes()
    phase = np.where(wants_on, ON, OFF)

    rest = k[~wants]
    rest = rest[memory.phase[rest] != REST]
    memory.is_dirty[rest] = True
    memory.phase[rest] = REST
    memory.since_ns[rest] = PAUSED
    memory.elapsed_ns[rest] = 0

    starts = wants & (memory.phase[k] != phase)
    memory.phase[k[starts]] = phase[starts]
    memory.elapsed_ns[k[starts]] = 0
    resumes = wants & (starts | (memory.since_ns[k] == PAUSED))
    memory.since_ns[k[resumes]] = time_ns[resumes]
    memory.is_dirty[k[resumes]] = True
    memory.timers.run(k[resumes])

    w, at = k[wants], time_ns[wants]
    delay = np.where(wants_on[wants], table.on_ns[w], table.off_ns[w])
    done = memory.elapsed_ns[w] + (at - memory.since_ns[w]) >= delay
    changed, turned_on = w[done], wants_on[wants][done]
    memory.is_active[changed] = turned_on
    memory.is_dirty[changed] = True
    memory.phase[changed] = REST
    memory.since_ns[changed] = PAUSED
    memory.elapsed_ns[changed] = 0
    return report(table, memory, changed, at[done], active=turned_on)


def report(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    time_ns: NDArray[np.int64],
    *,
    active: NDArray[np.bool_] | bool,
) -> Changes:
    """Make the report of rules that have just tripped or cleared."""
    if len(rules) == 0:
        return no_changes()
    row = table.row[rules]
    flags = np.broadcast_to(np.asarray(active, dtype=np.bool_), rules.shape).copy()
    other = table.other_row[rules]
    if memory.formulas:
        memory.formulas.note(rules, flags)
    return Changes(
        rules.astype(np.int32),
        flags,
        time_ns.astype(np.int64),
        memory.value[row],
        memory.quality[row],
        np.where(other >= 0, memory.value[other], np.nan),
    )


def join(left: Changes, right: Changes) -> Changes:
    """Put two reports together, the earlier one first."""
    if len(right) == 0:
        return left
    if len(left) == 0:
        return right
    return Changes(
        *(
            np.concatenate([getattr(left, name), getattr(right, name)])
            for name in ("rule", "is_active", "time_ns", "value", "quality", "other")
        )
    )
