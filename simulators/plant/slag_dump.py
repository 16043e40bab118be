"""A slag dump above a road: three wires on its face, one on its neighbour, a rain gauge, a pipe that shows its water.

Why: how far a slope has moved says little, how fast it moves more, and that it moves faster and faster says when.
"""

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.noise import Drift
from simulators.physics.slope import Slope
from simulators.plant.port import PlantKind, Verb

DUMP: Final = "SD-901"
#: Wires, and which share of the face's movement each sees; the last one is on the neighbour.
WIRES: Final = {"DX-911": 1.0, "DX-912": 0.85, "DX-913": 0.6}
NEIGHBOUR: Final = "DX-914"
GAUGE: Final = "RG-901"
CREEP_M_S: Final = 1e-9  # 3 mm a month when dry (ours).
STEEP: Final = 60.0  # A of dv/dt = A·v²: a face of loose slag moves decimetres before it runs (ours).
WET: Final = 220.0  # At the critical content of water it creeps so many times as fast as dry (ours).
DOOMED_M_S: Final = 2.5e-7  # 1 mm/h: from here on it goes on when the rain is over (ours).
DRY_LEVEL_M, LEVEL_PER_WATER = 1.0, 16.0  # What the pipe shows without water, and by metre of water (ours).
MEMORY_S: Final = 3 * 86_400.0
MM, HOUR_S = 1000.0, 3600.0
FAST_MM_H: Final = 10.0


class SlagDump:
    """The dump, its weather and its instruments."""

    def __init__(self, dice: Generator) -> None:
        rain, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.slope = Slope(creep_m_s=CREEP_M_S, steep=STEEP, wet=WET, doomed_m_s=DOOMED_M_S)
        self.neighbour = Slope(creep_m_s=CREEP_M_S, steep=STEEP, wet=WET, doomed_m_s=DOOMED_M_S)
        self.asked_mm_h = 0.0
        self.rain_mm_h = 0.0
        self._fell: deque[tuple[float, float]] = deque()  # (until, mm) of the last three days
        self._fallen_mm = 0.0
        self._gust = Drift(sigma=0.1, tau_s=900.0)
        self._rain_dice = rain
        self._bank = Bank(
            [
                *(
                    Instrument(
                        tag=f"{wire}.shift", low=-50.0, high=2000.0, resolution=0.01, noise=0.03, wander=0.15,
                        wander_s=6 * HOUR_S,
                    )
                    for wire in (*WIRES, NEIGHBOUR)
                ),
                Instrument(tag=f"{GAUGE}.rain", is_count=True),
                Instrument(tag=f"{GAUGE}.rain_72h", is_count=True),
                Instrument(tag="PZ-901.water", low=0.0, high=20.0, resolution=0.01, noise=0.01, lag_s=600.0),
            ],
            bank,
        )  # fmt: skip
        self.tags = self._bank.tags
        self._true = self._measure()
        self._bank.step(1.0, self._true)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.rain_mm_h = max(0.0, self.asked_mm_h * (1 + self._gust.step(dt_s, self._rain_dice)))
        self._remember(dt_s)
        self.slope.rain_m_s = self.rain_mm_h / MM / HOUR_S
        self.slope.step(dt_s)
        self.neighbour.step(dt_s)  # It is drained, and stays dry.
        if self.slope.speed_m_s * MM * HOUR_S >= FAST_MM_H:
            self.milestones.setdefault("10 mm/h", self.time_s)
        if self.slope.is_broken:
            self.milestones.setdefault("the dump comes down", self.time_s)
        self._true = self._measure()
        self._bank.step(dt_s, self._true)

    def _remember(self, dt_s: float) -> None:
        """Keep what fell within three days, as the gauge's logger does."""
        if self.rain_mm_h > 0:
            self._fell.append((self.time_s, self.rain_mm_h * dt_s / HOUR_S))
            self._fallen_mm += self._fell[-1][1]
        while self._fell and self._fell[0][0] <= self.time_s - MEMORY_S:
            self._fallen_mm -= self._fell.popleft()[1]
        if not self._fell:
            self._fallen_mm = 0.0

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "rain":
                self.asked_mm_h = amount
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        moved_mm = min(self.slope.moved_m, 1.9) * MM  # The wires tear at 1.9 m.
        return np.array(
            [
                *(moved_mm * share for share in WIRES.values()),
                self.neighbour.moved_m * MM,
                math.floor(self.rain_mm_h * 10) / 10,
                math.floor(self._fallen_mm * 10) / 10,
                DRY_LEVEL_M + LEVEL_PER_WATER * self.slope.water_m,
            ]
        )

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._bank.shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="slag-dump",
    make=SlagDump,
    site="slag-dump",
    milestones={
        "10 mm/h": {"en": "the face moves 10 mm an hour", "zh": "坡面位移速率达 10 mm/h"},
        "the dump comes down": {"en": "the dump comes down", "zh": "渣场滑塌"},
    },
    verbs={"rain": Verb(units=(GAUGE,), amount="mm/h", least=0.0, most=200.0)},
)
