"""The simulated field under load: one process serves 10,000 Modbus tags, collectors read each once a second.

Flow: fengsui devices (another process) <- TCP -> collectors -> figures; books of both sides
Why: a simulator that cannot keep its own beat would be measured in place of a gateway. The registers move once a
    second; every answer is decoded, and no request may be on one side's books alone.
"""

import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from edge.clock_system import SystemClock
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.line import Lines
from gateway.bench.modbus.poll import Door
from gateway.load import load

TAGS_EACH: Final = 1_000  # Of one device, at even addresses without gaps: 2,000 registers.
PERIOD_S: Final = 1.0
LO, HI = 0.0, 100.0
SETTLE_S: Final = 2.0
SITE: Final = '[site]\nid = "bench"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n'
SOURCE: Final = (
    '[[source]]\nid = "d{at}"\nprotocol = "modbus-tcp"\nnature = "test"\nhost = "127.0.0.1"\nport = {port}\n'
)


def write_site(folder: Path, tags: int, ports: list[int]) -> Path:
    """Write a site of so many float32 tags, dealt out over devices at these ports."""
    rows = ["tag,source,unit,period_s,register,type,range_lo,range_hi"]
    for number in range(tags):
        device, place = divmod(number, TAGS_EACH)
        rows.append(f"d{device}.{place},d{device},U,{PERIOD_S:g},{2 * place},float32,{LO:g},{HI:g}")
    (folder / "tags.csv").write_text("\n".join(rows) + "\n", "utf-8")
    site = folder / "site.toml"
    site.write_text(SITE + "".join(SOURCE.format(at=at, port=port) for at, port in enumerate(ports)), "utf-8")
    return site


def measure(tags: int, seconds: float, ports: list[int]) -> dict[str, Any]:
    """Serve and read for so long.

    Args:
        ports: One free port for each thousand tags.
    """
    before = structlog.get_config()
    # Links that come up are no news here, and JSON must stay JSON.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
            site = write_site(Path(folder), tags, ports)
            return asyncio.run(_measure(site, tags, seconds))
    finally:
        structlog.configure(**before)


async def _measure(site: Path, tags: int, seconds: float) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "devices", str(site)), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        ready = json.loads(await child.stdout.readline() or b"{}")
        if ready.get("event") != "ready":
            raise OSError("the simulated devices did not start")
        read = await _read(site, seconds)
        child.terminate()
        books = json.loads(await child.stdout.readline())
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
    due = tags / PERIOD_S
    return {
        "case": f"{tags:,} float32 of {-(-tags // TAGS_EACH)} devices at {PERIOD_S:g} s, one simulator process",
        "tags": tags,
        **read,
        "rate_percent": 100 * read["samples_per_second"] / due,
        "simulator": books,
        "simulator_cpu_percent": 100 * books["cpu_s"] / books["seconds"],
        "unanswered": read["requests"] - books["answered"],
    }


async def _read(site: Path, seconds: float) -> dict[str, Any]:
    """Run the collectors of the site; give what came in the time after they settled."""
    loaded = load(site)
    door, lines = Door(), Lines()
    collectors = [ModbusCollector(each, loaded.tags, SystemClock(), 1, door, lines) for each in loaded.sources]
    running = [asyncio.create_task(collector.run()) for collector in collectors]
    await asyncio.sleep(SETTLE_S)
    door.forget()
    overruns = sum(collector.counters.overruns for collector in collectors)
    cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
    await asyncio.sleep(seconds)
    wall_s, cpu_s = (time.perf_counter_ns() - began_ns) / 1e9, (time.process_time_ns() - cpu_ns) / 1e9
    samples, bad, kept = door.samples, door.bad, door.kept_percent(PERIOD_S)
    overruns = sum(collector.counters.overruns for collector in collectors) - overruns
    p50_ms, p99_ms = door.jitter_ms(PERIOD_S)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return {
        "samples_per_second": samples / wall_s,
        "bad": bad,
        "kept_percent": kept,
        "overruns": overruns,
        "jitter_p50_ms": p50_ms,
        "jitter_p99_ms": p99_ms,
        "requests": int(np.sum([collector.counters.requests for collector in collectors])),
        "client_cpu_percent": 100 * cpu_s / wall_s,
    }


def render(result: dict[str, Any]) -> str:
    """Give the result as text."""
    books = result["simulator"]
    return (
        f"devices: {result['case']}\n"
        f"  {result['samples_per_second']:,.0f} samples/s, {result['kept_percent']:.1f} % of the rate kept, "
        f"{result['overruns']} overruns, {result['bad']} BAD\n"
        f"  processor: simulator {result['simulator_cpu_percent']:.0f} % of a core, collectors "
        f"{result['client_cpu_percent']:.0f} %; jitter p50 {result['jitter_p50_ms']:.2f} ms, "
        f"p99 {result['jitter_p99_ms']:.2f} ms\n"
        f"  books: asked {result['requests']:,}, answered {books['answered']:,}, refused {books['refused']:,}, "
        f"not answered {result['unanswered']:,}; registers moved {books['refreshes']} times"
    )
