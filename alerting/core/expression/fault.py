"""Fault: one thing that is wrong in an expression, with its column and its remedy.

Never: holds a text that could drive a terminal; what a person wrote is shown short and escaped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

FAULTS_MAX = 20  # More than a screen of them is read by nobody.
TEXT_MAX = 60  # Characters of a wrong word that a sentence shows.
NEAR_AMONG_MAX = 20_000  # Comparing one word with so many names takes about half a second.
NAMES_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in an expression.

    Attributes:
        column: Where it begins in the text, counted from 1.
        sentence: What is wrong.
        remedy: What to write instead.
    """

    column: int
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"column {self.column}: {self.sentence} {self.remedy}"


class ExpressionError(Exception):
    """The text is no expression that can be judged.

    Attributes:
        faults: What is wrong, by column, at least one and at most ``FAULTS_MAX``.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults))[:FAULTS_MAX])
        assert self.faults, "an ExpressionError without a fault"
        super().__init__("\n".join(map(str, self.faults)))


def quote(text: str) -> str:
    """Write a piece of an expression into a sentence: short, on one line, whatever it holds."""
    short = text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in short) + '"'


def suggest(word: str, known: Collection[str]) -> str:
    """Ask ``Did you mean "x"?``; where nothing is near, name what is known; bounded in time."""
    by_folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    among: Collection[str] = by_folded
    if len(by_folded) > NEAR_AMONG_MAX:
        among = [name for name in by_folded if name[:1] == word[:1].casefold()][:NEAR_AMONG_MAX]
    near = get_close_matches(word[:TEXT_MAX].casefold(), among, n=1)
    if near:
        return f"Did you mean {quote(by_folded[near[0]])}?"
    if not known:
        return "None is known here."
    shown = sorted(known)[:NAMES_SHOWN_MAX]
    more = ", …" if len(known) > NAMES_SHOWN_MAX else ""
    return f"Known here: {', '.join(shown)}{more}."
