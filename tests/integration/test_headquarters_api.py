"""Headquarters are called with the incident: the general one, that of its type, by grade, once; who was reached."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select

from alerting.model.event import What
from alerting.model.headquarters import Headquarters, Member
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from alerting.roster.plan import On, Post, RosterPlan, Shift
from edge.model import Nature
from gateway.config import Destination
from gateway.response.situation import situation
from gateway.store import schema
from tests.integration.test_incidents_api import DOOR, Tick, fill, lead
from tests.integration.test_register_api import Desk, desk

__all__ = ["desk"]
GENERAL = Headquarters(
    id="general", title={"en": "General", "zh": "总指挥部"}, from_grade=3,
    members=(
        Member(duty={"en": "commander", "zh": "总指挥"}, who="person:li"),
        Member(duty={"en": "control room", "zh": "中控"}, who="post:room"),
    ),
)  # fmt: skip
LEAK = Headquarters(
    id="leak", title={"en": "Leak", "zh": "泄漏专项"}, accidents=("26",), from_grade=2,
    members=(
        Member(duty={"en": "fire", "zh": "消防"}, who="person:eve"),
        Member(duty={"en": "adviser", "zh": "专家"}, who="person:li"),
    ),
)  # fmt: skip
CROWD = replace(LEAK, id="crowd", accidents=("99",), from_grade=4)


@pytest.fixture
def calling(desk: Desk) -> Desk:
    """A site with headquarters, somebody in the control room, and a channel."""
    roster = RosterPlan(
        shifts=(Shift(id="all", title={}, from_s=0, to_s=86_400, on=On.ALL),),
        posts=(Post(id="room", title={"en": "Control room"}, shifts=("all",)),),
    )
    channel = Destination(id="calls", url="https://calls.example/a", secret="", natures=(Nature.ACTUAL,))
    desk.house.site = replace(
        desk.house.site, roster=roster, channels=(channel,), headquarters=(CROWD, LEAK, GENERAL),
        incident=IncidentPolicy(channel="calls"),
    )  # fmt: skip
    Tick(desk).write(
        lambda c: c.execute(
            insert(schema.roster).values(
                number=1,
                date="2026-01-01",
                shift="all",
                post="room",
                person="op",
                substitute="",
                reason="",
                changed_by="li",
                changed_ns=1,
            )
        )
    )
    return desk


def messages(desk: Desk) -> list[dict[str, Any]]:
    with desk.engine.connect() as connection:
        found = [orjson.loads(body) for body in connection.scalars(select(schema.outbox.c.body))]
    return sorted(found, key=lambda one: (len(one["incidents"]), one["to"]["person"]))


async def test_who_is_meant_is_called_once_with_duty_and_incident_and_the_gravest_with_the_grade(calling: Desk) -> None:
    li = await calling.come("li")
    await fill(li)
    tick = Tick(calling)
    tick(What.UNIT_RAISED, Tier.ORANGE)
    told = (await li.get(f"{DOOR}/1")).json()
    (general,) = told["headquarters"]
    assert [(one["duty"]["zh"], one["persons"], one["said"]) for one in general["members"]] == [
        ("总指挥", ["li"], "told"), ("中控", ["op"], "told"),
    ]  # fmt: skip
    assert [line["what"] for line in told["timeline"]] == ["opened", "plan", "called"], "at grade III the general one"
    to_li, to_op = messages(calling)
    assert (to_li["to"]["person"], to_op["to"]["person"], to_li["subject"]) == ("li", "op", "headquarters")
    assert to_li["text"]["zh"] == "应急指挥部召集:1 号事件 U-1 泄漏,Ⅲ级响应,您在总指挥部任总指挥。"
    assert to_op["text"]["en"].endswith("response grade Ⅲ; you are control room in General.")

    tick(What.UNIT_RAISED, Tier.RED)
    assert (await lead(li, 1, "grade", 2, grade=4)).status_code == 200
    assert len(messages(calling)) == 2, "neither tier nor lowered grade calls again"
    told = (await lead(li, 1, "grade", 3, grade=2)).json()
    assert [one["headquarters"] for one in told["headquarters"]] == ["general", "leak"]
    fire, adviser = told["headquarters"][1]["members"]
    assert (fire["persons"], fire["said"], adviser["persons"]) == ([], "nobody", ["li"]), "nobody is called eve here"
    assert len(messages(calling)) == 3
    assert calling.house.woken > 0
    sheet = await calling.house.read(
        lambda c: situation(c, calling.house.site, calling.house.picture, 1, calling.clock.wall_ns(), "zh")
    )
    (block,) = (one for one in sheet.blocks if one.heading == "应急指挥部")
    assert ("2026-01-01 08:00:00", "泄漏专项", "消防", "eve", "无人") in block.rows


async def test_a_flood_is_one_message_a_person(calling: Desk) -> None:
    li = await calling.come("li")
    await fill(li)
    Tick(calling).many(What.UNIT_RAISED, Tier.ORANGE, [f"V-{at}" for at in range(7)])
    to_li, to_op = messages(calling)
    assert [one["incident"] for one in to_li["incidents"]] == list(range(1, 8))
    assert to_op["text"]["zh"].endswith(";另有 2 项。")
    assert (await li.get(f"{DOOR}/5")).json()["timeline"][-1]["what"] == "called"


async def test_without_a_grade_nobody_is_called_until_a_person_grades_it_and_without_a_channel_the_page_says_it(
    calling: Desk,
) -> None:
    li = await calling.come("li")
    calling.house.site = replace(calling.house.site, incident=IncidentPolicy())
    begun = await li.post(DOOR, json={"unit": "U-1", "title": "smell", "reason": "patrol"})
    assert begun.json()["headquarters"] == []
    told = (await lead(li, 1, "grade", 1, grade=1)).json()
    assert [(one["headquarters"], {m["said"] for m in one["members"]}) for one in told["headquarters"]] == [
        ("general", {"page"}),
    ]  # fmt: skip
    assert messages(calling) == []
