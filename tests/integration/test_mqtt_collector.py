"""MQTT collectors: topics to tags, refusals, merging and acknowledging, in memory and against a real mosquitto."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge, Collector, Counters
from edge.collect.mqtt.collector import MESSAGES_MAX, SAMPLES_ENOUGH, MqttCollector
from edge.collect.mqtt.link import MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.registry import Collectors, make_collector
from edge.config import MqttOptions, Source, TopicOptions
from edge.model import Link, Nature, Scan, Tag, TagTable
from edge.model.quality import describe

NOON_NS = 1_767_268_800_000_000_000
GAS = TopicOptions(pattern="plant/gas/{tag}", tag="{tag}.lel", value="v", time="ts")
POSITIONAL = TopicOptions(
    pattern="plant/gate/{tag}", format="json-batch", value="v", time="ts", tags=("{tag}.in", "{tag}.out")
)
BY_NAME = TopicOptions(pattern="plant/zones/#", format="json-batch", value="d", time="ts", tag="{name}.count")
TAGS = TagTable(
    [
        Tag(name="GD-1.lel", source="m", range_lo=0.0, range_hi=100.0),
        Tag(name="GD-2.lel", source="m", range_lo=0.0, range_hi=100.0),
        Tag(name="TK-1.level", source="elsewhere"),
        Tag(name="G1.in", source="m"),
        Tag(name="G1.out", source="m"),
        Tag(name="Z1.count", source="m"),
    ]
)


@dataclass
class Road:
    """Takes what a collector delivers; acknowledges when told."""

    is_prompt: bool = True
    delivered: list[Scan | Link] = field(default_factory=list)
    held: list[Acknowledge] = field(default_factory=list)

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> None:
        self.delivered.append(item)
        if acknowledge is not None:
            self.held.append(acknowledge)
            if self.is_prompt:
                self.acknowledge_all()

    def acknowledge_all(self) -> None:
        held, self.held = self.held, []
        for acknowledge in held:
            acknowledge()

    @property
    def scans(self) -> list[Scan]:
        return [item for item in self.delivered if isinstance(item, Scan)]

    @property
    def links(self) -> list[bool]:
        return [item.is_up for item in self.delivered if isinstance(item, Link)]

    def samples(self) -> list[tuple[str, float, str]]:
        return [
            (TAGS[int(row)].name, float(value), describe(int(quality)))
            for scan in self.scans
            for row, value, quality in zip(scan.rows, scan.values, scan.quality, strict=True)
        ]


def source(port: int = 1883, topics: Sequence[TopicOptions] = (GAS, POSITIONAL, BY_NAME), **options: Any) -> Source:  # noqa: ANN401
    mqtt = MqttOptions(host="127.0.0.1", port=port, topics=tuple(topics), **options)
    return Source(id="m", protocol="mqtt", nature=Nature.TEST, mqtt=mqtt)


@dataclass
class Story:
    """A collector on a broker in memory."""

    broker: LoopbackBroker
    road: Road
    collector: MqttCollector
    clock: Clock

    def publish(self, topic: str, document: object, *, qos: int = 1, is_retained: bool = False) -> None:
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.broker.publish(topic, payload, qos=qos, is_retained=is_retained)


@asynccontextmanager
async def running(collector: Collector) -> AsyncIterator[None]:
    task = asyncio.create_task(collector.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def in_memory(tell: Callable[[Story], Coroutine[Any, Any, None]], **options: Any) -> None:  # noqa: ANN401
    """Tell a story in virtual time, once the link is up."""

    async def main(clock: ManualClock) -> None:
        broker, road = LoopbackBroker(), Road()

        def open_link(options: MqttOptions, client_id: str, filters: Sequence[str], counters: Counters) -> MqttLink:
            return LoopbackLink(broker, client_id, filters)

        collector = MqttCollector(source(**options), TAGS, clock, 3, road, open_link)
        async with running(collector):
            await asyncio.sleep(1.0)
            assert road.links == [True]
            await tell(Story(broker, road, collector, clock))

    clock = ManualClock()
    run_manual(main(clock), clock)


def test_a_single_value() -> None:
    async def tell(story: Story) -> None:
        before_ns = story.clock.wall_ns()
        story.publish("plant/gas/GD-1", {"v": 12.5, "ts": "2026-01-01T12:00:00Z"})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        (scan,) = story.road.scans
        assert (scan.source, scan.epoch, scan.number, scan.nature) == ("m", 3, 1, Nature.TEST)
        assert scan.rows.tolist() == [0]
        assert scan.values.tolist() == [12.5]
        assert scan.times_ns.tolist() == [NOON_NS]
        assert scan.received_ns == before_ns, "a lone message waits for nobody"
        assert not scan.is_retained

    in_memory(tell)


def test_a_value_without_time_has_the_receive_time() -> None:
    async def tell(story: Story) -> None:
        story.publish("plant/gas/GD-1", {"v": 1})
        await asyncio.sleep(0.1)
        (scan,) = story.road.scans
        assert scan.times_ns.tolist() == [scan.received_ns]

    in_memory(tell)


def test_batches_by_position_and_by_name() -> None:
    async def tell(story: Story) -> None:
        story.publish("plant/gate/G1", {"ts": 1767268800, "v": [7, 5]})
        story.publish("plant/zones/north/a", {"ts": 1767268800000, "d": {"Z1": 120}})
        await asyncio.sleep(0.1)
        assert story.road.samples() == [
            ("G1.in", 7.0, "GOOD"),
            ("G1.out", 5.0, "GOOD"),
            ("Z1.count", 120.0, "GOOD"),
        ]
        assert len(story.road.scans) == 1, "what came together is one scan"
        assert set(story.road.scans[0].times_ns.tolist()) == {NOON_NS}

    in_memory(tell)


def test_every_other_format_gives_the_same_tags() -> None:
    topics = [
        TopicOptions(pattern="n/{tag}", format="number", tag="{tag}.lel"),
        TopicOptions(pattern="s/{tag}", format="senml", tag="{tag}.{name}"),
        TopicOptions(pattern="b/{tag}", format="binary", type="uint16", endian="big", tags=("{tag}.in", "{tag}.out")),
    ]

    async def tell(story: Story) -> None:
        for topic, payload in (
            ("n/GD-1", b"21.75"),
            ("s/GD-2", b'[{"bn":"","bt":1767268800,"n":"lel","v":4.5},{"n":"lel","t":1,"v":4.75},{"n":"o2","v":20.9}]'),
            ("b/G1", b"\x00\x78\x00\x76"),
            ("b/G1", b"\x00\x78\x00"),
        ):
            story.publish(topic, payload)
        await asyncio.sleep(1.0)
        assert story.road.samples() == [
            ("GD-1.lel", 21.75, "GOOD"),
            ("GD-2.lel", 4.5, "GOOD"),
            ("GD-2.lel", 4.75, "GOOD"),
            ("G1.in", 120.0, "GOOD"),
            ("G1.out", 118.0, "GOOD"),
        ]
        (scan,) = story.road.scans
        assert scan.times_ns.tolist()[1:3] == [NOON_NS, NOON_NS + 1_000_000_000]
        assert scan.times_ns.tolist()[0] == scan.received_ns
        assert story.collector.counters.refused == {"unknown_tag": 1, "malformed": 1}

    in_memory(tell, topics=topics)


def test_a_cameras_events_become_its_states() -> None:
    """Begin and end by the platform's codes; what no list names is no end, what no table names is counted."""
    topic = TopicOptions(
        pattern="video/{tag}/events",
        format="event",
        tag="{device}.{tag}",
        value="state",
        device="cam",
        names={"4001": "lel"},
        codes={"start": 1.0, "end": 0.0},
    )
    whole = TopicOptions(pattern="all", format="event", tag="{device}.{name}", value="state", device="cam",
                         names={"4001": "lel"}, codes={"start": 1.0, "end": 0.0})  # fmt: skip

    async def tell(story: Story) -> None:
        for state in ("start", "end", "paused", 7):
            story.publish("all", {"event": 4001, "cam": "GD-1", "state": state, "ts": 1767268800})
        story.publish(
            "all", [{"event": "4001", "cam": "GD-2", "state": "start"}, {"event": 9, "cam": "GD-2", "state": 1}]
        )
        story.publish("video/lel/events", {"event": "x", "cam": "GD-2", "state": "end"})
        story.publish("all", {"cam": "GD-2", "state": "end"})
        await asyncio.sleep(1.0)
        assert story.road.samples()[:3] == [
            ("GD-1.lel", 1.0, "GOOD"),
            ("GD-1.lel", 0.0, "GOOD"),
            ("GD-1.lel", pytest.approx(np.nan, nan_ok=True), "BAD(unmapped)"),
        ]
        assert story.road.samples()[3:] == [
            ("GD-1.lel", 7.0, "GOOD"),
            ("GD-2.lel", 1.0, "GOOD"),
            ("GD-2.lel", 0.0, "GOOD"),
        ]
        assert story.collector.counters.refused == {"unknown_tag": 1, "malformed": 1}

    in_memory(tell, topics=[topic, whole])


