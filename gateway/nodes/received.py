"""Received: which scans of each node's source are durable here, by epoch and number.

Why: a node sends again whatever it has no answer for, live and back-fill in two orders; the same scan twice must be
    one. A high-water mark would forget the holes that back-fill is to close, so ranges are kept.
Never: forgets a range that is not among the oldest; grows without bound.
"""

from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import Connection, delete, insert, select

from edge.config import Source
from edge.model.ranges import Ranges
from gateway.store.schema import received

EPOCHS_MAX = 64  # Starts of a node that are remembered; a node has sent what is older, or never will.
RANGES_MAX = 256  # Of one epoch; each hole is scans that are lost or still to come.

STREAM_MAX = 64

Place = tuple[str, int]  # stream, epoch


def stream_of(source: Source, node: str) -> str:
    """Name what one node sends of a source: the source, or of one that several nodes bring, its part of it.

    At most 64 characters, as the column has; two names that are too long together are told apart by their digest.
    """
    if not source.is_merged:
        return source.id
    name = f"{source.id}@{node}"
    return name if len(name) <= STREAM_MAX else f"@{blake2b(name.encode(), digest_size=24).hexdigest()}"


class Received:
    """Ranges of numbers by source and epoch."""

    def __init__(self) -> None:
        self._ranges: dict[str, dict[int, Ranges]] = {}
        self._changed: set[Place] = set()

    def load(self, connection: Connection, sources: Iterable[str]) -> None:
        """Read what was written down of these sources."""
        wanted = set(sources)
        for row in connection.execute(select(received)):
            if row.source in wanted:
                self._ranges.setdefault(row.source, {}).setdefault(row.epoch, Ranges()).add(row.first, row.last)

    def knows(self, source: str, epoch: int, number: int) -> bool:
        """Tell whether a scan is here already."""
        ranges = self._ranges.get(source, {}).get(epoch)
        return ranges is not None and number in ranges

    def add(self, source: str, epoch: int, number: int) -> None:
        """Take in a scan that is durable."""
        epochs = self._ranges.setdefault(source, {})
        ranges = epochs.setdefault(epoch, Ranges())
        ranges.add(number, number)
        if len(ranges) > RANGES_MAX:
            ranges.forget_first()
        if len(epochs) > EPOCHS_MAX:
            oldest = min(epochs)
            del epochs[oldest]
            self._changed.add((source, oldest))
        self._changed.add((source, epoch))

    def missing(self, source: str) -> int:
        """Count the scans that were numbered before one that is here, and are not here: lost, or still to come."""
        total = 0
        for ranges in self._ranges.get(source, {}).values():
            told = list(ranges)
            total += told[-1][1] - sum(last - first + 1 for first, last in told)
        return total

    def take_changed(self) -> dict[Place, list[tuple[int, int]]]:
        """Hand over what changed since the last call; what is not written down is given back."""
        changed = {
            (source, epoch): list(self._ranges[source].get(epoch, ())) for source, epoch in sorted(self._changed)
        }
        self._changed.clear()
        return changed

    def give_back(self, changed: Iterable[Place]) -> None:
        """Note that changes were not written down."""
        self._changed.update(changed)

    @property
    def has_changed(self) -> bool:
        """Tell whether there is something to write down."""
        return bool(self._changed)


def put_received(connection: Connection, changed: dict[Place, list[tuple[int, int]]]) -> None:
    """Write down the ranges of these sources and epochs, in the caller's transaction."""
    for (source, epoch), ranges in changed.items():
        connection.execute(delete(received).where(received.c.source == source, received.c.epoch == epoch))
        rows = [{"source": source, "epoch": epoch, "first": first, "last": last} for first, last in ranges]
        if rows:
            connection.execute(insert(received), rows)
