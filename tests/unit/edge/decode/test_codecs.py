"""Each codec gives what its cases say, and for any payload a value or a counted refusal, never an exception."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.codec.binary import Layout, read_binary
from edge.decode.codec.event import EventLayout, read_event
from edge.decode.codec.hj212 import Unframer, answer_of, crc_of, read_frame, read_hj212, read_segment, values_of
from edge.decode.codec.json_batch import read_batch
from edge.decode.codec.json_value import read_value
from edge.decode.codec.number import read_number
from edge.decode.codec.senml import RECORDS_MAX, read_senml
from edge.decode.codec.sparkplug import METRICS_MAX, REBIRTH, bdseq_of, read_payload, reading_of, rebirth_payload
from edge.decode.payload import NO_TIME, Batch, Reading, Refusal
from edge.load import ConfigError, load
from edge.load.source import FORMATS
from edge.model.quality import describe
from tests.mutator import mutated

FOLDER = Path(__file__).parents[4] / "edge" / "decode" / "codec"
CODECS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "cases.json").is_file())
NOW_NS = 1_767_000_000_000_000_000
FRAMES = 1_000_000
#: Read by a collector of its own and no format of a topic.
PROTOCOLS = {"sparkplug"}


def read(codec: str, payload: bytes, case: dict[str, Any]) -> Batch | Refusal:
    if codec == "number":
        return batch_of(read_number(payload))
    if codec == "json_value":
        return batch_of(read_value(payload, tuple(case.get("layout", {}).get("value", ("v",))), ("ts",)))
    if codec == "json_batch":
        return read_batch(payload, ("v",), ("ts",), case.get("count", 0))
    if codec == "senml":
        return read_senml(payload, NOW_NS)
    if codec == "hj212":
        return read_hj212(payload)
    if codec == "event":
        layout = {key: tuple(way) if isinstance(way, list) else way for key, way in case.get("layout", {}).items()}
        return read_event(payload, EventLayout(**layout))
    if codec == "sparkplug":
        return metrics_of(payload)
    return read_binary(payload, Layout(**case.get("layout", {})), case.get("count", 1))


def batch_of(reading: Reading | Refusal) -> Batch | Refusal:
    """Give one reading as a batch."""
    if isinstance(reading, Refusal):
        return reading
    value, quality, time_ns = reading
    return Batch(
        names=None,
        values=np.array([value]),
        quality=np.array([quality], dtype=np.uint8),
        times_ns=np.array([time_ns], dtype=np.int64),
    )


def metrics_of(payload: bytes) -> Batch | Refusal:
    """Read all metrics by the types that stand in the payload itself, as a birth is read."""
    found = read_payload(payload)
    if isinstance(found, Refusal):
        return found
    readings = [reading_of(metric, metric.datatype) for metric in found.metrics]
    return Batch(
        names=[metric.name for metric in found.metrics],
        values=np.array([value for value, _ in readings], dtype=np.float64),
        quality=np.array([quality for _, quality in readings], dtype=np.uint8),
        times_ns=np.array([max(metric.time_ms * 1_000_000, NO_TIME) for metric in found.metrics], dtype=np.int64),
    )


def cases() -> list[tuple[str, dict[str, Any]]]:
    return [(name, case) for name in CODECS for case in json.loads((FOLDER / name / "cases.json").read_text("utf-8"))]


def payload_of(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["hex"]) if "hex" in case else case["payload"].encode()


@pytest.mark.parametrize(("codec", "case"), cases())
def test_a_case(codec: str, case: dict[str, Any]) -> None:
    found = read(codec, payload_of(case), case)
    if "refused" in case:
        assert found is Refusal(case["refused"])
        return
    assert isinstance(found, Batch)
    names = found.names or [""] * len(found.values)
    told = [
        (name, None if np.isnan(value) else value, describe(int(quality)), max(int(time), 0))
        for name, value, quality, time in zip(names, found.values, found.quality, found.times_ns, strict=True)
    ]
    for (name, value, quality, time_ns), expected in zip(told, case["values"], strict=True):
        assert [name, value] == expected[:2]
        if value is None:
            assert quality == f"BAD({expected[2]})"
        else:
            assert [quality, time_ns] == [*(expected[3:] or ["GOOD"]), expected[2]]


def test_every_codec_has_its_folder_and_the_formats_name_it() -> None:
    assert {name.replace("_", "-") for name in CODECS} == set(FORMATS) | PROTOCOLS
    for name in CODECS:
        page = (FOLDER / name / "README.md").read_text("utf-8")
        assert f'{"protocol" if name in PROTOCOLS else "format"} = "{name.replace("_", "-")}"' in page
        assert "```toml" in page


@pytest.mark.parametrize("codec", sorted(set(CODECS) - PROTOCOLS))
def test_the_sample_of_a_codec_is_a_topic_that_can_be_read(codec: str, tmp_path: Path) -> None:
    page = (FOLDER / codec / "README.md").read_text("utf-8")
    sample = page.split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "tags.csv").write_text("tag,source,unit\nA,s,U\n", "utf-8")
    (tmp_path / "site.toml").write_text(
        '[site]\nid = "x"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n'
        f'[[source]]\nid = "s"\nprotocol = "mqtt"\nhost = "127.0.0.1"\n{sample}',
        "utf-8",
    )
    mistakes: list[str] = []
    try:
        load(tmp_path / "site.toml", environ={})
    except ConfigError as refused:  # The sample's tags are another plant's; all else is right.
        mistakes = [one.path for one in refused.mistakes if "topic" in one.path and "tag" not in one.path]
    assert mistakes == []


def framed(segment: bytes) -> bytes:
    """Make a frame around a segment, so that what is wrong in it is not always found by the CRC."""
    return b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment))


def segment_or_frame(segment: bytes) -> object:
    """Read a segment, each eighth in a frame: a checksum in Python, made and read, costs as much as all the rest."""
    if len(segment) % 8 == 0:
        return read_hj212(framed(segment))
    frame = read_segment(segment)
    return frame if isinstance(frame, Refusal) else values_of(frame)


def halves(segment: bytes) -> list[bytes]:
    """Give a long segment as two with half of its groups each, so that more of a million mutations hit each group."""
    head, body = segment[:-2].split(b"CP=&&")
    time, *groups = body.split(b";")
    cut = len(groups) if len(groups) < 4 else len(groups) // 2
    parts = [groups[:cut], groups[cut:]]
    return [head + b"CP=&&" + b";".join([time, *part]) + b"&&" for part in parts if part]


def decoders() -> dict[str, tuple[Callable[[bytes], object], list[bytes]]]:
    layout = Layout(type="float32", skip=8, time_at=0)
    right = [(name, payload_of(case)) for name, case in cases() if "refused" not in case]
    good = {name: [payload for of, payload in right if of == name] for name in CODECS}
    header = bytes.fromhex("6b1f68699b010000")
    one = [b'{"ts":1767268800,"v":4.5}', b'{"ts":"2026-01-01T12:00:00Z","v":"7"}', b'{"v":null}']
    many = [
        b'{"ts":1767268800,"v":[120,118]}',
        b'{"ts":{"a":1},"v":{"a":4.31,"b":"x"}}',
        b'{"ts":[1,2],"v":[null,1e9]}',
    ]
    return {
        "json-value": (lambda payload: read_value(payload, ("v",), ("ts",)), one),
        "json-batch": (lambda payload: read_batch(payload, ("v",), ("ts",), 2), many),
        "number": (read_number, good["number"]),
        "senml": (lambda payload: read_senml(payload, NOW_NS), [p for p in good["senml"] if len(p) < 120]),
        "hj212": (segment_or_frame, [part for payload in good["hj212"] for part in halves(payload[6:-6])]),
        "binary": (
            lambda payload: read_binary(payload, layout, 2),
            [header + bytes.fromhex("0000803f0000c07f")],
        ),
        "event": (
            lambda payload: read_event(payload, EventLayout(codes={"start": 1.0, "end": 0.0})),
            [
                b'{"event":"smoke","state":"start","ts":1767268800}',
                b'[{"event":7,"state":42},{"event":"b","state":null}]',
            ],
        ),
        "sparkplug": (metrics_of, [cut[:120] for payload in good["sparkplug"] for cut in (payload, payload[:60])]),
    }


@pytest.mark.parametrize("codec", sorted({*FORMATS, *PROTOCOLS}))
def test_a_million_payloads_that_are_almost_right(codec: str) -> None:
    decode, samples = decoders()[codec]
    refused = read_well = 0
    began_s = time.process_time()
    for payload in mutated(samples, 212, FRAMES):
        found = decode(payload)
        if isinstance(found, Refusal):
            refused += 1
            continue
        read_well += 1
        if isinstance(found, tuple):
            value, quality, time_ns = found
            assert np.isfinite(value) == (quality < 2 << 6), payload
            assert time_ns >= NO_TIME, payload
        elif read_well % 50 == 0:  # Array checks cost ten times the decoding.
            assert isinstance(found, Batch)
            assert len(found.values) <= RECORDS_MAX, payload
            assert (np.isfinite(found.values) == (found.quality < 2 << 6)).all(), payload
            assert (found.times_ns >= NO_TIME).all(), payload
    print(f"{codec}: {read_well} read, {refused} refused in {time.process_time() - began_s:.1f} s of processor time")
    assert refused + read_well == FRAMES
    assert min(refused, read_well) > FRAMES // 1000


@given(st.binary(max_size=400))
def test_any_bytes(payload: bytes) -> None:
    for decode, _ in decoders().values():
        decode(payload)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["bn", "bt", "bv", "n", "t", "v", "vs", "vb", "s", "bver", "x_"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_json(document: object) -> None:
    payload = json.dumps(document).encode()
    for decode, _ in decoders().values():
        decode(payload)


def test_a_pack_without_end_is_refused_before_it_is_resolved() -> None:
    assert read_senml(b"[" + b'{"n":"a","v":1},' * RECORDS_MAX + b'{"n":"a","v":1}]', NOW_NS) is Refusal.MALFORMED
    assert read_senml(b"[" * 100_000, NOW_NS) is Refusal.MALFORMED


def test_a_time_beyond_every_clock_is_refused() -> None:
    for time_s in ("1e308", "-1e308", "1e303", "1e30", "9e18"):
        assert read_senml(b'[{"n":"a","v":1,"t":%s}]' % time_s.encode(), NOW_NS) is Refusal.MALFORMED, time_s


def test_the_crc_of_the_standard_is_not_that_of_modbus() -> None:
    segment = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
    assert crc_of(segment) == 0x1C80  # HJ 212-2017 appendix A
    assert crc_of(segment) != 0x0759  # CRC-16/MODBUS of the same bytes


def test_frames_are_cut_out_of_any_stream_in_any_pieces() -> None:
    frames = [payload_of(case) for name, case in cases() if name == "hj212" and "values" in case]
    stream = b"noise#" + frames[0] + b"##12" + frames[1] + b"##0004abcdefghij" + frames[2] + b"#"
    for size in (1, 3, 7, 1000):
        cut = Unframer()
        found = [frame for at in range(0, len(stream), size) for frame in cut.feed(stream[at : at + size])]
        assert found == [frame[:-2] for frame in frames]
        assert cut.stray == len(b"noise#" + b"##12" + b"##0004abcdefghij")


def test_a_stream_without_end_is_never_held() -> None:
    cut = Unframer()
    for _ in range(1000):
        assert cut.feed(b"#" * 1000) == []
        assert cut.feed(b"##9999" + b"x" * 20_000) == []
    assert cut.stray > 20_000_000


def test_the_answer_is_the_standards_and_can_be_read() -> None:
    asked = read_frame(
        framed(b"QN=20160801085857223;ST=32;CN=2011;PW=123456;MN=M1;Flag=5;CP=&&DataTime=20160801085857&&")
    )
    assert not isinstance(asked, Refusal)
    assert asked.wants_answer
    answer = answer_of(asked)
    # HJ 212-2017 appendix C, table C.14: what the supervisor answers.
    segment = b"QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=M1;Flag=4;CP=&&&&"
    assert answer == framed(segment)
    back = read_frame(answer)
    assert not isinstance(back, Refusal)
    assert (back.command, back.request, back.wants_answer) == ("9014", asked.request, False)


# -------------------------------------------------------------------------------------------------------- Sparkplug B


def test_the_one_command_is_byte_for_byte_that_of_another_library() -> None:
    """sparkplug-payload 1.0.3, encodePayload of the metric with name, timestamp, type Boolean and value true."""
    said = "0880acb7cbb73312210a144e6f646520436f6e74726f6c2f526562697274681880acb7cbb733200b7001"
    assert rebirth_payload(1_767_268_800_000).hex() == said
    back = read_payload(rebirth_payload(1_767_268_800_000))
    assert not isinstance(back, Refusal)
    assert back.seq == -1, "a command has no sequence number (3.0.0, §6.4.23)"
    assert [(metric.name, metric.value) for metric in back.metrics] == [(REBIRTH, True)]


def test_a_payload_of_endless_metrics_is_refused_and_one_below_is_read() -> None:
    assert read_payload(b"\x12\x00" * (METRICS_MAX + 1)) is Refusal.MALFORMED
    full = read_payload(b"\x12\x00" * METRICS_MAX)
    assert not isinstance(full, Refusal)
    assert len(full.metrics) == METRICS_MAX


def test_nested_messages_without_end_are_passed_by_or_refused() -> None:
    """Templates hold metrics that hold templates (field 18): what is not read is not descended into."""
    inner = b"\x08\x01"
    while len(inner) < 60_000:
        for field in (b"\x12", b"\x92\x01"):  # metrics of a template; template_value of a metric
            size, length = len(inner), bytearray()
            while size > 0x7F:
                length.append(size & 0x7F | 0x80)
                size >>= 7
            inner = field + bytes([*length, size]) + inner
    found = read_payload(inner)
    assert isinstance(found, Refusal) or len(found.metrics) <= 1


@pytest.mark.parametrize(
    ("datatype", "field", "raw", "value"),
    [
        (1, "int_value", 0xFD, -3),  # in the type's own width
        (1, "int_value", 0xFFFF_FFFD, -3),  # in 32 bits, as Tahu writes it
        (3, "long_value", 2**64 - 3, -3),  # in 64 bits
        (1, "int_value", 0x100, None),
        (5, "int_value", 0x100, None),
        (6, "int_value", 0xFFFF_FFFF, None),
        (7, "int_value", 2**32 - 1, 2**32 - 1),
        (4, "long_value", 2**63, -(2**63)),
        (8, "long_value", 2**63, 2.0**63),
        (9, "int_value", 1, None),  # no float
        (11, "int_value", 1, None),  # no boolean
        (0, "int_value", 1, None),  # no type
        (99, "int_value", 1, None),
    ],
)
def test_whole_numbers_in_any_width_and_no_other_field(
    datatype: int, field: str, raw: int, value: float | None
) -> None:
    """Fields are those of Sparkplug 3.0.0, §6.4.1, written by hand: varints of int_value (10) and long_value (11)."""
    varint, rest = bytearray(), raw
    while rest > 0x7F:
        varint.append(rest & 0x7F | 0x80)
        rest >>= 7
    metric = bytes([0x20, datatype, {"int_value": 0x50, "long_value": 0x58}[field], *varint, rest])
    found = read_payload(bytes([0x12, len(metric)]) + metric)
    assert not isinstance(found, Refusal)
    reading, quality = reading_of(found.metrics[0], datatype)
    if value is None:
        assert describe(quality) == "BAD(malformed)"
    else:
        assert (reading, describe(quality)) == (value, "GOOD")


def test_a_stamp_that_no_clock_shows_is_told_apart_from_none() -> None:
    found = read_payload(bytes.fromhex("08ffffffffffffffffff01" + "120a" + "18ffffffffffffffff7f"))
    assert not isinstance(found, Refusal)
    assert (found.time_ms, found.metrics[0].time_ms) == (-1, -1)
    assert bdseq_of(found) == -1
