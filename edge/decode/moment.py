"""A source's time stamp, in any of its usual forms, to nanoseconds since 1970-01-01 UTC.

Why: a time without a zone is the classic of wrong alarms; it is refused, never guessed.
"""

from datetime import UTC, datetime, timedelta

#: An epoch number below this is seconds, up to the year 5138; 1e11 ms is March 1973.
SECONDS_MAX = 100_000_000_000
MILLISECONDS_MAX = SECONDS_MAX * 1_000
MICROSECONDS_MAX = MILLISECONDS_MAX * 1_000
#: The year 2262, where int64 nanoseconds end.
NANOSECONDS_MAX = 2**63 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment_ns(stamp: object) -> int | None:
    """Give ns since 1970-01-01 UTC, or None for what is no moment.

    Text is ISO 8601 with a zone offset or ``Z``; digits beyond microseconds are dropped. A number is an epoch
    number in s, ms, microseconds or ns, told apart by its magnitude: below 1e11 seconds, below 1e14
    milliseconds, below 1e17 microseconds, else nanoseconds. Nobody's clock shows years before 1973 and after 5138
    except one that is not set; such a stamp is read as seconds and refused by intake as a wrong clock.
    """
    if isinstance(stamp, str):
        return _text_ns(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return None
    if not 0 <= stamp <= NANOSECONDS_MAX:  # False for NaN as well.
        return None
    if stamp < SECONDS_MAX:
        step_ns = 1_000_000_000
    elif stamp < MILLISECONDS_MAX:
        step_ns = 1_000_000
    elif stamp < MICROSECONDS_MAX:
        step_ns = 1_000
    else:
        step_ns = 1
    whole = int(stamp)
    # A float of today's seconds is good to 0.24 microseconds: rounding to whole ones gives the digits as written.
    ns = whole * step_ns + round((stamp - whole) * step_ns / 1_000) * 1_000
    return ns if ns <= NANOSECONDS_MAX else None


def _text_ns(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return None
        # Whole microseconds: a float of seconds would lose the last digits.
        ns = (moment - _EPOCH) // _MICROSECOND * 1_000
    except (ValueError, OverflowError):
        return None
    return ns if 0 <= ns <= NANOSECONDS_MAX else None
