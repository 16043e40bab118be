"""Users: who may come in, and as what.

Flow: log-in form or one-time link -> [check] -> session cookie -> role of each request
Why: no default password and no default user; the demonstration gives a one-time link. Failures are counted before
    the password is looked at, so that a hundred guesses at once are not a hundred tries.
Never: stores a password or a token (only their hashes), tells a wrong name from a wrong password.
"""

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import Connection, Engine, delete, insert, select, update

from edge.clock import Clock
from gateway.store.acts import Hand, note
from gateway.store.schema import session, user

S_TO_NS = 1_000_000_000

PASSWORD_MIN = 10
PASSWORD_MAX = 256  # Hashing costs grow with length; a person's passphrase is shorter.
NAME_MAX = 64  # Column ``user_account.name``.
#: Before the label of an API token wherever a name stands, so that no person is mistaken for it.
TOKEN_PREFIX = "token:"  # noqa: S105 - no secret

FAILURES_MAX = 5
LOCK_S = 15 * 60  # After five failures; doubled with each further five …
LOCK_S_MAX = 8 * 3600  # … up to a shift, so that an attacker cannot lock an operator out for days.

SESSION_S = 12 * 3600  # One shift.
SESSIONS_MAX = 20  # Sessions of one user; the oldest go.
LINK_S = 3600  # A one-time link is for the person who started the program and sits in front of it.

_HASHER = PasswordHasher()  # argon2id with the library's defaults (RFC 9106, low-memory profile)
#: Verified in place of the hash of a user who does not exist, so that both take equally long.
_NOBODY = "$argon2id$v={}$m={},t={},p={}${}${}".format(
    ARGON2_VERSION, _HASHER.memory_cost, _HASHER.time_cost, _HASHER.parallelism,
    *(b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (_HASHER.salt_len, _HASHER.hash_len)),
)  # fmt: skip


class Role(StrEnum):
    """The six roles."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SAFETY_OFFICER = "safety_officer"
    ENGINEER = "engineer"
    REGULATOR = "regulator"
    ADMINISTRATOR = "administrator"


class UserError(ValueError):
    """Raised when a user or token cannot be made or changed.

    Attributes:
        said: A sentence for the person who asked, by language; the exception's text is the English one.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = {"en": en, "zh": zh}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user, or one API token that acts as a role, without secrets.

    Attributes:
        token: Id of the token; empty for a person.
        may_act: False for a token that may only look.
        used_ns: When the token was last used; 0 for a person.
    """

    name: str
    role: Role
    is_active: bool = True
    created_ns: int = 0
    locked_until_ns: int = 0
    token: str = ""
    may_act: bool = True
    used_ns: int = 0


# ----------------------------------------------------------------------------------------- what the command line does


def add_user(engine: Engine, clock: Clock, name: str, role: str, password: str, *, by: Hand | None = None) -> User:
    """Make a user.

    Raises:
        UserError: The name is taken or odd, the role unknown, or the password too weak.
    """
    check_name(name)
    check_password(name, password)
    made = User(name=name, role=role_of(role), created_ns=clock.wall_ns())
    hashed = hash_password(password)
    with engine.begin() as connection:
        if find_user(connection, name) is not None:
            raise UserError(
                f"User {name!r} exists already; choose another name or change the password.",
                f"用户 {name!r} 已存在；请换一个名称，或修改其密码。",
            )
        insert_user(connection, made, hashed)
        note(connection, by, "user_added", user=name, role=role)
    return made


def set_password(engine: Engine, name: str, password: str, *, by: Hand | None = None) -> None:
    """Give a user a new password, unlock him and end all his sessions."""
    check_password(name, password)
    hashed = hash_password(password)
    with engine.begin() as connection:
        require_user(connection, name)
        give_password(connection, name, hashed)
        note(connection, by, "password_set", user=name)


def list_users(engine: Engine) -> list[User]:
    """Give all users by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(user).order_by(user.c.name))
        return [
            User(
                name=row.name,
                role=Role(row.role),
                is_active=row.is_active,
                created_ns=row.created_ns,
                locked_until_ns=row.locked_until_ns,
            )
            for row in rows
        ]


def disable_user(engine: Engine, name: str, *, by: Hand | None = None) -> None:
    """Keep a user out from now on; his sessions and links end at once. His name stays in the journal."""
    with engine.begin() as connection:
        require_user(connection, name)
        shut_out(connection, name)
        note(connection, by, "user_disabled", user=name)


def enable_user(engine: Engine, name: str, *, by: Hand | None = None) -> None:
    """Let a user in again, and unlock him."""
    with engine.begin() as connection:
        require_user(connection, name)
        let_in(connection, name)
        note(connection, by, "user_enabled", user=name)


