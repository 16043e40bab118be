"""Rosters as tables: what goes out comes in again, every wrong row is told, formulas stay text."""

import io
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from alerting.roster.plan import Post, RosterPlan, Shift
from alerting.roster.watch import Watch
from gateway.roster.book import Order
from gateway.roster.table import COLUMNS, HEADINGS, Looked, export, look

ZONE = ZoneInfo("Asia/Shanghai")
NOW_NS = round(datetime(2026, 11, 22, 12, tzinfo=ZONE).timestamp()) * 1_000_000_000
PLAN = RosterPlan(
    shifts=(
        Shift(id="day", title={}, from_s=8 * 3600, to_s=20 * 3600),
        Shift(id="night", title={}, from_s=20 * 3600, to_s=8 * 3600),
    ),
    posts=(Post(id="board", title={}, shifts=("day", "night")), Post(id="fire", title={}, shifts=("day",))),
)
ORDER = Order(plan=PLAN, zone=ZONE, now_ns=NOW_NS)
PEOPLE = ("li", "wang", "张敏")
HEAD = ",".join(COLUMNS)


def asked(text: str, kept: list[Watch] | None = None, name: str = "r.csv") -> Looked:
    return look(ORDER, name, text.encode(), kept or [], PEOPLE)


def watch(day: int, shift: str, person: str, number: int = 1) -> Watch:
    return Watch(number=number, date=date(2026, 11, day), shift=shift, post="board", person=person)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_goes_out_comes_in_again(form: str, language: str) -> None:
    kept = [watch(23, "day", "li"), replace(watch(23, "night", "wang", 2), substitute="张敏", reason="看病, 请假")]
    found = look(ORDER, f"r.{form}", export(f"r.{form}", kept, language), kept, PEOPLE)

    assert (found.mistakes, found.added, found.removed, found.unchanged) == ([], [], [], 2)


def test_a_date_of_the_spreadsheet_is_a_date() -> None:
    book = openpyxl.Workbook()
    book.active.append(list(HEADINGS.values())[:4])
    book.active.append([datetime(2026, 11, 24), "day", "board", "li"])  # noqa: DTZ001 - a cell has no zone
    out = io.BytesIO()
    book.save(out)

    assert [w.date for w in look(ORDER, "r.xlsx", out.getvalue(), [], PEOPLE).added] == [date(2026, 11, 24)]


def test_a_list_saved_by_a_chinese_spreadsheet_is_read() -> None:
    raw = "日期,班次,岗位,值班人\n2026/11/24,day,board,张敏\n".encode("gb18030")

    assert [w.person for w in look(ORDER, "r.csv", raw, [], PEOPLE).added] == ["张敏"]


def test_every_wrong_row_is_told_with_its_line_in_both_languages() -> None:
    found = asked(
        f"{HEAD}\n"
        "2026-11-31,day,board,li,,\n"
        "2026-11-24,early,board,li,,\n"
        "2026-11-24,day,gate,li,,\n"
        "2026-11-24,night,fire,li,,\n"
        "2026-11-24,day,board,nobody,,\n"
        "2026-11-24,day,board,li,ghost,\n"
        "2026-11-25,day,board,,,\n"
        "2026-11-26,day,board,li,,\n"
        "2026-11-26,day,fire,li,,\n"
        "2026-11-26,day,board,li,,\n"
    )

    assert [mistake.line for mistake in found.mistakes] == [2, 3, 4, 5, 6, 7, 8, 11, 10]
    assert all(mistake.en and mistake.zh for mistake in found.mistakes)
    assert "nobody" in found.mistakes[4].en


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", HEAD, "date,shift,post\n2026-11-24,day,board\n", f"{HEAD},colour\n2026-11-24,day,board,li,,,red\n"],
)
def test_a_table_that_is_none_changes_nothing(text: str) -> None:
    found = asked(text)

    assert found.mistakes
    assert found.added == []


def test_what_is_no_workbook_is_told() -> None:
    assert look(ORDER, "r.xlsx", b"PK\x03\x04 nonsense", [], PEOPLE).mistakes
    assert look(ORDER, "r.csv", b"\xff\xfe\x00\x81", [], PEOPLE).mistakes


def test_the_days_of_the_list_are_replaced_and_no_others() -> None:
    kept = [watch(23, "day", "li", 1), watch(24, "day", "wang", 2), watch(26, "day", "li", 3)]
    found = asked(f"{HEAD}\n2026-11-23,day,board,li,,\n2026-11-25,day,board,wang,,\n", kept)

    assert [w.number for w in found.removed] == [2]
    assert [(w.date.day, w.person) for w in found.added] == [(25, "wang")]
    assert found.unchanged == 1


def test_rows_of_shifts_that_are_over_are_passed_by() -> None:
    kept = [watch(21, "day", "wang")]
    found = asked(f"{HEAD}\n2026-11-21,day,board,li,,\n2026-11-22,day,board,li,,\n", kept)

    assert (found.past, found.removed, len(found.added)) == (1, [], 1)


def test_a_clash_with_the_day_before_the_list_is_found() -> None:
    kept = [watch(23, "night", "li")]
    found = asked(f"{HEAD}\n2026-11-24,day,board,wang,,\n", kept)
    assert found.mistakes == []

    earlier = replace(PLAN, shifts=(replace(PLAN.shifts[0], from_s=7 * 3600), PLAN.shifts[1]))
    order = Order(plan=earlier, zone=ZONE, now_ns=NOW_NS)
    found = look(order, "r.csv", f"{HEAD}\n2026-11-24,day,board,li,,\n".encode(), kept, PEOPLE)
    assert [mistake.line for mistake in found.mistakes] == [2]


def test_a_reason_that_looks_like_a_formula_stays_text() -> None:
    kept = [replace(watch(23, "day", "li"), substitute="wang", reason="=cmd|' /C calc'!A0")]

    assert "'=cmd" in export("r.csv", kept, "en").decode()
    book = openpyxl.load_workbook(io.BytesIO(export("r.xlsx", kept, "en")))
    assert book.active.cell(2, 6).data_type == "s"
    again = look(ORDER, "r.csv", export("r.csv", kept, "en"), kept, PEOPLE)
    assert (again.added, again.unchanged) == ([], 1)
