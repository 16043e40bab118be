"""Floods in the store: as they stand after each tick, and what a restart needs to count on."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from alerting.floods import FloodBook
from alerting.model.event import What
from alerting.model.flood import NS, FloodState, Ring, flood_of
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.store import schema

LISTED_MAX = 200


def put_floods(connection: Connection, states: Iterable[FloodState]) -> None:
    """Write how floods stand."""
    for state in states:
        connection.execute(delete(schema.flood).where(schema.flood.c.id == state.id))
        connection.execute(
            insert(schema.flood).values(
                id=state.id, nature=state.nature.value, began_ns=state.began_ns, ended_ns=state.ended_ns,
                count=state.count, peak=state.peak, told=json.dumps(state.told, ensure_ascii=False),
            )
        )  # fmt: skip


def floods(connection: Connection, *, is_open: bool) -> list[FloodState]:
    """Read floods, the last begun first."""
    table = schema.flood
    query = select(table).order_by(table.c.began_ns.desc(), table.c.id).limit(LISTED_MAX)
    if is_open:
        query = query.where(table.c.ended_ns == 0)
    return [_state(dict(row)) for row in connection.execute(query).mappings()]


def restore_floods(connection: Connection, book: FloodBook, now_ns: int) -> None:
    """Let floods go on, and fill the window with what rang within it before the restart."""
    event = schema.event
    since_ns = now_ns - int(book.policy.window_s * NS)
    rows = connection.execute(
        select(event)
        .where(
            event.c.time_ns > since_ns - int(book.policy.window_s * NS),  # an index; what arrived late is older
            event.c.received_ns > since_ns,
            event.c.what == What.RAISED.value,
            event.c.is_late.is_(False),
            event.c.suppression == "none",
        )
        .order_by(event.c.received_ns, event.c.seq)
    )
    rings = [
        (
            Nature(row.nature),
            Ring(
                alarm=row.alarm, unit=row.unit, tag=row.tag, condition=row.condition, tier=Tier(row.tier),
                time_ns=row.time_ns, received_ns=row.received_ns,
            ),
        )
        for row in rows
    ]  # fmt: skip
    book.adopt([flood_of(state) for state in floods(connection, is_open=True)], rings)


def _state(row: dict[str, Any]) -> FloodState:
    return FloodState(**{**row, "nature": Nature(row["nature"]), "told": json.loads(row["told"])})
