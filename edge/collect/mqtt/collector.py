"""Listens to one broker: what waits becomes one scan; acknowledged when the road says it is durable.

Flow: link -> messages -> [collect] -> decode -> Scan -> intake; durable -> acknowledge -> link
Why merged: a scan costs the same for one sample as for a hundred. A lone message is delivered at once; under load what
    comes within ``MERGE_S`` shares a scan.
Never: loses a message that the broker waits for: what is refused is counted, kept for inspection (the first of each
    reason) and acknowledged; what is delivered is acknowledged by the road.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np
import structlog
from numpy.typing import NDArray

from edge.clock import Clock
from edge.collect.door import KEPT_BYTES_MAX, Counters, Deliver, Kept
from edge.collect.mqtt.link import LinkChange, Manner, Message, MqttLink
from edge.collect.mqtt.outgoing import Presence
from edge.collect.mqtt.paho import PahoLink
from edge.collect.mqtt.topic import fill, filter_of, match, parted
from edge.collect.supervise import supervise
from edge.config import MqttOptions, Source, TopicOptions
from edge.decode.codec.binary import Layout, read_binary
from edge.decode.codec.event import EventLayout, read_event
from edge.decode.codec.hj212 import read_hj212
from edge.decode.codec.json_batch import read_batch
from edge.decode.codec.json_value import read_value
from edge.decode.codec.number import read_number
from edge.decode.codec.senml import read_senml
from edge.decode.judge import judge
from edge.decode.payload import NO_TIME, Batch, Path, Reading, Refusal, path_of
from edge.model import Link, Quality, Reason, Scan, TagTable
from edge.model.quality import encode

MERGE_S = 0.010  # At most a hundred scans a second from one source.
MESSAGES_MAX = 2_000  # In one scan: about 4 ms of decoding on the event loop.
BYTES_MAX = 1024 * 1024  # The same for large payloads.
SAMPLES_ENOUGH = 20_000  # What waits in large batches makes several scans: one that is too wide goes nowhere.
TOPICS_MAX = 100_000  # Remembered topics; a sender of ever new topics must not fill the memory.
MS_NS = 1_000_000
RETAINED = np.uint8(encode(Quality.UNCERTAIN, Reason.RETAINED))

OpenLink: TypeAlias = Callable[[MqttOptions, str, Sequence[str], Counters], MqttLink]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What a topic means.

    Attributes:
        read_one: Reads the value of a message that has one; None where it has many.
        read_many: Reads those of a message that has many, given the receive time.
        row: Row of its tag where it has one, else -1.
        rows: Rows of the positional values; -1 where the tag is unknown.
        name: How a name in the payload becomes a tag's name.
    """

    read_one: Callable[[bytes], Reading | Refusal] | None = None
    read_many: Callable[[bytes, int], Batch | Refusal] | None = None
    row: int = -1
    rows: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    name: str = "{name}"


class RoadFullError(Exception):
    """The gateway has no room for a scan that must be acknowledged."""


