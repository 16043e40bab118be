"""Shape: how much a vessel holds at each level; the one place that calls ``fluids``.

Source: the closed forms of ``fluids`` (PyPI) for horizontal and vertical vessels.
Why: strapping tables of upright and lying cylinders with all usual ends, and of spheres, are solved problems.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from fluids.geometry import TANK, V_partial_sphere
from numpy.typing import NDArray

STEPS = 2_000
ENDS = ("flat", "conical", "ellipsoidal", "torispherical", "spherical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A vessel's strapping table.

    Attributes:
        levels_m, volumes_m3: Rising, from empty to full; between two entries volume is linear in level.
    """

    levels_m: NDArray[np.float64]
    volumes_m3: NDArray[np.float64]
    surface_m2: float

    @property
    def height_m(self) -> float:
        """Give the level of a full vessel."""
        return float(self.levels_m[-1])

    @property
    def volume_m3(self) -> float:
        """Give what it holds."""
        return float(self.volumes_m3[-1])

    def volume_at(self, level_m: float) -> float:
        """Give the volume below a level, m³."""
        return float(np.interp(level_m, self.levels_m, self.volumes_m3))

    def level_of(self, volume_m3: float) -> float:
        """Give the level of a volume, m."""
        return float(np.interp(volume_m3, self.volumes_m3, self.levels_m))


@lru_cache(maxsize=64)
def upright(diameter_m: float, shell_m: float, *, bottom: str = "flat", bottom_m: float = 0.0) -> Shape:
    """Make an upright cylinder; levels count from the deepest point of its bottom.

    Args:
        shell_m: Height of the cylinder; roofs hold vapour only and are left out.
        bottom: One of ``ENDS``.
        bottom_m: How deep the bottom is, m; 0 for flat.
    """
    side = None if bottom == "flat" else bottom
    tank = TANK(D=diameter_m, L=shell_m, horizontal=False, sideA=side, sideA_a=bottom_m if side else None)
    return _table(tank)


@lru_cache(maxsize=64)
def lying(diameter_m: float, shell_m: float, *, ends: str = "ellipsoidal") -> Shape:
    """Make a lying cylinder, a bullet; ellipsoidal ends are 2:1 (EN 13445-3, GB/T 150.3)."""
    if ends == "flat":
        return _table(TANK(D=diameter_m, L=shell_m, horizontal=True))
    ratio = 0.5 if ends == "spherical" else 0.25
    return _table(
        TANK(D=diameter_m, L=shell_m, horizontal=True, sideA=ends, sideB=ends, sideA_a_ratio=ratio, sideB_a_ratio=ratio)
        if ends != "torispherical"
        else TANK(D=diameter_m, L=shell_m, horizontal=True, sideA=ends, sideB=ends)
    )


@lru_cache(maxsize=64)
def sphere(diameter_m: float) -> Shape:
    """Make a sphere on legs."""
    levels = np.linspace(0.0, diameter_m, STEPS + 1)
    volumes = np.array([V_partial_sphere(diameter_m, level) for level in levels])
    return Shape(levels_m=levels, volumes_m3=volumes, surface_m2=float(np.pi * diameter_m**2))


def _table(tank: TANK) -> Shape:
    levels = np.linspace(0.0, tank.h_max, STEPS + 1)
    volumes = np.array([tank.V_from_h(level) for level in levels])
    return Shape(levels_m=levels, volumes_m3=np.maximum.accumulate(volumes), surface_m2=float(tank.A))
