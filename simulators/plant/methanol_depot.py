"""Two methanol tanks under a hot sky, each with two level gauges and one breather valve.

Why: what two gauges of one liquid say must agree, and what a warming vapour space drives out must find a way out.
"""

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

TANKS: Final = ("TK-301", "TK-302")
ZERO_C, HOUR_S = 273.15, 3600.0
DIAMETER_M, SHELL_M, OVERFLOW_M = 16.0, 14.3, 14.0
WAKES_H: Final = 6.0  # The plant begins at sunrise.
ABSORB: Final = 0.6  # aluminium paint that has weathered (API 2517: diffuse)
VALVE_M3_S_PA: Final = 2e-3
SEAM_PA: Final = 3_000.0  # A weak seam of roof and shell opens at some 2 to 5 kPa (API 650 5.10.2.6); 3 is ours.
PUMP_WANDER: Final = 0.01


def _instruments(tank: str) -> list[Instrument]:
    return [
        Instrument(tag=f"{tank}.level_a", low=0.0, high=14.5, resolution=0.001, noise=0.0012, wander=0.002),
        Instrument(tag=f"{tank}.level_b", low=0.0, high=14.5, resolution=0.001, noise=0.0008, wander=0.002),
        Instrument(tag=f"{tank}.inlet_flow", low=0.0, high=900.0, resolution=0.1, noise=1.0, lag_s=2.0, is_loop=True),
        Instrument(tag=f"{tank}.temperature", low=-40.0, high=80.0, resolution=0.1, noise=0.05, lag_s=30.0),
        Instrument(tag=f"{tank}.pressure", low=-1.0, high=5.0, resolution=0.01, noise=0.02, lag_s=1.0, is_loop=True),
    ]


class MethanolDepot:
    """Two tanks of 16 m under one sky."""

    def __init__(self, dice: Generator) -> None:
        weather, flows, bank = dice.spawn(3)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.weather = Weather(time_s=WAKES_H * HOUR_S, mean_k=299.15, swing_k=5.0, cloud=0.1)
        self.tanks = {name: _tank(level) for name, level in zip(TANKS, (5.0, 7.0), strict=True)}
        self.asked_m3_h = {(name, way): 0.0 for name in TANKS for way in ("inlet", "outlet")}
        self.passing = dict.fromkeys(TANKS, 1.0)  # share of the valve that is free
        self._pumps = {key: Drift(sigma=PUMP_WANDER, tau_s=120.0) for key in self.asked_m3_h}
        self._bank = Bank([each for name in TANKS for each in _instruments(name)], bank)
        self.tags = self._bank.tags
        self._weather_dice, self._flow_dice = weather, flows
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.weather.step(dt_s, self._weather_dice)
        for key, asked in self.asked_m3_h.items():
            flow = max(0.0, asked * (1 + self._pumps[key].step(dt_s, self._flow_dice))) / HOUR_S
            setattr(self.tanks[key[0]], "inflow_m3_s" if key[1] == "inlet" else "outflow_m3_s", flow)
        for name, tank in self.tanks.items():
            tank.vent_m3_s_pa = VALVE_M3_S_PA * self.passing[name]
            tank.step(dt_s, self.weather.air_k, self.weather.sun_w_m2)
            if tank.spilt_kg > 0:
                self.milestones.setdefault(f"{name} runs over", self.time_s)
            if tank.pressure_pa >= SEAM_PA:
                self.milestones.setdefault(f"{name} roof seam opens", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "level":
                self.tanks[unit] = _tank(amount)
            case "vent":
                self.passing[unit] = amount
            case "air":
                self.weather.mean_k = amount + ZERO_C
            case _:
                self.asked_m3_h[unit, verb] = amount

    def _measure(self) -> NDArray[np.float64]:
        found: list[float] = []
        for tank in self.tanks.values():
            found += [
                tank.level_m,
                tank.level_m,
                tank.inflow_m3_s * HOUR_S,
                tank.temperature_k - ZERO_C,
                max(tank.pressure_pa, -ATMOSPHERE_PA) / 1000,
            ]
        return np.array(found)

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


def _tank(level_m: float) -> StorageTank:
    return StorageTank(
        shape=upright(DIAMETER_M, SHELL_M), substance=substance("methanol"), level_m=level_m, overflow_m=OVERFLOW_M,
        temperature_k=300.15, feed_k=300.15, roof_m2=np.pi / 4 * DIAMETER_M**2, loss_w_k=2_000.0, absorb=ABSORB,
        vent_m3_s_pa=VALVE_M3_S_PA,
    )  # fmt: skip


KIND: Final = PlantKind(
    name="methanol-depot",
    make=MethanolDepot,
    site="methanol-depot",
    milestones={
        **{
            f"{name} runs over": {
                "en": f"methanol leaves {name} by the vents of its roof",
                "zh": f"{name} 罐顶冒出甲醇",
            }
            for name in TANKS
        },
        **{
            f"{name} roof seam opens": {
                "en": f"{name}: the seam of roof and shell opens (3 kPa)",
                "zh": f"{name} 罐顶弱连接处撕开(3 kPa)",
            }
            for name in TANKS
        },
    },
    verbs={
        "inlet": Verb(units=TANKS, amount="m³/h", least=0.0, most=900.0),
        "outlet": Verb(units=TANKS, amount="m³/h", least=0.0, most=900.0),
        "level": Verb(units=TANKS, amount="m; the tank as it is found", least=0.0, most=OVERFLOW_M),
        "vent": Verb(units=TANKS, amount="share of the breather valve that is free", least=0.0, most=1.0),
        "air": Verb(units=("sky",), amount="°C, mean of the day", least=-40.0, most=50.0),
    },
)
