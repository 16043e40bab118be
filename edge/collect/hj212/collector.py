"""Collects one station of HJ 212: its real-time frames become scans, answered when the road says they are durable.

Flow: door -> frame -> [collect] -> Scan -> intake; durable -> answer -> logger
Why answered late: a logger sends again what is not answered; an answer before the commit would lose what a crash takes.
Never: answers a frame that the road refused.
"""

import asyncio
from collections.abc import Callable

import numpy as np
import structlog

from edge.clock import Clock
from edge.collect.door import KEPT_BYTES_MAX, Counters, Deliver, Kept
from edge.collect.hj212.door import Doors
from edge.collect.supervise import supervise
from edge.config import Hj212Options, Source
from edge.decode.codec.hj212 import REAL_TIME, Frame, values_of
from edge.decode.judge import judge
from edge.decode.payload import NO_TIME, Refusal
from edge.model import Link, Scan, TagTable

_log = structlog.get_logger(__name__)


class Hj212Collector:
    """Collects one station until cancelled."""

    def __init__(
        self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver, doors: Doors
    ) -> None:
        assert source.hj212 is not None, source.id
        self._counters = Counters()
        self._troubles: dict[str, int] = {}
        self._source = source
        self._options = source.hj212
        self._tags = tags
        self._clock = clock
        self._epoch = epoch
        self._number = 0
        self._deliver = deliver
        self._door = doors.door(source.hj212)
        self._row_of = {tags[int(row)].name: int(row) for row in tags.rows_of_source(source.id)}
        self._is_up: bool | None = None

    @property
    def counters(self) -> Counters:
        """What it has done, and what was refused at its door."""
        told = self._door.troubles()
        self._counters.failures.update({name: n - self._troubles.get(name, 0) for name, n in told.items()})
        self._troubles = told
        return self._counters

    @property
    def options(self) -> Hj212Options:
        """Who may send for the station."""
        return self._options

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return self._door.port

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self._counters)

    async def _collect(self) -> None:
        await self._door.enter(self._options.station, self)
        try:
            is_there = self._door.speaks(self._options.station)  # A logger that stayed over a reload.
            self._announce(is_up=is_there, reason="" if is_there else "no logger has called yet")
            await asyncio.Event().wait()
        finally:
            self._door.leave(self._options.station)

    def caller_changed(self, *, is_up: bool) -> None:
        """Tell the road."""
        self._counters.reconnects += is_up and self._counters.last_success_ns > 0
        self._announce(is_up=is_up, reason="" if is_up else "the logger has gone")

    def _announce(self, *, is_up: bool, reason: str) -> None:
        if self._is_up is is_up:
            return
        self._is_up = is_up
        _log.info("collect.link", source=self._source.id, is_up=is_up, reason=reason)
        link = Link(source=self._source.id, is_up=is_up, received_ns=self._clock.wall_ns(), reason=reason)
        self._deliver(link, None)

    def refuse(self, reason: str, payload: bytes) -> None:
        """Count what went no further, and keep the first of its kind."""
        kept = Kept(
            origin=self._options.station,
            payload=payload[:KEPT_BYTES_MAX],
            size=len(payload),
            received_ns=self._clock.wall_ns(),
        )
        self._counters.refuse(reason, 1, kept)

    def answered(self, size: int) -> None:
        """Count what was sent."""
        self._counters.sent_bytes += size

    def take(self, frame: Frame, size: int, answer: Callable[[], None]) -> None:
        """Deliver a frame's values; what has none that are judged is answered at once."""
        self._counters.requests += 1
        self._counters.received_bytes += size
        now_ns = self._clock.wall_ns()
        if frame.command != REAL_TIME:
            self.refuse("not_real_time", f"CN={frame.command};{frame.body}".encode())
            answer()
            return
        batch = values_of(frame)
        if isinstance(batch, Refusal):
            self.refuse(batch, frame.body.encode())
            answer()  # It would be sent again for ever, and be no better.
            return
        assert batch.names is not None, frame
        rows = np.array([self._row_of.get(self._name(name), -1) for name in batch.names], dtype=np.int32)
        known = rows >= 0
        if not known.all():
            self._counters.refuse(Refusal.UNKNOWN_TAG, int((~known).sum()))
        if not known.any():
            answer()
            return
        rows, values, quality = rows[known], batch.values[known], batch.quality[known]
        times_ns = np.where(batch.times_ns[known] == NO_TIME, now_ns, batch.times_ns[known])
        judge(values, quality, self._tags.range_lo[rows], self._tags.range_hi[rows])
        self._number += 1
        scan = Scan(
            source=self._source.id,
            epoch=self._epoch,
            number=self._number,
            received_ns=now_ns,
            rows=rows,
            values=values,
            quality=quality,
            times_ns=times_ns,
            nature=self._source.nature,
        )
        if self._deliver(scan, answer) is False:
            self._counters.refuse(Refusal.OVERFLOW, len(rows))
            return
        self._counters.scans += 1
        self._counters.samples += len(rows)
        self._counters.last_success_ns = now_ns

    def _name(self, name: str) -> str:
        return self._options.tag.replace("{name}", name).replace("{station}", self._options.station)
