"""Zones of incidents: worked out when one is open, again as wind or release change, confirmed by persons.

Flow: open incidents, live tags -> [Zones.turn, at most one revision a minute and zone] -> revision, timeline
      person -> [confirm, withdraw] -> act -> [confirmed_in] -> the notices of that unit
Why: a distance that a notice carries is a person's decision, whatever the screening says of itself.
Never: changes a revision; lets a zone that nobody confirmed leave the house.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select

from alerting.model.zone_source import ZoneSource
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.executor import Executor
from gateway.live import Picture, iso
from gateway.means import Means, Standstill, look_on
from gateway.response.incidents import OPEN, SELF, Refused, check_open, get, say
from gateway.response.zone_people import gather, heads, persons_in
from gateway.response.zone_work import CLOUD_S, NS, Asked, has_changed, inputs, work
from gateway.store.schema import incident, zone_act, zone_cloud, zone_revision
from gateway.system import main_nature

LOOK_S: Final = 5.0
#: Between two revisions of one zone that nobody asked for, s; ours.
PAUSE_S: Final = 60.0
#: How long a wind that a person gave stands for the measured one, s; ours.
ASKED_WIND_S: Final = 1_800.0
CONFIRMED, WITHDRAWN = "confirmed", "withdrawn"
UNKNOWN_SKY: Final = -1
#: Units in one question; a store has a bound.
CHUNK: Final = 500
Body = dict[str, Any]


# ------------------------------------------------------------------------------------------------------- the sky


def set_cloud(connection: Connection, who: str, now_ns: int, eighths: int | None) -> None:
    """Keep the sky as a person sees it; None: nobody knows."""
    place = (connection.scalar(select(func.max(zone_cloud.c.place))) or 0) + 1
    value = UNKNOWN_SKY if eighths is None else eighths
    connection.execute(insert(zone_cloud).values(place=place, time_ns=now_ns, who=who, eighths=value))


def cloud(connection: Connection, now_ns: int) -> dict[str, Any] | None:
    """Give the sky as it was set last; None where nobody did, or it is too long ago."""
    row = connection.execute(select(zone_cloud).order_by(zone_cloud.c.place.desc()).limit(1)).mappings().first()
    if row is None or row["eighths"] == UNKNOWN_SKY or now_ns - row["time_ns"] > CLOUD_S * NS:
        return None
    return {
        "eighths": row["eighths"], "who": row["who"], "time": iso(row["time_ns"]),
        "until": iso(row["time_ns"] + int(CLOUD_S) * NS),
    }  # fmt: skip


def eighths_now(connection: Connection, now_ns: int) -> int | None:
    """Give the cloud in eighths; None where it is not known."""
    known = cloud(connection, now_ns)
    return None if known is None else int(known["eighths"])


# ------------------------------------------------------------------------------------------------------ revisions


def keep(connection: Connection, number: int, body: Body, who: str, now_ns: int) -> int:
    """Keep a result as a revision of an incident; the first of a zone is a line of its timeline. Gives its number.

    Raises:
        Refused: The incident is not open, or of another unit.
    """
    one = get(connection, number)
    check_open(one)
    if one["unit"] != body["unit"]:
        said = Words("The zone is of another unit than the incident.", "该危害区不属于此事件的单元。")
        raise Refused("not_alike", said)
    table = zone_revision
    is_first = not connection.scalar(
        select(func.count()).select_from(table).where(table.c.incident == number, table.c.zone == body["zone"])
    )
    revision: int = (connection.scalar(select(func.max(table.c.number))) or 0) + 1
    connection.execute(
        insert(table).values(
            number=revision, incident=number, zone=body["zone"], unit=body["unit"], nature=one["nature"],
            time_ns=now_ns, who=who, body=orjson.dumps(body).decode(),
        )
    )  # fmt: skip
    if is_first or who != SELF:
        facts = {"zone": body["zone"], "revision": revision, "hole_mm": body["hole_mm"]}
        say(connection, number, who, "zone", now_ns, facts)
    return revision


def last_of(connection: Connection, numbers: Collection[int]) -> dict[tuple[int, str], RowMapping]:
    """Give the last revision of each zone of incidents."""
    table = zone_revision
    newest = (
        select(func.max(table.c.number))
        .where(table.c.incident.in_(list(numbers)))
        .group_by(table.c.incident, table.c.zone)
    )
    rows = connection.execute(select(table).where(table.c.number.in_(newest))).mappings()
    return {(row["incident"], row["zone"]): row for row in rows}


def revisions_of(connection: Connection, number: int, limit: int) -> list[dict[str, Any]]:
    """Give the revisions of an incident, the last first, without their outlines."""
    table = zone_revision
    query = select(table).where(table.c.incident == number).order_by(table.c.number.desc()).limit(limit)
    return [_brief(row) for row in connection.execute(query).mappings()]


def _brief(row: RowMapping) -> dict[str, Any]:
    body = orjson.loads(row["body"])
    return {
        "number": row["number"], "zone": row["zone"], "time": iso(row["time_ns"]), "who": row["who"],
        "hole_mm": body["hole_mm"], "refused": body["refused"], "release": body["release"],
        "weather": body["weather"],
        "levels": [
            {name: one[name] for name in ("name", "distance_m", "is_valid")} for one in body["levels"]
        ],
    }  # fmt: skip


def told(connection: Connection, number: int) -> dict[str, Any]:
    """Give one revision with what persons said of it.

    Raises:
        Refused: There is none.
    """
    row = connection.execute(select(zone_revision).where(zone_revision.c.number == number)).mappings().first()
    if row is None:
        raise Refused("not_there", Words(f"There is no zone revision {number}.", f"没有危害区修订 {number}。"))
    return shown(connection, row)


def shown(connection: Connection, row: RowMapping) -> dict[str, Any]:
    """Write a revision with the acts of its incident."""
    acts = acts_of(connection, row["incident"])
    newer = connection.scalar(
        select(func.max(zone_revision.c.number)).where(
            zone_revision.c.incident == row["incident"], zone_revision.c.zone == row["zone"]
        )
    )
    standing = acts[-1] if acts and acts[-1]["what"] == CONFIRMED else None
    return {
        "number": row["number"],
        "incident": row["incident"],
        "who": row["who"],
        "is_last": newer == row["number"],
        "acts": [_act(one) for one in acts],
        "confirmed": None if standing is None else _act(standing),
        "body": orjson.loads(row["body"]),
    }


def acts_of(connection: Connection, number: int) -> Sequence[RowMapping]:
    """Give what persons said of an incident's zones, in order."""
    query = select(zone_act).where(zone_act.c.incident == number).order_by(zone_act.c.place)
    return connection.execute(query).mappings().all()


