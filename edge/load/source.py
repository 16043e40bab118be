"""Sources: one device or one topic group each, as the collectors want them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from edge.collect.mqtt.topic import match, parted
from edge.config import SESSION_S, Hj212Options, MqttOptions, Source, TopicOptions
from edge.decode.codec.binary import ENDIANS, TIME_BYTES, TIMES, TYPES
from edge.load.broker import MQTT_PAYLOAD_MAX, PORT_MAX, TOPIC_BYTES_MAX, read_broker, wrong_topic
from edge.load.callers import check_doors, read_callers
from edge.load.entry import Entry, Span
from edge.load.locate import Path as KeyPath
from edge.load.mistake import show
from edge.load.modbus import check_lines, read_modbus
from edge.load.opcua import read_opcua
from edge.load.share import check_groups, check_shared, read_nodes, wrong_share
from edge.load.sparkplug import check_hosts, read_sparkplug
from edge.load.words import ID_RULE, PROTOCOL_KEYS, RESERVED, TAG_RULE, is_id, is_tag, keys_of
from edge.model import Nature

#: Protocols that a collector speaks; ``node`` is a source whose collector stands in an edge node.
MODBUS: Final = ("modbus-tcp", "modbus-rtu", "modbus-rtu-tcp", "modbus-dtu")
PROTOCOLS: Final = (*MODBUS, "mqtt", "sparkplug", "hj212", "opcua")
HOSTED: Final = ("modbus-tcp", "modbus-rtu-tcp", "mqtt", "sparkplug")  # They are called at an address.
NODE: Final = "node"
ADDRESS: Final = ("host", "port")

#: Formats of a topic's payload, and the keys that only some of them have.
FORMATS: Final = ("json-value", "json-batch", "number", "senml", "hj212", "binary", "event")
FORMAT_KEYS: Final = {
    "tags": ("json-batch", "binary"),
    "value": ("json-value", "json-batch", "event"),
    "time": ("json-value", "json-batch", "event"),
    **dict.fromkeys(("event", "device", "names", "codes"), ("event",)),
    **dict.fromkeys(("type", "endian", "skip", "time_at", "time_in"), ("binary",)),
}

_OTHER_BRACES = re.compile(r"[{}]")

SESSION_S_LEAST: Final = 60  # Less would not outlast a restart.
SESSION_S_MOST: Final = 30 * 24 * 3600
DURATION: Final = Span(above=0, most=3600)


@dataclass(slots=True)
class SourceDraft:
    """A source with the place of its keys, for the checks that need the tags too.

    Attributes:
        is_twice: Another source has its id; both are judged, the first one counts.
    """

    source: Source
    entry: Entry
    topics: list[Entry] = field(default_factory=list)
    is_twice: bool = False

    @property
    def name(self) -> str:
        """The id as it is written, also where it cannot be one: tags name the source by it."""
        return self.source.id or str(self.entry.values.get("id", "")).strip()

    @property
    def is_refused(self) -> bool:
        """Tell whether it cannot be one of the site's sources."""
        return self.is_twice or not self.source.id


def read_sources(entries: Sequence[Entry], site: str) -> list[SourceDraft]:
    """Read all sources, also those that are refused for their id: their tags are judged all the same."""
    found: list[SourceDraft] = []
    drafts: dict[str, SourceDraft] = {}
    clients: dict[str, str] = {}
    stations: dict[tuple[str, int, str], str] = {}
    for entry in entries:
        draft = _read_source(entry, site)
        source = draft.source
        found.append(draft)
        if not source.id:
            continue
        if source.id in drafts:
            other = drafts[source.id].entry.place()
            entry.wrong("id", f"id stands twice; line {other.line} has it already.", "Give each source its own id.")
            draft.is_twice = True
            continue
        if source.mqtt is not None:
            client = source.mqtt.client_id
            if client in clients:
                entry.wrong(
                    "client_id",
                    f"client_id {show(client)} is that of source {clients[client]} too; a broker cuts off the first "
                    "of two clients with one id.",
                    "Give each source its own client_id, or leave it out.",
                )
            clients.setdefault(client, source.id)
        if source.hj212 is not None and source.hj212.station:
            door = (source.hj212.listen, source.hj212.port, source.hj212.station)
            if door in stations:
                entry.wrong(
                    "station",
                    f"station {show(door[2])} is that of source {stations[door]} too; a frame can be told once only.",
                    "Give each logger its own source, or another port.",
                )
            stations.setdefault(door, source.id)
        drafts[source.id] = draft
    check_groups([(draft.source, draft.entry) for draft in drafts.values()])
    check_hosts([(draft.source, draft.entry) for draft in drafts.values()])
    check_lines([(draft.source, draft.entry) for draft in drafts.values()])
    check_doors([(draft.source, draft.entry) for draft in drafts.values()])
    return found


