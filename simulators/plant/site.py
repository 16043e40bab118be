"""The whole demonstration plant: six tanks, one gas line, two crowd zones.

Flow: acts of a story -> [Plant.step] -> readings by tag name, in the units of the tag tables
Why: SI inside, engineering units only where readings leave, as in an instrument.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from numpy.random import Generator

from simulators.physics.leak import ATMOSPHERE_PA
from simulators.physics.noise import Drift
from simulators.plant.crowd import Gate, Zone
from simulators.plant.gas import Detector, GasLine
from simulators.plant.tank import Tank

ZERO_C = 273.15
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that happens to the plant.

    Attributes:
        verb: One of ``ACTS``.
        unit: Whom it happens to: a tank, the line or a zone.
        amount: How much, in the verb's unit; see ``ACTS``.
    """

    verb: str
    unit: str
    amount: float = 0.0


class Plant:
    """All units, moved together.

    Each unit throws its own dice, spawned from the one handed in: whatever one unit does, the others' luck stays.

    Attributes:
        time_s: Seconds since the start.
        demand: How busy the day is: 1 as now, less at night.
    """

    def __init__(self, dice: Generator) -> None:
        self.time_s = 0.0
        self.demand = 1.0
        self.tanks = _tanks()
        self.line = GasLine()
        self.detectors = {
            "GD-311": Detector(along_m=20.0),
            "GD-312": Detector(along_m=28.0, across_m=0.5),
            "GD-313": Detector(along_m=-12.0),
        }
        self.gates = {
            "GT-411": Gate(width_m=12.0),
            "GT-412": Gate(width_m=14.0),
            "GT-413": Gate(width_m=4.0),
        }
        self.zones = {
            "Z-401": Zone(
                area_m2=100.0, persons=140, stay_s=110.0, arriving_s=1.25,
                entrance=self.gates["GT-412"], exit=self.gates["GT-413"],
            ),
            "Z-402": Zone(
                area_m2=1200.0, persons=620, stay_s=240.0, arriving_s=3.9,
                entrance=self.gates["GT-411"], exit=self.gates["GT-411"],
            ),
        }  # fmt: skip
        self.wind = Drift(sigma=0.15, tau_s=20.0)
        names = [*self.tanks, "GL-301", "wind", *self.detectors, *self.zones]
        self._dice = dict(zip(names, dice.spawn(len(names)), strict=True))

    def step(self, dt_s: float) -> None:
        """Move everything on by dt_s, s; 0.1 live, up to 60 for a history."""
        self.time_s += dt_s
        for name, tank in self.tanks.items():
            tank.step(dt_s, self._dice[name])
        self.line.step(dt_s, self._dice["GL-301"])
        wind_m_s = max(1.0, 3.0 + self.wind.step(dt_s, self._dice["wind"]))
        for name, detector in self.detectors.items():
            detector.step(dt_s, self._dice[name], self.line.leaking_kg_s, wind_m_s)
        plaza, deck = self.zones["Z-402"], self.zones["Z-401"]
        plaza.step(dt_s, self._dice["Z-402"], self.demand)
        deck.step(dt_s, self._dice["Z-401"], self.demand)
        # Who climbs to the deck leaves the plaza by the stairs; who leaves the deck goes home.
        plaza.persons = max(0, plaza.persons - deck.moved_in)

    def do(self, act: Act) -> None:
        """Let something happen. An unknown verb or unit is a KeyError; stories are checked before they run."""
        ACTS[act.verb](self, act.unit, act.amount)

    def readings(self) -> dict[str, float]:
        """Give what the instruments show now, by tag name, in the engineering units of the tag tables."""
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, float]]:
        for name, tank in self.tanks.items():
            yield f"{name}.level", tank.level_seen_m
            yield f"{name}.temperature", tank.temperature_seen_k - ZERO_C
            yield f"{name}.pressure", tank.pressure_seen_pa / 1000
            yield f"{name}.inlet_flow", tank.inflow_seen_m3_s * HOUR_S
            yield f"{name}.inlet_open", float(tank.is_inlet_open)
            yield f"{name}.hh_switch", float(tank.is_switched)
        yield "GL-301.pressure", (self.line.pressure_seen_pa - ATMOSPHERE_PA) / 1e6
        yield "GL-301.flow", self.line.feed_seen_kg_s
        for name, detector in self.detectors.items():
            yield f"{name}.lel", detector.lel_seen
        for name, gate in self.gates.items():
            yield f"{name}.in", float(gate.entered)
            yield f"{name}.out", float(gate.left)
        for name, zone in self.zones.items():
            yield f"{name}.occupancy", float(zone.persons)
            yield f"{name}.density", zone.density


