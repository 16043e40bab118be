"""Incidents in the store: led under a revision, merged, ended, never removed; ``opening`` makes them.

Flow: act of a person -> [lead under the revision that was seen] -> incident, timeline
Why: of two commanders who act at once one wins, and the other is told by whom and when.
Never: derives the response grade from a tier: the plan sets it, a person changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from alerting.model.tier import Tier
from alerting.push.words import TIER_ZH
from alerting.register.field import Words
from edge.model import Nature
from gateway.response.tasks import drop
from gateway.store.schema import incident, incident_entry

OPEN, ENDED, MERGED = "open", "ended", "merged"
SELF: Final = "fengsui"
#: Numbers in one statement; a store has a bound.
CHUNK: Final = 500
#: Of an incident without a plan: nobody said yet what it is.
UNKNOWN: Final = ""


class Refused(Exception):  # noqa: N818 - a refusal, not a failure
    """What a person asked for is not done.

    Attributes:
        code: For programs: ``not_there``, ``ended``, ``changed_meanwhile``, ``not_yours``, ``done_already``, …
        said: One sentence by language.
    """

    def __init__(self, code: str, said: Words) -> None:
        super().__init__(said.en)
        self.code = code
        self.said = said


def open_of(connection: Connection, unit: str, nature: Nature) -> list[RowMapping]:
    """Give the open incidents of a unit, the oldest first."""
    query = select(incident).where(incident.c.unit == unit, incident.c.nature == nature.value, incident.c.state == OPEN)
    return list(connection.execute(query.order_by(incident.c.number)).mappings())


def get(connection: Connection, number: int) -> RowMapping:
    """Give one.

    Raises:
        Refused: There is none.
    """
    row = connection.execute(select(incident).where(incident.c.number == number)).mappings().first()
    if row is None:
        raise Refused("not_there", Words(f"There is no incident {number}.", f"没有 {number} 号事件。"))
    return row


def say(connection: Connection, number: int, who: str, what: str, now_ns: int, facts: Mapping[str, Any]) -> int:
    """Append a line to the timeline; nothing of it is ever changed. Gives its place."""
    of = incident_entry.c.incident == number
    place: int = (connection.scalar(select(func.max(incident_entry.c.place)).where(of)) or 0) + 1
    connection.execute(insert(incident_entry).values(**line_row(number, place, now_ns, who, what, facts)))
    return place


def line_row(number: int, place: int, now_ns: int, who: str, what: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give a line of a timeline as its table has it."""
    return {
        "incident": number,
        "place": place,
        "time_ns": now_ns,
        "who": who,
        "what": what,
        "facts": orjson.dumps(facts).decode(),
    }


