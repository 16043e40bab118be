"""Crowd zones: time to capacity, how many may be let in, actions confirmed by whoever is in charge, public displays.

Flow: crowd watch, store -> [doors] -> page;  act -> [one transaction with its line in the audit chain] -> action
"""

from typing import Annotated, Any

import orjson
from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.register.field import Words
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, OPERATE, PUBLIC, REGISTER, Doors, user_of
from gateway.api.doors_incident import Number, acted, tried
from gateway.api.house import House
from gateway.auth import User
from gateway.live import iso
from gateway.response import crowd_acts, displays, incidents
from gateway.response.crowd_watch import Now, let_in, shown
from gateway.response.finish import reached
from gateway.response.incidents import Refused
from gateway.system import main_nature

TOKEN_MOST = 128
Name = Annotated[str, Path(min_length=1, max_length=32)]


class Decided(BaseModel):
    """Why; a confirmation may go without."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=2000)


class Reasoned(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


class NewDisplay(BaseModel):
    """What it is called, and the zones that it shows."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    zones: list[str] = Field(min_length=1, max_length=6)


def open_crowd_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def crowd() -> Response:
        """Give each zone with its forecast and advice, and the actions that were offered."""
        acts = await house.read(crowd_acts.listed)
        zones = [shown(one) for one in house.crowd_watch.now()]
        return Json({"time": iso(house.clock.wall_ns()), "zones": zones, "actions": acts})

    async def confirm(number: Number, asked: Decided, request: Request) -> Response:
        """Confirm an action that is offered: it is done from now on, and who is to be told is told."""
        return await _act(house, number, request, "crowd_confirmed", asked.reason)

    async def decline(number: Number, asked: Reasoned, request: Request) -> Response:
        """Decline an action that is offered, with a reason."""
        return await _act(house, number, request, "crowd_declined", asked.reason)

    async def end(number: Number, asked: Reasoned, request: Request) -> Response:
        """End an action that goes on; who was told that it began is told."""
        return await _act(house, number, request, "crowd_ended", asked.reason)

    at = "/api/v1/response/crowd"
    doors.open("GET", at, ALL, crowd, tag="response")
    for name, door in (("confirm", confirm), ("decline", decline), ("end", end)):
        doors.open("POST", f"{at}/actions/{{number}}/{name}", OPERATE, door, tag="response")
    _open_display_doors(doors, at)


