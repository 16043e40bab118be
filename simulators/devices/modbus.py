"""Modbus TCP servers: each holds one device's tables and answers whoever polls.

Flow: image -> [server] -> wire
Why: registers are set from outside, between requests. A slow action inside a pymodbus server answers the next request
    with the wrong data under the right transaction id.
"""

from collections.abc import Mapping

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.devices.registers import Block, Image
from simulators.wiring import Device

#: Function code that names a table when pymodbus is asked to set values.
FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


class ModbusDevice:
    """One device on its own port."""

    def __init__(self, device: Device, *, bind: str = "", sends_nan: bool = False) -> None:
        self.device = device
        self.image = Image(device.points, holds_nan=sends_nan)
        self._bind = bind or device.host
        self._server: ModbusTcpServer | None = None

    async def start(self, readings: Mapping[str, float]) -> None:
        """Begin to listen, with the first readings already in place.

        Raises:
            OSError: When the port cannot be bound.
        """
        self.image.put(readings)
        self._server = ModbusTcpServer(
            SimDevice(id=self.device.device_id, simdata=self._tables()), address=(self._bind, self.device.port)
        )
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as error:
            self._server = None
            raise OSError(f"{self._bind}:{self.device.port} ({self.device.source}) cannot be listened on.") from error

    async def refresh(self, readings: Mapping[str, float]) -> None:
        """Put new readings into the registers; each table changes between two requests, never within one."""
        assert self._server is not None, "start comes first"
        self.image.put(readings)
        for table, block in self.image.blocks.items():
            values: list[int] | list[bool] = block.content.copy()
            if table in ("coil", "discrete"):
                values = [bool(bit) for bit in block.content]
            await self._server.async_setValues(self.device.device_id, FUNCTION[table], block.first, values)

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus left it bare.
            self._server = None

    def _tables(self) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
        return (self._bits("coil"), self._bits("discrete"), self._words("holding"), self._words("input"))

    def _bits(self, table: str) -> list[SimData]:
        block = self.image.blocks.get(table, Block(0, [0]))
        return [SimData(block.first, values=[bool(bit) for bit in block.content], datatype=DataType.BITS)]

    def _words(self, table: str) -> list[SimData]:
        block = self.image.blocks.get(table, Block(0, [0]))
        return [SimData(block.first, values=block.content.copy(), datatype=DataType.REGISTERS)]
