"""Event: one change of an alarm or of a unit, with its cause."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerting.model.tier import Tier
from edge.model import Nature


class What(StrEnum):
    """What happened; past participles, the words of the event log (design §5)."""

    RAISED = "raised"
    ESCALATED = "escalated"
    LOWERED = "lowered"
    CHANGED = "changed"
    RETURNED = "returned"
    REALARMED = "realarmed"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    RESET = "reset"
    CLEARED = "cleared"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    UNIT_RAISED = "unit_raised"
    UNIT_LOWERED = "unit_lowered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change.

    Attributes:
        id: Hash of (alarm id, ordinal within the alarm), or of (unit, nature, ordinal).
        time_ns: Event time; ``received_ns`` the receive time of the tick that saw it.
        alarm: Alarm id; empty for unit events.
        tier: The tier after the change.
        cause: Scan key, tag, value, quality, setpoint, rule, revision, delays; facts for one sentence.
        is_late: Judged from back-fill; never touches a live alarm.
    """

    id: str
    what: What
    time_ns: int
    received_ns: int
    nature: Nature
    unit: str
    alarm: str = ""
    alarm_key: str = ""
    tag: str = ""
    group: str = ""
    condition: str = ""
    tier: Tier = Tier.NONE
    state: str = ""
    value: float | None = None
    setpoint: float | None = None
    suppression: str = "none"
    is_late: bool = False
    cause: dict[str, Any] = field(default_factory=dict)
