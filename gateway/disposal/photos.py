"""Photos of disposals: taken by their content, kept under their digest, given back as pictures and nothing else.

Why: a file that somebody uploads is hostile until its first bytes say otherwise, and stays inert: it is stored without
    what the phone wrote about itself (``location``), under a name that we made, and served with a type that we saw,
    so that no browser runs it. Its digest stands in the journal: a picture that was exchanged on the disk is refused.
"""

import hashlib
from pathlib import Path
from typing import Final

from edge.disk import SystemDisk

PHOTO_BYTES_MAX: Final = 5 * 1024 * 1024
FOLDER: Final = "photos"
#: Headers of an answer that holds a picture: whatever else is in the file, the browser shows a picture or nothing.
INERT: Final = {
    "content-disposition": "inline",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, max-age=86400, immutable",
}


def kind_of(content: bytes) -> str | None:
    """Give the media type of a JPEG, PNG or WebP by its content, or None.

    Begin and end are looked at: ISO/IEC 10918-1 B.2.1 (SOI, EOI), PNG (ISO/IEC 15948, 5.2 and 11.2.5), RIFF of WebP.
    """
    if content[:3] == b"\xff\xd8\xff" and content.rstrip(b"\0")[-2:] == b"\xff\xd9":
        return "image/jpeg"
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[-8:-4] == b"IEND":
        return "image/png"
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:15] == b"VP8"
    if is_webp and int.from_bytes(content[4:8], "little") + 8 == len(content):
        return "image/webp"
    return None


def digest_of(content: bytes) -> str:
    """Give the name of a content: SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def keep(data: Path, content: bytes) -> str:
    """Put a photo durably into the data folder; give its digest. Blocking: call it in a thread."""
    name = digest_of(content)
    disk = SystemDisk(_folder(data, name))
    if disk.read(name) != content:
        disk.replace(name, content)
    return name


def fetch(data: Path, name: str) -> bytes | None:
    """Give a photo, or None where it is gone or is not what was kept. Blocking: call it in a thread."""
    content = SystemDisk(_folder(data, name)).read(name)
    return content if content is not None and digest_of(content) == name else None


def _folder(data: Path, name: str) -> Path:
    return data / FOLDER / name[:2]
