"""Memory of the core, as columns, and the changes it reports, as columns.

Memory belongs to the caller and is updated in place; one Memory per nature, and one per gap in the late lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.core.flagged import flagged, lower
from alerting.core.formula import Formulas
from alerting.core.timers import Timers
from alerting.core.vote import VoteBook
from alerting.model.blocks import BLOCKS_MOST
from alerting.model.rule import Kind, RuleTable
from edge.model import Scan

NEVER_NS = np.iinfo(np.int64).max // 4
PAUSED = 0  # ``since`` of a delay that does not count at present
RATE_SLOTS = 8
#: Columns of TREND rules with blocks.
LINE_COLUMNS = ("gathered", "block_ns", "block_value", "line_level")
EPOCH, NUMBER = attrgetter("epoch"), attrgetter("number")


class Phase(IntEnum):
    """Which delay of a rule is running or paused."""

    REST = 0
    ON = 1
    OFF = 2


class Slot(IntEnum):
    """Columns of ``Memory.trend_state``; see ``alerting.core.trend`` for their meaning."""

    ORIGIN = 0  # eu; level and setpoint are relative to it
    LEVEL = 1  # eu over the origin
    SLOPE = 2  # eu/s
    P_LEVEL = 3  # covariance in units of the noise of one sample: level
    P_CROSS = 4  # level and slope, 1/s
    P_SLOPE = 5  # slope, 1/s^2
    NOISE = 6  # mean square of the residuals over about an hour, eu^2
    LAG = 7  # their covariance at lag 1, eu^2
    SEEN = 8  # residuals that went into the two
    STRETCH = 9  # mean square of the residuals since the last start, eu^2
    COUNT = 10  # samples since the last start
    LAST = 11  # last residual, eu
    RUN = 12  # excess of the outliers in a row, signed


class Gather(IntEnum):
    """Columns of ``Memory.gathered``: the block that is being filled."""

    NUMBER = 0  # which block, counted from the rule's first after 1970
    FIRST = 1  # its first value, eu
    SAMPLES = 2
    SUM = 3  # of the values over the first one, eu
    SUM_S = 4  # of their times after the block's beginning, s


class Wander(IntEnum):
    """Columns of ``Memory.drift_state``, in the order in which ``alerting.core.drift`` unpacks them."""

    KNOWN_S = 0  # judged time since it began to learn, s
    ORIGIN = 1  # eu; all other values are relative to it
    BASE = 2  # baseline, eu
    BASE_S = 3  # time that the baseline is known from, s
    NOISE = 4  # mean square of the residuals, eu^2
    LAG = 5  # their covariance at lag 1, eu^2
    SEEN = 6  # residuals that went into the two
    LAST = 7  # last residual, eu
    FAST = 8  # z, eu
    FAST_S = 9  # time since z started, s
    VARIANCE = 10  # of z, in units of NOISE
    SHARED = 11  # covariance of z and x, in units of NOISE
    UP = 12  # CUSUMs
    DOWN = 13
    OUT = 14  # 1 while it is beyond its setpoint
    BIN = 15  # step of the profile being filled, counted from 1970
    BIN_SUM = 16
    BIN_COUNT = 17
    SCORE = 18  # as last judged; 0 before
    WAITS = 19  # alerting.core.drift.Wait


class Flat(IntEnum):
    """Columns of ``Memory.flat``; see ``alerting.core.frozen`` for their meaning."""

    NS = 0  # flat time, ns
    WAITING = 1  # what passed since the tag's last own sample, ns
    AT = 2  # when it was last judged, ns; 0 where the time since does not count
    OWN = 3  # time of the tag's own sample that was taken last, ns
    IS_EXPECTED = 4  # 1 while the expected activity is there


@dataclass(slots=True)
class Changes:
    """Rules that tripped or cleared, as columns of equal length n.

    Attributes:
        rule: Index in the RuleTable, int32 (n,).
        is_active: True for tripped, False for cleared, bool (n,).
        time_ns: Event time, int64 (n,).
        value: The tag's value then, float64 (n,); NaN where there is none.
        quality: The tag's quality byte then, uint8 (n,).
        other: Value of the tag that it is judged against then, float64 (n,); NaN where there is none.
    """

    rule: NDArray[np.int32]
    is_active: NDArray[np.bool_]
    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    other: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rule)


@dataclass(slots=True)
class Memory:
    """All that the core remembers for one rule table.

    Attributes:
        last_ns: Last accepted time of each tag, int64 (tags,); 0 before the first.
        value: Last judged value of each tag, float64 (tags,); NaN before the first.
        value_ns: Its time, int64 (tags,).
        quality: Last quality byte of each tag, uint8 (tags,).
        is_watched: Tags whose silence counts in this memory, bool (tags,).
        is_active: Tripped rules, bool (rules,).
        phase, since_ns, elapsed_ns: The delay of each rule: which, counting since (0 while paused), counted before.
        opened_ns: When the gates of each rule opened last, in the rule's time, or minus when one shut, int64 (rules,);
            0 for never. Of a schedule's gate when to look at it next.
        is_dirty: Rules whose trip or delay changed since the caller last wrote them down, bool (rules,).
        mark_ns, mark_received_ns: Watermark of each source: its last accepted time, and when that was received.
        mark_epoch, mark_number: The scan of each source that moved its watermark last, int64 (sources,); 0 for none.
        source: Source index of each tag, int32 (tags,).
        stale_ns: After how long each tag is stale, int64 (tags,); NEVER_NS where no rule says so.
        rate_of: Place of each RATE rule in the rings, int32 (rules,), -1 for other kinds.
        awaited_ns: Silence of each tag counts from here where nothing came later, int64 (tags,): the start, or when it
            was configured, or when its source's collector began anew.
        trend_of: Place of each TREND rule in the columns of trends, int32 (rules,), -1 for other kinds.
        ring_ns, ring_value: Kept samples of RATE rules, newest first, (rates, RATE_SLOTS).
        trend_ns: Time of the last judged sample of each TREND rule, int64 (trends,); 0 before the first.
        trend_state: Its filter, float64 (trends, ``Slot``); of rules with blocks what their line says, likewise.
        blocks_of: Place of each TREND rule with blocks in the next four, int32 (rules,), -1 for others.
        gathered: The block that is being filled, float64 (lines, ``Gather``).
        block_ns, block_value: Mean time and mean of the blocks that the line goes through, newest first, int64 and
            float64 (lines, BLOCKS_MOST); time 0 for none.
        line_level: The line at the newest block, over its mean, eu, float64 (lines,).
        drift_of: Place of each DRIFT rule in the next two, int32 (rules,), -1 for other kinds.
        drift_ns: Time of the last judged sample of each DRIFT rule, int64 (drifts,); 0 before the first.
        drift_state: Its detector, float64 (drifts, ``Wander``).
        season: Profiles of DRIFT rules one after the other as ``DriftTable.first`` says, eu over the baseline,
            float64 (places,); the last place is 0 for rules without one.
        season_days: How often each step was passed, uint8 (places,).
        season_at: First place of each DRIFT rule's profile and how many steps it has, 0 for none, int64 (drifts, 2).
        formulas: Windows and counts of EXPRESSION rules.
        flat_of: Place of each FROZEN rule in the next two, int32 (rules,), -1 for other kinds.
        anchor: Where the present flat stretch of FROZEN rules began, float64 (frozen,); NaN before the first sample.
        flat: Their flat time and what it needs, int64 (frozen, ``Flat``).
        votes: How the members of votes stand; follows from the rest.
        timers: Which delays run and when silence is due; follows from the rest.
    """

    last_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    value_ns: NDArray[np.int64]
    quality: NDArray[np.uint8]
    is_watched: NDArray[np.bool_]
    is_active: NDArray[np.bool_]
    phase: NDArray[np.uint8]
    since_ns: NDArray[np.int64]
    elapsed_ns: NDArray[np.int64]
    opened_ns: NDArray[np.int64]
    is_dirty: NDArray[np.bool_]
    mark_ns: NDArray[np.int64]
    mark_received_ns: NDArray[np.int64]
    mark_epoch: NDArray[np.int64]
    mark_number: NDArray[np.int64]
    source: NDArray[np.int32]
    stale_ns: NDArray[np.int64]
    awaited_ns: NDArray[np.int64]
    rate_of: NDArray[np.int32]
    trend_of: NDArray[np.int32]
    ring_ns: NDArray[np.int64]
    ring_value: NDArray[np.float64]
    trend_ns: NDArray[np.int64]
    trend_state: NDArray[np.float64]
    blocks_of: NDArray[np.int32]
    gathered: NDArray[np.float64]
    block_ns: NDArray[np.int64]
    block_value: NDArray[np.float64]
    line_level: NDArray[np.float64]
    drift_of: NDArray[np.int32]
    drift_ns: NDArray[np.int64]
    drift_state: NDArray[np.float64]
    season: NDArray[np.float64]
    season_days: NDArray[np.uint8]
    season_at: NDArray[np.int64]
    formulas: Formulas
    flat_of: NDArray[np.int32]
    anchor: NDArray[np.float64]
    flat: NDArray[np.int64]
    votes: VoteBook
    timers: Timers
    source_of: dict[str, int] = field(default_factory=dict)

    @classmethod
    def fresh(cls, table: RuleTable, start_ns: int) -> "Memory":
        """Make a memory in which nothing has been seen; silence counts from ``start_ns`` on."""
        tags, rules = len(table.tags), len(table)
        source_of: dict[str, int] = {}
        source = np.array([source_of.setdefault(tag.source, len(source_of)) for tag in table.tags], dtype=np.int32)
        stale_ns = np.full(tags, NEVER_NS, dtype=np.int64)
        is_stale_rule = table.kind == Kind.STALE
        stale_ns[table.row[is_stale_rule]] = np.rint(table.setpoint[is_stale_rule] * 1e9).astype(np.int64)
        rate_of, rates = _places(table, Kind.RATE)
        trend_of, trends = _places(table, Kind.TREND)
        blocks_of, lines = _number(np.flatnonzero(table.kind == Kind.TREND)[table.trends.has_blocks], len(table))
        drift_of, drifts = _places(table, Kind.DRIFT)
        flat_of, frozen = _places(table, Kind.FROZEN)
        return cls(
            last_ns=np.zeros(tags, dtype=np.int64),
            value=np.full(tags, np.nan),
            value_ns=np.zeros(tags, dtype=np.int64),
            quality=np.zeros(tags, dtype=np.uint8),
            is_watched=np.ones(tags, dtype=np.bool_),
            is_active=np.zeros(rules, dtype=np.bool_),
            phase=np.zeros(rules, dtype=np.uint8),
            since_ns=np.zeros(rules, dtype=np.int64),
            elapsed_ns=np.zeros(rules, dtype=np.int64),
            opened_ns=np.zeros(rules, dtype=np.int64),
            is_dirty=np.zeros(rules, dtype=np.bool_),
            mark_ns=np.full(len(source_of), start_ns, dtype=np.int64),
            mark_received_ns=np.full(len(source_of), start_ns, dtype=np.int64),
            mark_epoch=np.zeros(len(source_of), dtype=np.int64),
            mark_number=np.zeros(len(source_of), dtype=np.int64),
            source=source,
            stale_ns=stale_ns,
            awaited_ns=np.full(tags, start_ns, dtype=np.int64),
            rate_of=rate_of,
            trend_of=trend_of,
            ring_ns=np.zeros((rates, RATE_SLOTS), dtype=np.int64),
            ring_value=np.full((rates, RATE_SLOTS), np.nan),
            trend_ns=np.zeros(trends, dtype=np.int64),
            trend_state=np.zeros((trends, len(Slot))),
            blocks_of=blocks_of,
            gathered=np.zeros((lines, len(Gather))),
            block_ns=np.zeros((lines, BLOCKS_MOST), dtype=np.int64),
            block_value=np.zeros((lines, BLOCKS_MOST)),
            line_level=np.zeros(lines),
            drift_of=drift_of,
            drift_ns=np.zeros(drifts, dtype=np.int64),
            drift_state=np.zeros((drifts, len(Wander))),
            season=np.zeros(table.drifts.places),
            season_days=np.zeros(table.drifts.places, dtype=np.uint8),
            season_at=table.drifts.at.copy(),
            formulas=Formulas(table),
            flat_of=flat_of,
            anchor=np.full(frozen, np.nan),
            flat=np.zeros((frozen, len(Flat)), dtype=np.int64),
            votes=VoteBook(table.votes),
            timers=Timers(table, source),
            source_of=source_of,
        )

    def restart(self, start_ns: int) -> None:
        """Let silence and the time of all sources count from ``start_ns`` on, in a memory that has seen nothing."""
        self.awaited_ns[:] = self.mark_ns[:] = self.mark_received_ns[:] = start_ns

    def take_dirty(self) -> NDArray[np.integer[Any]]:
        """Give the rules whose trip or delay changed since this was last asked, ascending, to be written down."""
        if self.timers.finder is not None:
            return self.timers.finder.take_dirty()
        dirty = flagged(self.is_dirty)
        lower(self.is_dirty, dirty)
        return dirty

    def watermarks(self, now_ns: int) -> NDArray[np.int64]:
        """Tell how far each source's time has certainly come at a receive time, int64 (sources,)."""
        watermark: NDArray[np.int64] = self.mark_ns + np.maximum(np.int64(now_ns) - self.mark_received_ns, 0)
        return watermark

    def mark(self, scan: Scan, newest_ns: int) -> None:
        """Move a source's watermark to what a scan proves."""
        self.mark_place(self.source_of[scan.source], scan.received_ns, newest_ns, scan.epoch, scan.number)

    def mark_place(self, source: int, received_ns: int, newest_ns: int, epoch: int, number: int) -> None:
        """Do the same for a source by its index, with what a scan of it would say."""
        mark_ns = int(self.mark_ns[source])
        if newest_ns < mark_ns:  # A clock that is behind does not hold up the others: time goes on as it did.
            newest_ns = mark_ns + max(received_ns - int(self.mark_received_ns[source]), 0)
        self.mark_ns[source] = newest_ns
        self.mark_received_ns[source] = received_ns
        self.mark_epoch[source], self.mark_number[source] = epoch, number

    def mark_all(
        self,
        scans: Sequence[Scan],
        source: NDArray[np.int32],
        received_ns: NDArray[np.int64],
        newest_ns: NDArray[np.int64],
    ) -> None:
        """Move the watermarks of several sources, each once.

        Args:
            source: Index of each scan's source, (n,).
            received_ns: Receive time of each scan, int64 (n,).
            newest_ns: Newest time of what entered of each, int64 (n,); the least number there is for nothing.
        """
        here = newest_ns != np.iinfo(np.int64).min
        at, newest, received = source[here], newest_ns[here], received_ns[here]
        mark_ns = self.mark_ns[at]
        went_on = mark_ns + np.maximum(received - self.mark_received_ns[at], 0)
        self.mark_ns[at] = np.where(newest < mark_ns, went_on, newest)  # As in ``mark``.
        self.mark_received_ns[at] = received
        self.mark_epoch[at] = np.fromiter(map(EPOCH, scans), np.int64, len(scans))[here]
        self.mark_number[at] = np.fromiter(map(NUMBER, scans), np.int64, len(scans))[here]

    def last_scan(self, source: str) -> str:
        """Name the last scan of a source that was judged; ``clock`` where there was none."""
        index = self.source_of[source]
        epoch, number = int(self.mark_epoch[index]), int(self.mark_number[index])
        return f"{source}/{epoch}/{number}" if number else "clock"

    def silent_at_ns(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """Tell when tags fall stale if nothing comes, event time, int64 (n,)."""
        due: NDArray[np.int64] = np.maximum(self.last_ns[rows], self.awaited_ns[rows]) + self.stale_ns[rows]
        return due

    def listen_from(self, now_ns: int) -> None:
        """Let silence count from now on of every tag of which nothing came later."""
        np.maximum(self.awaited_ns, now_ns, out=self.awaited_ns)

    def forgive(self, now_ns: int, away_ns: int) -> None:
        """Let the time in which nobody listened not count as silence, of tags that were not stale before it."""
        heard_ns = np.maximum(self.last_ns, self.awaited_ns)
        before_ns = self.watermarks(now_ns)[self.source] - away_ns
        waits = heard_ns + self.stale_ns >= before_ns
        self.awaited_ns[waits] = heard_ns[waits] + away_ns

    def extract(self, table: RuleTable, rows: NDArray[np.int32], rules: NDArray[np.int64]) -> "Memory":
        """Copy the part of some tag rows and their rules, laid out for ``table``, the table of just these."""
        part = Memory.fresh(table, 0)
        for name in ("last_ns", "value", "value_ns", "quality", "is_watched", "awaited_ns"):
            getattr(part, name)[:] = getattr(self, name)[rows]
        for name in ("is_active", "phase", "since_ns", "elapsed_ns", "opened_ns"):
            getattr(part, name)[:] = getattr(self, name)[rules]
        rates = self.rate_of[rules]
        part.ring_ns[:] = self.ring_ns[rates[rates >= 0]]
        part.ring_value[:] = self.ring_value[rates[rates >= 0]]
        trends = self.trend_of[rules]
        trends = trends[trends >= 0]
        part.trend_ns[:] = self.trend_ns[trends]
        part.trend_state[:] = self.trend_state[trends]
        lines = self.blocks_of[rules]
        for name in LINE_COLUMNS:
            getattr(part, name)[:] = getattr(self, name)[lines[lines >= 0]]
        drifts = self.drift_of[rules]
        drifts = drifts[drifts >= 0]
        part.drift_ns[:] = self.drift_ns[drifts]
        part.drift_state[:] = self.drift_state[drifts]
        here, there = steps_of(part.season_at), steps_of(self.season_at[drifts])
        part.season[here] = self.season[there]
        part.season_days[here] = self.season_days[there]
        part.formulas.copy_from(self.formulas, rules)
        frozen = self.flat_of[rules]
        part.anchor[:] = self.anchor[frozen[frozen >= 0]]
        part.flat[:] = self.flat[frozen[frozen >= 0]]
        for source, index in part.source_of.items():
            part.mark_ns[index] = self.mark_ns[self.source_of[source]]
            part.mark_received_ns[index] = self.mark_received_ns[self.source_of[source]]
            part.mark_epoch[index] = self.mark_epoch[self.source_of[source]]
            part.mark_number[index] = self.mark_number[self.source_of[source]]
        return part


def steps_of(season_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the places of some profiles, one profile after the other, int64 (n,)."""
    first, count = season_at[:, 0], season_at[:, 1]
    offset = np.arange(count.sum(), dtype=np.int64) - np.repeat(np.add.accumulate(count) - count, count)
    places: NDArray[np.int64] = np.repeat(first, count) + offset
    return places


def _places(table: RuleTable, kind: Kind) -> tuple[NDArray[np.int32], int]:
    """Number the rules of a kind in their order: the place of each rule, -1 for other kinds, and how many there are."""
    return _number(np.flatnonzero(table.kind == kind), len(table))


def _number(mine: NDArray[np.int64], count: int) -> tuple[NDArray[np.int32], int]:
    places = np.full(count, -1, dtype=np.int32)
    places[mine] = np.arange(len(mine), dtype=np.int32)
    return places, len(mine)


def no_changes() -> Changes:
    """Give the empty report; there is one for all, because nothing can be put into it."""
    return _NO_CHANGES


_NO_CHANGES = Changes(
    np.empty(0, np.int32),
    np.empty(0, np.bool_),
    np.empty(0, np.int64),
    np.empty(0),
    np.empty(0, np.uint8),
    np.empty(0),
)
