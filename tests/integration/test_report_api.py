"""Reports of a month and a quarter: figures, HTML, workbook, and a PDF whose Chinese an independent program reads."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pypdfium2
import pytest
from openpyxl import load_workbook
from sqlalchemy import insert

from alerting.model.tier import Tier
from alerting.roster.plan import RosterPlan, Shift
from gateway.report import pdf
from gateway.report.effect import effect
from gateway.report.gather import _shift_of
from gateway.report.period import period_of
from gateway.store import schema
from tests.integration.test_register_api import AT, CHECK, HAZARD, INSPECTION, MONTHLY, PLAN, PLANT, UNIT, Desk

H = 3_600_000_000_000
DAY = 24 * H
REPORT = "/api/v1/register/report"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    shifts = tuple(
        Shift(id=one, title={}, from_s=a * 3600, to_s=b * 3600) for one, a, b in (("day", 8, 20), ("night", 20, 8))
    )
    made.house.site = replace(made.house.site, roster=RosterPlan(shifts=shifts))
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def act(who: httpx.AsyncClient, at: str, name: str, **values: object) -> None:
    revision = (await who.get(at)).json()["record"]["revision"]
    done = await who.post(f"{at}/act", json={"act": name, "values": values, "revision": revision})
    assert done.status_code == 200, done.text


async def month(desk: Desk) -> httpx.AsyncClient:
    """Enter a December: three hidden hazards in two districts, one of them closed; checks; alarms; two disposals."""
    li, op = await desk.come("li"), await desk.come("op")

    async def make(ledger: str, **values: object) -> str:
        made = await li.post(f"{AT}/{ledger}", json={"values": values})
        assert made.status_code == 200, made.text
        return f"{AT}/{ledger}/{made.json()['record']['id']}"

    await make("enterprises", **{**PLANT, "district": "港口区"})
    await make("enterprises", code="E2", name="乙", district="东区", is_blacklisted=True, blacklist_reason="x")
    await make("units", **UNIT)
    await make("units", **{**UNIT, "code": "TK-2", "unit": "", "enterprise": "E2"})
    await make("units", **{**UNIT, "code": "TK-3", "unit": "", "closed_on": "2025-12-05", "closed_reason": "x"})
    first = await make("hidden_hazards", **{**HAZARD, "title": "<b>液位计冻结 #隐患 $x$ \\"})
    await make("hidden_hazards", **{**HAZARD, "code": "H2", "dossier": "TK-2"})
    await make("hidden_hazards", **{**HAZARD, "code": "H3", "dossier": "TK-2", "found_on": "2025-11-30"})
    await act(li, first, "class", **{"class": "major", "criterion": "12"})
    await act(li, first, "plan", **{**PLAN, "deadline": "2026-01-01"})
    await act(op, first, "rectify", done="x")
    await act(li, first, "accept", acceptance="good")
    await make("inspections", **INSPECTION)
    await make("checks", **CHECK)
    await make("checks", **{**CHECK, "code": "C2", "missed": 2})
    await make("checks", **{**CHECK, "code": "C3", "result": "not_checked", "finding": "storm"})
    await make("checks", **{**CHECK, "code": "C4", "on": "2025-11-30"})
    await make("checks", **{**CHECK, "code": "C5", "on": "2026-01-01"})
    await make("monthly", **MONTHLY, punished_cases="无证动火")
    now_ns = desk.clock.wall_ns()
    about = {"nature": "actual", "tag": "TK-1.level", "unit": "U-1", "condition": "HH"}
    with desk.engine.begin() as connection:
        for number, hours in enumerate((1, 2, 20, 24 * 40)):
            connection.execute(
                insert(schema.event).values(
                    id=f"e{number}", what="raised", time_ns=now_ns - hours * H, received_ns=now_ns, alarm=f"a{number}",
                    alarm_key=f"k{number}", rule_group="high", tier=int(Tier.RED), state="UNACK", suppression="none",
                    is_late=False, cause="{}", **about,
                )
            )  # fmt: skip
        for number, late in ((0, 0), (1, 1)):
            opened = now_ns - 20 * H
            connection.execute(
                insert(schema.disposal).values(
                    alarm=f"a{number}", key=f"k{number}", state="done", tier=int(Tier.RED), opened_ns=opened,
                    due_ns=opened + H, done_ns=opened + H + late, **about,
                )
            )  # fmt: skip
            connection.execute(
                insert(schema.disposal_entry).values(
                    alarm=f"a{number}", number=1, who="op", time_ns=1, cause="real", finding="x", measures="y"
                )
            )
    return li


async def test_a_month_is_counted_from_register_and_alarms(desk: Desk) -> None:
    li = await month(desk)
    told = (await li.get(REPORT, params={"period": "2025-12"})).json()
    hazards = {name: told["hazards"][name] for name in ("found", "found_major", "closed", "due", "open")}
    assert hazards == {"found": 2, "found_major": 1, "closed": 0, "due": 0, "open": 2}
    lots = {one["lot"]: (one["count"], one["from"], len(one["cases"])) for one in told["lots"]}
    assert lots == {
        "exposed": (1, "register", 1), "punished": (3, "hand", 1), "blacklisted": (1, "register", 1),
        "banned": (1, "hand", 0), "closed": (1, "register", 1),
    }  # fmt: skip
    assert told["inspections"] == {"done": 2, "missed": 2, "skipped": 1, "planned": 5, "rate": 0.4}
    assert told["effect"] == {"score": 40.0, "tasks": 20.0, "hazards": None, "is_vetoed": False}
    disposals = {name: told["disposals"][name] for name in ("opened", "done", "in_time", "causes")}
    assert disposals == {"opened": 2, "done": 2, "in_time": 1, "causes": {"real": 2}}
    patterns = told["patterns"]
    assert (patterns["alarms"], patterns["shifts"]) == (1, {"day": 1}), "the other two rang on the first of January"
    assert (patterns["hours"][12], patterns["causes"]) == (1, {"": 1})
    ranked = [(one["district"], one["found"], one["closed"], one["rate"]) for one in told["districts"]]
    assert ranked == [("东区", 1, 0, 0.0), ("港口区", 1, 1, 1.0)]

    quarter = (await li.get(REPORT, params={"period": "2025-Q4"})).json()
    assert (quarter["hazards"]["found"], quarter["from"], quarter["to"]) == (3, "2025-10-01", "2025-12-31")
    assert quarter["lots"][1]["missing"] == ["2025-10", "2025-11"]
    january = (await li.get(REPORT, params={"period": "2026-01"})).json()
    assert (january["hazards"]["due"], january["hazards"]["due_in_time"], january["is_over"]) == (1, 1, False)
    assert january["effect"]["score"] == 100.0
    assert january["inspections"]["done"] == 1, "written and done within the month"
    assert (january["patterns"]["shifts"], january["patterns"]["causes"]) == ({"night": 2}, {"real": 2, "": 0})
    for wrong in ("2025-13", "2025", "2025-Q5", "x"):
        assert (await li.get(REPORT, params={"period": wrong})).status_code == 422


async def test_the_report_is_a_page_a_workbook_and_a_pdf_with_its_chinese(desk: Desk, tmp_path: Path) -> None:
    li = await month(desk)

    async def export(form: str, lang: str = "zh") -> httpx.Response:
        return await li.get(f"{REPORT}/export", params={"period": "2025-12", "form": form, "lang": lang})

    page = await export("html")
    assert page.headers["content-disposition"].startswith("attachment")
    assert "&lt;b&gt;液位计冻结" in page.text
    assert "<b>" not in page.text
    book = load_workbook(io.BytesIO((await export("xlsx")).content))
    cells = [cell for row in book.active.iter_rows(values_only=True) for cell in row if cell is not None]
    assert {"五个一批", "曝光重大隐患", "区域排名", "港口区", "人工填报"} <= set(cells)

    made = await export("pdf")
    assert made.headers["content-type"] == "application/pdf"
    read = pypdfium2.PdfDocument(made.content)
    text = "".join(sheet.get_textpage().get_text_range() for sheet in read)
    assert all(
        word in text for word in ("隐患排查治理与报警处置报告", "隐患", "五个一批", "区域排名", "惩处典型违法行为")
    )
    bare = "".join(text.split())  # The reader tells lines and gaps between Chinese and Latin as it sees them.
    assert "<b>液位计冻结#隐患$x$\\" in bare, "what people write is text, never program"
    drawn = read[0].render(scale=0.5).to_numpy()
    assert 0.01 < float((drawn.min(axis=2) < 128).mean()) < 0.5, "there is ink on the page"
    english = pypdfium2.PdfDocument((await export("pdf", "en")).content)
    assert "The five lots" in english[0].get_textpage().get_text_range() + english[1].get_textpage().get_text_range()


async def test_a_pdf_without_a_font_that_has_chinese_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    li = await desk.come("li")
    face = pdf.face_of(None, is_system_asked=False)
    assert face.family == "Noto Sans SC", "the package's font is enough"
    assert pdf.has_chinese(face)
    assert not pdf.has_chinese(pdf.Face(family="Noto Sans SC")), "no folder, no font: every sign is the same nothing"
    own = pdf.face_of(face.folders[0] / "NotoSerifSC-Regular.otf", is_system_asked=False, wheels=())
    assert own.family == "Noto Serif SC", "the site's own comes first"
    with pytest.raises(pdf.NoFont):
        pdf.face_of(None, is_system_asked=False, wheels=())
    monkeypatch.setattr(pdf, "FAMILIES", ())
    refused = await li.get(f"{REPORT}/export", params={"period": "2025-12", "form": "pdf"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_font")
    assert "中文字体" in refused.json()["error"]["details"]["zh"]


def test_the_effect_score_is_that_of_the_rule() -> None:
    full = effect(done=80, planned=100, accepted=9, due=10, deduct_tasks=5, deduct_hazards=3)
    assert (full.tasks, full.hazards, full.score) == (35.0, 42.0, 77.0)
    assert effect(done=1, planned=1, accepted=1, due=1, is_vetoed=True).score == 0
    assert effect(done=0, planned=0, accepted=0, due=0).score is None
    assert effect(done=1, planned=10, accepted=0, due=0, deduct_tasks=9).score == 0


def test_periods_are_whole_months_and_shifts_cross_midnight() -> None:
    quarter = period_of("2024-Q1")
    assert quarter is not None
    assert (quarter.last.isoformat(), quarter.months) == ("2024-03-31", ("2024-01", "2024-02", "2024-03"))
    night = Shift(id="night", title={}, from_s=20 * 3600, to_s=8 * 3600)
    assert [_shift_of(hour * 3600, [night]) for hour in (19, 20, 23, 0, 7, 8)] == [
        "",
        "night",
        "night",
        "night",
        "night",
        "",
    ]
