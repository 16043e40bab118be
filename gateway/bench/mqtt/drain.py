"""Draining a real broker: what it kept for us, as fast as it goes, beside the plainer ways that people write first.

Flow: mosquitto (another process) holds the same messages for each way -> TCP -> [link -> collector -> door] -> figures
Why drained: a publisher in the same run would be what is measured. Each way has a session of its own at the broker, all
    hold the same messages, and each is connected alone; the clock runs from its first message to its last, ours from
    the connection on, for a collector hands over many messages at once.

QoS 1 throughout. Ours reads, judges quality and range, makes scans and acknowledges at the door; what comes behind the
door is measured by ``fengsui bench core``.
"""

import asyncio
import json
import logging
import os
import shutil
import socket
import struct
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.mqtt.collector import MqttCollector
from edge.config import MqttOptions, Source, TopicOptions
from edge.model import Link, Scan, Tag, TagTable

TAGS: Final = 100
TAGS_RAW: Final = 1_000
PLAIN: Final = "paho, a plain loop over values"
NS: Final = 1_000_000_000
NOON_S: Final = 1_767_268_800
START_S: Final = 10.0
GIVE_UP_S: Final = 300.0
FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/sbin")  # Where servers are that ordinary users do not start.

_RAW: Final = struct.Struct(f"<Q{TAGS_RAW}f")

Told = dict[str, float]
#: Drains the session that has the way's own name; is given port, messages and values each, gives ``wall_s``, ``cpu_s``.
Way = Callable[[int, int, int], Awaitable[Told]]


class NoBrokerError(Exception):
    """There is no broker to drain."""


@asynccontextmanager
async def broker() -> AsyncIterator[int]:
    """Start a mosquitto on a free loopback port that keeps all it is told; give the port.

    Raises:
        NoBrokerError: It is not installed, or does not listen.
    """
    program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS]))
    if program is None:
        raise NoBrokerError("mosquitto is not installed on this machine; install it to measure against a real broker.")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "mosquitto.conf"
        settings.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_inflight_messages 0\nmax_queued_messages 0\nlog_dest none\n",
            "utf-8",
        )
        child = await asyncio.create_subprocess_exec(program, "-c", str(settings))
        try:
            await _wait_for(port)
            yield port
        finally:
            child.terminate()
            await child.wait()


async def _wait_for(port: int) -> None:
    try:
        async with asyncio.timeout(START_S):
            while not await _listens(port):  # noqa: ASYNC110 - another process tells nobody when it listens
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NoBrokerError(f"mosquitto did not listen on port {port} within {START_S:.0f} s.") from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def measure(messages: int) -> dict[str, Any]:
    """Measure with so many messages of one value, and a tenth as many of a hundred and of a thousand values each."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        return asyncio.run(_measure(messages))
    finally:
        structlog.configure(**before)


async def _measure(messages: int) -> dict[str, Any]:
    cases = await drain_all(messages, {})
    first = cases["one JSON value a message"]
    ours = first["ways"]["ours, to the door"]
    return {
        "messages_per_second": ours["messages_per_second"],
        "messages_per_core_second": ours["messages_per_core_second"],
        "cases": cases,
    }


async def drain_all(messages: int, others: Mapping[str, Way]) -> dict[str, Any]:
    """Drain each case by our ways and by others, each from a broker of its own; give the figures of each way.

    Others read JSON; what is raw is read by our ways alone.
    """
    cases: dict[str, Any] = {}
    for name, topics, payloads, values, more in (
        ("one JSON value a message", [f"one/{tag}" for tag in range(TAGS)], _ones(), 1, others),
        (f"{TAGS} values a message, by position", ["many"], _manys(), TAGS, others),
        (f"{TAGS_RAW} values a message, raw float32", ["raw"], _raws(), TAGS_RAW, {}),
    ):
        count = messages if values == 1 else max(messages // 10, 1)
        async with broker() as port:
            cases[name] = await _case(port, topics, payloads, count, values, more)
    return cases


def _ones() -> list[bytes]:
    return [json.dumps({"ts": NOON_S + at, "v": at / 8}).encode() for at in range(1_000)]


def _manys() -> list[bytes]:
    return [json.dumps({"ts": NOON_S + at, "v": [at / 8 + n for n in range(TAGS)]}).encode() for at in range(1_000)]


def _raws() -> list[bytes]:
    return [_RAW.pack(NOON_S + at, *(at / 8 + n for n in range(TAGS_RAW))) for at in range(100)]


async def _case(
    port: int, topics: list[str], payloads: list[bytes], count: int, values: int, others: Mapping[str, Way]
) -> dict[str, Any]:
    ways: dict[str, Way] = {
        "ours, to the door": _ours,
        "paho, its callback alone": _callback,
        PLAIN: _plain,
        **others,
    }
    for client in ways:
        await asyncio.to_thread(_subscribe, port, client, "#" if values == 1 else topics[0])
    await asyncio.to_thread(_fill, port, topics, payloads, count)
    told = {}
    for name, way in ways.items():
        figures = await asyncio.wait_for(way(port, count, values), GIVE_UP_S)
        told[name] = figures | {
            "messages_per_second": count / figures["wall_s"],
            "messages_per_core_second": count / figures["cpu_s"],
            "values_per_second": count * values / figures["wall_s"],
        }
    return {"messages": count, "values_each": values, "ways": told}


def _client(port: int, name: str) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
    client.max_inflight_messages_set(20_000)
    client.connect("127.0.0.1", port)
    return client


def _subscribe(port: int, name: str, pattern: str) -> None:
    """Leave a session at the broker that keeps what is published."""
    done = threading.Event()
    client = _client(port, name)
    client.on_subscribe = lambda *_: done.set()
    client.loop_start()
    client.subscribe(pattern, 1)
    if not done.wait(START_S):
        raise NoBrokerError("the broker did not answer a subscription.")
    client.disconnect()
    client.loop_stop()


def _fill(port: int, topics: list[str], payloads: list[bytes], count: int) -> None:
    client = _client(port, "filler")
    client.loop_start()
    last = None
    for at in range(count):
        last = client.publish(topics[at % len(topics)], payloads[at % len(payloads)], 1)
    if last is not None:
        last.wait_for_publish(GIVE_UP_S)
    client.disconnect()
    client.loop_stop()


class _Watch:
    """Wall and processor time from the first message to the last."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._began: tuple[int, int] | None = None
        self.ended: Told = {}

    def begin(self) -> None:
        """Start the clock, once."""
        if self._began is None:
            self._began = (time.perf_counter_ns(), time.process_time_ns())

    def take(self, count: int) -> bool:
        """Count messages; True with the last."""
        self.begin()
        assert self._began is not None, "begun above"
        self._left -= count
        if self._left <= 0 and not self.ended:
            wall_ns, cpu_ns = time.perf_counter_ns() - self._began[0], time.process_time_ns() - self._began[1]
            self.ended = {"wall_s": wall_ns / NS, "cpu_s": cpu_ns / NS}
        return self._left <= 0


