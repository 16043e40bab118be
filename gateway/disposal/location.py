"""Location: takes out of a picture where the phone was, and whatever else says more than the picture and its time.

Flow: bytes of a JPEG, PNG or WebP -> [without_location] -> the same picture, its pixels to the byte
Why: a phone writes its coordinates, its owner's name and its own number into a photo; who photographs a flange does not
    mean to hand those to everybody who may look, and to authorities. Which way up it is and when it was taken stay.
    The picture is not compressed anew: evidence stays what the camera gave.
Sources: JPEG segments: ISO/IEC 10918-1 B.1; Exif: CIPA DC-008 4.5 and 4.6 (TIFF 6.0 fields); PNG chunks: ISO/IEC 15948
    5.3, eXIf: PNG 3rd edition 11.3.4.4; WebP: RFC 9649 2.7.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

EXIF: Final = b"Exif\0\0"
ORIENTATION, EXIF_IFD, GPS_IFD, TAKEN, OFFSET = 0x0112, 0x8769, 0x8825, 0x9003, 0x9011
ASCII, SHORT, LONG = 2, 3, 4
FIELDS_MOST: Final = 512  # Of one directory; what has more is no camera's.

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
#: Markers without a length: TEM, RST0 to RST7.
BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
#: JPEG segments that are no part of the picture: Exif and XMP, IPTC and whatever a program appended, comments.
#: JFIF (APP0), colour profiles (APP2, ``ICC_PROFILE``) and Adobe's colour transform (APP14) are.
DROPPED: Final = frozenset({COM, *range(0xE1, 0xF0)} - {0xE2, 0xEE})
ICC: Final = b"ICC_PROFILE\0"
PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
PNG_DROPPED: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt"})
WEBP_EXIF, WEBP_XMP = 0x08, 0x04  # Flags of VP8X.


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What stays of a camera's notes.

    Attributes:
        orientation: 1 to 8, CIPA DC-008 4.6.4 A; 1 is upright.
        taken, offset: ``YYYY:MM:DD HH:MM:SS`` and ``+HH:MM`` of the camera's clock; empty where it said nothing.
        has_place: Whether it said where.
    """

    orientation: int = 1
    taken: str = ""
    offset: str = ""
    has_place: bool = False

    @property
    def is_plain(self) -> bool:
        """Tell whether there is nothing to write."""
        return self.orientation == 1 and not self.taken


def without_location(content: bytes, kind: str) -> tuple[bytes, bool]:
    """Give a picture without its notes but orientation and time, and whether one of them said where it was taken.

    Args:
        kind: Media type, as ``photos.kind_of`` saw it.

    Raises:
        ValueError: It is not built as its standard says; nobody can say what else is in it.
    """
    match kind:
        case "image/jpeg":
            return _jpeg(content)
        case "image/png":
            return _png(content)
        case _:
            return _webp(content)


