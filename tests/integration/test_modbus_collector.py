"""Modbus collectors against pymodbus' server: over its null modem in virtual time, and over real sockets."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.transport import NULLMODEM_HOST

from edge.clock_manual import ManualClock
from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.registry import make_collector
from edge.config import ModbusOptions, Source
from edge.model import Link, Nature, Scan, Tag, TagTable
from tests.modbus_peers import Road, in_virtual_time, qualities, running, virtual_lines

S = 1_000_000_000


@dataclass
class Quirks:
    """What a device does wrong: answers of these addresses vanish; all do."""

    silent: set[int] = field(default_factory=set)
    is_dead: bool = False
    _is_dropping: bool = False

    def look(self, is_sending: bool, packet: bytes) -> bytes:
        if not is_sending:
            self._is_dropping = self.is_dead or int.from_bytes(packet[8:10], "big") in self.silent
            return packet
        return b"" if self._is_dropping else packet


@asynccontextmanager
async def server(
    host: str, port: int, blocks: dict[int, list[int]], quirks: Quirks | None = None
) -> AsyncIterator[ModbusTcpServer]:
    """Serve holding registers; addresses outside of the blocks are illegal."""
    data = [SimData(address, values=values, datatype=DataType.REGISTERS) for address, values in blocks.items()]
    one = ModbusTcpServer(
        SimDevice(1, simdata=data),
        address=(host, port),
        trace_packet=(quirks or Quirks()).look,
    )
    await one.serve_forever(background=True)
    try:
        yield one
    finally:
        await one.shutdown()


def source(name: str, port: int, host: str = NULLMODEM_HOST, **options: float) -> Source:
    return Source(
        id=name,
        protocol="modbus-tcp",
        nature=Nature.TEST,
        modbus=ModbusOptions(host=host, port=port, **options),  # type: ignore[arg-type]
    )


def tag(name: str, source_id: str, register: int, period_s: float = 1.0, **address: object) -> Tag:
    return Tag(name=name, source=source_id, period_s=period_s, address={"register": register, **address})


def test_an_hour_of_polling_does_not_drift() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("a", "d", 0, type="float32", order="CDAB"), tag("b", "d", 2, type="int16", scale=0.1)])
        road = Road()
        collector = ModbusCollector(source("d", 1), tags, clock, 7, road, virtual_lines())
        async with server(NULLMODEM_HOST, 1, {0: [0x2000, 0x47F1, 0xFFFF]}), running(collector):
            await asyncio.sleep(3_600)

        scans = road.scans("d")
        assert len(scans) in (3_599, 3_600)
        assert road.links("d") == [True]
        assert isinstance(road.delivered[0], Link), "the link comes up before its first scan"
        assert [scan.number for scan in scans] == list(range(1, len(scans) + 1))
        assert {scan.epoch for scan in scans} == {7}
        assert {scan.nature for scan in scans} == {Nature.TEST}
        assert scans[0].values.tolist() == pytest.approx([123456.0, -0.1])
        assert qualities(scans[0]) == ["GOOD", "GOOD"]
        steps = np.diff([scan.received_ns for scan in scans])
        assert abs(steps - S).max() < 1_000, "ns, the float clock of the loop"
        assert collector.counters.overruns == 0
        assert collector.counters.requests == collector.counters.scans == len(scans)
        assert collector.counters.samples == 2 * len(scans)
        assert collector.counters.last_success_ns == scans[-1].received_ns

    in_virtual_time(story)


def test_one_dead_device_of_thirty_slows_nobody() -> None:
    """Requirement P1: the others keep their rate; the dead one's tags are BAD in every cycle and say why."""

    async def story(clock: ManualClock) -> None:
        names = [f"d{n}" for n in range(30)]
        tags = TagTable([tag(f"{name}.v", name, 0) for name in names])
        road = Road()
        collectors = [
            ModbusCollector(source(name, n + 1), tags, clock, 1, road, virtual_lines()) for n, name in enumerate(names)
        ]
        async with asyncio.TaskGroup() as group:
            stop = asyncio.Event()

            async def serve(n: int) -> None:
                async with server(NULLMODEM_HOST, n + 1, {0: [n]}, Quirks(is_dead=n == 13)):
                    await stop.wait()

            for n in range(30):
                group.create_task(serve(n))
            await asyncio.sleep(0.001)
            async with running(*collectors):
                await asyncio.sleep(120)
            stop.set()

        for n, name in enumerate(names):
            scans = road.scans(name)
            if n == 13:
                assert road.links(name) == [False], "accepting a connection is not being up"
                assert {q for scan in scans for q in qualities(scan)} == {"BAD(timeout)", "BAD(comms)"}
                assert len(scans) >= 55, "dead, but never silent"
            else:
                assert len(scans) >= 119
                assert all(scan.values.tolist() == [n] for scan in scans)

    in_virtual_time(story)


