"""Labels: when something really was wrong, as people wrote it down.

CSV ``start,end[,tag][,name]``: times as in recordings; a label with a tag speaks of that tag only.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.model import TagTable
from gateway.recording import RecordingError, parse_time_ns

COLUMNS = ("start", "end", "tag", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One window, both ends included, ns since 1970-01-01 UTC."""

    start_ns: int
    end_ns: int
    tag: str = ""
    name: str = ""

    def speaks_of(self, tag: str) -> bool:
        """Tell whether the label says anything about a tag."""
        return self.tag in ("", tag)


def read_labels(path: Path, tags: TagTable) -> list[Label]:
    """Read labels, ordered by start.

    Raises:
        RecordingError: A line is no label; with file, line and remedy.
        OSError: The file cannot be read.
    """
    labels: list[Label] = []
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: it is not UTF-8 text.") from None
    head = lines[0] if lines else []
    if head[:2] != ["start", "end"]:
        raise RecordingError(f"{path}: line 1: the first columns must be 'start' and 'end'; found {head[:2]}.")
    unknown = [name for name in head if name not in COLUMNS]
    if unknown:
        raise RecordingError(f"{path}: line 1: {unknown[0]!r} is none of the columns {', '.join(COLUMNS)}.")
    for number, line in enumerate(lines[1:], start=2):
        if line:
            labels.append(_label(path, number, dict(zip(head, line, strict=False)), tags))
    return sorted(labels, key=lambda label: (label.start_ns, label.end_ns, label.tag))


def _label(path: Path, number: int, cells: dict[str, str], tags: TagTable) -> Label:
    where = f"{path}: line {number}"
    try:
        start_ns, end_ns = (parse_time_ns(cells.get(name, "")) for name in ("start", "end"))
    except ValueError as failure:
        raise RecordingError(f"{where}: {failure}") from None
    if end_ns < start_ns:
        raise RecordingError(f"{where}: the end {cells['end']!r} is before the start {cells['start']!r}.")
    tag = cells.get("tag", "")
    if tag and tag not in tags.row_of:
        raise RecordingError(f"{where}: {tag!r} is no tag of the site.")
    return Label(start_ns=start_ns, end_ns=end_ns, tag=tag, name=cells.get("name", ""))


def inside(time_ns: NDArray[np.int64], labels: list[Label]) -> NDArray[np.bool_]:
    """Tell which times are within any of the labels, bool (n,)."""
    found = np.zeros(len(time_ns), dtype=np.bool_)
    for label in labels:
        found |= (time_ns >= label.start_ns) & (time_ns <= label.end_ns)
    return found


def covered_ns(labels: list[Label], span: tuple[int, int]) -> int:
    """Give how much of a span is within any of the labels, overlaps once, ns."""
    covered, reached = 0, span[0]
    for label in sorted(labels, key=lambda each: each.start_ns):
        first, last = max(label.start_ns, reached), min(label.end_ns, span[1])
        if last > first:
            covered += last - first
            reached = last
    return covered
