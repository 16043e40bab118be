"""Outbox: what waits, in the order of telling, and what became of it.

Why: within a chain order is kept; across chains what is real goes before what is exercised, RED first, then live
    before late, then the oldest (design §3, Order of telling).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from edge.model import Nature
from gateway.push.channel import Parcel, Receipt
from gateway.store.schema import outbox

#: Chains in one look, and notices of each; what is left comes in the next look.
CHAINS, EACH = 256, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One waiting notice."""

    seq: int
    attempts: int
    created_ns: int
    parcel: Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a destination can be sent now.

    Attributes:
        due: Chain by chain in the order of telling, each chain's notices in their own order.
        next_ns: When the next chain falls due, where none is due now; None where nothing waits.
    """

    due: tuple[Waiting, ...]
    next_ns: int | None


def look(connection: Connection, destination: str, now_ns: int, pause_ns_max: int) -> Look:
    """Find what is due for a destination.

    A chain is as urgent as the most urgent notice that waits in it: a RED update behind a YELLOW alert pulls both.

    Args:
        pause_ns_max: Longest pause that was ever ordered. A notice that is to wait longer was stamped by a clock
            that has gone back since, and is due.
    """
    table = outbox
    mine = and_(table.c.state == "waiting", table.c.destination == destination)
    chains = (
        select(
            func.min(table.c.seq).label("first"),
            func.max(table.c.tier).label("tier"),
            func.min(case((table.c.is_late, 1), else_=0)).label("is_late"),
            func.min(case((table.c.nature == Nature.EXERCISE.value, 1), else_=0)).label("is_exercise"),
        )
        .where(mine)
        .group_by(table.c.chain)
        .subquery()
    )
    is_due: ColumnElement[bool] = or_(table.c.next_ns <= now_ns, table.c.next_ns > now_ns + pause_ns_max)
    heads = select(table.c.chain, table.c.next_ns).join(chains, chains.c.first == table.c.seq)
    first = connection.scalars(
        heads.where(is_due)
        .order_by(chains.c.is_exercise, chains.c.tier.desc(), chains.c.is_late, chains.c.first)
        .limit(CHAINS)
    ).all()
    if not first:
        waits = heads.subquery()
        return Look(due=(), next_ns=connection.scalar(select(func.min(waits.c.next_ns))))
    place = func.row_number().over(partition_by=table.c.chain, order_by=table.c.seq).label("place")
    mine_first = select(table.c.seq, place).where(mine, table.c.chain.in_(first)).subquery()
    rows = connection.execute(
        select(table.c.seq, table.c.attempts, table.c.created_ns, table.c.key, table.c.chain, table.c.body)
        .join(mine_first, mine_first.c.seq == table.c.seq)
        .where(mine_first.c.place <= EACH)
        .order_by(table.c.seq)
    )
    found: dict[str, list[Waiting]] = {chain: [] for chain in first}
    for row in rows:
        parcel = Parcel(key=row.key, chain=row.chain, body=row.body.encode())
        if len(found[row.chain]) < EACH:
            found[row.chain].append(
                Waiting(seq=row.seq, attempts=row.attempts, created_ns=row.created_ns, parcel=parcel)
            )
    return Look(due=tuple(waiting for chain in first for waiting in found[chain]), next_ns=None)


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
