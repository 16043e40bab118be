"""Collecting: the collectors that run, each in a task of its own; those of changed sources end and begin anew.

Flow: collectors -> [deliver, in the rows of the site] -> road
Why: a change of one device must cost the others nothing: they keep their connection, their breaker and their place in
    the cycle, and go on with the rows of the table that they were made with.
Never: lets a collector that was ended deliver, or begins a new one before the old one has let go of its connection.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.clock import Clock
from edge.collect.door import Acknowledge, Collector, Deliver
from edge.collect.registry import COLLECTORS
from edge.config import Source
from edge.model import Link, Scan, TagTable

MakeCollector = Callable[[Source, TagTable, Clock, int, Deliver], Collector]


@dataclass(slots=True, eq=False)
class _Rows:
    """Where the rows of one tag table are now; shared by all collectors that were made with it.

    Attributes:
        to: int32 (tags,), -1 for tags that are no more; None while all are where they were.
    """

    to: NDArray[np.int32] | None = None

    def follow(self, moved: NDArray[np.int32]) -> None:
        """Go by the rows of the next table."""
        if self.to is not None:
            self.to = np.where(self.to >= 0, moved[self.to], np.int32(-1)).astype(np.int32)
        elif not np.array_equal(moved, np.arange(len(moved), dtype=np.int32)):
            self.to = moved


@dataclass(slots=True, eq=False)
class _Running:
    """One collector."""

    rows: _Rows
    collector: Collector | None = None
    task: asyncio.Task[None] | None = None
    is_ended: bool = False


class Collecting:
    """The collectors of all sources that have one.

    Attributes:
        collectors: By source.
        started: How often a collector was started, by source.
    """

    def __init__(self, make: MakeCollector, clock: Clock, deliver: Deliver, epoch_of: Callable[[str], int]) -> None:
        self.collectors: dict[str, Collector] = {}
        self.started: dict[str, int] = {}
        self._make, self._clock, self._deliver, self._epoch_of = make, clock, deliver, epoch_of
        self._running: dict[str, _Running] = {}
        self._rows: list[_Rows] = []
        self._changing: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()  # Ended on purpose, and still letting go.
        self._failed: asyncio.Future[None] | None = None

    def make(self, sources: Sequence[Source], tags: TagTable) -> None:
        """Make the collectors of some sources; nothing connects before ``run``."""
        rows = _Rows()
        self._rows.append(rows)
        for source in sources:
            if source.protocol in COLLECTORS:
                running = _Running(rows)
                epoch = self._epoch_of(source.id)
                collector = self._make(source, tags, self._clock, epoch, self._door(running))
                running.collector = self.collectors[source.id] = collector
                self._running[source.id] = running

    def own_row(self, source: str, row: int) -> int:
        """Give the row that a tag of a source has in the table that its collector was made with."""
        to = self._running[source].rows.to
        return row if to is None else int(np.flatnonzero(to == row)[0])

    async def run(self) -> None:
        """Collect until cancelled; fails where a collector does, for none ends by itself."""
        self._failed = asyncio.get_running_loop().create_future()
        for name in self._running:
            self._start(name)
        try:
            await self._failed
        finally:
            tasks = [*self._changing, *(each.task for each in self._running.values() if each.task is not None)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._leaving, return_exceptions=True)

    def follow(
        self, sources: Sequence[Source], tags: TagTable, moved: NDArray[np.int32], restarted: Collection[str]
    ) -> None:
        """Go by other sources and tags from now on, on the event loop and at once; what is new starts a little later.

        Args:
            moved: Row of each old tag in the new table, int32 (old tags,); -1 for those that are no more.
        """
        wanted = {source.id for source in sources if source.protocol in COLLECTORS}
        ended = {name: each for name, each in self._running.items() if name not in wanted or name in restarted}
        for name, each in ended.items():
            each.is_ended = True
            del self._running[name], self.collectors[name]
        self._rows = list({id(each.rows): each.rows for each in self._running.values()}.values())
        for rows in self._rows:
            rows.follow(moved)
        before = set(self._running)
        self.make([source for source in sources if source.id not in before], tags)
        fresh = [name for name in self._running if name not in before]
        if self._failed is None:  # Nothing runs yet.
            return
        for each in ended.values():
            if each.task is not None:
                each.task.cancel()
                self._leaving.add(each.task)
                each.task.add_done_callback(self._leaving.discard)
        task = asyncio.create_task(self._start_after(fresh), name="collectors change")
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)

    async def _start_after(self, fresh: Sequence[str]) -> None:
        """Start some collectors when all that were ended have let go, also those of a change just before this one."""
        while self._leaving:
            await asyncio.wait(tuple(self._leaving))
        for name in fresh:
            if name in self._running and self._running[name].task is None:
                self._start(name)

    def _start(self, name: str) -> None:
        running = self._running[name]
        assert running.collector is not None, name
        self.started[name] = self.started.get(name, 0) + 1
        running.task = asyncio.create_task(running.collector.run(), name=f"collect {name}")
        running.task.add_done_callback(lambda task: self._note_end(running, task))

    def _note_end(self, running: _Running, task: asyncio.Task[None]) -> None:
        """Pass a collector's failure on; one that was ended on purpose may end as it likes."""
        failure = None if task.cancelled() else task.exception()
        if running.is_ended or self._failed is None or self._failed.done():
            return
        if failure is not None:
            self._failed.set_exception(failure)

    def _door(self, running: _Running) -> Deliver:
        """Make the door of one collector: an ended one finds it shut, another's rows are those of the site."""

        def deliver(item: Scan | Link, acknowledge: Acknowledge | None) -> bool | None:
            if running.is_ended:
                return False
            to = running.rows.to
            if to is not None and isinstance(item, Scan):
                item = replace(item, rows=to[item.rows])
            return self._deliver(item, acknowledge)

        return deliver