def make_link(
    engine: Engine, name: str, role: str, clock: Clock, *, valid_s: int = LINK_S, by: Hand | None = None
) -> str:
    """Give the token of a link ``/login/<token>`` that logs a user in once; the user is made where he is missing.

    A user made so has no password and can only come by a link.

    Raises:
        UserError: The user exists with another role or is disabled.
    """
    check_name(name)
    now_ns = clock.wall_ns()
    with engine.begin() as connection:
        known = find_user(connection, name)
        if known is None:
            insert_user(connection, User(name=name, role=role_of(role), created_ns=now_ns), "")
        elif not known.is_active:
            raise UserError(f"User {name!r} is disabled; enable the user first.", f"用户 {name!r} 已停用，请先启用。")
        elif known.role != role_of(role):
            raise UserError(
                f"User {name!r} is {known.role}, not {role}.", f"用户 {name!r} 的角色是 {known.role}，不是 {role}。"
            )
        note(connection, by, "login_link_made", user=name, role=role)
        return open_session(connection, name, now_ns, valid_s, is_one_time=True)


def check_name(name: str) -> None:
    """Refuse a name that could not be told apart on a page or in a log."""
    if not (1 <= len(name) <= NAME_MAX) or name != name.strip() or not name.isprintable() or name == "fengsui":
        raise UserError(
            f"User name {name[:80]!r} must have 1 to {NAME_MAX} printable characters and not be 'fengsui'.",
            f"用户名 {name[:80]!r} 须为 1 至 {NAME_MAX} 个可显示字符，且不得为 'fengsui'。",
        )
    if name.startswith(TOKEN_PREFIX):
        raise UserError(
            f"User name {name[:80]!r} would be mistaken for an API token; choose one without 'token:'.",
            f"用户名 {name[:80]!r} 会与 API 令牌混淆；请勿以 'token:' 开头。",
        )


def check_password(name: str, password: str) -> None:
    """Refuse a weak password: length counts, composition rules do not (NIST SP 800-63B)."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise UserError(
            f"A password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters.",
            f"密码须为 {PASSWORD_MIN} 至 {PASSWORD_MAX} 个字符。",
        )
    if password.casefold() == name.casefold() or len(set(password)) < 4:  # noqa: PLR2004 - 'aaaaaaaaaa', 'abababab…'
        raise UserError(
            "A password must not be the name, nor one or few characters over and over.",
            "密码不得与用户名相同，也不得由少数几个字符重复组成。",
        )


# ------------------------------------------------------------------------------------------------ what a log-in does


def begin_attempt(connection: Connection, name: str, now_ns: int) -> str | None:
    """Count one try as failed in advance, and give the hash to verify.

    Returns:
        The hash of the user, or of nobody where there is no such user; None while the account is locked.
    """
    mine = user.c.name == name
    # The update comes first: it takes the lock, so that tries at the same moment count one after the other.
    counted = connection.execute(
        update(user)
        .where(mine, user.c.is_active, user.c.password_hash != "", user.c.locked_until_ns <= now_ns)
        .values(failures=user.c.failures + 1)
    ).rowcount
    row = connection.execute(select(user).where(mine)).one_or_none()
    if row is None or not row.is_active or not row.password_hash:
        return _NOBODY
    if not counted:
        return None
    if row.failures % FAILURES_MAX == 0:
        connection.execute(update(user).where(mine).values(locked_until_ns=now_ns + lock_s(row.failures) * S_TO_NS))
    return str(row.password_hash)


def lock_s(failures: int) -> int:
    """Give how long an account is locked after so many failures in a row, s."""
    doublings = min(failures // FAILURES_MAX - 1, 16)
    return min(LOCK_S << doublings, LOCK_S_MAX)


def hash_password(password: str) -> str:
    """Hash a password. Takes some 50 ms of a core by intent: never on the event loop, never in a transaction."""
    return _HASHER.hash(password)


def verify(hashed: str, password: str) -> bool:
    """Tell whether a password fits a hash. Takes some 50 ms of a core by intent: never on the event loop."""
    if len(password) > PASSWORD_MAX:
        password = ""
    try:
        return bool(_HASHER.verify(hashed, password)) and hashed != _NOBODY
    except (VerificationError, InvalidHashError):
        return False


def finish_attempt(connection: Connection, name: str, now_ns: int, peer: str = "") -> str:
    """Forget the failures of a user who showed the right password, and open a session; gives its token."""
    connection.execute(update(user).where(user.c.name == name).values(failures=0, locked_until_ns=0))
    return open_session(connection, name, now_ns, SESSION_S, is_one_time=False, peer=peer)


def redeem_link(connection: Connection, token: str, now_ns: int, peer: str = "") -> tuple[str, str] | None:
    """Spend a one-time link: gives the user's name and a session's token, or None where the link is not valid."""
    hashed = hash_token(token)
    row = connection.execute(
        select(session.c.name)
        .join(user, user.c.name == session.c.name)
        .where(session.c.token_hash == hashed, session.c.is_one_time, session.c.expires_ns > now_ns, user.c.is_active)
    ).one_or_none()
    if row is None or connection.execute(delete(session).where(session.c.token_hash == hashed)).rowcount != 1:
        return None
    return row.name, open_session(connection, row.name, now_ns, SESSION_S, is_one_time=False, peer=peer)


def find_session(connection: Connection, token: str, now_ns: int) -> User | None:
    """Give the user of a session, or None where it is unknown, over, or its user disabled."""
    row = connection.execute(
        select(user.c.name, user.c.role, user.c.created_ns)
        .join(session, session.c.name == user.c.name)
        .where(
            session.c.token_hash == hash_token(token),
            session.c.is_one_time.is_(False),
            session.c.expires_ns > now_ns,
            user.c.is_active,
        )
    ).one_or_none()
    return None if row is None else User(name=row.name, role=Role(row.role), created_ns=row.created_ns)


def end_session(connection: Connection, token: str) -> None:
    """Forget a session."""
    connection.execute(delete(session).where(session.c.token_hash == hash_token(token)))


def shut_out(connection: Connection, name: str) -> None:
    """Keep a user out; his sessions and links end."""
    connection.execute(update(user).where(user.c.name == name).values(is_active=False))
    end_sessions(connection, name)


def let_in(connection: Connection, name: str) -> None:
    """Let a user in again, and unlock him."""
    connection.execute(update(user).where(user.c.name == name).values(is_active=True, failures=0, locked_until_ns=0))


def give_password(connection: Connection, name: str, hashed: str, *, but: str = "") -> None:
    """Keep the hash of a new password, or none, unlock the user and end his sessions, but for the one that asks.

    Args:
        but: Hash of the token that stays good.
    """
    connection.execute(
        update(user).where(user.c.name == name).values(password_hash=hashed, failures=0, locked_until_ns=0)
    )
    end_sessions(connection, name, but=but)


def end_sessions(connection: Connection, name: str, *, but: str = "") -> int:
    """End a user's sessions and links, but for one; gives how many ended."""
    ended = connection.execute(delete(session).where(session.c.name == name, session.c.token_hash != but))
    return ended.rowcount


