"""Roster over the API: who is on duty, the roster of some weeks with its gaps, its changes, tables in and out.

Flow: person at the page -> door (roles) -> book, in the transaction of the act -> store
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from alerting.register.large_event import running
from alerting.roster.watch import OnDuty, Watch, dates_around, gaps, span_of
from gateway.api.answer import ApiError, Json
from gateway.api.asked import Reason, When, when
from gateway.api.door import ALL, OPERATE, ROSTER, Doors, user_of
from gateway.api.doors_config import TYPE_OF
from gateway.api.house import Act, House
from gateway.live import iso
from gateway.register.events import filings, spans_of
from gateway.register.minutes import minute
from gateway.roster import book
from gateway.roster.book import Contact, Order, RosterError
from gateway.roster.china import published
from gateway.roster.table import Looked, export, look

T = TypeVar("T")

DAYS_MAX: Final = 62
LOOKED_MAX: Final = 8  # Lists that were looked at and may still be applied; the oldest is forgotten.
SHOWN_MAX: Final = 500
EVER: Final = (date(2000, 1, 1), date(2100, 12, 31))

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Day = Annotated[str, StringConstraints(min_length=10, max_length=10)]


class NewWatch(BaseModel):
    """Who shall be on duty, at which post, in which shift of which day."""

    model_config = ConfigDict(extra="forbid")
    date: Day
    shift: Name
    post: Name
    person: Name


class Substitute(BaseModel):
    """Who stands in, empty for nobody any more; and why."""

    model_config = ConfigDict(extra="forbid")
    person: str = Field(max_length=64)
    reason: str = Field(min_length=1, max_length=500)


class GivenContact(BaseModel):
    """How a person is reached."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(default="", max_length=64)
    phone: str = Field(default="", max_length=40, pattern=r"^[0-9+() -]*$")
    email: str = Field(default="", max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$")
    addresses: dict[str, Annotated[str, StringConstraints(max_length=254)]] = Field(default_factory=dict, max_length=20)


class ApplyRoster(BaseModel):
    """Which list to apply, as the look named it, and why."""

    model_config = ConfigDict(extra="forbid")
    ticket: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


@dataclass(frozen=True, slots=True)
class _List:
    """A list that was looked at."""

    name: str
    content: bytes


def order_of(house: House) -> Order:
    """Give the order in which watches are judged now."""
    return Order(plan=house.site.roster, zone=ZoneInfo(house.site.timezone), now_ns=house.clock.wall_ns())


def open_roster_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def now(request: Request, at: When = None) -> Response:
        """Say who is on duty, now or at a time; leaders first, with how they are reached for those who may call."""
        order = order_of(house)
        at_ns = order.now_ns if at is None else when(at, "at")
        found, live = await house.read(
            lambda c: (
                book.on_duty(c, order.plan, at_ns, order.zone),
                {one.roster for one in running(filings(c), minute(at_ns, order.zone))},
            )
        )
        reach = await house.read(book.contacts) if user_of(request).role in OPERATE else {}
        manned = [post.id for post in order.plan.posts if not post.roster or post.roster in live]
        empty = [post for post in manned if all(each.watch.post != post for each in found)]
        shown = [_on_duty(each, order, reach) for each in found]
        return Json({"at": iso(at_ns), "on_duty": shown, "unmanned": empty, "has_posts": bool(order.plan.posts)})

    async def roster(
        first: Annotated[str | None, Query(alias="from", max_length=10)] = None,
        days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 7,
    ) -> Response:
        """Give the roster of some days: posts, shifts, what each day is, who is there, and what nobody fills."""
        order = order_of(house)
        begin = dates_around(order.now_ns, order.zone)[1] if first is None else _day(first, "from")
        on = [begin + timedelta(days=n) for n in range(days)]
        kept, spans = await house.read(lambda c: (book.watches(c, on[0], on[-1]), spans_of(c, order.zone)))
        plan = order.plan
        known = [plan.calendar.day(each, published) for each in on]
        open_gaps = [gap for gap in gaps(plan, kept, on, published, order.zone, spans) if gap.to_ns > order.now_ns]
        return Json(
            {
                "from": on[0].isoformat(),
                "today": dates_around(order.now_ns, order.zone)[1].isoformat(),
                "days": [
                    {"date": d.date.isoformat(), "is_workday": d.is_workday, "told": d.told, "holiday": d.holiday}
                    for d in known
                ],
                "shifts": [asdict(shift) for shift in plan.shifts],
                "posts": [asdict(post) for post in plan.posts],
                "watches": [_watch(each, order) for each in kept],
                "gaps": [
                    {"date": gap.date.isoformat(), "shift": gap.shift, "post": gap.post}
                    for gap in open_gaps[:SHOWN_MAX]
                ],
                "country": plan.calendar.country,
            }
        )

    async def names() -> Response:
        """Name the users who may be on duty."""
        found = await house.read(book.people)
        return Json({"people": [{"name": name, "role": role} for name, role in found.items()]})

    async def reached() -> Response:
        """Give how people are reached."""
        found = await house.read(book.contacts)
        known = await house.read(book.people)
        shown = [asdict(found.get(name, Contact(person=name))) | {"role": role} for name, role in known.items()]
        return Json({"contacts": shown, "channels": [each.id for each in house.site.channels]})

    async def as_table(
        form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "xlsx",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
        first: Annotated[str | None, Query(alias="from", max_length=10)] = None,
        days: Annotated[int, Query(ge=1, le=366)] = 31,
    ) -> Response:
        """Give the roster of some days as a table."""
        order = order_of(house)
        begin = dates_around(order.now_ns, order.zone)[1] if first is None else _day(first, "from")
        kept = await house.read(lambda c: book.watches(c, begin, begin + timedelta(days=days - 1)))
        headers = {"content-disposition": f'attachment; filename="roster-{begin}.{form}"'}
        return Response(export(f"roster.{form}", kept, lang), media_type=TYPE_OF[form], headers=headers)

    doors.open("GET", "/api/v1/roster/now", ALL, now, tag="roster")
    doors.open("GET", "/api/v1/roster", ALL, roster, tag="roster")
    doors.open("GET", "/api/v1/roster/people", ROSTER, names, tag="roster")
    doors.open("GET", "/api/v1/roster/export", OPERATE, as_table, tag="roster")
    doors.open("GET", "/api/v1/contacts", OPERATE, reached, tag="roster")
    _open_change_doors(doors)
    _open_table_doors(doors)


def _open_change_doors(doors: Doors) -> None:
    house = doors.house

    async def add(asked: NewWatch, request: Request) -> Response:
        """Put a person on duty."""
        who = user_of(request).name
        wanted = Watch(date=_day(asked.date, "date"), shift=asked.shift, post=asked.post, person=asked.person)
        order = order_of(house)
        act = _act(who, "watch_added", order, wanted)
        return Json(_watch(await _do(house, lambda c: book.add(c, order, wanted, who), act), order))

    async def remove(number: int, asked: Reason, request: Request) -> Response:
        """Take a person off duty; a shift that is over stays as it was."""
        who, order = user_of(request).name, order_of(house)
        found = await _find(house, number)
        act = _act(who, "watch_removed", order, found, reason=asked.reason)
        await _do(house, lambda c: book.remove(c, order, number), act)
        return Json({"number": number})

    async def stand_in(number: int, asked: Substitute, request: Request) -> Response:
        """Let somebody stand in for the planned person; with an empty name nobody any more."""
        who, order, person = user_of(request).name, order_of(house), asked.person.strip()
        found = await _find(house, number)
        act = _act(who, "watch_substituted", order, found, substitute=person, reason=asked.reason)
        done = await _do(house, lambda c: book.substitute(c, order, number, person, asked.reason, who), act)
        return Json(_watch(done, order))

    async def put_contact(person: Name, asked: GivenContact, request: Request) -> Response:
        """Write down how a person is reached."""
        now_ns, who = house.clock.wall_ns(), user_of(request).name
        unknown = set(asked.addresses) - {each.id for each in house.site.channels}
        if unknown:
            raise ApiError(422, f"addresses: there is no channel {min(unknown)[:64]!r}.")
        given = Contact(person=person, **asked.model_dump())
        act = Act(who=who, what="contact_set", time_ns=now_ns, facts={"user": person})  # Numbers stay out of the audit.
        await _do(house, lambda c: book.put_contact(c, given, who, now_ns), act)
        return Json(asdict(given))

    at = "/api/v1/roster"
    doors.open("POST", at, ROSTER, add, tag="roster")
    doors.open("POST", f"{at}/{{number}}/remove", ROSTER, remove, tag="roster")
    doors.open("POST", f"{at}/{{number}}/substitute", ROSTER, stand_in, tag="roster")
    doors.open("POST", "/api/v1/contacts/{person}", ROSTER, put_contact, tag="roster")


def _open_table_doors(doors: Doors) -> None:
    house = doors.house
    looked: OrderedDict[str, _List] = OrderedDict()

    async def look_at(name: Annotated[str, Query(max_length=200)], request: Request) -> Response:
        """Look at a list, the body of the request: every mistake by row, or what it would change."""
        if not name.lower().endswith((".csv", ".xlsx")):
            raise ApiError(422, "name: give a file that ends with .csv or .xlsx.")
        content, order = await request.body(), order_of(house)
        found = await house.read(lambda c: look(order, name, content, book.watches(c, *EVER), book.people(c)))
        ticket = None
        if not found.mistakes:
            ticket = sha256(name.encode() + b"\0" + content).hexdigest()[:32]
            looked[ticket] = _List(name, content)
            looked.move_to_end(ticket)
            while len(looked) > LOOKED_MAX:
                looked.popitem(last=False)
        return Json({"ticket": ticket, **_looked(found)})

    async def apply(asked: ApplyRoster, request: Request) -> Response:
        """Put a list that was looked at in place of the roster of its days."""
        kept, order, who = looked.get(asked.ticket), order_of(house), user_of(request).name
        if kept is None:
            raise ApiError(409, "This list was looked at too long ago; look at it again.", code="stale")

        def change(connection: Connection) -> Looked:
            there = book.watches(connection, *EVER)
            found = look(order, kept.name, kept.content, there, book.people(connection))
            if found.mistakes:
                raise RosterError(found.mistakes[0].en, found.mistakes[0].zh)
            book.exchange(connection, found.removed, found.added, who, order.now_ns)
            return found

        digest = sha256(kept.content).hexdigest()
        facts = {"file": kept.name, "sha256": digest, "reason": asked.reason}
        act = Act(who=who, what="roster_imported", time_ns=order.now_ns, facts=facts)
        found = await _do(house, change, act)
        return Json(_looked(found))

    doors.open("POST", "/api/v1/roster/look", ROSTER, look_at, tag="roster")
    doors.open("POST", "/api/v1/roster/apply", ROSTER, apply, tag="roster")


async def _do(house: House, fn: Callable[[Connection], T], act: Act) -> T:
    """Run a change in the transaction of its act; a refusal is one sentence in each language."""
    try:
        return await house.write(fn, act)
    except RosterError as error:
        raise ApiError(409, str(error), details=error.said) from None


async def _find(house: House, number: int) -> Watch:
    try:
        return await house.read(lambda c: book.one(c, number))
    except RosterError as error:
        raise ApiError(409, str(error), details=error.said) from None


def _act(who: str, what: str, order: Order, watch: Watch, **more: str) -> Act:
    facts = {"date": watch.date.isoformat(), "shift": watch.shift, "post": watch.post, "person": watch.person}
    return Act(who=who, what=what, time_ns=order.now_ns, facts=facts | more)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ApiError(422, f"{name}: {text[:20]!r} is no day; write it as 2026-11-22.") from None


def _watch(watch: Watch, order: Order) -> dict[str, Any]:
    span = span_of(order.plan, watch, order.zone)
    return {
        **asdict(watch),
        "date": watch.date.isoformat(),
        "on_duty": watch.on_duty,
        "from": iso(span[0]) if span else None,
        "to": iso(span[1]) if span else None,
        "is_over": order.is_over(watch),
        "is_known": span is not None and order.plan.post(watch.post) is not None,
    }


def _on_duty(each: OnDuty, order: Order, reach: dict[str, Contact]) -> dict[str, Any]:
    post = order.plan.post(each.watch.post)
    contact = reach.get(each.watch.on_duty)
    return {
        **_watch(each.watch, order),
        "is_leader": post is not None and post.is_leader,
        "title": contact.title if contact else "",
        "phone": contact.phone if contact else "",
    }


def _looked(found: Looked) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "from": found.first.isoformat() if found.first else None,
        "to": found.last.isoformat() if found.last else None,
        "added": len(found.added),
        "removed": len(found.removed),
        "unchanged": found.unchanged,
        "past": found.past,
        "added_rows": [asdict(watch) | {"date": watch.date.isoformat()} for watch in found.added[:SHOWN_MAX]],
        "removed_rows": [asdict(watch) | {"date": watch.date.isoformat()} for watch in found.removed[:SHOWN_MAX]],
        "mistakes": [asdict(mistake) for mistake in found.mistakes[:SHOWN_MAX]],
        "mistakes_total": len(found.mistakes),
    }
