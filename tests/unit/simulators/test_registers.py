"""Registers: readings as words, against vectors from outside."""

import math

import pytest

from simulators.devices.registers import Image, encode, width
from simulators.wiring import Point


def point(kind: str, order: str = "ABCD", *, register: int = 0, bit: int = 0, scale: float = 1.0) -> Point:
    return Point(tag="t", table="holding", register=register, type=kind, order=order, bit=bit, scale=scale)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x47F1, 0x2000]),
        ("CDAB", [0x2000, 0x47F1]),
        ("BADC", [0xF147, 0x0020]),
        ("DCBA", [0x0020, 0xF147]),
    ],
)
def test_float32_in_all_orders(order: str, words: list[int]) -> None:
    """123456.0 is 0x47F12000 (IEEE 754)."""
    assert encode(point("float32", order), 123456.0) == words


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("CDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("BADC", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("DCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
    ],
)
def test_64_bits_in_all_orders(order: str, words: list[int]) -> None:
    """The float64 whose bytes count from 1 to 8."""
    assert encode(point("float64", order), 8.20788039913184e-304) == words


@pytest.mark.parametrize(
    ("kind", "scale", "value", "words"),
    [
        ("int16", 0.1, 24.04, [240]),
        ("int16", 0.1, -0.5, [0xFFFB]),
        ("int16", 0.1, 99999.0, [0x7FFF]),
        ("uint16", 1.0, -3.0, [0]),
        ("uint32", 0.01, 640.0, [0x0000, 0xFA00]),
        ("int32", 1.0, -2.0, [0xFFFF, 0xFFFE]),
    ],
)
def test_integers_are_scaled_rounded_and_held_in_range(kind: str, scale: float, value: float, words: list[int]) -> None:
    assert encode(point(kind, scale=scale), value) == words


def test_bits_of_one_register_leave_each_other_alone() -> None:
    image = Image([point("bit", bit=0), Point(tag="u", table="holding", register=0, type="bit", bit=15)])
    image.put({"t": 1.0, "u": 1.0})
    image.put({"t": 0.0, "u": 1.0})

    assert image.blocks["holding"].content == [0x8000]


def test_a_block_reaches_from_first_to_last_register() -> None:
    image = Image([point("float32", register=10), point("uint32", register=20)])

    assert image.blocks["holding"].first == 10
    assert len(image.blocks["holding"].content) == 12
    assert width(point("float64")) == 4


def test_a_reading_that_is_no_number_leaves_the_old_one() -> None:
    image = Image([point("int16")])
    image.put({"t": 5.0})
    image.put({"t": math.nan})
    image.put({})

    assert image.blocks["holding"].content == [5]


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        (Point(tag="t", table="holding", register=0, type="float16"), 1.0, [0x3C00]),
        (Point(tag="t", table="holding", register=0, type="bcd16"), 1234.0, [0x1234]),
        (Point(tag="t", table="holding", register=0, type="bcd32", order="CDAB"), 12_345_678.0, [0x5678, 0x1234]),
        (Point(tag="t", table="holding", register=0, type="bcd16"), 12345.0, [0x9999]),
        (Point(tag="t", table="holding", register=0, type="string", length=5, texts=((1.0, "RUN"),)), 1.0,
         [0x5255, 0x4E00, 0]),
        (Point(tag="t", table="holding", register=0, type="string", length=2, texts=((1.0, "RUN"),)), 0.0, [0]),
        (Point(tag="t", table="holding", register=0, type="uint16", mask=0xF0, shift=4), 10.0, [0xA0]),
    ],
)  # fmt: skip
def test_what_else_registers_hold(point: Point, value: float, words: list[int]) -> None:
    assert encode(point, value) == words
    assert width(point) == len(words)


def test_parts_of_one_word_leave_each_other_alone() -> None:
    high = Point(tag="high", table="holding", register=0, type="uint16", mask=0xFF00, shift=8)
    low = Point(tag="low", table="holding", register=0, type="uint16", mask=0x00FF)
    image = Image([high, low])
    image.put({"high": 0x12, "low": 0x34})
    image.put({"high": 0x56})
    assert image.blocks["holding"].content == [0x5634]
