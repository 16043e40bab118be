"""Deviation from a reference: a number, or what another tag says at the same time.

Flow: samples -> [deviation] -> holds, lets go -> delays
Why: two gauges on one tank that part company are found long before either of them crosses a limit.
Never: judges against a reference that is BAD, stale or has never been seen; the caller sees to it.

Active while |v - reference| >= setpoint; clears when |v - reference| < setpoint - deadband (design §3).
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Memory
from alerting.model.rule import RuleTable


def judge_deviations(
    table: RuleTable, memory: Memory, rules: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare |value - reference| with its setpoint, in the tag's engineering unit.

    Args:
        rules: Indexes of DEVIATION rules, (n,).
        value: The tag's value for each, (n,); finite.

    Returns:
        Which conditions hold, and which are back past the deadband; both bool (n,).
    """
    other = table.other_row[rules]
    reference = np.where(other >= 0, memory.value[other], table.reference[rules])
    with np.errstate(over="ignore"):  # 1e308 against -1e308 is an infinite deviation, which is beyond its setpoint.
        deviation = np.abs(value - reference)
    return deviation >= table.setpoint[rules], deviation < table.setpoint[rules] - table.deadband[rules]