def _read_source(entry: Entry, site: str) -> SourceDraft:
    entry.refuse_unknown(keys_of("source"))
    name = entry.required("id", ID_RULE, is_id)
    if name == RESERVED:
        entry.wrong("id", f'id "{RESERVED}" is kept for the gateway itself.', "Give the source another id.")
    protocol = cast(
        Literal[
            "modbus-tcp",
            "modbus-rtu",
            "modbus-rtu-tcp",
            "modbus-dtu",
            "mqtt",
            "sparkplug",
            "hj212",
            "opcua",
            "node",
            "",
        ],
        entry.choice("protocol", (*PROTOCOLS, NODE), ""),
    )
    _refuse_keys_of_others(entry, protocol)
    host = _read_host(entry, protocol)
    topics = entry.sections("topic", f"{entry.who}, topic") if protocol == "mqtt" else []
    own_id = f"{RESERVED}-{site}-{name}"
    nodes = read_nodes(entry) if protocol == NODE else ()
    broker = None
    if protocol == "mqtt":
        broker = _read_mqtt(entry, host, topics, own_id)
    elif protocol == "sparkplug":
        broker = read_broker(entry, host, own_id)
    source = Source(
        id=name,
        protocol=protocol or "replay",
        nature=Nature(entry.choice("nature", tuple(Nature), Nature.ACTUAL)),
        modbus=read_modbus(entry, protocol, host) if protocol in MODBUS else None,
        mqtt=broker,
        sparkplug=read_sparkplug(entry, own_id) if protocol == "sparkplug" else None,
        hj212=_read_hj212(entry) if protocol == "hj212" else None,
        opcua=read_opcua(entry) if protocol == "opcua" else None,
        node=nodes[0] if nodes else "",
        partners=nodes[1:],
        silent_after_s=entry.number("silent_after_s", 10.0, Span(above=0, most=86_400)),
        lateness_s=entry.number("lateness_s", 60.0, Span(least=1, most=86_400)),
    )
    return SourceDraft(source, entry, topics)


def _refuse_keys_of_others(entry: Entry, protocol: str) -> None:
    owners: dict[str, list[str]] = {}
    for owner, keys in PROTOCOL_KEYS.items():
        for key in keys:
            owners.setdefault(key, []).append(owner)
    for key, theirs in owners.items():
        is_told = protocol == NODE and key in ADDRESS  # It has a sentence of its own.
        if protocol and protocol not in theirs and entry.has(key) and not is_told:
            entry.wrong(key, f"{key} belongs to {_said(theirs)}; this source speaks {protocol}.", f"Remove {key}.")


def _said(words: Sequence[str]) -> str:
    """Name several things: ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _read_host(entry: Entry, protocol: str) -> str:
    """Read the address of a device or broker; a source behind a node has it in the node's own file."""
    if protocol == NODE:
        for key in ADDRESS:
            if entry.has(key):
                entry.wrong(
                    key,
                    f"{key} belongs to a source that is collected here; this one comes by an edge node.",
                    f"Remove {key}; it stands in the node's own file.",
                )
        return ""
    if protocol in HOSTED or not protocol:
        return entry.required("host", "it is a name or an address without port", is_host)
    return ""


def is_host(text: str) -> bool:
    """Tell whether a text is a host: a name or an address, without a port."""
    return re.fullmatch(r"[\w.:\[\]%-]{1,253}", text) is not None and re.fullmatch(r"[^:]*:\d+", text) is None


