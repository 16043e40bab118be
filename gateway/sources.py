"""Sources: what each said last, whether it still speaks, and what its collector counted.

Flow: what collectors and nodes deliver -> [heard] -> [is_up, statuses] -> page, API, the gateway's own tags
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from edge.collect.door import Collector, Counters
from edge.config import Source
from edge.model import Link, Scan, TagTable
from gateway.api.house import KeptPayload, SourceStatus
from gateway.config import Site
from gateway.meter import Meter, Stage
from gateway.nodes.reception import Reception
from gateway.receive import ReceiveClock
from gateway.system import SOURCE

#: A source that says nothing for so many scans of its fastest tag is silent (ours).
SILENT_SCANS: Final = 3


class Sources:
    """How each source of a site stands."""

    def __init__(
        self,
        site: Site,
        clock: ReceiveClock,
        meter: Meter,
        *,
        collectors: Callable[[], Mapping[str, Collector]],
        nodes: Callable[[], Reception],
    ) -> None:
        """Begin with nothing heard.

        Args:
            collectors: Gives those that run, by source.
            nodes: Gives where edge nodes tell of sources of their own.
        """
        self._clock, self._meter = clock, meter
        self._collectors, self._nodes = collectors, nodes
        self._links: dict[str, bool] = {}
        self._last_scan_ns: dict[str, int] = {}
        self._scans: dict[str, int] = {}
        self._begun_ns: dict[str, int] = {}
        self._decoded: dict[str, dict[str, int]] = {}
        self.started_ns = 0
        self._know(site)

    def _know(self, site: Site) -> None:
        self._sources = site.sources
        self._silent_ns = {source.id: _silent_ns(source, site.tags) for source in site.sources}

    def listen_from(self, now_ns: int) -> None:
        """Take no silence from before this moment for silence."""
        self.started_ns = now_ns

    def heard(self, item: Scan | Link) -> None:
        """Take in what came of a source."""
        if isinstance(item, Link):
            self._links[item.source] = item.is_up
        else:
            self._last_scan_ns[item.source] = item.received_ns
            self._scans[item.source] = self._scans.get(item.source, 0) + 1

    def is_linked(self, source: str) -> bool:
        """Tell whether a source's link was up when it was heard of last."""
        return self._links.get(source, False)

    def is_up(self, source: str, now_ns: int) -> bool:
        """Tell whether a source's link is up and it is not silent; a link that says nothing is no link."""
        spoke_ns = max(self._last_scan_ns.get(source, 0), self._begun_ns.get(source, self.started_ns))
        return self._links.get(source, False) and now_ns - spoke_ns <= self._silent_ns[source]

    def all_up(self) -> dict[str, bool]:
        """Tell of each source whether it is up."""
        now_ns = self._clock.now_ns()
        return {source.id: self.is_up(source.id, now_ns) for source in self._sources}

    def statuses(self) -> Sequence[SourceStatus]:
        """Tell how each source stands; the gateway itself is none."""
        return [self._status_of(source) for source in self._sources if source.id != SOURCE]

    def follow(self, site: Site, restarted: Collection[str]) -> None:
        """Go by another site; what was heard of sources that went or began anew is forgotten."""
        was, now = {source.id for source in self._sources}, {source.id for source in site.sources}
        for name in (was - now) | set(restarted):
            for books in (self._links, self._decoded):
                books.pop(name, None)
        for name in was - now:
            for counts in (self._last_scan_ns, self._scans, self._begun_ns):
                counts.pop(name, None)
        self._begun_ns |= dict.fromkeys((now - was) | set(restarted), self._clock.now_ns())
        self._know(site)

    def count_decoded(self) -> None:
        """Keep the decode stage's books: what collectors decoded, and what they could not."""
        meter = self._meter
        for name, collector in self._collectors().items():
            before = self._decoded.setdefault(name, {})
            fresh = {reason: n - before.get(reason, 0) for reason, n in collector.counters.refused.items()}
            samples = collector.counters.samples - before.get("samples", 0)
            meter.entered(Stage.DECODE, samples + sum(fresh.values()))
            meter.left(Stage.DECODE, samples)
            for reason, n in fresh.items():
                if n:
                    meter.refused(Stage.DECODE, reason, n)
            self._decoded[name] = {**collector.counters.refused, "samples": collector.counters.samples}

    def _status_of(self, source: Source) -> SourceStatus:
        collector = self._collectors().get(source.id)
        counters = Counters() if collector is None else collector.counters
        if source.node:
            refused, failures = self._nodes().told_of(source)
            counters = Counters(refused=Counter(refused), failures=Counter(failures))
        return SourceStatus(
            id=source.id,
            protocol=source.protocol,
            is_up=self.is_up(source.id, self._clock.now_ns()),
            last_scan_ns=self._last_scan_ns.get(source.id, 0),
            scans=self._scans.get(source.id, 0),
            refused=sum(counters.refused.values()),
            refused_by=dict(counters.refused),
            failures=dict(counters.failures),
            last_success_ns=counters.last_success_ns or (0 if collector else self._last_scan_ns.get(source.id, 0)),
            samples=counters.samples,
            requests=counters.requests,
            skipped=counters.skipped,
            overruns=counters.overruns,
            reconnects=counters.reconnects,
            crashes=counters.crashes,
            sent_bytes=counters.sent_bytes,
            received_bytes=counters.received_bytes,
            kept=tuple(
                KeptPayload(
                    reason=reason,
                    origin=kept.origin,
                    text=kept.payload.decode(errors="backslashreplace"),
                    size=kept.size,
                    received_ns=kept.received_ns,
                )
                for reason, kept in counters.kept.items()
            ),
        )


def _silent_ns(source: Source, tags: TagTable) -> int:
    """Give how long a source may say nothing: as configured, but never less than three scans of its fastest tag."""
    rows = tags.rows_of_source(source.id)
    fastest_s = float(tags.period_s[rows].min()) if len(rows) else 0.0
    return round(max(source.silent_after_s, SILENT_SCANS * fastest_s) * 1e9)
