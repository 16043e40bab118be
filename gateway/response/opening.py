"""Opening: incidents that open in the tick's transaction or by hand, with the plan that fits and its checklist.

Flow: units that rose -> [follow, in the tick's transaction] -> incidents, tasks, timelines, journal: few statements
      person -> [open_one] -> the same for one;  plan that is known later -> [adopt] -> its tasks
Why: an incident that an alarm opens must be there when the alarm is, and a flood that raises a thousand units in one
    tick must not ask the store a thousand times while everything else waits for that tick.
Never: derives the response grade from a tier: the plan sets it, a person changes it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from alerting.model.alarm import Alarm, digest
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from alerting.outcome import Outcome
from alerting.response.checklist import write_steps
from edge.model import Nature
from gateway.config import Site
from gateway.response import plans
from gateway.response.headquarters import call_out
from gateway.response.incidents import OPEN, SELF, UNKNOWN, line_row, places, say
from gateway.response.tasks import CHECKLIST, steps_opened
from gateway.store.journal import Journal, canonical
from gateway.store.schema import alarm, incident, incident_entry, response_task
from gateway.system import SOURCE

#: Values in one statement; a store has a bound.
CHUNK = 500
Row = Mapping[str, Any]
Of = tuple[str, str]


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
class Line:
    """A line of a timeline to be."""

    time_ns: int
    who: str
    what: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An incident as it is about to be written."""

    row: dict[str, Any]
    lines: list[Line]
    tasks: Sequence[Row]


def _compose(site: Site, opening: Opening, plan: plans.Plan | None, number: int, now_ns: int) -> Opened:
    kind = UNKNOWN if plan is None else plan.accident
    row: dict[str, Any] = {
        "number": number, "id": digest("incident", site.id, opening.nature, opening.unit, kind, number, now_ns),
        "nature": opening.nature.value, "unit": opening.unit, "kind": kind, "title": opening.title,
        "entry": opening.entry, "tier": int(opening.tier), "tier_max": int(opening.tier), "grade": 0, "state": OPEN,
        "plan": "", "plan_revision": 0, "steps": "", "restart": "", "commander": "",
        "opened_ns": now_ns, "opened_by": opening.by,
        "ended_ns": 0, "ended_by": "", "merged_into": 0, "revision": 1, "changed_ns": now_ns, "changed_by": opening.by,
    }  # fmt: skip
    lines = [Line(time_ns=now_ns, who=opening.by, what="opened", facts=opening.facts)]
    if plan is None:
        lines.append(Line(time_ns=now_ns, who=opening.by, what="no_plan", facts={}))
        return Opened(row=row, lines=lines, tasks=())
    row |= _adopted(row, plan, opening.by, now_ns)
    lines.append(_plan_line(plan, opening.by, now_ns))
    return Opened(row=row, lines=lines, tasks=steps_opened(row, plan.steps, CHECKLIST, now_ns))


def _adopted(one: Row, plan: plans.Plan, who: str, now_ns: int) -> dict[str, Any]:
    """Give what of an incident's row changes when it takes up a plan."""
    return {
        "plan": plan.record.code, "plan_revision": plan.record.revision, "kind": plan.accident,
        "steps": write_steps(plan.steps), "restart": write_steps(plan.restart),
        "grade": one["grade"] or plan.grade, "revision": one["revision"] + 1,
        "changed_ns": now_ns, "changed_by": who,
    }  # fmt: skip


def _plan_line(plan: plans.Plan, who: str, now_ns: int) -> Line:
    facts = {"plan": plan.record.code, "name": plan.record.title, "revision": plan.record.revision, "grade": plan.grade}
    return Line(time_ns=now_ns, who=who, what="plan", facts=facts)


def adopt(connection: Connection, site: Site, one: Row | RowMapping, plan: plans.Plan, who: str, now_ns: int) -> None:
    """Give an incident a plan: its type of accident, grade where it has none, tasks; call whom type and grade call."""
    had = dict(one)
    number = had["number"]
    changed = _adopted(had, plan, who, now_ns)
    connection.execute(update(incident).where(incident.c.number == number).values(**changed))
    line = _plan_line(plan, who, now_ns)
    say(connection, number, line.who, line.what, line.time_ns, line.facts)
    tasks = steps_opened(had | changed, plan.steps, CHECKLIST, now_ns)
    connection.execute(insert(response_task), tasks)
    call_out(connection, site, [number], now_ns)


