"""Weather: the day's heat, the sun, and a wind that gusts and turns; what tanks feel and clouds follow."""

import math
from dataclasses import dataclass, field

from numpy.random import Generator

from simulators.physics.dispersion import stability_class
from simulators.physics.noise import Drift

DAY_S = 86_400.0
SUN_W_M2 = 900.0  # Clear sky at noon, mid latitudes, on a horizontal plane (ours).


@dataclass(slots=True, kw_only=True)
class Weather:
    """One place's weather; ``step`` moves it, everybody reads it.

    Attributes:
        time_s: Seconds since midnight, local.
        mean_k, swing_k: Mean of the day's temperature, and how far afternoon and night are from it.
        wind_mean_m_s, wind_from_deg: Wind, and where it comes from (0 north, 90 east).
        gust: Standard deviation of the speed as a share of its mean; 0 for a wind that never changes.
        cloud: Share of the sky that is covered.
        wind_m_s, wind_to_rad: Now: speed, at least 0.5, and where it blows to, counterclockwise from east.
    """

    time_s: float = 12 * 3600.0
    mean_k: float = 291.15
    swing_k: float = 6.0
    wind_mean_m_s: float = 3.0
    wind_from_deg: float = 270.0
    gust: float = 0.15
    turn_deg: float = 6.0
    cloud: float = 0.2

    wind_m_s: float = field(default=0.0, init=False)
    wind_to_rad: float = field(default=0.0, init=False)
    _speed: Drift = field(init=False)
    _turn: Drift = field(init=False)

    def __post_init__(self) -> None:
        self._speed = Drift(sigma=self.gust, tau_s=20.0)
        self._turn = Drift(sigma=math.radians(self.turn_deg), tau_s=60.0)
        self._blow(0.0, 0.0)

    @property
    def sun(self) -> float:
        """Give how high the sun stands as a share of its most, 0 at night; sunrise at 6, sunset at 18."""
        high = math.sin(2 * math.pi * (self.time_s / DAY_S - 0.25))
        return high if high > 1e-9 else 0.0

    @property
    def sun_w_m2(self) -> float:
        """Give the heat of the sun on the ground, W/m²."""
        return SUN_W_M2 * self.sun * (1 - 0.75 * float(self.cloud**3.4))  # Kasten and Czeplak 1980: what cloud takes.

    @property
    def air_k(self) -> float:
        """Give the air's temperature; warmest at 15 o'clock."""
        return self.mean_k + self.swing_k * math.cos(2 * math.pi * (self.time_s - 15 * 3600) / DAY_S)

    @property
    def stability(self) -> str:
        """Give the class after Pasquill."""
        return stability_class(self.wind_m_s, self.sun * (1 - 0.6 * self.cloud), is_cloudy=self.cloud >= 0.5)

    def step(self, dt_s: float, dice: Generator) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self._blow(self._speed.step(dt_s, dice), self._turn.step(dt_s, dice))

    def _blow(self, gust: float, turn_rad: float) -> None:
        self.wind_m_s = max(0.5, self.wind_mean_m_s * (1 + gust))
        self.wind_to_rad = math.radians(270.0 - self.wind_from_deg) + turn_rad
