"""Call-out: posts are called in order with receipts, answers are kept, and who does not answer is followed."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import insert, select

from alerting.model.call_out import CallLine
from alerting.model.event import What
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from alerting.roster.plan import On, Post, RosterPlan, Shift
from edge.model import Nature
from gateway.config import Destination
from gateway.push.channel import Receipt
from gateway.push.outbox import look, put_receipt
from gateway.response.call_watch import CallWatch
from gateway.response.situation import situation
from gateway.store import schema
from tests.integration.test_incidents_api import DOOR, MINUTE, Tick, fill, lead, refused
from tests.integration.test_register_api import Desk, desk

__all__ = ["desk"]
FIRE = CallLine(
    id="fire", title={"en": "drive to the gate", "zh": "到大门集合"}, who="post:fire", answer_s=180,
    instead=("post:relief", "leader"),
)  # fmt: skip
MEDIC = CallLine(
    id="medic", title={"en": "stand by", "zh": "现场待命"}, who="person:wang", from_tier=Tier.RED, after_s=120
)
LEAK = CallLine(
    id="boss", title={"en": "lead", "zh": "指挥"}, who="person:li", from_tier=Tier.RED, from_grade=2, accidents=("26",)
)


@pytest.fixture
def calling(desk: Desk) -> Desk:
    """A site with a list, op at the fire post, nobody as relief, li leading the shift, and a channel."""
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(
            Post(id="fire", title={"en": "Fire post", "zh": "消防岗"}, shifts=("all",)),
            Post(id="relief", title={"en": "Relief"}, shifts=("all",)),
            Post(id="lead", title={"en": "Leader"}, shifts=("all",), is_leader=True),
            Post(id="room", title={"en": "Control room", "zh": "中控室"}, shifts=()),
        ),
    )
    channel = Destination(id="calls", url="https://calls.example/a", secret="", natures=(Nature.ACTUAL,))
    desk.house.site = replace(
        desk.house.site, roster=roster, channels=(channel,), call_out=(MEDIC, FIRE, LEAK),
        incident=IncidentPolicy(channel="calls"), page_url="https://fs.example",
    )  # fmt: skip
    rows = [
        {
            "number": at, "date": "2026-01-01", "shift": "all", "post": post, "person": person, "substitute": "",
            "reason": "", "changed_by": "li", "changed_ns": 1,
        }
        for at, (post, person) in enumerate((("fire", "op"), ("lead", "li")), start=1)
    ]  # fmt: skip
    Tick(desk).write(lambda c: c.execute(insert(schema.roster), rows))
    return desk


class Watch:
    """Looks as the gateway does, when told to."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.watch = desk, CallWatch(desk.house.crowd_watch._means)  # noqa: SLF001 - the house's own

    async def after(self, minutes: float) -> None:
        self.desk.clock.advance_ns(round(minutes * MINUTE))
        await self.watch.turn()


