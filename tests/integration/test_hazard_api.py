"""Hidden hazards over the API: opened by rules, listed under supervision, come again, counted; authorities are told."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from alerting.model.disposal import Cause
from alerting.model.hazard_policy import HazardPolicy, Opening
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.config import Destination
from gateway.register.opening import look
from gateway.store import schema
from tests.integration.test_register_api import AT, HAZARD, PLAN, PLANT, UNIT, Desk

S, H = 1_000_000_000, 3_600_000_000_000
DAY = 24 * H
FIGURES = "/api/v1/register/hazards/figures"
LISTING = {"listing": "city", "listing_by": "市应急局", "listed_on": "2026-01-01", "listing_due": "2026-06-30"}
RED = Opening(id="red", tiers={Tier.RED}, after_s=600)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def ring(desk: Desk, name: str, *, key: str = "k1", tier: Tier = Tier.RED, state: str = "UNACK", **more: str) -> None:
    """Let an alarm ring: its row, its event, and the notice that the district got."""
    now_ns = desk.clock.wall_ns()
    about = {"nature": "actual", "tag": "TK-1.level", "unit": "U-1", "rule_group": "high", "condition": "HH"}
    with desk.engine.begin() as connection:
        connection.execute(
            insert(schema.event).values(
                id=f"e-{name}", what="raised", time_ns=now_ns, received_ns=now_ns, alarm=name, alarm_key=key,
                tier=int(tier), state=state, suppression="none", is_late=False, cause="{}", **about,
            )
        )  # fmt: skip
        connection.execute(schema.alarm.delete().where(schema.alarm.c.key == key))
        row = {
            "key": key, "id": name, "state": state, "tier": int(tier), "tier_max": int(tier), "rule": "r",
            "onset_ns": now_ns, "raised_ns": now_ns, "changed_ns": now_ns, "ordinal": 1, "acked_by": "", "acked_ns": 0,
            "comment": "", "suppression": "none", "suppressed_until_ns": 0, "suppressed_by": "",
            "suppression_reason": "",
        }  # fmt: skip
        connection.execute(insert(schema.alarm).values(**about | row | more))
        connection.execute(
            insert(schema.outbox).values(
                key=f"n-{name}", destination="district", chain=name, event=f"e-{name}", nature="actual", action="alert",
                tier=int(tier), is_late=False, created_ns=now_ns, body="{}", state="delivered", attempts=1, next_ns=0,
                last_error="", delivered_ns=now_ns, receipt="",
            )
        )  # fmt: skip


def open_by(desk: Desk, *openings: Opening) -> int:
    desk.house.site = replace(
        desk.house.site, hazards=HazardPolicy(openings=openings), destinations=(Destination(id="district", url="x"),)
    )
    with desk.engine.begin() as connection:
        return look(connection, desk.house.site, desk.clock.wall_ns())


def hazards(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        rows = connection.execute(select(schema.record.c.body).where(schema.record.c.ledger == "hidden_hazards"))
        return [json.loads(row.body) for row in rows]


def told(desk: Desk) -> list[tuple[str, str]]:
    with desk.engine.connect() as connection:
        bodies = [json.loads(body) for body in connection.scalars(select(schema.outbox.c.body))]
    return [(one["event"]["what"], one["hazard"]["state"]) for one in bodies if one.get("subject") == "hidden_hazard"]


async def act(who: httpx.AsyncClient, at: str, name: str, **values: object) -> httpx.Response:
    revision = (await who.get(at)).json()["record"]["revision"]
    return await who.post(f"{at}/act", json={"act": name, "values": values, "revision": revision})


async def test_a_standing_alarm_opens_one_hidden_hazard_and_never_a_second(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    for ledger, values in (("enterprises", PLANT), ("units", UNIT)):
        await li.post(f"{AT}/{ledger}", json={"values": values})
    ring(desk, "a1")
    assert open_by(desk, RED) == 0, "it has not stood for ten minutes"
    desk.clock.advance_ns(600 * S)
    assert [open_by(desk, RED), open_by(desk, RED)] == [1, 0]
    (one,) = hazards(desk)
    kept = {name: one[name] for name in ("code", "source", "found_by", "alarm", "dossier", "unit", "state", "found_on")}
    assert kept == {
        "code": "HH-20260101-a1", "source": "alarm", "found_by": "rule:red", "alarm": "a1", "dossier": "TK-1",
        "unit": "U-1", "state": "registered", "found_on": "2026-01-01",
    }  # fmt: skip
    with desk.engine.connect() as connection:
        acts = [(row.who, row.action) for row in connection.execute(select(schema.act))]
    assert acts == [("rule:red", "hazard_opened")]

    ring(desk, "a2")  # The same limit rings anew while the first hidden hazard is open.
    desk.clock.advance_ns(H)
    assert open_by(desk, RED) == 0
    found = (await li.get(f"{AT}/hidden_hazards")).json()["records"][0]
    at = f"{AT}/hidden_hazards/{found['id']}"
    for who, name, values in (
        (li, "class", {"class": "general"}), (li, "plan", PLAN), (op, "rectify", {"done": "x"}),
        (li, "accept", {"acceptance": "good"}),
    ):  # fmt: skip
        assert (await act(who, at, name, **values)).status_code == 200
    assert told(desk) == [("made", "registered"), ("class", "classed"), ("accept", "closed")]
    assert open_by(desk, RED) == 1, "the first is closed, and this alarm stands"
    assert open_by(desk, RED) == 0
    repeat = (await li.get(f"{AT}/hidden_hazards", params={"state": "open"})).json()["records"][0]["repeat"]
    assert repeat == {"id": found["id"], "code": "HH-20260101-a1", "days": 0, "times": 1}


async def test_what_is_quiet_lighter_elsewhere_of_an_exercise_or_by_hand_opens_none(desk: Desk) -> None:
    li = await desk.come("li")
    ring(desk, "b1", key="k1", tier=Tier.ORANGE)
    ring(desk, "b2", key="k2", state="RTN_UNACK")
    ring(desk, "b3", key="k3", suppression="by_design")
    ring(desk, "b4", key="k4", nature=Nature.EXERCISE.value)
    ring(desk, "b5", key="k5", unit="U-2")
    ring(desk, "b6", key="k6", condition="H")
    ring(desk, "b7", key="k7")
    by_hand = {**HAZARD, "dossier": "", "alarm": "b7", "source": "alarm"}
    assert (await li.post(f"{AT}/hidden_hazards", json={"values": by_hand})).status_code == 200
    desk.clock.advance_ns(H)
    assert open_by(desk, replace(RED, units={"U-1"}, conditions={"HH", "STALE"})) == 0
    made = (await li.get(f"{AT}/hidden_hazards")).json()["records"][0]
    await li.post(f"{AT}/hidden_hazards/{made['id']}/remove", json={"revision": 1, "reason": "a slip"})
    assert open_by(desk, replace(RED, units={"U-1"}, conditions={"HH"})) == 0, "once for an alarm, also once removed"
    assert open_by(desk, RED) == 2, "b5 and b6"
    ring(desk, "b8", key="k8", rule_group="stale", condition="lost")
    desk.clock.advance_ns(H)
    assert open_by(desk, replace(RED, conditions={"STALE"})) == 1


async def test_a_disposal_that_says_what_it_was_opens_one(desk: Desk) -> None:
    real = Opening(id="real", tiers={Tier.RED}, causes={Cause.REAL, Cause.INSTRUMENT}, type="instrument")
    now_ns = desk.clock.wall_ns()
    for number, (name, cause) in enumerate([("d1", "false"), ("d2", "instrument"), ("d3", "real")]):
        ring(desk, name, key=name, state="NORMAL", tier=Tier.NONE)
        with desk.engine.begin() as connection:
            connection.execute(
                insert(schema.disposal).values(
                    alarm=name, key=name, nature="actual", unit="U-1", tag="TK-1.level", condition="HH", state="done",
                    tier=int(Tier.RED), opened_ns=now_ns, due_ns=now_ns, done_ns=now_ns - (number == 2) * 2 * DAY,
                )
            )  # fmt: skip
            connection.execute(
                insert(schema.disposal_entry).values(
                    alarm=name, number=1, who="op", time_ns=now_ns, cause=cause, finding="x", measures="y"
                )
            )
    assert open_by(desk, real) == 1, "d1 was false, d3 was disposed of before yesterday"
    assert [(one["alarm"], one["type"]) for one in hazards(desk)] == [("d2", "instrument")]
    with desk.engine.begin() as connection:  # A second opinion.
        connection.execute(
            update(schema.disposal_entry).where(schema.disposal_entry.c.alarm == "d1").values(cause="real")
        )
    assert open_by(desk, real) == 1


async def test_a_listing_is_of_a_major_one_bounds_its_plan_and_ends_with_the_acceptance(desk: Desk) -> None:
    li, op, wang = await desk.come("li"), await desk.come("op"), await desk.come("wang")
    made = await li.post(f"{AT}/hidden_hazards", json={"values": {**HAZARD, "dossier": ""}})
    at = f"{AT}/hidden_hazards/{made.json()['record']['id']}"
    await act(li, at, "class", **{"class": "general"})
    refused = await act(li, at, "list", **LISTING)
    assert "major" in refused.json()["error"]["message"]
    await act(li, at, "class", **{"class": "major", "criterion": "12"})
    early = await act(li, at, "list", **{**LISTING, "listed_on": "2025-12-01"})
    over = await act(li, at, "list", **{**LISTING, "listed_on": "2025-12-31", "listing_due": "2025-12-31"})
    assert (early.status_code, over.status_code) == (422, 422)
    assert (await act(op, at, "list", **LISTING)).status_code == 403
    listed = await act(li, at, "list", **LISTING)
    kept = listed.json()["record"]["values"]
    assert (kept["state"], kept["listing"], kept["listed_by"]) == ("classed", "city", "li")
    with desk.engine.connect() as connection:
        duties = {row.kind: row.day for row in connection.execute(select(schema.duty)) if row.state == "open"}
    assert duties == {"hidden_hazards.listing_due": "2026-06-30"}

    late = await act(li, at, "plan", **{**PLAN, "deadline": "2026-07-01"})
    assert "listed" in late.json()["error"]["message"]
    assert (await act(li, at, "plan", **PLAN)).status_code == 200
    assert (await act(li, at, "extend_list", listing_due="2026-06-01", listing_number="7")).status_code == 422
    assert (await act(li, at, "extend_list", listing_due="2026-08-01", listing_number="7")).status_code == 200
    same = await act(li, at, "extend_list", listing_due="2026-09-01", listing_number="7")
    assert (same.status_code, same.json()["error"]["details"]["wrongs"][0]["field"]) == (422, "listing_number")
    figures = (await li.get(FIGURES)).json()
    assert (figures["listed"], figures["open_major"]) == ({"city": 1}, 1)
    await act(op, at, "rectify", done="x")
    closed = (await act(wang, at, "accept", acceptance="good")).json()["record"]["values"]
    assert (closed["state"], closed["delisted_on"]) == ("closed", "2026-01-01")
    assert (await li.get(FIGURES)).json()["listed"] == {}
    with desk.engine.connect() as connection:
        assert {row.state for row in connection.execute(select(schema.duty))} == {"done", "moved"}


async def test_the_same_cause_in_the_same_unit_within_the_days_is_a_repeat(desk: Desk) -> None:
    li = await desk.come("li")
    same = {"unit": "U-1", "type": "instrument", "cause_class": "management", "dossier": ""}
    rows = [
        ("R1", "2025-09-01", {}), ("R2", "2025-11-30", {}), ("R3", "2025-11-30", {}),
        ("R4", "2025-12-01", {"type": "fire"}), ("R5", "2025-12-01", {"cause_class": ""}), ("R6", "2025-12-30", {}),
    ]  # fmt: skip
    for code, day, more in rows:
        values = {**HAZARD, **same, "code": code, "found_on": day, **more}
        assert (await li.post(f"{AT}/hidden_hazards", json={"values": values})).status_code == 200
    shown = (await li.get(f"{AT}/hidden_hazards")).json()["records"]
    repeats = {
        one["code"]: (one["repeat"]["code"], one["repeat"]["days"], one["repeat"]["times"])
        for one in shown
        if "repeat" in one
    }
    assert repeats == {"R2": ("R1", 90, 1), "R3": ("R2", 0, 2), "R6": ("R3", 30, 2)}
    desk.house.site = replace(desk.house.site, hazards=HazardPolicy(repeat_days=89))
    shown = (await li.get(f"{AT}/hidden_hazards")).json()["records"]
    assert [one["code"] for one in shown if "repeat" in one] == ["R3", "R6"]

    figures = (await li.get(FIGURES, params={"from": "2025-11-30", "to": "2025-12-30"})).json()
    assert (figures["found"], figures["repeated"], figures["closed"], figures["open"]) == (5, 2, 0, 6)
    assert figures["by"]["type"] == {"instrument": 4, "fire": 1}
    assert figures["by"]["cause_class"] == {"management": 4, "": 1}
    assert [one["before"]["code"] for one in figures["repeats"]] == ["R2", "R3"]
    assert figures["closed_of_found"] == 0
    assert figures["in_time"] is None
    for wrong in ({"from": "2025-12-02", "to": "2025-12-01"}, {"from": "2024-01-01", "to": "2025-12-01"}, {"to": "x"}):
        assert (await li.get(FIGURES, params=wrong)).status_code == 422
