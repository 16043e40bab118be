"""Callers: where we listen for devices that call, and from where they may; nobody may unless it is said."""

import ipaddress
from collections.abc import Sequence

from edge.config import Source
from edge.load.entry import Entry
from edge.load.mistake import show


def read_callers(entry: Entry) -> tuple[str, tuple[str, ...]]:
    """Give the address to listen on, and the networks that may call; none given means this machine alone."""
    listen = entry.text("listen", "127.0.0.1") or "127.0.0.1"
    networks = entry.texts("allow")
    is_loopback = False
    try:
        is_loopback = ipaddress.ip_address(listen).is_loopback
    except ValueError:
        entry.wrong("listen", f"listen is {show(listen)}; it is an address of this machine.", "Write e.g. 10.8.0.1.")
        is_loopback = True
    for at, network in enumerate(networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            entry.wrong(("allow", at), f"allow has {show(network)}; it is a network.", "Write e.g. 10.8.0.0/16.")
    if not is_loopback and not networks:
        entry.wrong(
            "allow",
            f"allow is missing; at {listen} others than this machine can call, and nobody may unless it is said.",
            'Add the networks that the devices call from, e.g. allow = ["10.8.0.0/16"].',
        )
    return listen, networks


def check_doors(sources: Sequence[tuple[Source, Entry]]) -> None:
    """Check that all who call at one port find one door there: one address of ours, and one protocol."""
    doors: dict[int, tuple[str, str, str]] = {}
    for source, entry in sources:
        if source.modbus is not None and source.modbus.call is not None:
            port, listen = source.modbus.port, source.modbus.call.listen
        elif source.hj212 is not None:
            port, listen = source.hj212.port, source.hj212.listen
        else:
            continue
        first, theirs, protocol = doors.setdefault(port, (source.id, listen, source.protocol))
        if protocol != source.protocol:
            entry.wrong(
                "port",
                f"at port {port} source {first} listens for {protocol}; one door speaks one protocol.",
                "Give each protocol a port of its own.",
            )
        elif theirs != listen:
            entry.wrong(
                "listen",
                f"listen is {listen}, and source {first} listens at port {port} on {theirs}; a port has one door.",
                "Give both the same listen, or another port.",
            )
