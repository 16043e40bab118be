"""Record and event log: what the core met, and what came of it, as JSON lines.

Flow: tick -> [record] -> replay
Why: the same road on the same input gives the same events in every field but ``run``; a recording proves it.

A recording begins with one line of rules and state, then holds one line a tick: scans and links in order of arrival,
commands (who, what, reason, time), the clock reading, and a revision of the configuration that took over after it.
"""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.core.derived.state import freeze, thaw
from alerting.desk import Desk, Outcome
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.blocks import Blocks
from alerting.model.command import Command
from alerting.model.drift import Drift
from alerting.model.event import Event
from alerting.model.rationale import TEXTS, Rationale, rationale
from alerting.model.rule import Kind, Rule
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering, lines_as_json, lines_of_json
from alerting.swap import Prepared, prepare, table_after
from edge.model import Link, Nature, Scan
from gateway import record_site
from gateway.intake import Intake
from gateway.record_philosophy import philosophy_as_json
from gateway.store.rows import (
    alarm_row,
    entry_of,
    entry_row,
    event_body,
    request_of,
    request_row,
    standing_of,
    standing_row,
)
from gateway.store.stops import stop_of, stop_row
from gateway.turn import Item

FORMAT = "fengsui-recording/1"
DUMP = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY


class Recorder:
    """Writes a recording while the gateway runs."""

    def __init__(self, path: Path, desk: Desk, intake: Intake, revision: str) -> None:
        self.error = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")
        self._file.write(orjson.dumps(snapshot_of(desk, intake, revision), option=DUMP))
        self._file.flush()

    def tick(
        self,
        items: Sequence[Item],
        commands: Sequence[Command],
        outcome: Outcome,
        swap: Prepared | None = None,
        away_ns: int = 0,
    ) -> None:
        """Write one tick; to the operating system at once, so that a killed gateway leaves whole lines."""
        line: dict[str, Any] = {
            "tick": outcome.number,
            "now_ns": outcome.now_ns,
            "items": [_item(item) for item in items],
            "commands": [asdict(command) for command in commands],
        }
        if away_ns:
            line["away_ns"] = away_ns
        if swap is not None:
            rules = [asdict(rule) for rule in swap.changed]
            line["swap"] = {"revision": swap.number, "rules": rules, "gone": swap.gone}
            line["swap"] |= record_site.authors_written(swap.exchange.new)
            beside = record_site.written(swap)
            if beside is not None:
                line["swap"]["beside"] = beside
        self._put(orjson.dumps(line, option=DUMP))

    def _put(self, line: bytes) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as failure:  # A full disk ends the recording, never the gateway.
            self.error = self.error or str(failure)

    def idle(self, outcome: Outcome) -> None:
        """Write a tick in which nothing came: the same line, at once for the file and not for each look at a form."""
        self._put(b'{"tick":%d,"now_ns":%d,"items":[],"commands":[]}\n' % (outcome.number, outcome.now_ns))

    def close(self) -> None:
        """End the recording."""
        try:
            self._file.close()
        except OSError as failure:
            self.error = self.error or str(failure)


class EventLog:
    """Writes events as JSON lines, one per event (design §5)."""

    def __init__(self, file: BinaryIO, run: str) -> None:
        self._file = file
        self._run = run
        self.count = 0
        self.error = ""

    def write(self, events: Iterable[Event]) -> None:
        """Write events in the order in which they happened."""
        try:
            for event in events:
                self._file.write(orjson.dumps(event_line(event, self._run), option=orjson.OPT_APPEND_NEWLINE))
                self.count += 1
            self._file.flush()
        except OSError as failure:  # A full disk ends the log, never the gateway.
            self.error = self.error or str(failure)


def event_line(event: Event, run: str) -> dict[str, Any]:
    """Give one line of the event log."""
    body = event_body(event)
    what = body.pop("what")
    time_ns = body.pop("time_ns")
    return {"run": run, "time": iso_ns(time_ns), "event": what, **body}


