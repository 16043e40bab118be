"""Out of service: who may take an alarm away for how long, and what for, by the highest tier that it can reach.

Why: an alarm that is out of service is not told to anybody; what keeps it from being forgotten is the permit that it is
    worked on under, and an end that comes by itself.
"""

from dataclasses import dataclass

from alerting.model.tier import Tier

TIERS = (Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED)
#: Ours: a month. An instrument that is away for longer is a change of the configuration.
HOURS_MOST = 31 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What taking out of service asks for.

    Attributes:
        hours: Longest time from the act on, of ``TIERS`` in their order, h; 0 where it may not be done at all.
        permit_from: Alarms that can reach this tier need the number of a permit; NONE where none does.
    """

    hours: tuple[int, ...] = (HOURS_MOST,) * len(TIERS)
    permit_from: Tier = Tier.NONE

    def most_h(self, tier: Tier) -> int:
        """Give the longest time of an alarm that can reach a tier, h; NONE counts as BLUE."""
        return self.hours[max(int(tier), int(Tier.BLUE)) - int(Tier.BLUE)]

    def needs_permit(self, tier: Tier) -> bool:
        """Tell whether an alarm that can reach a tier needs a permit; NONE counts as BLUE."""
        return self.permit_from is not Tier.NONE and max(tier, Tier.BLUE) >= self.permit_from
