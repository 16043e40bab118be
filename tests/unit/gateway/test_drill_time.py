"""Time of a drill: it stands still while paused, and every moment can be told by the wall."""

import pytest

from edge.clock_manual import ManualClock
from gateway.drill.time import DrillClock

NS = 1_000_000_000
START_NS = 1_767_225_600 * NS


@pytest.fixture
def wall() -> ManualClock:
    return ManualClock(START_NS)


def at(ns: int) -> float:
    return (ns - START_NS) / NS


def test_it_stands_still_while_paused_and_goes_on_where_it_stood(wall: ManualClock) -> None:
    clock = DrillClock(wall)
    wall.advance_ns(10 * NS)
    clock.pause()
    wall.advance_ns(100 * NS)
    assert (clock.is_paused, at(clock.wall_ns())) == (True, 10.0)
    clock.resume()
    wall.advance_ns(5 * NS)
    assert (clock.is_paused, at(clock.wall_ns())) == (False, 15.0)


def test_moments_of_the_drill_are_told_by_the_wall_and_back(wall: ManualClock) -> None:
    clock = DrillClock(wall)
    for _ in range(2):  # Pauses of 100 s at 10 s and at 20 s of the drill.
        wall.advance_ns(10 * NS)
        clock.pause()
        wall.advance_ns(100 * NS)
        clock.resume()
    wall.advance_ns(5 * NS)
    told = [(drill, at(clock.to_wall(START_NS + drill * NS))) for drill in (0, 10, 11, 20, 21, 25)]
    assert told == [(0, 0.0), (10, 10.0), (11, 111.0), (20, 120.0), (21, 221.0), (25, 225.0)]
    back = [at(clock.from_wall(START_NS + seconds * NS)) for seconds in (10, 60, 111, 150, 221, 225)]
    assert back == [10.0, 10.0, 11.0, 20.0, 21.0, 25.0]
    assert clock.to_wall(0) == 0, "never stays never"


def test_during_a_pause_it_is_the_moment_of_the_pause(wall: ManualClock) -> None:
    clock = DrillClock(wall)
    wall.advance_ns(10 * NS)
    clock.pause()
    wall.advance_ns(50 * NS)
    assert at(clock.from_wall(wall.wall_ns())) == 10.0
