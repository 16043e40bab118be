"""Redundant sensors of one thing: the value to believe, and how far they are apart.

``median``: the median of those that can be used; of three, one that lies does not move it (2oo3 median select).
``spread``: the largest distance of one from their median, ``max |x - median|``; of two, their difference.

Units: any, the same for all and for the result.
Source: the median stays right while fewer than half of the members lie (breakdown point 50 %: Huber, *Robust
    Statistics*, 1981, §1.4).
Never: believes one alone unless ``least`` says so. With fewer usable members than ``least`` it is BAD(input); with
    fewer than all it is UNCERTAIN(input).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import BAD_INPUT, UNCERTAIN_INPUT, Column, Given, Indexes, Made, State, numbers
from alerting.model.derivation import Derivation


class Median:
    """Medians."""

    ROLES: ClassVar[tuple[str, ...]] = ("of",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._least = numbers(members, "least", 2.0)

    def fresh(self) -> State:
        """How many members could be used last, for the cause."""
        return {"usable": np.zeros(len(self._least), dtype=np.int64)}

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Say how many members counted."""
        return {"usable": int(state["usable"][place])}

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Take the median, or what hangs on it."""
        column = given.roles["of"]
        usable = column.is_usable.sum(axis=1)
        state["usable"][at] = usable
        middle = _median(column.value, usable)
        quality = given.worst
        quality[(usable < column.is_there.sum(axis=1)) | column.is_uncertain.any(axis=1)] = UNCERTAIN_INPUT
        quality[usable < self._least[at]] = BAD_INPUT
        return Made(self._value(column, middle, usable), quality)

    def _value(self, column: Column, middle: NDArray[np.float64], usable: NDArray[np.int64]) -> NDArray[np.float64]:
        del column, usable
        return middle


class Spread(Median):
    """Spreads."""

    def _value(self, column: Column, middle: NDArray[np.float64], usable: NDArray[np.int64]) -> NDArray[np.float64]:
        away = np.where(column.is_usable, np.abs(column.value - middle[:, None]), 0.0).max(axis=1)
        return np.asarray(np.where(usable == 2, 2 * away, away), dtype=np.float64)  # noqa: PLR2004  # of two


def _median(value: NDArray[np.float64], usable: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the median of what can be used in each row, float64 (m,); NaN where there is nothing."""
    ordered = np.sort(value, axis=1)  # NaN goes to the end
    row = np.arange(len(value))
    low, high = np.maximum(usable - 1, 0) // 2, np.maximum(usable, 1) // 2
    middle: NDArray[np.float64] = ordered[row, low] + (ordered[row, high] - ordered[row, low]) / 2
    return middle
