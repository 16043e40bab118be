"""Roll-call in the store: the list is made when it begins, people are ticked off, who is missing is told to who leads.

Flow: begun -> [begin: access data, roster, tickets, head counts] -> list;  wardens -> [mark, add, count] -> timeline
      time -> [tell_overdue, one transaction] -> timeline, outbox
Why: what the counters say and what names say are two things; a person who is missing has a name or is a number, and
    whoever goes in to look must know which.
Never: takes a name from a head count; closes a list by itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from alerting.model.alarm import digest
from alerting.model.roll_call import AssemblyPoint, Heard, Source, figures, name_key
from alerting.push.post_call import missing_body
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.duty.book import Reach
from gateway.live import Picture, iso
from gateway.register.reading import Wanted, page
from gateway.register.worksheet import live_of
from gateway.response.access import inside_of, of_card, person_row, systems
from gateway.response.call_out import envelope_of, put
from gateway.response.headquarters import words_of
from gateway.response.incidents import SELF, Refused, check_open, get, merged_of, root_of, say
from gateway.response.zones import last_of
from gateway.roster.book import contacts, on_duty
from gateway.store.schema import incident_entry, roll_call, roll_person

NS: Final = 1_000_000_000
READ_MOST: Final = 2_000
#: Names that are written into one message or line; the page has all.
NAMED_MOST: Final = 30
#: Half a side of what a point is taken for where it is looked whether it lies in a zone, degrees (about 1 m; ours).
POINT_DEG: Final = 1e-5


# ----------------------------------------------------------------------------------------------------------- counted


def zones_of(connection: Connection, unit: str) -> list[tuple[str, str, str, str]]:
    """Give crowd zones with a head count: code, name, unit, tag; of a unit only its own."""
    return [
        (one.code, one.title, one.unit, str(one.values["tag"]))
        for one in page(connection, "crowd_zones", limit=READ_MOST)
        if one.values.get("tag") and (not unit or one.unit == unit)
    ]


def counted(zones: Sequence[tuple[str, str, str, str]], picture: Picture) -> dict[str, Any]:
    """Give what the counters say now; a zone whose count nobody knows makes the sum incomplete."""
    found = []
    for code, name, unit, tag in zones:
        value, time_ns = live_of(picture, tag)
        known = None if value is None or value != value else round(value)  # noqa: PLR0124 - NaN
        found.append({"code": code, "name": name, "unit": unit, "persons": known, "time": iso(time_ns)})
    sums = [one["persons"] for one in found if one["persons"] is not None]
    return {"zones": found, "persons": sum(sums) if sums else None, "is_whole": len(sums) == len(found)}


def tickets_of(connection: Connection, unit: str) -> list[dict[str, Any]]:
    """Give the special work that goes on, with the only name that a ticket says is there: the guardian."""
    found = page(connection, "tickets", limit=READ_MOST, wanted=Wanted(states=("working",)))
    return [
        {
            "code": one.code, "title": one.title, "place": one.values.get("place", ""),
            "guardian": one.values.get("guardian", ""), "contractor": one.values.get("contractor", ""),
        }
        for one in found
        if not unit or one.unit in ("", unit)
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------- acts of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts on the roll-call of an incident, when."""

    number: int
    who: str
    time_ns: int


def begin(
    connection: Connection, site: Site, by: Acting, unit: str, heads: dict[str, Any], reason: str
) -> int:  # fmt: skip
    """Begin a roll-call: who is inside by access data stands on it, beside it who is on duty or guards special work.

    Args:
        unit: Only of this hazard unit; empty for the whole site.
        heads: What the counters say now.

    Raises:
        Refused: The incident is over, or a roll-call goes on already.
    """
    check_open(get(connection, by.number))
    if open_of(connection, by.number) is not None:
        said = Words("A roll-call of this incident goes on; end it first.", "本事件已有进行中的人员清点，请先结束。")
        raise Refused("open_already", said)
    roll: int = (connection.scalar(select(func.max(roll_call.c.number))) or 0) + 1
    named = inside_of(connection, unit)
    rows = [
        person_row(roll, at, one.name, one.company, Source.ACCESS, of_card(system, one.card))
        for at, (system, one) in enumerate(named, start=1)
    ]
    keys = {name_key(one.name) for _, one in named}
    for name, source, of in _expected(connection, site, unit, by.time_ns):
        if name_key(name) not in keys:
            keys.add(name_key(name))
            rows.append(person_row(roll, len(rows) + 1, name, "", source, of))
    if rows:
        connection.execute(insert(roll_person), rows)
    facts = {"heads": heads, "systems": systems(connection, site, by.time_ns)}
    connection.execute(
        insert(roll_call).values(
            number=roll, incident=by.number, unit=unit, begun_ns=by.time_ns, begun_by=by.who, ended_ns=0, ended_by="",
            overdue_ns=by.time_ns + round(site.roll_call.overdue_s * NS), facts=orjson.dumps(facts).decode(),
        )
    )  # fmt: skip
    told = {
        "reason": reason, "named": len(named), "expected": len(rows) - len(named), "counted": heads["persons"],
        "is_whole": heads["is_whole"],
    }  # fmt: skip
    say(connection, by.number, by.who, "roll_begun", by.time_ns, told)
    return roll


