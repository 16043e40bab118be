"""Exposure rates: how many points due in a period were sampled (监测率), how many samples were within limits (合格率).

Flow: points, samples of a period, the last day sampled before it -> [rates_of] -> counts for all, by unit, by factor
Source: both are ours: the words are those of the statistics of occupational hazards, no published formula is followed.
Never: counts a sample that nobody owed to the coverage: it would hide a point that was left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from alerting.register.cycle import nth
from alerting.register.field import Words

FORMULA: Final = Words(
    "Coverage (监测率) = points due in the period and sampled in it / points due in it. Pass rate (合格率) = samples "
    "within their limit / samples. A point is due where the day counted from its last sample before the period, or its "
    "first day, lies not after the end of the period.",
    "监测率 = 期内应测且已测的监测点数 / 期内应测监测点数；合格率 = 未超限样品数 / 样品总数。"
    "自期前最近一次检测起按周期推算的期限（未检测过的按首次期限）不晚于期末的，为期内应测监测点。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A measuring point.

    Attributes:
        first_due: The day by which it is sampled for the first time, ISO 8601.
        every, cycle: So often, e.g. 1 and ``years``.
        retired_on: The day since which it is no longer sampled; empty while it is.
    """

    code: str
    unit: str
    factor: str
    first_due: str
    every: int
    cycle: str
    retired_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample of a period; unit and factor as they were when it was entered."""

    point: str
    unit: str
    factor: str
    is_within: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Counts of a group, and its rates in per cent; None where there is nothing to divide by.

    Attributes:
        due: Points due in the period.
        sampled: Those of them that were sampled.
        beyond: Points that were sampled without being due.
    """

    due: int
    sampled: int
    beyond: int
    samples: int
    within: int

    @property
    def coverage_pct(self) -> float | None:
        """Coverage (监测率)."""
        return 100 * self.sampled / self.due if self.due else None

    @property
    def pass_pct(self) -> float | None:
        """Pass rate (合格率)."""
        return 100 * self.within / self.samples if self.samples else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The rates of a period."""

    total: Rates
    units: Mapping[str, Rates]
    factors: Mapping[str, Rates]
    missing: Sequence[str]


def next_due(last_on: str, first_due: str, every: int, cycle: str) -> str:
    """Give the day by which a point is to be sampled next: a cycle after its last sample, else its first day."""
    return nth(date.fromisoformat(last_on), every, cycle, 1).isoformat() if last_on else first_due


def is_due(point: Point, before: str, first: str, last: str) -> bool:
    """Tell whether a point is to be sampled in a period.

    Args:
        before: The day of its last sample before the period; empty for none.
        first, last: Days of the period, both included, ISO 8601.
    """
    due = next_due(before, point.first_due, point.every, point.cycle)
    return due <= last and (not point.retired_on or point.retired_on >= max(due, first))


def rates_of(
    points: Sequence[Point], samples: Sequence[Sample], before: Mapping[str, str], first: str, last: str
) -> Grouped:
    """Work out the rates of a period, for all, by unit and by factor; and which points were left out."""
    due = [point for point in points if is_due(point, before.get(point.code, ""), first, last)]
    seen = {sample.point for sample in samples}

    def of(which: Callable[[Point | Sample], str], group: str | None) -> Rates:
        mine = [one for one in due if group is None or which(one) == group]
        taken = [one for one in samples if group is None or which(one) == group]
        owed = {one.code for one in mine}
        return Rates(
            due=len(mine),
            sampled=len(owed & seen),
            beyond=len({one.point for one in taken} - {one.code for one in due}),
            samples=len(taken),
            within=sum(one.is_within for one in taken),
        )

    def grouped(which: Callable[[Point | Sample], str]) -> dict[str, Rates]:
        groups = sorted({which(one) for one in due} | {which(one) for one in samples})
        return {group: of(which, group) for group in groups}

    return Grouped(
        total=of(lambda one: one.unit, None),
        units=grouped(lambda one: one.unit),
        factors=grouped(lambda one: one.factor),
        missing=[one.code for one in due if one.code not in seen],
    )
