"""Meter: what each stage of the road took in, gave on, holds and refused, and how long it took.

Flow: every stage -> [counters] -> flow page, /metrics, tests
Why: ``in = out + held + refused``; where it does not balance, a stage loses something.
Never: samples the hot path's values, allocates per count, waits.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

#: Delays kept for the quantiles of a stage: the last ones, so that p99 tells of now and not of last week.
DELAYS_KEPT = 1024

#: Upper bounds of the exported delay histogram, s; from a turn of the core to a regulator that does not answer.
DELAY_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)

#: Different reasons that one stage may count; what comes after them is counted as ``other``.
REASONS_MAX = 64

Gauge: TypeAlias = Callable[[], int]


class Stage(StrEnum):
    """The eight boxes of the road, the same words in logs, metrics, page and tests."""

    COLLECT = "collect"
    DECODE = "decode"
    INTAKE = "intake"
    EVALUATE = "evaluate"
    COMMIT = "commit"
    PUSH = "push"
    FEED = "feed"
    HISTORIAN = "historian"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """One stage at one moment; counts since the start of the process.

    Attributes:
        noted: Things worth counting that move nothing (retries, first refusals of a receiver), by name.
        delay_p50_ms, delay_p99_ms: Over the last ``DELAYS_KEPT`` delays, ms; None where none was measured.
        last_error: Last error's text, empty for none; ``last_error_ns`` its receive time.
    """

    stage: Stage
    entered: int
    left: int
    held: int
    refused: dict[str, int]
    noted: dict[str, int]
    delay_p50_ms: float | None
    delay_p99_ms: float | None
    last_error: str
    last_error_ns: int

    @property
    def balance(self) -> int:
        """What is missing: 0 when in = out + held + refused."""
        return self.entered - self.left - self.held - sum(self.refused.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """One bounded queue at one moment."""

    name: str
    size: int
    max: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All counters at one moment."""

    stages: tuple[StageCount, ...]
    queues: tuple[QueueCount, ...]


@dataclass(slots=True)
class _Account:
    entered: int = 0
    left: int = 0
    held: int | Gauge = 0
    refused: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    delays_s: "array[float]" = field(default_factory=lambda: array("d"))
    delay_count: int = 0
    delay_sum_s: float = 0.0
    delay_buckets: list[int] = field(default_factory=lambda: [0] * (len(DELAY_BOUNDS_S) + 1))
    last_error: str = ""
    last_error_ns: int = 0

    def quantiles_ms(self) -> tuple[float | None, float | None]:
        if not self.delays_s:
            return None, None
        ordered = sorted(self.delays_s)
        last = len(ordered) - 1
        return ordered[round(last * 0.50)] * 1e3, ordered[round(last * 0.99)] * 1e3


class Meter:
    """The counters of one gateway.

    Each stage is counted by one thread; a count is one addition to a plain int, so readers on other
    threads see whole numbers that may be a moment apart.
    """

    def __init__(self) -> None:
        self._accounts = {stage: _Account() for stage in Stage}
        self._queues: dict[str, tuple[Gauge, int, Gauge]] = {}

    def entered(self, stage: Stage, n: int = 1) -> None:
        """Count what came in."""
        self._accounts[stage].entered += n

    def left(self, stage: Stage, n: int = 1) -> None:
        """Count what was handed on."""
        self._accounts[stage].left += n

    def refused(self, stage: Stage, reason: str, n: int = 1) -> None:
        """Count what was turned away for good, by reason."""
        _count(self._accounts[stage].refused, reason, n)

    def noted(self, stage: Stage, what: str, n: int = 1) -> None:
        """Count something that happened in a stage without moving its balance, e.g. a retry."""
        _count(self._accounts[stage].noted, what, n)

    def held(self, stage: Stage, held: int | Gauge) -> None:
        """Say how much the stage holds now: a number, or a function asked at each snapshot."""
        self._accounts[stage].held = held

    def delay(self, stage: Stage, seconds: float) -> None:
        """Record how long something took to pass the stage, s."""
        account = self._accounts[stage]
        if len(account.delays_s) < DELAYS_KEPT:
            account.delays_s.append(seconds)
        else:
            account.delays_s[account.delay_count % DELAYS_KEPT] = seconds
        account.delay_count += 1
        account.delay_sum_s += seconds
        account.delay_buckets[bisect_left(DELAY_BOUNDS_S, seconds)] += 1

    def error(self, stage: Stage, text: str, now_ns: int) -> None:
        """Keep the last error of a stage; the log tells the story, this tells the page."""
        account = self._accounts[stage]
        account.last_error = text[:500]
        account.last_error_ns = now_ns

    def queue(self, name: str, size: Gauge, max: int, dropped: Gauge) -> None:  # noqa: A002 - the queue's own word
        """Register a bounded queue: how full it is, its bound, and how much it had to drop."""
        self._queues[name] = (size, max, dropped)

    def balance(self, stage: Stage) -> int:
        """Give what is missing in a stage, 0 when all is accounted for."""
        return self._count_of(stage).balance

    def snapshot(self) -> Snapshot:
        """Give all counters, stages in the order of the road, queues by name."""
        return Snapshot(
            stages=tuple(self._count_of(stage) for stage in Stage),
            queues=tuple(
                QueueCount(name=name, size=size(), max=bound, dropped=dropped())
                for name, (size, bound, dropped) in sorted(self._queues.items())
            ),
        )

    def delays(self) -> Iterator[tuple[Stage, list[tuple[str, int]], float]]:
        """Give each stage's delay histogram as Prometheus wants it: cumulative (bound, count), and the sum, s."""
        bounds = [*(str(bound) for bound in DELAY_BOUNDS_S), "+Inf"]
        for stage, account in self._accounts.items():
            total, buckets = 0, []
            for bound, n in zip(bounds, account.delay_buckets, strict=True):
                total += n
                buckets.append((bound, total))
            yield stage, buckets, account.delay_sum_s

    def _count_of(self, stage: Stage) -> StageCount:
        account = self._accounts[stage]
        p50, p99 = account.quantiles_ms()
        return StageCount(
            stage=stage,
            entered=account.entered,
            left=account.left,
            held=account.held() if callable(account.held) else account.held,
            refused=dict(account.refused),
            noted=dict(account.noted),
            delay_p50_ms=p50,
            delay_p99_ms=p99,
            last_error=account.last_error,
            last_error_ns=account.last_error_ns,
        )


