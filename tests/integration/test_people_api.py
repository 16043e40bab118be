"""People at the page's API: users come by a link, roles change at once, sessions and tokens end at once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from alerting.model.rule import RuleTable
from edge.clock_manual import ManualClock
from edge.model import TagTable
from gateway.api import make_app
from gateway.api.app import Application
from gateway.api.door import PERMISSIONS
from gateway.api.small_house import SmallHouse
from gateway.auth import FAILURES_MAX, LINK_S, Role, add_user
from gateway.config import Site
from gateway.serve import describe_roles
from gateway.store import schema
from gateway.store.engine import open_store

PASSWORD = "correct horse battery"
ANOTHER = "wrong zebra charger"
S = 1_000_000_000
DAY = 86_400 * S


class People:
    """A gateway with one administrator, and the browsers of its people."""

    def __init__(self, folder: Path) -> None:
        engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock()
        tags = TagTable([])
        site = Site(
            id="demo",
            title={"en": "Demo", "zh": "演示"},
            timezone="Asia/Shanghai",
            sources=(),
            tags=tags,
            units=(),
            rules=RuleTable([], tags),
        )
        self.house = SmallHouse(site=site, engine=engine, clock=self.clock)
        self.app: Application = make_app(self.house, dist=folder / "dist")
        add_user(engine, self.clock, "root", "administrator", PASSWORD)
        self.browsers: list[httpx.AsyncClient] = []
        self.boss = self.browser()

    def browser(self, token: str = "") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
        headers = {"X-Fengsui-Request": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        made = httpx.AsyncClient(transport=transport, base_url="http://gateway:8080", headers=headers)
        self.browsers.append(made)
        return made

    async def hire(self, name: str, role: str, password: str = PASSWORD) -> httpx.AsyncClient:
        """Make a user as an administrator does, follow the link as the user does, and choose a password."""
        made = await self.boss.post("/api/v1/users", json={"name": name, "role": role})
        assert made.status_code == 200, made.text
        person = self.browser()
        assert (await person.get(made.json()["link"])).status_code == 303
        if password:
            chosen = await person.post("/api/v1/me/password", json={"new": password})
            assert chosen.status_code == 200, chosen.text
        return person

    async def log_in(self, name: str, password: str) -> tuple[int, httpx.AsyncClient]:
        person = self.browser()
        answer = await person.post("/api/v1/login", json={"name": name, "password": password})
        return answer.status_code, person

    def acts(self) -> list[dict[str, Any]]:
        with self.house.engine.connect() as connection:
            rows = connection.execute(select(schema.journal.c.body).order_by(schema.journal.c.number))
            return [json.loads(row.body) for row in rows]


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    made = People(tmp_path)
    answer = await made.boss.post("/api/v1/login", json={"name": "root", "password": PASSWORD})
    assert answer.status_code == 200
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.house.engine.dispose()


async def me(person: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    answer = await person.get("/api/v1/me")
    return answer.status_code, answer.json()


async def test_a_new_user_comes_by_a_link_once_and_chooses_a_password(people: People) -> None:
    li = await people.hire("李工", "operator", password="")
    assert (await me(li))[1] == {"name": "李工", "role": "operator", "may": ["look", "operate"], "has_password": False}

    assert (await li.post("/api/v1/me/password", json={"new": PASSWORD})).status_code == 200

    assert (await me(li))[1]["has_password"] is True
    assert (await people.log_in("李工", PASSWORD))[0] == 200
    listed = (await people.boss.get("/api/v1/users")).json()["users"]
    assert [(u["name"], u["role"], u["has_password"], u["sessions"]) for u in listed] == [
        ("root", "administrator", True, 1),
        ("李工", "operator", True, 2),
    ]
    assert "hash" not in json.dumps(listed)


async def test_a_link_that_waits_too_long_is_none(people: People) -> None:
    link = (await people.boss.post("/api/v1/users", json={"name": "li", "role": "viewer"})).json()["link"]
    people.clock.advance_ns((LINK_S + 1) * S)

    assert (await people.browser().get(link)).status_code == 401


async def test_what_the_page_may_show_is_what_the_doors_let_in() -> None:
    for role in Role:
        assert [name for name, holders in PERMISSIONS.items() if role in holders]
    assert PERMISSIONS["people"] == {Role.ADMINISTRATOR}


async def test_the_roles_are_told_to_everybody(people: People) -> None:
    viewer = await people.hire("v", "viewer")
    told = (await viewer.get("/api/v1/roles")).json()["roles"]

    assert {one["role"]: one["may"] for one in told}["regulator"] == ["look", "confirm", "audit"]
    assert [one["role"] for one in told] == list(Role)


async def test_a_role_changes_with_the_next_request(people: People) -> None:
    li = await people.hire("li", "engineer")
    assert (await li.get("/api/v1/audit")).status_code == 403
    changed = await people.boss.post("/api/v1/users/li/role", json={"role": "safety_officer", "reason": "new post"})

    assert changed.json() == {"name": "li", "role": "safety_officer", "had": "engineer"}
    assert (await li.get("/api/v1/audit")).status_code == 200
    assert (await li.post("/api/v1/rules/check", json={})).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users/root/role", {"role": "viewer", "reason": "enough"}),
        ("users/root/disable", {"reason": "enough"}),
    ],
)
async def test_the_last_administrator_stays(people: People, path: str, body: dict[str, str]) -> None:
    refused = await people.boss.post(f"/api/v1/{path}", json=body)

    assert refused.status_code == 409
    assert set(refused.json()["error"]["details"]) == {"en", "zh"}
    await people.hire("second", "administrator")
    assert (await people.boss.post(f"/api/v1/{path}", json=body)).status_code == 200


async def test_a_disabled_administrator_does_not_count(people: People) -> None:
    await people.hire("second", "administrator")
    assert (await people.boss.post("/api/v1/users/second/disable", json={"reason": "left"})).status_code == 200

    assert (await people.boss.post("/api/v1/users/root/disable", json={"reason": "x"})).status_code == 409


async def test_disabling_ends_sessions_at_once_and_enabling_does_not_bring_them_back(people: People) -> None:
    li = await people.hire("li", "operator")
    await people.boss.post("/api/v1/users/li/disable", json={"reason": "left the company"})

    assert (await me(li))[0] == 401
    assert (await people.log_in("li", PASSWORD))[0] == 401
    await people.boss.post("/api/v1/users/li/enable", json={"reason": "is back"})
    assert (await me(li))[0] == 401
    assert (await people.log_in("li", PASSWORD))[0] == 200


async def test_enabling_unlocks_whom_guesses_locked_out(people: People) -> None:
    await people.hire("li", "operator")
    for _ in range(FAILURES_MAX):
        assert (await people.log_in("li", "no such thing"))[0] == 401
    assert (await people.log_in("li", PASSWORD))[0] == 401
    assert (await people.boss.get("/api/v1/users")).json()["users"][0]["locked_until"] is not None

    await people.boss.post("/api/v1/users/li/enable", json={"reason": "called, it was him"})

    assert (await people.log_in("li", PASSWORD))[0] == 200


async def test_a_new_link_takes_the_old_password_and_every_session(people: People) -> None:
    li = await people.hire("li", "operator")
    link = (await people.boss.post("/api/v1/users/li/link", json={"reason": "forgot it"})).json()["link"]

    assert (await me(li))[0] == 401
    assert (await people.log_in("li", PASSWORD))[0] == 401
    assert (await li.get(link)).status_code == 303
    assert (await me(li))[1]["has_password"] is False


async def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(people: People) -> None:
    li = await people.hire("li", "operator")
    _, elsewhere = await people.log_in("li", PASSWORD)
    refused = await li.post("/api/v1/me/password", json={"old": "not this one", "new": ANOTHER})
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["zh"]
    assert (await me(elsewhere))[0] == 200

    assert (await li.post("/api/v1/me/password", json={"old": PASSWORD, "new": ANOTHER})).status_code == 200

    assert (await me(li))[0] == 200
    assert (await me(elsewhere))[0] == 401
    assert (await people.log_in("li", PASSWORD))[0] == 401
    assert (await people.log_in("li", ANOTHER))[0] == 200


async def test_who_sits_at_an_open_page_cannot_guess_the_password_for_ever(people: People) -> None:
    li = await people.hire("li", "operator")
    for _ in range(FAILURES_MAX):
        await li.post("/api/v1/me/password", json={"old": "guess guess guess", "new": ANOTHER})

    assert (await li.post("/api/v1/me/password", json={"old": PASSWORD, "new": ANOTHER})).status_code == 409


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaa", "x" * 257])
async def test_a_weak_password_is_refused(people: People, weak: str) -> None:
    li = await people.hire("li", "operator", password="")

    assert (await li.post("/api/v1/me/password", json={"new": weak})).status_code in (409, 422)
    assert (await me(li))[1]["has_password"] is False


async def test_my_sessions_are_listed_and_the_others_can_be_ended(people: People) -> None:
    li = await people.hire("li", "operator")
    people.clock.advance_ns(S)
    _, elsewhere = await people.log_in("li", PASSWORD)
    listed = (await li.get("/api/v1/me/sessions")).json()["sessions"]

    assert [(one["is_mine"], one["from"]) for one in listed] == [(False, "10.1.2.3"), (True, "10.1.2.3")]
    assert (await li.post("/api/v1/me/sessions/end")).json() == {"ended": 1}
    assert (await me(elsewhere))[0] == 401
    assert (await me(li))[0] == 200


async def test_an_administrator_ends_one_session_or_all(people: People) -> None:
    li = await people.hire("li", "operator")
    people.clock.advance_ns(S)
    _, elsewhere = await people.log_in("li", PASSWORD)
    first, second = (await people.boss.get("/api/v1/users/li/sessions")).json()["sessions"]
    assert (await people.boss.post(f"/api/v1/users/li/sessions/{first['id']}/end")).status_code == 200

    assert (await me(elsewhere))[0] == 401
    assert (await me(li))[0] == 200
    assert (await people.boss.post(f"/api/v1/users/root/sessions/{second['id']}/end")).status_code == 404
    assert (await people.boss.post("/api/v1/users/li/sessions/end", json={"reason": "lost phone"})).status_code == 200
    assert (await me(li))[0] == 401


# ------------------------------------------------------------------------------------------------------------ tokens


async def make(people: People, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    answer = await people.boss.post("/api/v1/tokens", json={"name": "scada", "role": "operator"} | asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_reading_token_reads_and_acts_on_nothing(people: People) -> None:
    program = people.browser((await make(people))["token"])

    assert (await me(program))[1]["name"] == "token:scada"
    assert (await program.get("/api/v1/alarms")).status_code == 200
    refused = await program.post("/api/v1/alarms/x/ack", json={})
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "This token may only read.")


async def test_an_acting_token_acts_as_its_role_and_no_more(people: People) -> None:
    program = people.browser((await make(people, scope="act"))["token"])

    assert (await program.post("/api/v1/response/tasks/none/done", json={})).status_code == 404
    assert (
        await program.post("/api/v1/alarms/x/suppress", json={"reason": "x", "until": "2030-01-01T00:00:00Z"})
    ).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/me/password"),
        ("GET", "/api/v1/me/sessions"),
        ("POST", "/api/v1/me/sessions/end"),
        ("POST", "/api/v1/logout"),
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/tokens"),
    ],
)
async def test_a_token_is_no_person(people: People, method: str, path: str) -> None:
    program = people.browser((await make(people, role="engineer", scope="act"))["token"])

    body = {"new": ANOTHER} if path.endswith("password") else None
    assert (await program.request(method, path, json=body)).status_code == 403


@pytest.mark.parametrize(
    "asked",
    [
        {"role": "administrator"},
        {"role": "king"},
        {"scope": "everything"},
        {"days": 367},
        {"days": 0},
        {"name": " scada"},
        {"name": ""},
        {"name": "x" * 64},
    ],
)
async def test_an_odd_token_is_not_made(people: People, asked: dict[str, Any]) -> None:
    answer = await people.boss.post("/api/v1/tokens", json={"name": "scada", "role": "operator"} | asked)

    assert answer.status_code in (409, 422)
    assert (await people.boss.get("/api/v1/tokens")).json()["tokens"] == []


async def test_two_good_tokens_never_share_a_name(people: People) -> None:
    first = await make(people)
    twin = await people.boss.post("/api/v1/tokens", json={"name": "scada", "role": "viewer"})
    assert twin.status_code == 409

    await people.boss.post(f"/api/v1/tokens/{first['id']}/revoke", json={"reason": "renewed"})

    await make(people)


async def test_a_token_ends_when_it_is_revoked_and_on_its_day(people: People) -> None:
    short, long = await make(people, days=1), await make(people, name="long", days=366)
    one, other = people.browser(short["token"]), people.browser(long["token"])
    assert (await me(one))[0] == (await me(other))[0] == 200
    await people.boss.post(f"/api/v1/tokens/{long['id']}/revoke", json={"reason": "leaked"})
    assert (await me(other))[0] == 401

    people.clock.advance_ns(DAY)

    assert (await me(one))[0] == 401


async def test_a_token_is_kept_as_a_hash_only_and_shows_when_it_was_used(people: People) -> None:
    made = await make(people)
    before = (await people.boss.get("/api/v1/tokens")).json()["tokens"][0]
    await me(people.browser(made["token"]))
    after = (await people.boss.get("/api/v1/tokens")).json()["tokens"][0]
    with people.house.engine.connect() as connection:
        kept = [str(row) for row in connection.execute(select(schema.token))]

    assert before["used"] is None
    assert after["used"] is not None
    assert made["token"] not in "".join(kept) + json.dumps(people.acts())


async def test_a_cookie_beside_a_bad_token_does_not_let_in(people: People) -> None:
    answer = await people.boss.get("/api/v1/me", headers={"Authorization": "Bearer fgs_nothing"})

    assert answer.status_code == 401


async def test_each_act_is_in_the_audit_with_who_and_why(people: People) -> None:
    await people.hire("li", "operator")
    await people.boss.post("/api/v1/users/li/role", json={"role": "engineer", "reason": "promoted"})
    await make(people)
    await people.boss.post("/api/v1/users/li/disable", json={"reason": "left"})
    told = [(act["who"], act["action"], act.get("reason")) for act in people.acts()]

    assert told == [
        ("root", "logged_in", None),
        ("root", "user_added", None),
        ("li", "logged_in", None),
        ("li", "password_set", None),
        ("root", "role_changed", "promoted"),
        ("root", "token_made", None),
        ("root", "user_disabled", "left"),
    ]


async def test_nobody_is_named_like_a_token(people: People) -> None:
    refused = await people.boss.post("/api/v1/users", json={"name": "token:scada", "role": "viewer"})

    assert refused.status_code == 409


async def test_a_refused_change_leaves_no_act(people: People) -> None:
    before = len(people.acts())
    await people.boss.post("/api/v1/users", json={"name": "root", "role": "viewer"})

    assert len(people.acts()) == before


def test_the_page_of_roles_is_what_the_doors_declare() -> None:
    page = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")

    assert page == describe_roles(), "write it anew: fengsui roles > docs/roles.md"
