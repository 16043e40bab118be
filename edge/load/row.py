"""Row: a line of a tag table as an entry that keeps its cells only, for a site has a hundred thousand of them.

Why: a dict, a sentence's beginning and a function for each row took 600 bytes more, most of which stayed with the
    process as holes between what is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.mistake import Place, show
from edge.load.reading import Reading
from edge.load.sheet import Sheet


class Header:
    """The columns of a table, shared by its rows.

    Attributes:
        at: Place of each column's cell in a row.
    """

    __slots__ = ("_among", "_getters", "at", "sheet")

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.at: dict[str, int] = {column: at for at, column in enumerate(sheet.columns)}
        self._among: dict[Sequence[str], tuple[int, ...]] = {}
        self._getters: dict[Sequence[str], itemgetter[object]] = {}

    def among(self, columns: tuple[str, ...]) -> tuple[int, ...]:
        """Give the places of those of some columns that the table has."""
        found = self._among.get(columns)
        if found is None:
            found = self._among[columns] = tuple(self.at[column] for column in columns if column in self.at)
        return found

    def said(self, columns: tuple[str, ...], cells: tuple[str, ...]) -> object:
        """Give what a row says in some columns: something hashable that is equal where the cells are."""
        getter = self._getters.get(columns)
        if getter is None:
            found = self.among(columns)
            getter = self._getters[columns] = itemgetter(*found) if found else itemgetter(slice(0))
        return getter(cells)


class Cells(Mapping[str, str]):
    """The cells of a row by column, empty ones too."""

    __slots__ = ("at", "cells")

    def __init__(self, at: Mapping[str, int], cells: tuple[str, ...]) -> None:
        self.at, self.cells = at, cells

    def __getitem__(self, column: str) -> str:
        return self.cells[self.at[column]]

    def get(self, column: str, default: Any = None) -> Any:  # noqa: ANN401 - as a mapping's; twice as fast as its own
        """Give a cell, or the default where the table has no such column."""
        at = self.at.get(column)
        return default if at is None else self.cells[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self.at)

    def __len__(self) -> int:
        return len(self.at)


class Row(Entry):
    """A row of a tag table."""

    __slots__ = ("_cells", "_header", "_line")

    def __init__(self, reading: Reading, header: Header, line: int, cells: tuple[str, ...]) -> None:
        super().__init__(reading, "", Cells(header.at, cells), _nowhere, is_row=True)
        self._header, self._line, self._cells = header, line, cells

    def said(self, columns: tuple[str, ...]) -> tuple[Header, object]:
        """Give what the row says in some columns; equal for two rows of one table that say the same there."""
        return self._header, self._header.said(columns, self._cells)

    @property
    def who(self) -> str:
        """How sentences begin."""
        tag = self.values["tag"]
        return self._who or (f"Tag {show(tag)[1:-1]}" if tag else f"Row of line {self._line}")

    @who.setter
    def who(self, who: str) -> None:
        self._who = who

    def place_of(self, path: KeyPath) -> Place:
        """Give the place of a cell, or of the row itself."""
        sheet = self._header.sheet
        return Place(sheet.file, self._line, sheet.headings.get(str(path[0]), str(path[0])) if path else "row")

    def has(self, key: str) -> bool:
        """Tell whether a cell is filled."""
        at = self._header.at.get(key)
        return at is not None and self._cells[at] != ""

    def has_any(self, keys: tuple[str, ...]) -> bool:
        """Tell whether any of some cells is filled."""
        cells = self._cells
        return any(cells[at] for at in self._header.among(keys))


def _nowhere(_: KeyPath) -> Place:
    raise AssertionError("a row knows where it is")
