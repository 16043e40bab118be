"""Outbox: what waits, in the order of telling, and what became of it.

Why: order is kept within a chain by never looking past its first waiting notice; across chains RED goes first, then
    live before late, then the oldest (design §3, Order of telling).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, func, not_, or_, select, update

from gateway.push.channel import Parcel, Receipt
from gateway.store.schema import outbox

BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One waiting notice, the first of its chain."""

    seq: int
    attempts: int
    created_ns: int
    parcel: Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a destination can be sent now.

    Attributes:
        due: In the order of telling, at most ``BATCH``.
        next_ns: When the next one falls due, where none is due now; None where nothing waits.
    """

    due: tuple[Waiting, ...]
    next_ns: int | None


def look(connection: Connection, destination: str, now_ns: int, pause_ns_max: int) -> Look:
    """Find what is due for a destination.

    Args:
        pause_ns_max: Longest pause that was ever ordered. A notice that is to wait longer was stamped by a clock
            that has gone back since, and is due.
    """
    table, earlier = outbox, outbox.alias("earlier")
    mine = and_(table.c.state == "waiting", table.c.destination == destination)
    is_first = not_(
        exists().where(
            earlier.c.chain == table.c.chain,
            earlier.c.destination == table.c.destination,
            earlier.c.state == "waiting",
            earlier.c.seq < table.c.seq,
        )
    )
    is_due: ColumnElement[bool] = or_(table.c.next_ns <= now_ns, table.c.next_ns > now_ns + pause_ns_max)
    rows = connection.execute(
        select(table.c.seq, table.c.attempts, table.c.created_ns, table.c.key, table.c.chain, table.c.body)
        .where(mine, is_due, is_first)
        .order_by(table.c.tier.desc(), table.c.is_late, table.c.seq)
        .limit(BATCH)
    ).all()
    if rows:
        return Look(
            due=tuple(
                Waiting(
                    seq=row.seq,
                    attempts=row.attempts,
                    created_ns=row.created_ns,
                    parcel=Parcel(key=row.key, chain=row.chain, body=row.body.encode()),
                )
                for row in rows
            ),
            next_ns=None,
        )
    next_ns = connection.execute(select(func.min(table.c.next_ns)).where(mine, is_first)).scalar_one()
    return Look(due=(), next_ns=next_ns)


def arrivals(connection: Connection, after: int) -> tuple[int, dict[str, int]]:
    """Count the notices that came into the outbox after a number: the new last number, and how many by destination."""
    table = outbox
    query = select(table.c.destination, func.count(), func.max(table.c.seq)).where(table.c.seq > after)
    rows: Sequence[tuple[str, int, int]] = [
        (row[0], row[1], row[2]) for row in connection.execute(query.group_by(table.c.destination))
    ]
    return max((row[2] for row in rows), default=after), {row[0]: row[1] for row in rows}


def backlog(connection: Connection) -> tuple[int, dict[str, int]]:
    """Give the last number, and how many notices wait by destination, at start."""
    table = outbox
    last = connection.execute(select(func.coalesce(func.max(table.c.seq), 0))).scalar_one()
    query = select(table.c.destination, func.count()).where(table.c.state == "waiting").group_by(table.c.destination)
    return last, {row[0]: row[1] for row in connection.execute(query)}


def put_receipt(connection: Connection, seq: int, receipt: Receipt, now_ns: int) -> None:
    """Keep the proof of delivery."""
    connection.execute(
        update(outbox)
        .where(outbox.c.seq == seq)
        .values(
            state="delivered",
            attempts=outbox.c.attempts + 1,
            delivered_ns=now_ns,
            last_error="",
            receipt=json.dumps(receipt.facts(), ensure_ascii=False),
        )
    )


def put_failure(connection: Connection, seq: int, error: str, next_ns: int) -> None:
    """Keep why a notice did not arrive, and when it is tried again."""
    connection.execute(
        update(outbox)
        .where(outbox.c.seq == seq)
        .values(attempts=outbox.c.attempts + 1, last_error=error[:500], next_ns=next_ns)
    )


def hasten(connection: Connection, destination: str, now_ns: int) -> None:
    """Make everything due that waits for a destination which has just come back."""
    mine = and_(outbox.c.state == "waiting", outbox.c.destination == destination)
    connection.execute(update(outbox).where(mine, outbox.c.next_ns > now_ns).values(next_ns=now_ns))
