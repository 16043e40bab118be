"""Each codec gives what its cases say, and for any payload a value or a counted refusal, never an exception."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.codec.binary import Layout, read_binary
from edge.decode.codec.number import read_number
from edge.decode.codec.senml import RECORDS_MAX, read_senml
from edge.decode.payload import NO_TIME, Batch, Refusal, read_batch, read_value
from edge.load.source import FORMATS
from edge.model.quality import describe
from tests.mutator import mutated

FOLDER = Path(__file__).parents[4] / "edge" / "decode" / "codec"
CODECS = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "cases.json").is_file())
NOW_NS = 1_767_000_000_000_000_000
FRAMES = 1_000_000


def read(codec: str, payload: bytes, case: dict[str, Any]) -> Batch | Refusal:
    if codec == "number":
        reading = read_number(payload)
        if isinstance(reading, Refusal):
            return reading
        value, quality, time_ns = reading
        return Batch(
            names=None,
            values=np.array([value]),
            quality=np.array([quality], dtype=np.uint8),
            times_ns=np.array([time_ns], dtype=np.int64),
        )
    if codec == "senml":
        return read_senml(payload, NOW_NS)
    return read_binary(payload, Layout(**case.get("layout", {})), case.get("count", 1))


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
    expected = [
        (name, value, "GOOD" if value is not None else f"BAD({time_or_reason})", 0 if value is None else time_or_reason)
        for name, value, time_or_reason in case["values"]
    ]
    assert told == expected


def test_every_codec_has_its_folder_and_the_formats_name_it() -> None:
    assert set(CODECS) == set(FORMATS) - {"json-value", "json-batch"}
    for name in CODECS:
        page = (FOLDER / name / "README.md").read_text("utf-8")
        assert f'format = "{name}"' in page
        assert "```toml" in page


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
        "binary": (
            lambda payload: read_binary(payload, layout, 2),
            [header + bytes.fromhex("0000803f0000c07f")],
        ),
    }


@pytest.mark.parametrize("codec", sorted(FORMATS))
def test_a_million_payloads_that_are_almost_right(codec: str) -> None:
    decode, samples = decoders()[codec]
    refused = read_well = 0
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
