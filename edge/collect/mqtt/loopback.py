"""A broker and its links in memory, for tests and simulations under any clock.

A documented seam, not a broker: persistent sessions, QoS 0 and 1, retained messages, redelivery with the duplicate
mark after a lost connection. The contract test holds it to what a real broker does.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.collect.mqtt.inbox import Inbox
from edge.collect.mqtt.link import AckOrder, Arrival, LinkChange, Manner, Message
from edge.collect.mqtt.outgoing import Outgoing, denies_presence, presence
from edge.collect.mqtt.topic import match, parted

QUEUE_MAX = 100_000  # Messages kept for a client that is away; the oldest go first.
RETRY_S = 0.2
PERSISTENT = Manner()


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the broker knows of one client id."""

    filters: tuple[str, ...] = ()
    unacknowledged: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    waiting: deque[tuple[str, bytes]] = field(default_factory=lambda: deque(maxlen=QUEUE_MAX))
    packet_id: int = 0
    link: "LoopbackLink | None" = None
    will: Outgoing | None = None


class LoopbackBroker:
    """Sessions and retained messages; can be stopped and started."""

    def __init__(self) -> None:
        self.is_running = True
        self.unreachable: set[str] = set()  # Clients whose way to the broker is cut.
        #: All that its clients published, in order.
        self.published: list[Outgoing] = []
        self._retained: dict[str, tuple[bytes, int]] = {}
        self._sessions: dict[str, _Session] = {}
        self._turns: dict[str, int] = {}  # Messages dealt out so far, by shared filter.

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, is_retained: bool = False) -> None:
        """Publish as a client would; to a stopped broker nothing gets through."""
        if not self.is_running:
            return
        if is_retained:
            self._retained[topic] = (payload, qos)
        for session in self._sessions.values():
            if any(match(one, topic) is not None for one in session.filters):
                self._send(session, topic, payload, qos)
        self._deal(topic, payload, qos)

    def _deal(self, topic: str, payload: bytes, qos: int) -> None:
        """Give one member of each group its turn, also one that is away: its session keeps it (MQTT 5.0, §4.8.2)."""
        groups: dict[str, list[_Session]] = {}
        for session in self._sessions.values():
            for one in session.filters:
                group, heard = parted(one)
                if group and match(heard, topic) is not None:
                    groups.setdefault(one, []).append(session)
        for shared, members in groups.items():
            turn = self._turns[shared] = self._turns.get(shared, -1) + 1
            self._send(members[turn % len(members)], topic, payload, qos)

    def stop(self) -> None:
        """Go away; sessions are kept, as with persistence."""
        self.is_running = False
        for client_id in list(self._sessions):
            self.drop(client_id)

    def start(self) -> None:
        """Come back; links find it by themselves."""
        self.is_running = True

    def is_reachable(self, client_id: str) -> bool:
        """Tell whether a client can connect."""
        return self.is_running and client_id not in self.unreachable

    def cut(self, client_id: str) -> None:
        """Cut a client's way to the broker until ``mend``; what is published meanwhile waits in its session."""
        self.unreachable.add(client_id)
        self.drop(client_id)

    def mend(self, client_id: str) -> None:
        """Let a client connect again."""
        self.unreachable.discard(client_id)

    def drop(self, client_id: str) -> None:
        """Cut one client's connection."""
        session = self._sessions[client_id]
        link, will = session.link, session.will
        session.link = session.will = None
        if link is not None:
            if link.is_clean:
                del self._sessions[client_id]
            link.cut()
        if will is not None:
            self.take(will)

    def take(self, outgoing: Outgoing) -> None:
        """Take what a client of its own publishes."""
        self.published.append(outgoing)
        self.publish(outgoing.topic, outgoing.payload, qos=outgoing.qos, is_retained=outgoing.is_retained)

    def attach(
        self, client_id: str, filters: Sequence[str], link: "LoopbackLink", will: Outgoing | None = None
    ) -> None:
        """Begin a connection: subscribe, send again what was not acknowledged, then what waited, then retained."""
        session = self._sessions.setdefault(client_id, _Session())
        if session.link is not None and session.link is not link:
            self.drop(client_id)
            session = self._sessions.setdefault(client_id, _Session())
        session.filters = tuple(filters)
        session.link = link
        session.will = will
        for packet_id, (topic, payload) in session.unacknowledged.items():
            link.take(topic, payload, 1, packet_id, is_duplicate=True)
        waiting, session.waiting = session.waiting, deque(maxlen=QUEUE_MAX)
        for topic, payload in waiting:
            self._send(session, topic, payload, 1)
        for topic, (payload, qos) in self._retained.items():
            if any(match(one, topic) is not None for one in filters):
                self._send(session, topic, payload, qos, is_retained=True)

    def detach(self, client_id: str) -> None:
        """End a connection in order."""
        session = self._sessions.get(client_id)
        if session is not None and session.link is not None:
            if session.link.is_clean:
                del self._sessions[client_id]
            session.link = session.will = None

    def acknowledge(self, client_id: str, packet_id: int) -> None:
        """Forget a message."""
        self._sessions[client_id].unacknowledged.pop(packet_id, None)

    def unacknowledged(self, client_id: str) -> int:
        """Count what a client has received and not acknowledged."""
        return len(self._sessions[client_id].unacknowledged)

    def _send(self, session: _Session, topic: str, payload: bytes, qos: int, *, is_retained: bool = False) -> None:
        if session.link is None:
            if qos > 0:
                session.waiting.append((topic, payload))
            return
        if qos > 0:
            session.packet_id = session.packet_id % 65_535 + 1
            session.unacknowledged[session.packet_id] = (topic, payload)
        session.link.take(topic, payload, qos, session.packet_id if qos > 0 else 0, is_retained=is_retained)


