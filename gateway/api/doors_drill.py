"""Drills: stories that can be played here, the drill that goes on, starting, holding and ending one, the records.

Why: who leads drills begins them and lets them go on; anybody who answers alarms may hold or end one at once, for the
    plant comes first.
"""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row

from alerting.register.ledgers.lessons import LESSONS
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Reason
from gateway.api.door import ALL, DRILL, OPERATE, REGISTER, Doors, user_of
from gateway.api.doors_incident import acted, tried
from gateway.api.doors_incident_after import Lesson
from gateway.api.doors_register import not_right
from gateway.api.doors_report import TYPE_OF
from gateway.api.doors_response_plans import Language, printed
from gateway.drill import records
from gateway.drill.account import alarms_of, described, notices_of, timeline
from gateway.drill.exercise import do_step, evaluate, improve, over, scored
from gateway.drill.lead import PAUSE_FROM
from gateway.drill.records import Record
from gateway.drill.refused import DrillRefused
from gateway.drill.workbook import workbook
from gateway.live import iso
from gateway.register.record import By, NotRight
from gateway.report.blocks import Report
from gateway.report.forms import html_of, workbook_of
from gateway.response.incident_shown import lessons_shown
from gateway.response.lessons import Learned, lessons_of

AT: Final = "/api/v1/response/drills"
SEED_MAX: Final = 2**31
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
STATUS: Final = {"not_found": 404, "invalid": 422}


class Start(BaseModel):
    """Which story, why, the number that fixes luck (drawn without one), the plan that is exercised, by its code."""

    model_config = ConfigDict(extra="forbid")
    story: str = Field(min_length=1, max_length=128)
    reason: str = Field(min_length=1, max_length=2000)
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX)
    plan: str = Field(default="", max_length=64)


class StepDone(BaseModel):
    """Which step of the plan was done, with the answer of one that asks."""

    model_config = ConfigDict(extra="forbid")
    step: str = Field(min_length=1, max_length=8)
    answer: str = Field(default="", max_length=20)
    note: str = Field(default="", max_length=500)


