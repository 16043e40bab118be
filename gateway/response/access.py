"""Access data: who is inside by the last word of each system at the gates, replaced as a whole each time.

Flow: program of the gates -> [put] -> who is inside;  roll-calls that go on -> who left, who came in
Why: a list that is added to by events is wrong from the first event that is lost; a whole list is right again with the
    next one.
Never: keeps who was where before: only the last list stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from alerting.model.roll_call import Heard, Source
from alerting.register.field import Words
from gateway.config import Site
from gateway.live import iso
from gateway.response.incidents import Refused, say
from gateway.store.schema import access_person, access_system, roll_call, roll_person

#: A list may be so far ahead of the receive time, ns.
AHEAD_NS: Final = 60_000_000_000
CHUNK: Final = 500
NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Somebody who is inside.

    Attributes:
        card: What the system knows the person by.
        unit: Hazard unit; empty where the system does not know.
        since_ns: 0 where the system does not say.
    """

    card: str
    name: str
    company: str = ""
    unit: str = ""
    since_ns: int = 0


def of_card(system: str, card: str) -> str:
    """Give what ties somebody on a roll-call to access data."""
    return f"{system} {card}"


def put(
    connection: Connection, system: str, inside: Sequence[Inside], time_ns: int, by: str, now_ns: int
) -> tuple[int, int]:
    """Replace the list of a system; give how many left and came in on roll-calls that go on.

    Raises:
        Refused: It is of the future, or older than what is there.
    """
    if time_ns > now_ns + AHEAD_NS:
        said = Words(
            "The list is of the future; check the clock of the system.", "名单时间晚于当前时间，请检查门禁系统时钟。"
        )
        raise Refused("future", said)
    before = connection.scalar(select(access_system.c.time_ns).where(access_system.c.system == system))
    if before is not None and time_ns < before:
        said = Words(f"A list of {iso(before)} is there already.", f"已有 {iso(before)} 的名单，不接受更早的名单。")
        raise Refused("older", said)
    connection.execute(delete(access_person).where(access_person.c.system == system))
    if inside:
        connection.execute(
            insert(access_person),
            [
                {
                    "system": system, "card": one.card, "name": one.name, "company": one.company, "unit": one.unit,
                    "since_ns": one.since_ns,
                }
                for one in inside
            ],
        )  # fmt: skip
    values = {"time_ns": time_ns, "received_ns": now_ns, "persons": len(inside), "by": by}
    if before is None:
        connection.execute(insert(access_system).values(system=system, **values))
    else:
        connection.execute(update(access_system).where(access_system.c.system == system).values(**values))
    return _follow(connection, system, inside, time_ns, now_ns)


def _follow(
    connection: Connection, system: str, inside: Sequence[Inside], time_ns: int, now_ns: int
) -> tuple[int, int]:  # fmt: skip
    """Let roll-calls that go on follow: who is not inside any more left, who is new is looked for."""
    left = came = 0
    there = {of_card(system, one.card): one for one in inside}
    for roll in connection.execute(select(roll_call).where(roll_call.c.ended_ns == 0)).mappings().all():
        if time_ns < roll["begun_ns"]:
            continue
        mine = roll_person.c.roll == roll["number"]
        rows = connection.execute(
            select(roll_person).where(mine, roll_person.c.source == Source.ACCESS)
        ).mappings().all()  # fmt: skip
        of_system = [row for row in rows if row["of"].startswith(f"{system} ")]
        gone = [row for row in of_system if row["of"] not in there and row["state"] == Heard.MISSING]
        back = [row for row in of_system if row["of"] in there and row["state"] == Heard.LEFT]
        for state, changed in ((Heard.LEFT, gone), (Heard.MISSING, back)):
            for at in range(0, len(changed), CHUNK):
                places = [row["place"] for row in changed[at : at + CHUNK]]
                connection.execute(
                    update(roll_person)
                    .where(mine, roll_person.c.place.in_(places))
                    .values(state=state.value, time_ns=now_ns, by=system)
                )
        known = {row["of"] for row in of_system}
        fresh = [
            one for of, one in there.items()
            if of not in known and (not roll["unit"] or one.unit in ("", roll["unit"]))
        ]  # fmt: skip
        place: int = connection.scalar(select(func.coalesce(func.max(roll_person.c.place), 0)).where(mine)) or 0
        if fresh:
            connection.execute(
                insert(roll_person),
                [
                    person_row(roll["number"], at, one.name, one.company, Source.ACCESS, of_card(system, one.card))
                    for at, one in enumerate(fresh, start=place + 1)
                ],
            )
        if gone or back or fresh:
            facts = {"system": system, "left": len(gone), "came": len(fresh) + len(back)}
            say(connection, roll["incident"], system, "access_changed", now_ns, facts)
        left, came = left + len(gone), came + len(fresh) + len(back)
    return left, came


def person_row(roll: int, place: int, name: str, company: str, source: Source, of: str) -> dict[str, Any]:
    """Give somebody who was not heard of yet as the table has him."""
    return {
        "roll": roll, "place": place, "name": name, "company": company, "source": source.value, "of": of,
        "state": Heard.MISSING.value, "point": "", "note": "", "time_ns": 0, "by": "",
    }  # fmt: skip


def systems(connection: Connection, site: Site, now_ns: int) -> list[dict[str, Any]]:
    """Give the systems with the age of what they said last."""
    rows = connection.execute(select(access_system).order_by(access_system.c.system)).mappings()
    return [
        {
            "system": row["system"], "time": iso(row["time_ns"]), "persons": row["persons"], "by": row["by"],
            "is_stale": now_ns - row["time_ns"] > site.roll_call.access_stale_s * NS,
        }
        for row in rows
    ]  # fmt: skip


def inside_of(connection: Connection, unit: str) -> list[tuple[str, Inside]]:
    """Give who is inside, with the system; of a unit also those of whom nobody knows where."""
    query = select(access_person).order_by(access_person.c.name, access_person.c.system, access_person.c.card)
    if unit:
        query = query.where(access_person.c.unit.in_(("", unit)))
    return [
        (
            row["system"],
            Inside(
                card=row["card"], name=row["name"], company=row["company"], unit=row["unit"], since_ns=row["since_ns"]
            ),
        )
        for row in connection.execute(query).mappings()
    ]
