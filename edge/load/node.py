"""Load the file of an edge node: its sources and tags, its gateway, the bounds of its spool; or all mistakes at once.

Flow: node's file, tag tables, templates -> [load] -> NodeSite
Why: a node judges nothing, so a rule in its file would be a rule that nobody follows: it is a mistake here.
Never: starts with a mistake, prints a secret.
"""

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from edge.collect.mqtt.topic import parted
from edge.config import MqttOptions, Source, SpoolBounds, UplinkOptions
from edge.load import FieldDraft, read_field
from edge.load.broker import read_broker, read_prefix
from edge.load.entry import Entry, Span
from edge.load.loopback import is_loopback
from edge.load.mistake import Mistake, show
from edge.load.source import NODE, SourceDraft, is_host
from edge.load.words import GATEWAY_TABLES, ID_RULE, RESERVED, is_id, keys_of
from edge.model import TagTable

ANSWER_BYTES_MAX: Final = 1_048_576
#: Keys of [uplink] that only a broker has.
BROKER_KEYS: Final = (
    "topic", "port", "also", "version", "client_id", "username", "password_env", "password_file", "keepalive_s", "tls",
    "cert_file", "key_file", "server_name",
)  # fmt: skip
TOKEN_LEAST: Final = 32  # Characters; those that `fengsui node add` makes have 43.
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSite:
    """Everything that an edge node needs to start.

    Attributes:
        id: Id of the site.
        revision: Digest of all configuration files read.
        data: Folder of the spool.
    """

    id: str
    sources: tuple[Source, ...]
    tags: TagTable
    revision: str
    uplink: UplinkOptions
    spool: SpoolBounds
    data: Path


def is_node_file(path: Path) -> bool:
    """Tell whether a file is that of an edge node: it has an [uplink]. One that cannot be read is none."""
    try:
        return "uplink" in tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False


def data_of(path: Path, environ: Mapping[str, str] | None = None) -> Path:
    """Tell the data folder of a node's file without reading the rest, whose secrets another user may not see."""
    environ = os.environ if environ is None else environ
    site = tomllib.loads(path.read_text("utf-8-sig")).get("site", {})
    said = site.get("data", "") if isinstance(site, dict) else ""
    override = environ.get("FENGSUI_DATA", "")
    return Path(override) if override else path.parent / (said if isinstance(said, str) and said else "var")


