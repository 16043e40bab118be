"""Consequence zones through their doors: worked out from live tags, kept on an incident, confirmed by a named person.

Flow: source, hole, wind -> [compute] -> result, kept where an incident is named;  revision -> [confirm] -> notices
"""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.model.zone_source import ZoneSource
from alerting.register.field import Words
from alerting.response.zone.substances import SUBSTANCES
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, OPERATE, Doors, person_of, user_of
from gateway.api.doors_incident import Number, Reason, acted, check_leads, refused, tried
from gateway.api.house import House
from gateway.auth import User
from gateway.response import zones
from gateway.response.incidents import Refused, get
from gateway.response.zone_work import Asked, geojson, inputs
from gateway.response.zones import Deciding

AT = "/api/v1/response/zones"
GEOJSON = "application/geo+json"
REVISIONS_MAX = 200
Zone = Annotated[str, Path(min_length=1, max_length=64)]


class Computing(BaseModel):
    """What is asked for instead of what is configured and measured; an incident keeps the result."""

    model_config = ConfigDict(extra="forbid")
    hole_mm: Literal[5, 25, 100] | None = None
    wind_m_s: float | None = Field(default=None, ge=0, le=60, allow_inf_nan=False)
    from_deg: float | None = Field(default=None, ge=0, le=360, allow_inf_nan=False)
    incident: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Sky(BaseModel):
    """Cloud in eighths; null: nobody knows."""

    model_config = ConfigDict(extra="forbid")
    eighths: int | None = Field(ge=0, le=8)


class Confirmed(BaseModel):
    """Which level goes into notices, and why."""

    model_config = ConfigDict(extra="forbid")
    level: str = Field(min_length=1, max_length=8)
    reason: Reason


class Withdrawn(BaseModel):
    """Why it does no longer."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


def open_zone_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed() -> Response:
        """List the places a zone can be worked out for, with what their tags say now, and the sky as it was set."""
        now_ns = house.clock.wall_ns()
        sky = await house.read(lambda c: zones.cloud(c, now_ns))
        told = [
            {
                "id": one.id,
                "title": dict(one.title),
                "unit": one.unit,
                "substance": {
                    "cas": one.substance,
                    "en": SUBSTANCES[one.substance].en,
                    "zh": SUBSTANCES[one.substance].zh,
                },
                "phase": one.phase,
                "place": list(one.place),
                "hole_mm": one.hole_mm,
                "inputs": [
                    each.shown()
                    for each in inputs(one, house.picture, now_ns, Asked()).values()
                    if each.state != "none"
                ],
            }
            for one in house.site.zones
        ]
        return Json({"zones": told, "cloud": sky})

    async def compute(zone: Zone, asked: Computing, request: Request) -> Response:
        """Work a zone out now, with another hole or wind where asked; kept where an open incident is named."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        if (asked.wind_m_s is None) != (asked.from_deg is None):
            said = Words("A wind has speed and direction; give both or neither.", "风速和风向应同时填写或都不填。")
            raise ApiError(422, said.en, details=said.both())
        source = _sourced(house, zone)
        sky = await house.read(lambda c: zones.eighths_now(c, now_ns))
        body = await house.zones.compute(
            source,
            Asked(
                hole_mm=asked.hole_mm, wind_m_s=asked.wind_m_s, from_deg=asked.from_deg, cloud_eighths=sky,
                since_ns=now_ns,
            ),
        )  # fmt: skip
        number = asked.incident
        if number is None:
            return Json({"number": None, "body": body})
        facts = {"incident": number, "zone": zone, "asked": asked.model_dump(exclude={"incident"})}

        def write(c: Connection) -> dict[str, Any]:
            return zones.told(c, zones.keep(c, number, body, user.name, now_ns))

        return Json(await tried(house.write(write, acted(user, "zone_computed", now_ns, facts))))

    async def sky(asked: Sky, request: Request) -> Response:
        """Keep the cloud as a person sees it; it holds for three hours."""
        user, now_ns = user_of(request), house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            zones.set_cloud(c, user.name, now_ns, asked.eighths)
            return {"cloud": zones.cloud(c, now_ns)}

        return Json(await house.write(write, acted(user, "cloud_set", now_ns, {"eighths": asked.eighths})))

    doors.open("GET", AT, ALL, listed, tag="response")
    doors.open("POST", f"{AT}/cloud", OPERATE, sky, tag="response")
    doors.open("POST", f"{AT}/{{zone}}/compute", OPERATE, compute, tag="response")
    _open_revision_doors(doors)


def _open_revision_doors(doors: Doors) -> None:
    house = doors.house

    async def of_incident(number: Number, limit: Annotated[int, Query(ge=1, le=REVISIONS_MAX)] = 50) -> Response:
        """Give the zones of an incident: the last revision of each whole, the earlier ones in brief."""

        def find(c: Connection) -> dict[str, Any]:
            get(c, number)
            last = zones.last_of(c, [number])
            return {
                "zones": [zones.shown(c, row) for row in last.values()],
                "revisions": zones.revisions_of(c, number, limit),
            }

        return Json(await tried(house.read(find)))

    async def one(number: Number) -> Response:
        """Give one revision with what persons said of it."""
        return Json(await tried(house.read(lambda c: zones.told(c, number))))

    async def drawn(number: Number) -> Response:
        """Give one revision as GeoJSON, WGS 84."""
        found = await tried(house.read(lambda c: zones.told(c, number)))
        answer = Json(geojson(found["body"]))
        answer.headers["content-type"] = GEOJSON
        return answer

    async def decided(number: int, user: User, what: str, asked: Confirmed | Withdrawn) -> Response:
        now_ns = house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            check_leads(c, house, zones.told(c, number)["incident"], user, now_ns)
            by = Deciding(revision=number, who=user.name, reason=asked.reason, time_ns=now_ns)
            if isinstance(asked, Confirmed):
                return zones.confirm(c, by, asked.level)
            return zones.withdraw(c, by)

        facts = {"revision": number, **asked.model_dump()}
        return Json(await tried(house.write(write, acted(user, what, now_ns, facts))))

    async def confirm(number: Number, asked: Confirmed, request: Request) -> Response:
        """Let one level of a revision go into notices, by name: a person, never a token."""
        return await decided(number, person_of(request), "zone_confirmed", asked)

    async def withdraw(number: Number, asked: Withdrawn, request: Request) -> Response:
        """Take the confirmation back: notices carry the zone no longer."""
        return await decided(number, person_of(request), "zone_withdrawn", asked)

    doors.open("GET", "/api/v1/response/incidents/{number}/zones", ALL, of_incident, tag="response")
    doors.open("GET", f"{AT}/revisions/{{number}}", ALL, one, tag="response")
    doors.open("GET", f"{AT}/revisions/{{number}}/geojson", ALL, drawn, tag="response")
    doors.open("POST", f"{AT}/revisions/{{number}}/confirm", OPERATE, confirm, tag="response")
    doors.open("POST", f"{AT}/revisions/{{number}}/withdraw", OPERATE, withdraw, tag="response")


def _sourced(house: House, name: str) -> ZoneSource:
    try:
        return house.zones.source(name)
    except Refused as refusal:
        raise refused(refusal) from None
