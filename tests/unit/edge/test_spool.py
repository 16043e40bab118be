"""The spool: what was flushed is there after any cut, damage is found and counted, bounds hold."""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from edge.clock_manual import DEFAULT_START_NS, ManualClock
from edge.config import SpoolBounds
from edge.model import Link, Nature, Scan, Tag, TagTable
from edge.model.wire import CodedLink, CodedScan, make_frame
from edge.spool import HEAD, SETTLED, Kept, Spool

TAGS = TagTable([Tag(name=f"T-{n}.level", source="plc") for n in range(40)])
FAR = 2**62
NS = 1_000_000_000


def scan(number: int, rows: Sequence[int] = range(10), **more: object) -> Scan:
    n = len(rows)
    told: dict[str, object] = {
        "source": "plc", "epoch": 3, "number": number, "received_ns": DEFAULT_START_NS + number,
        "rows": np.array(rows, dtype=np.int32), "values": np.arange(n) + number * 0.1,
        "quality": np.zeros(n, dtype=np.uint8), "times_ns": np.full(n, DEFAULT_START_NS + number),
        "nature": Nature.TEST,
    }  # fmt: skip
    return Scan(**(told | more))  # type: ignore[arg-type]


def open_spool(
    folder: Path, clock: ManualClock | None = None, sync: Callable[[int], None] = os.fsync, **bounds: float
) -> Spool:
    return Spool(folder, TAGS, clock or ManualClock(), replace(SpoolBounds(), **bounds), sync=sync)  # type: ignore[arg-type]


def read_all(spool: Spool, place: int = 1, until: int = FAR) -> list[Kept]:
    return spool.read("test", place, until, FAR, 10**9)


def numbers(kept: Sequence[Kept]) -> list[int]:
    return [one.record.number for one in kept if isinstance(one.record, CodedScan)]


def only_segment(folder: Path) -> Path:
    (path,) = folder.glob("*.seg")
    return path


# ----------------------------------------------------------------------------------------------- what goes in comes out


