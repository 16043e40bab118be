"""An ammonia bullet whose liquid line leaks, with toxic gas detectors around it, a wind vane, and housing to the north.

Why: a release is dangerous to whom the wind brings it; when the wind turns, others are in danger than a minute before.
"""

import math
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.cloud import Cloud, Detectors
from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.shape import lying
from simulators.physics.substance import substance
from simulators.physics.vessel import PressureVessel
from simulators.physics.weather import Weather
from simulators.plant.port import PlantKind, Verb

#: Where detectors stand, m east, north and up from the flange that may leak.
DETECTORS: Final = {
    "GD-601": (8.0, 2.0, 1.5),
    "GD-602": (10.0, -2.0, 1.5),
    "GD-603": (5.0, 5.0, 1.5),
    "GD-604": (-2.0, 10.0, 1.5),
    "GD-605": (-9.0, 0.0, 1.5),
    "GD-611": (110.0, 0.0, 1.5),  # on the fence, east
    "GD-612": (0.0, 120.0, 1.5),  # on the fence, north
}
HOUSING_M: Final = (0.0, 260.0, 1.5)
T90_S: Final = 30.0  # electrochemical
PPM_FULL: Final = 100.0  # 100 % of what Detectors shows; so its percent are ppm
NOTICED_PPM: Final = 25.0
IDLH_PPM: Final = 300.0  # ammonia, NIOSH 1994
AIR_K: Final = 295.15
ZERO_C: Final = 273.15
WIDE_M, DEEP_M = 2.0, 1.0  # A flashing jet entrains air over some metres, and its cold vapour slumps (ours).
VALVE_S: Final = 10.0  # How long the shut-off valve travels (ours).
TURN_DEG_S: Final = 1.0  # How fast a front turns the wind (ours).


class AmmoniaYard:
    """A bullet, the flange on its liquid line, and the air around."""

    def __init__(self, dice: Generator) -> None:
        weather, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        own = substance("ammonia")
        self.weather = Weather(mean_k=AIR_K, swing_k=4.0, wind_mean_m_s=3.0, turn_deg=5.0, cloud=0.7)
        self.bullet = PressureVessel(shape=lying(3.0, 12.0), substance=own, fill=0.6, temperature_k=AIR_K)
        self.cloud = Cloud(height_m=1.0, every_s=1.0, width_m=WIDE_M, depth_m=DEEP_M)
        full = PPM_FULL * 1e-6 * own.gas_kg_m3(AIR_K, ATMOSPHERE_PA)
        self.detectors = Detectors(
            places_m=np.array(list(DETECTORS.values())), t90_s=np.full(len(DETECTORS), T90_S), full_kg_m3=full
        )
        self._places_m = np.array([*DETECTORS.values(), HOUSING_M])
        self.hole_m = 0.0
        self.is_shut = False
        self.opening = 1.0  # of the shut-off valve; it travels
        self.turning_to_deg = self.weather.wind_from_deg
        self._weather_dice = weather
        self._bank = Bank(
            [
                Instrument(tag="V-601.level", low=0.0, high=3.0, resolution=0.001, noise=0.001, is_loop=True),
                Instrument(tag="V-601.pressure", low=0.0, high=2.5, resolution=0.001, noise=0.001, is_loop=True),
                Instrument(tag="V-601.temperature", low=-50.0, high=80.0, resolution=0.1, noise=0.05, lag_s=20.0),
                Instrument(tag="WS-601.speed", low=0.0, high=60.0, resolution=0.1, noise=0.1),
                Instrument(tag="WS-601.direction", low=0.0, high=360.0, resolution=1.0, noise=2.0),
                *(
                    Instrument(
                        tag=f"{name}.nh3", low=0.0, high=100.0, resolution=0.1, noise=0.3, wander=0.5, wander_s=300.0,
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
        """Give what leaves the flange and hangs in the air: what flashes, and as much again as spray (CPR 14E 2.5)."""
        return self.bullet.leaking_kg_s * min(1.0, 2 * self.bullet.flashed)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self._turn(dt_s)
        self.weather.step(dt_s, self._weather_dice)
        travel = dt_s / VALVE_S
        self.opening += min(travel, max(-travel, (0.0 if self.is_shut else 1.0) - self.opening))
        self.bullet.hole_m = self.hole_m * math.sqrt(self.opening)
        self.bullet.step(dt_s, self.weather.air_k)
        self.cloud.step(dt_s, self.leaking_kg_s, self.weather.wind_m_s, self.weather.wind_to_rad)
        around = self.cloud.kg_m3(self._places_m, self.weather.stability)
        self.detectors.step(dt_s, around[:-1])
        self._note(PPM_FULL * around / self.detectors.full_kg_m3)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def _turn(self, dt_s: float) -> None:
        """Turn the wind, the shorter way round."""
        way = (self.turning_to_deg - self.weather.wind_from_deg + 180.0) % 360.0 - 180.0
        most = TURN_DEG_S * dt_s
        self.weather.wind_from_deg = (self.weather.wind_from_deg + min(most, max(-most, way))) % 360.0

    def _note(self, ppm: NDArray[np.float64]) -> None:
        for name, found in zip(DETECTORS, ppm, strict=False):
            if found >= NOTICED_PPM:
                self.milestones.setdefault(f"cloud at {name}", self.time_s)
        if ppm[-1] >= IDLH_PPM:
            self.milestones.setdefault("IDLH at the housing", self.time_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "leak":
                self.hole_m = amount / 1000
            case "shut":
                self.is_shut = True
            case "open":
                self.is_shut = False
            case "wind":
                self.weather.wind_mean_m_s = amount
            case "wind_from":
                self.turning_to_deg = amount
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        return np.array(
            [
                self.bullet.level_m,
                (self.bullet.pressure_pa - ATMOSPHERE_PA) / 1e6,
                self.bullet.temperature_k - ZERO_C,
                self.weather.wind_m_s,
                (270.0 - math.degrees(self.weather.wind_to_rad)) % 360.0,
                *self.detectors.shown,
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true; for gas, what a perfect detector with the same lag shows."""
        return self._true


KIND: Final = PlantKind(
    name="ammonia-yard",
    make=AmmoniaYard,
    site="ammonia-yard",
    milestones={
        **{
            f"cloud at {name}": {"en": f"25 ppm in the air at {name}", "zh": f"气云到达 {name}(25 ppm)"}
            for name in DETECTORS
        },
        "IDLH at the housing": {"en": "300 ppm at the housing to the north", "zh": "北侧居民区达到 300 ppm(IDLH)"},
    },
    verbs={
        "leak": Verb(units=("L-601",), amount="mm, 0 mends it", least=0.0, most=50.0),
        "shut": Verb(units=("L-601",)),
        "open": Verb(units=("L-601",)),
        "wind": Verb(units=("yard",), amount="m/s", least=0.5, most=20.0),
        "wind_from": Verb(units=("yard",), amount="degrees, 270 west; it turns by 1 a second", least=0.0, most=360.0),
    },
)
