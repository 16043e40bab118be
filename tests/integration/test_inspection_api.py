"""Inspections over the API: checks move them on, what is found is a hidden hazard, what is missed is counted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from alerting.register.cycle import after
from alerting.register.field import Surroundings, Words, Wrong
from alerting.register.ledger import do
from alerting.register.ledgers import LEDGERS
from alerting.register.ledgers.inspections import INSPECTIONS
from alerting.roster.plan import Calendar, RosterPlan
from edge.model import Nature
from gateway.duty.book import look
from gateway.store import schema
from tests.integration.test_register_api import AT, INSPECTION, PLANT, UNIT, Desk

H = 3_600_000_000_000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    made.house.site = replace(made.house.site, roster=RosterPlan(calendar=Calendar(country="CN")))
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def make(who: httpx.AsyncClient, **more: object) -> dict[str, Any]:
    answer = await who.post(f"{AT}/inspections", json={"values": {**INSPECTION, **more}})
    assert answer.status_code == 200, answer.text
    return answer.json()["record"]  # type: ignore[no-any-return] - JSON


async def act(who: httpx.AsyncClient, record: dict[str, Any], name: str, **values: object) -> httpx.Response:
    at = f"{AT}/inspections/{record['id']}"
    now = (await who.get(at)).json()["record"]
    return await who.post(f"{at}/act", json={"act": name, "values": values, "revision": now["revision"]})


async def test_what_a_check_finds_is_a_hidden_hazard_that_names_it(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    for ledger, values in (("enterprises", PLANT), ("units", UNIT)):
        await li.post(f"{AT}/{ledger}", json={"values": values})
    inspection = await make(li, dossier="TK-1", unit="U-1")
    answer = (await act(op, inspection, "found", hazard="seal leaks", place="north", finding="drops")).json()

    check, hazard = answer["opened"]
    assert (check["ledger"], check["code"]) == ("checks", "I1-20260101")
    assert check["values"] == {
        "code": "I1-20260101", "inspection": "I1", "on": "2026-01-01", "by": "op", "result": "hazard", "place": "north",
        "finding": "drops", "missed": 0,
    }  # fmt: skip
    assert hazard["values"] == {
        "code": "HH-I1-20260101", "title": "seal leaks", "description": "drops", "state": "registered",
        "source": "patrol", "found_on": "2026-01-01", "found_by": "op", "dossier": "TK-1", "unit": "U-1",
        "check": "I1-20260101",
    }  # fmt: skip
    assert answer["record"]["values"]["due"] == "2026-01-02"
    named = (await op.get(f"{AT}/checks/{check['id']}")).json()["referring"]
    assert [one["code"] for one in named] == ["HH-I1-20260101"]
    assert [one["action"] for one in desk.acts()][-1] == "record_acted"


async def test_several_checks_of_a_day_have_codes_of_their_own(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    inspection = await make(li)
    codes = [(await act(op, inspection, "normal", place="x")).json()["opened"][0]["code"] for _ in range(3)]
    assert codes == ["I1-20260101", "I1-20260101-2", "I1-20260101-3"]


async def test_what_was_missed_is_counted_and_not_made_up_for(desk: Desk) -> None:
    inspection = await make(await desk.come("li"))
    desk.clock.advance_ns(4 * 24 * H)
    answer = (await act(await desk.come("op"), inspection, "normal", place="x")).json()
    assert answer["record"]["values"]["due"] == "2026-01-06"
    assert (answer["record"]["values"]["missed"], answer["opened"][0]["values"]["missed"]) == (4, 4)


async def test_days_follow_the_calendar_of_the_site(desk: Desk) -> None:
    """1 to 3 January 2026 are of rest; Sunday the 4th is worked instead."""
    li = await desk.come("li")
    for on, due in (("workdays", "2026-01-04"), ("restdays", "2026-01-02"), ("all", "2026-01-02")):
        one = await make(li, code=f"I-{on}", on=on)
        answer = (await act(li, one, "normal", place="x")).json()
        assert answer["record"]["values"]["due"] == due, on


async def test_who_may_not_and_what_is_missing_is_refused_and_nothing_is_half_done(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    inspection = await make(li)
    assert (await act(op, inspection, "normal")).status_code == 422
    assert (await act(op, inspection, "found", place="x")).status_code == 422
    assert (await act(op, inspection, "skip", finding="storm")).status_code == 403
    skipped = (await act(li, inspection, "skip", finding="storm")).json()
    assert skipped["opened"][0]["values"]["result"] == "not_checked"
    assert (await act(li, inspection, "stop")).json()["record"]["values"]["state"] == "stopped"
    assert (await act(op, inspection, "normal", place="x")).status_code == 422
    with desk.engine.connect() as connection:
        ledgers = [row.ledger for row in connection.execute(select(schema.record.c.ledger))]
    assert sorted(ledgers) == ["checks", "inspections"]


async def test_what_would_be_wrong_in_the_hazard_refuses_the_check(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    li = await desk.come("li")
    inspection = await make(li)

    def refuse(_: object, __: object) -> list[Wrong]:
        return [Wrong(field="title", rule=Words("no", "否"), remedy=Words("no", "否"))]

    wrong = replace(LEDGERS["hidden_hazards"], check=refuse)
    monkeypatch.setitem(LEDGERS, "hidden_hazards", wrong)
    assert (await act(li, inspection, "found", hazard="x", place="x")).status_code == 422
    assert (await li.get(f"{AT}/checks")).json()["records"] == []
    now = (await li.get(f"{AT}/inspections/{inspection['id']}")).json()["record"]
    assert (now["revision"], now["values"]["due"]) == (1, "2026-01-01")


async def test_an_inspection_that_nobody_does_is_supervised_and_a_check_ends_it(desk: Desk) -> None:
    inspection = await make(await desk.come("li"), every=7)

    def take(hours: float) -> list[str]:
        desk.clock.advance_ns(round(hours * H))
        with desk.engine.begin() as connection:
            look(connection, desk.house.site, Nature.ACTUAL, desk.clock.wall_ns())
            rows = connection.execute(select(schema.duty).where(schema.duty.c.state == "open"))
            return [f"{row.kind} {row.day} {row.step}" for row in rows]

    # Due on a day of rest; the grace ends with Sunday the 4th, which is worked.
    assert take(0) == ["inspections.due 2026-01-01 prompt"]
    assert take(24) == ["inspections.due 2026-01-01 warning"]
    assert take(24 * 3) == ["inspections.due 2026-01-01 supervision"]
    await act(await desk.come("op"), inspection, "normal", place="x")
    assert take(0) == ["inspections.due 2026-01-08 "]


def test_a_stopped_one_that_goes_on_has_missed_nothing() -> None:
    had = {"state": "stopped", "first_due": "2026-01-01", "due": "2026-01-02", "every": 1, "cycle": "days"}
    resume = INSPECTIONS.act("resume")
    assert resume is not None
    row = do(INSPECTIONS, resume, {**had, "code": "I"}, {}, Surroundings(today=date(2026, 3, 1)))
    assert (row.values["due"], row.values.get("missed"), row.opened) == ("2026-03-02", None, ())


def test_a_cycle_of_months_keeps_its_day() -> None:
    days = after(date(2026, 1, 31), 1, "months", date(2026, 1, 31))
    assert [next(days).isoformat() for _ in range(3)] == ["2026-02-28", "2026-03-31", "2026-04-30"]
    far = after(date(2020, 1, 31), 3, "weeks", date(2026, 1, 1))
    assert next(far) == date(2026, 1, 2)
