"""The API over ASGI with a small house around it and a real store: roles, shapes, refusals, pages of rows."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, select

from alerting.core.drift import judge_drifts
from alerting.core.trend import advance
from alerting.desk import Answer
from alerting.judge import alarm_event
from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.command import Command, Verb
from alerting.model.drift import Drift
from alerting.model.event import What
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit, UnitLink
from alerting.tiering import TierBook
from edge.clock_manual import DEFAULT_START_NS, ManualClock
from edge.config import Source
from edge.model import Nature, Tag, TagTable
from gateway.api import House, SourceStatus, make_app
from gateway.api.app import Application
from gateway.api.door import ALL, AUDIT, OPERATE, ROLES_ZH, SUPPRESS
from gateway.api.gate import BODY_MAX, INGEST_BODY_MAX
from gateway.api.small_house import NoHistory, SmallHouse
from gateway.auth import FAILURES_MAX, LOCK_S, Role, add_user, disable_user, make_link
from gateway.config import Destination, Site
from gateway.historian.port import Series
from gateway.meter import Stage
from gateway.nodes.broker_status import BrokerStatus
from gateway.nodes.credential import NodeError, add_node, list_nodes, revoke_node
from gateway.nodes.reception import NodeStatus, Refusal, Taken
from gateway.store import rows, schema
from gateway.store.engine import open_store

NOW = DEFAULT_START_NS
S = 1_000_000_000
UNSAFE = {"X-Fengsui-Request": "1"}
PASSWORD = "correct horse battery"


def make_site() -> Site:
    tags = TagTable(
        [
            Tag(name="TK-101.level", source="tankfarm-1", unit="TK-101", eu="m", resolution=0.01, range_lo=0.0,
                range_hi=5.0, nature=Nature.TEST, title={"en": "Level", "zh": "液位"}),
            Tag(name="G-1.lel", source="gas", unit="GAS", eu="%LEL", nature=Nature.TEST),
        ]
    )  # fmt: skip
    rules = RuleTable(
        [
            Rule(id="TK-101.level.H", tag="TK-101.level", kind=Kind.H, setpoint=4.0, tier=Tier.YELLOW),
            Rule(id="TK-101.level.HH", tag="TK-101.level", kind=Kind.HH, setpoint=4.2, tier=Tier.ORANGE,
                 on_delay_s=3.0, response={"en": "Stop the inlet", "zh": "停止进料"}),
            Rule(id="G-1.lel.TREND", tag="G-1.lel", kind=Kind.TREND, setpoint=20.0, horizon_s=600.0, alpha=0.05,
                 samples_min=5, tier=Tier.BLUE),
            Rule(id="G-1.lel.DRIFT", tag="G-1.lel", kind=Kind.DRIFT, setpoint=6.0, tier=Tier.BLUE,
                 drift=Drift(season="none", span_s=10.0, base_s=100.0, warm_up_s=60.0)),
        ],
        tags,
    )  # fmt: skip
    return Site(
        id="demo",
        title={"en": "Demo", "zh": "演示"},
        timezone="Asia/Shanghai",
        sources=(Source(id="tankfarm-1", protocol="modbus-tcp", nature=Nature.TEST), Source(id="gas", protocol="mqtt")),
        tags=tags,
        units=(HazardUnit(id="TK-101", kind="tank", grade=2, links=(VIEW,)), HazardUnit(id="GAS", kind="line")),
        rules=rules,
        destinations=(Destination(id="district", url="http://127.0.0.1:9/"),),
    )


def make_alarm(n: int = 0, **more: Any) -> Alarm:  # noqa: ANN401 - any field of an alarm
    told: dict[str, Any] = {
        "key": digest("key", n), "id": digest("id", n), "nature": Nature.TEST, "tag": "TK-101.level",
        "unit": "TK-101", "group": "high", "condition": "HH", "rule": "TK-101.level.HH", "state": State.UNACK,
        "tier": Tier.ORANGE, "tier_max": Tier.ORANGE, "onset_ns": NOW + n, "changed_ns": NOW + n, "ordinal": 1,
        "value": 4.31, "setpoint": 4.2,
    }  # fmt: skip
    return Alarm(**(told | more))


VIEW = UnitLink(title={"en": "Bund", "zh": "围堰"}, url="https://video.example/TK-101")
CAUSE = {
    "scan": "tankfarm-1/1/88412", "tag": "TK-101.level", "value": 4.31, "eu": "m", "quality": "GOOD", "kind": "HH",
    "setpoint": 4.2, "deadband": 0.1, "rule": "TK-101.level.HH", "revision": 1, "on_delay_s": 3.0, "off_delay_s": 0.0,
}  # fmt: skip


def event_row(n: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    return {
        "id": digest("event", n), "nature": "test", "what": "raised", "time_ns": NOW + n, "received_ns": NOW + n,
        "unit": "TK-101", "alarm": digest("id", 0), "alarm_key": digest("key", 0), "tag": "TK-101.level",
        "rule_group": "high", "condition": "HH", "tier": 3, "state": "UNACK", "value": 4.31, "setpoint": 4.2,
        "suppression": "none", "is_late": False, "cause": json.dumps(CAUSE),
    } | more  # fmt: skip


def task_row(n: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    return {
        "id": digest("task", n), "entry": digest("entry", 0), "nature": "test", "unit": "TK-101", "tier": 3,
        "title": '{"en":"Stop the inlet","zh":"停止进料"}', "owner": "operator", "due_ns": NOW + n * S,
        "state": "open", "opened_ns": NOW, "done_ns": 0, "done_by": "", "note": "",
    } | more  # fmt: skip


def notice_row(n: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    return {
        "key": digest("notice", n), "destination": "district", "chain": digest("id", 0), "event": digest("event", n),
        "nature": "test", "action": "alert", "tier": 3, "is_late": False, "created_ns": NOW, "body": '{"n":1}',
        "state": "waiting", "attempts": 0, "next_ns": NOW, "last_error": "", "delivered_ns": 0, "receipt": "",
    } | more  # fmt: skip


class OnePast(NoHistory):
    """A past with three samples."""

    asked: tuple[int, int, int, int] = (0, 0, 0, 0)

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        self.asked = (row, from_ns, to_ns, points)
        values = np.array([1.0, np.nan, 3.0])
        return Series(
            times_ns=np.array([NOW + 1, NOW + 2, NOW + 3]), values=values, min=values, max=values,
            quality=np.array([0, 0x82, 0], dtype=np.uint8), count=np.ones(3, dtype=np.int64), is_rolled_up=False,
        )  # fmt: skip


@dataclass(slots=True)
class Door:
    """The API, its house, and a client for each role."""

    app: Application
    house: SmallHouse
    clock: ManualClock
    anybody: httpx.AsyncClient
    made: dict[str, httpx.AsyncClient]

    async def as_role(self, role: Role | str) -> httpx.AsyncClient:
        if role not in self.made:
            token = make_link(self.house.engine, f"the-{role}", role, self.clock)
            client = self.client()
            answer = await client.get(f"/login/{token}")
            assert answer.status_code == 303, answer.text
            self.made[role] = client
        return self.made[role]

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway:8080", headers=UNSAFE)

    def fill(self, table: Any, *rows: dict[str, Any]) -> None:  # noqa: ANN401 - a table
        with self.house.engine.begin() as connection:
            connection.execute(insert(table), list(rows))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    clock, site = ManualClock(), make_site()
    house = SmallHouse(
        site=site,
        engine=engine,
        clock=clock,
        historian=OnePast(),
        status=(SourceStatus(id="gas", protocol="mqtt", is_up=True, last_scan_ns=NOW, scans=5, refused=1),),
    )
    app = make_app(house, dist=tmp_path / "dist")
    door = Door(app, house, clock, None, {})  # type: ignore[arg-type]
    door.anybody = door.client()
    yield door
    for client in (door.anybody, *door.made.values()):
        await client.aclose()
    engine.dispose()


def is_error(answer: httpx.Response, status: int, code: str) -> bool:
    told = answer.json()
    assert set(told) == {"error"}, told
    assert set(told["error"]) == {"code", "message", "details"}
    assert (answer.status_code, told["error"]["code"]) == (status, code), answer.text
    assert "Traceback" not in answer.text
    return True


def test_the_small_house_is_a_house(door: Door) -> None:
    house: House = door.house

    assert house.ready()


# -------------------------------------------------------------------------------------------------- doors and roles


def test_every_route_of_the_router_was_declared_with_roles(door: Door) -> None:
    """Deny by default: a route that went around ``Doors`` would be here and not there."""
    routed = set()
    for route in door.app.doors.app.router.routes:
        methods = getattr(route, "methods", None) or {"WEBSOCKET"}
        routed |= {(method, route.path.replace(":path", "")) for method in methods - {"HEAD"}}  # type: ignore[attr-defined]

    assert routed == {(d.method, d.path) for d in door.app.doors.declared}


PUBLIC_PATHS = {
    "/api/v1/login", "/login/{token}", "/api/v1/health", "/api/v1/ready", "/metrics", "/api/v1/openapi.json", "/docs",
    "/{path}", "/api/v1/display",  # By the token of a screen; without one it shows nothing.
}  # fmt: skip


async def test_only_these_doors_are_open_to_anybody(door: Door) -> None:
    assert {d.path for d in door.app.doors.declared if d.roles is None} == PUBLIC_PATHS


async def test_each_role_passes_exactly_the_doors_that_name_it(door: Door) -> None:
    agree(door)
    for declared in door.app.doors.declared:
        if declared.roles is None or declared.method == "WEBSOCKET" or declared.path == "/api/v1/logout":
            continue
        path = re.sub(r"{\w+}", "nothing", declared.path)
        answer = await door.anybody.request(declared.method, path)
        assert is_error(answer, 401, "log_in"), path
        for role in Role:
            answer = await (await door.as_role(role)).request(declared.method, path)
            is_in = answer.status_code not in (401, 403)
            assert is_in == (role in declared.roles), (declared, role, answer.text)


def test_who_may_do_what_is_what_was_decided() -> None:
    assert set(Role) == ALL
    assert set(Role) - OPERATE == {Role.VIEWER, Role.REGULATOR}
    assert {Role.OPERATOR} == OPERATE - SUPPRESS
    assert {Role.SAFETY_OFFICER, Role.REGULATOR, Role.ADMINISTRATOR} == AUDIT


async def test_an_unsafe_request_without_the_header_is_refused(door: Door) -> None:
    client = await door.as_role("operator")
    answer = await client.post("/api/v1/alarms/x/ack", json={}, headers={"X-Fengsui-Request": ""})

    assert is_error(answer, 403, "csrf")
    assert door.house.commands == []


async def test_an_unsafe_request_from_another_site_is_refused(door: Door) -> None:
    client = await door.as_role("operator")
    for origin in ("http://evil.example", "http://gateway:9999", "null", "http://gateway.evil.example:8080"):
        assert is_error(await client.post("/api/v1/logout", headers={"Origin": origin}), 403, "origin")

    answer = await client.post("/api/v1/logout", headers={"Origin": "http://gateway:8080"})
    assert answer.status_code == 200


async def test_hosts_can_be_named(door: Door, tmp_path: Path) -> None:
    app = make_app(door.house, dist=tmp_path, hosts=["plant.example", "[::1]"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rebound.example") as client:
        assert is_error(await client.get("/api/v1/health"), 400, "host")
        for host in ("plant.example:8443", "PLANT.example", "[::1]:80"):
            assert (await client.get("/api/v1/health", headers={"Host": host})).status_code == 200


# --------------------------------------------------------------------------------------------------------- log-in


async def test_log_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(door: Door) -> None:
    add_user(door.house.engine, door.clock, "li", "operator", PASSWORD)
    answer = await door.anybody.post("/api/v1/login", json={"name": "li", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]

    assert answer.json() == {"name": "li"}
    assert all(word in cookie for word in ("fengsui_session=", "HttpOnly", "SameSite=strict", "Path=/"))
    assert (await door.anybody.get("/api/v1/me")).json() == {
        "name": "li", "role": "operator", "may": ["look", "operate"], "has_password": True
    }  # fmt: skip
    with door.house.engine.connect() as connection:
        stored = connection.execute(select(schema.session.c.token_hash)).scalars().all()
    assert door.anybody.cookies["fengsui_session"] not in stored


async def test_log_out_ends_the_session_for_every_holder_of_the_cookie(door: Door) -> None:
    client = await door.as_role("viewer")
    stolen = {"fengsui_session": client.cookies["fengsui_session"]}
    assert (await client.post("/api/v1/logout")).status_code == 200
    async with door.client() as thief:
        thief.cookies.update(stolen)
        assert is_error(await thief.get("/api/v1/me"), 401, "log_in")


async def test_a_session_ends_after_a_shift_and_with_its_user(door: Door) -> None:
    client, other = await door.as_role("viewer"), await door.as_role("operator")
    disable_user(door.house.engine, "the-operator")
    assert is_error(await other.get("/api/v1/me"), 401, "log_in")
    door.clock.advance_ns(12 * 3600 * S)
    assert is_error(await client.get("/api/v1/me"), 401, "log_in")


async def test_a_link_works_once_and_not_for_ever(door: Door) -> None:
    token = make_link(door.house.engine, "wu", "operator", door.clock)
    old = make_link(door.house.engine, "wu", "operator", door.clock)

    assert (await door.anybody.get(f"/login/{token}")).headers["location"] == "/"
    assert is_error(await door.anybody.get(f"/login/{token}"), 401, "link")
    door.clock.advance_ns(3601 * S)
    assert is_error(await door.anybody.get(f"/login/{old}"), 401, "link")
    assert is_error(await door.anybody.get("/login/guess"), 401, "link")
    browser = {"accept": "text/html,application/xhtml+xml"}
    assert (await door.anybody.get("/login/guess", headers=browser)).headers["location"] == "/?spent"


async def test_a_session_is_no_link_and_a_link_no_session(door: Door) -> None:
    client = await door.as_role("viewer")
    token = make_link(door.house.engine, "wu", "operator", door.clock)
    assert is_error(await client.get(f"/login/{client.cookies['fengsui_session']}"), 401, "link")
    async with door.client() as thief:
        thief.cookies["fengsui_session"] = token
        assert is_error(await thief.get("/api/v1/me"), 401, "log_in")


async def test_a_hundred_guesses_at_once_are_five_tries_and_a_lock(door: Door) -> None:
    add_user(door.house.engine, door.clock, "li", "operator", PASSWORD)
    guesses = [
        door.anybody.post("/api/v1/login", json={"name": "li", "password": f"guess number {n}"}) for n in range(12)
    ]
    answers = await asyncio.gather(*guesses)
    assert {answer.status_code for answer in answers} == {401}
    with door.house.engine.connect() as connection:
        row = connection.execute(select(schema.user)).one()
        acts = connection.execute(select(schema.journal.c.body)).scalars().all()
    assert row.failures == FAILURES_MAX
    assert row.locked_until_ns == NOW + LOCK_S * S
    assert len(acts) == FAILURES_MAX
    assert not any("guess" in act for act in acts)

    right = {"name": "li", "password": PASSWORD}
    locked = await door.anybody.post("/api/v1/login", json=right)
    assert is_error(locked, 401, "log_in")
    assert locked.json() == answers[0].json()
    door.clock.advance_ns(LOCK_S * S + 1)
    assert (await door.anybody.post("/api/v1/login", json=right)).status_code == 200


async def test_nobody_can_tell_a_missing_user_from_a_wrong_password(door: Door) -> None:
    add_user(door.house.engine, door.clock, "li", "operator", PASSWORD)
    make_link(door.house.engine, "linked", "viewer", door.clock)
    bodies = []
    for name in ("li", "nobody", "linked", "li'--", "李\u0000"):
        answer = await door.anybody.post("/api/v1/login", json={"name": name, "password": "wrong password"})
        assert is_error(answer, 401, "log_in")
        bodies.append(answer.content)
    answer = await door.anybody.post("/api/v1/login", json={"name": "linked", "password": ""})

    assert len({*bodies, answer.content}) == 1


# ----------------------------------------------------------------------------------------------------- edge nodes


async def test_a_node_comes_in_by_its_token_and_nobody_else(door: Door) -> None:
    token = add_node(door.house.engine, door.clock, "north")
    other = add_node(door.house.engine, door.clock, "south", "a-token-of-our-own-deployment-0001")
    right = {"Authorization": f"Bearer {token}"}

    answer = await door.anybody.post("/api/v1/ingest", content=b"scans", headers=right)
    assert answer.json() == {"taken": 0, "known": 0, "refused": {}, "refused_at": {}, "unknown_tags": 0}
    assert (
        await door.anybody.post("/api/v1/ingest", content=b"", headers={"Authorization": f"bearer {other}"})
    ).is_success
    assert door.house.bodies == [("north", b"scans"), ("south", b"")]
    for wrong in ("", "Bearer", f"Basic {token}", f"Bearer {token}x", f"Bearer {token[:-1]}", "Bearer " + "x" * 5000):
        answer = await door.anybody.post("/api/v1/ingest", content=b"x", headers={"Authorization": wrong})
        assert is_error(answer, 401, "log_in"), wrong
    administrator = await door.as_role("administrator")
    assert is_error(await administrator.post("/api/v1/ingest", content=b"x"), 401, "log_in")
    assert is_error(await door.anybody.get("/api/v1/me", headers=right), 401, "log_in"), "a node is no person"
    stored = door.house.engine.connect()
    with stored:
        assert token not in str(stored.execute(select(schema.node)).all())

    revoke_node(door.house.engine, "north")
    assert is_error(await door.anybody.post("/api/v1/ingest", content=b"x", headers=right), 401, "log_in")
    with pytest.raises(NodeError, match="no node"):
        revoke_node(door.house.engine, "west")
    fresh = add_node(door.house.engine, door.clock, "north")
    assert fresh != token
    assert [(node.name, node.is_active) for node in list_nodes(door.house.engine)] == [("north", True), ("south", True)]


@pytest.mark.parametrize(
    ("name", "token"), [("a/b", ""), ("", ""), ("ok", "short"), ("ok", "x" * 300), ("ok", "ä" * 40)]
)
async def test_an_odd_node_is_not_added(door: Door, name: str, token: str) -> None:
    with pytest.raises(NodeError):
        add_node(door.house.engine, door.clock, name, token)
    add_node(door.house.engine, door.clock, "ok")
    with pytest.raises(NodeError, match="exists already"):
        add_node(door.house.engine, door.clock, "ok")


async def test_what_is_not_taken_from_a_node_is_one_sentence(door: Door) -> None:
    token = add_node(door.house.engine, door.clock, "north")
    headers = {"Authorization": f"Bearer {token}"}
    door.house.taken = Refusal(503, "busy", "Come again.", 1)
    answer = await door.anybody.post("/api/v1/ingest", content=b"x", headers=headers)
    assert is_error(answer, 503, "busy")
    assert answer.headers["retry-after"] == "1"

    door.house.taken = Taken(taken=3, refused={"unknown_source": [4, 5]}, unknown_tags=2)
    answer = await door.anybody.post("/api/v1/ingest", content=b"x" * (BODY_MAX + 1), headers=headers)
    assert answer.json()["refused_at"] == {"unknown_source": [4, 5]}
    huge = {**headers, "Content-Length": str(INGEST_BODY_MAX + 1)}
    assert is_error(await door.anybody.post("/api/v1/ingest", content=b"x", headers=huge), 413, "too_large")


async def test_flow_shows_how_each_node_stands(door: Door) -> None:
    door.house.node_status = (
        NodeStatus(
            name="north", is_up=True, last_contact_ns=NOW, lag_s=12.3456, waiting=7, missing=3, sources=("gas",)
        ),
    )
    told = (await (await door.as_role("viewer")).get("/api/v1/flow")).json()["nodes"]

    assert told == [
        {
            "name": "north", "is_up": True, "last_contact": "2026-01-01T00:00:00.000Z", "lag_s": 12.346,
            "clock_offset_s": 0.0, "spool": {"waiting": 7, "bytes": 0, "dropped": 0, "corrupt": 0}, "refused": {},
            "known": 0, "missing": 3, "revision": "", "error": "", "error_code": "", "sources": ["gas"],
        }
    ]  # fmt: skip


async def test_flow_and_metrics_show_the_broker_that_nodes_send_through(door: Door, tmp_path: Path) -> None:
    viewer = await door.as_role("viewer")
    app = make_app(door.house, dist=tmp_path, metrics_token="scrape-me")

    async def metrics() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway:8080") as client:
            return (await client.get("/metrics", headers={"Authorization": "Bearer scrape-me"})).text

    assert "fengsui_ready" in await metrics()
    assert (await viewer.get("/api/v1/flow")).json()["node_broker"] is None
    assert "fengsui_node_broker_up" not in await metrics()

    door.house.broker_status = BrokerStatus(place="mq:8883", is_up=False, reason="refused", refused={"node_repeat": 2})
    assert (await viewer.get("/api/v1/flow")).json()["node_broker"] == {
        "place": "mq:8883", "is_up": False, "reason": "refused", "refused": {"node_repeat": 2}, "crashes": 0,
    }  # fmt: skip
    assert "fengsui_node_broker_up 0" in await metrics()


# ------------------------------------------------------------------------------------------- plant, history, units


async def test_tags_come_with_their_limits(door: Door) -> None:
    told = (await (await door.as_role("viewer")).get("/api/v1/tags")).json()["tags"]

    assert [tag["name"] for tag in told] == ["TK-101.level", "G-1.lel"]
    assert [limit["kind"] for limit in told[0]["limits"]] == ["H", "HH"]
    assert told[0]["limits"][1]["on_delay_s"] == 3.0
    assert (told[1]["range_lo"], told[0]["range_hi"]) == (None, 5.0)


async def test_a_latest_value_says_how_old_and_how_good_it_is(door: Door) -> None:
    client = await door.as_role("viewer")
    door.house.picture.publish(
        1, NOW,
        values=(np.array([0], np.int32), np.array([4.31]), np.array([0x40 | 11], np.uint8), np.array([NOW - S])),
    )  # fmt: skip
    door.clock.advance_ns(2 * S)
    told = (await client.get("/api/v1/values/latest", params={"tag": ["TK-101.level", "G-1.lel"]})).json()["values"]

    assert told[0] == {
        "tag": "TK-101.level", "value": 4.31, "quality": "UNCERTAIN(clock)", "time": "2025-12-31T23:59:59.000Z",
        "time_ns": str(NOW - S), "age_s": 3.0, "trends": [], "drifts": [],
    }  # fmt: skip
    assert (told[1]["value"], told[1]["time"], told[1]["quality"]) == (None, None, "BAD(comms)")
    assert is_error(await client.get("/api/v1/values/latest?tag=<b>x"), 404, "not_found")


async def test_a_latest_value_says_where_its_tag_runs_to(door: Door) -> None:
    client, rules = await door.as_role("viewer"), door.house.site.rules
    memory, index = door.house.memory(Nature.TEST), np.array([rules.index_of["G-1.lel.TREND"]])

    async def ask() -> dict[str, Any]:
        told = (await client.get("/api/v1/values/latest", params={"tag": "G-1.lel"})).json()["values"]
        (trend,) = told[0]["trends"]
        assert (trend["rule"], trend["limit"], trend["horizon_s"]) == ("G-1.lel.TREND", 20.0, 600.0)
        return dict(trend)

    nothing = await ask()
    assert not nothing["is_ready"]
    assert (nothing["slope"], nothing["time_to_limit_s"], nothing["level"]) == (None, None, None)
    for step in range(10):  # 0.5 %LEL a second, 4.5 at the last sample: 15.5 to go
        advance(rules, memory, index, np.array([0.5 * step]), np.array([NOW + step * S]))
    rising = await ask()
    assert rising["is_ready"]
    assert rising["time_ns"] == str(NOW + 9 * S)
    assert (rising["slope"], rising["level"]) == pytest.approx((0.5, 4.5), rel=1e-3)
    assert rising["time_to_limit_s"] == pytest.approx(31.0, rel=1e-2)
    for step in range(10, 60):
        advance(rules, memory, index, np.array([4.5 - 0.1 * (step - 9)]), np.array([NOW + step * S]))
    assert (await ask())["time_to_limit_s"] is None


async def test_a_latest_value_says_how_far_its_tag_has_drifted_or_why_not(door: Door) -> None:
    client, rules = await door.as_role("viewer"), door.house.site.rules
    memory, index = door.house.memory(Nature.TEST), np.array([rules.index_of["G-1.lel.DRIFT"]])

    async def ask() -> dict[str, Any]:
        told = (await client.get("/api/v1/values/latest", params={"tag": "G-1.lel"})).json()["values"]
        (drift,) = told[0]["drifts"]
        assert (drift["rule"], drift["limit"]) == ("G-1.lel.DRIFT", 6.0)
        return dict(drift)

    nothing = await ask()
    assert (nothing["is_ready"], nothing["score"], nothing["usual"], nothing["ready_in_s"]) == (False, None, None, 60.0)
    assert (nothing["waits"]["for"], set(nothing["waits"])) == ("warm_up", {"for", "en", "zh"})
    for step in range(100):
        judge_drifts(rules, memory, index, np.array([5.0 + 0.1 * (step % 2)]), np.array([NOW + step * S]))
    known = await ask()
    assert (known["is_ready"], known["waits"], known["ready_in_s"]) == (True, None, 0.0)
    assert known["usual"] == pytest.approx(5.05, abs=0.01)
    for step in range(100, 130):
        judge_drifts(rules, memory, index, np.array([6.0]), np.array([NOW + step * S]))
    away = await ask()
    assert away["score"] > 6.0
    assert away["away"] / away["sigma"] == pytest.approx(away["score"])


async def test_history_keeps_gaps_open_and_times_exact(door: Door) -> None:
    client = await door.as_role("viewer")
    answer = await client.get(
        "/api/v1/history",
        params={"tag": "TK-101.level", "from": "2026-01-01T08:00:00+08:00", "to": str(NOW + 7), "points": 10},
    )
    told = answer.json()

    assert door.house.historian.asked == (0, NOW, NOW + 7, 10)  # type: ignore[attr-defined]
    assert told["times_ns"] == [str(NOW + 1), str(NOW + 2), str(NOW + 3)]
    assert told["values"] == [1.0, None, 3.0]
    assert told["quality"] == [0, 0x82, 0]


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"from": "2026-01-01T08:00:00"}, "offset"),  # whose local time?
        ({"from": "yesterday"}, "ISO 8601"),
        ({"from": "-5"}, "ISO 8601"),
        ({"from": "9" * 30}, "range"),
        ({"from": "1900-01-01T00:00:00Z"}, "range"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "before"),
        ({"points": "0"}, "points"),
        ({"points": "1e9"}, "points"),
        ({"tag": None}, "tag"),
    ],
)
async def test_an_odd_question_about_history_is_one_sentence(
    door: Door, asked: dict[str, str | None], word: str
) -> None:
    params = {k: v for k, v in ({"tag": "TK-101.level"} | asked).items() if v is not None}
    answer = await (await door.as_role("viewer")).get("/api/v1/history", params=params)

    assert is_error(answer, 422, "invalid")
    assert word in answer.json()["error"]["message"]


async def test_units_show_their_worst_tier(door: Door) -> None:
    door.house.picture.publish(1, NOW, alarms=[make_alarm()], units={"TK-101": Tier.ORANGE})
    told = (await (await door.as_role("viewer")).get("/api/v1/units")).json()["units"]

    assert (told[0]["tier"], told[0]["alarms"], told[0]["tags"]) == ("ORANGE", 1, ["TK-101.level"])
    assert (told[1]["tier"], told[1]["alarms"]) == ("NONE", 0)
    assert [unit["links"] for unit in told] == [[{"title": VIEW.title, "url": VIEW.url}], []]


async def test_why_of_a_unit_is_a_sentence_once_it_had_an_alarm(door: Door) -> None:
    client = await door.as_role("viewer")
    assert (await client.get("/api/v1/units/TK-101/why")).json() == {"sentence": "", "facts": None}
    assert is_error(await client.get("/api/v1/units/nobody/why"), 404, "not_found")

    book = TierBook(Tiering(), door.house.site.units, lambda _: "m")
    book.note(make_alarm(nature=Nature.ACTUAL), NOW)
    with door.house.engine.begin() as connection:
        connection.execute(insert(schema.unit_tier), [rows.standing_row(one) for one in book.take_changed()])
    told = (await client.get("/api/v1/units/TK-101/why?lang=zh")).json()

    assert "有效报警的最高等级:TK-101.level" in told["sentence"]
    assert told["facts"]["line"] == 0


async def test_why_of_one_event_is_a_sentence_also_of_an_act(door: Door) -> None:
    client = await door.as_role("viewer")
    assert is_error(await client.get("/api/v1/events/nobody/why"), 404, "not_found")
    alarm = make_alarm()
    acked = alarm_event(alarm, What.ACKNOWLEDGED, NOW, NOW, {"who": "li", "reason": "on my way"})
    with door.house.engine.begin() as connection:
        connection.execute(insert(schema.event), [rows.event_row(acked)])
    told = (await client.get(f"/api/v1/events/{acked.id}/why")).json()

    assert told["sentence"] == "li acknowledged TK-101.level 4.31 m ≥ HH 4.20 m: on my way → ORANGE"


# ------------------------------------------------------------------------------------------------------------ alarms


async def walk(client: httpx.AsyncClient, path: str, name: str, **params: object) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {key: str(value) for key, value in params.items()} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        cursor = answer.json()["next"]
    return found


async def test_alarms_come_unacknowledged_first_then_by_tier_and_page_by_page(door: Door) -> None:
    client = await door.as_role("viewer")
    many = [
        make_alarm(n, tier=Tier(1 + n % 4), state=State.ACKED if n % 3 == 0 else State.UNACK, onset_ns=NOW + n % 5)
        for n in range(53)
    ]
    quiet = make_alarm(99, state=State.NORMAL, tier=Tier.NONE, suppression=Suppression.SHELVED, unit="GAS", id="")
    door.house.picture.publish(1, NOW, alarms=[*many, quiet])
    whole = await walk(client, "/api/v1/alarms", "alarms", limit=1000)
    paged = await walk(client, "/api/v1/alarms", "alarms", limit=7)

    assert paged == whole
    assert len({alarm["id"] for alarm in whole}) == 54
    ranks = [(alarm["state"] != "UNACK", -Tier[alarm["tier"]]) for alarm in whole]
    assert ranks == sorted(ranks)
    assert len(await walk(client, "/api/v1/alarms", "alarms", state="active")) == 53
    assert len(await walk(client, "/api/v1/alarms", "alarms", state="unacked", tier="RED")) == 8
    assert [a["id"] for a in await walk(client, "/api/v1/alarms", "alarms", state="suppressed")] == [quiet.key]
    assert (await client.get("/api/v1/alarms?unit=GAS")).json()["total"] == 1


def alarm_row(alarm: Alarm) -> dict[str, Any]:
    names = set(schema.alarm.columns.keys()) - {"rule_group"}
    row = {name: getattr(alarm, name) for name in names}
    return row | {"rule_group": alarm.group, "tier": int(alarm.tier), "tier_max": int(alarm.tier_max)}


async def test_alarms_at_rest_are_found_too(door: Door) -> None:
    client = await door.as_role("viewer")
    rest = [make_alarm(n, state=State.NORMAL, tier=Tier.NONE, changed_ns=NOW + n % 3) for n in range(20)]
    door.fill(schema.alarm, *[alarm_row(alarm) for alarm in rest])
    told = await walk(client, "/api/v1/alarms", "alarms", state="all", limit=6)

    assert sorted(a["id"] for a in told) == sorted(a.id for a in rest)
    assert [a["changed"] for a in told] == sorted((a["changed"] for a in told), reverse=True)
    assert (await client.get(f"/api/v1/alarms/{rest[3].key}")).json()["id"] == rest[3].id


async def test_an_episode_that_is_over_is_still_found_by_its_id(door: Door) -> None:
    client = await door.as_role("viewer")
    door.fill(
        schema.event,
        event_row(1),
        event_row(2, what="cleared", tier=0, state="NORMAL", cause="{}"),
    )
    told = (await client.get(f"/api/v1/alarms/{digest('id', 0)}")).json()

    assert (told["state"], told["tier_max"], told["rule"], told["ordinal"]) == ("NORMAL", "ORANGE", CAUSE["rule"], 2)
    assert is_error(await client.get("/api/v1/alarms/none"), 404, "not_found")


async def test_why_is_one_sentence_in_either_language(door: Door) -> None:
    client = await door.as_role("viewer")
    door.fill(schema.event, event_row(1), event_row(2, what="acknowledged", cause='{"who":"li"}'))
    path = f"/api/v1/alarms/{digest('id', 0)}/why"
    english = (await client.get(path)).json()

    assert english["sentence"] == (
        "TK-101.level 4.31 m ≥ HH 4.20 m for 3 s (scan tankfarm-1/1/88412, quality GOOD) → ORANGE"
    )
    assert (english["facts"]["rule"], english["notes"]) == ("TK-101.level.HH", [])
    gauge = {
        "code": "LT-1",
        "name": "gauge",
        "state": "in_use",
        "tag": "TK-101.level",
        "calibrated_until": "2020-01-01",
    }
    door.fill(
        schema.record,
        {
            "id": "r1", "ledger": "instruments", "code": "LT-1", "title": "gauge", "unit": "", "revision": 1,
            "time_ns": 1, "who": "li", "body": json.dumps(gauge), "is_removed": False, "state": "in_use",
            "due": "2020-01-01",
        },
    )  # fmt: skip
    noted = (await client.get(path)).json()
    assert (noted["sentence"], noted["notes"][0]["en"]) == (
        english["sentence"],
        "LT-1: calibration ended on 2020-01-01",
    )
    assert (await client.get(path, params={"lang": "zh"})).json()["sentence"] == (
        "TK-101.level 4.31 m ≥ 高高报设定值 4.20 m,持续 3 秒(采样批次 tankfarm-1/1/88412,质量良好)→ 橙色预警"
    )
    assert is_error(await client.get(path, params={"lang": "fr"}), 422, "invalid")
    assert is_error(await client.get("/api/v1/alarms/none/why"), 404, "not_found")


def agree(door: Door) -> None:
    door.house.answer = lambda command: Answer(command=command, alarm=make_alarm(state=State.ACKED))


async def test_a_command_carries_who_why_and_until_when(door: Door) -> None:
    agree(door)
    client = await door.as_role("engineer")
    id_ = digest("id", 0)
    comment = "<script>alert(1)</script> 已确认"
    answer = await client.post(f"/api/v1/alarms/{id_}/ack", json={"comment": comment})
    assert answer.json()["alarm"]["state"] == "ACKED"
    for verb in ("shelve", "suppress"):
        asked = {"reason": "calibration", "until": "2026-01-01T09:00:00+08:00"}
        assert (await client.post(f"/api/v1/alarms/{id_}/{verb}", json=asked)).status_code == 200
    for verb in ("reset", "unshelve", "unsuppress"):
        assert (await client.post(f"/api/v1/alarms/{id_}/{verb}", json={})).status_code == 200
        assert (await client.post(f"/api/v1/alarms/{id_}/{verb}")).status_code == 200

    learnt = {"reason": "calibration", "forget_season": True}
    assert (await client.post("/api/v1/rules/area/T-1:x.DRIFT/relearn", json=learnt)).status_code == 200
    assert (await client.post("/api/v1/rules/x.DRIFT/relearn", json={"reason": ""})).status_code == 422
    relearn = door.house.commands.pop()
    assert (relearn.verb, relearn.alarm, relearn.reason, relearn.forget_season) == (
        Verb.RELEARN, "area/T-1:x.DRIFT", "calibration", True,
    )  # fmt: skip
    hour = 3600 * S
    assert [(c.verb, c.reason, c.until_ns) for c in door.house.commands] == [
        (Verb.ACK, comment, 0), (Verb.SHELVE, "calibration", NOW + hour), (Verb.SUPPRESS, "calibration", NOW + hour),
        (Verb.RESET, "", 0), (Verb.RESET, "", 0), (Verb.UNSHELVE, "", 0), (Verb.UNSHELVE, "", 0),
        (Verb.UNSUPPRESS, "", 0), (Verb.UNSUPPRESS, "", 0),
    ]  # fmt: skip
    assert {(c.who, c.alarm, c.received_ns) for c in door.house.commands} == {("the-engineer", id_, NOW)}


async def test_a_one_shot_shelf_needs_no_end_and_another_does(door: Door) -> None:
    agree(door)
    client = await door.as_role("operator")
    path = f"/api/v1/alarms/{digest('id', 0)}/shelve"
    assert (await client.post(path, json={"reason": "valve", "one_shot": True})).status_code == 200
    both = {"reason": "valve", "one_shot": True, "until": str(NOW + S)}
    assert (await client.post(path, json=both)).status_code == 200
    assert [(c.verb, c.is_one_shot, c.until_ns) for c in door.house.commands] == [
        (Verb.SHELVE, True, 0), (Verb.SHELVE, True, NOW + S),
    ]  # fmt: skip
    for wrong in ({"reason": "valve"}, {"reason": "valve", "one_shot": "later"}, {"one_shot": True}):
        assert is_error(await client.post(path, json=wrong), 422, "invalid")
    assert len(door.house.commands) == 2


async def test_many_alarms_are_answered_one_by_one(door: Door) -> None:
    said = {"en": "There is nothing to acknowledge.", "zh": "无需确认。"}
    ids = [digest("id", n) for n in range(3)]

    def answer(command: Command) -> Answer:
        if command.alarm == ids[1]:
            return Answer(command=command, refused=said)
        return Answer(command=command, alarm=make_alarm(0, state=State.ACKED, acked_by=command.who))

    door.house.answer = answer
    client = await door.as_role("operator")
    named = [{"alarm": ids[0], "seen_tier": "ORANGE"}, {"alarm": ids[1]}, {"alarm": ids[2]}]
    asked = {"comment": "seen", "alarms": named}
    told = (await client.post("/api/v1/acts/ack", json=asked)).json()
    assert (told["done"], told["refused"]) == (2, 1)
    assert [(one["asked"], one["is_done"], one["refused"]) for one in told["results"]] == [
        (ids[0], True, None), (ids[1], False, said), (ids[2], True, None),
    ]  # fmt: skip
    assert told["results"][0]["alarm"]["acked_by"] == "the-operator"
    assert [(c.verb, c.alarm, c.reason, c.seen_tier) for c in door.house.commands] == [
        (Verb.ACK, ids[0], "seen", Tier.ORANGE), (Verb.ACK, ids[1], "seen", None), (Verb.ACK, ids[2], "seen", None),
    ]  # fmt: skip
    assert len({command.batch for command in door.house.commands}) == 1
    assert door.house.commands[0].batch


async def test_many_alarms_are_shelved_and_taken_out_by_one_reason(door: Door) -> None:
    agree(door)
    operator, engineer = await door.as_role("operator"), await door.as_role("engineer")
    named = {"alarms": [{"alarm": "a"}, {"alarm": "b"}]}
    shelf = {**named, "reason": "valve", "one_shot": True}
    away = {**named, "reason": "probe out", "until": str(NOW + S), "permit": " PTW-7 "}
    assert (await operator.post("/api/v1/acts/shelve", json=shelf)).status_code == 200
    refused = await operator.post("/api/v1/acts/suppress", json=away)
    assert is_error(refused, 403, "forbidden")
    assert refused.json()["error"]["details"] == {
        "en": "Role operator may not do this; it is for: safety officer, engineer, administrator.",
        "zh": "操作员无权进行此操作，须由以下角色进行：安全员、工程师、管理员。",
    }, "who stands before it knows whom to ask"
    assert set(ROLES_ZH) == set(Role)
    assert (await engineer.post("/api/v1/acts/suppress", json=away)).status_code == 200
    for verb in ("silence", "reset", "unshelve", "unsuppress"):
        assert (await engineer.post(f"/api/v1/acts/{verb}", json=named)).status_code == 200
    assert [(c.verb, c.alarm, c.reason, c.until_ns, c.permit) for c in door.house.commands[:4]] == [
        (Verb.SHELVE, "a", "valve", 0, ""), (Verb.SHELVE, "b", "valve", 0, ""),
        (Verb.SUPPRESS, "a", "probe out", NOW + S, "PTW-7"), (Verb.SUPPRESS, "b", "probe out", NOW + S, "PTW-7"),
    ]  # fmt: skip
    assert [c.verb for c in door.house.commands[4::2]] == [Verb.SILENCE, Verb.RESET, Verb.UNSHELVE, Verb.UNSUPPRESS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarms": []}, {"alarms": [{"alarm": "a"}, {"alarm": "a"}]}, {"alarms": [{"alarm": ""}]}, {},
        {"alarms": [{"alarm": f"a{n}"} for n in range(1001)]}, {"alarms": ["a"]},
        {"alarms": [{"alarm": "a", "seen_tier": "PINK"}]}, {"alarms": [{"alarm": "a"}], "more": 1},
    ],
)  # fmt: skip
async def test_a_malformed_list_of_alarms_is_refused_whole(door: Door, wrong: dict[str, Any]) -> None:
    agree(door)
    client = await door.as_role("operator")
    assert is_error(await client.post("/api/v1/acts/ack", json=wrong), 422, "invalid")
    assert door.house.commands == []


async def test_an_alarm_says_how_long_it_may_be_shelved(door: Door) -> None:
    client = await door.as_role("viewer")
    alarm = make_alarm(1, suppression=Suppression.SHELVED, is_one_shot=True)
    door.fill(schema.alarm, alarm_row(alarm))
    told = (await client.get(f"/api/v1/alarms/{alarm.key}")).json()
    most = door.house.site.philosophy.shelving.most(
        max(rule.tier for rule in door.house.site.rules if rule.tag == alarm.tag)
    )
    assert (told["is_one_shot"], told["shelf_minutes_max"]) == (True, most)


async def test_a_derived_tag_says_how_it_stands_and_an_occupancy_can_be_emptied(door: Door) -> None:
    agree(door)
    door.house.derived["G-1.lel"] = {"derived": "occupancy", "inputs": [], "computed": {"drift": 2.0, "resets": 1}}
    viewer, operator = await door.as_role("viewer"), await door.as_role("operator")

    told = (await viewer.get("/api/v1/computed", params={"tag": "G-1.lel"})).json()
    assert (told["tag"], told["computed"]["drift"]) == ("G-1.lel", 2.0)
    assert is_error(await viewer.get("/api/v1/computed", params={"tag": "none"}), 404, "not_found")
    assert is_error(await viewer.get("/api/v1/computed", params={"tag": "TK-101.level"}), 404, "not_found")
    asked = {"tag": "G-1.lel", "reason": "looked into every room"}
    assert is_error(await viewer.post("/api/v1/computed/empty", json=asked), 403, "forbidden")
    assert is_error(await operator.post("/api/v1/computed/empty", json={**asked, "reason": ""}), 422, "invalid")
    assert (await operator.post("/api/v1/computed/empty", json=asked)).status_code == 200
    assert [(c.verb, c.alarm, c.who, c.reason) for c in door.house.commands] == [
        (Verb.EMPTY, "G-1.lel", "the-operator", "looked into every room")
    ]


async def test_a_refused_command_is_answered_with_the_sentence(door: Door) -> None:
    said = {"en": "There is nothing to acknowledge: the alarm is normal.", "zh": "报警处于正常状态,无需确认。"}
    door.house.answer = lambda command: Answer(command=command, refused=said)
    answer = await (await door.as_role("operator")).post("/api/v1/alarms/x/ack", json={})

    assert is_error(answer, 409, "refused")
    assert answer.json()["error"] == {"code": "refused", "message": said["en"], "details": said}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b'{"reason":"","until":"2026-01-02T00:00:00Z"}', b'{"reason":"x"}',
     b'{"reason":"x","until":"2026-01-02T00:00:00"}', b'{"reason":"x","until":"2026-01-02T00:00:00Z","who":"me"}',
     b'{"reason":1,"until":2}', b"\xff\xfe", b'{"reason":"' + b"x" * 2001 + b'","until":"2026-01-02T00:00:00Z"}'],
)  # fmt: skip
async def test_a_malformed_body_is_one_sentence_and_no_command(door: Door, body: bytes) -> None:
    client = await door.as_role("operator")
    answer = await client.post("/api/v1/alarms/x/shelve", content=body, headers={"content-type": "application/json"})

    assert is_error(answer, answer.status_code, "invalid")
    assert answer.status_code in (400, 422)
    assert door.house.commands == []


async def test_a_large_body_is_refused_whether_or_not_it_says_its_size(door: Door) -> None:
    client = await door.as_role("operator")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX // 1000 + 1):
            yield b" " * 1000

    assert is_error(await client.post("/api/v1/alarms/x/ack", content=b" " * (BODY_MAX + 1)), 413, "too_large")
    assert is_error(await client.post("/api/v1/alarms/x/ack", content=pieces()), 413, "too_large")


# ------------------------------------------------------------------------------------- events, register, response, push


async def test_events_page_by_page_and_by_what_they_are_about(door: Door) -> None:
    client = await door.as_role("regulator")
    rows = [event_row(n, alarm=digest("id", n % 2), unit="GAS" if n % 5 == 0 else "TK-101") for n in range(30)]
    door.fill(schema.event, *rows)
    told = await walk(client, "/api/v1/events", "events", limit=7)

    assert [event["id"] for event in told] == [row["id"] for row in reversed(rows)]
    assert told[0]["cause"]["scan"] == CAUSE["scan"]
    assert (told[0]["time_ns"], told[0]["tier"]) == (str(NOW + 29), "ORANGE")
    assert len(await walk(client, "/api/v1/events", "events", alarm=digest("id", 1))) == 15
    assert len(await walk(client, "/api/v1/events", "events", unit="GAS")) == 6
    span = {"from": NOW + 10, "to": NOW + 20}
    assert len(await walk(client, "/api/v1/events", "events", **span)) == 10


@pytest.mark.parametrize(
    "cursor",
    ["x", "W10", "WzEsMl0", "WyJ4Il0", "W3RydWVd", "!!!!", "W10" * 200, "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"],
)
async def test_a_forged_cursor_is_refused(door: Door, cursor: str) -> None:
    answer = await (await door.as_role("viewer")).get("/api/v1/events", params={"cursor": cursor})

    assert is_error(answer, 422, "invalid")


async def test_register_entries_hold_their_tasks(door: Door) -> None:
    client = await door.as_role("viewer")
    entry = {
        "id": digest("entry", 0), "nature": "test", "unit": "TK-101", "opened_ns": NOW, "closed_ns": 0, "tier": 3,
        "tier_max": 4, "alarms": '["a","b"]', "is_late": False,
    }  # fmt: skip
    door.fill(schema.register_entry, entry, entry | {"id": "closed", "unit": "GAS", "closed_ns": NOW + S})
    door.fill(schema.response_task, task_row(2), task_row(1))
    told = await walk(client, "/api/v1/register/entries", "entries", limit=1, open="true")

    assert len(told) == 1
    assert (told[0]["tier_max"], told[0]["alarms"], told[0]["closed"]) == ("RED", ["a", "b"], None)
    assert [task["id"] for task in told[0]["tasks"]] == [digest("task", 1), digest("task", 2)]
    assert told[0]["tasks"][0]["title"]["zh"] == "停止进料"
    assert len(await walk(client, "/api/v1/register/entries", "entries", limit=1)) == 2
    assert [e["id"] for e in await walk(client, "/api/v1/register/entries", "entries", open="false")] == ["closed"]


async def test_a_task_is_done_once_and_by_somebody(door: Door) -> None:
    client = await door.as_role("operator")
    door.fill(schema.response_task, *[task_row(n) for n in range(5)])
    path = f"/api/v1/response/tasks/{digest('task', 1)}/done"
    done = (await client.post(path, json={"note": "阀门已关"})).json()["task"]

    assert (done["state"], done["done_by"], done["note"], done["done"]) == (
        "done", "the-operator", "阀门已关", "2026-01-01T00:00:00.000Z",
    )  # fmt: skip
    assert is_error(await client.post(path, json={}), 409, "refused")
    assert is_error(await client.post("/api/v1/response/tasks/none/done", json={}), 404, "not_found")
    assert len(await walk(client, "/api/v1/response/tasks", "tasks", limit=3)) == 4
    assert len(await walk(client, "/api/v1/response/tasks", "tasks", limit=3, state="all")) == 5
    acts = (await (await door.as_role("safety_officer")).get("/api/v1/audit")).json()["acts"]
    assert [a["act"]["task"] for a in acts if a["act"]["action"] == "task_done"] == [digest("task", 1)]


async def test_audit_is_read_page_by_page(door: Door) -> None:
    client = await door.as_role("administrator")
    acts = await walk(client, "/api/v1/audit", "acts", limit=1)

    assert [act["act"]["action"] for act in acts] == ["logged_in"]


async def test_push_tells_of_receipts_and_of_what_waits(door: Door) -> None:
    client = await door.as_role("regulator")
    receipt = {"status": 200, "id": "r1"}
    door.fill(
        schema.outbox,
        notice_row(1, state="delivered", delivered_ns=NOW + S, receipt=json.dumps(receipt)),
        notice_row(2, created_ns=NOW - 5 * S, attempts=3, last_error="timeout"),
        notice_row(3, created_ns=NOW),
    )
    told = await walk(client, "/api/v1/push/outbox", "notices", limit=2)
    summary = (await client.get("/api/v1/push/summary")).json()["destinations"]

    assert [notice["key"] for notice in told] == [digest("notice", n) for n in (3, 2, 1)]
    assert (told[2]["receipt"], told[1]["last_error"], told[1]["receipt"]) == (receipt, "timeout", None)
    assert [n["key"] for n in await walk(client, "/api/v1/push/outbox", "notices", state="delivered")] == [
        digest("notice", 1)
    ]
    assert summary == [
        {"id": "district", "waiting": 2, "delivered": 1, "handed": 0, "quarantined": 0, "moved": 0,
         "oldest_waiting_s": 5.0, "last_receipt": "2026-01-01T00:00:01.000Z", "last_error": "timeout",
         "next": "2026-01-01T00:00:00.000Z"},
    ]  # fmt: skip


async def test_the_alarm_load_is_counted_over_ten_minutes(door: Door) -> None:
    client = await door.as_role("viewer")
    door.clock.advance_ns(3600 * S)
    now = door.clock.wall_ns()
    door.fill(
        schema.event,
        event_row(1),  # an hour ago
        *[event_row(10 + n, time_ns=now - n * S, received_ns=now - n * S) for n in range(11)],
        event_row(50, time_ns=now, received_ns=now, is_late=True),
        event_row(51, time_ns=now, received_ns=now, what="returned"),
    )
    door.house.picture.publish(1, now, alarms=[make_alarm(1), make_alarm(2, state=State.RTN_UNACK, tier=Tier.NONE)])
    told = (await client.get("/api/v1/kpi")).json()

    assert (told["rings_10_min"], told["is_flood"], told["active"], told["unacked"]) == (11, True, 1, 2)
    assert told["tiers"]["ORANGE"] == 1


async def test_the_last_head_of_each_chain_is_public_to_all_roles(door: Door) -> None:
    door.fill(schema.head, {"nature": "test", "count": 7, "hash": "ab", "signature": "cd", "time_ns": NOW})
    told = (await (await door.as_role("regulator")).get("/api/v1/head")).json()["heads"]

    assert (told[0]["count"], told[0]["time_ns"]) == (7, str(NOW))


# ------------------------------------------------------------------------------------- system, errors, headers, page


async def test_flow_shows_the_equation_of_each_stage(door: Door) -> None:
    meter = door.house.meter
    meter.entered(Stage.INTAKE, 3)
    meter.left(Stage.INTAKE, 1)
    meter.refused(Stage.INTAKE, "duplicate", 1)
    told = (await (await door.as_role("viewer")).get("/api/v1/flow")).json()
    intake = told["stages"][2]

    assert (intake["in"], intake["out"], intake["refused"], intake["balance"]) == (3, 1, {"duplicate": 1}, 1)
    assert told["queues"] == [{"name": "live.clients", "size": 0, "max": 256, "dropped": 0}]
    assert told["sources"][0] == {
        "id": "gas", "protocol": "mqtt", "is_up": True, "last_scan": "2026-01-01T00:00:00.000Z", "scans": 5,
        "refused": 1, "refused_by": {}, "failures": {}, "last_success": None, "samples": 0, "requests": 0, "skipped": 0,
        "overruns": 0, "reconnects": 0, "crashes": 0, "bytes": {"sent": 0, "received": 0}, "kept": [],
    }  # fmt: skip


async def test_metrics_tell_of_each_source(door: Door, tmp_path: Path) -> None:
    told = {"failures": {"timeout": 3, 'odd"reason': 1}, "refused_by": {"malformed": 2}, "last_success_ns": NOW}
    moved = {"requests": 7, "sent_bytes": 84, "received_bytes": 900, "crashes": 1}
    door.house.status = (
        SourceStatus(id="gas", protocol="mqtt", is_up=True, last_scan_ns=NOW, scans=5, refused=2, **told, **moved),  # type: ignore[arg-type]
    )
    app = make_app(door.house, dist=tmp_path, metrics_token="scrape-me")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway:8080") as client:
        text = (await client.get("/metrics", headers={"Authorization": "Bearer scrape-me"})).text
    found = {
        (sample.name, *(v for k, v in sorted(sample.labels.items()) if k not in ("protocol", "source"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("source") == "gas"
    }
    assert found["fengsui_source_up",] == 1.0
    assert found["fengsui_source_last_success_timestamp_seconds",] == NOW / 1e9
    assert found["fengsui_source_requests_total",] == 7.0
    assert found["fengsui_source_crashes_total",] == 1.0
    assert found["fengsui_source_failures_total", "timeout"] == 3.0
    assert found["fengsui_source_failures_total", 'odd"reason'] == 1.0
    assert found["fengsui_source_refused_total", "malformed"] == 2.0
    assert found["fengsui_source_bytes_total", "sent"] == 84.0


async def test_metrics_are_for_this_machine_or_for_the_token(door: Door, tmp_path: Path) -> None:
    assert is_error(await door.anybody.get("/metrics"), 403, "forbidden")
    app = make_app(door.house, dist=tmp_path, metrics_token="scrape-me")

    def transport(host: str) -> httpx.ASGITransport:
        return httpx.ASGITransport(app, client=(host, 1))

    bearer = {"Authorization": "Bearer scrape-me"}
    async with httpx.AsyncClient(transport=transport("10.0.0.9"), base_url="http://g") as far:
        assert (await far.get("/metrics", headers={"Authorization": "Bearer guess"})).status_code == 403
        answer = await far.get("/metrics", headers=bearer)
        assert 'fengsui_stage_in_total{stage="intake"} 0.0' in answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    async with httpx.AsyncClient(transport=transport("127.0.0.1"), base_url="http://g") as near:
        assert (await near.get("/metrics")).status_code == 200
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        assert (await near.get("/metrics", headers=proxied)).status_code == 403


async def test_ready_and_health_need_nobody(door: Door) -> None:
    assert (await door.anybody.get("/api/v1/health")).json() == {"status": "up"}
    assert (await door.anybody.get("/api/v1/ready")).status_code == 200
    door.house.is_ready = False
    assert is_error(await door.anybody.get("/api/v1/ready"), 503, "not_ready")


async def test_a_bug_of_ours_is_a_500_without_its_insides_and_the_meter_knows(door: Door) -> None:
    client = await door.as_role("viewer")

    house = door.house
    house.status = None  # type: ignore[assignment]
    answer = await client.get("/api/v1/flow")

    assert is_error(answer, 500, "internal")
    assert "NoneType" not in answer.text
    feed = house.meter.snapshot().stages[6]
    assert feed.noted["request_failed"] == 1
    assert feed.last_error == "TypeError at GET /api/v1/flow"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v2/tags", 404, "not_found"),
        ("GET", "/api/v1/alarms/x/ack", 405, "method_not_allowed"),
        ("POST", "/api/v1/tags", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/alarms/x", 405, "method_not_allowed"),
        ("PUT", "/", 405, "method_not_allowed"),
        ("GET", "/assets/missing.js", 404, "not_found"),
    ],
)
async def test_what_is_not_there_is_said_in_the_one_shape(
    door: Door, method: str, path: str, status: int, code: str
) -> None:
    client = await door.as_role("operator")

    assert is_error(await client.request(method, path), status, code)


async def test_every_answer_carries_the_security_headers(door: Door) -> None:
    for path in ("/", "/api/v1/health", "/api/v1/tags", "/api/v1/nothing", "/docs"):
        headers = (await door.anybody.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "cache-control" in headers
    refused = await door.anybody.post("/api/v1/login", headers={"X-Fengsui-Request": "0"})
    assert "content-security-policy" in refused.headers


async def test_a_missing_page_says_how_to_build_it_and_a_built_one_is_served(door: Door, tmp_path: Path) -> None:
    assert "npm run build" in (await door.anybody.get("/")).text
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<p>the page")
    (tmp_path / "dist" / "assets" / "a-1.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")

    answer = await door.anybody.get("/")
    assert (answer.text, answer.headers["cache-control"]) == ("<p>the page", "no-cache")
    for path in ("/overview/TK-101", "/alarms"):
        answer = await door.anybody.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, f"/#/{path.lstrip('/')}")
    assert "immutable" in (await door.anybody.get("/assets/a-1.js")).headers["cache-control"]
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"):
        assert "secret" not in (await door.anybody.get(path)).text


async def test_the_docs_need_no_scripts_and_name_every_route(door: Door) -> None:
    page = (await door.anybody.get("/docs")).text
    told = (await door.anybody.get("/api/v1/openapi.json")).json()

    assert "<script" not in page
    assert "http://" not in page
    assert told["openapi"].startswith("3.1")
    declared = {
        (d.method.lower(), d.path) for d in door.app.doors.declared if d.method != "WEBSOCKET" and d.path != "/{path}"
    }
    assert {(method, path) for path, methods in told["paths"].items() for method in methods} == declared
    assert all(path in page for _, path in declared)
    ids = [route["operationId"] for methods in told["paths"].values() for route in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_document_of_the_api_names_each_route_and_no_other(door: Door) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    named = set()
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) >= 3 and cells[0] in {"GET", "POST", "WEBSOCKET"}:
            named.add((cells[0], cells[1]))

    assert named == {(d.method, d.path) for d in door.app.doors.declared}


async def test_a_gateway_that_does_not_answer_a_command_says_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.acting.ANSWER_S_MAX", 0.01)
    answer = await (await door.as_role("operator")).post("/api/v1/alarms/x/ack", json={})

    assert is_error(answer, 503, "not_ready")


async def test_a_command_is_kept_for_the_next_tick(door: Door) -> None:
    command = Command(verb=Verb.ACK, alarm="x", who="li", received_ns=NOW)
    agree(door)

    assert (await door.house.command(command)).alarm is not None
    assert door.house.commands == [command]


# ---------------------------------------------------------------------------------------------------------- any input

ODD = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(
        ["", "null", "NaN", "-1", "0", "1e309", "true", "2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "' OR 1=1 --",
         "<script>alert(1)</script>", "%00", "../../etc/passwd", "9" * 400, "\ud800", "TK-101.level", "RED", "all"]
    ),
)  # fmt: skip
NAMES = ["tag", "from", "to", "points", "state", "unit", "tier", "limit", "cursor", "lang", "open", "alarm", "chain"]
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["reason", "until", "comment", "note", "name", "password", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_asked_the_answer_is_good_or_the_one_shape(door: Door, data: st.DataObject) -> None:
    agree(door)
    client = await door.as_role("administrator")
    routes = [
        d for d in door.app.doors.declared if d.method != "WEBSOCKET" and d.path not in ("/api/v1/logout", "/{path}")
    ]
    route = data.draw(st.sampled_from(routes))
    path = re.sub(r"{\w+}", lambda _: quote(data.draw(ODD).encode("utf-8", "replace"), safe="") or "x", route.path)
    query = {
        k: v.encode("utf-8", "replace") for k, v in data.draw(st.dictionaries(st.sampled_from(NAMES), ODD)).items()
    }
    body = data.draw(st.one_of(st.binary(max_size=60), ANY_JSON.map(lambda j: json.dumps(j).encode())))
    answer = await client.request(route.method, path, params=query, content=b"" if route.method == "GET" else body)

    assert answer.status_code < 500 or (answer.status_code == 503 and route.path.endswith("/ready")), answer.text
    if answer.status_code >= 400:
        assert is_error(answer, answer.status_code, answer.json()["error"]["code"])
