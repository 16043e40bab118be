"""Probe: in which networks an engineer may type an address to look at."""

import ipaddress

from edge.load.entry import Entry
from edge.load.mistake import show


def read_probe(entry: Entry) -> tuple[str, ...]:
    """Give the networks; none means that only the hosts of the site's Modbus sources may be looked at."""
    networks = entry.texts("allow")
    for at, network in enumerate(networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            entry.wrong(("allow", at), f"allow has {show(network)}; it is a network.", "Write e.g. 10.8.0.0/16.")
    return networks
