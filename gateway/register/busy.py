"""Busy zones: head counts against the capacity in force; a zone that is busy and has no filed event is a finding.

Flow: zones and filings (store), head counts (picture) -> [share, once a second] -> the gateway's own tags
      share that stays above the site's bound -> [look, one transaction] -> hidden hazard
Why: a gathering that nobody filed is the one that nobody prepared for; in the register somebody must answer for it.
Never: opens a second hidden hazard for a zone while one is open, nor a second one on a day.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, select

from alerting.model.crowd_policy import BUSY_BY
from alerting.register.field import Values
from alerting.register.large_event import Filing, event_in, takes_in
from alerting.register.ledger import read_row
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from gateway.config import Site
from gateway.live import Picture
from gateway.means import Means, Standstill, look_on
from gateway.register import records
from gateway.register.around import around, today_of
from gateway.register.events import Crowds, Zone, crowds
from gateway.register.hazard_notice import tell
from gateway.register.minutes import minute
from gateway.register.record import By
from gateway.register.worksheet import live_of
from gateway.store.acts import Hand, note
from gateway.store.schema import record
from gateway.system import share_name

log = structlog.get_logger("register")

LOOK_S: Final = 2.0
ZONE_MAX: Final = 40  # Signs of a zone's code in that of its hidden hazard.


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A zone now.

    Attributes:
        persons: Head count; None where nobody knows it.
        takes: Capacity in force, persons at once.
        event: By which event; None for the zone's own.
    """

    zone: Zone
    persons: float | None
    takes: int
    event: Filing | None

    @property
    def percent(self) -> float:
        """The head count in percent of the capacity in force; not a number where nobody knows it."""
        return 100 * self.persons / self.takes if self.persons is not None and self.takes > 0 else math.nan


@dataclass(slots=True)
class _Count:
    """How long a zone has been busy; what lies between two looks counts where both knew the head count."""

    busy_ns: int = 0
    looked_ns: int | None = None

    def go_on(self, now_ns: int) -> int:
        """Count on; give how long it has been busy, ns."""
        if self.looked_ns is not None:
            self.busy_ns += max(0, now_ns - self.looked_ns)
        self.looked_ns = now_ns
        return self.busy_ns

    def pause(self) -> None:
        """Stand still until the head count is known again."""
        self.looked_ns = None


def share_of(known: Crowds, zone: Zone, picture: Picture, now: str) -> Share:
    """Give a zone's head count and what it takes in a minute."""
    event = event_in(known.filings, zone.code, now)
    persons = live_of(picture, zone.tag)[0] if zone.tag else None
    takes = zone.at_once if event is None else takes_in(event, zone.code, known.takes)
    return Share(zone=zone, persons=persons, takes=takes, event=event)


class BusyZones:
    """Keeps zones and filings at hand, gives shares of the capacity in force, and opens what is found."""

    def __init__(self, means: Means, picture: Picture) -> None:
        self._means, self._site, self._clock = means, means.site, means.clock
        self._picture = picture
        self._known = Crowds(zones={}, filings=())
        self._counts: dict[str, _Count] = {}
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "crowd zones", self.turn, lambda _: LOOK_S)

    def shares(self) -> dict[str, float]:
        """Give the gateway's own tags of crowd zones, without prefix: % of the capacity in force, or no number."""
        site = self._site()
        now = minute(self._clock.wall_ns(), ZoneInfo(site.timezone))
        found: dict[str, float] = {}
        for one in site.crowd.shares:
            zone = self._known.zones.get(one.zone)
            share = None if zone is None else share_of(self._known, zone, self._picture, now)
            found[share_name(one.zone)] = math.nan if share is None else share.percent
        return found

    async def turn(self) -> int:
        """Look once; give how many hidden hazards were opened."""
        site, now_ns = self._site(), self._clock.wall_ns()
        if not site.crowd.is_watched and not site.crowd.shares:
            return 0
        count = self._means.changes.count
        if not self._still.holds(now_ns=now_ns):
            self._known = await self._means.read(crowds)
            self._still.keep(count, now_ns=now_ns)
        busy = self._busy(site, now_ns)
        if not busy or not await self._means.read(lambda c: _unopened(c, busy, site, now_ns)):
            return 0
        opened = await self._means.write(lambda c: open_for(c, busy, site, now_ns))
        log.info("hazards.opened", count=opened, what="busy zones")
        self._means.wake_push()
        return opened

    def _busy(self, site: Site, now_ns: int) -> list[Share]:
        """Give the zones that were busy for long enough with no event; a head count that is not known is no time."""
        now, busy = minute(now_ns, ZoneInfo(site.timezone)), []
        for code, zone in self._known.zones.items():
            share = share_of(self._known, zone, self._picture, now)
            if not site.crowd.is_watched or share.event is not None or share.percent < site.crowd.busy_pct:
                self._counts.pop(code, None)
            elif math.isnan(share.percent):
                self._counts.get(code, _Count()).pause()
            elif self._counts.setdefault(code, _Count()).go_on(now_ns) >= round(site.crowd.busy_s * 1e9):
                busy.append(share)
        for gone in self._counts.keys() - self._known.zones.keys():
            del self._counts[gone]
        return busy