def open_one(connection: Connection, site: Site, opening: Opening, plan: plans.Plan | None, now_ns: int) -> int:
    """Open an incident with the checklist of its plan; gives its number."""
    number = _last(connection) + 1
    _insert(connection, [_compose(site, opening, plan, number, now_ns)])
    call_out(connection, site, [number], now_ns)
    return number


def _last(connection: Connection) -> int:
    return connection.scalar(select(func.max(incident.c.number))) or 0


def _insert(connection: Connection, opened: Sequence[Opened]) -> None:
    if not opened:
        return
    connection.execute(insert(incident), [one.row for one in opened])
    lines = [_row(one.row["number"], at, line) for one in opened for at, line in enumerate(one.lines, start=1)]
    connection.execute(insert(incident_entry), lines)
    tasks = [task for one in opened for task in one.tasks]
    if tasks:
        connection.execute(insert(response_task), tasks)


def _row(number: int, place: int, line: Line) -> dict[str, Any]:
    return line_row(number, place, line.time_ns, line.who, line.what, line.facts)


# ------------------------------------------------------------------------------------------------- in a tick


def follow(connection: Connection, site: Site, journal: Journal, outcome: Outcome) -> None:
    """Let incidents follow the units of a tick, in its transaction; the gateway's own alarms are nobody's accident."""
    moved = [
        event
        for event in outcome.events
        if event.what in (What.UNIT_RAISED, What.UNIT_LOWERED) and not event.is_late and event.unit != SOURCE
    ]
    if not moved:
        return
    tick = _Tick(connection, site, outcome, moved)
    for event in moved:
        tick.take(event)
    tick.write(journal)


@dataclass(slots=True)
class _Noted:
    """What a tick adds to an incident that is there already."""

    tier: int
    tier_max: int
    lines: list[Line] = field(default_factory=list)


