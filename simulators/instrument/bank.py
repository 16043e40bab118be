"""Bank: many instruments at once, as columns.

Why: a plant of a thousand instruments costs a few array operations a step, not a thousand objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

#: Where a 4-20 mA transmitter stops following, mA (NAMUR NE 43).
LOOP_LEAST_MA, LOOP_MOST_MA = 3.8, 20.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument.

    Attributes:
        low, high: Range, in the tag's engineering unit; a loop's 4 and 20 mA.
        resolution: Step of what it shows; 0 for none.
        noise: Standard deviation of white noise.
        wander, wander_s: Standard deviation and time constant of slow noise (Ornstein and Uhlenbeck).
        lag_s: Time constant; 63 % of a step after it.
        is_loop: 4-20 mA: it shows what 3.8 to 20.5 mA stand for at most; another instrument goes on beyond its range.
        is_count: A counter or a switch: no noise, no lag, whole.
    """

    tag: str
    low: float = -np.inf
    high: float = np.inf
    resolution: float = 0.0
    noise: float = 0.0
    wander: float = 0.0
    wander_s: float = 60.0
    lag_s: float = 0.0
    is_loop: bool = False
    is_count: bool = False


class Bank:
    """Instruments in the order given; ``step`` moves all.

    Attributes:
        tags: Their names; columns of ``step`` are in this order.
        shown: What they show now, float64 (n,).
    """

    def __init__(self, instruments: Sequence[Instrument], dice: Generator) -> None:
        self.instruments = tuple(instruments)
        self.tags = tuple(each.tag for each in self.instruments)
        assert len(set(self.tags)) == len(self.tags), "two instruments of one name"
        self.shown = np.full(len(self.tags), np.nan)
        self._dice = dice
        self._low, self._high = self._column("low"), self._column("high")
        is_loop = np.array([each.is_loop for each in self.instruments], dtype=bool)
        if is_loop.any():
            span = np.where(is_loop, self._high - self._low, 0.0)
            assert np.isfinite(span).all(), "a loop needs a range"
            below, above = (4 - LOOP_LEAST_MA) / 16, (LOOP_MOST_MA - 20) / 16
            self._least = np.where(is_loop, self._low - below * span, -np.inf)
            self._most = np.where(is_loop, self._high + above * span, np.inf)
        else:
            self._least, self._most = np.full(len(self.tags), -np.inf), np.full(len(self.tags), np.inf)
        self._noise, self._wander = self._column("noise"), self._column("wander")
        self._wander_s, self._lag_s = self._column("wander_s"), self._column("lag_s")
        self._step = self._column("resolution")
        self._is_count = np.array([each.is_count for each in self.instruments], dtype=bool)
        self._state = np.full(len(self.tags), np.nan)
        self._walk = self._wander * dice.standard_normal(len(self.tags))

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.array([getattr(each, name) for each in self.instruments], dtype=np.float64)

    def step(self, dt_s: float, true: NDArray[np.float64]) -> NDArray[np.float64]:
        """Follow the true values for dt_s and give what is shown, float64 (n,).

        Lag is exact for constant values, slow noise has the same statistics for any step, so ``dt_s`` may vary.
        """
        with np.errstate(divide="ignore"):
            keep = np.where(self._lag_s > 0, np.exp(-dt_s / self._lag_s), 0.0)
        fresh = np.isnan(self._state)
        self._state = np.where(fresh, true, true + (np.where(fresh, true, self._state) - true) * keep)
        stay = np.exp(-dt_s / self._wander_s)
        chance = self._dice.standard_normal((2, len(self.tags)))
        self._walk = self._walk * stay + self._wander * np.sqrt(1 - stay * stay) * chance[0]
        shown = self._state + self._walk + self._noise * chance[1]
        shown = np.clip(shown, self._least, self._most)
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = np.where(self._step > 0, np.round(shown / self._step) * self._step, shown)
        self.shown = np.where(self._is_count, true, shown)
        return self.shown
