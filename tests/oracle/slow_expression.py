"""A slow scalar oracle of expressions: walks the tree, one float at a time, and remembers in plain objects.

Written from ``docs/expressions.md``; of the product it shares the tree and nothing that computes. It knows nothing of
the moments at which something may change: whoever drives it asks at every moment of a grid.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerting.core.expression import Expression
from alerting.core.expression import tree as t

S = 1_000_000_000
CLASS_OF = {"GOOD": 0, "UNCERTAIN": 64, "BAD": 128}
RETAINED = 64 + 12
EDGES_KEPT = 32


@dataclass
class SlowTag:
    """What came of one tag."""

    start_ns: int
    stale_after_ns: float = math.inf
    last_ns: int = 0
    value: float = math.nan
    quality: int = 0
    is_seen: bool = False
    is_judged: bool = False

    def accept(self, time_ns: int, value: float, quality: int) -> None:
        self.is_seen, self.last_ns, self.quality = True, time_ns, quality
        self.is_judged = quality < 128 and quality != RETAINED and math.isfinite(value)
        if not math.isfinite(value) and quality < 128:
            self.quality = 128 + 7
        if self.is_judged:
            self.value = value

    def is_stale(self, now_ns: int) -> bool:
        return now_ns >= max(self.last_ns, self.start_ns) + self.stale_after_ns

    def known(self, now_ns: int) -> float | None:
        return self.value if self.is_judged and not self.is_stale(now_ns) else None


@dataclass
class Past:
    """What one node remembers."""

    since: int | None = None
    counted: int = 0
    was: bool | None = None
    edges: list[int] = field(default_factory=list)
    kept: list[tuple[int, float]] = field(default_factory=list)
    held: float | None = None


class SlowExpression:
    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.past: dict[int, Past] = {}

    def truth(self, now_ns: int, tags: Mapping[str, SlowTag], new: set[str]) -> bool | None:
        self.now, self.tags, self.new = now_ns, tags, new
        found = self.of(self.expression.tree)
        assert found is None or isinstance(found, bool)
        return found

    def of(self, node: t.Node) -> Any:  # noqa: ANN401, PLR0911 - a float, a bool or None; one line a node
        match node:
            case t.Number():
                return self.expression.numbers[node.start]
            case t.Truth(value=value):
                return value
            case t.TagName(name=name):
                return self.tags[name].known(self.now)
            case t.Negative(operand=operand):
                value = self.of(operand)
                return None if value is None else -value
            case t.Not(operand=operand):
                value = self.of(operand)
                return None if value is None else not value
            case t.Arithmetic():
                return self.arithmetic(node.sign, self.of(node.left), self.of(node.right))
            case t.Comparison():
                return self.comparison(node)
            case t.Junction(word=word, operands=operands):
                # Each operand is asked, for each of them remembers.
                found = [self.of(operand) for operand in operands]
                decides = word == "or"
                return decides if decides in found else None if None in found else not decides
            case t.Held():
                return self.held(node)
            case t.Call():
                return self.call(node)
        raise AssertionError(node)

    def arithmetic(self, sign: str, left: float | None, right: float | None) -> float | None:
        if left is None or right is None or (sign == "/" and right == 0):
            return None
        match sign:
            case "+":
                found = left + right
            case "-":
                found = left - right
            case "*":
                found = left * right
            case _:
                found = left / right
        return found if math.isfinite(found) else None

    def comparison(self, node: t.Comparison) -> bool | None:
        for asked, word in ((node.left, node.right), (node.right, node.left)):
            if isinstance(asked, t.Call) and isinstance(word, t.Text):
                name = asked.arguments[0]
                assert isinstance(name, t.TagName)
                tag = self.tags[name.name]
                is_it = tag.quality // 64 * 64 == CLASS_OF[word.value]
                return None if not tag.is_seen else is_it == (node.sign == "==")
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        return {
            ">": left > right, ">=": left >= right, "<": left < right,
            "<=": left <= right, "==": left == right, "!=": left != right,
        }[node.sign]  # fmt: skip

    def held(self, node: t.Held) -> bool | None:
        past = self.past.setdefault(id(node), Past())
        truth = self.of(node.operand)
        if truth is None:
            if past.since is not None:
                past.counted += self.now - past.since
            past.since = None
            return None
        if not truth:
            past.since, past.counted = None, 0
            return False
        if past.since is None:
            past.since = self.now
        return past.counted + self.now - past.since >= self.expression.spans_ns[node.span.start]

    def call(self, node: t.Call) -> Any:  # noqa: ANN401, PLR0911 - as ``of``
        if node.name in ("abs", "min", "max", "avg"):
            numbers = [self.of(argument) for argument in node.arguments]
            if None in numbers:
                return None
            if node.name == "avg":
                total = numbers[0]
                for number in numbers[1:]:
                    total = total + number
                    # An intermediate sum beyond float64 spoils the result, as it does in the sum of two.
                return total / len(numbers) if math.isfinite(total) else None
            return {"abs": lambda n: abs(n[0]), "min": min, "max": max}[node.name](numbers)
        if node.name == "count":
            return self.count(node)
        if node.name in ("vote", "vote_keep"):
            return self.vote(node)
        name = node.arguments[0]
        assert isinstance(name, t.TagName)
        tag = self.tags[name.name]
        if node.name in ("rate", "delta"):
            return self.change(node, name.name, tag)
        if node.name == "is_bad":
            return tag.quality >= 128 if tag.is_seen else None
        if node.name == "is_stale":
            return tag.is_stale(self.now)
        value, place = tag.known(self.now), node.arguments[1]
        assert node.name == "bit"
        assert isinstance(place, t.Number)
        if value is None or not value.is_integer() or abs(value) >= 2**53:
            return None
        return bool(int(value) // 2 ** int(place.value) % 2)

    def vote(self, node: t.Call) -> bool | None:
        first = node.arguments[0]
        assert isinstance(first, t.Number)
        said = [self.of(voter) for voter in node.arguments[1:]]
        known = [one for one in said if one is not None]
        out = len(said) - len(known)
        k = int(first.value)
        for _ in range(out if node.name == "vote" else 0):
            k = k - 1 if k > 1 else 1
        if known.count(True) >= k:
            return True
        return False if known.count(True) + out < first.value else None

    def count(self, node: t.Call) -> float | None:
        past = self.past.setdefault(id(node), Past())
        truth = self.of(node.arguments[0])
        if truth is None:
            return None
        if truth and past.was is False:
            past.edges = [*past.edges, self.now][-EDGES_KEPT:]
        past.was = truth
        window = self.expression.spans_ns[node.arguments[1].start]
        return float(len([edge for edge in past.edges if self.now - window < edge]))

    def change(self, node: t.Call, name: str, tag: SlowTag) -> float | None:
        past = self.past.setdefault(id(node), Past())
        value = tag.known(self.now)
        if name in self.new and value is not None:
            window = self.expression.spans_ns[node.arguments[1].start]
            old = [(at, was) for at, was in past.kept if window <= self.now - at <= 2 * window]
            if not past.kept or self.now - past.kept[-1][0] >= window // 6:
                past.kept = [*past.kept, (self.now, value)][-64:]
            past.held = None
            if old:
                change = value - old[-1][1]
                past.held = change if node.name == "delta" else change / ((self.now - old[-1][0]) / 1e9)
        if value is None or past.held is None or not math.isfinite(past.held):
            return None
        return past.held
