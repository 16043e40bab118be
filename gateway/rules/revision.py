"""Revision: one state of the configuration with its number; who made it, when and why; and what it changed.

Flow: Rulebook -> [insert, in the transaction of the swap's tick] -> table ``rule_revision`` -> history, undo, restart
Why: management of change: every limit has a name and a reason behind it, and every state can be had back.
Never: is changed or deleted afterwards. An undo is a revision of its own.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from alerting.model.rule import NOBODY, Author, Rule
from edge.model import Nature
from gateway.load.overlay import Overlay, Replaced, Table, Writer
from gateway.rules.kept import Content, unpack
from gateway.rules.parts import PartDifference, Parts
from gateway.store.schema import config_file, rule_revision
from gateway.store.store import Store

#: Who a revision is by that no person made.
ITSELF = "fengsui"
NAMED_MAX = 50  # Rules and other parts that the journal names; the revision itself holds them all.
CHUNK = 500  # Digests in one question.


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
        overlay: What stands otherwise than on the disk; contents of files are left out where it is read in a list.
        changes: What it changed in the rules of the revision before it; ``others`` beside them.
        contents: Digest of each configuration file as it was read, by path; empty in those of an older program.
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
    others: tuple[PartDifference, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The last revision and what it left.

    Attributes:
        content: Rules and parts, and which revision each rule has.
        authors: Who made the revisions that the rules have, where a person did.
    """

    revision: Revision
    content: Content
    authors: Mapping[int, Author] = field(default_factory=dict)


def tables_of(rules: Iterable[Rule]) -> dict[str, Table]:
    """Write rules out, by id; what the table made for others is left out."""
    writer = Writer()
    return {rule.id: writer.table(rule) for rule in rules if not rule.is_hidden}


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


def as_kept(parts: Parts) -> Parts:
    """Give parts as they read back, so that they compare equal."""
    read: Parts = orjson.loads(orjson.dumps(parts, dict, option=orjson.OPT_NON_STR_KEYS))
    return read


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Give the SHA-256 of each file's content, in hex."""
    return {name: sha256(content).hexdigest() for name, content in files.items()}


def add(connection: Connection, revision: Revision, content: bytes, files: Mapping[str, bytes] | None = None) -> None:
    """Write a revision down; only the newest keeps all rules.

    Args:
        files: Contents of the configuration files as they were read; one that is known already is kept once.
    """
    _keep_files(connection, files or {})
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
            others=_deflated([asdict(each) for each in revision.others]) if revision.others else b"",
            contents=orjson.dumps(revision.contents).decode(),
            replaced=orjson.dumps({name: each.base for name, each in revision.overlay.files.items()}).decode(),
        )
    )


def _deflated(value: object) -> bytes:
    return zlib.compress(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), 1)


def _keep_files(connection: Connection, files: Mapping[str, bytes]) -> None:
    named = {sha256(content).hexdigest(): content for content in files.values()}
    wanted = sorted(named)
    for start in range(0, len(wanted), CHUNK):
        query = select(config_file.c.digest).where(config_file.c.digest.in_(wanted[start : start + CHUNK]))
        for digest in connection.scalars(query):
            del named[digest]
    if named:
        rows = [{"digest": digest, "content": zlib.compress(content)} for digest, content in named.items()]
        connection.execute(insert(config_file), rows)


def contents_of(connection: Connection, digests: Mapping[str, str]) -> dict[str, bytes]:
    """Read the contents of files by path.

    Args:
        digests: By path, as a revision has them.
    """
    wanted = sorted(set(digests.values()))
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(config_file).where(config_file.c.digest.in_(wanted[start : start + CHUNK]))
        found |= {row.digest: zlib.decompress(row.content) for row in connection.execute(query)}
    return {name: found[digest] for name, digest in digests.items()}


def audit(store: Store, connection: Connection, nature: Nature, revision: Revision) -> None:
    """Write down in the journal who changed which rules, and why, inside the caller's transaction."""
    names = [each.rule for each in revision.changes]
    others = [f"{each.part} {each.name}" for each in revision.others]
    store.audit(
        connection,
        nature,
        revision.time_ns,
        revision.who,
        "configuration_changed" if revision.others else "rules_changed",
        revision=revision.number,
        origin=revision.origin.value,
        reason=revision.reason,
        approved_by=revision.approved_by,
        undoes=revision.undoes,
        rules=names[:NAMED_MAX],
        count=len(names),
        **({"others": others[:NAMED_MAX], "others_count": len(others)} if others else {}),
    )


def last(connection: Connection) -> Kept | None:
    """Read the revision in force; None before the first start."""
    row = connection.execute(select(rule_revision).order_by(rule_revision.c.number.desc()).limit(1)).first()
    if row is None:
        return None
    content = unpack(row.content)
    revision = with_files(connection, _revision(row))
    return Kept(revision=revision, content=content, authors=authors_in(connection, content.numbers.there))


def authors_in(connection: Connection, numbers: Iterable[int]) -> dict[int, Author]:
    """Read who made some revisions and who approved of them, where a person did."""
    wanted = sorted(set(numbers))
    made = rule_revision.c
    found: dict[int, Author] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(made.number, made.who, made.approved_by).where(made.number.in_(wanted[start : start + CHUNK]))
        for row in connection.execute(query):
            found |= author_of(row.number, row.who, row.approved_by)
    return found


def author_of(number: int, who: str, approved_by: str) -> Mapping[int, Author]:
    """Give who made a revision by its number; nobody where no person did."""
    return NOBODY if who == ITSELF else {number: Author(who, approved_by)}


def with_files(connection: Connection, revision: Revision) -> Revision:
    """Give a revision whose overlay has the contents of its files."""
    files = revision.overlay.files
    if not files:
        return revision
    contents = contents_of(connection, {name: revision.contents[name] for name in files})
    filled = {name: Replaced(contents[name], each.base) for name, each in files.items()}
    return replace(revision, overlay=Overlay(revision.overlay.rules, filled))


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
        overlay=Overlay(
            orjson.loads(row.overlay),
            {name: Replaced(b"", base) for name, base in orjson.loads(row.replaced or "{}").items()},
        ),
        changes=tuple(Difference(**each) for each in orjson.loads(row.changes)),
        others=tuple(PartDifference(**each) for each in orjson.loads(zlib.decompress(row.others)))
        if row.others
        else (),
        contents=orjson.loads(row.contents or "{}"),
    )
