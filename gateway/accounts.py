"""Accounts: what an administrator does to users, and a user to his own password and sessions, at the page.

Flow: door (roles) -> [accounts: in the transaction of its act] -> store; the page's next request sees it
Why: the command line makes the first user; who works here day by day comes and goes without a shell. An
    administrator never learns a password: a new user comes by a one-time link and chooses one.
Never: hashes a password (that takes 50 ms and belongs outside a transaction), leaves a site without an administrator.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from gateway.auth import (
    LINK_S,
    Role,
    User,
    UserError,
    check_name,
    find_user,
    give_password,
    insert_user,
    open_session,
    require_user,
    role_of,
    shut_out,
)
from gateway.store.schema import session, user

#: Letters of a token's hash that name a session to people; enough to tell twenty apart, useless to come in.
SESSION_ID = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user as an administrator sees him.

    Attributes:
        has_password: False while he has only ever come by links.
        sessions: How many are open.
    """

    user: User
    has_password: bool
    failures: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """One open session, without its token."""

    id: str
    name: str
    created_ns: int
    expires_ns: int
    peer: str
    is_mine: bool = False


def accounts(connection: Connection, now_ns: int) -> list[Account]:
    """Give all users by name."""
    is_open = (session.c.expires_ns > now_ns) & session.c.is_one_time.is_(False)
    counted = select(session.c.name, func.count().label("n")).where(is_open).group_by(session.c.name).subquery()
    rows = connection.execute(
        select(user, func.coalesce(counted.c.n, 0).label("sessions"))
        .outerjoin(counted, counted.c.name == user.c.name)
        .order_by(user.c.name)
    )
    return [
        Account(
            user=User(
                name=row.name,
                role=Role(row.role),
                is_active=row.is_active,
                created_ns=row.created_ns,
                locked_until_ns=row.locked_until_ns,
            ),
            has_password=bool(row.password_hash),
            failures=row.failures,
            sessions=row.sessions,
        )
        for row in rows
    ]


def invite(connection: Connection, name: str, role: str, now_ns: int) -> str:
    """Make a user who has no password yet; gives the token of a one-time link.

    Raises:
        UserError: The name is odd or taken, or the role unknown.
    """
    check_name(name)
    made = User(name=name, role=role_of(role), created_ns=now_ns)
    if find_user(connection, name) is not None:
        raise UserError(f"User {name!r} exists already; choose another name.", f"用户 {name!r} 已存在，请换一个名称。")
    insert_user(connection, made, "")
    return open_session(connection, name, now_ns, LINK_S, is_one_time=True)


def invite_again(connection: Connection, name: str, now_ns: int) -> str:
    """Give a new one-time link to a user who is there, forgot his password or never had one.

    The password that he has is taken away, and with it every session: he chooses a new one.

    Raises:
        UserError: There is no such user, or he is disabled.
    """
    found = require_user(connection, name)
    if not found.is_active:
        raise UserError(f"User {name!r} is disabled; enable the user first.", f"用户 {name!r} 已停用，请先启用。")
    give_password(connection, name, "")
    return open_session(connection, name, now_ns, LINK_S, is_one_time=True)


def change_role(connection: Connection, name: str, role: str) -> Role:
    """Give a user another role, from his next request on; gives the role that he had.

    Raises:
        UserError: There is no such user or role, or he is the last administrator.
    """
    had, new = require_user(connection, name), role_of(role)
    if new is not Role.ADMINISTRATOR:
        _keep_an_administrator(connection, had)
    connection.execute(update(user).where(user.c.name == name).values(role=new))
    return had.role


def disable(connection: Connection, name: str) -> None:
    """Keep a user out from now on; his sessions and links end at once. His name stays in the journal.

    Raises:
        UserError: There is no such user, or he is the last administrator.
    """
    _keep_an_administrator(connection, require_user(connection, name))
    shut_out(connection, name)


def enable(connection: Connection, name: str) -> None:
    """Let a user in again, and unlock him.

    Raises:
        UserError: There is no such user.
    """
    require_user(connection, name)
    connection.execute(update(user).where(user.c.name == name).values(is_active=True, failures=0, locked_until_ns=0))


def end_one(connection: Connection, name: str, which: str) -> bool:
    """End one session of a user by its id; False where there is none."""
    mine = (session.c.name == name) & (func.substr(session.c.token_hash, 1, SESSION_ID) == which)
    return connection.execute(delete(session).where(mine)).rowcount > 0


def sessions_of(connection: Connection, name: str, now_ns: int, mine: str = "") -> list[SessionEntry]:
    """Give a user's open sessions, the newest first.

    Args:
        mine: Hash of the token that asks.
    """
    rows = connection.execute(
        select(session)
        .where(session.c.name == name, session.c.expires_ns > now_ns, session.c.is_one_time.is_(False))
        .order_by(session.c.created_ns.desc(), session.c.token_hash)
    )
    return [
        SessionEntry(
            id=row.token_hash[:SESSION_ID],
            name=row.name,
            created_ns=row.created_ns,
            expires_ns=row.expires_ns,
            peer=row.peer,
            is_mine=row.token_hash == mine,
        )
        for row in rows
    ]


def password_of(connection: Connection, name: str) -> str:
    """Give the hash of a user's password; empty while he has none."""
    return str(connection.execute(select(user.c.password_hash).where(user.c.name == name)).scalar_one_or_none() or "")


def _keep_an_administrator(connection: Connection, found: User) -> None:
    """Refuse what would leave nobody who may make users."""
    if found.role is not Role.ADMINISTRATOR or not found.is_active:
        return
    others = connection.execute(
        select(func.count()).where(user.c.role == Role.ADMINISTRATOR, user.c.is_active, user.c.name != found.name)
    ).scalar_one()
    if others == 0:
        raise UserError(
            f"{found.name!r} is the only administrator left; make another one first.",
            f"{found.name!r} 是唯一的管理员；请先设立另一位管理员。",
        )
