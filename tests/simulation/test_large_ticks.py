"""Large ticks are judged beside the loop: in the same order, with the same outcome, and nobody reads a half one."""

import asyncio
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

from alerting.model.command import Command, Verb
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.config import Source
from edge.model import Nature, Scan, Tag, TagTable
from gateway.app import Gateway
from gateway.executor import InlineExecutor, ThreadExecutor
from gateway.record import EventLog
from gateway.replay import replay as play_again
from tests.scripted import events_of, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, tag_table
from tests.trouble import H0, by_source, gateway_of, scan, since_start_s

T = TypeVar("T")
RULES = (
    H0,
    Rule(id="T.v.HH", tag="T.v", kind=Kind.HH, setpoint=9.5, on_delay_s=2.0, tier=Tier.RED),
    Rule(id="T.v.RATE", tag="T.v", kind=Kind.RATE, setpoint=0.9, window_s=2.0, tier=Tier.YELLOW),
    Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=6.0, tier=Tier.BLUE),
)


class SlowExecutor(InlineExecutor):
    """Works for a while before and after it is done, as a thread beside the loop does."""

    def __init__(self) -> None:
        self.turns = self.packed = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Run the function amid things that happen."""
        self.turns += 1
        await asyncio.sleep(0.09)
        result = function()
        self.packed += isinstance(result, tuple) and result[2] is not None
        await asyncio.sleep(0.11)
        return result


def values(second: int) -> float:
    return [5.0, 8.5, 9.7, 9.7, 9.8, 9.6, 4.0][second % 7]


def run(folder: Path, judging: InlineExecutor, off_loop: int) -> tuple[Gateway, io.BytesIO]:
    """Forty seconds of samples with a pause, acknowledged and shelved meanwhile."""
    clock, told = ManualClock(START_NS), io.BytesIO()
    items = [scan(t, [t], [values(t)]) for t in range(1, 41) if not 20 < t < 29]
    site = small_site(RuleTable(list(RULES), tag_table()), SOURCE, folder)
    gateway = small_gateway(
        site, clock, items, record=folder / "r.rec", event_log=EventLog(told, "run"), judging=judging
    )
    gateway.road.off_loop = off_loop

    async def main() -> None:
        async with gateway.running():
            for at_s, verb in ((4.5, Verb.ACK), (11.2, Verb.ACK), (12.3, Verb.ACK)):
                await asyncio.sleep(at_s - since_start_s(clock))
                key = next(alarm.id for alarm in gateway.desk.alarms.values() if alarm.group == "high")
                await gateway.command(Command(verb=verb, alarm=key, who="li", received_ns=clock.wall_ns()))
            await asyncio.sleep(43.0 - since_start_s(clock))

    run_manual(main(), clock)
    return gateway, told


def test_the_outcome_is_that_of_ticks_on_the_loop(tmp_path: Path) -> None:
    beside, slow = SlowExecutor(), tmp_path / "beside"
    gateway, told = run(slow, beside, 1)
    on_loop, _ = run(tmp_path / "loop", InlineExecutor(), 10**9)
    assert beside.turns > 25
    assert beside.packed >= 3, "a checkpoint each ten seconds, packed with the turn"

    def of(which: Gateway) -> list[tuple[Any, ...]]:
        rows = [row for row in events_of(which.site) if row.alarm and row.what != "acknowledged"]
        return [(row.id, row.what, row.time_ns, row.condition, row.state, row.value) for row in rows]

    assert of(gateway) == of(on_loop)
    assert len(of(gateway)) > 20
    assert gateway.picture.values[0] == on_loop.picture.values[0] == values(40)
    kept = [asyncio.run(which.historian.range(0, 0, 2**62, 1_000)) for which in (gateway, on_loop)]
    assert kept[0].times_ns.tolist() == kept[1].times_ns.tolist()
    assert np.array_equal(kept[0].values, kept[1].values, equal_nan=True)
    assert kept[0].count.sum() == 32
    again = io.BytesIO()
    site = small_site(RuleTable(list(RULES), tag_table()), SOURCE, slow)
    play_again(site, slow / "r.rec", EventLog(again, "run"))
    assert again.getvalue() == told.getvalue()
    ticks = [orjson.loads(line)["tick"] for line in (slow / "r.rec").read_bytes().splitlines()[1:]]
    assert ticks == sorted(set(ticks))


def test_who_reads_what_the_core_remembers_waits_for_the_turn(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(RuleTable(list(RULES), tag_table()), SOURCE, tmp_path)
    gateway = small_gateway(site, clock, [scan(1.0, [1.0], [5.0])], judging=SlowExecutor())
    gateway.road.off_loop = 1

    async def main() -> list[float]:
        async with gateway.running():
            await asyncio.sleep(1.05)  # The turn began at 1.00 s, judges at 1.09 s, and ends at 1.20 s.
            await gateway.settled()
            first = since_start_s(clock)
            await gateway.settled()
            return [first, since_start_s(clock)]

    first, second = run_manual(main(), clock)
    assert first == second
    assert 1.2 <= first < 1.25


def test_a_real_thread_judges_while_the_loop_goes_on(tmp_path: Path) -> None:
    """Thirty thousand samples at a time, from thirty sources; nothing is lost, and it is not the loop's thread."""
    names = [f"s{n}" for n in range(30)]
    tags = TagTable([Tag(name=f"{name}.t{k}", source=name, unit="T") for name in names for k in range(1000)])
    rules = [
        Rule(id=f"{tag.name}.H", tag=tag.name, kind=Kind.H, setpoint=8.0, tier=Tier.YELLOW) for tag in tags.tags[::50]
    ]
    sources = tuple(Source(id=name, protocol="mqtt", silent_after_s=60.0) for name in names)
    site = small_site(RuleTable(rules, tags), sources[0], tmp_path)
    site = replace(site, sources=sources)
    clock, seen = SystemClock(), set[str]()

    class Watched(ThreadExecutor):
        async def run(self, function: Callable[[], T]) -> T:
            def watched() -> T:
                seen.add(threading.current_thread().name)
                return function()

            return await super().run(watched)

    gateway = gateway_of(site, clock, by_source([]), judging=Watched("judge"))

    async def main() -> int:
        async with gateway.running():
            for number in range(1, 6):
                now_ns = clock.wall_ns()
                for place, name in enumerate(names):
                    gateway.road.deliver(
                        Scan(
                            source=name,
                            epoch=1,
                            number=number,
                            received_ns=now_ns,
                            rows=np.arange(place * 1000, place * 1000 + 1000, dtype=np.int32),
                            values=np.full(1000, 9.0 if number == 3 else 5.0),
                            quality=np.zeros(1000, dtype=np.uint8),
                            times_ns=np.full(1000, now_ns, dtype=np.int64),
                            nature=Nature.ACTUAL,
                        )
                    )
                await asyncio.sleep(0.05)  # Some come while a turn is under way.
            await gateway.settled()
            return sum(gateway.intake.refused.values())

    assert asyncio.run(main()) == 0
    assert {name.rsplit("_", 1)[0] for name in seen} == {"judge"}
    what = [
        row.what for row in events_of(site) if row.alarm and row.tag in tags.row_of
    ]  # Not of the links: time is real.
    assert (what.count("raised"), what.count("returned")) == (600, 600)
