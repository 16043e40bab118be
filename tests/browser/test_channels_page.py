"""The page of channels in Chromium: how each stands, a trial that arrives, a dry run, a call that another took over."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from alerting.report.plan import Due
from edge.clock_system import SystemClock
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import set_stage
from gateway.load import load
from gateway.report_mail.book import make
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import NAME, PASSWORD, Plant, shows, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

#: WeCom's door is shut, DingTalk's takes over; what the plant's silence rings is called about.
CALLS = """
[[channel]]
id = "ding"
kind = "dingtalk"
url = "http://127.0.0.1:{port}/robot/send"
allow_loopback = true
token_file = "secrets/district"
natures = ["test"]

[[channel]]
id = "wecom"
kind = "wecom"
url = "http://127.0.0.1:9/cgi-bin/webhook/send"
allow_loopback = true
token_file = "secrets/district"
natures = ["test"]
fallback = "ding"
fallback_s = 10

[[channel]]
id = "mail"
kind = "mail"
host = "127.0.0.1"
port = 9
security = "none"
allow_loopback = true
from = "gw@plant.example"

[[report_mail]]
id = "daily"
span = "day"
channel = "mail"
to = ["safety@plant.example"]

[[escalation]]
id = "silence"
tiers = ["YELLOW"]
rounds = 1

[[escalation.step]]
channel = "wecom"
wait_s = 600
"""
SAFE, LI = "safe.ty", "li.ban"


class Group(ThreadingHTTPServer):
    """A group: what its robot was told stands in ``said``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.said: list[dict[str, Any]] = []


class _Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Group)
        self.server.said.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        answer = b'{"errcode":0,"errmsg":"ok"}'
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def group() -> Iterator[Group]:
    """Its door on a free port."""
    one = Group()
    thread = threading.Thread(target=one.serve_forever)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


def put_report(site_file: Path, data: Path) -> None:
    """The report of a day long gone, which its mail server refused for good."""
    site = load(site_file)
    engine = open_store(store_url(data))
    due = Due(from_ns=1_767_196_800_000_000_000, to_ns=1_767_283_200_000_000_000, due_ns=1_767_312_000_000_000_000)
    with engine.begin() as connection:
        make(connection, site, site.reports[0], due, due.due_ns)
        values = {"state": "quarantined", "last_error": "refused: 550 no such mail box"}
        connection.execute(update(schema.outbox).where(schema.outbox.c.kind == "report").values(values))
    engine.dispose()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, group: Group) -> Iterator[Plant]:
    """A gateway whose plant is away: its silence rings."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("channels"), port=0)
    with stage.site.open("a", encoding="utf-8") as site:
        site.write(CALLS.replace("{port}", str(group.server_port)))
    engine = open_store(store_url(stage.data))
    for name in (SAFE, NAME):
        add_user(engine, SystemClock(), name, "safety_officer", PASSWORD)
    add_user(engine, SystemClock(), LI, "operator", PASSWORD)
    engine.dispose()
    put_report(stage.site, stage.data)
    alone = Plant(stage, None, None)  # type: ignore[arg-type] - no devices, no authority
    try:
        alone.await_ready()
        yield alone
    finally:
        alone.close()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Send a trial", "DingTalk robot", "at most 20 in", "Trial: delivered", "text of a trial")),
        ("zh", ("发送测试", "钉钉机器人", "最多 20 条", "", "测试文本")),
    ],
)
def test_a_trial_arrives_and_a_dry_run_shows_the_text(
    visit: Callable[..., Visit], group: Group, lang: str, words: tuple[str, ...]
) -> None:
    test, kind, quota, delivered, trial = words
    safe = visit(name=SAFE, lang=lang, phone=lang == "zh")
    safe.go("channels", ready="[data-channel=ding]")
    card = safe.page.locator("[data-channel=ding]")
    shows(card, kind)
    shows(card, quota)

    card.get_by_role("button", name=trial).click()
    card.locator("pre").first.wait_for()
    shows(card.locator("pre").first, f"{SAFE} 于")

    assert card.get_by_role("button", name=test).is_enabled()
    if lang == "zh":
        return  # A channel is not tried again within ten seconds.

    def tried() -> int:
        return sum("渠道测试" in one["markdown"]["title"] for one in group.said)

    before = tried()
    card.get_by_role("button", name=test).click()
    card.get_by_role("status").filter(has_text=delivered).wait_for(timeout=60_000)
    assert tried() == before + 1
    assert safe.complaints == []


def test_a_call_that_another_channel_took_over_is_told_on_the_alarm(
    visit: Callable[..., Visit], plant: Plant, group: Group
) -> None:
    def taken_over() -> bool:
        return any("预警" in one["markdown"]["title"] for one in group.said)

    until(taken_over, "a call that the other channel took over", 60)
    safe = visit(name=SAFE)
    safe.go("channels", ready="[data-channel=wecom]")
    safe.page.locator("[data-channel=wecom]").get_by_text("Taken over").wait_for()

    def called() -> str:
        for alarm in plant.alarms():
            calls = plant.get(f"alarms/{alarm['id']}/calls")["calls"]
            if any(one["moved"] and one["moved"][0]["state"] == "delivered" for one in calls):
                return str(alarm["id"])
        return ""

    alarm = until(called, "the timeline of the call")
    safe.page.goto(f"{plant.stage.page}/#/alarms?alarm={alarm}")
    safe.page.locator("[data-call=call]").get_by_text("ding: delivered").first.wait_for()
    assert safe.complaints == []


def test_an_operator_sees_how_they_stand_and_tries_nothing(visit: Callable[..., Visit]) -> None:
    li = visit(name=LI)
    li.go("channels", ready="[data-channel=ding]")
    assert li.page.locator("[data-channel] button").count() == 0
    assert li.complaints == []


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Mails of reports do not go", "in quarantine", "Send again", "Send", "waiting")),
        ("zh", ("未能发出的报告邮件", "", "重新发送", "", "")),
    ],
)
def test_a_report_that_did_not_go_is_seen_and_goes_again_by_hand(
    visit: Callable[..., Visit], lang: str, words: tuple[str, ...]
) -> None:
    banner, state, again, send, waiting = words
    safe = visit(name=SAFE, lang=lang, phone=lang == "zh")
    safe.go("channels", ready="[data-run=daily]")
    part = safe.page.locator("[data-part=reports]")
    part.get_by_role("alert").filter(has_text=banner).wait_for()  # Yesterday's waits for a server that is away.
    if lang == "zh":
        return  # What the other language sent again waits now.
    run = part.locator("[data-run=daily]").filter(has_text="daily-2026-01-01")
    assert state in run.inner_text()
    assert "daily-2026-01-01-0000.xlsx" in run.inner_text()
    run.get_by_role("button", name=again).click()
    safe.page.locator("dialog textarea, [role=dialog] textarea").first.fill("mail box was made")
    safe.page.locator("dialog, [role=dialog]").first.get_by_role("button", name=send, exact=True).click()
    until(lambda: waiting in run.inner_text(), "the mail that waits again")
    assert safe.complaints == []
