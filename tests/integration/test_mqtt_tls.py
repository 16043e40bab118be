"""MQTT over TLS against a real mosquitto that asks for certificates and keeps an access list; nobody else is heard."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge, Collector
from edge.collect.registry import make_collector
from edge.config import BrokerTls, MqttOptions, Source, TopicOptions
from edge.load import ConfigError, load
from edge.model import Link, Nature, Scan, Tag, TagTable
from tests.certificates import Authority
from tests.conftest import Server, need_program, take_free_port

pytestmark = [pytest.mark.network, pytest.mark.service]

COUNT = 8000
TAGS = TagTable([Tag(name="T.one", source="m"), *(Tag(name=f"T.v{n}", source="m") for n in range(COUNT))])
ONE = TopicOptions(pattern="plant/one", tag="T.one")
MANY = TopicOptions(pattern="plant/many", format="json-batch", tags=tuple(f"T.v{n}" for n in range(COUNT)))
WAIT_S = 10.0


@dataclass
class Broker:
    server: Server
    ca: Authority
    own: tuple[Path, Path]

    def source(self, **tls: object) -> Source:
        certificates = BrokerTls(ca_file=self.ca.ca_file, cert_file=self.own[0], key_file=self.own[1])
        options = MqttOptions(
            host="127.0.0.1",
            port=self.server.port,
            topics=(ONE, MANY),
            tls=replace(certificates, **tls),  # type: ignore[arg-type]
        )
        return Source(id="m", protocol="mqtt", nature=Nature.TEST, mqtt=options)

    async def publish(self, topic: str, payload: bytes) -> None:
        program = shutil.which("mosquitto_pub")
        if program is None:
            pytest.skip("mosquitto_pub is not installed on this machine")
        process = await asyncio.create_subprocess_exec(
            program,
            *("-h", "127.0.0.1", "-p", str(self.server.port), "-t", topic, "-q", "1", "-s"),
            *("--cafile", str(self.ca.ca_file), "--cert", str(self.own[0]), "--key", str(self.own[1])),
            stdin=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(process.communicate(payload), WAIT_S)
        assert process.returncode == 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Certificates both ways; the certificate's name is the user, and that user may read and write below plant/."""
    ca = Authority(tmp_path, "works")
    certificate, key = ca.issue("device")  # a name that 127.0.0.1 goes with
    port = take_free_port()
    (tmp_path / "acl").write_text("user gateway\ntopic readwrite plant/#\n", "utf-8")
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\ncafile {ca.ca_file}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.2\n"
        f"acl_file {tmp_path}/acl\npersistence true\npersistence_location {tmp_path}/\n"
        f"max_queued_messages 0\nuser {'root' if os.geteuid() == 0 else 'mosquitto'}\n",
        "utf-8",
    )
    arguments = [need_program("mosquitto"), "-c", str(tmp_path / "mosquitto.conf")]
    server = Server(arguments=arguments, folder=tmp_path, port=port)
    server.start()
    yield Broker(server, ca, ca.issue("gateway"))
    server.stop()


@dataclass
class Road:
    scans: list[Scan] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> None:
        (self.scans if isinstance(item, Scan) else self.links).append(item)  # type: ignore[arg-type]
        if acknowledge is not None:
            acknowledge()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not done():  # noqa: ASYNC110 - the collector tells nobody when it counts
            await asyncio.sleep(0.01)


@asynccontextmanager
async def collecting(source: Source) -> AsyncIterator[tuple[Road, Collector]]:
    road = Road()
    collector = make_collector(source, TAGS, SystemClock(), 1, road)
    task = asyncio.create_task(collector.run())
    try:
        yield road, collector
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_values_come_over_tls_also_large_ones_and_after_a_restart_of_the_broker(broker: Broker) -> None:
    async with collecting(broker.source()) as (road, _):
        await until(lambda: bool(road.links) and road.links[-1].is_up)
        await asyncio.sleep(0.2)
        await broker.publish("plant/one", b'{"v": 21.75}')
        await until(lambda: len(road.scans) == 1)
        assert road.scans[0].values.tolist() == [21.75]
        # Some 150 kB in one message: ten records of TLS, of which a selector sees the first only.
        values = (np.arange(COUNT) + 0.123456789).tolist()
        await broker.publish("plant/many", json.dumps({"v": values}).encode())
        await until(lambda: sum(map(len, road.scans)) == 1 + COUNT)
        assert road.scans[-1].values.tolist() == values
        broker.server.stop()
        await until(lambda: not road.links[-1].is_up)
        broker.server.start()
        await until(lambda: road.links[-1].is_up)
        await broker.publish("plant/one", b'{"v": 4.5}')
        await until(lambda: road.scans[-1].values.tolist() == [4.5])


@pytest.mark.parametrize("wrong", ["authority", "name", "no certificate", "system", "gone"])
async def test_who_cannot_prove_who_it_is_is_not_heard(broker: Broker, tmp_path: Path, wrong: str) -> None:
    tls: dict[str, object] = {
        "authority": {"ca_file": Authority(tmp_path, "other").ca_file},
        "name": {"server_name": "broker.example"},
        "no certificate": {"cert_file": None, "key_file": None},
        "system": {"ca_file": None},
        "gone": {"ca_file": tmp_path / "gone.pem"},
    }[wrong]  # type: ignore[assignment]
    async with collecting(broker.source(**tls)) as (road, collector):
        await until(lambda: bool(road.links))
        await asyncio.sleep(0.5)
        assert [link.is_up for link in road.links] == [False]
        assert road.links[0].reason
        assert collector.counters.crashes == 0
        assert road.scans == []


async def test_a_topic_that_the_access_list_denies_gives_nothing(broker: Broker, tmp_path: Path) -> None:
    """Mosquitto grants such a subscription and sends nothing: what tells is that the tag falls silent."""
    broker.own = broker.ca.issue("stranger")
    async with collecting(broker.source()) as (road, _):
        await until(lambda: bool(road.links) and road.links[-1].is_up)
        broker.own = broker.ca.issue("gateway")
        await broker.publish("plant/one", b'{"v": 1}')
        await asyncio.sleep(0.5)
        assert road.scans == []


SITE = """
[site]
id = "works"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "m"
protocol = "mqtt"
host = "192.0.2.1"
{tls}
[[source.topic]]
pattern = "plant/{tag}"
"""


def test_the_files_of_a_broker_are_checked_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("tag,source\none,m\n", "utf-8")
    (tmp_path / "ca.pem").write_text("", "utf-8")

    def told(tls: str) -> list[str]:
        (tmp_path / "site.toml").write_text(SITE.replace("{tls}", tls), "utf-8")
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / "site.toml", environ={})
        return [f"{mistake.path}: {mistake.sentence}" for mistake in caught.value.mistakes]

    assert told('ca_file = "ca.pem"') == ["source[0].ca_file: Source m: ca_file is given without tls."]
    assert told('tls = true\nca_file = "no.pem"') == ['source[0].ca_file: Source m: ca_file "no.pem" is no file.']
    assert told('tls = true\ncert_file = "ca.pem"') == [
        "source[0].cert_file: Source m: cert_file is given without key_file; one proves nothing."
    ]
    (tmp_path / "site.toml").write_text(SITE.replace("{tls}", 'tls = true\nca_file = "ca.pem"'), "utf-8")
    (source,) = load(tmp_path / "site.toml", environ={}).sources
    assert source.mqtt is not None
    assert source.mqtt.port == 8883
    assert source.mqtt.tls == BrokerTls(ca_file=tmp_path / "ca.pem")
