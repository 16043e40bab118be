"""A gas line that can leak, and the detectors that smell it.

Why: leak, line pressure and three detectors come from one cause, so that a vote of two of three means something.
Never: claims to be a consequence model; below 100 m the plume formula gives magnitudes, no safety distances.
"""

from dataclasses import dataclass, field

from numpy.random import Generator

from simulators.physics.dispersion import plume_kg_m3 as plume
from simulators.physics.leak import ATMOSPHERE_PA, GAS_CONSTANT, gas_kg_s, hole_area_m2
from simulators.physics.noise import Drift, approach

METHANE_KG_MOL = 0.016_04
METHANE_GAMMA = 1.31
METHANE_LEL = 0.05  # Volume fraction at the lower explosive limit; what the detectors are calibrated with.


def leak_kg_s(
    pressure_pa: float,
    temperature_k: float,
    hole_m: float,
    *,
    molar_kg: float = METHANE_KG_MOL,
    gamma: float = METHANE_GAMMA,
    discharge: float = 1.0,
) -> float:
    """Give the mass flow of gas through a round hole into the air, kg/s.

    Choked or not, see ``simulators.physics.leak``. Discharge 1.0 for a round hole.

    Args:
        pressure_pa: Absolute pressure inside, Pa.
    """
    return gas_kg_s(
        pressure_pa, temperature_k, hole_area_m2(hole_m), molar_kg=molar_kg, gamma=gamma, discharge=discharge
    )


def plume_kg_m3(source_kg_s: float, wind_m_s: float, along_m: float, across_m: float) -> float:
    """Give the concentration at the ground downwind of a ground source, kg/m³.

    Gaussian plume with full reflection, Briggs' rural class D, see ``simulators.physics.dispersion``.
    Zero upwind. Valid from 100 m on; nearer, as here, it gives a plausible magnitude only.
    """
    if source_kg_s == 0.0:  # As nearly always.
        return 0.0
    return float(plume(source_kg_s, wind_m_s, along_m, across_m))


@dataclass(slots=True, kw_only=True)
class GasLine:
    """A section of line as one vessel at constant temperature, fed by a pressure regulator.

    Attributes:
        set_pa: Absolute pressure that the regulator holds.
        draw_kg_s: What customers take.
        hole_m: Diameter of the leak, 0 for none.
    """

    set_pa: float = 1_100_000.0
    temperature_k: float = 288.15
    volume_m3: float = 40.0
    draw_kg_s: float = 2.4
    feed_most_kg_s: float = 4.5
    hole_m: float = 0.0

    pressure_pa: float = field(default=float("nan"), init=False)
    feed_kg_s: float = field(default=float("nan"), init=False)
    leaking_kg_s: float = field(default=0.0, init=False)
    pressure_seen_pa: float = field(default=float("nan"), init=False)
    feed_seen_kg_s: float = field(default=float("nan"), init=False)
    _demand: Drift = field(init=False)

    def __post_init__(self) -> None:
        self.pressure_pa = self.pressure_seen_pa = self.set_pa
        self.feed_kg_s = self.feed_seen_kg_s = self.draw_kg_s
        self._demand = Drift(sigma=0.03, tau_s=60.0)

    @property
    def kg_per_pa(self) -> float:
        """Give how much gas one pascal holds: ``m = p·V·M/(R·T)``, kg/Pa."""
        return self.volume_m3 * METHANE_KG_MOL / (GAS_CONSTANT * self.temperature_k)

    def step(self, dt_s: float, dice: Generator) -> None:
        """Move on by dt_s: ``dm/dt = feed − draw − leak``, the feed following the pressure by a proportional regulator.

        The pressure that balances is approached with the line's own time constant, which is exact for
        constant flows and stable for any step.
        """
        self.leaking_kg_s = leak_kg_s(self.pressure_pa, self.temperature_k, self.hole_m)
        draw = self.draw_kg_s * (1 + self._demand.step(dt_s, dice)) + self.leaking_kg_s
        gain_kg_s_pa = 1.0e-5  # 1 kg/s more for each bar below the set pressure.
        balance_pa = self.set_pa - (min(draw, self.feed_most_kg_s) - self.draw_kg_s) / gain_kg_s_pa
        self.pressure_pa = approach(self.pressure_pa, balance_pa, dt_s, self.kg_per_pa / gain_kg_s_pa)
        starved_kg_s = max(0.0, draw - self.feed_most_kg_s)
        self.pressure_pa = max(ATMOSPHERE_PA, self.pressure_pa - starved_kg_s * dt_s / self.kg_per_pa)
        feed = self.draw_kg_s + gain_kg_s_pa * (self.set_pa - self.pressure_pa)
        self.feed_kg_s = min(max(0.0, feed), self.feed_most_kg_s)
        noise = dice.standard_normal(2)
        self.pressure_seen_pa = self.pressure_pa + 800.0 * float(noise[0])
        self.feed_seen_kg_s = max(0.0, self.feed_kg_s * (1 + 0.004 * float(noise[1])))


@dataclass(slots=True, kw_only=True)
class Detector:
    """A point detector for combustible gas.

    Attributes:
        along_m, across_m: Place downwind of and beside the flange that may leak; negative along is upwind.
        tau_s: Lag of the sensor; 3.5 s is a T90 of 8 s (infrared), 13 s would be a pellistor.
        lel: What it shows, % of the lower explosive limit; saturates at 100.
    """

    along_m: float
    across_m: float = 0.0
    tau_s: float = 3.5

    lel: float = field(default=0.0, init=False)
    lel_seen: float = field(default=0.0, init=False)
    _arrived: float = field(default=0.0, init=False)
    _zero: Drift = field(init=False)

    def __post_init__(self) -> None:
        self._zero = Drift(sigma=0.25, tau_s=120.0)

    def step(self, dt_s: float, dice: Generator, leaking_kg_s: float, wind_m_s: float) -> None:
        """Move on by dt_s: the plume arrives with the wind, the sensor follows with its lag."""
        density = METHANE_KG_MOL * ATMOSPHERE_PA / (GAS_CONSTANT * 288.15)
        fraction = plume_kg_m3(leaking_kg_s, wind_m_s, self.along_m, self.across_m) / density
        travel_s = max(0.5, abs(self.along_m) / wind_m_s)
        self._arrived = approach(self._arrived, 100 * fraction / METHANE_LEL, dt_s, travel_s / 2)
        self.lel = approach(self.lel, self._arrived, dt_s, self.tau_s)
        seen = self.lel * (1 + 0.01 * float(dice.standard_normal())) + self._zero.step(dt_s, dice)
        self.lel_seen = min(100.0, max(-5.0, seen))
