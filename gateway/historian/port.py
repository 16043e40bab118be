"""Historian: the port through which values are kept and read back.

Flow: intake -> [append] -> committed -> done -> acknowledge the source
Never: blocks the event loop, holds more samples than it was told to, loses a value without counting it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.model import Nature, Scan, TagTable
from edge.model.scan import QualityColumn, Rows, TimesNs, Values

Done: TypeAlias = Callable[[bool], None]
"""Told once, on the event loop: True when the values are durably committed, False when they are lost."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One tag over a span of time, as columns of equal length, ascending in time.

    Where the span holds more samples than points asked for, each point sums up a bucket of equal width. A hole longer
    than three scan periods shows as one point with ``count`` 0, NaN and quality BAD, so that a chart breaks its line.

    Attributes:
        times_ns: Sample time, or begin of the bucket, ns since 1970-01-01 UTC, int64 (n,).
        values: The sample, or the mean of the bucket's finite samples that are not BAD, float64 (n,); NaN for none.
        min, max: Least and greatest of the same samples, float64 (n,); equal to ``values`` where not rolled up.
        quality: The sample's quality byte, or the worst in the bucket, uint8 (n,).
        count: Samples behind the point, int64 (n,); 0 marks a gap.
        is_rolled_up: Points are buckets, not samples.
    """

    times_ns: TimesNs
    values: Values
    min: Values
    max: Values
    quality: QualityColumn
    count: NDArray[np.int64]
    is_rolled_up: bool

    def __len__(self) -> int:
        return len(self.times_ns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latest:
    """The newest committed sample of each tag asked for, as columns in the order of the question.

    A tag that has none has value NaN, quality BAD and time 0.
    """

    rows: Rows
    values: Values
    quality: QualityColumn
    times_ns: TimesNs


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The historian's books; ``taken == committed + held + lost`` at any time.

    Attributes:
        taken: Samples handed over.
        committed: Samples durably kept.
        held: Samples waiting in memory for the next commit.
        lost: Samples given up because the waiting room was full, or the historian closed or broken.
        last_error: What the last failed commit said; empty while all is well.
    """

    taken: int = 0
    committed: int = 0
    held: int = 0
    lost: int = 0
    last_error: str = ""


class Historian(Protocol):
    """Keeps samples and gives them back. All methods belong to the event loop."""

    @property
    def counts(self) -> Counts:
        """Give the books."""
        ...

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Hand over a scan; returns at once.

        Args:
            scan: Samples; of two samples of a tag with the same time the later handed over stays.
            done: Called once on a later turn of the event loop, with the scan's fate.
        """
        ...

    async def flush(self) -> None:
        """Wait until what was handed over before is committed or lost."""
        ...

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        """Give one tag's samples with ``from_ns <= time < to_ns``, in at most ``points`` points and gap marks.

        Args:
            row: Tag row.
            from_ns: Begin, ns since 1970-01-01 UTC.
            to_ns: End, not included; after the begin.
            points: At least 1.
            nature: Whose samples; None for the tag's own nature.
        """
        ...

    async def latest(self, rows: Rows) -> Latest:
        """Give the newest committed sample of each of these tags, of the tag's own nature."""
        ...

    async def prepare(self, tags: TagTable) -> None:
        """Make room for the tags of another table, before ``adopt``; rows stay those of the present one.

        Raises:
            OSError, sqlite3.Error: The disk does not let it; the present table goes on.
        """
        ...

    def adopt(self, tags: TagTable) -> None:
        """Take and give rows of this table from now on; what was handed over before and all series stay."""
        ...

    async def close(self) -> None:
        """Commit what waits and let go of the files; what comes later is lost and counted."""
        ...