def _expected(connection: Connection, site: Site, unit: str, now_ns: int) -> list[tuple[str, Source, str]]:
    """Give who may be inside by roster or ticket: name, why, post or code."""
    titles = {name: one.title for name, one in contacts(connection).items()}
    posts = {post.id: post for post in site.roster.posts}
    found = []
    for each in on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone)):
        post, person = posts.get(each.watch.post), each.watch.on_duty
        if person and (not unit or post is None or not post.units or unit in post.units):
            found.append((titles.get(person) or person, Source.DUTY, each.watch.post))
    tickets = tickets_of(connection, unit)
    return found + [(one["guardian"], Source.TICKET, one["code"]) for one in tickets if one["guardian"]]


def open_of(connection: Connection, number: int) -> RowMapping | None:
    """Give the roll-call of an incident that goes on."""
    query = select(roll_call).where(roll_call.c.incident == number, roll_call.c.ended_ns == 0)
    return connection.execute(query).mappings().first()


def _going(connection: Connection, number: int) -> RowMapping:
    check_open(get(connection, number))
    row = open_of(connection, number)
    if row is None:
        raise Refused("not_on", Words("No roll-call goes on here; begin one.", "没有进行中的人员清点，请先开始清点。"))
    return row


def point_of(site: Site, point: str) -> Words:
    """Give the title of a point; refuse one that the site has not. Where it has none, words will do.

    Raises:
        Refused: There is none of that id.
    """
    known = {one.id: one for one in site.roll_call.points}
    if point and known and point not in known:
        raise Refused("not_there", Words(f"There is no assembly point {point}.", f"没有集合点 {point}。"))
    return words_of(known[point].title, point) if point in known else Words(point, point)


