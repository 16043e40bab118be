"""Event-loop lag: how late a timer of the loop is while a thread judges dense scans, and while nothing else happens."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np

from alerting.core.backend import Backend
from alerting.model.rule import RuleTable
from gateway.bench.core.alone import CoreRun
from gateway.bench.core.plant import USUAL, values_of

PROBE_S = 0.001


def measure_lag(table: RuleTable, backend: Backend, ticks: int) -> list[dict[str, Any]]:
    """Measure the loop's lag beside some ticks in a thread, and as long without them."""
    run, dice = CoreRun(table, backend), np.random.default_rng(1)
    columns = [values_of(dice, run.tags, USUAL) for _ in range(4)]
    scans = [run.scan(columns[tick % 4]) for tick in range(ticks + 2)]
    for scan in scans[:2]:
        run.judge(scan)

    def judge() -> None:
        for scan in scans[2:]:
            run.judge(scan)

    busy, seconds = asyncio.run(_beside(judge))
    idle, _ = asyncio.run(_beside(lambda: _wait(seconds)))
    return [
        {"case": case, "tags": run.tags, "backend": backend.value, **_lags(lags)}
        for case, lags in (("event-loop lag, ticks in a thread", busy), ("event-loop lag, idle", idle))
    ]


def _wait(seconds: float) -> None:
    end = perf_counter() + seconds
    while perf_counter() < end:
        np.ones(100_000).sum()  # Something that lets go of the interpreter, as a device that answers would.


async def _beside(work: Callable[[], None]) -> tuple[list[float], float]:
    loop = asyncio.get_running_loop()
    lags: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        began = perf_counter()
        done = loop.run_in_executor(pool, work)
        while not done.done():
            due = perf_counter() + PROBE_S
            await asyncio.sleep(PROBE_S)
            lags.append(perf_counter() - due)
        await done
        return lags, perf_counter() - began


def _lags(lags: list[float]) -> dict[str, Any]:
    column = np.array(lags or [0.0]) * 1e3
    return {
        "p50_ms": round(float(np.percentile(column, 50)), 3),
        "p99_ms": round(float(np.percentile(column, 99)), 3),
        "max_ms": round(float(column.max()), 3),
        "probes": len(lags),
    }