def test_what_is_no_good_value_is_bad_with_its_reason() -> None:
    async def tell(story: Story) -> None:
        for value in (101, None, "NaN", "x", 50):
            story.publish("plant/gas/GD-1", {"v": value})
        await asyncio.sleep(0.1)
        assert [quality for _, _, quality in story.road.samples()] == [
            "BAD(range)",
            "BAD(device)",
            "BAD(not_a_number)",
            "BAD(malformed)",
            "GOOD",
        ]
        (scan,) = story.road.scans
        assert np.isnan(scan.values[:4]).all()

    in_memory(tell)


def test_refusals_are_counted_by_reason_kept_once_and_acknowledged() -> None:
    async def tell(story: Story) -> None:
        story.road.is_prompt = False
        for _ in range(2):
            story.publish("plant/gas/GD-1", b"{broken")
            story.publish("plant/gas/GD-1", {"w": 1})
            story.publish("plant/gas/GD-1", b"x" * 3_000)
            story.publish("plant/gas/GD-9", {"v": 1})
            story.publish("plant/gas/TK-1.level", {"v": 1})
            story.publish("plant/zones/x", {"d": {"Z9": 1}})
            story.publish("plant/gate/G1", {"v": [1, 2, 3]})
            story.publish("plant/zones/x", {"d": {}})
        await asyncio.sleep(0.1)
        counters = story.collector.counters
        assert counters.refused == {"malformed": 8, "oversized": 2, "unknown_tag": 6}
        assert counters.requests == sum(counters.refused.values())
        assert story.road.scans == []
        assert counters.kept["malformed"].payload == b"{broken"
        assert counters.kept["oversized"].size == 3_000
        assert len(counters.kept["oversized"].payload) == 1_024
        assert counters.kept["unknown_tag"].origin == "plant/gas/GD-9"
        assert story.broker.unacknowledged("fengsui-m") == 0, "nothing that nobody wants comes again"

    in_memory(tell, payload_bytes_max=2_000)


