"""Panel: what a ``[[channel]]`` of kind ``mqtt`` says of its broker and of the topic that calls are published on."""

from typing import Final, Literal, TypedDict, cast

from alerting.push.profile import Profile
from edge.config import MqttOptions
from edge.load.broker import wrong_topic
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from gateway.load.destination import read_far_broker
from gateway.push.forms import PLACEHOLDER
from gateway.push.panel import PLACEHOLDERS

#: What is published is not signed: a broker knows who is who.
PANEL: Final = Profile(id="panel", transport="mqtt", signature="none")
PAYLOADS: Final = ("json", "text")
#: UTF-16 units of one text: a line of a small board, to what no panel shows at once.
CHARACTERS: Final = (20, 10_000)
CHARACTERS_USUAL: Final = 200


class ByBroker(TypedDict, total=False):
    """Fields of a destination that is reached by a broker."""

    profile: Profile
    broker: MqttOptions
    topic: str


def read_panel(entry: Entry, client_id: str, *, is_loopback_allowed: bool) -> ByBroker:
    """Read where calls are published."""
    topic = entry.required("topic", "calls are published there")
    for word in PLACEHOLDER.findall(topic):
        if word not in PLACEHOLDERS:
            entry.wrong("topic", f"{show('{' + word + '}')} is no placeholder.", meant(word, PLACEHOLDERS))
    rule = wrong_topic(PLACEHOLDER.sub("x", topic)) if topic else ""
    if rule:
        entry.wrong("topic", f"topic {show(topic)} cannot be one; {rule}.", "Write one topic, e.g. plant/calls.")
    broker = read_far_broker(entry, client_id, is_loopback_allowed=is_loopback_allowed)
    return {"profile": PANEL, "broker": broker, "topic": topic}


def read_payload(entry: Entry) -> tuple[Literal["json", "text"], int]:
    """Read what is published, and how much of it at once."""
    payload = cast(Literal["json", "text"], entry.choice("payload", PAYLOADS, "json"))
    if payload == "json":
        for key in ("characters", "language", "message"):
            if entry.has(key):
                entry.wrong(key, f"{key} is for payload text; JSON holds all in both languages.", f"Remove {key}.")
    return payload, entry.whole("characters", CHARACTERS_USUAL, *CHARACTERS)