def test_records_come_out_in_order_with_their_names(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    down = Link(source="gas", is_up=False, received_ns=DEFAULT_START_NS, reason="断开")
    assert spool.append([scan(1), down, scan(2, rows=[39, 3, 3], is_retained=True)]) == 1
    assert spool.append([scan(3, rows=[])]) == 4
    kept = read_all(spool)

    assert [one.place for one in kept] == [1, 2, 3, 4]
    link, odd = kept[1].record, kept[2].record
    assert isinstance(link, CodedLink)
    assert (spool.sources.names[link.source], link.is_up, link.reason) == ("gas", False, "断开")
    assert isinstance(odd, CodedScan)
    assert [spool.tags.names[i] for i in odd.ids] == ["T-39.level", "T-3.level", "T-3.level"]
    assert odd.values.tolist() == scan(2, rows=[39, 3, 3]).values.tolist()
    assert (odd.is_retained, odd.nature, odd.epoch, odd.received_ns) == (True, Nature.TEST, 3, DEFAULT_START_NS + 2)


def test_another_start_with_other_tags_reads_what_the_old_one_wrote(tmp_path: Path) -> None:
    """Rows move when a table changes; names do not."""
    first = open_spool(tmp_path)
    first.append([scan(1), scan(2)])
    first.close()
    moved = TagTable([Tag(name="new", source="plc"), *reversed(TAGS.tags)])
    second = Spool(tmp_path, moved, ManualClock(), SpoolBounds())
    second.append([scan(3, rows=[40, 0])])
    kept = read_all(second)

    named = [[second.tags.names[i] for i in one.record.ids] for one in kept if isinstance(one.record, CodedScan)]
    assert named[0] == named[1] == [f"T-{n}.level" for n in range(10)]
    assert named[2] == ["T-0.level", "new"]
    assert [one.place for one in kept] == [1, 2, 3]


def test_reading_stops_at_its_bounds_and_goes_on(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append([scan(n) for n in range(1, 101)])
    assert len(spool.read("a", 1, FAR, 1, 99)) == 1, "one at least, however long"
    assert numbers(spool.read("a", 2, FAR, FAR, 5)) == [2, 3, 4, 5, 6]
    assert numbers(spool.read("a", 7, 9, FAR, 99)) == [7, 8]
    assert numbers(spool.read("b", 90, FAR, FAR, 99)) == list(range(90, 101)), "another lane, another place"
    assert numbers(spool.read("a", 3, 5, FAR, 99)) == [3, 4], "back, after a request that failed"
    spool.append([scan(101)])
    assert numbers(spool.read("b", 101, FAR, FAR, 99)) == [101]


# -------------------------------------------------------------------------------------------------- settled, and starts


def test_what_was_settled_is_not_sent_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append([scan(n) for n in range(1, 11)])
    spool.settle([8, 9, 10, 1, 2])  # Live went first.
    assert numbers(read_all(spool)) == [3, 4, 5, 6, 7]
    assert (spool.waiting, spool.first_unsettled(), spool.first_unsettled(8)) == (5, 3, 11)
    spool.close()

    again = open_spool(tmp_path)
    assert numbers(read_all(again)) == [3, 4, 5, 6, 7]
    again.settle(range(3, 8))
    assert (again.waiting, list(tmp_path.glob("*.seg"))) == (0, [])
    again.append([scan(11)])
    assert [one.place for one in read_all(again)] == [11], "places go on, also when nothing is left"


def test_a_crash_forgets_at_most_a_second_of_what_was_settled(tmp_path: Path) -> None:
    clock = ManualClock()
    spool = open_spool(tmp_path, clock)
    spool.append([scan(n) for n in range(1, 11)])
    clock.advance_ns(NS)
    spool.settle([1, 2, 3])
    clock.advance_ns(NS // 2)
    spool.settle([4, 5])
    assert numbers(read_all(open_spool(tmp_path))) == [4, 5, 6, 7, 8, 9, 10]


def test_settled_that_cannot_be_read_sends_everything_again(tmp_path: Path) -> None:
    """The gateway knows what it had; a lost pointer must not lose a record."""
    spool = open_spool(tmp_path)
    spool.append([scan(n) for n in range(1, 6)])
    spool.settle([1, 2])
    spool.close()
    whole = (tmp_path / SETTLED).read_bytes()
    for content in (b"", b"{", whole[:-1], whole.replace(b'"next":6', b'"next":7'), b'{"crc":1,"body":[]}', b"null"):
        (tmp_path / SETTLED).write_bytes(content)
        again = open_spool(tmp_path)
        assert numbers(read_all(again)) == [1, 2, 3, 4, 5], content


def test_many_starts_leave_no_empty_files(tmp_path: Path) -> None:
    for n in range(1, 6):
        spool = open_spool(tmp_path)
        spool.append([scan(n)])
        spool.close()
        open_spool(tmp_path).close()
    assert numbers(read_all(open_spool(tmp_path))) == [1, 2, 3, 4, 5]
    assert len(list(tmp_path.glob("*.seg"))) == 5


# ------------------------------------------------------------------------------------------------------ cuts and damage


def ignore(_file: int) -> None:
    """Flush nothing: these tests cut and flip by themselves."""


def filled(folder: Path, count: int = 6) -> bytes:
    spool = open_spool(folder)
    for n in range(1, count + 1):
        spool.append([scan(n)])
    return only_segment(folder).read_bytes()


def test_a_cut_at_every_byte_of_the_last_record_costs_that_record_alone(tmp_path: Path) -> None:
    """kill -9 and power cuts leave a torn end; everything before it is there."""
    whole = filled(tmp_path)
    path = only_segment(tmp_path)
    last = whole.rindex(b"F_")
    for length in range(last, len(whole)):
        path.write_bytes(whole[:length])
        spool = open_spool(tmp_path, sync=ignore)
        assert numbers(read_all(spool)) == [1, 2, 3, 4, 5], length
        state = spool.state
        assert (state.corrupt, state.torn) == (0, int(length > last)), length
        spool.append([scan(7)])
        assert [one.place for one in read_all(spool)] == [1, 2, 3, 4, 5, 6], "the cut record's place is free"
        for made in tmp_path.glob("*.seg"):
            made.unlink()


def test_every_flipped_bit_is_found_and_costs_one_record(tmp_path: Path) -> None:
    """Flips all over a segment: never a wrong value, never a lost neighbour."""
    whole = filled(tmp_path, 12)
    path = only_segment(tmp_path)
    right = {n: scan(n).values.tolist() for n in range(1, 13)}
    tags_end = whole.index(b"F_", whole.index(b"T-9.level"))
    luck = Random(1)
    bits = luck.sample(range(len(HEAD) * 8, len(whole) * 8), 800)
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(damaged))
        spool = open_spool(tmp_path, sync=ignore)
        kept = read_all(spool)
        got = {one.record.number: one.record.values.tolist() for one in kept if isinstance(one.record, CodedScan)}
        assert got.items() <= right.items(), bit
        state = spool.state
        if bit // 8 >= tags_end:
            assert len(got) == 11, (bit, sorted(got))
            assert state.corrupt + state.torn == 1, (bit, state)
        else:  # A name table: what it names cannot be known any more.
            assert len(got) + state.corrupt == 12, (bit, state)
    assert list((tmp_path / "quarantine").iterdir()), "for a person to look at"


def test_damage_in_an_older_segment_is_stepped_over(tmp_path: Path) -> None:
    whole = filled(tmp_path, 5)
    path = only_segment(tmp_path)
    places = [at for at in range(len(whole)) if whole[at : at + 2] == b"F_"]
    damaged = bytearray(whole)
    damaged[places[3] + 30] ^= 0xFF
    path.write_bytes(bytes(damaged[: places[-1] + 40]))  # … and its end is gone.
    later = open_spool(tmp_path)  # Cuts; what follows goes into a segment of its own.
    later.append([scan(6)])
    got = numbers(read_all(later))
    assert got == [1, 3, 4, 6], got
    assert later.state.corrupt == 1
    assert numbers(read_all(later)) == [1, 3, 4, 6]
    assert later.state.corrupt == 1, "told once"


def test_a_frame_with_a_right_checksum_and_nonsense_inside_is_set_aside(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    path = only_segment(tmp_path)
    path.write_bytes(path.read_bytes() + make_frame(4, b"\x03nonsense"))
    spool = open_spool(tmp_path)
    assert numbers(read_all(spool)) == [1, 2, 3]
    assert spool.state.corrupt == 1


def test_a_lost_file_is_a_hole_and_no_end(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, records_max=800)
    for n in range(1, 400):
        spool.append([scan(n, rows=range(40))])
    paths = sorted(tmp_path.glob("*.seg"))
    assert len(paths) > 3
    paths[1].unlink()
    got = numbers(read_all(spool))
    assert got[0] == 1
    assert got[-1] == 399
    assert spool.state.corrupt == 399 - len(got)


# --------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [({"bytes_max": 64 * 1024}, "bytes"), ({"records_max": 100}, "records"), ({"age_s_max": 50.0}, "age")],
)
def test_the_oldest_goes_first_and_is_counted(tmp_path: Path, bounds: dict[str, float], reason: str) -> None:
    clock = ManualClock()
    spool = open_spool(tmp_path, clock, **bounds)
    for n in range(1, 601):
        clock.advance_ns(NS)
        spool.append([scan(n)])
    got = numbers(read_all(spool))
    state = spool.state

    assert got == list(range(601 - len(got), 601)), "the newest are there, without a hole"
    assert state.dropped == {reason: 600 - len(got)}
    if reason == "bytes":
        assert 32 * 1024 < state.bytes <= 64 * 1024
    elif reason == "records":
        assert 80 <= len(got) <= 100
    else:
        assert 50 <= len(got) <= 59
    spool.close()
    assert open_spool(tmp_path, ManualClock(), **bounds).state.dropped == state.dropped, "the counter outlives a start"


def test_what_was_settled_is_not_counted_as_dropped(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, records_max=80)
    for n in range(1, 201):
        place = spool.append([scan(n)])
        if n % 2:
            spool.settle([place])
    assert spool.state.dropped == {"records": 100 - spool.waiting}


def test_a_clock_that_was_never_set_does_not_make_records_old(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    os.utime(only_segment(tmp_path), (1000, 1000))  # Written in 1970, before the time service answered.
    spool = open_spool(tmp_path, age_s_max=3600.0)
    spool.append([scan(4)])
    assert numbers(read_all(spool)) == [1, 2, 3, 4]


# -------------------------------------------------------------------------------------------------------- faulty medium


class Medium:
    """Fails at the n-th flush."""

    def __init__(self, fails_at: int) -> None:
        self.flushes, self.fails_at = 0, fails_at

    def sync(self, file: int) -> None:
        self.flushes += 1
        if self.flushes == self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fsync(file)


def test_a_failed_flush_at_every_point_loses_and_repeats_nothing(tmp_path: Path) -> None:
    for point in range(1, 30):
        medium = Medium(point)
        folder = tmp_path / str(point)
        spool = open_spool(folder, sync=medium.sync, records_max=40)
        failures = 0
        for n in range(1, 16):
            for _ in range(2):
                try:
                    spool.append([scan(n)])
                    break
                except OSError:
                    failures += 1
        assert failures == (medium.flushes >= point)
        assert numbers(read_all(spool)) == list(range(1, 16)), point
        spool.save(force=True)
        assert numbers(read_all(open_spool(folder))) == list(range(1, 16)), point
    assert medium.flushes < point, "every point was reached"


class CutMedium:
    """Remembers what a power cut at each flush would leave: what was flushed, and what only the cache had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flushed: dict[str, bytes] = {}
        self.named: set[str] = set()
        self.cuts: list[tuple[dict[str, bytes], dict[str, int], int]] = []  # left, lost bytes, records told as taken
        self.taken = 0

    def sync(self, file: int) -> None:
        self.cut()
        path = Path(f"/proc/self/fd/{file}").readlink()
        if path == self.folder:
            self.named = {made.name for made in self.folder.glob("*.seg")}
        else:
            self.flushed[path.name] = path.read_bytes()

    def cut(self) -> None:
        left = {name: self.flushed[name] for name in self.named if name in self.flushed}
        lost = {name: (self.folder / name).stat().st_size - len(body) for name, body in left.items()}
        self.cuts.append((left, lost, self.taken))


@pytest.mark.parametrize("tail", ["gone", "zeros", "noise"])
def test_a_power_cut_at_any_flush_leaves_all_that_was_told_as_taken(tmp_path: Path, tail: str) -> None:
    """A medium keeps what was flushed; of what was not, nothing, blocks of zeros, or what lay there before."""
    live, dice = tmp_path / "live", Random(4)
    live.mkdir()
    medium = CutMedium(live)
    spool = open_spool(live, sync=medium.sync, bytes_max=10_000_000, records_max=200)  # 25 records a segment
    for n in range(1, 61, 2):
        spool.append([scan(n), scan(n + 1)])
        medium.taken = n + 1
    medium.cut()
    assert len(medium.cuts) > 30
    for at, (left, lost, taken) in enumerate(medium.cuts):
        folder = tmp_path / str(at)
        folder.mkdir()
        for name, body in left.items():
            size = max(0, lost[name])
            more = {"gone": b"", "zeros": bytes(size), "noise": dice.randbytes(size)}[tail]
            (folder / name).write_bytes(body + more)
        again = open_spool(folder, sync=ignore)
        assert numbers(read_all(again)) == list(range(1, taken + 1)), at
        again.append([scan(99)])
        assert numbers(read_all(again))[-1] == 99
        # What lay there before cannot be told from a record that was flushed and is damaged; that is said.
        assert again.state.corrupt <= (tail == "noise")


def test_a_write_that_stops_half_way_is_cut_off(tmp_path: Path) -> None:
    """The file was longer than its good end when the process died before it could cut it."""
    spool = open_spool(tmp_path)
    spool.append([scan(1), scan(2)])
    path = only_segment(tmp_path)
    half = make_frame(3, b"x" * 50)
    path.write_bytes(path.read_bytes() + half[:30])
    assert numbers(read_all(spool)) == [1, 2]
    again = open_spool(tmp_path)
    again.append([scan(3)])
    assert numbers(read_all(again)) == [1, 2, 3]


def test_what_the_gateway_never_takes_is_set_aside(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append([scan(1), scan(2)])
    spool.refuse(read_all(spool)[:1], "unknown_source")
    assert numbers(read_all(spool)) == [2]
    assert spool.state.refused == 1
    kept = (tmp_path / "quarantine" / "refused.bin").read_bytes()
    assert kept.startswith(b'{"place":1,"source":"plc","reason":"unknown_source"}\n')


def test_moments_of_appends_are_remembered(tmp_path: Path) -> None:
    clock = ManualClock()
    spool = open_spool(tmp_path, clock)
    for n in range(1, 6):
        spool.append([scan(2 * n), scan(2 * n + 1)])
        clock.advance_ns(NS)
    assert spool.first_since(2 * NS) == 5
    assert spool.first_since(9 * NS) == spool.next_place == 11
    assert (spool.appended_ns(1), spool.appended_ns(6)) == (0, 2 * NS)
    assert open_spool(tmp_path, clock).appended_ns(1) is None
