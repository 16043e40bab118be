"""One JSON value a message, with paths to the value and to its time.

What counts as a value stands in ``edge.decode.payload``.
"""

import orjson

from edge.decode.moment import moment_ns
from edge.decode.payload import GOOD, NO_TIME, Path, Reading, Refusal, number_of, time_at


def read_value(payload: bytes, value_path: Path, time_path: Path | None) -> Reading | Refusal:
    """Read a json-value payload.

    Args:
        payload: One JSON document.
        value_path: Keys down to the value; empty when the payload is the value.
        time_path: Keys down to the time, None for none. A missing or null time is the receive time.
    """
    try:
        document = orjson.loads(payload)
        found = document
        for key in value_path:
            found = found[key]
        stamp = time_at(document, time_path)
    except (ValueError, KeyError, TypeError, IndexError):
        return Refusal.MALFORMED
    if stamp is None:
        time_ns = NO_TIME
    else:
        moment = moment_ns(stamp)
        if moment is None:
            return Refusal.MALFORMED
        time_ns = moment
    if type(found) is float or type(found) is int:  # The common case, without a call.
        return float(found), GOOD, time_ns
    value, quality = number_of(found)
    return value, quality, time_ns
