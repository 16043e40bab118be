"""The historian's spool: recent samples, in order of their commits, for whoever sends them on.

Flow: recent rows -> [read] -> another server -> [release] -> swept
Why: what is committed once needs no second copy on disk; a row of ``recent`` stays until it is both in a chunk and
     released here. Reading may begin again at the last release at any time: the receiver knows a sample by
     tag and time.
Never: holds up the writer; keeps more than its bounds.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.model.scan import QualityColumn, TimesNs, Values
from gateway.historian.database import BLOCK_BITS, SAMPLE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpoolPart:
    """Samples of some consecutive rows.

    Attributes:
        last_id: Where the next part begins behind.
        at_ns: When the last row was committed, ns since 1970-01-01 UTC.
        series: Ids of the samples' series, int64 (n,); ``Spool.names`` tells tag and nature.
        times_ns, values, quality: As in a scan, (n,).
    """

    last_id: int
    at_ns: int
    series: NDArray[np.int64]
    times_ns: TimesNs
    values: Values
    quality: QualityColumn

    def __len__(self) -> int:
        return len(self.series)


class Spool:
    """Reads with a connection of its own, on any one thread at a time.

    Args:
        path: The history file.
        name: Whose spool.
        released: Last id that was released before.
        release: Notes a release; made durable by the writer's next step.
    """

    def __init__(self, path: Path, name: str, released: int, release: Callable[[int], None]) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        self._connection.execute("PRAGMA query_only = ON")
        self._name = name
        self._release = release
        self._names: dict[int, tuple[str, str]] = {}
        self.released = released

    def read(self, after_id: int, samples_most: int) -> SpoolPart | None:
        """Give the rows behind an id, at least one and else up to so many samples; None where there is none.

        Rows that the spool's bounds let go are passed over, for they are counted already.
        """
        query = "SELECT released FROM spool WHERE name = ?"
        after_id = max(after_id, *self._connection.execute(query, (self._name,)).fetchone())
        bodies: list[tuple[int, bytes]] = []
        samples, last_id, at_ns = 0, after_id, 0
        query = "SELECT id, block, n, at_ns, body FROM recent WHERE id > ? ORDER BY id"
        for row_id, block, n, kept_ns, body in self._connection.execute(query, (after_id,)):
            if bodies and samples + n > samples_most:
                break
            bodies.append((block, body))
            samples, last_id, at_ns = samples + n, row_id, kept_ns
        if not bodies:
            return None
        raw = np.frombuffer(b"".join(body for _, body in bodies), dtype=SAMPLE)
        block = np.repeat([block for block, _ in bodies], [len(body) // SAMPLE.itemsize for _, body in bodies])
        return SpoolPart(
            last_id=last_id,
            at_ns=at_ns,
            series=(block << BLOCK_BITS) + raw["series"],
            times_ns=np.ascontiguousarray(raw["time"]),
            values=np.ascontiguousarray(raw["value"]),
            quality=np.ascontiguousarray(raw["quality"]),
        )

    def names(self, series: int) -> tuple[str, str]:
        """Give tag name and nature of a series."""
        if series not in self._names:
            self._names.update(
                (i, (name, nature))
                for i, name, nature in self._connection.execute("SELECT id, name, nature FROM series")
            )
        return self._names[series]

    def release(self, last_id: int) -> None:
        """Say that the rows up to this id need not be read again."""
        self.released = last_id
        self._release(last_id)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
