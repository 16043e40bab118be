"""Risks of the site: grades of its risk units, map, notice, how an event was graded; instruments that are overdue.

Flow: request -> [gather: store] -> [put together: with live alarms] -> answer
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from sqlalchemy import Connection

from gateway.api.answer import Json, not_found
from gateway.api.asked import Id
from gateway.api.door import ALL, Doors
from gateway.disposal import photos
from gateway.live import iso
from gateway.register import capacity, event_sheet, risks
from gateway.register.around import today_of
from gateway.register.instruments import standing
from gateway.register.minutes import minute
from gateway.register.reading import get
from gateway.register.record import NotDone

GEOJSON = "application/geo+json"
AT = "/api/v1/register/risks"
Code = Annotated[str, Query(max_length=64)]


def open_risk_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed() -> Response:
        """List the risk units with their inherent, current and dynamic grade, and what is not whole."""
        found = await house.read(risks.gather)
        return Json(risks.put_together(found, house.picture, today_of(house.site, house.clock.wall_ns())))

    async def notice(code: Code) -> Response:
        """Give what stands on the notice and the card of a risk unit."""
        found = await house.read(risks.gather)
        try:
            return Json(risks.notice(found, code))
        except NotDone:
            raise not_found("risk unit", code) from None

    async def gradings(event: Id) -> Response:
        """Give every grading that a risk event ever had, the newest first."""

        def query(c: Connection) -> list[dict[str, object]]:
            return risks.gradings(c, get(c, "risk_events", event).id)

        try:
            found = await house.read(query)
        except NotDone:
            raise not_found("risk event", event) from None
        return Json({"gradings": [{**one, "time": iso(int(str(one["time_ns"])))} for one in found]})

    async def instruments() -> Response:
        """Give the instruments that are overdue or bypassed, by the tag that each gives, and how many there are."""
        today = today_of(house.site, house.clock.wall_ns()).isoformat()
        return Json(await house.read(lambda c: standing(c, today)))

    async def capacities() -> Response:
        """Give how many persons each crowd zone takes, worked out step by step, and how many are there now."""
        found = await house.read(capacity.gather)
        return Json(capacity.sheet(found, house.picture, _minute()))

    async def events() -> Response:
        """Give the large events that run or are to come: what they replace, in which zones, and what is to be done."""
        found = await house.read(event_sheet.gather)
        return Json(event_sheet.sheet(found, house.picture, _minute()))

    def _minute() -> str:
        return minute(house.clock.wall_ns(), ZoneInfo(house.site.timezone))

    doors.open("GET", AT, ALL, listed, tag="register")
    doors.open("GET", "/api/v1/register/instruments", ALL, instruments, tag="register")
    doors.open("GET", "/api/v1/register/capacity", ALL, capacities, tag="register")
    doors.open("GET", "/api/v1/register/events", ALL, events, tag="register")
    _open_map_doors(doors)
    doors.open("GET", f"{AT}/notice", ALL, notice, tag="register")
    doors.open("GET", f"{AT}/gradings/{{event}}", ALL, gradings, tag="register")


def _open_map_doors(doors: Doors) -> None:
    house = doors.house

    async def drawn() -> Response:
        """Give the risk map in four colours as GeoJSON, WGS 84."""
        found = await house.read(risks.gather)
        answer = Json(risks.features(found, house.picture, today_of(house.site, house.clock.wall_ns())))
        answer.headers["content-type"] = GEOJSON
        return answer

    async def plan(of: Annotated[str, Query(pattern="^[0-9a-f]{64}$")]) -> Response:
        """Give the picture that the map lies on, by its digest: it may be kept for ever."""
        known = house.site.risk.plan
        content = None if known is None or known.digest != of else house.site.files.get(known.file)
        if known is None or content is None:
            raise not_found("site plan", of)
        return Response(content, media_type=known.type, headers=photos.INERT)

    doors.open("GET", f"{AT}/map", ALL, drawn, tag="register")
    doors.open("GET", f"{AT}/plan", ALL, plan, tag="register")
