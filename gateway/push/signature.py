"""Signature of a webhook after the Standard Webhooks specification 1.0.

``v1,`` + base64 of HMAC-SHA256 over ``id.timestamp.body``; one signature for each key, parted by a space, so that a
key can be changed without a gap.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_MIN, KEY_MAX = 24, 64  # bytes, the specification's own bounds


def read_keys(secret: str) -> tuple[bytes, ...]:
    """Read one or more keys, ``whsec_`` + base64, parted by spaces.

    Raises:
        ValueError: None, or one is not a key; the text never holds the secret.
    """
    keys = []
    for place, part in enumerate(secret.split(), start=1):
        try:
            key = base64.b64decode(part.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise ValueError(f"Key {place} of the secret is not {PREFIX} and base64.") from None
        if not KEY_MIN <= len(key) <= KEY_MAX:
            raise ValueError(f"Key {place} of the secret has {len(key)} bytes; {KEY_MIN} to {KEY_MAX} are allowed.")
        keys.append(key)
    if not keys:
        raise ValueError(f"The secret is empty; it must be {PREFIX} and base64.")
    return tuple(keys)


def sign(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Give the header ``webhook-signature``.

    Args:
        timestamp_s: Wall clock of this attempt, s since 1970-01-01 UTC; receivers refuse what is 5 minutes old.
    """
    text = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode() for key in keys)
