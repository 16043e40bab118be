"""Names: which number a tag's history has in the file.

History belongs to a tag's name and nature, not to its row: rows change with every edit of the configuration, and an
exercise must leave no trace in the actual history.
"""

import sqlite3

import numpy as np
from numpy.typing import NDArray

from edge.model import Nature, TagTable
from edge.model.scan import Rows
from gateway.historian.database import transaction

UNKNOWN = 0  # Ids begin at 1.


class Names:
    """Ids of all tags of a site in one history file; new names get new ids, old ids are never given again."""

    def __init__(self, connection: sqlite3.Connection, tags: TagTable) -> None:
        self._tags = tags
        self._columns: dict[Nature, NDArray[np.int32]] = {}
        self._resolution: dict[int, float] = {}
        self._register(connection, [(tag.name, tag.nature.value) for tag in tags])

    def follow(self, connection: sqlite3.Connection, tags: TagTable) -> None:
        """Know a table that has grown; ids stay."""
        self._register(connection, [(tag.name, tag.nature.value) for tag in tags], tags)
        self._tags = tags

    def find(self, row: int, nature: Nature | None = None) -> int:
        """Give the id of a tag in a nature (its own for None), or UNKNOWN where nothing was ever kept."""
        return int(self._columns[nature or self._tags[row].nature][row])

    def find_all(self, connection: sqlite3.Connection, rows: Rows, nature: Nature) -> NDArray[np.int32]:
        """Give the ids of these rows in a nature, int32 (n,); makes durably those that are new."""
        ids = self._columns[nature][rows]
        if (ids == UNKNOWN).any():
            new = np.unique(rows[ids == UNKNOWN]).tolist()
            self._register(connection, [(self._tags.names[row], nature.value) for row in new])
            ids = self._columns[nature][rows]
        return ids

    def resolution(self, series: int) -> float:
        """Give the resolution declared for an id; 0 for tags that left the configuration."""
        return self._resolution.get(series, 0.0)

    def rows(self) -> Rows:
        """Give the row of each id of a tag's own nature, int32 (last id + 2,); -1 for all other ids."""
        ids = np.array([self.find(row) for row in range(len(self._tags))], dtype=np.int64)
        rows = np.full(int(ids.max(initial=0)) + 2, -1, dtype=np.int32)
        rows[ids] = np.arange(len(ids), dtype=np.int32)
        return rows

    def _register(
        self, connection: sqlite3.Connection, pairs: list[tuple[str, str]], tags: TagTable | None = None
    ) -> None:
        tags = tags or self._tags
        with transaction(connection):
            connection.executemany("INSERT OR IGNORE INTO series (name, nature) VALUES (?, ?)", pairs)
        known = {(name, nature): i for i, name, nature in connection.execute("SELECT id, name, nature FROM series")}
        for nature in Nature:
            ids = [known.get((name, nature.value), UNKNOWN) for name in tags.names]
            self._columns[nature] = np.array(ids, dtype=np.int32)
            self._resolution.update(
                (series, tag.resolution) for series, tag in zip(ids, tags, strict=True) if series != UNKNOWN
            )
