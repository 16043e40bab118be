"""Other sides for OPC UA tests: a session by hand in virtual time, servers, and a recorded conversation."""

import asyncio
import datetime as dt
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.collect.opcua.collector import OpcuaCollector
from edge.collect.opcua.link import Connect, Item, LostError, Made, Publication, Sample
from edge.config import OpcuaOptions, Source
from edge.model import Link, Scan, Tag, TagTable
from edge.model.quality import describe

T = TypeVar("T")
S = 1_000_000_000
URI = "urn:peer:plant"
UNKNOWN_NODE = 0x8034_0000
OPTIONS = OpcuaOptions(url="opc.tcp://127.0.0.1:4840", security="none", timeout_s=1.0, retry_s_max=4.0)


@dataclass(frozen=True)
class StandingClock:
    """A clock that stands: of a conversation that was recorded then."""

    at_ns: int

    def wall_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns


@dataclass
class Told:
    """Takes what a collector delivers."""

    items: list[Scan | Link] = field(default_factory=list)

    def __call__(self, item: Scan | Link, acknowledge: object) -> None:
        assert acknowledge is None
        self.items.append(item)

    def samples(self, tags: TagTable, name: str, *, is_backfill: bool = False) -> list[tuple[float, str, int]]:
        """Give (value, quality, time) of one tag, in order."""
        return [
            (float(scan.values[k]), describe(int(scan.quality[k])), int(scan.times_ns[k]))
            for scan in self.items
            if isinstance(scan, Scan) and scan.is_backfill is is_backfill
            for k in range(len(scan))
            if tags[int(scan.rows[k])].name == name
        ]

    @property
    def links(self) -> list[tuple[bool, str]]:
        return [(item.is_up, item.reason) for item in self.items if isinstance(item, Link)]

    @property
    def scans(self) -> list[Scan]:
        return [item for item in self.items if isinstance(item, Scan)]


def table(periods: dict[str, float], **more: object) -> TagTable:
    return TagTable(
        [
            Tag(name=name, source="dcs", period_s=period_s, address={"node_id": f"nsu={URI};s={name}", **more})
            for name, period_s in periods.items()
        ]
    )


def collector(tags: TagTable, clock: Clock, told: Told, connect: Connect, options: OpcuaOptions) -> OpcuaCollector:
    return OpcuaCollector(Source(id="dcs", protocol="opcua", opcua=options), tags, clock, 7, told, connect)


@asynccontextmanager
async def running(one: OpcuaCollector) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError), result


def in_virtual_time(story: Callable[[ManualClock], Coroutine[Any, Any, None]]) -> None:
    clock = ManualClock()
    run_manual(story(clock), clock)


