"""Large events (大型活动): which are in force at a minute, and how many persons a zone takes meanwhile.

Flow: filed events, crowd zones, the minute at the site -> [in force] -> capacity of a zone and the event that sets it
Why: what is in force follows from the filing and the clock alone and is stored nowhere: the swap comes at the minute
    that was filed, ends by itself, and a restart in between changes nothing.
Sources: that an event has an approved head count, which must not be exceeded: 大型群众性活动安全管理条例
    (国务院令第505号, from memory, unverified). That it is parted among zones by what each takes is ours.
Never: does I/O, reads a clock, takes a planned event for a filed one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerting.register.field import Values, codes_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """An event that was filed; moments as the ledger keeps them, day and minute by the site's clock.

    Attributes:
        begins: The later of its beginning and its filing.
        ends: The earlier of its end, and of when it was closed or cancelled.
        approved: Persons that may be there at once, in all its zones.
        roster, ladder: What it names of the site's configuration; empty for what always holds.
    """

    id: str
    code: str
    name: str
    number: str
    zones: tuple[str, ...]
    begins: str
    ends: str
    approved: int
    roster: str
    ladder: str

    def is_in_force(self, now: str) -> bool:
        """Tell whether it runs in a minute; its last minute is the one before its end."""
        return self.begins <= now < self.ends


def filing_of(which: str, values: Values) -> Filing | None:
    """Read an event of the ledger; None where it was never filed."""
    if not values.get("filed_at"):
        return None
    return Filing(
        id=which,
        code=str(values["code"]),
        name=str(values["name"]),
        number=str(values.get("filing_number", "")),
        zones=tuple(codes_in(values["zones"])),
        begins=max(str(values["from"]), str(values["filed_at"])),
        ends=min(str(values["until"]), str(values.get("ended_at") or values["until"])),
        approved=int(values["approved"]),
        roster=str(values.get("roster", "")),
        ladder=str(values.get("escalation", "")),
    )


def running(filings: Iterable[Filing], now: str) -> list[Filing]:
    """Give those in force in a minute, what began first first; filings of one zone never overlap."""
    return sorted((one for one in filings if one.is_in_force(now)), key=lambda one: (one.begins, one.code))


def event_in(filings: Iterable[Filing], zone: str, now: str) -> Filing | None:
    """Give the event in force in a zone; None where there is none."""
    return next((one for one in running(filings, now) if zone in one.zones), None)


def takes_in(filing: Filing, zone: str, takes: Mapping[str, int]) -> int:
    """Give how many persons a zone takes while an event runs: its part of the approved head count, rounded down.

    Args:
        takes: Persons that each zone takes at once by its own, by code.
    """
    whole = sum(takes.get(each, 0) for each in filing.zones)
    if whole <= 0:
        return 0
    return filing.approved * takes.get(zone, 0) // whole
