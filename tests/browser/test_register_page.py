"""The register's ledgers in Chromium: enter a plant, see its grade, change it, read who did; bring a list in."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from alerting.duty.table import KINDS
from edge.clock_system import SystemClock
from gateway.api.page import DIST
from gateway.auth import add_user
from gateway.demo import set_stage
from gateway.store.engine import open_store, store_url
from tests.browser.conftest import NAME, PASSWORD, Plant, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.slow]

OFFICER, SECOND, LOOKER = "li.anquan", "wang.anquan", "looker"
#: A PNG of one pixel.
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WORDS = {
    "en": {"grade": "Grade II", "make": "New record", "refused": "check digit", "empty": "No records yet"},
    "zh": {"grade": "二级重大危险源", "make": "新建记录", "refused": "校验位", "empty": "暂无记录"},
}

#: Takes the register, and gets nothing: a dry run.
AUTHORITY = """
[[profile]]
id = "dual"
envelope = "exchange"
signature = "none"
[profile.exchange]
dry_run = true
[[destination]]
id = "county"
profile = "dual"
url = "https://county.invalid/dual"
natures = ["actual"]
"""
#: A line of the call-out that is called by hand alone.
RESCUE = f"""
[[call_out]]
id = "rescue"
title = {{ en = "Rescue at the gate", zh = "到门口救援" }}
who = "person:{OFFICER}"
instead = ["person:{SECOND}"]
from_tier = "RED"
[drill]
stories = "drills"
"""
#: A flange leaks from the first second on.
LEAK = """
title = { en = "A flange leaks", zh = "法兰泄漏" }
lasts_s = 300
[[act]]
at_s = 0
verb = "leak"
unit = "GL-301"
amount = 18
[[expect]]
id = "gas"
see = "alarm"
tag = "GD-311.lel"
condition = "HH"
until_s = 120
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A gateway whose plant is away: the register needs none."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the page is not built: bin/setup builds it")
    stage = set_stage(tmp_path_factory.mktemp("register"), port=0)
    with (stage.site.parent / "site.toml").open("a", encoding="utf-8") as site:
        site.write(AUTHORITY + RESCUE)
    (stage.site.parent / "drills").mkdir()
    (stage.site.parent / "drills" / "flange.toml").write_text(LEAK, encoding="utf-8")
    engine = open_store(store_url(stage.data))
    add_user(engine, SystemClock(), OFFICER, "safety_officer", PASSWORD)
    add_user(engine, SystemClock(), SECOND, "safety_officer", PASSWORD)
    for looker in (LOOKER, NAME):
        add_user(engine, SystemClock(), looker, "viewer", PASSWORD)
    engine.dispose()
    alone = Plant(stage, None, None)  # type: ignore[arg-type] - no devices, no authority
    try:
        alone.await_ready()
        yield alone
    finally:
        alone.close()


def enter(one: Visit, ledger: str, **values: str) -> None:
    """Fill in the form of a new record and send it."""
    one.go(f"register/{ledger}", ready=f"[data-ledger={ledger}] button[name=make]")
    one.page.click("button[name=make]")
    fill(one, **values)
    one.page.click("dialog button[type=submit]")


