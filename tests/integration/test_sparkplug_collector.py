"""A Sparkplug host application: births, data, deaths and doubt, in virtual time and with a recorded edge node."""

import ast
import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge.collect
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge, Counters
from edge.collect.mqtt.link import Manner, MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.mqtt.outgoing import presence, rebirth
from edge.collect.sparkplug.collector import SparkplugCollector
from edge.config import MqttOptions, Source, SparkplugOptions
from edge.model import Link, Scan, Tag, TagTable
from edge.model.quality import describe
from tests.sparkplug_peer import DOUBLE, INT64, NOON_MS, Edge, metric

SECOND_NS = 1_000_000_000
SESSION = json.loads(Path("tests/golden/sparkplug/session.json").read_text("utf-8"))["messages"]
TAGS = TagTable(
    [
        Tag(name="N1.battery", source="s"),
        Tag(name="TK-1.level", source="s", range_lo=0.0, range_hi=20.0),
        Tag(name="TK-1.pump", source="s"),
        Tag(name="TK-2.level", source="s"),
        Tag(name="N2.battery", source="s"),
        Tag(name="elsewhere", source="other"),
    ]
)


@dataclass
class Road:
    """Takes what the collector delivers."""

    tags: TagTable
    delivered: list[Scan | Link] = field(default_factory=list)
    is_full: bool = False
    held: list[Acknowledge] = field(default_factory=list)

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> bool:
        if self.is_full and isinstance(item, Scan):
            return False
        self.delivered.append(item)
        if acknowledge is not None:
            self.held.append(acknowledge)
        return True

    @property
    def scans(self) -> list[Scan]:
        return [item for item in self.delivered if isinstance(item, Scan)]

    def told(self) -> list[tuple[str, float | None, str]]:
        """Give what was told since it was last asked: tag, value, quality; history as such."""
        told = [
            (
                self.tags[int(row)].name,
                None if np.isnan(value) else float(value),
                ("history " if scan.is_backfill else "") + describe(int(quality)),
            )
            for scan in self.scans
            for row, value, quality in zip(scan.rows, scan.values, scan.quality, strict=True)
        ]
        self.delivered = [item for item in self.delivered if isinstance(item, Link)]
        return told


@dataclass
class Story:
    """A host application at a broker in memory."""

    broker: LoopbackBroker
    road: Road
    collector: SparkplugCollector
    clock: ManualClock

    def edge(self, node: str = "N1") -> Edge:
        """Give an edge node whose clock is right now."""
        made = Edge(self.broker, node)
        made.now_ms = self.clock.wall_ns() // 1_000_000
        return made

    def asked(self) -> list[str]:
        """Give the topics of what was sent since it was last asked, but for our presence."""
        topics = [out.topic for out in self.broker.published if "/STATE/" not in out.topic]
        self.broker.published = [out for out in self.broker.published if "/STATE/" in out.topic]
        return topics


def source(**options: Any) -> Source:  # noqa: ANN401
    sparkplug = {"group": "G", "nodes": ("N1", "N2"), "host_id": "scada"} | options
    return Source(
        id="s",
        protocol="sparkplug",
        mqtt=MqttOptions(host="h", client_id="c"),
        sparkplug=SparkplugOptions(**sparkplug),
    )


def in_memory(
    tell: Callable[[Story], Coroutine[Any, Any, None]],
    tags: TagTable = TAGS,
    **options: Any,  # noqa: ANN401
) -> None:
    async def main(clock: ManualClock) -> None:
        broker, road = LoopbackBroker(), Road(tags)

        def open_link(_: MqttOptions, client_id: str, filters: Sequence[str], __: Counters, manner: Manner) -> MqttLink:
            return LoopbackLink(broker, client_id, filters, manner)

        collector = SparkplugCollector(source(**options), tags, clock, 3, road, open_link)
        async with running(collector):
            await asyncio.sleep(0.5)
            await tell(Story(broker, road, collector, clock))

    clock = ManualClock(NOON_MS * 1_000_000)
    run_manual(main(clock), clock)


