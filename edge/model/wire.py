"""Wire form: scans and links as bytes, the same in an edge node's spool and on its way to the gateway.

Flow: Scan -> coded -> [encode] -> frames -> [decode] -> coded -> Scan
Why: a tag travels by its name, never by its row: gateway and node number their tags each in their own way. A name is
    said once per segment or table; a sample then costs 5 to 21 bytes.
Never: reads beyond its bounds; gives a record whose checksum is wrong; guesses at a version or flag it does not know.

All numbers are little-endian. A frame is ``mark u16, length u32, place u64, crc u32, payload``; the CRC-32 covers
length, place and payload, so that every single flipped bit of a frame is found. A payload begins with its kind:

* ``TAGS``, ``SOURCES``: ``kind u8, first u32, count u32``, then each name as ``length u16`` and UTF-8. Ids go on from
  ``first``, without holes.
* ``SCAN``: see ``_SCAN``, then rows, values, quality and times in the forms that ``flags`` names.
* ``LINK``: see ``_LINK``, then the reason as UTF-8.
* ``STATUS``: ``kind u8``, then a JSON object.

A batch is ``"FSBT", version u16, flags u16, records u32, digest of the name table (16 bytes), crc u32``, then frames:
STATUS, where the header says so SOURCES and TAGS, then the records.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from edge.model.nature import Nature
from edge.model.scan import QualityColumn, TimesNs, Values

VERSION: Final = 1

SAMPLES_MAX: Final = 100_000  # In one scan; the widest source we know has a tenth of it.
FRAME_BYTES_MAX: Final = 4 * 1024 * 1024  # A scan of so many samples in its longest form is 2.2 MB.
NAMES_MAX: Final = 200_000  # In one table.
NAME_BYTES_MAX: Final = 512  # 128 letters of any script (see ``edge.load.words``).
REASON_BYTES_MAX: Final = 400
RECORDS_MAX: Final = 20_000  # In one batch.

MARK: Final = 0x5F46  # "F_" in a hex view; where a frame may begin.
FRAME: Final = struct.Struct("<HIQI")
_CHECKED: Final = struct.Struct("<IQ")
_NAMES: Final = struct.Struct("<BII")
_NAME: Final = struct.Struct("<H")
#: kind, nature, flags, source, epoch, number, received_ns, n
_SCAN: Final = struct.Struct("<BBHIQQqI")
#: kind, is_up, flags, source, received_ns
_LINK: Final = struct.Struct("<BBHIq")
#: magic, version, flags, records, digest, crc
BATCH: Final = struct.Struct("<4sHHI16sI")
MAGIC: Final = b"FSBT"
DIGEST_BYTES: Final = 16

HAS_TABLE: Final = 1  # flag of a batch: the name table is in it

_BACKFILL, _RETAINED, _ROW_RUN, _ROW_WIDE, _VALUE_32, _QUALITY_ONE, _TIME_ONE, _TIME_NEAR = (1 << n for n in range(8))
_SCAN_FLAGS = (1 << 8) - 1

_NATURES: Final = (Nature.ACTUAL, Nature.EXERCISE, Nature.TEST)
_U16_MAX: Final = 0xFFFF
_U32_MAX: Final = 0xFFFF_FFFF

Ids: TypeAlias = NDArray[np.int64]


class WireError(ValueError):
    """Raised for bytes that are not the wire form; ``reason`` is one word for the counter.

    Attributes:
        reason: ``checksum``, ``version``, ``length``, ``name`` or ``malformed``.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Kind(IntEnum):
    """What a frame holds."""

    TAGS = 1
    SOURCES = 2
    SCAN = 3
    LINK = 4
    STATUS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedScan:
    """A scan whose source and tags are ids of a name table; columns as in ``Scan``.

    Attributes:
        source: Id of the source's name.
        ids: Ids of the tags' names, int64 (n,).
    """

    source: int
    epoch: int
    number: int
    received_ns: int
    ids: Ids
    values: Values
    quality: QualityColumn
    times_ns: TimesNs
    is_backfill: bool = False
    is_retained: bool = False
    nature: Nature = Nature.ACTUAL

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedLink:
    """A link change whose source is an id of a name table."""

    source: int
    is_up: bool
    received_ns: int
    reason: str = ""
    is_backfill: bool = False


Coded: TypeAlias = CodedScan | CodedLink


@dataclass(slots=True)
class Names:
    """Names by id, from 0; grows only at its end."""

    names: list[str] = field(default_factory=list)
    id_of: dict[str, int] = field(default_factory=dict)

    def add(self, name: str) -> int:
        """Give the id of a name, a new one where it has none."""
        found = self.id_of.setdefault(name, len(self.names))
        if found == len(self.names):
            self.names.append(name)
        return found

    def take(self, first: int, names: Sequence[str]) -> None:
        """Take names that were read; a table that has a hole or says a name twice is not one of ours.

        Raises:
            WireError: It is such a table.
        """
        if first != len(self.names):
            raise WireError("name", f"A name table goes on at {first}; {len(self.names)} names are known.")
        for at, name in enumerate(names, start=first):
            if self.add(name) != at or at >= NAMES_MAX:
                raise WireError("name", "A name table says a name twice, or too many.")

    def __len__(self) -> int:
        return len(self.names)


