"""Binary: an array of numbers of one type, as data loggers and PLCs send it, perhaps behind a header with a time."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.decode.payload import NO_TIME, Batch, Refusal
from edge.model import Quality, Reason
from edge.model.quality import encode

TYPES: Final = {
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "int64": "i8",
    "uint64": "u8", "float16": "f2", "float32": "f4", "float64": "f8",
}  # fmt: skip
ENDIANS: Final = {"little": "<", "big": ">"}
#: How many nanoseconds one step of the time in the header is.
TIMES: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
TIME_BYTES: Final = 8
LATEST: Final = int(np.iinfo(np.int64).max) // 2
BAD_NOT_A_NUMBER: Final = np.uint8(encode(Quality.BAD, Reason.NOT_A_NUMBER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a payload is laid out.

    Attributes:
        type: One of ``TYPES``.
        endian: ``little`` or ``big``, of the values and of the time.
        skip: Bytes before the first value.
        time_at: Place of the time in the header, an unsigned integer of 8 bytes; -1 for none.
        time_in: Its unit, one of ``TIMES``, since 1970 UTC.
    """

    type: str = "float32"
    endian: str = "little"
    skip: int = 0
    time_at: int = -1
    time_in: str = "ms"


def read_binary(payload: bytes, layout: Layout, count: int) -> Batch | Refusal:
    """Read ``count`` values by position; a payload of any other length is refused."""
    dtype = np.dtype(ENDIANS[layout.endian] + TYPES[layout.type])
    if len(payload) != layout.skip + count * dtype.itemsize:
        return Refusal.MALFORMED
    with np.errstate(invalid="ignore"):  # A signalling NaN is a NaN.
        values = np.frombuffer(payload, dtype, count, layout.skip).astype(np.float64)
    time_ns = NO_TIME
    if layout.time_at >= 0:
        raw = int(np.frombuffer(payload, ENDIANS[layout.endian] + "u8", 1, layout.time_at)[0])
        time_ns = raw * TIMES[layout.time_in]
        if time_ns >= LATEST:
            return Refusal.MALFORMED
    is_number = np.isfinite(values)
    return Batch(
        names=None,
        values=np.where(is_number, values, np.nan),
        quality=np.where(is_number, np.uint8(Quality.GOOD), BAD_NOT_A_NUMBER),
        times_ns=np.full(count, time_ns, dtype=np.int64),
    )
