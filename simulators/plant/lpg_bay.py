"""A bay where LPG is unloaded from a road tanker into a bullet, with gas detectors around it and on the fence.

Why: one cause, a torn hose, is seen by many: the detectors in the order in which the wind brings it to them.
"""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.cloud import Cloud
from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.shape import lying
from simulators.physics.substance import substance
from simulators.physics.vessel import PressureVessel
from simulators.physics.weather import Weather
from simulators.plant.port import PlantKind, Verb
from simulators.plant.release import ShutOff, Surroundings, airborne_kg_s

VESSELS: Final = ("V-501", "T-1")
#: Where detectors stand, m east, north and up from the hose; the wind of the place is from the west.
DETECTORS: Final = {
    "GD-501": (8.0, 0.0, 0.5),
    "GD-502": (12.0, 1.5, 0.5),
    "GD-503": (12.0, -1.5, 0.5),
    "GD-504": (-10.0, 5.0, 0.5),
    "GD-510": (90.0, 0.0, 1.0),  # on the fence
}
T90_S: Final = 8.0  # infrared
AIR_K: Final = 293.15
ZERO_C: Final = 273.15
WIDE_M, DEEP_M = 2.5, 1.0  # A flashing jet entrains air over some metres, and its cold vapour slumps (ours).
VALVE_S: Final = 5.0  # How long the shut-off valve travels (ours).


class LpgBay:
    """A bullet, a road tanker and the hose between them."""

    def __init__(self, dice: Generator) -> None:
        weather, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        own = substance("propane")
        self.weather = Weather(mean_k=AIR_K, swing_k=4.0, wind_mean_m_s=2.5, turn_deg=4.0, cloud=0.6)
        shape = lying(3.0, 12.0)
        self.bullet = PressureVessel(shape=shape, substance=own, fill=0.45, temperature_k=AIR_K)
        self.tanker = PressureVessel(shape=lying(2.2, 9.0), substance=own, fill=0.85, temperature_k=AIR_K)
        self.air = Surroundings(
            self.weather,
            Cloud(height_m=0.6, every_s=0.5, width_m=WIDE_M, depth_m=DEEP_M),
            DETECTORS,
            {},
            t90_s=T90_S,
            full_kg_m3=own.lel * own.gas_kg_m3(AIR_K, ATMOSPHERE_PA),
        )
        self.pump_kg_s = 0.0
        self.hole_m = 0.0
        self.valve = ShutOff(travel_s=VALVE_S)
        self._weather_dice = weather
        self._bank = Bank(
            [
                Instrument(tag="V-501.level", low=0.0, high=3.0, resolution=0.001, noise=0.001, is_loop=True),
                Instrument(tag="V-501.pressure", low=0.0, high=2.5, resolution=0.001, noise=0.001, is_loop=True),
                Instrument(tag="V-501.temperature", low=-50.0, high=80.0, resolution=0.1, noise=0.05, lag_s=20.0),
                Instrument(tag="H-501.flow", low=0.0, high=20.0, resolution=0.01, noise=0.03, lag_s=1.0, is_loop=True),
                Instrument(tag="H-501.pressure", low=0.0, high=2.5, resolution=0.001, noise=0.002, is_loop=True),
                *(
                    Instrument(
                        tag=f"{name}.lel", low=0.0, high=100.0, resolution=0.1, noise=0.15, wander=0.3, wander_s=120.0,
                        is_loop=True,
                    )
                    for name in DETECTORS
                ),
            ],
            bank,
        )  # fmt: skip
        self.tags = self._bank.tags
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    @property
    def leaking_kg_s(self) -> float:
        """Give what leaves the hose and hangs in the air."""
        return airborne_kg_s(self.tanker)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.air.blow(dt_s, self._weather_dice)
        self.valve.step(dt_s)
        flowing = self.pump_kg_s * self.valve.opening * (0.2 if self.hole_m > 0 else 1.0)  # A torn hose.
        self.tanker.outflow_kg_s = self.bullet.inflow_kg_s = flowing
        self.bullet.feed_k = self.tanker.temperature_k
        self.tanker.hole_m = self.hole_m * self.valve.opening**0.5
        self.tanker.step(dt_s, self.weather.air_k)
        self.bullet.step(dt_s, self.weather.air_k)
        self._note(self.air.step(dt_s, self.leaking_kg_s))
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def _note(self, percent_lel: NDArray[np.float64]) -> None:
        for name, percent in zip(DETECTORS, percent_lel, strict=True):
            if percent >= 1.0:
                self.milestones.setdefault(f"cloud at {name}", self.time_s)
        if percent_lel[-1] >= 50.0:
            self.milestones.setdefault("50 % LEL at the fence", self.time_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "pump":
                self.pump_kg_s = amount
            case "tear":
                self.hole_m = amount / 1000
            case "shut":
                self.valve.is_shut = True
            case "open":
                self.valve.is_shut = False
            case "wind":
                self.weather.wind_mean_m_s = amount
            case "wind_from":
                self.weather.wind_from_deg = amount
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        return np.array(
            [
                self.bullet.level_m,
                (self.bullet.pressure_pa - ATMOSPHERE_PA) / 1e6,
                self.bullet.temperature_k - ZERO_C,
                self.bullet.inflow_kg_s,
                (self.tanker.pressure_pa * (0.3 if self.hole_m > 0 else 1.0) * self.valve.opening) / 1e6,
                *self.air.detectors.shown,
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true; for gas, what a perfect detector with the same lag shows."""
        return self._true


KIND: Final = PlantKind(
    name="lpg-bay",
    make=LpgBay,
    site="lpg-bay",
    milestones={
        **{
            f"cloud at {name}": {"en": f"1 % LEL in the air at {name}", "zh": f"气云到达 {name}(1 % LEL)"}
            for name in DETECTORS
        },
        "50 % LEL at the fence": {"en": "half of the lower explosive limit at GD-510", "zh": "厂界达到 50 % LEL"},
    },
    verbs={
        "pump": Verb(units=("H-501",), amount="kg/s", least=0.0, most=20.0),
        "tear": Verb(units=("H-501",), amount="mm, 0 mends it", least=0.0, most=80.0),
        "shut": Verb(units=("H-501",)),
        "open": Verb(units=("H-501",)),
        "wind": Verb(units=("bay",), amount="m/s", least=0.5, most=20.0),
        "wind_from": Verb(units=("bay",), amount="degrees, 270 west", least=0.0, most=360.0),
    },
)
