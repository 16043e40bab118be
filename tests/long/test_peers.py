"""Programs of other makers that take too much room for every check: `npm ci` in tests/peers brings them.

node-opcua is an OPC UA stack of its own (TypeScript), modbus-serial a Modbus one (JavaScript).
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.clock_system import SystemClock
from edge.collect.modbus.frame import Failure
from edge.collect.opcua.client import connector
from edge.collect.opcua.link import LostError
from edge.config import ModbusOptions, OpcuaOptions
from tests.conftest import take_free_port
from tests.integration.test_opcua import distinct, peer_tags
from tests.modbus_peers import Device
from tests.opcua_certificates import Authority
from tests.opcua_peers import Told, collector, messages_of, running, until

pytestmark = pytest.mark.network
FOLDER = Path("tests/peers").resolve()
CLOCK = SystemClock()


def need_peers() -> str:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("tests/peers is not installed: npm ci in that folder")
    return node


@dataclass
class Peer:
    """A program that obeys lines of JSON."""

    process: asyncio.subprocess.Process
    port: int

    def tell(self, **order: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def hear(self, word: str) -> str:
        assert self.process.stdout is not None
        while True:
            line = (await asyncio.wait_for(self.process.stdout.readline(), 60)).decode()
            assert line, f"it never said {word}"
            if word in line:
                return line


@asynccontextmanager
async def peer(script: str, *arguments: str) -> AsyncIterator[Peer]:
    port = take_free_port()
    process = await asyncio.create_subprocess_exec(
        need_peers(), script, str(port), *arguments,
        cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    made = Peer(process, port)
    try:
        await made.hear("listening")
        yield made
    finally:
        process.kill()
        await process.communicate()


@dataclass
class Between:
    """Passes bytes on, and notes what the server said after how many messages of the client's."""

    port: int
    lines: list[dict[str, object]] = field(default_factory=list)
    heard: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers += [writer, here]

        async def up() -> None:
            rest = b""
            while data := await reader.read(65_536):
                found, rest = messages_of(rest + data)
                self.heard += len(found)
                here.write(data)
            here.close()

        async def down() -> None:
            rest = b""
            while data := await there.read(65_536):
                found, rest = messages_of(rest + data)
                self.lines += [{"after": self.heard, "message": message.hex()} for message in found]
                writer.write(data)
            writer.close()

        await asyncio.gather(up(), down(), return_exceptions=True)

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers = []


