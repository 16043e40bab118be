"""Shelving: how long an alarm may be shelved, by the highest tier that it can reach.

Why: a shelf is put up before the alarm gets worse; by the tier of the moment, what can reach RED would be quiet for as
    long as what can only reach BLUE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from alerting.model.tier import Tier

TIERS = (Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED)
MINUTES_MOST = 1_440  # Nobody forgets a shelf for longer than a day.
#: Ours: RED an hour, ORANGE half a shift, YELLOW a shift of eight hours, BLUE a day. ISA-18.2 asks for a time limit
#: and leaves its length to the plant's philosophy.
MAX_MINUTES: Mapping[Tier, int] = {Tier.BLUE: MINUTES_MOST, Tier.YELLOW: 480, Tier.ORANGE: 240, Tier.RED: 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelving:
    """Longest shelves.

    Attributes:
        minutes: Of ``TIERS`` in their order, min; 0 where an alarm that can reach the tier may not be shelved.
    """

    minutes: tuple[int, ...] = tuple(MAX_MINUTES[tier] for tier in TIERS)

    def most(self, tier: Tier) -> int:
        """Give the longest shelf of an alarm that can reach a tier, min; NONE counts as BLUE."""
        return self.minutes[max(int(tier), int(Tier.BLUE)) - int(Tier.BLUE)]

    def named(self) -> dict[str, int]:
        """Write it out by name of the tier, as configuration and recordings have it."""
        return {tier.name: self.most(tier) for tier in TIERS}

    @classmethod
    def of_names(cls, named: Mapping[str, int] | None) -> Self:
        """Read what ``named`` wrote; None, from before there was one, is a day for each tier."""
        return cls(minutes=tuple(MINUTES_MOST if named is None else named[tier.name] for tier in TIERS))
