"""Lane: the way to one authority: look, send, keep the receipt.

Flow: outbox -> [Lane] -> channel -> receipt or reason, kept in the store
Why: in a flood the writer is busy with a tick for as long as a hundred notices take. The next chain does not wait until
    the receipt of the one before it is durable; the next notice of the same chain does, and so does whoever looks.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from numpy.random import Generator
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Destination
from gateway.meter import Meter, Stage
from gateway.push import outbox
from gateway.push.channel import Channel, PushError, Receipt
from gateway.push.together import Together

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


class InStore(Protocol):
    """Runs a function in the store: in the executor of readers, or in one transaction of the single writer."""

    def __call__(self, function: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run it."""
        ...


@dataclass(slots=True)
class Turn:
    """What one look gave, while it is carried.

    Attributes:
        until_ns: Until when something new does not cut it short, by the monotonic clock.
        is_begun: Something was sent; before that nothing new cuts the turn short, or a storm would stop the lane.
        pause_s: How long the destination is left alone; None while it is not in trouble.
    """

    chains: deque[list[outbox.Waiting]]
    until_ns: int = 0
    is_begun: bool = False
    pause_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a lane needs around it.

    Attributes:
        books: Told how many notices wait no longer; with a reason where nobody received them.
    """

    destination: Destination
    channel: Channel
    clock: Clock
    meter: Meter
    read: InStore
    write: InStore
    generator: Generator
    books: Callable[[int, str], None]

    def back_off(self, first_s: float, longest_s: float, n: int) -> float:
        """Double from attempt to attempt up to a cap; take off up to half by luck, so that many do not knock as one."""
        whole_s = min(longest_s, first_s * 2.0 ** min(n - 1, 32))
        return whole_s * float(self.generator.uniform(0.5, 1.0))

    def fail(self, text: str) -> None:
        """Count an error of this destination."""
        self.meter.error(Stage.PUSH, f"{self.destination.id}: {text}", self.clock.wall_ns())


class Lane:
    """The way to one authority: at most one notice of a chain under way, and so many chains as it allows."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._destination = around.destination
        self._id = around.destination.id
        self._channel = around.channel
        self._clock = around.clock
        self._meter = around.meter
        self._read = around.read
        self._write = around.write
        self._receipts = Together(around.write)
        self._count_left = around.books
        self._woken = asyncio.Event()
        self._failures = 0  # in a row; above 0 the circuit is open
        self._unkept: dict[str, asyncio.Task[None]] = {}  # by chain: answered, and not durable yet

    def wake(self) -> None:
        """Say that something may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            await self._run()
        finally:
            await self._end()

    async def _end(self) -> None:
        """Let what was answered become durable, but not for long: what does not goes again under its key."""
        if self._unkept:
            tasks = set(self._unkept.values())
            _, late = await asyncio.wait(tasks, timeout=STORE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                self._settle()
                pause_s = await self._turn()
            except SQLAlchemyError as failure:
                # Nothing is lost: what was sent and not kept is sent again under its key.
                self._meter.noted(Stage.PUSH, "store_failed")
                self._around.fail(f"store: {failure}")
                await asyncio.sleep(STORE_S)
                continue
            if pause_s is not None:
                await self._rest(pause_s)

    async def _turn(self) -> float | None:
        """Send what is due; give how long to rest, or None to look again at once."""
        now_ns = self._clock.wall_ns()
        began_ns = self._clock.monotonic_ns()
        seen = await self._read(lambda connection: outbox.look(connection, self._id, now_ns, PAUSE_NS_MAX))
        looked_ns = self._clock.monotonic_ns()
        if any(waiting.expires_ns and waiting.expires_ns <= now_ns for waiting in seen.due):
            n = await self._write(lambda connection: outbox.put_expired(connection, self._id, now_ns))
            self._count_left(n, "expired")
            return None
        if self._unkept and all(waiting.parcel.chain in self._unkept for waiting in seen.due):
            await asyncio.wait(set(self._unkept.values()), return_when=asyncio.FIRST_COMPLETED)
            return None
        if not seen.due:
            return IDLE_S if seen.next_ns is None else min(IDLE_S, max(0.0, (seen.next_ns - now_ns) / 1e9))
        chains: dict[str, list[outbox.Waiting]] = {}
        for waiting in seen.due:
            if waiting.parcel.chain not in self._unkept:
                chains.setdefault(waiting.parcel.chain, []).append(waiting)
        turn = Turn(chains=deque(chains.values()), until_ns=2 * looked_ns - began_ns)
        if self._destination.connections == 1:
            await self._carry(turn)
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self._destination.connections, len(chains))):
                        group.create_task(self._carry(turn))
            except ExceptionGroup as failures:
                _, others = failures.split(SQLAlchemyError)
                if others is not None:
                    raise
                raise failures.exceptions[0] from None  # The store's trouble is one trouble, however many met it.
        return turn.pause_s

    async def _carry(self, turn: "Turn") -> None:
        """Send chain after chain until none is left, the destination is in trouble, or something new is there."""
        while turn.chains and turn.pause_s is None and not (turn.is_begun and self._is_over(turn, turn.chains[0])):
            turn.is_begun = True
            chain = turn.chains.popleft()
            for waiting in chain:
                try:
                    receipt = await self._channel.send(waiting.parcel)
                except PushError as error:
                    pause_s = await self._keep_failure(waiting, error)
                    if error.retry:
                        turn.pause_s = max(turn.pause_s or 0.0, pause_s)
                    break
                if waiting is chain[-1] and receipt.is_proof and not self._failures:
                    await self._keep_beside(waiting, receipt)
                    break
                await self._keep_receipt(waiting, receipt)
                if not receipt.is_proof and self._destination.profile.receipt.by == "later":
                    break  # What follows in the chain waits for the acknowledgement.
                if turn.pause_s is not None or self._is_over(turn, [waiting]):
                    break

    def _is_over(self, turn: "Turn", chain: Sequence[outbox.Waiting]) -> bool:
        """Tell whether to look again before this goes: something new is there that may be graver.

        In a flood something new is there all the time, and a look at thousands that wait takes as long as sending many:
        what nothing can overtake goes on, and the rest for as long as the last look took.
        """
        if not self._woken.is_set() or any(waiting.is_foremost for waiting in chain):
            return False
        return self._clock.monotonic_ns() >= turn.until_ns

    async def _keep_beside(self, waiting: outbox.Waiting, receipt: Receipt) -> None:
        """Write the receipt down while the next chain goes; of so many at most as one look gives."""
        while len(self._unkept) >= outbox.CHAINS:
            await asyncio.wait(set(self._unkept.values()), return_when=asyncio.FIRST_COMPLETED)
            self._settle()
        name = f"push-kept-{self._id}"
        self._unkept[waiting.parcel.chain] = asyncio.create_task(self._keep_receipt(waiting, receipt), name=name)

    def _settle(self) -> None:
        """Forget what is durable by now.

        Raises:
            SQLAlchemyError: The store did not take some of it; that goes again under its key.
        """
        done = [chain for chain, task in self._unkept.items() if task.done()]
        failures = [failure for task in map(self._unkept.pop, done) if (failure := task.exception()) is not None]
        if failures:
            raise failures[0]

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

        await self._receipts.do(keep)
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
            pause_s = self._around.back_off(TROUBLE_S, TROUBLE_S_MAX, self._failures)
            pause_s = max(pause_s, error.after_s or 0.0)
            if self._failures == 1:
                log.warning("push.trouble", destination=self._id, reason=error.reason)
        else:
            pause_s = self._around.back_off(REFUSED_S, REFUSED_S_MAX, waiting.attempts + 1)
            self._meter.noted(Stage.PUSH, "refused_by_receiver")
            if waiting.attempts == 0:
                log.warning("push.refused", destination=self._id, key=waiting.parcel.key, reason=error.reason)
        self._meter.noted(Stage.PUSH, error.reason)
        self._around.fail(str(error))
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

    async def _rest(self, pause_s: float) -> None:
        """Wait, but let a fresh notice cut the wait short."""
        if self._failures:
            knock_s = min(pause_s, KNOCK_S)
            await asyncio.sleep(knock_s)
            pause_s -= knock_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
