"""Balances over a moving window: what a stock gained against what the flows explain.

``tank_balance``: ``ΔV - ∫(Σin - Σout) dt`` over the window, m³. Above 0 more came than was measured, below 0 something
    left that no meter saw, or the level or a meter lies.
``line_balance``: ``∫(Σin - Σout) dt - Δpack`` over the window, Nm³ (0 °C, 101.325 kPa). Above 0 gas was lost.
    ``pack = V · p/(101.325 · Z) · 273.15/T``: the gas in the pipe by the ideal gas law with a compressibility factor Z.

Units: volume m³, flow m³/h (Nm³/h), pressure kPa absolute, temperature °C.
Source: conservation of mass; API RP 1130 §4 calls the two *tank balance* and *line balance with line-pack
compensation* (volume balance). Flows are taken as straight lines between two moments.
Never: bridges a pause. Time with a BAD or stale input, or a longer pause than ``gap_s``, is missing: it adds nothing,
is counted, and makes the result UNCERTAIN or BAD (see ``window``).
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived import window
from alerting.core.derived.method import BAD_RANGE, Given, Indexes, Made, State, numbers
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad

BINS: Final = 60
NORMAL_KPA: Final = 101.325
ZERO_C_K: Final = 273.15


class Stock(Protocol):
    """Tells what is stored now."""

    def __call__(self, at: Indexes, given: Given) -> NDArray[np.float64]:
        """Give what some instances hold, m³ or Nm³, float64 (m,); NaN where it cannot be told."""
        ...


class _Balance:
    """What both balances share; ``stock`` and ``sign`` tell them apart."""

    ROLES: ClassVar[tuple[str, ...]]

    def __init__(self, members: Sequence[Derivation], stock: Stock, sign: float) -> None:
        self._stock, self._sign = stock, sign
        self._count = len(members)
        self._span_s = numbers(members, "window_s")
        self._width_ns: NDArray[np.int64] = np.rint(self._span_s / BINS * 1e9).astype(np.int64)
        self._gap_ns: NDArray[np.int64] = np.rint(numbers(members, "gap_s") * 1e9).astype(np.int64)

    def fresh(self) -> State:
        """Windows, and stock and net flow at the last judged moment."""
        return {
            **window.fresh(self._count, BINS),
            "stock": np.full(self._count, np.nan),
            "net": np.full(self._count, np.nan),
            "missing": np.zeros(self._count),
        }

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Say over which span, and how much of it is missing."""
        return {"window_s": float(self._span_s[place]), "missing_share": float(state["missing"][place])}

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Add what the stock gained beyond the flows since the last moment."""
        now_ns, worst = given.now_ns, given.worst
        width_ns = self._width_ns[at]
        stock = self._stock(at, given)
        net = (given.roles["in"].total - given.roles["out"].total) / 3600  # per second
        is_whole = np.isfinite(stock) & np.isfinite(net)
        window.move(state, at, now_ns, width_ns)
        is_covered = window.judge_moment(state, at, now_ns, is_whole, self._gap_ns[at])
        span_s = (now_ns - state["before_ns"][at]) / 1e9
        rate = (stock - state["stock"][at]) / span_s - (net + state["net"][at]) / 2
        c = np.flatnonzero(is_covered)
        window.add(state, at[c], now_ns[c], self._sign * rate[c], width_ns[c])
        window.end_moment(state, at, now_ns, is_whole)
        state["stock"][at], state["net"][at] = stock, net
        amount, covered_s = window.total(state, at, now_ns, width_ns)
        share = window.missing(state, at, now_ns, covered_s, self._span_s[at])
        state["missing"][at] = share
        quality = window.quality_of(worst, share)
        quality[~is_whole & ~is_bad(quality)] = BAD_RANGE  # an absolute pressure or temperature that cannot be
        return Made(amount, quality)


class TankBalance(_Balance):
    """Balances of tanks."""

    ROLES: ClassVar[tuple[str, ...]] = ("volume", "in", "out")

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members, _volume, 1.0)


class LineBalance(_Balance):
    """Balances of gas lines; pressure and temperature are the means of their inputs."""

    ROLES: ClassVar[tuple[str, ...]] = ("in", "out", "pressure", "temperature")

    def __init__(self, members: Sequence[Derivation]) -> None:
        super().__init__(members, _Pipes(members), -1.0)


def _volume(at: Indexes, given: Given) -> NDArray[np.float64]:
    """Give what tanks hold, m³."""
    del at
    return given.first("volume")


class _Pipes:
    """What gas lines hold, Nm³."""

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._volume_m3 = numbers(members, "pipe_volume_m3")
        self._z = numbers(members, "z", 1.0)
        self._at_c = numbers(members, "temperature_c", 15.0)
        self._atmosphere_kpa = numbers(members, "atmosphere_kpa", NORMAL_KPA)
        self._is_gauge = np.array([each.words.get("pressure_is") == "gauge" for each in members], dtype=np.bool_)

    def __call__(self, at: Indexes, given: Given) -> NDArray[np.float64]:
        """Give the line packs."""
        pressure = given.roles["pressure"]
        kpa = pressure.total / pressure.is_there.sum(axis=1) + np.where(
            self._is_gauge[at], self._atmosphere_kpa[at], 0.0
        )
        column = given.roles["temperature"]
        there = column.is_there.sum(axis=1)
        celsius = np.where(there > 0, column.total / np.maximum(there, 1), self._at_c[at])
        kelvin = celsius + ZERO_C_K
        pack = self._volume_m3[at] * kpa / (NORMAL_KPA * self._z[at]) * ZERO_C_K / kelvin
        return np.where((kpa > 0) & (kelvin > 0), pack, np.nan)
