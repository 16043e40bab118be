"""Changes that wait for a second person: proposed, seen, approved, refused, taken back, expired; who may do what."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from edge.clock_manual import ManualClock
from gateway.auth import Role
from gateway.rules.book import Asked, By, NotApplied
from gateway.rules.change import Change
from gateway.store import schema
from gateway.tokens import make_token
from tests.integration.test_rules_api import Site, asked, open_site

NEEDED = "\n[approval]\nrequired = true\nhours = 2\n"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, NEEDED) as site:
        yield site


async def propose(site: Site, **keys: Any) -> int:  # noqa: ANN401
    status, made = await site.post("apply", asked(**keys))
    assert (status, made["revision"]) == (202, None), made
    return int(made["proposal"])


def acts(site: Site) -> list[str]:
    with site.house.engine.connect() as connection:
        bodies = connection.scalars(select(schema.journal.c.body).order_by(schema.journal.c.number)).all()
    found = [line.split('"action": "')[1].split('"')[0] for line in map(str, bodies)]
    return [action for action in found if action != "logged_in"]


async def test_a_change_waits_is_seen_and_put_in_force_in_the_name_of_both(site: Site) -> None:
    number = await propose(site, setpoint=4.2)
    listed = await site.get("")
    assert (listed["revision"], listed["needs_approval"], listed["waiting"]) == (1, True, 1)

    seen = await site.get(f"/proposals/{number}")
    assert (seen["state"], seen["who"], seen["reason"]) == ("open", "the-engineer", "the pump was changed")
    assert [change["after"]["setpoint"] for change in seen["changes"]] == [4.2]
    assert (seen["now"]["is_same"], seen["now"]["ok"]) == (True, True)

    path = f"proposals/{number}/approve"
    status, refused = await site.post(path, {"comment": ""})
    assert (status, refused["error"]["code"]) == (409, "same_person")
    assert refused["error"]["details"]["zh"] == "变更申请人不得自行审批。"
    status, done = await site.post(path, {"comment": "as discussed"}, Role.SAFETY_OFFICER)
    assert (status, done["revision"]) == (200, 2)

    revision = await site.get("/revisions/2")
    assert (revision["who"], revision["approved_by"]) == ("the-engineer", "the-safety_officer")
    assert revision["reason"] == "the pump was changed"
    over = await site.get(f"/proposals/{number}")
    assert (over["state"], over["ended_by"], over["said"], over["result"], over["now"]) == (
        "approved", "the-safety_officer", "as discussed", 2, None,
    )  # fmt: skip
    status, again = await site.post(path, {}, Role.ADMINISTRATOR)
    assert (status, again["error"]["code"]) == (409, "over")
    assert acts(site) == ["change_proposed", "rules_changed"]


async def test_it_is_refused_with_a_reason_or_taken_back_by_its_maker(site: Site) -> None:
    first, second = await propose(site, setpoint=4.2), await propose(site, setpoint=4.3)
    status, no = await site.post(f"proposals/{first}/refuse", {"reason": "  "}, Role.SAFETY_OFFICER)
    assert status == 422
    status, no = await site.post(f"proposals/{first}/refuse", {"reason": "too near HH"}, Role.SAFETY_OFFICER)
    assert (status, no["proposal"]["state"], no["proposal"]["said"]) == (200, "refused", "too near HH")
    status, no = await site.post(f"proposals/{second}/withdraw", {"reason": "x"}, Role.ADMINISTRATOR)
    assert (status, no["error"]["code"]) == (409, "not_yours")
    status, back = await site.post(f"proposals/{second}/withdraw", {"reason": "a typing mistake"})
    assert (status, back["proposal"]["state"], back["proposal"]["ended_by"]) == (200, "withdrawn", "the-engineer")
    assert (await site.get(""))["revision"] == 1
    assert [each["state"] for each in (await site.get("/proposals"))["proposals"]] == ["withdrawn", "refused"]
    assert acts(site) == ["change_proposed", "change_proposed", "change_refused", "change_withdrawn"]


async def test_it_expires(site: Site) -> None:
    number = await propose(site, setpoint=4.2)
    clock = site.house.clock
    assert isinstance(clock, ManualClock)
    clock.advance_ns((2 * 3600 - 1) * 10**9)
    assert await site.house.proposals.expire() == 0
    clock.advance_ns(10**9)
    status, late = await site.post(f"proposals/{number}/approve", {}, Role.SAFETY_OFFICER)
    assert (status, late["error"]["code"]) == (409, "over")
    assert await site.house.proposals.expire() == 1
    assert (await site.get(f"/proposals/{number}"))["state"] == "expired"
    assert (await site.get(""))["waiting"] == 0
    assert acts(site)[-1] == "change_expired"


async def test_what_would_do_something_else_by_now_is_not_put_in_force(site: Site) -> None:
    one, other = await propose(site, setpoint=4.2), await propose(site, setpoint=4.3, tier="ORANGE")
    assert (await site.post(f"proposals/{one}/approve", {}, Role.SAFETY_OFFICER))[0] == 200
    now = (await site.get(f"/proposals/{other}"))["now"]
    assert (now["is_same"], now["changes"][0]["before"]["setpoint"]) == (False, 4.2)
    status, refused = await site.post(f"proposals/{other}/approve", {}, Role.SAFETY_OFFICER)
    assert (status, refused["error"]["code"]) == (409, "changed")
    assert (await site.get(f"/proposals/{other}"))["state"] == "open"


async def test_nothing_goes_past_the_policy(site: Site) -> None:
    wanted = Asked(changes=(Change(rule="TK.level.H", set={"setpoint": 4.2}),))
    with pytest.raises(NotApplied) as refusal:
        await site.house.rulebook.apply(wanted, By(who="li", reason="r", approved_by="wang"), None)
    assert refusal.value.code == "needs_approval"
    status, made = await site.post("revisions/1/undo", {"reason": "r", "expected": 1})
    assert status == 404, made  # nothing to go back to; that is told before anything waits
    for role in set(Role) - {Role.SAFETY_OFFICER, Role.ENGINEER, Role.ADMINISTRATOR}:
        for path, body in (("approve", {}), ("refuse", {"reason": "r"})):
            assert (await site.post(f"proposals/1/{path}", body, role))[0] == 403
    assert (await site.post("proposals/9/approve", {}, Role.SAFETY_OFFICER))[0] == 404
    assert (await site.post("apply", asked(setpoint=6)))[0] == 422


async def test_nobody_agrees_to_what_a_token_of_theirs_proposes_and_no_token_agrees(site: Site) -> None:
    now_ns = site.house.clock.wall_ns()
    with site.house.engine.begin() as connection:
        _, secret = make_token(connection, "plan", "engineer", "act", by="the-safety_officer", now_ns=now_ns, days=1)
    client = site.clients[Role.VIEWER]
    as_token = {"authorization": f"Bearer {secret}"}
    made = await client.post("/api/v1/rules/apply", json=asked(setpoint=4.2), headers=as_token)
    assert made.status_code == 202, made.text
    path = f"proposals/{made.json()['proposal']}/approve"
    assert (await client.post(f"/api/v1/rules/{path}", json={}, headers=as_token)).status_code == 403
    status, refused = await site.post(path, {}, Role.SAFETY_OFFICER)
    assert (status, refused["error"]["code"]) == (409, "same_person")
    assert (await site.post(path, {}, Role.ADMINISTRATOR))[0] == 200


async def test_turning_the_policy_off_is_a_change_like_any_other(site: Site, tmp_path: Path) -> None:
    text = (tmp_path / "site.toml").read_text(encoding="utf-8")
    (tmp_path / "site.toml").write_text(text.replace(NEEDED, ""), encoding="utf-8")
    status, made = await site.post("apply", {"files": True, "reason": "no more", "expected": 1})
    assert status == 202, made
    seen = await site.get(f"/proposals/{made['proposal']}")
    assert [(part["part"], part["after"]) for part in seen["parts"]] == [("approval", None)]
    assert (await site.post(f"proposals/{made['proposal']}/approve", {}, Role.SAFETY_OFFICER))[0] == 200
    assert (await site.get(""))["needs_approval"] is False
    assert (await site.post("apply", asked(2, setpoint=4.2)))[0] == 200
