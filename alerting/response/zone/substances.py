"""Substances: what zones may be drawn for, the levels of harm of each, and how sure each number is.

Sources: ERPG as AQ/T 3046-2013 prints them (the values of 2008); AEGL for 60 minutes; IDLH of NIOSH; lower explosive
limits as detectors are calibrated in China. A level seen only in one public copy, or of medium or low confidence, is
``unverified``: it may be drawn and never leaves the house until a named person confirms it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from alerting.register.field import Words

PPM: Final = 1e-6
AQT: Final = Words("AQ/T 3046-2013 (ERPG of 2008)", "AQ/T 3046-2013（ERPG 2008 年版）")
AEGL: Final = Words("US EPA AEGL, 60 min", "美国 EPA AEGL，60 min")
NIOSH: Final = Words("NIOSH IDLH", "NIOSH IDLH")
DETECTOR: Final = Words("lower explosive limit, calibration of detectors", "爆炸下限，探测器标定值")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A concentration that matters.

    Attributes:
        name: ``AEGL-2``, ``ERPG-3``, ``IDLH``, ``LFL`` or ``½ LFL``.
        fraction: Volume fraction in air.
        source: Where the number is from.
        is_unverified: It was not compared with its source.
    """

    name: str
    fraction: float
    source: Words
    is_unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A substance zones are known for.

    Attributes:
        cas: Its number, by which everything refers to it.
        en, zh: Its names.
        levels: Its levels of harm, toxic ones first, rising within each source.
        gaussian, heavy: None where the model may be used for it, else why not.
    """

    cas: str
    en: str
    zh: str
    levels: tuple[Level, ...]
    gaussian: Words | None = None
    heavy: Words | None = None


def _toxic(
    aegl: tuple[float | None, ...], erpg: tuple[float | None, ...], idlh: float | None, *, unsure: bool = False
) -> tuple[Level, ...]:
    """Give levels of ppm; ``unsure`` marks AEGL."""
    levels = [
        Level(name=f"AEGL-{at}", fraction=ppm * PPM, source=AEGL, is_unverified=unsure)
        for at, ppm in enumerate(aegl, 1)
        if ppm is not None
    ]
    levels += [
        Level(name=f"ERPG-{at}", fraction=ppm * PPM, source=AQT) for at, ppm in enumerate(erpg, 1) if ppm is not None
    ]
    if idlh is not None:
        levels.append(Level(name="IDLH", fraction=idlh * PPM, source=NIOSH))
    return tuple(levels)


def _burns(percent: float) -> tuple[Level, ...]:
    return (
        Level(name="½ LFL", fraction=percent / 200, source=DETECTOR),
        Level(name="LFL", fraction=percent / 100, source=DETECTOR),
    )


_POLYMER: Final = Words(
    "Hydrogen fluoride gathers into (HF)6, which neither density nor heat of this model knows.",
    "氟化氢会缔合为 (HF)6，本模型的密度和热量计算均未考虑。",
)

_ALL: Final = (
    Named(cas="7782-50-5", en="chlorine", zh="氯", levels=_toxic((0.5, 2, 20), (1, 3, 20), 10, unsure=True)),
    Named(
        cas="7664-41-7",
        en="ammonia",
        zh="氨",
        levels=_toxic((30, 160, 1100), (25, 200, 1000), 300, unsure=True) + _burns(15.0),
    ),
    Named(
        cas="7783-06-4",
        en="hydrogen sulphide",
        zh="硫化氢",
        levels=_toxic((0.51, 27, 50), (0.1, 30, 100), 100) + _burns(4.0),
    ),
    Named(
        cas="630-08-0",
        en="carbon monoxide",
        zh="一氧化碳",
        levels=_toxic((None, 83, 330), (200, 350, 500), 1200) + _burns(12.5),
    ),
    Named(
        cas="7664-39-3",
        en="hydrogen fluoride",
        zh="氟化氢",
        levels=_toxic((1.0, 24, 44), (2, 20, 50), 30),
        gaussian=_POLYMER,
        heavy=_POLYMER,
    ),
    Named(
        cas="7446-09-5",
        en="sulphur dioxide",
        zh="二氧化硫",
        levels=_toxic((0.2, 0.75, 30), (0.3, 3, 15), 100, unsure=True),
    ),
    Named(cas="7647-01-0", en="hydrogen chloride", zh="氯化氢", levels=_toxic((1.8, 22, 100), (3, 20, 100), 50)),
    Named(cas="71-43-2", en="benzene", zh="苯", levels=_toxic((52, 800, 4000), (50, 150, 1000), 500) + _burns(1.2)),
    Named(
        cas="67-56-1", en="methanol", zh="甲醇", levels=_toxic((530, 2100, 7200), (200, 1000, 5000), 6000) + _burns(6.0)
    ),
    Named(cas="108-88-3", en="toluene", zh="甲苯", levels=_toxic((67, 560, 3700), (50, 300, 1000), 500) + _burns(1.1)),
    Named(cas="74-82-8", en="methane", zh="甲烷", levels=_burns(5.0)),
    Named(cas="74-98-6", en="propane", zh="丙烷", levels=_burns(2.1)),
    Named(cas="106-97-8", en="butane", zh="正丁烷", levels=_burns(1.8)),
    Named(cas="1333-74-0", en="hydrogen", zh="氢", levels=_burns(4.0)),
    Named(cas="74-85-1", en="ethylene", zh="乙烯", levels=_burns(2.7)),
    Named(cas="115-07-1", en="propylene", zh="丙烯", levels=_burns(2.0)),
    Named(cas="74-86-2", en="acetylene", zh="乙炔", levels=_burns(2.5)),
    Named(cas="64-17-5", en="ethanol", zh="乙醇", levels=_burns(3.3)),
    Named(cas="67-64-1", en="acetone", zh="丙酮", levels=_burns(2.5)),
)

#: By CAS number.
SUBSTANCES: Final[Mapping[str, Named]] = MappingProxyType({one.cas: one for one in _ALL})
