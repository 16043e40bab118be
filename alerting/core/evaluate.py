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

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alerting.core.compare import compare
from alerting.core.delay import expire_held, join, pause, report, step
from alerting.core.formula import Reach, dues_ns, judge, stay_as_they_are, time_by_clock
from alerting.core.frozen import interrupt
from alerting.core.gate import OUT_OF_RANGE, Turning, dues_of_schedules, turn_by_clock, turn_schedules
from alerting.core.layout import Layout, Share, layout_of
from alerting.core.many import Indexes, Touched, held_until, is_ready, touch
from alerting.core.meet import meet, meet_moments, part_formulas, reach_of_scan
from alerting.core.memory import NEVER_NS, Changes, Memory, Phase, no_changes
from alerting.core.timers import LATEST_NS
from alerting.model.rule import Kind, RuleTable
from edge.few import every, greatest, is_all_zero, some
from edge.model import Quality, Reason, Scan
from edge.model.quality import encode, is_bad, is_judged

BAD_NOT_A_NUMBER = np.uint8(encode(Quality.BAD, Reason.NOT_A_NUMBER))
# Numbers, because a member of an enumeration is slower to look up and to compare with.
BAD, RANGE, FROZEN, EXPRESSION = int(Kind.BAD), int(Kind.RANGE), int(Kind.FROZEN), int(Kind.EXPRESSION)
REST, ON = np.uint8(Phase.REST), np.uint8(Phase.ON)


def evaluate(
    table: RuleTable, memory: Memory, scan: Scan, quiet: NDArray[np.bool_] | None = None
) -> tuple[Changes, Changes]:
    """Judge one scan: first the delays that ended before its samples, then the samples.

    The scan holds each tag at most once, with times newer than the tag's last and not ahead of the receive
    time; intake sees to both.

    Args:
        quiet: Samples that change no plain rule of their tag, as the memory's guard says (``Guard.sift``), bool
            (n,): these rules are left out. What comes out is the same.

    Returns:
        The changes before the samples, and the changes by the samples.
    """
    if len(scan.rows) == 0:
        return no_changes(), no_changes()
    changes = evaluate_unmarked(table, memory, scan, quiet)
    memory.mark(scan, newest_of(scan))
    return changes


def newest_of(scan: Scan) -> int:
    """Give the newest accepted time of a scan's samples, ns."""
    return min(greatest(scan.times_ns), scan.received_ns)


def evaluate_unmarked(
    table: RuleTable, memory: Memory, scan: Scan, quiet: NDArray[np.bool_] | None = None
) -> tuple[Changes, Changes]:
    """Judge samples as ``evaluate`` does, but move no source's watermark; that is the caller's, right afterwards.

    Args:
        scan: At least one sample. The tags may be of several sources of which none has to do with another
            (``alerting.core.family``).
        quiet: As in ``evaluate``.
    """
    layout = layout_of(table, scan.rows)
    samples = _Samples.of(table, layout, scan, quiet)
    time_ns, mine = samples.time_ns, samples.mine
    several = _Several.of(table, memory, layout, samples)
    before = after = no_changes()
    if len(table.gates.cells):
        before = turn_schedules(table, memory, scan, time_ns)
    if several is not None and several.turning is not None:
        before = join(before, several.turning.before())
    before = join(before, expire_held(table, memory, mine.rules, time_ns[mine.place] - 1))
    if several is not None:
        before = join(before, several.end_before(table, memory))

    _take(memory, samples, layout)

    if several is not None and several.turning is not None:
        after = several.turn(samples)
    if len(mine.rules):
        after = join(after, _judge_alone(table, memory, samples))
    if several is not None:
        after = join(after, several.judge(table, memory, samples))
    if not samples.is_calm:
        memory.timers.wake(memory, scan.rows)
    return before, after


@dataclass(slots=True, eq=False)
class _Samples:
    """The samples of a scan, (n,) each, and the rules on their own tag alone that are judged.

    Attributes:
        time_ns: Accepted times.
        bad, judged: BAD or no number; may trip and clear.
        is_calm: All are judged, and change no plain rule.
    """

    scan: Scan
    time_ns: NDArray[np.int64]
    bad: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    mine: Share
    is_calm: bool

    @classmethod
    def of(cls, table: RuleTable, layout: Layout, scan: Scan, quiet: NDArray[np.bool_] | None) -> "_Samples":
        time_ns = np.minimum(scan.times_ns, scan.received_ns)
        if quiet is not None and every(quiet):
            return cls(scan, time_ns, layout.never, layout.always, layout.odd(table), is_calm=True)
        bad = is_bad(scan.quality) | ~np.isfinite(scan.values)
        judged = is_judged(scan.quality) & ~bad
        mine = layout.alone if quiet is None or not some(quiet) else layout.without(table, quiet)
        return cls(scan, time_ns, bad, judged, mine, is_calm=False)


