"""What the simulations of trouble share: one tag with a high limit, scans by hand, a store that fails or lags."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from sqlalchemy.exc import OperationalError

from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.clock_manual import ManualClock
from edge.config import MqttOptions, Source, TopicOptions
from edge.model import Link, Scan, Tag, TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.intake import Intake
from tests.scripted import Deliver, Scripted, events_of
from tests.time_matrix import START_NS, S, tag_table

T = TypeVar("T")
H0 = Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=8.0, deadband=0.5, tier=Tier.YELLOW)
TOPIC = TopicOptions(pattern="t/{tag}", tag="{tag}", value="v", time="")
MQTT = Source(id="plc", protocol="mqtt", silent_after_s=5.0, mqtt=MqttOptions(host="x", port=1, topics=(TOPIC,)))


def scan(
    at_s: float, times_s: Sequence[float], values: Sequence[float], rows: Sequence[int] = (), source: str = "plc"
) -> Scan:
    """A scan received at ``at_s`` with good samples; times in s after the start, rows all 0 where none are given."""
    count = len(times_s)
    return Scan(
        source=source,
        epoch=1,
        number=1,
        received_ns=START_NS + round(at_s * S),
        rows=np.array(rows or [0] * count, dtype=np.int32),
        values=np.array(values, dtype=np.float64),
        quality=np.zeros(count, dtype=np.uint8),
        times_ns=np.array([START_NS + round(time_s * S) for time_s in times_s], dtype=np.int64),
    )


def table(*rules: Rule) -> RuleTable:
    """Rules on the one tag."""
    return RuleTable(list(rules), tag_table())


def two_tags() -> TagTable:
    """``T.v`` and ``B.v``, two devices behind one source."""
    return TagTable([Tag(name=name, source="plc", unit="T", period_s=1.0) for name in ("T.v", "B.v")])


def desk_and_intake(rules: RuleTable, source: Source) -> tuple[Desk, Intake]:
    """The pure side of the road alone."""
    return Desk("site", rules, [], [], START_NS), Intake((source,), rules.tags)


def gateway_of(site: Site, clock: Clock, make: Callable[..., Any], **parts: Any) -> Gateway:  # noqa: ANN401
    """A whole gateway whose collectors are made by ``make``."""
    common = {"historian": MemoryHistorian(site.tags), "writer": InlineExecutor(), "reader": InlineExecutor()}
    return Gateway(site, clock, Parts(**{**common, "make_collector": make, "jitter_seed": 1, **parts}))


def by_source(items: Sequence[Scan | Link]) -> Callable[..., Scripted]:
    """Make collectors that each deliver the items of their own source."""

    def make(source: Source, _tags: TagTable, at: Clock, epoch: int, deliver: Deliver) -> Scripted:
        return Scripted([item for item in items if item.source == source.id], at, epoch, deliver)

    return make


class TroubledExecutor(InlineExecutor):
    """A disk in trouble, as a thread that writes to it would show it.

    Attributes:
        is_full: Refuse as SQLite does.
        lag_s: How much later than done it is told that a write is done; the write itself cannot be taken back.
    """

    def __init__(self, *, is_full: bool = False, lag_s: float = 0.0) -> None:
        self.is_full, self.lag_s = is_full, lag_s

    async def run(self, function: Callable[[], T]) -> T:
        """Run the function, or refuse."""
        if self.is_full:
            raise OperationalError("COMMIT", None, Exception("database or disk is full"))
        result = await super().run(function)
        if self.lag_s:
            await asyncio.sleep(self.lag_s)
        return result


def since_start_s(clock: ManualClock) -> float:
    """Give the clock's time in s after the start."""
    return (clock.wall_ns() - START_NS) / S


def what_happened(site: Site, tag: str = "T.v", *, is_late: bool | None = None) -> list[str]:
    """Name the events of a tag's alarms in the register, in order; late or live ones alone where asked."""
    rows = [row for row in events_of(site) if row.alarm and row.tag == tag]
    return [row.what for row in rows if is_late is None or row.is_late == is_late]