def past(
    dice: Generator, *, hours: float = 48.0, step_s: float = 60.0, fine_hours: float = 1.0, fine_step_s: float = 5.0
) -> Iterator[tuple[float, dict[str, float]]]:
    """Give a quiet past that ends now: (seconds before now, readings), oldest first.

    Demand follows the day and is 1 now and at this hour of each day before, so that the live plant goes on where the
    past ends. Counters are shifted to end where they start live.

    Args:
        hours, step_s: How far back, h, and the distance of the readings, s.
        fine_hours, fine_step_s: The same for the last stretch, which a page draws larger.
    """
    plant = Plant(dice)
    coarse = round((hours - fine_hours) * HOUR_S / step_s)
    fine = round(fine_hours * HOUR_S / fine_step_s)
    before_s = coarse * step_s + fine * fine_step_s
    seen: list[tuple[float, dict[str, float]]] = []
    for size_s in [step_s] * coarse + [fine_step_s] * fine:
        plant.demand = 0.55 + 0.45 * math.cos(2 * math.pi * before_s / (24 * HOUR_S))
        plant.step(size_s)
        seen.append((before_s, plant.readings()))
        before_s -= size_s
    start = Plant(dice).readings()
    counters = [f"{gate}.{way}" for gate in plant.gates for way in ("in", "out")]
    shift = {tag: start[tag] - seen[-1][1][tag] for tag in counters} if seen else {}
    for before_s, readings in seen:
        for tag, by in shift.items():
            readings[tag] = max(0.0, readings[tag] + by)
        yield before_s, readings


def _tanks() -> dict[str, Tank]:
    def tank(level_m: float, inlet_m3_h: float, feed_c: float) -> Tank:
        return Tank(level_set_m=level_m, inlet_set_m3_s=inlet_m3_h / HOUR_S, feed_k=feed_c + ZERO_C)

    return {
        "TK-101": tank(3.10, 60.0, 24.0),
        "TK-102": tank(2.45, 45.0, 23.5),
        "TK-103": tank(4.60, 80.0, 25.0),
        "TK-201": tank(3.70, 55.0, 22.0),
        "TK-202": tank(2.90, 70.0, 22.5),
        "TK-203": tank(3.30, 40.0, 26.0),
    }


def _inlet(plant: Plant, unit: str, m3_h: float) -> None:
    plant.tanks[unit].inlet_set_m3_s = m3_h / HOUR_S


def _outlet(plant: Plant, unit: str, m3_h: float) -> None:
    plant.tanks[unit].outlet_forced_m3_s = m3_h / HOUR_S


def _control(plant: Plant, unit: str, _: float) -> None:
    plant.tanks[unit].outlet_forced_m3_s = None


def _leak(plant: Plant, unit: str, hole_mm: float) -> None:
    if unit != "GL-301":
        raise KeyError(unit)
    plant.line.hole_m = hole_mm / 1000


def _arrive(plant: Plant, unit: str, persons_s: float) -> None:
    plant.zones[unit].arriving_s = persons_s


def _free(plant: Plant, unit: str, share: float) -> None:
    plant.zones[unit].freedom = share


def _stay(plant: Plant, unit: str, seconds: float) -> None:
    plant.zones[unit].stay_s = seconds


#: What a story may do: verb -> change. Amounts: inlet and outlet m³/h, control none, leak mm (0 stops it),
#: arrive persons/s, free share of the exit's width (0 to 1), stay s.
ACTS: dict[str, Callable[[Plant, str, float], None]] = {
    "inlet": _inlet,
    "outlet": _outlet,
    "control": _control,
    "leak": _leak,
    "arrive": _arrive,
    "free": _free,
    "stay": _stay,
}
