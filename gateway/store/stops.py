"""Declared stops in the store: as they stand after each tick; those that are over are the stop history."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

import orjson
from sqlalchemy import Connection, delete, func, insert, select

from alerting.model.stop import OPEN, Stop, StopKind, StopState
from edge.model import Nature
from gateway.store import schema

LISTED_MAX: Final = 500
OPEN_STATES: Final = tuple(sorted(state.value for state in OPEN))


def stop_row(stop: Stop) -> dict[str, Any]:
    """Give the row of a stop."""
    return {
        **asdict(stop),
        "kind": stop.kind.value,
        "nature": stop.nature.value,
        "state": stop.state.value,
        "tags": orjson.dumps(list(stop.tags)).decode(),
    }


def stop_of(row: Mapping[str, Any]) -> Stop:
    """Give the stop of a row."""
    return Stop(
        **{
            **dict(row),
            "kind": StopKind(row["kind"]),
            "nature": Nature(row["nature"]),
            "state": StopState(row["state"]),
            "tags": tuple(orjson.loads(row["tags"])),
        }
    )


def put_stops(connection: Connection, stops: Iterable[Stop]) -> None:
    """Write how stops stand."""
    for stop in stops:
        connection.execute(delete(schema.stop).where(schema.stop.c.id == stop.id))
        connection.execute(insert(schema.stop).values(stop_row(stop)))


def open_stops(connection: Connection) -> list[Stop]:
    """Read the stops that are planned, run, or wait for a word that the device is back; the first to end first."""
    table = schema.stop
    query = select(table).where(table.c.state.in_(OPEN_STATES)).order_by(table.c.ends_ns, table.c.id)
    return [stop_of(dict(row)) for row in connection.execute(query).mappings()]


def past_stops(connection: Connection, unit: str | None, limit: int, offset: int) -> tuple[list[Stop], int]:
    """Read the stops that are over, the last declared first, and how many there are."""
    table = schema.stop
    wanted = [table.c.state.not_in(OPEN_STATES), *([] if unit is None else [table.c.unit == unit])]
    query = select(table).where(*wanted).order_by(table.c.declared_ns.desc(), table.c.id).limit(limit).offset(offset)
    total = connection.scalar(select(func.count()).select_from(table).where(*wanted)) or 0
    return [stop_of(dict(row)) for row in connection.execute(query).mappings()], total


def one_stop(connection: Connection, name: str) -> Stop | None:
    """Read one stop, or None."""
    row = connection.execute(select(schema.stop).where(schema.stop.c.id == name)).mappings().first()
    return None if row is None else stop_of(dict(row))
