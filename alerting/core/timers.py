"""Timers: which delays run, and when to look for silence next; a clock reading costs what is due, not all rules.

Flow: evaluate -> [run, wake] -> expire -> [running, silent]
Why: of 700,000 rules a few run a delay and none is silent; looking at all of them at each reading costs more than
judging all samples.
Never: decides. All of it follows from Memory and is built anew from it; nothing is saved.

Running delays are a list to which each is added once when it starts or resumes; those that ended or paused leave it
when it is read. STALE rules stand in blocks of one source's tags. A block is looked at when its source's time reaches
the block's check time, which is never later than the moment at which the first of its tags falls silent: samples
only move that moment on, and what brings it nearer (a first sample, an alarm that ends) moves the check time too.
Check times of blocks are spread, so that a large source is not swept in one tick.
"""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alerting.core.spread import spread
from alerting.model.rule import Kind, RuleTable

if TYPE_CHECKING:
    from alerting.core.memory import Memory

BLOCK_RULES = 256
LATEST_NS = np.iinfo(np.int64).max // 2
GOLDEN = 0.6180339887498949  # Its multiples, taken mod 1, are spread evenly.


class Finder(Protocol):
    """Compiled code that looks at one memory's timers, and at what is to be written down of its rules."""

    def find_due(self, watermark: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Give the listed rules that a watermark may end or pause, in any order; None where they are too many."""

    def find_silent(self, blocks: NDArray[np.int64], watermark: NDArray[np.int64]) -> bool:
        """Set the check times of blocks of which no tag is silent yet; False, and none is set, where one is."""

    def take_dirty(self) -> NDArray[np.int32]:
        """Give the rules whose flag ``is_dirty`` is set, ascending, and take the flags down."""


class Timers:
    """What ``expire`` has to look at, for one memory.

    Attributes:
        is_listed: Rules that stand in ``listed``, bool (rules,).
        listed: Rules whose delay ran when they were added, int32 (rules,); the first ``count[0]`` count.
        listed_ns: Of each of these a time before which a watermark neither ends nor pauses it, whatever samples do
            meanwhile, int64 (rules,); 0 for not known.
        count: int64 (1,), an array because compiled code adds to it.
        block_of: Block of each tag's STALE rules, int32 (tags,); -1 for none.
        check_ns: When a block is to be looked at, in its source's time, int64 (blocks,).
        block_source: Its source, int32 (blocks,).
        rules, first: STALE rules by block, int64 (n,); those of a block are ``first[block]:first[block + 1]``, int32.
        wait: By which part of the time until its first tag falls silent a block is left alone, float64 (blocks,).
        is_built: The list was put together from Memory; before that it says nothing.
        finder: Looks at the same in machine code, where there is a compiler.
    """

    def __init__(self, table: RuleTable, source: NDArray[np.int32]) -> None:
        rules = len(table)
        self.is_listed: NDArray[np.bool_] = np.zeros(rules, dtype=np.bool_)
        self.listed: NDArray[np.int32] = np.empty(rules, dtype=np.int32)
        self.listed_ns: NDArray[np.int64] = np.empty(rules, dtype=np.int64)
        self.count: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.is_built = False
        self.finder: Finder | None = None

        stale = np.flatnonzero(table.kind == Kind.STALE)
        self.rules: NDArray[np.int64] = stale[np.argsort(source[table.row[stale]], kind="stable")]
        row = table.row[self.rules]
        of = source[row]
        places = np.arange(len(row))
        is_first = np.ones(len(row), dtype=np.bool_)
        is_first[1:] = of[1:] != of[:-1]
        within = places - np.maximum.accumulate(np.where(is_first, places, 0))
        begins = within % BLOCK_RULES == 0
        begins[1:] &= is_first[1:] | (row[1:] != row[:-1])  # Two rules of one tag stand in one block.
        self.first: NDArray[np.int32] = np.append(np.flatnonzero(begins), len(row)).astype(np.int32)
        self.block_of: NDArray[np.int32] = np.full(len(table.tags), -1, dtype=np.int32)
        self.block_of[row] = np.cumsum(begins) - 1
        self.block_source: NDArray[np.int32] = of[begins]
        self.check_ns: NDArray[np.int64] = np.zeros(len(self.block_source), dtype=np.int64)
        self.wait: NDArray[np.floating[Any]] = 0.5 + 0.5 * (np.arange(len(self.check_ns)) * GOLDEN % 1.0)

    def __eq__(self, other: object) -> bool:
        """Say yes to any other: they remember nothing that Memory does not."""
        return isinstance(other, Timers) or NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def forget(self) -> None:
        """Begin anew from Memory: something else than the core has written to it."""
        self.is_built = False
        self.check_ns[:] = 0

    # --------------------------------------------------------------- delays

    def run(self, rules: NDArray[np.int64]) -> None:
        """Take note of delays that start or resume; each rule at most once."""
        fresh = rules[~self.is_listed[rules]]
        if len(fresh) == 0:
            return
        self.is_listed[fresh] = True
        end = int(self.count[0]) + len(fresh)
        self.listed[self.count[0] : end] = fresh
        self.listed_ns[self.count[0] : end] = 0
        self.count[0] = end

    @property
    def is_any(self) -> bool:
        """Tell whether a delay may run; False is certain."""
        return not self.is_built or bool(self.count[0])

    def running(self, memory: "Memory") -> NDArray[np.int64]:
        """Give the rules whose delay runs, ascending."""
        if not self.is_built:
            self.is_built = True
            self.is_listed[:] = False
            mine = np.flatnonzero((memory.phase != 0) & (memory.since_ns != 0))
        else:
            listed = self.listed[: self.count[0]].astype(np.int64)
            if len(listed) == 0:
                return listed
            runs = (memory.phase[listed] != 0) & (memory.since_ns[listed] != 0)
            self.is_listed[listed[~runs]] = False
            mine = np.sort(listed[runs])
        self.is_listed[mine] = True
        self.listed[: len(mine)] = mine
        self.listed_ns[: len(mine)] = 0
        self.count[0] = len(mine)
        return mine

    def due(self, memory: "Memory", watermark: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rules whose delay runs, ascending; those may be missing that a watermark neither ends nor pauses.

        Args:
            watermark: Of each source, int64 (sources,).
        """
        if self.finder is None or not self.is_built or not self.count[0]:
            return self.running(memory)
        found = self.finder.find_due(watermark)
        return self.running(memory) if found is None else np.sort(found)

    # -------------------------------------------------------------- silence

    def wake(self, memory: "Memory", rows: NDArray[np.int32]) -> None:
        """Take note of tags that spoke in another way than ``settle`` knows: their silence may begin to count."""
        block = self.block_of[rows]
        mine = block >= 0
        np.minimum.at(self.check_ns, block[mine], memory.silent_at_ns(rows[mine]))

    def silent(
        self, table: RuleTable, memory: "Memory", watermark: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the STALE rules that are due to trip, ascending, and when each fell silent.

        Args:
            watermark: Of each source, int64 (sources,).
        """
        blocks = np.flatnonzero(watermark[self.block_source] >= self.check_ns)
        if len(blocks) == 0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if self.finder is not None and self.finder.find_silent(blocks, watermark):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        rules, place = self._of_blocks(blocks)
        due = self._due_ns(table, memory, rules)
        now = watermark[self.block_source[blocks]]
        late = due <= now[place]
        rest = np.full(len(blocks), LATEST_NS, dtype=np.int64)
        np.minimum.at(rest, place[~late], due[~late])
        ahead = np.minimum(rest - now, LATEST_NS // 2)
        wait = np.minimum((ahead * self.wait[blocks]).astype(np.int64), ahead)
        self.check_ns[blocks] = now + np.maximum(wait, 1)
        found, at = rules[late], due[late]
        order = np.argsort(found)
        return found[order], at[order]

    def next_look_ns(self, ahead_ns: NDArray[np.int64]) -> int:
        """Tell the receive time at which a block is to be looked at next: no tag falls silent before it.

        Args:
            ahead_ns: As in ``next_silent_ns``.
        """
        return int((self.check_ns + ahead_ns[self.block_source]).min(initial=LATEST_NS))

    def next_silent_ns(self, table: RuleTable, memory: "Memory", ahead_ns: NDArray[np.int64]) -> int:
        """Tell the receive time at which the next tag falls silent if nothing comes; ``LATEST_NS`` for never.

        Args:
            ahead_ns: By how much the receive time is ahead of each source's time, int64 (sources,).
        """
        if not memory.is_watched.any():
            return LATEST_NS
        ahead = ahead_ns[self.block_source]
        least = LATEST_NS
        blocks = np.argsort(self.check_ns + ahead, kind="stable")
        while len(blocks):  # Check times are lower bounds; look only where one may be the least.
            looked, blocks = blocks[:16], blocks[16:]
            looked = looked[self.check_ns[looked] + ahead[looked] < least]
            if len(looked) == 0:
                break
            rules, place = self._of_blocks(looked)
            due = np.full(len(looked), LATEST_NS, dtype=np.int64)
            np.minimum.at(due, place, self._due_ns(table, memory, rules))
            self.check_ns[looked] = due
            known = due < LATEST_NS
            least = min(least, int((due + ahead[looked])[known].min(initial=LATEST_NS)))
        return least

    def _of_blocks(self, blocks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the STALE rules of blocks, and the place of each one's block."""
        at, place = spread(self.first, blocks)
        return self.rules[at], place

    @staticmethod
    def _due_ns(table: RuleTable, memory: "Memory", rules: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tell when rules trip if nothing comes, int64 (n,); ``LATEST_NS`` where they are tripped or not watched.

        Time while they were disabled does not count.
        """
        row = table.row[rules]
        waits = memory.is_watched[row] & ~memory.is_active[rules]
        due = memory.silent_at_ns(row)
        if table.gates:
            waits &= ~table.gates.shut(memory.is_active, rules)
            due = np.maximum(due, memory.opened_ns[rules] + memory.stale_ns[row])
        return np.where(waits, due, LATEST_NS)
