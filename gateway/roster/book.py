"""Book: watches and contacts in the store; every change in the transaction of its act.

Flow: door (roles) -> [book: look, judge, write] -> store
Why: whom an alarm calls at night is decided here, so what cannot hold is refused with a sentence, not found out at
    night.
Never: changes a watch whose shift is over: it is the record of who was on duty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

from alerting.register.large_event import running
from alerting.roster.plan import RosterPlan
from alerting.roster.watch import OnDuty, Watch, clash, dates_around, on_duty_at, span_of
from gateway.auth import Role
from gateway.register.events import filings
from gateway.register.minutes import minute
from gateway.store.schema import contact, roster, user

MS = 1_000_000


class RosterError(ValueError):
    """A roster that cannot be; one sentence in each language."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = {"en": en, "zh": zh}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How a person is reached.

    Attributes:
        title: What people call the person; empty for the user's name.
        addresses: By channel id, where a channel wants another address than phone or e-mail.
    """

    person: str
    title: str = ""
    phone: str = ""
    email: str = ""
    addresses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order in which watches are judged."""

    plan: RosterPlan
    zone: ZoneInfo
    now_ns: int

    def is_over(self, watch: Watch) -> bool:
        """Tell whether the shift has ended; one that is no longer configured is over by its day."""
        span = span_of(self.plan, watch, self.zone)
        if span is not None:
            return span[1] <= self.now_ns
        return watch.date < dates_around(self.now_ns, self.zone)[0]


def watch_of(row: Any) -> Watch:  # noqa: ANN401 - a result row
    """Read a row."""
    return Watch(
        number=row.number,
        date=date.fromisoformat(row.date),
        shift=row.shift,
        post=row.post,
        person=row.person,
        substitute=row.substitute,
        reason=row.reason,
    )


def watches(connection: Connection, first: date, last: date) -> list[Watch]:
    """Give the watches that begin on these days, both included, in the order in which they were entered."""
    rows = connection.execute(
        select(roster)
        .where(roster.c.date >= first.isoformat(), roster.c.date <= last.isoformat())
        .order_by(roster.c.date, roster.c.number)
    )
    return [watch_of(row) for row in rows]


def on_duty(connection: Connection, plan: RosterPlan, at_ns: int, zone: ZoneInfo) -> list[OnDuty]:
    """Give who is on duty at a time; at posts of large events only while one runs that names their roster."""
    found = on_duty_at(plan, watches(connection, *dates_around(at_ns, zone)), at_ns, zone)
    if not plan.of_events:
        return found
    live = {one.roster for one in running(filings(connection), minute(at_ns, zone))}
    posts = {post.id for post in plan.posts if not post.roster or post.roster in live}
    return [each for each in found if each.watch.post in posts]


def people(connection: Connection) -> dict[str, Role]:
    """Give the users who may be on duty, by name: those who are not disabled."""
    rows = connection.execute(select(user.c.name, user.c.role).where(user.c.is_active).order_by(user.c.name))
    return {row.name: Role(row.role) for row in rows}


def judge(watch: Watch, plan: RosterPlan, known: Iterable[str]) -> None:
    """Refuse a watch that names what is not there.

    Raises:
        RosterError: Shift, post or person is unknown, or the post is not manned in that shift.
    """
    post = plan.post(watch.post)
    if plan.shift(watch.shift) is None:
        raise RosterError(f"There is no shift {watch.shift!r}.", f"没有班次“{watch.shift}”。")
    if post is None:
        raise RosterError(f"There is no post {watch.post!r}.", f"没有岗位“{watch.post}”。")
    if watch.shift not in post.shifts:
        raise RosterError(
            f"Post {watch.post!r} is not manned in shift {watch.shift!r}.",
            f"岗位“{watch.post}”不设班次“{watch.shift}”。",
        )
    for person in (watch.person, watch.substitute):
        if person and person not in known:
            raise RosterError(
                f"There is no active user {person[:80]!r}; whoever is on duty must be able to acknowledge.",
                f"没有启用的用户“{person[:80]}”；值班人必须能够登录确认报警。",
            )


def add(connection: Connection, order: Order, new: Watch, who: str) -> Watch:
    """Put a person on duty.

    Raises:
        RosterError: It cannot hold: unknown names, twice the same, at two places at once, or over already.
    """
    judge(new, order.plan, people(connection))
    if order.is_over(new):
        raise _past(new)
    near = _near(connection, new.date)
    if any(other.place == new.place for other in near):
        raise RosterError(
            f"{new.person!r} stands in the roster for this shift already.", f"“{new.person}”已在该班次的值班表中。"
        )
    _refuse_clash(order, near, new)
    return _insert(connection, [new], who, order.now_ns)[0]


