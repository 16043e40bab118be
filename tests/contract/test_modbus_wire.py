"""The Modbus wire against published frames, against pymodbus' server, and against devices that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.collect.modbus.frame import Failure
from edge.collect.modbus.line import Lines
from edge.config import ModbusOptions
from edge.model import Reason
from tests.modbus_peers import Device, device_that, framed, listening, until

pytestmark = pytest.mark.network

# Modbus application protocol V1.1b3, 6.1 to 6.4: the examples, as TCP frames of transaction 1 to unit 17.
PUBLISHED = [
    ("coil", 19, 19, "000100000006110100130013", "000100000006110103cd6b05", 0x05_6B_CD),
    ("discrete", 196, 22, "000100000006110200c40016", "000100000006110203acdb35", 0x35_DB_AC),
    ("holding", 107, 3, "0001000000061103006b0003", "000100000009110306022b00000064", [555, 0, 100]),
    ("input", 8, 1, "000100000006110400080001", "000100000005110402000a", [10]),
]


@pytest.mark.parametrize(("table", "address", "count", "request_hex", "answer_hex", "want"), PUBLISHED)
async def test_the_published_examples_byte_for_byte(
    table: str, address: int, count: int, request_hex: str, answer_hex: str, want: list[int] | int
) -> None:
    sent: list[str] = []

    async def answer(request: bytes) -> bytes:
        sent.append(request.hex())
        return bytes.fromhex(answer_hex)

    async with device_that(answer) as device:
        words = await device.read(table, address, count)  # type: ignore[arg-type]

    assert sent == [request_hex]
    assert isinstance(words, np.ndarray)
    assert words.dtype == np.uint16
    assert words.tolist() == (want if isinstance(want, list) else [(want >> bit) & 1 for bit in range(count)])


@asynccontextmanager
async def pymodbus_server(port: int = 0) -> AsyncIterator[int]:
    blocks = (
        [SimData(0, count=16, values=True, datatype=DataType.BITS)],
        [SimData(0, count=16, values=False, datatype=DataType.BITS)],
        [SimData(0, values=list(range(125)), datatype=DataType.REGISTERS)],
        [SimData(0, values=[7, 8, 9], datatype=DataType.REGISTERS)],
    )
    server = ModbusTcpServer(SimDevice(1, simdata=blocks), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    finally:
        await server.shutdown()


async def test_every_table_of_a_pymodbus_server() -> None:
    async with pymodbus_server() as port:
        device = Device(ModbusOptions(host="127.0.0.1", port=port))
        assert not device.is_connected
        assert await device.connect()
        assert device.is_connected
        holding = await device.read("holding", 0, 125)
        inputs = await device.read("input", 1, 2)
        coils = await device.read("coil", 0, 10)
        discretes = await device.read("discrete", 0, 3)
        beyond = await device.read("holding", 125, 1)
        device.close()

    assert isinstance(holding, np.ndarray)
    assert holding.tolist() == list(range(125))
    assert isinstance(inputs, np.ndarray)
    assert inputs.tolist() == [8, 9]
    assert isinstance(coils, np.ndarray)
    assert coils.tolist() == [1] * 10
    assert isinstance(discretes, np.ndarray)
    assert discretes.tolist() == [0] * 3
    assert beyond == Failure(reason=Reason.EXCEPTION, code=2)
    assert beyond.is_refusal
    assert not device.is_connected


async def test_nobody_listens(free_port: int) -> None:
    device = Device(ModbusOptions(host="127.0.0.1", port=free_port))
    assert not await device.connect()
    async with pymodbus_server(free_port):
        assert await device.connect()
        assert isinstance(await device.read("holding", 0, 1), np.ndarray)
        device.close()


async def test_a_name_is_looked_up_at_each_connection(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """A device that moved to another address is found there, without anybody's doing."""
    loop = asyncio.get_running_loop()
    address = "127.0.0.1"

    async def resolve(host: object, port: int, **_: object) -> list[tuple[object, ...]]:
        assert host == "plc.plant.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)

    async def serve_at(host: str, value: int) -> asyncio.Server:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while request := await reader.read(260):
                writer.write(framed(request, b"\x03\x02\x00" + bytes([value])))
            writer.close()

        listener = socket.create_server((host, free_port))
        return await asyncio.start_server(talk, sock=listener)

    options = ModbusOptions(host="plc.plant.example", port=free_port, retry_s_max=0.3, timeout_s=0.3)
    line = Lines().line(options)
    with line.used():
        await line.tried.wait()
        for value, address in ((1, "127.0.0.2"), (2, "127.0.0.3")):
            server = await serve_at(address, value)
            await until(lambda: line.is_up)
            _, words = await line.station(1).read("holding", 0, 1, options)
            assert isinstance(words, np.ndarray)
            assert words.tolist() == [value]
            server.close()
            line._drop("the device moved")  # noqa: SLF001 - as a cut does
    await asyncio.sleep(0.05)


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    late: list[bytes] = []

    async def one_behind(request: bytes) -> bytes:
        """Keep the first answer back and send it before the second."""
        late.append(framed(request, b"\x03\x02\x00" + bytes([len(late) + 1])))
        return b"" if len(late) == 1 else late[-2] + late[-1]

    async with device_that(one_behind, timeout_s=0.1) as device:
        assert await device.read("holding", 0, 1) == Failure(reason=Reason.TIMEOUT)
        words = await device.read("holding", 0, 1)
        assert isinstance(words, np.ndarray)
        assert words.tolist() == [2]


