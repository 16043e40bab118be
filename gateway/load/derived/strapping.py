"""Strapping: where a volume's table comes from: a file of the tank's calibration, or a geometry."""

from typing import Final

from edge.load.entry import Entry, Span
from edge.load.mistake import Place
from edge.load.sheet import read_sheet
from edge.load.words import parse_number
from gateway.load.derived.geometry import HEADS, SHAPES, Table, table_of

COLUMNS: Final = ("level_m", "volume_m3")
GEOMETRY: Final = ("diameter_m", "length_m", "head", "head_depth_m")
LENGTH: Final = Span(above=0, most=1_000)


def read_table(entry: Entry) -> Table:
    """Read the table of a volume; empty where there is a mistake."""
    if entry.has("strapping") == entry.has("shape"):
        what = "strapping and shape are both given" if entry.has("shape") else "neither strapping nor shape is given"
        entry.wrong(
            "strapping",
            f"{what}; a volume comes from one of them.",
            'Write strapping = "tables/TK-101.csv", or shape with diameter_m and length_m.',
        )
        return ()
    return _read_file(entry) if entry.has("strapping") else _read_geometry(entry)


def _read_file(entry: Entry) -> Table:
    for key in GEOMETRY:
        if entry.has(key):
            entry.wrong(key, f"{key} is given beside strapping; it belongs to shape.", f"Remove {key}.")
    name = entry.required("strapping", "it is the path of a table with the columns level_m and volume_m3")
    if not name:
        return ()
    sheet = read_sheet(entry.reading, name, entry.place("strapping"), known=COLUMNS, needed=COLUMNS)
    if sheet is None:
        return ()
    table: list[tuple[float, float]] = []
    is_right = True
    for line, cells in sheet.rows:
        found = [parse_number(cells[column]) for column in COLUMNS]
        for column, number in zip(COLUMNS, found, strict=True):
            if number is None:
                _wrong(entry, sheet.file, line, column, "is no finite number", "Write a number with a decimal point.")
                is_right = False
        level, volume = found
        if level is None or volume is None:
            continue
        if table and level <= table[-1][0]:
            _wrong(
                entry, sheet.file, line, "level_m", f"({level:g}) is not above that of the row before",
                "Put the rows in order of level, each level once.",
            )  # fmt: skip
            is_right = False
        elif table and volume < table[-1][1]:
            _wrong(
                entry, sheet.file, line, "volume_m3", f"({volume:g}) is below that of the row before",
                "A tank does not lose volume as the level rises; look at the calibration.",
            )  # fmt: skip
            is_right = False
        table.append((level, volume))
    if is_right and len(table) < 2:  # noqa: PLR2004  # a line has two ends
        entry.wrong("strapping", f"table {name} has fewer than two rows.", "Add the rows of the tank's calibration.")
        is_right = False
    return tuple(table) if is_right else ()


def _wrong(entry: Entry, file: str, line: int, column: str, what: str, remedy: str) -> None:
    entry.reading.mistakes.add(Place(file, line, column), f"Strapping table: {column} {what}.", remedy)


def _read_geometry(entry: Entry) -> Table:
    shape = entry.choice("shape", SHAPES, "")
    is_sphere = shape == "sphere"
    numbers: dict[str, float] = {}
    for key in ("diameter_m",) if is_sphere else ("diameter_m", "length_m"):
        if not entry.has(key):
            entry.wrong(key, f"{key} is missing; {shape or 'a shape'} needs it.", f"Add {key}, in m.")
        numbers[key] = entry.number_or_none(key, LENGTH) or 0.0
    for key in ("length_m", "head", "head_depth_m") if is_sphere else ():
        if entry.has(key):
            entry.wrong(key, f"{key} is given; a sphere has none.", f"Remove {key}.")
    head = "flat" if is_sphere else entry.choice("head", HEADS, "flat")
    has_depth = head in ("conical", "ellipsoidal", "spherical")
    depth = 0.0
    if has_depth and not entry.has("head_depth_m"):
        entry.wrong("head_depth_m", f"head_depth_m is missing; a {head} head stands out.", "Add it, in m.")
    elif has_depth:
        # A spherical head that is deeper than a hemisphere, or one deeper than the shell is long, is a slip.
        depth = entry.number_or_none("head_depth_m", Span(above=0, most=numbers["diameter_m"] / 2 or 1_000)) or 0.0
    elif entry.has("head_depth_m") and not is_sphere:
        entry.wrong("head_depth_m", f"head_depth_m is given; a {head} head has none.", "Remove head_depth_m.")
    if not shape or not all(numbers.values()) or (has_depth and not depth):
        return ()
    try:
        return table_of(shape, numbers["diameter_m"], numbers.get("length_m", 0.0), head, depth)
    except ModuleNotFoundError:
        entry.wrong(
            "head",
            f"{head} heads need the library fluids, which the base install does not have.",
            "Check this file where fengsui[gateway] is installed, or give a strapping table.",
        )
        return ()
