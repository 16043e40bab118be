"""Handover over the API: see what is open, sign as the one who goes, sign as the one who comes; call checks.

Flow: person at the page -> door (roles) -> password -> records, in the transaction of the act -> store
"""

from collections.abc import Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Nothing, Reason
from gateway.api.checking import Checking
from gateway.api.door import ALL, OPERATE, ROSTER, Doors, person_of
from gateway.api.house import Act, House
from gateway.api.signing import sign
from gateway.auth import find_user
from gateway.handover import records
from gateway.handover.content import Content, assemble
from gateway.handover.records import CallCheck, Handover
from gateway.live import iso
from gateway.roster.book import RosterError, on_duty

T = TypeVar("T")
MIN_NS = 60 * 1_000_000_000


class Give(BaseModel):
    """Which post is handed over to whom, what to look after, and the password of the one who goes."""

    model_config = ConfigDict(extra="forbid")
    post: str = Field(min_length=1, max_length=64)
    to: str = Field(min_length=1, max_length=64)
    notes: str = Field(default="", max_length=4000)
    password: str = Field(max_length=256)


class Take(BaseModel):
    """Who takes over, with his own password; the digest that he saw, and what he remarks."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=64)
    password: str = Field(max_length=256)
    digest: str = Field(min_length=64, max_length=64)
    remark: str = Field(default="", max_length=2000)


class AskCheck(BaseModel):
    """Whom to ask whether they are at their posts: one post or all; how long they have, and why."""

    model_config = ConfigDict(extra="forbid")
    post: str = Field(default="", max_length=64)
    minutes: int = Field(default=5, ge=1, le=120)
    reason: str = Field(default="", max_length=500)


def open_handover_doors(doors: Doors, checking: Checking) -> None:
    """Declare them."""
    house = doors.house

    async def preview() -> Response:
        """Give what would be handed over now."""
        site, now_ns = house.site, house.clock.wall_ns()
        return Json(await house.read(lambda c: assemble(c, site, now_ns)))

    async def handovers() -> Response:
        """List the last handovers."""
        return Json({"handovers": [_shown(each) for each in await house.read(records.latest)]})

    async def handover(number: int) -> Response:
        """Give one handover with all that was signed."""
        found = await house.read(lambda c: records.one(c, number))
        if found is None:
            raise not_found("handover", str(number))
        return Json(_shown(found) | {"content": orjson.Fragment(found.content)})

    at = "/api/v1/handovers"
    doors.open("GET", f"{at}/preview", ALL, preview, tag="handover")
    doors.open("GET", at, ALL, handovers, tag="handover")
    doors.open("GET", f"{at}/{{number}}", ALL, handover, tag="handover")
    _open_signing_doors(doors, checking)
    _open_ending_doors(doors)
    _open_check_doors(doors)


def _open_signing_doors(doors: Doors, checking: Checking) -> None:
    house = doors.house

    async def give(asked: Give, request: Request) -> Response:
        """Sign as the one who goes; what is open at this moment is kept as it is."""
        giver = person_of(request)
        if asked.to == giver.name:
            raise _refused("Nobody hands over to himself.", "不能交接给自己。")
        if house.site.roster.post(asked.post) is None:
            raise ApiError(422, f"post: there is no post {asked.post[:64]!r}.")
        taker = await house.read(lambda c: find_user(c, asked.to))
        if taker is None or not taker.is_active or taker.role not in OPERATE:
            raise _refused(
                f"{asked.to[:64]!r} is no active user who may answer alarms.",
                f"“{asked.to[:64]}”不是可处理报警的启用用户。",
            )
        await sign(house, checking, giver.name, asked.password, request)
        site, now_ns = house.site, house.clock.wall_ns()
        facts = await house.read(lambda c: assemble(c, site, now_ns))
        content = Content(facts={**facts, "post": asked.post, "giver": giver.name, "notes": asked.notes})
        told = {"post": asked.post, "to": asked.to, "sha256": content.digest}
        act = Act(who=giver.name, what="handover_given", time_ns=now_ns, facts=told)

        def keep(connection: Connection) -> int:
            return records.give(
                connection,
                post=asked.post,
                giver=giver.name,
                taker=asked.to,
                notes=asked.notes,
                content=content,
                now_ns=now_ns,
            )

        number = await _do(house, keep, act)
        return Json({"number": number, "digest": content.digest})

    async def take(number: int, asked: Take, request: Request) -> Response:
        """Sign as the one who comes, with his own name and password, at whosever screen."""
        found = await _waiting(house, number)
        if asked.digest != found.digest:
            raise _refused("What you saw is not what was signed; look again.", "您看到的内容与已签内容不同，请刷新。")
        if asked.name == found.giver:
            raise _refused("Who hands over cannot take over.", "交班人不能签收自己的交班。")
        taker = await sign(house, checking, asked.name, asked.password, request)
        if taker.role not in OPERATE:
            raise _refused(f"Role {taker.role} may not answer alarms.", "该角色不能处理报警，不能接班。")
        await _close(house, found, records.SIGNED, taker.name, asked.remark, "handover_taken")
        return Json({"number": number})

    at = "/api/v1/handovers"
    doors.open("POST", at, OPERATE, give, tag="handover")
    doors.open("POST", f"{at}/{{number}}/take", OPERATE, take, tag="handover")


def _open_ending_doors(doors: Doors) -> None:
    house = doors.house

    async def refuse(number: int, asked: Reason, request: Request) -> Response:
        """Refuse to take over, with a reason."""
        found, who = await _waiting(house, number), person_of(request).name
        if who != found.taker:
            raise _refused(
                f"{found.taker} is to take over; he may refuse.", f"应由 {found.taker} 接班，仅其本人可拒绝。"
            )
        await _close(house, found, records.REFUSED, who, asked.reason, "handover_refused")
        return Json({"number": number})

    async def withdraw(number: int, asked: Reason, request: Request) -> Response:
        """Take back a handover that waits."""
        found, who = await _waiting(house, number), person_of(request).name
        if who != found.giver:
            raise _refused(
                f"{found.giver} gave it; he may withdraw it.", f"该交班由 {found.giver} 提交，仅其本人可撤回。"
            )
        act = Act(
            who=who,
            what="handover_withdrawn",
            time_ns=house.clock.wall_ns(),
            facts={"number": number, "reason": asked.reason},
        )
        taker, now_ns = found.taker, act.time_ns
        await _do(house, lambda c: records.close(c, number, records.WITHDRAWN, taker, asked.reason, now_ns), act)
        return Json({"number": number})

    at = "/api/v1/handovers"
    doors.open("POST", f"{at}/{{number}}/refuse", OPERATE, refuse, tag="handover")
    doors.open("POST", f"{at}/{{number}}/withdraw", OPERATE, withdraw, tag="handover")


def _open_check_doors(doors: Doors) -> None:
    house = doors.house

    async def checks() -> Response:
        """List the last call checks: who was asked, who answered when, who did not."""
        now_ns = house.clock.wall_ns()
        return Json({"checks": [_check(each, now_ns) for each in await house.read(records.checks)]})

    async def ask(asked: AskCheck, request: Request) -> Response:
        """Ask those on duty whether they are at their posts."""
        who, site, now_ns = person_of(request).name, house.site, house.clock.wall_ns()
        if asked.post and site.roster.post(asked.post) is None:
            raise ApiError(422, f"post: there is no post {asked.post[:64]!r}.")
        facts = {"post": asked.post, "minutes": asked.minutes, "reason": asked.reason}
        act = Act(who=who, what="call_check_asked", time_ns=now_ns, facts=facts)

        def keep(connection: Connection) -> int:
            there = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
            posts = {w.watch.on_duty: w.watch.post for w in there if asked.post in ("", w.watch.post)}
            until_ns = now_ns + asked.minutes * MIN_NS
            return records.ask(connection, who, list(posts.items()), until_ns, asked.reason, now_ns)

        return Json({"number": await _do(house, keep, act)})

    async def here(number: int, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Answer a call check: I am at my post."""
        who, now_ns = person_of(request).name, house.clock.wall_ns()
        act = Act(who=who, what="call_check_answered", time_ns=now_ns, facts={"number": number})
        await _do(house, lambda c: records.answer(c, number, who, now_ns), act)
        return Json({"number": number})

    async def mine(request: Request) -> Response:
        """Name the call checks that wait for my answer."""
        who, now_ns = person_of(request).name, house.clock.wall_ns()
        found = await house.read(records.checks)
        asked = [
            each for each in found if each.until_ns > now_ns and who in dict(each.people) and who not in each.answers
        ]
        told = [{"number": each.number, "by": each.asked_by, "until": iso(each.until_ns)} for each in asked]
        return Json({"checks": told})

    at = "/api/v1/call-checks"
    doors.open("GET", at, ALL, checks, tag="handover")
    doors.open("GET", f"{at}/mine", ALL, mine, tag="handover")
    doors.open("POST", at, ROSTER, ask, tag="handover")
    doors.open("POST", f"{at}/{{number}}/here", ALL, here, tag="handover")


