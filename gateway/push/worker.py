"""Push worker: one lane per destination, woken by commits.

Flow: outbox -> [lane: look, send, keep the receipt] -> delivered
Why: a slow or dead authority stops only its own lane. At least once: the receipt is written after the answer came, so
    a crash between the two sends again, under the same key. What an authority refuses for ever is put aside with all of
    its chain, and rings: a person looks at it, and the rest goes on.
Never: gives up a warning by itself, sends a notice before the one before it in its chain, reads a clock of its own.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import structlog
from numpy.random import Generator
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Destination, Site
from gateway.meter import Meter, Stage
from gateway.push import acks, answers, outbox
from gateway.push.acks import Verdict
from gateway.push.answers import Said, What
from gateway.push.channel import Channel, PushError, Receipt
from gateway.push.route import make_channels
from gateway.push.sealing import Sealer

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
#: How often is looked how long each destination has not confirmed, s.
STANDING_S = 30.0
#: Acknowledgements that wait to be judged.
ACKS_MAX = 1000


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
        standings: How each destination stands that is owed something, as of the last look.
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
        self._acks: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(ACKS_MAX)
        self._destinations = {destination.id: destination for destination in site.outlets}
        self.waiting = 0
        self.standings: Mapping[str, outbox.Standing] = {}
        meter.held(Stage.PUSH, lambda: self.waiting)

    def wake(self) -> None:
        """Say that notices may have been committed; call it on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        if self._channels is not None:
            channels = self._channels
        else:
            channels = make_channels(self._site, self._clock, self._hear_ack)
        self._lanes = {
            destination.id: _Lane(
                destination=destination,
                channel=channels[destination.id],
                clock=self._clock,
                meter=self._meter,
                read=self._read,
                write=self._write,
                generator=self._generator,
                books=self._left,
            )
            for destination in self._site.outlets
        }
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                for name, lane in self._lanes.items():
                    group.create_task(lane.run(), name=f"push-{name}")
                group.create_task(self._watch(), name="push-arrivals")
                group.create_task(self._hear(), name="push-acks")
                group.create_task(self._look_around(), name="push-standings")
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

    def _left(self, n: int, refused: str = "") -> None:
        """Keep the books: so many notices wait no longer; with a reason where nobody received them."""
        self.waiting -= n
        if refused:
            self._meter.refused(Stage.PUSH, refused, n)
        else:
            self._meter.left(Stage.PUSH, n)

    def wait_again(self, n: int) -> None:
        """Say that a person let so many notices wait again that did not."""
        if n:
            self._take(n)
        for lane in self._lanes.values():
            lane.wake()

    # ------------------------------------------------------------------------------ acknowledgements that come later

    def _hear_ack(self, destination: str, text: bytes) -> None:
        """Take what came on a channel of its own; one that does not fit is counted, and its notice goes again."""
        try:
            self._acks.put_nowait((destination, text))
        except asyncio.QueueFull:
            self._meter.noted(Stage.PUSH, "ack_overflow")

    async def _hear(self) -> None:
        while True:
            destination, text = await self._acks.get()
            try:
                await self.take_ack(destination, text)
            except SQLAlchemyError as failure:  # Its notice goes again, and so does its acknowledgement.
                self._meter.noted(Stage.PUSH, "store_failed")
                self._meter.error(Stage.PUSH, f"store: {failure}", self._clock.wall_ns())

    async def take_ack(self, destination: str, text: bytes) -> Verdict:
        """Take an acknowledgement, by whatever way it came; who sent it is proved by its signature alone."""
        to = self._destinations[destination]
        believes = Sealer(to).believes if to.profile.receipt.is_signed else _nobody
        found = acks.read_ack(to, text, believes)
        now_ns = self._clock.wall_ns()
        if isinstance(found, Verdict):
            if found is Verdict.FALSE:
                said = Said(what=What.FALSE_ACK, text=text.decode("utf-8", "replace"))
                await self._write(lambda connection: answers.add(connection, now_ns, "", destination, said))
            self._meter.noted(Stage.PUSH, f"ack_{found}")
            return found

        def put(connection: Connection) -> tuple[Verdict, int]:
            verdict, chain = acks.put_ack(connection, destination, found, now_ns)
            n = 0
            if verdict is Verdict.REFUSED:
                n = outbox.put_aside(connection, destination, chain, now_ns, found.text)
            return verdict, n

        verdict, n = await self._write(put)
        self._meter.noted(Stage.PUSH, f"ack_{verdict}")
        if verdict is Verdict.TAKEN:
            self._left(1)
        elif n:
            self._left(n, "quarantined")
        if destination in self._lanes:
            self._lanes[destination].wake()
        return verdict

    async def _look_around(self) -> None:
        """See how long each destination has not confirmed what it is owed; its own alarm rings by that."""
        is_first = True
        while True:
            if is_first or self.waiting or self.standings:  # Else nobody is owed anything.
                try:
                    self.standings = await self._read(outbox.standings)
                    is_first = False
                except SQLAlchemyError as failure:
                    self._meter.error(Stage.PUSH, f"store: {failure}", self._clock.wall_ns())
            await asyncio.sleep(STANDING_S)

    def unconfirmed_s(self, destination: str, now_ns: int) -> float:
        """Give how long a destination's oldest warning has waited for its receipt, s; 0 where none waits."""
        oldest_ns = self.standings.get(destination, outbox.Standing()).oldest_ns
        return max(0.0, (now_ns - oldest_ns) / 1e9) if oldest_ns else 0.0


