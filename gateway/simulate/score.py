"""Score: how well one run of a story was warned of, in numbers that do not depend on which rules a site has. Pure.

Flow: what was seen, what was seen with limits only -> [score] -> Score of a run -> [worst] -> Score of a story
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from simulators.scenario import Event, Scenario, See, Seen, Verdict
from simulators.scenario.model import Expectation, rank

DAY_S: Final = 86_400.0
FLOOD_S: Final = 600.0  # EEMUA 191 and ISA-18.2 count alarms by ten minutes.
WARNED: Final = "YELLOW"  # From this tier on a person has to act.
NEW: Final = frozenset({"raised", "escalated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How long before a consequence its unit was warned of.

    Attributes:
        milestone: The consequence, which the plant reached at ``at_s``.
        lead_s: From the unit's first YELLOW or graver tier since the cause to the consequence; below 0 where it came
            after, None where none came while the gateway was there. ``limits_s``: the same with limits only.
    """

    milestone: str
    unit: str
    at_s: float
    lead_s: float | None
    limits_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a run came to, or the worst of several.

    Attributes:
        leads: One for each consequence that an expectation of a tier names and the plant reached.
        missed: Expectations of anything but quiet that were not met.
        false_alarms: New alarms where the story says quiet; ``false_per_day`` over the time with the gateway.
        alarms_10min: Most new alarms within any ten minutes.
        told_s: From the physical cause, the story's first act or fault after second 0, to the first notice that an
            authority holds; None where there is no cause or no notice.
    """

    leads: tuple[Lead, ...]
    missed: int
    false_alarms: int
    lasts_s: float
    alarms_10min: int
    told_s: float | None

    @property
    def false_per_day(self) -> float:
        """Give false alarms a day."""
        return self.false_alarms / self.lasts_s * DAY_S


def score(
    scenario: Scenario,
    seen: Seen,
    verdicts: Sequence[Verdict],
    limits: Sequence[Event],
    touched: Collection[str] = (),
) -> Score:
    """Score one run.

    Args:
        limits: Events of the same samples judged with nothing but LL, L, H and HH.
        touched: Tags about which no alarm is a false one, because something was made wrong with them by chance.
    """
    cause = cause_s(scenario)
    pairs = list(zip(scenario.expectations, verdicts, strict=True))
    consequences = {
        (each.before, each.unit): None
        for each in scenario.expectations
        if each.see is See.TIER and each.before in seen.milestones
    }
    leads = []
    for milestone, unit in consequences:
        at_s = seen.milestones[milestone]
        leads.append(
            Lead(
                milestone=milestone,
                unit=unit,
                at_s=at_s,
                lead_s=_lead(seen.events, unit, cause, at_s),
                limits_s=_lead(limits, unit, cause, at_s),
            )
        )
    quiet = [each for each in scenario.expectations if each.see is See.QUIET]
    held = [notice.held_s - cause for notice in seen.notices if cause is not None and notice.held_s >= cause]
    return Score(
        leads=tuple(leads),
        missed=sum(each.see is not See.QUIET and not verdict.is_met for each, verdict in pairs),
        false_alarms=sum(
            event.tag not in touched and any(_breaks(event, each) for each in quiet) for event in seen.events
        ),
        lasts_s=scenario.lasts_s,
        alarms_10min=_most([event.time_s for event in seen.events if event.what == "raised" and not event.is_quiet]),
        told_s=min(held, default=None),
    )


def worst(scores: Sequence[Score]) -> Score:
    """Join the runs of one story: the shortest leads, the longest delay, the most alarms; false ones over all time."""
    leads: dict[str, Lead] = {}
    for lead in (lead for each in scores for lead in each.leads):
        other = leads.get(lead.milestone, lead)
        leads[lead.milestone] = Lead(
            milestone=lead.milestone,
            unit=lead.unit,
            at_s=min(other.at_s, lead.at_s),
            lead_s=_least(other.lead_s, lead.lead_s),
            limits_s=_least(other.limits_s, lead.limits_s),
        )
    told = [each.told_s for each in scores]
    return Score(
        leads=tuple(leads.values()),
        missed=sum(each.missed for each in scores),
        false_alarms=sum(each.false_alarms for each in scores),
        lasts_s=sum(each.lasts_s for each in scores),
        alarms_10min=max((each.alarms_10min for each in scores), default=0),
        told_s=max((each for each in told if each is not None), default=None) if None not in told else None,
    )


def cause_s(scenario: Scenario) -> float | None:
    """Give when it began: the first act or fault after second 0; None for a story in which nothing happens."""
    times = [moment.at_s for moment in scenario.moments] + [fault.from_s for fault in scenario.faults]
    return min((at_s for at_s in times if at_s > 0), default=None)


def _lead(events: Sequence[Event], unit: str, cause: float | None, at_s: float) -> float | None:
    """Give how long before the consequence the unit stood at a tier that people act upon, since the cause at most.

    A tier that stood already when the cause came was no warning of it before, and is one from then on.
    """
    since, is_warned = -math.inf if cause is None else cause, False
    for event in sorted((event for event in events if event.unit == unit), key=lambda event: event.time_s):
        if event.what not in {"unit_raised", "unit_lowered"}:
            continue
        if event.time_s >= since and is_warned:
            break
        is_warned = rank(event.tier) >= rank(WARNED)
        if event.time_s >= since and is_warned:
            return at_s - event.time_s
    return at_s - since if is_warned and math.isfinite(since) else None


def _breaks(event: Event, each: Expectation) -> bool:
    return (
        event.what in NEW
        and not event.is_quiet
        and (event.tag == each.tag if each.tag else event.unit == each.unit)
        and (not each.condition or event.condition == each.condition)
        and (not each.tier or rank(event.tier) >= rank(each.tier))
        and each.from_s <= event.time_s <= each.until_s
    )


def _most(times: Sequence[float]) -> int:
    ordered, first, most = sorted(times), 0, 0
    for last, at_s in enumerate(ordered):
        while at_s - ordered[first] >= FLOOD_S:
            first += 1
        most = max(most, last - first + 1)
    return most


def _least(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)
