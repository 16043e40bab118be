"""Ladder: how far the calls about one alarm have come; what an event, or time, does to it.

Flow: event in a tick's transaction -> [follow] -> ladder; time that falls due -> [climb] -> ladder and calls
Why: the next step falls due at a time that is kept, so that a restart goes on where it was; each step is taken once,
    in the transaction that writes its calls, and each call has a key of its own.
Never: does I/O, reads a clock, calls about what is silenced.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from alerting.escalation.plan import Plan, Step, plan_for
from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from edge.model import Nature

NS = 1_000_000_000


class Stand(StrEnum):
    """How a ladder stands."""

    CLIMBING = "climbing"
    REMINDING = "reminding"  # acknowledged, and still there
    ENDED = "ended"  # answered, returned or silenced
    EXHAUSTED = "exhausted"  # every step of every round was taken, and nobody answered


class Made(StrEnum):
    """What a step came to for one addressee."""

    CALL = "call"
    REMINDER = "reminder"
    NOBODY = "nobody"  # nobody is on duty at the post, or the person is no user any more
    EXHAUSTED = "exhausted"  # the end of the last round


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """How far the calls about one alarm have come.

    Attributes:
        alarm_key, alarm: The alarm for ever, and this episode of it.
        generation: Rises whenever the alarm rings anew, so that keys of calls never repeat.
        round, step: Of the step that is taken next; while reminding ``round`` counts the reminders.
        due_ns: When it is taken; 0 for never.
        why: Why it ended, as a word.
    """

    alarm_key: str
    alarm: str
    nature: Nature
    unit: str
    plan: str
    tier: Tier
    generation: int = 1
    round: int = 0
    step: int = 0
    stand: Stand = Stand.CLIMBING
    due_ns: int = 0
    changed_ns: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An addressee: a person, or with an empty name the channel itself."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, or that there was nobody to call.

    Attributes:
        key: Idempotency key, hash of (alarm, generation, kind, round, step, person, channel).
    """

    key: str
    what: Made
    person: str
    channel: str
    to: str
    round: int
    step: int


#: Gives who a step's ``to`` is now; empty for nobody.
Resolve = Callable[[str], list[Reached]]

RINGS = frozenset({What.RAISED, What.ESCALATED, What.REALARMED})
ENDS = frozenset({What.RETURNED, What.CLEARED, What.SHELVED, What.SUPPRESSED})


def follow(
    ladder: Ladder | None, event: Event, alarm: Alarm | None, plans: Iterable[Plan], named: str = ""
) -> Ladder | None:
    """Give the ladder after an event; None where there is none and none begins.

    Args:
        alarm: As it stands after the tick.
        plans: All of the site, in their order.
        named: The one that a large event in the unit names now; empty for none.
    """
    if event.is_late or not event.alarm_key:
        return ladder
    now_ns = event.received_ns
    if event.what in RINGS:
        return _ring(ladder, event, alarm, plan_for(plans, event.tier, event.unit, now_ns, named))
    if ladder is None or ladder.alarm != event.alarm or ladder.stand is Stand.ENDED:
        return ladder
    if event.what is What.ACKNOWLEDGED:
        return _acknowledge(ladder, alarm, next((p for p in plans if p.id == ladder.plan), None), now_ns)
    if event.what in ENDS:
        return end(ladder, event.what.value, now_ns)
    return ladder


def _ring(ladder: Ladder | None, event: Event, alarm: Alarm | None, plan: Plan | None) -> Ladder | None:
    """Begin, or go on where a rise leads to the same plan that climbs already."""
    now_ns = event.received_ns
    is_quiet = event.suppression != Suppression.NONE or alarm is None or alarm.state is not State.UNACK
    is_climbing = ladder is not None and ladder.stand is Stand.CLIMBING and ladder.alarm == event.alarm
    if is_quiet or plan is None:
        return ladder  # Who is called already goes on being called when it gets worse.
    if ladder is not None and is_climbing and ladder.plan == plan.id:
        return replace(ladder, tier=event.tier)
    return Ladder(
        alarm_key=event.alarm_key,
        alarm=event.alarm,
        nature=event.nature,
        unit=event.unit,
        plan=plan.id,
        tier=event.tier,
        generation=1 if ladder is None else ladder.generation + 1,
        due_ns=now_ns + round(plan.after_s * NS),
        changed_ns=now_ns,
    )


