"""Polling simulated devices in a process of their own: how fast it goes, and whether whole plants are read on time.

Flow: simulators.devices.many (another process) <- TCP -> [line -> decoder] or [collectors] -> figures
Why: registers read *and* decoded, per processor second of the client; the simulator's time stands apart. The plain ways
    are what is written first: a blocking socket and a loop over values, and pymodbus' client with its own converter.

The whole plants drive the collectors to the road's door: plan, schedule, breaker, scan and quality are on; what comes
behind the door is measured by ``fengsui bench core``.
"""

import asyncio
import gc
import json
import logging
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.line import Lines
from edge.collect.modbus.plan import plan_device
from edge.config import ModbusOptions, Source
from edge.decode.registers import Placement, RegisterDecoder
from edge.model import Link, Scan, Tag, TagTable
from gateway.bench.cores import cores, keep_apart, on_the_first
from gateway.bench.modbus.decode import spread_us
from gateway.bench.modbus.peer import AsyncModbusTcpClient, floats_of

COUNT: Final = 125
FLOATS: Final = COUNT // 2
SEED: Final = 1
REGISTERS: Final = 8_000
TAGS_EACH: Final = 1_000
GAP_MAX: Final = 125  # Whatever lies between two values is read along: fewest requests.
SETTLE_S: Final = 2.0
MASK: Final = 0x5A5A  # Of the simulated registers.


@asynccontextmanager
async def field_of(devices: int) -> AsyncIterator[tuple[list[int], dict[str, float]]]:
    """Start the simulated devices, on a core of their own; give their ports, and after the body what they spent."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.devices.many", "--devices", str(devices),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    keep_apart(child.pid, cores())
    told: dict[str, float] = {}
    try:
        yield json.loads(await child.stdout.readline())["ports"], told
    finally:
        child.stdin.close()
        told |= json.loads(await child.stdout.readline())
        await child.wait()


def measure(seconds: float) -> dict[str, Any]:
    """Measure all cases for so long each."""
    before = structlog.get_config()
    # Links that come up are no news here, and JSON must stay JSON.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        import uvloop  # noqa: PLC0415 - as the gateway runs, where it is there

        return uvloop.run(_measure(seconds))
    except ImportError:
        return asyncio.run(_measure(seconds))
    finally:
        structlog.configure(**before)


async def _measure(seconds: float) -> dict[str, Any]:
    ways: dict[str, Any] = {}
    for name, way in (
        ("this collector's line and decoder", ours),
        ("blocking socket, loop over values", plain),
        ("pymodbus, its own converter", _pymodbus),
    ):
        async with field_of(1) as (ports, _):
            ways[name] = await closed_loop(way, ports[0], seconds)
    plants = [
        await plant("100,000 float32 of 100 devices at 1 s", 100, 1.0, max(seconds, 5.0)),
        await plant("10,000 float32 of 10 devices at 100 ms", 10, 0.1, seconds),
    ]
    first = next(iter(ways.values()))
    return {
        "case": f"{COUNT} holding registers a request, read and decoded, one outstanding",
        "registers_per_second": first["registers_per_second"],
        "values_per_second": first["values_per_second"],
        "p50_us": first["p50_us"],
        "p99_us": first["p99_us"],
        "ways": ways,
        "ratio": {
            name: first["registers_per_second"] / way["registers_per_second"] for name, way in list(ways.items())[1:]
        },
        "plants": plants,
    }


# --------------------------------------------------------------------------------------------- as fast as it goes

Turn = Callable[[], Awaitable[None]]


async def closed_loop(way: Callable[[int], Any], port: int, seconds: float) -> dict[str, float]:
    """Ask one device again and again for so long; give rates a processor second and the spread of one turn."""
    turns: list[int] = []
    async with way(port) as turn:
        for _ in range(50):
            await turn()
        gc.collect()
        cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
        end_ns = began_ns + round(seconds * 1e9)
        while not turns or time.perf_counter_ns() < end_ns:
            turn_ns = time.perf_counter_ns()
            await turn()
            turns.append(time.perf_counter_ns() - turn_ns)
        wall_s, cpu_s = (time.perf_counter_ns() - began_ns) / 1e9, (time.process_time_ns() - cpu_ns) / 1e9
    return {
        "registers_per_second": len(turns) * COUNT / cpu_s,
        "values_per_second": len(turns) * FLOATS / cpu_s,
        "registers_per_second_of_wall": len(turns) * COUNT / wall_s,
        "cpu_us_per_request": cpu_s / len(turns) * 1e6,
        **spread_us(np.array(turns)),
    }


def _first_float() -> float:
    (value,) = struct.unpack(">f", (0 ^ MASK).to_bytes(2, "big") + (1 ^ MASK).to_bytes(2, "big"))
    return float(value)


@asynccontextmanager
async def ours(port: int) -> AsyncIterator[Turn]:
    """Ask by a collector's line and decode by its decoder; give what does it once."""
    options = ModbusOptions(host="127.0.0.1", port=port)
    line = Lines().line(options)
    decoder = RegisterDecoder([Placement(start=2 * at, answer=0, type="float32") for at in range(FLOATS)])
    answered = np.zeros(1, dtype=np.uint8)
    with line.used():
        await line.tried.wait()
        station = line.station(1)

        async def turn() -> None:
            _, words = await station.read("holding", 0, COUNT, options)
            assert isinstance(words, np.ndarray), words
            values, _ = decoder.decode(words, answered)
            assert values[0] == _FIRST

        yield turn


