"""Link: the address of a file, a picture or a stream, as a record keeps it.

Why: a link is clicked by whoever reads the record; what runs in a browser, or carries a password to all who read, is
    none.
"""

from typing import Final
from urllib.parse import urlsplit

LINK_MAX: Final = 500
SCHEMES: Final = ("https", "http", "rtsp", "rtsps")


def fault_of(text: str) -> str:
    """Say what is wrong with an address: ``form``, ``scheme``, ``secret``, ``long``; empty for nothing."""
    if len(text) > LINK_MAX:
        return "long"
    if any(not sign.isprintable() or sign in ' <>"`\\' for sign in text):
        return "form"
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "form"
    if parts.scheme not in SCHEMES:
        return "scheme"
    if not host:
        return "form"
    return "secret" if parts.username or parts.password or "@" in parts.netloc else ""
