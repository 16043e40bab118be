"""Book: duties in the store; a look takes the steps that have come, with the messages that tell of them.

Flow: due -> [look, one transaction] -> steps, stand, outbox
Why: a step and its message are committed together: after kill -9 it was told once, or it comes again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from alerting.duty.kind import HOLDER, Kind, Step
from alerting.duty.stand import Advanced, Stand, Taken, advance
from alerting.duty.timetable import Days, Due
from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.model.alarm import digest
from alerting.push.call import Addressee
from alerting.push.duty_call import Told, duty_body
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Destination, Site
from gateway.duty.feed import (
    OPEN,
    STIRS,
    alarms_changed,
    commitment_changed,
    lots_changed,
    reports_changed,
    tickets_changed,
    write,
)
from gateway.register.minutes import next_minute_ns
from gateway.response.sheets import owner_said
from gateway.roster.book import contacts, on_duty, people
from gateway.roster.china import published
from gateway.store.schema import duty, duty_step, outbox

#: Duties in one look; the others come with the next, at once.
DUE_MAX = 500
NS = 1_000_000_000
#: Between two looks at alarms and at records that were changed, s.
LOOK_S: Final = 10.0
TOLD, PASSED, NOBODY, PAGE, ANSWER = "told", "passed", "nobody", "page", "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look came to.

    Attributes:
        taken: Steps that were taken.
        messages: Messages that were written.
        next_ns: When the next step comes; None where none will.
        is_more: There was more than one look takes.
    """

    taken: int = 0
    messages: int = 0
    next_ns: int | None = None
    is_more: bool = False


def days_of(site: Site) -> Days:
    """Give what the days of a site are."""
    return Days(
        calendar=site.roster.calendar,
        published=published,
        zone=ZoneInfo(site.timezone),
        told_at_s=site.duties.told_at_s,
    )


def due_now(connection: Connection, site: Site, now_ns: int) -> tuple[bool, int]:
    """Tell whether a look would write anything, and when one may with nothing being written, ns.

    Steps come at their moments; days and months turn, and tickets end, with a minute; what rings is to be seen in time.
    """
    first, may_come = next_due(connection), next_minute_ns(now_ns)
    if connection.scalar(STIRS):
        may_come = min(may_come, now_ns + round(LOOK_S * 1e9))
    is_now = (first is not None and first <= now_ns) or _is_changed(connection, site, now_ns)
    return is_now, may_come if first is None else min(first, may_come)


_NEXT: Final = select(func.min(duty.c.next_ns)).where(duty.c.state == OPEN)


def _is_changed(connection: Connection, site: Site, now_ns: int) -> bool:
    return bool(
        alarms_changed(connection, site.duties, now_ns)
        or commitment_changed(connection, site, now_ns)
        or lots_changed(connection, site, now_ns)
        or tickets_changed(connection, site, now_ns)
        or reports_changed(connection, now_ns)
    )


def next_due(connection: Connection) -> int | None:
    """Give when the next step comes; None where none will."""
    found: int | None = connection.scalar(_NEXT)
    return found


def work_out_anew(connection: Connection) -> None:
    """Let the next look work out when the steps of all open duties come: calendar, zone or rows changed."""
    connection.execute(update(duty).where(duty.c.state == OPEN).values(next_ns=0))


