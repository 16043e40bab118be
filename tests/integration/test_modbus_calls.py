"""Devices that dial in: who is let in, who is not, and what becomes of a second call."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest
from pymodbus.framer.rtu import FramerRTU

from edge.clock_system import SystemClock
from edge.collect.modbus.call import STRANGERS_MAX
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.line import Lines
from edge.config import CallOptions, ModbusOptions, Source
from edge.model import Tag, TagTable
from tests.modbus_peers import Road, running, until

pytestmark = pytest.mark.network


@dataclass
class Modem:
    """A modem with one RTU device behind it: it dials, says who it is, and passes bytes."""

    port: int
    registration: bytes
    value: int
    unit: int = 1
    heartbeat: bytes = b""
    is_tcp: bool = False
    asked: list[bytes] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None

    async def call(self) -> None:
        """Serve until the line is cut."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            self.writer.write(self.registration[:3])
            await asyncio.sleep(0.01)
            self.writer.write(self.registration[3:] + self.heartbeat)
            while request := await reader.read(64):
                self.asked.append(request)
                body = request[6:] if self.is_tcp else request[:-2]
                count = struct.unpack(">H", body[4:6])[0]
                pdu = bytes([body[1], 2 * count]) + self.value.to_bytes(2, "big") * count
                frame = bytes([body[0]]) + pdu
                if self.is_tcp:
                    reply = request[:4] + len(frame).to_bytes(2, "big") + frame
                else:
                    reply = frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")
                self.writer.write(self.heartbeat + reply)
        except ConnectionError:
            pass
        finally:
            self.writer.close()

    def cut(self) -> None:
        assert self.writer is not None
        self.writer.transport.abort()


def source(name: str, port: int, registration: bytes, **changes: object) -> Source:
    call = CallOptions(listen="127.0.0.1", registration=registration, **changes.pop("call", {}))  # type: ignore[arg-type]
    options = ModbusOptions(port=port, framing="rtu", timeout_s=0.3, retry_s_max=0.3, call=call, **changes)  # type: ignore[arg-type]
    return Source(id=name, protocol="modbus-dtu", modbus=options)


@asynccontextmanager
async def calling(*modems: Modem) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(modem.call()) for modem in modems]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def collect(*sources: Source) -> tuple[Lines, Road, list[ModbusCollector]]:
    tags = TagTable([Tag(name=f"{one.id}.v", source=one.id, period_s=0.1, address={"register": 0}) for one in sources])
    lines, road = Lines(), Road()
    return lines, road, [ModbusCollector(one, tags, SystemClock(), 1, road, lines) for one in sources]


def last(road: Road, name: str) -> list[float]:
    scans = road.scans(name)
    return scans[-1].values.tolist() if scans else []


async def listening(lines: Lines, port: int) -> None:
    await until(lambda: len(lines.door("127.0.0.1", port).expected) > 0)


async def test_each_modem_is_matched_to_its_device(free_port: int) -> None:
    lines, road, collectors = collect(
        source("north", free_port, b"DTU-0001"),
        source("south", free_port, b"\x7e\x00\x01\x02", call={"heartbeat": b"\xfeHB"}),
        source("tcp", free_port, b"DTU-0003"),
    )
    south = Modem(free_port, b"\x7e\x00\x01\x02", 22, heartbeat=b"\xfeHB")
    async with running(*collectors):
        await listening(lines, free_port)
        async with calling(Modem(free_port, b"DTU-0001", 11), south):
            await until(lambda: last(road, "north") == [11.0] and last(road, "south") == [22.0])
            await until(lambda: road.links("tcp") == [False])
            assert road.links("north")[-1] is True
    assert all(request[1] == 3 for request in south.asked)


async def test_a_modem_may_speak_with_headers(free_port: int) -> None:
    one = source("d", free_port, b"DTU-0001")
    assert one.modbus is not None
    one = replace(one, modbus=replace(one.modbus, framing="tcp"))
    lines, road, collectors = collect(one)
    async with running(*collectors):
        await listening(lines, free_port)
        async with calling(Modem(free_port, b"DTU-0001", 7, is_tcp=True)):
            await until(lambda: last(road, "d") == [7.0])


