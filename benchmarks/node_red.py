"""The field side beside Node-RED: the same simulated devices and the same broker, in one run.

Run: python -m benchmarks.node_red [--seconds 10] [--messages 20000] [--devices 100 10] [--folder DIR] [--json]
Prints, for each case, our collectors, for plants the whole gateway, a plain loop over values in Python, and Node-RED 4
with node-red-contrib-modbus; losing rows too. The simulator has a core of its own.
Needs node, npm and mosquitto; installs Node-RED into DIR, outside the
repository.

Flow: simulators.devices.many -> TCP -> [ours | plain loop | Node-RED]; mosquitto, what it kept -> [the same]
Why: figures of two programs say something beside one another only where source, machine and load were the same.

What stands on each side: ours is the collectors to the road's door (plan, schedule, breaker, decode, quality, scan),
Node-RED is its nodes and one function that decodes, checks and keeps each value. It is given *our* plan of requests.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from benchmarks.node_red_flow import PeerError, closed_loop_flow, install, mqtt_flow, plant_flow, running
from benchmarks.plain_plant import Read, plain_plant
from benchmarks.whole_gateway import WholeError, whole
from edge.clock_system import SystemClock
from edge.collect.modbus.plan import ReadPlan, plan_device
from edge.config import ModbusOptions
from gateway.bench.cores import cores, on_the_first
from gateway.bench.modbus import poll
from gateway.bench.modbus.decode import spread_us
from gateway.bench.mqtt.drain import NoBrokerError, drain_all

WARM_S = 6.0  # Node-RED's Modbus clients connect half a second after the flow began.
NODE_RED = "Node-RED"


async def modbus_loop(packages: Path, seconds: float) -> dict[str, Any]:
    """Ask one device for 125 registers again and again: registers a second of processor time and of the clock."""
    ways: dict[str, Any] = {}
    for name, way in (("ours", poll.ours), ("a plain loop over values", poll.plain)):
        async with poll.field_of(1) as (ports, _):
            ways[name] = await poll.closed_loop(way, ports[0], seconds)
    async with poll.field_of(1) as (ports, _):
        told = await _count(packages, closed_loop_flow(ports[0], poll.COUNT), seconds)
    registers = told["requests"] * poll.COUNT
    ways[NODE_RED] = {
        "registers_per_second": registers / told["cpu_s"],
        "values_per_second": told["values"] / told["cpu_s"],
        "registers_per_second_of_wall": registers / told["wall_s"],
        "cpu_us_per_request": told["cpu_s"] / max(told["requests"], 1) * 1e6,
        "bad": told["bad"],
        **spread_us((np.array(told["turns"][1:] or [0.0]) * 1e9).astype(np.int64)),
    }
    return {"case": f"{poll.COUNT} holding registers a request, one outstanding", "ways": ways}


async def modbus_plant(packages: Path, devices: int, period_s: float, seconds: float) -> dict[str, Any]:
    """Poll a plant of 1,000 float32 a device on time: what is kept of the rate, and what it costs."""
    name = f"{devices * poll.TAGS_EACH:,} float32 of {devices} devices at {period_s:g} s"
    ways: dict[str, Any] = {"ours, collectors": await poll.plant(name, devices, period_s, seconds)}
    with tempfile.TemporaryDirectory() as folder:
        ways["ours, the whole gateway"] = await whole(Path(folder), devices, period_s, seconds)
    tags = poll.tags_of_plant(devices, period_s)
    options = ModbusOptions(host="127.0.0.1", gap_max=poll.GAP_MAX)
    plans = [plan for at in range(devices) for plan in plan_device(tags, f"d{at}", options)]
    requests = [[(request.address, request.count) for request in plan.requests] for plan in plans]
    due = sum(len(one) for one in requests) / period_s
    ways["a plain loop over values"] = await _plain(plans, period_s, seconds)
    for way, is_queued in ((f"{NODE_RED}, requests at once", False), (f"{NODE_RED}, requests queued", True)):
        async with poll.field_of(devices) as (ports, simulator):
            with on_the_first(cores()):
                flow = plant_flow(ports, requests, period_s, is_queued=is_queued)
                told = await _count(packages, flow, seconds)
        p50_ms, p99_ms = poll.jitter_ms(list(told["arrivals"].values()), period_s)
        ways[way] = {
            "requests_per_cycle": sum(len(one) for one in requests) / devices,
            "kept_percent": 100 * told["requests"] / (due * told["wall_s"]),
            "cpu_percent": 100 * told["cpu_s"] / told["wall_s"],
            "simulator_cpu_percent": 100 * simulator["cpu_s"] / (told["wall_s"] + WARM_S),
            "jitter_p50_ms": p50_ms,
            "jitter_p99_ms": p99_ms,
            "memory_mb": told["memory_mb"],
            "bad": told["bad"],
        }
    return {"case": name, "ways": ways}


async def _plain(plans: Sequence[ReadPlan], period_s: float, seconds: float) -> dict[str, Any]:
    """Let a thread a device do it, in a process of its own, by the same plan."""
    reads: list[list[Read]] = [
        [
            (request.address, request.count, [plan.addresses[at].register - request.address for at in members])
            for number, request in enumerate(plan.requests)
            for members in [np.flatnonzero(plan.request_of == number).tolist()]
        ]
        for plan in plans
    ]
    async with poll.field_of(len(plans)) as (ports, simulator):
        with on_the_first(cores()):
            told = await plain_plant(ports, reads, period_s, seconds)
    spans = [(len(moments) - 1, moments[-1] - moments[0]) for moments in told["arrivals"] if moments[1:]]
    p50_ms, p99_ms = poll.jitter_ms(told["arrivals"], period_s)
    return {
        "requests_per_cycle": sum(len(one) for one in reads) / len(plans),
        "kept_percent": 100 * sum(steps for steps, _ in spans) * period_s / (sum(span for _, span in spans) or 1.0),
        "cpu_percent": 100 * told["cpu_s"] / told["wall_s"],
        "simulator_cpu_percent": 100 * simulator["cpu_s"] / (told["wall_s"] + poll.SETTLE_S),
        "jitter_p50_ms": p50_ms,
        "jitter_p99_ms": p99_ms,
        "memory_mb": told["memory_mb"],
        "bad": told["bad"],
    }


async def _count(packages: Path, nodes: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with running(packages, Path(folder), nodes) as peer:
            await asyncio.sleep(WARM_S)
            await peer.begin()
            await asyncio.sleep(seconds)
            told = await peer.tell()
    if not told["requests"]:
        raise PeerError("Node-RED read nothing of the simulated devices.")
    return told


async def mqtt(packages: Path, messages: int) -> dict[str, Any]:
    """Drain what a broker kept, QoS 1, persistent session: single values and batches."""

    async def drained(port: int, count: int, values: int) -> dict[str, float]:
        nodes = mqtt_flow(port, NODE_RED, "#" if values == 1 else "many")
        with tempfile.TemporaryDirectory() as folder:
            async with running(packages, Path(folder), nodes, count) as peer:
                told = await peer.told()
        if told["bad"]:
            raise PeerError(f"Node-RED found {told['bad']} values bad that are not.")
        return {"wall_s": told["wall_s"], "cpu_s": told["cpu_s"]}

    return await drain_all(messages, {NODE_RED: drained})


async def measure(packages: Path, seconds: float, messages: int, devices: Sequence[int]) -> dict[str, Any]:
    """Measure every case; give one object."""
    versions = await install(packages)
    return {
        "at": str(np.datetime64(SystemClock().wall_ns(), "ns").astype("datetime64[m]")) + "Z",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "versions": versions,
        "modbus_loop": await modbus_loop(packages, seconds),
        "modbus_plants": [
            await modbus_plant(packages, devices[0], 1.0, seconds),
            await modbus_plant(packages, devices[1], 0.1, seconds),
        ],
        "mqtt": await mqtt(packages, messages),
    }


def render(told: dict[str, Any]) -> str:
    """Give the result as tables."""
    versions = " and ".join(f"{name} {version}" for name, version in told["versions"].items())
    lines = [f"{versions}; {told['at']}, {told['machine']}, load {told['load']}", ""]
    loop = told["modbus_loop"]
    ours = loop["ways"]["ours"]["registers_per_second"]
    lines += [
        f"Modbus, {loop['case']}:",
        "",
        "| way | M registers a processor second | ours is | p50, p99 µs |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {way['registers_per_second'] / 1e6:.2f} | {ours / way['registers_per_second']:.1f} × | "
        f"{way['p50_us']:,.0f}, {way['p99_us']:,.0f} |"
        for name, way in loop["ways"].items()
    ]
    for plant in told["modbus_plants"]:
        lines += [
            "",
            f"Modbus, {plant['case']}:",
            "",
            "| way | kept | of a core | simulator | jitter p50, p99 ms | memory |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {way['kept_percent']:.1f} % | {way['cpu_percent']:.0f} % | "
            f"{way['simulator_cpu_percent']:.0f} % | {way['jitter_p50_ms']:.1f}, "
            f"{way['jitter_p99_ms']:.1f} | {way['memory_mb']:.0f} MB |"
            for name, way in plant["ways"].items()
        ]
    for name, case in told["mqtt"].items():
        ways = case["ways"]
        ours = ways["ours, to the door"]["messages_per_core_second"]
        lines += ["", f"MQTT, {name}, {case['messages']:,} messages:", ""]
        lines += [
            "| way | messages a second | a processor second | ours is | values a second |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {way} | {one['messages_per_second']:,.0f} | {one['messages_per_core_second']:,.0f} | "
            f"{ours / one['messages_per_core_second']:.1f} × | {one['values_per_second']:,.0f} |"
            for way, one in ways.items()
        ]
    return "\n".join(lines)


def _run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        import uvloop  # noqa: PLC0415 - as the gateway runs, where it is there
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def main() -> int:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.node_red", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each Modbus case")
    parser.add_argument("--messages", type=int, default=20_000, help="of one value each; a tenth as many batches")
    parser.add_argument("--devices", type=int, nargs=2, default=(100, 10), help="of the plants at 1 s and at 100 ms")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "fengsui-node-red",
        help="where Node-RED is installed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    try:
        told = _run(measure(options.folder, options.seconds, options.messages, options.devices))
    except (PeerError, NoBrokerError, WholeError) as failure:
        print(failure, file=sys.stderr)
        return 2
    print(json.dumps(told, allow_nan=False) if options.json else render(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
