"""Incidents as they are shown: one row, and one with its tasks, alarms and timeline."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, select

from alerting.model.tier import Tier
from gateway.config import Site
from gateway.live import iso
from gateway.register.record import Record
from gateway.response.call_out import shown as calls_shown
from gateway.response.finish import reached
from gateway.response.headquarters import called_of
from gateway.response.incidents import get, merged_of, timeline
from gateway.response.lessons import lessons_of
from gateway.response.reporting import report_due_ns
from gateway.response.resources import holds_of
from gateway.response.tasks import CHECKLIST, RESTART, steps_of, tasks_of
from gateway.store.schema import incident, register_entry


def shown(row: RowMapping) -> dict[str, Any]:
    """Write an incident for a list."""
    return {
        "number": row["number"],
        "nature": row["nature"],
        "unit": row["unit"],
        "kind": row["kind"],
        "title": row["title"],
        "tier": Tier(row["tier"]).name,
        "tier_max": Tier(row["tier_max"]).name,
        "grade": row["grade"],
        "state": row["state"],
        "plan": row["plan"],
        "plan_revision": row["plan_revision"],
        "commander": row["commander"],
        "opened": iso(row["opened_ns"]),
        "opened_by": row["opened_by"],
        "ended": iso(row["ended_ns"]),
        "ended_by": row["ended_by"],
        "merged_into": row["merged_into"] or None,
        "is_holding": bool(row["restart"]) and row["state"] == "ended" and not row["returned_ns"],
        "returned": iso(row["returned_ns"]),
        "returned_by": row["returned_by"],
        "revision": row["revision"],
    }


def alarms_of(connection: Connection, row: RowMapping) -> list[str]:
    """Give the ids of the alarms that an incident is about: those of its register entry."""
    if not row["entry"]:
        return []
    found = connection.scalar(select(register_entry.c.alarms).where(register_entry.c.id == row["entry"]))
    ids: list[str] = orjson.loads(found) if found else []
    return ids


def told(connection: Connection, site: Site, number: int, now_ns: int) -> dict[str, Any]:
    """Write an incident with all that belongs to it.

    Raises:
        Refused: There is none.
    """
    row = get(connection, number)
    merged, lines = merged_of(connection, number), timeline(connection, number)
    rows = {number: row} | {each: get(connection, each) for each in merged}
    owners: dict[str, list[str]] = {}

    def tasks(part: str) -> list[dict[str, Any]]:
        found = tasks_of(connection, [number, *merged], part)
        for task in found:
            if task["owner"] not in owners:
                owners[task["owner"]] = reached(connection, site, task["owner"], now_ns)
        answers = {(each, step.id): step.answers for each, one in rows.items() for step in steps_of(one, part)}
        return [
            _task(task, owners[task["owner"]], answers.get((task["incident"], task["step"]), ()), now_ns)
            for task in found
        ]

    return shown(row) | {
        "alarms": alarms_of(connection, row),
        "merged": merged,
        "entry": row["entry"],
        "report_due": iso(report_due_ns(row, lines)) if row["state"] == "open" else None,
        "headquarters": [
            {**{name: value for name, value in one.items() if name != "time_ns"}, "time": iso(one["time_ns"])}
            for one in called_of(connection, [number, *merged])
        ],
        "calls": calls_shown(connection, site, [number, *merged]),
        "resources": [_hold(one) for one in holds_of(connection, [number, *merged])],
        "tasks": tasks(CHECKLIST),
        "restart": tasks(RESTART),
        "timeline": [
            {
                "place": line["place"],
                "time": iso(line["time_ns"]),
                "who": line["who"],
                "what": line["what"],
                "facts": orjson.loads(line["facts"]),
            }
            for line in lines
        ],
        "lessons": lessons_shown(lessons_of(connection, row["number"])),
        "others": [
            one["number"]
            for one in connection.execute(
                select(incident).where(
                    incident.c.state == "open", incident.c.nature == row["nature"], incident.c.number != number
                )
            ).mappings()
        ],
    }


def lessons_shown(lessons: Iterable[Record]) -> list[dict[str, Any]]:
    """Write lessons of an incident or a drill for an answer."""
    return [
        {
            "id": each.id,
            "code": each.code,
            "title": each.title,
            "responsible": each.values["responsible"],
            "due": each.values["due"],
            "state": each.values["state"],
        }
        for each in lessons
    ]


def _hold(one: RowMapping) -> dict[str, Any]:
    return {
        "id": one["id"],
        "incident": one["incident"],
        "resource": one["resource"],
        "code": one["code"],
        "name": one["name"],
        "quantity": one["quantity"] or None,
        "used": one["used"],
        "left": round(one["quantity"] - one["used"], 9) if one["quantity"] else None,
        "eu": one["eu"],
        "state": one["state"],
        "held": iso(one["held_ns"]),
        "held_by": one["held_by"],
        "ended": iso(one["ended_ns"]),
        "ended_by": one["ended_by"],
    }


def _task(task: RowMapping, owners: Sequence[str], answers: Sequence[str], now_ns: int) -> dict[str, Any]:
    is_past = bool(task["due_ns"]) and (task["done_ns"] or now_ns) > task["due_ns"]
    return {
        "id": task["id"],
        "incident": task["incident"],
        "step": task["step"],
        "title": orjson.loads(task["title"]),
        "owner": task["owner"],
        "owners": list(owners),
        "answers": list(answers),
        "state": task["state"],
        "opened": iso(task["opened_ns"]),
        "due": iso(task["due_ns"]),
        "is_late": is_past and task["state"] != "void",
        "done": iso(task["done_ns"]),
        "done_by": task["done_by"],
        "answer": task["answer"],
        "note": task["note"],
    }
