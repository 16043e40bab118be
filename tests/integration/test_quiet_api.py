"""Doors of what is quiet by design and of what waits for a second person."""

from dataclasses import replace

from alerting.desk import Answer
from alerting.model.alarm import Suppression
from alerting.model.by_design import DesignSuppression
from alerting.model.command import Command, Verb
from alerting.model.flood import FloodState
from alerting.model.philosophy import Philosophy
from alerting.model.second_person import Request
from edge.model import Nature
from gateway.store import schema
from gateway.store.floods import put_floods
from gateway.store.rows import request_row
from tests.integration.test_api import NOW, Door, S, door, is_error, make_alarm

__all__ = ["door"]

ASKED = Command(
    verb=Verb.SUPPRESS, alarm="a", who="li", reason="probe out", received_ns=NOW, until_ns=NOW + S, permit="P-1"
)
REQUEST = Request(
    id="r1", command=ASKED, key="k1", tag="TK-101.level", unit="TK-101", asked_ns=NOW, expires_ns=NOW + 900 * S
)


async def test_an_act_that_waits_is_told_as_waiting_and_not_as_done(door: Door) -> None:
    door.house.answer = lambda command: Answer(command=command, request=REQUEST)
    client = await door.as_role("engineer")
    body = {"reason": "probe out", "until": str(NOW + S), "permit": "P-1"}
    one = (await client.post("/api/v1/alarms/a/suppress", json=body)).json()
    assert (one["alarm"], one["request"]["id"], one["request"]["action"]) == (None, "r1", "suppress")
    many = (await client.post("/api/v1/acts/suppress", json={**body, "alarms": [{"alarm": "a"}]})).json()
    assert (many["done"], many["refused"], many["waiting"]) == (0, 0, 1)
    assert (many["results"][0]["is_done"], many["results"][0]["request"]["who"]) == (False, "li")


async def test_requests_are_listed_and_ended_by_persons(door: Door) -> None:
    door.fill(schema.request, request_row(REQUEST))
    door.fill(schema.request, request_row(replace(REQUEST, id="r2", state="expired", asked_ns=NOW - S, ended_ns=NOW)))
    viewer, operator, officer = [await door.as_role(role) for role in ("viewer", "operator", "safety_officer")]
    assert [one["id"] for one in (await viewer.get("/api/v1/requests")).json()["requests"]] == ["r1"]
    told = (await viewer.get("/api/v1/requests", params={"state": "all"})).json()["requests"]
    assert [(one["id"], one["state"]) for one in told] == [("r1", "open"), ("r2", "expired")]
    assert told[0]["permit"] == "P-1"
    assert is_error(await viewer.get("/api/v1/requests", params={"state": "x"}), 422, "invalid")

    door.house.answer = lambda command: Answer(command=command, alarm=make_alarm(0))
    assert is_error(await operator.post("/api/v1/requests/r1/confirm"), 403, "forbidden")
    assert (await officer.post("/api/v1/requests/r1/confirm")).status_code == 200
    assert (await operator.post("/api/v1/requests/r1/withdraw", json={})).status_code == 200
    assert [(c.verb, c.alarm, c.who) for c in door.house.commands] == [
        (Verb.CONFIRM, "r1", "the-safety_officer"), (Verb.WITHDRAW, "r1", "the-operator"),
    ]  # fmt: skip


async def test_declared_suppressions_are_listed_with_what_they_keep_quiet(door: Door) -> None:
    each = DesignSuppression(id="clean", when="x == 1", units=("TK-101",), reason={"en": "cleaning", "zh": "清洗"})
    house = door.house
    rules = house.rules
    gate = replace(rules[0], id=each.gate, name=each.gate, tier=rules[0].tier.NONE)
    table = type(rules)([*rules, gate], rules.tags)
    house.site = replace(house.site, philosophy=Philosophy(suppressions=(each,)), rules=table)
    alarm = make_alarm(0, suppression=Suppression.BY_DESIGN, design="clean")
    house.picture.publish(1, NOW, alarms=[alarm])
    client = await door.as_role("viewer")
    answer = (await client.get("/api/v1/suppressions")).json()["suppressions"]
    assert [(one["id"], one["suppressed"], one["covered"] > 0) for one in answer] == [("clean", 1, True)]
    listed = (await client.get("/api/v1/alarms", params={"state": "by_design"})).json()["alarms"]
    assert [one["design"]["id"] for one in listed] == ["clean"]
    assert (await client.get("/api/v1/alarms", params={"state": "out_of_service"})).json()["alarms"] == []


async def test_floods_are_listed_with_their_first_out(door: Door) -> None:
    ring = {
        "alarm": "a1", "unit": "TK-101", "tag": "TK-101.level", "condition": "HH", "tier": "RED", "time_ns": NOW,
        "received_ns": NOW,
    }  # fmt: skip
    told = {
        "first": ring,
        "by_tier": {"RED": 11},
        "units": [{"unit": "TK-101", "count": 11, "tier": "RED", "first": ring}],
    }
    state = FloodState(id="f1", nature=Nature.TEST, began_ns=NOW, ended_ns=0, count=11, peak=11, told=told)
    await door.house.write(lambda c: put_floods(c, [state, replace(state, id="f0", began_ns=NOW - S, ended_ns=NOW)]))
    client = await door.as_role("viewer")
    (flood,) = (await client.get("/api/v1/floods", params={"state": "open"})).json()["floods"]
    assert (flood["id"], flood["count"], flood["first"]["tag"], flood["units"][0]["count"]) == (
        "f1", 11, "TK-101.level", 11,
    )  # fmt: skip
    assert [one["id"] for one in (await client.get("/api/v1/floods")).json()["floods"]] == ["f1", "f0"]
