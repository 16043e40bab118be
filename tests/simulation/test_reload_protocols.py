"""A reload that changes sources of MQTT, Sparkplug and OPC UA: each begins anew once, and its alarms never notice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edge.clock import Clock
from edge.clock_manual import ManualClock
from edge.collect.door import Acknowledge, Collector, Counters
from edge.collect.mqtt.collector import MqttCollector
from edge.collect.mqtt.link import Manner, MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.opcua.collector import OpcuaCollector
from edge.collect.sparkplug.collector import SparkplugCollector
from edge.config import MqttOptions, Source
from edge.model import Link, Scan, TagTable
from gateway.app import Gateway
from tests.opcua_peers import URI, HandServer
from tests.scripted import Deliver
from tests.simulation.test_site_reload import SITE, Plant, reload
from tests.sparkplug_peer import Edge, metric

SOURCES = """
[[source]]
id = "m"
protocol = "mqtt"
host = "127.0.0.1"
client_id = "gateway-m"
[[source.topic]]
pattern = "gas/{tag}"

[[source]]
id = "s"
protocol = "sparkplug"
host = "127.0.0.1"
group = "G"
nodes = ["N1"]

[[source]]
id = "o"
protocol = "opcua"
url = "opc.tcp://127.0.0.1:4840"
security = "none"

[[unit]]
id = "U"
kind = "tank"
"""
HEAD = "tag,source,unit,eu,node_id,period_s,H,deadband,stale_s\n"


def row(name: str, source: str) -> str:
    node = f"nsu={URI};s={name}" if source == "o" else ""
    return f"{name},{source},U,m,{node},1,7,0.5,100\n"


OLD = row("M.x", "m") + row("S.x", "s") + row("O.x", "o")
NEW = row("M.0", "m") + row("S.0", "s") + row("O.0", "o") + OLD


class Field:
    """What stands behind the sources; and what each collector delivered, by tag."""

    def __init__(self, clock: ManualClock) -> None:
        self.broker = LoopbackBroker()
        self.node = Edge(self.broker)
        self.dcs = HandServer(clock)
        self.dcs.set("O.x", 8.0)
        self.dcs.set("O.0", 2.0)
        self.clock = clock
        self.came: dict[str, list[float]] = {}
        self.made: list[str] = []

    def make(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        self.made.append(source.id)

        def watched(item: Scan | Link, acknowledge: Acknowledge | None) -> bool | None:
            told = deliver(item, acknowledge)
            if isinstance(item, Scan) and told is not False:
                for at, value in zip(item.rows.tolist(), item.values.tolist(), strict=True):
                    self.came.setdefault(tags.names[at], []).append(value)
            return told

        def open_link(
            _: MqttOptions, client_id: str, filters: object, __: Counters, manner: Manner | None = None
        ) -> MqttLink:
            return LoopbackLink(self.broker, client_id, filters, manner or Manner())  # type: ignore[arg-type]

        if source.protocol == "mqtt":
            return MqttCollector(source, tags, clock, epoch, watched, open_link)
        if source.protocol == "sparkplug":
            return SparkplugCollector(source, tags, clock, epoch, watched, open_link)
        return OpcuaCollector(source, tags, clock, epoch, watched, self.dcs.connect)

    async def live(self) -> None:
        """Tell every quarter of a second; the edge node is born again where it is asked."""
        number = 0
        while True:
            self.node.now_ms = now_ms = self.clock.wall_ns() // 1_000_000
            if any("/NCMD/" in out.topic for out in self.broker.published):
                self.broker.published.clear()
                self.node.birth()
                self.node.device_birth("S", metric("x", 8.0, alias=1), metric("0", 2.0, alias=2))
            number += 1
            for name, value in (("M.x", 8.0 + number), ("M.0", 2.0)):
                self.broker.publish(f"gas/{name}", json.dumps({"v": value, "ts": now_ms}).encode(), qos=1)
            await asyncio.sleep(0.25)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    plant = Plant(tmp_path / "plant", lambda _tag, _at: 0.0)
    plant.config.write_text(SITE + SOURCES, "utf-8")
    (plant.folder / "tags.csv").write_text(HEAD + OLD, "utf-8")
    return plant


def test_each_source_begins_anew_once_and_no_value_or_alarm_is_lost(plant: Plant) -> None:
    field = Field(plant.clock)
    plant.devices = field  # type: ignore[assignment]
    telling: list[asyncio.Task[None]] = []

    async def begin(_: Gateway) -> None:
        telling.append(asyncio.create_task(field.live()))

    def change(rows: str) -> Callable[[Gateway], Awaitable[None]]:
        async def act(gateway: Gateway) -> None:
            (plant.folder / "tags.csv").write_text(HEAD + rows, "utf-8")
            await reload()(gateway)

        return act

    async def look(gateway: Gateway) -> None:
        assert {one.id: one.is_up for one in gateway.sources()} == {"m": True, "s": True, "o": True}
        telling[0].cancel()

    gateway = plant.run(60, {0.1: begin, 15.3: change(NEW), 15.4: change(OLD), 15.5: change(NEW), 59.0: look})

    assert gateway.collecting.started == {"m": 4, "s": 4, "o": 4}
    for name in ("M.x", "S.x", "O.x"):
        assert plant.told(gateway.site, name) == [("raised", "H", pytest.approx(2.0, abs=2.0))], name
    numbers = [round(value - 8.0) for value in field.came["M.x"]]
    assert set(range(min(numbers), max(numbers) + 1)) == set(numbers), "an acknowledged source loses nothing"
    assert {*field.came["S.0"], *field.came["O.0"], *field.came["M.0"]} == {2.0}
    latest = gateway.desk.memory(gateway.site.tags[0].nature)
    rows = gateway.site.tags.row_of
    assert [float(latest.value[rows[name]]) for name in ("S.0", "O.0", "S.x", "O.x")] == [2.0, 2.0, 8.0, 8.0]
    assert [bool(latest.quality[rows[name]] >= 128) for name in ("S.0", "O.0", "S.x", "O.x")] == [False] * 4
    assert field.broker.unacknowledged("gateway-m") == 0
    assert sum(session.closed is None for session in field.dcs.sessions) == 0, "no session stays behind"
