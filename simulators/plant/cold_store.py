"""A cold store on ammonia: two compressors that share one suction, three rooms, and a machine that trips itself.

Why: a trip is the flood that everybody knows: one cause, a strainer that clogs, and a dozen alarms within a minute.
"""

import math
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.noise import Drift
from simulators.physics.refrigeration import Circuit, shaken_mm_s
from simulators.physics.substance import substance
from simulators.plant.port import PlantKind, Verb

MACHINES: Final = ("C-801", "C-802")
ROOMS: Final = ("CR-811", "CR-812", "CR-813")
ZERO_C: Final = 273.15
SWEPT_M3_S: Final = 0.0712  # Of each machine, 256 m³/h: what three rooms at -8 °C give when it boils at -15 °C.
RPM: Final = 2_960.0
RUN_UP_S, COAST_S = 4.0, 20.0  # Time constants of the rotor (ours).
OIL_L_MIN: Final = 80.0  # Of the oil pump; it falls with what is free of the strainer.
OIL_MPA: Final = 0.30  # Through a clean strainer; it falls with the square of what is free of it.
TRIP_MPA: Final = 0.10  # The machine's own protection stops it here, whatever a gateway says.
FULL_W, LOADED_A, IDLE_A = 42_000.0, 70.0, 20.0  # Of a motor: power at which it takes so much over its idle current.
LOAD_W: Final = 100_000.0  # Of each room.
VESSEL_M2: Final = 3.0  # Area of the separator's liquid.
HALL_M3, AIR_M3_S = 400.0, 1.2  # Machine room and its fan, some eleven changes an hour.
PPM_KG_M3: Final = 1e-6 * 0.708  # Ammonia at 20 °C: a millionth of 0.708 kg/m³.
GONE_K: Final = ZERO_C - 6.0


