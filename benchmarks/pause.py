"""How long the event loop waits while a whole gateway carries large ticks: late timers beside them, and without them.

Run: python -m benchmarks.pause [--sources 500] [--tags 100] [--ticks 30] [--json]
All stages are on: intake, core, alarms, commit, embedded historian, live picture. Each second every source delivers a
scan of all its tags at once, one tag in a thousand beyond a limit; a timer of a millisecond tells how late it is. The
counters of the stages must balance at the end, or it fails. Absolute times belong to this machine and its load.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np
import uvloop

from alerting.core.backend import Backend, is_compiler_here
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock_system import SystemClock
from edge.collect.door import Counters
from edge.config import MqttOptions, Source
from edge.model import Scan, Tag, TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import ThreadExecutor
from gateway.kernels import warm
from gateway.meter import Stage
from gateway.serve import SWITCH_S

PROBE_S = 0.001
TICK_S = 1.0
SILENT_S = 600.0  # Nobody's silence is to end what is measured.
WARM_TICKS = 4
TROUBLE, NORMAL, SHARE = 95.0, 50.0, 0.001


class Idle:
    """A collector that delivers nothing: the bench does."""

    def __init__(self) -> None:
        self.counters = Counters()

    async def run(self) -> None:
        """Wait."""
        await asyncio.Event().wait()


def make_site(sources: int, tags: int, folder: Path) -> Site:
    """Give a site of sources with so many tags each, with two limits, silence and bad quality."""
    table = TagTable(
        [Tag(name=f"s{s}.t{t}", source=f"s{s}", unit=f"U{s // 10}") for s in range(sources) for t in range(tags)]
    )
    shapes = ((Kind.H, 80.0, Tier.YELLOW), (Kind.HH, 90.0, Tier.ORANGE), (Kind.STALE, SILENT_S, Tier.BLUE))
    rules = [
        Rule(id=f"{tag.name}.{kind.name}", tag=tag.name, kind=kind, setpoint=setpoint, tier=tier)
        for tag in table
        for kind, setpoint, tier in (*shapes, (Kind.BAD, 30.0, Tier.BLUE))
    ]
    options = MqttOptions(host="127.0.0.1")
    return Site(
        id="bench",
        title={"en": "Bench", "zh": "测量"},
        timezone="UTC",
        sources=tuple(
            Source(id=f"s{s}", protocol="mqtt", mqtt=options, silent_after_s=SILENT_S) for s in range(sources)
        ),
        tags=table,
        units=tuple(HazardUnit(id=f"U{u}") for u in range(-(-sources // 10))),
        rules=RuleTable(rules, table),
        data=folder,
    )


async def lags_beside(work: Coroutine[Any, Any, None]) -> dict[str, float]:
    """Tell how late a timer of a millisecond is while something goes on, ms.

    ``own_max_ms`` is the most processor time that the loop itself took between two of them: no other load explains it.
    """
    lags: list[float] = []
    own: list[float] = []
    going_on = asyncio.create_task(work)
    while not going_on.done():
        due, began = perf_counter() + PROBE_S, thread_time()
        await asyncio.sleep(PROBE_S)
        lags.append(1e3 * (perf_counter() - due))
        own.append(1e3 * (thread_time() - began))
    await going_on
    p50, p99 = np.percentile(lags, [50, 99])
    own_p99 = float(np.percentile(own, 99))
    told = {"p50_ms": p50, "p99_ms": p99, "max_ms": max(lags), "own_p99_ms": own_p99, "own_max_ms": max(own)}
    return {name: round(float(each), 2) for name, each in told.items()}


async def _rest(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def measure(site: Site, ticks: int, per_source: int) -> list[dict[str, object]]:
    """Run the gateway, deliver, and tell how late timers are."""
    clock = SystemClock()
    parts = Parts(
        judging=ThreadExecutor("judge"), make_collector=lambda *_: Idle(), warm=lambda: warm(site.data), jitter_seed=1
    )
    gateway, dice, number = Gateway(site, clock, parts), np.random.default_rng(1), 0
    columns = [np.arange(s * per_source, (s + 1) * per_source, dtype=np.int32) for s in range(len(site.sources))]

    async def deliver(times: int) -> None:
        nonlocal number
        for _ in range(times):
            number += 1
            began = perf_counter()
            now_ns = gateway.clock.now_ns()
            for source, rows in zip(site.sources, columns, strict=True):
                values = np.where(dice.random(per_source) < SHARE, TROUBLE, NORMAL)
                scan = Scan(
                    source=source.id,
                    epoch=1,
                    number=number,
                    received_ns=now_ns,
                    rows=rows,
                    values=values,
                    quality=np.zeros(per_source, dtype=np.uint8),
                    times_ns=np.full(per_source, now_ns),
                )
                assert gateway.road.deliver(scan), "the queue is full"
                await asyncio.sleep(0)  # As from so many collectors.
            await asyncio.sleep(max(0.0, TICK_S - (perf_counter() - began)))
            await gateway.settled()

    async with gateway.running():
        await deliver(WARM_TICKS)
        while is_compiler_here() and gateway.desk.backend is not Backend.COMPILED:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(TICK_S)  # A machine that has not compiled yet takes some seconds.
        await deliver(WARM_TICKS)
        gc.collect()
        gc.freeze()
        busy = await lags_beside(deliver(ticks))
        idle = await lags_beside(_rest(ticks * TICK_S / 2))
        gc.unfreeze()
        counts = {each.stage: each for each in gateway.meter.snapshot().stages}
        taken = counts[Stage.EVALUATE].entered
    assert taken >= number * len(site.tags), f"{number * len(site.tags)} delivered, {taken} judged"
    assert counts[Stage.INTAKE].balance == 0, counts[Stage.INTAKE]
    return [
        {"case": case, "sources": len(site.sources), "tags": len(site.tags), **lags}
        for case, lags in (("whole road, ticks", busy), ("whole road, idle", idle))
    ]


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--sources", type=int, default=500)
    asked.add_argument("--tags", type=int, default=100)
    asked.add_argument("--ticks", type=int, default=30)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    sys.setswitchinterval(SWITCH_S)  # As the running gateway does.
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        site = make_site(given.sources, given.tags, Path(folder))
        rows = runner.run(measure(site, given.ticks, given.tags))
    machine = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps([{**row, **machine} for row in rows]) if given.json else "\n".join(map(str, [*rows, machine])))


if __name__ == "__main__":
    main()