def _act(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ("revision", "level", "what", "who", "reason")} | {"time": iso(row["time_ns"])}


# ------------------------------------------------------------------------------------------------- acts of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Who decides of a revision, when and why."""

    revision: int
    who: str
    reason: str
    time_ns: int


def confirm(connection: Connection, by: Deciding, level: str) -> dict[str, Any]:
    """Let one level of a revision go into notices; it stands for what was confirmed before. Gives the revision.

    Raises:
        Refused: There is none, its incident is over, a newer one is there, or the level has no outline.
    """
    one = told(connection, by.revision)
    check_open(get(connection, one["incident"]))
    if not one["is_last"]:
        said = Words("A newer revision of this zone is there; look at it first.", "该危害区已有更新的修订，请先查看。")
        raise Refused("changed_meanwhile", said)
    found = next((each for each in one["body"]["levels"] if each["name"] == level), None)
    if found is None or not found["outline"]:
        said = Words(f"{level} has no area in this revision.", f"此修订中 {level} 没有范围。")
        raise Refused("no_area", said)
    _decide(connection, one, by, level, CONFIRMED)
    return told(connection, by.revision)


def withdraw(connection: Connection, by: Deciding) -> dict[str, Any]:
    """Take a confirmation back: notices carry no zone any more. Gives the revision.

    Raises:
        Refused: It is not the one that is confirmed.
    """
    one = told(connection, by.revision)
    standing = one["confirmed"]
    if standing is None or standing["revision"] != by.revision:
        raise Refused("not_confirmed", Words("This revision is not confirmed.", "此修订未被确认。"))
    _decide(connection, one, by, standing["level"], WITHDRAWN)
    return told(connection, by.revision)


def _decide(connection: Connection, one: Mapping[str, Any], by: Deciding, level: str, what: str) -> None:
    place = (connection.scalar(select(func.max(zone_act.c.place))) or 0) + 1
    connection.execute(
        insert(zone_act).values(
            place=place, incident=one["incident"], revision=by.revision, level=level, what=what, time_ns=by.time_ns,
            who=by.who, reason=by.reason,
        )
    )  # fmt: skip
    facts = {"zone": one["body"]["zone"], "revision": by.revision, "level": level, "reason": by.reason}
    say(connection, one["incident"], by.who, f"zone_{what}", by.time_ns, facts)


