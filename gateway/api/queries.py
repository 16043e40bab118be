"""Queries: what the API reads of the store, as JSON-ready rows.

Flow: store -> [queries, in an executor] -> routes
Why: plain SQLAlchemy Core on ``gateway.store.schema``, so that SQLite and PostgreSQL answer alike.
Never: writes, but for ``finish_task``.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, tuple_, update

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.tier import Tier
from alerting.push.notice import decimals_of
from edge.model import Nature
from gateway.api.answer import ApiError
from gateway.config import Site
from gateway.live import iso
from gateway.store import schema
from gateway.store.rows import alarm_of

#: Events that say why an alarm rang.
TELLING = ("raised", "escalated", "changed")
FLOOD_NS = 600 * 1_000_000_000  # Ten minutes, the window of ISA-18.2.
FLOOD = 10  # More rings than that in ten minutes are a flood (ISA-18.2, EEMUA 191).


# -------------------------------------------------------------------------------------------------------------- pages


def seal(*key: int | str) -> str:
    """Make the cursor that stands after a row with this sort key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def unseal(cursor: str, *types: type) -> tuple[Any, ...]:
    """Open a cursor.

    Raises:
        ApiError: It is none of ours.
    """
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        key = None
    # bool is an int to isinstance, and a cursor never holds one.
    if not isinstance(key, list) or [type(part) for part in key] != list(types) or _is_too_big(key):
        raise ApiError(422, "The cursor is none that this gateway gave.")
    return tuple(key)


def _is_too_big(key: list[Any]) -> bool:
    return any(isinstance(part, int) and abs(part) >= 2**63 for part in key)


# ------------------------------------------------------------------------------------------------------------- alarms


def to_alarm(row: Row[Any]) -> Alarm:
    """Turn a row of the table ``alarm`` into an alarm."""
    return alarm_of(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name


def all_alarms(
    connection: Connection, unit: str | None, tiers: Sequence[Tier], limit: int, cursor: str | None
) -> tuple[list[Alarm], int, str | None]:
    """Give alarms of any state, newest change first: a page, the number of all, and the next cursor."""
    table = schema.alarm
    found: list[ColumnElement[bool]] = []
    if unit is not None:
        found.append(table.c.unit == unit)
    if tiers:
        found.append(table.c.tier_max.in_([int(tier) for tier in tiers]))
    total = connection.execute(select(func.count()).select_from(table).where(*found)).scalar_one()
    order = (table.c.changed_ns.desc(), table.c.key.desc())
    query = select(table).where(*found).order_by(*order).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(table.c.changed_ns, table.c.key) < unseal(cursor, int, str))
    rows = connection.execute(query).all()
    more = seal(rows[limit - 1].changed_ns, rows[limit - 1].key) if len(rows) > limit else None
    return [to_alarm(row) for row in rows[:limit]], total, more


def find_alarm(connection: Connection, name: str) -> Alarm | None:
    """Find an alarm by id or key; an episode that is over comes from its last event."""
    table = schema.alarm
    row = connection.execute(select(table).where(or_(table.c.id == name, table.c.key == name))).first()
    if row is not None:
        return to_alarm(row)
    mine = connection.execute(
        select(schema.event).where(schema.event.c.alarm == name).order_by(schema.event.c.seq)
    ).all()
    if not mine:
        return None
    first, last = mine[0], mine[-1]
    rules = [cause["rule"] for cause in (json.loads(row.cause) for row in mine) if "rule" in cause]
    return Alarm(
        key=last.alarm_key,
        id=name,
        nature=Nature(last.nature),
        tag=last.tag,
        unit=last.unit,
        group=last.rule_group,
        state=State(last.state),
        tier=Tier(last.tier),
        tier_max=Tier(max(row.tier for row in mine)),
        condition=last.condition,
        rule=rules[-1] if rules else "",
        onset_ns=first.time_ns,
        changed_ns=last.time_ns,
        ordinal=len(mine),
        value=last.value,
        setpoint=last.setpoint,
        suppression=Suppression(last.suppression),
    )


