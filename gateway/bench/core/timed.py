"""Timed: what a repeated step cost, by the clock on the wall and by the processor.

Why: on a machine that others use too, the processor's time is what the code costs; the wall's is what a site waits.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns, thread_time_ns
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Took:
    """Nanoseconds of one step: on the wall, and of this thread's processor."""

    wall_ns: int
    cpu_ns: int


def timed(step: Callable[[], object]) -> Took:
    """Run a step once."""
    wall, cpu = perf_counter_ns(), thread_time_ns()
    step()
    return Took(perf_counter_ns() - wall, thread_time_ns() - cpu)


def figures(steps: list[Took], n: int, unit: str) -> dict[str, Any]:
    """Sum up steps over ``n`` units each: medians, the mean, and how far the slowest hundredth is from the median."""
    wall = np.array([step.wall_ns for step in steps]) / n
    cpu = np.array([step.cpu_ns for step in steps]) / n
    return {
        f"ns_per_{unit}": _rounded(np.median(cpu)),
        "mean_ns": _rounded(cpu.mean()),
        "best_ns": _rounded(cpu.min()),
        "wall_ns": _rounded(np.median(wall)),
        "p99_to_p50": _rounded(np.percentile(cpu, 99) / max(np.median(cpu), 1e-9)),
        "ticks": len(steps),
    }


@contextmanager
def frozen() -> Iterator[None]:
    """Keep what is there already out of the garbage collector's sight, as the running gateway does."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _rounded(value: float) -> float:
    return float(f"{float(value):.4g}")
