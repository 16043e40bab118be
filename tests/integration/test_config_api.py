"""Tables of tags over the API: looked at, applied, given back, undone; who may, and every wrong cell by row."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.auth import Role
from tests.integration.test_rules_api import TAGS, Site, open_site

HEAD, LEVEL, FLOW = TAGS.splitlines()
NEW = "TK.temp,Temperature,温度,plc,TK,℃,4,float32,60,,0.5"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as site:
        yield site


async def look(site: Site, content: bytes | str, name: str = "list.csv", **how: Any) -> dict[str, Any]:  # noqa: ANN401
    raw = content.encode() if isinstance(content, str) else content
    asked = {"into": "tags.csv", "name": name, **how}
    answer = await site.clients[Role.ENGINEER].post("/api/v1/config/look", params=asked, content=raw)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def apply(site: Site, ticket: str, expected: int = 1, role: Role = Role.ENGINEER) -> tuple[int, dict[str, Any]]:
    body = {"ticket": ticket, "reason": "a thermometer was added", "expected": expected}
    answer = await site.clients[role].post("/api/v1/config/apply", json=body)
    return answer.status_code, answer.json()


def workbook(lines: list[str]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "位号"
    for line in lines:
        page.append([float(cell) if cell.replace(".", "").isdigit() else cell or None for cell in line.split(",")])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


async def test_a_list_is_looked_at_applied_and_undone(site: Site) -> None:
    found = await look(site, workbook([HEAD, NEW, FLOW.replace(",2,", ",6,")]), "list.xlsx")
    assert (found["ok"], found["import"]["mistakes"]) == (True, [])
    assert found["import"]["count"] == {"added": 1, "removed": 0, "changed": 1, "unchanged": 1}
    checked = found["checked"]
    parts = {(part["part"], part["name"]): part["keys"] for part in checked["parts"]}
    assert parts[("tag", "TK.flow")] == ["address"]
    assert ("tag", "TK.temp") in parts
    assert checked["restarted"] == ["plc"]
    assert {change["rule"] for change in checked["changes"]} >= {"TK.temp.H", "TK.temp.STALE"}
    assert "TK.temp" not in site.house.site.tags.row_of, "looking changes nothing"

    status, done = await apply(site, found["ticket"])
    assert (status, done["revision"]) == (200, 2)
    assert done["applied"]["who"] == "the-engineer"
    assert done["applied"]["count_others"] == 2
    assert "TK.temp" in site.house.site.tags.row_of
    state = (await site.clients[Role.VIEWER].get("/api/v1/config")).json()
    assert [(table["path"], table["is_on_top"]) for table in state["tables"]] == [("tags.csv", True)]

    stale, told = await apply(site, found["ticket"])
    assert (stale, told["error"]["code"], told["error"]["details"]["since"][0]["number"]) == (409, "stale", 2)

    again = await look(site, workbook([HEAD, NEW, FLOW.replace(",2,", ",6,")]), "list.xlsx")
    assert (again["ok"], again["import"]["count"]["unchanged"]) == (False, 3)

    status, undone = await site.post("revisions/1/undo", {"reason": "not yet", "expected": 2})
    assert (status, undone["revision"]) == (200, 3)
    assert "TK.temp" not in site.house.site.tags.row_of
    assert [each["count_others"] for each in (await site.get("/revisions"))["revisions"]] == [2, 2, 0]


async def test_every_wrong_cell_is_told_by_sheet_row_and_column_in_both_languages(site: Site) -> None:
    wrong = [HEAD, NEW.replace(",plc,", ",plk,"), NEW.replace("TK.temp", "TK.x").replace("float32", "flot32"), NEW]
    found = await look(site, workbook(wrong), "list.xlsx")

    assert (found["ok"], found["ticket"]) == (False, None)
    told = {(each["line"], each["path"]): each for each in found["import"]["mistakes"]}
    assert set(told) == {(2, "source"), (3, "type"), (4, "tag")}
    assert {each["file"] for each in told.values()} == {"list.xlsx[位号]"}
    assert told[2, "source"]["sentence"] == 'Tag TK.temp: source "plk" does not exist.'
    assert told[2, "source"]["zh"] == '位号 TK.temp:数据源 "plk" 不存在。'
    assert told[2, "source"]["remedy_zh"] == "是否为“plc”?"
    assert told[3, "type"]["zh"].startswith('位号 TK.x:数据类型填写为 "flot32",只能是:')
    assert all(each["remedy_zh"] for each in told.values())
    assert told[4, "tag"]["zh"] == "位号 TK.temp:位号重复,list.xlsx[位号]:2 已有同名行。"


async def test_what_is_exported_comes_back_without_a_difference(site: Site) -> None:
    for form in ("csv", "xlsx"):
        for lang in ("en", "zh"):
            asked = {"form": form, "lang": lang}
            answer = await site.clients[Role.ENGINEER].get("/api/v1/config/export", params=asked)
            assert answer.headers["content-disposition"] == f'attachment; filename="site-1.{form}"'
            found = await look(site, answer.content, f"back.{form}")
            assert found["import"]["count"] == {"added": 0, "removed": 0, "changed": 0, "unchanged": 2}, (form, lang)
    table = await site.clients[Role.ENGINEER].get("/api/v1/config/table", params={"path": "tags.csv"})
    assert table.text == TAGS


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.SAFETY_OFFICER, Role.REGULATOR])
async def test_only_engineers_and_administrators_may(site: Site, role: Role) -> None:
    client = site.clients[role]
    answers = [
        await client.post("/api/v1/config/look", params={"into": "tags.csv", "name": "l.csv"}, content=b""),
        await client.post("/api/v1/config/apply", json={"ticket": "x", "reason": "r", "expected": 1}),
        await client.get("/api/v1/config/export"),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert (await client.get("/api/v1/config")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        ({"into": "site.toml", "name": "l.csv"}, 422, "no table of the site"),
        ({"into": "../etc/passwd", "name": "l.csv"}, 422, "no table of the site"),
        ({"into": "tags.csv", "name": "l.exe"}, 422, "ends with .csv"),
        ({"into": "tags.csv", "name": "../../l.csv"}, 200, ""),
        ({"into": "tags.csv", "name": "l.csv", "order": "ABBA"}, 422, ""),
    ],
)
async def test_hostile_names_get_nowhere(site: Site, asked: dict[str, str], status: int, word: str) -> None:
    answer = await site.clients[Role.ENGINEER].post("/api/v1/config/look", params=asked, content=TAGS.encode())
    assert answer.status_code == status
    assert word in answer.text
