"""The door for devices that dial in: a modem (DTU) at a remote site calls, says who it is, and is then asked.

Flow: modem -> [door] -> wire -> line
Why: a modem in a mobile network has no address of its own; it keeps the connection, and we keep the questions.
Never: speaks to whom it does not know. A caller has ``REGISTER_S`` to send the registration of a configured device,
    from an address that the configuration allows; every other is closed without a byte, and counted by reason.

A registration is no secret: it travels openly and tells devices apart. Who may call at all is said by ``allow`` and by
the network (a private APN, a VPN).
"""

import asyncio
from collections import Counter
from typing import Final, cast

import structlog

from edge.collect.callers import is_told, is_within
from edge.collect.modbus.dial import framing_of, keep_alive
from edge.collect.modbus.wire import Wire
from edge.config import CallOptions, ModbusOptions

REGISTER_S: Final = 10.0
STRANGERS_MAX: Final = 64  # Connections that have not said yet who they are.

_log = structlog.get_logger(__name__)


class Door:
    """One port and the devices that may call there; it is open while one of them is expected.

    Attributes:
        refused: Callers that were not let in, by reason: ``address``, ``unknown``, ``silent``, ``crowd``.
    """

    def __init__(self, listen: str, port: int) -> None:
        self.refused: Counter[str] = Counter()
        self.expected: dict[bytes, Caller] = {}
        self.strangers: set[Visitor] = set()
        self._listen = listen
        self._port = port
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()

    @property
    def port(self) -> int:
        """The port that it really listens on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else self._port

    async def enter(self, caller: "Caller", registration: bytes) -> None:
        """Expect a device; the first one opens the port.

        Raises:
            OSError: The port cannot be listened on.
        """
        async with self._opening:
            if self._server is None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(lambda: Visitor(self), self._listen, self._port)
            self.expected[registration] = caller

    def leave(self, registration: bytes) -> None:
        """Expect a device no more; the last one closes the port."""
        self.expected.pop(registration, None)
        if self._server is not None and not self.expected:
            self._server.close()
            self._server = None
            for visitor in tuple(self.strangers):
                visitor.refuse("closed")

    def refuse(self, reason: str, peer: str) -> None:
        """Count somebody who was not let in."""
        self.refused[reason] += 1
        if is_told(self.refused[reason]):
            _log.warning("modbus.caller_refused", reason=reason, peer=peer, port=self._port, count=self.refused[reason])


class Caller:
    """One device that calls: the way to its wire."""

    def __init__(self, door: Door, options: ModbusOptions) -> None:
        assert options.call is not None, options
        self.call: CallOptions = options.call
        self._options = options
        self._door = door
        self._wire: Wire | None = None
        self._has_arrived = asyncio.Event()
        self._again = 0

    async def connect(self) -> Wire:
        """Wait until it calls.

        Raises:
            OSError: The port cannot be listened on.
        """
        await self._door.enter(self, self.call.registration)
        while True:
            await self._has_arrived.wait()
            self._has_arrived.clear()
            if self._wire is not None and self._wire.is_up:
                return self._wire

    def close(self) -> None:
        """Expect it no more."""
        self._door.leave(self.call.registration)
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def troubles(self) -> dict[str, int]:
        """Count callers at its door that were not let in, and its own second calls."""
        counted = {f"caller_{reason}": count for reason, count in self._door.refused.items()}
        return counted | ({"caller_again": self._again} if self._again else {})

    def arrive(self, transport: asyncio.Transport, rest: bytes) -> None:
        """Take the connection on which it has registered; one that stood before is taken for half-open."""
        if self._wire is not None and self._wire.is_up:
            self._again += 1
            self._wire.close("the device called again")
        self._wire = Wire(framing_of(self._options))
        transport.set_protocol(self._wire)
        keep_alive(transport)
        self._wire.connection_made(transport)
        if rest:
            self._wire.data_received(rest)
        self._has_arrived.set()


class Visitor(asyncio.Protocol):
    """Somebody who has connected and must say who it is."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._said = b""
        self._peer = ""
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whom the configuration allows, for a short time."""
        self._transport = cast(asyncio.Transport, transport)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        if len(self._door.strangers) >= STRANGERS_MAX:
            self.refuse("crowd")
            return
        self._door.strangers.add(self)
        if not any(self._is_allowed(caller.call) for caller in self._door.expected.values()):
            self.refuse("address")
            return
        self._late = asyncio.get_running_loop().call_later(REGISTER_S, self.refuse, "silent")

    def _is_allowed(self, call: CallOptions) -> bool:
        return is_within(self._peer, call.allow)

    def data_received(self, data: bytes) -> None:
        """Look whether it says the registration of a device that may call from there."""
        if self._transport is None:
            return
        self._said += data
        is_begun = False
        for registration, caller in self._door.expected.items():
            if not self._is_allowed(caller.call):
                continue
            if self._said.startswith(registration):
                transport = self._leave()
                caller.arrive(transport, self._said[len(registration) :])
                return
            is_begun |= registration.startswith(self._said)
        if not is_begun:
            self.refuse("unknown")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """It has gone by itself."""
        if self._transport is not None:
            self._leave()
            self._door.refuse("silent", self._peer)

    def refuse(self, reason: str) -> None:
        """Close without a byte, and count."""
        if self._transport is not None:
            self._leave().abort()
            self._door.refuse(reason, self._peer)

    def _leave(self) -> asyncio.Transport:
        transport, self._transport = self._transport, None
        assert transport is not None, self._peer
        self._door.strangers.discard(self)
        if self._late is not None:
            self._late.cancel()
        return transport