class MqttCollector:
    """Collects from one MQTT source until cancelled."""

    def __init__(
        self,
        source: Source,
        tags: TagTable,
        clock: Clock,
        epoch: int,
        deliver: Deliver,
        open_link: OpenLink | None = None,
        left: Sequence[str] = (),
    ) -> None:
        """Make it.

        Args:
            left: Filters that an earlier collector had in the same session; those that are not ours are unsubscribed.
        """
        assert source.mqtt is not None, source.id
        self.counters = Counters()
        self._source = source
        self._options = source.mqtt
        self._tags = tags
        self._clock = clock
        self._epoch = epoch
        self._number = 0
        self._deliver = deliver
        self._open_link = open_link or self._open_paho
        self._row_of = {tags[int(row)].name: int(row) for row in tags.rows_of_source(source.id)}
        self._targets: dict[str, _Target | Refusal] = {}
        self.filters = tuple(dict.fromkeys(filter_of(topic.pattern) for topic in self._options.topics))
        self._left = tuple(one for one in left if one not in self.filters)
        self._is_up: bool | None = None

    def _open_paho(self, options: MqttOptions, client_id: str, filters: Sequence[str], counters: Counters) -> MqttLink:
        presence = None
        if options.presence:
            presence = Presence(topic=options.presence, now_ms=lambda: self._clock.wall_ns() // MS_NS)
        has_session = self._epoch > 1 or self._is_up is not None  # A run before this one had it, or this one.
        manner = Manner(presence=presence)
        return PahoLink(options, client_id, filters, counters, manner, self._left, has_session=has_session)

    @property
    def client_id(self) -> str:
        """Fixed, because the broker keeps the session under it."""
        return self._options.client_id or f"fengsui-{self._source.id}"

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self.counters)

    async def _collect(self) -> None:
        link = self._open_link(self._options, self.client_id, list(self.filters), self.counters)
        try:
            await link.open()
            while True:
                arrivals = await link.receive(MESSAGES_MAX, BYTES_MAX)
                now_ns = self._clock.wall_ns()
                messages: list[Message] = []
                for arrival in arrivals:
                    if isinstance(arrival, Message):
                        messages.append(arrival)
                    else:
                        self._carry(messages, now_ns)
                        messages = []
                        self._announce(arrival, now_ns)
                self._carry(messages, now_ns)
                # A full hand means that more is waiting: only give the others their turn.
                await asyncio.sleep(MERGE_S if len(arrivals) < MESSAGES_MAX else 0)
        finally:
            await link.close()

    def _announce(self, change: LinkChange, now_ns: int) -> None:
        """Tell the road when the link changes."""
        if self._is_up is change.is_up:
            return
        self.counters.reconnects += change.is_up and self._is_up is not None
        self._is_up = change.is_up
        _log.info("collect.link", source=self._source.id, is_up=change.is_up, reason=change.reason)
        self._deliver(Link(source=self._source.id, is_up=change.is_up, received_ns=now_ns, reason=change.reason), None)

    # --------------------------------------------------------------------------------------------------- messages

    def _carry(self, messages: Sequence[Message], now_ns: int) -> None:
        """Decode messages and deliver them as one scan, retained ones as another before it; very many as several."""
        if not messages:
            return
        live, retained = _Columns(), _Columns()
        self.counters.requests += len(messages)
        self.counters.received_bytes += sum(len(message.payload) for message in messages)
        for message in messages:
            columns = retained if message.is_retained else live
            refusal = self._read(message, columns, now_ns)
            if refusal is None:
                if message.qos > 0:
                    columns.messages.append(message)
            else:
                self._refuse(refusal, message, now_ns)
                message.acknowledge()
            if len(live) + len(retained) >= SAMPLES_ENOUGH:
                self._give(retained, live, now_ns)
                live, retained = _Columns(), _Columns()
        self._give(retained, live, now_ns)

    def _give(self, retained: "_Columns", live: "_Columns", now_ns: int) -> None:
        """Deliver what was decoded."""
        for columns in (retained, live):
            if len(columns):
                scan = self._scan(columns, now_ns, is_retained=columns is retained)
                acknowledge = partial(_acknowledge, columns.messages) if columns.messages else None
                if self._deliver(scan, acknowledge) is False and acknowledge is not None:
                    # Acknowledgements go in order: what was refused would hold back all that comes after it.
                    raise RoadFullError("the road is full; connecting anew, so that the broker sends again")

    def _read(self, message: Message, columns: "_Columns", now_ns: int) -> Refusal | None:
        """Append one message's samples; give the reason where there is none to append."""
        target = self._targets.get(message.topic)
        if target is None:
            target = self._resolve(message.topic)
        if isinstance(target, Refusal):
            return target
        if len(message.payload) > self._options.payload_bytes_max:
            return Refusal.OVERSIZED
        if target.read_one is None:
            return self._read_batch(message, target, columns, now_ns)
        reading = target.read_one(message.payload)
        if isinstance(reading, Refusal):
            return reading
        value, quality, time_ns = reading
        columns.rows.append(target.row)
        columns.values.append(value)
        columns.quality.append(quality)
        columns.times_ns.append(time_ns)
        return None

    def _read_batch(self, message: Message, target: _Target, columns: "_Columns", now_ns: int) -> Refusal | None:
        assert target.read_many is not None, message.topic
        batch = target.read_many(message.payload, now_ns)
        if isinstance(batch, Refusal):
            return batch
        rows = target.rows if batch.names is None else self._rows_of(batch.names, target.name)
        is_known = rows >= 0
        if not len(rows):
            return Refusal.MALFORMED
        if not is_known.all():
            unknown = int((~is_known).sum())
            if unknown == len(rows):
                return Refusal.UNKNOWN_TAG
            self._refuse(Refusal.UNKNOWN_TAG, message, now_ns, unknown)
            batch = Batch(
                names=None,
                values=batch.values[is_known],
                quality=batch.quality[is_known],
                times_ns=batch.times_ns[is_known],
            )
            rows = rows[is_known]
        columns.add(rows, batch)
        return None

    def _rows_of(self, names: list[str], template: str) -> NDArray[np.int32]:
        plain = template == "{name}"
        return np.array(
            [self._row_of.get(name if plain else fill(template, {"name": name}), -1) for name in names],
            dtype=np.int32,
        )

    def _resolve(self, topic: str) -> _Target | Refusal:
        """Find what a topic means, and remember it."""
        target: _Target | Refusal = Refusal.UNKNOWN_TOPIC
        for options in self._options.topics:
            found = match(parted(options.pattern)[1], topic)
            if found is not None:
                target = self._target(options, found)
                break
        if len(self._targets) >= TOPICS_MAX:
            self._targets.clear()
        self._targets[topic] = target
        return target

    def _target(self, options: TopicOptions, found: dict[str, str]) -> _Target | Refusal:
        if options.format in ("json-value", "number"):
            row = self._row_of.get(fill(options.tag, found), -1)
            return Refusal.UNKNOWN_TAG if row < 0 else _Target(read_one=_reader_of_one(options), row=row)
        if options.format == "event":
            return _Target(read_many=_reader_of_events(options, fill(options.tag, found)))
        rows = np.array([self._row_of.get(fill(name, found), -1) for name in options.tags], dtype=np.int32)
        name = fill(options.tag, found) if "{name}" in options.tag else "{name}"
        return _Target(read_many=_reader_of_many(options), rows=rows, name=name)

    def _refuse(self, refusal: Refusal, message: Message, now_ns: int, count: int = 1) -> None:
        kept = None
        if refusal not in self.counters.kept:
            payload = message.payload
            kept = Kept(origin=message.topic, payload=payload[:KEPT_BYTES_MAX], size=len(payload), received_ns=now_ns)
        self.counters.refuse(refusal, count, kept)

    def _scan(self, columns: "_Columns", now_ns: int, *, is_retained: bool) -> Scan:
        rows, values, quality, times_ns = columns.arrays()
        times_ns = np.where(times_ns == NO_TIME, now_ns, times_ns)
        judge(values, quality, self._tags.range_lo[rows], self._tags.range_hi[rows])
        if is_retained:
            quality = np.where(quality < Quality.BAD, RETAINED, quality)
        self._number += 1
        self.counters.scans += 1
        self.counters.samples += len(rows)
        self.counters.last_success_ns = now_ns
        return Scan(
            source=self._source.id,
            epoch=self._epoch,
            number=self._number,
            received_ns=now_ns,
            rows=rows,
            values=values,
            quality=quality,
            times_ns=times_ns,
            is_retained=is_retained,
            nature=self._source.nature,
        )