async def until(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for something that happens on real sockets."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + within_s
    while not is_so():
        assert loop.time() < give_up_s, "it never came"
        await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------------------------- a server by hand


@dataclass
class Subscription:
    id: int
    period_s: float
    items: dict[int, str]
    number: int = 0
    queue: list[Sample] = field(default_factory=list)
    sent: dict[int, Publication] = field(default_factory=dict)


class HandServer:
    """A server in the test's own time: what changes is told each period, and silence by a sign of life.

    Attributes:
        offset_ns: How far its clock is ahead.
        latency_s: Between a publication's making and its arrival.
        missing: Nodes that it does not have.
        codes: What it says of them where it is not BadNodeIdUnknown.
        can_transfer: It has the service.
        is_mute: It accepts everything and tells nothing.
        lost: Numbers of publications that never arrive.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.offset_ns = 0
        self.latency_s = 0.0
        self.values: dict[str, tuple[object, int, int]] = {}
        self.missing: set[str] = set()
        self.codes: dict[str, int] = {}
        self.is_there = True
        self.can_transfer = True
        self.is_mute = False
        self.lost: set[int] = set()
        self.subscriptions: dict[int, Subscription] = {}
        self.sessions: list[HandSession] = []
        self.connects = 0
        self.keepalive_count = 1
        self.uris = ["http://opcfoundation.org/UA/", "urn:server", URI]

    def now_ns(self) -> int:
        return self.clock.wall_ns() + self.offset_ns

    def set(self, node: str, value: object, status: int = 0, time_ns: int | None = None) -> None:
        stamp = self.now_ns() if time_ns is None else time_ns
        self.values[node] = (value, status, stamp)
        for one in self.subscriptions.values():
            for handle, name in one.items.items():
                if name == node:
                    one.queue.append(Sample(handle=handle, value=value, status=status, time_ns=stamp))

    async def connect(self, options: OpcuaOptions) -> "HandSession":
        self.connects += 1
        if not self.is_there:
            raise LostError("connection refused")
        session = HandSession(self)
        self.sessions.append(session)
        return session

    def cut(self) -> None:
        for session in self.sessions:
            session.lose("the connection broke")
        self.sessions = []


class HandSession:
    def __init__(self, server: HandServer) -> None:
        self.server = server
        self.arrived: deque[Publication] = deque()
        self.stirred = asyncio.Event()
        self.lost = ""
        self.tasks: list[asyncio.Task[None]] = []
        self.republished: list[int] = []
        self.closed: bool | None = None

    def lose(self, why: str) -> None:
        self.lost = why
        self.stirred.set()
        for task in self.tasks:
            task.cancel()

    async def namespaces(self) -> list[str]:
        return self.server.uris

    async def create(self, period_s: float, life_s: float, items: Sequence[Item]) -> Made:
        one = Subscription(id=len(self.server.subscriptions) + 100, period_s=period_s, items={})
        self.server.subscriptions[one.id] = one
        statuses = await self.add(one.id, items)
        self.follow(one)
        return Made(
            id=one.id,
            publishing_s=period_s,
            keepalive_s=period_s * self.server.keepalive_count,
            life_s=life_s,
            statuses=statuses,
            sampling_s=[item.sampling_s for item in items],
        )

    async def add(self, subscription: int, items: Sequence[Item]) -> list[int]:
        one = self.server.subscriptions[subscription]
        statuses = []
        for item in items:
            name = item.node.identifier
            statuses.append(self.server.codes.get(name, UNKNOWN_NODE) if name in self.server.missing else 0)
            if name not in self.server.missing:
                one.items[item.handle] = name
                value, status, stamp = self.server.values[name]
                one.queue.append(Sample(handle=item.handle, value=value, status=status, time_ns=stamp))
        return statuses

    async def transfer(self, subscriptions: Sequence[int]) -> list[list[int] | None]:
        found: list[list[int] | None] = []
        for name in subscriptions:
            one = self.server.subscriptions.get(name) if self.server.can_transfer else None
            found.append(None if one is None else list(one.sent))
            if one is not None:
                for handle, node in one.items.items():
                    if all(sample.handle != handle for sample in one.queue):
                        value, status, stamp = self.server.values[node]
                        one.queue.append(Sample(handle=handle, value=value, status=status, time_ns=stamp))
                self.follow(one)
        return found

    def follow(self, one: Subscription) -> None:
        self.tasks.append(asyncio.create_task(self.publish(one)))

    async def publish(self, one: Subscription) -> None:
        quiet = 0
        while True:
            await asyncio.sleep(one.period_s)
            if self.server.is_mute:
                continue
            samples, one.queue = one.queue, []
            quiet = 0 if samples else quiet + 1
            if not samples and quiet < self.server.keepalive_count:
                continue
            quiet = 0
            number = one.number + 1
            publication = Publication(
                subscription=one.id, number=number, published_ns=self.server.now_ns(), samples=samples
            )
            if samples:
                one.number = number
                one.sent[number] = publication
                if number in self.server.lost:
                    continue
            if self.server.latency_s:
                await asyncio.sleep(self.server.latency_s)
            self.arrived.append(publication)
            self.stirred.set()

    async def republish(self, subscription: int, number: int) -> Publication | None:
        self.republished.append(number)
        return self.server.subscriptions[subscription].sent.get(number)

    async def receive(self) -> Publication:
        while not self.arrived:
            if self.lost:
                raise LostError(self.lost)
            self.stirred.clear()
            await self.stirred.wait()
        return self.arrived.popleft()

    async def close(self, *, is_for_good: bool) -> None:
        self.closed = is_for_good
        for task in self.tasks:
            task.cancel()


# ---------------------------------------------------------------------------------------------------- real servers


class OneUser(UserManager):  # type: ignore[misc]  # The library ships no types.
    """Anybody without a name, and one with a password; notes each password that it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def get_user(
        self, iserver: object, username: object = None, password: object = None, certificate: object = None
    ) -> User | None:
        if password is not None:
            self.told.append(password)
        if username is None or (username, password) == ("gateway", "right"):
            return User(role=UserRole.Admin, name=username)
        return None


class AsyncuaServer:
    """The library's own server on a loopback port, in a thread of its own: its making takes seconds, so tests share it.

    Attributes:
        users: Knows who came.
    """

    def __init__(self, port: int, values: dict[str, object], files: tuple[Path, Path]) -> None:
        self.port = port
        self.users = OneUser()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._nodes: dict[str, Any] = {}
        self._values = values
        self.do(self._make(files))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in its thread, and wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _make(self, files: tuple[Path, Path]) -> None:
        server = self._server = Server(user_manager=self.users)
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/peer")
        server.set_security_policy(
            [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
        )
        await server.load_certificate(str(files[0]), "pem")
        await server.load_private_key(str(files[1]), format="pem")
        index = await server.register_namespace(URI)
        for name, value in self._values.items():
            self._nodes[name] = await server.nodes.objects.add_variable(ua.NodeId(name, index), name, value)
            await self._nodes[name].set_writable()
        await server.start()

    def set(self, name: str, value: object, status: int = 0, source: dt.datetime | None = None) -> None:
        """Set a node: value, status code, source time."""
        variant = ua.Variant(value, ua.VariantType.Double) if isinstance(value, float) else ua.Variant(value)
        self.do(self._nodes[name].write_value(ua.DataValue(variant, ua.StatusCode(status), source)))

    def get(self, name: str) -> object:
        return self.do(self._nodes[name].read_value())

    def node_id(self, name: str) -> ua.NodeId:
        return self._nodes[name].nodeid

    def cut(self) -> None:
        """Break every connection, as a network does."""

        async def abort() -> None:
            for client in list(self._server.bserver.clients):
                client.transport.abort()

        self.do(abort())

    def close(self) -> None:
        self.do(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


# ----------------------------------------------------------------------------------------- a recorded conversation


def messages_of(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut a stream of OPC UA chunks by their sizes (OPC 10000-6 §7.1.2.2); give them and what is left."""
    found = []
    while len(data) >= 8 and len(data) >= (size := int.from_bytes(data[4:8], "little")):
        found.append(data[:size])
        data = data[size:]
    return found, data


def recorded(recording: Path) -> list[dict[str, Any]]:
    """Read what a server said: in each line a message, and after how many of ours."""
    return [json.loads(line) for line in recording.read_text("utf-8").splitlines()]


@asynccontextmanager
async def replaying(lines: list[dict[str, Any]]) -> AsyncIterator[int]:
    """Say what a server said once: each of its messages when as many of ours have come as came before it then."""
    talks: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(writer)
        heard, rest = 0, b""
        try:
            for line in lines:
                while heard < line["after"]:
                    data = await reader.read(65_536)
                    if not data:
                        return
                    found, rest = messages_of(rest + data)
                    heard += len(found)
                writer.write(bytes.fromhex(line["message"]))
                await writer.drain()
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
