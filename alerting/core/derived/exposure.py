"""Exposure of people to a substance in the air: time-weighted averages and the highest concentration.

``twa``: ``Σ C·T / 8 h`` over the last 8 hours. ``stel``: the same over the last 15 minutes.
``mac``: the highest concentration of the last 15 minutes; it is not to be exceeded at any time.

Units: mg/m³ or ppm, the same for the input and the result.
Source: GBZ 2.1-2019 §3 (PC-TWA: average over a working day of 8 hours, ``C_TWA = (C1·T1 + … + Cn·Tn)/8``; PC-STEL:
    average over 15 minutes; MAC: at no time to be exceeded). Between samples
    concentrations are straight lines.

Missing time: a pause longer than ``gap_s`` and time with a BAD or stale input was not measured. It counts with the
    average of what was measured in the span, never as clean air, and its share is told: above 5 % the result is
    UNCERTAIN(incomplete), above 25 % BAD(incomplete). Before the first sample nobody was exposed yet: the average
    begins at 0 and rises as the dose does.
Never: takes a negative reading (zero drift of a detector) as relief; it counts as 0.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived import window
from alerting.core.derived.method import Given, Indexes, Made, State, numbers
from alerting.model.derivation import Derivation

TWA_S: Final = 28_800.0
SHORT_S: Final = 900.0


class Twa:
    """Averages over a moving span."""

    ROLES: ClassVar[tuple[str, ...]] = ("concentration",)
    SPAN_S: ClassVar[float] = TWA_S
    BINS: ClassVar[int] = 480  # a minute each

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._count = len(members)
        self._span_s = np.full(len(members), self.SPAN_S)
        self._width_ns: NDArray[np.int64] = np.full(len(members), round(self.SPAN_S / self.BINS * 1e9), dtype=np.int64)
        self._gap_ns: NDArray[np.int64] = np.rint(numbers(members, "gap_s") * 1e9).astype(np.int64)

    def fresh(self) -> State:
        """Windows, and the concentration at the last judged moment."""
        return {
            **window.fresh(self._count, self.BINS),
            "value": np.full(self._count, np.nan),
            "missing": np.zeros(self._count),
        }

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Say over which span, and how much of it is missing."""
        return {"window_s": self.SPAN_S, "missing_share": float(state["missing"][place])}

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Add what was breathed since the last moment."""
        now_ns, worst, width_ns = given.now_ns, given.worst, self._width_ns[at]
        value = np.maximum(given.first("concentration"), 0.0)
        is_whole = np.isfinite(value)
        window.move(state, at, now_ns, width_ns)
        c = np.flatnonzero(window.judge_moment(state, at, now_ns, is_whole, self._gap_ns[at]))
        window.add(state, at[c], now_ns[c], (value[c] + state["value"][at[c]]) / 2, width_ns[c])
        window.end_moment(state, at, now_ns, is_whole)
        state["value"][at] = value
        dose, covered_s = window.total(state, at, now_ns, width_ns)
        share = window.missing(state, at, now_ns, covered_s, self._span_s[at])
        state["missing"][at] = share
        mean = np.divide(dose, covered_s, out=np.zeros(len(at)), where=covered_s > 0)
        return Made((dose + mean * share * self._span_s[at]) / self._span_s[at], window.quality_of(worst, share))


class Stel(Twa):
    """Averages over 15 minutes."""

    SPAN_S: ClassVar[float] = SHORT_S
    BINS: ClassVar[int] = 60  # 15 s each


class Mac(Stel):
    """Highest concentrations of the last 15 minutes; the bins hold the highest of each 15 s."""

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Take the highest."""
        now_ns, worst, width_ns = given.now_ns, given.worst, self._width_ns[at]
        value = given.first("concentration")
        is_whole = np.isfinite(value)
        window.move(state, at, now_ns, width_ns)
        c = np.flatnonzero(window.judge_moment(state, at, now_ns, is_whole, self._gap_ns[at]))
        window.add(state, at[c], now_ns[c], np.zeros(len(c)), width_ns[c])  # moves the covered time alone
        window.end_moment(state, at, now_ns, is_whole)
        bins = state["amount"].shape[1]
        good = np.flatnonzero(is_whole)
        place = state["bin"][at[good]] % bins
        state["amount"][at[good], place] = np.maximum(state["amount"][at[good], place], value[good])
        _, covered_s = window.total(state, at, now_ns, width_ns)
        share = window.missing(state, at, now_ns, covered_s, self._span_s[at])
        state["missing"][at] = share
        return Made(state["amount"][at].max(axis=1), window.quality_of(worst, share))
