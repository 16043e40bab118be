"""Live: a story in real time over real protocols, against a gateway process of its own.

Flow: acts -> plant -> instruments, faults -> [Modbus TCP servers, MQTT publisher] -> gateway -> authority: processes
Why: in manual time scans enter at intake; here is all that a plant has: sockets, polls, a broker, a webhook.
Never: takes a verdict from whoever played; listens beyond loopback; lets a process outlive it.
"""

import asyncio
import os
import re
import secrets
import shutil
import signal
import sys
import threading
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx
import numpy as np
from numpy.typing import NDArray

from edge.clock import Clock
from edge.config import Source
from edge.model import TagTable
from gateway.config import Site
from gateway.demo import DemoError, await_port, find_mosquitto, with_ports
from gateway.furnish import furnish
from gateway.simulate.authority import notices_of
from gateway.simulate.field import Field, Staged
from gateway.simulate.known import site_of
from gateway.simulate.play import Played, events_of
from gateway.simulate.quiet import floods_in
from gateway.store.engine import open_store, store_url
from gateway.system import with_system
from simulators.child import Child
from simulators.devices.modbus import ModbusDevice
from simulators.devices.mqtt import Publisher
from simulators.instrument import Faults, SourceLine
from simulators.instrument.fault import LINE_KINDS
from simulators.ports import free_ports
from simulators.regulator.ledger import Ledger
from simulators.scenario import Scenario, Seen, judge
from simulators.wiring import read_wiring

NS: Final = 1_000_000_000
READY_S: Final = 60.0
AFTER_S: Final = 6.0  # So long the last alarms and notices have to arrive.
LOOK_S: Final = 0.2
#: Faults of lines that a device of ours can have on the wire: its port is shut, its registers are off by one.
LIVE_KINDS: Final = frozenset({"dropout", "flapping", "shifted_registers"})
PROTOCOLS: Final = frozenset({"modbus-tcp", "mqtt"})


class LiveError(Exception):
    """It cannot be played live; one sentence with its remedy."""


class _Wire(Staged):
    """A source as its device: what the field hands over goes into registers or topics."""

    def __init__(self, source: Source, tags: TagTable, clock: Clock) -> None:
        super().__init__(source, tags, clock, 1, lambda *_: True)
        self.is_up = True
        self.readings: dict[str, float] = {}

    def link(self, *, is_up: bool) -> None:
        """Take note of the link; the device follows with the next look."""
        self.is_up = is_up

    def scan(self, rows: NDArray[np.int32], values: NDArray[np.float64], times_ns: NDArray[np.int64]) -> None:  # noqa: ARG002
        """Take readings; a device on the wire has no time but its own."""
        self.counters.scans += 1
        self.counters.samples += len(rows)
        self.readings |= {self._tags.names[row]: float(value) for row, value in zip(rows, values, strict=True)}


@dataclass(slots=True, kw_only=True)
class _Device:
    """One source on the wire."""

    wire: _Wire
    modbus: ModbusDevice | None = None
    publisher: Publisher | None = None
    is_open: bool = False

    async def follow(self, time_s: float, now_ns: int) -> None:
        """Let port and contents be what the source's line and readings are."""
        if not self.wire.readings:
            return
        if self.modbus is not None:
            if self.wire.is_up and not self.is_open:
                await self.modbus.start(self.wire.readings)
            elif self.wire.is_up:
                await self.modbus.refresh(self.wire.readings)
            elif self.is_open:
                await self.modbus.stop()
            self.is_open = self.wire.is_up
        if self.publisher is not None and self.wire.is_up:
            self.publisher.publish(time_s, now_ns, self.wire.readings)

    def begin_anew(self) -> None:
        """Let the story's time begin."""
        if self.publisher is not None:
            self.publisher.begin_anew()

    async def close(self) -> None:
        """End it."""
        if self.modbus is not None and self.is_open:
            await self.modbus.stop()
        if self.publisher is not None:
            self.publisher.stop()