class Evaluation(BaseModel):
    """What people found of the drill."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=4000)


def open_drill_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def current() -> Response:
        """Give the drill that goes on with how its story's expectations stand, or null."""
        return Json({"drill": await _going(doors), "refused_from": house.site.drill.refused_from.name,
                     "pauses_from": PAUSE_FROM.name})  # fmt: skip

    async def stories() -> Response:
        """List stories, and what this site lacks for each; one that lacks nothing can be played."""
        return Json(
            {
                "stories": [
                    {
                        "name": each.name,
                        "title": each.title,
                        "plant": each.plant,
                        "lasts_s": each.lasts_s,
                        "own": each.is_own,
                        "missing": list(each.missing),
                        "mistake": each.mistake,
                        "playable": not each.missing and not each.mistake,
                    }
                    for each in await house.drills.stories()
                ]
            }
        )

    async def listed(
        limit: Annotated[int, Query(ge=1, le=500)] = 50, before: Annotated[int | None, Query(ge=1, le=2**62)] = None
    ) -> Response:
        """List the records of drills, the newest first; ``before`` is a number to go on below."""
        found = await house.read(lambda c: records.page(c, limit, before))
        return Json({"drills": [described(record) for record in found]})

    async def one(drill: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
        """Give one record with what rang, who answered, who was told, and the verdict."""

        def read(connection: Connection) -> dict[str, Any] | None:
            record = records.one(connection, drill)
            if record is None:
                return None
            events = records.events(connection, record)
            return {
                **described(record),
                "alarms": alarms_of(events),
                "timeline": timeline(events),
                "notices": notices_of(records.notices(connection, record)),
                "score": scored(connection, house.site, record, events, house.clock.wall_ns()),
                "lessons": lessons_shown(lessons_of(connection, drill, "drill")),
            }

        found = await house.read(read)
        if found is None:
            raise not_found("drill", str(drill))
        return Json(found)

    doors.open("GET", f"{AT}/current", ALL, current, tag="drills")
    doors.open("GET", f"{AT}/stories", ALL, stories, tag="drills")
    doors.open("GET", AT, ALL, listed, tag="drills")
    doors.open("GET", f"{AT}/{{drill}}", ALL, one, tag="drills")
    _open_acts(doors)
    _open_plan_doors(doors)


def _open_acts(doors: Doors) -> None:
    house = doors.house

    async def start(asked: Start, request: Request) -> Response:
        """Begin a drill: the story is played beside the plant, as nature exercise, in real time."""
        try:
            record = await house.drills.start(asked.story, asked.seed, user_of(request).name, asked.reason, asked.plan)
        except DrillRefused as refusal:
            raise _refused(refusal) from None
        return Json(described(record))

    async def pause(asked: Reason, request: Request) -> Response:
        """Hold the drill; its time stands still."""
        return await _act(house.drills.pause, asked, request)

    async def resume(asked: Reason, request: Request) -> Response:
        """Let the drill go on; refused while a real ORANGE or RED rings."""
        return await _act(house.drills.resume, asked, request)

    async def stop(asked: Reason, request: Request) -> Response:
        """End the drill now; its alarms end with it and authorities are told."""
        return await _act(house.drills.stop, asked, request)

    doors.open("POST", f"{AT}/start", DRILL, start, tag="drills")
    doors.open("POST", f"{AT}/pause", OPERATE, pause, tag="drills")
    doors.open("POST", f"{AT}/resume", DRILL, resume, tag="drills")
    doors.open("POST", f"{AT}/stop", OPERATE, stop, tag="drills")


async def _act(do: Any, asked: Reason, request: Request) -> Response:  # noqa: ANN401  # one of three
    try:
        record: Record = await do(user_of(request).name, asked.reason)
    except DrillRefused as refusal:
        raise _refused(refusal) from None
    return Json(described(record))


async def _going(doors: Doors) -> dict[str, Any] | None:
    house = doors.house
    stage = house.drills.stage
    if stage is None:
        return None
    delivered = await house.drills.delivered(stage.record)

    def read(c: Connection) -> tuple[list[Row[Any]], dict[str, Any] | None]:
        found = records.events(c, stage.record)
        return found, scored(c, house.site, stage.record, found, house.clock.wall_ns())

    events, score = await house.read(read)
    return {
        **described(stage.record),
        "at_s": stage.now_s,
        "lasts_s": stage.play.scenario.lasts_s,
        "happened": stage.told(),
        "expectations": stage.expectations(delivered),
        "milestones": stage.milestones(),
        "alarms": alarms_of(events),
        "score": score,
    }


def _open_plan_doors(doors: Doors) -> None:
    """Declare the doors of the plan that a drill exercises: its steps and their score."""
    house = doors.house

    async def score(drill: Number) -> Response:
        """Give how the plan was gone through: times beside their limits, what was left out; null without a plan."""

        def read(c: Connection) -> dict[str, Any] | None:
            record = records.one(c, drill)
            if record is None:
                raise not_found("drill", str(drill))
            return scored(c, house.site, record, records.events(c, record), house.clock.wall_ns())

        return Json({"score": await house.read(read)})

    async def step(drill: Number, asked: StepDone, request: Request) -> Response:
        """Say that a step of the plan was done; it belongs to whom the plan says, or to who leads the drill."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        by = By(who=user.name, time_ns=now_ns, reason=f"drill {drill}")

        def write(c: Connection) -> dict[str, Any] | None:
            do_step(c, house.site, drill, asked.step, asked.answer, asked.note, by)
            record = records.one(c, drill)
            assert record is not None, "a step of it was done just now"
            return scored(c, house.site, record, records.events(c, record), now_ns)

        audited = acted(user, "drill_step_done", now_ns, {"drill": drill, **asked.model_dump()})
        return Json({"score": await tried(house.write(write, audited))})

    doors.open("GET", f"{AT}/{{drill}}/score", ALL, score, tag="drills")
    doors.open("POST", f"{AT}/{{drill}}/step", OPERATE, step, tag="drills")
    _open_after_doors(doors)


def _open_after_doors(doors: Doors) -> None:
    """Declare what is done after a drill: its evaluation, improvements, workbook."""
    house = doors.house

    async def evaluated(drill: Number, asked: Evaluation, request: Request) -> Response:
        """Write down what was found of a drill, once, after its end."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        by = By(who=user.name, time_ns=now_ns, reason=f"drill {drill}")
        audited = acted(user, "drill_evaluated", now_ns, {"drill": drill, "text": asked.text})
        await tried(house.write(lambda c: evaluate(c, drill, asked.text, by), audited))
        return Json({"evaluation": {"text": asked.text, "by": user.name, "at": iso(now_ns)}})

    async def improvement(drill: Number, asked: Lesson, request: Request) -> Response:
        """Write down what is improved: a record of the ledger lessons and a duty with owner and day."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        by = By(who=user.name, time_ns=now_ns, reason=f"drill {drill}")

        def write(c: Connection) -> list[dict[str, Any]]:
            improve(c, house.site, drill, Learned(**asked.model_dump()), by)
            return lessons_shown(lessons_of(c, drill, "drill"))

        audited = acted(user, "drill_lesson", now_ns, {"drill": drill, **asked.model_dump()})
        try:
            return Json({"lessons": await tried(house.write(write, audited))})
        except NotRight as refusal:
            raise not_right(LESSONS, refusal.wrongs) from None

    async def sheet(
        drill: Number, lang: Language = "zh", form: Annotated[str, Query(pattern="^(html|xlsx|pdf)$")] = "xlsx"
    ) -> Response:
        """Give the workbook of a drill that is over: scenario, tasks, gaps, measures; as XLSX, HTML or PDF."""
        now_ns, site = house.clock.wall_ns(), house.site

        def read(c: Connection) -> Report:
            record = over(c, drill)
            found = scored(c, site, record, records.events(c, record), now_ns)
            return workbook(record, found, lessons_of(c, drill, "drill"), site, lang, now_ns)

        found = await tried(house.read(read))
        if form == "pdf":
            return await printed(house, found, f"drill-{drill}")
        name = quote(f"{site.id}-drill-{drill}", safe="")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}.{form}"}
        content = await asyncio.to_thread(workbook_of, found) if form == "xlsx" else html_of(found)
        return Response(content, media_type=TYPE_OF[form], headers=headers)

    doors.open("POST", f"{AT}/{{drill}}/evaluation", REGISTER, evaluated, tag="drills")
    doors.open("POST", f"{AT}/{{drill}}/lesson", REGISTER, improvement, tag="drills")
    doors.open("GET", f"{AT}/{{drill}}/workbook", ALL, sheet, tag="drills")


def _refused(refusal: DrillRefused) -> ApiError:
    status = STATUS.get(refusal.code, 409)
    details = {**refusal.said, **({} if refusal.details is None else {"mistakes": refusal.details})}
    return ApiError(status, refusal.said["en"], details=details)
