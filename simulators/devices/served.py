"""All devices of a site from one process, moved by signals: ``fengsui devices SITE``.

Flow: site -> wiring -> [Modbus lines, MQTT topics, Sparkplug nodes, HJ 212 loggers] <- signals <- clock · speed
Why: a site's configuration is tried before its field exists. The tag tables that the gateway reads are the register
    maps and topics here, read by lines of their own, so that a slip shows as a wrong value.
"""

import asyncio
import contextlib
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Protocol

from edge.clock import Clock
from simulators.devices.hj212 import LoggerSender
from simulators.devices.modbus import ModbusLine
from simulators.devices.mqtt import Publisher
from simulators.devices.signal import Signals, moving_of
from simulators.devices.sparkplug import SparkplugNode
from simulators.wiring import read_wiring, rows_of
from simulators.wiring_senders import read_senders

NS: Final = 1e9
STEP_S: Final = 0.1
REFRESH_S: Final = 1.0  # Of registers, in seconds of this machine; what is sent has the periods of its tags.


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a site is to be simulated.

    Attributes:
        speed: Seconds of the signals in one second; periods of what is sent pass as much quicker.
        bind: Address to listen on, and to call, in place of each source's own; empty for theirs.
        broker: Broker to publish to in place of each source's own; empty for theirs.
        serial: Our end of the line, by the path of the port that the site names, which is the gateway's.
    """

    site: Path
    seed: int = 7
    speed: float = 1.0
    seconds: float | None = None
    bind: str = ""
    broker: str = ""
    serial: Mapping[str, str] = field(default_factory=dict)


class Sender(Protocol):
    """What sends by itself; ``sent`` and ``lost`` count its messages."""

    sent: int
    lost: int

    def publish(self, time_s: float, time_ns: int, readings: Mapping[str, float]) -> None:
        """Send what is due at this moment of the signals, stamped with the wall clock."""
        ...


class Served:
    """The devices of a site; made and run on one event loop."""

    def __init__(self, asked: Asked, clock: Clock) -> None:
        self._asked, self._clock = asked, clock
        document = tomllib.loads(asked.site.read_text("utf-8-sig"))
        self.signals = Signals(moving_of(rows_of(document, asked.site.parent)), asked.seed)
        wiring = read_wiring(asked.site)
        nodes, loggers = read_senders(asked.site)
        theirs = [replace(one, serial=asked.serial.get(one.serial, one.serial)) for one in wiring.devices]
        by_line = sorted(theirs, key=attrgetter("line"))
        self.lines = [ModbusLine(list(of), bind=asked.bind) for _, of in groupby(by_line, attrgetter("line"))]
        self.publishers = [
            Publisher(broker, client_id=f"devices-{at}", host=asked.broker) for at, broker in enumerate(wiring.brokers)
        ]
        self.nodes = [SparkplugNode(node, host=asked.broker) for node in nodes]
        self.loggers = [LoggerSender(logger, host=asked.bind) for logger in loggers]
        self._senders: tuple[Sender, ...] = (*self.publishers, *self.nodes, *self.loggers)
        self.refreshes = 0
        self._cpu_s = self._began_s = 0.0

    async def run(self, stop: asyncio.Event, tell: Callable[[dict[str, Any]], None]) -> None:
        """Serve until asked to stop or the time is over; tell when all listen, and the books at the end.

        Raises:
            OSError: A port cannot be had; nothing is served.
        """
        readings = self.signals.readings(0.0)
        try:
            for line in self.lines:
                await line.start(readings)
            for publisher in self.publishers:
                publisher.start()
            for node in self.nodes:
                node.start(self._clock.wall_ns())
            for logger in self.loggers:
                logger.start()
            tell({"event": "ready", "tags": len(self.signals.tags), "places": [line.place for line in self.lines]})
            await self._move(stop)
            books = self.books()
        finally:
            await self._close()
        tell({"event": "ended", **books})

    async def _move(self, stop: asyncio.Event) -> None:
        began_ns = self._clock.monotonic_ns()
        self._began_s, self._cpu_s = began_ns / NS, time.process_time()
        due_s = 0.0
        while not stop.is_set():
            passed_s = (self._clock.monotonic_ns() - began_ns) / NS
            if self._asked.seconds is not None and passed_s >= self._asked.seconds:
                return
            time_s, now_ns = passed_s * self._asked.speed, self._clock.wall_ns()
            readings = self.signals.readings(time_s)
            if passed_s >= due_s:
                due_s = max(due_s + REFRESH_S, passed_s)
                await self._refresh(readings)
            for sender in self._senders:
                sender.publish(time_s, now_ns, readings)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STEP_S)

    async def _refresh(self, readings: dict[str, float]) -> None:
        """Let all registers have the readings of a moment."""
        for line in self.lines:
            await line.refresh(readings)
            await asyncio.sleep(0)  # Requests get their turn between two lines.
        self.refreshes += 1

    async def _close(self) -> None:
        for publisher in self.publishers:
            publisher.stop()
        for node in self.nodes:
            node.stop(self._clock.wall_ns())
        for logger in self.loggers:
            await logger.stop()
        for line in self.lines:
            await line.stop()

    def books(self) -> dict[str, Any]:
        """Give what was asked, answered and sent, and the processor time since all listened, s."""
        return {
            "seconds": round(self._clock.monotonic_ns() / NS - self._began_s, 3),
            "cpu_s": round(time.process_time() - self._cpu_s, 3),
            "refreshes": self.refreshes,
            "requests": sum(line.asked for line in self.lines),
            "answered": sum(line.answered for line in self.lines),
            "refused": sum(line.refused for line in self.lines),
            "messages": sum(each.sent for each in self.publishers) + sum(each.sent for each in self.nodes),
            "frames": sum(each.sent for each in self.loggers),
            "lost": sum(each.lost for each in self._senders),
        }
