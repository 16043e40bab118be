"""The gateway as a source of its own: once a second its counters go down the road like any reading.

Flow: counters of the parts -> [run] -> scan of the source ``system`` -> road
Why: a gateway that loses, waits or is not heard must ring by rules like everything else.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from edge.collect.door import Collector
from edge.model import Scan
from gateway.checkout.records import OpenOnes
from gateway.config import Site
from gateway.flow import Road
from gateway.historian.port import Historian
from gateway.intake import Intake
from gateway.live import Picture
from gateway.meter import Meter, Stage
from gateway.nodes.listener import NodeListener
from gateway.nodes.reception import Reception
from gateway.push.worker import PushWorker
from gateway.receive import ReceiveClock
from gateway.register.busy import BusyZones
from gateway.register.quantities import Quantities
from gateway.report_mail.sender import Sender
from gateway.sources import Sources
from gateway.system import COUNTED_EVERY, NODE_BROKER, PERIOD_S, REPORTS_UNSENT, SOURCE, system_scan

MINUTE_NS: Final = 60_000_000_000


class PerMinute:
    """How much a counter grew in the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    def take(self, now_ns: int, count: int) -> float:
        """Take the counter's present value; give its growth over the last 60 s, or since it began anew."""
        if self._seen and count < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now_ns, count))
        while now_ns - self._seen[0][0] > MINUTE_NS:
            self._seen.popleft()
        return float(count - self._seen[0][1])


@dataclass(slots=True, kw_only=True)
class SystemWatch:
    """Tells once a second how the gateway itself stands.

    Attributes:
        site: Gives the configuration in force.
        deliver: Takes the scan.
    """

    site: Callable[[], Site]
    clock: ReceiveClock
    meter: Meter
    sources: Sources
    collectors: Callable[[], Mapping[str, Collector]]
    reception: Reception
    listener: NodeListener | None
    intake: Intake
    road: Road
    historian: Historian
    push: PushWorker
    reports: Sender
    crowds: BusyZones
    quantities: Quantities
    picture: Picture
    checkouts: OpenOnes
    deliver: Callable[[Scan], object]
    _grown: defaultdict[str, PerMinute] = field(default_factory=lambda: defaultdict(PerMinute))

    async def run(self) -> None:
        """Tell once a second, drift-free."""
        number = 0
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            number += 1
            self._tell(number)
            due += PERIOD_S
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _tell(self, number: int) -> None:
        now_ns = self.clock.now_ns()
        self.reception.watch(now_ns)
        is_up = {name: self.sources.is_up(name, now_ns) for name in (*self.collectors(), *self.reception.sources)}
        self.picture.set_status(
            links_up=sum(is_up.values()),
            links_total=len(is_up),
            push_waiting=self.push.waiting,
            checkouts=self.checkouts.count(now_ns),
        )
        values = self._own(now_ns)
        values |= {f"link.{name}": float(up) for name, up in is_up.items()}
        values |= self.crowds.shares()
        values |= self.quantities.values()
        values |= self._owed(now_ns)
        if number % COUNTED_EVERY == 1:
            values |= self._of_sources(now_ns)
        self.sources.count_decoded()
        self.meter.entered(Stage.DECODE, len(values))
        self.meter.left(Stage.DECODE, len(values))
        self.deliver(system_scan(self.site(), self.intake.state[SOURCE].epoch, number, now_ns, values))

    def _own(self, now_ns: int) -> dict[str, float]:
        grown = self._grown
        values = {
            "clock_offset": self.clock.offset_ns() / 1e9,
            "clock_replaced": grown["clock_replaced"].take(now_ns, sum(self.intake.replaced.values())),
            "scans_dropped": grown["scans_dropped"].take(now_ns, self.road.dropped),
            "away": grown["away"].take(now_ns, self.road.away_ns) / 1e9,
            "store_waiting": float(self.road.unwritten),
            "historian_lost": grown["historian_lost"].take(
                now_ns, self.historian.counts.lost + self.road.acknowledger.lost
            ),
            "push_waiting": float(self.push.waiting),
        }
        if REPORTS_UNSENT in self.site().tags.row_of:
            values["reports_unsent"] = float(self.reports.unsent)
        if self.reception.sources:
            values["nodes_lost"] = grown["nodes_lost"].take(now_ns, self.reception.lost)
        if self.listener is not None:
            values[NODE_BROKER] = float(self.listener.is_up)
        return values

    def _owed(self, now_ns: int) -> dict[str, float]:
        """Give how long each destination has not confirmed, min, and how much it never took, by tag name."""
        values: dict[str, float] = {}
        for destination in self.site().destinations:
            stands = self.push.standings.get(destination.id)
            values[f"unconfirmed.{destination.id}"] = self.push.unconfirmed_s(destination.id, now_ns) / 60
            values[f"quarantined.{destination.id}"] = float(stands.quarantined if stands else 0)
        return values

    def _of_sources(self, now_ns: int) -> dict[str, float]:
        """Give what is told of each source beside its link, by tag name; see ``gateway.system.OF_SOURCE``."""
        values: dict[str, float] = {}
        collected = self.collectors()
        for status in self.sources.statuses():
            heard_ns = max(status.last_success_ns, self.sources.started_ns)
            values[f"silence.{status.id}"] = (now_ns - heard_ns) / 1e9
            counts = {"errors": sum(status.failures.values()) + status.refused}
            if status.id in collected:
                counts |= {"requests": status.requests, "bytes": status.sent_bytes + status.received_bytes}
            for name, count in counts.items():
                values[f"{name}.{status.id}"] = self._grown[f"{name}.{status.id}"].take(now_ns, count)
        return values
