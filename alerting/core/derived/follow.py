"""Follow a judged scan: compute what hangs on it, level by level.

Flow: judged scan -> [touched] -> method of each kind -> derived scans, each judged before the next level
Why: a derived tag is a tag like any other, so its sample meets the same limits, delays, trends and silence.
Never: computes from an input that is BAD, stale, retained or was never seen as if it were good; looks at late samples.

Time: a derived sample has the newest time of its inputs, as rules over several tags have. Two sources with one stamp
give two samples, the second 1 ns after the first, because a tag's samples come in order. What happens at a time of day
happens then, whether a sample comes or not (``by_clock``).
Staleness of an input is told by its own source's watermark.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import Column, Given, Indexes, State
from alerting.core.derived.occupancy import NEVER_NS
from alerting.core.derived.state import DerivedState
from alerting.core.derived.table import Cut, DerivedTable, Group, Role
from alerting.core.memory import Memory
from edge.decode.judge import judge
from edge.few import every, greatest, greatest_across, places_of, some
from edge.model import Nature, Quality, Scan
from edge.model.quality import CLASS_MASK

#: Rows, values, quality bytes and times of samples, (n,) each.
EVERY = slice(None)
Columns: TypeAlias = tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]


def follow(
    table: DerivedTable, state: DerivedState, memory: Memory, scan: Scan, done: Sequence[Scan] = (), first: int = 0
) -> Iterator[Scan]:
    """Give the scans that a judged scan leads to; the caller judges each before asking for the next.

    Args:
        done: Those of the levels below ``first``, where they are computed and judged already.
    """
    if not some(table.is_input[scan.rows]):
        return
    due: NDArray[np.bool_] = np.zeros(len(table), dtype=np.bool_)
    for each in (scan, *done):
        due[table.computed_from(each.rows)] = True
    for level in range(first, table.levels):
        now = places_of(due & (table.level == level))
        for part in _compute(table, state, memory, now, scan):
            yield part
            due[table.computed_from(part.rows)] = True


def by_clock(table: DerivedTable, state: DerivedState, memory: Memory, nature: Nature, now_ns: int) -> Iterator[Scan]:
    """Give the scans of derived tags whose time of day has come while no input came, and of what hangs on them.

    The caller judges each before asking for the next. A sample has the time of day itself, by the tag's own source.
    """
    if not table.timed:
        return
    watermark = memory.watermarks(now_ns)
    for g in table.timed:
        group = table.groups[g]
        due_ns = state.of_group[g]["next_reset_ns"]
        at = np.flatnonzero((due_ns > 0) & (due_ns <= watermark[memory.source[group.row]]))
        if len(at) == 0:
            continue
        times_ns = np.maximum(due_ns[at], memory.last_ns[group.row[at]] + 1)
        column = compute_cut(Cut.of(group, g, at), state.of_group[g], memory, now_ns, times_ns)
        for part in _scans(table, state, memory, [column], now_ns, nature):
            yield part
            yield from follow(table, state, memory, part)


def next_by_clock_ns(table: DerivedTable, state: DerivedState, memory: Memory) -> int | None:
    """Tell the clock reading at which ``by_clock`` has something to give next, ns; None for never."""
    found = [
        memory.mark_received_ns[source] + np.maximum(due_ns - memory.mark_ns[source], 0)
        for due_ns, source in (_due(table.groups[g], state.of_group[g], memory) for g in table.timed)
    ]
    return int(min(each.min() for each in found if len(each))) if any(map(len, found)) else None


def _due(group: Group, state: State, memory: Memory) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Give the times of day that instances wait for, and the sources whose time they are in."""
    due_ns: NDArray[np.int64] = state["next_reset_ns"]
    waits = (due_ns > 0) & (due_ns < NEVER_NS)
    return due_ns[waits], memory.source[group.row[waits]]


def _compute(table: DerivedTable, state: DerivedState, memory: Memory, mine: Indexes, scan: Scan) -> Iterator[Scan]:
    """Compute some derived tags of one level; one scan for each source, because sources have clocks of their own."""
    if len(mine) == 0:
        return
    columns: list[Columns] = []
    for whole in table.plan(mine).cuts:
        cut = whole.where(_is_known(whole, memory))
        if len(cut.at):
            columns.append(compute_cut(cut, state.of_group[cut.number], memory, scan.received_ns))
    if columns:
        yield from _scans(table, state, memory, columns, scan.received_ns, scan.nature)


def _scans(
    table: DerivedTable,
    state: DerivedState,
    memory: Memory,
    columns: Sequence[Columns],
    received_ns: int,
    nature: Nature,
) -> Iterator[Scan]:
    """Make scans of what was computed, one for each source."""
    if len(columns) == 1:
        rows, values, quality, times_ns = columns[0]
    else:
        rows, values, quality, times_ns = (np.concatenate(column) for column in zip(*columns, strict=True))
    judge(values, quality, table.tags.range_lo[rows], table.tags.range_hi[rows])
    sources = memory.source[rows]
    for source in sorted(set(sources.tolist())):
        mine = sources == source
        part = EVERY if every(mine) else mine
        state.number += 1
        yield Scan(
            source=table.tags[int(rows[part][0])].source,
            epoch=state.epoch,
            number=state.number,
            received_ns=max(received_ns, greatest(times_ns[part])),
            rows=rows[part],
            values=values[part],
            quality=quality[part],
            times_ns=times_ns[part],
            nature=nature,
        )


def _is_known(cut: Cut, memory: Memory) -> NDArray[np.bool_]:
    """Leave out those with an input that nobody expects: a foreign recording need not have all tags."""
    rows = cut.newest_of
    return np.asarray((memory.is_watched[rows] | (memory.last_ns[rows] != 0)).all(axis=1), dtype=np.bool_)


def compute_cut(
    cut: Cut,
    state: State,
    memory: Memory,
    received_ns: int,
    times_ns: NDArray[np.int64] | None = None,
) -> Columns:
    """Compute some instances of one kind, at given times or at their newest input's: rows, values, qualities, times."""
    now_ns = times_ns
    if now_ns is None:
        now_ns = np.maximum(greatest_across(memory.last_ns[cut.newest_of]), memory.last_ns[cut.row] + 1)
    watermark = memory.watermarks(received_ns)
    roles = {name: _column(role, memory, watermark) for name, role in cut.roles.items()}
    with np.errstate(all="ignore"):  # What comes of absurd numbers is found by ``judge``: BAD(not_a_number).
        made = cut.group.method.compute(cut.at, Given(now_ns, roles), state)
        values = (made.value - cut.offset) / cut.factor
    return cut.row, values, made.quality.copy(), now_ns


def _column(role: Role, memory: Memory, watermark: NDArray[np.int64]) -> Column:
    """Gather the inputs of one role, as they stand after the scan."""
    row, is_there = role.row, role.is_there
    last_ns, value_ns = memory.last_ns[row], memory.value_ns[row]
    is_usable = (value_ns > 0) & (value_ns == last_ns)
    is_usable &= watermark[memory.source[row]] < last_ns + memory.stale_ns[row]
    is_usable &= is_there
    value = memory.value[row] * role.factor + role.offset
    return Column(
        value=np.where(is_usable, value, np.nan),
        is_there=is_there,
        is_usable=is_usable,
        is_uncertain=is_usable & ((memory.quality[row] & CLASS_MASK) == np.uint8(Quality.UNCERTAIN)),
        time_ns=last_ns,
    )
