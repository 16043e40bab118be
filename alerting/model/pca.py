"""Model of normal operation by principal components: what it was learnt from, and what it holds a scan against.

Why: readings that each look right may not fit together; the model knows how they go together in normal operation.
Never: applied to other tags, or to the same in another order, than it was learnt with.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.model.learned import digest_of

METHOD = "pca"
LIMITS = ("t2_limit", "q_limit", "t2_limit_normal", "q_limit_normal", "q_limit_box")


class ModelError(ValueError):
    """The facts are no model that can be used here; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PcaModel:
    """A dynamic principal component model (Ku, Storer, Georgakis 1995) of w tags with EWMA of its rows (Lowry 1992).

    Attributes:
        name: Names it in the configuration.
        tags: Its tags, in the order of all columns.
        period_s: Time from row to row, s.
        lags: Earlier rows that stand beside each row; a row has f = w (lags + 1) features, the newest first.
        weight: Weight of the newest row in the moving average; 1 for none.
        centre, spread: Mean and standard deviation of each tag in normal operation, float64 (w,).
        axes: Principal components, float64 (k, f).
        variances: Variance along each, float64 (k,).
        rows: Rows learnt from.
        false_share: Share of rows of normal operation that T2 or Q may be beyond its limit.
        t2_limit, q_limit: What is used: a quantile over blocks of rows that the model of the others did not see.
        t2_limit_normal: For normal independent rows: k (n^2 - 1) / (n (n - k)) F(k, n - k) (MacGregor, Kourti 1995).
        q_limit_normal: The same: Jackson and Mudholkar, Technometrics 21 (1979) 341-349.
        q_limit_box: The same by a scaled chi-square: Box 1954; Nomikos, MacGregor, Technometrics 37 (1995) 41-59.
    """

    name: str
    tags: tuple[str, ...]
    period_s: float
    lags: int
    weight: float
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    axes: NDArray[np.float64]
    variances: NDArray[np.float64]
    rows: int
    false_share: float
    t2_limit: float
    q_limit: float
    t2_limit_normal: float
    q_limit_normal: float
    q_limit_box: float

    @property
    def digest(self) -> str:
        """Tell models apart by all that they hold."""
        return digest_of(as_json(self))


def as_json(model: PcaModel) -> dict[str, Any]:
    """Give a model as JSON values, an entry of the artefact's ``models``."""
    return {
        "name": model.name,
        "method": METHOD,
        "tags": list(model.tags),
        "period_s": model.period_s,
        "lags": model.lags,
        "weight": model.weight,
        "centre": model.centre.tolist(),
        "spread": model.spread.tolist(),
        "axes": model.axes.tolist(),
        "variances": model.variances.tolist(),
        "rows": model.rows,
        "false_share": model.false_share,
    } | {name: getattr(model, name) for name in LIMITS}


def of_json(facts: Mapping[str, Any], tags: Sequence[str]) -> PcaModel:
    """Read a model that is to be applied to some tags.

    Raises:
        ModelError: It is none, its parts do not fit together, or it was learnt with other tags or another order.
    """
    name = str(facts.get("name", ""))
    if facts.get("method") != METHOD:
        raise ModelError(f"model {name!r} is of method {facts.get('method')!r}; {METHOD} is known.")
    if list(facts.get("tags", [])) != list(tags):
        raise ModelError(f"model {name!r} was learnt with other tags, or with these in another order.")
    try:
        model = PcaModel(
            name=name,
            tags=tuple(tags),
            period_s=float(facts["period_s"]),
            lags=int(facts["lags"]),
            weight=float(facts["weight"]),
            centre=np.array(facts["centre"], dtype=np.float64),
            spread=np.array(facts["spread"], dtype=np.float64),
            axes=np.array(facts["axes"], dtype=np.float64),
            variances=np.array(facts["variances"], dtype=np.float64),
            rows=int(facts["rows"]),
            false_share=float(facts["false_share"]),
            **{each: float(facts[each]) for each in LIMITS},
        )
    except (KeyError, TypeError, ValueError) as failure:
        raise ModelError(f"model {name!r} is not whole: {failure}.") from None
    width, kept = len(tags), len(model.variances)
    fits = model.centre.shape == model.spread.shape == (width,) and kept > 0 and model.lags >= 0
    fits = fits and model.axes.shape == (kept, width * (model.lags + 1))
    numbers = (model.centre, model.spread, model.axes, model.variances)
    fits = fits and all(bool(np.isfinite(column).all()) for column in numbers)
    fits = fits and bool((model.spread > 0).all() and (model.variances > 0).all())
    fits = fits and 0 < model.weight <= 1 and model.period_s > 0
    if not fits or not all(math.isfinite(getattr(model, each)) and getattr(model, each) > 0 for each in LIMITS):
        raise ModelError(f"model {name!r} does not fit together: sizes or numbers are wrong.")
    return model
