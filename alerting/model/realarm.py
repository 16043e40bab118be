"""Re-alarm: when an acknowledged alarm that still stands asks for attention again (OPC UA Part 9, ReAlarmTime).

Why: what was acknowledged leaves the ear and soon the eye; a timer brings it back. Off unless the site asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.model.tier import Tier

TIERS = (Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED)
MINUTES_MOST = 7 * 1_440
NS_OF_MINUTE = 60_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Realarm:
    """When what was acknowledged is announced again.

    Attributes:
        minutes: Of ``TIERS`` in their order, min after the acknowledgement; 0 for never.
        rules: The same for single rules by id, before what their tier has; 0 for never.
    """

    minutes: tuple[int, ...] = (0,) * len(TIERS)
    rules: Mapping[str, int] = field(default_factory=dict)

    def due_ns(self, acked_ns: int, tier: Tier, rule: str) -> int:
        """Give when an alarm that was acknowledged and still stands is due, receive time; 0 for never."""
        minutes = self.rules.get(rule)
        if minutes is None:
            minutes = self.minutes[tier - Tier.BLUE] if tier > Tier.NONE else 0
        return acked_ns + minutes * NS_OF_MINUTE if minutes else 0
