"""Work that outlasts its ticket or its gas test: what is told, what is refused, what a break in the work asks for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.model import Nature
from gateway.duty.book import look
from tests.integration.test_register_api import AT, TICKET, Desk, enter, fill

MIN = 60 * 10**9
SPACE = {
    **TICKET, "code": "S-1", "title": "清罐 clean the vessel", "kind": "space", "level": "", "oxygen_pct": 20.5,
    "until": "2026-01-01 12:00",
}  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


def take(desk: Desk, minutes: float = 0) -> None:
    desk.clock.advance_ns(round(minutes * MIN))
    with desk.engine.begin() as connection:
        look(connection, desk.house.site, Nature.ACTUAL, desk.clock.wall_ns())


async def duties(li: httpx.AsyncClient, state: str = "open") -> list[tuple[str, str, str]]:
    """Give kind, end in UTC and step (of closed ones how they ended) of the duties of tickets."""
    found = (await li.get("/api/v1/duties", params={"state": state})).json()["duties"]
    word = "step" if state == "open" else "state"
    return [(one["kind"].split(".")[1], one["due"][11:16], one[word]) for one in found]


async def post(li: httpx.AsyncClient, record: dict[str, Any], **values: Any) -> httpx.Response:  # noqa: ANN401 - values of a ticket
    at = f"{AT}/tickets/{record['id']}"
    seen = (await li.get(at)).json()["record"]
    said = {"values": {**seen["values"], **values}, "revision": seen["revision"], "reason": "x"}
    return await li.post(at, json=said)


def field_and_rule(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 422, answer.text
    (wrong,) = answer.json()["error"]["details"]["wrongs"]
    assert wrong["rule"]["zh"]
    assert wrong["remedy"]["zh"]
    return wrong["field"], wrong["rule"]["en"]


async def test_work_beyond_its_ticket_is_told_and_closed_with_the_reason_alone(desk: Desk) -> None:
    """08:00 … 16:00 in Shanghai: prompt a fifth before, 14:24; warning 16:00; supervision ten minutes later."""
    li = await desk.come("li")
    ticket = await enter(li, "tickets", TICKET)
    take(desk)
    assert await duties(li) == [("until", "08:00", "coming")]
    steps = {383: "coming", 384: "prompt", 479: "prompt", 480: "warning", 489: "warning", 490: "supervision"}
    was = 0
    for at, step in steps.items():
        take(desk, at - was)
        was = at
        assert await duties(li) == [("until", "08:00", step)], at

    closed = {"stage": "closed", "ended_at": "2026-01-01 16:05"}
    assert field_and_rule(await post(li, ticket, **closed)) == ("overrun", "the work went on beyond its ticket")
    assert (await post(li, ticket, **closed, overrun="crane late")).status_code == 200
    take(desk)
    assert await duties(li) == []
    assert await duties(li, "closed") == [("until", "08:00", "done")]


async def test_a_confined_space_is_tested_every_two_hours_and_each_test_begins_the_next(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    ticket = await enter(li, "tickets", SPACE)
    assert ticket["values"]["retest_by"] == "2026-01-01T09:30", "two hours after 07:30"
    take(desk)
    assert await duties(li) == [("retest_by", "01:30", "coming"), ("until", "04:00", "coming")]
    take(desk, 66)
    assert (await duties(li))[0] == ("retest_by", "01:30", "prompt"), "09:06, a fifth of two hours before"
    take(desk, 24)
    assert (await duties(li))[0] == ("retest_by", "01:30", "warning")
    take(desk, 5)
    row = {"code": "G1", "ticket": "S-1", "at": "2026-01-01 09:35", "by": "丁", "oxygen_pct": 20.1, "gas_ok": "yes"}
    first = await enter(li, "gas_tests", row)
    take(desk)
    assert await duties(li) == [("retest_by", "03:35", "coming"), ("until", "04:00", "coming")]
    assert await duties(li, "closed") == [("retest_by", "01:30", "done")]
    named = (await li.get(f"{AT}/tickets/{ticket['id']}")).json()
    assert [one["code"] for one in named["referring"]] == ["G1"]

    at = f"{AT}/gas_tests/{first['id']}"
    failed = {**first["values"], "oxygen_pct": 18.9, "gas_ok": "no"}
    assert (await li.post(at, json={"values": failed, "revision": 1, "reason": "typo"})).status_code == 200
    take(desk)
    assert ("retest_by", "01:35", "warning") in await duties(li), "work goes on, and its gas test failed: at once"
    assert (await li.get(f"{AT}/gas_tests", params={"state": "failed"})).json()["records"][0]["code"] == "G1"
    assert (await li.post(f"{at}/remove", json={"revision": 2, "reason": "x"})).status_code == 200
    kept = (await li.get(f"{AT}/tickets/{ticket['id']}")).json()["record"]["values"]
    assert (kept["tested_at"], kept["retest_by"]) == ("2026-01-01T07:30", "2026-01-01T09:30")
    assert (await post(li, ticket, retest_minutes=30)).json()["record"]["values"]["retest_by"] == "2026-01-01T08:00"
    assert field_and_rule(await post(li, ticket, retest_minutes=121))[0] == "retest_minutes"
    assert (await post(li, ticket, stage="cancelled")).json()["record"]["values"].get("retest_by") is None
    take(desk)
    assert await duties(li) == []


@pytest.mark.parametrize(("level", "longest"), [("special", 30), ("first", 30), ("second", 60)])
async def test_after_a_long_break_work_goes_on_with_another_test_alone(desk: Desk, level: str, longest: int) -> None:
    """GB 30871-2022, as found: more than 30 min of the special and the first class, 60 min of the second."""
    li = await desk.come("li")
    ticket = await enter(li, "tickets", {**TICKET, "level": level})
    desk.clock.advance_ns(3 * 60 * MIN)
    assert field_and_rule(await post(li, ticket, stage="paused"))[0] == "paused_at"
    paused = {"stage": "paused", "paused_at": "2026-01-01 08:10"}
    assert (await post(li, ticket, **paused)).status_code == 200
    take(desk)
    assert [kind for kind, _, _ in await duties(li)] == ["until"], "nobody works: nothing to be tested"

    on = {"stage": "working"}
    assert field_and_rule(await post(li, ticket, **on))[0] == "resumed_at"
    assert field_and_rule(await post(li, ticket, **on, resumed_at="2026-01-01 08:09"))[0] == "resumed_at"
    allowed, too_long = (
        f"2026-01-01 {(490 + longest + more) // 60:02}:{(490 + longest + more) % 60:02}" for more in (0, 1)
    )
    assert field_and_rule(await post(li, ticket, **on, resumed_at=too_long)) == (
        "resumed_at", f"after a break of {longest + 1} min (more than {longest}) such work is tested anew",
    )  # fmt: skip
    row = {"ticket": "W1", "by": "丁", "combustible_pct": 0.1, "gas_ok": "yes"}
    await enter(li, "gas_tests", {**row, "code": "G0", "at": "2026-01-01 08:09"})
    await enter(li, "gas_tests", {**row, "code": "G1", "at": "2026-01-01 08:30", "gas_ok": "no"})
    assert field_and_rule(await post(li, ticket, **on, resumed_at=too_long))[0] == "resumed_at", "before, or failed"
    await enter(li, "gas_tests", {**row, "code": "G2", "at": "2026-01-01 08:41"})
    assert (await post(li, ticket, **on, resumed_at=too_long)).status_code == 200
    assert (await post(li, ticket, **on, resumed_at=allowed)).status_code == 200
