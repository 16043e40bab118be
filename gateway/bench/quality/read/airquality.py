"""Air Quality (De Vito et al. 2008): five metal-oxide sensors, temperature and humidity beside a road, hourly.

``;`` between cells, decimal comma, empty columns and rows at the end, -200 for a missing value. There are no labels, so
sensors are made to fail (``PLAN``). The columns ``(GT)`` of the reference analysers are left out: a site with cheap
sensors has none. The first six months are learned from, the seven months after are judged; what the sensors really
drifted in that time is unlabelled and counts as a false alarm where it is told, for all alike.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.plant import Plan, Sort, planted
from gateway.bench.quality.read import sheet
from gateway.recording import RecordingError

PLAN = Plan(
    seed=20040910,
    count=12,
    sorts=(
        Sort(kind="weak", rows=(24, 72), size=0.7),  # poisoned at once
        Sort(kind="drift", rows=(48, 96), size=0.5),  # poisoned slowly
        Sort(kind="frozen", rows=(12, 48)),
    ),
)
MISSING = -200.0
TIME_FORM = "%d/%m/%Y %H.%M.%S"
LEARN_NS = 184 * 86_400_000_000_000
SENSORS, CLIMATE = "PT08.", ("T", "RH", "AH")


def files(folder: Path) -> list[Path]:
    """Give the files, in order of name."""
    return sorted(folder.glob("AirQuality*.csv"))


def cases(folder: Path) -> list[Case]:
    """Read the recording, with faults in what is judged.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [_case(path) for path in files(folder)]


def _case(path: Path) -> Case:
    head, rows = sheet.table(path, ";")
    head = [name.rstrip(",") for name in head]
    day, hour = sheet.place(path, head, "Date"), sheet.place(path, head, "Time")
    rows = [[cell.rstrip(",") for cell in row] for row in rows if row[day].strip()]
    tags = tuple(name for name in head if name.startswith(SENSORS) or name in CLIMATE)
    values = sheet.numbers(path, rows, [head.index(name) for name in tags], comma=True)
    values[values == MISSING] = np.nan
    time_ns = sheet.times_ns(path, [f"{row[day]} {row[hour]}" for row in rows], TIME_FORM)
    end = int(np.searchsorted(time_ns, time_ns[0] + LEARN_NS))
    if end >= len(time_ns):
        raise RecordingError(f"{path}: it is not longer than the six months that are learned from.")
    whole = Part(time_ns=time_ns, values=values)
    return Case(name=path.name, tags=tags, learn=whole[:end], judge=planted(PLAN, whole[end:]))
