"""Disposals in the store: opened with the tick that rang, filled by people, kept with everything that was said before.

Why: the row says how a disposal stands; what people wrote is appended, never changed, so that a second opinion does not
    erase the first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.model.alarm import Alarm
from alerting.model.disposal import Cause, Opening
from alerting.model.tier import Tier
from gateway.live import iso
from gateway.store import schema

OPEN, DONE = "open", "done"
PHOTOS_MAX = 12


def open_disposals(connection: Connection, openings: Iterable[Opening]) -> None:
    """Open disposals; one that is open already takes the higher tier and the earlier end."""
    table = schema.disposal
    for opening in openings:
        row = {
            "alarm": opening.alarm,
            "key": opening.key,
            "nature": opening.nature.value,
            "unit": opening.unit,
            "tag": opening.tag,
            "condition": opening.condition,
            "tier": int(opening.tier),
            "opened_ns": opening.opened_ns,
            "due_ns": opening.due_ns,
            "state": OPEN,
            "done_ns": 0,
        }
        made: sqlite.Insert | postgresql.Insert
        made = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table).values(row)
        new = made.excluded
        connection.execute(
            made.on_conflict_do_update(
                index_elements=[table.c.alarm],
                set_={
                    "tier": case((new.tier > table.c.tier, new.tier), else_=table.c.tier),
                    "condition": case((new.tier > table.c.tier, new.condition), else_=table.c.condition),
                    "due_ns": case((new.due_ns < table.c.due_ns, new.due_ns), else_=table.c.due_ns),
                },
                where=table.c.state == OPEN,
            )
        )


def open_by_hand(connection: Connection, alarm: Alarm, now_ns: int, due_ns: int) -> None:
    """Open one for an alarm that needs none by the site's rules; one that is there stays."""
    if connection.execute(select(schema.disposal.c.alarm).where(schema.disposal.c.alarm == alarm.id)).first() is None:
        tier = max(alarm.tier, alarm.tier_max)
        open_disposals(
            connection,
            [
                Opening(
                    alarm=alarm.id, key=alarm.key, nature=alarm.nature, unit=alarm.unit, tag=alarm.tag,
                    condition=alarm.condition, tier=tier, opened_ns=now_ns, due_ns=due_ns,
                )
            ],
        )  # fmt: skip


def listed(
    connection: Connection, *, state: str, unit: str | None, limit: int, offset: int, now_ns: int
) -> tuple[list[dict[str, Any]], int]:
    """Give disposals of a state: open ones by their end, done ones the last first; and how many there are."""
    table = schema.disposal
    wanted = [table.c.state == (DONE if state == DONE else OPEN)]
    if state == "overdue":
        wanted.append(table.c.due_ns < now_ns)
    if unit is not None:
        wanted.append(table.c.unit == unit)
    total = connection.scalar(select(func.count()).select_from(table).where(*wanted)) or 0
    order = (table.c.done_ns.desc(), table.c.alarm) if state == DONE else (table.c.due_ns, table.c.alarm)
    rows = connection.execute(select(table).where(*wanted).order_by(*order).limit(limit).offset(offset)).all()
    entries = _last_entries(connection, [row.alarm for row in rows])
    return [{**_shown(row, now_ns), "entry": entries.get(row.alarm)} for row in rows], total


def counted(connection: Connection, now_ns: int) -> dict[str, int]:
    """Count what is open and what of that is overdue."""
    table = schema.disposal
    late = func.sum(case((table.c.due_ns < now_ns, 1), else_=0))
    row = connection.execute(select(func.count(), late).where(table.c.state == OPEN)).one()
    return {"open": row[0], "overdue": int(row[1] or 0)}


def one(connection: Connection, alarm: str, now_ns: int) -> dict[str, Any] | None:
    """Give one disposal with all that was written about it and its photos, or None."""
    row = connection.execute(select(schema.disposal).where(schema.disposal.c.alarm == alarm)).first()
    if row is None:
        return None
    entry, photo = schema.disposal_entry, schema.disposal_photo
    entries = connection.execute(select(entry).where(entry.c.alarm == alarm).order_by(entry.c.number)).all()
    photos = connection.execute(select(photo).where(photo.c.alarm == alarm).order_by(photo.c.seq)).all()
    written = [_entry(each) for each in entries]
    return {
        **_shown(row, now_ns),
        "entry": written[-1] if written else None,
        "entries": written,
        "photos": [
            {"digest": each.digest, "type": each.type, "size": each.size, "by": each.by, "time": iso(each.time_ns)}
            for each in photos
        ],
    }


def write_entry(connection: Connection, alarm: str, who: str, now_ns: int, said: Mapping[str, str]) -> int | None:
    """Append what somebody found and did; give its number, or None where there is no such disposal."""
    table, entry = schema.disposal, schema.disposal_entry
    if connection.execute(select(table.c.alarm).where(table.c.alarm == alarm)).first() is None:
        return None
    number = (connection.scalar(select(func.max(entry.c.number)).where(entry.c.alarm == alarm)) or 0) + 1
    connection.execute(insert(entry).values(alarm=alarm, number=number, who=who, time_ns=now_ns, **said))
    first = update(table).where(table.c.alarm == alarm, table.c.state == OPEN)
    connection.execute(first.values(state=DONE, done_ns=now_ns))
    return number


def last_causes(connection: Connection, alarms: Sequence[str]) -> dict[str, Cause]:
    """Give what the last entry of each of these disposals says it was; those without an entry are left out."""
    return {alarm: Cause(entry["cause"]) for alarm, entry in _last_entries(connection, alarms).items()}


def add_photo(connection: Connection, alarm: str, digest: str, kind: str, size: int, who: str, now_ns: int) -> str:
    """Add a photo; give why not, or an empty text. The same picture twice is one."""
    table, photo = schema.disposal, schema.disposal_photo
    if connection.execute(select(table.c.alarm).where(table.c.alarm == alarm)).first() is None:
        return "missing"
    known = connection.scalars(select(photo.c.digest).where(photo.c.alarm == alarm)).all()
    if digest in known:
        return ""
    if len(known) >= PHOTOS_MAX:
        return "full"
    connection.execute(insert(photo).values(alarm=alarm, digest=digest, type=kind, size=size, by=who, time_ns=now_ns))
    return ""


def photo_kind(connection: Connection, digest: str) -> str | None:
    """Give the type of a photo that some disposal has, or None."""
    photo = schema.disposal_photo
    found: str | None = connection.scalar(select(photo.c.type).where(photo.c.digest == digest).limit(1))
    return found


def _last_entries(connection: Connection, alarms: Sequence[str]) -> dict[str, dict[str, Any]]:
    entry = schema.disposal_entry
    rows = connection.execute(select(entry).where(entry.c.alarm.in_(alarms)).order_by(entry.c.number)).all()
    return {row.alarm: _entry(row) for row in rows}


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number,
        "who": row.who,
        "time": iso(row.time_ns),
        "cause": row.cause,
        "finding": row.finding,
        "measures": row.measures,
    }


def _shown(row: Row[Any], now_ns: int) -> dict[str, Any]:
    ended_ns = row.done_ns or now_ns
    return {
        "alarm": row.alarm,
        "key": row.key,
        "nature": row.nature,
        "unit": row.unit,
        "tag": row.tag,
        "condition": row.condition,
        "tier": Tier(row.tier).name,
        "opened": iso(row.opened_ns),
        "due": iso(row.due_ns),
        "state": row.state,
        "done": iso(row.done_ns),
        "is_overdue": ended_ns > row.due_ns,
    }
