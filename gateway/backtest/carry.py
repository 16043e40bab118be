"""Carry a recording down the road, stopping only where something can change.

Flow: Steps -> [guard: what is quiet?] -> turn, for the rest -> trips and events
Why: of half a billion samples a few thousand matter; the others only move the memory.
Never: judges by itself. Every trip, clear and event comes from the same turn as live; the guard only says which samples
cannot change anything, and replay gives the same events byte for byte (tested).

A sample is quiet when all rules of its tag are at rest (no delay runs or is paused, no silence is told) and it leaves
them so: it is within the band that the active and inactive limits of the tag leave free, and neither better nor worse
in quality than before. Between stops the memory is set to what the last quiet samples made of it. Clock readings are
taken where a delay or a silence falls due, as in replay.

Rules that keep or need more than that (rates, trends, deviations, anything that this module does not know) see every
sample of all their inputs: slow, and never wrong.

Letters: i step of the chunk, c column of the chunk.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerting.core import Changes, Memory, next_due_ns
from alerting.core.backend import Backend
from alerting.core.memory import NEVER_NS
from alerting.core.timers import Timers
from alerting.desk import Desk
from alerting.model.event import Event
from alerting.model.rule import LIMITS, Kind, Rule, RuleTable
from alerting.model.tiering import Tiering
from edge.model import Nature, Scan
from edge.model.quality import is_bad
from gateway.config import Site
from gateway.intake import Intake
from gateway.recording import Steps, spoilt
from gateway.turn import Item, take_turn

TAIL_NS = 3_600_000_000_000  # As in replay: after the last sample the clock goes on for an hour.
NEVER_S = 1e9
FOREVER_NS = np.iinfo(np.int64).max
BANDED = frozenset({*LIMITS, Kind.STALE, Kind.BAD, Kind.RANGE})  # Kinds of which the guard knows everything.
KNOWN_FIELDS = frozenset(
    {
        *("id", "tag", "kind", "setpoint", "tier", "deadband", "on_delay_s", "off_delay_s", "is_latching", "revision"),
        *("response", "rationale", "name"),
    }
)
LOOKS = (64, 1_024)  # How far ahead to look for the next sample that matters before looking at all.
TURNS_TOLD = 256  # So often within a chunk it is told how far it has come.
LARGEST = float(np.finfo(np.float64).max)

Seen: TypeAlias = tuple[NDArray[np.int64] | None, NDArray[np.float64], NDArray[np.bool_] | None]
Hear: TypeAlias = Callable[[Nature, Changes], None]


@dataclass(slots=True, kw_only=True)
class Carried:
    """What carrying a recording came to.

    Attributes:
        start_ns, end_ns: First and last sample; 0 before there is one.
        stops: Turns taken; the other steps were quiet.
        refused: Second samples of a tag at one time.
    """

    start_ns: int = 0
    end_ns: int = 0
    samples: int = 0
    steps: int = 0
    stops: int = 0
    refused: int = 0


class ListeningDesk(Desk):
    """A desk that also lets every change of a rule be heard, before alarms make one event of several."""

    def __init__(self, hear: Hear, *rest: Any, backend: Backend, tiering: Tiering) -> None:  # noqa: ANN401  # as Desk
        super().__init__(*rest, tiering=tiering)
        self.use(backend)
        self._hear = hear
        self.changed: list[int] = []  # rules since last asked

    def _fold(
        self, changes: Changes, nature: Nature, scan_key: str, then: Changes | None = None, swap: int = 0
    ) -> None:
        if len(changes):
            self.changed += changes.rule.tolist()
            self._hear(nature, changes)
        super()._fold(changes, nature, scan_key, then, swap)


@dataclass(slots=True, kw_only=True)
class Bands:
    """What the guard knows of the rules.

    Attributes:
        low, high: Closed band of each tag row in which no limit holds that is not active yet, float64 (tags,).
        is_stop: Tag rows of which every sample is a stop, bool (tags,).
        of: Closed band of a tag row and the state of its rules, filled as they are met.
        is_all_banded: No tag is one of ``is_stop``.
    """

    table: RuleTable
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_stop: NDArray[np.bool_]
    of: dict[tuple[int, bytes], tuple[float, float]] = field(default_factory=dict)
    is_all_banded: bool = True

    @classmethod
    def of_table(cls, table: RuleTable) -> "Bands":
        """Lay out the bands of a rule table."""
        tags = len(table.tags)
        bands = cls(table=table, low=np.empty(tags), high=np.empty(tags), is_stop=np.zeros(tags, dtype=np.bool_))
        for rule in table:
            if not _is_banded(rule):
                bands.is_all_banded = False
                bands.is_stop[[table.tags.row_of[name] for name in rule.inputs]] = True
        for row in range(tags):
            count = int(table.first[row + 1] - table.first[row])
            bands.low[row], bands.high[row] = bands.band(row, np.zeros(count, dtype=np.bool_))
        return bands

    def band(self, row: int, is_active: NDArray[np.bool_]) -> tuple[float, float]:
        """Give the closed band in which the limits of a tag stay as they are, by which of its rules are active.

        Active H lets go at v < setpoint - deadband, inactive H holds at v >= setpoint; L mirrored (design §3). The
        strict side becomes a closed one by the next float64.
        """
        key = (row, is_active.tobytes())
        known = self.of.get(key)
        if known is not None:
            return known
        low, high = -LARGEST, LARGEST  # ±Inf is BAD and never within.
        first = int(self.table.first[row])
        for place, active in enumerate(is_active.tolist()):
            sign = float(self.table.sign[first + place])
            setpoint, deadband = float(self.table.setpoint[first + place]), float(self.table.deadband[first + place])
            if sign > 0 and active:
                low = max(low, setpoint - deadband)
            elif sign > 0:
                high = min(high, float(np.nextafter(setpoint, -np.inf)))
            elif sign < 0 and active:
                high = min(high, setpoint + deadband)
            elif sign < 0:
                low = max(low, float(np.nextafter(setpoint, np.inf)))
        self.of[key] = low, high
        return low, high


def _is_banded(rule: Rule) -> bool:
    """Tell whether this module knows all that a rule's kind and properties may do."""
    if rule.kind not in BANDED:
        return False
    for each in fields(Rule):
        if each.name in KNOWN_FIELDS:
            continue
        default = each.default if each.default_factory is MISSING else each.default_factory()
        if getattr(rule, each.name) != default:
            return False
    return True


