"""One connection to one or more devices: a request out, its answer in, one at a time.

Flow: line -> [wire] -> transport (TCP, TLS, serial, a modem that dialled in)
Why: a lost connection ends the outstanding request at once, a torn answer costs its own request only, and what nobody
    asked for is counted and dropped, also when it never ends.
Never: connects, waits for a turn or tries again; that is the line's.
"""

import asyncio
from typing import Final, Self, cast

from edge.collect.modbus.frame import Asked, Failure, Framing, Words
from edge.model import Reason

#: Bytes that nobody asked for since the last answer, after which the other side is taken for no Modbus device.
STRAYS_MAX: Final = 65_536


class Wire(asyncio.Protocol):
    """A connection, from made to lost.

    Attributes:
        lost: Set when it is gone, or before it is made.
        lost_reason: Why.
        sent_bytes, received_bytes: On this connection, with what nobody asked for.
    """

    def __init__(self, framing: Framing) -> None:
        self.lost = asyncio.Event()
        self.lost.set()
        self.lost_reason = ""
        self.sent_bytes = 0
        self.received_bytes = 0
        self._framing = framing
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: asyncio.Future[Words | Failure] | None = None
        self._strays_known = 0

    @property
    def is_up(self) -> bool:
        """The connection stands, as far as is known."""
        return not self.lost.is_set()

    @property
    def strays(self) -> int:
        """Bytes that came without having been asked for."""
        return self._framing.strays

    # ------------------------------------------------------------------------------------- what the transport calls

    def handle_new_connection(self) -> Self:
        """Be the protocol of a null modem's end, as its owner asks."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.WriteTransport, transport)
        self.lost.clear()

    def data_received(self, data: bytes) -> None:
        """Take bytes; an answer goes to the request that waits for it."""
        self.received_bytes += len(data)
        found = self._framing.feed(data)
        if found is not None:
            self._strays_known = self._framing.strays
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(found)
        if self._framing.is_lost:
            self.close("what it sent is no Modbus")
        elif self._framing.strays - self._strays_known > STRAYS_MAX:
            self.close("it sent without end what nobody asked for")

    def eof_received(self) -> bool:
        """Close: a device that sends no more is of no use."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it the outstanding request."""
        self._gone("connection closed by the device" if exc is None else f"connection lost: {exc}")

    # ---------------------------------------------------------------------------------------------- what the line calls

    def close(self, reason: str = "closed") -> None:
        """Close the connection, if it stands."""
        transport, self._transport = self._transport, None
        self._gone(reason)
        if transport is not None:
            transport.abort()

    def _gone(self, reason: str) -> None:
        if self.lost.is_set():
            return
        self.lost_reason = reason
        self.lost.set()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Failure(reason=Reason.COMMS))

    async def ask(self, asked: Asked, timeout_s: float) -> Words | Failure:
        """Send one read and wait for its answer; the caller lets one be outstanding at a time.

        Returns:
            uint16 (count,), or why there are none.
        """
        assert self._waiting is None, "one request at a time"
        if self._transport is None or not self.is_up:
            return Failure(reason=Reason.COMMS)
        loop = asyncio.get_running_loop()
        # Before the request goes out: a null modem answers within the write.
        waiting: asyncio.Future[Words | Failure] = loop.create_future()
        self._waiting = waiting
        late = loop.call_later(timeout_s, _miss, waiting)  # A third of the cost of asyncio.timeout.
        try:
            request = self._framing.wrap(asked)
            self.sent_bytes += len(request)
            self._transport.write(request)
            return await waiting
        finally:
            late.cancel()
            self._waiting = None
            self._framing.forget()


def _miss(waiting: asyncio.Future[Words | Failure]) -> None:
    """The time is over."""
    if not waiting.done():
        waiting.set_result(Failure(reason=Reason.TIMEOUT))
