r"""Flow: the road on one screen. Anything that is not here does not happen to a scan.

    deliver -> [queue] -> tick: turn (intake, core, commands) -> commit -> picture, push, acknowledge
                                     \-> historian (bounded hand-over, never in the way)

Why: write first, tell later. A tick takes all that waits, reads the clock once and commits once; while a commit runs,
what comes in waits for the next tick, so merging is by back-pressure. A large tick is judged beside the loop, so that
pages and devices do not wait for it; it is still one tick after the other, and who reads what the core remembers waits
until it is ``settled``.
When the store cannot write, judging goes on from memory, the outcomes wait (bounded) and the gateway says so.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.desk import Answer, Desk, Outcome
from alerting.model.command import Command, Verb
from edge.model import Link, Nature, Scan
from gateway.acknowledge import Acknowledger, Receipt
from gateway.config import Site
from gateway.delivery.books import Books
from gateway.executor import Executor, InlineExecutor
from gateway.heap import give_back
from gateway.historian.port import Historian
from gateway.intake import Intake
from gateway.laps import Laps
from gateway.live import Columns, Picture
from gateway.meter import Meter, Stage
from gateway.receive import ReceiveClock
from gateway.record import EventLog, Recorder
from gateway.rules.book import Swap
from gateway.store import checkpoint
from gateway.store.acts import take_over
from gateway.store.commit import DelayRow, Mark, commit, delay_rows, marks, without_known
from gateway.store.gaps import GapRow, gap_rows
from gateway.store.store import Store
from gateway.system import main_nature
from gateway.turn import Item, Turned, moved, take_turn

TICK_S = 0.25  # A tick at least this often: delays and silence expire without a sample (design §3).
AWAY_NS = 1_000_000_000  # A longer pause between two ticks is the road's own, and is told.
ITEMS_MAX = 20_000  # Scans waiting for the core; at 1,000 scans a second 20 s of a stopped core.
COMMANDS_MAX = 5_000
UNWRITTEN_MAX = 50_000  # Ticks with changes that may wait for a store that cannot write; quiet ones take no place.
WRITE_S = 1.0  # A store that takes longer must not keep the next tick from being judged.
MARK_NS = 1_000_000_000  # How far sources have come is written at least that often.
CHECKPOINT_NS = 10_000_000_000
GIVE_EVENTS = 10_000  # After so many events the pages that making them took go back to the machine.
OFF_LOOP = 5_000  # Samples from which on a tick is judged beside the loop; fewer take it a millisecond or two.
SLICE_SCANS, SLICE_SAMPLES = 50, 5_000  # What of a large tick the loop does in one piece, beside the judging.

Compose = Callable[[Connection, Outcome], list[dict[str, Any]]]
log = structlog.get_logger("flow")


@dataclass(slots=True, kw_only=True)
class _Unwritten:
    """One tick's share of the next transaction."""

    outcome: Outcome
    delays: list[DelayRow]
    gaps: list[GapRow]
    marks: list[Mark]
    receipts: list[Receipt]
    checkpoints: dict[Nature, bytes]
    events: int  # as judged; what a former life committed already is left out of the outcome
    asked: list[asyncio.Future[Answer]] = field(default_factory=list)
    swap: Swap | None = None
    swapped: asyncio.Future[None] | None = None


