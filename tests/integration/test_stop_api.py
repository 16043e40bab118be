"""Doors of declared stops: who may, what is asked of the core, what is listed."""

from dataclasses import replace

from alerting.desk import Answer
from alerting.model.command import Verb
from alerting.model.stop import Plan, Stop, StopKind, StopState
from edge.model import Nature
from gateway.store import schema
from gateway.store.stops import put_stops, stop_of, stop_row
from tests.integration.test_api import NOW, Door, S, door, is_error

__all__ = ["door"]

STOP = Stop(
    id="0123456789ab", kind=StopKind.OVERHAUL, nature=Nature.TEST, unit="TK-101", tags=("TK-101.level",),
    is_whole=True, covered=3, left=1, reason="gauge", permit="P-1", who="li", confirmed_by="", declared_ns=NOW,
    begins_ns=NOW, ends_ns=NOW + 3600 * S, state=StopState.RUNNING, began_ns=NOW,
)  # fmt: skip
ASKED = {"kind": "overhaul", "unit": "TK-101", "ends": str(NOW + 3600 * S), "reason": "gauge", "permit": " P-1 "}


def test_a_row_is_the_stop_again() -> None:
    assert stop_of(stop_row(STOP)) == STOP


async def test_it_is_declared_extended_and_ended_by_those_who_may_take_out_of_service(door: Door) -> None:
    door.house.answer = lambda command: Answer(command=command, stop=STOP)
    officer, operator = await door.as_role("safety_officer"), await door.as_role("operator")
    answer = (await officer.post("/api/v1/stops", json=ASKED)).json()
    assert (answer["stop"]["id"], answer["stop"]["state"], answer["request"]) == (STOP.id, "running", None)
    assert is_error(await operator.post("/api/v1/stops", json=ASKED), 403, "forbidden")
    both = {**ASKED, "tags": ["TK-101.level"]}
    assert is_error(await officer.post("/api/v1/stops", json=both), 422, "invalid")
    assert is_error(await officer.post("/api/v1/stops", json={**ASKED, "unit": ""}), 422, "invalid")
    assert is_error(await officer.post("/api/v1/stops", json={**ASKED, "ends": "tomorrow"}), 422, "invalid")
    until = {"ends": str(NOW + 7200 * S), "reason": "gasket"}
    assert (await officer.post(f"/api/v1/stops/{STOP.id}/extend", json=until)).status_code == 200
    assert (await officer.post(f"/api/v1/stops/{STOP.id}/resume", json={"reason": "done"})).status_code == 200
    assert is_error(await operator.post(f"/api/v1/stops/{STOP.id}/resume", json={"reason": "x"}), 403, "forbidden")
    assert [(c.verb, c.alarm, c.who, c.until_ns, c.plan) for c in door.house.commands] == [
        (Verb.STOP, "", "the-safety_officer", NOW + 3600 * S, Plan(kind=StopKind.OVERHAUL, unit="TK-101")),
        (Verb.EXTEND, STOP.id, "the-safety_officer", NOW + 7200 * S, None),
        (Verb.RESUME, STOP.id, "the-safety_officer", 0, None),
    ]
    assert door.house.commands[0].permit == "P-1"


async def test_a_refusal_is_told_in_both_languages(door: Door) -> None:
    door.house.answer = lambda command: Answer(command=command, refused={"en": "No.", "zh": "不可以。"})
    refused = await (await door.as_role("engineer")).post("/api/v1/stops", json=ASKED)
    assert is_error(refused, 409, "refused")
    assert refused.json()["error"]["details"] == {"en": "No.", "zh": "不可以。"}


async def test_open_ones_and_the_history_are_listed_apart(door: Door) -> None:
    over = replace(STOP, id="b" * 12, state=StopState.ENDED, over_by="wang", over_ns=NOW, note="back")
    late = replace(STOP, id="c" * 12, state=StopState.OVERDUE, ends_ns=NOW - S, unit="Z-401")
    await door.house.write(lambda c: put_stops(c, [STOP, over, late]))
    viewer = await door.as_role("viewer")
    open_ones = (await viewer.get("/api/v1/stops")).json()
    assert ([one["id"] for one in open_ones["stops"]], open_ones["overdue"]) == (["c" * 12, STOP.id], 1)
    assert [one["id"] for one in (await viewer.get("/api/v1/stops", params={"unit": "TK-101"})).json()["stops"]] == [
        STOP.id
    ]
    past = (await viewer.get("/api/v1/stops", params={"state": "over"})).json()
    assert [(one["over_by"], one["note"]) for one in past["stops"]] == [("wang", "back")]
    assert (await viewer.get(f"/api/v1/stops/{STOP.id}")).json()["permit"] == "P-1"
    assert is_error(await viewer.get("/api/v1/stops/none"), 404, "not_found")


async def test_what_a_stop_would_keep_quiet_is_said_beforehand(door: Door) -> None:
    viewer = await door.as_role("viewer")
    said = (await viewer.get("/api/v1/stops/look", params={"unit": "TK-101"})).json()
    assert said["covered"] + len(said["left"]) > 0
    assert set(said["tags"]) <= {tag.name for tag in door.house.site.tags if tag.unit == "TK-101"}
    assert (said["days_most"], said["tier_most"]) == (31, "ORANGE")
    assert is_error(await viewer.get("/api/v1/stops/look", params={"unit": "x"}), 404, "not_found")


def test_the_table_takes_what_people_may_write() -> None:
    assert {column.name for column in schema.stop.columns} == set(stop_row(STOP))
