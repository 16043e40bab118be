"""Panel: boards, sirens and programs of the plant's own that hear calls on a topic of a broker.

Flow: template of the topic, call -> [panel_topic] -> the topic that it is published on
Never: lets a name make a topic of somebody else's; publishes retained: a panel that starts would show what is over.
"""

import json
from collections.abc import Mapping
from typing import Final

from alerting.push.message import Message, Reader, read_call, reader_of
from gateway.push.channel import Parcel, PushError
from gateway.push.forms import PLACEHOLDER

#: What may stand in the template of a topic.
PLACEHOLDERS: Final = ("tier", "person", "address")
#: What no level of a topic may hold (MQTT 5.0, 4.7.1). A slash may stand in an address, which names levels.
_NEVER: Final = "+#\0"


def panel_topic(template: str, parcel: Parcel) -> str:
    """Give the topic of a call or of a message of many.

    Raises:
        PushError: The one who is called has no place in it.
    """
    if parcel.message is not None:
        return _filled(template, parcel.message.tier.name, parcel.message.reader)
    call = read_call(parcel.body)
    return _filled(template, call["tier"], reader_of(call))


def published(template: str, message: Message) -> str:
    """Write what would be published where."""
    try:
        topic = _filled(template, message.tier.name, message.reader)
    except PushError as failure:
        topic = str(failure)
    return json.dumps({"topic": topic, "text": message.parts[0]}, ensure_ascii=False)


def _filled(template: str, tier: str, reader: Reader) -> str:
    known: Mapping[str, str] = {"tier": tier, "person": reader.person, "address": reader.address}
    for word in PLACEHOLDER.findall(template):
        text = known[word]
        is_odd = any(sign in text for sign in _NEVER) or ("/" in text and word != "address")
        if not text or is_odd:
            who = reader.person or "the group"
            said = f"{text!r} of {who} cannot stand in a topic" if text else f"{who} has no {word} here"
            raise PushError(retry=False, reason="no_address", detail=said, is_final=True)
    return PLACEHOLDER.sub(lambda found: known[found[1]], template)
