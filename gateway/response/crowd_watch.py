"""Crowd watch: looks at the head counts of the zones that are to be kept from filling, forecasts, and offers actions.

Flow: picture, ledger of crowd zones -> [look, each 2 s] -> looks of the last minutes -> forecast, advice
      tier of the zone's unit -> [turn] -> actions offered, lapsed (``crowd_acts``)
Why: offers are made where the tier is known, whoever looks at a page; a forecast needs minutes that a request has not.
Never: reckons with a head count that is BAD or older than the site allows: no data is no forecast and no advice.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerting.model.crowd_policy import CrowdResponse
from alerting.model.tier import Tier
from alerting.response.crowd import (
    BLOCK_S,
    BLOCKS_MOST,
    GAP_S,
    Advice,
    Flow,
    Forecast,
    Seen,
    advise,
    forecast,
    level_of_service,
)
from edge.model import quality
from gateway.config import Site
from gateway.live import Picture, iso
from gateway.means import Means, Standstill, look_on
from gateway.register.busy import share_of
from gateway.register.events import Crowds, Zone, crowds
from gateway.register.minutes import minute
from gateway.response import crowd_acts
from gateway.response.crowd_acts import Zoned

LOOK_S: Final = 2.0
KEPT_S: Final = BLOCK_S * (BLOCKS_MOST + 1) + GAP_S
NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """A zone now.

    Attributes:
        zone: None where the register has none of that code.
        persons: Head count; None where nobody knows it now.
        known_ns: When the head count was last known; 0 for never.
        is_doubtful: The head count itself is uncertain.
        takes: Capacity in force, persons; 0 where there is no such zone.
    """

    response: CrowdResponse
    zone: Zone | None
    persons: float | None
    known_ns: int
    is_doubtful: bool
    takes: int
    tier: Tier
    forecast: Forecast | None
    advice: Advice | None


@dataclass(slots=True)
class _Kept:
    tag: str
    seen: deque[Seen] = field(default_factory=deque)
    known_ns: int = 0


class CrowdWatch:
    """Keeps what was seen of each zone, and offers what its tier asks for."""

    def __init__(self, means: Means, picture: Picture) -> None:
        self._means, self._picture = means, picture
        self._known = Crowds(zones={}, filings=())
        self._kept: dict[str, _Kept] = {}
        self._still, self._offered = Standstill(means.changes), Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "crowd response", self.turn, lambda _: LOOK_S)

    async def turn(self) -> int:
        """Look once and offer what is to be offered; give how many actions changed."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        if not site.crowd.responses:
            self._kept.clear()
            return 0
        count = self._means.changes.count
        if not self._still.holds(now_ns=now_ns):
            self._known = await self._means.read(crowds)
            self._still.keep(count, now_ns=now_ns)
        self._look(site, now_ns)
        tiers = [(one, self._tier(one, now_ns)) for one in site.crowd.responses]
        if self._offered.holds(tiers, now_ns=now_ns):
            return 0
        every = self._zoned(now_ns)
        if not await self._means.read(lambda c: crowd_acts.is_due(c, site, every)):
            self._offered.keep(count, tiers, now_ns=now_ns)
            return 0
        changed, is_told = await self._means.write(lambda c: crowd_acts.follow(c, site, every, now_ns))
        if is_told:
            self._means.wake_push()
        return changed

    def _look(self, site: Site, now_ns: int) -> None:
        for one in site.crowd.responses:
            zone = self._known.zones.get(one.zone)
            kept = self._kept.get(one.zone)
            tag = "" if zone is None else zone.tag
            if kept is None or kept.tag != tag:  # Another head count is another story.
                kept = self._kept[one.zone] = _Kept(tag=tag)
            persons, _ = self._count(one, zone, now_ns)
            if persons is None:
                continue
            came, went = (self._gates(tag, role, one, now_ns) for role in ("in", "out"))
            kept.known_ns = now_ns
            kept.seen.append(Seen(time_s=now_ns / NS, persons=persons, came=came, went=went))
            if len(kept.seen) > 1 and kept.seen[-1].time_s <= kept.seen[-2].time_s:
                kept.seen.clear()  # The clock went back.
            while kept.seen and kept.seen[-1].time_s - kept.seen[0].time_s > KEPT_S:
                kept.seen.popleft()
        for gone in self._kept.keys() - {one.zone for one in site.crowd.responses}:
            del self._kept[gone]

    def _count(self, one: CrowdResponse, zone: Zone | None, now_ns: int) -> tuple[float | None, bool]:
        """Give the head count, None where nobody knows it now, and whether it is uncertain."""
        return (None, False) if zone is None or not zone.tag else self._value(zone.tag, one.stale_s, now_ns)

    def _value(self, tag: str, stale_s: float, now_ns: int) -> tuple[float | None, bool]:
        row = self._picture.site.tags.row_of.get(tag)
        if row is None:
            return None, False
        cell = self._picture.quality[row : row + 1]
        value, age_ns = float(self._picture.values[row]), now_ns - int(self._picture.times_ns[row])
        if quality.is_bad(cell)[0] or not math.isfinite(value) or age_ns > stale_s * NS:
            return None, False
        return value, int(cell[0]) != 0

    def _gates(self, tag: str, role: str, one: CrowdResponse, now_ns: int) -> float | None:
        """Give the sum of what the gates of one direction counted; None where one is not known or counts otherwise."""
        made = next((each for each in self._picture.site.derived if each.tag == tag), None)
        if made is None or made.kind != "occupancy" or made.words.get("counting") != "total":
            return None
        total = 0.0
        for gate in made.inputs.get(role, ()):
            value, _ = self._value(gate, one.stale_s, now_ns)
            if value is None:
                return None
            total += value
        return total

    def now(self) -> list[Now]:
        """Give each zone as it is now, in the order of the site file."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        at = minute(now_ns, ZoneInfo(site.timezone))
        return [self._now(one, at, now_ns) for one in site.crowd.responses]

    def _now(self, one: CrowdResponse, at: str, now_ns: int) -> Now:
        zone, kept = self._known.zones.get(one.zone), self._kept.get(one.zone)
        persons, is_doubtful = self._count(one, zone, now_ns)
        takes = 0 if zone is None else share_of(self._known, zone, self._picture, at).takes
        known = None if kept is None or persons is None else forecast(list(kept.seen), takes)
        if known is not None and kept is not None and now_ns / NS - kept.seen[-1].time_s > GAP_S:
            known = None
        told = None
        if zone is not None and persons is not None:
            told = advise(
                persons, None if known is None else known.went, takes=takes, area_m2=zone.area_m2,
                density_most=one.density_most, horizon_min=one.horizon_min, entry_m=one.entry_m, exit_m=one.exit_m,
            )  # fmt: skip
        return Now(
            response=one, zone=zone, persons=persons, known_ns=0 if kept is None else kept.known_ns,
            is_doubtful=is_doubtful, takes=takes, tier=self._picture.tiers.get(one.unit, Tier.NONE), forecast=known,
            advice=told,
        )  # fmt: skip

    def _zoned(self, now_ns: int) -> list[Zoned]:
        found = []
        for one in self.now():
            tier = self._tier(one.response, now_ns)
            facts = {"persons": one.persons, "takes": one.takes, "let_in_min": let_in(one)}
            name = one.response.zone if one.zone is None else one.zone.name
            found.append(Zoned(response=one.response, name=name, tier=tier, facts=facts))
        return found

    def _tier(self, one: CrowdResponse, now_ns: int) -> Tier | None:
        """Give the tier of the zone's unit; None before the core has judged anything: nothing lapses at a start."""
        return self._picture.tiers.get(one.unit, Tier.NONE) if self._picture.turn > 0 and now_ns > 0 else None


