"""Who may call, and what one who takes no answers costs."""

import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from edge.collect.callers import is_told, is_within
from edge.collect.hj212.door import UNSENT_BYTES_MAX, Caller, Door
from edge.config import Hj212Options
from edge.decode.codec.hj212 import crc_of

SEGMENT = b"QN=20160801085857223;ST=32;CN=2011;PW=%s;MN=M;Flag=5;CP=&&DataTime=20160801085857;a-Rtd=1&&"


@pytest.mark.parametrize(
    ("peer", "networks", "expected"),
    [
        ("10.8.1.2", ("10.8.0.0/16",), True), ("10.9.1.2", ("10.8.0.0/16",), False),
        ("::ffff:10.8.1.2", ("10.8.0.0/16",), True), ("fe80::1%eth0", ("fe80::/10",), True),
        ("", ("0.0.0.0/0", "::/0"), False), ("10.8.1.2", (), False),
    ],
)  # fmt: skip
def test_who_may_call(peer: str, networks: tuple[str, ...], expected: bool) -> None:
    assert is_within(peer, networks) is expected


def test_a_stranger_costs_little_also_where_a_thousand_devices_are_expected() -> None:
    start = time.process_time()
    for _ in range(100):
        assert not any(is_within("192.0.2.1", ("10.8.0.0/16",)) for _ in range(1000))
    assert time.process_time() - start < 0.6  # 0.02 s; 1.3 s if each reads its networks


def test_refusals_are_told_more_and_more_rarely() -> None:
    assert [count for count in range(1, 100) if is_told(count)] == [1, 2, 4, 8, 16, 32, 64]


@dataclass
class Pipe:
    unsent: int = 0
    is_aborted: bool = False

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, data: bytes) -> None:
        self.unsent += len(data)

    def abort(self) -> None:
        self.is_aborted = True


@dataclass
class Outlet:
    options: Hj212Options
    refused: list[bytes] = field(default_factory=list)

    def take(self, _: object, answer: Any) -> None:  # noqa: ANN401
        answer()

    def refuse(self, _: str, payload: bytes) -> None:
        self.refused.append(payload)

    def caller_changed(self, *, is_up: bool) -> None:
        """Nobody asks."""


async def test_who_takes_no_answers_is_dropped_and_not_kept_for_its_answers() -> None:
    door, pipe = Door("127.0.0.1", 0), Pipe()
    door.stations["M"] = Outlet(Hj212Options(port=0, station="M", tag="{name}"))
    caller = Caller(door)
    caller.connection_made(cast(Any, pipe))
    segment = SEGMENT % b"1"
    frame = b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment))
    for _ in range(UNSENT_BYTES_MAX // 50):
        caller.data_received(frame)
    assert pipe.is_aborted
    caller.connection_lost(None)
    assert not door.callers


async def test_a_wrong_password_is_not_kept_where_it_is_shown() -> None:
    door, pipe = Door("127.0.0.1", 0), Pipe()
    outlet = Outlet(Hj212Options(port=0, station="M", tag="{name}", password="right"))
    door.stations["M"] = outlet
    caller = Caller(door)
    caller.connection_made(cast(Any, pipe))
    segment = SEGMENT % b"almost-right"
    caller.data_received(b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment)))
    (kept,) = outlet.refused
    assert b"a-Rtd" in kept
    assert b"almost" not in kept
    caller.connection_lost(None)
