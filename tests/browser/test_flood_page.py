"""A flood on the page, in both languages: said aloud with its first-out; the gravest stay rows of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Plant, Visit, until

if TYPE_CHECKING:
    from collections.abc import Callable

SITE_EDITS = {"begins_above = 500": "begins_above = 2"}


@pytest.mark.parametrize(
    ("lang", "phone", "said"),
    [("en", False, "Alarm flood since"), ("zh", True, "报警泛滥")],
    ids=["en-desk", "zh-phone"],
)
def test_a_flood_is_said_with_its_first_out_and_hides_nothing(
    visit: Callable[..., Visit], plant: Plant, lang: str, phone: bool, said: str
) -> None:
    (flood,) = until(lambda: plant.get("floods", state="open")["floods"], "a flood")
    assert flood["count"] == sum(unit["count"] for unit in flood["units"]) >= 3
    assert flood["first"]["time"] == min(unit["first"]["time"] for unit in flood["units"])
    one = visit(lang=lang, phone=phone)
    one.go("alarms", ready=".banner.flood")
    banner = one.page.inner_text(".banner.flood")
    assert said in banner

    first = next(one for one in plant.get("tags")["tags"] if one["name"] == flood["first"]["tag"])
    assert (first["title"].get(lang) or first["name"]) in banner
    folded = one.page.evaluate(
        "() => [...document.querySelectorAll('.fold svg')].map((mark) => mark.getAttribute('class'))"
    )
    assert not [name for name in folded if name and ("RED" in name or "ORANGE" in name)]
    assert one.complaints == []
