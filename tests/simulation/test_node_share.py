"""One source that two edge nodes bring in parts, at a whole gateway in virtual time: counts, order, links, restarts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Tag, TagTable
from edge.model.wire import CodedScan, Names, digest_of, encode, encode_batch
from gateway.app import Gateway, Parts
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.intake import Refusal
from gateway.nodes.received import STREAM_MAX, stream_of
from gateway.nodes.reception import Taken
from tests.scripted import events_of, small_site

S = 1_000_000_000
GAS = Source(id="gas", protocol="node", node="north", partners=("south",), silent_after_s=10.0)
TAGS = TagTable([Tag(name="T.v", source="gas", unit="T")])
RULES = RuleTable([Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=80.0, tier=Tier.YELLOW)], TAGS)


@dataclass
class Group:
    """A gateway, and two nodes whose requests are made by hand."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    gateway: Gateway | None = None

    def __post_init__(self) -> None:
        self.site = small_site(RULES, GAS, self.folder)

    def make(self) -> Gateway:
        parts = Parts(historian=None, writer=InlineExecutor(), reader=InlineExecutor(), jitter_seed=1)
        self.gateway = Gateway(self.site, self.clock, parts)
        self.gateway.historian = self.gateway.road.historian = MemoryHistorian(self.gateway.site.tags)
        return self.gateway

    async def send(self, node: str, number: int, at_s: float, value: float, *, epoch: int = 7) -> Taken:
        """Send one scan of a node's, measured so many seconds after the beginning."""
        scan = CodedScan(
            source=0,
            epoch=epoch,
            number=number,
            received_ns=self.clock.wall_ns(),
            ids=np.zeros(1, dtype=np.int64),
            values=np.array([value]),
            quality=np.zeros(1, dtype=np.uint8),
            times_ns=np.array([self.began_ns + round(at_s * S)]),
        )
        return await self.post(node, [(number, encode(scan))])

    async def post(self, node: str, records: list[tuple[int, bytes]], *, is_up: bool = True) -> Taken:
        sources, tags = Names(), Names()
        sources.add("gas")
        tags.add("T.v")
        status = {"sources": {"gas": {"is_up": is_up, "reason": "" if is_up else "the broker is away"}}}
        assert self.gateway is not None
        body = encode_batch(status, digest_of(sources, tags), (sources, tags), records)
        return await self.gateway.take_from_node(node, body)

    async def history(self) -> list[tuple[float, float]]:
        assert self.gateway is not None
        series = await self.gateway.historian.range(self.gateway.site.tags.row_of["T.v"], 1, 2**62, 1000)
        real = series.count > 0
        times_s = ((series.times_ns[real] - self.began_ns) / S).round(3).tolist()
        return list(zip(times_s, series.values[real].tolist(), strict=True))

    def told(self) -> list[tuple[str, str, bool]]:
        return [(row.what, row.tag, bool(row.is_late)) for row in events_of(self.site) if row.what != "unit_raised"]

    began_ns: int = 0


def run(group: Group, script: Callable[[Group], Awaitable[None]]) -> None:
    async def main() -> None:
        group.began_ns = group.clock.wall_ns()
        async with group.make().running():
            await group.post("north", [])
            await group.post("south", [])
            await script(group)

    run_manual(main(), group.clock)


def test_nodes_that_count_alike_are_told_apart_and_each_scan_is_once(tmp_path: Path) -> None:
    """Both began in the same second and so in the same epoch."""
    group = Group(tmp_path)

    async def script(group: Group) -> None:
        for number in range(1, 4):
            await asyncio.sleep(1)
            assert (await group.send("north", number, number, 10.0 + number)).taken == 1
            assert (await group.send("south", number, number + 0.5, 20.0 + number)).taken == 1
        assert (await group.send("south", 3, 3.5, 23.0)).known == 1
        assert (await group.post("north", [])).taken == 0
        assert [value for _, value in await group.history()] == [11.0, 21.0, 12.0, 22.0, 13.0, 23.0]

    run(group, script)

    async def again(group: Group) -> None:
        await asyncio.sleep(1)
        assert (await group.send("north", 3, 3, 13.0)).known == 1, "known again from the disk, by its node"
        assert (await group.send("north", 4, 4, 14.0)).taken == 1
        assert (await group.history())[-1][1] == 14.0
        assert group.gateway is not None
        assert group.gateway.intake.refused[Refusal.SEQUENCE] == 0, "the new count goes on above the old"

    began_ns = group.began_ns
    clock = group.clock

    async def restarted() -> None:
        group.began_ns = began_ns
        async with group.make().running():
            await again(group)

    run_manual(restarted(), clock)