def messages(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        return [orjson.loads(body) for body in connection.scalars(select(schema.outbox.c.body))]


async def calls(client: httpx.AsyncClient, number: int = 1) -> dict[str, dict[str, Any]]:
    return {one["line"]: one for one in (await client.get(f"{DOOR}/{number}")).json()["calls"]}


async def say(client: httpx.AsyncClient, call: str, answer: str, number: int = 1, **more: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post(f"{DOOR}/{number}/calls/{call}/answer", json={"answer": answer, **more})


async def lines(client: httpx.AsyncClient) -> list[str]:
    whats = [line["what"] for line in (await client.get(f"{DOOR}/1")).json()["timeline"]]
    return [what for what in whats if what.startswith(("call_", "post_", "help"))]


async def test_posts_are_called_in_order_by_tier_and_who_does_not_answer_is_followed_by_the_next(
    calling: Desk,
) -> None:
    li, op = await calling.come("li"), await calling.come("op")
    await fill(li)
    tick, watch = Tick(calling), Watch(calling)
    await watch.after(0)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    await watch.after(0)
    (told,) = messages(calling)
    assert (told["to"]["person"], told["subject"]) == ("op", "call_out")
    assert told["text"]["zh"] == (
        "应急召集:1 号事件 U-1 泄漏,橙色预警,请您到大门集合。请在 3 分钟内答复:能到、不能到或需要帮助。"
        "https://fs.example/#/response?view=incidents&incident=1"
    )
    assert "Answer within 3 min: coming, cannot, or need help." in told["text"]["en"]
    ((one,),) = (line["calls"] for line in (await calls(op)).values())
    assert (one["person"], one["answer"], one["notice"]["state"], one["notice"]["delivered"]) == (
        "op",
        "",
        "waiting",
        None,
    )
    (asked,) = (await op.get("/api/v1/response/calls")).json()["calls"]
    assert (asked["id"], asked["incident"], asked["kind"]) == (one["id"], 1, "26")
    assert (await li.get("/api/v1/response/calls")).json()["calls"] == []

    with calling.engine.begin() as connection:  # The channel says that it arrived.
        (waiting,) = look(connection, "calls", calling.clock.wall_ns(), 0).due
        put_receipt(connection, waiting, "calls", Receipt(status=200, id="r-7"), calling.clock.wall_ns())
    notice = (await calls(op))["fire"]["calls"][0]["notice"]
    assert (notice["state"], notice["receipt"]) == ("delivered", "r-7")
    assert notice["delivered"] is not None

    await watch.after(2.9)
    assert len(messages(calling)) == 1, "three minutes are not over"
    await watch.after(0.2)
    fire = (await calls(op))["fire"]
    assert [(call["to"], call["person"]) for call in fire["calls"]] == [
        ("post:fire", "op"), ("post:relief", ""), ("leader", "li"),
    ], "nobody is there as relief, so that the leader is called in the same moment"  # fmt: skip
    assert [message["to"]["person"] for message in messages(calling)] == ["op", "li"]
    assert await lines(op) == ["post_called", "call_unanswered", "post_called", "post_called"]
    await watch.after(3.1)
    assert (await calls(op))["fire"]["state"] == "exhausted"
    assert (await lines(op))[-2:] == ["call_unanswered", "call_exhausted"]
    await watch.after(10)
    assert len(messages(calling)) == 2, "nobody is called twice by itself"

    tick(What.UNIT_RAISED, Tier.RED)
    await watch.after(0)
    assert {name: one["state"] for name, one in (await calls(op)).items()} == {
        "fire": "exhausted", "boss": "waiting", "medic": "planned",
    }  # fmt: skip
    await watch.after(1.9)
    assert (await calls(op))["medic"]["calls"] == []
    await watch.after(0.2)
    assert [call["person"] for call in (await calls(op))["medic"]["calls"]] == ["wang"]


async def test_answers_end_a_line_or_call_the_next_at_once_and_wrong_ones_are_refused(calling: Desk) -> None:
    li, op, wang = [await calling.come(name) for name in ("li", "op", "wang")]
    await fill(li)
    watch = Watch(calling)
    Tick(calling)(What.UNIT_RAISED, Tier.ORANGE)
    await watch.after(0)
    call = (await calls(op))["fire"]["calls"][0]["id"]
    assert (await say(op, call, "perhaps")).status_code == 422
    assert (await say(op, call, "cannot", minutes=3)).status_code == 422
    assert (await say(op, call, "coming", minutes=601)).status_code == 422
    assert refused(await say(op, "nothing", "coming"), 404, "not_there", "no such call")
    assert (await say(op, call, "coming", minutes=8)).status_code == 200
    assert (await op.get("/api/v1/response/calls")).json()["calls"] == []
    assert refused(await say(op, call, "coming"), 409, "done_already", "answered already")
    fire = (await calls(op))["fire"]
    assert (fire["state"], fire["due"], fire["calls"][0]["minutes"]) == ("enough", None, 8)
    await watch.after(10)
    assert len(messages(calling)) == 1, "who comes is waited for"
    again = {"line": "fire", "reason": "more hands"}
    assert refused(await li.post(f"{DOOR}/1/call-out", json=again), 409, "done_already", "So many as must")

    assert (await say(op, call, "cannot", note="car broke down")).status_code == 200, "what was said may change"
    await watch.after(0)
    assert [message["to"]["person"] for message in messages(calling)] == ["op", "li"], "nobody waits three minutes"
    mine = (await calls(li))["fire"]["calls"][2]["id"]
    assert refused(await say(op, mine, "coming"), 403, "not_yours", "commander")
    assert refused(await say(wang, mine, "coming"), 409, "no_way", "how li was heard")
    assert refused(await say(wang, mine, "coming", how="sms", minutes_ago=3), 409, "before_call", "+08:00")
    assert refused(await say(li, mine, "coming", how="sms"), 409, "own", "here and now")
    assert (await say(wang, mine, "coming", how="pigeon")).status_code == 422
    assert (await say(wang, mine, "coming", how="sms", minutes_ago=241)).status_code == 422
    calling.clock.advance_ns(4 * MINUTE)
    heard = {"minutes": 5, "how": "telephone", "minutes_ago": 3}
    assert (await say(wang, mine, "coming", **heard)).status_code == 200, "a safety officer who phoned li says it"
    answered = (await calls(li))["fire"]["calls"][2]
    assert (answered["answer"], answered["answered_by"], answered["person"]) == ("coming", "wang", "li")
    assert answered["answered_how"] == "telephone"
    told = (await li.get(f"{DOOR}/1")).json()["timeline"][-1]
    assert (told["who"], told["facts"]["person"], told["facts"]["way"]) == ("wang", "li", "telephone")
    waited = datetime.fromisoformat(told["time"]) - datetime.fromisoformat(answered["answered"])
    assert waited.total_seconds() == 180, "when it was said, and when it was entered"
    assert told["facts"]["heard_at"] == answered["answered"]
    late = await say(wang, mine, "cannot", how="sms", minutes_ago=4)
    assert refused(late, 409, "older", "later answer"), "an SMS that was read late undoes no later word"

    sheet = await calling.house.read(
        lambda c: situation(c, calling.house.site, calling.house.picture, 1, calling.clock.wall_ns(), "zh")
    )
    rows = {block.heading: block.rows for block in sheet.blocks}
    assert ("到大门集合", "op", "–", "不能到") in [row[1:5] for row in rows["应急召集"]]
    assert ("到大门集合", "li", "–", "能到, 5 min, 电话,wang 登记") in [row[1:5] for row in rows["应急召集"]]
    said = [row[3] for row in rows["时间线"]]
    assert "到大门集合; op; car broke down; 不能到" in said
    assert "到大门集合; op; 已发送" in said
    acts = [one["action"] for one in calling.acts() if str(one.get("action", "")).startswith("call_")]
    assert acts == ["call_answered", "call_answered", "call_answered"]


async def test_who_needs_help_is_told_to_whoever_leads_and_a_line_is_called_by_hand(calling: Desk) -> None:
    li, op = await calling.come("li"), await calling.come("op")
    await fill(li)
    watch = Watch(calling)
    Tick(calling)(What.UNIT_RAISED, Tier.ORANGE)
    await watch.after(0)
    call = (await calls(op))["fire"]["calls"][0]["id"]
    assert (await say(op, call, "help", note="trapped at the pump house")).status_code == 200
    told = next(message for message in messages(calling) if message["subject"] == "needs_help")
    assert (told["to"]["person"], told["person"]) == ("li", "op")
    assert "op 需要帮助。trapped at the pump house" in told["text"]["zh"]
    assert "help_asked" in await lines(op)

    by_hand = {"line": "medic", "reason": "burns"}
    assert refused(await op.post(f"{DOOR}/1/call-out", json=by_hand), 403, "not_yours", "commander")
    assert refused(await li.post(f"{DOOR}/1/call-out", json={**by_hand, "line": "x"}), 404, "not_there", "no line x")
    assert (await li.post(f"{DOOR}/1/call-out", json={"line": "medic"})).status_code == 422
    assert (await li.post(f"{DOOR}/1/call-out", json=by_hand)).status_code == 200
    assert (await calls(op))["medic"]["calls"][0]["person"] == "wang", "RED alone would have called him"
    await watch.after(5.1)
    assert (await calls(op))["medic"]["state"] == "exhausted"
    assert (await li.post(f"{DOOR}/1/call-out", json=by_hand)).status_code == 200
    first, second = (await calls(op))["medic"]["calls"]
    wang = await calling.come("wang")
    assert [one["line"] for one in (await wang.get("/api/v1/response/calls")).json()["calls"]] == ["medic"]
    assert (await say(wang, first["id"], "coming")).status_code == 200
    assert [one["answer"] for one in (await calls(op))["medic"]["calls"]] == ["", "coming"], "said of the last call"
    assert (await calls(op))["medic"]["state"] == "enough"
    assert second["person"] == "wang"

    assert (await li.post(f"{DOOR}/1/call-out", json={"line": "boss", "reason": "grave"})).status_code == 200
    assert (await calls(op))["boss"]["state"] == "waiting"
    assert (await lead(li, 1, "stand-down", 2)).status_code == 200
    assert (await calls(op))["boss"]["state"] == "over", "at once"
    sent = len(messages(calling))
    await watch.after(60)
    assert len(messages(calling)) == sent, "nobody is called after stand-down"
    assert {one["state"] for one in (await calls(op)).values()} <= {"enough", "exhausted", "over"}
    assert refused(await say(op, call, "coming"), 409, "ended", "stood down by li")


async def test_a_grade_calls_too_a_start_catches_up_and_without_a_channel_the_page_says_it(calling: Desk) -> None:
    li = await calling.come("li")
    await fill(li)
    calling.house.site = replace(calling.house.site, channels=())
    begun = await li.post(DOOR, json={"unit": "U-1", "title": "smell", "reason": "patrol", "plan": "EP-1"})
    assert begun.status_code == 200
    watch = Watch(calling)
    await watch.after(0)
    assert await calls(li) == {}, "opened by hand, at grade III: nobody is meant"
    assert (await lead(li, 1, "grade", 2, grade=2)).status_code == 200
    calling.clock.advance_ns(MINUTE)
    await Watch(calling).after(0)  # Another watch: the gateway was started anew.
    boss = (await calls(li))["boss"]
    assert [(call["person"], call["notice"]) for call in boss["calls"]] == [("li", None)]
    assert messages(calling) == []
    last = (await li.get(f"{DOOR}/1")).json()["timeline"][-1]
    assert (last["what"], last["facts"]["said"]) == ("post_called", "page")
    await Watch(calling).after(0)
    assert len((await calls(li))["boss"]["calls"]) == 1, "once"
