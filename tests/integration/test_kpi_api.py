"""Figures over the API: by the index, one nature, one post; as HTML and XLSX."""

import io
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import Connection, Engine, insert, text

from alerting.roster.plan import Post
from edge.model import Nature
from gateway.figures import read_figures, statement
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.integration.test_roster_api import NOW, PLAN, Office

S = 1_000_000_000
NOW_NS = round(NOW.timestamp()) * S
HOUR = 3_600 * S
ZONE = ZoneInfo("Asia/Shanghai")


def rows(count: int, nature: str, begin_ns: int, step_ns: int, unit: str = "T") -> list[dict[str, Any]]:
    """Alarms that ring, return and are acknowledged, one after the other."""
    words = ("raised", "returned", "acknowledged")
    return [
        {
            "id": f"{nature}{begin_ns}{unit}{n}", "nature": nature, "what": words[n % 3],
            "time_ns": begin_ns + n * step_ns,
            "received_ns": begin_ns + n * step_ns, "unit": unit, "alarm": f"{unit}a{n // 3}",
            "alarm_key": f"k{n // 3 % 50}",
            "tag": f"T.{n // 3 % 50}", "rule_group": "high", "condition": "H", "tier": 2, "state": "UNACK",
            "value": None, "setpoint": None, "suppression": "none", "is_late": False, "cause": "{}",
        }
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    posts = (replace(PLAN.posts[0], units=("T",)), Post(id="pump", title={}, shifts=("day",), units=("P",)))
    made.house.site = replace(made.house.site, roster=replace(PLAN, posts=posts))
    with made.house.engine.begin() as connection:
        connection.execute(insert(schema.event), rows(9, "actual", NOW_NS - 2 * HOUR, 60 * S))
        connection.execute(insert(schema.event), rows(30, "exercise", NOW_NS - 2 * HOUR, 60 * S))
        connection.execute(insert(schema.event), rows(6, "actual", NOW_NS - HOUR, 60 * S, "P"))
        connection.execute(insert(schema.event), rows(3, "actual", NOW_NS - 40 * HOUR, 60 * S, "Q"))
    yield made
    for person in made.open:
        await person.aclose()
    made.house.engine.dispose()


async def test_figures_are_of_one_nature_one_period_and_one_post(office: Office) -> None:
    guest = await office.enter("guest")

    async def alarms(**query: str) -> int:
        answer = await guest.get("/api/v1/kpi/figures", params=query)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["alarms"])

    assert await alarms() == 5
    assert await alarms(nature="exercise") == 10
    assert await alarms(nature="test") == 0
    assert await alarms(span="month") == 6
    assert await alarms(post="board") == 3
    assert await alarms(post="pump") == 2
    told = (await guest.get("/api/v1/kpi/figures")).json()
    assert told["answers"]["YELLOW"]["median_s"] == 120.0
    assert all(target["source"] for target in told["targets"])


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-22T08:00:00+08:00", "to": "2026-11-22T08:00:00+08:00"},
        {"from": "2020-01-01T00:00:00Z"},
        {"post": "nowhere"},
        {"nature": "real"},
        {"span": "year"},
    ],
)
async def test_a_period_that_is_none_is_refused(office: Office, query: dict[str, str]) -> None:
    guest = await office.enter("guest")

    assert (await guest.get("/api/v1/kpi/figures", params=query)).status_code == 422


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("Alarm report", "Most alarms in 10 min")), ("zh", ("报警统计报告", "最多"))]
)
async def test_a_report_says_the_same_in_both_forms(office: Office, lang: str, words: tuple[str, str]) -> None:
    guest = await office.enter("guest")
    page = (await guest.get("/api/v1/kpi/export", params={"form": "html", "lang": lang})).text
    book = await guest.get("/api/v1/kpi/export", params={"form": "xlsx", "lang": lang})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active

    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    for word in words:
        assert word in page
        assert any(word in cell for cell in cells)
    assert "<script" not in page


def plan_of(connection: Connection) -> str:
    query = statement(Nature.ACTUAL, (NOW_NS - HOUR, NOW_NS))
    compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
    return " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))


