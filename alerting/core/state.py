"""State: the value is one of some states, or some of its bits have a pattern.

Flow: samples -> [state] -> holds, lets go -> delays
Why: valves, pumps and fire panels speak in enumerations and status words, not in limits.
Never: reads bits of what is no whole number; such a value neither trips nor clears.

With states: active while v is equal to one of them, else it lets go. With a mask: active while
``integer(v) & mask == pattern``; negative numbers are read as two's complement. Whole numbers beyond 2^53 are not exact
in float64 and have no bits.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.model.rule import RuleTable

WHOLE_MAX = 2.0**53


def judge_states(
    table: RuleTable, rules: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare values with states or bits.

    Args:
        rules: Indexes of STATE rules, (n,).
        value: The tag's value for each, (n,); finite.

    Returns:
        Which conditions hold, and which let go; both bool (n,), both False where bits are asked of no whole number.
    """
    place = table.states.place[rules]
    mask = table.states.mask[place]
    is_among = (value[:, None] == table.states.values[place]).any(axis=1)
    is_whole = (np.floor(value) == value) & (np.abs(value) <= WHOLE_MAX)
    has_bits = np.where(is_whole, value, 0.0).astype(np.int64) & mask == table.states.pattern[place]
    by_bits = mask != 0
    holds = np.where(by_bits, is_whole & has_bits, is_among)
    return holds, np.where(by_bits, is_whole & ~has_bits, ~is_among)
