"""Signing: a person shows the password once more, so that a signature is his and not that of an open page."""

from fastapi import Request
from sqlalchemy import Connection, update

from gateway.api.answer import ApiError
from gateway.api.checking import Checking
from gateway.api.doors_session import peer_of
from gateway.api.house import Act, House
from gateway.auth import User, begin_attempt, find_user, verify
from gateway.store.schema import user

WRONG = {
    "en": "Name or password is wrong. After five failures an account is locked for 15 minutes, and longer each time.",
    "zh": "用户名或密码错误。连续五次错误后账户将被锁定 15 分钟，并逐次延长。",
}


async def sign(house: House, checking: Checking, name: str, password: str, request: Request) -> User:
    """Let a person sign; gives the user. Counted like a log-in, so that nobody guesses on at an open page.

    Raises:
        ApiError: Name or password is wrong, or the account is locked.
    """
    now_ns = house.clock.wall_ns()
    async with checking.turn():
        hashed = await house.write(lambda c: begin_attempt(c, name, now_ns))
        is_right = await house.read(lambda _: verify(hashed or "", password))
    if not is_right:
        if hashed is not None:
            act = Act(who=name, what="password_refused", time_ns=now_ns, facts={"from": peer_of(request)})
            await house.write(lambda _: None, act)
        raise ApiError(409, WRONG["en"], code="log_in", details=WRONG)
    forget = update(user).where(user.c.name == name).values(failures=0, locked_until_ns=0)

    def right(connection: Connection) -> None:
        connection.execute(forget)

    await house.write(right)
    found = await house.read(lambda c: find_user(c, name))
    assert found is not None, "somebody without an account has a password"
    return found
