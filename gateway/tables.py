"""Tables: tag tables in and out of a site: exported, blank, and imported with a look at what would change.

Flow: list of tags -> [open] -> [merge into a table] -> [load the site with it] -> difference -> [write]
Why: a table is written only when the whole site is right with it, and a mistake is told where the user made it: in
     the list, not in what we made of it.
Never: writes without being asked to, or a site that would not start.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.decode.wordtype import ORDERS, TYPES
from edge.load import ConfigError, FieldDraft, Mistake, read_field
from edge.load.heading import heading_of
from edge.load.mistake import Place
from edge.load.node import is_node_file, load_node
from edge.load.sheet import read_sheet
from edge.load.words import COLUMNS, parse_number, parse_whole
from edge.load.workbook import is_workbook, write_workbook
from edge.tables.foreign import Foreign, Line
from edge.tables.opened import Asked, open_list
from edge.tables.own import WORDED, Difference, Row, columns_of, compare, csv_of, rows_of
from gateway.load import load
from gateway.load.overlay import NOTHING, Overlay

#: Words that a spreadsheet offers for a cell.
CHOICES = {
    "table": ("holding", "input", "coil", "discrete"),
    "type": TYPES,
    "order": ORDERS,
    "latching": ("yes", "no"),
    **{column: ("RED", "ORANGE", "YELLOW", "BLUE") for column in COLUMNS if column.startswith("tier_")},
}
BIT_TABLES = ("coil", "discrete")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(slots=True, kw_only=True)
class Imported:
    """What an import came to.

    Attributes:
        text: The table as it would be written.
        mistakes: What is wrong, told at the list's rows where they are the cause; empty if it can be applied.
    """

    foreign: Foreign
    table: str
    text: str = ""
    difference: Difference = field(default_factory=Difference)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)


def export(config: Path, file: Path, language: str = "en") -> int:
    """Write all tags of a site, those of templates filled in, as one table; give their number.

    Raises:
        ConfigError: The site has mistakes.
    """
    content, count = exported(config, file.name, language)
    file.write_bytes(content)
    return count


def exported(
    config: Path, name: str, language: str = "en", files: Mapping[str, bytes] | None = None
) -> tuple[bytes, int]:
    """Give all tags of a site, those of templates filled in, as one table, and their number.

    Args:
        name: How the table is to be called; its end says whether it is a workbook.
        files: Contents to take instead of those on disk.

    Raises:
        ConfigError: The site has mistakes.
    """
    draft = read_field(config, files=files)
    # A secret that is missing here is the gateway's matter, not the table's.
    wrong = [mistake for mistake in draft.reading.mistakes if not mistake.path.endswith(("_env", "_file"))]
    if wrong:
        raise ConfigError(wrong)
    rows = rows_of(draft)
    return _written(name, rows, columns_of(rows), language), len(rows)


def blank(file: Path, language: str = "en") -> None:
    """Write a table without rows: every column, in a workbook with the words that it takes."""
    file.write_bytes(_written(file.name, [], list(COLUMNS), language))


def _written(name: str, rows: list[Row], columns: list[str], language: str) -> bytes:
    if not is_workbook(name):
        head = ",".join(heading_of(column, language) for column in columns) + "\n"
        text = csv_of(rows, language) if rows else head
        return text.encode("utf-8-sig" if language == "zh" else "utf-8")  # Spreadsheets know Chinese by the mark.
    lines: list[list[str | float]] = [[heading_of(column, language) for column in columns]]
    lines += [[_cell(column, row.get(column, "")) for column in columns] for row in rows]
    choices = {at: CHOICES[column] for at, column in enumerate(columns, start=1) if column in CHOICES}
    notes = dict(enumerate(columns, start=1)) if language == "zh" else {}
    return write_workbook("tags" if language == "en" else "位号表", lines, choices, notes)


def _cell(column: str, text: str) -> str | float:
    number = None if column in WORDED or column == "tag" else parse_number(text)
    return text if number is None else number


def _objects_folder() -> Path:
    """Give where the device templates lie: in the wheel, or in the source tree."""
    folders = Path(__file__).parent / "object_templates", Path(__file__).parents[1] / "config" / "templates"
    return next(folder for folder in folders if folder.is_dir())


def objects() -> list[str]:
    """Name the objects that there is a device template of."""
    return sorted(folder.name for folder in _objects_folder().iterdir() if folder.is_dir())


def write_object(site: Path, name: str) -> str:
    """Put an object's template and table of devices into a site's folder; give the block for the site file."""
    folder = _objects_folder() / name
    (site / name).mkdir()
    for table in ("tags.csv", "devices.csv"):
        (site / name / table).write_bytes((folder / table).read_bytes())
    return (folder / "block.toml").read_text("utf-8")


def bring_in(
    config: Path,
    file: Path,
    table: str,
    asked: Asked,
    *,
    is_whole: bool = False,
    environ: Mapping[str, str] | None = None,
    overlay: Overlay = NOTHING,
) -> Imported:
    """Look at what an import would do; nothing is written.

    Args:
        config: The site file.
        file: The list of tags.
        table: The tag table to import into, relative to the site file; it need not be there yet.
        asked: How the list is to be read.
        is_whole: The table is then the list alone; else rows that the list does not name stay.
        overlay: What stands otherwise than on the disk; the import is looked at on top of it.

    Raises:
        ConfigError: The site file itself cannot be read.
    """
    environ = os.environ if environ is None else environ
    foreign = open_list(file, asked)
    found = Imported(foreign=foreign, table=table)
    draft = read_field(config, environ, overlay.contents)
    if table not in draft.site.texts("tags"):
        place = draft.site.place("tags")
        sentence = f'Site: table "{table}" is none of its tables, so nobody would read it.'
        found.mistakes.append(_mistake(place, sentence, f'Add "{table}" to tags, then import.'))
    if is_workbook(table):
        sentence = f'Table "{table}" is a workbook; its other sheets and its looks would be lost.'
        found.mistakes.append(_mistake(draft.site.place("tags"), sentence, "Import into a CSV table."))
    if foreign.form != "fengsui":
        _count_as_source(foreign, draft)
    before = _present(config, table, overlay.contents)
    rows, origins = _merged(before, foreign, is_whole=is_whole)
    found.text = csv_of(rows)
    found.difference = compare([line.cells for line in before], rows)
    if not found.mistakes:
        _judge(found, config, _at_lines(rows, origins), environ, overlay)
        if foreign.told:  # What lacks because a row could not be read is no mistake of the others.
            found.mistakes[:] = [mistake for mistake in found.mistakes if mistake.file == foreign.file]
            found.warnings.clear()
    found.mistakes[:] = sorted([*found.mistakes, *foreign.told], key=lambda mistake: (mistake.file, mistake.line))
    return found


def apply(config: Path, found: Imported) -> Path | None:
    """Write the table; give where the one before it is kept, or None where there was none."""
    assert not found.mistakes, "an import with mistakes is not written"
    path = config.parent / found.table
    kept = None
    if path.exists():
        kept = path.with_name(path.name + ".before")
        kept.write_bytes(path.read_bytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(found.text, "utf-8")
    fresh.replace(path)
    return kept


def _mistake(place: Place, sentence: str, remedy: str) -> Mistake:
    return Mistake(file=place.file, line=place.line, path=place.path, sentence=sentence, remedy=remedy)


def _count_as_source(foreign: Foreign, draft: FieldDraft) -> None:
    """Write registers as the manual of their source counts them, and tell a station that is not the source's."""
    by_id = {source.name: source.source.modbus for source in draft.sources}
    for line in foreign.lines:
        modbus = by_id.get(line.cells.get("source", ""))
        if modbus is not None and parse_whole(line.station) not in (None, modbus.device_id):
            foreign.assume(
                f"station {line.station} of the list is source {line.cells['source']}, which asks device_id "
                f"{modbus.device_id}: put one of the two right"
            )
        if modbus is not None and "register" in line.cells:
            is_bit = line.cells.get("table") in BIT_TABLES
            begins = modbus.coils_from if is_bit else modbus.registers_from
            line.cells["register"] = str(int(line.cells["register"]) + begins)


