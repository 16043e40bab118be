"""Occupational hazards: points, samples by list, rates of a period, signs and notices as duties, live values."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_dossier_api import act, duties
from tests.integration.test_register_api import AT, PLANT, POINT, SAMPLE, UNIT, Desk, enter, refused

EXPOSURE = "/api/v1/register/exposure"
HEADINGS = "样品编号,监测点编号,检测日期,检测类型,检测结果,计量单位,检测机构,报告编号\n"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def fill(li: httpx.AsyncClient, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    await enter(li, "enterprises", PLANT)
    await enter(li, "units", UNIT)
    return await enter(li, "exposure_points", {**POINT, **values})


async def bring(who: httpx.AsyncClient, text: str) -> httpx.Response:
    """Bring a list of samples in: the look, then the taking."""
    at = f"{AT}/exposure_samples"
    looked = (await who.post(f"{at}/look", params={"name": "lab.csv"}, content=text.encode("gb18030"))).json()
    if looked["mistakes"]:
        return httpx.Response(422, json=looked)
    return await who.post(f"{at}/take", json={"ticket": looked["ticket"], "reason": "report ZW-9"})


async def values_of(who: httpx.AsyncClient, ledger: str, record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await who.get(f"{AT}/{ledger}/{record['id']}")).json()["record"]["values"]
    return found


async def test_a_point_has_the_limits_of_the_table_or_its_own_with_a_basis(desk: Desk) -> None:
    li = await desk.come("li")
    made = await fill(li)
    assert {name: made["values"].get(name) for name in ("twa", "stel", "mac")} == {"twa": 20, "stel": 30, "mac": None}
    assert "unverified" in made["values"]["limit_basis"]
    own = await enter(li, "exposure_points", {**POINT, "code": "OP-2", "own_twa": 25, "basis": "DB32 5.1"})
    assert (own["values"]["twa"], own["values"]["stel"], own["values"]["limit_basis"]) == (25, 30, "DB32 5.1")
    told = [one["en"] for one in (await li.get(EXPOSURE)).json()["findings"]]
    assert [one for one in told if "laxer" in one] == [
        "氨机房 ammonia plant (OP-2): own TWA limit 25 is laxer than 20 of the table"
    ]


async def test_a_list_of_samples_moves_points_on_and_makes_the_rates(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    point = await fill(li)
    noise = {"code": "OP-2", "sort": "noise", "factor": "噪声", "cas": "", "eu": "dB(A)", "unit": ""}
    await enter(li, "exposure_points", {**POINT, **noise, "first_due": "2025-11-30"})
    assert sorted(await duties(li, "exposure_points.next_due")) == [("OP-1", "2026-01-31"), ("OP-2", "2025-11-30")]
    mistaken = [
        "S-1,OP-1,2025-12-30,TWA (8 h),20.1,mg/m³,lab,R",
        "S-2,OP-1,2026-02-30,短时间接触 STEL,9,ppm,lab,R",
        "S-3,OP-2,2025-12-30,MAC,9,dB(A),lab,R",
    ]
    wrong = await bring(li, HEADINGS + "\n".join(mistaken))
    assert [(one["row"], one["column"]) for one in wrong.json()["mistakes"]] == [(3, "检测日期"), (4, "检测类型")]
    assert (await li.get(f"{AT}/exposure_samples")).json()["records"] == [], "all or nothing"
    right = (
        HEADINGS
        + "S-1,OP-1,2025-12-30,TWA (8 h),20.1,mg/m³,lab,R\nS-2,OP-1,2025-06-01,短时间接触 STEL,30,mg/m³,lab,R\n"
    )
    assert (await bring(li, right)).status_code == 200
    found = (await op.get(f"{AT}/exposure_samples", params={"state": "above"})).json()["records"]
    assert [one["code"] for one in found] == ["S-1"], "20.1 lies above 20; 30 at a limit of 30 does not"
    assert (await values_of(li, "exposure_points", point))["next_due"] == "2026-12-30"
    story = (await li.get(f"{AT}/exposure_points/{point['id']}")).json()["revisions"]
    assert (story[0]["what"], story[0]["who"], story[0]["reason"]) == ("sampled", "li", "report ZW-9")
    assert sorted(await duties(li, "exposure_points.next_due")) == [("OP-1", "2026-12-30"), ("OP-2", "2025-11-30")]

    told = (await op.get(EXPOSURE, params={"period": "2025"})).json()
    total = {name: told["total"][name] for name in ("due", "sampled", "coverage_pct", "samples", "within", "pass_pct")}
    assert total == {"due": 1, "sampled": 0, "coverage_pct": 0, "samples": 2, "within": 1, "pass_pct": 50}
    assert (told["total"]["beyond"], [one["code"] for one in told["missing"]]) == (1, ["OP-2"])
    assert [(one["factor"], one["due"], one["samples"]) for one in told["factors"]] == [("噪声", 1, 0), ("氨", 0, 2)]
    assert [one["unit"] for one in told["units"]] == ["", "U-1"]
    assert "监测率 = " in told["formula"]["zh"]
    assert any("20.1 mg/m³ on 2025-12-30, above 20" in one["en"] for one in told["findings"])
    assert (await op.get(EXPOSURE, params={"period": "2025-13"})).status_code == 422
    assert (await op.get(EXPOSURE, params={"period": "2025-Q4"})).json()["total"]["samples"] == 1


async def test_a_removed_or_moved_sample_takes_its_day_with_it(desk: Desk) -> None:
    li = await desk.come("li")
    point = await fill(li)
    other = await enter(li, "exposure_points", {**POINT, "code": "OP-2"})
    made = await enter(li, "exposure_samples", SAMPLE)
    assert (await values_of(li, "exposure_points", point))["last_on"] == "2025-12-30"
    at = f"{AT}/exposure_samples/{made['id']}"
    moved = await li.post(at, json={"values": {**SAMPLE, "point": "OP-2"}, "revision": 1, "reason": "mixed up"})
    assert moved.status_code == 200
    assert "last_on" not in await values_of(li, "exposure_points", point)
    assert (await values_of(li, "exposure_points", other))["next_due"] == "2026-12-30"
    assert (await li.post(f"{at}/remove", json={"revision": 2, "reason": "x"})).status_code == 200
    assert (await values_of(li, "exposure_points", other))["next_due"] == "2026-01-31"
    assert (await li.get(EXPOSURE, params={"period": "2025"})).json()["total"]["samples"] == 0
    assert (await li.post(f"{at}/restore", json={"revision": 3, "reason": "x"})).status_code == 200
    assert (await values_of(li, "exposure_points", other))["next_due"] == "2026-12-30"
    taken = await li.post(f"{AT}/exposure_points/{other['id']}/remove", json={"revision": 1, "reason": "x"})
    assert taken.status_code == 409


async def test_signs_and_notices_are_duties_that_acts_move_on(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    point = await fill(li, sign="no", sign_due="2026-01-15")
    assert await duties(li, "exposure_points.sign_due") == [("OP-1", "2026-01-15")]
    assert any("no warning sign" in one["en"] for one in (await op.get(EXPOSURE)).json()["findings"])
    assert await refused(await act(op, point, "sign", sign_due="2026-01-10")) == ["sign_due"]
    put_up = (await act(op, point, "sign", sign_due="2027-01-15")).json()["record"]["values"]
    assert (put_up["sign"], put_up["sign_by"], put_up["sign_on"]) == (True, "op", "2026-01-01")
    assert await duties(li, "exposure_points.sign_due") == [("OP-1", "2027-01-15")]
    assert (await act(op, point, "notice", notice_due="2027-06-30", notice_how="x")).status_code == 403
    assert (await act(li, point, "notice", notice_due="2027-06-30", notice_how="合同告知 contract")).status_code == 200
    assert await duties(li, "exposure_points.notice_due") == [("OP-1", "2027-06-30")]
    assert (await act(li, point, "retire", retired_reason="plant shut")).status_code == 200
    kinds = ("next_due", "sign_due", "notice_due")
    assert [await duties(li, f"exposure_points.{kind}") for kind in kinds] == [[], [], []]
    assert (await li.get(EXPOSURE)).json()["count"] == 0
    late = await li.post(f"{AT}/exposure_samples", json={"values": {**SAMPLE, "on": "2026-01-01"}, "reason": ""})
    assert late.status_code == 200, "on its last day it could still be sampled"
    desk.clock.advance_ns(86_400 * 10**9)
    li = await desk.come("li")
    after = {**SAMPLE, "code": "S-2", "on": "2026-01-02"}
    assert await refused(await li.post(f"{AT}/exposure_samples", json={"values": after, "reason": ""})) == ["on"]


async def test_what_a_tag_measures_now_stands_beside_the_limit(desk: Desk) -> None:
    li = await desk.come("li")
    own = {"sort": "other", "factor": "x", "cas": "", "eu": "t", "own_twa": 4, "own_mac": 9, "basis": "ours"}
    await fill(li, **own, twa_tag="TK-1.mass")
    (point,) = (await li.get(EXPOSURE)).json()["points"]
    kinds = {one["kind"]: (one["limit"], one["tag"], one["live"]) for one in point["kinds"]}
    assert kinds == {"twa": (4, "TK-1.mass", None), "mac": (9, "", None)}
    assert [one["en"] for one in point["findings"]] == ["氨机房 ammonia plant (OP-1): TWA is not known now"]
    desk.live("TK-1.mass", 5)
    told = (await li.get(EXPOSURE)).json()
    (twa, _) = told["points"][0]["kinds"]
    assert (twa["live"], twa["live_pct"]) == (5, 125)
    assert "TWA is 5 t now, above 4" in told["findings"][0]["en"]
