"""Stops: where a tag that fills and empties, or warms and cools, normally comes to rest; from a recording, in one pass.

Flow: values of normal operation -> [turning points at which it rested] -> the normal stop -> advice, pictures, trial
Why: a limit just above the normal stop beats every trend on a slow fill, and a quantile of all values cannot tell
    a stop from a splash, nor how far stops scatter, nor how fast fills are.
Never: takes a turn without rest for a stop: what swings has extremes, not stops.

A turning point is where a tag turned back by ``TURN_SHARE`` of all that it was seen to move. It rested there if it
stayed within ``NEAR_SHARE`` of that range. All of it is ours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.model import TagTable

Floats = NDArray[np.float64]

TURN_SHARE = 0.25
NEAR_SHARE = 0.03
REST_SHARE = 0.3  # Of the time of the fill: a sine rests 0.22 of it within ``NEAR_SHARE``.
WIDTH = 16  # Steps that are looked at together.
STOPS_LEAST = 5
KEPT_MAX = 1024  # Turning points of a tag; beyond, every other one is dropped.
SIGMA_OF_MAD = 1.482602218505602
BEYOND = 4.0
SPREAD_LEAST = 0.005  # Of the span: nobody fills more exactly than that.
FAST = 0.95  # Quantile of the rates of fills: what "a fast one" is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turning point.

    Attributes:
        value, start: Where it turned, and where it had turned before, eu.
        moved_s: How long it was on its way; ``rested_s`` how long it stayed there, s.
    """

    value: float
    start: float
    moved_s: float
    rested_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalStop:
    """Where a tag normally stops in one direction.

    Attributes:
        stops: How many this is known from.
        middle, spread: Median of the stops and their robust standard deviation, eu.
        farthest: The one that went farthest, without those beyond, eu.
        beyond: Stops more than ``BEYOND`` spreads from the middle: no normal ones.
        rate, rate_fast: Median rate of the fills, and what one in twenty exceeds, eu per second, above 0.
    """

    stops: int
    middle: float
    spread: float
    farthest: float
    beyond: int
    rate: float
    rate_fast: float


class Stops:
    """Turning points of all tags of a site."""

    def __init__(self, tags: TagTable) -> None:
        n = len(tags)
        self._least, self._greatest = np.full(n, np.inf), np.full(n, -np.inf)  # of all that was seen
        self._way = np.ones(n)  # +1 on its way up, -1 down
        self._far = np.full(n, np.nan)  # how far it has come on this way, times the way
        self._start = np.full(n, np.nan)  # where this way began, times the way
        self._left_s = np.zeros(n)  # when it was last near there
        self._near = np.full(n, np.nan)  # ``_far`` when it last went on by more than what is near
        self._since_s = np.zeros(n)  # and when that was
        self._there_s = np.zeros(n)  # when it was last near ``_far``
        self._turns: dict[int, dict[float, list[Turn]]] = {}

    def take(self, rows: NDArray[np.int32], times_ns: NDArray[np.int64], values: Floats) -> None:
        """Take values of normal operation, (steps, rows), NaN where there are none; times rise."""
        starts = np.arange(0, len(values), WIDTH)
        if len(starts) == 0:
            return
        least, greatest = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        last = values[np.append(starts[1:], len(values)) - 1]
        for at, start in enumerate(starts.tolist()):
            self._step(rows, float(times_ns[start]) / 1e9, least[at], greatest[at], last[at])

    def _step(self, rows: NDArray[np.int32], now_s: float, low: Floats, high: Floats, last: Floats) -> None:
        is_there = np.isfinite(low) & np.isfinite(high)
        if not is_there.all():
            rows, low, high, last = rows[is_there], low[is_there], high[is_there], last[is_there]
        self._least[rows], self._greatest[rows] = (
            np.minimum(self._least[rows], low),
            np.maximum(self._greatest[rows], high),
        )
        span = self._greatest[rows] - self._least[rows]
        way, far = self._way[rows], self._far[rows]
        ahead = np.where(way > 0, high, -low)
        behind = way * last  # Where it ended, not its least: on its way up the least came before the greatest.
        is_new = np.isnan(far)
        far = np.where(is_new, ahead, np.maximum(far, ahead))
        start = np.where(is_new, np.where(way > 0, low, -high), self._start[rows])
        is_near_start = is_new | (ahead <= start + NEAR_SHARE * span)
        self._left_s[rows] = np.where(is_near_start, now_s, self._left_s[rows])
        goes_on = is_new | (far > self._near[rows] + NEAR_SHARE * span)
        self._near[rows] = np.where(goes_on, far, self._near[rows])
        self._since_s[rows] = np.where(goes_on, now_s, self._since_s[rows])
        is_near = is_new | (ahead >= far - NEAR_SHARE * span)
        self._there_s[rows] = np.where(is_near, now_s, self._there_s[rows])
        self._far[rows], self._start[rows] = far, start
        turned = np.flatnonzero((far - behind >= TURN_SHARE * span) & (span > 0))
        for place in turned.tolist():
            self._turn(int(rows[place]), now_s, float(behind[place]))

    def _turn(self, row: int, now_s: float, behind: float) -> None:
        """Note a turning point, and go on the other way."""
        way, since_s, there_s = float(self._way[row]), float(self._since_s[row]), float(self._there_s[row])
        turn = Turn(
            value=way * float(self._far[row]),
            start=way * float(self._start[row]),
            moved_s=since_s - float(self._left_s[row]),
            rested_s=there_s - since_s,
        )
        mine = self._turns.setdefault(row, {1.0: [], -1.0: []})
        mine[way].append(turn)
        if len(mine[way]) > KEPT_MAX:
            mine[way] = mine[way][::2]
        self._way[row], self._start[row] = -way, -way * turn.value
        self._far[row] = self._near[row] = -behind
        self._left_s[row], self._since_s[row], self._there_s[row] = there_s, now_s, now_s

    def normal(self, row: int, sign: float, span: float) -> NormalStop | None:
        """Tell where a tag normally stops on its way up (sign +1) or down (-1); None where it has no stops.

        Args:
            span: How far it moves in normal operation, eu; shorter ways than ``TURN_SHARE`` of it are none.
        """
        turns = self._turns.get(row, {}).get(sign, [])
        turns = [each for each in turns if sign * (each.value - each.start) >= TURN_SHARE * span and each.moved_s > 0]
        if len(turns) < STOPS_LEAST or span <= 0:
            return None
        if np.median([each.rested_s / each.moved_s for each in turns]) < REST_SHARE:
            return None
        values = np.array([each.value for each in turns])
        rates = np.array([sign * (each.value - each.start) / each.moved_s for each in turns])
        middle = float(np.median(values))
        spread = SIGMA_OF_MAD * float(np.median(np.abs(values - middle)))
        is_beyond = np.abs(values - middle) > BEYOND * max(spread, SPREAD_LEAST * span)
        return NormalStop(
            stops=len(turns),
            middle=middle,
            spread=spread,
            farthest=float((sign * values[~is_beyond]).max() * sign),
            beyond=int(is_beyond.sum()),
            rate=float(np.median(rates)),
            rate_fast=float(np.quantile(rates, FAST)),
        )
