"""Incident policy: from which tier of a unit an incident opens by itself, and by which channel people are called."""

from dataclasses import dataclass

from alerting.model.tier import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPolicy:
    """What a site says.

    Attributes:
        from_tier: An incident opens when a unit rises to it or above; NONE: people alone open incidents.
        channel: By which headquarters are called; empty: the page alone says it.
    """

    from_tier: Tier = Tier.ORANGE
    channel: str = ""

    def opens_at(self, tier: Tier) -> bool:
        """Tell whether a unit that rose to a tier has an incident."""
        return self.from_tier is not Tier.NONE and tier >= self.from_tier
