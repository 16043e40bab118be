"""Caller: takes the steps that fall due, woken by commits and by time.

Flow: commit -> woken -> [climb_due, one transaction] -> push worker
Why: a step never waits for a channel, and a channel never for a step: calls go through the outbox like every notice.
"""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.escalation.book import Climbed, climb_due, next_due
from gateway.means import Means
from gateway.meter import Stage

log = structlog.get_logger("escalation")

#: Looks without being woken, in case a clock moved, s.
IDLE_S = 30.0
#: Pause after the store could not be read or written, s.
STORE_S = 1.0


class Caller:
    """Takes the steps of all ladders."""

    def __init__(self, means: Means) -> None:
        self._site, self._clock, self._meter = means.site, means.clock, means.meter
        self._read, self._write, self._wake_push = means.read, means.write, means.wake_push
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a ladder may have changed; call it on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Take steps until cancelled."""
        while True:
            self._woken.clear()
            try:
                pause_s = await self._turn()
            except SQLAlchemyError as failure:
                self._meter.error(Stage.PUSH, f"escalation: {failure}", self._clock.wall_ns())
                await asyncio.sleep(STORE_S)
                continue
            try:
                # Not wait_for: woken and cancelled at once, it would forget that it was cancelled (CPython 86296).
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> float:
        """Take what is due; give how long nothing will be, s."""
        due_ns = await self._read(next_due)
        now_ns = self._clock.wall_ns()
        if due_ns is None or due_ns > now_ns:
            return IDLE_S if due_ns is None else min(IDLE_S, (due_ns - now_ns) / 1e9)
        site = self._site()
        done: Climbed = await self._write(lambda connection: climb_due(connection, site, now_ns))
        if done.calls:
            self._meter.noted(Stage.PUSH, "called", done.calls)
            self._wake_push()
        if done.exhausted:
            self._meter.noted(Stage.PUSH, "escalation_exhausted", done.exhausted)
            log.warning("escalation.exhausted", ladders=done.exhausted)
        if done.next_ns is None:
            return IDLE_S
        return min(IDLE_S, max(0.0, (done.next_ns - self._clock.wall_ns()) / 1e9))
