"""What the collector relies on, for the link in memory and for paho against a real mosquitto, by both versions.

Published to mosquitto by mosquitto_pub, a program that is not ours; connections are cut by a proxy between.
"""

import asyncio
import json
import shutil
import socket
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from edge.collect.door import Counters
from edge.collect.mqtt import paho as paho_link
from edge.collect.mqtt.inbox import Inbox
from edge.collect.mqtt.link import AckOrder, LinkChange, Manner, Message, MqttLink
from edge.collect.mqtt.loopback import LoopbackBroker, LoopbackLink
from edge.collect.mqtt.outgoing import Presence, rebirth
from edge.collect.mqtt.paho import PERSISTENT, PahoLink
from edge.config import MqttOptions

WAIT_S = 8.0


class World(Protocol):
    """A broker and what can happen to it."""

    prefix: str

    def link(self, manner: Manner = Manner()) -> MqttLink: ...  # noqa: B008 - frozen
    async def publish(self, topic: str, *payloads: str, qos: int = 1, is_retained: bool = False) -> None: ...
    async def cut(self) -> None: ...
    def watcher(self) -> MqttLink: ...
    async def cut_one(self, link: MqttLink) -> None: ...
    async def close(self) -> None: ...


class LoopbackWorld:
    def __init__(self) -> None:
        self.prefix = "t"
        self.broker = LoopbackBroker()

    def link(self, manner: Manner = Manner()) -> MqttLink:  # noqa: B008 - frozen
        return LoopbackLink(self.broker, "gateway", ["t/#"], manner)

    async def publish(self, topic: str, *payloads: str, qos: int = 1, is_retained: bool = False) -> None:
        for payload in payloads:
            self.broker.publish(topic, payload.encode(), qos=qos, is_retained=is_retained)

    async def cut(self) -> None:
        self.broker.drop("gateway")

    def watcher(self) -> MqttLink:
        return LoopbackLink(self.broker, "watcher", ["t/presence"])

    async def cut_one(self, link: MqttLink) -> None:
        await self.cut()

    async def close(self) -> None:
        pass


