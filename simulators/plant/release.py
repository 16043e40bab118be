"""Release: what plants whose vessels leak into the air have in common: a valve that travels, and the air around.

Flow: leak -> what hangs in the air -> [Surroundings.step] -> detectors
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.physics.cloud import Cloud, Detectors
from simulators.physics.vessel import PressureVessel
from simulators.physics.weather import Weather


def airborne_kg_s(vessel: PressureVessel) -> float:
    """Give what leaves a vessel's hole and hangs in the air: what flashes, and as much again as spray (CPR 14E 2.5)."""
    return vessel.leaking_kg_s * min(1.0, 2 * vessel.flashed)


@dataclass(slots=True, kw_only=True)
class ShutOff:
    """A shut-off valve that travels.

    Attributes:
        travel_s: From open to shut.
        opening: 1 open, 0 shut.
    """

    travel_s: float
    is_shut: bool = False
    opening: float = field(default=1.0, init=False)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        most = dt_s / self.travel_s
        self.opening += min(most, max(-most, (0.0 if self.is_shut else 1.0) - self.opening))


class Surroundings:
    """Weather, the cloud of one source at the origin, detectors around it, and places where nobody measures.

    Args:
        detectors: Where each stands, m east, north and up from the source.
        others: The same of places that only the plant knows of.
        t90_s: Of the detectors.
        full_kg_m3: Concentration at which a detector shows 100.
    """

    def __init__(
        self,
        weather: Weather,
        cloud: Cloud,
        detectors: Mapping[str, tuple[float, float, float]],
        others: Mapping[str, tuple[float, float, float]],
        *,
        t90_s: float,
        full_kg_m3: float,
    ) -> None:
        self.weather, self.cloud = weather, cloud
        self.names = (*detectors, *others)
        self._places_m = np.array([*detectors.values(), *others.values()])
        self.detectors = Detectors(
            places_m=self._places_m[: len(detectors)], t90_s=np.full(len(detectors), t90_s), full_kg_m3=full_kg_m3
        )

    def step(self, dt_s: float, source_kg_s: float) -> NDArray[np.float64]:
        """Carry the cloud on and give the air at all places, float64 (detectors and others,), 100 at ``full_kg_m3``."""
        self.cloud.step(dt_s, source_kg_s, self.weather.wind_m_s, self.weather.wind_to_rad)
        around = self.cloud.kg_m3(self._places_m, self.weather.stability)
        self.detectors.step(dt_s, around[: len(self.detectors.places_m)])
        return 100 * around / self.detectors.full_kg_m3

    def blow(self, dt_s: float, dice: Generator) -> None:
        """Move the weather on by dt_s."""
        self.weather.step(dt_s, dice)
