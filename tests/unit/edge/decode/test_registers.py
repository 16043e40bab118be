"""Register decoding against struct, against pymodbus, and against everything a device can send."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from edge.decode.registers import ORDERS, WORDS, Placement, RegisterDecoder
from edge.model import Quality, Reason
from edge.model.quality import describe, encode

CODE = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
GOOD = np.zeros(1, dtype=np.uint8)


def lay(big_endian: bytes, order: str) -> list[int]:
    """Give the registers as a device with this order sends them, the slow way."""
    words = [big_endian[i : i + 2] for i in range(0, len(big_endian), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


def decode(
    placements: list[Placement], registers: list[int], answered: np.ndarray = GOOD
) -> tuple[list[float], list[str]]:
    values, quality = RegisterDecoder(placements).decode(np.array(registers, dtype=np.uint16), answered)
    return values.tolist(), [describe(int(q)) for q in quality]


@given(data=st.data())
def test_any_mix_of_types_and_orders_is_what_struct_reads(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(CODE)), min_size=1, max_size=12))
    registers: list[int] = []
    placements, expected = [], []
    for kind in kinds:
        raw = data.draw(st.binary(min_size=2 * WORDS[kind], max_size=2 * WORDS[kind]))
        order = data.draw(st.sampled_from(ORDERS))
        registers.extend([0xAAAA] * data.draw(st.integers(0, 2)))
        placements.append(Placement(start=len(registers), answer=0, type=kind, order=order))
        registers.extend(lay(raw, order))
        expected.append(float(struct.unpack(f">{CODE[kind]}", raw)[0]))

    values, quality = decode(placements, registers)

    for value, byte, want in zip(values, quality, expected, strict=True):
        if math.isfinite(want):
            assert (value, byte) == (want, "GOOD")
        else:
            assert math.isnan(value)
            assert byte == "BAD(not_a_number)"


@pytest.mark.parametrize("kind", sorted(CODE))
@pytest.mark.parametrize(("order", "word_order"), [("ABCD", "big"), ("CDAB", "little")])
def test_pymodbus_reads_the_same_value(kind: str, order: str, word_order: str) -> None:
    """The outside check: pymodbus' own converter, value by value (its lists come back reversed for "little")."""
    generator = np.random.default_rng(18218)
    for _ in range(50):
        registers = generator.integers(0, 65_536, WORDS[kind]).tolist()
        want = ModbusClientMixin.convert_from_registers(
            registers,
            ModbusClientMixin.DATATYPE[kind.upper()],
            word_order=word_order,  # type: ignore[arg-type]
        )
        values, _ = decode([Placement(start=0, answer=0, type=kind, order=order)], registers)
        assert isinstance(want, int | float)
        if math.isfinite(want):
            assert values == [float(want)]
        else:
            assert math.isnan(values[0])


@pytest.mark.parametrize("bit", range(16))
def test_bit_0_is_the_least_significant(bit: int) -> None:
    for register in (1 << bit, 0xFFFF ^ (1 << bit)):
        want = [float((register >> b) & 1) for b in range(16)]
        values, _ = decode([Placement(start=0, answer=0, type="bit", bit=b) for b in range(16)], [register])
        assert values == want


def test_bits_of_a_device_with_swapped_bytes() -> None:
    values, _ = decode([Placement(start=0, answer=0, type="bit", order="BADC", bit=8)], [0x0001])
    assert values == [1.0]


def test_scale_and_offset_after_the_sign() -> None:
    """-10 % of a 0…40 degree transmitter: raw -100, 0.01 a digit, from -5."""
    values, _ = decode([Placement(start=0, answer=0, type="int16", scale=0.01, offset=-5.0)], [0xFF9C])
    assert values == [-6.0]


