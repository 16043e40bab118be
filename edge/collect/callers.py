"""Callers: whether one calls from where somebody may.

Why: with a thousand devices at one door each stranger would cost a thousand readings of the same networks; anybody who
    reaches the port could keep the event loop busy by calling.
"""

import ipaddress
from functools import lru_cache
from typing import Final

KEPT: Final = 4096  # Pairs of an address and its networks; more are read anew.


@lru_cache(KEPT)
def is_within(peer: str, networks: tuple[str, ...]) -> bool:
    """Tell whether an address, as a socket gives it, is in one of the networks; no address is in none."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)
