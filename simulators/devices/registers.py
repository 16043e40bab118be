"""Registers: readings as the words and bits of a Modbus device.

Flow: readings -> [encode] -> words -> server
Why: written with `struct`, byte by byte, while the gateway decodes with arrays: two roads to one number.
"""

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulators.wiring import Point

_FORMAT = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip


def encode(point: Point, value: float) -> list[int]:
    """Give the words that hold a value, in the order of their registers. Integers are rounded and held in range.

    ABCD is big end first; CDAB turns the words round, BADC the bytes within each word, DCBA both.
    """
    form = _FORMAT[point.type]
    raw = (value - point.offset) / point.scale
    if point.type.startswith("float"):
        content = struct.pack(form, raw)
    else:
        bits = 8 * struct.calcsize(form)
        least, most = (0, 2**bits - 1) if point.type.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        content = struct.pack(form, min(max(round(raw), least), most))
    pairs = [content[at : at + 2] for at in range(0, len(content), 2)]
    if point.order in ("CDAB", "DCBA"):
        pairs.reverse()
    if point.order in ("BADC", "DCBA"):
        pairs = [pair[::-1] for pair in pairs]
    return [int.from_bytes(pair, "big") for pair in pairs]


def width(point: Point) -> int:
    """Give how many registers a point takes."""
    return 1 if point.type == "bit" else struct.calcsize(_FORMAT[point.type]) // 2


@dataclass(slots=True)
class Block:
    """One table of a device from its first to its last used address, gaps filled with zero."""

    first: int
    content: list[int] = field(default_factory=list)


class Image:
    """All four tables of a device, kept up to date from readings.

    Attributes:
        blocks: Table name -> block of words, or of bits as 0 and 1 (coil, discrete).
    """

    def __init__(self, points: Iterable[Point]) -> None:
        self.points = tuple(points)
        self.blocks: dict[str, Block] = {}
        for table in ("coil", "discrete", "holding", "input"):
            of_table = [point for point in self.points if point.table == table]
            if of_table:
                first = min(point.register for point in of_table)
                last = max(point.register + width(point) for point in of_table)
                self.blocks[table] = Block(first, [0] * (last - first))

    def put(self, readings: Mapping[str, float]) -> None:
        """Write readings into the tables; a reading that is missing or no number leaves the old one."""
        for point in self.points:
            value = readings.get(point.tag)
            if value is None or math.isnan(value):
                continue
            block = self.blocks[point.table]
            at = point.register - block.first
            if point.table in ("coil", "discrete"):
                block.content[at] = int(value != 0)
            elif point.type == "bit":
                mask = 1 << point.bit
                block.content[at] = block.content[at] | mask if value else block.content[at] & ~mask
            else:
                words = encode(point, value)
                block.content[at : at + len(words)] = words
