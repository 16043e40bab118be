"""Free TCP ports of this machine, for servers that start a moment later.

Why: a port that the system picks may be given to anybody's outgoing connection before its server listens; one below
the system's own range is only taken by who asks for it.
"""

import secrets
import socket
from pathlib import Path
from typing import Final

#: Where the system's own range begins, TCP; Linux's default where it is not told (ip-sysctl, ip_local_port_range).
RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
SYSTEM_FIRST: Final = 32_768
#: Well-known servers of a plant lie below.
FIRST: Final = 20_000


def free_port() -> int:
    """Give a TCP port of loopback on which nothing listened a moment ago, and which no outgoing connection gets."""
    first = _system_first()
    if first - FIRST < 1_000:  # The system's range leaves too little: it picks.
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            return int(door.getsockname()[1])
    while True:
        port = FIRST + secrets.randbelow(first - FIRST)
        with socket.socket() as door:
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def free_ports(count: int) -> list[int]:
    """Give as many different ones."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[free_port()] = None
    return list(found)


def _system_first() -> int:
    try:
        return int(RANGE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return SYSTEM_FIRST