@pytest.fixture
def large(tmp_path: Path) -> Engine:
    engine = open_store(store_url(tmp_path))
    with engine.begin() as connection:
        connection.execute(insert(schema.event), rows(100_000, "actual", NOW_NS - 80_000 * S, S // 2))
        connection.execute(insert(schema.event), rows(3, "actual", NOW_NS - 400 * HOUR, S, "Q"))
    return engine


def test_a_hundred_thousand_events_are_read_by_the_index_and_soon(large: Engine) -> None:
    with large.connect() as connection:
        assert "ix_event_nature_time" in plan_of(connection)
        began = time.process_time()
        whole = read_figures(connection, Nature.ACTUAL, (NOW_NS - 80_000 * S, NOW_NS), ZONE)
        whole_s = time.process_time() - began
        began = time.process_time()
        small = read_figures(connection, Nature.ACTUAL, (NOW_NS - 80_000 * S, NOW_NS - 79_000 * S), ZONE)
        small_s = time.process_time() - began
    large.dispose()

    assert whole.load.alarms == 33_334
    assert small.load.alarms == 667
    assert small_s < whole_s / 5, "a short period does not read the whole"


def chatter(begin_ns: int, count: int = 6) -> list[dict[str, Any]]:
    """One alarm that comes every 15 s and goes after 5 s."""
    made = rows(3 * count, "actual", begin_ns, 5 * S)
    told = [
        {**row, "id": f"c{n}", "alarm_key": "chatters", "tag": "T.0", "condition": "H", "what": what}
        for n, (row, what) in enumerate(zip(made, ("raised", "returned", "acknowledged") * count, strict=True))
    ]
    return [row for row in told if row["what"] != "acknowledged"]


async def test_what_chatters_is_listed_with_what_would_have_spared_it_and_stands_in_the_report(office: Office) -> None:
    with office.house.engine.begin() as connection:
        connection.execute(insert(schema.event), chatter(NOW_NS - 3 * HOUR))
    person = await office.enter("guest")
    told = (await person.get("/api/v1/kpi/nuisances", params={"span": "day", "post": "board"})).json()
    (one,) = [one for one in told["nuisances"] if one["key"] == "chatters"]
    assert (one["activations"], one["chattering"], one["tag"], one["unit"]) == (6, 6, "T.0", "T")
    assert told["nuisances"][0]["key"] == "chatters", "the worst first"
    others = (await person.get("/api/v1/kpi/nuisances", params={"span": "day", "post": "pump"})).json()
    assert "chatters" not in [one["key"] for one in others["nuisances"]]
    page = (await person.get("/api/v1/kpi/export", params={"form": "html", "lang": "zh"})).text
    assert "频繁与瞬时报警" in page
    book = (await person.get("/api/v1/kpi/export", params={"form": "xlsx"})).content
    cells = [str(cell.value) for row in openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows() for cell in row]
    assert any(cell.startswith("T.0 high") for cell in cells)


async def test_a_shift_is_one_of_the_plants_own(office: Office) -> None:
    """It is nine: the day shift of the board has run for an hour, and the night before it was over at eight."""
    guest = await office.enter("guest")

    async def told(**query: str) -> tuple[str, str, Any]:
        answer = (await guest.get("/api/v1/kpi/figures", params=query)).json()
        return answer["from"], answer["to"], None if answer["shift"] is None else answer["shift"]["id"]

    assert await told(span="shift", post="board") == ("2026-11-22T00:00:00.000Z", "2026-11-22T01:00:00.000Z", "day")
    last = await told(span="last_shift", post="board")
    assert last == ("2026-11-21T12:00:00.000Z", "2026-11-22T00:00:00.000Z", "night")
    assert (await told(span="day"))[2] is None
    office.house.site = replace(office.house.site, roster=replace(PLAN, shifts=(), posts=()))
    assert await told(span="shift") == ("2026-11-21T13:00:00.000Z", "2026-11-22T01:00:00.000Z", None)
    assert await told(span="last_shift") == ("2026-11-21T01:00:00.000Z", "2026-11-21T13:00:00.000Z", None)
