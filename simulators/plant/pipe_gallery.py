"""Four compartments of a pipe gallery, aired by one fan, with a gas pipe through them and a sump at the end.

Why: gas that leaks in a closed place takes the room of the air, so an oxygen meter says what a methane detector should.
"""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.gallery import Gallery
from simulators.physics.noise import Drift
from simulators.plant.port import PlantKind, Verb

COMPARTMENTS: Final = ("GC-601", "GC-602", "GC-603", "GC-604")
FAN: Final = "FAN-601"
SUMP: Final = "GC-604"
METHANE_LEL: Final = 0.05  # volume fraction; what the detectors are calibrated with
UNBREATHABLE: Final = 0.195  # oxygen, volume fraction (GB/T 50493, GB 30871)
AIR_M3_S: Final = 1.0  # six changes an hour of one compartment (ours)
LITRES: Final = 1000.0
CH4_LAG_S: Final = 20 / np.log(10)  # T90 of 20 s, catalytic
O2_LAG_S: Final = 30 / np.log(10)  # T90 of 30 s, electrochemical


def _instruments() -> list[Instrument]:
    found: list[Instrument] = []
    for name in COMPARTMENTS:
        found += [
            Instrument(
                tag=f"{name}.ch4", low=0.0, high=100.0, resolution=0.1, noise=0.15, wander=0.3, wander_s=600.0,
                lag_s=CH4_LAG_S, is_loop=True,
            ),
            Instrument(
                tag=f"{name}.o2", low=0.0, high=25.0, resolution=0.01, noise=0.03, wander=0.03, wander_s=600.0,
                lag_s=O2_LAG_S, is_loop=True,
            ),
        ]  # fmt: skip
    return [
        *found,
        Instrument(tag=f"{SUMP}.h2s", low=0.0, high=100.0, resolution=0.1, noise=0.1, lag_s=O2_LAG_S, is_loop=True),
        Instrument(tag=f"{SUMP}.humidity", low=0.0, high=100.0, resolution=0.1, noise=0.3, lag_s=30.0),
        Instrument(tag=f"{SUMP}.sump", low=0.0, high=3.0, resolution=0.001, noise=0.002, is_loop=True),
        Instrument(tag=f"{FAN}.running", is_count=True),
    ]


class PipeGallery:
    """The gallery and what hangs in it."""

    def __init__(self, dice: Generator) -> None:
        air, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.gallery = Gallery(compartments=len(COMPARTMENTS), air_m3_s=AIR_M3_S)
        self.gallery.sulphide_m3_s[-1] = 5e-7  # what a sump breathes: half a ppm in the fan's air
        self.asked_m3_s = AIR_M3_S
        self._gust = Drift(sigma=0.05, tau_s=60.0)  # The wind at the shafts helps and hinders (ours).
        self._air_dice = air
        self._bank = Bank(_instruments(), bank)
        self.tags = self._bank.tags
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.gallery.air_m3_s = max(0.0, (self.asked_m3_s or AIR_M3_S) * (1 + self._gust.step(dt_s, self._air_dice)))
        self.gallery.is_fan_on = self.asked_m3_s > 0
        self.gallery.step(dt_s)
        for name, (methane, oxygen, _) in zip(COMPARTMENTS, self.gallery.fractions, strict=True):
            if methane >= METHANE_LEL:
                self.milestones.setdefault(f"{name} explosive", self.time_s)
            if oxygen < UNBREATHABLE:
                self.milestones.setdefault(f"{name} short of oxygen", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "leak":
                self.gallery.methane_m3_s[COMPARTMENTS.index(unit)] = amount / LITRES
            case "air":
                self.asked_m3_s = amount
            case "seep":
                self.gallery.seeping_m3_s = amount / LITRES
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        found: list[float] = []
        for methane, oxygen, _ in self.gallery.fractions:
            found += [100 * methane / METHANE_LEL, 100 * oxygen]
        return np.array(
            [
                *found,
                1e6 * self.gallery.fractions[-1, 2],
                self.gallery.humidity[-1],
                self.gallery.water_m,
                float(self.gallery.is_fan_on),
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="pipe-gallery",
    make=PipeGallery,
    site="pipe-gallery",
    milestones={
        f"{name} {what}": {"en": f"{en} in {name}", "zh": f"{name} {zh}"}
        for what, en, zh in (
            ("explosive", "explosive air (5 %VOL)", "空气达到爆炸下限(5 %VOL)"),
            ("short of oxygen", "less than 19.5 %VOL of oxygen", "氧气低于 19.5 %VOL"),
        )
        for name in COMPARTMENTS
    },
    verbs={
        "leak": Verb(units=COMPARTMENTS, amount="litres/s of methane, 0 stops it", least=0.0, most=500.0),
        "air": Verb(units=(FAN,), amount="m³/s, 0 stands still", least=0.0, most=10.0),
        "seep": Verb(units=(SUMP,), amount="litres/s", least=0.0, most=50.0),
    },
)
