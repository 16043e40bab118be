"""Records of drills in the store: begun, paused, ended with their verdict; what rang is read from the events.

Why: an inspector asks who was drilled, when, on what, and how it went. After its end only its evaluation
    is added, once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, RowMapping, func, insert, select, update

from alerting.model.alarm import Alarm, State, Suppression
from alerting.register.episode import Entry
from edge.model import Nature
from gateway.store import schema
from gateway.store.rows import alarm_of, entry_of

RUNNING, HELD, FINISHED, STOPPED, BROKEN_OFF = "running", "paused", "finished", "stopped", "broken_off"
OPEN: Final = (RUNNING, HELD)
EVENTS_MAX: Final = 5_000  # Of one record in one answer.


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One drill.

    Attributes:
        state: ``running``, ``paused``; ``finished`` by itself, ``stopped`` by a person, ``broken_off`` by the gateway.
        pauses: ``{"from", "to", "by", "why"}`` each, ISO times; ``to`` is None while it lasts.
        verdict: ``{"expectations", "milestones", "played_s", "left_out"}``; empty while it goes on.
        plan: What is kept of the plan that it exercises, as `exercise.planned` gives it; empty for none.
        evaluation: ``{"text", "by", "at"}``, written once after its end; empty until then.
    """

    number: int
    state: str
    story: str
    title: dict[str, str]
    plant: str
    seed: int
    revision: int
    begun_ns: int
    begun_by: str
    reason: str
    ended_ns: int = 0
    ended_by: str = ""
    ended_why: str = ""
    pauses: tuple[dict[str, Any], ...] = ()
    verdict: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)


def begin(connection: Connection, record: Record) -> int:
    """Write a drill down that begins; give its number."""
    table = schema.drill
    number = int(connection.execute(select(func.coalesce(func.max(table.c.number), 0))).scalar_one()) + 1
    connection.execute(insert(table).values(**_row(record) | {"number": number}))
    return number


def put(connection: Connection, record: Record) -> None:
    """Write down how a drill stands now."""
    table = schema.drill
    connection.execute(update(table).where(table.c.number == record.number).values(**_row(record)))


def evaluate(connection: Connection, number: int, evaluation: Mapping[str, Any]) -> None:
    """Write down what people found of a drill that is over."""
    table = schema.drill
    text = json.dumps(evaluation, ensure_ascii=False)
    connection.execute(update(table).where(table.c.number == number).values(evaluation=text))


def page(connection: Connection, limit: int, before: int | None = None) -> list[Record]:
    """Give records, the newest first.

    Args:
        before: Only those with a smaller number.
    """
    table = schema.drill
    query = select(table).order_by(table.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.number < before)
    return [_record(row) for row in connection.execute(query).mappings()]


def one(connection: Connection, number: int) -> Record | None:
    """Give one record."""
    row = connection.execute(select(schema.drill).where(schema.drill.c.number == number)).mappings().first()
    return None if row is None else _record(row)


def open_ones(connection: Connection) -> list[Record]:
    """Give those that are not over: after a start of the gateway, what was cut off."""
    query = select(schema.drill).where(schema.drill.c.state.in_(OPEN))
    return [_record(row) for row in connection.execute(query).mappings()]


def events(connection: Connection, record: Record) -> list[Row[Any]]:
    """Give what rang and what people did about it, in order of commit."""
    table = schema.event
    query = select(table).where(table.c.nature == Nature.EXERCISE.value, table.c.received_ns >= record.begun_ns)
    if record.ended_ns:
        query = query.where(table.c.received_ns <= record.ended_ns)
    return list(connection.execute(query.order_by(table.c.seq).limit(EVENTS_MAX)).all())


def who_of(row: Row[Any]) -> str:
    """Give who did what an event says; empty where nobody did."""
    return str(json.loads(row.cause).get("who", ""))


def notices(connection: Connection, record: Record) -> list[Row[Any]]:
    """Give the notices of a drill as they stand now, in order."""
    table = schema.outbox
    query = select(table).where(table.c.nature == Nature.EXERCISE.value, table.c.created_ns >= record.begun_ns)
    if record.ended_ns:
        query = query.where(table.c.created_ns <= record.ended_ns)
    return list(connection.execute(query.order_by(table.c.seq).limit(EVENTS_MAX)).all())


def left(connection: Connection) -> tuple[Sequence[Alarm], Sequence[Entry]]:
    """Give exercise alarms and entries that are not over."""
    alarm, entry = schema.alarm, schema.register_entry
    exercise = Nature.EXERCISE.value
    is_going = (alarm.c.state != State.NORMAL.value) | (alarm.c.suppression != Suppression.NONE.value)
    alarms = connection.execute(select(alarm).where(alarm.c.nature == exercise, is_going)).mappings()
    entries = connection.execute(select(entry).where(entry.c.nature == exercise, entry.c.closed_ns == 0)).mappings()
    return [alarm_of(dict(row)) for row in alarms], [entry_of(dict(row)) for row in entries]


def _row(record: Record) -> dict[str, Any]:
    return {
        "number": record.number,
        "state": record.state,
        "story": record.story,
        "title": json.dumps(record.title, ensure_ascii=False),
        "plant": record.plant,
        "seed": record.seed,
        "revision": record.revision,
        "begun_ns": record.begun_ns,
        "begun_by": record.begun_by,
        "reason": record.reason,
        "ended_ns": record.ended_ns,
        "ended_by": record.ended_by,
        "ended_why": record.ended_why,
        "pauses": json.dumps(record.pauses, ensure_ascii=False),
        "verdict": json.dumps(record.verdict, ensure_ascii=False),
        "plan": json.dumps(record.plan, ensure_ascii=False),
        "evaluation": json.dumps(record.evaluation, ensure_ascii=False),
    }


def _record(row: RowMapping) -> Record:
    return Record(
        **{
            **row,
            "title": json.loads(row["title"]),
            "pauses": tuple(json.loads(row["pauses"])),
            "verdict": json.loads(row["verdict"]),
            "plan": json.loads(row["plan"]),
            "evaluation": json.loads(row["evaluation"]),
        }
    )
