"""Polls one Modbus device: each scan class on its own drift-free schedule, one scan a cycle.

Flow: plan -> line -> [collect] -> decode -> Scan -> intake
Why: one device is one task group, and what it costs others on its line is bounded (``line``, ``breaker``); a time-out
    costs only its own request, and its tags are BAD with the reason while their neighbours stay good.
Never: leaves a tag silent. While there is no connection, each cycle gives BAD(comms); while the device is silent,
    BAD(timeout), asked or not.
"""

import asyncio
import zlib

import numpy as np
import structlog
from numpy.typing import NDArray

from edge.clock import Clock
from edge.collect.door import Counters, Deliver, Raw
from edge.collect.modbus.frame import Failure, Words
from edge.collect.modbus.line import Lines
from edge.collect.modbus.plan import ReadPlan, plan_device
from edge.collect.schedule import Schedule
from edge.collect.supervise import supervise
from edge.config import ModbusOptions, Source, Table
from edge.model import Link, Quality, Scan, TagTable
from edge.model.quality import encode

#: Requests that splitting may add to a scan class; a device that refuses everything must not be asked tag by tag.
SPLITS_MAX = 64

_log = structlog.get_logger(__name__)


class ModbusCollector:
    """Collects from one Modbus source until cancelled.

    Args:
        lines: Those of the process, so that sources with the same way out share one; left out, it has its own.

    Raises:
        ValueError: At construction, when an address cannot be read; the configuration has checked this before.
    """

    def __init__(
        self,
        source: Source,
        tags: TagTable,
        clock: Clock,
        epoch: int,
        deliver: Deliver,
        lines: Lines | None = None,
    ) -> None:
        assert source.modbus is not None, source.id
        self.counters = Counters()
        self._source = source
        self._options = source.modbus
        self._tags = tags
        self._clock = clock
        self._epoch = epoch
        self._number = 0
        self._deliver = deliver
        self._plans = plan_device(tags, source.id, source.modbus)
        self._line = (lines or Lines()).line(source.modbus)
        self._station = self._line.station(source.modbus.device_id)
        self._troubles: dict[str, int] = {}
        self._cycles: dict[float, Cycle] = {}
        self._is_up: bool | None = None  # None: not yet known.

    @property
    def options(self) -> ModbusOptions:
        """Where its device is."""
        return self._options

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self.counters)

    def raw(self, row: int) -> Raw | None:
        """Give the words behind a tag's last sample; None where the last cycle gave none; nothing is asked."""
        return next((raw for cycle in self._cycles.values() if (raw := cycle.raw(row)) is not None), None)

    async def read(self, table: Table, address: int, count: int, device_id: int | None = None) -> Words | Failure:
        """Read registers once more than the tags need, in turn with all else on the line and after its pauses.

        Args:
            device_id: Of another device on the same line; None for the source's own.

        Returns:
            uint16 (count,), or why there are none; a device that is known to be silent is not asked.
        """
        own = self._options.device_id
        station = self._station if device_id in (None, own) else self._line.guest(device_id or 0)
        _, answer = await station.read(table, address, count, self._options)
        return answer

    async def _collect(self) -> None:
        with self._line.used(self._options):
            self._station.watch(self._lost)
            try:
                await self._line.tried.wait()  # So that the first cycle after the start is not BAD for nothing.
                if not self._line.is_up:
                    self._lost("no connection")
                async with asyncio.TaskGroup() as group:
                    for plan in self._plans:
                        group.create_task(self._poll(plan))
            finally:
                self._station.unwatch(self._lost)

    # ------------------------------------------------------------------------------------------------- the link

    def _lost(self, reason: str) -> None:
        self._announce(is_up=False, reason=reason)

    def _announce(self, *, is_up: bool, reason: str = "") -> None:
        """Tell the road when the link changes. It is up when the device answers, not when it accepts."""
        if self._is_up is is_up:
            return
        self.counters.reconnects += is_up and self._is_up is not None
        self._is_up = is_up
        _log.info("collect.link", source=self._source.id, is_up=is_up, reason=reason)
        now_ns = self._clock.wall_ns()
        self._deliver(Link(source=self._source.id, is_up=is_up, received_ns=now_ns, reason=reason), None)

    # ------------------------------------------------------------------------------------------------ the cycles

    async def _poll(self, plan: ReadPlan) -> None:
        """Poll one scan class for ever."""
        loop = asyncio.get_running_loop()
        # Sources begin at different moments, so that a thousand devices are not asked at once.
        stagger = zlib.crc32(self._source.id.encode()) / 2**32 * min(plan.period_s, 1.0)
        schedule = Schedule(plan.period_s, loop.time() + stagger)
        cycle = Cycle(plan, self._tags)
        while True:
            due_s, late = schedule.next_due(loop.time())
            self.counters.overruns += late
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if cycle.generation != self._station.generation:  # A device that comes back may have been put right.
                cycle = Cycle(plan, self._tags, self._station.generation)
            self._cycles[plan.period_s] = cycle
            await self._read(cycle)

    async def _read(self, cycle: "Cycle") -> None:
        """Send one cycle's requests and deliver one scan."""
        refused: list[int] = []
        for index, request in enumerate(cycle.plan.requests):
            is_asked, answer = await self._station.read(request.table, request.address, request.count, self._options)
            sent, received = self._station.exchanged
            self.counters.sent_bytes += sent
            self.counters.received_bytes += received
            self.counters.requests += is_asked
            self.counters.skipped += not is_asked
            now_ns = self._clock.wall_ns()
            if isinstance(answer, Failure):
                if is_asked:
                    self.counters.failures[answer.reason.name.lower()] += 1
                cycle.miss(index, answer, now_ns)
                if answer.is_refusal:
                    refused.append(index)
                is_answered = answer.is_answer
            else:
                cycle.take(index, answer, now_ns)
                is_answered = True
            if is_answered:
                self.counters.last_success_ns = now_ns
                if self._line.is_up:
                    self._announce(is_up=True)
        self.counters.failures.update(self._fresh_troubles())
        self._deliver(self._scan(cycle), None)
        for index in reversed(refused):  # From the end, so that the earlier places stay what they are.
            self.counters.splits += cycle.split(index, self._tags)

    def _fresh_troubles(self) -> dict[str, int]:
        """Give what went wrong on the line since the last cycle of any class, beside requests."""
        told = self._line.troubles()
        fresh = {reason: count - self._troubles.get(reason, 0) for reason, count in told.items()}
        self._troubles = told
        return fresh

    def _scan(self, cycle: "Cycle") -> Scan:
        values, quality, times_ns = cycle.columns()
        self._number += 1
        self.counters.scans += 1
        self.counters.samples += len(values)
        return Scan(
            source=self._source.id,
            epoch=self._epoch,
            number=self._number,
            received_ns=self._clock.wall_ns(),
            rows=cycle.plan.rows,
            values=values,
            quality=quality,
            times_ns=times_ns,
            nature=self._source.nature,
        )


