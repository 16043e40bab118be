"""Disperse: Gaussian plume and puff, for gases about as heavy as air or lighter, over flat open or built-up land.

Sources: plume and puff: AQ/T 3046-2013 annex E; widths of a plume: Briggs 1973 (the standard prints 0.0001 where Briggs
has 0.001 in the urban σz of A and B; Briggs is taken); widths of a puff: the standard's table E.8, which knows open
country only. Averages over about 10 minutes. Valid from 100 m to 10 km and from 1 m/s on.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

NEAR_M: Final = 100.0
FAR_M: Final = 10_000.0
#: a, b, c of ``a·x·(1 + b·x)^c``: rural σy and σz, urban σy and σz, by class A to F.
_PLUME: Final = np.array(
    [
        [[0.22, 1e-4, -0.5], [0.20, 0, 0], [0.32, 4e-4, -0.5], [0.24, 1e-3, 0.5]],
        [[0.16, 1e-4, -0.5], [0.12, 0, 0], [0.32, 4e-4, -0.5], [0.24, 1e-3, 0.5]],
        [[0.11, 1e-4, -0.5], [0.08, 2e-4, -0.5], [0.22, 4e-4, -0.5], [0.20, 0, 0]],
        [[0.08, 1e-4, -0.5], [0.06, 1.5e-3, -0.5], [0.16, 4e-4, -0.5], [0.14, 3e-4, -0.5]],
        [[0.06, 1e-4, -0.5], [0.03, 3e-4, -1.0], [0.11, 4e-4, -0.5], [0.08, 1.5e-3, -0.5]],
        [[0.04, 1e-4, -0.5], [0.016, 3e-4, -1.0], [0.11, 4e-4, -0.5], [0.08, 1.5e-3, -0.5]],
    ]
)
#: a, b of ``a·x^b``: σx = σy, then σz, by class A to F.
_PUFF: Final = np.array(
    [
        [[0.18, 0.92], [0.60, 0.75]],
        [[0.14, 0.92], [0.53, 0.73]],
        [[0.10, 0.92], [0.34, 0.71]],
        [[0.06, 0.92], [0.15, 0.70]],
        [[0.04, 0.92], [0.10, 0.65]],
        [[0.02, 0.89], [0.05, 0.61]],
    ]
)


def plume_sigmas_m(along_m: Floats, classes: NDArray[np.int64], *, is_urban: bool = False) -> tuple[Floats, Floats]:
    """Give (σy, σz), m, of shape (cases, places).

    Args:
        along_m: Downwind, above 0, of shape (places,) or (cases, places).
        classes: 0 for A to 5 for F, of shape (cases,).
    """
    first = 2 if is_urban else 0
    across, up = (
        rows[:, 0, None] * along_m * (1 + rows[:, 1, None] * along_m) ** rows[:, 2, None]
        for rows in (_PLUME[classes, first], _PLUME[classes, first + 1])
    )
    return across, up


def puff_sigmas_m(along_m: Floats, classes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Give (σx = σy, σz), m, as ``plume_sigmas_m``."""
    across, up = (rows[:, 0, None] * along_m ** rows[:, 1, None] for rows in (_PUFF[classes, 0], _PUFF[classes, 1]))
    return across, up


def _mirrored(up: Floats, height_m: float, at_m: float) -> Floats:
    return np.asarray(np.exp(-((at_m - height_m) ** 2) / (2 * up**2)) + np.exp(-((at_m + height_m) ** 2) / (2 * up**2)))


def plume_kg_m3(
    rate_kg_s: float,
    wind_m_s: Floats,
    classes: NDArray[np.int64],
    along_m: Floats,
    *,
    height_m: float = 0.0,
    up_m: float = 0.0,
    is_urban: bool = False,
) -> Floats:
    """Give the concentration on the centre line, kg/m³, of shape (cases, places).

    ``Q/(2π·u·σy·σz)·(exp(−(z−H)²/2σz²) + exp(−(z+H)²/2σz²))``.
    """
    across, up = plume_sigmas_m(along_m, classes, is_urban=is_urban)
    return rate_kg_s / (2 * np.pi * wind_m_s[:, None] * across * up) * _mirrored(up, height_m, up_m)


def puff_kg_m3(
    mass_kg: float, classes: NDArray[np.int64], along_m: Floats, *, height_m: float = 0.0, up_m: float = 0.0
) -> Floats:
    """Give the concentration in the middle of a puff when it is there, kg/m³, of shape (cases, places).

    ``Q/((2π)^1.5·σx·σy·σz)·(…)``.
    """
    across, up = puff_sigmas_m(along_m, classes)
    return np.asarray(mass_kg / ((2 * np.pi) ** 1.5 * across**2 * up) * _mirrored(up, height_m, up_m))


def bounded(plume: Floats, puff: Floats) -> Floats:
    """Give the smaller of both: a release that ends is nowhere stronger than its plume, nor than all of it at once.

    Why: choosing by ``u·t/x`` as Britter and McQuaid do jumps upward where the model changes, and a zone would end
    there instead of where the cloud does.
    """
    return np.minimum(plume, puff)
