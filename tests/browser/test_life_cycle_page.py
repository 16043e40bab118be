"""Acts of the life cycle in a browser, in both languages: out of service under a permit, many at once, the horn."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import SECOND, Plant, Visit, paused, shows, until

if TYPE_CHECKING:
    from collections.abc import Callable

#: A PNG of one pixel.
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SITE_MORE = """
[out_of_service]
permit_from = "BLUE"
max_hours = { RED = 24 }

[second_person]
shelve = "BLUE"

[approval]
required = true

[[suppression]]
id = "tk103"
when = "GD-311.lel > -5"
tags = ["TK-103.level"]
groups = ["high"]
tier_most = "RED"
reason = { en = "tank is being cleaned", zh = "储罐清洗" }
"""


def standing(plant: Plant, count: int) -> list[dict[str, Any]]:
    """Alarms that are neither suppressed nor of the gateway itself."""

    def found() -> list[dict[str, Any]]:
        mine = [one for one in plant.alarms() if one["suppression"] == "none" and one["unit"] != "fengsui"]
        mine = [one for one in mine if one["tag"] and one["group"] not in ("stale", "bad")]  # Those are folded.
        return mine if len(mine) >= count else []

    return until(found, f"{count} alarms")[:count]


def choose(one: Visit, alarms: list[dict[str, Any]]) -> None:
    """Choose rows as a person does, the first by a click and the others with Ctrl."""
    for n, alarm in enumerate(alarms):
        one.page.locator(f".row[data-alarm='{alarm['key']}'] .what").click(modifiers=["Control"] if n else [])


@pytest.mark.parametrize(
    ("lang", "suppressed", "permit"),
    [("en", "Suppressed", "permit PTW-2026-7"), ("zh", "已抑制", "作业票 PTW-2026-7")],
    ids=["en", "zh"],
)
def test_many_go_out_of_service_under_a_permit_and_come_back(
    visit: Callable[..., Visit], plant: Plant, lang: str, suppressed: str, permit: str
) -> None:
    with paused(plant.devices):
        chosen = standing(plant, 3)
        tags = {one["tag"] for one in chosen}
        one = visit(lang=lang)
        one.go("alarms", ready=".row")
        choose(one, chosen)
        one.page.click("header [data-act=suppress]")
        one.page.fill("dialog textarea", "transmitters to the workshop")
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog [role=alert]")
        assert plant.get("alarms", state="out_of_service")["alarms"] == [], "refused on the page without a permit"
        one.page.fill("dialog input[name=permit]", "PTW-2026-7")
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        away = plant.get("alarms", state="out_of_service")["alarms"]
        assert {alarm["tag"] for alarm in away} >= tags
        assert {(alarm["permit"], alarm["suppressed_by"]) for alarm in away} == {("PTW-2026-7", "zhang.min")}
        acts = [one["act"] for one in plant.get("audit")["acts"]]
        suppressed_by_us = [act for act in acts if act.get("action") == "suppress" and act["refused"] is None]
        assert len({act["batch"] for act in suppressed_by_us[: len(away)]}) == 1

        one.page.click(f"header button:text-is('{suppressed}')")
        one.page.locator(".row").first.wait_for()
        assert permit in one.page.locator(".row").first.locator(".state").get_attribute("title")
        choose(one, chosen)
        one.page.click("header [data-act=extend]")
        assert one.page.input_value("dialog input[name=permit]") == "PTW-2026-7"
        one.page.fill("dialog textarea", "spare part is late")
        one.page.locator("dialog .presets button").last.click()
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        before, later = (
            {alarm["key"]: alarm["suppressed_until"] for alarm in listed}
            for listed in (away, plant.get("alarms", state="out_of_service")["alarms"])
        )
        assert all(later[alarm["key"]] > before[alarm["key"]] for alarm in chosen)  # Not what else rings on the tag.

        one.page.click("header [data-act=unsuppress]")
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        assert plant.get("alarms", state="out_of_service")["alarms"] == []
        assert one.complaints == []


def test_who_silences_the_horn_silences_it_for_the_other_screens_too(visit: Callable[..., Visit], plant: Plant) -> None:
    one, other = visit(), visit(lang="zh")
    for screen in (one, other):
        screen.page.wait_for_selector("[data-horn=ringing]")

    def is_hushed() -> bool:  # Only the one screen is ever touched; what rings anew meanwhile is silenced there too.
        if one.page.locator("[data-horn=ringing]").count():
            one.page.click("[data-horn=ringing]")
        return other.page.locator("[data-horn=quiet]").count() > 0

    until(is_hushed, "quiet at the other screen")
    silenced = [alarm for alarm in plant.alarms() if alarm["silenced_by"]]
    assert silenced
    assert {(alarm["silenced_by"], alarm["acked_by"]) for alarm in silenced} == {("zhang.min", "")}
    assert {alarm["state"] for alarm in silenced} <= {"UNACK", "RTN_UNACK"}
    assert one.complaints == other.complaints == []


@pytest.mark.parametrize(
    ("lang", "waits", "confirm"),
    [("en", "waits for a second person", "Confirm"), ("zh", "待第二人", "确认同意")],
    ids=["en", "zh"],
)
def test_a_second_person_confirms_what_the_first_may_not(
    visit: Callable[..., Visit], plant: Plant, lang: str, waits: str, confirm: str
) -> None:
    with paused(plant.devices):
        (alarm,) = standing(plant, 1)
        one, other = visit(lang=lang), visit(lang=lang, name=SECOND)
        one.go("alarms", ready=".row")
        choose(one, [alarm])
        one.page.keyboard.press("s")
        one.page.fill("dialog textarea", "valve is being closed")
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector(f"dialog [role=status]:has-text('{waits}')")
        one.page.keyboard.press("Escape")
        other.page.wait_for_selector(f".banner:has-text('{waits}')")
        (waiting,) = plant.get("requests")["requests"]
        assert (waiting["who"], waiting["action"], waiting["reason"]) == (
            "zhang.min",
            "shelve",
            "valve is being closed",
        )

        one.go("alarms?view=requests", ready="[data-request]")
        assert one.page.locator("[data-act=confirm]").count() == 0, "not by the same person"
        other.page.click(".banner a")
        other.page.get_by_role("button", name=confirm, exact=True).click()
        other.page.locator("[data-request]").wait_for(state="detached")
        (shelved,) = plant.get("alarms", state="shelved")["alarms"]
        assert (shelved["suppressed_by"], shelved["key"]) == ("zhang.min", alarm["key"])
        (event,) = [
            event
            for event in plant.get("events", alarm=shelved["id"])["events"]
            if event["event"] == "shelved" and event["cause"].get("confirmed_by")
        ][:1]
        assert event["cause"]["confirmed_by"] == SECOND
        one.go("alarms?view=suppressed", ready=".row")
        one.page.locator(".row button.plain").first.click()
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        assert one.complaints == other.complaints == []


@pytest.mark.parametrize(
    ("lang", "holds", "reason"),
    [("en", "holds now", "by design: tank is being cleaned"), ("zh", "当前成立", "设计抑制：储罐清洗")],
    ids=["en", "zh"],
)
def test_what_a_state_keeps_quiet_is_listed_with_its_reason(
    visit: Callable[..., Visit], plant: Plant, lang: str, holds: str, reason: str
) -> None:
    until(lambda: plant.get("alarms", state="by_design")["alarms"], "a high level that is quiet by design")
    one = visit(lang=lang)
    one.go("alarms?view=suppressed", ready="[data-design=tk103]")
    shows(one.page.locator("[data-design=tk103]"), holds)
    one.page.wait_for_selector(f".row:has-text('{reason}')")
    assert one.complaints == []


@pytest.mark.parametrize(
    ("lang", "runs", "over"),
    [("en", "runs", "over by zhang.min"), ("zh", "进行中", "已结束：zhang.min")],
    ids=["en", "zh"],
)
def test_a_device_is_declared_down_and_back(
    visit: Callable[..., Visit], plant: Plant, lang: str, runs: str, over: str
) -> None:
    one = visit(lang=lang)
    one.go("overview/GL-301", ready="[data-part=stops] button[name=declare]")
    one.page.click("[data-part=stops] button[name=declare]")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog [role=alert]")
    assert plant.get("stops", unit="GL-301")["stops"] == [], "refused on the page without a reason"
    one.page.fill("dialog textarea", "valve is changed")
    one.page.fill("dialog input[name=permit]", "PTW-2026-8")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.page.wait_for_selector("[data-stop][data-state=running]")
    said = one.page.inner_text("[data-stop]")
    assert (runs in said, "PTW-2026-8" in said) == (True, True)
    (stop,) = plant.get("stops", unit="GL-301")["stops"]
    one.go("alarms?view=suppressed", ready=f"[data-stop='{stop['id']}']")
    one.go("overview/GL-301", ready="[data-stop]")
    one.page.click("[data-stop] button[name=resume]")
    one.page.fill("dialog textarea", "valve is new")
    one.page.click("dialog button[type=submit]")
    one.page.locator("[data-stop]").wait_for(state="detached")
    one.page.locator("[data-part=stops] summary").click()
    one.page.wait_for_selector(f"[data-part=stops] details :text('{over}')")
    assert {(one["who"], one["over_by"], one["note"]) for one in plant.get("stops", state="over")["stops"]} == {
        ("zhang.min", "zhang.min", "valve is new")
    }
    assert one.complaints == []


#: One grey pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.mark.parametrize(
    ("lang", "phone", "need", "short"),
    [("en", False, "Choose what it was", "instrument"), ("zh", True, "请选择原因类别", "仪表")],
    ids=["en-desk", "zh-phone"],
)
def test_a_disposal_is_written_with_a_photo(
    visit: Callable[..., Visit], plant: Plant, lang: str, phone: bool, need: str, short: str
) -> None:
    waiting = until(lambda: plant.get("disposals")["disposals"], "an alarm that waits for its disposal")[0]
    one = visit(lang=lang, phone=phone)
    one.go("response?view=disposals", ready="[data-disposal]")
    one.page.locator(f"[data-disposal='{waiting['alarm']}'] button").click()
    one.page.wait_for_selector("dialog input[name=cause]")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(f"dialog [role=alert]:has-text('{need}')")
    one.page.set_input_files(
        "dialog input[name=photo]", {"name": "x.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    )
    one.page.wait_for_selector("dialog [role=alert]:has-text('PNG')")
    one.page.set_input_files("dialog input[name=photo]", {"name": "x.png", "mimeType": "image/png", "buffer": PNG})
    shown = "() => document.querySelector('dialog .photos img')?.naturalWidth"
    until(lambda: one.page.evaluate(shown) == 1, "the picture")
    one.page.check("dialog input[value=instrument]")
    one.page.fill("dialog textarea[name=finding]", "probe <b>was</b> wet")
    one.page.fill("dialog textarea[name=measures]", "dried and checked")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog button[type=submit]", state="detached")
    if one.page.locator("dialog").count():  # It says how many authorities were told.
        one.page.locator("dialog .ends button").first.click()
    one.page.click("[data-state=done]")
    row = one.page.locator(f"[data-disposal='{waiting['alarm']}']")
    row.wait_for()
    shows(row, short)
    shows(row, "probe <b>was</b> wet")
    told = plant.get(f"disposals/{waiting['alarm']}")
    assert (told["state"], told["entry"]["who"], len(told["photos"])) == ("done", "zhang.min", 1)
    notices = [
        notice for notice in plant.get("push/outbox", limit="1000")["notices"] if notice["event"] and notice["chain"]
    ]
    assert notices
    assert [text for text in one.complaints if "415" not in text] == []


RULE = "TK-103.level.H"


@pytest.mark.parametrize(
    ("lang", "waits"),
    [("en", "waits for another person's approval"), ("zh", "等待另一人批准")],
    ids=["en", "zh"],
)
def test_a_change_of_a_limit_waits_until_another_person_approves(
    visit: Callable[..., Visit], plant: Plant, lang: str, waits: str
) -> None:
    def rule() -> dict[str, Any]:
        (found,) = [one for one in plant.get("rules", q=RULE)["rules"] if one["id"] == RULE]
        return dict(found)

    before = rule()["table"]["setpoint"]
    wanted = round(before - 0.01, 3)
    one, other = visit(lang=lang, name=SECOND), visit(lang=lang)
    one.go("rules", ready="main .rule")
    one.page.fill("input[name=q]", RULE)
    one.page.wait_for_selector("main .list li:nth-child(2) .rule", timeout=10_000)
    one.page.locator("main .list li .rule").first.click()
    one.page.fill(".editor input[name=setpoint]", str(wanted))
    one.page.press(".editor input[name=setpoint]", "Tab")
    one.page.wait_for_selector(".bar button.strong:not([disabled])")
    one.page.click(".bar button.strong")
    assert one.page.locator("dialog input[name=approved_by]").count() == 0, "who approves says so with a session"
    one.page.fill("dialog textarea", "the pump was changed / 换泵")
    one.page.click("dialog button.strong")
    one.page.wait_for_selector(f'main [role=status]:has-text("{waits}")')
    assert rule()["table"]["setpoint"] == before
    one.page.click("[data-link=proposals]")
    one.page.wait_for_selector("[data-proposal] [data-act=withdraw]")
    assert one.page.locator("[data-act=approve]").count() == 0, "not by the same person"

    other.go("rules?part=proposals", ready="[data-act=approve]")
    other.page.click("[data-act=approve]")
    other.page.wait_for_selector("[data-proposal] .difference .after")
    assert f"{wanted:g}" in other.page.inner_text("[data-proposal] .difference .after")
    other.page.fill("textarea[name=said]", "agreed")
    other.page.click("[data-proposal] form button.strong")
    until(lambda: rule()["table"]["setpoint"] == wanted, "the new setpoint in force")
    newest = plant.get("rules/revisions")["revisions"][0]
    assert (newest["who"], newest["approved_by"]) == (SECOND, "zhang.min")
    assert one.complaints == other.complaints == []


@pytest.mark.parametrize(("lang", "by"), [("en", "closed on"), ("zh", "验收销号")], ids=["en", "zh"])
def test_an_alarm_becomes_a_hidden_hazard_that_is_closed_told_and_counted(
    visit: Callable[..., Visit], plant: Plant, lang: str, by: str
) -> None:
    """From the alarm to the figures by the page alone: registered, rectified with photos, accepted by another, told."""
    dot = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(DOT)}
    with paused(plant.devices):
        told = {one["chain"] for one in plant.get("push/ledger", limit="100")["notices"]}
        used = {one["values"].get("alarm") for one in plant.get("register/ledgers/hidden_hazards")["records"]}
        alarm = until(
            lambda: [one for one in plant.alarms() if one["id"] in told - used and one["unit"] != "fengsui"],
            "an alarm that an authority was told of",
        )[0]
        li = visit(lang=lang)
        li.go("alarms", ready=".row")
        choose(li, [alarm])
        li.page.click("a.enter")
        li.page.click("dialog button[type=submit]")
        li.page.wait_for_selector("section.one button[name=class]")
        found = plant.get("register/ledgers/hidden_hazards", q=alarm["id"])["records"][0]
        before = plant.get("register/hazards/figures")

        def act(who: Visit, name: str, **values: str) -> None:
            who.page.click(f"section.one button[name={name}]")
            for field, value in values.items():
                box = who.page.locator(f"dialog [name={field}]")
                if box.evaluate("it => it.tagName") == "SELECT":
                    box.select_option(value)
                else:
                    box.fill(value)
            who.page.click("dialog button[type=submit]")
            who.page.wait_for_selector("dialog", state="detached")

        act(li, "class", **{"class": "general"})
        act(li, "plan", way="at_once", responsible=SECOND, measures="罐区排查 look", deadline=before["to"])
        li.page.set_input_files("input[name=photo-before]", dot)  # type: ignore[arg-type] - as the browser takes it
        li.page.wait_for_selector(".shots img")
        second = visit(name=SECOND, lang=lang, phone=True)
        second.go(f"register/hidden_hazards?record={found['id']}", ready="section.one button[name=rectify]")
        second.page.set_input_files("input[name=photo-after]", dot)  # type: ignore[arg-type] - as the browser takes it
        act(second, "rectify", done="已处理 done")
        assert second.page.locator("section.one button[name=accept]").count() == 0, "an engineer accepts nothing"
        until(
            lambda: (
                plant.get(f"register/ledgers/hidden_hazards/{found['id']}")["record"]["values"]["state"] == "awaiting"
            ),
            "the rectification",
        )
        li.page.goto("about:blank")
        li.go(f"register/hidden_hazards?record={found['id']}", ready="section.one button[name=accept]")
        act(li, "accept", acceptance="合格 good")

        chain = until(
            lambda: [
                one for one in plant.get("push/ledger", limit="100")["notices"]
                if one["state"] == "delivered" and (one["body"] or {}).get("alarm") == alarm["id"]
                and one["body"].get("hazard", {}).get("state") == "closed"
            ],
            "the authority was told",
        )  # fmt: skip
        assert chain[0]["body"]["hazard"]["code"] == found["code"]
        li.go("register/hazard_figures", ready="[data-figure=closed]")
        assert str(before["closed"] + 1) in li.page.inner_text("[data-figure=closed] dd")
        li.go("register/reports", ready="[data-lot=exposed]")
        assert str(before["found"]) in li.page.inner_text("[data-figure=found] dd")
        li.go("alarms", ready=".row")
        choose(li, [alarm])
        li.page.wait_for_selector(f"section:has(h3) li:has-text('{by}')")
        assert li.complaints == []
        assert second.complaints == []