@dataclass(slots=True, eq=False)
class _Several:
    """The rules over several tags that a scan touches, by how they are judged; None for none."""

    many: Touched | None
    asked: Touched | None
    reach: Reach | None
    turning: Turning | None

    @classmethod
    def of(cls, table: RuleTable, memory: Memory, layout: Layout, samples: _Samples) -> "_Several | None":
        if layout.reached is None:
            return None
        scan = samples.scan
        many, asked, gates = part_formulas(layout.reached, touch(layout.reached, memory, scan, samples.time_ns))
        if (
            asked is not None
            and samples.is_calm
            and not table.gates
            and every(asked.stale_ns > asked.time_ns)
            and is_all_zero(memory.quality[scan.rows])  # GOOD is 0.
            and stay_as_they_are(memory, asked.rules, asked.time_ns)
        ):
            asked = None
        return cls(
            many,
            asked,
            None if asked is None else reach_of_scan(table, memory, asked, scan),
            None if gates is None else Turning(table, memory, gates, scan),
        )

    def end_before(self, table: RuleTable, memory: Memory) -> Changes:
        """End what ended before the samples."""
        before, many, asked = no_changes(), self.many, self.asked
        if many is not None:
            before = expire_held(table, memory, many.rules, many.time_ns - 1, many.stale_ns)
        if asked is not None and self.reach is not None:
            reach = self.reach
            until = replace(reach, watermark=reach.watermark - 1, newest_ns=reach.newest_ns - 1)
            before = join(before, meet_moments(table, memory, asked.rules, asked.time_ns - 1, until))
        return before

    def turn(self, samples: _Samples) -> Changes:
        """Turn gates by what the samples say."""
        assert self.turning is not None
        skip = [samples.mine.rules, *(part.rules for part in (self.many, self.asked) if part is not None)]
        return self.turning.now(samples.scan.rows[samples.judged], np.unique(np.concatenate(skip)))

    def judge(self, table: RuleTable, memory: Memory, samples: _Samples) -> Changes:
        """Judge them after memory has taken the samples."""
        after, asked = no_changes(), self.asked
        if self.many is not None:
            after = _judge_many(table, memory, self.many)
        if asked is not None and self.reach is not None:
            new_rows = samples.scan.rows if samples.is_calm else samples.scan.rows[samples.judged]
            for k, truth, at in judge(memory, asked.rules, asked.time_ns, self.reach, new_rows):
                after = join(after, meet(table, memory, k, truth, at, at - 1))
        return after


def _take(memory: Memory, samples: _Samples, layout: Layout) -> None:
    """Let memory take the samples; what is BAD pauses what judges values."""
    scan, time_ns, bad, judged = samples.scan, samples.time_ns, samples.bad, samples.judged
    rows, at = scan.rows, layout.at
    if samples.is_calm:
        memory.value[at], memory.value_ns[at], memory.quality[at] = scan.values, time_ns, scan.quality
    else:
        memory.value[rows[judged]] = scan.values[judged]
        memory.value_ns[rows[judged]] = time_ns[judged]
        memory.quality[rows] = np.where(bad & ~is_bad(scan.quality), BAD_NOT_A_NUMBER, scan.quality)
        rules, place = samples.mine.rules, samples.mine.place
        spoilt = bad[place] & samples.mine.is_value
        pause(memory, rules[spoilt], time_ns[place[spoilt]])
        interrupt(memory, rules[spoilt])
    memory.is_watched[at] = True
    memory.last_ns[at] = np.maximum(memory.last_ns[at], time_ns)


def _judge_alone(table: RuleTable, memory: Memory, samples: _Samples) -> Changes:
    """Judge rules on their own tag alone, after memory has taken the samples."""
    scan, mine, bad, judged = samples.scan, samples.mine, samples.bad, samples.judged
    rules, place, kind, value = mine.rules, mine.place, mine.kind, scan.values
    at = samples.time_ns[place]
    if samples.is_calm and not table.gates:
        holds, lets_go = np.zeros(len(rules), dtype=np.bool_), mine.is_data.copy()
        valued = mine.valued
        holds[valued.at], lets_go[valued.at] = compare(
            table, memory, valued.rules, value[valued.place], at[valued.at], valued.parts
        )
        at[mine.is_stale] = scan.received_ns  # Silence ends when something comes, whenever that was measured.
        return step(table, memory, rules, holds, lets_go, at)
    is_open = ~table.gates.shut(memory.is_active, rules) if table.gates else np.ones(len(rules), dtype=np.bool_)
    is_value = mine.is_value & judged[place] & (is_open | (kind != FROZEN))
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)
    holds[is_value], lets_go[is_value] = compare(table, memory, rules[is_value], value[place[is_value]], at[is_value])
    is_quality = (kind == BAD) & (bad | judged)[place]
    if RANGE in table.kinds:
        is_quality = _split_bad(table, memory, rules, scan.quality[place], bad[place], judged[place], at)
    holds[is_quality] = bad[place[is_quality]]
    lets_go[is_quality] = ~bad[place[is_quality]]
    lets_go[mine.is_stale] = True

    touched = (is_value | is_quality | mine.is_stale) & is_open
    at[mine.is_stale] = scan.received_ns
    return step(table, memory, rules[touched], holds[touched], lets_go[touched], at[touched])


