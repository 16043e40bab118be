"""Workbook: a sheet of an XLSX file as lines of text cells, the way a CSV table gives them, and the way back.

Why: lists of tags are kept in spreadsheets; copying them out by hand is where the mistakes come from.
Never: evaluates a formula, follows a link, unpacks more than a table can be.

The only module that imports openpyxl, and only where there is a workbook: a start without one does not pay for it.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Final, Protocol

UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024  # 3,000 rows of 60 columns unpack to about 10 MB.
PARTS_MAX: Final = 2000
ROWS_MAX: Final = 200_000
ROW_LAST: Final = 1_048_576  # Of a spreadsheet; a format alone may reach down to it.
COLUMNS_MAX: Final = 512
WHOLE_MAX: Final = 1e15  # Below it a number of a spreadsheet without fraction is a whole number exactly.

#: What is wrong at (row, column from 1 or 0 for none): sentence, remedy.
Tell = Callable[[int, int, str, str], None]


class _Cell(Protocol):
    """What is read of a cell."""

    @property
    def value(self) -> object: ...
    @property
    def data_type(self) -> str: ...


class _Rows(Protocol):
    """What is read of a sheet."""

    def reset_dimensions(self) -> None: ...
    def iter_rows(self) -> Iterator[tuple[_Cell, ...]]: ...


def part_name(name: str) -> tuple[str, str]:
    """Part ``tags.xlsx#Tanks`` into the file and the sheet; the sheet is empty where none is named."""
    file, mark, sheet = name.partition("#")
    return (file, sheet) if mark and is_workbook(file) else (name, "")


def is_workbook(name: str) -> bool:
    """Tell by its name whether a file is a workbook."""
    return PurePosixPath(name.partition("#")[0]).suffix.lower() == ".xlsx"


def is_comment(number: int, cells: Sequence[str], hashes_from: int | None) -> bool:
    """Tell whether a row is a comment: it begins with ``#``, above ``hashes_from`` or with no other cell filled."""
    return cells[0].startswith("#") and (hashes_from is None or number < hashes_from or not any(cells[1:]))


def read_lines(
    raw: bytes,
    sheet: str,
    tell: Tell,
    hashes_from: int | None = None,
    *,
    first: int = 1,
    last: int = ROW_LAST,
    has_dates: bool = False,
) -> tuple[str, list[tuple[int, list[str]]]]:
    """Give the sheet's name, and row number and cells of each row that says something.

    Args:
        raw: The file.
        sheet: Name of the sheet; empty for the first one that is not hidden.
        tell: Takes each thing that is wrong.
        hashes_from: See ``is_comment``.
        first, last: Rows that are read, from 1; what stands above is a title.
        has_dates: A cell that is a date is one, and is written as ISO 8601; else the spreadsheet has made it of a
            number or a name.
    """
    if not _is_reasonable(raw, tell):
        return sheet, []
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - see the module head

        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
        names = [one.title for one in book.worksheets if one.sheet_state == "visible"] or book.sheetnames
        if sheet and sheet not in book.sheetnames:
            tell(0, 0, f"it has no sheet “{sheet}”; its sheets are {', '.join(book.sheetnames)}.", "Name one of them.")
            return sheet, []
        sheet = sheet or names[0]
        return sheet, _lines(book[sheet], formulas[sheet], tell, hashes_from, range(first, last + 1), has_dates)
    except Exception as error:  # noqa: BLE001  # openpyxl raises whatever a broken part leads it to
        tell(0, 0, f"it cannot be read as an XLSX workbook ({type(error).__name__}).", "Save it anew as .xlsx.")
        return sheet, []


