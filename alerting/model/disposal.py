"""Disposal (处置/销警): what was found and done about an alarm, by whom, by when.

Why: an acknowledged alarm is seen, not dealt with; what caused it must be written down before it is forgotten.
"""

from dataclasses import dataclass
from enum import StrEnum

from alerting.model.tier import Tier
from edge.model import Nature

TIERS = (Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED)
MINUTES_MOST = 30 * 1_440


class Cause(StrEnum):
    """What an alarm turned out to be."""

    REAL = "real"  # the plant was as the alarm said
    FALSE = "false"  # it was not, and nobody knows better
    MAINTENANCE = "maintenance"  # work on the plant
    INSTRUMENT = "instrument"  # the measurement was wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalPolicy:
    """Which alarms need a disposal, and by when.

    Attributes:
        minutes: Of ``TIERS`` in their order, min after the alarm came to the tier; 0 where none is needed.
        keeps_location: Photos keep what the phone wrote into them, also where it was.
    """

    minutes: tuple[int, ...] = (0,) * len(TIERS)
    keeps_location: bool = False

    def within_ns(self, tier: Tier) -> int:
        """Give how long there is for an alarm of a tier, ns; 0 where none is needed."""
        return self.minutes[tier - Tier.BLUE] * 60_000_000_000 if tier > Tier.NONE else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An alarm that needs a disposal from now on, or earlier than before.

    Attributes:
        alarm: Alarm id; one disposal an episode.
        due_ns: Receive time by which it must be there.
    """

    alarm: str
    key: str
    nature: Nature
    unit: str
    tag: str
    condition: str
    tier: Tier
    opened_ns: int
    due_ns: int
