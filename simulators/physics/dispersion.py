"""Dispersion: Gaussian plume and puff over flat land, in the open.

Sources: Briggs 1973 (ATDL 79) for the widths of a plume, AQ/T 3046-2013 tables E.7 and E.8 for the same and for puffs,
there also the classes after Pasquill. The standard prints 0.0001 in the urban σz of A and B where Briggs has 0.001; we
take Briggs. Valid from about 100 m to 10 km with at least 1 m/s; nearer it gives magnitudes, no safety distances, and a
dense cloud (Cl2, LPG, cold NH3) is wider and lower than this.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

CLASSES: Final = "ABCDEF"
#: σ = a·x·(1 + b·x)^c, by class: rural σy, rural σz, urban σy, urban σz.
_BRIGGS: Final = {
    "A": ((0.22, 0.0001, -0.5), (0.20, 0.0, 0.0), (0.32, 0.0004, -0.5), (0.24, 0.001, 0.5)),
    "B": ((0.16, 0.0001, -0.5), (0.12, 0.0, 0.0), (0.32, 0.0004, -0.5), (0.24, 0.001, 0.5)),
    "C": ((0.11, 0.0001, -0.5), (0.08, 0.0002, -0.5), (0.22, 0.0004, -0.5), (0.20, 0.0, 0.0)),
    "D": ((0.08, 0.0001, -0.5), (0.06, 0.0015, -0.5), (0.16, 0.0004, -0.5), (0.14, 0.0003, -0.5)),
    "E": ((0.06, 0.0001, -0.5), (0.03, 0.0003, -1.0), (0.11, 0.0004, -0.5), (0.08, 0.0015, -0.5)),
    "F": ((0.04, 0.0001, -0.5), (0.016, 0.0003, -1.0), (0.11, 0.0004, -0.5), (0.08, 0.0015, -0.5)),
}
#: σx = σy = a·x^b, σz = a·x^b of a puff, by class (AQ/T 3046-2013 table E.8).
_PUFF: Final = {
    "A": ((0.18, 0.92), (0.60, 0.75)),
    "B": ((0.14, 0.92), (0.53, 0.73)),
    "C": ((0.10, 0.92), (0.34, 0.71)),
    "D": ((0.06, 0.92), (0.15, 0.70)),
    "E": ((0.04, 0.92), (0.10, 0.65)),
    "F": ((0.02, 0.89), (0.05, 0.61)),
}
#: Pasquill's table (AQ/T 3046-2013): by wind (below 2, 3, 5, 6 m/s, above), day with strong, moderate, slight sun,
#: night with cloud, night clear. Where it gives two classes the less stable one of the day is taken, at night E and F.
_PASQUILL: Final = ("AABEF", "ABCEF", "BBCDE", "CCDDD", "CDDDD")
_WINDS_M_S: Final = (2.0, 3.0, 5.0, 6.0)


def plume_sigmas_m(along_m: Floats | float, stability: str, *, is_urban: bool = False) -> tuple[Floats, Floats]:
    """Give (σy, σz) of a plume by Briggs, m."""
    x = np.asarray(along_m, dtype=np.float64)
    across, up = _BRIGGS[stability][2:] if is_urban else _BRIGGS[stability][:2]
    return (
        across[0] * x * (1 + across[1] * x) ** across[2],
        up[0] * x * (1 + up[1] * x) ** up[2],
    )


def puff_sigmas_m(along_m: Floats | float, stability: str) -> tuple[Floats, Floats]:
    """Give (σx = σy, σz) of a puff that travelled so far, m."""
    x = np.asarray(along_m, dtype=np.float64)
    across, up = _PUFF[stability]
    return across[0] * x ** across[1], up[0] * x ** up[1]


def plume_kg_m3(
    source_kg_s: Floats | float,
    wind_m_s: float,
    along_m: Floats | float,
    across_m: Floats | float = 0.0,
    up_m: Floats | float = 0.0,
    *,
    stability: str = "D",
    height_m: float = 0.0,
    is_urban: bool = False,
) -> Floats:
    """Give the concentration in a steady plume, kg/m³; 0 upwind.

    ``C = Q/(2π·u·σy·σz)·exp(−y²/2σy²)·(exp(−(z−H)²/2σz²) + exp(−(z+H)²/2σz²))`` (AQ/T 3046-2013 annex E; Turner 1970).

    Args:
        along_m, across_m, up_m: Where, from the foot of the source, downwind, sideways and above the ground.
        height_m: Height of the source.
    """
    x = np.asarray(along_m, dtype=np.float64)
    is_downwind = x > 0
    sigma_y, sigma_z = plume_sigmas_m(np.where(is_downwind, x, 1.0), stability, is_urban=is_urban)
    up = np.asarray(up_m, dtype=np.float64)
    centre = source_kg_s / (2 * np.pi * wind_m_s * sigma_y * sigma_z)
    side = np.exp(-(np.asarray(across_m, dtype=np.float64) ** 2) / (2 * sigma_y**2))
    mirrored = np.exp(-((up - height_m) ** 2) / (2 * sigma_z**2)) + np.exp(-((up + height_m) ** 2) / (2 * sigma_z**2))
    return np.asarray(np.where(is_downwind, centre * side * mirrored, 0.0), dtype=np.float64)


def stability_class(wind_m_s: float, sun: float, *, is_cloudy: bool = False) -> str:
    """Give the class after Pasquill, A (turbulent) to F (still).

    Args:
        sun: How high the sun stands as a share of its most, 0 at night; above 0.6 strong, above 0.3 moderate (ours).
        is_cloudy: At least half of the night sky is covered.
    """
    row = _PASQUILL[sum(wind_m_s >= edge for edge in _WINDS_M_S)]
    if sun <= 0:
        return row[3] if is_cloudy else row[4]
    return row[0] if sun > 0.6 else row[1] if sun > 0.3 else row[2]
