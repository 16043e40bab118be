"""An edge node, its gateway and a broker as real processes: outages and kill -9 lose nothing and double nothing.

The device is a Modbus TCP server of the test's own; messages are published by mosquitto's own client.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from edge.clock_system import SystemClock
from gateway.historian.embedded import EmbeddedHistorian
from gateway.load import load
from gateway.nodes.credential import add_node
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.system import with_system
from simulators.child import Child
from tests.conftest import Server, take_free_port

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(150)]

NS = 1_000_000_000
BASE_ONLY = """
import sys
for name in ("alembic", "argon2", "cryptography", "fastapi", "influxdb_client", "prometheus_client", "psycopg", "scipy",
             "sqlalchemy", "uvicorn", "uvloop", "websockets", "iotcore"):
    sys.modules[name] = None  # Importing it fails, as where it is not installed.
from gateway.cli import app
app(sys.argv[1:])
"""

TAGS = """tag,source,unit,period_s,register,type,range_lo,range_hi,H,HH,deadband
TK-1.level,plc,TK-1,0.1,0,float32,0,1000,500,900,1
"""
GAS = """tag,source,unit,period_s,stale_s
GD-1.lel,gas,TK-1,0.1,3600
"""


# --------------------------------------------------------------------------------------------------------- the field


class Device(threading.Thread):
    """A Modbus TCP device of its own make: holding registers 0 and 1 are the value as float32."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.value = 10.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            while len(request := peer.recv(260)) >= 12:
                transaction, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", request[:12])
                assert (function, count) == (3, 2)
                answer = struct.pack(">BBBf", unit, function, 4, self.value)
                peer.sendall(struct.pack(">HHH", transaction, 0, len(answer)) + answer)


# ------------------------------------------------------------------------------------------------------------ the site


