"""After an incident: its lessons and its after-action report; and the doors of its resources.

Flow: lesson -> [one transaction] -> record of the register, duty, line of the timeline;  events, history -> report
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping

from alerting.register.field import Words
from alerting.register.ledgers.lessons import LESSONS
from gateway.api.answer import Json
from gateway.api.door import ALL, OPERATE, REGISTER, Doors, user_of
from gateway.api.doors_incident import Led, Number, acted, tried
from gateway.api.doors_register import not_right
from gateway.api.doors_resources import open_resource_doors
from gateway.api.doors_response_plans import Language, printed
from gateway.api.house import House
from gateway.auth import User
from gateway.register.record import By, NotRight
from gateway.report.forms import html_of
from gateway.response import after_action, incidents
from gateway.response.finish import reached
from gateway.response.incident_shown import told
from gateway.response.incidents import Leading, Refused
from gateway.response.lessons import Learned, learn
from gateway.response.restart import let_return


class Lesson(BaseModel):
    """What was learned, what is done about it, by whom, by which day."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    measure: str = Field(min_length=1, max_length=4000)
    responsible: str = Field(min_length=1, max_length=64)
    due: str = Field(min_length=1, max_length=10)


def open_incident_after_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def after(
        number: Number, lang: Language = "zh", form: Annotated[str, Query(pattern="^(html|pdf)$")] = "pdf"
    ) -> Response:
        """Give the after-action report as PDF or as a page of HTML; refused while the incident is open."""
        now_ns, site = house.clock.wall_ns(), house.site

        def find(c: Connection) -> tuple[RowMapping, list[str], list[str]]:
            row = after_action.over(c, number)
            units = [row["unit"], *(incidents.get(c, each)["unit"] for each in incidents.merged_of(c, number))]
            return row, units, [one.tag for one in after_action.rang(c, row)]

        row, units, first = await tried(house.read(find))
        begins_ns = row["opened_ns"] - after_action.BEFORE_NS
        values = await after_action.measured(house.historian, site, units, first, begins_ns, row["ended_ns"])
        sheet = await tried(house.read(lambda c: after_action.after_action(c, site, number, values, now_ns, lang)))
        name = f"incident-{number}-after"
        if form == "pdf":
            return await printed(house, sheet, name)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(f'{site.id}-{name}', safe='')}.html"}
        return Response(html_of(sheet), media_type="text/html; charset=utf-8", headers=headers)

    async def lesson(number: Number, asked: Lesson, request: Request) -> Response:
        """Write down what the incident taught: a record of the register and a duty with owner and day."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        by = By(who=user.name, time_ns=now_ns, reason=f"incident {number}")

        def write(c: Connection) -> dict[str, Any]:
            learn(c, house.site, number, Learned(**asked.model_dump()), by)
            return told(c, house.site, number, now_ns)

        audited = acted(user, "incident_lesson", now_ns, {"incident": number, **asked.model_dump()})
        try:
            return Json(await tried(house.write(write, audited)))
        except NotRight as refusal:
            raise not_right(LESSONS, refusal.wrongs) from None

    async def back(number: Number, asked: Led, request: Request) -> Response:
        """Let the unit return; refused until every step of the restart check-list is done."""
        user, now_ns = user_of(request), house.clock.wall_ns()

        def write(c: Connection) -> dict[str, Any]:
            check_allows(c, house, user, now_ns)
            let_return(c, Leading(number=number, expected=asked.revision, who=user.name, time_ns=now_ns), asked.reason)
            return told(c, house.site, number, now_ns)

        facts = {"incident": number, **asked.model_dump()}
        return Json(await tried(house.write(write, acted(user, "incident_returned", now_ns, facts))))

    at = "/api/v1/response/incidents"
    doors.open("POST", f"{at}/{{number}}/return", OPERATE, back, tag="response")
    doors.open("POST", f"{at}/{{number}}/lesson", REGISTER, lesson, tag="response")
    doors.open("GET", f"{at}/{{number}}/after-action", ALL, after, tag="response")
    open_resource_doors(doors)


def check_allows(connection: Connection, house: House, user: User, now_ns: int) -> None:
    """Refuse who may not let a unit return: it takes safety officer, administrator, or who leads the shift.

    Raises:
        Refused: It is somebody else, also the commander of the incident.
    """
    if user.role in REGISTER or user.name in reached(connection, house.site, "leader", now_ns):
        return
    said = Words("A safety officer lets it return, or who leads the shift.", "须由安全员或带班领导批准恢复运行。")
    raise Refused("not_yours", said)
