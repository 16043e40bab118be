"""The history file's tables, and how it is opened.

Why: synchronous FULL puts each commit on the medium before the source hears "done".
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

FORMAT = 1
PAGE_BYTES = 4096  # 8,192 reads a day in half the time and writes twice as much: 138 instead of 69 bytes a value.
BODY_BYTES_MOST = 900  # SQLite puts a row above 1,002 bytes of such a page into overflow pages, mostly empty.
BLOCK_BITS = 8  # Series of one block share rows of ``recent``: small enough to find one of them quickly.
SAMPLE = np.dtype([("series", "u1"), ("quality", "u1"), ("time", "<i8"), ("value", "<f8")])  # A row of a recent body.

SCHEMA = """
CREATE TABLE series (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, nature TEXT NOT NULL, UNIQUE (name, nature)
) STRICT;
CREATE TABLE recent (
  id INTEGER PRIMARY KEY AUTOINCREMENT, block INTEGER NOT NULL, n INTEGER NOT NULL, at_ns INTEGER NOT NULL,
  t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX recent_block ON recent (block, id);
CREATE TABLE folded (block INTEGER PRIMARY KEY, id INTEGER NOT NULL) STRICT;
CREATE TABLE chunk (
  series INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, good INTEGER NOT NULL,
  worst INTEGER NOT NULL, mn REAL, mx REAL, av REAL, body BLOB NOT NULL, PRIMARY KEY (series, t0)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup (
  series INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (series, t0)
) STRICT, WITHOUT ROWID;
CREATE TABLE spool (name TEXT PRIMARY KEY, released INTEGER NOT NULL) STRICT;
"""


class HistoryFormatError(RuntimeError):
    """Raised for a history file of another format; such a file is sound and is never put aside."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a history file for writing; makes it where there is none.

    Raises:
        sqlite3.DatabaseError: The file is damaged or no database.
        HistoryFormatError: A later program wrote it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # A commit is on the medium before the source hears "done".
        connection.execute("PRAGMA secure_delete = OFF")  # Folding frees pages at the rate of writing.
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA cache_size = -16384")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        _need_format(path, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _need_format(path: Path, version: int) -> None:
    if version not in {0, FORMAT}:
        raise HistoryFormatError(
            f"{path}: the history has format {version}, this program reads {FORMAT}; use the program that wrote it."
        )


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit all or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
