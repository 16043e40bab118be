"""The InfluxDB writer in manual time against a server that is away, picky or killed."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edge.clock_manual import ManualClock, run_manual
from edge.model import Scan, Tag, TagTable
from gateway.historian import influx
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.influx import InfluxWriter, LinesRefusedError, ServerAwayError
from gateway.historian.inline import InlineExecutor

S = 1_000_000_000
TAGS = TagTable([Tag(name=f"T-{row}", source="a", unit="U") for row in range(3)])


class Server:
    """Takes lines; away or picky as told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.requests = 0
        self.away: ServerAwayError | None = None
        self.is_wrong: Callable[[str], bool] = lambda _: False

    def write(self, lines: bytes) -> None:
        self.requests += 1
        if self.away is not None:
            raise self.away
        given = lines.decode().split("\n")
        if any(self.is_wrong(line) for line in given):
            raise LinesRefusedError("status 400: unable to parse")
        self.lines += given

    def close(self) -> None:
        pass


def make_scan(number: int) -> Scan:
    return Scan(
        source="a",
        epoch=1,
        number=number,
        received_ns=0,
        rows=np.arange(3, dtype=np.int32),
        values=np.full(3, float(number)),
        quality=np.zeros(3, dtype=np.uint8),
        times_ns=np.full(3, number * S, dtype=np.int64),
    )


