"""The ledger in Chromium, in both languages: what was answered, a dry run, sending again, the signed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.push.inspection import inspect
from tests.browser.conftest import shows, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Plant, Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

WORDS = {
    "en": ("Ledger of notices", "Answers and acts", "confirmed", "same text", "Send again", "sent again"),
    "zh": ("推送台账", "应答与操作", "已回执", "内容相同", "重发", "重发"),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_notice_is_followed_from_its_text_to_its_receipt(
    plant: Plant, visit: Callable[..., Visit], lang: str
) -> None:
    until(lambda: plant.get("push/ledger", state="delivered")["notices"], "a confirmed notice")
    title, answers, confirmed, same, resend, resent = WORDS[lang]
    one = visit(lang=lang)
    one.go("push/ledger", ready="main .line")
    assert title in one.text()
    one.page.select_option("select[name=state]", "delivered")
    one.page.wait_for_selector("main .line")
    one.page.click("main .line >> nth=0")
    one.page.wait_for_selector(".entry .answers li")
    told = one.page.inner_text(".entry")
    assert answers in told
    assert confirmed in told
    one.page.click(".entry .row button >> nth=0")
    one.page.wait_for_selector(f".entry >> text={same}")
    one.page.click(f".entry .row button >> text={resend}")
    one.page.fill("dialog textarea", "asked for by telephone")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(".entry .answers >> text=asked for by telephone")
    shows(one.page.locator(".entry .answers"), resent)
    assert one.complaints == []


def test_the_signed_file_is_what_an_inspector_gets(plant: Plant, visit: Callable[..., Visit]) -> None:
    one = visit()
    one.go("push/ledger", ready="main .line")
    href = one.page.get_attribute("a[download]", "href")
    session = {"fengsui_session": plant.session("zhang.min")}
    answer = httpx.get(f"{plant.stage.page}/{href}", cookies=session, timeout=20)
    found = inspect(answer.content)
    assert found.findings == ()
    assert found.notices > 0


def test_a_viewer_reads_and_sends_nothing_and_a_phone_shows_it(plant: Plant, visit: Callable[..., Visit]) -> None:
    until(lambda: plant.get("push/ledger")["notices"], "a notice")
    one = visit(name="guest", phone=True)
    one.go("push/ledger", ready="main .line")
    one.page.click("main .line >> nth=0")
    one.page.wait_for_selector(".entry h3")
    assert one.page.locator(".entry .row button").count() == 1  # the dry run alone
    assert one.page.locator("a[download]").count() == 0
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []
