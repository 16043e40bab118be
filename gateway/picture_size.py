"""Picture size: how many pixels a PNG, JPEG or WebP has, from its header.

Sources: PNG (ISO/IEC 15948) 11.2.2 IHDR; JPEG (ISO/IEC 10918-1) B.2.2 frame header; WebP: RFC 9649 2.4 to 2.7, VP8:
    RFC 6386 9.1.
Never: decodes a picture: what is hostile in it stays asleep.
"""

from typing import Final

PNG_LEAST: Final = 24
WEBP_LEAST: Final = 30
#: Frame headers: SOF0 to SOF15 without DHT, JPG and DAC.
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Markers without a length: TEM, RST0 to RST7, SOI.
BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
SCAN: Final = 0xDA


def size_of(content: bytes, kind: str) -> tuple[int, int] | None:
    """Give width and height, pixels; None where the header says neither.

    Args:
        kind: Media type, as ``gateway.disposal.photos.kind_of`` saw it.
    """
    found = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}[kind](content)
    return found if found is not None and min(found) > 0 else None


def _png(content: bytes) -> tuple[int, int] | None:
    if len(content) < PNG_LEAST or content[12:16] != b"IHDR":
        return None
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - how each marker begins
        marker = content[at + 1]
        if marker == 0xFF or marker in BARE:  # noqa: PLR2004 - a fill byte
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        if marker in FRAMES:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        if marker == SCAN:
            return None
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if len(content) < WEBP_LEAST:
        return None
    head = content[12:16]
    if head == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if head == b"VP8L" and content[20] == 0x2F:  # noqa: PLR2004 - its signature
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    return None
