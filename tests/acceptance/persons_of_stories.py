"""What persons do in the stories that open an incident: who acts when, by which door, and what is refused meanwhile."""

from typing import Final

from tests.acceptance.persons import INCIDENTS, Hands, Json, Script

OFFICER: Final = "li.min"  # Nobody of the roster: a safety officer.
CROWD: Final = "/api/v1/response/crowd"


async def _there(hands: Hands, number: int) -> tuple[Json, str, str]:
    """Give an incident, who leads the shift and who is in the control room: those whom its headquarters called."""
    one = await hands.incident(OFFICER, number)
    (general,) = (each for each in one["headquarters"] if each["headquarters"] == "general")
    leader, room = (member["persons"][0] for member in general["members"])
    return one, leader, room


async def _answer_calls(hands: Hands, leader: str, room: str) -> None:
    """The control room answers on its page, the leader of the shift by telephone, which a safety officer enters."""
    (mine,) = (await hands.get(room, "/api/v1/response/calls"))["calls"]
    await hands.post(room, f"{INCIDENTS}/1/calls/{mine['id']}/answer", answer="coming", minutes=1)
    (asked,) = (await hands.get(leader, "/api/v1/response/calls"))["calls"]
    at = f"{INCIDENTS}/1/calls/{asked['id']}/answer"
    assert await hands.refused(OFFICER, at, answer="coming") == "no_way"
    await hands.post(OFFICER, at, answer="coming", minutes=4, how="telephone")
    hands.kept["calls"] = (await hands.incident(OFFICER, 1))["calls"]


async def _last_zone(hands: Hands, number: int) -> Json:
    (zone,) = (await hands.get(OFFICER, f"{INCIDENTS}/{number}/zones"))["zones"]
    found: Json = zone
    return found


# ------------------------------------------------------------------------------------------------------------ ammonia


async def _ammonia_begins(hands: Hands) -> None:
    one, leader, room = await _there(hands, 1)
    hands.kept |= {"opened": one, "west": await _last_zone(hands, 1), "leader": leader, "room": room}
    await hands.lead(leader, 1, "command", person=leader)
    assert await hands.refused(room, f"{INCIDENTS}/1/grade", grade=1, revision=3, reason="x") == "not_yours"
    second = next(task for task in one["tasks"] if task["step"] == "2")
    assert await hands.refused(room, f"/api/v1/response/tasks/{second['id']}/done", note="", answer="") == "waiting"
    first = next(task for task in one["tasks"] if task["step"] == "1")
    assert first["owners"] == [room]
    await hands.done(1, "1")
    assert await hands.refused(room, f"/api/v1/response/tasks/{first['id']}/done", note="", answer="") == "done_already"
    await hands.post(room, f"{INCIDENTS}/1/resources", resource="M-1", quantity=4)


async def _ammonia_turns(hands: Hands) -> None:
    leader, zone = hands.kept["leader"], await _last_zone(hands, 1)
    hands.kept["south"] = zone
    at = "/api/v1/response/zones/revisions"
    old = hands.kept["west"]["number"]
    assert await hands.refused(leader, f"{at}/{old}/confirm", level="ERPG-2", reason="x") == "changed_meanwhile"
    await hands.post(
        leader, f"{at}/{zone['number']}/confirm", level="ERPG-2", reason="风转向居民区 towards the housing"
    )
    await hands.done(1, "4", "是 yes")
    await hands.done(1, "5")
    await hands.lead(leader, 1, "grade", grade=1)
    await hands.say(OFFICER, 1, "reported", "区应急管理局 district authority")


async def _ammonia_asks(hands: Hands) -> None:
    leader = hands.kept["leader"]
    said = {"who": f"{leader}, {OFFICER}", "data": "GD-612, WS-601", "decision": "撤离北侧 clear the north"}
    await hands.say(leader, 1, "consultation", "是否撤离 whether to leave", **said)
    await hands.done(1, "6")
    await hands.done(1, "3")


