"""Data loggers of HJ 212 over real sockets: answered when durable, told by station, and nothing else is ever sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.hj212.collector import Hj212Collector
from edge.collect.hj212.door import Doors
from edge.config import Hj212Options, Source
from edge.decode.codec.hj212 import crc_of
from edge.load import ConfigError
from edge.model import Link, Nature, Scan, Tag, TagTable
from gateway.load import load
from gateway.plan import plan, render

pytestmark = pytest.mark.network

MN = "010000A8900016F000169DC0"
TAGS = TagTable(
    [
        Tag(name="WW-1.w01001-Rtd", source="outlet", range_lo=0, range_hi=14),
        Tag(name="WW-1.w01018-Rtd", source="outlet"),
        Tag(name="WW-2.w01001-Rtd", source="second"),
    ]
)
#: HJ 212-2017 appendix C, table C.14.
SEGMENT = (
    f"QN=20160801085857223;ST=32;CN=2011;PW=123456;MN={MN};Flag=5;CP=&&DataTime=20160801085857;"
    "w01001-Rtd=7.1,w01001-Flag=N;w01018-SampleTime=20160801070000,w01018-Rtd=2.2,w01018-Flag=N,w01018-EFlag=A01&&"
)
ANSWER = f"QN=20160801085857223;ST=91;CN=9014;PW=123456;MN={MN};Flag=4;CP=&&&&"


def frame(segment: str) -> bytes:
    data = segment.encode()
    return b"##%04d%s%04X\r\n" % (len(data), data, crc_of(data))


@dataclass
class Road:
    is_prompt: bool = True
    scans: list[Scan] = field(default_factory=list)
    links: list[bool] = field(default_factory=list)
    held: list[Acknowledge] = field(default_factory=list)
    has_room: bool = True

    def __call__(self, item: Scan | Link, acknowledge: Acknowledge | None) -> bool | None:
        if isinstance(item, Link):
            self.links.append(item.is_up)
            return None
        if not self.has_room:
            return False
        self.scans.append(item)
        assert acknowledge is not None
        if self.is_prompt:
            acknowledge()
        else:
            self.held.append(acknowledge)
        return None


def source(name: str = "outlet", **options: Any) -> Source:  # noqa: ANN401
    usual = Hj212Options(port=0, station=MN, tag="WW-1.{name}")
    return Source(id=name, protocol="hj212", nature=Nature.TEST, hj212=replace(usual, **options))


@asynccontextmanager
async def collecting(*sources: Source) -> AsyncIterator[tuple[list[Road], list[Hj212Collector]]]:
    doors = Doors()
    roads = [Road() for _ in sources]
    made = [Hj212Collector(one, TAGS, SystemClock(), 1, road, doors) for one, road in zip(sources, roads, strict=True)]
    tasks = [asyncio.create_task(one.run()) for one in made]
    async with asyncio.timeout(5):
        while not all(one.port for one in made):  # noqa: ASYNC110 - the door tells nobody when it is open
            await asyncio.sleep(0.01)
    try:
        yield roads, made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def said(reader: asyncio.StreamReader, seconds: float = 0.3) -> bytes:
    """Give what has been sent back until it is quiet."""
    heard = b""
    try:
        async with asyncio.timeout(seconds):
            while data := await reader.read(65_536):
                heard += data
    except (TimeoutError, ConnectionResetError):
        pass
    return heard


async def test_a_frame_of_the_standard_becomes_samples_and_is_answered_when_durable() -> None:
    async with collecting(source()) as ((road,), (collector,)):
        road.is_prompt = False
        reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
        writer.write(frame(SEGMENT)[:50])
        await asyncio.sleep(0.05)
        writer.write(frame(SEGMENT)[50:])
        assert await said(reader) == b""  # Not before the road says so.
        (scan,) = road.scans
        assert [TAGS[int(row)].name for row in scan.rows] == ["WW-1.w01001-Rtd", "WW-1.w01018-Rtd"]
        assert scan.values.tolist() == [7.1, 2.2]
        assert scan.times_ns.tolist() == [1_470_013_137_000_000_000] * 2  # 2016-08-01 08:58:57 in Beijing
        road.held.pop()()
        assert await said(reader) == frame(ANSWER)
        assert road.links == [False, True]
        writer.close()
        await asyncio.sleep(0.1)
        assert road.links == [False, True, False]


async def test_what_is_not_judged_is_answered_and_what_is_wrong_is_not() -> None:
    async with collecting(source(password="123456")) as ((road,), (collector,)):
        reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
        writer.write(frame(SEGMENT.replace("CN=2011", "CN=2051").replace("-Rtd", "-Avg")))
        assert await said(reader) == frame(ANSWER)
        writer.write(frame(SEGMENT.replace("Flag=5", "Flag=4")))
        writer.write(frame(SEGMENT.replace("PW=123456", "PW=000000")))
        writer.write(frame(SEGMENT.replace(MN, "OTHER")))
        writer.write(frame(SEGMENT).replace(b"Rtd=7.1", b"Rtd=9.1"))
        writer.write(frame(SEGMENT.replace("w01001", "x1").replace("w01018", "x2")))
        assert await said(reader) == frame(ANSWER)  # The last one's alone: it asked, and its codes are no tags of ours.
        assert [scan.values.tolist() for scan in road.scans] == [[7.1, 2.2]]
        assert collector.counters.refused == {"not_real_time": 1, "password": 1, "unknown_tag": 2}
        assert collector.counters.failures == {"caller_unknown_station": 1, "caller_malformed": 1}, (
            "what the door refused"
        )
        assert collector.counters.received_bytes > 3 * len(SEGMENT)
        assert collector.counters.sent_bytes == 2 * len(frame(ANSWER))
        assert collector.counters.kept["password"].payload.startswith(b"##")
        assert b"PW=***;" in collector.counters.kept["password"].payload
        writer.close()


async def test_a_full_road_gives_no_answer_so_that_the_logger_sends_again() -> None:
    async with collecting(source()) as ((road,), (collector,)):
        road.has_room = False
        reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
        writer.write(frame(SEGMENT))
        assert await said(reader) == b""
        road.has_room = True
        writer.write(frame(SEGMENT))
        assert await said(reader) == frame(ANSWER)
        writer.close()


async def test_one_connection_may_bring_several_stations_over_one_port() -> None:
    second = source("second", station="M2", tag="WW-2.{name}")
    async with collecting(source(), second) as ((first_road, second_road), (one, other)):
        assert one.port == other.port
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(frame(SEGMENT) + b"noise" + frame(SEGMENT.replace(MN, "M2")))
        assert await said(reader) == frame(ANSWER) + frame(ANSWER.replace(MN, "M2"))
        assert [len(scan) for scan in first_road.scans + second_road.scans] == [2, 1]
        writer.close()


async def test_a_station_that_begins_anew_is_up_again_with_the_next_frame_of_a_logger_that_stayed() -> None:
    """A reload of one of two stations: the logger keeps its connection, for the other one is still expected."""
    second = source("second", station="M2", tag="WW-2.{name}")
    doors, road, other = Doors(), Road(), Road()

    def begin(one: Source, to: Road) -> tuple[Hj212Collector, asyncio.Task[None]]:
        collector = Hj212Collector(one, TAGS, SystemClock(), 1, to, doors)
        return collector, asyncio.create_task(collector.run())

    (one, task), (_, kept) = begin(source(), road), begin(second, other)
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write(frame(SEGMENT) + frame(SEGMENT.replace(MN, "M2")))
    assert len(await said(reader)) > 0
    assert road.links == other.links == [False, True]

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    fresh = Road()
    _, task = begin(source(password="654321"), fresh)
    await asyncio.sleep(0.05)
    writer.write(frame(SEGMENT) + frame(SEGMENT.replace(MN, "M2")))
    assert await said(reader) == frame(ANSWER.replace(MN, "M2"))  # The old password counts no more.
    assert fresh.links == [False]
    writer.write(frame(SEGMENT.replace("PW=123456", "PW=654321")))
    assert len(await said(reader)) > 0
    assert fresh.links == [False, True]
    assert other.links == [False, True]
    for each in (task, kept):
        each.cancel()
    await asyncio.gather(task, kept, return_exceptions=True)
    writer.close()


async def test_a_station_whose_terms_are_the_same_stays_up_over_a_reload() -> None:
    """Its tags changed; the logger stayed for the other station and is not asked to say anything first."""
    second = source("second", station="M2", tag="WW-2.{name}")
    doors, road, other, fresh = Doors(), Road(), Road(), Road()

    def begin(one: Source, to: Road) -> asyncio.Task[None]:
        return asyncio.create_task(Hj212Collector(one, TAGS, SystemClock(), 1, to, doors).run())

    task, kept = begin(source(), road), begin(second, other)
    await asyncio.sleep(0.05)
    assert source().hj212 is not None
    port = doors.door(source().hj212).port  # type: ignore[arg-type]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frame(SEGMENT) + frame(SEGMENT.replace(MN, "M2")))
    assert len(await said(reader)) > 0

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    task = begin(source(tag="WW-9.{name}"), fresh)
    await asyncio.sleep(0.05)
    assert fresh.links == [True]
    writer.close()
    await asyncio.sleep(0.05)
    assert fresh.links == [True, False], "and down when the logger goes"
    for each in (task, kept):
        each.cancel()
    await asyncio.gather(task, kept, return_exceptions=True)


async def test_who_may_not_call_is_closed_without_a_byte() -> None:
    async with collecting(source(allow=("192.0.2.0/24",))) as ((road,), (collector,)):
        reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
        assert await said(reader, 5.0) == b""
        assert reader.at_eof() or reader.exception() is not None
        writer.close()
        assert road.scans == []


async def test_endless_bytes_are_never_held() -> None:
    async with collecting(source()) as ((road,), (collector,)):
        reader, writer = await asyncio.open_connection("127.0.0.1", collector.port)
        for _ in range(200):
            writer.write(b"##9999" + b"#" * 50_000)
            await writer.drain()
        writer.write(b"\r\n" + frame(SEGMENT))
        heard = await said(reader, 2.0)
        assert heard in (b"", frame(ANSWER))  # A lying length may swallow what follows it, once.
        writer.write(frame(SEGMENT) * 200)
        assert await said(reader, 1.0)
        assert road.scans
        writer.close()


SITE = """
[site]
id = "works"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
{sources}
"""
ONE = '[[source]]\nid = "{id}"\nprotocol = "hj212"\n{keys}\n'


def test_a_site_with_loggers(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("tag,source,period_s\nWW-1.w01001-Rtd,a,60\nWW-2.w01001-Rtd,b,60\n", "utf-8")
    path = tmp_path / "site.toml"

    def write(a: str, b: str) -> None:
        sources = ONE.replace("{id}", "a").replace("{keys}", a) + ONE.replace("{id}", "b").replace("{keys}", b)
        path.write_text(SITE.replace("{sources}", sources) + '[[unit]]\nid = "U"\n', "utf-8")

    write('port = 9212\nstation = "M1"\ntag = "fixed"\nhost = "x"', 'station = "M1"\nlisten = "10.0.0.1"')
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    assert [(m.path, m.sentence.split(": ", 1)[1].split(";")[0]) for m in caught.value.mistakes] == [
        ("source[0].tag", 'tag "fixed" is the same for every value of a frame.'),
        ("source[0].host", "host belongs to modbus-tcp, modbus-rtu-tcp, mqtt and sparkplug"),
        ("source[1].allow", "allow is missing"),
        ("source[1].port", "port is missing"),
    ]
    write('port = 9212\nstation = "M1"', 'port = 9212\nstation = "M1"')
    with pytest.raises(ConfigError, match='station "M1" is that of source a too'):
        load(path, environ={})
    write('port = 9212\nstation = "M1"\ntag = "WW-1.{name}"', 'port = 9212\nstation = "M2"\ntag = "WW-2.{name}"')
    made = plan(load(path, environ={}))
    assert [logger.station for logger in made.loggers] == ["M1", "M2"]
    assert "HJ 212 a calls 127.0.0.1:9212 as station M1" in render(made)