class _Tick:
    """What all units of a tick share, read once; and what becomes of them, written at its end."""

    def __init__(self, connection: Connection, site: Site, outcome: Outcome, moved: Sequence[Event]) -> None:
        self._connection, self._site, self._now_ns = connection, site, outcome.now_ns
        self._rises = [
            event for event in moved if event.what is What.UNIT_RAISED and site.incident.opens_at(event.tier)
        ]
        self._there = _open_in(connection, {event.unit for event in moved})
        self._new: dict[int, Opened] = {}
        self._noted: dict[int, _Noted] = {}
        self._told: list[tuple[Nature, str]] = []
        self._last = 0
        if not self._rises:
            return
        self._last = _last(connection)
        self._alarms: dict[Of, list[Alarm]] = defaultdict(list)
        for each in outcome.alarms.values():
            self._alarms[each.unit, each.nature.value].append(each)
        self._entries = {(one.unit, one.nature.value): one.id for one in reversed(list(outcome.entries.values()))}
        self._plans = plans.known(connection)
        self._plan_of = {plan.record.code: plan for plan in self._plans}
        self._held = plans.holdings_for(connection, self._plans)
        self._beside = self._conditions_beside(set(outcome.alarms))

    def _conditions_beside(self, touched: set[str]) -> dict[Of, set[str]]:
        """Give conditions of alarms that stand and that this tick did not touch, of the units where they matter."""
        is_asked = any(plan.scope.condition for plan in self._plans)
        units = sorted(
            {one.unit for one in self._rises if is_asked or not self._there.get((one.unit, one.nature.value))}
        )
        found: dict[Of, set[str]] = defaultdict(set)
        for at in range(0, len(units), CHUNK):
            query = select(alarm.c.unit, alarm.c.nature, alarm.c.key, alarm.c.condition).where(
                alarm.c.unit.in_(units[at : at + CHUNK]), alarm.c.state.in_(("UNACK", "ACKED")), alarm.c.condition != ""
            )
            for unit, nature, key, condition in self._connection.execute(query):
                if key not in touched:
                    found[unit, nature].add(condition)
        return found

    def take(self, event: Event) -> None:
        """Take what a unit did: it opens an incident, or is a line in those that are open."""
        there = self._there.setdefault((event.unit, event.nature.value), [])
        is_risen = event.what is What.UNIT_RAISED and self._site.incident.opens_at(event.tier)
        if not is_risen or not self._opens(event, there):
            for one in there:
                self._note(one, event)

    def _opens(self, event: Event, there: list[dict[str, Any]]) -> bool:
        """Tell whether a rise opens an incident, and open it; one whose plan is known now takes that up."""
        of = (event.unit, event.nature.value)
        mine = self._alarms.get(of, ())
        conditions = {each.condition for each in mine if each.is_active and each.condition} | self._beside.get(
            of, set()
        )
        found, _ = plans.fitting(self._plans, self._held, event.unit, event.tier, conditions)
        best = self._plan_of[found[0].scope.code] if found else None
        if best is None and there:
            return False
        kind = UNKNOWN if best is None else best.accident
        if any(one["kind"] == kind for one in there):
            return False
        unknown = next((one for one in there if one["kind"] == UNKNOWN), None)
        if unknown is not None and best is not None:  # What was not known before is known now.
            self._flush()
            adopt(self._connection, self._site, unknown, best, SELF, self._now_ns)
            unknown |= _adopted(unknown, best, SELF, self._now_ns)
            return False
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
                    "eu": _eu(self._site, each.tag),
                }
                for each in mine
                if each.is_active
            ],
        }
        opening = Opening(
            nature=event.nature, unit=event.unit, tier=event.tier, title="", by=SELF,
            entry=self._entries.get(of, ""), facts=facts,
        )  # fmt: skip
        self._last += 1
        opened = _compose(self._site, opening, best, self._last, self._now_ns)
        self._new[self._last] = opened
        there.append(opened.row)
        told = {
            "kind": "incident_opened", "incident": self._last, "unit": event.unit,
            "plan": opened.row["plan"], "event": event.id,
        }  # fmt: skip
        self._told.append((event.nature, canonical(told)))
        return True

    def _note(self, one: dict[str, Any], event: Event) -> None:
        facts = {"tier": event.tier.name, "event": event.id}
        line = Line(time_ns=event.received_ns, who=SELF, what=event.what.value, facts=facts)
        one["tier"], one["tier_max"] = int(event.tier), max(one["tier_max"], int(event.tier))
        new = self._new.get(one["number"])
        if new is not None:
            new.lines.append(line)
            return
        noted = self._noted.setdefault(one["number"], _Noted(tier=one["tier"], tier_max=one["tier_max"]))
        noted.tier, noted.tier_max = one["tier"], one["tier_max"]
        noted.lines.append(line)

    def write(self, journal: Journal) -> None:
        """Write what became of the tick's units."""
        self._flush()
        for nature in Nature:
            bodies = [body for of, body in self._told if of is nature]
            if bodies:
                journal.append(self._connection, nature, self._now_ns, "system", bodies)

    def _flush(self) -> None:
        _insert(self._connection, list(self._new.values()))
        call_out(self._connection, self._site, list(self._new), self._now_ns)
        self._new.clear()
        if not self._noted:
            return
        tiers = [
            {"of": number, "to_tier": noted.tier, "to_max": noted.tier_max} for number, noted in self._noted.items()
        ]
        changed: dict[str, Any] = {"tier": bindparam("to_tier"), "tier_max": bindparam("to_max")}
        self._connection.execute(update(incident).where(incident.c.number == bindparam("of")).values(changed), tiers)
        last = places(self._connection, list(self._noted))
        lines = [
            _row(number, last.get(number, 0) + at, line)
            for number, noted in self._noted.items()
            for at, line in enumerate(noted.lines, start=1)
        ]
        self._connection.execute(insert(incident_entry), lines)
        self._noted.clear()


def _open_in(connection: Connection, units: set[str]) -> dict[Of, list[dict[str, Any]]]:
    """Give the open incidents of units, the oldest first."""
    found: dict[Of, list[dict[str, Any]]] = {}
    every = sorted(units)
    for at in range(0, len(every), CHUNK):
        query = (
            select(incident)
            .where(incident.c.state == OPEN, incident.c.unit.in_(every[at : at + CHUNK]))
            .order_by(incident.c.number)
        )
        for row in connection.execute(query).mappings():
            found.setdefault((row["unit"], row["nature"]), []).append(dict(row))
    return found


def _eu(site: Site, tag: str) -> str:
    row = site.tags.row_of.get(tag)
    return "" if row is None else site.tags[row].eu
