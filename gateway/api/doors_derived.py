"""Derived tags: what one says beside its value, and that a zone is empty."""

import asyncio
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerting.model.command import Command, Verb
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.door import ALL, OPERATE, Doors, user_of

ANSWER_S_MAX = 10.0  # As for alarms: the next turn of the core answers.

#: A tag's name may hold a slash, so it is no part of a path.
Name = Annotated[str, Query(min_length=1, max_length=128)]


class Empty(BaseModel):
    """Why nobody can be inside: who looked, what the count is compared with."""

    model_config = ConfigDict(extra="forbid")
    tag: str = Field(min_length=1, max_length=128)
    reason: str = Field(min_length=1, max_length=2000)


def open_derived_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def known(tag: str) -> dict[str, Any]:
        await house.settled()
        if tag not in house.site.tags.row_of:
            raise not_found("tag", tag)
        found = house.computed(tag)
        if not found:
            raise not_found("derived tag", tag)
        return dict(found)

    async def computed(tag: Name) -> Response:
        """Say how a derived tag stands: its inputs with their values, what is missing of its span, its drift."""
        return Json({"tag": tag, **await known(tag)})

    async def empty(asked: Empty, request: Request) -> Response:
        """Say that nobody is inside: the occupancy is set to 0, with a reason, in the journal."""
        await known(asked.tag)
        command = Command(
            verb=Verb.EMPTY,
            alarm=asked.tag,
            who=user_of(request).name,
            received_ns=house.clock.wall_ns(),
            reason=asked.reason,
        )
        try:
            answer = await asyncio.wait_for(house.command(command), ANSWER_S_MAX)
        except TimeoutError:
            raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None
        if answer.refused is not None:
            raise ApiError(409, answer.refused.get("en", "Refused."), details=answer.refused)
        return Json({"tag": asked.tag, **await known(asked.tag)})

    doors.open("GET", "/api/v1/computed", ALL, computed, tag="plant")
    doors.open("POST", "/api/v1/computed/empty", OPERATE, empty, tag="plant")