def _open_display_doors(doors: Doors, at: str) -> None:
    house = doors.house

    async def listed() -> Response:
        """List the public displays that are good; their links are not kept."""
        return Json({"displays": await house.read(displays.listed)})

    async def make(asked: NewDisplay, request: Request) -> Response:
        """Make a public display; the answer has its token for the only time."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        known = {one.zone for one in house.site.crowd.responses}
        if wrong := [zone for zone in asked.zones if zone not in known]:
            en = f"Zone {wrong[0]} has no [[crowd_response]] in the site file."
            said = Words(en, f"站点文件中没有区域 {wrong[0]} 的 [[crowd_response]]。")
            raise ApiError(422, said.en, code="unknown_zone", details=said.both())
        zones = list(dict.fromkeys(asked.zones))
        facts = {"title": asked.title, "zones": zones}
        name, token = await tried(
            house.write(
                lambda c: displays.make(c, asked.title, zones, user.name, now_ns),
                acted(user, "display_made", now_ns, facts),
            )
        )
        return Json({"id": name, "token": token})

    async def close(display: Name, request: Request) -> Response:
        """End a public display: its link opens nothing any more."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        audited = acted(user, "display_ended", now_ns, {"display": display})
        title = await tried(house.write(lambda c: displays.end(c, display, user.name, now_ns), audited))
        return Json({"title": title})

    async def public(request: Request) -> Response:
        """Give what a public display shows, by its token as ``Authorization: Bearer``."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer" and 0 < len(token) <= TOKEN_MOST:
            found = await house.read(lambda c: displays.find(c, token.strip()))
        if found is None:
            said = Words("This link shows nothing; it was ended or is not whole.", "该链接无效：已停用或不完整。")
            raise ApiError(401, said.en, code="no_display", details=said.both())
        zones = orjson.loads(found["zones"])
        going = await house.read(lambda c: crowd_acts.going_on(c, zones, main_nature(house.site)))
        now = {one.response.zone: one for one in house.crowd_watch.now()}
        site = house.site
        return Json(
            {
                "time": iso(house.clock.wall_ns()), "timezone": site.timezone, "site": dict(site.title),
                "title": found["title"], "nature": main_nature(site).value,
                "zones": [_seen(zone, now.get(zone), going) for zone in zones],
            }
        )  # fmt: skip

    doors.open("GET", f"{at}/displays", REGISTER, listed, tag="response")
    doors.open("POST", f"{at}/displays", REGISTER, make, tag="response")
    doors.open("POST", f"{at}/displays/{{display}}/end", REGISTER, close, tag="response")
    doors.open("GET", "/api/v1/display", PUBLIC, public, tag="response")


def _seen(zone: str, one: Now | None, going: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a zone as everybody may see it; without a head count its state is unknown, whatever the tier says."""
    if one is None or one.zone is None or one.persons is None:
        known = iso(one.known_ns) if one is not None and one.known_ns else None
        name = zone if one is None or one.zone is None else one.zone.name
        return {
            "name": name, "state": "unknown", "tier": "NONE", "persons": None, "takes": None, "percent": None,
            "let_in_min": None, "known": known, "is_doubtful": False, "actions": [],
        }  # fmt: skip
    mine = [each for each in going if each["zone"] == zone]
    is_held = any(each["measure"] == "hold_gates" for each in mine)  # Then nobody is told to enter.
    is_full = one.advice is not None and one.advice.limit == "full"
    state = "full" if is_full else "busy" if one.tier > 0 else "open"
    return {
        "name": one.zone.name, "state": state, "tier": one.tier.name, "persons": round(one.persons),
        "takes": one.takes, "percent": None if one.takes <= 0 else round(100 * one.persons / one.takes),
        "let_in_min": 0.0 if is_held else let_in(one), "known": iso(one.known_ns), "is_doubtful": one.is_doubtful,
        "actions": mine,
    }  # fmt: skip


async def _act(house: House, number: int, request: Request, what: str, reason: str) -> Response:
    user, now_ns = user_of(request), house.clock.wall_ns()

    def write(c: Connection) -> list[dict[str, Any]]:
        check_in_charge(c, house, crowd_acts.get(c, number)["unit"], user, now_ns)
        if what == "crowd_confirmed":
            crowd_acts.confirm(c, house.site, number, user.name, reason, now_ns)
        elif what == "crowd_declined":
            crowd_acts.decline(c, number, user.name, reason, now_ns)
        else:
            crowd_acts.end(c, house.site, number, user.name, reason, now_ns)
        return crowd_acts.listed(c)

    facts = {"number": number, "reason": reason}
    acts = await tried(house.write(write, acted(user, what, now_ns, facts)))
    house.wake_push()  # A system of the site may have to be told.
    return Json({"actions": acts})


def check_in_charge(connection: Connection, house: House, unit: str, user: User, now_ns: int) -> None:
    """Refuse who is not in charge: the commander of the unit's incident, a safety officer, or who leads the shift.

    Where nobody leads the shift anybody who may operate decides; a gate must not wait for a roster.

    Raises:
        Refused: It is somebody else.
    """
    if user.role in REGISTER:
        return
    there = incidents.open_of(connection, unit, main_nature(house.site))
    leaders = reached(connection, house.site, "leader", now_ns)
    if not leaders or user.name in leaders or user.name in {one["commander"] for one in there}:
        return
    names = ", ".join(leaders)
    en = f"Who leads the shift decides that ({names}), the commander of the incident, or a safety officer."
    raise Refused("not_yours", Words(en, f"须由带班领导（{names}）、事件指挥人或安全员决定。"))
