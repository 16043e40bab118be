"""After an incident: lessons that are duties, and the report with alarms, values and timeline."""

from dataclasses import replace
from typing import Any

import httpx
import numpy as np
from sqlalchemy import Connection, insert, select

from alerting.model.command import Verb
from alerting.model.event import Event, What
from alerting.model.stop import StopState
from alerting.model.tier import Tier
from alerting.outcome import Answer
from edge.model import Nature, Scan
from gateway.duty.book import look as look_at_duties
from gateway.historian.memory import MemoryHistorian
from gateway.response import after_action
from gateway.store import schema
from gateway.store.rows import event_row
from gateway.store.stops import stop_row
from gateway.system import main_nature
from tests.integration.test_incidents_api import DOOR, MINUTE, Tick, done, fill, lead, refused
from tests.integration.test_register_api import EMERGENCY, Desk, desk, enter
from tests.integration.test_stop_api import STOP

__all__ = ["desk"]
STOPPED = replace(STOP, unit="U-1", state=StopState.RUNNING, nature=Nature.ACTUAL)
LESSON = {
    "title": "阀门标识不清 tags of the valves",
    "measure": "换牌 new plates",
    "responsible": "op",
    "due": "2026-01-20",
}


def happened(connection: Connection, desk: Desk, what: What, value: float | None = None, **more: Any) -> None:  # noqa: ANN401
    now_ns = desk.clock.wall_ns()
    event = Event(
        id=f"{what}-{now_ns}", what=what, time_ns=now_ns, received_ns=now_ns, nature=main_nature(desk.house.site),
        unit="U-1", alarm="a1", alarm_key="k", tag="TK-1.level", condition="HH", tier=Tier.ORANGE, value=value,
        setpoint=None if value is None else 4.0,
    )  # fmt: skip
    connection.execute(insert(schema.event), [event_row(replace(event, **more))])


async def measure(desk: Desk, values: list[float]) -> None:
    """Let the level have values, one a minute from now on."""
    past = MemoryHistorian(desk.house.site.tags)
    desk.house.historian = past
    row = desk.house.site.tags.row_of["TK-1.level"]
    times = desk.clock.wall_ns() + MINUTE * np.arange(len(values))
    past.append(
        Scan(
            source="plc", epoch=1, number=1, received_ns=int(times[-1]), rows=np.full(len(values), row, np.int32),
            values=np.array(values), quality=np.zeros(len(values), np.uint8), times_ns=times.astype(np.int64),
        )
    )  # fmt: skip
    await past.flush()