def _read_mqtt(entry: Entry, host: str, topics: Sequence[Entry], client_id: str) -> MqttOptions:
    if not topics:
        entry.wrong("topic", "it hears no topic.", "Add a [[source.topic]] with a pattern.")
    options = [_read_topic(topic) for topic in topics]
    for at, topic in enumerate(topics):
        pattern = options[at].pattern
        if pattern and pattern in [option.pattern for option in options[:at]]:
            topic.wrong("pattern", f"pattern {show(pattern)} stands twice.", "Remove one of the two.")
    presence = entry.text("presence")
    rule = wrong_topic(presence) if presence else ""
    if rule:
        entry.wrong("presence", f"presence {show(presence)} is no topic of our own; {rule}.", "Write another topic.")
    heard = [one.pattern for one in options if presence and match(parted(one.pattern)[1], presence) is not None]
    for pattern in heard[:1]:
        entry.wrong(
            "presence",
            f"presence {show(presence)} is a topic that pattern {show(pattern)} hears; we would hear ourselves.",
            "Write a topic that no pattern of the source hears.",
        )
    broker = read_broker(entry, host, client_id)
    if entry.has("session_s") and broker.version == "3.1.1":
        entry.wrong(
            "session_s",
            "session_s is given, but MQTT 3.1.1 has no such time; a session of it lasts until the broker ends it.",
            'Write version = "5", or set the time at the broker.',
        )
    session_s = entry.whole("session_s", SESSION_S, SESSION_S_LEAST, SESSION_S_MOST)
    made = replace(broker, presence=presence, topics=tuple(options), session_s=session_s)
    check_shared(entry, topics, made)
    return made


def _read_hj212(entry: Entry) -> Hj212Options:
    listen, networks = read_callers(entry)
    tag = entry.text("tag", "{station}.{name}")
    if "{name}" not in tag:
        entry.wrong("tag", f"tag {show(tag)} is the same for every value of a frame.", "Write {name} for its name.")
    if not entry.has("port"):
        entry.wrong("port", "port is missing; it is the port of this machine that the logger calls.", "Add port.")
    rule = "it is the logger's MN, 1 to 64 letters, digits, dots, dashes or underscores"
    usual = Hj212Options(port=1, station="")
    return Hj212Options(
        listen=listen,
        port=entry.whole("port", 1, 1, PORT_MAX),
        station=entry.required("station", rule, is_id),
        tag=tag,
        password=entry.secret("password"),
        allow=networks or usual.allow,
    )


def _read_topic(entry: Entry) -> TopicOptions:
    entry.refuse_unknown(keys_of("source.topic"))
    pattern = entry.required("pattern", "it is a topic, with {tag} or + where a level varies")
    rule = wrong_pattern(pattern) if pattern else ""
    if rule:
        entry.wrong("pattern", f"pattern {show(pattern)} is no topic pattern; {rule}.", "Write another pattern.")
    form = entry.choice("format", FORMATS, "json-value")
    names = entry.texts("tags")
    tag = entry.text("tag", "{tag}" if form != "event" else "{tag}.{name}" if "{tag}" in pattern else "{name}")
    for key, forms in FORMAT_KEYS.items():
        if entry.has(key) and form not in forms:
            entry.wrong(key, f"{key} belongs to format {_said(forms)}; this topic's is {form}.", f"Remove {key}.")
    if form in ("json-value", "number"):
        _check_value_topic(entry, pattern, tag)
    else:
        _check_batch_topic(entry, pattern, tag, names)
    if form == "binary" and not names:
        entry.wrong("tags", "a binary payload has values by position only.", 'Name them: tags = ["…", "…"].')
    skip = entry.whole("skip", 0, 0, MQTT_PAYLOAD_MAX)
    time_at = entry.whole_or_none("time_at", 0, MQTT_PAYLOAD_MAX)
    if time_at is not None and time_at + TIME_BYTES > skip:
        entry.wrong(
            "time_at",
            f"the time at {time_at} takes {TIME_BYTES} bytes and reaches into the values (skip is {skip}).",
            f"Write skip = {time_at + TIME_BYTES} or more, or another time_at.",
        )
    return TopicOptions(
        pattern=pattern,
        format=cast(Literal["json-value", "json-batch", "number", "senml", "hj212", "binary", "event"], form),
        tag=tag,
        value=entry.text("value", "v" if form != "event" else "state"),
        time=entry.text("time", "ts"),
        tags=names,
        type=entry.choice("type", tuple(TYPES), "float32"),
        endian=cast(Literal["little", "big"], entry.choice("endian", tuple(ENDIANS), "little")),
        skip=skip,
        time_at=-1 if time_at is None else time_at,
        time_in=cast(Literal["s", "ms", "us", "ns"], entry.choice("time_in", tuple(TIMES), "ms")),
        **(_read_event(entry, tag) if form == "event" else {}),
    )


