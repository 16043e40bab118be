"""Incidents from opening to stand-down: by a tier in the tick's transaction, by hand; led, refused, reported."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.event import listen

from alerting.model.event import Event, What
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from alerting.outcome import Outcome
from alerting.register.episode import Entry
from alerting.roster.plan import On, Post, RosterPlan, Shift
from edge.model import Nature
from gateway.duty.book import look as look_at_duties
from gateway.response.opening import follow
from gateway.response.situation import situation
from gateway.store import schema
from gateway.store.rows import alarm_row, entry_row
from gateway.system import main_nature
from tests.integration.test_api import make_alarm
from tests.integration.test_register_api import CHLORINE, EMERGENCY, PLANT, UNIT, Desk, desk, enter

__all__ = ["desk"]
DOOR = "/api/v1/response/incidents"
MINUTE = 60_000_000_000


async def fill(li: httpx.AsyncClient) -> None:
    for ledger, values in (("enterprises", PLANT), ("units", UNIT), ("holdings", CHLORINE), ("plans", EMERGENCY)):
        await enter(li, ledger, values)


class Tick:
    """What the transaction of a tick does about incidents."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.number = 0
        self.told: list[dict[str, Any]] = []

    def __call__(self, what: What, tier: Tier, condition: str = "HH", *, is_late: bool = False) -> None:
        self.number += 1
        now_ns, nature = self.desk.clock.wall_ns(), main_nature(self.desk.house.site)
        event = Event(
            id=f"e{self.number}", what=what, time_ns=now_ns, received_ns=now_ns, nature=nature, unit="U-1", tier=tier,
            is_late=is_late,
        )  # fmt: skip
        outcome = Outcome(number=self.number, now_ns=now_ns, events=[event])
        outcome.alarms["k"] = replace(
            make_alarm(), key="k", unit="U-1", nature=nature, condition=condition, tag="TK-1.level"
        )
        self.write(lambda c: follow(c, self.desk.house.site, self, outcome))  # type: ignore[arg-type]

    def many(self, what: What, tier: Tier, units: list[str]) -> None:
        """Let units do the same in one tick."""
        self.number += 1
        now_ns, nature = self.desk.clock.wall_ns(), main_nature(self.desk.house.site)
        events = [
            Event(
                id=f"e{self.number}-{at}", what=what, time_ns=now_ns, received_ns=now_ns, nature=nature, unit=unit,
                tier=tier,
            )
            for at, unit in enumerate(units)
        ]  # fmt: skip
        outcome = Outcome(number=self.number, now_ns=now_ns, events=events)
        self.write(lambda c: follow(c, self.desk.house.site, self, outcome))  # type: ignore[arg-type]

    def append(self, _: Connection, nature: Nature, time_ns: int, kind: str, bodies: list[str]) -> None:
        """Stand in for the journal, which the small house has not."""
        assert (nature, kind) == (main_nature(self.desk.house.site), "system")
        self.told += [orjson.loads(body) for body in bodies]

    def write(self, do: Callable[[Connection], object]) -> None:
        with self.desk.engine.begin() as connection:
            do(connection)


def rings(connection: Connection, desk: Desk, condition: str) -> None:
    """Let an alarm stand that incident 1 is about."""
    nature = main_nature(desk.house.site)
    one = make_alarm(unit="U-1", nature=nature, tag="TK-1.level", condition=condition)
    connection.execute(insert(schema.alarm), [alarm_row(one)])
    entry = Entry(
        id="r1", nature=nature, unit="U-1", opened_ns=1, closed_ns=0, tier=Tier.ORANGE, tier_max=Tier.ORANGE,
        alarms=(one.id,), is_late=False,
    )  # fmt: skip
    connection.execute(insert(schema.register_entry), [entry_row(entry)])
    connection.execute(update(schema.incident).where(schema.incident.c.number == 1).values(entry="r1"))


