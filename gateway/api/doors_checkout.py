"""Loop check-out: the list, one tag while it is checked, and what an engineer does to it.

Why: while a signal is injected, the tag's alarms are out of service: explicit, in the journal, with an end that comes
    by itself. They go on being judged and listed, and no authority is pushed a false alarm.
Never: takes an alarm out of service before the check-out is in the store, nor for longer than ``HOURS_MAX``.
"""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.answer import ApiError, Json
from gateway.api.checkout_acts import Acts, Begin
from gateway.api.checkout_shown import csv_of, known, list_tags, tag_shown, texts_of
from gateway.api.door import ALL, ENGINEER, Doors, user_of
from gateway.checkout import records
from gateway.checkout.loop import Standing

AT: Final = "/api/v1/checkout"
LIMIT_MAX: Final = 5_000

Name = Annotated[str, Query(min_length=1, max_length=128)]


class Point(BaseModel):
    """What is injected at the instrument now, in the tag's engineering unit; none for a look without a value."""

    model_config = ConfigDict(extra="forbid")
    tag: str = Field(min_length=1, max_length=128)
    injected: float | None = Field(default=None, allow_inf_nan=False)
    note: str = Field(default="", max_length=500)


class Sign(BaseModel):
    """The result, and what was found."""

    model_config = ConfigDict(extra="forbid")
    tag: str = Field(min_length=1, max_length=128)
    result: Literal["passed", "failed"]
    comment: str = Field(default="", max_length=2000)


class Abandon(BaseModel):
    """Why it ends without a result."""

    model_config = ConfigDict(extra="forbid")
    tag: str = Field(min_length=1, max_length=128)
    comment: str = Field(default="", max_length=2000)


def open_checkout_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed(
        state: Annotated[list[Standing] | None, Query(max_length=4)] = None,
        unit: Annotated[str | None, Query(max_length=64)] = None,
        q: Annotated[str, Query(max_length=200, description="Part of a tag's name, title or source.")] = "",
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 500,
        offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
    ) -> Response:
        """List tags with their commissioning state, and how many there are of each."""
        newest = await house.read(records.newest)
        now_ns = house.clock.wall_ns()
        rows, counts = await asyncio.to_thread(list_tags, house, newest, now_ns)
        wanted = q.casefold()
        chosen = [
            row
            for row in rows
            if (not state or row["state"] in state)
            and (unit is None or row["unit"] == unit)
            and (not wanted or any(wanted in text.casefold() for text in texts_of(row)))
        ]
        shown = chosen[offset : offset + limit]
        more = offset + limit if offset + limit < len(chosen) else None
        return Json({"tags": shown, "total": len(chosen), "counts": counts, "next": more})

    async def one(tag: Name) -> Response:
        """Give one tag: its state, what it shows now (raw, value, conditions), its alarms, all its check-outs."""
        return Json(await tag_shown(house, known(house, tag)))

    async def export() -> Response:
        """Give all check-outs with their points as CSV, the newest first."""
        found = await house.read(records.every)
        text = await asyncio.to_thread(csv_of, found, house.clock.wall_ns())
        named = {"content-disposition": 'attachment; filename="checkout.csv"'}
        return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=named)

    doors.open("GET", AT, ALL, listed, tag="field")
    doors.open("GET", f"{AT}/tag", ALL, one, tag="field")
    doors.open("GET", f"{AT}/export", ALL, export, tag="field")
    _open_acts(doors)


def _open_acts(doors: Doors) -> None:
    house, acts = doors.house, Acts(doors.house)

    async def begin(asked: Begin, request: Request) -> Response:
        """Begin: the tag's alarms go out of service until the end time, or until it is signed."""
        tag = known(house, asked.tag)
        refused = await acts.begin(tag, user_of(request).name, asked)
        return Json(await tag_shown(house, tag) | {"refused": refused})

    async def point(asked: Point, request: Request) -> Response:
        """Write down what is injected beside what is seen now."""
        tag = known(house, asked.tag)
        await acts.point(tag, user_of(request).name, asked.injected, asked.note)
        return Json(await tag_shown(house, tag))

    async def sign(asked: Sign, request: Request) -> Response:
        """Sign the result with one's name; the tag's alarms are back in service first."""
        tag = known(house, asked.tag)
        if asked.result == records.FAILED and not asked.comment.strip():
            raise ApiError(422, "comment: say what failed.")
        await acts.end(tag, user_of(request).name, asked.result, asked.comment)
        return Json(await tag_shown(house, tag))

    async def abandon(asked: Abandon, request: Request) -> Response:
        """End a check-out without a result; the tag's alarms are back in service first."""
        tag = known(house, asked.tag)
        await acts.end(tag, user_of(request).name, records.ABANDONED, asked.comment)
        return Json(await tag_shown(house, tag))

    doors.open("POST", f"{AT}/begin", ENGINEER, begin, tag="field")
    doors.open("POST", f"{AT}/point", ENGINEER, point, tag="field")
    doors.open("POST", f"{AT}/sign", ENGINEER, sign, tag="field")
    doors.open("POST", f"{AT}/abandon", ENGINEER, abandon, tag="field")
