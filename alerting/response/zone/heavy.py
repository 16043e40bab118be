"""Heavy: clouds heavier than air, by the correlations of Britter and McQuaid, and onward as a Gaussian cloud.

Flow: the cloud at its source, weather -> [is_heavy_plume, is_heavy_puff] -> [plume, puff] -> volume fraction along the
    wind, half-width
Sources: R. E. Britter and J. McQuaid, Workbook on the Dispersion of Dense Gases, HSE Contract Research Report 17/1988;
    the curves as straight lines of CCPS, Guidelines for Consequence Analysis of Chemical Releases, 1999. They end at a
    dilution of 500 (plume) and 1,000 (puff), where a toxic cloud is still far above its levels: from there on the cloud
    goes on as a Gaussian one that has the same concentration at that place (ours; compared with SLAB in
    ``docs/zones.md``).
Never: knows obstacles or slopes; the correlations know neither roughness nor stability, only what follows them does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.response.zone.disperse import Floats, plume_kg_m3, puff_kg_m3
from alerting.response.zone.release import AIR_MOLAR_KG, GRAVITY_M_S2, Air, Release

#: ``log10(x/√(q/u))`` over ``α = log10((g'²·q/u⁵)^(1/5))``: (dilution, corners of α, values there); straight between.
_PLUME: Final = (
    (0.1, (-0.55, -0.14, 1.0), (1.75, 1.85, 1.28)),
    (0.05, (-0.68, -0.29, -0.18, 1.0), (1.92, 2.06, 2.06, 1.40)),
    (0.02, (-0.69, -0.31, -0.16, 1.0), (2.08, 2.25, 2.25, 1.62)),
    (0.01, (-0.70, -0.29, -0.20, 1.0), (2.25, 2.45, 2.45, 1.83)),
    (0.005, (-0.67, -0.28, -0.15, 1.0), (2.40, 2.63, 2.63, 2.07)),
    (0.002, (-0.69, -0.25, -0.13, 1.0), (2.60, 2.77, 2.77, 2.21)),
)
#: ``log10(x/V^(1/3))`` over ``α = log10((g'·V^(1/3)/u²)^(1/2))``.
_PUFF: Final = (
    (0.1, (-0.44, 0.43, 1.0), (0.70, 0.93, 0.93)),
    (0.05, (-0.56, 0.31, 1.0), (0.85, 1.08, 1.00)),
    (0.02, (-0.66, 0.32, 1.0), (0.95, 1.31, 1.12)),
    (0.01, (-0.71, 0.37, 1.0), (1.15, 1.52, 1.28)),
    (0.005, (-0.52, 0.24, 1.0), (1.48, 1.68, 1.45)),
    (0.002, (0.27, 1.0), (1.83, 1.60)),
    (0.001, (-0.10, 1.0), (2.075, 1.78)),
)
#: The range of α the curves were drawn for.
PLUME_ALPHA: Final = (-1.0, 1.0)
PUFF_ALPHA: Final = (-0.7, 1.0)
#: From here on the cloud's weight matters: ``(g'·q/(u³·D))^(1/3)`` and ``(g'·V)^(1/2)/(u·D)`` (the workbook; from
#: memory, ``unverified``).
HEAVY_PLUME: Final = 0.15
HEAVY_PUFF: Final = 0.20
#: So far that even a large puff in still air has met its place there.
_VIRTUAL_M: Final = np.geomspace(1.0, 10_000_000.0, 800)
_FAINT: Final = 1e-30


def gravity_m_s2(release: Release, air: Air) -> float:
    """Give ``g' = g·(ρ − ρa)/ρa`` of the cloud at its source; 0 where it is no heavier than air."""
    return max(0.0, GRAVITY_M_S2 * (release.cloud_kg_m3 - air.kg_m3) / air.kg_m3)


def volume_m3_s(release: Release, substance_molar_kg: float) -> float:
    """Give the volume of the cloud at its source, with the air its droplets took up."""
    return release.airborne_kg_s / _substance_kg_m3(release, substance_molar_kg)


def _substance_kg_m3(release: Release, molar_kg: float) -> float:
    """Give the substance in a cubic metre of the cloud at its source."""
    air_share = (1 - release.cloud_fraction) * AIR_MOLAR_KG
    share = release.cloud_fraction * molar_kg
    return release.cloud_kg_m3 * share / (share + air_share)


