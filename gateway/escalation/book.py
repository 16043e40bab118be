"""Book: ladders in the store; followed in each tick's transaction, climbed in one of their own.

Flow: outcome -> [follow, in the tick's transaction] -> ladder;  due -> [climb, one transaction] -> ladder, call, outbox
Why: a step and its calls are committed together: after kill -9 a call is there once, or its step falls due again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Select, delete, func, insert, select

from alerting.escalation.ladder import RINGS, Call, Ladder, Made, Reached, Resolve, Stand, climb, follow
from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.model.alarm import Alarm
from alerting.model.event import What
from alerting.model.tier import Tier
from alerting.outcome import Outcome
from alerting.push.call import Addressee, call_body
from alerting.register.large_event import Filing
from edge.model import Nature
from gateway.config import Site
from gateway.push.fallback import addressee
from gateway.register.events import order_for
from gateway.register.minutes import minute
from gateway.roster.book import contacts, on_duty, people
from gateway.store import schema
from gateway.store.rows import alarm_of

CHUNK = 500
#: Events by which the limits, and not people, changed an alarm.
BY_LIMITS: Final = (What.RAISED, What.ESCALATED, What.LOWERED, What.CHANGED)
DUE_MAX = 200


def ladder_of(row: Any) -> Ladder:  # noqa: ANN401 - a result row
    """Read a row."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name of it
    values |= {"nature": Nature(row.nature), "tier": Tier(row.tier), "stand": Stand(row.stand)}
    return Ladder(**values)


def ladders(connection: Connection, keys: list[str]) -> dict[str, Ladder]:
    """Give the ladders of alarms, by alarm key."""
    found: dict[str, Ladder] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(schema.ladder).where(schema.ladder.c.alarm_key.in_(keys[start : start + CHUNK]))
        found |= {row.alarm_key: ladder_of(row) for row in connection.execute(query)}
    return found


def keep(connection: Connection, ladder: Ladder) -> None:
    """Write a ladder down."""
    connection.execute(delete(schema.ladder).where(schema.ladder.c.alarm_key == ladder.alarm_key))
    values = {
        **asdict(ladder),
        "nature": ladder.nature.value,
        "tier": int(ladder.tier),
        "stand": ladder.stand.value,
    }
    connection.execute(insert(schema.ladder).values(values))


