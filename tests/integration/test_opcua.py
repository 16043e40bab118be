"""OPC UA on real sockets: the library's server, a recorded conversation with another maker's, and hostile ones."""

import asyncio
import datetime as dt
import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from cryptography import x509

from edge.clock_system import SystemClock
from edge.collect.opcua.browse import browse
from edge.collect.opcua.client import connector
from edge.collect.opcua.link import LostError
from edge.collect.opcua.trust import judge_certificate
from edge.collect.opcua.wire import ALLOWED, ReadOnlyProtocol
from edge.collect.registry import Collectors
from edge.config import OpcuaOptions, Source
from edge.model import Nature, Tag, TagTable
from tests.conftest import take_free_port
from tests.opcua_certificates import Authority
from tests.opcua_peers import (
    URI,
    AsyncuaServer,
    StandingClock,
    Told,
    collector,
    recorded,
    replaying,
    running,
    table,
    until,
)

pytestmark = pytest.mark.network
CLOCK = SystemClock()
CONNECT = connector(CLOCK)
RECORDING = Path("tests/golden/opcua/node-opcua.jsonl")


def options_for(port: int, **more: object) -> OpcuaOptions:
    known: dict[str, Any] = {"security": "none", "timeout_s": 2.0, "retry_s_max": 1.0} | more
    return OpcuaOptions(url=f"opc.tcp://127.0.0.1:{port}/peer", **known)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "plant")


@pytest.fixture(scope="module")
def dcs(authority: Authority) -> Iterator[AsyncuaServer]:
    files = authority.issue("server", "urn:freeopcua:python:server")
    server = AsyncuaServer(take_free_port(), {"level": 4.5, "pump": True}, files)
    yield server
    server.close()


async def test_values_qualities_and_times_of_the_librarys_server(dcs: AsyncuaServer) -> None:
    tags, told = table({"level": 0.2, "pump": 0.2, "none": 0.2}), Told()
    dcs.set("level", 4.5)
    async with running(collector(tags, CLOCK, told, CONNECT, options_for(dcs.port))):
        await until(lambda: len(told.samples(tags, "level")) >= 3)
        stamp = dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=1)
        dcs.set("level", 7.25, ua.StatusCodes.UncertainEngineeringUnitsExceeded, stamp)
        await until(lambda: any(value == 7.25 for value, _, _ in told.samples(tags, "level")))
        dcs.set("level", 8.0, ua.StatusCodes.BadSensorFailure)
        await until(lambda: told.samples(tags, "level")[-1][1] == "BAD(device)")
    found = next(sample for sample in told.samples(tags, "level") if sample[0] == 7.25)
    assert found[1] == "UNCERTAIN(range)"
    assert abs(found[2] - stamp.timestamp() * 1e9) < 2_000, "to the microsecond"
    assert {sample[:2] for sample in told.samples(tags, "pump")} == {(1.0, "GOOD")}
    assert {sample[1] for sample in told.samples(tags, "none")} == {"BAD(exception)"}
    assert told.links[0] == (True, "")


async def test_the_registry_makes_the_collector_of_a_source(dcs: AsyncuaServer) -> None:
    tags, told = table({"pump": 0.2}), Told()
    source = Source(id="dcs", protocol="opcua", opcua=options_for(dcs.port), nature=Nature.TEST)
    one = Collectors()(source, tags, CLOCK, 3, told)
    task = asyncio.create_task(one.run())
    await until(lambda: len(told.scans) > 1)
    assert one.counters.sent_bytes > 500, "a session and a subscription"
    before = one.counters.received_bytes
    await until(lambda: one.counters.received_bytes > before > 500)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {(scan.epoch, scan.nature, scan.source) for scan in told.scans} == {(3, Nature.TEST, "dcs")}
    assert [scan.number for scan in told.scans] == list(range(1, len(told.scans) + 1))


async def test_what_the_servers_queue_drops_is_counted(dcs: AsyncuaServer) -> None:
    """Thirty changes between two messages, and room for two: the newest is told, and that some are gone."""
    tags, told = table({"level": 0.5}), Told()
    dcs.set("level", 0.0)
    one = collector(tags, CLOCK, told, CONNECT, options_for(dcs.port, queue_size=2))
    async with running(one):
        await until(lambda: bool(told.scans))
        for k in range(1, 31):
            dcs.set("level", float(k))
        await until(lambda: told.samples(tags, "level")[-1][0] == 30.0)
    assert len({value for value, _, _ in told.samples(tags, "level")}) < 20


