"""Incidents through their doors: opened by hand, led under a revision, written into their timeline, reported, ended.

Flow: act -> [one transaction with its line in the audit chain] -> the incident, or a sentence by language
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, select

from alerting.model.tier import Tier
from alerting.register.field import Words
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.door import ALL, OPERATE, REGISTER, Doors, user_of
from gateway.api.doors_response_plans import Language, printed
from gateway.api.house import Act, House
from gateway.auth import User
from gateway.register.record import By
from gateway.response import incidents, opening, plans
from gateway.response.call_out import end_calls
from gateway.response.finish import reached
from gateway.response.headquarters import call_out
from gateway.response.incident_shown import shown, told
from gateway.response.incidents import Leading, Refused
from gateway.response.reporting import ACCIDENT, NO_ACCIDENT, accident_since_ns
from gateway.response.resources import release_all
from gateway.response.restart import hold
from gateway.response.roll_call import Acting, close, go_on, open_of
from gateway.response.situation import situation, snapshot
from gateway.roster.book import people
from gateway.store.schema import incident
from gateway.system import main_nature

T = TypeVar("T")
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]
LISTED_MAX = 200


class NewIncident(BaseModel):
    """Where, what it is, why; the plan where it is not the one that fits best."""

    model_config = ConfigDict(extra="forbid")
    unit: str = Field(min_length=1, max_length=64)
    title: str = Field(default="", max_length=200)
    reason: Reason
    plan: str = Field(default="", max_length=64)


class Led(BaseModel):
    """The revision that was seen, and why."""

    model_config = ConfigDict(extra="forbid")
    revision: int = Field(ge=1, le=2**31 - 1)
    reason: Reason


class Graded(Led):
    """Another response grade, I to IV."""

    grade: int = Field(ge=1, le=4)


class Commanded(Led):
    """Who commands from now on."""

    person: str = Field(min_length=1, max_length=64)


class Planned(Led):
    """The plan that is followed."""

    plan: str = Field(min_length=1, max_length=64)


class Merged(Led):
    """Into which incident."""

    into: int = Field(ge=1, le=2**31 - 1)


class Ended(Led):
    """Whether the person knows that the unit is not back."""

    despite: bool = False


class Line(BaseModel):
    """A line of the timeline; a consultation says who took part, by which data, and what was decided."""

    model_config = ConfigDict(extra="forbid")
    what: Literal["action", "call", "consultation", "reported", "casualties", "accident", "no_accident"]
    text: str = Field(min_length=1, max_length=2000)
    who: str = Field(default="", max_length=500)
    data: str = Field(default="", max_length=2000)
    decision: str = Field(default="", max_length=2000)


def open_incident_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed(
        state: Literal["open", "ended", "all"] = "open",
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50,
        before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> Response:
        """List incidents, the last opened first, and how many there are; ``before`` a number goes on from a page."""
        is_open = incident.c.state == incidents.OPEN
        wanted = [] if state == "all" else [is_open if state == "open" else ~is_open]
        query = select(incident).where(*wanted).order_by(incident.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(incident.c.number < before)

        def find(c: Connection) -> dict[str, Any]:
            total = c.scalar(select(func.count()).select_from(incident).where(*wanted)) or 0
            return {"incidents": [shown(row) for row in c.execute(query).mappings()], "total": total}

        return Json(await house.read(find))

    async def one(number: Number) -> Response:
        """Give one with its tasks, alarms, timeline and what was merged into it."""
        return Json(await tried(house.read(lambda c: told(c, house.site, number, house.clock.wall_ns()))))

    async def begin(asked: NewIncident, request: Request) -> Response:
        """Open an incident by hand; refused where the unit has an open one of the same type of accident."""
        if asked.unit not in {unit.id for unit in house.site.units}:
            raise not_found("unit", asked.unit)
        user, now_ns = user_of(request), house.clock.wall_ns()
        tier, nature = house.picture.tiers.get(asked.unit, Tier.NONE), main_nature(house.site)
        values = snapshot(house.picture, asked.unit)

        def write(c: Connection) -> dict[str, Any]:
            every = plans.known(c)
            plan: plans.Plan | None = None
            if asked.plan:
                plan = _plan(every, asked.plan)
            else:
                conditions = plans.conditions_of(c, asked.unit, nature.value)
                found, _ = plans.fitting(every, plans.holdings_for(c, every), asked.unit, tier, conditions)
                plan = next((each for each in every if found and each.record.code == found[0].scope.code), None)
            kind = incidents.UNKNOWN if plan is None else plan.accident
            for there in incidents.open_of(c, asked.unit, nature):
                if there["kind"] == kind:
                    n = there["number"]
                    said = Words(
                        f"Incident {n} of this unit and type is open already.", f"该单元同类型的 {n} 号事件尚未结束。"
                    )
                    raise Refused("open_already", said)
            facts = {"reason": asked.reason, "values": values}
            by_hand = opening.Opening(
                nature=nature, unit=asked.unit, tier=tier, title=asked.title, by=user.name, facts=facts
            )
            number = opening.open_one(c, house.site, by_hand, plan, now_ns)
            return told(c, house.site, number, now_ns)

        facts = {"unit": asked.unit, "title": asked.title, "plan": asked.plan, "reason": asked.reason}
        answer = await tried(house.write(write, acted(user, "incident_opened", now_ns, facts)))
        house.wake_push()  # Headquarters may have been called.
        return Json(answer)

    at = "/api/v1/response/incidents"
    doors.open("GET", at, ALL, listed, tag="response")
    doors.open("POST", at, OPERATE, begin, tag="response")
    doors.open("GET", f"{at}/{{number}}", ALL, one, tag="response")
    _open_leading_doors(doors, at)
    _open_timeline_doors(doors, at)


def _open_leading_doors(doors: Doors, at: str) -> None:  # noqa: C901 - a list of routes
    house = doors.house

    async def led(
        request: Request, number: int, asked: Led, what: str, do: Callable[[Connection, Leading], object]
    ) -> Response:
        user, now_ns = user_of(request), house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            check_leads(c, house, number, user, now_ns)
            do(c, Leading(number=number, expected=asked.revision, who=user.name, time_ns=now_ns))
            return told(c, house.site, number, now_ns)

        facts = {"incident": number, **asked.model_dump()}
        answer = await tried(house.write(write, acted(user, what, now_ns, facts)))
        house.wake_push()  # Headquarters may have been called.
        return Json(answer)

    async def grade(number: Number, asked: Graded, request: Request) -> Response:
        """Raise or lower the response grade."""

        def do(c: Connection, by: Leading) -> None:
            before = incidents.get(c, number)["grade"]
            facts = {"from": before, "to": asked.grade, "reason": asked.reason}
            if before == asked.grade:
                said = Words("It has this response grade already.", "当前已是该响应级别。")
                raise Refused("same_grade", said)
            incidents.lead(c, by, "graded", facts, grade=asked.grade)
            call_out(c, house.site, [number], by.time_ns)

        return await led(request, number, asked, "incident_graded", do)

    async def command(number: Number, asked: Commanded, request: Request) -> Response:
        """Say who commands from now on."""

        def do(c: Connection, by: Leading) -> None:
            if asked.person not in people(c):
                raise Refused(
                    "not_there", Words(f"Nobody is called {asked.person} here.", f"没有名为 {asked.person} 的用户。")
                )
            facts = {"person": asked.person, "reason": asked.reason}
            incidents.lead(c, by, "command", facts, commander=asked.person)

        return await led(request, number, asked, "incident_commanded", do)

    async def follow_plan(number: Number, asked: Planned, request: Request) -> Response:
        """Give an incident that has no plan one: its checklist opens."""

        def do(c: Connection, by: Leading) -> None:
            plan = _plan(plans.known(c), asked.plan)
            row = incidents.get(c, number)
            if row["plan"]:
                raise Refused("planned", Words(f"It follows plan {row['plan']}.", f"事件已按预案 {row['plan']} 执行。"))
            facts = {"plan": asked.plan, "reason": asked.reason}
            opening.adopt(c, house.site, incidents.lead(c, by, "planned", facts), plan, by.who, by.time_ns)

        return await led(request, number, asked, "incident_planned", do)

    async def merge(number: Number, asked: Merged, request: Request) -> Response:
        """Merge an incident into another one; its tasks go on there."""

        def do(c: Connection, by: Leading) -> None:
            incidents.merge(c, by, asked.into, asked.reason)
            end_calls(c, [number])
            go_on(c, Acting(number=number, who=by.who, time_ns=by.time_ns), asked.into)

        return await led(request, number, asked, "incident_merged", do)

    async def stand_down(number: Number, asked: Ended, request: Request) -> Response:
        """End the response; what is open of the checklist is void. While the unit has a tier only with ``despite``."""

        def do(c: Connection, by: Leading) -> None:
            tier = house.picture.tiers.get(incidents.get(c, number)["unit"], Tier.NONE)
            incidents.stand_down(c, by, asked.reason, tier, is_despite=asked.despite)
            end_calls(c, [number, *incidents.merged_of(c, number)])
            roll = open_of(c, number)
            if roll is not None:
                close(c, Acting(number=number, who=by.who, time_ns=by.time_ns), roll, asked.reason)
            release_all(c, number, By(who=by.who, time_ns=by.time_ns, reason=f"incident {number}"))
            steps = hold(c, number, by.time_ns)
            if steps:
                incidents.say(c, number, by.who, "held", by.time_ns, {"steps": steps})

        return await led(request, number, asked, "incident_ended", do)

    for name, door in (("grade", grade), ("command", command), ("plan", follow_plan), ("merge", merge)):
        doors.open("POST", f"{at}/{{number}}/{name}", OPERATE, door, tag="response")
    doors.open("POST", f"{at}/{{number}}/stand-down", OPERATE, stand_down, tag="response")


def _open_timeline_doors(doors: Doors, at: str) -> None:
    house = doors.house

    async def write(number: int, user: User, what: str, act: str, facts: dict[str, Any]) -> Response:
        now_ns = house.clock.wall_ns()

        def append(c: Connection) -> dict[str, Any]:
            incidents.check_open(incidents.get(c, number))
            incidents.say(c, number, user.name, what, now_ns, facts)
            return told(c, house.site, number, now_ns)

        audited = acted(user, act, now_ns, {"incident": number, "line": {"what": what, **facts}})
        return Json(await tried(house.write(append, audited)))

    async def line(number: Number, asked: Line, request: Request) -> Response:
        """Append what was done, said or judged, e.g. that it is an accident (事故); nothing of it is ever changed."""
        if asked.what == "consultation" and not (asked.who.strip() and asked.decision.strip()):
            said = Words("A consultation says who took part and what was decided.", "会商记录应写明参加人员和决定。")
            raise ApiError(422, said.en, details=said.both())
        if asked.what in (ACCIDENT, NO_ACCIDENT):
            lines = await tried(house.read(lambda c: incidents.timeline(c, number)))
            if bool(accident_since_ns(lines)) is (asked.what == ACCIDENT):
                already = Words("It stands as an accident already.", "该事件已认定为事故。")
                none = Words("It does not stand as an accident.", "该事件未认定为事故。")
                said = already if asked.what == ACCIDENT else none
                raise ApiError(409, said.en, code="judged_already", details=said.both())
        facts = {name: value for name, value in asked.model_dump(exclude={"what"}).items() if value}
        return await write(number, user_of(request), asked.what, "incident_noted", facts)

    async def values(number: Number, request: Request) -> Response:
        """Keep what the tags of the unit say now, with their quality and time."""
        row = await tried(house.read(lambda c: incidents.get(c, number)))
        facts = {"values": snapshot(house.picture, row["unit"])}
        return await write(number, user_of(request), "snapshot", "incident_noted", facts)

    async def report(number: Number, lang: Language = "zh") -> Response:
        """Give the situation report as PDF; refused where no font has Chinese."""
        now_ns = house.clock.wall_ns()
        sheet = await tried(house.read(lambda c: situation(c, house.site, house.picture, number, now_ns, lang)))
        return await printed(house, sheet, f"incident-{number}")

    doors.open("POST", f"{at}/{{number}}/line", OPERATE, line, tag="response")
    doors.open("POST", f"{at}/{{number}}/snapshot", OPERATE, values, tag="response")

    doors.open("GET", f"{at}/{{number}}/report", ALL, report, tag="response")


def acted(user: User, what: str, now_ns: int, facts: dict[str, Any]) -> Act:
    """Give the line of the audit chain."""
    return Act(who=user.name, what=what, time_ns=now_ns, facts=facts)


def _plan(every: list[plans.Plan], code: str) -> plans.Plan:
    found = next((plan for plan in every if plan.record.code == code), None)
    if found is None:
        raise Refused("not_there", Words(f"There is no plan {code}.", f"没有预案 {code}。"))
    return found


def check_leads(connection: Connection, house: House, number: int, user: User, now_ns: int) -> None:
    """Refuse who neither commands nor may take command: safety officer, administrator, who leads the shift."""
    if user.role in REGISTER or user.name == incidents.get(connection, number)["commander"]:
        return
    if user.name in reached(connection, house.site, "leader", now_ns):
        return
    said = Words(
        "The commander does that, a safety officer, or who leads the shift.", "须由指挥人、安全员或带班领导操作。"
    )
    raise Refused("not_yours", said)


async def tried(doing: Awaitable[T]) -> T:
    """Wait for what may be refused.

    Raises:
        ApiError: It was, with its sentence.
    """
    try:
        return await doing
    except Refused as refusal:
        raise refused(refusal) from None


def refused(refusal: Refused) -> ApiError:
    """Give the answer to a refusal: 404 for what is not there, 403 for who may not, else 409."""
    status = {"not_there": 404, "not_yours": 403}.get(refusal.code, 409)
    return ApiError(status, refusal.said.en, code=refusal.code, details=refusal.said.both())
