"""The late lane: a second memory of the same core for each gap of a source.

Flow: back-fill -> [Gap.judge] -> late events -> register
Why: what happened while a link was down must be found afterwards, and must never trip, clear or re-time a live alarm.
Never: touches live memory or live alarms. Judges only rules whose tags all belong to the gap's source.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from alerting.core import Memory, evaluate
from alerting.core.guard import plain_rules
from alerting.core.held import Held
from alerting.core.memory import no_changes
from alerting.core.swap import Exchange
from alerting.judge import Lane, judge_alarm
from alerting.model.alarm import Alarm
from alerting.model.event import Event
from alerting.model.rule import RuleTable, runs
from alerting.register.episode import Entry
from edge.model import Nature, Scan, TagTable

COPIES_MAX = 8  # per source; the oldest is closed and counted (design §3)
LATE_ENTRIES_MAX = 1_000


class Part:
    """One source's share of the rule table, laid out as a table of its own when it is needed.

    Attributes:
        rows, rules: Its tags and the rules that look at no others, int32 and int64.
        is_plain: The guard knows all of these rules in every respect.
        left_out: Rules that need this source and others too; they are not judged late.
    """

    def __init__(self, whole: RuleTable, source: str) -> None:
        self._whole = whole
        self._table: RuleTable | None = None
        self.rows = whole.tags.rows_of_source(source)
        self._now, self._place = self.rows, np.arange(len(self.rows), dtype=np.int32)
        self.rules = whole.within(self.rows)
        near = np.append(whole.touching(self.rows), runs(whole.first, self.rows))
        needy = np.setdiff1d(near, self.rules)
        self.is_plain = bool(plain_rules(whole)[self.rules].all())
        self.left_out = tuple(whole[k].id for k in needy.tolist() if not whole[k].is_hidden)

    @property
    def table(self) -> RuleTable:
        """The rule table of just this part."""
        if self._table is None:
            tags = TagTable([self._whole.tags[row] for row in self.rows.tolist()])
            self._table = RuleTable([self._whole[k] for k in self.rules.tolist()], tags, self._whole.authors)
        return self._table

    def local(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Give the part's rows of these tags of its source, as the site has them now; -1 for those it does not have."""
        if len(self._now) == 0:
            return np.full(len(rows), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self._now, rows), len(self._now) - 1)
        return np.where(self._now[at] == rows, self._place[at], np.int32(-1)).astype(np.int32)

    @property
    def placed(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Tags that it knows, as rows of the site as it is now and as rows of its own table, int32 (n,)."""
        return self._now, self._place

    def follow(self, rows_here: NDArray[np.int32], rows_there: NDArray[np.int32]) -> None:
        """Go by other rows of the site from now on; its own stay.

        Args:
            rows_here, rows_there: Tags that are measured alike, as rows of the site from now on and until now.
        """
        at = np.searchsorted(self._now, rows_there)
        is_mine = at < len(self._now)
        is_mine[is_mine] = self._now[at[is_mine]] == rows_there[is_mine]
        here, place = rows_here[is_mine], self._place[at[is_mine]]
        order = np.argsort(here)
        self._now, self._place = here[order], place[order]


@dataclass(slots=True, kw_only=True)
class Gap:
    """One gap: between ``from_ns`` (last time before) and ``to_ns`` (first time after), both exclusive.

    Attributes:
        number: Counts the gaps of a site, over restarts.
        revision: Whose rules judge in it: those in force when it was opened.
    """

    number: int
    revision: int
    source: str
    nature: Nature
    from_ns: int
    to_ns: int
    part: Part
    held: Held | Memory
    alarms: dict[str, Alarm] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the gap in causes and identities."""
        return f"{self.source}@{self.from_ns}"

    @property
    def memory(self) -> Memory:
        """Memory of the gap's own, as the live one stood when the gap was opened."""
        if isinstance(self.held, Held):
            self.held = self.held.lay_out(self.part.table)
        return self.held

    def covers(self, time_ns: int) -> bool:
        """Tell whether a sample's time falls into the gap."""
        return self.from_ns < time_ns < self.to_ns

    def judge(self, scan: Scan, site: str, now_ns: int) -> Iterator[Event]:
        """Judge a late scan in this gap's memory."""
        rows = self.part.local(scan.rows)  # A tag that came or changed since the gap has no past in it.
        newer = (rows >= 0) & (scan.times_ns > self.memory.last_ns[rows])
        local = replace(
            scan,
            rows=rows[newer],
            values=scan.values[newer],
            quality=scan.quality[newer],
            times_ns=scan.times_ns[newer],
            received_ns=int(scan.times_ns[newer].max(initial=0)),  # In the gap, time is the samples' own.
        )
        before, after = evaluate(self.part.table, self.memory, local)
        for changes, then in ((before, after), (after, no_changes())):
            lane = Lane(
                site=site,
                nature=self.nature,
                table=self.part.table,
                memory=self.memory,
                book=self.alarms,
                then=then,
                late=self.name,
            )
            places = self.part.table.alarm[changes.rule]
            for place in np.unique(places):
                mine = np.flatnonzero(places == place).tolist()
                found = judge_alarm(lane, changes, mine, int(place), scan.key, now_ns)
                if found is not None:
                    event, alarm = found
                    self.alarms[alarm.key] = alarm
                    yield event


class GapBook:
    """The open gaps of all sources.

    Attributes:
        revision: Of the configuration in force.
        closed: Copies closed because a ninth was needed.
        entries: Late register entries, by id, the oldest first.
    """

    def __init__(self, table: RuleTable) -> None:
        self.revision = 1
        self._table = table
        self._parts: dict[str, Part] = {}
        self._gaps: dict[tuple[str, Nature], list[Gap]] = {}
        self._last = 0
        self._changed: dict[int, Gap] = {}
        self._ended: list[int] = []
        self.closed = 0
        self.entries: OrderedDict[str, Entry] = OrderedDict()

    def open(self, source: str, nature: Nature, live: Memory, alarms: dict[str, Alarm], to_ns: int) -> Gap | None:
        """Copy a source's rows before the first scan after a gap is evaluated."""
        part = self.part(source)
        if len(part.rows) == 0:
            return None
        from_ns = int(live.last_ns[part.rows].max())
        if to_ns <= from_ns + 1:
            return None
        tags = {self._table.tags.names[row] for row in part.rows.tolist()}
        self._last += 1
        gap = Gap(
            number=self._last,
            revision=self.revision,
            source=source,
            nature=nature,
            from_ns=from_ns,
            to_ns=to_ns,
            part=part,
            held=Held(live, part.rows, part.rules)
            if part.is_plain
            else live.extract(part.table, part.rows, part.rules),
            alarms={key: a for key, a in alarms.items() if a.nature is nature and a.tag in tags},
        )
        if not part.is_plain:
            for cell, calendar in part.table.gates.calendars.items():  # As it was then, not as it is now.
                gap.memory.is_active[cell], gap.memory.opened_ns[cell] = not calendar.is_open(from_ns), 0
        gaps = self._gaps.setdefault((source, nature), [])
        gaps.append(gap)
        self._changed[gap.number] = gap
        if len(gaps) > COPIES_MAX:
            self._end(gaps.pop(0))
            self.closed += 1
        return gap

    def note(self, gap: Gap) -> None:
        """Take note that something was judged in a gap."""
        self._changed[gap.number] = gap

    def take_changed(self) -> tuple[list[Gap], list[int]]:
        """Hand over the gaps that changed since the last call, and the numbers of those that are no more."""
        found = list(self._changed.values()), self._ended
        self._changed, self._ended = {}, []
        return found

    def adopt(self, gaps: Iterable[Gap], entries: Iterable[Entry]) -> None:
        """Take over what a former life had open.

        Args:
            gaps: In the order of their numbers, which count on.
            entries: Late ones, the oldest first.
        """
        for gap in gaps:
            self._gaps.setdefault((gap.source, gap.nature), []).append(gap)
            self._last = max(self._last, gap.number)
        for entry in entries:
            self.keep(entry)

    def open_ones(self) -> list[Gap]:
        """Give all open gaps, in the order of their numbers."""
        return sorted((gap for gaps in self._gaps.values() for gap in gaps), key=lambda gap: gap.number)

    def _end(self, gap: Gap) -> None:
        self._changed.pop(gap.number, None)
        self._ended.append(gap.number)

    def find(self, source: str, nature: Nature, time_ns: int) -> Gap | None:
        """Find the gap that a late sample falls into."""
        return next((gap for gap in self._gaps.get((source, nature), ()) if gap.covers(time_ns)), None)

    def follow(self, exchange: Exchange, revision: int) -> None:
        """Copy by another table from now on; gaps that are open keep the rules of their time."""
        self._table, self.revision = exchange.new, revision
        self._parts = {}
        if exchange.old.tags is exchange.new.tags:
            return
        known = {tag.source for tag in exchange.new.tags}
        for gap in [gap for where, gaps in self._gaps.items() if where[0] not in known for gap in gaps]:
            self._end(gap)
        self._gaps = {where: gaps for where, gaps in self._gaps.items() if where[0] in known}
        for part in {id(gap.part): gap.part for gaps in self._gaps.values() for gap in gaps}.values():
            part.follow(exchange.row_here, exchange.row_there)

    def keep(self, entry: Entry) -> None:
        """Remember a late register entry, so that its end finds it; bounded."""
        self.entries[entry.id] = entry
        while len(self.entries) > LATE_ENTRIES_MAX:
            self.entries.popitem(last=False)

    def part(self, source: str) -> Part:
        """Give a source's share of the rules in force."""
        if source not in self._parts:
            self._parts[source] = Part(self._table, source)
        return self._parts[source]
