"""Incidents in the store: opened in the tick's transaction or by hand, led under a revision, ended, never removed.

Flow: unit_raised -> [follow, in the tick's transaction] -> incident, tasks of its plan's checklist, timeline
      act of a person -> [lead under the revision that was seen] -> incident, timeline
Why: an incident that an alarm opens must be there when the alarm is; of two commanders who act at once one wins, and
    the other is told by whom and when.
Never: derives the response grade from a tier: the plan sets it, a person changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from alerting.model.alarm import Alarm, digest
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from alerting.outcome import Outcome
from alerting.push.words import TIER_ZH
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.response import plans
from gateway.response.tasks import drop, open_steps
from gateway.store.journal import Journal, canonical
from gateway.store.schema import alarm, incident, incident_entry

OPEN, ENDED, MERGED = "open", "ended", "merged"
SELF: Final = "fengsui"
#: Of an incident without a plan: nobody said yet what it is.
UNKNOWN: Final = ""


class Refused(Exception):  # noqa: N818 - a refusal, not a failure
    """What a person asked for is not done.

    Attributes:
        code: For programs: ``not_there``, ``ended``, ``changed_meanwhile``, ``not_yours``, ``done_already``, …
        said: One sentence by language.
    """

    def __init__(self, code: str, said: Words) -> None:
        super().__init__(said.en)
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An incident that opens.

    Attributes:
        by: Who opened it; ``fengsui`` where a tier did.
        entry: The register entry whose alarms it is about; empty for none.
        facts: What stands in the first line of its timeline.
    """

    nature: Nature
    unit: str
    tier: Tier
    title: str
    by: str
    entry: str = ""
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tick:
    """What all units of a tick share: a flood raises a thousand of them, and plans are read once.

    Attributes:
        alarms: Of each unit and nature, the alarms that the tick touched.
        entries: The register entry of each unit and nature that the tick touched.
        plans: Those in force, by code.
        held: What units hold, by unit, where a plan asks for it.
    """

    alarms: Mapping[tuple[str, Nature], Sequence[Alarm]]
    entries: Mapping[tuple[str, Nature], str]
    plans: Sequence[plans.Plan]
    held: Mapping[str, Mapping[str, float]]


def _tick(connection: Connection, outcome: Outcome) -> _Tick:
    alarms: dict[tuple[str, Nature], list[Alarm]] = {}
    for each in outcome.alarms.values():
        alarms.setdefault((each.unit, each.nature), []).append(each)
    entries: dict[tuple[str, Nature], str] = {}
    for entry in outcome.entries.values():
        entries.setdefault((entry.unit, entry.nature), entry.id)
    every = plans.known(connection)
    return _Tick(alarms=alarms, entries=entries, plans=every, held=plans.holdings_for(connection, every))


def follow(connection: Connection, site: Site, journal: Journal, outcome: Outcome) -> None:
    """Let incidents follow the units of a tick, in its transaction."""
    moved = [
        event for event in outcome.events if event.what in (What.UNIT_RAISED, What.UNIT_LOWERED) and not event.is_late
    ]
    tick: _Tick | None = None
    for event in moved:
        there = open_of(connection, event.unit, event.nature)
        if event.what is What.UNIT_RAISED and site.incident.opens_at(event.tier):
            tick = tick or _tick(connection, outcome)
            _rise(connection, site, journal, tick, outcome.now_ns, event, there)
        else:
            for one in there:
                _note_tier(connection, one, event)


def _rise(
    connection: Connection,
    site: Site,
    journal: Journal,
    tick: _Tick,
    now_ns: int,
    event: Event,
    there: Sequence[RowMapping],
) -> None:
    every, of = tick.plans, (event.unit, event.nature)
    mine = tick.alarms.get(of, ())
    conditions = {each.condition for each in mine if each.is_active and each.condition}
    conditions |= _conditions_beside(connection, event, [each.key for each in mine])
    found, _ = plans.fitting(every, tick.held, event.unit, event.tier, conditions)
    best = next((plan for plan in every if found and plan.record.code == found[0].scope.code), None)
    kind = UNKNOWN if best is None else best.accident
    same = next((one for one in there if one["kind"] == kind), None)
    if same is None and best is not None:  # What was not known before is known now.
        same = next((one for one in there if one["kind"] == UNKNOWN), None)
        if same is not None:
            adopt(connection, same, best, SELF, now_ns)
    if same is None and best is None and there:
        same = there[0]
    if same is not None:
        for one in there:
            _note_tier(connection, one, event)
        return
    entry = tick.entries.get(of, "")
    facts = {
        "event": event.id,
        "tier": event.tier.name,
        "conditions": sorted(conditions),
        "why": [] if not found else [reason.both() for reason in found[0].reasons],
        "values": [
            {
                "alarm": each.id,
                "tag": each.tag,
                "condition": each.condition,
                "value": each.value,
                "setpoint": each.setpoint,
                "eu": _eu(site, each.tag),
            }
            for each in mine
            if each.is_active
        ],
    }
    opening = Opening(
        nature=event.nature, unit=event.unit, tier=event.tier, title="", by=SELF, entry=entry, facts=facts
    )  # fmt: skip
    number = open_one(connection, site, opening, best, now_ns)
    told = {"kind": "incident_opened", "incident": number, "unit": event.unit, "plan": _code(best), "event": event.id}
    journal.append(connection, event.nature, now_ns, "system", [canonical(told)])


