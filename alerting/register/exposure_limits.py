"""Exposure limits: what concentration of a substance, or what noise, a workplace may have, by CAS number.

Units: mg/m³; noise dB(A).
Source: GBZ 2.1-2019 (MAC, PC-TWA, PC-STEL; benzene by its amendment), GBZ 2.2-2007 (noise, L_EX,8h); quoted from
    secondary tables and from memory, so all of it is ``unverified``. A site writes its own limit where the edition that
    binds it says otherwise.
Never: guesses: a substance without a row has no limit here.
"""

from dataclasses import dataclass
from typing import Final

from alerting.register.field import Words

EDITION: Final = Words("GBZ 2.1-2019, GBZ 2.2-2007 (unverified)", "GBZ 2.1-2019、GBZ 2.2-2007（未经核实）")
#: The unit of the table by sort of factor.
MASS_EU, NOISE_EU = "mg/m³", "dB(A)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Limits of one factor; None where it has none of that kind.

    Attributes:
        twa: Time-weighted average of 8 hours (PC-TWA).
        stel: Average of 15 minutes (PC-STEL).
        mac: At no time to be exceeded (MAC).
    """

    cas: str
    name: Words
    twa: float | None = None
    stel: float | None = None
    mac: float | None = None


_SUBSTANCES: Final = (
    Exposure(cas="7783-06-4", name=Words("hydrogen sulphide", "硫化氢"), mac=10),
    Exposure(cas="630-08-0", name=Words("carbon monoxide", "一氧化碳"), twa=20, stel=30),
    Exposure(cas="10102-44-0", name=Words("nitrogen dioxide", "二氧化氮"), twa=5, stel=10),
    Exposure(cas="7782-50-5", name=Words("chlorine", "氯气"), mac=1),
    Exposure(cas="7446-09-5", name=Words("sulphur dioxide", "二氧化硫"), twa=5, stel=10),
    Exposure(cas="7664-41-7", name=Words("ammonia", "氨"), twa=20, stel=30),
    Exposure(cas="7664-39-3", name=Words("hydrogen fluoride", "氟化氢"), mac=2),
    Exposure(cas="74-90-8", name=Words("hydrogen cyanide", "氰化氢"), mac=1),
    Exposure(cas="7647-01-0", name=Words("hydrogen chloride", "氯化氢"), mac=7.5),
    Exposure(cas="75-44-5", name=Words("phosgene", "光气"), mac=0.5),
    Exposure(cas="67-56-1", name=Words("methanol", "甲醇"), twa=25, stel=50),
    Exposure(cas="71-43-2", name=Words("benzene", "苯"), twa=3, stel=6),
    Exposure(cas="108-88-3", name=Words("toluene", "甲苯"), twa=50, stel=100),
    Exposure(cas="1330-20-7", name=Words("xylene", "二甲苯"), twa=50, stel=100),
    Exposure(cas="75-01-4", name=Words("vinyl chloride", "氯乙烯"), twa=10, stel=25),
    Exposure(cas="107-13-1", name=Words("acrylonitrile", "丙烯腈"), twa=1, stel=2),
    Exposure(cas="10028-15-6", name=Words("ozone", "臭氧"), mac=0.3),
    Exposure(cas="124-38-9", name=Words("carbon dioxide", "二氧化碳"), twa=9000, stel=18000),
)
LIMITS: Final[dict[str, Exposure]] = {one.cas: one for one in _SUBSTANCES}
NOISE: Final = Exposure(cas="", name=Words("noise", "噪声"), twa=85)


def named(name: str) -> Exposure | None:
    """Give the substance that has exactly this name in one of the languages; None where none has."""
    folded = name.strip().casefold()
    return next((one for one in _SUBSTANCES if folded in {word.casefold() for word in one.name}), None)
