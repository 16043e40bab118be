"""What makes a decoded value BAD: not a number, or outside the instrument's range.

Why: a broken instrument must never look like a healthy plant. BAD neither trips nor clears a limit, and
BAD for too long is an alarm of its own.
"""

import numpy as np
from numpy.typing import NDArray

from edge.model import Quality, Reason
from edge.model.quality import encode

BAD_NOT_A_NUMBER = np.uint8(encode(Quality.BAD, Reason.NOT_A_NUMBER))
BAD_RANGE = np.uint8(encode(Quality.BAD, Reason.RANGE))
BAD = np.uint8(Quality.BAD)


def judge(
    values: NDArray[np.float64],
    quality: NDArray[np.uint8],
    range_lo: NDArray[np.float64],
    range_hi: NDArray[np.float64],
) -> None:
    """Mark what cannot be believed, in place; the value is NaN wherever the quality is BAD.

    Args:
        values: In engineering units, float64 (n,).
        quality: Quality bytes, uint8 (n,). What is BAD already keeps its reason.
        range_lo: Instrument range, float64 (n,); NaN for none. The ends belong to the range.
        range_hi: As range_lo.
    """
    is_good = quality < BAD
    # A NaN end compares False, so that a missing range never refuses.
    is_outside = (values < range_lo) | (values > range_hi)
    quality[is_good & is_outside] = BAD_RANGE
    quality[is_good & ~np.isfinite(values)] = BAD_NOT_A_NUMBER
    values[quality >= BAD] = np.nan
