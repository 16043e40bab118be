"""The field is read-only by construction: every byte that a Modbus collector sends, on every kind of line."""

import ast
import asyncio
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

import edge.collect.modbus
from edge.clock_manual import ManualClock
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.dial import framing_of
from edge.collect.modbus.frame import Asked, is_sealed, request
from edge.collect.modbus.line import Lines
from edge.collect.modbus.wire import Wire
from edge.config import ModbusOptions, SerialOptions, Source, Table
from edge.model import Tag, TagTable
from tests.modbus_peers import Bus, Road, in_virtual_time, running

FOLDER = Path(edge.collect.modbus.__file__).parent
READING = {1, 2, 3, 4}  # Modbus application protocol V1.1b3, 6.1 to 6.4.
WRITING = {5, 6, 8, 15, 16, 20, 21, 22, 23, 24, 43}


def test_no_table_makes_another_function() -> None:
    """All requests there can be: each table, at both ends of address and count."""
    made = [
        request(Asked(unit, table, address, count))
        for unit in (0, 1, 255)
        for table in get_args(Table)
        for address in (0, 65_535)
        for count in (1, 125, 2_000)
    ]
    assert {pdu[0] for pdu in made} == READING
    assert {len(pdu) for pdu in made} == {5}, "function, address, count: nothing that could be a value"


def calls(name: str) -> list[str]:
    """Find where in the package a method of this name is called."""
    return [
        path.name
        for path in sorted(FOLDER.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def test_bytes_leave_by_one_door_and_are_made_in_one_place() -> None:
    assert calls("write") == ["serial_port.py", "wire.py"], "os.write of the port, and the wire that uses it"
    assert calls("writelines") == calls("sendall") == calls("sendto") == calls("send") == []
    assert calls("wrap") == ["wire.py"]
    made = [
        path.name
        for path in sorted(FOLDER.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "request"
    ]
    assert made == ["frame.py", "frame.py"], "the two framings"
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert not any(str(name).startswith("pymodbus") for name in imported), "no library that can write"


class Recorder(Bus):
    """A line that answers nothing, everything wrong, or the truth, and keeps every byte that it was sent."""

    manner = "silent"
    wire: Wire

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))
        loop = asyncio.get_running_loop()
        if self.manner == "echo":
            loop.call_soon(self._answer, bytes(data))
        elif self.manner == "noise":
            loop.call_soon(self._answer, bytes(range(256)))
        elif self.manner == "refuse":
            loop.call_soon(self._answer, bytes([data[0], data[1] | 0x80, 2]))
        elif self.manner == "hang up":
            loop.call_soon(self.wire.connection_lost, None)


@pytest.mark.parametrize("manner", ["silent", "echo", "noise", "refuse", "hang up"])
@pytest.mark.parametrize("kind", ["tcp", "rtu", "serial"])
def test_every_byte_that_leaves(kind: str, manner: str) -> None:
    """Whatever the other side does, what goes out is whole requests of functions 1 to 4, and nothing else."""
    lines_made: list[Recorder] = []

    async def reach(options: ModbusOptions) -> Wire:
        wire = Wire(framing_of(options))
        line = Recorder({}, wire.data_received)
        line.wire = wire
        line.manner = manner
        lines_made.append(line)
        wire.connection_made(line)
        return wire

    options = ModbusOptions(host="h", timeout_s=0.2, framing="tcp" if kind == "tcp" else "rtu", retry_s_max=0.5)
    if kind == "serial":
        options = replace(options, serial=SerialOptions(path="/dev/ttyX"))

    async def story(clock: ManualClock) -> None:
        tags = TagTable(
            [
                Tag(name=f"{table}.{at}", source="d", period_s=0.1, address={"table": table, "register": at})
                for table in get_args(Table)
                for at in (0, 7, 400)
            ]
        )
        lines = Lines(dial=reach)
        source = Source(id="d", protocol="modbus-tcp", modbus=options)
        async with running(ModbusCollector(source, tags, clock, 1, Road(), lines)):
            await asyncio.sleep(20)

    in_virtual_time(story)
    sent = [packet for line in lines_made for packet in line.sent]
    assert len(sent) > 3
    for packet in sent:
        if kind == "tcp":
            assert len(packet) == 12
            assert packet[2:6] == b"\0\0\0\6"
            pdu = packet[7:]
        else:
            assert len(packet) == 8
            assert is_sealed(packet)
            pdu = packet[1:-2]
        assert pdu[0] in READING
        assert pdu[0] not in WRITING
