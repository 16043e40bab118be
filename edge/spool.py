"""Spool: the durable, bounded store-and-forward buffer of an edge node.

Flow: scans, link changes -> [append, flush] -> acknowledge the source; read -> uplink -> [settle] -> freed
Why: the first seconds of an outage are lost where "handed to the sender" counts as sent. Here a record leaves only when
     the gateway has said that it is durable, and a source is told "taken" only when its record is on the medium.
Never: holds more than its bounds; drops a record without counting it; sends again what was settled (but for the last
     ``SAVE_NS`` before a crash); is emptied by a reconnect or a change of the configuration.

A folder of segments, each a head and frames (see ``edge.model.wire``), named after the place of its first record.
Places rise by one a record, for ever. What was settled stands in ``settled.json``. A torn end is cut at the next start;
a record with a wrong checksum is set aside in ``quarantine`` and counted, and reading goes on behind it.

One thread at a time. All methods block: they belong to the node's executor.
"""

import os
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import structlog

from edge.clock import Clock
from edge.config import SpoolBounds
from edge.disk import SystemDisk
from edge.model import Link, Scan, TagTable
from edge.model.ranges import Ranges
from edge.model.wire import (
    FRAME,
    NAMES_MAX,
    VERSION,
    Coded,
    Frame,
    Kind,
    Names,
    WireError,
    decode,
    decode_names,
    encode,
    find_frame,
    is_cut,
    make_frame,
    read_frame,
)
from edge.quarantine import Quarantine
from edge.spool_segment import (
    HEAD,
    Cursor,
    Segment,
    Tail,
    chunk,
    found_segments,
    good_end,
    sync_folder,
    with_ids,
    write_all,
)

SEGMENT_BYTES: Final = 1024 * 1024
SEGMENT_BYTES_LEAST: Final = 16 * 1024
PARTS_LEAST: Final = 8  # Segments that the bounds make room for, so that dropping the oldest drops an eighth at most.
SAVE_NS: Final = 1_000_000_000  # How often what was settled is written down.
RECENT_NS: Final = 60_000_000_000  # For how long the moment of an append is remembered.
SETTLED: Final = "settled.json"

