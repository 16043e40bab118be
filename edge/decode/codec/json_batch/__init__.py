"""Many JSON values a message, by position or by name.

What counts as a value stands in ``edge.decode.payload``.
"""

import numpy as np
import orjson
from numpy.typing import NDArray

from edge.decode.moment import moment_ns
from edge.decode.payload import NO_TIME, Batch, Path, Refusal, numbers_of, time_at


def read_batch(payload: bytes, value_path: Path, time_path: Path | None, count: int) -> Batch | Refusal:
    """Read a json-batch payload: a list of ``count`` values by position, or an object of values by name.

    The time is one for all, a list by position, or an object by name; what is missing is the receive time.
    """
    try:
        document = orjson.loads(payload)
        found = document
        for key in value_path:
            found = found[key]
        stamp = time_at(document, time_path)
    except (ValueError, KeyError, TypeError, IndexError):
        return Refusal.MALFORMED
    names: list[str] | None = None
    if isinstance(found, dict):
        names = list(found)
        found = list(found.values())
    elif not isinstance(found, list) or len(found) != count:
        return Refusal.MALFORMED
    times_ns = _times_of(stamp, names, len(found))
    if times_ns is None:
        return Refusal.MALFORMED
    values, quality = numbers_of(found)
    return Batch(names=names, values=values, quality=quality, times_ns=times_ns)


def _times_of(stamp: object, names: list[str] | None, count: int) -> NDArray[np.int64] | None:
    """Give one time per value, or None when a stamp is no moment."""
    if stamp is None:
        return np.full(count, NO_TIME, dtype=np.int64)
    if isinstance(stamp, dict):
        stamps = [stamp.get(name) for name in names] if names is not None else None
    elif isinstance(stamp, list):
        stamps = stamp if len(stamp) == count else None
    else:
        moment = moment_ns(stamp)
        return None if moment is None else np.full(count, moment, dtype=np.int64)
    if stamps is None:
        return None
    moments = [NO_TIME if one is None else moment_ns(one) for one in stamps]
    return None if None in moments else np.array(moments, dtype=np.int64)
