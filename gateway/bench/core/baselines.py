"""What simpler ways cost in the same run: plain Python, pandas, river, and the memory itself.

They are written to win: none of them keeps delays, quality, time or silence, all of which ours does.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from gateway.bench.core.plant import USUAL, values_of
from gateway.bench.core.timed import figures, timed

LL, L, H, HH = 10.0, 20.0, 80.0, 90.0
PYTHON_TAGS_MAX = 20_000
BANDWIDTH_BYTES = 256 << 20


class _Point:
    """Four limits of a tag, as one would write them first."""

    __slots__ = ("is_high", "is_low", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_high = self.is_low = False


def measure_baselines(tags: int, ticks: int) -> Iterator[dict[str, Any]]:
    """Measure each baseline on ticks like those of the core."""
    dice = np.random.default_rng(1)
    few = min(tags, PYTHON_TAGS_MAX)
    yield _measure("baseline: Python loop, four limits", few, ticks, _python(few), dice)
    yield _measure("baseline: NumPy, two comparisons", tags, ticks, _numpy(tags), dice)
    if find_spec("pandas") is not None:
        yield _measure("baseline: pandas, four limits", tags, ticks, _pandas(tags), dice)
    if find_spec("river") is not None:
        yield _measure("baseline: river, mean and two limits", few, ticks, _river(few), dice)
    yield _bandwidth(min(BANDWIDTH_BYTES, tags * 256))


def _measure(
    case: str, tags: int, ticks: int, judge: Callable[[np.ndarray[Any, Any]], int], dice: np.random.Generator
) -> dict[str, Any]:
    columns = [values_of(dice, tags, USUAL) for _ in range(4)]
    judge(columns[0])
    steps = [timed(lambda tick=tick: judge(columns[tick % 4])) for tick in range(ticks)]  # type: ignore[misc]
    return {"case": case, "tags": tags, "backend": "-", **figures(steps, tags, "tag")}


def _python(tags: int) -> Callable[[np.ndarray[Any, Any]], int]:
    points = [_Point(f"T-{row}") for row in range(tags)]

    def judge(values: np.ndarray[Any, Any]) -> int:
        changes = 0
        for point, value in zip(points, values.tolist(), strict=True):
            is_high, is_low = value >= H, value <= L
            if is_high != point.is_high or is_low != point.is_low:
                point.is_high, point.is_low = is_high, is_low
                changes += 1
            if value >= HH or value <= LL:
                changes += 1
        return changes

    return judge


def _numpy(tags: int) -> Callable[[np.ndarray[Any, Any]], int]:
    low, high = np.full(tags, L), np.full(tags, H)
    return lambda values: len(np.flatnonzero(~((low < values) & (values < high))))


def _pandas(tags: int) -> Callable[[np.ndarray[Any, Any]], int]:
    import pandas as pd  # noqa: PLC0415  # A baseline only: see the extra "bench".

    limits = pd.DataFrame({"LL": np.full(tags, LL), "L": L, "H": H, "HH": HH})

    def judge(values: np.ndarray[Any, Any]) -> int:
        value = pd.Series(values)
        tier = (value >= limits["H"]).astype("int8") + (value >= limits["HH"])
        tier += (value <= limits["L"]).astype("int8") + (value <= limits["LL"])
        return int((tier > 0).sum())

    return judge


def _river(tags: int) -> Callable[[np.ndarray[Any, Any]], int]:
    from river import stats  # noqa: PLC0415  # A baseline only: see the extra "bench".

    means = [stats.EWMean(0.3) for _ in range(tags)]

    def judge(values: np.ndarray[Any, Any]) -> int:
        changes = 0
        for mean, value in zip(means, values.tolist(), strict=True):
            mean.update(value)
            if not L < mean.get() < H:
                changes += 1
        return changes

    return judge


def _bandwidth(size: int) -> dict[str, Any]:
    """Read memory that does not fit into any cache; the lower bound of everything above."""
    column = np.ones(max(size // 8, 1))
    best = min(timed(column.sum).wall_ns for _ in range(5))
    return {
        "case": "memory, read",
        "tags": 0,
        "backend": "-",
        "gb_per_s": round(column.nbytes / best, 2),
        "bytes": column.nbytes,
    }
