"""An edge node takes other files while it runs: changed devices begin anew, others and the spool are not touched."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.model.rule import RuleTable
from edge.clock import Clock
from edge.collect.door import Counters, Deliver
from edge.config import ModbusOptions, Source
from edge.load.node import NodeSite
from edge.model import Link, Scan, Tag, TagTable
from edge.node import Node
from gateway.config import Site
from gateway.system import SOURCE as SYSTEM
from tests.simulation.test_node import NS, PLC, World, flat, run

#: What a tag says, always: its name tells the value wherever it lands.
SAYS = {"A.x": 1.0, "A.y": 2.0, "B.x": 3.0, "C.x": 4.0, "C.y": 5.0}


def tag(name: str, register: int = 0) -> Tag:
    return Tag(name=name, source=name[0].lower(), unit="T", address={"register": register})


def source(name: str, host: str = "10.0.0.1") -> Source:
    return Source(id=name, protocol="modbus-tcp", modbus=ModbusOptions(host=host))


OLD = TagTable([tag("A.x"), tag("A.y"), tag("B.x"), tag("C.x")])
NEW = TagTable([tag("C.y", 9), tag("C.x"), tag("B.x"), tag("A.y"), tag("A.x")])  # Every row is another.


class Device:
    """A collector that gives each second what its tags say, by the rows that it was made with."""

    def __init__(self, plant: "Plant", name: str, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> None:
        self.counters = Counters()
        self.plant, self.name, self.clock, self.epoch, self.deliver = plant, name, clock, epoch, deliver
        self.rows = tags.rows_of_source(name)
        self.values = np.array([SAYS[tags.names[row]] for row in self.rows.tolist()])

    async def run(self) -> None:
        self.plant.calls[self.name] += 1
        self.deliver(Link(source=self.name, is_up=True, received_ns=self.clock.wall_ns()), None)
        number, n = 0, len(self.rows)
        while True:
            number += 1
            now_ns = self.clock.wall_ns()
            self.plant.sent[self.name].append((self.epoch, number))
            self.deliver(
                Scan(source=self.name, epoch=self.epoch, number=number, received_ns=now_ns, rows=self.rows,
                     values=self.values, quality=np.zeros(n, dtype=np.uint8), times_ns=np.full(n, now_ns)),
                None,
            )  # fmt: skip
            await asyncio.sleep(1.0)


class Plant(World):
    """A gateway that has sources a, b and c of node north."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, flat)
        self.calls: Counter[str] = Counter()
        self.sent: dict[str, list[tuple[int, int]]] = {"a": [], "b": [], "c": []}
        tags = TagTable([*OLD, tag("C.y")])
        sources = tuple(replace(PLC, id=name) for name in "abc")
        self.site: Site = replace(self.site, sources=sources, tags=tags, rules=RuleTable([], tags))

    def node_of(self, tags: TagTable, *sources: Source, revision: str = "one") -> NodeSite:
        return replace(self.make_node().site, sources=sources, tags=tags, revision=revision)

    def start(self, site: NodeSite) -> Node:
        parts = self.parts_of_node()
        make = replace(
            parts,
            make_collector=lambda source, tags, clock, epoch, deliver: Device(
                self, source.id, tags, clock, epoch, deliver
            ),
        )
        return Node(site, self.clock, make)

    def came(self) -> dict[str, set[float]]:
        """Every value that reached the gateway's road, by tag."""
        assert self.gateway is not None
        found: dict[str, set[float]] = {}
        for scan in self.delivered:
            for row, value in zip(scan.rows.tolist(), scan.values.tolist(), strict=True):
                found.setdefault(self.gateway.site.tags.names[row], set()).add(value)
        return found


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


@pytest.mark.parametrize("is_cut", [False, True], ids=["gateway there", "gateway away"])
def test_one_changed_device_begins_anew_and_no_scan_is_lost_or_lands_elsewhere(plant: Plant, is_cut: bool) -> None:
    before = plant.node_of(OLD, source("a"), source("b"), source("c"))
    after = plant.node_of(NEW, source("a"), source("b"), source("c"), revision="two")

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = plant.start(before)
        await stack.enter_async_context(node.running())
        await asyncio.sleep(20.05)
        world.is_cut = is_cut
        waits = node.spool.state
        await node.take_over(after)
        assert node.spool.state == waits, "the spool is as it was"
        await asyncio.sleep(20)
        world.is_cut = False
        await asyncio.sleep(30)
        assert world.status.revision == "two"
        assert (world.status.waiting, world.status.missing) == (0, 0)
        assert sum(world.gateway.intake.refused.values()) == 0  # type: ignore[union-attr]
        assert node.spool.state.refused == 0
        assert _links(world) == {"a": True, "b": True, "c": True}

    run(plant, script)
    assert plant.calls == {"a": 1, "b": 1, "c": 2}
    assert plant.came() == {name: {value} for name, value in SAYS.items()}, "each value under its own name"
    for name, sent in plant.sent.items():
        got = sorted((scan.epoch, scan.number) for scan in plant.delivered if scan.source == name)
        assert got == sorted(set(got)), "none twice"
        assert set(sent[:-2]) <= set(got), f"{name}: none lost"
    epochs = {name: len({epoch for epoch, _ in sent}) for name, sent in plant.sent.items()}
    assert epochs == {"a": 1, "b": 1, "c": 2}, "who was not changed goes on counting"


def _links(world: World) -> dict[str, bool | None]:
    assert world.gateway is not None
    return {one.id: one.is_up for one in world.gateway.sources() if one.id != SYSTEM}


def test_a_removed_device_ends_and_rings_at_the_gateway_and_a_new_one_begins(plant: Plant) -> None:
    before = plant.node_of(OLD, source("a"), source("b"))
    few = TagTable([one for one in NEW if one.source != "a"])
    after = plant.node_of(few, source("b"), source("c"), revision="two")

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = plant.start(before)
        await stack.enter_async_context(node.running())
        await asyncio.sleep(10.05)
        await node.take_over(after)
        await asyncio.sleep(20)
        assert _links(world) == {"a": False, "b": True, "c": True}
        told = await node.status()
        assert (set(told["sources"]), told["starts"]) == ({"b", "c"}, {"a": 1, "b": 1, "c": 1})
        assert world.status.missing == 0

    run(plant, script)
    assert plant.calls == {"a": 1, "b": 1, "c": 1}
    assert ("raised", "fengsui.link.a", False) in plant.told()
    last = max(scan.received_ns for scan in plant.delivered if scan.source == "a")
    assert last <= plant.delivered[0].received_ns + 11 * NS


def test_a_medium_that_takes_no_new_epoch_changes_nothing(plant: Plant) -> None:
    before = plant.node_of(OLD, source("a"), source("b"))
    after = plant.node_of(OLD, source("a", "10.0.0.2"), source("b"), revision="two")

    async def script(world: World, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(world.make_gateway().running())
        node = plant.start(before)
        await stack.enter_async_context(node.running())
        await asyncio.sleep(5)
        (before.data / "epoch").unlink()
        (before.data / "epoch.new").mkdir()  # Nothing can be written there.
        with pytest.raises(OSError, match="epoch"):
            await node.take_over(after)
        await asyncio.sleep(5)
        assert node.site is before
        assert world.status.revision == "one"

    run(plant, script)
    assert plant.calls == {"a": 1, "b": 1}
