"""Other sides for Modbus tests: a null modem to pymodbus' server, a device of bare sockets, frames by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pymodbus.framer.rtu import FramerRTU
from pymodbus.transport.transport import NullModem

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge, Collector
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.dial import dial, framing_of
from edge.collect.modbus.frame import Asked, Failure, Words
from edge.collect.modbus.line import Lines
from edge.collect.modbus.wire import Wire
from edge.config import ModbusOptions, Source, Table
from edge.model import Link, Scan, Tag, TagTable
from edge.model.quality import describe

Answer = Callable[[bytes], Awaitable[bytes | None]]


async def null_modem(options: ModbusOptions) -> Wire:
    """Connect to a pymodbus server in this process, without sockets and in the loop's own time."""
    wire = Wire(framing_of(options))
    NullModem.set_connection(options.port, wire)  # type: ignore[arg-type]  # It asks for one method of its own protocol.
    return wire


def virtual_lines() -> Lines:
    return Lines(dial=null_modem)


class Device:
    """One device on a wire of its own."""

    def __init__(self, options: ModbusOptions) -> None:
        self.options = options
        self.wire: Wire | None = None

    async def connect(self) -> bool:
        try:
            self.wire = await dial(self.options)
        except OSError:
            return False
        return True

    @property
    def is_connected(self) -> bool:
        return self.wire is not None and self.wire.is_up

    async def lost(self) -> str:
        assert self.wire is not None
        await self.wire.lost.wait()
        return self.wire.lost_reason

    async def read(self, table: Table, address: int, count: int) -> Words | Failure:
        assert self.wire is not None
        return await self.wire.ask(Asked(self.options.device_id, table, address, count), self.options.timeout_s)

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()


@asynccontextmanager
async def listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Serve one conversation after the other on a free port, and leave nothing open."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        talks.add(own)
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*talks), 5.0)


