"""The history file: recent samples, chunks and one-minute rollups in one SQLite file.

Flow: scans -> [commit] -> recent -> [fold] -> chunk -> [expire] -> rollup -> gone
Why: one durable commit a flush costs the same for 10 or 10,000 tags; a chart of one tag wants its samples side by side.
     ``recent`` serves the first, ``chunk`` the second, and a sample moves between them in one transaction, so a crash
     neither loses nor doubles it. Chunks of a series never overlap: late samples are merged into the chunk they fall
     in. Rollups are made when raw values leave, from complete chunks, and so each sample counts once.
Never: is used by two threads at once (one ``HistoryFile`` writes, one ``HistoryReader`` reads); reads a clock.

Index letters: i sample, k chunk.
"""

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.model import Nature, Quality, Scan, TagTable
from edge.model.quality import is_bad
from edge.model.scan import QualityColumn, Rows, TimesNs, Values
from gateway.historian import codec
from gateway.historian.database import BLOCK_BITS, BODY_BYTES_MOST, SAMPLE, connect, transaction
from gateway.historian.names import UNKNOWN, Names
from gateway.historian.port import Latest, Series
from gateway.historian.series import (
    Pieces,
    Samples,
    as_pieces,
    bucket_width_ns,
    gap_ns_of,
    join,
    merge,
    series_of_pieces,
    series_of_samples,
    sum_up,
)

CHUNK_LEAST = 300  # Fewer samples than this: the next ones join the chunk.
CHUNK_MOST = 3600
CHUNK_SPLIT_LEAST = 60  # Fewer samples than this are not split, however large they are.
CHUNK_SPAN_NS_MOST = 86_400_000_000_000  # A chunk leaves when its last sample is old; so it must not be long.
FOLD_AFTER_NS = 300_000_000_000
FOLD_STAGGER_NS = 1_000_000_000  # Blocks of equal age are folded apart, so that no commit waits for all of them.
FOLD_STAGGERS = 60
DECODE_MOST = 200_000  # A query up to so many samples decodes them all; above it, chunks speak for their samples.
MINUTE_NS = 60_000_000_000
DAY_NS = 86_400_000_000_000
EXPIRE_EVERY_NS = 3_600_000_000_000
EXPIRE_SERIES = 32  # Series looked at in one step.
EXPIRE_CHUNKS = 64  # Chunks of one series rolled up in one step.
SPOOL_CHECK_NS = 60_000_000_000
SWEEP_ROWS = 500
SPOOL_ANY = 1 << 62  # Released mark where nobody spools.


