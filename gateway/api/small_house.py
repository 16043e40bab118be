"""A small house: the API's seam with a real store and no road behind it.

Why: tests of the API, and work on the page, need what a route touches and nothing else. Whoever fills its picture
    and its store decides what the page shows. The gateway itself never uses it.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, func, insert, select

from alerting.core import Memory
from alerting.desk import Answer
from alerting.model.command import Command
from alerting.model.rule import RuleTable
from alerting.swap import Beside, Prepared
from edge.clock import Clock
from edge.collect.door import Raw
from edge.disk import MemoryDisk
from edge.model import Nature
from gateway.api.house import Act, Past, SourceStatus
from gateway.checkout.records import OpenOnes
from gateway.config import Site
from gateway.drill.lead import Drills
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.historian.port import Series
from gateway.live import Picture
from gateway.load.overlay import NOTHING
from gateway.means import Means
from gateway.meter import Meter
from gateway.nodes.broker_status import BrokerStatus
from gateway.nodes.reception import NodeStatus, Refusal, Taken
from gateway.probe import Asked, Probed, Prober
from gateway.push.worker import PushWorker
from gateway.response.crowd_watch import CrowdWatch
from gateway.response.zones import Zones
from gateway.rules.approval import Proposals
from gateway.rules.book import Compile, Rulebook, Swap
from gateway.rules.revision import Revision
from gateway.runs.keeper import Runs
from gateway.store import schema
from gateway.store.store import Store

T = TypeVar("T")


class NoHistory:
    """A past in which nothing was ever measured."""

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:  # noqa: ARG002
        """Give no samples."""
        none = np.empty(0)
        return Series(
            times_ns=none.astype(np.int64),
            values=none,
            min=none,
            max=none,
            quality=none.astype(np.uint8),
            count=none.astype(np.int64),
            is_rolled_up=False,
        )


@dataclass(slots=True, kw_only=True)
class SmallHouse:
    """Everything that ``House`` asks for, in memory and one store.

    Attributes:
        historian: Where ``/history`` reads.
        answer: What the core answers to a command; None means that it never does.
        commands: Commands that came, in order.
        status: What ``/flow`` says of the sources, ``node_status`` of the nodes, and ``broker_status`` of the broker
            that these come through.
        bodies: What edge nodes sent, with their names.
        taken: What nodes are answered.
        memories: What the core remembers, by nature.
        derived: How derived tags stand, by name.
        raws: What devices said, by tag.
    """

    site: Site
    engine: Engine
    clock: Clock
    historian: Past = field(default_factory=NoHistory)
    picture: Picture = field(init=False)
    meter: Meter = field(default_factory=Meter)
    answer: Callable[[Command], Answer] | None = None
    commands: list[Command] = field(default_factory=list)
    woken: int = 0
    status: tuple[SourceStatus, ...] = ()
    node_status: tuple[NodeStatus, ...] = ()
    broker_status: BrokerStatus | None = None
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    taken: Taken | Refusal = field(default_factory=Taken)
    is_ready: bool = True
    memories: dict[Nature, Memory] = field(default_factory=dict)
    derived: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    checkouts: OpenOnes = field(default_factory=OpenOnes)
    raws: dict[str, Raw] = field(default_factory=dict)
    compile: Compile | None = None
    rulebook: Rulebook = field(init=False)
    proposals: Proposals = field(init=False)
    push: PushWorker = field(init=False)
    zones: Zones = field(init=False)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    prober: Prober = field(init=False)
    _drills: Drills | None = None
    _runs: Runs | None = None
    crowd_watch: CrowdWatch = field(init=False)
    _writer: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.picture = Picture(self.site, self.clock.wall_ns())
        self.prober = Prober({}, self.clock)
        means = Means(
            site=lambda: self.site,
            clock=self.clock,
            meter=self.meter,
            read=self.read,
            write=self.write,
            wake_push=self.wake_push,
        )
        self.zones = Zones(means, self.picture, InlineExecutor())
        self.push = PushWorker(
            site=self.site, clock=self.clock, meter=self.meter, read=self.read, write=self.write, channels={}
        )
        self.crowd_watch = CrowdWatch(means, self.picture)
        self.rulebook = Rulebook(
            site=self.site,
            compile=self.compile,
            executor=InlineExecutor(),
            road=_Swapper(self),
            table=self.site.rules,
            number=1,
            overlay=NOTHING,
        )
        self.proposals = Proposals(
            book=lambda: self.rulebook,
            clock=self.clock,
            read=self.read,
            write=lambda fn, deed: self.write(
                fn, Act(who=deed.who, what=deed.what, time_ns=deed.time_ns, facts=deed.facts)
            ),
        )

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in a thread."""

        def run() -> T:
            with self.engine.connect() as connection:
                return fn(connection)

        return await asyncio.to_thread(run)

    async def write(self, fn: Callable[[Connection], T], act: Act | None = None) -> T:
        """Run a write, with its act, in one transaction."""

        def run() -> T:
            with self.engine.begin() as connection:
                result = fn(connection)
                if act is not None:
                    _keep(connection, act)
                return result

        async with self._writer:
            return await asyncio.to_thread(run)

    def wake_push(self) -> None:
        """Count it."""
        self.woken += 1

    async def command_all(self, commands: Sequence[Command]) -> Sequence[Answer]:
        """Keep commands and give the prepared answers."""
        return [await self.command(command) for command in commands]

    async def command(self, command: Command) -> Answer:
        """Keep a command and give the prepared answer."""
        self.commands.append(command)
        if self.answer is None:
            await asyncio.Event().wait()
        assert self.answer is not None
        return self.answer(command)

    def sources(self) -> Sequence[SourceStatus]:
        """Tell what was prepared."""
        return self.status

    async def settled(self) -> None:
        """Do not wait: nothing ticks here."""

    def memory(self, nature: Nature) -> Memory:
        """Give what was prepared, or a memory that has seen nothing."""
        return self.memories.setdefault(nature, Memory.fresh(self.site.rules, self.clock.wall_ns()))

    def computed(self, tag: str) -> Mapping[str, Any]:
        """Give what was prepared for a tag."""
        return self.derived.get(tag, {})

    @property
    def rules(self) -> RuleTable:
        """The rules that the site has now."""
        return self.site.rules

    def nodes(self) -> Sequence[NodeStatus]:
        """Tell what was prepared."""
        return self.node_status

    def node_broker(self) -> BrokerStatus | None:
        """Tell what was prepared."""
        return self.broker_status

    async def take_from_node(self, node: str, body: bytes) -> Taken:
        """Keep a body and give the prepared answer."""
        self.bodies.append((node, body))
        if isinstance(self.taken, Refusal):
            raise self.taken
        return self.taken

    @property
    def drills(self) -> Drills:
        """Give drills on the same store; the site has no plant, so none begins."""
        if self._drills is None:
            key, inline = Ed25519PrivateKey.generate(), InlineExecutor()
            self._drills = Drills(
                site=lambda: self.site, revision=lambda: self.rulebook.number, clock=self.clock,
                store=Store(self.engine, key, MemoryDisk(), inline, inline),
                historian=lambda: MemoryHistorian(self.site.tags), picture=self.picture, wake_push=lambda: None,
                executor=inline,
            )  # fmt: skip
        return self._drills

    @property
    def runs(self) -> Runs:
        """Give runs in the site's data folder."""
        if self._runs is None:
            self._runs = Runs(self.site.data / "runs", self.clock)
        return self._runs

    def raw(self, tag: str) -> Raw | None:
        """Give what was prepared for a tag."""
        return self.raws.get(tag)

    async def probe(self, asked: Asked) -> Probed:
        """Look by the prober, which has the sources that a test gives it."""
        return await self.prober.probe(asked)

    def sign(self, text: bytes) -> tuple[str, str]:
        """Sign with a key of its own."""
        return self.key.public_key().public_bytes_raw().hex(), self.key.sign(text).hex()

    def ready(self) -> bool:
        """Tell what was prepared."""
        return self.is_ready


