"""Inspections that control measures make: they follow their measure, but what is due stays until it is checked."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from alerting.roster.plan import Calendar, RosterPlan
from edge.model import Nature
from gateway.duty.book import look
from gateway.store import schema
from tests.integration.test_inspection_api import act
from tests.integration.test_register_api import AT, INSPECTED, INSPECTION, PLANT, RISK_ROWS, UNIT, Desk, enter

DAY = 24 * 3_600_000_000_000
MEASURE: dict[str, Any] = {**RISK_ROWS["control_measures"], **INSPECTED}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    made.house.site = replace(made.house.site, roster=RosterPlan(calendar=Calendar(country="CN")))
    li = await made.come("li")
    rows = {"enterprises": PLANT, "units": UNIT, "risk_units": {**RISK_ROWS["risk_units"], "dossier": "TK-1"}}
    for ledger, values in {**rows, "risk_events": RISK_ROWS["risk_events"]}.items():
        await enter(li, ledger, values)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def noted(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        rows = connection.execute(select(schema.act).where(schema.act.c.action == "measure_tasks"))
        return [{"who": row.who, **json.loads(row.facts)} for row in rows]


async def tasks(who: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await who.get(f"{AT}/inspections")).json()["records"]
    return found


async def change(who: httpx.AsyncClient, record: dict[str, Any], **more: object) -> httpx.Response:
    at = f"{AT}/{record['ledger']}/{record['id']}"
    now = (await who.get(at)).json()["record"]
    said = {name: value for name, value in {**now["values"], **more}.items() if value != ""}
    return await who.post(at, json={"values": said, "revision": now["revision"], "reason": "reviewed"})


async def test_a_measure_with_a_cycle_makes_its_task_and_a_finding_refers_back(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    measure = await enter(li, "control_measures", MEASURE)
    (task,) = await tasks(op)
    assert task["values"] == {
        "code": "T-CM-1", "title": INSPECTED["measure"], "state": "open", "content": INSPECTED["check"],
        "sort": "daily", "dossier": "TK-1", "unit": "U-1", "measure": "CM-1", "of_measure": True, "responsible": "op",
        "first_due": "2026-01-01", "every": 1, "cycle": "days", "due": "2026-01-01",
    }  # fmt: skip
    assert task["changed_by"] == "li"
    with desk.engine.begin() as connection:
        look(connection, desk.house.site, Nature.ACTUAL, desk.clock.wall_ns())
        (duty,) = connection.execute(select(schema.duty).where(schema.duty.c.kind == "inspections.due"))
    assert (duty.code, duty.holder, duty.day) == ("T-CM-1", "op", "2026-01-01")

    answer = (await act(op, task, "found", hazard="crack", place="north", finding="2 mm")).json()
    hazard = answer["opened"][1]["values"]
    assert (hazard["measure"], hazard["dossier"], hazard["unit"]) == ("CM-1", "TK-1", "U-1")
    named = (await op.get(f"{AT}/control_measures/{measure['id']}")).json()["referring"]
    assert sorted(one["ledger"] for one in named) == ["hidden_hazards", "inspections"]
    (told,) = noted(desk)
    expected = {"codes": ["T-CM-1"], "made": 1, "changed": 0, "stopped": 0}
    assert told == {"who": "li", "reason": "first entry", **expected}


async def test_a_changed_measure_changes_what_comes_after_and_nothing_that_is_due(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    measure = await enter(li, "control_measures", MEASURE)
    assert (await change(li, measure, check="cracks and paint", liable="li", every=1, cycle="weeks")).status_code == 200
    (due,) = await tasks(op)
    assert (due["revision"], due["values"]["content"], due["values"]["responsible"]) == (1, INSPECTED["check"], "op")

    answer = (await act(op, due, "normal", place="x")).json()
    assert answer["opened"][0]["values"]["by"] == "op"
    (after,) = await tasks(op)
    said = [after["values"][name] for name in ("content", "responsible", "cycle", "due", "last_by")]
    assert said == ["cracks and paint", "li", "weeks", "2026-01-08", "op"]

    assert (await change(li, measure, cycle="days", every=2, on="workdays")).status_code == 200  # Not due: at once.
    (after,) = await tasks(op)
    assert after["values"]["due"] == "2026-01-05"  # The 3rd is of rest.
    history = (await op.get(f"{AT}/inspections/{after['id']}")).json()["revisions"]
    assert [(one["what"], one["who"]) for one in history][:2] == [("followed", "li"), ("followed", "op")]


async def test_a_withdrawn_measure_still_wants_what_is_due_and_no_more(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    measure = await enter(li, "control_measures", MEASURE)
    assert (await change(li, measure, withdrawn_on="2026-01-01")).status_code == 200
    (task,) = await tasks(op)
    assert (task["values"]["state"], task["values"]["due"]) == ("open", "2026-01-01")
    notice = (await op.get("/api/v1/register/risks/notice", params={"code": "RU-1"})).json()
    assert notice["events"][0]["measures"] == []
    assert (await act(op, task, "normal", place="x")).status_code == 200
    (task,) = await tasks(op)
    assert task["values"]["state"] == "stopped"
    with desk.engine.connect() as connection:
        states = connection.execute(select(schema.duty.c.state).where(schema.duty.c.kind == "inspections.due"))
        assert "open" not in set(states.scalars())

    desk.clock.advance_ns(10 * DAY)
    li, op = await desk.come("li"), await desk.come("op")
    assert (await change(li, measure, withdrawn_on="")).status_code == 200
    (task,) = await tasks(op)
    assert [task["values"].get(name) for name in ("state", "due", "missed")] == ["open", "2026-01-11", 0]


async def test_a_task_of_a_measure_is_changed_in_the_measure_alone(desk: Desk) -> None:
    li = await desk.come("li")
    measure = await enter(li, "control_measures", {**MEASURE, "first_due": "2026-02-01"})
    (task,) = await tasks(li)
    refused = await change(li, task, content="nothing much", every=9)
    assert refused.status_code == 422
    wrongs = refused.json()["error"]["details"]["wrongs"]
    assert {one["field"] for one in wrongs} == {"content", "every"}
    assert wrongs[0]["rule"]["zh"] == "该项随其来源记录变化，不能直接修改"
    assert {"content", "every", "responsible"} <= set(task["fixed"]), "the form does not offer them"
    assert not {"sort", "basis", "note"} & set(task["fixed"])
    ledgers = (await li.get("/api/v1/register/ledgers")).json()["ledgers"]
    (inspections,) = (one for one in ledgers if one["id"] == "inspections")
    unless = {one["id"] for one in inspections["acts"] if one["unless"] and task["values"][one["unless"]]}
    assert unless == {"stop", "resume"}, "nor the page these"
    assert (await change(li, task, sort="professional", basis="JSA 7")).status_code == 200
    stop = await act(li, task, "stop")
    assert (stop.status_code, stop.json()["error"]["details"]["wrongs"][0]["field"]) == (422, "state")
    at = f"{AT}/control_measures/{measure['id']}"
    gone = await li.post(f"{at}/remove", json={"revision": 1, "reason": "x"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "referred_to")
    assert (await change(li, measure, liable="wang")).status_code == 200
    (task,) = await tasks(li)
    said = [task["values"][name] for name in ("sort", "basis", "responsible", "due")]
    assert said == ["professional", "JSA 7", "wang", "2026-02-01"]


async def test_a_list_makes_them_whole_and_a_taken_code_gets_a_number(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "inspections", {**INSPECTION, "code": "T-CM-2"})
    names = list(MEASURE)
    first = {"CM-1": "2024-01-05", "CM-2": "2026-03-01", "CM-3": ""}
    rows = [
        {**MEASURE, "code": code, "first_due": day} | ({} if day else {"every": "", "cycle": ""})
        for code, day in first.items()
    ]
    lines = [",".join(names), *(",".join(f'"{row[name]}"' for name in names) for row in rows)]
    at = f"{AT}/control_measures"
    looked = (await li.post(f"{at}/look", params={"name": "m.csv"}, content="\n".join(lines).encode())).json()
    assert looked["mistakes"] == []
    taken = await li.post(f"{at}/take", json={"ticket": looked["ticket"], "reason": "JHA review"})
    assert taken.status_code == 200, taken.text
    found = {one["code"]: one["values"] for one in await tasks(li) if one["values"].get("of_measure")}
    assert {code: values["due"] for code, values in found.items()} == {"T-CM-1": "2026-01-01", "T-CM-2-2": "2026-03-01"}
    (told,) = noted(desk)
    assert (told["made"], told["codes"], told["reason"]) == (2, ["T-CM-1", "T-CM-2-2"], "JHA review")
