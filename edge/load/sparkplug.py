"""Sparkplug sources: which edge nodes of which group are heard, and which tags their metrics are."""

import re
from collections.abc import Sequence
from typing import Final

from edge.config import Source, SparkplugOptions
from edge.load.entry import Entry, Span
from edge.load.mistake import show

NODES_MAX: Final = 1_000
ID_BYTES_MAX: Final = 1_000  # Three of them, and the rest of the topic, are far below MQTT's 65,535.
PLACES: Final = ("group", "node", "device", "name")
_NAME = re.compile(r"\{([^{}]*)\}")
_RULE: Final = "it is one level of a topic: without /, + and # (Sparkplug 3.0.0, §4.1)"


def is_level(text: str) -> bool:
    """Tell whether a text can be an id of Sparkplug."""
    return bool(text) and not set(text) & set("/+#\0") and len(text.encode()) <= ID_BYTES_MAX


def read_sparkplug(entry: Entry, own_id: str) -> SparkplugOptions:
    """Read what a source says of its edge nodes.

    Args:
        own_id: Our host id where none is given.
    """
    nodes = entry.texts("nodes")
    if not nodes:
        entry.wrong("nodes", "it names no edge node.", 'Add nodes = ["…"] with the edge node ids that are heard.')
    if len(nodes) > NODES_MAX:
        entry.wrong("nodes", f"{len(nodes)} nodes; one source has at most {NODES_MAX}.", "Spread them over sources.")
    for at, node in enumerate(nodes):
        if not is_level(node):
            entry.wrong(("nodes", at), f"node {show(node)} is no edge node id; {_RULE}.", "Write another id.")
        elif node in nodes[:at]:
            entry.wrong(("nodes", at), f"node {show(node)} stands twice.", "Name each node once.")
    usual = SparkplugOptions(group="", nodes=(), host_id="")
    host_id = entry.text("host_id") or own_id
    if not is_level(host_id):
        entry.wrong("host_id", f"host_id {show(host_id)} is no host id; {_RULE}.", "Write another host_id.")
    return SparkplugOptions(
        group=entry.required("group", f"it is the group id of the nodes; {_RULE}", is_level),
        nodes=nodes,
        host_id=host_id,
        tag=_read_tag(entry, "tag", usual.tag, PLACES),
        node_tag=_read_tag(entry, "node_tag", usual.node_tag, ("group", "node", "name")),
        reorder_s=entry.number("reorder_s", usual.reorder_s, Span(least=0, most=60)),
        birth_s=entry.number("birth_s", usual.birth_s, Span(least=1, most=3600)),
        rebirth_s=entry.number("rebirth_s", usual.rebirth_s, Span(least=1, most=3600)),
    )


def _read_tag(entry: Entry, key: str, default: str, places: Sequence[str]) -> str:
    tag = entry.text(key, default)
    unknown = [name for name in _NAME.findall(tag) if name not in places]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in places)
        entry.wrong(key, f"{key} {show(tag)} has {{{unknown[0]}}}; its placeholders are {known}.", "Write one of them.")
    elif "{name}" not in tag:
        entry.wrong(key, f"{key} {show(tag)} is the same for every metric.", "Write {name} for the metric's name.")
    return tag


def check_hosts(sources: Sequence[tuple[Source, Entry]]) -> None:
    """Check that no two sources are the same host application at one broker (§5.2: a host id is unique)."""
    seen: dict[tuple[str, int, str], str] = {}
    for source, entry in sources:
        if source.sparkplug is None or source.mqtt is None:
            continue
        for host, port in source.mqtt.brokers:
            place = (host, port, source.sparkplug.host_id)
            if place in seen:
                entry.wrong(
                    "host_id",
                    f"host_id {show(place[2])} is that of source {seen[place]} at the same broker; one would say that "
                    "the other is gone.",
                    "Give each source its own host_id, or leave it out.",
                )
                break
            seen[place] = source.id


def tags_of_sparkplug(options: SparkplugOptions, node: str = "") -> re.Pattern[str]:
    """Give what matches the tags that the nodes, or one of them, can give."""
    nodes = (node,) if node else options.nodes
    return re.compile("|".join(_matching(tag, options, nodes) for tag in (options.tag, options.node_tag)))


def _matching(tag: str, options: SparkplugOptions, nodes: Sequence[str]) -> str:
    parts = {
        "group": _level(options.group),
        "node": f"(?:{'|'.join(_level(node) for node in nodes)})",
        "device": "[^/]+",
        "name": ".+",
    }
    pieces = _NAME.split(tag)
    return "".join(parts.get(piece, "") if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))


def _level(text: str) -> str:
    return re.escape(re.sub(r"[^\w.:/-]", "_", text))
