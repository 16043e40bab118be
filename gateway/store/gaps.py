"""Gaps: the open gaps of the late lane in the store, committed with the tick that opened them or judged in them.

Flow: Outcome -> [gap_rows] -> transaction; start -> [restore_gaps] -> GapBook
Why: a backlog that takes an hour to come is judged to its end, also where the gateway dies in the middle of it.
Never: fits a gap to other rules. Each is judged by those of its time; where they cannot be had any more, the journal
says that it is lost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from alerting.core.held import Held
from alerting.core.whole import NotFittingError, freeze, thaw
from alerting.desk import Desk
from alerting.late import LATE_ENTRIES_MAX, Gap, Part
from alerting.model.alarm import Alarm
from alerting.model.rule import RuleTable
from alerting.swap import is_measured_alike
from edge.model import Nature
from gateway.store import columns, schema
from gateway.store.rows import alarm_of, entry_of

CHUNK: Final = 500
_ALARM: Final = tuple(each.name for each in fields(Alarm))


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """One open gap, copied when the tick ended."""

    number: int
    revision: int
    source: str
    nature: str
    from_ns: int
    to_ns: int
    content: bytes


class PastRulesError(Exception):
    """The rules of a past revision cannot be had any more; says why."""


#: Gives the rules of a revision; raises ``PastRulesError``.
RulesOf = Callable[[int], RuleTable]


def gap_rows(gaps: Sequence[Gap]) -> list[GapRow]:
    """Copy gaps, before the next tick changes them."""
    return [
        GapRow(
            number=gap.number,
            revision=gap.revision,
            source=gap.source,
            nature=gap.nature.value,
            from_ns=gap.from_ns,
            to_ns=gap.to_ns,
            content=_content(gap),
        )
        for gap in gaps
    ]


def _content(gap: Gap) -> bytes:
    held = gap.held
    more = {
        "is_held": isinstance(held, Held),
        "alarms": [{name: getattr(alarm, name) for name in _ALARM} for alarm in gap.alarms.values()],
    }
    return columns.dump(held.columns if isinstance(held, Held) else freeze(held), more)


def put_gaps(connection: Connection, rows: Sequence[GapRow], ended: Sequence[int]) -> None:
    """Write gaps in place of what was known of them, and leave out those that are no more."""
    gone = [*ended, *(row.number for row in rows)]
    for start in range(0, len(gone), CHUNK):
        connection.execute(delete(schema.gap).where(schema.gap.c.number.in_(gone[start : start + CHUNK])))
    if rows:
        connection.execute(insert(schema.gap), [asdict(row) for row in rows])


def restore_gaps(connection: Connection, desk: Desk, revision: int, rules_of: RulesOf) -> list[dict[str, Any]]:
    """Open again what a former life had open.

    Args:
        desk: With the rules in force; it is told their revision.
        revision: Of these.
        rules_of: Gives the rules of another.

    Returns:
        What the journal is to say of gaps that are lost.
    """
    desk.gaps.revision = revision
    found, lost = [], []
    parts = _Parts(desk, revision, rules_of)
    for row in connection.execute(select(schema.gap).order_by(schema.gap.c.number)).mappings().all():
        try:
            found.append(gap_of(dict(row), parts.part(row["source"], row["revision"])))
        except (PastRulesError, NotFittingError) as why:
            facts = {"from_ns": row["from_ns"], "to_ns": row["to_ns"], "reason": str(why)}
            lost.append({"kind": "late_gap_lost", "source": row["source"], **facts})
            put_gaps(connection, (), [row["number"]])
    late = schema.register_entry.c.is_late.is_(True)
    newest = select(schema.register_entry).where(late).order_by(schema.register_entry.c.opened_ns.desc())
    entries = connection.execute(newest.limit(LATE_ENTRIES_MAX)).mappings().all() if found else []
    desk.gaps.adopt(found, [entry_of(dict(row)) for row in reversed(entries)])
    return lost


def gap_of(row: Mapping[str, Any], part: Part) -> Gap:
    """Make a gap again.

    Raises:
        NotFittingError: It was written by another version of the product, or the source has no such tags any more.
    """
    if len(part.rows) == 0:
        raise NotFittingError("the source has no tags any more")
    kept, more = columns.load(row["content"])
    return Gap(
        number=row["number"],
        revision=row["revision"],
        source=row["source"],
        nature=Nature(row["nature"]),
        from_ns=row["from_ns"],
        to_ns=row["to_ns"],
        part=part,
        held=Held.of(kept) if more["is_held"] else thaw(part.table, kept),
        alarms={each["key"]: alarm_of({**each, "rule_group": each["group"]}) for each in more["alarms"]},
    )


class _Parts:
    """Each source's share of the rules of a revision, made once."""

    def __init__(self, desk: Desk, revision: int, rules_of: RulesOf) -> None:
        self._desk, self._revision, self._rules_of = desk, revision, rules_of
        self._known: dict[tuple[str, int], Part] = {}
        self._tables: dict[int, RuleTable | PastRulesError] = {}

    def part(self, source: str, revision: int) -> Part:
        if revision == self._revision:
            return self._desk.gaps.part(source)
        where = source, revision
        if where not in self._known:
            part = self._known[where] = Part(self._table(revision), source)
            part.follow(*_alike(self._desk.table, self._table(revision)))
        return self._known[where]

    def _table(self, revision: int) -> RuleTable:
        if revision not in self._tables:
            try:
                self._tables[revision] = self._rules_of(revision)
            except PastRulesError as why:
                self._tables[revision] = why
        found = self._tables[revision]
        if isinstance(found, PastRulesError):
            raise found
        return found


def _alike(here: RuleTable, there: RuleTable) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Give the tags that two tables measure alike, as rows of each, int32 (n,)."""
    known = here.tags.row_of
    pairs = [
        (known[tag.name], row)
        for row, tag in enumerate(there.tags)
        if tag.name in known and is_measured_alike(tag, here.tags[known[tag.name]])
    ]
    rows = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
