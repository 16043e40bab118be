"""Plans and cards through their doors: matched and explained, rivals refused, printed or refused without a font."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.model.tier import Tier
from gateway.report import pdf
from tests.integration.test_register_api import (
    AT,
    CARD,
    CHLORINE,
    EMERGENCY,
    PLANT,
    UNIT,
    Desk,
    desk,
    enter,
    sheet_of,
)  # fmt: skip

__all__ = ["desk"]
DOOR = "/api/v1/response/plans"


async def refused(li: httpx.AsyncClient, path: str, body: dict[str, Any]) -> list[str]:
    answer = await li.post(path, json=body)
    assert answer.status_code == 422, answer.text
    details = answer.json()["error"]["details"]
    assert details["zh"]
    return [one["rule"]["en"] for one in details["wrongs"]]


async def test_the_plan_that_fits_best_is_told_with_its_reasons_and_cards(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    for ledger, values in (("enterprises", PLANT), ("units", UNIT), ("holdings", CHLORINE), ("plans", EMERGENCY)):
        await enter(li, ledger, values)
    await enter(li, "plans", {**EMERGENCY, "code": "EP-2", "name": "chlorine", "substance": "7782-50-5"})
    await enter(li, "plans", {**EMERGENCY, "code": "EP-3", "name": "red", "tier": "RED", "valid_until": "2025-12-31"})
    await enter(li, "post_cards", CARD)
    await enter(li, "post_cards", {**CARD, "code": "CARD-2", "plan": "EP-2"})
    desk.house.picture.tiers["U-1"] = Tier.ORANGE

    told = (await op.get(f"{DOOR}/match", params={"unit": "U-1"})).json()
    assert (told["tier"], [one["code"] for one in told["fits"]]) == ("ORANGE", ["EP-2", "EP-1"])
    assert "7782-50-5" in told["fits"][0]["reasons"][1]["zh"]
    assert [(one["code"], one["why"]["en"]) for one in told["others"]] == [("EP-3", "it begins at RED")]
    assert [one["code"] for one in told["cards"]] == ["CARD-2", "CARD-1"]
    assert (await op.get(f"{DOOR}/match", params={"unit": "U-9"})).status_code == 404
    assert (await op.get(f"{DOOR}/match", params={"unit": "U-1", "condition": "MOON"})).status_code == 422

    book = (await op.get(DOOR)).json()
    assert [(one["code"], one["is_past"], len(one["steps"])) for one in book["plans"]] == [
        ("EP-1", False, 3), ("EP-2", False, 3), ("EP-3", True, 3),
    ]  # fmt: skip
    assert book["plans"][0]["steps"][2]["needs"] == [[{"step": "2", "answer": "yes"}]]
    forbidden = await op.post(f"{AT}/plans", json={"values": {**EMERGENCY, "code": "X"}, "reason": "x"})
    assert forbidden.status_code == 403


async def test_of_two_plans_that_fit_equally_well_the_second_is_refused_wherever_it_comes_from(desk: Desk) -> None:
    li = await desk.come("li")
    first = await enter(li, "plans", EMERGENCY)
    second = {**EMERGENCY, "code": "EP-2"}
    rule = ["plan EP-1 fits equally well: the same unit, substance, condition and tier"]
    assert await refused(li, f"{AT}/plans", {"values": second, "reason": "x"}) == rule
    unknown = {**second, "substance": "7664-41-7"}
    assert await refused(li, f"{AT}/plans", {"values": unknown, "reason": "x"}) == [
        "no unit holds this substance by the register"
    ]
    heads = list(second)
    content = sheet_of(
        [heads, [second[name] for name in heads], [*({**second, "code": "EP-4"}[name] for name in heads)]]
    )
    look = (await li.post(f"{AT}/plans/look", params={"name": "a.xlsx"}, content=content)).json()
    assert [(one["row"], one["rule"]["en"][:7]) for one in look["mistakes"]] == [(2, "plan EP"), (3, "plan EP")]

    gone = f"{AT}/plans/{first['id']}"
    assert (await li.post(f"{gone}/remove", json={"revision": 1, "reason": "old"})).status_code == 200
    await enter(li, "plans", second)
    assert "EP-2" in (await refused(li, f"{gone}/restore", {"revision": 2, "reason": "back"}))[0]


async def test_a_plan_and_a_card_are_printed_and_refused_without_a_font(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    li = await desk.come("li")
    await enter(li, "plans", EMERGENCY)
    await enter(li, "post_cards", {**CARD, "plan": "EP-1"})
    for path in (f"{DOOR}/EP-1/print", "/api/v1/response/cards/CARD-1/print"):
        answer = await li.get(path, params={"lang": "zh"})
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
    assert (await li.get(f"{DOOR}/EP-9/print")).status_code == 404
    assert (await li.get("/api/v1/response/cards/EP-1/print")).status_code == 404

    def none(*_: object, **__: object) -> list[str]:
        return []

    monkeypatch.setattr(pdf, "_families", none)
    refused = await li.get(f"{DOOR}/EP-1/print")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_font")