@asynccontextmanager
async def plain(port: int) -> AsyncIterator[Turn]:
    """Ask by a blocking socket and read value by value, as is written first; give what does it once."""
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = 0

        async def turn() -> None:
            nonlocal number
            number = (number + 1) % 65_536
            link.sendall(struct.pack(">HHHBBHH", number, 0, 6, 1, 3, 0, COUNT))
            answer = b""
            while len(answer) < 9 + 2 * COUNT:
                answer += link.recv(1_024)
            values = [struct.unpack(">f", answer[9 + 4 * at : 13 + 4 * at])[0] for at in range(FLOATS)]
            assert values[0] == _FIRST

        yield turn


@asynccontextmanager
async def _pymodbus(port: int) -> AsyncIterator[Turn]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def turn() -> None:
        answer = await client.read_holding_registers(0, count=COUNT, device_id=1)
        assert floats_of(answer.registers[: 2 * FLOATS])[0] == _FIRST

    yield turn
    client.close()


_FIRST: Final = _first_float()


# ------------------------------------------------------------------------------------------------------ whole plants


class Door:
    """Takes scans as the road does, and notes when each began to be there."""

    def __init__(self) -> None:
        self.arrivals: dict[str, list[int]] = {}
        self.forget()

    def forget(self) -> None:
        """Begin to count."""
        self.samples = self.bad = 0
        self.arrivals.clear()

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> None:
        """Take what a collector delivers."""
        assert acknowledge is None, item
        if isinstance(item, Scan):
            self.samples += len(item)
            self.bad += int(np.count_nonzero(item.quality))
            self.arrivals.setdefault(item.source, []).append(time.perf_counter_ns())

    def kept_percent(self, period_s: float) -> float:
        """Give how many scans came between each device's first and last, of those that were due, %."""
        spans = [(len(moments) - 1, moments[-1] - moments[0]) for moments in self.arrivals.values() if moments[1:]]
        due = sum(span for _, span in spans) / 1e9 / period_s
        return 100 * sum(steps for steps, _ in spans) / due if due else 0.0

    def jitter_ms(self, period_s: float) -> tuple[float, float]:
        """Give median and 99th percentile of how far scans are off their own even beat, ms."""
        return jitter_ms([np.array(moments) / 1e9 for moments in self.arrivals.values()], period_s)


