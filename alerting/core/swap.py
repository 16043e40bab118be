"""Swap: another rule table takes over a memory between two ticks; what still means the same goes on.

Flow: old table, new table -> [compare] -> Exchange -> [carry, judge_anew] -> memory, Changes
Why: a changed setpoint must neither forget how long a value has been beyond it, nor wait for the next sample to ring.
Never: feeds a filter with a sample that did not come; judges on a last value that is BAD, stale or was never judged.

A tag is known again by its name, a source by its id, a rule by its id, which holds tag, kind and name.

* What a tag said last is carried while it is still measured alike: by the same source, at the same address, of the same
  nature. One that is not is as one that is new: nothing was heard of it, and its silence counts from now.
* A source whose collector begins anew is awaited from now, as after a restart; what its tags said stays.
* Trip and delay of a rule that stays are carried, whatever else about it changed.
* What a condition remembers is carried where it still fits: kept samples of a RATE with the same window, the filter of
  a TREND with the same gain, the line of one with the same blocks, what a DRIFT has learnt with the same season, span
  and baseline, the flat time of a FROZEN, windows and counts of an EXPRESSION with the same text.
* A condition that looks at a tag that is measured otherwise now starts anew, and its delay pauses; so does, without the
  pause, one that computes with a unit or a period that is another now.
* A rule that is new, or that differs in more than tier, response, latching and revision, is judged anew by what memory
  holds, at the time that its source has certainly come to. It meets its delays as if that were a sample: an on-delay
  under way goes on counting while the new setpoint holds too, and ends at once where the new delay is over.
* A rule that hangs on a shut gate now is let go of; one that hung on one and does so no more is judged anew.
* Where the last value cannot be relied on, nothing is judged: what was active stays so, what paused stays paused.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.delay import join, pause, report, step
from alerting.core.deviation import judge_deviations
from alerting.core.drift import compare_drifts
from alerting.core.formula import Reach, judge, time_by_clock
from alerting.core.frozen import is_frozen
from alerting.core.gate import OUT_OF_RANGE, let_go, own_time, turn_cell, turn_gates
from alerting.core.limit import judge_limits
from alerting.core.many import Indexes
from alerting.core.memory import LINE_COLUMNS, Changes, Memory, Phase, no_changes, steps_of
from alerting.core.rate import compare_rates
from alerting.core.state import judge_states
from alerting.core.trend import compare_trends
from alerting.core.vote import judge_votes
from alerting.model.rule import FORMULA_KINDS, Kind, Rule, RuleTable
from edge.model.quality import is_bad

#: What may differ between two rules that judge alike.
TOLD: Final = frozenset({"revision", "tier", "response", "rationale", "is_latching"})
#: What the memory of a kind's condition hangs on; a rule that differs in one of them starts it anew.
COURSE: Final = {
    Kind.RATE: ("window_s",),
    Kind.TREND: ("alpha", "gap_s", "blocks"),
    Kind.DRIFT: ("drift_memory",),
    Kind.EXPRESSION: ("when",),
    Kind.GATE: ("when",),
}

TAG_COLUMNS: Final = ("last_ns", "value", "value_ns", "quality", "is_watched", "awaited_ns")
RULE_COLUMNS: Final = ("is_active", "phase", "since_ns", "elapsed_ns", "opened_ns", "is_dirty")
SOURCE_COLUMNS: Final = ("mark_ns", "mark_received_ns", "mark_epoch", "mark_number")

#: Kinds whose memory hangs on unit or period of the tags that they look at.
_BY_TAG: Final = frozenset({Kind.TREND, Kind.DRIFT, *FORMULA_KINDS})
_MEANING: Final = tuple(each.name for each in fields(Rule) if each.name not in TOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Two tables side by side.

    Attributes:
        old, new: Over their own tags each.
        moved: Row of each old tag in the new table, int32 (old tags,); -1 for those that are no more.
        row_here, row_there: Tags that are measured alike, as rows of the new and of the old table, int32 (t,).
        unlike: Tags that are in both and are measured otherwise now, as rows of the new table, int32 (u,).
        restarted: Sources whose collector begins anew.
        paused: Rules that look at an unlike tag, as indexes in the new table, int64 (p,).
        here, there: Rules that are in both, as indexes in the new and in the old table, int64 (n,).
        course_of: For each rule of the new table the one whose condition it remembers, int64 (rules,); -1 for none.
        judged: Rules of the new table to judge anew, ascending, int64 (m,).
        gone: Rules of the old table that the new one does not have, int64 (g,).
    """

    old: RuleTable
    new: RuleTable
    moved: NDArray[np.int32]
    row_here: NDArray[np.int32]
    row_there: NDArray[np.int32]
    unlike: NDArray[np.int32]
    restarted: frozenset[str]
    paused: Indexes
    here: Indexes
    there: Indexes
    course_of: Indexes
    judged: Indexes
    gone: Indexes


