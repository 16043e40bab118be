"""The waiting room in front of the history file: bounded, counted, in manual time."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from edge.clock_manual import ManualClock, run_manual
from edge.model import Scan, Tag, TagTable
from gateway.historian.embedded import FLUSH_S, NOTE_SAMPLES, EmbeddedHistorian
from gateway.historian.inline import InlineExecutor
from gateway.historian.port import Latest

S = 1_000_000_000
TAGS = TagTable([Tag(name=f"T-{row}", source="a") for row in range(4)])


class MoodyExecutor(InlineExecutor):
    """Refuses work while it is in a mood, as a full disk does."""

    def __init__(self) -> None:
        self.mood: Exception | None = None
        self.refused = 0

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        if self.mood is None or getattr(fn, "__name__", "") == "close":
            return super().submit(fn, *args, **kwargs)
        self.refused += 1
        future: Future[Any] = Future()
        future.set_exception(self.mood)
        return future


def make_historian(path: Path, clock: ManualClock, held_most: int = 100) -> tuple[EmbeddedHistorian, MoodyExecutor]:
    writer = MoodyExecutor()
    return (
        EmbeddedHistorian(path, TAGS, clock, writer=writer, reader=InlineExecutor(), held_most=held_most),
        writer,
    )


def make_scan(number: int, n: int = 4) -> Scan:
    return Scan(
        source="a",
        epoch=1,
        number=number,
        received_ns=0,
        rows=np.arange(n, dtype=np.int32),
        values=np.full(n, float(number)),
        quality=np.zeros(n, dtype=np.uint8),
        times_ns=np.full(n, number * S, dtype=np.int64),
    )


def test_a_scan_nobody_waits_for_is_committed_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    clock = ManualClock()

    async def live() -> None:
        historian, _ = make_historian(tmp_path / "h.db", clock)
        historian.append(make_scan(1))
        await asyncio.sleep(FLUSH_S - 0.01)
        assert historian.counts.held == 4
        await asyncio.sleep(0.02)
        assert (historian.counts.held, historian.counts.committed) == (0, 4)
        await historian.close()

    run_manual(live(), clock)


def test_a_scan_whose_source_waits_is_committed_at_once(tmp_path: Path) -> None:
    clock = ManualClock()

    async def live() -> None:
        historian, _ = make_historian(tmp_path / "h.db", clock)
        told: list[int] = []
        historian.append(make_scan(1), lambda _: told.append(clock.monotonic_ns()))
        await asyncio.sleep(0.01)
        assert told
        assert told[0] < 1_000_000
        await historian.close()

    run_manual(live(), clock)


def test_a_full_waiting_room_loses_the_newest_and_says_so(tmp_path: Path) -> None:
    clock = ManualClock()

    async def live() -> None:
        historian, _ = make_historian(tmp_path / "h.db", clock, held_most=10)
        fates: dict[int, bool] = {}
        for number in range(5):
            historian.append(make_scan(number), lambda kept, number=number: fates.update({number: kept}))  # type: ignore[misc]
        counts = historian.counts
        assert (counts.taken, counts.held, counts.lost) == (20, 8, 12)
        await historian.flush()
        await asyncio.sleep(0)
        assert fates == {0: True, 1: True, 2: False, 3: False, 4: False}
        counts = historian.counts
        assert (counts.taken, counts.committed, counts.held, counts.lost) == (20, 8, 0, 12)
        await historian.close()

    run_manual(live(), clock)


def test_a_full_disk_keeps_what_waits_and_commits_it_when_there_is_room(tmp_path: Path) -> None:
    clock = ManualClock()

    async def live() -> None:
        historian, writer = make_historian(tmp_path / "h.db", clock)
        fates: list[bool] = []
        writer.mood = sqlite3.OperationalError("database or disk is full")
        historian.append(make_scan(1), fates.append)
        await asyncio.sleep(3.5)
        historian.append(make_scan(2), fates.append)
        assert fates == []
        assert historian.counts.last_error == "OperationalError: database or disk is full"
        assert historian.counts.held == 8
        assert 3 <= writer.refused <= 5, "tries again once a second, no more"
        writer.mood = None
        await asyncio.sleep(2)
        assert fates == [True, True]
        assert historian.counts.last_error == ""
        series = await historian.range(0, 0, 10 * S, 10)
        assert series.values.tolist() == [1.0, 2.0]
        await historian.close()

    run_manual(live(), clock)


def test_closing_with_a_full_disk_ends_and_counts_the_loss(tmp_path: Path) -> None:
    clock = ManualClock()

    async def live() -> None:
        historian, writer = make_historian(tmp_path / "h.db", clock)
        fates: list[bool] = []
        writer.mood = OSError("input/output error")
        historian.append(make_scan(1), fates.append)
        await historian.close()
        await asyncio.sleep(0)
        assert fates == [False]
        counts = historian.counts
        assert (counts.taken, counts.held, counts.lost) == (4, 0, 4)

    run_manual(live(), clock)


def test_the_latest_values_are_known_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = np.array([3, 0], dtype=np.int32)

    async def live() -> None:
        historian, _ = make_historian(tmp_path / "h.db", clock)
        for number in range(1, 400):
            historian.append(make_scan(number))
            await historian.flush()
        historian.append(make_scan(500, n=1))
        await historian.close()
        historian, _ = make_historian(tmp_path / "h.db", clock)
        historian.append(make_scan(450, n=4))  # Newer than the file's for row 3, older for row 0.
        await historian.flush()
        latest = await historian.latest(rows)
        assert latest.values.tolist() == [450.0, 500.0]
        assert latest.times_ns.tolist() == [450 * S, 500 * S]
        await historian.close()

    run_manual(live(), clock)


def test_a_large_commit_is_noted_in_pieces_and_whole(tmp_path: Path) -> None:
    """The newest of 25,000 tags, and others had the loop between the pieces."""
    clock, many = ManualClock(), TagTable([Tag(name=f"m{n}", source="a") for n in range(2 * NOTE_SAMPLES + 5_000)])

    known: list[int] = []

    class Noting(EmbeddedHistorian):
        def _note(self, newest: Latest) -> None:
            known.append(len(newest.rows))
            super()._note(newest)

    async def live() -> tuple[float, float, int]:
        historian = Noting(
            tmp_path / "h.db", many, clock, writer=InlineExecutor(), reader=InlineExecutor(), held_most=10**6
        )
        historian.append(make_scan(1, len(many)))
        await asyncio.sleep(FLUSH_S + 0.1)
        latest = await historian.latest(np.array([0, len(many) - 1], dtype=np.int32))
        await historian.close()
        return float(latest.values[0]), float(latest.values[1]), historian.counts.committed

    assert run_manual(live(), clock) == (1.0, 1.0, len(many))
    assert known == [NOTE_SAMPLES, NOTE_SAMPLES, 5_000, 2], "the last two are those that were asked for"


def test_housekeeping_goes_on_when_nothing_comes(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "h.db"

    async def live() -> None:
        historian, _ = make_historian(path, clock)
        historian.append(make_scan(1))
        await asyncio.sleep(400)
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*) FROM chunk").fetchone() == (4,)
            assert connection.execute("SELECT count(*) FROM recent").fetchone() == (0,)
        connection.close()
        await historian.close()

    run_manual(live(), clock)


def test_a_file_that_is_no_history_is_put_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    path.write_bytes(b"this was a history once" * 1000)
    clock = ManualClock()

    async def live() -> None:
        historian, _ = make_historian(path, clock)
        assert historian.damaged == tmp_path / f"h.db.damaged-{clock.wall_ns()}"
        assert historian.damaged.read_bytes().startswith(b"this was")
        historian.append(make_scan(1))
        await historian.flush()
        assert historian.counts.committed == 4
        await historian.close()

    run_manual(live(), clock)
