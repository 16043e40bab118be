"""Who may call, and what one who takes no answers costs."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from edge.clock_manual import ManualClock, run_manual
from edge.collect.callers import is_within
from edge.collect.hj212.door import CALLERS_MAX, QUIET_S, SILENT_S, UNSENT_BYTES_MAX, Caller, Door
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

    def take(self, _: object, size: int, answer: Any) -> None:  # noqa: ANN401
        answer()

    def refuse(self, _: str, payload: bytes) -> None:
        self.refused.append(payload)

    def answered(self, size: int) -> None:
        """Nobody counts."""

    def caller_changed(self, *, is_up: bool) -> None:
        """Nobody asks."""


async def test_who_takes_no_answers_is_dropped_and_not_kept_for_its_answers() -> None:
    door, pipe = Door("127.0.0.1", 0), Pipe()
    door.expected["M"] = Outlet(Hj212Options(port=0, station="M", tag="{name}"))
    caller = Caller(door)
    caller.connection_made(cast(Any, pipe))
    segment = SEGMENT % b"1"
    frame = b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment))
    for _ in range(UNSENT_BYTES_MAX // 50):
        caller.data_received(frame)
    assert pipe.is_aborted
    caller.connection_lost(None)
    assert not door.inside


async def test_a_wrong_password_is_not_kept_where_it_is_shown() -> None:
    door, pipe = Door("127.0.0.1", 0), Pipe()
    outlet = Outlet(Hj212Options(port=0, station="M", tag="{name}", password="right"))
    door.expected["M"] = outlet
    caller = Caller(door)
    caller.connection_made(cast(Any, pipe))
    segment = SEGMENT % b"almost-right"
    caller.data_received(b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment)))
    (kept,) = outlet.refused
    assert b"a-Rtd" in kept
    assert b"almost" not in kept
    caller.connection_lost(None)


def frame() -> bytes:
    segment = SEGMENT % b"1"
    return b"##%04d%s%04X\r\n" % (len(segment), segment, crc_of(segment))


def house() -> Door:
    door = Door("127.0.0.1", 0)
    door.expected["M"] = Outlet(Hj212Options(port=0, station="M", tag="{name}"))
    return door


def called(door: Door) -> tuple[Caller, Pipe]:
    caller, pipe = door.visit(), Pipe()
    caller.connection_made(cast(Any, pipe))
    return caller, pipe


def in_virtual_time(story: Any) -> None:  # noqa: ANN401
    clock = ManualClock()
    run_manual(story(), clock)


def test_who_never_says_anything_leaves_long_before_a_logger_that_is_quiet() -> None:
    async def story() -> None:
        door = house()
        logger, line = called(door)
        _, idle = called(door)
        mumbler, mumbled = called(door)
        logger.data_received(frame())
        await asyncio.sleep(SILENT_S - 1)
        mumbler.data_received(b"no frame at all")
        assert not (idle.is_aborted)
        assert not (mumbled.is_aborted)
        await asyncio.sleep(2)
        assert idle.is_aborted
        assert mumbled.is_aborted, "what is no frame keeps nobody in"
        assert not line.is_aborted
        await asyncio.sleep(QUIET_S)
        assert line.is_aborted
        assert door.refused == {"silent": 3, "stray_bytes": 10}
        assert not (door.inside)
        assert not (door.strangers)

    in_virtual_time(story)


def test_a_house_full_of_idle_callers_lets_a_logger_in_and_never_sends_one_away_for_them() -> None:
    async def story() -> None:
        door = house()
        logger, line = called(door)
        logger.data_received(frame())
        idle = [called(door)[1] for _ in range(CALLERS_MAX - 1)]
        late, its_line = called(door)
        late.data_received(frame())
        assert [pipe.is_aborted for pipe in idle] == [True, *[False] * (CALLERS_MAX - 2)], "the one that idled longest"
        assert line.unsent > 0
        assert its_line.unsent > 0
        assert len(door.inside) == CALLERS_MAX
        for _ in range(3 * CALLERS_MAX):
            called(door)
        assert not line.is_aborted
        assert not its_line.is_aborted
        assert len(door.inside) == CALLERS_MAX

    in_virtual_time(story)


def test_where_all_inside_are_known_one_more_is_refused() -> None:
    async def story() -> None:
        door = house()
        for _ in range(CALLERS_MAX):
            called(door)[0].data_received(frame())
        _, pipe = called(door)
        assert pipe.is_aborted
        assert door.refused == {"crowd": 1}

    in_virtual_time(story)


async def test_refusals_are_logged_more_and_more_rarely() -> None:
    door = house()
    with capture_logs() as logs:
        for _ in range(100):
            door.refuse("unknown_station", "10.0.0.1")
        door.refuse("stray_bytes", "10.0.0.1", 1000)
    assert [entry["count"] for entry in logs] == [1, 2, 4, 8, 16, 32, 64, 1000]
    assert door.troubles() == {"caller_unknown_station": 100, "caller_stray_bytes": 1000}
