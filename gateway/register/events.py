"""Large events in the store: which were filed, what is in force in a minute, and for which hazard units.

Flow: ledgers of events and crowd zones, the clock -> [read] -> filings, capacities, orders by hazard unit
Never: keeps anything: what is in force is read and worked out each time, so that a restart swaps nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Select, select

from alerting.register.field import Surroundings, Values, codes_in, read_cell
from alerting.register.large_event import Filing, event_in, filing_of, running, takes_in
from alerting.register.ledgers.large_events import CANCELLED, CLOSED, FILED, LARGE_EVENTS, PLANNED
from gateway.register.minutes import minute, moment
from gateway.store.schema import record
from gateway.system import own_tag

EVENTS: Final = "large_events"
ZONES: Final = "crowd_zones"
CHUNK: Final = 500
FILINGS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A crowd zone, as far as events and watching need it."""

    code: str
    name: str
    unit: str
    dossier: str
    tag: str
    at_once: int
    area_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowds:
    """The zones by code and the events that were filed."""

    zones: Mapping[str, Zone]
    filings: Sequence[Filing]

    @property
    def takes(self) -> dict[str, int]:
        """How many persons each zone takes at once by its own."""
        return {code: zone.at_once for code, zone in self.zones.items()}


def filings(connection: Connection, states: Sequence[str] = (FILED,)) -> list[Filing]:
    """Give the events that were filed; those that ended too where their states are asked for."""
    found = (filing_of(row.id, orjson.loads(row.body)) for row in connection.execute(_events(tuple(states))))
    return [one for one in found if one is not None]


def crowds(connection: Connection, states: Sequence[str] = (FILED,)) -> Crowds:
    """Give all zones, and the events that were filed."""
    rows = connection.execute(_EVERY_ZONE)
    zones = {row.code: _zone(row.code, row.title, row.unit, orjson.loads(row.body)) for row in rows}
    return Crowds(zones=zones, filings=filings(connection, states))


def order_for(connection: Connection, unit: str, now: str) -> Filing | None:
    """Give the event in force in a zone of a hazard unit; None where none runs there.

    Args:
        now: The minute by the site's clock.
    """
    live = running(filings(connection), now)
    if not live:
        return None
    query = select(record.c.code).where(
        record.c.ledger == ZONES, record.c.is_removed.is_(False), record.c.unit == unit
    )  # fmt: skip
    mine = sorted(connection.scalars(query))
    return next((found for code in mine if (found := event_in(live, code, now)) is not None), None)


def notes_for(connection: Connection, tag: str, at_ns: int, zone: ZoneInfo) -> list[dict[str, str]]:
    """Give which event set the capacity of a tag's zone at a time: of its head count, or of its share."""
    known = crowds(connection, (FILED, CLOSED, CANCELLED))
    now = minute(at_ns, zone)
    found = []
    for one in known.zones.values():
        event = event_in(known.filings, one.code, now) if tag in (one.tag, own_tag(one.code)) else None
        if event is not None:
            found.append(describe(event, one.code, known))
    return found


def describe(event: Filing, zone: str, known: Crowds) -> dict[str, str]:
    """Say what an event replaces in a zone, by language."""
    own, takes = known.takes.get(zone, 0), takes_in(event, zone, known.takes)
    until = event.ends.replace("T", " ")
    en = f"{event.name} (filed as {event.number}): {takes} persons instead of {own}, until {until}"
    zh = f"{event.name}（备案号 {event.number}）：现行承载量 {takes} 人，取代核定的 {own} 人，至 {until}"
    if len(event.zones) > 1:
        en += f"; its part of the {event.approved} approved for {len(event.zones)} zones"
        zh += f"；{len(event.zones)} 个区域核准 {event.approved} 人按承载量分摊"
    return {"en": en, "zh": zh}


def spans_of(connection: Connection, zone: ZoneInfo) -> dict[str, list[tuple[int, int]]]:
    """Give when events run that name a roster, by its name, ns."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in filings(connection):
        if one.roster:
            found.setdefault(one.roster, []).append((moment(one.begins, zone), moment(one.ends, zone)))
    return found


def beside_events(
    connection: Connection, rows: Sequence[Mapping[str, object]], around: Surroundings, own: str = ""
) -> Surroundings:
    """Add what events are checked against: what their zones take, and which other events are there.

    The rows of one sheet are beside each other too: two of them in one zone at one time are refused.
    """
    asked = sorted({code for row in rows for code in codes_in(row.get("zones") or "")})
    takes: dict[str, int] = {}
    for at in range(0, len(asked), CHUNK):
        query = select(record.c.code, record.c.body).where(
            record.c.ledger == ZONES, record.c.is_removed.is_(False), record.c.code.in_(asked[at : at + CHUNK])
        )
        takes |= {row.code: int(orjson.loads(row.body)["at_once"]) for row in connection.execute(query)}
    others = {
        row.code: orjson.loads(row.body) for row in connection.execute(_events((PLANNED, FILED))) if row.id != own
    }
    around = replace(around, takes=takes)
    for row in rows:
        values = _of_row(row, around)
        if values and values["code"] not in others:
            others[values["code"]] = values
    return replace(around, filings=others)


def _of_row(row: Mapping[str, object], around: Surroundings) -> Values | None:
    """Read what an overlap is found by; None where it cannot be read, for the row is refused anyway."""
    cells = {
        name: read_cell(LARGE_EVENTS.field(name), row.get(name), around)
        for name in ("code", "name", "zones", "from", "until")
    }
    if any(cell.wrong is not None or cell.value is None for cell in cells.values()):
        return None
    return {name: cell.value for name, cell in cells.items()}


#: Made once, as the crowd watch asks each few seconds.
_EVERY_ZONE: Final = (
    select(record.c.code, record.c.title, record.c.unit, record.c.body)
    .where(record.c.ledger == ZONES, record.c.is_removed.is_(False))
    .limit(FILINGS_MAX)
)


@cache
def _events(states: tuple[str, ...]) -> Select[tuple[str, str, str]]:
    return (
        select(record.c.id, record.c.code, record.c.body)
        .where(record.c.ledger == EVENTS, record.c.is_removed.is_(False), record.c.state.in_(states))
        .order_by(record.c.code)
        .limit(FILINGS_MAX)
    )


def _zone(code: str, title: str, unit: str, values: Values) -> Zone:
    return Zone(
        code=code, name=title, unit=unit, dossier=str(values.get("dossier", "")), tag=str(values.get("tag", "")),
        at_once=int(values["at_once"]), area_m2=float(values["area_m2"]),
    )  # fmt: skip
