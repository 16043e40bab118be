"""Books of what came of each source: by the hour in which it was measured, with how long it took to come.

Flow: parts that entered a lane -> [note] -> at most once a second [settle], all at once -> deltas -> [take] -> store
Why: what a tick has in hand is only put aside; the counting is one pass over columns, off the tick. What an edge node
    sends late falls into the hour in which it was measured, so a gap closes when its spool is through.
Never: counts what was retained at a broker (it is from before), nor what the gateway computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.model.derivation import DERIVED
from edge.config import Source
from edge.model import Quality, Reason, Scan, TagTable
from edge.model.quality import encode, is_bad
from gateway.system import SOURCE

HOUR_NS: Final = 3_600_000_000_000
HOUR_S: Final = 3_600.0
#: Upper edges of the buckets of latency: 8 a decade from 1 ms to 10^6 s; a quantile is at most a third too high (ours).
EDGES_NS: Final = np.round(10.0 ** (np.arange(0, 73) / 8.0) * 1e6).astype(np.int64)
BUCKETS: Final = len(EDGES_NS) + 1
#: Beyond it a sample came late: it was back-fill, or from a slow carrier (design §3: the lateness window).
LATE_NS: Final = 60_000_000_000
_LATE_FROM: Final = int(np.searchsorted(EDGES_NS, LATE_NS))
#: Not one source of a site gives back-fill for so many different hours in one minute; more are counted together.
HOURS_MAX: Final = 20_000
#: So many keys are counted in a table of their own before sorting costs less.
COUNTED_MAX: Final = 100_000

#: So much is counted at once; less waits for the end of the minute, because each count costs a small site as much as to
#: judge a scan.
SCANS_ASIDE: Final = 256
SAMPLES_ASIDE: Final = 20_000

_RETAINED = np.uint8(encode(Quality.UNCERTAIN, Reason.RETAINED))
_NO_SOURCES = ("system", "replay")
_COMPUTED = f"{DERIVED}:"


@dataclass(slots=True, kw_only=True)
class Hour:
    """What came of one source that was measured in one hour.

    Attributes:
        good: Samples that are not BAD.
        bad: Samples that say why there is no value.
        latency: How many of the good ones took how long from their source time to intake, int64 (BUCKETS,).
    """

    good: int = 0
    bad: int = 0
    latency: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BUCKETS, dtype=np.int64))

    def add(self, other: "Hour") -> None:
        """Count another part of the same hour."""
        self.good += other.good
        self.bad += other.bad
        self.latency += other.latency

    @property
    def late(self) -> int:
        """Good samples that came later than the lateness window."""
        return int(self.latency[_LATE_FROM + 1 :].sum())

    def quantile_s(self, share: float) -> float | None:
        """Give the latency that a share of the good samples did not exceed, s; None where there is none."""
        total = int(self.latency.sum())
        if not total:
            return None
        at = int(np.searchsorted(np.cumsum(self.latency), max(1, round(share * total))))
        return float(EDGES_NS[min(at, len(EDGES_NS) - 1)]) / 1e9


def rates(sources: Sequence[Source], tags: TagTable) -> dict[str, float]:
    """Give how many samples each source is to give in an hour: each tag one in its period."""
    return {
        source.id: float((HOUR_S / tags.period_s[tags.rows_of_source(source.id)]).sum())
        for source in sources
        if source.protocol not in _NO_SOURCES
    }


def _told_apart(key: NDArray[np.int64], bound: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the keys that occur, rising, and the place of each sample's key among them; ``0 <= key < bound``.

    As ``np.unique`` does, without sorting where the keys lie close together, as those of one hour do.
    """
    if bound > len(key) + COUNTED_MAX:
        keys, place = np.unique(key, return_inverse=True)
        return keys, place
    occurs = np.bincount(key, minlength=bound) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[key]


class Books:
    """What came since it was last taken, by source and hour.

    Attributes:
        folded: Samples of hours beyond ``HOURS_MAX``, which were counted nowhere else.
    """

    def __init__(self) -> None:
        self.folded = 0
        self._waiting: list[Scan] = []
        self._counted = self._samples = 0  # of those that wait: how many were asked for their size, and their sizes
        self._hours: dict[tuple[str, int], Hour] = {}

    def note(self, parts: Sequence[Scan]) -> None:
        """Put aside what entered a lane; costs nothing on the road."""
        self._waiting += parts

    @property
    def is_much(self) -> bool:
        """Tell whether so much was put aside that it should not wait for the minute's end."""
        self._samples += sum(len(scan.rows) for scan in self._waiting[self._counted :])
        self._counted = len(self._waiting)
        return self._counted >= SCANS_ASIDE or self._samples >= SAMPLES_ASIDE

    def settle(self) -> None:
        """Count what was put aside."""
        scans = [
            scan
            for scan in self._waiting
            if len(scan) and scan.source != SOURCE and not scan.source.startswith(_COMPUTED)
        ]
        self._waiting = []
        self._counted = self._samples = 0
        if not scans:
            return
        sizes = [len(scan) for scan in scans]
        place_of: dict[str, int] = {}
        source = np.repeat([place_of.setdefault(scan.source, len(place_of)) for scan in scans], sizes)
        names = tuple(place_of)
        times_ns = np.concatenate([scan.times_ns for scan in scans])
        quality = np.concatenate([scan.quality for scan in scans])
        took_ns = np.repeat([scan.received_ns for scan in scans], sizes) - times_ns
        known = quality != _RETAINED
        if not known.any():
            return
        if not known.all():
            source, times_ns, quality, took_ns = source[known], times_ns[known], quality[known], took_ns[known]
        hours = times_ns // HOUR_NS
        first = int(hours.min())
        span = int(hours.max()) - first + 1
        keys, place = _told_apart(source * span + (hours - first), len(names) * span)
        bad = is_bad(quality)
        bads = np.bincount(place[bad], minlength=len(keys))
        bucket = np.searchsorted(EDGES_NS, took_ns[~bad])
        latency = np.bincount(place[~bad] * BUCKETS + bucket, minlength=len(keys) * BUCKETS).reshape(-1, BUCKETS)
        for key, n_bad, counts in zip(keys.tolist(), bads.tolist(), latency, strict=True):
            at = (names[key // span], (key % span + first) * HOUR_NS)
            part = Hour(good=int(counts.sum()), bad=n_bad, latency=counts.astype(np.int64))
            if at not in self._hours and len(self._hours) >= HOURS_MAX:
                self.folded += part.good + part.bad
                continue
            self._hours.setdefault(at, Hour()).add(part)

    def take(self) -> dict[tuple[str, int], Hour]:
        """Hand over what was counted since the last time, by source and start of the hour (ns)."""
        taken, self._hours = self._hours, {}
        return taken

    def give_back(self, taken: dict[tuple[str, int], Hour]) -> None:
        """Take back what could not be written."""
        for at, hour in taken.items():
            self._hours.setdefault(at, Hour()).add(hour)
