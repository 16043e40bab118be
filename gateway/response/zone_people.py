"""Who is in a zone: head counts whose place is on the risk map, and neighbours of the register within its reach.

Flow: risk units, crowd zones, surroundings (store) -> [gather]; result, head counts (picture) -> [persons_in]
Why: whoever must clear an area asks first how many are there; what nobody counts is said to be unknown.
Never: takes a name: names come from access data or the roll-call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from alerting.model.site_plan import Corner
from alerting.register.coordinates import NoOutline, read_outline
from gateway.live import Picture
from gateway.register.reading import of_codes, page
from gateway.register.record import Record
from gateway.register.worksheet import live_of

READ_MOST: Final = 2_000
#: Directions of the ledger of surroundings, degrees from north.
SIDES: Final = {"n": 0.0, "ne": 45.0, "e": 90.0, "se": 135.0, "s": 180.0, "sw": 225.0, "w": 270.0, "nw": 315.0}
#: Half of a side and half of what wind and cloud may stray (ours).
STRAY_DEG: Final = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the register knows of where people are.

    Attributes:
        places: Outlines by unit of the site.
        counted: Crowd zones with a head count: code, name, unit of the site, tag.
        neighbours: Records of surroundings, with the unit of the site that they lie around.
    """

    places: dict[str, list[Corner]]
    counted: Sequence[tuple[str, str, str, str]]
    neighbours: Sequence[tuple[str, Record]]


def gather(connection: Connection) -> Around:
    """Read them."""
    places: dict[str, list[Corner]] = {}
    for one in page(connection, "risk_units", limit=READ_MOST):
        text = str(one.values.get("outline", ""))
        if one.unit and text:
            try:
                places.setdefault(one.unit, read_outline(text))
            except NoOutline:
                continue  # The ledger refuses such; an import of before may have it.
    counted = [
        (one.code, one.title, one.unit, str(one.values.get("tag", "")))
        for one in page(connection, "crowd_zones", limit=READ_MOST)
        if one.values.get("tag")
    ]
    records = page(connection, "surroundings", limit=READ_MOST)
    dossiers = of_codes(connection, "units", sorted({str(one.values["dossier"]) for one in records}))
    neighbours = [
        (dossiers[code].unit if (code := str(one.values["dossier"])) in dossiers else "", one) for one in records
    ]
    return Around(places=places, counted=counted, neighbours=neighbours)


def heads(around: Around, picture: Picture) -> dict[str, float | None]:
    """Read the head counts, by tag; on the event loop."""
    return {tag: live_of(picture, tag)[0] for _, _, _, tag in around.counted}


def persons_in(body: dict[str, Any], around: Around, counts: dict[str, float | None]) -> dict[str, Any]:
    """Give a result with the persons in each of its levels. Runs in a thread.

    A crowd zone that the level touches counts whole, since nobody knows where in it people stand; of neighbours the
    distance is that from the boundary, as the register has it, and where the wind is known only those downwind count.
    """
    from alerting.response.zone.area import share_inside  # noqa: PLC0415  # Only sites with zones pay for it.

    levels = []
    for level in body["levels"]:
        found: list[dict[str, Any]] = []
        unplaced: list[str] = []
        for code, name, unit, tag in around.counted if level["outline"] else ():
            place = around.places.get(unit)
            if place is None:
                unplaced.append(name)
                continue
            share = share_inside(level["outline"], place)
            if share > 0:
                found.append({"code": code, "name": name, "share": round(share, 3), "persons": counts.get(tag)})
        near = [] if not level["outline"] else _neighbours(body["unit"], level, around)
        known = [one["persons"] for one in (*found, *near) if one["persons"] is not None]
        levels.append(
            level
            | {
                "people": {
                    "counted": found,
                    "neighbours": near,
                    "unplaced": unplaced,
                    "persons": round(sum(known)),
                    "is_whole": not unplaced and len(known) == len(found) + len(near),
                }
            }
        )
    return body | {"levels": levels}


def _neighbours(unit: str, level: dict[str, Any], around: Around) -> list[dict[str, Any]]:
    towards = None if level["from_deg"] is None else (level["from_deg"] + 180) % 360
    found = []
    for of, one in around.neighbours:
        if of != unit or float(one.values["distance_m"]) > level["distance_m"]:
            continue
        side = SIDES[str(one.values["side"])]
        if towards is not None and abs((side - towards + 180) % 360 - 180) > STRAY_DEG:
            continue
        persons = one.values.get("persons")
        found.append(
            {
                "code": one.code,
                "name": one.title,
                "distance_m": one.values["distance_m"],
                "persons": None if persons is None else float(persons),
            }
        )
    return found
