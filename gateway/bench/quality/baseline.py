"""Baselines: the usual detectors, each written to do well, on the same rows as ours.

All learn centre and spread on ``case.learn`` only, meet ``case.judge`` row by row without looking ahead, hold a missing
value at its last one, and take as threshold a quantile of their own score on what they learned from: the level of false
alarms that the collection's settings allow, the same for every detector.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import log_ndtr

from gateway.bench.quality.case import Case, Floats, Verdict

SPREAD_LEAST = 1e-9  # Of a column's size; a tag that never moved in the normal part is not judged by its rounding.
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Settings of the baselines for one collection.

    Attributes:
        false_share: Share of the rows learned from that may be beyond the threshold.
        ewma_weight: Weight of the newest sample (Roberts 1959; Montgomery: 0.05 to 0.25).
        cusum_slack: Reference value k in standard deviations, half the shift to be found (Page 1954).
        gaussian_window: Rows of the moving reference of the windowed Gaussian, 0 for the normal part as reference.
        gaussian_recent: Rows whose mean is compared with it.
        variance: Share of the variance that the principal components keep.
        margin: Threshold over that quantile.
        hold_s: How long an alarm stands after the last row beyond the threshold, s; the off-delay of ours.
    """

    false_share: float = 0.01
    ewma_weight: float = 0.2
    cusum_slack: float = 0.5
    gaussian_window: int = 0
    gaussian_recent: int = 1
    variance: float = 0.9
    margin: float = 1.0
    hold_s: float = 0.0


def held(values: Floats) -> Floats:
    """Hold the last value where one is missing, before the first that one; 0 without any; float64 (n, tags)."""
    n = len(values)
    there = np.isfinite(values)
    last = np.maximum.accumulate(np.where(there, np.arange(n)[:, None], -1), axis=0)
    first = np.argmax(there, axis=0)
    at = np.where(last < 0, first[None, :], last)
    found: Floats = np.take_along_axis(values, at, axis=0)
    return np.where(np.isfinite(found), found, 0.0)


def standard(case: Case) -> tuple[Floats, Floats]:
    """Give what is learned from and what is judged in standard deviations from the normal part's mean."""
    learn, judge = held(case.learn.values), held(case.judge.values)
    centre, spread = learn.mean(axis=0), learn.std(axis=0)
    is_still = spread <= SPREAD_LEAST * np.maximum(np.abs(centre), 1.0)
    scale = np.where(is_still, 1.0, spread)
    return (learn - centre) / scale, (judge - centre) / scale


def verdict(case: Case, usual: Usual, score: Floats, known: Floats) -> Verdict:
    """Set the threshold at the quantile of what is known times the margin, and judge."""
    beyond = score > usual.margin * float(np.quantile(known, 1 - usual.false_share))
    last_ns = np.maximum.accumulate(np.where(beyond, case.judge.time_ns, np.int64(0)))
    stands = (last_ns > 0) & (case.judge.time_ns - last_ns <= round(usual.hold_s * 1e9))
    return Verdict(score=score, alarm=beyond | stands)


def ewma(case: Case, usual: Usual) -> Verdict:
    """Per-tag EWMA of the standardised value; the score is the largest over the tags."""

    def run(z: Floats) -> Floats:
        weight = usual.ewma_weight
        smooth = lfilter([weight], [1, weight - 1], z, axis=0)
        age = np.arange(1, len(z) + 1)[:, None]
        spread = np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * age)))
        largest: Floats = np.max(np.abs(smooth) / spread, axis=1)
        return largest

    learn, judge = standard(case)
    return verdict(case, usual, run(judge), run(learn))


def cusum(case: Case, usual: Usual) -> Verdict:
    """Per-tag two-sided CUSUM; the score is the largest sum over the tags, capped so that it comes down again."""

    def run(z: Floats, most: float) -> Floats:
        up, down = np.zeros(z.shape[1]), np.zeros(z.shape[1])
        score = np.empty(len(z))
        for row, now in enumerate(z):
            up = np.clip(up + now - usual.cusum_slack, 0.0, most)
            down = np.clip(down - now - usual.cusum_slack, 0.0, most)
            score[row] = max(up.max(), down.max())
        return score

    learn, judge = standard(case)
    known = run(learn, math.inf)
    most = 3 * usual.margin * max(float(np.quantile(known, 1 - usual.false_share)), 5.0)
    return verdict(case, usual, run(judge, most), known)


def gaussian(case: Case, usual: Usual) -> Verdict:
    """Windowed Gaussian: how unlikely the newest mean is under the window before it, as -log of the tail.

    With ``gaussian_window`` 0 the normal part is the reference, for collections that give one.
    """
    recent, window = usual.gaussian_recent, usual.gaussian_window

    def run(values: Floats) -> Floats:
        sums = np.vstack((np.zeros(values.shape[1]), np.cumsum(values, axis=0)))
        squares = np.vstack((np.zeros(values.shape[1]), np.cumsum(values**2, axis=0)))
        row = np.arange(len(values))
        newest = np.maximum(row + 1 - recent, 0)
        mean = (sums[row + 1] - sums[newest]) / (row + 1 - newest)[:, None]
        if window == 0:
            z = mean * math.sqrt(recent)
        else:
            oldest = np.maximum(newest - window, 0)
            n = np.maximum(newest - oldest, 1)[:, None]
            centre = (sums[newest] - sums[oldest]) / n
            variance = (squares[newest] - squares[oldest]) / n - centre**2
            z = (mean - centre) / np.sqrt(np.maximum(variance, 1e-12))
            z[newest - oldest < recent + 1] = 0.0
        tail: Floats = -log_ndtr(-np.max(np.abs(z), axis=1))
        return tail

    learn, judge = standard(case)
    return verdict(case, usual, run(judge), run(learn))


def pca(case: Case, usual: Usual) -> Verdict:
    """Static PCA with T2 and Q, each over its own quantile; the score is the larger ratio."""
    learn, judge = standard(case)
    _, singular, axes = np.linalg.svd(learn, full_matrices=False)
    variance = singular**2 / max(len(learn) - 1, 1)
    if variance[0] <= 0:  # Nothing moved in the normal part: nothing is known of how it moves.
        return ewma(case, usual)
    kept = int(np.searchsorted(np.cumsum(variance) / variance.sum(), usual.variance)) + 1
    kept = max(1, min(kept, int(np.count_nonzero(variance > 1e-9 * variance[0]))))
    axes = axes[:kept]

    def run(z: Floats) -> tuple[Floats, Floats]:
        inside = z @ axes.T
        return (inside**2 / variance[:kept]).sum(axis=1), ((z - inside @ axes) ** 2).sum(axis=1)

    normal, met = run(learn), run(judge)
    limits = [max(float(np.quantile(each, 1 - usual.false_share / 2)), 1e-12) for each in normal]

    def ratio(pair: tuple[Floats, Floats]) -> Floats:
        return np.maximum(pair[0] / limits[0], pair[1] / limits[1])

    return verdict(case, usual, ratio(met), ratio(normal))


BASELINES = {"ewma": ewma, "cusum": cusum, "gaussian": gaussian, "pca": pca}
