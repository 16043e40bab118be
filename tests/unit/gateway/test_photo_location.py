"""Where a phone was does not go with its photo: every kind of picture, to the byte, and whatever is broken."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.disposal.location import Shot, read_exif, without_location, write_exif
from gateway.disposal.photos import kind_of

#: An Exif block as a phone writes it (CIPA DC-008): orientation 6, the time, and 32°03'N 118°46'E in a GPS directory.
DEGREES = struct.pack("<6I", 32, 1, 3, 1, 0, 1)


def exif(order: str = "<") -> bytes:
    def field(tag: int, form: int, count: int, value: bytes) -> bytes:
        return struct.pack(order + "HHI", tag, form, count) + value.ljust(4, b"\0")

    def at(place: int) -> bytes:
        return struct.pack(order + "I", place)

    top = [
        field(0x010F, 2, 4, b"ACM\0"), field(0x0112, 3, 1, struct.pack(order + "H", 6)), field(0x8769, 4, 1, at(62)),
        field(0x8825, 4, 1, at(112)),
    ]  # fmt: skip
    head = (b"II*\0" if order == "<" else b"MM\0*") + at(8)
    block = head + struct.pack(order + "H", len(top)) + b"".join(top) + at(0)
    assert len(block) == 62
    block += struct.pack(order + "H", 1) + field(0x9003, 2, 20, at(80)) + at(0) + b"2026:11:22 08:30:00\0"
    block = block.ljust(112, b"\0")
    gps = struct.pack(order + "H", 2) + field(1, 2, 2, b"N\0") + field(2, 5, 3, at(142)) + at(0)
    return block + gps + DEGREES.rjust(len(DEGREES), b"\0")


SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
TABLES = b"\xff\xdb\x00\x04\x00\x01" + b"\xff\xe2\x00\x10ICC_PROFILE\0\x01\x02"
JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(block: bytes, behind: bytes = b"") -> bytes:
    notes = segment(0xE1, b"Exif\0\0" + block) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0 GPSLatitude 32,3N")
    more = segment(0xED, b"Photoshop 3.0\0") + segment(0xFE, b"Li's phone") + segment(0xE2, b"MPF\0second picture")
    return b"\xff\xd8" + JFIF + notes + more + TABLES + SCAN + SCAN + b"\xff\xd9" + behind


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(block: bytes) -> bytes:
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 5))
    text = chunk(b"tEXt", b"Location\0 32N") + chunk(b"eXIf", block)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0))
    return head + text + pixels + chunk(b"IEND", b"")


def webp(block: bytes) -> bytes:
    def riff(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    inside = riff(b"VP8X", b"\x0c" + b"\0" * 9) + riff(b"VP8L", b"\x2f" + b"\0" * 6) + riff(b"EXIF", block)
    inside += riff(b"XMP ", b"GPSLatitude")
    return b"RIFF" + struct.pack("<I", len(inside) + 4) + b"WEBP" + inside


PLACE = (DEGREES, b"GPSLatitude", b"32N", b"ACM", b"Li's phone", b"MPF", b"Photoshop")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("make", [jpeg, png, webp])
def test_the_place_goes_and_which_way_up_and_when_stay(make, order: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    content = make(exif(order))
    kind = kind_of(content)
    assert kind is not None
    cleaned, had_place = without_location(content, kind)
    assert had_place
    assert kind_of(cleaned) == kind
    assert not [word for word in PLACE if word in cleaned]
    again, had_place = without_location(cleaned, kind)
    assert (again, had_place) == (cleaned, False), "done twice is done once"
    at = cleaned.index(b"MM\0*")
    assert read_exif(cleaned[at:]) == Shot(orientation=6, taken="2026:11:22 08:30:00")


def test_a_jpeg_keeps_its_picture_to_the_byte_and_nothing_behind_it() -> None:
    cleaned, _ = without_location(jpeg(exif(), behind=jpeg(exif())), "image/jpeg")
    assert cleaned.endswith(JFIF + TABLES + SCAN + SCAN + b"\xff\xd9")
    assert cleaned.count(b"\xff\xd8") == 1


def test_what_has_no_notes_stays_as_it_is() -> None:
    plain = b"\xff\xd8" + JFIF + TABLES + SCAN + b"\xff\xd9"
    assert without_location(plain, "image/jpeg") == (plain, False)


def test_the_time_of_a_camera_with_an_offset_is_written_as_it_was_read() -> None:
    shot = Shot(orientation=8, taken="2026:11:22 08:30:00", offset="+08:00")
    assert read_exif(write_exif(shot)) == shot
    assert read_exif(write_exif(Shot(orientation=3))) == Shot(orientation=3)


@pytest.mark.parametrize("make", [jpeg, png, webp])
@given(data=st.data())
def test_whatever_is_broken_is_refused_or_cleaned_and_never_breaks_us(make, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    content = bytearray(make(exif()))
    kind = kind_of(bytes(content))
    assert kind is not None
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(20, len(content)))
    try:
        without_location(bytes(content[:cut]), kind)
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_no_notes_of_anybody_break_the_reader(block: bytes) -> None:
    for head in (b"", b"II*\0", b"MM\0*"):
        assert 1 <= read_exif(head + block).orientation <= 8
