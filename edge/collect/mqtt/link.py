"""The link to a broker: the port that the collector speaks to, above any MQTT library.

Flow: broker -> [link] -> messages and link changes, in order -> collector; durable -> acknowledge -> broker
      presence, rebirth -> [link] -> broker
Why a port: the whole gateway runs under a manual clock with ``loopback``; one contract test holds it and ``paho`` to
the same promises against a real broker.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from edge.collect.mqtt.outgoing import Outgoing, Presence


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message as it arrived.

    Attributes:
        qos: 0, or 1 when the broker waits for an acknowledgement.
        is_retained: It is from before the subscription.
        is_duplicate: The broker sent it before and saw no acknowledgement.
        connection: Number of the connection that it came over; acknowledged over no other.
        packet_id: What the broker calls it on that connection.
    """

    topic: str
    payload: bytes
    qos: int
    is_retained: bool
    is_duplicate: bool
    connection: int
    packet_id: int
    _acknowledge: Callable[["Message"], None] = field(repr=False)
    is_acknowledged: bool = False

    def acknowledge(self) -> None:
        """Tell the broker that it need not send this again; on the event loop."""
        self._acknowledge(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """The connection to the broker came up or went down."""

    is_up: bool
    reason: str = ""


Arrival: TypeAlias = Message | LinkChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a link behaves towards its broker.

    Attributes:
        is_clean: The session ends with the connection (Sparkplug 3.0.0 §5.1 wants that); else it outlives it.
        presence: Where we say whether we are there; None for nowhere.
    """

    is_clean: bool = False
    presence: Presence | None = None


class MqttLink(Protocol):
    """A connection to one broker that comes back by itself, with a session that outlives it."""

    async def open(self) -> None:
        """Begin to connect; returns at once."""
        ...

    async def receive(self, count_max: int, bytes_max: int) -> list[Arrival]:
        """Wait until something arrived, then give what waits, in order, at least one."""
        ...

    def send(self, outgoing: Outgoing) -> None:
        """Publish over this connection, after our presence; what cannot go out now is dropped."""
        ...

    def announce(self) -> None:
        """Say once more that we are there, where somebody said that we are not."""
        ...

    async def close(self) -> None:
        """Say that we are gone and disconnect; a session that outlives us stays with the broker."""
        ...


class AckOrder:
    """Lets acknowledgements go to the broker in the order of arrival only.

    Why: MQTT asks for it [MQTT-4.6.0-2], and there are brokers that lose messages otherwise. An acknowledgement that
    comes early waits for those before it. May be used from two threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Message] = deque()
        self._connection = 0

    def begin(self, connection: int) -> None:
        """Begin with a new connection; what was unacknowledged on the old one will come again."""
        with self._lock:
            self._waiting.clear()
            self._connection = connection

    def add(self, message: Message) -> None:
        """Note a message that wants an acknowledgement, in order of arrival."""
        with self._lock:
            self._waiting.append(message)

    def acknowledge(self, message: Message) -> list[int]:
        """Mark a message; give the packet ids that may go to the broker now, in order.

        One of an older connection gives none: its packet id may mean another message by now.
        """
        with self._lock:
            if message.connection != self._connection:
                return []
            message.is_acknowledged = True
            ready: list[int] = []
            while self._waiting and self._waiting[0].is_acknowledged:
                ready.append(self._waiting.popleft().packet_id)
            return ready

    def __len__(self) -> int:
        return len(self._waiting)
