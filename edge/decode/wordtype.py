"""What a value in registers can be: types, byte orders, widths, and the raw bits of a fill value. Pure.

The order of a value's bytes on the wire, A being the most significant: ``ABCD`` (Modbus' own big-endian),
``CDAB`` words swapped, ``BADC`` bytes swapped in each word, ``DCBA`` both. Values of 64 bits have their words
reversed as a whole. Vendors label these differently: ask for a known value, not for a label.
"""

import struct
from decimal import Decimal, InvalidOperation
from typing import Final

#: Registers (words of 16 bits) that a value of each type takes; a string takes what its length says.
WORDS: Final[dict[str, int]] = {
    "bit": 1,
    "int16": 1,
    "uint16": 1,
    "bcd16": 1,
    "float16": 1,
    "int32": 2,
    "uint32": 2,
    "bcd32": 2,
    "float32": 2,
    "int64": 4,
    "uint64": 4,
    "float64": 4,
}
STRING: Final = "string"
TYPES: Final = (*WORDS, STRING)
ORDERS: Final = ("ABCD", "CDAB", "BADC", "DCBA")
#: Types that a mask may cut a part out of.
MASKED: Final = ("uint16", "uint32", "uint64")
#: Little-endian array type that views the gathered words, least significant word first.
DTYPE: Final[dict[str, str]] = {
    "bit": "<u2",
    "int16": "<i2",
    "uint16": "<u2",
    "bcd16": "<u2",
    "float16": "<f2",
    "int32": "<i4",
    "uint32": "<u4",
    "bcd32": "<u4",
    "float32": "<f4",
    "int64": "<i8",
    "uint64": "<u8",
    "float64": "<f8",
}
STRING_BYTES_MAX: Final = 250  # 125 registers, the most that one request reads.
_FLOAT_FORM: Final = {"float16": ">e", "float32": ">f", "float64": ">d"}  # IEEE 754-2008 binary16, 32, 64.


def words_of(kind: str, length: int = 0) -> int:
    """Give the registers that a value takes.

    Args:
        kind: One of ``TYPES``.
        length: Bytes of a string; an odd one leaves the last byte of its last register alone.
    """
    return (length + 1) // 2 if kind == STRING else WORDS[kind]


def raw_bits(sentinel: float | str, kind: str) -> tuple[int, ...]:
    """Give the raw bits that a fill value has in a type; two for the zeros of a float.

    Args:
        sentinel: ``"0x8000"`` is the bits themselves, anything else a number as the type would show it.
        kind: One of ``WORDS``.

    Raises:
        ValueError: The type cannot hold it.
    """
    width = WORDS[kind] * 16
    if isinstance(sentinel, str) and sentinel.strip().lower().startswith("0x"):
        bits = int(sentinel, 16)
    elif kind in _FLOAT_FORM:
        value = float(sentinel)
        if value == 0.0:
            return 0, 1 << (width - 1)
        return (_float_bits(value, kind),)
    else:
        # Never through float: 64-bit fill values have more digits than a float holds.
        bits = sentinel if isinstance(sentinel, int) else _whole(str(sentinel), kind)
        if kind.startswith("bcd"):
            bits = int(str(bits), 16) if bits >= 0 else -(1 << width)
    if not -(1 << (width - 1)) <= bits < (1 << width):
        raise ValueError(f"sentinel {sentinel!r} does not fit into {kind} ({width} bits).")
    return (bits % (1 << width),)


def _float_bits(value: float, kind: str) -> int:
    try:
        return int.from_bytes(struct.pack(_FLOAT_FORM[kind], value), "big")
    except OverflowError as error:
        raise ValueError(f"sentinel {value!r} is larger than any {kind}.") from error


def _whole(text: str, kind: str) -> int:
    """Read ``-9999``, ``-9999.0`` or ``1e3`` as the whole number that it is."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"sentinel {text!r} is not a number.") from error
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(f"sentinel {text!r} is not a whole number, but the type is {kind}.")
    return int(number)
