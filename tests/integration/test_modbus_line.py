"""Many devices on one line, in virtual time: who shares it, what a silent one costs, whose late answer is whose."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from edge.clock_manual import ManualClock
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.frame import Failure
from edge.collect.modbus.line import Lines
from edge.config import ModbusOptions, SerialOptions, Source
from edge.model import Reason, Tag, TagTable
from tests.modbus_peers import (
    Road,
    Slave,
    check_thirty,
    in_virtual_time,
    line_of,
    qualities,
    running,
    thirty,
    thirty_collectors,
)

OPTIONS = ModbusOptions(host="line", port=1, framing="rtu")


def source(unit: int, **changes: object) -> Source:
    return Source(id=f"u{unit}", protocol="modbus-rtu-tcp", modbus=replace(OPTIONS, device_id=unit, **changes))  # type: ignore[arg-type]


def tag(unit: int, register: int = 0, period_s: float = 1.0) -> Tag:
    return Tag(
        name=f"u{unit}.r{register}.{period_s}", source=f"u{unit}", period_s=period_s, address={"register": register}
    )


@pytest.mark.parametrize("seconds", [180, pytest.param(900, marks=pytest.mark.slow)])
def test_twenty_seven_of_thirty_keep_their_rate(seconds: int) -> None:
    """Requirement P1, all on one line: each time-out takes a second from everybody (a real socket: ``tests/long``)."""

    async def story(clock: ManualClock) -> None:
        lines, buses = line_of(thirty())
        road = Road()
        collectors = thirty_collectors(lines, clock, road, OPTIONS, 1.0)
        async with running(*collectors):
            await asyncio.sleep(seconds)
        check_thirty(road, seconds)
        assert len(buses) == 1, "a line is not opened anew because somebody is silent"
        by_unit = {unit: collectors[unit - 1].counters for unit in (1, 5, 17)}
        assert by_unit[5].requests < 13 + seconds / 50
        assert by_unit[5].skipped + by_unit[5].requests == by_unit[5].scans
        assert by_unit[1].failures["timeout"] == 0
        assert sum(one.counters.failures["stray_bytes"] for one in collectors) > 0, "late answers are counted"

    in_virtual_time(story)


def test_requests_of_one_line_never_overlap() -> None:
    async def story(clock: ManualClock) -> None:
        slaves = {unit: Slave(latency_s=0.03) for unit in range(1, 11)}
        lines, buses = line_of(slaves)
        tags = TagTable([tag(unit, register, 0.5) for unit in slaves for register in (0, 500)])
        road = Road()
        async with running(*(ModbusCollector(source(unit), tags, clock, 1, road, lines) for unit in slaves)):
            await asyncio.sleep(60)
        assert buses[0].overlaps == 0
        assert len(buses[0].sent) > 1_000
        assert {tuple(qualities(scan)) for unit in slaves for scan in road.scans(f"u{unit}")} == {("GOOD", "GOOD")}

    in_virtual_time(story)


def test_a_late_answer_is_never_taken_for_the_next_request_of_the_same_device() -> None:
    """RTU answers have no number: the late answer to one request looks like that to another of its length."""

    async def story(clock: ManualClock) -> None:
        slaves = {1: Slave(latency_s=1.5)}
        lines, _ = line_of(slaves)
        tags = TagTable([tag(1, 100), tag(1, 500)])
        road = Road()
        async with running(ModbusCollector(source(1), tags, clock, 1, road, lines)):
            await asyncio.sleep(20)
            slaves[1].latency_s = 0.01
            await asyncio.sleep(40)
        for scan in road.scans("u1"):
            for value, want in zip(scan.values.tolist(), (100.0, 500.0), strict=True):
                assert np.isnan(value) or value == want
        assert qualities(road.scans("u1")[-1]) == ["GOOD", "GOOD"], "and it is back by itself"

    in_virtual_time(story)


def test_scan_classes_of_a_silent_device_share_its_breaker() -> None:
    """Five classes wait for the line when the device falls silent: three requests go out in vain, not five."""

    async def story(clock: ManualClock) -> None:
        slaves = {1: Slave(is_dead=lambda _: True), 2: Slave()}
        lines, _ = line_of(slaves)
        tags = TagTable([tag(1, 0, period_s) for period_s in (0.5, 0.6, 0.7, 0.8, 0.9)] + [tag(2, 0, 0.5)])
        road = Road()
        async with running(*(ModbusCollector(source(unit), tags, clock, 1, road, lines) for unit in slaves)):
            await asyncio.sleep(120)
        # Three, and then after 1, 2, 4, 8, 16, 32 seconds and the time-out of each.
        assert slaves[1].asked <= 3 + 6
        assert len(road.scans("u2")) >= 0.95 * 240 - 2 * slaves[1].asked
        assert len(road.scans("u1")) >= 120, "BAD in the cycles of every class"

    in_virtual_time(story)


def test_a_late_answer_is_not_taken_by_another_scan_class_either() -> None:
    async def story(clock: ManualClock) -> None:
        slaves = {1: Slave(latency_s=1.5)}
        lines, _ = line_of(slaves)
        tags = TagTable([tag(1, register, period_s) for register, period_s in ((100, 0.5), (500, 0.7), (900, 1.1))])
        road = Road()
        async with running(ModbusCollector(source(1), tags, clock, 1, road, lines)):
            await asyncio.sleep(60)
            slaves[1].latency_s = 0.01
            await asyncio.sleep(60)
        read = {(int(scan.rows[0]), scan.values[0]) for scan in road.scans("u1") if qualities(scan) == ["GOOD"]}
        assert read == {(0, 100.0), (1, 500.0), (2, 900.0)}

    in_virtual_time(story)


def test_an_hourly_class_does_not_drift_in_a_week() -> None:
    async def story(clock: ManualClock) -> None:
        lines, _ = line_of({1: Slave(latency_s=0.02)})
        tags = TagTable([tag(1, 0, 3_600.0), tag(1, 500, 60.0)])
        road = Road()
        async with running(ModbusCollector(source(1), tags, clock, 1, road, lines)):
            await asyncio.sleep(7 * 86_400)
        hourly = [scan.received_ns for scan in road.scans("u1") if scan.rows[0] == 0]
        assert len(hourly) in (167, 168)
        assert abs(np.diff(hourly) - 3_600 * 10**9).max() < 10**8

    in_virtual_time(story)


def test_a_device_gets_the_pause_that_it_wants() -> None:
    async def story(clock: ManualClock) -> None:
        slaves = {1: Slave(latency_s=0.001), 2: Slave(latency_s=0.001)}
        lines, _ = line_of(slaves)
        first = lines.line(OPTIONS)
        with first.used():
            await first.tried.wait()
            loop = asyncio.get_running_loop()
            quick, slow = first.station(1), first.station(2)
            began_s = loop.time()
            for _ in range(10):
                await quick.read("holding", 0, 1, OPTIONS)
            assert loop.time() - began_s == pytest.approx(0.010, abs=1e-6)
            began_s = loop.time()
            for _ in range(10):
                await slow.read("holding", 0, 1, replace(OPTIONS, pause_s=0.05))
            assert loop.time() - began_s == pytest.approx(0.510, abs=1e-6)

    in_virtual_time(story)


def test_a_serial_line_keeps_silence_between_frames_and_is_never_closed_for_a_silent_device() -> None:
    """3.5 characters of 10 bits at 9600 baud: 3.6 ms (Modbus over serial line V1.02, 2.5.1.1)."""

    async def story(clock: ManualClock) -> None:
        options = ModbusOptions(framing="rtu", serial=SerialOptions(path="/dev/ttyX", baudrate=9600))
        lines, buses = line_of({1: Slave(latency_s=0.0)})
        line = lines.line(options)
        with line.used():
            await line.tried.wait()
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            for _ in range(100):
                await line.station(1).read("holding", 0, 1, options)
            assert loop.time() - began_s == pytest.approx(99 * 3.5 * 10 / 9600, rel=0.02)
            for _ in range(5):
                await line.station(9).read("holding", 0, 1, options)
                await asyncio.sleep(10)
            _, answer = await line.station(1).read("holding", 0, 1, options)
            assert isinstance(answer, np.ndarray)
        assert len(buses) == 1

    in_virtual_time(story)


def test_a_connection_on_which_nobody_answers_is_half_open_and_made_anew() -> None:
    """A PLC's power is cut and comes back: no packet ever says so."""

    async def story(clock: ManualClock) -> None:
        slaves = {1: Slave(), 2: Slave()}
        lines, buses = line_of(slaves)
        tags = TagTable([tag(1), tag(2)])
        road = Road()
        async with running(*(ModbusCollector(source(unit), tags, clock, 1, road, lines) for unit in slaves)):
            await asyncio.sleep(10)
            for slave in slaves.values():
                slave.is_dead = lambda _: True
            await asyncio.sleep(60)
            assert len(buses) > 2
            assert buses[0].is_closed
            for slave in slaves.values():
                slave.is_dead = lambda _: False
            back_s = asyncio.get_running_loop().time()
            await asyncio.sleep(70)
        for unit in slaves:
            assert road.links(f"u{unit}") == [True, False, True]
            first_s = next(
                scan.received_ns for scan in road.scans(f"u{unit}")
                if scan.received_ns / 1e9 % 86_400 > back_s and qualities(scan) == ["GOOD"]
            ) / 1e9 % 86_400 - back_s  # fmt: skip
            assert first_s < 10

    in_virtual_time(story)


def test_lines_are_shared_by_their_way_out() -> None:
    lines = Lines()
    same = lines.line(OPTIONS)
    assert lines.line(replace(OPTIONS, device_id=7, timeout_s=3.0)) is same
    assert same.station(7) is lines.line(OPTIONS).station(7)
    assert lines.line(replace(OPTIONS, port=2)) is not same
    assert lines.line(replace(OPTIONS, framing="tcp")) is not same


def test_without_a_connection_nobody_is_asked() -> None:
    async def story(clock: ManualClock) -> None:
        async def nowhere(options: ModbusOptions) -> None:
            raise OSError("no route")

        line = Lines(dial=nowhere).line(OPTIONS)  # type: ignore[arg-type]
        with line.used():
            await line.tried.wait()
            assert await line.station(1).read("holding", 0, 1, OPTIONS) == (False, Failure(reason=Reason.COMMS))

    in_virtual_time(story)