def _quiet(_share: float) -> None:
    """Show no progress."""


class Carrier:
    """A site on its way through a recording."""

    def __init__(
        self,
        site: Site,
        tell: Callable[[Sequence[Event]], None],
        hear: Hear,
        backend: Backend = Backend.NUMPY,
    ) -> None:
        self.site = site
        self.backend = backend
        self.table = site.rules
        self.done = Carried()
        self.bands = Bands.of_table(site.rules)
        #: Rows of derived tags and votes: computed here too, whatever the file says of them.
        made = [*(each.tag for each in site.derived), *site.rules.votes.names]
        self.derived_rows = np.array([site.tags.row_of[name] for name in made], dtype=np.int32)
        for each in site.derived:
            self.bands.is_all_banded = False
            self.bands.is_stop[[site.tags.row_of[name] for name in each.asked]] = True
        #: Rows whose memory never lags behind and whose silence does not follow from samples alone.
        gated = site.rules.row[site.rules.gates.is_gated]
        self.exact_rows = np.union1d(self.derived_rows, gated).astype(np.int32)
        # Back-fill cannot come, because times rise; so no pause needs a copy of the memory for it.
        self.intake = Intake(tuple(replace(each, silent_after_s=NEVER_S) for each in site.sources), site.tags)
        self._tell, self._hear = tell, hear
        place_of: dict[str, int] = {}
        self.source_of_row = np.array(
            [place_of.setdefault(tag.source, len(place_of)) for tag in site.tags], dtype=np.int64
        )
        self.sources = tuple(place_of)
        self.nature_of_row = [tag.nature for tag in site.tags]
        self.numbers = np.zeros(len(place_of), dtype=np.int64)  # scans of each source so far
        self.desk: ListeningDesk | None = None

    def take(self, steps: Steps, progress: Callable[[float], None] = _quiet) -> None:
        """Carry one chunk; times rise from chunk to chunk.

        Args:
            progress: Told now and then how much of the chunk is carried, 0 to 1: with rules that need every sample
                one can last minutes.
        """
        steps = _without(steps, self.derived_rows)
        if len(steps) == 0:
            return
        desk = self.desk
        if desk is None:
            self.done.start_ns = int(steps.times_ns[0])
            desk = self.desk = ListeningDesk(
                self._hear,
                self.site.id,
                self.table,
                self.site.units,
                (),
                self.done.start_ns,
                self.site.derived,
                backend=self.backend,
                tiering=self.site.tiering,
            )
            for memory in desk.memories.values():
                memory.is_watched[:] = False  # A tag that the file does not have is not silent.
        _Chunk(self, desk, steps).carry(progress)
        self.done.end_ns = int(steps.times_ns[-1])
        self.done.steps += len(steps)
        self.done.samples += steps.count
        self.done.refused += steps.refused

    def end(self) -> Carried:
        """Let the clock go on after the last sample, as replay does."""
        if self.desk is not None:
            last_ns, end_ns = self.done.end_ns, self.done.end_ns + TAIL_NS
            while (due_ns := max(_due_ns(self.desk, self.desk.memories.values(), end_ns), last_ns + 1)) < end_ns:
                self.turn([], due_ns)
                last_ns = due_ns
        return self.done

    def turn(self, items: Sequence[Item], now_ns: int) -> None:
        """Take one turn, as live and replay do."""
        assert self.desk is not None
        for item in items:
            if isinstance(item, Scan):  # Memory went on without the guard: what matters is looked at whole.
                self.desk.guard(item.nature).close(item.rows)
        outcome = take_turn(self.desk, self.intake, items, [], now_ns).outcome
        self.done.stops += 1
        if outcome.events:
            self._tell(outcome.events)


