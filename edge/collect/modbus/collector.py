"""Polls one Modbus device: each scan class on its own drift-free schedule, one scan a cycle.

Flow: plan -> device -> [collect] -> decode -> Scan -> intake
Why: one device is one task group and one connection, so that a dead device costs nobody else anything; a time-out
    costs only its own request, and its tags are BAD with the reason while their neighbours stay good.
Never: leaves a tag silent. While there is no connection, each cycle gives BAD(comms).
"""

import asyncio
import zlib
from collections.abc import Callable

import numpy as np
import structlog
from numpy.typing import NDArray

from edge.clock import Clock
from edge.collect.backoff import BackOff
from edge.collect.door import Counters, Deliver
from edge.collect.modbus.client import Failure, ModbusDevice
from edge.collect.modbus.plan import ReadPlan, plan_device
from edge.collect.schedule import Schedule
from edge.collect.supervise import supervise
from edge.config import ModbusOptions, Source
from edge.model import Link, Quality, Scan, TagTable
from edge.model.quality import encode

RETRY_S_LEAST = 0.2
#: Requests that splitting may add to a scan class; a device that refuses everything must not be asked tag by tag.
SPLITS_MAX = 64

_log = structlog.get_logger(__name__)


class ModbusCollector:
    """Collects from one Modbus source until cancelled.

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
        open_device: Callable[[ModbusOptions], ModbusDevice] = ModbusDevice,
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
        self._open_device = open_device
        self._plans = plan_device(tags, source.id, source.modbus)
        self._connection = 0
        self._is_up: bool | None = None  # None: not yet known.
        self._backoff = BackOff(RETRY_S_LEAST, source.modbus.retry_s_max)

    async def run(self) -> None:
        """Collect until cancelled."""
        await supervise(self._collect, self._source.id, self.counters)

    async def _collect(self) -> None:
        device = self._open_device(self._options)
        was_tried = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_connected(device, was_tried))
                await was_tried.wait()  # So that the first cycle after the start is not BAD for nothing.
                for plan in self._plans:
                    group.create_task(self._poll(device, plan))
        finally:
            device.close()

    # ------------------------------------------------------------------------------------------------- the link

    async def _keep_connected(self, device: ModbusDevice, was_tried: asyncio.Event) -> None:
        """Connect, wait until the connection is lost, begin again with growing pauses."""
        while True:
            if await device.connect():
                self._connection += 1
                was_tried.set()
                reason = await device.lost()
            else:
                reason = "no connection"
            self._announce(is_up=False, reason=reason)
            was_tried.set()
            await asyncio.sleep(self._backoff.pause_s())

    def _announce(self, *, is_up: bool, reason: str = "") -> None:
        """Tell the road when the link changes. It is up when the device answers, not when it accepts."""
        if self._is_up is is_up:
            return
        if is_up:
            self._backoff.reset()
            self.counters.reconnects += self._is_up is not None
        self._is_up = is_up
        _log.info("collect.link", source=self._source.id, is_up=is_up, reason=reason)
        now_ns = self._clock.wall_ns()
        self._deliver(Link(source=self._source.id, is_up=is_up, received_ns=now_ns, reason=reason), None)

    # ------------------------------------------------------------------------------------------------ the cycles

    async def _poll(self, device: ModbusDevice, plan: ReadPlan) -> None:
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
            if cycle.connection != self._connection:  # A device that comes back may have been put right.
                cycle = Cycle(plan, self._tags, self._connection)
            await self._read(device, cycle)

    async def _read(self, device: ModbusDevice, cycle: "Cycle") -> None:
        """Send one cycle's requests and deliver one scan."""
        refused: list[int] = []
        for index, request in enumerate(cycle.plan.requests):
            self.counters.requests += 1
            answer = await device.read(request.table, request.address, request.count)
            now_ns = self._clock.wall_ns()
            if isinstance(answer, Failure):
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
                if device.is_connected:
                    self._announce(is_up=True)
        self._deliver(self._scan(cycle), None)
        for index in reversed(refused):  # From the end, so that the earlier places stay what they are.
            self.counters.splits += cycle.split(index, self._tags)

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

    def __init__(self, plan: ReadPlan, tags: TagTable, connection: int = 0) -> None:
        self.connection = connection
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
