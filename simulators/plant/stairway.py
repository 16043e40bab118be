"""A one-way stairway up to a viewing deck, gates that count, and cameras that tell the density where it is densest.

Why: when the barrier breaks and people go down where others come up, a stairway locks and a deck fills within the hour.
"""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.crowd import OUTSIDE, Area, Crowd, Passage
from simulators.plant.port import PlantKind, Verb

STAIR, DECK = "Z-462", "Z-463"
FOOT, HEAD, RAMP = "ST-462", "ST-463", "GT-464"
UNEVEN: Final = {STAIR: 1.2, DECK: 1.3}  # how much denser it is where it is densest (ours)
STAIRS: Final = 0.8  # what a stair passes of a level way: 66 of 82 persons/m/min (Green Guide)
MISS: Final = {FOOT: 0.02, HEAD: 0.02, RAMP: 0.02}  # A gate's beam takes two who walk abreast for one (ours).
CRUSH: Final = 6.0  # persons/m² where it is densest


class Stairway:
    """The stairway, the deck, and their gates and cameras."""

    def __init__(self, dice: Generator) -> None:
        people, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.crowd = Crowd(
            areas={
                STAIR: Area(name=STAIR, area_m2=60.0, stay_s=20.0, uneven=UNEVEN[STAIR]),
                DECK: Area(name=DECK, area_m2=300.0, stay_s=240.0, uneven=UNEVEN[DECK]),
            },
            passages={
                FOOT: Passage(name=FOOT, from_to=(OUTSIDE, STAIR), width_m=6.0, factor=STAIRS, miss=MISS[FOOT]),
                HEAD: Passage(name=HEAD, from_to=(STAIR, DECK), width_m=6.0, factor=STAIRS, miss=MISS[HEAD]),
                RAMP: Passage(name=RAMP, from_to=(DECK, OUTSIDE), width_m=4.0, is_one_way=True, miss=MISS[RAMP]),
            },
        )
        self.back = 0.0  # share of those who leave the deck that go down the stairway
        self._down = 0  # of those on the stairway
        self._people_dice = people
        self._bank = Bank(
            [
                *(Instrument(tag=tag, is_count=True) for tag in ("ST-462.up", "ST-462.down")),
                *(Instrument(tag=tag, is_count=True) for tag in ("ST-463.up", "ST-463.down")),
                Instrument(tag="GT-464.out", is_count=True),
                *(
                    Instrument(tag=f"{zone}.camera", resolution=0.01, noise=0.08, wander=0.08, lag_s=8.0)
                    for zone in (STAIR, DECK)
                ),
            ],
            bank,
        )  # fmt: skip
        self.tags = self._bank.tags
        self._true = self._measure()
        self._shown = self._look(1.0)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s; who came up the stairway goes on up, who came down goes on down."""
        self.time_s += dt_s
        foot, head = self.crowd.passages[FOOT], self.crowd.passages[HEAD]
        on_it = self.crowd.areas[STAIR].persons
        share_down = min(1.0, self._down / on_it) if on_it else 0.0
        head.share, foot.share_back = 1 - share_down, share_down
        head.share_back, self.crowd.passages[RAMP].share = self.back, 1 - self.back
        before = head.passed_out - foot.passed_out
        self.crowd.step(dt_s, self._people_dice)
        self._down = max(0, self._down + head.passed_out - foot.passed_out - before)
        for name, area in self.crowd.areas.items():
            if area.local_density >= CRUSH:
                self.milestones.setdefault(f"{name} crush", self.time_s)
        self._true = self._measure()
        self._shown = self._look(dt_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "arrive":
                self.crowd.arriving_s[unit] = amount
                if not amount:
                    self.crowd.queues[unit] = 0  # Who waits at the foot is sent home.
            case "stay":
                self.crowd.areas[unit].stay_s = amount
            case "turn_back":
                self.back = amount
            case "free":
                self.crowd.passages[unit].freedom = amount
            case _:
                raise KeyError(verb, unit)

    def _gates(self, way: str) -> list[int]:
        foot, head, ramp = (self.crowd.passages[name] for name in (FOOT, HEAD, RAMP))
        return [
            getattr(foot, f"{way}_in"),
            getattr(foot, f"{way}_out"),
            getattr(head, f"{way}_in"),
            getattr(head, f"{way}_out"),
            getattr(ramp, f"{way}_in"),
        ]

    def _measure(self) -> NDArray[np.float64]:
        """Give who really passed, and the density where it is densest."""
        return np.array([*self._gates("passed"), *(area.local_density for area in self.crowd.areas.values())])

    def _look(self, dt_s: float) -> NDArray[np.float64]:
        """Give what gates counted, with those they missed, and what cameras estimate."""
        shown = self._bank.step(dt_s, self._true)
        counted = self._gates("counted")
        shown[: len(counted)] = counted
        return shown

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="stairway",
    make=Stairway,
    site="stairway",
    milestones={
        f"{zone} crush": {"en": f"6 persons/m² where {zone} is densest", "zh": f"{zone} 局部密度达 6 人/m²"}
        for zone in (STAIR, DECK)
    },
    verbs={
        "arrive": Verb(units=(FOOT,), amount="persons/s", least=0.0, most=20.0),
        "stay": Verb(units=(STAIR, DECK), amount="s", least=5.0, most=7_200.0),
        "turn_back": Verb(units=(DECK,), amount="share of the leaving", least=0.0, most=1.0),
        "free": Verb(units=(FOOT, HEAD, RAMP), amount="share of the width", least=0.0, most=1.0),
    },
)
