"""What a record is, who changes it, and how a change is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from alerting.register.field import Surroundings, Values, Words, Wrong


class NotDone(Exception):  # noqa: N818 - a refusal, not a failure
    """A change that was refused.

    Attributes:
        said: One sentence by language.
        code: For programs: ``changed_meanwhile``, ``code_taken``, ``referred_to``, ``not_there``, ``removed``.
        details: What helps: the record as it is now, or who refers to it.
    """

    def __init__(self, code: str, said: Words, details: object = None) -> None:
        super().__init__(said.en)
        self.said = said
        self.code = code
        self.details = details


class NotRight(Exception):  # noqa: N818 - a refusal, not a failure
    """What a person filled in is wrong.

    Attributes:
        wrongs: All of it, at least one.
    """

    def __init__(self, wrongs: Sequence[Wrong]) -> None:
        super().__init__(wrongs[0].rule.en)
        self.wrongs = tuple(wrongs)


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does something, when and why.

    Attributes:
        here: The site then, for what follows from a change by its days: tasks of control measures.
    """

    who: str
    time_ns: int
    reason: str
    here: Surroundings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as it is now."""

    seq: int
    id: str
    ledger: str
    code: str
    title: str
    unit: str
    revision: int
    time_ns: int
    who: str
    values: Values
    is_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What an act came to: the record after it, and what it brought about."""

    record: Record
    opened: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a record."""

    revision: int
    time_ns: int
    who: str
    what: str
    reason: str
    values: Values


def as_record(row: Row[Any]) -> Record:
    """Give the record of a row."""
    return Record(
        seq=row.seq,
        id=row.id,
        ledger=row.ledger,
        code=row.code,
        title=row.title,
        unit=row.unit,
        revision=row.revision,
        time_ns=row.time_ns,
        who=row.who,
        values=orjson.loads(row.body),
        is_removed=row.is_removed,
    )
