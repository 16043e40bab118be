"""Tickets and a large event on a whole gateway: from the doors of the register to alarms, risk, capacity and roster.

The plant is one flame detector of a tank and the head count of a plaza; the clock is the manual one, 08:00 in Shanghai.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Link, Quality, Scan, TagTable
from gateway.api import make_app
from gateway.app import Gateway, Parts
from gateway.auth import make_link
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.load import load
from gateway.system import with_system
from tests.scripted import Deliver, Scripted

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
LEDGERS = "/api/v1/register/ledgers"
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
port = 5001

[[unit]]
id = "T-1"
kind = "tank"

[[unit]]
id = "Z-1"
kind = "zone"

[[ticket_suppression]]
id = "welding"
work = "hot"
units = ["T-1"]

[[crowd_share]]
zone = "Z1"
unit = "Z-1"

[[rule]]
tag = "fengsui.crowd.Z1"
kind = "H"
setpoint = 90
tier = "YELLOW"

[[quantity_share]]
dossier = "TK-1"
unit = "T-1"

[[shift]]
id = "day"
from = "08:00"
to = "20:00"

[[post]]
id = "board"
shifts = ["day"]

[[post]]
id = "stage"
shifts = ["day"]
roster = "festival"
instead_of = "board"
"""
TAGS = """tag,source,unit,eu,register,type,period_s,H,tier_H
T-1.flame,plc,T-1,%,0,float32,1,50,ORANGE
Z-1.heads,plc,Z-1,persons,2,float32,1,,
T-1.mass,plc,T-1,t,4,float32,1,,
"""
TICKET = {
    "code": "HW-1", "title": "补焊支架 weld bracket", "kind": "hot", "level": "first", "stage": "working",
    "dossier": "TK-1", "place": "罐顶", "applicant": "甲", "approved_by": "乙", "guardian": "丙",
    "from": "2026-01-01 07:00", "until": "2026-01-01 09:00", "gas_at": "2026-01-01 07:50", "gas_ok": "yes",
    "begun_at": "2026-01-01 08:00",
}  # fmt: skip
RECORDS: Sequence[tuple[str, dict[str, Any]]] = (
    ("enterprises", {"code": "E-1", "name": "海安 Hai'an"}),
    ("units", {
        "code": "TK-1", "name": "罐 Tank", "type": "storage", "persons_outside": 10, "enterprise": "E-1", "unit": "T-1",
    }),
    ("holdings", {
        "code": "H-1", "dossier": "TK-1", "substance": "甲醇 methanol", "named": "methanol", "hazard_class": "W5.3",
        "design_t": 50, "filed_t": 45, "live_tag": "T-1.mass",
    }),
    ("risk_units", {
        "code": "RU-1", "name": "罐 Tank", "dossier": "TK-1", "place": "storage", "department": "x", "liable": "y",
    }),
    ("risk_events", {
        "code": "RE-1", "risk_unit": "RU-1", "name": "fire", "accident": "23", "consequences": "burns", "method": "lec",
        "likelihood_inherent": 6, "exposure_inherent": 6, "severity_inherent": 40, "likelihood": 1, "exposure": 6,
        "severity": 15, "graded_on": "2025-11-30", "graded_by": "team", "emergency": "run",
    }),
    ("crowd_zones", {
        "code": "Z1", "name": "广场 Plaza", "sort": "deck", "load_persons": 200, "unit": "Z-1",
        "tag": "Z-1.heads", "area_m2": 200, "space_m2": 1, "space_basis": "ours", "open_h": 10, "stay_h": 2,
    }),
)  # fmt: skip


