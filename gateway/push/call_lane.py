"""Call lane: the way by which people are called: within a vendor's quota, as a digest where it is full.

Flow: outbox -> [look, compose, wait for the quota, send] -> receipt of every call that the message told of
Why: a robot that refuses a burst loses the alarms after it. A message therefore tells of one alarm while there is room,
    and of as many as it holds when there is not; what it does not hold waits. Of a channel in trouble the next one
    takes the calls over, after a time.
Never: sends faster than the quota, also not after a restart or for somebody who tries the channel; leaves a call out.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from alerting.model.alarm import digest as hashed
from alerting.push.message import Message, digest, is_alone, one_message, read_call, reader_of
from alerting.push.quota import Bucket
from gateway.config import Site
from gateway.meter import Stage
from gateway.push import outbox
from gateway.push.channel import Attached, Parcel, PushError, Receipt
from gateway.push.fallback import hand_on
from gateway.push.forms import form_of
from gateway.push.lane import (
    IDLE_S,
    KNOCK_S,
    PAUSE_NS_MAX,
    REFUSED_S,
    REFUSED_S_MAX,
    STORE_S,
    TROUBLE_S,
    TROUBLE_S_MAX,
    Around,
)
from gateway.report_mail.book import attached_to
from gateway.store import schema

log = structlog.get_logger("push")

#: The vendor says that it was used too often: it is left alone, also by what is new.
THROTTLED = "throttled"
#: How long it is left alone then, s: doubled while it goes on saying so, to beyond the 10 minutes of DingTalk.
THROTTLED_S, THROTTLED_S_MAX = 60.0, 630.0
#: Calls that change the channel in one transaction.
MOVE_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a channel stands.

    Attributes:
        free: Messages that may be sent at once; None where there is no quota.
        failures: Attempts in a row that failed; ``last_error`` why the last one did.
    """

    free: int | None
    failures: int
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How long a lane rests; ``is_strict`` where nothing new may cut it short."""

    pause_s: float
    is_strict: bool = False


class CallLane:
    """The way to people by one channel.

    Args:
        moved: Told when calls were given to another channel.
    """

    def __init__(self, around: Around, site: Site, moved: Callable[[], None]) -> None:
        reach = around.destination.reach
        assert reach is not None, around.destination.id
        self._around, self._site, self._moved, self._reach = around, site, moved, reach
        self._id = around.destination.id
        self._form = form_of(reach, around.destination.topic)
        self._clock, self._meter = around.clock, around.meter
        self._bucket = Bucket(reach.limits, self._now_s())
        next_one = next((each for each in site.channels if each.id == reach.fallback), None)
        self._natures = next_one.natures if next_one else ()
        self._woken = asyncio.Event()
        self._failures = self._throttled = 0  # in a row
        self._last_error = ""

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def wake(self) -> None:
        """Say that something may be due."""
        self._woken.set()

    def standing(self) -> Standing:
        """Tell how the channel stands."""
        said = self._last_error if self._failures else ""
        return Standing(free=self._bucket.free(self._now_s()), failures=self._failures, last_error=said)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._woken.clear()
            try:
                rest = await self._turn()
            except SQLAlchemyError as failure:
                # Nothing is lost: what was sent and not kept is sent again.
                self._meter.noted(Stage.PUSH, "store_failed")
                self._around.fail(f"store: {failure}")
                await asyncio.sleep(STORE_S)
                continue
            if rest is not None:
                await self._rest(rest)

    async def _rest(self, rest: Rest) -> None:
        if rest.is_strict:
            await asyncio.sleep(rest.pause_s)
            return
        try:
            async with asyncio.timeout(rest.pause_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _turn(self) -> Rest | None:
        """Send one message; give how to rest, or None to look again at once."""
        now_ns = self._clock.wall_ns()
        if self._failures and self._reach.fallback:
            await self._give_up_late(now_ns)
        seen = await self._around.read(lambda connection: outbox.look(connection, self._id, now_ns, PAUSE_NS_MAX))
        if self._failures and (seen.due or seen.next_ns is not None) and await self._withdraw(now_ns):
            return None
        if not seen.due:
            due_s = IDLE_S if seen.next_ns is None else max(0.0, (seen.next_ns - now_ns) / 1e9)
            pause_s = min(IDLE_S, due_s)
            return Rest(pause_s=await self._until_move(pause_s) if self._failures else pause_s)
        wait_s = self._bucket.wait_s(self._now_s())
        if wait_s > 0:
            return Rest(pause_s=wait_s, is_strict=True)
        batch, message = self._compose(seen.due)
        try:
            receipt = await self._send(batch, message)
        except PushError as error:
            return await self._keep_failure(batch, error)
        await self._keep_receipt(batch, receipt)
        return None

    # -------------------------------------------------------------------------------------------------- one message

    def _compose(self, due: tuple[outbox.Waiting, ...]) -> tuple[list[outbox.Waiting], Message | None]:
        """Choose what the next message tells of: one call while there is room for each, else as many as it holds.

        A call that was refused goes alone: it may be the one for which a whole digest was.
        """
        first = due[0]
        if self._form is None:
            return [first], None
        call = read_call(first.parcel.body)
        alike = [(first, call)]
        if not first.refused_ns and not is_alone(call):
            for waiting in due[1:]:
                other = read_call(waiting.parcel.body)
                is_same = not self._form.is_by_person or reader_of(other) == reader_of(call)
                is_fit = not waiting.refused_ns and not is_alone(other) and other["nature"] == call["nature"]
                if is_same and is_fit:
                    alike.append((waiting, other))
        free = self._bucket.free(self._now_s())
        if len(alike) == 1 or free is None or len(due) <= free:
            return [first], one_message(call, self._form)
        message = digest([told for _, told in alike], self._form)
        return [waiting for waiting, _ in alike[: len(message.keys)]], message

    async def _send(self, batch: list[outbox.Waiting], message: Message | None) -> Receipt:
        if message is None:
            self._bucket.take(self._now_s())
            return await self._around.channel.send(batch[0].parcel)
        receipt = Receipt(status=0)
        attached = await self._attached(batch[0])
        key = batch[0].parcel.key if len(batch) == 1 else hashed("digest", *message.keys)
        for place, part in enumerate(message.parts):
            if place:
                await asyncio.sleep(self._bucket.wait_s(self._now_s()))
            self._bucket.take(self._now_s())
            parcel = Parcel(
                key=key, chain=batch[0].parcel.chain, body=part.encode(), message=message, attached=attached
            )
            receipt = await self._around.channel.send(parcel)
        return receipt

    async def _attached(self, waiting: outbox.Waiting) -> tuple[Attached, ...]:
        """Give the files that go with a message: those of a report."""
        told = json.loads(waiting.parcel.body)
        if told["subject"] != "report":
            return ()
        return await self._around.read(lambda connection: attached_to(connection, told["run"]))

    async def _keep_receipt(self, batch: list[outbox.Waiting], receipt: Receipt) -> None:
        now_ns, is_back = self._clock.wall_ns(), self._failures > 0

        def keep(connection: Connection) -> None:
            for waiting in batch:
                outbox.put_receipt(connection, waiting, self._id, receipt, now_ns)
            if is_back:
                outbox.hasten(connection, self._id, now_ns)

        await self._around.write(keep)
        if is_back:
            log.info("push.back", destination=self._id, failures=self._failures)
            self._failures = self._throttled = 0
        self._around.books(len(batch), "")
        if len(batch) > 1:
            self._meter.noted(Stage.PUSH, "digested", len(batch))
        self._meter.delay(Stage.PUSH, max(0.0, (now_ns - batch[0].created_ns) / 1e9))

    # ------------------------------------------------------------------------------------------------------ trouble

    async def _keep_failure(self, batch: list[outbox.Waiting], error: PushError) -> Rest | None:
        """Write down why a message did not arrive; give the rest that follows."""
        now_ns = self._clock.wall_ns()
        self._meter.noted(Stage.PUSH, error.reason)
        self._around.fail(str(error))
        self._last_error = str(error)
        if error.retry:
            self._failures += 1
            if self._failures == 1:
                log.warning("push.trouble", destination=self._id, reason=error.reason)
            pause_s = max(self._around.back_off(TROUBLE_S, TROUBLE_S_MAX, self._failures), error.after_s or 0.0)
            self._throttled = self._throttled + 1 if error.reason == THROTTLED else 0
            if self._throttled:
                pause_s = max(pause_s, min(THROTTLED_S_MAX, THROTTLED_S * 2.0 ** (self._throttled - 1)))
        elif len(batch) > 1:
            pause_s = 0.0  # Each goes alone now, and the one that is not wanted shows itself.
        else:
            pause_s = self._around.back_off(REFUSED_S, REFUSED_S_MAX, batch[0].attempts + 1)
            self._meter.noted(Stage.PUSH, "refused_by_receiver")
        is_over = not error.retry and len(batch) == 1 and self._is_over(batch[0], error, now_ns)
        next_ns = now_ns + round(pause_s * 1e9)

        def keep(connection: Connection) -> tuple[int, int]:
            for waiting in batch:
                outbox.put_failure(connection, waiting, self._id, error, now_ns=now_ns, next_ns=next_ns)
            if not is_over:
                return 0, 0
            one = batch[0]
            row = connection.execute(select(schema.outbox).where(schema.outbox.c.seq == one.seq)).one()
            is_bound = row.kind in ("test", "report")
            moved = 0 if is_bound else hand_on(connection, self._site, [row], self._reach.fallback, now_ns)
            aside = 0 if moved else outbox.put_aside(connection, self._id, one.parcel.chain, now_ns, str(error))
            return moved, aside

        moved, aside = await self._around.write(keep)
        self._count_moved(moved)
        if aside:
            log.warning("push.quarantined", destination=self._id, key=batch[0].parcel.key)
            self._around.books(aside, "quarantined")
        if not error.retry:
            return None
        if error.reason == THROTTLED:
            return Rest(pause_s=await self._until_move(pause_s), is_strict=True)
        # A fresh call may knock before the pause is over, but not more often than this.
        await asyncio.sleep(min(pause_s, KNOCK_S))
        return Rest(pause_s=await self._until_move(max(0.0, pause_s - KNOCK_S)))

    def _is_over(self, waiting: outbox.Waiting, error: PushError, now_ns: int) -> bool:
        """Tell whether nobody needs to try a refused call again here."""
        wait_s = self._reach.fallback_s if self._reach.fallback else self._around.destination.quarantine_min * 60
        return error.is_final or now_ns - (waiting.refused_ns or now_ns) >= wait_s * 1e9

    async def _until_move(self, pause_s: float) -> float:
        """Give a pause that ends when the oldest call falls to the next channel, s."""
        if not self._reach.fallback:
            return pause_s
        oldest_ns = await self._around.read(lambda connection: outbox.oldest_call(connection, self._id, self._natures))
        if oldest_ns is None:
            return pause_s
        left_s = oldest_ns / 1e9 + self._reach.fallback_s - self._clock.wall_ns() / 1e9
        return min(pause_s, max(0.0, left_s) + 0.01)

    async def _withdraw(self, now_ns: int) -> int:
        """Take out what could not be delivered and nobody needs any more; while the channel works nothing waits."""
        n = await self._around.write(lambda connection: outbox.put_withdrawn(connection, self._id, now_ns))
        if n:
            log.info("push.withdrawn", destination=self._id, calls=n)
            self._around.books(n, "withdrawn")
        return n

    async def _give_up_late(self, now_ns: int) -> None:
        """Give the next channel what has waited too long while this one is in trouble."""
        before_ns = now_ns - round(self._reach.fallback_s * 1e9)

        def move(connection: Connection) -> int:
            rows = outbox.late_calls(connection, self._id, self._natures, before_ns, MOVE_MAX)
            return hand_on(connection, self._site, rows, self._reach.fallback, now_ns)

        self._count_moved(await self._around.write(move))

    def _count_moved(self, n: int) -> None:
        if n:
            log.warning("push.moved", destination=self._id, to=self._reach.fallback, calls=n)
            self._around.books(n, "moved")
            self._moved()
