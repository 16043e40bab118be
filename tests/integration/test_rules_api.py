"""Rules over the API: list, check, apply, history, undo; who may, what is refused, and in which words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.clock_manual import ManualClock
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import Role, make_link
from gateway.load import load
from gateway.rules import revision as kept
from gateway.rules.book import begin
from gateway.rules.files import disk_of
from gateway.store.engine import open_store
from gateway.system import with_system

UNSAFE = {"X-Fengsui-Request": "1"}
SITE = """
[site]
id = "site"
title = { en = "Site", zh = "站点" }
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"
[[unit]]
id = "TK"
kind = "tank"
"""
TAGS = """tag,title_en,title_zh,source,unit,eu,register,type,H,HH,deadband
TK.level,Level of TK,TK 液位,plc,TK,m,0,float32,4,5,0.1
TK.flow,Inflow,进料流量,plc,TK,m3/h,2,float32,,,
"""


class Site:
    def __init__(self, house: SmallHouse, clients: dict[Role, httpx.AsyncClient]) -> None:
        self.house = house
        self.clients = clients

    async def post(self, path: str, body: Any, role: Role = Role.ENGINEER) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
        answer = await self.clients[role].post(f"/api/v1/rules/{path}", json=body)
        return answer.status_code, answer.json()

    async def get(self, path: str, role: Role = Role.VIEWER) -> dict[str, Any]:
        answer = await self.clients[role].get(f"/api/v1/rules{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def open_site(tmp_path: Path, more: str = "") -> AsyncIterator[Site]:
    """A site of files behind an API without a road, and a client of each role."""
    (tmp_path / "site.toml").write_text(SITE + more, encoding="utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    clock, engine = ManualClock(), open_store(f"sqlite:///{tmp_path}/register.db")
    first = with_system(load(tmp_path / "site.toml", environ={}))
    house = SmallHouse(
        site=first,
        engine=engine,
        clock=clock,
        compile=lambda overlay, warnings: with_system(
            load(tmp_path / "site.toml", environ={}, overlay=overlay, warnings=warnings)
        ),
    )
    house.rulebook.config, house.rulebook.disk = tmp_path / "site.toml", disk_of(tmp_path / "site.toml")
    begun = begin(first, house.rulebook.overlay, None, clock.wall_ns())
    assert begun.revision is not None
    with engine.begin() as connection:
        kept.add(connection, begun.revision, begun.content, begun.files)
    app = make_app(house, dist=tmp_path / "dist")
    clients: dict[Role, httpx.AsyncClient] = {}
    for role in Role:
        transport = httpx.ASGITransport(app, client=("10.1.2.3", 5))
        clients[role] = httpx.AsyncClient(transport=transport, base_url="http://gateway:8080", headers=UNSAFE)
        await clients[role].get(f"/login/{make_link(engine, f'the-{role}', role, clock)}")
    yield Site(house, clients)
    for client in clients.values():
        await client.aclose()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as site:
        yield site


def asked(expected: int = 1, reason: str = "the pump was changed", **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"changes": [{"rule": "TK.level.H", "set": keys}], "reason": reason, "expected": expected}


async def test_rules_are_listed_and_searched(site: Site) -> None:
    everything = await site.get("")
    assert (everything["revision"], everything["can_change"]) == (1, True)
    assert [rule["id"] for rule in (await site.get("?q=液位 hh"))["rules"]] == ["TK.level.HH"]
    assert {rule["tag"] for rule in (await site.get("?unit=TK"))["rules"]} == {"TK.level", "TK.flow"}
    assert all(rule["is_own"] for rule in (await site.get("?unit=fengsui"))["rules"])
    page = await site.get("?limit=3&offset=2")
    assert (len(page["rules"]), page["total"], page["next"]) == (3, everything["total"], 5)
    high = (await site.get("?tag=TK.level&q=.H"))["rules"][0]
    assert high["table"] == {"tag": "TK.level", "kind": "H", "setpoint": 4.0, "tier": "YELLOW", "deadband": 0.1}


async def test_a_check_changes_nothing_and_tells_the_difference(site: Site) -> None:
    status, found = await site.post("check", {"changes": [{"rule": "TK.level.H", "set": {"setpoint": 4.2}}]})

    assert (status, found["ok"], found["revision"]) == (200, True, 1)
    (change,) = found["changes"]
    assert (change["rule"], change["keys"]) == ("TK.level.H", ["setpoint"])
    assert (change["before"]["setpoint"], change["after"]["setpoint"]) == (4.0, 4.2)
    assert (await site.get(""))["revision"] == 1


async def test_reversed_limits_are_told_with_their_place(site: Site) -> None:
    status, found = await site.post("check", {"changes": [{"rule": "TK.level.H", "set": {"setpoint": 6}}]})
    assert (status, found["ok"]) == (200, False)
    assert found["mistakes"][0]["sentence"] == "Tag TK.level: HH (5) must be above H (6)."

    status, refused = await site.post("apply", asked(setpoint=6))
    assert (status, refused["error"]["code"]) == (422, "mistakes")
    assert refused["error"]["details"]["mistakes"] == found["mistakes"]


async def test_apply_history_and_undo(site: Site) -> None:
    status, done = await site.post("apply", asked(setpoint=4.2, tier="ORANGE") | {"approved_by": "wang"})
    assert (status, done["revision"], done["applied"]["who"]) == (200, 2, "the-engineer")
    high = (await site.get("?q=TK.level.H"))["rules"][0]
    assert (high["revision"], high["is_changed"], high["tier"]) == (2, True, "ORANGE")

    (newest, _) = (await site.get("/revisions"))["revisions"]
    assert (newest["number"], newest["reason"], newest["approved_by"]) == (2, "the pump was changed", "wang")
    whole = await site.get("/revisions/2")
    assert whole["changes"][0]["keys"] == ["setpoint", "tier"]
    assert "setpoint = 4.2" in whole["text"]

    status, back = await site.post("revisions/1/undo", {"reason": "wrong", "expected": 2})
    assert (status, back["revision"], back["applied"]["undoes"]) == (200, 3, 1)
    high = (await site.get("?q=TK.level.H"))["rules"][0]
    assert (high["table"]["setpoint"], high["tier"], high["is_changed"], high["revision"]) == (4.0, "YELLOW", False, 3)


async def test_a_stale_revision_is_told_what_changed(site: Site) -> None:
    await site.post("apply", asked(setpoint=4.2))
    status, refused = await site.post("apply", asked(setpoint=4.3))

    assert (status, refused["error"]["code"]) == (409, "stale")
    (since,) = refused["error"]["details"]["since"]
    assert (since["number"], since["changes"][0]["after"]["setpoint"]) == (2, 4.2)


async def test_only_engineers_and_administrators_change_rules(site: Site) -> None:
    for role in set(Role) - {Role.ENGINEER, Role.ADMINISTRATOR}:
        for path, body in (("check", {"undo": 1}), ("apply", asked(setpoint=4.2)), ("revisions/1/undo", {})):
            assert (await site.post(path, body, role))[0] == 403
    assert (await site.post("apply", asked(setpoint=4.2), Role.ADMINISTRATOR))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("apply", {"changes": [], "reason": "r", "expected": 1}, 422),
        ("apply", asked(reason="   ", setpoint=4.2), 422),
        ("apply", {**asked(setpoint=4.2), "files": True}, 422),
        ("apply", {"changes": [{"rule": "TK.level.H"}], "reason": "r", "expected": 1}, 422),
        ("apply", {"changes": [{"set": {"setpoint": 1}}], "reason": "r", "expected": 1}, 422),
        ("apply", asked(setpoint={"a": [None] * 50}), 422),
        ("apply", asked(setpoint="1; drop table alarm"), 422),
        ("apply", asked(__class__="x", id="y"), 422),
        ("apply", asked(response={"en": "<script>alert(1)</script>" * 100, "fr": "x"}), 422),
        ("apply", {"text": "[[rule]]\ntag = ", "reason": "r", "expected": 1}, 422),
        ("apply", {"text": "when = 2020-01-01", "reason": "r", "expected": 1}, 422),
        ("apply", asked(setpoint=4.0), 409),
        ("revisions/9/undo", {"reason": "r", "expected": 1}, 404),
        ("revisions/0/undo", {"reason": "r", "expected": 1}, 422),
    ],
)
async def test_what_cannot_be_applied_is_refused(path: str, body: dict[str, Any], status: int, site: Site) -> None:
    found, answer = await site.post(path, body)

    assert found == status, answer
    assert answer["error"]["message"]
    assert (await site.get(""))["revision"] == 1


async def test_half_a_character_is_refused(site: Site) -> None:
    raw = b'{"changes":[{"rule":"TK.level.H","set":{"response":{"en":"\\ud800"}}}],"reason":"r","expected":1}'
    client = site.clients[Role.ENGINEER]
    answer = await client.post("/api/v1/rules/apply", content=raw, headers={"content-type": "application/json"})

    assert answer.status_code == 422, answer.text
