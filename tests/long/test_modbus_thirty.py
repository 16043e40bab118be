"""One of thirty devices dead, one flapping, one answering after 2 s: three real minutes, and five virtual hours."""

import asyncio

import pytest

from edge.clock_manual import ManualClock
from edge.config import ModbusOptions
from tests.modbus_peers import (
    Road,
    check_thirty,
    in_virtual_time,
    line_of,
    on_loopback,
    running,
    thirty,
    thirty_collectors,
)


@pytest.mark.network
async def test_three_real_minutes_on_loopback() -> None:
    await on_loopback(180.0, scale=1.0)


def test_five_hours_on_the_virtual_line() -> None:
    async def story(clock: ManualClock) -> None:
        lines, buses = line_of(thirty())
        road = Road()
        options = ModbusOptions(host="line", port=1, framing="rtu")
        async with running(*thirty_collectors(lines, clock, road, options, 1.0)):
            await asyncio.sleep(5 * 3_600)
        check_thirty(road, 5 * 3_600)
        assert len(buses) == 1

    in_virtual_time(story)
