"""Reading records: by code, by id, by page, by what is looked for; what was here before.

Flow: record, history -> [of_codes, get, page, look_for, revisions, referring] -> records
Never: changes one (``gateway.register.records`` does).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, select, tuple_

from alerting.register.field import Values, Words
from gateway.register import search
from gateway.register.record import NotDone, Record, Revision, as_record
from gateway.store.schema import record, record_reference, record_revision

CHUNK: Final = 500  # Codes asked for in one statement; SQLite takes at most 32,766 parameters.


def of_codes(connection: Connection, ledger: str, codes: Sequence[str]) -> dict[str, Record]:
    """Give the records with these codes that are not removed, by code."""
    found: dict[str, Record] = {}
    for at in range(0, len(codes), CHUNK):
        part = codes[at : at + CHUNK]
        query = select(record).where(record.c.ledger == ledger, record.c.is_removed.is_(False), record.c.code.in_(part))
        found |= {row.code: as_record(row) for row in connection.execute(query)}
    return found


def get(connection: Connection, ledger: str, which: str) -> Record:
    """Give one record by its id.

    Raises:
        NotDone: There is none.
    """
    row = connection.execute(select(record).where(record.c.id == which, record.c.ledger == ledger)).first()
    if row is None:
        raise NotDone("not_there", Words("There is no such record in this ledger.", "该台账中没有这条记录。"))
    return as_record(row)


def of_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Record]:
    """Give records by their ids, removed ones too."""
    found: dict[str, Record] = {}
    for at in range(0, len(ids), CHUNK):
        query = select(record).where(record.c.id.in_(ids[at : at + CHUNK]))
        found |= {row.id: as_record(row) for row in connection.execute(query)}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records of a ledger are asked for.

    Attributes:
        unit: Those of one hazard unit of the site; None for all.
        refers_to: Ledger and code of a record that they name; None for all.
        states: Those in one of these; empty for all.
        due_before: Those whose day lies before this one, ISO 8601; empty for all.
        is_removed: The removed ones.
    """

    unit: str | None = None
    refers_to: tuple[str, str] | None = None
    states: Sequence[str] = ()
    due_before: str = ""
    is_removed: bool = False


ALL: Final = Wanted()


def body_values(connection: Connection, ledger: str) -> list[Values]:
    """Give the values of all records of a ledger that are not removed."""
    query = select(record.c.body).where(record.c.ledger == ledger, record.c.is_removed.is_(False))
    return [orjson.loads(body) for body in connection.scalars(query)]


def page(
    connection: Connection, ledger: str, *, limit: int, after: tuple[str, int] | None = None, wanted: Wanted = ALL
) -> list[Record]:
    """Give records by their code, at most ``limit``.

    Args:
        after: Code and ``seq`` of the record before.
    """
    query = select(record).where(record.c.ledger == ledger, record.c.is_removed.is_(wanted.is_removed))
    if wanted.unit is not None:
        query = query.where(record.c.unit == wanted.unit)
    if wanted.states:
        query = query.where(record.c.state.in_(wanted.states))
    if wanted.due_before:
        query = query.where(record.c.due != "", record.c.due < wanted.due_before)
    if wanted.refers_to is not None:
        named = select(record_reference.c.id).where(
            record_reference.c.ledger == wanted.refers_to[0], record_reference.c.code == wanted.refers_to[1]
        )
        query = query.where(record.c.id.in_(named))
    if after is not None:
        query = query.where(tuple_(record.c.code, record.c.seq) > after)
    rows = connection.execute(query.order_by(record.c.code, record.c.seq).limit(limit))
    return [as_record(row) for row in rows]


def look_for(
    connection: Connection, ledger: str, question: str, *, limit: int, below: int | None = None
) -> list[Record]:
    """Give records that say all that is asked, the last made first."""
    seqs = search.found(connection, ledger, question, limit, below)
    rows = connection.execute(select(record).where(record.c.seq.in_(seqs)))
    return sorted((as_record(row) for row in rows), key=lambda one: -one.seq)


def revisions(connection: Connection, which: str) -> list[Revision]:
    """Give all revisions of a record, the newest first."""
    query = select(record_revision).where(record_revision.c.id == which).order_by(record_revision.c.revision.desc())
    return [
        Revision(
            revision=row.revision,
            time_ns=row.time_ns,
            who=row.who,
            what=row.what,
            reason=row.reason,
            values=orjson.loads(row.body),
        )
        for row in connection.execute(query)
    ]


def referring(connection: Connection, ledger: str, code: str, limit: int) -> list[Record]:
    """Give records that name this one."""
    query = (
        select(record)
        .join(record_reference, record_reference.c.id == record.c.id)
        .where(record_reference.c.ledger == ledger, record_reference.c.code == code, record.c.is_removed.is_(False))
        .order_by(record.c.seq)
        .limit(limit)
    )
    return [as_record(row) for row in connection.execute(query)]
