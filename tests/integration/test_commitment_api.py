"""The daily safety commitment: filled in, held against tickets and alarms, signed, told, and a duty until it is."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from alerting.duty.kind import Step
from alerting.model.alarm import Alarm, State
from alerting.model.commitment_policy import CommitmentPolicy
from alerting.model.tier import Tier
from alerting.register.commitment import contradictions
from alerting.roster.plan import Calendar, RosterPlan
from edge.model import Nature
from gateway.config import Destination, Site
from gateway.duty.book import look
from gateway.store import schema
from tests.integration.test_register_api import AT, COMMITMENT, HAZARD, PLANT, TICKET, Desk

S, H = 1_000_000_000, 3_600_000_000_000
TODAY = "/api/v1/register/commitment"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    made.house.site = replace(made.house.site, destinations=(Destination(id="district", url="x"),))
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def begun(li: httpx.AsyncClient, **more: object) -> str:
    """Fill in today's commitment as it is proposed; give its place."""
    proposed = (await li.get(TODAY)).json()["proposed"]
    values = {**COMMITMENT, **proposed, **more}
    made = await li.post(f"{AT}/commitments", json={"values": values})
    assert made.status_code == 200, made.text
    return f"{AT}/commitments/{made.json()['record']['id']}"


async def act(who: httpx.AsyncClient, at: str, name: str, **values: object) -> httpx.Response:
    revision = (await who.get(at)).json()["record"]["revision"]
    return await who.post(f"{at}/act", json={"act": name, "values": values, "revision": revision})


