"""The page of people in Chromium: a user comes by a link and chooses a password; roles and tokens change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from edge.clock_system import SystemClock
from gateway.api.door import PERMISSIONS
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import set_stage
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import PASSWORD, Plant, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

BOSS = "wang.zong"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A gateway whose plant is away: people need none."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("people"), port=0)
    engine = open_store(store_url(stage.data))
    add_user(engine, SystemClock(), BOSS, "administrator", PASSWORD)
    for name in ("guest", "looker"):
        add_user(engine, SystemClock(), name, "viewer", PASSWORD)
    engine.dispose()
    alone = Plant(stage, None, None)  # type: ignore[arg-type] - no devices, no authority
    try:
        alone.await_ready()
        yield alone
    finally:
        alone.close()


def row(name: str) -> str:
    return f"main li:has(strong.name:text-is('{name}'))"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_new_user_comes_by_the_link_and_chooses_a_password(
    visit: Callable[..., Visit], plant: Plant, browser: Browser, lang: str
) -> None:
    name = f"li.gong.{lang}"
    boss = visit(name=BOSS, lang=lang)
    boss.go("people", ready="main li")
    boss.page.click("main section:first-of-type .head button")
    boss.page.fill("dialog input[name=name]", name)
    boss.page.select_option("dialog select[name=role]", "engineer")
    boss.page.click("dialog button[type=submit]")
    link = boss.page.input_value("dialog input.secret")
    boss.page.click("dialog button.strong")
    boss.page.wait_for_selector(row(name))

    context = browser.new_context(locale="zh-CN" if lang == "zh" else "en-GB")
    page = context.new_page()
    page.goto(link)
    page.click(".banners a")
    page.fill("input[name=new]", "a quiet sentence 42")
    page.fill("input[name=again]", "a quiet sentence 43")
    page.click("form button[type=submit]")
    page.wait_for_selector("main [role=alert]")
    page.fill("input[name=again]", "a quiet sentence 42")
    page.click("form button[type=submit]")
    page.wait_for_selector("main [role=status]")
    page.wait_for_selector("input[name=old]")
    assert page.locator(".banners a").count() == 0
    context.close()

    asked = {"name": name, "password": "a quiet sentence 42"}
    answer = httpx.post(f"{plant.stage.page}/api/v1/login", json=asked, headers={"X-Fengsui-Request": "1"})
    assert answer.status_code == 200
    assert boss.complaints == []


def test_an_open_page_falls_shut_when_its_user_is_disabled(visit: Callable[..., Visit], plant: Plant) -> None:
    boss, guest = visit(name=BOSS), visit(name="guest")
    boss.go("people", ready="main li")
    boss.page.click(f"{row('guest')} button:text-is('Disable')")
    boss.page.click("dialog button[type=submit]")
    boss.page.wait_for_selector("dialog [role=alert]")
    boss.page.fill("dialog textarea[name=reason]", "left the company")
    boss.page.click("dialog button[type=submit]")

    guest.page.wait_for_selector("input[type=password]", timeout=5_000)
    boss.page.click(f"{row('guest')} button:text-is('Enable')")
    boss.page.fill("dialog textarea[name=reason]", "is back")
    boss.page.click("dialog button[type=submit]")
    boss.page.wait_for_selector(f"{row('guest')} button:text-is('Disable')")


def test_the_last_administrator_is_told_why_he_stays(visit: Callable[..., Visit]) -> None:
    boss = visit(name=BOSS, lang="zh")
    boss.go("people", ready="main li")
    boss.page.click(f"{row(BOSS)} button:text-is('停用')")
    boss.page.fill("dialog textarea[name=reason]", "试试")
    boss.page.click("dialog button[type=submit]")

    shows(boss.page.locator("dialog [role=alert]"), "唯一的管理员")


def test_a_token_is_made_shown_once_and_revoked(visit: Callable[..., Visit], plant: Plant) -> None:
    boss = visit(name=BOSS)
    boss.go("people", ready="main li")
    boss.page.click("main section:nth-of-type(2) .head button")
    boss.page.fill("dialog input[name=name]", "scada")
    boss.page.click("dialog button[type=submit]")
    token = boss.page.input_value("dialog input.secret")
    boss.page.click("dialog button.strong")
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{plant.stage.page}/api/v1/alarms", headers=headers).status_code == 200

    boss.page.click(f"{row('scada')} button")
    boss.page.fill("dialog textarea[name=reason]", "renewed")
    boss.page.click("dialog button[type=submit]")
    boss.page.wait_for_selector("main li.off:has(strong:text-is('scada'))")

    assert httpx.get(f"{plant.stage.page}/api/v1/alarms", headers=headers).status_code == 401
    assert token not in boss.page.content()


def test_who_may_not_make_users_is_not_offered_it(visit: Callable[..., Visit]) -> None:
    guest = visit(name="looker")
    assert guest.page.locator("nav a[href='#/people']").count() == 0
    guest.go("people", ready="main table")

    assert guest.page.locator("main button").count() == 0
    assert guest.page.locator("main tbody tr").count() == len(PERMISSIONS)


@pytest.mark.parametrize(("lang", "said"), [("en", "log-in refused"), ("zh", "登录被拒")])
def test_the_audit_says_who_did_what(visit: Callable[..., Visit], plant: Plant, lang: str, said: str) -> None:
    wrong = {"name": BOSS, "password": "not the password"}
    httpx.post(f"{plant.stage.page}/api/v1/login", json=wrong, headers={"X-Fengsui-Request": "1"})
    boss = visit(name=BOSS, lang=lang)
    boss.go("audit", ready="main li")
    boss.page.fill("input[name=q]", said)

    boss.page.wait_for_selector("main li")
    assert all(said in text for text in boss.page.locator("main li").all_inner_texts())


def test_the_audit_is_not_everybodys(visit: Callable[..., Visit]) -> None:
    guest = visit(name="looker")
    assert guest.page.locator("nav a[href='#/audit']").count() == 0
    guest.go("audit", ready="main .empty")

    assert guest.page.locator("main li").count() == 0
