"""docs/configuration.md names every key and column, and none that does not exist."""

import re
from pathlib import Path

import pytest

from edge.load.heading import CHINESE
from edge.load.words import COLUMNS, KEYS, MODBUS_COLUMNS, OPCUA_COLUMNS, RULE_COLUMNS, TAG_COLUMNS
from gateway.load import load

DOC = Path("docs/configuration.md").read_text("utf-8")
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def chapter(heading: str) -> set[str]:
    """Give the first cells of all tables between a heading and the next."""
    text = DOC.split(f"\n### {heading}\n", 1)[1]
    return set(ROW.findall(re.split(r"\n##+ ", text, maxsplit=1)[0]))


def headings() -> dict[str, str]:
    found = re.findall(r"^### `(\[+([a-z._]+)\]+)`$", DOC, re.MULTILINE)
    return {name: f"`{heading}`" for heading, name in found}


def test_every_table_is_described_and_no_other() -> None:
    assert set(headings()) == set(KEYS) - {""}
    assert set(KEYS[""]) == {name for name in headings() if "." not in name}


@pytest.mark.parametrize("table", sorted(set(KEYS) - {""}))
def test_every_key_is_described_and_no_other(table: str) -> None:
    assert chapter(headings()[table]) == set(KEYS[table])


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("Columns of every tag", TAG_COLUMNS),
        ("Columns of Modbus tags", MODBUS_COLUMNS),
        ("Columns of OPC UA tags", OPCUA_COLUMNS),
        ("Columns that rules are made of", RULE_COLUMNS),
    ],
)
def test_every_column_is_described_and_no_other(heading: str, columns: tuple[str, ...]) -> None:
    assert chapter(heading) == set(columns)
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_every_chinese_heading_is_described_and_no_other() -> None:
    section = DOC.split("\n### Chinese headings\n", 1)[1]
    rows = re.findall(r"^\| ([^`|]+) \| `([^`]+)` \|$", section, re.MULTILINE)
    assert {column: tuple(words.split("、")) for words, column in rows} == CHINESE


@pytest.mark.parametrize("site", ["config/example/site.toml", "config/demo/site.toml"])
def test_the_sites_that_come_along_have_no_mistake(site: str) -> None:
    environ = {"FENGSUI_DISTRICT_SECRET": "whsec_" + "c2VjcmV0" * 5, "FENGSUI_MQTT_PASSWORD": "x"}
    loaded = load(Path(site), environ=environ)
    assert len(loaded.tags) > 8
    assert {source.nature for source in loaded.sources} == ({"test"} if "demo" in site else {"actual"})


def test_the_front_page_leads_to_every_document() -> None:
    page = Path("README.md").read_text("utf-8")
    assert [doc.name for doc in sorted(Path("docs").glob("*.md")) if f"(docs/{doc.name}" not in page] == []
    assert "begin with a copy of [config/example]" in page
