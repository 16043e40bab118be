"""Blocks: a line through the means of the last blocks of time, for TREND rules that ask for it.

Flow: samples -> [blocks, line at a block's end] -> slope, level and noise where the filter of ``trend`` has its own
Why: after steps, and where a person must be able to check the line with a ruler, a window says plainly what it saw.
Never: draws on a running sum: a block begins at 0, and each line is taken anew from the ring, so nothing wears out.

Letters: x block's mean time before the newest one, s; y its mean over the newest one's, eu; n blocks of the line.

    least squares   b = Sxy / Sxx, level = ym - b xm; in units of the noise of one block
                    P22 = 1/Sxx, P12 = -xm/Sxx, P11 = 1/n + xm^2/Sxx
    Theil, Sen      b = median of (yj - yi)/(xj - xi) over all pairs, level = median of y - b x (Sen, J. American
                    Statistical Association 63, 1968); the covariance is pi/3 that of least squares, what the median
                    loses under normal noise (same, efficiency 3/pi)

Noise: a block that ends is compared with what the line said of it before: e / sqrt(P11 + 2 x P12 + x^2 P22 + 1). Mean
square R and lag-1 covariance of these residuals are averages over an hour or four lines, whichever is longer, the n-th
weighing at least 2/(n + 1). A correlation taken from the residuals of one line hides what it is to find, because the
line bends to it (docs/core.md has the figures). R is not below the mean square of the line's own residuals:
SSE/(n - 2), or (1.4826 MAD)^2 n/(n - 2).

Outliers: a residual beyond GATE standard deviations says nothing about the noise. COURSE of one sign in a row are a new
course: the line keeps the blocks since then but the first, in which the change itself may lie.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Gather, Memory, Slot
from alerting.model.blocks import BLOCKS_MOST
from alerting.model.rule import RuleTable

Indexes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Z_BLOCKS: Final = 3.0  # Standard errors that the slope of a line must be away from nothing.
NOISE_S: Final = 3600.0
NOISE_LINES: Final = 4.0
GATE: Final = 4.0
COURSE: Final = 3
SEEN_LEAST: Final = 3  # Residuals before an outlier can be told.
SEEN_KEPT: Final = 16.0  # What the noise before a new course counts for, in residuals.
BLOCKS_TOLD: Final = 3  # Blocks before the next one's residual says anything: two make the line.
MAD_SIGMA: Final = 1.482602218505602  # Standard deviation of a normal distribution over its MAD.
ROBUST: Final = np.pi / 3
ROWS: Final = 64  # Rules whose pairs are looked at together.


def advance_blocks(table: RuleTable, memory: Memory, rules: Indexes, value: Floats, time_ns: NDArray[np.int64]) -> None:
    """Take a sample each into the blocks of some TREND rules, and draw the lines of those whose block ended; in place.

    Args:
        rules: Indexes of rules with blocks, each once, (m,).
        value, time_ns: The sample of each; newer than the last one, (m,).
    """
    place, trend = memory.blocks_of[rules], memory.trend_of[rules]
    lines = table.trends.lines
    last_ns = memory.trend_ns[trend]
    starts = (last_ns == 0) | (time_ns - last_ns > table.trends.gap_ns[trend])
    _forget(memory, place[starts], trend[starts], value[starts])

    number = (time_ns - lines.offset_ns[place]) // lines.block_ns[place]
    gathered = memory.gathered[place]
    ends = ~starts & (number.astype(np.float64) != gathered[:, Gather.NUMBER])
    is_whole = ends & (gathered[:, Gather.SAMPLES] >= lines.samples_least[place])
    if is_whole.any():
        _end_blocks(table, memory, place[is_whole], trend[is_whole])

    begins = starts | ends
    gathered[begins, Gather.NUMBER] = number[begins]
    gathered[begins, Gather.FIRST] = value[begins]
    gathered[begins, Gather.SAMPLES :] = 0.0
    gathered[:, Gather.SAMPLES] += 1
    gathered[:, Gather.SUM] += value - gathered[:, Gather.FIRST]
    begin_ns = number * lines.block_ns[place] + lines.offset_ns[place]
    gathered[:, Gather.SUM_S] += (time_ns - begin_ns) / 1e9
    memory.gathered[place] = gathered

    state = memory.trend_state[trend]
    ahead_s = (time_ns - memory.block_ns[place, 0]) / 1e9
    drawn = state[:, Slot.COUNT] > 0
    state[:, Slot.LEVEL] = np.where(drawn, memory.line_level[place] + state[:, Slot.SLOPE] * ahead_s, 0.0)
    memory.trend_state[trend] = state
    memory.trend_ns[trend] = time_ns
    # A device may send 1e308, whose square is no number: the rule forgets all and starts at the next sample.
    wild = ~np.isfinite(state.sum(axis=1) + gathered.sum(axis=1))
    memory.trend_state[trend[wild]] = 0.0
    _forget(memory, place[wild], trend[wild], np.zeros(int(wild.sum())))
    memory.trend_ns[trend[wild]] = 0


def _forget(memory: Memory, place: NDArray[np.int32], trend: NDArray[np.int32], value: Floats) -> None:
    """Begin anew; what is known of the noise stays."""
    memory.block_ns[place], memory.block_value[place], memory.gathered[place] = 0, 0.0, 0.0
    memory.line_level[place] = 0.0
    for slot in (Slot.LEVEL, Slot.SLOPE, Slot.P_LEVEL, Slot.P_CROSS, Slot.P_SLOPE, Slot.STRETCH, Slot.COUNT):
        memory.trend_state[trend, slot] = 0.0
    memory.trend_state[trend, Slot.LAST] = memory.trend_state[trend, Slot.RUN] = 0.0
    memory.trend_state[trend, Slot.ORIGIN] = value


def _end_blocks(table: RuleTable, memory: Memory, place: NDArray[np.int32], trend: NDArray[np.int32]) -> None:
    """Put blocks that ended into their rings, compare them with the lines before, and draw the lines anew."""
    lines, gathered = table.trends.lines, memory.gathered[place]
    s = np.ascontiguousarray(memory.trend_state[trend].T)
    samples = gathered[:, Gather.SAMPLES]
    mean = gathered[:, Gather.FIRST] + gathered[:, Gather.SUM] / samples
    begin_ns = gathered[:, Gather.NUMBER].astype(np.int64) * lines.block_ns[place] + lines.offset_ns[place]
    mean_ns = begin_ns + np.rint(gathered[:, Gather.SUM_S] / samples * 1e9).astype(np.int64)

    ahead_s = (mean_ns - memory.block_ns[place, 0]) / 1e9
    error = (mean - s[Slot.ORIGIN]) - (memory.line_level[place] + s[Slot.SLOPE] * ahead_s)
    jumps = _compare(table, s, place, trend, error, ahead_s)

    rings_ns, rings = np.roll(memory.block_ns[place], 1, axis=1), np.roll(memory.block_value[place], 1, axis=1)
    rings_ns[:, 0], rings[:, 0] = mean_ns, mean
    age = np.arange(BLOCKS_MOST)
    kept = np.where(jumps, COURSE - 1, lines.count[place])
    span_ns = lines.count[place] * lines.block_ns[place]
    is_in = (rings_ns > 0) & (age < kept[:, None]) & (rings_ns[:, :1] - rings_ns < span_ns[:, None])
    rings_ns[~is_in], rings[~is_in] = 0, 0.0
    memory.block_ns[place], memory.block_value[place] = rings_ns, rings

    x, y = (rings_ns - rings_ns[:, :1]) / 1e9 * is_in, (rings - rings[:, :1]) * is_in
    s[Slot.ORIGIN], s[Slot.COUNT] = rings[:, 0], is_in.sum(axis=1)
    level = _draw(s, x, y, is_in)
    robust = np.flatnonzero(lines.is_robust[place] & (s[Slot.COUNT] > 1))
    for first in range(0, len(robust), ROWS):
        k = robust[first : first + ROWS]
        w = slice(int(s[Slot.COUNT, k].max()))  # Rings are filled from their newest block on.
        level[k], s[Slot.SLOPE, k], s[Slot.STRETCH, k] = _draw_robust(x[k, w], y[k, w], is_in[k, w])
        s[Slot.P_LEVEL : Slot.P_SLOPE + 1, k] *= ROBUST
    memory.line_level[place] = level
    memory.trend_state[trend] = s.T


def _compare(
    table: RuleTable, s: Floats, place: NDArray[np.int32], trend: NDArray[np.int32], error: Floats, ahead_s: Floats
) -> Flags:
    """Learn the noise from blocks that ended, by the lines before them; tell which of them make a new course."""
    trends, lines = table.trends, table.trends.lines
    told = s[Slot.COUNT] >= BLOCKS_TOLD
    scale = s[Slot.P_LEVEL] + 2 * ahead_s * s[Slot.P_CROSS] + ahead_s * ahead_s * s[Slot.P_SLOPE] + 1
    residual = np.where(told, error / np.sqrt(scale), 0.0)
    room = GATE * (1 + 8 / np.maximum(s[Slot.SEEN], 1)) * np.sqrt(np.maximum(s[Slot.NOISE], trends.noise_least[trend]))
    is_out = told & (s[Slot.SEEN] >= SEEN_LEAST) & (np.abs(residual) > room)
    side = np.sign(residual)
    s[Slot.RUN] = np.where(is_out, np.where(s[Slot.RUN] * side > 0, s[Slot.RUN] + side, side), 0.0)
    jumps: Flags = np.abs(s[Slot.RUN]) >= COURSE
    block_s = lines.block_ns[place] / 1e9
    memory_s = np.maximum(NOISE_S, NOISE_LINES * lines.count[place] * block_s)
    says = told & ~is_out
    weight = np.where(says, np.maximum(2 / (s[Slot.SEEN] + 2), block_s / (memory_s + block_s)), 0.0)
    s[Slot.NOISE] += weight * (residual * residual - s[Slot.NOISE])
    s[Slot.LAG] += weight * (residual * s[Slot.LAST] - s[Slot.LAG])
    s[Slot.SEEN] = np.where(jumps, np.minimum(s[Slot.SEEN], SEEN_KEPT), s[Slot.SEEN] + says)
    s[Slot.LAST] = np.where(jumps | is_out, 0.0, residual)
    s[Slot.RUN] = np.where(jumps, 0.0, s[Slot.RUN])
    return jumps


def _draw(s: Floats, x: Floats, y: Floats, is_in: Flags) -> Floats:
    """Draw lines by least squares; give their levels at the newest block, over it, eu."""
    n = s[Slot.COUNT]
    xm, ym = x.sum(axis=1) / n, y.sum(axis=1) / n
    dx, dy = (x - xm[:, None]) * is_in, (y - ym[:, None]) * is_in
    sxx, sxy = (dx * dx).sum(axis=1), (dx * dy).sum(axis=1)
    is_line = sxx > 0
    sxx = np.where(is_line, sxx, 1.0)
    slope = np.where(is_line, sxy / sxx, 0.0)
    rest = dy - slope[:, None] * dx
    s[Slot.SLOPE] = slope
    s[Slot.STRETCH] = (rest * rest).sum(axis=1) / np.maximum(n - 2, 1)
    s[Slot.P_LEVEL], s[Slot.P_CROSS] = 1 / n + np.where(is_line, xm * xm / sxx, 0.0), np.where(is_line, -xm / sxx, 0.0)
    s[Slot.P_SLOPE] = np.where(is_line, 1 / sxx, 0.0)
    level: Floats = ym - slope * xm
    return level


def _draw_robust(x: Floats, y: Floats, is_in: Flags) -> tuple[Floats, Floats, Floats]:
    """Draw lines by the median of the slopes of all pairs; give level, slope and mean square of what is off."""
    one, other = np.triu_indices(x.shape[1], 1)
    both = is_in[:, one] & is_in[:, other]
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(both, (y[:, one] - y[:, other]) / (x[:, one] - x[:, other]), np.nan)
    slope = np.nanmedian(slopes, axis=1)
    rest = np.where(is_in, y - slope[:, None] * x, np.nan)
    level = np.nanmedian(rest, axis=1)
    sigma = MAD_SIGMA * np.nanmedian(np.abs(rest - level[:, None]), axis=1)
    n = is_in.sum(axis=1)
    return level, slope, sigma * sigma * n / np.maximum(n - 2, 1)
