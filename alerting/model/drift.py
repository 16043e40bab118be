"""Drift: what a DRIFT rule asks for, and the same of all of them as columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.model import Tag

S_TO_NS = 1_000_000_000
DAY_S = 86_400
BIN_S = 900  # One step of a season's profile.
#: Length of a season, s; 0 for none.
SEASON_S = {"none": 0, "day": DAY_S, "week": 7 * DAY_S}
#: How long is learnt before a DRIFT is judged, by season, s; without a season the span of the baseline.
WARM_UP_S = {"day": 2.0 * DAY_S, "week": 14.0 * DAY_S}
SPAN_S, BASE_S, ALLOWANCE = 300.0, 14_400.0, 0.5
#: Setpoint where neither rule nor artefact gives one, σ. In theory, with first-order correlated noise, 5.1 and 11.6
#: give one false alarm a year (docs/core.md); the rest is room for noise that is not like that.
SETPOINT = {"ewma": 6.0, "cusum": 14.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a DRIFT rule judges; its setpoint is in standard deviations of its own statistic.

    Attributes:
        detector: ``ewma`` or ``cusum``.
        season: ``day``, ``week`` or ``none``: what repeats itself and is taken away.
        direction: ``up``, ``down`` or ``both``.
        span_s: Memory of the EWMA; unit of time of the CUSUM, s.
        base_s: Memory of the slow baseline, s.
        warm_up_s: Judged time before it is judged, s.
        allowance: What a CUSUM lets pass, k, in standard deviations of a mean over ``span_s``.
    """

    detector: str = "ewma"
    season: str = "day"
    direction: str = "both"
    span_s: float = SPAN_S
    base_s: float = BASE_S
    warm_up_s: float = WARM_UP_S["day"]
    allowance: float = ALLOWANCE


class DriftTable:
    """What DRIFT rules ask for, as columns of equal length n, in the order of these rules.

    Attributes:
        setpoint, span_s, base_s, warm_up_s, season_s, allowance, period_s, resolution: float64 (n,).
        is_cusum: bool (n,).
        looks_up, looks_down: Which directions count, bool (n,).
        gap_ns: After a longer pause the statistic starts anew, int64 (n,).
        bins: Steps of the profile, int64 (n,); 1 where there is no season.
        first: Place of the profile in ``Memory.season``, int64 (n,). Rules without a season share the last place, which
            is always 0.
        places: Length of ``Memory.season``.
        at: First place and number of steps of each profile, 0 where there is no season, int64 (n, 2).
    """

    def __init__(self, asked: Sequence[tuple[Drift, float, float, Tag]]) -> None:
        """Lay out columns.

        Args:
            asked: Of each rule what it asks for, its setpoint, its ``gap_s`` (0 for ``span_s``) and its tag.
        """
        drifts = [drift for drift, _, _, _ in asked]
        tags = [tag for _, _, _, tag in asked]
        self.setpoint = _column([setpoint for _, setpoint, _, _ in asked])
        self.span_s = _column([drift.span_s for drift in drifts])
        self.base_s = _column([drift.base_s for drift in drifts])
        self.warm_up_s = _column([drift.warm_up_s for drift in drifts])
        self.season_s = _column([float(SEASON_S[drift.season]) for drift in drifts])
        self.allowance = _column([drift.allowance for drift in drifts])
        self.period_s = _column([tag.period_s for tag in tags])
        self.resolution = _column([tag.resolution for tag in tags])
        self.is_cusum = _flags([drift.detector == "cusum" for drift in drifts])
        self.looks_up = _flags([drift.direction != "down" for drift in drifts])
        self.looks_down = _flags([drift.direction != "up" for drift in drifts])
        self.gap_ns: NDArray[np.int64] = np.array(
            [round((gap_s or drift.span_s) * S_TO_NS) for drift, _, gap_s, _ in asked], dtype=np.int64
        )
        self.bins: NDArray[np.int64] = np.maximum(self.season_s // BIN_S, 1).astype(np.int64)
        is_seasonal = self.season_s > 0
        taken = np.where(is_seasonal, self.bins, 0)
        self.places = int(taken.sum()) + 1
        self.first: NDArray[np.int64] = np.where(is_seasonal, np.cumsum(taken) - taken, self.places - 1)
        self.at: NDArray[np.int64] = np.stack([self.first, taken], axis=1)


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def _flags(values: Sequence[bool]) -> NDArray[np.bool_]:
    return np.array(values, dtype=np.bool_)
