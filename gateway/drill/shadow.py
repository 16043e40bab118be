"""Shadow: the safety path of a drill, from the plant's scans to the store, beside the road of the plant itself.

Flow: scans, commands -> [tick: intake, core] -> commit (journal, events, alarms, register, tasks, outbox) -> page, push
Why: the same desk, intake and commit as the road, on memories of their own; what they share is the store's one writer.
Never: writes delays, marks or checkpoints: a drill does not live over a restart. Holds up the road.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError

from alerting.desk import Answer, Desk, Outcome
from alerting.model.alarm import Alarm
from alerting.model.command import Command
from alerting.model.event import Event
from alerting.model.flood import FloodState
from alerting.register.episode import Entry
from edge.model import Link, Nature, Scan
from gateway.config import Site
from gateway.drill.time import DrillClock, on_wall
from gateway.historian.port import Historian
from gateway.intake import Intake
from gateway.push.compose import Composer
from gateway.store import schema
from gateway.store.commit import commit
from gateway.store.store import Store
from gateway.turn import Item, take_turn

ITEMS_MAX = 1_000  # Scans between two ticks; a plant gives one a source and step.
COMMANDS_MAX = 100
UNWRITTEN_MAX = 1_000  # Ticks with changes that may wait for a store that does not write.
PAUSED = {
    "en": "The drill is paused; its alarms can be answered when it goes on.",
    "zh": "演练已暂停,恢复后方可处理演练报警。",
}
OVER = {"en": "The drill is over.", "zh": "演练已结束。"}
BUSY = {"en": "Too many commands are waiting; try again.", "zh": "等待处理的指令过多,请重试。"}


class UnwrittenError(Exception):
    """The store has not written for so long that the drill cannot be kept."""


class Shadow:
    """The desk of one drill and the way from it into the store.

    Args:
        site: The shadow site, see ``shadow_of``.
        told: Called with alarms by the wall after their commit, for the page.
    """

    def __init__(
        self,
        site: Site,
        clock: DrillClock,
        store: Store,
        historian: Historian,
        *,
        told: Callable[[Iterable[Alarm]], None],
        wake_push: Callable[[], None],
    ) -> None:
        start_ns = clock.wall_ns()
        self.site, self.clock = site, clock
        self.desk = Desk(
            site.id, site.rules, site.units, site.tasks, start_ns, site.derived,
            tiering=site.tiering, philosophy=site.philosophy,
        )  # fmt: skip
        self.intake = Intake(site.sources, site.tags)
        self.events: list[Event] = []  # committed, by the drill's time
        self.floods: dict[str, FloodState] = {}  # as they stand, by the drill's time
        self.samples_in = self.samples_out = self.dropped = 0
        self.is_cut = False
        self._store, self._historian = store, historian
        self._compose = Composer(site, store.journal)
        self._told, self._wake_push = told, wake_push
        self._items: deque[Item] = deque()
        self._commands: deque[tuple[Command, asyncio.Future[Answer]]] = deque()
        self._unwritten: list[tuple[Outcome, Sequence[asyncio.Future[Answer]]]] = []

    # ------------------------------------------------------------------ doors

    def deliver(self, item: Scan | Link, _acknowledge: Callable[[], None] | None = None) -> bool:
        """Take what the plant's instruments give; a full line drops and counts."""
        if len(self._items) >= ITEMS_MAX:
            self.dropped += len(item) if isinstance(item, Scan) else 0
            return False
        self._items.append(item)
        return True

    def owns(self, name: str) -> bool:
        """Tell whether an alarm, by key or id, is the drill's."""
        return name in self.desk.alarms or name in self.desk.key_of_id

    async def command(self, command: Command) -> Answer:
        """Put a person's command before the drill's desk; give its answer after the commit."""
        if self.clock.is_paused:
            return Answer(command=command, refused=PAUSED)
        if len(self._commands) >= COMMANDS_MAX:
            return Answer(command=command, refused=BUSY)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        at_ns = self.clock.wall_ns()
        until_ns = command.until_ns and self.clock.from_wall(command.until_ns)
        self._commands.append((replace(command, received_ns=at_ns, until_ns=until_ns), answer))
        return await answer

    # ------------------------------------------------------------------- tick

    async def tick(self) -> None:
        """Judge what waits, commit what changed, tell of it.

        Raises:
            UnwrittenError: The store does not write.
        """
        if self.is_cut:
            return
        items = [self._items.popleft() for _ in range(len(self._items))]
        asked = [self._commands.popleft() for _ in range(len(self._commands))]
        turned = take_turn(self.desk, self.intake, items, [command for command, _ in asked], self.clock.wall_ns())
        for scan in (*(part for parts in turned.entered for part in parts), *turned.made):
            self._historian.append(scan)
        self.samples_in += sum(len(item) for item in items if isinstance(item, Scan))
        self.samples_out += turned.live + turned.late + turned.unjudged + turned.retained
        await self._carry(turned.outcome, [future for _, future in asked])

    async def end(self, reason: str) -> None:
        """End every alarm and entry of the drill; authorities that were told are told that it is over.

        Raises:
            UnwrittenError: The store did not take it; no tick comes that would write it later.
        """
        await self._carry(self.desk.end_all(self.clock.wall_ns(), reason), ())
        if self._unwritten:
            raise UnwrittenError
        for command, future in self._commands:
            if not future.done():  # Who asked may have waited too long and gone.
                future.set_result(Answer(command=command, refused=OVER))
        self._commands.clear()

    async def _carry(self, outcome: Outcome, asked: Sequence[asyncio.Future[Answer]]) -> None:
        self.events += outcome.events
        self.floods |= {state.id: state for state in outcome.floods}
        if outcome.events or outcome.entries or outcome.tasks or outcome.answers or outcome.remarks:
            self._unwritten.append((outcome, asked))
        if not self._unwritten:
            return
        waiting = [(on_wall(outcome, self.clock), asked) for outcome, asked in self._unwritten]
        try:
            await self._store.write(lambda connection: self._write(connection, [each for each, _ in waiting]))
        except SQLAlchemyError as failure:
            if len(self._unwritten) >= UNWRITTEN_MAX:
                raise UnwrittenError from failure
            return  # The road counts, says and rings it; here the ticks wait.
        self._unwritten.clear()
        for each, futures in waiting:
            for future, answer in zip(futures, each.answers, strict=True):
                if not future.done():
                    future.set_result(answer)
            self._told(each.alarms.values())
        self._wake_push()

    def _write(self, connection: Connection, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            write(connection, self._store, self._compose, outcome)


def write(connection: Connection, store: Store, compose: Composer, outcome: Outcome) -> None:
    """Commit a tick of a drill, inside the caller's transaction; tasks of entries that closed are void."""
    notices = compose(connection, outcome)
    commit(connection, store.journal, outcome, (), (), notices, Nature.EXERCISE)
    closed = [entry.id for entry in outcome.entries.values() if entry.closed_ns]
    if closed:
        task = schema.response_task
        connection.execute(update(task).where(task.c.entry.in_(closed), task.c.state == "open").values(state="void"))


def end_left(
    connection: Connection,
    store: Store,
    site: Site,
    now_ns: int,
    reason: str,
    alarms: Sequence[Alarm],
    entries: Sequence[Entry],
) -> None:
    """End what a drill left behind that was cut off by the end of the process.

    Args:
        site: The shadow site.
        alarms, entries: What of them is not over.
    """  # fmt: skip
    desk = Desk(site.id, site.rules, site.units, site.tasks, now_ns, tiering=site.tiering)
    desk.adopt(alarms, entries)
    write(connection, store, Composer(site, store.journal), desk.end_all(now_ns, reason))
