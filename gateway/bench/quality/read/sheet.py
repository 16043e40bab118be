"""Read the tables that the collections come as: cells as text, times without offset taken as UTC."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.recording import RecordingError


def table(path: Path, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """Give the names of the columns, without the blanks around them, and the rows that are not empty.

    Raises:
        RecordingError: The file has no head, or a row is shorter than it.
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file, delimiter=delimiter) if any(cell.strip() for cell in line)]
    if len(lines) < 2:  # noqa: PLR2004  # a head and a row
        raise RecordingError(f"{path}: there are no rows below a head.")
    head = [name.strip() for name in lines[0]]
    for number, line in enumerate(lines[1:], start=2):
        if len(line) < len(head) - 1:  # Some files leave out the last delimiter.
            raise RecordingError(f"{path}: row {number}: {len(line)} cells below {len(head)} names.")
    return head, lines[1:]


def headless(path: Path, width: int) -> list[list[str]]:
    """Give the rows of a table that has no head, all of one width, without the empty ones.

    Raises:
        RecordingError: There are none, or one has another width.
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    if not lines:
        raise RecordingError(f"{path}: there are no rows.")
    for number, line in enumerate(lines, start=1):
        if len(line) != width:
            raise RecordingError(f"{path}: row {number}: {len(line)} cells; {width} are expected.")
    return lines


def place(path: Path, head: list[str], name: str) -> int:
    """Give the column of a name.

    Raises:
        RecordingError: There is none.
    """
    if name not in head:
        raise RecordingError(f"{path}: there is no column {name!r}.")
    return head.index(name)


def numbers(path: Path, rows: list[list[str]], columns: list[int], *, comma: bool = False) -> NDArray[np.float64]:
    """Give columns as numbers, float64 (rows, columns); an empty cell is NaN.

    Args:
        comma: The decimal sign is a comma.

    Raises:
        RecordingError: A cell is no number.
    """
    found = np.full((len(rows), len(columns)), np.nan)
    for number, row in enumerate(rows):
        for at, column in enumerate(columns):
            cell = row[column].strip() if column < len(row) else ""
            if not cell:
                continue
            try:
                found[number, at] = float(cell.replace(",", ".") if comma else cell)
            except ValueError:
                raise RecordingError(f"{path}: row {number + 2}: {cell!r} is no number.") from None
    return found


def times_ns(path: Path, cells: list[str], form: str) -> NDArray[np.int64]:
    """Give times by a ``strptime`` form, ns since 1970-01-01, int64 (rows,); without offset they count as UTC.

    Raises:
        RecordingError: A cell is no such time.
    """
    found = np.empty(len(cells), dtype=np.int64)
    for number, cell in enumerate(cells):
        try:
            moment = datetime.strptime(cell.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            raise RecordingError(f"{path}: row {number + 2}: {cell!r} is no time such as {form}.") from None
        found[number] = round(moment.timestamp() * 1_000_000) * 1_000
    return found
