"""The road: from scans in order of arrival to everything that must be committed, every stage on, the books kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alerting.core.backend import Backend
from alerting.desk import Desk
from alerting.model.rule import RuleTable
from alerting.model.unit import HazardUnit
from edge.config import Source
from gateway.bench.core.plant import ALL_RING, QUIET, START_NS, USUAL, S, Trouble, scans_of_tick
from gateway.bench.core.timed import Took, figures, frozen, timed
from gateway.intake import Intake
from gateway.turn import Turned, take_turn

WARM_TICKS = 3
CASES = {"road": USUAL, "road, quiet": QUIET, "road, each exception rings": ALL_RING}


@dataclass(slots=True)
class Books:
    """What went in, and where it went; ``samples`` is the sum of the next five."""

    samples: int = 0
    live: int = 0
    late: int = 0
    unjudged: int = 0
    retained: int = 0
    refused: int = 0
    events: int = 0

    def add(self, turned: Turned, samples: int, refused: int) -> None:
        """Enter one tick, and crash where a sample got lost: a figure of a road that loses samples means nothing."""
        self.samples += samples
        self.live += turned.live
        self.late += turned.late
        self.unjudged += turned.unjudged
        self.retained += turned.retained
        self.refused += refused
        self.events += len(turned.outcome.events)
        out = self.live + self.late + self.unjudged + self.retained + self.refused
        assert self.samples == out, f"{self.samples} in, {out} out"


class RoadRun:
    """A desk and an intake for a plant, driven tick by tick through their public doors."""

    def __init__(self, table: RuleTable, sources: Sequence[Source], rows_per_scan: int, backend: Backend) -> None:
        units = [HazardUnit(id=name) for name in dict.fromkeys(tag.unit for tag in table.tags)]
        self.tags, self.rows_per_scan = len(table.tags), rows_per_scan
        self.desk = Desk("bench", table, units, [], START_NS, backend=backend)
        self.intake = Intake(tuple(sources), table.tags)
        self.number = 0
        self.dice = np.random.default_rng(1)

    def tick(self, trouble: Trouble, books: Books) -> Took:
        """Carry one scan of each source."""
        self.number += 1
        scans = list(scans_of_tick(self.dice, self.tags, self.rows_per_scan, self.number, trouble))
        refused = sum(self.intake.refused.values())
        turned: list[Turned] = []
        now_ns = START_NS + self.number * S + S // 100
        took = timed(lambda: turned.append(take_turn(self.desk, self.intake, scans, [], now_ns)))
        books.add(turned[0], sum(map(len, scans)), sum(self.intake.refused.values()) - refused)
        return took


def measure_road(
    table: RuleTable, sources: Sequence[Source], rows_per_scan: int, backend: Backend, ticks: int
) -> list[dict[str, Any]]:
    """Measure quiet, usual and ringing ticks; each figure stands beside the books of its ticks."""
    run = RoadRun(table, sources, rows_per_scan, backend)
    for _ in range(WARM_TICKS):
        run.tick(USUAL, Books())
    told = []
    for case, trouble in CASES.items():
        run.tick(trouble, Books())
        books = Books()
        with frozen():
            steps = [run.tick(trouble, books) for _ in range(ticks)]
        told.append(
            {
                "case": case,
                "tags": run.tags,
                "backend": backend.value,
                **figures(steps, run.tags, "sample"),
                "scans": len(sources),
                "books": asdict(books),
            }
        )
    return told
