"""Cloud: what a source gave off, as puffs that the wind carries, and what point detectors smell of it.

Why: a plume formula knows no turning wind and no end of a leak; a row of puffs does, and becomes the plume when steady.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.physics.dispersion import puff_sigmas_m

T90_OF_TAU: Final = 2.302_585_093  # ln 10: a first-order lag shows 90 % after so many time constants.
FAR_M: Final = 3_000.0  # Beyond it a puff is dropped and counted.


@dataclass(slots=True, kw_only=True)
class Cloud:
    """Puffs of one source at the origin; x east, y north, z up, m.

    ``C = Q/((2π)^1.5·σx·σy·σz)·exp(−(dx² + dy²)/2σy²)·(exp(−(z−H)²/2σz²) + exp(−(z+H)²/2σz²))``
    (AQ/T 3046-2013 annex E), each puff's widths by its own travelled distance.

    Attributes:
        every_s: Time between two puffs; the mass of a step goes into the newest until the next is due.
        puffs_max: So many at most; above it the oldest is dropped and counted in ``lost_kg``.
    """

    height_m: float = 1.0
    every_s: float = 1.0
    puffs_max: int = 1_200
    # How wide and how deep a puff is at the hole: a jet entrains air before the wind takes over (ours). A cloud heavier
    # than air slumps: wider and lower.
    width_m: float = 0.5
    depth_m: float = 0.5

    given_kg: float = field(default=0.0, init=False)
    lost_kg: float = field(default=0.0, init=False)
    _mass_kg: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    _place_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)), init=False)
    _travelled_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    _due_s: float = field(default=0.0, init=False)

    @property
    def mass_kg(self) -> float:
        """Give what is in the air within reach."""
        return float(self._mass_kg.sum())

    def step(self, dt_s: float, source_kg_s: float, wind_m_s: float, wind_to_rad: float) -> None:
        """Move all puffs with the wind and give off what leaks now."""
        if len(self._mass_kg):
            self._place_m += np.array([np.cos(wind_to_rad), np.sin(wind_to_rad)]) * wind_m_s * dt_s
            self._travelled_m += wind_m_s * dt_s
        self._due_s -= dt_s
        if source_kg_s > 0:
            self._give(source_kg_s * dt_s, wind_m_s, wind_to_rad, dt_s)
        if len(self._mass_kg):
            self._forget()

    def _give(self, mass_kg: float, wind_m_s: float, wind_to_rad: float, dt_s: float) -> None:
        self.given_kg += mass_kg
        if self._due_s > 0 and len(self._mass_kg):
            self._mass_kg[-1] += mass_kg
            return
        # A step longer than the distance of puffs gives as many as it would have had, each where it would be now.
        count = min(max(1, round(dt_s / self.every_s)), 60)
        ahead = (np.arange(count)[::-1] + 0.5) / count * wind_m_s * dt_s
        way = np.array([np.cos(wind_to_rad), np.sin(wind_to_rad)])
        self._mass_kg = np.append(self._mass_kg, np.full(count, mass_kg / count))
        self._place_m = np.vstack([self._place_m, ahead[:, None] * way])
        self._travelled_m = np.append(self._travelled_m, ahead)
        self._due_s = self.every_s

    def _forget(self) -> None:
        keep = self._travelled_m < FAR_M
        keep[: max(0, len(keep) - self.puffs_max)] = False
        if not keep.all():
            self.lost_kg += float(self._mass_kg[~keep].sum())
            self._mass_kg, self._place_m = self._mass_kg[keep], self._place_m[keep]
            self._travelled_m = self._travelled_m[keep]

    def kg_m3(self, places_m: NDArray[np.float64], stability: str) -> NDArray[np.float64]:
        """Give the concentration at places (n, 3), kg/m³."""
        if not len(self._mass_kg):
            return np.zeros(len(places_m))
        side, up = puff_sigmas_m(np.maximum(self._travelled_m, 1e-3), stability)
        side, up = np.hypot(side, self.width_m), np.hypot(up, self.depth_m)
        offset = places_m[:, None, :2] - self._place_m[None, :, :]
        around = np.exp(-(offset**2).sum(axis=2) / (2 * side**2))
        z = places_m[:, None, 2]
        above = np.exp(-((z - self.height_m) ** 2) / (2 * up**2)) + np.exp(-((z + self.height_m) ** 2) / (2 * up**2))
        peak = self._mass_kg / ((2 * np.pi) ** 1.5 * side**2 * up)
        return np.asarray((peak * around * above).sum(axis=1), dtype=np.float64)


@dataclass(slots=True, kw_only=True)
class Detectors:
    """Point detectors that smell one gas, all at once.

    Attributes:
        places_m: (n, 3), m from the source.
        t90_s: Time to 90 % of a step: infrared 5 to 10 s, pellistor 15 to 30 s, electrochemical 30 to 60 s.
        full_kg_m3: Concentration at which it shows 100 % of what it is calibrated in.
        shown: What they show before their own noise, in % of full; not yet cut off at the range's end.
    """

    places_m: NDArray[np.float64]
    t90_s: NDArray[np.float64]
    full_kg_m3: float
    shown: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = np.zeros(len(self.places_m))

    def step(self, dt_s: float, kg_m3: NDArray[np.float64]) -> None:
        """Follow the air around them with their lag: exact for constant air."""
        target = 100 * kg_m3 / self.full_kg_m3
        self.shown = target + (self.shown - target) * np.exp(-dt_s * T90_OF_TAU / self.t90_s)
