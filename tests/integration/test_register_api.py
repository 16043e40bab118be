"""The register's ledgers over the API: right values, every refusal, history, search, lists in and out, roles, audit."""

import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import Connection, Engine, event, select, text

from alerting.model.rule import RuleTable
from alerting.model.unit import HazardUnit
from alerting.roster.plan import Post, RosterPlan
from edge.clock_manual import ManualClock
from edge.model import Tag, TagTable
from gateway.api import make_app
from gateway.api.small_house import SmallHouse
from gateway.auth import add_user
from gateway.config import Site
from gateway.register import reading, risks, search
from gateway.register.reading import Wanted
from gateway.report.gather import gather
from gateway.report.period import period_of
from gateway.store import schema
from gateway.store.engine import open_store

PASSWORD = "correct horse battery"
AT = "/api/v1/register/ledgers"
PLANT = {"code": "E1", "name": "Hai'an Chemicals 海安化工", "credit_code": "91350100M000100Y43"}
UNIT = {
    "code": "TK-1",
    "name": "氯气储罐区 Chlorine store",
    "unit": "U-1",
    "enterprise": "E1",
    "type": "storage",
    "persons_outside": 120,
}
CHLORINE = {
    "code": "TK-1-CL2",
    "dossier": "TK-1",
    "substance": "氯 chlorine",
    "cas": "7782-50-5",
    "named": "chlorine",
    "design_t": 60,
    "live_tag": "TK-1.mass",
}


#: A PNG of one pixel.
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HAZARD = {
    "code": "H1",
    "title": "液位计冻结 frozen gauge",
    "dossier": "TK-1",
    "source": "daily",
    "found_on": "2025-12-30",
}
INSPECTION = {
    "code": "I1",
    "title": "罐区巡查 tank farm patrol",
    "content": "seals, bund, gauges",
    "sort": "patrol",
    "first_due": "2026-01-01",
    "every": 1,
    "cycle": "days",
    "responsible": "op",
}
COPY = {
    "code": "CP1",
    "hazard": "H1",
    "asked": "清理占道 clear the road",
    "department": "城管局",
    "sent_on": "2025-12-31",
    "due": "2026-01-05",
}
#: At 08:00 of 2026-01-01 in Shanghai, which is now.
TICKET = {
    "code": "W1",
    "title": "管廊动火 weld on the rack",
    "kind": "hot",
    "level": "first",
    "stage": "working",
    "place": "rack 3",
    "applicant": "甲",
    "approved_by": "乙",
    "guardian": "丙",
    "from": "2026-01-01 08:00",
    "until": "2026-01-01 16:00",
    "gas_at": "2026-01-01 07:30",
    "gas_ok": "yes",
    "begun_at": "2026-01-01 08:00",
}
GAS_TEST = {
    "code": "G1", "ticket": "W1", "at": "2026-01-01 08:00", "by": "丁", "combustible_pct": 0.1, "gas_ok": "yes",
}  # fmt: skip
INSTRUMENT: dict[str, Any] = {
    "code": "LT-1", "name": "液位计 radar gauge", "sort": "level", "tag": "TK-1.level", "unit": "U-1", "range_lo": 0,
    "range_hi": 6, "eu": "m", "certificate": "JZ-1", "calibrated_on": "2025-01-02", "calibrated_until": "2026-01-01",
    "proof_months": 12, "proofed_on": "2025-01-31", "interlock": "关闭进料阀 closes the inlet", "responsible": "op",
}  # fmt: skip
ZONE: dict[str, Any] = {
    "code": "Z1", "name": "观景平台 deck", "sort": "deck", "tag": "TK-1.mass", "area_m2": 2000, "space_m2": 4,
    "space_basis": "the site's own rule", "open_h": 9, "stay_h": 2, "load_persons": 200,
}  # fmt: skip
CONTACT = {
    "code": "CO-1",
    "name": "海安市人民医院 hospital",
    "sort": "organisation",
    "role": "medical",
    "phone": "0513-88880120",
}
AROUND = {
    "code": "SU-1", "name": "海安新村 homes", "dossier": "TK-1", "sort": "homes", "side": "ne", "distance_m": 320,
    "persons": 90, "counted_on": "2025-11-01",
}  # fmt: skip
EQUIPMENT: dict[str, Any] = {
    "code": "EQ-1", "name": "氯气缓冲罐 buffer vessel", "sort": "vessel", "dossier": "TK-1", "unit": "U-1",
    "maker": "海安容器厂", "model": "V-10", "commissioned_on": "2020-05-01", "volume_m3": 10, "design_mpa": 1.6,
    "work_mpa": 0.8, "special": "vessel", "certificate": "容3LC0001", "inspected_on": "2023-02-01",
    "inspected_until": "2026-02-01", "tag": "TK-1.level", "responsible": "op",
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "code": "D-1", "title": "危化品经营许可证 licence", "sort": "licence", "enterprise": "E1", "number": "X-1",
    "issued_on": "2023-03-01", "valid_until": "2026-02-28", "link": "https://files.plant.example/d1.pdf",
    "responsible": "li",
}  # fmt: skip
TIP = {
    "code": "T-1", "title": "夜间违规动火 welding at night without a ticket", "sort": "violation", "way": "hotline",
    "received_on": "2025-12-30", "content": "三号管廊每晚补焊 each night at rack 3", "place": "rack 3",
}  # fmt: skip
CELL = {"code": "G-1", "name": "北区网格 north", "owner": "op"}
CAMPAIGN = {"code": "CA-1", "title": "全覆盖 every unit", "span": "quarter", "from": "2025-11-15", "responsible": "li"}
EVENT: dict[str, Any] = {
    "code": "EV-1", "name": "元宵灯会 Lantern festival", "organiser": "文旅公司", "contact": "周安全", "zones": "Z1",
    "from": "2026-02-01 18:00", "until": "2026-02-01 22:00", "approved": 200,
}  # fmt: skip
POINT: dict[str, Any] = {
    "code": "OP-1", "place": "氨机房 ammonia plant", "dossier": "TK-1", "unit": "U-1", "sort": "chemical",
    "factor": "氨", "cas": "7664-41-7", "eu": "mg/m³", "posts": "制冷操作工 operator", "persons": 6,
    "first_due": "2026-01-31", "every": 1, "cycle": "years", "sign": "yes", "sign_due": "2026-03-01",
    "notice_due": "2026-06-30", "responsible": "op",
}  # fmt: skip
SAMPLE: dict[str, Any] = {
    "code": "S-1", "point": "OP-1", "on": "2025-12-30", "kind": "twa", "value": 12.5, "eu": "mg/m³",
    "institution": "海安职卫检测 lab", "report": "ZW-2025-118",
}  # fmt: skip
CHECK = {"code": "C1", "inspection": "I1", "on": "2025-12-30", "by": "op", "result": "normal"}
MONTHLY = {"code": "M-2025-12", "title": "十二月 December", "punished": 3, "banned": 1}
COMMITMENT = {
    "code": "SC-20260101",
    "day": "2026-01-01",
    "title": "安全承诺公告 Safety commitment",
    "head": "王总",
    "text": "今日装置运行正常，各项措施已落实 All measures are in place.",
}
ROUTINE = {"code": "R1", "title": "月度演练 monthly drill", "sort": "drill", "first_due": "2026-01-15"}
PLAN = {
    "way": "by_deadline",
    "responsible": "op",
    "measures": "replace the gauge",
    "deadline": "2026-01-20",
    "funds_yuan": 8000,
    "emergency_plan": "dip the tank each hour",
}

EMERGENCY: dict[str, Any] = {
    "code": "EP-1", "name": "泄漏处置 leak", "sort": "site", "accident": "26", "tier": "ORANGE", "grade": "3",
    "steps": "1 | shut 关阀 | post:room | 5\n2 | spill? | leader | 5 | 1 | yes, no\n3 | foam | person:op | 9 | 2=yes",
}  # fmt: skip
CARD: dict[str, Any] = {
    "code": "CARD-1", "name": "中控室卡 control room", "post": "room", "accident": "26", "tier": "YELLOW",
    "steps": "shut the valve\ntell the leader", "responsible": "赵强", "inside_phone": "0512-6000 0000",
    "outside_phone": "119",
}  # fmt: skip
LESSON = {
    "code": "L-1", "title": "tags of the valves", "measure": "new plates", "responsible": "op",
    "learned_on": "2025-12-31", "due": "2026-01-20",
}  # fmt: skip