@dataclass(kw_only=True, eq=False)
class Road:
    """Carries scans, links and commands down the road."""

    site: Site
    desk: Desk
    intake: Intake
    clock: ReceiveClock
    store: Store
    historian: Historian
    picture: Picture
    meter: Meter
    compose: Compose
    wake_push: Callable[[], None]
    books: Books | None = None
    recorder: Recorder | None = None
    event_log: EventLog | None = None
    judging: Executor = field(default_factory=InlineExecutor)
    off_loop: int = OFF_LOOP
    laps: Laps | None = None

    def __post_init__(self) -> None:
        self.acknowledger = Acknowledger()
        self._since_given = 0  # events since memory was given back
        self.dropped = 0
        self.scans = 0
        self.is_ready = False
        self.store_error = ""
        self._items: deque[tuple[Item, Receipt | None]] = deque()
        self._held_samples = 0
        self._commands: deque[tuple[Command, asyncio.Future[Answer]]] = deque()
        self._swap: tuple[Swap, asyncio.Future[None]] | None = None
        self._unwritten: list[_Unwritten] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_stirred = False
        self._rest: asyncio.Future[None] | None = None
        self._settled = asyncio.Event()
        self._settled.set()
        self._nature = main_nature(self.site)
        self._natures = {source.id: source.nature for source in self.site.sources}
        self._marked_ns = self._checkpointed_ns = self._ticked_ns = self.clock.now_ns()
        self.away_ns = 0  # in all
        self._refused: dict[str, int] = {}
        self._is_flooded = False  # as the page was told last
        self._historian_before = (0, 0, 0)
        meter = self.meter
        meter.held(Stage.COLLECT, lambda: self._held_samples)
        meter.held(Stage.COMMIT, lambda: sum(u.events for u in self._unwritten))
        meter.held(Stage.HISTORIAN, self._held_by_historian)
        meter.queue("intake", lambda: len(self._items), ITEMS_MAX, lambda: self.dropped)
        meter.queue("unwritten", lambda: len(self._unwritten), UNWRITTEN_MAX, lambda: 0)

    # ------------------------------------------------------------------ doors

    def deliver(self, item: Item, acknowledge: Callable[[], None] | None = None) -> bool:
        """Take an item from a collector, on the event loop; never blocks.

        Returns:
            False where a full queue refused and counted it. A collector that acknowledges must then connect anew,
            because a broker sends again only what a new connection has not acknowledged.
        """
        samples = len(item) if isinstance(item, Scan) else 0
        self.meter.entered(Stage.COLLECT, samples)
        if len(self._items) >= ITEMS_MAX and isinstance(item, Scan):  # A change of a link is small and always passes.
            self.dropped += samples
            self.meter.refused(Stage.COLLECT, "overflow", samples)
            return False
        receipt = None
        if acknowledge is not None:
            receipt = Receipt(
                source=item.source, received_ns=item.received_ns, acknowledge=acknowledge, samples=samples
            )
            self.acknowledger.expect(receipt)
        self._items.append((item, receipt))
        self._held_samples += samples
        self._stir()
        return True

    async def command(self, command: Command) -> Answer:
        """Put a person's command into the next tick; give its answer after the commit."""
        (answer,) = await self.command_all([command])
        return answer

    async def command_all(self, commands: Sequence[Command]) -> Sequence[Answer]:
        """Put commands into the next tick together, so that one transaction holds them; give their answers after it."""
        if not commands:
            return []
        if len(self._commands) + len(commands) > COMMANDS_MAX:
            busy = {"en": "Too many commands are waiting; try again.", "zh": "等待处理的指令过多,请重试。"}
            return [Answer(command=command, refused=busy) for command in commands]
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[Answer]] = [loop.create_future() for _ in commands]
        self._commands += zip(commands, answers, strict=True)
        self._stir()
        return await asyncio.gather(*answers)

    async def swap(self, swap: Swap) -> None:
        """Let another revision of the configuration take over at the end of the next tick; returns after the commit."""
        assert self._swap is None, "the rulebook lets one swap through at a time"
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._swap = swap, done
        self._stir()
        await done

    def follow(self, site: Site, compose: Compose) -> None:
        """Go by another site from now on; called by what a swap adopts."""
        self.site, self.compose = site, compose
        self._natures = {source.id: source.nature for source in site.sources}

    @property
    def room(self) -> int:
        """How many items more may be delivered by those who can wait; the last quarter is for those who cannot."""
        return max(0, ITEMS_MAX * 3 // 4 - len(self._items))

    # ------------------------------------------------------------------- tick

    async def run(self) -> None:
        """Tick until cancelled; what waits at the end is carried first."""
        ticking: asyncio.Task[None] | None = None
        self._ticked_ns = self.clock.now_ns()
        try:
            while True:
                await self._wait()
                if self._idle():
                    continue
                if max(self._held_samples, len(self.site.tags)) < self.off_loop:
                    await asyncio.sleep(0)  # What others deliver at this moment comes along.
                    await self.tick()  # It waits for nothing but its commit, and that goes on without it.
                    continue
                ticking = asyncio.create_task(self.tick(), name="tick")
                await asyncio.shield(ticking)  # What a thread judges cannot be taken back; its tick ends.
        finally:
            if ticking is not None:
                await ticking
            await self.tick()
            if self._writing is not None:
                await asyncio.wait({self._writing})
            await self._write(is_last=True)

    def _idle(self) -> bool:
        """Take a tick in which nothing came, nothing is due and nothing waits to be written, as nearly all are."""
        if self.laps is not None:
            self.laps.begin()
        now_ns = self.clock.now_ns()
        is_writing = bool(self._unwritten) or (self._writing is not None and not self._writing.done())
        is_asked = bool(self._items or self._commands) or self._swap is not None
        if (
            is_asked
            or is_writing
            or now_ns - self._marked_ns >= MARK_NS
            or now_ns - self._checkpointed_ns >= CHECKPOINT_NS
            or now_ns - self._ticked_ns > AWAY_NS
        ):
            return False
        outcome = self.desk.idle(now_ns)
        if outcome is None:
            return False
        self._ticked_ns = now_ns
        self._is_stirred = False  # Who woke the road for nothing must not keep it from ever waiting again.
        if self.recorder is not None:
            self.recorder.idle(outcome)
        self._count_historian()
        self.meter.entered(Stage.FEED)
        self.picture.pass_time(outcome.number, now_ns)
        self.meter.left(Stage.FEED)
        self.acknowledger.hurry(now_ns)
        self.is_ready = True
        self._lap("idle ticks")
        return True

    async def tick(self) -> None:
        """Carry all that waits, once."""
        self._is_stirred = False
        if self.laps is not None:
            self.laps.begin()
        carried = [self._items.popleft() for _ in range(len(self._items))]
        asked = [self._commands.popleft() for _ in range(len(self._commands))]
        (swap, swapped), self._swap = self._swap or (None, None), None
        samples = sum(len(item) for item, _ in carried if isinstance(item, Scan))
        self._held_samples -= samples
        now_ns = self.clock.now_ns()
        away_ns = self._away(now_ns)
        items, commands = [item for item, _ in carried], [command for command, _ in asked]
        prepared = None if swap is None else swap.prepared
        is_large = samples >= self.off_loop and prepared is None
        columns, packed = None, None
        if is_large:
            turned, columns, packed = await self._turn_beside(items, commands, now_ns, away_ns)
        else:
            turned = take_turn(self.desk, self.intake, items, commands, now_ns, swap=prepared, away_ns=away_ns)
        self._lap("intake and core")
        await self._keep_all(turned, carried, is_large=is_large)  # By the rows of before, as are those of a recording.
        if self.recorder is not None:
            self.recorder.tick(items, commands, turned.outcome, prepared, away_ns)
        if swap is not None:
            swap.adopt(now_ns)
            turned.shown = moved(turned.shown, swap.prepared.exchange) + turned.outcome.made_after
            for made in turned.outcome.made_after:
                self.historian.append(made)
        self._count(turned, items)
        if packed is None and prepared is None:
            packed = await self._pack_beside(turned.outcome, now_ns)
        receipts = [receipt for _, receipt in carried if receipt is not None]
        self._hold(turned.outcome, receipts, now_ns, packed, is_swap=swap is not None)
        if asked:  # An answer is a change, so this tick is the last in line.
            self._unwritten[-1].asked = [future for _, future in asked]
        if swap is not None:
            self._unwritten[-1].swap, self._unwritten[-1].swapped = swap, swapped
        self._lap("books and marks")
        await self._write()
        if self.laps is not None:
            self.laps.begin()
        if columns is not None:
            await self._show(columns)
            turned.shown = []
        self._tell(turned, now_ns)
        self._lap("telling")
        self.is_ready = True

    def _away(self, now_ns: int) -> int:
        """Tell how long the road stood still since the tick before, beyond what is its pace; 0 for what is no pause.

        A machine that has other things to do, or an outcome of a hundred thousand alarms: what came meanwhile was not
        heard, and whoever takes that for silence rings for the whole plant, and so has still more to do.
        """
        away_ns = now_ns - self._ticked_ns - round(TICK_S * 1e9)
        self._ticked_ns = now_ns
        if away_ns <= AWAY_NS - round(TICK_S * 1e9):
            return 0
        self.away_ns += away_ns
        log.warning("road.away", seconds=round(away_ns / 1e9, 2))
        return away_ns

    async def _turn_beside(
        self, items: Sequence[Item], commands: Sequence[Command], now_ns: int, away_ns: int
    ) -> tuple[Turned, Columns | None, dict[Nature, bytes] | None]:
        """Take a turn in another thread, with what is to be shown of it, and a checkpoint where one is due.

        Nobody else touches desk and intake meanwhile.
        """

        def work() -> tuple[Turned, Columns | None, dict[Nature, bytes] | None]:
            turned = take_turn(self.desk, self.intake, items, commands, now_ns, away_ns=away_ns)
            packed = self._pack() if self._is_checkpoint_due(turned.outcome, now_ns) else None
            return turned, _columns(turned.shown), packed

        self._settled.clear()
        try:
            return await self.judging.run(work)
        finally:
            self._settled.set()

    async def _pack_beside(self, outcome: Outcome, now_ns: int) -> dict[Nature, bytes] | None:
        """Pack a checkpoint that is due in another thread, where it takes long; None for none, or for here and now."""
        if len(self.site.tags) < self.off_loop or not self._is_checkpoint_due(outcome, now_ns):
            return None
        self._settled.clear()
        try:
            return await self.judging.run(self._pack)
        finally:
            self._settled.set()

    async def settled(self) -> None:
        """Wait until no turn is under way; what is read before the next ``await`` is of one tick."""
        while not self._settled.is_set():
            await self._settled.wait()

    def _lap(self, stage: str) -> None:
        if self.laps is not None:
            self.laps.end(stage)

    async def _wait(self) -> None:
        if self._is_stirred or self._items or self._commands or self._swap is not None:
            return
        loop = asyncio.get_running_loop()
        self._rest = loop.create_future()  # Four times a second: a timeout around an event costs several times that.
        timer = loop.call_later(TICK_S, _end_rest, self._rest)
        try:
            await self._rest
        finally:
            timer.cancel()

    def _stir(self) -> None:
        """Say that something came: the tick that rests begins."""
        self._is_stirred = True
        if self._rest is not None:
            _end_rest(self._rest)

    async def _keep_all(
        self, turned: Turned, carried: Sequence[tuple[Item, Receipt | None]], *, is_large: bool
    ) -> None:
        """Hand a turn's samples over; of a large one in pieces, between which whoever waits for the loop goes first."""
        step = SLICE_SCANS if is_large else max(1, len(carried))
        for first in range(0, len(carried), step):
            self._keep(turned.entered[first : first + step], carried[first : first + step])
            if is_large:
                await asyncio.sleep(0)
        for made in turned.made:
            self.historian.append(made)
        self._lap("historian")

    async def _show(self, columns: Columns) -> None:
        """Give the picture a large turn's values in pieces; what it tells comes after the last."""
        rows, values, quality, times_ns = columns
        for first in range(0, len(rows), SLICE_SAMPLES):
            mine = slice(first, first + SLICE_SAMPLES)
            self.picture.take_values((rows[mine], values[mine], quality[mine], times_ns[mine]))
            await asyncio.sleep(0)

    def _keep(self, entered: Sequence[list[Scan]], carried: Sequence[tuple[Item, Receipt | None]]) -> None:
        """Hand the samples to the historian; it answers when they are committed or lost."""
        for (_, receipt), parts in zip(carried, entered, strict=True):
            if self.books is not None:
                self.books.note(parts)
            for part in parts:
                if receipt is None:
                    self.historian.append(part)
                    continue
                receipt.parts += 1
                self.historian.append(part, self._kept(receipt))

    def _kept(self, receipt: Receipt) -> Callable[[bool], None]:
        """Make the call that tells the acknowledger about one part of an item; a lost part is counted elsewhere."""

        def done(_is_committed: bool) -> None:  # noqa: FBT001  # the historian's word
            self.acknowledger.kept(receipt)

        return done

    def _is_checkpoint_due(self, outcome: Outcome, now_ns: int) -> bool:
        is_told = any(answer.command.verb is Verb.EMPTY for answer in outcome.answers)  # a person's word
        is_told |= any(remark["kind"] == "drift_relearned" for remark in outcome.remarks)
        return is_told or now_ns - self._checkpointed_ns >= CHECKPOINT_NS

    def _hold(
        self,
        outcome: Outcome,
        receipts: list[Receipt],
        now_ns: int,
        packed: dict[Nature, bytes] | None,
        *,
        is_swap: bool,
    ) -> None:
        """Put what the tick changed in line for the next transaction; a swap is a change of its own.

        Args:
            packed: The checkpoint, where it was packed with the turn.
        """
        due_mark = now_ns - self._marked_ns >= MARK_NS
        due_checkpoint = self._is_checkpoint_due(outcome, now_ns)
        is_quiet = outcome.is_empty and not is_swap
        if is_quiet and not due_mark and not self._unwritten:
            self.acknowledger.committed(receipts)  # Nothing durable hangs on these items.
            return
        if is_quiet and self._unwritten:  # The store cannot write: a quiet tick moves the last one's marks on.
            last = self._unwritten[-1]
            last.marks = marks(self.desk, self.intake, self._natures)
            last.receipts += receipts
            self._marked_ns = now_ns
            return
        self._unwritten.append(
            _Unwritten(
                outcome=outcome,
                events=len(outcome.events),
                delays=delay_rows(self.desk, outcome),
                gaps=gap_rows(outcome.gaps),
                marks=marks(self.desk, self.intake, self._natures),
                receipts=receipts,
                checkpoints=(packed or self._pack()) if due_checkpoint else {},
            )
        )
        self._marked_ns = now_ns
        if due_checkpoint:
            self._checkpointed_ns = now_ns
        assert len(self._unwritten) <= UNWRITTEN_MAX, "the store has not written for too long; restart from the disk"

    async def _write(self, *, is_last: bool = False) -> None:
        """Commit all ticks in line, and go on judging when the store does not answer within ``WRITE_S``."""
        if self._writing is None or self._writing.done():
            if not self._unwritten and not is_last:
                return
            self._writing = asyncio.create_task(self._write_once(is_last=is_last), name="commit")
        await asyncio.wait({self._writing}, timeout=None if is_last else WRITE_S)
        if self._writing.done():
            self._writing.result()
        elif not self.store_error:
            self.store_error = "the store does not answer"
            self.meter.error(Stage.COMMIT, self.store_error, self.clock.now_ns())

    async def _write_once(self, *, is_last: bool) -> None:
        """Commit all ticks in line, in one transaction; on failure they stay in line."""
        waiting = list(self._unwritten)
        contents = self._pack() if is_last else {}
        for each in waiting:
            if each.checkpoints and not is_last:
                contents = each.checkpoints  # the newest of those that wait
        nature, now_ns = self._nature, self.clock.now_ns()

        def write(connection: Connection) -> None:
            for each in waiting:
                each.outcome = without_known(connection, each.outcome)
                notices = self.compose(connection, each.outcome)
                if each.swap is not None:
                    each.swap.write(connection, each.outcome.now_ns)
                commit(
                    connection, self.store.journal, each.outcome, each.delays, each.marks, notices, nature, each.gaps
                )
            take_over(connection, self.store.journal, nature, now_ns)
            if contents:
                checkpoint.save(connection, now_ns, contents)

        started_ns = self.clock.monotonic_ns()
        try:
            await self.store.write(
                write, is_silent=not any(each.swap or is_waited_for(each.outcome) for each in waiting)
            )
        except SQLAlchemyError as failure:
            if not self.store_error:
                log.exception("commit.failed")
            self.store_error = str(failure)
            self.meter.error(Stage.COMMIT, str(failure), now_ns)
            self.meter.noted(Stage.COMMIT, "failed")
            return
        if self.store_error:
            log.info("commit.recovered", ticks=len(waiting))
            self.store_error = ""
        del self._unwritten[: len(waiting)]
        self.meter.delay(Stage.COMMIT, (self.clock.monotonic_ns() - started_ns) / 1e9)
        for each in waiting:
            self._tell_written(each)
        if any(each.outcome.events for each in waiting):
            self.wake_push()
        await self._tidy(is_due=bool(contents))  # Every 10 s at most: it looks through all there is.

    async def _tidy(self, *, is_due: bool) -> None:
        """After a flood, give back the memory that making its events took: a third of all that 100,000 alarms need."""
        if is_due and self._since_given >= GIVE_EVENTS:
            self._since_given = 0
            await self.judging.run(give_back)

    def _tell_written(self, each: _Unwritten) -> None:
        """Tell those who waited for this tick's commit: its sources, who asked, the event log."""
        self.meter.left(Stage.COMMIT, each.events)
        self._since_given += each.events
        self.acknowledger.committed(each.receipts)
        if each.asked:
            for future, answer in zip(each.asked, each.outcome.answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        if each.swapped is not None and not each.swapped.done():
            each.swapped.set_result(None)
        if self.event_log is not None:
            self.event_log.write(each.outcome.events)

    def _tell(self, turned: Turned, now_ns: int) -> None:
        """Tell the page; after the commit, or from memory while the store cannot write."""
        outcome = turned.outcome
        values = _columns(turned.shown)
        self.meter.entered(Stage.FEED)
        self.picture.set_status(requests=len(self.desk.requests))
        flood = self.desk.floods.open.get(self._nature)
        if outcome.floods or (flood is not None) != self._is_flooded:
            self._is_flooded = flood is not None
            self.picture.set_flood(None if flood is None else flood.state())
        self.picture.publish(
            outcome.number,
            now_ns,
            values=values,
            alarms=outcome.alarms.values(),
            units={unit: tier for (n, unit), tier in outcome.units.items() if n is self._nature},
        )
        self.meter.left(Stage.FEED)
        self.acknowledger.hurry(now_ns)

    def _pack(self) -> dict[Nature, bytes]:
        return {nature: checkpoint.pack(self.desk, nature) for nature in self.desk.memories}

    def _count(self, turned: Turned, items: Sequence[Item]) -> None:
        """Keep the books: what came into each stage went on, is held, or was refused with a reason."""
        self._lap("recording")
        meter = self.meter
        samples = sum(len(item) for item in items if isinstance(item, Scan))
        self.scans += sum(isinstance(item, Scan) for item in items)
        entered = turned.live + turned.late + turned.unjudged + turned.retained
        meter.left(Stage.COLLECT, samples)
        meter.entered(Stage.INTAKE, samples)
        meter.left(Stage.INTAKE, entered)
        for reason, count in self.intake.refused.items():
            fresh = count - self._refused.get(reason, 0)
            if fresh:
                meter.refused(Stage.INTAKE, reason, fresh)
                self._refused[reason] = count
        for what, count in self.intake.replaced.items():
            fresh = count - self._refused.get(f"replaced.{what}", 0)
            if fresh:
                meter.noted(Stage.INTAKE, what, fresh)
                self._refused[f"replaced.{what}"] = count
        meter.entered(Stage.EVALUATE, turned.live + turned.late)
        meter.left(Stage.EVALUATE, turned.live + turned.late)
        if turned.derived:
            meter.noted(Stage.EVALUATE, "derived", turned.derived)
        meter.entered(Stage.COMMIT, len(turned.outcome.events))
        self._count_historian()
        for item in items:
            if isinstance(item, Scan):
                meter.delay(Stage.INTAKE, max(0.0, (turned.outcome.now_ns - item.received_ns) / 1e9))
            elif isinstance(item, Link) and not item.is_up:
                meter.error(Stage.COLLECT, f"{item.source}: {item.reason or 'link down'}", item.received_ns)

    def _count_historian(self) -> None:
        """Count what the historian took, committed and lost since its books were read last."""
        counts, meter = self.historian.counts, self.meter
        if self._historian_before == (counts.taken, counts.committed, counts.lost):
            return
        taken, committed, lost = self._historian_before
        meter.entered(Stage.HISTORIAN, counts.taken - taken)
        meter.left(Stage.HISTORIAN, counts.committed - committed)
        if counts.lost > lost:
            meter.refused(Stage.HISTORIAN, "lost", counts.lost - lost)
        self._historian_before = (counts.taken, counts.committed, counts.lost)

    def _held_by_historian(self) -> int:
        """What the historian held when its books were last read; it commits between two ticks."""
        taken, committed, lost = self._historian_before
        return taken - committed - lost

    @property
    def unwritten(self) -> int:
        """Ticks that wait for the store."""
        return len(self._unwritten)


def _end_rest(rest: asyncio.Future[None]) -> None:
    if not rest.done():
        rest.set_result(None)


def is_waited_for(done: Outcome) -> bool:
    """Tell whether others look at what a tick wrote; delays, marks and gaps are the road's own."""
    kept = (done.events, done.alarms, done.units, done.entries, done.requests, done.stops, done.floods)
    return any(kept) or any((done.disposals, done.tasks, done.answers, done.remarks))


def _columns(scans: Sequence[Scan]) -> Columns | None:
    """Put scans side by side, as ``Picture.publish`` wants them; None for none."""
    if not scans:
        return None
    return (
        np.concatenate([scan.rows for scan in scans]),
        np.concatenate([scan.values for scan in scans]),
        np.concatenate([scan.quality for scan in scans]),
        np.concatenate([scan.times_ns for scan in scans]),
    )
