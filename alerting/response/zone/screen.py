"""Screen: one zone from source to outlines, with all that it assumes; "screening, not prediction".

Flow: substance, source, weather as seen -> [screen] -> release, model of each case, distance and outline of each level
Why: the worst case counts, and whoever reads the number must see what it hangs on.
Never: heat or blast; a number without its validity.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.register.field import Words
from alerting.response.zone import contour, disperse, heavy
from alerting.response.zone.contour import Outline
from alerting.response.zone.disperse import FAR_M, NEAR_M, Floats
from alerting.response.zone.isolate import ISOLATION, Isolation
from alerting.response.zone.material import material
from alerting.response.zone.release import AIR_MOLAR_KG, Air, Release, Source, release
from alerting.response.zone.substances import SUBSTANCES, Level, Named
from alerting.response.zone.weather import CLASSES, Case, Cases

ALWAYS: Final = (
    Words(
        "Screening, not prediction: steady wind over flat open ground, without obstacles.",
        "筛查结果，不是预测：按稳定风、平坦开阔地面、无障碍物计算。",
    ),
    Words("Heat and blast are not part of it.", "不含热辐射和爆炸冲击波。"),
    Words(
        "Concentrations are averages over about 10 minutes at the ground; levels of AEGL and ERPG are for 60 minutes.",
        "浓度为地面约 10 min 平均值；AEGL、ERPG 为 60 min 限值。",
    ),
)
_ALONG_M: Final = np.geomspace(1.0, 50_000.0, 600)


class UnknownSubstanceError(KeyError):
    """No zone is known for this substance.

    Attributes:
        said: That, in a sentence by language.
    """

    def __init__(self, cas: str) -> None:
        super().__init__(cas)
        self.said = Words(f"No zone is known for the substance {cas}.", f"没有物质 {cas} 的危害区数据。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one level reaches in the worst case.

    Attributes:
        distance_m: None where it is reached nowhere beyond the source's own size.
        case: The weather it is from.
        model: ``gaussian`` or ``heavy``.
        doubts: Why the number must not be trusted, one sentence each; empty where the model holds.
        unverified: What it hangs on that was not compared with its source, one sentence each.
        outline: None where there is no zone.
    """

    level: Level
    distance_m: float | None
    case: Case
    model: str
    doubts: tuple[Words, ...]
    unverified: tuple[Words, ...]
    outline: Outline | None

    @property
    def is_valid(self) -> bool:
        """Tell whether the model holds there, and all that it hangs on is verified."""
        return not self.doubts and not self.unverified


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What was worked out.

    Attributes:
        isolation: Row of the table of first distances; None where it has none of the substance.
    """

    substance: Named
    release: Release
    reaches: tuple[Reach, ...]
    assumed: tuple[Words, ...]
    isolation: Isolation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Concentrations of all cases, of shape (cases, places); per case what is of the plume alone.

    Attributes:
        fraction: Volume fraction.
        wide_m: σy, or half-width where the plume is heavy.
        upwind_m: Per case.
        is_wide: The plume is heavy, per case.
        is_heavy, is_outside: The model that gave the fraction is one of heavy clouds; its α is outside the curves.
    """

    fraction: Floats
    wide_m: Floats
    upwind_m: Floats
    is_wide: NDArray[np.bool_]
    is_heavy: NDArray[np.bool_]
    is_outside: NDArray[np.bool_]


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
    reaches = tuple(_reach(named, level, field, cases, given) for level in named.levels)
    land = Words("Built-up land.", "建成区。") if is_urban else Words("Open country.", "开阔地。")
    return Zone(
        substance=named,
        release=given,
        reaches=reaches,
        assumed=(*ALWAYS, land, *given.assumed, *cases.assumed),
        isolation=ISOLATION.get(cas),
    )


