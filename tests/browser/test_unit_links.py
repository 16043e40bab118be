"""Links of a unit: those that a browser opens open apart and tell nothing; all others are text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Route

    from tests.browser.conftest import Plant, Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

LINKS = [
    {"title": {"en": "Camera at the bund", "zh": "围堰摄像机"}, "url": "https://video.example/1"},
    {"title": {"en": "Stream", "zh": "码流"}, "url": "rtsp://video.example/2"},
    {"title": {"en": "Not one", "zh": "无效"}, "url": "javascript:document.title='taken'"},
]
WORDS = {"en": ("Views", "open in a player"), "zh": ("视频画面", "用播放器打开")}


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_links_lead_away_and_take_nothing_along(
    visit: Callable[..., Visit],
    plant: Plant,
    lang: str,
    phone: bool,
) -> None:
    one = visit(lang=lang, phone=phone)
    named = plant.get("units")["units"][0]["id"]

    def with_links(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        told["units"][0]["links"] = LINKS
        route.fulfill(response=answer, body=json.dumps(told))

    one.page.route("**/api/v1/units", with_links)
    one.go(f"overview/{named}")
    one.page.reload()
    section = one.page.locator("section.links")
    section.wait_for()
    text = section.inner_text()
    assert all(word in text for word in WORDS[lang])
    assert all(link["title"][lang] in text for link in LINKS)  # type: ignore[index]
    anchors = section.locator("a")
    assert anchors.count() == 1, "only http and https are followed"
    assert anchors.get_attribute("href") == "https://video.example/1"
    assert set((anchors.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
    assert (anchors.get_attribute("target"), anchors.get_attribute("referrerpolicy")) == ("_blank", "no-referrer")
    assert "rtsp://video.example/2" in text
    width = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, "nothing scrolls sideways"
