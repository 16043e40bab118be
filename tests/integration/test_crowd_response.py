"""Crowd response: forecast and advice from the picture, actions by tier, who may confirm, proof, public displays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select, update

from alerting.model.crowd_policy import CrowdAction, CrowdPolicy, CrowdResponse
from alerting.model.derivation import Derivation
from alerting.model.event import What
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from alerting.roster.plan import On, Post, RosterPlan, Shift
from edge.model import Nature, Tag, TagTable
from gateway.config import Destination
from gateway.live import Picture
from gateway.response.crowd_watch import CrowdWatch
from gateway.store import schema
from tests.integration.test_incidents_api import Tick, refused
from tests.integration.test_register_api import ZONE, Desk, desk, enter

__all__ = ["desk"]
DOOR = "/api/v1/response/crowd"
NS = 1_000_000_000
HOLD = CrowdAction(
    id="hold", measure="hold_gates", tier=Tier.YELLOW, title={"en": "Hold the gates", "zh": "暂停入口放行"}, text={}
)
SALES = CrowdAction(
    id="sales", measure="stop_sales", tier=Tier.ORANGE, title={"en": "Stop sales", "zh": "停止售票"}, text={},
    channel="tickets", is_automatic=True,
)  # fmt: skip
SAY = CrowdAction(
    id="say", measure="announce", tier=Tier.ORANGE, title={"en": "Announce", "zh": "广播"},
    text={"en": "Please use the ramp.", "zh": "请走坡道。"}, channel="tickets",
)  # fmt: skip


@pytest.fixture
async def crowded(desk: Desk) -> Desk:
    """A deck for 200 persons, counted by two gates, and a shop that is told."""
    names = ("Z.persons", "Z.in", "Z.out")
    tags = TagTable([Tag(name=name, source="gates", unit="U-1", eu="persons") for name in names])
    counted = Derivation(
        tag="Z.persons", kind="occupancy", inputs={"in": ("Z.in",), "out": ("Z.out",)},
        scales={"in": ((1.0, 0.0),), "out": ((1.0, 0.0),)}, words={"counting": "total"},
    )  # fmt: skip
    shop = Destination(id="tickets", url="https://tickets.example/a", secret="", natures=(Nature.ACTUAL,))
    response = CrowdResponse(zone="Z1", unit="U-1", density_most=4.0, actions=(HOLD, SALES, SAY))
    house = desk.house
    house.site = replace(
        house.site, tags=tags, derived=(counted,), channels=(shop,), crowd=CrowdPolicy(responses=(response,))
    )
    house.picture = Picture(house.site, desk.clock.wall_ns())
    house.crowd_watch = CrowdWatch(house.crowd_watch._means, house.picture)  # noqa: SLF001 - on the new tags
    house.picture.turn = 1
    await enter(await desk.come("li"), "crowd_zones", {**ZONE, "tag": "Z.persons"})
    return desk


async def look(desk: Desk, seconds: float, persons: Callable[[float], float], left: Callable[[float], float]) -> None:
    """Let time pass with a look each two seconds."""
    for at in range(int(seconds / 2)):
        desk.clock.advance_ns(2 * NS)
        now = 2.0 * (at + 1)
        desk.live("Z.persons", persons(now))
        desk.live("Z.out", 100 + left(now))
        desk.live("Z.in", 100 + persons(now) + left(now))
        await desk.house.crowd_watch.turn()


def tier(desk: Desk, to: Tier) -> None:
    desk.house.picture.tiers["U-1"] = to


def messages(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        return [orjson.loads(body) for body in connection.scalars(select(schema.outbox.c.body))]


async def states(client: httpx.AsyncClient) -> dict[str, str]:
    return {one["action"]: one["state"] for one in (await client.get(DOOR)).json()["actions"]}


async def decide(client: httpx.AsyncClient, number: int, what: str, **body: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post(f"{DOOR}/actions/{number}/{what}", json=body)


async def test_time_to_capacity_and_gate_advice_come_from_the_counts_and_end_with_them(crowded: Desk) -> None:
    op = await crowded.come("op")
    await look(crowded, 60, lambda s: 100 + s / 10, lambda s: s / 5)
    (zone,) = (await op.get(DOOR)).json()["zones"]
    assert zone["forecast"] is None, "a minute is not enough"
    assert zone["advice"]["is_outflow_known"] is False
    await look(crowded, 240, lambda s: 106 + s / 10, lambda s: 12 + s / 5)
    (zone,) = (await op.get(DOOR)).json()["zones"]
    assert [zone[name] for name in ("persons", "takes", "percent", "density", "level")] == [130, 200, 65, 0.07, "A"]
    told = zone["forecast"]
    assert (told["net"]["mean"], told["came"]["mean"], told["went"]["mean"]) == (6, 18, 12)
    assert told["likely_s"] == pytest.approx(700, rel=0.01)
    assert told["soonest_s"] < told["likely_s"] < (told["latest_s"] or 1e9)
    advice = zone["advice"]
    assert advice["let_in_min"] == int(told["went"]["low"] + 70 / 15)
    assert (advice["limit"], advice["room"], advice["is_outflow_known"]) == ("capacity", 70, True)

    crowded.clock.advance_ns(61 * NS)
    await crowded.house.crowd_watch.turn()
    (zone,) = (await op.get(DOOR)).json()["zones"]
    assert (zone["persons"], zone["forecast"], zone["advice"]) == (None, None, None), "an old count is no count"
    assert zone["known"] is not None


async def test_actions_are_offered_by_tier_confirmed_by_who_is_in_charge_and_proved(crowded: Desk) -> None:
    li, op = await crowded.come("li"), await crowded.come("op")
    Tick(crowded)(What.UNIT_RAISED, Tier.ORANGE)
    await look(crowded, 4, lambda _: 180, lambda _: 0)
    assert await states(op) == {}
    tier(crowded, Tier.YELLOW)
    await look(crowded, 6, lambda _: 180, lambda _: 0)
    assert await states(op) == {"hold": "offered"}, "once, and no more than its tier"
    tier(crowded, Tier.ORANGE)
    await look(crowded, 4, lambda _: 190, lambda _: 0)
    assert await states(op) == {"hold": "offered", "sales": "confirmed", "say": "offered"}
    (sold,) = messages(crowded)
    assert (sold["subject"], sold["do"], sold["by"], sold["action"]["measure"]) == (
        "crowd_action", "begin", "fengsui", "stop_sales",
    )  # fmt: skip
    assert sold["text"]["zh"] == "观景平台 deck：停止售票开始。"
    assert (sold["persons"], sold["takes"]) == (190, 200)

    assert refused(await decide(op, 9, "confirm"), 404, "not_there", "no crowd action 9")
    assert (await decide(op, 1, "decline")).status_code == 422, "why is said"
    assert (await decide(op, 1, "confirm")).status_code == 200, "nobody leads the shift"
    assert refused(await decide(li, 1, "confirm"), 409, "decided", "op decided")
    assert len(messages(crowded)) == 1, "people hold a gate; nobody is told by itself"
    say = {one["action"]: one for one in (await li.get(DOOR)).json()["actions"]}["say"]["number"]
    assert (await decide(li, say, "confirm", reason="stairs")).status_code == 200
    assert messages(crowded)[1]["action"]["text"]["zh"] == "请走坡道。"
    with crowded.engine.begin() as connection:
        receipt, now_ns = '{"status":200,"id":"R7"}', crowded.clock.wall_ns()
        delivered = update(schema.outbox).where(schema.outbox.c.seq == 2)
        connection.execute(delivered.values(state="delivered", delivered_ns=now_ns, receipt=receipt))
    proof = next(one for one in (await li.get(DOOR)).json()["actions"] if one["action"] == "say")["told"]
    assert (proof["state"], proof["status"], proof["receipt"], proof["channel"]) == ("delivered", 200, "R7", "tickets")

    tier(crowded, Tier.NONE)
    await look(crowded, 4, lambda _: 100, lambda _: 0)
    assert set((await states(op)).values()) == {"confirmed"}, "what a person began a person ends"
    assert (await decide(li, say, "end", reason="over")).status_code == 200
    assert refused(await decide(li, say, "end", reason="over"), 409, "not_on", "does not go on")
    assert [(one["action"]["id"], one["do"]) for one in messages(crowded)][-1] == ("say", "end")
    lines = [(one["what"], one["who"]) for one in (await li.get("/api/v1/response/incidents/1")).json()["timeline"]]
    assert [one for one in lines if one[0].startswith("crowd")] == [
        ("crowd_offered", "fengsui"), ("crowd_offered", "fengsui"), ("crowd_confirmed", "fengsui"),
        ("crowd_offered", "fengsui"), ("crowd_confirmed", "op"), ("crowd_confirmed", "li"), ("crowd_ended", "li"),
    ]  # fmt: skip
    did = [one["action"] for one in crowded.acts() if str(one["action"]).startswith("crowd_")]
    assert did == ["crowd_confirmed", "crowd_confirmed", "crowd_ended"]
    with crowded.engine.connect() as connection:
        by_itself = list(connection.scalars(select(schema.act.c.action).order_by(schema.act.c.seq)))
    assert by_itself == ["crowd_offered", "crowd_offered", "crowd_confirmed", "crowd_offered"]


async def test_what_nobody_decided_lapses_with_its_tier_and_comes_again_but_not_while_it_stands_declined(
    crowded: Desk,
) -> None:
    li = await crowded.come("li")
    tier(crowded, Tier.YELLOW)
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    crowded.house.picture.turn = 0
    tier(crowded, Tier.NONE)
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    assert await states(li) == {"hold": "offered"}, "nothing was judged yet: nothing lapses"
    crowded.house.picture.turn = 1
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    assert refused(await decide(li, 1, "confirm"), 409, "lapsed", "lapsed")
    tier(crowded, Tier.YELLOW)
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    assert (await decide(li, 2, "decline", reason="the ramp is open")).status_code == 200
    await look(crowded, 4, lambda _: 180, lambda _: 0)
    assert [one["state"] for one in (await li.get(DOOR)).json()["actions"]] == ["declined", "lapsed"]


async def test_whoever_acts_is_told_of_offer_begin_and_end_in_one_message_and_nobody_is_said(crowded: Desk) -> None:
    li = await crowded.come("li")
    Tick(crowded)(What.UNIT_RAISED, Tier.ORANGE)
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(
            Post(id="gate", title={"en": "Gate"}, shifts=("all",)),
            Post(id="lead", title={}, shifts=(), is_leader=True),
        ),
    )  # fmt: skip
    staff = Destination(id="staff", url="https://staff.example/a", secret="", natures=(Nature.ACTUAL,))
    one_way = replace(HOLD, id="one-way", measure="one_way", title={"en": "One way", "zh": "单向通行"}, who="post:gate")
    actions = (replace(HOLD, who="post:gate"), one_way, replace(HOLD, id="call"))
    response = replace(crowded.house.site.crowd.responses[0], actions=actions)
    crowded.house.site = replace(
        crowded.house.site, roster=roster, channels=(*crowded.house.site.channels, staff),
        crowd=CrowdPolicy(responses=(response,)), incident=IncidentPolicy(channel="staff"), page_url="https://fs.example",
    )  # fmt: skip
    on_duty = {
        "number": 1, "date": "2026-01-01", "shift": "all", "post": "gate", "person": "op", "substitute": "",
        "reason": "", "changed_by": "li", "changed_ns": 1,
    }  # fmt: skip
    Tick(crowded).write(lambda c: c.execute(schema.roster.insert().values(**on_duty)))
    tier(crowded, Tier.YELLOW)
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    (offer,) = messages(crowded)
    assert (offer["subject"], offer["do"], offer["to"]["person"]) == ("crowd_page", "offered", "op")
    assert [one["number"] for one in offer["actions"]] == [1, 2], "one message tells of both"
    assert offer["text"]["zh"] == (
        "客流措施待决定:观景平台 deck 暂停入口放行 (180/200 人),黄色预警;观景平台 deck 单向通行 (180/200 人),黄色预警。"
        "https://fs.example/#/response?view=crowd"
    )
    assert "is offered, decide: 观景平台 deck: Hold the gates (180/200 persons), YELLOW" in offer["text"]["en"]
    acts = {one["action"]: one for one in (await li.get(DOOR)).json()["actions"]}
    assert [(one["person"], one["notice"]["state"]) for one in acts["hold"]["paged"]] == [("op", "waiting")]
    assert [(one["person"], one["said"]) for one in acts["call"]["paged"]] == [("", "nobody")], "no leader is there"
    assert (await decide(li, 1, "confirm")).status_code == 200
    assert (await decide(li, 1, "end", reason="over")).status_code == 200
    assert [(one["do"], one["to"]["person"]) for one in messages(crowded)] == [
        ("offered", "op"), ("begin", "op"), ("end", "op"),
    ]  # fmt: skip
    timeline = (await li.get("/api/v1/response/incidents/1")).json()["timeline"]
    told = [
        (one["what"], one["facts"]["persons"], one["facts"]["said"]) for one in timeline if "target" in one["facts"]
    ]
    assert told == [
        ("crowd_offered", ["op"], "told"), ("crowd_offered", ["op"], "told"), ("crowd_offered", [], "nobody"),
        ("crowd_confirmed", ["op"], "told"), ("crowd_ended", ["op"], "told"),
    ]  # fmt: skip


async def test_who_does_not_lead_the_shift_decides_nothing_while_somebody_does(crowded: Desk) -> None:
    op = await crowded.come("op")
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(Post(id="room", title={"en": "Control room"}, shifts=("all",), is_leader=True),),
    )
    crowded.house.site = replace(crowded.house.site, roster=roster)
    Tick(crowded).write(
        lambda c: c.execute(
            schema.roster.insert().values(
                number=1, date="2026-01-01", shift="all", post="room", person="wang", substitute="", reason="",
                changed_by="li", changed_ns=1,
            )
        )
    )  # fmt: skip
    tier(crowded, Tier.YELLOW)
    await look(crowded, 2, lambda _: 180, lambda _: 0)
    assert refused(await decide(op, 1, "confirm"), 403, "not_yours", "leads the shift decides that (wang)")
    assert (await decide(await crowded.come("wang"), 1, "confirm")).status_code == 200


async def test_a_public_display_shows_counts_by_its_link_alone_and_never_normal_without_data(crowded: Desk) -> None:
    li, op = await crowded.come("li"), await crowded.come("op")
    at = f"{DOOR}/displays"
    assert (await op.post(at, json={"title": "x", "zones": ["Z1"]})).status_code == 403
    wrong = await li.post(at, json={"title": "x", "zones": ["Z9"]})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "unknown_zone")
    made = (await li.post(at, json={"title": "South gate", "zones": ["Z1"]})).json()
    with crowded.engine.connect() as connection:
        kept = connection.execute(select(schema.public_display)).mappings().one()
    assert made["token"] not in str(dict(kept))
    assert all(made["token"] not in str(act) for act in crowded.acts())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(crowded.app), base_url="http://gateway") as anybody:

        async def show(token: str) -> httpx.Response:
            return await anybody.get("/api/v1/display", headers={"authorization": f"Bearer {token}"})

        assert refused(await show(made["token"] + "x"), 401, "no_display", "shows nothing")
        assert (await anybody.get(DOOR, headers={"authorization": f"Bearer {made['token']}"})).status_code == 401
        (zone,) = (await show(made["token"])).json()["zones"]
        assert (zone["state"], zone["tier"], zone["persons"]) == ("unknown", "NONE", None)
        await look(crowded, 4, lambda _: 120, lambda _: 0)
        (zone,) = (await show(made["token"])).json()["zones"]
        assert (zone["state"], zone["persons"], zone["takes"], zone["percent"]) == ("open", 120, 200, 60)
        tier(crowded, Tier.YELLOW)
        await look(crowded, 4, lambda _: 200, lambda _: 0)
        await decide(op, 1, "confirm")
        told = (await show(made["token"])).json()
        assert (told["zones"][0]["state"], told["zones"][0]["let_in_min"]) == ("full", 0)
        assert [one["title"]["zh"] for one in told["zones"][0]["actions"]] == ["暂停入口放行"]
        await look(crowded, 4, lambda _: 120, lambda _: 0)
        (held,) = (await show(made["token"])).json()["zones"]
        assert (held["state"], held["let_in_min"]) == ("busy", 0), "the gates are held: nobody is told to enter"
        assert not {"unit", "zone", "tag", "by"} & told["zones"][0].keys()
        crowded.clock.advance_ns(61 * NS)
        (zone,) = (await show(made["token"])).json()["zones"]
        assert (zone["state"], zone["tier"], zone["persons"]) == ("unknown", "NONE", None), "not the last one it had"

        (one,) = (await li.get(at)).json()["displays"]
        assert (one["title"], one["made_by"]) == ("South gate", "li")
        assert (await li.post(f"{at}/{one['id']}/end")).status_code == 200
        assert (await show(made["token"])).status_code == 401
        assert refused(await li.post(f"{at}/{one['id']}/end"), 404, "not_there", "no such display")
