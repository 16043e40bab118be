"""All that we ever publish: whether we are there, and the wish that a Sparkplug node is born again.

Flow: connected, or a session in doubt -> [outgoing] -> link -> broker
Why a module of its own: the field is read-only by construction. A link publishes an ``Outgoing`` and nothing else, and
    only the two functions here make one; a test finds any other place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

#: First level of all topics of Sparkplug B (3.0.0, §4.1.1).
SPARKPLUG: Final = "spBv1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message that leaves."""

    topic: str
    payload: bytes
    qos: int
    is_retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where a broker keeps whether we are connected: retained, and by our will when we are gone without a word.

    Attributes:
        topic: Of our own; nobody else publishes there.
        now_ms: The wall clock, ms since 1970-01-01 UTC.
    """

    topic: str
    now_ms: Callable[[], int]


def presence(topic: str, time_ms: int, *, is_online: bool) -> Outgoing:
    """Compose whether we are there, as Sparkplug 3.0.0 §6.4.27 has it: ``{"online": …, "timestamp": ms}``."""
    payload = orjson.dumps({"online": is_online, "timestamp": time_ms})
    return Outgoing(topic=topic, payload=payload, qos=1, is_retained=True)


def denies_presence(payload: bytes) -> bool:
    """Tell whether somebody says on our topic that we are gone: an older will of ours that came late (§5.1)."""
    try:
        said = orjson.loads(payload)
    except ValueError:
        return True
    return not (isinstance(said, dict) and said.get("online") is True)


def rebirth(group: str, node: str, time_ms: int) -> Outgoing:
    """Compose the wish that a Sparkplug edge node tells all it has anew (§5.12)."""
    from edge.decode.codec.sparkplug import rebirth_payload  # noqa: PLC0415 - its library loads on use

    topic = f"{SPARKPLUG}/{group}/NCMD/{node}"
    return Outgoing(topic=topic, payload=rebirth_payload(time_ms), qos=0, is_retained=False)
