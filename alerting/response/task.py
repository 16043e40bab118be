"""Response tasks: the steps that a register entry opens when its tier rises.

Flow: unit_raised -> [open_tasks] -> commit
Why: each tier passed on the way up opens its own steps, once per entry.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from alerting.model.alarm import digest
from alerting.model.tier import Tier
from alerting.register.episode import Entry
from edge.model import Nature


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTemplate:
    """A step of the response when a unit of a kind reaches a tier.

    Attributes:
        kind: Kind of unit, or ``*`` for any.
        owner: Role or post that answers.
        within_s: Time to do it, s.
    """

    kind: str
    tier: Tier
    title: dict[str, str]
    owner: str
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step to be done."""

    id: str
    entry: str
    nature: Nature
    unit: str
    tier: Tier
    title: dict[str, str]
    owner: str
    opened_ns: int
    due_ns: int


def open_tasks(templates: Iterable[TaskTemplate], entry: Entry, unit_kind: str, above: Tier, now_ns: int) -> list[Task]:
    """Open the steps of every tier that the entry newly reached: ``above`` < tier <= ``entry.tier_max``."""
    return [
        Task(
            id=digest(entry.id, place, template.tier, sorted(template.title.items())),
            entry=entry.id,
            nature=entry.nature,
            unit=entry.unit,
            tier=template.tier,
            title=template.title,
            owner=template.owner,
            opened_ns=now_ns,
            due_ns=now_ns + round(template.within_s * 1e9),
        )
        for place, template in enumerate(templates)
        if template.kind in ("*", unit_kind) and above < template.tier <= entry.tier_max
    ]
