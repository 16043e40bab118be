"""Evaluate a scan, and expire delays at a clock reading.

Flow: Scan -> [expire what ended strictly before] -> [judge] -> Changes
Why: array code finds which rules changed; only those few rows meet the Python state machine.
Never: trips or clears on BAD quality; counts time spent BAD or stale.

Letters: t tag row, k rule index. Times are event times in ns; ``sign * v >= sign * setpoint`` is every limit.

Delays (design §3): an on-delay counts while the condition holds, pauses while the tag is BAD or stale, and resumes;
an off-delay restarts after BAD or stale. A delay that ended strictly before a tag's next sample has ended, whatever
that sample says, because the value was held until then.
Rules over several tags meet the same delays; ``many`` tells when, and whether their inputs can be relied on.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alerting.core.compare import compare
from alerting.core.delay import expire_held, join, pause, report, step
from alerting.core.formula import Reach, dues_ns, judge, time_by_clock
from alerting.core.frozen import interrupt
from alerting.core.gate import OUT_OF_RANGE, Turning, dues_of_schedules, turn_by_clock, turn_schedules
from alerting.core.many import Indexes, Touched, held_until, is_ready, touch
from alerting.core.meet import meet, meet_moments, part_formulas, reach_of_scan
from alerting.core.memory import NEVER_NS, Changes, Memory, Phase, no_changes
from alerting.core.spread import spread
from alerting.core.timers import LATEST_NS
from alerting.model.rule import Kind, RuleTable
from edge.model import Quality, Reason, Scan
from edge.model.quality import encode, is_bad, is_judged

BAD_NOT_A_NUMBER = np.uint8(encode(Quality.BAD, Reason.NOT_A_NUMBER))


def evaluate(table: RuleTable, memory: Memory, scan: Scan) -> tuple[Changes, Changes]:
    """Judge one scan: first the delays that ended before its samples, then the samples.

    The scan holds each tag at most once, with times newer than the tag's last and not ahead of the receive
    time; intake sees to both.

    Returns:
        The changes before the samples, and the changes by the samples.
    """
    rows = scan.rows
    if len(rows) == 0:
        return no_changes(), no_changes()
    time_ns = np.minimum(scan.times_ns, scan.received_ns)
    bad = is_bad(scan.quality) | ~np.isfinite(scan.values)
    judged = is_judged(scan.quality) & ~bad

    rules, place = spread(table.first, rows)
    many = asked = gates = None
    before = after = no_changes()
    if len(table.many):
        many, asked, gates = part_formulas(table, touch(table, memory, scan, time_ns))
        alone = table.many_of[rules] < 0
        rules, place = rules[alone], place[alone]
    turning = None if gates is None else Turning(table, memory, gates, scan)
    if len(table.gates.cells):
        before = turn_schedules(table, memory, scan, time_ns)
    if turning is not None:
        before = join(before, turning.before())
    before = join(before, expire_held(table, memory, rules, time_ns[place] - 1))
    if many is not None:
        before = join(before, expire_held(table, memory, many.rules, many.time_ns - 1, many.stale_ns))
    reach = reach_of_scan(table, memory, asked, scan)
    if asked is not None:
        until = replace(reach, watermark=reach.watermark - 1, newest_ns=reach.newest_ns - 1)
        before = join(before, meet_moments(table, memory, asked.rules, asked.time_ns - 1, until))

    value = np.where(bad, np.nan, scan.values)
    memory.value[rows[judged]] = value[judged]
    memory.value_ns[rows[judged]] = time_ns[judged]
    memory.quality[rows] = np.where(bad & ~is_bad(scan.quality), BAD_NOT_A_NUMBER, scan.quality)
    memory.is_watched[rows] = True

    spoilt = bad[place] & table.is_value[rules]
    pause(memory, rules[spoilt], time_ns[place[spoilt]])
    interrupt(memory, rules[spoilt])
    memory.last_ns[rows] = np.maximum(memory.last_ns[rows], time_ns)

    if turning is not None:
        mine = [rules, *(part.rules for part in (many, asked) if part is not None)]
        after = turning.now(rows[judged], np.unique(np.concatenate(mine)))
    is_open = ~table.gates.shut(memory.is_active, rules) if table.gates else np.ones(len(rules), dtype=np.bool_)
    kind = table.kind[rules]
    is_value = table.is_value[rules] & judged[place] & (is_open | (kind != Kind.FROZEN))
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)
    holds[is_value], lets_go[is_value] = compare(
        table, memory, rules[is_value], value[place[is_value]], time_ns[place[is_value]]
    )
    is_quality = (kind == Kind.BAD) & (bad | judged)[place]
    if Kind.RANGE in table.kinds:
        is_quality = _split_bad(table, memory, rules, scan.quality[place], bad[place], judged[place], time_ns[place])
    holds[is_quality] = bad[place[is_quality]]
    lets_go[is_quality] = ~bad[place[is_quality]]
    lets_go[kind == Kind.STALE] = True

    touched = (is_value | is_quality | (kind == Kind.STALE)) & is_open
    at = time_ns[place]
    at[kind == Kind.STALE] = scan.received_ns  # Silence ends when something comes, whenever that was measured.
    after = join(after, step(table, memory, rules[touched], holds[touched], lets_go[touched], at[touched]))
    if many is not None:
        after = join(after, _judge_many(table, memory, many))
    if asked is not None:
        for k, truth, at in judge(memory, asked.rules, asked.time_ns, reach, rows[judged]):
            after = join(after, meet(table, memory, k, truth, at, at - 1))
    memory.timers.wake(memory, rows)
    memory.mark(scan, int(time_ns.max()))
    return before, after


def _judge_many(table: RuleTable, memory: Memory, many: Touched) -> Changes:
    """Judge rules of fixed kinds over several tags, after memory has taken the scan."""
    if table.gates:
        many = many.where(~table.gates.shut(memory.is_active, many.rules))
    ready = is_ready(table, memory, many)
    pause(memory, many.rules[~ready], many.time_ns[~ready])
    interrupt(memory, many.rules[~ready])
    k, at = many.rules[ready], many.time_ns[ready]
    return step(table, memory, k, *compare(table, memory, k, memory.value[table.row[k]], at), at)


def expire(table: RuleTable, memory: Memory, now_ns: int) -> Changes:
    """End delays and find stale tags at a clock reading; works without a new sample.

    A delay expires on its source's watermark, never while the tag is stale or BAD.
    """
    watermark = memory.watermarks(now_ns)
    ended = turn_by_clock(table, memory, watermark) if table.gates else no_changes()
    running = memory.timers.running(memory)
    if len(running) and len(table.many):
        many = running[(table.many_of[running] >= 0) & (table.kind[running] != Kind.EXPRESSION)]
        running = running[table.many_of[running] < 0]
        ended = join(ended, expire_held(table, memory, running, watermark[memory.source[table.row[running]]]))
        if len(many):
            ended = join(ended, expire_held(table, memory, many, *held_until(table, memory, many, watermark)))
    elif len(running):
        ended = join(ended, expire_held(table, memory, running, watermark[memory.source[table.row[running]]]))
    if Kind.EXPRESSION in table.kinds:
        asked = np.flatnonzero(table.kind == Kind.EXPRESSION)
        until = time_by_clock(memory, asked, watermark)
        ended = join(ended, meet_moments(table, memory, asked, until, Reach(watermark)))

    if len(ended):
        memory.timers.wake(memory, table.row[ended.rule])
    tripped, due_ns = memory.timers.silent(table, memory, watermark)
    if len(tripped) == 0:
        return ended
    memory.is_active[tripped] = True
    memory.phase[tripped] = Phase.REST
    memory.is_dirty[tripped] = True
    return join(ended, report(table, memory, tripped, due_ns, active=True))


def next_due_ns(table: RuleTable, memory: Memory) -> int | None:
    """Tell the receive time at which ``expire`` will next have something to do, if no sample comes before; or None."""
    ahead_ns = memory.mark_received_ns - memory.mark_ns
    running = memory.timers.running(memory)
    row = table.row[running]
    delay = np.where(memory.phase[running] == Phase.ON, table.on_ns[running], table.off_ns[running])
    due = memory.since_ns[running] + delay - memory.elapsed_ns[running]
    ahead = ahead_ns[memory.source[row]]
    stale = memory.last_ns[row] + memory.stale_ns[row] + ahead
    is_many = table.many_of[running] >= 0
    if is_many.any():
        inputs = table.inputs[table.many_of[running[is_many]]]
        lead = ahead_ns[memory.source[inputs]]
        ahead[is_many] = lead.min(axis=1)
        stale[is_many] = (memory.last_ns[inputs] + memory.stale_ns[inputs] + lead).min(axis=1)
        stale[table.is_formula[running]] = NEVER_NS  # What is stale is for the expression to say.
    dues = (due + ahead)[due + ahead <= stale]
    dues = np.concatenate([dues, dues_ns(memory, ahead_ns)])
    if len(table.gates.cells):
        dues = np.concatenate([dues, dues_of_schedules(table, memory, ahead_ns)])
    lapsing, lapse_ns = memory.votes.lapses(table, memory)
    if len(lapsing):
        dues = np.concatenate([dues, lapse_ns + ahead_ns[memory.source[table.row[lapsing[:, 2]]]]])
    least = min(int(dues.min(initial=LATEST_NS)), memory.timers.next_silent_ns(table, memory, ahead_ns))
    return least if least < LATEST_NS else None


def _split_bad(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    quality: NDArray[np.uint8],
    bad: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    time_ns: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Share BAD samples between RANGE and BAD; tell which rules of the two kinds the samples are for, bool (n,).

    Out of range and fill values are for RANGE, all other BAD ones for BAD, which takes everything where the tag has no
    RANGE rule. What is for the other one pauses: a tag that changes between the two is caught by both, a little later.
    """
    kind = table.kind[rules]
    is_out = np.isin(quality, OUT_OF_RANGE)
    is_range = kind == Kind.RANGE
    is_quality = is_range | (kind == Kind.BAD)
    is_others = is_quality & bad & table.has_range[rules] & (is_out != is_range)
    pause(memory, rules[is_others], time_ns[is_others])
    mine: NDArray[np.bool_] = is_quality & (bad | judged) & ~is_others
    return mine
