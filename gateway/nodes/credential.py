"""Credentials of edge nodes: who may send scans, and as which node.

Flow: fengsui node add -> token, printed once -> node; POST /api/v1/ingest -> [find] -> node's name
Never: stores a token (only its hash), lets anybody in without one.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select, update

from edge.clock import Clock
from edge.load.words import ID_RULE, is_id
from gateway.auth import hash_token
from gateway.store.acts import Hand, note
from gateway.store.schema import node

TOKEN_LEAST = 32
TOKEN_MOST = 256


class NodeError(ValueError):
    """Raised when a node cannot be made or changed; the text is a sentence for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """One node, without its token.

    Attributes:
        last_contact_ns: Receive time, written down at least every minute while it sends; 0 for never.
    """

    name: str
    is_active: bool
    created_ns: int
    last_contact_ns: int


def add_node(engine: Engine, clock: Clock, name: str, token: str = "", *, by: Hand | None = None) -> str:
    """Let a node in; give its token.

    Args:
        token: One that was made elsewhere, e.g. by a deployment's own secrets; a new one where none is given.

    Raises:
        NodeError: The name is odd or taken, or the token too short.
    """
    if not is_id(name):
        raise NodeError(f"Node name {name[:80]!r} is none; {ID_RULE}.")
    token = token or secrets.token_urlsafe(32)
    if not TOKEN_LEAST <= len(token) <= TOKEN_MOST or not token.isascii() or not token.isprintable() or " " in token:
        raise NodeError(f"A token has {TOKEN_LEAST} to {TOKEN_MOST} ASCII letters, digits and signs, without spaces.")
    with engine.begin() as connection:
        known = connection.execute(select(node).where(node.c.name == name)).one_or_none()
        if known is not None and known.is_active:
            raise NodeError(f"Node {name!r} exists already; revoke its token first if it needs a new one.")
        told = {"token_hash": hash_token(token), "created_ns": clock.wall_ns(), "is_active": True}
        if known is None:
            connection.execute(insert(node).values(name=name, last_contact_ns=0, lost=0, **told))
        else:
            connection.execute(update(node).where(node.c.name == name).values(**told))
        note(connection, by, "node_added", node=name)
    return token


def list_nodes(engine: Engine) -> list[NodeEntry]:
    """Give all nodes by name."""
    with engine.connect() as connection:
        return [
            NodeEntry(
                name=row.name,
                is_active=row.is_active,
                created_ns=row.created_ns,
                last_contact_ns=row.last_contact_ns,
            )
            for row in connection.execute(select(node).order_by(node.c.name))
        ]


def revoke_node(engine: Engine, name: str, *, by: Hand | None = None) -> None:
    """Keep a node out from its next request on; what it sent stays, what it has not sent stays in its spool.

    Raises:
        NodeError: There is no such node.
    """
    with engine.begin() as connection:
        changed = connection.execute(update(node).where(node.c.name == name).values(is_active=False, token_hash=""))
        if changed.rowcount == 1:
            note(connection, by, "node_revoked", node=name)
    if changed.rowcount != 1:
        raise NodeError(f"There is no node {name!r}.")


def find_node(connection: Connection, token: str) -> str | None:
    """Give the name of the node that a token belongs to; None for no token of ours."""
    if not TOKEN_LEAST <= len(token) <= TOKEN_MOST:
        return None
    name = connection.scalar(select(node.c.name).where(node.c.token_hash == hash_token(token), node.c.is_active))
    return None if name is None else str(name)
