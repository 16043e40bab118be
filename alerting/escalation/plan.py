"""Plan: the steps by which people are called until one of them acknowledges, by tier, unit and time.

Source: the escalation chain of alarm management, e.g. IEC 62682:2014, 11.6 (alarm routing and escalation); the keys are
    ours.
Never: does I/O, reads a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from alerting.model.schedule import Schedule
from alerting.model.tier import Tier

#: How a step names whom it calls: whoever leads the shift, whoever is at a post, a person.
LEADER, POST, PERSON = "leader", "post:", "person:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: who is called by which channel, and how long an answer is waited for.

    Attributes:
        to: ``post:ID``, ``person:NAME``, ``leader`` for whoever leads the shift, or empty for the channel itself: a
            group.
    """

    to: str
    channel: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An escalation.

    Attributes:
        tiers: Tiers of alarms that it is for.
        units: Hazard units that it is for; empty for all.
        schedule: When it is for; None for always. What counts is the time at which the alarm rings.
        after_s: So long the people at the page have, before the first step.
        rounds: How often the steps are gone through before nobody is called any more.
        remind_s: An alarm that was acknowledged and still stands is reminded of so often, by the first step; 0 for
            never.
        is_for_events: Taken only for alarms in the zones of a large event that names it.
    """

    id: str
    tiers: tuple[Tier, ...]
    units: tuple[str, ...] = ()
    schedule: Schedule | None = None
    after_s: float = 0.0
    rounds: int = 3
    remind_s: float = 0.0
    is_for_events: bool = False
    steps: tuple[Step, ...]

    def is_for(self, tier: Tier, unit: str, at_ns: int) -> bool:
        """Tell whether an alarm that rings now is called by this plan."""
        if tier not in self.tiers or (self.units and unit not in self.units):
            return False
        return self.schedule is None or self.schedule.is_open(at_ns)


def plan_for(plans: Iterable[Plan], tier: Tier, unit: str, at_ns: int, named: str = "") -> Plan | None:
    """Give the first plan that is for an alarm; None where nobody is called.

    Args:
        named: Plan that the large event in the alarm's unit names; it goes before all others, which hold for what it is
            not for: no alarm is without its call because an event runs. Empty for none.
    """
    meant = [plan for plan in plans if plan.is_for(tier, unit, at_ns)]
    own = next((plan for plan in meant if named and plan.id == named), None)
    return own or next((plan for plan in meant if not plan.is_for_events), None)
