"""Escalation over the API: who would be called now, which alarms are being called about, the calls of one alarm."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Response
from sqlalchemy import Connection, select

from alerting.escalation.ladder import Ladder, Stand
from alerting.escalation.plan import LEADER, PERSON, POST, Plan
from alerting.roster.watch import OnDuty
from gateway.api.answer import Json
from gateway.api.asked import Id
from gateway.api.door import ALL, Doors
from gateway.config import Site
from gateway.escalation.book import ladder_of
from gateway.live import iso
from gateway.roster.book import on_duty
from gateway.store import schema

CALLS_MAX = 500
LADDERS_MAX = 500
MOVES_MAX = 8


def open_escalation_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def escalation() -> Response:
        """Give the plans with whom each step would call now, and the alarms that are called about."""
        site, now_ns = house.site, house.clock.wall_ns()
        there = await house.read(lambda c: on_duty(c, site.roster, now_ns, ZoneInfo(site.timezone)))
        climbing = await house.read(_climbing)
        return Json(
            {
                "plans": [_plan(plan, site, there) for plan in site.escalations],
                "channels": [each.id for each in site.channels],
                "ladders": [_ladder(each, site) for each in climbing],
            }
        )

    async def calls(alarm: Id) -> Response:
        """Give the calls about one episode of an alarm, what became of each, and when the next is due."""
        found, ladder = await house.read(lambda c: _calls_of(c, alarm))
        plan = None if ladder is None else next((p for p in house.site.escalations if p.id == ladder.plan), None)
        steps = [] if plan is None else [{"to": s.to, "channel": s.channel, "wait_s": s.wait_s} for s in plan.steps]
        shown = (
            None
            if ladder is None
            else _ladder(ladder, house.site) | {"steps": steps, "rounds": plan.rounds if plan else 0}
        )
        return Json({"ladder": shown, "calls": found})

    doors.open("GET", "/api/v1/escalation", ALL, escalation, tag="escalation")
    doors.open("GET", "/api/v1/alarms/{alarm}/calls", ALL, calls, tag="escalation")


def _climbing(connection: Connection) -> list[Ladder]:
    table = schema.ladder
    is_open = table.c.stand.in_((Stand.CLIMBING, Stand.REMINDING, Stand.EXHAUSTED))
    query = select(table).where(is_open).order_by(table.c.tier.desc(), table.c.changed_ns.desc()).limit(LADDERS_MAX)
    return [ladder_of(row) for row in connection.execute(query)]


def _calls_of(connection: Connection, alarm: str) -> tuple[list[dict[str, Any]], Ladder | None]:
    call, outbox, ladder = schema.escalation_call, schema.outbox, schema.ladder
    rows = connection.execute(
        select(call, outbox.c.state, outbox.c.last_error, outbox.c.receipt, outbox.c.delivered_ns)
        .outerjoin(outbox, outbox.c.key == call.c.key)
        .where(call.c.alarm == alarm)
        .order_by(call.c.seq)
        .limit(CALLS_MAX)
    ).all()
    found = [
        {
            "time": iso(row.time_ns),
            "what": row.what,
            "to": row.to,
            "person": row.person,
            "channel": row.channel,
            "round": row.round + 1,
            "step": row.step + 1,
            "state": row.state,
            "delivered": iso(row.delivered_ns) if row.delivered_ns else None,
            "last_error": row.last_error or "",
            "receipt": json.loads(row.receipt) if row.receipt and row.state != "moved" else None,
            "moved": _moved(connection, row.receipt) if row.state == "moved" else [],
        }
        for row in rows
    ]
    key = rows[0].alarm_key if rows else connection.scalar(
        select(schema.alarm.c.key).where(schema.alarm.c.id == alarm)
    )  # fmt: skip
    one = connection.execute(select(ladder).where(ladder.c.alarm_key == key, ladder.c.alarm == alarm)).one_or_none()
    return found, None if one is None else ladder_of(one)


def _moved(connection: Connection, told: str) -> list[dict[str, Any]]:
    """Follow a call that other channels took over."""
    table = schema.outbox
    found: list[dict[str, Any]] = []
    while told and len(found) < MOVES_MAX:
        key = json.loads(told)["key"]
        row = connection.execute(select(table).where(table.c.key == key)).one_or_none()
        if row is None:
            break
        is_moved = row.state == "moved"
        found.append(
            {
                "channel": row.destination,
                "state": row.state,
                "delivered": iso(row.delivered_ns) if row.delivered_ns else None,
                "last_error": row.last_error or "",
                "receipt": json.loads(row.receipt) if row.receipt and not is_moved else None,
            }
        )
        told = row.receipt if is_moved else ""
    return found


def _ladder(ladder: Ladder, site: Site) -> dict[str, Any]:
    plan = next((each for each in site.escalations if each.id == ladder.plan), None)
    number, step = ladder.round, ladder.step
    if plan is not None and step >= len(plan.steps) and ladder.stand is Stand.CLIMBING:
        number, step = number + 1, 0  # Its next step is the first of the next round, or there is none.
    is_last = plan is not None and number >= plan.rounds
    return {
        "alarm": ladder.alarm,
        "alarm_key": ladder.alarm_key,
        "unit": ladder.unit,
        "tier": ladder.tier.name,
        "plan": ladder.plan,
        "stand": ladder.stand.value,
        "round": number + 1,
        "step": 0 if is_last else step + 1,
        "next": iso(ladder.due_ns) if ladder.due_ns else None,
        "changed": iso(ladder.changed_ns),
        "why": ladder.why,
    }


def _plan(plan: Plan, site: Site, there: list[OnDuty]) -> dict[str, Any]:
    return {
        "id": plan.id,
        "tiers": [tier.name for tier in plan.tiers],
        "units": list(plan.units),
        "schedule": None if plan.schedule is None else plan.schedule.words(),
        "after_s": plan.after_s,
        "rounds": plan.rounds,
        "remind_s": plan.remind_s,
        "steps": [
            {"to": step.to, "channel": step.channel, "wait_s": step.wait_s, "now": _names(step.to, site, there)}
            for step in plan.steps
        ],
    }


def _names(to: str, site: Site, there: list[OnDuty]) -> list[str]:
    """Name who a step would call now."""
    if not to or to.startswith(PERSON):
        return [to.removeprefix(PERSON)] if to else []
    leaders = site.roster.leaders()
    posts = leaders if to == LEADER else {to.removeprefix(POST)}
    return list(dict.fromkeys(each.watch.on_duty for each in there if each.watch.post in posts))