def why_not_live(scenario: Scenario, site: Site) -> str:
    """Say why a story cannot be played live; empty where it can."""
    odd = sorted({source.protocol for source in site.sources} - PROTOCOLS)
    if odd:
        return f"Live devices speak {', '.join(sorted(PROTOCOLS))}; the site has {', '.join(odd)}."
    kinds = sorted({fault.kind for fault in scenario.faults if fault.kind in LINE_KINDS} - LIVE_KINDS)
    if kinds:
        return f"A device on the wire cannot have the faults {', '.join(kinds)}; play it without --live."
    return ""


def play_live(
    scenario: Scenario,
    site: Site,
    seed: int,
    folder: Path,
    clock: Clock,
    *,
    record: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Played:
    """Play a story once, in real time.

    Args:
        folder: For copies of the site, data and logs; must be empty.
        record: Where the gateway's own recording goes.
        tell: Called with what happens, for a person who waits.

    Raises:
        LiveError: It cannot be played live, or a process did not come up.
        ConfigError: The lists beside the site file have mistakes.
    """
    reason = why_not_live(scenario, site)
    if reason:
        raise LiveError(reason)
    with ExitStack() as ending:
        return asyncio.run(_play(_Stage(scenario, site, seed, folder, clock, record, tell, ending)))


@dataclass(frozen=True, slots=True)
class _Stage:
    scenario: Scenario
    site: Site
    seed: int
    folder: Path
    clock: Clock
    record: Path | None
    tell: Callable[[str], None]
    ending: ExitStack

    @property
    def site_file(self) -> Path:
        """Give the copy with free ports."""
        return self.folder / "site" / "site.toml"


async def _play(stage: _Stage) -> Played:
    scenario, clock = stage.scenario, stage.clock
    began_ns = clock.monotonic_ns()
    ledger = _copy(stage)
    field, wires = _make_field(stage)
    await asyncio.to_thread(field.forward)
    await asyncio.to_thread(_furnish, stage)
    _start_others(stage, ledger)
    devices = _make_devices(stage, wires)
    try:
        for device in devices:  # The first look, so that a device has something to say when it is first asked.
            device.wire.readings = _first(field, stage.site, device.wire)
            await device.follow(0.0, clock.wall_ns())
        async with _standing_still(devices, clock):
            gateway, log = await _start_gateway(stage)
        stage.tell(f"second 0; {scenario.lasts_s:g} s in real time")
        begins_ns, start_ns = clock.wall_ns(), clock.monotonic_ns()
        field.scenario = replace(field.scenario, begins_ns=begins_ns)
        for number in range(1, round(scenario.lasts_s / scenario.step_s) + 1):
            time_s = number * scenario.step_s
            field.move(time_s)
            await asyncio.sleep(max(0.0, time_s - (clock.monotonic_ns() - start_ns) / NS))
            field.look(time_s)
            for device in devices:
                await device.follow(time_s, clock.wall_ns())
            if not gateway.is_running:
                raise LiveError(f"The gateway ended in the middle of it. It said last:\n{gateway.last_words()}")
        async with _standing_still(devices, clock):
            await asyncio.sleep(AFTER_S)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(gateway.process.wait)
    finally:
        for device in devices:
            await device.close()
    lasted_s = (clock.monotonic_ns() - start_ns) / NS
    await asyncio.to_thread(field.after)
    content = await asyncio.to_thread(log.read_bytes)
    seen = Seen(
        events=tuple(events_of(content, begins_ns)),
        milestones=field.milestones(),
        notices=tuple(notices_of(Ledger(ledger), begins_ns)),
        until_s=scenario.lasts_s,
        floods=await asyncio.to_thread(floods_in, stage.folder / "data", begins_ns),
    )
    return Played(
        scenario=field.scenario,
        seed=stage.seed,
        verdicts=tuple(judge(scenario.expectations, seen)),
        seen=seen,
        log=content,
        trace=field.trace,
        tags=field.works.tags,
        scans=sum(wire.counters.scans for wire in wires),
        samples=sum(wire.counters.samples for wire in wires),
        spent_s={"live": lasted_s, "all": (clock.monotonic_ns() - began_ns) / NS},
        pace=scenario.lasts_s / lasted_s,
        balances={},
        computed={},
    )


# -------------------------------------------------------------------------------------------------------------- field


def _make_field(stage: _Stage) -> tuple[Field, list[_Wire]]:
    scenario, tags = stage.scenario, stage.site.tags
    plant, faults, lines = np.random.default_rng(stage.seed).spawn(3)
    works = scenario.kind.make(plant)
    ends = zip(tags.names, tags.range_lo, tags.range_hi, strict=True)
    ranges = {name: (float(low), float(high)) for name, low, high in ends}
    sources = stage.site.sources
    field = Field(
        scenario,
        works,
        Faults(scenario.faults, works.tags, faults, ranges=ranges),
        [
            SourceLine(source.id, scenario.faults, dice)
            for source, dice in zip(sources, lines.spawn(len(sources)), strict=True)
        ],
    )
    wires = [_Wire(source, tags, stage.clock) for source in sources]
    field.join(wires, tags)
    return field, wires


def _first(field: Field, site: Site, wire: _Wire) -> dict[str, float]:
    shown = dict(zip(field.works.tags, field.works.shown().tolist(), strict=True))
    names = (site.tags.names[row] for row in site.tags.rows_of_source(wire.source.id))
    return {name: shown[name] for name in names if name in shown}


def _make_devices(stage: _Stage, wires: Sequence[_Wire]) -> list[_Device]:
    wiring = read_wiring(stage.site_file)
    modbus = {device.source: device for device in wiring.devices}
    found = []
    for wire in wires:
        name = wire.source.id
        if name in modbus:
            found.append(_Device(wire=wire, modbus=ModbusDevice(modbus[name], sends_nan=True)))
        for broker in wiring.brokers:
            topics = tuple(topic for topic in broker.topics if topic.source == name)
            if topics:
                publisher = Publisher(replace(broker, topics=topics), client_id=f"live-{os.getpid()}-{name}")
                publisher.start()
                found.append(_Device(wire=wire, publisher=publisher))
    return found


@asynccontextmanager
async def _standing_still(devices: Sequence[_Device], clock: Clock) -> AsyncIterator[None]:
    """Let devices say what they saw last while the story has not begun or is over; then their time begins anew.

    Why: what is published before anybody listens is lost, and a tag that says nothing rings.
    """

    async def go_on() -> None:
        begins_ns = clock.monotonic_ns()
        while True:
            for device in devices:
                await device.follow((clock.monotonic_ns() - begins_ns) / NS, clock.wall_ns())
            await asyncio.sleep(LOOK_S)

    for device in devices:
        device.begin_anew()
    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.wait({going})
        for device in devices:
            device.begin_anew()
    if not going.cancelled():
        going.result()  # A device that could not go on says why.


# ---------------------------------------------------------------------------------------------------------- processes


def _copy(stage: _Stage) -> Path:
    """Copy the site with free ports; give the path of the authority's ledger."""
    original = site_of(stage.scenario.site, stage.scenario.kind)
    target = stage.site_file.parent
    shutil.copytree(original.parent, target)
    text = original.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    ports = {str(source["port"]) for source in content["source"] if "port" in source}
    ports |= {port for each in content.get("destination", ()) for port in re.findall(r":(\d+)/", each["url"])}
    given = zip(sorted(ports), map(str, free_ports(len(ports))), strict=True)
    text = with_ports(text, dict(given))
    if find_mosquitto() is None:
        text = text.replace('version = "5"', 'version = "3.1.1"')  # All that the embedded broker speaks.
    stage.site_file.write_text(text, encoding="utf-8")
    return stage.folder / "authority.jsonl"


def _furnish(stage: _Stage) -> None:
    """Enter the lists beside the site file before the gateway begins."""
    data = stage.folder / "data"
    data.mkdir(mode=0o700)
    engine = open_store(store_url(data))
    furnish(stage.site_file.parent, with_system(stage.site), engine, stage.clock.wall_ns())
    engine.dispose()


def _start_others(stage: _Stage, ledger: Path) -> None:
    """Start the broker where there are MQTT sources, and the authority."""
    content = tomllib.loads(stage.site_file.read_text(encoding="utf-8"))
    stop = threading.Event()
    brokers = sorted({source["port"] for source in content["source"] if source["protocol"] == "mqtt"})
    started = [(_child(stage, f"broker-{port}", *_broker(stage, port)), port) for port in brokers]
    for each in content.get("destination", ()):
        port = int(re.findall(r":(\d+)/", each["url"])[0])
        secret = stage.site_file.parent / each["secret_file"]
        started.append(
            (
                _child(
                    stage, f"authority-{each['id']}", sys.executable, "-m", "simulators.regulator", "--port", str(port),
                    "--ledger", str(ledger), "--secret-file", str(secret),
                ),
                port,
            )
        )  # fmt: skip
    try:
        for child, port in started:
            await_port(port, [child], stop)
    except DemoError as failure:
        raise LiveError(str(failure)) from failure


def _broker(stage: _Stage, port: int) -> list[str]:
    program = find_mosquitto()
    if program is None:
        return [sys.executable, "-m", "simulators.broker", "--port", str(port)]
    config = stage.folder / f"mosquitto-{port}.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8")
    return [program, "-c", str(config)]


