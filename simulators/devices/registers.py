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
    "float16": ">e", "float32": ">f", "float64": ">d", "bcd16": ">H", "bcd32": ">I",
}  # fmt: skip


def encode(point: Point, value: float) -> list[int]:
    """Give the words that hold a value, in the order of their registers. Integers are rounded and held in range.

    ABCD is big end first; CDAB turns the words round, BADC the bytes within each word, DCBA both. A text that the
    point's map does not have is blank.
    """
    raw = (value - point.offset) / point.scale
    if point.type == "string":
        text = next((text for number, text in point.texts if number == round(raw)), "")
        content = text.encode()[: point.length].ljust(2 * width(point), b"\0")
    elif point.type.startswith("float"):
        content = struct.pack(_FORMAT[point.type], raw)
    else:
        content = struct.pack(_FORMAT[point.type], _whole(point, raw))
    return _laid(point, content)


def _laid(point: Point, content: bytes) -> list[int]:
    """Give big-endian bytes as words in the point's order."""
    pairs = [content[at : at + 2] for at in range(0, len(content), 2)]
    if point.order in ("CDAB", "DCBA"):
        pairs.reverse()
    if point.order in ("BADC", "DCBA"):
        pairs = [pair[::-1] for pair in pairs]
    return [int.from_bytes(pair, "big") for pair in pairs]


def _whole(point: Point, raw: float) -> int:
    """Give the whole number that stands for a value, as its type writes it."""
    size = struct.calcsize(_FORMAT[point.type])
    if point.type.startswith("bcd"):
        return int(str(min(max(round(raw), 0), int("9" * 2 * size))), 16)
    if point.mask:
        return (round(raw) << point.shift) & point.mask
    bits = 8 * size
    least, most = (0, (1 << bits) - 1) if point.type.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return min(max(round(raw), least), most)


def width(point: Point) -> int:
    """Give how many registers a point takes."""
    if point.type == "string":
        return (point.length + 1) // 2
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

    def __init__(self, points: Iterable[Point], *, holds_nan: bool = False) -> None:
        self.points = tuple(points)
        self._holds_nan = holds_nan
        self.blocks: dict[str, Block] = {}
        for table in ("coil", "discrete", "holding", "input"):
            of_table = [point for point in self.points if point.table == table]
            if of_table:
                first = min(point.register for point in of_table)
                last = max(point.register + width(point) for point in of_table)
                self.blocks[table] = Block(first, [0] * (last - first))

    def put(self, readings: Mapping[str, float]) -> None:
        """Write readings into the tables; a reading that is missing or no number leaves the old one.

        Where NaN is held, a number of floating point becomes NaN in its registers, as an instrument at fault sends it.
        """
        for point in self.points:
            value = readings.get(point.tag)
            if value is None or (math.isnan(value) and not (self._holds_nan and point.type.startswith("float"))):
                continue
            block = self.blocks[point.table]
            at = point.register - block.first
            if point.table in ("coil", "discrete"):
                block.content[at] = int(value != 0)
            elif point.type == "bit":
                mask = 1 << point.bit
                block.content[at] = block.content[at] | mask if value else block.content[at] & ~mask
            elif point.mask:
                self._put_part(point, block.content, at, value)
            else:
                words = encode(point, value)
                block.content[at : at + len(words)] = words

    @staticmethod
    def _put_part(point: Point, content: list[int], at: int, value: float) -> None:
        """Write a part of a word; the rest of it belongs to other points."""
        part = encode(point, value)
        every = _laid(point, struct.pack(_FORMAT[point.type], point.mask))
        for place, (word, own) in enumerate(zip(part, every, strict=True), start=at):
            content[place] = content[place] & ~own | word
