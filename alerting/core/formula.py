"""Formulas: the expressions of a table, those of rules and of gates, as programs, and what one memory keeps of them.

Flow: Scan or clock reading -> [moments, judge] -> truth at each moment -> delays of the rules
Why: the same expression of 300 devices is one array program; between two samples it is judged exactly at the moments
at which its truth can change, so that a late look finds the same events at the same times.
Never: knows delays or alarms; lets a tag count that is BAD, stale or was never seen, unless the expression asks so.

A rule's time is the newest time of any of its tags (``many``). A tag falls stale by its own source's clock; ``lapse``
is that moment in the rule's time.
"""

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.expression import Expression, Inputs, Program, State, Unknown, compile_programs, next_due, read, run
from alerting.core.expression.program import CAUSE_SHIFT, Op, lower
from alerting.core.expression.run import NEVER_NS, Truths
from alerting.core.expression.tree import Call, Comparison, Negative, Node, Number, Part, TagName, Text
from alerting.model.alarm import digest
from alerting.model.rule import Kind, RuleTable
from edge.few import every, greatest_across, is_all_zero, places_of, some
from edge.model import Quality

if TYPE_CHECKING:
    from alerting.core.memory import Memory

Indexes = NDArray[np.int64]
Times = NDArray[np.int64]

#: Why a rule is not judged although its tags are well; nobody else would say so.
BY_CALCULATION: Final = (Unknown.DIVISION, Unknown.TOO_LARGE, Unknown.NOT_WHOLE)
TELL_AGAIN_NS: Final = 60_000_000_000  # A sensor that hovers around zero must not fill the journal.
NEWS_MAX: Final = 1000  # Beyond it the oldest goes; each rule tells at most once a minute.
#: What is committed with the tick: timers of ``for``, edges of ``count``.
LASTING: Final = ("held_since", "held_counted", "count_last", "count_ns")
#: Steps that look at no number and remember nothing.
STILL_OPS: Final = frozenset({Op.QUALITY, Op.IS_STALE, Op.AND, Op.OR, Op.NOT, Op.VOTE, Op.VOTE_KEEP, Op.CONSTANT})
FEW_PAIRS: Final = 4096
#: So many sets of so many rules at most are kept sorted by shape; others are sorted anew, or all are forgotten.
SORTED_MAX: Final = 512
SORTED_RULES_MAX: Final = 256
PARTS_TOLD_MAX: Final = 12  # A sentence with more of them is not read.
#: Columns of a formula beside its state.
BESIDE_STATE: Final = ("said", "sides", "cause", "said_at", "sides_at", "told_ns", "lapsed")


@dataclass(slots=True)
class Formula:
    """Rules of one shape in one memory.

    Attributes:
        rules: Index in the rule table of each of the n rules, ascending, int64 (n,).
        program: What they compute.
        state: What they remember.
        expressions: As they were written, n of them.
        said: Truth, when it was judged last, of each part that says something by itself, int8 (n, sayings).
        sides: The numbers that it compared then, float64 (n, sayings, 2); NaN for none or unknown.
        cause: Why it was unknown then, as in ``Verdict``, int32 (n,).
        said_at, sides_at: The same when the rule let go (0) and tripped (1) last, (n, 2, …).
        told_ns: When it was told last that it is not judged, int64 (n,).
        lapsed: Tags that were stale when it was judged last, bool (n, i); not kept over a restart.
        still: What it was judged by last, where it looks at quality and silence alone; None for others.
    """

    rules: Indexes
    program: Program
    state: State
    expressions: tuple[Expression, ...]
    said: Truths
    sides: NDArray[np.float64]
    cause: NDArray[np.int32]
    said_at: Truths
    sides_at: NDArray[np.float64]
    told_ns: Times
    lapsed: NDArray[np.bool_]
    still: "_Still | None" = None