async def _start_gateway(stage: _Stage) -> tuple[Child, Path]:
    """Start the gateway, and wait until it judges and has every source's link; give its event log."""
    log = stage.folder / "events.log"
    gateway = _child(
        stage, "gateway", sys.executable, "-m", "gateway.cli", "run", str(stage.site_file), "--port", "0", "--data",
        str(stage.folder / "data"), "--events", str(log), *(["--record", str(stage.record)] if stage.record else []),
    )  # fmt: skip
    give_up_ns = stage.clock.monotonic_ns() + round(READY_S * NS)
    page = ""
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while stage.clock.monotonic_ns() < give_up_ns and gateway.is_running:
            said = await asyncio.to_thread(gateway.log.read_text, encoding="utf-8", errors="replace")
            found = re.search(r"^(http://\S+)/$", said, re.MULTILINE)
            page = found[1] if found else ""
            if page and await _is_up(client, page):
                return gateway, log
            await asyncio.sleep(LOOK_S)
    raise LiveError(f"The gateway was not ready after {READY_S:g} s. It said last:\n{gateway.last_words()}")


async def _is_up(client: httpx.AsyncClient, page: str) -> bool:
    """Tell whether it judges, and hears every source."""
    try:
        ready = await client.get(f"{page}/api/v1/ready")
        text = (await client.get(f"{page}/metrics")).text
    except httpx.TransportError:
        return False
    counts = dict(re.findall(r"^(fengsui_sources(?:_up)?) (\S+)$", text, re.MULTILINE))
    return ready.is_success and len(counts) == 2 and len(set(counts.values())) == 1  # noqa: PLR2004 - all are up


def _child(stage: _Stage, name: str, *arguments: str) -> Child:
    logs = stage.folder / "logs"
    logs.mkdir(exist_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("FENGSUI_")}
    root = str(Path(__file__).parents[2])
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environ.get("PYTHONPATH")]))
    environ["FENGSUI_REGULATOR_TOKEN"] = secrets.token_urlsafe(24)
    child = Child(name, arguments, logs=logs, environ=environ)
    stage.ending.callback(child.stop)
    return child
