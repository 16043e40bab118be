"""Mistake: one thing that is wrong in a configuration, said so that it can be put right.

Why: a list of all mistakes costs one round of editing; the first mistake alone costs as many as there are.
Never: holds a secret. A sentence names the key of a secret, not its value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

SENTENCE_MAX = 2000  # Characters of a whole sentence; only a file of nonsense gives more.
TEXT_MAX = 60  # Characters of a wrong value that a sentence shows; more hides the sentence.
NAMED_MAX = 12  # So many known words are all named; a longer list hides the answer.
COMPARED_MAX = 100
INTEGER_BITS_MAX = 128  # Above it a number is described; Python refuses to print the longest ones.


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mistake:
    """One mistake.

    Attributes:
        file: The file as the user would open it.
        line: Line in the file, from 1.
        path: Key path in TOML, e.g. ``source[2].port`` (list places count from 0), or the column of a table.
        sentence: Who, value, rule.
        remedy: What to do about it.
    """

    file: str
    line: int
    path: str
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}: {self.sentence}\n    Remedy: {self.remedy}"


class ConfigError(Exception):
    """The configuration has mistakes; nothing may be started with it.

    Attributes:
        mistakes: All of them, sorted by file and line, at least one.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes: list[Mistake] = sorted(mistakes)
        assert self.mistakes, "a ConfigError without a mistake"
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Place(NamedTuple):
    """Where something stands.

    Attributes:
        is_shared: Many rows are made from this place (a template); its first mistake is told, not one per row.
    """

    file: str
    line: int
    path: str
    is_shared: bool = False


class Mistakes:
    """All mistakes of one reading.

    Attributes:
        asked: How often one was to be noted, also where it was noted already or its place is closed.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._told: dict[object, Mistake] = {}
        self._closed: set[tuple[str, int, str]] = set()

    def add(self, place: Place, sentence: str, remedy: str, *, closes: bool = False) -> None:
        """Note one mistake; the same one twice, or a template's for its second device, is noted once.

        Args:
            closes: All has been said of this place; what follows from it is not told too.
        """
        self.asked += 1
        if place[:3] in self._closed:
            return
        if closes:
            self._closed.add(place[:3])
        mistake = Mistake(
            file=plain(place.file),
            line=place.line,
            path=plain(place.path),
            sentence=plain(sentence),
            remedy=plain(remedy),
        )
        self._told.setdefault(place if place.is_shared else mistake, mistake)

    def refuse(self) -> None:
        """Raise all mistakes.

        Raises:
            ConfigError: There is at least one.
        """
        if self._told:
            raise ConfigError(list(self._told.values()))

    def __len__(self) -> int:
        return len(self._told)

    def __iter__(self) -> Iterator[Mistake]:
        return iter(sorted(self._told.values()))


def plain(text: str) -> str:
    """Put a text on one line without control signs; what a file holds never drives a terminal."""
    text = text if len(text) <= SENTENCE_MAX else text[:SENTENCE_MAX] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def show(value: object) -> str:
    """Write a wrong value into a sentence: short, on one line, whatever it holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "…"
        return f'"{plain(text)}"'
    if isinstance(value, int):
        return str(value) if value.bit_length() <= INTEGER_BITS_MAX else f"a number of {value.bit_length()} bits"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "a table"
    return str(value)


def meant(word: str, known: Sequence[str]) -> str:
    """Ask ``Did you mean "x"?`` or, where nothing is near, name what is known: all of a few, the nearest of many."""
    by_folded = {name.casefold(): name for name in reversed(known)}
    folded = word[:TEXT_MAX].casefold()
    near = get_close_matches(folded, by_folded, n=1)
    if near:
        return f'Did you mean "{by_folded[near[0]]}"?'
    if len(known) <= NAMED_MAX:
        return f"Known here: {', '.join(sorted(known))}." if known else "None is known here."
    # Among thousands (the tags of a site) a name that is far from all of them has no neighbours worth their time.
    near = get_close_matches(folded, by_folded, n=3, cutoff=0.0) if len(known) <= COMPARED_MAX else []
    if near:
        return f"The nearest of {len(known)} are {', '.join(by_folded[name] for name in near)}."
    return f"There are {len(known)}, none like it."
