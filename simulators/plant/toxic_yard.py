"""A vessel of toxic liquefied gas whose liquid line leaks, detectors around it, a wind vane, and people to the north.

Why: a release is dangerous to whom the wind brings it; when the wind turns, others are in danger than a minute before.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
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

PPM_FULL: Final = 100.0  # 100 % of what Detectors shows; so its percent are ppm
AIR_K: Final = 295.15
ZERO_C: Final = 273.15
WIDE_M, DEEP_M = 2.0, 1.0  # A flashing jet entrains air over some metres, and its cold vapour slumps (ours).
VALVE_S: Final = 10.0  # How long the shut-off valve travels (ours).
TURN_DEG_S: Final = 1.0  # How fast a front turns the wind (ours).


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """What tells one yard from another.

    Attributes:
        substance: Word of ``simulators.physics.substance``.
        vessel, line, vane: Names of the vessel, of the line that leaks and of the wind vane.
        gas: Last part of the detectors' tags.
        detectors: Where they stand, m east, north and up from the flange.
        people_m, people: Where people are, and what the place is called, by language.
        diameter_m, length_m, fill: The vessel.
        t90_s, ppm_most, resolution, noise, wander: Of the detectors, ppm.
        noticed_ppm, idlh_ppm: Where a cloud counts as there; immediately dangerous to life or health (NIOSH).
    """

    name: str
    substance: str
    vessel: str
    line: str
    vane: str
    gas: str
    detectors: Mapping[str, tuple[float, float, float]]
    people_m: tuple[float, float, float]
    people: Mapping[str, str]
    diameter_m: float
    length_m: float
    fill: float
    t90_s: float
    ppm_most: float
    resolution: float
    noise: float
    wander: float
    noticed_ppm: float
    idlh_ppm: float

    @property
    def danger(self) -> str:
        """Give the milestone of those who live there."""
        return f"IDLH at the {self.people['en']}"


class ToxicYard:
    """The vessel, the flange on its liquid line, and the air around."""

    def __init__(self, yard: Yard, dice: Generator) -> None:
        weather, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.yard = yard
        own = substance(yard.substance)
        self.weather = Weather(mean_k=AIR_K, swing_k=4.0, wind_mean_m_s=3.0, turn_deg=5.0, cloud=0.7)
        shape = lying(yard.diameter_m, yard.length_m)
        self.bullet = PressureVessel(shape=shape, substance=own, fill=yard.fill, temperature_k=AIR_K)
        self.air = Surroundings(
            self.weather,
            Cloud(height_m=1.0, every_s=1.0, width_m=WIDE_M, depth_m=DEEP_M),
            yard.detectors,
            {"people": yard.people_m},
            t90_s=yard.t90_s,
            full_kg_m3=PPM_FULL * 1e-6 * own.gas_kg_m3(AIR_K, ATMOSPHERE_PA),
        )
        self.hole_m = 0.0
        self.valve = ShutOff(travel_s=VALVE_S)
        self.turning_to_deg = self.weather.wind_from_deg
        self._weather_dice = weather
        self._bank = Bank(_instruments(yard), bank)
        self.tags = self._bank.tags
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    @property
    def leaking_kg_s(self) -> float:
        """Give what leaves the flange and hangs in the air."""
        return airborne_kg_s(self.bullet)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self._turn(dt_s)
        self.air.blow(dt_s, self._weather_dice)
        self.valve.step(dt_s)
        self.bullet.hole_m = self.hole_m * math.sqrt(self.valve.opening)
        self.bullet.step(dt_s, self.weather.air_k)
        self._note(self.air.step(dt_s, self.leaking_kg_s))
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def _turn(self, dt_s: float) -> None:
        """Turn the wind, the shorter way round."""
        way = (self.turning_to_deg - self.weather.wind_from_deg + 180.0) % 360.0 - 180.0
        most = TURN_DEG_S * dt_s
        self.weather.wind_from_deg = (self.weather.wind_from_deg + min(most, max(-most, way))) % 360.0

    def _note(self, ppm: NDArray[np.float64]) -> None:
        for name, found in zip(self.yard.detectors, ppm, strict=False):
            if found >= self.yard.noticed_ppm:
                self.milestones.setdefault(f"cloud at {name}", self.time_s)
        if ppm[-1] >= self.yard.idlh_ppm:
            self.milestones.setdefault(self.yard.danger, self.time_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "leak":
                self.hole_m = amount / 1000
            case "shut":
                self.valve.is_shut = True
            case "open":
                self.valve.is_shut = False
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
                *self.air.detectors.shown,
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true; for gas, what a perfect detector with the same lag shows."""
        return self._true


def _instruments(yard: Yard) -> list[Instrument]:
    vessel, vane = yard.vessel, yard.vane
    return [
        Instrument(
            tag=f"{vessel}.level", low=0.0, high=yard.diameter_m, resolution=0.001, noise=0.001, is_loop=True
        ),
        Instrument(tag=f"{vessel}.pressure", low=0.0, high=2.5, resolution=0.001, noise=0.001, is_loop=True),
        Instrument(tag=f"{vessel}.temperature", low=-50.0, high=80.0, resolution=0.1, noise=0.05, lag_s=20.0),
        Instrument(tag=f"{vane}.speed", low=0.0, high=60.0, resolution=0.1, noise=0.1),
        Instrument(tag=f"{vane}.direction", low=0.0, high=360.0, resolution=1.0, noise=2.0),
        *(
            Instrument(
                tag=f"{name}.{yard.gas}", low=0.0, high=yard.ppm_most, resolution=yard.resolution, noise=yard.noise,
                wander=yard.wander, wander_s=300.0, is_loop=True,
            )
            for name in yard.detectors
        ),
    ]  # fmt: skip


def kind_of(yard: Yard) -> PlantKind:
    """Give the kind of plant that a yard is."""
    noticed = f"{yard.noticed_ppm:g} ppm"
    return PlantKind(
        name=yard.name,
        make=lambda dice: ToxicYard(yard, dice),
        site=yard.name,
        milestones={
            **{
                f"cloud at {name}": {"en": f"{noticed} in the air at {name}", "zh": f"气云到达 {name}({noticed})"}
                for name in yard.detectors
            },
            yard.danger: {
                "en": f"{yard.idlh_ppm:g} ppm at the {yard.people['en']} to the north",
                "zh": f"北侧{yard.people['zh']}达到 {yard.idlh_ppm:g} ppm(IDLH)",
            },
        },
        verbs={
            "leak": Verb(units=(yard.line,), amount="mm, 0 mends it", least=0.0, most=50.0),
            "shut": Verb(units=(yard.line,)),
            "open": Verb(units=(yard.line,)),
            "wind": Verb(units=("yard",), amount="m/s", least=0.5, most=20.0),
            "wind_from": Verb(
                units=("yard",), amount="degrees, 270 west; it turns by 1 a second", least=0.0, most=360.0
            ),
        },
    )