def let_in(one: Now) -> float | None:
    """Give how many a minute may be let in; None where nobody knows."""
    return None if one.advice is None else one.advice.let_in_min


def _flow(flow: Flow | None) -> dict[str, float] | None:
    return None if flow is None else {name: round(getattr(flow, name), 1) for name in ("mean", "low", "high")}


def shown(one: Now) -> dict[str, Any]:
    """Give a zone as the API tells it; times in s, flows in persons/min."""
    known, told, zone = one.forecast, one.advice, one.zone
    density = None if zone is None or one.persons is None else one.persons / zone.area_m2
    answer: dict[str, Any] = {
        "zone": one.response.zone,
        "name": one.response.zone if zone is None else zone.name,
        "is_there": zone is not None,
        "tag": "" if zone is None else zone.tag,
        "unit": one.response.unit,
        "tier": one.tier.name,
        "persons": one.persons,
        "known": iso(one.known_ns) if one.known_ns else None,
        "is_doubtful": one.is_doubtful,
        "takes": one.takes if zone is not None else None,
        "percent": None if one.persons is None or one.takes <= 0 else round(100 * one.persons / one.takes, 1),
        "area_m2": None if zone is None else zone.area_m2,
        "density": None if density is None else round(density, 2),
        "level": None if density is None else level_of_service(density),
        "density_most": one.response.density_most,
        "horizon_min": one.response.horizon_min,
        "forecast": None,
        "advice": None,
    }
    if known is not None:
        answer["forecast"] = {
            "net": _flow(known.net), "came": _flow(known.came), "went": _flow(known.went),
            "likely_s": known.likely_s, "soonest_s": known.soonest_s, "latest_s": known.latest_s,
        }  # fmt: skip
    if told is not None:
        answer["advice"] = {
            "let_in_min": told.let_in_min, "limit": told.limit, "room": round(told.room),
            "leaves_min": round(told.leaves_min, 1), "empties_s": told.empties_s,
            "is_outflow_known": known is not None and known.went is not None,
        }  # fmt: skip
    return answer