@asynccontextmanager
async def device_that(answer: Answer, *, timeout_s: float = 0.3, device_id: int = 17) -> AsyncIterator[Device]:
    """A device of bare sockets: each request's bytes are given to ``answer``; None ends the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(260):
            reply = await answer(request)
            if reply is None:
                break
            writer.write(reply)
            await writer.drain()

    async with listening(talk) as port:
        device = Device(ModbusOptions(host="127.0.0.1", port=port, device_id=device_id, timeout_s=timeout_s))
        try:
            assert await device.connect()
            yield device
        finally:
            device.close()


def framed(request: bytes, pdu: bytes) -> bytes:
    """Wrap an answer for a TCP request: its transaction, its unit."""
    return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


# -------------------------------------------------------------------------------------------------- a line of many


@dataclass
class Slave:
    """One device on a virtual RTU line; it holds its unit id in register 0, and the asked address in each other.

    Attributes:
        latency_s: From request to answer.
        is_dead: Tells at a time of the loop whether it is silent.
    """

    latency_s: float = 0.005
    is_dead: Callable[[float], bool] = lambda _: False
    asked: int = 0


class Bus(asyncio.Transport):
    """A virtual RTU line with its slaves: what one is sent, all others hear and pass by; a late answer comes late."""

    def __init__(self, slaves: dict[int, Slave], tell: Callable[[bytes], None]) -> None:
        super().__init__()
        self.slaves = slaves
        self.tell = tell
        self.sent: list[bytes] = []
        self.busy_until_s = 0.0
        self.overlaps = 0
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        loop = asyncio.get_running_loop()
        request = bytes(data)
        self.sent.append(request)
        self.overlaps += loop.time() < self.busy_until_s - 1e-6  # The loop wakes a clock tick early.
        slave = self.slaves.get(request[0])
        if slave is None:
            return
        slave.asked += 1
        if slave.is_dead(loop.time()):
            return
        address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
        words = [request[0] if at == 0 else at for at in range(address, address + count)]
        frame = request[:2] + bytes([2 * count]) + b"".join(word.to_bytes(2, "big") for word in words)
        frame += FramerRTU.compute_CRC(frame).to_bytes(2, "big")
        self.busy_until_s = loop.time() + slave.latency_s
        loop.call_later(slave.latency_s, self._answer, frame)

    def _answer(self, frame: bytes) -> None:
        if not self.is_closed:
            self.tell(frame)

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def line_of(slaves: dict[int, Slave]) -> tuple[Lines, list[Bus]]:
    """Give lines whose dialling reaches these slaves, and the connections that were made."""
    buses: list[Bus] = []

    async def reach(options: ModbusOptions) -> Wire:
        wire = Wire(framing_of(options))
        buses.append(Bus(slaves, wire.data_received))
        wire.connection_made(buses[-1])
        return wire

    return Lines(dial=reach), buses


# ------------------------------------------------------------------------------------------------------ collecting


S = 1_000_000_000


@dataclass
class Road:
    """Takes what collectors deliver."""

    delivered: list[Scan | Link] = field(default_factory=list)

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> None:
        assert acknowledge is None, "a Modbus device wants no acknowledgement"
        self.delivered.append(item)

    def scans(self, source: str) -> list[Scan]:
        return [item for item in self.delivered if isinstance(item, Scan) and item.source == source]

    def links(self, source: str) -> list[bool]:
        return [item.is_up for item in self.delivered if isinstance(item, Link) and item.source == source]


@asynccontextmanager
async def running(*collectors: Collector) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(collector.run()) for collector in collectors]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


def in_virtual_time(story: Callable[[ManualClock], Coroutine[Any, Any, None]]) -> None:
    clock = ManualClock()
    run_manual(story(clock), clock)


def qualities(scan: Scan) -> list[str]:
    return [describe(int(byte)) for byte in scan.quality]


async def until(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for something that happens on real sockets."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + within_s
    while not is_so():
        assert loop.time() < give_up_s, "it never came"
        await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------------------- thirty devices, three bad


def thirty(scale: float = 1.0) -> dict[int, Slave]:
    """Thirty devices: 5 is dead, 11 is there every other ten seconds, 17 answers after 2 s (times ``scale``)."""
    slaves = {unit: Slave(latency_s=0.002 * scale) for unit in range(1, 31)}
    slaves[5].is_dead = lambda _: True
    slaves[11].is_dead = lambda now_s: int(now_s / scale) // 10 % 2 == 1
    slaves[17].latency_s = 2.0 * scale
    return slaves


def thirty_collectors(
    lines: Lines, clock: Clock, road: Road, options: ModbusOptions, period_s: float
) -> list[ModbusCollector]:
    """One source a device, all on the line of the options, one value each."""
    names = {unit: f"u{unit}" for unit in range(1, 31)}
    tags = TagTable([Tag(name=n, source=n, period_s=period_s, address={"register": 0}) for n in names.values()])
    return [
        ModbusCollector(
            Source(id=name, protocol="modbus-rtu-tcp", modbus=replace(options, device_id=unit)),
            tags, clock, 1, road, lines,
        )
        for unit, name in names.items()
    ]  # fmt: skip


def check_thirty(road: Road, cycles: float) -> None:
    """27 keep 95 % of their rate with right values; the dead and the slow are BAD in their cycles and say why."""
    for unit in range(1, 31):
        scans = road.scans(f"u{unit}")
        good = [scan for scan in scans if qualities(scan) == ["GOOD"]]
        assert all(scan.values.tolist() == [unit] for scan in good), "no late answer is taken for another's"
        if unit in (5, 17):
            assert not good
            assert {tuple(qualities(scan)) for scan in scans} == {("BAD(timeout)",)}
            assert len(scans) >= 0.85 * cycles, "silent, and yet a sample each cycle"
            assert road.links(f"u{unit}") == [False]
        elif unit != 11:
            assert len(good) >= 0.95 * cycles, (unit, len(good), cycles)


async def on_loopback(seconds: float, scale: float) -> None:
    """Thirty devices behind one serial converter on a real socket; all times are scaled."""
    slaves = thirty(scale)
    accepted = 0

    class Converter(asyncio.Protocol):
        """What comes from the gateway goes to the bus, what the bus answers goes back."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal accepted
            accepted += 1
            self.bus = Bus(slaves, transport.write)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            self.bus.write(data)

        def connection_lost(self, exc: Exception | None) -> None:
            self.bus.abort()

    server = await asyncio.get_running_loop().create_server(Converter, "127.0.0.1", 0)
    options = ModbusOptions(
        host="127.0.0.1", port=server.sockets[0].getsockname()[1], framing="rtu", timeout_s=1.0 * scale,
    )  # fmt: skip
    road = Road()
    async with running(*thirty_collectors(Lines(), SystemClock(), road, options, 1.0 * scale)):
        await asyncio.sleep(seconds)
    server.close()
    check_thirty(road, seconds / scale)
    assert accepted == 1, "a line is not opened anew because somebody is silent"
