"""Drills: stories that can be played here, the drill that goes on, starting, holding and ending one, the records.

Why: who leads drills begins them and lets them go on; anybody who answers alarms may hold or end one at once, for the
    plant comes first.
"""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Reason
from gateway.api.door import ALL, DRILL, OPERATE, Doors, user_of
from gateway.drill import records
from gateway.drill.account import alarms_of, described, notices_of, timeline
from gateway.drill.lead import PAUSE_FROM
from gateway.drill.records import Record
from gateway.drill.refused import DrillRefused

AT: Final = "/api/v1/drills"
SEED_MAX: Final = 2**31
STATUS: Final = {"not_found": 404, "invalid": 422}


class Start(BaseModel):
    """Which story, why, and the number that fixes luck; without one it is drawn."""

    model_config = ConfigDict(extra="forbid")
    story: str = Field(min_length=1, max_length=128)
    reason: str = Field(min_length=1, max_length=2000)
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX)


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


def _open_acts(doors: Doors) -> None:
    house = doors.house

    async def start(asked: Start, request: Request) -> Response:
        """Begin a drill: the story is played beside the plant, as nature exercise, in real time."""
        try:
            record = await house.drills.start(asked.story, asked.seed, user_of(request).name, asked.reason)
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
    events = await house.read(lambda c: records.events(c, stage.record))
    return {
        **described(stage.record),
        "at_s": stage.now_s,
        "lasts_s": stage.play.scenario.lasts_s,
        "happened": stage.told(),
        "expectations": stage.expectations(delivered),
        "milestones": stage.milestones(),
        "alarms": alarms_of(events),
    }


def _refused(refusal: DrillRefused) -> ApiError:
    status = STATUS.get(refusal.code, 409)
    details = {**refusal.said, **({} if refusal.details is None else {"mistakes": refusal.details})}
    return ApiError(status, refusal.said["en"], details=details)
