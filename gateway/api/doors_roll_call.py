"""Roll-call through its doors: access data come in, a roll-call begins, people are ticked off, counted, looked for.

Flow: program of the gates -> [POST access] -> who is inside;  act -> [one transaction with its line in the audit chain]
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.model.roll_call import Heard
from alerting.register.field import Words
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.doors_incident import Number, Reason, acted, check_leads, tried
from gateway.api.house import House
from gateway.response import access, roll_call
from gateway.response.access import Inside
from gateway.response.incidents import get
from gateway.response.roll_call import Acting, Word

System = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
Point = Annotated[str, Field(max_length=64)]
Note = Annotated[str, Field(max_length=500)]
LIST_MAX = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Person(BaseModel):
    """Somebody who is inside, as the system at the gate knows it."""

    model_config = ConfigDict(extra="forbid")
    card: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=100)
    company: str = Field(default="", max_length=200)
    unit: str = Field(default="", max_length=64)
    since: AwareDatetime | None = None


class People(BaseModel):
    """Everybody who is inside at a time; who is not named is not inside."""

    model_config = ConfigDict(extra="forbid")
    time: AwareDatetime
    persons: list[Person] = Field(max_length=LIST_MAX)


class Begun(BaseModel):
    """Of which hazard unit, empty for the whole site, and why."""

    model_config = ConfigDict(extra="forbid")
    unit: str = Field(default="", max_length=64)
    reason: Reason


class Ended(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class Marked(BaseModel):
    """Who on the list, by place, and what is heard of them."""

    model_config = ConfigDict(extra="forbid")
    places: list[Annotated[int, Field(ge=1, le=10**6)]] = Field(min_length=1, max_length=500)
    state: Heard
    point: Point = ""
    note: Note = ""


class Added(BaseModel):
    """Somebody who stands on no list."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    company: str = Field(default="", max_length=200)
    state: Heard = Heard.SAFE
    point: Point = ""
    note: Note = ""


class Counted(BaseModel):
    """How many stand at a point whose names nobody has."""

    model_config = ConfigDict(extra="forbid")
    point: str = Field(min_length=1, max_length=64)
    persons: int = Field(ge=0, le=10**6)
    note: Note = ""