def digest_of(sources: Names, tags: Names) -> bytes:
    """Give the digest of a pair of name tables, by which a gateway knows them again."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for names in (sources.names, tags.names):
        digest.update(len(names).to_bytes(4, "little"))
        for name in names:
            raw = name.encode()
            digest.update(_NAME.pack(len(raw)) + raw)
    return digest.digest()


# ------------------------------------------------------------------------------------------------------------- frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame as it was read: its place, its payload, and where it stood."""

    place: int
    payload: memoryview
    start: int
    end: int


def make_frame(place: int, payload: bytes) -> bytes:
    """Put a payload into a frame."""
    assert len(payload) <= FRAME_BYTES_MAX, len(payload)
    crc = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(len(payload), place)))
    return FRAME.pack(MARK, len(payload), place, crc) + payload


def read_frame(content: memoryview, at: int) -> Frame | None:
    """Give the frame that begins here; None where no whole, right one does."""
    if at + FRAME.size > len(content):
        return None
    mark, length, place, crc = FRAME.unpack_from(content, at)
    end = at + FRAME.size + length
    if mark != MARK or length > FRAME_BYTES_MAX or end > len(content):
        return None
    payload = content[at + FRAME.size : end]
    if zlib.crc32(payload, zlib.crc32(_CHECKED.pack(length, place))) != crc:
        return None
    return Frame(place=place, payload=payload, start=at, end=end)


def is_cut(content: memoryview, at: int) -> bool:
    """Tell whether what begins here is the beginning of a frame whose end is missing, or room that was never written.

    After a power cut a file may be longer than what was flushed to it, and zeros from there on.
    """
    rest = len(content) - at
    if not any(content[at:]):
        return True
    if rest < FRAME.size:
        return bytes(content[at : at + 2]) == MARK.to_bytes(2, "little")[:rest]
    mark, length, _, _ = FRAME.unpack_from(content, at)
    return bool(mark == MARK and length <= FRAME_BYTES_MAX and FRAME.size + length > rest)


def find_frame(content: memoryview, at: int) -> Frame | None:
    """Give the next whole, right frame at or behind a place: the way on after damage."""
    raw = bytes(content)
    mark = MARK.to_bytes(2, "little")
    at = raw.find(mark, at)
    while at >= 0:
        frame = read_frame(content, at)
        if frame is not None:
            return frame
        at = raw.find(mark, at + 1)
    return None


# ------------------------------------------------------------------------------------------------------------ payloads


def encode_names(kind: Kind, first: int, names: Sequence[str]) -> bytes:
    """Write a part of a name table.

    Raises:
        ValueError: A name is too long.
    """
    parts = [_NAMES.pack(kind, first, len(names))]
    for name in names:
        raw = name.encode()
        if len(raw) > NAME_BYTES_MAX:
            raise ValueError(f"Name {name[:40]!r}… has more than {NAME_BYTES_MAX} bytes.")
        parts += [_NAME.pack(len(raw)), raw]
    return b"".join(parts)


def decode_names(payload: memoryview) -> tuple[int, list[str]]:
    """Read a part of a name table: the first id, and the names.

    Raises:
        WireError: It is none.
    """
    _need(len(payload) >= _NAMES.size, "A name table is cut.")
    _, first, count = _NAMES.unpack_from(payload)
    if count > NAMES_MAX or first > NAMES_MAX:
        raise WireError("name", f"A name table has more than {NAMES_MAX} names.")
    at, names = _NAMES.size, []
    for _ in range(count):
        _need(at + _NAME.size <= len(payload), "A name table is cut.")
        (length,) = _NAME.unpack_from(payload, at)
        at += _NAME.size
        _need(0 < length <= NAME_BYTES_MAX and at + length <= len(payload), "A name has a wrong length.")
        names.append(_text(payload[at : at + length]))
        at += length
    _need(at == len(payload), "A name table has bytes behind its end.")
    return first, names


def encode(record: Coded) -> bytes:
    """Write one record.

    Raises:
        ValueError: The scan has more than ``SAMPLES_MAX`` samples.
    """
    return _encode_link(record) if isinstance(record, CodedLink) else _encode_scan(record)


def decode(payload: memoryview) -> Coded:
    """Read one record.

    Raises:
        WireError: It is none.
    """
    kind = payload[0] if len(payload) else 0
    if kind == Kind.SCAN:
        return _decode_scan(payload)
    if kind == Kind.LINK:
        return _decode_link(payload)
    raise WireError("malformed", f"A record is of kind {kind}.")