async def lead(client: httpx.AsyncClient, number: int, what: str, revision: int, **more: Any) -> httpx.Response:  # noqa: ANN401
    body = {"revision": revision, "reason": "because", **more}
    return await client.post(f"{DOOR}/{number}/{what}", json=body)


async def done(client: httpx.AsyncClient, task: dict[str, Any], answer: str = "") -> httpx.Response:
    return await client.post(f"/api/v1/response/tasks/{task['id']}/done", json={"note": "ok", "answer": answer})


def refused(answer: httpx.Response, status: int, code: str, part: str) -> bool:
    error = answer.json()["error"]
    assert error["details"]["zh"], error
    return (answer.status_code, error["code"]) == (status, code) and part in error["message"]


async def test_a_tier_opens_one_incident_with_its_plan_and_a_second_rise_opens_none(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.YELLOW)
    tick(What.UNIT_RAISED, Tier.RED, is_late=True)
    assert (await li.get(DOOR)).json()["incidents"] == [], "below the tier, and of the past"
    tick(What.UNIT_RAISED, Tier.ORANGE)
    tick(What.UNIT_RAISED, Tier.RED)
    tick(What.UNIT_LOWERED, Tier.YELLOW)
    (one,) = (await li.get(DOOR)).json()["incidents"]
    assert (one["number"], one["kind"], one["grade"], one["plan"], one["tier"], one["tier_max"], one["opened_by"]) == (
        1, "26", 3, "EP-1", "YELLOW", "RED", "fengsui",
    )  # fmt: skip
    story = (await li.get(f"{DOOR}/1")).json()
    assert [line["what"] for line in story["timeline"]] == ["opened", "plan", "unit_raised", "unit_lowered"]
    assert story["timeline"][0]["facts"]["values"][0]["tag"] == "TK-1.level"
    assert story["timeline"][0]["facts"]["why"][0]["zh"] == "适用所有单元"
    assert [(task["step"], task["state"]) for task in story["tasks"]] == [
        ("1", "open"), ("2", "waiting"), ("3", "waiting"),
    ]  # fmt: skip
    assert tick.told == [{"kind": "incident_opened", "incident": 1, "unit": "U-1", "plan": "EP-1", "event": "e3"}], (
        "it stands in the journal"
    )
    desk.house.site = replace(desk.house.site, incident=IncidentPolicy(from_tier=Tier.NONE))
    assert (await lead(li, 1, "stand-down", 2)).status_code == 200
    tick(What.UNIT_RAISED, Tier.RED)
    assert (await li.get(DOOR)).json()["incidents"] == [], "people alone open incidents here"