async def test_the_after_action_report_has_alarms_values_and_timeline_and_comes_after_the_end(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    at = f"{DOOR}/1/after-action"
    assert (await li.get(at)).status_code == 404
    await measure(desk, [3.5, 4.5, 6.25, 3.75])
    tick = Tick(desk)
    desk.clock.advance_ns(MINUTE)
    tick.write(lambda c: happened(c, desk, What.RAISED, 4.5))
    tick(What.UNIT_RAISED, Tier.ORANGE)
    assert refused(await li.get(at), 409, "not_over", "after stand-down")
    desk.clock.advance_ns(MINUTE)
    tick.write(lambda c: happened(c, desk, What.ACKNOWLEDGED))
    tick.write(lambda c: happened(c, desk, What.RAISED, 9.0, id="late", alarm="a0", is_late=True))
    tick.write(lambda c: happened(c, desk, What.RAISED, 9.0, id="other", alarm="b1", unit="U-9"))
    assert (await done(li, (await li.get(f"{DOOR}/1")).json()["tasks"][0])).status_code == 200
    desk.clock.advance_ns(MINUTE)
    tick.write(lambda c: happened(c, desk, What.RETURNED, 3.75))
    assert (await lead(li, 1, "stand-down", 2)).status_code == 200
    desk.clock.advance_ns(MINUTE)
    tick.write(lambda c: happened(c, desk, What.RAISED, 8.0, id="after", alarm="a2"))
    assert (await li.post(f"{DOOR}/1/lesson", json=LESSON)).status_code == 200

    (one,) = await desk.house.read(lambda c: after_action.rang(c, after_action.over(c, 1)))
    began_ns = desk.clock.wall_ns() - 3 * MINUTE
    assert (one.alarm, one.value, one.setpoint, one.since_ns, one.acked_ns, one.over_ns) == (
        "a1", 4.5, 4.0, began_ns, began_ns + MINUTE, began_ns + 2 * MINUTE,
    )  # fmt: skip
    page = await li.get(at, params={"form": "html", "lang": "zh"})
    assert page.headers["content-type"].startswith("text/html")
    text = page.text
    assert "1 号事件应急处置总结报告" in text
    assert "<td>TK-1.level</td><td>3.5 m</td><td>3.5 m</td><td>6.25 m</td><td>2026-01-01 08:02:00</td>" in text
    assert "<td>TK-1.level</td><td>高高报</td><td>4.5 m</td><td>4 m</td><td>橙色</td>" in text
    assert "<td>步骤完成 / 其中超时 / 总数</td><td>1 / 0 / 3</td>" in text
    assert "<td>阀门标识不清 tags of the valves</td><td>换牌 new plates</td><td>op</td><td>2026-01-20</td>" in text
    assert text.count("<h2>") == 7, "what happened, course, alarms, values, checklist, timeline, lessons"
    pdf = await li.get(at, params={"lang": "en"})
    assert (pdf.headers["content-type"], pdf.content[:4]) == ("application/pdf", b"%PDF")


async def test_a_lesson_is_a_duty_with_owner_and_day_that_another_person_accepts(desk: Desk) -> None:
    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")
    await fill(li)
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    at = f"{DOOR}/1/lesson"
    assert (await op.post(at, json=LESSON)).status_code == 403, "an operator writes no duties for others"
    assert refused(await li.post(at, json={**LESSON, "responsible": "eve"}), 409, "nobody", "Nobody is called eve")
    assert (await li.post(at, json={**LESSON, "due": ""})).status_code == 422
    wrong = await li.post(at, json={**LESSON, "due": "2025-12-31"})
    assert (wrong.status_code, wrong.json()["error"]["details"]["wrongs"][0]["field"]) == (422, "due")
    told = (await li.post(at, json=LESSON)).json()
    assert [(one["code"], one["responsible"], one["state"]) for one in told["lessons"]] == [("L-1", "op", "open")]
    assert [line["facts"]["due"] for line in told["timeline"] if line["what"] == "lesson"] == ["2026-01-20"]
    told = (await li.post(at, json={**LESSON, "title": "second"})).json()
    assert [one["code"] for one in told["lessons"]] == ["L-1", "L-1-2"]
    assert [act["action"] for act in desk.acts() if act.get("action") == "incident_lesson"] == ["incident_lesson"] * 2

    assert await open_duties(li) == [("L-1", "op", "2026-01-20"), ("L-1-2", "op", "2026-01-20")]
    desk.clock.advance_ns(24 * 60 * MINUTE * 20)
    tick.write(lambda c: look_at_duties(c, desk.house.site, main_nature(desk.house.site), desk.clock.wall_ns()))
    with desk.engine.connect() as connection:
        steps = connection.execute(select(schema.duty_step.c.what, schema.duty_step.c.person).distinct())
        assert ("warning", "op") in [tuple(row) for row in steps]

    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")  # Sessions end meanwhile.
    record = "/api/v1/register/ledgers/lessons/" + told["lessons"][0]["id"]
    made = {"act": "done", "values": {"result": "plates are up"}, "revision": 1, "reason": "x"}
    assert (await op.post(f"{record}/act", json=made)).status_code == 200
    assert [code for code, *_ in await open_duties(li)] == ["L-1-2"]
    accept = {"act": "accept", "values": {}, "revision": 2, "reason": "seen"}
    assert (await op.post(f"{record}/act", json=accept)).status_code == 403, "operators accept none"
    assert (await wang.post(f"{record}/act", json=accept)).status_code == 200
    second = "/api/v1/register/ledgers/lessons/" + told["lessons"][1]["id"]
    assert (await li.post(f"{second}/act", json=made)).status_code == 200
    own = await li.post(f"{second}/act", json=accept)
    assert (own.status_code, "who did it" in own.text) == (422, True)
    assert [one["state"] for one in (await li.get(f"{DOOR}/1")).json()["lessons"]] == ["accepted", "done"]


async def open_duties(client: httpx.AsyncClient) -> list[tuple[str, str, str]]:
    told = (await client.get("/api/v1/duties", params={"kind": "lessons.due", "state": "open"})).json()["duties"]
    return sorted((one["code"], one["holder"], one["day"]) for one in told)


async def test_lessons_and_report_of_a_merged_incident_are_those_of_the_other(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    Tick(desk)(What.UNIT_RAISED, Tier.ORANGE)
    await li.post(DOOR, json={"unit": "U-1", "title": "smell", "reason": "patrol"})
    assert (await lead(li, 1, "merge", 2, into=2)).status_code == 200
    assert refused(await li.post(f"{DOOR}/1/lesson", json=LESSON), 409, "merged", "merged into 2")
    assert refused(await li.get(f"{DOOR}/1/after-action"), 409, "merged", "its report is there")


RESTART = "r1 | 气体检测 gas test | person:op | 60\nr2 | 泄漏试验 leak test | person:wang | 60 | r1"


async def test_a_unit_returns_when_its_restart_list_is_complete_and_one_who_may_allows_it(desk: Desk) -> None:
    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")
    await fill(li)
    await enter(li, "plans", {**EMERGENCY, "code": "EP-2", "unit": "U-1", "restart": RESTART})
    (plan,) = (one for one in (await li.get("/api/v1/response/plans")).json()["plans"] if one["code"] == "EP-2")
    assert [step["id"] for step in plan["restart"]] == ["r1", "r2"]
    tick = Tick(desk)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    tick.write(lambda c: c.execute(insert(schema.stop).values(stop_row(STOPPED))))
    back = f"/api/v1/stops/{STOPPED.id}/resume"
    desk.house.answer = lambda command: Answer(command=command)
    assert refused(await li.post(back, json={"reason": "back"}), 409, "held", "Incident 1 of the unit is open")
    assert (await li.get(f"{DOOR}/1")).json()["restart"] == []
    assert refused(await letting(li, 2), 409, "open", "still open")

    ended = (await lead(li, 1, "stand-down", 2)).json()
    assert [(one["step"], one["state"]) for one in ended["restart"]] == [("r1", "open"), ("r2", "waiting")]
    assert {one["state"] for one in ended["tasks"]} == {"void"}
    assert ended["is_holding"]
    assert ended["timeline"][-1]["facts"] == {"steps": 2}
    assert refused(await li.post(back, json={"reason": "back"}), 409, "held", "until its restart check-list")
    assert refused(await letting(op, 3), 403, "not_yours", "safety officer")
    assert refused(await letting(li, 3), 409, "not_complete", "2 steps are left: 1/r1, 1/r2")
    first, second = ended["restart"]
    assert refused(await done(li, first), 403, "not_yours", "belongs to op; they say")
    assert refused(await done(wang, second), 409, "waiting", "waits for others")
    assert (await done(op, first)).status_code == 200
    assert refused(await letting(li, 3), 409, "not_complete", "1 steps are left: 1/r2")
    assert (await done(wang, second)).status_code == 200
    assert refused(await letting(li, 2), 409, "changed_meanwhile", "look at it again")
    told = (await letting(wang, 3)).json()
    assert (told["returned_by"], told["is_holding"], told["timeline"][-1]["what"]) == ("wang", False, "returned")
    assert refused(await letting(li, 4), 409, "returned", "wang let the unit return already")
    report = (await li.get(f"{DOOR}/1/after-action", params={"form": "html", "lang": "en"})).text
    assert "<h2>Restart check-list</h2>" in report
    assert "<td>Return of the unit</td><td>2026-01-01 08:00:00 (wang)</td>" in report
    assert desk.house.commands == [], "no word that it is back came through before"
    assert (await li.post(back, json={"reason": "back"})).status_code == 200
    assert [command.verb for command in desk.house.commands] == [Verb.RESUME]
    assert [act["action"] for act in desk.acts() if act.get("action") == "incident_returned"] == ["incident_returned"]


async def letting(client: httpx.AsyncClient, revision: int) -> httpx.Response:
    return await client.post(f"{DOOR}/1/return", json={"revision": revision, "reason": "checked"})


async def test_a_plan_without_a_restart_list_holds_nothing(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    Tick(desk)(What.UNIT_RAISED, Tier.ORANGE)
    ended = (await lead(li, 1, "stand-down", 2)).json()
    assert (ended["restart"], ended["is_holding"], ended["timeline"][-1]["what"]) == ([], False, "stood_down")
    assert refused(await letting(li, 3), 409, "not_held", "holds no unit")