@asynccontextmanager
async def running(collector: SparkplugCollector) -> AsyncIterator[None]:
    task = asyncio.create_task(collector.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def born(edge: Edge) -> None:
    """Let a node with one device tell what it has."""
    edge.birth(metric("battery", 12.5, alias=1))
    edge.device_birth("TK-1", metric("level", 4.0, alias=2), metric("pump", 1, alias=3, datatype=INT64))


BORN = [("N1.battery", 12.5, "GOOD"), ("TK-1.level", 4.0, "GOOD"), ("TK-1.pump", 1.0, "GOOD")]


def test_births_name_aliases_and_types_and_data_use_them() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(0.1)
        assert story.road.told() == BORN
        edge.now_ms += 100
        edge.data("TK-1", metric("", 4.5, alias=2), metric("", -3 + 2**64, alias=3, datatype=INT64))
        edge.data("", metric("battery", 12.0))
        edge.data("TK-1", metric("", None, alias=2))
        edge.now_ms += 1
        edge.data("TK-1", metric("", 99.0, alias=2, timestamp=edge.now_ms))
        await asyncio.sleep(0.1)
        assert story.road.told() == [
            ("TK-1.level", 4.5, "GOOD"),
            ("TK-1.pump", -3.0, "GOOD"),
            ("N1.battery", 12.0, "GOOD"),
            ("TK-1.level", None, "BAD(device)"),
            ("TK-1.level", None, "BAD(range)"),
        ]

    in_memory(tell)


def test_every_node_is_asked_at_the_start_and_who_tells_nothing_is_bad() -> None:
    async def tell(story: Story) -> None:
        assert story.asked() == ["spBv1.0/G/NCMD/N1", "spBv1.0/G/NCMD/N2"]
        born(story.edge())
        await asyncio.sleep(11.0)
        assert story.road.told() == [
            *BORN,
            ("TK-2.level", None, "BAD(comms)"),
            ("N2.battery", None, "BAD(comms)"),
        ]
        story.asked()
        await asyncio.sleep(3600)
        assert set(story.asked()) == {"spBv1.0/G/NCMD/N2"}, "who is born is not asked"
        assert 12 < story.collector.counters.failures["rebirth_asked"] < 20, "with growing pauses, up to five minutes"

    in_memory(tell)


def test_a_node_dies_and_all_that_it_told_is_bad_until_it_is_born_again() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(1.0)
        story.road.told()
        edge.death()
        await asyncio.sleep(0.1)
        (scan,) = story.road.scans
        assert all(abs(time_ns - story.clock.wall_ns()) < SECOND_NS for time_ns in scan.times_ns), "at its death"
        assert story.road.told() == [(name, None, "BAD(comms)") for name, *_ in BORN]
        edge.data("TK-1", metric("", 5.0, alias=2))
        await asyncio.sleep(3.0)
        assert story.road.told() == [], "aliases of a session that has ended mean nothing"
        assert story.collector.counters.refused["unborn"] == 1
        edge.bdseq += 1
        edge.now_ms += 4_000
        born(edge)
        await asyncio.sleep(0.1)
        assert story.road.told() == BORN
        assert story.collector.counters.failures["node_death"] == 1

    in_memory(tell)


def test_a_device_dies_alone() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        edge.device_birth("TK-2", metric("level", 7.0, alias=9))
        edge.device_death("TK-1")
        edge.data("TK-2", metric("", 7.5, alias=9, timestamp=edge.now_ms + 5))
        await asyncio.sleep(0.1)
        assert story.road.told() == [
            *BORN,
            ("TK-2.level", 7.0, "GOOD"),
            ("TK-1.level", None, "BAD(comms)"),
            ("TK-1.pump", None, "BAD(comms)"),
            ("TK-2.level", 7.5, "GOOD"),
        ]
        edge.data("TK-1", metric("", 1.0, alias=2))
        await asyncio.sleep(0.1)
        assert story.collector.counters.refused["unborn"] == 1

    in_memory(tell)


def test_an_older_will_kills_nobody_who_still_answers() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        edge.bdseq = 5
        born(edge)
        await asyncio.sleep(30)
        story.road.told(), story.asked()
        edge.death(bdseq=4)
        await asyncio.sleep(1.0)
        assert story.asked() == ["spBv1.0/G/NCMD/N1"], "in doubt it is asked"
        edge.now_ms += 31_000
        born(edge)
        await asyncio.sleep(60)
        assert [quality for *_, quality in story.road.told()] == ["GOOD"] * 3
        assert story.collector.counters.refused["stale_death"] == 1

    in_memory(tell)


def test_an_older_will_of_a_node_that_does_not_answer_is_its_death() -> None:
    """A death whose number is wrong, as some nodes send it, must not leave a dead node alive."""

    async def tell(story: Story) -> None:
        edge = story.edge()
        edge.bdseq = 5
        born(edge)
        await asyncio.sleep(1)
        story.road.told()
        edge.death(bdseq=4)
        await asyncio.sleep(9.5)
        assert [told for told in story.road.told() if told[0].startswith(("N1", "TK-1"))] == []
        await asyncio.sleep(1)
        assert [told for told in story.road.told() if told[0].startswith(("N1", "TK-1"))] == [
            (name, None, "BAD(comms)") for name, *_ in BORN
        ]

    in_memory(tell)


def test_what_overtook_is_put_right_and_what_is_lost_is_asked_for() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(11.0)
        story.road.told(), story.asked()
        edge.now_ms += 11_000
        for seq, value in ((3, 6.0), (2, 5.0)):
            edge.send("DDATA", "TK-1", [metric("", value, alias=2, timestamp=edge.now_ms + seq)], seq=seq)
        await asyncio.sleep(0.1)
        assert [value for _, value, _ in story.road.told()] == [5.0, 6.0]
        edge.send("DDATA", "TK-1", [metric("", 8.0, alias=2, timestamp=edge.now_ms + 9)], seq=5)
        await asyncio.sleep(1.5)
        assert story.road.told() == [], "what is missing is waited for"
        assert story.asked() == []
        await asyncio.sleep(1.0)
        assert story.road.told() == [("TK-1.level", 8.0, "GOOD")], "and what came is not lost"
        assert story.asked() == ["spBv1.0/G/NCMD/N1"]
        assert story.collector.counters.failures["sequence_gap"] == 1
        edge.send("NDATA", "", [metric("", 11.0, alias=1)], seq=6)
        await asyncio.sleep(0.1)
        assert story.road.told() == [("N1.battery", 11.0, "GOOD")]

    in_memory(tell, nodes=("N1",))


def test_a_device_that_is_born_before_its_node_waits_for_it() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        edge.send("DBIRTH", "TK-1", [metric("level", 4.0, alias=2)], seq=1)
        await asyncio.sleep(0.2)
        assert story.road.told() == []
        edge.birth(metric("battery", 12.5, alias=1))
        await asyncio.sleep(0.1)
        assert story.road.told() == [("N1.battery", 12.5, "GOOD"), ("TK-1.level", 4.0, "GOOD")]

    in_memory(tell)


def test_an_alias_that_no_birth_told_costs_only_itself_and_a_rebirth() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(11.0)
        story.road.told(), story.asked()
        for _ in range(50):
            edge.now_ms += 10
            edge.data("TK-1", metric("", 1.0, alias=77), metric("", 4.5, alias=2))
        await asyncio.sleep(1.0)
        assert len(story.road.told()) == 50
        assert story.collector.counters.refused["unknown_metric"] == 50
        assert story.asked() == ["spBv1.0/G/NCMD/N1"], "fifty times in doubt, asked once"

    in_memory(tell, nodes=("N1",))


def test_another_type_than_that_of_the_birth_is_bad_and_asked_for() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(11.0)
        story.road.told(), story.asked()
        edge.now_ms += 11_000
        edge.data("TK-1", metric("", 7, alias=2, datatype=INT64) | {"datatype": INT64})
        edge.data("TK-1", metric("", 7.0, alias=2, datatype=DOUBLE) | {"datatype": DOUBLE})
        await asyncio.sleep(0.1)
        assert story.road.told() == [("TK-1.level", None, "BAD(malformed)"), ("TK-1.level", 7.0, "GOOD")]
        assert story.asked() == ["spBv1.0/G/NCMD/N1"]

    in_memory(tell, nodes=("N1",))


def test_history_goes_apart_from_live_values_and_after_them() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(0.1)
        story.road.told()
        old_ms = edge.now_ms - 3_600_000
        edge.now_ms += 100
        edge.data(
            "TK-1", metric("", 2.0, alias=2, timestamp=old_ms, is_historical=True), metric("", 4.5, alias=2), qos=1
        )
        await asyncio.sleep(0.1)
        live, late = story.road.scans
        assert (live.is_backfill, late.is_backfill) == (False, True)
        assert late.times_ns.tolist() == [old_ms * 1_000_000]
        assert story.road.told() == [("TK-1.level", 4.5, "GOOD"), ("TK-1.level", 2.0, "history GOOD")]
        assert story.broker.unacknowledged("c") == 1, "not before it is durable"
        story.road.held[-1]()
        assert story.broker.unacknowledged("c") == 0

    in_memory(tell)


def test_the_broker_is_lost_and_nothing_counts_as_known() -> None:
    async def tell(story: Story) -> None:
        born(story.edge())
        await asyncio.sleep(11.0)
        story.road.told(), story.asked()
        story.broker.stop()
        await asyncio.sleep(60.0)
        assert story.road.told() == [(name, None, "BAD(comms)") for name, *_ in BORN]
        assert [item.is_up for item in story.road.delivered if isinstance(item, Link)] == [True, False]
        story.broker.start()
        await asyncio.sleep(0.5)
        assert story.asked() == ["spBv1.0/G/NCMD/N1", "spBv1.0/G/NCMD/N2"]
        edge = story.edge()
        edge.now_ms -= 90_000  # Its clock is behind; what it says is new all the same.
        born(edge)
        await asyncio.sleep(0.1)
        assert [(name, value) for name, value, _ in story.road.told()] == [(name, value) for name, value, _ in BORN]

    in_memory(tell)


def test_a_birth_again_without_a_device_leaves_it_bad_in_time() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(20.0)
        story.road.told()
        edge.now_ms += 20_000
        edge.birth(metric("battery", 12.0, alias=1))
        await asyncio.sleep(1.0)
        assert story.road.told() == [("N1.battery", 12.0, "GOOD")], "a device may be born a moment later"
        await asyncio.sleep(10.0)
        assert story.road.told() == [("TK-1.level", None, "BAD(comms)"), ("TK-1.pump", None, "BAD(comms)")]
        edge.now_ms += 20_000
        edge.birth()
        await asyncio.sleep(1.0)
        assert story.road.told() == [("N1.battery", None, "BAD(comms)")], "what a birth no longer has"

    in_memory(tell)


def test_two_metrics_that_would_be_one_tag_are_not_mixed() -> None:
    async def tell(story: Story) -> None:
        one, other = story.edge("N1"), story.edge("N2")
        born(one)
        other.birth(metric("battery", 9.0))
        other.device_birth("TK-1", metric("level", 1.0))
        await asyncio.sleep(0.1)
        assert story.road.told() == [*BORN, ("N2.battery", 9.0, "GOOD")]
        assert story.collector.counters.refused["ambiguous"] == 1
        one.death()
        other.now_ms += 1_000
        other.device_birth("TK-1", metric("level", 1.5))
        await asyncio.sleep(0.1)
        assert story.road.told()[-1] == ("TK-1.level", 1.5, "GOOD"), "it moved to the other node"

    in_memory(tell)


def test_a_quiet_source_whose_nodes_live_is_heard_of_and_one_without_is_not() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(60.0)
        assert sum(len(scan) == 0 for scan in story.road.scans) >= 15
        numbers = [scan.number for scan in story.road.scans]
        assert numbers == list(range(1, len(numbers) + 1))
        edge.death()
        await asyncio.sleep(1.0)
        story.road.told()
        await asyncio.sleep(60.0)
        assert story.road.scans == []

    in_memory(tell)


def test_a_full_road_makes_every_node_tell_all_again() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        born(edge)
        await asyncio.sleep(11.0)
        story.road.told(), story.asked()
        story.road.is_full = True
        edge.data("TK-1", metric("", 19.0, alias=2, timestamp=edge.now_ms + 1))
        await asyncio.sleep(0.2)
        story.road.is_full = False
        assert story.collector.counters.refused["overflow"] == 1
        await asyncio.sleep(3.0)
        assert "spBv1.0/G/NCMD/N1" in story.asked()
        edge.now_ms += 14_000
        born(edge)
        await asyncio.sleep(0.1)
        assert story.road.told() == BORN

    in_memory(tell)


def test_what_is_no_message_of_a_node_is_refused_by_its_reason() -> None:
    async def tell(story: Story) -> None:
        edge = story.edge()
        story.broker.publish("spBv1.0/G/NDATA/N1", b"\xff", qos=1)
        story.broker.publish("spBv1.0/G/NDATA/N1/x", b"", qos=1)
        story.broker.publish("spBv1.0/G/NBIRTH/N1", b"x" * 300_000, qos=1)
        edge.send("NDATA", "", [], seq=None)
        story.broker.publish("spBv1.0/G/NCMD/N1", b"somebody else's", qos=1)
        await asyncio.sleep(0.1)
        assert story.collector.counters.refused == {"malformed": 2, "unknown_topic": 1, "oversized": 1}
        assert story.broker.unacknowledged("c") == 0
        assert story.road.scans == []

    in_memory(tell)


# ------------------------------------------------------------------------------------------------- what we send


def test_our_state_is_told_and_told_again_where_somebody_says_that_we_are_gone() -> None:
    async def tell(story: Story) -> None:
        states = [json.loads(out.payload) for out in story.broker.published if "/STATE/" in out.topic]
        assert states == [{"online": True, "timestamp": NOON_MS}]
        story.broker.publish("spBv1.0/STATE/scada", b'{"online":false,"timestamp":1}', is_retained=True)
        await asyncio.sleep(0.1)
        story.broker.drop("c")
        await asyncio.sleep(1.0)
        said = [(out.topic, json.loads(out.payload), out.qos, out.is_retained) for out in story.broker.published]
        state = [
            (payload["online"], qos, kept)
            for topic, payload, qos, kept in ((t, p, q, k) for t, p, q, k in said if "/STATE/" in t)
        ]
        assert state == [(True, 1, True), (True, 1, True), (False, 1, True), (True, 1, True)]

    async def only_states(story: Story) -> None:
        story.broker.published = [out for out in story.broker.published if "/STATE/" in out.topic]
        await tell(story)

    in_memory(only_states, nodes=("N1",), rebirth_s=3600.0)


@pytest.mark.parametrize("manner", ["silent", "babbling", "hostile"])
def test_every_byte_that_leaves_is_a_rebirth_or_our_state(manner: str) -> None:
    """Whatever the other side does: each message that leaves is one of the two, byte for byte."""
    left: list[tuple[str, bytes]] = []

    async def tell(story: Story) -> None:
        edge = story.edge()
        for round_ in range(40):
            if manner == "babbling":
                born(edge)
                edge.data("TK-1", metric("", 1.0, alias=50))
                edge.death(bdseq=9)
            elif manner == "hostile":
                for kind in ("NCMD", "DCMD/N1", "NBIRTH", "NDATA", "NDEATH"):
                    story.broker.publish(f"spBv1.0/G/{kind}/N1", bytes(range(round_, 100 + round_)), qos=1)
                story.broker.publish("spBv1.0/STATE/scada", b"\x00" * round_)
            await asyncio.sleep(5.0)
            if round_ % 10 == 9:
                story.broker.drop("c")
        left.extend((out.topic, out.payload) for out in story.broker.published)

    in_memory(tell)
    assert len(left) > 10
    for topic, payload in left:
        if topic.startswith("spBv1.0/STATE/"):
            said = json.loads(payload)
            made = presence("spBv1.0/STATE/scada", said["timestamp"], is_online=said["online"])
        else:
            time_ms = next(ms for ms in range(NOON_MS, NOON_MS + 400_000) if rebirth("G", "", ms).payload == payload)
            made = rebirth("G", topic.rpartition("/")[2], time_ms)
        assert (made.topic, made.payload) == (topic, payload)


def test_one_place_publishes_and_one_place_makes_what_is_published() -> None:
    """What a link can send is an ``Outgoing``, and none is made but by the two functions of its module."""
    folder = Path(edge.collect.__path__[0])
    found: dict[str, list[str]] = {"publish": [], "Outgoing": [], "will_set": []}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in found:
                    found[name].append(path.relative_to(folder).as_posix())
    assert found == {
        "publish": ["mqtt/loopback.py", "mqtt/paho.py"],
        "Outgoing": ["mqtt/outgoing.py", "mqtt/outgoing.py"],
        "will_set": ["mqtt/paho.py"],
    }


# ------------------------------------------------------------------------------------------- an edge node of others


RECORDED = TagTable(
    [
        Tag(name="RTU-1.battery", source="s"),
        Tag(name="TK-101.level", source="s"),
        Tag(name="TK-101.Tank_temp", source="s"),
        Tag(name="TK-101.pump", source="s"),
        Tag(name="TK-101.spare", source="s"),
    ]
)
BIRTH = [
    ("RTU-1.battery", 12.5, "GOOD"),
    ("TK-101.level", 4.25, "GOOD"),
    ("TK-101.Tank_temp", -7.0, "GOOD"),
    ("TK-101.pump", 1.0, "GOOD"),
    ("TK-101.spare", None, "BAD(malformed)"),
]
#: What the recorded session says, read by hand from the script of the edge node that was recorded.
SAID = [
    *BIRTH,
    ("TK-101.level", 4.5, "GOOD"),
    ("TK-101.pump", 0.0, "GOOD"),
    ("RTU-1.battery", 12.25, "GOOD"),
    ("TK-101.level", None, "BAD(device)"),
    *((name, None, "BAD(comms)") for name in ("TK-101.level", "TK-101.Tank_temp", "TK-101.pump", "TK-101.spare")),
    *BIRTH,
    *((name, None, "BAD(comms)") for name, *_ in BIRTH),
]


def test_a_recorded_edge_node_is_understood() -> None:
    async def tell(story: Story) -> None:
        for message in SESSION:
            if message.get("by") == "host":
                assert message["topic"] == "spBv1.0/Tank farm/NCMD/RTU-1"
                assert message["hex"] == rebirth("Tank farm", "RTU-1", NOON_MS).payload.hex()
                continue
            story.broker.publish(message["topic"], bytes.fromhex(message["hex"]), qos=0)
            await asyncio.sleep(1.0)
        told = story.road.told()
        assert [one for one in told if not one[2].startswith("history")] == SAID
        assert [one for one in told if one[2].startswith("history")] == [("TK-101.level", 4.0, "history GOOD")]
        assert story.collector.counters.refused == {}

    in_memory(tell, RECORDED, group="Tank farm", nodes=("RTU-1",))


@pytest.mark.network
@pytest.mark.service
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_the_recorded_edge_node_over_a_real_broker(mosquitto: Any, version: str) -> None:  # noqa: ANN401
    """The recorded bytes by mosquitto_pub; what the broker keeps of us is read by mosquitto_sub."""
    host_id = f"host-{version}"
    road = Road(RECORDED)
    made = Source(
        id="s",
        protocol="sparkplug",
        mqtt=MqttOptions(host="127.0.0.1", port=mosquitto.port, client_id=host_id, version=version),  # type: ignore[arg-type]
        sparkplug=SparkplugOptions(group=f"Tank farm {version}", nodes=("RTU-1",), host_id=host_id),
    )

    async def run(program: str, *arguments: str, given: bytes = b"") -> bytes:
        process = await asyncio.create_subprocess_exec(
            program,
            *("-p", str(mosquitto.port)),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await asyncio.wait_for(process.communicate(given), 10)
        assert process.returncode == 0
        return answer

    async def state() -> bool:
        said = await run("mosquitto_sub", "-t", f"spBv1.0/STATE/{host_id}", "-C", "1", "-W", "5")
        return bool(json.loads(said)["online"])

    collector = SparkplugCollector(made, RECORDED, SystemClock(), 1, road)
    asking = asyncio.create_task(
        run("mosquitto_sub", "-t", f"spBv1.0/Tank farm {version}/NCMD/#", "-C", "1", "-W", "8", "-F", "%r %q %x")
    )
    await asyncio.sleep(0.3)
    async with running(collector):
        kept, quality, payload = (await asking).decode().split()
        assert (kept, quality) == ("0", "0")
        assert len(bytes.fromhex(payload)) == len(rebirth("", "", NOON_MS).payload)
        assert await state()
        for message in SESSION[:6]:
            topic = message["topic"].replace("Tank farm", f"Tank farm {version}")
            await run("mosquitto_pub", "-t", topic, "-s", given=bytes.fromhex(message["hex"]))
        async with asyncio.timeout(8):
            while len([row for scan in road.scans for row in scan.rows]) < 14:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        live = [told for told in road.told() if not told[2].startswith("history")]
        assert live == SAID[: len(live)]
    assert not await state(), "we said that we are gone"