def _present(config: Path, table: str, files: Mapping[str, bytes]) -> list[Line]:
    """Give the table's rows as they stand, none where it is not there yet."""
    if is_workbook(table) or not (table in files or (config.parent / table).is_file()):
        return []
    draft = read_field(config, files=files)
    sheet = read_sheet(draft.reading, table, Place(table, 1, "file"), known=COLUMNS)
    rows = [] if sheet is None else sheet.rows
    return [Line(line=line, cells={column: cell for column, cell in cells.items() if cell}) for line, cells in rows]


def _merged(before: list[Line], foreign: Foreign, *, is_whole: bool) -> tuple[list[Row], list[Line | None]]:
    """Give the rows of the new table, and the line of the list that each came from."""
    new: dict[str, Line] = {}
    twice: list[Line] = []
    for one in foreign.lines:
        if one.cells.get("tag", "") in new:
            twice.append(one)
        else:
            new[one.cells.get("tag", "")] = one
    rows: list[Row] = []
    origins: list[Line | None] = []
    line: Line | None
    for old in before:
        line = new.pop(old.cells.get("tag", ""), None)
        if line is None and is_whole:
            continue
        kept = old.cells if line is None or is_whole else _without(old.cells, line)
        if line is None:
            rows.append(kept)
        elif is_whole:
            rows.append(dict(line.cells))
        else:
            assumed = {column: old.cells[column] for column in line.assumed if column in old.cells}
            rows.append(kept | line.cells | assumed)
        origins.append(line)
    for fresh in (*new.values(), *twice):
        rows.append(dict(fresh.cells))
        origins.append(fresh)
    return rows, origins


