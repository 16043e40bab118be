"""Topics of Sparkplug B, and which tag a metric is. Pure.

``spBv1.0/group/kind/node[/device]`` (3.0.0, §4.1).
"""

import re
from enum import StrEnum
from typing import NamedTuple

from edge.collect.mqtt.outgoing import SPARKPLUG
from edge.collect.mqtt.topic import fill
from edge.config import SparkplugOptions

#: What a tag's name cannot have; names of metrics may have anything.
_NOT_IN_A_TAG = re.compile(r"[^\w.:/-]")
_NODE_LEVELS, _DEVICE_LEVELS = 4, 5


class Kind(StrEnum):
    """What a message is."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    NCMD = "NCMD"
    DCMD = "DCMD"


_KINDS = frozenset(Kind)


class Address(NamedTuple):
    """Who sent a message, and what it is."""

    kind: Kind
    group: str
    node: str
    device: str


def filters_of(options: SparkplugOptions) -> list[str]:
    """Give the topic filters of a source: all that its nodes say."""
    return [f"{SPARKPLUG}/{options.group}/+/{node}/#" for node in options.nodes]


def state_topic(host_id: str) -> str:
    """Give the topic of a host application's state (§4.2.1)."""
    return f"{SPARKPLUG}/STATE/{host_id}"


def address_of(topic: str) -> Address | None:
    """Read a topic; None where it is none of Sparkplug's."""
    levels = topic.split("/")
    if len(levels) not in (_NODE_LEVELS, _DEVICE_LEVELS) or levels[0] != SPARKPLUG or levels[2] not in _KINDS:
        return None
    kind, device = Kind(levels[2]), levels[4] if len(levels) == _DEVICE_LEVELS else ""
    if (kind[0] == "D") != bool(device):
        return None
    return Address(kind, levels[1], levels[3], device)


def tag_of(options: SparkplugOptions, node: str, device: str, metric: str) -> str:
    """Give the name of the tag that a metric is; what a tag's name cannot have becomes ``_``."""
    found = {"group": options.group, "node": node, "device": device, "name": metric}
    return _NOT_IN_A_TAG.sub("_", fill(options.tag if device else options.node_tag, found))
