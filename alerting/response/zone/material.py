"""Material: properties of a substance, by correlations; the one place of this room that calls ``chemicals``.

Sources, all as carried by ``chemicals``: Perry's Chemical Engineers' Handbook, 8th edition, tables 2-8 (vapour
pressure), 2-32 (liquid density) and 2-150 (heat of vaporisation); heat capacities after Poling et al., 5th edition.
Where that book has none of the liquid, Rowlinson and Bondi's estimate stands in.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

from chemicals import MW, Tb, Tc, omega
from chemicals.dippr import EQ101, EQ105, EQ106
from chemicals.heat_capacity import Cp_data_Poling, Rowlinson_Bondi
from chemicals.phase_change import phase_change_data_Perrys2_150
from chemicals.vapor_pressure import Psat_data_Perrys2_8
from chemicals.volume import rho_data_Perry_8E_105_l

from alerting.register.field import Words

GAS_CONSTANT: Final = 8.314_462_618  # J/(mol·K), CODATA 2018.
ATMOSPHERE_PA: Final = 101_325.0

#: Liquid chlorine, which the tables lack and the estimate has 14 % too low (Giauque and Powell 1939; from memory,
#: ``unverified``).
_LIQUID_J_MOL_K: Final = {"7782-50-5": 67.0}
_REMEMBERED: Final = Words("The heat capacity of liquid chlorine is unverified.", "液氯的比热容未经核实。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Numbers of one substance; heat capacities at 25 °C and taken as constant.

    Attributes:
        molar_kg: kg/mol.
        boiling_k, critical_k: Boiling point at one atmosphere, critical temperature, K.
        gas_j_mol_k, liquid_j_mol_k: Heat capacities, J/(mol·K).
        pressure, density, latent: Coefficients of DIPPR's equations 101 (Pa), 105 (mol/m³) and 106 (J/mol; its own
            critical temperature first).
        unverified: Numbers of its liquid that were not compared with their source, one sentence each.
    """

    cas: str
    molar_kg: float
    boiling_k: float
    critical_k: float
    gas_j_mol_k: float
    liquid_j_mol_k: float
    pressure: tuple[float, ...]
    density: tuple[float, ...]
    latent: tuple[float, ...]
    unverified: tuple[Words, ...] = ()

    @property
    def gamma(self) -> float:
        """Give the ratio of the gas's heat capacities, as an ideal gas."""
        return self.gas_j_mol_k / (self.gas_j_mol_k - GAS_CONSTANT)

    def vapour_pa(self, temperature_k: float) -> float:
        """Give the vapour pressure, Pa."""
        return float(EQ101(temperature_k, *self.pressure))  # type: ignore[no-untyped-call]

    def liquid_kg_m3(self, temperature_k: float) -> float:
        """Give the density of the saturated liquid, kg/m³; above the critical point as just below it."""
        kelvin = min(temperature_k, 0.999 * self.critical_k)
        return float(EQ105(kelvin, *self.density) * self.molar_kg)  # type: ignore[no-untyped-call]

    def latent_j_kg(self, temperature_k: float) -> float:
        """Give the heat of vaporisation, J/kg."""
        kelvin = min(temperature_k, 0.999 * self.latent[0])
        return float(EQ106(kelvin, *self.latent) / self.molar_kg)  # type: ignore[no-untyped-call]

    def gas_kg_m3(self, temperature_k: float, pressure_pa: float = ATMOSPHERE_PA) -> float:
        """Give the density as an ideal gas, kg/m³."""
        return pressure_pa * self.molar_kg / (GAS_CONSTANT * temperature_k)

    def flash_fraction(self, temperature_k: float) -> float:
        """Give the share of a superheated liquid that flashes: ``cp·(T − Tb)/hv``, from 0 to 1 (AQ/T 3046-2013)."""
        over = self.liquid_j_mol_k / self.molar_kg * (temperature_k - self.boiling_k)
        return min(1.0, max(0.0, over / self.latent_j_kg(self.boiling_k)))


@cache
def material(cas: str) -> Material:
    """Look a substance up.

    Raises:
        KeyError: The tables do not have all of its properties.
    """
    gas = float(Cp_data_Poling.loc[cas].Cpg)
    liquid = float(Cp_data_Poling.loc[cas].Cpl)
    critical = float(Tc(cas))
    boiling = float(Tb(cas))
    liquid = _LIQUID_J_MOL_K.get(cas, liquid)
    if math.isnan(liquid):
        # The estimate rises without bound towards the critical point: taken at the boiling point, where it is trusted.
        liquid = float(Rowlinson_Bondi(boiling, critical, omega(cas), gas))
    vapour, dense = Psat_data_Perrys2_8.loc[cas], rho_data_Perry_8E_105_l.loc[cas]
    latent = phase_change_data_Perrys2_150.loc[cas]
    return Material(
        cas=cas,
        molar_kg=MW(cas) / 1000,
        boiling_k=boiling,
        critical_k=critical,
        gas_j_mol_k=gas,
        liquid_j_mol_k=liquid,
        pressure=tuple(float(vapour[key]) for key in ("C1", "C2", "C3", "C4", "C5")),
        density=tuple(float(dense[key]) for key in ("C1", "C2", "C3", "C4")),
        latent=tuple(float(latent[key]) for key in ("Tc", "C1", "C2", "C3", "C4")),
        unverified=(_REMEMBERED,) if cas in _LIQUID_J_MOL_K else (),
    )
