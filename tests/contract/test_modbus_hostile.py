"""Sides that are no Modbus device: oversize, one byte a second, without end, everything twice, the wrong number.

Promise: one device never delays another, a request ends with its time-out, nothing grows.
"""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import numpy as np
import pytest

from edge.clock_system import SystemClock
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.frame import Failure
from edge.collect.modbus.line import Lines
from edge.collect.modbus.wire import STRAYS_MAX
from edge.config import ModbusOptions, Source
from edge.model import Reason, Tag, TagTable
from tests.modbus_peers import Device, Road, device_that, framed, listening, qualities, running, until

pytestmark = pytest.mark.network

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GOOD = bytes.fromhex("0302002a")


async def test_an_oversize_answer_ends_the_connection_and_nothing_else() -> None:
    async def oversize(request: bytes) -> bytes:
        return request[:4] + b"\xff\xff" + bytes(70_000)

    async with device_that(oversize) as device:
        assert await device.read("holding", 0, 1) == Failure(reason=Reason.MALFORMED)
        assert await device.lost() == "what it sent is no Modbus"


async def test_one_byte_at_a_time_ends_with_the_time_out() -> None:
    """The time-out is for the whole answer, not from byte to byte."""

    async def loris(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(260)
        for byte in framed(request, bytes.fromhex("03fa") + bytes(250)):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(loris) as port:
        device = Device(ModbusOptions(host="127.0.0.1", port=port, timeout_s=0.3))
        assert await device.connect()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert await device.read("holding", 0, 125) == Failure(reason=Reason.TIMEOUT)
        assert loop.time() - began_s < 1.0
        device.close()


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_an_endless_stream_is_cut_and_keeps_no_memory(framing: str) -> None:
    sent = 0
    whole = framed(b"\0\7\0\0\0\6\1", GOOD) * 400 if framing == "tcp" else bytes(range(256)) * 16

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(whole)
            sent += len(whole)
            await writer.drain()

    async with listening(endless) as port:
        device = Device(ModbusOptions(host="127.0.0.1", port=port, timeout_s=5.0, framing=framing))  # type: ignore[arg-type]
        tracemalloc.start()
        assert await device.connect()
        assert await device.read("holding", 0, 1) == Failure(reason=Reason.COMMS)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert await device.lost() == "it sent without end what nobody asked for"
        assert sent > STRAYS_MAX
        assert grown < 20_000_000


async def test_everything_twice_is_read_once() -> None:
    number = 0

    async def twice(request: bytes) -> bytes:
        nonlocal number
        number += 1
        return framed(request, b"\x03\x02\x00" + bytes([number])) * 2

    async with device_that(twice) as device:
        for want in range(1, 20):
            words = await device.read("holding", 0, 1)
            assert isinstance(words, np.ndarray)
            assert words.tolist() == [want]


async def test_a_wrong_number_is_no_answer() -> None:
    async def wrong(request: bytes) -> bytes:
        return framed(b"\x7f\xff" + request[2:], GOOD)

    async with device_that(wrong, timeout_s=0.1) as device:
        assert await device.read("holding", 0, 1) == Failure(reason=Reason.TIMEOUT)
        assert device.wire is not None
        assert device.wire.strays == 11


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _loris(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(12):
        writer.write(b"\0")
        await writer.drain()


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(50):
        writer.write(bytes(4_096))
        await writer.drain()


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(12)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(260):
        writer.write(data)


async def _honest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while request := await reader.read(260):
        writer.write(framed(request, GOOD))


async def test_one_good_device_among_hostile_ones_keeps_its_beat() -> None:
    hostile: dict[str, Talk] = {"silent": _silent, "loris": _loris, "flood": _flood, "page": _page, "echo": _echo}
    async with AsyncExitStack() as stack:
        lines, road = Lines(), Road()
        tags = TagTable([Tag(name=n, source=n, period_s=0.1, address={"register": 0}) for n in ("honest", *hostile)])
        collectors = []
        for name, talk in {"honest": _honest, **hostile}.items():
            port = await stack.enter_async_context(listening(talk))
            options = ModbusOptions(host="127.0.0.1", port=port, timeout_s=0.2, retry_s_max=0.4)
            source = Source(id=name, protocol="modbus-tcp", modbus=options)
            collectors.append(ModbusCollector(source, tags, SystemClock(), 1, road, lines))
        async with running(*collectors):
            await until(lambda: len(road.scans("honest")) >= 20)
        assert {tuple(qualities(scan)) for scan in road.scans("honest")} == {("GOOD",)}
        for name, collector in zip(hostile, collectors[1:], strict=True):
            said = {quality for scan in road.scans(name) for quality in qualities(scan)}
            assert said <= {"BAD(timeout)", "BAD(comms)", "BAD(malformed)", "BAD(length)"}, name
            assert len(road.scans(name)) >= 3, "BAD, and never silent"
            assert collector.counters.crashes == 0