class LoopbackLink:
    """A link to a ``LoopbackBroker``; made on the event loop that uses it."""

    def __init__(
        self, broker: LoopbackBroker, client_id: str, filters: Sequence[str], manner: Manner = PERSISTENT
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._presence = manner.presence
        self._born_ms = 0
        self.is_clean = manner.is_clean
        self._filters = tuple(filters)
        self._inbox = Inbox()
        self._order = AckOrder()
        self._connection = 0
        self._is_up: bool | None = None
        self._trying: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to connect."""
        self._trying = asyncio.create_task(self._keep_connected())

    async def receive(self, count_max: int, bytes_max: int) -> list[Arrival]:
        """Wait until something arrived, then give what waits, in order."""
        return await self._inbox.take(count_max, bytes_max)

    async def close(self) -> None:
        """Disconnect."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait([self._trying])
        where, self._presence = self._presence, None  # What we say now is no news to ourselves.
        if where is not None and self._is_up:
            self._broker.take(presence(where.topic, where.now_ms(), is_online=False))
        self._broker.detach(self._client_id)
        self._inbox.close()

    def send(self, outgoing: Outgoing) -> None:
        """Publish."""
        if self._is_up:
            self._broker.take(outgoing)

    def announce(self) -> None:
        """Say once more that we are there."""
        if self._presence is not None:
            self.send(presence(self._presence.topic, self._born_ms, is_online=True))

    async def _keep_connected(self) -> None:
        while True:
            if self._is_up is not True and self._broker.is_reachable(self._client_id):
                self._connection += 1
                self._order.begin(self._connection)
                self._change(is_up=True)
                will, filters = None, self._filters
                if self._presence is not None:
                    self._born_ms = self._presence.now_ms()
                    will = presence(self._presence.topic, self._born_ms, is_online=False)
                    filters = (*filters, self._presence.topic)
                self._broker.attach(self._client_id, filters, self, will)
                self.announce()
            elif self._is_up is None:
                self._change(is_up=False, reason="no connection")
            await asyncio.sleep(RETRY_S)

    def cut(self) -> None:
        """Lose the connection."""
        self._order.begin(0)
        self._change(is_up=False, reason="connection lost")

    def _change(self, *, is_up: bool, reason: str = "") -> None:
        self._is_up = is_up
        self._inbox.put_change(LinkChange(is_up=is_up, reason=reason))

    def take(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        packet_id: int,
        *,
        is_retained: bool = False,
        is_duplicate: bool = False,
    ) -> None:
        """Receive one message."""
        message = Message(
            topic=topic,
            payload=payload,
            qos=qos,
            is_retained=is_retained,
            is_duplicate=is_duplicate,
            connection=self._connection,
            packet_id=packet_id,
            _acknowledge=self._acknowledge,
        )
        if qos > 0:
            self._order.add(message)
        if self._presence is not None and topic == self._presence.topic:
            message.acknowledge()
            if not is_retained and denies_presence(payload):
                self.announce()
            return
        self._inbox.put(message)

    def _acknowledge(self, message: Message) -> None:
        if message.qos > 0:
            for packet_id in self._order.acknowledge(message):
                self._broker.acknowledge(self._client_id, packet_id)
