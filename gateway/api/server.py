"""Serve an ASGI application inside the gateway's own event loop.

Why: one process, one loop. Signals belong to the gateway; a failing bind is told before anything else starts.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

SHUTDOWN_S = 3
CONNECTIONS_MAX = 512  # HTTP connections and WebSockets together; beyond it a request is answered 503.


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and say so."""
        await super().startup(sockets)
        self._listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the gateway."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take a TCP address; port 0 takes any free one.

    Raises:
        OSError: The address is taken, or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
    except OSError:
        door.close()
        raise
    door.setblocking(False)  # noqa: FBT003 - socket's own signature
    return door


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    listening: Callable[[int], None] | None = None,
    door: socket.socket | None = None,
) -> None:
    """Serve until cancelled, then end open requests within ``SHUTDOWN_S``.

    Args:
        listening: Called once with the port when requests are taken.
        door: An address from ``listen`` in place of host and port.

    Raises:
        OSError: The address is taken.
    """
    taken = door or listen(host, port)
    port_taken = int(taken.getsockname()[1])
    server = _Server(
        uvicorn.Config(
            app,
            ws_per_message_deflate=False,  # Browsers offer it; it costs 4 to 25 times the processor time.
            ws_max_size=4096,  # A page says nothing on the live feed.
            ws_max_queue=4,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=SHUTDOWN_S,
        ),
        lambda: listening(port_taken) if listening is not None else None,
    )
    running = asyncio.create_task(server.serve(sockets=[taken]), name="http")
    try:
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        if not running.done():
            await running
