"""Scan: the samples that one source gave in one cycle, as columns. The unit of travel.

Flow: collect -> decode -> [Scan] -> intake -> evaluate
Never: holds one Python object per sample.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.model.nature import Nature

Rows: TypeAlias = NDArray[np.int32]
Values: TypeAlias = NDArray[np.float64]
QualityColumn: TypeAlias = NDArray[np.uint8]
TimesNs: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """Samples as columns of equal length n.

    Attributes:
        source: Id of the source, as configured.
        epoch: Start of the source's own count; higher after each restart of the counter.
        number: Place in the epoch, rising by one a scan.
        received_ns: Receive time, ns since 1970-01-01 UTC.
        rows: Tag rows in the site's TagTable, int32 (n,). A tag may appear more than once.
        values: Scaled values in the tags' engineering units, float64 (n,). NaN where BAD.
        quality: Quality bytes, uint8 (n,), see ``edge.model.quality``.
        times_ns: Source times, ns since 1970-01-01 UTC, int64 (n,); the receive time where
            the source gives none.
        is_backfill: The carrier marks these samples as sent later (spool, historical flag).
        is_retained: A retained MQTT message at subscription.
        nature: Actual, exercise or test.
    """

    source: str
    epoch: int
    number: int
    received_ns: int
    rows: Rows
    values: Values
    quality: QualityColumn
    times_ns: TimesNs
    is_backfill: bool = False
    is_retained: bool = False
    nature: Nature = Nature.ACTUAL

    def __post_init__(self) -> None:
        n = len(self.rows)
        assert n == len(self.values) == len(self.quality) == len(self.times_ns), self.key

    @property
    def key(self) -> str:
        """Name of this scan in every cause, e.g. ``tankfarm/3/88412``."""
        return f"{self.source}/{self.epoch}/{self.number}"

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A source's link came up or went down; travels the same road as a scan, in order."""

    source: str
    is_up: bool
    received_ns: int
    reason: str = ""
