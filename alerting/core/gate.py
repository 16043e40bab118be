"""Gates: let go of what an enable-condition or a schedule disables, and judge at once what it enables again.

Flow: truth of enable-conditions, time -> [turn_gates, turn_schedules] -> rules let go or judged -> Changes
Why: a tank that is out for cleaning must not ring; when it is back, what it said last counts at once, because the next
sample may be long in coming.
Never: disables by what is not known: a context tag that is BAD, stale or was never seen leaves the rules enabled.

While a rule is disabled its delays do not count, and the flat time of FROZEN does not; windows and filters go on, so
that it knows its past when it is enabled. A gate's time is that of the newest of its tags; each rule is let go or
judged at the time that its own source had reached by then. A schedule switches at its instant in the time of each
source: by the samples of its rules' tags, or by the watermark.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alerting.core.compare import compare
from alerting.core.delay import Indexes, expire_held, join, report, step
from alerting.core.formula import Reach, judge, moments, time_by_clock
from alerting.core.frozen import forget
from alerting.core.many import Touched, held_until, is_ready
from alerting.core.meet import meet, meet_moments, reach_of_scan
from alerting.core.memory import PAUSED, Changes, Memory, Phase, no_changes
from alerting.model.rule import LIMITS, Kind, RuleTable
from edge.model import Quality, Reason, Scan
from edge.model.quality import encode, is_bad

Times = NDArray[np.int64]

OUT_OF_RANGE = np.array([encode(Quality.BAD, Reason.RANGE), encode(Quality.BAD, Reason.SENTINEL)], dtype=np.uint8)
#: Kinds that a value which was there before can trip by itself; the others wait for the next sample.
AT_ONCE = (*LIMITS, Kind.DEVIATION, Kind.STATE, Kind.VOTE)
NONE = np.empty(0, np.int64)
LOOK_BACK_NS = 40 * 86_400 * 1_000_000_000  # After a longer pause only what has been last matters.
NO_ROWS = np.empty(0, np.int32)


class Turning:
    """The gates whose tags a scan has, before and after memory has taken it."""

    def __init__(self, table: RuleTable, memory: Memory, gates: Touched, scan: Scan) -> None:
        self.table, self.memory, self.gates = table, memory, gates
        self.reach = reach_of_scan(table, memory, gates, scan)
        #: How far each source has come by the time of each gate, int64 (g, sources).
        self.come_ns = np.tile(self.reach.watermark, (len(gates.rules), 1))
        self.come_ns[:, self.reach.source] = self.reach.newest_ns

    def before(self) -> Changes:
        """Turn them at the moments before the scan at which their truth changed without a sample."""
        reach = replace(self.reach, watermark=self.reach.watermark - 1, newest_ns=self.reach.newest_ns - 1)
        gates = self.gates
        return _turn_at_moments(self.table, self.memory, gates.rules, gates.time_ns - 1, reach, self.come_ns - 1)

    def now(self, new_rows: NDArray[np.int32], skip: Indexes) -> Changes:
        """Turn them by what the scan says.

        Args:
            new_rows: Tag rows of its judged samples.
            skip: Rules that its samples judge anyhow, ascending.
        """
        found = no_changes()
        for k, truth, _ in judge(self.memory, self.gates.rules, self.gates.time_ns, self.reach, new_rows):
            come = self.come_ns[np.searchsorted(self.gates.rules, k)]
            found = join(found, turn_gates(self.table, self.memory, k, truth, come, skip))
        return found


def turn_schedules(table: RuleTable, memory: Memory, scan: Scan, time_ns: Times) -> Changes:
    """Open and shut by schedule what a scan has samples of, before they are judged.

    Args:
        time_ns: Accepted times of the scan's samples, int64 (n,).
    """
    found = no_changes()
    source = int(memory.source[scan.rows[0]])
    for cell in table.gates.cells[memory.source[table.row[table.gates.cells]] == source].tolist():
        mine = np.isin(scan.rows, table.gates.rows.get(cell, NONE))
        if not mine.any():  # What has no sample here is for the clock.
            continue
        newest = int(time_ns[mine].max())
        if newest >= memory.opened_ns[cell]:
            come = memory.watermarks(scan.received_ns)
            come[source] = newest
            found = join(found, turn_cell(table, memory, cell, source, come, scan.rows, time_ns))
    return found


def turn_cell(
    table: RuleTable,
    memory: Memory,
    cell: int,
    source: int,
    come_ns: Times,
    rows: NDArray[np.int32] = NO_ROWS,
    time_ns: Times = NONE,
) -> Changes:
    """Take the switches of a schedule up to how far its source has come; ``opened_ns`` of a cell is when to look.

    Args:
        rows, time_ns: Samples that are judged next, (n,); what is not newer than a switch counts in place of what its
            tag said before.
    """
    found, calendar, until = no_changes(), table.gates.calendars[cell], int(come_ns[source])
    since = int(memory.opened_ns[cell]) - 1
    is_open = not bool(memory.is_active[cell])
    if since < 0:  # The first look in this life; what was committed may be newer than the source's mark.
        since = min(int(memory.mark_ns[source]), until)
        if calendar.is_open(since) is not is_open:
            since = until
    switches = calendar.schedule.switches(max(since, until - LOOK_BACK_NS), until)
    if calendar.is_open(until) is not is_open and not switches:
        switches = [(until, not is_open)]
    for at_ns, opens in switches:
        if opens is bool(memory.is_active[cell]):
            come = come_ns - (until - at_ns)
            skip = _looking_at(table, table.gates.rules[cell], rows[time_ns <= at_ns])
            found = join(found, turn_gate(table, memory, cell, come, skip, is_shut=not opens))
    memory.opened_ns[cell] = calendar.next_ns(until)
    memory.is_dirty[cell] |= memory.opened_ns[cell] != since + 1  # As it stood: when to look next is kept.
    return found


def _looking_at(table: RuleTable, rules: Indexes, rows: NDArray[np.int32]) -> Indexes:
    """Give those of some rules that look at any of some tags."""
    mine = np.isin(table.row[rules], rows)
    many = np.flatnonzero(table.many_of[rules] >= 0)
    mine[many] |= np.isin(table.inputs[table.many_of[rules[many]]], rows).any(axis=1)
    return rules[mine]


def dues_of_schedules(table: RuleTable, memory: Memory, ahead_ns: Times) -> Times:
    """Tell the receive times at which schedules switch next, int64 (c,)."""
    cells = [cell for cell in table.gates.cells.tolist() if _is_heard(table, memory, cell)]
    source = memory.source[table.row[cells]]
    due = [
        int(memory.opened_ns[cell]) or table.gates.calendars[cell].next_ns(int(memory.mark_ns[at]))
        for cell, at in zip(cells, source.tolist(), strict=True)
    ]
    return np.array(due, dtype=np.int64) + ahead_ns[source]


def _is_heard(table: RuleTable, memory: Memory, cell: int) -> bool:
    """Tell whether a cell's source matters in this memory: it gave something, or is awaited."""
    row = table.row[cell]
    return bool(memory.is_watched[row] or memory.mark_number[memory.source[row]])