class ColdStore:
    """Two machines, one circuit, three rooms."""

    def __init__(self, dice: Generator) -> None:
        loads, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        own = substance("ammonia")
        self.circuit = Circuit(
            substance=own, swept_m3_s=[SWEPT_M3_S, SWEPT_M3_S], load_w=np.full(len(ROOMS), LOAD_W), room_ua=14_300.0,
            room_j_k=2e7, low_j_k=4e6, high_j_k=3e6, condenser_ua=54_000.0, feed_kg_s_pa=2.16e-5, low_kg=900.0,
            level_full_kg=1_350.0, level_empty_kg=450.0, low_k=ZERO_C - 15.0, high_k=ZERO_C + 35.1,
            water_k=ZERO_C + 28.0, high_kg=1_500.0, room_k=np.full(len(ROOMS), ZERO_C - 8.0),
        )  # fmt: skip
        self.is_on = [True, True]
        self.speed = [1.0, 1.0]
        self.free = [1.0, 1.0]  # share of each oil strainer
        self.clogging = [0.0, 0.0]  # share a minute
        self.key = [0.0, 0.0]
        self.load_w = LOAD_W
        self.leaking_kg_s = 0.0
        self.ammonia_kg_m3 = 0.0
        self._sway = [Drift(sigma=0.01, tau_s=300.0) for _ in ROOMS]
        self._load_dice = loads
        self._bank = Bank([*_of_machines(), *_of_circuit()], bank)
        self.tags = self._bank.tags
        self.circuit.step(0.001)  # So that its flows are there.
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        for place, name in enumerate(MACHINES):
            self.free[place] = max(0.0, self.free[place] - self.clogging[place] / 60 * dt_s)
            if self.is_on[place] and self.speed[place] > 0.9 and self._oil_mpa(place) < TRIP_MPA:
                self.is_on[place] = False
                self.milestones.setdefault(f"{name} trips", self.time_s)
            to, tau = (1.0, RUN_UP_S) if self.is_on[place] else (0.0, COAST_S)
            self.speed[place] += (to - self.speed[place]) * (1 - math.exp(-dt_s / tau))
        self.circuit.swept_m3_s = [SWEPT_M3_S * speed for speed in self.speed]
        sway = [1 + each.step(dt_s, self._load_dice) for each in self._sway]
        self.circuit.load_w = self.load_w * np.array(sway)
        self.circuit.step(dt_s)
        keep = math.exp(-AIR_M3_S / HALL_M3 * dt_s)  # A stirred room: exact for a constant leak.
        self.ammonia_kg_m3 = self.ammonia_kg_m3 * keep + self.leaking_kg_s / AIR_M3_S * (1 - keep)
        for name, room_k in zip(ROOMS, self.circuit.room_k, strict=True):
            if room_k >= GONE_K:
                self.milestones.setdefault(f"{name} at -6 °C", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        place = MACHINES.index(unit) if unit in MACHINES else -1
        match verb:
            case "clog":
                self.clogging[place] = amount / 100
                if amount == 0:
                    self.free[place] = 1.0
            case "start" | "stop":
                self.is_on[place] = verb == "start"
            case "key":
                self.key[place] = amount
            case "load":
                self.load_w = amount * 1000 / len(ROOMS)
            case "water":
                self.circuit.water_k = amount + ZERO_C
            case "release":
                self.leaking_kg_s = amount / 1000
            case _:
                raise KeyError(verb, unit)

    def _oil_mpa(self, place: int) -> float:
        return OIL_MPA * self.free[place] ** 2 * min(1.0, self.speed[place] / 0.9)

    def _measure(self) -> NDArray[np.float64]:
        circuit, found = self.circuit, list[float]()
        for place in range(len(MACHINES)):
            speed = self.speed[place]
            is_fed = 1.0 if self.is_on[place] else 0.0
            amperes = IDLE_A + LOADED_A * circuit.power_w[place] / FULL_W
            pumped = OIL_L_MIN * self.free[place] * min(1.0, speed / 0.9)
            found += [self._oil_mpa(place), pumped, RPM * speed, is_fed * amperes, circuit.flow_kg_s[place]]
            found.append(shaken_mm_s(speed))
        supply_k = 0.5 * (circuit.room_k + circuit.low_k)
        return np.array(
            [
                *found,
                (circuit.low_pa - ATMOSPHERE_PA) / 1e6,
                (circuit.high_pa - ATMOSPHERE_PA) / 1e6,
                circuit.low_kg / circuit.substance.liquid_kg_m3(circuit.low_k) / VESSEL_M2,
                circuit.feed_kg_s,
                self.ammonia_kg_m3 / PPM_KG_M3,
                *(supply_k - ZERO_C),
                *(circuit.room_k - ZERO_C),
                *self.key,
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


def _of_machines() -> list[Instrument]:
    return [
        instrument
        for name in MACHINES
        for instrument in (
            Instrument(tag=f"{name}.oil_pressure", low=0.0, high=0.6, resolution=0.001, noise=0.0015, is_loop=True),
            Instrument(tag=f"{name}.oil_flow", low=0.0, high=120.0, resolution=0.1, noise=0.3, is_loop=True),
            Instrument(tag=f"{name}.speed", low=0.0, high=4000.0, resolution=1.0, noise=2.0),
            Instrument(tag=f"{name}.current", low=0.0, high=200.0, resolution=0.1, noise=0.3, lag_s=0.5),
            Instrument(tag=f"{name}.flow", low=0.0, high=0.5, resolution=0.001, noise=0.001, lag_s=1.0),
            Instrument(tag=f"{name}.vibration", low=0.0, high=20.0, resolution=0.1, noise=0.1),
        )
    ]


def _of_circuit() -> list[Instrument]:
    return [
        Instrument(tag="RF-801.suction_pressure", low=-0.1, high=1.0, resolution=0.001, noise=0.0006),
        Instrument(tag="RF-801.discharge_pressure", low=0.0, high=2.5, resolution=0.001, noise=0.001),
        Instrument(tag="RF-801.separator_level", low=0.0, high=1.5, resolution=0.001, noise=0.001, lag_s=3.0),
        Instrument(tag="RF-801.feed_flow", low=0.0, high=1.0, resolution=0.001, noise=0.002, lag_s=2.0),
        Instrument(tag="GD-801.nh3", low=0.0, high=100.0, resolution=0.1, noise=0.3, lag_s=15.0, is_loop=True),
        *(_thermometer(f"{room}.supply", 0.05, 15.0) for room in ROOMS),
        *(_thermometer(f"{room}.air", 0.03, 30.0) for room in ROOMS),
        *(Instrument(tag=f"{name}.key", is_count=True) for name in MACHINES),
    ]  # fmt: skip


def _thermometer(tag: str, noise: float, lag_s: float) -> Instrument:
    return Instrument(tag=tag, low=-40.0, high=40.0, resolution=0.1, noise=noise, lag_s=lag_s)


KIND: Final = PlantKind(
    name="cold-store",
    make=ColdStore,
    site="cold-store",
    milestones={
        **{f"{name} trips": {"en": f"{name} stops itself", "zh": f"{name} 保护停机"} for name in MACHINES},
        **{f"{room} at -6 °C": {"en": f"{room} is at -6 °C", "zh": f"{room} 升至 -6 °C"} for room in ROOMS},
    },
    verbs={
        "clog": Verb(units=MACHINES, amount="% of the oil strainer a minute, 0 cleans it", least=0.0, most=600.0),
        "start": Verb(units=MACHINES),
        "stop": Verb(units=MACHINES),
        "key": Verb(units=MACHINES, amount="1 under maintenance, 0 not", least=0.0, most=1.0),
        "load": Verb(units=("RF-801",), amount="kW of all rooms", least=0.0, most=600.0),
        "water": Verb(units=("RF-801",), amount="°C of the condenser's water", least=5.0, most=40.0),
        "release": Verb(
            units=MACHINES, amount="g/s of ammonia into the machine room, 0 stops it", least=0.0, most=100.0
        ),
    },
)
