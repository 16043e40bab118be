"""The embedded historian against naive SQLite tables, in one run on the same samples.

Run: python -m benchmarks.historian [--tags 10000] [--ticks 400] [--days 4] [--folder DIR]
Prints a table; the ratios count, the absolute times belong to this machine and its load.

Signal: random walk with 0.001 resolution, 60 % of the values change from one second to the next.
Baselines: one row a sample, WAL, synchronous FULL, one commit a tick, as this historian does; once with the key
(time, tag), best for writing, once with (tag, time), best for reading one tag.
"""

import argparse
import asyncio
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from edge.clock_system import SystemClock
from edge.model import Scan, Tag, TagTable
from gateway.historian.backfill import backfill
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.line import compose, make_prefix

S = 1_000_000_000
SHARE_CHANGED = 0.6
T0 = 1_767_225_600 * S
KEYS = {"naive (time, tag)": "time, tag", "naive (tag, time)": "tag, time"}


def make_tags(n: int) -> TagTable:
    """Give n tags of the signal's resolution."""
    return TagTable([Tag(name=f"T-{row}", source="a", resolution=0.001) for row in range(n)])


def walk(n: int, ticks: int) -> Iterator[np.ndarray]:
    """Give one column of n values a tick."""
    rng = np.random.default_rng(1)
    steps = rng.integers(20_000, 80_000, n)
    for _ in range(ticks):
        steps = steps + np.where(rng.random(n) < SHARE_CHANGED, np.rint(rng.normal(0, 5, n)), 0).astype(np.int64)
        yield steps / 1000


def make_scans(n: int, ticks: int) -> list[Scan]:
    """Give one scan of all tags a tick."""
    rows, quality = np.arange(n, dtype=np.int32), np.zeros(n, dtype=np.uint8)
    return [
        Scan(
            source="a",
            epoch=1,
            number=tick,
            received_ns=T0 + tick * S,
            rows=rows,
            values=values,
            quality=quality,
            times_ns=np.full(n, T0 + tick * S, dtype=np.int64),
        )
        for tick, values in enumerate(walk(n, ticks))
    ]


def best_of(times: int, work: Callable[[], object]) -> float:
    """Give the least seconds of some runs."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


# ------------------------------------------------------------------------------------------------------------- writing


async def write_embedded(path: Path, scans: list[Scan]) -> list[float]:
    """Append and wait for the commit, scan by scan; give each one's seconds."""
    historian = EmbeddedHistorian(path, make_tags(len(scans[0])), SystemClock())
    seconds = []
    for scan in scans:
        begin = time.perf_counter()
        historian.append(scan, lambda _: None)
        await historian.flush()
        seconds.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    await historian.close()
    counts = historian.counts
    assert counts.taken == counts.committed == sum(len(scan) for scan in scans), counts
    return [*seconds, time.perf_counter() - begin]


def open_naive(path: Path, key: str) -> sqlite3.Connection:
    """Open a baseline table."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute(
        f"""CREATE TABLE sample (time INTEGER, tag INTEGER, value REAL, quality INTEGER, PRIMARY KEY ({key}))
            WITHOUT ROWID"""
    )
    return connection


def write_naive(path: Path, key: str, scans: list[Scan]) -> list[float]:
    """Insert row by row, one commit a scan; give each one's seconds."""
    seconds = []
    with closing(open_naive(path, key)) as connection:
        for scan in scans:
            begin = time.perf_counter()
            columns = (scan.times_ns, scan.rows, scan.values, scan.quality)
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO sample VALUES (?, ?, ?, ?)", zip(*(c.tolist() for c in columns), strict=True)
            )
            connection.execute("COMMIT")
            seconds.append(time.perf_counter() - begin)
    return seconds


# ------------------------------------------------------------------------------------------------------------- reading


async def read_embedded(path: Path, tags: TagTable, days: int) -> tuple[float, float, float]:
    """Give least seconds for one tag's whole last day: all samples, 500 points; and for 500 points of all days."""
    historian = EmbeddedHistorian(path, tags, SystemClock())
    end_ns = T0 + days * 86_400 * S

    async def ask(from_ns: int, points: int, count: int) -> float:
        begin = time.perf_counter()
        series = await historian.range(1, from_ns, end_ns, points)
        seconds = time.perf_counter() - begin
        assert int(series.count.sum()) == count
        return seconds

    day = 86_400
    found = (
        min([await ask(end_ns - day * S, 100_000, day) for _ in range(7)]),
        min([await ask(end_ns - day * S, 500, day) for _ in range(7)]),
        min([await ask(T0, 500, days * day) for _ in range(7)]),
    )
    await historian.close()
    return found


