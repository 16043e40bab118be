"""The same core over each backend, for tests that compare them."""

from dataclasses import fields

import numpy as np

from alerting.core import Changes, Memory, evaluate
from alerting.core.backend import Backend, make_taker
from alerting.core.batch import Batch
from alerting.core.compiled import Compiled
from alerting.core.delay import join
from alerting.core.guard import Guard
from alerting.core.memory import no_changes
from alerting.model.rule import RuleTable
from edge.model import Scan

EVER_NS = 10**18


class Core:
    """One memory, judged by one backend; ``backend`` None is ``evaluate`` alone."""

    def __init__(self, table: RuleTable, start_ns: int, backend: Backend | None, room: int = 0) -> None:
        self.table = table
        self.memory = Memory.fresh(table, start_ns)
        self.guard = Guard(table)
        self.taken = self.left = 0
        self._take = None
        if backend is Backend.COMPILED and room:
            self._take = Compiled(table, self.memory, self.guard, room).take
        elif backend is not None:
            self._take = make_taker(backend, table, self.memory, self.guard)

    def evaluate(self, scan: Scan) -> tuple[Changes, Changes]:
        """As ``gateway.turn`` does: what the backend takes, then the rest."""
        if self._take is None or len(scan) == 0:
            return evaluate(self.table, self.memory, scan)
        source = np.array([self.memory.source_of[scan.source]], dtype=np.int32)
        batch = Batch.of([scan], source, np.array([scan.received_ns]), np.array([EVER_NS]))
        taken = self._take(batch)
        before, after = taken.changes.get(0, (no_changes(), no_changes()))
        self.memory.mark(scan, int(taken.newest_ns[0]))
        self.taken += int(taken.is_taken.sum())
        self.left += int(taken.left[0])
        assert len(scan) == taken.is_taken.sum() + taken.left[0]
        rest = ~taken.is_taken
        if rest.any():
            part = Scan(
                source=scan.source, epoch=scan.epoch, number=scan.number, received_ns=scan.received_ns,
                rows=scan.rows[rest], values=scan.values[rest], quality=scan.quality[rest],
                times_ns=scan.times_ns[rest],
            )  # fmt: skip
            found = evaluate(self.table, self.memory, part)
            self.guard.refresh(self.memory, part.rows)
            before, after = join(before, found[0]), join(after, found[1])
        return before, after


def rows_of(changes: Changes) -> list[tuple[object, ...]]:
    """All that a report says, in an order of its own."""
    columns = (getattr(changes, each.name).tolist() for each in fields(changes))
    told = [tuple("nan" if one != one else one for one in row) for row in zip(*columns, strict=True)]  # noqa: PLR0124
    return sorted(told, key=str)


def assert_same(left: Memory, right: Memory, where: str) -> None:
    """Two memories hold the same, bit by bit."""
    for each in fields(left):
        column, other = getattr(left, each.name), getattr(right, each.name)
        if isinstance(column, np.ndarray):
            np.testing.assert_array_equal(column, other, err_msg=f"{where}: {each.name}")
    running = np.flatnonzero((left.phase != 0) & (left.since_ns != 0))
    for memory in (left, right):
        timers = memory.timers
        if timers.is_built:  # Not asked which run: that would make the list anew, and what is on it is looked at here.
            listed = timers.listed[: timers.count[0]].tolist()
            assert len(set(listed)) == len(listed), where
            assert set(listed) == set(np.flatnonzero(timers.is_listed).tolist()) >= set(running.tolist()), where
