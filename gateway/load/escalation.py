"""Escalation: what ``[[escalation]]`` says of who is called, by which channel, and who next.

Why: a step that names nobody, or a channel that is not there, would be found out on the night on which it counts.
"""

from collections.abc import Collection, Sequence
from typing import Final

from alerting.escalation.plan import LEADER, PERSON, POST, Plan, Step
from alerting.model.tier import Tier
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.load.draft import TIERS
from gateway.load.schedule import ScheduleReader

STEPS_MAX: Final = 20
ROUNDS_MAX: Final = 100
WAIT: Final = Span(least=5, most=86_400)
AFTER: Final = Span(least=0, most=86_400)
REMIND: Final = Span(least=60, most=7 * 86_400)
TO_RULE: Final = f'it is "{POST}ID", "{PERSON}NAME", "{LEADER}", or left out for the channel itself'


def read_escalations(
    entries: Sequence[Entry],
    roster: RosterPlan,
    channels: Collection[str],
    units: Collection[str],
    schedules: ScheduleReader,
) -> list[Plan]:  # fmt: skip
    """Read the plans, in the order in which they are asked."""
    found: dict[str, Plan] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("escalation"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each escalation its own id.")
        for place, unit in enumerate(entry.texts("units")):
            if unit not in units:
                entry.wrong(("units", place), f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        tables = entry.sections("step", f"{entry.who}, step")
        if not 0 < len(tables) <= STEPS_MAX:
            entry.wrong("step", f"{len(tables)} steps; an escalation has 1 to {STEPS_MAX}.", "Add [[escalation.step]].")
        plan = Plan(
            id=name,
            tiers=_tiers(entry),
            units=entry.texts("units"),
            schedule=schedules.of(entry, "schedule") if entry.has("schedule") else None,
            after_s=entry.number("after_s", 0.0, AFTER),
            rounds=entry.whole("rounds", 3, 1, ROUNDS_MAX),
            remind_s=entry.number_or_none("remind_s", REMIND) or 0.0,
            is_for_events=entry.flag("events", default=False),
            steps=tuple(_step(table, roster, channels) for table in tables[:STEPS_MAX]),
        )
        if name:
            found.setdefault(name, plan)
    _warn_of_shadows(entries, list(found.values()))
    return list(found.values())


def _tiers(entry: Entry) -> tuple[Tier, ...]:
    names = entry.texts("tiers")
    if not names:
        entry.wrong("tiers", "no tier is named; the escalation is for nothing.", 'Write tiers = ["RED", "ORANGE"].')
    for place, name in enumerate(names):
        if name not in TIERS:
            entry.wrong(("tiers", place), f"tier {show(name)} is one of {', '.join(TIERS)}.", meant(name, TIERS))
    return tuple(Tier[name] for name in dict.fromkeys(names) if name in TIERS)


def _step(entry: Entry, roster: RosterPlan, channels: Collection[str]) -> Step:
    entry.refuse_unknown(keys_of("escalation.step"))
    to = entry.text("to")
    posts = [post.id for post in roster.posts]
    if to.startswith(POST):
        if to.removeprefix(POST) not in posts:
            entry.wrong(
                "to", f"post {show(to.removeprefix(POST))} does not exist.", meant(to.removeprefix(POST), posts)
            )
    elif to == LEADER:
        if not any(post.is_leader for post in roster.posts):
            entry.wrong("to", "no post has leader = true.", "Mark one, or name a post.")
    elif to and (not to.startswith(PERSON) or not to.removeprefix(PERSON)):
        entry.wrong("to", f"to is {show(to)}; {TO_RULE}.", "Write one of them.")
    channel = entry.required("channel", "it is the id of a [[channel]]")
    if channel and channel not in channels:
        entry.wrong("channel", f"channel {show(channel)} does not exist.", meant(channel, tuple(channels)))
    if not entry.has("wait_s"):
        entry.wrong("wait_s", "wait_s is missing; so long an answer is waited for.", "Add wait_s, e.g. 120.")
    return Step(to=to, channel=channel, wait_s=entry.number("wait_s", 60.0, WAIT))


def _warn_of_shadows(entries: Sequence[Entry], plans: Sequence[Plan]) -> None:
    """Say where a plan never comes to its turn because an earlier one takes all that it is for."""
    for place, plan in enumerate(plans):
        if plan.is_for_events:
            continue
        for tier in plan.tiers:
            before = [p for p in plans[:place] if tier in p.tiers and _is_always(p)]
            if before:
                entry = next(one for one in entries if one.text("id") == plan.id)
                entry.warn(
                    "tiers",
                    f"{tier.name} is taken by {before[0].id}, which stands before it and is for every unit and time.",
                    "Put the particular one first.",
                )


def _is_always(plan: Plan) -> bool:
    return not plan.units and plan.schedule is None and not plan.is_for_events
