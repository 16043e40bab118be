"""Public displays: who may look at which zones without a log-in, by a link of its own.

Flow: title, zones -> [make] -> token, given once;  token -> [find] -> display
Why: a screen at a gate has no user. What its link opens is a head count and an advice, nothing else, until it is ended.
Never: keeps a token (only its hash).
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, insert, select, update

from alerting.register.field import Words
from gateway.auth import hash_token
from gateway.live import iso
from gateway.response.incidents import Refused
from gateway.store.schema import public_display

MARK: Final = "fgd_"
DISPLAYS_MAX: Final = 100


def make(connection: Connection, title: str, zones: Sequence[str], who: str, now_ns: int) -> tuple[str, str]:
    """Make a display; gives its id, and its token for the only time.

    Raises:
        Refused: There are too many.
    """
    if len(_good(connection)) >= DISPLAYS_MAX:
        said = Words(f"There are {DISPLAYS_MAX} displays; end one.", f"公示屏已达 {DISPLAYS_MAX} 个，请先停用一个。")
        raise Refused("too_many", said)
    name, token = secrets.token_hex(8), MARK + secrets.token_urlsafe(32)
    connection.execute(
        insert(public_display).values(
            id=name, token_hash=hash_token(token), title=title, zones=orjson.dumps(list(zones)).decode(), made_by=who,
            made_ns=now_ns, ended_by="", ended_ns=0,
        )
    )  # fmt: skip
    return name, token


def end(connection: Connection, name: str, who: str, now_ns: int) -> str:
    """End a display at once; gives its title.

    Raises:
        Refused: There is none, or it is ended.
    """
    row = connection.execute(select(public_display).where(public_display.c.id == name)).mappings().first()
    if row is None or row["ended_ns"]:
        raise Refused("not_there", Words("There is no such display.", "没有该公示屏。"))
    mine = public_display.c.id == name
    connection.execute(update(public_display).where(mine).values(ended_by=who, ended_ns=now_ns))
    return str(row["title"])


def find(connection: Connection, token: str) -> RowMapping | None:
    """Give the display of a token, or None where it is unknown or ended."""
    query = select(public_display).where(
        public_display.c.token_hash == hash_token(token), public_display.c.ended_ns == 0
    )  # fmt: skip
    return connection.execute(query).mappings().first()


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Give those that are good, the newest first."""
    return [
        {
            "id": row["id"], "title": row["title"], "zones": orjson.loads(row["zones"]), "made_by": row["made_by"],
            "made": iso(row["made_ns"]),
        }
        for row in _good(connection)
    ]  # fmt: skip


def _good(connection: Connection) -> list[RowMapping]:
    query = select(public_display).where(public_display.c.ended_ns == 0).order_by(public_display.c.made_ns.desc())
    return list(connection.execute(query).mappings())
