"""Limits LL, L, H, HH with deadband.

Flow: samples -> [limit] -> holds, lets go -> delays
Why: a limit without deadband chatters.
Never: knows about delays or time.

H is active while v >= setpoint and clears when v < setpoint - deadband; L mirrored (design §3). With sign +1 for H and
-1 for L both are one comparison, and exact: -(sp + db) and (-sp) - db round alike in float64.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.model.rule import RuleTable


def judge_limits(
    table: RuleTable, rules: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare values with limits.

    Args:
        rules: Indexes of limit rules, (n,).
        value: The tag's value for each, in its engineering unit, (n,); finite.

    Returns:
        Which conditions hold, and which values are back past the deadband; both bool (n,).
    """
    sign = table.sign[rules]
    signed = sign * value
    setpoint = sign * table.setpoint[rules]
    return signed >= setpoint, signed < setpoint - table.deadband[rules]
