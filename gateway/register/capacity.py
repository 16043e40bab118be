"""Capacity of crowd zones: the worked sheet of each with its live head count, and what does not fit together.

Flow: ledger of crowd zones (store), live values (picture) -> [sheet] -> page
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from alerting.register.capacity import capacity_of
from alerting.register.field import Words
from alerting.register.large_event import event_in, takes_in
from alerting.register.ledgers.crowd_zones import LIMITS
from gateway.live import Picture
from gateway.register import reading
from gateway.register.events import Crowds, crowds, describe
from gateway.register.record import Record
from gateway.register.worksheet import live_of

LEDGER: Final = "crowd_zones"
ZONES_MAX: Final = 500
FORMULA: Final = Words(
    "C1 = X / Y at once, C2 = C1 · Int(T / t) in a day (LB/T 034-2014, unverified); the smallest of space, facilities "
    "and load counts. Ecological, psychological and social capacity are not worked out.",
    "瞬时空间承载量 C1 = X / Y，日承载量 C2 = C1 × Int(T / t)（LB/T 034-2014，未经核实）；"
    "取空间、设施与结构限载中的最小值。生态、心理、社会承载量未计算。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The crowd zones, and the events that were filed."""

    zones: list[Record]
    crowds: Crowds


def gather(connection: Connection) -> Gathered:
    """Read the crowd zones and the filed events."""
    return Gathered(zones=reading.page(connection, LEDGER, limit=ZONES_MAX + 1), crowds=crowds(connection))


def sheet(gathered: Gathered, picture: Picture, now: str) -> dict[str, Any]:
    """Put the sheet together: each zone's steps, its head count, and what is to be looked at.

    Args:
        now: The minute by the site's clock.
    """
    zones = gathered.zones
    told = [_zone(one, gathered.crowds, picture, now) for one in zones[:ZONES_MAX]]
    return {
        "formula": FORMULA.both(),
        "is_whole": len(zones) <= ZONES_MAX,
        "at_once": sum(one["at_once"] for one in told),
        "in_day": sum(one["in_day"] for one in told),
        "zones": told,
        "findings": [finding for one in told for finding in one["findings"]],
    }


def _zone(one: Record, known: Crowds, picture: Picture, now: str) -> dict[str, Any]:
    values = one.values
    found = capacity_of(values)
    tag = str(values.get("tag", ""))
    live, time_ns = live_of(picture, tag) if tag else (None, 0)
    limit = next(choice.title for choice in LIMITS if choice.code == found.limit)
    event = event_in(known.filings, one.code, now)
    takes = found.at_once if event is None else takes_in(event, one.code, known.takes)
    turns = f"max(1, Int({values['open_h']:g} / {values['stay_h']:g})) = {found.turns}"
    return {
        "id": one.id,
        "code": one.code,
        "name": one.title,
        "unit": one.unit,
        "at_once": found.at_once,
        "in_day": found.in_day,
        "limited_by": limit.both(),
        "in_force": takes,
        "event": None
        if event is None
        else {"id": event.id, "code": event.code, "said": describe(event, one.code, known)},
        "steps": [
            f"X / Y = {values['area_m2']:g} m² / {values['space_m2']:g} m² = {found.space}",
            f"C1 = {found.at_once}",
            f"Z = {turns}",
            f"C2 = {found.at_once} · {found.turns} = {found.in_day}",
        ],
        "basis": values["space_basis"],
        "tag": tag,
        "live": live,
        "live_ns": time_ns,
        "share_pct": None if live is None else round(100 * live / max(1, takes), 1),
        "findings": [words.both() for words in _findings(one, takes, tag, live)],
    }


def _findings(one: Record, at_once: int, tag: str, live: float | None) -> list[Words]:
    if not tag:
        return [Words(f"{one.title}: no tag gives its head count", f"{one.title}：未关联在园人数位号")]
    if live is None:
        return [Words(f"{one.title}: its head count is not known now", f"{one.title}：当前人数未知")]
    if live > at_once:
        return [
            Words(
                f"{one.title}: {live:g} persons, and it takes {at_once}",
                f"{one.title}：当前 {live:g} 人，超过瞬时承载量 {at_once} 人",
            )
        ]
    return []