async def test_who_calls_again_takes_the_place_of_the_connection_before(free_port: int) -> None:
    """A mobile network cut it half-open: the modem has long called again, and nothing said that the old one is dead."""
    lines, road, collectors = collect(source("d", free_port, b"DTU-0001"))
    async with running(*collectors):
        await listening(lines, free_port)
        first, second = Modem(free_port, b"DTU-0001", 1), Modem(free_port, b"DTU-0001", 2)
        async with calling(first):
            await until(lambda: last(road, "d") == [1.0])
            async with calling(second):
                await until(lambda: last(road, "d") == [2.0])
                second.cut()
                await until(lambda: road.links("d")[-1] is False)
            async with calling(Modem(free_port, b"DTU-0001", 3)):
                await until(lambda: last(road, "d") == [3.0])
    assert collectors[0].counters.failures["caller_again"] == 1


async def test_a_device_that_begins_anew_goes_by_its_new_settings(free_port: int) -> None:
    """A reload that narrows who may call: the line is kept by its name, what it was made with is not."""
    lines, road, collectors = collect(source("d", free_port, b"DTU-0001"))
    async with running(*collectors):
        await listening(lines, free_port)
        async with calling(Modem(free_port, b"DTU-0001", 1)):
            await until(lambda: last(road, "d") == [1.0])
    tags = TagTable([Tag(name="d.v", source="d", period_s=0.1, address={"register": 0})])
    narrowed = source("d", free_port, b"DTU-0001", call={"allow": ("192.0.2.0/24",)})
    collector = ModbusCollector(narrowed, tags, SystemClock(), 2, road, lines)
    async with running(collector):
        await listening(lines, free_port)
        modem = Modem(free_port, b"DTU-0001", 2)
        async with calling(modem):
            await until(lambda: collector.counters.failures["caller_address"] > 0)
        assert not modem.asked


async def test_the_unknown_the_silent_and_the_foreign_are_closed_without_a_byte(free_port: int) -> None:
    lines, road, collectors = collect(
        source("d", free_port, b"DTU-0001"), source("far", free_port, b"FAR-0001", call={"allow": ("192.0.2.0/24",)})
    )
    async with running(*collectors):
        await listening(lines, free_port)
        await until(lambda: len(lines.door("127.0.0.1", free_port).expected) == 2)
        for said in (b"DTU-0002", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 5_000, b"FAR-0001"):
            reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
            with suppress(ConnectionError):
                writer.write(said)
                assert await reader.read() == b""
            writer.close()
        _, writer = await asyncio.open_connection("127.0.0.1", free_port)
        writer.write(b"DTU-")
        await writer.drain()
        writer.close()
        door = lines.door("127.0.0.1", free_port)
        await until(lambda: door.refused == {"unknown": 4, "silent": 1})
        await until(lambda: collectors[0].counters.failures["caller_unknown"] == 4)
        assert not door.strangers
    assert road.links("d") == [False]


async def test_a_crowd_of_strangers_is_bounded(free_port: int) -> None:
    lines, road, collectors = collect(source("d", free_port, b"DTU-0001"))
    async with running(*collectors):
        await listening(lines, free_port)
        door = lines.door("127.0.0.1", free_port)
        writers = [(await asyncio.open_connection("127.0.0.1", free_port))[1] for _ in range(STRANGERS_MAX + 10)]
        await until(lambda: door.refused["crowd"] == 10)
        assert len(door.strangers) == len(door.inside) == STRANGERS_MAX
        for writer in writers:
            writer.close()
        await until(lambda: not door.strangers)
        async with calling(Modem(free_port, b"DTU-0001", 5)):
            await until(lambda: last(road, "d") == [5.0])


async def test_from_addresses_that_are_not_allowed_nobody_is_heard(free_port: int) -> None:
    lines, _, collectors = collect(source("d", free_port, b"DTU-0001", call={"allow": ("192.0.2.0/24",)}))
    async with running(*collectors):
        await listening(lines, free_port)
        reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        await until(lambda: lines.door("127.0.0.1", free_port).refused == {"address": 1})


async def test_two_devices_behind_one_modem(free_port: int) -> None:
    lines, road, collectors = collect(
        source("one", free_port, b"DTU-0001", device_id=1), source("two", free_port, b"DTU-0001", device_id=2)
    )
    modem = Modem(free_port, b"DTU-0001", 9)
    async with running(*collectors):
        await listening(lines, free_port)
        async with calling(modem):
            await until(lambda: last(road, "one") == [9.0] and last(road, "two") == [9.0])
    assert {request[0] for request in modem.asked} == {1, 2}


async def test_the_port_closes_with_the_last_device(free_port: int) -> None:
    lines, _, collectors = collect(source("d", free_port, b"DTU-0001"))
    async with running(*collectors):
        await listening(lines, free_port)
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", free_port)
