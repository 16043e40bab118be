"""Tables of tags on the page: a wrong list is told cell by cell, a right one applied and undone; nobody else may."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import until
from tests.browser.test_rules_page import engineer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Plant, Visit

__all__ = ["engineer"]
pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

HEAD = "tag,title_en,title_zh,source,unit,kind,eu,range_lo,range_hi,period_s,H,stale_s\n"
ROW = "GD-319.lel,GD-319 gas,GD-319 可燃气体,gas,GL-301,gas,%LEL,-5,100,1,25,60\n"
SHOTS = os.environ.get("FENGSUI_SHOTS", "")  # A folder for pictures that a person looks at.


def shoot(one: Visit, name: str) -> None:
    if SHOTS:
        one.page.screenshot(path=str(Path(SHOTS) / f"{name}-{one.lang}.png"), full_page=True)


def look_at(one: Visit, text: str) -> None:
    """Choose a list and look at it."""
    content = {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    one.page.set_input_files(".tables input[type=file]", content)
    one.page.select_option(".tables select[name=into]", "tags/gas.csv")
    one.page.click(".tables form button.strong")


def names(plant: Plant) -> set[str]:
    return {tag["name"] for tag in plant.get("tags")["tags"]}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_list_is_refused_by_cell_then_applied_and_undone(
    visit: Callable[..., Visit], plant: Plant, engineer: str, lang: str
) -> None:
    one = visit(name=engineer, lang=lang)
    page = one.page
    one.go("rules?part=tables", ready=".tables form")
    shoot(one, "tables-empty")
    look_at(
        one, HEAD + ROW.replace(",gas,GL", ",gaz,GL") + ROW.replace("GD-319", "GD-318").replace(",25,60", ",2x5,60")
    )
    page.wait_for_selector(".mistakes tbody tr")
    rows = page.locator(".mistakes tbody tr").all_inner_texts()
    assert [[cell.strip() for cell in row.split("\t")][:3] for row in rows] == [
        ["list.csv", "2", "source"],
        ["list.csv", "3", "H"],
    ]
    assert ("数据源" if lang == "zh" else "does not exist") in rows[0]
    shoot(one, "tables-mistakes")

    revision = plant.get("rules")["revision"]
    look_at(one, HEAD + ROW)
    page.wait_for_selector(".looked button.strong:not([disabled])")
    assert "GD-319.lel" in page.inner_text(".looked")
    shoot(one, "tables-looked")
    page.click(".looked button.strong")
    page.fill("dialog textarea", "第九个探头 / a ninth detector")
    shoot(one, "tables-apply")
    page.click("dialog button.strong")
    page.wait_for_selector("main [role=status]")
    assert plant.get("rules")["revision"] == revision + 1
    assert "GD-319.lel" in names(plant)

    page.click("header .tabs [data-part=history]")
    page.click(".revision >> nth=0 >> button[aria-expanded]")
    page.wait_for_selector(".revision .difference")
    assert "GD-319.lel" in page.inner_text(".revision >> nth=0")
    shoot(one, "tables-history")
    page.click(".revision >> nth=1 >> .acts button:last-child")
    page.fill("dialog textarea", "back")
    page.click("dialog button.strong")
    until(lambda: "GD-319.lel" not in names(plant), "the tags as they were")
    assert one.complaints == []


def test_values_stand_under_their_own_tags_on_a_page_that_was_open(
    visit: Callable[..., Visit], plant: Plant, engineer: str
) -> None:
    """Rows of all tags behind the first table move; what an open page shows of a tank stays that tank's."""
    watching, acting = visit(), visit(name=engineer)
    watching.go("overview/TK-103", ready="main h1")
    acting.go("rules?part=tables", ready=".tables form")
    before = watching.page.inner_text("main h1")

    def is_right() -> bool:
        latest = plant.get("values/latest", tag="TK-103.level")["values"][0]["value"]
        return f"{latest:.1f}" in watching.page.inner_text("main")

    until(is_right, "the tank's own level")
    look_at(acting, HEAD + ROW)
    acting.page.wait_for_selector(".looked button.strong:not([disabled])")
    acting.page.click(".looked button.strong")
    acting.page.fill("dialog textarea", "a ninth detector")
    acting.page.click("dialog button.strong")
    acting.page.wait_for_selector("main [role=status]")

    until(is_right, "the tank's own level after the reload")
    assert watching.page.inner_text("main h1") == before
    number = plant.get("rules")["revision"]
    acting.page.click("header .tabs [data-part=history]")
    acting.page.click(".revision >> nth=1 >> .acts button:last-child")
    acting.page.fill("dialog textarea", "back")
    acting.page.click("dialog button.strong")
    until(lambda: plant.get("rules")["revision"] == number + 1, "the undo")
    assert watching.complaints == acting.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_registers_are_looked_at_and_a_loop_is_signed_and_printed(
    visit: Callable[..., Visit], plant: Plant, engineer: str, lang: str
) -> None:
    one = visit(name=engineer, lang=lang)
    page = one.page
    one.go("field?part=probe", ready="form.ask")
    page.fill("input[name=count]", "2")

    def looked() -> bool:  # One look each two seconds, whoever asks: the other language's may have been just now.
        page.click("form.ask button.strong")
        page.wait_for_selector("table.raw tbody tr td.mono, .problem")
        return page.locator("table.raw tbody tr td.mono").count() > 0

    until(looked, "a look at registers")
    shoot(one, "probe")
    page.select_option("form.ask select[name=source]", "-")
    page.fill("input[name=host]", "192.0.2.1")  # RFC 5737: an address of nobody, and none of the site's.
    page.click("form.ask button.strong")
    page.wait_for_selector(".problem")
    assert "192.0.2.1" in page.inner_text(".problem")
    assert page.locator("table.raw").count() == 0, "what was seen before answers another question"
    one.complaints = [
        said for said in one.complaints if not {"403", "409", "429"} & set(said.replace(")", " ").split())
    ]  # As it must be.

    one.go("field?part=delivery", ready=".strip")
    page.locator(".strip").first.click()
    page.wait_for_selector(".told")
    assert "tankfarm-1" in page.locator(".rows .row").nth(1).inner_text()

    tag = {"en": "TK-101.level", "zh": "TK-102.level"}[lang]
    one.go("field?part=checkout", ready=".find")
    page.fill("input[name=q]", tag)
    page.locator("button.choice", has_text=tag).click()
    page.wait_for_selector(".loop dl.now")
    if page.locator("input[name=accept]").count():
        page.check("input[name=accept]")
    page.locator(".loop form button.strong").click()
    page.fill("input[name=injected]", "1.625")
    page.locator(".loop form button[type=submit]").click()
    page.wait_for_selector(".record tbody tr")
    page.fill("input[name=comment]", "as it should be")
    page.locator(".loop form button.strong").click()
    until(lambda: plant.get("checkout/tag", tag=tag)["state"] == "checked", "the check-out is signed")
    page.wait_for_selector(".loop input[name=minutes]")
    page.emulate_media(media="print")
    shoot(one, "checkout-printed")
    printed = page.inner_text("body")
    assert all(said in printed for said in (tag, "as it should be", engineer, "1.625")), printed
    assert page.is_visible(".loop .sign-line")
    assert page.is_visible(".loop .sheet")
    assert not page.is_visible(".loop form")


def test_who_may_not_change_sees_the_tables_only(visit: Callable[..., Visit]) -> None:
    one = visit(name="guest", phone=True)
    one.go("rules?part=tables", ready=".tables .line")
    shoot(one, "tables-guest-phone")
    assert one.page.locator(".tables form").count() == 0
    assert one.page.locator(".tables a").count() == 0
