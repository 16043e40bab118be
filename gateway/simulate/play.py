"""Play: one scenario with one seed, from the first step of its plant to the verdicts.

Flow: scenario, site, seed -> [physics alone | plant + whole gateway in manual time | physics alone] -> Played
Why: one seed is one run: no thread, no socket, no clock but the one that moves when nothing is ready.
"""

import asyncio
import gc
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson
from sqlalchemy import Engine

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.furnish import furnish
from gateway.historian.memory import MemoryHistorian
from gateway.laps import Laps
from gateway.meter import Stage
from gateway.record import EventLog
from gateway.simulate.authority import Authority
from gateway.simulate.computed import Curve, curves_of
from gateway.simulate.field import Field, Staged, Trace
from gateway.simulate.known import site_of
from gateway.simulate.quiet import Looks, asks, kept_floods
from simulators.instrument import Faults, SourceLine
from simulators.scenario import Event, FloodSeen, Scenario, See, Seen, Verdict, judge

T = TypeVar("T")
NS = 1_000_000_000
ALONE = "physics alone"  # Before and after the gateway's part; pace does not count it.


#: Objects made between two looks for what refers to itself: a tick makes hundreds that go by themselves.
LOOK_EVERY = 50_000


@contextmanager
def _seldom_swept() -> Iterator[None]:
    """Look through what is there for good only now and then, as a serving gateway does; as before at the end."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(slots=True)
class Spent:
    """Real time by stage, s."""

    clock: Clock
    seconds: dict[str, float] = field(default_factory=dict)

    def on(self, stage: str, work: Callable[[], T]) -> T:
        """Do some work and count its time."""
        began_ns = self.clock.monotonic_ns()
        try:
            return work()
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + (self.clock.monotonic_ns() - began_ns) / NS


class _TimedExecutor(InlineExecutor):
    """Inline, and its time counted."""

    def __init__(self, spent: Spent, stage: str) -> None:
        self._spent, self._stage = spent, stage

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function at once."""
        await asyncio.sleep(0)
        return self._spent.on(self._stage, function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a run came to.

    Attributes:
        log: The event log, JSON lines; the same bytes for the same scenario, site and seed.
        spent_s: Real time by stage, s; ``pace`` is story seconds with the gateway over real seconds of all of them.
        balances: Of each stage of the road; all 0, or samples were lost or made up.
        computed: Curves of the site's derived tags.
    """

    scenario: Scenario
    seed: int
    verdicts: tuple[Verdict, ...]
    seen: Seen
    log: bytes
    trace: Trace
    tags: tuple[str, ...]
    scans: int
    samples: int
    spent_s: Mapping[str, float]
    pace: float
    balances: Mapping[str, int]
    computed: Mapping[str, Curve]

    @property
    def is_passed(self) -> bool:
        """Tell whether all expectations were met and the road's books balance."""
        return all(verdict.is_met for verdict in self.verdicts) and not any(self.balances.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What whoever watches a run sees of it after each step.

    Attributes:
        log: The event log so far, JSON lines.
        looks: What was listed as suppressed; None where no expectation asks.
    """

    field: Field
    log: io.BytesIO
    authorities: Mapping[str, Authority]
    engine: Engine
    looks: Looks | None

    def seen(self, until_s: float) -> Seen:
        """Give what was seen of the story by a second of it."""
        begins_ns = self.field.scenario.begins_ns
        return Seen(
            events=tuple(events_of(self.log.getvalue(), begins_ns)),
            milestones=self.field.milestones(),
            notices=tuple(notice for each in self.authorities.values() for notice in each.held(begins_ns)),
            until_s=until_s,
            floods=self._floods(begins_ns),
            listed=None if self.looks is None else tuple(self.looks.listed),
        )

    def _floods(self, begins_ns: int) -> tuple[FloodSeen, ...]:
        if not asks(self.field.scenario, See.FLOOD, See.FIRST_OUT):
            return ()
        with self.engine.connect() as connection:
            return kept_floods(connection, begins_ns)


Watch = Callable[[float, Now], None]
#: Whoever acts in a story, by the doors of the gateway; called after each step, the story waits.
Attend = Callable[[float, Gateway], Awaitable[None]]


def play(
    scenario: Scenario,
    site: Site,
    seed: int,
    folder: Path,
    watch: Clock,
    record: Path | None = None,
    each_step: Watch | None = None,
    attend: Attend | None = None,
) -> Played:
    """Play a scenario once.

    Args:
        folder: For the gateway's data; must be empty.
        watch: A real clock, to time the stages by; nothing else hangs on it.
        record: Where the gateway's own recording goes.
        each_step: Called after each step with the second of the story; may inject faults, may take its time.
        attend: Called after each step with the second of the story; persons may act by the doors of the gateway.

    Raises:
        ConfigError: The lists beside the site file have mistakes.
    """
    site = replace(site, data=folder)
    spent = Spent(watch)
    plant, faults, lines = np.random.default_rng(seed).spawn(3)
    works = scenario.kind.make(plant)
    ranges = _ranges(site.tags)
    field_side = Field(
        scenario,
        works,
        Faults(scenario.faults, works.tags, faults, ranges=ranges),
        [
            SourceLine(source.id, scenario.faults, dice)
            for source, dice in zip(site.sources, lines.spawn(len(site.sources)), strict=True)
        ],
    )
    spent.on(ALONE, field_side.forward)
    clock = ManualClock(scenario.begins_ns)
    log = io.BytesIO()
    collectors: list[Staged] = []

    def make(source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> Staged:  # noqa: ANN401
        collectors.append(Staged(source, tags, at, epoch, deliver))
        return collectors[-1]

    authorities = {
        destination.id: Authority(destination, clock, folder / "authority") for destination in site.destinations
    }
    people = {channel.id: Authority(channel, clock, folder / "people") for channel in site.channels}
    historian, laps = MemoryHistorian(site.tags), Laps(watch)
    gateway = Gateway(
        site,
        clock,
        Parts(
            zones=InlineExecutor(),
            historian=historian,
            writer=_TimedExecutor(spent, "commit"),
            reader=InlineExecutor(),
            compiler=InlineExecutor(),
            make_collector=make,
            record=record,
            event_log=EventLog(log, f"{scenario.name}-{seed}"),
            jitter_seed=seed,
            channels=authorities | people,
            laps=laps,
        ),
    )
    field_side.join(collectors, gateway.site.tags)
    beside = site_of(scenario.site, scenario.kind).parent
    spent.on(ALONE, lambda: furnish(beside, gateway.site, gateway.engine, scenario.begins_ns))
    looks = Looks() if asks(scenario, See.SUPPRESSED) else None
    now = Now(field=field_side, log=log, authorities=authorities, engine=gateway.engine, looks=looks)
    with _seldom_swept():
        began_ns = watch.monotonic_ns()
        run_manual(_run(scenario, gateway, now, spent, each_step, attend), clock)
        with_gateway_s = (watch.monotonic_ns() - began_ns) / NS
    spent.seconds |= laps.seconds
    spent.seconds["event loop, rest"] = with_gateway_s - sum(
        seconds for stage, seconds in spent.seconds.items() if stage != ALONE
    )
    spent.on(ALONE, field_side.after)
    seen = now.seen(scenario.lasts_s)
    return Played(
        scenario=field_side.scenario,  # With the faults that whoever watched has injected.
        seed=seed,
        verdicts=tuple(judge(scenario.expectations, seen)),
        seen=seen,
        log=log.getvalue(),
        trace=field_side.trace,
        tags=works.tags,
        scans=sum(each.counters.scans for each in collectors),
        samples=sum(each.counters.samples for each in collectors),
        spent_s=dict(spent.seconds),
        pace=scenario.lasts_s / with_gateway_s,
        balances={stage.name.lower(): gateway.meter.balance(stage) for stage in Stage},
        computed=run_manual(curves_of(historian, site, scenario.begins_ns, scenario.lasts_s), clock),
    )


async def _run(
    scenario: Scenario, gateway: Gateway, now: Now, spent: Spent, each_step: Watch | None, attend: Attend | None
) -> None:
    loop, field_side = asyncio.get_running_loop(), now.field
    start = loop.time()
    async with gateway.running():
        field_side.link_all()
        for number in range(1, round(scenario.lasts_s / scenario.step_s) + 1):
            time_s = number * scenario.step_s
            spent.on("plant", lambda at=time_s: field_side.move(at))  # type: ignore[misc]
            await asyncio.sleep(max(0.0, start + time_s - loop.time()))
            spent.on("instruments and lines", lambda at=time_s: field_side.look(at))  # type: ignore[misc]
            if now.looks is not None:
                now.looks.look(time_s, gateway.picture.alarms.values())
            if each_step is not None:
                spent.on("watching", partial(each_step, time_s, now))
            if attend is not None:
                await attend(time_s, gateway)
        await asyncio.sleep(0.5)  # What the last samples raised is still committed and told.


def _ranges(tags: TagTable) -> dict[str, tuple[float, float]]:
    ends = zip(tags.names, tags.range_lo, tags.range_hi, strict=True)
    return {name: (float(low), float(high)) for name, low, high in ends}


def events_of(log: bytes, begins_ns: int) -> list[Event]:
    """Read an event log as the judge takes it."""
    found = []
    for raw in log.splitlines():
        line = orjson.loads(raw)
        time_ns = np.datetime64(line["time"].rstrip("Z"), "ns").astype(np.int64)
        found.append(
            Event(
                time_s=round((int(time_ns) - begins_ns) / NS, 6),
                id=line["id"],
                what=line["event"],
                unit=line["unit"],
                tag=line["tag"],
                condition=line["condition"],
                rule=str(line["cause"].get("rule", "")),
                tier=line["tier"],
                alarm=line["alarm"],
                is_quiet=line["suppression"] != "none",
            )
        )
    return found