def remove(connection: Connection, order: Order, number: int) -> Watch:
    """Take a person off duty; gives who it was.

    Raises:
        RosterError: There is no such watch, or its shift is over.
    """
    found = one(connection, number)
    if order.is_over(found):
        raise _past(found)
    connection.execute(delete(roster).where(roster.c.number == number))
    return found


def substitute(connection: Connection, order: Order, number: int, person: str, reason: str, who: str) -> Watch:
    """Let somebody stand in, or with an empty name the planned person again; gives the watch as it is now.

    Raises:
        RosterError: There is no such watch, its shift is over, or the substitute cannot be.
    """
    found = one(connection, number)
    new = replace(found, substitute="" if person == found.person else person, reason=reason if person else "")
    if order.is_over(found):
        raise _past(found)
    judge(new, order.plan, people(connection))
    near = [other for other in _near(connection, new.date) if other.number != number]
    _refuse_clash(order, near, new)
    connection.execute(
        update(roster)
        .where(roster.c.number == number)
        .values(substitute=new.substitute, reason=new.reason, changed_by=who, changed_ns=order.now_ns)
    )
    return new


def exchange(connection: Connection, gone: Sequence[Watch], new: Sequence[Watch], who: str, now_ns: int) -> None:
    """Replace watches by others, as an import that was looked at wants it."""
    for watch in gone:
        connection.execute(delete(roster).where(roster.c.number == watch.number))
    if new:
        _insert(connection, new, who, now_ns)


def one(connection: Connection, number: int) -> Watch:
    """Give a watch.

    Raises:
        RosterError: There is none.
    """
    row = connection.execute(select(roster).where(roster.c.number == number)).one_or_none()
    if row is None:
        raise RosterError("This entry of the roster is gone; look again.", "该值班记录已不存在，请刷新。")
    return watch_of(row)


def contacts(connection: Connection) -> dict[str, Contact]:
    """Give how people are reached, by name."""
    return {
        row.person: Contact(
            person=row.person,
            title=row.title,
            phone=row.phone,
            email=row.email,
            addresses=orjson.loads(row.addresses),
        )
        for row in connection.execute(select(contact).order_by(contact.c.person))
    }


def put_contact(connection: Connection, given: Contact, who: str, now_ns: int) -> None:
    """Write down how a person is reached.

    Raises:
        RosterError: There is no such user.
    """
    if given.person not in people(connection):
        raise RosterError(f"There is no active user {given.person[:80]!r}.", f"没有启用的用户“{given.person[:80]}”。")
    connection.execute(delete(contact).where(contact.c.person == given.person))
    connection.execute(
        insert(contact).values(
            person=given.person,
            title=given.title,
            phone=given.phone,
            email=given.email,
            addresses=orjson.dumps(given.addresses, option=orjson.OPT_SORT_KEYS).decode(),
            changed_by=who,
            changed_ns=now_ns,
        )
    )


def _near(connection: Connection, day: date) -> list[Watch]:
    """Give what may overlap with a shift of a day."""
    return watches(connection, day - timedelta(days=1), day + timedelta(days=1))


def _refuse_clash(order: Order, others: Iterable[Watch], new: Watch) -> None:
    other = clash(order.plan, others, new, order.zone)
    if other is not None:
        raise RosterError(
            f"{new.on_duty!r} is on duty at the same time: {other.date} {other.shift}, {other.post}.",
            f"“{new.on_duty}”同一时间已值班：{other.date} {other.shift}，{other.post}。",
        )


def _past(watch: Watch) -> RosterError:
    return RosterError(
        f"The shift {watch.shift} of {watch.date} is over; who was on duty stays as it was.",
        f"{watch.date} 的班次“{watch.shift}”已结束，值班记录不再更改。",
    )


def _insert(connection: Connection, new: Sequence[Watch], who: str, now_ns: int) -> list[Watch]:
    newest: int = connection.execute(select(func.coalesce(func.max(roster.c.number), 0))).scalar_one()
    last = max(newest, now_ns // MS)  # By the clock, so that the number of one that was removed never comes again.
    kept = [replace(watch, number=last + place) for place, watch in enumerate(new, start=1)]
    connection.execute(
        insert(roster),
        [
            {
                "number": watch.number,
                "date": watch.date.isoformat(),
                "shift": watch.shift,
                "post": watch.post,
                "person": watch.person,
                "substitute": watch.substitute,
                "reason": watch.reason,
                "changed_by": who,
                "changed_ns": now_ns,
            }
            for watch in kept
        ],
    )
    return kept