def load_node(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    warnings: list[Mistake] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> NodeSite:
    """Read the file of an edge node.

    Args:
        path: The file.
        environ: Where secrets and ``FENGSUI_DATA`` are taken from; the process's environment if not given.
        warnings: Takes what is doubtful, also where there are mistakes.

    Raises:
        ConfigError: It has mistakes; it lists all of them.
    """
    environ = os.environ if environ is None else environ
    field = read_field(path, environ, files)
    root = field.root
    for table in GATEWAY_TABLES:
        if root.has(table):
            root.wrong(
                table,
                f"{table} is the gateway's; an edge node collects and forwards, it judges and tells nothing.",
                "Move it to the gateway's site file.",
            )
    for draft in field.sources:
        if draft.source.protocol == NODE:
            draft.entry.wrong(
                "protocol",
                "protocol is node; that is how the gateway names what comes from here.",
                "Write the protocol that this node speaks with the device.",
            )
    uplink = _read_uplink(field, path)
    spool = _read_spool(_section(root, "spool", "Spool"))
    data = field.site.text("data", "var") or "var"
    if "\0" in data:
        field.site.wrong("data", "data is no path of a folder.", 'Write data = "var".')
    if warnings is not None:
        warnings += field.reading.warnings
    field.reading.mistakes.refuse()
    override = environ.get("FENGSUI_DATA", "")
    return NodeSite(
        id=field.site_id,
        sources=tuple(_own_session(draft, field.site_id, uplink.node) for draft in field.sources),
        tags=TagTable([draft.tag for draft in field.tags]),
        revision=field.reading.revision,
        uplink=uplink,
        spool=spool,
        data=Path(override) if override else path.parent / data,
    )


def _own_session(draft: SourceDraft, site: str, node: str) -> Source:
    """Give the source a session of this node's own where others hear the same topics under the source's name."""
    source = draft.source
    if source.mqtt is None or draft.entry.has("client_id") or not any(parted(t.pattern)[0] for t in source.mqtt.topics):
        return source
    return replace(source, mqtt=replace(source.mqtt, client_id=f"{RESERVED}-{site}-{source.id}-{node}"))


def _section(root: Entry, key: str, who: str) -> Entry:
    section = root.section(key)
    section.who = who
    section.refuse_unknown(keys_of(key))
    return section


def _read_uplink(field: FieldDraft, path: Path) -> UplinkOptions:
    if not field.root.has("uplink"):
        field.root.wrong(
            "uplink",
            "the file has no [uplink]; an edge node forwards to a gateway.",
            "Add [uplink] with node, url and token_env; or start this file with fengsui run.",
        )
        return UplinkOptions(node="")
    entry = _section(field.root, "uplink", "Uplink")
    node = entry.required("node", f"it is this node's name at the gateway; {ID_RULE}", is_id)
    broker, url = None, ""
    if entry.has("broker"):
        broker = _read_broker(entry, field.site_id, node)
    else:
        _refuse_keys_of_broker(entry)
        is_plain_allowed = entry.flag("allow_plain", default=False)
        url = entry.required("url", "it is the gateway's address; or broker names a broker that stands between")
        if url:
            _check_url(entry, url, is_plain_allowed=is_plain_allowed)
    return UplinkOptions(
        node=node,
        url=url.rstrip("/"),
        broker=broker,
        topic=read_prefix(entry, field.site_id),
        token=_read_token(entry),
        ca_file=_read_ca_file(entry, path) if broker is None else None,
        batch_bytes=entry.whole("batch_bytes", 262_144, 16_384, 2 * MIB),
        timeout_s=entry.number("timeout_s", 15.0, Span(least=1, most=120)),
        retry_s_max=entry.number("retry_s_max", 30.0, Span(least=1, most=600)),
    )


def _read_broker(entry: Entry, site: str, node: str) -> MqttOptions:
    """Read the broker that stands between; requests and answers are sealed, but the broker can read them."""
    for key in ("url", "allow_plain"):
        if entry.has(key):
            entry.wrong(key, f"{key} is given and broker too; a node has one way.", "Remove one of them.")
    host = entry.required("broker", "it is a name or an address without port", is_host)
    return replace(read_broker(entry, host, f"fengsui-{site}-node-{node}"), payload_bytes_max=ANSWER_BYTES_MAX)


def _refuse_keys_of_broker(entry: Entry) -> None:
    for key in BROKER_KEYS:
        if entry.has(key):
            entry.wrong(key, f"{key} is given without broker.", f"Add broker, or remove {key}.")


def _read_token(entry: Entry) -> str:
    if not entry.has("token_env") and not entry.has("token_file"):
        entry.wrong(
            "token_env",
            "no token is named; the gateway lets no node in without one.",
            "Make one at the gateway with `fengsui node add`, and add token_env or token_file.",
        )
    token = entry.secret("token")
    if token and (len(token) < TOKEN_LEAST or not token.isascii() or not token.isprintable() or " " in token):
        entry.wrong(
            "token_env" if entry.has("token_env") else "token_file",
            f"the token is none: it has {TOKEN_LEAST} letters and digits at least.",
            "Take the one that `fengsui node add` printed.",
        )
    return token


def _read_ca_file(entry: Entry, path: Path) -> Path | None:
    name = entry.text("ca_file")
    if not name:
        return None
    file = path.parent / name
    if "\0" in name or not file.is_file():
        entry.wrong("ca_file", f"ca_file {show(name)} is no file.", "Give the path of certificates in PEM.")
    return file


def _check_url(entry: Entry, url: str, *, is_plain_allowed: bool) -> None:
    parts: SplitResult | None = None
    with suppress(ValueError):  # brackets without an address, a port that is no number
        found = urlsplit(url)
        parts = found if found.port != 0 and found.hostname else None
    is_whole = parts is not None and parts.scheme in ("https", "http") and parts.path in ("", "/")
    if parts is None or not is_whole or parts.query or parts.fragment or "@" in parts.netloc:
        entry.wrong(
            "url",
            f"url is {show(url)}; it is the gateway's address alone: https, a name, and a port where it has one.",
            "Write e.g. https://gateway.example or https://10.1.2.3:8443.",
        )
    elif parts.scheme == "http" and not is_plain_allowed and not is_loopback(parts.hostname or ""):
        entry.wrong(
            "url",
            "url is not encrypted; the token and the values could be read and changed on their way.",
            "Write https; or, in a network of your own, allow_plain = true.",
        )


def _read_spool(entry: Entry) -> SpoolBounds:
    usual = SpoolBounds()
    return SpoolBounds(
        records_max=entry.whole("records_max", usual.records_max, 1_000, 1_000_000_000),
        bytes_max=entry.whole("bytes_max", usual.bytes_max, MIB, 1024 * 1024 * MIB),
        age_s_max=entry.number("age_s_max", usual.age_s_max, Span(least=60, most=366 * 86_400)),
        sync_s=entry.number("sync_s", usual.sync_s, Span(least=0.01, most=0.25)),
        sync_scans=entry.whole("sync_scans", usual.sync_scans, 1, 10_000),
    )
