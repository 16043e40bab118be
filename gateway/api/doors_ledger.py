"""Events, register entries, response tasks, push, figures, audit, heads: what was committed."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from sqlalchemy import Connection

from alerting.model.alarm import State, Suppression
from alerting.model.tier import Tier
from gateway.api import queries
from gateway.api.answer import Json, not_found
from gateway.api.asked import Cursor, Done, Id, When, when_or_none
from gateway.api.door import ALL, AUDIT, OPERATE, Doors, user_of
from gateway.api.doors_incident import refused
from gateway.api.house import Act
from gateway.api.why_of import event_facts
from gateway.live import iso
from gateway.response.finish import finish as finish_step
from gateway.response.finish import task_of
from gateway.response.incidents import Refused
from gateway.why import Language, why

Limit = Annotated[int, Query(ge=1, le=1000)]
Name = Annotated[str | None, Query(max_length=160)]


def open_ledger_doors(doors: Doors) -> None:  # noqa: C901 - a list of routes
    """Declare them."""
    house = doors.house

    async def events(
        alarm: Name = None,
        unit: Name = None,
        begin: Annotated[When, Query(alias="from")] = None,
        end: Annotated[When, Query(alias="to")] = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> Response:
        """List events by event time, the last committed first."""
        from_ns, to_ns = when_or_none(begin, "from"), when_or_none(end, "to")
        found, more = await house.read(
            lambda c: queries.events(
                c, alarm=alarm, unit=unit, from_ns=from_ns, to_ns=to_ns, limit=limit, cursor=cursor
            )
        )
        return Json({"events": found, "next": more})

    async def entries(
        unit: Name = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> Response:
        """List register entries with their response tasks, the last opened first."""
        found, more = await house.read(
            lambda c: queries.entries(c, unit=unit, is_open=is_open, limit=limit, cursor=cursor)
        )
        return Json({"entries": found, "next": more})

    async def tasks(
        state: Literal["open", "waiting", "done", "void", "all"] = "open",
        unit: Name = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> Response:
        """List response tasks, the first due first."""
        wanted = None if state == "all" else state
        found, more = await house.read(lambda c: queries.tasks(c, state=wanted, unit=unit, limit=limit, cursor=cursor))
        return Json({"tasks": found, "next": more})

    async def finish(task: Id, asked: Done, request: Request) -> Response:
        """Mark a response task as done; one of an incident by whom it belongs to, with its answer."""
        now_ns, who = house.clock.wall_ns(), user_of(request).name
        facts = {"task": task, "note": asked.note, **({"answer": asked.answer} if asked.answer else {})}

        def write(c: Connection) -> dict[str, Any]:
            step = task_of(c, task)
            if step is None:
                return queries.finish_task(c, task, who, asked.note, now_ns)
            finish_step(c, house.site, step, who, asked.note, asked.answer, now_ns)
            return queries.task(c, task)

        try:
            done = await house.write(write, Act(who=who, what="task_done", time_ns=now_ns, facts=facts))
        except Refused as refusal:
            raise refused(refusal) from None
        return Json({"task": done})

    async def outbox(
        state: Literal["waiting", "delivered", "handed", "quarantined", "expired", "moved", "withdrawn"] | None = None,
        destination: Name = None,
        chain: Name = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> Response:
        """List notices with their receipts, the last composed first."""
        found, more = await house.read(
            lambda c: queries.notices(c, state=state, destination=destination, chain=chain, limit=limit, cursor=cursor)
        )
        return Json({"notices": found, "next": more})

    async def push_summary() -> Response:
        """Tell how each destination stands."""
        now_ns = house.clock.wall_ns()
        return Json({"destinations": await house.read(lambda c: queries.push_summary(c, house.site, now_ns))})

    async def kpi() -> Response:
        """Give the alarm load: rings in the last ten minutes, active, unacknowledged, per tier."""
        now_ns = house.clock.wall_ns()
        rings = await house.read(lambda c: queries.rings_since(c, now_ns - queries.FLOOD_NS))
        alarms = [alarm for alarm in house.picture.alarms.values() if not house.picture.is_exercise(alarm)]
        return Json(
            {
                "as_of": iso(now_ns),
                "rings_10_min": rings,
                "is_flood": rings > queries.FLOOD,
                "active": sum(alarm.is_active for alarm in alarms),
                "unacked": sum(alarm.state in (State.UNACK, State.RTN_UNACK) for alarm in alarms),
                "suppressed": sum(alarm.suppression is not Suppression.NONE for alarm in alarms),
                "tiers": {
                    tier.name: sum(alarm.is_active and alarm.tier is tier for alarm in alarms)
                    for tier in (Tier.RED, Tier.ORANGE, Tier.YELLOW, Tier.BLUE)
                },
            }
        )

    async def audit(limit: Limit = 200, cursor: Cursor = None) -> Response:
        """List what people did, the last first."""
        found, more = await house.read(lambda c: queries.audit(c, limit, cursor))
        return Json({"acts": found, "next": more})

    async def head() -> Response:
        """Give the last signed head of each chain of the journal."""
        return Json({"heads": await house.read(queries.heads)})

    doors.open("GET", "/api/v1/events", ALL, events, tag="ledger")
    _open_event_why(doors)
    doors.open("GET", "/api/v1/register/entries", ALL, entries, tag="ledger")
    doors.open("GET", "/api/v1/response/tasks", ALL, tasks, tag="ledger")
    doors.open("POST", "/api/v1/response/tasks/{task}/done", OPERATE, finish, tag="ledger")
    doors.open("GET", "/api/v1/push/outbox", ALL, outbox, tag="push")
    doors.open("GET", "/api/v1/push/summary", ALL, push_summary, tag="push")
    doors.open("GET", "/api/v1/kpi", ALL, kpi, tag="ledger")
    doors.open("GET", "/api/v1/audit", AUDIT, audit, tag="ledger")
    doors.open("GET", "/api/v1/head", ALL, head, tag="ledger")


def _open_event_why(doors: Doors) -> None:
    house = doors.house

    async def event_why(event: Annotated[str, Path(max_length=64)], lang: Language = "en") -> Response:
        """Say in one sentence why an event came to be, of an alarm, a unit or a person's act, with the facts."""
        facts = await house.read(lambda c: event_facts(c, event, house.site.tags))
        if facts is None:
            raise not_found("event", event)
        return Json({"sentence": why(facts, lang), "facts": facts})

    doors.open("GET", "/api/v1/events/{event}/why", ALL, event_why, tag="ledger")