def same(one: Any, other: Any) -> bool:  # noqa: ANN401  # values of a rule
    """Tell whether two values of rules are equal; no number equals itself here."""
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  # NaN


def is_alike(one: Rule, other: Rule) -> bool:
    """Tell whether two rules judge alike."""
    return one is other or all(same(getattr(one, name), getattr(other, name)) for name in _MEANING)


def compare(old: RuleTable, new: RuleTable, unlike: Collection[str] = (), restarted: Collection[str] = ()) -> Exchange:
    """Lay two tables side by side; takes a while on large ones, so it is done aside.

    Args:
        unlike: Names of tags that are in both and are measured otherwise now.
        restarted: Sources whose collector begins anew.
    """
    pairs = [(k, old.index_of[rule.id]) for k, rule in enumerate(new) if rule.id in old.index_of]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    course_of = np.full(len(new), -1, dtype=np.int64)
    alike = np.zeros(len(new), dtype=np.bool_)
    shifted = _shifted(old, new)
    paused: list[int] = []
    for k, before in pairs:
        one, other = old[before], new[k]
        asked = (other.tag, *other.inputs)
        is_shifted = bool(shifted) and other.kind in _BY_TAG and not shifted.isdisjoint(asked)
        is_unlike = bool(unlike) and any(name in unlike for name in asked)
        alike[k] = is_alike(one, other) and not (is_shifted or is_unlike)
        if is_unlike:
            paused.append(k)
        if other.kind is Kind.BAD:  # Whose a BAD sample is hangs on whether the tag has a RANGE rule.
            alike[k] &= old.has_range[before] == new.has_range[k]
        if (
            not is_shifted
            and not is_unlike
            and all(same(getattr(one, name), getattr(other, name)) for name in COURSE.get(other.kind, ()))
        ):
            course_of[k] = before
    moved, here, there = _rows(old, new, unlike)
    return Exchange(
        old=old,
        new=new,
        moved=moved,
        row_here=here,
        row_there=there,
        unlike=np.array(sorted(new.tags.row_of[name] for name in unlike), dtype=np.int32),
        restarted=frozenset(restarted),
        paused=np.array(paused, dtype=np.int64),
        here=columns[:, 0],
        there=columns[:, 1],
        course_of=course_of,
        judged=np.flatnonzero(~alike),
        gone=np.setdiff1d(np.arange(len(old)), columns[:, 1]),
    )


