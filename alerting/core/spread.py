"""Spread: the members of some groups, where each group is a run of places."""

import numpy as np
from numpy.typing import NDArray


def spread(first: NDArray[np.int32], rows: NDArray[np.signedinteger]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the places between ``first[row]`` and ``first[row + 1]`` and, for each, the place of its row in ``rows``."""
    start = first[rows].astype(np.int64)
    count = first[rows + 1].astype(np.int64) - start
    place = np.repeat(np.arange(len(rows), dtype=np.int64), count)
    offset = np.arange(count.sum(), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(start, count) + offset, place
