"""Lists of tags, as vendors and other programs write them, become tag tables; what is exported comes back the same."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from alerting.model.rule import Kind
from edge.load import ConfigError, Mistake
from edge.load import load as load_field
from edge.load.words import COLUMNS
from edge.tables.foreign import read_address, read_factor, read_order, read_type
from edge.tables.opened import Asked, open_list
from edge.tables.own import compare
from gateway.cli import app
from gateway.load import load
from gateway.tables import Imported, apply, bring_in, export, objects

SITE = """
[site]
id = "works"
timezone = "Asia/Shanghai"
tags = ["tags/plc.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"
{more}
[[unit]]
id = "U-1"
kind = "tank"
"""
SECRETS = {"FENGSUI_DISTRICT_SECRET": "whsec_" + "c2VjcmV0" * 5}


@pytest.fixture
def works(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE.replace("{more}", ""), "utf-8")
    return tmp_path / "site.toml"


def tried(works: Path, name: str, text: str | bytes, **asked: object) -> Imported:
    file = works.parent / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return bring_in(works, file, "tags/plc.csv", Asked(**{"source": "plc", "unit": "U-1"} | asked), environ={})  # type: ignore[arg-type]


def cells(found: Imported) -> dict[str, dict[str, str]]:
    return {row["tag"]: {k: v for k, v in row.items() if v} for row in csv.DictReader(io.StringIO(found.text))}


# ---- addresses and types


@pytest.mark.parametrize(
    ("text", "table", "first", "expected"),
    [
        # Modicon Modbus Protocol Reference Guide PI-MBUS-300: holding register 40108 is addressed as 006B hex (107).
        ("40108", "", 0, ("holding", 107, None, True)),
        ("400108", "", 0, ("holding", 107, None, True)),
        ("4x0108", "", 0, ("holding", 107, None, True)),
        ("4:00108", "", 0, ("holding", 107, None, True)),
        ("30009", "", 0, ("input", 8, None, True)),  # the guide's input register 30009 is 0008
        ("10197", "", 0, ("discrete", 196, None, True)),  # and its input 10197 is 00C4
        ("00020", "coil", 0, ("coil", 19, None, True)),  # and its coil 20 is 0013
        ("465536", "", 0, ("holding", 65535, None, True)),
        ("40001.4", "", 0, ("holding", 0, 4, True)),
        ("0x6B", "", 0, ("", 107, None, False)),
        ("6Bh", "", 1, ("", 107, None, False)),
        ("107", "holding", 0, ("holding", 107, None, False)),
        ("108", "holding", 1, ("holding", 107, None, False)),
        ("40108", "input", 0, ("input", 40108, None, False)),
        ("0", "", 1, None),
        ("D100", "", 0, None),
        ("40000", "", 0, ("", 40000, None, False)),
        ("", "", 0, None),
        ("4000٣", "", 0, None),
    ],
)
def test_an_address(text: str, table: str, first: int, expected: tuple[str, int, int | None, bool] | None) -> None:
    found = read_address(text, table, first)
    assert (None if found is None else (found.table, found.register, found.bit, found.is_manual)) == expected


@given(st.text(max_size=20), st.sampled_from(["", "holding", "coil"]), st.integers(0, 1))
def test_any_text_is_an_address_or_none(text: str, table: str, first: int) -> None:
    found = read_address(text, table, first)
    assert found is None or found.register >= 0
    read_type(text)
    read_order(text)
    read_factor(text)


@pytest.mark.parametrize(
    ("text", "registers", "expected"),
    [
        ("FLOAT", 0, ("float32", "", True)),
        ("Float", 2, ("float32", "", False)),
        ("REAL", 4, ("float64", "", False)),
        ("Float CD AB", 0, ("float32", "CDAB", True)),
        ("float32 (BADC)", 0, ("float32", "BADC", False)),
        ("UINT16", 0, ("uint16", "", False)),
        ("int", 2, ("int32", "", False)),
        ("无符号16位", 0, ("uint16", "", False)),
        ("单精度浮点", 0, ("float32", "", False)),
        ("BCD", 0, ("bcd16", "", False)),
        ("float", 3, None),
        ("colour", 0, None),
    ],
)
def test_a_type(text: str, registers: int, expected: tuple[str, str, bool] | None) -> None:
    assert read_type(text, registers) == expected


def test_orders_and_factors() -> None:
    words = ("AB CD", "3412", "big-endian byte swap", "大端", "小端", "ABDC")
    assert [read_order(word) for word in words] == ["ABCD", "CDAB", "BADC", "ABCD", "DCBA", None]
    factors = ("0.1", "x0.1", "/10", "1/10", "÷100", "10", "1/0", "ten")
    assert [read_factor(word) for word in factors] == [0.1, 0.1, 0.1, 0.1, 0.01, 10.0, None, None]


# ---- lists of registers


VENDOR = """Parameter,Modbus Address,Data Type,Length,Scale,Unit,Range Low,Range High,Description,Page
Level 1,40001,FLOAT AB CD,2,1,m,0,12.5,Tank level,7
Pressure,40003-40004,Float,,,MPa,0,1.6,Vapour pressure,7
Temp,40005,INT,1,/10,°C,-40,80,Liquid temperature,7
High switch,10001,,,,,,,High switch,8
Pump running,40010.3,BOOL,1,,,,,Pump,8
"""


def test_a_vendors_list(works: Path) -> None:
    found = tried(works, "list.csv", VENDOR, order="CDAB")
    assert found.mistakes == []
    assert found.foreign.form == "registers"
    made = cells(found)
    assert made["Level_1"] == {
        "tag": "Level_1", "title_en": "Tank level", "source": "plc", "unit": "U-1", "eu": "m", "range_lo": "0",
        "range_hi": "12.5", "table": "holding", "register": "0", "type": "float32", "order": "ABCD", "scale": "1",
    }  # fmt: skip
    assert (made["Pressure"]["register"], made["Pressure"]["type"], made["Pressure"]["order"]) == (
        "2",
        "float32",
        "CDAB",
    )
    assert (made["Temp"]["type"], made["Temp"]["scale"]) == ("int16", "0.1")
    assert (made["High_switch"]["table"], made["High_switch"]["type"]) == ("discrete", "bit")
    assert (made["Pump_running"]["register"], made["Pump_running"]["bit"]) == ("9", "3")
    assert found.foreign.left_out == {"column Page": 1}
    assert any("CDAB" in note for note in found.foreign.notes)


def test_a_chinese_list_as_a_spreadsheet_of_windows_saves_it(works: Path) -> None:
    text = (
        "变量名;功能码;寄存器地址;数据类型;字节序;倍率;单位;描述;高限\nLT101;03;0x10;单精度;大端;;m;一号罐液位;10,5\n"
    )
    found = tried(works, "list.csv", text.replace("10,5", "10.5").encode("gb18030"))
    assert found.mistakes == []
    assert cells(found)["LT101"]["title_zh"] == "一号罐液位"
    assert cells(found)["LT101"]["H"] == "10.5"
    assert {"text read as GB 18030, for it is no UTF-8", "columns parted by semicolons"} <= set(found.foreign.notes)
    wrong = tried(works, "list.csv", text.encode("gb18030"))
    assert [(m.line, m.path) for m in wrong.mistakes] == [(2, "高限")]  # told at the list, under the list's heading


def test_divisors_and_decimals_make_the_scale(works: Path) -> None:
    head = "Name,Address,Type,Factor,Divisor,Decimals\n"
    rows = "A,40001,INT16,,10,\nB,40002,INT16,,,2\nC,40003,FLOAT,,,3\nD,40005,INT16,0.5,5,1\nE,40006,INT16,,,0\n"
    found = tried(works, "list.csv", head + rows)
    assert found.mistakes == []
    assert {name: row.get("scale", "") for name, row in cells(found).items() if name in "ABCDE"} == {
        "A": "0.1", "B": "0.01", "C": "", "D": "0.1", "E": "",
    }  # fmt: skip
    assert any("123 with 2 is 1.23" in note for note in found.foreign.notes)
    wrong = tried(works, "list.csv", head + "A,40001,INT16,,0,\nB,40002,INT16,,,x\n")
    assert [(m.line, m.path) for m in wrong.mistakes] == [(2, "Divisor"), (3, "Decimals")]


TITLED = "Register list of skid 4\nRev. C, 2026-03-01\n\n"


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_title_above_the_headings_is_passed_over_and_told(works: Path, delimiter: str) -> None:
    found = tried(works, "list.csv", TITLED.replace(",", "") + VENDOR.replace(",", delimiter), order="CDAB")
    plain = tried(works, "list.csv", VENDOR, order="CDAB")
    assert found.mistakes == []
    assert cells(found) == cells(plain)
    assert found.foreign.notes["rows above the headings, passed over"] == 3
    wrong = tried(works, "list.csv", TITLED + VENDOR.replace("40005,INT", "none,INT"))
    assert [m.line for m in wrong.mistakes] == [7]  # as the spreadsheet counts


def test_a_title_above_the_headings_of_a_workbook(works: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["4号撬寄存器表"])
    sheet.merge_cells("A1:J1")
    sheet.append([])
    for row in csv.reader(io.StringIO(VENDOR)):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    found = tried(works, "list.xlsx", out.getvalue(), order="CDAB")
    assert found.mistakes == []
    assert cells(found) == cells(tried(works, "list.csv", VENDOR, order="CDAB"))


def test_a_list_without_headings_is_still_refused(works: Path) -> None:
    found = tried(works, "list.csv", "a,b\n" * 20)
    assert [m.path for m in found.mistakes] == ["header"]


def test_registers_are_written_as_the_manual_of_the_source_counts(works: Path) -> None:
    works.write_text(SITE.replace("{more}", "registers_from = 1"), "utf-8")
    found = tried(works, "list.csv", VENDOR)
    assert cells(found)["Level_1"]["register"] == "1"
    apply(works, found)
    (level, *_) = load_field(works, environ={}).tags
    works.write_text(SITE.replace("{more}", ""), "utf-8")
    again = tried(works, "list.csv", VENDOR, order="CDAB")
    apply(works, again)
    (plain, *_) = load_field(works, environ={}).tags
    assert level.address["register"] == plain.address["register"] == 0


def test_every_row_that_cannot_be_read_is_told_at_its_place(works: Path) -> None:
    text = (
        "Name,Address,Type,Byte Order,Factor\n"
        ",40001,FLOAT,ABCD,\nA,4000A,FLOAT,ABCD,\nB,40001,COLOUR,ABCD,\nC,40001,FLOAT,ABDC,\nD,40001,FLOAT,ABCD,ten\n"
        "E,10001,FLOAT,ABCD,\nF,40001.16,BOOL,,\nG,40001,FLOAT,ABCD,1\nG,40003,FLOAT,ABCD,1\n"
    )
    found = tried(works, "list.csv", text)
    assert [(m.line, m.path) for m in found.mistakes] == [
        (2, "Name"), (3, "Address"), (4, "Type"), (5, "Byte Order"), (6, "Factor"), (7, "Type"), (8, "Address"),
        (10, "Name"),
    ]  # fmt: skip
    assert {Path(m.file).name for m in found.mistakes} == {"list.csv"}
    only = tried(works, "list.csv", "Name,Address,Type,Byte Order\nG,40001,FLOAT,ABCD\nG,40003,FLOAT,ABCD\n")
    assert [(m.line, m.path) for m in only.mistakes] == [(3, "Name")]
    assert only.mistakes[0].sentence.endswith(f"{works.parent}/list.csv:2 has it already.")


def test_a_list_of_several_stations_needs_a_source_for_each(works: Path) -> None:
    text = "Name,Slave ID,Address,Type\nA,1,40001,UINT16\nB,2,40001,UINT16\n"
    assert [(m.line, m.path) for m in tried(works, "list.csv", text).mistakes] == [(2, "Slave ID"), (3, "Slave ID")]
    found = tried(works, "list.csv", text, source="plc-{station}")
    asked = [(m.line, m.sentence) for m in found.mistakes if Path(m.file).name == "list.csv"]
    assert asked == [(2, 'Tag A: source "plc-1" does not exist.'), (3, 'Tag B: source "plc-2" does not exist.')]


def test_times_of_our_own_table_are_counted_as_its_headings_say(works: Path) -> None:
    head = "位号,数据源,危险源单元,寄存器,数据类型,工程单位,高限,报警级别,采集周期(ms),报警延时(min),恢复延时[秒]"
    text = f"{head.replace('报警级别', 'tier_H')}\nA,plc,U-1,0,uint16,m,5,黄,200,2,3\n".replace("寄存器,", "register,")
    table = works.parent / "tags" / "plc.csv"
    table.parent.mkdir()
    table.write_text(text, "utf-8")
    site = load_field(works, environ={})
    (rule,) = (rule for rule in load(works, environ={}).rules if rule.kind is Kind.H)
    assert (rule.on_delay_s, rule.off_delay_s) == (120.0, 3.0)
    assert next(iter(site.tags)).period_s == 0.2
    table.write_text(text.replace(",200,", ",0.2 s,").replace(",2,3", ",120 S,0.05min"), "utf-8")
    assert next(iter(load_field(works, environ={}).tags)).period_s == 0.2
    (again,) = (rule for rule in load(works, environ={}).rules if rule.kind is Kind.H)
    assert again == rule
    table.write_text(text.replace(",200,", ",2 days,"), "utf-8")
    with pytest.raises(ConfigError, match="2 days"):
        load(works, environ={})


# ---- other programs

KEPWARE = """Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value
"Tank1.Level",400001,Float,1,R/W,1000,,,,,,,,,m,"Level, tank 1",
"Tank1.Raw",400010,Short,1,RO,500,Linear,0,4000,-50,150,Float,1,1,degC,Temperature,
"Tank1.Switch",100001,Boolean,1,RO,100,,,,,,,,,,High switch,
"Tank1.Run",400020.4,Boolean,1,RO,100,,,,,,,,,,Running,
"Tank1.Log",400030[8],Word,1,RO,100,,,,,,,,,,A log,
"Tank1.Name",400040.20H,String,1,RO,100,,,,,,,,,,A name,
"Tank1.Root",400050,Word,1,RO,100,Square Root,0,100,0,10,Float,0,0,,Flow,
"Tank1.Back",400060,Word,1,RO,100,Linear,0,100,0,10,Float,0,0,,Backwards,1
"""  # noqa: E501  # the export's own header is one line


def test_an_export_of_kepware(works: Path) -> None:
    found = tried(works, "export.csv", KEPWARE)
    assert [(m.line, m.path) for m in found.mistakes] == [(6, "Address"), (7, "Data Type"), (8, "Scaling")]
    kept = [line for at, line in enumerate(KEPWARE.splitlines()) if at not in (5, 6, 7)]
    found = tried(works, "export.csv", "\n".join(kept) + "\n")
    assert found.mistakes == []
    assert found.foreign.form == "kepware"
    made = cells(found)
    level = made["Tank1.Level"]
    assert [level[column] for column in ("register", "type", "order")] == ["0", "float32", "CDAB"]
    assert level["title_en"] == "Level, tank 1"
    # 4 to 20 mA as 0 to 4000 over -50 to 150 degC: 2000 is the middle, 50 degC.
    assert 2000 * float(made["Tank1.Raw"]["scale"]) + float(made["Tank1.Raw"]["offset"]) == 50
    assert 50 * float(made["Tank1.Back"]["scale"]) + float(made["Tank1.Back"]["offset"]) == -5
    assert made["Tank1.Raw"]["period_s"] == "0.5"
    assert made["Tank1.Switch"]["table"] == "discrete"
    assert made["Tank1.Run"]["bit"] == "4"
    assert set(found.foreign.left_out) == {
        "write access: the field is read only",
        "clamping: a value outside the range is BAD, never the end of the range",
    }


def thingsboard(**slave: object) -> str:
    return json.dumps(
        {
            "master": {
                "slaves": [
                    {
                        "host": "127.0.0.1", "port": 5021, "unitId": 1, "deviceName": "Tank 1", "pollPeriod": 5000,
                        "byteOrder": "BIG", "wordOrder": "LITTLE",
                        "attributes": [
                            {"tag": "mode", "type": "16uint", "functionCode": 4, "objectsCount": 1, "address": 7},
                        ],
                        "timeseries": [
                            {"tag": "level", "type": "32float", "functionCode": 3, "objectsCount": 2, "address": 0,
                             "divider": 10},
                            {"tag": "run", "type": "bits", "functionCode": 1, "objectsCount": 1, "address": 3},
                            {"tag": "name", "type": "string", "functionCode": 3, "objectsCount": 8, "address": 20},
                        ],
                        "rpc": [{"tag": "setValue", "functionCode": 5, "objectsCount": 1, "address": 31}],
                    } | slave
                ]
            }
        },
        indent=2,
    )  # fmt: skip


def test_a_connector_of_thingsboard(works: Path) -> None:
    found = tried(works, "modbus.json", thingsboard())
    (mistake,) = found.mistakes
    assert mistake.path == "type"
    assert '"name"' in (works.parent / "modbus.json").read_text("utf-8").splitlines()[mistake.line - 1]
    found = tried(works, "modbus.json", thingsboard(attributes=[], timeseries=[
        {"tag": "level", "type": "32float", "functionCode": 3, "objectsCount": 2, "address": 0, "divider": 10},
        {"tag": "old", "type": "long", "functionCode": 4, "objectsCount": 2, "address": 9},
    ]))  # fmt: skip
    assert found.mistakes == []
    made = cells(found)
    assert made["Tank_1.level"] == {
        "tag": "Tank_1.level", "source": "plc", "unit": "U-1", "period_s": "5", "table": "holding", "register": "0",
        "type": "float32", "order": "CDAB", "scale": "0.1",
    }  # fmt: skip
    assert made["Tank_1.old"]["type"] == "int32"
    assert found.foreign.left_out == {"rpc: the field is read only": 1}
    assert [m.path for m in tried(works, "modbus.json", '{"slaves": 3}').mistakes] == ["file"]


# ---- merge, difference, round trip


def test_rows_that_the_list_does_not_name_stay_and_an_emptied_cell_is_emptied(works: Path) -> None:
    (works.parent / "tags").mkdir()
    table = works.parent / "tags" / "plc.csv"
    table.write_text(
        "tag,source,unit,register,type,H,HH\nA,plc,U-1,0,float32,10.50,11\nB,plc,U-1,2,float32,5,6\n", "utf-8"
    )
    found = tried(works, "new.csv", "tag,source,H,HH\nA,plc,10.5,\nC,plc,1,2\n")
    assert [(m.line, m.path) for m in found.mistakes] == [(3, "register"), (3, "type")]
    found = tried(works, "new.csv", "tag,source,H,HH,register,type\nA,plc,10.5,,0,float32\nC,plc,1,2,4,float32\n")
    assert found.mistakes == []
    difference = found.difference
    assert (difference.added, difference.removed, difference.unchanged) == (["C"], [], 1)
    assert [(change.tag, change.cells) for change in difference.changed] == [("A", {"HH": ("11", "")})]
    kept = apply(works, found)
    assert kept is not None
    assert "10.50,11" in kept.read_text("utf-8")
    assert [rule.id for rule in load(works, environ={}).rules if rule.kind.name in ("H", "HH")] == [
        "A.H", "B.H", "B.HH", "C.H", "C.HH",
    ]  # fmt: skip
    whole = bring_in(works, works.parent / "new.csv", "tags/plc.csv", Asked(), is_whole=True, environ={})
    assert whole.difference.removed == ["B"]


def test_what_is_written_nobody_would_read(works: Path) -> None:
    file = works.parent / "new.csv"
    file.write_text("tag,source,register,type\nA,plc,0,float32\n", "utf-8")
    told = [bring_in(works, file, table, Asked(), environ={}).mistakes for table in ("other.csv", "tags.xlsx")]
    assert "none of its tables" in told[0][0].sentence
    assert [m.path for m in told[1]] == ["site.tags", "site.tags"]


@pytest.mark.parametrize("name", ["all.csv", "all.xlsx"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_exported_comes_back_the_same(tmp_path: Path, name: str, language: str) -> None:
    shutil.copytree("config/demo", tmp_path / "demo")
    config = tmp_path / "demo" / "site.toml"
    assert export(config, tmp_path / name, language) == len(load_field(config, environ=SECRETS).tags)
    lists = [open_list(tmp_path / name, Asked()), open_list(tmp_path / name, Asked(form="fengsui"))]
    assert [one.form for one in lists] == ["fengsui", "fengsui"]
    export(config, tmp_path / "again.csv")
    rows = [line.cells for line in lists[0].lines]
    again = [line.cells for line in open_list(tmp_path / "again.csv", Asked()).lines]
    assert compare(again, rows).is_empty


def test_the_exported_table_makes_the_same_tags_and_rules(tmp_path: Path) -> None:
    """Without its templates and with the exported table alone the example is the same plant."""
    shutil.copytree("config/example", tmp_path / "site")
    config = tmp_path / "site" / "site.toml"
    environ = {"FENGSUI_MQTT_PASSWORD": "x", **SECRETS}
    before = load(config, environ=environ)
    export(config, tmp_path / "site" / "all.xlsx", "zh")
    field = load_field(config, environ=environ)
    export(config, tmp_path / "site" / "all.csv")
    again = open_list(tmp_path / "site" / "all.xlsx", Asked())
    assert [line.cells["tag"] for line in again.lines] == [tag.name for tag in field.tags]
    with (tmp_path / "site" / "all.csv").open(encoding="utf-8") as file:
        limits = {row["tag"]: row.get("HH", "") for row in csv.DictReader(file)}
    for rule in before.rules:
        if rule.kind.name == "HH" and rule.id == f"{rule.tag}.HH" and limits[rule.tag]:
            assert float(limits[rule.tag]) == rule.setpoint


def test_a_blank_workbook_offers_words_and_runs_nothing(tmp_path: Path, works: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["tags", "template", str(tmp_path / "blank.xlsx"), "--lang", "zh"]).exit_code == 0
    sheet = load_workbook(tmp_path / "blank.xlsx").worksheets[0]
    assert sheet.max_column == len(COLUMNS)
    lists = {str(one.formula1) for one in sheet.data_validations.dataValidation}
    assert '"ABCD,CDAB,BADC,DCBA"' in lists
    (works.parent / "tags").mkdir()
    (works.parent / "tags" / "plc.csv").write_text("tag,title_en,source,register,type\nA,=1+1,plc,0,float32\n", "utf-8")
    assert run.invoke(app, ["tags", "export", str(works), str(tmp_path / "out.xlsx")]).exit_code == 0
    written = load_workbook(tmp_path / "out.xlsx").worksheets[0]
    assert [cell.data_type for cell in written[2]][:2] == ["s", "s"]


def test_the_command_writes_only_when_asked(works: Path) -> None:
    run = CliRunner()
    (works.parent / "list.csv").write_text(VENDOR, "utf-8")
    asked = ["tags", "import", str(works), str(works.parent / "list.csv"), "--into", "tags/plc.csv", "--source", "plc"]
    shown = run.invoke(app, asked)
    assert shown.exit_code == 0
    assert "5 added" in shown.output
    assert "--apply writes it" in shown.output
    assert not (works.parent / "tags").exists()
    facts = json.loads(run.invoke(app, [*asked, "--apply", "--json"]).stdout)
    assert (facts["ok"], facts["applied"], len(facts["added"])) == (True, True, 5)
    assert run.invoke(app, ["check", str(works)]).exit_code == 0
    again = run.invoke(app, asked)
    assert "0 added, 0 changed, 0 removed, 5 unchanged" in again.output
    for wrong in (["--form", "excel"], ["--order", "ABDC"]):
        assert run.invoke(app, [*asked, *wrong]).exit_code == 2
    (works.parent / "list.csv").write_text(VENDOR.replace("40001", "4000A"), "utf-8")
    refused = run.invoke(app, [*asked, "--apply"])
    assert refused.exit_code == 2
    assert "list.csv:2: Modbus Address: Row 2 (Level 1)" in refused.output


# ---- device templates


@pytest.mark.parametrize("name", objects())
def test_a_device_template_is_right_as_it_stands(works: Path, name: str) -> None:
    run = CliRunner()
    wrote = run.invoke(app, ["tags", "template", str(works.parent), "--object", name])
    assert wrote.exit_code == 0
    text = works.read_text("utf-8").split("[[unit]]", 1)[0].replace('tags = ["tags/plc.csv"]\n', "")
    text = text.replace('id = "plc"', 'id = "plc-1"')
    if "[[source]]" in wrote.stdout:  # A template that brings its own source along.
        text = text.split("[[source]]", 1)[0]
    works.write_text(text + wrote.stdout, "utf-8")
    site = load(works, environ={})
    assert len(site.tags) >= 2
    assert len(site.units) == 1
    for tag in site.tags:
        assert tag.title["zh"] != tag.title["en"]
        assert tag.unit == site.units[0].id
    for rule in site.rules:
        assert rule.response.keys() == {"en", "zh"} or rule.kind.name in ("STALE", "BAD", "TREND"), rule.id
    spans = sorted((tag.address["table"], tag.address["register"]) for tag in site.tags if tag.address)
    assert len(set(spans)) == len(spans)
    told: list[Mistake] = []
    load(works, environ={}, warnings=told)
    assert [warning.path for warning in told] == ["destination"]
    assert run.invoke(app, ["tags", "template", str(works.parent), "--object", name]).exit_code == 2


def test_events_are_no_heartbeat_and_tags_of_them_that_fall_silent_are_warned_of(works: Path) -> None:
    run = CliRunner()
    block = run.invoke(app, ["tags", "template", str(works.parent), "--object", "camera"]).stdout
    head = works.read_text("utf-8").split("[[source]]", 1)[0].replace('tags = ["tags/plc.csv"]\n', "")
    works.write_text(head + block, "utf-8")
    assert {rule.kind for rule in load(works, environ={}).rules if not rule.is_hidden} == {Kind.STATE, Kind.H, Kind.BAD}
    table = works.parent / "camera" / "tags.csv"
    table.write_text(table.read_text("utf-8").replace(",3600,0,", ",1,,"), "utf-8")
    warnings: list[Mistake] = []
    load(works, environ={}, warnings=warnings)
    (told,) = (warning for warning in warnings if warning.path == "stale_s")
    assert told.sentence.endswith("without one for 3 s this tag counts as silent, and 4 more.")


def test_every_device_template_is_described() -> None:
    page = Path("config/templates/README.md").read_text("utf-8")
    assert [name for name in objects() if f"| `{name}` " not in page] == []
    assert CliRunner().invoke(app, ["tags", "template", ".", "--object", "volcano"]).exit_code == 2


# ---- what must not be guessed, lost or told elsewhere


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name,Address (Hex),Type\nA,0010,uint16\n", {"register": "16"}),
        ("Name,寄存器地址(十六进制),Type\nA,10,uint16\n", {"register": "16"}),
        ("Name,Address,Type,Length (bytes)\nA,0,FLOAT,4\n", {"type": "float32"}),
        ("Name,Address,Type,Length\nA,0,INT,2\nB,1,UINT16,2\n", {"type": "int16"}),
        ("Name,Address,Type,Length\nA,0,INT,2\nB,2,UINT32,2\n", {"type": "int32"}),
        ("Name,Address,Type,Word Order\nA,0,float32,Little\n", {"order": "CDAB"}),
        ("Name,Address,Type,Byte Order,Word Order\nA,0,float32,Big,Little\n", {"order": "CDAB"}),
        ("Name,Address,Type,Byte Order,Word Order\nA,0,float32,Little,Big\n", {"order": "BADC"}),
        ("Name,Address,Type,Byte Order\nA,0,uint16,BA\n", {"order": "BADC"}),
        ("#,Name,Address,Type\n1,A,7,uint16\n", {"register": "7"}),
        ("# of 2026\nName,Address,Type\nA,7,uint16\n", {"register": "7"}),
        ("Name,Address,Type,采集周期(ms)\nA,7,uint16,500\n", {"period_s": "0.5"}),
        (
            "Name,Address,Type,采集周期,报警延时（min）\nA,7,uint16,500 ms,1.5\n",
            {"period_s": "0.5", "on_delay_s": "90"},
        ),
        ("Name,Address,Type,采集周期,断数时间\nA,7,uint16,1s,2分钟\n", {"period_s": "1", "stale_s": "120"}),
    ],
)
def test_a_list_is_read_as_its_headings_say(works: Path, text: str, expected: dict[str, str]) -> None:
    found = tried(works, "list.csv", text)
    assert found.mistakes == []
    made = cells(found)["A"]
    assert {column: made[column] for column in expected} == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Name,Address,Type\nA,40001-40002,uint16\n", "Address"),
        ("Name,Address,Type,Registers\nA,40001,uint16,2\n", "Registers"),
        ("Name,Address,Type,Byte Order\nA,0,float32,BA\n", "Byte Order"),
        ("Name,Address,Type\nA,0,Float BA\n", "Type"),
        ("Name,Address,Type,Byte Order,Word Order\nA,0,float32,ABCD,Little\n", "Word Order"),
        ("Name,Address,Type\n#1罐液位,0,uint16\n", "Name"),
        ('Name;Address;Type;Description\nA;0;uint16;"2in pipe\nB;1;uint16;x\n', "file"),
        ('Name;Address;Type;Description\nA;0;uint16;"2in pipe\n' + "B;1;uint16;x\n" * 20_000, "file"),
    ],
)
def test_what_could_be_read_in_two_ways_or_lost_is_refused(works: Path, text: str, path: str) -> None:
    assert path in [mistake.path for mistake in tried(works, "list.csv", text).mistakes]


@pytest.mark.parametrize("form", ["kepware", "registers", "fengsui"])
def test_a_form_that_is_asked_for_needs_its_columns(works: Path, form: str) -> None:
    assert [m.path for m in tried(works, "list.csv", "Foo,Bar\nA,0\n", form=form).mistakes] == ["header"]


def test_text_of_a_spreadsheet_in_utf_16(works: Path) -> None:
    found = tried(works, "list.txt", "Name\tAddress\tType\tUnit\nA\t0\tuint16\t°C\n".encode("utf-16"))
    assert cells(found)["A"]["eu"] == "°C"


def test_a_mistake_behind_a_cell_of_several_lines_is_told_at_its_row(works: Path) -> None:
    text = 'Name,Address,Type,Description\nA,0,uint16,"two\nlines"\nB,70000,uint16,x\n'
    assert [(m.line, m.path) for m in tried(works, "list.csv", text).mistakes] == [(4, "Address")]


def test_what_a_list_does_not_say_stays_as_it_was(works: Path) -> None:
    (works.parent / "tags").mkdir()
    (works.parent / "tags" / "plc.csv").write_text(
        "tag,title_zh,source,unit,range_lo,range_hi,table,register,type,order\n"
        "PT,压力,plc,U-1,0,1.6,input,0,float32,ABCD\n",
        "utf-8",
    )
    stays = {"title_zh": "压力", "range_lo": "0", "range_hi": "1.6", "order": "ABCD"}
    head = KEPWARE.splitlines()[0]
    found = tried(works, "export.csv", f"{head}\nPT,400001,Float,1,RO,1000,,,,,,,,,MPa,Pressure,\n")
    assert {column: cells(found)["PT"].get(column) for column in stays} == stays
    found = tried(works, "list.csv", "Name,Address,Type,Description\nPT,0,float32,Pressure\n")
    assert cells(found)["PT"].items() >= (stays | {"table": "input", "title_en": "Pressure"}).items()
    asked = tried(works, "list.csv", "Name,Address,Type\nPT,0,float32\n", order="CDAB")
    assert cells(asked)["PT"]["order"] == "CDAB"


def test_a_station_that_its_source_does_not_ask_is_told(works: Path) -> None:
    text = "Name,Slave ID,Address,Type\nA,03,40001,UINT16\n"
    works.write_text(SITE.replace("{more}", "device_id = 3"), "utf-8")
    assert not any("device_id" in note for note in tried(works, "list.csv", text).foreign.notes)
    works.write_text(SITE.replace("{more}", ""), "utf-8")
    assert any("station 03" in note and "device_id 1" in note for note in tried(works, "list.csv", text).foreign.notes)


def test_coils_of_kepware(works: Path) -> None:
    head = KEPWARE.splitlines()[0]
    found = tried(works, "export.csv", f"{head}\nRun,000012,Boolean,1,RO,100,,,,,,,,,,,\n")
    assert found.mistakes == []
    assert (cells(found)["Run"]["table"], cells(found)["Run"]["register"]) == ("coil", "11")


def test_bytes_of_one_register_are_swapped_where_thingsboard_says_so(works: Path) -> None:
    item = {"tag": "t", "type": "16uint", "functionCode": 3, "objectsCount": 1, "address": 1}
    found = tried(works, "modbus.json", thingsboard(byteOrder="LITTLE", attributes=[], timeseries=[item]))
    assert cells(found)["Tank_1.t"]["order"] == "BADC"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"divider": "10"}, "divider"), ({"multiplier": 10**400}, "multiplier"), ({"divider": 0}, "divider"),
        ({"functionCode": [3]}, "functionCode"), ({"address": True}, "address"),
    ],
)  # fmt: skip
def test_an_entry_of_thingsboard_that_cannot_be_read_is_refused(
    works: Path, change: dict[str, object], path: str
) -> None:
    item = {"tag": "t", "type": "16uint", "functionCode": 3, "objectsCount": 1, "address": 1}
    assert [m.path for m in tried(works, "modbus.json", thingsboard(timeseries=[item | change])).mistakes] == [path]
    assert tried(works, "modbus.json", thingsboard(timeseries=5, attributes={"a": 1}, rpc=7)).mistakes


def test_an_entry_behind_those_that_are_left_out_is_told_at_its_line(works: Path) -> None:
    slave = json.loads(thingsboard())["master"]["slaves"][0]
    bad = {"tag": "bad", "type": "string", "functionCode": 3, "objectsCount": 8, "address": 20}
    slaves = [slave | {"timeseries": []}, slave | {"deviceName": "two", "attributes": [], "timeseries": [bad]}]
    text = json.dumps({"master": {"slaves": slaves}}, indent=1)
    unread, unknown = sorted(tried(works, "modbus.json", text, source="{device}").mistakes, key=lambda m: -m.line)
    assert unknown.path == "source"
    mistake = unread
    assert '"bad"' in text.splitlines()[mistake.line - 1]