@dataclass
class Place:
    """One gateway and one node on one machine."""

    folder: Path
    device: Device
    broker_port: int = 0
    port: int = field(default_factory=take_free_port)
    token: str = ""
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("gateway", "node"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "plc.csv").write_text(TAGS, encoding="utf-8")
            (self.folder / name / "gas.csv").write_text(GAS, encoding="utf-8")
        has_gas = self.broker_port > 0
        tags = '["plc.csv", "gas.csv"]' if has_gas else '["plc.csv"]'
        site = f'[site]\nid = "plant"\ntimezone = "Asia/Shanghai"\ndata = "var"\ntags = {tags}\n'
        behind = "".join(
            f'[[source]]\nid = "{name}"\nprotocol = "node"\nnode = "north"\nnature = "test"\nsilent_after_s = 5\n'
            for name in ("plc", "gas")[: 1 + has_gas]
        )
        gas = (
            f'[[source]]\nid = "gas"\nprotocol = "mqtt"\nhost = "127.0.0.1"\nport = {self.broker_port}\n'
            'nature = "test"\n[[source.topic]]\npattern = "gas/{tag}"\ntag = "{tag}.lel"\n'
        )
        (self.folder / "gateway/site.toml").write_text(
            f'{site}[http]\nport = {self.port}\n{behind}[[unit]]\nid = "TK-1"\nkind = "tank"\n', encoding="utf-8"
        )
        (self.folder / "node/node.toml").write_text(
            f'{site}[[source]]\nid = "plc"\nprotocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {self.device.port}\n'
            f'nature = "test"\n{gas if has_gas else ""}'
            f'[uplink]\nnode = "north"\nurl = "http://127.0.0.1:{self.port}"\ntoken_env = "FENGSUI_NODE_TOKEN"\n'
            "retry_s_max = 1\n",
            encoding="utf-8",
        )
        engine = open_store(store_url(self.folder / "gateway/var"))
        self.token = add_node(engine, SystemClock(), "north")
        engine.dispose()

    def start_gateway(self, *options: str) -> Child:
        arguments = [sys.executable, "-m", "gateway.cli", "run", str(self.folder / "gateway/site.toml"), *options]
        return self.keep(Child("gateway", arguments, logs=self.folder))

    def start_node(self) -> Child:
        arguments = [sys.executable, "-c", BASE_ONLY, "edge", str(self.folder / "node/node.toml")]
        arguments += ["--status", str(self.folder / "node.json")]
        environ = {**os.environ, "FENGSUI_NODE_TOKEN": self.token}
        return self.keep(Child("node", arguments, logs=self.folder, environ=environ))

    def keep(self, child: Child) -> Child:
        self.children.append(child)
        return child

    @property
    def status(self) -> dict[str, Any]:
        try:
            told = json.loads((self.folder / "node.json").read_bytes())
        except (OSError, ValueError):
            return {"spool": {"waiting": -1}, "uplink": {"is_up": False}, "now_ns": 0}
        assert isinstance(told, dict)
        return told

    def await_settled(self, seconds: float = 25.0) -> dict[str, Any]:
        """Wait until the node has nothing left that is older than its last flush."""
        give_up = time.monotonic() + seconds
        asked_ns = time.time_ns()
        while time.monotonic() < give_up:
            status = self.status
            if status["now_ns"] > asked_ns and status["uplink"]["is_up"] and status["spool"]["waiting"] < 15:
                return status
            time.sleep(0.1)
        pytest.fail(f"not settled: {self.status}\n{self.words()}")

    def words(self) -> str:
        return "\n".join(child.last_words() for child in self.children[-2:])

    # ------------------------------------------------------------------------------------------------ what is left

    def received(self) -> dict[str, list[tuple[int, int, int]]]:
        """Ranges of numbers by source: epoch, first, last."""
        engine = open_store(store_url(self.folder / "gateway/var"))
        with engine.connect() as connection:
            rows = connection.execute(select(schema.received).order_by(schema.received.c.epoch)).all()
        engine.dispose()
        found: dict[str, list[tuple[int, int, int]]] = {}
        for row in rows:
            found.setdefault(row.source, []).append((row.epoch, row.first, row.last))
        return found

    def events(self) -> list[Any]:
        engine = open_store(store_url(self.folder / "gateway/var"))
        with engine.connect() as connection:
            rows = connection.execute(select(schema.event).order_by(schema.event.c.seq)).all()
        engine.dispose()
        return [row for row in rows if row.tag and not row.tag.startswith("fengsui.")]

    def history(self, tag: str) -> tuple[list[int], list[float]]:
        """Every sample that the historian has of a tag."""
        site = with_system(load(self.folder / "gateway/site.toml"))

        async def read() -> tuple[list[int], list[float]]:
            historian = EmbeddedHistorian(site.data / "history.db", site.tags, SystemClock())
            series = await historian.range(site.tags.row_of[tag], 1, 2**62, 10**6)
            await historian.close()
            real = series.count > 0
            return series.times_ns[real].tolist(), series.values[real].tolist()

        return asyncio.run(read())


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.listener.close()


@contextlib.contextmanager
def ending(place: Place) -> Iterator[Place]:
    try:
        yield place
    finally:
        for child in place.children:
            if child.is_running:
                child.kill()


def assert_whole(place: Place, source: str, starts: int) -> int:
    """Every start's scans are there from the first to the last: none is missing. Gives how many there are."""
    ranges = place.received()[source]
    assert len(ranges) == len({epoch for epoch, _, _ in ranges}) == starts, ranges
    assert all(first == 1 for _, first, _ in ranges), ranges
    return sum(last for _, _, last in ranges)


# ------------------------------------------------------------------------------------------------------------ the tests


