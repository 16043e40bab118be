"""Call-out through its doors: who was called answers, whoever leads answers for him or calls again.

Flow: act -> [one transaction with its line in the audit chain] -> the incident, or a sentence by language
"""

from typing import Annotated, Final

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.model.call_out import Answer, AnswerWay
from alerting.register.field import Words
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.doors_incident import Number, Reason, acted, check_leads, tried
from gateway.response import call_out
from gateway.response.call_out import Answered
from gateway.response.incident_shown import told

MINUTE_NS: Final = 60_000_000_000
Call = Annotated[str, Path(min_length=1, max_length=32)]


class Said(BaseModel):
    """Whether somebody comes, and how many minutes it takes; of another, how it was heard and how long ago (min)."""

    model_config = ConfigDict(extra="forbid")
    answer: Answer
    minutes: int | None = Field(default=None, ge=0, le=600)
    note: str = Field(default="", max_length=500)
    how: AnswerWay = AnswerWay.PAGE
    minutes_ago: int = Field(default=0, ge=0, le=240)


class Again(BaseModel):
    """Which line of the list, and why now."""

    model_config = ConfigDict(extra="forbid")
    line: str = Field(min_length=1, max_length=64)
    reason: Reason


def open_call_out_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def mine(request: Request) -> Response:
        """List the calls of the user that wait for an answer."""
        name = user_of(request).name
        return Json({"calls": await house.read(lambda c: call_out.mine(c, name))})

    async def lines() -> Response:
        """Give the list of the site: which line calls whom, in which order."""
        return Json(
            {
                "lines": [
                    {
                        "id": one.id, "title": dict(one.title), "targets": list(one.targets),
                        "from_tier": one.from_tier.name, "from_grade": one.from_grade,
                        "after_minutes": one.after_s / 60, "answer_minutes": one.answer_s / 60,
                        "persons": one.persons, "channel": one.channel or house.site.incident.channel,
                    }
                    for one in house.site.call_out
                ]
            }
        )  # fmt: skip

    async def answer(number: Number, call: Call, asked: Said, request: Request) -> Response:
        """Say whether one comes; for another the commander does, a safety officer, or who leads the shift."""
        user, now_ns = user_of(request), house.clock.wall_ns()
        if asked.minutes is not None and asked.answer is not Answer.COMING:
            said = Words("Only who comes says in how many minutes.", "只有答复能到时填写所需分钟数。")
            raise ApiError(422, said.en, details=said.both())
        heard_ns = now_ns - asked.minutes_ago * MINUTE_NS
        given = Answered(answer=asked.answer, minutes=asked.minutes, note=asked.note, how=asked.how, heard_ns=heard_ns)

        def write(c: Connection) -> dict[str, object]:
            row = call_out.check_answer(c, number, call)
            if row["person"] != user.name:
                check_leads(c, house, number, user, now_ns)
            call_out.answer(c, house.site, row, given, user.name, now_ns)
            return told(c, house.site, number, now_ns)

        facts = {"incident": number, "call": call, **asked.model_dump(mode="json")}
        done = await tried(house.write(write, acted(user, "call_answered", now_ns, facts)))
        house.wake_push()  # Who leads is told that somebody needs help.
        return Json(done)

    async def again(number: Number, asked: Again, request: Request) -> Response:
        """Call a line of the list now, whatever tier and grade say; who has not said that he comes is called again."""
        user, now_ns = user_of(request), house.clock.wall_ns()

        def write(c: Connection) -> dict[str, object]:
            check_leads(c, house, number, user, now_ns)
            call_out.call_again(c, house.site, number, asked.line, user.name, asked.reason, now_ns)
            call_out.step(c, house.site, now_ns)
            return told(c, house.site, number, now_ns)

        audited = acted(user, "call_by_hand", now_ns, {"incident": number, **asked.model_dump()})
        done = await tried(house.write(write, audited))
        house.wake_push()
        return Json(done)

    at = "/api/v1/response/incidents/{number}"
    doors.open("GET", "/api/v1/response/calls", ALL, mine, tag="response")
    doors.open("GET", "/api/v1/response/call-out", ALL, lines, tag="response")
    doors.open("POST", f"{at}/calls/{{call}}/answer", ALL, answer, tag="response")
    doors.open("POST", f"{at}/call-out", OPERATE, again, tag="response")
