"""Revision: one state of all rules with its number; who made it, when and why; and what it changed.

Flow: Rulebook -> [insert, in the transaction of the swap's tick] -> table ``rule_revision`` -> history, undo, restart
Why: management of change: every limit has a name and a reason behind it, and every state can be had back.
Never: is changed or deleted afterwards. An undo is a revision of its own.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from alerting.model.rule import Rule
from edge.model import Nature
from gateway.load.overlay import Overlay, Table, written
from gateway.store.schema import rule_revision
from gateway.store.store import Store

NAMED_MAX = 50  # Rules that the journal names; the revision itself holds them all.


class Origin(StrEnum):
    """How a revision came about."""

    START = "start"  # the first start of this data folder
    FILES = "files"  # the files had changed, at a start or on demand
    CHANGE = "change"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One rule before and after, written out; None where it was not or is no more."""

    rule: str
    before: Table | None
    after: Table | None

    @property
    def keys(self) -> list[str]:
        """Keys with another value, in the order of the table."""
        before, after = self.before or {}, self.after or {}
        return [key for key in {**before, **after} if before.get(key) != after.get(key)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision.

    Attributes:
        number: From 1, by one.
        time_ns: Receive time of the tick at whose end it took over.
        who, reason, approved_by: As given; ``approved_by`` may be empty.
        undoes: The revision that an undo went back to; 0 else.
        files: Digest of the configuration files underneath.
        overlay: What stands otherwise than in the files.
        changes: What it changed in the revision before it.
    """

    number: int
    time_ns: int
    who: str
    origin: Origin
    reason: str
    files: str
    overlay: Overlay
    changes: tuple[Difference, ...]
    approved_by: str = ""
    undoes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The last revision and the rules as it left them: (written out, revision of the rule) by id."""

    revision: Revision
    rules: Mapping[str, tuple[Table, int]]


def tables_of(rules: Iterable[Rule]) -> dict[str, Table]:
    """Write rules out, by id; what the table made for others is left out."""
    return {rule.id: written(rule) for rule in rules if not rule.is_hidden}


def differences(before: Mapping[str, Table], after: Mapping[str, Table]) -> tuple[Difference, ...]:
    """Give what differs between two states of the rules, by id."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(Difference(rule=name, before=before.get(name), after=after.get(name)) for name in sorted(names))


def before_all(tables: Mapping[str, Table], revisions: Sequence[Revision]) -> dict[str, Table]:
    """Go back from a state of the rules over the revisions that led to it, the newest first."""
    back = dict(tables)
    for revision in revisions:
        for difference in revision.changes:
            if difference.before is None:
                back.pop(difference.rule, None)
            else:
                back[difference.rule] = difference.before
    return back


# ------------------------------------------------------------------------------------------------------------- store


def pack(rules: Iterable[Rule]) -> bytes:
    """Write all rules out, so that the next start knows what changed while the gateway was down."""
    return zlib.compress(
        orjson.dumps({rule.id: (written(rule), rule.revision) for rule in rules if not rule.is_hidden}), 1
    )


def add(connection: Connection, revision: Revision, content: bytes) -> None:
    """Write a revision down; only the newest keeps all rules."""
    connection.execute(update(rule_revision).where(rule_revision.c.content != b"").values(content=b""))
    connection.execute(
        insert(rule_revision).values(
            number=revision.number,
            time_ns=revision.time_ns,
            who=revision.who,
            origin=revision.origin.value,
            reason=revision.reason,
            approved_by=revision.approved_by,
            undoes=revision.undoes,
            files=revision.files,
            overlay=orjson.dumps(revision.overlay.rules).decode(),
            changes=orjson.dumps([asdict(each) for each in revision.changes]).decode(),
            content=content,
        )
    )


def audit(store: Store, connection: Connection, nature: Nature, revision: Revision) -> None:
    """Write down in the journal who changed which rules, and why, inside the caller's transaction."""
    names = [each.rule for each in revision.changes]
    store.audit(
        connection,
        nature,
        revision.time_ns,
        revision.who,
        "rules_changed",
        revision=revision.number,
        origin=revision.origin.value,
        reason=revision.reason,
        approved_by=revision.approved_by,
        undoes=revision.undoes,
        rules=names[:NAMED_MAX],
        count=len(names),
    )


def last(connection: Connection) -> Kept | None:
    """Read the revision in force; None before the first start."""
    row = connection.execute(select(rule_revision).order_by(rule_revision.c.number.desc()).limit(1)).first()
    if row is None:
        return None
    content = orjson.loads(zlib.decompress(row.content))
    return Kept(revision=_revision(row), rules={name: (table, number) for name, (table, number) in content.items()})


def listed(connection: Connection, limit: int, before: int | None = None) -> list[Revision]:
    """Read revisions, the newest first.

    Args:
        before: Only those with a smaller number.
    """
    query = select(rule_revision).order_by(rule_revision.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(rule_revision.c.number < before)
    return [_revision(row) for row in connection.execute(query)]


def after(connection: Connection, number: int) -> list[Revision]:
    """Read the revisions after one, the newest first."""
    query = select(rule_revision).where(rule_revision.c.number > number).order_by(rule_revision.c.number.desc())
    return [_revision(row) for row in connection.execute(query)]


def one(connection: Connection, number: int) -> Revision | None:
    """Read one revision."""
    row = connection.execute(select(rule_revision).where(rule_revision.c.number == number)).first()
    return None if row is None else _revision(row)


def _revision(row: Row[Any]) -> Revision:
    return Revision(
        number=row.number,
        time_ns=row.time_ns,
        who=row.who,
        origin=Origin(row.origin),
        reason=row.reason,
        approved_by=row.approved_by,
        undoes=row.undoes,
        files=row.files,
        overlay=Overlay(orjson.loads(row.overlay)),
        changes=tuple(Difference(**each) for each in orjson.loads(row.changes)),
    )
