"""From the ledger of tickets to the core: special work that begins, changes, ends; and what it does to the risk."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.desk import Answer
from alerting.model.command import Command, Verb
from alerting.model.philosophy import Philosophy
from alerting.model.risk import RiskPolicy
from alerting.model.stop import Stop, StopKind, StopState
from alerting.model.ticket_cover import TicketSuppression
from edge.model import Nature
from gateway.means import Means
from gateway.register.ticket_watch import TicketWatch
from gateway.store.stops import put_stops
from tests.integration.test_register_api import AT, Desk, enter
from tests.integration.test_risk_api import RISK_UNIT, RISKS, fill

TICKET = {
    "code": "HW-1", "title": "补焊支架 weld bracket", "kind": "hot", "level": "first", "stage": "working",
    "dossier": "TK-1", "place": "储罐区", "applicant": "甲", "approved_by": "乙", "guardian": "丙",
    "from": "2026-01-01 07:00", "until": "2026-01-01 12:00", "gas_at": "2026-01-01 07:50", "gas_ok": "yes",
    "begun_at": "2026-01-01 08:00",
}  # fmt: skip
S = 10**9


class Core:
    """Stands for the core: keeps what it is told as the desk would."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.told: list[Command] = []

    async def __call__(self, commands: Sequence[Command]) -> Sequence[Answer]:
        self.told = list(commands)
        answers = []
        for command in commands:
            assert command.plan is not None
            plan, now_ns = command.plan, command.received_ns
            is_over = command.verb is Verb.RESUME
            stop = Stop(
                id=command.alarm or f"{command.permit}{command.until_ns // S % 10**6:06}"[-12:], kind=plan.kind,
                nature=Nature.ACTUAL, unit=plan.unit, tags=(), is_whole=True, covered=1, left=0, reason=command.reason,
                permit=command.permit, who=command.who, confirmed_by="", declared_ns=now_ns, begins_ns=plan.begins_ns,
                ends_ns=command.until_ns, state=StopState.ENDED if is_over else StopState.RUNNING, work=plan.work,
            )  # fmt: skip
            await self.desk.house.write(lambda c, stop=stop: put_stops(c, [stop]))
            answers.append(Answer(command=command, stop=stop))
        return answers


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    declare(made, TicketSuppression(id="hot", work="hot"))
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def declare(desk: Desk, *declared: TicketSuppression) -> None:
    desk.house.site = replace(desk.house.site, philosophy=Philosophy(tickets=declared))


def watch_of(desk: Desk, core: Core) -> TicketWatch:
    house = desk.house
    means = Means(
        site=lambda: house.site, clock=house.clock, meter=house.meter, read=house.read, write=house.write,
        wake_push=lambda: None,
    )  # fmt: skip
    return TicketWatch(means, core)


async def change(li: httpx.AsyncClient, record: dict[str, Any], **values: Any) -> dict[str, Any]:  # noqa: ANN401 - values of a ticket
    at = f"{AT}/tickets/{record['id']}"
    seen = (await li.get(at)).json()["record"]
    said = {**seen["values"], **values}
    answer = await li.post(at, json={"values": said, "revision": seen["revision"], "reason": "x"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["record"]
    return found


async def test_what_the_ledger_says_is_told_once_and_ended_once(desk: Desk) -> None:
    li, core = await desk.come("li"), Core(desk)
    await fill(li)
    watch = watch_of(desk, core)
    waiting = await enter(li, "tickets", {**TICKET, "stage": "approved", "begun_at": ""})
    assert await watch.turn() == 0, "an approved ticket is no work"
    await change(li, waiting, stage="working", begun_at="2026-01-01 08:00")
    assert [await watch.turn() for _ in range(2)] == [1, 0]
    await change(li, waiting, until="2026-01-01 11:00")
    assert await watch.turn() == 2
    assert [(one.verb, one.permit, one.plan.kind if one.plan else None) for one in core.told] == [
        (Verb.STOP, "HW-1", StopKind.TICKET), (Verb.RESUME, "", StopKind.TICKET),
    ], "what begins stands before what ends"  # fmt: skip
    assert (core.told[0].plan.unit if core.told[0].plan else "") == "U-1", "by its dossier"
    await change(li, waiting, stage="cancelled")
    assert await watch.turn() == 1
    assert core.told[0].verb is Verb.RESUME
    assert await watch.turn() == 0


async def test_a_ticket_past_its_end_or_of_another_kind_or_nowhere_keeps_nothing_quiet(desk: Desk) -> None:
    li, core = await desk.come("li"), Core(desk)
    await fill(li)
    watch = watch_of(desk, core)
    soil = {"kind": "soil", "level": "", "gas_at": "", "gas_ok": ""}
    await enter(li, "tickets", {**TICKET, "code": "S-1", **soil})
    await enter(li, "tickets", {**TICKET, "code": "HW-3", "dossier": ""})
    await enter(li, "tickets", {**TICKET, "code": "HW-4"})
    assert await watch.turn() == 1
    declare(desk)
    assert await watch.turn() == 1, "what is declared no longer is ended"
    assert [await watch.turn() for _ in range(2)] == [0, 0]
    declare(desk, TicketSuppression(id="hot", work="hot"))
    desk.clock.advance_ns(5 * 3600 * S)
    assert await watch.turn() == 0, "its time is over, though its stage says otherwise"


async def test_work_that_goes_on_raises_the_dynamic_risk_by_its_gravest_kind(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(li, "risk_units", {**RISK_UNIT, "code": "RU-2", "outline": ""})
    ticket = await enter(li, "tickets", TICKET)
    await enter(li, "tickets", {**TICKET, "code": "HW-2", "level": "second", "dossier": "", "unit": "U-1"})
    told = (await li.get(RISKS)).json()
    first, second = told["units"]
    assert (first["current"]["grade"], first["dynamic"]["grade"]) == (3, 2)
    (step,) = first["dynamic"]["steps"]
    assert (step["what"], step["steps"], step["said"]["zh"]) == ("ticket", 1, "特殊作业进行中：一级动火 HW-1")
    assert [one["what"] for one in second["dynamic"]["steps"]] == ["ticket"], "each risk unit of its hazard unit"
    assert "一级动火 1" in told["formula"]["zh"]
    await change(li, ticket, stage="closed", ended_at="2026-01-01 08:00")
    (step_less, *_) = (await li.get(RISKS)).json()["units"]
    assert step_less["dynamic"] == {"grade": 3, "steps": []}, "second-class hot work counts for nothing unless told"
    desk.house.site = replace(desk.house.site, risk=RiskPolicy(ticket_steps={"hot_second": 2}))
    desk.house.picture.site = desk.house.site
    (raised, *_) = (await li.get(RISKS)).json()["units"]
    assert raised["dynamic"]["grade"] == 1


async def test_tickets_are_listed_by_their_stage(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(li, "tickets", TICKET)
    await enter(li, "tickets", {**TICKET, "code": "HW-2", "stage": "applied"})
    for params, codes in (
        ({"state": "working"}, ["HW-1"]), ({"state": "applied", "q": "bracket"}, ["HW-2"]), ({"state": "closed"}, []),
    ):  # fmt: skip
        found = (await li.get(f"{AT}/tickets", params=params)).json()
        assert [one["code"] for one in found["records"]] == codes
