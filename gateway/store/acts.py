"""Acts: what somebody did at the command line, until the one writer of the journal takes it over.

Flow: fengsui user, node -> [table act] -> gateway's next transaction -> journal, kind audit
Why: the journal has one writer, the running gateway; a second process that appended would fork the chain. So an act is
    committed with its deed and journalled by the gateway within a second, or at its next start.
"""

import contextlib
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from edge.model import Nature
from gateway.store.journal import Journal, canonical
from gateway.store.schema import act

ANY = f"SELECT 1 FROM {act.name} LIMIT 1"  # noqa: S608  # a name of our own


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who works at the command line, and when."""

    who: str
    time_ns: int


def note(connection: Connection, by: Hand | None, action: str, **facts: Any) -> None:  # noqa: ANN401  # JSON values
    """Write down an act in the transaction of its deed; nothing where nobody is named."""
    if by is not None:
        text = orjson.dumps(facts).decode()
        connection.execute(insert(act).values(time_ns=by.time_ns, who=by.who, action=action, facts=text))


def take_over(connection: Connection, journal: Journal, nature: Nature, now_ns: int) -> None:
    """Journal what waits, in the order in which it was done, and forget it; inside the writer's transaction."""
    with contextlib.closing(connection.connection.cursor()) as cursor:  # Each second: straight to the driver.
        cursor.execute(ANY)
        if cursor.fetchone() is None:
            return
    rows = connection.execute(select(act).order_by(act.c.seq)).all()
    bodies = [
        canonical({"who": row.who, "action": row.action, "done_ns": row.time_ns, **orjson.loads(row.facts)})
        for row in rows
    ]
    journal.append(connection, nature, now_ns, "audit", bodies)
    connection.execute(delete(act).where(act.c.seq <= rows[-1].seq))
