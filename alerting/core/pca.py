"""Principal components: how far a row is from normal operation, within its pattern (T2) and away from it (Q).

Flow: row -> standardise -> beside its lagged rows -> moving average -> T2, Q, share of each tag
Why: a leak, a stuck valve or a falsified reading breaks the way tags go together before any tag is out of its limits.

    z = (x - centre) / spread, beside those of the last ``lags`` rows (Ku, Storer, Georgakis, Chemometrics and
        Intelligent Laboratory Systems 30 (1995) 179-196)
    s = weight z + (1 - weight) s, over its standard deviation sqrt(weight / (2 - weight) (1 - (1 - weight)^2n)) after n
        rows (Lowry et al., Technometrics 34 (1992) 46-53)
    y = axes s,  T2 = sum y^2 / variances (Hotelling 1947),  e = s - axes' y,  Q = sum e^2 (Jackson, Mudholkar 1979)

A tag's share is the part of the sum that its columns bring: e^2 for Q; s (axes' (y / variances)) for T2, negative parts
left out (Westerhuis, Gurden, Smilde, Chemometrics and Intelligent Laboratory Systems 51 (2000) 95-114).

Letters: w tags, f = w (lags + 1) features, k components, n rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.model.pca import PcaModel

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Window:
    """What a model remembers: updated in place, the arrays belong to the caller.

    Attributes:
        recent: Standardised rows, the newest first, float64 (lags + 1, w).
        smooth: Moving average, float64 (f,).
        seen: Rows since the start, and rows of the average, int64 (2,).
    """

    recent: Floats
    smooth: Floats
    seen: NDArray[np.int64]

    @classmethod
    def fresh(cls, model: PcaModel) -> "Window":
        """Make a window that has seen nothing."""
        width = len(model.tags)
        return cls(np.zeros((model.lags + 1, width)), np.zeros((model.lags + 1) * width), np.zeros(2, dtype=np.int64))


def step(model: PcaModel, window: Window, row: Floats) -> Floats | None:
    """Take a row, float64 (w,); give the averaged features s, float64 (f,), None until all lags are there."""
    window.recent[1:] = window.recent[:-1].copy()
    window.recent[0] = (row - model.centre) / model.spread
    window.seen[0] += 1
    if window.seen[0] <= model.lags:
        return None
    window.seen[1] += 1
    window.smooth *= 1 - model.weight
    window.smooth += model.weight * window.recent.ravel()
    return averaged(model, window)


def averaged(model: PcaModel, window: Window) -> Floats:
    """Give the moving average over its standard deviation, float64 (f,)."""
    rest = (1 - model.weight) ** (2 * int(window.seen[1]))
    found: Floats = window.smooth / np.sqrt(model.weight / (2 - model.weight) * (1 - rest))
    return found


def statistics(model: PcaModel, features: Floats) -> tuple[float, float]:
    """Give T2 and Q of averaged features, float64 (f,). Sums in a fixed order: every machine gives the same bits."""
    along = (model.axes * features).sum(axis=1)
    away = features - (model.axes * along[:, None]).sum(axis=0)
    return float((along**2 / model.variances).sum()), float((away**2).sum())


def shares(model: PcaModel, features: Floats, statistic: str) -> Floats:
    """Give what part of a statistic each tag brings, float64 (w,), 0 to 1 and 1 in all; 0 where the statistic is 0.

    Args:
        features: Averaged, float64 (f,).
        statistic: ``t2`` or ``q``.
    """
    along = (model.axes * features).sum(axis=1)
    if statistic == "q":
        parts = (features - (model.axes * along[:, None]).sum(axis=0)) ** 2
    else:
        weighted = (model.axes * (along / model.variances)[:, None]).sum(axis=0)
        parts = np.maximum(features * weighted, 0.0)
    by_tag: Floats = parts.reshape(model.lags + 1, len(model.tags)).sum(axis=0)
    total = float(by_tag.sum())
    return by_tag / total if total > 0 else by_tag


def run(model: PcaModel, rows: Floats) -> tuple[Floats, Floats]:
    """Take rows from a fresh window, float64 (n, w); give T2 and Q, float64 (n,), NaN until lags are there."""
    window = Window.fresh(model)
    t2, q = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        features = step(model, window, row)
        if features is not None:
            t2[number], q[number] = statistics(model, features)
    return t2, q