def open_roll_call_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def inside(unit: Annotated[str, Query(max_length=64)] = "") -> Response:
        """Say how old the access data are, and what the counters say; no names."""
        now_ns = house.clock.wall_ns()
        told = await house.read(lambda c: (access.systems(c, house.site, now_ns), roll_call.zones_of(c, unit)))
        return Json({"systems": told[0], "heads": roll_call.counted(told[1], house.picture)})

    async def put(system: System, asked: People, request: Request) -> Response:
        """Take the list of everybody who is inside from the system at the gates; it replaces the one before."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        persons = [_inside(one) for one in asked.persons]
        if len({one.card for one in persons}) < len(persons):
            said = Words("A card stands twice in the list.", "名单中有重复的卡号。")
            raise ApiError(422, said.en, code="card_twice", details=said.both())
        time_ns = _ns(asked.time)
        left, came = await tried(
            house.write(lambda c: access.put(c, system, persons, time_ns, user.name, now_ns))
        )  # fmt: skip
        return Json({"persons": len(persons), "left": left, "came": came})

    async def one(number: Number) -> Response:
        """Give who is inside as far as anybody knows, and the last roll-call of an incident with its list."""
        now_ns = house.clock.wall_ns()

        def read(c: Connection) -> tuple[dict[str, Any], list[tuple[str, str, str, str]]]:
            told = roll_call.shown(c, house.site, number, now_ns)
            return told, roll_call.zones_of(c, "" if told["roll"] is None else told["roll"]["unit"])

        told, zones = await tried(house.read(read))
        return Json(told | {"heads": roll_call.counted(zones, house.picture)})

    at = "/api/v1/response/incidents/{number}/roll-call"
    doors.open("GET", "/api/v1/response/access", ALL, inside, tag="response")
    doors.open("POST", "/api/v1/response/access/{system}", OPERATE, put, tag="response")
    doors.open("GET", at, ALL, one, tag="response")
    acts = _Acts(house)
    _open_leading(doors, acts, at)
    _open_words(doors, acts, at)


@dataclass(frozen=True, slots=True)
class _Acts:
    """Acts on the roll-call of an incident: each in one transaction with its line in the audit chain."""

    house: House

    async def done(
        self, request: Request, number: int, what: str, asked: BaseModel, do: Callable[[Connection, Acting], object]
    ) -> Response:
        """Do it, and answer with the roll-call as it is then."""
        user, house = user_of(request), self.house
        now_ns = house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            get(c, number)
            do(c, Acting(number=number, who=user.name, time_ns=now_ns))
            return roll_call.shown(c, house.site, number, now_ns)

        facts = {"incident": number, **asked.model_dump(mode="json")}
        told = await tried(house.write(write, acted(user, what, now_ns, facts)))
        zones = await house.read(lambda c: roll_call.zones_of(c, (told["roll"] or {"unit": ""})["unit"]))
        return Json(told | {"heads": roll_call.counted(zones, house.picture)})


def _open_leading(doors: Doors, acts: _Acts, at: str) -> None:
    house = acts.house

    async def begin(number: Number, asked: Begun, request: Request) -> Response:
        """Begin a roll-call: who is inside by access data stands on it."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        if asked.unit and asked.unit not in {unit.id for unit in house.site.units}:
            said = Words(f"There is no unit {asked.unit}.", f"没有单元 {asked.unit}。")
            raise ApiError(404, said.en, details=said.both())
        heads = roll_call.counted(await house.read(lambda c: roll_call.zones_of(c, asked.unit)), house.picture)

        def do(c: Connection, by: Acting) -> None:
            check_leads(c, house, number, user, now_ns)
            roll_call.begin(c, house.site, by, asked.unit, heads, asked.reason)

        return await acts.done(request, number, "roll_begun", asked, do)

    async def end(number: Number, asked: Ended, request: Request) -> Response:
        """End it; who is missing then stays missing."""
        user, now_ns = user_of(request), house.clock.wall_ns()

        def do(c: Connection, by: Acting) -> None:
            check_leads(c, house, number, user, now_ns)
            roll_call.end(c, by, asked.reason)

        return await acts.done(request, number, "roll_ended", asked, do)

    doors.open("POST", at, OPERATE, begin, tag="response")
    doors.open("POST", f"{at}/end", OPERATE, end, tag="response")


def _open_words(doors: Doors, acts: _Acts, at: str) -> None:
    house = acts.house

    async def mark(number: Number, asked: Marked, request: Request) -> Response:
        """Write down what is heard of people on the list."""

        def do(c: Connection, by: Acting) -> None:
            at = roll_call.point_of(house.site, asked.point)
            word = Word(state=asked.state, point=asked.point, at=at, note=asked.note)
            roll_call.mark(c, by, asked.places, word)

        return await acts.done(request, number, "roll_marked", asked, do)

    async def add(number: Number, asked: Added, request: Request) -> Response:
        """Write down somebody who stands on no list."""

        def do(c: Connection, by: Acting) -> None:
            at = roll_call.point_of(house.site, asked.point)
            word = Word(state=asked.state, point=asked.point, at=at, note=asked.note)
            roll_call.add(c, by, asked.name.strip(), asked.company.strip(), word)

        return await acts.done(request, number, "roll_added", asked, do)

    async def count(number: Number, asked: Counted, request: Request) -> Response:
        """Write down how many stand at a point whose names nobody has; the last count of a point holds."""

        def do(c: Connection, by: Acting) -> None:
            at = roll_call.point_of(house.site, asked.point)
            roll_call.count(c, by, asked.point, at, asked.persons, asked.note)

        return await acts.done(request, number, "roll_counted", asked, do)

    doors.open("POST", f"{at}/mark", OPERATE, mark, tag="response")
    doors.open("POST", f"{at}/add", OPERATE, add, tag="response")
    doors.open("POST", f"{at}/count", OPERATE, count, tag="response")


def _ns(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1_000


def _inside(one: Person) -> Inside:
    return Inside(
        card=one.card, name=one.name.strip(), company=one.company.strip(), unit=one.unit,
        since_ns=0 if one.since is None else _ns(one.since),
    )  # fmt: skip