def _acknowledge(ladder: Ladder, alarm: Alarm | None, plan: Plan | None, now_ns: int) -> Ladder:
    """End, or begin to remind where the alarm still stands."""
    if plan is None or plan.remind_s <= 0 or alarm is None or not alarm.is_active:
        return end(ladder, What.ACKNOWLEDGED.value, now_ns)
    return replace(
        ladder,
        stand=Stand.REMINDING,
        round=0,
        step=0,
        due_ns=now_ns + round(plan.remind_s * NS),
        changed_ns=now_ns,
        why=What.ACKNOWLEDGED.value,
    )


def end(ladder: Ladder, why: str, now_ns: int) -> Ladder:
    """Give a ladder on which nothing more falls due."""
    return replace(ladder, stand=Stand.ENDED, due_ns=0, changed_ns=now_ns, why=why)


def climb(
    ladder: Ladder, alarm: Alarm | None, plan: Plan | None, resolve: Resolve, now_ns: int
) -> tuple[Ladder, list[Call]]:  # fmt: skip
    """Take the step that is due; a step that reaches nobody is passed by at once.

    Args:
        ladder: Due.
        alarm: As it is committed now.
        plan: The ladder's; None where it is no longer in the configuration.
    """
    wanted = State.UNACK if ladder.stand is Stand.CLIMBING else State.ACKED
    is_same = alarm is not None and alarm.id == ladder.alarm
    if alarm is None or not is_same or alarm.state is not wanted or alarm.suppression is not Suppression.NONE:
        return end(ladder, "over", now_ns), []
    if plan is None:
        return end(ladder, "no_plan", now_ns), []
    if ladder.stand is Stand.REMINDING:
        calls = _calls(ladder, plan.steps[0], 0, Made.REMINDER, resolve)
        due_ns = now_ns + round(plan.remind_s * NS) if plan.remind_s > 0 else 0
        return replace(ladder, round=ladder.round + 1, due_ns=due_ns, changed_ns=now_ns), calls
    made: list[Call] = []
    while ladder.round < plan.rounds:
        if ladder.step >= len(plan.steps):  # Also where the plan has fewer steps than before.
            ladder = replace(ladder, round=ladder.round + 1, step=0)
            if all(call.what is Made.NOBODY for call in made) and len(made) >= len(plan.steps):
                break  # A whole round reached nobody: the next one would not either, now.
            continue
        step = plan.steps[ladder.step]
        calls = _calls(ladder, step, ladder.step, Made.CALL, resolve)
        made += calls
        ladder = replace(ladder, step=ladder.step + 1, changed_ns=now_ns)
        if any(call.what is Made.CALL for call in calls):
            return replace(ladder, due_ns=now_ns + round(step.wait_s * NS)), made
    if ladder.round < plan.rounds:
        return replace(ladder, due_ns=now_ns + round(_pause_s(plan) * NS)), made
    made.append(_call(ladder, Made.EXHAUSTED, "", plan.steps[-1], 0))
    return replace(ladder, stand=Stand.EXHAUSTED, due_ns=0, changed_ns=now_ns), made


def _pause_s(plan: Plan) -> float:
    """How long after a round that reached nobody it is tried again: a shift may begin."""
    return max(60.0, *(step.wait_s for step in plan.steps))


def _calls(ladder: Ladder, step: Step, place: int, what: Made, resolve: Resolve) -> list[Call]:
    reached = resolve(step.to)
    if not reached:
        return [_call(ladder, Made.NOBODY, "", step, place)]
    return [_call(ladder, what, each.person, step, place) for each in reached]


def _call(ladder: Ladder, what: Made, person: str, step: Step, place: int) -> Call:
    stand = ladder.stand.value
    key = digest(
        "call", ladder.alarm, ladder.generation, stand, what.value, ladder.round, place, person, step.channel, step.to
    )
    return Call(
        key=key, what=what, person=person, channel=step.channel, to=step.to, round=ladder.round, step=place
    )  # fmt: skip
