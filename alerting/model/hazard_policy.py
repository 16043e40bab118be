"""Hazard policy of a site: which alarms open a hidden hazard by themselves, and what counts as a repeat.

Why: an alarm that stands, or turned out to be real, is a hidden hazard that nobody entered; one that comes again in the
    same place for the same cause was put right on paper only.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from alerting.model.disposal import Cause
from alerting.model.rule import GROUP, LIMITS, Kind
from alerting.model.tier import Tier

#: Days within which the same again is a repeat; ours.
REPEAT_DAYS: Final = 90
#: Before the id of an opening wherever a name stands, so that it is taken for no person.
OPENED_BY: Final = "rule:"
#: Conditions that an opening may name.
CONDITIONS: Final = tuple(kind.name for kind in Kind if kind not in (Kind.GATE, Kind.SCHEDULE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Which alarms open a hidden hazard.

    Attributes:
        tiers: Alarms of these; for one that was disposed of, of the highest tier that it had.
        conditions: Names of ``CONDITIONS``; empty for any.
        units: Hazard units; empty for any.
        after_s: So long an alarm has stood; for openings without ``causes``.
        causes: What its disposal says it was; the opening waits for that. Empty: the standing alarm opens it.
        type: Type of the hidden hazard, a choice of its ledger; empty for none.
    """

    id: str
    tiers: Collection[Tier]
    conditions: Collection[str] = ()
    units: Collection[str] = ()
    after_s: float = 0.0
    causes: Collection[Cause] = ()
    type: str = ""

    def is_about(self, *, tier: Tier, condition: str, group: str, unit: str) -> bool:
        """Tell whether an alarm is meant, whatever its time and disposal.

        Args:
            group: Rule group of the alarm: what is no limit is known by it, its condition may have a name of its own.
        """
        limits = {kind.name for kind in LIMITS}
        named = {GROUP[Kind[name]] for name in self.conditions if name not in limits and Kind[name] in GROUP}
        is_meant = not self.conditions or condition in self.conditions or group in named
        return tier in self.tiers and is_meant and (not self.units or unit in self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardPolicy:
    """What a site lays down about hidden hazards.

    Attributes:
        repeat_days: The same unit and cause again within so many days is a repeat.
    """

    repeat_days: int = REPEAT_DAYS
    openings: tuple[Opening, ...] = ()