class House:
    """A historian with its InfluxDB writer, on one clock."""

    def __init__(self, folder: Path, clock: ManualClock, server: Server, samples_most: int = 1_000_000) -> None:
        inline = InlineExecutor()
        self.server = server
        self.historian = EmbeddedHistorian(folder / "h.db", TAGS, clock, writer=inline, reader=inline)
        self.spool = self.historian.open_spool("influx", samples_most=samples_most)
        self.writer = InfluxWriter(
            self.spool,
            server,
            TAGS,
            site="demo",
            clock=clock,
            jitter=lambda: 0.5,
            quarantine=folder / "refused.lp",
            executor=inline,
        )
        self.task = asyncio.create_task(self.writer.run())

    async def scan(self, *numbers: int) -> None:
        for number in numbers:
            self.historian.append(make_scan(number))
            await self.historian.flush()

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.historian.close()

    @property
    def numbers(self) -> list[int]:
        """Numbers of the scans whose first tag the server has, in order of arrival."""
        return [int(line.split(" ")[2]) // S for line in self.server.lines if "tag=T-0," in line]


def live(tmp_path: Path, story: Callable[[House, Server], Awaitable[None]], samples_most: int = 1_000_000) -> None:
    clock = ManualClock()

    async def run() -> None:
        server = Server()
        house = House(tmp_path, clock, server, samples_most)
        await story(house, server)
        await house.close()

    run_manual(run(), clock)


def test_what_is_committed_is_sent_once_while_all_is_well(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        for number in range(1, 200):
            await house.scan(number)
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        assert house.numbers == list(range(1, 200))
        assert server.lines[0] == "fengsui,nature=actual,site=demo,tag=T-0,unit=U value=1.0,quality=0i 1000000000"
        assert house.writer.counts.sent == 3 * 199
        assert house.writer.counts.is_up

    live(tmp_path, story)


def test_an_outage_loses_nothing_and_the_last_minute_before_it_is_sent_again(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        for number in range(1, 101):
            await house.scan(number)
            await asyncio.sleep(1)
        server.away = ServerAwayError("refused")
        for number in range(101, 201):
            await house.scan(number)
            await asyncio.sleep(10)
        assert not house.writer.counts.is_up
        assert house.writer.counts.last_error == "refused"
        assert 1000 / 30 < house.writer.counts.failures < 60, "back-off up to half a minute"
        before = len(house.numbers)
        server.away = None
        await asyncio.sleep(60)
        assert sorted(set(house.numbers)) == list(range(1, 201))
        again = house.numbers[before:]
        assert again == list(range(again[0], 201)), "in order"
        assert 38 <= again[0] <= 42, "from a minute before the outage"

    live(tmp_path, story)


def test_the_server_says_when_it_wants_to_hear_from_us(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        server.away = ServerAwayError("status 429", 100.0)
        await house.scan(1)
        await asyncio.sleep(1.5)
        seen = server.requests
        await asyncio.sleep(95)
        assert server.requests == seen
        server.away = None
        await asyncio.sleep(10)
        assert house.numbers == [1]

    live(tmp_path, story)


def test_one_wrong_line_is_set_aside_and_all_others_go_on(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        server.is_wrong = lambda line: "tag=T-1," in line and line.endswith(" 7000000000")
        await house.scan(*range(1, 21))
        await asyncio.sleep(3)
        assert house.numbers == list(range(1, 21))
        assert len(server.lines) == 59
        assert (house.writer.counts.sent, house.writer.counts.refused) == (59, 1)
        kept = (tmp_path / "refused.lp").read_text()
        assert kept.startswith("# status 400: unable to parse\nfengsui,")
        assert kept.count("\n") == 2
        await house.scan(21)
        await asyncio.sleep(3)
        assert house.numbers[-1] == 21

    live(tmp_path, story)


def test_a_server_that_refuses_everything_does_not_stop_the_road(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "REFUSED_BYTES_MOST", 2000)

    async def story(house: House, server: Server) -> None:
        server.is_wrong = lambda _: True
        await house.scan(*range(1, 101))
        await asyncio.sleep(10)
        assert house.writer.counts.refused == 300
        assert server.requests < 100, "does not look for one bad line among bad lines for ever"
        assert (tmp_path / "refused.lp").stat().st_size <= 2000

    live(tmp_path, story)


def test_a_restart_goes_on_where_nothing_was_confirmed_long_enough(tmp_path: Path) -> None:
    clock = ManualClock()

    async def run() -> None:
        first = House(tmp_path, clock, Server())
        for number in range(1, 101):
            await first.scan(number)
            await asyncio.sleep(1)
        first.server.away = ServerAwayError("refused")
        await first.scan(101, 102)
        await first.close()
        second = House(tmp_path, clock, Server())
        await second.scan(103)
        await asyncio.sleep(5)
        assert second.numbers == list(range(second.numbers[0], 104))
        assert second.numbers[0] <= 42, "the minute before the restart is sent again"
        assert second.numbers[0] > 30, "but not all"
        await second.close()

    run_manual(run(), clock)


def count_recent(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "h.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM recent").fetchone()[0])


def test_what_is_in_chunks_and_released_leaves_the_spool(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        await house.scan(1)
        await asyncio.sleep(420)
        assert house.spool.read(0, 10) is None, "folded after five minutes, released after one"
        server.away = ServerAwayError("refused")
        await house.scan(2)
        await asyncio.sleep(1000)
        part = house.spool.read(0, 10)
        assert part is not None
        assert part.values.tolist() == [2.0] * 3, "in a chunk, but not released"
        series = await house.historian.range(0, 0, 10 * S, 10)
        assert series.values[series.count > 0].tolist() == [1.0, 2.0]
        server.away = None
        await asyncio.sleep(200)
        assert house.numbers == [1, 2]
        assert house.spool.read(0, 10) is None
        assert count_recent(tmp_path) == 0

    live(tmp_path, story)


def test_a_spool_without_room_lets_the_oldest_go_and_counts_them(tmp_path: Path) -> None:
    async def story(house: House, server: Server) -> None:
        server.away = ServerAwayError("refused")
        await house.scan(*range(1, 101))
        await asyncio.sleep(120)
        assert house.historian.spool_lost == 3 * 80
        server.away = None
        await asyncio.sleep(60)
        assert house.numbers == list(range(81, 101))
        series = await house.historian.range(0, 0, 1000 * S, 1000)
        assert len(series) == 100, "they are in the embedded history all the same"

    live(tmp_path, story, samples_most=60)
