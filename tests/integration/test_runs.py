"""Runs for testers, through the API, in real processes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from alerting.model.rule import RuleTable
from edge.clock_system import SystemClock
from edge.config import Source
from edge.model import Tag, TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import make_link
from gateway.config import DrillOptions
from gateway.runs.keeper import Runs
from gateway.store import schema
from tests.scripted import small_site

STORY = """
title = {{ en = "Short", zh = "短" }}
plant = "petrol-depot"
lasts_s = {lasts_s}
step_s = 2

[[expect]]
id = "quiet"
see = "quiet"
unit = "TK-915"
until_s = 20

[[expect]]
id = "no number is found"
see = "alarm"
tag = "TK-915.level"
condition = "BAD"
say = {{ en = "The gauge that sends no number is found.", zh = "发现无数值的液位计。" }}
"""


class Person:
    def __init__(self, client: httpx.AsyncClient, house: SmallHouse) -> None:
        self.client, self.house = client, house

    async def get(self, path: str, status: int = 200) -> Any:  # noqa: ANN401
        answer = await self.client.get(f"/api/v1/{path}")
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:  # noqa: ANN401
        answer = await self.client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def over(self, number: int) -> dict[str, Any]:
        for _ in range(600):
            found: dict[str, Any] = await self.get(f"runs/{number}")
            if found["ended"] is not None:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(found)


@pytest.fixture
async def tester(tmp_path: Path) -> AsyncIterator[Person]:
    stories = tmp_path / "stories"
    stories.mkdir()
    (stories / "short.toml").write_text(STORY.format(lasts_s=60), encoding="utf-8")
    (stories / "long.toml").write_text(STORY.format(lasts_s=3000), encoding="utf-8")
    (stories / "torn.toml").write_text("lasts_s = = 60", encoding="utf-8")
    (stories / "stray.toml").write_text(STORY.format(lasts_s=60).replace("petrol-depot", "nowhere"), encoding="utf-8")
    (stories / "wrong.toml").write_text(STORY.format(lasts_s=60).replace("TK-915.level", "TK-999.level"), "utf-8")
    source = Source(id="plc", protocol="mqtt")
    tags = TagTable([Tag(name="OWN.level", source="plc", unit="T")])
    site = replace(small_site(RuleTable([], tags), source, tmp_path), drill=DrillOptions(stories=stories))
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    schema.metadata.create_all(engine)
    clock = SystemClock()
    house = SmallHouse(site=site, engine=engine, clock=clock)
    transport = httpx.ASGITransport(make_app(house, dist=tmp_path / "dist"), client=("10.1.2.3", 5))
    headers = {"X-Fengsui-Request": "1"}
    async with httpx.AsyncClient(transport=transport, base_url="http://g", headers=headers, timeout=60) as client:
        await client.get(f"/login/{make_link(engine, 'chen', 'engineer', clock)}")
        yield Person(client, house)
    await house.runs.close()
    engine.dispose()


async def test_a_run_is_watched_disturbed_and_reported(tester: Person) -> None:
    listed = await tester.get("runs")
    assert {"short", "buncefield"} <= {each["name"] for each in listed["stories"]}
    mistakes = {each["name"]: each["mistake"] for each in listed["stories"] if each["mistake"]}
    assert mistakes.keys() == {"torn", "stray"}
    assert "torn.toml" in mistakes["torn"]["en"]
    assert "line 1" in mistakes["torn"]["en"]
    assert "TOML" in mistakes["torn"]["zh"]
    assert "no plant 'nowhere'" in mistakes["stray"]["en"]
    assert "没有名为“nowhere”的装置" in mistakes["stray"]["zh"]
    assert {"frozen", "drift", "spike", "noise", "bias", "nan", "dropout"} <= {
        each["kind"] for each in listed["faults"]
    }
    begun = await tester.post("runs/start", story="short", seed=5, speed=0.001)
    assert (begun["state"], begun["seed"], begun["lasts_s"]) == ("running", 5, 60.0)
    assert "TK-915.level" in {each["tag"] for each in begun["instruments"]}
    pid = tester.house.runs._process.pid  # type: ignore[union-attr]  # noqa: SLF001
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10, "the gateway is never the slower one"
    at = f"runs/{begun['number']}"
    own = await tester.post(f"{at}/fault", 422, kind="nan", target="OWN.level")
    assert "仿真" in own["error"]["details"]["zh"], "a fault is for simulated plants alone"
    await tester.post(f"{at}/fault", 422, kind="nan", target="TK-915.level", amount=3.0)
    await tester.post(f"{at}/fault", 422, kind="rust", target="TK-915.level")
    await tester.post(f"{at}/fault", 422, kind="noise", target="TK-915.level", amount=-1.0)
    await tester.post(f"{at}/fault", kind="nan", target="TK-915.level", for_s=1000)
    busy = await tester.post("runs/start", 409, story="short")
    assert busy["error"]["details"]["zh"]
    await tester.post(f"{at}/speed", speed=0)
    over = await tester.over(begun["number"])
    assert (over["state"], over["passed"]) == ("done", False), "what was injected rang where the story says quiet"
    assert {each["id"]: each["standing"] for each in over["expectations"]} == {
        "quiet": "missed", "no number is found": "met",
    }  # fmt: skip
    assert [(each["kind"], each["target"]) for each in over["faults"]] == [("nan", "TK-915.level")]
    assert "TK-915.level" in {each["tag"] for each in over["events"]}
    report = await tester.client.get(f"/api/v1/{at}/report")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "Short" in report.text
    labels = await tester.client.get(f"/api/v1/{at}/files/labels.csv")
    assert "TK-915.level,nan" in labels.text, "what was injected stands in the truth"
    await tester.get(f"{at}/files/run.json", 404)
    await tester.get(f"{at}/files/..%2f..%2fsmall.db", 404)
    again = Runs(tester.house.site.data / "runs", SystemClock())
    (kept,) = await again.listed()
    assert json.dumps(kept.whole(), sort_keys=True) == json.dumps(over, sort_keys=True), "a restart keeps it"


async def test_what_is_refused_and_what_is_stopped(tester: Person) -> None:
    await tester.post("runs/start", 404, story="nowhere")
    await tester.post("runs/start", 422, story="short", speed=-1)
    wrong = await tester.post("runs/start", 422, story="wrong")
    assert "TK-999.level" in wrong["error"]["details"]["mistakes"][0]
    assert (await tester.get("runs"))["runs"] == []
    begun = await tester.post("runs/start", story="long", speed=1)
    at = f"runs/{begun['number']}"
    await tester.get(f"{at}/report", 404)
    stopped = await tester.post(f"{at}/stop")
    assert (stopped["state"], stopped["passed"]) == ("stopped", None)
    await tester.post(f"{at}/stop", 409)
    await tester.post(f"{at}/speed", 409, speed=5)
    await tester.get("runs/99", 404)


async def test_a_process_that_dies_is_told(tester: Person) -> None:
    begun = await tester.post("runs/start", story="long", speed=1)
    tester.house.runs._process.kill()  # type: ignore[union-attr]  # noqa: SLF001
    over = await tester.over(begun["number"])
    assert over["state"] == "failed"
    assert "-9" in over["why"]
    await tester.client.get("/api/v1/runs")


async def test_a_viewer_only_looks(tester: Person) -> None:
    await tester.client.get(f"/login/{make_link(tester.house.engine, 'li', 'operator', tester.house.clock)}")
    await tester.get("runs")
    await tester.post("runs/start", 403, story="short")


def folder_of(pid: int) -> Path:
    """Give the folder that a run's store is in."""
    held = [one.readlink() for one in Path(f"/proc/{pid}/fd").iterdir()]
    (folder,) = {one.parent for one in held if one.name == "register.db"}
    return folder


async def test_a_run_that_the_gateway_ends_leaves_nothing_in_memory(tester: Person) -> None:
    await tester.post("runs/start", story="long", seed=5, speed=0.001)
    pid = tester.house.runs._process.pid  # type: ignore[union-attr]  # noqa: SLF001
    folder = folder_of(pid)

    await tester.house.runs.close()
    assert not await asyncio.to_thread(folder.exists)
