"""Kinds of derived tags as the configuration knows them: roles, parameters, units, and the formula in words.

What each computes stands in ``alerting.core.derived``; a test holds the two together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.load.entry import ANY, Span
from gateway.load.derived.units import ANY as ANY_UNIT
from gateway.load.derived.units import SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What an input is to a kind.

    Attributes:
        dimension: A key of ``gateway.load.derived.units.UNITS``.
        is_list: Any number of tags, ``least`` or more; else exactly one.
        is_needed: It must be given.
        instead: (word, choice, dimension): where the word has this choice, the dimension is this one.
    """

    dimension: str
    is_list: bool = False
    is_needed: bool = True
    least: int = 1
    instead: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A parameter that is a number, in the unit that its name ends with.

    Attributes:
        default: None where it must be given, NaN where it may be left out and then is not there.
        is_whole: It must be a whole number.
    """

    span: Span = ANY
    default: float | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A parameter that is one of some words; the first is the default where ``is_needed`` is not set."""

    choices: tuple[str, ...]
    is_needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """One kind.

    Attributes:
        measures: What the tag then measures, as the column ``kind`` of a measured tag says.
        dimension: Of the tag's own unit.
        some_of: Roles of which at least one must be given.
        others: Keys beside numbers and words that the kind reads itself.
        formula: How it is computed, in words, by language.
    """

    measures: str
    dimension: str
    roles: Mapping[str, Role]
    formula: Mapping[str, str]
    numbers: Mapping[str, Number]
    words: Mapping[str, Word]
    some_of: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All parameters."""
        return (*self.numbers, *self.words, *self.others)


ABOVE_0: Final = Span(above=0)
PRESSURE_IS: Final = Word(choices=("absolute", "gauge"), is_needed=True)
WINDOW: Final = Number(span=Span(least=60, most=7 * 86_400), default=3600.0)
#: 0 stands for three periods of the slowest input, at least 10 s.
GAP: Final = Number(span=Span(least=0, most=86_400), default=0.0)


KINDS: Final[Mapping[str, KindSpec]] = {
    "volume": KindSpec(
        measures="volume",
        dimension="volume",
        roles={"level": Role(dimension="level")},
        numbers={},
        words={},
        others=("strapping", "shape", "diameter_m", "length_m", "head", "head_depth_m"),
        formula={
            "en": "volume at this level by the tank's strapping table or geometry",
            "zh": "按罐容表或几何形状由液位换算的体积",
        },
    ),
    "mass": KindSpec(
        measures="mass",
        dimension="mass",
        roles={"volume": Role(dimension="volume"), "temperature": Role(dimension="temperature", is_needed=False)},
        numbers={
            "density_kg_m3": Number(span=Span(above=0, most=25_000)),
            "density_at_c": Number(span=Span(least=-273.15, most=2_000), default=20.0),
            "density_slope": Number(span=Span(least=-100, most=100), default=0.0),
        },
        words={},
        formula={
            "en": "volume × density, the density by temperature along a straight line",
            "zh": "体积 × 密度,密度随温度线性变化",
        },
    ),
    "tank_balance": KindSpec(
        measures="balance",
        dimension="volume",
        roles={
            "volume": Role(dimension="volume"),
            "in": Role(dimension="flow", is_list=True, is_needed=False),
            "out": Role(dimension="flow", is_list=True, is_needed=False),
        },
        numbers={"window_s": WINDOW, "gap_s": GAP},
        words={},
        some_of=("in", "out"),
        formula={
            "en": "gain in volume over the window less inflow, plus outflow; below 0 something left unmeasured",
            "zh": "时间窗内体积增量 − 进料累计 + 出料累计;小于 0 表示有未计量的流失",
        },
    ),
    "line_balance": KindSpec(
        measures="balance",
        dimension="normal volume",
        roles={
            "in": Role(dimension="normal flow", is_list=True),
            "out": Role(dimension="normal flow", is_list=True),
            "pressure": Role(dimension="pressure", is_list=True),
            "temperature": Role(dimension="temperature", is_list=True, is_needed=False),
        },
        numbers={
            "pipe_volume_m3": Number(span=Span(above=0)),
            "z": Number(span=Span(above=0, most=3), default=1.0),
            "temperature_c": Number(span=Span(above=-273.15, most=1_000), default=15.0),
            "atmosphere_kpa": Number(span=Span(least=30, most=120), default=101.325),
            "window_s": WINDOW,
            "gap_s": GAP,
        },
        words={"pressure_is": PRESSURE_IS},
        formula={
            "en": "inflow less outflow over the window less what the line packed; above 0 gas was lost",
            "zh": "时间窗内输入 − 输出 − 管存变化;大于 0 表示有流失",
        },
    ),
    "median": KindSpec(
        measures="",
        dimension=SAME,
        roles={"of": Role(dimension=SAME, is_list=True, least=2)},
        numbers={"least": Number(span=Span(least=1, most=100), default=2.0)},
        words={},
        formula={"en": "median of the sensors that can be used", "zh": "可用仪表读数的中位值"},
    ),
    "spread": KindSpec(
        measures="",
        dimension=SAME,
        roles={"of": Role(dimension=SAME, is_list=True, least=2)},
        numbers={"least": Number(span=Span(least=2, most=100), default=2.0)},
        words={},
        formula={
            "en": "largest distance of one sensor from their median; of two, their difference",
            "zh": "各仪表与中位值的最大偏差;两台时为二者之差",
        },
    ),
    "fill": KindSpec(
        measures="level",
        dimension="percent",
        roles={"volume": Role(dimension="volume")},
        numbers={"capacity_m3": Number(span=ABOVE_0)},
        words={},
        formula={"en": "volume as a share of the capacity", "zh": "体积占容量的百分比"},
    ),
    "ullage": KindSpec(
        measures="volume",
        dimension="volume",
        roles={"volume": Role(dimension="volume")},
        numbers={"capacity_m3": Number(span=ABOVE_0)},
        words={},
        formula={"en": "capacity less volume: the room that is left", "zh": "容量 − 体积,即剩余空容"},
    ),
    "quantity": KindSpec(
        measures="mass",
        dimension="mass",
        roles={"mass": Role(dimension="mass", is_list=True)},
        numbers={},
        words={},
        formula={"en": "sum of the masses: what is there of the substance now", "zh": "各罐质量之和,即当前在线存量"},
    ),
    "occupancy": KindSpec(
        measures="count",
        dimension="count",
        roles={
            "in": Role(dimension="count", is_list=True),
            "out": Role(dimension="count", is_list=True),
            "empty": Role(dimension="state", is_needed=False),
        },
        numbers={
            "rollover": Number(span=Span(least=2), default=math.nan),
            "passing_most": Number(span=Span(above=0, most=1_000), default=20.0),
            "start_count": Number(span=Span(least=0, most=1e6), default=0.0),
        },
        words={"counting": Word(choices=("total", "interval"), is_needed=True)},
        others=("reset_at",),
        formula={
            "en": "persons counted in less persons counted out since the last reset, never below 0",
            "zh": "自上次清零以来进入人数 − 离开人数,不小于 0",
        },
    ),
    "density": KindSpec(
        measures="density",
        dimension="crowd",
        roles={"persons": Role(dimension="count", is_list=True)},
        numbers={"area_m2": Number(span=ABOVE_0)},
        words={},
        formula={"en": "persons divided by the effective area", "zh": "人数 ÷ 有效面积"},
    ),
    "room_load": KindSpec(
        measures="count",
        dimension="percent",
        roles={"persons": Role(dimension="count", is_list=True)},
        numbers={"persons_most": Number(span=ABOVE_0)},
        words={},
        formula={
            "en": "persons in the room as a share of the number that it is approved for",
            "zh": "单位空间作业人数占核定人数的百分比",
        },
    ),
    "twa": KindSpec(
        measures="gas",
        dimension=SAME,
        roles={"concentration": Role(dimension="concentration")},
        numbers={"gap_s": GAP},
        words={},
        formula={
            "en": "average concentration over 8 hours (PC-TWA), missing time at the measured average",
            "zh": "8 小时时间加权平均浓度(PC-TWA),缺测时段按已测平均值计",
        },
    ),
    "stel": KindSpec(
        measures="gas",
        dimension=SAME,
        roles={"concentration": Role(dimension="concentration")},
        numbers={"gap_s": GAP},
        words={},
        formula={"en": "average concentration over 15 minutes (PC-STEL)", "zh": "15 分钟短时间接触平均浓度(PC-STEL)"},
    ),
    "mac": KindSpec(
        measures="gas",
        dimension=SAME,
        roles={"concentration": Role(dimension="concentration")},
        numbers={"gap_s": GAP},
        words={},
        formula={"en": "highest concentration of the last 15 minutes (MAC)", "zh": "最近 15 分钟最高浓度(MAC)"},
    ),
    "gas": KindSpec(
        measures="gas",
        dimension="gas",
        roles={
            "gas": Role(dimension="gas"),
            "temperature": Role(dimension="temperature", is_needed=False),
            "pressure": Role(dimension="pressure", is_needed=False),
        },
        numbers={
            "lel_percent": Number(span=Span(above=0, most=100), default=math.nan),
            "molar_mass_g_mol": Number(span=Span(least=1, most=1_000), default=math.nan),
        },
        words={},
        others=("substance",),
        formula={
            "en": "the same concentration in another unit, by LEL, molar mass, temperature and pressure",
            "zh": "按爆炸下限、摩尔质量、温度和压力换算的浓度",
        },
    ),
    "normal_flow": KindSpec(
        measures="flow",
        dimension="normal flow",
        roles={
            "flow": Role(dimension="flow", instead=("meter", "pressure_drop", "normal flow")),
            "pressure": Role(dimension="pressure"),
            "temperature": Role(dimension="temperature"),
        },
        numbers={
            "z": Number(span=Span(above=0, most=3), default=1.0),
            "atmosphere_kpa": Number(span=Span(least=30, most=120), default=101.325),
            "design_kpa": Number(span=ABOVE_0, default=math.nan),
            "design_c": Number(span=Span(above=-273.15, most=1_000), default=math.nan),
            "design_z": Number(span=Span(above=0, most=3), default=1.0),
        },
        words={"meter": Word(choices=("volume", "pressure_drop"), is_needed=True), "pressure_is": PRESSURE_IS},
        formula={
            "en": "flow at 0 °C and 101.325 kPa by pressure, temperature and compressibility",
            "zh": "按压力、温度和压缩因子换算为标准状态(0 °C,101.325 kPa)的流量",
        },
    ),
    "pca": KindSpec(
        measures="",
        dimension="number",
        roles={"tags": Role(dimension=ANY_UNIT, is_list=True, least=2)},
        numbers={
            "lags": Number(span=Span(least=0, most=20), default=2.0, is_whole=True),
            "weight": Number(span=Span(above=0, most=1), default=0.2),
            "variance": Number(span=Span(least=0.5, most=0.9999), default=0.97),
            "false_share": Number(span=Span(above=0, most=0.2), default=0.01),
        },
        words={"statistic": Word(choices=("q", "t2"))},
        others=("model",),
        formula={
            "en": "how far the tags together are from learned normal operation, in multiples of the learned limit",
            "zh": "各位号整体偏离已学习正常工况的程度,以学得限值的倍数表示",
        },
    ),
    "unusual": KindSpec(
        measures="",
        dimension="number",
        roles={"tag": Role(dimension=ANY_UNIT)},
        numbers={
            "window": Number(span=Span(least=20, most=10_000), default=1000.0, is_whole=True),
            "season_s": Number(span=Span(least=60, most=31_622_400), default=86_400.0),
        },
        words={},
        formula={
            "en": "distance from its recent past and from its time of day, in standard deviations; the larger one",
            "zh": "与近期及同一时段历史的偏离,以标准差的倍数表示,取较大者",
        },
    ),
}
