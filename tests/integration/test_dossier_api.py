"""Equipment, dated documents, contacts and surroundings: who names whom, what ends when, and who is told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_register_api import (
    AROUND,
    AT,
    CONTACT,
    DOCUMENT,
    EQUIPMENT,
    INSTRUMENT,
    PLANT,
    UNIT,
    Desk,
    enter,
    fill,
    refused,
)  # fmt: skip

DAY_NS = 86_400 * 10**9


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def act(who: httpx.AsyncClient, record: dict[str, Any], name: str, **values: object) -> httpx.Response:
    at = f"{AT}/{record['ledger']}/{record['id']}"
    revision = (await who.get(at)).json()["record"]["revision"]
    return await who.post(f"{at}/act", json={"act": name, "values": values, "revision": revision, "reason": "x"})


async def duties(who: httpx.AsyncClient, kind: str, state: str = "open") -> list[tuple[str, str]]:
    found = (await who.get("/api/v1/duties", params={"kind": kind, "state": state})).json()["duties"]
    return [(one["code"], one["day"]) for one in found]


async def test_equipment_is_named_by_instruments_and_documents_and_cannot_go_while_it_is(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    made = await enter(li, "equipment", EQUIPMENT)
    await enter(li, "instruments", {**INSTRUMENT, "equipment": "EQ-1"})
    await enter(li, "documents", {**DOCUMENT, "code": "D-2", "enterprise": "", "equipment": "EQ-1"})
    story = (await li.get(f"{AT}/equipment/{made['id']}")).json()
    assert sorted((one["ledger"], one["code"]) for one in story["referring"]) == [
        ("documents", "D-2"), ("instruments", "LT-1"),
    ]  # fmt: skip
    gone = await li.post(f"{AT}/equipment/{made['id']}/remove", json={"revision": 1, "reason": "x"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "referred_to")


async def test_the_inspection_of_special_equipment_is_a_duty_until_it_is_scrapped(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    made = await enter(li, "equipment", EQUIPMENT)
    await enter(li, "equipment", {
        "code": "EQ-2", "name": "泵 pump", "sort": "pump", "dossier": "TK-1", "special": "none",
    })  # fmt: skip
    kind = "equipment.inspected_until"
    assert await duties(op, kind) == [("EQ-1", "2026-02-01")]
    assert (await act(op, made, "stop", stop_reason="leak")).status_code == 403
    stopped = (await act(li, made, "stop", stop_reason="leak")).json()["record"]["values"]
    assert (stopped["state"], stopped["stopped_by"], stopped["stopped_on"]) == ("stopped", "li", "2026-01-01")
    assert (await act(li, made, "resume")).json()["record"]["values"].get("stop_reason") is None
    assert await duties(op, kind) == [("EQ-1", "2026-02-01")]
    assert (await act(li, made, "scrap", stop_reason="corroded")).status_code == 200
    assert await duties(op, kind) == []
    shut = await li.post(f"{AT}/equipment/{made['id']}", json={"values": EQUIPMENT, "revision": 4, "reason": "x"})
    assert shut.status_code == 409, "what is scrapped is not changed"


async def test_a_document_is_renewed_later_than_it_ended_and_its_duty_moves_on(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    made = await enter(li, "documents", DOCUMENT)
    await enter(li, "documents", {**DOCUMENT, "code": "D-9", "valid_until": "", "is_endless": "yes"})
    kind = "documents.valid_until"
    assert await duties(li, kind) == [("D-1", "2026-02-28")]
    desk.clock.advance_ns(70 * DAY_NS)
    li = await desk.come("li")
    late = (await li.get(f"{AT}/documents", params={"state": "overdue"})).json()["records"]
    assert [one["code"] for one in late] == ["D-1"]
    assert await refused(await act(li, made, "renew", valid_until="2026-03-01")) == ["valid_until"], "past already"
    renewed = (await act(li, made, "renew", valid_until="2029-02-28", number="X-2")).json()["record"]
    assert (renewed["values"]["number"], renewed["values"]["renewals"], renewed["is_overdue"]) == ("X-2", 1, False)
    assert await duties(li, kind) == [("D-1", "2029-02-28")]
    assert (await act(li, made, "withdraw", withdrawn_reason="site closed")).status_code == 200
    assert await duties(li, kind) == []


async def test_contacts_are_named_by_dossiers_documents_and_surroundings(desk: Desk) -> None:
    li = await desk.come("li")
    contact = await enter(li, "contacts", CONTACT)
    await enter(li, "enterprises", {**PLANT, "contact": "CO-1"})
    await enter(li, "units", {**UNIT, "contact": "CO-1"})
    await enter(li, "surroundings", {**AROUND, "contact": "CO-1"})
    await enter(li, "documents", {**DOCUMENT, "sort": "contract", "party": "CO-1"})
    story = (await li.get(f"{AT}/contacts/{contact['id']}")).json()
    assert sorted(one["ledger"] for one in story["referring"]) == ["documents", "enterprises", "surroundings", "units"]
    found = (await li.get(f"{AT}/contacts", params={"state": "medical"})).json()["records"]
    assert [one["code"] for one in found] == ["CO-1"], "the list is filtered by what it is to the site"
    assert [one["code"] for one in (await li.get(f"{AT}/contacts", params={"q": "医院"})).json()["records"]] == ["CO-1"]


async def test_more_persons_around_than_the_dossier_counts_stand_on_the_worksheet(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(li, "surroundings", {**AROUND, "persons": 90})
    sheet = "/api/v1/register/worksheet"
    before = (await li.get(sheet, params={"code": "TK-1"})).json()["findings"]
    assert "surroundings" not in {one["what"] for one in before}
    await enter(li, "surroundings", {**AROUND, "code": "SU-2", "name": "学校 school", "sort": "school", "persons": 31})
    await enter(li, "surroundings", {**AROUND, "code": "SU-3", "distance_m": 501, "persons": 9_000})
    told = [
        one
        for one in (await li.get(sheet, params={"code": "TK-1"})).json()["findings"]
        if one["what"] == "surroundings"
    ]
    assert len(told) == 1
    assert "121" in told[0]["said"]["zh"]
    assert "120" in told[0]["said"]["en"]