def confirmed_in(connection: Connection, units: Collection[str], nature: Nature) -> dict[str, dict[str, Any]]:
    """Give what persons confirmed for notices, by unit: of its open incidents the last that was confirmed."""
    from alerting.response.zone.area import cap_polygon  # noqa: PLC0415  # Only sites with zones pay for it.

    found: dict[str, dict[str, Any]] = {}
    every = sorted(units)
    for at in range(0, len(every), CHUNK):
        query = (
            select(zone_act, incident.c.unit)
            .join(incident, incident.c.number == zone_act.c.incident)
            .where(
                incident.c.state == OPEN, incident.c.unit.in_(every[at : at + CHUNK]), incident.c.nature == nature.value
            )
            .order_by(zone_act.c.place)
        )
        last: dict[int, RowMapping] = {row["incident"]: row for row in connection.execute(query).mappings()}
        for row in last.values():
            if row["what"] != CONFIRMED:
                continue
            text = connection.scalar(select(zone_revision.c.body).where(zone_revision.c.number == row["revision"]))
            body = orjson.loads(text or "{}")
            level = next(one for one in body["levels"] if one["name"] == row["level"])
            found[row["unit"]] = {
                "revision": row["revision"],
                "incident": row["incident"],
                "level": row["level"],
                "value": level["value"],
                "eu": level["eu"],
                "distance_m": level["distance_m"],
                "substance": body["substance"],
                "time": body["time"],
                "confirmed_by": row["who"],
                "is_valid": level["is_valid"],
                "polygon": cap_polygon(level["outline"]),
            }
    return found


# ------------------------------------------------------------------------------------------------------ the keeper


class Zones:
    """Works zones out off the event loop: for whoever asks, and by itself for open incidents."""

    def __init__(self, means: Means, picture: Picture, executor: Executor) -> None:
        self._means, self._picture, self._executor = means, picture, executor
        self._still = Standstill(means.changes)  # with no open incident that has a zone

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "zones", self.turn, lambda _: LOOK_S, self._still)

    def close(self) -> None:
        """Wait for what is worked out."""
        self._executor.close()

    def source(self, name: str) -> ZoneSource:
        """Give a source of the site.

        Raises:
            Refused: There is none of that id.
        """
        found = next((one for one in self._means.site().zones if one.id == name), None)
        if found is None:
            raise Refused("not_there", Words(f"There is no zone {name}.", f"没有危害区 {name}。"))
        return found

    async def compute(self, zone: ZoneSource, asked: Asked) -> Body:
        """Work one out now, with the persons in it."""
        now_ns = self._means.clock.wall_ns()
        given = inputs(zone, self._picture, now_ns, asked)
        around = await self._means.read(gather)
        counts = heads(around, self._picture)
        return await self._executor.run(lambda: persons_in(work(zone, given, now_ns, asked), around, counts))

    async def turn(self) -> int:
        """Look once; give how many revisions were kept."""
        site = self._means.site()
        if not site.zones:
            return 0
        now_ns = self._means.clock.wall_ns()
        count = self._means.changes.count
        if self._still.holds(site.zones, now_ns=now_ns):
            return 0
        there = await self._means.read(lambda c: _open_with_zones(c, site, now_ns))
        if not there:
            self._still.keep(count, site.zones, now_ns=now_ns)
        kept = 0
        for number, zone, before, sky in there:
            if before is not None and now_ns - before["time_ns"] < PAUSE_S * NS:
                continue
            asked = replace(_asked_before(before, now_ns), cloud_eighths=sky)
            given = inputs(zone, self._picture, now_ns, asked)
            worked = await self._executor.run(lambda z=zone, g=given, a=asked: work(z, g, now_ns, a))  # type: ignore[misc]
            if before is not None and not has_changed(orjson.loads(before["body"]), worked):
                continue
            body = await self.compute(zone, asked)
            try:
                await self._means.write(lambda c, n=number, b=body: keep(c, n, b, SELF, now_ns))  # type: ignore[misc]
            except Refused:
                continue  # Stood down meanwhile.
            kept += 1
            await asyncio.sleep(0)
        return kept


def _asked_before(before: RowMapping | None, now_ns: int) -> Asked:
    """Give the hole and the wind that a person asked for last; the wind for half an hour, as long as it may stand."""
    if before is None:
        return Asked()
    asked = Asked(**orjson.loads(before["body"])["asked"])
    is_past = now_ns - asked.since_ns > ASKED_WIND_S * NS
    return replace(asked, wind_m_s=None, from_deg=None) if is_past else asked


def _open_with_zones(
    connection: Connection, site: Site, now_ns: int
) -> list[tuple[int, ZoneSource, RowMapping | None, int | None]]:
    """Give each zone of the open incidents of the site's own nature, with its last revision, and the sky."""
    of_unit: dict[str, list[ZoneSource]] = {}
    for zone in site.zones:
        of_unit.setdefault(zone.unit, []).append(zone)
    query = select(incident.c.number, incident.c.unit).where(
        incident.c.state == OPEN, incident.c.unit.in_(list(of_unit)), incident.c.nature == main_nature(site).value
    )
    rows = connection.execute(query.order_by(incident.c.number)).all()
    if not rows:
        return []
    last, sky = last_of(connection, [number for number, _ in rows]), eighths_now(connection, now_ns)
    return [(number, zone, last.get((number, zone.id)), sky) for number, unit in rows for zone in of_unit[unit]]
