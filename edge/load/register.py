"""Registers: what lists of registers call a type, and what is doubtful about addresses.

Why: a wrong type, byte order or offset gives numbers that look like values. So a remedy names what lists of registers
     mean by a word instead of the word that is spelt most alike, and what is likely a slip is warned of.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge.load.entry import Entry
from edge.load.typeword import BY_WIDTH, ORDERS, TYPES, plain
from edge.load.words import parse_whole

#: Registers that a value of this type takes.
WIDTHS: Final[Mapping[str, int]] = {
    "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "int64": 4, "uint64": 4, "float32": 2, "float64": 4, "bit": 1,
    "float16": 1, "bcd16": 1, "bcd32": 2,
    "string": 0,  # As many as its length says.
}  # fmt: skip

#: First number of each table as manuals count, with five digits (Modicon PI-MBUS-300); with six, two more zeros.
MANUAL_FIRST: Final[Mapping[str, int]] = {"holding": 40001, "input": 30001, "discrete": 10001}
SIX_DIGITS: Final[Mapping[str, str]] = {"4": "holding", "3": "input", "1": "discrete"}
TABLE_SIZE: Final = 65536
NOT_KNOWN: Final = -1

_FLOAT: Final = "Write float32: FLOAT and REAL of a register list are nearly always two registers, IEEE 754 of 32 bits."
_INT: Final = (
    "Write int16 where the value takes one register (INT of a PLC), int32 where it takes two (DINT); uint16 or uint32 "
    "where it is never negative."
)
_UINT: Final = "Write uint16 where the value takes one register (UINT, WORD), uint32 where it takes two (UDINT, DWORD)."
_LONG: Final = "Write int32 where the value takes two registers, int64 where it takes four (LINT); uint… without sign."
_ONE: Final = "Write {0}: {1} of a register list is {2}."

_SIZE: Final = {1: "one register", 2: "two registers", 4: "four registers"}
_ADVICE: Final[Mapping[str, str]] = {
    **{
        word: _FLOAT
        if kind == "float32"
        else _ONE.format(kind, word.upper(), "one bit" if kind == "bit" else _SIZE[WIDTHS[kind]])
        for word, kind in TYPES.items()
    },
    **dict.fromkeys((word for word, kinds in BY_WIDTH.items() if kinds[0] == "float32"), _FLOAT),
    **dict.fromkeys((word for word, kinds in BY_WIDTH.items() if kinds[0] == "int16"), _INT),
    **dict.fromkeys((word for word, kinds in BY_WIDTH.items() if kinds[0] == "uint16"), _UINT),
    # A list of a program with bytes of its own says less than a register.
    **dict.fromkeys(("sint", "int8"), _INT),
    **dict.fromkeys(("usint", "uint8", "byte"), _UINT),
    **dict.fromkeys(("long", "ulong"), _LONG),
}

_ORDER: Final = (
    "Write ABCD (most devices), CDAB where the two registers come swapped, BADC where the bytes of each register do, "
    "DCBA where both do; the device's manual or a known value tells which."
)
#: Half a word: of two registers it leaves open which one comes first.
_HALF: Final[Mapping[str, str]] = {
    "ab": "Write ABCD for a value of one register. Of two, AB says only half: ABCD, or CDAB where they come swapped.",
    "ba": "Write BADC for a value of one register. Of two, BA says only half: BADC, or DCBA where they come swapped.",
}


def type_advice(word: str) -> str:
    """Say what a register list's word for a type is here; empty where it is none of them."""
    folded = plain(word)
    if folded in WIDTHS and folded != word:
        return f"Write {folded}."
    return _ADVICE.get(folded, "")


def order_advice(word: str) -> str:
    """Say what a word for a byte order is here; what says half or may mean two things is not guessed."""
    folded = plain(word)
    if folded in _HALF:
        return _HALF[folded]
    # "Little-endian" means one thing in one manual and another in the next.
    return f"Write {ORDERS[folded]}." if folded in ORDERS and re.fullmatch(r"[a-h]+|[1-4]+", folded) else _ORDER


def register_advice(word: str) -> str:
    """Say which register six digits of a manual are, e.g. 400001; empty where they are none."""
    number = parse_whole(word)
    table = SIX_DIGITS.get(word.strip()[:1], "")
    if number is None or len(word.strip()) != 6 or not table or not 0 < number % 100_000 <= TABLE_SIZE:  # noqa: PLR2004
        return ""
    found = number % 100_000 - 1
    return f"Manuals count from 1 and put the table's digit before: that is register {found} of table {table}."