@pytest.mark.parametrize(
    ("kind", "sentinel", "registers", "is_hit"),
    [
        ("uint16", 65535, [0xFFFF], True),
        ("uint16", -1, [0xFFFF], True),
        ("int16", 32768, [0x8000], True),
        ("int16", -32768, [0x8000], True),
        ("int16", "0x8000", [0x8000], True),
        ("int16", "-9999", [0xD8F1], True),
        ("int16", -9999.0, [0xD8F1], True),
        ("int16", -32768, [0x7FFF], False),
        ("uint32", 4294967295, [0xFFFF, 0xFFFF], True),
        ("uint64", 18446744073709551615, [0xFFFF] * 4, True),
        ("uint64", 18446744073709551615, [0xFFFF] * 3 + [0xFFFE], False),  # The same float64; the raw bits differ.
        ("int64", "-9223372036854775808", [0x8000, 0, 0, 0], True),
        ("float32", -9999.0, [0xC61C, 0x3C00], True),
        ("float32", 0, [0x8000, 0], True),
        ("float32", "0x7FC00001", [0x7FC0, 0x0001], True),
        ("bit", 65535, [0xFFFF], True),
    ],
)
def test_a_fill_value_is_bad_by_its_raw_bits(
    kind: str, sentinel: float | str, registers: list[int], is_hit: bool
) -> None:
    values, quality = decode(
        [Placement(start=0, answer=0, type=kind, sentinels=(12, sentinel), scale=0.1, offset=3.0)], registers
    )
    assert quality == ["BAD(sentinel)" if is_hit else "GOOD"]
    assert math.isnan(values[0]) is is_hit


@pytest.mark.parametrize(
    ("kind", "sentinel", "sentence"),
    [
        ("uint16", 65536, "does not fit into uint16"),
        ("int16", "12.5", "not a whole number"),
        ("int16", "many", "not a number"),
        ("float32", 1e300, "larger than any float32"),
    ],
)
def test_an_impossible_fill_value_is_told(kind: str, sentinel: float | str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RegisterDecoder([Placement(start=0, answer=0, type=kind, sentinels=(sentinel,))])


@pytest.mark.parametrize(
    ("value", "want"),
    [(0.0, "GOOD"), (10.0, "GOOD"), (-0.001, "BAD(range)"), (10.001, "BAD(range)"), (5.0, "GOOD")],
)
def test_the_ends_belong_to_the_range(value: float, want: str) -> None:
    registers = lay(struct.pack(">d", value), "ABCD")
    placement = Placement(start=0, answer=0, type="float64", range_lo=0.0, range_hi=10.0)
    values, quality = decode([placement], registers)
    assert quality == [want]
    assert math.isnan(values[0]) is (want != "GOOD")


def test_infinity_is_not_a_number_rather_than_out_of_range() -> None:
    placement = Placement(start=0, answer=0, type="float32", range_lo=0.0, range_hi=10.0)
    assert decode([placement], [0x7F80, 0])[1] == ["BAD(not_a_number)"]


def test_scaling_that_overflows_is_bad_and_no_warning() -> None:
    placement = Placement(start=0, answer=0, type="float64", scale=1e10)
    assert decode([placement], lay(struct.pack(">d", 1e308), "ABCD"))[1] == ["BAD(not_a_number)"]


def test_a_missing_answer_keeps_its_reason_and_spoils_only_its_own_tags() -> None:
    answered = np.array([0, encode(Quality.BAD, Reason.TIMEOUT)], dtype=np.uint8)
    placements = [
        Placement(start=1, answer=1, type="uint16", sentinels=(9,), range_hi=5.0),
        Placement(start=0, answer=0, type="uint16"),
    ]
    values, quality = decode(placements, [7, 9], answered)
    assert quality == ["BAD(timeout)", "GOOD"]
    assert math.isnan(values[0])
    assert values[1] == 7.0


def test_no_tags_is_no_columns() -> None:
    assert decode([], []) == ([], [])


def test_an_unknown_type_order_or_bit_is_told() -> None:
    for placement in (
        Placement(start=0, answer=0, type="float16"),
        Placement(start=0, answer=0, order="BACD"),
        Placement(start=0, answer=0, type="bit", bit=16),
    ):
        with pytest.raises(ValueError, match=r"type|order|bit"):
            RegisterDecoder([placement])
