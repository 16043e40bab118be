"""A gas line of 20 km with a meter and a pressure gauge at both ends, a third gauge half way, and two section valves.

Why: a rupture is seen by pressure within seconds, a pin-hole by nothing but the books of what came in and went out.
"""

import math
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.gas_line import Pipeline
from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.noise import Drift
from simulators.physics.substance import substance
from simulators.plant.port import PlantKind, Verb

LINE: Final = "GL-701"
LENGTH_M, BORE_M, CELLS = 20_000.0, 0.3, 40
HOLE_AT_M: Final = 9_750.0
#: Section valves, by the face between cells that each shuts.
VALVES: Final = {"XV-711": 9, "XV-712": 29}
VALVE_S: Final = 20.0  # How long a section valve travels; it is open until it is shut (ours).
DRAW_NM3_H: Final = 12_000.0
NORMAL_M3_MOL: Final = 0.022_413_97  # at 0 °C and 101.325 kPa (CODATA 2018)
NO_GAS_PA: Final = 2e5  # gauge; below it customers' regulators no longer hold (ours)
TONS: Final = (1, 10)
HOUR_S, ZERO_C, DAY_S = 3600.0, 273.15, 86_400.0


class GasPipeline:
    """The line and its instruments; its clock begins at midnight."""

    def __init__(self, dice: Generator) -> None:
        demand, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        gas = substance("methane")
        self.kg_nm3 = gas.molar_kg / NORMAL_M3_MOL
        self.line = Pipeline(
            substance=gas, length_m=LENGTH_M, bore_m=BORE_M, cells=CELLS, hole_at_m=HOLE_AT_M,
            draw_kg_s=DRAW_NM3_H * self.kg_nm3 / HOUR_S,
        )  # fmt: skip
        self.asked_nm3_h = DRAW_NM3_H
        self.swing = 0.0  # share by which the day moves demand
        self._shut_at: dict[str, float] = {}
        self._demand = Drift(sigma=0.01, tau_s=300.0)
        self._demand_dice = demand
        self._bank = Bank(
            [
                *(
                    Instrument(
                        tag=f"{LINE}.{way}_flow", low=0.0, high=50_000.0, resolution=1.0, noise=25.0, wander=15.0,
                        wander_s=600.0,
                    )
                    for way in ("inlet", "outlet")
                ),
                *(
                    Instrument(
                        tag=f"{LINE}.{where}_pressure", low=0.0, high=1.6, resolution=0.0005, noise=0.0005, is_loop=True
                    )
                    for where in ("inlet", "mid", "outlet")
                ),
                Instrument(tag=f"{LINE}.temperature", low=-20.0, high=60.0, resolution=0.1, noise=0.05, lag_s=60.0),
                *(Instrument(tag=f"{valve}.open", is_count=True) for valve in VALVES),
            ],
            bank,
        )  # fmt: skip
        self.tags = self._bank.tags
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        day = math.sin(2 * math.pi * (self.time_s / DAY_S - 0.25)) + 0.5 * math.sin(4 * math.pi * self.time_s / DAY_S)
        asked = self.asked_nm3_h * (1 + self.swing * day) * (1 + self._demand.step(dt_s, self._demand_dice))
        self.line.draw_kg_s = max(0.0, asked) * self.kg_nm3 / HOUR_S
        self.line.shut = {VALVES[valve] for valve, at_s in self._shut_at.items() if self.time_s >= at_s}
        self.line.step(dt_s)
        for tons in TONS:
            if self.line.leaked_kg >= 1000 * tons:
                self.milestones.setdefault(f"{tons} t of gas out", self.time_s)
        if self.line.far_pa - ATMOSPHERE_PA < NO_GAS_PA:
            self.milestones.setdefault("customers without gas", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "leak":
                self.line.hole_m = amount / 1000
            case "draw":
                self.asked_nm3_h = amount
            case "swing":
                self.swing = amount
            case "shut":
                self._shut_at[unit] = self.time_s + VALVE_S
            case "open":
                self._shut_at.pop(unit, None)
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        line = self.line
        gauges = (line.pressures_pa[[0, CELLS // 2, CELLS - 1]] - ATMOSPHERE_PA) / 1e6
        shut = {valve for valve, face in VALVES.items() if face in line.shut}
        return np.array(
            [
                line.feed_kg_s / self.kg_nm3 * HOUR_S,
                line.drawn_kg_s / self.kg_nm3 * HOUR_S,
                *gauges,
                line.temperature_k - ZERO_C,
                *(float(valve not in shut) for valve in VALVES),
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="gas-line",
    make=GasPipeline,
    site="gas-line",
    milestones={
        **{f"{tons} t of gas out": {"en": f"{tons} t of gas has leaked", "zh": f"泄漏燃气 {tons} 吨"} for tons in TONS},
        "customers without gas": {"en": "less than 0.2 MPa at the far end", "zh": "末站压力低于 0.2 MPa,用户停气"},
    },
    verbs={
        "leak": Verb(units=(LINE,), amount="mm, 0 mends it", least=0.0, most=300.0),
        "draw": Verb(units=(LINE,), amount="Nm³/h", least=0.0, most=30_000.0),
        "swing": Verb(units=(LINE,), amount="share by which the day moves demand", least=0.0, most=0.5),
        "shut": Verb(units=tuple(VALVES)),
        "open": Verb(units=tuple(VALVES)),
    },
)