def _read_event(entry: Entry, tag: str) -> dict[str, Any]:
    """Read where things stand in an event and what the sender's words mean."""
    device = entry.text("device")
    if "{device}" in tag and not device:
        entry.wrong("device", f"tag {show(tag)} takes the device's name; no device is given.", 'Add device = "…".')
    names, codes = entry.section("names").values, entry.section("codes").values
    for code, name in names.items():
        if not isinstance(name, str) or not is_tag(name):
            entry.wrong(("names", code), f"name {show(name)} of code {show(code)} is none; {TAG_RULE}.", "Rename it.")
    for code, value in codes.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            entry.wrong(("codes", code), f"value {show(value)} of {show(code)} is no number.", f"Write {code} = 1.")
    return {
        "event": entry.text("event", "event"),
        "device": device,
        "names": {code: name for code, name in names.items() if isinstance(name, str)},
        "codes": {code: float(value) for code, value in codes.items() if isinstance(value, int | float)},
    }


def wrong_pattern(pattern: str) -> str:
    """Give the rule that a topic pattern breaks, empty where it is right (MQTT 5.0, §4.7 and §4.8.2)."""
    if rule := wrong_share(pattern):
        return rule
    levels = parted(pattern)[1].split("/")
    if "\0" in pattern or len(pattern.encode("utf-8", "surrogatepass")) > TOPIC_BYTES_MAX:
        return f"it has at most {TOPIC_BYTES_MAX} bytes and no NUL"
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return "# stands alone as the last level"
    if any("+" in level and level != "+" for level in levels):
        return "+ fills a whole level"
    if pattern.count("{tag}") > 1:
        return "{tag} stands in it once at most"
    if _OTHER_BRACES.search(pattern.replace("{tag}", "")):
        return "{tag} is its only placeholder"
    return ""


def _check_value_topic(entry: Entry, pattern: str, tag: str) -> None:
    if "{tag}" in tag and pattern and "{tag}" not in pattern:
        _miss_level(entry, "tag", tag, pattern)
    elif "{tag}" in pattern and "{tag}" not in tag:
        entry.wrong(
            "tag",
            f"tag {show(tag)} is the same for every topic of {show(pattern)}.",
            "Write {tag} into tag, or + into the pattern.",
        )


def _check_batch_topic(entry: Entry, pattern: str, tag: str, names: Sequence[str]) -> None:
    if entry.has("tag") and names:
        entry.wrong("tag", "tag is given and tags too; the list names every value.", "Remove one of them.")
    elif entry.has("tag") and "{name}" not in tag:
        entry.wrong(
            "tag",
            f"tag {show(tag)} is the same for every value of a message.",
            "Write {name} for the value's own name, or name the values of a list in tags.",
        )
    elif "{tag}" in tag and "{name}" in tag and "{tag}" not in pattern:
        _miss_level(entry, "tag", tag, pattern)
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen and name:
            entry.wrong(("tags", at), f"tag {show(name)} stands twice in tags.", "Name each place once.")
        if "{tag}" in name and "{tag}" not in pattern:
            _miss_level(entry, ("tags", at), name, pattern)
        seen.add(name)


def _miss_level(entry: Entry, path: str | KeyPath, tag: str, pattern: str) -> None:
    entry.wrong(
        path,
        f"tag {show(tag)} takes a part of the topic; pattern {show(pattern)} has no {{tag}}.",
        "Write {tag} into the pattern, or a fixed name here.",
    )


def tags_of_topic(topic: TopicOptions) -> re.Pattern[str] | None:
    """Give what matches the tags that a topic can give; None where the payload names them whole."""
    is_single = topic.format in ("json-value", "number")
    names = topic.tags if topic.tags and not is_single else (topic.tag,)
    if not is_single and not topic.tags and "{name}" not in topic.tag:
        return None
    return re.compile("|".join(_matching(name, is_named=not is_single) for name in names if name))


def _matching(name: str, *, is_named: bool) -> str:
    text = re.escape(name).replace(re.escape("{tag}"), "[^/+#]+")
    text = text.replace(re.escape("{device}"), ".+")
    return text.replace(re.escape("{name}"), ".+") if is_named else text
