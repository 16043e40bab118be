"""Handovers and call checks over the API: both sign with their own passwords, what is signed stays as it was."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.disposal import Opening
from alerting.model.stop import StopState
from alerting.model.tier import Tier
from alerting.register.ledgers import LEDGERS
from edge.model import Nature
from gateway.auth import FAILURES_MAX, add_user
from gateway.disposal.records import open_disposals
from gateway.register.minutes import minute
from gateway.register.record import By
from gateway.register.records import make
from gateway.store import schema
from gateway.store.rows import alarm_row
from gateway.store.stops import put_stops
from tests.integration.test_roster_api import PASSWORD, Office, asked
from tests.integration.test_stop_api import STOP

S = 1_000_000_000
DAY = 86_400 * S
OTHER = "another horse staple"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    now_ns = made.clock.wall_ns()
    add_user(made.house.engine, made.clock, "zhao", "operator", OTHER)
    alarms = [
        alarm("new", state=State.UNACK, tier=Tier.RED, tier_max=Tier.RED, onset_ns=now_ns - S),
        alarm("gone", state=State.RTN_UNACK, tier_max=Tier.BLUE, onset_ns=now_ns - S),
        alarm("old", state=State.ACKED, onset_ns=now_ns - DAY - S, acked_by="li"),
        alarm("fresh", state=State.ACKED, onset_ns=now_ns - DAY, acked_by="li"),
        alarm(
            "shelf", state=State.UNACK, suppression=Suppression.SHELVED, suppressed_by="li", suppression_reason="why"
        ),
        alarm("oos", state=State.NORMAL, suppression=Suppression.OUT_OF_SERVICE, permit="PTW-7"),
        alarm("calm", state=State.NORMAL),
        alarm("play", state=State.UNACK, nature=Nature.EXERCISE),
    ]
    task = {"id": "t1", "entry": "e", "nature": "actual", "unit": "T", "tier": 4, "owner": "operator", "due_ns": now_ns}
    task |= {"title": '{"en":"look"}', "state": "open", "opened_ns": 1, "done_ns": 0, "done_by": "", "note": ""}
    with made.house.engine.begin() as connection:
        connection.execute(insert(schema.alarm), [alarm_row(each) for each in alarms])
        connection.execute(insert(schema.response_task).values(task))
    yield made
    for person in made.open:
        await person.aclose()
    made.house.engine.dispose()


def alarm(name: str, **more: Any) -> Alarm:  # noqa: ANN401 - as Alarm takes them
    kept: dict[str, Any] = {
        "nature": Nature.ACTUAL,
        "tag": name,
        "unit": "T",
        "group": "high",
        "tier": Tier.BLUE,
    } | more
    return Alarm(key=f"k-{name}", id=f"a-{name}", **kept)


def giving(**more: str) -> dict[str, str]:
    return {"post": "board", "to": "zhao", "notes": "pump 2 hums", "password": PASSWORD} | more


def taking(digest: str, **more: str) -> dict[str, str]:
    return {"name": "zhao", "password": OTHER, "digest": digest} | more


async def test_everything_open_stands_under_one_heading_and_natures_do_not_mix(office: Office) -> None:
    li = await office.enter("li")
    told = (await li.get("/api/v1/handovers/preview")).json()

    lists = ("unacked", "standing", "active", "shelved", "suppressed")
    assert {name: [one["tag"] for one in told[name]["rows"]] for name in lists} == {
        "unacked": ["new", "gone"],
        "standing": ["old"],
        "active": ["fresh"],
        "shelved": ["shelf"],
        "suppressed": ["oos"],
    }
    assert told["suppressed"]["rows"][0]["permit"] == "PTW-7"
    assert (told["tasks"]["count"], told["checkouts"]["count"], told["calls"]["count"]) == (1, 0, 0)


async def test_disposals_and_declared_stops_that_are_open_are_handed_over(office: Office) -> None:
    now_ns = office.house.clock.wall_ns()
    with office.house.engine.begin() as connection:
        due = Opening(
            alarm="a-new", key="k-new", nature=Nature.ACTUAL, unit="T", tag="new", condition="HH", tier=Tier.RED,
            opened_ns=now_ns - 2, due_ns=now_ns - 1,
        )  # fmt: skip
        of_a_test = replace(due, alarm="a-test", nature=Nature.TEST)
        open_disposals(connection, [due, of_a_test, replace(due, alarm="a-later", due_ns=now_ns + 1)])
        overdue = replace(STOP, nature=Nature.ACTUAL, state=StopState.OVERDUE, unit="T")
        put_stops(connection, [overdue, replace(overdue, id="b" * 12, state=StopState.ENDED)])
    told = (await (await office.enter("li")).get("/api/v1/handovers/preview")).json()
    assert [(one["alarm"], one["tier"], one["is_overdue"]) for one in told["disposals"]["rows"]] == [
        ("a-new", "RED", True), ("a-later", "RED", False),
    ]  # fmt: skip
    assert [(one["stop"], one["state"], one["permit"]) for one in told["stops"]["rows"]] == [
        (STOP.id, "overdue", "P-1")
    ]


def ticket(code: str, stage: str, until: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    values = {"code": code, "title": f"weld {code}", "kind": "soil", "stage": stage, "unit": "T", "place": "rack 3"}
    values |= {"applicant": "jia", "approved_by": "yi", "from": "2026-01-01T00:00", "until": until}
    return values | more


async def test_work_tickets_that_are_not_closed_are_handed_over_the_work_that_goes_on_first(office: Office) -> None:
    now_ns, zone = office.house.clock.wall_ns(), ZoneInfo("Asia/Shanghai")
    later, before = minute(now_ns + 3600 * 10**9, zone), minute(now_ns - 3600 * 10**9, zone)
    with office.house.engine.begin() as connection:
        by = By(who="safe", time_ns=now_ns, reason="x")
        for values in (
            ticket("W-1", "applied", later),
            ticket("W-2", "working", before, begun_at="2026-01-01T00:10", guardian="bing"),
            ticket("W-3", "closed", later, begun_at="2026-01-01T00:10", ended_at="2026-01-01T00:20"),
            ticket("W-4", "cancelled", later),
        ):
            make(connection, LEDGERS["tickets"], values, by)
    told = (await (await office.enter("li")).get("/api/v1/handovers/preview")).json()["tickets"]
    assert [(one["permit"], one["stage"]["zh"], one["is_over"], one["guardian"]) for one in told["rows"]] == [
        ("W-2", "作业中", True, "bing"), ("W-1", "已申请", False, ""),
    ]  # fmt: skip
    assert (told["count"], told["rows"][0]["unit"]) == (2, "T")


async def test_both_sign_the_same_and_it_stays_as_it_was(office: Office) -> None:
    li = await office.enter("li")
    given = await li.post("/api/v1/handovers", json=giving())
    assert given.status_code == 200, given.text
    number, digest = given.json()["number"], given.json()["digest"]
    with office.house.engine.begin() as connection:
        connection.execute(update(schema.alarm).where(schema.alarm.c.key == "k-new").values(state="NORMAL"))
    taken = await li.post(f"/api/v1/handovers/{number}/take", json=taking(digest, remark="heard it"))
    assert taken.status_code == 200, taken.text

    kept = (await li.get(f"/api/v1/handovers/{number}")).json()
    assert (kept["state"], kept["giver"], kept["taker"], kept["remark"]) == ("signed", "li", "zhao", "heard it")
    assert [one["tag"] for one in kept["content"]["unacked"]["rows"]] == ["new", "gone"]
    text = json.dumps(kept["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert sha256(text.encode()).hexdigest() == digest
    acts = [(act["who"], act["action"]) for act in office.acts()]
    assert acts == [("li", "handover_given"), ("zhao", "handover_taken")]
    again = await li.post(f"/api/v1/handovers/{number}/take", json=taking(digest))
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (giving(password=OTHER), "密码错误"),
        (giving(to="li"), "不能交接给自己"),
        (giving(to="guest"), "不是可处理报警"),
        (giving(to="nobody"), "不是可处理报警"),
    ],
)
async def test_who_cannot_hand_over_is_told_why(office: Office, body: dict[str, str], word: str) -> None:
    li = await office.enter("li")
    refused = await li.post("/api/v1/handovers", json=body)

    assert refused.status_code == 409
    assert word in refused.json()["error"]["details"]["zh"]
    assert (await li.get("/api/v1/handovers")).json()["handovers"] == []


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"password": PASSWORD}, "密码错误"),
        ({"name": "li", "password": PASSWORD}, "不能签收自己"),
        ({"name": "guest", "password": PASSWORD}, "不能处理报警"),
        ({"digest": "0" * 64}, "内容与已签内容不同"),
    ],
)
async def test_who_cannot_take_over_is_told_why(office: Office, more: dict[str, str], word: str) -> None:
    li = await office.enter("li")
    given = (await li.post("/api/v1/handovers", json=giving())).json()
    refused = await li.post(f"/api/v1/handovers/{given['number']}/take", json=taking(given["digest"]) | more)

    assert refused.status_code == 409
    assert word in refused.json()["error"]["details"]["zh"]
    assert (await li.get(f"/api/v1/handovers/{given['number']}")).json()["state"] == "waiting"


async def test_a_password_is_not_guessed_at_an_open_page(office: Office) -> None:
    li = await office.enter("li")
    given = (await li.post("/api/v1/handovers", json=giving())).json()
    for _ in range(FAILURES_MAX):
        body = taking(given["digest"], password="guess after guess")
        assert (await li.post(f"/api/v1/handovers/{given['number']}/take", json=body)).status_code == 409

    right = await li.post(f"/api/v1/handovers/{given['number']}/take", json=taking(given["digest"]))
    assert right.status_code == 409, "the account is locked"
    assert sum(act["action"] == "password_refused" for act in office.acts()) == FAILURES_MAX


async def test_one_post_has_one_open_handover_which_is_refused_or_withdrawn_with_a_reason(office: Office) -> None:
    li, wang = await office.enter("li"), await office.enter("wang")
    first = (await li.post("/api/v1/handovers", json=giving(to="wang"))).json()["number"]
    assert (await li.post("/api/v1/handovers", json=giving())).status_code == 409
    at = f"/api/v1/handovers/{first}"
    assert (await wang.post(f"{at}/withdraw", json={"reason": "x"})).status_code == 409
    assert (await li.post(f"{at}/refuse", json={"reason": "x"})).status_code == 409
    assert (await wang.post(f"{at}/refuse", json={"reason": "the tank list is missing"})).status_code == 200

    second = (await li.post("/api/v1/handovers", json=giving())).json()["number"]
    assert (await li.post(f"/api/v1/handovers/{second}/withdraw", json={"reason": "wrong post"})).status_code == 200
    states = [(one["state"], one["remark"]) for one in (await li.get("/api/v1/handovers")).json()["handovers"]]
    assert states == [("withdrawn", "wrong post"), ("refused", "the tank list is missing")]


async def test_a_viewer_reads_and_signs_nothing(office: Office) -> None:
    guest = await office.enter("guest")

    assert (await guest.get("/api/v1/handovers")).status_code == 200
    assert (await guest.post("/api/v1/handovers", json=giving())).status_code == 403
    assert (await guest.post("/api/v1/call-checks", json={})).status_code == 403


async def test_a_call_check_tells_who_was_there_late_or_missing(office: Office) -> None:
    safe, li, wang = [await office.enter(name) for name in ("safe", "li", "wang")]
    assert (await safe.post("/api/v1/call-checks", json={"minutes": 5})).status_code == 409  # Nobody is on duty.
    for body in (asked("li"), asked("wang"), asked("safe", post="boss")):
        assert (await safe.post("/api/v1/roster", json=body)).status_code == 200
    number = (await safe.post("/api/v1/call-checks", json={"minutes": 5, "reason": "night round"})).json()["number"]
    assert [one["number"] for one in (await li.get("/api/v1/call-checks/mine")).json()["checks"]] == [number]
    assert (await li.post(f"/api/v1/call-checks/{number}/here")).status_code == 200
    assert (await li.post(f"/api/v1/call-checks/{number}/here")).status_code == 409
    office.clock.advance_ns(6 * 60 * S)
    assert (await wang.get("/api/v1/call-checks/mine")).json()["checks"] == []
    assert (await wang.post(f"/api/v1/call-checks/{number}/here")).status_code == 200

    people = (await safe.get("/api/v1/call-checks")).json()["checks"][0]["people"]
    assert {one["person"]: one["state"] for one in people} == {"safe": "missing", "li": "here", "wang": "late"}


async def test_who_was_not_asked_does_not_answer(office: Office) -> None:
    safe, wang = await office.enter("safe"), await office.enter("wang")
    await safe.post("/api/v1/roster", json=asked("li"))
    number = (await safe.post("/api/v1/call-checks", json={"post": "board"})).json()["number"]

    assert (await wang.post(f"/api/v1/call-checks/{number}/here")).status_code == 409
    assert (await wang.post("/api/v1/call-checks/99/here")).status_code == 409
    assert (await safe.post("/api/v1/call-checks", json={"post": "gate"})).status_code == 422
