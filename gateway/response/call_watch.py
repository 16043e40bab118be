"""Call watch: looks which incidents call whom, whose answer is late, and who is missing, while the gateway runs.

Flow: open incidents -> [plan] -> lines;  time -> [step, one transaction] -> push worker
Why: a call never waits for the tick, nor a tick for calls; what was due while the gateway stood is called at its start.
"""

from typing import Final

from gateway.means import Means, Standstill, look_on
from gateway.meter import Stage
from gateway.response.call_out import Of, Stepped, next_due, open_ones, plan, step
from gateway.response.roll_call import overdue_at, tell_overdue

#: Between two looks, s: so long after its commit an incident calls at the latest.
LOOK_S: Final = 1.0


class CallWatch:
    """Calls out."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._planned: dict[int, Of] = {}
        self._by: object = None  # the list that they were planned by
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "call-out", self.turn, lambda more: 0.0 if more else LOOK_S, self._still)

    async def turn(self) -> bool:
        """Look once; tell whether there is more to do at once."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        count = self._means.changes.count
        if self._still.holds(site.call_out, now_ns=now_ns):
            return False
        late_ns = await self._means.read(overdue_at)
        if late_ns is not None and late_ns <= now_ns:
            await self._means.write(lambda c: tell_overdue(c, site, now_ns))
            self._means.wake_push()
        if site.call_out != self._by:
            self._planned, self._by = {}, site.call_out
        if not site.call_out:
            self._still.keep(count, site.call_out, now_ns=now_ns, due_ns=late_ns)
            return False
        there, due_ns = await self._means.read(lambda c: (open_ones(c), next_due(c)))
        changed = {number: of for number, of in there.items() if self._planned.get(number) != of}
        if changed:
            await self._means.write(lambda c: plan(c, site, changed, now_ns))
            due_ns = now_ns
        self._planned = there
        if due_ns is None or due_ns > now_ns:
            dues = [each for each in (late_ns, due_ns) if each is not None]
            self._still.keep(count, site.call_out, now_ns=now_ns, due_ns=min(dues, default=None))
            return False
        done: Stepped = await self._means.write(lambda c: step(c, site, now_ns))
        if done.calls:
            self._means.meter.noted(Stage.PUSH, "called_out", done.calls)
            self._means.wake_push()
        return done.is_more
