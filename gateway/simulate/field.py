"""Field: plant, faults and lines on one side, the gateway's collectors on the other; moved in manual time.

Flow: acts -> plant -> instruments -> faults -> lines -> [deliver] -> intake
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge.clock import Clock
from edge.collect.door import Counters, Deliver
from edge.config import Source
from edge.decode.judge import judge as judge_quality
from edge.few import places_of
from edge.model import Link, Scan, TagTable
from simulators.instrument import Delivery, Fault, Faults, SourceLine
from simulators.plant.port import Works
from simulators.scenario import Scenario

NS = 1_000_000_000


class Staged:
    """A collector whose scans are brought by the field; it only knows how to hand them over."""

    def __init__(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> None:
        self.source, self.counters = source, Counters()
        self._clock, self._epoch, self._deliver, self._tags = clock, epoch, deliver, tags
        self._number = 0

    async def run(self) -> None:
        """Wait to be ended; what comes is brought."""
        await asyncio.Event().wait()

    def link(self, *, is_up: bool) -> None:
        """Tell of the link."""
        reason = "" if is_up else "simulated"
        self._deliver(Link(source=self.source.id, is_up=is_up, received_ns=self._clock.wall_ns(), reason=reason), None)

    def scan(self, rows: NDArray[np.int32], values: NDArray[np.float64], times_ns: NDArray[np.int64]) -> None:
        """Hand over samples; what cannot be believed is marked as a decoder marks it."""
        values = values.copy()
        quality = np.zeros(len(rows), dtype=np.uint8)
        judge_quality(values, quality, self._tags.range_lo[rows], self._tags.range_hi[rows])
        self._number += 1
        self.counters.scans += 1
        self.counters.samples += len(rows)
        self._deliver(
            Scan(
                source=self.source.id, epoch=self._epoch, number=self._number, received_ns=self._clock.wall_ns(),
                rows=rows, values=values, quality=quality, times_ns=times_ns, nature=self.source.nature,
            ),
            None,
        )  # fmt: skip


@dataclass(slots=True)
class _Mouth:
    """One source: its tags among the plant's, how often each is looked at, and its line."""

    staged: Staged
    line: SourceLine
    places: NDArray[np.int64]  # columns of the plant
    rows: NDArray[np.int32]  # rows of the tag table
    every: NDArray[np.int64]  # steps between two looks


@dataclass(slots=True)
class Trace:
    """What was shown and true at each step, for the report and the recording.

    Attributes:
        times_s: Of each step. shown, sent, true: float64 (steps, tags); ``sent`` is NaN where nothing left.
    """

    times_s: list[float] = field(default_factory=list)
    sent: list[NDArray[np.float64]] = field(default_factory=list)
    true: list[NDArray[np.float64]] = field(default_factory=list)


class Field:
    """The whole field side of one run."""

    def __init__(self, scenario: Scenario, works: Works, faults: Faults, lines: Sequence[SourceLine]) -> None:
        self.scenario, self.works, self.faults = scenario, works, faults
        self.trace = Trace()
        self._lines = {line.source: line for line in lines}
        self._mouths: list[_Mouth] = []
        self._waiting: list[tuple[float, int, int, Delivery]] = []
        self._moments = list(scenario.moments)
        self._steps = 0
        self._sent = 0
        self._shift_s = 0.0  # the plant's second at the story's second 0

    # ---- physics alone

    def forward(self) -> None:
        """Bring the plant to second 0."""
        self._alone(-self.scenario.forward_s, 0.0)
        self._shift_s = self.works.time_s

    def after(self) -> None:
        """Let the plant go on alone, so that milestones that come later are known."""
        self._alone(self.scenario.lasts_s, self.scenario.lasts_s + self.scenario.after_s)

    def _alone(self, from_s: float, until_s: float) -> None:
        step_s = self.scenario.step_s
        for number in range(round((until_s - from_s) / step_s)):
            self._do(from_s + number * step_s)
            self.works.step(step_s)

    def _do(self, time_s: float) -> None:
        """Let happen what is due."""
        while self._moments and self._moments[0].at_s <= time_s + 1e-9:
            act = self._moments.pop(0).act
            self.works.do(act.verb, act.unit, act.amount)

    def milestones(self) -> dict[str, float]:
        """Give when each milestone was reached, seconds of the story; before it begins is below 0."""
        return {name: at_s - self._shift_s for name, at_s in self.works.milestones.items()}

    # ---- with the gateway

    def join(self, collectors: Sequence[Staged], tags: TagTable) -> None:
        """Join the plant's instruments to the gateway's collectors."""
        column = {tag: place for place, tag in enumerate(self.works.tags)}
        for staged in collectors:
            rows = [row for row in tags.rows_of_source(staged.source.id) if tags.names[row] in column]
            periods = tags.period_s[rows]
            self._mouths.append(
                _Mouth(
                    staged=staged,
                    line=self._lines[staged.source.id],
                    places=np.array([column[tags.names[row]] for row in rows], dtype=np.int64),
                    rows=np.array(rows, dtype=np.int32),
                    every=np.maximum(1, np.round(periods / self.scenario.step_s)).astype(np.int64),
                )
            )

    def inject(self, fault: Fault, dice: Generator) -> None:
        """Let one more thing go wrong with the instruments; it stands in the labels of the run like all others."""
        self.scenario = replace(self.scenario, faults=(*self.scenario.faults, fault))
        if fault.is_of_line:
            self._lines[fault.target].add(fault, dice)
        else:
            self.faults.add(fault, dice)

    def link_all(self) -> None:
        """Say that all links are up."""
        for mouth in self._mouths:
            mouth.staged.link(is_up=True)

    def move(self, time_s: float) -> None:
        """Let happen what is due, and move the plant on to a moment of the story."""
        self._do(time_s - self.scenario.step_s)
        self.works.step(self.scenario.step_s)

    def look(self, time_s: float) -> None:
        """Look at the instruments and hand over what arrives by now."""
        shown = self.faults.apply(time_s, self.works.shown())
        sent = np.full(len(shown), np.nan)
        for place, mouth in enumerate(self._mouths):
            is_due = self._steps % mouth.every == 0
            local = places_of(is_due)
            if not len(local):
                continue
            found = mouth.line.send(time_s, local, shown[mouth.places[local]])
            if mouth.line.is_up:
                sent[mouth.places[local]] = shown[mouth.places[local]]
            for delivery in found:
                self._sent += 1  # Deliveries of one moment arrive in the order in which they were sent.
                heapq.heappush(self._waiting, (delivery.at_s, self._sent, place, delivery))
        self._steps += 1
        self.trace.times_s.append(time_s)
        self.trace.sent.append(sent)
        self.trace.true.append(np.array(self.works.true()))
        self._hand_over(time_s)

    def _hand_over(self, time_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= time_s + 1e-9:
            _, _, place, delivery = heapq.heappop(self._waiting)
            mouth = self._mouths[place]
            if delivery.link is not None:
                mouth.staged.link(is_up=delivery.link)
                continue
            times_ns = self.scenario.begins_ns + np.round(delivery.times_s * NS).astype(np.int64)
            mouth.staged.scan(mouth.rows[delivery.rows], delivery.values, times_ns)
