"""People: users, their sessions, and the API tokens of programs."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request, Response
from sqlalchemy import Connection

from gateway import accounts
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id, NewRole, NewToken, NewUser, Nothing, Reason
from gateway.api.door import ALL, PEOPLE, PERMISSIONS, Doors, person_of
from gateway.api.doors_account import describe_session
from gateway.api.house import Act
from gateway.auth import Role, UserError, end_sessions
from gateway.live import iso
from gateway.tokens import TokenEntry, list_tokens, make_token, revoke_token

T = TypeVar("T")


def open_people_doors(doors: Doors) -> None:  # noqa: C901, PLR0915 - a list of routes
    """Declare them."""
    house = doors.house

    async def do(request: Request, what: str, fn: Callable[[Connection, int], T], **facts: Any) -> T:  # noqa: ANN401 - JSON
        """Run a change in the transaction of its act; a refusal is one sentence in each language."""
        now_ns = house.clock.wall_ns()
        act = Act(who=person_of(request).name, what=what, time_ns=now_ns, facts=facts)
        try:
            return await house.write(lambda c: fn(c, now_ns), act)
        except UserError as failure:
            raise ApiError(409, str(failure), details=failure.said) from None

    async def roles() -> Response:
        """Say what each role may do."""
        may = {role: [name for name, holders in PERMISSIONS.items() if role in holders] for role in Role}
        return Json({"roles": [{"role": role, "may": names} for role, names in may.items()]})

    async def users() -> Response:
        """List the users."""
        now_ns = house.clock.wall_ns()
        found = await house.read(lambda c: accounts.accounts(c, now_ns))
        return Json({"users": [_describe(one, now_ns) for one in found]})

    async def add(asked: NewUser, request: Request) -> Response:
        """Make a user; gives a link that logs him in once, so that he chooses his password himself."""
        token = await do(
            request,
            "user_added",
            lambda c, now_ns: accounts.invite(c, asked.name, asked.role, now_ns),
            user=asked.name,
            role=asked.role,
        )
        return Json({"name": asked.name, "link": f"/login/{token}"})

    async def invite(user: Id, asked: Reason, request: Request) -> Response:
        """Give a user a new one-time link; his password and sessions end."""
        token = await do(
            request,
            "login_link_made",
            lambda c, now_ns: accounts.invite_again(c, user, now_ns),
            user=user,
            reason=asked.reason,
        )
        doors.recheck()
        return Json({"name": user, "link": f"/login/{token}"})

    async def change_role(user: Id, asked: NewRole, request: Request) -> Response:
        """Give a user another role, from his next request on."""
        had = await do(
            request,
            "role_changed",
            lambda c, _: accounts.change_role(c, user, asked.role),
            user=user,
            role=asked.role,
            reason=asked.reason,
        )
        return Json({"name": user, "role": asked.role, "had": had})

    async def disable(user: Id, asked: Reason, request: Request) -> Response:
        """Keep a user out; his sessions end at once."""
        await do(request, "user_disabled", lambda c, _: accounts.disable(c, user), user=user, reason=asked.reason)
        doors.recheck()
        return Json({"name": user})

    async def enable(user: Id, asked: Reason, request: Request) -> Response:
        """Let a user in again, and unlock him."""
        await do(request, "user_enabled", lambda c, _: accounts.enable(c, user), user=user, reason=asked.reason)
        return Json({"name": user})

    async def sessions(user: Id) -> Response:
        """List a user's open sessions."""
        found = await house.read(lambda c: accounts.sessions_of(c, user, house.clock.wall_ns()))
        return Json({"sessions": [describe_session(one) for one in found]})

    async def end_all(user: Id, asked: Reason, request: Request) -> Response:
        """End every session of a user."""
        ended = await do(request, "sessions_ended", lambda c, _: end_sessions(c, user), user=user, reason=asked.reason)
        doors.recheck()
        return Json({"ended": ended})

    async def end_session(user: Id, session: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """End one session of a user."""
        found = await house.read(lambda c: accounts.sessions_of(c, user, house.clock.wall_ns()))
        if session not in [one.id for one in found]:
            raise not_found("open session", session)
        await do(request, "sessions_ended", lambda c, _: accounts.end_one(c, user, session), user=user, session=session)
        doors.recheck()
        return Json({"ended": 1})

    async def tokens() -> Response:
        """List the API tokens, those that are over too."""
        now_ns = house.clock.wall_ns()
        return Json({"tokens": [_describe_token(one, now_ns) for one in await house.read(list_tokens)]})

    async def add_token(asked: NewToken, request: Request) -> Response:
        """Make an API token; it is shown this once."""
        by = person_of(request).name
        entry, secret = await do(
            request,
            "token_made",
            lambda c, now_ns: make_token(c, asked.name, asked.role, asked.scope, by=by, now_ns=now_ns, days=asked.days),
            token=asked.name,
            role=asked.role,
            scope=asked.scope,
            days=asked.days,
        )
        return Json({"token": secret, **_describe_token(entry, entry.created_ns)})

    async def revoke(token: Id, asked: Reason, request: Request) -> Response:
        """End an API token at once."""
        label = await do(
            request, "token_revoked", lambda c, now_ns: revoke_token(c, token, now_ns), token=token, reason=asked.reason
        )
        doors.recheck()
        return Json({"name": label})

    doors.open("GET", "/api/v1/roles", ALL, roles, tag="people")
    at = "/api/v1/users"
    doors.open("GET", at, PEOPLE, users, tag="people")
    doors.open("POST", at, PEOPLE, add, tag="people")
    doors.open("POST", f"{at}/{{user}}/link", PEOPLE, invite, tag="people")
    doors.open("POST", f"{at}/{{user}}/role", PEOPLE, change_role, tag="people")
    doors.open("POST", f"{at}/{{user}}/disable", PEOPLE, disable, tag="people")
    doors.open("POST", f"{at}/{{user}}/enable", PEOPLE, enable, tag="people")
    doors.open("GET", f"{at}/{{user}}/sessions", PEOPLE, sessions, tag="people")
    doors.open("POST", f"{at}/{{user}}/sessions/end", PEOPLE, end_all, tag="people")
    doors.open("POST", f"{at}/{{user}}/sessions/{{session}}/end", PEOPLE, end_session, tag="people")
    doors.open("GET", "/api/v1/tokens", PEOPLE, tokens, tag="people")
    doors.open("POST", "/api/v1/tokens", PEOPLE, add_token, tag="people")
    doors.open("POST", "/api/v1/tokens/{token}/revoke", PEOPLE, revoke, tag="people")


def _describe(account: accounts.Account, now_ns: int) -> dict[str, Any]:
    user = account.user
    return {
        "name": user.name,
        "role": user.role,
        "is_active": user.is_active,
        "has_password": account.has_password,
        "created": iso(user.created_ns),
        "locked_until": iso(user.locked_until_ns) if user.locked_until_ns > now_ns else None,
        "failures": account.failures,
        "sessions": account.sessions,
    }


def _describe_token(entry: TokenEntry, now_ns: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.label,
        "role": entry.role,
        "scope": entry.scope,
        "made_by": entry.made_by,
        "created": iso(entry.created_ns),
        "expires": iso(entry.expires_ns),
        "used": iso(entry.used_ns),
        "revoked": iso(entry.revoked_ns),
        "is_good": entry.is_good(now_ns),
    }