def told(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        return [
            json.loads(body) for body in connection.scalars(select(schema.outbox.c.body).order_by(schema.outbox.c.seq))
        ]


async def test_it_is_filled_in_from_register_and_plant_signed_and_told(desk: Desk) -> None:
    li = await desk.come("li")
    await li.post(f"{AT}/enterprises", json={"values": {**PLANT, "head": "王总", "duty_phone": "0512-60000000"}})
    await li.post(f"{AT}/tickets", json={"values": TICKET})
    eve = "2025-12-30"
    over = {"from": f"{eve} 08:00", "until": f"{eve} 10:00", "begun_at": f"{eve} 08:00", "gas_at": f"{eve} 07:50"}
    for code, more in (
        ("W2", {"kind": "height", "level": "", "until": "2026-01-03 08:00"}), ("W3", {"stage": "cancelled"}),
        ("W4", {**over, "stage": "closed", "ended_at": f"{eve} 10:00"}), ("W5", {"stage": "applied"}),
        ("W7", {**over, "kind": "soil", "level": ""}),  # It goes on beyond its ticket.
    ):  # fmt: skip
        made = await li.post(f"{AT}/tickets", json={"values": {**TICKET, "code": code, **more}})
        assert made.status_code == 200, made.text
    await li.post(f"{AT}/hidden_hazards", json={"values": {**HAZARD, "dossier": ""}})
    alarm = Alarm(
        key="k",
        id="a",
        nature=Nature.ACTUAL,
        tag="TK-1.level",
        unit="U-1",
        group="high",
        tier=Tier.RED,
        state=State.UNACK,
    )
    desk.house.picture.alarms["k"] = alarm

    now = (await li.get(TODAY)).json()
    found = {name: count for name, count in now["found"].items() if count}
    assert found == {"hot_first": 1, "height": 1, "soil": 1, "alarms_red": 1, "hazards_open": 1}
    assert (now["record"], now["day"], now["proposed"]["head"]) == (None, "2026-01-01", "王总")
    at = await begun(li)
    signed = (await act(li, at, "sign")).json()["record"]["values"]
    assert (signed["state"], signed["signed_by"], signed["signed_at"]) == ("signed", "li", "2026-01-01T08:00")
    assert "differs" not in signed
    (notice,) = told(desk)
    assert (notice["subject"], notice["action"], notice["commitment"]["hot_first"]) == ("commitment", "update", 1)
    assert (await li.get(TODAY)).json()["told"][0]["state"] == "waiting"
    refused = await li.post(at, json={"values": {**signed, "height": 0}, "revision": 2, "reason": "x"})
    assert refused.status_code in (409, 422), "what is signed is not changed"

    await li.post(f"{AT}/tickets", json={"values": {**TICKET, "code": "W6"}})
    said = (await li.get(TODAY)).json()["contradictions"]
    assert [one["en"] for one in said] == ["hot work, first class: 1 stated, 2 found"], "seen after the signing too"
    assert (await act(li, at, "redo")).status_code == 200
    assert [one["action"] for one in told(desk)] == ["update", "cancel"]
    assert "signed_by" not in (await li.get(at)).json()["record"]["values"]


async def test_a_contradiction_asks_for_a_reason_and_stays_written(desk: Desk) -> None:
    li = await desk.come("li")
    await li.post(f"{AT}/tickets", json={"values": TICKET})
    at = await begun(li, hot_first=0)
    refused = await act(li, at, "sign")
    assert refused.status_code == 422
    assert "1 found" in refused.json()["error"]["message"]
    assert told(desk) == []
    signed = (await act(li, at, "sign", reason="work was put off")).json()["record"]["values"]
    assert signed["differs"] == "一级动火：承诺 0，系统 1 / hot work, first class: 0 stated, 1 found"
    assert signed["reason"] == "work was put off"
    acts = [one for one in desk.acts() if one["action"] == "record_acted"]
    assert [(one["ledger"], one["act"]) for one in acts] == [("commitments", "sign")]


async def test_who_is_not_named_another_day_and_a_second_one_are_refused(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    desk.house.site = replace(desk.house.site, commitment=CommitmentPolicy(signers=frozenset({"wang"})))
    at = await begun(li)
    assert (await act(op, at, "sign")).status_code == 403
    refused = await act(li, at, "sign")
    assert "wang" in refused.json()["error"]["message"]
    again = await li.post(f"{AT}/commitments", json={"values": COMMITMENT})
    other = await li.post(f"{AT}/commitments", json={"values": {**COMMITMENT, "code": "SC-2"}})
    assert (again.status_code, other.status_code) == (409, 422)
    old = {**COMMITMENT, "code": "SC-20251231", "day": "2025-12-31"}
    made = (await li.post(f"{AT}/commitments", json={"values": old})).json()["record"]
    wang = await desk.come("wang")
    late = await act(wang, f"{AT}/commitments/{made['id']}", "sign")
    assert "not of today" in late.json()["error"]["message"]
    assert (await act(wang, at, "sign")).status_code == 200


def test_a_lighter_risk_than_found_contradicts_and_a_graver_one_does_not() -> None:
    found = {"risk_grade": 2, "hot_first": 1}
    assert [one.zh for one in contradictions({"risk_grade": "3", "hot_first": 1}, found)] == [
        "风险等级：承诺一般（黄），系统较大（橙）"
    ]
    assert contradictions({"risk_grade": "1", "hot_first": 1}, found) == []
    assert contradictions({"hot_first": 1}, found) == [], "nothing said of it"
    assert [one.en for one in contradictions({}, {"alarms_red": 2})] == ["active RED alarms: 0 stated, 2 found"]


def steps(desk: Desk, site: Site, *moments: str) -> list[tuple[str, str, list[str]]]:
    """Look at these moments; give code and state of each duty of the commitment, and the steps that were taken."""
    for moment in moments:
        at_ns = round(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * S
        with desk.engine.begin() as connection:
            look(connection, site, Nature.ACTUAL, at_ns)
    query = select(schema.duty).where(schema.duty.c.kind == "commitments.sign").order_by(schema.duty.c.opened_ns)
    taken: dict[str, list[str]] = {}
    with desk.engine.connect() as connection:
        for row in connection.execute(select(schema.duty_step).order_by(schema.duty_step.c.seq)):
            taken.setdefault(row.duty, []).append(row.what)
        return [(row.code, row.state, taken.get(row.id, [])) for row in connection.execute(query)]


async def test_it_is_a_duty_each_working_day_until_it_is_signed(desk: Desk) -> None:
    """1 to 3 January 2026 are of rest, Sunday the 4th is worked: prompt 08:00, warning 10:00, supervision 10:10."""
    plan = RosterPlan(calendar=Calendar(country="CN"))
    site = replace(desk.house.site, roster=plan, commitment=CommitmentPolicy(is_asked=True, on="workdays"))
    assert steps(desk, site, "2026-01-02 12:00") == []
    found = steps(desk, site, "2026-01-04 00:01", "2026-01-04 08:00", "2026-01-04 10:00", "2026-01-04 10:09")
    assert found == [("SC-20260104", "open", [Step.PROMPT, Step.WARNING])]
    assert steps(desk, site, "2026-01-04 10:10")[0][2][-1] == Step.SUPERVISION
    assert [one[:2] for one in steps(desk, site, "2026-01-05 00:01")] == [
        ("SC-20260104", "gone"),
        ("SC-20260105", "open"),
    ]

    desk.clock.advance_ns(4 * 24 * H)
    desk.house.site = site
    li = await desk.come("li")
    at = await begun(li)
    assert (await act(li, at, "sign")).status_code == 200
    assert [one[1] for one in steps(desk, site, "2026-01-05 09:00")] == ["gone", "done"]
    await act(li, at, "redo")
    assert [one[1] for one in steps(desk, site, "2026-01-05 09:10")] == ["gone", "done", "open"]
    off = replace(site, commitment=CommitmentPolicy())
    assert [one[1] for one in steps(desk, off, "2026-01-05 09:20")] == ["gone", "done", "gone"]
