"""Volume of a tank's content from its level: ``V = table(h)``, linear between the rows of a strapping table.

Units: level m, volume m³.
Source: API MPMS 2.2A and GB/T 13235.1 give a tank's capacity as such a table (level, volume) with linear
interpolation between its rows. A geometry is made into one at load (``gateway.load.derived.geometry``).
Never: goes beyond the table. A level outside it is BAD(range), because nobody measured the tank there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import BAD_RANGE, Given, Indexes, Made, State, Stateless
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad

FEW: Final = 16


class Volume(Stateless):
    """Volumes; the tables of all instances lie one behind the other, and one bisection serves all tanks."""

    ROLES: ClassVar[tuple[str, ...]] = ("level",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        tables = [np.array(each.table, dtype=np.float64) for each in members]
        lengths = np.array([len(table) for table in tables], dtype=np.int64)
        self._first = np.cumsum(lengths) - lengths
        self._last = self._first + lengths - 1
        whole = np.concatenate(tables)
        self._level, self._volume = whole[:, 0], whole[:, 1]
        self._rows: list[float] = self._level.tolist()

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Interpolate."""
        del state
        level = given.first("level")
        quality = given.worst
        low, high = self._first[at], self._last[at]
        is_beyond = (level < self._level[low]) | (level > self._level[high])
        quality[is_beyond & ~is_bad(quality)] = BAD_RANGE
        first = self._find_few(level, low, high) if len(at) <= FEW else self._find(level, low, high)
        share = (level - self._level[first]) / (self._level[first + 1] - self._level[first])
        value = self._volume[first] + share * (self._volume[first + 1] - self._volume[first])
        return Made(value, quality)

    def _find(self, level: NDArray[np.float64], low: Indexes, high: Indexes) -> Indexes:
        """Find the row at or below each level, within its own table."""
        first, last = low.copy(), high.copy()
        while (first + 1 < last).any():  # Bisection of all tanks at once: the row at or below each level.
            middle = (first + last) // 2
            is_above = level >= self._level[middle]
            first = np.where(is_above, middle, first)
            last = np.where(is_above, last, middle)
        return first

    def _find_few(self, level: NDArray[np.float64], low: Indexes, high: Indexes) -> Indexes:
        """Find the same one after the other: of a few tanks an array costs as much as of a hundred."""
        rows, tanks = self._rows, zip(level.tolist(), low.tolist(), high.tolist(), strict=True)
        return np.array([bisect_right(rows, h, first + 1, last) - 1 for h, first, last in tanks], dtype=np.int64)
