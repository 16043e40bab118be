"""Roll-call: names from access data, roster and tickets apart, head counts beside them; heard of, missing, told."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import insert, select

from alerting.model.event import What
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.roll_call import AssemblyPoint, RollPolicy
from alerting.model.tier import Tier
from alerting.roster.plan import On, Post, RosterPlan, Shift
from edge.model import Nature
from gateway.config import Destination
from gateway.response.call_watch import CallWatch
from gateway.response.situation import situation
from gateway.store import schema
from tests.integration.test_incidents_api import DOOR, MINUTE, Tick, fill, lead, refused
from tests.integration.test_register_api import TICKET, ZONE, Desk, desk, enter

__all__ = ["desk"]
ACCESS = "/api/v1/response/access"
AT = "2026-01-01T00:00:00Z"
GATE = [
    {"card": "1", "name": "张三", "company": "Hai'an"},
    {"card": "2", "name": "Wang Er", "unit": "U-1", "since": "2025-12-31T22:00:00+00:00"},
    {"card": "3", "name": "李四", "unit": "U-9"},
]


@pytest.fixture
async def gated(desk: Desk) -> Desk:
    """A site with two assembly points, wang leading the shift, a counted crowd zone and one that nobody counts."""
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(Post(id="lead", title={}, shifts=("all",), is_leader=True), Post(id="room", title={}, shifts=())),
    )
    points = (
        AssemblyPoint(id="north", title={"en": "North gate", "zh": "北门"}, place=(120.0, 30.0)),
        AssemblyPoint(id="south", title={"en": "South gate", "zh": "南门"}, place=(120.0, 29.9)),
    )
    channel = Destination(id="calls", url="https://calls.example/a", secret="", natures=(Nature.ACTUAL,))
    desk.house.site = replace(
        desk.house.site, roster=roster, channels=(channel,), incident=IncidentPolicy(channel="calls"),
        roll_call=RollPolicy(points=points),
    )  # fmt: skip
    on_duty = {
        "number": 1, "date": "2026-01-01", "shift": "all", "post": "lead", "person": "wang", "substitute": "",
        "reason": "", "changed_by": "li", "changed_ns": 1,
    }  # fmt: skip
    Tick(desk).write(lambda c: c.execute(insert(schema.roster), [on_duty]))
    li = await desk.come("li")
    await fill(li)
    await enter(li, "crowd_zones", {**ZONE, "tag": "TK-1.mass"})
    Tick(desk)(What.UNIT_RAISED, Tier.ORANGE)
    return desk


async def put(client: httpx.AsyncClient, persons: list[dict[str, Any]], time: str = AT) -> httpx.Response:
    return await client.post(f"{ACCESS}/gates", json={"time": time, "persons": persons})


async def act(client: httpx.AsyncClient, what: str, **body: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post(f"{DOOR}/1/roll-call{what}", json=body)


async def seen(client: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"{DOOR}/1/roll-call")).json()
    return answer


def stands(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["source"], one["state"]) for one in told["roll"]["persons"]}


async def test_who_is_inside_stands_on_the_list_the_roster_and_counters_beside_it_and_nobody_is_lost(
    gated: Desk,
) -> None:
    li, op = await gated.come("li"), await gated.come("op")
    ticket = await enter(li, "tickets", {**TICKET, "stage": "working", "guardian": "wang er"})
    assert ticket["code"] == TICKET["code"]
    gated.live("TK-1.mass", 212.4)
    empty = await seen(op)
    assert (empty["roll"], empty["systems"], empty["heads"]["persons"]) == (None, [], 212)
    assert (await put(op, GATE)).json() == {"persons": 3, "left": 0, "came": 0}
    assert refused(await act(op, "", reason="gas"), 403, "not_yours", "commander")
    told = (await act(li, "", reason="gas")).json()
    assert refused(await act(li, "", reason="gas"), 409, "open_already", "end it first")
    assert stands(told) == {
        "张三": ("access", "missing"), "Wang Er": ("access", "missing"), "李四": ("access", "missing"),
        "wang": ("duty", "missing"),
    }, "the guardian of the ticket has the name of a card"  # fmt: skip
    assert told["roll"]["figures"] == {
        "inside": 3, "safe": 0, "help": 0, "left": 0, "missing": 3, "expected": 1, "unheard": 1,
    }  # fmt: skip
    assert [one["code"] for one in told["tickets"]] == [TICKET["code"]]
    gated.live("TK-1.mass", 40.0)
    now = await seen(op)
    assert (now["roll"]["heads"]["persons"], now["heads"]["persons"]) == (212, 40), "then, and now"

    places = {one["name"]: one["place"] for one in told["roll"]["persons"]}
    both = [places["张三"], places["wang"]]
    assert (await act(op, "/mark", places=both, state="safe", point="north")).status_code == 200
    assert (await act(op, "/mark", places=[places["Wang Er"]], state="help", note="leg")).status_code == 200
    assert (await act(op, "/add", name="访客甲", company="visitor", point="north")).status_code == 200
    assert (await act(op, "/count", point="north", persons=120)).status_code == 200
    told = (await act(op, "/count", point="north", persons=131, note="school")).json()
    assert told["roll"]["figures"] == {
        "inside": 5, "safe": 3, "help": 1, "left": 0, "missing": 1, "expected": 0, "unheard": 0,
    }  # fmt: skip
    assert [(one["name"], one["is_missing"]) for one in told["roll"]["persons"]][:2] == [
        ("Wang Er", False), ("李四", True),
    ], "who needs help stands first, then who is missing"  # fmt: skip
    assert [(one["point"], one["persons"], one["note"]) for one in told["roll"]["counts"]] == [("north", 131, "school")]

    gated.clock.advance_ns(MINUTE)
    later = "2026-01-01T00:00:30Z"
    assert (await put(op, [GATE[0], {"card": "4", "name": "赵六"}], later)).json() == {
        "persons": 2, "left": 1, "came": 1,
    }  # fmt: skip
    now = stands(await seen(op))
    assert (now["李四"], now["赵六"]) == (("access", "left"), ("access", "missing")), "who went in then is looked for"
    assert now["Wang Er"] == ("access", "help"), "who needs help has not left by a card"
    assert refused(await put(op, GATE, AT), 409, "older", "is there already")
    assert (await put(op, [GATE[2]], later)).json() == {"persons": 1, "left": 1, "came": 1}, "he came back"
    assert stands(await seen(op))["李四"] == ("access", "missing")

    sheet = await gated.house.read(
        lambda c: situation(c, gated.house.site, gated.house.picture, 1, gated.clock.wall_ns(), "zh")
    )
    (block,) = (one for one in sheet.blocks if one.heading == "人员清点")
    said = [row[1:3] for row in block.rows]
    assert ("计数在场人数", "212") in said
    assert ("北门", "131 人 school") in said
    assert ("Wang Er (门禁)", "需要帮助; leg") in said
    assert ("李四 (门禁)", "尚无消息") in said
    timeline = [(row[2], row[3]) for one in sheet.blocks if one.heading == "时间线" for row in one.rows]
    assert ("人员清点登记", "张三, wang; 平安; 北门") in timeline
    assert ("集合点清点人数", "school; 北门 131 人") in timeline

    assert (await act(li, "/end", reason="all found")).status_code == 200
    assert refused(await act(op, "/count", point="north", persons=1), 409, "not_on", "begin one")
    acts = [one["action"] for one in gated.acts() if str(one.get("action", "")).startswith("roll_")]
    assert acts == [
        "roll_begun",
        "roll_marked",
        "roll_marked",
        "roll_added",
        "roll_counted",
        "roll_counted",
        "roll_ended",
    ]


async def test_who_is_not_heard_of_in_time_is_told_to_who_leads_once(gated: Desk) -> None:
    li, op = await gated.come("li"), await gated.come("op")
    watch = CallWatch(gated.house.crowd_watch._means)  # noqa: SLF001 - the house's own
    await put(op, GATE)
    told = (await act(li, "", reason="gas", unit="U-1")).json()
    assert set(stands(told)) == {"张三", "Wang Er", "wang"}, "of the unit, and of whom nobody knows where"
    place = next(one["place"] for one in told["roll"]["persons"] if one["name"] == "张三")
    await act(op, "/mark", places=[place], state="safe")
    gated.clock.advance_ns(14 * MINUTE)
    await watch.turn()
    messages = select(schema.outbox.c.body)
    with gated.engine.connect() as connection:
        assert list(connection.scalars(messages)) == []
    gated.clock.advance_ns(2 * MINUTE)
    await watch.turn()
    await watch.turn()
    with gated.engine.connect() as connection:
        (body,) = [orjson.loads(one) for one in connection.scalars(messages)]
    assert (body["to"]["person"], body["missing"], body["names"]) == ("wang", 1, ["Wang Er"])
    assert body["text"]["zh"] == "1 号事件人员清点:1 人尚无消息:Wang Er。"
    last = (await li.get(f"{DOOR}/1")).json()["timeline"][-1]
    assert (last["what"], last["facts"]["names"], last["facts"]["persons"]) == ("roll_missing", ["Wang Er"], ["wang"])

    assert (await lead(li, 1, "stand-down", 2)).status_code == 200
    assert (await seen(li))["roll"]["ended_by"] == "li", "stand-down ends it"
    assert refused(await act(li, "", reason="again"), 409, "ended", "stood down")


async def test_wrong_lists_points_and_people_are_refused_and_a_point_in_a_zone_says_so(gated: Desk) -> None:
    li, op = await gated.come("li"), await gated.come("op")
    many = [
        {"card": str(at), "name": f"person {at}", "company": "a contractor of the turnaround"} for at in range(2_000)
    ]
    assert (await put(op, many, "2025-12-31T23:00:00Z")).json()["persons"] == 2_000, "more than a comment's 64 KiB"
    assert refused(await put(op, GATE, "2026-01-01T00:02:00Z"), 409, "future", "of the future")
    assert (await put(op, [*GATE, GATE[0]])).json()["error"]["code"] == "card_twice"
    assert (await put(op, [{"card": "1"}])).status_code == 422
    assert (await put(op, GATE, "2026-01-01T00:00:00")).status_code == 422, "a time has a zone"
    assert (await op.post(f"{ACCESS}/a b", json={"time": AT, "persons": []})).status_code == 422
    assert refused(await act(op, "/mark", places=[1], state="safe"), 409, "not_on", "begin one")
    assert (await act(li, "", reason="gas", unit="U-9")).status_code == 404
    assert (await act(li, "", reason="")).status_code == 422
    await put(op, GATE)
    assert (await act(li, "", reason="gas")).status_code == 200
    assert refused(await act(op, "/mark", places=[1, 99], state="safe"), 404, "not_there", "does not stand on")
    assert refused(await act(op, "/mark", places=[1], state="safe", point="east"), 404, "not_there", "point east")
    assert refused(await act(op, "/add", name="张 三"), 409, "there_already", "mark that line")
    for wrong in ({"places": [], "state": "safe"}, {"places": [1], "state": "gone"}):
        assert (await act(op, "/mark", **wrong)).status_code == 422
    assert (await act(op, "/add", name=" ")).status_code == 422
    assert (await act(op, "/count", point="north", persons=-1)).status_code == 422
    assert refused(await op.get(f"{DOOR}/9/roll-call"), 404, "not_there", "no incident 9")

    gated.clock.advance_ns(11 * MINUTE)
    ring = [[119.99, 29.99], [120.01, 29.99], [120.01, 30.01], [119.99, 30.01]]
    revision = {
        "number": 1, "incident": 1, "zone": "tank", "unit": "U-1", "nature": "actual", "time_ns": 1, "who": "li",
        "body": orjson.dumps({"levels": [{"name": "ERPG-2", "outline": ring}]}).decode(),
    }  # fmt: skip
    Tick(gated).write(lambda c: c.execute(insert(schema.zone_revision), [revision]))
    told = await seen(op)
    assert {one["id"]: one["inside"] for one in told["points"]} == {"north": ["tank ERPG-2"], "south": []}
    assert [(one["persons"], one["is_stale"]) for one in told["systems"]] == [(3, True)]
    assert (await op.get(ACCESS)).json()["heads"] == told["heads"]


async def test_a_merged_incident_takes_its_roll_call_along(gated: Desk) -> None:
    li, op = await gated.come("li"), await gated.come("op")
    await put(op, GATE)
    assert (await act(li, "", reason="gas")).status_code == 200
    assert (await act(op, "/count", point="south", persons=7)).status_code == 200
    Tick(gated).many(What.UNIT_RAISED, Tier.ORANGE, ["V-1"])
    assert (await lead(li, 1, "merge", 2, into=2)).status_code == 200
    there = (await li.get(f"{DOOR}/2/roll-call")).json()["roll"]
    assert (there["figures"]["missing"], there["counts"][0]["persons"], there["ended"]) == (3, 7, None)
    assert (await li.get(f"{DOOR}/1/roll-call")).json()["roll"] is None
