"""Commit: what one tick changed, in one transaction; and what a restart finds again.

Flow: Outcome -> [commit] -> journal, events, alarms, delays, register, tasks, outbox
Why: after kill -9 at any moment, all of a tick is there or none of it.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, Dialect, Insert, Table, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.memory import PAUSED, Phase
from alerting.desk import Desk, Outcome
from alerting.model.rule import Kind
from edge.model import Nature
from gateway.disposal.records import open_disposals
from gateway.intake import Intake
from gateway.store import schema
from gateway.store.floods import put_floods, restore_floods
from gateway.store.gaps import GapRow, put_gaps
from gateway.store.journal import Journal, canonical
from gateway.store.rows import (
    alarm_of,
    alarm_row,
    entry_of,
    entry_row,
    event_body,
    event_row,
    request_of,
    request_row,
    standing_of,
    standing_row,
    task_row,
)
from gateway.store.stops import open_stops, put_stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a source had come."""

    source: str
    epoch: int
    number: int
    time_ns: int
    received_ns: int
    outages: str = ""


MARK_COLUMNS = ("source", "epoch", "number", "time_ns", "received_ns", "outages")
#: Kinds of which it is kept when they were enabled: silence counts from then, and a schedule looks on from there.
OPENED_KINDS = (Kind.STALE, Kind.SCHEDULE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRow:
    """A rule's trip and delay, copied when the tick ended."""

    rule: str
    nature: str
    is_active: bool
    phase: int
    since_ns: int
    elapsed_ns: int
    inner: str = ""
    opened_ns: int = 0


def delay_rows(desk: Desk, outcome: Outcome) -> list[DelayRow]:
    """Copy the trips and delays that a tick changed, before the next tick changes them again."""
    rows = []
    for nature, k in outcome.delays:
        memory = desk.memories[nature]
        rows.append(
            DelayRow(
                rule=desk.table[k].id,
                nature=nature.value,
                is_active=bool(memory.is_active[k]),
                phase=int(memory.phase[k]),
                since_ns=int(memory.since_ns[k]),
                elapsed_ns=int(memory.elapsed_ns[k]),
                inner=memory.formulas.keep(k),
                opened_ns=int(memory.opened_ns[k]) if desk.table[k].kind in OPENED_KINDS else 0,
            )
        )
    rows += [
        DelayRow(rule=rule, nature=nature.value, is_active=False, phase=Phase.REST, since_ns=PAUSED, elapsed_ns=0)
        for nature, rule in outcome.gone
    ]
    return rows


def marks(desk: Desk, intake: Intake, natures: dict[str, Nature]) -> list[Mark]:
    """Copy how far each source has come."""
    found = []
    times = {
        nature: (memory.source_of, memory.mark_ns.tolist(), memory.mark_received_ns.tolist())
        for nature, memory in desk.memories.items()
    }
    for source, state in intake.state.items():
        source_of, mark_ns, received_ns = times[natures[source]]
        index = source_of.get(source)
        if index is None:
            continue
        found.append(
            Mark(
                source=source,
                epoch=state.epoch,
                number=state.number,
                time_ns=mark_ns[index],
                received_ns=received_ns[index],
                outages=state.memo,
            )
        )
    return found


def commit(
    connection: Connection,
    journal: Journal,
    outcome: Outcome,
    delays: Sequence[DelayRow],
    source_marks: Sequence[Mark],
    notices: Sequence[dict[str, Any]],
    main_nature: Nature,
    gaps: Sequence[GapRow] | None = None,
) -> None:
    """Write everything that a tick changed, inside the caller's transaction.

    Args:
        gaps: None where these do not outlive a restart, as those of a drill; their numbers are not the site's.
    """
    for nature in Nature:
        bodies = [canonical(event_body(event)) for event in outcome.events if event.nature is nature]
        if bodies:
            journal.append(connection, nature, outcome.now_ns, "event", bodies)
    asked = [
        canonical(
            {
                "who": answer.command.who,
                "action": answer.command.verb.value,
                "alarm": answer.command.alarm,
                "reason": answer.command.reason,
                "until_ns": answer.command.until_ns,
                **({"one_shot": True} if answer.command.is_one_shot else {}),
                **({"batch": answer.command.batch} if answer.command.batch else {}),
                **({"permit": answer.command.permit} if answer.command.permit else {}),
                **({"plan": asdict(answer.command.plan)} if answer.command.plan else {}),
                **({"stop": answer.stop.id} if answer.stop else {}),
                "refused": answer.refused["en"] if answer.refused else None,
                **({"awaits": answer.request.id} if answer.request else {}),
            }
        )
        for answer in outcome.answers
    ]
    if asked:
        journal.append(connection, main_nature, outcome.now_ns, "audit", asked)
    if outcome.remarks:
        journal.append(connection, main_nature, outcome.now_ns, "system", [canonical(r) for r in outcome.remarks])
    if outcome.events:
        connection.execute(insert(schema.event), [event_row(event) for event in outcome.events])
    _put(connection, schema.alarm, "key", [alarm_row(alarm) for alarm in outcome.alarms.values()])
    _put(connection, schema.request, "id", [request_row(request) for request in outcome.requests.values()])
    _put(connection, schema.register_entry, "id", [entry_row(entry) for entry in outcome.entries.values()])
    _put_standings(connection, [standing_row(standing) for standing in outcome.standings])
    open_disposals(connection, outcome.disposals)
    put_floods(connection, outcome.floods)
    put_stops(connection, outcome.stops.values())
    if outcome.tasks:
        connection.execute(insert(schema.response_task), [task_row(task) for task in outcome.tasks])
    if notices:
        connection.execute(insert(schema.outbox), list(notices))
    _put_delays(connection, delays)
    if gaps is not None:
        put_gaps(connection, gaps, outcome.gaps_ended)
    put_marks(connection, source_marks)


def without_known(connection: Connection, outcome: Outcome) -> Outcome:
    """Leave out late events that a former life committed: what was not acknowledged comes again."""
    late = [event.id for event in outcome.events if event.is_late]
    if not late:
        return outcome
    known: set[str] = set()
    for start in range(0, len(late), 500):
        known |= set(
            connection.scalars(select(schema.event.c.id).where(schema.event.c.id.in_(late[start : start + 500])))
        )
    return replace(outcome, events=[event for event in outcome.events if event.id not in known]) if known else outcome


def put_marks(connection: Connection, source_marks: Sequence[Mark]) -> None:
    """Write how far the sources have come."""
    if not source_marks:
        return
    rows = [
        (mark.source, mark.epoch, mark.number, mark.time_ns, mark.received_ns, mark.outages) for mark in source_marks
    ]
    sql, is_named = _marks_sql(connection.dialect)
    # Every second, often with nothing else: straight to the driver, which takes a third of the time.
    given = [dict(zip(MARK_COLUMNS, row, strict=True)) for row in rows] if is_named else rows
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.executemany(sql, given)


@cache
def _marks_sql(dialect: Dialect) -> tuple[str, bool]:
    """Give the statement that puts marks as a store's driver wants it, and whether it wants its values by name."""
    made = _upsert(dialect.name, schema.source_mark, "source", MARK_COLUMNS).compile(
        dialect=dialect, column_keys=list(MARK_COLUMNS)
    )
    assert made.positiontup in (None, list(MARK_COLUMNS)), made.positiontup
    return str(made), made.positiontup is None


def _put(connection: Connection, table: Table, key: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace rows by their key, alike on SQLite and PostgreSQL; all rows have the same columns."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, key, tuple(rows[0])), list(rows))


@cache
def _upsert(dialect: str, table: Table, key: str, columns: tuple[str, ...]) -> Insert:
    """Make the statement that inserts a row, or where its key is there replaces it; both stores have it."""
    made: sqlite.Insert | postgresql.Insert
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_update(
        index_elements=[table.c[key]], set_={name: made.excluded[name] for name in columns if name != key}
    )


def _put_standings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    table = schema.unit_tier
    if not rows:
        return
    same = (table.c.unit == bindparam("of_unit"), table.c.nature == bindparam("of_nature"))
    connection.execute(
        delete(table).where(*same), [{"of_unit": row["unit"], "of_nature": row["nature"]} for row in rows]
    )
    connection.execute(insert(table), list(rows))


def _put_delays(connection: Connection, delays: Sequence[DelayRow]) -> None:
    table = schema.delay
    if not delays:
        return
    same = (table.c.rule == bindparam("of_rule"), table.c.nature == bindparam("of_nature"))
    connection.execute(delete(table).where(*same), [{"of_rule": row.rule, "of_nature": row.nature} for row in delays])
    kept = [
        {
            "rule": row.rule,
            "nature": row.nature,
            "is_active": row.is_active,
            "phase": row.phase,
            "since_ns": row.since_ns,
            "elapsed_ns": row.elapsed_ns,
            "inner": row.inner,
            "opened_ns": row.opened_ns,
        }
        for row in delays
        if row.is_active or row.phase != Phase.REST or row.inner or row.opened_ns > 0
    ]
    if kept:
        connection.execute(insert(table), kept)


def restore(connection: Connection, desk: Desk, intake: Intake, natures: dict[str, Nature]) -> int:
    """Put back all alarm, delay, shelf, register and sequence state; give the last committed receive time, ns.

    A delay that ran is put back as it ran: what was counted stays, and down time counts by the receive clock until
    the tag falls stale.
    """
    desk.adopt(
        [alarm_of(dict(row)) for row in connection.execute(select(schema.alarm)).mappings()],
        [
            entry_of(dict(row))
            for row in connection.execute(
                select(schema.register_entry).where(
                    schema.register_entry.c.closed_ns == 0, schema.register_entry.c.is_late.is_(False)
                )
            ).mappings()
        ],
        [standing_of(dict(row)) for row in connection.execute(select(schema.unit_tier)).mappings()],
        [
            request_of(dict(row))
            for row in connection.execute(select(schema.request).where(schema.request.c.state == "open")).mappings()
        ],
        open_stops(connection),
    )
    last_ns = 0
    for row in connection.execute(select(schema.source_mark)):
        last_ns = max(last_ns, row.received_ns)
        _restore_mark(desk, intake, natures, row)
    for memory in desk.memories.values():
        memory.formulas.forget()
    for row in connection.execute(select(schema.delay)).all():
        k = desk.table.index_of.get(row.rule)
        if k is None:  # Else it would come back as tripped, without an alarm, on the day the rule does.
            connection.execute(delete(schema.delay).where(schema.delay.c.rule == row.rule))
            continue
        memory = desk.memory(Nature(row.nature))
        memory.is_active[k] = row.is_active
        memory.phase[k] = row.phase
        memory.since_ns[k] = row.since_ns
        memory.elapsed_ns[k] = row.elapsed_ns
        memory.opened_ns[k] = row.opened_ns
        if not memory.formulas.put_back(k, row.inner):
            memory.is_dirty[k] = True  # The first tick writes it anew.
        assert row.phase != Phase.REST or row.since_ns == PAUSED, row.rule
    for memory in desk.memories.values():
        if desk.table.gates:  # That a rule hangs on a shut gate follows from the gate.
            everyone = np.arange(len(desk.table))
            memory.opened_ns[desk.table.gates.shut(memory.is_active, everyone)] = -1
        memory.timers.forget()
    newest = connection.scalar(select(schema.journal.c.time_ns).order_by(schema.journal.c.time_ns.desc()).limit(1))
    newest_ns = max(last_ns, newest or 0)
    restore_floods(connection, desk.floods, newest_ns)
    return newest_ns


def _restore_mark(desk: Desk, intake: Intake, natures: dict[str, Nature], row: Any) -> None:  # noqa: ANN401  # a result row
    state = intake.state.get(row.source)
    if state is None:
        return
    state.epoch, state.number, state.received_ns = row.epoch, row.number, row.received_ns
    state.recall(row.outages)
    memory = desk.memory(natures[row.source])
    index = memory.source_of.get(row.source)
    if index is None:
        return
    rows = np.flatnonzero(memory.source == index)
    before_ns = int(memory.mark_ns[index])
    memory.mark_ns[index] = row.time_ns
    memory.mark_received_ns[index] = row.received_ns
    memory.mark_epoch[index], memory.mark_number[index] = row.epoch, row.number
    # Tags keep the distance from their source's mark that the checkpoint saw; without one they stand at the mark.
    seen = memory.last_ns[rows] > 0
    lag = np.where(seen, np.clip(before_ns - memory.last_ns[rows], 0, None), 0)
    is_judged = seen & (memory.value_ns[rows] == memory.last_ns[rows])
    memory.last_ns[rows] = row.time_ns - lag
    memory.value_ns[rows[is_judged]] = memory.last_ns[rows[is_judged]]  # Still its last sample, see core.many.is_ready.


def known_marks(connection: Connection) -> dict[str, Mark]:
    """Read how far the sources had come."""
    return {row["source"]: Mark(**row) for row in connection.execute(select(schema.source_mark)).mappings()}
