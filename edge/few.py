"""Questions to arrays that mostly hold a few entries: whether some or every flag is set, the greatest, the least.

Why: a scan of a small site has a handful of samples, and judging it asks some forty such questions; NumPy's own ``any``
takes microseconds to begin. Of many entries they are handed to NumPy.
Never: comes to another answer than NumPy's.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FEW: Final = 4096  # More flags are looked at faster where they are than as a copy.
FEW_NUMBERS: Final = 64  # More numbers are compared faster as a column.
NARROW: Final = 4  # More columns are compared faster row by row.


def some(flags: NDArray[np.bool_]) -> bool:
    """Tell whether some flag of an array of any shape is set."""
    return b"\x01" in flags.tobytes() if flags.size <= FEW else bool(flags.any())


def every(flags: NDArray[np.bool_]) -> bool:
    """Tell whether every flag of an array of any shape is set; True of none."""
    return b"\x00" not in flags.tobytes() if flags.size <= FEW else bool(flags.all())


def is_all_zero(numbers: NDArray[np.uint8]) -> bool:
    """Tell whether every byte of an array is zero; True of none."""
    return not numbers.tobytes().strip(b"\x00") if numbers.size <= FEW else not numbers.any()


def greatest(numbers: NDArray[np.int64] | NDArray[np.int32]) -> int:
    """Give the greatest of whole numbers, (n,).

    Raises:
        ValueError: There are none.
    """
    return int(max(numbers.tolist()) if len(numbers) <= FEW_NUMBERS else numbers.max())


def least(numbers: NDArray[np.int64] | NDArray[np.int32]) -> int:
    """Give the least of whole numbers, (n,).

    Raises:
        ValueError: There are none.
    """
    return int(min(numbers.tolist()) if len(numbers) <= FEW_NUMBERS else numbers.min())


def greatest_across(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the greatest whole number of each row, int64 (m, w) to (m,); of one column a view of it.

    Raises:
        ValueError: There is no column.
    """
    wide = numbers.shape[1]
    if not 0 < wide <= NARROW:
        across: NDArray[np.int64] = numbers.max(axis=1)
        return across
    found: NDArray[np.int64] = numbers[:, 0]
    for column in range(1, wide):
        found = np.maximum(found, numbers[:, column])
    return found


def places_of(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the places of the flags that are set, ascending, bool (n,) to int64."""
    return flags.nonzero()[0]
