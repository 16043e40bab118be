"""Wiring of devices that send by a protocol of their own: Sparkplug edge nodes and HJ 212 data loggers.

Flow: site.toml + tag tables -> [senders] -> devices
"""

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.wiring import rows_of

NODE_TAG, TAG = "{node}.{name}", "{device}.{name}"
LOGGER_TAG = "{station}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A tag's place in an edge node; ``device`` is empty for one of the node's own."""

    tag: str
    device: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeNode:
    """One Sparkplug edge node."""

    source: str
    host: str
    port: int
    group: str
    node: str
    metrics: tuple[Metric, ...]
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Logger:
    """One data logger that calls; ``names`` are the values' own names by tag, e.g. ``w01001-Rtd``."""

    source: str
    host: str
    port: int
    station: str
    password: str = field(repr=False)
    names: dict[str, str]
    period_s: float


def read_senders(path: Path) -> tuple[tuple[EdgeNode, ...], tuple[Logger, ...]]:
    """Read a site's edge nodes and loggers. The site must be one that `fengsui check` accepts."""
    site = tomllib.loads(path.read_text(encoding="utf-8"))
    periods: dict[str, dict[str, float]] = {}
    for row in rows_of(site, path.parent):
        periods.setdefault(row["source"], {})[row["tag"]] = float(row.get("period_s") or 1)
    nodes: list[EdgeNode] = []
    loggers = []
    for source in site["source"]:
        tags = periods.get(source["id"], {})
        if source["protocol"] == "sparkplug":
            nodes += _nodes(source, tags)
        elif source["protocol"] == "hj212":
            loggers.append(_logger(source, tags, path.parent))
    return tuple(nodes), tuple(loggers)


def _nodes(source: dict[str, Any], tags: dict[str, float]) -> list[EdgeNode]:
    """Deal a source's tags out among its nodes: by the node's name where the tag has it, else device by device."""
    names: list[str] = source["nodes"]
    group: str = source["group"]
    of_node: dict[str, list[Metric]] = {name: [] for name in names}
    dealt: dict[str, str] = {}
    for tag in tags:
        for node in names:
            found = _parts(source.get("node_tag", NODE_TAG), tag, group=group, node=node)
            if found is not None:
                of_node[node].append(Metric(tag=tag, device="", name=found["name"]))
                break
            found = _parts(source.get("tag", TAG), tag, group=group, node=node)
            if found is not None:
                device = found.get("device", "device")
                owner = node
                if "{node}" not in source.get("tag", TAG):
                    owner = dealt.setdefault(device, names[len(dealt) % len(names)])
                of_node[owner].append(Metric(tag=tag, device=device, name=found["name"]))
                break
    return [
        EdgeNode(
            source=source["id"],
            host=source["host"],
            port=source.get("port", 1883),
            group=group,
            node=node,
            metrics=tuple(metrics),
            period_s=min((tags[metric.tag] for metric in metrics), default=1.0),
        )
        for node, metrics in of_node.items()
    ]


def _logger(source: dict[str, Any], tags: dict[str, float], folder: Path) -> Logger:
    station: str = source["station"]
    rule = source.get("tag", LOGGER_TAG)
    found = {tag: _parts(rule, tag, station=station) for tag in tags}
    return Logger(
        source=source["id"],
        host=source.get("listen", "127.0.0.1"),
        port=source["port"],
        station=station,
        password=_password(source, folder),
        names={tag: parts["name"] for tag, parts in found.items() if parts is not None},
        period_s=min(tags.values(), default=1.0),
    )


def _password(source: dict[str, Any], folder: Path) -> str:
    """Give the PW that the gateway compares, from where the gateway has it; 123456 where it compares none."""
    if "password_file" in source:
        return (folder / str(source["password_file"])).read_text("utf-8").strip()
    return os.environ.get(source.get("password_env", ""), "") or "123456"


def _parts(rule: str, tag: str, **known: str) -> dict[str, str] | None:
    """Give what fills a rule's other braces in a tag; None where the rule cannot make the tag."""
    text = re.escape(rule)
    for name, value in known.items():
        text = text.replace(re.escape(f"{{{name}}}"), re.escape(value))
    text = text.replace(re.escape("{device}"), "(?P<device>[^/]+?)").replace(re.escape("{name}"), "(?P<name>.+)")
    found = re.fullmatch(text, tag)
    return None if found is None else found.groupdict()
