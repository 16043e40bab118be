"""RTU over a real pty pair (socat) and TCP against libmodbus; mbpoll, which is made of it, against our simulator."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.clock_system import SystemClock
from edge.collect.modbus.dial import dial
from edge.collect.modbus.frame import Asked
from edge.collect.registry import Collectors
from edge.config import ModbusOptions, SerialOptions, Source
from edge.model import Tag, TagTable
from simulators.devices.modbus import ModbusDevice
from simulators.wiring import Device, Point
from tests.conftest import need_program
from tests.modbus_peers import Road, qualities, running, until

pytestmark = [pytest.mark.network, pytest.mark.service]

SERVER = Path(__file__).parents[1] / "libmodbus_server.py"
BAUD = 19_200


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


@contextmanager
def pty_pair(folder: Path) -> Iterator[tuple[str, str]]:
    """Give the two ends of a serial line."""
    ours, theirs = folder / "ours", folder / "theirs"
    with process(need_program("socat"), f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"):
        for _ in range(500):
            if ours.exists() and theirs.exists():
                break
            os.sched_yield()
            subprocess.run(["sleep", "0.01"], check=True)
        yield str(ours), str(theirs)


@contextmanager
def libmodbus(*arguments: str) -> Iterator[None]:
    need_program("mbpoll")  # It brings libmodbus along.
    with process(sys.executable, str(SERVER), *arguments) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "listening\n"
        yield


def float_tags(source: str) -> TagTable:
    return TagTable(
        [
            *(
                Tag(name=order, source=source, period_s=0.1,
                    address={"register": 2 * at, "type": "float32", "order": order})
                for at, order in enumerate(("ABCD", "CDAB", "BADC", "DCBA"))
            ),
            Tag(name="word", source=source, period_s=0.1, address={"register": 8, "type": "uint16"}),
            Tag(name="input", source=source, period_s=0.1, address={"table": "input", "register": 0}),
            Tag(name="coil", source=source, period_s=0.1, address={"table": "coil", "register": 0}),
            Tag(name="discrete", source=source, period_s=0.1, address={"table": "discrete", "register": 2}),
        ]
    )  # fmt: skip


WANT = [123456.0] * 4 + [555.0, 10.0, 1.0, 1.0]


def settled(road: Road, name: str) -> Callable[[], bool]:
    return lambda: any(set(qualities(scan)) == {"GOOD"} for scan in road.scans(name))


async def test_libmodbus_over_a_serial_line(tmp_path: Path) -> None:
    with pty_pair(tmp_path) as (ours, theirs), libmodbus("rtu", theirs, str(BAUD), "7"):
        options = ModbusOptions(device_id=7, framing="rtu", serial=SerialOptions(path=ours, baudrate=BAUD))
        road = Road()
        source = Source(id="s", protocol="modbus-rtu", modbus=options)
        collector = Collectors()(source, float_tags("s"), SystemClock(), 1, road)
        async with running(collector):
            await until(settled(road, "s"))
        assert road.scans("s")[-1].values.tolist() == WANT
        assert road.links("s") == [True]
        assert not collector.counters.failures


async def test_libmodbus_over_tcp_and_back_after_its_power_was_cut(free_port: int) -> None:
    options = ModbusOptions(host="127.0.0.1", port=free_port, retry_s_max=0.3, timeout_s=0.5)
    road = Road()
    source = Source(id="s", protocol="modbus-tcp", modbus=options)
    collector = Collectors()(source, float_tags("s"), SystemClock(), 1, road)
    async with running(collector):
        for turn in range(2):
            with libmodbus("tcp", "127.0.0.1", str(free_port), "1"):
                await until(lambda turn=turn: road.links("s").count(True) == turn + 1)  # type: ignore[misc]
                await until(lambda: [each.values.tolist() for each in road.scans("s")[-1:]] == [WANT])
            await until(lambda turn=turn: road.links("s").count(False) >= turn + 1)  # type: ignore[misc]
    assert collector.counters.reconnects >= 1


async def test_two_devices_share_a_line_and_a_third_is_not_there(tmp_path: Path) -> None:
    """pymodbus serves units 1 and 2 on one port; unit 3 is asked in vain, and costs the others little."""
    async with AsyncExitStack() as stack:
        ours, theirs = stack.enter_context(pty_pair(tmp_path))
        devices = [
            SimDevice(unit, simdata=[SimData(0, values=[unit * 100], datatype=DataType.REGISTERS)]) for unit in (1, 2)
        ]
        server = ModbusSerialServer(  # type: ignore[no-untyped-call]
            devices,
            framer=FramerType.RTU,
            port=theirs,
            baudrate=BAUD,
            trace_packet=lambda is_sending, data: b"" if is_sending and data[:1] == b"\3" else data,
        )
        await server.serve_forever(background=True)
        stack.push_async_callback(server.shutdown)
        serial = SerialOptions(path=ours, baudrate=BAUD)
        make, road = Collectors(), Road()
        names = {unit: f"u{unit}" for unit in (1, 2, 3)}
        tags = TagTable([Tag(name=n, source=n, period_s=0.1, address={"register": 0}) for n in names.values()])
        collectors = [
            make(
                Source(
                    id=name,
                    protocol="modbus-rtu",
                    modbus=ModbusOptions(device_id=unit, framing="rtu", serial=serial, timeout_s=0.5),
                ),
                tags,
                SystemClock(),
                1,
                road,
            )
            for unit, name in names.items()
        ]
        async with running(*collectors):
            await until(lambda: all(len(road.scans(names[unit])) >= 20 for unit in (1, 2)))
        for unit in (1, 2):
            assert road.scans(names[unit])[-1].values.tolist() == [unit * 100]
            assert collectors[unit - 1].counters.failures["timeout"] == 0
        assert {tuple(qualities(scan)) for scan in road.scans("u3")} == {("BAD(timeout)",)}


async def test_a_port_that_is_not_there_or_taken_is_told(tmp_path: Path) -> None:
    options = ModbusOptions(framing="rtu", serial=SerialOptions(path=str(tmp_path / "absent")))
    with pytest.raises(OSError, match="absent"):
        await dial(options)
    with pty_pair(tmp_path) as (ours, _):
        options = ModbusOptions(framing="rtu", serial=SerialOptions(path=ours))
        wire = await dial(options)
        with pytest.raises(OSError, match="lock"):
            await dial(options)
        wire.close()


async def test_an_adapter_pulled_out_is_a_lost_line(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ours, _ = stack.enter_context(pty_pair(tmp_path))
        wire = await dial(ModbusOptions(framing="rtu", serial=SerialOptions(path=ours)))
        asking = asyncio.create_task(wire.ask(Asked(1, "holding", 0, 1), 20.0))
        await asyncio.sleep(0)
        stack.close()
        await asyncio.wait_for(wire.lost.wait(), 5.0)
        await asking
        assert not wire.is_up


async def test_mbpoll_reads_our_simulated_device(free_port: int) -> None:
    """An independent client reads what the simulated plant serves, in two word orders."""
    points = (
        Point(tag="level", table="holding", register=0, type="float32"),
        Point(tag="swapped", table="holding", register=2, type="float32", order="CDAB"),
        Point(tag="mode", table="input", register=4, type="uint16"),
    )
    device = ModbusDevice(Device(source="d", host="127.0.0.1", port=free_port, device_id=1, points=points))
    await device.start({"level": 4.25, "swapped": -12.5, "mode": 3.0})

    async def poll(*options: str) -> str:
        child = await asyncio.create_subprocess_exec(
            need_program("mbpoll"), "-m", "tcp", "-p", str(free_port), "-1", "-q", *options, "127.0.0.1",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await child.communicate()
        return said.decode()

    try:
        assert "4.25" in await poll("-t", "4:float", "-B", "-r", "1")
        assert "-12.5" in await poll("-t", "4:float", "-r", "3")
        assert "3" in (await poll("-t", "3", "-r", "5")).rpartition("[5]:")[2]
    finally:
        await device.stop()
