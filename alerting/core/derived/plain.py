"""Plain arithmetic on what other tags say: fill, ullage, sums and shares.

``fill``: ``100 V / capacity``, %. ``ullage``: ``capacity - V``, m³, the room that is left.
``density``: ``Σ persons / area``, persons per m².
``room_load``: ``100 Σ persons / persons_most``, %: persons in a room against the number that it is approved for
    (单位空间作业人数, 定员); above 100 there are too many.
``quantity``: ``Σ m``, kg: what is there of a substance now, over the tanks of a unit. It is not the q that GB
    18218-2018 grades a unit by: that is the greatest quantity that may be there, by design.
Never: sums what it does not have. One BAD input makes the sum BAD(input).
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import Given, Indexes, Made, State, Stateless, numbers
from alerting.model.derivation import Derivation


class Scaled(Stateless):
    """``factor · Σ inputs + offset``."""

    ROLES: ClassVar[tuple[str, ...]]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __init__(self, members: Sequence[Derivation]) -> None:
        self.factor, self.offset = np.ones(len(members)), np.zeros(len(members))

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Sum and scale."""
        del state
        return Made(given.roles[self.ROLES[0]].total * self.factor[at] + self.offset[at], given.worst)


class Fill(Scaled):
    """Fill levels in %."""

    ROLES: ClassVar[tuple[str, ...]] = ("volume",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members)
        self.factor = 100 / numbers(members, "capacity_m3")


class Ullage(Scaled):
    """Room that is left."""

    ROLES: ClassVar[tuple[str, ...]] = ("volume",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members)
        self.factor, self.offset = -self.factor, numbers(members, "capacity_m3")


class Density(Scaled):
    """Persons per m²."""

    ROLES: ClassVar[tuple[str, ...]] = ("persons",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members)
        self.factor = 1 / numbers(members, "area_m2")


class RoomLoad(Scaled):
    """Persons against the approved number, %."""

    ROLES: ClassVar[tuple[str, ...]] = ("persons",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members)
        self.factor = 100 / numbers(members, "persons_most")


class Quantity(Scaled):
    """Sums of masses."""

    ROLES: ClassVar[tuple[str, ...]] = ("mass",)
