"""CalIt2 building (Ihler, Hutchins, Smyth 2006): persons through the main door in half an hour, in and out.

``id,date,time,count`` without a head; id 7 is out, 9 is in. The table of its events is not part of the collection
here, so crowds and a door that counts badly are planted (``PLAN``). The first four weeks are learned from, the others
judged; real events stand in both, unlabelled: who tells one is charged with a false alarm, all alike.
"""

from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.plant import Plan, Sort, planted
from gateway.bench.quality.read import sheet
from gateway.recording import RecordingError

PLAN = Plan(
    seed=20050821,
    count=24,
    sorts=(Sort(kind="crowd", rows=(4, 10), size=60.0), Sort(kind="dead", rows=(16, 48))),
)
TAGS = {"9": "in", "7": "out"}
TIME_FORM = "%m/%d/%y %H:%M:%S"
LEARN_NS = 28 * 86_400_000_000_000
HEAD = ["id", "date", "time", "count"]


def files(folder: Path) -> list[Path]:
    """Give the files, in order of name."""
    return sorted(folder.glob("*.data"))


def cases(folder: Path) -> list[Case]:
    """Read the recording, with faults in what is judged.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [_case(path) for path in files(folder)]


def _case(path: Path) -> Case:
    rows = sheet.headless(path, len(HEAD))
    time_ns = sheet.times_ns(path, [f"{row[1]} {row[2]}" for row in rows], TIME_FORM)
    count = sheet.numbers(path, rows, [3])[:, 0]
    moments = np.unique(time_ns)
    values = np.full((len(moments), len(TAGS)), np.nan)
    for place, of_tag in enumerate(TAGS):
        mine = np.array([row[0].strip() == of_tag for row in rows])
        values[np.searchsorted(moments, time_ns[mine]), place] = count[mine]
    end = int(np.searchsorted(moments, moments[0] + LEARN_NS))
    if end >= len(moments):
        raise RecordingError(f"{path}: it is not longer than the four weeks that are learned from.")
    whole = Part(time_ns=moments, values=values)
    return Case(name=path.name, tags=tuple(TAGS.values()), learn=whole[:end], judge=planted(PLAN, whole[end:]))
