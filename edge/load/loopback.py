"""Loopback: whether a host is this machine, where nobody else can listen on the way."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host, a name or an address, is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
