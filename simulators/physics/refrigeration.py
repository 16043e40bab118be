"""Refrigeration: one circuit of boiling and condensing refrigerant between rooms that are cooled and a condenser.

Why: what one machine no longer takes in shows everywhere: suction, discharge, level, air, and at the other machine.
Source: conservation of mass and energy, saturation by Perry's equations (``substance``); isentropic compression of an
ideal gas. Ours: one temperature for all that boils and one for all that condenses, each a lump; a float valve whose
opening falls in proportion to the level; liquid enters the low side with the heat that it had when it condensed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulators.physics.leak import GAS_CONSTANT
from simulators.physics.substance import Substance

PART_S = 0.5  # Longest part of a step; the lumps answer within a minute.


@dataclass(slots=True, kw_only=True)
class Circuit:
    """One circuit.

    Attributes:
        swept_m3_s: What each machine takes in, by its own volume; 0 for one that stands.
        load_w: Heat that comes into each room; ``room_ua`` from its air to what boils, W/K.
        room_j_k, low_j_k, high_j_k: Heat capacity of a room, of all that boils and of all that condenses.
        condenser_ua: From what condenses to the water, W/K.
        feed_kg_s_pa: Mass flow of the open float valve per root of Pa·kg/m³.
        level_full_kg, level_empty_kg: Liquid at which the float valve is shut, and fully open.
        efficiency: Isentropic.
        low_kg, high_kg: Liquid on either side; their sum stays.
        taken_j, work_j, given_j: Heat taken from the rooms, work of the machines, heat given to the water, so far.
    """

    substance: Substance
    swept_m3_s: list[float]
    load_w: NDArray[np.float64]
    room_ua: float
    room_j_k: float
    low_j_k: float
    high_j_k: float
    condenser_ua: float
    feed_kg_s_pa: float
    level_full_kg: float
    level_empty_kg: float
    low_k: float
    high_k: float
    water_k: float
    low_kg: float
    high_kg: float
    room_k: NDArray[np.float64]
    efficiency: float = 0.75

    flow_kg_s: list[float] = field(default_factory=list, init=False)
    power_w: list[float] = field(default_factory=list, init=False)
    feed_kg_s: float = field(default=0.0, init=False)
    taken_j: float = field(default=0.0, init=False)
    work_j: float = field(default=0.0, init=False)
    given_j: float = field(default=0.0, init=False)

    @property
    def low_pa(self) -> float:
        """Give the absolute pressure at which it boils, Pa."""
        return self.substance.vapour_pa(self.low_k)

    @property
    def high_pa(self) -> float:
        """Give the absolute pressure at which it condenses, Pa."""
        return self.substance.vapour_pa(self.high_k)

    @property
    def stored_j(self) -> float:
        """Give what both lumps hold, J, from 0 K; what it changes by is what came in less what went out."""
        return self.low_j_k * self.low_k + self.high_j_k * self.high_k

    def work_j_kg(self) -> float:
        """Give the work of compression, J/kg: ``w = γ/(γ−1)·R·T/M·((p2/p1)^((γ−1)/γ) − 1)/η``."""
        power = (self.substance.gamma - 1) / self.substance.gamma
        ratio = max(1.0, self.high_pa / self.low_pa)
        heat_j_kg = GAS_CONSTANT * self.low_k / self.substance.molar_kg
        return heat_j_kg * (math.pow(ratio, power) - 1) / power / self.efficiency

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        parts = max(1, math.ceil(dt_s / PART_S))
        for _ in range(parts):
            self._part(dt_s / parts)

    def _part(self, dt_s: float) -> None:
        own = self.substance
        vapour = own.vapour_kg_m3(self.low_k)
        self.flow_kg_s = [swept * vapour for swept in self.swept_m3_s]
        out_kg_s, work = sum(self.flow_kg_s), self.work_j_kg()
        self.power_w = [flow * work for flow in self.flow_kg_s]
        opening = (self.level_full_kg - self.low_kg) / (self.level_full_kg - self.level_empty_kg)
        drop = max(0.0, self.high_pa - self.low_pa) * own.liquid_kg_m3(self.high_k)
        self.feed_kg_s = min(1.0, max(0.0, opening)) * self.feed_kg_s_pa * math.sqrt(drop)
        self.feed_kg_s = min(self.feed_kg_s, self.high_kg / dt_s)
        taken = self.room_ua * (self.room_k - self.low_k)
        latent = own.latent_j_kg(self.low_k)
        carried = own.cp_j_kg_k * (self.high_k - self.low_k)  # by a kilogram of liquid, against boiling liquid
        given = self.condenser_ua * (self.high_k - self.water_k)
        total = float(taken.sum())
        self.low_k += (total + self.feed_kg_s * carried - out_kg_s * latent) / self.low_j_k * dt_s
        self.high_k += (out_kg_s * (latent + work) - self.feed_kg_s * carried - given) / self.high_j_k * dt_s
        self.room_k = self.room_k + (self.load_w - taken) / self.room_j_k * dt_s
        self.low_kg += (self.feed_kg_s - out_kg_s) * dt_s
        self.high_kg += (out_kg_s - self.feed_kg_s) * dt_s
        self.taken_j += total * dt_s
        self.work_j += out_kg_s * work * dt_s
        self.given_j += given * dt_s


def shaken_mm_s(speed: float, at: Sequence[tuple[float, float, float]] = ((0.55, 7.0, 0.08),)) -> float:
    """Give how a machine shakes at a share of its speed, mm/s: in proportion, and at each critical speed more (ours).

    Args:
        at: Of each critical speed: its share of the full speed, the amplitude there, how wide it is.
    """
    return 1.5 * speed + sum(most * math.exp(-(((speed - where) / wide) ** 2)) for where, most, wide in at)
