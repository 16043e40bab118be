"""Numenta Anomaly Benchmark v1.1 (Lavin, Ahmad 2015): one noisy signal a file.

Protocol: the first 15 % of a file, at most 750 rows, are for learning and are not scored; the rest is met row by row.
"""

from pathlib import Path

from gateway.bench.quality.case import Case, Part
from gateway.bench.quality.read import sheet

LEARN_SHARE, LEARN_ROWS_MAX = 0.15, 750
TIME_FORM = "%Y-%m-%d %H:%M:%S"


def learned(n: int) -> int:
    """Give how many rows at the head of a file of n are not scored."""
    return int(min(LEARN_SHARE * n, LEARN_ROWS_MAX))


def cases(folder: Path) -> list[Case]:
    """Read all recordings.

    Raises:
        RecordingError: A file is not of this form.
    """
    return [_case(folder / "data", path) for path in sorted((folder / "data").rglob("*.csv"))]


def _case(folder: Path, path: Path) -> Case:
    head, rows = sheet.table(path)
    whole = Part(
        time_ns=sheet.times_ns(path, [row[sheet.place(path, head, "timestamp")] for row in rows], TIME_FORM),
        values=sheet.numbers(path, rows, [sheet.place(path, head, "value")]),
    )
    n = learned(len(whole))
    return Case(name=path.relative_to(folder).as_posix(), tags=("value",), learn=whole[:n], judge=whole, skip=n)
