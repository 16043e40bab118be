"""Grid cells, campaigns and their coverage, video patrols."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_dossier_api import act, duties
from tests.integration.test_register_api import AT, CAMPAIGN, CELL, INSPECTION, PLANT, UNIT, Desk, enter, refused

DAY_NS = 86_400 * 10**9
CAMPAIGNS = "/api/v1/register/campaigns"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def fill(li: httpx.AsyncClient) -> dict[str, Any]:
    """Enter three units, two of them in the cell, each with an inspection; give these."""
    await enter(li, "grid_cells", CELL)
    await enter(li, "enterprises", PLANT)
    made = {}
    for code, cell in (("A", "G-1"), ("B", "G-1"), ("C", "")):
        await enter(li, "units", {**UNIT, "code": code, "unit": "", "cell": cell})
        made[code] = await enter(li, "inspections", {**INSPECTION, "code": f"I-{code}", "dossier": code})
    return made


async def told(who: httpx.AsyncClient) -> dict[str, Any]:
    found = (await who.get(CAMPAIGNS)).json()["campaigns"]
    return {one["code"]: one for one in found}


async def test_every_unit_once_a_quarter_is_counted_from_the_checks_of_the_round(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    made = await fill(li)
    await enter(li, "campaigns", {**CAMPAIGN, "code": "CA-0", "from": "2026-01-01"})
    await enter(li, "campaigns", {**CAMPAIGN, "code": "CA-2", "from": "2026-01-01", "cell": "G-1", "span": "month"})
    await enter(li, "checks", {"code": "old", "inspection": "I-A", "on": "2025-12-31", "by": "op", "result": "normal"})
    first = await told(op)
    assert (first["CA-0"]["from"], first["CA-0"]["until"], first["CA-0"]["coverage_pct"]) == (
        "2026-01-01", "2026-03-31", 0,
    ), "a check of the day before counts for the round before"  # fmt: skip
    assert [(one["code"], one["owner"]) for one in first["CA-2"]["missing"]] == [("A", "op"), ("B", "op")]
    assert (await act(op, made["A"], "normal", place="north")).status_code == 200
    assert (await act(li, made["B"], "skip", finding="closed road")).status_code == 200
    assert (await act(op, made["C"], "found", hazard="seal", place="x")).status_code == 200
    after = await told(op)
    assert [(after[code]["inspected"], after[code]["units"]) for code in ("CA-0", "CA-2")] == [(2, 3), (1, 2)]
    assert round(after["CA-0"]["coverage_pct"], 1) == 66.7
    assert [one["code"] for one in after["CA-0"]["missing"]] == ["B"], "not inspected, with a reason, is not inspected"


async def test_a_round_is_closed_into_the_next_and_is_a_duty(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    made = await enter(li, "campaigns", CAMPAIGN)
    assert made["values"]["due"] == "2025-12-31", "the quarter in which it begins"
    assert await duties(li, "campaigns.due") == [("CA-1", "2025-12-31")]
    moved = (await act(li, made, "next", result="1 of 3, roads closed")).json()["record"]["values"]
    assert (moved["due"], moved["rounds"], moved["last_by"]) == ("2026-03-31", 1, "li")
    assert (await told(li))["CA-1"]["from"] == "2026-01-01"
    desk.clock.advance_ns(10 * DAY_NS)
    li = await desk.come("li")
    assert (await act(li, made, "next", result="x")).status_code == 200
    assert await refused(await act(li, made, "next", result="x")) == ["due"], "the round has not begun"
    assert (await act(li, made, "finish", result="x")).status_code == 200
    assert await duties(li, "campaigns.due") == []
    assert await told(li) == {}


async def test_a_video_patrol_shows_its_camera_or_that_of_its_unit(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    await enter(li, "units", {**UNIT, "code": "D", "unit": "", "stream": "rtsp://cam.plant.example/1"})
    own = await enter(
        li, "inspections", {**INSPECTION, "code": "V-1", "sort": "video", "stream": "https://cam.example/a.jpg"}
    )
    units = await enter(li, "inspections", {**INSPECTION, "code": "V-2", "sort": "video", "dossier": "D"})
    plain = await enter(li, "inspections", {**INSPECTION, "code": "V-3", "dossier": "D"})
    shown = [(await op.get(f"{AT}/inspections/{one['id']}")).json().get("camera") for one in (own, units, plain)]
    assert shown == ["https://cam.example/a.jpg", "rtsp://cam.plant.example/1", None]
    opened = (await act(op, units, "found", hazard="smoke", place="camera 1")).json()["opened"]
    assert opened[1]["values"]["source"] == "patrol"
