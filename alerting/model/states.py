"""States and bits of STATE rules, as columns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class StateTable:
    """What the STATE rules of a table compare with.

    Attributes:
        place: Place of each rule in the other columns, int32 (rules,); -1 for other kinds.
        values: States that each of them names, float64 (n, w), filled up with NaN, which equals nothing.
        mask, pattern: int64 (n,); mask 0 where the states count.
    """

    def __init__(
        self, is_state: Sequence[bool] | NDArray[np.bool_], parts: Sequence[tuple[Sequence[float], int, int]]
    ) -> None:
        mine = np.array(is_state, dtype=np.bool_)
        self.place: NDArray[np.int32] = np.where(mine, np.cumsum(mine) - 1, -1).astype(np.int32)
        width = max((len(states) for states, _, _ in parts), default=0) or 1
        self.values: NDArray[np.float64] = np.array(
            [[*states, *[np.nan] * (width - len(states))] for states, _, _ in parts], dtype=np.float64
        ).reshape(-1, width)
        self.mask: NDArray[np.int64] = np.array([mask for _, mask, _ in parts], dtype=np.int64)
        self.pattern: NDArray[np.int64] = np.array([pattern for _, _, pattern in parts], dtype=np.int64)