@pytest.mark.parametrize("lag_s", [3.0, 100.0])
def test_what_comes_after_a_newer_value_is_history_and_is_not_judged(tmp_path: Path, lag_s: float) -> None:
    """A member that lags, for a moment or for longer than a wrong clock would be told by, changes nothing live."""
    group = Group(tmp_path)

    async def script(group: Group) -> None:
        await asyncio.sleep(1)
        await group.send("north", 1, 1.0, 10.0)
        for second in range(2, 10):
            await asyncio.sleep(1)
            await group.send("north", second, second, 10.0)
        for number in range(1, 6):  # High, dealt to south, which comes now only.
            await asyncio.sleep(lag_s / 5)
            await group.send("north", 10 + number, (group.clock.wall_ns() - group.began_ns) / S, 10.0)
            await group.send("south", number, 2.0 + number + 0.5, 90.0)
        assert group.gateway is not None
        assert group.gateway.desk.memory(TAGS[0].nature).value[group.gateway.site.tags.row_of["T.v"]] == 10.0
        kept = await group.history()
        assert [(t, v) for t, v in kept if v == 90.0] == [(3.5 + n, 90.0) for n in range(5)], "with its own time"
        assert group.gateway.intake.replaced == {"future": 0, "wrong_clock": 0, "clock_step": 0}
        assert sum(group.gateway.intake.refused.values()) == 0

    run(group, script)
    assert [one for one in group.told() if one[1] == "T.v"] == []


def test_the_same_message_by_both_is_once(tmp_path: Path) -> None:
    """A broker sent it again, to another member, because the first was gone before it could acknowledge."""
    group = Group(tmp_path)

    async def script(group: Group) -> None:
        await asyncio.sleep(1)
        await group.send("north", 1, 1.0, 90.0)
        await group.send("south", 1, 1.0, 90.0)
        assert await group.history() == [(1.0, 90.0)]
        assert group.gateway is not None
        assert group.gateway.intake.refused[Refusal.DUPLICATE] == 1

    run(group, script)
    assert [one for one in group.told() if one[1] == "T.v"] == [("raised", "T.v", False)]


def test_a_group_is_whole_while_all_its_members_are_there(tmp_path: Path) -> None:
    group = Group(tmp_path)

    async def script(group: Group) -> None:
        gateway = group.gateway
        assert gateway is not None

        def is_up() -> bool:
            (found,) = [one for one in gateway.sources() if one.id == "gas"]
            return found.is_up

        await group.send("north", 1, 0.1, 10.0)
        assert is_up()
        await group.post("south", [], is_up=False)
        assert not is_up(), "a part is missing"
        await group.send("north", 2, 0.2, 10.0)
        assert not is_up(), "north alone does not mend it"
        await group.post("north", [], is_up=False)
        await group.post("north", [])
        assert not is_up(), "nor does its coming back, while south is away"
        await group.post("south", [])
        assert is_up()
        for second in range(1, 30):  # South falls silent.
            await asyncio.sleep(1)
            await group.send("north", 2 + second, second, 10.0)
        assert not is_up()
        error = next(stage.last_error for stage in gateway.meter.snapshot().stages if "south" in str(stage.last_error))
        assert "edge node south has been silent" in str(error)

    run(group, script)
    assert ("raised", "fengsui.link.gas", False) in group.told()


def test_names_of_parts_fit_their_column_and_stay_apart() -> None:
    long = Source(id="s" * 64, protocol="node", node="a" * 64, partners=("b" * 64,))
    names = {stream_of(long, node) for node in long.nodes}
    assert len(names) == 2
    assert all(len(name) <= STREAM_MAX for name in names)
    assert stream_of(GAS, "south") == "gas@south"
    assert stream_of(Source(id="plc", protocol="node", node="north"), "north") == "plc"
