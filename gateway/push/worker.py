"""Push worker: one lane per destination, woken by commits.

Flow: outbox -> [lane: look, send, keep the receipt] -> delivered
Why: a slow or dead authority stops only its own lane. At least once: the receipt is written after the answer came, so
    a crash between the two sends again, under the same key. What an authority refuses for ever is put aside with all of
    its chain, and rings: a person looks at it, and the rest goes on.
Never: gives up a warning by itself, sends a notice before the one before it in its chain, reads a clock of its own.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge.clock import Clock
from gateway.config import Destination, Site
from gateway.meter import Meter, Stage
from gateway.push import acks, answers, outbox, reports
from gateway.push.acks import Verdict
from gateway.push.answers import Said, What
from gateway.push.call_lane import CallLane, Standing
from gateway.push.channel import Channel, Listening
from gateway.push.lane import STORE_S, Around, InStore, Lane
from gateway.push.pdu import Report
from gateway.push.route import make_channels
from gateway.push.sealing import Sealer

#: How often is looked how long each destination has not confirmed, s.
STANDING_S = 30.0
#: A report that names nothing is looked at once more after so long, s.
REPORT_AGAIN_S = 2.0
#: Acknowledgements that wait to be judged.
ACKS_MAX = 1000


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
        read: InStore,
        write: InStore,
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
        self._lanes: dict[str, Lane | CallLane] = {}
        self._acks: asyncio.Queue[tuple[str, bytes, asyncio.Future[bool]]] = asyncio.Queue(ACKS_MAX)
        self._destinations = {destination.id: destination for destination in site.outlets}
        self._is_put_aside = False  # since the last look; what is put aside waits no longer, and is owed all the same
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
        self._lanes = {destination.id: self._lane(destination, channels) for destination in self._site.outlets}
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                for name, lane in self._lanes.items():
                    group.create_task(lane.run(), name=f"push-{name}")
                for name, channel in channels.items():
                    if isinstance(channel, Listening):
                        group.create_task(channel.listen(), name=f"push-heard-{name}")
                group.create_task(self._watch(), name="push-arrivals")
                group.create_task(self._hear(), name="push-acks")
                group.create_task(self._look_around(), name="push-standings")
        finally:
            for channel in channels.values():
                await channel.close()

    def _lane(self, destination: Destination, channels: Mapping[str, Channel]) -> Lane | CallLane:
        around = Around(
            destination=destination,
            channel=channels[destination.id],
            clock=self._clock,
            meter=self._meter,
            read=self._read,
            write=self._write,
            generator=self._generator,
            books=self._left,
        )
        return Lane(around) if destination.reach is None else CallLane(around, self._site, self.wake)

    def standing_of(self, channel: str) -> Standing | None:
        """Tell how a channel to people stands; None where it does not run."""
        lane = self._lanes.get(channel)
        return lane.standing() if isinstance(lane, CallLane) else None

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
        self._is_put_aside |= refused == "quarantined"
        if refused:
            self._meter.refused(Stage.PUSH, refused, n)
        else:
            self._meter.left(Stage.PUSH, n)

    def take_out(self, n: int, why: str) -> None:
        """Say that so many notices wait no longer, because something newer goes in their place."""
        self._left(n, why)

    def wait_again(self, n: int) -> None:
        """Say that a person let so many notices wait again that did not."""
        if n:
            self._take(n)
        for lane in self._lanes.values():
            lane.wake()

    # ------------------------------------------------------------------------------ acknowledgements that come later

    def _hear_ack(self, destination: str, text: bytes) -> asyncio.Future[bool]:
        """Take what came on a channel of its own; one that does not fit is counted, and its notice goes again.

        Returns:
            True once what it says is written down; False where it was not.
        """
        is_kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._acks.put_nowait((destination, text, is_kept))
        except asyncio.QueueFull:
            self._meter.noted(Stage.PUSH, "ack_overflow")
            is_kept.set_result(False)
        return is_kept

    async def _hear(self) -> None:
        while True:
            destination, text, is_kept = await self._acks.get()
            done = False
            try:
                await self.take_ack(destination, text)
                done = True
            except SQLAlchemyError as failure:  # Its notice goes again, and so does its acknowledgement.
                self._meter.noted(Stage.PUSH, "store_failed")
                self._meter.error(Stage.PUSH, f"store: {failure}", self._clock.wall_ns())
            if not is_kept.done():  # Who asked may be gone.
                is_kept.set_result(done)

    async def take_ack(self, destination: str, text: bytes) -> Verdict:
        """Take an acknowledgement, by whatever way it came; who sent it is proved by its signature alone."""
        to = self._destinations[destination]
        if to.reach is not None:
            report, is_earlier = reports.read_told(text)
            return await self._take_report(to, report, is_earlier=is_earlier)
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

    async def _take_report(self, channel: Destination, report: Report, *, is_earlier: bool) -> Verdict:
        """Take what the network says of a short message; the lane may be about to write down that it went out."""
        placed = await self._write(lambda c: reports.put_report(c, self._site, channel, report, self._clock.wall_ns()))
        if not placed.is_known and not is_earlier:
            await asyncio.sleep(REPORT_AGAIN_S)
            placed = await self._write(
                lambda c: reports.put_report(c, self._site, channel, report, self._clock.wall_ns())
            )
        verdict = Verdict.UNKNOWN if not placed.is_known else Verdict.REFUSED if placed.is_given_up else Verdict.TAKEN
        self._meter.noted(Stage.PUSH, f"report_{verdict}")
        if placed.moved:
            self.wake()
        return verdict

    async def _look_around(self) -> None:
        """See how long each destination has not confirmed what it is owed; its own alarm rings by that."""
        is_first = True
        while True:
            if is_first or self.waiting or self.standings or self._is_put_aside:  # Else nobody is owed anything.
                self._is_put_aside = False
                try:
                    self.standings = await self._read(outbox.standings)
                    is_first = False
                except SQLAlchemyError as failure:
                    self._is_put_aside = True
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