def _nobody(_: Mapping[str, Any]) -> bool:
    """Believe no signature: none was agreed upon."""
    return False


def _arrivals_after(last: int) -> Callable[[Connection], tuple[int, dict[str, int]]]:
    return lambda connection: outbox.arrivals(connection, last)


@dataclass(slots=True)
class _Turn:
    """What one look gave, while it is carried.

    Attributes:
        is_begun: Something was sent; before that nothing new cuts the turn short, or a storm would stop the lane.
        pause_s: How long the destination is left alone; None while it is not in trouble.
    """

    chains: deque[list[outbox.Waiting]]
    is_begun: bool = False
    pause_s: float | None = None


class _Lane:
    """The way to one destination: at most one notice of a chain under way, and so many chains as it allows."""

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
        books: Callable[[int, str], None],
    ) -> None:
        self._destination = destination
        self._id = destination.id
        self._channel = channel
        self._clock = clock
        self._meter = meter
        self._read = read
        self._write = write
        self._generator = generator
        self._count_left = books
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
        if any(waiting.expires_ns and waiting.expires_ns <= now_ns for waiting in seen.due):
            n = await self._write(lambda connection: outbox.put_expired(connection, self._id, now_ns))
            self._count_left(n, "expired")
            return None
        if not seen.due:
            return IDLE_S if seen.next_ns is None else min(IDLE_S, max(0.0, (seen.next_ns - now_ns) / 1e9))
        chains: dict[str, list[outbox.Waiting]] = {}
        for waiting in seen.due:
            chains.setdefault(waiting.parcel.chain, []).append(waiting)
        turn = _Turn(chains=deque(chains.values()))
        if self._destination.connections == 1:
            await self._carry(turn)
        else:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._destination.connections, len(chains))):
                    group.create_task(self._carry(turn))
        return turn.pause_s

    async def _carry(self, turn: "_Turn") -> None:
        """Send chain after chain until none is left, the destination is in trouble, or something new is there."""
        while turn.chains and turn.pause_s is None and not (turn.is_begun and self._woken.is_set()):
            turn.is_begun = True
            for waiting in turn.chains.popleft():
                try:
                    receipt = await self._channel.send(waiting.parcel)
                except PushError as error:
                    pause_s = await self._keep_failure(waiting, error)
                    if error.retry:
                        turn.pause_s = max(turn.pause_s or 0.0, pause_s)
                    break
                await self._keep_receipt(waiting, receipt)
                if not receipt.is_proof and self._destination.profile.receipt.by == "later":
                    break  # What follows in the chain waits for the acknowledgement.
                if self._woken.is_set() or turn.pause_s is not None:
                    break  # Something new is there; it may be RED.

    async def _keep_receipt(self, waiting: outbox.Waiting, receipt: Receipt) -> None:
        now_ns, is_back = self._clock.wall_ns(), self._failures > 0
        rule = self._destination.profile.receipt
        is_awaited = not receipt.is_proof and rule.by == "later"

        def keep(connection: Connection) -> None:
            if is_awaited:
                next_ns = now_ns + round(rule.resend_s * 1e9)
                outbox.put_handed(connection, waiting, self._id, receipt, now_ns=now_ns, next_ns=next_ns)
            else:
                outbox.put_receipt(connection, waiting, self._id, receipt, now_ns)
            if is_back:
                outbox.hasten(connection, self._id, now_ns)

        await self._write(keep)
        if is_back:
            log.info("push.back", destination=self._id, failures=self._failures)
            self._failures = 0
        if is_awaited:
            self._meter.noted(Stage.PUSH, "handed")
            return
        self._count_left(1, "")
        self._meter.delay(Stage.PUSH, max(0.0, (now_ns - waiting.created_ns) / 1e9))
        if receipt.is_repeat:
            self._meter.noted(Stage.PUSH, "repeat")

    async def _keep_failure(self, waiting: outbox.Waiting, error: PushError) -> float:
        """Write down why a notice did not arrive; give the pause before it is tried again, s."""
        now_ns = self._clock.wall_ns()
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
        next_ns = now_ns + round(pause_s * 1e9)
        since_ns = waiting.refused_ns or now_ns
        is_lost = error.is_final or now_ns - since_ns >= self._destination.quarantine_min * 60e9
        is_aside = not error.retry and is_lost

        def keep(connection: Connection) -> int:
            outbox.put_failure(connection, waiting, self._id, error, now_ns=now_ns, next_ns=next_ns)
            if not is_aside:
                return 0
            return outbox.put_aside(connection, self._id, waiting.parcel.chain, now_ns, str(error))

        n = await self._write(keep)
        if n:
            log.warning("push.quarantined", destination=self._id, chain=waiting.parcel.chain, notices=n)
            self._count_left(n, "quarantined")
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
