"""What all payload codecs share: a reading, a batch, why something is refused, and what a JSON value is worth.

Flow: message -> [codec] -> columns -> Scan
Never: raises for what a device sent. A payload that cannot be read is a refusal with its reason; a single value
    that is no number is a BAD sample of its tag, so that it is seen and alarmed.

What counts as a value where a payload is JSON or text:

===========================  ======================================================
number                       the value
true, false                  1 and 0
text that ``float()`` reads  the number; ``"NaN"`` and ``"Infinity"`` are BAD(not_a_number)
null                         BAD(device): the device itself says that it has none
anything else                BAD(malformed)
===========================  ======================================================
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.model import Quality, Reason
from edge.model.quality import encode

GOOD = int(Quality.GOOD)
BAD_DEVICE = encode(Quality.BAD, Reason.DEVICE)
BAD_MALFORMED = encode(Quality.BAD, Reason.MALFORMED)
BAD_NOT_A_NUMBER = encode(Quality.BAD, Reason.NOT_A_NUMBER)
#: In a column of times: the source gave none.
NO_TIME = -1


class Refusal(StrEnum):
    """Why a message, or a named value in it, went no further."""

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    UNKNOWN_TAG = "unknown_tag"
    UNKNOWN_TOPIC = "unknown_topic"
    OVERFLOW = "overflow"


#: Value, quality byte, source time in ns or ``NO_TIME``.
Reading: TypeAlias = tuple[float, int, int]
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The values of one payload.

    Attributes:
        names: Their names where the payload is an object; None where it is a list by position.
        values: float64 (n,), NaN where BAD.
        quality: uint8 (n,).
        times_ns: int64 (n,), ``NO_TIME`` where the source gave none.
    """

    names: list[str] | None
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    times_ns: NDArray[np.int64]


def path_of(text: str) -> Path:
    """Split ``a.b.c`` into its keys; empty text is the payload itself."""
    return tuple(text.split(".")) if text else ()


def number_of(found: object) -> tuple[float, int]:
    """Give value and quality byte of one JSON value, by the table in the module head."""
    if found is None:
        return math.nan, BAD_DEVICE
    if not isinstance(found, int | float | str):
        return math.nan, BAD_MALFORMED
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return math.nan, BAD_MALFORMED
    return (value, GOOD) if math.isfinite(value) else (math.nan, BAD_NOT_A_NUMBER)


def numbers_of(found: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Give values and quality of many JSON values: one array call, and a closer look only at what was no number."""
    quality = np.zeros(len(found), dtype=np.uint8)
    try:
        values = np.array(found, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        values = np.full(len(found), np.nan)
    if values.shape != quality.shape:  # Lists in the list.
        values = np.full(len(found), np.nan)
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        values[place], quality[place] = number_of(found[place])
    return values, quality


def time_at(document: Any, path: Path | None) -> object:  # noqa: ANN401 - parsed JSON is anything
    """Give what stands at the time's path; None where the payload is no object or has no such key."""
    if path is None:
        return None
    found: object = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found
