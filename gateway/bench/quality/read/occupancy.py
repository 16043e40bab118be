"""Occupancy detection (Candanedo, Feldheim 2016): CO2, temperature, humidity and light of an office, about 1 min.

The empty room is normal operation; that people are there is the event. Light is left out: a lamp is no gas. What may be
learned is the weekend at the head of the file, which the description calls unoccupied.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.read import sheet

TAGS = ("CO2", "Temperature", "Humidity", "HumidityRatio")
TIME_FORM = "%Y-%m-%d %H:%M:%S"
SATURDAY, DAYS_TO_LEARN = 5, 2
DAY_NS = 86_400_000_000_000
THURSDAY_1970 = 3  # 1970-01-01, counted from Monday as 0


def files(folder: Path) -> list[Path]:
    """Give the files, in order of name."""
    return sorted(path for path in folder.glob("data*.txt"))


def cases(folder: Path) -> list[Case]:
    """Read all recordings without their labels; one without a whole weekend cannot be judged and is left out.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [case for path in files(folder) if (case := _case(path)) is not None]


def span(path: Path) -> tuple[list[str], list[list[str]], Part]:
    """Read names, cells and all rows of a file; a nameless first column holds the row's number."""
    head, rows = sheet.table(path)
    if len(rows[0]) == len(head) + 1:
        head = ["", *head]
    times = [row[sheet.place(path, head, "date")] for row in rows]
    columns = [sheet.place(path, head, name) for name in TAGS]
    part = Part(time_ns=sheet.times_ns(path, times, TIME_FORM), values=sheet.numbers(path, rows, columns))
    return head, rows, part


def _case(path: Path) -> Case | None:
    _, _, whole = span(path)
    weekday = (whole.time_ns // DAY_NS + THURSDAY_1970) % 7
    saturday = np.flatnonzero(weekday == SATURDAY)
    if len(saturday) == 0:
        return None
    first = int(saturday[0])
    end = int(np.searchsorted(whole.time_ns, (whole.time_ns[first] // DAY_NS + DAYS_TO_LEARN) * DAY_NS))
    if end >= len(whole):
        return None
    return Case(name=path.name, tags=TAGS, learn=whole[first:end], judge=whole[end:])
