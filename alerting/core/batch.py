"""Batch: all samples of scans that simply follow their predecessors, as columns; and what was made of them.

Flow: scans of a tick -> [Batch] -> guard or kernel -> Taken -> the rest goes on scan by scan
Why: a thousand scans of a hundred samples are judged in one pass, not in a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Changes
from edge.model import Scan

AHEAD_NS_MAX = 5_000_000_000  # A source's clock may be that far ahead; beyond, its stamp is replaced.
NONE_NS = int(np.iinfo(np.int64).min)
T = TypeVar("T", bound=np.generic)
ROWS, VALUES, QUALITY, TIMES_NS = (attrgetter(name) for name in ("rows", "values", "quality", "times_ns"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples of scans, in order of arrival; at most one scan of each source.

    Attributes:
        rows, values, quality, times_ns: The samples, as in ``Scan``, (n,).
        first: Samples of scan s are ``first[s]:first[s + 1]``, at least one, int64 (scans + 1,).
        source: Index of each scan's source in the memory, int32 (scans,).
        received_ns, lateness_ns: Of each scan, int64 (scans,); an older sample waits for a second thought.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    times_ns: NDArray[np.int64]
    first: NDArray[np.int64]
    source: NDArray[np.int32]
    received_ns: NDArray[np.int64]
    lateness_ns: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        scans: Sequence[Scan],
        source: NDArray[np.int32],
        received_ns: NDArray[np.int64],
        lateness_ns: NDArray[np.int64],
        room: "Room | None" = None,
    ) -> "Batch":
        """Put the samples of some scans side by side.

        Args:
            room: Where to put them; the batch is then good until the next one is put there.
        """
        first = np.zeros(len(scans) + 1, dtype=np.int64)
        rows = list(map(ROWS, scans))
        np.add.accumulate(list(map(len, rows)), out=first[1:])
        room = room or Room()
        n = int(first[-1])
        return cls(
            rows=room.put(n, "rows", rows, np.int32),
            values=room.put(n, "values", list(map(VALUES, scans)), np.float64),
            quality=room.put(n, "quality", list(map(QUALITY, scans)), np.uint8),
            times_ns=room.put(n, "times_ns", list(map(TIMES_NS, scans)), np.int64),
            first=first,
            source=source,
            received_ns=received_ns,
            lateness_ns=lateness_ns,
        )

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of a batch.

    Attributes:
        is_taken: Samples that memory has taken, bool (n,); the others are judged as ever.
        left: How many samples of each scan were not taken, int64 (scans,).
        newest_ns: Newest time of each scan's samples that enter live, int64 (scans,); ``NONE_NS`` for none.
        changes: By place of a scan: what changed before its samples, and by them.
    """

    is_taken: NDArray[np.bool_]
    left: NDArray[np.int64]
    newest_ns: NDArray[np.int64]
    changes: dict[int, tuple[Changes, Changes]] = field(default_factory=dict)


class Room:
    """Columns that batches are put into, one after the other; fresh ones cost a page fault for each 4 kB of them."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {}

    def put(self, n: int, name: str, parts: Sequence[NDArray[T]], dtype: type[T]) -> NDArray[T]:
        """Put columns side by side; compiled code wants them in one piece and of one type."""
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0], dtype=dtype)
        column = self._columns.get(name)
        if column is None or len(column) < n:
            column = self._columns[name] = np.empty(n + n // 4, dtype=dtype)
        return np.concatenate(parts, out=column[:n], casting="same_kind")
