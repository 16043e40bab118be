"""The demonstration plant as works: the same plant that the demonstration puts on real protocols."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.plant.port import PlantKind, Verb
from simulators.plant.site import Act, Plant

_TANKS: Final = ("TK-101", "TK-102", "TK-103", "TK-201", "TK-202", "TK-203")
_ZONES: Final = ("Z-401", "Z-402")

MILESTONES: Final = {
    **{f"{tank} runs over": {"en": f"{tank} runs over its rim", "zh": f"{tank} 冒罐"} for tank in _TANKS},
    **{f"{zone} crush": {"en": f"6 persons/m² on {zone}", "zh": f"{zone} 达到 6 人/m²"} for zone in _ZONES},
}
CRUSH = 6.0  # Persons per m²: nobody chooses where to go any more.


class Demonstration:
    """The demonstration plant; what its instruments show is all that it says of itself."""

    def __init__(self, dice: Generator) -> None:
        self.plant = Plant(dice)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self._readings = self.plant.readings()
        self.tags = tuple(self._readings)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.plant.step(dt_s)
        self.time_s = self.plant.time_s
        self._readings = self.plant.readings()
        for name, tank in self.plant.tanks.items():
            if tank.spilt_m3 > 0:
                self.milestones.setdefault(f"{name} runs over", self.plant.time_s)
        for name, zone in self.plant.zones.items():
            if zone.density >= CRUSH:
                self.milestones.setdefault(f"{name} crush", self.plant.time_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        self.plant.do(Act(verb=verb, unit=unit, amount=amount))

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return np.array([self._readings[tag] for tag in self.tags])

    def true(self) -> NDArray[np.float64]:
        """Give what is true where the plant says so; its instruments have their noise inside."""
        return self.shown()


KIND: Final = PlantKind(
    name="demonstration",
    make=Demonstration,
    milestones=MILESTONES,
    verbs={
        "inlet": Verb(units=_TANKS, amount="m³/h", least=0.0, most=2_000.0),
        "outlet": Verb(units=_TANKS, amount="m³/h", least=0.0, most=2_000.0),
        "control": Verb(units=_TANKS),
        "leak": Verb(units=("GL-301",), amount="mm, 0 stops it", least=0.0, most=300.0),
        "arrive": Verb(units=_ZONES, amount="persons/s", least=0.0, most=100.0),
        "free": Verb(units=_ZONES, amount="share of the exit's width", least=0.0, most=1.0),
        "stay": Verb(units=_ZONES, amount="s", least=1.0, most=86_400.0),
    },
)
