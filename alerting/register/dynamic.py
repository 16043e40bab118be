"""Dynamic risk: the current grade of a risk unit, raised by what is true of it now.

Why: a grading is a year old; an alarm, an overdue hidden hazard or a major one is of this minute. The national formula
    is not public, so this one is declared, is small, and each step is told: ``unverified`` by any authority.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerting.model.risk import LOW, MAJOR, RiskPolicy
from alerting.model.tier import Tier
from alerting.register.field import Words

TIER_WORDS = {
    Tier.RED: Words("RED", "红色"),
    Tier.ORANGE: Words("ORANGE", "橙色"),
    Tier.YELLOW: Words("YELLOW", "黄色"),
    Tier.BLUE: Words("BLUE", "蓝色"),
}


WORK_WORDS = {
    "hot_special": Words("special hot work", "特级动火"),
    "hot_first": Words("hot work, first class", "一级动火"),
    "hot_second": Words("hot work, second class", "二级动火"),
    "space": Words("confined space", "受限空间作业"),
    "blind": Words("blind plate", "盲板抽堵"),
    "height": Words("work at height", "高处作业"),
    "lifting": Words("lifting", "吊装"),
    "power": Words("temporary power", "临时用电"),
    "soil": Words("earthwork", "动土"),
    "road": Words("closing a road", "断路"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is true of a risk unit now.

    Attributes:
        alarms: Active alarms of its hazard unit by tier.
        major: Codes of its open major hidden hazards.
        overdue: Codes of its overdue hidden hazards.
        tickets: Codes of the tickets that are worked on there, by kind of work (``alerting.model.risk.WORKS``).
    """

    alarms: Mapping[Tier, int]
    major: Sequence[str] = ()
    overdue: Sequence[str] = ()
    tickets: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reason that raises a grade, and by how much."""

    what: str
    steps: int
    said: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """A dynamic grade and how it came about; ``grade`` 0 where the unit was never graded."""

    grade: int
    steps: tuple[Step, ...] = ()


def dynamic_of(current: int, live: Live, policy: RiskPolicy) -> Dynamic:
    """Raise a grade by what is true now: grade = max(1, current − Σ steps), 1 being the gravest.

    Args:
        current: 1 to 4; 0 where the unit was never graded, which gives 0.
    """
    steps: list[Step] = []
    worst = max((tier for tier, count in live.alarms.items() if count and policy.alarm_steps.get(tier)), default=None)
    if worst is not None:
        count = live.alarms[worst]
        words = TIER_WORDS[worst]
        said = Words(f"{count} active {words.en} alarm{'s' if count > 1 else ''}", f"{count} 条{words.zh}报警未恢复")
        steps.append(Step(what="alarm", steps=policy.alarm_steps[worst], said=said))
    if live.major and policy.major_steps:
        said = Words(f"open major hidden hazard {_some(live.major)}", f"重大隐患未销号：{_some(live.major)}")
        steps.append(Step(what="major", steps=policy.major_steps, said=said))
    if live.overdue and policy.overdue_steps:
        said = Words(f"overdue hidden hazard {_some(live.overdue)}", f"隐患逾期未整改：{_some(live.overdue)}")
        steps.append(Step(what="overdue", steps=policy.overdue_steps, said=said))
    work = max(live.tickets, key=lambda name: (policy.ticket_steps.get(name, 0), name), default="")
    if policy.ticket_steps.get(work):
        named, codes = WORK_WORDS[work], _some(live.tickets[work])
        said = Words(f"special work goes on: {named.en} {codes}", f"特殊作业进行中：{named.zh} {codes}")
        steps.append(Step(what="ticket", steps=policy.ticket_steps[work], said=said))
    if not current:
        return Dynamic(grade=0, steps=tuple(steps))
    return Dynamic(grade=min(LOW, max(MAJOR, current - sum(step.steps for step in steps))), steps=tuple(steps))


def _some(codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:3])
    return f"{shown} +{len(codes) - 3}" if len(codes) > 3 else shown  # noqa: PLR2004 - as many as a line holds
