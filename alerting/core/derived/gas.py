"""Gas in the air: %LEL, %VOL, ppm and mg/m³ into one another.

``ppm = %VOL · 10⁴``; ``ppm = %LEL/100 · LEL · 10⁴`` with the LEL in %VOL;
``mg/m³ = ppm · M / Vm``, ``Vm = 24.45 L/mol · (T + 273.15)/298.15 · 101.325/p``.

Units: T °C, p kPa absolute, M g/mol. Without T and p: 25 °C and 101.325 kPa.
Source: molar volume of an ideal gas at 25 °C and 101.325 kPa, 24.45 L/mol, as occupational hygiene rounds it (NIOSH
    Pocket Guide, "Conversion factors"); LEL and M of the substances in ``gateway.load.derived.substances``.
Never: makes a mass concentration with a pressure or temperature that cannot be; it is BAD(range).
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from alerting.core.derived.method import BAD_RANGE, Given, Indexes, Made, State, Stateless, numbers
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad

MOLAR_L: Final = 24.45
AT_K: Final = 298.15
AT_KPA: Final = 101.325
ZERO_C_K: Final = 273.15


class Gas(Stateless):
    """Concentrations in another unit."""

    ROLES: ClassVar[tuple[str, ...]] = ("gas", "temperature", "pressure")

    def __init__(self, members: Sequence[Derivation]) -> None:
        lel, molar = numbers(members, "lel_percent"), numbers(members, "molar_mass_g_mol")
        source = [each.words["from"] for each in members]
        target = [each.words["to"] for each in members]
        per_ppm = {
            "ppm": np.ones(len(members)),
            "%VOL": np.full(len(members), 1e-4),
            "%LEL": 1e-2 / lel,
            "mg/m³": molar,
        }
        self._in = np.array([per_ppm[eu][n] for n, eu in enumerate(source)])
        self._out = np.array([per_ppm[eu][n] for n, eu in enumerate(target)])
        self._is_mass_in = np.array([eu == "mg/m³" for eu in source], dtype=np.bool_)
        self._is_mass_out = np.array([eu == "mg/m³" for eu in target], dtype=np.bool_)

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Go by ppm."""
        del state
        kelvin = np.where(given.has("temperature"), given.first("temperature") + ZERO_C_K, AT_K)
        kpa = np.where(given.has("pressure"), given.first("pressure"), AT_KPA)
        molar_l = MOLAR_L * kelvin / AT_K * AT_KPA / kpa
        quality = given.worst
        quality[((kelvin <= 0) | (kpa <= 0)) & ~is_bad(quality)] = BAD_RANGE
        ppm = given.first("gas") * np.where(self._is_mass_in[at], molar_l, 1.0) / self._in[at]
        return Made(ppm * self._out[at] / np.where(self._is_mass_out[at], molar_l, 1.0), quality)
