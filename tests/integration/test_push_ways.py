"""Other ways than HTTP over real sockets: frames over TCP, a real mosquitto with TLS and ACL, a clock that is off."""

import asyncio
import base64
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from alerting.push.message import one_message
from alerting.push.profile import Profile, ReceiptRule
from edge.clock_manual import ManualClock
from edge.clock_system import SystemClock
from edge.config import BrokerTls, MqttOptions
from gateway.config import Destination, Reach
from gateway.load.panel import PANEL
from gateway.push.channel import Channel, Parcel, PushError
from gateway.push.forms import form_of
from gateway.push.mqtt import MqttChannel
from gateway.push.panel import panel_topic
from gateway.push.route import make_channel
from gateway.push.tcp import FrameChannel
from gateway.push.webhook import Webhook
from simulators.regulator.ledger import Ledger
from simulators.regulator.server import Desk
from tests.certificates import Authority
from tests.conftest import Server, need_program, take_free_port
from tests.robots import call

pytestmark = pytest.mark.network

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
FRAME = {"appId": "a", "dataId": "n1", "data": [{"STOP_ID": "s", "STOP_REMARK": "检修"}]}
PARCEL = Parcel(key="n1", chain="c", body=orjson.dumps(FRAME))
RULE = ReceiptRule(echo="dataId", code="code", ok=("200",), refused=("500",))
Answer = Callable[[bytes], bytes | None]


@contextlib.asynccontextmanager
async def platform(answer: Answer) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a receiver of frames; an answer of None cuts the connection."""
    frames: list[bytes] = []
    talks: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frames.append((await reader.readuntil(b"@@")).removesuffix(b"@@"))
                said = answer(frames[-1])
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], frames
        for writer in talks:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in talks), return_exceptions=True)


def regional(port: int, **more: Any) -> Destination:  # noqa: ANN401 - any field
    profile = Profile(id="r", transport="tcp", envelope="regional", signature="none", cipher="aes-cbc", vector="fixed",
                      receipt=more.pop("receipt", RULE))  # fmt: skip
    return Destination(
        id="province", url=f"tcp://127.0.0.1:{port}", profile=profile, cipher_key=b"0123456789abcdef",
        vector=b"fedcba9876543210", is_loopback_allowed=True, timeout_s=1.0, **more,
    )  # fmt: skip


async def refused(channel: Channel, parcel: Parcel = PARCEL) -> PushError:
    with pytest.raises(PushError) as caught:
        await channel.send(parcel)
    return caught.value


@contextlib.asynccontextmanager
async def frames(port: int, **more: Any) -> AsyncIterator[FrameChannel]:  # noqa: ANN401 - any field
    channel = FrameChannel(regional(port, **more), SystemClock())
    try:
        yield channel
    finally:
        await channel.close()


async def test_a_frame_is_enciphered_answered_and_the_connection_stays() -> None:
    async with platform(lambda _: b'{"dataId": "n1", "code": 200}@@') as (port, got), frames(port) as channel:
        for _ in range(2):
            receipt = await channel.send(PARCEL)
            assert receipt.is_proof
    frame = json.loads(got[0])
    decryptor = Cipher(AES(b"0123456789abcdef"), CBC(b"fedcba9876543210")).decryptor()
    rows = decryptor.update(base64.b64decode(frame["data"])) + decryptor.finalize()
    assert json.loads(rows[: -rows[-1]]) == FRAME["data"]
    assert (frame["dataId"], got[0]) == ("n1", got[1])  # the same at every attempt


@pytest.mark.parametrize(
    ("answer", "reason", "retry"),
    [
        (b'{"dataId": "n1", "code": 500}@@', "refused", False),
        (b'{"dataId": "n2", "code": 200}@@', "receipt_of_another", False),
        (b"@@", "no_receipt", False),
        (b"x" * 10_000 + b"@@", "connection", True),  # no answer is so long
        (None, "connection", True),
        (b'{"dataId": "n1"', "timeout", True),  # hangs in the middle
    ],
)
async def test_a_platform_that_behaves_badly(answer: bytes | None, reason: str, retry: bool) -> None:
    async with platform(lambda _: answer) as (port, _), frames(port) as channel:
        error = await refused(channel)
        assert (error.reason, error.retry) == (reason, retry)


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_frames() -> None:
    said = iter([b"", b'{"dataId": "n2", "code": 200}@@'])

    def answer(_: bytes) -> bytes:
        return next(said)

    async with platform(answer) as (port, got), frames(port) as channel:
        assert (await refused(channel)).reason == "timeout"
        second = Parcel(key="n2", chain="c", body=orjson.dumps(FRAME | {"dataId": "n2"}))
        assert (await channel.send(second)).is_proof
        assert len(got) == 2


async def test_nobody_there_is_trouble_and_a_private_address_is_refused() -> None:
    async with frames(take_free_port()) as channel:
        assert (await refused(channel)).retry
    channel = FrameChannel(Destination(id="d", url="tcp://127.0.0.1:9", profile=regional(9).profile,
                                       cipher_key=b"0" * 16, vector=b"0" * 16), SystemClock())  # fmt: skip
    assert (await refused(channel)).reason == "address_refused"
    await channel.close()


# ---- MQTT


@dataclass
class Broker:
    server: Server
    ca: Authority
    own: tuple[Path, Path]

    def destination(self, topic: str = "authority/in", **more: Any) -> Destination:  # noqa: ANN401 - any field
        tls = BrokerTls(ca_file=self.ca.ca_file, cert_file=self.own[0], key_file=self.own[1])
        options = MqttOptions(host="127.0.0.1", port=self.server.port, client_id="plant", tls=tls)
        rule = ReceiptRule(by="later")
        profile = Profile(id="m", transport="mqtt", signature="none", receipt=rule)
        told = {"id": "m", "url": "", "profile": profile, "broker": options, "topic": topic,
                "ack_topic": "authority/ack", "timeout_s": 5.0}  # fmt: skip
        return Destination(**(told | more))

    async def run(self, program: str, *arguments: str, text: bytes | None = None) -> asyncio.subprocess.Process:
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"{program} is not installed on this machine")
        return await asyncio.create_subprocess_exec(
            found, "-h", "127.0.0.1", "-p", str(self.server.port), "--cafile", str(self.ca.ca_file),
            "--cert", str(self.own[0]), "--key", str(self.own[1]), *arguments,
            stdin=asyncio.subprocess.PIPE if text is not None else None, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Certificates both ways; the gateway may write below authority/in alone and hear authority/ack."""
    ca = Authority(tmp_path, "works")
    certificate, key = ca.issue("device")
    port = take_free_port()
    (tmp_path / "acl").write_text(
        "user gateway\ntopic readwrite authority/in\ntopic readwrite authority/ack\ntopic readwrite panels/#\n", "utf-8"
    )
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\ncafile {ca.ca_file}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.2\n"
        f"acl_file {tmp_path}/acl\nuser {'root' if os.geteuid() == 0 else 'mosquitto'}\n",
        "utf-8",
    )
    arguments = [need_program("mosquitto"), "-c", str(tmp_path / "mosquitto.conf")]
    server = Server(arguments=arguments, folder=tmp_path, port=port)
    server.start()
    yield Broker(server, ca, ca.issue("gateway"))
    server.stop()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - programs of others tell nobody
            await asyncio.sleep(0.02)


