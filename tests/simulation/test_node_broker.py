"""An edge node that sends through a broker, in one virtual time: outages of either side, and what strangers try."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from edge.clock_system import SystemClock
from edge.collect.door import Counters
from edge.collect.mqtt.link import Manner, MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.config import MqttOptions, UplinkOptions
from edge.model.sealed import Sealed, key_of, seal, token_hash
from edge.node import Node
from edge.uplink_mqtt import MqttPost
from gateway.app import Gateway, Parts
from gateway.config import NodeBroker
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.nodes.credential import add_node, revoke_node
from tests.simulation.test_node import World, flat, run

TOPIC = "fengsui/site"
BROKER = MqttOptions(host="broker", client_id="north")


class BrokerWorld(World):
    """The same world, with a broker between."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, flat)
        self.broker = LoopbackBroker()
        options = replace(BROKER, client_id="gateway")
        self.site = replace(self.site, node_broker=NodeBroker(options=options, topic=TOPIC))
        self.token = ""
        self.posts: list[MqttPost] = []

    def open(
        self, options: MqttOptions, client_id: str, filters: Sequence[str], counters: Counters, manner: Manner
    ) -> MqttLink:
        return LoopbackLink(self.broker, client_id, filters, manner)

    def start_gateway(self) -> Gateway:
        parts = Parts(
            writer=InlineExecutor(), reader=InlineExecutor(), jitter_seed=1, open_node_link=self.open,
            historian=MemoryHistorian(self.site.tags),
        )  # fmt: skip
        gateway = Gateway(self.site, self.clock, replace(parts, historian=None))
        gateway.historian = gateway.road.historian = MemoryHistorian(gateway.site.tags)
        self.gateway = gateway
        if not self.token:
            self.token = add_node(gateway.engine, SystemClock(), "north")
        return gateway

    def start_node(self, epoch: int = 1) -> Node:
        options = UplinkOptions(node="north", broker=BROKER, topic=TOPIC, token=self.token, timeout_s=5.0)
        post = MqttPost(options, epoch, self.open)
        self.posts.append(post)
        self.post = post  # type: ignore[method-assign, assignment]
        return self.make_node()


def refused(world: BrokerWorld) -> dict[str, int]:
    assert world.gateway is not None
    assert world.gateway.listener is not None
    return dict(world.gateway.listener.counters.refused)


def test_all_arrives_over_a_broker_that_stops_and_starts(tmp_path: Path) -> None:
    world = BrokerWorld(tmp_path)

    async def script(_: World, stack: AsyncExitStack) -> None:
        gateway = world.start_gateway()
        await stack.enter_async_context(gateway.running())
        node = world.start_node()
        await stack.enter_async_context(node.running())
        stack.push_async_callback(world.posts[0].close)
        await asyncio.sleep(10)
        assert world.status.is_up
        world.broker.stop()
        await asyncio.sleep(120)
        assert not world.status.is_up
        told = gateway.node_broker()
        assert told is not None
        assert (told.place, told.is_up) == ("broker:1883", False)
        assert ("raised", "fengsui.node_broker", False) in world.told()
        assert "broker is away" in node.uplink.state.last_error
        world.broker.start()
        await asyncio.sleep(40)
        assert world.status.is_up
        assert (world.status.missing, node.spool.waiting) == (0, 0)
        assert node.uplink.state.lag_s < 5
        told = gateway.node_broker()
        assert told is not None
        assert told.is_up

    run(world, script)


def test_a_gateway_that_starts_anew_gets_what_it_missed_once(tmp_path: Path) -> None:
    world = BrokerWorld(tmp_path)

    async def script(_: World, stack: AsyncExitStack) -> None:
        first = AsyncExitStack()
        await first.enter_async_context(world.start_gateway().running())
        node = world.start_node()
        await stack.enter_async_context(node.running())
        stack.push_async_callback(world.posts[0].close)
        await asyncio.sleep(30)
        await first.aclose()
        await asyncio.sleep(60)
        assert "no answer" in node.uplink.state.last_error
        await stack.enter_async_context(world.start_gateway().running())
        await asyncio.sleep(40)
        assert (world.status.missing, node.spool.waiting) == (0, 0)
        assert world.status.is_up

    run(world, script)


def test_what_no_node_sealed_is_counted_and_never_answered(tmp_path: Path) -> None:
    world = BrokerWorld(tmp_path)

    async def script(_: World, stack: AsyncExitStack) -> None:
        gateway = world.start_gateway()
        await stack.enter_async_context(gateway.running())
        await asyncio.sleep(1)
        content = Sealed(epoch=1, number=1, body=b"x")
        right, wrong = (key_of(token_hash(token)) for token in (world.token, "w" * 40))
        world.broker.publish(f"{TOPIC}/up/north", b"rubbish")
        world.broker.publish(f"{TOPIC}/up/north", seal(wrong, "up", "north", content))
        await asyncio.sleep(1)
        world.broker.publish(f"{TOPIC}/up/south", seal(right, "up", "south", content))
        world.broker.publish(f"{TOPIC}/up/north", seal(right, "down", "north", content))
        await asyncio.sleep(1)
        assert not [one for one in world.broker.published if "/down/" in one.topic]
        mine = seal(right, "up", "north", content)
        world.broker.publish(f"{TOPIC}/up/north", mine)
        await asyncio.sleep(1)
        world.broker.publish(f"{TOPIC}/up/north", mine)
        await asyncio.sleep(1)
        assert len([one for one in world.broker.published if "/down/" in one.topic]) == 1, "once, and it says malformed"
        revoke_node(gateway.engine, "north")
        world.broker.publish(f"{TOPIC}/up/north", seal(right, "up", "north", replace(content, number=2)))
        await asyncio.sleep(1)
        assert refused(world) == {"node_signature": 3, "node_unknown": 2, "node_repeat": 1}

    run(world, script)


def test_a_strangers_answer_frees_nothing(tmp_path: Path) -> None:
    world = BrokerWorld(tmp_path)

    async def script(_: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.start_gateway().running())
        node = world.start_node()
        assert world.gateway is not None
        assert world.gateway.listener is not None
        revoke_node(world.gateway.engine, "north")  # So that nobody right answers.
        await stack.enter_async_context(node.running())
        stack.push_async_callback(world.posts[0].close)
        for number in range(1, 200):
            await asyncio.sleep(0.1)
            forged = Sealed(epoch=1, number=number, body=b'{"status":200,"body":{}}')
            world.broker.publish(f"{TOPIC}/down/north", seal(b"k" * 32, "down", "north", forged))
        assert node.spool.waiting > 10
        assert node.uplink.state.sent == 0
        assert world.posts[0].counters.refused["signature"] > 100

    run(world, script)
