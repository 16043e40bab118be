"""The 4-20 mA loop behind a value: what NAMUR NE 43 (2003) says of its current.

Why: a cut wire scales to a plausible low value and a shorted one to a plausible high one. Seen as a current both are
    what they are. A transmitter at the end of its range is something else: it measures, and its limits must trip.

```
 mA   0 ········ 3.6 ──── 3.8 ───── 4 ═══════════ 20 ───── 20.5 ──── 21 ········
      BAD(low_current)  UNCERTAIN  ·····  GOOD  ·····   UNCERTAIN   BAD(high_current)
```

NE 43: 3.8 to 20.5 mA is measurement, at most 3.6 or at least 21 mA is failure of the transmitter or its wire.
"""

import numpy as np
from numpy.typing import NDArray

from edge.model import Quality, Reason
from edge.model.quality import encode

FAILED_LOW_MA = 3.6
SATURATED_LOW_MA = 3.8
ZERO_MA = 4.0
SPAN_MA = 16.0
SATURATED_HIGH_MA = 20.5
FAILED_HIGH_MA = 21.0
ROUNDING_MA = 1e-6  # What scaling in floating point may add; a converter resolves 1e-3 at best.

BAD_LOW_CURRENT = np.uint8(encode(Quality.BAD, Reason.LOW_CURRENT))
BAD_HIGH_CURRENT = np.uint8(encode(Quality.BAD, Reason.HIGH_CURRENT))
UNCERTAIN_RANGE = np.uint8(encode(Quality.UNCERTAIN, Reason.RANGE))


def judge_current(
    values: NDArray[np.float64],
    quality: NDArray[np.uint8],
    at: NDArray[np.int64],
    range_lo: NDArray[np.float64],
    range_hi: NDArray[np.float64],
) -> None:
    """Mark what the loop's current says about a value, in place. What is BAD already keeps its reason.

    Args:
        values: In engineering units, float64 (n,).
        quality: Quality bytes, uint8 (n,).
        at: Places of the tags that have a loop, int64 (k,).
        range_lo, range_hi: Their values at 4 and at 20 mA, float64 (k,).
    """
    current = ZERO_MA + SPAN_MA * (values[at] - range_lo) / (range_hi - range_lo)
    found = quality[at]
    is_good = found == Quality.GOOD
    is_saturated = (current < SATURATED_LOW_MA - ROUNDING_MA) | (current > SATURATED_HIGH_MA + ROUNDING_MA)
    found[is_good & is_saturated] = UNCERTAIN_RANGE
    found[is_good & (current <= FAILED_LOW_MA + ROUNDING_MA)] = BAD_LOW_CURRENT
    found[is_good & (current >= FAILED_HIGH_MA - ROUNDING_MA)] = BAD_HIGH_CURRENT
    # What is no number at all is told as that.
    quality[at] = np.where(np.isfinite(current), found, quality[at])