def read_naive(path: Path, days: int) -> float:
    """Give least seconds for one tag's whole last day."""
    query = "SELECT time, value, quality FROM sample WHERE tag = 1 AND time >= ? AND time < ? ORDER BY time"
    end_ns = T0 + days * 86_400 * S
    with closing(sqlite3.connect(path)) as connection:
        return best_of(3, lambda: connection.execute(query, (end_ns - 86_400 * S, end_ns)).fetchall())


def row(*cells: object) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tags", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=400)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        day = np.datetime64(SystemClock().wall_ns(), "ns").astype("datetime64[D]")
        print(f"{day}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start,")
        print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}\n")
        measure_writing(folder, options.tags, options.ticks)
        measure_reading(folder, options.days)
        measure_lines()


def measure_writing(folder: Path, n: int, ticks: int) -> None:
    """Print the table of writing."""
    scans = make_scans(n, ticks)
    written: dict[str, tuple[list[float], float]] = {}
    begin = time.process_time()
    seconds = asyncio.run(write_embedded(folder / "embedded.db", scans))
    written["embedded"] = seconds, time.process_time() - begin
    (folder / "embedded.db").unlink()
    for name, key in KEYS.items():
        begin = time.process_time()
        seconds = write_naive(folder / f"{key}.db", key, scans)
        written[name] = seconds, time.process_time() - begin
        (folder / f"{key}.db").unlink()
    base = sum(written["naive (time, tag)"][0])
    print(f"Writing {n:,} tags a tick, {ticks} ticks, one durable commit a tick (folding into chunks included):\n")
    row("historian", "values/s", "ratio", "CPU µs a value", "commit p50 ms", "p99 ms")
    row(*["---"] * 6)
    for name, (seconds, cpu_s) in written.items():
        p50, p99 = np.percentile(seconds[:ticks], [50, 99]) * 1e3
        cpu, total = f"{cpu_s / n / ticks * 1e6:.2f}", sum(seconds)
        row(name, f"{n * ticks / total:,.0f}", f"{base / total:.2f}", cpu, f"{p50:.1f}", f"{p99:.1f}")


def measure_reading(folder: Path, days: int) -> None:
    """Print the table of size and reading."""
    seconds = days * 86_400
    tags = make_tags(10)
    times_ns = T0 + np.arange(seconds, dtype=np.int64) * S
    values = np.array(list(walk(10, seconds))).T.copy()
    path = folder / "read.db"
    begin = time.perf_counter()
    given = backfill(path, tags, ((f"T-{k}", times_ns, values[k], None) for k in range(10)))
    took = time.perf_counter() - begin
    size = path.stat().st_size
    samples, points, all_days = asyncio.run(read_embedded(path, tags, days))

    key = KEYS["naive (tag, time)"]
    naive = folder / "naive.db"
    with closing(open_naive(naive, key)) as connection:
        connection.execute("BEGIN")
        for k in range(10):
            rows = zip(times_ns.tolist(), [k] * seconds, values[k].tolist(), [0] * seconds, strict=True)
            connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    naive_size, naive_samples = naive.stat().st_size, read_naive(naive, days)
    print(f"\nTen tags, {days} days at 1 Hz ({given:,} values; back-filled at {given / took:,.0f} values/s):\n")
    row(
        "historian",
        "bytes a value",
        "ratio",
        "1 tag × 24 h, ms warm",
        "ratio",
        "500 points of it",
        "500 points of all days",
    )
    row(*["---"] * 7)
    row("naive (tag, time)", f"{naive_size / given:.1f}", 1, f"{naive_samples * 1e3:.1f}", 1, "–", "–")
    row(
        "embedded",
        f"{size / given:.2f}",
        f"{naive_size / size:.1f}",
        f"{samples * 1e3:.1f}",
        f"{naive_samples / samples:.1f}",
        f"{points * 1e3:.1f}",
        f"{all_days * 1e3:.1f}",
    )


def measure_lines() -> None:
    """Print how fast lines are composed."""
    n = 10_000
    prefixes = [make_prefix({"nature": "actual", "site": "demo", "tag": f"T-{k}", "unit": "TK-101"}) for k in range(n)]
    times_ns, values, quality = np.full(n, T0), next(walk(n, 1)), np.zeros(n, dtype=np.uint8)
    seconds = best_of(20, lambda: b"\n".join(compose(prefixes, times_ns, values, quality)))
    print(f"\nLine protocol composed: {n / seconds:,.0f} values/s on one core")


if __name__ == "__main__":
    main()
