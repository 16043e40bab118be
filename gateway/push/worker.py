"""Push worker: one lane per destination, woken by commits.

Flow: outbox -> [lane: look, send, keep the receipt] -> delivered
Why: a slow or dead authority stops only its own lane. At least once: the receipt is written after the answer came, so
    a crash between the two sends again, under the same key.
Never: gives up a warning, sends a notice before the one before it in its chain, reads a clock of its own.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import numpy as np
import structlog
from numpy.random import Generator
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Destination, Site
from gateway.meter import Meter, Stage
from gateway.push import outbox
from gateway.push.channel import Channel, PushError, Receipt
from gateway.push.webhook import Webhook

T = TypeVar("T")
log = structlog.get_logger("push")

#: The destination is in trouble: first pause and longest, s (reliability R14: back-off <= 60 s).
TROUBLE_S, TROUBLE_S_MAX = 1.0, 60.0
#: The destination refuses one notice: a person must look, so it is asked again slowly, but for ever.
REFUSED_S, REFUSED_S_MAX = 10.0, 600.0
#: While a destination is in trouble a fresh warning may knock before the pause is over, but not more often, s.
KNOCK_S = 5.0
#: Looks without being woken, in case a clock moved, s.
IDLE_S = 30.0
#: Pause after the store could not be read or written, s.
STORE_S = 1.0

PAUSE_NS_MAX = round(REFUSED_S_MAX * 1e9)


class Read(Protocol):
    """Runs a query in the executor of readers."""

    def __call__(self, function: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run it."""
        ...