def read_exif(tiff: bytes) -> Shot:
    """Read what stays from an Exif block; one that cannot be read says nothing."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        top = _directory(tiff, order, first)
        inner = _directory(tiff, order, _number(tiff, order, top[EXIF_IFD])) if EXIF_IFD in top else {}
        turned = _number(tiff, order, top[ORIENTATION]) if ORIENTATION in top else 1
        return Shot(
            orientation=turned if 1 <= turned <= 8 else 1,  # noqa: PLR2004 - the eight ways of holding a camera
            taken=_text(tiff, order, inner.get(TAKEN)),
            offset=_text(tiff, order, inner.get(OFFSET)),
            has_place=GPS_IFD in top,
        )
    except (KeyError, struct.error):
        return Shot()


def write_exif(shot: Shot) -> bytes:
    """Write orientation and time as a TIFF block, big-endian."""
    head = struct.pack(">2sHI", b"MM", 42, 8)
    if not shot.taken:
        return head + struct.pack(">HHHIHHI", 1, ORIENTATION, SHORT, 1, shot.orientation, 0, 0)
    inner_at = 8 + 2 + 2 * 12 + 4
    top = struct.pack(">HHHIHHHHIII", 2, ORIENTATION, SHORT, 1, shot.orientation, 0, EXIF_IFD, LONG, 1, inner_at, 0)
    texts = [(TAKEN, shot.taken), *([(OFFSET, shot.offset)] if shot.offset else [])]
    at, fields, values = inner_at + 2 + 12 * len(texts) + 4, b"", b""
    for tag, text in texts:
        value = text.encode("ascii") + b"\0"
        fields += struct.pack(">HHII", tag, ASCII, len(value), at + len(values))
        values += value
    return head + top + struct.pack(">H", len(texts)) + fields + struct.pack(">I", 0) + values


def _directory(tiff: bytes, order: str, at: int) -> dict[int, int]:
    """Give where each field of a directory stands, by its tag."""
    (count,) = struct.unpack_from(order + "H", tiff, at)
    places = [at + 2 + 12 * k for k in range(min(count, FIELDS_MOST))]
    return {struct.unpack_from(order + "H", tiff, place)[0]: place for place in places}


def _number(tiff: bytes, order: str, at: int) -> int:
    (form,) = struct.unpack_from(order + "H", tiff, at + 2)
    found: int = struct.unpack_from(order + ("H" if form == SHORT else "I"), tiff, at + 8)[0]
    return found


def _text(tiff: bytes, order: str, at: int | None) -> str:
    """Give a date or an offset; whatever is not made of their characters is no such thing."""
    if at is None:
        return ""
    form, count = struct.unpack_from(order + "HI", tiff, at + 2)
    place = at + 8 if count <= 4 else struct.unpack_from(order + "I", tiff, at + 8)[0]  # noqa: PLR2004 - TIFF: inline
    text = tiff[place : place + min(count, 20)].rstrip(b"\0 ").decode("latin-1")
    return text if form == ASCII and set(text) <= set("0123456789: +-") else ""


def _jpeg(content: bytes) -> tuple[bytes, bool]:
    kept, shot, at = [b"\xff\xd8"], Shot(), 2
    while True:
        marker = _byte(content, at + 1)
        if _byte(content, at) != 0xFF:  # noqa: PLR2004 - every marker begins so
            raise ValueError("no marker where one must stand")
        if marker == 0xFF:  # noqa: PLR2004 - fill bytes may stand before a marker
            at += 1
            continue
        if marker == EOI:  # What stands behind is another picture, or none of the picture's.
            break
        if marker in BARE:
            kept.append(content[at : at + 2])
            at += 2
            continue
        end = at + 2 + (_byte(content, at + 2) << 8 | _byte(content, at + 3))
        body = content[at + 4 : end]
        if end > len(content) or end < at + 4:
            raise ValueError("a segment is cut short")
        if marker == 0xE1 and body.startswith(EXIF):  # noqa: PLR2004 - APP1
            shot = read_exif(body[len(EXIF) :])
        if marker == SOS:
            end = _end_of_scan(content, end)
        if marker not in DROPPED and (marker != 0xE2 or body.startswith(ICC)):  # noqa: PLR2004 - APP2
            kept.append(content[at:end])
        at = end
    if not shot.is_plain:
        block = EXIF + write_exif(shot)
        kept.insert(1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    return b"".join(kept) + b"\xff\xd9", shot.has_place


def _end_of_scan(content: bytes, at: int) -> int:
    """Give where the next marker stands after compressed data: an 0xFF that is neither stuffed nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        follows = _byte(content, at + 1) if at >= 0 else -1
        if follows < 0:
            raise ValueError("the picture has no end")
        if follows and follows not in BARE:
            return at
        at += 2


def _byte(content: bytes, at: int) -> int:
    if not 0 <= at < len(content):
        raise ValueError("it is cut short")
    return content[at]


def _png(content: bytes) -> tuple[bytes, bool]:
    kept, shot, at = [PNG_HEAD], Shot(), len(PNG_HEAD)
    while at < len(content):
        try:
            size, name = struct.unpack_from(">I4s", content, at)
        except struct.error:
            raise ValueError("a chunk is cut short") from None
        end = at + 12 + size
        if end > len(content):
            raise ValueError("a chunk is cut short")
        if name == b"eXIf":
            shot = read_exif(content[at + 8 : end - 4])
        if name not in PNG_DROPPED:
            kept.append(content[at:end])
        at = end
        if name == b"IEND":
            break
    if not shot.is_plain:
        body = b"eXIf" + write_exif(shot)
        kept.insert(2, struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))  # After IHDR.
    return b"".join(kept), shot.has_place


def _webp(content: bytes) -> tuple[bytes, bool]:
    chunks, shot, at = [], Shot(), 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        end = at + 8 + size
        if end > len(content):
            raise ValueError("a chunk is cut short")
        body = content[at + 8 : end]
        if name == b"EXIF":
            shot = read_exif(body.removeprefix(EXIF))
        elif name != b"XMP ":
            chunks.append((name, body))
        at = end + size % 2
    if chunks and chunks[0][0] == b"VP8X":
        flags = chunks[0][1][0] & ~(WEBP_EXIF | WEBP_XMP)
        if not shot.is_plain:
            flags |= WEBP_EXIF
            chunks.append((b"EXIF", write_exif(shot)))
        chunks[0] = (b"VP8X", bytes([flags]) + chunks[0][1][1:])
    inside = b"".join(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for name, body in chunks)
    return b"RIFF" + struct.pack("<I", len(inside) + 4) + b"WEBP" + inside, shot.has_place
