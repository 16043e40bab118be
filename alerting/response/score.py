"""Score: how a checklist was gone through in a drill: each step beside its time, what was left out, what it comes to.

Flow: steps, what was done when, the end -> [score] -> a line a step, totals
Why: "the drill went well" is no finding. A time beside its limit is, and so is a step that nobody did.
Never: does I/O, reads a clock. All times are seconds of the drill since its checklist opened, pauses left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerting.response.checklist import Stand, Step, stands

#: Times are kept to the ms.
ROUNDING_S = 0.001


class Mark(StrEnum):
    """How a step came out."""

    IN_TIME = "in_time"
    LATE = "late"
    SKIPPED = "skipped"  # not done, and by the plan it was to be done before the end
    UNREACHED = "unreached"  # not done, and the drill ended before its time was over
    VOID = "void"  # on a branch that was not taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """That a step was done.

    Attributes:
        at_s: Seconds since the checklist opened.
        answer: Of a step that asks; else empty.
    """

    at_s: float
    by: str
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One step.

    Attributes:
        begun_s: When all that it needs was done; None where that never came.
        took_s: From then until it was done; None where it was not.
        due_s: By when it was to be done: its limit after `begun_s`; where it never could be begun, when the plan would
            have had it done, see `by_plan`.
    """

    step: Step
    mark: Mark
    begun_s: float | None
    took_s: float | None
    due_s: float
    by: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a checklist came to.

    Attributes:
        first_s: When the first step was done; None for never. Its target is the shortest limit of the steps that need
            nothing.
        complete_s: When the last step was done; None where one that applied was not. Its target is the time of the
            longest way through the steps that apply, each within its limit.
    """

    steps: tuple[Scored, ...]
    first_s: float | None
    first_target_s: float
    complete_s: float | None
    complete_target_s: float

    def count(self, mark: Mark) -> int:
        """Tell how many steps came out so."""
        return sum(one.mark is mark for one in self.steps)

    @property
    def judged(self) -> int:
        """Tell how many steps were in time, late or left out."""
        return self.count(Mark.IN_TIME) + self.count(Mark.LATE) + self.count(Mark.SKIPPED)

    @property
    def percent(self) -> float | None:
        """Give the share of what was judged that was in time, %; None where nothing was."""
        return round(100 * self.count(Mark.IN_TIME) / self.judged, 1) if self.judged else None


def by_plan(steps: Sequence[Step], stand: Mapping[str, Stand]) -> dict[str, float]:
    """Give when each step is done at the latest where every one takes its limit, s since the checklist opened.

    Of alternatives the quickest that still applies is reckoned.
    """
    by_id = {step.id: step for step in steps}
    found: dict[str, float] = {}

    def of(name: str) -> float:
        if name not in found:
            groups = (
                [need.step for need in group if stand[need.step] is not Stand.VOID] or [need.step for need in group]
                for group in by_id[name].needs
            )
            found[name] = by_id[name].limit_s + max((min(map(of, group)) for group in groups), default=0.0)
        return found[name]

    for step in steps:
        of(step.id)
    return found


def score(steps: Sequence[Step], done: Mapping[str, Done], until_s: float) -> Score:
    """Score a checklist.

    Args:
        done: By id of the step.
        until_s: When the drill was over, or now.
    """
    stand = stands(steps, {name: each.answer for name, each in done.items()})
    latest = by_plan(steps, stand)
    lines = tuple(_scored(step, done, stand, latest, until_s) for step in steps)
    times = [each.at_s for each in done.values()]
    is_complete = all(one.mark in (Mark.IN_TIME, Mark.LATE, Mark.VOID) for one in lines)
    return Score(
        steps=lines,
        first_s=min(times, default=None),
        first_target_s=min(step.limit_s for step in steps if not step.needs),
        complete_s=max(times, default=None) if is_complete else None,
        complete_target_s=max(latest[step.id] for step in steps if stand[step.id] is not Stand.VOID),
    )


def _scored(
    step: Step, done: Mapping[str, Done], stand: Mapping[str, Stand], latest: Mapping[str, float], until_s: float
) -> Scored:
    of = stand[step.id]
    if of is Stand.WAITING:
        is_late = until_s > latest[step.id] and not _is_undecided(step, done)
        mark = Mark.SKIPPED if is_late else Mark.UNREACHED
        return Scored(step=step, mark=mark, begun_s=None, took_s=None, due_s=latest[step.id])
    if of is Stand.VOID:
        return Scored(step=step, mark=Mark.VOID, begun_s=None, took_s=None, due_s=latest[step.id])
    begun_s = _begun(step, done)
    due_s = begun_s + step.limit_s
    if of is Stand.OPEN:
        mark = Mark.SKIPPED if until_s > due_s else Mark.UNREACHED
        return Scored(step=step, mark=mark, begun_s=begun_s, took_s=None, due_s=due_s)
    own = done[step.id]
    mark = Mark.IN_TIME if own.at_s <= due_s + ROUNDING_S else Mark.LATE
    return Scored(
        step=step, mark=mark, begun_s=begun_s, took_s=round(own.at_s - begun_s, 3), due_s=due_s, by=own.by,
        answer=own.answer,
    )  # fmt: skip


def _begun(step: Step, done: Mapping[str, Done]) -> float:
    """Tell when all that a step needs was done; of alternatives the first one counts."""
    return max(
        (
            min(done[n.step].at_s for n in group if n.step in done and n.answer in ("", done[n.step].answer))
            for group in step.needs
        ),
        default=0.0,
    )


def _is_undecided(step: Step, done: Mapping[str, Done]) -> bool:
    """Tell whether nobody knows whether a step applies, for the question that decides it was not answered."""
    return any(need.answer and need.step not in done for group in step.needs for need in group)