NOWHERE: Final = Words("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is heard of somebody; ``at`` is the title of the point."""

    state: Heard
    point: str = ""
    at: Words = NOWHERE
    note: str = ""


def mark(connection: Connection, by: Acting, places: Collection[int], word: Word) -> None:
    """Write down what is heard of people on the list, one line of the timeline for all of them.

    Raises:
        Refused: No roll-call goes on, or one of them does not stand on it.
    """
    roll = _going(connection, by.number)
    wanted = sorted(set(places))
    mine = roll_person.c.roll == roll["number"]
    rows = connection.execute(
        select(roll_person).where(mine, roll_person.c.place.in_(wanted)).order_by(roll_person.c.place)
    ).mappings().all()  # fmt: skip
    if len(rows) < len(wanted):
        raise Refused("not_there", Words("One of them does not stand on the list.", "名单中没有其中一人。"))
    values = {"state": word.state.value, "point": word.point, "note": word.note, "time_ns": by.time_ns, "by": by.who}
    connection.execute(update(roll_person).where(mine, roll_person.c.place.in_(wanted)).values(**values))
    _line(connection, by, [row["name"] for row in rows], word)


def add(connection: Connection, by: Acting, name: str, company: str, word: Word) -> None:
    """Write down somebody who stands on no list.

    Raises:
        Refused: No roll-call goes on, or the name stands on it already.
    """
    roll = _going(connection, by.number)
    mine = roll_person.c.roll == roll["number"]
    there = {name_key(one) for one in connection.scalars(select(roll_person.c.name).where(mine))}
    if name_key(name) in there:
        said = Words(f"{name} stands on the list; mark that line.", f"{name} 已在名单中，请在名单上登记。")
        raise Refused("there_already", said)
    place: int = (connection.scalar(select(func.max(roll_person.c.place)).where(mine)) or 0) + 1
    row = person_row(roll["number"], place, name, company, Source.HAND, by.who)
    row |= {"state": word.state.value, "point": word.point, "note": word.note, "time_ns": by.time_ns, "by": by.who}
    connection.execute(insert(roll_person).values(**row))
    _line(connection, by, [name], word)


def _line(connection: Connection, by: Acting, names: Sequence[str], word: Word) -> None:
    facts: dict[str, Any] = {"heard": word.state.value, "persons": list(names), "note": word.note}
    if word.point:
        facts |= {"point": word.point, "at": word.at.both()}
    say(connection, by.number, by.who, "roll_marked", by.time_ns, facts)


def count(connection: Connection, by: Acting, point: str, at: Words, persons: int, note: str) -> None:
    """Write down how many stand at a point whose names nobody has; the last count of a point holds.

    Raises:
        Refused: No roll-call goes on.
    """
    roll = _going(connection, by.number)
    facts = {"roll": roll["number"], "point": point, "at": at.both(), "count": persons, "note": note}
    say(connection, by.number, by.who, "roll_counted", by.time_ns, facts)


def end(connection: Connection, by: Acting, reason: str) -> None:
    """End a roll-call; who is missing then stays missing.

    Raises:
        Refused: None goes on.
    """
    roll = _going(connection, by.number)
    close(connection, by, roll, reason)


def close(connection: Connection, by: Acting, roll: RowMapping, reason: str) -> None:
    """End what goes on, also at stand-down."""
    ended = {"ended_ns": by.time_ns, "ended_by": by.who, "overdue_ns": 0}
    connection.execute(update(roll_call).where(roll_call.c.number == roll["number"]).values(**ended))
    told = figures((row["source"], row["state"]) for row in persons_of(connection, roll["number"]))
    say(connection, by.number, by.who, "roll_ended", by.time_ns, {"reason": reason, **told})


def go_on(connection: Connection, by: Acting, into: int) -> None:
    """Let a roll-call go on in the incident that its own was merged into; where one goes on there, it ends."""
    roll = open_of(connection, by.number)
    if roll is None:
        return
    if open_of(connection, into) is not None:
        close(connection, by, roll, f"→ {into}")
        return
    mine = roll_call.c.number == roll["number"]
    connection.execute(update(roll_call).where(mine).values(incident=into))


# ------------------------------------------------------------------------------------------------------ who is missing


def overdue_at(connection: Connection) -> int | None:
    """Give when who leads is told next who is missing; None for never."""
    found: int | None = connection.scalar(
        select(func.min(roll_call.c.overdue_ns)).where(roll_call.c.ended_ns == 0, roll_call.c.overdue_ns > 0)
    )
    return found


def tell_overdue(connection: Connection, site: Site, now_ns: int) -> int:
    """Tell whoever leads who was not heard of in time, once a roll-call; give how many messages."""
    due = (roll_call.c.ended_ns == 0, roll_call.c.overdue_ns > 0, roll_call.c.overdue_ns <= now_ns)
    rolls = connection.execute(select(roll_call).where(*due)).mappings().all()
    n = 0
    for roll in rolls:
        connection.execute(update(roll_call).where(roll_call.c.number == roll["number"]).values(overdue_ns=0))
        missing = [row["name"] for row in persons_of(connection, roll["number"]) if is_missing(row)]
        if not missing:
            continue
        one = root_of(connection, get(connection, roll["incident"]))
        reach, nature = Reach(connection, site, now_ns), Nature(one["nature"])
        names = reach.names(f"person:{one['commander']}", "") if one["commander"] else []
        names = names or reach.names("leader", "")
        channel = next((each for each in site.channels if each.id == site.incident.channel), None)
        is_told = channel is not None and nature in channel.natures
        facts = {
            "missing": len(missing), "names": missing[:NAMED_MOST], "persons": names,
            "said": "nobody" if not names else "told" if is_told else "page",
        }  # fmt: skip
        say(connection, roll["incident"], SELF, "roll_missing", now_ns, facts)
        for name in names if is_told else ():
            assert channel is not None
            key = digest("roll_missing", name, channel.id, nature, roll["number"], roll["overdue_ns"])
            envelope = envelope_of(site, nature, key, one["number"], now_ns)
            to = reach.addressee(name, channel.id)
            body = missing_body(one["number"], len(missing), missing[:NAMED_MOST], to, envelope)
            put(connection, channel, nature, key, body, now_ns)
            n += 1
    return n


# ------------------------------------------------------------------------------------------------------------ shown


def persons_of(connection: Connection, roll: int) -> list[RowMapping]:
    """Give who stands on a roll-call, in its order."""
    query = select(roll_person).where(roll_person.c.roll == roll).order_by(roll_person.c.place)
    return list(connection.execute(query).mappings())


def is_missing(row: RowMapping) -> bool:
    """Tell whether somebody who is known to be inside was not heard of."""
    return row["state"] == Heard.MISSING and row["source"] in (Source.ACCESS, Source.HAND)


def counts_of(connection: Connection, roll: RowMapping) -> list[dict[str, Any]]:
    """Give the last count of each point, without names."""
    query = select(incident_entry).where(
        incident_entry.c.incident.in_([roll["incident"], *merged_of(connection, roll["incident"])]),
        incident_entry.c.what == "roll_counted",
    )
    last: dict[str, dict[str, Any]] = {}
    for row in connection.execute(query.order_by(incident_entry.c.time_ns, incident_entry.c.place)).mappings():
        facts = orjson.loads(row["facts"])
        if facts["roll"] == roll["number"]:
            last[facts["point"]] = {
                "point": facts["point"], "persons": facts["count"], "note": facts["note"], "by": row["who"],
                "time": iso(row["time_ns"]),
            }  # fmt: skip
    return list(last.values())


def points_shown(connection: Connection, site: Site, number: int) -> list[dict[str, Any]]:
    """Give the assembly points, and in which zones of the incident they lie: nobody gathers in a cloud."""
    levels = []
    for row in last_of(connection, [number]).values():
        body = orjson.loads(row["body"])
        levels += [(row["zone"], level) for level in body.get("levels", ()) if level.get("outline")]
    return [
        {
            "id": one.id, "title": dict(one.title), "place": one.place,
            "inside": sorted({f"{zone} {level['name']}" for zone, level in levels if _lies_in(one, level)}),
        }
        for one in site.roll_call.points
    ]  # fmt: skip


def _lies_in(point: AssemblyPoint, level: dict[str, Any]) -> bool:
    if point.place is None:
        return False
    from alerting.response.zone.area import share_inside  # noqa: PLC0415  # Only sites with zones pay for it.

    lon, lat = point.place
    square = [(lon + dx * POINT_DEG, lat + dy * POINT_DEG) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return share_inside(level["outline"], square) > 0


def rolls_of(connection: Connection, numbers: Sequence[int]) -> list[RowMapping]:
    """Give the roll-calls of incidents, the first first."""
    query = select(roll_call).where(roll_call.c.incident.in_(numbers)).order_by(roll_call.c.number)
    return list(connection.execute(query).mappings())


def shown(connection: Connection, site: Site, number: int, now_ns: int) -> dict[str, Any]:
    """Give what is known of who is inside, and the last roll-call of an incident with its list.

    Raises:
        Refused: There is no such incident.
    """
    get(connection, number)
    rolls = rolls_of(connection, [number])
    roll = rolls[-1] if rolls else None
    return {
        "points": points_shown(connection, site, number),
        "systems": systems(connection, site, now_ns),
        "tickets": tickets_of(connection, "" if roll is None else roll["unit"]),
        "rolls": len(rolls),
        "roll": None if roll is None else roll_shown(connection, roll),
    }


def roll_shown(connection: Connection, roll: RowMapping) -> dict[str, Any]:
    """Write one roll-call with its list; who is missing first."""
    facts, rows = orjson.loads(roll["facts"]), persons_of(connection, roll["number"])
    order = {Heard.HELP: 0, Heard.MISSING: 1, Heard.SAFE: 3, Heard.LEFT: 4}
    rows.sort(key=lambda row: 2 if row["state"] == Heard.MISSING and not is_missing(row) else order[row["state"]])
    return {
        "number": roll["number"],
        "unit": roll["unit"],
        "begun": iso(roll["begun_ns"]),
        "begun_by": roll["begun_by"],
        "ended": iso(roll["ended_ns"]) if roll["ended_ns"] else None,
        "ended_by": roll["ended_by"],
        "overdue": iso(roll["overdue_ns"]) if roll["overdue_ns"] else None,
        "heads": facts["heads"],
        "figures": figures((row["source"], row["state"]) for row in rows),
        "counts": counts_of(connection, roll),
        "persons": [
            {
                "place": row["place"], "name": row["name"], "company": row["company"], "source": row["source"],
                "of": row["of"], "state": row["state"], "is_missing": is_missing(row), "point": row["point"],
                "note": row["note"], "time": iso(row["time_ns"]) if row["time_ns"] else None, "by": row["by"],
            }
            for row in rows
        ],
    }  # fmt: skip
