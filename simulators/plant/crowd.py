"""Zones of a scenic area, and the gates between them as counters.

Why: occupancy is what came in minus what went out, so a miscount at a gate is seen in the zone, as on a real site.
Never: knows faces or tracks; persons are numbers.
"""

import math
from dataclasses import dataclass, field

from numpy.random import Generator

from simulators.physics.pedestrian import BUSIEST, weidmann_m_s


def flow_s_m(density: float) -> float:
    """Give the flow of a walking crowd, persons per second and metre of width: ``ρ·v(ρ)``, none when packed."""
    return density * weidmann_m_s(density)


@dataclass(slots=True, kw_only=True)
class Gate:
    """A counter for both directions.

    Attributes:
        entered, left: Persons since the counter was set up; they only rise.
    """

    width_m: float
    entered: int = 1_000_000
    left: int = 1_000_000


@dataclass(slots=True, kw_only=True)
class Zone:
    """One area that fills and empties.

    Attributes:
        area_m2: Effective area.
        persons: Who is inside now.
        stay_s: Mean stay of a visitor.
        arriving_s: Persons per second who want in through ``entrance``.
        freedom: Share of the exit's width that is free; counter-flow and barriers lower it.
    """

    area_m2: float
    persons: int
    stay_s: float
    arriving_s: float
    entrance: Gate
    exit: Gate
    freedom: float = 1.0
    moved_in: int = field(default=0, init=False)
    moved_out: int = field(default=0, init=False)

    @property
    def density(self) -> float:
        """Give persons per m²."""
        return self.persons / self.area_m2

    def step(self, dt_s: float, dice: Generator, demand: float) -> None:
        """Move on by dt_s: arrivals are a Poisson process, both gates pass at most what walking allows.

        Through a width go at most ``ρ·v(ρ)`` persons per second and metre (Weidmann): inwards at the density of the
        zone they push into, outwards at that of greatest flow, because the front of a queue walks off freely.
        """
        into = self.entrance.width_m * flow_s_m(max(self.density, BUSIEST)) * dt_s
        arriving = int(dice.poisson(min(self.arriving_s * demand * dt_s, into)))
        present = self.persons + arriving / 2  # Who came in a long step has stayed half of it on average.
        wanting = present * (1 - math.exp(-dt_s / self.stay_s))
        out = self.freedom * self.exit.width_m * flow_s_m(BUSIEST) * dt_s
        leaving = min(int(dice.poisson(min(wanting, out))), self.persons)
        self.persons += arriving - leaving
        self.entrance.entered += arriving
        self.exit.left += leaving
        self.moved_in, self.moved_out = arriving, leaving
