"""Modbus columns of a tag's row: where it is at its device and how its words are read.

Everything a device's manual may say is said here once, so that the planner gets addresses as on the wire.
"""

import re
import struct
from collections.abc import Callable
from typing import Any, Final

from edge.config import ModbusOptions
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.register import WIDTHS, order_advice, register_advice, type_advice
from edge.load.words import parse_number, parse_whole

TABLES: Final = ("holding", "input", "coil", "discrete")
ORDERS: Final = ("ABCD", "CDAB", "BADC", "DCBA")
REGISTERS: Final = 65536
STRING: Final = "string"
STRING_BYTES_MAX: Final = 250
MASKED: Final = ("uint16", "uint32", "uint64")
LOOP: Final = "4-20mA"
FLOAT_FORM: Final = {"float16": "e", "float32": "f", "float64": "d"}

_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,16}")


def read_address(row: Entry, options: ModbusOptions) -> dict[str, Any]:
    """Read the Modbus columns of a row; the register is given as on the wire, from 0."""
    table = row.choice("table", TABLES, "holding")
    is_bit_table = table in ("coil", "discrete")
    kind = row.choice("type", tuple(WIDTHS), "bit" if is_bit_table else "", type_advice)
    if is_bit_table and kind not in ("bit", ""):
        row.wrong("type", f"type is {kind}; table {table} holds bits only.", "Write bit, or leave it out.")
    first = options.coils_from if is_bit_table else options.registers_from
    length = _read_length(row, kind)
    register = _read_register(row, kind, first, (length + 1) // 2 if kind == STRING else WIDTHS.get(kind, 1))
    width = (length + 1) // 2 if kind == STRING else WIDTHS.get(kind, 1)
    if width > options.registers_max:
        row.wrong(
            "type",
            f"type {kind} takes {width} registers; the source reads {options.registers_max} at once (registers_max).",
            "Raise registers_max, or choose the type that the device has.",
        )
    scale = row.number("scale", 1.0)
    if scale == 0:
        row.wrong("scale", "scale is 0; every value would be the offset.", "Write the scale, or leave it out for 1.")
    mask, shift = _read_mask(row, kind)
    address: dict[str, Any] = {
        "table": table,
        "register": register,
        "type": kind,
        "order": row.choice("order", ORDERS, options.order, order_advice),
        "bit": _read_bit(row, table, kind, is_bit_table=is_bit_table),
        "scale": scale,
        "offset": row.number("offset", 0.0),
        "sentinel": _read_sentinels(row, kind),
    }
    rest = {"mask": mask, "shift": shift, "length": length, "map": _read_map(row, kind), "signal": _read_signal(row)}
    return address | {key: value for key, value in rest.items() if value}


def _read_register(row: Entry, kind: str, first: int, width: int) -> int:
    if not row.has("register"):
        row.wrong("register", f"register is missing; a Modbus tag has one, from {first}.", "Add register.")
    written = row.whole_or_none("register", first, REGISTERS - 1 + first, advice=register_advice)
    register = (first if written is None else written) - first
    if register + width > REGISTERS:
        row.wrong(
            "register",
            f"register {register + first} and {width} registers of {kind} reach beyond the last one, "
            f"{REGISTERS - 1 + first}.",
            f"Write a register up to {REGISTERS - width + first}.",
        )
    return register


def _read_length(row: Entry, kind: str) -> int:
    """Read how many bytes a string has; 0 for every other type."""
    if kind != STRING:
        if row.has("length") and kind:
            row.wrong("length", f"length is given; {kind} has its own.", "Leave length empty, or write type string.")
        return 0
    if not row.has("length"):
        row.wrong("length", "length is missing; a string has 1 to 250 bytes, two a register.", "Add length.")
    return row.whole_or_none("length", 1, STRING_BYTES_MAX) or 1


def _read_map(row: Entry, kind: str) -> tuple[tuple[str, float], ...]:
    """Read what each text of a string means, e.g. ``RUN=1;STOP=0``."""
    if kind != STRING:
        if row.has("map") and kind:
            row.wrong(
                "map", f"map is given; it gives the texts of a string a number, and this is {kind}.", "Remove it."
            )
        return ()
    found = read_map(row)
    if not found and not row.has("map"):
        row.wrong(
            "map",
            "map is missing; a tag is a number, so each text of a string needs one.",
            "Add map with all texts that the device sends, e.g. RUN=1;STOP=0.",
        )
    return found


def read_map(row: Entry) -> tuple[tuple[str, float], ...]:
    """Read a cell such as ``RUN=1;STOP=0``: each text and its number."""
    found: dict[str, float] = {}
    for part in filter(str.strip, row.text("map").split(";")):
        text, sign, written = part.rpartition("=")
        number = parse_number(written)
        if not sign or number is None:
            row.wrong("map", f"map has {show(part.strip())}; a part is text=number.", "Write e.g. RUN=1;STOP=0.")
        elif text.strip() in found:
            row.wrong("map", f"map has the text {show(text.strip())} twice.", "Name each text once.")
        else:
            found[text.strip()] = number
    return tuple(found.items())


def _read_signal(row: Entry) -> str:
    """Read whether a 4-20 mA loop stands behind the value."""
    if not row.has("signal"):
        return ""
    signal = row.choice("signal", (LOOP,), LOOP)
    if row.number_or_none("range_lo") is None or row.number_or_none("range_hi") is None:
        row.wrong(
            "signal",
            "signal is 4-20mA, but what 4 and 20 mA mean is missing.",
            "Add range_lo, the value at 4 mA, and range_hi, that at 20 mA.",
        )
        return ""
    return signal


def _read_bit(row: Entry, table: str, kind: str, *, is_bit_table: bool) -> int:
    """Read which bit of a register it is, 0 the lowest; 0 for every other address."""
    if is_bit_table or kind != "bit":
        if row.has("bit") and kind:
            what = f"table {table}" if is_bit_table else f"type {kind}"
            row.wrong("bit", f"bit is given; {what} has no bits to choose from.", "Leave bit empty.")
        return 0
    if not row.has("bit"):
        row.wrong("bit", f"bit is missing; a bit of table {table} is one of 0 to 15.", "Add bit, 0 for the lowest.")
    return row.whole_or_none("bit", 0, 15) or 0


def _read_mask(row: Entry, kind: str) -> tuple[int, int]:
    """Read which bits of an unsigned value count, and how far they are shifted down; 0, 0 for all of them."""
    if kind not in MASKED:
        for column in ("mask", "shift"):
            if row.has(column) and kind:
                row.wrong(
                    column,
                    f"{column} is given; it takes a part of {', '.join(MASKED)}, and this is {kind}.",
                    f"Leave {column} empty, or write an unsigned type.",
                )
        return 0, 0
    if not row.has("mask"):
        if row.has("shift"):
            row.wrong("shift", "shift is given without mask.", "Add mask: the bits that count, e.g. 0x00F0.")
        return 0, 0
    bits = 16 * WIDTHS[kind]
    text = row.text("mask")
    mask = int(text, 16) if _HEX.fullmatch(text) else parse_whole(text)
    if mask is None or not 0 < mask < 1 << bits:
        row.wrong(
            "mask",
            f"mask is {show(text)}; it must be a whole number or hexadecimal, from 1 to 0x{(1 << bits) - 1:X}.",
            "Write the bits that count, e.g. 0x00F0.",
        )
        return 0, 0
    lowest = (mask & -mask).bit_length() - 1
    if not row.has("shift"):
        return mask, lowest
    shift = row.whole_or_none("shift", 0, bits - 1) or 0
    if mask >> shift == 0:
        row.wrong(
            "shift",
            f"shift is {shift}; nothing of mask 0x{mask:X} is left.",
            f"Write {lowest}, or leave it out for the mask's lowest bit.",
        )
        return 0, 0
    return mask, shift


def _read_sentinels(row: Entry, kind: str) -> tuple[int | float | str, ...]:
    """Read the raw fill values, parted by ``;``. Hexadecimal ones stay text: they are the bits on the wire."""
    if kind == STRING:
        if row.has("sentinel"):
            row.wrong(
                "sentinel",
                "sentinel is given for a string; a text that map does not name is BAD by itself.",
                "Leave sentinel empty.",
            )
        return ()
    found: list[int | float | str] = []
    for part in row.text("sentinel").split(";"):
        text = part.strip()
        value = _sentinel(text, kind) if text and kind else ""
        if value is None:
            row.wrong(
                "sentinel",
                f"sentinel {show(text)} is no raw value of type {kind}.",
                "Write what the device sends for “no value”, before scaling, e.g. 32767 or 0x8000; part several by ;.",
            )
        elif value != "":
            found.append(value)
    return tuple(found)


def _sentinel(text: str, kind: str) -> int | float | str | None:
    """Read one fill value; None where the type cannot hold it. 65535 and -1 are the same 16 bits."""
    bits = 16 * WIDTHS[kind]
    if _HEX.fullmatch(text):
        return text if int(text, 16) < 1 << bits else None
    if kind.startswith("bcd"):
        return _held(text, parse_whole, lambda value: 0 <= value < 10 ** (bits // 4))
    if kind not in FLOAT_FORM:
        return _held(text, parse_whole, lambda value: -(1 << (bits - 1)) <= value < 1 << bits)
    try:
        number = float(text)
        struct.pack(FLOAT_FORM[kind], number)
    except (ValueError, OverflowError):
        return None
    return number


def _held(text: str, read: Callable[[str], int | None], holds: Callable[[int], bool]) -> int | None:
    value = read(text)
    return value if value is not None and holds(value) else None
