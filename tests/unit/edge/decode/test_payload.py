"""JSON payloads: what is a value, what is BAD, what is refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.codec.json_batch import read_batch
from edge.decode.codec.json_value import read_value
from edge.decode.payload import NO_TIME, Batch, Refusal, number_of, numbers_of, path_of
from edge.model.quality import describe

NOON_NS = 1_767_268_800_000_000_000


def value_of(payload: str | bytes, value: str = "v", time: str | None = "ts") -> tuple[float, str, int] | Refusal:
    raw = payload.encode() if isinstance(payload, str) else payload
    reading = read_value(raw, path_of(value), None if time is None else path_of(time))
    return reading if isinstance(reading, Refusal) else (reading[0], describe(reading[1]), reading[2])


@pytest.mark.parametrize(
    ("payload", "path", "want"),
    [
        ('{"v": 1.5, "ts": "2026-01-01T12:00:00Z"}', "v", (1.5, "GOOD", NOON_NS)),
        ('{"v": 3, "ts": 1767268800}', "v", (3.0, "GOOD", NOON_NS)),
        ('{"v": 3}', "v", (3.0, "GOOD", NO_TIME)),
        ('{"v": 3, "ts": null}', "v", (3.0, "GOOD", NO_TIME)),
        ('{"d": {"lel": 4.5}, "ts": 1767268800000}', "d.lel", (4.5, "GOOD", NOON_NS)),
        ("4.5", "", (4.5, "GOOD", NO_TIME)),
        ('{"v": true}', "v", (1.0, "GOOD", NO_TIME)),
        ('{"v": false}', "v", (0.0, "GOOD", NO_TIME)),
        ('{"v": "12.5"}', "v", (12.5, "GOOD", NO_TIME)),
        ('{"v": 18446744073709551615}', "v", (18446744073709551615.0, "GOOD", NO_TIME)),
    ],
)
def test_a_good_value(payload: str, path: str, want: tuple[float, str, int]) -> None:
    assert value_of(payload, path) == want


@pytest.mark.parametrize(
    ("payload", "quality"),
    [
        ('{"v": null}', "BAD(device)"),
        ('{"v": "NaN"}', "BAD(not_a_number)"),
        ('{"v": "-Infinity"}', "BAD(not_a_number)"),
        ('{"v": "n/a"}', "BAD(malformed)"),
        ('{"v": ""}', "BAD(malformed)"),
        ('{"v": [1]}', "BAD(malformed)"),
        ('{"v": {"x": 1}}', "BAD(malformed)"),
    ],
)
def test_what_is_no_number_is_bad_and_never_zero(payload: str, quality: str) -> None:
    reading = value_of(payload)
    assert not isinstance(reading, Refusal)
    assert math.isnan(reading[0])
    assert reading[1] == quality


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        '{"w": 1}',
        "[1, 2]",
        "7",
        '"v"',
        '{"v": NaN}',
        '{"v": 1} {"v": 2}',
        b"\xff\xfe\x00",
        b'{"v": "\xff"}',
        '{"v": 1, "ts": "2026-01-01T12:00:00"}',
        '{"v": 1, "ts": "soon"}',
        '{"v": 1, "ts": {}}',
        '{"v": 1, "ts": -5}',
        "[" * 100_000,
        '{"v":' * 5_000 + "1" + "}" * 5_000,
    ],
)
def test_a_malformed_payload_is_refused(payload: str | bytes) -> None:
    assert value_of(payload) is Refusal.MALFORMED


@given(st.binary(max_size=200))
def test_no_bytes_raise(payload: bytes) -> None:
    read_value(payload, ("v",), ("ts",))
    read_value(payload, (), None)
    read_batch(payload, ("v",), ("ts",), 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON, stamp=JSON)
def test_no_document_raises_and_bad_is_never_a_number(value: object, stamp: object) -> None:
    payload = json.dumps({"v": value, "ts": stamp}).encode()
    reading = read_value(payload, ("v",), ("ts",))
    if not isinstance(reading, Refusal):
        assert math.isnan(reading[0]) == (reading[1] != 0)
        assert reading[2] == NO_TIME or 0 <= reading[2] < 2**63
    read_batch(payload, ("v",), ("ts",), 2)


@given(st.lists(JSON, max_size=8))
def test_many_values_are_read_as_each_alone(found: list[object]) -> None:
    values, quality = numbers_of(found)
    each = [number_of(one) for one in found]
    np.testing.assert_array_equal(values, np.array([value for value, _ in each], dtype=np.float64))
    assert quality.tolist() == [byte for _, byte in each]


def batch_of(document: object, count: int = 2) -> Batch | Refusal:
    return read_batch(json.dumps(document).encode(), ("v",), ("ts",), count)


def test_a_list_by_position_has_one_time() -> None:
    batch = batch_of({"ts": 1767268800, "v": [1, 2.5]})
    assert isinstance(batch, Batch)
    assert batch.names is None
    assert batch.values.tolist() == [1.0, 2.5]
    assert batch.times_ns.tolist() == [NOON_NS, NOON_NS]
    assert batch.quality.tolist() == [0, 0]


def test_a_list_of_times_goes_with_a_list_of_values() -> None:
    batch = batch_of({"ts": [1767268800, None], "v": [1, None]})
    assert isinstance(batch, Batch)
    assert batch.times_ns.tolist() == [NOON_NS, NO_TIME]
    assert [describe(int(q)) for q in batch.quality] == ["GOOD", "BAD(device)"]


def test_an_object_by_name() -> None:
    batch = batch_of({"ts": {"b": 1767268800000}, "v": {"a": "x", "b": True}}, 0)
    assert isinstance(batch, Batch)
    assert batch.names == ["a", "b"]
    assert batch.values[1] == 1.0
    assert [describe(int(q)) for q in batch.quality] == ["BAD(malformed)", "GOOD"]
    assert batch.times_ns.tolist() == [NO_TIME, NOON_NS]


@pytest.mark.parametrize(
    "document",
    [
        {"v": [1]},
        {"v": [1, 2, 3]},
        {"v": 1},
        {"v": "12"},
        {"v": [1, 2], "ts": [1]},
        {"v": [1, 2], "ts": ["2026-01-01T12:00:00", None]},
        {"v": [1, 2], "ts": {"a": 1}},
        {"v": [1, 2], "ts": "noon"},
        {},
        [],
    ],
)
def test_a_batch_of_another_shape_is_refused(document: object) -> None:
    assert batch_of(document) is Refusal.MALFORMED