@pytest.mark.service
async def test_a_broker_has_it_and_the_authority_acknowledges_on_its_own_topic(broker: Broker) -> None:
    heard: list[bytes] = []
    channel = MqttChannel(broker.destination(), SystemClock(), heard.append)
    listening = await broker.run("mosquitto_sub", "-t", "authority/in", "-q", "1", "-C", "1", "-W", "10")
    try:
        await asyncio.sleep(0.5)  # mosquitto_sub does not say when it is subscribed
        receipt = await channel.send(PARCEL)
        assert not receipt.is_proof  # the broker's word is nobody's receipt
        out, _ = await asyncio.wait_for(listening.communicate(), 10)
        assert json.loads(out) == FRAME
        sending = await broker.run("mosquitto_pub", "-t", "authority/ack", "-q", "1", "-s", text=b'{"key":"n1"}')
        await sending.communicate(b'{"key":"n1"}')
        await until(lambda: heard == [b'{"key":"n1"}'])
    finally:
        await channel.close()


@pytest.mark.service
async def test_what_the_access_list_refuses_is_trouble_and_not_handed_over(broker: Broker) -> None:
    channel = MqttChannel(broker.destination("authority/other"), SystemClock(), lambda _: None)
    try:
        error = await refused(channel)
        assert (error.reason, error.retry) == ("broker_refused", True)
        assert "Not authorized" in error.detail
    finally:
        await channel.close()


@pytest.mark.service
async def test_a_broker_that_goes_away_and_comes_back(broker: Broker) -> None:
    channel = MqttChannel(broker.destination(timeout_s=1.5), SystemClock(), lambda _: None)
    try:
        await channel.send(PARCEL)
        broker.server.stop()
        await until(lambda: not channel.is_up)
        assert (await refused(channel)).reason == "timeout"
        broker.server.start()
        await until(lambda: channel.is_up)
        assert not (await channel.send(PARCEL)).is_proof
    finally:
        await channel.close()


def panel(broker: Broker, topic: str, payload: Literal["json", "text"]) -> Destination:
    told = broker.destination(topic)
    reach = Reach(kind="mqtt", payload=payload, characters=60)
    return replace(told, profile=PANEL, ack_topic="", reach=reach)


def call_parcel(by: Destination, **more: Any) -> Parcel:  # noqa: ANN401 - any member
    told = call(subject="call") | more
    form = form_of(by.reach or Reach(), by.topic)
    if form is None:
        return Parcel(key="k", chain="c", body=json.dumps(told).encode())
    message = one_message(told, form)
    return Parcel(key="k", chain="c", body=message.parts[0].encode(), message=message)


