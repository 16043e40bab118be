"""Geometry: a tank's shape made into a table of level and volume, once, at load.

Why: the hot path interpolates; the integrals over heads are ``fluids.geometry.TANK``'s (D. Jones, "Calculating
    Tank Volume"), which nothing else of the product touches.
"""

import math
from functools import lru_cache
from typing import Final

Table = tuple[tuple[float, float], ...]

SHAPES: Final = ("vertical-cylinder", "horizontal-cylinder", "sphere")
HEADS: Final = ("flat", "conical", "ellipsoidal", "spherical", "torispherical")
POINTS: Final = 257  # Denser at both ends, where V(h) bends; the error is below 2e-5 of the whole (tested).

#: ASME B16 and F&D: crown radius 1 D, knuckle radius 0.06 D.
TORISPHERICAL_F: Final = 1.0
TORISPHERICAL_K: Final = 0.06


@lru_cache(maxsize=256)
def table_of(shape: str, diameter_m: float, length_m: float, head: str, head_depth_m: float) -> Table:
    """Give level in m and volume in m³ from the lowest point to the top.

    Args:
        length_m: Of the straight shell; height of a vertical one. Not used by a sphere.
        head: Form of both ends of a horizontal cylinder, of the bottom of a vertical one (its top is flat).
        head_depth_m: How far a head stands out, m; not used by flat and torispherical ones.
    """
    if shape == "sphere":
        radius = diameter_m / 2
        return tuple((h, math.pi * h * h * (3 * radius - h) / 3) for h in _levels(diameter_m))  # spherical cap
    if head == "flat":
        return tuple((h, _flat(shape, diameter_m, length_m, h)) for h in _levels(_top(shape, diameter_m, length_m)))
    from fluids.geometry import TANK  # noqa: PLC0415  # 0.4 s that only sites with heads pay; not in the base install

    is_horizontal = shape == "horizontal-cylinder"
    depth = None if head == "torispherical" else head_depth_m
    crown, knuckle = (TORISPHERICAL_F, TORISPHERICAL_K) if head == "torispherical" else (None, None)
    tank = TANK(
        D=diameter_m,
        L=length_m,
        horizontal=is_horizontal,
        sideA=head,
        sideA_a=depth,
        sideA_f=crown,
        sideA_k=knuckle,
        sideB=head if is_horizontal else None,
        sideB_a=depth if is_horizontal else None,
        sideB_f=crown if is_horizontal else None,
        sideB_k=knuckle if is_horizontal else None,
    )
    return tuple((h, float(tank.V_from_h(h)) if h else 0.0) for h in _levels(float(tank.h_max)))


def _top(shape: str, diameter_m: float, length_m: float) -> float:
    return diameter_m if shape == "horizontal-cylinder" else length_m


def _flat(shape: str, diameter_m: float, length_m: float, level_m: float) -> float:
    """Volume of a cylinder with flat ends: of a lying one the circular segment times the length."""
    radius = diameter_m / 2
    if shape == "vertical-cylinder":
        return math.pi * radius**2 * level_m
    rest = radius - level_m
    half_chord_m = math.sqrt(max(radius**2 - rest**2, 0.0))
    return length_m * (radius**2 * math.acos(min(max(rest / radius, -1.0), 1.0)) - rest * half_chord_m)


def _levels(top_m: float) -> list[float]:
    """Levels from 0 to the top; by the cosine, so that they are dense at both ends."""
    inner = [top_m * (1 - math.cos(math.pi * n / (POINTS - 1))) / 2 for n in range(1, POINTS - 1)]
    return [0.0, *inner, top_m]