async def test_a_flood_asks_the_store_no_more_often_than_one_unit_and_the_gateway_itself_opens_none(
    desk: Desk,
) -> None:
    li = await desk.come("li")
    await fill(li)
    tick = Tick(desk)
    asked: list[str] = []
    listen(desk.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def count(what: What, tier: Tier, units: list[str]) -> int:
        asked.clear()
        tick.many(what, tier, units)
        return len(asked)

    alone = [count(What.UNIT_RAISED, tier, ["V-0"]) for tier in (Tier.ORANGE, Tier.RED)]
    flood = [f"V-{at}" for at in range(1, 120)]
    assert [count(What.UNIT_RAISED, tier, flood) for tier in (Tier.ORANGE, Tier.RED)] == alone
    tick.many(What.UNIT_RAISED, Tier.RED, ["fengsui"])
    first = (await li.get(DOOR, params={"limit": 100})).json()
    rest = (await li.get(DOOR, params={"limit": 100, "before": 21})).json()
    assert [one["number"] for one in first["incidents"] + rest["incidents"]] == list(range(120, 0, -1))
    assert {one["tier"] for one in first["incidents"]} == {"RED"}
    assert (first["total"], rest["total"], len(tick.told)) == (120, 120, 120)
    story = (await li.get(f"{DOOR}/77")).json()
    assert [(line["place"], line["what"]) for line in story["timeline"]] == [
        (1, "opened"), (2, "plan"), (3, "unit_raised"),
    ]  # fmt: skip
    assert len({task["id"] for task in story["tasks"]}) == 3


async def test_what_a_unit_does_twice_in_one_tick_opens_one_incident(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    tick = Tick(desk)
    tick.many(What.UNIT_RAISED, Tier.ORANGE, ["U-1", "U-1"])
    (one,) = (await li.get(DOOR)).json()["incidents"]
    story = (await li.get(f"{DOOR}/{one['number']}")).json()
    assert [line["what"] for line in story["timeline"]] == ["opened", "plan", "unit_raised"]


async def test_an_incident_without_a_plan_takes_the_one_that_fits_later_or_is_chosen(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(li, "plans", {**EMERGENCY, "code": "EP-9", "tier": "RED", "condition": "HH", "accident": "23"})
    tick = Tick(desk)
    (plan,) = (one for one in (await li.get("/api/v1/response/plans")).json()["plans"] if one["code"] == "EP-1")
    gone = f"/api/v1/register/ledgers/plans/{plan['id']}/remove"
    assert (await li.post(gone, json={"revision": 1, "reason": "old"})).status_code == 200
    tick(What.UNIT_RAISED, Tier.ORANGE)
    told = (await li.get(f"{DOOR}/1")).json()
    assert (told["plan"], told["tasks"], [line["what"] for line in told["timeline"]]) == ("", [], ["opened", "no_plan"])
    tick(What.UNIT_RAISED, Tier.RED)
    told = (await li.get(f"{DOOR}/1")).json()
    assert (told["plan"], told["kind"], len(told["tasks"]), told["revision"]) == ("EP-9", "23", 3, 2)
    assert refused(await lead(li, 1, "plan", 2, plan="EP-9"), 409, "planned", "follows plan EP-9")


async def test_steps_are_done_by_whom_they_belong_to_once_and_open_what_comes_next(desk: Desk) -> None:
    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")
    await fill(li)
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(Post(id="room", title={"en": "Control room"}, shifts=("all",)),),
    )
    desk.house.site = replace(desk.house.site, roster=roster)
    tick = Tick(desk)
    tick.write(lambda c: c.execute(_watch("op")))
    tick(What.UNIT_RAISED, Tier.ORANGE)
    tasks = (await li.get(f"{DOOR}/1")).json()["tasks"]
    assert [task["owners"] for task in tasks] == [["op"], [], ["op"]], "no post leads the shift"
    assert (await li.get("/api/v1/units")).json()["posts"] == {"room": {"en": "Control room"}}

    assert refused(await done(wang, tasks[0]), 403, "not_yours", "belongs to op")
    assert refused(await done(op, tasks[1]), 409, "waiting", "waits for others")
    desk.clock.advance_ns(6 * MINUTE)
    assert (await done(op, tasks[0])).json()["task"]["state"] == "done"
    assert refused(await done(op, tasks[0]), 409, "done_already", "op did step 1 already")
    now = (await li.get(f"{DOOR}/1")).json()["tasks"]
    assert [(task["state"], task["is_late"]) for task in now] == [("done", True), ("open", False), ("waiting", False)]
    assert now[1]["due"] == "2026-01-01T00:11:00.000Z", "its five minutes run from when it could be begun"
    assert refused(await done(op, tasks[1]), 409, "answer", "yes / no")
    assert refused(await done(op, tasks[1], "maybe"), 409, "answer", "yes / no")
    assert (await done(op, tasks[1], "no")).status_code == 200
    assert (await li.get(f"{DOOR}/1")).json()["tasks"][2]["state"] == "void"
    assert refused(await done(op, tasks[2]), 409, "void", "does not apply")
    lines = (await li.get(f"{DOOR}/1")).json()["timeline"]
    assert [(one["who"], one["facts"]["is_late"]) for one in lines if one["what"] == "step_done"] == [
        ("op", True), ("op", False),
    ]  # fmt: skip
    assert [act["task"] for act in desk.acts() if act.get("action") == "task_done"] == [tasks[0]["id"], tasks[1]["id"]]


def _watch(person: str) -> Any:  # noqa: ANN401 - a statement
    return insert(schema.roster).values(
        number=1, date="2026-01-01", shift="all", post="room", person=person, substitute="", reason="",
        changed_by="li", changed_ns=1,
    )  # fmt: skip


async def test_of_two_commanders_one_wins_and_the_other_is_told_who(desk: Desk) -> None:
    li, wang, op = await desk.come("li"), await desk.come("wang"), await desk.come("op")
    await fill(li)
    begun = await op.post(DOOR, json={"unit": "U-1", "title": "smell 异味", "reason": "patrol"})
    assert begun.json()["timeline"][0]["facts"]["reason"] == "patrol"
    assert begun.json()["plan"] == "", "the unit has no tier: no plan fits"
    assert refused(await op.post(DOOR, json={"unit": "U-1", "reason": "again"}), 409, "open_already", "Incident 1")
    assert (await op.post(DOOR, json={"unit": "U-7", "reason": "x"})).status_code == 404

    assert refused(await lead(op, 1, "grade", 1, grade=2), 403, "not_yours", "commander")
    assert (await lead(li, 1, "command", 1, person="op")).json()["commander"] == "op"
    assert refused(await lead(li, 1, "command", 2, person="eve"), 404, "not_there", "eve")
    assert (await lead(op, 1, "grade", 2, grade=2)).json()["grade"] == 2
    assert refused(await lead(wang, 1, "grade", 2, grade=1), 409, "changed_meanwhile", "op changed incident 1")
    assert (await lead(wang, 1, "grade", 3, grade=1)).json()["grade"] == 1
    assert [line["facts"] for line in (await li.get(f"{DOOR}/1")).json()["timeline"] if line["what"] == "graded"] == [
        {"from": 0, "to": 2, "reason": "because"}, {"from": 2, "to": 1, "reason": "because"},
    ]  # fmt: skip
    assert (await lead(wang, 1, "grade", 4, grade=5)).status_code == 422
    assert refused(await lead(wang, 1, "grade", 4, grade=1), 409, "same_grade", "already")
    acts = [act["action"] for act in desk.acts() if str(act.get("action", "")).startswith("incident_")]
    assert acts == ["incident_opened", "incident_commanded", "incident_graded", "incident_graded"]


async def test_after_stand_down_nothing_is_done_any_more_and_while_a_tier_stands_it_is_asked_twice(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    desk.house.picture.tiers["U-1"] = Tier.ORANGE
    told = (await li.get(f"{DOOR}/1")).json()
    revision = told["revision"]
    assert refused(await lead(li, 1, "stand-down", revision), 409, "not_back", "still ORANGE")
    ended = (await lead(li, 1, "stand-down", revision, despite=True)).json()
    assert (ended["state"], ended["ended_by"], {task["state"] for task in ended["tasks"]}) == ("ended", "li", {"void"})
    assert refused(await done(op, told["tasks"][0]), 409, "ended", "stood down by li")
    assert refused(await lead(li, 1, "grade", revision + 1, grade=1), 409, "ended", "stood down by li")
    assert refused(await op.post(f"{DOOR}/1/line", json={"what": "call", "text": "x"}), 409, "ended", "stood down")
    assert [one["number"] for one in (await li.get(DOOR, params={"state": "ended"})).json()["incidents"]] == [1]
    tick(What.UNIT_RAISED, Tier.RED)
    assert [one["number"] for one in (await li.get(DOOR)).json()["incidents"]] == [2], "it begins anew"


async def test_an_accident_is_reported_in_an_hour_and_each_day_until_it_is_taken_back(desk: Desk) -> None:
    """State Council order 493, article 9: one hour, then each day; 00:20 in UTC is when it was judged one."""
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    Tick(desk)(What.UNIT_RAISED, Tier.ORANGE)
    at = f"{DOOR}/1"

    async def say(what: str) -> httpx.Response:
        return await op.post(f"{at}/line", json={"what": what, "text": "two hurt"})

    async def reports(minutes: int, state: str = "open") -> list[tuple[str, str]]:
        desk.clock.advance_ns(minutes * 60 * 10**9)
        with desk.engine.begin() as connection:
            look_at_duties(connection, desk.house.site, Nature.ACTUAL, desk.clock.wall_ns())
        found = (await op.get("/api/v1/duties", params={"state": state})).json()["duties"]
        word = "step" if state == "open" else "state"
        return [(one["due"], one[word]) for one in found if one["kind"] == "incidents.report"]

    assert await reports(20) == [], "an incident is no accident by itself"
    assert refused(await say("no_accident"), 409, "judged_already", "does not stand")
    assert (await say("accident")).json()["report_due"] == "2026-01-01T01:20:00.000Z"
    assert refused(await say("accident"), 409, "judged_already", "already")
    first = "2026-01-01T01:20:00.000Z"
    assert await reports(47) == [(first, "coming")]
    listed = (await op.get("/api/v1/duties")).json()["duties"]
    assert [one["holder"] for one in listed if one["kind"] == "incidents.report"] == ["leader"], "nobody commands yet"
    (said,) = [one["holder_said"] for one in listed if one["kind"] == "incidents.report"]
    assert said == {"en": "shift leader", "zh": "带班领导"}, "and never the word for programs"
    for language, word in (("en", "shift leader"), ("zh", "带班领导")):
        sheet = await li.get("/api/v1/duties/export", params={"form": "csv", "lang": language})
        assert word in sheet.text
    revision = (await li.get(at)).json()["revision"]
    assert (await lead(li, 1, "command", revision, person="op")).status_code == 200
    assert await reports(1) == [(first, "prompt")], "a fifth of the hour before"
    listed = (await op.get("/api/v1/duties")).json()["duties"]
    assert [one["holder"] for one in listed if one["kind"] == "incidents.report"] == ["op"]
    assert await reports(12) == [(first, "warning")]
    assert await reports(10) == [(first, "supervision")]
    assert (await say("reported")).status_code == 200
    assert await reports(0) == [("2026-01-02T01:30:00.000Z", "coming")]
    assert await reports(0, "closed") == [(first, "done")]
    assert (await say("no_accident")).status_code == 200
    assert await reports(0) == []


async def test_the_timeline_keeps_calls_consultations_and_values_and_the_report_numbers_itself(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    desk.live("TK-1.level", 4.25)
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    tick.write(lambda c: rings(c, desk, "RATE"))
    at = f"{DOOR}/1"
    assert (await op.get(at)).json()["report_due"] == "2026-01-01T01:00:00.000Z", "an hour after it opened"
    first = await op.get(f"{at}/report", params={"lang": "en"})
    assert first.content.startswith(b"%PDF")
    talk = {"what": "consultation", "text": "foam or water?", "who": "op, fire brigade", "data": "TK-1.level 4.25 m"}
    assert (await op.post(f"{at}/line", json=talk)).status_code == 422, "what was decided is missing"
    assert (await op.post(f"{at}/line", json={**talk, "decision": "foam"})).status_code == 200
    assert (await op.post(f"{at}/snapshot", json={})).status_code == 200
    told = (await op.post(f"{at}/line", json={"what": "reported", "text": "district, by phone"})).json()
    by_what = {line["what"]: line for line in told["timeline"]}
    assert by_what["consultation"]["facts"]["decision"] == "foam"
    assert {one["tag"]: one["value"] for one in by_what["snapshot"]["facts"]["values"]}["TK-1.level"] == 4.25

    sheet = await desk.house.read(
        lambda c: situation(c, desk.house.site, desk.house.picture, 1, desk.clock.wall_ns(), "zh")
    )
    assert sheet.title == "1 号事件信息报告（续报 1）"
    elements = {str(row[0]): row[1] for row in sheet.blocks[0].rows}
    assert elements["单位名称"] == PLANT["name"]
    assert elements["响应级别"] == "Ⅲ"
    printed = {block.heading: block.rows for block in sheet.blocks}
    assert [(row[1], row[2], row[5]) for row in printed["报警"]] == [("TK-1.level", "变化率", "未确认")]
    assert ("TK-1.level", "4.25 m", "良好", "2026-01-01 08:00:00") in printed["当前数值"]
    assert elements["伤亡和损失情况"] == "未填报"
    assert (elements["已报告时间"], elements["下次报告期限（未经核实）"]) == (
        "2026-01-01 08:00:00",
        "2026-01-02 08:00:00",
    )
    assert [row[1] for row in sheet.blocks[-1].rows][:2] == ["系统", "系统"]
    assert sheet.blocks[-1].rows[0][3].startswith("橙色")
    await op.post(f"{at}/line", json={"what": "casualties", "text": "2 hurt"})
    await op.post(f"{at}/line", json={"what": "casualties", "text": "1 hurt, 1 unhurt"})
    sheet = await desk.house.read(
        lambda c: situation(c, desk.house.site, desk.house.picture, 1, desk.clock.wall_ns(), "en")
    )
    assert ("Casualties and losses", "1 hurt, 1 unhurt") in sheet.blocks[0].rows, "what was written last"
    assert ("TK-1.level", "4.25 m", "GOOD", "2026-01-01 08:00:00") in sheet.blocks[1].rows + sheet.blocks[2].rows
    assert (await op.get(f"{DOOR}/9/report")).status_code == 404


async def test_a_merged_incident_goes_on_in_the_other(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    Tick(desk)(What.UNIT_RAISED, Tier.ORANGE)
    await op.post(DOOR, json={"unit": "U-1", "title": "smell", "reason": "patrol", "plan": ""})
    task = (await li.get(f"{DOOR}/1")).json()["tasks"][0]
    assert refused(await lead(li, 1, "merge", 2, into=1), 409, "not_alike", "another one")
    assert (await lead(li, 1, "merge", 2, into=2)).json()["merged_into"] == 2
    assert refused(await lead(li, 1, "grade", 3, grade=1), 409, "merged", "merged into 2")
    other = (await li.get(f"{DOOR}/2")).json()
    assert (other["merged"], other["tasks"][0]["id"], other["tier_max"]) == ([1], task["id"], "ORANGE")
    assert (await done(op, task)).status_code == 200
    assert (await lead(li, 2, "stand-down", other["revision"])).status_code == 200
    assert refused(await done(op, (await li.get(f"{DOOR}/1")).json()["tasks"][1]), 409, "ended", "Incident 2")


async def test_a_step_that_is_late_is_told_through_the_duties(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    plan = {**EMERGENCY, "code": "EP-2", "condition": "HH", "steps": "1 | foam | person:op | 10"}
    await enter(li, "plans", plan)
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.ORANGE)

    def look() -> list[tuple[str, str]]:
        now_ns = desk.clock.wall_ns()
        tick.write(lambda c: look_at_duties(c, desk.house.site, Nature.ACTUAL, now_ns))
        with desk.engine.connect() as connection:
            rows = connection.execute(select(schema.duty_step.c.what, schema.duty_step.c.person))
            return [tuple(row) for row in rows]

    assert look() == []
    desk.clock.advance_ns(8 * MINUTE)
    assert look() == [("prompt", "op")]
    desk.clock.advance_ns(2 * MINUTE)
    assert look() == [("prompt", "op"), ("warning", "op")]
    desk.clock.advance_ns(2 * MINUTE)
    assert look()[-1] == ("supervision", "op")
    task = (await li.get(f"{DOOR}/1")).json()["tasks"][0]
    assert (await done(await desk.come("op"), task)).status_code == 200
    desk.clock.advance_ns(2 * 24 * 60 * MINUTE)
    assert len(look()) == 3, "who has done it is told no more"
