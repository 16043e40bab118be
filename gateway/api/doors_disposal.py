"""Disposals: what must be answered for, what was found and done. Their photos stand in ``doors_photo``."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.model.disposal import Cause
from gateway.api import queries
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id, Nothing
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.house import Act
from gateway.disposal import records
from gateway.disposal.feedback import tell

#: Given to one that somebody opens by hand where the site names no time for its tier, min.
BY_HAND_MINUTES = 1_440


class Disposal(BaseModel):
    """What it turned out to be, what was found and what was done."""

    model_config = ConfigDict(extra="forbid")
    cause: Cause
    finding: str = Field(min_length=1, max_length=2000)
    measures: str = Field(min_length=1, max_length=2000)


def open_disposal_doors(doors: Doors) -> None:  # noqa: C901 - a list of routes
    """Declare them."""
    house = doors.house

    async def disposals(
        state: Literal["open", "overdue", "done"] = "open",
        unit: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """List disposals: open ones by their end, done ones the last first; and how many are open and overdue."""
        now_ns = house.clock.wall_ns()

        def find(connection: Connection) -> dict[str, object]:
            found, total = records.listed(connection, state=state, unit=unit, limit=limit, offset=offset, now_ns=now_ns)
            return {"disposals": found, "total": total, "counts": records.counted(connection, now_ns)}

        return Json(await house.read(find))

    async def one(alarm: Id) -> Response:
        """Give one disposal with all that was written about it, and its photos."""
        now_ns = house.clock.wall_ns()
        found = await house.read(lambda c: records.one(c, alarm, now_ns))
        if found is None:
            raise not_found("disposal", alarm)
        return Json(found)

    async def begin(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Open a disposal for an alarm that needs none by the site's rules."""
        now_ns = house.clock.wall_ns()
        found = await house.read(lambda c: queries.find_alarm(c, alarm))
        if found is None or not found.id:
            raise not_found("alarm that rang", alarm)
        known = await house.read(lambda c: records.one(c, found.id, now_ns))
        if known is not None:
            return Json(known)
        within_ns = house.site.philosophy.disposal.within_ns(max(found.tier, found.tier_max))
        due_ns = now_ns + (within_ns or BY_HAND_MINUTES * 60_000_000_000)
        act = Act(who=user_of(request).name, what="disposal_opened", time_ns=now_ns, facts={"alarm": found.id})
        await house.write(lambda c: records.open_by_hand(c, found, now_ns, due_ns), act)
        return Json(await house.read(lambda c: records.one(c, found.id, now_ns)))

    async def submit(alarm: Id, asked: Disposal, request: Request) -> Response:
        """Say what was found and done; what was said before stays. Authorities that know the alarm are told."""
        now_ns, who = house.clock.wall_ns(), user_of(request).name
        said = {"cause": asked.cause.value, "finding": asked.finding.strip(), "measures": asked.measures.strip()}
        if not (said["finding"] and said["measures"]):
            raise ApiError(422, "finding and measures say something.")

        def write(connection: Connection) -> dict[str, object]:
            if records.write_entry(connection, alarm, who, now_ns, said) is None:
                raise not_found("disposal", alarm)
            found = records.one(connection, alarm, now_ns)
            assert found is not None, alarm
            head = next((one for one in queries.heads(connection) if one["nature"] == found["nature"]), None)
            told = None if head is None else {"count": head["count"], "hash": head["hash"]}
            return {**found, "told": tell(connection, house.site, found, now_ns, told)}

        act = Act(who=who, what="disposed", time_ns=now_ns, facts={"alarm": alarm, **said})
        done = await house.write(write, act)
        if done["told"]:
            house.wake_push()
        return Json(done)

    at = "/api/v1/disposals"
    doors.open("GET", at, ALL, disposals, tag="disposal")
    doors.open("GET", f"{at}/{{alarm}}", ALL, one, tag="disposal")
    doors.open("POST", f"{at}/{{alarm}}/begin", OPERATE, begin, tag="disposal")
    doors.open("POST", f"{at}/{{alarm}}/submit", OPERATE, submit, tag="disposal")