@asynccontextmanager
async def between(port: int) -> AsyncIterator[tuple[Between, int]]:
    made = Between(port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        made.cut()
        await asyncio.sleep(0.1)


def options_for(port: int) -> OpcuaOptions:
    return OpcuaOptions(url=f"opc.tcp://127.0.0.1:{port}/peer", security="none", timeout_s=5.0, retry_s_max=1.0)


async def test_node_opcua_line_cut_and_restart(tmp_path: Path) -> None:
    """Values, codes, a queue that overflows; a cut line is taken over with what was missed; a restart is found."""
    tags, told = peer_tags(), Told()
    async with peer("opcua_server.cjs", str(tmp_path)) as server, between(server.port) as (line, port):
        one = collector(tags, CLOCK, told, connector(CLOCK), options_for(port))
        async with running(one):
            await until(lambda: all(told.samples(tags, name) for name in tags.names))
            server.tell(node="level", value=7.5, status="UncertainEngineeringUnitsExceeded")
            await until(lambda: told.samples(tags, "level")[-1][:2] == (7.5, "UNCERTAIN(range)"))
            server.tell(node="level", value=7.5, status="BadSensorFailure")
            server.tell(node="state", value="STOP")
            await until(lambda: told.samples(tags, "level")[-1][1] == "BAD(device)")
            await until(lambda: told.samples(tags, "state")[-1][:2] == (0.0, "GOOD"))

            line.cut()
            await until(lambda: told.links[-1][0] is False)
            for value in (1.0, 2.0, 3.0):
                server.tell(node="level", value=value)
                await asyncio.sleep(0.25)
            await until(lambda: told.samples(tags, "level")[-1][:2] == (3.0, "GOOD"))
            told_of = [value for value, _, _ in told.samples(tags, "level", is_backfill=True)]
            assert set(told_of) | {told.samples(tags, "level")[-1][0]} >= {1.0, 2.0, 3.0}
            server.tell(say="after the cut")
            said = json.loads(await server.hear("after the cut"))["requests"]
            assert said["CreateSubscriptionRequest"] == 1, "taken over"

            server.tell(restart=True)
            await server.hear("restarted")
            count = len(told.scans)
            await until(lambda: len(told.scans) > count + 3 and told.links[-1][0], within_s=30)
            server.tell(say="at the end")
            asked = set(json.loads(await server.hear("at the end"))["requests"])
    assert not {name for name in asked if name.startswith(("Write", "Call", "Add", "Modify", "Set", "History"))}
    assert one.counters.crashes == 0
    print(f"node-opcua heard: {', '.join(sorted(asked))}")


async def test_node_opcua_is_recorded(tmp_path: Path) -> None:
    """A short conversation for tests/golden/opcua; it is copied there by hand when it is to be another."""
    tags, told = peer_tags(), Told()
    changes = ((5.25, "Good"), (9.5, "UncertainEngineeringUnitsExceeded"), (0.0, "BadSensorFailure"))
    async with (  # noqa: SIM117 - the recording ends before the server
        peer("opcua_server.cjs", str(tmp_path)) as server,
        between(server.port) as (line, port),
    ):
        async with running(collector(tags, CLOCK, told, connector(CLOCK), options_for(port))):
            await until(lambda: all(told.samples(tags, name) for name in tags.names))
            for value, status in changes:
                server.tell(node="level", value=value, status=status)
                await asyncio.sleep(0.6)
            server.tell(node="state", value="STOP")
            server.tell(node="pump", value=False)
            server.tell(node="count", value=13)
            await asyncio.sleep(0.8)
            lines, at_ns = list(line.lines), told.scans[0].received_ns
            samples = {name: distinct(told.samples(tags, name)) for name in tags.names}
    recording = tmp_path / "node-opcua.jsonl"
    recording.write_text("".join(f"{json.dumps(one)}\n" for one in lines), "utf-8")
    expected = {"at_ns": at_ns, "samples": samples}
    recording.with_suffix(".expected.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")
    assert samples["level"][-1] == ("nan", "BAD(device)")
    print(f"recorded in {recording}")


async def test_node_opcua_with_certificates_and_a_password(tmp_path: Path) -> None:
    tags, told, authority = peer_tags(), Told(), Authority(tmp_path, "plant")
    certificate, key = authority.issue("gateway", "urn:fengsui:test")
    async with peer("opcua_server.cjs", str(tmp_path), "users") as server:
        shown = await asyncio.to_thread(server_certificate, tmp_path)
        options = replace(
            options_for(server.port), security="sign-and-encrypt", cert_file=certificate, key_file=key, ca_file=shown,
            username="gateway", password="right",
        )  # fmt: skip
        async with running(collector(tags, CLOCK, told, connector(CLOCK), options)):
            await until(lambda: bool(told.samples(tags, "level")), within_s=20)
        with pytest.raises(LostError, match=r"BadUserAccessDenied|BadIdentityTokenRejected"):
            await connector(CLOCK)(replace(options, password="wrong"))
        with pytest.raises(LostError, match="signed by none of them"):
            await connector(CLOCK)(replace(options, ca_file=authority.ca_file))


def server_certificate(folder: Path) -> Path:
    return next(folder.rglob("own/certs/*.pem"))


async def test_modbus_serial_as_a_device() -> None:
    """The same numbers from a Modbus server of another maker: each table, and what it refuses."""
    async with peer("modbus_server.cjs") as server:
        device = Device(ModbusOptions(host="127.0.0.1", port=server.port, device_id=17, timeout_s=2.0))
        assert await device.connect()
        try:
            holding = await device.read("holding", 107, 3)
            entry = await device.read("input", 8, 1)
            coils = await device.read("coil", 19, 19)
            discretes = await device.read("discrete", 196, 22)
            refused = await device.read("holding", 60_000, 2)
        finally:
            device.close()
    # The examples of the Modbus application protocol V1.1b3, 6.1 to 6.4.
    assert not isinstance(holding, Failure)
    assert holding.tolist() == [555, 0, 100]
    assert not isinstance(entry, Failure)
    assert entry.tolist() == [10]
    assert not isinstance(coils, Failure)
    assert "".join(map(str, coils.tolist())) == f"{0x05_6B_CD:024b}"[::-1][:19]
    assert not isinstance(discretes, Failure)
    assert "".join(map(str, discretes.tolist())) == f"{0x35_DB_AC:024b}"[::-1][:22]
    assert isinstance(refused, Failure)
    assert refused.is_refusal