def _judge_many(table: RuleTable, memory: Memory, many: Touched) -> Changes:
    """Judge rules of fixed kinds over several tags, after memory has taken the scan."""
    if table.gates:
        many = many.where(~table.gates.shut(memory.is_active, many.rules))
    ready = is_ready(table, memory, many)
    if every(ready):
        k, at = many.rules, many.time_ns
        return step(table, memory, k, *compare(table, memory, k, memory.value[table.row[k]], at, many.kinds), at)
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
    running = memory.timers.due(memory, watermark)
    if len(running) and len(table.many):
        many = running[(table.many_of[running] >= 0) & (table.kind[running] != EXPRESSION)]
        running = running[table.many_of[running] < 0]
        ended = join(ended, expire_held(table, memory, running, watermark[memory.source[table.row[running]]]))
        if len(many):
            ended = join(ended, expire_held(table, memory, many, *held_until(table, memory, many, watermark)))
    elif len(running):
        ended = join(ended, expire_held(table, memory, running, watermark[memory.source[table.row[running]]]))
    asked = memory.formulas.asked
    if len(asked):
        until = time_by_clock(memory, asked, watermark)
        ended = join(ended, meet_moments(table, memory, asked, until, Reach(watermark)))

    if len(ended):
        memory.timers.wake(memory, table.row[ended.rule])
    tripped, due_ns = memory.timers.silent(table, memory, watermark)
    if len(tripped) == 0:
        return ended
    memory.is_active[tripped] = True
    memory.phase[tripped] = REST
    memory.is_dirty[tripped] = True
    return join(ended, report(table, memory, tripped, due_ns, active=True))


def next_due_ns(table: RuleTable, memory: Memory, *, with_pauses: bool = False, is_rough: bool = False) -> int | None:
    """Tell the receive time at which ``expire`` will next have something to do, if no sample comes before; or None.

    Args:
        with_pauses: Also when a delay that runs pauses because its tag falls silent, which nobody is told.
        is_rough: A time that may be too early will do for silence: when to look at it next.
    """
    ahead_ns = memory.mark_received_ns - memory.mark_ns
    silent_ns = (
        memory.timers.next_look_ns(ahead_ns) if is_rough else memory.timers.next_silent_ns(table, memory, ahead_ns)
    )
    running = memory.timers.running(memory)
    if len(running) == 0 and not len(memory.formulas.asked) and not len(table.gates.cells) and not len(table.votes):
        return silent_ns if silent_ns < LATEST_NS else None
    dues = _dues_of_delays(table, memory, running, ahead_ns, with_pauses=with_pauses) if len(running) else running
    dues = np.concatenate([dues, dues_ns(memory, ahead_ns)])
    if len(table.gates.cells):
        dues = np.concatenate([dues, dues_of_schedules(table, memory, ahead_ns)])
    lapsing, lapse_ns = memory.votes.lapses(table, memory)
    if len(lapsing):
        dues = np.concatenate([dues, lapse_ns + ahead_ns[memory.source[table.row[lapsing[:, 2]]]]])
    least = min(int(dues.min(initial=LATEST_NS)), silent_ns)
    return least if least < LATEST_NS else None


def _dues_of_delays(
    table: RuleTable, memory: Memory, running: Indexes, ahead_ns: NDArray[np.int64], *, with_pauses: bool
) -> NDArray[np.int64]:
    """Give the receive times at which running delays end, or also pause, if no sample comes before, int64."""
    row = table.row[running]
    delay = np.where(memory.phase[running] == ON, table.on_ns[running], table.off_ns[running])
    due = memory.since_ns[running] + delay - memory.elapsed_ns[running]
    ahead = ahead_ns[memory.source[row]]
    stale = memory.last_ns[row] + memory.stale_ns[row] + ahead
    is_many = table.many_of[running] >= 0
    if some(is_many):
        inputs = table.inputs[table.many_of[running[is_many]]]
        lead = ahead_ns[memory.source[inputs]]
        ahead[is_many] = lead.min(axis=1)
        stale[is_many] = (memory.last_ns[inputs] + memory.stale_ns[inputs] + lead).min(axis=1)
        stale[table.is_formula[running]] = NEVER_NS  # What is stale is for the expression to say.
    return np.minimum(due + ahead, stale) if with_pauses else (due + ahead)[due + ahead <= stale]


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
    is_range = kind == RANGE
    is_quality = is_range | (kind == BAD)
    is_others = is_quality & bad & table.has_range[rules] & (is_out != is_range)
    pause(memory, rules[is_others], time_ns[is_others])
    mine: NDArray[np.bool_] = is_quality & (bad | judged) & ~is_others
    return mine
