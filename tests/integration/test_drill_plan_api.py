"""A drill that exercises a plan: steps, score, evaluation, improvements, workbook, the day of its next drill."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import openpyxl
import pytest
from sqlalchemy import Connection, insert

from alerting.model.event import Event, What
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.drill import records
from gateway.drill.exercise import keep_day, planned
from gateway.drill.records import FINISHED, HELD, RUNNING, STOPPED, Record
from gateway.drill.refused import DrillRefused
from gateway.live import iso
from gateway.store import schema
from gateway.store.rows import event_row
from tests.integration.test_incidents_api import MINUTE, fill, refused
from tests.integration.test_register_api import EMERGENCY, Desk, desk, enter

__all__ = ["desk"]
AT = "/api/v1/response/drills"
S = 1_000_000_000
GAP = {"title": "nobody took step 3", "measure": "train the foam team", "responsible": "op", "due": "2026-01-20"}


class Play:
    """A drill of plan EP-1 on unit U-1, written down as the gateway does it."""

    def __init__(self, desk: Desk, ack_min: float = 1.0) -> None:
        self.desk = desk
        plan_of = replace(desk.house.site.duties, ack_s={Tier.ORANGE: ack_min * 60})
        self.site = replace(desk.house.site, duties=plan_of)
        self.record = Record(
            number=1, state=RUNNING, story="leak", title={"en": "Leak", "zh": "泄漏"}, plant="tank", seed=7, revision=1,
            begun_ns=desk.clock.wall_ns(), begun_by="li", reason="yearly drill",
        )  # fmt: skip

    def begin(self, code: str = "EP-1") -> None:
        def write(c: Connection) -> None:
            self.record = replace(self.record, plan=planned(c, self.site, {"U-1"}, code))
            self.record = replace(self.record, number=records.begin(c, self.record))

        self.write(write)

    def write(self, do: Any) -> None:  # noqa: ANN401
        with self.desk.engine.begin() as connection:
            do(connection)

    def ring(self, what: What = What.RAISED, tier: Tier = Tier.ORANGE, unit: str = "U-1", **cause: Any) -> None:  # noqa: ANN401
        now_ns = self.desk.clock.wall_ns()
        event = Event(
            id=f"{what}-{unit}-{now_ns}", what=what, time_ns=now_ns, received_ns=now_ns, nature=Nature.EXERCISE,
            unit=unit, alarm=f"a-{unit}", alarm_key="k", tag="TK-1.level", condition="HH", tier=tier, cause=cause,
        )  # fmt: skip
        self.write(lambda c: c.execute(insert(schema.event), [event_row(event)]))

    def put(self, **more: Any) -> None:  # noqa: ANN401
        self.record = replace(self.record, **more)
        self.write(lambda c: records.put(c, self.record))

    def end(self, state: str = FINISHED) -> None:
        now_ns = self.desk.clock.wall_ns()
        self.put(state=state, ended_ns=now_ns, ended_by="fengsui", verdict={"played_s": 600.0})
        self.write(lambda c: keep_day(c, self.site, self.record, now_ns))


async def step(client: httpx.AsyncClient, name: str, **more: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post(f"{AT}/1/step", json={"step": name, **more})


async def test_steps_are_done_by_whom_they_belong_to_and_scored_without_pauses(desk: Desk) -> None:
    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")
    await fill(li)
    await enter(li, "plans", {**EMERGENCY, "code": "EP-2", "unit": "U-1"})
    play = Play(desk)
    play.begin("EP-2")
    assert refused(await step(op, "1"), 409, "not_open", "of U-1 has reached ORANGE")
    play.ring(tier=Tier.RED, unit="U-9")
    play.ring(tier=Tier.YELLOW)
    assert refused(await step(op, "1"), 409, "not_open", "has not opened")
    desk.clock.advance_ns(MINUTE)
    play.ring(What.ESCALATED)
    assert refused(await step(op, "2", answer="yes"), 409, "waiting", "waits for others")
    assert refused(await step(op, "9"), 404, "not_there", "no step 9")
    held_ns = desk.clock.wall_ns() + 30 * S
    desk.clock.advance_ns(30 * S)
    play.ring(What.ACKNOWLEDGED, who="op")
    play.put(state=HELD, pauses=({"from": iso(held_ns), "to": None, "by": "li", "why": "x"},))
    assert refused(await step(op, "1"), 409, "paused", "paused")
    desk.clock.advance_ns(20 * MINUTE)
    play.put(state=RUNNING, pauses=({"from": iso(held_ns), "to": iso(desk.clock.wall_ns()), "by": "li", "why": "x"},))
    desk.clock.advance_ns(10 * S)
    assert (await step(op, "1", note="shut")).status_code == 200
    assert refused(await step(wang, "1"), 409, "done_already", "op did step 1 already")
    assert refused(await step(op, "2"), 409, "answer", "yes / no")
    assert refused(await step(op, "2", answer="perhaps"), 409, "answer", "yes / no")
    desk.clock.advance_ns(6 * MINUTE)
    assert (await step(wang, "2", answer="yes")).status_code == 200, "nobody leads the shift: anybody may"
    assert refused(await step(wang, "3"), 403, "not_yours", "belongs to op")
    assert (await step(op, "3", answer="yes")).status_code == 409, "it asks for no answer"
    desk.clock.advance_ns(10 * MINUTE)
    play.end()
    assert refused(await step(op, "3"), 409, "ended", "over")

    score = (await li.get(f"{AT}/1/score")).json()["score"]
    assert [(one["mark"], one["took_s"]) for one in score["steps"]] == [
        ("in_time", 40.0), ("late", 360.0), ("skipped", None)
    ]  # fmt: skip
    assert (score["percent"], score["kept"], score["complete_s"]) == (33.3, False, None)
    assert (score["first_action_s"], score["first_action_target_s"], score["complete_target_s"]) == (40, 300, 1140)
    own = next(one for one in score["acknowledged"] if one["unit"] == "U-1")
    assert (own["after_s"], own["target_s"], own["mark"], own["by"]) == (90.0, None, "in_time", "op")
    assert score["people"] == ["op", "wang"]
    acts = [(act["action"], act["who"]) for act in desk.acts() if act.get("action") == "drill_step_done"]
    assert acts == [("drill_step_done", "op"), ("drill_step_done", "wang")]


async def test_an_alarm_that_nobody_acknowledged_in_time_is_told(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    play = Play(desk)
    play.begin()
    play.ring()
    desk.clock.advance_ns(30 * S)
    assert (await li.get(f"{AT}/1/score")).json()["score"]["acknowledged"][0]["mark"] == "unreached"
    desk.clock.advance_ns(31 * S)
    assert (await li.get(f"{AT}/1/score")).json()["score"]["acknowledged"][0]["mark"] == "skipped"
    play.ring(What.ACKNOWLEDGED, who="op")
    score = (await li.get(f"{AT}/1/score")).json()["score"]
    assert [(one["mark"], one["after_s"], one["target_s"]) for one in score["acknowledged"]] == [("late", 61.0, 60.0)]
    assert score["kept"] is False


async def test_only_a_drill_that_was_played_with_its_plan_open_moves_the_day(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)

    async def days() -> tuple[Any, list[tuple[str, str]]]:
        (plan,) = (await li.get("/api/v1/register/ledgers/plans")).json()["records"]
        duties = (await li.get("/api/v1/duties", params={"kind": "plans.drill_due", "state": "open"})).json()["duties"]
        return plan["values"].get("drilled_on"), [(one["code"], one["day"]) for one in duties]

    for state, rings in ((FINISHED, False), (STOPPED, True)):
        play = Play(desk)
        play.begin()
        if rings:
            play.ring()
        play.end(state)
        assert await days() == (None, []), "its plan did not open, or it was stopped"
        desk.clock.advance_ns(MINUTE)
    play = Play(desk)
    play.begin()
    play.ring()
    play.end()
    assert await days() == ("2026-01-01", [("EP-1", "2026-07-01")]), "a disposal scheme: once in six months"


async def test_evaluation_improvements_and_workbook_come_after_the_end(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    play = Play(desk)
    play.begin()
    play.ring()
    found = {"text": "the foam team did not come"}
    assert refused(await li.post(f"{AT}/1/evaluation", json=found), 409, "not_over", "goes on")
    assert refused(await li.post(f"{AT}/1/lesson", json=GAP), 409, "not_over", "goes on")
    assert refused(await li.get(f"{AT}/1/workbook"), 409, "not_over", "goes on")
    desk.clock.advance_ns(60 * MINUTE)
    play.end()
    assert (await op.post(f"{AT}/1/evaluation", json=found)).status_code == 403
    assert (await op.post(f"{AT}/1/lesson", json=GAP)).status_code == 403
    assert (await li.post(f"{AT}/1/evaluation", json={"text": ""})).status_code == 422
    assert (await li.post(f"{AT}/1/evaluation", json=found)).json()["evaluation"]["by"] == "li"
    assert refused(await li.post(f"{AT}/1/evaluation", json=found), 409, "done_already", "li evaluated")
    assert refused(await li.post(f"{AT}/1/lesson", json={**GAP, "responsible": "eve"}), 409, "nobody", "eve")
    assert (await li.post(f"{AT}/1/lesson", json={**GAP, "due": "2025-12-31"})).status_code == 422
    assert [one["code"] for one in (await li.post(f"{AT}/1/lesson", json=GAP)).json()["lessons"]] == ["D-1"]
    duties = (await li.get("/api/v1/duties", params={"kind": "lessons.due", "state": "open"})).json()["duties"]
    assert [(one["code"], one["holder"], one["day"]) for one in duties] == [("D-1", "op", "2026-01-20")]

    answer = await li.get(f"{AT}/1/workbook", params={"lang": "zh"})
    cells = openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    said = {tuple(cell for cell in row if cell is not None) for row in cells}
    assert ("D-1", GAP["title"], GAP["measure"], "op", "2026-01-20", "待落实") in said
    assert ("任务", "1 shut 关阀", "未做") in said, "a gap of its own"
    assert ("评估", "the foam team did not come (li)") in said
    assert any("【演练】" in str(cell) for row in said for cell in row)
    page = await li.get(f"{AT}/1/workbook", params={"lang": "en", "form": "html"})
    assert "<td>Acknowledgement</td><td>TK-1.level HH</td><td>not acknowledged</td>" in page.text
    assert (await li.get(f"{AT}/1/workbook", params={"form": "docx"})).status_code == 422
    assert (await li.get(f"{AT}/2/workbook")).status_code == 404
    record = (await li.get(f"{AT}/1")).json()
    assert (record["evaluation"]["text"], record["plan"]["code"]) == (found["text"], "EP-1")


async def test_a_plan_that_cannot_be_exercised_is_refused_and_the_day_follows_approval_and_cycle(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(
        li, "plans", {**EMERGENCY, "code": "EP-2", "unit": "U-1", "approved_on": "2025-08-31", "drill_months": 6}
    )
    play = Play(desk)
    with desk.engine.connect() as c, pytest.raises(DrillRefused, match="no plan EP-9") as nowhere:
        planned(c, play.site, {"U-1"}, "EP-9")
    assert nowhere.value.code == "not_found"
    with desk.engine.connect() as c, pytest.raises(DrillRefused, match="for unit U-1, and this story rings in U-7"):
        planned(c, play.site, {"U-7"}, "EP-2")
    with desk.engine.connect() as c:
        assert planned(c, play.site, {"U-1"}, "") == {}
    duties = (await li.get("/api/v1/duties", params={"kind": "plans.drill_due", "state": "open"})).json()["duties"]
    assert [(one["code"], one["day"]) for one in duties] == [("EP-2", "2026-02-28")]
    assert datetime.fromtimestamp(desk.clock.wall_ns() / S, UTC).year == 2026