def _eu(site: Site, tag: str) -> str:
    row = site.tags.row_of.get(tag)
    return "" if row is None else site.tags[row].eu


def _conditions_beside(connection: Connection, event: Event, keys: Sequence[str]) -> set[str]:
    """Give conditions of alarms of the unit that stand and that this tick did not touch."""
    query = select(alarm.c.condition).where(
        alarm.c.unit == event.unit,
        alarm.c.nature == event.nature.value,
        alarm.c.state.in_(("UNACK", "ACKED")),
        alarm.c.condition != "",
        alarm.c.key.not_in(keys),
    )
    return set(connection.scalars(query.distinct()))


def open_one(connection: Connection, site: Site, opening: Opening, plan: plans.Plan | None, now_ns: int) -> int:
    """Open an incident with the checklist of its plan; gives its number."""
    number = (connection.scalar(select(func.max(incident.c.number))) or 0) + 1
    kind = UNKNOWN if plan is None else plan.accident
    connection.execute(
        insert(incident).values(
            number=number,
            id=digest("incident", site.id, opening.nature, opening.unit, kind, number, now_ns),
            nature=opening.nature.value,
            unit=opening.unit,
            kind=kind,
            title=opening.title,
            entry=opening.entry,
            tier=int(opening.tier),
            tier_max=int(opening.tier),
            grade=0 if plan is None else plan.grade,
            state=OPEN,
            plan="",
            plan_revision=0,
            commander="",
            opened_ns=now_ns,
            opened_by=opening.by,
            ended_ns=0,
            ended_by="",
            merged_into=0,
            revision=1,
            changed_ns=now_ns,
            changed_by=opening.by,
        )
    )
    say(connection, number, opening.by, "opened", now_ns, dict(opening.facts))
    if plan is not None:
        adopt(connection, get(connection, number), plan, opening.by, now_ns)
    else:
        say(connection, number, opening.by, "no_plan", now_ns, {})
    return number


def adopt(connection: Connection, one: RowMapping, plan: plans.Plan, who: str, now_ns: int) -> None:
    """Give an incident a plan: its type of accident, the grade where it has none, and the tasks of its checklist."""
    number = one["number"]
    named = {"plan": plan.record.code, "plan_revision": plan.record.revision, "kind": plan.accident}
    connection.execute(
        update(incident)
        .where(incident.c.number == number)
        .values(
            **named, grade=one["grade"] or plan.grade, revision=one["revision"] + 1, changed_ns=now_ns, changed_by=who
        )
    )
    facts = {"plan": plan.record.code, "name": plan.record.title, "revision": plan.record.revision, "grade": plan.grade}
    say(connection, number, who, "plan", now_ns, facts)
    open_steps(connection, one, plan, now_ns)


def _code(plan: plans.Plan | None) -> str:
    return "" if plan is None else plan.record.code


def _note_tier(connection: Connection, one: RowMapping, event: Event) -> None:
    worst = max(one["tier_max"], int(event.tier))
    connection.execute(
        update(incident).where(incident.c.number == one["number"]).values(tier=int(event.tier), tier_max=worst)
    )
    say(
        connection,
        one["number"],
        SELF,
        event.what.value,
        event.received_ns,
        {"tier": event.tier.name, "event": event.id},
    )


def open_of(connection: Connection, unit: str, nature: Nature) -> list[RowMapping]:
    """Give the open incidents of a unit, the oldest first."""
    query = select(incident).where(incident.c.unit == unit, incident.c.nature == nature.value, incident.c.state == OPEN)
    return list(connection.execute(query.order_by(incident.c.number)).mappings())


def get(connection: Connection, number: int) -> RowMapping:
    """Give one.

    Raises:
        Refused: There is none.
    """
    row = connection.execute(select(incident).where(incident.c.number == number)).mappings().first()
    if row is None:
        raise Refused("not_there", Words(f"There is no incident {number}.", f"没有 {number} 号事件。"))
    return row


def say(connection: Connection, number: int, who: str, what: str, now_ns: int, facts: Mapping[str, Any]) -> int:
    """Append a line to the timeline; nothing of it is ever changed. Gives its place."""
    of = incident_entry.c.incident == number
    place: int = (connection.scalar(select(func.max(incident_entry.c.place)).where(of)) or 0) + 1
    connection.execute(
        insert(incident_entry).values(
            incident=number, place=place, time_ns=now_ns, who=who, what=what, facts=orjson.dumps(facts).decode()
        )
    )
    return place