def _without(steps: Steps, rows: NDArray[np.int32]) -> Steps:
    """Leave out the columns of some tags."""
    keep = ~np.isin(steps.rows, rows)
    if keep.all():
        return steps
    return replace(
        steps,
        rows=steps.rows[keep],
        values=np.ascontiguousarray(steps.values[:, keep]),
        present=None if steps.present is None else steps.present[:, keep],
        quality=None if steps.quality is None else steps.quality[:, keep],
    )


def _due_ns(desk: Desk, memories: Any, otherwise_ns: int) -> int:  # noqa: ANN401  # any collection of memories
    dues = [next_due_ns(desk.table, memory) for memory in memories]
    return min((due for due in (*dues, *desk.dues_ns()) if due is not None), default=otherwise_ns)


class _Chunk:
    """One chunk on its way: which of its samples matter, and how far the memory has come."""

    def __init__(self, carrier: Carrier, desk: ListeningDesk, steps: Steps) -> None:
        self.carrier, self.desk, self.steps = carrier, desk, steps
        self.n, self.k = len(steps.times_ns), len(steps.rows)
        self.times_ns = steps.times_ns
        self.bad = None if steps.quality is None else is_bad(steps.quality)
        natures = [carrier.nature_of_row[row] for row in steps.rows.tolist()]
        self.lanes: list[tuple[Memory, NDArray[np.int64]]] = [
            (memory, np.array([c for c in range(self.k) if natures[c] is nature], dtype=np.int64))
            for nature, memory in desk.memories.items()
        ]
        self.nature_of = natures
        self.memory_of = [desk.memory(nature) for nature in natures]
        self.column_of = {row: c for c, row in enumerate(steps.rows.tolist())}
        sources = carrier.source_of_row[steps.rows]
        self.columns_of_source = {int(s): np.flatnonzero(sources == s) for s in np.unique(sources)}
        self.is_always = carrier.bands.is_stop[steps.rows]
        some = slice(None) if steps.present is None else steps.present[:, self.is_always].any(axis=1)
        self.always_at = np.arange(self.n)[some] if self.is_always.any() else np.empty(0, np.int64)
        self.synced = -1
        self.next = np.full(self.k, self.n, dtype=np.int64)
        self.seen: dict[int, Seen] = {}
        self._has_lasts = False
        self._last: NDArray[np.int32] | None = None
        self._last_good: NDArray[np.int32] | None = None
        self._scans: dict[int, NDArray[np.int64]] = {}
        #: Only delays: silence is found from the times of the samples, because the memory lags behind them.
        self.unwatched = [
            replace(
                memory,
                is_watched=np.zeros_like(memory.is_watched),
                timers=Timers(carrier.table, memory.source),
            )
            for memory, _ in self.lanes
        ]

    # ------------------------------------------------------------------------------------------------------- the walk

    def carry(self, progress: Callable[[float], None]) -> None:
        silences = self._silences()
        turns = 0
        silent = always = first = 0
        self._find_stops()
        end_ns = int(self.times_ns[-1])
        now_ns = self.carrier.done.end_ns
        while True:
            while always < len(self.always_at) and self.always_at[always] < first:
                always += 1
            stop = int(self.next.min())
            if always < len(self.always_at):
                stop = min(stop, int(self.always_at[always]))
            stop_ns = int(self.times_ns[stop]) if stop < self.n else end_ns + 1
            due_ns = max(self._delay_due_ns(), now_ns + 1)
            if silent < len(silences):
                due_ns = min(due_ns, int(silences[silent]))
            self.desk.changed.clear()
            if due_ns < stop_ns:
                now_ns = due_ns
                self._sync(int(np.searchsorted(self.times_ns, due_ns, side="right")) - 1)
                self.carrier.turn([], due_ns)
                touched = set()
            elif stop < self.n:
                now_ns = stop_ns
                mine = (self.next == stop) | self._always_here(stop)
                is_due = due_ns == stop_ns
                self._sync_for(stop, mine, is_due=is_due)
                self.carrier.turn(self._scans_at(stop, mine), now_ns)
                touched = set(np.flatnonzero(mine & ~self.is_always).tolist())
            else:
                break
            while silent < len(silences) and silences[silent] <= now_ns:
                silent += 1
            rows = {int(self.carrier.table.row[rule]) for rule in self.desk.changed}
            touched |= {c for row in rows if (c := self.column_of.get(row, -1)) >= 0 and not self.is_always[c]}
            first = stop + 1 if now_ns == stop_ns else int(np.searchsorted(self.times_ns, now_ns, side="right"))
            for c in touched:
                self.next[c] = self._next(c, first)
            turns += 1
            if turns % TURNS_TOLD == 0:
                progress(first / self.n)
        self._sync(self.n - 1)
        for source, scans in self._scans.items():
            self.carrier.numbers[source] += int(scans[-1])

    def _delay_due_ns(self) -> int:
        """Give the time at which the next delay ends, if no sample comes before."""
        if self.carrier.bands.is_all_banded and not any(memory.phase.any() for memory in self.unwatched):
            # The usual case, and asking about delays costs a tenth of a stop.
            return min((due for due in self.desk.dues_ns() if due is not None), default=FOREVER_NS)
        exact = self.carrier.exact_rows
        for (memory, _), unwatched in zip(self.lanes, self.unwatched, strict=True):
            unwatched.is_watched[exact] = memory.is_watched[exact]
            unwatched.timers.forget()  # The turns went through the other one's.
        return _due_ns(self.desk, self.unwatched, FOREVER_NS)

    # ------------------------------------------------------------------------------------------------------ the guard

    def _find_stops(self) -> None:
        """Find the first step at which each column matters."""
        rows, bands = self.steps.rows, self.carrier.bands
        quiet = (self.steps.values <= bands.high[rows]) & (self.steps.values >= bands.low[rows])  # False for NaN
        if self.bad is not None:
            quiet &= ~self.bad
        if self.steps.present is not None:
            quiet |= ~self.steps.present
        matters = np.logical_not(np.logical_and.reduce(quiet, axis=0))
        for memory, columns in self.lanes:
            moved = np.unique(self.carrier.table.row[np.flatnonzero((memory.phase != 0) | memory.is_active)])
            matters[columns] |= np.isin(rows[columns], moved)
        for c in np.flatnonzero(matters & ~self.is_always).tolist():
            self.next[c] = self._next(c, 0)

    def _always_here(self, step: int) -> NDArray[np.bool_]:
        """Tell which columns have a sample here that is a stop whatever it says, bool (k,)."""
        return self.is_always if self.steps.present is None else self.is_always & self.steps.present[step]

    def _next(self, c: int, after: int) -> int:
        """Give the first step from ``after`` on at which a column's sample matters."""
        at, values, bad = self._seen(c)
        first = after if at is None else int(np.searchsorted(at, after))
        if first >= len(values):
            return self.n
        row = int(self.steps.rows[c])
        memory, table = self.memory_of[c], self.carrier.table
        rules = slice(int(table.first[row]), int(table.first[row + 1]))
        is_active, kind = memory.is_active[rules], table.kind[rules]
        # Where RANGE and BAD share what is BAD, its reason matters too.
        shared = (kind == Kind.BAD) & table.has_range[rules]
        if memory.phase[rules].any() or (is_active & ((kind == Kind.STALE) | (kind == Kind.RANGE) | shared)).any():
            place = first
        else:
            is_out = bool((is_active & (kind == Kind.BAD)).any())
            place = self._leaves(values, bad, first, self.carrier.bands.band(row, is_active), is_bad_told=is_out)
        if place >= len(values):
            return self.n
        return place if at is None else int(at[place])

    def _leaves(
        self,
        values: NDArray[np.float64],
        bad: NDArray[np.bool_] | None,
        first: int,
        band: tuple[float, float],
        *,
        is_bad_told: bool,
    ) -> int:
        """Give the first place from ``first`` on where the values leave the band, or their quality its state."""
        low, high = band
        for end in (*(first + look for look in LOOKS), len(values)):
            part = values[first:end]
            if is_bad_told:  # BAD goes on being BAD; the first other sample matters.
                leaves = np.isfinite(part)
                if bad is not None:
                    leaves &= ~bad[first:end]
            else:
                leaves = ~((part >= low) & (part <= high))
                if bad is not None:
                    leaves |= bad[first:end]
            if leaves.any():
                return first + int(np.argmax(leaves))
            first = min(end, len(values))
        return len(values)

    def _seen(self, c: int) -> Seen:
        """Give a column's steps with a sample (None for all), its values there, and where they are BAD by quality."""
        known = self.seen.get(c)
        if known is None:
            values = np.ascontiguousarray(self.steps.values[:, c])
            bad = None if self.bad is None else self.bad[:, c]
            at = None
            if self.steps.present is not None and not self.steps.present[:, c].all():
                at = np.flatnonzero(self.steps.present[:, c])
                values, bad = values[at], None if bad is None else bad[at]
            known = self.seen[c] = at, values, bad
        return known

    def _silences(self) -> NDArray[np.int64]:
        """Find the times within the chunk at which a tag falls silent, ascending."""
        dues = [np.empty(0, np.int64)]
        end_ns = int(self.times_ns[-1])
        for memory, mine in self.lanes:
            told = memory.stale_ns < NEVER_NS
            columns = mine[told[self.steps.rows[mine]]]
            rows = self.steps.rows[columns]
            within, first_ns = self._pauses(columns, memory.stale_ns[rows])
            silent_ns = memory.silent_at_ns(rows)
            dues += [within, silent_ns[memory.is_watched[rows] & (silent_ns < first_ns)]]
            watched = memory.is_watched & told
            watched[self.steps.rows] = False  # What the chunk has nothing of may fall silent too.
            watched[self.carrier.derived_rows] = False
            dues.append(memory.silent_at_ns(np.flatnonzero(watched).astype(np.int32)))
        found = np.unique(np.concatenate(dues))
        due: NDArray[np.int64] = found[(found > self.carrier.done.end_ns) & (found <= end_ns)]
        return due

    def _pauses(
        self, columns: NDArray[np.int64], stale_ns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find when pauses between samples, and after the last one, become silences; and each column's first sample.

        Returns:
            Event times in any order, int64 (m,), and first times, int64 (columns,), beyond the chunk for none.
        """
        beyond_ns = int(self.times_ns[-1]) + 1
        if self.steps.present is None:
            pause_ns = np.diff(self.times_ns)
            within = [self.times_ns[:-1][pause_ns > least] + least for least in np.unique(stale_ns).tolist()]
            return np.concatenate([np.empty(0, np.int64), *within]), np.full(len(columns), self.times_ns[0])
        c, i = np.nonzero(self.steps.present[:, columns].T)
        at_ns = self.times_ns[i]
        next_ns = np.append(at_ns[1:], beyond_ns)
        next_ns[np.flatnonzero(np.diff(c, append=-1))] = beyond_ns
        due_ns = at_ns + stale_ns[c]
        first_ns = np.full(len(columns), beyond_ns)
        first_ns[c[::-1]] = at_ns[::-1]
        return due_ns[due_ns < next_ns], first_ns

    # ----------------------------------------------------------------------------------------------------- the memory

    def _sync(self, step: int) -> None:
        """Set the memory to what the quiet samples up to a step made of it."""
        if step <= self.synced:
            return
        self.synced = step
        for memory, columns in self.lanes:
            self._sync_times(memory, columns, step)
            self._sync_values(memory, columns, step)
        for source in self.columns_of_source:
            self._sync_source(source, step)

    def _sync_for(self, step: int, mine: NDArray[np.bool_], *, is_due: bool) -> None:
        """Set as much of the memory as a turn looks at that takes these columns' samples of a step.

        All other samples of the step have come too, or the turn's clock reading would take their tags for silent.
        Their values and sources are looked at only where something falls due at this very time.
        """
        for memory, columns in self.lanes:
            others, mine_here = columns[~mine[columns]], columns[mine[columns]]
            self._sync_times(memory, others, step)
            self._sync_times(memory, mine_here, step - 1)
            self._sync_values(memory, mine_here, step - 1)
            if is_due:
                self._sync_values(memory, others, step)
        for source, columns in self.columns_of_source.items():
            if mine[columns].any():
                self._sync_source(source, step - 1)
            elif is_due:
                self._sync_source(source, step)

    def _sync_times(self, memory: Memory, columns: NDArray[np.int64], step: int) -> None:
        rows, last = self.steps.rows[columns], self._lasts()[0]
        if step < 0 or len(rows) == 0:
            return
        if last is None:
            memory.last_ns[rows] = self.times_ns[step]
        else:
            at = last[step, columns]
            rows = rows[at >= 0]
            memory.last_ns[rows] = self.times_ns[at[at >= 0]]
        first = rows[~memory.is_watched[rows]]  # Of the others silence only moves on, which timers need not know.
        if len(first):
            memory.is_watched[first] = True
            memory.timers.wake(memory, first)

    def _sync_values(self, memory: Memory, columns: NDArray[np.int64], step: int) -> None:
        if step < 0 or len(columns) == 0:
            return
        last, good = self._lasts()
        rows = self.steps.rows[columns]
        at = np.full(len(columns), step) if last is None else last[step, columns]
        has = at >= 0
        memory.quality[rows[has]] = self._quality(at[has], columns[has])
        at = at if good is None else good[step, columns]
        has = at >= 0
        memory.value[rows[has]] = self.steps.values[at[has], columns[has]]
        memory.value_ns[rows[has]] = self.times_ns[at[has]]

    def _quality(self, at: NDArray[Any], columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        given = self.steps.quality
        quality = np.zeros(len(at), dtype=np.uint8) if given is None else given[at, columns]
        return spoilt(quality, np.isfinite(self.steps.values[at, columns]))

    def _sync_source(self, source: int, step: int) -> None:
        if step < 0:
            return
        scans = self._scan_numbers(source)
        count = int(scans[step])
        if count == 0:
            return
        at = int(np.searchsorted(scans, count))  # The last step in which the source gave something.
        name = self.carrier.sources[source]
        memory = self.memory_of[self.columns_of_source[source][0]]
        index, number = memory.source_of[name], int(self.carrier.numbers[source]) + count
        memory.mark_ns[index] = memory.mark_received_ns[index] = self.times_ns[at]
        memory.mark_epoch[index], memory.mark_number[index] = 1, number
        state = self.carrier.intake.state[name]
        state.epoch, state.number, state.received_ns = 1, number, int(self.times_ns[at])

    def _lasts(self) -> tuple[NDArray[np.int32] | None, NDArray[np.int32] | None]:
        """Give for each step the last one with a sample, and with one not BAD; -1 for none, None for itself."""
        if not self._has_lasts:
            self._has_lasts = True
            if self.steps.present is not None:
                self._last = _last_true(self.steps.present)
            good = np.isfinite(self.steps.values)
            if self.bad is not None:
                good &= ~self.bad
            if not good.all():
                self._last_good = _last_true(good)
        return self._last, self._last_good

    def _scan_numbers(self, source: int) -> NDArray[np.int64]:
        """Count the scans of a source up to each step, int64 (n,)."""
        known = self._scans.get(source)
        if known is None:
            columns = self.columns_of_source[source]
            if self.steps.present is None:
                known = np.arange(1, self.n + 1, dtype=np.int64)
            else:
                known = np.cumsum(self.steps.present[:, columns].any(axis=1)).astype(np.int64)
            self._scans[source] = known
        return known

    def _scans_at(self, step: int, matters: NDArray[np.bool_]) -> list[Item]:
        """Make the scans of those samples of a step that matter; numbered as if all samples were in them."""
        now_ns = int(self.times_ns[step])
        items: list[Item] = []
        for source, columns in self.columns_of_source.items():
            mine = columns[matters[columns]]
            if len(mine) == 0:
                continue
            number = int(self.carrier.numbers[source]) + int(self._scan_numbers(source)[step])
            items.append(
                Scan(
                    source=self.carrier.sources[source],
                    epoch=1,
                    number=number,
                    received_ns=now_ns,
                    rows=self.steps.rows[mine],
                    values=self.steps.values[step, mine],
                    quality=self._quality(np.full(len(mine), step), mine),
                    times_ns=np.full(len(mine), now_ns, dtype=np.int64),
                    nature=self.nature_of[mine[0]],
                )
            )
        return items


def _last_true(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give for each row of a mask (n, k) the last row up to it that is true, -1 for none, int32 (n, k)."""
    step = np.where(mask, np.arange(len(mask), dtype=np.int32)[:, None], np.int32(-1))
    return np.maximum.accumulate(step, axis=0)