log = structlog.get_logger("spool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One record as it lies in the spool; its ids are those of ``Spool.sources`` and ``Spool.tags``."""

    place: int
    record: Coded
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """The spool's books.

    Attributes:
        waiting: Records not settled yet.
        bytes: On disk.
        appended, settled: Records since this start.
        dropped: Records that left unsent, by reason (``records``, ``bytes``, ``age``), since the spool was made.
        corrupt: Records that could not be read, set aside, since the spool was made.
        refused: Records that the gateway will never take, set aside, since the spool was made.
        torn: Ends of segments that were cut at a start, since the spool was made.
    """

    waiting: int = 0
    bytes: int = 0
    segments: int = 0
    appended: int = 0
    settled: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    corrupt: int = 0
    refused: int = 0
    torn: int = 0


class Spool:
    """Records in order of arrival, until they are settled.

    Args:
        folder: Of its own; made where it is missing.
        tags: The node's tags, whose rows the scans name until ``follow``.
        clock: For the age.
        sync: Puts a file's content on the medium; ``os.fsync`` but in tests.
    """

    def __init__(
        self,
        folder: Path,
        tags: TagTable,
        clock: Clock,
        bounds: SpoolBounds,
        *,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self.sources = Names()
        self.tags = Names()
        self.follow(tags)
        self._folder, self._clock, self._bounds, self._sync = folder, clock, bounds, sync
        self._quarantine = Quarantine(folder / "quarantine")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._disk = SystemDisk(folder)
        self._segment_bytes = min(SEGMENT_BYTES, max(SEGMENT_BYTES_LEAST, bounds.bytes_max // PARTS_LEAST))
        self._segment_records = max(1, bounds.records_max // PARTS_LEAST)
        self._dropped: Counter[str] = Counter()
        self._corrupt = self._refused = self._torn = self._appended = self._settled_count = 0
        self._settled = Ranges()
        self._tail: Tail | None = None
        self._cursors: dict[str, Cursor] = {}
        self._recent: deque[tuple[int, int]] = deque()  # (first place, monotonic time) of each append
        self._is_saved = True
        self._saved_ns = clock.monotonic_ns()
        floor = self._load_settled()
        self._segments = self._open_segments()
        self.next_place = max(floor, self._segments[-1].last + 1 if self._segments else 1)
        self._settle_range(1, (self._segments[0].first if self._segments else self.next_place) - 1)
        self._sweep()

    # -------------------------------------------------------------------------------------------------------- append

    def follow(self, tags: TagTable) -> None:
        """Go by the rows of other tags from now on; what is kept already keeps its names."""
        self._ids = np.array([self.tags.add(name) for name in tags.names], dtype=np.int64)  # By row.

    def append(self, items: Sequence[Scan | Link]) -> int:
        """Put records on the medium, all or none; give the place of the first.

        Raises:
            OSError: The medium does not take them; nothing was appended, and the same items may be tried again.
        """
        first = self.next_place
        if not items:
            return first
        tail = self._tail_for(first)
        content, place, samples = bytearray(), first, 0
        try:
            for item in items:
                for payload in tail.payloads(item, self.sources, self.tags, self._ids):
                    content += make_frame(place, payload)
                place += 1
                samples += len(item) if isinstance(item, Scan) else 0
            write_all(tail.file, content)
            self._sync(tail.file)
        except BaseException:
            self._give_up_tail()  # Its name tables are ahead of its file.
            raise
        now_ns = self._clock.monotonic_ns()
        tail.segment.size += len(content)
        tail.segment.last = place - 1
        tail.segment.at_ns = now_ns
        self.next_place = place
        self._appended += len(items)
        self._recent.append((first, now_ns))
        while self._recent[0][1] < now_ns - RECENT_NS:
            self._recent.popleft()
        self._keep_bounds(now_ns)
        return first

    def _tail_for(self, place: int) -> Tail:
        """Give the segment to write to; a full one is closed and a new one begun."""
        tail = self._tail
        if tail is not None:
            segment = tail.segment
            is_full = segment.size >= self._segment_bytes or place - segment.first >= self._segment_records
            is_old = self._clock.monotonic_ns() - tail.began_ns > self._bounds.age_s_max * 1e9 / PARTS_LEAST
            if not is_full and not is_old:
                return tail
            self._close_tail()
        path = self._folder / f"{place:020d}.seg"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(file, HEAD)
            self._sync(file)
            sync_folder(self._folder, self._sync)
        except BaseException:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        now_ns = self._clock.monotonic_ns()
        segment = Segment(path, place, place - 1, len(HEAD), now_ns)
        self._segments.append(segment)
        self._tail = Tail(segment, file, now_ns)
        return self._tail

    def _give_up_tail(self) -> None:
        """End a segment after a failed write; what it holds beyond its good end is never read."""
        tail = self._tail
        if tail is None:
            return
        try:
            os.ftruncate(tail.file, tail.segment.size)
        except OSError:
            log.warning("spool.not_cut", segment=tail.segment.path.name)  # Reading ends at the known size anyway.
        self._close_tail()
        if tail.segment.last < tail.segment.first:
            self._remove(tail.segment)

    def _close_tail(self) -> None:
        if self._tail is not None:
            os.close(self._tail.file)
            self._tail = None

    # --------------------------------------------------------------------------------------------------------- bounds

    def _keep_bounds(self, now_ns: int) -> None:
        """Drop the oldest segments while there is more than the bounds allow; never the one being written."""
        bounds = self._bounds
        while len(self._segments) > 1:
            if self._bytes() > bounds.bytes_max:
                reason = "bytes"
            elif self._segments[-1].last - self._segments[0].first + 1 > bounds.records_max:
                reason = "records"
            elif now_ns - self._segments[0].at_ns > bounds.age_s_max * 1e9:
                reason = "age"
            else:
                return
            self._drop_first(reason)

    def _drop_first(self, reason: str) -> None:
        segment = self._segments[0]
        held = segment.last - segment.first + 1
        lost = held - self._settled.count(segment.first, segment.last)
        if lost:
            if not self._dropped[reason]:
                log.error("spool.dropped", reason=reason, records=lost)
            self._dropped[reason] += lost
        self._settle_range(segment.first, segment.last)
        self._remove(segment)

    def _bytes(self) -> int:
        return sum(segment.size for segment in self._segments)

    # ----------------------------------------------------------------------------------------------------------- read

    def read(self, lane: str, place: int, until: int, bytes_most: int, records_most: int) -> list[Kept]:
        """Give the unsettled records from a place on, in order.

        Args:
            lane: Each lane reads at a place of its own, so that going on costs no search.
            until: The first place that is not wanted any more.
            bytes_most: Stop at so many bytes, but give one record at least.
        """
        found: list[Kept] = []
        size = 0
        for kept in self._walk(lane, place, until):
            if kept.place in self._settled:
                continue
            found.append(kept)
            size += kept.size
            if size >= bytes_most or len(found) >= records_most:
                break
        return found

    def _walk(self, lane: str, place: int, until: int) -> Iterator[Kept]:
        place = self._settled.next_missing(place)
        cursor = self._cursors.get(lane)
        if cursor is None or cursor.place > place or cursor.segment not in self._segments:
            cursor = None
        while place < until:
            segment = self._segment_of(place)
            if segment is None:
                return
            if cursor is None or cursor.segment is not segment:
                cursor = self._cursors[lane] = Cursor(segment, segment.first)
            for frame in self._frames(cursor):
                kept = self._decode(cursor, frame)
                if kept is not None and place <= kept.place < until:
                    yield kept
                if cursor.place >= until:
                    return
            place = self._settled.next_missing(max(place, segment.last + 1))

    def _segment_of(self, place: int) -> Segment | None:
        """Give the segment that holds a place, or the next one behind it."""
        return next((s for s in self._segments if s.last >= place and s.last >= s.first), None)

    def _frames(self, cursor: Cursor) -> Iterator[Frame]:
        """Give the frames of a segment from the cursor on; damage is set aside and stepped over."""
        segment = cursor.segment
        try:
            file = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as failure:
            self._lose(cursor, segment.last + 1, b"", f"segment cannot be opened: {failure}")
            return
        try:
            while cursor.offset < segment.size:
                content = chunk(file, cursor.offset, segment.size)
                base, at = cursor.offset, 0
                while (frame := read_frame(content, at)) is not None:
                    at = frame.end
                    cursor.offset = base + at
                    yield frame
                is_last = base + len(content) >= segment.size
                is_damaged = at == 0 or (is_last and at < len(content))
                if is_damaged and not self._step_over(cursor, content, at):
                    return
        except OSError as failure:
            self._lose(cursor, segment.last + 1, b"", f"segment cannot be read: {failure}")
            cursor.offset = segment.size
        finally:
            os.close(file)

    def _step_over(self, cursor: Cursor, content: memoryview, at: int) -> bool:
        """Go on behind damage, where there is a next frame; what lies between is set aside and counted."""
        frame = find_frame(content, at + 1)
        segment = cursor.segment
        if frame is None:
            self._lose(cursor, segment.last + 1, bytes(content[at:]), "damaged to its end")
            cursor.offset = segment.size
            return False
        self._lose(cursor, max(cursor.place, frame.place), bytes(content[at : frame.start]), "damaged")
        cursor.offset += frame.start - at
        return True

    def _lose(self, cursor: Cursor, next_place: int, content: bytes, why: str) -> None:
        """Count the records between the cursor and the next good one as unreadable."""
        first, last = cursor.place, min(next_place - 1, cursor.segment.last)
        lost = last - first + 1 - self._settled.count(first, last) if first <= last else 0
        log.error("spool.corrupt", segment=cursor.segment.path.name, records=lost, why=why)
        self._corrupt += lost
        self._quarantine.put(f"{first:020d}-corrupt.bin", content)
        if first <= last:
            self._settle_range(first, last)
            cursor.place = last + 1

    def _decode(self, cursor: Cursor, frame: Frame) -> Kept | None:
        """Read a frame; name tables go into the cursor, a record that cannot be read is lost like a damaged one."""
        kind = frame.payload[0] if len(frame.payload) else 0
        try:
            if kind in (Kind.SOURCES, Kind.TAGS):
                self._take_names(cursor, Kind(kind), frame)
                return None
            if frame.place < cursor.place or frame.place > cursor.segment.last:
                return None  # Left over from a write that failed; the right one follows.
            if frame.place > cursor.place:
                self._lose(cursor, frame.place, b"", "missing")
            record = with_ids(decode(frame.payload), cursor)
        except WireError as error:
            self._lose(cursor, frame.place + 1, bytes(frame.payload), str(error))
            return None
        cursor.place = frame.place + 1
        return Kept(place=frame.place, record=record, size=len(frame.payload) + FRAME.size)

    def _take_names(self, cursor: Cursor, kind: Kind, frame: Frame) -> None:
        first, names = decode_names(frame.payload)
        ours = self.sources if kind is Kind.SOURCES else self.tags
        known = cursor.sources if kind is Kind.SOURCES else cursor.tags
        if len(ours) + len(names) > NAMES_MAX:
            raise WireError("name", "There are too many names.")
        if len(known) < first + len(names):  # A lost table leaves a hole of unknown names.
            known = np.concatenate([known, np.full(first + len(names) - len(known), -1, dtype=np.int64)])
        known[first : first + len(names)] = [ours.add(name) for name in names]
        if kind is Kind.SOURCES:
            cursor.sources = known
        else:
            cursor.tags = known

    # --------------------------------------------------------------------------------------------------------- settle

    def settle(self, places: Sequence[int]) -> None:
        """Say that these records need not be sent again: the gateway has made them durable."""
        for first, last in _runs(places):
            self._settled_count += last - first + 1 - self._settled.count(first, last)
            self._settle_range(first, last)
        self._sweep()
        try:
            self.save(force=False)
        except OSError as failure:  # A lost pointer costs sending twice; a stopped uplink would cost more.
            log.warning("spool.not_saved", error=str(failure))

    def refuse(self, kept: Sequence[Kept], reason: str) -> None:
        """Set records aside that the gateway will never take, and settle them."""
        for one in kept:
            self._refused += 1
            source = self.sources.names[one.record.source]
            payload = encode(one.record)
            head = orjson.dumps({"place": one.place, "source": source, "reason": reason[:200]}) + b"\n"
            self._quarantine.put("refused.bin", head + make_frame(one.place, payload))
        self.settle([one.place for one in kept])

    def _settle_range(self, first: int, last: int) -> None:
        if first <= last:
            self._settled.add(first, last)
            self._is_saved = False

    def _sweep(self) -> None:
        """Remove the segments of which everything is settled, but the one being written."""
        tail = None if self._tail is None else self._tail.segment
        for segment in list(self._segments):
            if segment is not tail and self._settled.next_missing(segment.first) > segment.last:
                self._remove(segment)
        if tail is None or tail.size < self._segment_bytes // 2 or len(self._segments) > 1:
            return
        if self._settled.next_missing(tail.first) > tail.last >= tail.first:
            self._close_tail()
            self._remove(tail)

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        try:
            segment.path.unlink(missing_ok=True)
        except OSError as failure:
            log.warning("spool.not_removed", segment=segment.path.name, error=str(failure))

    def save(self, *, force: bool) -> None:
        """Write down what was settled, at most once in ``SAVE_NS``.

        Raises:
            OSError: The medium does not take it.
        """
        now_ns = self._clock.monotonic_ns()
        if self._is_saved or (not force and now_ns - self._saved_ns < SAVE_NS):
            return
        body = {
            "version": VERSION,
            "next": self.next_place,
            "settled": [list(one) for one in self._settled],
            "dropped": dict(self._dropped),
            "corrupt": self._corrupt,
            "refused": self._refused,
            "torn": self._torn,
        }
        raw = orjson.dumps(body)
        self._disk.replace(SETTLED, orjson.dumps({"crc": zlib.crc32(raw), "body": body}))
        self._is_saved, self._saved_ns = True, now_ns

    # ---------------------------------------------------------------------------------------------------------- books

    @property
    def state(self) -> SpoolState:
        """Give the books."""
        return SpoolState(
            waiting=self.waiting,
            bytes=self._bytes(),
            segments=len(self._segments),
            appended=self._appended,
            settled=self._settled_count,
            dropped=dict(self._dropped),
            corrupt=self._corrupt,
            refused=self._refused,
            torn=self._torn,
        )

    @property
    def waiting(self) -> int:
        """Records not settled yet."""
        if not self._segments:
            return 0
        first, last = self._segments[0].first, self._segments[-1].last
        return max(0, last - first + 1 - self._settled.count(first, last)) if first <= last else 0

    def first_unsettled(self, place: int = 1) -> int:
        """Give the first place from here on that is not settled; ``next_place`` where there is none."""
        return min(self._settled.next_missing(place), self.next_place)

    def appended_ns(self, place: int) -> int | None:
        """Tell when a record was appended, monotonic ns; None before this start, or longer ago than ``RECENT_NS``."""
        at_ns = None
        for first, then_ns in self._recent:
            if first > place:
                break
            at_ns = then_ns
        return at_ns

    def first_since(self, monotonic_ns: int) -> int:
        """Give the first place that was appended at this time or later."""
        return next((first for first, at_ns in self._recent if at_ns >= monotonic_ns), self.next_place)

    def close(self) -> None:
        """Write down what was settled and let go of the files."""
        self._close_tail()
        self._sweep()
        self._is_saved = False
        self.save(force=True)

    # ----------------------------------------------------------------------------------------------------------- open

    def _load_settled(self) -> int:
        """Read what was settled; where it cannot be read, everything is sent again, and the gateway knows it again."""
        raw = self._disk.read(SETTLED)
        if raw is None:
            return 1
        try:
            told = orjson.loads(raw)
            body = told["body"]
            assert zlib.crc32(orjson.dumps(body)) == told["crc"], "wrong checksum"
            assert body["version"] == VERSION, "another version"
            self._settled = Ranges([(int(first), int(last)) for first, last in body["settled"]])
            self._dropped = Counter({str(reason): int(n) for reason, n in body["dropped"].items()})
            self._corrupt, self._refused = int(body["corrupt"]), int(body["refused"])
            self._torn = int(body["torn"])
            return int(body["next"])
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as failure:
            log.error("spool.settled_unreadable", error=str(failure))  # noqa: TRY400 - the sentence says all
            self._quarantine.put("settled-corrupt.bin", raw)
            self._settled = Ranges()
            return 1

    def _open_segments(self) -> list[Segment]:
        """Find the segments of earlier starts, and cut the last one's torn end."""
        found = found_segments(self._folder, self._clock)
        if found:
            self._cut(found[-1])
        for segment in found:
            if segment.last < segment.first:
                segment.path.unlink()
        return [segment for segment in found if segment.last >= segment.first]

    def _cut(self, segment: Segment) -> None:
        """Cut what is behind the last segment's good end.

        A torn end was never acknowledged to its source: the flush that would have made it durable did not return.
        """
        content = memoryview(segment.path.read_bytes())
        end, last = good_end(segment, content)
        if end < len(content):
            is_torn = is_cut(content, end)
            self._torn += is_torn
            if not is_torn:  # Whole, but damaged: it may have been acknowledged.
                self._corrupt += 1
                self._quarantine.put(f"{last + 1:020d}-corrupt.bin", bytes(content[end:]))
            log.warning("spool.cut", segment=segment.path.name, bytes=len(content) - end, is_torn=is_torn)
            with segment.path.open("r+b") as file:
                file.truncate(end)
                file.flush()
                self._sync(file.fileno())
            self._is_saved = False
        segment.last, segment.size = last, max(end, len(HEAD)) if last >= segment.first else 0


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join places that follow one another."""
    first = last = None
    for place in sorted(places):
        if last is not None and first is not None and place > last + 1:
            yield first, last
            first = place
        elif first is None:
            first = place
        last = place
    if first is not None and last is not None:
        yield first, last
