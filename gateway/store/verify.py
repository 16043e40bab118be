"""Verify: find a changed, dropped or truncated journal row, off-line, and say where.

Flow: register.db, head.json, install.key -> [verify] -> findings
Why: whoever inspects the record must not have to trust the machine that wrote it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from alerting.model.tier import Tier
from edge.disk import Disk
from gateway.store.journal import GENESIS, HEAD_FILE, KEY_FILE, Head, chain_hash, install_key, is_signed
from gateway.store.schema import alarm, event, head, journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with the record: which chain, which row, what."""

    nature: str
    number: int
    what: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was looked at and what was found."""

    rows: dict[str, int]
    findings: tuple[Finding, ...]


def verify(connection: Connection, disk: Disk) -> Report:
    """Walk all chains from their first row to the signed head."""
    findings: list[Finding] = []
    rows: dict[str, int] = {}
    key = _public_key(disk, findings)
    heads = {row["nature"]: Head(**row) for row in connection.execute(select(head)).mappings()}
    outside = _outside_heads(disk)
    findings += [
        Finding(nature=name, number=end.count, what="head", sentence=f"{name}: {HEAD_FILE} does not name this chain.")
        for name, end in heads.items()
        if name not in outside
    ]
    natures = set(connection.scalars(select(journal.c.nature).distinct())) | set(heads) | set(outside)
    for nature in sorted(natures):
        hashes: dict[int, str] = {}
        rows[nature] = 0
        wanted = {end.count for end in (heads.get(nature), outside.get(nature)) if end}
        for number, last in _walk(connection, nature, findings):
            rows[nature] += 1
            if number in wanted:
                hashes[number] = last
        findings += _check_end(nature, "head row", heads.get(nature), hashes, rows[nature], key)
        findings += _check_end(nature, HEAD_FILE, outside.get(nature), hashes, rows[nature], key)
    findings += _check_events(connection)
    return Report(rows=rows, findings=tuple(findings))


def _walk(connection: Connection, nature: str, findings: list[Finding]) -> Iterator[tuple[int, str]]:
    last, expected = GENESIS, 1
    query = select(journal).where(journal.c.nature == nature).order_by(journal.c.number)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        if row.number != expected:
            findings.append(
                Finding(
                    nature=nature,
                    number=expected,
                    what="dropped",
                    sentence=f"{nature}: rows {expected} to {row.number - 1} are missing.",
                )
            )
            last = row.hash  # what follows is judged on its own
        elif chain_hash(last, nature, row.number, row.time_ns, row.kind, row.body) != row.hash:
            findings.append(
                Finding(
                    nature=nature,
                    number=row.number,
                    what="changed",
                    sentence=f"{nature}: row {row.number} is not what was written (its hash does not fit).",
                )
            )
        if row.kind == "system" and '"kind":"record_in_doubt"' in row.body:
            findings.append(
                Finding(
                    nature=nature,
                    number=row.number,
                    what="doubt",
                    sentence=f"{nature}: at row {row.number} the gateway found what is before it in doubt: {row.body}",
                )
            )
        last, expected = row.hash, row.number + 1
        yield row.number, row.hash


def _check_end(
    nature: str, place: str, end: Head | None, hashes: dict[int, str], count: int, key: Ed25519PublicKey | None
) -> Iterator[Finding]:
    if end is not None and end.count == 0:
        return  # Announced before its first row.
    if end is None:
        if place == "head row" and count:
            yield Finding(nature=nature, number=count, what="head", sentence=f"{nature}: the head row is missing.")
        return
    if key is not None and not is_signed(end, key):
        yield Finding(
            nature=nature,
            number=end.count,
            what="signature",
            sentence=f"{nature}: the {place} does not carry this installation's signature.",
        )
    if end.count > count and end.count not in hashes:
        yield Finding(
            nature=nature,
            number=count + 1,
            what="truncated",
            sentence=f"{nature}: the {place} counts {end.count} rows, the journal ends at {count}.",
        )
    elif hashes.get(end.count) != end.hash:
        yield Finding(
            nature=nature,
            number=end.count,
            what="head",
            sentence=f"{nature}: the {place} does not fit row {end.count}.",
        )
    elif place == "head row" and end.count < count:
        yield Finding(
            nature=nature,
            number=end.count + 1,
            what="head",
            sentence=f"{nature}: the journal goes on after the signed head at row {end.count}.",
        )


def _check_events(connection: Connection) -> Iterator[Finding]:
    """The event table is the journal in columns, and an alarm stands as its last event left it."""
    told: dict[str, tuple[str, int, str, int]] = {}
    last: dict[str, tuple[str, str]] = {}
    query = select(journal.c.nature, journal.c.number, journal.c.body).where(journal.c.kind == "event")
    for row in connection.execute(query.order_by(journal.c.nature, journal.c.number).execution_options(yield_per=1000)):
        try:
            body = orjson.loads(row.body)
        except orjson.JSONDecodeError:
            continue  # Its hash has told already.
        told[body["id"]] = (body["what"], body["time_ns"], body["tier"], row.number)
        if body["alarm"] and not body["is_late"]:
            last[body["alarm_key"]] = (body["alarm"], body["state"])
    for row in connection.execute(select(event).execution_options(yield_per=1000)):
        known = told.pop(row.id, None)
        if known is None or known[:3] != (row.what, row.time_ns, Tier(row.tier).name):
            number = 0 if known is None else known[3]
            sentence = f"{row.nature}: event {row.id} in the event table is not what the journal says."
            yield Finding(nature=row.nature, number=number, what="events", sentence=sentence)
    for name, known in told.items():
        sentence = f"Event {name} (row {known[3]}) is missing from the event table."
        yield Finding(nature="-", number=known[3], what="events", sentence=sentence)
    stands = {
        row.key: (row.id, row.state) for row in connection.execute(select(alarm.c.key, alarm.c.id, alarm.c.state))
    }
    for key, left in last.items():
        if stands.get(key) != left:
            sentence = f"Alarm {key} does not stand as its last event left it ({left[1]})."
            yield Finding(nature="-", number=0, what="alarms", sentence=sentence)


def _public_key(disk: Disk, findings: list[Finding]) -> Ed25519PublicKey | None:
    if disk.read(KEY_FILE) is None:
        findings.append(
            Finding(nature="-", number=0, what="key", sentence=f"{KEY_FILE} is missing; signatures cannot be checked.")
        )
        return None
    return install_key(disk).public_key()


def _outside_heads(disk: Disk) -> dict[str, Head]:
    raw = disk.read(HEAD_FILE)
    if raw is None:
        return {}
    return {item["nature"]: Head(**item) for item in orjson.loads(raw)["heads"]}
