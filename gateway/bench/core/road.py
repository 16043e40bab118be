"""The road: from scans in order of arrival to everything that must be committed, every stage on, the books kept."""

import gc
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np

from alerting.core.backend import Backend
from alerting.desk import Desk
from alerting.model.unit import HazardUnit
from gateway.bench.core.plant import START_NS, S, Trouble, make_plant, scans_of_tick
from gateway.intake import Intake
from gateway.turn import take_turn

WARM_TICKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What went in, and where it went; ``samples`` is the sum of the others."""

    samples: int
    live: int
    late: int
    unjudged: int
    retained: int
    refused: int
    events: int

    def balance(self) -> None:
        """Crash where a sample got lost: a figure of a road that loses samples means nothing."""
        out = self.live + self.late + self.unjudged + self.retained + self.refused
        assert self.samples == out, f"{self.samples} in, {out} out"


class RoadRun:
    """A desk and an intake for a plant, driven tick by tick through their public doors."""

    def __init__(self, tags: int, rows_per_scan: int, backend: Backend) -> None:
        self.tags, self.rows_per_scan = tags, rows_per_scan
        table, sources = make_plant(tags, rows_per_scan)
        units = [HazardUnit(id=name) for name in dict.fromkeys(tag.unit for tag in table.tags)]
        self.desk = Desk("bench", table, units, [], START_NS, backend=backend)
        self.intake = Intake(sources, table.tags)
        self.number = 0
        self.dice = np.random.default_rng(1)

    def tick(self, trouble: Trouble) -> tuple[int, Books]:
        """Carry one scan of each source; give the nanoseconds that it took, and the books of the tick."""
        self.number += 1
        scans = list(scans_of_tick(self.dice, self.tags, self.rows_per_scan, self.number, trouble))
        refused = sum(self.intake.refused.values())
        began = perf_counter_ns()
        turned = take_turn(self.desk, self.intake, scans, [], START_NS + self.number * S + S // 100)
        took = perf_counter_ns() - began
        books = Books(
            samples=sum(map(len, scans)),
            live=turned.live,
            late=turned.late,
            unjudged=turned.unjudged,
            retained=turned.retained,
            refused=sum(self.intake.refused.values()) - refused,
            events=len(turned.outcome.events),
        )
        books.balance()
        return took, books


def measure_road(
    tags: int, rows_per_scan: int, trouble: Trouble, ticks: int, backend: Backend
) -> tuple[float, list[Books]]:
    """Give the median nanoseconds a sample of some ticks after a few to warm up, and the books of each."""
    run = RoadRun(tags, rows_per_scan, backend)
    for _ in range(WARM_TICKS):
        run.tick(trouble)
    gc.collect()
    gc.freeze()
    try:
        told = [run.tick(trouble) for _ in range(ticks)]
    finally:
        gc.unfreeze()
    return float(np.median([took / books.samples for took, books in told])), [books for _, books in told]