class Office:
    """A safety officer at the doors."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self.client.get(f"/api/v1/{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def enter(self, ledger: str, values: dict[str, Any]) -> dict[str, Any]:
        answer = await self.client.post(f"{LEDGERS}/{ledger}", json={"values": values, "reason": "x"})
        assert answer.status_code == 200, answer.text
        record: dict[str, Any] = answer.json()["record"]
        return record

    async def stands(self, tag: str) -> tuple[bool, str]:
        """Give whether the alarm of a tag is active, and what keeps it quiet."""
        mine = [one for one in (await self.get("alarms"))["alarms"] if one["tag"] == tag]
        return (mine[0]["is_active"], mine[0]["suppression"]) if mine else (False, "")

    async def raised(self) -> list[str]:
        """Give what raises the dynamic risk of the tank."""
        (unit,) = (await self.get("register/risks"))["units"]
        return [step["what"] for step in unit["dynamic"]["steps"]]

    async def zone(self) -> tuple[int, float]:
        """Give what the plaza takes now, and its share in percent."""
        (zone,) = (await self.get("register/capacity"))["zones"]
        return zone["in_force"], zone["share_pct"]

    async def called(self) -> tuple[list[str], list[str]]:
        """Give who is on duty now, and which post nobody fills."""
        told = await self.get("roster/now")
        return [one["person"] for one in told["on_duty"]], told["unmanned"]


def mass_at(at: int) -> float:
    """47 t from 320 s on, no good value from 340 s on, 60 t from 360 s to 400 s; else 40 t."""
    return 40.0 if at < 320 or at >= 400 else 60.0 if at >= 360 else 47.0


def scans() -> list[Scan]:
    """The flame detector sees the welding from 30 s on; there are 190 persons all the time."""
    return [
        Scan(
            source="plc", epoch=1, number=at, received_ns=START_NS + at * S, rows=np.arange(3, dtype=np.int32),
            values=np.array([80.0 if at >= 30 else 1.0, 190.0, mass_at(at)]),
            quality=np.array([0, 0, Quality.BAD if 340 <= at < 360 else 0], dtype=np.uint8),
            times_ns=np.full(3, START_NS + at * S, dtype=np.int64),
        )
        for at in range(1, 600)
    ]  # fmt: skip


async def story(office: Office, clock: ManualClock) -> None:
    async def until(at_s: float) -> None:
        await asyncio.sleep(at_s - (clock.wall_ns() - START_NS) / S)

    for ledger, values in RECORDS:
        await office.enter(ledger, values)
    assert await office.raised() == []

    late = await office.client.post(
        f"{LEDGERS}/tickets", json={"values": {**TICKET, "gas_at": "2026-01-01 07:29"}, "reason": "x"}
    )
    wrongs = late.json()["error"]["details"]["wrongs"]
    assert (late.status_code, [one["field"] for one in wrongs]) == (422, ["gas_at"]), "31 minutes before the work"
    ticket = await office.enter("tickets", TICKET)
    event = await office.enter("large_events", {
        "code": "EV-1", "name": "灯会 Lanterns", "organiser": "x", "contact": "y", "zones": "Z1", "approved": 500,
        "from": "2026-01-01 08:02", "until": "2026-01-01 08:05", "document": "12", "roster": "festival",
    })  # fmt: skip
    for post, person in (("board", "li"), ("stage", "wang")):
        watch = {"date": "2026-01-01", "shift": "day", "post": post, "person": person}
        answer = await office.client.post("/api/v1/roster", json=watch)
        assert answer.status_code == 200, answer.text

    await until(29)
    assert await office.raised() == ["ticket"], "hot work of the first class"
    assert await office.zone() == (200, 95.0)
    assert await office.stands("fengsui.crowd.Z1") == (True, "none")
    await until(40)
    assert await office.stands("T-1.flame") == (True, "by_design"), "it sees the welding"
    assert await office.raised() == ["ticket"], "what is quiet by design raises no risk"
    assert await office.called() == (["li"], [])
    filed = {"act": "file", "values": {"filing_number": "7"}, "revision": event["revision"], "reason": "x"}
    assert (await office.client.post(f"{LEDGERS}/large_events/{event['id']}/act", json=filed)).status_code == 200
    assert await office.zone() == (200, 95.0), "filed, and not begun"

    await until(90)
    closed = {"values": {**ticket["values"], "stage": "closed", "ended_at": "2026-01-01 08:01"}, "reason": "done"}
    answer = await office.client.post(f"{LEDGERS}/tickets/{ticket['id']}", json={**closed, "revision": 1})
    assert answer.status_code == 200, answer.text
    await until(100)
    assert await office.stands("T-1.flame") == (True, "none"), "the work is over and it still sees fire"
    assert await office.raised() == ["alarm"]

    await until(119.5)
    assert await office.zone() == (200, 95.0)
    await until(125)
    assert await office.zone() == (500, 38.0)
    assert (await office.stands("fengsui.crowd.Z1"))[0] is False, "95 % of its own is 38 % of what was approved"
    assert sorted((await office.called())[0]) == ["li", "wang"]
    await until(299.5)
    assert await office.zone() == (500, 38.0)
    await until(305)
    assert await office.zone() == (200, 95.0)
    assert await office.stands("fengsui.crowd.Z1") == (True, "none")
    assert (await office.called())[0] == ["li"]
    await until(312)  # The audit is looked after every ten seconds.
    acts = [row["act"] for row in (await office.get("audit", limit="200"))["acts"]]
    turned = [(act["action"], act.get("because")) for act in reversed(acts) if act["who"] == "event:EV-1"]
    assert turned == [("large_event_began", None), ("large_event_ended", "time")]
    await quantities(office, until)


async def quantities(office: Office, until: Callable[[float], Awaitable[None]]) -> None:
    design, filed = "fengsui.quantity.TK-1.design", "fengsui.quantity.TK-1.filed"
    assert not (await office.stands(filed))[0], "40 of 45 t"
    await until(335)
    assert await office.stands(filed) == (True, "none"), "47 t are there, 45 t were filed"
    assert not (await office.stands(design))[0], "it was designed for 50 t"
    await until(359)
    assert await office.stands(filed) == (True, "none"), "a bad value ends nothing"
    await until(375)
    assert await office.stands(design) == (True, "none")
    (alarm,) = [one for one in (await office.get("alarms"))["alarms"] if one["tag"] == design]
    said = (await office.get(f"alarms/{alarm['id']}/why", lang="en"))["sentence"]
    assert said.startswith(f"{design} 120 % ≥ H 100.01 % for 10 s")
    assert alarm["unit"] == "T-1"
    await until(470)
    assert [(await office.stands(tag))[0] for tag in (design, filed)] == [False, False]


def test_a_ticket_and_an_event_are_followed_from_the_register_to_alarms_risk_capacity_and_roster(
    tmp_path: Path,
) -> None:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, "utf-8")
    site, clock = load(tmp_path / "site.toml", environ={}), ManualClock(START_NS)
    items: list[Scan | Link] = [*scans()]

    def make(_source: Source, _tags: TagTable, at: Clock, epoch: int, deliver: Deliver) -> Scripted:
        return Scripted(items, at, epoch, deliver)

    parts = Parts(
        historian=MemoryHistorian(with_system(site).tags), writer=InlineExecutor(), reader=InlineExecutor(),
        compiler=InlineExecutor(), make_collector=make, jitter_seed=1,
    )  # fmt: skip
    gateway = Gateway(site, clock, parts)

    async def main() -> None:
        async with gateway.running():
            transport = httpx.ASGITransport(make_app(gateway, dist=tmp_path / "dist"), client=("10.1.2.3", 5))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://g", headers={"X-Fengsui-Request": "1"}
            ) as client:
                make_link(gateway.engine, "wang", "operator", clock)
                await client.get(f"/login/{make_link(gateway.engine, 'li', 'safety_officer', clock)}")
                await story(Office(client), clock)

    run_manual(main(), clock)