def _rows(
    old: RuleTable, new: RuleTable, unlike: Collection[str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Tell where each old tag is now, and which rows of the new and of the old table are measured alike."""
    if old.tags is new.tags and not unlike:
        rows = np.arange(len(old.tags), dtype=np.int32)
        return rows, rows, rows
    moved = np.array([new.tags.row_of.get(name, -1) for name in old.tags.names], dtype=np.int32)
    is_alike = moved >= 0
    is_alike[[old.tags.row_of[name] for name in unlike]] = False
    there = np.flatnonzero(is_alike).astype(np.int32)
    return moved, moved[there], there


def _shifted(old: RuleTable, new: RuleTable) -> frozenset[str]:
    """Name the tags that are in both tables with another unit or period: filters and formulas hang on these."""
    if old.tags is new.tags:
        return frozenset()
    found = []
    for tag in new.tags:
        row = old.tags.row_of.get(tag.name)
        if row is not None and (old.tags[row].eu, old.tags[row].period_s) != (tag.eu, tag.period_s):
            found.append(tag.name)
    return frozenset(found)


def carry(exchange: Exchange, memory: Memory, blank: Memory, now_ns: int = 0) -> Memory:
    """Take over what still means the same.

    Args:
        memory: Of the old table; it is left as it is.
        blank: A fresh one of the new table; it is filled and given back. It says whose silence counts of the tags
            that nothing is carried of.
        now_ns: The clock reading that ends the tick; what is new is awaited from here.
    """
    blank.awaited_ns[:] = now_ns
    for name in TAG_COLUMNS:
        getattr(blank, name)[exchange.row_here] = getattr(memory, name)[exchange.row_there]
    _carry_sources(exchange, memory, blank, now_ns)
    for name in RULE_COLUMNS:
        getattr(blank, name)[exchange.here] = getattr(memory, name)[exchange.there]
    for place_of, names in (
        ("rate_of", ("ring_ns", "ring_value")),
        ("trend_of", ("trend_ns", "trend_state")),
        ("blocks_of", LINE_COLUMNS),
        ("drift_of", ("drift_ns", "drift_state")),
        ("flat_of", ("anchor", "flat")),
    ):
        mine = np.flatnonzero((getattr(blank, place_of) >= 0) & (exchange.course_of >= 0))
        here, there = getattr(blank, place_of)[mine], getattr(memory, place_of)[exchange.course_of[mine]]
        for name in names:
            getattr(blank, name)[here] = getattr(memory, name)[there]
        if place_of == "drift_of":
            to, of = steps_of(blank.season_at[here]), steps_of(memory.season_at[there])
            blank.season[to], blank.season_days[to] = memory.season[of], memory.season_days[of]
    blank.formulas.copy_from(memory.formulas, exchange.course_of)
    if len(exchange.paused):
        row = exchange.new.row[exchange.paused]
        pause(blank, exchange.paused, blank.watermarks(now_ns)[blank.source[row]])
    return blank


def _carry_sources(exchange: Exchange, memory: Memory, blank: Memory, now_ns: int) -> None:
    """Take over how far sources have come; new ones have come to now."""
    blank.mark_ns[:] = now_ns
    blank.mark_received_ns[:] = now_ns
    pairs = [(at, memory.source_of[name]) for name, at in blank.source_of.items() if name in memory.source_of]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    for name in SOURCE_COLUMNS:
        getattr(blank, name)[columns[:, 0]] = getattr(memory, name)[columns[:, 1]]
    again = [at for name, at in blank.source_of.items() if name in exchange.restarted]
    if again:
        blank.awaited_ns[np.isin(blank.source, again)] = now_ns


def judge_anew(table: RuleTable, memory: Memory, rules: Indexes, now_ns: int) -> Changes:
    """Judge rules by what memory holds, as if it had just been said.

    Args:
        table, memory: After the swap.
        rules: Indexes of rules, (n,), each once.
        now_ns: The clock reading that ends the tick; delays that ended before it have ended.

    Returns:
        What tripped and cleared; event times are those that the sources have come to.
    """
    if len(rules) == 0:
        return no_changes()
    watermark = memory.watermarks(now_ns)
    found, rules = _meet_gates(table, memory, rules, watermark)
    kind = table.kind[rules]
    at, ready, fresh = _reach(table, memory, rules, watermark)
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)

    values = table.is_value[rules] & ~table.is_formula[rules] & ready
    holds[values], lets_go[values] = _compare(table, memory, rules[values])

    row = table.row[rules]
    bad = is_bad(memory.quality[row])
    was_told = (memory.last_ns[row] > 0) & fresh & (bad | (memory.value_ns[row] == memory.last_ns[row]))
    is_range = kind == Kind.RANGE
    is_quality = (is_range | (kind == Kind.BAD)) & was_told
    is_others = is_quality & bad & table.has_range[rules] & (np.isin(memory.quality[row], OUT_OF_RANGE) != is_range)
    pause(memory, rules[is_others], at[is_others])
    is_quality &= ~is_others
    holds[is_quality], lets_go[is_quality] = bad[is_quality], ~bad[is_quality]

    is_stale = kind == Kind.STALE
    due = np.maximum(memory.silent_at_ns(row), memory.opened_ns[rules] + memory.stale_ns[row])
    is_silent = is_stale & (watermark[memory.source[row]] >= due) & memory.is_watched[row]
    lets_go[is_stale] = ~is_silent[is_stale]

    judged = values | is_quality | (is_stale & ~is_silent)
    found = join(found, step(table, memory, rules[judged], holds[judged], lets_go[judged], at[judged]))
    falls = is_silent & ~memory.is_active[rules]
    found = join(found, _trip(table, memory, rules[falls], at[falls]))
    asked = rules[table.is_formula[rules]]
    return join(found, _ask(table, memory, asked, watermark)) if len(asked) else found


def _meet_gates(
    table: RuleTable, memory: Memory, rules: Indexes, watermark: NDArray[np.int64]
) -> tuple[Changes, Indexes]:
    """Turn gates that are new, let go of what hangs on a shut one now, and open what hung on one.

    Returns:
        What was let go, and the rules that are to be judged, without gates.
    """
    found = no_changes()
    kind = table.kind[rules]
    gates, cells, rules = rules[kind == Kind.GATE], rules[kind == Kind.SCHEDULE], rules[kind < Kind.GATE]
    for cell in cells.tolist():
        found = join(found, turn_cell(table, memory, cell, int(memory.source[table.row[cell]]), watermark))
    come = np.broadcast_to(watermark, (len(gates), len(watermark)))
    if len(gates):
        until = time_by_clock(memory, gates, watermark)
        for k, truth, _ in judge(memory, gates, until, Reach(watermark), np.empty(0, dtype=np.int32)):
            found = join(found, turn_gates(table, memory, k, truth, come[: len(k)], rules))
    is_shut = table.gates.shut(memory.is_active, rules)
    was_shut = memory.opened_ns[rules] < 0
    found = join(found, let_go(table, memory, rules[is_shut & ~was_shut], watermark))
    opened = rules[~is_shut & was_shut]
    memory.opened_ns[opened] = own_time(table, memory, opened, watermark)
    return found, rules[~is_shut]


def _reach(
    table: RuleTable, memory: Memory, rules: Indexes, watermark: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell how far the time of rules has come, whose inputs can be relied on, whose own tag is not stale, (n,) each."""
    row = table.row[rules]
    at = watermark[memory.source[row]]
    last = memory.last_ns[row]
    fresh = at < last + memory.stale_ns[row]
    ready = fresh & (memory.value_ns[row] > 0) & (memory.value_ns[row] == last)
    many = table.many_of[rules]
    if (many >= 0).any():
        inputs = table.inputs[many[many >= 0]]
        come, last = watermark[memory.source[inputs]], memory.last_ns[inputs]
        valued = memory.value_ns[inputs]
        at[many >= 0] = come.max(axis=1)
        ready[many >= 0] = ((valued > 0) & (valued == last) & (come < last + memory.stale_ns[inputs])).all(axis=1)
    return at, ready, fresh


def _compare(table: RuleTable, memory: Memory, rules: Indexes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ask the kinds that judge values about the last one; no filter is moved on."""
    kind, value = table.kind[rules], memory.value[table.row[rules]]
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)
    mine = kind <= Kind.HH
    holds[mine], lets_go[mine] = judge_limits(table, rules[mine], value[mine])
    mine = kind == Kind.RATE
    holds[mine], lets_go[mine] = compare_rates(
        table, memory, rules[mine], value[mine], memory.value_ns[table.row[rules[mine]]]
    )
    mine = kind == Kind.DEVIATION
    holds[mine], lets_go[mine] = judge_deviations(table, memory, rules[mine], value[mine])
    mine = kind == Kind.TREND
    holds[mine], lets_go[mine] = compare_trends(table, memory, rules[mine], value[mine])
    mine = kind == Kind.DRIFT
    holds[mine], lets_go[mine] = compare_drifts(table, memory, rules[mine])
    mine = kind == Kind.STATE
    if mine.any():
        holds[mine], lets_go[mine] = judge_states(table, rules[mine], value[mine])
    mine = kind == Kind.VOTE
    agree = memory.votes.agrees[table.votes.of_rule[rules[mine]]].sum(axis=1).astype(np.float64)  # By its members now.
    holds[mine], lets_go[mine] = judge_votes(table, memory, rules[mine], agree)
    mine = kind == Kind.FROZEN
    holds[mine] = is_frozen(table, memory, rules[mine])
    lets_go[mine] = ~holds[mine]
    return holds, lets_go


def _trip(table: RuleTable, memory: Memory, rules: Indexes, at_ns: NDArray[np.int64]) -> Changes:
    memory.is_active[rules] = True
    memory.phase[rules] = Phase.REST
    memory.is_dirty[rules] = True
    return report(table, memory, rules, at_ns, active=True)


def _ask(table: RuleTable, memory: Memory, rules: Indexes, watermark: NDArray[np.int64]) -> Changes:
    """Ask EXPRESSIONs; what cannot be told pauses."""
    found = no_changes()
    until = time_by_clock(memory, rules, watermark)
    for k, truth, at in judge(memory, rules, until, Reach(watermark), np.empty(0, dtype=np.int32)):
        known = truth >= 0
        pause(memory, k[~known], at[~known])
        found = join(found, step(table, memory, k[known], truth[known] == 1, truth[known] == 0, at[known]))
    return found
