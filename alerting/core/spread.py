"""Spread: the members of some groups, where each group is a run of places.

Why: sums run on by ``np.add.accumulate``. ``cumsum`` makes the name "accumulate" anew at each call, and the
interpreter's cache of methods keeps some of these (59 bytes each, 4,096 at most): a memory that seems to grow with the
scans, and more time.
"""

import numpy as np
from numpy.typing import NDArray


def spread(first: NDArray[np.int32], rows: NDArray[np.signedinteger]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the places between ``first[row]`` and ``first[row + 1]`` and, for each, the place of its row in ``rows``."""
    start = first[rows].astype(np.int64)
    count = first[rows + 1] - start
    place = np.arange(len(rows)).repeat(count)
    if len(place) == 0:
        return place, place.copy()
    begins = start - np.add.accumulate(count) + count  # of each group, less the places before it
    return begins[place] + np.arange(len(place)), place
