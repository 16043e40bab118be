"""An edge node and its gateway in one virtual time: outages, lost answers, refusals, restarts of either side.

The uplink's request is a function here, so that it can be cut before the gateway, behind it, or answered by nobody.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.collect.door import Counters, Deliver
from edge.config import Source, SpoolBounds, UplinkOptions
from edge.load.node import NodeSite
from edge.model import Link, Nature, Scan, Tag, TagTable
from edge.model.wire import SAMPLES_MAX
from edge.node import WAITING_MAX, Node, NodeParts
from edge.uplink import Answer
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.meter import Stage
from gateway.nodes.reception import NodeStatus, Refusal
from gateway.store import schema
from gateway.system import SOURCE as SYSTEM
from tests.scripted import events_of, small_site

NS = 1_000_000_000
H = 80.0
PLC = Source(id="plc", protocol="node", node="north", silent_after_s=10.0)
TAGS = TagTable([Tag(name="T.level", source="plc", unit="T"), Tag(name="T.flow", source="plc", unit="T")])
OURS = TagTable([Tag(name="T.flow", source="plc", unit="T"), Tag(name="T.level", source="plc", unit="T")])
RULES = [Rule(id="T.level.H", tag="T.level", kind=Kind.H, setpoint=H, tier=Tier.YELLOW)]


class Plant:
    """A collector that gives a scan a second, as the story says, and link changes."""

    def __init__(self, story: Callable[[float], float | None], clock: Clock, epoch: int, deliver: Deliver) -> None:
        self.story, self.clock, self.epoch, self.deliver = story, clock, epoch, deliver
        self.counters = Counters()
        self.number = 0
        self.acknowledged: list[int] = []

    async def run(self) -> None:
        """Poll for ever; where the story says nothing, nothing comes."""
        self.deliver(Link(source="plc", is_up=True, received_ns=self.clock.wall_ns()), None)
        while True:
            now_ns = self.clock.wall_ns()
            value = self.story(self.clock.monotonic_ns() / NS)
            if value is not None:
                self.number += 1
                number = self.number
                scan = Scan(
                    source="plc",
                    epoch=self.epoch,
                    number=number,
                    received_ns=now_ns,
                    rows=np.array([0, 1], dtype=np.int32),
                    values=np.array([value, float(number)]),
                    quality=np.zeros(2, dtype=np.uint8),
                    times_ns=np.full(2, now_ns),
                )
                self.deliver(scan, partial(self.acknowledged.append, number))
            await asyncio.sleep(1.0)


class World:
    """A gateway, a node, and the wire between them."""

    def __init__(self, folder: Path, story: Callable[[float], float | None], **bounds: float) -> None:
        self.clock = ManualClock()
        self.folder, self.story = folder, story
        self.bounds = replace(SpoolBounds(), **bounds)  # type: ignore[arg-type]
        self.is_cut = False
        self.loses_answers: Callable[[], bool] = lambda: False
        self.site = small_site(RuleTable(RULES, OURS), PLC, folder / "gateway")
        self.gateway: Gateway | None = None
        self.delivered: list[Scan] = []
        self.bodies = 0

    def make_gateway(self, site: Site | None = None) -> Gateway:
        parts = Parts(
            historian=MemoryHistorian(TagTable([])), writer=InlineExecutor(), reader=InlineExecutor(), jitter_seed=1
        )
        site = site or self.site
        gateway = Gateway(site, self.clock, replace(parts, historian=None))
        gateway.historian = gateway.road.historian = MemoryHistorian(gateway.site.tags)  # Sized by all its tags.
        deliver = gateway.road.deliver

        def watch(item: Scan | Link, acknowledge: Callable[[], None] | None = None) -> None:
            if isinstance(item, Scan) and item.source != SYSTEM:
                self.delivered.append(item)
            deliver(item, acknowledge)

        gateway.road.deliver = watch  # type: ignore[method-assign]
        self.gateway = gateway
        return gateway

    def make_node(self, **more: Any) -> Node:  # noqa: ANN401 - any part
        source = replace(PLC, protocol="modbus-tcp", node="")
        site = NodeSite(
            id="site",
            sources=(source,),
            tags=TAGS,
            revision="r",
            uplink=UplinkOptions(node="north", url="http://x"),
            spool=self.bounds,
            data=self.folder / "node",
        )
        return Node(site, self.clock, self.parts_of_node(**more))

    def parts_of_node(self, **more: Any) -> NodeParts:  # noqa: ANN401 - any part
        return NodeParts(
            post=self.post,
            executor=InlineExecutor(),
            make_collector=lambda _source, _tags, clock, epoch, deliver: Plant(self.story, clock, epoch, deliver),
            jitter=lambda: 0.5,
            sync=lambda _: None,
            **more,
        )

    async def post(self, body: bytes) -> Answer:
        self.bodies += 1
        await asyncio.sleep(0.01)
        if self.is_cut or self.gateway is None:
            raise OSError("cut")
        try:
            taken = await self.gateway.take_from_node("north", body)
        except Refusal as refusal:
            error = {"error": {"code": refusal.code, "message": str(refusal)}}
            return Answer(status=refusal.status, body=error, retry_after_s=refusal.retry_after_s)
        if self.loses_answers():
            raise OSError("the answer was lost")
        return Answer(
            status=200,
            body={"known": taken.known, "refused_at": {reason: list(at) for reason, at in taken.refused.items()}},
        )

    @property
    def status(self) -> NodeStatus:
        assert self.gateway is not None
        (found,) = self.gateway.nodes()
        return found

    def seen(self) -> list[tuple[int, int]]:
        return [(scan.epoch, scan.number) for scan in self.delivered]

    def told(self) -> list[tuple[str, str, bool]]:
        return [(row.what, row.tag, bool(row.is_late)) for row in events_of(self.site) if row.what == "raised"]


def run(world: World, script: Callable[[World, AsyncExitStack], Any]) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            await script(world, stack)

    run_manual(main(), world.clock)


def flat(_: float) -> float:
    return 10.0


def test_ten_minutes_without_a_link_is_made_up_for_and_rings_late_only(tmp_path: Path) -> None:
    """The gateway lives on: the silent node rings, live goes first, what happened meanwhile is found."""
    world = World(tmp_path, lambda t: 90.0 if 300 <= t < 400 else 10.0)

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = world.make_node()
        await stack.enter_async_context(node.running())
        await asyncio.sleep(60)
        assert world.status.is_up
        assert (world.status.waiting, world.status.missing) == (0, 0)
        world.is_cut = True
        await asyncio.sleep(600)
        assert not world.status.is_up
        before = len(world.delivered)
        world.is_cut = False
        await asyncio.sleep(120)
        after = world.delivered[before:]
        assert not after[0].is_backfill, "live first"
        assert world.status.waiting == 0
        assert world.status.missing == 0
        assert node.spool.waiting == 0
        back = [scan.number for scan in after if scan.is_backfill]
        live = [scan.number for scan in after if not scan.is_backfill]
        assert back == list(range(back[0], back[-1] + 1)), "in order, without a hole"
        assert live == list(range(live[0], live[-1] + 1))
        assert (back[0], live[0]) == (before + 1, back[-1] + 1)
        assert 590 < len(back) < 635
        assert world.gateway is not None
        meter = world.gateway.meter.snapshot()
        refused = {stage.stage: stage.refused for stage in meter.stages if stage.refused}
        assert refused == {}, refused

    run(world, script)
    assert len(world.seen()) == len(set(world.seen()))
    assert world.told() == [("raised", "fengsui.link.plc", False), ("raised", "T.level", True)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lost_answers_and_cuts_deliver_each_scan_once(tmp_path: Path, seed: int) -> None:
    luck = Random(seed)
    world = World(tmp_path, flat)

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        await stack.enter_async_context(world.make_node().running())
        world.loses_answers = lambda: luck.random() < 0.4
        for _ in range(12):
            await asyncio.sleep(luck.uniform(1, 25))
            world.is_cut = not world.is_cut
        world.is_cut, world.loses_answers = False, lambda: False
        await asyncio.sleep(60)
        assert (world.status.waiting, world.status.missing) == (0, 0)
        assert world.status.known > 0, "some came twice"

    run(world, script)
    keys = world.seen()
    assert len(keys) == len(set(keys)) > 100
    assert {number for _, number in keys} == set(range(1, len(keys) + 1))
    assert {tag for _, tag, _ in world.told()} <= {"fengsui.link.plc"}


def test_both_sides_start_anew_and_nothing_is_lost_or_told_twice(tmp_path: Path) -> None:
    world = World(tmp_path, lambda t: 90.0 if t >= 25 else 10.0)

    async def script(world: World, _: AsyncExitStack) -> None:
        for turn in range(3):
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(world.make_gateway().running())
                node = world.make_node()
                await stack.enter_async_context(node.running())
                await asyncio.sleep(20)
                if turn == 1:
                    world.loses_answers = lambda: True  # The last answers of this life never arrive.
                    await asyncio.sleep(3)
            world.loses_answers = lambda: False
            await asyncio.sleep(7)

    run(world, script)
    keys = world.seen()
    assert len(keys) == len(set(keys)), "known again from the disk"
    assert len({epoch for epoch, _ in keys}) == 3
    assert world.told() == [("raised", "T.level", False)]
    ranges = [(row.first, row.last) for row in rows_of(world, schema.received)]
    assert all(first == 1 for first, _ in ranges)
    assert sum(last for _, last in ranges) == len(keys)


def test_a_gateway_that_starts_anew_goes_on_with_a_node_that_did_not(tmp_path: Path) -> None:
    world = World(tmp_path, lambda t: 90.0 if t >= 35 else 10.0)

    async def script(world: World, stack: AsyncExitStack) -> None:
        async with AsyncExitStack() as first:
            await first.enter_async_context(world.make_gateway().running())
            await stack.enter_async_context(world.make_node().running())
            await asyncio.sleep(20)
        world.gateway = None
        await asyncio.sleep(3)  # Shorter than what makes back-fill: it goes on in order.
        gateway = world.make_gateway()
        await stack.enter_async_context(gateway.running())
        await asyncio.sleep(20)
        assert sum(gateway.intake.refused.values()) == 0, gateway.intake.refused
        assert gateway.desk.memory(Nature.ACTUAL).value[1] == 90.0
        assert (world.status.waiting, world.status.missing) == (0, 0)

    run(world, script)
    assert len(world.seen()) == len(set(world.seen()))
    assert len({epoch for epoch, _ in world.seen()}) == 1
    assert not any(scan.is_backfill for scan in world.delivered)
    assert world.told() == [("raised", "T.level", False)]


def rows_of(world: World, table: Any) -> list[Any]:  # noqa: ANN401 - a table
    assert world.gateway is not None
    with world.gateway.engine.connect() as connection:
        return list(connection.execute(select(table)))


def test_back_fill_of_a_source_that_fell_silent_is_judged(tmp_path: Path) -> None:
    """Its last word came during the outage; nothing live follows it."""
    world = World(tmp_path, lambda t: None if t > 300 else 90.0 if t > 200 else 10.0)

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        await stack.enter_async_context(world.make_node().running())
        await asyncio.sleep(100)
        world.is_cut = True
        await asyncio.sleep(400)
        world.is_cut = False
        await asyncio.sleep(60)
        assert world.status.missing == 0

    run(world, script)
    assert ("raised", "T.level", True) in world.told()
    assert ("raised", "T.level", False) not in world.told()


def test_a_full_spool_drops_the_oldest_and_rings(tmp_path: Path) -> None:
    world = World(tmp_path, flat, records_max=400)

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = world.make_node()
        await stack.enter_async_context(node.running())
        await asyncio.sleep(30)
        world.is_cut = True
        await asyncio.sleep(1000)
        world.is_cut = False
        await asyncio.sleep(60)
        dropped = sum(node.spool.state.dropped.values())
        assert 550 < dropped < 750
        assert world.status.dropped == world.status.missing == dropped

    run(world, script)
    assert ("raised", "fengsui.nodes_lost", False) in world.told()
    assert [row.lost > 500 for row in rows_of(world, schema.node)] in ([], [True])


def test_what_the_gateway_never_takes_is_set_aside_and_rings(tmp_path: Path) -> None:
    site = replace(World(tmp_path, flat).site, sources=(PLC, replace(PLC, id="plc-2")))
    wrong = TagTable([Tag(name="T.level", source="plc-2", unit="T"), Tag(name="T.flow", source="plc-2", unit="T")])
    test = TagTable([replace(tag, nature=Nature.TEST) for tag in OURS])
    for other, reason in (
        (replace(site, sources=(replace(PLC, id="plc-2"),), tags=wrong), "unknown_source"),
        (replace(site, sources=(replace(PLC, node="south"), replace(PLC, id="plc-2"))), "not_of_node"),
        (replace(site, sources=(replace(PLC, nature=Nature.TEST),), tags=test), "nature"),
    ):
        this = World(tmp_path / reason, flat)
        this.site = replace(other, data=tmp_path / reason / "gateway", rules=RuleTable([], other.tags))

        async def script(world: World, stack: AsyncExitStack, reason: str = reason) -> None:
            await stack.enter_async_context(world.make_gateway().running())
            node = world.make_node()
            await stack.enter_async_context(node.running())
            await asyncio.sleep(20)
            assert node.spool.state.refused >= 19
            status = next(one for one in world.gateway.nodes() if one.name == "north")  # type: ignore[union-attr]
            assert status.refused[reason] >= 19
            assert world.delivered == []
            stage = world.gateway.meter.snapshot().stages[0]  # type: ignore[union-attr]
            assert (stage.stage, stage.balance) == (Stage.COLLECT, 0)

        run(this, script)
        assert ("raised", "fengsui.nodes_lost", False) in this.told(), reason


def test_a_tag_that_the_gateway_lacks_costs_its_own_samples_alone(tmp_path: Path) -> None:
    world = World(tmp_path, flat)
    few = TagTable([Tag(name="T.level", source="plc", unit="T")])
    world.site = replace(world.site, tags=few, rules=RuleTable(RULES, few))

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = world.make_node()
        await stack.enter_async_context(node.running())
        await asyncio.sleep(20)
        assert world.gateway is not None
        assert world.gateway.intake.refused["unknown_tag"] >= 19  # type: ignore[index]
        assert world.gateway.desk.memory(Nature.ACTUAL).value[0] == 10.0
        assert node.spool.state.refused == 0

    run(world, script)


def test_a_gateway_with_no_room_is_left_in_peace_until_it_says(tmp_path: Path) -> None:
    world = World(tmp_path, flat)

    async def script(world: World, stack: AsyncExitStack) -> None:
        gateway = world.make_gateway()
        await stack.enter_async_context(gateway.running())
        node = world.make_node()
        await stack.enter_async_context(node.running())
        await asyncio.sleep(5)
        gateway.reception._room = lambda: 0  # noqa: SLF001 - a road that is full
        asked = world.bodies
        await asyncio.sleep(60)
        assert world.bodies - asked < 60
        assert node.uplink.state.failures["busy"] > 10
        gateway.reception._room = lambda: 1000  # noqa: SLF001
        await asyncio.sleep(30)
        assert (world.status.waiting, world.status.missing) == (0, 0)

    run(world, script)
    assert len(world.seen()) == len(set(world.seen()))


def test_a_store_that_cannot_write_frees_nothing_and_judging_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, lambda t: 90.0 if t > 40 else 10.0)

    async def script(world: World, stack: AsyncExitStack) -> None:
        gateway = world.make_gateway()
        await stack.enter_async_context(gateway.running())
        node = world.make_node()
        await stack.enter_async_context(node.running())
        await asyncio.sleep(20)
        write = gateway.store.write

        async def fail(function: Any, *_: Any, **__: Any) -> Any:  # noqa: ANN401
            from sqlalchemy.exc import OperationalError  # noqa: PLC0415

            raise OperationalError("COMMIT", None, Exception("disk is full"))

        gateway.store.write = gateway.reception._write = fail  # type: ignore[method-assign]  # noqa: SLF001
        await asyncio.sleep(60)
        assert node.spool.waiting > 40
        assert [alarm.tag for alarm in gateway.desk.alarms.values() if alarm.tag == "T.level"] == ["T.level"]
        gateway.store.write = gateway.reception._write = write  # type: ignore[method-assign]  # noqa: SLF001
        await asyncio.sleep(40)
        assert node.spool.waiting == 0
        assert world.status.missing == 0

    run(world, script)
    assert len(world.seen()) == len(set(world.seen()))
    assert [one for one in world.told() if one[1] == "T.level"] == [("raised", "T.level", False)]


def test_a_source_is_acknowledged_when_its_scan_is_on_the_medium_and_not_before(tmp_path: Path) -> None:
    world = World(tmp_path, flat)
    world.is_cut = True

    async def script(world: World, stack: AsyncExitStack) -> None:
        node = world.make_node()
        is_broken = True

        def sync(_: int) -> None:
            if is_broken:
                raise OSError("read-only")

        node.spool._sync = sync  # noqa: SLF001 - the medium fails after the start
        await stack.enter_async_context(node.running())
        plant = node.collecting.collectors["plc"]
        assert isinstance(plant, Plant)
        await asyncio.sleep(10)
        assert (plant.number > 8, plant.acknowledged, node.spool_error) == (True, [], "read-only")
        is_broken = False
        await asyncio.sleep(3)
        assert plant.acknowledged == list(range(1, len(plant.acknowledged) + 1))
        assert plant.number - len(plant.acknowledged) <= 1
        assert node.spool_error == ""

    run(world, script)


def test_what_does_not_fit_is_sent_again_and_what_never_fits_holds_nothing_back(tmp_path: Path) -> None:
    """A broker is acknowledged in order: one message that nobody answers would stop all that come after it."""
    world = World(tmp_path, lambda _: None)
    node = world.make_node()
    plant = node.collecting.collectors["plc"]
    assert isinstance(plant, Plant)
    acknowledged: list[int] = []

    def scan(number: int, width: int) -> Scan:
        return Scan(
            source="plc", epoch=1, number=number, received_ns=1, rows=np.zeros(width, dtype=np.int32),
            values=np.zeros(width), quality=np.zeros(width, dtype=np.uint8), times_ns=np.ones(width, dtype=np.int64),
        )  # fmt: skip

    assert plant.deliver(scan(1, SAMPLES_MAX + 1), partial(acknowledged.append, 1)) is not False
    assert acknowledged == [1]
    one = scan(2, 1)
    while (told := plant.deliver(one, partial(acknowledged.append, 2))) is not False:
        assert len(node._waiting) <= WAITING_MAX  # noqa: SLF001 - the bound itself
    assert told is False, "so that the collector connects anew, and the broker sends again"
    assert acknowledged == [1]
    assert node.refused == {"too_large": 1, "overflow": 1}
    node.spool.close()