def why_facts(connection: Connection, site: Site | None, name: str) -> dict[str, Any] | None:
    """Collect the facts of the event that gave an alarm the highest tier of its episode; None where it never rang.

    Args:
        site: For units and decimals; without it the event's own facts must do.
        name: Alarm id, or alarm key for its latest episode.
    """
    table = schema.event
    episode = (
        select(table.c.alarm)
        .where(or_(table.c.alarm == name, table.c.alarm_key == name), table.c.what.in_(TELLING))
        .order_by(table.c.seq.desc())
        .limit(1)
    ).scalar_subquery()
    row = connection.execute(
        select(table)
        .where(table.c.alarm == episode, table.c.what.in_(TELLING))
        .order_by(table.c.tier.desc(), table.c.seq)
        .limit(1)
    ).first()
    if row is None:
        return None
    facts: dict[str, Any] = {
        "tag": row.tag,
        "kind": row.condition,
        "value": row.value,
        "setpoint": row.setpoint,
        **json.loads(row.cause),
        "event": row.id,
        "what": row.what,
        "alarm": row.alarm,
        "tier": Tier(row.tier).name,
        "time": iso(row.time_ns),
        "time_ns": str(row.time_ns),
        "nature": row.nature,
        "is_late": row.is_late,
    }
    place = None if site is None else site.tags.row_of.get(row.tag)
    if site is not None and place is not None:
        tag = site.tags[place]
        facts.setdefault("eu", tag.eu)
        if tag.resolution > 0:
            facts["decimals"] = decimals_of(tag.resolution)
    return facts


# ------------------------------------------------------------------------------------------------------------- events


