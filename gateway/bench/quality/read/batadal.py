"""BATADAL (Taormina et al. 2018): a water network, 7 tanks, 11 pumps and a valve, 12 pressures, hourly.

``dataset03`` is a normal year; ``dataset04`` and ``test_dataset`` hold attacks, some with falsified readings. Heads
have blanks around the names, times are ``dd/mm/yy HH``; the column ``ATT_FLAG`` (-999 for not labelled) is never read.
"""

from pathlib import Path

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.read import sheet
from gateway.recording import RecordingError

LEARN = "BATADAL_dataset03.csv"
SETS = {"BATADAL_dataset04.csv": "train2", "BATADAL_test_dataset.csv": "test"}
LABEL = "ATT_FLAG"
TIME_FORM = "%d/%m/%y %H"


def cases(folder: Path) -> list[Case]:
    """Read the sets with attacks, without their labels, each with the normal year to learn from.

    Raises:
        RecordingError: A file is not of this form, or two do not have the same columns.
    """
    found = {path.name: path for path in sorted(folder.rglob("*.csv"))}
    if LEARN not in found:
        raise RecordingError(f"{folder}: there is no {LEARN}.")
    tags, learn = _read(found[LEARN])
    cases = []
    for name in SETS:
        if name in found:
            its, judge = _read(found[name])
            if its != tags:
                raise RecordingError(f"{found[name]}: its columns are not those of {LEARN}.")
            cases.append(Case(name=name, tags=tags, learn=learn, judge=judge))
    return cases


def _read(path: Path) -> tuple[tuple[str, ...], Part]:
    head, rows = sheet.table(path)
    tags = [name for name in head if name not in ("DATETIME", LABEL)]
    times = [row[sheet.place(path, head, "DATETIME")] for row in rows]
    return tuple(tags), Part(
        time_ns=sheet.times_ns(path, times, TIME_FORM),
        values=sheet.numbers(path, rows, [head.index(name) for name in tags]),
    )
