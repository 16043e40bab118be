"""Crowd: when a zone is full, and how many may still be let in a minute so that it does not come to that.

Flow: head counts and gate counts of the last minutes -> [forecast] -> time to capacity with its band
      forecast, area, widths -> [advise] -> persons a minute that may be let in, what limits it
Why: a percentage says how full it is, not how long there is; a gate is held by a number that can be counted.
Never: does I/O, reads a clock, gives one number where noise alone could make it.

Forecast: the head count's increments over blocks of 30 s. Their mean is the net flow; their standard deviation over the
    root of their number its error, at least that of a Poisson count of who passed (a count of nobody has an error too).
    The band is two-sided 90 % by Student's t of n - 1 degrees of freedom (quantiles: Student 1908, any table). A band
    that takes in 0 has no latest time: it may never fill.
Advice: who leaves, by the lower end of its band and not more than what the exits pass, and the room that is left spread
    over the horizon. The room is that to the capacity in force or to the greatest density, whichever is less.
Density and flow: Weidmann 1993, v = 1.34 (1 - exp(-1.913 (1/rho - 1/5.4))) m/s, flow rho v per metre of width; levels
    of service of walkways: Fruin 1971. Both ``unverified`` (from memory: high; held against tables in a test).
    The horizon, the blocks and that 82 persons/m/min pass an entry at most (Green Guide, from memory: high) likewise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

FREE_M_S: Final = 1.34
JAM: Final = 5.4  # Persons/m² at which Weidmann's crowd stands.
BUSIEST: Final = 1.75  # Persons/m² of the greatest flow by Weidmann's formula.
ENTRY_MOST: Final = 82.0  # Persons/m/min that pass an entry on the level at most.
#: Fruin's walkways: level, persons/m² below which it holds (35, 25, 15, 10 and 5 ft² a person).
LEVELS: Final = (("A", 0.31), ("B", 0.43), ("C", 0.72), ("D", 1.08), ("E", 2.17))
BLOCK_S: Final = 30.0
BLOCKS_LEAST: Final = 4
BLOCKS_MOST: Final = 10
#: Student's t, 95 % one-sided, by degrees of freedom from 3 to 9.
STUDENT: Final = (2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
MINUTE_S: Final = 60.0
#: Blocks may be so much longer than 30 s where a sample came late; a longer one is a gap.
GAP_S: Final = 45.0

Limit: TypeAlias = Literal["capacity", "density", "entry", "full"]


def weidmann_m_s(density: float) -> float:
    """Give the speed of a crowd on the level, m/s, at a density in persons/m²; 5.4 and more do not move."""
    if density <= 0:
        return FREE_M_S
    return max(0.0, FREE_M_S * (1 - math.exp(-1.913 * (1 / density - 1 / JAM))))


def flow_m_min(density: float) -> float:
    """Give how many persons pass a metre of width in a minute at a density in persons/m²."""
    return MINUTE_S * density * weidmann_m_s(density)


def level_of_service(density: float) -> str:
    """Give Fruin's level of service of a walkway, A (free) to F (shoving), at a density in persons/m²."""
    return next((level for level, below in LEVELS if density < below), "F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a zone.

    Attributes:
        time_s: When, s of any clock that only goes on.
        persons: Head count.
        came, went: Sums of what the gates counted, persons; None where nobody knows them.
    """

    time_s: float
    persons: float
    came: float | None = None
    went: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow with its band, persons/min."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Where a zone goes.

    Attributes:
        net: In less out.
        came, went: Each alone; None where gates do not say.
        likely_s: Time to capacity at the mean; None where it does not fill.
        soonest_s, latest_s: The same at the ends of the band; None for never.
    """

    net: Flow
    came: Flow | None
    went: Flow | None
    likely_s: float | None
    soonest_s: float | None
    latest_s: float | None


def blocks_of(seen: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    """Cut the newest stretch without a gap into blocks of some 30 s, the oldest first, at most ten."""
    found: list[tuple[Seen, Seen]] = []
    end: Seen | None = None
    last: Seen | None = None
    for one in reversed(seen):
        if last is not None and last.time_s - one.time_s > GAP_S:
            break
        last = one
        if end is None:
            end = one
        elif end.time_s - one.time_s >= BLOCK_S:
            if end.time_s - one.time_s > GAP_S:
                break
            found.append((one, end))
            end = one
        if len(found) == BLOCKS_MOST:
            break
    return found[::-1]


def forecast(seen: Sequence[Seen], takes: float) -> Forecast | None:
    """Give the time to capacity; None while less than two minutes are known.

    Args:
        seen: Looks, the oldest first.
        takes: Capacity in force, persons.
    """
    blocks = blocks_of(seen)
    if len(blocks) < BLOCKS_LEAST:
        return None
    came, went = _counted(blocks, "came"), _counted(blocks, "went")
    passed = None if came is None or went is None else came.mean + went.mean
    net = _flow([end.persons - begin.persons for begin, end in blocks], blocks, passed)
    room = takes - blocks[-1][1].persons
    return Forecast(
        net=net, came=came, went=went, likely_s=_reach(room, net.mean), soonest_s=_reach(room, net.high),
        latest_s=_reach(room, net.low),
    )  # fmt: skip


def _reach(room: float, net: float) -> float | None:
    if room <= 0:
        return 0.0
    return MINUTE_S * room / net if net > 0 else None


def _counted(blocks: Sequence[tuple[Seen, Seen]], name: Literal["came", "went"]) -> Flow | None:
    """Give the flow through gates; None where a count is missing or went back."""
    steps = []
    for begin, end in blocks:
        before, after = getattr(begin, name), getattr(end, name)
        if before is None or after is None or after < before:
            return None
        steps.append(after - before)
    made = _flow(steps, blocks, None)
    return Flow(mean=made.mean, low=max(0.0, made.low), high=made.high)


def _flow(steps: Sequence[float], blocks: Sequence[tuple[Seen, Seen]], passed: float | None) -> Flow:
    """Give the mean rate of steps and its band; ``passed`` is how many passed a minute in all, where that is known."""
    rates = [step / (end.time_s - begin.time_s) for step, (begin, end) in zip(steps, blocks, strict=True)]
    count, span_s = len(rates), blocks[-1][1].time_s - blocks[0][0].time_s
    mean = math.fsum(rates) / count
    spread = math.fsum((rate - mean) ** 2 for rate in rates) / (count - 1)
    # Poisson: the variance of a count is the count, and that of none is not none.
    counted = abs(math.fsum(steps)) if passed is None else passed * span_s / MINUTE_S
    error = max(math.sqrt(spread / count), math.sqrt(max(1.0, counted)) / span_s)
    reach = STUDENT[min(count, BLOCKS_MOST) - BLOCKS_LEAST] * error
    return Flow(mean=MINUTE_S * mean, low=MINUTE_S * (mean - reach), high=MINUTE_S * (mean + reach))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """How many may be let in.

    Attributes:
        let_in_min: Persons/min; 0 says hold the gates.
        limit: What sets it.
        room: Persons that still fit; below 0 so many are too many.
        leaves_min: Persons/min that are reckoned to leave.
        empties_s: Where it is too full: time until it is not, with gates held; None where nobody is known to leave.
    """

    let_in_min: float
    limit: Limit
    room: float
    leaves_min: float
    empties_s: float | None


def advise(
    persons: float, went: Flow | None, *, takes: float, area_m2: float, density_most: float, horizon_min: float,
    entry_m: float, exit_m: float,
) -> Advice:  # fmt: skip
    """Give how many persons a minute may be let in so that a zone keeps below its bound for the horizon.

    Args:
        persons: Head count.
        went: Who leaves, with its band; None where nobody counts them: then nobody is reckoned to leave.
        takes: Capacity in force, persons.
        density_most: Greatest density, persons/m².
        horizon_min: Time over which the room that is left is given away, min.
        entry_m, exit_m: Clear widths of all entries and of all exits, m; 0 where they are not known.
    """
    by_density = density_most * area_m2
    limit: Limit = "capacity" if takes <= by_density else "density"
    room = min(takes, by_density) - persons
    leaves = 0.0 if went is None else went.low
    if exit_m > 0:  # Beyond the density of greatest flow fewer get out, not more.
        most = exit_m * flow_m_min(max(BUSIEST, persons / area_m2))
        leaves = min(leaves, most)
    if room <= 0:
        empties = None if leaves <= 0 else MINUTE_S * -room / leaves
        return Advice(let_in_min=0.0, limit="full", room=room, leaves_min=leaves, empties_s=empties)
    let_in = leaves + room / horizon_min
    if entry_m > 0 and let_in > entry_m * ENTRY_MOST:
        let_in, limit = entry_m * ENTRY_MOST, "entry"
    return Advice(let_in_min=float(math.floor(let_in)), limit=limit, room=room, leaves_min=leaves, empties_s=None)
