"""Stage: one drill while it goes on: plant, shadow, and how the story's expectations stand.

Flow: [play: step by step in real time] -> plant -> instruments -> shadow
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from alerting.model.alarm import Suppression
from alerting.model.event import Event as AlarmEvent
from edge.collect.door import Deliver
from edge.config import Source
from edge.model import TagTable
from gateway.drill.records import Record
from gateway.drill.shadow import Shadow
from gateway.drill.stories import Staged as Play
from gateway.drill.time import DrillClock
from gateway.executor import Executor
from gateway.simulate.field import Field, Staged
from gateway.simulate.quiet import Looks, floods_of
from simulators.instrument import Faults, SourceLine
from simulators.scenario import Event, Notice, Seen, stand

NS: Final = 1_000_000_000
TICK_S: Final = 0.25  # As often as the road: delays run out without a sample.


class Stage:
    """One drill."""

    def __init__(self, record: Record, play: Play, shadow: Shadow, clock: DrillClock) -> None:
        self.record, self.play, self.shadow, self.clock = record, play, shadow, clock
        self.begins_ns = clock.wall_ns()
        self.is_ready = False
        self.at_s = 0.0
        self.going = asyncio.Event()
        self.going.set()
        self.has_played = self.is_stopping = False
        self._looks = Looks()
        scenario = play.scenario
        plant, faults, lines = np.random.default_rng(record.seed).spawn(3)
        works = scenario.kind.make(plant)
        tags = play.shadow.tags
        ends = zip(tags.names, tags.range_lo, tags.range_hi, strict=True)
        ranges = {name: (float(low), float(high)) for name, low, high in ends}
        sources = play.shadow.sources
        self._field = Field(
            scenario,
            works,
            Faults(scenario.faults, works.tags, faults, ranges=ranges),
            [
                SourceLine(source.id, scenario.faults, dice)
                for source, dice in zip(sources, lines.spawn(len(sources)), strict=True)
            ],
        )
        self._field.join([_mouth(source, tags, clock, shadow.deliver) for source in sources], tags)

    async def get_ready(self, executor: Executor) -> None:
        """Bring the plant to second 0, aside; the story begins when it is there."""
        await executor.run(self._field.forward)
        self.begins_ns = self.clock.wall_ns()
        self._field.scenario = replace(self._field.scenario, begins_ns=self.begins_ns)
        self.is_ready = True

    async def run(self, must_pause: Callable[[], bool]) -> None:
        """Play until the story is over, or it is to stop.

        Args:
            must_pause: Asked before every step; it has paused the drill when it says yes.
        """
        scenario = self.play.scenario
        self._field.link_all()
        for number in range(1, round(scenario.lasts_s / scenario.step_s) + 1):
            time_s = number * scenario.step_s
            self._field.move(time_s)
            await self._wait(time_s, must_pause)
            if self.is_stopping:
                return
            self._field.look(time_s)
            await self.shadow.tick()
            self._looks.look(time_s, self.shadow.desk.alarms.values())
            self.at_s = time_s
        self.has_played = True

    def stop(self) -> None:
        """Let it end at its next step."""
        self.is_stopping = True
        self.going.set()

    async def _wait(self, time_s: float, must_pause: Callable[[], bool]) -> None:
        """Wait for a moment of the drill; delays, commands and real alarms are looked at meanwhile."""
        while not self.is_stopping:
            if must_pause() or not self.going.is_set():
                await self.going.wait()
                continue
            left_s = time_s - (self.clock.wall_ns() - self.begins_ns) / NS
            if left_s <= 0:
                return
            await asyncio.sleep(min(TICK_S, left_s))
            if not self.clock.is_paused and not self.is_stopping:
                await self.shadow.tick()

    async def get_over(self, executor: Executor) -> None:
        """Let the plant go on alone, aside, so that milestones which come later are known."""
        await executor.run(self._field.after)

    # --------------------------------------------------------------- how it stands

    @property
    def now_s(self) -> float:
        """Second of the story."""
        passed_s = (self.clock.wall_ns() - self.begins_ns) / NS if self.is_ready else 0.0
        return round(min(passed_s, self.play.scenario.lasts_s), 1)

    def told(self) -> list[Mapping[str, Any]]:
        """Give what has happened to the plant so far, as a person would say it."""
        return [
            {"at_s": moment.at_s, "say": dict(moment.say)}
            for moment in self.play.scenario.moments
            if moment.at_s <= self.at_s
        ]

    def expectations(self, delivered: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
        """Tell how each expectation stands.

        Args:
            delivered: Event id and receive time, ns, of the notices that an authority holds.
        """
        scenario = self.play.scenario
        seen = Seen(
            events=[self._event(event) for event in self.shadow.events],
            milestones=self._field.milestones(),
            notices=[Notice(event=event, held_s=self._second(self.clock.from_wall(ns))) for event, ns in delivered],
            until_s=scenario.lasts_s if self.has_played else self.now_s,
            floods=floods_of(self.shadow.floods.values(), self._second),
            listed=tuple(self._looks.listed),
        )
        return [
            {
                "id": each.id,
                "see": each.see.value,
                "say": dict(each.say),
                "standing": standing.value,
                "seen_s": verdict.seen_s,
                "why": dict(verdict.why),
            }
            for each, (standing, verdict) in zip(scenario.expectations, stand(scenario.expectations, seen), strict=True)
        ]

    def milestones(self) -> dict[str, float]:
        """Give when each milestone was reached, s of the story."""
        return dict(sorted(self._field.milestones().items(), key=lambda found: found[1]))

    def _event(self, event: AlarmEvent) -> Event:
        return Event(
            time_s=self._second(event.time_ns),
            id=event.id,
            what=event.what.value,
            unit=event.unit,
            tag=event.tag,
            condition=event.condition,
            rule=str(event.cause.get("rule", "")),
            tier=event.tier.name,
            alarm=event.alarm,
            is_quiet=event.suppression != Suppression.NONE,
        )

    def _second(self, drill_ns: int) -> float:
        return round((drill_ns - self.begins_ns) / NS, 6)


def _mouth(source: Source, tags: TagTable, clock: DrillClock, deliver: Deliver) -> Staged:
    return Staged(source, tags, clock, 1, deliver)