def is_heavy_plume(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> NDArray[np.bool_]:
    """Tell for each case whether a plume is heavy: always where droplets fly."""
    if release.is_two_phase:
        return np.ones(len(wind_m_s), dtype=np.bool_)
    volume = volume_m3_s(release, molar_kg)
    across = np.sqrt(volume / wind_m_s)
    return np.asarray(np.cbrt(gravity_m_s2(release, air) * volume / (wind_m_s**3 * across)) >= HEAVY_PLUME)


def is_heavy_puff(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> NDArray[np.bool_]:
    """Tell for each case whether a puff of all that is in the air is heavy: always where droplets fly."""
    if release.is_two_phase:
        return np.ones(len(wind_m_s), dtype=np.bool_)
    volume = release.airborne_kg / _substance_kg_m3(release, molar_kg)
    return np.asarray(np.sqrt(gravity_m_s2(release, air) * volume) / (wind_m_s * np.cbrt(volume)) >= HEAVY_PUFF)


def is_outside(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> tuple[NDArray[np.bool_], ...]:
    """Tell for each case whether α of the plume, and of the puff, lies outside what the curves were drawn for."""
    found = (_plume_place(release, molar_kg, air, wind_m_s), _puff_place(release, molar_kg, air, wind_m_s))
    bounds = (PLUME_ALPHA, PUFF_ALPHA)
    return tuple((alpha < low) | (alpha > high) for (alpha, _), (low, high) in zip(found, bounds, strict=True))


def _plume_place(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> tuple[Floats, Floats]:
    """Give (α, the length that distances are measured by, m) of a plume, per case."""
    volume = volume_m3_s(release, molar_kg)
    alpha = _log10(gravity_m_s2(release, air) ** 2 * volume / wind_m_s**5) / 5
    return alpha, np.sqrt(volume / wind_m_s)


def _puff_place(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> tuple[Floats, Floats]:
    """Give the same of a puff."""
    volume = release.airborne_kg / _substance_kg_m3(release, molar_kg)
    alpha = _log10(gravity_m_s2(release, air) * np.cbrt(volume) / wind_m_s**2) / 2
    return alpha, np.full(len(wind_m_s), np.cbrt(volume))


def plume_fraction(
    release: Release, molar_kg: float, air: Air, wind_m_s: Floats, classes: NDArray[np.int64], along_m: Floats,
    *, is_urban: bool = False,
) -> Floats:  # fmt: skip
    """Give the volume fraction on the centre line of a plume, of shape (cases, places)."""
    far = plume_kg_m3(release.airborne_kg_s, wind_m_s, classes, _VIRTUAL_M, is_urban=is_urban)
    return _along(
        release,
        air,
        _PLUME,
        PLUME_ALPHA,
        _plume_place(release, molar_kg, air, wind_m_s),
        _fraction(far, molar_kg, air),
        along_m,
    )


def puff_fraction(
    release: Release, molar_kg: float, air: Air, wind_m_s: Floats, classes: NDArray[np.int64], along_m: Floats
) -> Floats:
    """Give the volume fraction in the middle of a puff of all that is in the air, of shape (cases, places)."""
    far = puff_kg_m3(release.airborne_kg, classes, _VIRTUAL_M)
    return _along(
        release,
        air,
        _PUFF,
        PUFF_ALPHA,
        _puff_place(release, molar_kg, air, wind_m_s),
        _fraction(far, molar_kg, air),
        along_m,
    )


def half_width_m(release: Release, molar_kg: float, air: Air, wind_m_s: Floats, along_m: Floats) -> Floats:
    """Give half the width of a plume on the ground, m, of shape (cases, places), from a source of the cloud's own size.

    ``D + 8·l + 2.5·l^(1/3)·x^(2/3)``, ``l = g'·q/u³`` (the workbook); upwind it reaches ``D/2 + 2·l``. Never wider than
    it is long: in a light wind the formula leaves its experiments.
    """
    volume = volume_m3_s(release, molar_kg)
    length, own = _buoyancy_m(release, volume, air, wind_m_s), np.sqrt(volume / wind_m_s)
    wide = own[:, None] + 8 * length[:, None] + 2.5 * np.cbrt(length)[:, None] * np.cbrt(along_m) ** 2
    return np.asarray(np.minimum(wide, np.maximum(along_m, own[:, None])))


def upwind_m(release: Release, molar_kg: float, air: Air, wind_m_s: Floats) -> Floats:
    """Give how far a plume reaches against the wind, m."""
    volume = volume_m3_s(release, molar_kg)
    return np.sqrt(volume / wind_m_s) / 2 + 2 * _buoyancy_m(release, volume, air, wind_m_s)


def _buoyancy_m(release: Release, volume_m3_s: float, air: Air, wind_m_s: Floats) -> Floats:
    return np.asarray(gravity_m_s2(release, air) * volume_m3_s / wind_m_s**3)


def _log10(number: Floats) -> Floats:
    return np.log10(np.maximum(number, _FAINT))


def _fraction(kg_m3: Floats, molar_kg: float, air: Air) -> Floats:
    return kg_m3 / (molar_kg / AIR_MOLAR_KG * air.kg_m3)


def _along(
    release: Release,
    air: Air,
    curves: tuple[tuple[float, tuple[float, ...], tuple[float, ...]], ...],
    alphas: tuple[float, float],
    place: tuple[Floats, Floats],
    far: Floats,
    along_m: Floats,
) -> Floats:
    """Read the curves at each case's α, correct for cold, and go on as a Gaussian cloud where they end."""
    alpha, scale = np.clip(place[0], *alphas), place[1]
    reach = np.array([np.interp(alpha, corners, values) for _, corners, values in curves])
    dilution = np.log10([one for one, _, _ in curves])
    warm = air.temperature_k / release.cloud_k
    found = np.empty((len(scale), len(along_m)))
    for case in range(len(scale)):
        at = np.log10(along_m / scale[case])
        ratio = 10 ** np.interp(at, reach[:, case], dilution)
        # Nearer than the first curve: the workbook's k/(k + x'²), k so that both meet.
        near = 1 / (1 + (1 / curves[0][0] - 1) * 10 ** (2 * (at - reach[0, case])))
        ratio = np.where(at < reach[0, case], near, ratio)
        fraction = release.cloud_fraction * warm * ratio / (1 - ratio + warm * ratio)
        last_m = scale[case] * 10 ** reach[-1, case]
        last = 10 ** dilution[-1]
        last = release.cloud_fraction * warm * last / (1 - last + warm * last)
        onward = _onward(far[case], last, along_m - last_m)
        found[case] = np.where(along_m > last_m, onward, fraction)
    return found


def _onward(far: Floats, start: float, beyond_m: Floats) -> Floats:
    """Give the Gaussian cloud from the place on where it has that concentration."""
    falling = np.log(far[::-1])
    virtual = np.exp(np.interp(np.log(start), falling, np.log(_VIRTUAL_M[::-1])))
    at = np.log(np.maximum(virtual + beyond_m, 1.0))
    return np.asarray(np.minimum(start, np.exp(np.interp(at, np.log(_VIRTUAL_M), np.log(far)))))
