"""The page of alarm load in Chromium: figures beside targets, a plot, reports; in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import shows
from tests.browser.test_roster_page import SAFE, plant, plant_rings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Plant, Visit

__all__ = ["plant"]
pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]


@pytest.mark.parametrize(("lang", "words"), [("en", ("missed", "Red")), ("zh", ("未达标", "红"))])
def test_figures_stand_beside_their_targets(
    visit: Callable[..., Visit], plant: Plant, lang: str, words: tuple[str, str]
) -> None:
    plant_rings(plant)
    safe = visit(name=SAFE, lang=lang)
    safe.go("kpi", ready="main canvas")
    peak = safe.page.inner_text("li[data-figure=peak_10_min]")

    assert words[0] in peak, "a silent plant rings more than ten alarms at once"
    assert "≤ 10" in peak
    shows(safe.page.locator("main"), words[1])
    with safe.page.expect_download() as told:
        safe.page.click("a[href*='form=html']")
    assert told.value.suggested_filename.endswith(".html")
    assert safe.complaints == []


def test_a_phone_shows_it_without_scrolling_sideways(visit: Callable[..., Visit]) -> None:
    safe = visit(name=SAFE, phone=True, lang="zh")
    safe.go("kpi", ready="li[data-figure]")

    main = "document.querySelector('main')"
    assert safe.page.evaluate(f"{main}.scrollWidth - {main}.clientWidth") <= 0
    assert safe.complaints == []
