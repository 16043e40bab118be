"""Effect score of dual prevention: E = (A + B)·α.

Source: a provincial rule as a public description quotes it (双重预防机制运行效果评估): A = done / planned tasks · 50
    − deductions for the responsible persons (包保); B = accepted / due hidden hazards · 50 − a deduction where too few
    were found; α = 0 with a veto item, else 1. The deductions are people's to enter; ``unverified``.
"""

from dataclasses import dataclass
from typing import Final

HALF: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The score and what it came from.

    Attributes:
        score: 0 to 100; None where neither a task was planned nor a hidden hazard due.
        tasks, hazards: A and B; None where nothing was planned, or due: the other half then counts twice (ours).
    """

    score: float | None
    tasks: float | None
    hazards: float | None
    is_vetoed: bool


def effect(
    *,
    done: int,
    planned: int,
    accepted: int,
    due: int,
    deduct_tasks: float = 0,
    deduct_hazards: float = 0,
    is_vetoed: bool = False,
) -> Effect:
    """Work it out.

    Args:
        done, planned: Inspections of the period.
        accepted, due: Hidden hazards whose deadline lies in it, and those of them that were accepted in time.
        deduct_tasks, deduct_hazards: Points taken off A and B.
    """
    a = max(0.0, done / planned * HALF - deduct_tasks) if planned else None
    b = max(0.0, accepted / due * HALF - deduct_hazards) if due else None
    halves = [half for half in (a, b) if half is not None]
    score = sum(halves) * (2 / len(halves)) * (not is_vetoed) if halves else None
    return Effect(score=score, tasks=a, hazards=b, is_vetoed=is_vetoed)
