"""Weather: which wind and which classes of stability a zone is worked out for, and what was taken as given.

Flow: wind, sun or σθ where tagged, place and hour, cloud of the operator -> [classes] -> [weather_cases] -> cases
Sources: classes after Pasquill (AQ/T 3046-2013; where the table gives two, the more stable one); sun's heat above 600
    and 300 W/m² is strong and moderate (Pasquill 1961, from memory, ``unverified``), its height above 60° and 35°
    likewise (Turner 1970, from memory, ``unverified``); σθ: US EPA-454/R-99-005, tables 6-8 and 6-9 (from memory,
    ``unverified``).
Never: takes a missing wind for a calm one.
"""

import math
from dataclasses import dataclass
from typing import Final

from alerting.register.field import Words

CLASSES: Final = "ABCDEF"
#: Below it no formula holds: computed with this speed, in all directions, flagged.
CALM_M_S: Final = 1.0
#: Without wind: this and the faster one, each with D and F where nothing else is known (ours; D 5 and F 1.5 m/s are the
#: two cases of US EPA's Risk Management Program).
WORST: Final = ((1.5, "F"), (5.0, "D"))
_WINDS_M_S: Final = (2.0, 3.0, 4.0, 6.0)
#: By wind: strong, moderate, slight sun; night with cloud from 4/8, clear night.
_PASQUILL: Final = ("ABBFF", "BBCEF", "BCCDE", "CDDDD", "CDDDD")
STRONG_W_M2: Final = 600.0
MODERATE_W_M2: Final = 300.0
#: Below it a pyranometer sees no sun (ours).
DARK_W_M2: Final = 10.0
STRONG_DEG: Final = 60.0
MODERATE_DEG: Final = 35.0
CLOUDY_EIGHTHS: Final = 4
OVERCAST_EIGHTHS: Final = 8
_SIGMA_DEG: Final = (22.5, 17.5, 12.5, 7.5, 3.8)
#: Class by σθ corrected by wind, m/s: from each speed on the next letter.
_BY_DAY: Final = {
    "A": ((3.0, "A"), (4.0, "B"), (6.0, "C"), (math.inf, "D")),
    "B": ((4.0, "B"), (6.0, "C"), (math.inf, "D")),
    "C": ((6.0, "C"), (math.inf, "D")),
}
_BY_NIGHT: Final = {
    "A": ((2.9, "F"), (3.6, "E"), (math.inf, "D")),
    "B": ((2.4, "F"), (3.0, "E"), (math.inf, "D")),
    "C": ((2.4, "E"), (math.inf, "D")),
    "E": ((5.0, "E"), (math.inf, "D")),
    "F": ((3.0, "F"), (5.0, "E"), (math.inf, "D")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of the weather; None for what is not, or is stale.

    Attributes:
        wind_m_s, from_deg: Wind at 10 m, and where it comes from, 0 north, 90 east.
        sun_w_m2: The sun's heat on a horizontal plane.
        sigma_theta_deg: Standard deviation of the wind's direction over 10 to 15 minutes.
        sun_deg: Height of the sun above the horizon, from place and hour.
        cloud_eighths: Cloud as the operator set it.
    """

    wind_m_s: float | None = None
    from_deg: float | None = None
    sun_w_m2: float | None = None
    sigma_theta_deg: float | None = None
    sun_deg: float | None = None
    cloud_eighths: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One weather a zone is worked out for.

    Attributes:
        from_deg: None: all directions.
    """

    wind_m_s: float
    stability: str
    from_deg: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The cases of what was seen; the worst counts.

    Attributes:
        assumed: What was taken as given, one sentence each.
        is_calm: The wind is below 1 m/s and was taken as 1 m/s in all directions.
        unverified: Tables and limits by which the class was found that were not compared with their source.
    """

    cases: tuple[Case, ...]
    assumed: tuple[Words, ...]
    is_calm: bool
    unverified: tuple[Words, ...] = ()


def weather_cases(seen: Seen) -> Cases:
    """Give the cases to work out."""
    wind, from_deg = _sane(seen.wind_m_s), _sane(seen.from_deg)
    if wind is None:
        return Cases(
            cases=tuple(Case(wind_m_s=speed, stability=letter, from_deg=None) for speed, letter in WORST),
            assumed=(
                Words(
                    "No wind is known or it is stale: the worse of 1.5 m/s with F and 5 m/s with D, in all directions.",
                    "风速未知或已过期：取 1.5 m/s、F 类与 5 m/s、D 类中较不利者，按所有风向。",
                ),
            ),
            is_calm=False,
        )
    is_calm = wind < CALM_M_S
    letters, why, unverified = classes(seen, wind)
    assumed = [why]
    if is_calm:
        en = f"Calm: {wind:.1f} m/s is computed as 1 m/s, in all directions; the result is uncertain."
        assumed.append(Words(en, f"静风：{wind:.1f} m/s 按 1 m/s、所有风向计算，结果不确定。"))
        wind, from_deg = CALM_M_S, None
    elif from_deg is None:
        en = "No direction of the wind is known or it is stale: all directions."
        assumed.append(Words(en, "风向未知或已过期：按所有风向。"))
    return Cases(
        cases=tuple(Case(wind_m_s=wind, stability=letter, from_deg=from_deg) for letter in letters),
        assumed=tuple(assumed),
        is_calm=is_calm,
        unverified=unverified,
    )


def _sane(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) and number >= 0 else None


_SUN: Final = Words(
    "The limits of strong and moderate sun, by which the class of stability was found, are unverified.",
    "确定稳定度所用的强、中等日照界限未经核实。",
)
_SIGMA: Final = Words(
    "The table of σθ, by which the class of stability was found, is unverified.", "确定稳定度所用的 σθ 表未经核实。"
)


def classes(seen: Seen, wind_m_s: float) -> tuple[str, Words, tuple[Words, ...]]:
    """Give the classes to work out, the sentence that says what they are from, and what of that is unverified.

    Two classes where nothing is known.
    """
    is_night = seen.sun_deg is not None and seen.sun_deg <= 0
    cloud = seen.cloud_eighths
    if seen.sun_w_m2 is not None and math.isfinite(seen.sun_w_m2):
        if seen.sun_w_m2 <= DARK_W_M2 or is_night:
            letter = pasquill(wind_m_s, 3 if cloud is not None and cloud >= CLOUDY_EIGHTHS else 4)
            en = f"Class {letter} from the sun's heat of {seen.sun_w_m2:.0f} W/m² (night)."
            return letter, Words(en, f"由太阳辐射 {seen.sun_w_m2:.0f} W/m²（夜间）得稳定度 {letter}。"), ()
        letter = pasquill(wind_m_s, 0 if seen.sun_w_m2 > STRONG_W_M2 else 1 if seen.sun_w_m2 > MODERATE_W_M2 else 2)
        en = f"Class {letter} from the sun's heat of {seen.sun_w_m2:.0f} W/m²."
        return letter, Words(en, f"由太阳辐射 {seen.sun_w_m2:.0f} W/m² 得稳定度 {letter}。"), (_SUN,)
    if seen.sigma_theta_deg is not None and math.isfinite(seen.sigma_theta_deg) and seen.sigma_theta_deg >= 0:
        # Day or night unknown: the more stable of the two.
        letters = {from_sigma(seen.sigma_theta_deg, wind_m_s, is_night=one) for one in _nights(seen.sun_deg)}
        letter = max(letters)
        en = f"Class {letter} from σθ of {seen.sigma_theta_deg:.1f}°."
        return letter, Words(en, f"由 σθ {seen.sigma_theta_deg:.1f}° 得稳定度 {letter}。"), (_SIGMA,)
    if seen.sun_deg is not None and cloud is not None:
        letter = from_height(seen.sun_deg, wind_m_s, cloud)
        en = f"Class {letter} from the sun's height of {seen.sun_deg:.0f}° and cloud of {cloud}/8 as set."
        zh = f"由太阳高度角 {seen.sun_deg:.0f}° 和设定云量 {cloud}/8 得稳定度 {letter}。"
        return letter, Words(en, zh), () if seen.sun_deg <= 0 else (_SUN,)
    en = "Neither sun's heat nor σθ is known and no cloud is set: the worse of D and F."
    return "DF", Words(en, "太阳辐射和 σθ 均未知，云量也未设定：取 D、F 两类中较不利者。"), ()


def _nights(sun_deg: float | None) -> tuple[bool, ...]:
    return (True, False) if sun_deg is None else (sun_deg <= 0,)


def pasquill(wind_m_s: float, column: int) -> str:
    """Give the class: strong, moderate, slight sun, cloudy night, clear night; of two the more stable."""
    return _PASQUILL[sum(wind_m_s >= edge for edge in _WINDS_M_S)][column]


def from_sigma(sigma_deg: float, wind_m_s: float, *, is_night: bool) -> str:
    """Give the class by the turning of the wind, corrected by its speed."""
    first = CLASSES[sum(sigma_deg < edge for edge in _SIGMA_DEG)]
    if not is_night and first in "DEF":
        return "D"
    rows = (_BY_NIGHT if is_night else _BY_DAY).get(first)
    return first if rows is None else next(letter for below, letter in rows if wind_m_s < below)


def from_height(sun_deg: float, wind_m_s: float, cloud_eighths: int) -> str:
    """Give the class by the sun's height and cloud: 8/8 is D by day, from 4/8 the sun counts one step less."""
    if sun_deg <= 0:
        return pasquill(wind_m_s, 3 if cloud_eighths >= CLOUDY_EIGHTHS else 4)
    if cloud_eighths >= OVERCAST_EIGHTHS:
        return "D"
    column = 0 if sun_deg > STRONG_DEG else 1 if sun_deg > MODERATE_DEG else 2
    return pasquill(wind_m_s, min(2, column + (cloud_eighths >= CLOUDY_EIGHTHS)))


def sun_height_deg(latitude_deg: float, longitude_deg: float, unix_s: float) -> float:
    """Give the sun's height by place and time, degrees, within half a degree.

    Declination and equation of time as of NOAA's general solar position calculations (Fourier series of Spencer 1971).
    """
    day = unix_s / 86_400 % 365.2425
    angle = 2 * math.pi * day / 365.2425
    tilt = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle)
        + 0.00148 * math.sin(3 * angle)
    )
    late_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(angle)
        - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle)
        - 0.040849 * math.sin(2 * angle)
    )
    solar_min = unix_s % 86_400 / 60 + late_min + 4 * longitude_deg
    hour = math.radians(solar_min / 4 - 180)
    north = math.radians(latitude_deg)
    return math.degrees(math.asin(math.sin(north) * math.sin(tilt) + math.cos(north) * math.cos(tilt) * math.cos(hour)))
