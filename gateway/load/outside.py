"""What stands outside: who may ask for the page, the InfluxDB beside the historian, the broker of edge nodes."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

from edge.load.broker import read_broker, read_prefix
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.source import is_host
from edge.load.words import keys_of
from gateway.config import Influx, NodeBroker

HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39}")
TOKEN_LEAST: Final = 16  # characters; ours
NODE_MESSAGE_MAX: Final = 8 * 1024 * 1024  # As over HTTP.


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


def read_page_url(http: Entry) -> str:
    """Read where people reach the page, for links in messages; empty for no links."""
    url = http.text("url")
    if url:
        split_url(http, url, ("https", "http"))
        if "#" in url or "?" in url:
            http.wrong("url", f"url {show(url)} has a ? or a #.", "Write the page's address alone.")
    return url.rstrip("/")


def read_metrics_token(http: Entry) -> str:
    """Read the token with which a scraper on another machine may read ``/metrics``; empty for none."""
    token = http.secret("metrics_token")
    if token and len(token) < TOKEN_LEAST:
        key = "metrics_token_env" if http.has("metrics_token_env") else "metrics_token_file"
        http.wrong(key, f"the token has {len(token)} characters; it needs {TOKEN_LEAST}.", "Make a longer one.")
    return token


def split_url(entry: Entry, url: str, schemes: tuple[str, ...]) -> SplitResult | None:
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


def read_influx(root: Entry) -> Influx | None:
    """Read the InfluxDB beside the embedded historian."""
    if not root.has("influx"):
        return None
    entry = root.section("influx")
    entry.who = "Influx"
    entry.refuse_unknown(keys_of("influx"))
    url = entry.required("url", "it is the address of the server")
    if url:
        split_url(entry, url, ("http", "https"))
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
