"""Rosters over the API: who is on duty, who may change it, what is refused, what the audit keeps."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import insert, select

from alerting.escalation.ladder import Ladder, Stand
from alerting.escalation.plan import Plan, Step
from alerting.model.rule import RuleTable
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from alerting.roster.plan import Calendar, Post, RosterPlan, Shift
from edge.clock_manual import ManualClock
from edge.model import Nature, TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import add_user, disable_user
from gateway.config import Destination, Site
from gateway.escalation.book import keep
from gateway.rules.kept import pack, unpack
from gateway.rules.parts import parts_of
from gateway.store import schema
from gateway.store.engine import open_store

PASSWORD = "correct horse battery"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 9, tzinfo=ZONE)
H = 3600
PLAN = RosterPlan(
    calendar=Calendar(country="CN"),
    shifts=(
        Shift(id="day", title={"en": "Day"}, from_s=8 * H, to_s=20 * H),
        Shift(id="night", title={"en": "Night"}, from_s=20 * H, to_s=8 * H),
    ),
    posts=(
        Post(id="board", title={"en": "Board"}, shifts=("day", "night")),
        Post(id="boss", title={"en": "Boss"}, shifts=("day",), is_leader=True),
    ),
)
GRAVE = Plan(
    id="grave",
    tiers=(Tier.RED,),
    schedule=Schedule(spans=(Span(days=(0, 1, 2, 3, 4, 5, 6), from_s=0, to_s=86_400),), zone="Asia/Shanghai"),
    steps=(Step(to="post:board", channel="sms", wait_s=60), Step(to="leader", channel="sms", wait_s=60)),
)


class Office:
    """A gateway with its people, each at a browser."""

    def __init__(self, folder: Path) -> None:
        engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock(start_ns=round(NOW.timestamp()) * 1_000_000_000)
        tags = TagTable([])
        site = Site(
            id="demo",
            title={"en": "Demo"},
            timezone="Asia/Shanghai",
            sources=(),
            tags=tags,
            units=(),
            rules=RuleTable([], tags),
            roster=PLAN,
            channels=(Destination(id="sms", url="https://sms.example"),),
            escalations=(GRAVE,),
        )
        self.house = SmallHouse(site=site, engine=engine, clock=self.clock)
        self.app = make_app(self.house, dist=folder / "dist")
        for name, role in (("safe", "safety_officer"), ("li", "operator"), ("wang", "operator"), ("guest", "viewer")):
            add_user(engine, self.clock, name, role, PASSWORD)
        self.open: list[httpx.AsyncClient] = []

    async def enter(self, name: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("10.1.2.3", 5))
        person = httpx.AsyncClient(
            transport=transport, base_url="http://gateway:8080", headers={"X-Fengsui-Request": "1"}
        )
        self.open.append(person)
        answer = await person.post("/api/v1/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200
        return person

    def acts(self) -> list[dict[str, Any]]:
        with self.house.engine.connect() as connection:
            rows = connection.execute(select(schema.journal.c.body).order_by(schema.journal.c.number))
            return [act for row in rows if not (act := json.loads(row.body))["action"].startswith("logged")]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    for person in made.open:
        await person.aclose()
    made.house.engine.dispose()


def asked(person: str, shift: str = "day", post: str = "board", date: str = "2026-11-22") -> dict[str, str]:
    return {"date": date, "shift": shift, "post": post, "person": person}


async def on_duty(person: httpx.AsyncClient, at: str = "") -> list[tuple[str, str]]:
    answer = await person.get("/api/v1/roster/now", params={"at": at} if at else {})
    assert answer.status_code == 200
    return [(one["post"], one["on_duty"]) for one in answer.json()["on_duty"]]


async def test_who_is_put_on_duty_is_on_duty_with_the_leader_first(office: Office) -> None:
    safe = await office.enter("safe")
    for body in (asked("li"), asked("safe", post="boss"), asked("wang", shift="night")):
        assert (await safe.post("/api/v1/roster", json=body)).status_code == 200

    assert await on_duty(safe) == [("boss", "safe"), ("board", "li")]
    assert await on_duty(safe, "2026-11-23T07:59:00+08:00") == [("board", "wang")]
    unmanned = (await safe.get("/api/v1/roster/now", params={"at": "2026-11-23T08:00:00+08:00"})).json()["unmanned"]
    assert unmanned == ["board", "boss"]
    act = office.acts()[0]
    assert (act["who"], act["action"], act["person"]) == ("safe", "watch_added", "li")


async def test_a_substitute_is_on_duty_and_both_names_stay(office: Office) -> None:
    safe = await office.enter("safe")
    number = (await safe.post("/api/v1/roster", json=asked("li"))).json()["number"]
    body = {"person": "wang", "reason": "ill"}
    assert (await safe.post(f"/api/v1/roster/{number}/substitute", json=body)).status_code == 200

    kept = (await safe.get("/api/v1/roster", params={"from": "2026-11-22", "days": 1})).json()
    assert await on_duty(safe) == [("board", "wang")]
    assert [(w["person"], w["substitute"], w["reason"]) for w in kept["watches"]] == [("li", "wang", "ill")]
    assert [gap["post"] for gap in kept["gaps"]] == ["board", "boss"]
    assert office.acts()[-1]["substitute"] == "wang"

    back = await safe.post(f"/api/v1/roster/{number}/substitute", json={"person": "", "reason": "well again"})
    assert (back.status_code, await on_duty(safe)) == (200, [("board", "li")])


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (asked("ghost"), "没有启用的用户"),
        (asked("gone"), "没有启用的用户"),
        (asked("wang", shift="early"), "没有班次"),
        (asked("wang", post="gate"), "没有岗位"),
        (asked("wang", shift="night", post="boss"), "不设班次"),
        (asked("li", post="boss"), "同一时间已值班"),
        (asked("li"), "已在该班次"),
        (asked("wang", date="2026-11-21"), "已结束"),
    ],
)
async def test_what_cannot_hold_is_refused_with_a_sentence(office: Office, body: dict[str, str], word: str) -> None:
    add_user(office.house.engine, office.clock, "gone", "operator", PASSWORD)
    disable_user(office.house.engine, "gone")
    safe = await office.enter("safe")
    assert (await safe.post("/api/v1/roster", json=asked("li"))).status_code == 200

    refused = await safe.post("/api/v1/roster", json=body)

    assert refused.status_code == 409
    assert word in refused.json()["error"]["details"]["zh"]
    assert len(office.acts()) == 1


async def test_a_shift_that_is_over_is_a_record(office: Office) -> None:
    safe = await office.enter("safe")
    number = (await safe.post("/api/v1/roster", json=asked("li"))).json()["number"]
    office.clock.advance_ns(11 * H * 1_000_000_000)  # 20:00

    for path, body in (("remove", {"reason": "x"}), ("substitute", {"person": "wang", "reason": "x"})):
        refused = await safe.post(f"/api/v1/roster/{number}/{path}", json=body)
        assert (refused.status_code, "over" in refused.json()["error"]["message"]) == (409, True)
    assert await on_duty(safe, "2026-11-22T19:00:00+08:00") == [("board", "li")]


async def test_a_removed_watch_is_gone_and_its_number_never_comes_again(office: Office) -> None:
    safe = await office.enter("safe")
    number = (await safe.post("/api/v1/roster", json=asked("li"))).json()["number"]
    assert (await safe.post(f"/api/v1/roster/{number}/remove", json={"reason": "moved"})).status_code == 200
    office.clock.advance_ns(2_000_000)
    again = (await safe.post("/api/v1/roster", json=asked("wang"))).json()["number"]

    assert again != number
    assert (await safe.post(f"/api/v1/roster/{number}/remove", json={"reason": "stale page"})).status_code == 409
    assert await on_duty(safe) == [("board", "wang")]


async def test_who_may_not_change_it_may_look_and_sees_no_phone_without_need(office: Office) -> None:
    safe, li, guest = [await office.enter(name) for name in ("safe", "li", "guest")]
    await safe.post("/api/v1/roster", json=asked("li"))
    contact = {"title": "李工", "phone": "+86 138 0000 0000", "email": "li@plant.example"}
    assert (await safe.post("/api/v1/contacts/li", json=contact)).status_code == 200

    assert (await li.post("/api/v1/roster", json=asked("wang"))).status_code == 403
    assert (await li.get("/api/v1/roster/now")).json()["on_duty"][0]["phone"] == contact["phone"]
    assert (await guest.get("/api/v1/roster/now")).json()["on_duty"][0]["phone"] == ""
    assert (await guest.get("/api/v1/contacts")).status_code == 403
    assert "138" not in json.dumps(office.acts())


@pytest.mark.parametrize(
    "contact",
    [{"phone": "call me"}, {"email": "li at plant"}, {"addresses": {"nowhere": "x"}}, {"telegram": "x"}],
)
async def test_a_contact_that_reaches_nobody_is_refused(office: Office, contact: dict[str, Any]) -> None:
    safe = await office.enter("safe")

    assert (await safe.post("/api/v1/contacts/li", json=contact)).status_code == 422
    assert (await safe.post("/api/v1/contacts/ghost", json={})).status_code == 409


async def test_a_table_is_looked_at_then_applied_once_it_is_right(office: Office) -> None:
    safe = await office.enter("safe")
    await safe.post("/api/v1/roster", json=asked("li", date="2026-11-23"))
    wrong = b"date,shift,post,person\n2026-11-23,day,board,ghost\n"
    looked = (await safe.post("/api/v1/roster/look", params={"name": "r.csv"}, content=wrong)).json()
    assert (looked["ticket"], [one["line"] for one in looked["mistakes"]]) == (None, [2])

    right = "日期,班次,岗位,值班人\n2026-11-23,day,board,wang\n2026-11-24,day,board,li\n".encode()
    looked = (await safe.post("/api/v1/roster/look", params={"name": "r.csv"}, content=right)).json()
    assert (looked["added"], looked["removed"]) == (2, 1)
    assert await on_duty(safe, "2026-11-23T09:00:00+08:00") == [("board", "li")]
    done = await safe.post("/api/v1/roster/apply", json={"ticket": looked["ticket"], "reason": "December plan"})

    assert done.status_code == 200
    assert await on_duty(safe, "2026-11-23T09:00:00+08:00") == [("board", "wang")]
    table = await safe.get("/api/v1/roster/export", params={"form": "csv", "from": "2026-11-23", "days": 2})
    assert table.text.splitlines()[1:] == ["2026-11-23,day,board,wang,,", "2026-11-24,day,board,li,,"]
    assert office.acts()[-1]["reason"] == "December plan"


async def test_a_table_that_became_wrong_since_the_look_changes_nothing(office: Office) -> None:
    safe = await office.enter("safe")
    table = b"date,shift,post,person\n2026-11-23,day,board,wang\n"
    looked = (await safe.post("/api/v1/roster/look", params={"name": "r.csv"}, content=table)).json()
    disable_user(office.house.engine, "wang")
    applied = await safe.post("/api/v1/roster/apply", json={"ticket": looked["ticket"], "reason": "plan"})

    assert applied.status_code == 409
    assert (await safe.get("/api/v1/roster", params={"from": "2026-11-23"})).json()["watches"] == []
    assert (await safe.post("/api/v1/roster/apply", json={"ticket": "0" * 32, "reason": "x"})).status_code == 409


async def test_a_watch_whose_shift_left_the_configuration_is_shown_and_not_on_duty(office: Office) -> None:
    safe = await office.enter("safe")
    await safe.post("/api/v1/roster", json=asked("li"))
    office.house.site = replace(office.house.site, roster=replace(PLAN, shifts=PLAN.shifts[1:]))

    kept = (await safe.get("/api/v1/roster")).json()["watches"]
    assert [(one["is_known"], one["from"]) for one in kept] == [(False, None)]
    assert await on_duty(safe) == []


async def test_days_say_what_they_are_and_from_where_it_is_known(office: Office) -> None:
    safe = await office.enter("safe")
    days = (await safe.get("/api/v1/roster", params={"from": "2026-12-31", "days": 2})).json()["days"]

    assert [(one["date"], one["told"]) for one in days] == [("2026-12-31", "published"), ("2027-01-01", "weekday")]
    for query in ({"from": "2026-13-01"}, {"days": "63"}, {"days": "0"}):
        assert (await safe.get("/api/v1/roster", params=query)).status_code == 422


async def test_escalations_name_whom_they_would_call_now(office: Office) -> None:
    safe, guest = await office.enter("safe"), await office.enter("guest")
    await safe.post("/api/v1/roster", json=asked("li"))
    plan = (await guest.get("/api/v1/escalation")).json()["plans"][0]

    assert [(step["to"], step["now"]) for step in plan["steps"]] == [("post:board", ["li"]), ("leader", [])]
    assert plan["schedule"] == "mon-sun 00:00-24:00 Asia/Shanghai"


def test_an_escalation_with_a_schedule_is_kept_with_the_revision(office: Office) -> None:
    parts = parts_of(office.house.site)
    assert parts["escalation"]["grave"]["schedule"] == "mon-sun 00:00-24:00 Asia/Shanghai"
    assert unpack(pack(office.house.site.rules, parts)) is not None, "a start writes it down as JSON"


async def test_calls_stand_on_the_alarm_and_their_numbers_only_in_the_store(office: Office) -> None:
    body = json.dumps(
        {"subject": "call", "to": {"person": "li", "title": "", "phone": "138", "email": "", "address": ""}}
    )
    call = {"key": "k" * 32, "alarm": "a1", "alarm_key": "key", "nature": "actual", "plan": "grave", "generation": 1}
    call |= {"round": 0, "step": 0, "what": "call", "to": "post:board", "person": "li", "channel": "sms", "time_ns": 1}
    notice = {"key": "k" * 32, "destination": "sms", "chain": "c", "event": "", "nature": "actual", "action": "call"}
    notice |= {"tier": 4, "is_late": False, "created_ns": 1, "body": body, "state": "waiting", "attempts": 1}
    notice |= {"next_ns": 9, "last_error": "timeout: 10 s", "delivered_ns": 0, "receipt": ""}
    ladder = Ladder(
        alarm_key="key", alarm="a1", nature=Nature.ACTUAL, unit="T", plan="grave", tier=Tier.RED, step=1, due_ns=9
    )
    with office.house.engine.begin() as connection:
        connection.execute(insert(schema.escalation_call).values(call))
        connection.execute(insert(schema.outbox).values(notice))
        keep(connection, ladder)
    guest = await office.enter("guest")
    told = (await guest.get("/api/v1/alarms/a1/calls")).json()

    assert [(one["person"], one["state"], one["last_error"]) for one in told["calls"]] == [
        ("li", "waiting", "timeout: 10 s")
    ]
    assert (told["ladder"]["stand"], told["ladder"]["step"], told["ladder"]["rounds"]) == (Stand.CLIMBING, 2, 3)
    assert (await guest.get("/api/v1/alarms/nothing/calls")).json() == {"ladder": None, "calls": []}
    outbox = (await guest.get("/api/v1/push/outbox")).json()["notices"]
    assert outbox[0]["body"]["to"] == {"person": "li", "title": ""}
