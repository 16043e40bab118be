"""Desk: one tick of the safety path, from admitted scans to everything that must be committed.

Flow: intake -> [evaluate, expire, step, episodes, tasks] -> Outcome -> commit
Why: the same pure turn runs live, in replay and in simulation; what it returns is all that changed.
Never: does I/O, reads a clock, throws dice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerting.alarm_book import RETURNED, SELF, UNIT_CHANGED, what_of
from alerting.core.backend import Backend
from alerting.core.derived import DerivedState
from alerting.core.derived.state import freeze, thaw
from alerting.core.memory import NEVER_NS, Phase
from alerting.core.swap import carry, judge_anew
from alerting.floods import FloodBook
from alerting.judge import rules_of
from alerting.judging import NOTHING
from alerting.lifecycle import Turn, step
from alerting.model.alarm import GONE, Alarm, State, Suppression, digest
from alerting.model.command import Command, Verb
from alerting.model.derivation import Derivation
from alerting.model.event import What
from alerting.model.philosophy import Philosophy
from alerting.model.rule import RuleTable
from alerting.model.second_person import Request
from alerting.model.stop import Stop
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.outcome import Answer, Outcome
from alerting.register.episode import Entry
from alerting.response.disposal import openings
from alerting.response.task import TaskTemplate
from alerting.stopping import StoppingDesk, next_of
from alerting.swap import Beside, Prepared, blank, retold
from alerting.tiering import Change, Standing, Where

__all__ = [
    "RETURNED",
    "RULE_GONE",
    "TAG_GONE",
    "UNIT_CHANGED",
    "Answer",
    "Desk",
    "Outcome",
]

RULE_GONE = "the rule is no longer in the configuration"
TAG_GONE = "removed from configuration"
FOREVER_NS = 400 * 86_400 * 1_000_000_000  # Longer than any tier stays after its conditions.


class Desk(StoppingDesk):
    """All that the safety path remembers, and how a tick changes it.

    What a reader looks for stands in ``judging`` (scans and clock readings), ``obeying`` (commands), ``stopping``
    (declared stops) and ``alarm_book`` (units, entries, tasks); here is the order of a tick, and how another revision
    of the rules takes over.
    """

    def __init__(  # noqa: PLR0913 - what a site is made of
        self,
        site: str,
        table: RuleTable,
        units: Sequence[HazardUnit],
        templates: Sequence[TaskTemplate],
        start_ns: int,
        derivations: Sequence[Derivation] = (),
        backend: Backend = Backend.NUMPY,
        *,
        tiering: Tiering | None = None,
        philosophy: Philosophy | None = None,
    ) -> None:
        super().__init__(site, table, units, templates, start_ns, derivations, backend, tiering or Tiering())
        self.philosophy = philosophy or Philosophy()
        self.hazard_units = tuple(units)
        self.requests = {}
        self.stops = {}
        self.floods = FloodBook(site, self.philosophy.flood)
        self._lay_covers()
        self.realarms.go_by(self.philosophy.realarm, self.alarms.values())
        self.ticks = 0
        self._has_adopted = False
        self._idle_until_ns: int | None = 0  # None for not worked out since the last tick that did something.
        self._is_rough = False  # It may lie before the moment that counts.

    def adopt(
        self,
        alarms: Iterable[Alarm],
        entries: Iterable[Entry],
        standings: Iterable[Standing] = (),
        requests: Iterable[Request] = (),
        stops: Iterable[Stop] = (),
    ) -> None:
        """Take over committed alarms, open entries, tiers of units, requests and declared stops at start."""
        for alarm in alarms:
            self._keep(alarm)
        self.episodes.adopt(entries)
        self.requests = {request.id: request for request in requests}
        self.stops = {stop.id: stop for stop in stops}
        self._lay_covers()
        self.units.adopt(self.alarms.values(), standings, self.start_ns)
        self._has_adopted = True
        self._idle_until_ns = 0

    def listen_from(self, now_ns: int) -> None:
        """Let silence count from now on: the time that a start takes before anybody is asked is not the plant's."""
        self.start_ns = max(self.start_ns, now_ns)
        for memory in self.memories.values():
            memory.listen_from(now_ns)
        self._idle_until_ns = 0

    def begin(self, now_ns: int, away_ns: int = 0) -> None:
        """Begin a tick.

        Args:
            away_ns: For so long nothing was judged before it; nobody can be silent to one who does not listen.
        """
        if away_ns:
            for memory in self.memories.values():
                memory.forgive(now_ns, away_ns)
        self.ticks += 1
        self._outcome = Outcome(number=self.ticks, now_ns=now_ns)
        self._idle_until_ns = 0
        for memory in self.memories.values():
            memory.votes.settle(memory)
        for change in self.units.pass_time(now_ns - 1):  # It happened before anything of this tick.
            self._unit_by_clock(change)
        if self._has_adopted:
            self._has_adopted = False
            self._close_removed(now_ns)
            self._release_orphans(now_ns)
            self._move_alarms(now_ns)
            self._settle_by_design()
            for change in self.units.settle_all(now_ns):
                self._unit_by_clock(change)
        self._pass_stops(now_ns)

    def idle(self, now_ns: int) -> Outcome | None:
        """Take a tick in which nothing came, where nothing is due either; None where something may be.

        What it gives is what ``begin`` and ``finish`` would give, empty; they look at everything to find that out.
        """
        if self._idle_until_ns is None:
            self._idle_until_ns, self._is_rough = self._busy_ns(is_rough=True), True
        if now_ns >= self._idle_until_ns and self._is_rough:
            self._idle_until_ns, self._is_rough = self._busy_ns(), False
        if now_ns >= self._idle_until_ns:
            return None
        self.ticks += 1
        self._outcome = Outcome(number=self.ticks, now_ns=now_ns)
        return self._outcome

    def _busy_ns(self, *, is_rough: bool = False) -> int:
        """Tell the receive time from which on a tick may have something to do though nothing comes.

        Args:
            is_rough: A bound that is worked out sooner and may be too early will do.
        """
        if self._has_adopted:
            return 0
        ends = (self.alarms[key].suppressed_until_ns for key in self._suppressed)
        expires = (request.expires_ns for request in self.requests.values())
        due_ns = self.next_due_ns(with_pauses=True, is_rough=is_rough)
        return min(
            NEVER_NS if due_ns is None else due_ns,
            self.realarms.next_ns,
            self.floods.next_ns,
            *(due_ns for stop in self.stops.values() if (due_ns := next_of(stop))),
            *filter(None, ends),  # 0 is for as long as a state of the plant lasts.
            *expires,
        )

    def finish(self, swap: Prepared | None = None) -> Outcome:
        """End the tick: one clock reading for delays, silence and shelves; hand over what changed.

        Args:
            swap: A revision of the rules that takes over now: what came before was judged by the old one.
        """
        outcome = self._outcome
        for nature, memory in self.memories.items():
            self._pass_time(nature, memory, outcome.now_ns, is_end=True)
        self._end_suppressions(outcome.now_ns)
        self._expire_requests(outcome.now_ns)
        self._realarm_acked(outcome.now_ns)
        self._tell_news()
        if swap is not None:
            self._swap(swap)
            self._tell_news()
        self._approach(outcome.now_ns)
        for change in self.units.pass_time(outcome.now_ns):
            self._unit_by_clock(change)
        self.episodes.fill(outcome.entries)
        outcome.standings = self.units.take_changed()
        self._follow_floods(outcome)
        outcome.disposals = openings(self.philosophy.disposal, outcome.events)
        outcome.gaps, outcome.gaps_ended = self.gaps.take_changed()
        for nature, memory in self.memories.items():
            memory.is_dirty[memory.formulas.stirred()] = True
            outcome.delays += [(nature, rule) for rule in memory.take_dirty().tolist()]
        self._idle_until_ns = 0 if swap is not None else None
        return outcome

    def end_all(self, now_ns: int, reason: str) -> Outcome:
        """Let go of all that rings or is kept quiet, in a tick of its own; for a desk that is not needed any more.

        A drill's desk ends so: no exercise alarm, entry or tier outlives its drill.
        """
        self._has_adopted = False
        self.ticks += 1
        self._outcome = Outcome(number=self.ticks, now_ns=now_ns)
        for key in sorted(self.alarms):
            self._close(self.alarms[key], now_ns, reason)
        falls: dict[Where, Change] = {}  # A tier that would stay for a while falls now, in one step.
        for change in self.units.pass_time(now_ns + FOREVER_NS):
            first = falls.get(change.where, change)
            facts = {**change.facts, "from": first.old.name}
            falls[change.where] = replace(change, old=first.old, at_ns=now_ns, facts=facts)
        for change in falls.values():
            self._unit_by_clock(change)
        self.units.take_changed()
        return self._outcome

    def _follow_floods(self, outcome: Outcome) -> None:
        """Count what rang; a flood that began or ended is remarked in the journal."""
        before = {flood.id for flood in self.floods.open.values()}
        for flood in self.floods.follow(outcome.events, outcome.now_ns):
            outcome.floods.append(flood.state())
            facts = {"id": flood.id, "nature": flood.nature.value, "count": flood.count, "first": flood.first.alarm}
            if flood.id not in before:
                self.remark("flood_began", **facts)
            if flood.ended_ns:
                self.remark("flood_ended", **facts)

    def _swap(self, swap: Prepared) -> None:
        """Let another revision take over: memory, alarms and guards; then compare the alarms that it touches."""
        exchange, now_ns = swap.exchange, self._outcome.now_ns
        assert exchange.old is self.table, "a swap is prepared against the running table"
        is_kept = self.table.is_formula[exchange.gone]  # A timer inside may run while the rule itself rests.
        for nature, memory in self.memories.items():
            memory.is_dirty[memory.formulas.stirred()] = True
            busy = memory.is_active[exchange.gone] | (memory.phase[exchange.gone] != Phase.REST) | is_kept
            busy = exchange.gone[busy]
            self._outcome.gone += [(nature, self.table[int(k)].id) for k in busy]
        forgets = exchange.here[exchange.new.is_formula[exchange.here] & (exchange.course_of[exchange.here] < 0)]
        self.table, self._places = exchange.new, {}
        if swap.beside is not None:
            self.philosophy, self.hazard_units = swap.beside.philosophy, swap.beside.units
            self.realarms.go_by(self.philosophy.realarm, self.alarms.values())
            self.floods.policy = self.philosophy.flood
        self._lay_covers()
        self._lay_out(swap, now_ns)
        self._guards = {nature: guard for nature, guard in swap.guards.items() if nature in self.memories}
        for guard in self._guards.values():
            guard.is_plain[self.derived.input_rows] = False
        self._takers.clear()
        self._ranks.clear()
        self.gaps.follow(exchange, swap.number)
        for nature, memory in self.memories.items():
            memory.is_dirty[forgets] = True  # Else what the old text kept would come back with it, after a kill.
            memory.votes.settle(memory)
            is_vote = self.table.votes.of_rule[exchange.judged] >= 0
            for judged in (exchange.judged[~is_vote], exchange.judged[is_vote]):  # Votes hang on the others.
                self._outcome.made_after += self._count_anew(nature, judged, swap.number)
                found = judge_anew(self.table, memory, judged, now_ns)
                self._fold(found, nature, "", swap=swap.number)
                self._outcome.made_after += self._poll(nature, (found, NOTHING))
            for _, changes in retold(swap, nature, memory, now_ns):
                self._fold(changes, nature, "", swap=swap.number)
        self._close_removed(now_ns)
        self._release_orphans(now_ns)
        if swap.beside is not None:
            self._follow_units(swap.beside, now_ns)
        self._settle_by_design()

    def _lay_out(self, swap: Prepared, now_ns: int) -> None:
        """Lay the memories out by the tables that take over."""
        exchange = swap.exchange
        for tag in exchange.new.tags:  # A nature that nothing had before.
            if tag.nature not in self.memories:
                self.memories[tag.nature] = swap.blanks[tag.nature]
                self.memories[tag.nature].restart(now_ns)
                self.derived_states[tag.nature] = DerivedState.fresh(self.derived, now_ns)
        self.memories = {
            nature: memory
            if memory is swap.blanks.get(nature)
            else carry(exchange, memory, swap.blanks.get(nature) or blank(exchange.new, nature), now_ns)
            for nature, memory in self.memories.items()
        }
        if swap.derived is None:
            return
        for nature, state in self.derived_states.items():
            fresh = DerivedState(state.epoch, state.number, DerivedState.fresh(swap.derived, now_ns).of_group)
            thaw(swap.derived, fresh, freeze(self.derived, state))
            self.derived_states[nature] = fresh
        self.derived = swap.derived

    def _follow_units(self, beside: Beside, now_ns: int) -> None:
        """Take over units, tasks and policy of tiers; alarms move with their tags."""
        self.templates = beside.tasks
        self.kind_of = {unit.id: unit.kind for unit in beside.units}
        self.units = self.units.follow(beside.tiering, beside.units, self.alarms.values(), now_ns)
        self._move_alarms(now_ns)
        for change in self.units.settle_all(now_ns):
            self._unit_by_clock(change)

    def _close_removed(self, now_ns: int) -> None:
        """Close the alarms of tags that the configuration no longer has; nobody can answer for what is not there."""
        for key in sorted(self.alarms):
            alarm = self.alarms[key]
            if alarm.tag not in self.table.tags.row_of:
                self._close(alarm, now_ns, TAG_GONE)

    def _close(self, alarm: Alarm, now_ns: int, reason: str) -> None:
        """End what keeps an alarm quiet, then the alarm itself."""
        by = Command(verb=Verb.RESET, alarm=alarm.key, who=SELF, received_ns=now_ns, reason=reason)
        if alarm.suppression is not Suppression.NONE:
            what = What.UNSHELVED if alarm.suppression is Suppression.SHELVED else What.UNSUPPRESSED
            alarm = self._note(alarm.freed(), what, by, now_ns)
        if alarm.state is not State.NORMAL:
            over = replace(alarm, state=State.NORMAL, tier=Tier.NONE, tier_max=Tier.NONE)
            self._note(over, What.CLEARED, by, now_ns)

    def _release_orphans(self, now_ns: int) -> None:
        """Let go of alarms whose rules the configuration no longer has; else they would ring for ever."""
        for key in sorted(self.alarms):
            alarm = self.alarms[key]
            if not alarm.is_active:
                continue
            active = self.memory(alarm.nature).is_active
            if any(active[self.table.index_of[rule.id]] for rule in rules_of(self.table, alarm)):
                continue
            state = step(alarm.state, Turn.CLEAR, is_latching=False)
            what = What.CLEARED if state is State.NORMAL else What.RETURNED
            tier_max = Tier.NONE if state is State.NORMAL else alarm.tier_max
            free = replace(alarm, state=state, tier=Tier.NONE, tier_max=tier_max, ended_by=GONE)
            by = Command(verb=Verb.RESET, alarm=key, who=SELF, received_ns=now_ns, reason=RULE_GONE)
            self._end_one_shot(self._note(free, what, by, now_ns))

    def _move_alarms(self, now_ns: int) -> None:
        """Let alarms follow tags that the configuration gave to another unit; no entry waits for them for ever."""
        for key in sorted(self.alarms):
            alarm = self.alarms[key]
            row = self.table.tags.row_of.get(alarm.tag)
            if row is None or alarm.state is State.NORMAL or alarm.unit == self.table.tags[row].unit:
                continue
            old = (alarm.nature, alarm.unit)
            self._of_unit[old].discard(key)
            change = self.units.note(replace(alarm, state=State.NORMAL, tier=Tier.NONE), now_ns)
            moved = self._note(replace(alarm, unit=self.table.tags[row].unit), What.CHANGED, SELF, now_ns, moved=old[1])
            event_id = digest(moved.id, moved.ordinal, "moved")
            if change is not None:
                facts = {"alarm": moved.id, "event": event_id, **change.facts}
                self._tell_unit(change, digest(event_id, alarm.unit, what_of(change)), now_ns, facts)
            self._follow_entry(old, event_id, now_ns, None)