def test_a_time_out_costs_only_its_own_request() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("a", "d", 0), tag("b", "d", 100), tag("c", "d", 200)])
        road = Road()
        collector = ModbusCollector(source("d", 1, timeout_s=0.2), tags, clock, 1, road, virtual_lines())
        blocks = {0: [1], 100: [2], 200: [3]}
        async with server(NULLMODEM_HOST, 1, blocks, Quirks(silent={100})), running(collector):
            await asyncio.sleep(60)

        scans = road.scans("d")
        assert len(scans) >= 59
        assert road.links("d") == [True]
        assert {tuple(qualities(scan)) for scan in scans} == {("GOOD", "BAD(timeout)", "GOOD")}
        for scan in scans:
            assert math.isnan(scan.values[1])
            assert scan.values[[0, 2]].tolist() == [1.0, 3.0]
            # Each sample has the time of its own answer, not of the slowest one.
            assert scan.times_ns[2] - scan.times_ns[0] == pytest.approx(0.2 * S, abs=1e6)
        assert collector.counters.failures == {"timeout": len(scans)}

    in_virtual_time(story)


def test_a_device_that_refuses_one_register_costs_only_that_tag() -> None:
    """Register 5 of 0…9 does not exist: after a few cycles only its tag is BAD, and it stays asked for."""

    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag(f"r{n}", "d", n) for n in range(10)])
        road = Road()
        collector = ModbusCollector(source("d", 1), tags, clock, 1, road, virtual_lines())
        async with server(NULLMODEM_HOST, 1, {0: list(range(5)), 6: list(range(6, 10))}), running(collector):
            await asyncio.sleep(20)

        scans = road.scans("d")
        assert set(qualities(scans[0])) == {"BAD(exception)"}
        assert qualities(scans[-1]) == ["GOOD"] * 5 + ["BAD(exception)"] + ["GOOD"] * 4
        assert scans[-1].values[6:].tolist() == [6.0, 7.0, 8.0, 9.0]
        assert 1 <= collector.counters.splits <= 9

    in_virtual_time(story)


def test_a_device_that_refuses_everything_is_not_asked_tag_by_tag() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag(f"r{n}", "d", n) for n in range(1_000)])
        collector = ModbusCollector(source("d", 1), tags, clock, 1, Road(), virtual_lines())
        async with server(NULLMODEM_HOST, 1, {5_000: [1]}), running(collector):
            await asyncio.sleep(60)
        assert collector.counters.splits <= 64

    in_virtual_time(story)


def test_a_device_that_comes_late_and_goes_and_returns() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("a", "d", 0)])
        road = Road()
        collector = ModbusCollector(source("d", 1, retry_s_max=5.0), tags, clock, 1, road, virtual_lines())
        async with running(collector):
            await asyncio.sleep(30)
            assert road.links("d") == [False]
            assert len(road.scans("d")) >= 29, "no tag is silent while there is no connection"
            assert {tuple(qualities(scan)) for scan in road.scans("d")} == {("BAD(comms)",)}
            for is_last in (False, True):
                async with server(NULLMODEM_HOST, 1, {0: [5]}):
                    await asyncio.sleep(10)
                    assert road.scans("d")[-1].values.tolist() == [5.0]
                await asyncio.sleep(10)
                assert qualities(road.scans("d")[-1]) == ["BAD(comms)"], is_last
        assert road.links("d") == [False, True, False, True, False]
        assert collector.counters.reconnects == 2

    in_virtual_time(story)