def _paths(options: TopicOptions) -> tuple[Path, Path | None]:
    return path_of(options.value), path_of(options.time) if options.time else None


def _reader_of_one(options: TopicOptions) -> Callable[[bytes], Reading | Refusal]:
    """Give what reads a message with one value."""
    if options.format == "number":
        return read_number
    value, time = _paths(options)
    return partial(read_value, value_path=value, time_path=time)


def _reader_of_events(options: TopicOptions, tag: str) -> Callable[[bytes, int], Batch | Refusal]:
    """Give what reads events; their names are tags already."""
    value, time = _paths(options)
    layout = EventLayout(
        event=path_of(options.event),
        device=path_of(options.device) if options.device else None,
        value=value,
        time=time,
        names=options.names,
        codes=options.codes,
        tag=tag,
    )
    return lambda payload, _: read_event(payload, layout)


def _reader_of_many(options: TopicOptions) -> Callable[[bytes, int], Batch | Refusal]:
    """Give what reads a message with many values at a receive time."""
    if options.format == "senml":
        return read_senml
    if options.format == "hj212":
        return lambda payload, _: read_hj212(payload)
    count = len(options.tags)
    if options.format == "binary":
        layout = Layout(
            type=options.type,
            endian=options.endian,
            skip=options.skip,
            time_at=options.time_at,
            time_in=options.time_in,
        )
        return lambda payload, _: read_binary(payload, layout, count)
    value, time = _paths(options)
    return lambda payload, _: read_batch(payload, value, time, count)


class _Columns:
    """Samples in order of arrival: single ones in lists, batches as arrays."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._begin()
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]] = []
        self._count = 0

    def _begin(self) -> None:
        self.rows: list[int] = []
        self.values: list[float] = []
        self.quality: list[int] = []
        self.times_ns: list[int] = []

    def __len__(self) -> int:
        return self._count + len(self.rows)

    def add(self, rows: NDArray[np.int32], batch: Batch) -> None:
        """Append a batch after what came before it."""
        self._close_lists()
        self._parts.append((rows, batch.values, batch.quality, batch.times_ns))
        self._count += len(rows)

    def _close_lists(self) -> None:
        if self.rows:
            self._parts.append(
                (
                    np.array(self.rows, dtype=np.int32),
                    np.array(self.values, dtype=np.float64),
                    np.array(self.quality, dtype=np.uint8),
                    np.array(self.times_ns, dtype=np.int64),
                )
            )
            self._count += len(self.rows)
            self._begin()

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
        """Give all samples as columns that belong to the caller."""
        self._close_lists()
        rows, values, quality, times_ns = zip(*self._parts, strict=True)
        return np.concatenate(rows), np.concatenate(values), np.concatenate(quality), np.concatenate(times_ns)


def _acknowledge(messages: list[Message]) -> None:
    for message in messages:
        message.acknowledge()
