"""The page of rosters in Chromium: fill a gap, let somebody stand in, bring a table in, see who is on duty."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.clock_system import SystemClock
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import set_stage
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import PASSWORD, Plant, shows, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

#: The channel leads nowhere; what the plant's silence rings is called about all the same.
CALLS = """
[[channel]]
id = "sms"
url = "https://127.0.0.1:9/send"
allow_loopback = true
natures = ["test"]
secret_file = "secrets/district"

[[escalation]]
id = "silence"
tiers = ["YELLOW"]
rounds = 2

[[escalation.step]]
to = "post:control-room"
channel = "sms"
wait_s = 5

[[escalation.step]]
channel = "sms"
wait_s = 600
"""
SAFE, WANG = "safe.ty", "wang.gong"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A gateway whose plant is away: a roster needs none."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("roster"), port=0)
    with stage.site.open("a", encoding="utf-8") as site:
        site.write(CALLS)
    engine = open_store(store_url(stage.data))
    add_user(engine, SystemClock(), SAFE, "safety_officer", PASSWORD)
    add_user(engine, SystemClock(), WANG, "operator", PASSWORD)
    engine.dispose()
    alone = Plant(stage, None, None)  # type: ignore[arg-type] - no devices, no authority
    try:
        alone.await_ready()
        yield alone
    finally:
        alone.close()


def days_of(one: Visit) -> list[str]:
    """Give the days that the page shows; the gateway's clock says which."""
    cells = one.page.locator("td[data-cell]").evaluate_all("cells => cells.map(cell => cell.dataset.cell)")
    return sorted({str(cell).split(" ")[0] for cell in cells})


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("nobody", "for wang.gong", "unfilled")), ("zh", ("无人值班", "替 wang.gong", "未安排"))]
)
def test_a_gap_is_filled_and_somebody_stands_in(
    visit: Callable[..., Visit], lang: str, words: tuple[str, str, str]
) -> None:
    nobody, standing_in, unfilled = words
    safe = visit(name=SAFE, lang=lang)
    safe.go("roster", ready="td[data-cell]")
    safe.page.wait_for_selector(f".now strong:text-is('{nobody}')")
    day = days_of(safe)[-1 if lang == "en" else -2]
    cell = f"td[data-cell='{day} day control-room']"
    shows(safe.page.locator(cell), unfilled)

    safe.page.click(f"{cell} button.add")
    safe.page.select_option("dialog select[name=person]", WANG)
    safe.page.click("dialog button[type=submit]")
    safe.page.wait_for_selector(f"{cell} .watch:has-text('{WANG}')")
    safe.page.click(f"{cell} .acts button >> nth=0")
    safe.page.select_option("dialog select[name=person]", SAFE)
    safe.page.fill("dialog textarea[name=reason]", "ill")
    safe.page.click("dialog button[type=submit]")
    safe.page.wait_for_selector(f"{cell} .watch:has-text('{standing_in}')")

    safe.page.click(f"td[data-cell='{day} day leader'] button.add")
    safe.page.select_option("dialog select[name=person]", SAFE)
    safe.page.click("dialog button[type=submit]")
    said = safe.page.inner_text("dialog [role=alert]")
    assert ("同一时间已值班" if lang == "zh" else "on duty at the same time") in said
    assert [one for one in safe.complaints if "409" not in one] == []  # The browser remarks on the refusal.


def test_a_wrong_table_tells_its_rows_and_a_right_one_puts_people_on_duty(
    visit: Callable[..., Visit], plant: Plant, tmp_path: Path
) -> None:
    safe = visit(name=SAFE)
    safe.go("roster", ready="td[data-cell]")
    today = date.fromisoformat(days_of(safe)[0])
    file = tmp_path / "roster.csv"
    file.write_text("date,shift,post,person\n2026-01-32,day,leader,x\n", "utf-8")
    safe.page.set_input_files("input[name=roster]", file)
    safe.page.click("form:has(input[name=roster]) button[type=submit]")
    shows(safe.page.locator("form [role=alert]"), "row 2")

    rows = [
        f"{today + timedelta(days=n)},{shift},{post},{person}"
        for n in range(-1, 3)
        for shift in ("day", "night")
        for post, person in (("leader", SAFE), ("control-room", WANG))
        if (shift == "day") == (n % 2 == 0)
    ]
    file.write_text("\n".join(["date,shift,post,person", *rows]), "utf-8")
    safe.page.click("form:has(input[name=roster]) button[type=submit]")
    safe.page.wait_for_selector("form .told:has-text('Choose it again')")
    safe.page.set_input_files("input[name=roster]", file)
    safe.page.click("form:has(input[name=roster]) button[type=submit]")
    safe.page.click("button[name=apply]")
    safe.page.fill("dialog textarea[name=reason]", "the plan of the week")
    safe.page.click("dialog button[type=submit]")
    safe.page.wait_for_selector("form [role=status]")

    assert {w["post"] for w in plant_watches(plant, safe)} == {"leader", "control-room"}
    assert safe.complaints == []


def plant_watches(plant: Plant, safe: Visit) -> list[dict[str, str]]:
    answer = safe.context.request.get(f"{plant.stage.page}/api/v1/roster")
    found: list[dict[str, str]] = answer.json()["watches"]
    return found


def test_an_operator_sees_who_is_on_duty_on_a_phone_and_changes_nothing(visit: Callable[..., Visit]) -> None:
    wang = visit(name=WANG, phone=True, lang="zh")
    wang.go("roster", ready="td[data-cell]")

    assert wang.page.locator("button.add").count() == 0
    assert wang.page.locator("input[name=roster]").count() == 0
    width = wang.page.evaluate(
        "document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth"
    )
    assert width <= 0
    assert wang.complaints == []


@pytest.mark.parametrize(("lang", "words"), [("en", ("Calls", "nobody on duty")), ("zh", ("呼叫记录", "无人值班"))])
def test_who_was_called_stands_on_the_alarm_and_on_the_roster(
    visit: Callable[..., Visit], plant: Plant, lang: str, words: tuple[str, str]
) -> None:
    plant_rings(plant)
    safe = visit(name=SAFE, lang=lang)
    safe.go("roster", ready=".plans li")
    safe.page.wait_for_selector(".ladders li", timeout=30_000)
    shows(safe.page.locator(".plans"), "silence")
    safe.page.click(".ladders li a >> nth=0")
    safe.page.wait_for_selector(".calls li[data-call=call]")

    told = safe.page.inner_text(".calls")
    assert words[0] in told
    assert WANG in told or words[1] in told  # Whether the table above came before the first call, the machine says.
    assert safe.complaints == []


def plant_rings(plant: Plant) -> None:
    """Wait until an alarm of the silent plant is being called about."""

    def is_called() -> bool:
        with httpx.Client(base_url=plant.stage.page, cookies={"fengsui_session": plant.session(SAFE)}) as client:
            return bool(client.get("/api/v1/escalation").json()["ladders"])

    until(is_called, "a ladder of calls")