def _encode_scan(scan: CodedScan) -> bytes:
    n = len(scan)
    if n > SAMPLES_MAX:
        raise ValueError(f"A scan has {n} samples; the wire form carries up to {SAMPLES_MAX}.")
    flags = (_BACKFILL if scan.is_backfill else 0) | (_RETAINED if scan.is_retained else 0)
    parts: list[bytes] = []
    ids = scan.ids
    if n and int(ids[-1]) - int(ids[0]) == n - 1 and bool((np.diff(ids) == 1).all()):
        flags |= _ROW_RUN
        parts.append(int(ids[0]).to_bytes(4, "little"))
    elif n and int(ids.max()) > _U16_MAX:
        flags |= _ROW_WIDE
        parts.append(ids.astype("<u4").tobytes())
    else:
        parts.append(ids.astype("<u2").tobytes())
    with np.errstate(over="ignore", invalid="ignore"):
        short = scan.values.astype("<f4")
    if bool(((short.astype(np.float64) == scan.values) | np.isnan(scan.values)).all()):
        flags |= _VALUE_32
        parts.append(short.tobytes())
    else:
        parts.append(scan.values.astype("<f8").tobytes())
    if n and bool((scan.quality == scan.quality[0]).all()):
        flags |= _QUALITY_ONE
        parts.append(scan.quality[:1].tobytes())
    else:
        parts.append(scan.quality.tobytes())
    base = int(scan.times_ns.min()) if n else 0
    span = int(scan.times_ns.max()) - base if n else 0
    if n and span == 0:
        flags |= _TIME_ONE
        parts.append(base.to_bytes(8, "little", signed=True))
    elif n and span <= _U32_MAX:
        flags |= _TIME_NEAR
        parts.append(base.to_bytes(8, "little", signed=True))
        parts.append((scan.times_ns - base).astype("<u4").tobytes())
    else:
        parts.append(scan.times_ns.astype("<i8").tobytes())
    nature = _NATURES.index(scan.nature)
    head = _SCAN.pack(Kind.SCAN, nature, flags, scan.source, scan.epoch, scan.number, scan.received_ns, n)
    return head + b"".join(parts)


def _decode_scan(payload: memoryview) -> CodedScan:
    _need(len(payload) >= _SCAN.size, "A scan is cut.")
    _, nature, flags, source, epoch, number, received_ns, n = _SCAN.unpack_from(payload)
    _need(nature < len(_NATURES) and flags | _SCAN_FLAGS == _SCAN_FLAGS, "A scan has an unknown nature or flag.")
    _need(n <= SAMPLES_MAX, f"A scan has more than {SAMPLES_MAX} samples.")
    columns = _Columns(payload, _SCAN.size)
    if flags & _ROW_RUN:
        ids = int(columns.take("<u4", 1)[0]) + np.arange(n, dtype=np.int64)
    else:
        ids = columns.take("<u4" if flags & _ROW_WIDE else "<u2", n).astype(np.int64)
    values = columns.take("<f4" if flags & _VALUE_32 else "<f8", n).astype(np.float64)
    quality = columns.take("u1", 1).repeat(n) if flags & _QUALITY_ONE else columns.take("u1", n).copy()
    if flags & _TIME_ONE:
        times_ns = columns.take("<i8", 1).astype(np.int64).repeat(n)
    elif flags & _TIME_NEAR:
        base = columns.take("<i8", 1).astype(np.int64)
        times_ns = base + columns.take("<u4", n).astype(np.int64)
    else:
        times_ns = columns.take("<i8", n).astype(np.int64)
    _need(columns.at == len(payload), "A scan has bytes behind its end.")
    return CodedScan(
        source=source,
        epoch=epoch,
        number=number,
        received_ns=received_ns,
        ids=ids,
        values=values,
        quality=quality,
        times_ns=times_ns,
        is_backfill=bool(flags & _BACKFILL),
        is_retained=bool(flags & _RETAINED),
        nature=_NATURES[nature],
    )


#: Kinds of columns; making a dtype of its name costs as much as reading a short column.
_DTYPES: Final = {kind: np.dtype(kind) for kind in ("u1", "<u2", "<u4", "<i8", "<f4", "<f8")}


class _Columns:
    """Takes columns off a payload, one behind the other."""

    def __init__(self, payload: memoryview, at: int) -> None:
        self._payload = payload
        self.at = at

    def take(self, kind: str, n: int) -> NDArray[Any]:
        dtype = _DTYPES[kind]
        end = self.at + n * dtype.itemsize
        _need(end <= len(self._payload), "A scan is cut.")
        column = np.frombuffer(self._payload, dtype=dtype, count=n, offset=self.at) if n else np.zeros(0, dtype=dtype)
        self.at = end
        return column


