"""Account: what a drill's events come to: each alarm with who answered it and how soon, as JSON values. Pure.

Flow: events of a drill, in order of commit -> [alarms_of, timeline] -> record as the API, page and command show it
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row

from alerting.model.tier import Tier
from gateway.drill.records import Record
from gateway.live import iso

NS: Final = 1_000_000_000


def described(record: Record) -> dict[str, Any]:
    """Give a record without what rang in it."""
    return {
        "number": record.number,
        "state": record.state,
        "story": record.story,
        "title": record.title,
        "plant": record.plant,
        "seed": record.seed,
        "revision": record.revision,
        "begun": iso(record.begun_ns),
        "begun_by": record.begun_by,
        "reason": record.reason,
        "ended": iso(record.ended_ns),
        "ended_by": record.ended_by,
        "ended_why": record.ended_why,
        "pauses": list(record.pauses),
        "verdict": record.verdict,
        "passed": is_passed(record),
        "plan": {name: record.plan[name] for name in ("code", "title", "revision")} if record.plan else None,
        "evaluation": record.evaluation or None,
    }


def is_passed(record: Record) -> bool | None:
    """Tell whether all expectations were met; None where the story was not played to its end."""
    found = record.verdict.get("expectations")
    if record.state != "finished" or found is None:
        return None
    return all(each["standing"] == "met" for each in found)


def alarms_of(events: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Give each alarm that rang: when, its highest tier, who acknowledged it and after how many seconds, its end."""
    found: dict[str, dict[str, Any]] = {}
    for row in events:
        if not row.alarm:
            continue
        one = found.get(row.alarm)
        if one is None:
            one = found[row.alarm] = {
                "id": row.alarm, "unit": row.unit, "tag": row.tag, "condition": row.condition, "tier": row.tier,
                "raised": iso(row.time_ns), "raised_ns": row.time_ns, "acked": None, "acked_by": "",
                "acked_after_s": None, "ended": None,
            }  # fmt: skip
        if row.tier > one["tier"]:
            one["tier"], one["condition"] = row.tier, row.condition
        if row.what == "acknowledged" and one["acked"] is None:
            one["acked"], one["acked_by"] = iso(row.time_ns), json.loads(row.cause).get("who", "")
            one["acked_after_s"] = round((row.time_ns - one["raised_ns"]) / NS, 1)
        if row.what in ("returned", "cleared") and one["ended"] is None:
            one["ended"] = iso(row.time_ns)
    for one in found.values():
        one["tier"] = Tier(one["tier"]).name
        del one["raised_ns"]
    return list(found.values())


def timeline(events: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Give what rang and what people did about it, in order."""
    told = []
    for row in events:
        cause = json.loads(row.cause)
        told.append(
            {
                "id": row.id,
                "time": iso(row.time_ns),
                "event": row.what,
                "unit": row.unit,
                "tag": row.tag,
                "condition": row.condition,
                "tier": Tier(row.tier).name,
                "value": row.value,
                "who": cause.get("who", ""),
                "reason": cause.get("reason", ""),
            }
        )
    return told


def notices_of(rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Give who was told, and since when he holds it."""
    return [
        {
            "destination": row.destination,
            "action": row.action,
            "tier": Tier(row.tier).name,
            "state": row.state,
            "created": iso(row.created_ns),
            "delivered": iso(row.delivered_ns),
            "last_error": row.last_error,
        }
        for row in rows
    ]
