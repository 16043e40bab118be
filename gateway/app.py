"""The composition root: makes every part, hands each what it needs, runs all, and ends them in order.

Why: constructors only store; nothing connects before ``run``. This is the only place that knows all parts.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import structlog
from sqlalchemy import Connection

from alerting.core import Memory
from alerting.core.backend import Backend
from alerting.core.derived.told import told
from alerting.desk import Answer, Desk
from alerting.model.command import Command
from alerting.model.rule import RuleTable
from alerting.swap import Beside, Prepared
from edge.clock import Clock
from edge.collect.door import Collector, Raw
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.mqtt.paho import PahoLink
from edge.collect.registry import Collectors
from edge.collecting import Collecting, MakeCollector
from edge.disk import Disk, SystemDisk
from edge.model import Link, Nature, Scan
from edge.uplink_mqtt import OpenLink
from gateway.api.house import Act, SourceStatus
from gateway.checkout.records import OpenOnes
from gateway.config import Site
from gateway.delivery.books import Books
from gateway.delivery.keeping import BookKeeper
from gateway.drill.lead import Drills
from gateway.duty.watch import Watch
from gateway.escalation.caller import Caller
from gateway.escalation.telling import Telling
from gateway.exchange.follow import Exchange
from gateway.executor import Executor, InlineExecutor, ThreadExecutor
from gateway.flow import Road
from gateway.heap import give_back, put_away
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.file import DAY_NS, Retention
from gateway.historian.port import Historian
from gateway.intake import Intake
from gateway.laps import Laps
from gateway.live import Columns, Picture
from gateway.load.overlay import NOTHING
from gateway.means import Means
from gateway.meter import Meter
from gateway.nodes.broker_status import BrokerStatus
from gateway.nodes.listener import NodeListener, hash_of_node
from gateway.nodes.reception import NodeStatus, Reception, Taken
from gateway.others import Others
from gateway.probe import Asked, Probed, Prober
from gateway.push.channel import Channel
from gateway.push.periodic import Periodic, Standing
from gateway.push.worker import PushWorker
from gateway.receive import ReceiveClock
from gateway.record import EventLog, Recorder
from gateway.register.busy import BusyZones
from gateway.register.event_turns import EventTurns
from gateway.register.opening import Opener
from gateway.register.quantities import Quantities
from gateway.register.ticket_watch import TicketWatch
from gateway.report_mail.sender import Sender
from gateway.response.call_watch import CallWatch
from gateway.response.crowd_watch import CrowdWatch
from gateway.response.zones import Zones
from gateway.rules.approval import Proposals
from gateway.rules.book import Begun, Checked, Compile, NotApplied, ReadDisk, Rulebook, Swap, begin
from gateway.rules.past import past_rules
from gateway.rules.revision import Origin, Revision
from gateway.rules.revision import add as add_revision
from gateway.rules.revision import audit as audit_revision
from gateway.rules.revision import last as last_revision
from gateway.runs.keeper import Runs
from gateway.sources import Sources
from gateway.store import checkpoint
from gateway.store.acts import take_over
from gateway.store.commit import Mark, known_marks, put_marks, restore
from gateway.store.engine import open_store, store_url
from gateway.store.gaps import PastRulesError, restore_gaps
from gateway.store.journal import canonical, install_key
from gateway.store.store import Store
from gateway.system import (
    main_nature,
    with_system,
)
from gateway.system_watch import SystemWatch

T = TypeVar("T")
if TYPE_CHECKING:
    from gateway.historian.influx import InfluxWriter

log = structlog.get_logger("gateway")

COMPILER = "/libllvmlite.so"  # 50 MB of a compiler that nobody asks again once the kernels are there.


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a caller may hand in place of the real thing: seams for the manual clock and for simulations."""

    historian: Historian | None = None
    writer: Executor | None = None
    reader: Executor | None = None
    disk: Disk | None = None
    make_collector: MakeCollector = field(default_factory=Collectors)
    compiler: Executor | None = None
    judging: Executor | None = None  # where large ticks are judged; none: on the loop
    compile: Compile | None = None
    zones: Executor | None = None  # where consequence zones are worked out
    drills: Executor | None = None  # where stories are read and their physics runs alone
    on_disk: ReadDisk = field(default=lambda _: None)
    config: Path | None = None
    record: Path | None = None
    event_log: EventLog | None = None
    jitter_seed: int | None = None
    channels: Mapping[str, Channel] | None = None  # in place of webhooks, by destination
    laps: Laps | None = None  # real time by stage, for simulations
    open_node_link: OpenLink = PahoLink
    warm: Callable[[], None] | None = (
        None  # what makes the compiled backend ready, in a thread; none: array code judges
    )


