"""Listener: edge nodes that send through a broker. The same reception as over HTTP, answered through the broker too.

Flow: broker -> [whose? sealed? newer?] -> reception -> committed and in the historian -> sealed answer -> broker
Why one at a time and one waiting a node: a node sends its next request when the last was answered or given up, so of
    two that wait the older has nobody any more.
Never: answers what no node of ours sealed; takes a request twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import Connection, select

from edge.collect.door import Counters
from edge.collect.mqtt.link import LinkChange, Manner, Message, MqttLink
from edge.collect.mqtt.outgoing import Outgoing
from edge.collect.mqtt.paho import PahoLink
from edge.collect.supervise import supervise
from edge.model.sealed import Sealed, key_of, seal, unseal
from edge.uplink_mqtt import OpenLink, topic_down, topic_up
from gateway.config import NodeBroker
from gateway.meter import Meter, Stage
from gateway.nodes.broker_status import BrokerStatus
from gateway.nodes.reception import Refusal, Taken
from gateway.store.schema import node

MESSAGES_MAX: Final = 64
BYTES_MAX: Final = 16 * 1024 * 1024

log = structlog.get_logger("nodes")


@dataclass(slots=True, kw_only=True)
class _Desk:
    """One node's requests.

    Attributes:
        is_busy: One is being taken.
        waiting: The one that came meanwhile.
        last: Epoch and number of the last that was taken up.
    """

    is_busy: bool = False
    waiting: bytes | None = None
    last: tuple[int, int] = (0, 0)


class NodeListener:
    """Listens until cancelled.

    Args:
        is_known: Tells whether a source of the site names a node; others are not even looked up.
        hash_of: Gives the hash of a node's token; None where it may not send.
        take: Takes a batch; returns when it is durable.
    """

    def __init__(
        self,
        broker: NodeBroker,
        meter: Meter,
        *,
        is_known: Callable[[str], bool],
        hash_of: Callable[[str], Awaitable[str | None]],
        take: Callable[[str, bytes], Awaitable[Taken]],
        open_link: OpenLink = PahoLink,
    ) -> None:
        self._broker, self._meter = broker, meter
        self._is_known, self._hash_of, self._take, self._open_link = is_known, hash_of, take, open_link
        self.counters = Counters()
        self._desks: dict[str, _Desk] = {}
        self.is_up = False
        self._reason = "no connection yet"

    async def run(self) -> None:
        """Listen until cancelled."""
        await supervise(self._listen, "node_broker", self.counters)

    def status(self) -> BrokerStatus:
        """Tell how the link to the broker stands."""
        options = self._broker.options
        return BrokerStatus(
            place=f"{options.host}:{options.port}",
            is_up=self.is_up,
            reason=self._reason,
            refused=dict(self.counters.refused),
            crashes=self.counters.crashes,
        )

    async def _listen(self) -> None:
        options = self._broker.options
        filters = [topic_up(self._broker.topic, "+")]
        link = self._open_link(options, options.client_id, filters, self.counters, Manner(is_clean=True))
        for desk in self._desks.values():
            desk.is_busy, desk.waiting = False, None
        try:
            await link.open()
            async with asyncio.TaskGroup() as group:
                while True:
                    for arrival in await link.receive(MESSAGES_MAX, BYTES_MAX):
                        if isinstance(arrival, LinkChange):
                            self.is_up, self._reason = arrival.is_up, arrival.reason
                            log.info("nodes.broker", is_up=arrival.is_up, reason=arrival.reason)
                        else:
                            arrival.acknowledge()  # The node has its own answer; this one is the broker's.
                            self._meet(arrival, link, group)
        finally:
            self.is_up, self._reason = False, "closed"
            await link.close()

    def _meet(self, message: Message, link: MqttLink, group: asyncio.TaskGroup) -> None:
        """Put a request on its node's desk."""
        name = message.topic.rpartition("/")[2]
        if message.is_retained or not self._is_known(name):
            self._refuse("node_unknown")
            return
        desk = self._desks.setdefault(name, _Desk())
        if desk.is_busy:
            if desk.waiting is not None:
                self._refuse("node_overtaken")
            desk.waiting = message.payload
            return
        desk.is_busy = True
        group.create_task(self._work(name, desk, message.payload, link))

    async def _work(self, name: str, desk: _Desk, payload: bytes, link: MqttLink) -> None:
        """Take a request, and what came meanwhile."""
        following: bytes | None = payload
        while following is not None:
            await self._one(name, desk, following, link)
            following, desk.waiting = desk.waiting, None
        desk.is_busy = False

    async def _one(self, name: str, desk: _Desk, payload: bytes, link: MqttLink) -> None:
        hashed = await self._hash_of(name)
        if hashed is None:
            self._refuse("node_unknown")
            return
        key = key_of(hashed)
        found = unseal(key, "up", name, payload)
        if found is None:
            self._refuse("node_signature")
            return
        if (found.epoch, found.number) <= desk.last:
            self._refuse("node_repeat")
            return
        desk.last = (found.epoch, found.number)
        answer = orjson.dumps(await self._answer(name, found.body))
        content = Sealed(epoch=found.epoch, number=found.number, body=answer)
        topic = topic_down(self._broker.topic, name)
        link.send(Outgoing(topic=topic, payload=seal(key, "down", name, content), qos=1, is_retained=False))

    async def _answer(self, name: str, body: bytes) -> dict[str, Any]:
        try:
            taken = await self._take(name, body)
        except Refusal as refusal:
            error = {"error": {"code": refusal.code, "message": str(refusal)}}
            return {"status": refusal.status, "body": error, "retry_after_s": refusal.retry_after_s}
        return {"status": 200, "body": taken.told()}

    def _refuse(self, reason: str) -> None:
        """Count a message that went no further; nobody is answered, for nobody showed who it is."""
        self.counters.refuse(reason)
        self._meter.entered(Stage.COLLECT, 1)
        self._meter.refused(Stage.COLLECT, reason, 1)


def hash_of_node(connection: Connection, name: str) -> str | None:
    """Give the hash of a node's token; None for a node that may not send."""
    found = connection.scalar(select(node.c.token_hash).where(node.c.name == name, node.c.is_active))
    return str(found) if found else None