def _code(zone: Zone, site: Site, now_ns: int) -> str:
    return f"{_begin(zone)}{today_of(site, now_ns):%Y%m%d}"


def _begin(zone: Zone) -> str:
    return f"HZ-{zone.code[:ZONE_MAX]}-"


def _unopened(connection: Connection, busy: list[Share], site: Site, now_ns: int) -> list[Share]:
    """Give those that had none today, removed ones too, and have none open."""
    found = []
    for one in busy:
        mine = select(record.c.code, record.c.state, record.c.is_removed).where(
            record.c.ledger == HIDDEN_HAZARDS.id, record.c.code.startswith(_begin(one.zone), autoescape=True)
        )
        rows = connection.execute(mine).all()
        had = any(row.code == _code(one.zone, site, now_ns) for row in rows)
        is_open = any(not row.is_removed and row.state not in HIDDEN_HAZARDS.shut for row in rows)
        if not had and not is_open:
            found.append(one)
    return found


def open_for(connection: Connection, busy: list[Share], site: Site, now_ns: int) -> int:
    """Open a hidden hazard for each that has none; give how many."""
    opened = 0
    for one in _unopened(connection, busy, site, now_ns):
        by = By(who=BUSY_BY, time_ns=now_ns, reason=f"crowd zone {one.zone.code}")
        values = _values(one, site, now_ns)
        here = records.surround(connection, HIDDEN_HAZARDS, [values], around(site, now_ns, by.who))
        row = read_row(HIDDEN_HAZARDS, values, here)
        if row.wrongs:  # The same every time: one zone must not keep the others out, nor stop the gateway.
            log.error("hazards.not_opened", zone=one.zone.code, wrongs=[str(wrong.rule.en) for wrong in row.wrongs])
            continue
        made = records.make(connection, HIDDEN_HAZARDS, row.values, by)
        tell(connection, site, made, "made", now_ns)
        facts: Mapping[str, object] = {"ledger": made.ledger, "code": made.code, "zone": one.zone.code}
        note(connection, Hand(who=by.who, time_ns=now_ns), "hazard_opened", **facts)
        opened += 1
    return opened


def _values(one: Share, site: Site, now_ns: int) -> Values:
    zone, pct, bound = one.zone, one.percent, site.crowd.busy_pct
    return {
        "code": _code(zone, site, now_ns),
        "title": f"{zone.name}: 客流密集且无备案活动 · busy with no filed event"[:200],
        "source": "self",
        "found_on": today_of(site, now_ns).isoformat(),
        "found_by": BUSY_BY,
        "type": "safety",
        "dossier": zone.dossier,
        "unit": zone.unit if any(unit.id == zone.unit for unit in site.units) else "",
        "description": (
            f"区域 {zone.code} 当前 {one.persons:g} 人，为承载量 {one.takes} 人的 {pct:.0f} %（阈值 {bound:g} %），"
            f"且无已备案的大型活动。\nZone {zone.code}: {one.persons:g} persons, {pct:.0f} % of {one.takes} "
            f"(bound {bound:g} %), and no event is filed."
        ),
    }
