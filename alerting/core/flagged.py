"""Flagged: the places of a column at which a flag is set, where nearly none is.

Why: after each scan somebody asks which of 700,000 rules have changed; eight flags are one number, and mostly zero.
"""

import numpy as np
from numpy.typing import NDArray

from edge.few import places_of

TOGETHER = 8  # Flags that are looked at as one number.
FEW = 16_384  # A column that is no longer than that is looked at flag by flag: it takes less than the rest of this.
MANY = 24  # Where more than one number in so many has a flag, each flag is looked at.


def flagged(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the places of the flags that are set, ascending.

    Args:
        flags: A column without gaps between its flags, bool (n,).
    """
    if len(flags) <= FEW:
        return places_of(flags)
    whole = len(flags) // TOGETHER * TOGETHER
    together = np.flatnonzero(flags[:whole].view(np.uint64) != 0)
    if len(together) * MANY * TOGETHER > whole:
        return np.flatnonzero(flags)
    places = (together[:, None] * TOGETHER + np.arange(TOGETHER)).ravel()
    found = places[flags[places]]
    rest = np.flatnonzero(flags[whole:])
    return np.concatenate([found, whole + rest]) if len(rest) else found


def lower(flags: NDArray[np.bool_], places: NDArray[np.int64]) -> None:
    """Take the flags down that are set; ``places`` are all of them."""
    if len(places) * MANY > len(flags):
        flags[:] = False
    else:
        flags[places] = False
