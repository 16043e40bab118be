"""Address: where a notice may go.

Flow: host of a destination -> [resolve, refuse] -> one IP address to connect to
Why: a name that points into our own network would turn the gateway into a key to it (SSRF). The name is resolved
    once for an attempt, every address it has is judged, and the connection goes to exactly the judged one, so a name
    that changes its mind in between (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]

#: IPv6 prefixes that carry an IPv4 address inside: NAT64 (RFC 6052, RFC 8215) and IPv4-compatible (RFC 4291).
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def refusal(address: Address, *, is_local_allowed: bool) -> str:
    """Say why an address must not be connected to; empty where it may.

    Args:
        is_local_allowed: Private and loopback addresses are fine for this destination. Link-local ones never are:
            the metadata services of clouds live there.
    """
    real = _unwrap(address)
    if real.is_unspecified or real.is_multicast or real.is_link_local:
        return f"{address} is no address of a receiver"
    if isinstance(real, ipaddress.IPv4Address) and real == ipaddress.IPv4Address("255.255.255.255"):
        return f"{address} is no address of a receiver"
    if not real.is_global and not is_local_allowed:
        return f"{address} is a private or loopback address; the destination must allow that"
    return ""


def make_resolver(executor: Executor) -> Resolve:
    """Make a resolver that waits for DNS in threads of its own, so that a slow server stops nobody else."""

    async def resolve(host: str, port: int) -> list[Address]:
        try:
            return [ipaddress.ip_address(host.strip("[]"))]
        except ValueError:
            pass  # A name; also "0x7f.1" and "2130706433", which getaddrinfo turns into addresses that we then judge.
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(executor, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        # A scope ("fe80::1%eth0") is cut off; link-local addresses are refused anyway.
        return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]

    return resolve


def _unwrap(address: Address) -> Address:
    """Give the IPv4 address inside an IPv6 one, for that is where packets end up."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is not None:
        return inner
    is_compatible = address in _COMPATIBLE and int(address) > 0xFFFF  # noqa: PLR2004 - not :: and ::1
    if is_compatible or any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
