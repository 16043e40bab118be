"""Channels over the API: how they stand, a trial and a dry run, who may, what is never shown."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from alerting.escalation.plan import Plan, Step
from alerting.model.alarm import Alarm, State
from alerting.model.rule import RuleTable
from alerting.model.tier import Tier
from alerting.push.template import Template
from edge.clock_manual import ManualClock
from edge.model import Nature, TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import add_user
from gateway.cli import app
from gateway.config import Destination, Reach, Site
from gateway.push.forms import LIMITS
from gateway.push.trial import draft
from gateway.roster.book import Contact, put_contact
from gateway.store import schema
from gateway.store.engine import open_store
from gateway.store.rows import alarm_row

PASSWORD = "correct horse battery"
DING = Destination(
    id="ding", url="https://robot.example",
    reach=Reach(kind="dingtalk", token="t0ken", sign_secret="s3cret", limits=LIMITS["dingtalk"], fallback="hook"),
)  # fmt: skip
HOOK = Destination(id="hook", url="https://sms.example", reach=Reach())
PLAN = Plan(id="grave", tiers=(Tier.RED,), steps=(Step(to="", channel="ding", wait_s=60),))


class Office:
    """A gateway with two channels and its people."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock()
        tags = TagTable([])
        site = Site(
            id="demo", title={"en": "Demo", "zh": "演示"}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(),
            rules=RuleTable([], tags), channels=(DING, HOOK), escalations=(PLAN,), page_url="https://g.example",
        )  # fmt: skip
        self.house = SmallHouse(site=site, engine=self.engine, clock=self.clock)
        self.app = make_app(self.house, dist=folder / "dist")
        for name, role in (("safe", "safety_officer"), ("li", "operator")):
            add_user(self.engine, self.clock, name, role, PASSWORD)
        with self.engine.begin() as connection:
            put_contact(connection, Contact(person="safe", phone="13800000000"), "root", 1)
        self.open: list[httpx.AsyncClient] = []

    async def enter(self, name: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
        person = httpx.AsyncClient(transport=transport, base_url="http://g:8080", headers={"X-Fengsui-Request": "1"})
        self.open.append(person)
        assert (await person.post("/api/v1/login", json={"name": name, "password": PASSWORD})).status_code == 200
        return person

    def rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(schema.outbox)))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    for person in made.open:
        await person.aclose()
    made.engine.dispose()


def put_alarm(office: Office, name: str, tier: Tier) -> None:
    alarm = Alarm(
        id=name, key=f"key-{name}", rule="r", tag=f"{name}.v", unit="T", condition="H", group="high",
        nature=Nature.ACTUAL, tier=tier, tier_max=tier, state=State.UNACK, raised_ns=1, changed_ns=1, value=9.0,
        setpoint=8.0,
    )  # fmt: skip
    with office.engine.begin() as connection:
        connection.execute(insert(schema.alarm).values(alarm_row(alarm)))


async def test_everybody_sees_how_channels_stand_and_nobody_what_opens_them(office: Office) -> None:
    person = await office.enter("li")
    answer = await person.get("/api/v1/channels")
    ding, hook = answer.json()["channels"]
    assert (ding["kind"], ding["limits"], ding["fallback"], ding["escalations"]) == (
        "dingtalk", [{"most": 20, "window_s": 60.0}], "hook", ["grave"],
    )  # fmt: skip
    assert (hook["kind"], hook["limits"], hook["escalations"], hook["waiting"]) == ("webhook", [], [], 0)
    assert "t0ken" not in answer.text
    assert "s3cret" not in answer.text


async def test_a_trial_waits_like_every_call_is_audited_and_is_told_of(office: Office) -> None:
    person = await office.enter("safe")
    answer = await person.post("/api/v1/channels/ding/test", json={})
    key = answer.json()["key"]
    row = office.rows()[0]
    assert (row.key, row.destination, row.nature, row.kind, row.state) == (key, "ding", "test", "test", "waiting")
    assert json.loads(row.body)["to"]["phone"] == "13800000000"
    told = (await person.get(f"/api/v1/channels/ding/tests/{key}")).json()
    assert (told["state"], told["attempts"], told["receipt"]) == ("waiting", 0, None)
    assert office.house.woken == 1
    with office.engine.connect() as connection:
        acts = [json.loads(body) for body in connection.execute(select(schema.journal.c.body)).scalars()]
    assert [(one["who"], one["channel"]) for one in acts if one["action"] == "channel_tested"] == [("safe", "ding")]
    assert (await person.get("/api/v1/channels/ding/tests/none")).status_code == 404
    notices = (await person.get("/api/v1/push/outbox")).json()["notices"]
    assert "phone" not in notices[0]["body"]["to"], "numbers are for those who may answer alarms"
    assert (await person.get("/api/v1/push/ledger")).json()["notices"] == []


