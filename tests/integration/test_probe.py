"""Probing real Modbus servers: neighbours, refusals, the one connection of a running source, the command."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from typer.testing import CliRunner

from edge.clock_manual import ManualClock
from edge.clock_system import SystemClock
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.frame import Failure, Words
from edge.collect.modbus.line import Lines
from edge.collect.modbus.probe import REQUESTS_MAX, survey
from edge.config import ModbusOptions, Source, Table
from edge.decode.guess import expected, guesses
from edge.model import Reason, Tag, TagTable
from gateway.cli import app
from gateway.probe import PAUSE_S, Asked, Prober, ProbeRefused
from tests.modbus_peers import Road, Slave, in_virtual_time, line_of, running, until

LEVEL = [int.from_bytes(struct.pack(">f", 4.317)[at : at + 2], "big") for at in (2, 0)]  # CDAB


@asynccontextmanager
async def device(blocks: dict[int, list[int]]) -> AsyncIterator[tuple[int, list[bytes], list[bool]]]:
    """Serve holding registers on a free port; gives the port, what was asked, and each connection made."""
    asked: list[bytes] = []
    made: list[bool] = []

    def look(is_sending: bool, packet: bytes) -> bytes:
        if not is_sending:
            asked.append(packet)
        return packet

    def note(is_made: bool) -> None:
        if is_made:
            made.append(is_made)

    data = [SimData(address, values=values, datatype=DataType.REGISTERS) for address, values in blocks.items()]
    server = ModbusTcpServer(
        SimDevice(1, simdata=data), address=("127.0.0.1", 0), trace_packet=look, trace_connect=note
    )
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1], asked, made  # type: ignore[attr-defined]
    finally:
        await server.shutdown()


class Registers:
    """A device that has some registers and refuses requests that reach beyond."""

    def __init__(self, has: range, code: int = 2) -> None:
        self.has = has
        self.code = code
        self.asked: list[tuple[int, int]] = []

    async def read(self, table: Table, address: int, count: int) -> Words | Failure:
        self.asked.append((address, count))
        if address in self.has and address + count - 1 in self.has:
            return np.arange(address, address + count, dtype=np.uint16)
        return Failure(reason=Reason.EXCEPTION, code=self.code)


async def test_one_request_takes_the_registers_and_their_neighbours() -> None:
    there = Registers(range(1000))
    found = await survey(there.read, "holding", 100, 2)

    assert there.asked == [(99, 7)]
    assert (found.first, found.asked, found.words.tolist()) == (99, range(100, 102), list(range(99, 106)))
    assert found.known.all()


@pytest.mark.parametrize(
    ("has", "known"), [(range(100, 102), [100, 101]), (range(100), [99]), (range(102, 103), [102])]
)
async def test_what_a_device_refuses_is_told_register_by_register(has: range, known: list[int]) -> None:
    there = Registers(has)
    found = await survey(there.read, "holding", 100, 2)

    assert [at for at in range(99, 106) if found.known[at - 99]] == known
    assert {at for at, failure in found.failures.items() if failure.code == 2} == set(range(99, 106)) - set(known)
    assert found.requests == len(there.asked) <= REQUESTS_MAX
    assert (found.failure is None) == (100 in known)


async def test_a_device_without_that_table_is_asked_once() -> None:
    there = Registers(range(0), code=1)
    found = await survey(there.read, "input", 5, 40)

    assert len(there.asked) == 1
    assert found.failure == Failure(reason=Reason.EXCEPTION, code=1)


async def test_a_silent_device_is_asked_once() -> None:
    asked = 0

    async def read(table: Table, address: int, count: int) -> Failure:
        nonlocal asked
        asked += 1
        return Failure(reason=Reason.TIMEOUT)

    found = await survey(read, "holding", 0, 8)
    assert asked == 1
    assert found.failure == Failure(reason=Reason.TIMEOUT)


async def test_many_holes_end_with_the_budget_and_say_so() -> None:
    class Odd(Registers):
        async def read(self, table: Table, address: int, count: int) -> Words | Failure:
            return await super().read(table, address, count) if count == 1 else Failure(reason=Reason.EXCEPTION, code=2)

    there = Odd(range(1000))
    found = await survey(there.read, "holding", 100, 60)

    assert found.requests == REQUESTS_MAX
    assert any(failure.reason is Reason.NONE for failure in found.failures.values())


@pytest.mark.network
async def test_a_running_source_is_probed_on_its_own_connection_also_by_its_address() -> None:
    async with device({0: [0, *LEVEL, 0, 0, 0, 0]}) as (port, asked, made):
        options = ModbusOptions(host="127.0.0.1", port=port, timeout_s=1.0)
        source = Source(id="tank", protocol="modbus-tcp", modbus=options)
        tags = TagTable([Tag(name="level", source="tank", period_s=0.1, address={"register": 0})])
        collector = ModbusCollector(source, tags, SystemClock(), 1, Road(), Lines())
        clock = ManualClock()
        prober = Prober({"tank": collector}, clock)
        async with running(collector):
            await until(lambda: collector.counters.scans > 2)
            through = await prober.probe(Asked(source="tank", table="holding", register=1, count=2))
            with pytest.raises(ProbeRefused, match="at most every") as refused:
                await prober.probe(Asked(source="tank", table="holding", register=1, count=2))
            clock.advance_ns(round(PAUSE_S * 1e9))
            named = ModbusOptions(host="localhost", port=port)
            typed = await prober.probe(Asked(options=named, table="holding", register=1, count=2))

        assert refused.value.status == 429
        assert through.source == typed.source == "tank"
        assert len(made) == 1, "never a second client on a device"
        best = guesses(through.survey.words, through.survey.known, through.survey.first, range(1, 3), expected("4.3"))
        assert (best[0].register, best[0].order) == (1, "CDAB")
        assert {packet[7] for packet in asked} == {3}, "only reads leave"


def test_a_probe_waits_for_its_turn_on_a_line_of_many_and_counts_for_nobody() -> None:
    """A guest that does not answer takes one time-out; the others go on, and no question overlaps."""

    async def story(clock: ManualClock) -> None:
        lines, buses = line_of({1: Slave(), 2: Slave()})
        options = ModbusOptions(host="converter", framing="rtu", timeout_s=0.5, pause_s=0.05)
        tags = TagTable([Tag(name="a", source="s", address={"register": 0})])
        source = Source(id="s", protocol="modbus-rtu-tcp", modbus=options)
        collector = ModbusCollector(source, tags, clock, 1, road := Road(), lines)
        async with running(collector):
            await asyncio.sleep(3)
            there, gone = await asyncio.gather(
                collector.read("holding", 0, 1, device_id=2), collector.read("holding", 0, 1, device_id=9)
            )
            await asyncio.sleep(3)
        assert isinstance(there, np.ndarray)
        assert there.tolist() == [2]
        assert gone == Failure(reason=Reason.TIMEOUT)
        assert buses[0].overlaps == 0
        assert len(buses) == 1
        assert [scan.values.tolist() for scan in road.scans("s")] == [[1.0]] * len(road.scans("s"))

    in_virtual_time(story)


@pytest.mark.network
async def test_the_command_finds_the_word_order_and_says_what_it_saw() -> None:
    async with device({0: [0, *LEVEL, 0]}) as (port, asked, _):
        address = f"modbus-tcp://127.0.0.1:{port}"
        done = await asyncio.to_thread(
            CliRunner().invoke, app, ["probe", address, "1", "2", "--expect", "4.3", "--json"]
        )
        plain = await asyncio.to_thread(CliRunner().invoke, app, ["probe", address, "1", "2", "--expect", "4.3"])

    facts = json.loads(done.stdout)
    best = facts["guesses"][0]
    assert (done.exit_code, plain.exit_code) == (0, 0)
    assert (best["register"], best["types"], best["order"]) == (1, ["float32"], "CDAB")
    assert [one["notation"] for one in facts["registers"] if one["is_asked"]] == ["40002", "40003"]
    assert facts["registers"][-1]["failure"] == {"reason": "exception", "code": 2}
    assert "float32 CDAB  =  4.3" in plain.stdout
    assert {packet[7] for packet in asked} == {3}


@pytest.mark.network
def test_the_command_says_why_there_is_nothing(free_port: int) -> None:
    done = CliRunner().invoke(app, ["probe", f"modbus-tcp://127.0.0.1:{free_port}", "1", "--timeout", "0.5"])

    assert done.exit_code == 1
    assert "No connection" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["probe", "http://1.2.3.4", "1"], ["probe", "modbus-tcp://", "1"], ["probe", "modbus-tcp://h:99999", "1"],
        ["probe", "modbus-rtu:///dev/x?speed=9", "1"], ["probe", "modbus-tcp://h", "65536"],
        ["probe", "site.toml", "1"], ["probe", "modbus-tcp://h", "1", "101"],
        ["probe", "modbus-tcp://h", "1", "--table", "coils"], ["probe", "modbus-tcp://h", "1", "--expect", "5..4"],
        ["probe", "modbus-tcp://h", "1", "--device-id", "256"],
    ],
)  # fmt: skip
def test_a_wrong_command_is_one_sentence(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)

    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
