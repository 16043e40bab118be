"""A petrol depot with two tanks, after the one at Buncefield.

Source: Buncefield Major Incident Investigation Board, third progress report (2006): tank 912, 25 m across, filled from
a pipeline, its gauge frozen, its independent high-level switch without effect.
"""

import math
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.noise import Drift
from simulators.physics.shape import upright
from simulators.physics.substance import substance
from simulators.physics.tank import StorageTank
from simulators.physics.weather import Weather
from simulators.plant.port import PlantKind, Verb

TANKS: Final = ("TK-912", "TK-915")
ZERO_C, HOUR_S = 273.15, 3600.0
OVERFLOW_M: Final = 14.0
SWITCH_M: Final = 13.6  # ours: the report does not give it; 0.4 m below the vents
PUMP_WANDER: Final = 0.01

_MEASURED: Final = ("level", "inlet_flow", "outlet_flow", "temperature", "pressure", "hh_switch")


def _instruments(tank: str) -> list[Instrument]:
    return [
        Instrument(tag=f"{tank}.level", low=0.0, high=15.0, resolution=0.001, noise=0.0012),  # servo or radar, ±1 mm
        Instrument(tag=f"{tank}.inlet_flow", low=0.0, high=1500.0, resolution=0.1, noise=1.5, lag_s=2.0, is_loop=True),
        Instrument(tag=f"{tank}.outlet_flow", low=0.0, high=1500.0, resolution=0.1, noise=1.5, lag_s=2.0, is_loop=True),
        Instrument(tag=f"{tank}.temperature", low=-40.0, high=80.0, resolution=0.1, noise=0.05, lag_s=30.0),
        Instrument(tag=f"{tank}.pressure", low=-1.0, high=5.0, resolution=0.01, noise=0.02, lag_s=1.0, is_loop=True),
        Instrument(tag=f"{tank}.hh_switch", is_count=True),
    ]


class PetrolDepot:
    """Two tanks of 25 m under one sky."""

    def __init__(self, dice: Generator) -> None:
        weather, flows, bank = dice.spawn(3)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.weather = Weather(time_s=19 * HOUR_S, mean_k=277.15, swing_k=3.0, cloud=0.7)
        self.tanks = {name: self._tank(level) for name, level in zip(TANKS, (6.0, 7.5), strict=True)}
        # A closed valve lets nothing wander; what is asked for stands here, what flows in the tank.
        self.asked_m3_h = {(name, way): 0.0 for name in TANKS for way in ("inlet", "outlet")}
        self._pumps = {key: Drift(sigma=PUMP_WANDER, tau_s=120.0) for key in self.asked_m3_h}
        self._bank = Bank([each for name in TANKS for each in _instruments(name)], bank)
        self.tags = self._bank.tags
        self._weather_dice, self._flow_dice = weather, flows
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def _tank(self, level_m: float) -> StorageTank:
        return StorageTank(
            shape=upright(25.0, 14.3), substance=substance("petrol"), level_m=level_m, overflow_m=OVERFLOW_M,
            temperature_k=279.15, feed_k=281.15, roof_m2=math.pi / 4 * 25**2, loss_w_k=3_000.0, vent_m3_s_pa=2e-3,
        )  # fmt: skip

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.weather.step(dt_s, self._weather_dice)
        for key, asked in self.asked_m3_h.items():
            flow = asked * (1 + self._pumps[key].step(dt_s, self._flow_dice)) / HOUR_S
            setattr(self.tanks[key[0]], "inflow_m3_s" if key[1] == "inlet" else "outflow_m3_s", max(0.0, flow))
        for name, tank in self.tanks.items():
            tank.step(dt_s, self.weather.air_k, self.weather.sun_w_m2)
            if tank.spilt_kg > 0:
                self.milestones.setdefault(f"{name} runs over", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        if verb == "level":
            self.tanks[unit] = self._tank(amount)
        else:
            self.asked_m3_h[unit, verb] = amount

    def _measure(self) -> NDArray[np.float64]:
        found: list[float] = []
        for tank in self.tanks.values():
            found += [
                tank.level_m,
                tank.inflow_m3_s * HOUR_S,
                tank.outflow_m3_s * HOUR_S,
                tank.temperature_k - ZERO_C,
                max(tank.pressure_pa, -ATMOSPHERE_PA) / 1000,
                float(tank.level_m >= SWITCH_M),
            ]
        return np.array(found)

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="petrol-depot",
    make=PetrolDepot,
    site="petrol-depot",
    milestones={
        f"{name} runs over": {"en": f"petrol leaves {name} by the vents of its roof", "zh": f"{name} 罐顶通气口冒油"}
        for name in TANKS
    },
    verbs={
        "inlet": Verb(units=TANKS, amount="m³/h", least=0.0, most=1_500.0),
        "outlet": Verb(units=TANKS, amount="m³/h", least=0.0, most=1_500.0),
        "level": Verb(units=TANKS, amount="m; the tank as it is found", least=0.0, most=OVERFLOW_M),
    },
)
