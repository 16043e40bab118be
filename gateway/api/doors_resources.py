"""Resources through their doors: nearest and free from a unit; reserved, used up, given back at an incident.

Flow: act -> [one transaction with its line in the audit chain] -> the incident, or a sentence by language
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.answer import Json, not_found
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.doors_incident import Number, acted, tried
from gateway.register.around import today_of
from gateway.register.record import By
from gateway.response import resources
from gateway.response.incident_shown import told

Sort = Literal["", "team", "expert", "vehicle", "material", "shelter", "hospital"]
Amount = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Hold = Annotated[str, Path(min_length=1, max_length=32)]


class Reserved(BaseModel):
    """Which resource; of a material how much, in the unit of its stock."""

    model_config = ConfigDict(extra="forbid")
    resource: str = Field(min_length=1, max_length=64)
    quantity: Amount | None = None


class Used(BaseModel):
    """How much was used up, in the unit of the stock."""

    model_config = ConfigDict(extra="forbid")
    quantity: Amount


def open_resource_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed(unit: Annotated[str, Query(max_length=64)] = "", sort: Sort = "") -> Response:
        """List resources: what is free first, then the nearest to the unit, m along the ellipsoid."""
        if unit and unit not in {each.id for each in house.site.units}:
            raise not_found("unit", unit)
        today = today_of(house.site, house.clock.wall_ns()).isoformat()

        def find(c: Connection) -> dict[str, Any]:
            place, found, is_whole = resources.near(c, unit, sort, today)
            rows = [resources.near_shown(one) for one in found]
            return {"unit": unit, "position": place, "resources": rows, "is_whole": is_whole}

        return Json(await house.read(find))

    async def done(
        request: Request, number: int, what: str, facts: dict[str, Any], do: Callable[[Connection, By], object]
    ) -> Response:
        user, now_ns = user_of(request), house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            do(c, By(who=user.name, time_ns=now_ns, reason=f"incident {number}"))
            return told(c, house.site, number, now_ns)

        audited = acted(user, what, now_ns, {"incident": number, **facts})
        return Json(await tried(house.write(write, audited)))

    async def reserve(number: Number, asked: Reserved, request: Request) -> Response:
        """Reserve a resource for an incident; refused where another one has it, or so much is not there."""

        def do(c: Connection, by: By) -> object:
            return resources.reserve(c, house.site, number, asked.resource, asked.quantity, by)

        return await done(request, number, "resource_reserved", asked.model_dump(), do)

    async def use(number: Number, hold: Hold, asked: Used, request: Request) -> Response:
        """Write down what of a reserved material is used up; the stock goes down."""

        def do(c: Connection, by: By) -> None:
            resources.use(c, house.site, number, hold, asked.quantity, by)

        return await done(request, number, "resource_used", {"hold": hold, **asked.model_dump()}, do)

    async def release(number: Number, hold: Hold, request: Request) -> Response:
        """Give back what is reserved and not used up."""

        def do(c: Connection, by: By) -> None:
            resources.release(c, number, hold, by)

        return await done(request, number, "resource_released", {"hold": hold}, do)

    at = "/api/v1/response/incidents/{number}/resources"
    doors.open("GET", "/api/v1/response/resources", ALL, listed, tag="response")
    doors.open("POST", at, OPERATE, reserve, tag="response")
    doors.open("POST", f"{at}/{{hold}}/use", OPERATE, use, tag="response")
    doors.open("POST", f"{at}/{{hold}}/release", OPERATE, release, tag="response")
