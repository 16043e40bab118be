"""SKAB v0.9 (Katser, Kozitsin 2020): a loop of pump and tank, eight sensors, 1 s; ``;`` between cells, seconds skipped.

Protocol of its leaderboard: the first 400 rows of each file are normal and may be learned, the rows after are scored.
"""

from pathlib import Path

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.read import sheet

LEARN_ROWS = 400
LABELS = ("anomaly", "changepoint")
TIME_FORM = "%Y-%m-%d %H:%M:%S"


def files(folder: Path) -> list[Path]:
    """Give the files that are scored, in order of name."""
    return sorted(path for path in folder.rglob("*.csv") if "anomaly-free" not in path.parts)


def cases(folder: Path) -> list[Case]:
    """Read all recordings without their labels.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [_case(folder, path) for path in files(folder)]


def _case(folder: Path, path: Path) -> Case:
    head, rows = sheet.table(path, ";")
    at = sheet.place(path, head, "datetime")
    tags = [name for name in head if name != "datetime" and name not in LABELS]
    whole = Part(
        time_ns=sheet.times_ns(path, [row[at] for row in rows], TIME_FORM),
        values=sheet.numbers(path, rows, [head.index(name) for name in tags]),
    )
    return Case(
        name=path.relative_to(folder).as_posix(),
        tags=tuple(tags),
        learn=whole[:LEARN_ROWS],
        judge=whole,
        skip=min(LEARN_ROWS, len(whole)),
    )
