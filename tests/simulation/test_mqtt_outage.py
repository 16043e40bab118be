"""No QoS 1 value is lost: ten minutes without a link, a broker that is restarted, a gateway that is, all in one run."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.collect.mqtt.collector import MqttCollector
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.config import MqttOptions, Source, TopicOptions
from edge.model import Quality, Scan, TagTable
from gateway.app import Gateway
from gateway.historian.memory import MemoryHistorian
from gateway.historian.port import Done
from tests.scripted import small_site
from tests.time_matrix import START_NS
from tests.trouble import H0, MQTT, gateway_of, table, what_happened

OUTAGE_S = 600
AWAY_S = 60
STAMPED = TopicOptions(pattern="t/{tag}", tag="{tag}", value="v", time="ts")


class Kept(MemoryHistorian):
    """A historian whose every sample of the source can be listed."""

    def __init__(self, tags: TagTable) -> None:
        super().__init__(tags)
        self.values: list[float] = []

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Keep the scan and list what is good in it."""
        if scan.source == MQTT.id:  # The gateway's own tags are kept too.
            self.values += scan.values[scan.quality < Quality.BAD].tolist()
        super().append(scan, done)


def source_of(options: MqttOptions) -> Source:
    return replace(MQTT, mqtt=replace(options, topics=(STAMPED,)))


def test_ten_minutes_without_a_link_and_a_broker_that_restarts_cost_no_value(tmp_path: Path) -> None:
    """A value each second, each with its own number; what the outage held back comes late and is judged as such."""
    clock, broker = ManualClock(START_NS), LoopbackBroker()
    site = small_site(table(H0), source_of(MqttOptions(host="x", port=1)), tmp_path)
    historian = Kept(site.tags)

    def make(source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> MqttCollector:  # noqa: ANN401
        return MqttCollector(source, tags, at, epoch, deliver, lambda o, c, f, n: LoopbackLink(broker, c, f))

    gateway = gateway_of(site, clock, make, historian=historian)
    sent: list[float] = []

    async def publish(seconds: int) -> None:
        for _ in range(seconds):
            value = len(sent) / 1_000 + (9.0 if 200 <= len(sent) < 260 else 0.0)  # Above the limit in the outage.
            broker.publish("t/T.v", json.dumps({"v": value, "ts": clock.wall_ns()}).encode())
            sent.append(value)
            await asyncio.sleep(1.0)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(1.0)
            await publish(60)
            client = "fengsui-plc"
            broker.cut(client)
            await publish(OUTAGE_S)
            assert len(historian.values) == 60
            broker.mend(client)
            await publish(AWAY_S)
            broker.stop()
            await asyncio.sleep(20.0)
            broker.start()
            await publish(AWAY_S)
            await asyncio.sleep(10.0)
            assert broker.unacknowledged(client) == 0

    run_manual(main(), clock)
    assert sorted(historian.values) == sorted(sent)
    assert len(sent) == 60 + OUTAGE_S + 2 * AWAY_S
    assert gateway.road.dropped == 0
    assert "raised" in what_happened(site, is_late=True), "what stood above the limit meanwhile is in the register"


@pytest.mark.network
@pytest.mark.service
async def test_a_real_broker_keeps_what_neither_it_nor_the_gateway_was_there_for(
    mosquitto_alone: Any,  # noqa: ANN401 - conftest's own
    tmp_path: Path,
) -> None:
    """Mosquitto with persistence: restarted under way, and again while the gateway is away; mosquitto_pub numbers."""
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed on this machine")
    options = MqttOptions(host="127.0.0.1", port=mosquitto_alone.port, client_id="outage")
    site = small_site(table(H0), source_of(options), tmp_path / "data")
    clock = SystemClock()
    sent: list[float] = []

    async def publish(count: int) -> None:
        values = [(len(sent) + n) / 10_000 for n in range(count)]
        began_ns = clock.wall_ns()
        lines = [json.dumps({"v": v, "ts": began_ns + n * 1_000_000}) for n, v in enumerate(values)]
        arguments = ["-p", str(mosquitto_alone.port), "-t", "t/T.v", "-q", "1", "-l"]
        process = await asyncio.create_subprocess_exec(program, *arguments, stdin=asyncio.subprocess.PIPE)
        await asyncio.wait_for(process.communicate("".join(f"{line}\n" for line in lines).encode()), 20)
        assert process.returncode == 0
        sent.extend(values)
        await asyncio.sleep(count / 1_000)  # So that the next ones are later.

    def gateway() -> tuple[Gateway, Kept]:
        historian = Kept(site.tags)

        def make(source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> MqttCollector:  # noqa: ANN401
            return MqttCollector(source, tags, at, epoch, deliver)

        return gateway_of(site, clock, make, historian=historian), historian

    async def until(historian: Sequence[Kept], count: int) -> None:
        async with asyncio.timeout(15):
            while len({value for one in historian for value in one.values}) < count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    first, kept = gateway()
    async with first.running():
        await asyncio.sleep(1.0)  # The subscription is with the broker.
        await publish(300)
        await until([kept], 150)  # Some are acknowledged, some are on their way.
        await asyncio.to_thread(mosquitto_alone.stop)
        await asyncio.to_thread(mosquitto_alone.start)
        await asyncio.sleep(1.0)
        await publish(200)
        await until([kept], len(sent))
    await publish(300)
    await asyncio.to_thread(mosquitto_alone.stop)
    await asyncio.to_thread(mosquitto_alone.start)
    await publish(50)
    second, later = gateway()
    async with second.running():
        await until([kept, later], len(sent))
    values = np.array(sorted({*kept.values, *later.values}))
    assert values.tolist() == sorted(sent)
