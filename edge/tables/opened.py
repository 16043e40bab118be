"""Opened: a list of tags in whatever form it comes, as rows of a tag table.

Flow: file -> [decode, tell the form] -> [registers, kepware, thingsboard, ours] -> Foreign
"""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.load.heading import column_of, word_of
from edge.load.mistake import Place
from edge.load.reading import Reading
from edge.load.sheet import Sheet, read_sheet
from edge.load.words import COLUMNS
from edge.load.workbook import is_workbook, read_lines
from edge.tables import kepware, registers, thingsboard
from edge.tables.foreign import Foreign, Line

FORMS: Final = ("fengsui", "registers", "kepware", "thingsboard")
_SNIFFED: Final = 4096
#: Rows that may stand above the headings: a title, a station, a date.
TITLE_ROWS: Final = 10


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
    """Read a list of tags: CSV (UTF-8, UTF-16 or GB 18030; comma, semicolon or tab), XLSX, or a JSON of ThingsBoard."""
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
            try:
                files[path.name] = _with_commas(text, told).encode()
            except csv.Error as error:
                foreign = Foreign(form=asked.form or "registers", file=str(path))
                foreign.refuse(1, "file", f"It is not CSV ({error}).", "Close every quotation mark.")
                return foreign
    reading, found = _read_below_a_title(path, name, files, asked.form, told)
    headings = [] if found is None else list(found.columns)
    shown = str(path) if found is None else found.file
    form = asked.form or _form(headings)
    if found is None or len(reading.mistakes):
        foreign = Foreign(form=form or "registers", file=shown, mistakes=reading.mistakes)
    elif not _has_needed(form, headings):
        foreign = Foreign(form=form or "registers", file=shown)
        foreign.refuse(
            found.header,
            "header",
            f"None of the known lists has these columns: {', '.join(headings)[:200]}.",
            "Name the columns, at least one for the name and one for the address; see docs/tags.md.",
        )
    elif form == "fengsui":
        foreign = _ours(found, reading)
    elif form == "kepware":
        foreign = kepware.convert(shown, found.rows, source=source, unit=unit, order=order, prefix=prefix)
    else:
        foreign = registers.convert(
            shown, found.rows, source=source, unit=unit, order=order, first=asked.first, prefix=prefix
        )
    foreign.notes |= told
    if form != "fengsui":
        _refuse_hashes(foreign)
    return foreign


def _read_below_a_title(
    path: Path, name: str, files: dict[str, bytes], form: str, told: dict[str, int]
) -> tuple[Reading, Sheet | None]:
    """Read the sheet; where its first row is none of a known list's headings, from the row that is."""
    reading, found = _read(path, name, files, form)
    if found is not None and (form or _form(list(found.columns))):
        return reading, found
    first = _below_a_title(path, name, files)
    if not first:
        return reading, found
    told["rows above the headings, passed over"] = first - 1
    return _read(path, name, files, form, first)


def _below_a_title(path: Path, name: str, files: dict[str, bytes]) -> int:
    """Give the row of the headings where a title stands above them; 0 where no row looks like headings."""
    if is_workbook(path.name):
        try:
            raw = path.read_bytes()
        except OSError:
            return 0  # The reading said why.
        sheet = name.partition("#")[2]
        # Row by row: how wide a table is, its first row says.
        rows = [read_lines(raw, sheet, lambda *_: None, 1, first=at, last=at)[1] for at in range(2, TITLE_ROWS + 2)]
        return next((lines[0][0] for lines in rows if lines and _form(lines[0][1])), 0)
    reader = csv.reader(io.StringIO(files.get(path.name, b"").decode(), newline=""))
    start = 1
    for row in reader:
        if start > 1 and _form([cell.strip() for cell in row]):
            return start
        start = reader.line_num + 1
        if start > TITLE_ROWS + 1:
            break
    return 0


def _read(path: Path, name: str, files: dict[str, bytes], form: str, first: int = 1) -> tuple[Reading, Sheet | None]:
    """Read the sheet; only in our tables a row that begins with # is a comment.

    Elsewhere a name may begin with it, or the column of row numbers is called so.
    """
    place = Place(str(path), 1, "file")
    reading = Reading(path.parent / "list", {}, files)
    found = read_sheet(reading, name, place, first=first)
    told = "" if found is None else _form(list(found.columns))
    if (form or told) == "fengsui":
        return reading, found
    reading = Reading(path.parent / "list", {}, files)
    return reading, read_sheet(
        reading, name, place, hashes_from=found.header if found is not None and told else 1, first=first
    )


def _refuse_hashes(foreign: Foreign) -> None:
    """Refuse names that would make a comment of their row in our table."""
    for line in foreign.lines:
        name = line.cells["tag"]
        if name.startswith("#"):
            sentence = f"Row {line.line} ({name}): a tag's name does not begin with #."
            foreign.refuse(line.line, line.headings.get("tag", "tag"), sentence, "Name it otherwise, or use --prefix.")


def _has_needed(form: str, headings: list[str]) -> bool:
    """Tell whether a list has the columns without which its form cannot be read."""
    if form == "fengsui":
        return "tag" in {heading if heading in COLUMNS else column_of(heading) for heading in headings}
    if form == "kepware":
        return set(kepware.NEEDED) <= set(headings)
    return form == "registers" and registers.is_list(headings)


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
    """Read UTF-8, or what a Chinese spreadsheet saves as CSV or as text."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        told["text read as GB 18030, for it is no UTF-8"] = 1
        return raw.decode("gb18030", "replace")


def _with_commas(text: str, told: dict[str, int]) -> str:
    """Give the table with commas; spreadsheets of some countries save it with semicolons.

    Raises:
        csv.Error: A quotation mark is left open; all behind it would be one cell.
    """
    lines = text[:_SNIFFED].lstrip("\r\n").split("\n")[: TITLE_ROWS + 1]
    head = max(lines, key=lambda line: max(map(line.count, ",;\t")))  # A title above has none.
    delimiter = max(",;\t", key=head.count)
    if delimiter == "," or not head.count(delimiter):
        return text
    told["columns parted by " + ("semicolons" if delimiter == ";" else "tabs")] = 1
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
