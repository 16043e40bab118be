"""Large events over the API: filing, refusals, what replaces what by the site's clock, busy zones that nobody filed."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from sqlalchemy import select

from alerting.escalation.plan import Plan, Step
from alerting.model.crowd_policy import BUSY_BY, CrowdPolicy, CrowdShare
from alerting.model.tier import Tier
from alerting.roster.plan import Post, RosterPlan, Shift
from gateway.means import Means
from gateway.register.busy import BusyZones
from gateway.register.event_turns import EventTurns
from gateway.register.events import notes_for
from gateway.register.minutes import minute
from gateway.store import schema
from tests.integration.test_register_api import AT, ZONE, Desk, enter, refused, sheet_of

ROSTER_ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 3600 * 10**9
#: It is 08:00 of 2026-01-01 in Shanghai.
EVENT: dict[str, Any] = {
    "code": "EV-1", "name": "元宵灯会 Lantern festival", "organiser": "文旅公司", "contact": "周安全", "zones": "Z1",
    "from": "2026-01-01 10:00", "until": "2026-01-01 12:00", "approved": 500, "document": "公安批字 12 号",
    "roster": "festival", "escalation": "crowd",
}  # fmt: skip
ROSTER = RosterPlan(
    shifts=(Shift(id="day", title={}, from_s=0, to_s=24 * 3600),),
    posts=(
        Post(id="board", title={}, shifts=("day",)),
        Post(id="stage", title={}, shifts=("day",), roster="festival", instead_of="board"),
    ),
)
LADDER = Plan(
    id="crowd", tiers=(Tier.RED,), is_for_events=True, steps=(Step(to="leader", channel="sms", wait_s=60),)
)  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    crowd = CrowdPolicy(is_watched=True, busy_pct=80, busy_s=600, shares=(CrowdShare(zone="Z1", unit="U-1"),))
    made.house.site = replace(made.house.site, roster=ROSTER, escalations=(LADDER,), crowd=crowd)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def means_of(desk: Desk) -> Means:
    house = desk.house
    return Means(
        site=lambda: house.site, clock=house.clock, meter=house.meter, read=house.read, write=house.write,
        wake_push=lambda: None,
    )  # fmt: skip


def busy_of(desk: Desk) -> BusyZones:
    return BusyZones(means_of(desk), desk.house.picture)


def noted(desk: Desk) -> list[tuple[str, str, str]]:
    """Give who began or ended, and by what, as the audit chain will have it."""
    with desk.engine.connect() as connection:
        rows = connection.execute(select(schema.act).order_by(schema.act.c.seq)).all()
    facts = [(row.who, row.action, orjson.loads(row.facts)) for row in rows]
    return [(who, action, said.get("because", "")) for who, action, said in facts if action.startswith("large_event")]


async def act(who: httpx.AsyncClient, which: str, name: str, **values: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    at = f"{AT}/large_events/{which}"
    now = (await who.get(at)).json()["record"]
    said = {"act": name, "values": values, "revision": now["revision"], "reason": "x"}
    return await who.post(f"{at}/act", json=said)


async def zone_now(who: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await who.get("/api/v1/register/capacity")).json()["zones"][0]
    return told


async def test_while_a_filed_event_runs_it_replaces_the_capacity_of_its_zones_and_then_no_more(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    made = await enter(li, "large_events", EVENT)
    desk.live("TK-1.mass", 300)
    zones = busy_of(desk)
    await zones.turn()
    assert zones.shares() == {"crowd.Z1": 150.0}
    assert (await act(op, made["id"], "file", filing_number="X")).status_code == 403
    assert await refused(await act(li, made["id"], "file")) == ["filing_number"]
    assert (await act(li, made["id"], "file", filing_number="沪公治 7 号")).status_code == 200
    desk.clock.advance_ns(2 * HOUR - 1)
    assert (await zone_now(op))["in_force"] == 200, "one nanosecond before it begins"
    desk.clock.advance_ns(1)
    zone = await zone_now(op)
    assert (zone["at_once"], zone["in_force"], zone["share_pct"], zone["findings"]) == (200, 500, 60.0, [])
    assert zone["event"]["said"]["zh"] == (
        "元宵灯会 Lantern festival（备案号 沪公治 7 号）：现行承载量 500 人，取代核定的 200 人，至 2026-01-01 12:00"
    )
    await zones.turn()
    assert zones.shares() == {"crowd.Z1": 60.0}
    (shown,) = (await op.get("/api/v1/register/events")).json()["events"]
    assert (shown["stand"], shown["zones"][0]["takes"], shown["roster"]) == ("running", 500, "festival")
    desk.clock.advance_ns(2 * HOUR)
    assert (await zone_now(op))["in_force"] == 200, "it is over by itself"
    assert zones.shares() == {"crowd.Z1": 150.0}, "at once, without another look at the store"
    told = (await op.get("/api/v1/register/events")).json()
    assert (told["events"][0]["stand"], "end it" in told["findings"][0]["en"]) == ("over", True)
    assert (await act(li, made["id"], "close", finding="quiet", peak=480)).status_code == 200
    assert (await op.get("/api/v1/register/events")).json()["events"] == []
    noon = desk.clock.wall_ns() - HOUR
    for tag in ("TK-1.mass", "fengsui.crowd.Z1"):
        (note,) = await desk.house.read(partial(notes_for, tag=tag, at_ns=noon, zone=ROSTER_ZONE))
        assert "500 persons instead of 200" in note["en"], "why an alarm of that hour rang is told for ever"
    assert await desk.house.read(lambda c: notes_for(c, "TK-1.mass", noon + 2 * HOUR, ROSTER_ZONE)) == []


async def test_an_event_that_is_ended_early_or_not_filed_replaces_nothing(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", ZONE)
    made = await enter(li, "large_events", EVENT)
    desk.clock.advance_ns(2 * HOUR)
    li = await desk.come("li")
    assert (await zone_now(li))["in_force"] == 200
    told = (await li.get("/api/v1/register/events")).json()
    assert ["is not filed" in one["en"] for one in told["findings"]] == [True, False], told["findings"]
    assert "names no unit" in told["findings"][1]["en"]
    assert (await act(li, made["id"], "file", filing_number="7")).status_code == 200
    assert (await zone_now(li))["in_force"] == 500, "from the filing on"
    desk.clock.advance_ns(HOUR)
    assert (await act(li, made["id"], "cancel", finding="rain")).status_code == 200
    assert (await zone_now(li))["in_force"] == 200
    again = await enter(li, "large_events", {**EVENT, "code": "EV-2", "until": "2026-01-01 10:59"})
    assert await refused(await act(li, again["id"], "file", filing_number="8")) == ["until"]


@pytest.mark.parametrize(
    ("wrong", "field", "part"),
    [
        ({"until": "2026-01-01 10:00"}, "until", "end before it began"),
        ({"document": ""}, "approved", "more persons than its zones take (200)"),
        ({"zones": "Z1; Z8"}, "zones", "no such record"),
        ({"zones": ";"}, "zones", "no such record"),
        ({"roster": "carnival"}, "roster", "no such roster"),
        ({"escalation": "all"}, "escalation", "no such escalation"),
        ({"code": "EV-2", "from": "2026-01-01 11:59", "until": "2026-01-01 13:00"}, "zones", "Z1: EV-1"),
        ({"filing_number": "7"}, "filing_number", "filled in by an act"),
    ],
)
async def test_what_does_not_fit_is_refused(desk: Desk, wrong: dict[str, Any], field: str, part: str) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", ZONE)
    if "EV-2" in wrong.values():
        await enter(li, "large_events", EVENT)
    answer = await li.post(f"{AT}/large_events", json={"values": {**EVENT, **wrong}, "reason": "x"})
    assert await refused(answer) == [field]
    (one,) = answer.json()["error"]["details"]["wrongs"]
    assert part in one["rule"]["en"]
    assert one["rule"]["zh"]
    assert one["remedy"]["zh"]


async def test_an_event_is_given_another_code_and_is_not_beside_itself(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    made = await enter(li, "large_events", EVENT)

    said = {"values": {**EVENT, "code": "EV-9"}, "revision": made["revision"], "reason": "as filed"}
    changed = await li.post(f"{AT}/large_events/{made['id']}", json=said)

    assert changed.status_code == 200, changed.text
    assert changed.json()["record"]["code"] == "EV-9"


async def test_two_of_one_sheet_in_one_zone_at_one_time_are_refused_and_zones_of_events_stay(desk: Desk) -> None:
    li = await desk.come("li")
    zone = await enter(li, "crowd_zones", ZONE)
    await enter(li, "crowd_zones", {**ZONE, "code": "Z2"})
    ledger = next(
        one for one in (await li.get("/api/v1/register/ledgers")).json()["ledgers"] if one["id"] == "large_events"
    )
    names = [one["name"] for one in ledger["fields"] if one["name"] in EVENT]
    head = [next(one for one in ledger["fields"] if one["name"] == name)["title"]["zh"] for name in names]
    head[names.index("approved")] += " (persons)"
    rows = [{**EVENT, "zones": "Z1；Z2"}, {**EVENT, "code": "EV-2", "zones": "Z2", "from": "2026-01-01 11:00"}]
    book = sheet_of([head, *([row[name] for name in names] for row in rows)])
    looked = await li.post(f"{AT}/large_events/look", params={"name": "e.xlsx"}, content=book)
    assert looked.status_code == 200, looked.text
    assert sorted({one["row"] for one in looked.json()["mistakes"]}) == [2, 3]
    book = sheet_of([head, [rows[0][name] for name in names]])
    looked = await li.post(f"{AT}/large_events/look", params={"name": "e.xlsx"}, content=book)
    ticket = looked.json()["ticket"]
    assert (await li.post(f"{AT}/large_events/take", json={"ticket": ticket, "reason": "list"})).status_code == 200
    kept = (await li.get(f"{AT}/large_events")).json()["records"][0]["values"]
    assert kept["zones"] == "Z1; Z2"
    gone = await li.post(f"{AT}/crowd_zones/{zone['id']}/remove", json={"revision": 1, "reason": "x"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "referred_to")


async def test_a_busy_zone_with_no_filed_event_is_one_hidden_hazard_a_day(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    zones = busy_of(desk)
    assert math.isnan(zones.shares()["crowd.Z1"]), "nobody has looked yet"
    desk.live("TK-1.mass", 159)
    assert await zones.turn() == 0
    desk.clock.advance_ns(HOUR)
    desk.live("TK-1.mass", 160)
    assert await zones.turn() == 0, "busy since now"
    desk.clock.advance_ns(600 * 10**9 - 1)
    assert await zones.turn() == 0
    desk.clock.advance_ns(1)
    assert [await zones.turn() for _ in range(3)] == [1, 0, 0]
    (one,) = (await (await desk.come("li")).get(f"{AT}/hidden_hazards")).json()["records"]
    values = one["values"]
    assert (values["code"], values["source"], values["found_by"]) == ("HZ-Z1-20260101", "self", BUSY_BY)
    assert (values["unit"], values["state"]) == ("U-1", "registered")
    assert "160 persons, 80 % of 200" in values["description"]
    desk.clock.advance_ns(24 * HOUR)
    assert await zones.turn() == 0, "yesterday's is open"
    with desk.engine.connect() as connection:
        rows = connection.execute(select(schema.record.c.code).where(schema.record.c.ledger == "hidden_hazards"))
        assert len(rows.all()) == 1
    desk.house.picture.quality[desk.house.site.tags.row_of["TK-1.mass"]] = 0x80
    assert math.isnan(zones.shares()["crowd.Z1"])


async def test_while_the_head_count_is_not_known_a_busy_zone_counts_no_time(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    zones, row = busy_of(desk), desk.house.site.tags.row_of["TK-1.mass"]
    desk.live("TK-1.mass", 180)
    assert await zones.turn() == 0
    desk.clock.advance_ns(300 * 10**9)
    assert await zones.turn() == 0
    desk.house.picture.quality[row] = 0x80
    for _ in range(2):
        desk.clock.advance_ns(HOUR)
        assert await zones.turn() == 0, "nobody knows whether anybody is there"
    desk.live("TK-1.mass", 180)
    assert await zones.turn() == 0, "five minutes of ten"
    desk.clock.advance_ns(300 * 10**9 - 1)
    assert await zones.turn() == 0
    desk.clock.advance_ns(1)
    assert await zones.turn() == 1


async def test_that_an_event_begins_and_ends_is_written_once_each_over_a_restart(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    one = await enter(li, "large_events", EVENT)
    two = await enter(
        li, "large_events", {**EVENT, "code": "EV-2", "from": "2026-01-01 13:00", "until": "2026-01-01 15:00"}
    )
    for which in (one, two):
        assert (await act(li, which["id"], "file", filing_number="7")).status_code == 200
    log = EventTurns(means_of(desk))
    desk.clock.advance_ns(2 * HOUR - 1)
    assert await log.turn() == 0
    desk.clock.advance_ns(1)
    assert [await log.turn() for _ in range(2)] == [1, 0]
    log = EventTurns(means_of(desk))
    assert await log.turn() == 0, "a second life begins nothing again"
    desk.clock.advance_ns(3 * HOUR)
    assert [await log.turn() for _ in range(2)] == [2, 0], "the look was late: one is over, the other has begun"
    li = await desk.come("li")
    assert (await act(li, two["id"], "cancel", finding="rain")).status_code == 200
    assert await log.turn() == 1
    assert noted(desk) == [
        ("event:EV-1", "large_event_began", ""), ("event:EV-2", "large_event_began", ""),
        ("event:EV-1", "large_event_ended", "time"), ("event:EV-2", "large_event_ended", "cancelled"),
    ]  # fmt: skip


async def test_a_zone_that_is_busy_by_its_event_is_no_finding(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "crowd_zones", {**ZONE, "unit": "U-1"})
    made = await enter(li, "large_events", EVENT)
    assert (await act(li, made["id"], "file", filing_number="7")).status_code == 200
    zones = busy_of(desk)
    desk.live("TK-1.mass", 490)
    desk.clock.advance_ns(2 * HOUR)
    assert await zones.turn() == 0
    desk.clock.advance_ns(HOUR)
    assert await zones.turn() == 0, "98 % of what was approved"
    desk.clock.advance_ns(HOUR)
    assert await zones.turn() == 0, "the event has just ended"
    desk.clock.advance_ns(600 * 10**9)
    assert await zones.turn() == 1, "and the people have not gone"


def test_a_minute_is_that_of_the_site() -> None:
    assert minute(1_767_225_599 * 10**9, ROSTER_ZONE) == "2026-01-01T07:59"