class Cycle:
    """One scan class's answers, kept in place from cycle to cycle."""

    def __init__(self, plan: ReadPlan, tags: TagTable, generation: int = 0) -> None:
        self.generation = generation
        self._requests_most = len(plan.requests) + SPLITS_MAX
        self._take_plan(plan, tags)

    def _take_plan(self, plan: ReadPlan, tags: TagTable) -> None:
        self.plan = plan
        self._decoder = plan.decoder(tags)
        self._words = np.zeros(int(plan.starts[-1]), dtype=np.uint16)
        self._answered = np.zeros(len(plan.requests), dtype=np.uint8)
        self._times_ns = np.zeros(len(plan.requests), dtype=np.int64)

    def take(self, index: int, words: NDArray[np.uint16], now_ns: int) -> None:
        """Note the words of one answer."""
        self._words[self.plan.starts[index] : self.plan.starts[index + 1]] = words
        self._answered[index] = Quality.GOOD
        self._times_ns[index] = now_ns

    def miss(self, index: int, failure: Failure, now_ns: int) -> None:
        """Note that one request gave no words."""
        self._answered[index] = encode(Quality.BAD, failure.reason)
        self._times_ns[index] = now_ns

    def raw(self, row: int) -> Raw | None:
        """Give the words of one tag, where its request was answered."""
        plan = self.plan
        at = int(np.searchsorted(plan.rows, row))
        if at == len(plan.rows) or plan.rows[at] != row:
            return None
        request = int(plan.request_of[at])
        if self._answered[request] != Quality.GOOD or not self._times_ns[request]:
            return None
        address = plan.addresses[at]
        start = int(plan.starts[request]) + address.register - plan.requests[request].address
        return Raw(
            table=address.table,
            register=address.register,
            words=tuple(self._words[start : start + address.words].tolist()),
            time_ns=int(self._times_ns[request]),
        )

    def columns(self) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
        """Decode the cycle: values, quality, and the time at which each tag's answer came."""
        values, quality = self._decoder.decode(self._words, self._answered)
        return values, quality, self._times_ns[self.plan.request_of]

    def split(self, index: int, tags: TagTable) -> bool:
        """Cut a refused request in two for the next cycle, where that can help."""
        if len(self.plan.requests) >= self._requests_most or not self.plan.can_split(index):
            return False
        self._take_plan(self.plan.split(index), tags)
        return True