def fill(one: Visit, **values: str) -> None:
    for name, value in values.items():
        field = one.page.locator(f"dialog [name={name}]")
        if field.evaluate("it => it.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_plant_is_entered_graded_and_changed(visit: Callable[..., Visit], lang: str) -> None:
    words = WORDS[lang]
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    code = f"TK-{lang}"
    one.go("register/units", ready="[data-ledger=units] button[name=make]")
    where = {"position-system": "BD-09", "position": "116.404 39.915"}
    enter(one, "enterprises", code=f"E-{lang}", name="海安化工 Hai'an Chemicals", **where)
    one.page.get_by_text("116.39138").wait_for()  # BD-09 as PyPI prcoords 1.0.2 takes it back
    enter(one, "units", code=code, name="氯气储罐区", type="storage", persons_outside="120", enterprise=f"E-{lang}")
    one.page.wait_for_selector(".sheet p.quiet")
    assert one.complaints == []

    enter(
        one,
        "holdings",
        code=f"{code}-1",
        dossier=code,
        substance="氯",
        named="chlorine",
        cas="7782-50-6",
        design_t="60",
    )
    one.page.wait_for_selector("dialog .wrong")
    shows(one.page.locator("dialog label.wrong"), words["refused"])
    fill(one, cas="7782-50-5")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.complaints.clear()  # The browser remarks on the refusal.

    one.go(
        f"register/units?record={one.plant.get('register/ledgers/units', q=code)['records'][0]['id']}", ready=".result"
    )
    shows(one.page.locator(".result"), words["grade"])
    one.page.click("section.one button[name=change]")
    fill(one, persons_outside="0", reason="counted anew")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(".step:has-text('counted anew')")
    shows(one.page.locator(".step:has-text('counted anew')"), OFFICER)
    assert one.plant.get("register/worksheet", code=code)["alpha"] == 0.5
    assert one.complaints == []


def test_a_list_is_brought_in_after_its_mistakes_are_put_right(visit: Callable[..., Visit]) -> None:
    one = visit(name=OFFICER, lang="zh")

    def sheet(phone: str) -> dict[str, object]:
        book = Workbook()
        for row in (["编号", "企业名称", "24小时值班电话"], ["L-1", "甲厂", "0512-60000001"], ["L-2", "乙厂", phone]):
            book.active.append(row)
        out = io.BytesIO()
        book.save(out)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return {"name": "企业.xlsx", "mimeType": kind, "buffer": out.getvalue()}

    one.go("register/enterprises", ready="[data-ledger=enterprises] button[name=import]")
    one.page.click("button[name=import]")
    one.page.set_input_files("input[name=list]", sheet("打电话"))  # type: ignore[arg-type] - as the browser takes it
    one.page.click(".bring button[type=submit]")
    one.page.wait_for_selector(".bring tbody tr")
    told = one.page.inner_text(".bring tbody")
    assert one.page.locator(".bring tbody tr").count() == 1
    assert "3" in told
    assert "24小时值班电话" in told
    assert "不是电话号码" in told

    one.page.set_input_files("input[name=list]", sheet("0512-60000002"))  # type: ignore[arg-type] - as the browser takes it
    one.page.click(".bring button[type=submit]")
    one.page.click(".bring button[name=take]")
    one.page.fill("dialog textarea[name=reason]", "旧台账")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("tbody tr:has-text('乙厂')")
    one.page.fill("input[name=find]", "乙厂")
    one.page.wait_for_selector("tbody tr:has-text('甲厂')", state="detached")
    assert one.page.locator("tbody tr").count() == 1
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_hidden_hazard_is_closed_by_a_second_person(visit: Callable[..., Visit], lang: str) -> None:
    said = {"en": ("awaiting acceptance", "may not accept", "closed"), "zh": ("待验收", "不得验收", "已销号")}[lang]
    code, day = f"H-{lang}", datetime.fromtimestamp(SystemClock().wall_ns() // 1_000_000_000, tz=UTC).date()
    li = visit(name=OFFICER, lang=lang, phone=lang == "en")
    enter(
        li,
        "hidden_hazards",
        code=code,
        title="安全阀铅封缺失",
        source="daily",
        found_on=(day - timedelta(days=1)).isoformat(),
    )
    li.page.wait_for_selector("section.one button[name=class]")

    def act(who: Visit, name: str, **values: str) -> None:
        who.page.click(f"section.one button[name={name}]")
        fill(who, **values)
        who.page.click("dialog button[type=submit]")

    act(li, "class", **{"class": "general"})
    li.page.wait_for_selector("section.one button[name=plan]")
    later = (day + timedelta(days=9)).isoformat()
    act(li, "plan", way="by_deadline", responsible="zhao", measures="补装铅封", deadline=later)
    li.page.wait_for_selector("section.one button[name=rectify]")
    dot = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(DOT)}
    li.page.set_input_files("input[name=photo-after]", dot)  # type: ignore[arg-type] - as the browser takes it
    li.page.wait_for_selector(".shots img")
    assert li.page.evaluate("document.querySelector('.shots img').decode().then(() => true)")
    act(li, "rectify", done="已补装")
    li.page.wait_for_selector("section.one button[name=accept]")
    shows(li.page.locator("section.one .head"), said[0])
    assert li.complaints == []
    act(li, "accept", acceptance="合格")
    li.page.wait_for_selector("dialog .problem")
    shows(li.page.locator("dialog .problem"), said[1])

    wang = visit(name=SECOND, lang=lang)
    found = wang.plant.get("register/ledgers/hidden_hazards", q=code)["records"][0]
    wang.go(f"register/hidden_hazards?record={found['id']}", ready="section.one button[name=accept]")
    act(wang, "accept", acceptance="合格")
    wang.page.wait_for_selector(f"section.one .head:has-text('{said[2]}')")
    shows(wang.page.locator(".step:first-of-type"), SECOND)
    assert wang.page.locator("section.one button[name=change]").count() == 0
    assert wang.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_who_may_only_look_is_told_who_enters(visit: Callable[..., Visit], lang: str) -> None:
    one = visit(name=LOOKER, lang=lang)
    one.go("register/holdings?q=none", ready="main nav.parts a")
    one.page.fill("input[name=find]", "查无此物")
    one.page.wait_for_selector("main .empty")
    assert one.page.locator("button[name=make], button[name=import]").count() == 0
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_routine_is_a_duty_that_is_answered_and_done(visit: Callable[..., Visit], lang: str) -> None:
    """Entered in its ledger, seen on the page of duties, answered there; done, it stands there with its next day."""
    coming = {"en": "Coming", "zh": "未到提示"}[lang]
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    today = datetime.now(UTC).date()
    code = f"R-{lang}"
    values = {
        "title": "月度演练 drill",
        "sort": "drill",
        "first_due": today.isoformat(),
        "every": "1",
        "cycle": "months",
    }
    enter(one, "routines", code=code, responsible=OFFICER, **values)
    one.page.wait_for_selector("section.one")

    row = f"li[data-duty={code}]"
    one.go("duties", ready=".counts")
    one.page.wait_for_selector(f"{row}.coming, {row}.prompt, {row}.warning", timeout=30_000)
    shows(one.page.locator(row), code)
    one.page.click(f"{row} button[name=answer]")
    one.page.fill("dialog textarea", "the date stands 已安排")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(f"{row} .answer")
    shows(one.page.locator(f"{row} .answer"), OFFICER)

    one.page.click(f"{row} .acts a")
    one.page.click("section.one button[name=done]")
    fill(one, result="done with the fire brigade")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.go("duties", ready=".counts")
    one.page.wait_for_selector(f"{row}.coming")
    shows(one.page.locator(row), coming)
    one.go("duties?view=table", ready="tr[data-kind]")
    assert one.page.locator("tr[data-kind]").count() == len(KINDS)
    one.go("duties?view=closed", ready=row)


def test_equipment_documents_and_contacts_name_each_other(visit: Callable[..., Visit]) -> None:
    """On a phone in Chinese, and at a desk in English."""
    until = (datetime.fromtimestamp(SystemClock().wall_ns() // 1_000_000_000, tz=UTC) + timedelta(days=400)).strftime(
        "%Y-%m-%d"
    )
    one = visit(name=OFFICER, lang="zh", phone=True)
    enter(
        one,
        "contacts",
        code="CO-1",
        name="县消防大队 fire brigade",
        sort="organisation",
        role="fire",
        phone="0512-60000119",
    )
    one.page.wait_for_selector("section.one")
    enter(one, "enterprises", code="E-eq", name="设备企业 plant", contact="CO-1")
    one.page.wait_for_selector("section.one")
    enter(one, "units", code="TK-eq", name="缓冲罐区", type="storage", persons_outside="10", enterprise="E-eq")
    one.page.wait_for_selector(".sheet p.quiet")
    enter(
        one,
        "surroundings",
        code="SU-1",
        name="新村 homes",
        dossier="TK-eq",
        sort="homes",
        side="n",
        distance_m="90",
        persons="11",
        counted_on="2026-01-01",
        contact="CO-1",
    )
    one.page.wait_for_selector("section.one")
    enter(one, "equipment", code="EQ-1", name="缓冲罐 vessel", sort="vessel", dossier="TK-eq", special="vessel")
    one.page.wait_for_selector("dialog label.wrong:has-text('特种设备应办理使用登记')")
    fill(one, certificate="容3", inspected_until=until)
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")
    one.complaints.clear()  # The browser remarks on the refusal.
    enter(
        one,
        "documents",
        code="D-1",
        title="使用登记证 registration",
        sort="certificate",
        equipment="EQ-1",
        valid_until=until,
        link="https://files.plant.example/d1.pdf",
    )
    one.page.wait_for_selector("section.one a[data-link]")
    link = one.page.locator("section.one a[data-link]")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (
        "https://files.plant.example/d1.pdf",
        "noopener noreferrer",
    )
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    one.go("register/units?find=TK-eq", ready="[data-ledger=units]")
    desk = visit(name=LOOKER, lang="en")
    desk.go("register/equipment", ready="tbody tr")
    desk.page.click("tbody tr:has-text('EQ-1')")
    desk.page.wait_for_selector("section.one .names:has-text('registration')")
    desk.go("register/contacts", ready="select[name=state]")
    desk.page.select_option("select[name=state]", "fire")
    desk.page.wait_for_selector("tbody tr:has-text('fire brigade')")
    assert (one.complaints, desk.complaints) == ([], [])


def test_a_campaign_shows_its_coverage_and_whose_units_are_left(visit: Callable[..., Visit]) -> None:
    one = visit(name=OFFICER, lang="zh", phone=True)
    enter(one, "grid_cells", code="G-1", name="北区网格", owner="wang.wangge")
    one.page.wait_for_selector("section.one")
    enter(one, "units", code="TK-grid", name="网格罐区", type="storage", persons_outside="1", cell="G-1")
    one.page.wait_for_selector(".sheet p.quiet")
    enter(one, "campaigns", code="CA-1", title="季度全覆盖", span="quarter", **{"from": "2026-01-01"}, cell="G-1")
    one.page.wait_for_selector("section.one")
    one.go("register/campaigns", ready="[data-campaign=CA-1] [data-share]")
    assert "覆盖率 0" in one.page.inner_text("[data-campaign=CA-1] [data-share]")
    shows(one.page.locator("[data-campaign=CA-1] ul"), "网格罐区")
    assert "wang.wangge" in one.page.inner_text("[data-campaign=CA-1] ul")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


def test_occupational_hazards_show_limits_samples_and_rates(visit: Callable[..., Visit]) -> None:
    one = visit(name=OFFICER, lang="zh", phone=True)
    today = datetime.now(tz=UTC).date()
    benzene = {"sort": "chemical", "factor": "苯", "cas": "71-43-2", "eu": "mg/m³", "posts": "装车工", "sign": "no"}
    cycle = {"first_due": f"{today.year}-01-31", "every": "1", "cycle": "years", "sign_due": f"{today.year + 1}-12-31"}
    enter(one, "exposure_points", code="OP-1", place="装车台", **benzene, **cycle)
    one.page.wait_for_selector("section.one")
    lab = {"institution": "检测中心", "report": "ZW-1"}
    taken = {"on": today.isoformat(), "kind": "twa", "value": "3.4", "eu": "mg/m³"}
    enter(one, "exposure_samples", code="S-1", point="OP-1", **taken, **lab)
    one.page.wait_for_selector("section.one")
    one.go("register/exposure_points", ready="[data-point=OP-1] [data-kind=twa]")
    one.page.fill("form.asked input[name=year]", str(today.year))
    one.page.wait_for_selector("[data-rates=all]:has-text('100.0 %')")
    shows(one.page.locator("[data-rates='f:苯']"), "0.0 %")
    shows(one.page.locator("[data-point=OP-1] [data-kind=twa]"), "3.4 超限")
    shows(one.page.locator("[data-part=exposure] ul"), "未设警示标识")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    one.page.fill("form.asked input[name=year]", str(today.year - 5))
    one.page.wait_for_selector("[data-rates=all]:has-text('–')")
    assert one.complaints == []


def test_who_reported_is_entered_opened_with_a_reason_and_shown_to_few(visit: Callable[..., Visit]) -> None:
    one = visit(name=OFFICER, lang="zh", phone=True)
    enter(
        one,
        "tips",
        code="T-1",
        title="夜间违规动火",
        sort="violation",
        way="hotline",
        received_on="2026-01-01",
        content="三号管廊",
    )
    one.page.click("section.one button[name=reporter]")
    fill(one, name="赵某某", phone="13800000000")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("[data-part=reporter] button[name=open-reporter]")
    assert "赵某某" not in one.page.inner_text("body")
    one.page.click("button[name=open-reporter]")
    one.page.fill("dialog input[name=reason], dialog textarea", "答复")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog input.secret")
    assert one.page.input_value("dialog input.secret") == "赵某某 · 13800000000"
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    looker = visit(name=LOOKER, lang="en")
    looker.go("register/tips", ready="tbody tr")
    looker.page.click("tbody tr:has-text('T-1')")
    looker.page.wait_for_selector("section.one")
    assert looker.page.locator("[data-part=reporter]").count() == 0
    assert (one.complaints, looker.complaints) == ([], [])


def test_a_month_is_reported_with_what_is_entered_by_hand(visit: Callable[..., Visit]) -> None:
    month = datetime.fromtimestamp(SystemClock().wall_ns() // 1_000_000_000, tz=UTC).strftime("%Y-%m")
    one = visit(name=OFFICER, lang="zh", phone=True)
    enter(one, "monthly", code=f"M-{month}", title="月报", punished="7")
    one.page.wait_for_selector("section.one")
    one.go("register/reports", ready="[data-lot=punished]")
    one.page.fill("input[name=month]", month)
    one.page.wait_for_selector("[data-lot=punished]:has-text('7')")
    with one.page.expect_download() as got:
        one.page.click("a[data-form=pdf]")
    assert got.value.suggested_filename == f"demo-{month}.pdf"
    assert got.value.path().read_bytes().startswith(b"%PDF")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    one.page.select_option("select[name=kind]", "quarter")
    one.page.wait_for_selector("select[name=quarter]")
    assert one.complaints == []


def test_a_safety_commitment_is_filled_in_contradicted_and_signed(visit: Callable[..., Visit]) -> None:
    """On a phone in Chinese; read in English at a desk."""
    one = visit(name=OFFICER, lang="zh", phone=True)
    one.go("commitment", ready="button[name=fill]")
    assert "尚未签署" in one.page.inner_text("main .empty")
    one.page.click("button[name=fill]")
    fill(one, head="王总", text="今日装置安全运行 All measures are in place.", height="3")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(".sheet [data-stated=height] .other")
    assert "高处作业：承诺 3，系统 0" in one.page.inner_text(".sheet .differs")
    one.page.click("button[name=sign]")
    one.page.click("dialog button[type=submit]")
    assert one.page.locator("dialog").count() == 1, "it asks for the reason"
    one.page.fill("dialog textarea[name=reason]", "票证稍后录入")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(".sheet .mark[data-state=signed]")
    one.page.wait_for_selector("[data-told]")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []

    looker = visit(name=LOOKER, lang="en")
    looker.go("commitment", ready=".sheet")
    assert OFFICER in looker.page.inner_text(".sheet .mark")
    assert "work at height: 3 stated, 0 found" in looker.page.inner_text(".differs")
    assert looker.page.locator("button[name=sign], button[name=fill]").count() == 0
    looker.go("register/commitments?state=signed", ready="select[name=state]")
    looker.page.select_option("select[name=state]", "signed")
    looker.page.wait_for_selector("tbody tr:has-text('SC-')")
    assert looker.complaints == []


RISK_WORDS = {
    "en": {
        "major": "major · red",
        "general": "general · yellow",
        "factor": "no factor",
        "notice": "Notice of safety risks",
    },
    "zh": {
        "major": "重大 · 红",
        "general": "一般 · 黄",
        "factor": "不是所选评价方法的取值",
        "notice": "安全风险告知牌",
    },
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_risk_is_graded_drawn_in_its_colour_and_printed_on_a_notice(visit: Callable[..., Visit], lang: str) -> None:
    words = RISK_WORDS[lang]
    one = visit(name=OFFICER, lang=lang, phone=lang == "en")
    if lang == "en":
        one.go("register/risks", ready=".empty")
    enter(one, "enterprises", code=f"ER-{lang}", name="海安化工 Hai'an Chemicals")
    one.page.wait_for_selector("section.one")
    enter(
        one,
        "units",
        code=f"UR-{lang}",
        name="氯气储罐区",
        type="storage",
        persons_outside="120",
        enterprise=f"ER-{lang}",
    )
    one.page.wait_for_selector("section.one")
    east = 0.0 if lang == "en" else 0.0006
    corners = ((120.7, 31.3), (120.7004, 31.3), (120.7004, 31.3004))
    outline = "; ".join(f"{lon + east:.4f} {lat}" for lon, lat in corners)
    enter(
        one, "risk_units", code=f"RU-{lang}", name="<b>氯气罐组</b>", dossier=f"UR-{lang}", place="storage",
        department="储运车间", liable="李工", outline=outline,
    )  # fmt: skip
    one.page.wait_for_selector("section.one")
    enter(
        one, "risk_events", code=f"RE-{lang}", risk_unit=f"RU-{lang}", name="氯气泄漏", accident="23",
        consequences="中毒", method="lec", likelihood_inherent="6", exposure_inherent="6", severity_inherent="40",
        likelihood="2", exposure="6", severity="15", graded_on="2025-01-31", graded_by="team", emergency="佩戴空呼",
    )  # fmt: skip
    one.page.wait_for_selector("dialog .wrong")
    shows(one.page.locator("dialog label.wrong"), words["factor"])
    fill(one, likelihood="1")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector(".grading")
    shows(one.page.locator(".grading"), "D = 6 · 6 · 40 = 1")
    shows(one.page.locator(".grading"), words["general"])
    one.complaints.clear()  # The browser remarks on the refusal.
    enter(
        one, "control_measures", **{
            "code": f"CM-{lang}", "event": f"RE-{lang}", "measure": "紧急切断 shut-off", "source": "2", "class": "1",
            "kind": "1-1", "check": "阀门动作",
        },
    )  # fmt: skip
    one.page.wait_for_selector("section.one")

    one.go("register/risks", ready=f"[data-risk='RU-{lang}']")
    row = one.page.locator(f"[data-risk='RU-{lang}']")
    shows(row.locator("[data-kind=inherent]"), words["major"])
    shows(row.locator("[data-kind=dynamic]"), words["general"])
    one.page.wait_for_selector(".map path.leaflet-interactive")
    yellow = one.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--yellow')")
    one.page.wait_for_selector(f".map path[fill='{yellow}']")
    plan, unit = (one.page.locator(each).last.bounding_box() for each in (".map .site-plan", ".map path[fill]"))
    assert plan is not None
    assert unit is not None
    assert one.page.evaluate("document.querySelector('.site-plan').naturalWidth") == 1234
    off = ((unit["x"] - plan["x"]) / plan["width"], (unit["y"] - plan["y"]) / plan["height"])
    there = ((120.7 + east - 120.69965) / 0.00325, (31.3013 - 31.3004) / 0.0015)
    assert off == pytest.approx(there, abs=0.02), "an outline lies where the plan has it"
    one.page.click("button[name=inherent]")
    red = one.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--red')")
    one.page.wait_for_selector(f".map path[fill='{red}']")
    assert one.page.locator(".map b").count() == 0, "a name is text"
    row.locator("button[name=notice]").click()
    one.page.wait_for_selector(".notice .event")
    told = one.page.inner_text(".notice")
    assert all(word in told for word in (words["notice"], "氯气泄漏", "紧急切断 shut-off", "佩戴空呼", "李工", "119"))
    one.page.click(".notice button[name=card]")
    one.page.click(".notice button[name=close]")
    one.page.wait_for_selector(".notice", state="detached")
    assert one.complaints == []


def test_a_hazop_sheet_is_brought_in_with_its_grades(visit: Callable[..., Visit], tmp_path: Path) -> None:
    one = visit(name=OFFICER, lang="zh")
    for ledger in ("hazop", "jha", "scl"):
        one.go(f"register/{ledger}", ready=f"[data-ledger={ledger}] button[name=make]")
        one.page.wait_for_selector("main th, main .empty")
    book = Workbook()
    book.active.append(
        [
            "编号",
            "风险分析单元",
            "节点",
            "参数",
            "引导词",
            "偏差",
            "原因",
            "后果",
            "评价方法",
            "现状可能性 L",
            "现状后果 C/S",
        ]
    )
    book.active.append(
        ["HZ-1", "RU-zh", "N1", "液位", "多（高）", "液位高", "进料阀故障", "溢流", "风险矩阵 LS（R=L·S）", 4, 5]
    )
    out = tmp_path / "hazop.xlsx"
    book.save(out)
    one.go("register/hazop", ready="[data-ledger=hazop] button[name=import]")
    one.page.click("button[name=import]")
    one.page.set_input_files("input[type=file]", out)
    one.page.click("form:has(input[type=file]) button[type=submit]")
    one.page.click("button[name=take]")
    one.page.fill("dialog textarea", "评审会")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("tbody tr:has-text('HZ-1')")
    shows(one.page.locator("tbody tr:has-text('HZ-1')"), "重大风险（红）")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_check_on_the_spot_registers_what_it_found(visit: Callable[..., Visit], lang: str) -> None:
    """On a phone: what to look at, a picture, the place; the check and the hidden hazard both have the picture."""
    one = visit(name=OFFICER, lang=lang, phone=True)
    code = f"I-{lang}"
    today = datetime.now(UTC).date().isoformat()
    values = {"title": "罐区巡查 patrol", "content": "seals, bund", "sort": "patrol", "first_due": today}
    enter(one, "inspections", code=code, every="1", cycle="days", responsible=OFFICER, **values)
    one.page.click("section.one a[href*=check]")
    one.page.click("button[name=found]")
    one.page.click("form button[type=submit]")
    one.page.wait_for_selector("form [role=alert]")
    one.page.fill("[name=hazard]", "密封泄漏 seal leaks")
    one.page.fill("[name=place]", "TK-1 north side 北侧")
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(DOT)}
    one.page.set_input_files("input[name=photo]", picture)  # type: ignore[arg-type] - as the browser takes it
    one.page.wait_for_selector(".shots img")
    one.page.click("form button[type=submit]")
    one.page.wait_for_selector(".done a")
    assert one.page.locator(".done [role=alert]").count() == 0

    check = one.plant.get("register/ledgers/checks", q=code)["records"][0]
    assert (check["values"]["result"], check["values"]["by"]) == ("hazard", OFFICER)
    assert len(one.plant.get(f"register/ledgers/checks/{check['id']}")["photos"]) == 1
    one.page.click(".done a")
    one.page.wait_for_selector("section.one img")
    shows(one.page.locator("section.one"), check["code"])
    one.go("register/checks", ready="[data-ledger=checks] ~ .card tbody tr")
    shows(one.page.locator("tbody"), check["code"])
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_ticket_is_entered_and_what_does_not_fit_is_told(visit: Callable[..., Visit], lang: str) -> None:
    """Hot work for longer than its level allows is refused beside the field; put right it stands in the list.

    From its page a gas test is entered, which says when the next one is due.
    """
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    code = f"W-{lang}"
    values = {"title": "动火 weld", "kind": "hot", "level": "special", "stage": "approved", "place": "TK-1"}
    day = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    times = {"from": f"{day}T08:00", "until": f"{day}T17:00"}
    enter(one, "tickets", code=code, applicant="甲", approved_by="乙", **values, **times)
    one.page.wait_for_selector("dialog .wrong")
    shows(one.page.locator("dialog label.wrong"), "8 h")
    fill(one, until=f"{day}T16:00")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("section.one")
    shows(one.page.locator("section.one"), f"{day} 16:00")
    one.complaints.clear()  # The browser remarks on the refusal.
    one.go("register/tickets", ready="[data-ledger=tickets] ~ .card tbody tr")
    shows(one.page.locator("tbody"), code)
    one.page.click(f"tbody a:text-is('{code}')")
    one.page.click("section.one a[data-act=gasTest]")
    fill(one, at=f"{day}T07:50", by="丁", combustible_pct="0.1", gas_ok="yes")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("section.one")
    shows(one.page.locator("section.one"), f"动火 weld {day} 07:50")
    (kept,) = one.plant.get("register/ledgers/tickets", q=code)["records"]
    assert kept["values"]["tested_at"] == f"{day}T07:50"
    one.go("register/gas_tests", ready="[data-ledger=gas_tests] ~ .card tbody tr")
    shows(one.page.locator("tbody"), f"{code}-G1")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_hazard_is_copied_to_a_department(visit: Callable[..., Visit], lang: str) -> None:
    """The copy names the hazard, and its deadline is a duty of who asks for the answer."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    day = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    enter(one, "hidden_hazards", code=f"HC-{lang}", title="占道 blocked road", source="daily", found_on=day)
    one.page.wait_for_selector("section.one")
    values = {"asked": "清理 clear it", "department": "城管局", "sent_on": day, "due": "2030-01-01"}
    enter(one, "hazard_copies", code=f"CP-{lang}", hazard=f"HC-{lang}", responsible=OFFICER, **values)
    one.page.wait_for_selector("section.one button[name=answer]")
    one.go("duties?step=coming", ready=f"li[data-duty=CP-{lang}]")
    shows(one.page.locator(f"li[data-duty=CP-{lang}]"), "2030-01-01")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_an_authority_would_get_is_shown_and_what_is_held_back_says_why(
    visit: Callable[..., Visit], lang: str
) -> None:
    """A risk unit whose enterprise has no code of the registration system waits; with the code its row is shown."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    enter(one, "enterprises", code=f"X-{lang}", name="海安化工", company_code="320700123" if lang == "zh" else "")
    one.page.wait_for_selector("section.one")
    enter(one, "units", code=f"XU-{lang}", name="store", enterprise=f"X-{lang}", hazard_code=f"HZ-{lang}",
          type="storage", persons_outside="10")  # fmt: skip
    one.page.wait_for_selector("section.one")
    enter(one, "risk_units", code=f"XR-{lang}", name="罐组", dossier=f"XU-{lang}", place="storage", department="d",
          liable="l")  # fmt: skip
    one.page.wait_for_selector("section.one")
    one.go("push/exchange", ready="[data-destination=county] tr[data-ledger=risk_units]")
    if lang == "en":
        assert "XR-en 罐组 — Hazard units XU-en is held back: its enterprise has no code" in one.text()
    else:
        one.page.click("button[name=look]")
        one.page.wait_for_selector("[data-destination=county] details")
        one.page.click("[data-destination=county] summary")
        assert '"hazardCode": "HZ-zh"' in one.text()
        assert "试运行" in one.text()
        assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_instrument_whose_calibration_ended_is_said_beside_its_value(visit: Callable[..., Visit], lang: str) -> None:
    """The note stands above the ledger and on the unit's page, beside the value of its tag."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    days = {"calibrated_on": "2024-01-01", "calibrated_until": "2025-01-01"}
    enter(one, "instruments", code=f"LT-{lang}", name="液位计", sort="level", tag="TK-101.level", **days)
    one.page.wait_for_selector("section.one")
    ended = {"en": "LT-en: calibration ended on 2025-01-01", "zh": "LT-zh：检定有效期已于 2025-01-01 届满"}[lang]
    one.go("register/instruments", ready=f"[data-part=instruments] >> text={ended}")
    one.go("overview/TK-101", ready=f"[data-part=instrument] >> text={ended}")
    if lang == "zh":
        assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_crowd_zone_shows_how_its_capacity_was_worked_out(visit: Callable[..., Visit], lang: str) -> None:
    """Each step stands above the ledger, with what limits and where the space a person comes from."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    numbers = {"area_m2": "2000", "space_m2": "4", "open_h": "9", "stay_h": "2", "load_persons": "200"}
    enter(one, "crowd_zones", code=f"Z-{lang}", name="平台", sort="deck", space_basis="rule", **numbers)
    one.page.wait_for_selector("section.one")
    one.go("register/crowd_zones", ready=f"tr[data-zone=Z-{lang}]")
    row = one.page.inner_text(f"tr[data-zone=Z-{lang}]")
    assert "C2 = 200 · 4 = 800" in row
    assert {"en": "load of the structure", "zh": "结构荷载"}[lang] in row
    when = {"from": "2099-02-01T18:00", "until": "2099-02-01T22:00"}
    enter(
        one,
        "large_events",
        code=f"EV-{lang}",
        name="灯会",
        organiser="x",
        contact="y",
        zones=f"Z-{lang}",
        approved="150",
        **when,
    )
    one.page.wait_for_selector("section.one")
    one.go("register/large_events", ready=f"tr[data-event=EV-{lang}]")
    row = one.page.inner_text(f"tr[data-event=EV-{lang}]")
    assert "200 → 200" in row, "nothing is replaced by what is not filed"
    assert {"en": "not filed", "zh": "未备案"}[lang] in row
    if lang == "zh":
        assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_plan_is_written_step_by_step_and_says_for_which_unit_it_would_open(
    visit: Callable[..., Visit], lang: str
) -> None:
    """On a phone in Chinese, at a desk in English."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    tier = {"zh": "RED", "en": "YELLOW"}[lang]
    one.go("register/plans", ready="[data-ledger=plans] button[name=make]")
    one.page.click("button[name=make]")
    fill(one, code=f"EP-{lang}", name=f"预案 {lang}", sort="site", accident="26", unit="GL-301", tier=tier)
    for title, after in (("关阀 shut the valve", ""), ("撤离 clear the area", "9")):
        one.page.click("dialog [data-steps=steps] button[name=step-add]")
        one.page.locator("dialog [name=step-title]").last.fill(title)
        one.page.locator("dialog [name=step-after]").last.fill(after)
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog .wrong")
    shows(one.page.locator("dialog .wrong"), {"zh": "没有步骤“9”", "en": "there is no step “9”"}[lang])
    one.complaints.clear()  # The browser says of the refusal what the dialog says.
    one.page.locator("dialog [name=step-after]").last.fill("1")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("section.one")
    if lang == "zh":
        card = {"name": "中控室卡", "post": "control-room", "plan": "EP-zh", "accident": "26", "tier": "RED"}
        card |= {"steps": "关阀", "responsible": "赵强", "inside_phone": "0512-60000000", "outside_phone": "119"}
        enter(one, "post_cards", code="CARD-1", **card)
        one.page.wait_for_selector("section.one")

    one.go("response?view=plans", ready=f"[data-plan=EP-{lang}]")
    one.page.click(f"[data-plan=EP-{lang}] summary")
    said = {"zh": "带班领导 · 10 分钟 · 前置 1", "en": "shift leader · 10 min · After 1"}[lang]
    shows(one.page.locator(f"[data-plan=EP-{lang}] .checklist"), said)
    one.page.select_option("select[name=match-unit]", "GL-301")
    one.page.select_option("select[name=match-tier]", tier)
    one.page.wait_for_selector("[data-matched] strong")
    shows(one.page.locator("[data-matched]"), f"预案 {lang}")
    with one.page.expect_download() as got:
        one.page.click(f"[data-plan=EP-{lang}] a[data-print]")
    assert got.value.path().read_bytes().startswith(b"%PDF")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert one.complaints == []


def send(one: Visit, **filled: str) -> None:
    """Fill in the dialog that is open, and send it."""
    fill(one, **filled)
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("dialog", state="detached")


def reserve_and_use(one: Visit, lang: str) -> None:
    """Reserve a team and some foam at the incident, use some of it up; another incident cannot have the team."""
    at = one.page.url.split("/#")[0].rstrip("/")
    base = {"person": "值班员 duty desk", "phone": "0512-60000001", "position": "GCJ-02 120.5 32.5"}
    rows: list[dict[str, object]] = [
        {"code": f"T-{lang}", "name": f"消防队 brigade {lang}", "sort": "team"},
        {"code": f"M-{lang}", "name": f"泡沫 foam {lang}", "sort": "material", "stock": 90, "stock_eu": "kg"},
    ]
    for row in rows:
        values = {**base, **row} | ({"counted_on": "2020-01-02", "minimum": 80} if "stock" in row else {})
        made = one.page.request.post(
            f"{at}/api/v1/register/ledgers/resources", data={"values": values}, headers={"X-Fengsui-Request": "1"}
        )
        assert made.ok, made.text()
    one.page.click("button[name=reserve]")
    one.page.select_option("dialog [name=sort]", "team")
    one.page.click(f"dialog [data-resource=T-{lang}] button[name=take]")
    one.page.wait_for_selector(f"[data-hold=T-{lang}][data-state=held]")
    one.page.click("button[name=reserve]")
    one.page.click(f"dialog [data-resource=M-{lang}] button[name=take]")
    fill(one, quantity="91")
    one.page.click("dialog button[type=submit]")
    shows(one.page.locator("dialog [role=alert]"), {"zh": "可调用 90 kg", "en": "90 kg of"}[lang])
    one.complaints.clear()  # The browser says of the refusal what the dialog says.
    one.page.click(f"dialog [data-resource=M-{lang}] button[name=take]")
    send(one, quantity="40")
    one.page.click(f"[data-hold=M-{lang}] button[name=use]")
    send(one, quantity="15.5")
    shows(one.page.locator(f"[data-hold=M-{lang}]"), {"zh": "剩余 24.5 kg", "en": "24.5 kg of 40 kg left"}[lang])
    one.page.wait_for_selector("[data-what=used]:has-text('15.5 kg')")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def shelved_again(one: Visit, unit: str, lang: str) -> None:
    """After stand-down all is given back, the stock is lower, and the list of resources says so."""
    one.go("response?view=resources", ready=f"[data-resource=T-{lang}][data-state=available]")
    one.page.select_option("[name=resource-unit]", unit)
    one.page.select_option("[name=resource-sort]", "material")
    one.page.wait_for_selector(f"[data-resource=T-{lang}]", state="detached")
    said = {
        "zh": ["可调用 74.5 kg，库存 74.5 kg", "低于最低库存 80 kg"],
        "en": ["74.5 kg of 74.5 kg free", "minimum of 80 kg"],
    }
    for part in said[lang]:
        shows(one.page.locator(f"[data-resource=M-{lang}]"), part)
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def after_the_end(one: Visit, lang: str) -> None:
    """Let the unit return when its list is complete, write a lesson down, take the report along."""
    one.page.click("button[name=return]")
    fill(one, reason="好了 all well")
    one.page.click("dialog button[type=submit]")
    shows(one.page.locator("dialog [role=alert]"), {"zh": "还有 1 项", "en": "1 steps are left"}[lang])
    one.complaints.clear()  # The browser says of the refusal what the dialog says.
    one.page.locator("dialog .ends button").first.click()
    one.page.click("[data-restart] [data-step=r1] button[name=step-done]")
    send(one, note="完好 sound")
    one.page.wait_for_selector("[data-restart] [data-step=r1][data-state=done]")
    one.page.click("button[name=return]")
    send(one, reason="好了 all well")
    one.page.wait_for_selector("[data-returned]")
    one.page.click("button[name=lesson]")
    send(one, title=f"标识 signs {lang}", measure="换牌 new signs", responsible=OFFICER, due="2099-01-31")
    one.page.wait_for_selector("[data-lesson][data-state=open]")
    for form, begins in (("pdf", b"%PDF"), ("html", b"<!doctype html>")):
        with one.page.expect_download() as got:
            one.page.click(f"a[data-after={form}]")
        assert got.value.path().read_bytes().startswith(begins)
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    one.page.click("[data-lesson] a")
    one.page.wait_for_selector("section.one")
    shows(one.page.locator("section.one"), f"标识 signs {lang}")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_incident_is_led_from_opening_to_stand_down(visit: Callable[..., Visit], lang: str) -> None:
    """On a phone in Chinese, at a desk in English; one lays hand on what another changed, and is told."""
    one = visit(name=OFFICER, lang=lang, phone=lang == "zh")
    unit, code = {"zh": ("Z-401", "EI-zh"), "en": ("Z-402", "EI-en")}[lang]
    steps = "1 | 停止入场 hold | leader | 5\n2 | 缓解 better? | leader | 5 | 1 | yes, no\n3 | 分流 | leader | 5 | 2=no"
    values = {"code": code, "name": f"人群 {lang}", "sort": "site", "accident": "99", "tier": "RED", "unit": unit}
    values |= {"restart": f"r1 | 巡检 walk round | person:{OFFICER} | 60"}
    made = one.page.request.post(
        f"{one.page.url.split('/#')[0].rstrip('/')}/api/v1/register/ledgers/plans",
        data={"values": values | {"steps": steps, "grade": "3"}},
        headers={"X-Fengsui-Request": "1"},
    )
    assert made.ok, made.text()

    one.go("response?view=incidents", ready="button[name=incident-open]")
    one.page.click("button[name=incident-open]")
    send(one, unit=unit, title="拥堵 crowding", plan=code, reason="安保报告 stewards say so")
    one.page.wait_for_selector(".story[data-state=open] [data-step='1'][data-state=open]")
    assert one.page.inner_text("[data-grade]") == "Ⅲ"
    one.page.click("button[name=command]")
    send(one, person=OFFICER, reason="到场 on site")
    one.page.wait_for_selector(f"[data-commander]:has-text('{OFFICER}')")
    one.page.click("button[name=grade]")
    send(one, grade="2", reason="人数上升 more people")
    one.page.wait_for_selector("[data-grade]:has-text('Ⅱ')")
    one.page.click("[data-step='1'] button[name=step-done]")
    send(one, note="已停止 stopped")
    one.page.wait_for_selector("[data-step='2'][data-state=open]")
    one.page.click("[data-step='2'] button[name=step-done]")
    send(one, answer="yes", note="")
    one.page.wait_for_selector("[data-step='3'][data-state=void]")
    one.page.click("button[name=line]")
    fill(one, what="consultation", text="是否疏散 evacuate?", who="公安 police", decision="继续观察 go on watching")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("[data-what=consultation]:has-text('go on watching')")
    one.page.click("button[name=snapshot]")
    one.page.wait_for_selector("[data-what=snapshot]")
    reserve_and_use(one, lang)
    with one.page.expect_download() as got:
        one.page.click("a[data-report]")
    assert got.value.path().read_bytes().startswith(b"%PDF")
    assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    one.page.click("button[name=stand-down]")
    one.page.check("dialog [name=despite]")
    send(one, reason="人数回落 fewer people")
    one.page.wait_for_selector(".story[data-state=ended]")
    assert one.page.locator("button[name=line]").count() == 0
    one.page.wait_for_selector(f"[data-hold=T-{lang}][data-state=released]")
    assert one.page.locator("button[name=reserve]").count() == 0
    after_the_end(one, lang)
    one.go("register/lessons", ready="[data-ledger=lessons]")
    shelved_again(one, unit, lang)
    one.go("register/resources", ready="[data-ledger=resources]")
    assert one.complaints == []


def test_what_one_does_at_an_incident_another_sees_without_reloading_and_of_two_the_first_wins(
    visit: Callable[..., Visit],
) -> None:
    """One at a desk in English, one on a phone in Chinese, both on the same incident."""
    desk, phone = visit(name=OFFICER, lang="en"), visit(name=SECOND, lang="zh", phone=True)
    for one in (desk, phone):
        one.go("response?view=incidents", ready="button[name=incident-open]")
        one.page.evaluate("window.isSame = true")
    desk.page.click("button[name=incident-open]")
    send(desk, unit="TK-201", title="滴漏 dripping flange", reason="巡检发现 seen on patrol")
    desk.page.wait_for_selector(".story[data-state=open]")
    phone.page.click("[data-incident][data-unit='TK-201'] a")
    phone.page.wait_for_selector(".story[data-state=open]")
    desk.page.click("button[name=command]")
    send(desk, person=OFFICER, reason="到场 on site")
    shows(phone.page.locator("[data-commander]"), OFFICER)

    for one in (desk, phone):  # Both look at the same revision, and both grade.
        one.page.click("button[name=grade]")
    send(desk, grade="2", reason="泄漏扩大 it grows")
    fill(phone, grade="4", reason="影响很小 it is small")
    phone.page.click("dialog button[type=submit]")
    shows(phone.page.locator("dialog [role=alert]"), f"{OFFICER} 刚刚更改了")
    phone.complaints.clear()  # The browser says of the refusal what the dialog says.
    phone.page.locator("dialog .ends button").first.click()
    for one in (desk, phone):
        shows(one.page.locator("[data-grade]"), "Ⅱ")

    phone.page.click("button[name=line]")
    send(phone, what="action", text="已围堵 dammed")
    shows(desk.page.locator("[data-what=action]"), "dammed")
    phone.page.click("button[name=stand-down]")
    phone.page.check("dialog [name=despite]")
    send(phone, reason="已处置 done")
    desk.page.wait_for_selector(".story[data-state=ended]")
    assert desk.page.locator("button[name=grade]").count() == 0
    for one in (desk, phone):
        assert one.page.evaluate("window.isSame") is True, "nobody reloaded"
        assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert one.complaints == []


def test_who_is_called_answers_and_who_is_inside_is_found(visit: Callable[..., Visit]) -> None:
    """In English at a desk a call stands on every page; in Chinese on a phone wardens look for whom the gates name."""
    one = visit(name=OFFICER, lang="en")
    one.go("response?view=incidents", ready="button[name=incident-open]")
    one.page.click("button[name=incident-open]")
    send(one, unit="TK-102", title="点名 roll-call", reason="巡检发现 seen on patrol")
    one.page.wait_for_selector(".story[data-state=open]")
    number = one.page.url.split("incident=")[1].split("&")[0]
    one.page.click("button[name=call-out]")
    send(one, line="rescue", reason="需要救援 rescue wanted")
    call = one.page.locator(f"[data-line=rescue] [data-person='{OFFICER}']")
    call.wait_for()
    one.go("register/units", ready="[data-ledger=units]")
    one.page.click(f"[data-call='{number}'] button[name=cannot]")
    one.page.locator(f"[data-call='{number}']").wait_for(state="detached")
    one.go(f"response?view=incidents&incident={number}", ready=".story[data-state=open]")
    assert call.get_attribute("data-answer") == "cannot"
    other = one.page.locator(f"[data-line=rescue] [data-person='{SECOND}']")  # Nobody is left who could come.
    other.locator("button[name=answer]").click()
    send(one, minutes="12", how="telephone", note="堵车 traffic")
    shows(other.locator("[data-reply]"), f"by telephone, entered by {OFFICER}")
    shows(other.locator("[data-reply]"), "in 12 min")
    assert one.complaints == []

    now = datetime.now(UTC).isoformat()
    inside = [{"card": f"041{n}", "name": name, "company": "海安建安", "unit": "TK-102", "since": now}
              for n, name in enumerate(("张三", "李四"))]  # fmt: skip
    sent = one.page.request.post(
        f"{one.page.url.split('/#')[0].rstrip('/')}/api/v1/response/access/gate",
        data={"time": now, "persons": inside}, headers={"X-Fengsui-Request": "1"},
    )  # fmt: skip
    assert sent.ok, sent.text()
    phone = visit(name=SECOND, lang="zh", phone=True)
    phone.go(f"response?view=incidents&incident={number}", ready="button[name=roll-begin]")
    phone.page.click("button[name=roll-begin]")
    send(phone, unit="", reason="疏散 evacuation")
    phone.page.check("[data-person='张三'] input")
    phone.page.click("button[name=mark]")
    phone.page.check("dialog [value=help]")
    send(phone, point="north-gate", note="腿伤 hurt leg")
    phone.page.wait_for_selector("[data-person='张三'][data-state=help]")
    phone.page.click("button[name=roll-add]")
    send(phone, name="王五", company="访客 visitor", point="lakeside")
    phone.page.wait_for_selector("[data-person='王五'][data-state=safe]")
    figures = {
        name: phone.page.inner_text(f"[data-figure={name}] dd") for name in ("missing", "help", "safe", "inside")
    }
    assert figures == {"missing": "1", "help": "1", "safe": "1", "inside": "3"}
    phone.page.click("[data-point=lakeside] button[name=count-here]")
    send(phone, persons="14")
    shows(phone.page.locator("[data-point=lakeside]"), "清点 14 人")
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.page.click("button[name=roll-end]")
    send(phone, reason="清点完毕 all were looked for")
    phone.page.wait_for_selector("[data-roll][data-ended=true]")
    for what in ("call_answered", "roll_begun", "roll_ended"):
        assert phone.page.locator(f"[data-what={what}]").count(), what
    assert phone.complaints == []


def test_a_plan_is_exercised_scored_and_evaluated(visit: Callable[..., Visit]) -> None:
    """A drill begins in English at a desk, its steps are done; on a phone in Chinese it is evaluated, and improves."""
    one = visit(name=OFFICER, lang="en")
    steps = "1 | 关阀 | leader | 5\n2 | 降了? falls? | leader | 5 | 1 | yes, no\n3 | 撤离 clear | leader | 5 | 2=no"
    values = {"code": "EP-D", "name": "泄漏 leak", "sort": "site", "accident": "16", "tier": "ORANGE", "unit": "GL-301"}
    made = one.page.request.post(
        f"{one.page.url.split('/#')[0].rstrip('/')}/api/v1/register/ledgers/plans",
        data={"values": values | {"steps": steps, "grade": "3"}}, headers={"X-Fengsui-Request": "1"},
    )  # fmt: skip
    assert made.ok, made.text()
    one.go("drill", ready="form.start")
    one.page.select_option("form.start [name=plan]", "EP-D")
    one.page.select_option(
        "form.start [name=story]", label=one.page.inner_text("[name=story] option:has-text('flange')")
    )
    one.page.click("form.start button[type=submit]")
    shows(one.page.locator("form.start [role=alert]"), "Say why")
    one.page.fill("form.start [name=reason]", "半年演练 half-year drill")
    one.page.click("form.start button[type=submit]")
    one.page.wait_for_selector(".going [role=progressbar]")
    one.page.locator("[data-step='1'] button[name=drill-step]").click(timeout=60_000)  # The plan opens with the gas.
    send(one, note="已关 shut")
    one.page.click("[data-step='2'] button[name=drill-step]")
    send(one, answer="yes")
    one.page.wait_for_selector("[data-step='3'][data-mark=void]")
    one.page.locator(".going .acts button").last.click()
    one.page.fill("dialog textarea", "目标达到 purpose reached")
    one.page.click("dialog button[type=submit]")
    one.page.wait_for_selector("form.start")
    assert [each for each in one.plant.alarms() if each["nature"] == "exercise"] == [], "none outlives its drill"
    (kept,) = [each for each in one.plant.get("response/drills")["drills"] if each["story"] == "flange"]
    assert one.complaints == []

    phone = visit(name=SECOND, lang="zh", phone=True)
    phone.go(f"drill?part=records&drill={kept['number']}", ready=".after")
    assert phone.page.locator("[data-mark=in_time][data-step]").count() == 2
    phone.page.click("button[name=evaluate]")
    send(phone, text="联络慢 slow to call")
    shows(phone.page.locator(".evaluation"), "联络慢 slow to call")
    assert phone.page.locator("button[name=evaluate]").count() == 0, "once"
    phone.page.click("button[name=improve]")
    day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    fill(phone, title="电话簿旧 old numbers", measure="重印 print anew", responsible="nobody", due=day)
    phone.page.click("dialog button[type=submit]")
    shows(phone.page.locator("dialog [role=alert]"), "nobody")
    phone.complaints.clear()  # The browser says of the refusal what the dialog says.
    send(phone, responsible=OFFICER)
    shows(phone.page.locator("[data-improvement]"), "old numbers")
    for form, begin in (("xlsx", b"PK"), ("pdf", b"%PDF")):
        with phone.page.expect_download() as got:
            phone.page.click(f"a[data-workbook={form}]")
        assert got.value.path().read_bytes().startswith(begin)
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert phone.complaints == []
