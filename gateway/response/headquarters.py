"""Headquarters in the store: who is called for which incident, once each, with a line of its timeline and a message.

Flow: incidents that opened, got a type or another grade -> [call_out, in their transaction] -> timeline, outbox
Why: who was called, who was reached and who was not must stand beside the incident, not in a log.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, insert, select

from alerting.model.alarm import digest
from alerting.model.headquarters import Headquarters, called
from alerting.push.incident_call import Called, incident_body
from alerting.register.accident_types import ACCIDENT_TYPES
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Destination, Site
from gateway.duty.book import Reach
from gateway.response.incidents import SELF, line_row, places
from gateway.store.schema import incident, incident_entry, outbox

CHUNK: Final = 500
NS: Final = 1_000_000_000
TOLD, PAGE, NOBODY = "told", "page", "nobody"
UNKNOWN: Final = Words("type not known yet", "类型待定")
ACCIDENTS: Final = {choice.code: choice.title for choice in ACCIDENT_TYPES}


def words_of(title: Mapping[str, str], default: str) -> Words:
    """Give a title of the configuration in both languages."""
    return Words(title.get("en") or default, title.get("zh") or default)


def called_of(connection: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Give who was called for incidents, in the order of the calls: headquarters, its members and who was reached."""
    query = select(incident_entry).where(incident_entry.c.incident.in_(numbers), incident_entry.c.what == "called")
    rows = connection.execute(query.order_by(incident_entry.c.time_ns, incident_entry.c.place)).mappings()
    return [{"incident": row["incident"], "time_ns": row["time_ns"], **orjson.loads(row["facts"])} for row in rows]


def call_out(connection: Connection, site: Site, numbers: Sequence[int], now_ns: int) -> int:
    """Call every headquarters that is meant for these incidents now and was not called before; give how many calls."""
    if not site.headquarters:
        return 0
    pending: list[tuple[RowMapping, Headquarters]] = []
    for at in range(0, len(numbers), CHUNK):
        chunk = numbers[at : at + CHUNK]
        before = {(one["incident"], one["headquarters"]) for one in called_of(connection, chunk)}
        rows = connection.execute(
            select(incident).where(incident.c.number.in_(chunk)).order_by(incident.c.number)
        ).mappings()
        pending += [
            (row, one)
            for row in rows
            for one in called(site.headquarters, row["kind"], row["grade"])
            if (row["number"], one.id) not in before
        ]
    if pending:
        _call(connection, site, pending, now_ns)
    return len(pending)


def _call(
    connection: Connection, site: Site, pending: Sequence[tuple[RowMapping, Headquarters]], now_ns: int
) -> None:  # fmt: skip
    reach = Reach(connection, site, now_ns)
    channel = next((each for each in site.channels if each.id == site.incident.channel), None)
    titles = {unit.id: unit.title for unit in site.units}
    bundles: defaultdict[tuple[str, Nature], list[Called]] = defaultdict(list)
    lines: dict[int, list[dict[str, Any]]] = {}
    for row, one in pending:
        nature = Nature(row["nature"])
        is_told = channel is not None and nature in channel.natures
        members = []
        for member in one.members:
            names = reach.names(member.who, "")
            said = NOBODY if not names else TOLD if is_told else PAGE
            duty = words_of(member.duty, "")
            members.append({"duty": duty.both(), "who": member.who, "persons": names, "said": said})
            for name in names:
                bundles[name, nature].append(
                    Called(
                        incident=row["number"], unit=words_of(titles.get(row["unit"], {}), row["unit"]),
                        accident=ACCIDENTS.get(row["kind"], UNKNOWN), grade=row["grade"],
                        headquarters=words_of(one.title, one.id), duty=duty,
                    )
                )  # fmt: skip
        facts = {
            "headquarters": one.id, "titles": words_of(one.title, one.id).both(), "grade": row["grade"],
            "members": members,
        }  # fmt: skip
        lines.setdefault(row["number"], []).append(facts)
    last = places(connection, list(lines))
    connection.execute(
        insert(incident_entry),
        [
            line_row(number, last.get(number, 0) + at, now_ns, SELF, "called", facts)
            for number, told in lines.items()
            for at, facts in enumerate(told, start=1)
        ],
    )
    if channel is not None:
        messages = [
            _message(site, channel, nature, reach, person, told, now_ns)
            for (person, nature), told in bundles.items()
            if nature in channel.natures
        ]
        if messages:
            connection.execute(insert(outbox), messages)


def _message(
    site: Site, channel: Destination, nature: Nature, reach: Reach, person: str, told: Sequence[Called], now_ns: int
) -> dict[str, Any]:
    about = sorted(f"{one.incident} {one.grade} {one.headquarters.en} {one.duty.en}" for one in told)
    key = digest("headquarters", person, channel.id, nature, *about)
    time = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).isoformat(timespec="seconds")
    body = incident_body(
        told, reach.addressee(person, channel.id), key=key, site={"id": site.id, "title": dict(site.title)},
        nature=nature.value, prefix=nature.prefix, time=time,
    )  # fmt: skip
    return {
        "key": key, "destination": channel.id, "chain": key, "event": "", "nature": nature.value, "action": "call",
        "tier": 0, "is_late": False, "created_ns": now_ns, "body": body, "state": "waiting", "attempts": 0,
        "next_ns": now_ns, "last_error": "", "delivered_ns": 0, "receipt": "",
    }  # fmt: skip
