"""Crowds, public displays and consequence zones in Chromium, on values that the test itself publishes."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from edge.clock_system import SystemClock
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import set_stage
from gateway.furnish import furnish
from gateway.load import load
from gateway.store.engine import open_store, store_url
from gateway.system import with_system
from tests.browser.conftest import NAME, PASSWORD, Plant, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

OFFICER, LOOKER = "li.anquan", "looker"
CAPACITY = 200


class Deck:
    """The deck's counter and the line's pressure gauge, each second, until they fall silent."""

    def __init__(self, port: int) -> None:
        import paho.mqtt.client as mqtt  # noqa: PLC0415 - where there is no browser, nothing here is run

        self.persons = 30
        self.is_silent = False
        self._link = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._link.connect("127.0.0.1", port)
        self._link.loop_start()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        while not self._over.wait(0.5):
            if self.is_silent:
                continue
            now_ms = SystemClock().wall_ns() // 1_000_000
            zones = {"Z-401.occupancy": self.persons, "Z-401.density": self.persons / 100}
            gates = [100] * 6  # Silent gates would ring in the deck's unit.
            for topic, value in (("crowd/zones", zones), ("crowd/gates", gates), ("line/pressure", 1.0)):
                self._link.publish(f"plant/{topic}", json.dumps({"ts": now_ms, "v": value}))

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self._link.disconnect()
        self._link.loop_stop()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A gateway with the demonstration's register and a broker; no plant is there but ``Deck``."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("crowd"), port=0)
    text = stage.site.read_text(encoding="utf-8")
    assert "horizon_minutes = 5 " in text
    stage.site.write_text(text.replace("horizon_minutes = 5 ", "horizon_minutes = 5\nstale_s = 5 "), encoding="utf-8")
    engine = open_store(store_url(stage.data))
    furnish(stage.site.parent, with_system(load(stage.site, environ={})), engine, SystemClock().wall_ns())
    for name, role in ((OFFICER, "safety_officer"), (LOOKER, "viewer"), (NAME, "viewer")):
        add_user(engine, SystemClock(), name, role, PASSWORD)
    engine.dispose()
    broker = stage.start_broker()
    alone = Plant(stage, None, None)  # type: ignore[arg-type] - no devices, no authority
    try:
        alone.await_ready()
        yield alone
    finally:
        alone.close()
        broker.stop()


@pytest.fixture(scope="module")
def deck(plant: Plant) -> Iterator[Deck]:
    speaking = Deck(plant.stage.ports["broker"])
    yield speaking
    speaking.end()


def reaches(page: Page, level: str) -> float:
    """Give how far a level reaches, m, as the table says it."""
    said = page.inner_text(f"[data-level='{level}'] [data-distance]").replace(",", "")
    assert said.endswith(" m"), said
    return float(said.removesuffix(" m"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_zone_is_worked_out_with_the_wind_that_somebody_sees(
    visit: Callable[..., Visit], deck: Deck, lang: str
) -> None:
    """On a phone in Chinese, at a desk in English."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    deck.is_silent = False
    one.go("response?view=zones", ready="[data-source='GL-301']")
    work = one.page.locator("[data-source='GL-301'] button[name=compute]")
    one.page.fill("input[name=speed]", "3")
    work.click()
    shows(one.page.locator("[role=alert]"), {"zh": "应同时填写", "en": "give both or neither"}[lang])
    one.complaints.clear()  # The browser says of the refusal what the page says.
    one.page.fill("input[name=from]", "270")
    work.click()
    one.page.wait_for_selector("[data-level='½ LFL']")
    shows(one.page.locator("[data-screening]"), {"zh": "筛查结果，不是预测", "en": "Screening, not prediction"}[lang])
    shows(one.page.locator("main"), {"zh": "仅为试算", "en": "Tried only"}[lang])
    shows(one.page.locator(".facts"), "GL-301.pressure")
    shows(one.page.locator(".facts"), "25 mm")
    one.page.locator(".leaflet-overlay-pane path").nth(1).wait_for()  # A level's outline, and the place itself.
    narrow = reaches(one.page, "½ LFL")
    one.page.locator("[data-source='GL-301'] select[name=hole]").select_option("100")
    work.click()
    one.page.wait_for_selector(".facts >> text=100 mm")
    assert reaches(one.page, "½ LFL") > 2 * narrow, "a hole sixteen times as large"
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