async def test_browsing_lists_what_can_be_a_tag(dcs: AsyncuaServer) -> None:
    found = await browse(options_for(dcs.port), CLOCK)
    assert {one.node_id for one in found} >= {f"nsu={URI};s=level", f"nsu={URI};s=pump"}
    assert {one.name for one in found} >= {"level", "pump"}
    assert not any("Server" in one.name for one in found), "the standard's own nodes are no plant"
    with pytest.raises(LostError):
        await browse(options_for(dcs.port), CLOCK, "ns=2;s=nowhere")


# ------------------------------------------------------------------------------------------------ what leaves


async def test_every_service_that_leaves_is_one_that_reads(dcs: AsyncuaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests of a whole life: start, a node that is not there, a break of the line, an end."""
    seen: list[type] = []
    plain = ReadOnlyProtocol._send_request  # noqa: SLF001 - the one door that all requests pass

    def noted(self: ReadOnlyProtocol, request: object, *args: object, **more: object) -> object:
        seen.append(type(request))
        return plain(self, request, *args, **more)

    monkeypatch.setattr(ReadOnlyProtocol, "_send_request", noted)
    tags, told = table({"level": 0.2, "none": 0.2}), Told()
    one = collector(tags, CLOCK, told, CONNECT, options_for(dcs.port))
    async with running(one):
        await until(lambda: len(told.scans) > 2)
        dcs.cut()
        await until(lambda: told.links[-1][0] is False)
        await until(lambda: told.links[-1][0] is True)
    assert one.counters.reconnects == 1
    assert one.counters.crashes == 0
    assert {
        ua.CreateSessionRequest, ua.ActivateSessionRequest, ua.ReadRequest, ua.CreateSubscriptionRequest,
        ua.CreateMonitoredItemsRequest, ua.PublishRequest, ua.TransferSubscriptionsRequest,
    } <= set(seen) <= ALLOWED  # fmt: skip


def test_nothing_that_changes_a_server_is_allowed() -> None:
    words = ("Write", "Call", "Add", "Delete", "Modify", "Set", "Register", "Update", "Cancel", "History")
    names = {request.__name__ for request in ALLOWED}
    assert {name for name in names if name.startswith(words)} == {"DeleteSubscriptionsRequest"}, "our own ones"


async def test_what_writes_is_refused_before_it_becomes_bytes(dcs: AsyncuaServer) -> None:
    """The server would let us: the node is writable and everybody may."""
    dcs.set("level", 4.5)
    session = await CONNECT(options_for(dcs.port))
    node = session.client.get_node(dcs.node_id("level"))  # type: ignore[attr-defined]
    with pytest.raises(Exception, match=r"WriteRequest is no service that reads|Failed to send") as caught:
        await node.write_value(9.0)
    assert isinstance(caught.value.__cause__ or caught.value, PermissionError)
    assert dcs.get("level") == 4.5
    await session.close(is_for_good=True)


# -------------------------------------------------------------------------------------------------- another maker


async def test_a_recorded_conversation_with_node_opcua() -> None:
    """What node-opcua 2.157.0 said on 2026-11-22 (tests/long/test_peers.py records it): its own codec, its own ways."""
    expected = json.loads(RECORDING.with_suffix(".expected.json").read_text("utf-8"))
    tags, told, clock = peer_tags(), Told(), StandingClock(expected["at_ns"])

    def changes() -> dict[str, list[list[str]]]:
        return {name: [list(sample) for sample in distinct(told.samples(tags, name))] for name in tags.names}

    async with (
        replaying(recorded(RECORDING)) as port,
        running(collector(tags, clock, told, connector(clock), options_for(port, timeout_s=5.0))),
    ):
        await until(lambda: changes() == expected["samples"])
    stamp_of = {value: time_ns for value, _, time_ns in told.samples(tags, "level")}
    assert 0.5e9 < stamp_of[9.5] - stamp_of[5.25] < 0.7e9, "by the server's stamps, not by when they came"


def peer_tags() -> TagTable:
    address = {
        "level": {"node_id": f"nsu={URI};s=Tank.Level"},
        "pump": {"node_id": f"nsu={URI};s=Tank.Pump"},
        "count": {"node_id": f"nsu={URI};i=7001"},
        "state": {"node_id": f"nsu={URI};s=Tank.State", "map": (("RUN", 1.0), ("STOP", 0.0))},
    }
    return TagTable([Tag(name=name, source="dcs", period_s=0.2, address=where) for name, where in address.items()])


def distinct(samples: list[tuple[float, str, int]]) -> list[tuple[str, str]]:
    """Give value and quality of each change."""
    said = [(f"{value:g}", quality) for value, quality, _ in samples]
    return [one for place, one in enumerate(said) if place == 0 or one != said[place - 1]]


# ------------------------------------------------------------------------------------------------------- security


def secure_options(port: int, authority: Authority, **more: object) -> OpcuaOptions:
    certificate, key = authority.issue("gateway", "urn:fengsui:test")
    return replace(
        options_for(port),
        security="sign-and-encrypt",
        cert_file=certificate,
        key_file=key,
        ca_file=authority.ca_file,
        **more,
    )


async def test_signed_and_encrypted_with_a_name_and_a_password(dcs: AsyncuaServer, authority: Authority) -> None:
    tags, told = table({"level": 0.2}), Told()
    dcs.set("level", 6.5)
    options = secure_options(dcs.port, authority, username="gateway", password="right")
    async with running(collector(tags, CLOCK, told, CONNECT, options)):
        await until(lambda: bool(told.scans))
    assert told.samples(tags, "level")[0][:2] == (6.5, "GOOD")
    with pytest.raises(LostError, match=r"BadUserAccessDenied|BadIdentityTokenRejected"):
        await CONNECT(replace(options, password="wrong"))


async def test_a_server_that_is_not_the_one_is_told_no_password(
    dcs: AsyncuaServer, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    options = secure_options(dcs.port, authority, username="gateway", password="right")
    dcs.users.told.clear()
    with pytest.raises(LostError, match="signed by none of them"):
        await CONNECT(replace(options, ca_file=other.ca_file))
    assert dcs.users.told == []


NOW_NS = 1_800_000_000 * 1_000_000_000  # 2027


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({}, ""),
        ({"other_uri": True}, "not that of application"),
        ({"other_host": True}, "not that of host"),
        ({"expired": True}, "is valid from 2020-01-01 to 2020-01-31"),
    ],
)
def test_whom_a_certificate_must_name(tmp_path: Path, made: dict[str, bool], why: str) -> None:
    authority = Authority(tmp_path, "plant", **made)
    file, _ = authority.issue("server", "urn:server")
    shown = x509.load_pem_x509_certificate(file.read_bytes())
    said = judge_certificate(shown, [authority.certificate], host="127.0.0.1", uri="urn:server", now_ns=NOW_NS)
    assert why in said
    assert bool(said) == bool(why)
    if "other_host" in made:  # Named itself in ca_file: then it may stand behind another name.
        assert not judge_certificate(shown, [shown], host="127.0.0.1", uri="urn:server", now_ns=NOW_NS)


def test_a_certificate_that_is_no_authoritys_signs_nobody(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "plant")
    files = [authority.issue(name, "urn:server")[0] for name in ("server", "gateway")]
    server, gateway = (x509.load_pem_x509_certificate(file.read_bytes()) for file in files)
    said = judge_certificate(server, [gateway], host="127.0.0.1", uri="urn:server", now_ns=NOW_NS)
    assert "signed by none of them" in said


# -------------------------------------------------------------------------------------------------------- hostile


Says = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server_that(says: Says) -> AsyncIterator[int]:
    talks: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(writer)
        try:
            await reader.read(1024)
            await says(writer)
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in talks:
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def oversize(writer: asyncio.StreamWriter) -> None:
    writer.write(b"ACKF" + (2**32 - 1).to_bytes(4, "little"))
    for _ in range(3_000):
        writer.write(bytes(65_536))
        await writer.drain()


async def endless(writer: asyncio.StreamWriter) -> None:
    acknowledge = b"".join(n.to_bytes(4, "little") for n in (0, 65_535, 65_535, 0, 0))
    writer.write(b"ACKF" + (28).to_bytes(4, "little") + acknowledge)
    while True:
        writer.write(b"MSGC" + (65_535).to_bytes(4, "little") + bytes(65_527))
        await writer.drain()


async def trickling(writer: asyncio.StreamWriter) -> None:
    for byte in b"ACKF" + (28).to_bytes(4, "little") + bytes(20):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def rubbish(writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(256)) * 100)


async def nothing(writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""


@pytest.mark.parametrize("says", [oversize, endless, trickling, rubbish, nothing])
async def test_a_hostile_server_costs_a_time_out_and_no_memory(says: Says) -> None:
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with server_that(says) as port:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(LostError):
            await CONNECT(options_for(port, timeout_s=0.5))
        assert loop.time() - began_s < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 80_000
