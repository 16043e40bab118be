"""Delivery over a whole gateway: expected and came by hour, back-fill in its own hour, restarts, a store that fails."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from alerting.model.rule import RuleTable
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from gateway.api import make_app
from gateway.app import Gateway, Parts
from gateway.auth import make_link
from gateway.delivery import ledger
from gateway.delivery.books import HOUR_NS, Books, Hour, rates
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.store import schema
from tests.scripted import Scripted, small_site

T = TypeVar("T")
S = 1_000_000_000
START_NS = 1_767_225_600_000_000_000  # a full hour
SOURCE = Source(id="plc", protocol="mqtt", silent_after_s=30.0)
BAD = encode(Quality.BAD, Reason.TIMEOUT)
TAGS = TagTable([Tag(name="T.v", source="plc", unit="T", period_s=10.0), Tag(name="T.w", source="plc", period_s=10.0)])


def scan(at_s: float, *, took_s: float = 0.0, quality: int = 0, source: str = "plc", is_backfill: bool = False) -> Scan:
    """A sample of both tags, measured at a time after the start and received later."""
    times_ns = np.full(2, START_NS + round(at_s * S), dtype=np.int64)
    return Scan(
        source=source, epoch=1, number=1, received_ns=int(times_ns[0]) + round(took_s * S),
        rows=np.arange(2, dtype=np.int32), values=np.zeros(2), quality=np.full(2, quality, dtype=np.uint8),
        times_ns=times_ns, nature=SOURCE.nature, is_backfill=is_backfill,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- books


def test_each_sample_counts_in_the_hour_in_which_it_was_measured() -> None:
    books = Books()
    books.note([scan(3599, took_s=5), scan(3600), scan(7300, quality=BAD), scan(10, took_s=7200, is_backfill=True)])
    books.note([scan(3601, source="derived:plc"), scan(3601, source="fengsui")])
    books.settle()
    found = {hour_ns: (hour.good, hour.bad, hour.late) for (_, hour_ns), hour in books.take().items()}

    assert found == {START_NS: (4, 0, 2), START_NS + HOUR_NS: (2, 0, 0), START_NS + 2 * HOUR_NS: (0, 2, 0)}
    assert books.take() == {}


def test_what_was_retained_at_the_broker_is_from_before() -> None:
    books = Books()
    books.note([scan(1, quality=encode(Quality.UNCERTAIN, Reason.RETAINED))])
    books.settle()

    assert books.take() == {}


@pytest.mark.parametrize("took_s", [0.0, 0.0009, 0.02, 1.0, 61.0, 5e5, 1e7])
def test_a_quantile_is_never_too_low_and_at_most_a_third_too_high(took_s: float) -> None:
    books = Books()
    books.note([scan(0, took_s=took_s)])
    books.settle()
    (hour,) = books.take().values()
    told = hour.quantile_s(0.99)

    assert told is not None
    assert min(took_s, 1e6) <= told <= max(0.001, min(took_s, 1e6) * 10 ** (1 / 8)) * 1.0001


def test_quantiles_against_the_samples_themselves() -> None:
    luck = np.random.default_rng(7)
    took_s = luck.lognormal(-2, 1.5, 4_000)
    books = Books()
    books.note([scan(at, took_s=float(took)) for at, took in enumerate(took_s)])
    books.settle()
    total = Hour()
    for hour in books.take().values():
        total.add(hour)

    for share in (0.5, 0.99):
        told, true = total.quantile_s(share), float(np.quantile(took_s, share))
        assert told is not None
        assert 0.99 * true <= told <= 1.35 * true
    assert Hour().quantile_s(0.5) is None


# ------------------------------------------------------------------------------------------------------- whole gateway


class FailingExecutor(InlineExecutor):
    """A disk that is full between two moments, s after the start."""

    def __init__(self, clock: ManualClock, from_s: float, to_s: float) -> None:
        self.clock, self.from_s, self.to_s = clock, from_s, to_s

    async def run(self, function: Callable[[], T]) -> T:
        """Refuse as SQLite does."""
        if self.from_s <= (self.clock.wall_ns() - START_NS) / S < self.to_s:
            raise OperationalError("COMMIT", None, Exception("database or disk is full"))
        return await super().run(function)


def played(
    folder: Path,
    scans: list[Scan],
    story: Callable[[Gateway, Callable[..., Awaitable[Any]]], Awaitable[None]],
    *,
    at_s: float = 0.0,
    fails: tuple[float, float] = (0.0, 0.0),
    source: Source = SOURCE,
) -> None:
    clock = ManualClock(START_NS + round(at_s * S))
    site = small_site(RuleTable([], TAGS), source, folder)

    def make(_s: object, _t: object, at: object, epoch: int, deliver: object) -> Scripted:
        return Scripted(sorted(scans, key=lambda one: one.received_ns), at, epoch, deliver)  # type: ignore[arg-type]

    writer = FailingExecutor(clock, *fails)
    parts = Parts(
        historian=MemoryHistorian(site.tags), writer=writer, reader=InlineExecutor(), compiler=InlineExecutor(),
        make_collector=make, jitter_seed=1,  # type: ignore[arg-type]
    )  # fmt: skip
    gateway = Gateway(site, clock, parts)

    async def main() -> None:
        async with gateway.running():
            transport = httpx.ASGITransport(make_app(gateway, dist=folder / "dist"), client=("10.1.2.3", 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://g") as client:
                await client.get(f"/login/{make_link(gateway.engine, 'wu', 'viewer', clock)}")

                async def get(path: str = "", **asked: Any) -> Any:  # noqa: ANN401
                    answer = await client.get(f"/api/v1/delivery{path}", params=asked)
                    return answer if path or answer.status_code != 200 else answer.json()

                await story(gateway, get)

    run_manual(main(), clock)


def counted(told: Any) -> list[tuple[int, int, int] | None]:  # noqa: ANN401
    (row,) = told["sources"]
    return [None if cell is None else (cell["expected"], cell["good"], cell["bad"]) for cell in row["hours"]]


def test_hour_by_hour_from_when_the_source_was_first_known(tmp_path: Path) -> None:
    """Begun 120 s before a full hour; each tag is due every 10 s. Nothing comes for 40 s, later 3 scans are BAD."""
    steady = [scan(at) for at in range(3490, 3790, 10) if not 3520 <= at < 3560]
    told_bad = [scan(at, quality=BAD) for at in (3650, 3660, 3670)]
    steady = [one for one in steady if int(one.times_ns[0] - START_NS) // S not in (3650, 3660, 3670)] + told_bad

    async def story(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(301)
        told = await get()
        assert counted(told)[:-2] == [None] * 22, "before the gateway knew the source nothing was expected"
        assert counted(told)[-2:] == [(24, 14, 0), (36, 2 * (18 - 3), 6)]
        row = told["sources"][0]
        assert row["hours"][-2]["completeness"] == pytest.approx(14 / 24, abs=1e-4)
        assert (row["total"]["good"], row["total"]["expected"], row["total"]["p50_s"]) == (44, 60, 0.001)
        table = list(csv.DictReader(io.StringIO((await get("/export")).text.lstrip("\ufeff"))))
        assert [(line["kind"], line["name"], line["good"], line["completeness_percent"]) for line in table] == [
            ("source", "plc", "14", "58.333"), ("source", "plc", "30", "83.333"),
        ]  # fmt: skip
        assert (await get("", **{"from": "2026-01-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"})).status_code == 422
        assert (await get("", **{"from": "2024-01-01T00:00:00Z"})).status_code == 422

    played(tmp_path, steady, story, at_s=3480)


def test_a_restart_goes_on_in_the_same_hour_and_down_time_is_missing(tmp_path: Path) -> None:
    async def wait(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(45)  # What was not written within the minute is written at the end.

    async def look(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(61)
        assert counted(await get())[-4:] == [(720, 12, 0), (720, 0, 0), (720, 0, 0), (12, 0, 0)]

    played(tmp_path, [scan(at) for at in (10, 20, 30, 40)], wait)
    played(tmp_path, [scan(at) for at in (110, 120)], wait, at_s=100)
    played(tmp_path, [], look, at_s=3 * 3600)


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    async def story(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(125)
        assert counted(await get())[-1:] == [(24, 22, 0)]

    played(tmp_path, [scan(at) for at in range(10, 120, 10)], story, fails=(50.0, 100.0))


def test_back_fill_closes_the_gap_of_its_own_hour(tmp_path: Path) -> None:
    late = [replace(scan(at, is_backfill=True), received_ns=START_NS + 3700 * S + at) for at in range(3550, 3600, 10)]

    async def story(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(121)
        assert counted(await get())[-2] == (12, 0, 0)
        await asyncio.sleep(60)
        first = (await get())["sources"][0]["hours"][-2]
        assert (first["expected"], first["good"], first["late"]) == (12, 10, 10)
        assert 100 < first["p50_s"] < 200

    played(tmp_path, late, story, at_s=3540)


def test_sources_of_a_node_are_added(tmp_path: Path) -> None:
    async def story(_: Gateway, get: Callable[..., Awaitable[Any]]) -> None:
        await asyncio.sleep(61)
        told = await get()
        (node,) = told["nodes"]
        assert (node["id"], node["total"]["expected"]) == ("north", 12)

    played(tmp_path, [], story, source=replace(SOURCE, node="north", protocol="node"))


def test_what_is_older_than_it_is_kept_goes() -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        for day in (0, 50, 93):
            key = ("plc", START_NS + day * 24 * HOUR_NS)
            ledger.write(connection, {key: Hour(good=1)}, {"plc": 720.0}, key[1] + HOUR_NS, START_NS)
        ledger.forget(connection, START_NS + 93 * 24 * HOUR_NS)
        found, since = ledger.read(connection, 0, 2**62)

    assert [one.hour_ns for one in found] == [START_NS + 50 * 24 * HOUR_NS, START_NS + 93 * 24 * HOUR_NS]
    assert since == {"plc": START_NS + 50 * 24 * HOUR_NS}


def test_tags_added_or_removed_later_do_not_change_what_was_due() -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    key = ("plc", START_NS)
    with engine.begin() as connection:
        ledger.write(connection, {key: Hour(good=300)}, {"plc": 720.0}, START_NS + HOUR_NS // 2, START_NS)
        half, _ = ledger.read(connection, 0, 2**62)
        ledger.write(connection, {key: Hour()}, {"plc": 720.0}, START_NS + HOUR_NS + S, START_NS, {key})
        ledger.write(connection, {key: Hour(good=400)}, {"plc": 9_000.0}, START_NS + 2 * HOUR_NS, START_NS)
        found, _ = ledger.read(connection, 0, 2**62)
        assert ledger.last_hours(connection) == {key}

    assert [(one.expected, one.came.good) for one in half] == [(360.0, 300)]
    assert [(one.expected, one.came.good) for one in found] == [(720.0, 700)], "settled once, and back-fill fills it"


def test_many_hours_at_once_are_written_in_parts() -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    taken = {("plc", START_NS + at * HOUR_NS): Hour(good=at) for at in range(1_000)}
    with engine.begin() as connection:
        for _ in range(2):
            ledger.write(connection, taken, {"plc": 720.0}, START_NS + 1_000 * HOUR_NS, START_NS)
        found, _ = ledger.read(connection, 0, 2**62)

    assert [one.came.good for one in found] == [2 * at for at in range(1_000)]
    assert [hour.good for hour in taken.values()] == list(range(1_000)), "a write that fails is tried again with these"
    assert {one.expected for one in found} == {720.0}


def test_what_is_expected_follows_the_tags() -> None:
    assert rates((SOURCE, Source(id="fengsui", protocol="system")), TAGS) == {"plc": 720.0}
