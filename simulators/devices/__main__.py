"""The plant as a process of its own: ``python -m simulators.devices --site config/demo/site.toml``.

Flow: story -> plant -> [Modbus servers, MQTT publishers, truth file]
Why: a process of its own, so that a killed gateway finds the plant where it would be, not where it was.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.clock import Clock
from edge.clock_system import SystemClock
from simulators.devices.modbus import ModbusDevice
from simulators.devices.mqtt import Publisher
from simulators.plant import Plant
from simulators.story import Story, StoryError, read_story
from simulators.truth import NS, Truth
from simulators.wiring import read_wiring

STEP_S = 0.1
BEHIND_S_MAX = 5.0  # A plant that was stopped for longer does not race to catch up; it has stood still.


class Field:
    """Plant, story and devices, moved by one clock."""

    def __init__(self, plant: Plant, story: Story | None, clock: Clock, tell: Callable[..., None]) -> None:
        self.plant = plant
        self.story = story
        self.clock = clock
        self.tell = tell
        self.devices: list[ModbusDevice] = []
        self.publishers: list[Publisher] = []
        self.truth: Truth | None = None

    async def run(self, stop: asyncio.Event, seconds: float | None) -> None:
        """Move the plant in steps of a tenth of a second until asked to stop or the time is over."""
        readings = self.plant.readings()
        for device in self.devices:
            await device.start(readings)
        for publisher in self.publishers:
            publisher.start()
        started_ns = self.clock.monotonic_ns()
        self.tell("ready", time_ns=self.clock.wall_ns(), ports=[device.devices[0].port for device in self.devices])
        try:
            while not stop.is_set() and (seconds is None or self.plant.time_s < seconds):
                started_ns += await self._catch_up(started_ns)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), STEP_S)
        finally:
            for publisher in self.publishers:
                publisher.stop()
            for device in self.devices:
                await device.stop()
            self.tell("ended", time_s=round(self.plant.time_s, 1), lost=sum(p.lost for p in self.publishers))

    async def _catch_up(self, started_ns: int) -> int:
        """Step until the plant's time is the clock's; give how long it stood still, ns."""
        behind_s = (self.clock.monotonic_ns() - started_ns) / NS - self.plant.time_s
        stood_s = behind_s if behind_s > BEHIND_S_MAX else 0.0
        for _ in range(round((behind_s - stood_s) / STEP_S)):
            for moment in self.story.due(self.plant.time_s) if self.story else []:
                self.plant.do(moment.act)
                self.tell("act", at_s=moment.at_s, say=moment.say)
            self.plant.step(STEP_S)
        readings = self.plant.readings()
        now_ns = self.clock.wall_ns()
        for device in self.devices:
            await device.refresh(readings)
        for publisher in self.publishers:
            publisher.publish(self.plant.time_s, now_ns, readings)
        if self.truth is not None:
            self.truth.observe(now_ns, readings)
        return round(stood_s * NS)


def say(event: str, **facts: object) -> None:
    """Print one JSON line for whoever started this process."""
    print(json.dumps({"event": event, **facts}, ensure_ascii=False), flush=True)


async def simulate(options: argparse.Namespace) -> None:
    """Build the field from the options and run it until a signal, the end of the time or of the parent."""
    wiring = read_wiring(options.site)
    story = read_story(options.story) if options.story else None
    field = Field(Plant(np.random.default_rng(options.seed)), story, SystemClock(), say)
    field.devices = [ModbusDevice(device, bind=options.bind) for device in wiring.devices]
    field.publishers = [
        Publisher(broker, client_id=f"plant-{os.getpid()}-{number}", host=options.broker)
        for number, broker in enumerate(wiring.brokers)
    ]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as files:
        if options.truth:
            options.truth.parent.mkdir(parents=True, exist_ok=True)
            truth = files.enter_context(options.truth.open("w", encoding="utf-8", buffering=1))
            field.truth = Truth(wiring.limits, truth.write)
        await field.run(stop, options.seconds)


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.devices", description="Simulated plant on Modbus TCP and MQTT."
    )
    parser.add_argument("--site", type=Path, required=True, help="site.toml whose sources are to be simulated")
    parser.add_argument("--seed", type=int, default=7, help="number that fixes luck")
    parser.add_argument("--story", default="first_light", help="name or path of a story; '' for a quiet plant")
    parser.add_argument("--truth", type=Path, help="file for the plant's own record of what was beyond its limits")
    parser.add_argument("--bind", default="", help="address to listen on instead of each source's host")
    parser.add_argument("--broker", default="", help="broker to publish to instead of each source's host")
    parser.add_argument("--seconds", type=float, help="end after so long")
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # It logs what it then raises.
    try:
        asyncio.run(simulate(parser.parse_args()))
    except (StoryError, OSError) as error:
        print(f"The plant cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