PERSON = {"person": "li", "title": "", "phone": "", "email": "", "address": "east/2"}


@pytest.mark.service
async def test_panels_hear_calls_as_words_and_programs_as_json(broker: Broker) -> None:
    words, program = panel(broker, "panels/{tier}/{address}", "text"), panel(broker, "panels/json", "json")
    listening = await broker.run("mosquitto_sub", "-t", "panels/#", "-q", "1", "-C", "2", "-W", "10", "-F", "%t %r %p")
    ways = [make_channel(to, SystemClock(), lambda _, __: None) for to in (words, program)]
    try:
        await asyncio.sleep(0.5)  # mosquitto_sub does not say when it is subscribed
        receipt = await ways[0].send(call_parcel(words, to=PERSON))
        await ways[1].send(call_parcel(program))
        out, _ = await asyncio.wait_for(listening.communicate(), 10)
    finally:
        for way in ways:
            await way.close()
    assert (receipt.is_proof, receipt.answer) == (False, "the broker has it")
    text = out.decode()
    assert text.startswith("panels/RED/east/2 0 【红色预警】1号储罐\n情况:TK-001.level 4.31 m"), "and not retained"
    json_line = next(line for line in text.splitlines() if line.startswith("panels/json "))
    assert json.loads(json_line.removeprefix("panels/json 0 "))["tag"] == "TK-001.level"


@pytest.mark.service
async def test_a_panel_that_the_access_list_does_not_have_is_trouble(broker: Broker) -> None:
    to = panel(broker, "elsewhere/{tier}", "text")
    way = make_channel(to, SystemClock(), lambda _, __: None)
    try:
        with pytest.raises(PushError) as failed:
            await way.send(call_parcel(to))
    finally:
        await way.close()
    assert (failed.value.reason, failed.value.retry) == ("broker_refused", True)


@pytest.mark.parametrize("address", ["", "a+b", "#", "x\0"])
def test_nobodys_name_makes_a_topic_of_somebody_elses(address: str) -> None:
    to = Destination(id="p", url="", topic="panels/{address}", reach=Reach(kind="mqtt", payload="text"))
    with pytest.raises(PushError) as failed:
        panel_topic(to.topic, call_parcel(to, to=PERSON | {"address": address}))
    assert (failed.value.reason, failed.value.is_final) == ("no_address", True)
    assert panel_topic("panels/{person}", call_parcel(to, to=PERSON)) == "panels/li"
    with pytest.raises(PushError):
        panel_topic("panels/{person}", call_parcel(to, to=PERSON | {"person": "a/b"}))


# ---- clocks


async def test_a_clock_that_is_off_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    """The regulator's own check of signatures refuses ours; when the clocks agree again the same key arrives once."""
    theirs, ours = SystemClock(), ManualClock()
    desk = Desk(KEY, "t" * 16, Ledger(tmp_path / "ledger.jsonl"), theirs)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        body = await reader.readexactly(int(lines["content-length"]))
        names = {name: line.split(": ", 1)[1] for line in head.splitlines()[1:] if (name := line.split(":")[0].lower())}
        answer = desk.receive(names, body)
        assert answer is not None
        date = http_date(theirs.wall_ns())
        text = json.dumps(answer[1]).encode()
        writer.write(
            f"HTTP/1.1 {int(answer[0])} x\r\ndate: {date}\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    channel = Webhook(Destination(id="d", url=url, secret=SECRET, is_loopback_allowed=True), ours)
    async with server:
        error = await refused(channel)
        assert (error.reason, error.retry) == ("clock_skew", True)
        assert "s from ours" in error.detail
        ours.step_wall_ns(theirs.wall_ns() - ours.wall_ns())
        assert (await channel.send(PARCEL)).is_proof
    await channel.close()
    assert [one["key"] for one in desk.listing()["notices"]] == ["n1"]
    assert desk.counts == {"unsigned": 1, "accepted": 1}


def http_date(wall_ns: int) -> str:
    return formatdate(wall_ns / 1e9, usegmt=True)


async def test_a_destination_has_as_many_connections_as_it_allows_and_keeps_them() -> None:
    """A handshake for each notice of a flood costs more than the notice."""
    opened, under_way, most = 0, 0, 0
    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened, under_way, most
        opened += 1
        ended.append(asyncio.Event())
        mine = ended[-1]
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.02)
                under_way -= 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        mine.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
    webhook = Webhook(
        Destination(id="a", url=url, secret=SECRET, is_loopback_allowed=True, connections=4), SystemClock()
    )

    async def carry() -> None:
        for _ in range(5):
            await webhook.send(PARCEL)

    async with server:
        await asyncio.gather(*(carry() for _ in range(4)))
        await webhook.close()
        for each in ended:
            await each.wait()
    assert (opened, most) == (4, 4)
