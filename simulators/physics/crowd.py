"""A crowd in zones and rooms joined by gates, counted by counters that may miscount.

Why: what a counter shows and who is there are two numbers; a site that sums counters must live with the difference.
Never: knows faces or tracks; persons are whole numbers, and none is made or lost.
Source: Weidmann 1993 (speed, flow), Fruin 1971 for levels of service (``pedestrian``), Green Guide for stairs. What
counter-flow costs and how uneven an area is, is ours and marked so.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from simulators.physics.pedestrian import BUSIEST, flow_s_m, level_of_service, stop_and_go, walking_m_s

OUTSIDE = ""


@dataclass(slots=True, kw_only=True)
class Area:
    """A zone or a room.

    Attributes:
        stay_s: Mean stay before somebody wants on.
        uneven: How much denser it is where it is densest than on the mean (ours); a stair or a view has 1.5 and more.
    """

    name: str
    area_m2: float
    persons: int = 0
    stay_s: float = 300.0
    uneven: float = 1.0

    @property
    def density(self) -> float:
        """Give persons per m², mean."""
        return self.persons / self.area_m2

    @property
    def local_density(self) -> float:
        """Give persons per m² where it is densest."""
        return self.density * self.uneven

    @property
    def speed_m_s(self) -> float:
        """Give how fast one walks through it."""
        return walking_m_s(self.density)

    @property
    def level(self) -> str:
        """Give Fruin's level of service."""
        return level_of_service(self.density)


@dataclass(slots=True, kw_only=True)
class Passage:
    """A gate, door or stair between two areas; ``OUTSIDE`` is one too.

    Attributes:
        from_to: The names of both sides; counting "in" is towards the second.
        width_m: Clear width.
        factor: What a stair passes of a level walkway; 0.8 (66 of 82 persons/m/min, Green Guide).
        share, share_back: Of those who want to leave the first (second) side, how many want through here.
        freedom: Share of the width that is free.
        is_one_way: Nobody goes back through it.
        miss, twice: Chance that the counter does not see a person, or counts one twice.
        passed_in, passed_out: Who went, since the start. counted_in, counted_out: what the counter says.
    """

    name: str
    from_to: tuple[str, str]
    width_m: float
    factor: float = 1.0
    share: float = 1.0
    share_back: float = 0.0
    freedom: float = 1.0
    is_one_way: bool = False
    miss: float = 0.0
    twice: float = 0.0
    passed_in: int = field(default=0, init=False)
    passed_out: int = field(default=0, init=False)
    counted_in: int = field(default=0, init=False)
    counted_out: int = field(default=0, init=False)
    flow_in_s: float = field(default=0.0, init=False)
    flow_out_s: float = field(default=0.0, init=False)


@dataclass(slots=True, kw_only=True)
class Crowd:
    """All areas and passages, moved together.

    Through a metre of width go at most ``ρ·v(ρ)`` (Weidmann): inwards at the density of the area that people push into,
    outwards at that of greatest flow, because the front of a queue walks off freely; above 5 persons/m² in stop and go.
    Two flows in one passage share its width by their sizes and lose ``friction`` of it, most when they are equal:
    ``1 − friction·2·min/(a + b)`` (ours; 0.5 halves a locked stair).

    Attributes:
        arriving_s: Persons per second who come to each area from outside by the passage named.
        queues: Who waits outside of each entrance.
        time_s: Seconds since the start.
    """

    areas: dict[str, Area]
    passages: dict[str, Passage]
    arriving_s: dict[str, float] = field(default_factory=dict)
    friction: float = 0.5
    time_s: float = 0.0
    queues: dict[str, int] = field(default_factory=dict)
    arrived: int = field(default=0, init=False)
    gone: int = field(default=0, init=False)

    @property
    def persons(self) -> int:
        """Count everybody in all areas."""
        return sum(area.persons for area in self.areas.values())

    def step(self, dt_s: float, dice: Generator) -> None:
        """Move on by dt_s; wishes are Poisson, passages pass what their width allows."""
        self.time_s += dt_s
        wishes: dict[str, tuple[int, int]] = {}
        for name, passage in self.passages.items():
            wishes[name] = (self._wish(passage, 0, dt_s, dice), self._wish(passage, 1, dt_s, dice))
        before = {name: area.persons for name, area in self.areas.items()}
        for name, passage in self.passages.items():
            going, coming = wishes[name]
            room = self._room(passage, going, coming, dt_s)
            moved = self._pass(passage, 0, min(going, self._whole(room[0], dice)), before)
            back = self._pass(passage, 1, min(coming, self._whole(room[1], dice)), before)
            self._count(passage, moved, back, dice)
            passage.flow_in_s, passage.flow_out_s = moved / dt_s, back / dt_s

    def _wish(self, passage: Passage, side: int, dt_s: float, dice: Generator) -> int:
        """Tell how many on that side want through."""
        if side == 1 and passage.is_one_way:
            return 0
        origin = passage.from_to[side]
        if origin == OUTSIDE:
            rate = self.arriving_s.get(passage.name, 0.0) if side == 0 else 0.0
            come = int(dice.poisson(rate * dt_s)) if rate > 0 else 0
            self.queues[passage.name] = self.queues.get(passage.name, 0) + come
            self.arrived += come
            return self.queues[passage.name]
        area, share = self.areas[origin], passage.share if side == 0 else passage.share_back
        if share <= 0 or not area.persons:
            return 0
        return int(dice.binomial(area.persons, min(1.0, share * -np.expm1(-dt_s / area.stay_s))))

    def _room(self, passage: Passage, going: int, coming: int, dt_s: float) -> tuple[float, float]:
        """Give how many the passage lets through each way, before chance makes them whole."""
        both = going + coming
        if not both:
            return 0.0, 0.0
        lost = self.friction * 2 * min(going, coming) / both
        width = passage.width_m * passage.factor * passage.freedom * (1 - lost)
        room = []
        for side, mine in ((0, going), (1, coming)):
            origin, target = passage.from_to[side], passage.from_to[1 - side]
            into = BUSIEST if target == OUTSIDE else max(self.areas[target].density, BUSIEST)
            gush = 1.0 if origin == OUTSIDE else stop_and_go(self.areas[origin].density, self.time_s)
            room.append(width * mine / both * flow_s_m(into) * gush * dt_s)
        return room[0], room[1]

    @staticmethod
    def _whole(number: float, dice: Generator) -> int:
        """Round by chance, so that half a person a step is one in two steps."""
        return int(number) + int(dice.random() < number - int(number))

    def _pass(self, passage: Passage, side: int, wanted: int, before: dict[str, int]) -> int:
        """Move persons; nobody passes two passages in one step, and nobody leaves an empty area."""
        origin, target = passage.from_to[side], passage.from_to[1 - side]
        if origin == OUTSIDE:
            moved = min(wanted, self.queues.get(passage.name, 0))
            self.queues[passage.name] = self.queues.get(passage.name, 0) - moved
        else:
            moved = min(wanted, before[origin])
            before[origin] -= moved
            self.areas[origin].persons -= moved
        if target == OUTSIDE:
            self.gone += moved
        else:
            self.areas[target].persons += moved
        return moved

    @staticmethod
    def _count(passage: Passage, moved: int, back: int, dice: Generator) -> None:
        passage.passed_in += moved
        passage.passed_out += back
        for way, number in (("counted_in", moved), ("counted_out", back)):
            seen = number - int(dice.binomial(number, passage.miss)) if passage.miss else number
            seen += int(dice.binomial(number, passage.twice)) if passage.twice else 0
            setattr(passage, way, getattr(passage, way) + seen)
