"""The core alone: one memory, one dense or sparse scan a tick, no intake, no alarms; a kernel's figure.

Why: it stands beside the road's and tells how much of that is judging; it is never to be quoted alone.
"""

import gc
import tracemalloc
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.core import Memory, evaluate, expire
from alerting.core.backend import Backend, make_taker
from alerting.core.batch import Batch
from alerting.core.guard import Guard, plain_rules
from alerting.model.rule import RuleTable
from alerting.model.vote import VoteTable
from edge.model import Scan, TagTable
from gateway.bench.core.plant import QUIET, STANDING, START_NS, USUAL, S, Trouble, make_plant, values_of
from gateway.bench.core.timed import figures, frozen, timed
from gateway.intake import take

TILE = 1000
STANDING_AFTER = 8  # Ticks of a second; the longest on-delay is five.
LATENESS_NS = 60 * S


def tiled(tags: int) -> RuleTable:
    """Make the rule table of many tags of one source out of copies of the columns of a few.

    Objects of Python for ten million rules would need more memory than the machine has; the core looks at columns.
    """
    few, _ = make_plant(min(TILE, tags), tags)
    times = -(-tags // TILE)
    if times == 1:
        return few
    made = object.__new__(TagTable)
    made.tags = few.tags.tags * times
    made.names = few.tags.names * times
    made.row_of = few.tags.row_of
    table = object.__new__(RuleTable)
    rules = len(few)
    step = {"row": len(few.tags), "alarm": len(few.alarms)}
    for name, column in vars(few).items():
        whole = column
        if isinstance(column, np.ndarray) and len(column) == rules:
            whole = np.tile(column, times)
            if name in step:
                whole += np.repeat(np.arange(times, dtype=column.dtype) * step[name], rules)
        setattr(table, name, whole)
    table.tags, table.rules, table.alarms = made, few.rules * times, tuple(few.alarms) * times
    table.first = np.append(_shifted(few.first, times, rules), rules * times).astype(np.int32)
    table.alarm_first = np.append(_shifted(few.alarm_first, times, rules), rules * times).astype(np.int32)
    table.input_first = np.zeros(len(made) + 1, dtype=np.int32)
    table.votes = VoteTable(table.rules, [], (), {}, made, np.zeros(len(table), dtype=np.bool_))
    table.made = {"plain": np.tile(plain_rules(few), times)}
    return table


def _shifted(first: NDArray[np.int32], times: int, step: int) -> NDArray[np.int32]:
    starts: NDArray[np.int32] = (first[:-1] + np.arange(times)[:, None] * step).astype(np.int32).ravel()
    return starts


class CoreRun:
    """One memory of one source, driven scan by scan with one backend."""

    def __init__(self, table: RuleTable, backend: Backend) -> None:
        self.table = table
        self.tags = len(table.tags)
        self.memory = Memory.fresh(table, START_NS)
        self.guard = Guard(table)
        self._take = make_taker(backend, table, self.memory, self.guard)
        self.number = 0
        self.rows: NDArray[np.int32] = np.arange(self.tags, dtype=np.int32)
        self.changes = 0

    def scan(self, values: NDArray[np.float64], rows: NDArray[np.int32] | None = None) -> Scan:
        """Make the next scan, a second after the last."""
        self.number += 1
        rows = self.rows if rows is None else rows
        now_ns = START_NS + self.number * S
        return Scan(
            source="s0",
            epoch=1,
            number=self.number,
            received_ns=now_ns,
            rows=rows,
            values=values,
            quality=np.zeros(len(rows), dtype=np.uint8),
            times_ns=np.full(len(rows), now_ns, dtype=np.int64),
        )

    def judge(self, scan: Scan) -> None:
        """Judge a scan and read the clock, as a desk does."""
        source, received = np.zeros(1, np.int32), np.array([scan.received_ns])
        taken = self._take(Batch.of([scan], source, received, np.array([LATENESS_NS])))
        self.memory.mark(scan, int(taken.newest_ns[0]))
        self.changes += sum(len(part) for parts in taken.changes.values() for part in parts)
        if taken.left[0]:
            rest = take(scan, ~taken.is_taken)
            self.changes += sum(map(len, evaluate(self.table, self.memory, rest)))
            self.guard.refresh(self.memory, rest.rows)
        ended = expire(self.table, self.memory, scan.received_ns)
        self.guard.close(self.table.row[ended.rule])
        self.changes += len(ended)
        self.memory.take_dirty()


def measure_dense(table: RuleTable, backend: Backend, case: str, trouble: Trouble, ticks: int) -> dict[str, Any]:
    """Measure dense scans.

    Rates keep a sample every tenth tick, all tags in the same one: the median does not show it, the mean does.
    """
    run, dice = CoreRun(table, backend), np.random.default_rng(1)
    columns = [values_of(dice, run.tags, trouble) for _ in range(4)]
    for tick in range(2):
        run.judge(run.scan(columns[tick]))
    run.changes = 0
    with frozen():
        steps = [timed(partial(run.judge, run.scan(columns[tick % 4]))) for tick in range(ticks)]
    assert round(trouble.trips * run.tags) == 0 or run.changes > 0, "nothing rang"
    return {
        "case": case,
        "tags": run.tags,
        "backend": backend.value,
        **figures(steps, run.tags, "tag"),
        "transitions": run.changes,
    }


def measure_standing(table: RuleTable, backend: Backend, ticks: int) -> dict[str, Any]:
    """Measure dense scans while one tag in ten stands in alarm and nothing changes."""
    run, dice = CoreRun(table, backend), np.random.default_rng(1)
    values = values_of(dice, run.tags, STANDING)
    for _ in range(STANDING_AFTER):
        run.judge(run.scan(values))
    rung, run.changes = run.changes, 0
    with frozen():
        steps = [timed(partial(run.judge, run.scan(values))) for _ in range(ticks)]
    assert round(STANDING.trips * run.tags) == 0 or rung > 0, "nothing rang"
    return {
        "case": "core alone, 10 % stand in alarm",
        "tags": run.tags,
        "backend": backend.value,
        **figures(steps, run.tags, "tag"),
        "transitions": run.changes,
    }


def measure_sparse(table: RuleTable, backend: Backend, share: float, ticks: int) -> dict[str, Any]:
    """Measure scans of some tags, picked anew each tick, in no order."""
    run, dice = CoreRun(table, backend), np.random.default_rng(1)
    run.judge(run.scan(values_of(dice, run.tags, QUIET)))
    n = max(1, round(share * run.tags))
    steps = []
    with frozen():
        for _ in range(ticks):
            rows = dice.choice(run.tags, n, replace=False).astype(np.int32)
            steps.append(timed(partial(run.judge, run.scan(values_of(dice, n, QUIET), rows))))
    return {
        "case": f"core alone, sparse {share:.0%}",
        "tags": run.tags,
        "backend": backend.value,
        **figures(steps, n, "sample"),
    }


def measure_allocation(table: RuleTable, backend: Backend, rows_per_scan: int, scans: int) -> dict[str, Any]:
    """Measure what is still allocated after many scans, over what was after the first ones."""
    run, dice = CoreRun(table, backend), np.random.default_rng(1)
    n = min(rows_per_scan, run.tags)
    values = [values_of(dice, n, USUAL) for _ in range(8)]
    rows = [np.sort(dice.choice(run.tags, n, replace=False)).astype(np.int32) for _ in range(8)]

    # The bench's own numbers are not to be among what it counts: the figures have their room before, and its counters
    # are beyond those whole numbers that the interpreter keeps for good.
    run.number = run.changes = 1000
    traced = np.zeros(2, dtype=np.int64)

    def judge(count: int, place: int) -> None:
        for at in range(count):
            run.judge(run.scan(values[at % 8], rows[at % 8]))
        del at
        gc.collect()
        traced[place] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        judge(min(scans, 64), 0)
        judge(min(scans, 64), 0)
        judge(scans, 1)
    finally:
        tracemalloc.stop()
    net = int(traced[1] - traced[0])
    return {"case": "allocation", "tags": run.tags, "backend": backend.value, "net_bytes": net, "scans": scans}
