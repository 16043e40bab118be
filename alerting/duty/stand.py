"""Stand: how far the telling about one duty has come, and which steps a look takes.

Why: a look after a night in which the gateway was off tells the gravest step once; those before it are written down as
    passed by, so that the history says what was not told and nobody gets three messages for one thing.
Never: does I/O, reads a clock.
"""

from dataclasses import dataclass
from itertools import takewhile

from alerting.duty.kind import STEPS, Kind, Step
from alerting.duty.timetable import Days, Due, repeats, timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far it has come.

    Attributes:
        step: The gravest that was taken; None for none.
        times: How often supervision was told.
        taken_ns: When the last step was taken; 0 for never.
    """

    step: Step | None = None
    times: int = 0
    taken_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step that was taken.

    Attributes:
        number: 1, and for supervision how often by now.
        planned_ns: When it was to come.
        is_passed: A graver one came in the same look; nobody is told of this one.
    """

    step: Step
    number: int
    planned_ns: int
    is_passed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What a look came to: the stand after it, the steps, and when the next comes."""

    stand: Stand
    taken: tuple[Taken, ...]
    next_ns: int
    is_by_weekday: bool


def advance(kind: Kind, due: Due, stand: Stand, days: Days, now_ns: int) -> Advanced:
    """Take every step whose time has come."""
    table = timetable(kind, due, days)
    later = STEPS if stand.step is None else STEPS[STEPS.index(stand.step) + 1 :]
    now = [step for step in later if table.moments[step] <= now_ns]
    taken = [
        Taken(step=step, number=1, planned_ns=table.moments[step], is_passed=step is not now[-1]) for step in now
    ]  # fmt: skip
    if stand.step is Step.SUPERVISION:
        missed = list(takewhile(lambda at: at <= now_ns, repeats(kind, table, days, stand.taken_ns)))
        if missed:
            taken = [Taken(step=Step.SUPERVISION, number=stand.times + 1, planned_ns=missed[-1])]
    if taken:
        last = taken[-1]
        stand = Stand(
            step=last.step, times=last.number if last.step is Step.SUPERVISION else 0, taken_ns=now_ns
        )  # fmt: skip
    if stand.step is Step.SUPERVISION:
        next_ns = next(repeats(kind, table, days, max(now_ns, stand.taken_ns)))
    else:
        next_ns = table.moments[STEPS[0] if stand.step is None else STEPS[STEPS.index(stand.step) + 1]]
    return Advanced(stand=stand, taken=tuple(taken), next_ns=next_ns, is_by_weekday=table.is_by_weekday)
