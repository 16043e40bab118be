"""Quality of a sample: one byte, two bits of class and six bits of reason.

One byte keeps a scan's quality a ``uint8`` column, and the class can be read with one mask.
UNCERTAIN is judged like GOOD and named in the cause, with one exception: reason RETAINED.
"""

from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

CLASS_MASK = 0b1100_0000
REASON_MASK = 0b0011_1111


class Quality(IntEnum):
    """Class of a sample's quality (upper two bits of the byte)."""

    GOOD = 0x00
    UNCERTAIN = 0x40
    BAD = 0x80


class Reason(IntEnum):
    """Why a sample is not plainly good (lower six bits of the byte)."""

    NONE = 0
    COMMS = 1  # the link is down or was refused
    TIMEOUT = 2  # the device did not answer in time
    EXCEPTION = 3  # the device answered with a Modbus exception
    LENGTH = 4  # the answer has the wrong length
    RANGE = 5  # outside the instrument's range
    SENTINEL = 6  # a fill value that the device uses for "no value"
    NOT_A_NUMBER = 7  # NaN or Inf
    MALFORMED = 8  # the payload could not be read
    FROZEN = 9  # came but did not change
    SUBSTITUTED = 10  # entered by hand or by a model
    CLOCK = 11  # the stamp was replaced by the receive time
    RETAINED = 12  # an MQTT message from before the subscription
    DEVICE = 13  # the device itself says that the value is bad
    LOW_CURRENT = 14  # the 4-20 mA loop carries 3.6 mA or less: cut wire or failed transmitter (NE 43)
    HIGH_CURRENT = 15  # it carries 21 mA or more: short circuit or failed transmitter (NE 43)
    UNMAPPED = 16  # a text that the tag's map does not name
    INPUT = 17  # a tag that this one is computed from is BAD, UNCERTAIN or stale
    INCOMPLETE = 18  # a part of the span that this value stands for was not measured


def encode(quality: Quality, reason: Reason = Reason.NONE) -> int:
    """Give the byte for a class and a reason."""
    return int(quality) | int(reason)


def is_bad(column: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which samples of a quality column, shape (n,), are BAD."""
    bad: NDArray[np.bool_] = column >= np.uint8(Quality.BAD)
    return bad


def is_judged(column: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which samples may trip or clear a limit: GOOD and UNCERTAIN, but not retained ones."""
    retained = np.uint8(encode(Quality.UNCERTAIN, Reason.RETAINED))
    judged: NDArray[np.bool_] = (column < np.uint8(Quality.BAD)) & (column != retained)
    return judged


@cache
def describe(byte: int) -> str:
    """Name a quality byte for people and for JSON, e.g. ``GOOD`` or ``BAD(timeout)``."""
    quality = Quality(byte & CLASS_MASK)
    reason = Reason(byte & REASON_MASK)
    return quality.name if reason is Reason.NONE else f"{quality.name}({reason.name.lower()})"
