"""Troubles between a broker and the road: bursts without times, overflow, links that close under way, a late ack."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.model.command import Command, Verb
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.collect.door import Counters
from edge.collect.mqtt.collector import MqttCollector
from edge.collect.mqtt.link import Message
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.mqtt.paho import PahoLink
from edge.config import MqttOptions, Source
from edge.model import Scan, TagTable
from gateway import flow
from gateway.app import Gateway
from gateway.historian.memory import MemoryHistorian
from gateway.historian.port import Done
from gateway.turn import take_turn
from tests.scripted import Deliver, Scripted, small_site
from tests.time_matrix import START_NS, S
from tests.trouble import H0, MQTT, TOPIC, TroubledExecutor, desk_and_intake, gateway_of, scan, table, what_happened


def mqtt_gateway(data: Path, clock: ManualClock, broker: LoopbackBroker, **parts: object) -> Gateway:
    """A whole gateway that hears an in-memory broker."""

    def open_link(_options: object, client: str, filters: Any, _counters: object) -> LoopbackLink:  # noqa: ANN401
        return LoopbackLink(broker, client, filters)

    def make(source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> MqttCollector:  # noqa: ANN401
        return MqttCollector(source, tags, at, epoch, deliver, open_link)

    return gateway_of(small_site(table(H0), MQTT, data), clock, make, **parts)


def test_the_last_of_two_messages_at_once_is_judged(tmp_path: Path) -> None:
    """A source that sends on change alone: nothing follows that would make good for a value passed over."""
    clock, broker = ManualClock(START_NS), LoopbackBroker()
    gateway = mqtt_gateway(tmp_path, clock, broker)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(1)
            broker.publish("t/T.v", b'{"v":5}')
            broker.publish("t/T.v", b'{"v":9}')
            await asyncio.sleep(5)
            assert gateway.picture.values[0] == 9.0
            assert [alarm.tag for alarm in gateway.desk.alarms.values() if alarm.is_active] == ["T.v"]

    run_manual(main(), clock)


def test_after_an_overflow_everything_is_acknowledged_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full queue refused is sent again after a new connection; nothing stays unacknowledged for ever."""
    monkeypatch.setattr(flow, "ITEMS_MAX", 5)
    clock, broker, disk = ManualClock(START_NS), LoopbackBroker(), TroubledExecutor()
    gateway = mqtt_gateway(tmp_path, clock, broker, writer=disk)

    async def publish(count: int) -> None:
        for n in range(count):
            broker.publish("t/T.v", json.dumps({"v": 5 + n * 0.01}).encode())
            await asyncio.sleep(0.05)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(1)
            disk.lag_s = 3.0
            await publish(20)
            disk.lag_s = 0.0
            await asyncio.sleep(10)
            assert gateway.road.dropped > 0
            await publish(50)
            await asyncio.sleep(10)
            assert broker.unacknowledged("fengsui-plc") == 0

    run_manual(main(), clock)


def closed_under_way() -> tuple[PahoLink, Callable[[], None]]:
    """A link with one message that is not acknowledged yet, and the message's acknowledgement."""
    link = PahoLink(MqttOptions(host="127.0.0.1", port=1, topics=(TOPIC,)), "client", ["#"], Counters())
    message = Message(
        topic="t",
        payload=b"",
        qos=1,
        is_retained=False,
        is_duplicate=False,
        connection=1,
        packet_id=1,
        _acknowledge=link.acknowledge,
    )
    order = link._order  # noqa: SLF001  # What paho's thread does when a message comes.
    order.begin(1)
    order.add(message)
    return link, message.acknowledge


async def test_an_acknowledgement_after_its_link_closed_is_nothing() -> None:
    link, acknowledge = closed_under_way()
    await link.close()
    acknowledge()


class ClosingCollector(Scripted):
    """Delivers one scan and closes its link before the scan is committed, as after a crash."""

    async def run(self) -> None:
        """Deliver, close, wait."""
        link, acknowledge = closed_under_way()
        now_ns = self.clock.wall_ns()
        item = replace(scan(0, [0], [9.0]), epoch=self.epoch, received_ns=now_ns, times_ns=np.array([now_ns]))
        self.deliver(item, acknowledge)
        await link.close()
        await asyncio.Event().wait()


class MuteHistorian(MemoryHistorian):
    """Never tells that it kept something, so that the acknowledgement waits for the road's hurry."""

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Keep the values and say nothing."""
        super().append(scan, None)


def test_a_link_that_closed_before_the_commit_does_not_end_the_gateway(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(table(H0), MQTT, tmp_path)

    def make(_source: Source, _tags: TagTable, at: Clock, epoch: int, deliver: Deliver) -> ClosingCollector:
        return ClosingCollector([], at, epoch, deliver)

    gateway = gateway_of(site, clock, make, historian=MuteHistorian(site.tags))

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(5)
            assert gateway.ready()

    run_manual(main(), clock)
    assert what_happened(site)[0] == "raised"


def test_an_ack_of_a_lower_tier_than_the_alarm_now_has_is_refused() -> None:
    """The person saw YELLOW; in the same tick the alarm became RED. It goes on ringing, and the person is told."""
    high_high = Rule(id="T.v.HH", tag="T.v", kind=Kind.HH, setpoint=9.5, tier=Tier.RED)
    desk, intake = desk_and_intake(table(H0, high_high), MQTT)
    take_turn(desk, intake, [scan(1, [1], [9.0])], [], START_NS + S)
    alarm = next(iter(desk.alarms.values()))
    assert alarm.tier is Tier.YELLOW
    now_ns = START_NS + 2 * S
    ack = Command(verb=Verb.ACK, alarm=alarm.id, who="lee", received_ns=now_ns, seen_tier=Tier.YELLOW)
    outcome = take_turn(desk, intake, [replace(scan(2, [2], [9.9]), number=2)], [ack], now_ns).outcome
    now = desk.alarms[alarm.key]
    assert (now.state.value, now.tier) == ("UNACK", Tier.RED)
    assert outcome.answers[0].refused is not None