def test_ten_seconds_without_a_gateway_lose_and_double_nothing(tmp_path: Path, device: Device) -> None:
    """kill -9 of the gateway; an excursion that began and ended meanwhile is found late and never rings live."""
    with ending(Place(tmp_path / "plant", device)) as place:
        gateway, node = place.start_gateway(), place.start_node()
        place.await_settled()
        device.value = 600.0  # H, live
        time.sleep(1.0)
        device.value = 20.0
        time.sleep(1.0)
        gateway.kill()
        killed_ns = time.time_ns()
        time.sleep(3.0)
        device.value = 950.0  # HH, while nobody listens
        time.sleep(2.0)
        device.value = 20.0
        time.sleep(5.0)
        gateway = place.start_gateway("--record", str(place.folder / "record.jsonl"))
        back_ns = time.time_ns()
        status = place.await_settled()
        time.sleep(1.0)
        assert node.stop() == 0, node.last_words()
        assert gateway.stop() == 0, gateway.last_words()

        scans = assert_whole(place, "plc", 1)
        times, values = place.history("TK-1.level")
        assert len(times) == len(set(times)) == scans, "each scan once in the history"
        # Ten seconds were spooled; a busy machine may miss a few turns of 0.1 s.
        assert max(b - a for a, b in pairwise(times)) < 1.0 * NS, "no hole"
        assert sum(value == 950.0 for value in values) >= 15
        assert status["spool"]["dropped"] == {}

        rang = [(row.what, row.condition, row.is_late) for row in place.events() if row.what == "raised"]
        assert sorted(rang) == [("raised", "H", False), ("raised", "HH", True)], rang
        late = next(row for row in place.events() if row.is_late)
        assert killed_ns + 2.5 * NS < late.time_ns < killed_ns + 4.5 * NS, "at the moment when it happened"
        assert late.received_ns > back_ns

        items = [item for line in _lines(place.folder / "record.jsonl") for item in line.get("items", ())]
        lanes = [(item["is_backfill"], item["epoch"], item["number"]) for item in items if item.get("scan") == "plc"]
        live = [item[1:] for item in lanes if not item[0]]
        back = [item[1:] for item in lanes if item[0]]
        assert not lanes[0][0], "live first"
        assert live == sorted(set(live)), "live in order, none twice"
        assert back == sorted(set(back)), "back-fill in order, none twice"
        assert len(back) > 60


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_kills_of_the_node_lose_and_double_nothing(tmp_path: Path, device: Device, mosquitto: Server) -> None:
    """Six kill -9 at random moments. A broker's message is acknowledged only when it is spooled: all arrive, once."""
    luck = Random(7)
    with ending(Place(tmp_path / "plant", device, broker_port=mosquitto.port)) as place:
        place.start_gateway()
        node = place.start_node()
        place.await_settled()
        publisher = Publisher(mosquitto.port, "gas/GD-1")
        publisher.start()
        starts = 1
        for _ in range(6):
            time.sleep(luck.uniform(0.4, 1.6))
            node.kill()
            time.sleep(luck.uniform(0.0, 0.5))
            node = place.start_node()
            starts += 1
        time.sleep(1.5)
        publisher.stop.set()
        publisher.join()
        status = place.await_settled()
        assert node.stop() == 0, node.last_words()
        gateway = place.children[0]
        assert gateway.stop() == 0, gateway.last_words()

        times, values = place.history("GD-1.lel")
        sent = list(range(1, publisher.sent + 1))
        assert publisher.sent > 200
        assert len(times) == len(set(times))
        assert sorted(int(value) for value in values) == sent, "each message is in the history exactly once"
        ranges = place.received()
        for source in ("plc", "gas"):
            assert all(first == 1 for _, first, _ in ranges[source]), ranges
            assert len(ranges[source]) == len({epoch for epoch, _, _ in ranges[source]}) <= starts
        level, _ = place.history("TK-1.level")
        assert len(level) == len(set(level)) == sum(last for _, _, last in ranges["plc"])
        assert (status["spool"]["corrupt"], status["spool"]["dropped"]) == (0, {})


class Publisher(threading.Thread):
    """Publishes numbers at QoS 1, about a hundred a second, by mosquitto's own client."""

    def __init__(self, port: int, topic: str) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.sent = 0
        self.arguments = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-q", "1", "-l"]

    def run(self) -> None:
        with subprocess.Popen(self.arguments, stdin=subprocess.PIPE, text=True) as program:
            assert program.stdin is not None
            while not self.stop.wait(0.01):
                self.sent += 1
                message = {"ts": time.time_ns(), "v": self.sent}
                program.stdin.write(json.dumps(message) + "\n")
                program.stdin.flush()
            program.stdin.close()
            program.wait(10)
