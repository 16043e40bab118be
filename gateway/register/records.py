"""Records: what the ledgers hold, changed under a revision number, never overwritten and never deleted.

Flow: values that are right -> [make, change, remove, restore: in the transaction of their act] -> record, history
Why: two officers edit one dossier; the second is told, not overwritten. An inspector asks what stood here in March.
Never: checks a value (``alerting.register.ledger`` does), reads a clock, removes what others refer to.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from alerting.register.field import Kind, Surroundings, Values, Words, codes_in
from alerting.register.ledger import STATE, Act, Ledger, Opened, do, read_row
from alerting.register.ledgers import LEDGERS
from alerting.register.ledgers.inspections import INSPECTIONS
from alerting.register.ledgers.tickets import TICKETS
from gateway.duty.feed import follow_records
from gateway.register import exposure, gas_tests, measure_tasks, rivals, search, traits
from gateway.register.events import EVENTS, beside_events
from gateway.register.reading import get, of_codes, of_ids, referring
from gateway.register.record import Acted, By, NotDone, NotRight, Record
from gateway.roster.book import people
from gateway.store.journal import canonical
from gateway.store.schema import event, record, record_reference, record_revision

CHUNK: Final = 500  # Codes asked for in one statement; SQLite takes at most 32,766 parameters.
REFERRING: Final = (Kind.RECORD, Kind.RECORDS)
REFERRED_SHOWN: Final = 5
CODE_MAX: Final = 64
FREE_MAX: Final = 400  # Codes of one day that begin alike.


def body_of(values: Values) -> str:
    """Write values as they are kept; the same values always give the same text."""
    return canonical(values)


def digest_of(values: Values) -> str:
    """Give what the audit names values by."""
    return sha256(body_of(values).encode()).hexdigest()


def said_in(ledger: Ledger, values: Values) -> list[str]:
    """Give every text of a record that it may be looked for by: words of choices in both languages too."""
    said = []
    for field in ledger.fields:
        value = values.get(field.name)
        if value is None or field.kind is Kind.FLAG:
            continue
        if field.kind is Kind.CHOICE:
            said += [word for choice in field.choices if choice.code == value for word in choice.title]
        said.append(str(value))
    return said


def surround(
    connection: Connection, ledger: Ledger, rows: Iterable[Mapping[str, object]], around: Surroundings, own: str = ""
) -> Surroundings:
    """Add to the surroundings which of the records that rows name are there.

    Args:
        own: Id of the record that the only row changes: it is not beside itself, not even under another code.
    """
    wanted: dict[str, set[str]] = {field.ledger: set() for field in ledger.fields if field.kind in REFERRING}
    alarms: set[str] = set()
    rows = list(rows)
    for row in rows:
        for field in ledger.fields:
            raw = row.get(field.name)
            if not isinstance(raw, str | int | float) or raw == "":
                continue
            said = str(int(raw) if isinstance(raw, float) and raw.is_integer() else raw).strip()
            if field.kind is Kind.RECORD:
                wanted[field.ledger].add(said)
            elif field.kind is Kind.RECORDS:
                wanted[field.ledger].update(codes_in(said))
            elif field.kind is Kind.ALARM:
                alarms.add(said)
    found = {name: of_codes(connection, name, sorted(asked)) for name, asked in wanted.items()}
    codes = {name: frozenset(there) for name, there in found.items()}
    has_owners = any(field.kind is Kind.STEPS for field in ledger.fields)
    names = frozenset(people(connection)) if has_owners else frozenset[str]()
    points = {code: one.values for code, one in found.get(exposure.POINTS, {}).items()}
    work = {code: one.values for code, one in found.get(TICKETS.id, {}).items()}
    alarms_there = _rang(connection, sorted(alarms))
    around = replace(around, codes=codes, alarms=alarms_there, people=names, points=points, work=work)
    if ledger.id == TICKETS.id:
        around = replace(around, tests=gas_tests.tests_of(connection, (str(row.get(TICKETS.code)) for row in rows)))
    return beside_events(connection, rows, around, own) if ledger.id == EVENTS else around


def _rang(connection: Connection, alarms: Sequence[str]) -> frozenset[str]:
    """Give those of these alarms that ever rang."""
    found: set[str] = set()
    for at in range(0, len(alarms), CHUNK):
        query = select(event.c.alarm).where(event.c.alarm.in_(alarms[at : at + CHUNK])).distinct()
        found |= set(connection.execute(query).scalars())
    return frozenset(found)


def make(connection: Connection, ledger: Ledger, values: Values, by: By) -> Record:
    """Make a record.

    Raises:
        NotDone: Another record has its code.
    """
    return put(connection, ledger, [values], [], by)[0]


def change(connection: Connection, ledger: Ledger, which: str, values: Values, expected: int, by: By) -> Record:
    """Give a record other values.

    Args:
        expected: The revision that was seen; another one now means that somebody changed it meanwhile.

    Raises:
        NotDone: It was changed meanwhile, is removed, its new code is taken, or others name it by its old code.
    """
    had = get(connection, ledger.id, which)
    _check_seen(had, expected)
    _check_is_there(had)
    _check_is_open(ledger, had)
    code = str(values[ledger.code])
    if code != had.code:
        _check_unreferred(connection, had, Words("its code cannot change", "不能修改其编号"))
    if values == had.values:
        return had
    return put(connection, ledger, [], [(had, values)], by)[0]


def act(
    connection: Connection,
    ledger: Ledger,
    which: str,
    doing: Act,
    given: Mapping[str, object],
    expected: int,
    by: By,
    around: Surroundings,
) -> Acted:
    """Carry out an act of a closed loop, with the records that it brings about.

    Raises:
        NotDone: It was changed meanwhile or is removed.
        NotRight: The act is not meant in this state, or what was filled in is wrong, here or in what it brings about.
    """
    had = get(connection, ledger.id, which)
    _check_seen(had, expected)
    _check_is_there(had)
    around = surround(connection, ledger, [{**had.values, **given}], around, had.id)
    row = do(ledger, doing, had.values, given, around)
    if row.wrongs:
        raise NotRight(row.wrongs)
    kept = put(connection, ledger, [], [(had, row.values)], by, what=doing.id)[0]
    return Acted(record=kept, opened=tuple(_open(connection, row.opened, by, around)))


def _open(connection: Connection, opened: Sequence[Opened], by: By, around: Surroundings) -> list[Record]:
    """Make the records that an act brings about; what would be wrong there refuses the act."""
    made: dict[str, Record] = {}
    for one in opened:
        target = LEDGERS[one.ledger]
        named = {f"{{{name}}}": found.code for name, found in made.items()}
        values = {
            name: named.get(value, value) if isinstance(value, str) else value for name, value in one.values.items()
        }
        values[target.code] = free_code(connection, target, str(values[target.code]))
        row = read_row(target, values, surround(connection, target, [values], around))
        if row.wrongs:
            raise NotRight(row.wrongs)
        made[one.ledger] = put(connection, target, [row.values], [], by)[0]
    return list(made.values())


def free_code(connection: Connection, ledger: Ledger, begins: str) -> str:
    """Give a code that nobody has: the one asked for, or with a number behind it."""
    head = begins[: CODE_MAX - 5]
    candidates = [head, *(f"{head}-{number}" for number in range(2, FREE_MAX))]
    taken = of_codes(connection, ledger.id, candidates)
    return next(code for code in candidates if code not in taken)


def put(
    connection: Connection,
    ledger: Ledger,
    new: Sequence[Values],
    changed: Sequence[tuple[Record, Values]],
    by: By,
    *,
    what: str = "changed",
    words: Mapping[str, Sequence[str]] | None = None,
) -> list[Record]:
    """Make and change many records at once, in few statements.

    Args:
        what: What the history says of those that change.
        words: Search words by code, where they were made before the transaction began.

    Returns:
        The new ones, then the changed ones.

    Raises:
        NotDone: A code is taken.
        NotRight: Another record excludes one of them.
    """
    _check_codes(connection, ledger, new, changed)
    wrongs = rivals.wrongs(connection, ledger.id, [*new, *(values for _, values in changed)])
    if wrongs:
        raise NotRight([wrong for _, wrong in wrongs])
    rows = [_row(ledger, values, by) | {"id": uuid.uuid4().hex, "revision": 1, "is_removed": False} for values in new]
    if rows:
        connection.execute(insert(record), rows)
    updates = [
        _row(ledger, values, by) | {"id": had.id, "revision": had.revision + 1, "is_removed": False}
        for had, values in changed
    ]
    if updates:
        columns = [name for name in updates[0] if name != "id"]
        statement = (
            update(record).where(record.c.id == bindparam("of")).values({name: bindparam(name) for name in columns})
        )
        connection.execute(statement, [{**row, "of": row["id"]} for row in updates])
    _keep_revisions(connection, rows, "made", by)
    _keep_revisions(connection, updates, what, by)
    every = rows + updates
    ids = [row["id"] for row in every]
    found = of_ids(connection, ids)
    kept = [found[which] for which in ids]
    _refer(connection, ledger, kept)
    _index(connection, ledger, kept, words)
    follow_records(connection, ledger.id, kept, by.time_ns)
    traits.follow(connection, ledger.id, kept)
    _follow_others(connection, ledger, kept, by, [had for had, _ in changed])
    return kept


def remove(connection: Connection, ledger: Ledger, which: str, expected: int, by: By) -> Record:
    """Take a record out of its ledger; it stays readable, and can be restored.

    Raises:
        NotDone: It was changed meanwhile, or others refer to it.
    """
    had = get(connection, ledger.id, which)
    _check_seen(had, expected)
    _check_is_there(had)
    _check_unreferred(connection, had, Words("it cannot be removed", "不能删除"))
    if ledger.is_tied(had.values):
        en = "An incident has reserved it; release it there first."
        raise NotDone("tied", Words(en, "应急事件已调用该资源，请先在事件中归还。"))
    connection.execute(delete(record_reference).where(record_reference.c.id == which))
    search.forget(connection, [had.seq])
    kept = _mark(connection, had, by, is_removed=True)
    _follow_others(connection, ledger, [kept], by)
    return kept


def restore(connection: Connection, ledger: Ledger, which: str, expected: int, by: By) -> Record:
    """Put a removed record back as it was.

    Raises:
        NotDone: It was changed meanwhile or is not removed, its code is taken, or what it named is gone.
        NotRight: Another record that is there now excludes it.
    """
    had = get(connection, ledger.id, which)
    _check_seen(had, expected)
    if not had.is_removed:
        raise NotDone("not_removed", Words("This record is not removed.", "该记录未被删除。"))
    _check_codes(connection, ledger, [had.values], [])
    for field, other, code in ledger.refers(had.values):
        if not of_codes(connection, other, [code]):
            named = ledger.field(field.partition(":")[0]).title
            raise NotDone(
                "not_there",
                Words(
                    f"{named.en} {code} is no longer there; restore that first.",
                    f"“{named.zh}”{code} 已不存在，请先恢复它。",
                ),
            )
    wrongs = rivals.wrongs(connection, ledger.id, [had.values])
    if wrongs:
        raise NotRight([wrong for _, wrong in wrongs])
    kept = _mark(connection, had, by, is_removed=False)
    _refer(connection, ledger, [kept])
    _index(connection, ledger, [kept], None)
    _follow_others(connection, ledger, [kept], by)
    return kept


# ------------------------------------------------------------------------------------------------------------ inside


def _row(ledger: Ledger, values: Values, by: By) -> dict[str, Any]:
    return {
        "ledger": ledger.id,
        "code": str(values[ledger.code]),
        "title": str(values.get(ledger.named, "")),
        "unit": ledger.unit_of(values),
        "time_ns": by.time_ns,
        "who": by.who,
        "body": body_of(values),
        "state": str(values.get(STATE if ledger.acts else ledger.stage, "")),
        "due": str(values.get(ledger.due, "")) if ledger.due else "",
    }


def _check_seen(had: Record, expected: int) -> None:
    if had.revision != expected:
        raise NotDone(
            "changed_meanwhile",
            Words(
                f"{had.who} changed it meanwhile (revision {had.revision}, you saw {expected}). Look at it again.",
                f"{had.who} 已先行修改（当前第 {had.revision} 版，您看到的是第 {expected} 版），请重新查看。",
            ),
            {"revision": had.revision, "who": had.who, "values": had.values},
        )


def _check_is_there(had: Record) -> None:
    if had.is_removed:
        raise NotDone("removed", Words("This record is removed; restore it first.", "该记录已删除，请先恢复。"))


def _check_is_open(ledger: Ledger, had: Record) -> None:
    state = had.values.get(STATE)
    if ledger.acts and state in ledger.shut:
        now = next(choice.title for choice in ledger.states if choice.code == state)
        raise NotDone(
            "shut",
            Words(
                f"It is “{now.en}”; nothing is changed there any more. Re-open it first.",
                f"该记录“{now.zh}”，不能再修改，请先重新打开。",
            ),
        )


def _check_unreferred(connection: Connection, had: Record, what: Words) -> None:
    others = referring(connection, had.ledger, had.code, REFERRED_SHOWN + 1)
    if not others:
        return
    shown = others[:REFERRED_SHOWN]
    en = ", ".join(f"{other.code} ({LEDGERS[other.ledger].title.en})" for other in shown)
    zh = "、".join(f"{other.code}（{LEDGERS[other.ledger].title.zh}）" for other in shown)
    more = len(others) > len(shown)
    raise NotDone(
        "referred_to",
        Words(
            f"Others refer to {had.code}, so {what.en}: {en}{' and more' if more else ''}.",
            f"有其他记录引用 {had.code}，{what.zh}：{zh}{'等' if more else ''}。",
        ),
        [{"ledger": other.ledger, "id": other.id, "code": other.code} for other in shown],
    )


def _check_codes(
    connection: Connection, ledger: Ledger, new: Sequence[Values], changed: Sequence[tuple[Record, Values]]
) -> None:
    mine = {had.id for had, _ in changed}
    codes = [str(values[ledger.code]) for values in new] + [
        str(values[ledger.code]) for had, values in changed if values[ledger.code] != had.code
    ]
    taken = [one for one in of_codes(connection, ledger.id, codes).values() if one.id not in mine]
    if taken:
        title = ledger.field(ledger.code).title
        raise NotDone(
            "code_taken",
            Words(
                f"{title.en} {taken[0].code} is taken by {taken[0].title or 'another record'}; choose another.",
                f"{title.zh} {taken[0].code} 已被“{taken[0].title}”占用，请换一个。",
            ),
        )


def _keep_revisions(connection: Connection, rows: Sequence[dict[str, Any]], what: str, by: By) -> None:
    if rows:
        connection.execute(
            insert(record_revision),
            [
                {
                    "id": row["id"],
                    "revision": row["revision"],
                    "time_ns": by.time_ns,
                    "who": by.who,
                    "what": what,
                    "reason": by.reason,
                    "body": row["body"],
                }
                for row in rows
            ],
        )


def _mark(connection: Connection, had: Record, by: By, *, is_removed: bool) -> Record:
    fresh = {"is_removed": is_removed, "revision": had.revision + 1, "time_ns": by.time_ns, "who": by.who}
    connection.execute(update(record).where(record.c.id == had.id).values(fresh))
    row = {"id": had.id, "revision": had.revision + 1, "body": body_of(had.values)}
    _keep_revisions(connection, [row], "removed" if is_removed else "restored", by)
    kept = get(connection, had.ledger, had.id)
    follow_records(connection, had.ledger, [kept], by.time_ns)
    return kept


def _follow_others(
    connection: Connection, ledger: Ledger, kept: Sequence[Record], by: By, had: Sequence[Record] = ()
) -> None:
    """Let points follow their samples, tickets their gas tests, and inspections their control measures."""
    moved = exposure.follow(connection, ledger.id, kept)
    if moved:
        put(connection, LEDGERS[exposure.POINTS], [], moved, by, what="sampled")
    tested = gas_tests.follow(connection, ledger.id, kept, had)
    if tested:
        put(connection, TICKETS, [], tested, by, what="sampled")
    tasks = measure_tasks.follow(connection, ledger.id, kept, had, by)
    if tasks.new or tasks.changed:
        put(connection, INSPECTIONS, tasks.new, tasks.changed, by, what="followed")
        measure_tasks.noted(connection, tasks, by)


def _refer(connection: Connection, ledger: Ledger, kept: Sequence[Record]) -> None:
    if not any(field.kind in REFERRING for field in ledger.fields):
        return
    connection.execute(
        delete(record_reference).where(record_reference.c.id == bindparam("of")), [{"of": one.id} for one in kept]
    )
    named = [
        {"id": one.id, "field": field, "ledger": other, "code": code}
        for one in kept
        for field, other, code in ledger.refers(one.values)
    ]
    if named:
        connection.execute(insert(record_reference), named)


def _index(
    connection: Connection, ledger: Ledger, kept: Sequence[Record], words: Mapping[str, Sequence[str]] | None
) -> None:
    known = words or {}
    search.keep(
        connection,
        [(one.seq, known.get(one.code) or search.tokens_of(ledger.id, said_in(ledger, one.values))) for one in kept],
    )