@dataclass
class MosquittoWorld:
    """A real broker behind a proxy."""

    port: int
    version: str
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex}")
    server: asyncio.Server | None = None
    pipes: set[asyncio.StreamWriter] = field(default_factory=set)
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        self.talks.add(own)
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.pipes |= {writer, broker_writer}
        await asyncio.gather(self._pump(reader, broker_writer), self._pump(broker_reader, writer))
        for one in (writer, broker_writer):
            one.close()
            self.pipes.discard(one)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
            writer.write_eof()  # Only this way is closed: the other side may still have something to say.
        except OSError:
            writer.close()

    def link(self, manner: Manner = Manner()) -> MqttLink:  # noqa: B008 - frozen
        assert self.server is not None
        options = MqttOptions(
            host="127.0.0.1",
            port=self.server.sockets[0].getsockname()[1],
            version=self.version,  # type: ignore[arg-type]
        )
        return PahoLink(options, f"gateway-{self.prefix}", [f"{self.prefix}/#"], Counters(), manner)

    async def publish(self, topic: str, *payloads: str, qos: int = 1, is_retained: bool = False) -> None:
        program = shutil.which("mosquitto_pub")
        if program is None:
            pytest.skip("mosquitto_pub is not installed on this machine")
        process = await asyncio.create_subprocess_exec(
            program,
            *("-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q", str(qos), "-l"),
            *(["-r"] if is_retained else []),
            stdin=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(process.communicate("".join(f"{p}\n" for p in payloads).encode()), WAIT_S)
        assert process.returncode == 0

    async def cut(self) -> None:
        for writer in list(self.pipes):
            writer.transport.abort()

    def watcher(self) -> MqttLink:
        options = MqttOptions(host="127.0.0.1", port=self.port, version=self.version)  # type: ignore[arg-type]
        return PahoLink(options, f"watcher-{self.prefix}", [f"{self.prefix}/presence"], Counters())

    async def cut_one(self, link: MqttLink) -> None:
        """Cut all that go through the proxy; the watcher does not."""
        await self.cut()

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.cut()
        await asyncio.wait_for(asyncio.gather(*self.talks), WAIT_S)


@pytest.fixture(
    params=[
        "loopback",
        pytest.param("3.1.1", marks=[pytest.mark.network, pytest.mark.service]),
        pytest.param("5", marks=[pytest.mark.network, pytest.mark.service]),
    ]
)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    made: World
    if request.param == "loopback":
        made = LoopbackWorld()
    else:
        made = MosquittoWorld(port=request.getfixturevalue("mosquitto").port, version=request.param)
        await made.start()
    yield made
    await made.close()


class Reader:
    """Takes from a link until it has what it wants."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.arrivals: list[Message | LinkChange] = []

    async def until(self, done: Callable[["Reader"], bool]) -> "Reader":
        async with asyncio.timeout(WAIT_S):
            while not done(self):
                self.arrivals.extend(await self.link.receive(1_000, 1 << 20))
        return self

    @property
    def messages(self) -> list[Message]:
        return [arrival for arrival in self.arrivals if isinstance(arrival, Message)]

    @property
    def changes(self) -> list[bool]:
        return [arrival.is_up for arrival in self.arrivals if isinstance(arrival, LinkChange)]

    @property
    def payloads(self) -> list[str]:
        return [message.payload.decode() for message in self.messages]


@asynccontextmanager
async def connected(world: World, *, is_up: bool = True) -> AsyncIterator[Reader]:
    link = world.link()
    await link.open()
    reader = Reader(link)
    try:
        if is_up:
            await reader.until(lambda r: r.changes[-1:] == [True])
            await asyncio.sleep(0.1 if isinstance(world, MosquittoWorld) else 0)  # The subscription is on its way.
        yield reader
    finally:
        await link.close()


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[Reader]:
    """A second client that hears our presence."""
    link = world.watcher()
    await link.open()
    try:
        reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
        await asyncio.sleep(0.1 if isinstance(world, MosquittoWorld) else 0)
        yield reader
    finally:
        await link.close()


async def test_messages_arrive_in_order_after_the_link_came_up(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", "1", "2", "3")
        await world.publish(f"{world.prefix}/b/c", "4", qos=0)
        await world.publish("elsewhere", "5")
        await reader.until(lambda r: len(r.messages) == 4)
        assert isinstance(reader.arrivals[0], LinkChange)
        assert reader.changes == [True]
        assert reader.payloads == ["1", "2", "3", "4"]
        assert [m.topic for m in reader.messages] == [f"{world.prefix}/a"] * 3 + [f"{world.prefix}/b/c"]
        assert [m.qos for m in reader.messages] == [1, 1, 1, 0]
        assert not any(m.is_retained or m.is_duplicate for m in reader.messages)


async def test_what_was_retained_says_so_and_what_comes_live_does_not(world: World) -> None:
    await world.publish(f"{world.prefix}/a", "old", is_retained=True)
    async with connected(world) as reader:
        await reader.until(lambda r: len(r.messages) == 1)
        await world.publish(f"{world.prefix}/a", "new", is_retained=True)
        await reader.until(lambda r: len(r.messages) == 2)
        assert [(p, m.is_retained) for p, m in zip(reader.payloads, reader.messages, strict=True)] == [
            ("old", True),
            ("new", False),
        ]


async def test_a_lost_connection_comes_back_and_brings_again_what_was_not_acknowledged(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", "1", "2", "3", "4")
        await reader.until(lambda r: len(r.messages) == 4)
        for message in reader.messages[:2]:
            message.acknowledge()
        await asyncio.sleep(0.2)
        await world.cut()
        await reader.until(lambda r: len(r.messages) == 6)
        assert reader.changes == [True, False, True]
        assert reader.payloads[4:] == ["3", "4"]
        assert all(m.is_duplicate for m in reader.messages[4:])
        assert {m.connection for m in reader.messages[:4]} != {m.connection for m in reader.messages[4:]}


async def test_an_acknowledgement_for_an_older_connection_is_dropped(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", "1", "2")
        await reader.until(lambda r: len(r.messages) == 2)
        await world.cut()
        await reader.until(lambda r: len(r.messages) == 4)
        for message in reader.messages[:2]:
            message.acknowledge()  # Too late: its packet id may mean another message by now.
        await asyncio.sleep(0.2)
        await world.cut()
        await reader.until(lambda r: len(r.messages) == 6)
        assert reader.payloads[4:] == ["1", "2"]


async def test_an_early_acknowledgement_waits_for_those_before_it(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", "1", "2", "3")
        await reader.until(lambda r: len(r.messages) == 3)
        reader.messages[1].acknowledge()
        reader.messages[2].acknowledge()
        await asyncio.sleep(0.2)
        await world.cut()
        await reader.until(lambda r: len(r.messages) == 6)
        assert reader.payloads[3:] == ["1", "2", "3"], "the first was not acknowledged, so none was"
        for message in reversed(reader.messages[3:]):
            message.acknowledge()
        await asyncio.sleep(0.2)
        await world.cut()
        await reader.until(lambda r: r.changes == [True, False, True, False, True])
        await world.publish(f"{world.prefix}/a", "last")
        await reader.until(lambda r: r.payloads[-1] == "last")
        assert reader.payloads[6:] == ["last"]


async def test_what_is_published_while_we_are_away_waits_for_us(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", "before")
        await reader.until(lambda r: len(r.messages) == 1)
        reader.messages[0].acknowledge()
        await asyncio.sleep(0.2)
    await world.publish(f"{world.prefix}/a", "while", "away")
    async with connected(world) as reader:
        await reader.until(lambda r: len(r.messages) == 2)
        assert reader.payloads == ["while", "away"]


async def test_receive_gives_no_more_than_asked_for(world: World) -> None:
    async with connected(world) as reader:
        await world.publish(f"{world.prefix}/a", *(str(n) for n in range(25)))
        taken: list[Any] = []
        async with asyncio.timeout(WAIT_S):
            while len(taken) < 25:
                some = await reader.link.receive(10, 1 << 20)
                assert 1 <= len(some) <= 10
                taken.extend(some)
        assert [m.payload.decode() for m in taken] == [str(n) for n in range(25)]


async def test_our_presence_is_told_kept_and_taken_back(world: World) -> None:
    """Online at connection, offline by the will at a cut, offline by ourselves at the end; a watcher hears it all."""
    times = iter(range(1_000, 1_100))
    presence = Presence(topic=f"{world.prefix}/presence", now_ms=lambda: next(times))
    async with watching(world) as watcher:
        link = world.link(Manner(is_clean=True, presence=presence))
        await link.open()
        reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
        await watcher.until(lambda r: len(r.payloads) >= 1)
        await world.cut_one(link)
        await reader.until(lambda r: r.changes == [True, False, True])
        await watcher.until(lambda r: len(r.payloads) >= 3)
        link.send(rebirth("g", "n", 5))
        link.announce()
        await watcher.until(lambda r: len(r.payloads) >= 4)
        await link.close()
        await watcher.until(lambda r: len(r.payloads) >= 5)
    said = [json.loads(payload) for payload in watcher.payloads]
    assert [one["online"] for one in said] == [True, False, True, True, False], said
    first, will, second, again, last = [one["timestamp"] for one in said]
    assert first == will < second == again < last, "a will has the time of its connection"


async def test_a_clean_session_leaves_nothing_behind(world: World) -> None:
    link = world.link(Manner(is_clean=True))
    await link.open()
    reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
    await asyncio.sleep(0.2)
    await world.publish(f"{world.prefix}/a", "1")
    await reader.until(lambda r: len(r.messages) == 1)
    await link.close()
    await world.publish(f"{world.prefix}/a", "while away")
    link = world.link(Manner(is_clean=True))
    await link.open()
    reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
    await asyncio.sleep(0.2)
    await world.publish(f"{world.prefix}/a", "2")
    await reader.until(lambda r: len(r.messages) >= 1)
    assert reader.payloads == ["2"]
    await link.close()


# ------------------------------------------------------------------------------------------------- paho alone


@pytest.mark.network
@pytest.mark.service
async def test_the_next_broker_is_tried_when_one_cannot_be_reached(mosquitto: Any, free_port: int) -> None:  # noqa: ANN401
    """Three brokers: nobody, nobody, a real one; the connection says by which it came up."""
    also = (("127.0.0.1", free_port), ("127.0.0.1", mosquitto.port))
    options = MqttOptions(host="127.0.0.1", port=free_port, also=also)
    link = PahoLink(options, f"gateway-{uuid.uuid4().hex}", ["t"], Counters())
    await link.open()
    reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
    change = reader.arrivals[-1]
    assert isinstance(change, LinkChange)
    assert change.reason == f"by 127.0.0.1:{mosquitto.port}"
    await link.close()


@pytest.mark.network
@pytest.mark.service
async def test_a_packet_beyond_the_limit_never_comes_and_one_below_is_seen(mosquitto: Any) -> None:  # noqa: ANN401
    """MQTT 5: the broker keeps what is far too large; what is a little too large is there to be counted."""
    prefix = f"t{uuid.uuid4().hex}"
    link = PahoLink(
        MqttOptions(host="127.0.0.1", port=mosquitto.port, payload_bytes_max=1_000), prefix, [prefix], Counters()
    )
    await link.open()
    reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
    await asyncio.sleep(0.2)
    world = MosquittoWorld(port=mosquitto.port, version="5")
    for size in (2_000_000, 500_000, 10):
        await world.publish(prefix, "x" * size)
    await reader.until(lambda r: len(r.messages) == 2)
    assert [len(message.payload) for message in reader.messages] == [500_000, 10]
    await link.close()


@pytest.mark.network
async def test_nobody_listens_and_then_somebody_does(free_port: int) -> None:
    counters = Counters()
    link = PahoLink(MqttOptions(host="127.0.0.1", port=free_port), "gateway", ["t"], counters)
    await link.open()
    reader = await Reader(link).until(lambda r: r.changes == [False])
    change = reader.arrivals[0]
    assert isinstance(change, LinkChange)
    assert change.reason
    await link.close()
    assert counters.crashes == 0


@pytest.mark.network
@pytest.mark.parametrize(
    "hostile",
    [
        b"\x20\x02\x00\x05",  # CONNACK: not authorised.
        b"\x20\x03\x00\x87\x00",  # The same in MQTT 5.
        b"\x20\xff\xff\xff\xff\xff",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00" * 64,
        b"\x30\x05\x00\xff\xff\xff\xff",
        b"\x20\x02\x00\x00\x32\x09\x00\x02\xff\xfe\x00\x01xyz\x90\x01\x00",
    ],
)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_hostile_broker_cannot_end_the_link(hostile: bytes, version: str) -> None:
    """Whatever it sends, the link tries again; after it behaves, nothing is left over."""
    tries = 0
    enough = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        try:
            await reader.read(1_000)
            writer.write(hostile)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
        if tries == 2:
            enough.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = PahoLink(MqttOptions(host="127.0.0.1", port=port, version=version), "g", ["t"], Counters())  # type: ignore[arg-type]
    await link.open()
    await asyncio.wait_for(enough.wait(), WAIT_S)
    await link.close()
    server.close()
    await server.wait_closed()


@pytest.mark.network
@pytest.mark.service
async def test_paho_forgets_nothing_over_a_broker_restart(mosquitto_alone: Any) -> None:  # noqa: ANN401 - conftest's own
    link = PahoLink(MqttOptions(host="127.0.0.1", port=mosquitto_alone.port), "gateway", ["t"], Counters())
    await link.open()
    world = MosquittoWorld(port=mosquitto_alone.port, version="5")
    reader = await Reader(link).until(lambda r: r.changes == [True])
    await asyncio.sleep(0.1)
    await world.publish("t", "1", "2")
    await reader.until(lambda r: len(r.messages) == 2)
    await asyncio.to_thread(mosquitto_alone.stop)
    await reader.until(lambda r: r.changes == [True, False])
    await asyncio.to_thread(mosquitto_alone.start)
    await reader.until(lambda r: r.changes == [True, False, True] and len(r.messages) == 4)
    assert reader.payloads[2:] == ["1", "2"]
    await link.close()


@pytest.mark.network
@pytest.mark.service
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_session_that_the_broker_did_not_keep_is_counted(mosquitto: Any, version: str) -> None:  # noqa: ANN401
    """A gap that nobody else tells of: by the flag of CONNACK (MQTT 3.1.1 §3.2.2.2, MQTT 5.0 §3.2.2.1.1)."""

    async def lost(client_id: str, manner: Manner = PERSISTENT, *, has_session: bool) -> int:
        counters = Counters()
        options = MqttOptions(host="127.0.0.1", port=mosquitto.port, version=version)  # type: ignore[arg-type]
        link = PahoLink(options, client_id, ["t"], counters, manner, has_session=has_session)
        await link.open()
        await Reader(link).until(lambda r: r.changes == [True])
        await asyncio.sleep(0.1)  # It has subscribed.
        await link.close()
        return counters.failures["session_lost"]

    assert await lost(f"new-{version}", has_session=False) == 0
    assert await lost(f"new-{version}", has_session=True) == 0, "the broker has it"
    assert await lost(f"forgotten-{version}", has_session=True) == 1
    assert await lost(f"clean-{version}", Manner(is_clean=True), has_session=True) == 0


# ------------------------------------------------------------------------------------------------------ parts


def message(packet_id: int, connection: int = 1, payload: bytes = b"") -> Message:
    return Message(
        topic="t",
        payload=payload,
        qos=1,
        is_retained=False,
        is_duplicate=False,
        connection=connection,
        packet_id=packet_id,
        _acknowledge=lambda _: None,
    )


def test_acknowledgements_go_in_order_of_arrival() -> None:
    order = AckOrder()
    order.begin(1)
    first, second, third = message(7), message(3), message(9)
    for one in (first, second, third):
        order.add(one)
    assert order.acknowledge(second) == []
    assert order.acknowledge(first) == [7, 3]
    assert order.acknowledge(first) == []
    order.begin(2)
    assert order.acknowledge(third) == []
    assert len(order) == 0


async def test_the_inbox_is_bounded_by_count_and_by_bytes() -> None:
    inbox = Inbox(messages_max=3, bytes_max=10)
    assert all(inbox.put(message(n)) for n in range(3))
    assert not inbox.put(message(4))
    await inbox.take(10, 1_000)
    assert inbox.put(message(5, payload=b"x" * 100)), "an empty inbox takes anything"
    assert not inbox.put(message(6))
    for _ in range(100):
        inbox.put_change(LinkChange(is_up=False))
        inbox.put_change(LinkChange(is_up=True))
    assert len(inbox) == 3
    taken = await inbox.take(10, 1_000)
    assert [one.is_up for one in taken if isinstance(one, LinkChange)] == [False, True]


async def test_a_full_inbox_makes_the_sender_wait_until_something_is_taken() -> None:
    inbox = Inbox(messages_max=1)
    assert inbox.put(message(1))
    waiting = asyncio.create_task(asyncio.to_thread(inbox.put, message(2), 5.0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert len(await inbox.take(10, 1_000)) == 1
    assert await waiting
    inbox.close()


@pytest.mark.network
@pytest.mark.service
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_filters_that_a_reload_took_out_leave_the_session(mosquitto: Any, version: str) -> None:  # noqa: ANN401
    """The session is the same; what nobody wants any more is neither sent now nor kept for later."""
    name = f"t{uuid.uuid4().hex}"
    options = MqttOptions(host="127.0.0.1", port=mosquitto.port, version=version)  # type: ignore[arg-type]
    world = MosquittoWorld(port=mosquitto.port, version=version)
    wanted, gone = f"{name}/wanted", f"{name}/gone"

    async def heard(filters: list[str], left: tuple[str, ...] = ()) -> list[str]:
        link = PahoLink(options, name, filters, Counters(), left=left)
        await link.open()
        reader = await Reader(link).until(lambda r: r.changes[-1:] == [True])
        await asyncio.sleep(0.2)
        await world.publish(gone, "gone")
        await world.publish(wanted, "wanted")
        await reader.until(lambda r: "wanted" in r.payloads)
        for message in reader.messages:
            message.acknowledge()
        await asyncio.sleep(0.1)
        await link.close()
        return reader.payloads

    assert await heard([wanted, gone]) == ["gone", "wanted"]
    assert await heard([wanted]) == ["gone", "wanted"], "a session keeps its filters: what this is for"
    assert await heard([wanted], (gone,)) == ["wanted"]
    assert await heard([wanted]) == ["wanted"]


@pytest.mark.network
async def test_closing_does_not_wait_for_a_name_and_connects_to_nobody_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A DNS that answers after a minute holds up neither the event loop nor a reload; its late answer is of no use."""
    asked, answer, tried = threading.Event(), threading.Event(), threading.Event()
    real = socket.create_connection

    def slow(*arguments: Any, **more: Any) -> socket.socket:  # noqa: ANN401 - as the library's
        asked.set()
        answer.wait(WAIT_S)
        try:
            return real(*arguments, **more)
        finally:
            tried.set()

    accepted: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(await reader.read(1_000))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    monkeypatch.setattr(paho_link, "CLOSE_S", 0.2)
    monkeypatch.setattr(socket, "create_connection", slow)
    link = PahoLink(MqttOptions(host="127.0.0.1", port=server.sockets[0].getsockname()[1]), "g", ["t"], Counters())
    await link.open()
    await asyncio.to_thread(asked.wait, WAIT_S)
    before = time.monotonic()
    await link.close()
    assert time.monotonic() - before < WAIT_S / 2
    answer.set()
    await asyncio.to_thread(tried.wait, WAIT_S)
    await asyncio.sleep(0.2)
    assert accepted in ([], [b""]), "connected perhaps, but nothing said: no session is taken over"
    server.close()
    await server.wait_closed()


@pytest.mark.network
async def test_the_broker_is_told_how_long_to_keep_the_session() -> None:
    """MQTT 5.0, §3.1.2.11.2: property 17, four bytes of seconds."""
    told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not told.done():
            told.set_result(await reader.read(1_024))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    options = MqttOptions(host="127.0.0.1", port=server.sockets[0].getsockname()[1], session_s=3_601)
    link = PahoLink(options, "gateway", ["a"], Counters())
    await link.open()
    try:
        assert b"\x11" + (3_601).to_bytes(4, "big") in await asyncio.wait_for(told, WAIT_S)
    finally:
        await link.close()
        server.close()
