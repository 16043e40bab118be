"""Proposals: changes of the configuration that wait for another person; seen, approved, refused, withdrawn."""

import asyncio
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, APPROVE, ENGINEER, Doors, person_of, user_of
from gateway.api.doors_rules import ANSWER_S_MAX, PARTS_MAX, checked_shown, difference_shown, part_shown, refused
from gateway.auth import TOKEN_PREFIX
from gateway.live import iso
from gateway.rules import proposal as kept
from gateway.rules.approval import Declined
from gateway.rules.book import Checked, NotApplied
from gateway.rules.proposal import Proposal
from gateway.store.schema import token

Number = Annotated[int, InPath(ge=1, le=2**31)]
STATUS = {"none": 404}


class Approved(BaseModel):
    """A word with the approval, if any."""

    model_config = ConfigDict(extra="forbid")
    comment: str = Field(default="", max_length=2000)


class Refused(BaseModel):
    """Why it is refused or taken back."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


def open_proposal_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def proposals(
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    ) -> Response:
        """List changes that wait for another person's approval, and what became of the others, the newest first."""
        found = await house.read(lambda c: kept.listed(c, limit, before))
        more = found[-1].number if len(found) == limit and found[-1].number > 1 else None
        policy = house.site.approval
        return Json(
            {
                "is_needed": policy.is_needed,
                "hours": policy.hours,
                "proposals": [proposal_shown(each) for each in found],
                "next": more,
            }
        )

    async def one(number: Number) -> Response:
        """Give one with its difference, and, while it is open, what it would do now."""
        try:
            found, checked = await house.proposals.look(number)
        except Declined as said:
            raise _declined(said) from None
        return Json(_whole(found, checked))

    doors.open("GET", "/api/v1/rules/proposals", ALL, proposals, tag="rules")
    doors.open("GET", "/api/v1/rules/proposals/{number}", ALL, one, tag="rules")
    _open_deciding_doors(doors)


def _open_deciding_doors(doors: Doors) -> None:
    house = doors.house

    async def approve(number: Number, asked: Approved, request: Request) -> Response:
        """Agree to a change of another person: it is put in force between two ticks, in the name of both."""
        who = person_of(request).name
        made = await house.read(_makers)
        try:
            revision = await asyncio.wait_for(
                house.proposals.approve(number, who, asked.comment.strip(), made.get), ANSWER_S_MAX
            )
        except TimeoutError:
            raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None
        except Declined as said:
            raise _declined(said) from None
        except NotApplied as refusal:
            raise refused(refusal) from None
        return Json({"revision": revision})

    async def refuse(number: Number, asked: Refused, request: Request) -> Response:
        """Refuse a change of another person, with the reason."""
        return await end(number, asked, person_of(request).name, is_own=False)

    async def withdraw(number: Number, asked: Refused, request: Request) -> Response:
        """Take back a change that one has proposed oneself."""
        return await end(number, asked, user_of(request).name, is_own=True)

    async def end(number: int, asked: Refused, who: str, *, is_own: bool) -> Response:
        if not asked.reason.strip():
            raise ApiError(422, "reason: give a reason.")
        try:
            await house.proposals.refuse(number, who, asked.reason.strip(), is_own=is_own)
            found, _ = await house.proposals.look(number)
        except Declined as said:
            raise _declined(said) from None
        return Json({"proposal": proposal_shown(found)})

    doors.open("POST", "/api/v1/rules/proposals/{number}/approve", APPROVE, approve, tag="rules")
    doors.open("POST", "/api/v1/rules/proposals/{number}/refuse", APPROVE, refuse, tag="rules")
    doors.open("POST", "/api/v1/rules/proposals/{number}/withdraw", ENGINEER, withdraw, tag="rules")


def proposal_shown(proposal: Proposal) -> dict[str, Any]:
    """Give a proposal as the API and the page know it, without its difference."""
    return {
        "number": proposal.number,
        "made": iso(proposal.made_ns),
        "expires": iso(proposal.expires_ns),
        "who": proposal.who,
        "reason": proposal.reason,
        "origin": proposal.asked.origin,
        "undoes": proposal.asked.undo or None,
        "revision": proposal.revision,
        "state": proposal.state,
        "count": len(proposal.changes),
        "count_others": len(proposal.others),
        "rules": [each.rule for each in proposal.changes[:10]],
        "ended_by": proposal.ended_by,
        "ended": iso(proposal.ended_ns),
        "said": proposal.said,
        "result": proposal.result or None,
    }


def _whole(proposal: Proposal, checked: Checked | None) -> dict[str, Any]:
    now = None
    if checked is not None:
        now = checked_shown(checked) | {"is_same": not checked.mistakes and proposal.is_this(checked)}
    return proposal_shown(proposal) | {
        "changes": [difference_shown(each) for each in proposal.changes],
        "parts": [part_shown(each) for each in proposal.others[:PARTS_MAX]],
        "restarted": list(proposal.restarted),
        "now": now,
    }


def _makers(connection: Connection) -> dict[str, str]:
    """Give who made each token, by the name under which it acts: nobody agrees to what a token of theirs proposes."""
    made = connection.execute(select(token.c.label, token.c.made_by))
    return {f"{TOKEN_PREFIX}{row.label}": row.made_by for row in made}


def _declined(said: Declined) -> ApiError:
    return ApiError(STATUS.get(said.code, 409), str(said), code=said.code, details=said.said)
