"""Planted faults: what is done to a recording that has no labels, by a plan with a committed seed.

Flow: Plan, rows, tags -> faults -> [reader: values with them in] and, the same again, [scorer: what was planted]
Why: real noise, seasons and gaps, and faults whose start is known; the seed makes every run the same.
Never: seen by a detector. Readers plant, scorers ask; an import contract keeps detectors away from this module.

The plan cuts what is judged into as many equal slots as there are faults; each slot holds one, which starts in the
first fifth and ends before the slot does, so that an alarm has time to go. Sorts take turns; tag, start and length are
thrown. ``random.Random.random`` gives the same numbers for a seed in every version of Python, as its documentation
promises; generators of NumPy may change theirs (NEP 19).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251  # seeded, and its numbers stay the same in every version
from typing import Final

import numpy as np

from gateway.bench.quality.case import Case, Flags, Floats, Part

LATEST_START: Final = 0.2  # Of a slot.
LATEST_END: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One sort of fault: its kind of ``KINDS``, shortest and longest rows of it, and its size, see there."""

    kind: str
    rows: tuple[int, int]
    size: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is planted into one recording: the seed of the dice, how many faults, of which sorts in turn."""

    seed: int
    count: int
    sorts: tuple[Sort, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: rows ``first`` to before ``end`` of what is judged, of one sort, at one tag."""

    sort: Sort
    tag: int
    first: int
    end: int


def faults(plan: Plan, rows: int, tags: int) -> list[Fault]:
    """Lay out the faults over a recording of so many rows and tags, in order of time."""
    dice = Random(plan.seed)  # noqa: S311  # nothing secret
    slot = rows / plan.count
    found = []
    for number in range(plan.count):
        sort, tag = plan.sorts[number % len(plan.sorts)], math.floor(dice.random() * tags)
        first = math.floor((number + LATEST_START * dice.random()) * slot)
        shortest, longest = sort.rows
        length = shortest + math.floor(dice.random() * (longest - shortest + 1))
        end = min(first + length, math.floor((number + LATEST_END) * slot))
        found.append(Fault(sort=sort, tag=tag, first=first, end=max(end, first + 1)))
    return found


def planted(plan: Plan, part: Part) -> Part:
    """Give the recording with its faults; what is missing stays missing."""
    values = part.values.copy()
    for fault in faults(plan, *values.shape):
        KINDS[fault.sort.kind](values, fault, fault.sort.size)
    values[~np.isfinite(part.values)] = np.nan
    return Part(time_ns=part.time_ns, values=values)


def truth(plan: Plan, case: Case) -> Flags:
    """Open the labels: rows of ``case.judge`` with a fault, bool (n,)."""
    found: Flags = np.zeros(len(case.judge), dtype=np.bool_)
    for fault in faults(plan, len(case.judge), len(case.tags)):
        found[fault.first : fault.end] = True
    return found


def _dead(values: Floats, fault: Fault, size: float) -> None:
    """The sensor gives ``size``, its lowest value."""
    values[fault.first : fault.end, fault.tag] = size


def _frozen(values: Floats, fault: Fault, size: float) -> None:
    """The sensor repeats the last value that it gave."""
    del size
    before = values[: fault.first, fault.tag]
    there = before[np.isfinite(before)]
    values[fault.first : fault.end, fault.tag] = there[-1] if len(there) else 0.0


def _weak(values: Floats, fault: Fault, size: float) -> None:
    """The sensor gives ``size`` times what it should: a beam half covered, a sensor that is poisoned."""
    values[fault.first : fault.end, fault.tag] *= size


def _drift(values: Floats, fault: Fault, size: float) -> None:
    """The sensor's gain goes evenly from 1 to ``size``."""
    values[fault.first : fault.end, fault.tag] *= np.linspace(1.0, size, fault.end - fault.first)


def _crowd(values: Floats, fault: Fault, size: float) -> None:
    """``size`` persons come in evenly over the first half and leave by the second; tags are in and out."""
    half = max((fault.end - fault.first) // 2, 1)
    values[fault.first : fault.first + half, 0] += round(size / half)
    values[fault.first + half : fault.end, 1] += round(size / half)


KINDS: Final[dict[str, Callable[[Floats, Fault, float], None]]] = {
    "dead": _dead,
    "frozen": _frozen,
    "weak": _weak,
    "drift": _drift,
    "crowd": _crowd,
}
