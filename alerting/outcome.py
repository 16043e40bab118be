"""Outcome: everything that one tick changed, and what commands came to.

Flow: desk -> Outcome -> commit
"""

from dataclasses import dataclass, field
from typing import Any

from alerting.late import Gap
from alerting.model.alarm import Alarm
from alerting.model.command import Command
from alerting.model.disposal import Opening
from alerting.model.event import Event
from alerting.model.flood import FloodState
from alerting.model.second_person import Request
from alerting.model.stop import Stop
from alerting.model.tier import Tier
from alerting.register.episode import Entry
from alerting.response.task import Task
from alerting.tiering import Standing
from edge.model import Nature, Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command came to: a refusal by language, the alarm or stop then, or that it waits for a second person."""

    command: Command
    refused: dict[str, str] | None = None
    alarm: Alarm | None = None
    request: Request | None = None
    stop: Stop | None = None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that one tick changed.

    Attributes:
        delays: (nature, rule index) of the rules whose trip or delay changed.
        units: Tiers of the units that changed.
        standings: How the units stand in which anything changed, also what the clock will do.
        entries: Register entries by id, as they stand after the tick.
        floods: Those that began, grew or ended, as they stand.
        disposals: Alarms that need a disposal from now on, or earlier than before.
        requests: What waits for a second person or does so no more, by id.
        stops: Declared stops that began, ended or changed, by id.
        remarks: What the system itself has to say (clock steps, gaps not judged).
        gone: (nature, rule id) of rules that a swap ended in mid-trip or mid-delay.
        gaps: Gaps of the late lane that were opened or judged in; they go on changing with the next tick,
            so outcomes are compared without them.
        gaps_ended: Numbers of those that are no more.
        made: Samples of votes that no scan led to, but the clock; the historian and the page want them.
        made_after: Those that a swap led to, by the rows of the table that took over.
    """

    number: int
    now_ns: int
    events: list[Event] = field(default_factory=list)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    units: dict[tuple[Nature, str], Tier] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    delays: list[tuple[Nature, int]] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    floods: list[FloodState] = field(default_factory=list)
    disposals: list[Opening] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    gone: list[tuple[Nature, str]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list, compare=False)
    gaps_ended: list[int] = field(default_factory=list)
    made: list[Scan] = field(default_factory=list)
    made_after: list[Scan] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing durable changed."""
        changed = self.events or self.alarms or self.standings or self.delays or self.entries or self.answers
        return not (
            changed
            or self.floods
            or self.requests
            or self.stops
            or self.remarks
            or self.gone
            or self.gaps
            or self.gaps_ended
        )
