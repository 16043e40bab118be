"""Ten real minutes without the line to a real broker: no QoS 1 value that mosquitto_pub sent meanwhile is missing."""

import asyncio
import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Clock
from edge.clock_system import SystemClock
from edge.collect.mqtt.collector import MqttCollector
from edge.config import MqttOptions, Source
from edge.model import TagTable
from tests.conftest import Server
from tests.scripted import small_site
from tests.simulation.test_mqtt_outage import Kept, source_of
from tests.trouble import H0, gateway_of, table

BEFORE_S, OUTAGE_S, AFTER_S = 30, 600, 60


class Cable:
    """A line that can be pulled out: what is connected hears nothing more and is not told, nobody connects anew."""

    def __init__(self, port: int, broker: int) -> None:
        self.port = port
        self._broker = broker
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._is_in = asyncio.Event()

    async def plug(self) -> None:
        """Put it in; what was connected before is reset."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()
        self._is_in.set()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    def pull(self) -> None:
        """Take it out."""
        assert self._server is not None
        self._server.close()
        self._is_in.clear()

    def remove(self) -> None:
        """Take it away: who is connected is reset."""
        self.pull()
        for end in self._ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._broker)
        self._ends |= {writer, far_writer}
        async with asyncio.TaskGroup() as both:
            both.create_task(self._one_way(reader, far_writer))
            both.create_task(self._one_way(far_reader, writer))

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._is_in.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.mark.network
@pytest.mark.service
async def test_ten_minutes_with_the_cable_out(mosquitto_alone: Server, free_port: int, tmp_path: Path) -> None:
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed on this machine")
    options = MqttOptions(host="127.0.0.1", port=free_port, client_id="outage")
    site = small_site(table(H0), source_of(replace(options, keepalive_s=10)), tmp_path / "data")
    historian, clock = Kept(site.tags), SystemClock()
    sent: list[float] = []

    def make(source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> MqttCollector:  # noqa: ANN401
        return MqttCollector(source, tags, at, epoch, deliver)

    cable = Cable(free_port, mosquitto_alone.port)
    await cable.plug()
    gateway = gateway_of(site, clock, make, historian=historian)
    arguments = ["-p", str(mosquitto_alone.port), "-t", "t/T.v", "-q", "1", "-l"]
    publisher = await asyncio.create_subprocess_exec(program, *arguments, stdin=asyncio.subprocess.PIPE)
    assert publisher.stdin is not None

    async def publish(seconds: int) -> None:
        assert publisher.stdin is not None
        for _ in range(seconds):
            sent.append(len(sent) / 10_000)
            publisher.stdin.write(f"{json.dumps({'v': sent[-1], 'ts': clock.wall_ns()})}\n".encode())
            await asyncio.sleep(1.0)

    async with gateway.running():
        await asyncio.sleep(2.0)  # The subscription is with the broker.
        await publish(BEFORE_S)
        cable.pull()
        heard = len(historian.values)
        await publish(OUTAGE_S)
        assert len(historian.values) == heard <= BEFORE_S
        await cable.plug()
        await publish(AFTER_S)
        publisher.stdin.close()
        await asyncio.wait_for(publisher.wait(), 20)
        async with asyncio.timeout(60):
            while len(historian.values) < len(sent):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)
    cable.remove()
    assert sorted(historian.values) == sent, "each once"
    assert gateway.road.dropped == 0