async def _waiting(house: House, number: int) -> Handover:
    found = await house.read(lambda c: records.one(c, number))
    if found is None:
        raise not_found("handover", str(number))
    if found.state != records.WAITING:
        raise _refused("This handover does not wait to be signed any more.", "该交接班已不在待签收状态。")
    return found


async def _close(house: House, found: Handover, state: str, who: str, remark: str, what: str) -> None:
    now_ns = house.clock.wall_ns()
    facts = {"number": found.number, "post": found.post, "from": found.giver, "sha256": found.digest, "remark": remark}
    act = Act(who=who, what=what, time_ns=now_ns, facts=facts)
    await _do(house, lambda c: records.close(c, found.number, state, who, remark, now_ns), act)


async def _do(house: House, fn: Callable[[Connection], T], act: Act) -> T:
    """Run a change in the transaction of its act; a refusal is one sentence in each language."""
    try:
        return await house.write(fn, act)
    except RosterError as error:
        raise ApiError(409, str(error), details=error.said) from None


def _refused(en: str, zh: str) -> ApiError:
    return ApiError(409, en, details={"en": en, "zh": zh})


def _shown(each: Handover) -> dict[str, Any]:
    return {
        "number": each.number,
        "post": each.post,
        "state": each.state,
        "giver": each.giver,
        "taker": each.taker,
        "given": iso(each.given_ns),
        "closed": iso(each.closed_ns) if each.closed_ns else None,
        "notes": each.notes,
        "remark": each.remark,
        "digest": each.digest,
    }


def _check(each: CallCheck, now_ns: int) -> dict[str, Any]:
    def became(name: str) -> str:
        at_ns = each.answers.get(name)
        if at_ns is None:
            return "missing" if now_ns > each.until_ns else "waiting"
        return "here" if at_ns <= each.until_ns else "late"

    return {
        "number": each.number,
        "by": each.asked_by,
        "asked": iso(each.asked_ns),
        "until": iso(each.until_ns),
        "reason": each.reason,
        "people": [
            {
                "person": name,
                "post": post,
                "state": became(name),
                "answered": iso(each.answers[name]) if name in each.answers else None,
            }
            for name, post in each.people
        ],
    }
