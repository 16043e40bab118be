"""Fit a model of normal operation by principal components, with limits for T2 and Q.

Flow: rows of normal operation -> [standardise, lag, decompose] -> PcaModel -> artefact
Why: the limits of theory hold for normal independent rows; plant data is neither, and a model fits the rows that it
    was made from better than any other. So the limits used are quantiles over blocks that the model did not see.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import chi2
from scipy.stats import f as fisher

from alerting.core import pca
from alerting.model.pca import PcaModel

Floats = NDArray[np.float64]

BLOCKS = 5
SPREAD_LEAST = 1e-9  # Of a tag's size: one that never moved is not judged by its rounding.
VARIANCE_LEAST = 1e-10  # Of the largest: directions with less are rounding.


class FitError(ValueError):
    """No model can be made of these rows; one sentence, in English and Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.sentences = {"en": en, "zh": zh}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a model is to be made.

    Attributes:
        name: Its name.
        tags: Its tags, in the order of the columns.
        period_s: Time from row to row, s.
        lags: Earlier rows beside each row.
        weight: Weight of the newest row in the moving average, above 0, 1 for none.
        variance: Share of the variance that the components keep, 0 to 1.
        false_share: Share of rows of normal operation that may be beyond one of the two limits; half of it each.
    """

    name: str
    tags: tuple[str, ...]
    period_s: float
    lags: int = 2
    weight: float = 0.2
    variance: float = 0.97
    false_share: float = 0.01


def fit(shape: Shape, rows: Floats, starts: Sequence[int] = (0,)) -> PcaModel:
    """Fit a model.

    Args:
        rows: Normal operation, a period apart, float64 (n, w), all finite.
        starts: Rows before which there was a pause; none looks back over it.

    Raises:
        FitError: Too few rows, or no tag moves.
    """
    features = len(shape.tags) * (shape.lags + 1)
    least = max(BLOCKS * (shape.lags + 2), features + 1)
    if len(rows) < least:
        raise FitError(
            f"Only {len(rows)} rows of normal operation; {features} features need {least} at least.",
            f"正常运行数据仅 {len(rows)} 行，{features} 个特征至少需要 {least} 行。",
        )
    is_start = np.zeros(len(rows), dtype=np.bool_)
    is_start[[0, *starts]] = True
    model = _decompose(shape, rows, is_start)
    edges = np.linspace(0, len(rows), BLOCKS + 1).astype(np.int64)
    found: list[tuple[Floats, Floats]] = []
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        begins = is_start.copy()
        begins[first] = True
        begins[end:][:1] = True
        left_out = np.zeros(len(rows), dtype=np.bool_)
        left_out[first:end] = True
        other = _decompose(shape, rows[~left_out], begins[~left_out])
        for part in np.split(rows[left_out], np.flatnonzero(begins[left_out])[1:]):
            t2, q = pca.run(other, part)
            found.append((t2[shape.lags :], q[shape.lags :]))
    share = 1 - shape.false_share / 2
    return replace(
        model,
        t2_limit=max(float(np.quantile(np.concatenate([t2 for t2, _ in found]), share)), 1e-12),
        q_limit=max(float(np.quantile(np.concatenate([q for _, q in found]), share)), 1e-12),
    )


def _decompose(shape: Shape, rows: Floats, is_start: NDArray[np.bool_]) -> PcaModel:
    """Standardise and find the components; limits by theory only."""
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    is_still = spread <= SPREAD_LEAST * np.maximum(np.abs(centre), 1.0)
    if is_still.all():
        raise FitError("None of its tags moves in this recording.", "该记录中其所有位号均无变化。")
    spread = np.where(is_still, 1.0, spread)
    z = lagged((rows - centre) / spread, shape.lags)
    if shape.lags:  # A row counts whose lags lie behind no start.
        since = np.arange(len(rows)) - np.maximum.accumulate(np.where(is_start, np.arange(len(rows)), 0))
        z = z[since[shape.lags :] >= shape.lags]
    if len(z) <= z.shape[1]:
        raise FitError(
            f"Only {len(z)} rows without a pause before them; {z.shape[1] + 1} are needed.",
            f"之前无中断的数据仅 {len(z)} 行，至少需要 {z.shape[1] + 1} 行。",
        )
    _, singular, axes = np.linalg.svd(z, full_matrices=False)
    variances = singular**2 / (len(z) - 1)
    real = int(np.count_nonzero(variances > VARIANCE_LEAST * variances[0]))
    kept = int(np.searchsorted(np.cumsum(variances[:real]) / variances[:real].sum(), shape.variance)) + 1
    kept = max(1, min(kept, real - 1))  # At least one direction is left over for Q, else nothing is ever away.
    t2_limit, q_limit, q_limit_box = limits(variances[:real], kept, len(z), shape.false_share / 2)
    return PcaModel(
        name=shape.name,
        tags=shape.tags,
        period_s=shape.period_s,
        lags=shape.lags,
        weight=shape.weight,
        centre=centre,
        spread=spread,
        axes=axes[:kept],
        variances=variances[:kept],
        rows=len(rows),
        false_share=shape.false_share,
        t2_limit=t2_limit,
        q_limit=q_limit,
        t2_limit_normal=t2_limit,
        q_limit_normal=q_limit,
        q_limit_box=q_limit_box,
    )


def lagged(rows: Floats, lags: int) -> Floats:
    """Put each row beside those before it, the newest first, float64 (n - lags, w (lags + 1))."""
    n = len(rows) - lags
    return np.hstack([rows[lags - lag : lags - lag + n] for lag in range(lags + 1)])


def limits(variances: Floats, kept: int, rows: int, false_share: float) -> tuple[float, float, float]:
    """Give the limits of T2 and Q for normal independent rows.

    Args:
        variances: Along all components, the largest first.
        kept: Components of the model, k.
        rows: Rows it was made from, n.
        false_share: Share of rows that may be beyond.

    Returns:
        T2 by the F distribution: k (n^2 - 1) / (n (n - k)) F(k, n - k).
        Q by Jackson and Mudholkar: theta1 (c sqrt(2 theta2 h^2) / theta1 + 1 + theta2 h (h - 1) / theta1^2)^(1/h) with
        theta_i = sum of the i-th powers of the variances left over and h = 1 - 2 theta1 theta3 / (3 theta2^2).
        Q by Box: g chi2 with theta1^2 / theta2 degrees of freedom and g = theta2 / theta1.
    """
    t2 = kept * (rows**2 - 1) / (rows * (rows - kept)) * float(fisher.isf(false_share, kept, rows - kept))
    left = variances[kept:]
    if len(left) == 0 or left.sum() <= 0:
        return t2, 1e-12, 1e-12
    theta1, theta2, theta3 = (float((left**power).sum()) for power in (1, 2, 3))
    h = 1 - 2 * theta1 * theta3 / (3 * theta2**2)
    c = float(ndtri(1 - false_share))
    inner = c * math.sqrt(2 * theta2 * h**2) / theta1 + 1 + theta2 * h * (h - 1) / theta1**2
    box = theta2 / theta1 * float(chi2.isf(false_share, theta1**2 / theta2))
    normal = theta1 * inner ** (1 / h) if inner > 0 and h != 0 else box
    return t2, normal, box