def hash_token(token: str) -> str:
    """Hash a token for the store. A token has 256 bits of luck, so one plain hash is enough and takes no time."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(
    connection: Connection, name: str, now_ns: int, valid_s: int, *, is_one_time: bool, peer: str = ""
) -> str:
    """Open a session, or make a one-time link; gives its token. The oldest of too many ends."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(session).where(session.c.expires_ns <= now_ns))
    kept = (
        select(session.c.token_hash)
        .where(session.c.name == name)
        .order_by(session.c.created_ns.desc(), session.c.token_hash)
        .limit(SESSIONS_MAX - 1)
    )
    connection.execute(delete(session).where(session.c.name == name, session.c.token_hash.not_in(kept)))
    connection.execute(
        insert(session).values(
            token_hash=hash_token(token),
            name=name,
            created_ns=now_ns,
            expires_ns=now_ns + valid_s * S_TO_NS,
            is_one_time=is_one_time,
            peer=peer[:64],
        )
    )
    return token


def role_of(role: str) -> Role:
    """Read a role.

    Raises:
        UserError: It is none.
    """
    try:
        return Role(role)
    except ValueError:
        raise UserError(
            f"Role {role[:40]!r} is unknown; the roles are {', '.join(Role)}.",
            f"未知角色 {role[:40]!r}；可用角色：{'、'.join(Role)}。",
        ) from None


def find_user(connection: Connection, name: str) -> User | None:
    """Give a user, or None where there is none of that name."""
    row = connection.execute(select(user).where(user.c.name == name)).one_or_none()
    return None if row is None else User(name=row.name, role=Role(row.role), is_active=row.is_active)


def require_user(connection: Connection, name: str) -> User:
    """Give a user.

    Raises:
        UserError: There is none of that name.
    """
    found = find_user(connection, name)
    if found is None:
        raise UserError(f"There is no user {name[:80]!r}.", f"没有用户 {name[:80]!r}。")
    return found


def insert_user(connection: Connection, made: User, hashed: str) -> None:
    """Write a new user down; an empty hash means that he comes by links only."""
    connection.execute(
        insert(user).values(
            name=made.name,
            role=made.role,
            password_hash=hashed,
            created_ns=made.created_ns,
            failures=0,
            locked_until_ns=0,
            is_active=True,
        )
    )
