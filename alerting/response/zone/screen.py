"""Screen: one zone from source to outlines, with all that it assumes; "screening, not prediction".

Flow: substance, source, weather as seen -> [screen] -> release, model of each case, distance and outline of each level
Why: the worst case counts, and whoever reads the number must see what it hangs on.
Never: heat or blast; a number without its validity.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerting.response.zone import contour, disperse, heavy
from alerting.response.zone.contour import Outline
from alerting.response.zone.disperse import FAR_M, NEAR_M, Floats
from alerting.response.zone.material import material
from alerting.response.zone.release import AIR_MOLAR_KG, Air, Release, Source, release
from alerting.response.zone.substances import SUBSTANCES, Level, Named
from alerting.response.zone.weather import CLASSES, Case, Cases

ALWAYS: Final = (
    "Screening, not prediction: steady wind over flat open ground, without obstacles.",
    "Heat and blast are not part of it.",
    "Concentrations are averages over about 10 minutes at the ground; levels of AEGL and ERPG are for 60 minutes.",
)
_ALONG_M: Final = np.geomspace(1.0, 50_000.0, 600)


class UnknownSubstanceError(KeyError):
    """No zone is known for this substance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one level reaches in the worst case.

    Attributes:
        distance_m: None where it is reached nowhere beyond the source's own size.
        case: The weather it is from.
        model: ``gaussian`` or ``heavy``.
        doubts: Why the number must not be trusted, one sentence each; empty where the model holds.
        outline: None where there is no zone.
    """

    level: Level
    distance_m: float | None
    case: Case
    model: str
    doubts: tuple[str, ...]
    outline: Outline | None

    @property
    def is_valid(self) -> bool:
        """Tell whether the model holds there and the level is verified."""
        return not self.doubts and not self.level.is_unverified


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What was worked out."""

    substance: Named
    release: Release
    reaches: tuple[Reach, ...]
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Concentrations of all cases: volume fraction, σy or half-width, of shape (cases, places)."""

    fraction: Floats
    wide_m: Floats
    upwind_m: Floats
    is_heavy: np.ndarray[tuple[int], np.dtype[np.bool_]]


def screen(cas: str, source: Source, cases: Cases, air: Air, *, is_urban: bool = False, height_m: float = 0.0) -> Zone:
    """Work a zone out.

    Args:
        height_m: Height of the hole; a heavy cloud is taken as if it came out at the ground.

    Raises:
        UnknownSubstanceError: No zone is known for it.
        ImpossibleSourceError: The source cannot release anything.
    """
    named = SUBSTANCES.get(cas)
    if named is None:
        raise UnknownSubstanceError(cas)
    substance = material(cas)
    given = release(substance, source, air)
    field = _field(given, substance.molar_kg, air, cases, is_urban=is_urban, height_m=height_m)
    reaches = tuple(_reach(named, level, field, cases) for level in named.levels)
    land = "Built-up land." if is_urban else "Open country."
    return Zone(
        substance=named, release=given, reaches=reaches, assumed=(*ALWAYS, land, *given.assumed, *cases.assumed)
    )


def _field(given: Release, molar_kg: float, air: Air, cases: Cases, *, is_urban: bool, height_m: float) -> _Field:
    wind = np.array([one.wind_m_s for one in cases.cases])
    letters = np.array([CLASSES.index(one.stability) for one in cases.cases], dtype=np.int64)
    is_heavy = heavy.is_heavy(given, molar_kg, air, wind)
    per_kg = 1 / (molar_kg / AIR_MOLAR_KG * air.kg_m3)
    plume = disperse.plume_kg_m3(given.airborne_kg_s, wind, letters, _ALONG_M, height_m=height_m, is_urban=is_urban)
    puff = disperse.puff_kg_m3(given.airborne_kg, letters, _ALONG_M, height_m=height_m)
    fraction = np.minimum(disperse.bounded(plume, puff) * per_kg, 1.0)
    wide, _ = disperse.plume_sigmas_m(_ALONG_M, letters, is_urban=is_urban)
    upwind = np.zeros(len(wind))
    if is_heavy.any():
        dense = disperse.bounded(
            heavy.plume_fraction(given, molar_kg, air, wind, letters, _ALONG_M, is_urban=is_urban),
            heavy.puff_fraction(given, molar_kg, air, wind, letters, _ALONG_M),
        )
        fraction = np.where(is_heavy[:, None], dense, fraction)
        wide = np.where(is_heavy[:, None], heavy.half_width_m(given, molar_kg, air, wind, _ALONG_M), wide)
        upwind = np.where(is_heavy, heavy.upwind_m(given, molar_kg, air, wind), upwind)
    return _Field(fraction=fraction, wide_m=wide, upwind_m=upwind, is_heavy=is_heavy)


def _reach(named: Named, level: Level, field: _Field, cases: Cases) -> Reach:
    ends = contour.endpoint_m(_ALONG_M, field.fraction, level.fraction)
    worst = int(np.argmax(np.where(np.isnan(ends), -1.0, ends)))
    case, end = cases.cases[worst], float(ends[worst])
    is_heavy = bool(field.is_heavy[worst])
    model = "heavy" if is_heavy else "gaussian"
    doubts = list(filter(None, [named.heavy if is_heavy else named.gaussian]))
    if cases.is_calm:
        doubts.append("Calm: no model holds below 1 m/s.")
    if np.isnan(end):
        doubts.append("Reached at most within the source's own cloud, which the model does not resolve.")
        return Reach(level=level, distance_m=None, case=case, model=model, doubts=tuple(doubts), outline=None)
    if end < NEAR_M:
        doubts.append(f"The distance lies nearer than the {NEAR_M:.0f} m from which on the model holds.")
    elif end > FAR_M:
        doubts.append(f"The distance lies beyond the {FAR_M:,.0f} m up to which the model holds.")
    drawn = min(end, FAR_M)
    keep = drawn > _ALONG_M
    along = np.append(_ALONG_M[keep][:: max(1, int(keep.sum()) // contour.POINTS)], drawn)
    fraction, wide = (np.interp(along, _ALONG_M, one[worst]) for one in (field.fraction, field.wide_m))
    half = wide if is_heavy else contour.gaussian_half_width_m(wide, fraction, level.fraction)
    if is_heavy:
        # A blunt nose, not a bar: the last fifth closes as an ellipse.
        nose = np.clip((along - 0.8 * drawn) / (0.2 * drawn), 0.0, 1.0)
        half = half * np.sqrt(1 - nose**2)
    line = contour.outline(along, half, float(field.upwind_m[worst]), case.from_deg)
    return Reach(level=level, distance_m=drawn, case=case, model=model, doubts=tuple(doubts), outline=line)
