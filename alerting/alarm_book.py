"""Alarm book: the alarms as they stand, and what follows from a changed one: unit, register entry, tasks, event.

Flow: changed alarm -> [emit] -> Outcome
Never: judges; knows rules or memory.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerting.judge import alarm_event
from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.command import Command, Verb
from alerting.model.event import Event, What
from alerting.model.rule import RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.outcome import Outcome
from alerting.realarms import RealarmBook
from alerting.register.episode import Entry, EntryBook
from alerting.response.task import TaskTemplate, open_tasks
from alerting.tiering import Change, TierBook
from edge.model import Nature

SELF = "fengsui"  # Who does what no person did.
RETURNED = "it returned to normal"  # What ends a one-shot shelf.
UNIT_CHANGED = "the configuration gave the tag to another unit"


class AlarmBook:
    """The alarms of a site, their units, register entries and tasks, and the outcome of the present tick."""

    def __init__(
        self,
        site: str,
        table: RuleTable,
        units: Sequence[HazardUnit],
        templates: Sequence[TaskTemplate],
        start_ns: int,
        tiering: Tiering,
    ) -> None:
        self.site = site
        self.table = table
        self.templates = tuple(templates)
        self.kind_of = {unit.id: unit.kind for unit in units}
        self.start_ns = start_ns
        self.alarms: dict[str, Alarm] = {}
        self.key_of_id: dict[str, str] = {}
        self.episodes = EntryBook(site)
        self.units = TierBook(tiering, units, self._eu_of)
        self._of_unit: dict[tuple[Nature, str], set[str]] = {}
        self._suppressed: set[str] = set()
        self.realarms = RealarmBook()
        self._outcome = Outcome(number=0, now_ns=start_ns)

    @property
    def entries(self) -> dict[tuple[Nature, str], Entry]:
        """Open register entries."""
        return self.episodes.open

    @property
    def unit_tiers(self) -> dict[tuple[Nature, str], Tier]:
        """Tiers of the units that ever had an active alarm."""
        return self.units.tiers()

    def remark(self, kind: str, **facts: Any) -> None:  # noqa: ANN401  # facts are JSON values
        """Put a remark of the system itself into the journal (clock step, gap not judged)."""
        self._outcome.remarks.append({"kind": kind, **facts})

    def _emit(self, event: Event, alarm: Alarm) -> None:
        self._keep(alarm)
        self._outcome.alarms[alarm.key] = alarm
        self._outcome.events.append(event)
        self._follow_unit(event, alarm)

    def _keep(self, alarm: Alarm) -> None:
        known = self.alarms.get(alarm.key)
        if known is not None and known.id != alarm.id:  # An answer meant for an older episode must not reach this one.
            self.key_of_id.pop(known.id, None)
        self.alarms[alarm.key] = alarm
        if alarm.id:
            self.key_of_id[alarm.id] = alarm.key
        self.realarms.follow(alarm)
        mine = self._of_unit.setdefault((alarm.nature, alarm.unit), set())
        (mine.discard if alarm.state is State.NORMAL else mine.add)(alarm.key)
        (self._suppressed.discard if alarm.suppression is Suppression.NONE else self._suppressed.add)(alarm.key)

    def _note(
        self, alarm: Alarm, what: What, by: Command | str, now_ns: int, *, moved: str = "", extends_ns: int = 0
    ) -> Alarm:
        """Make an event of what a person or a timer did to an alarm.

        Args:
            moved: The unit that the alarm was in before.
            extends_ns: The end that a suppression had before it was extended; 0 for one that begins.
        """
        alarm = replace(alarm, ordinal=alarm.ordinal + 1, changed_ns=now_ns)
        who, reason, until_ns = (by, "", 0) if isinstance(by, str) else (by.who, by.reason, by.until_ns)
        facts: dict[str, Any] = {"who": who, "reason": reason}
        if what is What.SHELVED and alarm.is_one_shot:
            facts["one_shot"] = True
        if what is What.SUPPRESSED and alarm.permit:
            facts["permit"] = alarm.permit
        if not isinstance(by, str) and by.confirmed_by:
            facts["confirmed_by"] = by.confirmed_by
        if what is What.SUPPRESSED and alarm.design:
            facts["by_design"] = alarm.design
        if extends_ns:
            facts["from_until_ns"] = extends_ns
        if until_ns:
            facts["until_ns"] = until_ns
        if alarm.ended_by and what in (What.RETURNED, What.CLEARED):
            facts["ended_by"] = alarm.ended_by
        if moved:
            facts |= {"reason": UNIT_CHANGED, "from_unit": moved}
        self._emit(alarm_event(alarm, what, now_ns, now_ns, facts), alarm)
        return alarm

    def _end_one_shot(self, alarm: Alarm) -> None:
        """End a one-shot shelf whose alarm has returned; what trips next rings, be it in the same tick."""
        if alarm.is_one_shot and not alarm.is_active:
            by = Command(
                verb=Verb.UNSHELVE, alarm=alarm.key, who=SELF, received_ns=self._outcome.now_ns, reason=RETURNED
            )
            self._note(alarm.freed(), What.UNSHELVED, by, self._outcome.now_ns)

    def _follow_unit(self, cause: Event, alarm: Alarm) -> None:
        """Let the unit's tier, its register entry and its tasks follow an alarm."""
        change = self.units.note(alarm, self._outcome.now_ns)
        if change is not None:
            facts = {"alarm": alarm.id, "event": cause.id, **change.facts}
            self._tell_unit(change, digest(cause.id, alarm.unit, what_of(change)), cause.time_ns, facts)
        self._follow_entry((alarm.nature, alarm.unit), cause.id, cause.time_ns, alarm)

    def _unit_by_clock(self, change: Change) -> None:
        """Let a unit follow the clock: a condition has lasted long enough, or a tier has stayed long enough."""
        nature, unit = change.where
        event_id = digest(self.site, nature, unit, what_of(change), change.at_ns)
        self._tell_unit(change, event_id, change.at_ns, {"alarm": "", "event": "", **change.facts})
        self._follow_entry(change.where, event_id, change.at_ns, None)

    def _tell_unit(self, change: Change, event_id: str, time_ns: int, facts: dict[str, Any]) -> None:
        nature, unit = change.where
        self._outcome.units[change.where] = change.new
        self._outcome.events.append(
            Event(
                id=event_id,
                what=what_of(change),
                time_ns=time_ns,
                received_ns=self._outcome.now_ns,
                nature=nature,
                unit=unit,
                tier=change.new,
                cause=facts,
            )
        )

    def _eu_of(self, tag: str) -> str:
        row = self.table.tags.row_of.get(tag)
        return "" if row is None else self.table.tags[row].eu

    def _follow_entry(self, where: tuple[Nature, str], cause: str, time_ns: int, alarm: Alarm | None) -> None:
        above = self.episodes.tier_max(where)
        has_alarms = bool(self._of_unit.get(where))
        entry = self.episodes.follow(where, self.units.tier(where), alarm, cause, time_ns, has_alarms=has_alarms)
        if entry is None:
            return
        self._outcome.entries[entry.id] = entry
        kind = self.kind_of.get(where[1], "")
        self._outcome.tasks += open_tasks(self.templates, entry, kind, above, self._outcome.now_ns)


def what_of(change: Change) -> What:
    """Name the event of a unit's change."""
    return What.UNIT_RAISED if change.new > change.old else What.UNIT_LOWERED