def follow_outcome(connection: Connection, site: Site, outcome: Outcome) -> None:
    """Let the ladders follow the events of a tick, in its transaction."""
    if not site.escalations:
        return
    events = [event for event in outcome.events if event.alarm_key and not event.is_late]
    before = ladders(connection, sorted({event.alarm_key for event in events}))
    after: dict[str, Ladder] = dict(before)
    named = Orders(connection, site)
    for event in events:
        alarm = outcome.alarms.get(event.alarm_key)
        order = named.of(event.unit, event.received_ns) if event.what in RINGS else None
        plan = "" if order is None else order.ladder
        found = follow(after.get(event.alarm_key), event, alarm, site.escalations, plan)
        if found is not None:
            after[event.alarm_key] = found
    for key, ladder in after.items():
        if ladder != before.get(key):
            keep(connection, ladder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """What one look came to: how many calls, how many ladders ran out, when the next step falls due."""

    calls: int
    exhausted: int
    next_ns: int | None


_NEXT: Final = select(func.min(schema.ladder.c.due_ns)).where(schema.ladder.c.due_ns > 0)


def next_due(connection: Connection) -> int | None:
    """Give when the next step falls due; None where none will."""
    found: int | None = connection.scalar(_NEXT)
    return found


def climb_due(connection: Connection, site: Site, now_ns: int) -> Climbed:
    """Take every step that is due, the gravest alarm first; in one transaction with the calls that it makes."""
    table = schema.ladder
    due = [
        ladder_of(row)
        for row in connection.execute(
            select(table)
            .where(table.c.due_ns > 0, table.c.due_ns <= now_ns)
            .order_by(table.c.tier.desc(), table.c.due_ns)
            .limit(DUE_MAX)
        )
    ]
    if not due:
        return Climbed(calls=0, exhausted=0, next_ns=next_due(connection))
    plans = {plan.id: plan for plan in site.escalations}
    reach = _Reach(connection, site, now_ns)
    n_calls = n_exhausted = 0
    for ladder in due:
        row = connection.execute(
            select(schema.alarm).where(schema.alarm.c.key == ladder.alarm_key)
        ).mappings().one_or_none()  # fmt: skip
        alarm = None if row is None else alarm_of(dict(row))
        after, calls = climb(ladder, alarm, plans.get(ladder.plan), reach.of(ladder.unit), now_ns)
        keep(connection, after)
        for call in calls:
            _write(connection, site, after, alarm, call, reach, now_ns)
        n_calls += sum(call.what in (Made.CALL, Made.REMINDER) for call in calls)
        n_exhausted += after.stand is Stand.EXHAUSTED
    return Climbed(calls=n_calls, exhausted=n_exhausted, next_ns=next_due(connection))


class Orders:
    """Which large event runs in a hazard unit, asked once a unit and minute, and of no site without rosters for it."""

    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection, self._zone = connection, ZoneInfo(site.timezone)
        self._has_any = bool(site.roster.of_events) or any(plan.is_for_events for plan in site.escalations)
        self._known: dict[tuple[str, str], Filing | None] = {}

    def of(self, unit: str, at_ns: int) -> Filing | None:
        """Give the event in force in a unit at a time; None where there is none."""
        if not self._has_any:
            return None
        asked = (unit, minute(at_ns, self._zone))
        if asked not in self._known:
            self._known[asked] = order_for(self._connection, *asked)
        return self._known[asked]


class _Reach:
    """Who a step reaches now, read once for a look."""

    def __init__(self, connection: Connection, site: Site, now_ns: int) -> None:
        self._on_duty = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
        self._people = people(connection)
        self._roster, self._orders, self._now_ns = site.roster, Orders(connection, site), now_ns
        self.contacts = contacts(connection)

    def of(self, unit: str) -> Resolve:
        """Give whom steps reach for a hazard unit: those of an event's roster where one runs there."""
        order = self._orders.of(unit, self._now_ns)
        return partial(self._resolve, "" if order is None else order.roster)

    def _resolve(self, roster: str, to: str) -> list[Reached]:
        """Give who is meant; users who were disabled since are nobody."""
        if not to:
            return [Reached(person="")]
        if to.startswith(PERSON):
            names = [to.removeprefix(PERSON)]
        else:
            plan = self._roster
            posts = plan.leaders(roster) if to == LEADER else plan.instead(to.removeprefix(POST), roster)
            names = [each.watch.on_duty for each in self._on_duty if each.watch.post in posts]
        return [Reached(person=name) for name in dict.fromkeys(names) if name in self._people]

    def addressee(self, person: str, channel: str) -> Addressee | None:
        """Give how a person is reached by a channel; None for the channel itself."""
        return addressee(self.contacts.get(person), person, channel)


def _write(
    connection: Connection, site: Site, ladder: Ladder, alarm: Alarm | None, call: Call, reach: _Reach, now_ns: int
) -> None:  # fmt: skip
    connection.execute(
        insert(schema.escalation_call).values(
            key=call.key,
            alarm=ladder.alarm,
            alarm_key=ladder.alarm_key,
            nature=ladder.nature.value,
            plan=ladder.plan,
            generation=ladder.generation,
            round=call.round,
            step=call.step,
            what=call.what.value,
            to=call.to,
            person=call.person,
            channel=call.channel,
            time_ns=now_ns,
        )
    )
    if call.what not in (Made.CALL, Made.REMINDER) or alarm is None:
        return
    channel = next((each for each in site.channels if each.id == call.channel), None)
    if channel is None or alarm.nature not in channel.natures:
        return  # The timeline says that nothing was sent: no notice belongs to the call.
    body = call_body(
        site,
        alarm,
        call,
        reach.addressee(call.person, call.channel),
        cause=cause_of(connection, alarm),
        since_ns=since_of(connection, alarm),
        now_ns=now_ns,
    )
    connection.execute(
        insert(schema.outbox).values(
            key=call.key,
            destination=call.channel,
            chain=f"{call.key[:16]}{ladder.alarm[:16]}",  # A chain of its own: one slow call holds up no other.
            event="",
            nature=alarm.nature.value,
            action="call",
            tier=int(alarm.tier),
            is_late=False,
            created_ns=now_ns,
            body=body,
            state="waiting",
            attempts=0,
            next_ns=now_ns,
            last_error="",
            delivered_ns=0,
            receipt="",
        )
    )


def cause_of(connection: Connection, alarm: Alarm) -> Mapping[str, Any]:
    """Give the facts of the event that the alarm last rang or changed by; what people did to it since says none."""
    found = connection.scalar(
        _last(alarm, schema.event.c.cause, BY_LIMITS, schema.event.c.condition == alarm.condition)
    )
    facts: dict[str, Any] = orjson.loads(found) if found else {}
    return facts


def since_of(connection: Connection, alarm: Alarm) -> int:
    """Give since when the alarm stands as grave as it does: its last trip or rise, ns.

    Not when it was announced again: who is called after a shelf ended must not read that it began just now.
    """
    found = connection.scalar(_last(alarm, schema.event.c.time_ns, (What.RAISED, What.ESCALATED)))
    return alarm.raised_ns if found is None else int(found)


def _last(alarm: Alarm, column: Column[Any], whats: Iterable[What], *more: ColumnElement[bool]) -> Select[Any]:
    table = schema.event
    of_it = (table.c.alarm == alarm.id, table.c.what.in_([what.value for what in whats]))
    return select(column).where(*of_it, *more).order_by(table.c.seq.desc()).limit(1)
