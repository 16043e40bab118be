"""Compensated gas flow: what a meter says, brought to 0 °C and 101.325 kPa.

``meter = "volume"`` (turbine, vortex, ultrasonic): ``Qn = Q · p/101.325 · 273.15/T / Z``, Q in m³/h at the line.
``meter = "pressure_drop"`` (orifice, Venturi): the transmitter reckons with design values, so
    ``Qn = Q · sqrt(p/p_design · T_design/T · Z_design/Z)``, Q in Nm³/h as indicated.

Units: p kPa absolute, T K inside (°C at the input), Z compressibility at the line (a constant of the site).
Source: ideal gas law with compressibility; ISO 5167-1:2022 §5: mass flow through a throttle goes with the root of
    pressure drop times density. Normal conditions: ISO 13443 names 15 °C as standard; 0 °C is the normal cubic metre
    (DIN 1343).
Never: takes the root of what is not above zero; it is BAD(range).
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from alerting.core.derived.method import BAD_RANGE, Given, Indexes, Made, State, Stateless, numbers
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad

NORMAL_KPA: Final = 101.325
ZERO_C_K: Final = 273.15


class NormalFlow(Stateless):
    """Flows at normal conditions."""

    ROLES: ClassVar[tuple[str, ...]] = ("flow", "pressure", "temperature")

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._is_drop = np.array([each.words.get("meter") == "pressure_drop" for each in members], dtype=np.bool_)
        self._is_gauge = np.array([each.words.get("pressure_is") == "gauge" for each in members], dtype=np.bool_)
        self._atmosphere_kpa = numbers(members, "atmosphere_kpa", NORMAL_KPA)
        self._z = numbers(members, "z", 1.0)
        self._design_kpa = numbers(members, "design_kpa")
        self._design_k = numbers(members, "design_c") + ZERO_C_K
        self._design_z = numbers(members, "design_z", 1.0)

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Compensate."""
        del state
        kpa = given.first("pressure") + np.where(self._is_gauge[at], self._atmosphere_kpa[at], 0.0)
        kelvin = given.first("temperature") + ZERO_C_K
        by_volume = kpa / NORMAL_KPA * ZERO_C_K / kelvin / self._z[at]
        share = kpa / self._design_kpa[at] * self._design_k[at] / kelvin * self._design_z[at] / self._z[at]
        factor = np.where(self._is_drop[at], np.sqrt(np.maximum(share, 0.0)), by_volume)
        quality = given.worst
        quality[((kelvin <= 0) | (kpa <= 0)) & ~is_bad(quality)] = BAD_RANGE
        return Made(given.first("flow") * factor, quality)