ChunkRow: TypeAlias = tuple[int, int, int, int, int, int, float | None, float | None, float | None, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what stays; the clock that counts is the one handed in."""

    raw_ns: int = 90 * DAY_NS
    rollup_ns: int = 365 * DAY_NS


@dataclass(slots=True)
class _Block:
    """What waits in ``recent`` for one block."""

    since_ns: int
    samples: int
    seen: NDArray[np.bool_]


# ------------------------------------------------------------------------------------------------------------- writing


class HistoryFile:
    """The writing side. Every method is one or a few short transactions.

    Attributes:
        unreadable: Chunks and rollups whose bytes could not be read; they are replaced by what came after.
        spool_lost: Samples that left the spool before it was released, because of its bounds.
    """

    def __init__(self, path: Path, tags: TagTable, retention: Retention | None = None) -> None:
        self.connection = connect(path)
        self.names = Names(self.connection, tags)
        self.unreadable = 0
        self.spool_lost = 0
        self._tags = tags
        self._retention = retention or Retention()
        self._row_of = self.names.rows()
        self._folded: dict[int, int] = dict(self.connection.execute("SELECT block, id FROM folded"))
        self._blocks: dict[int, _Block] = {}
        self._spool_name = ""
        self._released = SPOOL_ANY
        self._released_to = SPOOL_ANY  # Asked for by the spool's reader, made durable at the next step.
        self._spool_samples_most = 0
        self._spool_age_ns_most = 0
        self._spool_checked_ns = 0
        self._expire_from: int | None = None
        self._expired_ns = 0
        query = """SELECT r.block, min(r.at_ns), sum(r.n) FROM recent r LEFT JOIN folded f ON f.block = r.block
                   WHERE r.id > ifnull(f.id, 0) GROUP BY r.block"""
        for block, since_ns, n in self.connection.execute(query):
            self._blocks[block] = _Block(since_ns, n, np.ones(1 << BLOCK_BITS, dtype=np.bool_))

    def follow(self, tags: TagTable) -> None:
        """Know a table of tags that has grown; rows of tags that it had stay."""
        self.names.follow(self.connection, tags)
        self._tags, self._row_of = tags, self.names.rows()

    def commit(self, scans: Sequence[Scan], at_ns: int) -> Latest:
        """Keep scans durably, all in one transaction.

        Args:
            scans: In order of arrival.
            at_ns: Now, ns since 1970-01-01 UTC.

        Returns:
            The newest sample of each tag among them that came in the tag's own nature.
        """
        series, body = self._as_samples(scans)
        if not len(series):
            return self._newest_of(series, body)
        block = series >> BLOCK_BITS
        if int(block.min()) != int(block.max()):
            order = np.argsort(block, kind="stable")
            series, body, block = series[order], body[order], block[order]
        first = np.flatnonzero(np.diff(block, prepend=-1))
        spans = list(zip(block[first].tolist(), first.tolist(), [*first[1:].tolist(), len(block)], strict=True))
        t0 = np.minimum.reduceat(body["time"], first).tolist()
        t1 = np.maximum.reduceat(body["time"], first).tolist()
        raw, size = memoryview(body.view(np.uint8).data), SAMPLE.itemsize
        rows = [
            (b, j - i, at_ns, lo, hi, raw[i * size : j * size]) for (b, i, j), lo, hi in zip(spans, t0, t1, strict=True)
        ]
        with transaction(self.connection):
            self.connection.executemany(
                "INSERT INTO recent (block, n, at_ns, t0, t1, body) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
        for b, i, j in spans:
            waiting = self._blocks.get(b)
            if waiting is None:
                waiting = self._blocks[b] = _Block(at_ns, 0, np.zeros(1 << BLOCK_BITS, dtype=np.bool_))
            waiting.samples += j - i
            waiting.seen[body["series"][i:j]] = True
        return self._newest_of(series, body)

    def _as_samples(self, scans: Sequence[Scan]) -> tuple[NDArray[np.int32], NDArray[np.void]]:
        """Give ids, int32 (n,), and samples, SAMPLE (n,), of scans that may mix natures."""
        ids = [self.names.find_all(self.connection, scan.rows, scan.nature) for scan in scans]
        series = np.concatenate(ids) if ids else np.empty(0, dtype=np.int32)
        body = np.empty(len(series), dtype=SAMPLE)
        if scans:
            body["series"] = series & ((1 << BLOCK_BITS) - 1)
            body["quality"] = np.concatenate([scan.quality for scan in scans])
            body["time"] = np.concatenate([scan.times_ns for scan in scans])
            body["value"] = np.concatenate([scan.values for scan in scans])
        return series, body

    def _newest_of(self, series: NDArray[np.int32], body: NDArray[np.void]) -> Latest:
        if (np.diff(series) > 0).all():
            newest = np.arange(len(series))
        else:
            order = np.lexsort((body["time"], series))
            newest = order[np.append(np.diff(series[order]) > 0, [True])]
        rows = self._row_of[np.minimum(series[newest], len(self._row_of) - 1)]
        own = newest[rows >= 0]
        return Latest(
            rows=rows[rows >= 0],
            values=body["value"][own],
            quality=body["quality"][own],
            times_ns=body["time"][own],
        )

    # ------------------------------------------------------------------------------------------------- housekeeping

    def tend(self, at_ns: int) -> bool:
        """Do one short step of what is due: fold a block, let old values go, sweep the spool.

        Returns:
            True where more is due at once.
        """
        block = self._due(at_ns)
        if block is not None:
            self.fold(block)
            return True
        if self._tend_spool(at_ns):
            return True
        if self._expire_from is None and at_ns - self._expired_ns >= EXPIRE_EVERY_NS:
            self._expire_from, self._expired_ns = 0, at_ns
        return self._expire_from is not None and self._expire_step(at_ns)

    def _due(self, at_ns: int) -> int | None:
        for block, waiting in self._blocks.items():
            age_ns = at_ns - waiting.since_ns - (block % FOLD_STAGGERS) * FOLD_STAGGER_NS
            # The count of tags seen is worth counting only when there could be enough samples.
            is_full = waiting.samples >= CHUNK_LEAST and (
                waiting.samples >= CHUNK_LEAST << BLOCK_BITS
                or waiting.samples >= CHUNK_LEAST * int(np.count_nonzero(waiting.seen))
            )
            if is_full or age_ns >= FOLD_AFTER_NS:
                return block
        return None

    def fold_all(self) -> None:
        """Move everything from ``recent`` into chunks."""
        for block in list(self._blocks):
            self.fold(block)

    def fold(self, block: int) -> None:
        """Move one block's recent samples into chunks, in one transaction."""
        mark = self._folded.get(block, 0)
        query = "SELECT id, body FROM recent WHERE block = ? AND id > ? ORDER BY id"
        rows = self.connection.execute(query, (block, mark)).fetchall()
        if not rows:
            self._blocks.pop(block, None)
            return
        mark = rows[-1][0]
        recent = np.frombuffer(b"".join(body for _, body in rows), dtype=SAMPLE)
        recent = recent[np.lexsort((recent["time"], recent["series"]))]  # Stable: of equal times the later stays last.
        series, times_ns = recent["series"], np.ascontiguousarray(recent["time"])
        is_last = np.append((series[1:] != series[:-1]) | (times_ns[1:] != times_ns[:-1]), [True])
        recent, series, times_ns = recent[is_last], series[is_last], times_ns[is_last]
        values, quality = np.ascontiguousarray(recent["value"]), np.ascontiguousarray(recent["quality"])
        first = np.append(0, np.flatnonzero(series[1:] != series[:-1]) + 1).tolist()
        with transaction(self.connection):
            for i, j in zip(first, [*first[1:], len(series)], strict=True):
                part = Samples(times_ns=times_ns[i:j], values=values[i:j], quality=quality[i:j])
                self._place((block << BLOCK_BITS) + int(series[i]), part)
            self.connection.execute("INSERT OR REPLACE INTO folded (block, id) VALUES (?, ?)", (block, mark))
            gone = min(mark, self._released)
            self.connection.execute("DELETE FROM recent WHERE block = ? AND id <= ?", (block, gone))
        self._folded[block] = mark
        self._blocks.pop(block, None)

    def backfill(self, row: int, samples: Samples, nature: Nature | None = None) -> None:
        """Keep a long past of one tag at once, without the way over ``recent``; to be called in a transaction.

        Args:
            row: Tag row.
            samples: Any order of time.
            nature: None for the tag's own.
        """
        own = nature or self._tags[row].nature
        ids = self.names.find_all(self.connection, np.array([row], dtype=np.int32), own)
        if len(samples):
            self._place(int(ids[0]), merge([samples]))

    def _place(self, series: int, new: Samples) -> None:
        """Put samples, ascending in time, into the chunks they belong to."""
        first, last = int(new.times_ns[0]), int(new.times_ns[-1])
        chunks: list[tuple[int, int, int]] = []
        query = "SELECT t0, t1, n FROM chunk WHERE series = ? AND t0 <= ? ORDER BY t0 DESC"
        for chunk in self.connection.execute(query, (series, last)):
            chunks.insert(0, chunk)
            if chunk[0] <= first:
                break
        edges = np.searchsorted(new.times_ns, [t0 for t0, _, _ in chunks]).tolist()
        # Samples from edges[k] on, up to the next chunk's begin, fall into chunk k or behind it.
        for i, j, place in zip([0, *edges], [*edges, len(new)], [None, *chunks], strict=True):
            if i == j:
                continue
            part = Samples(times_ns=new.times_ns[i:j], values=new.values[i:j], quality=new.quality[i:j])
            if place is not None and self._belongs(part, *place):
                part = merge([*self._read_chunk(series, place[0]), part])
                self.connection.execute("DELETE FROM chunk WHERE series = ? AND t0 = ?", (series, place[0]))
            self._write_chunks(series, part)

    def _belongs(self, part: Samples, t0: int, t1: int, n: int) -> bool:
        """Tell whether samples behind a chunk's begin must or should join it."""
        is_inside = int(part.times_ns[0]) <= t1
        return is_inside or (n < CHUNK_LEAST and int(part.times_ns[-1]) - t0 <= CHUNK_SPAN_NS_MOST)

    def _read_chunk(self, series: int, t0: int) -> list[Samples]:
        query = "SELECT body FROM chunk WHERE series = ? AND t0 = ?"
        (body,) = self.connection.execute(query, (series, t0)).fetchone()
        try:
            return [_unpack(body)]
        except codec.ChunkError:
            self.unreadable += 1
            return []

    def _write_chunks(self, series: int, samples: Samples) -> None:
        resolution = self.names.resolution(series)
        rows = [
            row
            for i in range(0, len(samples), CHUNK_MOST)
            for row in _pack(series, samples, i, min(i + CHUNK_MOST, len(samples)), resolution)
        ]
        self.connection.executemany("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _expire_step(self, at_ns: int) -> bool:
        """Roll up and let go what is too old, for the next few series."""
        query = "SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?"
        series = [i for (i,) in self.connection.execute(query, (self._expire_from, EXPIRE_SERIES))]
        raw_ns, rollup_ns = at_ns - self._retention.raw_ns, at_ns - self._retention.rollup_ns
        is_more = False
        with transaction(self.connection):
            for i in series:
                query = "SELECT t0, body FROM chunk WHERE series = ? AND t0 < ? AND t1 < ? ORDER BY t0 LIMIT ?"
                old = self.connection.execute(query, (i, raw_ns, raw_ns, EXPIRE_CHUNKS)).fetchall()
                is_more = is_more or len(old) == EXPIRE_CHUNKS
                if old:
                    self._roll_up(i, [body for _, body in old])
                    self.connection.executemany(
                        "DELETE FROM chunk WHERE series = ? AND t0 = ?", [(i, t0) for t0, _ in old]
                    )
                self.connection.execute("DELETE FROM rollup WHERE series = ? AND t1 < ?", (i, rollup_ns))
        if not is_more:
            self._expire_from = series[-1] if series else None
        return bool(series)

    def _roll_up(self, series: int, bodies: Iterable[bytes]) -> None:
        """Add the minutes of these chunks to what the same minutes hold already."""
        parts: list[Samples] = []
        for body in bodies:
            try:
                parts.append(_unpack(body))
            except codec.ChunkError:
                self.unreadable += 1
        if not parts:
            return
        minutes = sum_up(as_pieces(merge(parts)), 0, MINUTE_NS)
        day = minutes.times_ns // DAY_NS
        first = np.append(0, np.flatnonzero(day[1:] != day[:-1]) + 1).tolist()
        for i, j in zip(first, [*first[1:], len(day)], strict=True):
            t0 = int(day[i]) * DAY_NS
            new = _cut(minutes, i, j)
            row = self.connection.execute(
                "SELECT body FROM rollup WHERE series = ? AND t0 = ?", (series, t0)
            ).fetchone()
            if row is not None:
                try:
                    new = sum_up(join([_unpack_minutes(row[0]), new]), 0, MINUTE_NS)
                except codec.ChunkError:
                    self.unreadable += 1
            self.connection.execute(
                "INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?)",
                (series, t0, int(new.times_ns[-1]), _pack_minutes(new, self.names.resolution(series))),
            )

    # -------------------------------------------------------------------------------------------------------- spool

    def open_spool(self, name: str, samples_most: int, age_ns_most: int) -> int:
        """Keep recent samples until ``release`` says that they went on; gives the last id released.

        Args:
            name: Whose spool; a new one begins with what comes from now on.
            samples_most: Beyond so many samples the oldest are let go, and counted.
            age_ns_most: Samples older than this likewise, ns.
        """
        (end,) = self.connection.execute(
            "SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'recent'"
        ).fetchone()
        with transaction(self.connection):
            self.connection.execute("INSERT OR IGNORE INTO spool (name, released) VALUES (?, ?)", (name, end))
        (released,) = self.connection.execute("SELECT released FROM spool WHERE name = ?", (name,)).fetchone()
        self._spool_name = name
        self._released = self._released_to = int(released)
        self._spool_samples_most, self._spool_age_ns_most = samples_most, age_ns_most
        return self._released

    def release(self, last_id: int) -> None:
        """Note that the spool's rows up to this id went on; callable from any thread, durable at the next step."""
        self._released_to = last_id

    def _tend_spool(self, at_ns: int) -> bool:
        if self._released == SPOOL_ANY:
            return False
        target = max(self._released, self._released_to)
        if at_ns - self._spool_checked_ns >= SPOOL_CHECK_NS:
            self._spool_checked_ns = at_ns
            bound = self._spool_bound(at_ns)
            if bound > target:
                query = "SELECT ifnull(sum(n), 0) FROM recent WHERE id > ? AND id <= ?"
                self.spool_lost += self.connection.execute(query, (target, bound)).fetchone()[0]
                target = bound
        if target == self._released:
            return False
        with transaction(self.connection):
            self.connection.execute("UPDATE spool SET released = ? WHERE name = ?", (target, self._spool_name))
        self._released = self._released_to = target
        self._sweep()
        return False

    def _spool_bound(self, at_ns: int) -> int:
        """Give the last id that the spool's bounds no longer allow; 0 for none."""
        oldest_ns = at_ns - self._spool_age_ns_most
        query = "SELECT ifnull(sum(n), 0), ifnull(min(at_ns), ?) FROM recent WHERE id > ?"
        samples, since_ns = self.connection.execute(query, (at_ns, self._released)).fetchone()
        if samples <= self._spool_samples_most and since_ns >= oldest_ns:
            return 0
        bound = 0
        query = "SELECT id, n, at_ns FROM recent WHERE id > ? ORDER BY id"
        for row_id, n, kept_ns in self.connection.execute(query, (self._released,)):
            if samples <= self._spool_samples_most and kept_ns >= oldest_ns:
                break
            bound = row_id
            samples -= n
        return bound

    def _sweep(self) -> None:
        """Delete rows that are both folded and released, a few at a time."""
        query = """DELETE FROM recent WHERE id IN (
                     SELECT r.id FROM recent r JOIN folded f ON f.block = r.block
                     WHERE r.id <= ? AND r.id <= f.id ORDER BY r.id LIMIT ?)"""
        while True:
            with transaction(self.connection):
                deleted = self.connection.execute(query, (self._released, SWEEP_ROWS)).rowcount
            if deleted < SWEEP_ROWS:
                return

    def close(self) -> None:
        """Let go of the file; the write-ahead log is taken in."""
        self.connection.close()


# ------------------------------------------------------------------------------------------------------------- reading


class HistoryReader:
    """The reading side, with a connection of its own; the write-ahead log lets it read while the other writes."""

    def __init__(self, path: Path, tags: TagTable, names: Names) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.execute("PRAGMA cache_size = -16384")
        self._tags = tags
        self._names = names
        self.unreadable = 0

    def follow(self, tags: TagTable) -> None:
        """Know a table of tags that has grown, after the writing side."""
        self._tags = tags

    def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None) -> Series:
        """Give a tag's series, see ``port.Historian.range``."""
        gap_ns = gap_ns_of(float(self._tags.period_s[row]))
        series = self._names.find(row, nature)
        if series == UNKNOWN:
            return series_of_samples(merge([]), gap_ns)
        with transaction(self._connection, "DEFERRED"):
            minutes = self._minutes(series, from_ns, to_ns)
            if minutes is None and self._count(series, from_ns, to_ns) <= DECODE_MOST:
                samples = self._samples(series, from_ns, to_ns)
                if len(samples) <= points:
                    return series_of_samples(samples, gap_ns)
                width_ns = bucket_width_ns(from_ns, to_ns, points)
                return series_of_pieces(sum_up(as_pieces(samples), from_ns, width_ns), gap_ns, width_ns)
            width_ns = bucket_width_ns(from_ns, to_ns, points)
            if minutes is not None:
                width_ns = max(width_ns, MINUTE_NS)
            pieces = self._pieces(series, from_ns, to_ns, width_ns)
            pieces = pieces if minutes is None else join([minutes, pieces])
            return series_of_pieces(sum_up(pieces, from_ns, width_ns), gap_ns, width_ns)

    def samples(self, row: int, from_ns: int, to_ns: int, nature: Nature | None = None) -> Samples:
        """Give all raw samples of a tag with ``from_ns <= time < to_ns``, ascending."""
        series = self._names.find(row, nature)
        if series == UNKNOWN:
            return merge([])
        with transaction(self._connection, "DEFERRED"):
            return self._samples(series, from_ns, to_ns)

    def newest(self, rows: Rows) -> Latest:
        """Give the newest sample of each tag in its own nature."""
        n = len(rows)
        values, quality = np.full(n, np.nan), np.full(n, np.uint8(Quality.BAD), dtype=np.uint8)
        times_ns = np.zeros(n, dtype=np.int64)
        ids = np.array([self._names.find(row) for row in rows.tolist()], dtype=np.int64)
        with transaction(self._connection, "DEFERRED"):
            for block in np.unique(ids >> BLOCK_BITS).tolist():
                recent = self._recent(block)
                recent = recent[np.argsort(recent["time"], kind="stable")]
                last = np.zeros(1 << BLOCK_BITS, dtype=np.int64) - 1
                last[recent["series"]] = np.arange(len(recent))
                for k in np.flatnonzero(ids >> BLOCK_BITS == block).tolist():
                    found = [_as_plain(recent[i : i + 1]) for i in [int(last[ids[k] & 255])] if i >= 0]
                    sample = merge([*self._tail(int(ids[k])), *found])
                    if len(sample):
                        times_ns[k], values[k], quality[k] = (
                            sample.times_ns[-1],
                            sample.values[-1],
                            sample.quality[-1],
                        )
        return Latest(rows=rows, values=values, quality=quality, times_ns=times_ns)

    def _tail(self, series: int) -> list[Samples]:
        query = "SELECT body FROM chunk WHERE series = ? ORDER BY t0 DESC LIMIT 1"
        return list(self._unpack_all(self._connection.execute(query, (series,))))

    def _recent(self, block: int, from_ns: int | None = None, to_ns: int | None = None) -> NDArray[np.void]:
        """Give what a block holds that is in no chunk yet, SAMPLE (n,), in order of arrival."""
        query = """SELECT body FROM recent WHERE block = ? AND id > ifnull((SELECT id FROM folded WHERE block = ?), 0)
                   AND (? IS NULL OR (t1 >= ? AND t0 < ?)) ORDER BY id"""
        rows = self._connection.execute(query, (block, block, from_ns, from_ns, to_ns))
        return np.frombuffer(b"".join(body for (body,) in rows), dtype=SAMPLE)

    def _recent_of(self, series: int, from_ns: int, to_ns: int) -> Samples:
        recent = self._recent(series >> BLOCK_BITS, from_ns, to_ns)
        recent = recent[recent["series"] == series & ((1 << BLOCK_BITS) - 1)]
        return merge([_as_plain(recent)]).between(from_ns, to_ns)

    def _begin(self, series: int, from_ns: int) -> int:
        """Give the begin of the chunk that holds ``from_ns``, or ``from_ns``."""
        query = "SELECT t0 FROM chunk WHERE series = ? AND t0 <= ? ORDER BY t0 DESC LIMIT 1"
        row = self._connection.execute(query, (series, from_ns)).fetchone()
        return from_ns if row is None else int(row[0])

    def _count(self, series: int, from_ns: int, to_ns: int) -> int:
        query = "SELECT ifnull(sum(n), 0) FROM chunk WHERE series = ? AND t0 >= ? AND t0 < ?"
        return int(self._connection.execute(query, (series, self._begin(series, from_ns), to_ns)).fetchone()[0])

    def _samples(self, series: int, from_ns: int, to_ns: int) -> Samples:
        query = "SELECT body FROM chunk WHERE series = ? AND t0 >= ? AND t0 < ? ORDER BY t0"
        chunks = self._connection.execute(query, (series, self._begin(series, from_ns), to_ns))
        parts = list(self._unpack_all(chunks))
        return merge([*parts, self._recent_of(series, from_ns, to_ns)]).between(from_ns, to_ns)

    def _pieces(self, series: int, from_ns: int, to_ns: int, width_ns: int) -> Pieces:
        """Give chunks as pieces where one bucket holds them whole, samples elsewhere."""
        recent = self._recent_of(series, from_ns, to_ns)
        query = """SELECT t0, t1, n, good, worst, mn, mx, av FROM chunk
                   WHERE series = ? AND t0 >= ? AND t0 < ? ORDER BY t0"""
        rows = self._connection.execute(query, (series, self._begin(series, from_ns), to_ns)).fetchall()
        if not rows:
            return as_pieces(recent)
        t0, t1, n, good, worst = (np.array(column, dtype=np.int64) for column in list(zip(*rows, strict=True))[:5])
        mn, mx, av = (np.array(column, dtype=np.float64) for column in list(zip(*rows, strict=True))[5:])
        is_whole = ((t0 - from_ns) // width_ns == (t1 - from_ns) // width_ns) & (t0 >= from_ns) & (t1 < to_ns)
        if len(recent):  # Late samples may replace some of a chunk's; then its sums no longer hold.
            k = np.searchsorted(t0, recent.times_ns, side="right") - 1
            is_whole[k[(k >= 0) & (recent.times_ns <= t1[k])]] = False
        whole = Pieces(
            times_ns=t0[is_whole],
            mean=av[is_whole],
            min=mn[is_whole],
            max=mx[is_whole],
            good=good[is_whole],
            bad=(n - good)[is_whole],
            worst=worst[is_whole].astype(np.uint8),
        )
        query = "SELECT body FROM chunk WHERE series = ? AND t0 = ?"
        cut = (self._connection.execute(query, (series, t)).fetchone() for t in t0[~is_whole].tolist())
        samples = merge([*self._unpack_all(cut), recent]).between(from_ns, to_ns)
        return join([whole, as_pieces(samples)])

    def _minutes(self, series: int, from_ns: int, to_ns: int) -> Pieces | None:
        query = "SELECT body FROM rollup WHERE series = ? AND t0 > ? AND t0 < ? AND t1 >= ? ORDER BY t0"
        parts: list[Pieces] = []
        for (body,) in self._connection.execute(query, (series, from_ns - DAY_NS, to_ns, from_ns)):
            try:
                minutes = _unpack_minutes(body)
            except codec.ChunkError:
                self.unreadable += 1
                continue
            lo, hi = np.searchsorted(minutes.times_ns, (from_ns, to_ns)).tolist()
            if lo < hi:
                parts.append(_cut(minutes, lo, hi))
        return join(parts) if parts else None

    def _unpack_all(self, rows: Iterable[tuple[bytes]]) -> Iterator[Samples]:
        for (body,) in rows:
            try:
                yield _unpack(body)
            except codec.ChunkError:
                self.unreadable += 1

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


# --------------------------------------------------------------------------------------------------------------- bytes


def _as_plain(recent: NDArray[np.void]) -> Samples:
    return Samples(
        times_ns=np.ascontiguousarray(recent["time"]),
        values=np.ascontiguousarray(recent["value"]),
        quality=np.ascontiguousarray(recent["quality"]),
    )


def _unpack(body: bytes) -> Samples:
    times_ns, values, quality = codec.decode(body)
    return Samples(times_ns=times_ns, values=values, quality=quality)


def _pack(series: int, samples: Samples, i: int, j: int, resolution: float) -> list[ChunkRow]:
    """Give the row of a chunk with samples i to j, or of several, so that each fits in its page."""
    body = codec.encode(samples.times_ns[i:j], samples.values[i:j], samples.quality[i:j], resolution)
    pieces = min(-(-len(body) // BODY_BYTES_MOST), (j - i) // CHUNK_SPLIT_LEAST)
    if pieces > 1:
        bounds = [i + (j - i) * piece // pieces for piece in range(pieces + 1)]
        return [row for i, j in pairwise(bounds) for row in _pack(series, samples, i, j, resolution)]
    times_ns: TimesNs = samples.times_ns[i:j]
    values: Values = samples.values[i:j]
    quality: QualityColumn = samples.quality[i:j]
    is_good = np.isfinite(values) & ~is_bad(quality)
    good = values if is_good.all() else values[is_good]
    facts = (float(good.min()), float(good.max()), float(good.mean())) if len(good) else (None, None, None)
    return [(series, int(times_ns[0]), int(times_ns[-1]), j - i, len(good), int(quality.max()), *facts, body)]


def _cut(pieces: Pieces, i: int, j: int) -> Pieces:
    return Pieces(
        times_ns=pieces.times_ns[i:j],
        mean=pieces.mean[i:j],
        min=pieces.min[i:j],
        max=pieces.max[i:j],
        good=pieces.good[i:j],
        bad=pieces.bad[i:j],
        worst=pieces.worst[i:j],
    )


def _pack_minutes(minutes: Pieces, resolution: float) -> bytes:
    """Pack minutes; means keep a tenth of the resolution."""
    parts = [
        len(minutes).to_bytes(4, "little"),
        codec.pack_times(minutes.times_ns),
        codec.pack_values(minutes.mean, resolution / 10),
        codec.pack_values(minutes.min, resolution),
        codec.pack_values(minutes.max, resolution),
        codec.pack_ints(minutes.good),
        codec.pack_ints(minutes.bad),
        codec.pack_runs(minutes.worst),
    ]
    return zlib.compress(b"".join(parts), 1)


def _unpack_minutes(body: bytes) -> Pieces:
    try:
        raw = zlib.decompress(body)
        n = int.from_bytes(raw[:4], "little")
        times_ns, at = codec.unpack_times(raw, 4, n)
        mean, at = codec.unpack_values(raw, at, n)
        least, at = codec.unpack_values(raw, at, n)
        most, at = codec.unpack_values(raw, at, n)
        good, at = codec.unpack_ints(raw, at, n)
        bad, at = codec.unpack_ints(raw, at, n)
        worst, _ = codec.unpack_runs(raw, at, n)
    except (zlib.error, struct.error, ValueError, KeyError) as error:
        raise codec.ChunkError(f"rollup of {len(body)} bytes cannot be read: {error}") from error
    return Pieces(times_ns=times_ns, mean=mean, min=least, max=most, good=good, bad=bad, worst=worst)
