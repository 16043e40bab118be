"""Compiled backend: hands a batch and a memory to the kernel, and its transitions back.

Flow: Batch -> [Compiled.take] -> Taken
Why: the kernel knows columns only; here stands which column is which.
Never: decides anything. With the guard alone (``Guard.take``) the same comes out, slower.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alerting.core import kernel_samples, kernel_timers
from alerting.core.batch import NONE_NS, Batch, Taken
from alerting.core.guard import RATE_MARGIN, RATE_MOST, Guard, lines
from alerting.core.memory import Changes, Memory, no_changes
from alerting.model.rule import S_TO_NS, RuleTable

NOTHING = no_changes()
ROOM = 65_536  # Transitions that one call of the kernel may report.
ODDS = 4_096  # Exceptions that wait to be judged: so few that what was read of their tags is still near the processor.
DUE = 4_096  # Delays that may be due at one clock reading before array code looks at them all.


#: What the kernel needs of a tag that has an exception, in one cache line; it follows from the table. ``run_end`` is
#: the end of the run of rows of the tag's source; ``reach`` is how far a rate can move a value in its window without
#: reaching its setpoint; ``ring``, ``block`` and ``rate_rule`` are -1 for none.
CARD = np.dtype(
    {
        "names": [
            *("stale_ns", "window_ns", "reach"),
            *("first", "end", "rate_rule", "ring", "block", "run_end"),
        ],
        "formats": [*("i8", "i8", "f8"), *["i4"] * 6],
        "itemsize": 64,
    },
    align=True,
)


@dataclass(slots=True)
class _Told:
    """The kernel's buffer of transitions."""

    sample: np.ndarray[Any, np.dtype[np.int64]]
    rule: np.ndarray[Any, np.dtype[np.int32]]
    active: np.ndarray[Any, np.dtype[np.bool_]]
    time_ns: np.ndarray[Any, np.dtype[np.int64]]
    value: np.ndarray[Any, np.dtype[np.float64]]
    quality: np.ndarray[Any, np.dtype[np.uint8]]
    after: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def empty(cls, room: int) -> "_Told":
        return cls(
            np.empty(room, np.int64),
            np.empty(room, np.int32),
            np.empty(room, np.bool_),
            np.empty(room, np.int64),
            np.empty(room, np.float64),
            np.empty(room, np.uint8),
            np.empty(room, np.bool_),
        )

    def columns(self) -> tuple[np.ndarray[Any, Any], ...]:
        return self.sample, self.rule, self.active, self.time_ns, self.value, self.quality, self.after


class Compiled:
    """The kernel over one memory; nothing of it needs to be saved."""

    def __init__(self, table: RuleTable, memory: Memory, guard: Guard, room: int = ROOM) -> None:
        widest = int(np.diff(table.first).max(initial=0))
        self._told = _Told.empty(max(room, kernel_samples.EVENTS_A_RULE * widest))
        self._at = np.zeros(7, dtype=np.int64)
        timers = memory.timers
        if not table.gates:  # A gate may begin a delay at another source's time.
            timers.finder = CompiledTimers(table, memory, min(room, DUE))
        guard.exact["source"] = memory.source
        cards = _cards(table, memory, guard)
        span = kernel_samples.SPAN
        doubts, odds = kernel_samples.DOUBTS, min(max(room, span), ODDS)
        listed = (np.zeros(odds, dtype=np.int64), np.zeros(odds, dtype=np.int64))
        self._of_taking = (
            *(memory.last_ns, memory.value, memory.value_ns),
            *(memory.ring_ns, memory.ring_value),
            cards,
            *(guard.low, guard.high, guard.exact, guard.keep_least_ns),
            *listed,
            *(np.zeros(span, dtype=np.uint8), np.zeros(doubts + 1, dtype=np.int64), np.zeros(doubts, dtype=np.uint8)),
            self._at,
        )
        self._of_judging = (
            *(memory.last_ns, memory.value, memory.value_ns, memory.quality, memory.is_watched),
            *(memory.is_active, memory.phase, memory.since_ns, memory.elapsed_ns, memory.is_dirty),
            *(memory.ring_ns, memory.ring_value),
            *(cards, table.record),
            *(guard.low, guard.high, guard.exact, guard.keep_least_ns),
            *(timers.is_listed, timers.listed, timers.listed_ns, timers.count, timers.check_ns),
            *self._told.columns(),
            *listed,
            self._at,
        )

    def take(self, batch: Batch) -> Taken:
        """Judge all samples of a batch that belong to plain tags and need no second thought."""
        scans = len(batch.source)
        taken = Taken(
            is_taken=np.zeros(len(batch), dtype=np.bool_),
            left=np.zeros(scans, dtype=np.int64),
            newest_ns=np.full(scans, NONE_NS, dtype=np.int64),
        )
        at = self._at
        at[kernel_samples.SCAN] = at[kernel_samples.SAMPLE] = 0
        parts: list[tuple[np.ndarray[Any, Any], ...]] = []
        is_done = False
        while not is_done:
            at[kernel_samples.ODDS] = at[kernel_samples.JUDGED] = 0
            is_done = kernel_samples.take_samples(
                *(batch.rows, batch.values, batch.quality, batch.times_ns, batch.first, batch.source),
                *(batch.received_ns, batch.lateness_ns),
                *(taken.is_taken, taken.left, taken.newest_ns),
                *self._of_taking,
            )
            if at[kernel_samples.ODDS]:
                self._judge(batch, parts)
        if parts:
            columns = parts[0] if len(parts) == 1 else tuple(np.concatenate(each) for each in zip(*parts, strict=True))
            _hand_over(batch, taken, _Told(*columns))
        return taken

    def _judge(self, batch: Batch, parts: list[tuple[np.ndarray[Any, Any], ...]]) -> None:
        """Judge the exceptions that are listed; add what it tells."""
        is_done = False
        while not is_done:
            self._at[kernel_samples.TOLD] = 0
            is_done = kernel_samples.judge_exceptions(
                *(batch.rows, batch.values, batch.quality, batch.times_ns, batch.received_ns), *self._of_judging
            )
            told = int(self._at[kernel_samples.TOLD])
            if told:
                parts.append(tuple(column[:told].copy() for column in self._told.columns()))


