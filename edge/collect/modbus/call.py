"""The door for Modbus devices that dial in: a modem (DTU) at a remote site calls, says who it is, and is then asked.

Flow: modem -> [door] -> wire -> line
Why: a modem in a mobile network has no address of its own; it keeps the connection, and we keep the questions.
Never: speaks to whom it does not know (``edge.collect.calling``). A caller has ``REGISTER_S`` to send the registration
    of a configured device.

A registration is no secret: it travels openly and tells devices apart. Who may call at all is said by ``allow`` and by
the network (a private APN, a VPN).
"""

import asyncio
from typing import Final

from edge.collect import calling
from edge.collect.modbus.dial import framing_of, keep_alive
from edge.collect.modbus.wire import Wire
from edge.config import CallOptions, ModbusOptions

REGISTER_S: Final = 10.0
STRANGERS_MAX: Final = 64  # Connections that have not said yet who they are.


class Door(calling.Door["Caller"]):
    """One port and the devices that may call there, by registration.

    ``refused`` has also ``unknown``: what was said is no device's registration.
    """

    def __init__(self, listen: str, port: int) -> None:
        super().__init__(listen, port, STRANGERS_MAX)

    def visit(self) -> "Visitor":
        """Make the protocol of a new connection."""
        return Visitor(self)

    def networks(self, guest: "Caller") -> tuple[str, ...]:
        """Give the networks that a device may call from."""
        return guest.call.allow


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
        await self._door.enter(self.call.registration, self)
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
        return self._door.troubles() | ({"caller_again": self._again} if self._again else {})

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


class Visitor(calling.Visit):
    """Somebody who has connected and must say who it is."""

    silent_s = REGISTER_S

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._door = door
        self._said = b""

    def data_received(self, data: bytes) -> None:
        """Look whether it says the registration of a device that may call from there."""
        if self._transport is None:
            return
        self._said += data
        is_begun = False
        for key, caller in self._door.expected.items():
            registration = caller.call.registration
            assert registration == key, key
            if not self._door.may_call(caller, self.peer):
                continue
            if self._said.startswith(registration):
                transport = self.depart()  # From here on the connection is the caller's.
                assert transport is not None, self.peer
                caller.arrive(transport, self._said[len(registration) :])
                return
            is_begun |= registration.startswith(self._said)
        if not is_begun:
            self.refuse("unknown")
