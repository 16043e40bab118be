"""Figures of alarm load: how many alarms people get, how bunched, from how few causes, against known targets.

Flow: announced alarms and excursions -> [kpi] -> backtest, page
Why: an alarm system is judged by what it asks of its operators, not by how many rules it has.
Never: does I/O, reads a clock.

An alarm is *announced* when it is raised, escalated or comes again: each asks a person for an answer. All rates are for
one operator's position, as the targets are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.model.tier import Tier

S = 1_000_000_000
PERIOD_NS = 600 * S  # Ten minutes: the unit of ISA-18.2 and EEMUA 191.
FLOOD_BEGINS = 10  # More than that many in a period …
FLOOD_ENDS = 5  # … until a period with fewer than that.
CHATTER_COUNT, CHATTER_NS = 3, 60 * S  # Glossary: at least 3 activations in 60 s.
FLEETING_NS, AGAIN_NS = 10 * S, 60 * S  # Glossary: active < 10 s and none again within 60 s.
STANDING_NS = 86_400 * S
TOP = 10

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Alarm load of one recording, for one operator's position.

    Attributes:
        alarms: Announced alarms.
        per_10_min: Average; None where the recording has no duration.
        peak_10_min: Most in one period; periods are laid end to end from the start.
        over_10_share: Share of periods with more than 10.
        flood_share: Share of periods in flood: from one with more than 10 until one with fewer than 5.
        top_share: Share of the ten most frequent alarms (all of them where there are no more).
        by_tier: Share of the announced alarms by tier name.
        standing_max: Most alarms active for longer than 24 h at one time.
        active_max: Most alarms active at one time.
    """

    alarms: int
    per_10_min: float | None
    per_day: float | None
    peak_10_min: int
    over_10_share: float
    flood_share: float
    floods: int
    top_share: float
    by_tier: dict[str, float]
    standing_max: int
    active_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure of ``Load`` should be at most.

    Attributes:
        source: Where the number comes from.
        is_verified: The number was seen quoted from there; else it is general knowledge, and only drawn, never pushed.
    """

    figure: str
    most: float
    source: str
    is_verified: bool
    is_strict: bool = False  # below, not at

    def is_met(self, value: float) -> bool:
        """Tell whether a value reaches the target."""
        return value < self.most if self.is_strict else value <= self.most


#: The standards' tables of performance metrics; the numbers were seen as others quote them, not in the standards.
ISA = "ISA-18.2 / IEC 62682"
EEMUA = "EEMUA 191"
TARGETS = (
    Target(figure="per_10_min", most=1.0, source=f"{ISA}; {EEMUA}", is_verified=True),
    Target(figure="per_day", most=150.0, source="ISA-18.2", is_verified=False),
    Target(figure="peak_10_min", most=10, source=f"{ISA}; {EEMUA}", is_verified=True),
    Target(figure="over_10_share", most=0.01, source=ISA, is_verified=True, is_strict=True),
    Target(figure="flood_share", most=0.01, source=ISA, is_verified=True, is_strict=True),
    Target(figure="top_share", most=0.05, source=ISA, is_verified=True),
    Target(figure="standing_max", most=5, source=ISA, is_verified=True, is_strict=True),
)
#: Share of announced alarms that each priority should have (ISA); which tiers those are is ours.
MIX = {"low": 0.80, "medium": 0.15, "high": 0.05}
PRIORITY = {Tier.BLUE: "low", Tier.YELLOW: "low", Tier.ORANGE: "medium", Tier.RED: "high"}


def alarm_load(
    time_ns: Times, alarm: NDArray[np.int64], tier: NDArray[np.uint8], active: NDArray[np.int64], span: tuple[int, int]
) -> Load:
    """Count the alarm load.

    Args:
        time_ns: When each alarm was announced, int64 (n,), ascending.
        alarm: Which alarm it was, any numbering, int64 (n,).
        tier: ``Tier`` then, uint8 (n,).
        active: From when to when alarms were active, int64 (m, 2).
        span: First and last time of the recording, ns.
    """
    start_ns, end_ns = span
    duration_ns = end_ns - start_ns
    counts = per_period(time_ns, span)
    flood = in_flood(counts)
    _, each = np.unique(alarm, return_counts=True)
    top = int(np.sort(each)[::-1][:TOP].sum())
    n = len(time_ns)
    long = active[:, 1] - active[:, 0] > STANDING_NS
    return Load(
        alarms=n,
        per_10_min=n * PERIOD_NS / duration_ns if duration_ns > 0 else None,
        per_day=n * 86_400 * S / duration_ns if duration_ns > 0 else None,
        peak_10_min=int(counts.max(initial=0)),
        over_10_share=float((counts > FLOOD_BEGINS).mean()),
        flood_share=float(flood.mean()),
        floods=int(np.count_nonzero(np.diff(flood.astype(np.int8), prepend=0) == 1)),
        top_share=top / n if n else 0.0,
        by_tier={each.name: float((tier == each).mean()) if n else 0.0 for each in Tier if each},
        standing_max=most_at_once(active[long] + np.array([STANDING_NS, 0])),
        active_max=most_at_once(active),
    )


def per_period(time_ns: Times, span: tuple[int, int]) -> NDArray[np.int64]:
    """Count by ten-minute period from the start on, the last one being cut off, int64 (periods,)."""
    start_ns, end_ns = span
    periods = max(1, -(-(end_ns - start_ns) // PERIOD_NS))
    place = np.minimum((time_ns - start_ns) // PERIOD_NS, periods - 1)
    counts: NDArray[np.int64] = np.bincount(place, minlength=periods).astype(np.int64)
    return counts


def in_flood(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which periods are in flood, bool (periods,)."""
    mark = np.where(counts > FLOOD_BEGINS, 1, np.where(counts < FLOOD_ENDS, -1, 0))
    last = np.maximum.accumulate(np.where(mark != 0, np.arange(len(mark)), -1))
    flood: NDArray[np.bool_] = (last >= 0) & (mark[last] == 1)
    return flood


