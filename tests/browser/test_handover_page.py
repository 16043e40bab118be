"""The page of handovers in Chromium: one goes, one comes, both sign at one screen; a call check is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import PASSWORD
from tests.browser.test_roster_page import SAFE, WANG, days_of, plant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit

__all__ = ["plant"]
pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]


@pytest.mark.parametrize(("lang", "signed"), [("en", "signed by both"), ("zh", "双方已签")])
def test_who_goes_and_who_comes_sign_at_one_screen(visit: Callable[..., Visit], lang: str, signed: str) -> None:
    wang = visit(name=WANG, lang=lang)
    wang.go("handover", ready="form.give")
    wang.page.select_option("select[name=post]", "control-room")
    wang.page.select_option("select[name=to]", SAFE)
    wang.page.fill("textarea[name=notes]", "泵 2 有异响 / pump 2 hums")
    wang.page.fill("input[name=password]", "not my password")
    wang.page.click("form.give button[type=submit]")
    wang.page.wait_for_selector("main .told")
    wang.page.fill("input[name=password]", PASSWORD)
    wang.page.click("form.give button[type=submit]")

    wang.page.wait_for_selector("section[data-handover]")
    assert wang.page.input_value("input[name=taker]") == SAFE
    wang.page.fill("input[name=takerPassword]", PASSWORD)
    wang.page.click("section[data-handover] button[type=submit]")
    wang.page.wait_for_selector("article dl")

    told = wang.page.inner_text("article")
    assert signed in told
    assert "pump 2 hums" in told
    assert WANG in told
    assert SAFE in told
    assert [one for one in wang.complaints if "409" not in one] == []


def test_a_call_check_is_answered_with_one_click_on_a_phone(visit: Callable[..., Visit]) -> None:
    safe = visit(name=SAFE)
    safe.go("roster", ready="td[data-cell]")
    today = days_of(safe)[0]
    for shift in ("day", "night"):
        safe.page.evaluate(
            """async ([date, shift, person]) => fetch("api/v1/roster", {method: "POST", headers:
            {"X-Fengsui-Request": "1", "Content-Type": "application/json"},
            body: JSON.stringify({date, shift, post: "control-room", person})})""",
            [today, shift, WANG],
        )
    safe.page.evaluate(
        """async ([date, person]) => { const d = new Date(date + "T00:00:00Z"); d.setUTCDate(d.getUTCDate() - 1);
        await fetch("api/v1/roster", {method: "POST", headers: {"X-Fengsui-Request": "1",
        "Content-Type": "application/json"}, body: JSON.stringify({date: d.toISOString().slice(0, 10), shift: "night",
        post: "control-room", person})}) }""",
        [today, WANG],
    )
    safe.go("handover?part=check", ready="input[name=minutes]")
    safe.page.click("main form button[type=submit]")
    safe.page.wait_for_selector("section[data-check]")

    wang = visit(name=WANG, phone=True, lang="zh")
    wang.page.wait_for_selector(".banners button[name=here]")
    wang.page.click(".banners button[name=here]")
    wang.page.wait_for_selector(".banners button[name=here]", state="detached")
    safe.page.wait_for_selector("section[data-check]:has-text('answered')")
    assert wang.complaints == []
