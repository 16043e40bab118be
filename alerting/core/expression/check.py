"""Check: do types, tags and units of an expression fit; what do its numbers come to.

Flow: text -> parse -> [read] -> Expression -> program
Why: a rule that compares metres with kilopascals, or names a tag that does not exist, would never ring.
Types: number (perhaps of a unit), truth, quality. A tag is a number, also one of bits: ``valve == 1``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from alerting.core.expression.fault import ExpressionError, Fault, quote, suggest
from alerting.core.expression.parser import parse
from alerting.core.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Held,
    Hole,
    Junction,
    Negative,
    Node,
    Not,
    Number,
    TagName,
    Text,
    Truth,
    walk,
)

#: Units of time, s.
TIME_S: Final[dict[str, float]] = {
    "ms": 0.001, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0,
}  # fmt: skip
SPAN_S_LEAST: Final = 0.001
SPAN_S_MOST: Final = 86_400.0  # As for delays: longer than a day is a report, not an alarm.
COUNT_MAX: Final = 32  # Kept rising edges of one count.
BIT_MAX: Final = 52  # A float64 holds whole numbers of 53 bits.
ARGUMENTS_MAX: Final = 16
VOTERS_MAX: Final = 15
QUALITIES: Final = ("GOOD", "UNCERTAIN", "BAD")
UNKNOWN_NAMES_TOLD: Final = 8  # Each costs a search among all tags.

_SAME_SIGN: Final = str.maketrans("²³μΩ", "23µΩ")

#: Of each function: how it is written.
FUNCTIONS: Final[dict[str, str]] = {
    "abs": "abs(x)",
    "min": "min(x, y, …)",
    "max": "max(x, y, …)",
    "avg": "avg(x, y, …)",
    "count": "count(condition, 60 s)",
    "rate": "rate(tag, 60 s)",
    "delta": "delta(tag, 60 s)",
    "bit": "bit(tag, 3)",
    "quality": "quality(tag)",
    "is_bad": "is_bad(tag)",
    "is_stale": "is_stale(tag)",
    "vote": "vote(2, condition, condition, condition)",
    "vote_keep": "vote_keep(2, condition, condition, condition)",
}


class Type(Enum):
    """What a part of an expression is."""

    NUMBER = "a number"
    TRUTH = "a condition"
    QUALITY = "a quality"
    TEXT = "a word in quotes"
    ANY = "anything"  # below a fault that is told already


@dataclass(frozen=True, slots=True)
class Meaning:
    """Type and unit; the unit is None where none is known, and then fits every other."""

    type: Type
    unit: str | None = None


NUMBER, TRUTH, ANY = Meaning(Type.NUMBER), Meaning(Type.TRUTH), Meaning(Type.ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A text that has been found right.

    Attributes:
        text: As it was written.
        tree: Without holes.
        tags: Names of its tags, each once, in the order in which they appear.
        numbers: What the number at a place in the text comes to, in the unit that it is compared with.
        spans_ns: What the time at a place comes to, ns.
    """

    text: str
    tree: Node
    tags: tuple[str, ...]
    numbers: Mapping[int, float]
    spans_ns: Mapping[int, int]

    def without_hold(self) -> tuple["Expression", int]:
        """Take the outermost ``for`` away: what must hold, and for how many ns; 0 where there is none.

        A rule keeps that time as its on-delay, which is committed with every change.
        """
        if not isinstance(self.tree, Held):
            return self, 0
        return replace(self, tree=self.tree.operand), self.spans_ns[self.tree.span.start]

    def asks_silence_of(self) -> tuple[str, ...]:
        """Name the tags of which it asks ``is_stale``."""
        calls = [node for node in walk(self.tree) if isinstance(node, Call) and node.name == "is_stale"]
        return tuple(dict.fromkeys(a.name for call in calls for a in call.arguments if isinstance(a, TagName)))


def read(text: str, units: Mapping[str, str]) -> Expression:
    """Read an expression.

    Args:
        text: What a person wrote.
        units: Engineering unit of each tag there is, empty for none.

    Raises:
        ExpressionError: It has faults; all that could be found are in it.
    """
    tree, faults = parse(text)
    is_readable = not faults
    checker = _Checker(units, faults)
    checker.check_names(tree)
    meaning = checker.meaning(tree)
    if is_readable and meaning.type not in (Type.TRUTH, Type.ANY):
        checker.wrong(tree, f"the whole is {meaning.type.value}; it must be a condition.", "Compare it: … > 4.5.")
    if not faults and not checker.names:
        checker.wrong(tree, "no tag is named, so it is always the same.", "Name at least one tag.")
    if faults:
        raise ExpressionError(faults)
    return Expression(
        text=text, tree=tree, tags=tuple(checker.names), numbers=checker.numbers, spans_ns=checker.spans_ns
    )


