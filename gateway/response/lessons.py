"""Lessons: what an incident or a drill taught, kept in the ledger ``lessons``, from there on a duty each.

Flow: incident, what was learned, owner, day -> [learn, in the act's transaction] -> record, duty, line of the timeline
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from alerting.register.field import Values, Words
from alerting.register.ledger import read_row
from alerting.register.ledgers.lessons import LESSONS
from gateway.config import Site
from gateway.register.around import around, today_of
from gateway.register.record import By, NotRight, Record
from gateway.register.records import free_code, make, surround
from gateway.response.incidents import MERGED, Refused, get, say
from gateway.response.plans import of_ledger
from gateway.roster.book import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned.

    Attributes:
        due: Day by which it is done, ISO 8601.
    """

    title: str
    measure: str
    responsible: str
    due: str


def learn(connection: Connection, site: Site, number: int, learned: Learned, by: By) -> Record:
    """Keep a lesson of an incident, open or over; its duty begins with it.

    Raises:
        Refused: There is no such incident, it went on in another one, or nobody is called so.
        NotRight: A field is wrong, or the day is past.
    """
    one = get(connection, number)
    if one["state"] == MERGED:
        into = one["merged_into"]
        en = f"Incident {number} was merged into {into}; write its lessons there."
        raise Refused("merged", Words(en, f"{number} 号事件已并入 {into} 号，请在该事件中总结。"))
    made = keep(connection, site, learned, by, begins=f"L-{number}", unit=one["unit"], of={"incident": number})
    facts = {"code": made.code, "title": made.title, "person": learned.responsible, "due": made.values["due"]}
    say(connection, number, by.who, "lesson", by.time_ns, facts)
    return made


def keep(connection: Connection, site: Site, learned: Learned, by: By, *, begins: str, unit: str, of: Values) -> Record:
    """Keep what was learned in the register; its duty begins with it.

    Args:
        begins: Beginning of its code.
        of: Whose lesson it is, e.g. ``{"drill": 3}``.

    Raises:
        Refused: Nobody is called so.
        NotRight: A field is wrong, or the day is past.
    """
    if learned.responsible not in people(connection):
        name = learned.responsible
        raise Refused("nobody", Words(f"Nobody is called {name} here.", f"没有名为 {name} 的用户。"))
    here = around(site, by.time_ns, by.who)
    raw: Mapping[str, object] = {
        "code": free_code(connection, LESSONS, begins),
        "title": learned.title,
        "measure": learned.measure,
        "responsible": learned.responsible,
        "due": learned.due,
        "unit": unit if unit in here.units else "",
        "learned_on": today_of(site, by.time_ns).isoformat(),
    }
    row = read_row(LESSONS, raw, surround(connection, LESSONS, [raw], here))
    if row.wrongs:
        raise NotRight(row.wrongs)
    return make(connection, LESSONS, {**row.values, **of}, by)


def lessons_of(connection: Connection, number: int, of: str = "incident") -> list[Record]:
    """Give the lessons of an incident, or of a drill, by code.

    Args:
        of: ``incident`` or ``drill``.
    """
    return [each for each in of_ledger(connection, LESSONS.id) if each.values.get(of) == number]