def places(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Give the last place in the timeline of each incident that has one."""
    found: dict[int, int] = {}
    entry = incident_entry.c
    for at in range(0, len(numbers), CHUNK):
        query = select(entry.incident, func.max(entry.place)).where(entry.incident.in_(numbers[at : at + CHUNK]))
        found |= {row[0]: row[1] for row in connection.execute(query.group_by(entry.incident))}
    return found


def timeline(connection: Connection, number: int) -> list[RowMapping]:
    """Give the lines of a timeline, the first first."""
    query = select(incident_entry).where(incident_entry.c.incident == number).order_by(incident_entry.c.place)
    return list(connection.execute(query).mappings())


# --------------------------------------------------------------------------------------------------- acts of people


def check_open(one: RowMapping) -> None:
    """Refuse what is meant for an open incident.

    Raises:
        Refused: It was stood down, or merged into another.
    """
    if one["state"] == ENDED:
        number, by = one["number"], one["ended_by"]
        said = Words(f"Incident {number} was stood down by {by}.", f"{number} 号事件已由 {by} 终止响应。")
        raise Refused("ended", said)
    if one["state"] == MERGED:
        into = one["merged_into"]
        en = f"Incident {one['number']} was merged into {into}; act there."
        raise Refused("merged", Words(en, f"{one['number']} 号事件已并入 {into} 号，请在该事件中操作。"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leading:
    """Who leads an incident on, when, and which revision of it was seen."""

    number: int
    expected: int
    who: str
    time_ns: int


def check_seen(one: RowMapping, by: Leading) -> None:
    """Refuse an act on another revision than the one that was seen: one of two commanders wins.

    Raises:
        Refused: Somebody changed the incident meanwhile.
    """
    if one["revision"] != by.expected:
        first = one["changed_by"]
        en = f"{first} changed incident {by.number} meanwhile; look at it again."
        raise Refused("changed_meanwhile", Words(en, f"{first} 刚刚更改了 {by.number} 号事件，请重新查看。"))


def lead(
    connection: Connection, by: Leading, what: str, facts: Mapping[str, Any], **values: str | int
) -> RowMapping:  # fmt: skip
    """Change an incident under the revision that was seen, and say so in its timeline.

    Args:
        values: Its columns that change.

    Raises:
        Refused: It is not open, or somebody changed it meanwhile: one of two commanders wins.
    """
    one = get(connection, by.number)
    check_open(one)
    check_seen(one, by)
    done = connection.execute(
        update(incident)
        .where(incident.c.number == by.number, incident.c.revision == by.expected)
        .values(revision=by.expected + 1, changed_ns=by.time_ns, changed_by=by.who, **values)
    )
    assert done.rowcount == 1, "one writer, one transaction"
    say(connection, by.number, by.who, what, by.time_ns, facts)
    return get(connection, by.number)


def stand_down(connection: Connection, by: Leading, reason: str, tier: Tier, *, is_despite: bool) -> RowMapping:
    """End an incident: what is open of its checklist is void.

    Args:
        tier: Of the unit now.
        is_despite: The person knows that the unit is not back yet.

    Raises:
        Refused: It is not open, was changed meanwhile, or the unit still has a tier and nobody said "despite".
    """
    check_open(get(connection, by.number))
    if tier is not Tier.NONE and not is_despite:
        en = f"The unit is still {tier.name}; confirm that you stand down despite that."
        raise Refused("not_back", Words(en, f"单元仍处于{TIER_ZH[tier.name]}预警，请确认仍要终止响应。"))
    facts = {"reason": reason, "tier": tier.name, "is_despite": tier is not Tier.NONE}
    told = lead(connection, by, "stood_down", facts, state=ENDED, ended_ns=by.time_ns, ended_by=by.who)
    for each in [by.number, *merged_of(connection, by.number)]:
        drop(connection, each, by.time_ns)
    return told


def merged_of(connection: Connection, number: int) -> list[int]:
    """Give the incidents that were merged into one, also by way of others."""
    found: list[int] = []
    ask = [number]
    while ask:
        ask = list(connection.scalars(select(incident.c.number).where(incident.c.merged_into.in_(ask))))
        found += ask
    return found


def merge(connection: Connection, by: Leading, into: int, reason: str) -> RowMapping:
    """Merge an incident into another one: its tasks go on there, unless the other has the same plan.

    Raises:
        Refused: One of them is not open, they are the same or of two natures, or it was changed meanwhile.
    """
    one, other = get(connection, by.number), get(connection, into)
    check_open(other)
    if by.number == into or one["nature"] != other["nature"]:
        en = "An incident is merged into another one of the same nature."
        raise Refused("not_alike", Words(en, "只能并入另一起同性质的事件。"))
    facts = {"into": into, "reason": reason}
    told = lead(
        connection, by, "merged", facts, state=MERGED, merged_into=into, ended_ns=by.time_ns, ended_by=by.who
    )  # fmt: skip
    other_now = {
        "tier_max": max(one["tier_max"], other["tier_max"]),
        "revision": other["revision"] + 1,
        "changed_by": by.who,
        "changed_ns": by.time_ns,
    }
    connection.execute(update(incident).where(incident.c.number == into).values(other_now))
    say(connection, into, by.who, "took_in", by.time_ns, {"incident": by.number, "reason": reason})
    if one["plan"] and one["plan"] == other["plan"]:
        drop(connection, by.number, by.time_ns)
    return told


def root_of(connection: Connection, one: RowMapping) -> RowMapping:
    """Give the incident that one goes on in: itself, or what it was merged into."""
    while one["state"] == MERGED:
        one = get(connection, one["merged_into"])
    return one
