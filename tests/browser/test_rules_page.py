"""The rules page in Chromium: find a rule, change it wrongly and rightly, try it on history, apply it, go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.clock_system import SystemClock
from gateway.auth import add_user
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import PASSWORD, shows, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Route

    from tests.browser.conftest import Plant, Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

ENGINEER = "chen.gong"
RULE = "TK-103.level.HH"


@pytest.fixture(scope="module")
def engineer(plant: Plant) -> str:
    engine = open_store(store_url(plant.stage.data))
    add_user(engine, SystemClock(), ENGINEER, "engineer", PASSWORD)
    engine.dispose()
    return ENGINEER


def rule_of(plant: Plant) -> dict[str, Any]:
    (found,) = [rule for rule in plant.get("rules", q=RULE)["rules"] if rule["id"] == RULE]
    return dict(found)


def pick_rule(one: Visit) -> None:
    one.go("rules", ready="main .rule")
    one.page.fill("input[name=q]", RULE)
    one.page.wait_for_selector("main .list li:only-child .rule")
    one.page.click("main .rule")
    one.page.wait_for_selector(".editor")


#: The reason of an advice; the history of a plant that has just started is too short for one of its own.
SAID = {"zh": "38 次上升正常停止于 4.1 m", "en": "38 fills normally stop at 4.1 m"}


def with_advice(route: Route, rule: dict[str, Any], proposed: float) -> None:
    """Let the trial's answer hold a piece of advice."""
    answer = route.fetch()
    content = answer.json()
    trial = content.get("trial")
    if trial and trial.get("result"):
        trial["result"]["advice"] = [
            {
                "rule": rule["id"], "tag": rule["tag"], "kind": rule["kind"], "field": "setpoint",
                "now": rule["table"]["setpoint"], "proposed": proposed, "eu": rule["eu"], "reason": SAID,
            }
        ]  # fmt: skip
    route.fulfill(response=answer, json=content)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_rule_is_changed_tried_applied_and_brought_back(
    visit: Callable[..., Visit], plant: Plant, engineer: str, lang: str
) -> None:
    before = rule_of(plant)
    one = visit(name=engineer, lang=lang)
    page = one.page
    pick_rule(one)
    page.fill(".editor input[name=setpoint]", "0.001")
    page.press(".editor input[name=setpoint]", "Tab")
    page.wait_for_selector(".editor label [role=alert]")
    assert page.get_attribute(".editor input[name=setpoint]", "aria-invalid") == "true"
    assert page.is_disabled(".bar button.strong")

    wanted = round(before["table"]["setpoint"] - 0.05, 3)
    page.fill(".editor input[name=setpoint]", str(wanted))
    page.press(".editor input[name=setpoint]", "Tab")
    page.wait_for_selector(".bar button.strong:not([disabled])")
    page.click(".bar .acts button:nth-child(2)")
    advised = round(before["table"]["setpoint"] - 0.02, 3)
    page.route("**/api/v1/rules/backtest", lambda route: with_advice(route, before, advised))
    page.select_option(".trial select", "8")
    page.click(".trial button.strong")
    page.wait_for_selector(".trial table.figures", timeout=60_000)
    assert page.locator(".trial svg path.course").count() >= 1
    assert SAID[lang] in page.inner_text(".trial .advice")
    page.click(".trial .advice li button")
    assert page.input_value(".editor input[name=setpoint]") == str(advised)
    assert page.is_disabled(".trial .advice li button")
    page.fill(".editor input[name=setpoint]", str(wanted))
    page.press(".editor input[name=setpoint]", "Tab")
    page.wait_for_selector(".bar button.strong:not([disabled])")
    page.click(".trial header button")

    revision = plant.get("rules")["revision"]
    page.click(".bar button.strong")
    page.click("dialog button.strong")
    page.wait_for_selector("dialog [role=alert]")  # a reason is asked for
    page.fill("dialog textarea", "稳妥起见 / to be safe")
    page.click("dialog button.strong")
    page.wait_for_selector("main [role=status]")
    now = rule_of(plant)
    assert (now["table"]["setpoint"], now["revision"], now["is_changed"]) == (wanted, revision + 1, True)

    page.click("header .tabs [data-part=history]")
    page.wait_for_selector(".revision")
    page.click(".revision >> nth=0 >> button[aria-expanded]")
    page.wait_for_selector(".revision .difference .after")
    assert f"{wanted:g}" in page.inner_text(".revision .difference .after")
    page.click(".revision >> nth=1 >> .acts button:last-child")
    page.fill("dialog textarea", "back")
    page.click("dialog button.strong")
    until(lambda: rule_of(plant)["table"] == before["table"], "the rule as it was")
    assert rule_of(plant)["revision"] == revision + 2
    assert one.complaints == []