@dataclass(frozen=True, slots=True)
class _Swapper:
    """A small house as its rulebook sees it: a swap takes over at once."""

    house: SmallHouse

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in a thread."""
        return await self.house.read(fn)

    async def ready(self, site: Site, beside: Beside) -> Beside:  # noqa: ARG002 - no road is behind it
        """Nothing to make ready."""
        return beside

    async def swap(self, swap: Swap) -> None:
        """Write the revision down and go by it; no memory is carried."""
        now_ns = self.house.clock.wall_ns()
        await self.house.write(lambda connection: swap.write(connection, now_ns))
        self.house.memories.clear()
        swap.adopt(now_ns)

    def audit(self, connection: Connection, revision: Revision) -> None:
        """Put who changed the rules into the journal."""
        act = Act(who=revision.who, what="rules_changed", time_ns=revision.time_ns, facts={"reason": revision.reason})
        _keep(connection, act)

    def adopted(self, site: Site, prepared: Prepared) -> None:
        """Let the API go by the new configuration."""
        self.house.site = site
        self.house.picture.follow(site, prepared.exchange)

    @property
    def natures(self) -> Sequence[Nature]:
        """None has a road behind it."""
        return ()


def _keep(connection: Connection, act: Act) -> None:
    """Put an act into the journal; without hashes, for there is no chain to keep here."""
    number = connection.execute(select(func.coalesce(func.max(schema.journal.c.number), 0))).scalar_one() + 1
    body = json.dumps({"who": act.who, "action": act.what, **act.facts}, sort_keys=True)
    connection.execute(
        insert(schema.journal).values(
            nature="actual", number=number, time_ns=act.time_ns, kind="audit", body=body, hash=""
        )
    )