def _count(counts: dict[str, int], name: str, n: int) -> None:
    # A name may come from outside (an exception code); the number of label values stays bounded.
    if name not in counts and len(counts) >= REASONS_MAX:
        name = "other"
    counts[name] = counts.get(name, 0) + n


class _Exposed(Collector):
    """The meter in the words of Prometheus."""

    def __init__(self, meter: Meter, gauges: Sequence[tuple[str, str, float]], families: Sequence[Metric]) -> None:
        self._meter = meter
        self._gauges = gauges
        self._families = families

    def collect(self) -> Iterable[Metric]:
        snapshot = self._meter.snapshot()
        entered = CounterMetricFamily("fengsui_stage_in", "What came into the stage.", labels=["stage"])
        left = CounterMetricFamily("fengsui_stage_out", "What the stage handed on.", labels=["stage"])
        refused = CounterMetricFamily("fengsui_stage_refused", "What it turned away.", labels=["stage", "reason"])
        noted = CounterMetricFamily("fengsui_stage_noted", "What else happened in it.", labels=["stage", "what"])
        held = GaugeMetricFamily("fengsui_stage_held", "What the stage holds now.", labels=["stage"])
        balance = GaugeMetricFamily("fengsui_stage_balance", "in - out - held - refused; 0 is good.", labels=["stage"])
        for count in snapshot.stages:
            entered.add_metric([count.stage], count.entered)
            left.add_metric([count.stage], count.left)
            held.add_metric([count.stage], count.held)
            balance.add_metric([count.stage], count.balance)
            for reason, n in sorted(count.refused.items()):
                refused.add_metric([count.stage, reason], n)
            for what, n in sorted(count.noted.items()):
                noted.add_metric([count.stage, what], n)
        yield from (entered, left, refused, noted, held, balance)
        delay = HistogramMetricFamily("fengsui_stage_delay_seconds", "Time to pass the stage.", labels=["stage"])
        for stage, buckets, total_s in self._meter.delays():
            delay.add_metric([stage], buckets=buckets, sum_value=total_s)
        yield delay
        size = GaugeMetricFamily("fengsui_queue_size", "How full the queue is.", labels=["queue"])
        bound = GaugeMetricFamily("fengsui_queue_max", "The queue's bound.", labels=["queue"])
        dropped = CounterMetricFamily("fengsui_queue_dropped", "What the queue had to drop.", labels=["queue"])
        for queue in snapshot.queues:
            size.add_metric([queue.name], queue.size)
            bound.add_metric([queue.name], queue.max)
            dropped.add_metric([queue.name], queue.dropped)
        yield from (size, bound, dropped)
        for name, text, value in self._gauges:
            yield GaugeMetricFamily(name, text, value=value)
        yield from self._families


def expose(meter: Meter, gauges: Sequence[tuple[str, str, float]] = (), families: Sequence[Metric] = ()) -> bytes:
    """Write the counters, further (name, help, value) gauges, and further families in the Prometheus text format."""
    registry = CollectorRegistry()
    registry.register(_Exposed(meter, gauges, families))
    return generate_latest(registry)
