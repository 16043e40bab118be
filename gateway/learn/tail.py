"""Tail: the level that block maxima of a statistic pass so many times a year, and how sure that is.

Why: a history of weeks has not seen what happens once a year; the tail that it has seen is drawn out to there.

Method: peaks over a threshold. Of n block maxima the greatest k (a tenth, at least 30) exceed u; their excesses follow
a generalised Pareto distribution (Pickands 1975; Coles, An Introduction to Statistical Modeling of Extreme Values,
2001, 4), fitted by probability-weighted moments (Hosking, Wallis, Technometrics 29, 1987). The level that a block
passes with probability p is u + sigma/xi ((k/n/p)^xi - 1).
Assumes: block maxima are independent and alike over the year; a season longer than the recording is not in it.
Uncertainty: blocks are drawn again with replacement (bootstrap, seeded), 200 times; 10 % and 90 % of the levels.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PEAKS_LEAST = 30
PEAKS_SHARE = 0.1
SHAPE_MOST = 0.4  # A heavier or lighter tail than that cannot be told from a few dozen peaks.
DRAWS = 200
LOW, HIGH = 0.1, 0.9
PLOTTING = 0.35  # Of the order statistics, as Hosking and Wallis recommend.


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level, its interval of 80 %, and what it was drawn out from."""

    middle: float
    low: float
    high: float
    peaks: int
    shape: float


def level_of(maxima: NDArray[np.float64], chance: float, dice: np.random.Generator) -> Level:
    """Give the level that a block passes with a chance.

    Args:
        maxima: Of each block, at least twice ``PEAKS_LEAST``, float64 (n,); finite.
        chance: Probability per block, below ``PEAKS_SHARE``.
    """
    middle, shape, peaks = _draw_out(maxima, chance)
    draws = [_draw_out(dice.choice(maxima, len(maxima)), chance)[0] for _ in range(DRAWS)]
    low, high = np.quantile(draws, [LOW, HIGH]).tolist()
    return Level(middle=middle, low=min(low, middle), high=max(high, middle), peaks=peaks, shape=shape)


def _draw_out(maxima: NDArray[np.float64], chance: float) -> tuple[float, float, int]:
    """Give level, shape and number of peaks."""
    n = len(maxima)
    k = max(PEAKS_LEAST, int(PEAKS_SHARE * n))
    ordered = np.sort(maxima)
    least = float(ordered[n - k - 1])
    scale, shape = pareto_of(ordered[n - k :] - least)
    ratio = k / n / chance
    reach = math.log(ratio) if abs(shape) < 1e-6 else (ratio**shape - 1) / shape  # noqa: PLR2004
    return least + scale * reach, shape, k


def pareto_of(excess: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a generalised Pareto distribution: scale and shape xi (0: exponential, above: heavier).

    Args:
        excess: Ascending, not below 0, float64 (k,).
    """
    k = len(excess)
    mean = float(excess.mean())
    weighted = float(((1 - (np.arange(1, k + 1) - PLOTTING) / k) * excess).mean())
    if mean <= 0 or mean <= 2 * weighted:
        return max(mean, 0.0), 0.0
    shape = min(max(2 - mean / (mean - 2 * weighted), -SHAPE_MOST), SHAPE_MOST)
    return mean * (1 - shape), shape  # The mean of the distribution is scale / (1 - shape).
