"""Number: the payload is one value as text.

``12.5``, ``-3e2``, ``+4``; ``true``, ``on``, ``yes`` and their opposites are 1 and 0. Anything else is a BAD sample of
the tag, so that it is seen; a payload that is no text is refused.
"""

from typing import Final

from edge.decode.payload import GOOD, NO_TIME, Reading, Refusal, number_of

TEXT_MAX: Final = 64  # Bytes; the longest float64 has 24.
WORDS: Final = {"true": 1.0, "on": 1.0, "yes": 1.0, "open": 1.0, "false": 0.0, "off": 0.0, "no": 0.0, "closed": 0.0}


def read_number(payload: bytes) -> Reading | Refusal:
    """Read one value; the time is the receive time."""
    if len(payload) > TEXT_MAX:
        return Refusal.MALFORMED
    try:
        text = payload.decode("ascii").strip()
    except UnicodeDecodeError:
        return Refusal.MALFORMED
    word = WORDS.get(text.casefold())
    if word is not None:
        return word, GOOD, NO_TIME
    # float() reads 1_000 as a thousand; nobody else does.
    value, quality = number_of(None if text == "" else object() if "_" in text else text)
    return value, quality, NO_TIME
