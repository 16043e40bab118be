"""Tag tables in XLSX and with Chinese headings give what the same CSV gives, and say where each mistake is."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from edge.load import ConfigError, load
from edge.load.heading import CHINESE, WORDS, column_of, heading_of
from edge.load.words import COLUMNS
from gateway.load import load as load_site

SITE = """
[site]
id = "works"
timezone = "Asia/Shanghai"
tags = ["{table}"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"
[[unit]]
id = "U-1"
kind = "tank"
"""
HEADER = [
    "位号",
    "名称",
    "数据源",
    "危险源单元",
    "单位",
    "量程下限(m)",
    "量程上限(m)",
    "寄存器区",
    "寄存器",
    "数据类型",
    "高限",
    "高高限",
    "高高限级别",
]


def rows(count: int) -> list[list[object]]:
    return [
        [f"T-{n}", f"{n}号罐", "plc", "U-1", "m", 0, 12.5, "保持寄存器", 2 * n, "float32", 10.5, 11, "红"]
        for n in range(count)
    ]


def write_xlsx(path: Path, table: Sequence[Sequence[object]], *, sheet: str = "储罐") -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in table:
        page.append(list(row))
    book.save(path)


def site(folder: Path, table: str) -> Path:
    path = folder / "site.toml"
    path.write_text(SITE.replace("{table}", table), "utf-8")
    return path


def mistakes(path: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_site(path, environ={})
    return [(Path(one.file).name, one.line, one.path, one.sentence) for one in caught.value.mistakes]


def test_a_workbook_gives_what_the_same_csv_gives(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "tags.xlsx", [HEADER, *rows(20)])
    with (tmp_path / "tags.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows(20)])
    ours = "tag,title_zh,source,unit,eu,range_lo,range_hi,table,register,type,H,HH,tier_HH\n" + "".join(
        f"T-{n},{n}号罐,plc,U-1,m,0,12.5,holding,{2 * n},float32,10.5,11,RED\n" for n in range(20)
    )
    (tmp_path / "ours.csv").write_text(ours, "utf-8")
    sites = [load_site(site(tmp_path, table), environ={}) for table in ("tags.xlsx", "tags.csv", "ours.csv")]
    assert len({tuple(map(repr, one.tags)) for one in sites}) == 1
    assert len({tuple(map(repr, one.rules)) for one in sites}) == 1
    assert [rule.tier.name for rule in sites[0].rules if rule.id == "T-3.HH"] == ["RED"]
    assert len({one.revision for one in sites}) == 3


def test_twelve_errors_in_three_thousand_rows_are_twelve_messages(tmp_path: Path) -> None:
    table = rows(3000)
    planted: list[tuple[int, int, object]] = [
        (5, 2, "plk"), (100, 3, "U-2"), (250, 5, 20), (400, 7, "保持"), (401, 7, "寄存"), (777, 8, 70_000),
        (900, 9, "flot32"), (1200, 10, 12), (1500, 12, "紫"), (1800, 0, "T-3"), (2100, 6, "12,5"), (2500, 0, ""),
        (2999, 11, "elf"),
    ]  # fmt: skip
    for row, column, value in planted:
        table[row][column] = value
    write_xlsx(tmp_path / "tags.xlsx", [HEADER, *table])
    found = mistakes(site(tmp_path, "tags.xlsx"))
    assert len(found) == 12  # “保持” is a word for it as well
    assert {file for file, *_ in found} == {"tags.xlsx[储罐]"}
    wrong = {row + 2 for row, *_ in planted} - {402}
    assert {line for _, line, *_ in found} == wrong
    paths = {line: path for _, line, path, _ in found}
    assert paths[7] == "数据源"
    assert paths[902] == "数据类型"
    assert paths[1502] == "高高限级别"


def test_a_sheet_is_named_after_its_file(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "封面"
    first.sheet_state = "hidden"
    for name, count in (("A", 3), ("B", 5)):
        page = book.create_sheet(name)
        for row in [HEADER, *rows(count)]:
            page.append(row)
    book.save(tmp_path / "tags.xlsx")
    assert len(load(site(tmp_path, "tags.xlsx"), environ={}).tags) == 3
    assert len(load(site(tmp_path, "tags.xlsx#B"), environ={}).tags) == 5
    assert [said for *_, said in mistakes(site(tmp_path, "tags.xlsx#C"))] == [
        "Workbook tags.xlsx: it has no sheet “C”; its sheets are 封面, A, B."
    ]


def test_what_a_spreadsheet_does_to_cells_is_said(tmp_path: Path) -> None:
    table = rows(6)
    table[0][11] = "=K2+1"  # openpyxl writes the formula without its value
    table[1][0] = date(2026, 1, 2)
    table[2][11] = "#REF!"
    table[3].append("a note beside the table")
    table[4][8] = 8.0
    table[5][0] = "# a row that is passed by"
    write_xlsx(tmp_path / "tags.xlsx", [HEADER, *table])
    found = mistakes(site(tmp_path, "tags.xlsx"))
    assert [(line, path) for _, line, path, _ in found] == [(2, "高高限"), (3, "位号"), (4, "高高限"), (5, "row")]
    assert "formula without its value" in found[0][3]
    assert "date of the cell" in found[1][3]


def hand_made(sheet: str, size: str = "") -> bytes:
    """A workbook as ECMA-376 describes the least of one, without the library that reads it."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/w.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/s.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="w.xml"/></Relationships>',
        "w.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="T" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "_rels/w.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="s.xml"/></Relationships>',
        "s.xml": f'<worksheet xmlns="{main}">{size}<sheetData>{sheet}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0"?>' + text)
    return out.getvalue()


