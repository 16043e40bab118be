"""API tokens: what a program comes in with, as a role of its own, for a stated time.

Flow: page or fengsui token add -> token, printed once -> Authorization: Bearer -> [find] -> role of the request
Why: a program that borrows a person's session acts in that person's name and dies with the shift. A token has a name
    of its own in the audit, a role no higher than it needs, may be for reading only, and always ends.
Never: stores a token (only its hash), is an administrator, outlives a year.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, or_, select, update

from gateway.auth import NAME_MAX, TOKEN_PREFIX, Role, User, UserError, hash_token, role_of
from gateway.store.schema import token as tokens

S_TO_NS = 1_000_000_000

#: What every token begins with: a leaked one is found by whoever searches for it.
MARK = "fgs_"

LABEL_MAX = NAME_MAX - len(TOKEN_PREFIX)
DAYS_MAX = 366
DAY_S = 86_400

#: Between two notes of when a token was last used, s.
TOUCH_S = 60


class Scope(StrEnum):
    """What a token may do of what its role may: look only, or act too."""

    READ = "read"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEntry:
    """One token, without itself.

    Attributes:
        used_ns: When it was last used, to the minute; 0 for never.
        revoked_ns: 0 while it is good.
    """

    id: str
    label: str
    role: Role
    scope: Scope
    made_by: str
    created_ns: int
    expires_ns: int
    used_ns: int
    revoked_ns: int

    def is_good(self, now_ns: int) -> bool:
        """Tell whether it still lets in."""
        return self.revoked_ns == 0 and self.expires_ns > now_ns


def make_token(
    connection: Connection, label: str, role: str, scope: str, *, by: str, now_ns: int, days: int
) -> tuple[TokenEntry, str]:
    """Make a token; gives its entry, and itself for the only time.

    Raises:
        UserError: The label is odd or in use, the role or scope unknown, or the time too long.
    """
    if not (1 <= len(label) <= LABEL_MAX) or label != label.strip() or not label.isprintable():
        raise UserError(
            f"A token's name {label[:80]!r} must have 1 to {LABEL_MAX} printable characters.",
            f"令牌名称 {label[:80]!r} 须为 1 至 {LABEL_MAX} 个可显示字符。",
        )
    given = role_of(role)
    if given is Role.ADMINISTRATOR:
        raise UserError(
            "A token cannot be an administrator: users are made by persons. Give the role that it needs.",
            "令牌不能是管理员：用户只能由人设立。请选择所需的角色。",
        )
    if scope not in list(Scope):
        raise UserError(
            f"Scope {scope[:40]!r} is unknown; it is {' or '.join(Scope)}.",
            f"未知范围 {scope[:40]!r}；可用：{'、'.join(Scope)}。",
        )
    if not 1 <= days <= DAYS_MAX:
        raise UserError(
            f"A token lasts 1 to {DAYS_MAX} days, not {days}.", f"令牌有效期为 1 至 {DAYS_MAX} 天，不能是 {days} 天。"
        )
    if any(known.label == label and known.is_good(now_ns) for known in list_tokens(connection)):
        raise UserError(
            f"There is a token {label!r} already; revoke it first, or choose another name.",
            f"已有令牌 {label!r}；请先吊销，或换一个名称。",
        )
    secret = MARK + secrets.token_urlsafe(32)
    entry = TokenEntry(
        id=secrets.token_hex(8),
        label=label,
        role=given,
        scope=Scope(scope),
        made_by=by,
        created_ns=now_ns,
        expires_ns=now_ns + days * DAY_S * S_TO_NS,
        used_ns=0,
        revoked_ns=0,
    )
    connection.execute(
        insert(tokens).values(
            id=entry.id,
            token_hash=hash_token(secret),
            label=label,
            role=entry.role,
            scope=entry.scope,
            made_by=by,
            created_ns=now_ns,
            expires_ns=entry.expires_ns,
            used_ns=0,
            revoked_ns=0,
        )
    )
    return entry, secret


def list_tokens(connection: Connection) -> list[TokenEntry]:
    """Give all tokens, the newest first; those that are over too, for whoever reads the audit."""
    rows = connection.execute(select(tokens).order_by(tokens.c.created_ns.desc(), tokens.c.id))
    return [
        TokenEntry(
            id=row.id,
            label=row.label,
            role=Role(row.role),
            scope=Scope(row.scope),
            made_by=row.made_by,
            created_ns=row.created_ns,
            expires_ns=row.expires_ns,
            used_ns=row.used_ns,
            revoked_ns=row.revoked_ns,
        )
        for row in rows
    ]


def revoke_token(connection: Connection, which: str, now_ns: int) -> str:
    """End a token at once, by its id or the label of a good one; gives the label.

    Raises:
        UserError: There is no good token of that id or label.
    """
    for known in list_tokens(connection):
        if which in (known.id, known.label) and known.is_good(now_ns):
            connection.execute(update(tokens).where(tokens.c.id == known.id).values(revoked_ns=now_ns))
            return known.label
    raise UserError(f"There is no token {which[:80]!r} that is still good.", f"没有仍然有效的令牌 {which[:80]!r}。")


def find_token(connection: Connection, secret: str, now_ns: int) -> User | None:
    """Give whom a token stands for, or None where it is unknown, over or revoked."""
    row = connection.execute(
        select(tokens).where(
            tokens.c.token_hash == hash_token(secret), tokens.c.expires_ns > now_ns, tokens.c.revoked_ns == 0
        )
    ).one_or_none()
    if row is None:
        return None
    return User(
        name=TOKEN_PREFIX + row.label,
        role=Role(row.role),
        created_ns=row.created_ns,
        token=row.id,
        may_act=row.scope == Scope.ACT,
        used_ns=row.used_ns,
    )


def touch(connection: Connection, which: str, now_ns: int) -> None:
    """Note that a token was used."""
    is_stale = or_(tokens.c.used_ns == 0, tokens.c.used_ns < now_ns - TOUCH_S * S_TO_NS)
    connection.execute(update(tokens).where(tokens.c.id == which, is_stale).values(used_ns=now_ns))