def test_unknown_names_in_a_batch_cost_only_themselves() -> None:
    async def tell(story: Story) -> None:
        story.publish("plant/zones/x", {"d": {"Z8": 1, "Z1": 2, "Z9": 3}})
        await asyncio.sleep(0.1)
        assert story.road.samples() == [("Z1.count", 2.0, "GOOD")]
        assert story.collector.counters.refused == {"unknown_tag": 2}

    in_memory(tell)


def test_retained_messages_are_a_scan_of_their_own_and_not_judged() -> None:
    async def main(clock: ManualClock) -> None:
        broker, road = LoopbackBroker(), Road()
        for tag, value in (("GD-1", 60), ("GD-2", 999)):
            broker.publish(f"plant/gas/{tag}", json.dumps({"v": value}).encode(), is_retained=True)
        collector = MqttCollector(source(), TAGS, clock, 1, road, lambda o, c, f, n: LoopbackLink(broker, c, f))
        async with running(collector):
            await asyncio.sleep(0)
            broker.publish("plant/gas/GD-1", b'{"v": 61}')
            await asyncio.sleep(1.0)
            broker.publish("plant/gas/GD-1", b'{"v": 62}')
            await asyncio.sleep(1.0)
        first, second = [scan for scan in road.scans if scan.is_retained], [s for s in road.scans if not s.is_retained]
        assert [describe(int(q)) for scan in first for q in scan.quality] == ["UNCERTAIN(retained)", "BAD(range)"]
        assert [v for scan in second for v in scan.values.tolist()] == [62.0]
        assert [scan.number for scan in road.scans] == list(range(1, len(road.scans) + 1))

    clock = ManualClock()
    run_manual(main(clock), clock)


