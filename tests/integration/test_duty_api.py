"""Duties over the API: the list by step, the table, a duty's history, answers, sheets, who may what."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from alerting.duty.kind import Step
from edge.model import Nature
from gateway.duty.book import look
from tests.integration.test_register_api import AT, COPY, HAZARD, PLAN, PLANT, UNIT, Desk

H = 3_600_000_000_000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def hazard(desk: Desk, code: str, deadline: str) -> dict[str, Any]:
    """Enter a hidden hazard and plan it; its deadline is a duty from then on."""
    li = await desk.come("li")
    made = (await li.post(f"{AT}/hidden_hazards", json={"values": {**HAZARD, "code": code, "dossier": ""}})).json()
    record = made["record"]
    acts = (("class", {"class": "general"}), ("plan", {**PLAN, "deadline": deadline}))
    for act, values in acts:
        asked = {"act": act, "values": values, "revision": record["revision"], "reason": "test"}
        answer = await li.post(f"{AT}/hidden_hazards/{record['id']}/act", json=asked)
        assert answer.status_code == 200, answer.text
        record = answer.json()["record"]
    return record  # type: ignore[no-any-return] - JSON


def take(desk: Desk, hours: float = 0) -> None:
    desk.clock.advance_ns(round(hours * H))
    with desk.engine.begin() as connection:
        look(connection, desk.house.site, Nature.ACTUAL, desk.clock.wall_ns())


async def test_a_planned_hazard_is_a_duty_until_it_is_closed(desk: Desk) -> None:
    record = await hazard(desk, "H1", "2026-01-10")
    op = await desk.come("op")
    take(desk)
    listed = (await op.get("/api/v1/duties")).json()
    (duty,) = listed["duties"]
    assert (duty["kind"], duty["step"], duty["code"], duty["day"]) == (
        "hidden_hazards.deadline", "coming", "H1", "2026-01-10",
    )  # fmt: skip
    assert (duty["ledger"], duty["subject"], duty["holder"]) == ("hidden_hazards", record["id"], "op")
    assert duty["basis"]["zh"].startswith("整改方案期限")
    assert duty["is_unverified"]

    for hours, overdue in ((8 * 24 + 16, 0), (24 - 1 / 3600, 0), (1 / 3600, 0), (1 / 3600, 1), (2 * 24 + 8, 3)):
        take(desk, hours)  # To 2026-01-10 00:00 at the site, its last second, midnight, a second after it, and on.
        op = await desk.come("op")  # Nobody stays logged in for so long.
        (duty,) = (await op.get("/api/v1/duties")).json()["duties"]
        assert (duty["overdue_days"], duty["due"]) == (overdue, "2026-01-10T16:00:00.000Z")
    listed = (await op.get("/api/v1/duties", params={"step": "supervision"})).json()
    (duty,) = listed["duties"]
    assert listed["counts"] == {"supervision": 1, "warning": 0, "prompt": 0, "coming": 0}
    assert duty["overdue_days"] > 0
    assert [each["person"] for each in duty["told"]] == ["op"]
    told = (await op.get(f"/api/v1/duties/{duty['id']}")).json()
    assert [step["said"] for step in told["steps"]] == ["page", "passed", "page"], "warning passed by"
    assert (await op.get("/api/v1/duties", params={"subject": record["id"]})).json()["duties"][0]["id"] == duty["id"]


async def test_an_answer_is_written_down_and_audited_and_ends_nothing(desk: Desk) -> None:
    await hazard(desk, "H1", "2026-01-10")
    take(desk, 24 * 10)
    op = await desk.come("op")
    duty = (await op.get("/api/v1/duties")).json()["duties"][0]
    answer = await op.post(f"/api/v1/duties/{duty['id']}/answer", json={"text": "the part comes on Friday"})
    assert answer.json()["steps"][0]["text"] == "the part comes on Friday"
    assert answer.json()["duty"]["state"] == "open"
    act = desk.acts()[-1]
    assert (act["action"], act["who"], act["text"]) == ("duty_answered", "op", "the part comes on Friday")
    listed = (await op.get("/api/v1/duties")).json()["duties"][0]
    assert [each["what"] for each in listed["told"]][-1] == "answer"

    assert (await op.post(f"/api/v1/duties/{duty['id']}/answer", json={"text": " "})).status_code == 422
    assert (await op.post("/api/v1/duties/none/answer", json={"text": "x"})).status_code == 404
    assert (await op.get("/api/v1/duties/none")).status_code == 404
    assert (await op.get("/api/v1/duties", params={"step": "nonsense"})).status_code == 422


async def test_closing_ends_the_duty_and_the_ended_ones_are_listed(desk: Desk) -> None:
    record = await hazard(desk, "H1", "2026-01-10")
    op, wang = await desk.come("op"), await desk.come("wang")
    for who, act, values in ((op, "rectify", {"done": "new gauge"}), (wang, "accept", {"acceptance": "seen"})):
        asked = {"act": act, "values": values, "revision": record["revision"]}
        answer = await who.post(f"{AT}/hidden_hazards/{record['id']}/act", json=asked)
        assert answer.status_code == 200, answer.text
        record = answer.json()["record"]
    assert (await op.get("/api/v1/duties")).json()["duties"] == []
    (ended,) = (await op.get("/api/v1/duties", params={"state": "closed"})).json()["duties"]
    assert (ended["state"], ended["closed"] is not None) == ("done", True)


async def test_pages_follow_each_other_and_the_sheet_has_all(desk: Desk) -> None:
    for day in ("12", "10", "14"):
        await hazard(desk, f"H{day}", f"2026-01-{day}")
    take(desk)
    op = await desk.come("op")
    first = (await op.get("/api/v1/duties", params={"limit": 2})).json()
    second = (await op.get("/api/v1/duties", params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["code"] for each in first["duties"] + second["duties"]] == ["H10", "H12", "H14"]
    assert second["next"] is None

    sheet = await op.get("/api/v1/duties/export", params={"form": "xlsx", "lang": "zh"})
    rows = list(load_workbook(io.BytesIO(sheet.content)).active.values)
    assert rows[0][:3] == ("步骤", "职责", "编号")
    assert [row[2] for row in rows[1:]] == ["H10", "H12", "H14"]
    text = (await op.get("/api/v1/duties/export", params={"form": "csv", "lang": "en"})).text
    assert "Rectify a hidden hazard,H10" in text


async def test_the_table_says_lead_grace_receivers_and_basis_of_each_row(desk: Desk) -> None:
    op = await desk.come("op")
    told = (await op.get("/api/v1/duties/kinds")).json()
    rows = {row["id"]: row for row in told["kinds"]}
    assert rows["enterprises.licence_until"]["lead_days"] == 90
    assert rows["hidden_hazards.deadline"]["grace_days"] == 1
    assert rows["alarms.disposal"]["grace_minutes"] == 10
    assert set(rows["routines.due"]["to"]) == {step.value for step in Step}
    assert all(row["basis"]["en"] and row["basis"]["zh"] for row in rows.values())
    assert told["told_at"] == "08:00"


async def test_a_routine_comes_again_on_its_day_whoever_is_late(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    values = {
        "code": "FIVE", "title": "五个一批月报", "sort": "five_lots", "first_due": "2026-01-15", "every": 1,
        "cycle": "months", "responsible": "li",
    }  # fmt: skip
    record = (await li.post(f"{AT}/routines", json={"values": values})).json()["record"]
    assert record["values"]["due"] == "2026-01-15"
    desk.clock.advance_ns(20 * 24 * H)
    li, op = await desk.come("li"), await desk.come("op")
    asked = {"act": "done", "values": {"result": "sent"}, "revision": record["revision"]}
    record = (await op.post(f"{AT}/routines/{record['id']}/act", json=asked)).json()["record"]
    assert (record["values"]["due"], record["values"]["last_by"]) == ("2026-02-15", "op")
    take(desk)
    days = {(each["day"], each["state"]) for each in (await op.get("/api/v1/duties")).json()["duties"]}
    assert days == {("2026-02-15", "open")}

    once = {**values, "code": "ONCE", "every": "", "cycle": ""}
    record = (await li.post(f"{AT}/routines", json={"values": once})).json()["record"]
    asked = {"act": "done", "values": {"result": "sent"}, "revision": record["revision"]}
    refused = await op.post(f"{AT}/routines/{record['id']}/act", json=asked)
    assert refused.status_code == 422
    assert "没有周期" in refused.json()["error"]["details"]["zh"]
    finished = await li.post(f"{AT}/routines/{record['id']}/act", json={**asked, "act": "finish"})
    assert finished.json()["record"]["values"]["state"] == "finished"
    assert len((await op.get("/api/v1/duties")).json()["duties"]) == 1


async def test_documents_and_identification_are_duties_of_their_ledgers(desk: Desk) -> None:
    li = await desk.come("li")
    plant = {**PLANT, "licence_until": "2026-05-01", "insurance_until": "2026-06-01", "head": "赵总"}
    await li.post(f"{AT}/enterprises", json={"values": plant})
    unit = {**UNIT, "identified_on": "2023-02-10", "main_person": "li"}
    await li.post(f"{AT}/units", json={"values": unit})
    take(desk)
    listed = (await li.get("/api/v1/duties")).json()["duties"]
    assert [(each["kind"], each["day"], each["holder"]) for each in listed] == [
        ("units.identified_on", "2026-02-10", "li"),
        ("enterprises.licence_until", "2026-05-01", "赵总"),
        ("enterprises.insurance_until", "2026-06-01", ""),
    ]


async def test_a_copy_to_another_department_is_asked_for_until_it_is_answered(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await li.post(f"{AT}/hidden_hazards", json={"values": {**HAZARD, "dossier": ""}})
    copied = await li.post(f"{AT}/hazard_copies", json={"values": {**COPY, "responsible": "li"}})
    record = copied.json()["record"]
    take(desk)
    (duty,) = (await li.get("/api/v1/duties")).json()["duties"]
    assert (duty["kind"], duty["day"], duty["holder"]) == ("hazard_copies.due", "2026-01-05", "li")
    hazard_id = (await li.get(f"{AT}/hidden_hazards")).json()["records"][0]["id"]
    named = (await li.get(f"{AT}/hidden_hazards/{hazard_id}")).json()["referring"]
    assert [one["code"] for one in named] == ["CP1"]

    async def act(who: httpx.AsyncClient, name: str, **values: str) -> httpx.Response:
        now = (await li.get(f"{AT}/hazard_copies/{record['id']}")).json()["record"]
        asked = {"act": name, "values": values, "revision": now["revision"]}
        return await who.post(f"{AT}/hazard_copies/{record['id']}/act", json=asked)

    answer = {"answer": "cleared", "answered_by": "Chen", "answered_on": "2026-01-01"}
    assert (await act(op, "answer", **answer)).status_code == 403
    early = await act(li, "answer", **{**answer, "answered_on": "2025-12-30"})
    assert (early.status_code, "早于抄告日期" in early.json()["error"]["details"]["zh"]) == (422, True)
    assert (await act(li, "close")).status_code == 422
    desk.clock.advance_ns(6 * 24 * H)
    li = await desk.come("li")
    over = {"state": "overdue"}
    assert [one["code"] for one in (await li.get(f"{AT}/hazard_copies", params=over)).json()["records"]] == ["CP1"]
    answered = await act(li, "answer", **answer)
    assert (answered.status_code, answered.json()["record"]["is_overdue"]) == (200, False)
    assert (await li.get(f"{AT}/hazard_copies", params=over)).json()["records"] == []
    assert (await li.get("/api/v1/duties")).json()["duties"] == []
    again = (await act(li, "again", due="2026-01-09")).json()["record"]
    assert (again["values"]["state"], "answer" in again["values"]) == ("sent", False)
    assert [one["day"] for one in (await li.get("/api/v1/duties")).json()["duties"]] == ["2026-01-09"]
    await act(li, "answer", **answer)
    closed = (await act(li, "close")).json()["record"]
    assert (closed["values"]["state"], closed["values"]["closed_by"]) == ("closed", "li")
