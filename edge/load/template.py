"""Template: like devices written once, filled in for each row of a table of devices.

``{name}`` in a cell becomes the device's cell of column ``name``; ``{base}+4`` in a cell for a number adds up.
That is all the arithmetic there is.

A mistake in a cell without placeholder is the template's and told once; one in a cell with placeholders is told at
the device's row.
"""

import re
from collections.abc import Iterator, Mapping

from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.mistake import Place, meant, show
from edge.load.reading import Reading
from edge.load.sheet import Sheet, read_sheet
from edge.load.words import COLUMNS, is_id, keys_of

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Template:
    """One ``[[template]]``: rows of tags, a table of devices, and what else each device brings along."""

    def __init__(self, entry: Entry) -> None:
        entry.refuse_unknown(keys_of("template"))
        self.entry = entry
        self.reading: Reading = entry.reading
        self.id = entry.required("id", "a template has an id", is_id)
        self.tags = self._sheet("tags", known=COLUMNS, needed=("tag", "source"))
        self.devices = self._sheet("devices")
        self.is_complete = bool(self.tags and self.tags.rows and self.devices and self.devices.rows)
        if self.devices is not None:
            self._check_names(self.devices)

    def _sheet(self, key: str, known: tuple[str, ...] = (), needed: tuple[str, ...] = ()) -> Sheet | None:
        name = self.entry.required(key, "it is the path of a table")
        return read_sheet(self.reading, name, self.entry.place(key), known=known, needed=needed) if name else None

    def _check_names(self, devices: Sheet) -> None:
        for column in devices.columns:
            if not _NAME.fullmatch(column):
                self.reading.mistakes.add(
                    Place(devices.file, devices.header, column),
                    f"Header: column {show(column)} cannot be a placeholder; a name is letters, digits and "
                    "underscores and begins with a letter.",
                    "Rename the column.",
                )

    def rows(self) -> Iterator[Entry]:
        """Give one row of a tag table for each device and each row of the template."""
        if self.tags is None or self.devices is None:
            return
        tags = self.tags.rows
        for line, device in self.devices.rows:
            for tag_line, cells in tags:
                yield self._row(line, device, tag_line, cells)

    def _row(self, line: int, device: Mapping[str, str], tag_line: int, cells: Mapping[str, str]) -> Entry:
        assert self.tags is not None and self.devices is not None, self.id  # noqa: PT018 - one invariant
        tags, devices = self.tags.file, self.devices.file

        def place_of(path: KeyPath) -> Place:
            column = str(path[0]) if path else "row"
            if "{" in cells.get(column, ""):
                return Place(devices, line, f"{column} (template {tags}:{tag_line})")
            return Place(tags, tag_line, column, is_shared=True)

        filled = {
            column: self._fill(cell, device, Place(tags, tag_line, column, is_shared=True)) if "{" in cell else cell
            for column, cell in cells.items()
        }
        return Entry(self.reading, f"Tag {show(filled['tag'])[1:-1]}", filled, place_of, is_row=True, is_expanded=True)

    def sections(self, key: str, noun: str) -> Iterator[Entry]:
        """Give the table ``[template.<key>]`` filled in for each device; nothing where there is none."""
        section = self.entry.section(key)
        if not section.values or self.devices is None:
            return
        for line, device in self.devices.rows:
            yield self._section(section, noun, line, device)

    def tables(self, key: str, noun: str) -> Iterator[Entry]:
        """Give the tables ``[[template.<key>]]``, each filled in for each device."""
        if self.devices is None:
            return
        for section in self.entry.sections(key, noun):
            for line, device in self.devices.rows:
                yield self._section(section, noun, line, device)

    def _section(self, section: Entry, noun: str, line: int, device: Mapping[str, str]) -> Entry:
        assert self.devices is not None, self.id
        devices = self.devices.file

        def place_of(path: KeyPath) -> Place:
            own = section.place_of(path)
            if "{" in str(_at(section.values, path)):
                return Place(devices, line, f"{own.path} (template {own.file}:{own.line})")
            return own._replace(is_shared=True)

        filled = {name: self._fill_value(value, device, section, (name,)) for name, value in section.values.items()}
        name = filled.get("id") or filled.get("tag") or ""
        return Entry(self.reading, f"{noun} {show(name)[1:-1]}", filled, place_of, is_expanded=True)

    def _fill_value(self, value: object, device: Mapping[str, str], section: Entry, path: KeyPath) -> object:
        if isinstance(value, str) and "{" in value:
            # {tag} and {name} of a topic are the collector's, filled when a message comes.
            kept = ("tag", "name") if path[0] == "topic" else ()
            return self._fill(value, device, section.place_of(path)._replace(is_shared=True), kept)
        if isinstance(value, dict):
            return {name: self._fill_value(item, device, section, (*path, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self._fill_value(item, device, section, (*path, at)) for at, item in enumerate(value)]
        return value

    def _fill(self, text: str, device: Mapping[str, str], place: Place, kept: tuple[str, ...] = ()) -> str:
        """Fill the placeholders of one text, except those that are kept."""

        def cell(match: re.Match[str]) -> str:
            name = match.group(1).strip()
            if name in device and name not in kept:
                return device[name]
            if name not in kept:
                self.reading.mistakes.add(
                    place,
                    f"Template {self.id}: placeholder {{{show(name)[1:-1]}}} names no column of the table of devices.",
                    f"{meant(name, tuple(device))} Sums are written outside, as in {{base}}+4.",
                )
            return match.group()

        rest = _PLACEHOLDER.sub("", text)
        if "{" in rest or "}" in rest:
            self.reading.mistakes.add(
                place, f"Template {self.id}: {show(text)} has a brace without its partner.", "Close it or remove it."
            )
        return _PLACEHOLDER.sub(cell, text)


def _at(values: object, path: KeyPath) -> object:
    """Give the value at a path, or an empty text."""
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(part, "")
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return ""
    return values
