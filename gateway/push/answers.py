"""Answers: what destinations said and what people did about notices, one row each, never changed.

Flow: answer, act of a person -> [add] -> row in the same transaction as the notice's new state -> ledger, export
Why: a receipt is a proof only as long as nobody could have written it in afterwards. Rows are hash-chained like the
    journal; the export signs the last hash with the installation's key.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import orjson
from sqlalchemy import Connection, Row, insert, select

from gateway.store.schema import push_answer

GENESIS = "0" * 64
TEXT_MAX = 500  # Characters of an answer that are kept here.


class What(StrEnum):
    """What a row tells."""

    RECEIPT = "receipt"  # the authority's acknowledgement
    REPEAT = "repeat"  # it had the notice already
    HANDED = "handed"  # somebody between us and the reader took it; no receipt
    REFUSED = "refused"  # this very notice is not wanted
    TROUBLE = "trouble"  # it did not arrive, or nobody knows
    QUARANTINED = "quarantined"
    RELEASED = "released"  # by a person, out of quarantine
    RESENT = "resent"  # by a person, though it had a receipt
    EXPIRED = "expired"
    MOVED = "moved"  # a call that another channel took over
    WITHDRAWN = "withdrawn"  # a call about an alarm that somebody answered before the call could be delivered
    SECOND_ACK = "second_ack"  # acknowledged once more
    FALSE_ACK = "false_ack"  # an acknowledgement that is not believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a row tells beside when and of which notice.

    Attributes:
        status: Of HTTP, 0 where there is none.
        text: Head of the answer, or why it did not arrive.
        who: The person; empty for the gateway itself.
    """

    what: What
    status: int = 0
    text: str = ""
    who: str = ""
    reason: str = ""


def add(connection: Connection, time_ns: int, key: str, destination: str, said: Said) -> None:
    """Append a row, inside the caller's transaction."""
    table = push_answer
    last = connection.execute(select(table.c.number, table.c.hash).order_by(table.c.number.desc()).limit(1)).first()
    number, before = (last.number + 1, last.hash) if last else (1, GENESIS)
    row: dict[str, int | str] = {
        "number": number,
        "time_ns": time_ns,
        "key": key,
        "destination": destination,
        "what": said.what.value,
        "status": said.status,
        "text": said.text[:TEXT_MAX],
        "who": said.who,
        "reason": said.reason,
    }
    connection.execute(insert(table).values(**row, hash=chain_hash(before, row)))


def chain_hash(before: str, row: dict[str, int | str]) -> str:
    """Give the hash of a row, 64 hexadecimal digits: SHA-256 of the hash before and the row's canonical JSON."""
    return hashlib.sha256(before.encode() + b"\n" + orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


def facts_of(row: Row[tuple[object, ...]]) -> dict[str, int | str]:
    """Give what the hash of a row covers."""
    return {str(name): value for name, value in row._mapping.items() if name != "hash"}  # noqa: SLF001 - its public name


def broken_at(connection: Connection) -> Iterator[int]:
    """Give the numbers of rows that are not what was written, or that follow a missing one."""
    before, expected = GENESIS, 1
    for row in connection.execute(select(push_answer).order_by(push_answer.c.number)):
        if row.number != expected or chain_hash(before, facts_of(row)) != row.hash:
            yield expected if row.number != expected else row.number
        before, expected = row.hash, row.number + 1