def look(connection: Connection, site: Site, nature: Nature, now_ns: int) -> Looked:
    """Take every step that has come.

    Args:
        nature: Of what records are about; alarms bring their own.
    """
    write(connection, alarms_changed(connection, site.duties, now_ns))
    write(connection, commitment_changed(connection, site, now_ns))
    write(connection, lots_changed(connection, site, now_ns))
    write(connection, tickets_changed(connection, site, now_ns))
    write(connection, reports_changed(connection, now_ns))
    query = (
        select(duty).where(duty.c.state == OPEN, duty.c.next_ns <= now_ns).order_by(duty.c.next_ns, duty.c.id)
        .limit(DUE_MAX)
    )  # fmt: skip
    rows = list(connection.execute(query).mappings())
    days = days_of(site)
    found: list[tuple[RowMapping, Kind | None, Advanced]] = []
    for row in rows:
        kind = site.duties.kind(row["kind"])
        if kind is not None and kind.is_on:
            found.append((row, kind, advance(kind, due_of(row), stand_of(row), days, now_ns)))
        else:
            found.append((row, None, Advanced(stand=stand_of(row), taken=(), next_ns=NEVER, is_by_weekday=False)))
    _keep(connection, days, found)
    told = [(row, kind, taken) for row, kind, came in found if kind is not None for taken in came.taken]
    messages = _tell(connection, site, nature, told, now_ns) if told else 0
    return Looked(
        taken=len(told), messages=messages, next_ns=next_due(connection), is_more=len(rows) == DUE_MAX
    )  # fmt: skip


#: Later than any moment: a row that the site switched off.
NEVER = 2**63 - 1


def due_of(row: RowMapping) -> Due:
    """Read by when it is to be done."""
    return Due(
        day=date.fromisoformat(row["day"]) if row["day"] else None,
        begins=date.fromisoformat(row["begins"]) if row["begins"] else None,
        due_ns=row["due_ns"],
        begins_ns=row["begins_ns"],
    )


def stand_of(row: RowMapping) -> Stand:
    """Read how far it has come."""
    return Stand(step=Step(row["step"]) if row["step"] else None, times=row["times"], taken_ns=row["taken_ns"])


# ------------------------------------------------------------------------------------------------------------ inside


def _keep(connection: Connection, days: Days, found: Iterable[tuple[RowMapping, Kind | None, Advanced]]) -> None:
    rows = [
        {
            "of": row["id"],
            "to_step": came.stand.step.value if came.stand.step else "",
            "to_times": came.stand.times,
            "to_taken": came.stand.taken_ns,
            "to_next": came.next_ns,
            "to_weekday": came.is_by_weekday,
            "to_due": days.end_of(date.fromisoformat(row["day"])) if row["day"] else row["due_ns"],
        }
        for row, _, came in found
    ]
    if rows:
        values: dict[str, Any] = {
            "step": bindparam("to_step"), "times": bindparam("to_times"), "taken_ns": bindparam("to_taken"),
            "next_ns": bindparam("to_next"), "is_by_weekday": bindparam("to_weekday"),
            "due_ns": bindparam("to_due"),
        }  # fmt: skip
        connection.execute(update(duty).where(duty.c.id == bindparam("of")).values(values), rows)


class Reach:
    """Who a receiver is now, read once for a look."""

    def __init__(self, connection: Connection, site: Site, now_ns: int) -> None:
        self._there = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
        self._people = people(connection)
        self._contacts = contacts(connection)
        self._leaders = site.roster.leaders()
        #: A record says "Zhang San", a user is called zhang: by the title of the contact, where one has it alone.
        titles: defaultdict[str, list[str]] = defaultdict(list)
        for each in self._contacts.values():
            titles[each.title].append(each.person)
        self._by_title = {title: names[0] for title, names in titles.items() if title and len(names) == 1}

    def names(self, to: str, holder: str) -> list[str]:
        """Give who is meant; users who were disabled since are nobody."""
        if to == HOLDER and (holder == LEADER or holder.startswith((POST, PERSON))):
            return self.names(holder, "")
        if to == HOLDER:
            names = [holder if holder in self._people else self._by_title.get(holder, "")]
        elif to.startswith(PERSON):
            names = [to.removeprefix(PERSON)]
        else:
            posts = self._leaders if to == LEADER else {to.removeprefix(POST)}
            names = [each.watch.on_duty for each in self._there if each.watch.post in posts]
        return [name for name in dict.fromkeys(names) if name in self._people]

    def addressee(self, person: str, channel: str) -> Addressee:
        """Give how a person is reached by a channel."""
        contact = self._contacts.get(person)
        return Addressee(
            person=person,
            title=contact.title if contact else "",
            phone=contact.phone if contact else "",
            email=contact.email if contact else "",
            address=contact.addresses.get(channel, "") if contact else "",
        )


