"""Program: an expression as flat array operations over all rules of the same shape.

Flow: Expressions -> [compile_alike] -> Program -> run(inputs, times) -> truth and cause, and what it remembers
Why: a template's expression, used by 300 devices, is one list of array operations; numbers and times are columns, so
that devices may differ in them.
Never: evaluates text, reads a clock, takes NaN for true or for false.

Truth is three-valued (Kleene): ``false and unknown`` is false, ``true or unknown`` is true, all else with an unknown
operand is unknown. A number is unknown where a tag is BAD, stale or not yet seen, after a division by zero, beyond
float64, and while a window is not full; an unknown result carries its cause.

Letters: i input (tag), m the rules of one run, r register.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerting.core.expression.check import QUALITIES, Expression
from alerting.core.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Held,
    Junction,
    Negative,
    Node,
    Not,
    Number,
    Part,
    TagName,
    Text,
    Truth,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Times = NDArray[np.int64]
Indexes = NDArray[np.int64]


class Op(IntEnum):
    """One array operation."""

    NUMBER = 1
    TAG = 2
    NEGATIVE = 3
    ABS = 4
    ADD = 5
    SUBTRACT = 6
    MULTIPLY = 7
    DIVIDE = 8
    MIN = 9
    MAX = 10
    AVG = 11
    GREATER = 12
    GREATER_EQUAL = 13
    LESS = 14
    LESS_EQUAL = 15
    EQUAL = 16
    UNEQUAL = 17
    AND = 18
    OR = 19
    NOT = 20
    CONSTANT = 21
    HELD = 22
    COUNT = 23
    RATE = 24
    DELTA = 25
    BIT = 26
    QUALITY = 27
    IS_STALE = 28
    VOTE = 29
    VOTE_KEEP = 30


class Unknown(IntEnum):
    """Why a result is unknown."""

    BAD = 1  # the tag's quality
    STALE = 2  # the tag's data stopped coming
    UNSEEN = 3  # no sample of the tag yet
    NOT_JUDGED = 4  # the tag's last sample is not judged (retained)
    DIVISION = 5  # by zero
    TOO_LARGE = 6  # beyond float64
    WINDOW = 7  # the window of a rate or delta is not full yet
    NOT_WHOLE = 8  # a bit of a number that is not whole, or beyond 53 bits


CAUSE_SHIFT = 16  # cause = Unknown << 16 | step


class Step(NamedTuple):
    """One operation of a program.

    Attributes:
        op: What is done.
        of: Registers that it reads; the step's own place is the register that it writes.
        slot: Which number, tag, memory, bit, quality or constant, by operation.
        tag: Which input, of operations that are asked of a tag.
    """

    op: Op
    of: tuple[int, ...] = ()
    slot: int = 0
    tag: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """What a shape keeps: numbers, and windows of each family of steps with memory."""

    inputs: int
    numbers: int
    helds: int
    counts: int
    rates: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """One expression as steps, with what belongs to it alone."""

    steps: tuple[Step, ...]
    layout: Layout
    numbers: tuple[float, ...]
    held_ns: tuple[int, ...]
    count_ns: tuple[int, ...]
    rate_ns: tuple[int, ...]
    parts: tuple[Part, ...]  # of each step, where it stands in the text


_COMPARE = {
    ">": Op.GREATER,
    ">=": Op.GREATER_EQUAL,
    "<": Op.LESS,
    "<=": Op.LESS_EQUAL,
    "==": Op.EQUAL,
    "!=": Op.UNEQUAL,
}
_ARITHMETIC = {"+": Op.ADD, "-": Op.SUBTRACT, "*": Op.MULTIPLY, "/": Op.DIVIDE}
_PLAIN_CALL = {"abs": Op.ABS, "min": Op.MIN, "max": Op.MAX, "avg": Op.AVG}

#: Steps that say something true or false about tags by themselves; an explanation names them.
SAYING = frozenset({*_COMPARE.values(), Op.BIT, Op.QUALITY, Op.IS_STALE})


def lower(expression: Expression) -> Lowered:
    """Put an expression into steps, operands before what reads them."""
    return _Lowering(expression).lowered()


class _Lowering:
    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.input_of = {name: place for place, name in enumerate(expression.tags)}
        self.steps: list[Step] = []
        self.parts: list[Part] = []
        self.numbers: list[float] = []
        self.held_ns: list[int] = []
        self.count_ns: list[int] = []
        self.rate_ns: list[int] = []
        self.put(expression.tree)

    def lowered(self) -> Lowered:
        layout = Layout(len(self.input_of), len(self.numbers), len(self.held_ns), len(self.count_ns), len(self.rate_ns))
        return Lowered(
            tuple(self.steps),
            layout,
            tuple(self.numbers),
            tuple(self.held_ns),
            tuple(self.count_ns),
            tuple(self.rate_ns),
            tuple(self.parts),
        )

    def put(self, node: Node) -> int:  # noqa: PLR0911 - one line for each kind of node
        """Add the steps of a node; give the register of its result."""
        match node:
            case Number():
                self.numbers.append(self.expression.numbers[node.start])
                return self._add(node, Step(Op.NUMBER, slot=len(self.numbers) - 1))
            case Truth(value=value):
                return self._add(node, Step(Op.CONSTANT, slot=int(value)))
            case TagName():
                return self._add(node, Step(Op.TAG, tag=self._input(node)))
            case Negative(operand=operand):
                return self._add(node, Step(Op.NEGATIVE, (self.put(operand),)))
            case Not(operand=operand):
                return self._add(node, Step(Op.NOT, (self.put(operand),)))
            case Arithmetic(sign=sign, left=left, right=right):
                return self._add(node, Step(_ARITHMETIC[sign], (self.put(left), self.put(right))))
            case Comparison():
                return self._comparison(node)
            case Junction(word=word, operands=operands):
                op = Op.AND if word == "and" else Op.OR
                return self._add(node, Step(op, tuple(self.put(operand) for operand in operands)))
            case Held(operand=operand, span=span):
                of = (self.put(operand),)
                return self._add(node, Step(Op.HELD, of, slot=self._window(self.held_ns, span)))
            case Call():
                return self._call(node)
            case _:
                raise AssertionError(node)  # Holes and words never get through the check.

    def _comparison(self, node: Comparison) -> int:
        for asked, word in ((node.left, node.right), (node.right, node.left)):
            if isinstance(asked, Call) and isinstance(word, Text):
                step = Step(Op.QUALITY, slot=QUALITIES.index(word.value), tag=self._input(asked.arguments[0]))
                place = self._add(node, step)
                return place if node.sign == "==" else self._add(node, Step(Op.NOT, (place,)))
        return self._add(node, Step(_COMPARE[node.sign], (self.put(node.left), self.put(node.right))))

    def _call(self, node: Call) -> int:
        first = node.arguments[0]
        match node.name:
            case "count":
                of = (self.put(first),)
                return self._add(node, Step(Op.COUNT, of, slot=self._window(self.count_ns, node.arguments[1])))
            case "rate" | "delta":
                op = Op.RATE if node.name == "rate" else Op.DELTA
                slot = self._window(self.rate_ns, node.arguments[1])
                return self._add(node, Step(op, slot=slot, tag=self._input(first)))
            case "bit":
                bit = node.arguments[1]
                assert isinstance(bit, Number)
                return self._add(node, Step(Op.BIT, slot=int(bit.value), tag=self._input(first)))
            case "vote" | "vote_keep":
                assert isinstance(first, Number)
                op = Op.VOTE if node.name == "vote" else Op.VOTE_KEEP
                voters = tuple(self.put(voter) for voter in node.arguments[1:])
                return self._add(node, Step(op, voters, slot=int(first.value)))
            case "is_bad":
                return self._add(node, Step(Op.QUALITY, slot=QUALITIES.index("BAD"), tag=self._input(first)))
            case "is_stale":
                return self._add(node, Step(Op.IS_STALE, tag=self._input(first)))
            case name:
                return self._add(node, Step(_PLAIN_CALL[name], tuple(self.put(part) for part in node.arguments)))

    def _input(self, node: Node) -> int:
        assert isinstance(node, TagName)
        return self.input_of[node.name]

    def _window(self, windows: list[int], span: Node) -> int:
        windows.append(self.expression.spans_ns[span.start])
        return len(windows) - 1

    def _add(self, node: Node, step: Step) -> int:
        self.steps.append(step)
        self.parts.append(node)
        return len(self.steps) - 1


# ---- what many expressions of one shape have in common


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Expressions of one shape, n of them.

    Attributes:
        steps: What is done, in order; the last one's result is the truth.
        rows: Tag row of each input, int32 (n, i).
        numbers: Numbers of each expression, float64 (n, numbers).
        held_ns, count_ns, rate_ns: Windows, int64 (n, …).
        sayings: Places of the outermost steps that say something about tags by themselves.
    """

    steps: tuple[Step, ...]
    layout: Layout
    rows: NDArray[np.int32]
    numbers: Floats
    held_ns: Times
    count_ns: Times
    rate_ns: Times
    sayings: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_timed(self) -> bool:
        """Tell whether its truth may change without a new sample."""
        return bool(self.layout.helds or self.layout.counts) or any(s.op is Op.IS_STALE for s in self.steps)


