"""Who is told and what stands outside: destinations of notices and the InfluxDB beside the historian."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

from alerting.model.tier import Tier
from edge.load.broker import read_broker, read_prefix
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.source import is_host
from edge.load.words import ID_RULE, is_id, keys_of
from edge.model import Nature
from gateway.config import Destination, Influx, NodeBroker
from gateway.load.rule import TIERS

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret, not one
HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39}")
TOKEN_LEAST: Final = 16  # characters; ours
NODE_MESSAGE_MAX: Final = 8 * 1024 * 1024  # As over HTTP.
SECRET_BYTES: Final = (24, 64)  # Standard Webhooks, "Signature scheme": 192 to 512 bits


def read_destinations(entries: Iterable[Entry]) -> list[Destination]:
    """Read the authorities that notices are pushed to."""
    destinations: dict[str, Destination] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("destination"))
        name = entry.required("id", ID_RULE, is_id)
        if name in destinations:
            entry.wrong("id", "id stands twice.", "Give each destination its own id.")
        is_loopback_allowed = entry.flag("allow_loopback", default=False)
        url = entry.required("url", "it is the address that notices are sent to")
        if url:
            _check_url(entry, url, is_loopback_allowed=is_loopback_allowed)
        destination = Destination(
            id=name,
            url=url,
            secret=_signing_secret(entry),
            tier_least=Tier[entry.choice("tier_least", TIERS, Tier.YELLOW.name)],
            natures=_natures(entry),
            timeout_s=entry.number("timeout_s", 10.0, Span(least=0.1, most=120)),
            is_loopback_allowed=is_loopback_allowed,
        )
        destinations.setdefault(name, destination)
    return list(destinations.values())


def read_channel(entry: Entry) -> Destination:
    """Read a way by which people are called: a signed webhook, as of an authority, that is composed calls only."""
    name = entry.required("id", ID_RULE, is_id)
    is_loopback_allowed = entry.flag("allow_loopback", default=False)
    url = entry.required("url", "it is the address that calls are sent to")
    if url:
        _check_url(entry, url, is_loopback_allowed=is_loopback_allowed)
    return Destination(
        id=name,
        url=url,
        secret=_signing_secret(entry),
        natures=_natures(entry),
        timeout_s=entry.number("timeout_s", 10.0, Span(least=0.1, most=120)),
        is_loopback_allowed=is_loopback_allowed,
    )


def read_hosts(http: Entry) -> tuple[str, ...]:
    """Read the names that requests may be for; a page elsewhere cannot reach the gateway by a name of its own."""
    hosts = http.texts("hosts")
    if http.has("hosts") and not hosts and http.values["hosts"] == []:
        http.wrong("hosts", "hosts is an empty list; nobody could reach the page.", "Name a host, or leave hosts out.")
    for host in hosts:
        if not HOST.fullmatch(host):
            http.wrong(
                "hosts",
                f"hosts has {show(host)}; a host is a name or an address, without scheme and port.",
                'Write hosts = ["gateway.plant.example", "127.0.0.1"].',
            )
    return hosts


def read_metrics_token(http: Entry) -> str:
    """Read the token with which a scraper on another machine may read ``/metrics``; empty for none."""
    token = http.secret("metrics_token")
    if token and len(token) < TOKEN_LEAST:
        key = "metrics_token_env" if http.has("metrics_token_env") else "metrics_token_file"
        http.wrong(key, f"the token has {len(token)} characters; it needs {TOKEN_LEAST}.", "Make a longer one.")
    return token


def _signing_secret(entry: Entry) -> str:
    """Take the key of the signature; every push is signed."""
    if not entry.has("secret_env") and not entry.has("secret_file"):
        entry.wrong(
            "secret_env",
            "no secret is named; every push is signed.",
            "Add secret_env with the name of a variable, or secret_file with a path.",
        )
    secret = entry.secret("secret")
    if not secret:
        return ""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    least, most = SECRET_BYTES
    if not secret.startswith(SECRET_PREFIX) or not least <= len(key) <= most:
        entry.wrong(
            "secret_env" if entry.has("secret_env") else "secret_file",
            f"the secret is not {SECRET_PREFIX} and the base64 of {least} to {most} bytes.",
            f"Take the one that the authority gave, or make one: {SECRET_PREFIX} and `openssl rand -base64 32`.",
        )
    return secret


def _natures(entry: Entry) -> tuple[Nature, ...]:
    if not entry.has("natures"):
        return (Nature.ACTUAL,)
    names = entry.texts("natures")
    known = tuple(nature.value for nature in Nature)
    for at, name in enumerate(names):
        if name not in known:
            entry.wrong(("natures", at), f"nature {show(name)} is one of {', '.join(known)}.", meant(name, known))
    if entry.values["natures"] == []:
        entry.wrong("natures", "natures is empty; nothing would ever be sent.", 'Write natures = ["actual"].')
    return tuple(Nature(name) for name in dict.fromkeys(names) if name in known)


def _split(entry: Entry, url: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """Take an address apart; None where it is none, which is a mistake."""
    parts: SplitResult | None = None
    with suppress(ValueError):  # brackets without an address, a port that is no number
        found = urlsplit(url)
        if found.scheme in schemes and found.hostname and found.port != 0:
            parts = found
    if parts is None or not url.isprintable() or " " in url:
        entry.wrong(
            "url", f"url {show(url)} is no address of the form {schemes[0]}://host/path.", "Write the whole address."
        )
        return None
    if parts.username is not None or parts.password is not None:
        entry.wrong("url", "url holds a name or a password.", "Remove what stands before the @; a push is signed.")
        return None
    return parts


def _check_url(entry: Entry, url: str, *, is_loopback_allowed: bool) -> None:
    """Warnings leave the house encrypted, and to the outside, unless the site says otherwise."""
    parts = _split(entry, url, ("https", "http"))
    if parts is None:
        return
    is_near = _is_near(parts.hostname or "")
    if is_near and not is_loopback_allowed:
        entry.wrong(
            "url",
            f"url {show(url)} points to this machine or a private network.",
            "Write a public address, or allow_loopback = true if this is meant.",
        )
    elif parts.scheme != "https" and not is_near:
        entry.wrong(
            "url", f"url {show(url)} is not encrypted; notices leave by https.", "Write https:// before the host."
        )


def _is_near(host: str) -> bool:
    """Tell whether a host is written as loopback or private; names are not looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not address.is_global


def read_influx(root: Entry) -> Influx | None:
    """Read the InfluxDB beside the embedded historian."""
    if not root.has("influx"):
        return None
    entry = root.section("influx")
    entry.who = "Influx"
    entry.refuse_unknown(keys_of("influx"))
    url = entry.required("url", "it is the address of the server")
    if url:
        _split(entry, url, ("http", "https"))
    return Influx(
        url=url,
        org=entry.text("org") or "fengsui",
        bucket=entry.text("bucket") or "fengsui",
        token=entry.secret("token"),
    )


def read_node_broker(root: Entry, site: str) -> NodeBroker | None:
    """Read the broker through which edge nodes send, None where they come over HTTP alone."""
    if not root.has("node_broker"):
        return None
    entry = root.section("node_broker")
    entry.who = "Broker of the nodes"
    entry.refuse_unknown(keys_of("node_broker"))
    host = entry.required("host", "it is a name or an address without port", is_host)
    options = replace(read_broker(entry, host, f"fengsui-{site}-nodes"), payload_bytes_max=NODE_MESSAGE_MAX)
    return NodeBroker(options=options, topic=read_prefix(entry, site))
