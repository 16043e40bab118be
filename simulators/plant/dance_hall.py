"""A hall behind its foyer, each approved for a number of persons; doors that count, and cameras that estimate.

Why: who is inside is known from two sides, by what the doors count and by what a camera sees, and either may lie.
"""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument import Bank, Instrument
from simulators.physics.crowd import OUTSIDE, Area, Crowd, Passage
from simulators.plant.port import PlantKind, Verb

HALL: Final = "RM-801"
FOYER: Final = "RM-802"
MAIN: Final = "DR-811"  # foyer to hall
SIDE: Final = "DR-812"  # street to hall
STREET: Final = "DR-813"  # street to foyer; nobody counts here
#: Persons for whom each is approved.
APPROVED: Final = {HALL: 200, FOYER: 150}
MISS: Final = 0.01  # A door's beam takes two who walk abreast for one (ours).
INWARDS: Final = 0.9  # share of those in the foyer who go on into the hall; the others leave (ours)


class DanceHall:
    """Hall, foyer and three doors."""

    def __init__(self, dice: Generator) -> None:
        people, bank = dice.spawn(2)
        self.time_s = 0.0
        self.milestones: dict[str, float] = {}
        self.crowd = Crowd(
            areas={
                HALL: Area(name=HALL, area_m2=240.0, stay_s=7_200.0),
                FOYER: Area(name=FOYER, area_m2=120.0, stay_s=120.0),
            },
            passages={
                MAIN: Passage(name=MAIN, from_to=(FOYER, HALL), width_m=1.8, share=INWARDS, share_back=0.7, miss=MISS),
                SIDE: Passage(name=SIDE, from_to=(OUTSIDE, HALL), width_m=1.2, share_back=0.3, miss=MISS),
                STREET: Passage(name=STREET, from_to=(OUTSIDE, FOYER), width_m=2.4, share_back=1 - INWARDS),
            },
        )
        self._people_dice = people
        self._bank = Bank(
            [
                *(
                    Instrument(tag=f"{door}.{way}", is_count=True)
                    for door in (MAIN, SIDE)
                    for way in ("in", "out")
                ),
                *(
                    Instrument(tag=f"{room}.camera", low=0.0, resolution=1.0, noise=2.0, wander=2.0, lag_s=5.0)
                    for room in APPROVED
                ),
            ],
            bank,
        )  # fmt: skip
        self.tags = self._bank.tags
        self._true = self._measure()
        self._shown = self._look(1.0)

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        self.time_s += dt_s
        self.crowd.step(dt_s, self._people_dice)
        for room, most in APPROVED.items():
            if self.crowd.areas[room].persons > most:
                self.milestones.setdefault(f"{room} over its head count", self.time_s)
        self._true = self._measure()
        self._shown = self._look(dt_s)

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen."""
        match verb:
            case "arrive":
                self.crowd.arriving_s[unit] = amount
                if not amount:
                    self.crowd.queues[unit] = 0  # Who waits outside is sent home.
            case "stay":
                self.crowd.areas[unit].stay_s = amount
            case "close" | "open":
                share = INWARDS if verb == "open" else 0.0
                self.crowd.passages[MAIN].share = share
                self.crowd.passages[STREET].share_back = 1 - share
            case _:
                raise KeyError(verb, unit)

    def _measure(self) -> NDArray[np.float64]:
        """Give who really passed and who is there."""
        doors = [self.crowd.passages[name] for name in (MAIN, SIDE)]
        passed = [number for door in doors for number in (door.passed_in, door.passed_out)]
        return np.array([*passed, *(self.crowd.areas[room].persons for room in APPROVED)], dtype=np.float64)

    def _look(self, dt_s: float) -> NDArray[np.float64]:
        """Give what doors counted, with those they missed, and what cameras estimate, never below nobody."""
        shown = np.maximum(self._bank.step(dt_s, self._true), 0.0)
        doors = [self.crowd.passages[name] for name in (MAIN, SIDE)]
        counted = [number for door in doors for number in (door.counted_in, door.counted_out)]
        shown[: len(counted)] = counted
        return shown

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show."""
        return self._shown

    def true(self) -> NDArray[np.float64]:
        """Give what is true."""
        return self._true


KIND: Final = PlantKind(
    name="dance-hall",
    make=DanceHall,
    site="dance-hall",
    milestones={
        f"{room} over its head count": {"en": f"more than {most} persons in {room}", "zh": f"{room} 超过核定 {most} 人"}
        for room, most in APPROVED.items()
    },
    verbs={
        "arrive": Verb(units=(SIDE, STREET), amount="persons/s", least=0.0, most=10.0),
        "close": Verb(units=(HALL,)),
        "open": Verb(units=(HALL,)),
        "stay": Verb(units=(HALL, FOYER), amount="s", least=10.0, most=86_400.0),
    },
)
