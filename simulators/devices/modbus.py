"""Modbus servers: each line holds the tables of its devices and answers whoever polls, over TCP or a serial port.

Flow: image -> [server] -> wire
Why: registers are set from outside, between requests. A slow action inside a pymodbus server answers the next request
    with the wrong data under the right transaction id.
"""

from collections.abc import Mapping, Sequence

from pymodbus import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.devices.registers import Block, Image
from simulators.wiring import Device

#: Function code that names a table when pymodbus is asked to set values.
FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
ERROR = 0x80  # Of a function code: an exception is told.


class ModbusLine:
    """Devices that answer at one port, each under its unit id.

    Attributes:
        asked, answered, refused: Requests that came, answers with data, and exceptions told.
    """

    def __init__(self, devices: Sequence[Device], *, bind: str = "", sends_nan: bool = False) -> None:
        self.devices = tuple(devices)
        self.images = {device.device_id: Image(device.points, holds_nan=sends_nan) for device in devices}
        self.asked = self.answered = self.refused = 0
        self._first = self.devices[0]
        self._bind = bind or self._first.host
        self._server: ModbusTcpServer | ModbusSerialServer | None = None

    @property
    def place(self) -> str:
        """Where it answers, for people."""
        return self._first.serial or f"{self._bind}:{self._first.port}"

    async def start(self, readings: Mapping[str, float]) -> None:
        """Begin to listen, with the first readings already in place.

        Raises:
            OSError: When the port cannot be had.
        """
        for image in self.images.values():
            image.put(readings)
        self._server = self._made([SimDevice(id=unit, simdata=_tables(image)) for unit, image in self.images.items()])
        sources = ", ".join(device.source for device in self.devices)
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as error:
            self._server = None
            raise OSError(f"{self.place} ({sources}) cannot be listened on.") from error

    def _made(self, units: list[SimDevice]) -> ModbusTcpServer | ModbusSerialServer:
        first = self._first
        if first.serial:
            return ModbusSerialServer(
                units,
                port=first.serial,
                baudrate=first.baudrate,
                parity=first.parity[0].upper(),
                stopbits=first.stop_bits,
                ignore_missing_devices=True,  # On a bus another may have this unit id.
                trace_pdu=self._counted,
            )
        framer = FramerType.RTU if first.framing == "rtu" else FramerType.SOCKET
        return ModbusTcpServer(units, framer=framer, address=(self._bind, first.port), trace_pdu=self._counted)

    def _counted(self, is_sent: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001 - pymodbus' own signature
        if not is_sent:
            self.asked += 1
        elif pdu.function_code >= ERROR:
            self.refused += 1
        else:
            self.answered += 1
        return pdu

    async def refresh(self, readings: Mapping[str, float]) -> None:
        """Put new readings into the registers; each table changes between two requests, never within one."""
        assert self._server is not None, "start comes first"
        for unit, image in self.images.items():
            image.put(readings)
            for table, block in image.blocks.items():
                values: list[int] | list[bool] = block.content.copy()
                if table in ("coil", "discrete"):
                    values = [bool(bit) for bit in block.content]
                await self._server.async_setValues(unit, FUNCTION[table], block.first, values)

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus left it bare.
            self._server = None


class ModbusDevice(ModbusLine):
    """One device on its own port."""

    def __init__(self, device: Device, *, bind: str = "", sends_nan: bool = False) -> None:
        super().__init__([device], bind=bind, sends_nan=sends_nan)
        self.device = device
        self.image = self.images[device.device_id]


def _tables(image: Image) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
    return (_bits(image, "coil"), _bits(image, "discrete"), _words(image, "holding"), _words(image, "input"))


def _bits(image: Image, table: str) -> list[SimData]:
    block = image.blocks.get(table, Block(0, [0]))
    return [SimData(block.first, values=[bool(bit) for bit in block.content], datatype=DataType.BITS)]


def _words(image: Image, table: str) -> list[SimData]:
    block = image.blocks.get(table, Block(0, [0]))
    return [SimData(block.first, values=block.content.copy(), datatype=DataType.REGISTERS)]