async def test_a_lost_connection_ends_the_request_at_once() -> None:
    async def hang_up(request: bytes) -> None:
        return None

    async with device_that(hang_up, timeout_s=5.0) as device:
        began = asyncio.get_running_loop().time()
        assert await device.read("holding", 0, 1) == Failure(reason=Reason.COMMS)
        assert asyncio.get_running_loop().time() - began < 2.0
        assert await device.lost() == "connection closed by the device"


@pytest.mark.parametrize(
    ("pdu", "want"),
    [
        ("0302000a", Failure(reason=Reason.LENGTH)),  # One register where two were asked for.
        ("0306000a000b000c", Failure(reason=Reason.LENGTH)),  # Three.
        ("0304000a", Failure(reason=Reason.LENGTH)),  # The byte count promises more than there is.
        ("0302000a000b", Failure(reason=Reason.LENGTH)),  # … or less.
        ("03", Failure(reason=Reason.LENGTH)),
        ("0404000a000b", Failure(reason=Reason.MALFORMED)),  # The answer to another function.
        ("1004000a000b", Failure(reason=Reason.MALFORMED)),
        ("ff01", Failure(reason=Reason.MALFORMED)),
        ("83", Failure(reason=Reason.MALFORMED)),
        ("8302", Failure(reason=Reason.EXCEPTION, code=2)),
        ("8304", Failure(reason=Reason.EXCEPTION, code=4)),
        ("830b", Failure(reason=Reason.EXCEPTION, code=11)),
    ],
)
async def test_a_torn_answer_costs_its_own_request_only(pdu: str, want: Failure) -> None:
    answers = [bytes.fromhex(pdu), bytes.fromhex("0304000a000b")]

    async def answer(request: bytes) -> bytes:
        return framed(request, answers.pop(0))

    async with device_that(answer) as device:
        assert await device.read("holding", 0, 2) == want
        words = await device.read("holding", 0, 2)
        assert isinstance(words, np.ndarray)
        assert words.tolist() == [10, 11]
        assert device.is_connected


async def test_an_answer_in_pieces_is_put_together() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(260)
        for byte in framed(request, bytes.fromhex("0304000a000b")):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(1)

    async with listening(talk) as port:
        device = Device(ModbusOptions(host="127.0.0.1", port=port))
        assert await device.connect()
        words = await device.read("holding", 0, 2)
        device.close()
    assert isinstance(words, np.ndarray)
    assert words.tolist() == [10, 11]
