"""Doors: each route is declared with the roles that may use it, or not at all.

Why: deny by default. A route cannot be made without a line of roles, and a test walks all routes and all roles.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import Depends, FastAPI, Request, WebSocket
from starlette.requests import HTTPConnection

from gateway.api.answer import ApiError, Json
from gateway.api.house import House
from gateway.auth import Role, User, find_session
from gateway.nodes.credential import find_node
from gateway.tokens import S_TO_NS, TOUCH_S, find_token, touch

COOKIE = "fengsui_session"

#: Nobody needs to log in; an empty set of roles would admit nobody.
PUBLIC: frozenset[Role] | None = None
ALL = frozenset(Role)
#: May answer alarms: acknowledge, reset, shelve, finish tasks.
OPERATE = frozenset({Role.OPERATOR, Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May take an alarm out of service: its pushes stop, so an operator alone may not.
SUPPRESS = frozenset({Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May change the rules.
ENGINEER = frozenset({Role.ENGINEER, Role.ADMINISTRATOR})
#: May agree to a change of the configuration that another person proposes, or refuse it.
APPROVE = frozenset({Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May lead drills and try stories.
DRILL = frozenset({Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May say that an authority has a notice: its own program, by a token of this role.
CONFIRM = frozenset({Role.REGULATOR, Role.ADMINISTRATOR})
#: May send a notice once more, out of quarantine or under its key.
RESEND = frozenset({Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May try a channel to people, and see what it would send.
CHANNEL = frozenset({Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR})
#: May read who did what.
AUDIT = frozenset({Role.SAFETY_OFFICER, Role.REGULATOR, Role.ADMINISTRATOR})
#: May make users and tokens, and end them.
PEOPLE = frozenset({Role.ADMINISTRATOR})

#: May say who is on duty when, and how people are reached.
ROSTER = frozenset({Role.SAFETY_OFFICER, Role.ADMINISTRATOR})
#: May change the ledgers of the hazard register.
REGISTER = frozenset({Role.SAFETY_OFFICER, Role.ADMINISTRATOR})

#: May keep and open who reported something (举报人); persons alone, never a token.
REPORTER = frozenset({Role.SAFETY_OFFICER, Role.ADMINISTRATOR})

#: What people call the roles, as on the page.
ROLES_ZH = {
    Role.VIEWER: "观察员",
    Role.OPERATOR: "操作员",
    Role.SAFETY_OFFICER: "安全员",
    Role.ENGINEER: "工程师",
    Role.REGULATOR: "监管人员",
    Role.ADMINISTRATOR: "管理员",
}


def not_yours(mine: Role, roles: frozenset[Role]) -> ApiError:
    """Refuse what a role may not do, and say whose it is: who stands before it must know whom to ask."""
    may = [role for role in Role if role in roles]
    named = ", ".join(role.replace("_", " ") for role in may)
    en = f"Role {mine.replace('_', ' ')} may not do this; it is for: {named}."
    zh = f"{ROLES_ZH[mine]}无权进行此操作，须由以下角色进行：{'、'.join(ROLES_ZH[role] for role in may)}。"
    return ApiError(403, en, details={"en": en, "zh": zh})


#: Every set of roles that a door may ask for, by name: the page hides by it what the doors refuse.
PERMISSIONS = {
    "look": ALL,
    "operate": OPERATE,
    "suppress": SUPPRESS,
    "engineer": ENGINEER,
    "approve": APPROVE,
    "drill": DRILL,
    "confirm": CONFIRM,
    "resend": RESEND,
    "channel": CHANNEL,
    "audit": AUDIT,
    "people": PEOPLE,
    "roster": ROSTER,
    "register": REGISTER,
    "reporter": REPORTER,
}

#: Methods of a token that may only look.
LOOKING = frozenset({"GET", "HEAD"})

#: No person: an edge node, by its token.
NODES: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """One route as declared."""

    method: str
    path: str
    roles: frozenset[Role] | None


@dataclass(slots=True)
class Doors:
    """Where routes are declared.

    Attributes:
        declared: Every route of the application, in order.
    """

    app: FastAPI
    house: House
    declared: list[Door] = field(default_factory=list)
    _feeds: set[asyncio.Event] = field(default_factory=set)

    def open(
        self,
        method: str,
        path: str,
        roles: frozenset[Role] | None,
        endpoint: Callable[..., Awaitable[Any]],
        *,
        tag: str = "",
    ) -> None:
        """Declare a route; its summary is the first line of the endpoint's docstring.

        A name in the path that may hold a slash is written ``{name:path}``; people read ``{name}``.
        """
        named = path.replace(":path}", "}")
        self.declared.append(Door(method, named, roles))
        self.app.add_api_route(
            path,
            endpoint,
            methods=[method],
            response_class=Json,
            response_model=None,
            tags=[tag] if tag else None,
            summary=(endpoint.__doc__ or "").strip().split("\n")[0],
            dependencies=[] if roles is None else [Depends(self.permit(roles))],
            operation_id=f"{method.lower()}_{named.removeprefix('/api/v1/').replace('/', '_').strip('_{}')}",
            openapi_extra={
                "x-roles": ["public"] if roles is None else sorted(roles),
                "security": [] if roles is None else [{"session": []}, {"token": []}],
            },
        )

    def open_for_nodes(self, path: str, endpoint: Callable[..., Awaitable[Any]]) -> None:
        """Declare a route that edge nodes send to, and nobody else; the node's name is in ``request.state.node``."""
        self.declared.append(Door("POST", path, NODES))
        self.app.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            response_class=Json,
            response_model=None,
            tags=["nodes"],
            summary=(endpoint.__doc__ or "").strip().split("\n")[0],
            dependencies=[Depends(self._permit_node)],
            operation_id=f"post_{path.removeprefix('/api/v1/')}",
            openapi_extra={
                "x-roles": ["node"],
                "security": [{"node": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
                },
            },
        )

    async def _permit_node(self, request: Request) -> None:
        """Let an edge node in by its token; its body is not read before."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = None
        if scheme.lower() == "bearer" and token:
            name = await self.house.read(lambda c: find_node(c, token.strip()))
        if name is None:
            said = "This is for edge nodes: send the token that `fengsui node add` printed as Authorization: Bearer."
            raise ApiError(401, said, headers={"www-authenticate": "Bearer"})
        request.state.node = name

    def open_feed(self, path: str, roles: frozenset[Role], endpoint: Callable[[WebSocket], Awaitable[None]]) -> None:
        """Declare a WebSocket; its endpoint checks the session itself, before it accepts."""
        self.declared.append(Door("WEBSOCKET", path, roles))
        self.app.add_api_websocket_route(path, endpoint)

    def permit(self, roles: frozenset[Role]) -> Callable[[Request], Awaitable[None]]:
        """Make the check of one route."""

        async def check(request: Request) -> None:
            user = await self.who(request)
            if user is None:
                raise ApiError(401, "Log in first.")
            if user.role not in roles:
                raise not_yours(user.role, roles)
            if not user.may_act and request.method not in LOOKING:
                en, zh = "This token may only read.", "该令牌只能读取。"
                raise ApiError(403, en, details={"en": en, "zh": zh})
            request.state.user = user

        return check

    async def who(self, connection: HTTPConnection) -> User | None:
        """Give the user whose session a request carries, or the token that it shows.

        A request that shows a token is judged by it alone: a cookie beside it changes nothing.
        """
        now_ns = self.house.clock.wall_ns()
        given = connection.headers.get("authorization")
        if given is not None:
            scheme, _, secret = given.partition(" ")
            if scheme.lower() != "bearer" or not secret or len(secret) > 128:  # noqa: PLR2004 - ours have 47 characters
                return None
            found = await self.house.read(lambda c: find_token(c, secret.strip(), now_ns))
            if found is not None and now_ns - found.used_ns > TOUCH_S * S_TO_NS:
                await self.house.write(lambda c: touch(c, found.token, now_ns))
            return found
        token = connection.cookies.get(COOKIE)
        if not token or len(token) > 128:  # noqa: PLR2004 - ours have 43 characters
            return None
        return await self.house.read(lambda c: find_session(c, token, now_ns))

    @contextlib.contextmanager
    def feed(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever sessions or tokens ended, for as long as a feed is open."""
        ended = asyncio.Event()
        self._feeds.add(ended)
        try:
            yield ended
        finally:
            self._feeds.discard(ended)

    def recheck(self) -> None:
        """Let every open feed ask again whether its session is still good: one was ended."""
        for ended in self._feeds:
            ended.set()


def user_of(request: Request) -> User:
    """Give the user that the door let in."""
    user = request.state.user
    assert isinstance(user, User)
    return user


def person_of(request: Request) -> User:
    """Give the person that the door let in.

    Raises:
        ApiError: It is a token: it has no password and no sessions.
    """
    user = user_of(request)
    if user.token:
        raise ApiError(403, "This is for persons; a token has no password and no sessions.")
    return user
