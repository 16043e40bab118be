"""Register entry: the episode of a hazard unit, opened and closed by its alarms.

Flow: events -> [open, join, close] -> commit
Why: an entry opens when the unit's tier leaves NONE and closes when all its alarms are NORMAL (design §3).
"""

from dataclasses import dataclass

from alerting.model.tier import Tier
from edge.model import Nature


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One episode.

    Attributes:
        closed_ns: 0 while open.
        alarms: Alarm ids in order of their onset.
    """

    id: str
    nature: Nature
    unit: str
    opened_ns: int
    closed_ns: int = 0
    tier: Tier = Tier.NONE
    tier_max: Tier = Tier.NONE
    alarms: tuple[str, ...] = ()
    is_late: bool = False
