"""Log-in, log-out, who am I."""

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from gateway.accounts import password_of
from gateway.api.answer import Json, error
from gateway.api.asked import LogIn
from gateway.api.checking import Checking
from gateway.api.door import ALL, COOKIE, PERMISSIONS, PUBLIC, Doors, person_of, user_of
from gateway.api.house import Act
from gateway.auth import (
    SESSION_S,
    begin_attempt,
    end_session,
    finish_attempt,
    redeem_link,
    verify,
)

WRONG = (
    "Name or password is wrong. After five failures an account is locked for 15 minutes, and longer each further time."
)


def open_session_doors(doors: Doors, checking: Checking) -> None:
    """Declare them."""
    house = doors.house

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
        now_ns = house.clock.wall_ns()
        async with checking.turn():
            hashed = await house.write(lambda c: begin_attempt(c, asked.name, now_ns))
            # A locked account takes as long as a wrong password, but is not looked at.
            is_right = await house.read(lambda _: verify(hashed or "", asked.password))
        if not is_right:
            if hashed is not None:
                act = Act(who=asked.name, what="log_in_refused", time_ns=now_ns, facts={"from": peer_of(request)})
                await house.write(lambda _: None, act)
            return error(401, WRONG, code="log_in")
        act = Act(who=asked.name, what="logged_in", time_ns=now_ns, facts={"from": peer_of(request)})
        token = await house.write(lambda c: finish_attempt(c, asked.name, now_ns, peer_of(request)), act)
        answer = Json({"name": asked.name})
        greet(answer, request, token)
        return answer

    async def follow_link(token: str, request: Request) -> Response:
        """Log in by a one-time link and go to the page."""
        now_ns = house.clock.wall_ns()
        found = await house.write(lambda c: redeem_link(c, token[:128], now_ns, peer_of(request)))
        if found is None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/?spent", status_code=303)  # The log-in page says it in the reader's language.
        if found is None:
            return error(401, "This link was used already, is too old, or never was. Ask for a new one.", code="link")
        name, session_token = found
        act = Act(who=name, what="logged_in", time_ns=now_ns, facts={"from": peer_of(request), "by": "link"})
        await house.write(lambda _: None, act)
        answer = RedirectResponse("/", status_code=303)
        greet(answer, request, session_token)
        return answer

    async def log_out(request: Request) -> Response:
        """End this session."""
        person_of(request)
        token = request.cookies.get(COOKIE, "")
        act = Act(who=user_of(request).name, what="logged_out", time_ns=house.clock.wall_ns())
        await house.write(lambda c: end_session(c, token), act)
        doors.recheck()
        answer = Json({})
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    async def me(request: Request) -> Response:
        """Say who this session belongs to."""
        user = user_of(request)
        may = [name for name, roles in PERMISSIONS.items() if user.role in roles]
        has_password = bool(user.token) or bool(await house.read(lambda c: password_of(c, user.name)))
        return Json({"name": user.name, "role": user.role, "may": may, "has_password": has_password})

    doors.open("POST", "/api/v1/login", PUBLIC, log_in, tag="session")
    doors.open("GET", "/login/{token}", PUBLIC, follow_link, tag="session")
    doors.open("POST", "/api/v1/logout", ALL, log_out, tag="session")
    doors.open("GET", "/api/v1/me", ALL, me, tag="session")


def peer_of(request: Request) -> str:
    """Give the address that a request came from."""
    return request.client.host if request.client else ""
