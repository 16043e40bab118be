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
    "float16": "e",
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


@pytest.mark.parametrize("kind", sorted(CODE.keys() - {"float16"}))  # pymodbus has no 16-bit float.
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
        Placement(start=0, answer=0, type="float24"),
        Placement(start=0, answer=0, order="BACD"),
        Placement(start=0, answer=0, type="bit", bit=16),
        Placement(start=0, answer=0, type="uint16", mask=0x1_0000),
        Placement(start=0, answer=0, type="int16", mask=1),
        Placement(start=0, answer=0, type="uint16", mask=1, shift=16),
        Placement(start=0, answer=0, type="string"),
        Placement(start=0, answer=0, has_loop=True),
    ):
        with pytest.raises(ValueError, match=r"type|order|bit|mask|shift|length|loop"):
            RegisterDecoder([placement])


# ------------------------------------------------------------------------------- parts of words, digits, texts, loops


@given(
    raw=st.integers(0, 2**64 - 1),
    kind=st.sampled_from(["uint16", "uint32", "uint64"]),
    order=st.sampled_from(ORDERS),
    data=st.data(),
)
def test_mask_and_shift_take_the_bits_that_arithmetic_takes(
    raw: int, kind: str, order: str, data: st.DataObject
) -> None:
    width = 16 * WORDS[kind]
    mask, shift = data.draw(st.integers(1, 2**width - 1)), data.draw(st.integers(0, width - 1))
    raw %= 2**width
    placement = Placement(start=0, answer=0, type=kind, order=order, mask=mask, shift=shift)
    values, quality = decode([placement], lay(raw.to_bytes(width // 8, "big"), order))
    assert values == [float((raw & mask) >> shift)]
    assert quality == ["GOOD"]


def test_a_part_of_a_word_its_whole_and_one_bit_side_by_side() -> None:
    """A status word of a valve: mode in the upper byte, position in the lower, open limit in bit 0."""
    placements = [
        Placement(start=0, answer=0, mask=0xFF00, shift=8),
        Placement(start=0, answer=0, mask=0x00FF, scale=0.5),
        Placement(start=0, answer=0),
        Placement(start=0, answer=0, type="bit", bit=0),
    ]
    assert decode(placements, [0x0365])[0] == [3.0, 50.5, 869.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "order", "registers", "want", "quality"),
    [
        ("bcd16", "ABCD", [0x1234], 1234.0, "GOOD"),
        ("bcd16", "BADC", [0x3412], 1234.0, "GOOD"),
        ("bcd32", "ABCD", [0x1234, 0x5678], 12_345_678.0, "GOOD"),
        ("bcd32", "CDAB", [0x5678, 0x1234], 12_345_678.0, "GOOD"),
        ("bcd32", "ABCD", [0x9999, 0x9999], 99_999_999.0, "GOOD"),
        ("bcd16", "ABCD", [0x12A4], math.nan, "BAD(malformed)"),
        ("bcd32", "ABCD", [0x1234, 0x567F], math.nan, "BAD(malformed)"),
    ],
)
def test_four_bits_a_decimal_digit(kind: str, order: str, registers: list[int], want: float, quality: str) -> None:
    assert decode([Placement(start=0, answer=0, type=kind, order=order)], registers) == (
        [pytest.approx(want, nan_ok=True)],
        [quality],
    )


@pytest.mark.parametrize("sentinel", [9999, "0x9999"])
def test_a_fill_value_of_digits_is_written_as_number_or_as_bits(sentinel: int | str) -> None:
    assert decode([Placement(start=0, answer=0, type="bcd16", sentinels=(sentinel,))], [0x9999])[1] == ["BAD(sentinel)"]


def test_a_fill_value_that_is_no_digit_is_told_as_fill_value() -> None:
    placement = Placement(start=0, answer=0, type="bcd16", sentinels=("0xFFFF",))
    assert decode([placement], [0xFFFF])[1] == ["BAD(sentinel)"]
    assert decode([placement], [0xFFFE])[1] == ["BAD(malformed)"]


@pytest.mark.parametrize(
    ("order", "registers", "length", "want"),
    [
        ("ABCD", [0x5255, 0x4E00], 4, 1.0),  # "RUN", NUL after it
        ("ABCD", [0x5255, 0x4E21], 3, 1.0),  # an odd length leaves the last byte alone
        ("ABCD", [0x5255, 0x4E20], 4, 1.0),  # blanks after it
        ("BADC", [0x5552, 0x004E], 4, 1.0),  # the bytes of each register come swapped
        ("CDAB", [0x4E00, 0x5255], 4, 1.0),
        ("DCBA", [0x004E, 0x5552], 4, 1.0),
        ("ABCD", [0x5354, 0x4F50], 4, 0.0),
        ("ABCD", [0xB9CA, 0xD5CF], 4, 2.0),  # 故障 in GB 18030
        ("ABCD", [0xE695, 0x85E9, 0x9A9C], 6, 2.0),  # 故障 in UTF-8
        ("ABCD", [0x5255, 0x4E58], 4, math.nan),
        ("ABCD", [0xFFFF, 0xFFFF], 4, math.nan),
    ],
)
def test_a_text_is_the_number_that_its_map_gives(order: str, registers: list[int], length: int, want: float) -> None:
    texts = (("RUN", 1.0), ("STOP", 0.0), ("故障", 2.0))
    placement = Placement(start=0, answer=0, type="string", order=order, length=length, texts=texts)
    values, quality = decode([placement], registers)
    assert values == [pytest.approx(want, nan_ok=True)]
    assert quality == ["GOOD" if math.isfinite(want) else "BAD(unmapped)"]


def test_texts_stand_between_numbers() -> None:
    placements = [
        Placement(start=0, answer=0),
        Placement(start=1, answer=0, type="string", length=4, texts=(("STOP", 7.0),)),
        Placement(start=3, answer=0, type="float32", order="CDAB"),
    ]
    assert decode(placements, [5, 0x5354, 0x4F50, 0x2000, 0x47F1])[0] == [5.0, 7.0, 123456.0]


@pytest.mark.parametrize(
    ("current_ma", "want"),
    [
        (0.0, "BAD(low_current)"),
        (3.59, "BAD(low_current)"),
        (3.6, "BAD(low_current)"),
        (3.61, "UNCERTAIN(range)"),
        (3.79, "UNCERTAIN(range)"),
        (3.8, "GOOD"),
        (4.0, "GOOD"),
        (12.0, "GOOD"),
        (20.0, "GOOD"),
        (20.5, "GOOD"),
        (20.51, "UNCERTAIN(range)"),
        (20.99, "UNCERTAIN(range)"),
        (21.0, "BAD(high_current)"),
        (22.5, "BAD(high_current)"),
    ],
)
@pytest.mark.parametrize(("range_lo", "range_hi"), [(0.0, 10.0), (-0.1, 0.1), (4.0, 20.0)])
def test_a_loop_is_judged_as_namur_ne_43_says(current_ma: float, want: str, range_lo: float, range_hi: float) -> None:
    """The device gives microamperes; scale and offset make the engineering value."""
    scale = (range_hi - range_lo) / 16_000
    placement = Placement(
        start=0, answer=0, scale=scale, offset=range_lo - 4_000 * scale,
        range_lo=range_lo, range_hi=range_hi, has_loop=True,
    )  # fmt: skip
    values, quality = decode([placement], [round(current_ma * 1_000)])
    assert quality == [want]
    assert math.isnan(values[0]) == want.startswith("BAD")
    if not want.startswith("BAD"):
        assert values[0] == pytest.approx(range_lo + (current_ma - 4) / 16 * (range_hi - range_lo))


def test_a_loop_that_is_no_number_or_a_fill_value_is_told_as_that() -> None:
    placements = [
        Placement(start=0, answer=0, type="float32", range_lo=0.0, range_hi=1.0, has_loop=True),
        Placement(start=2, answer=0, type="int16", sentinels=(32767,), range_lo=0.0, range_hi=27648.0, has_loop=True),
        Placement(start=3, answer=1, range_lo=0.0, range_hi=1.0, has_loop=True),
    ]
    answered = np.array([0, encode(Quality.BAD, Reason.TIMEOUT)], dtype=np.uint8)
    quality = decode(placements, [0x7FC0, 0, 0x7FFF, 0], answered)[1]
    assert quality == ["BAD(not_a_number)", "BAD(sentinel)", "BAD(timeout)"]
