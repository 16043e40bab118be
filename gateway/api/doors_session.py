"""Log-in, log-out, who am I."""

import asyncio

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from gateway.api.answer import ApiError, Json, error
from gateway.api.asked import LogIn
from gateway.api.door import ALL, COOKIE, PUBLIC, Doors, user_of
from gateway.api.house import Act
from gateway.auth import SESSION_S, begin_attempt, end_session, finish_attempt, redeem_link, verify

#: Passwords checked at once; each takes 64 MiB and 50 ms of a core.
CHECKS_MAX = 2
#: Log-ins that may wait for that.
WAITING_MAX = 16

WRONG = (
    "Name or password is wrong. After five failures an account is locked for 15 minutes, and longer each further time."
)


def open_session_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    checking = asyncio.Semaphore(CHECKS_MAX)
    waiting = 0

    def greet(response: Response, request: Request, token: str) -> None:
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            # A proxy that ends TLS says so; asking for Secure on plain loopback would lock everybody out.
            secure=request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https",
            path="/",
        )

    async def log_in(asked: LogIn, request: Request) -> Response:
        """Log in with name and password; gives the session cookie."""
        nonlocal waiting
        if waiting >= WAITING_MAX:
            raise ApiError(429, "Too many log-ins at once; try again in a moment.", headers={"retry-after": "2"})
        now_ns = house.clock.wall_ns()
        waiting += 1
        try:
            async with checking:
                hashed = await house.write(lambda c: begin_attempt(c, asked.name, now_ns))
                # A locked account takes as long as a wrong password, but is not looked at.
                is_right = await house.read(lambda _: verify(hashed or "", asked.password))
        finally:
            waiting -= 1
        if not is_right:
            if hashed is not None:
                act = Act(who=asked.name, what="log_in_refused", time_ns=now_ns, facts={"from": _peer(request)})
                await house.write(lambda _: None, act)
            return error(401, WRONG, code="log_in")
        act = Act(who=asked.name, what="logged_in", time_ns=now_ns, facts={"from": _peer(request)})
        token = await house.write(lambda c: finish_attempt(c, asked.name, now_ns), act)
        answer = Json({"name": asked.name})
        greet(answer, request, token)
        return answer

    async def follow_link(token: str, request: Request) -> Response:
        """Log in by a one-time link and go to the page."""
        now_ns = house.clock.wall_ns()
        found = await house.write(lambda c: redeem_link(c, token[:128], now_ns))
        if found is None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/?spent", status_code=303)  # The log-in page says it in the reader's language.
        if found is None:
            return error(401, "This link was used already, is too old, or never was. Ask for a new one.", code="link")
        name, session_token = found
        act = Act(who=name, what="logged_in", time_ns=now_ns, facts={"from": _peer(request), "by": "link"})
        await house.write(lambda _: None, act)
        answer = RedirectResponse("/", status_code=303)
        greet(answer, request, session_token)
        return answer

    async def log_out(request: Request) -> Response:
        """End this session."""
        token = request.cookies.get(COOKIE, "")
        act = Act(who=user_of(request).name, what="logged_out", time_ns=house.clock.wall_ns())
        await house.write(lambda c: end_session(c, token), act)
        answer = Json({})
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    async def me(request: Request) -> Response:
        """Say who this session belongs to."""
        user = user_of(request)
        return Json({"name": user.name, "role": user.role})

    doors.open("POST", "/api/v1/login", PUBLIC, log_in, tag="session")
    doors.open("GET", "/login/{token}", PUBLIC, follow_link, tag="session")
    doors.open("POST", "/api/v1/logout", ALL, log_out, tag="session")
    doors.open("GET", "/api/v1/me", ALL, me, tag="session")


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""
