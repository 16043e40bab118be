"""Declared stops and overhauls of devices: declare, extend, say that the device is back; the stop history."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.covers import places_of, tags_under
from alerting.model.command import Command, Verb
from alerting.model.stop import Plan, Stop, StopKind, StopState
from alerting.register.field import Words
from gateway.api.acting import Acting, shown_request
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id, Reason, when
from gateway.api.door import ALL, SUPPRESS, Doors
from gateway.live import iso
from gateway.response.restart import held_by
from gateway.store.stops import one_stop, open_stops, past_stops

TAGS_MOST = 500


class Declared(BaseModel):
    """What is down and why, from when to when; a unit with everything under it, or some tags."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal[StopKind.STOPPED, StopKind.OVERHAUL]
    unit: str = Field(default="", max_length=64)
    tags: list[str] = Field(default_factory=list, max_length=TAGS_MOST)
    begins: str | None = Field(default=None, max_length=40, description="ISO 8601 with offset, or ns; null for now.")
    ends: str = Field(max_length=40, description="ISO 8601 with offset, or ns since 1970-01-01 UTC.")
    reason: str = Field(min_length=1, max_length=2000)
    permit: str = Field(default="", max_length=64, description="Number of the permit to work.")


class Extended(BaseModel):
    """Another end, and why."""

    model_config = ConfigDict(extra="forbid")
    ends: str = Field(max_length=40, description="ISO 8601 with offset, or ns since 1970-01-01 UTC.")
    reason: str = Field(min_length=1, max_length=2000)


def shown_stop(stop: Stop) -> dict[str, Any]:
    """Give a stop as JSON values."""
    return {
        "id": stop.id,
        "design": stop.design,
        "kind": stop.kind.value,
        "state": stop.state.value,
        "nature": stop.nature.value,
        "unit": stop.unit,
        "tags": list(stop.tags),
        "is_whole": stop.is_whole,
        "covered": stop.covered,
        "left": stop.left,
        "reason": stop.reason,
        "permit": stop.permit,
        "who": stop.who,
        "confirmed_by": stop.confirmed_by,
        "declared": iso(stop.declared_ns),
        "begins": iso(stop.begins_ns),
        "ends": iso(stop.ends_ns),
        "began": iso(stop.began_ns),
        "over_by": stop.over_by,
        "over": iso(stop.over_ns),
        "note": stop.note,
        "work": stop.work,
    }


def open_stop_doors(doors: Doors) -> None:  # noqa: C901 - a list of routes
    """Declare them."""
    house = doors.house
    acting = Acting(house)

    async def stops(
        state: Literal["open", "over"] = "open",
        unit: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """List stops: open ones by their end, those that are over the last declared first."""

        def find(connection: Connection) -> tuple[Sequence[Stop], int]:
            if state == "over":
                return past_stops(connection, unit, limit, offset)
            found = [stop for stop in open_stops(connection) if unit in (None, stop.unit)]
            return found[offset : offset + limit], len(found)

        found, total = await house.read(find)
        overdue = sum(stop.state is StopState.OVERDUE for stop in found)
        return Json({"stops": [shown_stop(stop) for stop in found], "total": total, "overdue": overdue})

    async def look(unit: Annotated[str, Query(max_length=64)]) -> Response:
        """Say what a stop of a unit would keep quiet, and which tags have alarms that go on ringing."""
        site, rules = house.site, house.rules
        if unit not in {each.id for each in site.units}:
            raise not_found("hazard unit", unit)
        quiet, grave = places_of(tags_under(unit, rules, site.units), rules, None, site.philosophy.stop.tier_most)
        policy = site.philosophy.stop
        return Json(
            {
                "unit": unit,
                "covered": len(quiet),
                "left": sorted({rules.alarms[place][0] for place in grave}),
                "tags": sorted({rules.alarms[place][0] for place in quiet}),
                "days_most": policy.days_most,
                "needs_permit": policy.needs_permit,
                "tier_most": policy.tier_most.name,
            }
        )

    async def one(stop: Id) -> Response:
        """Give one stop."""
        found = await house.read(lambda c: one_stop(c, stop))
        if found is None:
            raise not_found("stop", stop)
        return Json(shown_stop(found))

    async def obey(command: Command) -> Response:
        (answer,) = await acting.ask([command])
        if answer.refused is not None:
            raise ApiError(409, answer.refused["en"], details=answer.refused)
        return Json(
            {"stop": None if answer.stop is None else shown_stop(answer.stop), "request": shown_request(answer.request)}
        )

    async def declare(asked: Declared, request: Request) -> Response:
        """Declare that a device is down, from when to when; its alarms are quiet by design meanwhile."""
        if bool(asked.unit) == bool(asked.tags):
            raise ApiError(422, "unit, tags: name a unit, or some tags.")
        begins_ns = 0 if asked.begins is None else when(asked.begins, "begins")
        plan = Plan(kind=asked.kind, unit=asked.unit, tags=tuple(asked.tags), begins_ns=begins_ns)
        ends_ns, permit = when(asked.ends, "ends"), asked.permit.strip()
        return await obey(
            acting.command(request, Verb.STOP, plan=plan, reason=asked.reason, until_ns=ends_ns, permit=permit)
        )

    async def extend(stop: Id, asked: Extended, request: Request) -> Response:
        """Give a stop another end."""
        ends_ns = when(asked.ends, "ends")
        return await obey(acting.command(request, Verb.EXTEND, stop, reason=asked.reason, until_ns=ends_ns))

    async def resume(stop: Id, asked: Reason, request: Request) -> Response:
        """Say that the device is back; before its beginning, that it is not stopped at all.

        Refused while an incident holds its unit.
        """

        def held(connection: Connection) -> Words | None:
            known = one_stop(connection, stop)
            if known is None or known.state is StopState.PLANNED:
                return None
            return held_by(connection, known.unit, known.nature)

        said = await house.read(held)
        if said is not None:
            raise ApiError(409, said.en, code="held", details=said.both())
        return await obey(acting.command(request, Verb.RESUME, stop, reason=asked.reason))

    at = "/api/v1/stops"
    doors.open("GET", at, ALL, stops, tag="alarms")
    doors.open("GET", f"{at}/look", ALL, look, tag="alarms")
    doors.open("GET", f"{at}/{{stop}}", ALL, one, tag="alarms")
    doors.open("POST", at, SUPPRESS, declare, tag="alarms")
    doors.open("POST", f"{at}/{{stop}}/extend", SUPPRESS, extend, tag="alarms")
    doors.open("POST", f"{at}/{{stop}}/resume", SUPPRESS, resume, tag="alarms")
