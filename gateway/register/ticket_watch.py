"""Tickets before the core: special work that begins, changes or ends, as the ledger of tickets says it.

Flow: tickets that are worked on (store), suppression by tickets (configuration) -> [wanted] -> commands -> next tick
Why: what a ticket keeps quiet follows the ledger however a ticket came into it, by form, list or another system; the
    core keeps it over a restart and ends it at the ticket's end by itself, also where nobody looks any more.
Never: keeps anything quiet for a ticket that was not approved, has not begun or was closed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from alerting.desk import Answer
from alerting.model.command import Command, Verb
from alerting.model.stop import Plan, Stop, StopKind
from alerting.model.ticket_cover import of_work
from alerting.register.ledgers.tickets import TICKETS
from gateway.config import Site
from gateway.means import Means, Standstill, look_on
from gateway.register.minutes import moment, next_minute_ns
from gateway.register.reading import Wanted, of_codes, page
from gateway.register.record import Record
from gateway.store.stops import open_stops

log = structlog.get_logger("register")

LOOK_S: Final = 5.0
#: Tickets that are worked on at once; a site with more has another trouble, and those beyond it ring.
TICKETS_MAX: Final = 2_000
WHO_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Special work that keeps alarms quiet: what the core knows it by.

    Attributes:
        code: Of its ticket.
        work: Its kind.
        unit: Hazard unit of the site.
        begins_ns, ends_ns: Receive times: when it really began, and the end of its ticket.
    """

    code: str
    work: str
    unit: str
    begins_ns: int
    ends_ns: int


def wanted(connection: Connection, site: Site, now_ns: int) -> dict[Work, str]:
    """Give the special work that keeps alarms quiet now, with its title."""
    tickets = page(connection, TICKETS.id, limit=TICKETS_MAX, wanted=Wanted(states=["working"]))
    tickets = [one for one in tickets if of_work(site.philosophy.tickets, str(one.values["kind"]))]
    named = sorted({str(one.values["dossier"]) for one in tickets if not one.unit and one.values.get("dossier")})
    dossiers = of_codes(connection, "units", named) if named else {}
    with_tags = {tag.unit for tag in site.tags}
    found = {}
    for one in tickets:
        dossier = dossiers.get(str(one.values.get("dossier", "")))
        work = _work(one, one.unit or (dossier.unit if dossier else ""), ZoneInfo(site.timezone))
        if work.unit in with_tags and work.begins_ns <= now_ns < work.ends_ns:
            found[work] = one.title
    return found


def _work(ticket: Record, unit: str, zone: ZoneInfo) -> Work:
    values = ticket.values
    begins, ends = moment(values["begun_at"], zone), moment(values["until"], zone)
    return Work(code=ticket.code, work=str(values["kind"]), unit=unit, begins_ns=begins, ends_ns=ends)


def work_of(stop: Stop) -> Work:
    """Give what the core knows a ticket by."""
    return Work(code=stop.permit, work=stop.work, unit=stop.unit, begins_ns=stop.begins_ns, ends_ns=stop.ends_ns)


def commands(asked: dict[Work, str], stops: Sequence[Stop], now_ns: int) -> list[Command]:
    """Give what the core is to be told, so that it knows what is asked and nothing else.

    What begins stands before what ends: a ticket with another end keeps its alarms quiet without a gap.
    """
    known = {work_of(stop) for stop in stops}
    begun = [
        Command(
            verb=Verb.STOP, alarm="", who=_who(work.code), received_ns=now_ns, reason=title, permit=work.code,
            until_ns=work.ends_ns,
            plan=Plan(kind=StopKind.TICKET, unit=work.unit, begins_ns=work.begins_ns, work=work.work),
        )
        for work, title in asked.items()
        if work not in known
    ]  # fmt: skip
    ended = [
        Command(
            verb=Verb.RESUME, alarm=stop.id, who=_who(stop.permit), received_ns=now_ns,
            reason="the ticket says so", plan=Plan(kind=StopKind.TICKET, unit=stop.unit, work=stop.work),
        )
        for stop in stops
        if work_of(stop) not in asked and stop.ends_ns > now_ns
    ]  # fmt: skip
    return begun + ended


def _who(code: str) -> str:
    return f"ticket:{code}"[:WHO_MAX]


class TicketWatch:
    """Looks every few seconds which special work goes on, while the gateway runs."""

    def __init__(self, means: Means, command: Callable[[Sequence[Command]], Awaitable[Sequence[Answer]]]) -> None:
        self._means, self._command = means, command
        self._still = Standstill(means.changes)
        self._may_hold = True  # What an earlier life or configuration let fall quiet is looked for too.

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "work tickets", self.turn, lambda _: LOOK_S, self._still)

    async def turn(self) -> int:
        """Look once; give how many things the core was told. Where nothing is declared, nothing is read."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        if not site.philosophy.tickets and not self._may_hold:
            return 0
        count, by = self._means.changes.count, (site.philosophy.tickets, site.timezone, site.tags)
        if self._still.holds(*by, now_ns=now_ns):
            return 0
        asked, stops = await self._means.read(lambda connection: _look(connection, site, now_ns))
        told = commands(asked, stops, now_ns)
        self._may_hold = bool(stops or told)
        if not told:
            self._still.keep(count, *by, now_ns=now_ns, due_ns=next_minute_ns(now_ns))
        for answer in await self._command(told) if told else ():
            if answer.refused is not None:
                log.warning("tickets.refused", ticket=answer.command.permit, said=answer.refused["en"])
        return len(told)


def _look(connection: Connection, site: Site, now_ns: int) -> tuple[dict[Work, str], list[Stop]]:
    stops = [stop for stop in open_stops(connection) if stop.kind is StopKind.TICKET]
    return wanted(connection, site, now_ns), stops