RESOURCE: dict[str, Any] = {
    "code": "T-1", "name": "专职消防队 fire brigade", "sort": "team", "person": "周队长", "phone": "0512-60000001",
    "position": "120.01 30", "persons": 12,
}  # fmt: skip
ANALYSED = {"code": "A1", "risk_unit": "RU-1", "consequences": "release"}
RISK_ROWS: dict[str, dict[str, Any]] = {
    "risk_units": {
        "code": "RU-1", "name": "tanks", "dossier": "TK-1", "place": "storage", "department": "store", "liable": "li",
    },
    "risk_events": {
        "code": "RE-1", "risk_unit": "RU-1", "name": "release", "accident": "26", "consequences": "poisoning",
        "method": "matrix", "likelihood_inherent": 5, "severity_inherent": 5, "likelihood": 2, "severity": 5,
        "graded_on": "2025-12-01", "graded_by": "team",
    },
    "control_measures": {
        "code": "CM-1", "event": "RE-1", "measure": "trip", "source": "1", "tag": "TK-1.level", "class": "1",
        "kind": "1-4",
    },
    "hazop": {
        **ANALYSED, "node": "N1", "parameter": "level", "guide_word": "more", "deviation": "high level", "causes": "x",
    },
    "jha": {**ANALYSED, "job": "unloading", "step": "couple the hose", "hazard": "hose leaks"},
    "scl": {**ANALYSED, "equipment": "TK-1", "item": "vent", "standard": "open"},
}  # fmt: skip

#: What makes of the control measure one that people inspect, each day.
INSPECTED: dict[str, Any] = {
    "source": "2", "tag": "", "class": "2", "kind": "2-2", "measure": "围堰完好 bund is whole",
    "check": "cracks, drain shut", "liable": "op", "every": 1, "cycle": "days", "first_due": "2026-01-01",
}  # fmt: skip


