"""The alarm list over the API: read, given out, looked at, put in force; who may, and what figures and alarms say."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from alerting.model.rationale import rationale
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from gateway.auth import Role
from gateway.record import rules_of
from tests.integration.test_rules_api import Site, open_site

FILLED = (
    "Rule,What to do (English),Cause (English),Consequence (English),"
    "Time to respond (min),Basis of the tier (English)\n"
    "TK.level.HH,Close XV-1,pump trip,overflow,10,major within 10 min\n"
)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as site:
        yield site


async def test_a_list_is_given_out_filled_in_and_put_in_force(site: Site) -> None:
    viewer, engineer = site.clients[Role.VIEWER], site.clients[Role.ENGINEER]
    got = (await viewer.get("/api/v1/alarm-list")).json()
    assert (got["total"], got["counts"]["alarms"], got["counts"]["without"]["response"]) == (2, 2, 2)
    out = await viewer.get("/api/v1/alarm-list/export?form=csv&lang=zh&no_data=true")
    assert out.status_code == 200
    assert len(out.content.decode("utf-8-sig").splitlines()) == 1 + 6

    wrong = await engineer.post("/api/v1/alarm-list/look?name=a.csv", content=FILLED.replace("HH", "XX").encode())
    assert (wrong.json()["ok"], wrong.json()["ticket"]) == (False, None)
    assert [(one["row"], one["column"], one["rule"]["zh"]) for one in wrong.json()["mistakes"]] == [
        (2, "Rule", "本站点没有该规则")
    ]
    looked = (await engineer.post("/api/v1/alarm-list/look?name=a.csv", content=FILLED.encode())).json()
    assert (looked["ok"], looked["changed"], looked["checked"]["changes"][0]["keys"]) == (
        True, 1, ["response", "cause", "consequence", "basis", "respond_min"],
    )  # fmt: skip
    asked = {"ticket": looked["ticket"], "reason": "rationalisation of 2026", "expected": 1}
    done = await engineer.post("/api/v1/alarm-list/apply", json=asked)
    assert (done.status_code, done.json()["revision"]) == (200, 2), done.text

    left = (await viewer.get("/api/v1/alarm-list?missing=response")).json()
    assert [one["id"] for one in left["alarms"]] == ["TK.level.H"]
    assert left["counts"]["without"] == dict.fromkeys(("response", "cause", "consequence", "basis", "respond_min"), 1)
    (filled,) = (await viewer.get("/api/v1/alarm-list?q=HH")).json()["alarms"]
    assert (filled["missing"], filled["respond_min"], filled["cause"]["en"]) == ([], 10.0, "pump trip")
    figures = (await viewer.get("/api/v1/kpi/figures")).json()
    assert (figures["stated"]["alarms"], figures["stated"]["without"]["response"]) == (2, 1)
    report = await viewer.get("/api/v1/kpi/export?form=html&lang=zh")
    assert "未写明处置措施的报警" in report.text


async def test_only_engineers_and_administrators_take_a_list(site: Site) -> None:
    for role in set(Role) - {Role.ENGINEER, Role.ADMINISTRATOR}:
        client = site.clients[role]
        assert (await client.post("/api/v1/alarm-list/look?name=a.csv", content=FILLED.encode())).status_code == 403
        assert (await client.post("/api/v1/alarm-list/apply", json={})).status_code == 403
    gone = {"ticket": "0" * 32, "reason": "r", "expected": 1}
    answer = await site.clients[Role.ENGINEER].post("/api/v1/alarm-list/apply", json=gone)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale")


def test_a_recording_holds_why_an_alarm_is_there() -> None:
    why = rationale({"cause": {"en": "pump trip", "zh": "泵跳停"}}, 5.0)
    rule = Rule(id="t.H", tag="t", kind=Kind.H, setpoint=1.0, tier=Tier.RED, rationale=why)
    saved = orjson.loads(orjson.dumps({"rules": [rule]}))
    assert rules_of(saved) == [rule]
