"""Kepware: the CSV that KEPServerEX and its kin export of a device's tags (Modbus drivers).

Its header and the words in it are those of the server's help, "Comma Separated Variable (CSV) import and export":
``Tag Name, Address, Data Type, Respect Data Type, Client Access, Scan Rate, Scaling, Raw Low, Raw High, Scaled Low,
Scaled High, Scaled Data Type, Clamp Low, Clamp High, Eng Units, Description, Negate Value``.
"""

import re
from collections.abc import Mapping
from typing import Final

from edge.load.words import parse_number
from edge.tables.foreign import Foreign, Line, one_title, read_address, write_number

NEEDED: Final = ("Tag Name", "Address", "Data Type")
#: Data types of the server, "Data Types Description" of its Modbus driver.
TYPES: Final[Mapping[str, str]] = {
    "Boolean": "bit",
    "Short": "int16",
    "Word": "uint16",
    "Long": "int32",
    "DWord": "uint32",
    "LLong": "int64",
    "QWord": "uint64",
    "Float": "float32",
    "Double": "float64",
    "BCD": "bcd16",
    "LBCD": "bcd32",
}
#: Default of the Modbus driver for values of several registers: Modbus byte order, first word low.
ORDER: Final = "CDAB"
PERIOD_S_MIN, PERIOD_S_MAX = 0.1, 3600.0
_ARRAY = re.compile(r"\[\d+\](\[\d+\])?$")


def is_export(headings: list[str]) -> bool:
    """Tell whether headings are those of such an export."""
    return set(NEEDED) <= set(headings) and "Client Access" in headings


def convert(
    file: str, rows: list[tuple[int, dict[str, str]]], *, source: str, unit: str, order: str, prefix: str
) -> Foreign:
    """Turn an export into rows of a tag table.

    Args:
        rows: (line, cells by heading).
        order: Byte order of values of several registers; empty for the driver's default.
    """
    foreign = Foreign(form="kepware", file=file)
    for line, cells in rows:
        made = _cells(foreign, line, cells, order)
        if made is not None:
            made |= {"tag": prefix + made["tag"], "source": source} | ({"unit": unit} if unit else {})
            headings = {
                "tag": "Tag Name", "register": "Address", "table": "Address", "bit": "Address", "type": "Data Type",
                "order": "Data Type", "eu": "Eng Units", "title_en": "Description", "title_zh": "Description",
                "period_s": "Scan Rate", "scale": "Raw High", "offset": "Raw Low",
            }  # fmt: skip
            assumed = frozenset() if order else frozenset({"order"})
            foreign.lines.append(Line(line=line, cells=made, headings=one_title(headings, made), assumed=assumed))
    return foreign


def _cells(foreign: Foreign, line: int, cells: Mapping[str, str], order: str) -> dict[str, str] | None:
    name = cells["Tag Name"].strip()
    who = f"Row {line} ({name})" if name else f"Row {line}"
    if not name:
        foreign.refuse(line, "Tag Name", f"{who}: it has no name.", "Name the tag.")
        return None
    kind = TYPES.get(cells["Data Type"].strip(), "")
    text = cells["Address"].strip()
    if not kind or _ARRAY.search(text) or not text[:1].isdigit():
        what = "array" if _ARRAY.search(text) else "type" if text[:1].isdigit() else "address"
        shown = text if what != "type" else cells["Data Type"]
        foreign.refuse(
            line,
            "Address" if what != "type" else "Data Type",
            f"{who}: {what} “{shown}” has no place in a tag table.",
            "Leave the row out, or give one row for each value with an address such as 400001.",
        )
        return None
    address = read_address(text, "coil" if text[0] == "0" else "")
    if address is None or not address.table or not address.is_manual:
        foreign.refuse(
            line,
            "Address",
            f"{who}: “{text}” is no Modbus address.",
            "Write it as the driver does, e.g. 400001 or 400001.4.",
        )
        return None
    made = {"tag": re.sub(r"\s+", "_", name), "table": address.table, "register": str(address.register), "type": kind}
    if kind == "bit" and address.table in ("holding", "input"):
        if address.bit is None:
            foreign.refuse(line, "Address", f"{who}: a Boolean of a register needs its bit.", "Write e.g. 400001.4.")
            return None
        made["bit"] = str(address.bit)
    elif kind not in ("bit", "int16", "uint16", "bcd16"):
        made["order"] = order or ORDER
        foreign.assume(f"byte order {made['order']}, which the export does not hold: compare one known value")
    title = cells.get("Description", "").strip()
    if title:
        made["title_zh" if re.search(r"[\u4e00-\u9fff]", title) else "title_en"] = title
    if cells.get("Eng Units", "").strip():
        made["eu"] = cells["Eng Units"].strip()
    rate = parse_number(cells.get("Scan Rate", ""))
    if rate:
        made["period_s"] = write_number(min(max(rate / 1000, PERIOD_S_MIN), PERIOD_S_MAX))
    if cells.get("Client Access", "").strip().upper() in ("RW", "R/W"):
        foreign.leave_out("write access: the field is read only")
    if not _scale(foreign, line, who, cells, made):
        return None
    return made


def _scale(foreign: Foreign, line: int, who: str, cells: Mapping[str, str], made: dict[str, str]) -> bool:
    """Take over a linear scaling: Scaled Low + (raw - Raw Low) · (Scaled High - Scaled Low) / (Raw High - Raw Low)."""
    kind = cells.get("Scaling", "").strip()
    if kind in ("", "None"):
        return True
    numbers = [parse_number(cells.get(key, "")) for key in ("Raw Low", "Raw High", "Scaled Low", "Scaled High")]
    if kind != "Linear" or None in numbers or numbers[0] == numbers[1]:
        foreign.refuse(
            line,
            "Scaling",
            f"{who}: scaling “{kind}” cannot be taken over.",
            "Give a linear one with four numbers, or none.",
        )
        return False
    raw_low, raw_high, low, high = (number or 0.0 for number in numbers)
    sign = -1 if cells.get("Negate Value", "").strip() == "1" else 1
    scale = (high - low) / (raw_high - raw_low)
    offset = low - raw_low * scale
    made |= {"scale": write_number(sign * scale), "offset": write_number(sign * offset)}
    if cells.get("Clamp Low", "").strip() == "1" or cells.get("Clamp High", "").strip() == "1":
        foreign.leave_out("clamping: a value outside the range is BAD, never the end of the range")
    return True
