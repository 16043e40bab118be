"""Mass of a tank's content: ``m = V · ρ(T)``, ``ρ(T) = ρ₀ + k · (T - T₀)``.

Units: volume m³, temperature °C, density kg/m³, k kg/m³/K (negative for liquids), mass kg.
Where no temperature is given the density is ρ₀.
Source: definition of density; a straight line is good to 0.1 % over some tens of kelvin for most liquids (for petroleum
products API MPMS 11.1 has the exact tables).
Never: gives a mass with a density that is not above zero; it is BAD(range).
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from alerting.core.derived.method import BAD_RANGE, Given, Indexes, Made, State, Stateless, numbers
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad


class Mass(Stateless):
    """Masses."""

    ROLES: ClassVar[tuple[str, ...]] = ("volume", "temperature")

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._density = numbers(members, "density_kg_m3")
        self._at_c = numbers(members, "density_at_c", 20.0)
        self._slope = numbers(members, "density_slope", 0.0)

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Multiply."""
        del state
        temperature = np.where(given.has("temperature"), given.first("temperature"), self._at_c[at])
        density = self._density[at] + self._slope[at] * (temperature - self._at_c[at])
        quality = given.worst
        quality[(density <= 0) & ~is_bad(quality)] = BAD_RANGE
        return Made(given.first("volume") * density, quality)