@dataclass(slots=True)
class _Still:
    """What rules that look at quality and silence alone were judged by last: as long as it is the same, so are they.

    Attributes:
        quality, is_seen: As in ``Inputs``, (n, i); ``lapsed`` of the formula has the silence.
        truth: int8 (n,).
        is_here: Judged before in this life, bool (n,).
    """

    quality: NDArray[np.uint8]
    is_seen: NDArray[np.bool_]
    truth: Truths
    is_here: NDArray[np.bool_]

    @classmethod
    def of(cls, program: Program) -> "_Still | None":
        if any(step.op not in STILL_OPS for step in program.steps):
            return None
        shape = program.rows.shape
        return cls(
            np.zeros(shape, np.uint8),
            np.zeros(shape, np.bool_),
            np.zeros(shape[0], np.int8),
            np.zeros(shape[0], np.bool_),
        )

    def is_same(self, lapsed: NDArray[np.bool_], places: Indexes, inputs: Inputs) -> bool:
        """Tell whether nothing changed for some rules since they were judged last."""
        return bool(
            every(self.is_here[places])
            and every(self.quality[places] == inputs.quality)
            and every(lapsed[places] == inputs.is_stale)
            and every(self.is_seen[places] == inputs.is_seen)
        )

    def is_calm(self, formula: "Formula", places: Indexes, quality: NDArray[np.uint8]) -> bool:
        """Tell whether some rules were false when they were judged last, with all inputs there and of this quality."""
        return bool(
            every(self.is_here[places] & (self.truth[places] == 0))
            and every(self.is_seen[places] & ~formula.lapsed[places] & (self.quality[places] == quality))
        )

    def put(self, places: Indexes, inputs: Inputs, truth: Truths) -> None:
        """Remember what some rules were judged by."""
        self.quality[places], self.is_seen[places] = inputs.quality, inputs.is_seen
        self.truth[places], self.is_here[places] = truth, True


