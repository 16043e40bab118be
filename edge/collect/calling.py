"""A port of ours that devices call, and those who have called: one door for every protocol that is dialled into.

Flow: device -> [door] -> visit (says who it is) -> its collector
Why: a device in a mobile network has no address of its own. Anybody may reach the port; so a caller comes in only from
    an address that the configuration allows, and must say soon who it is. Where the house is full the one that has
    said nothing for longest goes, so that no crowd of idle callers keeps a device out.
Never: sends a byte to whom it does not know; every one that is closed is counted by reason.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar, cast

import structlog

from edge.collect.callers import is_within

#: Whoever is expected at a door: a device's way to its line, a station's collector.
Guest = TypeVar("Guest")

_log = structlog.get_logger(__name__)


class Door(ABC, Generic[Guest]):
    """One port and who may call there; open while somebody is expected.

    Args:
        inside_max: Connections that it counts at once.

    Attributes:
        refused: Callers that were not let in or were sent away, by reason: ``address``, ``silent``, ``crowd`` …
        expected: Who may call, by what tells them apart.
        strangers: Connections that have not said yet who they are, the oldest first.
        inside: Connections that count against ``inside_max``; strangers are among them.
    """

    def __init__(self, listen: str, port: int, inside_max: int) -> None:
        self.refused: Counter[str] = Counter()
        self.expected: dict[Hashable, Guest] = {}
        self.strangers: dict[Visit, None] = {}
        self.inside: set[Visit] = set()
        self._listen = listen
        self._port = port
        self._inside_max = inside_max
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()

    @abstractmethod
    def visit(self) -> "Visit":
        """Make the protocol of a new connection."""

    @abstractmethod
    def networks(self, guest: Guest) -> tuple[str, ...]:
        """Give the networks that somebody who is expected may call from."""

    @property
    def port(self) -> int:
        """The port that it really listens on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else self._port

    async def enter(self, key: Hashable, guest: Guest) -> None:
        """Expect somebody; the first one opens the port.

        Raises:
            OSError: The port cannot be listened on.
        """
        async with self._opening:
            if self._server is None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(self.visit, self._listen, self._port)
            self.expected[key] = guest

    def leave(self, key: Hashable) -> None:
        """Expect somebody no more; the last one closes the port and sends all away."""
        self.expected.pop(key, None)
        if self._server is not None and not self.expected:
            self._server.close()
            self._server = None
            for one in tuple(self.inside):
                one.close()

    def may_call(self, guest: Guest, peer: str) -> bool:
        """Tell whether somebody who is expected may call from an address."""
        return is_within(peer, self.networks(guest))

    def admit(self, one: "Visit") -> str:
        """Let a connection in; or give why not."""
        if not any(self.may_call(guest, one.peer) for guest in self.expected.values()):
            return "address"
        if len(self.inside) >= self._inside_max:
            oldest = next(iter(self.strangers), None)
            if oldest is None:
                return "crowd"
            oldest.refuse("crowd")
        self.inside.add(one)
        self.strangers[one] = None
        return ""

    def refuse(self, reason: str, peer: str, count: int = 1) -> None:
        """Count somebody, or something that was sent, that goes no further."""
        before = self.refused[reason]
        self.refused[reason] = after = before + count
        if before.bit_length() < after.bit_length():  # At 1, 2, 4, 8 …: who calls decides how many there are.
            _log.warning("caller_refused", reason=reason, peer=peer, port=self.port, count=after)

    def troubles(self) -> dict[str, int]:
        """Give what was refused at the door, by reason, as counters of collectors name it."""
        return {f"caller_{reason}": count for reason, count in self.refused.items()}


class Visit(asyncio.Protocol):
    """One connection, from its call on until it is known, or for as long as it stays.

    Attributes:
        peer: Address that it calls from.
    """

    #: How long a caller may say nothing of use, s.
    silent_s: float

    def __init__(self, door: Door[Guest]) -> None:
        self.peer = ""
        self._at = door
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whom the configuration allows, for a short time."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        reason = self._at.admit(self)
        if reason:
            self.refuse(reason)
            return
        self.wait(self.silent_s)

    def wait(self, seconds: float) -> None:
        """Send it away unless something of use comes within a time."""
        if self._late is not None:
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_later(seconds, self.refuse, "silent")

    def is_known(self) -> None:
        """It has said who it is."""
        self._at.strangers.pop(self, None)

    def refuse(self, reason: str) -> None:
        """Close without a byte more, and count."""
        transport = self.depart()
        if transport is not None:
            transport.abort()
            self._at.refuse(reason, self.peer)

    def close(self) -> None:
        """Close, because the door does."""
        transport = self.depart()
        if transport is not None:
            transport.abort()

    def depart(self) -> asyncio.Transport | None:
        """Leave the door's books; gives the connection, once."""
        transport, self._transport = self._transport, None
        self._at.strangers.pop(self, None)
        self._at.inside.discard(self)
        if self._late is not None:
            self._late.cancel()
        return transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """It has gone by itself."""
        was_stranger = self in self._at.strangers
        if self.depart() is not None and was_stranger:
            self._at.refuse("silent", self.peer)
