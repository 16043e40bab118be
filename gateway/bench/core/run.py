"""Run: all cases of ``fengsui bench core``, one after the other, in one process and on one machine."""

import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from alerting.core.backend import Backend, is_compiler_here
from gateway.bench.core.alone import measure_allocation, measure_dense, measure_sparse, measure_standing, tiled
from gateway.bench.core.baselines import measure_baselines
from gateway.bench.core.lag import measure_lag
from gateway.bench.core.plant import CHANGING, QUIET, USUAL, make_plant
from gateway.bench.core.road import measure_road
from gateway.bench.core.start import measure_start

TAGS = (100_000, 1_000_000)
ROWS_PER_SCAN = 100
ROAD_TAGS_MAX = 200_000  # The road's rules are objects; beyond, they would not fit into memory beside the rest.
TICKS_SAMPLES = 6_000_000  # A case takes as many ticks as have that many samples, within the next two.
TICKS_MIN, TICKS_MAX = 10, 60


def measure(tags: Sequence[int] = TAGS, scans: int = 100_000, *, start: bool = True) -> Iterator[dict[str, Any]]:
    """Give one row for each case as it is measured.

    Args:
        tags: Sizes of plant; the road, the baselines and the start take the smallest, what is hard the largest.
        scans: How many the allocation case judges.
        start: Whether processes are started, cold and warm.
    """
    backends = [Backend.NUMPY, *([Backend.COMPILED] if is_compiler_here() else [])]
    few, many = min(tags), max(tags)
    yield {
        "case": "machine",
        "tags": 0,
        "backend": "-",
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", *(["numba"] if len(backends) > 1 else []))},
    }
    road = min(few, ROAD_TAGS_MAX)
    table, sources = make_plant(road, ROWS_PER_SCAN)
    for backend in backends:
        yield from measure_road(table, sources, ROWS_PER_SCAN, backend, _ticks(road))
    for n in sorted(set(tags)):
        columns = tiled(n)
        for backend in backends:
            yield measure_dense(columns, backend, "core alone, dense", USUAL, _ticks(n))
            yield measure_dense(columns, backend, "core alone, dense, quiet", QUIET, _ticks(n))
            yield measure_dense(columns, backend, "core alone, 10 % change state", CHANGING, TICKS_MIN)
            yield measure_standing(columns, backend, TICKS_MIN)
            for share in (0.01, 0.1):
                yield measure_sparse(columns, backend, share, TICKS_MIN)
        if n == few:
            yield measure_allocation(columns, backends[-1], ROWS_PER_SCAN, scans)
        if n == many:
            yield from measure_lag(columns, backends[-1], TICKS_MIN)
    yield from measure_baselines(few, TICKS_MIN)
    if start and Backend.COMPILED in backends:
        yield from measure_start(road)


def line(row: dict[str, Any]) -> str:
    """Say one row in a line for people."""
    told = [f"{row['case']:<38}", f"{row['tags']:>9,}" if row["tags"] else " " * 9, f"{row['backend']:<6}"]
    told += [f"{name} {value}" for name, value in row.items() if name not in ("case", "tags", "backend", "books")]
    if "books" in row:
        told.append("books " + " ".join(f"{name} {count:,}" for name, count in row["books"].items()))
    return "  ".join(told)


def _ticks(tags: int) -> int:
    return min(max(TICKS_SAMPLES // tags, TICKS_MIN), TICKS_MAX)
