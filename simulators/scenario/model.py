"""A scenario as typed values, and what is known of the site that it is played on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from simulators.instrument import Fault
from simulators.plant.port import PlantKind
from simulators.story import Moment

TIERS = ("NONE", "BLUE", "YELLOW", "ORANGE", "RED")


def rank(tier: str) -> int:
    """Give a tier's place, NONE lowest."""
    return TIERS.index(tier)


class See(StrEnum):
    """What an expectation looks for."""

    ALARM = "alarm"  # a condition of a tag, or a rule, rings within the window
    TIER = "tier"  # a hazard unit reaches a tier within the window
    QUIET = "quiet"  # nothing of a tag or unit rings within the window
    NOTICE = "notice"  # the authority holds the notice of an alarm soon enough after it rang
    FLOOD = "flood"  # a flood of alarms begins within the window, is large enough, and over in time
    FIRST_OUT = "first_out"  # of a flood that began within the window this alarm came first, in all or of one unit
    SUPPRESSED = "suppressed"  # an alarm is there within the window and listed as suppressed; it does not ring


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that must be seen, or must not.

    Attributes:
        tag, condition, rule: Which alarm: a condition of a tag (``HH``), or a rule by its id.
        unit, tier: Which hazard unit, and which tier at least.
        from_s, until_s: The window, seconds of the story, both ends included.
        before, lead_s: It must be seen so long before this milestone of the plant as well; empty for none.
        before_say: What a person would say of that milestone, by language.
        within_s: How soon the notice must be held, s.
        least: Alarms that the flood must count at least.
        over_by_s: When the flood must be over, s; inf where that is not asked.
        say: What a person would say, by language.
        line: Where it stands in the file.
    """

    id: str
    see: See
    tag: str = ""
    condition: str = ""
    rule: str = ""
    unit: str = ""
    tier: str = ""
    from_s: float = 0.0
    until_s: float = math.inf
    before: str = ""
    before_say: Mapping[str, str] = field(default_factory=dict)
    lead_s: float = 0.0
    within_s: float = 0.0
    least: int = 0
    over_by_s: float = math.inf
    say: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripping:
    """A rule as far as an expectation must know it."""

    rule: str
    tag: str
    condition: str
    unit: str
    tier: str
    on_delay_s: float = 0.0
    least_s: float = 0.0  # what the condition itself takes before it can hold, e.g. a FROZEN's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooding:
    """What a flood is at the site: when it can begin, and how soon it can be over.

    Attributes:
        above: More new alarms than that within ``window_s`` begin one; 0 for never.
        alarms: So many alarms the site has; the limits of one direction of a tag are one.
    """

    above: int
    window_s: float
    alarms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the site that a scenario is played on.

    Attributes:
        ranges: Of each measured tag, in its engineering unit; NaN for an end that there is not.
        sources: Ids.
        rules: All rules that can ring.
        units: Highest tier that each hazard unit can reach.
        told_from: Lowest tier of which anybody outside is told; empty where nobody is.
        flooding: None where the site knows no floods.
        covered: Rules whose alarm a declared suppression can keep quiet.
    """

    ranges: Mapping[str, tuple[float, float]]
    sources: frozenset[str]
    rules: tuple[Tripping, ...]
    units: Mapping[str, str]
    told_from: str = ""
    flooding: Flooding | None = None
    covered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario.

    Attributes:
        path: Its file; ``site`` is the site file that it names, None for the one of its plant.
        begins_ns: The moment of second 0, ns since 1970-01-01 UTC.
        forward_s: Physics alone before second 0; acts before 0 happen in it.
        lasts_s: How long the gateway is there.
        after_s: Physics alone after that, so that a milestone which comes later is known.
        step_s: Step of the plant, and how often it is looked at.
    """

    path: Path
    name: str
    title: Mapping[str, str]
    kind: PlantKind
    site: Path | None
    begins_ns: int
    forward_s: float
    lasts_s: float
    after_s: float
    step_s: float
    seed: int
    moments: tuple[Moment, ...]
    faults: tuple[Fault, ...]
    expectations: tuple[Expectation, ...]