class Desk:
    """A gateway with one safety officer, one operator, and two hands for the officer."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = open_store(f"sqlite:///{folder}/register.db")
        self.clock = ManualClock()
        tags = TagTable(
            [
                Tag(name="TK-1.mass", source="plc", unit="U-1", eu="t"),
                Tag(name="TK-1.level", source="plc", unit="U-1", eu="m"),
            ]
        )
        site = Site(
            id="demo",
            title={"en": "Demo"},
            timezone="Asia/Shanghai",
            sources=(),
            tags=tags,
            units=(HazardUnit(id="U-1", grade=2),),
            data=folder,
            rules=RuleTable([], tags),
            roster=RosterPlan(posts=(Post(id="room", title={"en": "Control room", "zh": "中控室"}, shifts=()),)),
        )
        self.house = SmallHouse(site=site, engine=self.engine, clock=self.clock)
        self.app = make_app(self.house, dist=folder / "dist")
        for name, role in (("li", "safety_officer"), ("op", "operator"), ("wang", "safety_officer")):
            add_user(self.engine, self.clock, name, role, PASSWORD)
        self.browsers: list[httpx.AsyncClient] = []

    async def come(self, name: str) -> httpx.AsyncClient:
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://gateway",
            headers={"X-Fengsui-Request": "1"},
        )
        self.browsers.append(made)
        answer = await made.post("/api/v1/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200
        return made

    def acts(self) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            rows = connection.execute(select(schema.journal.c.body).order_by(schema.journal.c.number))
            return [json.loads(row.body) for row in rows]

    def live(self, tag: str, value: float) -> None:
        row = self.house.site.tags.row_of[tag]
        self.house.picture.values[row] = value
        self.house.picture.quality[row] = 0
        self.house.picture.times_ns[row] = self.clock.wall_ns()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for browser in made.browsers:
        await browser.aclose()
    made.engine.dispose()


async def enter(li: httpx.AsyncClient, ledger: str, values: dict[str, Any]) -> dict[str, Any]:
    made = await li.post(f"{AT}/{ledger}", json={"values": values, "reason": "first entry"})
    assert made.status_code == 200, made.text
    record: dict[str, Any] = made.json()["record"]
    return record


async def fill(li: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {
        "enterprise": await enter(li, "enterprises", PLANT),
        "unit": await enter(li, "units", UNIT),
        "holding": await enter(li, "holdings", CHLORINE),
    }


def sheet_of(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def test_a_record_is_made_changed_removed_restored_and_every_step_stays(desk: Desk) -> None:
    li = await desk.come("li")
    made = (await fill(li))["unit"]
    at = f"{AT}/units/{made['id']}"

    changed = await li.post(
        at, json={"values": {**UNIT, "persons_outside": 30}, "revision": 1, "reason": "counted anew"}
    )
    assert changed.json()["record"]["revision"] == 2
    await li.post(
        f"{AT}/holdings/{(await li.get(f'{AT}/holdings')).json()['records'][0]['id']}/remove",
        json={"revision": 1, "reason": "emptied"},
    )
    gone = await li.post(f"{at}/remove", json={"revision": 2, "reason": "torn down"})
    assert gone.json()["record"]["is_removed"]
    assert (await li.get(f"{AT}/units")).json()["records"] == []
    assert [one["code"] for one in (await li.get(f"{AT}/units", params={"removed": True})).json()["records"]] == [
        "TK-1"
    ]
    back = await li.post(f"{at}/restore", json={"revision": 3, "reason": "it stands after all"})
    assert back.json()["record"]["values"]["persons_outside"] == 30

    told = (await li.get(at)).json()
    assert [(one["what"], one["reason"], one["values"]["persons_outside"]) for one in told["revisions"]] == [
        ("restored", "it stands after all", 30),
        ("removed", "torn down", 30),
        ("changed", "counted anew", 30),
        ("made", "first entry", 120),
    ]
    acts = [(act["action"], act["who"], act["reason"]) for act in desk.acts() if act["action"].startswith("record_")]
    assert acts[-4:] == [
        ("record_changed", "li", "counted anew"),
        ("record_removed", "li", "emptied"),
        ("record_removed", "li", "torn down"),
        ("record_restored", "li", "it stands after all"),
    ]


async def test_of_two_who_edit_the_second_is_told_and_nothing_of_the_first_is_lost(desk: Desk) -> None:
    li, wang = await desk.come("li"), await desk.come("wang")
    at = f"{AT}/units/{(await fill(li))['unit']['id']}"
    assert (
        await li.post(at, json={"values": {**UNIT, "note": "by li"}, "revision": 1, "reason": "a"})
    ).status_code == 200

    late = await wang.post(at, json={"values": {**UNIT, "note": "by wang"}, "revision": 1, "reason": "b"})

    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    details = late.json()["error"]["details"]
    assert "li" in details["zh"]
    assert details["more"]["values"]["note"] == "by li"
    assert (await li.get(at)).json()["record"]["values"]["note"] == "by li"


#: Ledger, what is wrong of its right values, which field is told, a part of the rule.
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("holdings", {"cas": "7782-50-6"}, "cas", "check digit is 6 and would be 5"),
    ("holdings", {"cas": "7664-41-7"}, "cas", "table 1 is 7782-50-5"),
    ("holdings", {"named": "unobtainium"}, "named", "none of the words"),
    ("holdings", {"named": ""}, "named", "stands in table 1"),
    ("holdings", {"named": "", "cas": "", "substance": "x"}, "hazard_class", "no critical quantity"),
    ("holdings", {"named": "methanol", "cas": "67-56-1"}, "hazard_class", "beta is that of its class"),
    ("holdings", {"design_t": "60000 kg"}, "design_t", 'it is in "kg"; this field is in t'),
    ("holdings", {"design_t": "sixty"}, "design_t", "no number"),
    ("holdings", {"design_t": "nan"}, "design_t", "no number"),
    ("holdings", {"design_t": -1}, "design_t", "lies outside"),
    ("holdings", {"dossier": "TK-9"}, "dossier", "no such record"),
    ("holdings", {"live_tag": "TK-1.level"}, "live_tag", 'the tag is in "m"'),
    ("holdings", {"live_tag": "TK-9.mass"}, "live_tag", "no such tag"),
    ("holdings", {"code": ""}, "code", "missing"),
    ("holdings", {"code": "<script>"}, "code", "a code has"),
    ("holdings", {"colour": "red"}, "colour", "no such field"),
    ("units", {"persons_outside": 1.5}, "persons_outside", "whole number"),
    ("units", {"unit": "U-7"}, "unit", "no such hazard unit"),
    ("units", {"type": "castle"}, "type", "none of the words"),
    ("units", {"filed_on": "2099-01-01"}, "filed_on", "after today"),
    ("units", {"filed_on": "2020-13-01"}, "filed_on", "no day"),
    ("units", {"filed_on": "2020-05-01", "filed_until": "2019-05-01"}, "filed_until", "end before it began"),
    ("units", {"filing_number": "X1"}, "filed_on", "has a day"),
    ("units", {"closed_on": "2020-05-01"}, "closed_reason", "has a reason"),
    ("enterprises", {"company_code": "12345678"}, "company_code", "has 9 digits"),
    ("inspections", {"task_number": 3}, "task_number", "only tasks of the three"),
    ("inspections", {"duty": "main", "task_number": 10}, "task_number", "numbered 1 to 9"),
    ("units", {"main_phone": "call me"}, "main_phone", "no telephone number"),
    ("monthly", {}, "code", "M- and the month"),
    ("monthly", {"code": "M-2026-02"}, "code", "has not begun"),
    ("monthly", {"deduct_tasks": 51}, "deduct_tasks", "lies outside"),
    ("commitments", {"code": "SC-1"}, "code", "one commitment"),
    ("commitments", {"day": "2026-06-01"}, "day", "after today"),
    ("commitments", {"units_total": 3, "units_running": 3, "units_stopped": 1}, "units_running", "of 3 units"),
    ("commitments", {"height": -1}, "height", "lies outside"),
    ("commitments", {"code": "SC-20260101", "state": "signed"}, "state", "by an act"),
    ("hidden_hazards", {"found_on": "2026-06-01"}, "found_on", "after today"),
    ("hidden_hazards", {"source": "rumour"}, "source", "none of the words"),
    ("hidden_hazards", {"alarm": "0123456789abcdef"}, "alarm", "no such alarm"),
    ("routines", {"every": 1}, "cycle", "a number and its unit"),
    ("routines", {"every": 0, "cycle": "months"}, "every", "lies outside"),
    ("routines", {"first_due": ""}, "first_due", "missing"),
    ("routines", {"due": "2026-01-02"}, "due", "filled in by an act"),
    ("inspections", {"every": ""}, "every", "missing"),
    ("inspections", {"content": ""}, "content", "missing"),
    ("inspections", {"on": "sundays"}, "on", "none of the words"),
    ("inspections", {"last_by": "li"}, "last_by", "filled in by an act"),
    ("checks", {"inspection": "I9"}, "inspection", "no such record"),
    ("checks", {"result": "fine"}, "result", "none of the words"),
    ("checks", {"on": "2026-05-01"}, "on", "after today"),
    ("tickets", {"level": ""}, "level", "has a level"),
    ("tickets", {"kind": "soil"}, "level", "only hot work"),
    ("tickets", {"from": "yesterday"}, "from", "no day and time"),
    ("tickets", {"until": "2026-01-01 06:00"}, "until", "end before it began"),
    ("tickets", {"until": "2026-01-01 16:01"}, "until", "for 8 h at most"),
    ("tickets", {"approved_by": ""}, "approved_by", "nobody has approved"),
    ("tickets", {"approved_by": "甲"}, "approved_by", "may not approve"),
    ("tickets", {"begun_at": ""}, "begun_at", "has begun"),
    ("tickets", {"begun_at": "2026-01-01 07:59"}, "begun_at", "outside the time"),
    ("tickets", {"begun_at": "2026-01-01 08:01"}, "begun_at", "after now"),
    ("tickets", {"guardian": ""}, "guardian", "has a guardian"),
    ("tickets", {"gas_at": ""}, "gas_at", "begins with a gas test"),
    ("tickets", {"gas_at": "2026-01-01 07:29"}, "gas_at", "31 min before"),
    ("tickets", {"gas_ok": "no"}, "gas_ok", "not passed"),
    ("tickets", {"kind": "space", "level": ""}, "oxygen_pct", "oxygen measured"),
    ("tickets", {"kind": "space", "level": "", "oxygen_pct": 19.4}, "oxygen_pct", "outside 19.5"),
    ("tickets", {"stage": "closed"}, "ended_at", "has ended"),
    ("tickets", {"stage": "closed", "ended_at": "2026-01-01 07:30"}, "ended_at", "ended before"),
    ("tickets", {"retest_minutes": 4}, "retest_minutes", "outside 5"),
    ("tickets", {"level": "special", "retest_minutes": 121}, "retest_minutes", "every 120 min"),
    ("tickets", {"kind": "soil", "level": "", "retest_minutes": 60}, "retest_minutes", "no gas test"),
    ("tickets", {"stage": "paused"}, "paused_at", "break has begun"),
    ("tickets", {"paused_at": "2026-01-01 08:00"}, "resumed_at", "says since when"),
    ("tickets", {"resumed_at": "2026-01-01 08:00"}, "paused_at", "interrupted before"),
    ("gas_tests", {"ticket": "W9"}, "ticket", "no such record"),
    ("gas_tests", {"at": "2026-01-01 08:01"}, "at", "after now"),
    ("gas_tests", {"at": "2026-01-01 07:29"}, "at", "30 min before the time"),
    ("gas_tests", {"combustible_pct": ""}, "combustible_pct", "combustible gas measured"),
    ("gas_tests", {"combustible_pct": 0.21}, "combustible_pct", "more than 0.2 %VOL"),
    ("gas_tests", {"combustible_pct": 0.51, "lel_pct": 4}, "combustible_pct", "more than 0.5 %VOL"),
    ("gas_tests", {"combustible_pct": "10 %LEL"}, "combustible_pct", 'it is in "%LEL"'),
    ("gas_tests", {"gas_ok": ""}, "gas_ok", "missing"),
    ("crowd_zones", {"load_persons": ""}, "load_persons", "bears only so many"),
    ("crowd_zones", {"space_m2": 2001}, "space_m2", "more than the whole area"),
    ("crowd_zones", {"area_m2": "2000 m2"}, "area_m2", 'it is in "m2"'),
    ("crowd_zones", {"stay_h": 0}, "stay_h", "lies outside"),
    ("crowd_zones", {"space_basis": ""}, "space_basis", "missing"),
    ("large_events", {"until": "2026-02-01 18:00"}, "until", "end before it began"),
    ("large_events", {"zones": "Z1; Z9"}, "zones", "no such record"),
    ("large_events", {"approved": 201}, "approved", "more persons than its zones take"),
    ("large_events", {"roster": "festival"}, "roster", "no such roster"),
    ("large_events", {"escalation": "crowd"}, "escalation", "no such escalation"),
    ("large_events", {"filing_number": "7"}, "filing_number", "filled in by an act"),
    ("instruments", {"range_hi": ""}, "range_hi", "two ends"),
    ("instruments", {"range_hi": 0}, "range_hi", "below its beginning"),
    ("instruments", {"eu": ""}, "eu", "has a unit"),
    ("instruments", {"eu": "mm"}, "eu", 'the tag is in "m"'),
    ("instruments", {"tag": "TK-9.level"}, "tag", "no such tag"),
    ("instruments", {"calibrated_on": ""}, "calibrated_on", "has a day"),
    ("instruments", {"calibrated_until": "2025-01-01"}, "calibrated_until", "end before it began"),
    ("instruments", {"proofed_on": ""}, "proofed_on", "counted from a day"),
    ("instruments", {"interlock": "", "interlock_tag": "TK-1.mass"}, "interlock", "says what it trips"),
    ("instruments", {"interlock": "", "level": "sil2"}, "interlock", "one of an interlock"),
    ("instruments", {"bypass_until": "2026-02-01"}, "bypass_until", "filled in by an act"),
    ("contacts", {"phone": ""}, "phone", "missing"),
    ("contacts", {"phone": "the usual"}, "phone", "no telephone number"),
    ("contacts", {"second_phone": "0513-88880120"}, "second_phone", "stands above"),
    ("contacts", {"role": "friend"}, "role", "none of the words"),
    ("surroundings", {"persons": ""}, "persons", "nobody says how many"),
    ("surroundings", {"counted_on": ""}, "counted_on", "has a day"),
    ("surroundings", {"distance_m": "0.3 km"}, "distance_m", 'it is in "km"'),
    ("surroundings", {"contact": "CO-9"}, "contact", "no such record"),
    ("equipment", {"special": ""}, "special", "is special equipment"),
    ("equipment", {"certificate": ""}, "certificate", "is registered"),
    ("equipment", {"inspected_until": ""}, "inspected_until", "by a day"),
    ("equipment", {"inspected_until": "2023-01-31"}, "inspected_until", "end before it began"),
    ("equipment", {"work_mpa": 1.7}, "work_mpa", "above what it is designed for"),
    ("equipment", {"design_mpa": "16 bar"}, "design_mpa", 'it is in "bar"'),
    ("equipment", {"second_tag": "TK-1.level"}, "second_tag", "stands twice"),
    ("equipment", {"tag": "TK-9.level"}, "tag", "no such tag"),
    ("equipment", {"commissioned_on": "2026-05-01"}, "commissioned_on", "after today"),
    ("equipment", {"dossier": ""}, "dossier", "missing"),
    ("equipment", {"stop_reason": "x"}, "stop_reason", "filled in by an act"),
    ("documents", {"enterprise": ""}, "enterprise", "belongs to nothing"),
    ("documents", {"valid_until": ""}, "valid_until", "it has an end"),
    ("documents", {"is_endless": "yes"}, "valid_until", "it has an end"),
    ("documents", {"valid_until": "2023-02-28"}, "valid_until", "before it was issued"),
    ("documents", {"sort": "contract"}, "party", "another party"),
    ("documents", {"link": "javascript:alert(1)"}, "link", "begins with none of"),
    ("documents", {"link": "file:///etc/passwd"}, "link", "begins with none of"),
    ("documents", {"link": "https://li:geheim@files.example/x"}, "link", "a name or a password"),
    ("documents", {"link": "https://"}, "link", "no address"),
    ("documents", {"link": "https://a b.example"}, "link", "no address"),
    ("documents", {"link": "https://files.example/" + "x" * 500}, "link", "more than 500"),
    ("documents", {"renewals": 2}, "renewals", "filled in by an act"),
    ("grid_cells", {"owner": ""}, "owner", "missing"),
    ("grid_cells", {"phone": "x"}, "phone", "no telephone number"),
    ("monthly", {"code": "M-2025-12", "filed_on": "2025-12-31"}, "filed_on", "not over"),
    ("monthly", {"code": "M-2025-11", "filed_on": "2025-12-09", "banned": ""}, "banned", "has this count"),
    ("exposure_points", {"cas": "7664-41-8"}, "cas", "check digit"),
    ("exposure_points", {"cas": ""}, "cas", "has a CAS number"),
    ("exposure_points", {"cas": "7782-50-5"}, "cas", "another substance"),
    ("exposure_points", {"eu": "dB(A)"}, "eu", "does not fit"),
    ("exposure_points", {"sort": "noise", "factor": "噪声", "eu": "dB(A)"}, "cas", "no CAS number"),
    ("exposure_points", {"eu": "ppm"}, "own_twa", "no limit is known"),
    ("exposure_points", {"cas": "64-17-5", "factor": "乙醇"}, "own_twa", "no limit is known"),
    ("exposure_points", {"own_twa": 10}, "basis", "has a basis"),
    ("exposure_points", {"own_stel": 10, "basis": "ours"}, "own_stel", "below that of 8 hours"),
    ("exposure_points", {"mac_tag": "TK-1.mass"}, "mac_tag", "no MAC limit"),
    ("exposure_points", {"twa_tag": "TK-1.mass"}, "twa_tag", 'is in "t"'),
    ("exposure_points", {"sign": "no", "sign_due": ""}, "sign_due", "put up"),
    ("exposure_points", {"every": ""}, "every", "missing"),
    ("exposure_points", {"last_on": "2025-01-01"}, "last_on", "filled in by an act"),
    ("exposure_samples", {"point": "OP-9"}, "point", "no such record"),
    ("exposure_samples", {"on": "2026-01-02"}, "on", "after today"),
    ("exposure_samples", {"eu": "ppm"}, "eu", "measured in mg/m³"),
    ("exposure_samples", {"kind": "mac"}, "kind", "no MAC limit"),
    ("exposure_samples", {"value": "12.5 ppm"}, "value", "no number"),
    ("exposure_samples", {"value": -1}, "value", "outside"),
    ("exposure_samples", {"value": 25, "is_below": "yes"}, "value", "tells nothing"),
    ("exposure_samples", {"report": ""}, "report", "missing"),
    ("campaigns", {"span": "week"}, "span", "none of the words"),
    ("campaigns", {"cell": "G-9"}, "cell", "no such record"),
    ("campaigns", {"due": "2026-01-01"}, "due", "filled in by an act"),
    ("inspections", {"sort": "video"}, "stream", "has a camera"),
    ("inspections", {"stream": "rtsp://admin:1234@10.0.0.9/1"}, "stream", "a name or a password"),
    ("tips", {"content": ""}, "content", "missing"),
    ("tips", {"received_on": "2026-01-02"}, "received_on", "after today"),
    ("tips", {"seen_on": "2025-12-31"}, "seen_on", "after it was reported"),
    ("tips", {"way": "dream"}, "way", "none of the words"),
    ("tips", {"reporter": "Zhao"}, "reporter", "no such field"),
    ("tips", {"answer": "x"}, "answer", "filled in by an act"),
    ("hazard_copies", {"hazard": "H9"}, "hazard", "no such record"),
    ("hazard_copies", {"due": "2025-12-30"}, "due", "before it was asked for"),
    ("hazard_copies", {"answer": "done"}, "answer", "filled in by an act"),
    ("risk_units", {"outline": "120.1 30.2; 120.2 30.2"}, "outline", "encloses nothing"),
    ("risk_units", {"place": "castle"}, "place", "none of the words"),
    ("risk_events", {"likelihood": 7}, "likelihood", "no factor of the chosen method"),
    ("risk_events", {"accident": "77"}, "accident", "none of the words"),
    ("control_measures", {"kind": "2-1"}, "kind", "belongs to another class"),
    ("control_measures", {"tag": ""}, "tag", "names its tag"),
    ("control_measures", {"every": 1}, "every", "has no inspection cycle"),
    ("control_measures", {**INSPECTED, "cycle": ""}, "cycle", "a number, its unit, a first day"),
    ("control_measures", {**INSPECTED, "liable": ""}, "liable", "who inspects"),
    ("control_measures", {**INSPECTED, "first_due": ""}, "first_due", "who inspects"),
    ("control_measures", {**INSPECTED, "cycle": "moons"}, "cycle", "none of the words"),
    ("control_measures", {**INSPECTED, "every": 0}, "every", "outside 1"),
    ("control_measures", {"withdrawn_on": "2026-01-02"}, "withdrawn_on", "lies after today"),
    ("inspections", {"of_measure": "yes"}, "of_measure", "filled in by an act"),
    ("hazop", {"guide_word": "maybe"}, "guide_word", "none of the words"),
    ("jha", {"severity": 3}, "method", "no method"),
    ("scl", {"item": ""}, "item", "missing"),
    ("enterprises", {"credit_code": "91350100M000100Y44"}, "credit_code", "no unified social credit code"),
    ("enterprises", {"is_blacklisted": "yes"}, "blacklist_reason", "has a reason"),
    ("enterprises", {"position": "31.3 120.7"}, "position", "nowhere on the earth"),
    ("units", {"position": "BD-09 120.7"}, "position", "longitude and latitude"),
    ("enterprises", {"name": "x" * 201}, "name", "at most 200"),
    ("enterprises", {"name": "a\x1b[2Jb"}, "name", "cannot be printed"),
    ("plans", {"steps": "1 | a | leader | 5 | 2\n2 | b | leader | 5 | 1"}, "steps", "wait for each other: 1 → 2 → 1"),
    (
        "plans",
        {"steps": "1 | a | post:moon | 5\n2 | b | | "},
        "steps",
        "line 2: it has no owner; line 2: it has no time",
    ),
    ("plans", {"steps": "1 | a | person:eve | 5"}, "steps", "nobody is called “eve”"),
    ("plans", {"unit": "U-7"}, "unit", "no such hazard unit"),
    ("plans", {"substance": "7664-41-7"}, "substance", "no unit holds"),
    ("plans", {"tier": ""}, "tier", "missing"),
    ("plans", {"drill_months": 0}, "drill_months", "outside 1 … 36"),
    ("plans", {"drilled_on": "2026-02-01"}, "drilled_on", "lies after today"),
    ("plans", {"approved_on": "2025-01-02", "valid_until": "2025-01-01"}, "valid_until", "before it was approved"),
    ("post_cards", {"post": "moon"}, "post", "no such post"),
    ("post_cards", {"plan": "EP-9"}, "plan", "no such record"),
    ("lessons", {"due": "2025-12-30"}, "due", "before it was learned"),
    ("lessons", {"responsible": ""}, "responsible", "missing"),
    ("lessons", {"incident": 7}, "incident", "filled in by an act"),
    ("resources", {"position": "30.2"}, "position", "longitude and latitude"),
    ("resources", {"position": "30.2 120.1"}, "position", "lies nowhere"),
    ("resources", {"position": "120.1 30.2; 120.2 30.2"}, "position", "longitude and latitude"),
    ("resources", {"phone": ""}, "phone", "missing"),
    ("resources", {"stock": 5}, "stock", "only a material"),
    ("resources", {"sort": "material", "stock": -1}, "stock", "outside 0"),
    ("resources", {"sort": "material", "stock": 5}, "stock_eu", "a stock, its unit and its day"),
    ("resources", {"state": "reserved"}, "state", "filled in by an act"),
    ("resources", {"held": 5}, "held", "filled in by an act"),
]


async def test_what_is_wrong_is_refused_with_field_rule_and_remedy(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    right = {"holdings": CHLORINE, "units": UNIT, "enterprises": PLANT, "hidden_hazards": HAZARD, "routines": ROUTINE}
    right |= {"hazard_copies": COPY, "inspections": INSPECTION, "checks": CHECK, "tickets": TICKET}
    right |= {"instruments": INSTRUMENT, "contacts": CONTACT, "surroundings": AROUND}
    right |= {"equipment": EQUIPMENT, "documents": DOCUMENT, "tips": TIP}
    right |= {"exposure_points": POINT, "exposure_samples": SAMPLE}
    right |= {"grid_cells": CELL, "campaigns": CAMPAIGN, "gas_tests": GAS_TEST}
    right |= {"commitments": COMMITMENT, "monthly": MONTHLY}
    assert (await li.post(f"{AT}/hidden_hazards", json={"values": HAZARD})).status_code == 200
    assert (await li.post(f"{AT}/tickets", json={"values": TICKET})).status_code == 200
    assert (await li.post(f"{AT}/inspections", json={"values": INSPECTION})).status_code == 200
    right |= {
        **RISK_ROWS,
        "crowd_zones": ZONE,
        "large_events": EVENT,
        "plans": EMERGENCY,
        "post_cards": CARD,
        "lessons": LESSON,
        "resources": RESOURCE,
    }
    await enter(li, "crowd_zones", ZONE)
    await enter(li, "exposure_points", POINT)
    for ledger in ("risk_units", "risk_events"):
        await enter(li, ledger, RISK_ROWS[ledger])
    for ledger, wrong, field, part in WRONG:
        values = {**right[ledger], "code": "NEW", **wrong}
        answer = await li.post(f"{AT}/{ledger}", json={"values": values, "reason": "x"})

        assert answer.status_code == 422, (wrong, answer.text)
        wrongs = answer.json()["error"]["details"]["wrongs"]
        assert [one["field"] for one in wrongs] == [field], wrong
        assert part in wrongs[0]["rule"]["en"], wrong
        for language in ("en", "zh"):
            assert wrongs[0]["rule"][language]
            assert wrongs[0]["remedy"][language]
    for ledger in ("holdings", "units", "enterprises"):
        assert len((await li.get(f"{AT}/{ledger}")).json()["records"]) == 1


async def test_coordinates_of_a_dossier_are_kept_in_one_system_by_form_and_by_sheet(desk: Desk) -> None:
    """What the two shifted systems come to is from PyPI prcoords 1.0.2, as in the unit test of coordinates."""
    li = await desk.come("li")
    await fill(li)
    by_form = await enter(li, "units", {**UNIT, "code": "TK-7", "position": "GCJ-02 121.4737 31.2304"})
    shifted = [float(part) for part in by_form["values"]["position"].split()]
    assert shifted == pytest.approx([121.4691623, 31.2323292], abs=3e-6)

    row = "编号,企业名称,位置坐标\nE-7,甲 A,BD-09 116.404 39.915\nE-8,乙 B,121.4691623 31.2323292\n"
    seen = await li.post(f"{AT}/enterprises/look", params={"name": "a.csv"}, content=row.encode())
    assert (seen.json()["new"], seen.json()["mistakes"]) == (2, []), seen.text
    taken = await li.post(f"{AT}/enterprises/take", json={"ticket": seen.json()["ticket"], "reason": "x"})
    assert taken.status_code == 200, taken.text
    kept = {one["code"]: one["values"] for one in (await li.get(f"{AT}/enterprises")).json()["records"]}
    assert [float(part) for part in kept["E-7"]["position"].split()] == pytest.approx(
        [116.3913859, 39.907255], abs=3e-6
    )
    assert kept["E-8"]["position"] == "121.469162 31.232329", "CGCS2000 and WGS 84 are not shifted"


async def test_a_code_is_taken_once_and_what_others_name_cannot_go(desk: Desk) -> None:
    li = await desk.come("li")
    made = await fill(li)

    twice = await li.post(f"{AT}/units", json={"values": UNIT, "reason": ""})
    assert (twice.status_code, twice.json()["error"]["code"]) == (409, "code_taken")
    at = f"{AT}/units/{made['unit']['id']}"
    gone = await li.post(f"{at}/remove", json={"revision": 1, "reason": "x"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "referred_to")
    assert "TK-1-CL2" in gone.json()["error"]["details"]["zh"]
    renamed = await li.post(at, json={"values": {**UNIT, "code": "TK-2"}, "revision": 1, "reason": "x"})
    assert (renamed.status_code, renamed.json()["error"]["code"]) == (409, "referred_to")
    holding = f"{AT}/holdings/{made['holding']['id']}"
    assert (await li.post(f"{holding}/remove", json={"revision": 1, "reason": "x"})).status_code == 200
    assert (await li.post(f"{at}/remove", json={"revision": 1, "reason": "x"})).status_code == 200
    orphan = await li.post(f"{holding}/restore", json={"revision": 2, "reason": "x"})
    assert (orphan.status_code, "TK-1" in orphan.json()["error"]["message"]) == (404, True)


async def act(who: httpx.AsyncClient, record: dict[str, Any], name: str, **values: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    """Do an act on a hidden hazard as it stands now."""
    at = f"{AT}/hidden_hazards/{record['id']}"
    now = (await who.get(at)).json()["record"]
    return await who.post(f"{at}/act", json={"act": name, "values": values, "revision": now["revision"]})


async def refused(answer: httpx.Response) -> list[str]:
    """Give the fields that a refusal names."""
    assert answer.status_code == 422, answer.text
    return [one["field"] for one in answer.json()["error"]["details"]["wrongs"]]


async def test_what_is_overdue_or_bypassed_of_an_instrument_is_said_beside_its_value_counted_and_a_duty(
    desk: Desk,
) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    made = await enter(li, "instruments", INSTRUMENT)
    assert (made["values"]["proof_due"], made["values"]["next_due"]) == ("2026-01-31", "2026-01-01")
    at = "/api/v1/register/instruments"
    told = (await op.get(at)).json()
    assert (told["count"], sum(told["counts"].values())) == (1, 0)  # the last day is in time

    late = {**INSTRUMENT, "calibrated_until": "2025-12-31", "proof_months": 11, "interlock_tag": "TK-1.mass"}
    where = f"{AT}/instruments/{made['id']}"
    assert (await li.post(where, json={"values": late, "revision": 1, "reason": "x"})).status_code == 200
    given = {"bypass_reason": "gauge stuck", "bypass_measures": "dip each hour", "bypass_until": "2026-01-02"}

    async def bypass(who: httpx.AsyncClient, **more: str) -> httpx.Response:
        said = {"act": "bypass", "values": {**given, **more}, "revision": 2, "reason": "stuck"}
        return await who.post(f"{where}/act", json=said)

    assert (await bypass(op, bypass_approver="li")).status_code == 403
    assert await refused(await bypass(li)) == ["bypass_approver"]
    assert await refused(await bypass(li, bypass_approver="li")) == ["bypass_approver"]
    assert await refused(await bypass(li, bypass_approver="wang", bypass_until="2025-12-31")) == ["bypass_until"]
    assert (await bypass(li, bypass_approver="wang")).status_code == 200
    told = (await op.get(at)).json()
    assert told["counts"] == {"calibration": 1, "proof": 1, "bypass": 1, "bypass_over": 0}
    (one,) = told["instruments"]
    assert [(note["what"], note["day"]) for note in one["notes"]] == [
        ("calibration", "2025-12-31"), ("proof", "2025-12-31"), ("bypass", "2026-01-02"),
    ]  # fmt: skip
    assert (one["tag"], one["interlock_tag"]) == ("TK-1.level", "TK-1.mass")
    assert "2026-01-02" in one["notes"][2]["said"]["zh"]
    duties = (await op.get("/api/v1/duties")).json()["duties"]
    assert {(duty["kind"], duty["day"]) for duty in duties} == {
        ("instruments.calibrated_until", "2025-12-31"), ("instruments.proof_due", "2025-12-31"),
        ("instruments.bypass_until", "2026-01-02"),
    }  # fmt: skip
    desk.clock.advance_ns(2 * 86_400 * 10**9)
    li, op = await desk.come("li"), await desk.come("op")
    assert (await op.get(at)).json()["counts"]["bypass_over"] == 1
    done = {"act": "restore", "values": {"restored": "trips at 5.4 m"}, "revision": 3, "reason": "mended"}
    back = (await li.post(f"{where}/act", json=done)).json()["record"]["values"]
    assert (back["state"], back["bypasses"], back["restored_by"], "bypass_until" in back) == ("in_use", 1, "li", False)
    assert (await op.get(at)).json()["counts"] == {"calibration": 1, "proof": 1, "bypass": 0, "bypass_over": 0}
    assert [act["act"] for act in desk.acts() if act["action"] == "record_acted"] == ["bypass", "restore"]


async def test_a_crowd_zone_takes_so_many_and_says_when_more_are_there(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    made = await enter(li, "crowd_zones", ZONE)
    assert [made["values"][name] for name in ("at_once", "in_day", "limited_by")] == [200, 800, "load"]
    at = "/api/v1/register/capacity"
    told = (await op.get(at)).json()
    assert (told["zones"][0]["live"], told["findings"][0]["zh"]) == (None, "观景平台 deck：当前人数未知")
    desk.live("TK-1.mass", 200)
    assert (await op.get(at)).json()["findings"] == []
    desk.live("TK-1.mass", 201)
    told = (await op.get(at)).json()
    assert told["findings"][0]["en"] == "观景平台 deck: 201 persons, and it takes 200"
    assert told["zones"][0]["share_pct"] == 100.5
    assert told["zones"][0]["steps"][0] == "X / Y = 2000 m² / 4 m² = 500"
    await enter(li, "crowd_zones", {**ZONE, "code": "Z2", "sort": "square", "load_persons": "", "tag": ""})
    told = (await op.get(at)).json()
    assert (told["at_once"], told["in_day"], told["is_whole"]) == (700, 2800, True)
    assert "no tag" in told["findings"][1]["en"]


async def test_a_hidden_hazard_goes_round_its_loop_and_a_second_person_closes_it(desk: Desk) -> None:
    li, wang, op = await desk.come("li"), await desk.come("wang"), await desk.come("op")
    await fill(li)
    hazard = await enter(li, "hidden_hazards", HAZARD)
    assert hazard["values"]["state"] == "registered"

    assert await refused(await act(li, hazard, "plan", **PLAN)) == ["state"]
    assert await refused(await act(li, hazard, "class", **{"class": "major"})) == ["criterion"]
    assert await refused(await act(li, hazard, "class", **{"class": "general", "criterion": "12"})) == ["class"]
    assert (await act(li, hazard, "class", **{"class": "major", "criterion": "12"})).status_code == 200
    assert await refused(await act(li, hazard, "plan", **{**PLAN, "funds_yuan": ""})) == ["funds_yuan"]
    assert await refused(await act(li, hazard, "plan", **{**PLAN, "deadline": "2025-12-31"})) == ["deadline"]
    assert await refused(await act(li, hazard, "plan", **{**PLAN, "deadline": ""})) == ["deadline"]
    assert (await act(op, hazard, "plan", **PLAN)).status_code == 403
    assert (await act(li, hazard, "plan", **PLAN)).status_code == 200
    assert await refused(await act(li, hazard, "accept", acceptance="good")) == ["state"]
    assert await refused(await act(li, hazard, "extend", deadline="2026-01-20")) == ["deadline"]
    assert (await act(li, hazard, "extend", deadline="2026-02-10")).status_code == 200
    assert (await act(op, hazard, "rectify", done="a new gauge", cost_yuan=7600)).status_code == 200
    assert await refused(await act(li, hazard, "reject")) == ["acceptance"]
    assert (await act(li, hazard, "reject", acceptance="no proof test")).status_code == 200
    assert (await act(li, hazard, "rectify", done="proof test made")).status_code == 200
    assert await refused(await act(li, hazard, "accept", acceptance="good")) == ["accepted_by"]
    closed = await act(wang, hazard, "accept", acceptance="good")

    values = closed.json()["record"]["values"]
    assert (values["state"], values["rectified_by"], values["accepted_by"], values["extended_by"]) == (
        "closed",
        "li",
        "wang",
        "li",
    )
    assert (values["accepted_on"], values["rejected_by"]) == ("2026-01-01", "li")
    told = (await li.get(f"{AT}/hidden_hazards/{hazard['id']}")).json()
    assert [one["what"] for one in reversed(told["revisions"])] == [
        "made", "class", "plan", "extend", "rectify", "reject", "rectify", "accept",
    ]  # fmt: skip
    shut = await li.post(
        f"{AT}/hidden_hazards/{hazard['id']}",
        json={"values": {**HAZARD, "note": "x"}, "revision": told["record"]["revision"], "reason": "x"},
    )
    assert (shut.status_code, shut.json()["error"]["code"]) == (409, "shut")
    again = (await act(li, hazard, "reopen")).json()["record"]["values"]
    assert (again["state"], "accepted_by" in again, "deadline" in again) == ("classed", False, False)
    acts = [(one["act"], one["who"]) for one in desk.acts() if one["action"] == "record_acted"]
    assert acts[-2:] == [("accept", "wang"), ("reopen", "li")]


async def test_what_only_acts_fill_in_no_form_and_no_list_changes(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    forged = {**HAZARD, "state": "closed", "accepted_by": "li"}
    assert await refused(await li.post(f"{AT}/hidden_hazards", json={"values": forged})) == ["state", "accepted_by"]
    hazard = await enter(li, "hidden_hazards", HAZARD)
    content = (await li.get(f"{AT}/hidden_hazards/export", params={"form": "csv", "lang": "en"})).content
    seen = await li.post(
        f"{AT}/hidden_hazards/look", params={"name": "a.csv"}, content=content.replace(b"registered", b"closed")
    )
    assert [(one["column"], one["value"]) for one in seen.json()["mistakes"]] == [("State", "closed")]
    changed = {"values": {**HAZARD, "note": "seen"}, "revision": 1, "reason": "x"}
    kept = (await li.post(f"{AT}/hidden_hazards/{hazard['id']}", json=changed)).json()["record"]["values"]
    assert (kept["state"], kept["note"]) == ("registered", "seen")


async def test_overdue_is_derived_from_the_day_and_ends_with_the_closing(desk: Desk) -> None:
    li, wang = await desk.come("li"), await desk.come("wang")
    await fill(li)
    hazard = await enter(li, "hidden_hazards", HAZARD)
    other = await enter(li, "hidden_hazards", {**HAZARD, "code": "H2", "title": "other"})
    await act(li, hazard, "class", **{"class": "general"})
    await act(li, hazard, "plan", **PLAN)

    async def listed(state: str, q: str = "") -> list[tuple[str, bool]]:
        found = (await li.get(f"{AT}/hidden_hazards", params={"state": state, "q": q})).json()["records"]
        return [(one["code"], one["is_overdue"]) for one in found]

    assert (await listed("overdue"), len(await listed("open"))) == ([], 2)
    desk.clock.advance_ns(20 * 86_400 * 1_000_000_000)  # 2026-01-21, by the site's clock.
    li, wang = await desk.come("li"), await desk.come("wang")
    assert (await listed("overdue"), await listed("overdue", "冻结")) == ([("H1", True)], [("H1", True)])
    assert (await listed("registered"), await listed("closed")) == ([("H2", False)], [])
    await act(li, hazard, "rectify", done="done")
    await act(wang, hazard, "accept", acceptance="good")
    assert (await listed("overdue"), await listed("closed")) == ([], [("H1", False)])
    assert (await li.get(f"{AT}/hidden_hazards", params={"state": "lost"})).status_code == 422
    assert (await li.get(f"{AT}/units", params={"state": "open"})).status_code == 422
    assert other["values"]["state"] == "registered"


async def test_pictures_lie_beside_a_hidden_hazard_and_nothing_else_does(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    await fill(li)
    hazard = await enter(li, "hidden_hazards", HAZARD)
    at = f"{AT}/hidden_hazards/{hazard['id']}"
    png = base64.b64decode(DOT)

    added = await op.post(f"{at}/photo", params={"shows": "before"}, content=png)
    assert [(one["shows"], one["by"]) for one in added.json()["photos"]] == [("before", "op")]
    again = await op.post(f"{at}/photo", params={"shows": "before"}, content=png)
    assert len(again.json()["photos"]) == 1
    photo = (await li.get(at)).json()["photos"][0]
    kept = await li.get(f"/api/v1/photos/{photo['digest']}")
    assert (kept.content, kept.headers["content-type"]) == (png, "image/png")
    assert "sandbox" in kept.headers["content-security-policy"]
    assert (await op.post(f"{at}/photo", params={"shows": "before"}, content=b"<svg/>")).status_code == 415
    assert (await op.post(f"{at}/photo", params={"shows": "sideways"}, content=png)).status_code == 422
    unit = (await li.get(f"{AT}/units")).json()["records"][0]
    assert (await op.post(f"{AT}/units/{unit['id']}/photo", params={"shows": "after"}, content=png)).status_code == 422
    big = await op.post(f"{at}/photo", params={"shows": "after"}, content=b"\x89PNG" + b"0" * 6 * 2**20)
    assert big.status_code == 413
    told = desk.acts()[-1]
    assert (told["action"], told["photo"], told["shows"]) == ("photo_added", photo["digest"], "before")
    await li.post(f"{at}/remove", json={"revision": 1, "reason": "x"})
    gone = await op.post(f"{at}/photo", params={"shows": "after"}, content=png)
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "removed")


async def test_of_two_who_act_at_once_one_wins(desk: Desk) -> None:
    li, wang = await desk.come("li"), await desk.come("wang")
    await fill(li)
    at = f"{AT}/hidden_hazards/{(await enter(li, 'hidden_hazards', HAZARD))['id']}/act"
    body = {"act": "class", "values": {"class": "general"}, "revision": 1}
    assert (await li.post(at, json=body)).status_code == 200
    late = await wang.post(at, json=body)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert (await li.post(at, json={**body, "act": "burn", "revision": 2})).status_code == 404


async def test_the_worksheet_shows_each_step_and_what_does_not_fit(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    await enter(
        li, "holdings", {"code": "NH3", "dossier": "TK-1", "substance": "ammonia", "named": "ammonia", "design_t": 40}
    )
    desk.live("TK-1.mass", 61.5)

    sheet = (await li.get("/api/v1/register/worksheet", params={"code": "TK-1"})).json()

    assert (sheet["s"], sheet["alpha"], sheet["r"], sheet["grade"]) == (16.0, 2.0, 112.0, 1)
    assert [(line["code"], line["part"], line["live_t"]) for line in sheet["lines"]] == [
        ("NH3", 8.0, None),
        ("TK-1-CL2", 48.0, 61.5),
    ]
    said = {one["what"]: one["said"] for one in sheet["findings"]}
    assert set(said) == {"live_above_design", "site_grade_differs", "not_registered", "persons_missing"}
    assert "61.5 t" in said["live_above_design"]["en"]
    assert "二级" in said["site_grade_differs"]["zh"]
    none = await li.get("/api/v1/register/worksheet", params={"code": "TK-9"})
    assert none.status_code == 404


async def test_a_live_value_that_is_bad_is_no_value(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    sheet = (await li.get("/api/v1/register/worksheet", params={"code": "TK-1"})).json()

    assert (sheet["lines"][0]["live_t"], sheet["r_live"]) == (None, None)
    assert "live_unknown" in {one["what"] for one in sheet["findings"]}


#: What is typed, and whether it finds the chlorine store.
ASKED = [
    ("氯气", True), ("储罐", True), ("罐区", True), ("气储罐", True), ("氯", True), ("lqcg", True), ("CGQ", True),
    ("chlor", True), ("TK-1", True), ("tk 1", True), ("储存单元", True), ("storage", True), ("氯气 store", True),
    ("储气", False), ("液位", False), ("zz", False), ("氯气 ammonia", False), ("!!!", False), ('") OR "1', False),
    ("hydrogen", False),
]  # fmt: skip


async def test_words_of_two_signs_beginnings_and_initials_find(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    for question, finds in ASKED:
        found = (await li.get(f"{AT}/units", params={"q": question})).json()["records"]
        assert [one["code"] for one in found] == (["TK-1"] if finds else []), question


async def test_search_keeps_up_with_changes(desk: Desk) -> None:
    li = await desk.come("li")
    made = (await fill(li))["unit"]
    at = f"{AT}/units/{made['id']}"
    await li.post(at, json={"values": {**UNIT, "name": "液氨球罐"}, "revision": 1, "reason": "renamed"})

    async def found(question: str) -> int:
        return len((await li.get(f"{AT}/units", params={"q": question})).json()["records"])

    assert (await found("氯气"), await found("液氨")) == (0, 1)


async def test_who_may_not_write_may_read(desk: Desk) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    made = (await fill(li))["unit"]

    assert (await op.get(f"{AT}/units/{made['id']}")).status_code == 200
    for path, body in (
        (f"{AT}/units", {"values": {**UNIT, "code": "Z"}, "reason": "x"}),
        (f"{AT}/units/{made['id']}", {"values": UNIT, "revision": 1, "reason": "x"}),
        (f"{AT}/units/{made['id']}/remove", {"revision": 1, "reason": "x"}),
        (f"{AT}/units/take", {"ticket": "x", "reason": "x"}),
    ):
        assert (await op.post(path, json=body)).status_code == 403, path


async def test_a_list_goes_out_and_comes_in_unchanged(desk: Desk) -> None:
    li = await desk.come("li")
    await fill(li)
    for form in ("xlsx", "csv"):
        for language in ("en", "zh"):
            asked = {"form": form, "lang": language}
            for ledger in ("enterprises", "units", "holdings"):
                content = (await li.get(f"{AT}/{ledger}/export", params=asked)).content
                seen = await li.post(f"{AT}/{ledger}/look", params={"name": f"list.{form}"}, content=content)
                told = seen.json()
                assert (told["mistakes"], told["new"], told["changed_count"], told["unchanged"]) == ([], 0, 0, 1), (
                    ledger
                )
                assert told["ticket"] is None


async def test_the_blank_form_names_every_field_with_its_unit(desk: Desk) -> None:
    li = await desk.come("li")
    content = (await li.get(f"{AT}/holdings/export", params={"form": "xlsx", "lang": "zh", "blank": True})).content

    headings = [cell.value for cell in load_workbook(io.BytesIO(content)).active[1]]

    assert "设计最大量 (t)" in headings
    assert len(headings) == 11


async def test_a_list_of_5000_rows_with_30_mistakes_tells_exactly_these(desk: Desk) -> None:
    li = await desk.come("li")
    await enter(li, "enterprises", PLANT)
    await enter(li, "units", UNIT)
    header = [
        "Code",
        "Hazard unit",
        "Substance",
        "CAS number",
        "Name in table 1",
        "Class of table 2",
        "Design maximum (t)",
    ]
    rows = [[f"H-{at:04}", "TK-1", f"氯 {at}", "7782-50-5", "chlorine", "", 1 + at / 100] for at in range(5000)]
    planted: dict[tuple[int, str], object] = {}

    def plant(at: int, column: str, value: object) -> None:
        rows[at][header.index(column)] = value
        planted[at + 2, column] = value

    for at in range(100, 1100, 100):
        plant(at, "CAS number", "7782-50-6")
    for at in range(1100, 2100, 100):
        plant(at, "Design maximum (t)", "500 kg")
    for at in range(2100, 2600, 100):
        plant(at, "Hazard unit", "TK-9")
    for at in range(2600, 3100, 100):
        plant(at, "Code", "H-0001")
    before = (await li.get(f"{AT}/holdings")).json()["records"]

    seen = (await li.post(f"{AT}/holdings/look", params={"name": "a.xlsx"}, content=sheet_of([header, *rows]))).json()

    assert {(one["row"], one["column"]) for one in seen["mistakes"]} == set(planted)
    assert (len(seen["mistakes"]), seen["mistake_count"], seen["ticket"]) == (30, 30, None)
    assert before == (await li.get(f"{AT}/holdings")).json()["records"] == []

    for at, column in planted:
        rows[at - 2][header.index(column)] = {
            "Code": f"H-{at - 2:04}",
            "Hazard unit": "TK-1",
            "CAS number": "7782-50-5",
        }.get(column, 5)
    seen = (await li.post(f"{AT}/holdings/look", params={"name": "a.xlsx"}, content=sheet_of([header, *rows]))).json()
    assert (seen["mistakes"], seen["new"]) == ([], 5000)
    taken = await li.post(f"{AT}/holdings/take", json={"ticket": seen["ticket"], "reason": "from the old list"})
    assert taken.json() == {"made": 5000, "changed": 0}
    again = await li.post(f"{AT}/holdings/take", json={"ticket": seen["ticket"], "reason": "twice"})
    assert again.status_code == 404
    codes: list[str] = []
    cursor = None
    while True:
        page = (await li.get(f"{AT}/holdings", params={"limit": 500} | ({"cursor": cursor} if cursor else {}))).json()
        codes += [one["code"] for one in page["records"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert codes == sorted(row[0] for row in rows)
    assert desk.acts()[-1]["action"] == "records_imported"


async def test_a_list_over_what_somebody_changed_meanwhile_is_refused_whole(desk: Desk) -> None:
    li, wang = await desk.come("li"), await desk.come("wang")
    made = (await fill(li))["holding"]
    rows = [
        ["Code", "Hazard unit", "Substance", "Design maximum (t)"],
        ["TK-1-CL2", "TK-1", "氯", 50],
        ["NEW", "TK-1", "x", 1],
    ]
    rows[0].append("Class of table 2")
    rows[1].append("")
    rows[2].append("W2")
    seen = (await li.post(f"{AT}/holdings/look", params={"name": "a.xlsx"}, content=sheet_of(rows))).json()
    assert (seen["new"], seen["changed_count"], seen["mistakes"]) == (1, 1, [])
    assert seen["changed"][0]["after"]["cas"] == "7782-50-5", "a column that the list has not stays as it is"
    values = {**CHLORINE, "design_t": 55}
    await wang.post(f"{AT}/holdings/{made['id']}", json={"values": values, "revision": 1, "reason": "rebuilt"})

    taken = await li.post(f"{AT}/holdings/take", json={"ticket": seen["ticket"], "reason": "x"})

    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "changed_meanwhile")
    found = (await li.get(f"{AT}/holdings")).json()["records"]
    assert [(one["code"], one["values"]["design_t"]) for one in found] == [("TK-1-CL2", 55.0)]


#: Name and content of a file, and a part of what is said of it.
NO_LIST = [
    ("a.xlsx", b"no workbook", "ZIP archive"),
    ("a.csv", b"", "no row"),
    ("a.csv", b"Code,Hazard unit,Substance,Design maximum (t)\n", "no row"),
    ("a.csv", b"Code,Colour\nA,red\n", "no such column"),
    ("a.csv", b"Substance\nx\n", "column Code is missing"),
    ("a.csv", b"Code,Code,Hazard unit,Substance,Design maximum (t)\n1,2,3,4,5\n", "stands twice"),
    ("a.csv", b'Code,"x\n', "not CSV"),
    ("a.csv", b"\xff\xff\xff\xff", "neither UTF-8 nor"),
]


async def test_a_file_that_is_no_list_is_refused_with_a_sentence(desk: Desk) -> None:
    li = await desk.come("li")
    for name, content, part in NO_LIST:
        seen = await li.post(f"{AT}/holdings/look", params={"name": name}, content=content)

        assert seen.status_code == 200
        assert any(part in one["rule"]["en"] for one in seen.json()["mistakes"]), (content, seen.json())
        assert seen.json()["ticket"] is None


async def test_a_chinese_list_in_the_old_encoding_is_read(desk: Desk) -> None:
    li = await desk.come("li")
    content = "编号,企业名称\nE2,南通化工\n".encode("gb18030")
    seen = (await li.post(f"{AT}/enterprises/look", params={"name": "a.csv"}, content=content)).json()

    assert (seen["mistakes"], seen["new"]) == ([], 1)


def plan_of(connection: Connection, run: Callable[[], object]) -> str:
    """Give how SQLite answers the statements of a real call, told by itself."""
    said: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    run()
    event.remove(connection, "before_cursor_execute", note)
    plans = [row[3] for each in said for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each[0]}", each[1])]
    assert plans, "nothing was asked"
    return " ".join(plans)


def test_lists_and_searches_of_100000_records_stay_on_an_index(tmp_path: Path) -> None:
    """By the plan of what is really asked, which reads a page for a page, whatever the ledger holds."""
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    rows = [
        {
            "id": f"{n:032x}", "ledger": "holdings", "code": f"H-{n:06}", "title": "氯", "unit": f"U-{n % 100}",
            "revision": 1, "time_ns": 1, "who": "li", "body": "{}", "is_removed": False,
        }
        for n in range(100_000)
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(schema.record.insert(), rows)
        words = [(n + 1, ["册holdings", "氯", "隐患" if n % 1000 == 0 else "液位", f"h{n}"]) for n in range(100_000)]
        search.keep(connection, words)
        connection.execute(text("ANALYZE"))
    tags = TagTable([])
    site = Site(
        id="demo", title={}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(), data=tmp_path,
        rules=RuleTable([], tags),
    )  # fmt: skip
    october = period_of("2026-10")
    assert october is not None
    with engine.connect() as connection:
        asked = {
            "a page": lambda: reading.page(connection, "holdings", limit=100, after=("H-050000", 5)),
            "of a unit": lambda: reading.page(connection, "holdings", limit=100, wanted=Wanted(unit="U-1")),
            "that name one": lambda: reading.page(
                connection, "holdings", limit=100, wanted=Wanted(refers_to=("units", "TK-1"))
            ),
            "in a state": lambda: reading.page(connection, "holdings", limit=100, wanted=Wanted(states=["rectifying"])),
            "who name it": lambda: reading.referring(connection, "units", "TK-1", 50),
            "codes": lambda: reading.of_codes(connection, "holdings", ["H-000001", "H-000002"]),
            "search": lambda: reading.look_for(connection, "holdings", "隐患", limit=50),
            "the risk map": lambda: risks.gather(connection),
            "a report": lambda: gather(connection, site, october, 1, date(2026, 11, 1)),
        }
        for what, run in asked.items():
            plan = plan_of(connection, run)
            assert "SCAN record " not in plan + " ", (what, plan)
            assert "INDEX" in plan, (what, plan)
            if what == "a report":
                assert "ix_record_ledger_time (ledger=? AND time_ns>?)" in plan, (
                    "checks of the period, not all there are"
                )
            if what in {"a page", "of a unit", "the risk map"}:
                assert "TEMP B-TREE" not in plan, (what, plan)
        assert len(reading.look_for(connection, "holdings", "隐患", limit=50)) == 50
        assert [one.code for one in reading.look_for(connection, "holdings", "h99999", limit=50)] == ["H-099999"]
    engine.dispose()
