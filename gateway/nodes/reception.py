"""Reception: takes what edge nodes send, and answers only when it is durable.

Flow: POST /api/v1/ingest -> [known? whose? of which tags?] -> deliver -> committed and in the historian -> written
      down as received -> 200
Why: a node frees its spool on 200 alone. A scan that comes again is known by source, epoch and number, in memory from
    the moment it is delivered and on disk before the answer, so that twice is once over every crash of either side.
Never: answers 200 for what could be lost; waits for ever; takes a scan of a source that is not the node's; delivers
    more than the road has room for.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from edge.config import Source
from edge.model import Link, Scan
from edge.model.wire import Batch, CodedLink, CodedScan, WireError, decode_batch
from gateway.config import Site
from gateway.meter import Meter, Stage
from gateway.nodes.merging import Merging
from gateway.nodes.received import Received, put_received, stream_of
from gateway.receive import ReceiveClock
from gateway.store import schema

WAIT_S = 8.0  # For commit and historian; less than a node waits for its answer.
WAIT_S_BROKEN = 0.5  # While the store cannot write: judging goes on, so the newest must come in.
PENDING_MAX = 20_000  # Scans delivered and not yet durable, of all nodes.
TABLES_MAX = 4  # Name tables remembered of one node.
NUMBER_MAX = 2**62
CONTACT_NS = 60_000_000_000  # How often a contact is written down when nothing else is.
REASONS_MAX = 32
TEXT_MAX = 200
NODE_SOURCES_MAX = 10_000

log = structlog.get_logger("nodes")

Deliver = Callable[[Scan | Link, Callable[[], None] | None], bool | None]
Write = Callable[[Callable[[Connection], None]], Awaitable[None]]
Key = tuple[str, int, int]


class Refusal(Exception):  # noqa: N818 - a refusal is an answer
    """Raised where a batch is not taken, as a whole; nothing of it may be freed.

    Attributes:
        status: Of HTTP.
        code: ``malformed``, ``checksum``, ``version``, ``table``, ``busy`` or ``not_durable``.
        retry_after_s: When to come again; None for the node's own pace.
    """

    def __init__(self, status: int, code: str, sentence: str, retry_after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.code, self.retry_after_s = status, code, retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The good answer: every record of the batch is durable here, or never will be taken.

    Attributes:
        taken: Records that are new.
        known: Records that were here already.
        refused: Places of records that this gateway never takes, by reason.
        unknown_tags: Samples of tags that this gateway does not have.
    """

    taken: int = 0
    known: int = 0
    refused: Mapping[str, Sequence[int]] = field(default_factory=dict)
    unknown_tags: int = 0

    def told(self) -> dict[str, Any]:
        """Write it as the body of the answer."""
        return {
            "taken": self.taken,
            "known": self.known,
            "refused": {reason: len(places) for reason, places in self.refused.items()},
            "refused_at": {reason: list(places) for reason, places in self.refused.items()},
            "unknown_tags": self.unknown_tags,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """How one node stands, by what it said last.

    Attributes:
        last_contact_ns: Receive time of its last request, 0 for none yet.
        lag_s: Age of the oldest record that it had not yet been answered for.
        clock_offset_s: Its wall clock ahead of the receive time.
        waiting: Records in its spool behind those of its last request; ``bytes`` on its disk.
        dropped: Records that left its spool unsent because of its bounds.
        corrupt: Records that it could not read any more.
        refused: Records that this gateway will never take, by reason, since the gateway's start.
        missing: Scans of its sources that are still to come, or lost.
        error: What its spool last complained of; empty while all is well.
    """

    name: str
    is_up: bool = False
    last_contact_ns: int = 0
    lag_s: float = 0.0
    clock_offset_s: float = 0.0
    waiting: int = 0
    bytes: int = 0
    dropped: int = 0
    corrupt: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    missing: int = 0
    revision: str = ""
    error_code: str = ""
    error: str = ""
    sources: Sequence[str] = ()


@dataclass(slots=True, eq=False)
class _Ticket:
    """One request's scans on their way to being durable."""

    left: int
    done: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class _Table:
    sources: list[str]
    rows: NDArray[np.int32]


@dataclass(slots=True, eq=False)
class _Node:
    """What is remembered of one node."""

    contact_ns: int = 0
    written_ns: int = 0
    lost: int = 0
    lost_written: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    heard_ns: int = 0  # this process's first to last contact
    offset_s: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    known: int = 0
    tables: dict[bytes, _Table] = field(default_factory=dict)


class Reception:
    """Takes batches on the event loop.

    Args:
        deliver: The road's door, with its acknowledgement.
        room: How many items the road still takes.
        is_link_up: What the road was last told of a source's link.
        epoch_of: Gives the epoch in which this gateway numbers a source that several nodes bring.
        write: Runs a function in a transaction of the store.
        is_broken: Tells whether the store cannot write.
    """

    def __init__(  # noqa: PLR0913 - what it asks of the road, each by one function
        self,
        site: Site,
        clock: ReceiveClock,
        meter: Meter,
        *,
        deliver: Deliver,
        room: Callable[[], int],
        is_link_up: Callable[[str], bool],
        epoch_of: Callable[[str], int],
        write: Write,
        is_broken: Callable[[], bool],
    ) -> None:
        self._site, self._clock, self._meter = site, clock, meter
        self._deliver, self._room, self._is_link_up = deliver, room, is_link_up
        self._write, self._is_broken = write, is_broken
        self.sources: dict[str, Source] = {source.id: source for source in site.sources if source.node}
        self._received = Received()
        self._merging = Merging(epoch_of)
        self._nodes: dict[str, _Node] = {node: _Node() for source in self.sources.values() for node in source.nodes}
        self._pending: dict[Key, _Ticket] = {}
        self._writing = asyncio.Lock()
        self.lost = 0  # Records that nodes lost for good, as far as this process was told.
        meter.queue("nodes", lambda: len(self._pending), PENDING_MAX, lambda: 0)

    def follow(self, site: Site) -> None:
        """Go by other sources and tags from now on; nodes are asked for their names again, which rows hang on."""
        self._site = site
        self.sources = {source.id: source for source in site.sources if source.node}
        for source in self.sources.values():
            for node in source.nodes:
                self._nodes.setdefault(node, _Node())
        for each in self._nodes.values():
            each.tables.clear()

    def load_new(self, connection: Connection, sources: Iterable[Source]) -> None:
        """Read what was received of sources that are to come in, before ``follow``."""
        self._received.load(connection, [stream_of(one, node) for one in sources for node in one.nodes])

    def load(self, connection: Connection) -> None:
        """Read what was written down before, at start."""
        self.load_new(connection, self.sources.values())
        for row in connection.execute(select(schema.node)):
            node = self._nodes.get(row.name)
            if node is not None:
                node.contact_ns, node.lost, node.lost_written = row.last_contact_ns, row.lost, row.lost

    # ----------------------------------------------------------------------------------------------------------- take

    async def take(self, name: str, body: bytes) -> Taken:
        """Take one batch.

        Raises:
            Refusal: It is not taken; the node keeps it.
        """
        try:
            batch = decode_batch(body)
        except WireError as error:
            code = error.reason if error.reason in ("checksum", "version") else "malformed"
            self._count_refused(f"node_{code}", 1)
            raise Refusal(400, code, str(error)) from None
        node = self._nodes.setdefault(name, _Node())
        table = self._table_of(node, batch)
        now_ns = self._clock.now_ns()
        sorted_out = _Sorted()
        for place, record in batch.records:
            self._sort_out(sorted_out, name, table, place, record)
        scans = sum(isinstance(record, CodedScan) for _, _, record in sorted_out.fresh)
        if len(sorted_out.fresh) > self._room() or len(self._pending) + scans > PENDING_MAX:
            raise Refusal(503, "busy", "The gateway has more to do than it can; come again.", 1)
        self._hear(name, node, batch, now_ns)
        ticket = self._carry(name, sorted_out, table, scans, now_ns)
        self._follow_links(name, batch.status, now_ns)
        node.known += sorted_out.known
        for reason, places in sorted_out.refused.items():
            node.refused[reason] += len(places)
        await self._wait([ticket, *sorted_out.tickets])
        await self._write_down(name, node)
        return Taken(
            taken=len(sorted_out.fresh),
            known=sorted_out.known + sorted_out.repeated,
            refused=sorted_out.refused,
            unknown_tags=sorted_out.unknown_tags,
        )

    def _table_of(self, node: _Node, batch: Batch) -> _Table:
        """Give what the ids of a batch mean here."""
        if batch.table is not None:
            sources, tags = batch.table
            row_of = self._site.tags.row_of
            rows = np.array([row_of.get(tag, -1) for tag in tags.names], dtype=np.int32)
            node.tables[batch.digest] = _Table(sources.names, rows)
            while len(node.tables) > TABLES_MAX:
                del node.tables[next(iter(node.tables))]
        table = node.tables.get(batch.digest)
        if table is None:
            raise Refusal(409, "table", "The names of this batch are not known here; send them along.")
        return table

    def _sort_out(self, out: "_Sorted", name: str, table: _Table, place: int, record: CodedScan | CodedLink) -> None:
        """Tell new from known from refused, before anything is delivered."""
        if record.source >= len(table.sources):
            raise Refusal(400, "malformed", "A record names a source beyond its table.")
        source = table.sources[record.source]
        samples = len(record) if isinstance(record, CodedScan) else 0
        reason = self._reason_against(name, source, record)
        if reason:
            out.refused.setdefault(reason, []).append(place)
            self._count_refused(reason, samples)
            return
        if isinstance(record, CodedLink):
            out.fresh.append((source, None, record))
            return
        if samples and int(record.ids.max()) >= len(table.rows):
            raise Refusal(400, "malformed", "A record names a tag beyond its table.")
        key = (stream_of(self.sources[source], name), record.epoch, record.number)
        if self._received.knows(*key):
            out.known += 1
            self._count_refused("repeat", samples)
        elif key in self._pending:
            out.repeated += 1
            out.tickets.append(self._pending[key])
            self._count_refused("repeat", samples)
        elif key in out.keys:
            out.repeated += 1
            self._count_refused("repeat", samples)
        else:
            out.keys.add(key)
            out.fresh.append((source, key, record))
            out.unknown_tags += int((table.rows[record.ids] < 0).sum())

    def _reason_against(self, name: str, source: str, record: CodedScan | CodedLink) -> str:
        """Give the reason why a record can never be taken; empty where it can."""
        known = self.sources.get(source)
        if known is None:
            return "unknown_source"
        if name not in known.nodes:
            return "not_of_node"
        if isinstance(record, CodedLink):
            return ""
        if record.nature is not known.nature:
            return "nature"
        return "" if 0 < record.number < NUMBER_MAX and record.epoch < NUMBER_MAX else "sequence"

    def _carry(self, name: str, sorted_out: "_Sorted", table: _Table, scans: int, now_ns: int) -> _Ticket:
        """Deliver what is new, in order."""
        ticket = _Ticket(scans, asyncio.get_running_loop().create_future())
        if not scans:
            ticket.done.set_result(None)
        for source, key, record in sorted_out.fresh:
            if isinstance(record, CodedLink):
                if not record.is_backfill:  # What it was then is no news; what it is now stands in the status.
                    self._hear_link(name, source, is_up=record.is_up, reason=record.reason, now_ns=now_ns)
                continue
            assert key is not None
            self._pending[key] = ticket
            self._meter.entered(Stage.DECODE, len(record))
            self._meter.left(Stage.DECODE, len(record))
            epoch, number = record.epoch, record.number
            if self.sources[source].is_merged:
                epoch, number = self._merging.number(source)
            self._deliver(
                Scan(
                    source=source,
                    epoch=epoch,
                    number=number,
                    received_ns=now_ns,
                    rows=table.rows[record.ids],
                    values=record.values,
                    quality=record.quality,
                    times_ns=record.times_ns,
                    is_backfill=record.is_backfill,
                    is_retained=record.is_retained,
                    nature=record.nature,
                ),
                self._durable(key),
            )
        return ticket

    def _durable(self, key: Key) -> Callable[[], None]:
        """Make the call that the road makes when a scan is committed and in the historian."""

        def durable() -> None:
            ticket = self._pending.pop(key)
            self._received.add(*key)
            ticket.left -= 1
            if not ticket.left and not ticket.done.done():
                ticket.done.set_result(None)

        return durable

    async def _wait(self, tickets: list[_Ticket]) -> None:
        waiting = {ticket.done for ticket in tickets if not ticket.done.done()}
        if not waiting:
            return
        _, left = await asyncio.wait(waiting, timeout=WAIT_S_BROKEN if self._is_broken() else WAIT_S)
        if left:
            raise Refusal(503, "not_durable", "What was sent is judged, and not yet on the disk; send it again.", 1)

    # -------------------------------------------------------------------------------------------------------- written

    async def _write_down(self, name: str, node: _Node) -> None:
        """Put what was received on the disk, with the node's own line when that is due."""
        async with self._writing:
            is_due = node.contact_ns - node.written_ns >= CONTACT_NS or node.lost != node.lost_written
            if not self._received.has_changed and not is_due:
                return
            changed = self._received.take_changed()
            contact_ns, lost = node.contact_ns, node.lost

            def write(connection: Connection) -> None:
                put_received(connection, changed)
                mine = schema.node.c.name == name
                connection.execute(update(schema.node).where(mine).values(last_contact_ns=contact_ns, lost=lost))

            try:
                await self._write(write)
            except SQLAlchemyError as failure:
                self._received.give_back(changed)
                log.warning("nodes.not_written", error=str(failure)[:TEXT_MAX])
                sentence = "What was sent is judged, and what was received cannot be written down; send it again."
                raise Refusal(503, "not_durable", sentence, 1) from failure
            except BaseException:
                self._received.give_back(changed)
                raise
            node.written_ns, node.lost_written = contact_ns, lost

    # ---------------------------------------------------------------------------------------------------------- links

    def _hear(self, name: str, node: _Node, batch: Batch, now_ns: int) -> None:
        """Remember what a node says of itself."""
        if not node.heard_ns or now_ns - node.contact_ns > CONTACT_NS:
            log.info("node.heard", node=name)
        told = batch.status
        node.contact_ns = node.heard_ns = now_ns
        node.told = told
        node.offset_s = (_whole(told, "now_ns") - now_ns) / 1e9 if _whole(told, "now_ns") else 0.0
        spool = _table(told, "spool")
        lost = sum(_whole(spool, key) for key in ("dropped", "corrupt", "refused"))
        lost += sum(_counts(told, "refused").values())
        self.lost += lost - node.lost if lost >= node.lost else lost
        node.lost = lost

    def _follow_links(self, name: str, told: dict[str, Any], now_ns: int) -> None:
        """Make the links of a node's sources what the node says that they are now."""
        for source, one in _mine(self.sources, name, told):
            is_up = one.get("is_up") is True
            if is_up != self._is_part_up(name, source):
                reason = one.get("reason")
                said = reason if isinstance(reason, str) else ""
                self._hear_link(name, source, is_up=is_up, reason=said, now_ns=now_ns)
        listed = told.get("sources")
        if not isinstance(listed, dict) or len(listed) >= NODE_SOURCES_MAX:
            return
        for mine in self.sources.values():  # A node that took over other files may have a source no more.
            if name in mine.nodes and mine.id not in listed and self._is_part_up(name, mine.id):
                said = f"edge node {name} has no source of this name"
                self._hear_link(name, mine.id, is_up=False, reason=said, now_ns=now_ns)

    def _is_part_up(self, name: str, source: str) -> bool:
        """Tell whether a node's way to a source is up, as far as was heard."""
        if self.sources[source].is_merged:
            return self._merging.is_up(source, name)
        return self._is_link_up(source)

    def _hear_link(self, name: str, source: str, *, is_up: bool, reason: str, now_ns: int) -> None:
        """Tell what became of a link; one that several nodes share is up while all are: else a part is missing."""
        one = self.sources[source]
        if one.is_merged:
            before = self._is_link_up(source)
            is_up, reason = self._merging.hear(one, name, is_up=is_up, reason=reason)
            if is_up == before:
                return
        self._tell_link(source, is_up=is_up, reason=reason, now_ns=now_ns)

    def _tell_link(self, source: str, *, is_up: bool, reason: str, now_ns: int) -> None:
        self._deliver(Link(source=source, is_up=is_up, received_ns=now_ns, reason=reason[:TEXT_MAX]), None)

    def watch(self, now_ns: int) -> None:
        """Take down the links of nodes that fell silent; called once a second."""
        for source in self.sources.values():
            for name in source.nodes:
                silent_s = (now_ns - self._nodes[name].contact_ns) / 1e9
                if silent_s > source.silent_after_s and self._is_part_up(name, source.id):
                    said = f"edge node {name} has been silent for {silent_s:.0f} s"
                    self._hear_link(name, source.id, is_up=False, reason=said, now_ns=now_ns)

    # ---------------------------------------------------------------------------------------------------------- books

    def statuses(self) -> list[NodeStatus]:
        """Tell how each node stands that a source names, or that was heard."""
        now_ns = self._clock.now_ns()
        return [self._status_of(name, node, now_ns) for name, node in sorted(self._nodes.items())]

    def _status_of(self, name: str, node: _Node, now_ns: int) -> NodeStatus:
        mine = [source for source in self.sources.values() if name in source.nodes]
        patience_s = min((source.silent_after_s for source in mine), default=10.0)
        spool = _table(node.told, "spool")
        is_spool = bool(node.told.get("spool_error"))
        error = node.told.get("spool_error" if is_spool else "reload_error", "")
        code = "spool" if is_spool else str(node.told.get("reload_code", ""))[:16]
        lag_s = node.told.get("lag_s", 0.0)
        return NodeStatus(
            name=name,
            is_up=bool(node.heard_ns) and now_ns - node.contact_ns <= patience_s * 1e9,
            last_contact_ns=node.contact_ns,
            lag_s=float(lag_s) if isinstance(lag_s, int | float) and 0 <= lag_s < 1e9 else 0.0,  # noqa: PLR2004 - 30 years
            clock_offset_s=node.offset_s,
            waiting=_whole(spool, "waiting"),
            bytes=_whole(spool, "bytes"),
            dropped=_whole(spool, "dropped"),
            corrupt=_whole(spool, "corrupt"),
            refused=dict(node.refused),
            known=node.known,
            missing=sum(self._received.missing(stream_of(source, name)) for source in mine),
            revision=str(node.told.get("revision", ""))[:16],
            error=str(error)[:TEXT_MAX],
            error_code=code,
            sources=tuple(source.id for source in mine),
        )

    def told_of(self, source: Source) -> tuple[dict[str, int], dict[str, int]]:
        """Give what a node's collector refused and what failed it, by reason."""
        refused: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        for name in source.nodes:
            one = _table(_table(self._nodes[name].told, "sources"), source.id)
            refused.update(_counts(one, "refused"))
            failures.update(_counts(one, "failures"))
        return dict(refused), dict(failures)

    def _count_refused(self, reason: str, samples: int) -> None:
        """Keep the collect stage's books for what goes no further."""
        if samples:
            self._meter.entered(Stage.COLLECT, samples)
            self._meter.refused(Stage.COLLECT, reason, samples)


@dataclass(slots=True)
class _Sorted:
    """A batch, sorted out."""

    fresh: list[tuple[str, Key | None, CodedScan | CodedLink]] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    tickets: list[_Ticket] = field(default_factory=list)
    refused: dict[str, list[int]] = field(default_factory=dict)
    known: int = 0
    repeated: int = 0
    unknown_tags: int = 0


def _mine(sources: Mapping[str, Source], name: str, told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what a node says of those of its sources that are here."""
    for source, one in list(_table(told, "sources").items())[:NODE_SOURCES_MAX]:
        known = sources.get(source)
        if known is not None and name in known.nodes and isinstance(one, dict):
            yield source, one


def _table(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def _whole(told: Mapping[str, Any], key: str) -> int:
    value = told.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < NUMBER_MAX else 0


def _counts(told: Mapping[str, Any], key: str) -> dict[str, int]:
    return {str(reason)[:40]: _whole(_table(told, key), reason) for reason in list(_table(told, key))[:REASONS_MAX]}
