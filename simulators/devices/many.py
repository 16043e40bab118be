"""Many Modbus TCP devices in one process, for load: ``python -m simulators.devices.many --devices 100``.

Flow: request -> [cut a piece of a fixed image] -> answer
Why: pymodbus' server spends more on an answer than a client on asking; a load test would measure the server. Holding
    register r of every device holds r XOR 0x5A5A, so that whoever reads can check each word.

Prints one JSON line with the ports when it listens, and one with its processor time when its input ends.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Final, cast

REGISTERS: Final = 65_536
IMAGE: Final = b"".join((register ^ 0x5A5A).to_bytes(2, "big") for register in range(REGISTERS))
HEADER: Final = 12  # MBAP, function, address, count: a whole request of a reading function.
LENGTH: Final = b"\0\6"  # Of unit, function, address and count.


class Answerer(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        assert self._transport is not None, "made before anything comes"
        data = self._rest + data
        at = 0
        while len(data) - at >= HEADER:
            if data[at + 4 : at + 6] != LENGTH or data[at + 7] not in (3, 4):
                self._transport.abort()
                return
            address = int.from_bytes(data[at + 8 : at + 10], "big")
            size = 2 * int.from_bytes(data[at + 10 : at + 12], "big")
            words = IMAGE[2 * address : 2 * address + size]
            head = data[at : at + 4] + (size + 3).to_bytes(2, "big") + data[at + 6 : at + 8] + bytes([size])
            self._transport.write(head + words)
            at += HEADER
        self._rest = data[at:]


async def serve(devices: int) -> None:
    """Listen on one free loopback port a device until the input ends."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Answerer, "127.0.0.1", 0) for _ in range(devices)]
    print(json.dumps({"ports": [server.sockets[0].getsockname()[1] for server in servers]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()
    print(json.dumps({"cpu_s": time.process_time()}), flush=True)


def main() -> int:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.devices.many", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--devices", type=int, default=1, help="how many, each on a port of its own")
    options = parser.parse_args()
    try:
        import uvloop  # noqa: PLC0415 - faster where it is there

        uvloop.run(serve(options.devices))
    except ImportError:
        asyncio.run(serve(options.devices))
    return 0


if __name__ == "__main__":
    sys.exit(main())
