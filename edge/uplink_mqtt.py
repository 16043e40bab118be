"""The uplink's request through an MQTT broker: published on the node's topic, answered by the gateway on another.

Flow: uplink -> [seal, publish] -> broker -> gateway; gateway -> broker -> [unseal] -> answer
Why an answer of the gateway's own: the broker's acknowledgement says that the broker has a message, not that anybody
    judged it. The spool is freed by the same answer as over HTTP, so all that ``uplink`` promises holds here too.
Never: lets a request lie in the broker for later (the session ends with the connection); takes an answer to another
    request, or one that the gateway did not seal, for this one's.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import orjson
import structlog

from edge.collect.door import Counters
from edge.collect.mqtt.link import LinkChange, Manner, Message, MqttLink
from edge.collect.mqtt.outgoing import Outgoing
from edge.collect.mqtt.paho import PahoLink
from edge.config import MqttOptions, UplinkOptions
from edge.model.sealed import Sealed, key_of, seal, token_hash, unseal
from edge.uplink import Answer

OpenLink: TypeAlias = Callable[[MqttOptions, str, Sequence[str], Counters, Manner], MqttLink]

MESSAGES_MAX: Final = 100
BYTES_MAX: Final = 4 * 1024 * 1024
CONNECT_S: Final = 5.0  # How long a request waits for a connection that is being made.

log = structlog.get_logger("uplink")


def topic_up(prefix: str, node: str) -> str:
    """Give the topic on which a node sends; ``+`` for all nodes."""
    return f"{prefix}/up/{node}"


def topic_down(prefix: str, node: str) -> str:
    """Give the topic on which a node is answered."""
    return f"{prefix}/down/{node}"


class MqttPost:
    """A ``Post`` through a broker.

    Args:
        epoch: Of the node's start, rising; requests count within it.
    """

    def __init__(self, options: UplinkOptions, epoch: int, open_link: OpenLink = PahoLink) -> None:
        assert options.broker is not None, options.node
        self._options, self._epoch = options, epoch
        self._key = key_of(token_hash(options.token))
        self.counters = Counters()
        self._link = open_link(
            options.broker,
            options.broker.client_id,
            [topic_down(options.topic, options.node)],
            self.counters,
            Manner(is_clean=True),
        )
        self._listening: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._away = "no connection to the broker yet"
        self._number = 0
        self._asked: asyncio.Future[Answer] | None = None

    async def __call__(self, body: bytes) -> Answer:
        """Send one body and wait for the gateway's answer."""
        if self._listening is None:
            await self._link.open()
            self._listening = asyncio.create_task(self._listen(), name="uplink answers")
        try:
            async with asyncio.timeout(min(CONNECT_S, self._options.timeout_s)):
                await self._up.wait()
        except TimeoutError:
            raise OSError(f"the broker is away: {self._away}") from None
        self._number += 1
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked = asked
        content = Sealed(epoch=self._epoch, number=self._number, body=body)
        message = seal(self._key, "up", self._options.node, content)
        topic = topic_up(self._options.topic, self._options.node)
        self._link.send(Outgoing(topic=topic, payload=message, qos=1, is_retained=False))
        try:
            async with asyncio.timeout(self._options.timeout_s):
                return await asked
        except TimeoutError:
            raise OSError("no answer; does the gateway listen at this broker, and is the token right?") from None
        finally:
            self._asked = None

    async def _listen(self) -> None:
        """Hear answers and how the connection stands, until closed."""
        while True:
            for arrival in await self._link.receive(MESSAGES_MAX, BYTES_MAX):
                if isinstance(arrival, LinkChange):
                    self._meet_change(arrival)
                else:
                    arrival.acknowledge()
                    self._meet_answer(arrival)

    def _meet_change(self, change: LinkChange) -> None:
        log.info("uplink.broker", is_up=change.is_up, reason=change.reason)
        if change.is_up:
            self._up.set()
            return
        self._up.clear()
        self._away = change.reason
        if self._asked is not None and not self._asked.done():  # Its answer goes to a session that is no more.
            self._asked.set_exception(OSError(f"the broker is away: {change.reason}"))

    def _meet_answer(self, message: Message) -> None:
        found = unseal(self._key, "down", self._options.node, message.payload)
        if found is None:
            self.counters.refuse("signature")
            return
        asked = self._asked
        if asked is None or asked.done() or (found.epoch, found.number) != (self._epoch, self._number):
            self.counters.refuse("not_asked")
            return
        asked.set_result(_answer_of(found.body))

    async def close(self) -> None:
        """Disconnect."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._link.close()


def _answer_of(body: bytes) -> Answer:
    """Read the gateway's answer; it is sealed, so what cannot be read is an error of another version."""
    try:
        told = orjson.loads(body)
        after = told.get("retry_after_s")
        return Answer(
            status=int(told["status"]), body=dict(told["body"]), retry_after_s=None if after is None else float(after)
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return Answer(status=0, body={"error": {"code": "unreadable", "message": "the answer cannot be read"}})
