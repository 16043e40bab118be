"""The wire form: what is written is read back; a flipped bit, a cut and a foreign version are found."""

import contextlib
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model import Nature
from edge.model.wire import (
    BATCH,
    FRAME,
    RECORDS_MAX,
    SAMPLES_MAX,
    Coded,
    CodedLink,
    CodedScan,
    Kind,
    Names,
    WireError,
    decode,
    decode_batch,
    decode_names,
    digest_of,
    encode,
    encode_batch,
    encode_names,
    find_frame,
    make_frame,
    read_frame,
)
from tests.mutator import mutated

T0 = 1_767_225_600_000_000_000
FRAMES = 1_000_000


def scan(n: int = 3, **more: object) -> CodedScan:
    told: dict[str, object] = {
        "source": 1, "epoch": 7, "number": 42, "received_ns": T0, "ids": np.arange(n), "values": np.arange(n) * 0.1,
        "quality": np.zeros(n, dtype=np.uint8), "times_ns": np.full(n, T0),
    }  # fmt: skip
    return CodedScan(**(told | more))  # type: ignore[arg-type]


def same(one: Coded, other: Coded) -> bool:
    if isinstance(one, CodedLink) or isinstance(other, CodedLink):
        return one == other
    heads = [(s.source, s.epoch, s.number, s.received_ns, s.is_backfill, s.is_retained, s.nature) for s in (one, other)]
    columns = zip(
        (one.ids, one.values, one.quality, one.times_ns), (other.ids, other.values, other.quality, other.times_ns),
        strict=True,
    )  # fmt: skip
    return heads[0] == heads[1] and all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in columns)


@st.composite
def scans(draw: st.DrawFn) -> CodedScan:
    n = draw(st.integers(0, 20))
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    first = draw(st.integers(0, 100_000))
    ids = draw(st.sampled_from([list(range(first, first + n)), column(st.integers(0, 70_000))]))
    times = draw(
        st.sampled_from([[T0] * n, column(st.integers(T0, T0 + 10**9)), column(st.integers(-(2**63), 2**63 - 1))])
    )
    return CodedScan(
        source=draw(st.integers(0, 2**32 - 1)),
        epoch=draw(st.integers(0, 2**64 - 1)),
        number=draw(st.integers(0, 2**64 - 1)),
        received_ns=draw(st.integers(0, 2**63 - 1)),
        ids=np.array(ids, dtype=np.int64),
        values=np.array(column(st.floats() | st.floats(width=32)), dtype=np.float64),
        quality=np.array(column(st.integers(0, 255)), dtype=np.uint8),
        times_ns=np.array(times, dtype=np.int64),
        is_backfill=draw(st.booleans()),
        is_retained=draw(st.booleans()),
        nature=draw(st.sampled_from(Nature)),
    )


@given(scans())
@settings(max_examples=300)
def test_a_scan_is_read_as_it_was_written(made: CodedScan) -> None:
    assert same(decode(memoryview(encode(made))), made)


@given(st.text(max_size=80), st.booleans(), st.booleans())
def test_a_link_is_read_as_it_was_written(reason: str, is_up: bool, is_backfill: bool) -> None:
    link = CodedLink(source=3, is_up=is_up, received_ns=T0, reason=reason, is_backfill=is_backfill)
    assert decode(memoryview(encode(link))) == link


def test_the_published_bytes_of_a_scan() -> None:
    """Built by hand from the layout of the module head, so that the form cannot drift unseen."""
    flags = 4 | 16 | 32 | 128  # ids in a row, float32, one quality, times near one another
    written = struct.pack("<BBHIQQqI", 3, 2, flags, 1, 7, 42, T0, 2)
    written += struct.pack("<Iff", 5, 0.5, float("nan")) + b"\x82" + struct.pack("<qII", T0, 0, 250)
    made = scan(
        2, ids=np.array([5, 6]), values=np.array([0.5, np.nan]), quality=np.array([0x82, 0x82], dtype=np.uint8),
        times_ns=np.array([T0, T0 + 250]), nature=Nature.TEST,
    )  # fmt: skip
    assert encode(made) == written
    frame = make_frame(99, written)
    crc = zlib.crc32(struct.pack("<IQ", len(written), 99) + written)
    assert frame == b"F_" + struct.pack("<IQI", len(written), 99, crc) + written


def test_a_sample_of_a_polled_device_costs_five_bytes() -> None:
    """100 registers as float32, one time an answer, ids in a row."""
    few, many = scan(100), scan(200)
    for made in (few, many):
        made.values[:] = np.float32(made.values)
    assert len(encode(many)) - len(encode(few)) == 400
    mixed = scan(100, quality=np.arange(100, dtype=np.uint8), values=np.full(100, np.float64(np.float32(0.5))))
    assert len(encode(mixed)) - len(encode(few)) == 99


