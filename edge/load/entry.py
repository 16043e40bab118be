"""Entry: one table of the site file or one row of a tag table, asked key by key.

Each question gives a typed value. A wrong value is noted as a mistake and answered with the default, so that the
reading goes on and finds the other mistakes too.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from sys import intern
from typing import TypeVar

from edge.load.locate import Path as KeyPath
from edge.load.mistake import TEXT_MAX, Place, meant, show
from edge.load.reading import Reading
from edge.load.words import LANGUAGES, parse_number, parse_whole

Choice = TypeVar("Choice", bound=StrEnum)

#: Where the value of a key path, relative to the entry, stands.
PlaceOf = Callable[[KeyPath], Place]

SECRET_WORDS = ("secret", "password", "token", "passphrase", "api_key")
YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers that are allowed: ``least`` and ``most`` included, ``above`` not."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf

    def holds(self, number: float) -> bool:
        """Tell whether a number is allowed; NaN never is, infinity never is."""
        return self.least <= number <= self.most and number > self.above and math.isfinite(number)

    @property
    def rule(self) -> str:
        """The rule in words, e.g. `` from 1 to 65535``; empty where every finite number is allowed."""
        if self.most < math.inf:
            start = f" above {self.above:g} and up to" if self.above > -math.inf else f" from {self.least:.12g} to"
            return f"{start} {self.most:.12g}"
        if self.above > -math.inf:
            return f" above {self.above:g}"
        return f" of at least {self.least:g}" if self.least > -math.inf else ""


ANY = Span()


@cache
def _columns_of_title(key: str) -> tuple[str, ...]:
    return tuple(f"{key}_{language}" for language in LANGUAGES)


class Entry:
    """Keys and values with their places.

    Attributes:
        values: By key. In a row, and in what a template expands to, numbers come as text.
        is_row: A row of a table: every value is text, and an empty one counts as not given.
        is_expanded: Made from a template, so that a number may be a sum such as ``100+4``.
    """

    __slots__ = ("_place_of", "_who", "is_expanded", "is_row", "reading", "values")

    def __init__(
        self,
        reading: Reading,
        who: str,
        values: Mapping[str, object],
        place_of: PlaceOf,
        *,
        is_row: bool = False,
        is_expanded: bool = False,
    ) -> None:
        self.reading = reading
        self._who = who
        self.values = values
        self._place_of = place_of
        self.is_row = is_row
        self.is_expanded = is_expanded

    # ---- what is there, where it is, what is wrong with it

    @property
    def who(self) -> str:
        """How sentences begin, e.g. ``Source gas``."""
        return self._who

    @who.setter
    def who(self, who: str) -> None:
        self._who = who

    def place_of(self, path: KeyPath) -> Place:
        """Give the place of a key path of this entry; the empty one is the entry itself."""
        return self._place_of(path)

    def place(self, *path: str | int) -> Place:
        """Give the place of a key of this entry, or of the entry itself."""
        return self.place_of(path)

    def has(self, key: str) -> bool:
        """Tell whether a value is given."""
        return self.values.get(key, "") != "" if self.is_row else key in self.values

    def has_any(self, keys: tuple[str, ...]) -> bool:
        """Tell whether any of some values is given."""
        return any(map(self.has, keys))

    def wrong(self, path: str | KeyPath, sentence: str, remedy: str) -> None:
        """Note a mistake at a key; the entry's name goes before the sentence."""
        where = (path,) if isinstance(path, str) else path
        self.reading.mistakes.add(self.place_of(where), f"{self.who}: {sentence}", remedy)

    def warn(self, path: str | KeyPath, sentence: str, remedy: str) -> None:
        """Note what is doubtful at a key; the entry's name goes before the sentence."""
        where = (path,) if isinstance(path, str) else path
        self.reading.warnings.add(self.place_of(where), f"{self.who}: {sentence}", remedy)

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Note every key that does not exist, and every secret that is written out."""
        for key in self.values:
            if key in known:
                continue
            word = next((word for word in SECRET_WORDS if word in key.lower()), "")
            if word and f"{word}_env" in known:
                self.wrong(
                    key,
                    f"{key} is written into the file; a secret comes from the environment or from a file of its own.",
                    f"Write {word}_env with the name of a variable, or {word}_file with a path, and change the secret: "
                    "it has been seen.",
                )
            else:
                self.wrong(key, f"key {show(key)} is not known.", f"{meant(key, known)} Or remove it.")

    # ---- typed values

    def text(self, key: str, default: str = "", *, rule: str = "a text") -> str:
        """Give a text without spaces around it."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.wrong(key, f"{key} is {show(value)}; it must be {rule}.", f'Write {key} = "…".')
            return default
        return value.strip()

    def required(self, key: str, rule: str, is_right: Callable[[str], bool] = bool) -> str:
        """Give a text that must be there and be right; empty where it is not."""
        if not self.has(key):
            self.wrong(key, f"{key} is missing; {rule}.", f"Add {key}.")
            return ""
        value = self.text(key)
        if isinstance(self.values[key], str) and not is_right(value):
            self.wrong(key, f"{key} is {show(value)}; {rule}.", f"Write another {key}.")
            return ""
        return value

    def number(self, key: str, default: float, span: Span = ANY) -> float:
        """Give a finite number within the span, or the default."""
        found = self.number_or_none(key, span, default)
        return default if found is None else found

    def number_or_none(self, key: str, span: Span = ANY, default: float | None = None) -> float | None:
        """Give a finite number within the span, or None where it is not given or wrong."""
        if not self.has(key):
            return None
        value = self.values[key]
        number: float | None = None
        if isinstance(value, str) and (self.is_row or self.is_expanded):
            number = parse_number(value, is_expanded=self.is_expanded)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:  # an integer beyond every float
                number = None
        if number is not None and span.holds(number):
            return number
        self._wrong_number(key, value, f"a number{span.rule}" if span.rule else "a finite number", default)
        return None

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """Give a whole number from least to most, or the default."""
        found = self.whole_or_none(key, least, most, default)
        return default if found is None else found

    def whole_or_none(
        self,
        key: str,
        least: int,
        most: int,
        default: int | None = None,
        advice: Callable[[str], str] = lambda _: "",
    ) -> int | None:
        """Give a whole number from least to most, or None where it is not given or wrong."""
        if not self.has(key):
            return None
        value = self.values[key]
        number: int | None = None
        if isinstance(value, str) and (self.is_row or self.is_expanded):
            number = parse_whole(value, is_expanded=self.is_expanded)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        if number is not None and least <= number <= most:
            return number
        self._wrong_number(key, value, f"a whole number from {least} to {most}", default, advice(str(value)[:TEXT_MAX]))
        return None

    def _wrong_number(self, key: str, value: object, rule: str, default: float | None, advice: str = "") -> None:
        if self.is_expanded and isinstance(value, str) and "{" in value:
            return  # The placeholder that could not be filled has been told.
        remedy = "Write such a number" + ("." if default is None else f", or leave it out for {default:.12g}.")
        if isinstance(value, str) and "," in value:
            remedy = f"Write the decimal mark as a point. {remedy}"
        self.wrong(key, f"{key} is {show(value)}; it must be {rule}.", advice or remedy)

    def flag(self, key: str, default: bool) -> bool:  # noqa: FBT001 - the default of a flag is a flag
        """Give a yes or no."""
        if not self.has(key):
            return default
        value = self.values[key]
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and (self.is_row or self.is_expanded) and value.strip().lower() in YES_NO:
            return YES_NO[value.strip().lower()]
        rule = "yes or no" if self.is_row else "true or false"
        self.wrong(key, f"{key} is {show(value)}; it must be {rule}.", f"Write {rule.replace(' or ', ', or ')}.")
        return default

    def choice(self, key: str, known: Sequence[str], default: str, advice: Callable[[str], str] = lambda _: "") -> str:
        """Give one of the known words, or the default; an empty default means that it must be given.

        Args:
            advice: Gives the remedy for a wrong word where the nearest word would be a guess, else an empty text.
        """
        if not self.has(key):
            if not default:
                self.wrong(key, f"{key} is missing; it is one of {', '.join(known)}.", f"Add {key}.")
            return default
        value = self.values[key]
        if isinstance(value, str) and value.strip() in known:
            return intern(value.strip())
        text = str(value)[:TEXT_MAX].strip()
        remedy = advice(text) or meant(text, known)
        if text in known:  # a number where the word looks like one: 5 is no text, "5" is
            remedy = f'Write it in quotation marks: {key} = "{text}".'
        self.wrong(key, f"{key} is {show(value)}; it is one of {', '.join(known)}.", remedy)
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts, empty where there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong(key, f"{key} is {show(value)}; it must be a list of texts.", f'Write {key} = ["…", "…"].')
            return ()
        return tuple(item.strip() for item in value)

    def titles(self, key: str, default: str) -> dict[str, str]:
        """Give a text by language. A language that is not given takes the other's; none at all takes the default."""
        if self.is_row:
            columns = _columns_of_title(key)
            if not self.has_any(columns):
                return dict.fromkeys(LANGUAGES, default) if default else {}
            given = {language: self.text(column) for language, column in zip(LANGUAGES, columns, strict=True)}
        else:
            if not isinstance(self.values.get(key, {}), dict):
                shown = show(self.values[key])
                remedy = f'Write {key} = {{ en = "…", zh = "…" }}.'
                self.wrong(key, f"{key} is {shown}; it must be a text for each language.", remedy)
                return dict.fromkeys(LANGUAGES, default)
            table = self.section(key)
            table.refuse_unknown(LANGUAGES)
            given = {language: table.text(language) for language in LANGUAGES}
        given = {language: text for language, text in given.items() if text}
        if not given and not default:
            return {}
        first = next(iter(given.values()), default)
        return {language: given.get(language, first) for language in LANGUAGES}

    def secret(self, word: str) -> str:
        """Give the secret that ``<word>_env`` or ``<word>_file`` names, empty where none is named."""
        by_env, by_file = f"{word}_env", f"{word}_file"
        if self.has(by_env) and self.has(by_file):
            self.wrong(by_file, f"{by_env} and {by_file} are both given; a secret has one home.", "Remove one of them.")
        if self.has(by_env):
            return self._secret_of_environment(by_env)
        if self.has(by_file):
            name = self.required(by_file, "it is the path of a file")
            return self.reading.secret_file(name, self.place(by_file), self.who) if name else ""
        return ""

    def _secret_of_environment(self, key: str) -> str:
        name = self.text(key)
        # The value is not shown: somebody may have written the secret itself here.
        if not name.isascii() or not name.isidentifier() or name != name.upper():
            self.wrong(
                key,
                f"{key} is not the name of an environment variable: capital letters, digits and underscores.",
                "Write the variable's name, never the secret itself, e.g. FENGSUI_SECRET.",
            )
            return ""
        secret = self.reading.environ.get(name, "").strip()
        if not secret:
            state = "empty" if name in self.reading.environ else "not set"
            self.wrong(key, f"environment variable {name} is {state}.", f"Set {name} before the start, or use a file.")
        return secret

    # ---- tables inside

    def section(self, key: str) -> "Entry":
        """Give the table at a key, empty where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, f"{key} is {show(value)}; it must be a table.", f"Write it as [{key}] or {{ … }}.")
            value = {}
        return self._inside(self.who, value, (key,))

    def sections(self, key: str, noun: str) -> list["Entry"]:
        """Give the tables of an array of tables, each named after its ``id`` or its place."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(key, f"{key} is {show(value)}; it must be an array of tables.", f"Write it as [[{key}]].")
            return []
        entries = []
        for place, table in enumerate(value):
            name = table.get("id")
            shown = name if isinstance(name, str) and name.strip() else str(place + 1)
            entries.append(self._inside(f"{noun} {show(shown)[1:-1]}", table, (key, place)))
        return entries

    def _inside(self, who: str, values: dict[str, object], prefix: KeyPath) -> "Entry":
        return Entry(
            self.reading, who, values, lambda path: self.place_of((*prefix, *path)), is_expanded=self.is_expanded
        )