def normal(unit: str) -> str | None:
    """Give a unit in its plain spelling (``m³/h`` is ``m3/h``), or None for none."""
    return unit.strip().translate(_SAME_SIGN) or None


class _Checker:
    def __init__(self, units: Mapping[str, str], faults: list[Fault]) -> None:
        self.units = units
        self.faults = faults
        self.names: dict[str, None] = {}
        self.numbers: dict[int, float] = {}
        self.spans_ns: dict[int, int] = {}

    def wrong(self, node: Node, sentence: str, remedy: str) -> None:
        self.faults.append(Fault(node.start + 1, sentence, remedy))

    def check_names(self, tree: Node) -> None:
        """Note every tag that does not exist, also where the rest cannot be judged."""
        unknown: dict[str, Node] = {}
        for node in walk(tree):
            if not isinstance(node, TagName):
                continue
            self.names[node.name] = None
            if node.name not in self.units:
                unknown.setdefault(node.name, node)
        for place, (name, node) in enumerate(unknown.items()):
            remedy = "Look at the other names first." if place >= UNKNOWN_NAMES_TOLD else self._remedy(name)
            self.wrong(node, f"tag {quote(name)} does not exist.", remedy)

    def _remedy(self, name: str) -> str:
        if name in FUNCTIONS:
            return f"{name} is a function: write {FUNCTIONS[name]}."
        left, minus, right = name.partition("-")
        if minus and left in self.units and (right in self.units or right.isdigit()):
            return f"To subtract, put spaces around the minus: {left} - {right}."
        return suggest(name, self.units.keys())

    # ---- types and units

    def meaning(self, node: Node) -> Meaning:  # noqa: C901, PLR0911 - one line for each kind of node
        """Give the type and unit of a part; note what does not fit below it."""
        match node:
            case Number():
                self.numbers[node.start] = node.value
                return Meaning(Type.NUMBER, self._unit_of_literal(node))
            case Truth():
                return TRUTH
            case Text():
                return Meaning(Type.TEXT)
            case TagName(name=name):
                return Meaning(Type.NUMBER, normal(self.units.get(name, "")))
            case Negative(operand=operand):
                return self._number(operand, "a minus")
            case Arithmetic():
                return self._arithmetic(node)
            case Comparison():
                return self._comparison(node)
            case Not(operand=operand):
                self._truth(operand, "not")
                return TRUTH
            case Junction(word=word, operands=operands):
                for operand in operands:
                    self._truth(operand, word)
                return TRUTH
            case Held(operand=operand, span=span):
                self._truth(operand, "for")
                self._span(span)
                return TRUTH
            case Call():
                return self._call(node)
            case Hole():
                return ANY

    def _unit_of_literal(self, node: Number) -> str | None:
        """Times become seconds, so that they compare with each other; a tag in minutes is met by ``_agree``."""
        unit = normal(node.unit)
        if unit in TIME_S and unit != "s":
            self.numbers[node.start] = node.value * TIME_S[unit]
            return "s"
        return unit

    def _number(self, node: Node, who: str) -> Meaning:
        meaning = self.meaning(node)
        if meaning.type in (Type.NUMBER, Type.ANY):
            return Meaning(Type.NUMBER, meaning.unit)
        self.wrong(node, f"{who} needs a number; this is {meaning.type.value}.", _towards_number(meaning))
        return ANY

    def _truth(self, node: Node, who: str) -> None:
        meaning = self.meaning(node)
        if meaning.type not in (Type.TRUTH, Type.ANY):
            self.wrong(node, f'"{who}" needs a condition; this is {meaning.type.value}.', _towards_truth(node, meaning))

    def _arithmetic(self, node: Arithmetic) -> Meaning:
        who = f'"{node.sign}"'
        left, right = self._number(node.left, who), self._number(node.right, who)
        if node.sign == "/" and _is_literal(node.right) and _value_of(node.right) == 0:
            self.wrong(node.right, "what is divided by 0 is never known.", "Divide by a number other than 0.")
        if node.sign in ("*", "/"):
            return NUMBER  # The unit of a product is not followed; nothing is refused because of it.
        return Meaning(Type.NUMBER, self._agree(node, (node.left, node.right), (left, right)))

    def _agree(self, whole: Node, parts: tuple[Node, ...], meanings: tuple[Meaning, ...]) -> str | None:
        """Give the unit that all parts have; note it where two differ; put times into the unit of a tag."""
        known = {meaning.unit: part for part, meaning in zip(parts, meanings, strict=True) if meaning.unit is not None}
        if len(known) <= 1:
            return next(iter(known), None)
        if len(known) == 2 and "s" in known:  # noqa: PLR2004 - a time and another unit
            other = next(unit for unit in known if unit != "s")
            literals = [part for part, meaning in zip(parts, meanings, strict=True) if meaning.unit == "s"]
            if other in TIME_S and all(_is_literal(part) for part in literals):
                for part in literals:
                    number = part.operand if isinstance(part, Negative) else part
                    self.numbers[number.start] /= TIME_S[other]
                return other
        first, second, *_ = known
        self.wrong(
            whole,
            f"units do not fit: {quote(str(first))} and {quote(str(second))}.",
            "Give the number the unit of the tag, or leave its unit out.",
        )
        return None

    def _comparison(self, node: Comparison) -> Meaning:
        left, right = self.meaning(node.left), self.meaning(node.right)
        types = {left.type, right.type}
        if Type.ANY in types:
            return TRUTH
        if types == {Type.QUALITY, Type.TEXT}:
            self._quality(node)
        elif types == {Type.NUMBER}:
            self._agree(node, (node.left, node.right), (left, right))
            self._check_count(node)
        elif Type.QUALITY in types:
            self.wrong(node, "a quality is compared with a word only.", 'Write quality(tag) == "BAD".')
        elif types == {Type.TRUTH}:
            self.wrong(node, "two conditions are compared.", "Join them with and, or, not.")
        else:
            odd = node.left if left.type is not Type.NUMBER else node.right
            meaning = left if odd is node.left else right
            self.wrong(odd, f'"{node.sign}" compares numbers; this is {meaning.type.value}.', _towards_number(meaning))
        return TRUTH

    def _quality(self, node: Comparison) -> None:
        word = node.left if isinstance(node.left, Text) else node.right
        assert isinstance(word, Text)
        if node.sign not in ("==", "!="):
            self.wrong(node, f"a quality has no order, so {quote(node.sign)} says nothing.", "Write == or !=.")
        if word.value not in QUALITIES:
            self.wrong(word, f"{quote(word.value)} is no quality.", f"Write one of {', '.join(QUALITIES)}.")

    def _check_count(self, node: Comparison) -> None:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Call) and one.name == "count" and isinstance(other, Number) and other.value > COUNT_MAX:
                self.wrong(other, f"a count goes up to {COUNT_MAX}.", "Compare it with a smaller number.")

    # ---- functions

    def _call(self, node: Call) -> Meaning:  # noqa: C901, PLR0911 - one line for each function
        arguments = node.arguments
        match node.name:
            case "abs":
                return self._number(arguments[0], "abs") if self._has(node, 1) else NUMBER
            case "min" | "max" | "avg":
                meanings = tuple(self._number(argument, node.name) for argument in arguments)
                if not 2 <= len(arguments) <= ARGUMENTS_MAX:  # noqa: PLR2004 - of one there is nothing to choose
                    self.wrong(
                        node,
                        f"{node.name} takes 2 to {ARGUMENTS_MAX} numbers, here {len(arguments)}.",
                        f"Write {FUNCTIONS[node.name]}.",
                    )
                    return NUMBER
                return Meaning(Type.NUMBER, self._agree(node, arguments, meanings))
            case "count":
                if self._has(node, 2):
                    self._truth(arguments[0], "count")
                    self._span(arguments[1])
                return Meaning(Type.NUMBER, "1")
            case "vote" | "vote_keep":
                self._vote(node)
                return TRUTH
            case "rate" | "delta":
                return self._change(node)
            case "bit":
                if self._has(node, 2) and self._tag(node):
                    self._bit(arguments[1])
                return TRUTH
            case "quality":
                return Meaning(Type.QUALITY) if self._has(node, 1) and self._tag(node) else ANY
            case "is_bad" | "is_stale":
                _ = self._has(node, 1) and self._tag(node)
                return TRUTH
            case _:
                self.wrong(node, f"there is no function {quote(node.name)}.", suggest(node.name, FUNCTIONS))
                for argument in arguments:
                    self.meaning(argument)
                return ANY

    def _has(self, node: Call, count: int) -> bool:
        if len(node.arguments) == count:
            return True
        self.wrong(
            node,
            f"{node.name} takes {count} argument{'s' if count > 1 else ''}, here {len(node.arguments)}.",
            f"Write {FUNCTIONS[node.name]}.",
        )
        return False

    def _tag(self, node: Call) -> bool:
        first = node.arguments[0]
        if isinstance(first, TagName | Hole):
            return isinstance(first, TagName)
        self.wrong(first, f"{node.name} is asked of a tag, not of a calculation.", f"Write {FUNCTIONS[node.name]}.")
        return False

    def _change(self, node: Call) -> Meaning:
        if not self._has(node, 2):
            return NUMBER
        is_tag = self._tag(node)
        self._span(node.arguments[1])
        unit = self.meaning(node.arguments[0]).unit if is_tag else None
        if unit is not None and node.name == "rate":
            unit = f"{unit}/s"
        return Meaning(Type.NUMBER, unit)

    def _bit(self, node: Node) -> None:
        is_place = isinstance(node, Number) and not node.unit and node.value.is_integer() and 0 <= node.value <= BIT_MAX
        if not is_place and not isinstance(node, Hole):
            self.wrong(node, f"a bit has a number from 0 (lowest) to {BIT_MAX}.", f"Write {FUNCTIONS['bit']}.")

    def _vote(self, node: Call) -> None:
        """Check that k of n conditions can be, and can fail to be."""
        first, *voters = node.arguments
        for voter in voters:
            self._truth(voter, node.name)
        if not 2 <= len(voters) <= VOTERS_MAX:  # noqa: PLR2004 - of one there is nothing to vote
            self.wrong(
                node, f"{node.name} takes 2 to {VOTERS_MAX} conditions, here {len(voters)}.",
                f"Write {FUNCTIONS[node.name]}.",
            )  # fmt: skip
        elif isinstance(first, Hole):
            return
        elif not isinstance(first, Number) or first.unit or first.value not in range(1, len(voters) + 1):
            self.wrong(
                first,
                f"how many of the {len(voters)} must be true is a whole number from 1 to {len(voters)}.",
                f"Write {FUNCTIONS[node.name]}.",
            )
        twice = {voter for voter in map(_without_places, voters) if list(map(_without_places, voters)).count(voter) > 1}
        for voter, said in zip(voters, map(_without_places, voters), strict=True):
            if said in twice:
                twice.discard(said)
                self.wrong(voter, "this condition votes twice.", "Let each gauge vote once.")

    def _span(self, node: Node) -> None:
        """Read a stretch of time, as after ``for``."""
        if isinstance(node, Hole):
            return
        if not isinstance(node, Number):
            self.wrong(node, "a time must stand here.", "Write a number with s, min or h: 10 s.")
            return
        if node.unit not in TIME_S:
            what = f"{quote(node.unit)} is no unit of time" if node.unit else "a time needs its unit"
            remedy = "Did you mean min?" if node.unit == "m" else f"Write {node.value:g} s, or min, h."
            self.wrong(node, f"{what}.", remedy)
            return
        span_s = node.value * TIME_S[node.unit]
        if not SPAN_S_LEAST <= span_s <= SPAN_S_MOST:
            self.wrong(node, f"a time of {span_s:g} s is not from 1 ms to one day.", "Write another time.")
            return
        self.spans_ns[node.start] = round(span_s * 1_000_000_000)


def _without_places(node: Node) -> str:
    """Write a node without where it stands, so that what says the same is the same."""
    parts = [
        f"{type(part).__name__}"
        + "".join(
            f" {getattr(part, name)}" for name in ("name", "value", "unit", "sign", "word") if hasattr(part, name)
        )
        for part in walk(node)
    ]
    return ", ".join(parts)


def _is_literal(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Negative) and isinstance(node.operand, Number))


def _value_of(node: Node) -> float | None:
    number = node.operand if isinstance(node, Negative) else node
    return number.value if isinstance(number, Number) else None


def _towards_number(meaning: Meaning) -> str:
    if meaning.type is Type.TRUTH:
        return "Join conditions with and, or; put brackets around a comparison only where it stands alone."
    return "Write a tag, a number or a calculation."


def _towards_truth(node: Node, meaning: Meaning) -> str:
    if isinstance(node, TagName):
        return f"Compare it: {node.name} != 0."
    return "Compare it: … > 4.5." if meaning.type is Type.NUMBER else 'Compare it: quality(tag) == "BAD".'
