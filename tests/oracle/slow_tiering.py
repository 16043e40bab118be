"""Tiers of a unit second by second, written from docs/core.md ("Tier of a hazard unit") and not from the book.

Everything happens at whole seconds. What holds at second ``u`` held until just before ``u + 1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerting.model.tier import Tier
from alerting.model.tiering import TierLine


@dataclass(frozen=True)
class Seen:
    """One alarm as the unit sees it at one second; None of an alarm that is not active or does not count."""

    condition: str
    tier: Tier
    time_to_limit_s: float = float("inf")


Picture = dict[str, Seen]  # by alarm, at one second


@dataclass
class SlowUnit:
    """The unit's tier at each second of a story."""

    lines: Sequence[TierLine]
    own_s: float
    story: list[Picture] = field(default_factory=list)

    def tier(self, t: int) -> Tier:
        """The highest tier of the lines in force: those that hold, and those that held within ``lower_after_s``."""
        own = (
            tier
            for tier in (Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED)
            if any(self._has_alarm(u, tier) for u in self._span(t, self.own_s))
        )
        declared = (
            line.tier for line in self.lines if any(self._holds(line, u) for u in self._span(t, line.lower_after_s))
        )
        return max([Tier.NONE, *own, *declared])

    def _span(self, t: int, keep_s: float) -> range:
        return range(max(0, t - int(keep_s)), t + 1)

    def _has_alarm(self, t: int, tier: Tier) -> bool:
        return any(seen.tier >= tier for seen in self.story[t].values())

    def _holds(self, line: TierLine, t: int) -> bool:
        """Enough alarms have had what the line asks for, each without a break for as long as it asks."""
        return sum(self._has_lasted(line, t, key) for key in self.story[t]) >= line.count

    def _has_lasted(self, line: TierLine, t: int, key: str) -> bool:
        first = t - int(line.for_s)
        return first >= 0 and all(self._fits(line, self.story[u].get(key)) for u in range(first, t + 1))

    def _fits(self, line: TierLine, seen: Seen | None) -> bool:
        if seen is None or seen.tier < line.tier_least:
            return False
        limits_met = {"HH": {"H", "HH"}, "LL": {"L", "LL"}}.get(seen.condition, {seen.condition})
        if line.kinds and not limits_met & set(line.kinds):
            return False
        return line.time_to_limit_s == 0 or seen.time_to_limit_s <= line.time_to_limit_s
