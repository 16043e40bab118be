"""Release: what comes out of a hole, how much of it goes into the air, and as what.

Flow: what stands in the vessel or line, the hole -> [release] -> rate, airborne rate, state of the cloud at its source
Sources: AQ/T 3046-2013 annex E: orifice of liquid and gas, discharge coefficients, holes of 5, 25 and 100 mm, at most
    60 minutes. All of a flashing liquid is taken as airborne from a flash fraction of 0.2 on. Evaporation by wind:
    Mackay and Matsugu 1973; boiling on the ground: one-dimensional conduction ("Yellow Book" CPR 14E, 3.5); how deep an
    unbunded pool lies: AQ/T 3046-2013, 10 mm on flat ground.
Never: guesses what is not given; an impossible source is refused with a sentence.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from alerting.register.field import Words
from alerting.response.zone.material import ATMOSPHERE_PA, GAS_CONSTANT, Material

GRAVITY_M_S2: Final = 9.806_65  # ISO 80000-3.
SHARP_LIQUID: Final = 0.61
ROUND_GAS: Final = 1.0
#: Holes of AQ/T 3046-2013, mm; where nothing is measured the middle one is taken.
HOLES_MM: Final = (5, 25, 100)
HOLE_MM: Final = 25
WIDEST_MM: Final = 1_000.0
#: What a vessel can have at all (ours).
COLDEST_K: Final = 15.0
HOTTEST_K: Final = 1_500.0
LONGEST_S: Final = 3_600.0
ALL_AIRBORNE: Final = 0.2
POOL_DEPTH_M: Final = 0.010
#: Average ground: conductivity W/(m·K) and diffusivity m²/s (CPR 14E; from memory, ``unverified``).
GROUND_W_M_K: Final = 0.9
GROUND_M2_S: Final = 4.3e-7
#: A boiling pool cools its ground: the rate is taken after so long (ours).
BOILING_AFTER_S: Final = 60.0
AIR_MOLAR_KG: Final = 0.028_96
AIR_J_MOL_K: Final = 29.1


class ImpossibleSourceError(ValueError):
    """What is given cannot release anything, or contradicts itself.

    Attributes:
        said: What, in a sentence by language.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Words(en, zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What stands behind the hole.

    Attributes:
        phase: What comes out of the hole: liquid or gas.
        temperature_k, pressure_pa: In the vessel; absolute pressure above the liquid or of the gas.
        head_m: Liquid above the hole.
        stock_kg: What can come out; None where it is not known, then 60 minutes are taken.
        hole_mm: Diameter of a round hole.
        measured_kg_s: Rate by mass or line balance; it then stands for the hole.
        bund_m2: Area that holds a pool; None where there is none.
    """

    phase: Literal["liquid", "gas"]
    temperature_k: float
    pressure_pa: float
    head_m: float = 0.0
    stock_kg: float | None = None
    hole_mm: float = HOLE_MM
    measured_kg_s: float | None = None
    bund_m2: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air where it leaks: temperature and pressure, K and Pa; wind for evaporation, m/s."""

    temperature_k: float = 293.15
    pressure_pa: float = ATMOSPHERE_PA
    wind_m_s: float = 3.0

    @property
    def kg_m3(self) -> float:
        """Give its density, dry."""
        return self.pressure_pa * AIR_MOLAR_KG / (GAS_CONSTANT * self.temperature_k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a source gives off.

    Attributes:
        rate_kg_s, airborne_kg_s: Out of the hole; into the air.
        duration_s, airborne_kg: How long it lasts, and what is in the air after it.
        flash: Share that flashes; 0 for a gas.
        is_choked: Gas leaves at its speed of sound.
        is_two_phase: Droplets fly with it: it is heavy whatever its molar mass.
        cloud_k, cloud_kg_m3: The cloud at its source, after droplets have taken up the air they need to evaporate.
        cloud_fraction: Volume fraction of the substance in that cloud.
        basis: What the rate is from: ``measured``, or ``hole 25 mm``.
        assumed: What was taken as given, one sentence each.
        unverified: Numbers it hangs on that were not compared with their source, one sentence each.
    """

    rate_kg_s: float
    airborne_kg_s: float
    duration_s: float
    airborne_kg: float
    flash: float
    is_choked: bool
    is_two_phase: bool
    cloud_k: float
    cloud_kg_m3: float
    cloud_fraction: float
    basis: str
    assumed: tuple[Words, ...]
    unverified: tuple[Words, ...] = ()


def hole_area_m2(hole_mm: float) -> float:
    """Give the area of a round hole."""
    return math.pi / 4 * (hole_mm / 1000) ** 2


def liquid_kg_s(
    density_kg_m3: float,
    hole_mm: float,
    *,
    head_m: float,
    over_pa: float,
    discharge: float = SHARP_LIQUID,
) -> float:
    """Give ``ρ·A·Cd·sqrt(2·Δp/ρ + 2·g·h)``, kg/s; 0 where nothing drives it."""
    drive = 2 * over_pa / density_kg_m3 + 2 * GRAVITY_M_S2 * head_m
    return density_kg_m3 * hole_area_m2(hole_mm) * discharge * math.sqrt(drive) if drive > 0 else 0.0


def critical_ratio(gamma: float) -> float:
    """Give outside over inside pressure at and below which the flow is choked: ``(2/(γ+1))^(γ/(γ−1))``."""
    return float((2 / (gamma + 1)) ** (gamma / (gamma - 1)))


def gas_kg_s(
    pressure_pa: float,
    temperature_k: float,
    hole_mm: float,
    *,
    molar_kg: float,
    gamma: float,
    outside_pa: float = ATMOSPHERE_PA,
    discharge: float = ROUND_GAS,
) -> tuple[float, bool]:
    """Give the rate of an ideal gas, kg/s, and whether it is choked (AQ/T 3046-2013 annex E)."""
    if pressure_pa <= outside_pa:
        return 0.0, False
    ratio = outside_pa / pressure_pa
    is_choked = ratio <= critical_ratio(gamma)
    if is_choked:
        flow = gamma * (2 / (gamma + 1)) ** ((gamma + 1) / (gamma - 1))
    else:
        flow = 2 * gamma / (gamma - 1) * (ratio ** (2 / gamma) - ratio ** ((gamma + 1) / gamma))
    speed = math.sqrt(molar_kg / (GAS_CONSTANT * temperature_k) * flow)
    return discharge * hole_area_m2(hole_mm) * pressure_pa * speed, is_choked


def release(substance: Material, source: Source, air: Air) -> Release:
    """Work out what a source gives off.

    Raises:
        ImpossibleSourceError: With the sentence that says why.
    """
    _refuse_impossible(substance, source)
    assumed: list[Words] = []
    unverified: list[Words] = []
    is_choked = False
    if source.measured_kg_s is not None:
        rate, basis = source.measured_kg_s, "measured"
    else:
        basis = f"hole {source.hole_mm:g} mm"
        if source.phase == "liquid":
            rate = liquid_kg_s(
                substance.liquid_kg_m3(source.temperature_k),
                source.hole_mm,
                head_m=source.head_m,
                over_pa=source.pressure_pa - air.pressure_pa,
            )
            en = f"Round hole of {source.hole_mm:g} mm with a sharp edge, discharge coefficient 0.61."
            assumed.append(Words(en, f"按直径 {source.hole_mm:g} mm 的圆形锐边孔计算，流量系数 0.61。"))
        else:
            rate, is_choked = gas_kg_s(
                source.pressure_pa,
                source.temperature_k,
                source.hole_mm,
                molar_kg=substance.molar_kg,
                gamma=substance.gamma,
                outside_pa=air.pressure_pa,
            )
            en = f"Round hole of {source.hole_mm:g} mm, ideal gas, discharge coefficient 1."
            assumed.append(Words(en, f"按直径 {source.hole_mm:g} mm 的圆孔、理想气体计算，流量系数 1。"))
    if rate <= 0:
        en = "Nothing drives the substance out: no pressure above the air's and no head."
        raise ImpossibleSourceError(en, "没有泄漏动力：压力不高于大气压，也没有液位高差。")
    if source.stock_kg is None:
        duration = LONGEST_S
        en = "The stock is not known: the release lasts 60 minutes at its first rate."
        assumed.append(Words(en, "存量未知：按初始速率持续泄漏 60 min。"))
    else:
        duration = min(LONGEST_S, source.stock_kg / rate)
        en = "The release keeps its first rate until the stock is out, at most 60 minutes."
        assumed.append(Words(en, "按初始速率泄漏至存量耗尽，最长 60 min。"))
    if source.phase == "gas":
        airborne, flash, is_two_phase = rate, 0.0, False
        cloud_k = source.temperature_k
    else:
        flash = substance.flash_fraction(source.temperature_k)
        unverified += substance.unverified
        is_two_phase = flash > 0
        airborne = _airborne_kg_s(substance, source, air, _Spill(rate, flash, duration, assumed, unverified))
        cloud_k = min(substance.boiling_k, source.temperature_k)
    fraction, density = 1.0, substance.gas_kg_m3(cloud_k, air.pressure_pa)
    if is_two_phase:
        fraction, cloud_k, density = with_droplets(substance, flash, air)
        en = "Two-phase: droplets evaporate in dry air at once and cool the cloud, which is heavy."
        assumed.append(Words(en, "两相泄漏：液滴在干空气中立即蒸发并使云团降温，按重气处理。"))
    return Release(
        rate_kg_s=rate,
        airborne_kg_s=airborne,
        duration_s=duration,
        airborne_kg=airborne * duration,
        flash=flash,
        is_choked=is_choked,
        is_two_phase=is_two_phase,
        cloud_k=cloud_k,
        cloud_kg_m3=density,
        cloud_fraction=fraction,
        basis=basis,
        assumed=tuple(assumed),
        unverified=tuple(unverified),
    )


def _refuse_impossible(substance: Material, source: Source) -> None:
    numbers = [source.temperature_k, source.pressure_pa, source.head_m, source.hole_mm]
    numbers += [one for one in (source.stock_kg, source.measured_kg_s, source.bund_m2) if one is not None]
    if not all(math.isfinite(one) for one in numbers):
        raise ImpossibleSourceError("A number of the source term is missing or not finite.", "源项中有数值缺失或无效。")
    if not COLDEST_K <= source.temperature_k <= HOTTEST_K:
        en = f"The temperature of {source.temperature_k:g} K is none a vessel has."
        raise ImpossibleSourceError(en, f"温度 {source.temperature_k:g} K 不是容器可能有的温度。")
    if source.pressure_pa <= 0 or source.head_m < 0:
        en = "Pressure is absolute and above 0; head is not below 0."
        raise ImpossibleSourceError(en, "压力为绝对压力，应大于 0；液位高差不小于 0。")
    if not 0 < source.hole_mm <= WIDEST_MM:
        en = "A hole is above 0 and at most 1,000 mm wide."
        raise ImpossibleSourceError(en, "泄漏孔径应大于 0 且不超过 1000 mm。")
    if source.measured_kg_s is not None and source.measured_kg_s <= 0:
        raise ImpossibleSourceError("The balance shows that nothing leaves.", "物料平衡显示没有泄漏。")
    if source.stock_kg is not None and source.stock_kg <= 0:
        raise ImpossibleSourceError("There is no stock that could come out.", "没有可泄漏的存量。")
    if source.bund_m2 is not None and source.bund_m2 <= 0:
        raise ImpossibleSourceError("A bund has an area above 0.", "围堰面积应大于 0。")
    if source.phase == "liquid" and source.temperature_k >= substance.critical_k:
        raise ImpossibleSourceError(
            f"Above its critical temperature of {substance.critical_k:.0f} K the substance is no liquid.",
            f"温度高于临界温度 {substance.critical_k:.0f} K，该物质不可能为液态。",
        )
    if source.phase == "gas" and source.temperature_k < substance.critical_k:
        limit = substance.vapour_pa(source.temperature_k)
        if source.pressure_pa > 1.05 * limit:
            raise ImpossibleSourceError(
                f"At {source.temperature_k:.0f} K and above {limit / 1000:.0f} kPa it is a liquid, no gas.",
                f"在 {source.temperature_k:.0f} K、{limit / 1000:.0f} kPa 以上为液态，不是气态。",
            )


class _Spill(NamedTuple):
    """What comes out as a liquid, and the sentences that follow from it."""

    rate: float
    flash: float
    duration_s: float
    assumed: list[Words]
    unverified: list[Words]


def _airborne_kg_s(substance: Material, source: Source, air: Air, spill: _Spill) -> float:
    """Give what goes into the air: all from a flash of 0.2 on, else what flashes and what the pool gives."""
    rate, flash, duration_s, assumed, unverified = spill
    if flash >= ALL_AIRBORNE:
        en = f"Flash fraction {flash:.2f}, at least 0.2: all of it is airborne."
        assumed.append(Words(en, f"闪蒸率 {flash:.2f}，不小于 0.2：全部进入空气。"))
        return rate
    spilt = rate * (1 - flash) * duration_s
    unbunded = spilt / substance.liquid_kg_m3(min(source.temperature_k, substance.boiling_k)) / POOL_DEPTH_M
    area = unbunded if source.bund_m2 is None else min(unbunded, source.bund_m2)
    if substance.boiling_k <= air.temperature_k:
        flux = (
            GROUND_W_M_K
            * (air.temperature_k - substance.boiling_k)
            / (math.sqrt(math.pi * GROUND_M2_S * BOILING_AFTER_S) * substance.latent_j_kg(substance.boiling_k))
        )
        kind = Words("boiling on the ground, rate after 60 s", "在地面沸腾，取 60 s 时的速率")
        en = "The ground's conductivity and diffusivity, by which the pool boils, are unverified."
        if flux * area < rate * (1 - flash):
            unverified.append(Words(en, "液池沸腾所用的地面导热系数和热扩散率未经核实。"))
    else:
        flux = evaporation_kg_m2_s(substance, min(source.temperature_k, air.temperature_k), air, area)
        kind = Words("evaporating into the wind at the liquid's temperature", "按液体温度随风蒸发")
    pool = min(rate * (1 - flash), flux * area)
    is_held = source.bund_m2 is not None and area < unbunded
    where = Words("bund", "围堰内") if is_held else Words("10 mm deep on flat ground", "平坦地面，深 10 mm")
    en = f"Flash fraction {flash:.2f}, below 0.2: the rest is a pool of {area:.0f} m² ({where.en}), {kind.en}."
    assumed.append(Words(en, f"闪蒸率 {flash:.2f}，小于 0.2：其余为 {area:.0f} m² 的液池（{where.zh}），{kind.zh}。"))
    return rate * flash + pool


def evaporation_kg_m2_s(substance: Material, liquid_k: float, air: Air, area_m2: float) -> float:
    """Give what a pool below its boiling point gives off, kg/(m²·s).

    ``k = 0.0048·u^(7/9)·Z^(−1/9)·Sc^(−2/3)`` m/s, ``k·M·p/(R·T)`` (Mackay and Matsugu 1973), the Schmidt number from
    that of water vapour, 0.6, by the root of molar masses (US EPA, Risk Management Program, appendix D).
    """
    across = math.sqrt(4 * area_m2 / math.pi)
    schmidt = 0.6 * math.sqrt(substance.molar_kg / 0.018_015)
    transfer = 0.0048 * max(1.0, air.wind_m_s) ** (7 / 9) * across ** (-1 / 9) * schmidt ** (-2 / 3)
    return float(transfer * substance.molar_kg * substance.vapour_pa(liquid_k) / (GAS_CONSTANT * liquid_k))


def with_droplets(substance: Material, flash: float, air: Air) -> tuple[float, float, float]:
    """Give (volume fraction, temperature K, density kg/m³) of a flashed jet once its droplets have just evaporated.

    Adiabatic mixing with dry air at constant pressure: n mol of air give the heat that the liquid share and the
    cooling of the vapour ask for, and the vapour is just saturated, ``p(T) = P/(1 + n)`` (Britter and McQuaid 1988,
    on aerosols: the cloud to compare with is the one whose droplets are gone). Found by halving a range of K.
    """
    boiling = substance.boiling_k
    latent = (1 - flash) * substance.latent_j_kg(boiling) * substance.molar_kg

    def air_mol(kelvin: float) -> float:
        freed = substance.gas_j_mol_k * (boiling - kelvin)
        return max(0.0, latent - freed) / (AIR_J_MOL_K * (air.temperature_k - kelvin))

    low, high = boiling - 100.0, boiling
    for _ in range(60):
        kelvin = (low + high) / 2
        if substance.vapour_pa(kelvin) < air.pressure_pa / (1 + air_mol(kelvin)):
            low = kelvin
        else:
            high = kelvin
    kelvin = high
    mixed = air_mol(kelvin)
    molar = (substance.molar_kg + mixed * AIR_MOLAR_KG) / (1 + mixed)
    return 1 / (1 + mixed), kelvin, air.pressure_pa * molar / (GAS_CONSTANT * kelvin)
