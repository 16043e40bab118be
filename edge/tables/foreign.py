"""Foreign: what every list of tags that is not ours is turned into, and what is said about it.

Flow: file -> [registers, kepware, thingsboard] -> Foreign -> tag table
Why: nobody types 3,000 addresses twice. What a word of another program means is decided here once, and every
     assumption is told, because a wrong one gives numbers that look like values.
Never: guesses where two readings are likely; that row is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edge.load.mistake import Mistake, Mistakes, Place
from edge.load.register import WIDTHS
from edge.load.typeword import BY_WIDTH, ORDERS, TYPES, plain
from edge.load.words import parse_number

TITLES: Final = ("title_en", "title_zh")
_ORDER_AT_END = re.compile(r"^(.*?)[\s_(（-]*((?:[A-H]{2}\s*){1,4})[)）]?$", re.IGNORECASE)
_MANUAL = re.compile(r"([0134])[xX:]?(\d{4,5})", re.ASCII)
_ADDRESS = re.compile(
    r"(?P<number>0[xX][0-9a-fA-F]+|[0-9a-fA-F]+[hH]|[134][xX:]\d{4,5}|\d+)(?:[.:/](?P<bit>\d{1,2}))?", re.ASCII
)
TABLE_OF: Final = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One tag of a foreign list.

    Attributes:
        line: Where it stands in the file, from 1.
        cells: Column of our tag table to cell.
        headings: Column of our tag table to what it is called in the file.
        assumed: Columns whose cells the list does not say; what a table has there already is better.
        station: Unit id of the device as the list says it; empty where it does not.
    """

    line: int
    cells: dict[str, str]
    headings: dict[str, str] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()
    station: str = ""


@dataclass(slots=True)
class Foreign:
    """A foreign list as rows of a tag table.

    Attributes:
        form: ``fengsui``, ``registers``, ``kepware`` or ``thingsboard``.
        file: As the user would open it.
        notes: What was assumed, each once with how many rows it holds for.
        left_out: What the list has and a tag table has no place for.
        mistakes: Rows that cannot be read.
    """

    form: str
    file: str
    lines: list[Line] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    mistakes: Mistakes = field(default_factory=Mistakes)

    def assume(self, sentence: str) -> None:
        """Count a row for which something was assumed."""
        self.notes[sentence] = self.notes.get(sentence, 0) + 1

    def leave_out(self, sentence: str) -> None:
        """Count something that no tag table holds."""
        self.left_out[sentence] = self.left_out.get(sentence, 0) + 1

    def refuse(self, line: int, path: str, sentence: str, remedy: str) -> None:
        """Note a row that cannot be read."""
        self.mistakes.add(Place(self.file, line, path), sentence, remedy)

    @property
    def told(self) -> list[Mistake]:
        """All rows that cannot be read, by line."""
        return list(self.mistakes)


@dataclass(frozen=True, slots=True)
class Address:
    """A Modbus address.

    Attributes:
        table: Empty where the text does not say.
        register: From 0, as on the wire.
        bit: Bit of a register, or None.
        is_manual: It was counted as manuals count, from 1 and with the table's digit.
    """

    table: str
    register: int
    bit: int | None = None
    is_manual: bool = False


def read_address(text: str, table: str = "", first: int = 0) -> Address | None:
    """Read an address as lists of registers write it; None where it is none.

    ``40001``, ``400001``, ``4x0001`` and ``4:00001`` are counted as manuals count (Modicon PI-MBUS-300): table by the
    first digit, from 1. ``0x10`` and ``10H`` are hexadecimal, counted from 0. Other numbers count from ``first``.

    Args:
        table: What the list says elsewhere; a number below the manual's first one of that table is then no manual's.
        first: Number of the first register where plain numbers are counted, 0 or 1.
    """
    text = text.strip().replace(" ", "")
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    number, bit = found["number"], None if found["bit"] is None else int(found["bit"])
    if number[:2].lower() == "0x":
        return Address(table, int(number, 16), bit)
    if number[-1] in "hH":
        return Address(table, int(number[:-1], 16), bit)
    manual = _MANUAL.fullmatch(number)
    if manual and int(manual[2]) > 0 and table in ("", TABLE_OF[manual[1]]):
        is_plain_coil = number[0] == "0" and not table  # 00012 may be a coil of a manual or a 12 with zeros before it.
        if not is_plain_coil:
            return Address(TABLE_OF[manual[1]], int(manual[2]) - 1, bit, is_manual=True)
    if not number.isdigit() or int(number) < first:
        return None
    return Address(table, int(number) - first, bit)


def read_type(text: str, registers: int = 0) -> tuple[str, str, bool] | None:
    """Read a word for a type, perhaps with the byte order after it: type, order (or empty), whether it was assumed.

    Args:
        registers: How many registers the list says the value takes; 0 where it does not say.
    """
    order = ""
    word = text.strip()
    if plain(word) not in TYPES and plain(word) not in BY_WIDTH:
        found = _ORDER_AT_END.match(word)
        if found and plain(found[2]) in ORDERS and found[1].strip():
            word, order = found[1], found[2]
    told = plain(word)
    kinds = BY_WIDTH.get(told)
    kind = TYPES.get(told) or (None if kinds is None else kinds.get(registers))
    if kind is None or (order and not is_whole_order(order, kind)):
        return None
    return kind, ORDERS[plain(order)] if order else "", told not in TYPES and registers == 0


def is_whole_order(text: str, kind: str) -> bool:
    """Tell whether a byte order says all of a type; AB and BA leave open which register comes first."""
    return WIDTHS[kind] == 1 or plain(text) not in ("ab", "ba", "12", "21")


def one_title(headings: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """Give headings without the title of the language that the list does not have."""
    return {column: heading for column, heading in headings.items() if column not in TITLES or column in made}


def read_order(text: str) -> str | None:
    """Read a word for a byte order; None where it is none."""
    return ORDERS.get(plain(text))


def read_factor(text: str) -> float | None:
    """Read a scale: ``0.1``, ``x0.1``, ``/10``, ``1/10`` or ``÷10``; None where it is none."""
    text = text.strip().lstrip("xX×*").strip()
    top, mark, below = text.replace("÷", "/").partition("/")
    if not mark:
        return parse_number(text)
    numbers = parse_number(top or "1"), parse_number(below)
    return None if None in numbers or not numbers[1] else (numbers[0] or 0.0) / numbers[1]


def write_number(number: float) -> str:
    """Write a number as a person would, exactly."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)  # noqa: PLR2004