class Gateway:
    """One running site: the ``House`` of the API."""

    def __init__(self, site: Site, clock: Clock, parts: Parts | None = None) -> None:
        parts = parts or Parts()
        self._parts = parts
        site.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk = parts.disk or SystemDisk(site.data)
        self.engine = open_store(store_url(site.data))
        self.store = Store(
            self.engine,
            install_key(disk),
            disk,
            parts.writer or ThreadExecutor("store-writer"),
            parts.reader or ThreadExecutor("store-reader", threads=2),
        )
        with self.engine.connect() as connection:
            committed_ns = max((m.received_ns for m in known_marks(connection).values()), default=0)
            kept = last_revision(connection)
        self.clock = ReceiveClock(clock, committed_ns)
        start_ns = self.clock.now_ns()
        compiler = None if parts.compile is None else _with_system(parts.compile)
        site, overlay = with_system(site), NOTHING
        if kept is not None and kept.revision.overlay and compiler is not None:
            overlay = kept.revision.overlay  # What was changed while the gateway ran stays in force.
            site = compiler(overlay, [])
        begun = begin(site, overlay, kept, start_ns)
        self.site = site = replace(site, rules=begun.table)
        self.meter = Meter()
        self.desk = Desk(
            site.id,
            site.rules,
            site.units,
            site.tasks,
            start_ns,
            site.derived,
            tiering=site.tiering,
            philosophy=site.philosophy,
        )
        self.intake = Intake(site.sources, site.tags)
        self.picture = Picture(site, start_ns)
        self.checkouts = OpenOnes()
        self.books = Books()
        self._keeper = BookKeeper(self.books, lambda: self.site, self.clock, partial(self.store.write, is_silent=True))
        self._sources = Sources(
            site, self.clock, self.meter, collectors=lambda: self.collectors, nodes=lambda: self.reception
        )
        self.reception = Reception(
            site,
            self.clock,
            self.meter,
            deliver=self._deliver,
            room=lambda: self.road.room,
            is_link_up=self._sources.is_linked,
            epoch_of=lambda source: self.intake.state[source].epoch,
            write=self.store.write,
            is_broken=lambda: bool(self.road.store_error),
        )
        self.listener: NodeListener | None = None
        if site.node_broker is not None:
            self.listener = NodeListener(
                site.node_broker,
                self.meter,
                is_known=lambda name: any(name in source.nodes for source in self.reception.sources.values()),
                hash_of=lambda name: self.store.read(lambda connection: hash_of_node(connection, name)),
                take=self.take_from_node,
                open_link=parts.open_node_link,
            )
        self._compiler = parts.compiler or ThreadExecutor("rules")
        self.rulebook = Rulebook(
            site=site,
            compile=compiler,
            executor=self._compiler,
            road=_Swapper(self),
            table=site.rules,
            number=begun.number,
            overlay=begun.overlay,
            disk=parts.on_disk,
            config=parts.config,
        )
        self.proposals = Proposals(
            book=lambda: self.rulebook,
            clock=self.clock,
            read=self.store.read,
            write=lambda fn, deed: self.write(
                fn, Act(who=deed.who, what=deed.what, time_ns=deed.time_ns, facts=deed.facts)
            ),
        )
        self.drills = Drills(
            site=lambda: self.site,
            revision=lambda: self.rulebook.number,
            clock=self.clock,
            store=self.store,
            historian=lambda: self.historian,
            picture=self.picture,
            wake_push=self.wake_push,
            executor=parts.drills or ThreadExecutor("drill"),
        )
        self.runs = Runs(site.data / "runs", self.clock)
        self.store.write_now(lambda connection: self._restore(connection, start_ns, begun))
        self.historian = parts.historian or EmbeddedHistorian(
            site.data / "history.db", site.tags, self.clock, retention=Retention(raw_ns=site.raw_days * DAY_NS)
        )
        self.influx = self._open_influx()
        self.push = PushWorker(
            site=site,
            clock=self.clock,
            meter=self.meter,
            write=self.store.write,
            read=self.store.read,
            seed=parts.jitter_seed,
            channels=parts.channels,
        )
        means = Means(
            site=lambda: self.site,
            clock=self.clock,
            meter=self.meter,
            read=self.store.read,
            write=self.store.write,
            wake_push=self.push.wake,
            changes=self.store.changes,
        )
        self._others = Others(means, self.store)
        self.caller = Caller(means)
        self.duties = Watch(means)
        self.opener, self.tickets, self.crowds, self._events = (
            Opener(means),
            TicketWatch(means, self.command_all),
            BusyZones(means, self.picture),
            EventTurns(means),
        )
        self.crowd_watch = CrowdWatch(means, self.picture)
        self.quantities = Quantities(means, self.picture)
        self._calls = CallWatch(means)
        self._exchange = Exchange(means, taken_out=self.push.take_out)
        self.reports = Sender(means)
        self.zones = Zones(means, self.picture, parts.zones or ThreadExecutor("zones"))
        self._periodic = Periodic(
            site=lambda: self.site,
            clock=self.clock,
            write=self.store.write,
            stands=lambda: Standing(
                memory_of=self.desk.memory,
                is_up=self._sources.all_up(),
            ),
            wake=self.push.wake,
        )
        self._recorder: Recorder | None = None
        self.road = Road(
            site=site,
            desk=self.desk,
            intake=self.intake,
            clock=self.clock,
            store=self.store,
            historian=self.historian,
            picture=self.picture,
            meter=self.meter,
            compose=Telling(site, self.store.journal),
            wake_push=self._wake_tellers,
            books=self.books,
            event_log=parts.event_log,
            judging=parts.judging or InlineExecutor(),
            laps=parts.laps,
        )
        self._is_warm = parts.warm is None
        self.collecting = Collecting(
            parts.make_collector, self.clock, self._deliver, lambda name: self.intake.state[name].epoch
        )
        self.collecting.make(site.sources, site.tags)
        self.collectors: Mapping[str, Collector] = self.collecting.collectors
        self.prober = Prober(self.collectors, self.clock)
        self._system = SystemWatch(
            site=lambda: self.site,
            clock=self.clock,
            meter=self.meter,
            sources=self._sources,
            collectors=lambda: self.collectors,
            reception=self.reception,
            listener=self.listener,
            intake=self.intake,
            road=self.road,
            historian=self.historian,
            push=self.push,
            reports=self.reports,
            crowds=self.crowds,
            quantities=self.quantities,
            picture=self.picture,
            checkouts=self.checkouts,
            deliver=lambda scan: self._deliver(scan, None),
        )

    # -------------------------------------------------------------------- run

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the road, the collectors and the push while the body runs; then carry what waits and close.

        The road ends last, so that what the collectors delivered is still judged and committed.
        """
        self._listen()
        feeders = [
            asyncio.create_task(self.collecting.run(), name="collecting"),
            asyncio.create_task(self._system.run(), name="system"),
            asyncio.create_task(self._keeper.run(), name="delivery"),
            asyncio.create_task(self.push.run(), name="push"),
            asyncio.create_task(self._others.run(), name="others"),
            asyncio.create_task(self.caller.run(), name="escalation"),
            asyncio.create_task(self.duties.run(), name="duties"),
            asyncio.create_task(self.reports.run(), name="reports"),
            asyncio.create_task(self.proposals.watch(), name="proposals"),
            asyncio.create_task(self.opener.run(), name="hazards"),
            asyncio.create_task(self.crowds.run(), name="crowds"),
            asyncio.create_task(self.crowd_watch.run(), name="crowd-response"),
            asyncio.create_task(self.quantities.run(), name="quantities"),
            asyncio.create_task(self._calls.run(), name="call-out"),
            asyncio.create_task(self.tickets.run(), name="tickets"),
            asyncio.create_task(self._events.run(), name="events"),
            asyncio.create_task(self._exchange.run(), name="exchange"),
            asyncio.create_task(self.zones.run(), name="zones"),
        ]
        if any(destination.profile.data for destination in self.site.destinations):
            feeders.append(asyncio.create_task(self._periodic.run(), name="push-data"))
        if self.influx is not None:
            feeders.append(asyncio.create_task(self.influx.run(), name="influx"))
        if self.listener is not None:
            feeders.append(asyncio.create_task(self.listener.run(), name="nodes"))
        warming = asyncio.create_task(self._warm(), name="kernels")
        road = asyncio.create_task(self.road.run(), name="road")
        watch = asyncio.create_task(_first_failure([*feeders, road]), name="watch")
        body = asyncio.current_task()
        assert body is not None
        watch.add_done_callback(lambda done: None if done.cancelled() else body.cancel())
        try:
            yield
        finally:
            failure = watch.exception() if watch.done() and not watch.cancelled() else None
            watch.cancel()
            await self.drills.close()
            await self.runs.close()
            await _end([*feeders, warming])
            await _end([road])
            await self._keeper.write()
            await self.historian.close()
            if self._recorder is not None:
                self._recorder.close()
            self.store.close()
            self._compiler.close()
            self.road.judging.close()
            self.zones.close()
            if failure is not None:
                raise failure

    def _listen(self) -> None:
        """Begin to listen: on a large site making all parts takes longer than many a tag may be silent."""
        now_ns = self.clock.now_ns()
        self._sources.listen_from(now_ns)
        self._keeper.started_ns = now_ns
        self.desk.listen_from(now_ns)
        if self._parts.record is not None:
            self._recorder = Recorder(self._parts.record, self.desk, self.intake, self.site.revision)
            self.road.recorder = self._recorder

    # ---------------------------------------------------- what the API asks for

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in the executor of readers."""
        return await self.store.read(fn)

    async def write(self, fn: Callable[[Connection], T], act: Act | None = None) -> T:
        """Run a write of the API, with its act in the journal, in one transaction."""
        if act is None:
            return await self.store.write(fn)

        def write(connection: Connection) -> T:
            result = fn(connection)
            self.store.audit(connection, main_nature(self.site), act.time_ns, act.who, act.what, **act.facts)
            return result

        return await self.store.write(write)

    def sign(self, text: bytes) -> tuple[str, str]:
        """Sign a text with the installation's key."""
        return self.store.journal.sign(text)

    async def command(self, command: Command) -> Answer:
        """Put a person's command into the next tick: of the road, or of the drill whose alarm it is about."""
        if self.drills.owns(command.alarm):
            return await self.drills.command(command)
        return await self.road.command(command)

    async def command_all(self, commands: Sequence[Command]) -> Sequence[Answer]:
        """Put commands into the next tick together; those about a drill's alarms into the drill's."""
        is_drilled = [self.drills.owns(command.alarm) for command in commands]
        if not any(is_drilled):
            return await self.road.command_all(commands)
        pairs = list(zip(commands, is_drilled, strict=True))
        of_road = iter(await self.road.command_all([command for command, drilled in pairs if not drilled]))
        of_drill = iter(await asyncio.gather(*(self.drills.command(command) for command, drilled in pairs if drilled)))
        return [next(of_drill if drilled else of_road) for drilled in is_drilled]

    def sources(self) -> Sequence[SourceStatus]:
        """Tell how each source stands."""
        return self._sources.statuses()

    async def settled(self) -> None:
        """Wait until the core is between two ticks."""
        await self.road.settled()

    def memory(self, nature: Nature) -> Memory:
        """Give what the core remembers of one nature, once it is settled; to read, never to change or keep."""
        return self.desk.memory(nature)

    def computed(self, tag: str) -> Mapping[str, Any]:
        """Say how a derived tag stands, as in an event's cause; empty for a measured one."""
        nature = self.site.tags[self.site.tags.row_of[tag]].nature
        return told(self.desk.derived, self.desk.derived_states[nature], self.desk.memory(nature), tag)

    @property
    def rules(self) -> RuleTable:
        """The rules in force, those that ``memory`` is laid out for."""
        return self.desk.table

    def nodes(self) -> Sequence[NodeStatus]:
        """Tell how each edge node stands."""
        return self.reception.statuses()

    def node_broker(self) -> BrokerStatus | None:
        """Tell how the link to the broker of the nodes stands; None where there is none."""
        return None if self.listener is None else self.listener.status()

    async def take_from_node(self, node: str, body: bytes) -> Taken:
        """Take a batch of an edge node; returns when it is durable."""
        return await self.reception.take(node, body)

    def raw(self, tag: str) -> Raw | None:
        """Give the registers behind a tag's last sample, of a Modbus device of ours."""
        row = self.site.tags.row_of[tag]
        source = self.site.tags[row].source
        collector = self.collectors.get(source)
        return collector.raw(self.collecting.own_row(source, row)) if isinstance(collector, ModbusCollector) else None

    async def probe(self, asked: Asked) -> Probed:
        """Read some registers of a device once."""
        return await self.prober.probe(asked)

    def ready(self) -> bool:
        """Tell whether scans are judged, by the backend chosen, and committed."""
        return self.road.is_ready and self._is_warm and not self.road.store_error

    # ------------------------------------------------------------------ change

    async def make_ready(self, site: Site, beside: Beside) -> Beside:
        """Make room for other tags, and find out where sources that were not there begin to count.

        Raises:
            NotApplied: The historian's disk does not let it.
        """
        fresh = [source for source in beside.sources if source.id not in self.intake.state]

        def read(connection: Connection) -> dict[str, int]:
            known = known_marks(connection)
            self.reception.load_new(connection, fresh)
            # A node counts by itself; a collector of ours begins a new epoch whenever it begins.
            return {
                source.id: (known[source.id].epoch if source.id in known else 0) + (not source.node or source.is_merged)
                for source in fresh
            }

        began = await self.store.read(read)
        try:
            await self.historian.prepare(site.tags)
        except (OSError, sqlite3.Error) as failure:
            checked = Checked(revision=self.rulebook.number)
            raise NotApplied("historian", f"The history file cannot take other tags: {failure}.", checked) from failure
        return replace(beside, began=began)

    def follow(self, site: Site, prepared: Prepared) -> None:
        """Let everything around the core go by a site that has taken over in this tick; nothing waits in between."""
        if prepared.beside is None:
            self.site = replace(self.site, rules=site.rules, revision=site.revision, files=site.files)
            self.picture.adopt(self.site)
            return
        exchange, beside = prepared.exchange, prepared.beside
        self._sources.count_decoded()
        self.site = site
        self.drills.site_changed(site)
        self.road.follow(site, Telling(site, self.store.journal))
        self.historian.adopt(site.tags)
        if self.influx is not None:
            self.influx.tags = site.tags
        self.picture.follow(site, exchange)
        self.reception.follow(site)
        self._sources.follow(site, beside.restarted)
        self.collecting.follow(site.sources, site.tags, exchange.moved, beside.restarted)

    # ------------------------------------------------------------------- parts

    def _deliver(self, item: Scan | Link, acknowledge: Callable[[], None] | None) -> bool:
        self._sources.heard(item)
        return self.road.deliver(item, acknowledge)

    def _wake_tellers(self) -> None:
        """Say to those who tell that events were committed."""
        self.push.wake()
        self.caller.wake()

    async def _warm(self) -> None:
        """Let the desk go on with compiled code once it is there; array code judges until then."""
        if self._parts.warm is None:
            return
        started_ns = self.clock.monotonic_ns()
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._parts.warm)
        except Exception:  # A compiler may fail in any way; judging goes on without it.
            log.exception("kernels.failed", backend=Backend.NUMPY)
        else:
            await self.road.settled()
            self.desk.use(Backend.COMPILED)
            put_away(COMPILER)
            give_back()
            log.info("kernels.warm", seconds=round((self.clock.monotonic_ns() - started_ns) / 1e9, 2))
        self._is_warm = True

    def _restore(self, connection: Connection, start_ns: int, begun: Begun) -> None:
        """Put back what was committed, and begin a new epoch of every source, durably."""
        if begun.revision is not None:
            add_revision(connection, begun.revision, begun.content, begun.files)
            if begun.revision.origin is not Origin.START:
                audit_revision(self.store, connection, main_nature(self.site), begun.revision)
        natures = {source.id: source.nature for source in self.site.sources}
        self.reception.load(connection)
        self.checkouts.load(connection)
        self._keeper.load(connection)
        self.drills.restore(connection, start_ns)
        checkpoint.load(connection, self.desk)
        restore(connection, self.desk, self.intake, natures)
        lost = restore_gaps(connection, self.desk, begun.number, lambda number: self._past_rules(connection, number))
        if lost:
            self.store.journal.append(
                connection, main_nature(self.site), start_ns, "system", [canonical(each) for each in lost]
            )
        for source, state in self.intake.state.items():
            remote = self.reception.sources.get(source)
            if remote is None or remote.is_merged:  # A node counts by itself, and lives on over our restart.
                state.epoch += 1
                state.number = 0
        known = known_marks(connection)
        take_over(connection, self.store.journal, main_nature(self.site), start_ns)
        put_marks(
            connection,
            [
                Mark(
                    source=source,
                    epoch=state.epoch,
                    number=state.number,
                    time_ns=known[source].time_ns if source in known else start_ns,
                    received_ns=known[source].received_ns if source in known else start_ns,
                    outages=state.memo,
                )
                for source, state in self.intake.state.items()
            ],
        )
        nature = main_nature(self.site)
        self.picture.publish(
            0,
            start_ns,
            alarms=self.desk.alarms.values(),
            units={unit: tier for (n, unit), tier in self.desk.unit_tiers.items() if n is nature},
            values=_restored_values(self.desk, nature),
        )

    def _past_rules(self, connection: Connection, number: int) -> RuleTable:
        """Compile the rules of a past revision."""
        book = self.rulebook
        if book.compile is None:
            raise PastRulesError("the gateway was started without files")
        return past_rules(connection, book.compile, self.site, book.overlay, number)

    def wake_push(self) -> None:
        """Let the push worker look for notices that were committed."""
        self.push.wake()

    def _open_influx(self) -> "InfluxWriter | None":
        """Send on what the historian commits, where the site names a server."""
        if self.site.influx is None or not isinstance(self.historian, EmbeddedHistorian):
            return None
        from gateway.historian.influx import InfluxLines, InfluxWriter  # noqa: PLC0415  # Sites without one do without.

        luck = np.random.default_rng(self._parts.jitter_seed)
        return InfluxWriter(
            self.historian.open_spool("influx"),
            InfluxLines(self.site.influx),
            self.site.tags,
            site=self.site.id,
            clock=self.clock,
            jitter=lambda: float(luck.random()),
            quarantine=self.site.data / "influx-refused.lp",
        )