def chattering(start_ns: Times) -> int:
    """Count the activations that are part of three or more within 60 s.

    Args:
        start_ns: When one rule tripped, int64 (n,), ascending.
    """
    return int(chatters(start_ns).sum())


def chatters(start_ns: Times) -> NDArray[np.bool_]:
    """Tell which activations are part of three or more within 60 s, bool (n,); arguments as of ``chattering``."""
    n, last = len(start_ns), CHATTER_COUNT - 1
    is_part = np.zeros(n, dtype=np.bool_)
    for first in np.flatnonzero(start_ns[last:] - start_ns[: n - last] <= CHATTER_NS) if n > last else ():
        is_part[first : first + CHATTER_COUNT] = True
    return is_part


def fleeting(start_ns: Times, end_ns: Times) -> int:
    """Count the activations shorter than 10 s with none again within 60 s of their end."""
    return int(fleets(start_ns, end_ns).sum())


def fleets(start_ns: Times, end_ns: Times) -> NDArray[np.bool_]:
    """Tell which activations are shorter than 10 s with none again within 60 s of their end, bool (n,)."""
    again = np.append(start_ns[1:], np.iinfo(np.int64).max)[: len(start_ns)]
    is_fleeting: NDArray[np.bool_] = (end_ns - start_ns < FLEETING_NS) & (again - end_ns > AGAIN_NS)
    return is_fleeting


def standing(start_ns: Times, end_ns: Times) -> int:
    """Count the activations longer than 24 h."""
    return int(np.count_nonzero(end_ns - start_ns > STANDING_NS))


def most_at_once(active: NDArray[np.int64]) -> int:
    """Give the most of these intervals (m, 2) that overlap; one that ends when another begins does not."""
    if len(active) == 0:
        return 0
    at = np.concatenate([active[:, 1], active[:, 0]])
    step = np.repeat([-1, 1], len(active))
    order = np.lexsort((step, at))
    return int(np.cumsum(step[order]).max(initial=0))
