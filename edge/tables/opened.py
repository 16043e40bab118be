"""Opened: a list of tags in whatever form it comes, as rows of a tag table.

Flow: file -> [decode, tell the form] -> [registers, kepware, thingsboard, ours] -> Foreign
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.load.heading import column_of, word_of
from edge.load.mistake import Place
from edge.load.reading import Reading
from edge.load.sheet import Sheet, read_sheet
from edge.load.words import COLUMNS
from edge.load.workbook import is_workbook
from edge.tables import kepware, registers, thingsboard
from edge.tables.foreign import Foreign, Line

FORMS: Final = ("fengsui", "registers", "kepware", "thingsboard")
_SNIFFED: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a list is to be read.

    Attributes:
        form: One of ``FORMS``; empty to tell it by the headings.
        sheet: Name of a workbook's sheet; empty for the first one.
        source, unit, prefix: For forms that have none of them; the prefix goes before each name.
        order: Byte order where the list names none; empty for ABCD, or for the form's own default.
        first: Number of the first register where addresses are plain numbers, 0 or 1.
    """

    form: str = ""
    sheet: str = ""
    source: str = ""
    unit: str = ""
    order: str = ""
    first: int = 0
    prefix: str = ""


def open_list(path: Path, asked: Asked) -> Foreign:
    """Read a list of tags: CSV (UTF-8 or GB 18030; comma, semicolon or tab), XLSX, or a JSON of ThingsBoard."""
    source, unit, order, prefix = asked.source, asked.unit, asked.order, asked.prefix
    told: dict[str, int] = {}
    files: dict[str, bytes] = {}
    name = path.name + (f"#{asked.sheet}" if asked.sheet else "")
    if not is_workbook(path.name):
        try:
            raw = path.read_bytes()
        except OSError:
            raw = b""  # The reading says why.
        text = _decode(raw, told)
        if thingsboard.is_export(text) and asked.form in ("", "thingsboard"):
            foreign = thingsboard.convert(str(path), text, source=source, unit=unit, order=order, prefix=prefix)
            foreign.notes |= told
            return foreign
        if raw:
            files[path.name] = _with_commas(text, told).encode()
    reading = Reading(path.parent / "list", {}, files)
    found = read_sheet(reading, name, Place(str(path), 1, "file"))
    shown = str(path) if found is None else found.file
    headings = [] if found is None else list(found.columns)
    form = asked.form or _form(headings)
    if found is None or len(reading.mistakes):
        foreign = Foreign(form=form or "registers", file=shown, mistakes=reading.mistakes)
    elif form == "fengsui":
        foreign = _ours(found, reading)
    elif form == "kepware":
        foreign = kepware.convert(shown, found.rows, source=source, unit=unit, order=order, prefix=prefix)
    elif form == "registers":
        foreign = registers.convert(
            shown, found.rows, source=source, unit=unit, order=order or "ABCD", first=asked.first, prefix=prefix
        )
    else:
        foreign = Foreign(form=form or "registers", file=shown)
        foreign.refuse(
            found.header,
            "header",
            f"None of the known lists has these columns: {', '.join(headings)[:200]}.",
            "Name the columns, at least one for the name and one for the address; see docs/tags.md.",
        )
    foreign.notes |= told
    return foreign


def _form(headings: list[str]) -> str:
    """Tell a form by its headings; empty for none."""
    own = {heading if heading in COLUMNS else column_of(heading) for heading in headings}
    if kepware.is_export(headings):
        return "kepware"
    if {"tag", "source"} <= own:
        return "fengsui"
    return "registers" if registers.is_list(headings) else ""


def _ours(sheet: Sheet, reading: Reading) -> Foreign:
    """Take over a table of ours, its Chinese headings and words with it."""
    foreign = Foreign(form="fengsui", file=sheet.file, mistakes=reading.mistakes)
    own = {heading: heading if heading in COLUMNS else column_of(heading) for heading in sheet.columns}
    for heading, column in own.items():
        if column not in COLUMNS:
            foreign.leave_out(f"column {heading}")
    for line, cells in sheet.rows:
        made = {own[heading]: word_of(own[heading], cell) for heading, cell in cells.items() if cell}
        made = {column: cell for column, cell in made.items() if column in COLUMNS}
        foreign.lines.append(Line(line=line, cells=made, headings={column: heading for heading, column in own.items()}))
    return foreign


def _decode(raw: bytes, told: dict[str, int]) -> str:
    """Read UTF-8, or what a Chinese spreadsheet saves as CSV."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        told["text read as GB 18030, for it is no UTF-8"] = 1
        return raw.decode("gb18030", "replace")


def _with_commas(text: str, told: dict[str, int]) -> str:
    """Give the table with commas; spreadsheets of some countries save it with semicolons."""
    head = text[:_SNIFFED].lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    if delimiter == "," or not head.count(delimiter):
        return text
    told["columns parted by " + ("semicolons" if delimiter == ";" else "tabs")] = 1
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