def _without(cells: Row, line: Line) -> Row:
    """Leave out cells that the list has a column for, so that an emptied cell becomes empty."""
    return {column: cell for column, cell in cells.items() if column not in line.headings}


def _at_lines(rows: list[Row], origins: list[Line | None]) -> dict[int, Line | None]:
    """Give the origin of each row by the line where it begins in the table; a cell may hold several lines."""
    found: dict[int, Line | None] = {}
    number = 2
    for row, origin in zip(rows, origins, strict=True):
        found[number] = origin
        number += 1 + sum(len(_BREAK.findall(cell)) for cell in row.values())
    return found


def _judge(
    found: Imported,
    config: Path,
    origins: Mapping[int, Line | None],
    environ: Mapping[str, str],
    overlay: Overlay,
) -> None:
    """Load the site with the new table, and tell what is wrong where it stands in the list."""
    files = {found.table: found.text.encode()}
    try:
        if is_node_file(config):
            load_node(config, environ=environ, warnings=found.warnings, files=files)
        else:
            load(config, environ=environ, warnings=found.warnings, overlay=overlay, files=files)
    except ConfigError as error:
        found.mistakes += error.mistakes
    shown = str(config.parent / found.table)
    for told in (found.mistakes, found.warnings):
        told[:] = [_at_origin(mistake, shown, found.foreign.file, origins) for mistake in told]


def _at_origin(mistake: Mistake, table: str, file: str, origins: Mapping[int, Line | None]) -> Mistake:
    """Put a mistake in the table where the row came from, and what its sentence says of other rows."""

    def place(match: re.Match[str]) -> str:
        other = origins.get(int(match[1]))
        return match[0] if other is None else f"{file}:{other.line}"

    mistake = replace(mistake, sentence=re.sub(re.escape(table) + r":(\d+)", place, mistake.sentence))
    line = origins.get(mistake.line) if mistake.file == table else None
    if line is None:
        return mistake
    path = line.headings.get(mistake.path, mistake.path)
    return replace(mistake, file=file, line=line.line, path=path)