def test_scan_classes_share_the_connection_and_keep_their_own_time() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("fast", "d", 0, 0.1), tag("slow", "d", 1, 10.0)])
        road = Road()
        async with (
            server(NULLMODEM_HOST, 1, {0: [1, 2]}),
            running(ModbusCollector(source("d", 1), tags, clock, 1, road, virtual_lines())),
        ):
            await asyncio.sleep(100)
        by_row = {row: sum(scan.rows.tolist() == [row] for scan in road.scans("d")) for row in (0, 1)}
        assert by_row[0] in (999, 1_000)
        assert by_row[1] == 10
        numbers = [scan.number for scan in road.scans("d")]
        assert numbers == sorted(set(numbers)), "one sequence for the source"

    in_virtual_time(story)


def test_turns_that_a_slow_device_makes_impossible_are_counted() -> None:
    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("a", "d", 0, 0.5), tag("b", "d", 100, 0.5)])
        road = Road()
        collector = ModbusCollector(source("d", 1, timeout_s=1.2), tags, clock, 1, road, virtual_lines())
        async with server(NULLMODEM_HOST, 1, {0: [1], 100: [2]}, Quirks(silent={100})), running(collector):
            await asyncio.sleep(60)
        scans = len(road.scans("d"))
        assert 40 <= scans <= 50
        # 120 turns went by: those taken in time, and those late or left out.
        assert 110 <= collector.counters.overruns <= 120

    in_virtual_time(story)


def test_a_crash_in_the_loop_is_counted_and_polling_goes_on() -> None:
    """Requirement P2: the loop that dies of an unforeseen error comes back by itself."""

    async def story(clock: ManualClock) -> None:
        tags = TagTable([tag("a", "d", 0)])
        road = Road()

        def stumble(item: Scan | Link, acknowledge: Acknowledge | None) -> None:
            if isinstance(item, Scan) and item.number in (3, 7):
                raise RuntimeError("unforeseen")
            road(item, acknowledge)

        collector = ModbusCollector(source("d", 1), tags, clock, 1, stumble, virtual_lines())
        async with server(NULLMODEM_HOST, 1, {0: [1]}), running(collector):
            await asyncio.sleep(60)
        assert collector.counters.crashes == 2
        numbers = [scan.number for scan in road.scans("d")]
        assert numbers[:8] == [1, 2, 4, 5, 6, 8, 9, 10]
        assert len(numbers) > 50

    in_virtual_time(story)


@pytest.mark.network
async def test_over_real_sockets_with_a_dead_neighbour() -> None:
    """A device that accepts and never answers stands beside a good one on the same loop."""
    held: list[asyncio.StreamWriter] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await reader.read()

    dead = await asyncio.start_server(hang, "127.0.0.1", 0)
    tags = TagTable([tag("good.v", "good", 0, 0.05), tag("dead.v", "dead", 0, 0.05)])
    road = Road()
    async with server("127.0.0.1", 0, {0: [42]}) as good:
        ports = {"good": good.transport.sockets[0].getsockname()[1], "dead": dead.sockets[0].getsockname()[1]}  # type: ignore[attr-defined]
        collectors = [
            make_collector(source(name, port, "127.0.0.1", timeout_s=0.2), tags, SystemClock(), 1, road)
            for name, port in ports.items()
        ]
        async with running(*collectors):
            await asyncio.sleep(1.5)
    dead.close()
    for writer in held:
        writer.close()
        await writer.wait_closed()

    scans = road.scans("good")
    assert len(scans) >= 20
    assert {scan.values.tolist()[0] for scan in scans} == {42.0}
    assert {tuple(qualities(scan)) for scan in road.scans("dead")} <= {("BAD(timeout)",), ("BAD(comms)",)}
    assert len(road.scans("dead")) >= 3
    assert road.links("dead") == [False]
