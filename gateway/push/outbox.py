"""Outbox: what waits, in the order of telling, and what became of it.

Why: within a chain order is kept; across chains what is real goes before what is exercised, RED first, then live, then
    late, then what is told every so often; within each the higher tier and the older first (design §3, Order of
    telling).
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, case, exists, func, or_, select, update

from alerting.model.alarm import State
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.store.schema import alarm, outbox

#: Chains in one look, and notices of each; what is left comes in the next look.
CHAINS, EACH = 256, 8
#: Calls that are looked at in one turn for whether anybody needs them still.
WITHDRAW_MAX = 500
#: States of its alarm in which a call, or a reminder, is needed no more, by kind of call.
OVER: Final = {
    "call": (State.ACKED.value, State.NORMAL.value, State.LATCHED.value),
    "reminder": (State.RTN_UNACK.value, State.NORMAL.value, State.LATCHED.value),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One waiting notice.

    Attributes:
        is_foremost: Nothing that comes later goes before it: real, RED, live, and no data.
    """

    seq: int
    attempts: int
    created_ns: int
    parcel: Parcel
    last_error: str = ""
    refused_ns: int = 0
    expires_ns: int = 0
    is_foremost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a destination can be sent now.

    Attributes:
        due: Chain by chain in the order of telling, each chain's notices in their own order.
        next_ns: When the next chain falls due, where none is due now; None where nothing waits.
    """

    due: tuple[Waiting, ...]
    next_ns: int | None


_WAITS: Final = select(exists().where(outbox.c.state == "waiting", outbox.c.destination == bindparam("destination")))


def look(connection: Connection, destination: str, now_ns: int, pause_ns_max: int) -> Look:
    """Find what is due for a destination.

    A chain is as urgent as the most urgent notice that waits in it: a RED update behind a YELLOW alert pulls both.

    Args:
        pause_ns_max: Longest pause that was ever ordered. A notice that is to wait longer was stamped by a clock
            that has gone back since, and is due; so is one that was taken in what is now the future.
    """
    if not connection.scalar(_WAITS, {"destination": destination}):  # As nearly always.
        return Look(due=(), next_ns=None)
    table = outbox
    mine = and_(table.c.state == "waiting", table.c.destination == destination)
    chains = (
        select(
            func.min(table.c.seq).label("first"),
            func.max(table.c.tier).label("tier"),
            func.min(case((table.c.is_late, 1), else_=0)).label("is_late"),
            func.min(case((table.c.kind.in_(("data", "record")), 1), else_=0)).label("is_data"),
            func.min(case((table.c.nature == Nature.EXERCISE.value, 1), else_=0)).label("is_exercise"),
        )
        .where(mine)
        .group_by(table.c.chain)
        .subquery()
    )
    is_beyond = and_(table.c.handed_ns == 0, table.c.next_ns > now_ns + pause_ns_max)
    is_due: ColumnElement[bool] = or_(table.c.next_ns <= now_ns, is_beyond, table.c.handed_ns > now_ns)
    heads = select(table.c.chain, table.c.next_ns).join(chains, chains.c.first == table.c.seq)
    first = connection.scalars(
        heads.where(is_due)
        .order_by(
            chains.c.is_data,
            chains.c.is_exercise,
            case((chains.c.tier >= int(Tier.RED), 0), else_=1),
            chains.c.is_late,
            chains.c.tier.desc(),
            chains.c.first,
        )
        .limit(CHAINS)
    ).all()
    if not first:
        waits = heads.subquery()
        return Look(due=(), next_ns=connection.scalar(select(func.min(waits.c.next_ns))))
    place = func.row_number().over(partition_by=table.c.chain, order_by=table.c.seq).label("place")
    mine_first = select(table.c.seq, place).where(mine, table.c.chain.in_(first)).subquery()
    rows = connection.execute(
        select(table)
        .join(mine_first, mine_first.c.seq == table.c.seq)
        .where(mine_first.c.place <= EACH)
        .order_by(table.c.seq)
    )
    found: dict[str, list[Waiting]] = {chain: [] for chain in first}
    for row in rows:
        if len(found[row.chain]) < EACH:
            found[row.chain].append(_waiting(row))
    return Look(due=tuple(waiting for chain in first for waiting in found[chain]), next_ns=None)


def _waiting(row: Row[Any]) -> Waiting:
    text = row.wire or row.body
    content = "application/cap+xml" if text.startswith("<") else "application/json; charset=utf-8"
    return Waiting(
        seq=row.seq,
        attempts=row.attempts,
        created_ns=row.created_ns,
        parcel=Parcel(key=row.key, chain=row.chain, body=text.encode(), reference=row.reference, content=content),
        last_error=row.last_error,
        refused_ns=row.refused_ns,
        expires_ns=row.expires_ns,
        is_foremost=row.tier >= Tier.RED
        and not row.is_late
        and row.nature != Nature.EXERCISE.value
        and row.kind not in ("data", "record"),
    )


def arrivals(connection: Connection, after: int) -> tuple[int, dict[str, int]]:
    """Count the notices that came into the outbox after a number: the new last number, and how many by destination."""
    table = outbox
    waits = func.sum(case((table.c.state == "waiting", 1), else_=0))
    query = select(table.c.destination, waits, func.max(table.c.seq)).where(table.c.seq > after)
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


def put_receipt(connection: Connection, waiting: Waiting, destination: str, receipt: Receipt, now_ns: int) -> None:
    """Keep the proof of delivery; or, where somebody in between took it and no receipt will come, that it was taken."""
    connection.execute(
        update(outbox)
        .where(outbox.c.seq == waiting.seq)
        .values(
            state="delivered" if receipt.is_proof else "handed",
            attempts=outbox.c.attempts + 1,
            delivered_ns=now_ns,
            last_error="",
            receipt=json.dumps(receipt.facts(), ensure_ascii=False),
        )
    )
    what = What.REPEAT if receipt.is_repeat else What.RECEIPT if receipt.is_proof else What.HANDED
    said = Said(what=what, status=receipt.status, text=receipt.answer or receipt.id)
    answers.add(connection, now_ns, waiting.parcel.key, destination, said)


def put_handed(
    connection: Connection, waiting: Waiting, destination: str, receipt: Receipt, *, now_ns: int, next_ns: int
) -> None:
    """Keep that a notice was taken and its acknowledgement is to come; it goes again where none does."""
    connection.execute(
        update(outbox)
        .where(outbox.c.seq == waiting.seq, outbox.c.state == "waiting")
        .values(attempts=outbox.c.attempts + 1, last_error="", handed_ns=now_ns, next_ns=next_ns)
    )
    said = Said(what=What.HANDED, status=receipt.status, text=receipt.answer)
    answers.add(connection, now_ns, waiting.parcel.key, destination, said)


def put_failure(
    connection: Connection, waiting: Waiting, destination: str, error: PushError, *, now_ns: int, next_ns: int
) -> None:
    """Keep why a notice did not arrive, and when it is tried again.

    A reason that is told again and again gets one row among the answers, not one an attempt: an outage of hours would
    bury what matters.
    """
    values: dict[str, int | str] = {"last_error": str(error)[:500], "next_ns": next_ns}
    if not error.retry and not waiting.refused_ns:
        values["refused_ns"] = now_ns
    connection.execute(
        update(outbox).where(outbox.c.seq == waiting.seq).values(attempts=outbox.c.attempts + 1, **values)
    )
    if waiting.last_error.partition(":")[0] != error.reason:
        what = What.TROUBLE if error.retry else What.REFUSED
        said = Said(what=what, status=error.status, text=str(error))
        answers.add(connection, now_ns, waiting.parcel.key, destination, said)


def put_aside(connection: Connection, destination: str, chain: str, now_ns: int, why: str) -> int:
    """Put a chain into quarantine: what will never be taken, and all that waits behind it. Give how many that are."""
    mine = and_(outbox.c.state == "waiting", outbox.c.destination == destination, outbox.c.chain == chain)
    keys = connection.scalars(select(outbox.c.key).where(mine).order_by(outbox.c.seq)).all()
    connection.execute(update(outbox).where(mine).values(state="quarantined"))
    for place, key in enumerate(keys):
        text = why if place == 0 else "behind a notice of its chain that is in quarantine"
        answers.add(connection, now_ns, key, destination, Said(what=What.QUARANTINED, text=text))
    return len(keys)


def _movable(channel: str, natures: Collection[Nature]) -> ColumnElement[bool]:
    """Calls that wait and may go by another channel; who tries a channel means this one, a report needs a mail."""
    return and_(
        outbox.c.state == "waiting",
        outbox.c.destination == channel,
        outbox.c.kind.not_in(("test", "report")),
        outbox.c.nature.in_([nature.value for nature in natures]),
    )


def late_calls(
    connection: Connection, channel: str, natures: Collection[Nature], before_ns: int, limit: int
) -> list[Row[Any]]:
    """Give the calls that have waited since before a time and may go by another channel, the most urgent first."""
    query = select(outbox).where(_movable(channel, natures), outbox.c.created_ns <= before_ns)
    return list(connection.execute(query.order_by(outbox.c.tier.desc(), outbox.c.seq).limit(limit)))


def oldest_call(connection: Connection, channel: str, natures: Collection[Nature]) -> int | None:
    """Give when the oldest call was made that waits and may go by another channel; None where none does."""
    found: int | None = connection.scalar(select(func.min(outbox.c.created_ns)).where(_movable(channel, natures)))
    return found


def put_expired(connection: Connection, destination: str, now_ns: int) -> int:
    """Take out what is worthless by now; a warning never is. Give how many that were."""
    mine = and_(
        outbox.c.state == "waiting",
        outbox.c.destination == destination,
        outbox.c.expires_ns > 0,
        outbox.c.expires_ns <= now_ns,
    )
    return connection.execute(update(outbox).where(mine).values(state="expired")).rowcount


def put_withdrawn(connection: Connection, destination: str, now_ns: int) -> int:
    """Take out calls that nobody needs any more: of an alarm that was acknowledged, or a reminder of one that is over.

    An alarm that returned unanswered is still told: nobody knows of it yet. A call whose alarm the store does not have
    as it is now (another episode, a drill's) is left alone. Give how many were taken out.
    """
    table = outbox
    mine = and_(
        table.c.state == "waiting",
        table.c.destination == destination,
        table.c.action == "call",
        table.c.kind == "notice",
    )
    waiting = connection.execute(select(table.c.seq, table.c.key, table.c.body).where(mine).limit(WITHDRAW_MAX)).all()
    told = {row.key: json.loads(row.body) for row in waiting}
    calls = {key: body for key, body in told.items() if body.get("subject") == "call" and body.get("alarm")}
    if not calls:
        return 0
    names = sorted({body["alarm"] for body in calls.values()})
    query = select(alarm.c.id, alarm.c.state).where(alarm.c.id.in_(names))
    states: dict[str, str] = {row.id: row.state for row in connection.execute(query)}
    gone = [key for key, body in calls.items() if states.get(body["alarm"]) in OVER.get(body.get("kind", ""), ())]
    for key in gone:
        state = states[calls[key]["alarm"]]
        connection.execute(update(table).where(table.c.key == key).values(state="withdrawn"))
        answers.add(connection, now_ns, key, destination, Said(what=What.WITHDRAWN, text=f"the alarm is {state}"))
    return len(gone)


def hasten(connection: Connection, destination: str, now_ns: int) -> None:
    """Make everything due that waits for a destination which is back; what it took already waits for its answer."""
    mine = and_(outbox.c.state == "waiting", outbox.c.destination == destination, outbox.c.handed_ns == 0)
    connection.execute(update(outbox).where(mine, outbox.c.next_ns > now_ns).values(next_ns=now_ns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a destination stands.

    Attributes:
        oldest_ns: When the oldest warning was composed that it has not confirmed; 0 where there is none.
        quarantined: Warnings that it never took.
    """

    oldest_ns: int = 0
    quarantined: int = 0


def standings(connection: Connection) -> dict[str, Standing]:
    """Tell how each destination stands that is owed something."""
    table = outbox
    oldest = func.min(case((table.c.state == "waiting", table.c.created_ns)))
    aside = func.sum(case((table.c.state == "quarantined", 1), else_=0))
    query = select(table.c.destination, oldest, aside).where(
        table.c.state.in_(("waiting", "quarantined")), table.c.kind == "notice"
    )
    return {
        row[0]: Standing(oldest_ns=row[1] or 0, quarantined=row[2])
        for row in connection.execute(query.group_by(table.c.destination))
    }
