"""Plan: how a site watches duties: its rows, by which channel people are told, when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.duty.kind import HOLDER, Kind, Step
from alerting.duty.table import KINDS
from alerting.escalation.plan import LEADER
from alerting.model.tier import Tier

#: Who is told where neither row nor site says: first who answers for it, then whoever leads the shift too.
TO: Mapping[Step, tuple[str, ...]] = {
    Step.PROMPT: (HOLDER,),
    Step.WARNING: (HOLDER, LEADER),
    Step.SUPERVISION: (HOLDER, LEADER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyPlan:
    """What a site says.

    Attributes:
        channel: By which people are told; empty: the page alone says it.
        told_at_s: Second of the day at which duties of a day are told.
        to: Receivers by step, where a row names none.
        ack_s: So long an alarm may wait for its acknowledgement, by tier, s; a tier that is not there has no duty.
        five_lots_day: Day of the month by which the report of the five lots of the month before is filed; 0 for none.
        kinds: The rows.
    """

    channel: str = ""
    told_at_s: int = 8 * 3600
    to: Mapping[Step, tuple[str, ...]] = field(default_factory=lambda: dict(TO))
    ack_s: Mapping[Tier, float] = field(default_factory=dict)
    five_lots_day: int = 0
    kinds: tuple[Kind, ...] = KINDS

    def kind(self, name: str) -> Kind | None:
        """Give a row by its id."""
        return next((each for each in self.kinds if each.id == name), None)

    def receivers(self, kind: Kind, step: Step) -> tuple[str, ...]:
        """Give who is told of a step."""
        return kind.to.get(step) or self.to.get(step) or TO[step]