def _encode_link(link: CodedLink) -> bytes:
    reason = link.reason.encode(errors="replace")[:REASON_BYTES_MAX].decode(errors="ignore").encode()
    return _LINK.pack(Kind.LINK, link.is_up, int(link.is_backfill), link.source, link.received_ns) + reason


def _decode_link(payload: memoryview) -> CodedLink:
    _need(_LINK.size <= len(payload) <= _LINK.size + REASON_BYTES_MAX, "A link change has a wrong length.")
    _, is_up, flags, source, received_ns = _LINK.unpack_from(payload)
    _need(is_up <= 1 and flags <= 1, "A link change has an unknown flag.")
    return CodedLink(
        source=source,
        is_up=bool(is_up),
        received_ns=received_ns,
        reason=_text(payload[_LINK.size :]),
        is_backfill=bool(flags),
    )


def _need(holds: bool, sentence: str) -> None:  # noqa: FBT001 - a condition
    if not holds:
        raise WireError("malformed", sentence)


def _text(raw: memoryview) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise WireError("malformed", "A text is not UTF-8.") from None


# --------------------------------------------------------------------------------------------------------------- batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a node sends in one request.

    Attributes:
        status: What the node says of itself, a JSON object.
        table: Names of sources and tags; None where the gateway is to know them by their digest.
        records: Places in the node's spool, and records.
    """

    status: dict[str, Any]
    digest: bytes
    table: tuple[Names, Names] | None
    records: list[tuple[int, Coded]]


def encode_batch(
    status: dict[str, Any], digest: bytes, table: tuple[Names, Names] | None, records: Sequence[tuple[int, bytes]]
) -> bytes:
    """Write a batch of encoded records."""
    head = BATCH.pack(MAGIC, VERSION, HAS_TABLE if table else 0, len(records), digest, 0)
    crc = zlib.crc32(head[:-4])
    parts = [head[:-4], crc.to_bytes(4, "little"), make_frame(0, bytes([Kind.STATUS]) + orjson.dumps(status))]
    if table:
        parts.append(make_frame(0, encode_names(Kind.SOURCES, 0, table[0].names)))
        parts.append(make_frame(0, encode_names(Kind.TAGS, 0, table[1].names)))
    parts += [make_frame(place, payload) for place, payload in records]
    return b"".join(parts)


def decode_batch(body: bytes) -> Batch:
    """Read a batch.

    Raises:
        WireError: It is none, it was damaged on its way, or it is of another version.
    """
    content = memoryview(body)
    if len(content) < BATCH.size or bytes(content[:4]) != MAGIC:
        raise WireError("malformed", "The body is no batch of scans.")
    _, version, flags, count, digest, crc = BATCH.unpack_from(content)
    if zlib.crc32(content[: BATCH.size - 4]) != crc:
        raise WireError("checksum", "The head of the batch was damaged on its way.")
    if version != VERSION or flags & ~HAS_TABLE:
        raise WireError("version", f"The batch has wire version {version}; this gateway reads version {VERSION}.")
    _need(count <= RECORDS_MAX, f"A batch has more than {RECORDS_MAX} records.")
    frames = _frames(content)
    status = _status(_next(frames))
    table: tuple[Names, Names] | None = None
    if flags & HAS_TABLE:
        table = (Names(), Names())
        for names, kind in zip(table, (Kind.SOURCES, Kind.TAGS), strict=True):
            frame = _next(frames)
            _need(len(frame.payload) > 0 and frame.payload[0] == kind, "A name table is missing.")
            names.take(*decode_names(frame.payload))
        _need(digest_of(*table) == digest, "The name table is not the one that the batch names.")
    records = [(frame.place, decode(frame.payload)) for frame in frames]
    _need(len(records) == count, f"The batch holds {len(records)} records and says {count}.")
    return Batch(status=status, digest=digest, table=table, records=records)


def _frames(content: memoryview) -> Iterator[Frame]:
    at = BATCH.size
    while at < len(content):
        frame = read_frame(content, at)
        if frame is None:
            raise WireError("checksum", f"The batch was damaged or cut on its way, at byte {at}.")
        yield frame
        at = frame.end


def _next(frames: Iterator[Frame]) -> Frame:
    frame = next(frames, None)
    if frame is None:
        raise WireError("malformed", "The batch is cut.")
    return frame


def _status(frame: Frame) -> dict[str, Any]:
    _need(len(frame.payload) > 0 and frame.payload[0] == Kind.STATUS, "The status is missing.")
    try:
        status = orjson.loads(frame.payload[1:])
    except orjson.JSONDecodeError:
        raise WireError("malformed", "The status is not JSON.") from None
    _need(isinstance(status, dict), "The status is no JSON object.")
    return dict(status)
