"""Watch: looks after duties while the gateway runs.

Flow: start -> [what records want and nobody wrote down] -> duties;  time -> [look, one transaction] -> push worker
Why: records write their duties themselves; a start makes up for those that are older than the watching.
"""

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Connection

from alerting.register.ledgers import LEDGERS
from gateway.duty.book import LOOK_S, Looked, due_now, look, work_out_anew
from gateway.duty.feed import Change, changes, fed_by, write
from gateway.means import Means, Standstill, look_on
from gateway.meter import Stage
from gateway.register import reading
from gateway.register.record import Record
from gateway.system import main_nature

log = structlog.get_logger("duties")

#: Records that are looked over in one transaction at a start.
PART: Final = 1_000


class Watch:
    """Looks after all duties."""

    def __init__(self, means: Means) -> None:
        self._means, self._site, self._clock = means, means.site, means.clock
        self._read, self._write, self._wake_push = means.read, means.write, means.wake_push
        self._by: object = None  # what the moments in the store were worked out by
        self._is_fed = False
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "duties", self._turn, lambda pause_s: pause_s, self._still)

    async def _turn(self) -> float:
        """Take what has come; give how long nothing will, s."""
        site = self._site()
        if not self._is_fed:
            await self._feed()
            self._is_fed = True
        by = (site.roster.calendar, site.timezone, site.duties, site.commitment)
        if by != self._by:
            await self._write(work_out_anew)
            self._by = by
        count, now_ns = self._means.changes.count, self._clock.wall_ns()
        if self._still.holds(*by, now_ns=now_ns):
            return self._pause_s(self._still.due_ns)
        is_now, due_ns = await self._read(lambda c: due_now(c, site, now_ns))
        if not is_now:
            self._still.keep(count, *by, now_ns=now_ns, due_ns=due_ns)
            return self._pause_s(due_ns)
        done: Looked = await self._write(lambda connection: look(connection, site, main_nature(site), now_ns))
        if done.taken:
            self._means.meter.noted(Stage.PUSH, "duty_steps", done.taken)
            log.info("duties.taken", steps=done.taken, messages=done.messages)
        if done.messages:
            self._wake_push()
        return 0.0 if done.is_more else self._pause_s(done.next_ns)

    def _pause_s(self, next_ns: int | None) -> float:
        if next_ns is None:
            return LOOK_S
        return min(LOOK_S, max(0.0, (next_ns - self._clock.wall_ns()) / 1e9))

    async def _feed(self) -> None:
        """Write down what records want that were there before their duties were watched."""
        for ledger in LEDGERS.values():
            after: tuple[str, int] | None = None
            while fed_by(ledger.id):
                now_ns = self._clock.wall_ns()
                found, change = await self._read(_part(ledger.id, after, now_ns))
                if change:  # Looked at once more in the transaction that writes: somebody may have written meanwhile.
                    await self._write(_follow(ledger.id, after, now_ns))
                if len(found) < PART:
                    break
                after = (found[-1].code, found[-1].seq)


def _part(
    ledger: str, after: tuple[str, int] | None, now_ns: int
) -> Callable[[Connection], tuple[list[Record], Change]]:
    def read(connection: Connection) -> tuple[list[Record], Change]:
        found = reading.page(connection, ledger, limit=PART, after=after)
        return found, changes(connection, ledger, found, now_ns)

    return read


def _follow(ledger: str, after: tuple[str, int] | None, now_ns: int) -> Callable[[Connection], None]:
    part = _part(ledger, after, now_ns)
    return lambda connection: write(connection, part(connection)[1])
