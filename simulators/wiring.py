"""Wiring: which tag sits in which register or topic, read from a site's own configuration.

Flow: site.toml + tag tables -> [Wiring] -> devices
Why: the simulated devices serve what the gateway's tag tables say, yet read the tables with their own few lines, so
    that a slip in the gateway's loader shows as a difference instead of agreeing with itself.
Never: checks a configuration; `fengsui check` does, and a site with mistakes is not simulated.
"""

import csv
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SUM = re.compile(r"\s*(\d+)\s*\+\s*(\d+)\s*")

#: Protocols of Modbus that are served, and how each cuts its frames.
FRAMINGS = {"modbus-tcp": "tcp", "modbus-rtu-tcp": "rtu", "modbus-rtu": "rtu"}

#: Direction of each kind of limit.
DIRECTION = {"LL": "low", "L": "low", "H": "high", "HH": "high"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A tag's place in a Modbus device.

    Attributes:
        table: holding, input, coil or discrete.
        register: Address from 0.
        type: int16, uint16, int32, uint32, int64, uint64, float16, float32, float64, bcd16, bcd32, string or bit.
        order: Order of the bytes on the wire, ABCD (big end first), CDAB, BADC or DCBA.
        bit: Bit of a register, 0 the lowest (type bit in a register table).
        mask, shift: Part of the word that the value takes; mask 0 for all of it.
        length, texts: Bytes of a string, and the text that each number stands for.
        scale, offset: ``value = raw · scale + offset``.
    """

    tag: str
    table: str
    register: int
    type: str
    order: str = "ABCD"
    bit: int = 0
    mask: int = 0
    shift: int = 0
    length: int = 0
    texts: tuple[tuple[float, str], ...] = ()
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One Modbus device.

    Attributes:
        framing: ``tcp``, or ``rtu`` for frames with a CRC.
        serial: Path of the port that the gateway has; the other end is ours. Empty for TCP.
    """

    source: str
    host: str
    port: int
    device_id: int
    points: tuple[Point, ...]
    framing: str = "tcp"
    serial: str = ""
    baudrate: int = 9600
    parity: str = "none"
    stop_bits: int = 1

    @property
    def line(self) -> tuple[str, str, int]:
        """What names its line; devices of one line answer at one place."""
        return (self.serial or self.host, self.framing, 0 if self.serial else self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One MQTT topic and what a message holds.

    Attributes:
        name: The topic.
        tags: Tags in the message; exactly one for a single value.
        is_batch: Many values; ``is_listed`` by place, else by name.
        value, time: Keys of the value and the time, dots between levels.
    """

    source: str
    name: str
    tags: tuple[str, ...]
    is_batch: bool
    is_listed: bool
    value: str
    time: str
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where topics are published."""

    host: str
    port: int
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit as the tag tables say it, for the plant's own truth."""

    tag: str
    kind: str
    setpoint: float
    on_delay_s: float

    @property
    def direction(self) -> str:
        """Give ``high`` or ``low``."""
        return DIRECTION[self.kind]

    def is_beyond(self, value: float) -> bool:
        """Tell whether the value is at or past the setpoint."""
        return value >= self.setpoint if self.direction == "high" else value <= self.setpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """All devices, brokers and limits of a site."""

    devices: tuple[Device, ...]
    brokers: tuple[Broker, ...]
    limits: tuple[Limit, ...]


def read_wiring(path: Path) -> Wiring:
    """Read a site's wiring. The site must be one that `fengsui check` accepts."""
    site = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = list(rows_of(site, path.parent))
    by_source: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(row)
    devices = [
        _device(source, by_source.get(source["id"], [])) for source in site["source"] if source["protocol"] in FRAMINGS
    ]
    topics: dict[tuple[str, int], list[Topic]] = {}
    for source in site["source"]:
        if source["protocol"] == "mqtt":
            key = (source["host"], source.get("port", 1883))
            topics.setdefault(key, []).extend(_topics(source, by_source.get(source["id"], [])))
    return Wiring(
        devices=tuple(devices),
        brokers=tuple(Broker(host=host, port=port, topics=tuple(of)) for (host, port), of in topics.items()),
        limits=tuple(limit for row in rows for limit in _limits(row)),
    )


def rows_of(site: dict[str, Any], folder: Path) -> Iterator[dict[str, str]]:
    """Give the rows of all tag tables, those of templates filled in for each device."""
    for name in site["site"].get("tags", []):
        yield from _table(folder / name)
    for template in site.get("template", []):
        for device in _table(folder / template["devices"]):
            for row in _table(folder / template["tags"]):
                yield {column: _fill(cell, device) for column, cell in row.items()}


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{column: (cell or "").strip() for column, cell in row.items()} for row in csv.DictReader(file)]


def _fill(cell: str, device: dict[str, str]) -> str:
    for name, value in device.items():
        cell = cell.replace(f"{{{name}}}", value)
    return cell


def _device(source: dict[str, Any], rows: list[dict[str, str]]) -> Device:
    return Device(
        source=source["id"],
        host=source.get("host", ""),
        port=source.get("port", 502),
        framing=FRAMINGS[source["protocol"]],
        serial=source.get("serial", ""),
        baudrate=source.get("baudrate", 9600),
        parity=source.get("parity", "none"),
        stop_bits=source.get("stop_bits", 1),
        device_id=source.get("device_id", 1),
        points=tuple(_point(source, row) for row in rows),
    )


def _point(source: dict[str, Any], row: dict[str, str]) -> Point:
    table = row.get("table") or "holding"
    register = row["register"]
    both = _SUM.fullmatch(register)
    first = source.get("coils_from" if table in ("coil", "discrete") else "registers_from", 0)
    mask = int(row.get("mask") or "0", 0)
    pairs = [part.rsplit("=", 1) for part in (row.get("map") or "").split(";") if part.strip()]
    return Point(
        tag=row["tag"],
        table=table,
        register=(int(both[1]) + int(both[2]) if both else int(register)) - first,
        type=row.get("type") or "bit",
        order=row.get("order") or source.get("order", "ABCD"),
        bit=int(row.get("bit") or 0),
        mask=mask,
        shift=int(row["shift"]) if row.get("shift") else max(0, (mask & -mask).bit_length() - 1),
        length=int(row.get("length") or 0),
        texts=tuple((float(number), text.strip()) for text, number in pairs),
        scale=float(row.get("scale") or 1),
        offset=float(row.get("offset") or 0),
    )


def _topics(source: dict[str, Any], rows: list[dict[str, str]]) -> Iterator[Topic]:
    periods = {row["tag"]: float(row.get("period_s") or 1) for row in rows}
    left = dict.fromkeys(periods)
    batches_by_name = []
    for topic in source["topic"]:
        if topic.get("format", "json-value") == "json-value":
            for tag, name in _single(topic, left):
                left.pop(tag)
                yield _topic(source, topic, name, [tag], periods)
        elif topic.get("tags"):
            for tag in topic["tags"]:
                left.pop(tag, None)
            yield _topic(source, topic, topic["pattern"], topic["tags"], periods)
        else:
            batches_by_name.append(topic)
    for topic in batches_by_name:  # Whatever no other topic carries goes by its name.
        yield _topic(source, topic, topic["pattern"], list(left), periods)


def _single(topic: dict[str, Any], tags: dict[str, None]) -> list[tuple[str, str]]:
    """Give (tag, topic name) of all tags whose name the topic's rule for tags can make."""
    rule = topic.get("tag", "{tag}")
    before, _, after = rule.partition("{tag}")
    pattern = re.compile(re.escape(before) + "(.+)" + re.escape(after) if "{tag}" in rule else re.escape(rule))
    found = []
    for tag in tags:
        if match := pattern.fullmatch(tag):
            part = match[1] if pattern.groups else ""
            found.append((tag, topic["pattern"].replace("{tag}", part)))
    return found


def _topic(
    source: dict[str, Any], topic: dict[str, Any], name: str, tags: list[str], periods: dict[str, float]
) -> Topic:
    return Topic(
        source=source["id"],
        name=name,
        tags=tuple(tags),
        is_batch=topic.get("format", "json-value") == "json-batch",
        is_listed=bool(topic.get("tags")),
        value=topic.get("value", "v"),
        time=topic.get("time", "ts"),
        period_s=min((periods[tag] for tag in tags if tag in periods), default=1.0),
    )


def _limits(row: dict[str, str]) -> Iterator[Limit]:
    for kind in DIRECTION:
        if setpoint := row.get(kind):
            on_delay_s = float(row.get("on_delay_s") or 0)
            yield Limit(tag=row["tag"], kind=kind, setpoint=float(setpoint), on_delay_s=on_delay_s)