def timeline(connection: Connection, number: int) -> list[RowMapping]:
    """Give the lines of a timeline, the first first."""
    query = select(incident_entry).where(incident_entry.c.incident == number).order_by(incident_entry.c.place)
    return list(connection.execute(query).mappings())


# --------------------------------------------------------------------------------------------------- acts of people


def check_open(one: RowMapping) -> None:
    """Refuse what is meant for an open incident.

    Raises:
        Refused: It was stood down, or merged into another.
    """
    if one["state"] == ENDED:
        number, by = one["number"], one["ended_by"]
        said = Words(f"Incident {number} was stood down by {by}.", f"{number} 号事件已由 {by} 终止响应。")
        raise Refused("ended", said)
    if one["state"] == MERGED:
        into = one["merged_into"]
        en = f"Incident {one['number']} was merged into {into}; act there."
        raise Refused("merged", Words(en, f"{one['number']} 号事件已并入 {into} 号，请在该事件中操作。"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leading:
    """Who leads an incident on, when, and which revision of it was seen."""

    number: int
    expected: int
    who: str
    time_ns: int


def lead(
    connection: Connection, by: Leading, what: str, facts: Mapping[str, Any], **values: str | int
) -> RowMapping:  # fmt: skip
    """Change an incident under the revision that was seen, and say so in its timeline.

    Args:
        values: Its columns that change.

    Raises:
        Refused: It is not open, or somebody changed it meanwhile: one of two commanders wins.
    """
    one = get(connection, by.number)
    check_open(one)
    if one["revision"] != by.expected:
        first = one["changed_by"]
        en = f"{first} changed incident {by.number} meanwhile; look at it again."
        raise Refused("changed_meanwhile", Words(en, f"{first} 刚刚更改了 {by.number} 号事件，请重新查看。"))
    done = connection.execute(
        update(incident)
        .where(incident.c.number == by.number, incident.c.revision == by.expected)
        .values(revision=by.expected + 1, changed_ns=by.time_ns, changed_by=by.who, **values)
    )
    assert done.rowcount == 1, "one writer, one transaction"
    say(connection, by.number, by.who, what, by.time_ns, facts)
    return get(connection, by.number)


def stand_down(connection: Connection, by: Leading, reason: str, tier: Tier, *, is_despite: bool) -> RowMapping:
    """End an incident: what is open of its checklist is void.

    Args:
        tier: Of the unit now.
        is_despite: The person knows that the unit is not back yet.

    Raises:
        Refused: It is not open, was changed meanwhile, or the unit still has a tier and nobody said "despite".
    """
    check_open(get(connection, by.number))
    if tier is not Tier.NONE and not is_despite:
        en = f"The unit is still {tier.name}; confirm that you stand down despite that."
        raise Refused("not_back", Words(en, f"单元仍处于{TIER_ZH[tier.name]}预警，请确认仍要终止响应。"))
    facts = {"reason": reason, "tier": tier.name, "is_despite": tier is not Tier.NONE}
    told = lead(connection, by, "stood_down", facts, state=ENDED, ended_ns=by.time_ns, ended_by=by.who)
    for each in [by.number, *merged_of(connection, by.number)]:
        drop(connection, each, by.time_ns)
    return told


def merged_of(connection: Connection, number: int) -> list[int]:
    """Give the incidents that were merged into one, also by way of others."""
    found: list[int] = []
    ask = [number]
    while ask:
        ask = list(connection.scalars(select(incident.c.number).where(incident.c.merged_into.in_(ask))))
        found += ask
    return found


def merge(connection: Connection, by: Leading, into: int, reason: str) -> RowMapping:
    """Merge an incident into another one: its tasks go on there, unless the other has the same plan.

    Raises:
        Refused: One of them is not open, they are the same or of two natures, or it was changed meanwhile.
    """
    one, other = get(connection, by.number), get(connection, into)
    check_open(other)
    if by.number == into or one["nature"] != other["nature"]:
        en = "An incident is merged into another one of the same nature."
        raise Refused("not_alike", Words(en, "只能并入另一起同性质的事件。"))
    facts = {"into": into, "reason": reason}
    told = lead(
        connection, by, "merged", facts, state=MERGED, merged_into=into, ended_ns=by.time_ns, ended_by=by.who
    )  # fmt: skip
    other_now = {
        "tier_max": max(one["tier_max"], other["tier_max"]),
        "revision": other["revision"] + 1,
        "changed_by": by.who,
        "changed_ns": by.time_ns,
    }
    connection.execute(update(incident).where(incident.c.number == into).values(other_now))
    say(connection, into, by.who, "took_in", by.time_ns, {"incident": by.number, "reason": reason})
    if one["plan"] and one["plan"] == other["plan"]:
        drop(connection, by.number, by.time_ns)
    return told


def root_of(connection: Connection, one: RowMapping) -> RowMapping:
    """Give the incident that one goes on in: itself, or what it was merged into."""
    while one["state"] == MERGED:
        one = get(connection, one["merged_into"])
    return one