def _field(given: Release, molar_kg: float, air: Air, cases: Cases, *, is_urban: bool, height_m: float) -> _Field:
    wind = np.array([one.wind_m_s for one in cases.cases])
    letters = np.array([CLASSES.index(one.stability) for one in cases.cases], dtype=np.int64)
    per_kg = 1 / (molar_kg / AIR_MOLAR_KG * air.kg_m3)
    plume = disperse.plume_kg_m3(given.airborne_kg_s, wind, letters, _ALONG_M, height_m=height_m, is_urban=is_urban)
    puff = disperse.puff_kg_m3(given.airborne_kg, letters, _ALONG_M, height_m=height_m)
    plume, puff = plume * per_kg, puff * per_kg
    wide, _ = disperse.plume_sigmas_m(_ALONG_M, letters, is_urban=is_urban)
    upwind = np.zeros(len(wind))
    is_wide, is_lump = (
        tell(given, molar_kg, air, wind)[:, None] for tell in (heavy.is_heavy_plume, heavy.is_heavy_puff)
    )
    if is_wide.any():
        dense = heavy.plume_fraction(given, molar_kg, air, wind, letters, _ALONG_M, is_urban=is_urban)
        plume = np.where(is_wide, dense, plume)
        wide = np.where(is_wide, heavy.half_width_m(given, molar_kg, air, wind, _ALONG_M), wide)
        upwind = np.where(is_wide[:, 0], heavy.upwind_m(given, molar_kg, air, wind), upwind)
    if is_lump.any():
        puff = np.where(is_lump, heavy.puff_fraction(given, molar_kg, air, wind, letters, _ALONG_M), puff)
    is_plume = plume <= puff
    no_plume, no_puff = (one[:, None] for one in heavy.is_outside(given, molar_kg, air, wind))
    return _Field(
        fraction=np.minimum(disperse.bounded(plume, puff), 1.0),
        wide_m=wide,
        upwind_m=upwind,
        is_wide=is_wide[:, 0],
        is_heavy=np.where(is_plume, is_wide, is_lump),
        is_outside=np.where(is_plume, is_wide & no_plume, is_lump & no_puff),
    )


def _reach(named: Named, level: Level, field: _Field, cases: Cases, given: Release) -> Reach:
    ends = contour.endpoint_m(_ALONG_M, field.fraction, level.fraction)
    worst = int(np.argmax(np.where(np.isnan(ends), -1.0, ends)))
    case, end = cases.cases[worst], float(ends[worst])
    place = min(int(np.searchsorted(_ALONG_M, 0.0 if np.isnan(end) else end)), len(_ALONG_M) - 1)
    is_heavy = bool(field.is_heavy[worst, place])
    model = "heavy" if is_heavy else "gaussian"
    doubts = list(filter(None, [named.heavy if is_heavy else named.gaussian]))
    unverified = [*given.unverified, *cases.unverified]
    if level.is_unverified:
        en = f"{level.name} of {named.en} is unverified."
        unverified.append(Words(en, f"{named.zh}的 {level.name} 未经核实。"))
    if cases.is_calm:
        doubts.append(Words("Calm: no model holds below 1 m/s.", "静风：风速低于 1 m/s 时模型不适用。"))
    if field.is_outside[worst, place]:
        en = "The cloud weighs more or less against this wind than the curves were drawn for; their end is taken."
        doubts.append(Words(en, "该风速下云团的轻重超出重气曲线的范围，取曲线端点。"))

    def found(distance_m: float | None, outline: Outline | None) -> Reach:
        return Reach(
            level=level, distance_m=distance_m, case=case, model=model, doubts=tuple(doubts),
            unverified=tuple(unverified), outline=outline,
        )  # fmt: skip

    if np.isnan(end):
        en = "Reached at most within the source's own cloud, which the model does not resolve."
        doubts.append(Words(en, "至多在泄漏源云团内部达到，模型无法分辨。"))
        return found(None, None)
    if end < NEAR_M:
        en = f"The distance lies nearer than the {NEAR_M:.0f} m from which on the model holds."
        doubts.append(Words(en, f"距离小于模型适用的下限 {NEAR_M:.0f} m。"))
    elif end > FAR_M:
        en = f"The distance lies beyond the {FAR_M:,.0f} m up to which the model holds."
        doubts.append(Words(en, f"距离超出模型适用的上限 {FAR_M:,.0f} m。"))
    drawn = min(end, FAR_M)
    keep = drawn > _ALONG_M
    along = np.append(_ALONG_M[keep][:: max(1, int(keep.sum()) // contour.POINTS)], drawn)
    fraction, wide = (np.interp(along, _ALONG_M, one[worst]) for one in (field.fraction, field.wide_m))
    is_wide = bool(field.is_wide[worst])
    half = wide if is_wide else contour.gaussian_half_width_m(wide, fraction, level.fraction)
    if is_wide:
        # A blunt nose, not a bar: the last fifth closes as an ellipse.
        nose = np.clip((along - 0.8 * drawn) / (0.2 * drawn), 0.0, 1.0)
        half = half * np.sqrt(1 - nose**2)
    return found(drawn, contour.outline(along, half, float(field.upwind_m[worst]), case.from_deg))
