"""Duties over the API: what must be done by when, how far the telling has come, by which row of the table.

Flow: request -> [duties by step] -> answer;  what a person says of one -> [written down, audited] -> answer
"""

import asyncio
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, RowMapping

from gateway.api.answer import Json, not_found
from gateway.api.asked import Cursor, Id
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.doors_config import TYPE_OF
from gateway.api.house import Act
from gateway.api.queries import seal, unseal
from gateway.duty import shown
from gateway.duty.shown import Asked
from gateway.register.sheets import write_table

EXPORT_MAX: Final = 20_000
EXPORT_PAGE: Final = 500
Limit = Annotated[int, Query(ge=1, le=500)]
StepName = Annotated[
    str,
    Query(pattern="^(|coming|prompt|warning|supervision)$", description="How far it has come; `coming`: nobody told."),
]
State = Annotated[str, Query(pattern="^(open|closed)$")]


class Said(BaseModel):
    """What is said of a duty: why it is late, what is being done."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(min_length=1, max_length=2000)


def open_duty_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def kinds() -> Response:
        """Give the table of duties as this site has it: when each step comes, who is told, by which basis."""
        plan = house.site.duties
        minutes = {tier.name: seconds / 60 for tier, seconds in sorted(plan.ack_s.items(), reverse=True)}
        return Json(
            {
                "kinds": [shown.kind_shown(kind, house.site) for kind in plan.kinds],
                "channel": plan.channel,
                "told_at": f"{plan.told_at_s // 3600:02d}:{plan.told_at_s // 60 % 60:02d}",
                "ack_minutes": minutes,
            }
        )

    async def listed(
        state: State = "open",
        step: StepName = "",
        kind: Annotated[str | None, Query(max_length=40)] = None,
        unit: Annotated[str | None, Query(max_length=64)] = None,
        subject: Annotated[str | None, Query(max_length=32, description="Id of a record or of an alarm.")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """List duties, what is due first comes first, with who was told last; and count the open ones by step."""
        asked = Asked(is_open=state == "open", step=step, kind=kind, unit=unit, subject=subject)
        after = None if cursor is None else unseal(cursor, int, str)
        now_ns = house.clock.wall_ns()

        def query(c: Connection) -> tuple[list[RowMapping], dict[str, list[dict[str, Any]]], dict[str, int]]:
            rows = shown.page(c, asked, limit=limit, after=after)
            return rows, shown.last_told(c, [row["id"] for row in rows]), shown.counted(c)

        rows, told, counts = await house.read(query)
        return Json(
            {
                "duties": [shown.shown(row, house.site, now_ns) | {"told": told[row["id"]]} for row in rows],
                "counts": counts,
                "next": seal(rows[-1]["due_ns"], rows[-1]["id"]) if len(rows) == limit else None,
            }
        )

    async def export(
        state: State = "open",
        step: StepName = "",
        form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "xlsx",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
    ) -> Response:
        """Give the list as a sheet."""
        asked, now_ns = Asked(is_open=state == "open", step=step), house.clock.wall_ns()
        rows: list[RowMapping] = []
        told: dict[str, list[dict[str, Any]]] = {}
        after: tuple[int, str] | None = None
        while len(rows) < EXPORT_MAX:
            part = await house.read(partial(shown.page, asked=asked, limit=EXPORT_PAGE, after=after))
            told |= await house.read(partial(shown.last_told, duties=[row["id"] for row in part]))
            rows += part
            if len(part) < EXPORT_PAGE:
                break
            after = (part[-1]["due_ns"], part[-1]["id"])
        name = f"{house.site.id}-duties.{form}"
        lines = shown.lines_of(rows, house.site, now_ns, told, lang)
        content = await asyncio.to_thread(write_table, "职责" if lang == "zh" else "Duties", lines, name, lang)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=TYPE_OF[form], headers=headers)

    async def one(duty: Id) -> Response:
        """Give a duty with each step that was taken, whom it reached, and what was answered."""
        now_ns = house.clock.wall_ns()
        found = await house.read(lambda c: shown.one(c, duty))
        if found is None:
            raise not_found("duty", duty)
        row, steps = found
        return Json({"duty": shown.shown(row, house.site, now_ns), "steps": steps})

    async def answer(duty: Id, asked: Said, request: Request) -> Response:
        """Say something of a duty: why it is late, what is being done. Only doing it ends it."""
        who, now_ns = user_of(request).name, house.clock.wall_ns()
        act = Act(who=who, what="duty_answered", time_ns=now_ns, facts={"duty": duty, "text": asked.text})

        def write(c: Connection) -> tuple[RowMapping, list[dict[str, Any]]]:
            if shown.one(c, duty) is None:
                raise not_found("duty", duty)
            shown.answer(c, duty, who, asked.text, now_ns)
            found = shown.one(c, duty)
            assert found is not None
            return found

        row, steps = await house.write(write, act)
        return Json({"duty": shown.shown(row, house.site, now_ns), "steps": steps})

    at = "/api/v1/duties"
    doors.open("GET", at, ALL, listed, tag="register")
    doors.open("GET", f"{at}/kinds", ALL, kinds, tag="register")
    doors.open("GET", f"{at}/export", ALL, export, tag="register")
    doors.open("GET", f"{at}/{{duty}}", ALL, one, tag="register")
    doors.open("POST", f"{at}/{{duty}}/answer", OPERATE, answer, tag="register")