def test_who_may_not_change_rules_reads_them(visit: Callable[..., Visit]) -> None:
    one = visit(name="guest")
    pick_rule(one)
    assert one.page.is_disabled(".editor input[name=setpoint]")
    shows(one.page.locator(".editor"), "Engineers and administrators")


def test_two_at_once_the_second_is_told(visit: Callable[..., Visit], plant: Plant, engineer: str) -> None:
    first, second = visit(name=engineer), visit(name=engineer)
    base = rule_of(plant)["table"]["setpoint"]
    for one, value in ((first, base - 0.01), (second, base - 0.02)):
        pick_rule(one)
        one.page.fill(".editor input[name=setpoint]", f"{value:.3f}")
        one.page.press(".editor input[name=setpoint]", "Tab")
        one.page.wait_for_selector(".bar button.strong:not([disabled])")
    for one in (first, second):
        one.page.click(".bar button.strong")
        one.page.fill("dialog textarea", "at once")
        one.page.click("dialog button.strong")
        one.page.wait_for_selector("main [role=status]" if one is first else "dialog [role=alert]")
    shows(second.page.locator("dialog [role=alert]"), "is in force, not")
    shows(second.page.locator("dialog [role=alert]"), RULE)
    second.complaints = [said for said in second.complaints if "409" not in said]
    assert second.complaints == []


@pytest.mark.parametrize(
    ("lang", "bare", "head"),
    [("en", "have no response", "Rule,What to do (English)"), ("zh", "未写明处置措施", "规则,处置措施(英文)")],
)
def test_the_alarm_list_flags_what_is_missing_and_takes_a_sheet_back(
    visit: Callable[..., Visit], plant: Plant, engineer: str, lang: str, bare: str, head: str
) -> None:
    one = visit(name=engineer, lang=lang)
    one.go("rules?part=list&missing=response", ready=".alarm-list")
    page = one.page
    until(lambda: page.locator(".alarm-list tbody tr, .alarm-list .empty").count() > 0, "the list")
    before = plant.get("alarm-list")["counts"]["without"]["response"]
    if before > 1:
        assert bare in page.inner_text(".alarm-list [data-fact=without-response]")
    with page.expect_download() as got:
        page.click(".alarm-list .links a")
    assert got.value.suggested_filename.endswith(".xlsx")
    text = f"{head}\n{RULE},Close XV-103 ({lang})\nTK-103.level.NO,x\n"
    sheet = {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("input[name=list]", sheet)  # type: ignore[arg-type]
    page.click("[data-part=bring-in] form button")
    page.wait_for_selector("[data-part=bring-in] li:has-text('TK-103.level.NO')")
    sheet["buffer"] = text.rsplit("\n", 2)[0].encode()
    page.set_input_files("input[name=list]", sheet)  # type: ignore[arg-type]
    page.click("[data-part=bring-in] form button")
    page.click("[data-part=bring-in] > button.strong")
    page.fill("dialog textarea", "rationalisation")
    page.click("dialog button.strong")
    until(lambda: rule_of(plant)["table"].get("response", {}).get("en") == f"Close XV-103 ({lang})", "the new text")
    one.go("kpi", ready="[data-fact=without-response]")
    assert one.complaints == []
