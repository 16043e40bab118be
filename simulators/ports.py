"""Free TCP ports of this machine, for servers that start a moment later.

Why: a port that the system picks may be given to anybody's outgoing connection before its server listens; one below
the system's own range is only taken by who asks for it. Programs that ask at the same time tell each other by a name
in the network namespace (unix(7), abstract sockets), which goes with the process, however it ends.
"""

import atexit
import secrets
import socket
import sys
from collections import deque
from pathlib import Path
from typing import Final

#: Where the system's own range begins, TCP; Linux's default where it is not told (ip-sysctl, ip_local_port_range).
RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
SYSTEM_FIRST: Final = 32_768
#: Well-known servers of a plant lie below.
FIRST: Final = 20_000
#: So many of the ports given last are kept from others; by then the first have long been listened on.
CLAIMS_MAX: Final = 200
_claims: deque[socket.socket] = deque()


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
        if _claim(port):
            return port


def free_ports(count: int) -> list[int]:
    """Give as many different ones."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[free_port()] = None
    return list(found)


def _claim(port: int) -> bool:
    """Keep a port from others that ask; where there are no such names, luck has to do."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0fengsui-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    if len(_claims) > CLAIMS_MAX:
        _claims.popleft().close()
    return True


@atexit.register
def _let_go() -> None:
    while _claims:
        _claims.pop().close()


def _system_first() -> int:
    try:
        return int(RANGE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return SYSTEM_FIRST