@dataclass(frozen=True, slots=True)
class _Swapper:
    """The gateway as its rulebook sees it."""

    gateway: Gateway

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in the executor of readers."""
        return await self.gateway.store.read(fn)

    async def ready(self, site: Site, beside: Beside) -> Beside:
        """Make ready for other tags and sources."""
        return await self.gateway.make_ready(site, beside)

    async def swap(self, swap: Swap) -> None:
        """Let a swap end the next tick."""
        await self.gateway.road.swap(swap)

    def audit(self, connection: Connection, revision: Revision) -> None:
        """Write down who changed the configuration."""
        audit_revision(self.gateway.store, connection, main_nature(self.gateway.site), revision)

    def adopted(self, site: Site, prepared: Prepared) -> None:
        """Let everything around the core go by the new site."""
        self.gateway.follow(site, prepared)

    @property
    def natures(self) -> Sequence[Nature]:
        """Those that have a memory."""
        return tuple(self.gateway.desk.memories)


def _with_system(compile_site: Compile) -> Compile:
    """Let the gateway's own rules come with every site that is compiled."""
    return lambda overlay, warnings: with_system(compile_site(overlay, warnings))


def _restored_values(desk: Desk, nature: Nature) -> Columns:
    """Give the values of the last checkpoint, so that a page has a picture before the first scan."""
    memory = desk.memory(nature)
    rows = np.flatnonzero(memory.value_ns).astype(np.int32)
    return rows, memory.value[rows], memory.quality[rows], memory.value_ns[rows]


async def _first_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until a part fails, and pass its failure on: a broken invariant crashes loudly."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if not task.cancelled():
            task.result()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