def test_nothing_is_acknowledged_before_the_road_says_so() -> None:
    async def tell(story: Story) -> None:
        story.road.is_prompt = False
        for n in range(5):
            story.publish("plant/gas/GD-1", {"v": n})
            await asyncio.sleep(0.1)
        assert len(story.road.scans) == 5
        assert story.broker.unacknowledged("fengsui-m") == 5
        story.road.held.pop(0)()
        assert story.broker.unacknowledged("fengsui-m") == 4
        story.road.held.pop(1)()
        assert story.broker.unacknowledged("fengsui-m") == 4, "in order of arrival only"
        story.road.acknowledge_all()
        assert story.broker.unacknowledged("fengsui-m") == 0

    in_memory(tell)


def test_what_was_not_acknowledged_comes_again_after_a_lost_connection() -> None:
    async def tell(story: Story) -> None:
        story.road.is_prompt = False
        story.publish("plant/gas/GD-1", {"v": 1, "ts": 1767268800})
        await asyncio.sleep(0.1)
        story.broker.drop("fengsui-m")
        await asyncio.sleep(1.0)
        assert story.road.links == [True, False, True]
        assert [scan.values.tolist() for scan in story.road.scans] == [[1.0], [1.0]]
        assert story.road.scans[0].times_ns.tolist() == story.road.scans[1].times_ns.tolist(), "so intake sees it"
        assert story.collector.counters.reconnects == 1
        story.road.held[0]()  # Too late for the first …
        assert story.broker.unacknowledged("fengsui-m") == 1
        story.road.held[1]()  # … and in time for the second.
        assert story.broker.unacknowledged("fengsui-m") == 0

    in_memory(tell)


def test_under_load_messages_share_scans_and_none_is_lost() -> None:
    async def tell(story: Story) -> None:
        for _ in range(100):
            for n in range(100):
                story.publish("plant/gas/GD-1", {"v": n})
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        assert [value for _, value, _ in story.road.samples()] == [float(n) for n in range(100)] * 100
        assert len(story.road.scans) <= 15
        assert max(len(scan) for scan in story.road.scans) <= MESSAGES_MAX
        assert story.collector.counters.samples == 10_000

    in_memory(tell)


def test_large_batches_that_wait_together_make_several_scans_each_acknowledged_by_itself() -> None:
    """A scan that is wider than an edge node's spool takes would be lost as a whole."""
    wide = TopicOptions(pattern="plant/wide", format="binary", tags=("G1.in", "G1.out") * 1_500)

    async def tell(story: Story) -> None:
        story.road.is_prompt = False
        for _ in range(20):
            story.publish("plant/wide", bytes(4 * 3_000))
        await asyncio.sleep(0.1)
        widths = [len(scan) for scan in story.road.scans]
        assert sum(widths) == 60_000
        assert max(widths) < SAMPLES_ENOUGH + 3_000
        story.road.held.pop(0)()
        assert 0 < story.broker.unacknowledged("fengsui-m") < 20
        story.road.acknowledge_all()
        assert story.broker.unacknowledged("fengsui-m") == 0

    in_memory(tell, topics=(wide,))