async def _ours(port: int, count: int, values: int) -> Told:
    every = [Tag(name=f"{tag}.v", source="m", range_lo=-1e9, range_hi=1e9) for tag in range(max(values, TAGS))]
    tags = TagTable(every)
    one = TopicOptions(pattern="one/{tag}", tag="{tag}.v")
    many = TopicOptions(pattern="many", format="json-batch", tags=tuple(tags.names))
    raw = TopicOptions(
        pattern="raw",
        format="binary",
        type="float32",
        endian="little",
        skip=8,
        time_at=0,
        time_in="s",
        tags=tuple(tags.names),
    )
    topics = (one, many) if values <= TAGS else (raw,)
    options = MqttOptions(host="127.0.0.1", port=port, client_id="ours, to the door", version="3.1.1", topics=topics)
    watch, done = _Watch(count * values), asyncio.Event()

    def deliver(item: Scan | Link, acknowledge: Acknowledge | None) -> bool:
        if acknowledge is not None:
            acknowledge()
        if isinstance(item, Link):
            watch.begin()  # The first scan comes when many messages have been read.
        elif watch.take(len(item)):
            done.set()
        return True

    collector = MqttCollector(Source(id="m", protocol="mqtt", mqtt=options), tags, SystemClock(), 1, deliver)
    task = asyncio.create_task(collector.run())
    await done.wait()
    task.cancel()
    await asyncio.wait([task])
    return watch.ended


async def _callback(port: int, count: int, values: int) -> Told:  # noqa: ARG001 - every way is asked alike
    watch = _Watch(count)
    return await asyncio.to_thread(_drain, port, "paho, its callback alone", lambda _: watch.take(1), watch)


async def _plain(port: int, count: int, values: int) -> Told:
    watch = _Watch(count)
    latest: dict[str, tuple[float, float]] = {}

    def take_raw(message: MQTTMessage) -> bool:
        stamp, *found = _RAW.unpack(message.payload)
        for at, value in enumerate(found):
            latest[f"{at}.v"] = (stamp, value)
        return watch.take(1)

    def take(message: MQTTMessage) -> bool:
        document = json.loads(message.payload)
        found = document["v"]
        if isinstance(found, list):
            for at, value in enumerate(found):
                latest[f"{at}.v"] = (document["ts"], float(value))
        else:
            latest[message.topic.rpartition("/")[2] + ".v"] = (document["ts"], float(found))
        return watch.take(1)

    return await asyncio.to_thread(_drain, port, PLAIN, take_raw if values > TAGS else take, watch)


def _drain(port: int, name: str, take: Callable[[MQTTMessage], bool], watch: _Watch) -> Told:
    done = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)

    def arrived(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        if take(message):
            done.set()

    client.on_message = arrived
    client.connect("127.0.0.1", port)
    client.loop_start()
    done.wait(GIVE_UP_S)
    client.disconnect()
    client.loop_stop()
    return watch.ended


def render(result: dict[str, Any]) -> str:
    """Give the result as text."""
    lines: list[str] = []
    for name, case in result["cases"].items():
        lines.append(f"mqtt: {name}, {case['messages']} messages kept by a mosquitto, QoS 1")
        lines += [
            f"  {way:<30}{told['messages_per_second']:>10,.0f} messages/s   "
            f"{told['messages_per_core_second']:>10,.0f} a second of processor time   "
            f"{told['values_per_second']:>12,.0f} values/s"
            for way, told in case["ways"].items()
        ]
    return "\n".join(lines)
