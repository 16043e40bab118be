"""Risks over the API: grades worked out and kept, dynamic risk by alarms and hidden hazards, map, notice, gradings."""

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.model.alarm import Alarm, State
from alerting.model.risk import RiskPolicy
from alerting.model.site_plan import SitePlan
from alerting.model.tier import Tier
from edge.model import Nature
from tests.integration.test_register_api import AT, HAZARD, INSPECTION, PLAN, PLANT, UNIT, Desk, act, enter, refused

RISKS = "/api/v1/register/risks"
PICTURES = Path(__file__).parents[1] / "golden" / "pictures"
RISK_UNIT = {
    "code": "RU-1", "name": "氯气储罐 Chlorine tanks", "dossier": "TK-1", "place": "storage", "department": "储运车间",
    "liable": "李工", "phone": "0512-60000001", "post": "储罐操作工",
    "outline": "120.100 30.200; 120.100 30.201; 120.102 30.201; 120.102 30.200",
}  # fmt: skip
EVENT = {
    "code": "RE-1", "risk_unit": "RU-1", "name": "氯气泄漏 chlorine release", "accident": "23",
    "consequences": "中毒 poisoning", "method": "lec", "likelihood_inherent": 6, "exposure_inherent": 6,
    "severity_inherent": 40, "likelihood": 1, "exposure": 6, "severity": 15, "graded_on": "2025-11-30",
    "graded_by": "评价组", "emergency": "佩戴空呼,切断阀门",
}  # fmt: skip
MEASURE = {
    "code": "CM-1", "event": "RE-1", "measure": "有毒气体探测器联锁 gas detectors with trip", "source": "1",
    "tag": "TK-1.level", "class": "1", "kind": "1-4",
}  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def fill(li: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    await enter(li, "enterprises", PLANT)
    await enter(li, "units", UNIT)
    return {
        "unit": await enter(li, "risk_units", RISK_UNIT),
        "event": await enter(li, "risk_events", EVENT),
        "measure": await enter(li, "control_measures", MEASURE),
    }


def rings(desk: Desk, tier: Tier, **also: Any) -> None:  # noqa: ANN401 - fields of an alarm
    made: dict[str, Any] = {
        "key": f"k{tier.name}", "id": f"a{tier.name}", "nature": Nature.ACTUAL, "tag": "TK-1.level", "unit": "U-1",
        "group": "high", "tier": tier, "state": State.UNACK,
    }  # fmt: skip
    alarm = Alarm(**{**made, **also})
    desk.house.picture.alarms[alarm.key] = alarm


async def risks(who: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await who.get(RISKS)).json()
    return told


async def test_value_and_grade_are_worked_out_kept_and_never_taken_from_a_form(desk: Desk) -> None:
    li = await desk.come("li")
    event = (await fill(li))["event"]
    kept = {name: event["values"][name] for name in ("risk_inherent", "grade_inherent", "risk", "grade")}
    assert kept == {"risk_inherent": 1440, "grade_inherent": "1", "risk": 90, "grade": "3"}

    at = f"{AT}/risk_events/{event['id']}"
    again = {**EVENT, "severity": 40, "risk": 1, "grade": "4"}
    changed = await li.post(at, json={"values": again, "revision": 1, "reason": "a tank more"})
    assert (changed.json()["record"]["values"]["risk"], changed.json()["record"]["values"]["grade"]) == (240, "2")
    told = (await li.get(f"{RISKS}/gradings/{event['id']}")).json()["gradings"]
    assert [(one["risk"], one["grade"], one["who"], one["reason"]) for one in told] == [
        (240, "2", "li", "a tank more"), (90, "3", "li", "first entry"),
    ]  # fmt: skip
    noted = await li.post(at, json={"values": {**again, "note": "x"}, "revision": 2, "reason": "a note"})
    assert noted.status_code == 200
    assert len((await li.get(f"{RISKS}/gradings/{event['id']}")).json()["gradings"]) == 2, "a note is no grading"
    assert (await li.get(f"{RISKS}/gradings/nosuch")).status_code == 404


async def test_a_risk_unit_has_the_grade_of_its_gravest_event_raised_by_what_is_true_now(desk: Desk) -> None:
    li, wang = await desk.come("li"), await desk.come("wang")
    await fill(li)
    await enter(li, "risk_events", {**EVENT, "code": "RE-2", "name": "small", "severity_inherent": 7, "severity": 3})
    (unit,) = (await risks(li))["units"]
    assert (unit["inherent"]["grade"], unit["current"], unit["dynamic"]) == (
        1, {"grade": 3, "event": "RE-1", "value": 90, "method": "lec"}, {"grade": 3, "steps": []},
    )  # fmt: skip
    assert (unit["site_unit"], unit["events"], unit["measures"]) == ("U-1", 2, 1)

    rings(desk, Tier.ORANGE)
    rings(desk, Tier.RED, unit="U-2")
    rings(desk, Tier.RED, key="back", state=State.RTN_UNACK)
    rings(desk, Tier.RED, key="drill", nature=Nature.EXERCISE)
    (unit,) = (await risks(li))["units"]
    assert (unit["dynamic"]["grade"], [step["what"] for step in unit["dynamic"]["steps"]]) == (2, ["alarm"])

    hazard = await enter(li, "hidden_hazards", {**HAZARD, "measure": "CM-1"})
    await act(li, hazard, "class", **{"class": "major", "criterion": "12"})
    await act(li, hazard, "plan", **PLAN)
    (unit,) = (await risks(li))["units"]
    assert (unit["dynamic"]["grade"], [step["what"] for step in unit["dynamic"]["steps"]]) == (1, ["alarm", "major"])
    desk.clock.advance_ns(40 * 86_400 * 10**9)
    li, wang = await desk.come("li"), await desk.come("wang")
    (unit,) = (await risks(li))["units"]
    assert [step["what"] for step in unit["dynamic"]["steps"]] == ["alarm", "major", "overdue"]
    assert "H1" in unit["dynamic"]["steps"][2]["said"]["zh"]
    await act(li, hazard, "rectify", done="x")
    assert (await act(wang, hazard, "accept", acceptance="good")).status_code == 200
    desk.house.picture.alarms.clear()
    (unit,) = (await risks(li))["units"]
    assert unit["dynamic"] == {"grade": 3, "steps": []}, "what has ended raises nothing"


async def test_a_hidden_hazard_without_a_measure_raises_all_of_its_hazard_unit(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(li, "risk_units", {**RISK_UNIT, "code": "RU-2", "outline": ""})
    hazard = await enter(li, "hidden_hazards", HAZARD)
    await act(li, hazard, "class", **{"class": "major", "criterion": "12"})
    told = await risks(li)

    assert {one["code"]: [step["what"] for step in one["dynamic"]["steps"]] for one in told["units"]} == {
        "RU-1": ["major"], "RU-2": ["major"],
    }  # fmt: skip
    assert [(one["what"], "RU-2" in one["said"]["en"]) for one in told["findings"]] == [
        ("no_event", True), ("no_outline", True),
    ]  # fmt: skip


async def test_the_picture_below_the_map_is_given_by_its_digest_and_as_a_picture_alone(
    desk: Desk, tmp_path: Path
) -> None:
    reader = await desk.come("op")
    assert (await risks(reader))["plan"] is None
    content = (PICTURES / "plan.png").read_bytes()
    digest = sha256(content).hexdigest()
    plan = SitePlan(
        file="plan.png", digest=digest, type="image/png", width=20, height=10, top_left=(120.0, 30.001),
        top_right=(120.002, 30.001), bottom_left=(120.0, 30.0),
    )  # fmt: skip
    desk.house.site = replace(desk.house.site, risk=RiskPolicy(plan=plan), files={"plan.png": content})
    desk.house.picture.site = desk.house.site
    assert (await risks(reader))["plan"] == {
        "digest": digest, "width": 20, "height": 10, "corners": [[120.0, 30.001], [120.002, 30.001], [120.0, 30.0]],
    }  # fmt: skip
    li = await desk.come("li")
    await fill(li)
    at = {
        "RU-2": "120.0005 30.0005; 120.001 30.0005; 120.001 30.0009",
        "RU-3": "120.0019 30.0005; 120.003 30.0005; 120.003 30",
    }
    for code, outline in at.items():
        await enter(li, "risk_units", {**RISK_UNIT, "code": code, "outline": outline})
    off = [one["said"]["en"] for one in (await risks(reader))["findings"] if one["what"] == "off_plan"]
    assert [said.partition(" ")[0] for said in off] == ["RU-1"], "RU-3 reaches over its edge"
    given = await reader.get(f"{RISKS}/plan", params={"of": digest})
    assert (given.content, given.headers["content-type"]) == (content, "image/png")
    assert given.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert (await reader.get(f"{RISKS}/plan", params={"of": "0" * 64})).status_code == 404, (
        "another one than is in force"
    )
    assert (await reader.get(f"{RISKS}/plan", params={"of": "../site.toml"})).status_code == 422


async def test_the_map_is_geojson_with_closed_rings_that_run_counter_clockwise(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    answer = await li.get(f"{RISKS}/map")
    (feature,) = answer.json()["features"]
    (ring,) = feature["geometry"]["coordinates"]

    assert answer.headers["content-type"] == "application/geo+json"
    assert (feature["properties"]["inherent"], feature["properties"]["current"]) == ("red", "yellow")
    assert ring[0] == ring[-1]
    assert len(ring) == 5
    assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) > 0, "RFC 7946 section 3.1.6"


async def test_the_notice_says_events_measures_and_what_to_do(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    told = (await li.get(f"{RISKS}/notice", params={"code": "RU-1"})).json()

    assert (told["grade"], told["unit"]["liable"], told["unit"]["post"]) == (3, "李工", "储罐操作工")
    (event,) = told["events"]
    assert (event["measures"], event["emergency"]) == ([MEASURE["measure"]], EVENT["emergency"])
    assert (await li.get(f"{RISKS}/notice", params={"code": "RU-9"})).status_code == 404


async def test_wrong_factors_are_refused_by_field_and_other_bounds_are_told(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    event = (await fill(li))["event"]
    for wrong, fields in (
        ({"likelihood": 5}, ["likelihood"]),
        (
            {"method": "matrix"},
            ["likelihood_inherent", "exposure_inherent", "severity_inherent", "exposure", "severity"],
        ),
        ({"likelihood": 10, "severity": 100}, ["likelihood"]),
        ({"severity_inherent": ""}, ["severity_inherent"]),
        ({"graded_on": "2026-06-01"}, ["graded_on"]),
    ):
        answer = await li.post(f"{AT}/risk_events", json={"values": {**EVENT, "code": "N", **wrong}, "reason": ""})
        assert await refused(answer) == fields, wrong
    crossing = {**RISK_UNIT, "code": "N", "outline": "120.1 30.2; 120.2 30.3; 120.2 30.2; 120.1 30.3"}
    assert await refused(await li.post(f"{AT}/risk_units", json={"values": crossing, "reason": ""})) == ["outline"]
    answer = await op.post(f"{AT}/risk_events", json={"values": {**EVENT, "code": "N"}, "reason": ""})
    assert answer.status_code == 403

    object.__setattr__(desk.house.picture.site, "risk", RiskPolicy(lec=(20.0, 70.0, 160.0)))
    (told,) = [one for one in (await risks(li))["findings"] if one["what"] == "other_bounds"]
    assert "by today's bounds its grade is 2, the record says 3" in told["said"]["en"]
    again = await li.post(
        f"{AT}/risk_events/{event['id']}", json={"values": EVENT, "revision": 1, "reason": "other bounds"}
    )
    assert again.json()["record"]["values"]["grade"] == "2"


async def test_what_an_inspection_of_a_measure_finds_raises_the_measures_risk_unit_alone(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    await enter(li, "risk_units", {**RISK_UNIT, "code": "RU-2"})
    inspection = await enter(li, "inspections", {**INSPECTION, "dossier": "TK-1", "measure": "CM-1"})
    found = {"act": "found", "values": {"hazard": "trip does not move", "place": "TK-1"}, "revision": 1}
    answer = await op.post(f"{AT}/inspections/{inspection['id']}/act", json=found)
    assert answer.status_code == 200, answer.text
    (hazard,) = (await li.get(f"{AT}/hidden_hazards")).json()["records"]
    assert hazard["values"]["measure"] == "CM-1"
    await act(li, hazard, "class", **{"class": "major", "criterion": "12"})

    told = {one["code"]: [step["what"] for step in one["dynamic"]["steps"]] for one in (await risks(li))["units"]}
    assert told == {"RU-1": ["major"], "RU-2": []}
