"""Records: handovers and call checks in the store. What is signed is never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import Connection, func, insert, select, update

from gateway.handover.content import Content
from gateway.roster.book import RosterError
from gateway.store.schema import call_check, handover

WAITING, SIGNED, REFUSED, WITHDRAWN = "waiting", "signed", "refused", "withdrawn"
LISTED_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One handover.

    Attributes:
        state: ``waiting`` for the one who takes over, ``signed``, ``refused`` or ``withdrawn``.
        content: The exact text that was signed.
        closed_ns: When it was signed by the second, refused or withdrawn; 0 while it waits.
    """

    number: int
    post: str
    state: str
    giver: str
    taker: str
    given_ns: int
    closed_ns: int
    notes: str
    remark: str
    digest: str
    content: str = ""


def give(
    connection: Connection, *, post: str, giver: str, taker: str, notes: str, content: Content, now_ns: int
) -> int:  # fmt: skip
    """Keep a handover that the first has signed; gives its number.

    Raises:
        RosterError: One of the same post waits already.
    """
    waiting = connection.scalar(
        select(handover.c.number).where(handover.c.post == post, handover.c.state == WAITING).limit(1)
    )
    if waiting is not None:
        raise RosterError(
            f"Handover {waiting} of this post waits to be signed; withdraw it first.",
            f"该岗位的交接班 {waiting} 尚待签收；请先撤回。",
        )
    number: int = connection.execute(select(func.coalesce(func.max(handover.c.number), 0))).scalar_one() + 1
    connection.execute(
        insert(handover).values(
            number=number,
            post=post,
            state=WAITING,
            giver=giver,
            taker=taker,
            given_ns=now_ns,
            closed_ns=0,
            notes=notes,
            remark="",
            digest=content.digest,
            content=content.text,
        )
    )
    return number


def close(connection: Connection, number: int, state: str, taker: str, remark: str, now_ns: int) -> None:
    """Sign as the second, refuse or withdraw.

    Raises:
        RosterError: It does not wait any more.
    """
    values = {"state": state, "taker": taker, "remark": remark, "closed_ns": now_ns}
    done = connection.execute(
        update(handover).where(handover.c.number == number, handover.c.state == WAITING).values(**values)
    ).rowcount
    if not done:
        raise RosterError("This handover does not wait to be signed any more.", "该交接班已不在待签收状态。")


def one(connection: Connection, number: int) -> Handover | None:
    """Give a handover whole; None where there is none."""
    row = connection.execute(select(handover).where(handover.c.number == number)).mappings().one_or_none()
    return None if row is None else Handover(**row)


def latest(connection: Connection) -> list[Handover]:
    """Give the last handovers without their contents, the newest first."""
    columns = [column for column in handover.c if column.name != "content"]
    rows = connection.execute(select(*columns).order_by(handover.c.number.desc()).limit(LISTED_MAX)).mappings()
    return [Handover(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCheck:
    """Somebody asks those on duty whether they are at their posts (点名/查岗).

    Attributes:
        people: Who was asked, with the post of each.
        answers: When each answered, ns.
    """

    number: int
    asked_by: str
    asked_ns: int
    until_ns: int
    reason: str
    people: tuple[tuple[str, str], ...] = ()
    answers: dict[str, int] = field(default_factory=dict)


def ask(
    connection: Connection, who: str, people: Sequence[tuple[str, str]], until_ns: int, reason: str, now_ns: int
) -> int:  # fmt: skip
    """Keep a call check; gives its number.

    Raises:
        RosterError: Nobody is on duty.
    """
    if not people:
        raise RosterError("Nobody is on duty there now; fill the roster first.", "当前无人值班，请先安排值班表。")
    number: int = connection.execute(select(func.coalesce(func.max(call_check.c.number), 0))).scalar_one() + 1
    connection.execute(
        insert(call_check).values(
            number=number,
            asked_by=who,
            asked_ns=now_ns,
            until_ns=until_ns,
            reason=reason,
            people=orjson.dumps([list(pair) for pair in people]).decode(),
            answers="{}",
        )
    )
    return number


def answer(connection: Connection, number: int, who: str, now_ns: int) -> None:
    """Note that somebody is at his post; late answers are kept as what they are.

    Raises:
        RosterError: He was not asked, or has answered already.
    """
    found = next((each for each in checks(connection) if each.number == number), None)
    if found is None or who not in [name for name, _ in found.people]:
        raise RosterError("You were not asked by this call check.", "该次点名未包括您。")
    if who in found.answers:
        raise RosterError("You have answered already.", "您已应答。")
    answers = orjson.dumps({**found.answers, who: now_ns}, option=orjson.OPT_SORT_KEYS).decode()
    connection.execute(update(call_check).where(call_check.c.number == number).values(answers=answers))


def checks(connection: Connection) -> list[CallCheck]:
    """Give the last call checks, the newest first."""
    rows = connection.execute(select(call_check).order_by(call_check.c.number.desc()).limit(LISTED_MAX))
    return [_check(row) for row in rows]


def _check(row: Any) -> CallCheck:  # noqa: ANN401 - a result row
    return CallCheck(
        number=row.number,
        asked_by=row.asked_by,
        asked_ns=row.asked_ns,
        until_ns=row.until_ns,
        reason=row.reason,
        people=tuple((name, post) for name, post in orjson.loads(row.people)),
        answers=orjson.loads(row.answers),
    )
