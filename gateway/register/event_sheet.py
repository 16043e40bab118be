"""Large events of the site: those that run, are to come or wait for their filing, and what each replaces.

Flow: ledgers of events and crowd zones (store), head counts (picture) -> [sheet] -> page
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from alerting.register.field import Words, codes_in
from alerting.register.large_event import filing_of, takes_in
from alerting.register.ledgers.large_events import FILED, PLANNED
from gateway.live import Picture
from gateway.register import reading
from gateway.register.events import EVENTS, Crowds, crowds
from gateway.register.record import Record
from gateway.register.worksheet import live_of

SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Events that are planned or filed, and the zones."""

    events: list[Record]
    crowds: Crowds


def gather(connection: Connection) -> Gathered:
    """Read them."""
    wanted = reading.Wanted(states=(PLANNED, FILED))
    events = reading.page(connection, EVENTS, limit=SHOWN_MAX + 1, wanted=wanted)
    return Gathered(events=events, crowds=crowds(connection))


def sheet(found: Gathered, picture: Picture, now: str) -> dict[str, Any]:
    """Put the sheet together; what begins first comes first.

    Args:
        now: The minute by the site's clock.
    """
    shown = sorted(found.events[:SHOWN_MAX], key=lambda one: (str(one.values["from"]), one.code))
    told = [_event(one, found.crowds, picture, now) for one in shown]
    return {
        "is_whole": len(found.events) <= SHOWN_MAX,
        "now": now,
        "events": told,
        "findings": [finding for one in told for finding in one["findings"]],
    }


def _event(one: Record, known: Crowds, picture: Picture, now: str) -> dict[str, Any]:
    values = one.values
    filing = filing_of(one.id, values)
    is_over = str(values["until"]) <= now
    stand = "planned" if filing is None else "over" if is_over else "running" if filing.is_in_force(now) else "coming"
    zones = []
    for code in codes_in(values["zones"]):
        zone = known.zones.get(code)
        own = 0 if zone is None else zone.at_once
        live = live_of(picture, zone.tag)[0] if zone is not None and zone.tag else None
        takes = own if filing is None else takes_in(filing, code, known.takes)
        name = code if zone is None else zone.name
        zones.append({"code": code, "name": name, "at_once": own, "takes": takes, "live": live})
    return {
        "id": one.id,
        "code": one.code,
        "name": one.title,
        "stand": stand,
        "from": values["from"],
        "until": values["until"],
        "approved": values["approved"],
        "filing_number": values.get("filing_number", ""),
        "roster": values.get("roster", ""),
        "escalation": values.get("escalation", ""),
        "zones": zones,
        "findings": [words.both() for words in _findings(one, known, stand, now)],
    }


def _findings(one: Record, known: Crowds, stand: str, now: str) -> list[Words]:
    name, found = one.title, []
    if stand == "planned" and str(one.values["from"]) <= now:
        found.append(
            Words(
                f"{name}: it should have begun and is not filed; nothing is replaced",
                f"{name}：已到开始时间但未备案，承载量、值班与呼叫均未切换",
            )
        )
    if stand == "over":
        found.append(Words(f"{name}: it is over; end it in the register", f"{name}：活动时间已过，请登记结束"))
    if stand != "over" and (one.values.get("roster") or one.values.get("escalation")):
        without = [code for code in codes_in(one.values["zones"]) if code in known.zones and not known.zones[code].unit]
        found += [
            Words(
                f"{name}: zone {code} names no unit of the site, so nobody else is called for it",
                f"{name}：区域 {code} 未关联站点单元，值班与呼叫不切换",
            )
            for code in without
        ]
    return found
