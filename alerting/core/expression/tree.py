"""Tree: what an expression says, as the parser understood it. Types are judged later, in ``check``.

``start`` and ``end`` are places in the text, from 0, so that every sentence can point at what it talks about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Part):
    """A number, perhaps with a unit: ``4.5``, ``4.5 m``, ``10 s``."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Truth(Part):
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Text(Part):
    """A word in quotes; only qualities are compared with one."""

    value: str


@dataclass(frozen=True, slots=True)
class TagName(Part):
    """A tag's value."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative(Part):
    """Unary minus."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Arithmetic(Part):
    """``+ - * /`` between two numbers."""

    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Comparison(Part):
    """``> >= < <= == !=`` between two numbers or qualities."""

    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Not(Part):
    """``not``."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Junction(Part):
    """``and`` or ``or`` over two or more operands."""

    word: str
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Held(Part):
    """``operand for span``: true without a break for so long."""

    operand: "Node"
    span: "Node"


@dataclass(frozen=True, slots=True)
class Call(Part):
    """A function and its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Hole(Part):
    """What could not be read; its fault is told already, so it fits everywhere."""


Node: TypeAlias = (
    Number | Truth | Text | TagName | Negative | Arithmetic | Comparison | Not | Junction | Held | Call | Hole
)


def children(node: Node) -> tuple[Node, ...]:
    """Give the operands of a node, left to right."""
    match node:
        case Negative(operand=operand) | Not(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return (left, right)
        case Junction(operands=several) | Call(arguments=several):
            return several
        case Held(operand=operand, span=span):
            return (operand, span)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and all below it, from left to right; without recursion."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(children(here)))
