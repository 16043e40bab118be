"""A pipe gallery: compartments in a row with air through them, a gas pipe that may leak, and a sump.

Sources: what is watched is GB 50838-2015 7.5 (methane, oxygen, hydrogen sulphide, temperature, humidity, water level).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

OXYGEN = 0.209_5  # Dry air, volume fraction.
GASES = ("methane", "oxygen", "hydrogen sulphide")


@dataclass(slots=True, kw_only=True)
class Gallery:
    """Compartments of equal volume, each well mixed.

    ``V·dc_i/dt = Q_(i−1)·c_(i−1) + s_i − Q_i·c_i``: gas that leaks in pushes as much air on. Solved implicitly from the
    inlet on, so any step is stable and no gas is lost. Water vapour and the sump are balances of their own.

    Attributes:
        air_m3_s: Fresh air; ``is_fan_on`` decides between it and what leaks through (2 % of it; ours).
        methane_m3_s, sulphide_m3_s: Gas that comes in, at 15 °C, by compartment.
        breathing_m3_s: Oxygen taken by people, rust and rot, by compartment.
        damp_kg_s: Water that evaporates from walls, by compartment; more when the floor is wet.
        seeping_m3_s: Water into the sump; its pump starts and stops by itself unless ``is_pump_dead``.
        fractions: (compartments, 3): methane, oxygen, hydrogen sulphide by volume.
    """

    compartments: int = 8
    volume_m3: float = 600.0
    air_m3_s: float = 1.0
    is_fan_on: bool = True
    sump_m2: float = 4.0
    sump_m: float = 1.5
    floor_m2: float = 1_200.0
    pump_m3_s: float = 0.01
    start_m: float = 1.0
    stop_m: float = 0.3
    seeping_m3_s: float = 0.0002
    is_pump_dead: bool = False
    air_k: float = 293.15
    outside_kg_m3: float = 0.010  # Water vapour of the air that comes in.

    methane_m3_s: NDArray[np.float64] = field(init=False)
    sulphide_m3_s: NDArray[np.float64] = field(init=False)
    breathing_m3_s: NDArray[np.float64] = field(init=False)
    damp_kg_s: NDArray[np.float64] = field(init=False)
    fractions: NDArray[np.float64] = field(init=False)
    vapour_kg_m3: NDArray[np.float64] = field(init=False)
    water_m3: float = field(default=2.0, init=False)
    pumped_m3: float = field(default=0.0, init=False)
    seeped_m3: float = field(default=0.0, init=False)
    is_pumping: bool = field(default=False, init=False)
    out_m3: NDArray[np.float64] = field(init=False)  # of each gas, since the start

    def __post_init__(self) -> None:
        zeros = np.zeros(self.compartments)
        self.methane_m3_s, self.sulphide_m3_s = zeros.copy(), zeros.copy()
        self.breathing_m3_s, self.damp_kg_s = zeros.copy(), np.full(self.compartments, 2e-4)
        self.fractions = np.tile(np.array([0.0, OXYGEN, 0.0]), (self.compartments, 1))
        self.vapour_kg_m3 = np.full(self.compartments, self.outside_kg_m3)
        self.out_m3 = np.zeros(3)

    @property
    def fresh_m3_s(self) -> float:
        """Give the air that comes in now."""
        return self.air_m3_s * (1.0 if self.is_fan_on else 0.02)

    @property
    def humidity(self) -> NDArray[np.float64]:
        """Give relative humidity, % up to 100: ``ρ·R·T/M / psat``, Magnus' formula (Alduchov and Eskridge 1996)."""
        celsius = self.air_k - 273.15
        saturated_pa = 610.94 * np.exp(17.625 * celsius / (celsius + 243.04))
        return np.asarray(np.minimum(100.0, 100 * self.vapour_kg_m3 * 461.5 * self.air_k / saturated_pa))

    @property
    def water_m(self) -> float:
        """Give the water above the sump's bottom; above its rim it stands on the floor."""
        brim = self.sump_m2 * self.sump_m
        if self.water_m3 <= brim:
            return self.water_m3 / self.sump_m2
        return self.sump_m + (self.water_m3 - brim) / self.floor_m2

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self._drain(dt_s)
        come = np.array([0.0, OXYGEN, 0.0])
        vapour, flow = self.outside_kg_m3, self.fresh_m3_s
        wet = 1.0 if self.water_m <= self.sump_m else 20.0  # Water on the floor (ours).
        for place in range(self.compartments):
            methane, sulphide = float(self.methane_m3_s[place]), float(self.sulphide_m3_s[place])
            has = self.fractions[place]
            taken = min(float(self.breathing_m3_s[place]), float(has[1]) * self.volume_m3 / dt_s)
            source = np.array([methane, -taken, sulphide])
            out = flow + methane + sulphide - taken
            out = max(0.0, out)
            mixed = (has * self.volume_m3 + dt_s * (flow * come + source)) / (self.volume_m3 + dt_s * out)
            self.fractions[place] = come = np.maximum(mixed, 0.0)
            damp = float(self.damp_kg_s[place]) * wet
            vapour = (self.vapour_kg_m3[place] * self.volume_m3 + dt_s * (flow * vapour + damp)) / (
                self.volume_m3 + dt_s * out
            )
            self.vapour_kg_m3[place] = vapour
            flow = out
        self.out_m3 += dt_s * flow * come

    def _drain(self, dt_s: float) -> None:
        self.water_m3 += self.seeping_m3_s * dt_s
        self.seeped_m3 += self.seeping_m3_s * dt_s
        depth = self.water_m
        self.is_pumping = not self.is_pump_dead and (depth > self.start_m or (self.is_pumping and depth > self.stop_m))
        if self.is_pumping:
            gone = min(self.pump_m3_s * dt_s, self.water_m3)
            self.water_m3 -= gone
            self.pumped_m3 += gone
