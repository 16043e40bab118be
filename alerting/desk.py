"""Desk: one tick of the safety path, from admitted scans to everything that must be committed.

Flow: intake -> [evaluate, expire, step, episodes, tasks] -> Outcome -> commit
Why: the same pure turn runs live, in replay and in simulation; what it returns is all that changed.
Never: does I/O, reads a clock, throws dice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from alerting.core import Changes, Memory, evaluate, expire, next_due_ns
from alerting.core.backend import Backend, Taker, make_taker
from alerting.core.batch import Batch, Taken
from alerting.core.delay import join
from alerting.core.derived import DerivedState, DerivedTable, by_clock, follow, next_by_clock_ns
from alerting.core.derived.state import freeze, thaw
from alerting.core.drift import relearn
from alerting.core.guard import Guard
from alerting.core.memory import Phase, no_changes
from alerting.core.swap import carry, judge_anew
from alerting.core.trend import Forecast
from alerting.core.vote import poll
from alerting.judge import Lane, alarm_event, is_latching, judge_alarm, rules_of
from alerting.late import Gap, GapBook
from alerting.lifecycle import Refused, Turn, step
from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.command import Command, Verb
from alerting.model.derivation import Derivation
from alerting.model.event import Event, What
from alerting.model.rule import Kind, RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.register.episode import Entry, EntryBook
from alerting.response.task import Task, TaskTemplate, open_tasks
from alerting.swap import Beside, Prepared, blank, retold
from alerting.tiering import Change, Standing, TierBook
from edge.model import Nature, Scan

SHELF_S_MAX = 86_400  # Nobody forgets a shelf for longer than a day.
SELF = "fengsui"  # Who does what no person did.
UNIT_CHANGED = "the configuration gave the tag to another unit"
NOTHING = no_changes()
RULE_GONE = "the rule is no longer in the configuration"
GONE = "gone"  # What ended an alarm whose rules the configuration no longer has.
TAG_GONE = "removed from configuration"
OUT_OF_SERVICE_S_MAX = 31 * 86_400
BACK_IN_SERVICE = "an alarm of the tag is back in service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command came to: a refusal by language, or the alarm afterwards."""

    command: Command
    refused: dict[str, str] | None = None
    alarm: Alarm | None = None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that one tick changed.

    Attributes:
        delays: (nature, rule index) of the rules whose trip or delay changed.
        units: Tiers of the units that changed.
        standings: How the units stand in which anything changed, also what the clock will do.
        entries: Register entries by id, as they stand after the tick.
        remarks: What the system itself has to say (clock steps, gaps not judged).
        gone: (nature, rule id) of rules that a swap ended in mid-trip or mid-delay.
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
    tasks: list[Task] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    gone: list[tuple[Nature, str]] = field(default_factory=list)
    made: list[Scan] = field(default_factory=list)
    made_after: list[Scan] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing durable changed."""
        changed = self.events or self.alarms or self.standings or self.delays or self.entries or self.answers
        return not (changed or self.remarks or self.gone)


class Desk:
    """All that the safety path remembers, and how a tick changes it."""

    def __init__(
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
    ) -> None:
        self.site = site
        self.table = table
        self.derived = DerivedTable(derivations, table.tags)
        self.derived_states: dict[Nature, DerivedState] = {}
        self.templates = tuple(templates)
        self.kind_of = {unit.id: unit.kind for unit in units}
        self.start_ns = start_ns
        self.memories: dict[Nature, Memory] = {}
        self.backend = backend
        self._guards: dict[Nature, Guard] = {}
        self._takers: dict[Nature, Taker] = {}
        self.alarms: dict[str, Alarm] = {}
        self.key_of_id: dict[str, str] = {}
        self.episodes = EntryBook(site)
        self.units = TierBook(tiering or Tiering(), units, self._eu_of)
        self.gaps = GapBook(table)
        self.ticks = 0
        self._has_adopted = False
        self._of_unit: dict[tuple[Nature, str], set[str]] = {}
        self._places: dict[str, tuple[Nature, int]] = {}
        self._suppressed: set[str] = set()
        for tag in table.tags:
            self.memory(tag.nature)
        self._outcome = Outcome(number=0, now_ns=start_ns)

    # ------------------------------------------------------------------ memory

    def memory(self, nature: Nature) -> Memory:
        """Give the memory of one nature; tags of other natures are not watched for silence in it."""
        memory = self.memories.get(nature)
        if memory is None:
            memory = self.memories[nature] = blank(self.table, nature, self.start_ns)
            self.derived_states[nature] = DerivedState.fresh(self.derived, self.start_ns)
        return memory

    def guard(self, nature: Nature) -> Guard:
        """Give the guard of one nature's memory."""
        guard = self._guards.get(nature)
        if guard is None:
            guard = self._guards[nature] = Guard(self.table)
            guard.is_plain[self.derived.input_rows] = False  # What hangs on them is computed scan by scan, in order.
        return guard

    def use(self, backend: Backend) -> None:
        """Go on with another backend; what memory holds is the same."""
        self.backend = backend
        self._takers.clear()

    def take_batch(self, nature: Nature, batch: Batch) -> Taken:
        """Let memory take what it can of scans that simply follow; their marks and changes are for ``take``."""
        taker = self._takers.get(nature)
        if taker is None:
            taker = make_taker(self.backend, self.table, self.memory(nature), self.guard(nature))
            self._takers[nature] = taker
        return taker(batch)

    def adopt(self, alarms: Iterable[Alarm], entries: Iterable[Entry], standings: Iterable[Standing] = ()) -> None:
        """Take over committed alarms, open entries and tiers of units at start."""
        for alarm in alarms:
            self._keep(alarm)
        self.episodes.adopt(entries)
        self.units.adopt(self.alarms.values(), standings, self.start_ns)
        self._has_adopted = True

    @property
    def entries(self) -> dict[tuple[Nature, str], Entry]:
        """Open register entries."""
        return self.episodes.open

    @property
    def unit_tiers(self) -> dict[tuple[Nature, str], Tier]:
        """Tiers of the units that ever had an active alarm."""
        return self.units.tiers()

    def next_due_ns(self) -> int | None:
        """Tell the receive time at which a tick will next have something to do if nothing comes; or None.

        Ends of suppressions are left out: they follow commands, which only a running gateway has.
        """
        dues = [next_due_ns(self.table, memory) for memory in self.memories.values()]
        return min((due for due in (*dues, *self.dues_ns()) if due is not None), default=None)

    def dues_ns(self) -> tuple[int | None, ...]:
        """Tell the same of what hangs on no delay: tiers of units, and times of day of derived tags."""
        states = ((self.derived_states[nature], memory) for nature, memory in self.memories.items())
        return (self.units.next_due_ns, *(next_by_clock_ns(self.derived, state, memory) for state, memory in states))

    # -------------------------------------------------------------------- tick

    def begin(self, now_ns: int) -> None:
        """Begin a tick."""
        self.ticks += 1
        self._outcome = Outcome(number=self.ticks, now_ns=now_ns)
        for memory in self.memories.values():
            memory.votes.settle(memory)
        for change in self.units.pass_time(now_ns - 1):  # It happened before anything of this tick.
            self._unit_by_clock(change)
        if self._has_adopted:
            self._has_adopted = False
            self._close_removed(now_ns)
            self._release_orphans(now_ns)
            self._move_alarms(now_ns)
            for change in self.units.settle_all(now_ns):
                self._unit_by_clock(change)

    def take(self, scan: Scan, known: tuple[Changes, Changes] | None = None) -> list[Scan]:
        """Judge one admitted scan of the live lane; each tag at most once, newer than its last.

        Args:
            known: What other samples of the same scan changed, before them and by them, as ``take_batch`` found.

        Returns:
            The scans of derived tags and of votes that it led to; they are judged too.
        """
        memory = self.memory(scan.nature)
        if self.table.votes.is_member_row[scan.rows].any():  # The other members' delays have come as far as this.
            self._pass_time(scan.nature, memory, scan.received_ns - 1)
        made = self._judge(scan, memory, known)
        for derived in follow(self.derived, self.derived_states[scan.nature], memory, scan):
            made += [derived, *self._judge(derived, memory)]
        return made

    def _judge(self, scan: Scan, memory: Memory, known: tuple[Changes, Changes] | None = None) -> list[Scan]:
        """Judge a scan; give the samples of votes that it led to, judged as well."""
        before, after = evaluate(self.table, memory, scan)
        self.guard(scan.nature).refresh(memory, scan.rows)
        if known is not None:
            before, after = join(known[0], before), join(known[1], after)
        self.fold(scan, (before, after))
        return self._poll(scan.nature, (before, after), scan)

    def _poll(self, nature: Nature, changes: tuple[Changes, Changes], scan: Scan | None = None) -> list[Scan]:
        """Let the votes follow what changed; give their samples, judged."""
        if len(self.table.votes) == 0:
            return []
        made = []
        memory, state = self.memory(nature), self.derived_states[nature]
        for sample in poll(self.table, memory, state, nature, changes, scan):
            made.append(sample)
            found = evaluate(self.table, memory, sample)
            self.guard(nature).refresh(memory, sample.rows)
            self.fold(sample, found)
        return made

    def fold(self, scan: Scan, known: tuple[Changes, Changes]) -> None:
        """Let the alarms follow what a scan changed."""
        before, after = known
        self._fold(before, scan.nature, scan.key, then=after)
        self._fold(after, scan.nature, scan.key)

    def open_gap(self, source: str, nature: Nature, to_ns: int) -> None:
        """Copy a source's rows before the first scan after a gap is evaluated."""
        gap = self.gaps.open(source, nature, self.memory(nature), self.alarms, to_ns)
        if gap is None:
            return
        if gap.part.left_out:
            self.remark("late_rules_left_out", source=source, gap=gap.name, rules=list(gap.part.left_out))
        left_out = [*self.derived.hanging_on(gap.part.rows), *self.table.votes.hanging_on(gap.part.rows)]
        if left_out:
            self.remark("late_derived_left_out", source=source, gap=gap.name, tags=left_out)

    def find_gap(self, source: str, nature: Nature, time_ns: int) -> Gap | None:
        """Find the gap that a late sample falls into."""
        return self.gaps.find(source, nature, time_ns)

    def take_late(self, scan: Scan, gap: Gap) -> None:
        """Judge one scan of the late lane in the memory of its gap; nothing live is touched."""
        for event in gap.judge(scan, self.site, self._outcome.now_ns):
            self._outcome.events.append(event)
            self._late_episode(event, gap.to_ns)

    def obey(self, command: Command) -> None:
        """Carry out one command, or refuse it with a sentence."""
        if command.verb is Verb.EMPTY:
            self._outcome.answers.append(Answer(command=command, refused=self._empty(command.alarm)))
            return
        changed = None
        try:
            if command.verb is Verb.RELEARN:
                self._relearn_asked(command)
            else:
                changed = self._carry_out(command, self._find(command.alarm))
        except Refused as refusal:
            self._outcome.answers.append(Answer(command=command, refused=refusal.sentence))
            return
        self._outcome.answers.append(Answer(command=command, alarm=changed))

    def remark(self, kind: str, **facts: Any) -> None:  # noqa: ANN401  # facts are JSON values
        """Put a remark of the system itself into the journal (clock step, gap not judged)."""
        self._outcome.remarks.append({"kind": kind, **facts})

    def finish(self, swap: Prepared | None = None) -> Outcome:
        """End the tick: one clock reading for delays, silence and shelves; hand over what changed.

        Args:
            swap: A revision of the rules that takes over now: what came before was judged by the old one.
        """
        outcome = self._outcome
        for nature, memory in self.memories.items():
            self._pass_time(nature, memory, outcome.now_ns, is_end=True)
        self._end_suppressions(outcome.now_ns)
        self._tell_news()
        if swap is not None:
            self._swap(swap)
            self._tell_news()
        self._approach(outcome.now_ns)
        for change in self.units.pass_time(outcome.now_ns):
            self._unit_by_clock(change)
        outcome.standings = self.units.take_changed()
        for nature, memory in self.memories.items():
            memory.is_dirty[memory.formulas.stirred()] = True
            dirty = np.flatnonzero(memory.is_dirty)
            outcome.delays += [(nature, int(rule)) for rule in dirty]
            memory.is_dirty[dirty] = False
        return outcome

    def _pass_time(self, nature: Nature, memory: Memory, until_ns: int, *, is_end: bool = False) -> None:
        """Let delays and silence come as far as a clock reading, in steps while a vote hangs on them."""
        for at_ns in self._moments_of_votes(memory, until_ns):
            self._expire(nature, memory, at_ns)
        if is_end:
            for derived in by_clock(self.derived, self.derived_states[nature], memory, nature, until_ns):
                self._outcome.made += [derived, *self._judge(derived, memory)]
            self._expire(nature, memory, until_ns)

    def _expire(self, nature: Nature, memory: Memory, now_ns: int) -> None:
        expired = expire(self.table, memory, now_ns)
        self.guard(nature).close(self.table.row[expired.rule])
        self._fold(expired, nature, "")
        self._outcome.made += self._poll(nature, (expired, NOTHING))

    def _moments_of_votes(self, memory: Memory, now_ns: int) -> Iterator[int]:
        """Give the moments up to a clock reading at which delays end, while one of a vote or of a member runs.

        Else a vote's delay would end although a member had changed its mind before; a later look finds the same.
        """
        votes, passed_ns = self.table.votes, -1
        mine = np.append(votes.rule, votes.member[votes.is_there])
        while (memory.phase[mine] != Phase.REST).any():
            due_ns = next_due_ns(self.table, memory)
            if due_ns is None or not passed_ns < due_ns <= now_ns:
                return
            yield due_ns
            passed_ns = due_ns

    def _tell_news(self) -> None:
        for nature, memory in self.memories.items():
            for told in memory.formulas.news():
                rule = self.table[told["rule"]]
                if rule.is_hidden:
                    self.remark("enable_not_known", nature=nature.value, **{**told, "rule": rule.when})
                else:
                    self.remark("rule_not_judged", nature=nature.value, **{**told, "rule": rule.id})

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
        self._lay_out(swap, now_ns)
        self._guards = {nature: guard for nature, guard in swap.guards.items() if nature in self.memories}
        for guard in self._guards.values():
            guard.is_plain[self.derived.input_rows] = False
        self._takers.clear()
        self.gaps.follow(exchange)
        for nature, memory in self.memories.items():
            memory.is_dirty[forgets] = True  # Else what the old text kept would come back with it, after a kill.
            memory.votes.settle(memory)
            found = judge_anew(self.table, memory, exchange.judged, now_ns)
            self._fold(found, nature, "", swap=swap.number)
            self._outcome.made_after += self._poll(nature, (found, NOTHING))
            for _, changes in retold(swap, nature, memory, now_ns):
                self._fold(changes, nature, "", swap=swap.number)
        self._close_removed(now_ns)
        self._release_orphans(now_ns)
        if swap.beside is not None:
            self._follow_units(swap.beside, now_ns)

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

    # -------------------------------------------------------------- conditions

    def _fold(
        self, changes: Changes, nature: Nature, scan_key: str, then: Changes | None = None, swap: int = 0
    ) -> None:
        """Let the alarms of changed rules meet the state machine, in order of event time.

        Args:
            scan_key: The scan that made the changes; empty for a clock reading.
            then: What the same scan changed afterwards; memory holds it already.
            swap: The revision that takes over; 0 for none.
        """
        if len(changes) == 0:
            return
        lane = Lane(
            site=self.site,
            nature=nature,
            table=self.table,
            memory=self.memory(nature),
            book=self.alarms,
            then=NOTHING if then is None else then,
            derived=self.derived,
            derived_state=self.derived_states[nature],
            swap=swap,
        )
        of_place: dict[int, list[int]] = {}
        for at, place in enumerate(self.table.alarm[changes.rule].tolist()):
            of_place.setdefault(place, []).append(at)
        times_ns = changes.time_ns.tolist()
        first_ns = {place: min(times_ns[at] for at in mine) for place, mine in of_place.items()}
        for place in sorted(of_place, key=lambda p: (first_ns[p], p)):
            mine = of_place[place]
            tag = self.table.tags[self.table.tags.row_of[self.table.alarms[place][0]]]
            key = scan_key or lane.memory.last_scan(tag.source)  # A clock reading leans on the last scan.
            found = judge_alarm(lane, changes, mine, place, key, self._outcome.now_ns)
            if found is not None:
                self._emit(*found)

    def _close_removed(self, now_ns: int) -> None:
        """Close the alarms of tags that the configuration no longer has; nobody can answer for what is not there."""
        for key in sorted(self.alarms):
            alarm = self.alarms[key]
            if alarm.tag in self.table.tags.row_of:
                continue
            by = Command(verb=Verb.RESET, alarm=key, who=SELF, received_ns=now_ns, reason=TAG_GONE)
            if alarm.suppression is not Suppression.NONE:
                what = What.UNSHELVED if alarm.suppression is Suppression.SHELVED else What.UNSUPPRESSED
                free = replace(
                    alarm, suppression=Suppression.NONE, suppressed_until_ns=0, suppressed_by="", suppression_reason=""
                )
                alarm = self._note(free, what, by, now_ns)
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
            self._note(
                free, what, Command(verb=Verb.RESET, alarm=key, who=SELF, received_ns=now_ns, reason=RULE_GONE), now_ns
            )

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
                self._tell_unit(change, digest(event_id, alarm.unit, _what(change)), now_ns, facts)
            self._follow_entry(old, event_id, now_ns, None)

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
        mine = self._of_unit.setdefault((alarm.nature, alarm.unit), set())
        (mine.discard if alarm.state is State.NORMAL else mine.add)(alarm.key)
        (self._suppressed.discard if alarm.suppression is Suppression.NONE else self._suppressed.add)(alarm.key)

    # ------------------------------------------------------- units and entries

    def _follow_unit(self, cause: Event, alarm: Alarm) -> None:
        """Let the unit's tier, its register entry and its tasks follow an alarm."""
        change = self.units.note(alarm, self._outcome.now_ns)
        if change is not None:
            facts = {"alarm": alarm.id, "event": cause.id, **change.facts}
            self._tell_unit(change, digest(cause.id, alarm.unit, _what(change)), cause.time_ns, facts)
        self._follow_entry((alarm.nature, alarm.unit), cause.id, cause.time_ns, alarm)

    def _unit_by_clock(self, change: Change) -> None:
        """Let a unit follow the clock: a condition has lasted long enough, or a tier has stayed long enough."""
        nature, unit = change.where
        event_id = digest(self.site, nature, unit, _what(change), change.at_ns)
        self._tell_unit(change, event_id, change.at_ns, {"alarm": "", "event": "", **change.facts})
        self._follow_entry(change.where, event_id, change.at_ns, None)

    def _tell_unit(self, change: Change, event_id: str, time_ns: int, facts: dict[str, Any]) -> None:
        nature, unit = change.where
        self._outcome.units[change.where] = change.new
        self._outcome.events.append(
            Event(
                id=event_id,
                what=_what(change),
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

    def _approach(self, now_ns: int) -> None:
        """Take the times to limit that a policy asks for; a filter that cannot say leaves things as they are."""
        for where, alarm in list(self.units.approaching()):
            rule = self.table.index_of.get(alarm.rule)
            if rule is None:
                continue
            forecast = Forecast(self.table, self.memory(alarm.nature), np.array([rule]))
            if forecast.is_ready[0]:
                change = self.units.approach(where, alarm.key, float(forecast.time_to_limit_s[0]), now_ns)
                if change is not None:
                    self._unit_by_clock(change)

    def _late_episode(self, event: Event, gap_end_ns: int) -> None:
        """Keep a late excursion in the register, at the latest until its gap's end, where live judging took over.

        It opens no tasks, because its time has passed.
        """
        entry_id = digest(self.site, event.nature, event.unit, event.alarm, "late")
        known = self._outcome.entries.get(entry_id) or self.gaps.entries.get(entry_id)
        entry = known or Entry(
            id=entry_id,
            nature=event.nature,
            unit=event.unit,
            opened_ns=event.time_ns,
            alarms=(event.alarm,),
            is_late=True,
        )
        is_over = event.what in (What.RETURNED, What.CLEARED)
        entry = replace(
            entry,
            tier=Tier.NONE,
            tier_max=max(entry.tier_max, event.tier),
            closed_ns=event.time_ns if is_over else gap_end_ns,
        )
        self._outcome.entries[entry_id] = entry
        self.gaps.keep(entry)

    # ---------------------------------------------------------------- commands

    def _find(self, name: str) -> Alarm:
        key = self.key_of_id.get(name, name)
        alarm = self.alarms.get(key)
        if alarm is not None:
            return alarm
        if not self._places:  # A digest for each alarm that may ever ring: made when somebody first asks.
            self._places = {
                self._key(tag.nature, place): (tag.nature, place)
                for place, (name, _) in enumerate(self.table.alarms)
                for tag in (self.table.tags[self.table.tags.row_of[name]],)
            }
        if key in self._places:
            nature, place = self._places[key]
            tag, group = self.table.alarms[place]
            unit = self.table.tags[self.table.tags.row_of[tag]].unit
            return Alarm(key=key, nature=nature, tag=tag, unit=unit, group=group)
        raise Refused("There is no such alarm.", "没有这条报警。")

    def _carry_out(self, command: Command, alarm: Alarm) -> Alarm:
        now_ns = self._outcome.now_ns
        match command.verb:
            case Verb.ACK:
                return self._acknowledge(command, alarm, now_ns)
            case Verb.RESET:
                state = step(alarm.state, Turn.RESET, is_latching=True)
                return self._note(replace(alarm, state=state, tier_max=Tier.NONE), What.CLEARED, command, now_ns)
            case Verb.SHELVE:
                return self._suppress(command, alarm, Suppression.SHELVED, SHELF_S_MAX, now_ns)
            case Verb.SUPPRESS:
                return self._suppress(command, alarm, Suppression.OUT_OF_SERVICE, OUT_OF_SERVICE_S_MAX, now_ns)
            case Verb.UNSHELVE:
                return self._unsuppress(alarm, Suppression.SHELVED, command.who, now_ns)
            case Verb.UNSUPPRESS:
                return self._unsuppress(alarm, Suppression.OUT_OF_SERVICE, command.who, now_ns)
            case Verb.EMPTY | Verb.RELEARN:
                raise AssertionError(command.alarm)  # It is about a tag or a rule, not about an alarm.

    def _empty(self, tag: str) -> dict[str, str] | None:
        """Set an occupancy to 0; give why not."""
        row = self.table.tags.row_of.get(tag)
        state = None if row is None else self.derived_states[self.table.tags[row].nature]
        if state is None or not self.derived.empty(state.of_group, tag):
            return {"en": "This tag is no occupancy.", "zh": "该位号不是区域人数。"}
        return None

    def _acknowledge(self, command: Command, alarm: Alarm, now_ns: int) -> Alarm:
        if command.seen_tier is not None and alarm.tier > command.seen_tier:
            raise Refused("The alarm has escalated since; look again.", "报警已升级,请重新查看后确认。")
        state = step(alarm.state, Turn.ACK, is_latching=is_latching(self.table, alarm))
        if state is alarm.state:
            return alarm
        acked = replace(
            alarm,
            state=state,
            # What latches shows the highest tier of its episode until it is reset; else the answer was to what rings.
            tier_max=alarm.tier_max if is_latching(self.table, alarm) else alarm.tier,
            acked_by=command.who,
            acked_ns=now_ns,
            comment=command.reason,
        )
        acked = self._note(acked, What.ACKNOWLEDGED, command, now_ns)
        return self._note(acked, What.CLEARED, command, now_ns) if state is State.NORMAL else acked

    def _suppress(self, command: Command, alarm: Alarm, how: Suppression, s_max: int, now_ns: int) -> Alarm:
        if not command.reason.strip():
            raise Refused("Give a reason.", "请填写原因。")
        if command.until_ns <= now_ns:
            raise Refused("Give an end time in the future.", "结束时间必须晚于当前时间。")
        if command.until_ns > now_ns + s_max * 1_000_000_000:
            hours = s_max // 3600
            raise Refused(f"The end time may be at most {hours} hours away.", f"结束时间最长不得超过 {hours} 小时。")
        if alarm.suppression not in (Suppression.NONE, how):
            raise Refused(
                f"The alarm is suppressed already ({alarm.suppression.value}); end that first.",
                "该报警已处于抑制状态,请先解除。",
            )
        suppressed = replace(
            alarm,
            suppression=how,
            suppressed_until_ns=command.until_ns,
            suppressed_by=command.who,
            suppression_reason=command.reason,
        )
        what = What.SHELVED if how is Suppression.SHELVED else What.SUPPRESSED
        return self._note(suppressed, what, command, now_ns)

    def _unsuppress(self, alarm: Alarm, how: Suppression, who: str, now_ns: int) -> Alarm:
        if alarm.suppression is not how:
            raise Refused("The alarm is not suppressed in this way.", "该报警未处于此抑制状态。")
        what = What.UNSHELVED if how is Suppression.SHELVED else What.UNSUPPRESSED
        if how is Suppression.OUT_OF_SERVICE:  # The instrument may have been worked on.
            self._relearn(self._drifts_of(alarm.tag), alarm.nature, who, BACK_IN_SERVICE)
            alarm = self.alarms.get(alarm.key, alarm)
        free = replace(
            alarm, suppression=Suppression.NONE, suppressed_until_ns=0, suppressed_by="", suppression_reason=""
        )
        free = self._note(free, what, who, now_ns)
        if free.is_active:
            state = step(free.state, Turn.REALARM, is_latching=is_latching(self.table, free))
            free = replace(free, state=state, raised_ns=now_ns, acked_by="", acked_ns=0, comment="")
            free = self._note(free, What.REALARMED, who, now_ns)
        return free

    def _relearn_asked(self, command: Command) -> None:
        """Let a DRIFT rule learn anew, as a person says."""
        index = self.table.index_of.get(command.alarm)
        if index is None or self.table[index].kind is not Kind.DRIFT:
            raise Refused("There is no such DRIFT rule.", "没有这条漂移规则。")
        if not command.reason.strip():
            raise Refused("Give a reason.", "请填写原因。")
        tag = self.table.tags[self.table.row[index]]
        self._relearn([index], tag.nature, command.who, command.reason, forget=command.forget_season)

    def _drifts_of(self, tag: str) -> list[int]:
        row = self.table.tags.row_of.get(tag)
        mine = [] if row is None else range(int(self.table.first[row]), int(self.table.first[row + 1]))
        return [k for k in mine if self.table[k].kind is Kind.DRIFT]

    def _relearn(self, rules: list[int], nature: Nature, who: str, reason: str, *, forget: bool = False) -> None:
        if not rules:
            return
        now_ns = self._outcome.now_ns
        changes = relearn(self.table, self.memory(nature), np.array(rules, np.int64), now_ns, forget=forget)
        names = [self.table[k].id for k in rules]
        self.remark("drift_relearned", nature=nature.value, rules=names, who=who, reason=reason, forget_season=forget)
        self._fold(changes, nature, "")

    def _end_suppressions(self, now_ns: int) -> None:
        for key in sorted(self._suppressed):
            alarm = self.alarms[key]
            if alarm.suppressed_until_ns <= now_ns:
                self._unsuppress(alarm, alarm.suppression, SELF, now_ns)

    def _note(self, alarm: Alarm, what: What, by: Command | str, now_ns: int, *, moved: str = "") -> Alarm:
        """Make an event of what a person or a timer did to an alarm.

        Args:
            moved: The unit that the alarm was in before.
        """
        alarm = replace(alarm, ordinal=alarm.ordinal + 1, changed_ns=now_ns)
        who, reason, until_ns = (by, "", 0) if isinstance(by, str) else (by.who, by.reason, by.until_ns)
        facts: dict[str, Any] = {"who": who, "reason": reason}
        if until_ns:
            facts["until_ns"] = until_ns
        if alarm.ended_by and what in (What.RETURNED, What.CLEARED):
            facts["ended_by"] = alarm.ended_by
        if moved:
            facts |= {"reason": UNIT_CHANGED, "from_unit": moved}
        self._emit(alarm_event(alarm, what, now_ns, now_ns, facts), alarm)
        return alarm

    # -------------------------------------------------------------- identities

    def _key(self, nature: Nature, place: int) -> str:
        return digest(self.site, nature, *self.table.alarms[place])


def _what(change: Change) -> What:
    return What.UNIT_RAISED if change.new > change.old else What.UNIT_LOWERED