def turn_by_clock(table: RuleTable, memory: Memory, watermark: Times) -> Changes:
    """Turn gates at a clock reading; ``watermark`` is that of each source, int64 (sources,)."""
    found = no_changes()
    for cell in table.gates.cells.tolist():
        source = int(memory.source[table.row[cell]])
        if watermark[source] >= memory.opened_ns[cell] and _is_heard(table, memory, cell):
            found = join(found, turn_cell(table, memory, cell, source, watermark))
    gates = table.gates.enables
    if len(gates) == 0:
        return found
    until = time_by_clock(memory, gates, watermark)
    come = np.broadcast_to(watermark, (len(gates), len(watermark)))
    return join(found, _turn_at_moments(table, memory, gates, until, Reach(watermark), come))


def _turn_at_moments(
    table: RuleTable, memory: Memory, gates: Indexes, until_ns: Times, reach: Reach, come_ns: NDArray[np.int64]
) -> Changes:
    """Turn gates at the moments up to a time at which their truth changes without a sample.

    Args:
        gates: Indexes of enable-conditions, ascending, (g,).
        until_ns: Up to when, in each gate's time, int64 (g,).
        reach: How far the sources have come by then.
        come_ns: The same for each gate, int64 (g, sources).
    """
    found = no_changes()
    for k, truth, at in moments(memory, gates, until_ns, reach):
        place = np.searchsorted(gates, k)
        come = come_ns[place] - (until_ns[place] - at)[:, None]
        found = join(found, turn_gates(table, memory, k, truth, come))
    return found


def turn_gates(
    table: RuleTable,
    memory: Memory,
    gates: Indexes,
    truth: NDArray[np.int8],
    come_ns: NDArray[np.int64],
    skip: Indexes = NONE,
) -> Changes:
    """Let go of the rules of gates that shut, and judge those of gates that open.

    Args:
        truth: Of each enable-condition: 1 true, 0 false, -1 unknown, int8 (g,).
        come_ns: How far each source had come then, int64 (g, sources).
        skip: Rules that are judged anyhow, by samples of their own; ascending.
    """
    found = no_changes()
    doubt = np.where(truth < 0, np.uint8(Phase.ON), np.uint8(Phase.REST))  # Committed, so that a restart knows it.
    memory.is_dirty[gates[memory.phase[gates] != doubt]] = True
    memory.phase[gates] = doubt
    is_shut = truth == 0
    for place in np.flatnonzero(is_shut != memory.is_active[gates]).tolist():
        found = join(
            found, turn_gate(table, memory, int(gates[place]), come_ns[place], skip, is_shut=bool(is_shut[place]))
        )
    return found