def jitter_ms(arrivals: Sequence[Sequence[float] | NDArray[np.float64]], period_s: float) -> tuple[float, float]:
    """Give median and 99th percentile of how far moments are off the even beat of their own device, ms.

    Args:
        arrivals: Moments in s, by device.
    """
    off = []
    for moments in arrivals:
        beat = (np.array(moments, dtype=np.float64) - np.arange(len(moments)) * period_s) * 1e3
        off.append(np.abs(beat - np.median(beat)) if len(beat) else beat)
    found = np.concatenate(off or [np.zeros(0)])
    p50, p99 = np.percentile(found if len(found) else np.zeros(1), [50, 99])
    return float(p50), float(p99)


def tags_of_plant(devices: int, period_s: float) -> TagTable:
    """Give the tags of a plant: 1,000 float32 a device, of sources d0, d1 and so on."""
    generator = np.random.default_rng(SEED)
    return TagTable(
        [
            Tag(name=f"d{device}.{address}", source=f"d{device}", period_s=period_s,
                address={"register": int(address), "type": "float32"})
            for device in range(devices)
            for address in np.sort(generator.choice(REGISTERS // 2, TAGS_EACH, replace=False)) * 2
        ]
    )  # fmt: skip


async def plant(name: str, devices: int, period_s: float, seconds: float) -> dict[str, Any]:
    """Run collectors against a field of devices: 1,000 float32 each, at random even addresses of 0 to 7,999."""
    tags = tags_of_plant(devices, period_s)
    door, clock, lines = Door(), SystemClock(), Lines()
    async with field_of(devices) as (ports, told):
        sources = [
            Source(
                id=f"d{at}", protocol="modbus-tcp", modbus=ModbusOptions(host="127.0.0.1", port=port, gap_max=GAP_MAX)
            )
            for at, port in enumerate(ports)
        ]
        requests = [
            len(plan.requests) for one in sources if one.modbus for plan in plan_device(tags, one.id, one.modbus)
        ]
        collectors = [ModbusCollector(source, tags, clock, 1, door, lines) for source in sources]
        running = [asyncio.create_task(collector.run()) for collector in collectors]
        await asyncio.sleep(SETTLE_S)
        door.forget()
        overruns = sum(collector.counters.overruns for collector in collectors)
        cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
        with on_the_first(cores()):
            await asyncio.sleep(seconds)
        wall_s, cpu_s = (time.perf_counter_ns() - began_ns) / 1e9, (time.process_time_ns() - cpu_ns) / 1e9
        overruns = sum(collector.counters.overruns for collector in collectors) - overruns
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    p50_ms, p99_ms = door.jitter_ms(period_s)
    return {
        "plant": name,
        "requests_per_cycle": float(np.mean(requests)),
        "samples_per_second": door.samples / wall_s,
        "values_per_second": door.samples / cpu_s,
        "bad": door.bad,
        "kept_percent": door.kept_percent(period_s),
        "overruns": overruns,
        "cpu_percent": 100 * cpu_s / wall_s,
        "simulator_cpu_percent": 100 * told["cpu_s"] / (wall_s + SETTLE_S),
        "jitter_p50_ms": p50_ms,
        "jitter_p99_ms": p99_ms,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    }


def render(result: dict[str, Any]) -> str:
    """Give the result as text."""
    lines = [f"modbus: {result['case']}"]
    lines += [
        f"  {name:<36}{way['registers_per_second'] / 1e6:>7.2f} M registers/s of processor time   "
        f"p50 {way['p50_us']:>7.0f} µs   p99 {way['p99_us']:>7.0f} µs"
        for name, way in result["ways"].items()
    ]
    for one in result["plants"]:
        lines.append(f"{one['plant']}: {one['requests_per_cycle']:.1f} requests a device and cycle")
        lines.append(
            f"  {one['samples_per_second']:,.0f} samples/s, {one['kept_percent']:.1f} % of the rate kept, "
            f"{one['overruns']} overruns, {one['bad']} BAD"
        )
        lines.append(
            f"  processor: client {one['cpu_percent']:.0f} % of a core, simulator "
            f"{one['simulator_cpu_percent']:.0f} %; memory {one['memory_mb']:.0f} MB"
        )
        lines.append(f"  jitter p50 {one['jitter_p50_ms']:.2f} ms, p99 {one['jitter_p99_ms']:.2f} ms")
    return "\n".join(lines)
