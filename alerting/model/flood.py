"""Flood: more alarms at once than people can answer (ISA-18.2, IEC 62682: begins above 10 in 10 min, ends below 5)."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any

from alerting.model.tier import Tier
from edge.model import Nature

BEGINS_ABOVE, ENDS_BELOW, WINDOW_S = 10, 5, 600
NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodPolicy:
    """What a flood is here.

    Attributes:
        begins_above: More new alarms than that within the window begin one; 0 for never.
        ends_below: Fewer than that end it.
        window_s: Length of the window, s.
    """

    begins_above: int = BEGINS_ABOVE
    ends_below: int = ENDS_BELOW
    window_s: float = WINDOW_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One new alarm as a flood counts it.

    Attributes:
        time_ns: When its condition came, event time; what came first is the first-out.
        received_ns: When the gateway learnt of it; what the window counts by.
    """

    alarm: str
    unit: str
    tag: str
    condition: str
    tier: Tier
    time_ns: int
    received_ns: int

    @property
    def order(self) -> tuple[int, int, str]:
        """Place in the order of coming: event time, then arrival."""
        return self.time_ns, self.received_ns, self.alarm


@dataclass(slots=True, kw_only=True)
class UnitShare:
    """What of a flood belongs to one unit: how many alarms, which came first, the highest tier.

    Attributes:
        said: What was told of it, while nothing has changed since; else empty. Never changed, for others keep it.
    """

    count: int = 0
    first: Ring
    tier: Tier = Tier.NONE
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Flood:
    """One flood, from the first alarm that made it to the moment at which it ended.

    Attributes:
        first: The first-out: of all its alarms that which came first, by event time.
        count: Alarms so far; ``by_tier`` the same by name of the tier when they rang.
        peak: Most within one window.
        ranked: (minus the count, unit) of each unit, ascending: kept so, because a flood of many units is told often.
        ended_ns: 0 while it goes on.
    """

    id: str
    nature: Nature
    began_ns: int
    first: Ring
    count: int = 0
    peak: int = 0
    by_tier: dict[str, int] = field(default_factory=dict)
    units: dict[str, UnitShare] = field(default_factory=dict)
    ranked: list[tuple[int, str]] = field(default_factory=list)
    ended_ns: int = 0

    def take(self, ring: Ring) -> None:
        """Count one alarm; nothing is dropped, each is in its unit's share."""
        self.count += 1
        self.by_tier[ring.tier.name] = self.by_tier.get(ring.tier.name, 0) + 1
        share = self.units.get(ring.unit)
        if share is None:
            share = self.units[ring.unit] = UnitShare(first=ring)
        else:
            del self.ranked[bisect_left(self.ranked, (-share.count, ring.unit))]
            share.said = {}
        share.count += 1
        insort(self.ranked, (-share.count, ring.unit))
        share.tier = max(share.tier, ring.tier)
        if ring.order < share.first.order:
            share.first = ring
        if ring.order < self.first.order:
            self.first = ring

    def state(self) -> "FloodState":
        """Give it as it stands now, for the commit: it goes on growing meanwhile."""
        return FloodState(
            id=self.id,
            nature=self.nature,
            began_ns=self.began_ns,
            ended_ns=self.ended_ns,
            count=self.count,
            peak=self.peak,
            told=self.described(),
        )

    def described(self) -> dict[str, Any]:
        """Give what is told besides times: first-out, counts, units with the most alarms first, as JSON values."""
        units = []
        for _, unit in self.ranked:
            share = self.units[unit]
            if not share.said:
                first = _said(share.first)
                share.said = {"unit": unit, "count": share.count, "tier": share.tier.name, "first": first}
            units.append(share.said)
        return {"first": _said(self.first), "by_tier": dict(self.by_tier), "units": units}


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodState:
    """A flood as it stood after a tick; ``told`` is what ``Flood.described`` gave."""

    id: str
    nature: Nature
    began_ns: int
    ended_ns: int
    count: int
    peak: int
    told: dict[str, Any]


def flood_of(state: FloodState) -> Flood:
    """Let a flood go on that was written down."""
    flood = Flood(
        id=state.id,
        nature=state.nature,
        began_ns=state.began_ns,
        first=ring_of(state.told["first"]),
        count=state.count,
        peak=state.peak,
        by_tier=dict(state.told["by_tier"]),
        ended_ns=state.ended_ns,
    )
    for share in state.told["units"]:
        first = ring_of(share["first"])
        flood.units[share["unit"]] = UnitShare(count=share["count"], first=first, tier=Tier[share["tier"]])
    flood.ranked = sorted((-share.count, unit) for unit, share in flood.units.items())
    return flood


def _said(ring: Ring) -> dict[str, Any]:
    return {
        "alarm": ring.alarm, "unit": ring.unit, "tag": ring.tag, "condition": ring.condition,
        "tier": ring.tier.name, "time_ns": ring.time_ns, "received_ns": ring.received_ns,
    }  # fmt: skip


def ring_of(said: dict[str, Any]) -> Ring:
    """Read a ring that was written out."""
    return Ring(**{**said, "tier": Tier[said["tier"]]})
