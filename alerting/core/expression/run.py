"""Run: judge some rules of a program at given times, and keep what their windows need.

Flow: inputs at a time -> [run] -> truth, cause -> delays of the rule
Why: between two samples a truth can change only when a ``for`` is full, a counted edge leaves its window or a tag falls
stale; ``next_due`` says when, so that the caller can look exactly then and nowhere else.
Never: looks at a time before the last one of the same rule.

Semantics, with t the time of the run:

* ``E for d``: counts the time during which E is true; pauses while E is unknown; starts anew when E is false. True when
  E is true and d is counted, false when E is known otherwise, unknown while E is.
* ``count(E, w)``: rising edges in (t - w, t]: E true now and false when it was known last. The first known truth is no
  edge. Unknown while E is. At most the newest ``COUNT_MAX`` are kept.
* ``vote(k, …)`` is true where as many are true as k less the unknown ones, at least 1, ``vote_keep(k, …)`` where k are;
  false where fewer than k are true or unknown; else unknown.
* ``rate(x, w)`` is (v - v0) / (t - t0) per second, ``delta(x, w)`` is v - v0, against the newest kept sample at least w
  and at most 2 w old; taken at each judged sample of the tag, held until the next. Samples are kept w / 6 apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerting.core.expression.check import COUNT_MAX
from alerting.core.expression.program import CAUSE_SHIFT, Bools, Floats, Indexes, Op, Program, Step, Times, Unknown
from edge.model.quality import CLASS_MASK, Quality

NEVER_NS = np.iinfo(np.int64).max // 4
PAUSED = 0  # ``held_since`` while a ``for`` does not count
RING = 8  # kept samples of a rate
GAP_WINDOWS = 2  # Older kept samples say nothing about the present rate.
WHOLE_MAX = 2.0**53
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)  # in registers, so that "and" is the least
NO_TRUTH_YET = np.int8(-1)
CLASSES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)

Truths: TypeAlias = NDArray[np.int8]
Causes: TypeAlias = NDArray[np.int32]


@dataclass(slots=True)
class Inputs:
    """Tags of the rules of one run, each column of shape (m, i).

    Attributes:
        value: Last judged value, float64; anything where it is not known.
        quality: Quality byte of the last sample, uint8.
        is_known: The last sample was judged, and the tag is not stale.
        is_seen: There was a sample.
        is_stale: Data stopped coming.
        is_new: The sample that this run is about is this tag's, and judged.
    """

    value: Floats
    quality: NDArray[np.uint8]
    is_known: Bools
    is_seen: Bools
    is_stale: Bools
    is_new: Bools


@dataclass(slots=True)
class State:
    """What the n rules of a program remember; every column has the rule first.

    Attributes:
        time_ns: When each rule was judged last, int64 (n,); 0 before the first.
        held_since, held_counted: Of each ``for``: counting since, 0 while not, and counted before, int64 (n, helds).
        count_last: Of each ``count``: truth when known last, -1 before, int8 (n, counts).
        count_ns: Kept rising edges, newest first, 0 for none, int64 (n, counts, COUNT_MAX).
        rate_ns, rate_value: Kept samples of each rate and delta, newest first, (n, rates, RING).
        rate_held: Its value since the tag's last judged sample, NaN for none, float64 (n, rates).
    """

    time_ns: Times
    held_since: Times
    held_counted: Times
    count_last: Truths
    count_ns: Times
    rate_ns: Times
    rate_value: Floats
    rate_held: Floats

    @classmethod
    def fresh(cls, program: Program) -> "State":
        """Make the state in which nothing has been seen."""
        n, layout = len(program), program.layout
        return cls(
            time_ns=np.zeros(n, np.int64),
            held_since=np.zeros((n, layout.helds), np.int64),
            held_counted=np.zeros((n, layout.helds), np.int64),
            count_last=np.full((n, layout.counts), NO_TRUTH_YET, np.int8),
            count_ns=np.zeros((n, layout.counts, COUNT_MAX), np.int64),
            rate_ns=np.zeros((n, layout.rates, RING), np.int64),
            rate_value=np.full((n, layout.rates, RING), np.nan),
            rate_held=np.full((n, layout.rates), np.nan),
        )

    def take(self, rules: Indexes) -> "State":
        """Copy the columns of some rules."""
        return State(*(getattr(self, field.name)[rules] for field in fields(self)))

    def put(self, rules: Indexes, other: "State") -> None:
        """Put the columns of other rules, of the same shape, in the place of some."""
        for field in fields(self):
            getattr(self, field.name)[rules] = getattr(other, field.name)


@dataclass(slots=True)
class Verdict:
    """What a run found, of each of its m rules.

    Attributes:
        truth: 1 true, 0 false, -1 unknown, int8 (m,).
        cause: Why it is unknown: ``Unknown << CAUSE_SHIFT | step``; 0 where it is known, int32 (m,).
        said: Truth of each step that says something about tags by itself, int8 (m, sayings).
        sides: The numbers that it compares, or the tag's value, float64 (m, sayings, 2); NaN for none or unknown.
    """

    truth: Truths
    cause: Causes
    said: Truths
    sides: Floats


def run(program: Program, state: State, rules: Indexes, inputs: Inputs, time_ns: Times) -> Verdict:
    """Judge rules at a time each, and remember.

    Args:
        rules: Places in the program, each at most once, (m,).
        time_ns: Times, int64 (m,); one before the rule's last time counts as that.
    """
    time_ns = np.maximum(time_ns, state.time_ns[rules])
    turn = _Run(program, state, rules, inputs, time_ns)
    with np.errstate(all="ignore"):  # Overflow and division by zero become unknown, with their cause.
        for step in program.steps:
            turn.do(step)
    state.time_ns[rules] = time_ns
    truth, cause = turn.truth[-1], turn.cause[-1]
    said, sides = turn.told()
    return Verdict(
        truth=np.array([0, -1, 1], np.int8)[truth],
        cause=np.where(truth == UNKNOWN, cause, np.int32(0)),
        said=said,
        sides=sides,
    )


def next_due(program: Program, state: State, rules: Indexes, lapse_ns: Times) -> Times:
    """Tell when the truth may change next without a new sample, int64 (m,); NEVER_NS for never.

    Args:
        lapse_ns: When each input falls stale if nothing comes, int64 (m, i).
    """
    waits = [lapse_ns] if lapse_ns.shape[1] else []
    if program.layout.helds:
        since = state.held_since[rules]
        waits.append(np.where(since != PAUSED, since + program.held_ns[rules] - state.held_counted[rules], NEVER_NS))
    if program.layout.counts:
        edges = state.count_ns[rules]
        leaves = np.where(edges > 0, edges + program.count_ns[rules][:, :, None], NEVER_NS)
        waits.append(leaves.reshape(len(rules), -1))
    if not waits:
        return np.full(len(rules), NEVER_NS, np.int64)
    times = waits[0] if len(waits) == 1 else np.concatenate(waits, axis=1)
    due: Times = np.where(times > state.time_ns[rules][:, None], times, NEVER_NS).min(axis=1)
    return due


class _Run:
    """The registers of one run: ``number`` or ``truth`` of each step, and the cause where it is unknown."""

    def __init__(self, program: Program, state: State, rules: Indexes, inputs: Inputs, time_ns: Times) -> None:
        self.program, self.state, self.rules, self.inputs, self.time_ns = program, state, rules, inputs, time_ns
        self.number: list[Floats] = []
        self.truth: list[Truths] = []
        self.cause: list[Causes] = []
        self.known = np.zeros(len(rules), np.int32)

    def do(self, step: Step) -> None:
        number, truth = _NO_NUMBER, _NO_TRUTH
        if step.op in _NUMBERS:
            number, cause = _NUMBERS[step.op](self, step)
            cause = self._because(cause, ~np.isfinite(number), Unknown.TOO_LARGE)
        else:
            truth, cause = _TRUTHS[step.op](self, step)
        self.number.append(number)
        self.truth.append(truth)
        self.cause.append(cause)

    def told(self) -> tuple[Truths, Floats]:
        """Give truth and numbers of the steps that say something by themselves."""
        sayings = self.program.sayings
        said = np.empty((len(self.rules), len(sayings)), np.int8)
        sides = np.full((len(self.rules), len(sayings), 2), np.nan)
        for column, place in enumerate(sayings):
            step = self.program.steps[place]
            said[:, column] = np.array([0, -1, 1], np.int8)[self.truth[place]]
            if step.op is Op.BIT:
                sides[:, column, 0] = np.where(self.cause[place] == 0, self.inputs.value[:, step.tag], np.nan)
            for side, register in enumerate(step.of):
                sides[:, column, side] = np.where(self.cause[register] == 0, self.number[register], np.nan)
        return said, sides

    # ---- causes

    def _because(self, cause: Causes, where: Bools, why: Unknown) -> Causes:
        """Add a cause of this step where there is none yet."""
        return np.where(where & (cause == 0), np.int32(why << CAUSE_SHIFT | len(self.cause)), cause).astype(np.int32)

    def _first_cause(self, step: Step) -> Causes:
        cause = self.known
        for register in step.of:
            cause = np.where(cause == 0, self.cause[register], cause)
        return cause

    def _tag_cause(self, tag: int) -> Causes:
        inputs = self.inputs
        unknown = ~inputs.is_known[:, tag]
        cause = self._because(self.known, unknown & ~inputs.is_seen[:, tag], Unknown.UNSEEN)
        cause = self._because(cause, unknown & inputs.is_stale[:, tag], Unknown.STALE)
        cause = self._because(cause, unknown & (inputs.quality[:, tag] >= Quality.BAD), Unknown.BAD)
        return self._because(cause, unknown, Unknown.NOT_JUDGED)

    # ---- numbers

    def constant(self, step: Step) -> tuple[Floats, Causes]:
        return self.program.numbers[self.rules, step.slot], self.known

    def tag(self, step: Step) -> tuple[Floats, Causes]:
        return self.inputs.value[:, step.tag], self._tag_cause(step.tag)

    def arithmetic(self, step: Step) -> tuple[Floats, Causes]:
        cause = self._first_cause(step)
        first, *rest = (self.number[register] for register in step.of)
        if step.op is Op.NEGATIVE:
            return -first, cause
        if step.op is Op.ABS:
            return np.abs(first), cause
        if step.op is Op.DIVIDE:
            return first / rest[0], self._because(cause, rest[0] == 0, Unknown.DIVISION)
        for other in rest:
            first = _FOLD[step.op](first, other)
        return first / len(step.of) if step.op is Op.AVG else first, cause

    def count(self, step: Step) -> tuple[Floats, Causes]:
        state, rules, slot = self.state, self.rules, step.slot
        truth = self.truth[step.of[0]]
        rises = rules[(truth == TRUE) & (state.count_last[rules, slot] == 0)]
        state.count_ns[rises, slot, 1:] = state.count_ns[rises, slot, :-1]
        state.count_ns[rises, slot, 0] = self.time_ns[(truth == TRUE) & (state.count_last[rules, slot] == 0)]
        state.count_last[rules, slot] = np.where(
            truth == UNKNOWN, state.count_last[rules, slot], (truth == TRUE).astype(np.int8)
        )
        edges = state.count_ns[rules, slot]
        since = self.time_ns - self.program.count_ns[rules, slot]
        return ((edges > 0) & (edges > since[:, None])).sum(axis=1).astype(np.float64), self._first_cause(step)

    def change(self, step: Step) -> tuple[Floats, Causes]:
        state, slot, tag = self.state, step.slot, step.tag
        new = self.inputs.is_new[:, tag] & self.inputs.is_known[:, tag]
        rules, time_ns, value = self.rules[new], self.time_ns[new], self.inputs.value[new, tag]
        if len(rules):
            window = self.program.rate_ns[rules, slot]
            change, span_ns = _against_kept(state, rules, slot, window, time_ns, value)
            state.rate_held[rules, slot] = change if step.op is Op.DELTA else change / (span_ns / 1e9)
        held = state.rate_held[self.rules, slot]
        return held, self._because(self._tag_cause(tag), np.isnan(held), Unknown.WINDOW)

    # ---- truths

    def compare(self, step: Step) -> tuple[Truths, Causes]:
        left, right = (self.number[register] for register in step.of)
        return self._told(_COMPARE[step.op](left, right), self._first_cause(step))

    def _told(self, holds: Bools, cause: Causes) -> tuple[Truths, Causes]:
        return np.where(cause != 0, UNKNOWN, np.where(holds, TRUE, FALSE)), cause

    def junction(self, step: Step) -> tuple[Truths, Causes]:
        several = np.stack([self.truth[register] for register in step.of])
        truth = several.min(axis=0) if step.op is Op.AND else several.max(axis=0)
        return truth, np.where(truth == UNKNOWN, self._first_cause(step), np.int32(0))

    def vote(self, step: Step) -> tuple[Truths, Causes]:
        """K of n: what is unknown leaves the vote, and lowers k where the vote says so, to 1 at least."""
        several = np.stack([self.truth[register] for register in step.of])
        yes, unknown = (several == TRUE).sum(axis=0), (several == UNKNOWN).sum(axis=0)
        need = np.maximum(step.slot - unknown, 1) if step.op is Op.VOTE else step.slot
        # What is unknown never lets go of a vote that it could have met.
        truth = np.where(yes >= need, TRUE, np.where(yes + unknown < step.slot, FALSE, UNKNOWN)).astype(np.int8)
        return truth, np.where(truth == UNKNOWN, self._first_cause(step), np.int32(0))

    def negation(self, step: Step) -> tuple[Truths, Causes]:
        return TRUE - self.truth[step.of[0]], self.cause[step.of[0]]

    def literal(self, step: Step) -> tuple[Truths, Causes]:
        return np.full(len(self.rules), TRUE if step.slot else FALSE, np.int8), self.known

    def held(self, step: Step) -> tuple[Truths, Causes]:
        state, rules, slot, now = self.state, self.rules, step.slot, self.time_ns
        truth = self.truth[step.of[0]]
        since, counted = state.held_since[rules, slot], state.held_counted[rules, slot]
        since = np.where((truth == TRUE) & (since == PAUSED), now, since)
        counting = since != PAUSED
        counted = np.where((truth == UNKNOWN) & counting, counted + (now - since), counted)
        counted = np.where(truth == FALSE, 0, counted)
        since = np.where(truth == TRUE, since, PAUSED)
        state.held_since[rules, slot], state.held_counted[rules, slot] = since, counted
        is_full = (truth == TRUE) & (counted + (now - since) >= self.program.held_ns[rules, slot])
        cause = self.cause[step.of[0]]
        return np.where(truth == UNKNOWN, UNKNOWN, np.where(is_full, TRUE, FALSE)), cause

    def bit(self, step: Step) -> tuple[Truths, Causes]:
        value, cause = self.inputs.value[:, step.tag], self._tag_cause(step.tag)
        is_whole = (np.abs(value) < WHOLE_MAX) & (value == np.rint(value))
        cause = self._because(cause, ~is_whole, Unknown.NOT_WHOLE)
        whole = np.where(cause == 0, value, 0.0).astype(np.int64)
        return self._told((whole >> step.slot) & 1 == 1, cause)

    def quality(self, step: Step) -> tuple[Truths, Causes]:
        cause = self._because(self.known, ~self.inputs.is_seen[:, step.tag], Unknown.UNSEEN)
        return self._told(self.inputs.quality[:, step.tag] & CLASS_MASK == CLASSES[step.slot], cause)

    def is_stale(self, step: Step) -> tuple[Truths, Causes]:
        return self._told(self.inputs.is_stale[:, step.tag], self.known)


def _against_kept(
    state: State, rules: Indexes, slot: int, window: Times, time_ns: Times, value: Floats
) -> tuple[Floats, Times]:
    """Give the change against the newest kept sample that is old enough, NaN for none, and its age; keep samples."""
    kept_ns, kept_value = state.rate_ns[rules, slot], state.rate_value[rules, slot]
    ages = time_ns[:, None] - kept_ns
    kept = (kept_ns > 0) & (ages <= GAP_WINDOWS * window[:, None])
    usable = kept & (ages >= window[:, None])
    each = np.arange(len(rules))
    newest = np.argmax(usable, axis=1)
    has = usable[each, newest]
    change = np.where(has, value - kept_value[each, newest], np.nan)
    span_ns = np.where(has, ages[each, newest], 1)

    is_gap = ~kept.any(axis=1)
    due = is_gap | (ages[:, 0] >= window // (RING - 2))
    kept_ns[due, 1:], kept_value[due, 1:] = kept_ns[due, :-1], kept_value[due, :-1]
    kept_ns[due, 0], kept_value[due, 0] = time_ns[due], value[due]
    kept_ns[is_gap, 1:] = 0
    state.rate_ns[rules, slot], state.rate_value[rules, slot] = kept_ns, kept_value
    return change, span_ns


_NO_NUMBER: Floats = np.empty(0)
_NO_TRUTH: Truths = np.empty(0, np.int8)
_FOLD: dict[Op, Callable[[Floats, Floats], Floats]] = {
    Op.ADD: np.add,
    Op.SUBTRACT: np.subtract,
    Op.MULTIPLY: np.multiply,
    Op.MIN: np.minimum,
    Op.MAX: np.maximum,
    Op.AVG: np.add,
}
_COMPARE: dict[Op, Callable[[Floats, Floats], Bools]] = {
    Op.GREATER: np.greater,
    Op.GREATER_EQUAL: np.greater_equal,
    Op.LESS: np.less,
    Op.LESS_EQUAL: np.less_equal,
    Op.EQUAL: np.equal,
    Op.UNEQUAL: np.not_equal,
}
_NUMBERS: dict[Op, Callable[[_Run, Step], tuple[Floats, Causes]]] = {
    Op.NUMBER: _Run.constant,
    Op.TAG: _Run.tag,
    Op.NEGATIVE: _Run.arithmetic,
    Op.ABS: _Run.arithmetic,
    Op.DIVIDE: _Run.arithmetic,
    **dict.fromkeys(_FOLD, _Run.arithmetic),
    Op.COUNT: _Run.count,
    Op.RATE: _Run.change,
    Op.DELTA: _Run.change,
}
_TRUTHS: dict[Op, Callable[[_Run, Step], tuple[Truths, Causes]]] = {
    **dict.fromkeys(_COMPARE, _Run.compare),
    Op.AND: _Run.junction,
    Op.OR: _Run.junction,
    Op.VOTE: _Run.vote,
    Op.VOTE_KEEP: _Run.vote,
    Op.NOT: _Run.negation,
    Op.CONSTANT: _Run.literal,
    Op.HELD: _Run.held,
    Op.BIT: _Run.bit,
    Op.QUALITY: _Run.quality,
    Op.IS_STALE: _Run.is_stale,
}