async def _ammonia_ends(hands: Hands) -> None:
    leader, room = hands.kept["leader"], hands.kept["room"]
    await hands.done(1, "2")
    report = f"{INCIDENTS}/1/after-action"
    assert (await hands.ask(leader, "GET", report)).json()["error"]["code"] == "not_over"
    seen = (await hands.incident(leader, 1))["revision"]
    stand_down = f"{INCIDENTS}/1/stand-down"
    hands.kept["hasty"] = await hands.refused(leader, stand_down, revision=seen, reason="line is shut")
    await hands.lead(leader, 1, "stand-down", reason="液相管线已切断 the line is shut", despite=True)
    hands.kept["early"] = await hands.refused(leader, f"{INCIDENTS}/1/return", revision=seen + 1, reason="x")
    lesson = {"title": "垫片周期更换 gaskets by plan", "measure": "列入检修计划 into the plan of repairs"}
    await hands.post(OFFICER, f"{INCIDENTS}/1/lesson", **lesson, responsible=room, due="2026-10-14")
    hands.kept["closed"] = await hands.incident(OFFICER, 1)


# ---------------------------------------------------------------------------------------------------------------- LPG


async def _lpg_begins(hands: Hands) -> None:
    one, leader, room = await _there(hands, 1)
    hands.kept |= {"opened": one, "blind": await _last_zone(hands, 1), "leader": leader, "room": room}
    await hands.lead(leader, 1, "command", person=leader)
    await hands.done(1, "2")
    await hands.done(1, "3")


async def _lpg_shuts(hands: Hands) -> None:
    leader, room = hands.kept["leader"], hands.kept["room"]
    await hands.done(1, "1")
    seen = {"incident": 1, "hole_mm": 25, "wind_m_s": 3, "from_deg": 270}
    zone = await hands.post(room, "/api/v1/response/zones/H-501/compute", **seen)
    at = f"/api/v1/response/zones/revisions/{zone['number']}/confirm"
    assert await hands.refused(room, at, level="LFL", reason="x") == "not_yours"
    hands.kept["seen"] = await hands.post(leader, at, level="½ LFL", reason="风向袋 the windsock")
    await hands.say(room, 1, "call", "119")


async def _lpg_ends(hands: Hands) -> None:
    leader = hands.kept["leader"]
    await hands.done(1, "4", "是 yes")
    await hands.done(1, "6")
    await hands.lead(leader, 1, "stand-down", reason="气体浓度归零 no gas any more")
    hands.kept["closed"] = await hands.incident(OFFICER, 1)
    assert await hands.refused(leader, f"{INCIDENTS}/1/line", what="action", text="late") == "ended"


# -------------------------------------------------------------------------------------------------------------- stairs


async def _stairs_begin(hands: Hands) -> None:
    one, leader, room = await _there(hands, 1)
    hands.kept |= {"opened": one, "leader": leader, "room": room}
    await hands.lead(leader, 1, "command", person=leader)
    await hands.done(1, "1")
    await hands.done(1, "3")


async def _stairs_hold(hands: Hands) -> None:
    leader, room = hands.kept["leader"], hands.kept["room"]
    hands.kept["deck"], *_ = await _there(hands, 2)
    crowd = await hands.get(room, CROWD)
    hands.kept["crowd"] = crowd
    offered = {each["action"]: each["number"] for each in crowd["actions"] if each["state"] == "offered"}
    assert await hands.refused(room, f"{CROWD}/actions/{offered['one-way']}/confirm", reason="") == "not_yours"
    await hands.post(leader, f"{CROWD}/actions/{offered['one-way']}/confirm", reason="")
    await hands.post(leader, f"{CROWD}/actions/{offered['announce']}/decline", reason="恐慌 panic")
    await hands.lead(leader, 2, "merge", into=1)
    await hands.done(1, "2")


async def _stairs_end(hands: Hands) -> None:
    leader = hands.kept["leader"]
    await hands.done(1, "4", "否 no")
    await hands.done(1, "5")
    await hands.say(leader, 1, "casualties", "无 none")
    await hands.lead(leader, 1, "stand-down", reason="公安接管 the police take over", despite=True)
    hands.kept["closed"] = await hands.incident(OFFICER, 1)


async def _called(hands: Hands) -> None:
    await _answer_calls(hands, hands.kept["leader"], hands.kept["room"])


#: By story: what is done at which second of it.
SCRIPTS: Final[dict[str, Script]] = {
    "ammonia_turn": {70: _ammonia_begins, 90: _called, 225: _ammonia_turns, 260: _ammonia_asks, 325: _ammonia_ends},
    "lpg_hose": {72: _lpg_begins, 90: _called, 96: _lpg_shuts, 239: _lpg_ends},
    "stair_surge": {1525: _stairs_begin, 1560: _called, 2130: _stairs_hold, 3295: _stairs_end},
}
