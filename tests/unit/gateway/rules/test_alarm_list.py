"""The alarm list: what is stated and missing, out as a sheet and back, and every wrong cell by row and column."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from alerting.model.rule import RuleTable
from gateway.load import load
from gateway.load.overlay import Overlay, written
from gateway.rules.alarm_list import count, listed, look, missing, write

SITE = """
[site]
id = "site"
title = { en = "Site", zh = "站点" }
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"
[[unit]]
id = "TK"
kind = "tank"
[[rule]]
tag = "TK.flow"
kind = "RATE"
setpoint = 5
window_s = 60
response = { en = "Close XV-1", zh = "关闭XV-1" }
cause = { en = "pump trip", zh = "泵跳停" }
consequence = { en = "overflow" }
basis = { en = "major, 5 min", zh = "严重、5 分钟" }
respond_min = 5
"""
TAGS = """tag,title_en,title_zh,source,unit,eu,register,type,H,HH
TK.level,Level,液位,plc,TK,m,0,float32,4,5
TK.flow,Inflow,进料流量,plc,TK,m3/h,2,float32,,
"""


@pytest.fixture
def table(tmp_path: Path) -> RuleTable:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    return load(tmp_path / "site.toml", environ={}).rules


def sheet(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    lines = csv.DictWriter(out, list(rows[0]))
    lines.writeheader()
    lines.writerows(rows)
    return out.getvalue().encode()


def test_what_is_missing_is_counted(table: RuleTable) -> None:
    rules = {rule.id: rule for rule in listed(table, with_no_data=False)}
    assert sorted(rules) == ["TK.flow.RATE", "TK.level.H", "TK.level.HH"]
    assert missing(rules["TK.flow.RATE"]) == []
    assert missing(rules["TK.level.H"]) == ["response", "cause", "consequence", "basis", "respond_min"]
    assert (count(table).alarms, count(table).without["response"]) == (3, 2)
    assert count(table, with_no_data=True).without["response"] == 2, "STALE and BAD have one of their own"


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_as_it_went_out_changes_nothing(table: RuleTable, name: str, language: str) -> None:
    found = look(table, write(table, name, language, with_no_data=True), name)
    assert (found.rows, found.unchanged, found.changes, found.mistakes) == (7, 7, [], [])


def test_a_spreadsheet_program_fills_it_in(table: RuleTable) -> None:
    """Openpyxl stands for the program in which the meeting fills the list in."""
    book = openpyxl.load_workbook(io.BytesIO(write(table, "a.xlsx", "zh", with_no_data=False)))
    page = book.worksheets[0]
    headings = {cell.value: cell.column for cell in page[1]}
    row = next(row for row in range(2, page.max_row + 1) if page.cell(row, 1).value == "TK.level.HH")
    page.cell(row, headings["处置措施(中文)"]).value = "停进料泵"
    page.cell(row, headings["响应时限(分钟)"]).value = 10
    out = io.BytesIO()
    book.save(out)
    found = look(table, out.getvalue(), "a.xlsx")
    assert found.mistakes == []
    (change,) = found.changes
    assert (change.rule, dict(change.set)) == ("TK.level.HH", {"response": {"zh": "停进料泵"}, "respond_min": 10.0})


def test_an_empty_cell_takes_away_and_a_column_left_out_stays(table: RuleTable) -> None:
    given = {"rule": "TK.flow.RATE", "cause_en": "", "cause_zh": "", "respond_min": ""}
    (change,) = look(table, sheet(given), "a.csv").changes
    assert dict(change.set) == {"cause": None, "respond_min": None}


def test_every_wrong_cell_is_told_with_row_and_column(table: RuleTable) -> None:
    rows = [
        {"Rule": "TK.level.H", "Tier": "RED", "Setpoint": "4", "Time to respond (min)": "soon"},
        {"Rule": "TK.level.X", "Tier": "", "Setpoint": "", "Time to respond (min)": ""},
        {"Rule": "TK.level.HH", "Tier": "", "Setpoint": "4.5", "Time to respond (min)": "-1"},
        {"Rule": "TK.level.HH", "Tier": "", "Setpoint": "", "Time to respond (min)": "5"},
        {"Rule": "fengsui.push_waiting.H", "Tier": "", "Setpoint": "", "Time to respond (min)": "5"},
    ]
    found = look(table, sheet(*rows), "a.csv")
    assert found.changes == []
    assert [(each.row, each.column) for each in found.mistakes] == [
        (2, "Tier"),
        (2, "Time to respond (min)"),
        (3, "Rule"),
        (4, "Setpoint"),
        (4, "Time to respond (min)"),
        (5, "Rule"),
        (6, "Rule"),
    ]
    assert all(each.rule.zh and each.remedy.zh for each in found.mistakes)


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"", ""),
        (b"Rule\n", ""),
        (b"Rule,Colour\na,b\n", "Colour"),
        (b"Tier\nRED\n", ""),
        (b"Rule,Rule\na,b\n", "Rule"),
    ],
)
def test_a_sheet_that_is_no_list_is_refused(table: RuleTable, content: bytes, column: str) -> None:
    found = look(table, content, "a.csv")
    assert found.mistakes[0].column == column
    assert found.changes == []


def test_what_is_stated_is_written_out_and_read_again(tmp_path: Path, table: RuleTable) -> None:
    rule = table[table.index_of["TK.flow.RATE"]]
    assert rule.rationale is not None
    assert rule.rationale.text("consequence") == {"en": "overflow", "zh": "overflow"}
    again = load(tmp_path / "site.toml", environ={}, overlay=Overlay({rule.id: written(rule)})).rules
    assert again[again.index_of[rule.id]] == rule