def _is_reasonable(raw: bytes, tell: Tell) -> bool:
    """Look at the archive before anything is unpacked: a small file can unpack to all of the memory."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, ValueError, EOFError, OSError):
        tell(0, 0, "it is no XLSX workbook; one is a ZIP archive inside.", "Save it as .xlsx (not .xls), or as CSV.")
        return False
    if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        tell(
            0, 0, f"it unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MB.", "Give a workbook with the table alone."
        )
        return False
    return True


def _lines(
    values: _Rows,
    formulas: _Rows,
    tell: Tell,
    hashes_from: int | None,
    span: range,
    has_dates: bool,  # noqa: FBT001
) -> list[tuple[int, list[str]]]:
    """Read the rows; a sheet may claim any size, so what is read is bounded."""
    for one in (values, formulas):
        one.reset_dimensions()  # What the file says of its size is often wrong, and rows beyond it would be lost.
    lines: list[tuple[int, list[str]]] = []
    width = 0
    for number, (row, asked) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=False), start=1):
        if number < span.start:
            continue
        if number >= span.stop:
            break
        cells = [
            _date(cell) or _text(cell, formula, number, column, tell)
            if has_dates
            else _text(cell, formula, number, column, tell)
            for column, (cell, formula) in enumerate(zip(row[:COLUMNS_MAX], asked, strict=False), start=1)
        ]
        if not any(cells) or is_comment(number, cells, hashes_from):
            continue
        if number > ROWS_MAX:
            tell(number, 0, f"it has more than {ROWS_MAX} rows.", "Part it into several tables.")
            break
        if not lines:  # The header says how wide the table is; what stands beside it is a note.
            while cells and not cells[-1]:
                cells.pop()
            width = len(cells)
        elif any(cells[width:]):
            column = width + next(at for at, cell in enumerate(cells[width:], start=1) if cell)
            tell(number, column, "a cell stands outside the columns of the header.", "Name its column, or empty it.")
        lines.append((number, (cells + [""] * width)[:width]))
    return lines


def _date(cell: _Cell) -> str:
    """Write a date as ISO 8601; empty where the cell is none."""
    value = cell.value
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else ""


def _text(cell: _Cell, formula: _Cell, row: int, column: int, tell: Tell) -> str:
    """Write a cell as a person would type it into a CSV table."""
    value = cell.value
    if value is None:
        if isinstance(formula.value, str) and formula.data_type == "f":
            remedy = "Save the workbook in a spreadsheet first."
            tell(row, column, "the cell holds a formula without its value.", remedy)
            return formula.value
        return ""
    if cell.data_type == "e":
        tell(row, column, f"the cell holds the error {value}.", "Put the formula right, or write the value.")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < WHOLE_MAX else repr(value)
    if isinstance(value, datetime | date | time | timedelta):
        tell(
            row,
            column,
            f"the spreadsheet has made a date of the cell ({value}).",
            "Format the cell as text and write it again.",
        )
    return str(value).strip()


def cell_name(column: int, row: int) -> str:
    """Give a cell's name in a spreadsheet, e.g. ``F12``."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - see the module head

    return f"{get_column_letter(column)}{row}"


def write_workbook(
    title: str, lines: Sequence[Sequence[str | float]], choices: Mapping[int, Sequence[str]], notes: Mapping[int, str]
) -> bytes:
    """Write a sheet: the header first, in bold and always in sight.

    Args:
        title: Name of the sheet.
        lines: Cells; a text is written as text whatever it begins with, so that no spreadsheet runs it.
        choices: Column from 1 → the words that its cells may be, offered as a list.
        notes: Column from 1 → what stands at its header as a note.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - see the module head
    from openpyxl.comments import Comment  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    book = Workbook()
    sheet = book.active
    sheet.title = title
    for number, cells in enumerate(lines, start=1):
        for column, value in enumerate(cells, start=1):
            if value == "":
                continue
            cell = sheet.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # "=1+1" is a text here.
            if number == 1:
                cell.font = Font(bold=True)
                if column in notes:
                    cell.comment = Comment(notes[column], "fengsui")
    for column in range(1, len(lines[0]) + 1):
        widest = max((_width(row[column - 1]) for row in lines[:200] if len(row) >= column), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(max(widest + 2, 8), 48)
    for column, words in choices.items():
        listed = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
        sheet.add_data_validation(listed)
        letter = get_column_letter(column)
        listed.add(f"{letter}2:{letter}{max(len(lines), 1000)}")
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(lines[0]))}{len(lines)}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _width(value: str | float) -> int:
    return sum(2 if ord(sign) > 0xFF else 1 for sign in str(value))  # noqa: PLR2004  # a Chinese sign is two wide