def test_every_flipped_bit_of_a_frame_is_found() -> None:
    frame = make_frame(5, encode(scan(150, values=np.random.default_rng(1).random(150))))
    flips = 0
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert read_frame(memoryview(bytes(damaged)), 0) is None, bit
        flips += 1
    assert flips > 10_000


def test_the_next_frame_is_found_behind_damage() -> None:
    frames = [make_frame(n, encode(scan(n))) for n in range(4)]
    content = bytearray(b"".join(frames))
    content[len(frames[0]) + FRAME.size + 3] ^= 0x10
    found = find_frame(memoryview(bytes(content)), len(frames[0]))
    assert found is not None
    assert (found.place, found.start) == (2, len(frames[0]) + len(frames[1]))
    assert find_frame(memoryview(b"F_" * 50), 0) is None


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_nonsense_is_refused_and_nothing_else(raw: bytes) -> None:
    for kind in (Kind.SCAN, Kind.LINK, Kind.TAGS):
        payload = memoryview(bytes([kind]) + raw)
        for read in (decode, decode_names, lambda p: decode_batch(bytes(p))):
            with contextlib.suppress(WireError):
                read(payload)


def test_a_count_that_promises_too_much_is_refused_before_anything_is_made() -> None:
    raw = bytearray(encode(scan(2)))
    struct.pack_into("<I", raw, 32, SAMPLES_MAX + 1)
    with pytest.raises(WireError, match="more than"):
        decode(memoryview(bytes(raw)))
    with pytest.raises(ValueError, match="carries up to"):
        encode(scan(SAMPLES_MAX + 1))


def tables() -> tuple[Names, Names]:
    sources, tags = Names(), Names()
    sources.add("plc")
    for name in ("TK-101.level", "储罐.液位"):
        tags.add(name)
    return sources, tags


def batch(**more: object) -> bytes:
    told: dict[str, object] = {
        "status": {"now_ns": T0}, "digest": digest_of(*tables()), "table": tables(),
        "records": [(9, encode(scan(2, source=0))), (10, encode(CodedLink(source=0, is_up=True, received_ns=T0)))],
    }  # fmt: skip
    return encode_batch(**(told | more))  # type: ignore[arg-type]


def test_a_batch_is_read_as_it_was_written() -> None:
    read = decode_batch(batch())
    assert read.status == {"now_ns": T0}
    assert read.table is not None
    assert (read.table[0].names, read.table[1].names) == (["plc"], ["TK-101.level", "储罐.液位"])
    assert [place for place, _ in read.records] == [9, 10]
    assert same(read.records[0][1], scan(2, source=0))
    assert decode_batch(batch(table=None)).table is None
    assert decode_batch(batch(records=[])).records == []


def test_every_flipped_bit_and_every_cut_of_a_batch_is_refused() -> None:
    whole = batch()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            decode_batch(bytes(damaged))
    for length in range(len(whole)):
        with pytest.raises(WireError):
            decode_batch(whole[:length])


def test_another_version_is_named() -> None:
    raw = bytearray(batch())
    struct.pack_into("<H", raw, 4, 2)
    struct.pack_into("<I", raw, BATCH.size - 4, zlib.crc32(bytes(raw[: BATCH.size - 4])))
    with pytest.raises(WireError, match="version 2") as caught:
        decode_batch(bytes(raw))
    assert caught.value.reason == "version"


def test_a_table_that_lies_is_refused() -> None:
    with pytest.raises(WireError, match="not the one"):
        decode_batch(batch(digest=bytes(16)))
    names = Names()
    with pytest.raises(WireError, match="twice"):
        names.take(0, ["a", "b", "a"])
    with pytest.raises(WireError, match="goes on at 7"):
        names.take(7, ["a"])
    with pytest.raises(WireError, match="more than"):
        decode_batch(batch(records=[(n, b"") for n in range(RECORDS_MAX + 1)]))
    with pytest.raises(ValueError, match="bytes"):
        encode_names(Kind.TAGS, 0, ["x" * 513])


def test_a_million_records_that_are_almost_right() -> None:
    """What a checksum lets through is a record or refused, and never takes more memory than its bytes promise."""
    samples = [encode(scan(2)), encode(scan(3, times_ns=T0 + np.arange(3))), encode(scan(2, ids=np.array([70_000, 3])))]
    samples.append(encode(CodedLink(source=1, is_up=False, received_ns=T0, reason="断开")))
    refused = read = 0
    began_s = time.process_time()
    for payload in mutated(samples, 212, FRAMES):
        try:
            record = decode(memoryview(payload))
        except WireError:
            refused += 1
            continue
        read += 1
        if read % 50 == 0 and isinstance(record, CodedScan):
            assert len(record.ids) == len(record.values) == len(record.quality) == len(record.times_ns) <= len(payload)
    print(f"wire: {read} read, {refused} refused in {time.process_time() - began_s:.1f} s of processor time")
    assert refused + read == FRAMES
    assert min(refused, read) > FRAMES // 1000
