"""Sender: makes reports when they are due, and knows which mails of theirs do not go.

Flow: time -> [due_now; make, one transaction each] -> push worker
Never: makes a report of a period twice; lets a report that cannot be made stop the others.
"""

from functools import partial
from typing import Final

import structlog

from gateway.means import Means, look_on
from gateway.meter import Stage
from gateway.report_mail.book import due_now, make, unsent

log = structlog.get_logger("reports")

#: Between two looks, s.
LOOK_S: Final = 20.0


class Sender:
    """Looks after the reports of a site.

    Args:
        site: Gives the configuration in force, which may change while this runs.
        wake_push: Told when mails were written.

    Attributes:
        unsent: Mails that do not go, as of the last look.
    """

    def __init__(self, means: Means) -> None:
        self._means, self._site, self._clock = means, means.site, means.clock
        self._read, self._write, self._wake_push = means.read, means.write, means.wake_push
        self._begun_ns = means.clock.wall_ns()
        self.unsent = 0

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "reports", self.look, lambda _: LOOK_S)

    async def look(self) -> int:
        """Make what is due; give how many mails were written."""
        site, now_ns = self._site(), self._clock.wall_ns()
        if not site.reports and not self.unsent:
            return 0
        mails = 0
        for plan, due in await self._read(lambda c: due_now(c, site, now_ns, self._begun_ns)):
            mails += await self._write(partial(make, site=site, plan=plan, due=due, now_ns=now_ns))
            log.info("report.made", report=plan.id, receivers=len(plan.to))
        if mails:
            self._means.meter.noted(Stage.PUSH, "reported", mails)
            self._wake_push()
        self.unsent = await self._read(lambda c: unsent(c, now_ns))
        return mails