class Formulas:
    """All expressions of one memory."""

    def __init__(self, table: RuleTable) -> None:
        self.parts: list[Formula] = []
        #: The EXPRESSION rules, ascending, int64 (e,).
        self.asked: Indexes = np.flatnonzero(table.kind == Kind.EXPRESSION)
        self.part_of: NDArray[np.int32] = np.full(len(table), -1, np.int32)
        self.place_of: NDArray[np.int64] = np.zeros(len(table), np.int64)
        self._sorted: dict[bytes, tuple[tuple[Formula, Indexes, Indexes], ...]] = {}  # the same few come each tick
        self._stirred: set[int] = set()
        self._news: deque[dict[str, Any]] = deque(maxlen=NEWS_MAX)
        self._names = [f"{rule.id} {digest(rule.when)}" if rule.when else "" for rule in table]
        for rules, program, expressions in compiled(table):
            self.part_of[rules] = len(self.parts)
            self.place_of[rules] = np.arange(len(rules))
            n, s = len(rules), len(program.sayings)
            self.parts.append(
                Formula(
                    rules=rules,
                    program=program,
                    state=State.fresh(program),
                    expressions=expressions,
                    said=np.full((n, s), -1, np.int8),
                    sides=np.full((n, s, 2), np.nan),
                    cause=np.zeros(n, np.int32),
                    said_at=np.full((n, 2, s), -1, np.int8),
                    sides_at=np.full((n, 2, s, 2), np.nan),
                    told_ns=np.zeros(n, np.int64),
                    lapsed=np.zeros(program.rows.shape, np.bool_),
                    still=_Still.of(program),
                )
            )

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __eq__(self, other: object) -> bool:
        """Tell whether two memories remember the same of the same rules."""
        if not isinstance(other, Formulas):
            return NotImplemented
        mine, theirs = self.freeze(), other.freeze()
        return mine.keys() == theirs.keys() and all(
            np.array_equal(column, theirs[name], equal_nan=column.dtype.kind == "f") for name, column in mine.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def of(self, rules: Indexes) -> Iterator[tuple[Formula, Indexes, Indexes]]:
        """Sort rules by shape: the formula, the places in ``rules``, and the places in the formula."""
        if not self.parts:
            return
        if len(rules) > SORTED_RULES_MAX:
            yield from self._sort(rules)
            return
        key = rules.tobytes()
        found = self._sorted.get(key)
        if found is None:
            if len(self._sorted) >= SORTED_MAX:
                self._sorted.clear()
            found = self._sorted[key] = tuple(self._sort(rules))
        yield from found

    def _sort(self, rules: Indexes) -> Iterator[tuple[Formula, Indexes, Indexes]]:
        part_of = self.part_of[rules]
        for part in sorted(set(part_of.tolist())):
            if part >= 0:
                at = np.flatnonzero(part_of == part)
                yield self.parts[part], at, self.place_of[rules[at]]

    def note(self, rules: Indexes, active: NDArray[np.bool_]) -> None:
        """Keep what was true when rules tripped or cleared, for their sentence."""
        for formula, at, places in self.of(rules):
            way = active[at].astype(np.int64)
            formula.said_at[places, way] = formula.said[places]
            formula.sides_at[places, way] = formula.sides[places]

    def explain(self, rule: int, *, is_active: bool) -> list[dict[str, Any]]:
        """Say which parts of a rule's expression were true when it tripped or let go last, and what they compared.

        Returns:
            For each part ``text``, ``is_true`` (None for unknown) and ``values``: what is no plain number, its value
            (None for unknown), and whether it is a tag.
        """
        formula, place, way = self.parts[self.part_of[rule]], int(self.place_of[rule]), int(is_active)
        expression = formula.expressions[place]
        places = lower(expression).parts
        parts: list[dict[str, Any]] = []
        said, sides = formula.said_at[place, way].tolist(), formula.sides_at[place, way].tolist()
        for step, truth, numbers in zip(formula.program.sayings, said, sides, strict=True):
            node = places[step]
            values = [
                {
                    "text": side.name if isinstance(side, TagName) else expression.text[side.start : side.end],
                    "value": number if math.isfinite(number) else None,
                    "is_tag": isinstance(side, TagName),
                }
                for side, number in zip(_sides(node), numbers, strict=False)
            ]
            parts.append(
                {
                    "text": expression.text[node.start : node.end],
                    "is_true": None if truth < 0 else bool(truth),
                    "values": [value for side, value in zip(_sides(node), values, strict=True) if not _is_number(side)],
                }
            )
        return parts[:PARTS_TOLD_MAX]

    def doubts(self, rule: int) -> tuple[str, str] | None:
        """Say why a rule is not judged at present: the reason and the part of its text; None where it is judged."""
        formula, place = self.parts[self.part_of[rule]], int(self.place_of[rule])
        code, step = divmod(int(formula.cause[place]), 1 << CAUSE_SHIFT)
        if code == 0:
            return None
        expression = formula.expressions[place]
        node = lower(expression).parts[step]
        return Unknown(code).name.lower(), expression.text[node.start : node.end]

    def is_met(self, rule: int) -> bool:
        """Tell whether a rule's expression was ever judged."""
        formula, place = self.parts[self.part_of[rule]], int(self.place_of[rule])
        return bool(formula.state.time_ns[place])

    def news(self) -> list[dict[str, Any]]:
        """Hand over which rules fell out of judgement by their own calculation since the last call."""
        told = list(self._news)
        self._news.clear()
        return told

    def stirred(self) -> list[int]:
        """Hand over the rules whose timers, counts or windows changed since the last call: these outlive a kill -9."""
        found, self._stirred = sorted(self._stirred), set()
        return found

    def keep(self, rule: int) -> str:
        """Give timers, counts and windows of a rule as text; empty where there is nothing to keep.

        A window keeps some six samples of its span, so it is written as often.
        """
        if self.part_of[rule] < 0:
            return ""
        state, place = self.parts[self.part_of[rule]].state, int(self.place_of[rule])
        kept = {name: getattr(state, name)[place].tolist() for name in LASTING}
        kept["count_ns"] = [[at_ns for at_ns in edges if at_ns] for edges in kept["count_ns"]]
        rings = zip(state.rate_ns[place].tolist(), state.rate_value[place].tolist(), strict=True)
        kept["rates"] = [[each for each in zip(*ring, strict=True) if each[0]] for ring in rings]
        is_idle = not any((*kept["held_since"], *kept["held_counted"], *kept["count_ns"], *kept["rates"]))
        if is_idle and all(truth < 0 for truth in kept["count_last"]):
            return ""
        return json.dumps({"name": self._names[rule], "time_ns": int(state.time_ns[place]), **kept})

    def forget(self) -> None:
        """Forget timers and counts: those that still run are put back, and a checkpoint may know some that ended."""
        for formula in self.parts:
            fresh = State.fresh(formula.program)
            for name in LASTING:
                getattr(formula.state, name)[:] = getattr(fresh, name)

    def put_back(self, rule: int, text: str) -> bool:
        """Put back what was kept of a rule; it is newer than the checkpoint.

        Returns:
            False where the rule says something else by now, so that what was kept is of no use.
        """
        if not text:
            return True
        kept = json.loads(text)
        if self.part_of[rule] < 0 or kept["name"] != self._names[rule]:
            return False
        state, place = self.parts[self.part_of[rule]].state, int(self.place_of[rule])
        state.time_ns[place] = max(int(state.time_ns[place]), kept["time_ns"])
        for name in LASTING[:3]:
            getattr(state, name)[place] = kept[name]
        state.count_ns[place] = 0
        for slot, edges in enumerate(kept["count_ns"]):
            state.count_ns[place, slot, : len(edges)] = edges
        for slot, samples in enumerate(kept.get("rates", ())):  # Before they were kept, the checkpoint had them.
            state.rate_ns[place, slot], state.rate_value[place, slot] = 0, np.nan
            for at, (at_ns, value) in enumerate(samples):
                state.rate_ns[place, slot, at], state.rate_value[place, slot, at] = at_ns, value
        return True

    def take(self, formula: Formula, places: Indexes, inputs: Inputs, time_ns: Times) -> tuple[Truths, Times]:
        """Run some rules of a formula; give their truth, and the time that counts."""
        layout, still = formula.program.layout, formula.still
        if still is not None and still.is_same(formula.lapsed, places, inputs):
            at_ns = formula.state.time_ns[places] = np.maximum(time_ns, formula.state.time_ns[places])
            return still.truth[places], at_ns
        before = _pulse(formula.state, places) if layout.helds or layout.counts or layout.rates else None
        verdict = run(formula.program, formula.state, places, inputs, time_ns)
        if before is not None:
            is_other = (_pulse(formula.state, places) != before).any(axis=1)
            self._stirred.update(formula.rules[places[is_other]].tolist())
        formula.said[places] = verdict.said
        formula.sides[places] = verdict.sides
        formula.cause[places] = verdict.cause
        formula.lapsed[places] = inputs.is_stale
        if still is not None:
            still.put(places, inputs, verdict.truth)
        at_ns = formula.state.time_ns[places]
        self._tell(formula, places, at_ns)
        return verdict.truth, at_ns

    def _tell(self, formula: Formula, places: Indexes, at_ns: Times) -> None:
        doubtful = np.isin(formula.cause[places] >> CAUSE_SHIFT, BY_CALCULATION)
        doubtful &= (at_ns - formula.told_ns[places] >= TELL_AGAIN_NS) | (formula.told_ns[places] == 0)
        formula.told_ns[places[doubtful]] = at_ns[doubtful]
        for place in places[doubtful]:
            rule = int(formula.rules[place])
            reason, text = self.doubts(rule) or ("", "")
            self._news.append(
                {"rule": rule, "reason": reason, "part": text, "time_ns": int(formula.state.time_ns[place])}
            )

    # ---- saved and restored exactly

    def freeze(self) -> dict[str, NDArray[Any]]:
        """Give all that is remembered as named columns; a rule's name holds its text, so a changed one starts anew."""
        columns: dict[str, NDArray[Any]] = {}
        for index, formula in enumerate(self.parts):
            columns[f"formula{index}.names"] = np.array([self._names[rule] for rule in formula.rules.tolist()], np.str_)
            columns[f"formula{index}.told_ns"] = formula.told_ns
            for column in fields(State):
                columns[f"formula{index}.{column.name}"] = getattr(formula.state, column.name)
        return columns

    def thaw(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Put back what belongs to a rule that still says the same."""
        here = {
            self._names[rule]: (formula, place)
            for formula in self.parts
            for place, rule in enumerate(formula.rules.tolist())
        }
        index = 0
        while f"formula{index}.names" in columns:
            part = f"formula{index}."
            for there, name in enumerate(columns[part + "names"].tolist()):
                if name not in here:
                    continue
                formula, place = here[name]
                formula.told_ns[place] = columns[part + "told_ns"][there]
                for column in fields(State):
                    getattr(formula.state, column.name)[place] = columns[part + column.name][there]
            index += 1

    def freeze_all(self) -> dict[str, NDArray[Any]]:
        """Give all that is remembered, also what was said last, as the arrays themselves: for the same table again."""
        columns: dict[str, NDArray[Any]] = {}
        for index, formula in enumerate(self.parts):
            columns |= {f"formula{index}.{each.name}": getattr(formula.state, each.name) for each in fields(State)}
            columns |= {f"formula{index}.{name}": getattr(formula, name) for name in BESIDE_STATE}
        return columns

    def copy_from(self, other: "Formulas", rules: Indexes) -> None:
        """Take over what another memory remembers; ``rules`` names its rule for each rule of this one, -1 for none."""
        for formula in self.parts:
            wanted = rules[formula.rules]
            known = np.flatnonzero(wanted >= 0)
            for theirs, found, places in other.of(wanted[known]):
                at = known[found]
                formula.state.put(at, theirs.state.take(places))
                for name in BESIDE_STATE:
                    getattr(formula, name)[at] = getattr(theirs, name)[places]
                if formula.still is not None:
                    formula.still.is_here[at] = False


def _pulse(state: State, places: Indexes) -> Times:
    """Give what changes when a timer starts or stops, an edge is counted or a window keeps a sample, int64 (m, w)."""
    columns = (state.held_since, state.held_counted, state.count_last, state.count_ns[:, :, 0], state.rate_ns[:, :, 0])
    return np.concatenate([column[places].astype(np.int64) for column in columns], axis=1)


def _sides(node: Part) -> tuple[Node, ...]:
    """Give what a part compares; of a bit its tag; nothing of a quality or silence."""
    if isinstance(node, Comparison) and not isinstance(node.left, Text) and not isinstance(node.right, Text):
        return (node.left, node.right)
    return node.arguments[:1] if isinstance(node, Call) and node.name == "bit" else ()


def _is_number(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Negative) and isinstance(node.operand, Number))


def compiled(table: RuleTable) -> list[tuple[Indexes, Program, tuple[Expression, ...]]]:
    """Compile the expressions of a table, once: the rules of each shape, their program, and what was written."""
    if "formulas" not in table.made:
        rules = np.flatnonzero(table.is_formula)
        units = {tag.name: tag.eu for tag in table.tags} if len(rules) else {}
        expressions = [_settled(table, int(rule), units) for rule in rules]
        table.made["formulas"] = [
            (rules[places], program, tuple(expressions[place] for place in places.tolist()))
            for places, program in compile_programs(expressions, table.tags.row_of)
        ]
    made: list[tuple[Indexes, Program, tuple[Expression, ...]]] = table.made["formulas"]
    return made


def _settled(table: RuleTable, rule: int, units: Mapping[str, str]) -> Expression:
    """Read a rule's expression; its outermost ``for`` is the rule's on-delay, which commits with every change."""
    if table.kind[rule] == Kind.GATE:
        return read(table[rule].when, units)
    expression, hold_ns = read(table[rule].when, units).without_hold()
    assert hold_ns in (0, table.on_ns[rule]), f"{table[rule].id}: the outermost for is the on-delay"
    return expression


# ---- what a memory says about the tags of a formula


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the sources have come.

    Attributes:
        watermark: Of each source, int64 (sources,).
        source: The source of the scan that is judged, -1 for a clock reading.
        newest_ns: How far that source has come with the scan, for each rule that is asked about, int64 (m,).
    """

    watermark: Times
    source: int = -1
    newest_ns: Times = field(default_factory=lambda: np.empty(0, np.int64))

    def come_ns(self, sources: NDArray[np.int32], at: Indexes) -> Times:
        """Tell how far the source of each tag has come, int64 (m, i); ``at`` places the m rules among those asked."""
        come = self.watermark[sources]
        if self.source >= 0:
            come = np.where(sources == self.source, self.newest_ns[at][:, None], come)
        return come


def time_by_clock(memory: "Memory", rules: Indexes, watermark: Times) -> Times:
    """Tell how far the time of rules has come at a clock reading: the furthest of their tags, int64 (m,)."""
    time_ns = np.zeros(len(rules), np.int64)
    for formula, at, places in memory.formulas.of(rules):
        time_ns[at] = greatest_across(watermark[memory.source[formula.program.rows[places]]])
    return time_ns


def moments(memory: "Memory", rules: Indexes, until_ns: Times, reach: Reach) -> Iterator[tuple[Indexes, Truths, Times]]:
    """Judge rules at each moment up to a time at which their truth may change, oldest first for each rule.

    Args:
        rules: Indexes of EXPRESSION rules, (m,).
        until_ns: Up to when, in each rule's time, int64 (m,).
        reach: How far the sources have come by then.

    Yields:
        Rules that were judged, their truth, and when.
    """
    for formula, at, places in memory.formulas.of(rules):
        until = until_ns[at]
        lapse_ns = _lapse(memory, formula.program.rows[places], until, reach, at)
        lapse_ns = _not_missed(formula, places, lapse_ns)
        while True:
            due = next_due(formula.program, formula.state, places, lapse_ns)
            mine = places_of(due <= until)
            if len(mine) == 0:
                break
            inputs = _inputs(memory, formula.program.rows[places[mine]], lapse_ns[mine], due[mine], None)
            truth, time_ns = memory.formulas.take(formula, places[mine], inputs, due[mine])
            yield formula.rules[places[mine]], truth, time_ns


def judge(
    memory: "Memory", rules: Indexes, time_ns: Times, reach: Reach, new_rows: NDArray[np.int32]
) -> Iterator[tuple[Indexes, Truths, Times]]:
    """Judge rules by a scan that memory has taken; ``new_rows`` are the rows of its judged samples."""
    for formula, at, places in memory.formulas.of(rules):
        rows = formula.program.rows[places]
        # A rule's time never goes back; what its tags' sources have come to is counted from there.
        at_ns = np.maximum(time_ns[at], formula.state.time_ns[places])
        lapse_ns = _lapse(memory, rows, at_ns, reach, at)
        inputs = _inputs(memory, rows, lapse_ns, at_ns, new_rows)
        truth, when_ns = memory.formulas.take(formula, places, inputs, at_ns)
        yield formula.rules[places], truth, when_ns


def stay_as_they_are(memory: "Memory", rules: Indexes, time_ns: Times) -> bool:
    """Let time pass for rules that look at quality and silence alone, where a scan can change nothing of these.

    The caller has made sure that all samples of the scan are GOOD, as those before them, and that no input is silent by
    then. Before memory takes the scan.

    Args:
        rules: Indexes of EXPRESSION rules, (m,).
        time_ns: When the scan judges each, int64 (m,).

    Returns:
        False where they have to be judged; nothing has changed then.
    """
    if some(memory.is_active[rules]) or not is_all_zero(memory.phase[rules]):
        return False
    found = list(memory.formulas.of(rules))
    for formula, _, places in found:
        still = formula.still
        if still is None or not still.is_calm(formula, places, memory.quality[formula.program.rows[places]]):
            return False
    for formula, at, places in found:
        formula.state.time_ns[places] = np.maximum(time_ns[at], formula.state.time_ns[places])
    return True


def dues_ns(memory: "Memory", ahead_ns: Times) -> Times:
    """Tell the receive times at which the truth of rules may change without a sample, int64; NEVER_NS for never.

    Args:
        ahead_ns: By how much the receive time is ahead of each source's time, int64 (sources,).
    """
    found = [np.empty(0, np.int64)]
    for formula in memory.formulas.parts:
        rows = formula.program.rows
        ahead = ahead_ns[memory.source[rows]]
        lead = ahead.min(axis=1)
        lapse_ns = np.where(memory.is_watched[rows], _silent_at(memory, rows) + ahead - lead[:, None], NEVER_NS)
        everyone = np.arange(len(rows))
        due = next_due(formula.program, formula.state, everyone, _not_missed(formula, everyone, lapse_ns))
        found.append((due + lead)[due < NEVER_NS])
    return np.concatenate(found)


def _silent_at(memory: "Memory", rows: NDArray[np.int32]) -> Times:
    silent: Times = np.maximum(memory.last_ns[rows], memory.awaited_ns[rows]) + memory.stale_ns[rows]
    return np.minimum(silent, NEVER_NS)


def _lapse(memory: "Memory", rows: NDArray[np.int32], at_ns: Times, reach: Reach, at: Indexes) -> Times:
    """Tell when each tag falls stale if nothing comes, in the rule's time, int64 (m, i)."""
    lapse = _silent_at(memory, rows) + (at_ns[:, None] - reach.come_ns(memory.source[rows], at))
    return np.where(memory.is_watched[rows], lapse, NEVER_NS)


def _not_missed(formula: Formula, places: Indexes, lapse_ns: Times) -> Times:
    """Put off to the next moment what fell stale before a rule's time without being told; leave the past what was told.

    A sample may be older than the clock reading at which the rule was judged; its tag may be stale before that time.
    A rule's time may run on by the clock of another source than the one that told it a tag was stale; that is not told
    once more, or what comes next would count from there.
    """
    now = formula.state.time_ns[places][:, None]
    return np.where(formula.lapsed[places], np.minimum(lapse_ns, now), np.maximum(lapse_ns, now + 1))


def _inputs(
    memory: "Memory", rows: NDArray[np.int32], lapse_ns: Times, at_ns: Times, new_rows: NDArray[np.int32] | None
) -> Inputs:
    last, valued, quality = memory.last_ns[rows], memory.value_ns[rows], memory.quality[rows]
    is_stale = at_ns[:, None] >= lapse_ns
    return Inputs(
        value=memory.value[rows],
        quality=quality,
        is_known=(valued > 0) & (valued == last) & ~is_stale,
        # A restart sets tags to how far their source had come, those too that never came; a judged sample leaves its
        # time, any other one a quality that is not GOOD.
        is_seen=(valued > 0) | (quality != np.uint8(Quality.GOOD)),
        is_stale=is_stale,
        is_new=_is_among(rows, new_rows) if new_rows is not None else np.zeros(rows.shape, np.bool_),
    )


def _is_among(rows: NDArray[np.int32], some: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which rows are among some; a few are compared with each, which costs less than sorting them."""
    if rows.size * len(some) > FEW_PAIRS:
        return np.isin(rows, some)
    found: NDArray[np.bool_] = (rows[..., None] == some).any(axis=-1)
    return found
