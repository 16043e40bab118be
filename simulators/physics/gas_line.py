"""A gas line in cells: feed, draw, packing, a leak anywhere and valves that cut it into sections.

Why: a leak is seen first as a difference of two flows, then as falling pressure; the line's packing decides how soon.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from simulators.physics.leak import ATMOSPHERE_PA, GAS_CONSTANT, gas_kg_s, hole_area_m2
from simulators.physics.substance import Substance

DRAW_LEAST_PA = 2e5
LEAST_PA2 = 1e8  # Below a difference of some 50 Pa between cells flow is taken as laminar: linear, not a root.


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """One line of cells of equal length, isothermal.

    Between cells flow is Darcy's, ``m² = A²·D·M/(f·Δx·Z·R·T)·(p1² − p2²)`` (the general flow equation, e.g. Menon, Gas
    Pipeline Hydraulics, 2005); in a cell ``dm/dt = in − out − leak`` and ``m = p·V·M/(Z·R·T)``. One step solves all
    pressures together, flows made linear at the last ones: any step is stable, what leaves one cell enters the next.

    Attributes:
        length_m, bore_m, cells: The line.
        feed_pa: Absolute pressure that the supply holds, as far as ``feed_most_kg_s`` goes.
        draw_kg_s: What customers take at the far end; less below 0.2 MPa absolute, nothing at atmospheric pressure.
        hole_m, hole_at_m: Diameter of a leak, 0 for none, and where it is.
        shut: Faces between cells whose valve is closed, from 0; the feed's own valve is ``is_feed_shut``.
        packed_kg: What the line holds.
    """

    substance: Substance
    length_m: float = 5_000.0
    bore_m: float = 0.3
    cells: int = 20
    friction: float = 0.015
    compressibility: float = 0.98
    temperature_k: float = 288.15
    feed_pa: float = 1.1e6
    feed_most_kg_s: float = 8.0
    draw_kg_s: float = 2.4
    hole_m: float = 0.0
    hole_at_m: float = 2_500.0
    is_feed_shut: bool = False
    shut: set[int] = field(default_factory=set)

    pressures_pa: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    flows_kg_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    feed_kg_s: float = field(default=0.0, init=False)
    drawn_kg_s: float = field(default=0.0, init=False)
    leaking_kg_s: float = field(default=0.0, init=False)
    fed_kg: float = field(default=0.0, init=False)
    drawn_kg: float = field(default=0.0, init=False)
    leaked_kg: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Begin in the steady state of feed and draw: ``p(x)² = p0² − m²/K²·x``."""
        steps = np.arange(self.cells, dtype=np.float64) + 0.5
        squares = self.feed_pa**2 - (self.draw_kg_s / self._conductance) ** 2 * steps
        assert squares[-1] > ATMOSPHERE_PA**2, "a line that cannot carry its draw"
        self.pressures_pa = np.sqrt(squares)
        self.flows_kg_s = np.full(self.cells - 1, self.draw_kg_s)
        self.feed_kg_s = self.drawn_kg_s = self.draw_kg_s

    @property
    def packed_kg(self) -> float:
        """Give the line's contents."""
        return float(self.pressures_pa.sum()) * self._kg_per_pa

    @property
    def far_pa(self) -> float:
        """Give the absolute pressure at the far end."""
        return float(self.pressures_pa[-1])

    @property
    def _kg_per_pa(self) -> float:
        volume = math.pi / 4 * self.bore_m**2 * self.length_m / self.cells
        return volume * self.substance.molar_kg / (self.compressibility * GAS_CONSTANT * self.temperature_k)

    @property
    def _conductance(self) -> float:
        """Give ``K`` of ``m = K·sqrt(p1² − p2²)`` between two cells, kg/(s·Pa)."""
        area = math.pi / 4 * self.bore_m**2
        per_energy = self.substance.molar_kg / (self.compressibility * GAS_CONSTANT * self.temperature_k)
        return area * math.sqrt(self.bore_m * per_energy * self.cells / (self.friction * self.length_m))

    @property
    def _hole_cell(self) -> int:
        return min(self.cells - 1, max(0, int(self.hole_at_m / self.length_m * self.cells)))

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        old, gain = self.pressures_pa, self._kg_per_pa / dt_s
        bands = np.zeros((3, self.cells))
        bands[1] = gain
        right = gain * old
        through = self._through(old[:-1], old[1:])
        if self.shut:
            through[sorted(self.shut)] = 0.0
        bands[0, 1:] -= through
        bands[2, :-1] -= through
        bands[1, :-1] += through
        bands[1, 1:] += through
        feed_pull = 0.0  # From the feed it is half a cell to the first one: twice the square of the flow.
        if not self.is_feed_shut:
            feed_pull = math.sqrt(2) * float(self._through(np.array([self.feed_pa]), old[:1])[0])
        feed_most = feed_pull * (self.feed_pa - float(old[0])) > self.feed_most_kg_s
        leak_pull = self._leak_pull(float(old[self._hole_cell]))
        bands[1, self._hole_cell] += leak_pull
        # Customers' regulators take what they want down to 0.2 MPa, from there in proportion to what is above the
        # atmosphere (ours). Told per pascal, so that a long step never draws more than there is.
        far, base = float(old[-1]), 0.0
        draw_pull = self.draw_kg_s / far
        if far < DRAW_LEAST_PA:
            base = ATMOSPHERE_PA
            draw_pull = self.draw_kg_s / (DRAW_LEAST_PA - base) if far > base else 0.0
        bands[1, -1] += draw_pull
        right[-1] += draw_pull * base
        if feed_most:
            right[0] += self.feed_most_kg_s
        else:
            bands[1, 0] += feed_pull
            right[0] += feed_pull * self.feed_pa
        new = solve_banded((1, 1), bands, right, check_finite=False)
        self.pressures_pa = new
        self.flows_kg_s = through * (new[:-1] - new[1:])
        self.feed_kg_s = self.feed_most_kg_s if feed_most else feed_pull * (self.feed_pa - float(new[0]))
        self.leaking_kg_s = leak_pull * float(new[self._hole_cell])
        self.drawn_kg_s = draw_pull * (float(new[-1]) - base)
        self.fed_kg += self.feed_kg_s * dt_s
        self.leaked_kg += self.leaking_kg_s * dt_s
        self.drawn_kg += self.drawn_kg_s * dt_s

    def _through(self, one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give flow per pascal of difference between cells at the last pressures: ``K·(p1 + p2)/sqrt(|p1² − p2²|)``."""
        square = np.abs(one * one - two * two)
        return np.asarray(self._conductance * (one + two) / np.sqrt(np.maximum(square, LEAST_PA2)))

    def _leak_pull(self, pressure_pa: float) -> float:
        """Give the leak per pascal of absolute pressure; choked it is exactly proportional to it."""
        if self.hole_m <= 0 or pressure_pa <= ATMOSPHERE_PA:
            return 0.0
        own = self.substance
        rate = gas_kg_s(
            pressure_pa, self.temperature_k, hole_area_m2(self.hole_m), molar_kg=own.molar_kg, gamma=own.gamma
        )
        return rate / pressure_pa