def test_a_crash_in_the_loop_is_counted_and_what_it_held_comes_again() -> None:
    async def main(clock: ManualClock) -> None:
        broker, road = LoopbackBroker(), Road()
        is_good = asyncio.Event()

        def stumble(item: Scan | Link, acknowledge: Acknowledge | None) -> None:
            if isinstance(item, Scan) and not is_good.is_set():
                is_good.set()
                raise RuntimeError("unforeseen")
            road(item, acknowledge)

        collector = MqttCollector(source(), TAGS, clock, 1, stumble, lambda o, c, f, n: LoopbackLink(broker, c, f))
        async with running(collector):
            await asyncio.sleep(1.0)
            broker.publish("plant/gas/GD-1", b'{"v": 61}')
            await asyncio.sleep(5.0)
        assert collector.counters.crashes == 1
        assert road.samples() == [("GD-1.lel", 61.0, "GOOD")]

    clock = ManualClock()
    run_manual(main(clock), clock)


@pytest.mark.network
@pytest.mark.service
@pytest.mark.parametrize(("version", "epoch"), [("3.1.1", 1), ("5", 2)])
async def test_a_reading_from_an_independent_publisher(mosquitto: Any, version: str, epoch: int) -> None:  # noqa: ANN401 - conftest's own
    """mosquitto_pub -> mosquitto -> paho -> collector: the outside check of the whole way.

    The broker knows no session: to a run after the first one that is a gap.
    """
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed on this machine")
    road = Road()
    prefix = f"collector-{version}"
    topic = TopicOptions(pattern=f"{prefix}/{{tag}}/gas", tag="{tag}.lel")
    made = source(mosquitto.port, [topic], version=version, client_id=f"collector-{version}")
    collector = make_collector(made, TAGS, SystemClock(), epoch, road)

    async def publish(payload: str) -> None:
        arguments = ["-p", str(mosquitto.port), "-t", f"{prefix}/GD-2/gas", "-q", "1", "-m", payload]
        process = await asyncio.create_subprocess_exec(program, *arguments)
        assert await process.wait() == 0

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(8.0):
            while not done():  # noqa: ASYNC110 - the collector tells nobody when it counts
                await asyncio.sleep(0.01)

    async with running(collector):
        await until(lambda: road.links == [True])
        await asyncio.sleep(0.1)
        await publish('{"ts": "2026-01-01T20:00:00+08:00", "v": 21.75}')
        await publish("not json")
        await until(lambda: len(road.scans) == 1 and collector.counters.refused["malformed"] == 1)
    assert road.samples() == [("GD-2.lel", 21.75, "GOOD")]
    assert road.scans[0].times_ns.tolist() == [NOON_NS]
    assert collector.counters.failures["session_lost"] == epoch - 1


@pytest.mark.network
@pytest.mark.service
async def test_a_reload_takes_topics_out_of_the_session_and_leaves_the_others(mosquitto: Any) -> None:  # noqa: ANN401
    """Collectors of one source, one after the other, as a reload makes them: what stayed is heard, what went is not."""
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed on this machine")
    prefix = "reload-of-topics"
    kept = TopicOptions(pattern=f"{prefix}/kept/{{tag}}", tag="{tag}.lel", value="v")
    gone = TopicOptions(pattern=f"{prefix}/gone/{{tag}}", tag="{tag}.lel", value="v")
    collectors, heard = Collectors(), []
    for topics in ([kept, gone], [kept], [kept]):
        road = Road()
        one = collectors(source(mosquitto.port, topics, client_id=prefix), TAGS, SystemClock(), 1, road)
        async with running(one):
            async with asyncio.timeout(10):
                while road.links != [True]:  # noqa: ASYNC110 - a broker tells nobody
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
            for place, name in (("gone", "GD-1"), ("kept", "GD-2")):
                arguments = ["-p", str(mosquitto.port), "-t", f"{prefix}/{place}/{name}", "-q", "1", "-m", '{"v": 5}']
                publisher = await asyncio.create_subprocess_exec(program, *arguments)
                assert await publisher.wait() == 0
            async with asyncio.timeout(10):
                while "GD-2.lel" not in [name for name, _, _ in road.samples()]:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        heard.append((sorted(name for name, _, _ in road.samples()), dict(one.counters.refused)))
    assert heard == [(["GD-1.lel", "GD-2.lel"], {}), (["GD-2.lel"], {}), (["GD-2.lel"], {})]