def iso_ns(time_ns: int) -> str:
    """Write a time exactly: ISO 8601, UTC, nine digits."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{np.datetime64(seconds, 's')}.{rest:09d}Z"


def _item(item: Item) -> dict[str, Any]:
    if isinstance(item, Link):
        return {"link": item.source, "is_up": item.is_up, "received_ns": item.received_ns, "reason": item.reason}
    return {
        "scan": item.source,
        "epoch": item.epoch,
        "number": item.number,
        "received_ns": item.received_ns,
        "is_backfill": item.is_backfill,
        "is_retained": item.is_retained,
        "nature": item.nature.value,
        "rows": item.rows,
        "values": item.values,  # NaN and Inf are BAD whatever they were; null reads back as NaN
        "quality": item.quality,
        "times_ns": item.times_ns,
    }


def item_of(line: dict[str, Any]) -> Item:
    """Read an item of a recording."""
    if "link" in line:
        return Link(source=line["link"], is_up=line["is_up"], received_ns=line["received_ns"], reason=line["reason"])
    return Scan(
        source=line["scan"],
        epoch=line["epoch"],
        number=line["number"],
        received_ns=line["received_ns"],
        is_backfill=line["is_backfill"],
        is_retained=line["is_retained"],
        nature=Nature(line["nature"]),
        rows=np.array(line["rows"], dtype=np.int32),
        values=np.array([np.nan if v is None else v for v in line["values"]], dtype=np.float64),
        quality=np.array(line["quality"], dtype=np.uint8),
        times_ns=np.array(line["times_ns"], dtype=np.int64),
    )


def rules_of(snapshot: dict[str, Any]) -> list[Rule]:
    """Read the rules that a recording begins with, or those that a swap changed."""
    return [
        Rule(
            **{
                **rule,
                "schedule": _schedule(rule.get("schedule")),
                "kind": Kind(rule["kind"]),
                "tier": Tier(rule["tier"]),
                **{name: tuple(rule.get(name, ())) for name in ("states", "asked", "enable_asked", "members")},
                "setpoint": math.nan if rule["setpoint"] is None else rule["setpoint"],
                "drift": Drift(**rule["drift"]) if rule.get("drift") else None,
                "blocks": Blocks(**rule["blocks"]) if rule.get("blocks") else None,
                "rationale": _rationale(rule.get("rationale")),
            }
        )
        for rule in snapshot["rules"]
    ]


def tiering_of(snapshot: dict[str, Any]) -> Tiering:
    """Read the policy of tiers that a recording begins with; those from before there was one lowered at once."""
    policy = snapshot.get("tiering")
    if policy is None:
        return Tiering(lower_after_s=0.0)
    return Tiering(lines=lines_of_json(policy["lines"]), lower_after_s=policy["lower_after_s"])


def _rationale(saved: dict[str, Any] | None) -> Rationale | None:
    return None if saved is None else rationale({name: dict(saved[name]) for name in TEXTS}, saved["respond_min"])


def _schedule(saved: dict[str, Any] | None) -> Schedule | None:
    if saved is None:
        return None
    spans = tuple(Span(**{**span, "days": tuple(span["days"])}) for span in saved["spans"])
    return Schedule(spans=spans, zone=saved["zone"])


def swap_of(line: dict[str, Any], desk: Desk) -> Prepared | None:
    """Read the swap that ended a tick of a recording, if one did."""
    if "swap" not in line:
        return None
    swap = line["swap"]
    tags, beside = record_site.read(swap["beside"], desk.derived.derivations) if "beside" in swap else (None, None)
    table = table_after(desk.table, rules_of(swap), swap["gone"], tags, record_site.authors_of(swap))
    return prepare(desk.table, table, desk.memories, swap["revision"], beside)


def restore_snapshot(snapshot: dict[str, Any], desk: Desk, intake: Intake) -> None:
    """Put desk and intake into the state that a recording begins with."""
    for name, columns in snapshot["memories"].items():
        _restore_memory(desk.memory(Nature(name)), columns)
    for name, saved in snapshot.get("derived_states", {}).items():
        desk.memory(Nature(name))
        derived = desk.derived_states[Nature(name)]
        derived.epoch, derived.number = saved["epoch"], saved["number"]
        thaw(desk.derived, derived, _unpacked(saved["columns"]))
    desk.adopt(
        [
            Alarm(
                **{
                    **{k: v for k, v in row.items() if k != "rule_group"},
                    "group": row["rule_group"],
                    "nature": Nature(row["nature"]),
                    "state": State(row["state"]),
                    "suppression": Suppression(row["suppression"]),
                    "tier": Tier(row["tier"]),
                    "tier_max": Tier(row["tier_max"]),
                }
            )
            for row in snapshot["alarms"]
        ],
        [entry_of(row) for row in snapshot["entries"]],
        [standing_of(row) for row in snapshot.get("unit_tiers", ())],
        [request_of(row) for row in snapshot.get("requests", ())],
        [stop_of(row) for row in snapshot.get("stops", ())],
    )
    if "gaps" in snapshot:
        record_site.adopt_gaps(snapshot["gaps"], desk.gaps, rules_of)
    desk.ticks = snapshot["ticks"]
    for source, (epoch, number, received_ns) in snapshot["sequences"].items():
        state = intake.state[source]
        state.epoch, state.number, state.received_ns = epoch, number, received_ns
        state.recall(snapshot.get("outages", {}).get(source, ""))


def snapshot_of(desk: Desk, intake: Intake, revision: str) -> dict[str, Any]:
    """Give the state that a recording begins with, as JSON values."""
    return {
        "format": FORMAT,
        "site": desk.site,
        "revision": revision,
        "start_ns": desk.start_ns,
        "ticks": desk.ticks,
        "tags": list(desk.table.tags.names),
        "rules": [asdict(rule) for rule in desk.table],
        **record_site.authors_written(desk.table),
        "derived": [each.identity for each in desk.derived.derivations],
        "memories": {nature.value: _memory(memory) for nature, memory in desk.memories.items()},
        "derived_states": {
            nature.value: {
                "epoch": state.epoch,
                "number": state.number,
                "columns": _packed(freeze(desk.derived, state)),
            }
            for nature, state in desk.derived_states.items()
        },
        "alarms": [alarm_row(alarm) for alarm in desk.alarms.values()],
        "entries": [entry_row(entry) for entry in desk.entries.values()],
        "tiering": {
            "lines": lines_as_json(desk.units.policy.lines),
            "lower_after_s": desk.units.policy.lower_after_s,
        },
        "philosophy": philosophy_as_json(desk.philosophy),
        "requests": [request_row(request) for request in desk.requests.values()],
        "stops": [stop_row(stop) for stop in desk.stops.values()],
        "unit_tiers": [standing_row(standing) for standing in desk.units.standings()],
        "gaps": record_site.gaps_written(desk.gaps),
        "outages": {name: s.memo for name, s in intake.state.items() if s.memo},
        "sequences": {name: (s.epoch, s.number, s.received_ns) for name, s in intake.state.items()},
    }


def _memory(memory: Memory) -> dict[str, list[Any]]:
    found = {each.name: getattr(memory, each.name) for each in fields(Memory)} | memory.formulas.freeze()
    return _packed({name: column for name, column in found.items() if isinstance(column, np.ndarray)})


def _packed(found: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """Write columns as JSON values, to the bit."""
    columns = {}
    for name, column in found.items():
        raw = base64.b64encode(np.ascontiguousarray(column).tobytes()).decode()
        columns[name] = [column.dtype.str, list(column.shape), raw]
    return columns


def _unpacked(columns: dict[str, list[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name: np.frombuffer(base64.b64decode(raw), dtype=dtype).reshape(shape)
        for name, (dtype, shape, raw) in columns.items()
    }


def _restore_memory(memory: Memory, columns: dict[str, list[Any]]) -> None:
    arrays = _unpacked(columns)
    memory.formulas.thaw(arrays)
    for name, array in arrays.items():
        if "." not in name:
            getattr(memory, name)[...] = array