def row_xml(number: int, cells: Sequence[object]) -> str:
    def cell(at: int, value: object) -> str:
        name = f"{chr(65 + at)}{number}"
        if isinstance(value, str):
            return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{name}"><v>{value}</v></c>'

    return f'<row r="{number}">{"".join(cell(at, value) for at, value in enumerate(cells))}</row>'


def test_a_workbook_by_another_hand(tmp_path: Path) -> None:
    sheet = row_xml(1, HEADER) + row_xml(4, rows(1)[0])  # two rows are left out altogether
    (tmp_path / "tags.xlsx").write_bytes(hand_made(sheet))
    (tag,) = load(site(tmp_path, "tags.xlsx"), environ={}).tags
    assert (tag.name, tag.range_hi, tag.address["type"]) == ("T-0", 12.5, "float32")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no XLSX workbook"),
        (b"PK\x03\x04 and then nothing", "no XLSX workbook"),
        (b"\xd0\xcf\x11\xe0 an old .xls", "no XLSX workbook"),
        (hand_made("<row"), "cannot be read as an XLSX workbook"),
        (hand_made('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'), "cannot be read as an XLSX workbook"),
        (hand_made(""), "is empty"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "tags.xlsx").write_bytes(raw)
    assert any(said in sentence for *_, sentence in mistakes(site(tmp_path, "tags.xlsx")))


def test_a_small_file_that_unpacks_to_a_large_one_is_never_unpacked(tmp_path: Path) -> None:
    (tmp_path / "tags.xlsx").write_bytes(hand_made(" " * 300_000_000))
    assert (tmp_path / "tags.xlsx").stat().st_size < 1_000_000
    assert [said for *_, said in mistakes(site(tmp_path, "tags.xlsx"))] == [
        "Workbook tags.xlsx: it unpacks to more than 256 MB."
    ]


def test_a_sheet_that_claims_a_million_rows_is_read_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "tags.xlsx").write_bytes(hand_made(row_xml(1, HEADER) + row_xml(1_048_576, rows(1)[0])))
    assert any("more than 200000 rows" in said for *_, said in mistakes(site(tmp_path, "tags.xlsx")))


@pytest.mark.parametrize("size", ["A1", "A1:M3", "A1:B99"])
def test_a_sheet_that_claims_fewer_cells_than_it_has_loses_none(tmp_path: Path, size: str) -> None:
    table = "".join(row_xml(at, row) for at, row in enumerate([HEADER, *rows(5)], start=1))
    (tmp_path / "tags.xlsx").write_bytes(hand_made(table, f'<dimension ref="{size}"/>'))
    assert len(load(site(tmp_path, "tags.xlsx"), environ={}).tags) == 5


def test_a_format_down_to_the_last_row_is_no_row(tmp_path: Path) -> None:
    table = row_xml(1, HEADER) + row_xml(2, rows(1)[0]) + '<row r="1048576"><c r="A1048576" s="0"/></row>'
    (tmp_path / "tags.xlsx").write_bytes(hand_made(table))
    assert len(load(site(tmp_path, "tags.xlsx"), environ={}).tags) == 1


def test_every_column_has_a_chinese_heading_and_no_heading_means_two() -> None:
    assert set(CHINESE) == set(COLUMNS)
    for column in COLUMNS:
        assert column_of(heading_of(column, "zh")) == column
        assert column_of(f" {CHINESE[column][0]}（说明） ") == column
    every = [word for words in CHINESE.values() for word in words]
    assert len({word.casefold() for word in every}) == len(every)
    assert set(WORDS) <= set(COLUMNS)
