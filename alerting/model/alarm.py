"""Alarm: a condition that needs a person's answer, with identity and state."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from alerting.model.tier import Tier
from edge.model import Nature


class State(StrEnum):
    """Where an alarm stands between the plant and the operator (design §3, ISA-18.2 states A to D, F)."""

    NORMAL = "NORMAL"
    UNACK = "UNACK"
    ACKED = "ACKED"
    RTN_UNACK = "RTN_UNACK"
    LATCHED = "LATCHED"


class Suppression(StrEnum):
    """Why an alarm is kept quiet; a field of its own, never part of the state."""

    NONE = "none"
    SHELVED = "shelved"
    BY_DESIGN = "by_design"
    OUT_OF_SERVICE = "out_of_service"


#: What ended an alarm, or a limit of it, whose rule the configuration no longer has.
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm, from its first trip on for ever; immutable, each change gives a new one.

    Attributes:
        key: Identity for ever, hash of (site, nature, tag or unit, rule group).
        id: Identity of this episode, hash of (key, onset); empty while it never rang.
        tier: Highest tier of the active conditions; NONE when returned.
        tier_max: Highest tier since NORMAL, kept until acknowledged.
        condition: Outermost active limit, e.g. ``HH``; the last one after return.
        onset_ns: Event time of the trip that left NORMAL.
        raised_ns: Event time of the last trip or rise: since when it has wanted an answer.
        changed_ns: Event time of the last change.
        ordinal: Number of events so far in this episode.
        ended_by: What ended the condition where its value did not: ``enable <condition>``, ``schedule <spans>`` or
            ``gone``; empty otherwise and while it is active.
        suppressed_until_ns: End of the suppression, 0 for none; ``suppressed_ns`` its beginning, receive time.
        is_one_shot: The shelf ends with the first return to normal, if that comes before its end (OPC UA Part 9,
            OneShotShelved).
        design: Id of the declared suppression that keeps it quiet by design.
        silenced_by, silenced_ns: Who silenced the horn for it, and when; empty again when it wants an answer anew.
        permit: Number of the permit that it is out of service under.
    """

    key: str
    nature: Nature
    tag: str
    unit: str
    group: str
    id: str = ""
    state: State = State.NORMAL
    tier: Tier = Tier.NONE
    tier_max: Tier = Tier.NONE
    condition: str = ""
    rule: str = ""
    onset_ns: int = 0
    raised_ns: int = 0
    changed_ns: int = 0
    ordinal: int = 0
    value: float | None = None
    setpoint: float | None = None
    acked_by: str = ""
    acked_ns: int = 0
    comment: str = ""
    suppression: Suppression = Suppression.NONE
    suppressed_until_ns: int = 0
    suppressed_by: str = ""
    suppression_reason: str = ""
    ended_by: str = ""
    is_one_shot: bool = False
    suppressed_ns: int = 0
    permit: str = ""
    design: str = ""
    silenced_by: str = ""
    silenced_ns: int = 0

    @property
    def is_active(self) -> bool:
        """Tell whether the condition is tripped now."""
        return self.state in (State.UNACK, State.ACKED)

    def freed(self) -> Self:
        """Give the alarm without its suppression."""
        return replace(
            self,
            suppression=Suppression.NONE,
            suppressed_until_ns=0,
            suppressed_by="",
            suppression_reason="",
            is_one_shot=False,
            suppressed_ns=0,
            permit="",
            design="",
        )


def digest(*parts: object) -> str:
    """Hash the parts of an identity: 32 hexadecimal digits of BLAKE2b over their unambiguous text."""
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
