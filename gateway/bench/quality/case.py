"""Case: one recording as detectors see it, and what they say about it.

Never: holds a label. Readers leave label columns in the file; only ``gateway.bench.quality.score`` opens them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of a recording: times in ns since 1970-01-01 UTC, int64 (n,); values, float64 (n, tags), NaN for none."""

    time_ns: Times
    values: Floats

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, rows: slice) -> "Part":
        return Part(time_ns=self.time_ns[rows], values=self.values[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recording.

    Attributes:
        name: Its file within the collection, with ``/``.
        tags: Names of the columns.
        learn: What the published protocol lets be known beforehand: normal operation.
        judge: What is judged, in order of time, every row once.
        skip: Rows at the head of ``judge`` that the published rule does not score.
    """

    name: str
    tags: tuple[str, ...]
    learn: Part
    judge: Part
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a detector said about a case, a row of ``judge`` each.

    Attributes:
        score: Bigger is more anomalous, float64 (n,).
        alarm: At the detector's own threshold, bool (n,).
    """

    score: Floats
    alarm: Flags
