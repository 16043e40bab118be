"""Works: what a plant must offer to be played in a scenario, and the words in which a scenario speaks to it.

Flow: acts -> [Works.step] -> readings by tag, milestones reached
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Something that may happen to a plant.

    Attributes:
        amount: What the amount is, with its unit; empty where there is none.
        units: Names of what it may happen to.
        least, most: Amounts that make sense.
    """

    units: tuple[str, ...]
    amount: str = ""
    least: float = -math.inf
    most: float = math.inf


class Works(Protocol):
    """A plant that runs.

    Attributes:
        time_s: Seconds since it was made.
        tags: Names of what it measures; columns of ``shown`` and ``true`` are in this order.
        milestones: When each milestone was reached for the first time, s; missing while it was not.
    """

    time_s: float
    tags: tuple[str, ...]
    milestones: dict[str, float]

    def step(self, dt_s: float) -> None:
        """Move on by dt_s."""
        ...

    def do(self, verb: str, unit: str, amount: float) -> None:
        """Let something happen; verb, unit and amount were checked before."""
        ...

    def shown(self) -> NDArray[np.float64]:
        """Give what the instruments show, float64 (n,), in the units of the tag tables."""
        ...

    def true(self) -> NDArray[np.float64]:
        """Give what is true, in the same order and units; what nobody knows but the plant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantKind:
    """One kind of plant.

    Attributes:
        site: Folder of its site under ``simulators/sites``; empty for the demonstration's own.
        verbs: What may happen to it.
        milestones: What a scenario may wait for, and what a person would say about it, by language.
    """

    name: str
    make: Callable[[Generator], Works]
    verbs: Mapping[str, Verb]
    milestones: Mapping[str, Mapping[str, str]]
    site: str = ""
