"""Signature: is this really from who shares the secret with us, and fresh?

Written from the Standard Webhooks specification 1.0: HMAC-SHA256 over ``id.timestamp.body``, base64, ``v1,`` before
it; several signatures may stand in the header, parted by spaces; the time stamp is at most five minutes off.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_S = 300
PREFIX = "whsec_"


class SignatureError(Exception):
    """A request that is not believed; the sentence says why."""


def read_secret(text: str) -> bytes:
    """Give the key in ``whsec_`` + base64.

    Raises:
        SignatureError: When it is not one.
    """
    if not text.startswith(PREFIX):
        raise SignatureError(f"The secret must begin with {PREFIX}.")
    try:
        key = base64.b64decode(text[len(PREFIX) :], validate=True)
    except binascii.Error as error:
        raise SignatureError("The secret is not base64 after its prefix.") from error
    if not 24 <= len(key) <= 64:  # The specification's own bounds.
        raise SignatureError(f"The secret has {len(key)} bytes; 24 to 64 are allowed.")
    return key


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Give the signature of one message, ``v1,<base64>``."""
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now_s: float) -> str:
    """Check a request and give its message id.

    Args:
        headers: By name in lower case.
        now_s: Wall clock, s since 1970-01-01 UTC.

    Raises:
        SignatureError: When a header is missing, the time is off or no signature fits.
    """
    message_id, timestamp, signatures = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (message_id and timestamp and signatures):
        raise SignatureError("webhook-id, webhook-timestamp and webhook-signature must all be there.")
    if not timestamp.isascii() or not timestamp.isdigit():
        raise SignatureError("webhook-timestamp is not a number of seconds.")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise SignatureError(f"webhook-timestamp is more than {TOLERANCE_S} s off.")
    expected = sign(key, message_id, timestamp, body).encode()
    if not any(hmac.compare_digest(expected, given.encode()) for given in signatures.split(" ")):
        raise SignatureError("No signature fits.")
    return message_id
