"""The embedded historian: a bounded waiting room in front of the history file.

Flow: append (event loop) -> waiting room -> [commit] (writer's thread) -> done (event loop)
Why: merging is by back-pressure. While one commit runs, what comes waits and goes with the next one; a source that
     waits for its acknowledgement makes the next commit start at once, all others within a quarter of a second.
Never: blocks the event loop; holds more than ``held_most`` samples; drops a value without counting it.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog

from edge.clock import Clock
from edge.model import Nature, Quality, Scan, TagTable
from edge.model.scan import Rows
from gateway.historian.file import HistoryFile, HistoryReader, Retention
from gateway.historian.grown import grow
from gateway.historian.port import Counts, Done, Latest, Series
from gateway.historian.spool import Spool

HELD_MOST = 1_000_000  # Samples: 10 s of 100,000 tags at 1 Hz, 22 MB.
FLUSH_S = 0.25
FLUSH_SAMPLES = 50_000  # A commit of so many takes some 10 ms; waiting for more would gain nothing.
NOTE_SAMPLES = 10_000  # Newest values that are noted in one piece.
RETRY_S = 1.0  # After a failed commit (disk full, file locked); the waiting room bounds what that costs.
IDLE_S = 10.0  # Housekeeping goes on when nothing comes.
SPOOL_SAMPLES_MOST = 20_000_000  # 0.4 GB on disk; 14 h of 400 tags at 1 Hz.
SPOOL_AGE_S_MOST = 7 * 86_400.0

log = structlog.get_logger(__name__)


class EmbeddedHistorian:
    """Keeps history in one SQLite file of its own; see ``gateway.historian.port`` for the promises.

    Args:
        path: The file, e.g. ``history.db`` in the data folder. A file that cannot be read is put aside as
            ``<name>.damaged-<ns>`` and a new one begun: the safety path never waits for old values.
        tags: All tags of the site.
        clock: For the age of what waits and the retention.
        retention: How long raw values and rollups stay.
        writer, reader: Executors of one thread each; under the manual clock ``InlineExecutor``. Made and closed here
            where none is given.
        held_most: Size of the waiting room, samples.
    """

    def __init__(
        self,
        path: Path,
        tags: TagTable,
        clock: Clock,
        *,
        retention: Retention | None = None,
        writer: Executor | None = None,
        reader: Executor | None = None,
        held_most: int = HELD_MOST,
    ) -> None:
        self._clock = clock
        self._start_ns = clock.wall_ns() - clock.monotonic_ns()
        self._file, self.damaged = _open(path, tags, retention, clock)
        self._reader = HistoryReader(path, tags, self._file.names)
        self._writers = writer or ThreadPoolExecutor(1, thread_name_prefix="historian-writer")
        self._readers = reader or ThreadPoolExecutor(1, thread_name_prefix="historian-reader")
        self._own_executors = [x for x, given in ((self._writers, writer), (self._readers, reader)) if given is None]
        self._path, self._tags, self._held_most = path, tags, held_most
        self._at: Rows | None = None  # where rows of the site stand in ``_tags``; None while they are the same

        self._waiting: list[tuple[Scan, Done | None]] = []
        self._waiting_samples = 0
        self._writing: list[tuple[Scan, Done | None]] = []
        self._writing_samples = 0
        self._taken = self._committed = self._lost = 0
        self._last_error = ""
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._settled = asyncio.Condition()

        n = len(tags)
        self._values = np.full(n, np.nan)
        self._quality = np.full(n, np.uint8(Quality.BAD), dtype=np.uint8)
        self._times_ns = np.zeros(n, dtype=np.int64)
        self._is_looked_up = np.zeros(n, dtype=np.bool_)

    # ------------------------------------------------------------------------------------------------------ hand-over

    @property
    def counts(self) -> Counts:
        """Give the books."""
        return Counts(
            taken=self._taken,
            committed=self._committed,
            held=self._waiting_samples + self._writing_samples,
            lost=self._lost,
            last_error=self._last_error,
        )

    @property
    def unreadable(self) -> int:
        """Give the number of chunks and rollups found damaged."""
        return self._file.unreadable + self._reader.unreadable

    @property
    def spool_lost(self) -> int:
        """Give the number of samples that left the spool unsent because of its bounds."""
        return self._file.spool_lost

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Hand over a scan; a full waiting room, a closed or a broken historian counts it as lost."""
        n = len(scan)
        if self._at is not None:
            scan = replace(scan, rows=self._at[scan.rows])
        assert n == 0 or 0 <= int(scan.rows.min()) <= int(scan.rows.max()) < len(self._tags), scan.key
        loop = asyncio.get_running_loop()
        if self._task is None and not self._is_closed:
            self._task = loop.create_task(self._run(), name="historian")
        self._taken += n
        is_running = self._task is not None and not self._task.done() and not self._is_closed
        if not is_running or self._waiting_samples + self._writing_samples + n > self._held_most:
            self._lost += n
            _tell([(scan, done)], is_kept=False)
            return
        self._waiting.append((scan, done))
        self._waiting_samples += n
        if done is not None or self._waiting_samples >= FLUSH_SAMPLES:
            self._wake.set()
        elif self._timer is None:
            self._timer = loop.call_later(FLUSH_S, self._wake.set)

    async def prepare(self, tags: TagTable) -> None:
        """Make room for the tags of another table; what waits keeps its rows."""
        grown, _ = grow(self._tags, tags)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writers, self._file.follow, grown)
        self._reader.follow(grown)
        new = len(grown) - len(self._tags)
        self._values = np.append(self._values, np.full(new, np.nan))
        self._quality = np.append(self._quality, np.full(new, np.uint8(Quality.BAD), dtype=np.uint8))
        self._times_ns = np.append(self._times_ns, np.zeros(new, dtype=np.int64))
        self._is_looked_up = np.append(self._is_looked_up, np.zeros(new, dtype=np.bool_))
        self._tags = grown

    def adopt(self, tags: TagTable) -> None:
        """Take and give rows of another table from now on."""
        _, at = grow(self._tags, tags)
        assert int(at.max(initial=-1)) < len(self._values), "a table is prepared before it is adopted"
        is_same = np.array_equal(at, np.arange(len(at), dtype=np.int32))
        self._at = None if is_same else at

    async def flush(self) -> None:
        """Wait until what was handed over before is committed or lost."""
        goal = self._taken
        async with self._settled:
            while self._committed + self._lost < goal:
                self._wake.set()
                await self._settled.wait()

    async def close(self) -> None:
        """Commit what waits (one try), stop and let go of the file."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._task is not None:
            self._wake.set()
            await self._task
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self._reader.close)
        await loop.run_in_executor(self._writers, self._file.close)
        for executor in self._own_executors:
            executor.shutdown(wait=False)

    # ---------------------------------------------------------------------------------------------------- writing

    async def _run(self) -> None:
        """Commit what waits and keep house, until closed."""
        try:
            while not (self._is_closed and not self._waiting):
                await self._sleep()
                try:
                    await self._turn()
                except (sqlite3.Error, OSError) as error:
                    await self._rest(error)
                else:
                    if self._last_error:
                        log.info("historian.recovered", held=self.counts.held)
                    self._last_error = ""
        finally:
            # Only after the last try at closing, or when a broken invariant ends this task, does anything wait here.
            given_up = [*self._writing, *self._waiting]
            self._lost += self._writing_samples + self._waiting_samples
            self._writing, self._waiting = [], []
            self._writing_samples = self._waiting_samples = 0
            _tell(given_up, is_kept=False)
            async with self._settled:
                self._settled.notify_all()

    async def _sleep(self) -> None:
        """Wait until a commit is due, or for a while when nothing comes."""
        idle = asyncio.get_running_loop().call_later(IDLE_S, self._wake.set)
        await self._wake.wait()
        idle.cancel()
        self._wake.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _turn(self) -> None:
        """Commit all that waits, tell whom it concerns, then do one step of housekeeping."""
        loop = asyncio.get_running_loop()
        if not self._writing:
            self._writing, self._waiting = self._waiting, []
            self._writing_samples, self._waiting_samples = self._waiting_samples, 0
        if self._writing:
            scans = [scan for scan, _ in self._writing]
            newest = await loop.run_in_executor(self._writers, self._file.commit, scans, self._now_ns())
            for first in range(0, len(newest.rows), NOTE_SAMPLES):  # In pieces: the loop is not only ours.
                if first:
                    await asyncio.sleep(0)
                mine = slice(first, first + NOTE_SAMPLES)
                self._note(
                    Latest(
                        rows=newest.rows[mine],
                        values=newest.values[mine],
                        quality=newest.quality[mine],
                        times_ns=newest.times_ns[mine],
                    )
                )
            self._committed += self._writing_samples
            written, self._writing, self._writing_samples = self._writing, [], 0
            _tell(written, is_kept=True)
            async with self._settled:
                self._settled.notify_all()
        if not self._is_closed and await loop.run_in_executor(self._writers, self._file.tend, self._now_ns()):
            self._wake.set()

    async def _rest(self, error: Exception) -> None:
        """After a failed commit: keep what waits, say so once, try again later."""
        if not self._last_error:
            log.error("historian.failed", error=str(error), held=self.counts.held)
        self._last_error = f"{type(error).__name__}: {error}"
        if self._is_closed:
            log.error("historian.gave_up", lost=self.counts.held)
            self._lost += self._waiting_samples
            _tell(self._waiting, is_kept=False)
            self._waiting, self._waiting_samples = [], 0
            return
        await asyncio.sleep(RETRY_S)
        self._wake.set()

    def _now_ns(self) -> int:
        """Give a wall time that never goes back while the gateway runs: ages must not turn negative."""
        return self._start_ns + self._clock.monotonic_ns()

    # ---------------------------------------------------------------------------------------------------- reading

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        """Give one tag's samples, or their sums in buckets; see the port."""
        assert points >= 1, points
        assert from_ns < to_ns, (from_ns, to_ns)
        row = row if self._at is None else int(self._at[row])
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._reader.range, row, from_ns, to_ns, points, nature)

    async def latest(self, rows: Rows) -> Latest:
        """Give the newest committed sample of each tag; the file is asked once for what came before the start."""
        own = rows if self._at is None else self._at[rows]
        unknown = np.unique(own[~self._is_looked_up[own]])
        if len(unknown):
            loop = asyncio.get_running_loop()
            self._note(await loop.run_in_executor(self._readers, self._reader.newest, unknown))
            self._is_looked_up[unknown] = True
        return Latest(rows=rows, values=self._values[own], quality=self._quality[own], times_ns=self._times_ns[own])

    def _note(self, newest: Latest) -> None:
        """Remember samples that are not older than what is known."""
        is_newer = newest.times_ns >= self._times_ns[newest.rows]
        rows = newest.rows[is_newer]
        self._values[rows] = newest.values[is_newer]
        self._quality[rows] = newest.quality[is_newer]
        self._times_ns[rows] = newest.times_ns[is_newer]

    # ------------------------------------------------------------------------------------------------------- spool

    def open_spool(
        self, name: str, samples_most: int = SPOOL_SAMPLES_MOST, age_s_most: float = SPOOL_AGE_S_MOST
    ) -> Spool:
        """Open the spool for one reader, e.g. the InfluxDB writer; call before the first append.

        Args:
            name: Its durable place is kept under this name.
            samples_most, age_s_most: Bounds; beyond them the oldest samples leave unsent and are counted.
        """
        assert self._task is None, "the spool is opened before the historian runs"
        released = self._file.open_spool(name, samples_most, round(age_s_most * 1e9))
        return Spool(self._path, name, released, self._file.release)


def _open(path: Path, tags: TagTable, retention: Retention | None, clock: Clock) -> tuple[HistoryFile, Path | None]:
    """Open the file; put a damaged one aside and say where it lies."""
    try:
        return HistoryFile(path, tags, retention), None
    except sqlite3.OperationalError:
        raise  # Locked, read-only, no space: another file would not be better.
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.damaged-{clock.wall_ns()}")
        for suffix in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + suffix))
        log.error("historian.put_aside", file=str(aside), error=str(error))  # noqa: TRY400  Who, what, why are here.
        return HistoryFile(path, tags, retention), aside


def _tell(scans: Sequence[tuple[Scan, Done | None]], *, is_kept: bool) -> None:
    """Tell each scan's owner its fate, on a turn of the loop of its own."""
    loop = asyncio.get_running_loop()
    for _, done in scans:
        if done is not None:
            loop.call_soon(done, is_kept)
