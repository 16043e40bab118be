"""Envelope: a plain notice in the form that one authority wants.

Flow: plain notice -> [wrap] -> the text that is sent, kept beside the plain notice in the same transaction
Why: made once, when the event is committed: the same text at every attempt, so that one key means one text for ever.
Never: does I/O, invents a fact that the notice does not have.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting.push import exchange
from alerting.push.cap import compose_cap
from alerting.push.mapped import mapped
from alerting.push.profile import Profile
from alerting.push.regional import regional

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What is known of a chain before one of its notices is written.

    Attributes:
        references: Of its notices to this destination since it began, in order; empty for none.
        allot: Gives the next identifier of kind ``gb`` after a prefix; called in the transaction, once a message.
    """

    references: Sequence[str] = ()
    allot: Callable[[str], str] = field(default=lambda prefix: prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What is sent.

    Attributes:
        text: Empty where the plain notice itself goes.
        reference: How later messages of the chain refer to this one; of an exchange where below the receiver's address
            it goes; empty where the form knows none.
    """

    text: str = ""
    reference: str = ""


def wrap(profile: Profile, body: Body, thread: Thread) -> Wire | None:
    """Give the text of a notice in a profile's form; None where the form has no place for it.

    Args:
        body: The plain notice as ``alerting.push.notice`` composes it, or periodic data of ``gateway.push.periodic``.
    """
    match profile.envelope:
        case "plain":
            return Wire()
        case "mapped":
            return Wire(text=as_text(mapped(profile, body)))
        case "cap":
            assert profile.cap is not None, profile.id
            made = compose_cap(profile.cap, body, thread.references, thread.allot)
            return None if made is None else Wire(text=made.text, reference=made.reference)
        case "regional":
            assert profile.regional is not None, profile.id
            stop_id = thread.references[0] if thread.references else str(body["key"])
            frame = regional(profile.regional, body, stop_id)
            return None if frame is None else Wire(text=as_text(frame), reference=stop_id)
        case "exchange":
            assert profile.exchange is not None, profile.id
            if body.get("subject") != "register":
                return None
            path = exchange.path_of(profile.exchange, str(body["table"]))
            return Wire(text=as_text(exchange.rows(profile, body)), reference=path) if path else None


def as_text(content: object) -> str:
    """Give the one JSON text of a content: sorted keys, no spaces, as Unicode."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
