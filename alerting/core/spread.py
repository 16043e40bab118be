"""Spread: the members of some groups, where each group is a run of places."""

import numpy as np
from numpy.typing import NDArray


def spread(first: NDArray[np.int32], rows: NDArray[np.signedinteger]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the places between ``first[row]`` and ``first[row + 1]`` and, for each, the place of its row in ``rows``."""
    start = first[rows].astype(np.int64)
    count = first[rows + 1] - start
    place = np.arange(len(rows)).repeat(count)
    if len(place) == 0:
        return place, place.copy()
    begins = start - count.cumsum() + count  # of each group, less the places before it
    return begins[place] + np.arange(len(place)), place