async def test_the_quota_is_not_for_playing(office: Office) -> None:
    person = await office.enter("safe")
    assert (await person.post("/api/v1/channels/ding/test", json={})).status_code == 200
    again = await person.post("/api/v1/channels/ding/test", json={})
    assert (again.status_code, again.json()["error"]["code"]) == (429, "too_soon")
    assert again.json()["error"]["details"]["zh"].startswith("10 秒内已测试过")
    assert (await person.post("/api/v1/channels/hook/test", json={})).status_code == 200
    office.clock.advance_ns(11 * 1_000_000_000)
    assert (await person.post("/api/v1/channels/ding/test", json={})).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "ding/test"), ("GET", "ding/draft"), ("GET", "ding/tests/x")])
async def test_operators_may_not_try(office: Office, method: str, path: str) -> None:
    person = await office.enter("li")
    answer = await person.request(method, f"/api/v1/channels/{path}", json={} if method == "POST" else None)
    assert answer.status_code == 403


async def test_a_dry_run_shows_the_message_and_sends_nothing(office: Office) -> None:
    person = await office.enter("safe")
    one = (await person.get("/api/v1/channels/ding/draft")).json()
    assert one["title"] == "【测试】渠道测试 演示"
    assert "safe 于" in one["parts"][0]
    assert one["parts"][0].endswith("@13800000000")
    assert json.loads(one["request"])["at"]["atMobiles"] == ["13800000000"]
    assert (await person.get("/api/v1/channels/ding/draft", params={"of": "digest"})).status_code == 404
    for name, tier in (("a", Tier.YELLOW), ("b", Tier.RED)):
        put_alarm(office, name, tier)
    many = (await person.get("/api/v1/channels/ding/draft", params={"of": "digest"})).json()
    assert (many["alarms"], many["left"], many["title"]) == (2, 0, "【预警汇总】2 条:红 1、黄 1")
    assert many["parts"][0].index("b.v") < many["parts"][0].index("a.v")
    single = (await person.get("/api/v1/channels/ding/draft", params={"of": "alarm", "alarm": "a"})).json()
    assert "https://g.example/#/alarms?alarm=a" in single["parts"][0]
    hook = (await person.get("/api/v1/channels/hook/draft")).json()
    assert json.loads(hook["request"])["subject"] == "call"
    assert office.rows() == []
    assert (await person.get("/api/v1/channels/none/draft")).status_code == 404


async def test_words_of_the_sites_own_hold_the_alarms_own_numbers(office: Office) -> None:
    own = Template(id="own", title={"zh": "{tier} {where}"}, text={"zh": "{condition} {value} > {limit}\n{todo}"})
    to = replace(DING, reach=replace(DING.reach or Reach(), template=own))
    put_alarm(office, "a", Tier.RED)
    with office.engine.connect() as connection:
        found = draft(connection, office.house.site, to, "alarm", "a", "safe", office.clock.wall_ns())
    assert found is not None
    assert found.parts[0].startswith("### 红色 T\n\n- H 9 > 8\n"), "and no empty line for what to do"


def test_the_command_line_shows_a_draft_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / "config" / "channel_wrong"
    site = (golden / "site.toml").read_text("utf-8")
    head = (
        site[site.index("[site]") : site.index("[http]")] + site[site.index("[[source]]") : site.index("[[channel]]")]
    )
    unit = '[[unit]]\nid = "TK-1"\nkind = "tank"\n'
    text = f'{head}\n{unit}\n[[channel]]\nid = "ding"\nkind = "dingtalk"\ntoken_env = "FENGSUI_T"\n'
    (tmp_path / "site.toml").write_text(text, "utf-8")
    (tmp_path / "tags.csv").write_bytes((golden / "tags.csv").read_bytes())
    environ = {"FENGSUI_T": "t0ken-of-the-robot"}
    shown = CliRunner().invoke(
        app, ["channel", "draft", f"{tmp_path}/site.toml", "ding", "--phone", "13800000000"], env=environ
    )
    assert shown.exit_code == 0, shown.output
    assert "渠道测试 厂区" in shown.output
    assert "@13800000000" in shown.output
    assert "t0ken" not in shown.output
    other = CliRunner().invoke(app, ["channel", "draft", f"{tmp_path}/site.toml", "dong"], env=environ)
    assert other.exit_code == 2
    assert "known here: ding" in other.output


def test_what_a_channel_is_told_by_holds_no_secret_in_its_words() -> None:
    assert "t0ken" not in repr(DING)
    assert "s3cret" not in repr(DING)
