"""Tiering: the declared policy that gives a hazard unit its tier, as lines of units, conditions and tiers.

Why: a unit may be in more danger than any single alarm of it says; what makes it so is declared, never programmed.
Never: hides an alarm. A unit's tier is at least the highest tier of the active alarms that count for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alerting.model.alarm import digest
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit

LOWER_AFTER_S = 60.0  # ours: long enough to bridge a limit that clears and trips again
#: Conditions that lie beyond a limit: H holds while HH does.
BEYOND: Mapping[str, str] = {Kind.HH.name: Kind.H.name, Kind.LL.name: Kind.L.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLine:
    """One line: the units that it is about, what must hold, and the tier that follows.

    Attributes:
        tier: Tier of the unit while the line holds. NONE in a line that only says how long the alarms' own tiers
            stay.
        unit_kind: Kind of unit, or ``*`` for any.
        unit: Id of one unit; empty for all.
        grades: Legal grades 1 to 4 of the unit, 0 for none; empty for any.
        kinds: Names of the conditions that count; empty for any. H holds while HH does, L while LL does.
        tier_least: Conditions whose alarm has a lower tier do not count.
        count: How many alarms must have such a condition.
        for_s: How long each of these must have had it, s by the receive clock.
        time_to_limit_s: Only TRENDs whose time to limit is at most this count, s; 0 for any condition.
        lower_after_s: How long the tier stays after the line ceased to hold, s by the receive clock.
    """

    tier: Tier = Tier.NONE
    unit_kind: str = "*"
    unit: str = ""
    grades: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    tier_least: Tier = Tier.BLUE
    count: int = 1
    for_s: float = 0.0
    time_to_limit_s: float = 0.0
    lower_after_s: float = LOWER_AFTER_S

    def is_about(self, unit: HazardUnit) -> bool:
        """Tell whether a unit is one of the line's."""
        return (
            self.unit_kind in ("*", unit.kind)
            and self.unit in ("", unit.id)
            and (not self.grades or unit.grade in self.grades)
        )

    def names(self, condition: str) -> bool:
        """Tell whether a condition is one of the line's kinds."""
        return not self.kinds or condition in self.kinds or BEYOND.get(condition) in self.kinds

    @property
    def key(self) -> str:
        """Identity of the line: what it says, not where it stands."""
        return digest("tiering", *(value for value in asdict(self).values()))

    @property
    def facts(self) -> dict[str, Any]:
        """What one sentence needs of the line, as JSON values."""
        return {
            "kinds": list(self.kinds),
            "tier_least": self.tier_least.name,
            "count": self.count,
            "for_s": self.for_s,
            "time_to_limit_s": self.time_to_limit_s,
            "lower_after_s": self.lower_after_s,
            "tier": self.tier.name,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiering:
    """The policy of a site.

    Attributes:
        lines: In the order of the site file; the number of a line, from 1, names it in events.
        lower_after_s: How long the alarms' own tiers stay where no line says it, s.
    """

    lines: tuple[TierLine, ...] = ()
    lower_after_s: float = LOWER_AFTER_S

    def of_unit(self, unit: HazardUnit) -> tuple[list[tuple[int, TierLine]], float]:
        """Give the lines about a unit, numbered from 1, and how long the tiers of its own alarms stay, s."""
        mine = [(number, line) for number, line in enumerate(self.lines, start=1) if line.is_about(unit)]
        own = next((line.lower_after_s for _, line in mine if line.tier is Tier.NONE), self.lower_after_s)
        return [(number, line) for number, line in mine if line.tier is not Tier.NONE], own


def lines_as_json(lines: Iterable[TierLine]) -> list[dict[str, Any]]:
    """Give lines as JSON values, for a recording."""
    return [{**asdict(line), "tier": line.tier.name, "tier_least": line.tier_least.name} for line in lines]


def lines_of_json(lines: Sequence[Mapping[str, Any]]) -> tuple[TierLine, ...]:
    """Read lines back."""
    return tuple(
        TierLine(
            **{
                **line,
                "tier": Tier[line["tier"]],
                "tier_least": Tier[line["tier_least"]],
                "grades": tuple(line["grades"]),
                "kinds": tuple(line["kinds"]),
            }
        )
        for line in lines
    )
