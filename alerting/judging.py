"""Judging: scans and clock readings through the memories of the core, and from there to the alarms.

Flow: scan, clock reading -> [evaluate, expire, derived tags, votes, late lane] -> fold into alarms
Never: obeys commands, changes rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alerting.abreast import Line, Ranks, Walk, compute
from alerting.alarm_book import AlarmBook
from alerting.core import Changes, Memory, evaluate, expire, next_due_ns
from alerting.core.backend import Backend, Taker, make_taker
from alerting.core.batch import Batch, Taken
from alerting.core.delay import join
from alerting.core.derived import DerivedState, DerivedTable, by_clock, follow, next_by_clock_ns
from alerting.core.evaluate import evaluate_unmarked, newest_of
from alerting.core.guard import Guard
from alerting.core.layout import layout_of
from alerting.core.memory import no_changes
from alerting.core.trend import Forecast
from alerting.core.vote import count_anew, poll
from alerting.judge import Lane, judge_alarm
from alerting.late import Gap, GapBook
from alerting.model.alarm import Alarm, digest
from alerting.model.by_design import PREFIX
from alerting.model.derivation import Derivation
from alerting.model.event import Event, What
from alerting.model.rule import RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.register.episode import Entry
from alerting.response.task import TaskTemplate
from alerting.swap import blank
from edge.few import every, greatest, is_all_zero, some
from edge.model import Nature, Scan

NOTHING = no_changes()


class JudgingDesk(AlarmBook):
    """The memories of all natures, their guards, derived tags, votes and gaps."""

    def __init__(
        self,
        site: str,
        table: RuleTable,
        units: Sequence[HazardUnit],
        templates: Sequence[TaskTemplate],
        start_ns: int,
        derivations: Sequence[Derivation],
        backend: Backend,
        tiering: Tiering,
    ) -> None:
        super().__init__(site, table, units, templates, start_ns, tiering)
        self.derived = DerivedTable(derivations, table.tags)
        self.derived_states: dict[Nature, DerivedState] = {}
        self.memories: dict[Nature, Memory] = {}
        self.backend = backend
        self._guards: dict[Nature, Guard] = {}
        self._takers: dict[Nature, Taker] = {}
        self._ranks: dict[Nature, Ranks] = {}
        self.gaps = GapBook(table)
        self._places: dict[str, tuple[Nature, int]] = {}
        for tag in table.tags:
            self.memory(tag.nature)

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

    def next_due_ns(self, *, with_pauses: bool = False, is_rough: bool = False) -> int | None:
        """Tell the receive time at which a tick will next have something to do if nothing comes; or None.

        Ends of suppressions are left out: they follow commands, which only a running gateway has.

        Args:
            with_pauses: Also when a delay that runs pauses; in a replay that comes out the same a moment later.
            is_rough: Perhaps too early, where silence is all that is waited for.
        """
        dues = [
            next_due_ns(self.table, memory, with_pauses=with_pauses, is_rough=is_rough)
            for memory in self.memories.values()
        ]
        return min((due for due in (*dues, *self.dues_ns()) if due is not None), default=None)

    def dues_ns(self) -> tuple[int | None, ...]:
        """Tell the same of what hangs on no delay: tiers of units, and times of day of derived tags."""
        states = ((self.derived_states[nature], memory) for nature, memory in self.memories.items())
        return (self.units.next_due_ns, *(next_by_clock_ns(self.derived, state, memory) for state, memory in states))

    def take(self, scan: Scan, known: tuple[Changes, Changes] | None = None) -> list[Scan]:
        """Judge one admitted scan of the live lane; each tag at most once, newer than its last.

        Args:
            known: What other samples of the same scan changed, before them and by them, as ``take_batch`` found.

        Returns:
            The scans of derived tags and of votes that it led to; they are judged too.
        """
        memory = self.memory(scan.nature)
        if some(self.table.votes.is_member_row[scan.rows]):  # The other members' delays have come as far as this.
            self._pass_time(scan.nature, memory, scan.received_ns - 1)
        made = self._judge(scan, memory, known)
        for derived in follow(self.derived, self.derived_states[scan.nature], memory, scan):
            made += [derived, *self._judge(derived, memory)]
        return made

    def ranks(self, nature: Nature) -> Ranks | None:
        """Give which scans of one nature may go abreast; None where any scan may change what the others meet."""
        if self.table.gates:
            return None
        ranks = self._ranks.get(nature)
        if ranks is None:
            ranks = self._ranks[nature] = Ranks(self.table, self.derived, self.memory(nature))
        return ranks

    def take_abreast(self, nature: Nature, line: Line) -> Walk:
        """Judge admitted scans side by side, as far as they change nothing; ``take_rest`` is each one's own turn."""
        memory, state, walk = self.memory(nature), self.derived_states[nature], Walk(line=line, nature=nature)
        received_ns = line.scan.received_ns
        found = self._evaluate_abreast(line.scan, memory)
        for scan in line.scans:
            memory.mark(scan, newest_of(scan))
        for stage in line.pattern.stages:
            if len(found[0]) or len(found[1]):
                break
            joined = compute(stage, state, memory, line)
            if joined is None:
                return walk
            found = self._evaluate_abreast(joined, memory)
            for share in stage.shares:
                if share is not None:
                    newest_ns = greatest(joined.times_ns[share.part])
                    memory.mark_place(share.index, received_ns, newest_ns, state.epoch, state.number)
            walk.done.append(joined)
        if len(found[0]) or len(found[1]):
            walk.changes = found
        return walk

    def take_rest(self, walk: Walk, place: int) -> list[Scan]:
        """Take the turn of one of the scans that went abreast: what it changed, and what is not computed yet.

        Returns:
            As ``take`` does.
        """
        memory, state, scan = self.memory(walk.nature), self.derived_states[walk.nature], walk.line.scans[place]
        made = walk.mine(place, state, memory)
        if walk.is_whole:
            return made
        done, changes = list(made), walk.changed(place, self.table)
        if changes is not None:
            last = made[-1] if walk.done else scan
            self.fold(last, changes)
            made += self._poll(walk.nature, changes, last)
        for derived in follow(self.derived, state, memory, scan, done, len(walk.done)):
            made += [derived, *self._judge(derived, memory)]
        return made

    def _evaluate_abreast(self, scan: Scan, memory: Memory) -> tuple[Changes, Changes]:
        """Evaluate samples of several sources as ``_evaluate`` does; the caller moves their watermarks."""
        guard = self.guard(scan.nature)
        quiet = guard.sift(memory, scan, layout_of(self.table, scan.rows).at)
        changes = evaluate_unmarked(self.table, memory, scan, quiet)
        if not every(quiet):
            guard.refresh(memory, scan.rows[~quiet])
        return changes

    def _judge(self, scan: Scan, memory: Memory, known: tuple[Changes, Changes] | None = None) -> list[Scan]:
        """Judge a scan; give the samples of votes that it led to, judged as well."""
        before, after = self._evaluate(scan, memory)
        if known is not None:
            before, after = join(known[0], before), join(known[1], after)
        if len(before) or len(after):
            self.fold(scan, (before, after))
        return self._poll(scan.nature, (before, after), scan)

    def _evaluate(self, scan: Scan, memory: Memory) -> tuple[Changes, Changes]:
        """Evaluate a scan, without what its guards say cannot change, and set the guards anew of what can."""
        guard = self.guard(scan.nature)
        quiet = guard.sift(memory, scan, layout_of(self.table, scan.rows).at)
        changes = evaluate(self.table, memory, scan, quiet)
        if not every(quiet):
            guard.refresh(memory, scan.rows[~quiet])
        return changes

    def _poll(
        self, nature: Nature, changes: tuple[Changes, Changes], scan: Scan | None = None, now_ns: int = 0
    ) -> list[Scan]:
        """Let the votes follow what changed; give their samples, judged."""
        if len(self.table.votes) == 0:
            return []
        memory, state = self.memory(nature), self.derived_states[nature]
        return self._judge_votes(poll(self.table, memory, state, nature, changes, scan, now_ns))

    def _count_anew(self, nature: Nature, rules: NDArray[np.int64], swap: int) -> list[Scan]:
        """Judge the votes among rules that a swap changed or brought, by how their members stand now."""
        memory, state = self.memory(nature), self.derived_states[nature]
        return self._judge_votes(count_anew(self.table, memory, state, nature, rules, self._outcome.now_ns), swap)

    def _judge_votes(self, samples: Iterator[Scan], swap: int = 0) -> list[Scan]:
        made = []
        for sample in samples:
            made.append(sample)
            memory = self.memory(sample.nature)
            before, after = self._evaluate(sample, memory)
            if len(before) == len(after) == 0:
                continue
            self._fold(before, sample.nature, sample.key, then=after, swap=swap)
            self._fold(after, sample.nature, sample.key, swap=swap)
        return made

    def fold(self, scan: Scan, known: tuple[Changes, Changes]) -> None:
        """Let the alarms follow what a scan changed."""
        before, after = known
        self._fold(before, scan.nature, scan.key, then=after)
        self._fold(after, scan.nature, scan.key)

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
        places = list(of_place)
        if len(places) > 1:
            times_ns = changes.time_ns.tolist()
            first_ns = {place: min(times_ns[at] for at in mine) for place, mine in of_place.items()}
            places.sort(key=lambda p: (first_ns[p], p))
        for place in places:
            mine = of_place[place]
            found = judge_alarm(lane, changes, mine, place, scan_key, self._outcome.now_ns)
            if found is not None:
                event, alarm = self._kept_quiet(place, *found)
                self._emit(event, alarm)
                self._end_one_shot(alarm)

    def _kept_quiet(self, place: int, event: Event, alarm: Alarm) -> tuple[Event, Alarm]:  # noqa: ARG002 - see covering
        """Let what a state of the plant covers be born quiet; here nothing does."""
        return event, alarm

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
        self._outcome.made += self._poll(nature, (expired, NOTHING), now_ns=now_ns)

    def _moments_of_votes(self, memory: Memory, now_ns: int) -> Iterator[int]:
        """Give the moments up to a clock reading at which delays end, while one of a vote or of a member runs.

        Else a vote's delay would end although a member had changed its mind before; a later look finds the same.
        """
        votes, passed_ns = self.table.votes, -1
        if len(votes) == 0:
            return
        mine = np.append(votes.rule, votes.member[votes.is_there])
        while not is_all_zero(memory.phase[mine]):
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
                    kind = "suppression_not_known" if rule.id.startswith(PREFIX) else "enable_not_known"
                    self.remark(kind, nature=nature.value, **{**told, "rule": rule.when})
                else:
                    self.remark("rule_not_judged", nature=nature.value, **{**told, "rule": rule.id})

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
        self.gaps.note(gap)
        for event in gap.judge(scan, self.site, self._outcome.now_ns):
            self._outcome.events.append(event)
            self._late_episode(event, gap.to_ns)

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

    def _key(self, nature: Nature, place: int) -> str:
        return digest(self.site, nature, *self.table.alarms[place])
