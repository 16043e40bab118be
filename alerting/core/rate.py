"""Rate of change over a stated window.

Flow: samples -> [rate] -> holds, lets go -> delays
Why: a difference of two neighbours is noise; over a window it is a rate.
Never: judges across a gap of more than twice the window.

rate = (v - v0) / (t - t0), where (t0, v0) is the newest kept sample at least a window old. Samples are kept at least
window / (RATE_SLOTS - 2) apart, so t - t0 is at most about 1.2 windows plus one sampling period.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import RATE_SLOTS, Memory
from alerting.model.rule import RuleTable

GAP_WINDOWS = 2  # Older kept samples say nothing about the present rate.


def judge_rates(
    table: RuleTable,
    memory: Memory,
    rules: NDArray[np.int64],
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare |rate| with its setpoint, in engineering units per second; keep the samples.

    Returns:
        Which rates hold, and which are back past the deadband; bool (n,), both False while there is no rate yet.
    """
    if len(rules) == 0:
        return np.empty(0, np.bool_), np.empty(0, np.bool_)
    ring = memory.rate_of[rules]
    window = table.window_ns[rules]
    rate, has_rate, ages, kept = _rates(table, memory, rules, value, time_ns)

    is_gap = ~kept.any(axis=1)
    spacing = window // (RATE_SLOTS - 2)
    due = is_gap | (ages[:, 0] >= spacing)
    r = ring[due]
    memory.ring_ns[r, 1:] = memory.ring_ns[r, :-1]
    memory.ring_value[r, 1:] = memory.ring_value[r, :-1]
    memory.ring_ns[r, 0] = time_ns[due]
    memory.ring_value[r, 0] = value[due]
    memory.ring_ns[ring[is_gap], 1:] = 0

    return _verdict(table, rules, rate, has_rate)


def compare_rates(
    table: RuleTable,
    memory: Memory,
    rules: NDArray[np.int64],
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rates would hold and which would let go, bool (n,) each, without keeping the samples."""
    rate, has_rate, _, _ = _rates(table, memory, rules, value, time_ns)
    return _verdict(table, rules, rate, has_rate)


def _rates(
    table: RuleTable,
    memory: Memory,
    rules: NDArray[np.int64],
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    """Give the rates, which of them exist, the ages of the kept samples (n, slots) and which of these still count."""
    ring = memory.rate_of[rules]
    window = table.window_ns[rules]
    ages = time_ns[:, None] - memory.ring_ns[ring]
    kept = (memory.ring_ns[ring] > 0) & (ages <= GAP_WINDOWS * window[:, None])
    usable = kept & (ages >= window[:, None])
    at = np.arange(len(rules))
    newest = np.argmax(usable, axis=1)  # slots are newest first
    has_rate = usable[at, newest]
    since_s = np.where(has_rate, ages[at, newest], 1) / 1e9
    with np.errstate(over="ignore"):  # A device may send 1e308; an infinite rate is a rate beyond its setpoint.
        rate = np.abs(value - memory.ring_value[ring, newest]) / since_s
    return rate, has_rate, ages, kept


def _verdict(
    table: RuleTable, rules: NDArray[np.int64], rate: NDArray[np.float64], has_rate: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    setpoint = table.setpoint[rules]
    with np.errstate(invalid="ignore"):
        return has_rate & (rate >= setpoint), has_rate & (rate < setpoint - table.deadband[rules])
