"""A data logger's frames: against the standard's own example, and the gateway's reader, which is another code."""

import pytest

from edge.decode.codec.hj212 import read_frame, read_hj212
from edge.decode.payload import Batch
from simulators.devices.hj212 import BYTES_MAX, compose, crc_of, frame_of
from simulators.wiring_senders import Logger

NOON_NS = 1_767_240_000_123_000_000  # 2026-01-01T12:00:00.123+08:00
LOGGER = Logger(
    source="l",
    host="127.0.0.1",
    port=1,
    station="MN1",
    password="secret",
    names={"ph": "w01001-Rtd", "cod": "w01018-Rtd"},
    period_s=1.0,
)


def test_the_frame_of_the_standard() -> None:
    """HJ 212-2017 appendix C, the request to set the interval of real-time data: its CRC is 1C80."""
    segment = "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
    assert crc_of(segment.encode()) == 0x1C80
    assert frame_of(segment) == f"##0101{segment}1C80\r\n".encode()


def test_the_gateway_reads_what_a_logger_says() -> None:
    (frame,) = compose(LOGGER, NOON_NS, {"ph": 7.25, "cod": 18.5})
    assert b"PW=secret;MN=MN1;" in frame
    assert b"CP=&&DataTime=20260101120000;w01001-Rtd=7.25,w01001-Flag=N;w01018-Rtd=18.5,w01018-Flag=N&&" in frame
    read = read_hj212(frame)
    assert isinstance(read, Batch)
    assert read.names is not None
    assert dict(zip(read.names, read.values.tolist(), strict=True)) == {"w01001-Rtd": 7.25, "w01018-Rtd": 18.5}
    assert set(read.quality.tolist()) == {0}
    assert set(read.times_ns.tolist()) == {NOON_NS // 1_000_000_000 * 1_000_000_000}, "whole seconds, Beijing time"


@pytest.mark.parametrize("count", [1, 40, 400])
def test_many_values_are_told_in_frames_that_are_not_too_long(count: int) -> None:
    names = {f"t{n}": f"a{n:05d}-Rtd" for n in range(count)}
    many = Logger(source="l", host="", port=1, station="M", password="p", names=names, period_s=1.0)
    told: dict[str, float] = {}
    for frame in compose(many, NOON_NS, {tag: float(at) for at, tag in enumerate(names)}):
        assert len(frame) - 12 <= BYTES_MAX
        assert read_frame(frame)
        batch = read_hj212(frame)
        assert isinstance(batch, Batch)
        assert batch.names is not None
        told |= dict(zip(batch.names, batch.values.tolist(), strict=True))
    assert told == {f"a{n:05d}-Rtd": float(n) for n in range(count)}