def test_who_may_only_look_is_offered_no_working_out(visit: Callable[..., Visit]) -> None:
    one = visit(name=LOOKER)
    one.go("response?view=zones", ready="[data-zones]")
    one.page.wait_for_selector("[data-zones] .empty")
    assert one.page.locator("button[name=compute]").count() == 0
    one.go("response?view=crowd", ready="[data-crowd='Z-401']")
    assert one.page.locator("button[name=make-display]").count() == 0
    assert one.complaints == []


def test_a_deck_fills_and_its_display_says_so_and_goes_dark_with_the_counter(
    visit: Callable[..., Visit], browser: Browser, plant: Plant, deck: Deck
) -> None:
    """One at a desk acts, another on a phone sees it without reloading, and the public sees what it needs."""
    deck.persons, deck.is_silent = 30, False
    desk, phone = visit(name=OFFICER, lang="en"), visit(name=OFFICER, lang="zh", phone=True)
    for one in (desk, phone):
        one.go("response?view=crowd", ready="[data-crowd='Z-401'] .count")
    shows(desk.page.locator("[data-crowd='Z-401'] .count"), f"30 of {CAPACITY} persons")
    desk.page.click("button[name=make-display]")
    desk.page.fill("input[name=display-title]", "东入口 East entrance")
    desk.page.click("dialog button[type=submit]")
    link = desk.page.inner_text("dialog [data-link]").strip()
    desk.page.locator("dialog .ends button").last.click()
    public = browser.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    try:
        screen = public.new_page()
        screen.goto(link)
        shows(screen.locator("[data-state]"), "30")
        screen.select_option("select[name=language]", "en")
        shows(screen.locator("[data-state]"), f"capacity {CAPACITY}")
        height = screen.locator(".count").evaluate("it => parseFloat(getComputedStyle(it).fontSize)")
        assert height >= 200, "the count is read from ten metres"
        assert "fengsui_session" not in {cookie.get("name") for cookie in public.cookies()}

        deck.persons = 450
        for one, words in ((desk, "450 of"), (phone, "450 / 200 人")):
            shows(one.page.locator("[data-crowd='Z-401'] .count"), words)
        shows(phone.page.locator("[data-let-in]"), "暂停放行")
        screen.wait_for_selector("[data-state=full]")
        shows(screen.locator("[data-state=full]"), "Please do not enter")
        announced = "[data-action]:has-text('Announce other routes')"
        desk.page.click(f"{announced} button[name=confirm]")
        desk.page.click("dialog button[type=submit]")
        desk.page.wait_for_selector(f"{announced}[data-state=confirmed]")
        phone.page.wait_for_selector("[data-action]:has-text('广播引导分流')[data-state=confirmed]")
        shows(screen.locator("[data-state=full]"), "Please take the lakeside path")
        screen.select_option("select[name=language]", "zh")
        shows(screen.locator("[data-state=full]"), "请走湖边步道")

        deck.is_silent = True
        screen.wait_for_selector("[data-state=unknown]")
        shows(screen.locator("[data-state=unknown]"), "无数据")
        shows(phone.page.locator("[data-unknown]"), "当前人数")
        desk.page.click("[data-display] button")
        screen.wait_for_selector(".message >> text=该链接无效")
        shows(screen.locator(".message"), "This link shows nothing")
        assert screen.locator("[data-state]").count() == 0
    finally:
        public.close()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert desk.complaints + phone.complaints == []
