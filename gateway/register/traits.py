"""Traits of hidden hazards: by what one is found again, and counted, without reading them all.

Flow: hidden hazards that change -> [follow, in their transaction] -> traits -> [repeats, in_days] -> list, figures
Why: "has this been here before?" and "what was closed in October?" stay on an index among 100,000 records.
Never: decides what a hazard is; the record does.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from alerting.register.field import Values
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from gateway.register.record import Record
from gateway.store.schema import event, hazard_trait, record

CHUNK: Final = 500
FOUND, DUE, CLOSED = "found", "due", "closed"
ALARM, KEY, CAUSE = "alarm:", "key:", "cause:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """That a hidden hazard was here before.

    Attributes:
        before: Id of the record that came last before it.
        days: So many days lie between.
        times: How many came before it within the days that count.
    """

    before: str
    days: int
    times: int


def traits_of(values: Values, key: str = "") -> dict[str, str]:
    """Give the traits of a record with the day of each, ISO 8601.

    Args:
        key: Key of the alarm that it names; empty where it names none.
    """
    day, alarm = values["found_on"], values.get("alarm")
    place = values.get("dossier") or values.get("unit")
    kind, cause = values.get("type"), values.get("cause_class")
    traits = {FOUND: day}
    if alarm:
        traits[f"{ALARM}{alarm}"] = day
    if key:
        traits[f"{KEY}{key}"] = day
    if place and kind and cause:
        traits[f"{CAUSE}{place}|{kind}|{cause}"] = day
    if values.get("deadline"):
        traits[DUE] = values["deadline"]
    if values.get("accepted_on") and values.get("state") == "closed":
        traits[CLOSED] = values["accepted_on"]
    return traits


def follow(connection: Connection, ledger: str, kept: Sequence[Record]) -> None:
    """Let the traits follow records, in the transaction that changes these; those of removed ones stay."""
    if ledger != HIDDEN_HAZARDS.id or not kept:
        return
    alarms = sorted({str(one.values["alarm"]) for one in kept if one.values.get("alarm")})
    keys: dict[str, str] = {}
    for at in range(0, len(alarms), CHUNK):
        asked = select(event.c.alarm, event.c.alarm_key).where(event.c.alarm.in_(alarms[at : at + CHUNK])).distinct()
        keys |= {row.alarm: row.alarm_key for row in connection.execute(asked)}
    connection.execute(
        delete(hazard_trait).where(hazard_trait.c.id == bindparam("of")), [{"of": one.id} for one in kept]
    )
    made = [
        {"id": one.id, "trait": name, "day": day}
        for one in kept
        for name, day in traits_of(one.values, keys.get(str(one.values.get("alarm", "")), "")).items()
    ]
    connection.execute(insert(hazard_trait), made)


def led_to(connection: Connection, alarms: Iterable[str]) -> set[str]:
    """Give those of these alarms that ever led to a hidden hazard, also one that was removed since."""
    asked, found = sorted(set(alarms)), set[str]()
    for at in range(0, len(asked), CHUNK):
        names = [f"{ALARM}{one}" for one in asked[at : at + CHUNK]]
        query = select(hazard_trait.c.trait).where(hazard_trait.c.trait.in_(names)).distinct()
        found |= {name.removeprefix(ALARM) for name in connection.scalars(query)}
    return found


def open_keys(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Give those of these alarm keys of which an episode led to a hidden hazard that is still open."""
    asked, found = sorted(set(keys)), set[str]()
    for at in range(0, len(asked), CHUNK):
        names = [f"{KEY}{one}" for one in asked[at : at + CHUNK]]
        query = (
            select(hazard_trait.c.trait)
            .join(record, record.c.id == hazard_trait.c.id)
            .where(hazard_trait.c.trait.in_(names), record.c.is_removed.is_(False))
            .where(record.c.state.not_in(sorted(HIDDEN_HAZARDS.shut)))
            .distinct()
        )
        found |= {name.removeprefix(KEY) for name in connection.scalars(query)}
    return found


def in_days(connection: Connection, trait: str, first: date, last: date, most: int) -> list[RowMapping]:
    """Give ledger rows of hidden hazards with a trait on one of these days, both included, by day; removed ones not."""
    query = (
        select(hazard_trait.c.day, record)
        .join(record, record.c.id == hazard_trait.c.id)
        .where(hazard_trait.c.trait == trait, hazard_trait.c.day.between(first.isoformat(), last.isoformat()))
        .where(record.c.is_removed.is_(False))
        .order_by(hazard_trait.c.day, record.c.seq)
        .limit(most)
    )
    return list(connection.execute(query).mappings())


def repeats(connection: Connection, ids: Sequence[str], within_days: int) -> dict[str, Repeat]:
    """Give those of these hidden hazards that are repeats.

    That is: of the same alarm key, or of the same unit, type and class of cause, as one that was found at most so many
    days before.
    """
    named = _named(connection, ids)
    if not named:
        return {}
    days = [day for traits in named.values() for _, day in traits]
    least = (date.fromisoformat(min(days)) - timedelta(days=within_days)).isoformat()
    others = _others(connection, sorted({name for traits in named.values() for name, _ in traits}), least, max(days))
    found: dict[str, Repeat] = {}
    for which, traits in named.items():
        before: dict[str, tuple[str, int]] = {}
        for name, day in traits:
            bound = (date.fromisoformat(day) - timedelta(days=within_days)).isoformat()
            mine = next(seq for _, seq, each in others[name] if each == which)
            before |= {
                each: (said, seq) for said, seq, each in others[name] if bound <= said and (said, seq) < (day, mine)
            }
        if before:
            last = max(before, key=lambda each: before[each])
            apart = date.fromisoformat(traits[0][1]) - date.fromisoformat(before[last][0])
            found[which] = Repeat(before=last, days=apart.days, times=len(before))
    return found


def _named(connection: Connection, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Give what of these could come again, of those that are not removed."""
    named: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for at in range(0, len(ids), CHUNK):
        query = (
            select(hazard_trait)
            .join(record, record.c.id == hazard_trait.c.id)
            .where(hazard_trait.c.id.in_(ids[at : at + CHUNK]), record.c.is_removed.is_(False))
        )
        for row in connection.execute(query):
            if row.trait.startswith((KEY, CAUSE)):
                named[row.id].append((row.trait, row.day))
    return named


def _others(
    connection: Connection, traits: Sequence[str], first: str, last: str
) -> dict[str, list[tuple[str, int, str]]]:
    """Give day, number and id of who has these traits, by trait."""
    found: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for at in range(0, len(traits), CHUNK):
        query = (
            select(hazard_trait, record.c.seq)
            .join(record, record.c.id == hazard_trait.c.id)
            .where(hazard_trait.c.trait.in_(traits[at : at + CHUNK]), hazard_trait.c.day.between(first, last))
            .where(record.c.is_removed.is_(False))
        )
        for row in connection.execute(query):
            found[row.trait].append((row.day, row.seq, row.id))
    return found