# ---- what is doubtful


@dataclass(frozen=True, slots=True)
class _Placed:
    """An address that could be read."""

    row: Entry
    tag: str
    address: Mapping[str, Any]
    span: tuple[int, int]  # first register, and the first one after it

    @property
    def written(self) -> int:
        """The register as it stands in the row: the device's manual may count from 1."""
        number = parse_whole(str(self.row.values["register"]), is_expanded=self.row.is_expanded)
        assert number is not None, self.tag
        return number


def warn_of_registers(tags: Iterable[tuple[str, str, Mapping[str, Any], Entry]]) -> None:
    """Warn of addresses as manuals count them, and of tags that read the same registers as different things.

    Args:
        tags: (tag, source, address, row) of each tag; those without a whole Modbus address are passed by.
    """
    tables: dict[tuple[str, str], list[_Placed]] = {}
    known: dict[tuple[str, bool], int | None] = {}  # Like devices say the same few thousand numbers.
    for tag, source, address, row in tags:
        if "register" in address and _is_read(row, address, known):
            tables.setdefault((source, address["table"]), []).append(_Placed(row, tag, address, _span(address)))
    for (source, table), placed in tables.items():
        _warn_of_manual(source, table, placed)
        _warn_of_overlap(sorted((one for one in placed if one.address["type"]), key=lambda one: one.span))


def _span(address: Mapping[str, Any]) -> tuple[int, int]:
    first = int(address["register"])
    length = (int(address.get("length", 0)) + 1) // 2
    return first, first + (length or WIDTHS.get(address["type"], 0))


def _is_read(row: Entry, address: Mapping[str, Any], known: dict[tuple[str, bool], int | None]) -> bool:
    text = row.values.get("register")
    if not isinstance(text, str):
        return False
    key = text, row.is_expanded
    number = known.get(key, NOT_KNOWN)
    if number == NOT_KNOWN:
        number = known[key] = parse_whole(text, is_expanded=row.is_expanded)
    return number is not None and number - address["register"] in (0, 1)  # the device may count from 1


def _warn_of_manual(source: str, table: str, placed: list[_Placed]) -> None:
    """Warn once a source and table; 40001 is a register like any other, but hardly ever meant."""
    base = MANUAL_FIRST.get(table)
    doubtful = [one for one in placed if base is not None and one.address["register"] >= base]
    if base is None or not doubtful:
        return
    first, number = doubtful[0], doubtful[0].written
    start = number - int(first.address["register"])
    counted = "from 1 as its source says" if start else "from 0 as on the wire"
    others = f" {len(doubtful) - 1} more of source {source} are like it." if len(doubtful) > 1 else ""
    first.row.warn(
        "register",
        f"register is {number}; manuals count table {table} from {base}, here it counts {counted}.{others}",
        f"Write {number - base + start} if the manual says {number}; "
        f"leave it if the device really answers at {number}.",
    )


def _warn_of_overlap(placed: list[_Placed]) -> None:
    """Warn where two tags read one register as two things; a bit of a word beside the whole word is no such thing."""
    reading: dict[tuple[int, int, str, str], _Placed] = {}
    reach = 0
    for one in placed:
        first, end = one.span
        if first >= reach:
            reading.clear()
        reach = max(reach, end)
        reading = {key: other for key, other in reading.items() if other.span[1] > first}
        kind, order = str(one.address["type"]), str(one.address["order"])
        for other in reading.values():
            kinds = {kind, str(other.address["type"])}
            is_word = "bit" in kinds and one.span == other.span
            is_same = one.span == other.span and kinds == {kind} and order == other.address["order"]
            if not is_word and not is_same:
                place = other.row.place("register")
                one.row.warn(
                    "register",
                    f"{_said(one)} overlaps tag {other.tag}, {_said(other)} ({place.file}:{place.line}); one of the "
                    "two is read wrong.",
                    "Put register, type or order right.",
                )
                break
        reading.setdefault((first, end, kind, order), one)


def _said(one: _Placed) -> str:
    first, end = one.span
    where = f"register {first}" if end == first + 1 else f"registers {first} to {end - 1}"
    return f"{where} as {one.address['type']} {one.address['order']}".removesuffix(" ABCD")
