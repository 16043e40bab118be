"""How unusual a tag's value is beside its own recent past and its own time of day, in standard deviations.

    z = |x - mean| / deviation of the last ``window`` samples before x
    r = x - profile(time of day),  z_r = |r - mean_r| / deviation_r of the last ``window`` of r
    value = max(z, z_r)

Profile: a mean for each quarter of an hour of the day (``season_s`` in ``BUCKETS`` parts), the newest sample
weighing ``SEASON_WEIGHT``, at first 1/n; a part of the day that was never seen has no r.
Units: the tag's own in, none out. Source: ours; the windowed Gaussian of the Numenta Anomaly Benchmark (Lavin, Ahmad
2015) is its first half.
Never: judges a sample by itself; it enters the window afterwards. BAD until ``LEAST`` samples.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from alerting.core.derived.method import BAD_INCOMPLETE, Given, Indexes, Made, State, Stateless, numbers
from alerting.model.derivation import Derivation
from edge.model.quality import is_bad

S_TO_NS: Final = 1_000_000_000
BUCKETS: Final = 96
SEASON_WEIGHT: Final = 0.3
LEAST: Final = 11
DEVIATION_LEAST: Final = 1e-6  # Of the value's size: a tag that never moved is not judged by its rounding.


class Unusual(Stateless):
    """All such tags; each has a ring of its last samples and a profile of its day."""

    ROLES: ClassVar[tuple[str, ...]] = ("tag",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._window = numbers(members, "window", 1000).astype(np.int64)
        self._season_ns = numbers(members, "season_s", 86_400.0) * S_TO_NS

    def fresh(self) -> State:
        """Nothing seen."""
        n, longest = len(self._window), int(self._window.max())
        return {
            "ring": np.full((n, 2, longest), np.nan),
            "seen": np.zeros(n, dtype=np.int64),
            "profile": np.full((n, BUCKETS), np.nan),
            "days": np.zeros((n, BUCKETS), dtype=np.int64),
        }

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Judge each, then remember it."""
        x, quality = given.first("tag"), given.worst
        value = np.full(len(at), np.nan)
        for number, place in enumerate(at.tolist()):
            if is_bad(quality[number : number + 1])[0]:
                continue
            found = self._one(place, float(x[number]), int(given.now_ns[number]), state)
            if found is None:
                quality[number] = BAD_INCOMPLETE
            else:
                value[number] = found
        return Made(value, quality)

    def _one(self, place: int, x: float, now_ns: int, state: State) -> float | None:
        bucket = int(now_ns % self._season_ns[place] / self._season_ns[place] * BUCKETS)
        profile, days = state["profile"][place], state["days"][place]
        beside = x - profile[bucket]  # NaN the first time
        profile[bucket] = (
            x if days[bucket] == 0 else profile[bucket] + max(SEASON_WEIGHT, 1 / (days[bucket] + 1)) * beside
        )
        days[bucket] += 1
        window, seen = int(self._window[place]), int(state["seen"][place])
        ring = state["ring"][place]
        found = None
        if seen >= LEAST:
            past = ring[:, : min(seen, window)]
            found = max(_distance(x, past[0]), _distance(float(beside), past[1]))
        ring[:, seen % window] = x, beside
        state["seen"][place] = seen + 1
        return found


def _distance(x: float, past: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Give how many standard deviations x is from the mean of what came before; 0 where that is not known."""
    there = past[past == past]  # noqa: PLR0124  # not NaN
    if len(there) < LEAST or x != x:  # noqa: PLR0124
        return 0.0
    mean = float(there.mean())
    least = DEVIATION_LEAST * max(abs(mean), abs(x), 1e-300)
    return abs(x - mean) / max(float(there.std()), least)
