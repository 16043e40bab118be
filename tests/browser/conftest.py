"""A real gateway with a real plant, and a real browser that looks at its page.

Why: what a person sees is the end of the road; only the plant and the authority are made of code.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.clock_system import SystemClock
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import Stage, set_stage
from gateway.store.engine import open_store, store_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Locator

    from simulators.child import Child

NAME, PASSWORD = "zhang.min", "rain on the tank farm 7"
SECOND = "wang.fang"
ARGUMENTS = ["--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--no-sandbox"]
READY_S_MAX = 60.0

#: In titles of the configuration; whoever reads them as markup runs a program.
HOSTILE = '<img src=x onerror="window.broken=1"><script>window.broken=2</script>{{7*7}}'
#: A unit that stays quiet in the story, and its titles in the demonstration's site file.
HOSTILE_UNIT = "Z-402"


def until(what: Callable[[], Any], why: str, seconds: float = READY_S_MAX) -> Any:  # noqa: ANN401 - whatever is waited for
    """Wait for real processes until something is true; give it."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        if found := what():
            return found
        time.sleep(0.1)
    pytest.fail(f"{why} did not come within {seconds:g} s")


def shows(where: Locator, text: str) -> None:
    """Wait until a part of the page says a text; a page that still reads says another one first."""
    from playwright.sync_api import expect  # noqa: PLC0415 - where there is no playwright, nothing here is run

    expect(where).to_contain_text(text, use_inner_text=True, timeout=READY_S_MAX * 1000)


@contextmanager
def paused(*children: Child) -> Iterator[None]:
    """Keep processes from saying anything: their connections stay open, and nothing comes."""
    for child in children:
        os.kill(child.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for child in children:
            os.kill(child.process.pid, signal.SIGCONT)


class Plant:
    """A played story: the stage, its gateway, and its API."""

    def __init__(self, stage: Stage, devices: Child, authority: Child) -> None:
        self.stage = stage
        self.devices = devices
        self.authority = authority
        self._sessions: dict[str, str] = {}
        self.gateway = stage.start_gateway()

    def await_ready(self) -> None:
        """Wait until scans are judged."""
        until(self._is_ready, f"the gateway (its log is {self.gateway.log})")

    def _is_ready(self) -> bool:
        assert self.gateway.is_running, self.gateway.last_words()
        try:
            return httpx.get(f"{self.stage.page}/api/v1/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def session(self, name: str) -> str:
        """Log somebody in, once for all tests; gives the session."""
        if name not in self._sessions:
            asked = {"name": name, "password": PASSWORD}
            with httpx.Client(base_url=self.stage.page, headers={"X-Fengsui-Request": "1"}) as client:
                client.post("/api/v1/login", json=asked).raise_for_status()
                self._sessions[name] = client.cookies["fengsui_session"]
        return self._sessions[name]

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Ask the API, logged in."""
        cookies = {"fengsui_session": self.session(NAME)}
        answer = httpx.get(f"{self.stage.page}/api/v1/{path}", params=query, cookies=cookies, timeout=10.0)
        return answer.raise_for_status().json()

    def alarms(self) -> list[dict[str, Any]]:
        """Give what the page lists."""
        found: list[dict[str, Any]] = self.get("alarms")["alarms"]
        return found

    def close(self) -> None:
        """End the gateway."""
        if self.gateway.is_running:
            self.gateway.stop()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Plant]:
    """The demonstration's story on real protocols, played until its alarms stand.

    A file of tests may say ``SITE_MORE``, what its site file has besides, and ``SITE_EDITS``, what is otherwise.
    """
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("stage"), port=0)
    spoil_titles(stage.site.parent)
    text = (stage.site.parent / "site.toml").read_text(encoding="utf-8")
    for old, new in getattr(request.module, "SITE_EDITS", {}).items():
        assert old in text, f"the demonstration's site says no {old}"
        text = text.replace(old, new)
    (stage.site.parent / "site.toml").write_text(text + getattr(request.module, "SITE_MORE", ""), encoding="utf-8")
    engine = open_store(store_url(stage.data))
    add_user(engine, SystemClock(), NAME, "safety_officer", PASSWORD)
    add_user(engine, SystemClock(), "guest", "viewer", PASSWORD)
    add_user(engine, SystemClock(), SECOND, "engineer", PASSWORD)
    engine.dispose()
    with ExitStack() as ending:
        for child in (stage.start_broker(), authority := stage.start_regulator(), devices := stage.start_plant()):
            ending.callback(child.stop)
        played = Plant(stage, devices, authority)
        ending.callback(played.close)
        played.await_ready()
        until(lambda: len({alarm["tier_max"] for alarm in played.alarms()}) >= 3, "alarms of three tiers")
        yield played


def spoil_titles(site: Path) -> None:
    """Put markup into what people call a unit and a tag, in both languages."""
    text = (site / "site.toml").read_text(encoding="utf-8")
    for title in ("Entrance plaza Z-402", "Z-402 入口广场"):
        assert title in text, "the demonstration's site has other titles now"
        text = text.replace(json.dumps(title, ensure_ascii=False), f"'{HOSTILE}'")
    (site / "site.toml").write_text(text, encoding="utf-8")
    path = site / "tags" / "crowd.csv"
    table = path.read_text(encoding="utf-8")
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    for title in ("Z-402 entrance plaza occupancy", "Z-402 入口广场在园人数"):
        assert title in table, "the demonstration's tags have other titles now"
        table = table.replace(title, quoted)
    path.write_text(table, encoding="utf-8")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for a file of tests; no longer, for its loop would be in the way of asyncio tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


class Visit:
    """One person at one screen; what the browser complained of is a failure of the test."""

    def __init__(
        self, browser: Browser, plant: Plant, *, lang: str = "en", phone: bool = False, name: str = NAME
    ) -> None:
        self.plant = plant
        self.lang = lang
        self.complaints: list[str] = []
        self.addresses: set[str] = set()
        self.context = browser.new_context(
            viewport={"width": 390, "height": 844} if phone else {"width": 1920, "height": 1080},
            locale="zh-CN" if lang == "zh" else "en-GB",
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("request", lambda request: self.addresses.add(request.url))
        self.context.add_cookies([{"name": "fengsui_session", "value": plant.session(name), "url": plant.stage.page}])
        self.page.goto(plant.stage.page)
        self.page.wait_for_selector(".frame .counts")

    def _note(self, message: ConsoleMessage) -> None:
        # The first question "who am I" of someone who is not logged in is answered 401; the browser remarks on it.
        # So it does of a horn that may not sound before somebody touches the page; the page says it in a banner.
        is_expected = "401" in message.text or "AudioContext was not allowed to start" in message.text
        if message.type in {"error", "warning"} and not is_expected:
            self.complaints.append(message.text)

    def go(self, place: str, ready: str = "main h1, main .list") -> None:
        """Go to a place of the page and wait until it has something to show."""
        self.page.goto(f"{self.plant.stage.page}/#/{place}")
        self.page.wait_for_selector(ready, state="attached")

    def text(self) -> str:
        """Give everything that can be read."""
        return str(self.page.inner_text("body"))

    def close(self) -> None:
        """End the visit."""
        self.context.close()


@pytest.fixture
def visit(browser: Browser, plant: Plant) -> Iterator[Callable[..., Visit]]:
    """Log in as somebody: ``visit(lang="zh", phone=True)``."""
    visits: list[Visit] = []

    def begin(**how: Any) -> Visit:  # noqa: ANN401 - as Visit takes it
        visits.append(Visit(browser, plant, **how))
        return visits[-1]

    yield begin
    for one in visits:
        one.close()
