"""Peer: pymodbus as it stands beside our own client and decoder in the benches, in one place."""

from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.client.mixin import ModbusClientMixin

__all__ = ["AsyncModbusTcpClient", "floats_of"]


def floats_of(registers: Sequence[int], *, is_low_first: bool = False) -> list[float]:
    """Decode float32 from registers, (2n,), with the library's own converter."""
    found = ModbusClientMixin.convert_from_registers(
        list(registers), ModbusClientMixin.DATATYPE.FLOAT32, word_order="little" if is_low_first else "big"
    )
    assert isinstance(found, list)
    return [float(value) for value in found if isinstance(value, int | float)]
