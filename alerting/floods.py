"""Floods: counts new alarms within a window, says when a flood begins and ends, and which alarm came first.

Flow: events of a tick -> [take] -> [settle] -> Outcome.floods
Why: in a flood nobody reads a list; what helps is which alarm came first, in which units the rest is, and that the
    gravest stay on top. The flood is a view on the alarms: each of them is raised, stored and listed as ever.
"""

from collections import deque
from collections.abc import Iterable

from alerting.model.alarm import Suppression, digest
from alerting.model.event import Event, What
from alerting.model.flood import NS, Flood, FloodPolicy, Ring
from edge.model import Nature

NEVER_NS = 2**63 - 1


class FloodBook:
    """The window and the flood of each nature.

    Attributes:
        open: Floods that go on, by nature.
    """

    def __init__(self, site: str, policy: FloodPolicy) -> None:
        self.site = site
        self.policy = policy
        self.open: dict[Nature, Flood] = {}
        self._window: dict[Nature, deque[Ring]] = {}

    @property
    def next_ns(self) -> int:
        """Receive time at which the oldest alarm leaves the window of a flood that goes on, which may end it."""
        span_ns = int(self.policy.window_s * NS)
        oldest = (self._window[nature][0].received_ns + span_ns for nature in self.open if self._window.get(nature))
        return min(oldest, default=NEVER_NS)

    def adopt(self, floods: Iterable[Flood], rings: Iterable[tuple[Nature, Ring]]) -> None:
        """Take over after a restart: floods that went on, and what rang within the last window, in order."""
        self.open = {flood.nature: flood for flood in floods}
        for nature, ring in rings:
            self._window.setdefault(nature, deque()).append(ring)

    def follow(self, events: Iterable[Event], now_ns: int) -> list[Flood]:
        """Count what a tick raised; give the floods that began, grew or ended."""
        changed: dict[Nature, Flood] = {}
        for event in events:
            if event.what is What.RAISED and not event.is_late and event.suppression == Suppression.NONE:
                self._take(event, changed)
        horizon_ns = now_ns - int(self.policy.window_s * NS)
        for nature, window in self._window.items():
            while window and window[0].received_ns <= horizon_ns:
                window.popleft()
            self._settle(nature, window, now_ns, changed)
        return list(changed.values())

    def _take(self, event: Event, changed: dict[Nature, Flood]) -> None:
        ring = Ring(
            alarm=event.alarm, unit=event.unit, tag=event.tag, condition=event.condition, tier=event.tier,
            time_ns=event.time_ns, received_ns=event.received_ns,
        )  # fmt: skip
        self._window.setdefault(event.nature, deque()).append(ring)
        flood = self.open.get(event.nature)
        if flood is not None:
            flood.take(ring)
            changed[event.nature] = flood

    def _settle(self, nature: Nature, window: deque[Ring], now_ns: int, changed: dict[Nature, Flood]) -> None:
        flood = self.open.get(nature)
        if flood is None and 0 < self.policy.begins_above < len(window):
            first = min(window, key=lambda ring: ring.order)
            name = digest(self.site, nature, "flood", first.alarm, first.received_ns)
            flood = self.open[nature] = Flood(id=name, nature=nature, began_ns=window[0].received_ns, first=first)
            for ring in window:
                flood.take(ring)
            changed[nature] = flood
        if flood is None:
            return
        if len(window) > flood.peak:
            flood.peak = len(window)
            changed[nature] = flood
        if len(window) < self.policy.ends_below:
            flood.ended_ns = now_ns
            del self.open[nature]
            changed[nature] = flood
