"""Sparkplug host application: what edge nodes of one group say becomes scans; who is in doubt is asked to tell anew.

Flow: link -> messages -> nodes -> samples -> Scan -> intake; doubt -> rebirth -> link
Why values of a silent node hold: a node tells what changes and nothing else; while its session lives, what it said
    last is so. What ends the session (its death, the broker's, ours) makes its tags BAD(comms) at once, and an empty
    scan now and then says that the source is heard.
Never: sends anything but whether we are there and the wish for a rebirth (``edge.collect.mqtt.outgoing``).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import structlog

from edge.clock import Clock
from edge.collect.door import KEPT_BYTES_MAX, Counters, Deliver, Kept
from edge.collect.mqtt.collector import BYTES_MAX, MERGE_S, MESSAGES_MAX, RoadFullError
from edge.collect.mqtt.link import Arrival, LinkChange, Manner, Message, MqttLink
from edge.collect.mqtt.outgoing import Presence, rebirth
from edge.collect.mqtt.paho import PahoLink
from edge.collect.sparkplug.node import EdgeNode, Heard, Now, State
from edge.collect.sparkplug.rebirths import Rebirths
from edge.collect.sparkplug.samples import Columns, Samples
from edge.collect.sparkplug.topic import Kind, address_of, filters_of, state_topic, tag_of
from edge.collect.supervise import supervise
from edge.config import MqttOptions, Source
from edge.decode.codec.sparkplug import read_payload
from edge.decode.judge import judge
from edge.decode.payload import Refusal
from edge.model import Link, Scan, TagTable

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
KEEP_S_MAX = 5.0  # The longest that a source whose nodes live is not heard of.
ASK_S_MOST = 300.0  # A node that does not answer is asked no less often.
COMMANDS = (Kind.NCMD, Kind.DCMD)

OpenLink: TypeAlias = Callable[[MqttOptions, str, Sequence[str], Counters, Manner], MqttLink]

_log = structlog.get_logger(__name__)


class SparkplugCollector:
    """Collects the edge nodes of one source until cancelled."""

    def __init__(
        self,
        source: Source,
        tags: TagTable,
        clock: Clock,
        epoch: int,
        deliver: Deliver,
        open_link: OpenLink = PahoLink,
    ) -> None:
        assert source.mqtt is not None, source.id
        assert source.sparkplug is not None, source.id
        self.counters = Counters()
        self.samples = Samples()
        self.nodes: dict[str, EdgeNode] = {}
        self._source = source
        self._broker = source.mqtt
        self._options = source.sparkplug
        self._tags = tags
        self._clock = clock
        self._epoch = epoch
        self._number = 0
        self._deliver = deliver
        self._open_link = open_link
        self._rows = {tags[int(row)].name: int(row) for row in tags.rows_of_source(source.id)}
        self._owners: dict[int, str] = {}  # Node that has a row, by row.
        self._done: list[Message] = []
        self._keep_ns = round(min(KEEP_S_MAX, source.silent_after_s / 3) * SECOND_NS)
        self._begin()

    def _begin(self) -> None:
        options = self._options
        wait_ns, birth_ns = round(options.reorder_s * SECOND_NS), round(options.birth_s * SECOND_NS)
        self.nodes = {name: EdgeNode(name, self, wait_ns=wait_ns, birth_ns=birth_ns) for name in options.nodes}
        self._rebirths = Rebirths(round(options.rebirth_s * SECOND_NS), round(ASK_S_MOST * SECOND_NS))
        self._owners.clear()
        self._done = []
        self._is_up: bool | None = None
        self._heard_ns = 0  # When the road last heard of this source, by the clock that never goes back.
        self._births_due_ns: int | None = None

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self.counters)

    async def _collect(self) -> None:
        self._begin()
        presence = Presence(topic=state_topic(self._options.host_id), now_ms=self._now_ms)
        manner = Manner(is_clean=True, presence=presence)
        filters = filters_of(self._options)
        link = self._open_link(self._broker, self._broker.client_id, filters, self.counters, manner)
        try:
            await link.open()
            while True:
                arrivals = await self._next(link)
                for arrival in arrivals:
                    if isinstance(arrival, Message):
                        self._hear(arrival)
                    else:
                        self._change(arrival)
                self._pulse(link)
                await asyncio.sleep(MERGE_S if len(arrivals) < MESSAGES_MAX else 0)
        finally:
            await link.close()

    async def _next(self, link: MqttLink) -> list[Arrival]:
        """Wait for something to arrive, or for something to be due."""
        times = [node.due_ns for node in self.nodes.values()]
        if self._is_up:
            times += [self._rebirths.due_ns, self._births_due_ns, self._heard_ns + self._keep_ns]
        due_ns = min((time for time in times if time is not None), default=None)
        wait_s = None if due_ns is None else max(due_ns - self._clock.monotonic_ns(), 0) / SECOND_NS
        try:
            async with asyncio.timeout(wait_s):
                return await link.receive(MESSAGES_MAX, BYTES_MAX)
        except TimeoutError:
            return []

    def _now(self) -> Now:
        return Now(self._clock.wall_ns(), self._clock.monotonic_ns())

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // MS_NS

    # ------------------------------------------------------------------------------------------------------ arrivals

    def _hear(self, message: Message) -> None:
        self.counters.requests += 1
        self.counters.received_bytes += len(message.payload)
        address = address_of(message.topic)
        if address is not None and address.kind in COMMANDS:
            message.acknowledge()  # Somebody's order to a node, perhaps our own.
            return
        refusal = self._refusal(message, address is not None and address.node in self.nodes)
        payload = Refusal.MALFORMED if refusal is not None else read_payload(message.payload)
        if address is None or isinstance(payload, Refusal):
            self._refuse(refusal or Refusal.MALFORMED, message)
            message.acknowledge()
            return
        self.nodes[address.node].hear(Heard(address.kind, address.device, payload, message), self._now())

    def _refusal(self, message: Message, is_known: bool) -> str | None:  # noqa: FBT001 - private
        if not is_known:
            return Refusal.UNKNOWN_TOPIC
        if message.is_retained:  # §6.4: nothing of a node is retained; what is, is from another session.
            return "retained"
        return Refusal.OVERSIZED if len(message.payload) > self._broker.payload_bytes_max else None

    def _change(self, change: LinkChange) -> None:
        if self._is_up is change.is_up:
            return
        now = self._now()
        self.counters.reconnects += change.is_up and self.counters.last_success_ns > 0
        self._is_up = change.is_up
        _log.info("collect.link", source=self._source.id, is_up=change.is_up, reason=change.reason)
        if change.is_up:
            for name in self.nodes:
                self._rebirths.wish(name, now.mono_ns)
            self._births_due_ns = now.mono_ns + round(self._options.birth_s * SECOND_NS)
        else:
            for node in self.nodes.values():
                node.part(now)
            self._births_due_ns = None
        self._carry(now)
        link = Link(source=self._source.id, is_up=change.is_up, received_ns=now.wall_ns, reason=change.reason)
        self._deliver(link, None)
        self._heard_ns = now.mono_ns

    def _pulse(self, link: MqttLink) -> None:
        """Look at what is due, deliver what there is, ask whom to ask."""
        now = self._now()
        for node in self.nodes.values():
            node.pulse(now)
        if self._births_due_ns is not None and now.mono_ns >= self._births_due_ns:
            self._births_due_ns = None
            for row in self._rows.values():
                if row not in self._owners:  # Nobody tells this tag: no data is never normal.
                    self.samples.lose(row, now.wall_ns)
        self._carry(now)
        if not self._is_up:
            return
        for name in self._rebirths.due(now.mono_ns):
            self.counters.failures["rebirth_asked"] += 1
            wish = rebirth(self._options.group, name, self._now_ms())
            self.counters.sent_bytes += len(wish.payload)
            link.send(wish)
        is_alive = any(node.state is State.ALIVE for node in self.nodes.values())
        if now.mono_ns - self._heard_ns >= self._keep_ns:
            self._heard_ns = now.mono_ns
            if is_alive:
                self._give(Columns(), now, [], is_backfill=False)

    # ----------------------------------------------------------------------------------------- what nodes ask for

    def row_of(self, node: str, device: str, metric: str) -> int:
        """Give the row of a metric's tag, which is the node's from now on; -1 for none, -2 where another has it."""
        row = self._rows.get(tag_of(self._options, node, device, metric), -1)
        if row >= 0 and self._owners.setdefault(row, node) != node:
            return -2
        return row

    def release(self, row: int) -> None:
        """Let another node have the row."""
        self._owners.pop(row, None)

    def wish(self, node: str, now: Now) -> None:
        """Have the node tell all anew."""
        self._rebirths.wish(node, now.mono_ns)

    def fulfil(self, node: str) -> None:
        """Need no rebirth any more."""
        self._rebirths.fulfil(node)

    def count(self, what: str) -> None:
        """Count what went wrong without a message being refused."""
        self.counters.failures[what] += 1

    def refuse(self, reason: str, heard: Heard, count: int = 1) -> None:
        """Count what went no further."""
        self._refuse(reason, heard.message, count)

    def done(self, heard: Heard) -> None:
        """Let the message be acknowledged with what has been read so far."""
        if heard.message.qos > 0:
            self._done.append(heard.message)

    def _refuse(self, reason: str, message: Message, count: int = 1) -> None:
        kept = None
        if reason not in self.counters.kept:
            payload = message.payload
            kept = Kept(
                origin=message.topic,
                payload=payload[:KEPT_BYTES_MAX],
                size=len(payload),
                received_ns=self._clock.wall_ns(),
            )
        self.counters.refuse(reason, count, kept)

    # ------------------------------------------------------------------------------------------------------- scans

    def _carry(self, now: Now) -> None:
        """Deliver what was read: live values first, then history, with which the messages are done."""
        live, history = self.samples.take()
        done, self._done = self._done, []
        if len(live):
            self._give(live, now, [] if len(history) else done, is_backfill=False)
        if len(history):
            self._give(history, now, done, is_backfill=True)
        if not len(live) and not len(history):
            _acknowledge(done)

    def _give(self, columns: Columns, now: Now, done: list[Message], *, is_backfill: bool) -> None:
        rows, values, quality, times_ns = columns.arrays()
        judge(values, quality, self._tags.range_lo[rows], self._tags.range_hi[rows])
        self._number += 1
        scan = Scan(
            source=self._source.id,
            epoch=self._epoch,
            number=self._number,
            received_ns=now.wall_ns,
            rows=rows,
            values=values,
            quality=quality,
            times_ns=times_ns,
            is_backfill=is_backfill,
            nature=self._source.nature,
        )
        self._heard_ns = now.mono_ns
        if self._deliver(scan, partial(_acknowledge, done) if done else None) is False:
            self.counters.refuse(Refusal.OVERFLOW, len(rows))
            # A node does not say twice what has not changed: only births bring back what was lost here.
            raise RoadFullError("the road is full; connecting anew, so that every node is born again")
        self.counters.scans += 1
        self.counters.samples += len(rows)
        self.counters.last_success_ns = now.wall_ns


def _acknowledge(messages: list[Message]) -> None:
    for message in messages:
        message.acknowledge()