class Write(Protocol):
    """Runs a function in one transaction of the single writer."""

    def __call__(self, function: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run it."""
        ...


class PushWorker:
    """Sends what waits in the outbox.

    Args:
        read, write: Doors to the store.
        seed: Of the jitter; None for luck from the system.
        channels: In place of webhooks, by destination.

    Attributes:
        waiting: Notices not delivered yet, of all destinations.
    """

    def __init__(
        self,
        *,
        site: Site,
        clock: Clock,
        meter: Meter,
        read: Read,
        write: Write,
        seed: int | None = None,
        channels: Mapping[str, Channel] | None = None,
    ) -> None:
        self._site = site
        self._clock = clock
        self._meter = meter
        self._read = read
        self._write = write
        self._generator = np.random.default_rng(seed)
        self._channels = channels
        self._woken = asyncio.Event()
        self._last = 0
        self._lanes: dict[str, _Lane] = {}
        self.waiting = 0
        meter.held(Stage.PUSH, lambda: self.waiting)

    def wake(self) -> None:
        """Say that notices may have been committed; call it on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        channels = self._channels if self._channels is not None else make_webhooks(self._site, self._clock)
        self._lanes = {
            destination.id: _Lane(
                destination=destination,
                channel=channels[destination.id],
                clock=self._clock,
                meter=self._meter,
                read=self._read,
                write=self._write,
                generator=self._generator,
                delivered=self._delivered,
            )
            for destination in self._site.outlets
        }
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                for name, lane in self._lanes.items():
                    group.create_task(lane.run(), name=f"push-{name}")
                group.create_task(self._watch(), name="push-arrivals")
        finally:
            for channel in channels.values():
                await channel.close()

    async def _begin(self) -> None:
        """Count what a former run left behind."""
        while True:
            try:
                self._last, waiting = await self._read(outbox.backlog)
            except SQLAlchemyError as failure:
                self._meter.error(Stage.PUSH, f"store: {failure}", self._clock.wall_ns())
                await asyncio.sleep(STORE_S)
            else:
                self._take(sum(waiting.values()))
                return

    async def _watch(self) -> None:
        """Count what came into the outbox, and wake the lanes that it is for."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                self._last, arrived = await self._read(_arrivals_after(self._last))
            except SQLAlchemyError as failure:
                self._meter.error(Stage.PUSH, f"store: {failure}", self._clock.wall_ns())
                await asyncio.sleep(STORE_S)
                self._woken.set()
                continue
            self._take(sum(arrived.values()))
            for destination in arrived:
                if destination in self._lanes:
                    self._lanes[destination].wake()

    def _take(self, n: int) -> None:
        self.waiting += n
        self._meter.entered(Stage.PUSH, n)

    def _delivered(self) -> None:
        self.waiting -= 1
        self._meter.left(Stage.PUSH)


def _arrivals_after(last: int) -> Callable[[Connection], tuple[int, dict[str, int]]]:
    return lambda connection: outbox.arrivals(connection, last)


class _Lane:
    """The way to one destination: at most one notice under way."""

    def __init__(
        self,
        *,
        destination: Destination,
        channel: Channel,
        clock: Clock,
        meter: Meter,
        read: Read,
        write: Write,
        generator: Generator,
        delivered: Callable[[], None],
    ) -> None:
        self._id = destination.id
        self._channel = channel
        self._clock = clock
        self._meter = meter
        self._read = read
        self._write = write
        self._generator = generator
        self._count_delivered = delivered
        self._woken = asyncio.Event()
        self._failures = 0  # in a row; above 0 the circuit is open

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                pause_s = await self._turn()
            except SQLAlchemyError as failure:
                # Nothing is lost: what was sent and not kept is sent again under its key.
                self._meter.noted(Stage.PUSH, "store_failed")
                self._fail(f"store: {failure}")
                await asyncio.sleep(STORE_S)
                continue
            if pause_s is not None:
                await self._rest(pause_s)

    async def _turn(self) -> float | None:
        """Send what is due; give how long to rest, or None to look again at once."""
        now_ns = self._clock.wall_ns()
        seen = await self._read(lambda connection: outbox.look(connection, self._id, now_ns, PAUSE_NS_MAX))
        if not seen.due:
            return IDLE_S if seen.next_ns is None else min(IDLE_S, max(0.0, (seen.next_ns - now_ns) / 1e9))
        blocked: set[str] = set()
        for waiting in seen.due:
            if waiting.parcel.chain in blocked:
                continue
            try:
                receipt = await self._channel.send(waiting.parcel)
            except PushError as error:
                pause_s = await self._keep_failure(waiting, error)
                if error.retry:
                    return pause_s
                blocked.add(waiting.parcel.chain)
            else:
                await self._keep_receipt(waiting, receipt)
            if self._woken.is_set():
                return None  # Something new is there; it may be RED.
        return None

    async def _keep_receipt(self, waiting: outbox.Waiting, receipt: Receipt) -> None:
        now_ns, is_back = self._clock.wall_ns(), self._failures > 0

        def keep(connection: Connection) -> None:
            outbox.put_receipt(connection, waiting.seq, receipt, now_ns)
            if is_back:
                outbox.hasten(connection, self._id, now_ns)

        await self._write(keep)
        if is_back:
            log.info("push.back", destination=self._id, failures=self._failures)
            self._failures = 0
        self._count_delivered()
        self._meter.delay(Stage.PUSH, max(0.0, (now_ns - waiting.created_ns) / 1e9))
        if receipt.is_repeat:
            self._meter.noted(Stage.PUSH, "repeat")

    async def _keep_failure(self, waiting: outbox.Waiting, error: PushError) -> float:
        """Write down why a notice did not arrive; give the pause before it is tried again, s."""
        if error.retry:
            self._failures += 1
            pause_s = self._back_off(TROUBLE_S, TROUBLE_S_MAX, self._failures)
            pause_s = max(pause_s, error.after_s or 0.0)
            if self._failures == 1:
                log.warning("push.trouble", destination=self._id, reason=error.reason)
        else:
            pause_s = self._back_off(REFUSED_S, REFUSED_S_MAX, waiting.attempts + 1)
            self._meter.noted(Stage.PUSH, "refused_by_receiver")
            if waiting.attempts == 0:
                log.warning("push.refused", destination=self._id, key=waiting.parcel.key, reason=error.reason)
        self._meter.noted(Stage.PUSH, error.reason)
        self._fail(str(error))
        next_ns = self._clock.wall_ns() + round(pause_s * 1e9)
        await self._write(lambda connection: outbox.put_failure(connection, waiting.seq, str(error), next_ns))
        return pause_s

    def _back_off(self, first_s: float, longest_s: float, n: int) -> float:
        """Double from attempt to attempt up to a cap; take off up to half by luck, so that many do not knock as one."""
        whole_s = min(longest_s, first_s * 2.0 ** min(n - 1, 32))
        return whole_s * float(self._generator.uniform(0.5, 1.0))

    def _fail(self, text: str) -> None:
        self._meter.error(Stage.PUSH, f"{self._id}: {text}", self._clock.wall_ns())

    async def _rest(self, pause_s: float) -> None:
        """Wait, but let a fresh notice cut the wait short."""
        if self._failures:
            knock_s = min(pause_s, KNOCK_S)
            await asyncio.sleep(knock_s)
            pause_s -= knock_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._woken.wait()


def make_webhooks(site: Site, clock: Clock) -> dict[str, Channel]:
    """Make the channel of each destination.

    Raises:
        ValueError: A URL or a secret cannot be used.
    """
    return {destination.id: Webhook(destination, clock) for destination in site.outlets}
