"""What goes to an OPC UA server and what may come from it: the one place that every request passes.

Why here: the library has a function for each service of the standard. Whatever is called above, a request that is not
    in ``ALLOWED`` is refused before it becomes bytes; so the field is read-only by construction.
Why bounded: the library keeps what it received of a message until all of it is there, however long the message says
    that it is, and any number of chunks.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from asyncua import ua
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import TransportLimits

from edge.collect.door import Counters

#: Services that read, and those that the session needs (OPC 10000-4 §5). None changes a value or a model in the server.
ALLOWED: Final = frozenset(
    {
        ua.GetEndpointsRequest,
        ua.OpenSecureChannelRequest,
        ua.CloseSecureChannelRequest,
        ua.CreateSessionRequest,
        ua.ActivateSessionRequest,
        ua.CloseSessionRequest,
        ua.ReadRequest,
        ua.BrowseRequest,
        ua.BrowseNextRequest,
        ua.CreateSubscriptionRequest,
        ua.DeleteSubscriptionsRequest,
        ua.TransferSubscriptionsRequest,
        ua.CreateMonitoredItemsRequest,
        ua.PublishRequest,
        ua.RepublishRequest,
    }
)
CHUNK_BYTES_MAX: Final = 65_535
CHUNKS_MAX: Final = 256
MESSAGE_BYTES_MAX: Final = CHUNK_BYTES_MAX * CHUNKS_MAX
_HEADER_BYTES: Final = 8  # OPC 10000-6 §7.1.2.2: type, chunk type, size.


class ReadOnlyProtocol(UASocketProtocol):  # type: ignore[misc]  # The library ships no types.
    """A connection that sends what is allowed and takes what is bounded."""

    receive_buffer: bytes | None

    def __init__(
        self,
        timeout_s: float,
        policy: Any,  # noqa: ANN401 - the library's
        lost: Callable[[], None],
        counters: Counters,
    ) -> None:
        limits = TransportLimits(CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, CHUNKS_MAX, MESSAGE_BYTES_MAX)
        super().__init__(timeout_s, policy, limits)
        self._lost = lost
        self._counters = counters

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, and count what is sent from now on."""
        super().connection_made(transport)
        self.transport = _Counting(cast(asyncio.Transport, transport), self._counters)

    def _send_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's
        if type(request) not in ALLOWED:
            raise PermissionError(f"{type(request).__name__} is no service that reads; it is never sent.")
        if self.transport is None or self.transport.is_closing():
            raise ConnectionError("the connection is closed")
        return super()._send_request(request, *args, **kwargs)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a message that says it is larger than we allowed ends the connection."""
        self._counters.received_bytes += len(data)
        super().data_received(data)
        waiting = self.receive_buffer
        if waiting is not None and len(waiting) >= _HEADER_BYTES:
            size = int.from_bytes(waiting[4:_HEADER_BYTES], "little")
            if not _HEADER_BYTES <= size <= CHUNK_BYTES_MAX:
                self.receive_buffer = None
                self.disconnect_socket()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everybody know who waits for an answer."""
        super().connection_lost(exc)
        self._lost()
        for waiting in self._callbackmap.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the server closed the connection"))
                waiting.exception()  # Seen; nobody may be waiting any more.


class _Counting:
    """A transport of which the bytes that are sent are counted."""

    def __init__(self, transport: asyncio.Transport, counters: Counters) -> None:
        self._transport, self._counters = transport, counters

    def write(self, data: bytes) -> None:
        """Send."""
        self._counters.sent_bytes += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the library asks of it
        return getattr(self._transport, name)


class ReadOnlyClient(UaClient):  # type: ignore[misc]  # The library ships no types.
    """The library's client over such a connection.

    Attributes:
        is_lost: The connection is gone.
        stirred: Set when that happens, and by who has news for its owner.
    """

    def __init__(self, timeout_s: float, counters: Counters) -> None:
        super().__init__(timeout_s)
        self._counters = counters
        self.is_lost = False
        self.stirred = asyncio.Event()

    def lose(self) -> None:
        """Note that the connection is gone."""
        self.is_lost = True
        self.stirred.set()

    def _make_protocol(self) -> ReadOnlyProtocol:
        self.protocol = ReadOnlyProtocol(self._timeout, self.security_policy, self.lose, self._counters)
        self.is_lost = False
        self.protocol.pre_request_hook = self._pre_request_hook
        return self.protocol
