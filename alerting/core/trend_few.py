"""Time to limit of a few tags: the lines of ``alerting.core.trend``, one filter after the other.

Why: of a few filters an array costs as much as of a hundred; small sites have a few in each scan.
Never: comes to other bits than the array code. What could be no number is left to it.

Every line here has its twin there, in the same order of operations; a test compares the two bit by bit.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Memory
from alerting.model.rule import Kind, RuleTable

TREND: Final = int(Kind.TREND)
FEW: Final = 12  # More are moved on faster as columns.
WILD: Final = 1e150  # Beyond, a square is no number: array code knows what to do.

Z = 2.0  # Standard errors that a slope must be away from nothing; in the steady state about four of pure noise.
HOLD_Z, HOLD_HORIZON = 0.5, 1.25  # What has tripped lets go later: hysteresis.
NOISE_S = 3600.0  # Span of the long-run noise and its correlation.
RHO_MOST = 0.99
GATE = 4.0
EXCESS_MOST = 2.0
SEEN_LEAST = 3  # Residuals before an outlier can be told.
SEEN_KEPT = 64.0  # What the noise before a jump counts for, in residuals.
COUNT_LEAST = 3  # Samples before a residual says anything: two make the line.
SLOPE_FREE = 1e6  # Variance of a slope nobody knows, in noise of one sample per period squared.
REBASE = 256.0  # Samples after which the origin follows the level.

#: What a rule asks for: drive, noise_least, jump, gap_ns, period_s, sign, horizon_s, samples_min, setpoint.
_Card = tuple[float, float, float, int, float, float, float, float, float]


def judge_few(
    table: RuleTable, memory: Memory, rules: NDArray[np.int64], value: NDArray[np.float64], time_ns: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Move a few filters on and compare times to limit with their horizons, as ``judge_trends``.

    Args:
        rules: TREND rules without blocks, (n,).

    Returns:
        Which trends hold and which are gone, bool (n,); None where array code must do it, nothing having changed.
    """
    cards = _cards(table)
    places = memory.trend_of[rules].tolist()
    last_ns = memory.trend_ns[places].tolist()
    states = memory.trend_state[places].tolist()
    holds, gone = [], []
    try:
        for at, (place, y, now_ns) in enumerate(zip(places, value.tolist(), time_ns.tolist(), strict=True)):
            state = states[at] = _advance(cards[place], states[at], last_ns[at], y, now_ns)
            if not all(-WILD < part < WILD for part in state):
                return None
            hold, go = _compare(cards[place], state, y)
            holds.append(hold)
            gone.append(go)
    except (ArithmeticError, ValueError):
        return None
    memory.trend_state[places] = states
    memory.trend_ns[places] = time_ns
    return np.array(holds, dtype=np.bool_), np.array(gone, dtype=np.bool_)


def _advance(card: _Card, state: list[float], last_ns: int, value: float, time_ns: int) -> list[float]:
    """Move one filter on; gives its new state."""
    drive, noise_least, jump, gap_ns, period_s = card[:5]
    origin, level, slope, p_level, p_cross, p_slope, noise, lag, seen, stretch, count, last, run = state
    starts = last_ns == 0 or time_ns - last_ns > gap_ns
    dt = 0.0 if starts else (time_ns - last_ns) / 1e9

    level = level + slope * dt
    p_level = p_level + dt * (2 * p_cross + dt * p_slope) + drive * dt * dt * dt / 3
    p_cross = p_cross + dt * p_slope + drive * dt * dt / 2
    p_slope = p_slope + drive * dt

    scale = p_level + 1
    error = (value - origin) - level
    is_out, room = False, 0.0
    if seen >= SEEN_LEAST and count >= SEEN_LEAST + 2:
        room = GATE * (1 + 8 / max(seen, 1)) * math.sqrt(max(noise, noise_least) * scale)
        is_out = abs(error) > room
    if is_out:
        side = math.copysign(1.0, error)
        excess = side * min(abs(error) / room, EXCESS_MOST)
        run = run + excess if run * side > 0 else excess
        error = side * room
    else:
        run = 0.0
    jumps = not starts and abs(run) >= jump

    gain = p_level / scale
    slope = slope + p_cross / scale * error
    level = level + gain * error
    p_slope = p_slope - p_cross / scale * p_cross
    p_level, p_cross = gain, p_cross / scale
    count = count + 1

    residual = error / math.sqrt(scale)
    is_told = count >= COUNT_LEAST
    if is_told and not is_out and not starts:
        weight = max(2 / (seen + 2), dt / (NOISE_S + dt))
        noise = noise + weight * (residual * residual - noise)
        lag = lag + weight * (residual * last - lag)
        seen = seen + 1
    if is_told:
        weight = max(1 / max(count - (COUNT_LEAST - 1), 1), gain / 4)
        stretch = stretch + weight * (residual * residual - stretch)

    if starts or jumps:
        kept = min(seen, SEEN_KEPT) if jumps else seen
        free = SLOPE_FREE / (period_s * period_s)
        return [value, 0.0, 0.0, 1.0, 0.0, free, noise, lag, kept, 0.0, 1.0, 0.0, 0.0]
    if count % REBASE == 0:
        base = origin + level
        level, origin = level - (base - origin), base
    last = residual if is_told else 0.0
    return [origin, level, slope, p_level, p_cross, p_slope, noise, lag, seen, stretch, count, last, run]


def _compare(card: _Card, state: list[float], value: float) -> tuple[bool, bool]:
    """Compare one time to limit with its horizon: whether it holds, and whether it is gone."""
    _, noise_least, _, _, _, sign, horizon_s, samples_min, setpoint = card
    origin, level, slope, _, _, p_slope, noise, lag, seen, stretch, count, _, _ = state
    if count < samples_min:
        return False, False
    long_run = max(noise, noise_least)
    rho = min(max(lag / long_run * (seen / (seen + 16)), 0.0), RHO_MOST)
    few = 1 + 4 / max(seen, 1)
    slope_error = math.sqrt(max(long_run, stretch) * p_slope * ((1 + rho) / (1 - rho))) * few
    distance = sign * ((setpoint - origin) - level)
    towards = sign * slope
    lower, kept = towards - Z * slope_error, towards - HOLD_Z * Z * slope_error
    is_before = distance > 0 and sign * value < sign * setpoint
    return (
        is_before and lower > 0 and distance <= horizon_s * lower,
        kept <= 0 or distance > HOLD_HORIZON * horizon_s * kept,
    )


def _cards(table: RuleTable) -> list[_Card]:
    """Give what each TREND rule asks for as plain numbers, worked out once."""
    if "trend_cards" not in table.made:
        trends = table.trends
        columns = (
            *(trends.drive, trends.noise_least, trends.jump, trends.gap_ns, trends.period_s),
            *(trends.sign, trends.horizon_s, trends.samples_min, table.setpoint[table.kind == TREND]),
        )
        table.made["trend_cards"] = list(zip(*(column.tolist() for column in columns), strict=True))
    cards: list[_Card] = table.made["trend_cards"]
    return cards
