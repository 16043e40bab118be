"""SenML: packs of measurements as JSON, RFC 8428.

Base fields stay in force until changed; a resolved name is bn + n, a value bv + v, a time bt + t (§4.1, §4.5). Times
below 2**28 are relative to now (§4.5.3). A label that ends with ``_`` must be understood, and so must the version
(§4.4): a pack with either unknown is refused whole. Sums (``s``) are passed by: what is judged are values. Units are
not compared with the tag's; give the tag the unit that the sender has.
"""

import math
from typing import Final

import numpy as np
import orjson

from edge.decode.payload import NO_TIME, Batch, Refusal, number_of

VERSION: Final = 10  # §4.4
RELATIVE_S: Final = 2.0**28  # §4.5.3
BEYOND_S: Final = 1e11  # Year 5138; a float of more has no microseconds to round to.
RECORDS_MAX: Final = 10_000
_BASE: Final = ("bn", "bt", "bu", "bv", "bs", "bver")
_NUMBERS: Final = ("bt", "bv", "bs", "t", "v", "s", "ut")
_TEXTS: Final = ("bn", "n", "bu", "u", "vs", "vd")
US_TO_NS: Final = 1000


def read_senml(payload: bytes, now_ns: int) -> Batch | Refusal:
    """Read a pack.

    Args:
        now_ns: What relative times are relative to.
    """
    try:
        pack = orjson.loads(payload)
    except ValueError:
        return Refusal.MALFORMED
    if not isinstance(pack, list) or not 0 < len(pack) <= RECORDS_MAX:
        return Refusal.MALFORMED
    names: list[str] = []
    values: list[float] = []
    quality: list[int] = []
    times: list[int] = []
    base: dict[str, object] = {}
    for record in pack:
        if not isinstance(record, dict) or not _is_right(record):
            return Refusal.MALFORMED
        base |= {key: record[key] for key in _BASE if key in record}
        if base.get("bver", VERSION) not in range(1, VERSION + 1):
            return Refusal.MALFORMED
        found = _value(record, base)
        if found is None:
            continue
        name = f"{base.get('bn', '')}{record.get('n', '')}"
        time_ns = _time_ns(record, base, now_ns)
        if not name or time_ns is None:
            return Refusal.MALFORMED
        names.append(name)
        values.append(found[0])
        quality.append(found[1])
        times.append(time_ns)
    if not names:
        return Refusal.MALFORMED
    return Batch(
        names=names,
        values=np.array(values, dtype=np.float64),
        quality=np.array(quality, dtype=np.uint8),
        times_ns=np.array(times, dtype=np.int64),
    )


def _is_right(record: dict[str, object]) -> bool:
    """Tell whether each label has the type that it must have, and none is there that must be understood and is not."""
    numbers = [record[key] for key in _NUMBERS if key in record]
    return (
        all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers)
        and all(isinstance(record[key], str) for key in _TEXTS if key in record)
        and isinstance(record.get("vb", False), bool)
        and isinstance(record.get("bver", VERSION), int)
        and sum(key in record for key in ("v", "vs", "vb", "vd")) <= 1
        and not any(key.endswith("_") for key in record)
    )


def _value(record: dict[str, object], base: dict[str, object]) -> tuple[float, int] | None:
    """Give value and quality, or None where the record has none (base fields or a sum alone)."""
    if "v" in record or ("bv" in base and not any(key in record for key in ("vs", "vb", "vd", "s"))):
        total = _number(record.get("v", 0)) + _number(base.get("bv", 0))
        return number_of(total)
    if "vb" in record:
        return number_of(record["vb"])
    if "vs" in record:
        return number_of(record["vs"])
    if "vd" in record:
        return number_of([])  # Bytes are no number: BAD(malformed).
    return None


def _number(found: object) -> float:
    assert isinstance(found, int | float), found
    try:
        return float(found)
    except OverflowError:  # An integer beyond every float.
        return math.inf


def _time_ns(record: dict[str, object], base: dict[str, object], now_ns: int) -> int | None:
    """Give the time, NO_TIME for the receive time, None where it is no moment."""
    time_s = _number(record.get("t", 0)) + _number(base.get("bt", 0))
    if not abs(time_s) < BEYOND_S:  # Also where it is none.
        return None
    if time_s == 0:
        return NO_TIME
    # A float of seconds holds microseconds until 2242 and no more.
    stamp = round(time_s * 1e6) * US_TO_NS + (now_ns if time_s < RELATIVE_S else 0)
    return stamp if 0 <= stamp < np.iinfo(np.int64).max // 2 else None