def events(
    connection: Connection,
    *,
    alarm: str | None,
    unit: str | None,
    from_ns: int | None,
    to_ns: int | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Give events, the last committed first."""
    table = schema.event
    query: Select[Any] = select(table).order_by(table.c.seq.desc()).limit(limit + 1)
    if alarm is not None:
        query = query.where(or_(table.c.alarm == alarm, table.c.alarm_key == alarm))
    if unit is not None:
        query = query.where(table.c.unit == unit)
    if from_ns is not None:
        query = query.where(table.c.time_ns >= from_ns)
    if to_ns is not None:
        query = query.where(table.c.time_ns < to_ns)
    if cursor is not None:
        query = query.where(table.c.seq < unseal(cursor, int)[0])
    rows = connection.execute(query).all()
    return [_event(row) for row in rows[:limit]], seal(rows[limit - 1].seq) if len(rows) > limit else None


def _event(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "event": row.what,
        "nature": row.nature,
        "time": iso(row.time_ns),
        "time_ns": str(row.time_ns),
        "received": iso(row.received_ns),
        "unit": row.unit,
        "alarm": row.alarm,
        "alarm_key": row.alarm_key,
        "tag": row.tag,
        "group": row.rule_group,
        "condition": row.condition,
        "tier": Tier(row.tier).name,
        "state": row.state,
        "value": row.value,
        "setpoint": row.setpoint,
        "suppression": row.suppression,
        "is_late": row.is_late,
        "cause": orjson.Fragment(row.cause),
    }


def rings_since(connection: Connection, since_ns: int) -> int:
    """Count how often an alarm rang since a receive time, late ones and those of drills left out."""
    table = schema.event
    # The index is on event time; nothing live has an event time more than a minute before its receive time.
    recent = and_(table.c.time_ns >= since_ns - 60_000_000_000, table.c.received_ns >= since_ns)
    rang = and_(table.c.what.in_(("raised", "realarmed")), table.c.nature != Nature.EXERCISE.value)
    query = select(func.count()).where(recent, rang, table.c.is_late.is_(False))
    return int(connection.execute(query).scalar_one())


# --------------------------------------------------------------------------------------------- register and response


def entries(
    connection: Connection, *, unit: str | None, is_open: bool | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Give register entries with their tasks, the last opened first."""
    table = schema.register_entry
    query: Select[Any] = select(table).order_by(table.c.opened_ns.desc(), table.c.id.desc()).limit(limit + 1)
    if unit is not None:
        query = query.where(table.c.unit == unit)
    if is_open is not None:
        query = query.where(table.c.closed_ns == 0 if is_open else table.c.closed_ns > 0)
    if cursor is not None:
        query = query.where(tuple_(table.c.opened_ns, table.c.id) < unseal(cursor, int, str))
    rows = connection.execute(query).all()
    more = seal(rows[limit - 1].opened_ns, rows[limit - 1].id) if len(rows) > limit else None
    tasks: dict[str, list[dict[str, Any]]] = {row.id: [] for row in rows[:limit]}
    task = schema.response_task
    for row in connection.execute(select(task).where(task.c.entry.in_(tasks)).order_by(task.c.due_ns, task.c.id)):
        tasks[row.entry].append(_task(row))
    return [
        {
            "id": row.id,
            "unit": row.unit,
            "nature": row.nature,
            "opened": iso(row.opened_ns),
            "closed": iso(row.closed_ns),
            "tier": Tier(row.tier).name,
            "tier_max": Tier(row.tier_max).name,
            "alarms": json.loads(row.alarms),
            "tasks": tasks[row.id],
            "is_late": row.is_late,
        }
        for row in rows[:limit]
    ], more


def tasks(
    connection: Connection, *, state: str | None, unit: str | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Give response tasks, the first due first."""
    table = schema.response_task
    query: Select[Any] = select(table).order_by(table.c.due_ns, table.c.id).limit(limit + 1)
    if state is not None:
        query = query.where(table.c.state == state)
    if unit is not None:
        query = query.where(table.c.unit == unit)
    if cursor is not None:
        query = query.where(tuple_(table.c.due_ns, table.c.id) > unseal(cursor, int, str))
    rows = connection.execute(query).all()
    more = seal(rows[limit - 1].due_ns, rows[limit - 1].id) if len(rows) > limit else None
    return [_task(row) for row in rows[:limit]], more


def finish_task(connection: Connection, task_id: str, who: str, note: str, now_ns: int) -> dict[str, Any]:
    """Mark an open task as done.

    Raises:
        ApiError: There is no such task, or it is not open.
    """
    table = schema.response_task
    mine = table.c.id == task_id
    done = connection.execute(
        update(table).where(mine, table.c.state == "open").values(state="done", done_ns=now_ns, done_by=who, note=note)
    ).rowcount
    row = connection.execute(select(table).where(mine)).first()
    if row is None:
        raise ApiError(404, f"There is no task {task_id[:64]!r}.")
    if not done:
        raise ApiError(
            409,
            f"The task is {row.state} already.",
            details={"en": f"The task is {row.state} already.", "zh": "该任务已完成或已作废。"},
        )
    return _task(row)


def task(connection: Connection, task_id: str) -> dict[str, Any]:
    """Give one task that is there."""
    return _task(connection.execute(select(schema.response_task).where(schema.response_task.c.id == task_id)).one())


def _task(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "entry": row.entry,
        "nature": row.nature,
        "unit": row.unit,
        "tier": Tier(row.tier).name,
        "title": json.loads(row.title),
        "owner": row.owner,
        "due": iso(row.due_ns),
        "state": row.state,
        "opened": iso(row.opened_ns),
        "done": iso(row.done_ns),
        "done_by": row.done_by,
        "note": row.note,
        "incident": row.incident or None,
        "step": row.step,
        "answer": row.answer,
    }


# --------------------------------------------------------------------------------------------------------------- push


def notices(
    connection: Connection,
    *,
    state: str | None,
    destination: str | None,
    chain: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Give notices, the last composed first."""
    table = schema.outbox
    query: Select[Any] = select(table).where(table.c.kind != "data").order_by(table.c.seq.desc()).limit(limit + 1)
    for column, wanted in ((table.c.state, state), (table.c.destination, destination), (table.c.chain, chain)):
        if wanted is not None:
            query = query.where(column == wanted)
    if cursor is not None:
        query = query.where(table.c.seq < unseal(cursor, int)[0])
    rows = connection.execute(query).all()
    return [notice(row) for row in rows[:limit]], seal(rows[limit - 1].seq) if len(rows) > limit else None


def notice(row: Row[Any]) -> dict[str, Any]:
    """Give a notice with its receipt."""
    return {
        "key": row.key,
        "destination": row.destination,
        "chain": row.chain,
        "event": row.event,
        "action": row.action,
        "tier": Tier(row.tier).name,
        "nature": row.nature,
        "is_late": row.is_late,
        "state": row.state,
        "attempts": row.attempts,
        "created": iso(row.created_ns),
        "next": iso(row.next_ns) if row.state == "waiting" else None,
        "delivered": iso(row.delivered_ns),
        "last_error": row.last_error,
        "receipt": json.loads(row.receipt) if row.receipt else None,
        "handed": iso(row.handed_ns),
        "body": orjson.Fragment(row.body) if row.action != "call" else _without_numbers(row.body),
    }


def _without_numbers(body: str) -> dict[str, Any]:
    """Give a call's body without how the person is reached: everybody may see that he was called."""
    told: dict[str, Any] = json.loads(body)
    if told.get("to"):
        told["to"] = {name: told["to"][name] for name in ("person", "title")}
    return told


def push_summary(connection: Connection, site: Site, now_ns: int) -> list[dict[str, Any]]:
    """Tell how each destination stands; one that left the configuration is listed while notices of it exist."""
    table = schema.outbox
    counts: dict[str, dict[str, int]] = {destination.id: {} for destination in site.outlets}
    by_state = select(table.c.destination, table.c.state, func.count().label("n")).group_by(
        table.c.destination, table.c.state
    )
    for row in connection.execute(by_state):
        counts.setdefault(row.destination, {})[row.state] = row.n
    waiting = select(table.c.destination, func.min(table.c.created_ns)).where(table.c.state == "waiting")
    oldest = {row[0]: row[1] for row in connection.execute(waiting.group_by(table.c.destination))}
    delivered = select(table.c.destination, func.max(table.c.delivered_ns)).where(table.c.state == "delivered")
    last = {row[0]: row[1] for row in connection.execute(delivered.group_by(table.c.destination))}
    failing = select(table.c.destination, table.c.next_ns, table.c.last_error)
    failing = failing.where(table.c.state == "waiting", table.c.last_error != "")
    errors: dict[str, str] = {}
    soonest: dict[str, int] = {}
    for row in connection.execute(failing.order_by(table.c.next_ns, table.c.seq)):
        soonest.setdefault(row.destination, row.next_ns)
        errors[row.destination] = row.last_error  # What was tried last is tried again last, but for the jitter.
    return [
        {
            "id": name,
            "waiting": states.get("waiting", 0),
            "delivered": states.get("delivered", 0),
            "handed": states.get("handed", 0),
            "quarantined": states.get("quarantined", 0),
            "moved": states.get("moved", 0),
            "oldest_waiting_s": max(0.0, (now_ns - oldest[name]) / 1e9) if name in oldest else None,
            "last_receipt": iso(last.get(name, 0)),
            "last_error": errors.get(name, ""),
            "next": iso(soonest.get(name, 0)),
        }
        for name, states in counts.items()
    ]


# -------------------------------------------------------------------------------------------------- journal and audit


def heads(connection: Connection) -> list[dict[str, Any]]:
    """Give the last signed head of each chain."""
    return [
        {
            "nature": row.nature,
            "count": row.count,
            "hash": row.hash,
            "signature": row.signature,
            "time": iso(row.time_ns),
            "time_ns": str(row.time_ns),
        }
        for row in connection.execute(select(schema.head).order_by(schema.head.c.nature))
    ]


def audit(connection: Connection, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Give what people did, the last first."""
    table = schema.journal
    order = (table.c.time_ns.desc(), table.c.nature.desc(), table.c.number.desc())
    query: Select[Any] = select(table).where(table.c.kind == "audit").order_by(*order).limit(limit + 1)
    if cursor is not None:
        key = tuple_(table.c.time_ns, table.c.nature, table.c.number)
        query = query.where(key < unseal(cursor, int, str, int))
    rows = connection.execute(query).all()
    more = seal(rows[limit - 1].time_ns, rows[limit - 1].nature, rows[limit - 1].number) if len(rows) > limit else None
    return [
        {"nature": row.nature, "number": row.number, "time": iso(row.time_ns), "act": orjson.Fragment(row.body)}
        for row in rows[:limit]
    ], more