def by_shape(expressions: Sequence[Expression]) -> Iterator[tuple[list[int], list[Lowered]]]:
    """Put together what has the same shape: places in the sequence, and the lowered expressions."""
    shapes: dict[tuple[Step, ...], list[int]] = {}
    lowered = [lower(expression) for expression in expressions]
    for place, one in enumerate(lowered):
        shapes.setdefault(one.steps, []).append(place)
    for places in shapes.values():
        yield places, [lowered[place] for place in places]


def compile_alike(expressions: Sequence[Expression], lowered: Sequence[Lowered], row_of: Mapping[str, int]) -> Program:
    """Make the program of expressions that have one shape.

    Args:
        expressions, lowered: As ``by_shape`` puts them together, at least one.
        row_of: Tag row of each tag name.
    """
    first = lowered[0]
    assert all(one.steps == first.steps for one in lowered), "expressions of one program have one shape"
    n = len(lowered)
    return Program(
        steps=first.steps,
        layout=first.layout,
        rows=np.array([[row_of[name] for name in one.tags] for one in expressions], np.int32).reshape(n, -1),
        numbers=np.array([one.numbers for one in lowered], np.float64).reshape(n, -1),
        held_ns=np.array([one.held_ns for one in lowered], np.int64).reshape(n, -1),
        count_ns=np.array([one.count_ns for one in lowered], np.int64).reshape(n, -1),
        rate_ns=np.array([one.rate_ns for one in lowered], np.int64).reshape(n, -1),
        sayings=_sayings(first.steps),
    )


def _sayings(steps: Sequence[Step]) -> tuple[int, ...]:
    """Find the outermost steps that say something about tags by themselves, in the order of the text."""
    found: list[int] = []
    waiting = [len(steps) - 1]
    while waiting:
        place = waiting.pop()
        if steps[place].op in SAYING:
            found.append(place)
        elif steps[place].op in (Op.AND, Op.OR, Op.NOT, Op.HELD, Op.VOTE, Op.VOTE_KEEP):
            waiting.extend(reversed(steps[place].of))
    return tuple(found)


def compile_programs(
    expressions: Sequence[Expression], row_of: Mapping[str, int]
) -> list[tuple[NDArray[np.int64], Program]]:
    """Compile any expressions: for each shape, the places of its expressions in the sequence and the program."""
    return [
        (np.array(places, np.int64), compile_alike([expressions[place] for place in places], lowered, row_of))
        for places, lowered in by_shape(expressions)
    ]
