"""Resources: nearest and free, reserved by one incident alone, used up, given back at stand-down."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import select

from gateway.duty.book import look as look_at_duties
from gateway.response.situation import situation
from gateway.store import schema
from gateway.system import main_nature
from tests.integration.test_incidents_api import DOOR, MINUTE, lead, refused
from tests.integration.test_register_api import AT, EMERGENCY, PLANT, RESOURCE, UNIT, Desk, desk, enter

__all__ = ["desk"]
LIST = "/api/v1/response/resources"
FOAM: dict[str, Any] = {
    "code": "M-1", "name": "泡沫液 foam", "sort": "material", "person": "库管员", "phone": "0512-60000002",
    "stock": 500, "stock_eu": "kg", "minimum": 400, "counted_on": "2025-12-30", "expires_on": "2026-01-20",
    "responsible": "op", "position": "120.02 30",
}  # fmt: skip


async def open_two(li: httpx.AsyncClient) -> None:
    """Open incidents 1 and 2 of a unit that lies at 120 E 30 N."""
    for ledger, values in (("enterprises", PLANT), ("units", {**UNIT, "position": "120 30"}), ("plans", EMERGENCY)):
        await enter(li, ledger, values)
    for plan in ("EP-1", "EP-2"):
        if plan == "EP-2":
            await enter(li, "plans", {**EMERGENCY, "code": "EP-2", "accident": "09", "unit": "U-1"})
        asked = {"unit": "U-1", "title": plan, "reason": "patrol", "plan": plan}
        answer = await li.post(DOOR, json=asked)
        assert answer.status_code == 200, answer.text


async def take(who: httpx.AsyncClient, number: int, resource: str, quantity: float | None = None) -> httpx.Response:
    return await who.post(f"{DOOR}/{number}/resources", json={"resource": resource, "quantity": quantity})


async def act(who: httpx.AsyncClient, number: int, hold: str, what: str, **more: float) -> httpx.Response:
    return await who.post(f"{DOOR}/{number}/resources/{hold}/{what}", json=more or None)


async def seen(who: httpx.AsyncClient, code: str) -> dict[str, Any]:
    rows = (await who.get(LIST, params={"unit": "U-1"})).json()["resources"]
    return next(one for one in rows if one["code"] == code)


async def test_the_nearest_that_is_free_comes_first_by_the_length_of_the_geodesic(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await open_two(li)
    await enter(li, "resources", {**RESOURCE, "code": "T-far", "position": "120.1 30"})
    await enter(li, "resources", {**RESOURCE, "code": "T-near", "position": "120.01 30"})
    # One place, as a map in GCJ-02 has it and as PyPI prcoords gives it back: a kilometre apart as numbers.
    await enter(
        li, "resources", {**RESOURCE, "code": "H-gcj", "sort": "hospital", "position": "GCJ-02 121.4737 31.2304"}
    )
    await enter(
        li, "resources", {**RESOURCE, "code": "H-wgs", "sort": "hospital", "position": "121.4691623 31.2323292"}
    )
    await enter(li, "resources", {**RESOURCE, "code": "T-where", "position": ""})
    away = await enter(li, "resources", {**RESOURCE, "code": "T-away", "position": "120.0001 30"})
    done = {"act": "away", "values": {}, "revision": 1, "reason": "exercise"}
    assert (await op.post(f"{AT}/resources/{away['id']}/act", json=done)).status_code == 403
    assert (await li.post(f"{AT}/resources/{away['id']}/act", json=done)).status_code == 200
    await enter(li, "resources", {**RESOURCE, "code": "T-old", "position": "120.0001 30", "expires_on": "2025-12-31"})

    told = (await op.get(LIST, params={"unit": "U-1", "sort": "team"})).json()
    assert (told["position"], told["is_whole"]) == ([120.0, 30.0], True)
    assert [one["code"] for one in told["resources"]] == ["T-near", "T-far", "T-where", "T-away", "T-old"]
    near, far, where, gone, old = told["resources"]
    assert (near["distance_m"], far["distance_m"], where["distance_m"]) == (964.9, 9648.6, None)
    one, other = (await op.get(LIST, params={"unit": "U-1", "sort": "hospital"})).json()["resources"]
    assert abs(one["distance_m"] - other["distance_m"]) < 1
    assert (old["is_expired"], old["is_free"], gone["is_free"], gone["state"]) == (True, False, False, "away")
    assert refused(await take(op, 1, "T-old"), 409, "expired", "was usable until 2025-12-31")
    assert (await seen(op, "T-old"))["state"] == "available"
    record = (await op.get(f"{AT}/resources/{old['id']}")).json()["record"]
    rows = (await op.get(f"{AT}/resources")).json()["records"]
    assert (record["is_expired"], [one["code"] for one in rows if one["is_expired"]]) == (True, ["T-old"])
    fresh = {**RESOURCE, "code": "T-old", "position": "120.0001 30", "expires_on": "2026-01-01"}
    renewed = await li.post(f"{AT}/resources/{old['id']}", json={"values": fresh, "revision": 1, "reason": "checked"})
    assert renewed.status_code == 200, renewed.text
    assert (await take(op, 1, "T-old")).status_code == 200, "its last day is a day on which it is usable"
    assert (await op.get(LIST, params={"unit": "U-1", "sort": "material"})).json()["resources"] == []
    assert (await op.get(LIST, params={"unit": "U-9"})).status_code == 404
    assert (await op.get(LIST, params={"sort": "ship"})).status_code == 422


async def test_of_two_who_reserve_one_team_at_once_one_wins_and_the_other_is_told_by_whom(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await open_two(li)
    team = await enter(li, "resources", RESOURCE)
    answers = await asyncio.gather(take(li, 1, "T-1"), take(op, 2, "T-1"))
    assert sorted(one.status_code for one in answers) == [200, 409]
    won = 1 if answers[0].status_code == 200 else 2
    lost = next(one for one in answers if one.status_code == 409)
    assert refused(lost, 409, "taken", f"for incident {won} already, by {'li' if won == 1 else 'op'}")
    (hold,) = next(one for one in answers if one.status_code == 200).json()["resources"]
    assert (hold["code"], hold["state"], hold["quantity"]) == ("T-1", "held", None)
    assert ((await seen(li, "T-1"))["state"], (await seen(li, "T-1"))["incident"]) == ("reserved", won)
    removed = await li.post(f"{AT}/resources/{team['id']}/remove", json={"revision": 2, "reason": "x"})
    assert (removed.status_code, removed.json()["error"]["code"]) == (409, "tied")
    other = 3 - won
    assert refused(await act(op, other, hold["id"], "release"), 404, "not_there", "has not reserved it")
    assert refused(await act(op, won, hold["id"], "use", quantity=1), 409, "amount", "Only a material")
    assert refused(await take(li, won, "T-9"), 404, "not_there", "no resource T-9")
    assert (await act(op, won, hold["id"], "release")).status_code == 200
    assert refused(await act(op, won, hold["id"], "release"), 409, "done_already", "op gave it back")
    assert refused(await take(li, other, "T-1", 3), 409, "amount", "as a whole")
    assert (await take(li, other, "T-1")).status_code == 200
    history = (await li.get(f"{AT}/resources/{team['id']}")).json()["revisions"]
    assert [one["what"] for one in history] == ["reserved", "released", "reserved", "made"]
    acts = [one["action"] for one in desk.acts() if str(one.get("action", "")).startswith("resource_")]
    assert acts == ["resource_reserved", "resource_released", "resource_reserved"]


async def test_a_material_goes_down_as_it_is_used_never_below_zero_and_comes_back_at_stand_down(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await open_two(li)
    foam = await enter(li, "resources", FOAM)
    await enter(li, "resources", RESOURCE)
    assert refused(await take(op, 1, "M-1"), 409, "amount", "how much, in kg")
    for wrong in (0, -5, 1e10):
        assert (await take(op, 1, "M-1", wrong)).status_code == 422
    assert (await take(op, 1, "M-1", 300)).status_code == 200
    assert (await take(op, 2, "M-1", 150)).status_code == 200
    assert refused(await take(op, 2, "M-1", 50.5), 409, "taken", "50 kg of")
    assert (await take(op, 1, "T-1")).status_code == 200
    story = (await op.get(f"{DOOR}/1")).json()
    hold = next(one["id"] for one in story["resources"] if one["code"] == "M-1")
    assert refused(await act(op, 1, hold, "use", quantity=300.5), 409, "amount", "300 kg of it")
    story = (await act(op, 1, hold, "use", quantity=120.25)).json()
    kept = next(one for one in story["resources"] if one["code"] == "M-1")
    assert (kept["used"], kept["left"], kept["state"]) == (120.25, 179.75, "held")
    row = await seen(op, "M-1")
    assert (row["stock"], row["free"], row["is_short"]) == (379.75, 50, True)

    at = f"{AT}/resources/{foam['id']}"
    now = (await li.get(at)).json()["record"]
    assert (now["values"]["counted_on"], now["values"]["restock_by"]) == ("2026-01-01", "2026-01-08")
    less = await li.post(at, json={"values": {**FOAM, "stock": 300}, "revision": now["revision"], "reason": "count"})
    assert (less.status_code, less.json()["error"]["details"]["wrongs"][0]["field"]) == (422, "stock")

    with desk.engine.connect() as connection:
        site, now_ns = desk.house.site, desk.clock.wall_ns()
        text = str(situation(connection, site, desk.house.picture, 1, now_ns, "en").blocks)
    assert "('M-1', '泡沫液 foam', '300 kg', '120.25 kg', 'reserved'" in text
    assert "'resource used up', '泡沫液 foam; 120.25 kg'" in text
    desk.clock.advance_ns(MINUTE)
    revision = (await li.get(f"{DOOR}/1")).json()["revision"]
    assert (await lead(li, 1, "stand-down", revision)).status_code == 200
    story = (await op.get(f"{DOOR}/1")).json()
    assert {(one["code"], one["state"]) for one in story["resources"]} == {("M-1", "released"), ("T-1", "released")}
    assert [one["facts"].get("amount") for one in story["timeline"] if one["what"] == "released"] == ["179.75 kg", None]
    row = await seen(op, "M-1")
    assert (row["stock"], row["free"]) == (379.75, 229.75), "150 kg are those of incident 2"
    assert (await seen(op, "T-1"))["is_free"]
    assert refused(await take(op, 1, "T-1"), 409, "ended", "stood down by li")
    assert refused(await act(op, 1, hold, "use", quantity=1), 409, "ended", "stood down by li")

    hold = (await op.get(f"{DOOR}/2")).json()["resources"][0]["id"]
    story = (await act(op, 2, hold, "use", quantity=150)).json()
    assert [one["state"] for one in story["resources"]] == ["used"]
    assert refused(await act(op, 2, hold, "release"), 409, "done_already", "used up, says op")
    page = (await li.get(f"{DOOR}/1/after-action", params={"form": "html", "lang": "zh"})).text
    assert "<td>泡沫液 foam</td><td>300 kg</td><td>120.25 kg</td><td>已归还</td>" in page


async def test_what_is_merged_away_is_given_back_with_the_incident_that_it_went_on_in(desk: Desk) -> None:
    li = await desk.come("li")
    await open_two(li)
    await enter(li, "resources", RESOURCE)
    assert (await take(li, 1, "T-1")).status_code == 200
    assert (await lead(li, 1, "merge", (await li.get(f"{DOOR}/1")).json()["revision"], into=2)).status_code == 200
    story = (await li.get(f"{DOOR}/2")).json()
    assert [(one["code"], one["incident"]) for one in story["resources"]] == [("T-1", 1)]
    assert refused(await take(li, 1, "T-1"), 409, "merged", "merged into 2")
    assert (await lead(li, 2, "stand-down", story["revision"])).status_code == 200
    assert (await seen(li, "T-1"))["state"] == "available"


async def test_stock_below_its_minimum_and_an_end_are_duties_that_end_when_it_is_filled_up(desk: Desk) -> None:
    li = await desk.come("li")
    made = await enter(li, "resources", {**FOAM, "stock": 399.5})
    assert await duties(li) == {("resources.restock_by", "2026-01-06"), ("resources.expires_on", "2026-01-20")}
    desk.clock.advance_ns(24 * 60 * MINUTE * 6)
    nature = main_nature(desk.house.site)
    with desk.engine.begin() as connection:
        look_at_duties(connection, desk.house.site, nature, desk.clock.wall_ns())
    with desk.engine.connect() as connection:
        steps = connection.execute(select(schema.duty_step.c.what, schema.duty_step.c.person).distinct())
        assert ("warning", "op") in [tuple(row) for row in steps]
    li = await desk.come("li")  # Sessions end meanwhile.
    full = {**FOAM, "stock": 400, "expires_on": "2028-01-20"}
    answer = await li.post(
        f"{AT}/resources/{made['id']}", json={"values": full, "revision": 1, "reason": "filled up"}
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert await duties(li) == {("resources.expires_on", "2028-01-20")}


async def duties(client: httpx.AsyncClient) -> set[tuple[str, str]]:
    told = (await client.get("/api/v1/duties", params={"state": "open"})).json()["duties"]
    return {(one["kind"], one["day"]) for one in told}
