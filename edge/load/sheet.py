"""Sheet: a table, CSV or a sheet of a workbook, with the line of each row.

Lines that begin with ``#`` and empty lines are passed by. The delimiter of CSV is a comma, the text UTF-8, with or
without a byte order mark. A workbook's sheet is named after its file: ``tags.xlsx#Tanks``; without a name it is the
first one that is not hidden.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.load.heading import WORDS, column_of, counted_in, in_seconds
from edge.load.mistake import Place, meant, show
from edge.load.reading import Reading
from edge.load.workbook import cell_name, is_comment, is_workbook, part_name
from edge.load.workbook import read_lines as read_workbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table.

    Attributes:
        file: As the user would open it; a sheet of a workbook with its name in square brackets.
        header: Line of the header row.
        headings: What each column is called in the table itself.
        lines: (line, cells in the order of the columns) of each row; cells are without spaces around them.
    """

    file: str
    header: int = 1
    columns: tuple[str, ...] = ()
    headings: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    @property
    def rows(self) -> list[tuple[int, dict[str, str]]]:
        """(line, cells by column) of each row, put together anew each time."""
        return [(line, dict(zip(self.columns, cells, strict=True))) for line, cells in self.lines]


def read_sheet(
    reading: Reading,
    name: str,
    named_at: Place,
    *,
    known: Sequence[str] = (),
    needed: Sequence[str] = (),
    hashes_from: int | None = None,
    first: int = 1,
) -> Sheet | None:
    """Read a table; None where it has no usable header, which is a mistake.

    Args:
        known: Columns that exist; empty where any name will do (a table of devices).
        needed: Columns that must be there.
        hashes_from: From this line on a row that begins with ``#`` is a row like others if more than that cell is
            filled; None where it is a comment.
        first: Row of the header, from 1, where a title stands above it.
    """
    told = len(reading.mistakes)
    if is_workbook(name):
        found = _lines_of_workbook(reading, name, named_at, hashes_from, first)
    else:
        text = reading.text(name, named_at)
        found = (
            None
            if text is None
            else (reading.show_file(name), _lines(reading, reading.show_file(name), text, hashes_from, first))
        )
    if found is None:
        return None
    file, lines = found
    if not lines and len(reading.mistakes) > told:
        return None
    if not lines:
        reading.mistakes.add(
            Place(file, 1, "file"), f"Table {name} is empty.", "Add a header row and at least one row below it."
        )
        return None
    header, cells = lines[0]
    headings = cells
    if known:
        cells = [cell if cell in known else column_of(cell) for cell in cells]
    columns = _columns(reading, Place(file, header, "header"), cells, known, needed)
    if columns is None:
        return None
    shown = dict(zip(columns, headings, strict=True))
    sheet = Sheet(file=file, header=header, columns=columns, headings=shown)
    settle = _settler(columns, headings) if known else None
    for line, row in lines[1:]:
        if len(row) == len(columns):
            if settle is not None:
                settle(row)
            sheet.lines.append((line, tuple(row)))
        else:
            reading.mistakes.add(
                Place(file, line, "row"),
                f"Row of line {line}: it has {len(row)} cells; the header has {len(columns)} columns.",
                "Give each column a cell, an empty one too; quote a cell that holds a comma.",
            )
    if len(lines) == 1:
        reading.mistakes.add(
            Place(file, header, "file"), f"Table {name} has a header but no row.", "Add at least one row below it."
        )
    return sheet


def _settler(columns: tuple[str, ...], headings: list[str]) -> Callable[[list[str]], None]:
    """Give what puts our words for Chinese ones into a row, and seconds for times."""
    worded = [(at, WORDS[column]) for at, column in enumerate(columns) if column in WORDS]
    timed = [(at, counted_in(headings[at])) for at, column in enumerate(columns) if column.endswith("_s")]

    def settle(row: list[str]) -> None:
        for at, words in worded:
            row[at] = words.get(row[at], row[at])
        for at, unit in timed:
            if row[at] and (unit != 1 or not row[at][-1].isdecimal()):
                row[at] = in_seconds(row[at], unit)

    return settle


def _lines(reading: Reading, file: str, text: str, hashes_from: int | None, first: int) -> list[tuple[int, list[str]]]:
    """Give line and stripped cells of each row that says something."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    once: dict[str, str] = {}  # A hundred thousand rows say the same few thousand words.
    try:
        for row in reader:
            cells = [*map(str.strip, row)]
            cells = [*map(once.setdefault, cells, cells)]
            if start >= first and any(cells) and not is_comment(start, cells, hashes_from):
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        reading.mistakes.add(
            Place(file, start, "row"),
            f"Row of line {start}: it is not CSV ({error}).",
            'Close every quotation mark, and write a quotation mark inside a cell as "".',
        )
    return rows


def _lines_of_workbook(
    reading: Reading, name: str, named_at: Place, hashes_from: int | None, first: int
) -> tuple[str, list[tuple[int, list[str]]]] | None:
    """Give the sheet as the user would find it, and its rows; None where the file cannot be read."""
    file, sheet = part_name(name)
    raw = reading.raw(file, named_at)
    if raw is None:
        return None
    wrong: list[tuple[int, int, str, str]] = []
    sheet, lines = read_workbook(raw, sheet, lambda *told: wrong.append(told), hashes_from, first=first)
    shown = f"{reading.show_file(file)}[{sheet}]" if sheet else reading.show_file(file)
    headings = lines[0][1] if lines else []
    for row, column, sentence, remedy in wrong:
        name_of = cell_name(column, row) if column else f"row {row}" if row else f"workbook {file}"
        path = headings[column - 1] if 0 < column <= len(headings) else "row" if row else "file"
        who = f"{name_of[0].upper()}{name_of[1:]}" if not column else f"Cell {name_of}"
        reading.mistakes.add(Place(shown, row or 1, path), f"{who}: {sentence}", remedy, closes=bool(column))
    return shown, lines


def _columns(
    reading: Reading, place: Place, cells: list[str], known: Sequence[str], needed: Sequence[str]
) -> tuple[str, ...] | None:
    """Check the header; None where the rows cannot be read with it."""
    if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
        reading.mistakes.add(
            place,
            "Header: its columns are not parted by commas.",
            "Save the table with the comma as delimiter.",
        )
        return None
    is_usable = True
    for at, column in enumerate(cells):
        where = place._replace(path=column or f"column {at + 1}")
        if not column:
            reading.mistakes.add(where, f"Header: column {at + 1} has no name.", "Name it or remove it.")
            is_usable = False
        elif column in cells[:at]:
            reading.mistakes.add(where, f"Header: column {show(column)} stands twice.", "Remove one of the two.")
            is_usable = False
        elif known and column not in known:
            reading.mistakes.add(
                where, f"Header: column {show(column)} is not known.", f"{meant(column, known)} Or remove it."
            )
    for column in needed:
        if column not in cells:
            reading.mistakes.add(place, f"Header: column {show(column)} is missing.", "Add the column.")
            is_usable = False
    return tuple(cells) if is_usable else None
