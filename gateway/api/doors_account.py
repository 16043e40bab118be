"""My account: my password, and where else I am logged in."""

from typing import Any

from fastapi import Request, Response

from gateway.accounts import SessionEntry, password_of, sessions_of
from gateway.api.answer import ApiError, Json
from gateway.api.asked import NewPassword, Nothing
from gateway.api.checking import Checking
from gateway.api.door import ALL, COOKIE, Doors, person_of
from gateway.api.doors_session import peer_of
from gateway.api.house import Act
from gateway.auth import (
    UserError,
    begin_attempt,
    check_password,
    end_sessions,
    give_password,
    hash_password,
    hash_token,
    verify,
)
from gateway.live import iso

WRONG_OLD = {"en": "The password that you have is another one.", "zh": "原密码不正确。"}


def open_account_doors(doors: Doors, checking: Checking) -> None:
    """Declare them."""
    house = doors.house

    async def set_mine(asked: NewPassword, request: Request) -> Response:
        """Choose a new password; every other session of mine ends."""
        user = person_of(request)
        try:
            check_password(user.name, asked.new)
        except UserError as failure:
            raise ApiError(409, str(failure), details=failure.said) from None
        now_ns = house.clock.wall_ns()
        async with checking.turn():
            # Counted like a log-in: who finds an open page may not guess on for ever.
            has = await house.read(lambda c: password_of(c, user.name))
            hashed = await house.write(lambda c: begin_attempt(c, user.name, now_ns)) if has else ""
            is_right = not has or await house.read(lambda _: verify(hashed or "", asked.old))
            new = await house.read(lambda _: hash_password(asked.new)) if is_right else ""
        if not is_right:
            act = Act(who=user.name, what="password_refused", time_ns=now_ns, facts={"from": peer_of(request)})
            await house.write(lambda _: None, act)
            raise ApiError(409, "The password that you have is another one.", details=WRONG_OLD)
        mine = hash_token(request.cookies.get(COOKIE, ""))
        act = Act(who=user.name, what="password_set", time_ns=now_ns, facts={"user": user.name})
        await house.write(lambda c: give_password(c, user.name, new, but=mine), act)
        doors.recheck()
        return Json({})

    async def sessions(request: Request) -> Response:
        """List my open sessions."""
        user = person_of(request)
        mine = hash_token(request.cookies.get(COOKIE, ""))
        found = await house.read(lambda c: sessions_of(c, user.name, house.clock.wall_ns(), mine))
        return Json({"sessions": [describe_session(one) for one in found]})

    async def end_others(request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """End every other session of mine."""
        user = person_of(request)
        mine = hash_token(request.cookies.get(COOKIE, ""))
        act = Act(
            who=user.name,
            what="sessions_ended",
            time_ns=house.clock.wall_ns(),
            facts={"user": user.name, "but": "this"},
        )
        ended = await house.write(lambda c: end_sessions(c, user.name, but=mine), act)
        doors.recheck()
        return Json({"ended": ended})

    doors.open("POST", "/api/v1/me/password", ALL, set_mine, tag="session")
    doors.open("GET", "/api/v1/me/sessions", ALL, sessions, tag="session")
    doors.open("POST", "/api/v1/me/sessions/end", ALL, end_others, tag="session")


def describe_session(entry: SessionEntry) -> dict[str, Any]:
    """Give a session as the page shows it."""
    return {
        "id": entry.id,
        "created": iso(entry.created_ns),
        "expires": iso(entry.expires_ns),
        "from": entry.peer,
        "is_mine": entry.is_mine,
    }