def turn_gate(
    table: RuleTable, memory: Memory, gate: int, come_ns: Times, skip: Indexes = NONE, *, is_shut: bool
) -> Changes:
    """Shut or open one gate; ``come_ns`` is how far each source had come then, int64 (sources,)."""
    rules = table.gates.rules.get(gate, NONE)
    rules = rules[~table.gates.shut(memory.is_active, rules)] if is_shut else rules
    # What the scan has samples of was held until just before them, and has been ended.
    ended = _end_delays(table, memory, np.setdiff1d(rules, skip), come_ns - 1) if is_shut else no_changes()
    memory.is_active[gate] = is_shut
    memory.is_dirty[gate] = True
    if is_shut:
        return join(ended, let_go(table, memory, rules, come_ns))
    rules = rules[~table.gates.shut(memory.is_active, rules)]  # Another gate may keep some disabled.
    memory.opened_ns[rules] = own_time(table, memory, rules, come_ns)
    memory.is_dirty[rules[table.kind[rules] == Kind.STALE]] = True  # Silence counts from here, after a kill too.
    memory.timers.wake(memory, table.row[rules])
    return _judge_at_once(table, memory, np.setdiff1d(rules, skip), come_ns)


def own_time(table: RuleTable, memory: Memory, rules: Indexes, come_ns: Times) -> Times:
    """Tell the time of rules when their sources have come so far: the furthest of their tags, int64 (n,)."""
    time_ns = come_ns[memory.source[table.row[rules]]]
    is_many = table.many_of[rules] >= 0
    if is_many.any():
        inputs = table.inputs[table.many_of[rules[is_many]]]
        time_ns[is_many] = come_ns[memory.source[inputs]].max(axis=1)
    return time_ns


def _sort_out(table: RuleTable, rules: Indexes) -> tuple[Indexes, Indexes, Indexes]:
    """Part rules into those on their own tag alone, those over several tags, and expressions."""
    is_many, is_formula = table.many_of[rules] >= 0, table.is_formula[rules]
    return rules[~is_many], rules[is_many & ~is_formula], rules[is_formula]


def _end_delays(table: RuleTable, memory: Memory, rules: Indexes, come_ns: Times) -> Changes:
    """End what had ended before the rules are disabled."""
    alone, many, asked = _sort_out(table, rules)
    ended = expire_held(table, memory, alone, come_ns[memory.source[table.row[alone]]])
    if len(many):
        ended = join(ended, expire_held(table, memory, many, *held_until(table, memory, many, come_ns)))
    if len(asked):
        until = time_by_clock(memory, asked, come_ns)
        ended = join(ended, meet_moments(table, memory, asked, until, Reach(come_ns)))
    return ended


def let_go(table: RuleTable, memory: Memory, rules: Indexes, come_ns: Times) -> Changes:
    """Forget delays and flat time, and clear what is active, without off-delay."""
    moved = rules[memory.is_active[rules] | (memory.phase[rules] != Phase.REST)]
    memory.is_dirty[moved] = True
    memory.phase[moved] = Phase.REST
    memory.since_ns[moved] = PAUSED
    memory.elapsed_ns[moved] = 0
    forget(memory, rules)
    time_ns = own_time(table, memory, rules, come_ns)
    memory.opened_ns[rules] = -time_ns
    memory.is_dirty[rules[table.kind[rules] == Kind.STALE]] = True
    is_over = memory.is_active[rules]
    memory.is_active[rules] = False
    return report(table, memory, rules[is_over], time_ns[is_over], active=False)


def _judge_at_once(table: RuleTable, memory: Memory, rules: Indexes, come_ns: Times) -> Changes:
    """Judge rules by what their tags said last, where that can still be relied on."""
    alone, many, asked = _sort_out(table, rules)
    found = no_changes()
    row = table.row[alone]
    at = come_ns[memory.source[row]]
    last, valued = memory.last_ns[row], memory.value_ns[row]
    is_fresh = (last > 0) & (at < last + memory.stale_ns[row])
    now = is_fresh & (valued == last) & np.isin(table.kind[alone], AT_ONCE)
    if now.any():
        k = alone[now]
        found = step(table, memory, k, *compare(table, memory, k, memory.value[row[now]], at[now]), at[now])
    kind, quality = table.kind[alone], memory.quality[row]
    is_bad_now = is_fresh & is_bad(quality) & ((kind == Kind.BAD) | (kind == Kind.RANGE))
    is_mine = ~table.has_range[alone] | (np.isin(quality, OUT_OF_RANGE) == (kind == Kind.RANGE))
    k, at = alone[is_bad_now & is_mine], at[is_bad_now & is_mine]
    found = join(found, step(table, memory, k, np.ones(len(k), np.bool_), np.zeros(len(k), np.bool_), at))
    many = many[np.isin(table.kind[many], AT_ONCE)]
    if len(many):
        inputs = table.inputs[table.many_of[many]]
        come = come_ns[memory.source[inputs]]
        touched = Touched(many, come.max(axis=1), come.max(axis=1), come)
        ready = is_ready(table, memory, touched)
        k, at = many[ready], touched.time_ns[ready]
        found = join(found, step(table, memory, k, *compare(table, memory, k, memory.value[table.row[k]], at), at))
    if len(asked):
        at = time_by_clock(memory, asked, come_ns)
        for k, truth, when in judge(memory, asked, at, Reach(come_ns), np.empty(0, np.int32)):
            found = join(found, meet(table, memory, k, truth, when, when - 1))
    return found
