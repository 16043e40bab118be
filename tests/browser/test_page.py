"""The page in Chromium, on a gateway that plays the demonstration's story."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

import dashboards
from edge.clock_system import SystemClock
from gateway.auth import make_link
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import paused, shows, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Route

    from tests.browser.conftest import Plant, Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

PLACES = ("overview", "alarms", "trend", "register", "response", "push", "rules", "field", "flow")
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
LATIN = re.compile(r"[A-Za-z]{2,}")
#: The same in every language: the product, keys, limits, time zones.
COMMON = re.compile(r"Fengsui|UTC|HTTP|Modbus( RTU| TCP| DTU)?|MQTT|OPC UA|LL|HH|Esc|Enter|Asia/Shanghai|\bEN\b|\bms\b")
WORDS = Path(dashboards.__file__).parent / "web" / "src" / "words"


def spoken(site: Plant, text: str, lang: str) -> str:
    """Leave out what is data and not language: names of tags, units, sources, people, and titles in this language."""
    names: set[str] = {"zhang.min", "guest", "demo", "中文"}
    for tag in site.get("tags")["tags"]:
        names |= {tag["name"], tag["unit"], tag["source"], tag["eu"], tag["title"][lang]}
    for unit in site.get("units")["units"]:
        names |= {unit["id"], unit["area"], unit["title"][lang]}
    for source in site.get("flow")["sources"]:
        names |= {source["id"], source["protocol"]}
    names |= {one["id"] for one in site.get("push/summary")["destinations"]}
    names |= {notice["receipt"]["id"] for notice in site.get("push/outbox")["notices"] if notice["receipt"]}
    for rule in site.get("rules", limit="5000")["rules"]:
        names |= {rule["id"], rule["table"].get("name", ""), rule["table"].get("when", "")}
    text = COMMON.sub(" ", text)
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def raw_keys(text: str) -> list[str]:
    """Find words that look like ``alarm.title``: a key whose word is missing."""
    groups = re.findall(r"^  (\w+): \{", (WORDS / "en.ts").read_text(encoding="utf-8"), re.MULTILINE)
    for page in sorted((WORDS / "en").glob("*.ts")):
        groups += re.findall(r"^export const (\w+) = \{", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(groups) > 30, "the words have another form now"
    return re.findall(rf"\b(?:{'|'.join(groups)})\.[a-z]\w+", text)


# ------------------------------------------------------------------------------------------- all pages, both languages


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_speaks_one_language(visit: Callable[..., Visit], plant: Plant, lang: str, phone: bool) -> None:
    one = visit(lang=lang, phone=phone)
    units = [f"overview/{unit['id']}" for unit in plant.get("units")["units"]]
    for place in (*PLACES, units[0], "trend?tag=TK-103.level&span=m10", f"register?unit={quote('TK-103')}"):
        one.go(place)
        # What comes from the store is asked for after the page stands.
        one.page.wait_for_timeout(400)
        text = one.text()
        assert ("演示站点" if lang == "zh" else "Demonstration site") in text, f"{place}: whose page is it?"
        words = spoken(plant, text, lang)
        other = CJK if lang == "en" else LATIN
        assert not other.findall(words), f"{place} mixes languages: {other.findall(words)[:8]}"
        assert not raw_keys(text), f"{place} shows keys: {raw_keys(text)}"
    assert one.complaints == []


def test_everything_comes_from_the_gateway_itself(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    for place in PLACES:
        one.go(place)
    one.go("trend?tag=TK-103.level", ready="canvas")
    origins = {urlsplit(address).netloc for address in one.addresses if not address.startswith("data:")}
    assert origins == {urlsplit(plant.stage.page).netloc}


def test_simulated_data_is_named_so(visit: Callable[..., Visit]) -> None:
    assert "Simulated data – test" in visit(lang="en").text()
    assert "模拟数据（测试）" in visit(lang="zh").text()


# ---------------------------------------------------------------------------------------------------------- logging in


def test_wrong_password_is_refused_in_words(browser: Browser, plant: Plant) -> None:
    page = browser.new_page(locale="zh-CN")
    page.goto(plant.stage.page)
    page.fill("input[name=name]", "nobody")
    page.fill("input[name=password]", "not the password")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert "用户名或密码错误" in page.inner_text("form")
    page.close()


def test_log_in_by_the_form_and_out_again(browser: Browser, plant: Plant) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(plant.stage.page)
    page.fill("input[name=name]", "guest")
    page.fill("input[name=password]", "rain on the tank farm 7")
    page.click("button[type=submit]")
    page.wait_for_selector(".frame .counts")
    assert "guest viewer" in page.inner_text("header.line")
    token = {cookie["name"]: cookie["value"] for cookie in context.cookies()}["fengsui_session"]
    address, cookies = f"{plant.stage.page}/api/v1/me", {"fengsui_session": token}
    assert httpx.get(address, cookies=cookies).json() == {
        "name": "guest",
        "role": "viewer",
        "may": ["look"],
        "has_password": True,
    }
    page.click("button:text-is('Log out')")
    page.wait_for_selector("input[name=password]")
    assert httpx.get(address, cookies=cookies).status_code == 401, "the session must be dead, not only forgotten"
    context.close()


def test_one_time_link_logs_in_once(browser: Browser, plant: Plant) -> None:
    engine = open_store(store_url(plant.stage.data))
    token = make_link(engine, "demo", "safety_officer", SystemClock())
    engine.dispose()
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{plant.stage.page}/login/{token}")
    page.wait_for_selector(".frame .counts")
    assert "demo" in page.inner_text("header.line")
    context.close()
    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(f"{plant.stage.page}/login/{token}")
    page.wait_for_selector("input[name=password]")
    assert "has been used or has expired" in page.inner_text("form")
    assert not [cookie for cookie in stranger.cookies() if cookie["name"] == "fengsui_session"]
    stranger.close()


def test_a_viewer_is_offered_no_acts(visit: Callable[..., Visit]) -> None:
    one = visit(name="guest")
    one.go("alarms", ready=".row")
    assert one.page.locator(".row .acts button").count() == 0
    one.page.locator(".row").first.click()
    one.page.wait_for_selector(".detail")
    assert one.page.locator(".detail .acts button").count() == 0


# -------------------------------------------------------------------------------------------------------------- alarms


COUNT_TONES = """
const make = AudioContext.prototype.createOscillator;
window.tones = 0;
AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
"""


def test_the_horn_sounds_until_it_is_silenced_and_silence_is_no_answer(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.add_init_script(COUNT_TONES)
    one.page.reload()
    one.page.wait_for_selector(".frame .counts")
    if one.page.evaluate("new AudioContext().state") != "running":  # as the browser's own policy has it
        one.page.wait_for_selector("text=The browser blocks sound")
        assert one.page.evaluate("window.tones") == 0

    one.page.mouse.click(960, 540)
    until(lambda: one.page.evaluate("window.tones > 0"), "a tone")  # asked from outside: the page's policy forbids eval
    assert "The browser blocks sound" not in one.text()
    unanswered = one.page.locator(".fact.marked strong").first.inner_text()
    one.page.click("[data-horn=ringing]")

    one.page.wait_for_selector("[data-horn=quiet]")
    assert one.page.locator(".fact.marked strong").first.inner_text() == unanswered


def test_the_first_click_hits_what_it_was_aimed_at(visit: Callable[..., Visit]) -> None:
    """What says that sound is blocked goes with the first click; nothing may move under the mouse meanwhile."""
    one = visit()
    one.go("alarms", ready=".row")
    row = one.page.locator("main .row").first
    before = row.bounding_box()
    one.page.mouse.move(before["x"] + 20, before["y"] + 3)
    one.page.mouse.down()
    one.page.wait_for_timeout(600)  # a slow finger: longer than a browser takes to allow sound
    assert row.bounding_box() == before
    one.page.mouse.up()
    one.page.keyboard.press("s")

    one.page.wait_for_selector("dialog textarea", timeout=5_000)


def test_who_may_not_answer_is_not_called_by_the_horn(visit: Callable[..., Visit]) -> None:
    one = visit(name="guest")

    assert one.page.locator("[data-horn]").count() == 0
    assert "blocks sound" not in one.text()


def test_a_tier_is_colour_shape_letter_and_word(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("alarms", ready=".row")
    shapes = {"RED": "polygon", "ORANGE": "polygon", "YELLOW": "polygon", "BLUE": "circle"}
    letters = {"RED": "1", "ORANGE": "2", "YELLOW": "3", "BLUE": "4"}
    seen = {alarm["tier"] for alarm in plant.alarms() if alarm["tier"] != "NONE"}
    for tier in seen:
        mark = one.page.locator(f".row svg.tier-{tier}").first
        assert mark.locator(shapes[tier]).count() == 1
        assert mark.locator("text").text_content() == letters[tier]
        row = one.page.locator(".row", has=one.page.locator(f"svg.tier-{tier}")).first
        shows(row, tier.capitalize())


@pytest.mark.parametrize(
    ("lang", "comment", "event"),
    [
        ("en", "Saw it on site <b>& closed</b> the valve", "acknowledged"),
        ("zh", "现场已核实 <b>& 已关阀</b>", "确认"),
    ],
    ids=["en", "zh"],
)
def test_acknowledge_with_comment_and_name(
    visit: Callable[..., Visit], plant: Plant, lang: str, comment: str, event: str
) -> None:
    one = visit(lang=lang)
    one.go("alarms", ready=".row.unacked")
    title = one.page.locator(".row.unacked .tag").first.inner_text()
    one.page.locator(".row.unacked").first.click()
    one.page.keyboard.press("a")
    one.page.fill("dialog textarea", comment)
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    shows(one.page.locator(f".detail li:has-text('{event}'):has-text('{comment}')"), "zhang.min")
    acked = [alarm for alarm in plant.get("alarms", state="all")["alarms"] if alarm["comment"] == comment]
    assert [alarm["acked_by"] for alarm in acked] == ["zhang.min"]
    shows(one.page.locator(".detail"), title)
    assert one.complaints == []


@pytest.mark.parametrize(
    ("lang", "sentence"), [("en", "may be shelved for at most"), ("zh", "最长可搁置")], ids=["en", "zh"]
)
def test_a_refusal_is_shown_as_its_sentence(visit: Callable[..., Visit], lang: str, sentence: str) -> None:
    one = visit(lang=lang)
    one.go("alarms", ready=".row")
    one.page.locator(".row").first.click()
    one.page.keyboard.press("s")
    one.page.fill("dialog textarea", "calibration")
    one.page.fill("dialog input.until", "2099-01-01 00:00")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog [role=alert]")
    shows(one.page.locator("dialog [role=alert]"), sentence)


SHELVING = {
    "en": {"shelve": "Shelve", "why": "Say why", "quiet": "Suppressed", "until": "shelved until", "end": "End shelf"},
    "zh": {"shelve": "搁置", "why": "请填写理由", "quiet": "已抑制", "until": "搁置 至", "end": "结束搁置"},
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_shelve_with_reason_and_end_it(visit: Callable[..., Visit], plant: Plant, lang: str) -> None:
    one, words = visit(lang=lang), SHELVING[lang]
    one.go("alarms", ready=".row")
    row = one.page.locator(f".row:has(button:text-is('{words['shelve']}'))").last
    title = row.locator(".what").get_attribute("title")
    row.get_by_role("button", name=words["shelve"], exact=True).click()
    one.page.click("dialog button[type=submit]")
    shows(one.page.locator("dialog [role=alert]"), words["why"])
    one.page.fill("dialog textarea", "transmitter under repair")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.page.click(f"header button:text-is('{words['quiet']}')")
    shelved = one.page.locator(f".row:has(.what[title='{title}'])").first
    shelved.wait_for()
    shows(shelved, words["until"])
    assert [alarm["suppressed_by"] for alarm in plant.get("alarms", state="suppressed")["alarms"]] == ["zhang.min"]
    shelved.get_by_role("button", name=words["end"]).click()
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    assert plant.get("alarms", state="suppressed")["alarms"] == []


def test_an_alarm_tells_why_what_to_do_and_who_was_told(visit: Callable[..., Visit], plant: Plant) -> None:
    told = until(
        lambda: next((a for a in plant.alarms() if a["tag"] == "TK-103.level" and a["group"] == "high"), None), "TK-103"
    )
    sentence = plant.get(f"alarms/{told['id']}/why", lang="zh")["sentence"]
    one = visit(lang="zh")
    one.go("alarms", ready=".row")
    one.page.locator(".row:has(.what[title='TK-103 / TK-103.level']):has-text('≥')").first.click()
    one.page.wait_for_selector(".detail .lines")
    text = one.page.inner_text(".detail")
    assert sentence in text
    assert told["response"]["zh"] in text
    one.page.wait_for_selector(".detail li:has-text('district'):has-text('已送达')")


def test_keys(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.go("overview")
    one.page.keyboard.press("?")
    shows(one.page.locator("dialog"), "acknowledge with a comment")
    one.page.keyboard.press("Escape")
    one.page.wait_for_selector("dialog", state="detached")
    one.page.keyboard.press("/")
    one.page.wait_for_selector("input[type=search]:focus")
    one.page.keyboard.type("TK-103")
    rows = one.page.locator(".row .what")
    rows.first.wait_for()
    assert all("TK-103" in str(rows.nth(at).get_attribute("title")) for at in range(rows.count()))


def test_since_is_the_present_trip_and_the_present_value_stands_beside(
    visit: Callable[..., Visit], plant: Plant
) -> None:
    one = visit()
    one.go("alarms", ready=".row")
    zone = ZoneInfo("Asia/Shanghai")
    listed = [alarm for alarm in plant.alarms() if alarm["raised"] != alarm["onset"]]
    assert listed, "no alarm of the story rose after its onset"
    shown = one.page.evaluate("[...document.querySelectorAll('.row .since')].map((cell) => cell.title)")
    for alarm in listed:
        raised = datetime.fromisoformat(alarm["raised"]).astimezone(zone)
        assert f"{raised:%Y-%m-%d %H:%M:%S} UTC+8" in shown, alarm["tag"]
    now = one.page.inner_text(".row:has(.what[title='TK-103 / TK-103.level']) .now >> nth=0")
    assert re.fullmatch(r"[\d.]+ m", now)


def test_a_tile_shows_the_value_of_its_worst_alarm(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("overview", ready=".tile")
    titles = {tag["name"]: tag["title"]["en"] for tag in plant.get("tags")["tags"]}
    tiers = ["BLUE", "YELLOW", "ORANGE", "RED"]

    def agrees() -> bool:
        worst: dict[str, dict[str, Any]] = {}
        for alarm in plant.alarms():
            at = worst.get(alarm["unit"])
            if alarm["is_active"] and (at is None or tiers.index(alarm["tier"]) > tiers.index(at["tier"])):
                worst[alarm["unit"]] = alarm
        worst = {unit: alarm for unit, alarm in worst.items() if alarm["tier"] in ("RED", "ORANGE")}
        tiles = {unit: one.page.inner_text(f".tile[href='#/overview/{unit}']") for unit in worst}
        return all(titles[alarm["tag"]] in tiles[unit] for unit, alarm in worst.items())

    until(agrees, "tiles that show what their tier is about", 20.0)


def test_an_alarm_that_ended_is_listed_with_who_and_why(visit: Callable[..., Visit], plant: Plant) -> None:
    latching = {
        limit["rule"] for tag in plant.get("tags")["tags"] for limit in tag["limits"] if limit.get("is_latching")
    }

    def returned() -> list[dict[str, Any]]:
        return [a for a in plant.alarms() if a["state"] == "RTN_UNACK" and a["rule"] not in latching]

    alarm = until(returned, "an alarm that returned", 150.0)[0]
    acked = httpx.post(
        f"{plant.stage.page}/api/v1/alarms/{alarm['id']}/ack",
        json={"comment": "pump was stopped"},
        headers={"X-Fengsui-Request": "1"},
        cookies={"fengsui_session": plant.session("zhang.min")},
    )
    acked.raise_for_status()
    one = visit()
    one.go("alarms")
    one.page.click("header button:text-is('Ended')")
    row = one.page.locator(f".ended-row:has(.what[title='{alarm['unit']} / {alarm['tag']}'])", has_text="pump was")
    row.first.wait_for()
    shows(row.first, "zhang.min")
    row.first.click()
    one.page.wait_for_selector(".detail li:has-text('acknowledged'):has-text('pump was stopped')")
    one.page.click("button:text-is('7 d')")
    row.first.wait_for()
    one.page.fill("input[type=search]", "nothing has this name")
    one.page.wait_for_selector(".ended .empty:has-text('No alarm matches')")
    assert one.complaints == []


# ------------------------------------------------------------------------------------------------------- hostile words


def test_markup_in_names_and_comments_is_text(visit: Callable[..., Visit], plant: Plant) -> None:
    title = next(unit["title"]["en"] for unit in plant.get("units")["units"] if unit["id"] == "Z-402")
    assert "<script>" in title
    for lang in ("en", "zh"):
        one = visit(lang=lang)
        for place in ("overview", "overview/Z-402", "trend?tag=Z-402.occupancy&span=m10", "register", "push"):
            one.go(place)
            one.page.wait_for_timeout(300)
            assert one.page.evaluate("window.broken") is None, place
            assert one.page.locator("img").count() == 0, place
            if "Z-402" in place or place == "overview":
                shown = one.page.evaluate(
                    "document.body.innerText + [...document.querySelectorAll('input')].map(i => i.value)"
                )
                assert title in shown, f"{place}: the title is not shown as it is"
        # The cursor's readout is made by hand; it too must not read markup.
        one.go("trend?tag=Z-402.occupancy&span=m10", ready="canvas")
        one.page.hover("canvas")
        one.page.wait_for_timeout(200)
        assert one.page.evaluate("window.broken") is None
        assert one.complaints == []


# --------------------------------------------------------------------------------------------------------- other pages


def test_trend_draws_values_and_limits(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.go("trend?tag=TK-103.level&span=m10", ready="canvas")
    one.page.wait_for_timeout(500)
    inked = one.page.evaluate(
        """() => { const c = document.querySelector('canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let orange = 0, dark = 0;
        for (let i = 0; i < d.length; i += 4) {
          // A line between two rows of pixels is half as thick in each.
          if (d[i + 3] > 60 && d[i] > 210 && d[i + 1] > 90 && d[i + 1] < 140 && d[i + 2] < 40) orange += 1;
          if (d[i + 3] >= 200 && d[i] < 60 && d[i + 1] < 60 && d[i + 2] < 60) dark += 1; }
        return { orange, dark }; }"""
    )
    assert inked["orange"] > 500, "the line of the limit HH is missing"  # Pixels.
    assert inked["dark"] > 100, "the line of the values is missing"
    limits = one.page.inner_text("table.limits")
    assert "HH" in limits
    assert "5.1 m" in limits


def test_a_task_is_done_with_a_note(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("response", ready=".task")
    title = one.page.locator(".task .title").first.inner_text()
    one.page.locator(".task button").first.click()
    one.page.fill("dialog textarea", "done by the shift")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.page.click("button:text-is('Done')")
    one.page.wait_for_selector(".task:has-text('done by the shift')")
    done = plant.get("response/tasks", state="done")["tasks"]
    assert [(task["title"]["en"], task["done_by"], task["note"]) for task in done] == [
        (title, "zhang.min", "done by the shift")
    ]


def test_register_shows_entries_with_alarms_and_tasks(visit: Callable[..., Visit], plant: Plant) -> None:
    entry = next(entry for entry in plant.get("register/entries")["entries"] if entry["unit"] == "TK-103")
    one = visit()
    one.go(f"register?unit=TK-103&entry={entry['id']}", ready=".entry .inside")
    inside = one.page.inner_text(".entry .inside")
    assert "TK-103 level" in inside
    assert entry["tasks"][0]["title"]["en"] in inside


def test_push_shows_delivered_notices_with_receipts(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("push", ready=".notice:has-text('delivered')")
    shows(one.page.locator(".tile"), "district")
    assert one.page.locator(".notice").count() == len(plant.get("push/outbox")["notices"])


def test_flow_shows_each_stage_in_balance(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.go("flow", ready=".stage")
    one.page.wait_for_timeout(4_500)  # Two more readings: a stage is marked when its books stay open.
    assert one.page.locator(".stage").count() == 8  # The boxes of the road.
    assert one.page.locator(".stage.off").count() == 0, one.page.inner_text(".road")
    shows(one.page.locator("main"), "tankfarm-1")


@pytest.mark.parametrize(
    ("lang", "plant_title", "kind", "done"),
    [("en", "LPG loading bay", "no number (NaN)", "done"), ("zh", "液化气装卸台", "无数值", "已完成")],
    ids=["en", "zh"],
)
def test_a_tester_plays_a_story_disturbs_it_and_takes_the_report(
    visit: Callable[..., Visit], plant: Plant, lang: str, plant_title: str, kind: str, done: str
) -> None:
    one = visit(lang=lang)
    wrong = {"en": "mine.toml: there is no plant 'x'.", "zh": "mine.toml:没有名为“x”的装置。"}
    mine = {"name": "mine", "title": {}, "plant": "x", "lasts_s": 0, "own": True, "mistake": wrong}

    def with_mine(route: Route) -> None:  # The demonstration has no folder of its own.
        answer = route.fetch()
        route.fulfill(response=answer, json={**(told := answer.json()), "stories": [mine, *told["stories"]]})

    one.page.route("**/api/v1/runs", with_mine)
    one.go("drill?part=try", ready="form.start")
    shows(one.page.locator("[data-story=mine]"), wrong[lang])
    one.page.unroute("**/api/v1/runs")
    form = one.page.locator("form.start")
    form.locator("select[name=plant]").select_option(label=plant_title)
    form.locator("select[name=story]").select_option("plc_lost")
    form.locator("select[name=speed]").select_option("10")
    form.locator("input[name=seed]").fill("7")
    form.locator("button[type=submit]").click()
    inject = one.page.wait_for_selector("form.inject select[name=target] option", state="attached")
    assert inject is not None
    one.page.locator("form.inject select[name=kind]").select_option(label=kind)
    one.page.locator("form.inject select[name=target]").select_option("GD-504.lel")
    one.page.locator("form.inject button[type=submit]").click()
    one.page.wait_for_selector(f".run li.line:has-text('GD-504.lel: {kind}')")
    one.page.locator(".run .acts button").nth(4).click()  # as fast as it can
    one.page.wait_for_selector(".run a[href$='/report']", timeout=60_000)
    assert done in one.page.inner_text(".run .head")
    standings = one.page.locator(".run [data-standing]").evaluate_all("all => all.map((one) => one.dataset.standing)")
    assert {"met"} <= set(standings) <= {"met", "missed"}, "nothing is left undecided"
    with one.page.expect_download() as download:
        one.page.click(".run a[href$='/report']")
    report = download.value.path().read_text(encoding="utf-8")
    assert "GD-504.lel" in report
    assert "<svg" in report
    assert plant.get("runs")["runs"][0]["seed"] == 7
    assert one.complaints == []


def test_an_unknown_place_says_so(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.go("nosuch")
    shows(one.page.locator("main"), "No such place")
    one.page.click("main a")
    one.page.wait_for_selector(".tile")
    assert "#/overview" in one.page.url


# -------------------------------------------------------------------------------------- last: silent sources, and lost


@pytest.mark.parametrize(
    ("lang", "names", "shown"),
    [
        ("en", ("Shelve", "End shelf", "Suppressed"), "shelved until back to normal"),
        ("zh", ("搁置", "结束搁置", "已抑制"), "至恢复正常"),
    ],
    ids=["en", "zh"],
)
def test_a_one_shot_shelf(
    visit: Callable[..., Visit], plant: Plant, lang: str, names: tuple[str, str, str], shown: str
) -> None:
    """Asked for without an end time, only of what is active; listed with how it ends."""

    def is_open(alarm: dict[str, Any]) -> bool:
        is_folded = alarm["group"] in ("stale", "bad")
        return bool(alarm["is_active"] and alarm["tag"]) and alarm["suppression"] == "none" and not is_folded

    with paused(plant.devices):  # What is active now, or falls silent, stays so.
        shelve, end, suppressed = names
        one = visit(lang=lang)
        one.go("alarms", ready=".row")

        def is_asked() -> bool:  # What was under way when the devices stopped may still return.
            target = next((alarm for alarm in plant.alarms() if is_open(alarm)), None)
            row = one.page.locator(f".row[data-alarm='{target['key'] if target else ''}']")
            if target is None or row.count() == 0:
                return False
            row.get_by_role("button", name=shelve, exact=True).click()
            if one.page.locator("dialog input[name=one_shot]").count() == 0:
                one.page.keyboard.press("Escape")
                return False
            return True

        until(is_asked, "an active alarm that may be shelved until it is back to normal")
        one.page.fill("dialog textarea", "valve is being closed")
        one.page.check("dialog input[name=one_shot]")
        assert one.page.locator("dialog input.until").count() == 0
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        one.page.click(f"header button:text-is('{suppressed}')")
        row = one.page.locator(".row").first
        row.wait_for()
        shows(row, shown)
        (told,) = plant.get("alarms", state="suppressed")["alarms"]
        assert (told["is_one_shot"], told["suppression_reason"]) == (True, "valve is being closed")
        row.get_by_role("button", name=end, exact=True).click()
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        assert plant.get("alarms", state="suppressed")["alarms"] == []
        assert one.complaints == []


def test_a_silent_source_is_one_row_and_a_silent_authority_is_said(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("alarms", ready=".list")
    with paused(plant.devices, plant.authority):
        fold = one.page.locator(".fold:has-text('tankfarm-1: '):has-text('tags without data')").first
        fold.wait_for(timeout=30_000)  # One whose data are back may stand there from before.

        def folded() -> int:
            found = re.search(r"(\d+) tags? without data", fold.inner_text())
            return int(found[1]) if found else 0

        read = {tag["name"] for tag in plant.get("tags")["tags"] if tag["source"] == "tankfarm-1"}

        def silent() -> dict[str, dict[str, Any]]:
            return {
                alarm["id"]: alarm
                for alarm in plant.alarms()
                if alarm["group"] in ("stale", "bad") and alarm["tag"] in read and alarm["is_active"]
            }

        # An alarm whose data are back may stand in the row as well; it leaves when it is acknowledged.
        until(lambda: len(silent()) >= 4, "four silent tags")
        meant = silent()
        until(lambda: folded() >= len(meant), "they are in one row")
        fold.click()
        for alarm in meant.values():
            one.page.wait_for_selector(f".row .what[title='{alarm['unit']} / {alarm['tag']}']")
        assert fold.get_attribute("aria-expanded") == "true"
        one.page.keyboard.press("a")
        one.page.fill("dialog textarea", "the controller is silent")
        one.page.click("dialog button[type=submit]")
        one.page.wait_for_selector("dialog", state="detached")
        comments = {name: alarm["comment"] for name, alarm in silent().items() if name in meant}
        assert comments == dict.fromkeys(meant, "the controller is silent"), "one Ack for the row is one for each alarm"
        one.go("push", ready=".tile .trouble")
        trouble = one.page.inner_text(".tile .trouble")
        assert re.search(r"time-out – .+ · (next attempt \d|waiting for the destination)", trouble), trouble
        assert one.page.locator(".notice .about.mono").count() == 0
    assert one.complaints == []


# ---------------------------------------------------------------------------------------------------------------- lost


def test_a_lost_connection_is_said_and_healed(visit: Callable[..., Visit], plant: Plant) -> None:
    one = visit()
    one.go("alarms", ready=".row")
    before = one.page.locator(".row").count()
    plant.gateway.kill()
    one.page.wait_for_selector(".lost-banner")
    assert re.search(r"Data as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+8", one.page.inner_text(".lost-banner"))
    assert one.page.locator(".row").count() == before, "what was known is kept, dimmed"
    assert float(one.page.evaluate("getComputedStyle(document.querySelector('main')).opacity")) < 1
    plant.gateway = plant.stage.start_gateway()
    plant.await_ready()
    one.page.wait_for_selector(".lost-banner", state="detached")
    assert one.page.locator(".row").count() > 0
