"""Segments: the files of a spool, how one is written, found again and cut.

Flow: scan, link change -> [Tail.payloads] -> frames -> file; files of earlier starts -> [found_segments, good_end]
Why here: what a file of records looks like is one thing; which records are to be sent, kept or dropped is the spool's.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from edge.clock import Clock
from edge.model import Link, Scan
from edge.model.wire import (
    FRAME,
    FRAME_BYTES_MAX,
    VERSION,
    Coded,
    CodedLink,
    CodedScan,
    Kind,
    Names,
    WireError,
    encode,
    encode_names,
    find_frame,
    read_frame,
)

READ_BYTES: Final = 1024 * 1024
HEAD: Final = b"FSSP" + VERSION.to_bytes(4, "little")
#: A stamp before this is a machine that has not yet been told the time; its age is not known.
PLAUSIBLE_NS: Final = 1_577_836_800_000_000_000  # 2020-01-01

log = structlog.get_logger("spool")


@dataclass(slots=True, eq=False)
class Segment:
    """One file: places ``first`` to ``last``; ``last < first`` while it is empty."""

    path: Path
    first: int
    last: int
    size: int
    at_ns: int  # monotonic time of its last append; for those of earlier starts as if it had run on


@dataclass(slots=True, eq=False)
class Cursor:
    """Where a lane reads."""

    segment: Segment
    place: int
    offset: int = len(HEAD)
    sources: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tags: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(slots=True, eq=False)
class Tail:
    """The segment that is being written, with its own name tables."""

    segment: Segment
    file: int
    began_ns: int
    sources: dict[int, int] = field(default_factory=dict)
    tags: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tag_count: int = 0

    def payloads(self, item: Scan | Link, sources: Names, tags: Names, ids_of: NDArray[np.int64]) -> Iterator[bytes]:
        """Give the payloads of one record: new names first.

        Args:
            sources, tags: Names that the spool has met; ``item``'s source is added.
            ids_of: Id of each row's tag among them.
        """
        known = sources.add(item.source)
        source = self.sources.get(known)
        if source is None:
            source = self.sources[known] = len(self.sources)
            yield encode_names(Kind.SOURCES, source, [item.source])
        if isinstance(item, Link):
            yield encode(CodedLink(source=source, is_up=item.is_up, received_ns=item.received_ns, reason=item.reason))
            return
        if len(self.tags) < len(tags):
            more = np.full(len(tags) - len(self.tags), -1, dtype=np.int64)
            self.tags = np.concatenate([self.tags, more])
        ids = ids_of[item.rows]
        unnamed = ids[self.tags[ids] < 0]
        if len(unnamed):
            _, places = np.unique(unnamed, return_index=True)
            fresh = unnamed[np.sort(places)]  # In the order of the scan, so that its ids are a run.
            self.tags[fresh] = self.tag_count + np.arange(len(fresh))
            yield encode_names(Kind.TAGS, self.tag_count, [tags.names[int(one)] for one in fresh])
            self.tag_count += len(fresh)
        yield encode(
            CodedScan(
                source=source,
                epoch=item.epoch,
                number=item.number,
                received_ns=item.received_ns,
                ids=self.tags[ids],
                values=item.values,
                quality=item.quality,
                times_ns=item.times_ns,
                is_backfill=item.is_backfill,
                is_retained=item.is_retained,
                nature=item.nature,
            )
        )


def found_segments(folder: Path, clock: Clock) -> list[Segment]:
    """Find the files of earlier starts, in order; how far the last one is good is not known yet."""
    paths = sorted(path for path in folder.glob("*.seg") if path.stem.isdecimal())
    firsts = [int(path.stem) for path in paths]
    now_ns, wall_ns = clock.monotonic_ns(), clock.wall_ns()
    segments = []
    for at, path in enumerate(paths):
        stat = path.stat()
        with path.open("rb") as file:
            if file.read(len(HEAD)) != HEAD:  # Each frame has its own checksum; the head alone condemns none.
                log.warning("spool.head_damaged", segment=path.name)
        age_ns = max(0, wall_ns - stat.st_mtime_ns) if stat.st_mtime_ns > PLAUSIBLE_NS else 0
        last = firsts[at + 1] - 1 if at + 1 < len(paths) else firsts[at] - 1
        segments.append(Segment(path, firsts[at], last, stat.st_size, now_ns - age_ns))
    return segments


def good_end(segment: Segment, content: memoryview) -> tuple[int, int]:
    """Give where the last whole frame of a file ends, and the last place in it."""
    at = end = len(HEAD)
    last = segment.first - 1
    while at < len(content):
        frame = read_frame(content, at) or find_frame(content, at + 1)
        if frame is None:
            break
        at = end = frame.end
        if frame.payload[0] in (Kind.SCAN, Kind.LINK):
            last = max(last, frame.place)
    return end, last


def with_ids(record: Coded, cursor: Cursor) -> Coded:
    """Give a record whose ids are those of the spool.

    Raises:
        WireError: It names a source or tag whose name was lost.
    """
    if record.source >= len(cursor.sources) or cursor.sources[record.source] < 0:
        raise WireError("name", "The name of its source is lost.")
    source = int(cursor.sources[record.source])
    if isinstance(record, CodedLink):
        return replace(record, source=source)
    if len(record) and (int(record.ids.max()) >= len(cursor.tags) or int(cursor.tags[record.ids].min()) < 0):
        raise WireError("name", "The name of a tag is lost.")
    return replace(record, source=source, ids=cursor.tags[record.ids])


def chunk(file: int, offset: int, end: int) -> memoryview:
    """Read on in a segment: some frames, or one whole long one."""
    content = memoryview(os.pread(file, min(READ_BYTES, end - offset), offset))
    if read_frame(content, 0) is None and offset + len(content) < end:
        most = FRAME_BYTES_MAX + FRAME.size + READ_BYTES
        content = memoryview(os.pread(file, min(most, end - offset), offset))
    return content


def write_all(file: int, content: bytes | bytearray) -> None:
    """Write all of it, however many calls it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync_folder(folder: Path, sync: Callable[[int], None]) -> None:
    """Put a folder's own entries on the medium."""
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync(opened)
    finally:
        os.close(opened)