class CompiledTimers:
    """What a clock reading, and the end of a tick, ask of one memory, by compiled code (``timers.Finder``)."""

    def __init__(self, table: RuleTable, memory: Memory, room: int = DUE) -> None:
        timers = memory.timers
        self._found = np.zeros(room, dtype=np.int64)
        self._of_delays = (
            *(timers.is_listed, timers.listed, timers.listed_ns, timers.count),
            *(memory.phase, memory.since_ns, memory.elapsed_ns, memory.last_ns, memory.stale_ns, memory.source),
            *(table.row, table.record),
            self._found,
        )
        self._of_silence = (
            *(timers.first, timers.rules, table.row[timers.rules]),
            *(timers.block_source, timers.wait, timers.check_ns),
            *(memory.is_active, memory.is_watched, memory.last_ns, memory.awaited_ns, memory.stale_ns),
            np.zeros(len(timers.check_ns), dtype=np.int64),
        )
        flags = memory.is_dirty
        whole = len(flags) // kernel_timers.FLAGS * kernel_timers.FLAGS
        self._dirty = np.empty(len(flags) + 1, dtype=np.int32)  # Touched only as far as it is ever used.
        self._of_flags = (
            flags[:whole].view(np.uint64),
            flags,
            np.zeros(kernel_timers.WORDS + 1, dtype=np.uint64),
            self._dirty,
        )

    def find_due(self, watermark: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]] | None:
        """See ``timers.Finder``."""
        count = kernel_timers.find_due(watermark, *self._of_delays)
        return None if count < 0 else self._found[:count].copy()

    def find_silent(
        self, blocks: np.ndarray[Any, np.dtype[np.int64]], watermark: np.ndarray[Any, np.dtype[np.int64]]
    ) -> bool:
        """See ``timers.Finder``."""
        return bool(kernel_timers.find_silent(blocks, watermark, *self._of_silence))

    def take_dirty(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """See ``timers.Finder``."""
        return self._dirty[: kernel_timers.take_flagged(*self._of_flags)].copy()


def _cards(table: RuleTable, memory: Memory, guard: Guard) -> np.ndarray[Any, np.dtype[Any]]:
    """Put together what the kernel needs of each tag that has an exception, ``CARD`` (tags,)."""
    tags = len(table.tags)
    cards = lines(tags, CARD)
    cards["stale_ns"], cards["block"] = memory.stale_ns, memory.timers.block_of
    cards["first"], cards["end"] = table.first[:-1], table.first[1:]
    rate = guard.rate_rule
    mine = rate >= 0
    cards["rate_rule"], cards["ring"] = rate, -1
    cards["ring"][mine] = memory.rate_of[rate[mine]]
    window = table.window_ns[rate[mine]]
    reach = table.setpoint[rate[mine]] * (window / S_TO_NS) * (1.0 - RATE_MARGIN)
    cards["window_ns"][mine], cards["reach"][mine] = window, np.minimum(reach, RATE_MOST)
    is_last = np.append(memory.source[1:] != memory.source[:-1], True)[:tags]  # a column's last
    ends = np.flatnonzero(is_last) + 1
    cards["run_end"] = np.repeat(ends, np.diff(ends, prepend=0))
    return cards


def _hand_over(batch: Batch, taken: Taken, told: _Told) -> None:
    """Sort transitions by scan, and by whether they came before its samples."""
    bounds, places = [0, len(told.sample)], [0]
    if len(batch.source) > 1:
        scan = np.searchsorted(batch.first, told.sample, side="right") - 1
        bounds = np.append(np.flatnonzero(np.diff(scan, prepend=-1)), len(scan)).tolist()
        places = scan[bounds[:-1]].tolist()
    is_after = told.after.tolist()
    other = np.full(len(told.sample), np.nan)
    for place, start, end in zip(places, bounds[:-1], bounds[1:], strict=True):
        after = is_after[start:end]
        if all(after):
            taken.changes[place] = (NOTHING, _changes(told, other, slice(start, end)))
        elif not any(after):
            taken.changes[place] = (_changes(told, other, slice(start, end)), NOTHING)
        else:
            mask = told.after[start:end]
            before, later = (start + np.flatnonzero(part) for part in (~mask, mask))
            taken.changes[place] = (_changes(told, other, before), _changes(told, other, later))


def _changes(
    told: _Told, other: np.ndarray[Any, np.dtype[np.float64]], at: slice | np.ndarray[Any, np.dtype[np.int64]]
) -> Changes:
    return Changes(told.rule[at], told.active[at], told.time_ns[at], told.value[at], told.quality[at], other[at])
