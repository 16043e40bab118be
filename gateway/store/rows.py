"""Rows of the store and the values they stand for, both ways."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import orjson

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.command import Command, Verb
from alerting.model.event import Event
from alerting.model.second_person import Request
from alerting.model.stop import Plan, StopKind
from alerting.model.tier import Tier
from alerting.register.episode import Entry
from alerting.response.task import Task
from alerting.tiering import Standing
from edge.model import Nature


def alarm_row(alarm: Alarm) -> dict[str, Any]:
    """Give the row of an alarm."""
    row = {**asdict(alarm), "rule_group": alarm.group}
    del row["group"]
    return {
        **row,
        **_plain(row, ("nature", "state", "suppression")),
        "tier": int(alarm.tier),
        "tier_max": int(alarm.tier_max),
    }


def alarm_of(row: Mapping[str, Any]) -> Alarm:
    """Give the alarm of a row."""
    values = dict(row)
    values["group"] = values.pop("rule_group")
    return Alarm(
        **{
            **values,
            "nature": Nature(row["nature"]),
            "state": State(row["state"]),
            "suppression": Suppression(row["suppression"]),
            "tier": Tier(row["tier"]),
            "tier_max": Tier(row["tier_max"]),
        }
    )


def request_row(request: Request) -> dict[str, Any]:
    """Give the row of a request for a second person."""
    row = {part.name: getattr(request, part.name) for part in fields(request)}
    return {**row, "command": orjson.dumps(asdict(request.command)).decode()}


def request_of(row: Mapping[str, Any]) -> Request:
    """Give the request of a row."""
    return Request(**{**dict(row), "command": command_of(orjson.loads(row["command"]))})


def command_of(line: Mapping[str, Any]) -> Command:
    """Read a command that was written out."""
    seen, plan = line.get("seen_tier"), line.get("plan")
    if plan is not None:
        plan = Plan(**{**plan, "kind": StopKind(plan["kind"]), "tags": tuple(plan["tags"])})
    told = {"verb": Verb(line["verb"]), "seen_tier": None if seen is None else Tier(seen), "plan": plan}
    return Command(**{**line, **told})


def event_row(event: Event) -> dict[str, Any]:
    """Give the row of an event."""
    row = {**asdict(event), "rule_group": event.group, "cause": orjson.dumps(event.cause).decode()}
    del row["group"]
    return {**row, **_plain(row, ("nature", "what")), "tier": int(event.tier)}


def event_body(event: Event) -> dict[str, Any]:
    """Give the body of an event for the journal and the event log: words instead of numbers."""
    return {**asdict(event), "nature": event.nature.value, "what": event.what.value, "tier": event.tier.name}


def entry_row(entry: Entry) -> dict[str, Any]:
    """Give the row of a register entry."""
    return {
        **asdict(entry),
        "nature": entry.nature.value,
        "tier": int(entry.tier),
        "tier_max": int(entry.tier_max),
        "alarms": orjson.dumps(list(entry.alarms)).decode(),
    }


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Give the register entry of a row."""
    return Entry(
        **{
            **dict(row),
            "nature": Nature(row["nature"]),
            "tier": Tier(row["tier"]),
            "tier_max": Tier(row["tier_max"]),
            "alarms": tuple(orjson.loads(row["alarms"])),
        }
    )


def standing_row(standing: Standing) -> dict[str, Any]:
    """Give the row of a unit's tier."""
    state = {"lines": standing.lines, "since": standing.since, "near": standing.near}
    return {
        "unit": standing.unit,
        "nature": standing.nature.value,
        "tier": int(standing.tier),
        "changed_ns": standing.changed_ns,
        "due_ns": standing.due_ns,
        "state": orjson.dumps(state, option=orjson.OPT_SORT_KEYS).decode(),
        "facts": orjson.dumps(standing.facts).decode(),
    }


def standing_of(row: Mapping[str, Any]) -> Standing:
    """Give how a unit stood."""
    state = orjson.loads(row["state"])
    return Standing(
        nature=Nature(row["nature"]),
        unit=row["unit"],
        tier=Tier(row["tier"]),
        changed_ns=row["changed_ns"],
        due_ns=row["due_ns"],
        lines={key: (since_ns, ceased_ns) for key, (since_ns, ceased_ns) in state["lines"].items()},
        since=state["since"],
        near=state["near"],
        facts=orjson.loads(row["facts"]),
    )


def task_row(task: Task) -> dict[str, Any]:
    """Give the row of a new response task."""
    return {
        **asdict(task),
        "nature": task.nature.value,
        "tier": int(task.tier),
        "title": orjson.dumps(task.title).decode(),
        "state": "open",
        "done_ns": 0,
        "done_by": "",
        "note": "",
    }


def _plain(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(row[name].value) for name in names}
