"""Abreast: scans of one moment that have nothing to do with each other, judged in one pass, with their derived tags.

Flow: scans of a tick -> [Ranks.line_up] -> Line -> [evaluate once, each level of derived tags once] -> Walk
      -> each scan's share in its own turn
Why: judging a handful of samples costs the same whatever they are; a small site whose sources speak at one moment is
judged three times as fast.
Never: changes what comes out. The scans are of different families (``alerting.core.family``), so none can notice that
another was judged before it; what they change is folded into alarms in each scan's own turn, and from the first change
on each goes its way alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived import DerivedState, DerivedTable
from alerting.core.derived.follow import Columns, compute_cut
from alerting.core.derived.table import Plan
from alerting.core.family import Families
from alerting.core.memory import Changes, Memory
from alerting.model.rule import RuleTable
from edge.decode.judge import judge
from edge.few import every, is_all_zero
from edge.model import Nature, Scan

SAMPLES_MAX: Final = 1024  # Together; more are judged in passes that are long enough.
LINES_MAX: Final = 256  # Beyond it all are forgotten: the sources send something else each time.
EVERY: Final = slice(None)
JOINED: Final = "abreast"  # Of a scan that is many; nobody is told of it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one of the scans has of a stage: its derived tags' source, by name and index, and its part of the rows."""

    source: str
    index: int
    part: slice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """One level of the derived tags of all scans.

    Attributes:
        plan: Who is computed.
        order: What brings what the plan gives into the order of the scans.
        rows: Tag rows in that order, int32 (n,).
        asked: Tag rows of all inputs, int32 (m,).
        low, high: Ranges of the tags, float64 (n,).
        shares: By scan; None where one has nothing at this level.
    """

    plan: Plan
    order: slice | NDArray[np.int64]
    rows: NDArray[np.int32]
    asked: NDArray[np.int32]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    shares: tuple[Share | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pattern:
    """What the tables say about the rows of some scans side by side, worked out once.

    Attributes:
        rows: int32 (n,).
        at: The rows, as a slice where they are a run.
        parts: Of each scan.
        stages: Of the derived tags, by level; empty where they cannot be computed side by side.
        levels: How many levels of derived tags hang on the scans.
        families: Of each scan.
        family_of: Of each tag of the site, int64 (tags,).
    """

    rows: NDArray[np.int32]
    at: slice | NDArray[np.int32]
    parts: tuple[slice, ...]
    stages: tuple[Stage, ...]
    levels: int
    families: tuple[int, ...]
    family_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Scans side by side: their samples as columns, and what is known of their rows."""

    pattern: Pattern
    scans: Sequence[Scan]
    scan: Scan


@dataclass(slots=True, kw_only=True, eq=False)
class Walk:
    """How far the scans of a line came together.

    Attributes:
        done: The scans of derived tags that all of them led to, by level.
        changes: What the last of these changed, or the scans themselves; None for nothing.
    """

    line: Line
    nature: Nature
    done: list[Scan] = field(default_factory=list)
    changes: tuple[Changes, Changes] | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left to be judged or folded."""
        return self.changes is None and len(self.done) == self.line.pattern.levels

    def mine(self, place: int, state: DerivedState, memory: Memory) -> list[Scan]:
        """Give the derived scans that one of the scans led to, numbered now: in its turn, as if it went alone."""
        found = []
        for stage, joined in zip(self.line.pattern.stages, self.done, strict=False):
            share = stage.shares[place]
            if share is None:
                continue
            state.number += 1
            memory.mark_number[share.index] = state.number
            part = share.part
            found.append(
                Scan(
                    source=share.source, epoch=state.epoch, number=state.number, received_ns=joined.received_ns,
                    rows=joined.rows[part], values=joined.values[part], quality=joined.quality[part],
                    times_ns=joined.times_ns[part], nature=self.nature,
                )
            )  # fmt: skip
        return found

    def changed(self, place: int, table: RuleTable) -> tuple[Changes, Changes] | None:
        """Give what one of the scans, or its derived tags of the level judged last, changed; None for nothing."""
        if self.changes is None:
            return None
        pattern = self.line.pattern
        if self.done and pattern.stages[len(self.done) - 1].shares[place] is None:
            return None
        before, after = (_of_family(each, pattern, table, place) for each in self.changes)
        return (before, after) if len(before) or len(after) else None


class Ranks:
    """Which scans may go abreast, and what is known of those that did, for one nature's memory.

    Attributes:
        families: Of the sources.
    """

    def __init__(self, table: RuleTable, derived: DerivedTable, memory: Memory) -> None:
        self.families = Families(table, derived, memory)
        self._table, self._derived, self._source = table, derived, memory.source
        votes = table.votes
        self._votes = np.append(votes.rule, votes.member[votes.is_there])
        self._patterns: dict[bytes, Pattern | None] = {}

    def pick(self, memory: Memory, sources: Sequence[str]) -> set[str]:
        """Tell which sources of a tick may go abreast: free ones, none of whose family comes twice.

        Args:
            sources: Of all scans of the tick.
        """
        families = self.families
        if sum(families.is_voting.get(name, True) for name in sources) > 1 or not is_all_zero(
            memory.phase[self._votes]
        ):
            return set()  # A scan that a vote looks at lets the delays of all others come as far as itself.
        seen = Counter(families.of.get(name, -1) for name in sources)
        return {name for name in sources if families.is_free.get(name, False) and seen[families.of[name]] == 1}

    def line_up(self, scans: Sequence[Scan]) -> Line | None:
        """Put scans side by side; None where that cannot be done, as where a tag is not the source's.

        Args:
            scans: Of one receive time and nature, each of another source that was picked.
        """
        key = b"".join([scan.rows.tobytes() for scan in scans])
        pattern = self._patterns.get(key)
        if pattern is None:
            if key in self._patterns:
                return None
            if len(self._patterns) >= LINES_MAX:
                self._patterns.clear()
            pattern = self._patterns[key] = self._lay_out(scans)
            if pattern is None:
                return None
        joined = Scan(
            source=JOINED, epoch=0, number=0, received_ns=scans[0].received_ns, rows=pattern.rows,
            values=np.concatenate([scan.values for scan in scans]),
            quality=np.concatenate([scan.quality for scan in scans]),
            times_ns=np.concatenate([scan.times_ns for scan in scans]),
            nature=scans[0].nature,
        )  # fmt: skip
        return Line(pattern=pattern, scans=scans, scan=joined)

    def _lay_out(self, scans: Sequence[Scan]) -> Pattern | None:
        """Work out what the tables say; the rows alone decide, because a tag has one source."""
        rows = np.concatenate([scan.rows for scan in scans])
        if not 0 < len(rows) <= SAMPLES_MAX or rows.min() < 0 or rows.max() >= len(self._source):
            return None
        parts, end = [], 0
        for scan in scans:
            parts.append(slice(end, end + len(scan)))
            end += len(scan)
            if not len(scan):
                return None
            mine = {self._table.tags[row].source for row in scan.rows.tolist()}
            if mine != {scan.source} or len(set(scan.rows.tolist())) != len(scan):
                return None
        rows.flags.writeable = False
        is_run = every(rows[1:] - rows[:-1] == 1)
        stages, levels = self._stages(rows, parts)
        return Pattern(
            rows=rows,
            at=slice(int(rows[0]), int(rows[-1]) + 1) if is_run else rows,
            parts=tuple(parts),
            stages=stages,
            levels=levels,
            families=tuple(self.families.of[scan.source] for scan in scans),
            family_of=self.families.of_row,
        )

    def _stages(self, rows: NDArray[np.int32], parts: Sequence[slice]) -> tuple[tuple[Stage, ...], int]:
        """Follow what hangs on each scan, level by level."""
        derived = self._derived
        due = [_due(derived, rows[part]) for part in parts]
        levels = 1 + max(
            (int(derived.level[mine].max()) for each in due if (mine := np.flatnonzero(each)).size), default=-1
        )
        stages = []
        for level in range(levels):
            stage = self._stage([np.flatnonzero(each & (derived.level == level)) for each in due])
            if stage is None:
                return (), levels
            stages.append(stage)
        return tuple(stages), levels

    def _stage(self, of_scan: Sequence[NDArray[np.int64]]) -> Stage | None:
        """Lay out one level; None where it is empty, or a scan leads to derived tags of two sources."""
        if not any(map(len, of_scan)):
            return None
        derived, source = self._derived, self._source
        plan = Plan.of(derived, np.sort(np.concatenate(of_scan)))
        given = np.concatenate([cut.row for cut in plan.cuts])
        place_of = {int(row): place for place, row in enumerate(given)}
        order: list[int] = []
        shares: list[Share | None] = []
        for mine in of_scan:
            rows = [row for row in given.tolist() if derived.of_row[row] in set(mine.tolist())]
            if not rows:
                shares.append(None)
                continue
            sources = set(source[rows].tolist())
            if len(sources) > 1:
                return None
            name = self._table.tags[rows[0]].source
            shares.append(Share(source=name, index=sources.pop(), part=slice(len(order), len(order) + len(rows))))
            order += [place_of[row] for row in rows]
        places = np.array(order, dtype=np.int64)
        rows_in_order = given[places].astype(np.int32)
        rows_in_order.flags.writeable = False
        tags = derived.tags
        return Stage(
            plan=plan,
            order=EVERY if order == list(range(len(order))) else places,
            rows=rows_in_order,
            asked=np.unique(np.concatenate([cut.newest_of.ravel() for cut in plan.cuts])).astype(np.int32),
            low=tags.range_lo[rows_in_order],
            high=tags.range_hi[rows_in_order],
            shares=tuple(shares),
        )


def compute(stage: Stage, state: DerivedState, memory: Memory, line: Line) -> Scan | None:
    """Compute a level of derived tags of all scans; None where they had better be computed one scan after the other."""
    received_ns, last_ns = line.scan.received_ns, memory.last_ns[stage.asked]
    is_plain = every((last_ns > 0) & (last_ns <= received_ns)) and every(memory.last_ns[stage.rows] < received_ns)
    if not is_plain:  # An input that nobody knows, or a sample that would be ahead of the scan.
        return None
    columns: list[Columns] = [
        compute_cut(cut, state.of_group[cut.number], memory, received_ns) for cut in stage.plan.cuts
    ]
    order = stage.order
    if len(columns) == 1:
        _, values, quality, times_ns = columns[0]
    else:
        _, values, quality, times_ns = (np.concatenate(column) for column in zip(*columns, strict=True))
    values, quality, times_ns = values[order], quality[order], times_ns[order]
    judge(values, quality, stage.low, stage.high)
    return Scan(
        source=JOINED, epoch=0, number=0, received_ns=received_ns, rows=stage.rows, values=values, quality=quality,
        times_ns=times_ns, nature=line.scan.nature,
    )  # fmt: skip


def _due(derived: DerivedTable, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which derived tags hang on some rows, directly or by others, bool (derived,)."""
    due: NDArray[np.bool_] = np.zeros(len(derived), dtype=np.bool_)
    while len(rows):
        new = derived.computed_from(rows)
        new = new[~due[new]]
        due[new] = True
        rows = np.array([derived.tags.row_of[derived.derivations[d].tag] for d in new.tolist()], dtype=np.int32)
    return due


def _of_family(changes: Changes, pattern: Pattern, table: RuleTable, place: int) -> Changes:
    """Give what was changed in a scan's family; a rule over several tags may be of another tag than the scan's."""
    if len(changes) == 0:
        return changes
    mine = pattern.family_of[table.row[changes.rule]] == pattern.families[place]
    return Changes(
        changes.rule[mine], changes.is_active[mine], changes.time_ns[mine], changes.value[mine],
        changes.quality[mine], changes.other[mine],
    )  # fmt: skip
