"""Signals: a number for every tag at every moment, where no plant stands behind the tags.

Flow: tag tables, seed, time -> [Signals] -> readings
Why: who tries a site's configuration, or a gateway under load, needs values that move, differ from tag to tag, stay
    within the instrument and can be worked out again; physics is the plants' (``simulators.plant``).

A tag swings as ``middle + 0.4 · span · sin(2π (t / T + φ))`` with T from 60 to 600 s and φ by the seed; one of bits
or texts walks through its states, each for a fifth of its T. All are ours.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PERIOD_S: Final = (60.0, 600.0)
SWING: Final = 0.4  # Of the instrument's span, to either side: never beyond it.
STEPS: Final = 5  # States of one period.
USUAL: Final = (0.0, 100.0)  # A tag without a range.


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A tag that moves.

    Attributes:
        lo, hi: Its instrument's range, eu.
        states: Numbers that it walks through; empty where it swings.
    """

    tag: str
    lo: float = USUAL[0]
    hi: float = USUAL[1]
    states: tuple[float, ...] = ()


class Signals:
    """Gives readings of all tags at a time; the same ones for the same seed."""

    def __init__(self, tags: Iterable[Moving], seed: int) -> None:
        self.tags = tuple(tags)
        dice = np.random.default_rng(seed)
        n = len(self.tags)
        self._names = [tag.tag for tag in self.tags]
        self._period_s = dice.uniform(*PERIOD_S, n)
        self._phase = dice.random(n)
        lo, hi = np.array([tag.lo for tag in self.tags]), np.array([tag.hi for tag in self.tags])
        self._middle, self._swing = (lo + hi) / 2, (hi - lo) * SWING
        self._walking = [place for place, tag in enumerate(self.tags) if tag.states]

    def values(self, time_s: float) -> NDArray[np.float64]:
        """Give the value of each tag, float64 (n,), eu."""
        turn = time_s / self._period_s + self._phase
        values: NDArray[np.float64] = self._middle + self._swing * np.sin(2 * math.pi * turn)
        for place in self._walking:
            states = self.tags[place].states
            values[place] = states[int(turn[place] * STEPS) % len(states)]
        return values

    def readings(self, time_s: float) -> dict[str, float]:
        """Give the readings by tag."""
        return dict(zip(self._names, self.values(time_s).tolist(), strict=True))


def moving_of(rows: Iterable[Mapping[str, str]]) -> list[Moving]:
    """Give how each row of the tag tables moves."""
    return [_moving(row) for row in rows]


def _moving(row: Mapping[str, str]) -> Moving:
    kind, table = row.get("type") or "", row.get("table") or ""
    if row.get("map"):
        pairs = [part.rsplit("=", 1) for part in row["map"].split(";") if part.strip()]
        return Moving(tag=row["tag"], states=tuple(float(number) for _, number in pairs))
    if kind == "bit" or table in ("coil", "discrete"):
        return Moving(tag=row["tag"], states=(0.0, 1.0))
    lo, hi = float(row.get("range_lo") or USUAL[0]), float(row.get("range_hi") or USUAL[1])
    return Moving(tag=row["tag"], lo=lo, hi=hi if hi > lo else lo + 1.0)
