"""A desk driven by hand: ticks with samples, commands and late samples, in seconds after the start."""

from collections.abc import Sequence
from dataclasses import dataclass

from alerting.desk import Answer, Desk, Outcome
from alerting.late import Gap
from alerting.model.alarm import Alarm
from alerting.model.command import Command, Verb
from alerting.model.event import Event
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.response.task import TaskTemplate
from edge.model import Scan, TagTable
from tests.unit.alerting.core.scene import START_NS, at, make_scan, make_tags

SITE = "site"
AT_ONCE = Tiering(lower_after_s=0.0)
UNIT_EVENTS = ("unit_raised", "unit_lowered")


@dataclass(frozen=True)
class Late:
    scan: Scan
    gap: Gap


class Drive:
    """One desk; ``did`` gives the alarm events of the last tick as short words."""

    def __init__(
        self,
        *rules: Rule,
        tags: TagTable | None = None,
        units: Sequence[HazardUnit] = (),
        templates: Sequence[TaskTemplate] = (),
        tiering: Tiering = AT_ONCE,
        philosophy: Philosophy | None = None,
    ) -> None:
        self.tags = tags or make_tags()
        self.table = RuleTable(rules, self.tags)
        self.desk = Desk(SITE, self.table, units, templates, START_NS, tiering=tiering, philosophy=philosophy)
        self.outcome = Outcome(number=0, now_ns=START_NS)
        self.log: list[Event] = []
        self.number = 0

    def tick(self, t_s: float, *items: Scan | Command | Late) -> Outcome:
        self.desk.begin(at(t_s))
        for item in items:
            match item:
                case Scan():
                    self.desk.take(item)
                case Command():
                    self.desk.obey(item)
                case Late(scan=scan, gap=gap):
                    self.desk.take_late(scan, gap)
        self.outcome = self.desk.finish()
        self.log += self.outcome.events
        return self.outcome

    def sample(self, t_s: float, value: float, quality: int = 0, row: int = 0) -> "Drive":
        """One tick with one sample that arrives at once."""
        self.number += 1
        source = self.tags[row].source
        self.tick(t_s, make_scan(t_s, value, quality, row=row, number=self.number, source=source))
        return self

    def ask(
        self,
        t_s: float,
        verb: Verb,
        alarm: str = "",
        *,
        reason: str = "",
        until_s: float | None = None,
        is_one_shot: bool = False,
        permit: str = "",
        seen_tier: Tier | None = None,
        who: str = "Li",
    ) -> Answer:
        """One tick with one command; the alarm is the only one there is unless named."""
        until_ns = 0 if until_s is None else at(until_s)
        name = alarm or self.alarm.id
        said = {
            "reason": reason,
            "until_ns": until_ns,
            "is_one_shot": is_one_shot,
            "permit": permit,
            "seen_tier": seen_tier,
        }
        self.tick(t_s, Command(verb=verb, alarm=name, who=who, received_ns=at(t_s), **said))
        return self.outcome.answers[0]

    def did(self, *, units: bool = False) -> list[str]:
        return [event.what.value for event in self.outcome.events if units or event.what not in UNIT_EVENTS]

    @property
    def alarm(self) -> Alarm:
        (alarm,) = self.desk.alarms.values()
        return alarm

    @property
    def event(self) -> Event:
        """The last tick's only alarm event."""
        (event,) = [event for event in self.outcome.events if event.what not in UNIT_EVENTS]
        return event

    def event_of(self, what: str) -> Event:
        """The last tick's only event of this kind."""
        (event,) = [event for event in self.outcome.events if event.what == what]
        return event
