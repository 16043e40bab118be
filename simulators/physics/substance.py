"""Substance: properties of what is stored and what leaks; the one place that calls ``chemicals``.

Sources: Perry's Chemical Engineers' Handbook, 8th edition, tables 2-8 (vapour pressure), 2-32 (liquid density, form of
DIPPR 105) and 2-150 (heat of vaporisation), Poling et al., 5th edition (heat capacities), all as carried by
``chemicals``. Petrol is a mixture; its numbers stand below, each with where it is from.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

from chemicals import MW, Tb
from chemicals.heat_capacity import Cp_data_Poling, CRC_standard_data
from chemicals.phase_change import phase_change_data_Perrys2_150
from chemicals.vapor_pressure import Psat_data_Perrys2_8
from chemicals.volume import rho_data_Perry_8E_105_l

from simulators.physics.leak import GAS_CONSTANT

#: Registry numbers of what the plants know; a story names one of these words, or petrol.
CAS: Final = {
    "methane": "74-82-8",
    "propane": "74-98-6",
    "butane": "106-97-8",
    "chlorine": "7782-50-5",
    "ammonia": "7664-41-7",
    "hydrogen sulphide": "7783-06-4",
    "methanol": "67-56-1",
    "benzene": "71-43-2",
    "toluene": "108-88-3",
    "hexane": "110-54-3",
}
#: Lower explosive limit, volume fraction, as detectors are calibrated in China; 0: does not burn.
LEL: Final = {
    "methane": 0.05,
    "propane": 0.021,
    "butane": 0.018,
    "chlorine": 0.0,
    "ammonia": 0.15,
    "hydrogen sulphide": 0.04,
    "methanol": 0.06,
    "benzene": 0.012,
    "toluene": 0.011,
    "hexane": 0.012,
    "petrol": 0.014,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """One substance.

    Attributes:
        molar_kg: kg/mol, of its vapour.
        gamma: Ratio of the gas's heat capacities at 25 °C.
        boiling_k: At one atmosphere.
        lel: Lower explosive limit as a volume fraction, 0 where it does not burn.
        cp_j_kg_k: Heat capacity of the liquid, taken as constant.
        pressure: C1 to C5 of ``ln p = C1 + C2/T + C3·ln T + C4·T^C5``, Pa.
        density: C1 to C4 of ``ρ = M·C1/C2^(1 + (1 − T/C3)^C4)``, C1 in mol/m³.
        latent: C1 to C4 and Tc of ``hv = C1·(1 − Tr)^(C2 + C3·Tr + C4·Tr²)``, J/mol.
    """

    name: str
    molar_kg: float
    gamma: float
    boiling_k: float
    lel: float
    cp_j_kg_k: float
    pressure: tuple[float, ...]
    density: tuple[float, ...]
    latent: tuple[float, ...]

    def vapour_pa(self, temperature_k: float) -> float:
        """Give the vapour pressure, Pa."""
        c1, c2, c3, c4, c5 = self.pressure
        return math.exp(c1 + c2 / temperature_k + c3 * math.log(temperature_k) + c4 * float(temperature_k**c5))

    def vapour_slope_pa_k(self, temperature_k: float) -> float:
        """Give how the vapour pressure grows with temperature, Pa/K."""
        _, c2, c3, c4, c5 = self.pressure
        per_k = -c2 / temperature_k**2 + c3 / temperature_k + c4 * c5 * float(temperature_k ** (c5 - 1))
        return self.vapour_pa(temperature_k) * per_k

    def liquid_kg_m3(self, temperature_k: float) -> float:
        """Give the density of the saturated liquid, kg/m³."""
        c1, c2, c3, c4 = self.density
        return float(self.molar_kg * c1 / c2 ** (1 + max(0.0, 1 - temperature_k / c3) ** c4))

    def latent_j_kg(self, temperature_k: float) -> float:
        """Give the heat of vaporisation, J/kg."""
        c1, c2, c3, c4, critical_k = self.latent
        reduced = min(temperature_k / critical_k, 0.999)
        return float(c1 * (1 - reduced) ** (c2 + c3 * reduced + c4 * reduced**2) / self.molar_kg)

    def vapour_kg_m3(self, temperature_k: float) -> float:
        """Give the density of the saturated vapour, kg/m³, from Clapeyron: ``1/ρv = hv/(T·dp/dT) + 1/ρl``.

        With the three correlations above this is consistent by itself; as an ideal gas LPG would be 15 % too thin.
        """
        over = self.latent_j_kg(temperature_k) / (temperature_k * self.vapour_slope_pa_k(temperature_k))
        return 1 / (over + 1 / self.liquid_kg_m3(temperature_k))

    def gas_kg_m3(self, temperature_k: float, pressure_pa: float) -> float:
        """Give the density as an ideal gas, kg/m³; for what is diluted in air."""
        return pressure_pa * self.molar_kg / (GAS_CONSTANT * temperature_k)


@cache
def substance(name: str) -> Substance:
    """Look a substance up.

    Raises:
        KeyError: There is no such word in ``CAS``, nor is it petrol.
    """
    if name == "petrol":
        return _petrol()
    cas = CAS[name]
    molar_kg = MW(cas) / 1000
    gas_cp = float(Cp_data_Poling.loc[cas].Cpg)
    liquid_cp = float(Cp_data_Poling.loc[cas].Cpl)
    if math.isnan(liquid_cp):
        liquid_cp = float(CRC_standard_data.loc[cas].Cpl) if cas in CRC_standard_data.index else math.nan
    if math.isnan(liquid_cp):
        liquid_cp = _LIQUID_CP[name]
    vapour, dense = Psat_data_Perrys2_8.loc[cas], rho_data_Perry_8E_105_l.loc[cas]
    latent = phase_change_data_Perrys2_150.loc[cas]
    return Substance(
        name=name,
        molar_kg=molar_kg,
        gamma=gas_cp / (gas_cp - GAS_CONSTANT),
        boiling_k=float(Tb(cas)),
        lel=LEL[name],
        cp_j_kg_k=liquid_cp / molar_kg,
        pressure=tuple(float(vapour[key]) for key in ("C1", "C2", "C3", "C4", "C5")),
        density=tuple(float(dense[key]) for key in ("C1", "C2", "C3", "C4")),
        latent=(*(float(latent[key]) for key in ("C1", "C2", "C3", "C4")), float(latent["Tc"])),
    )


#: J/(mol·K), where the tables have none: liquid chlorine 0.95 kJ/(kg·K); methane is never a liquid here.
_LIQUID_CP: Final = {"chlorine": 67.4, "methane": 55.8}


def _petrol() -> Substance:
    """Give winter petrol: 740 kg/m³ at 15 °C, Reid vapour pressure 60 kPa at 37.8 °C, vapour of 66 g/mol (API 2517).

    Its slope of ln p over 1/T is that of a heat of vaporisation of 26 kJ/mol (ours); density falls by 0.12 % a kelvin.
    """
    molar_kg, latent_j_mol, reid_k = 0.066, 26_000.0, 310.95
    slope = -latent_j_mol / GAS_CONSTANT
    return Substance(
        name="petrol",
        molar_kg=molar_kg,
        gamma=1.08,
        boiling_k=slope / (math.log(101_325.0 / 60_000.0) + slope / reid_k),
        lel=LEL["petrol"],
        cp_j_kg_k=2_100.0,
        pressure=(math.log(60_000.0) - slope / reid_k, slope, 0.0, 0.0, 1.0),
        # The same form as the others: 740 kg/m³ at 288.15 K, −0.9 kg/(m³·K) there.
        density=(_petrol_scale(molar_kg), 0.26, 540.0, 0.29),
        latent=(latent_j_mol / (1 - 288.15 / 540.0) ** 0.38, 0.38, 0.0, 0.0, 540.0),
    )


def _petrol_scale(molar_kg: float) -> float:
    return float(740.0 / molar_kg * 0.26 ** (1 + (1 - 288.15 / 540.0) ** 0.29))
