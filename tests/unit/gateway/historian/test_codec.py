"""What goes into a chunk comes out: times and quality exactly, values exactly or within half a step."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gateway.historian import codec

T0 = 1_767_225_600_000_000_000
FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def make_times(gaps: list[int]) -> np.ndarray:
    return T0 + np.cumsum(np.array(gaps, dtype=np.int64))


@st.composite
def columns(draw: st.DrawFn, values: st.SearchStrategy[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 60))
    gap = st.one_of(st.just(10**9), st.integers(1, 10**13), st.sampled_from([10**6, 10**9, 3 * 10**9]))
    times_ns = make_times(draw(st.lists(gap, min_size=n, max_size=n)))
    return (
        times_ns,
        np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=np.float64),
        draw(npst.arrays(np.uint8, n)),
    )


@given(columns(FLOATS))
def test_without_a_resolution_every_bit_comes_back(
    given_columns: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    times_ns, values, quality = given_columns
    got_times, got_values, got_quality = codec.decode(codec.encode(times_ns, values, quality, 0.0))

    assert got_times.tolist() == times_ns.tolist()
    assert got_values.tobytes() == values.tobytes()
    assert got_quality.tolist() == quality.tolist()


@given(
    columns(FLOATS.filter(lambda v: not 1e300 < abs(v) < np.inf)),
    st.sampled_from([0.001, 0.01, 0.5, 1.0, 3.0, 1 / 3, 25.0, 1e-9]),
)
def test_with_a_resolution_the_error_is_half_a_step_at_most(
    given_columns: tuple[np.ndarray, np.ndarray, np.ndarray], resolution: float
) -> None:
    times_ns, values, quality = given_columns
    got_times, got_values, got_quality = codec.decode(codec.encode(times_ns, values, quality, resolution))

    assert got_times.tolist() == times_ns.tolist()
    assert got_quality.tolist() == quality.tolist()
    number = np.isfinite(values)
    np.testing.assert_array_equal(got_values[~number], values[~number])
    error = np.abs(got_values[number] - values[number])
    assert (error <= resolution / 2 + np.spacing(np.abs(values[number]))).all()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=50), st.integers(0, 3))
def test_what_a_device_shows_is_what_is_read_back(steps: list[int], decimals: int) -> None:
    """A value that is a whole number of decimal steps comes back as the same float64, 0.57 as 0.57."""
    values = np.array([float(f"{step}e-{decimals}") for step in steps])
    times_ns = make_times([10**9] * len(steps))
    quality = np.zeros(len(steps), dtype=np.uint8)

    for resolution in (10.0**-decimals, 0.0):
        assert codec.decode(codec.encode(times_ns, values, quality, resolution))[1].tolist() == values.tolist()


def test_a_steady_signal_takes_less_than_two_bytes_a_value() -> None:
    rng = np.random.default_rng(7)
    n = 300
    steps = np.where(rng.random(n) < 0.6, rng.integers(-20, 21, n), 0)
    values = 50 + np.cumsum(steps) * 0.001
    body = codec.encode(make_times([10**9] * n), values, np.zeros(n, dtype=np.uint8), 0.001)

    assert len(body) < 1.4 * n


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not zlib",
        zlib.compress(b""),
        zlib.compress(b"\x09\x01\x00\x00\x00"),
        zlib.compress(b"\x01\xff\xff\xff\x00"),
    ],
)
def test_damaged_bytes_are_named_as_such(body: bytes) -> None:
    with pytest.raises(codec.ChunkError):
        codec.decode(body)


@settings(max_examples=200)
@given(st.data())
def test_one_changed_byte_is_never_read_as_a_value(data: st.DataObject) -> None:
    """zlib's own checksum stands behind this."""
    n = 40
    times_ns = make_times([10**9] * n)
    body = bytearray(codec.encode(times_ns, np.arange(n) / 8, np.zeros(n, dtype=np.uint8), 0.0))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))

    try:
        got = codec.decode(bytes(body))
    except codec.ChunkError:
        return
    assert got[0].tolist() == times_ns.tolist()
    assert got[1].tolist() == (np.arange(n) / 8).tolist()
