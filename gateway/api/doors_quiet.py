"""What is quiet by design, what waits for a second person, and what came at once."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response
from sqlalchemy import Connection, select

from alerting.covers import Covers
from alerting.model.alarm import Suppression
from alerting.model.command import Verb
from gateway.api.acting import Acting, shown_request
from gateway.api.answer import Json
from gateway.api.asked import Id, Nothing
from gateway.api.door import ALL, OPERATE, SUPPRESS, Doors, person_of
from gateway.live import describe_flood
from gateway.store import schema
from gateway.store.floods import floods
from gateway.store.rows import request_of


def open_quiet_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    acting = Acting(house)

    async def suppressions() -> Response:
        """List the declared suppressions: whether their state holds now, how many alarms they cover and keep quiet."""
        site, rules = house.site, house.rules
        covers = Covers(site.philosophy.suppressions, rules, site.units)
        held: dict[str, list[bool]] = {}
        for alarm in house.picture.alarms.values():
            if alarm.suppression is Suppression.BY_DESIGN:
                held.setdefault(alarm.design, []).append(alarm.is_active)
        shown = []
        for gate, each in covers.of_gate.items():
            memory = house.memory(rules.tags[int(rules.row[gate])].nature)
            quiet = held.get(each.id, [])
            shown.append(
                {
                    "id": each.id,
                    "reason": dict(each.reason),
                    "when": each.when,
                    "units": list(each.units),
                    "tags": list(each.tags),
                    "groups": list(each.groups),
                    "tier_most": each.tier_most.name,
                    "holds": bool(memory.is_active[gate]),
                    "covered": covers.count(gate),
                    "suppressed": len(quiet),
                    "active": sum(quiet),
                }
            )
        return Json({"suppressions": shown})

    async def requests(
        state: Literal["open", "all"] = "open", limit: Annotated[int, Query(ge=1, le=1000)] = 200
    ) -> Response:
        """List what waits for a second person, or did, the last asked first."""

        def find(connection: Connection) -> list[object]:
            table = schema.request
            query = select(table).order_by(table.c.asked_ns.desc(), table.c.id).limit(limit)
            if state == "open":
                query = query.where(table.c.state == "open")
            return [shown_request(request_of(dict(row))) for row in connection.execute(query).mappings()]

        return Json({"requests": await house.read(find)})

    async def confirm(asked: Id, request: Request, body: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Confirm what another person asked for; it is done at once, in the name of both."""
        person_of(request)  # A token is nobody's second pair of eyes.
        return await acting.obey(acting.command(request, Verb.CONFIRM, asked))

    async def withdraw(asked: Id, request: Request, body: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Take back a request of one's own, or decline another's."""
        return await acting.obey(acting.command(request, Verb.WITHDRAW, asked))

    async def shown_floods(state: Literal["open", "all"] = "all") -> Response:
        """List floods, the last begun first: first-out, alarms by tier and unit."""
        found = await house.read(lambda c: floods(c, is_open=state == "open"))
        return Json({"floods": [describe_flood(each) for each in found]})

    doors.open("GET", "/api/v1/floods", ALL, shown_floods, tag="alarms")
    doors.open("GET", "/api/v1/suppressions", ALL, suppressions, tag="alarms")
    doors.open("GET", "/api/v1/requests", ALL, requests, tag="alarms")
    doors.open("POST", "/api/v1/requests/{asked}/confirm", SUPPRESS, confirm, tag="alarms")
    doors.open("POST", "/api/v1/requests/{asked}/withdraw", OPERATE, withdraw, tag="alarms")