def _tell(
    connection: Connection, site: Site, main: Nature, told: Sequence[tuple[RowMapping, Kind, Taken]], now_ns: int
) -> int:
    """Write the steps down, and one message a person; give how many messages."""
    reach = Reach(connection, site, now_ns)
    channel = next((each for each in site.channels if each.id == site.duties.channel), None)
    steps: list[dict[str, Any]] = []
    bundles: defaultdict[tuple[str, Nature], list[tuple[dict[str, Any], Told]]] = defaultdict(list)
    for row, kind, taken in told:
        base = {
            "duty": row["id"], "what": taken.step.value, "number": taken.number, "planned_ns": taken.planned_ns,
            "time_ns": now_ns, "said": PASSED, "to": "", "person": "", "channel": "", "notice": "", "text": "",
        }  # fmt: skip
        if taken.is_passed:
            steps.append(base)
            continue
        nature = Nature(row["nature"]) if row["nature"] else main
        reached: set[str] = set()
        for to in site.duties.receivers(kind, taken.step):
            names = [name for name in reach.names(to, row["holder"]) if name not in reached]
            for name in names:
                step = base | {"said": PAGE, "to": to, "person": name}
                steps.append(step)
                if channel is not None and nature in channel.natures:
                    bundles[name, nature].append((step, _told(row, kind, taken, site)))
            reached |= set(names)
        if not reached:
            steps.append(base | {"said": NOBODY, "to": " ".join(site.duties.receivers(kind, taken.step))[:80]})
    for (person, nature), parts in bundles.items():
        assert channel is not None
        _send(connection, site, channel, nature, reach.addressee(person, channel.id), parts, now_ns)
    connection.execute(insert(duty_step), steps)
    return len(bundles)


def holder_said(holder: str, site: Site) -> Words:
    """Say who answers for a duty, for people: who leads the shift, a post by its title, a person by name."""
    return Words(owner_said(holder, site, "en"), owner_said(holder, site, "zh"))


def _told(row: RowMapping, kind: Kind, taken: Taken, site: Site) -> Told:
    moment = datetime.fromtimestamp(row["due_ns"] // NS, ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H:%M")
    return Told(
        duty=row["id"], kind=kind.id, step=taken.step, number=taken.number, title=kind.title, code=row["code"],
        about=row["title"], unit=row["unit"], due=row["day"] or moment, holder=row["holder"], basis=kind.basis,
        holder_said=holder_said(row["holder"], site),
    )  # fmt: skip


def _send(
    connection: Connection, site: Site, channel: Destination, nature: Nature, to: Addressee,
    parts: Sequence[tuple[dict[str, Any], Told]], now_ns: int,
) -> None:  # fmt: skip
    duties = sorted(f"{one.duty} {one.step.value} {one.number}" for _, one in parts)
    key = digest("duties", to.person, channel.id, *duties)
    for step, _ in parts:
        step |= {"said": TOLD, "channel": channel.id, "notice": key}
    time = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).isoformat(timespec="seconds")
    body = duty_body(
        [one for _, one in parts], to, key=key, site={"id": site.id, "title": dict(site.title)}, nature=nature.value,
        prefix=nature.prefix, time=time,
    )  # fmt: skip
    connection.execute(
        insert(outbox).values(
            key=key, destination=channel.id, chain=key, event="", nature=nature.value, action="call", tier=0,
            is_late=False, created_ns=now_ns, body=body, state="waiting", attempts=0, next_ns=now_ns, last_error="",
            delivered_ns=0, receipt="",
        )
    )  # fmt: skip
