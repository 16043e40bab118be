"""Time to limit: when a tag that goes on as it does now reaches a limit.

Flow: samples -> [trend] -> holds, lets go -> delays
Why: a limit speaks when it is reached; a slope that is known well enough speaks earlier.
Never: trusts a slope that noise alone could make, judges across a long gap, trips beyond the limit.

Filter: a constant-velocity Kalman filter with white acceleration noise of density q (Bar-Shalom, Li, Kirubarajan,
Estimation with Applications to Tracking and Navigation, 2001, 6.2.2 and 6.5), covariance P in units of the noise R of
one sample. Everything is rational in the step dt, so that uneven sampling is exact and every machine gives the same
bits:

    predict   l += b dt;  P11 += dt (2 P12 + dt P22) + q dt^3/3;  P12 += dt P22 + q dt^2/2;  P22 += q dt
    update    S = P11 + 1;  e = y - l;  l += P11/S e;  b += P12/S e;  P11 /= S;  P22 -= P12^2/S;  P12 /= S

At one sample a period T the gains settle at alpha and beta = 3 (2 - alpha - sqrt((2 - alpha)^2 - 2/3 alpha^2)), with
q = beta^2 / (1 - alpha) / T^3: a rule says alpha. While P is large the same lines are a least-squares line through
what was seen so far, so that there is no transient of a cold start.

Noise: R and the lag-1 covariance of the residuals e / sqrt(S) are averages over about an hour, because a correlation
taken from a short window lies; at first the n-th residual has the weight 2/(n + 1), so that a rough start fades.
SE(b)^2 = R P22 (1 + rho)/(1 - rho), times (1 + 4/n)^2 for n residuals seen, about Student's quantile. R is not below
the mean square of the present stretch, nor below resolution^2/12.

Outliers: e is cut at GATE standard deviations (wider while few residuals are known) and says nothing about the noise.
Outliers of one sign in a row are a new course once their excesses |e| / gate, at most EXCESS_MOST each, add up to
0.4 / alpha, at least 5: what is short beside the filter's memory is no new course. The filter then starts anew and
keeps most of what it knows of the noise.

Origin: the level is kept relative to an origin that follows it, so that a large value keeps its last digits.

Rules that ask for blocks have a line instead of the filter (``alerting.core.blocks``); what is judged is the same.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.blocks import Z_BLOCKS, advance_blocks
from alerting.core.memory import Memory, Slot
from alerting.core.trend_few import (
    COUNT_LEAST,
    EXCESS_MOST,
    FEW,
    GATE,
    HOLD_HORIZON,
    HOLD_Z,
    NOISE_S,
    REBASE,
    RHO_MOST,
    SEEN_KEPT,
    SEEN_LEAST,
    SLOPE_FREE,
    Z,
    judge_few,
)
from alerting.model.rule import RuleTable, TrendTable
from edge.few import some

Indexes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BLOCK = 4096  # Filters that are moved on at once.


class Forecast:
    """Where tags run to, as columns of equal length n.

    Attributes:
        time_ns: Time of the last judged sample, int64 (n,); 0 for none.
        is_ready: The slope can be judged, bool (n,).
        level, slope: Filtered value in eu, slope in eu/s, float64 (n,).
        slope_error: Standard error of the slope, eu/s, float64 (n,).
        distance: How far it is to the limit, towards it positive, eu, float64 (n,).
        time_to_limit_s: distance / slope; infinite where the tag does not run to the limit, 0 beyond it.
        z: Standard errors that the slope must be away from nothing, float64 (n,).
    """

    def __init__(self, table: RuleTable, memory: Memory, rules: Indexes) -> None:
        place = memory.trend_of[rules]
        state, trends = memory.trend_state[place], table.trends
        self.sign = trends.sign[place]
        self.z: Floats = np.where(trends.has_blocks[place], Z_BLOCKS, Z)
        self.time_ns: NDArray[np.int64] = memory.trend_ns[place]
        self.is_ready: Flags = state[:, Slot.COUNT] >= trends.samples_min[place]
        self.level: Floats = state[:, Slot.ORIGIN] + state[:, Slot.LEVEL]
        self.slope: Floats = state[:, Slot.SLOPE]
        long_run = np.maximum(state[:, Slot.NOISE], trends.noise_least[place])
        rho = _correlation(state[:, Slot.LAG], long_run, state[:, Slot.SEEN])
        noise = np.maximum(long_run, state[:, Slot.STRETCH])
        few = 1 + 4 / np.maximum(state[:, Slot.SEEN], 1)
        self.slope_error: Floats = np.sqrt(noise * state[:, Slot.P_SLOPE] * ((1 + rho) / (1 - rho))) * few
        self.distance: Floats = self.sign * ((table.setpoint[rules] - state[:, Slot.ORIGIN]) - state[:, Slot.LEVEL])

    @property
    def time_to_limit_s(self) -> Floats:
        """Time until the limit is reached if the slope stays, s, float64 (n,)."""
        return self.bound_s(0.0)

    @property
    def sure_s(self) -> Floats:
        """Time to limit by the lower bound of the slope, which is what is judged, s, float64 (n,)."""
        return self.bound_s(self.z)

    def bound_s(self, z: float | Floats) -> Floats:
        """Give the time to limit with the slope less z standard errors, s, float64 (n,)."""
        towards = self.sign * self.slope - z * self.slope_error
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            time_s = np.where(towards > 0, self.distance / towards, np.inf)
        return np.where(self.distance > 0, time_s, 0.0)


def judge_trends(
    table: RuleTable, memory: Memory, rules: Indexes, value: Floats, time_ns: NDArray[np.int64]
) -> tuple[Flags, Flags]:
    """Move the filters on by a sample each and compare times to limit with their horizons.

    Returns:
        Which trends hold, and which are gone; bool (n,), both False until there are samples enough.
    """
    if len(rules) == 0:
        return np.empty(0, np.bool_), np.empty(0, np.bool_)
    if len(rules) <= FEW and not some(table.trends.has_blocks[memory.trend_of[rules]]):
        judged = judge_few(table, memory, rules, value, time_ns)
        if judged is not None:
            return judged
    with np.errstate(over="ignore", invalid="ignore"):
        advance(table, memory, rules, value, time_ns)
    return compare_trends(table, memory, rules, value)


def compare_trends(table: RuleTable, memory: Memory, rules: Indexes, value: Floats) -> tuple[Flags, Flags]:
    """Compare the times to limit as they stand with their horizons; the filters stay where they are.

    Args:
        value: The last judged value of each rule's tag, (n,).
    """
    now = Forecast(table, memory, rules)
    place = memory.trend_of[rules]
    horizon_s = table.trends.horizon_s[place]
    towards = now.sign * now.slope
    lower, kept = towards - now.z * now.slope_error, towards - HOLD_Z * now.z * now.slope_error
    is_before = (now.distance > 0) & (now.sign * value < now.sign * table.setpoint[rules])
    with np.errstate(over="ignore"):
        holds = now.is_ready & is_before & (lower > 0) & (now.distance <= horizon_s * lower)
        lets_go = now.is_ready & ((kept <= 0) | (now.distance > HOLD_HORIZON * horizon_s * kept))
    return holds, lets_go


def advance(table: RuleTable, memory: Memory, rules: Indexes, value: Floats, time_ns: NDArray[np.int64]) -> None:
    """Move the filters and lines of TREND rules on by a sample each, in place."""
    has_blocks = memory.blocks_of[rules] >= 0
    if some(has_blocks):
        advance_blocks(table, memory, rules[has_blocks], value[has_blocks], time_ns[has_blocks])
        rules, value, time_ns = rules[~has_blocks], value[~has_blocks], time_ns[~has_blocks]
    for first in range(0, len(rules), BLOCK):
        part = slice(first, first + BLOCK)
        _advance(table.trends, memory, memory.trend_of[rules[part]], value[part], time_ns[part])


def _advance(
    trends: TrendTable, memory: Memory, place: NDArray[np.int32], value: Floats, time_ns: NDArray[np.int64]
) -> None:
    """Move some filters on; few enough that their columns stay in the cache."""
    state, last_ns = np.ascontiguousarray(memory.trend_state[place].T), memory.trend_ns[place]
    origin, level, slope, p_level, p_cross, p_slope, noise, lag, seen, stretch, count, last, run = state
    starts = (last_ns == 0) | (time_ns - last_ns > trends.gap_ns[place])
    dt = np.where(starts, 0.0, (time_ns - last_ns) / 1e9)

    q = trends.drive[place]
    level = level + slope * dt
    p_level = p_level + dt * (2 * p_cross + dt * p_slope) + q * dt * dt * dt / 3
    p_cross = p_cross + dt * p_slope + q * dt * dt / 2
    p_slope = p_slope + q * dt

    scale = p_level + 1
    error = (value - origin) - level
    known = (seen >= SEEN_LEAST) & (count >= SEEN_LEAST + 2)
    room = GATE * (1 + 8 / np.maximum(seen, 1)) * np.sqrt(np.maximum(noise, trends.noise_least[place]) * scale)
    is_out = known & (np.abs(error) > room)
    side = np.sign(error)
    excess = side * np.minimum(np.abs(error) / room, EXCESS_MOST)
    run = np.where(is_out, np.where(run * side > 0, run + excess, excess), 0.0)
    jumps = ~starts & (np.abs(run) >= trends.jump[place])
    error = np.where(is_out, side * room, error)

    gain = p_level / scale
    slope = slope + p_cross / scale * error
    level = level + gain * error
    p_slope = p_slope - p_cross / scale * p_cross
    p_level, p_cross = gain, p_cross / scale
    count = count + 1

    says = (count >= COUNT_LEAST) & ~is_out & ~starts
    residual = error / np.sqrt(scale)
    weight = np.where(says, np.maximum(2 / (seen + 2), dt / (NOISE_S + dt)), 0.0)
    noise = noise + weight * (residual * residual - noise)
    lag = lag + weight * (residual * last - lag)
    seen = seen + says
    stretch_weight = np.where(
        count >= COUNT_LEAST, np.maximum(1 / np.maximum(count - (COUNT_LEAST - 1), 1), gain / 4), 0.0
    )
    stretch = stretch + stretch_weight * (residual * residual - stretch)

    anew = starts | jumps
    follows = ~anew & (count % REBASE == 0)
    base = np.where(anew, value, np.where(follows, origin + level, origin))
    level = np.where(anew, 0.0, np.where(follows, level - (base - origin), level))
    after = np.stack(
        [
            base,
            level,
            np.where(anew, 0.0, slope),
            np.where(anew, 1.0, p_level),
            np.where(anew, 0.0, p_cross),
            np.where(anew, SLOPE_FREE / trends.period_s[place] ** 2, p_slope),
            noise,
            lag,
            np.where(jumps, np.minimum(seen, SEEN_KEPT), seen),
            np.where(anew, 0.0, stretch),
            np.where(anew, 1.0, count),
            np.where(anew | (count < COUNT_LEAST), 0.0, residual),
            np.where(anew, 0.0, run),
        ]
    )
    # A device may send 1e308, whose square is no number: the filter forgets all and starts at that sample.
    wild = ~np.isfinite(after.sum(axis=0))
    after[:, wild] = 0.0
    after[Slot.ORIGIN, wild] = value[wild]
    after[Slot.P_LEVEL, wild] = after[Slot.COUNT, wild] = 1.0
    after[Slot.P_SLOPE, wild] = SLOPE_FREE / trends.period_s[place[wild]] ** 2
    memory.trend_state[place] = after.T
    memory.trend_ns[place] = time_ns


def _correlation(lag: Floats, noise: Floats, seen: Floats) -> Floats:
    """Give the lag-1 correlation of the residuals; what few of them say counts less."""
    rho: Floats = np.clip(lag / noise * (seen / (seen + 16)), 0.0, RHO_MOST)
    return rho
