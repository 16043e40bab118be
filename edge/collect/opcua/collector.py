"""Watches one OPC UA server: subscriptions by scan class, one scan a publication.

Flow: connect -> subscribe -> publications -> [collect] -> decode -> Scan -> intake
Why repeated: a server tells what changed. That a value still holds is told by its signs of life, and here each makes a
    sample of every tag whose period has passed, so that "unchanged" and "gone" are never the same.
Why in the server's time: a repeated value is stamped with the server's clock less one sampling interval, for a change
    that it has not told yet is younger than that. So no repetition goes before a change.
Never: repeats a value for which no server vouches. While there is no session the source is silent and its link down;
    what the server kept for us meanwhile follows as back-fill.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from edge.clock import Clock
from edge.collect.backoff import BackOff
from edge.collect.door import Counters, Deliver
from edge.collect.opcua.link import Connect, Item, LostError, Publication, Session
from edge.collect.opcua.watch import Class, Columns, Watch
from edge.collect.supervise import supervise
from edge.config import Source
from edge.decode.opcua import QUALITY, NodeAddress, read_node
from edge.model import Link, Scan, TagTable

RETRY_S_LEAST = 0.5
LIFE_S = 120.0  # A subscription outlives a loss of the link by so long, if the server lets it.
REPUBLISHED_MAX = 100  # Publications that are asked for again at once; a server keeps fewer.
AGAIN_S = 60.0  # Nodes that the server refused are asked for again so often: a unit may be started up later.
NUMBER_END = 2**32

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Subscription:
    """One subscription as it runs.

    Attributes:
        items: What it watches.
        number: Of its last publication; 0 before the first.
        heard_s: When it was last heard, on the loop's clock.
        patience_s: Silent for longer, it is gone.
        refused: Handles that the server did not take.
    """

    id: int
    watch: Class
    items: list[Item]
    heard_s: float
    patience_s: float
    life_s: float
    number: int = 0
    refused: list[int] = field(default_factory=list)


class OpcuaCollector:
    """Collects from one OPC UA source until cancelled.

    Args:
        connect: Makes a session.

    Raises:
        ValueError: At construction, when a node id cannot be read; the configuration has checked this before.
    """

    def __init__(
        self,
        source: Source,
        tags: TagTable,
        clock: Clock,
        epoch: int,
        deliver: Deliver,
        connect: Connect,
        counters: Counters | None = None,
    ) -> None:
        assert source.opcua is not None, source.id
        self.counters = counters or Counters()
        self._source = source
        self._options = source.opcua
        self._clock = clock
        self._epoch = epoch
        self._number = 0
        self._deliver = deliver
        self._connect = connect
        self._rows = tags.rows_of_source(source.id)
        self._watch = Watch(tags, self._rows, source.lateness_s, self.counters)
        self._nodes = [_node_of(tags[int(row)].address["node_id"]) for row in self._rows]
        self._subscriptions: dict[int, _Subscription] = {}
        self._namespaces: list[str] = []
        self._is_up: bool | None = None

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self.counters)

    async def _collect(self) -> None:
        """Keep a session for ever."""
        backoff = BackOff(RETRY_S_LEAST, self._options.retry_s_max)
        loop = asyncio.get_running_loop()
        while True:
            session: Session | None = None
            began_s = loop.time()
            is_lost = False
            try:
                session = await self._connect(self._options)
                await self._subscribe(session)
                await self._follow(session)
            except LostError as why:
                is_lost = True
                self.counters.failures["comms"] += 1
                self._announce(is_up=False, reason=str(why))
            finally:
                if session is not None:
                    await session.close(is_for_good=not is_lost)
            if loop.time() - began_s > self._options.retry_s_max:
                backoff.reset()
            await asyncio.sleep(backoff.pause_s())

    def _announce(self, *, is_up: bool, reason: str = "") -> None:
        """Tell the road when the link changes. It is up when the server tells, not when it accepts."""
        if self._is_up is is_up:
            return
        self.counters.reconnects += is_up and self._is_up is not None
        self._is_up = is_up
        _log.info("collect.link", source=self._source.id, is_up=is_up, reason=reason)
        now_ns = self._clock.wall_ns()
        self._deliver(Link(source=self._source.id, is_up=is_up, received_ns=now_ns, reason=reason), None)

    async def _subscribe(self, session: Session) -> None:
        """Take over the subscriptions that a lost session left, and make those that are not there."""
        loop = asyncio.get_running_loop()
        namespaces = await session.namespaces()
        kept = {
            one.id: one
            for one in self._subscriptions.values()
            if namespaces == self._namespaces and loop.time() - one.heard_s < one.life_s
        }
        self._namespaces = namespaces
        self._subscriptions = {}
        self._watch.expect_all()
        if kept:
            await self._take_over(session, kept)
        taken = {item.handle for one in self._subscriptions.values() for item in one.items}
        for watch in self._watch.classes:
            items = [
                self._item(int(at), watch) for at in watch.members if int(at) not in taken and self._is_placed(int(at))
            ]
            for first in range(0, len(items), self._options.items_max):
                await self._create(session, watch, items[first : first + self._options.items_max])

    async def _take_over(self, session: Session, kept: dict[int, _Subscription]) -> None:
        loop = asyncio.get_running_loop()
        for one, left in zip(kept.values(), await session.transfer(list(kept)), strict=True):
            if left is None:
                continue
            one.heard_s = loop.time()
            self._subscriptions[one.id] = one
            missed = sorted(left, key=lambda number: (number - one.number) % NUMBER_END)
            for number in missed[:REPUBLISHED_MAX]:
                if 0 < (number - one.number) % NUMBER_END < NUMBER_END // 2:
                    await self._fetch(session, one, number)

    def _is_placed(self, at: int) -> bool:
        """Tell whether the server has the namespace of a tag; where not, its tag is BAD as an unknown node is."""
        node = self._nodes[at]
        is_placed = not node.uri or node.uri in self._namespaces
        if not is_placed:
            self._watch.refuse(at, _UNKNOWN_NODE)
        return is_placed

    def _item(self, at: int, watch: Class) -> Item:
        node = self._nodes[at]
        index = self._namespaces.index(node.uri) if node.uri else node.index
        return Item(
            handle=at,
            node=NodeAddress(index=index, uri="", kind=node.kind, identifier=node.identifier),
            sampling_s=self._options.sampling_s or watch.period_s,
            queue_size=self._options.queue_size,
        )

    async def _create(self, session: Session, watch: Class, items: list[Item]) -> None:
        made = await session.create(watch.period_s, LIFE_S, items)
        self.counters.requests += 1
        one = _Subscription(
            id=made.id,
            watch=watch,
            items=items,
            heard_s=asyncio.get_running_loop().time(),
            patience_s=made.publishing_s + made.keepalive_s + self._options.timeout_s,
            life_s=made.life_s,
        )
        self._subscriptions[made.id] = one
        if made.keepalive_s > 1.5 * watch.period_s:
            _log.warning("opcua.slower", source=self._source.id, period_s=watch.period_s, told_every_s=made.keepalive_s)
        for item, status, sampling_s in zip(items, made.statuses, made.sampling_s, strict=True):
            self._watch.sample_every(item.handle, sampling_s)
            self._answer(one, item, status)

    def _answer(self, one: _Subscription, item: Item, status: int) -> None:
        """Note whether the server watches an item."""
        if _is_bad(status):
            if item.handle not in one.refused:
                one.refused.append(item.handle)
            # By code where it is one that we know; a server of lies must not fill the memory with counters.
            self.counters.refuse(f"0x{status:08X}" if status in QUALITY else "node_refused")
            self._watch.refuse(item.handle, status)

    async def _ask_again(self, session: Session) -> None:
        """Ask again for what the server refused."""
        for one in self._subscriptions.values():
            items = [item for item in one.items if item.handle in one.refused]
            if items:
                one.refused = []
                statuses = await session.add(one.id, items)
                self.counters.requests += 1
                for item, status in zip(items, statuses, strict=True):
                    self._answer(one, item, status)

    # ----------------------------------------------------------------------------------------------------- publications

    async def _follow(self, session: Session) -> None:
        """Take publications until the session is lost."""
        loop = asyncio.get_running_loop()
        again_s = loop.time() + AGAIN_S
        if not self._subscriptions:
            raise LostError("the server has none of the tags' namespaces")
        while True:
            due_s = min(*(one.heard_s + one.patience_s for one in self._subscriptions.values()), again_s)
            publication: Publication | None = None
            try:
                async with asyncio.timeout_at(due_s):
                    publication = await session.receive()
            except TimeoutError:
                pass
            if publication is not None:
                await self._take(session, publication)
            now_s = loop.time()
            silent = next((o for o in self._subscriptions.values() if now_s >= o.heard_s + o.patience_s), None)
            if silent is not None:
                raise LostError(f"no sign of life for {now_s - silent.heard_s:.1f} s")
            if now_s >= again_s:
                again_s = now_s + AGAIN_S
                await self._ask_again(session)

    async def _take(self, session: Session, publication: Publication) -> None:
        one = self._subscriptions.get(publication.subscription)
        if one is None:
            self.counters.refuse("unknown_subscription")
            return
        if publication.ended:
            del self._subscriptions[one.id]
            raise LostError(f"the server ended a subscription (0x{publication.ended:08X})")
        one.heard_s = asyncio.get_running_loop().time()
        # A sign of life carries the next publication's number without using it up (OPC 10000-4 §5.14.1.1).
        before = publication.number if publication.samples else publication.number - 1
        gap = (before - one.number - bool(publication.samples)) % NUMBER_END
        if 0 < gap < NUMBER_END // 2:
            for number in range(one.number + 1, one.number + 1 + min(gap, REPUBLISHED_MAX)):
                await self._fetch(session, one, number % NUMBER_END)
            if gap > REPUBLISHED_MAX:
                self.counters.refuse("publication_lost", gap - REPUBLISHED_MAX)
        self._tell(one, publication)
        one.number = max(before % NUMBER_END, 0)

    async def _fetch(self, session: Session, one: _Subscription, number: int) -> None:
        """Ask for a publication that did not come."""
        publication = await session.republish(one.id, number)
        if publication is None:
            self.counters.refuse("publication_lost")
            return
        self._tell(one, publication, is_old=True)
        one.number = number

    def _tell(self, one: _Subscription, publication: Publication, *, is_old: bool = False) -> None:
        """Deliver a publication as a scan, with what still holds; and what came about meanwhile as another."""
        now_ns = self._clock.wall_ns()
        handles = [item.handle for item in one.items]
        live, late = self._watch.take(one.watch, handles, publication, now_ns, is_old=is_old)
        self.counters.last_success_ns = now_ns
        self._announce(is_up=True)
        self._send(live, now_ns)
        self._send(late, now_ns, is_backfill=True)

    def _send(self, columns: Columns, now_ns: int, *, is_backfill: bool = False) -> None:
        if not len(columns):
            return
        self._number += 1
        self.counters.scans += 1
        self.counters.samples += len(columns)
        scan = Scan(
            source=self._source.id,
            epoch=self._epoch,
            number=self._number,
            received_ns=now_ns,
            rows=columns.rows,
            values=columns.values,
            quality=columns.quality,
            times_ns=columns.times_ns,
            is_backfill=is_backfill,
            nature=self._source.nature,
        )
        self._deliver(scan, None)  # What a full road refuses it counts; the next repetition tells it again.


_UNKNOWN_NODE = 0x8034_0000  # BadNodeIdUnknown


def _is_bad(status: int) -> bool:
    return status >> 31 != 0


def _node_of(text: str) -> NodeAddress:
    node = read_node(text)
    if node is None:
        raise ValueError(f"node_id {text!r} cannot be read.")
    return node
