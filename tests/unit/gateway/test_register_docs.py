"""docs/register.md says of each ledger what is there, and what is there is looked at here."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerting.model.rule import RuleTable
from alerting.register.field import Choice, Field, Kind, Surroundings, Values
from alerting.register.ledger import Ledger, read_row
from alerting.register.ledgers import LEDGERS
from edge.clock_manual import ManualClock
from edge.model import TagTable
from gateway.api.app import make_app
from gateway.api.small_house import SmallHouse
from gateway.config import Site
from gateway.register import sheets
from gateway.register.record import Record
from gateway.store.engine import open_store
from tests.integration.test_register_api import WRONG

COLUMNS = ("API", "page zh/en", "import", "export", "refusals", "tests", "audit")
CJK = re.compile("[\u3400-\u9fff]")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_store(f"sqlite:///{tmp_path}/register.db")
    yield made
    made.dispose()


def right(field: Field) -> object:
    """Give a right value of a field."""
    of_kind: dict[Kind, object] = {
        Kind.CODE: "A-1", Kind.NUMBER: 1.5, Kind.WHOLE: 2, Kind.DATE: "2020-02-29", Kind.FLAG: True,
        Kind.PHONE: "0512-60000000", Kind.CAS: "67-56-1", Kind.RECORD: "R-1", Kind.UNIT: "U-1", Kind.TAG: "T.mass",
        Kind.POST: "room", Kind.STEPS: "1 | shut 关阀 | post:room | 5 |  | \n2 | foam | leader | 9 | 1 | yes, no",
        Kind.ALARM: "a1", Kind.RECORDS: "R-1", Kind.MOMENT: "2020-02-29 08:30",
        Kind.LINK: "https://files.plant.example/a.pdf",
        Kind.POINT: "120.100000 30.200000",
        Kind.OUTLINE: "120.100000 30.200000; 120.200000 30.200000; 120.200000 30.300000",
    }  # fmt: skip
    if field.kind is Kind.CHOICE:
        return field.choices[-1].code
    special = {"credit_code": "91350100M000100Y43", "company_code": "320700123", "range_hi": 2.5, "area_m2": 9.5}
    return special.get(field.name) or of_kind.get(field.kind, "文字 text")


def around(ledger: Ledger) -> Surroundings:
    eu = next((field.eu for field in ledger.fields if field.kind is Kind.TAG), "")
    codes = {field.ledger: frozenset({"R-1"}) for field in ledger.fields if field.ledger}
    return Surroundings(
        today=date(2026, 1, 1),
        units=frozenset({"U-1"}),
        tags={"T.mass": eu},
        codes=codes,
        alarms=frozenset({"a1"}),
        posts={"room": ("Control room",)},
        work={"R-1": {"kind": "space", "stage": "working", "from": "2020-02-29T08:00", "title": "文字 text"}},
        points={"R-1": {"factor": "x", "sort": "other", "eu": "文字 text", "own_mac": 2.0}},
    )


def words_of(ledger: Ledger) -> list[tuple[str, str]]:
    said: list[Field | Choice] = [*ledger.fields, *(choice for field in ledger.fields for choice in field.choices)]
    pairs = [tuple(each.title) for each in said] + [tuple(field.help) for field in ledger.fields if field.help]
    return [*pairs, tuple(ledger.title), tuple(ledger.about)]  # type: ignore[list-item] - two each


#: What must fit together: a month's code; an event ends after it began, and names nothing that the site must declare.
FITTING: dict[str, Values] = {
    "resources": {"sort": "material"},
    "gas_tests": {"oxygen_pct": 20.5, "combustible_pct": 0.5, "lel_pct": 4.0},
    "monthly": {"code": "M-2020-02", "filed_on": "2020-03-02"},
    "large_events": {"until": "2020-02-29 18:30", "roster": "", "escalation": ""},
}


def goes_round(ledger: Ledger, engine: Engine, form: str) -> bool:
    """Write every field as a sheet and read it back."""
    values: Values = {f.name: right(f) for f in ledger.fields if not (f.is_by_act or f.is_derived)}
    if "likelihood" in values:  # Graded by the matrix, which has no exposure and takes whole steps.
        values |= {name: 2.0 for name in values if name.startswith(("likelihood", "severity"))}
        values = {name: value for name, value in values.items() if not name.startswith("exposure")}
    if ledger.id == "holdings":
        values |= {"named": "methanol"}
    values |= FITTING.get(ledger.id, {})
    if ledger.id == "tickets":  # What was cancelled may say anything; its times follow each other.
        values |= {"kind": "height", "level": "", "until": "2020-02-29 18:30", "retest_minutes": ""}
    if ledger.id == "documents":  # It has an end or none.
        del values["is_endless"]
    if ledger.id == "contacts":
        values |= {"second_phone": "0512-60000001"}
    if ledger.id == "equipment":  # Each tag stands once.
        del values["second_tag"], values["third_tag"]
    if ledger.id == "commitments":  # One a day; what runs is no more than there is.
        values |= {"code": "SC-20200229", "units_total": 4}
    if ledger.acts:
        values |= {"state": ledger.begins}
    row = read_row(ledger, values, around(ledger))
    assert row.wrongs == ()
    values = row.values
    one = Record(
        seq=1, id="x", ledger=ledger.id, code="A-1", title="", unit="", revision=1, time_ns=1, who="", values=values,
        is_removed=False,
    )  # fmt: skip
    for language in ("en", "zh"):
        lines = sheets.lines_of(sheets.write(ledger, [one], f"a.{form}", language), f"a.{form}")
        header, cells = lines.lines[0][1], lines.lines[1][1]
        names = {field.heading(language): field.name for field in ledger.fields}
        raw = {names[heading]: cell for heading, cell in zip(header, cells, strict=True)}
        if read_row(ledger, raw, around(ledger)).values != values:
            return False
    return True


def marks(ledger: Ledger, engine: Engine, doors: set[tuple[str, str]]) -> list[bool]:
    at = "/api/v1/register/ledgers/{ledger}"
    needed = {("GET", at), ("POST", at), ("GET", f"{at}/{{record}}"), ("POST", f"{at}/{{record}}")}
    tested = (ROOT / "tests/browser/test_register_page.py").read_text("utf-8")
    speaks = all(
        en and zh and not CJK.search(en) and CJK.search(zh + "口" * zh.isascii()) for en, zh in words_of(ledger)
    )
    return [
        needed <= doors,
        speaks,
        goes_round(ledger, engine, "xlsx") and ("POST", f"{at}/take") in doors,
        goes_round(ledger, engine, "csv") and ("GET", f"{at}/export") in doors,
        any(each[0] == ledger.id for each in WRONG),
        f'"{ledger.id}"' in tested or f"register/{ledger.id}" in tested,
        'enter(li, "' in (ROOT / "tests/integration/test_register_api.py").read_text("utf-8"),
    ]


def test_the_marks_are_what_is_there(engine: Engine, house_doors: set[tuple[str, str]]) -> None:
    text = (ROOT / "docs/register.md").read_text("utf-8")
    table = text.split("<!-- marks -->\n")[1].split("<!-- /marks -->")[0].splitlines()
    assert table[0] == f"| ledger | {' | '.join(COLUMNS)} |"
    rows = {line.split("|")[1].strip(): [cell.strip() == "✓" for cell in line.split("|")[2:-1]] for line in table[2:]}
    there = {f"{one.id} · {one.title.en} · {one.title.zh}": marks(one, engine, house_doors) for one in LEDGERS.values()}
    said = {name: cells for name, cells in rows.items() if any(cells)}
    assert said == there


@pytest.fixture
def house_doors(engine: Engine) -> set[tuple[str, str]]:
    tags = TagTable([])
    site = Site(id="s", title={}, timezone="UTC", sources=(), tags=tags, units=(), rules=RuleTable([], tags))
    app = make_app(SmallHouse(site=site, engine=engine, clock=ManualClock()))
    return {(door.method, door.path) for door in app.doors.declared}
