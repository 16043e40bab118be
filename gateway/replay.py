"""Replay: recorded data down the same road, as fast as it goes.

Flow: recording (ours, or a foreign CSV) -> intake -> core -> event log
Why: a recording of ours gives live's events in every field but ``run``; a foreign CSV gives the same bytes each time.

A foreign CSV has no receive times: samples count as received at their own time, and the clock is read wherever a
delay or a silence falls due, so that the result does not depend on how fast the file is read.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson

from alerting.core import next_due_ns
from alerting.desk import Desk, Outcome
from alerting.model.rule import RuleTable
from edge.model import Quality, Scan, TagTable
from edge.model.quality import Reason, encode
from gateway.config import Site
from gateway.intake import Intake
from gateway.record import FORMAT, EventLog, command_of, item_of, restore_snapshot, rules_of
from gateway.system import with_system
from gateway.turn import Item, take_turn

EPOCH_S_MAX = 100_000_000_000  # Beyond, a bare number is ms (until the year 5138), then µs is not offered, then ns.
EPOCH_MS_MAX = 100_000_000_000_000
TAIL_NS = 3_600_000_000_000  # After the last sample the clock goes on for an hour, so that every delay has its end.


class RecordingError(ValueError):
    """A recording that cannot be read, with the line and what is wrong."""


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay came to."""

    ticks: int = 0
    samples: int = 0
    refused: int = 0
    events: int = 0


def replay(site: Site, recording: Path, log: EventLog, until_ns: int | None = None) -> Replayed:
    """Replay a recording.

    Args:
        site: The configuration; a recording of ours brings its own rules.
        log: Takes the events.
        until_ns: Leave out what came later.

    Raises:
        RecordingError: The file is no recording.
    """
    with recording.open("rb") as file:
        first = file.readline()
    if first.startswith(b"{"):
        return _replay_own(site, recording, log, until_ns)
    return _replay_foreign(site, recording, log, until_ns)


def _replay_own(site: Site, recording: Path, log: EventLog, until_ns: int | None) -> Replayed:
    site = with_system(site)
    done = Replayed()
    with recording.open("rb") as file:
        snapshot = orjson.loads(file.readline())
        if snapshot.get("format") != FORMAT:
            raise RecordingError(f"{recording}: line 1 is not the head of a {FORMAT} recording.")
        if snapshot["tags"] != list(site.tags.names):
            raise RecordingError(
                f"{recording}: its tags are not those of the configuration; use the one it was made with."
            )
        desk = Desk(
            snapshot["site"], RuleTable(rules_of(snapshot), site.tags), site.units, site.tasks, snapshot["start_ns"]
        )
        intake = Intake(site.sources, site.tags)
        restore_snapshot(snapshot, desk, intake)
        for number, raw in enumerate(file, start=2):
            try:
                line = orjson.loads(raw)
            except orjson.JSONDecodeError:
                if raw.endswith(b"\n"):
                    raise RecordingError(f"{recording}: line {number} is not JSON.") from None
                break  # The gateway was killed while it wrote this line; its tick was not committed.
            if until_ns is not None and line["now_ns"] > until_ns:
                break
            items = [item_of(item) for item in line["items"]]
            turned = take_turn(desk, intake, items, [command_of(c) for c in line["commands"]], line["now_ns"])
            _note(done, log, items, turned.outcome)
    done.refused = sum(intake.refused.values())
    return done


def _replay_foreign(site: Site, recording: Path, log: EventLog, until_ns: int | None) -> Replayed:
    desk: Desk | None = None
    intake = Intake(site.sources, site.tags)
    done = Replayed()
    now_ns = 0
    numbers: dict[str, int] = {}
    for at_ns, samples in _by_time(_samples(recording, site.tags)):
        if until_ns is not None and at_ns > until_ns:
            break
        if desk is None:
            desk = Desk(site.id, site.rules, site.units, site.tasks, at_ns)
            for memory in desk.memories.values():
                memory.is_watched[:] = False  # A tag that the file does not have is not silent.
        _wait(desk, intake, done, log, now_ns, at_ns)
        now_ns = max(now_ns, at_ns)
        scans: list[Item] = list(_scans(site.tags, samples, now_ns, numbers))
        _note(done, log, scans, take_turn(desk, intake, scans, [], now_ns).outcome)
    if desk is not None:
        end_ns = now_ns + TAIL_NS if until_ns is None else until_ns
        _wait(desk, intake, done, log, now_ns, end_ns)
    done.refused = sum(intake.refused.values())
    return done


def _wait(desk: Desk, intake: Intake, done: Replayed, log: EventLog, from_ns: int, to_ns: int) -> None:
    """Let the clock run to just before ``to_ns``, stopping wherever something falls due."""
    last_ns = from_ns
    while True:
        dues = [due for memory in desk.memories.values() if (due := next_due_ns(desk.table, memory)) is not None]
        due_ns = max(min(dues, default=to_ns), last_ns + 1)
        if due_ns >= to_ns:
            return
        _note(done, log, [], take_turn(desk, intake, [], [], due_ns).outcome)
        last_ns = due_ns


def _note(done: Replayed, log: EventLog, items: Iterable[Item], outcome: Outcome) -> None:
    log.write(outcome.events)
    done.ticks += 1
    done.events += len(outcome.events)
    done.samples += sum(len(item) for item in items if isinstance(item, Scan))


# --------------------------------------------------------------------- foreign CSV

Sample = tuple[int, int, float, int]  # time ns, tag row, value, quality byte


def _samples(recording: Path, tags: TagTable) -> Iterator[Sample]:
    """Read long form ``time,tag,value[,quality]`` or wide form ``time,<tag>,…``."""
    with recording.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        head = next(lines, [])
        if not head or head[0] != "time":
            raise RecordingError(f"{recording}: line 1: the first column must be 'time'; found {head[:1]}.")
        if head[1:3] == ["tag", "value"]:
            for number, line in enumerate(lines, start=2):
                cells = dict(zip(head, line, strict=False))
                yield from _long(recording, number, cells, tags)
            return
        unknown = [name for name in head[1:] if name not in tags.row_of]
        if unknown:
            raise RecordingError(f"{recording}: line 1: these columns are no tags of the site: {', '.join(unknown)}.")
        rows = [tags.row_of[name] for name in head[1:]]
        for number, line in enumerate(lines, start=2):
            time_ns = _time_ns(recording, number, line[0] if line else "")
            for row, cell in zip(rows, line[1:], strict=False):
                if cell != "":
                    yield time_ns, row, *_value(recording, number, cell, "")


def _long(recording: Path, number: int, cells: Mapping[str, str], tags: TagTable) -> Iterator[Sample]:
    name = cells.get("tag", "")
    if name not in tags.row_of:
        raise RecordingError(f"{recording}: line {number}: {name!r} is no tag of the site.")
    if cells.get("value", "") != "" or cells.get("quality"):
        time_ns = _time_ns(recording, number, cells["time"])
        yield time_ns, tags.row_of[name], *_value(recording, number, cells.get("value", ""), cells.get("quality", ""))


def _value(recording: Path, number: int, cell: str, quality: str) -> tuple[float, int]:
    try:
        value = float(cell) if cell else float("nan")
    except ValueError:
        raise RecordingError(f"{recording}: line {number}: {cell!r} is no number.") from None
    word = quality.split("(", maxsplit=1)[0].upper()
    if word not in ("", *Quality.__members__):
        raise RecordingError(f"{recording}: line {number}: quality {quality!r} is not GOOD, UNCERTAIN or BAD.")
    if not np.isfinite(value):
        return float("nan"), encode(Quality.BAD, Reason.NOT_A_NUMBER)
    return value, encode(Quality[word]) if word else 0


def _time_ns(recording: Path, number: int, cell: str) -> int:
    """Read ISO 8601 with offset, or epoch s, ms or ns told apart by size; a time without offset is refused."""
    try:
        amount = float(cell)
    except ValueError:
        pass
    else:
        if abs(amount) < EPOCH_S_MAX:
            return round(amount * 1e9)
        return int(amount) * 1_000_000 if abs(amount) < EPOCH_MS_MAX else int(cell)
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise RecordingError(f"{recording}: line {number}: {cell!r} is no time.") from None
    if moment.tzinfo is None:
        raise RecordingError(f"{recording}: line {number}: {cell!r} has no offset; write e.g. +08:00 or Z after it.")
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _by_time(samples: Iterable[Sample]) -> Iterator[tuple[int, list[Sample]]]:
    """Group samples as they stand in the file: a change of time begins a new group."""
    group: list[Sample] = []
    for sample in samples:
        if group and sample[0] != group[0][0]:
            yield group[0][0], group
            group = []
        group.append(sample)
    if group:
        yield group[0][0], group


def _scans(tags: TagTable, samples: list[Sample], now_ns: int, numbers: dict[str, int]) -> Iterator[Scan]:
    by_source: dict[str, list[Sample]] = {}
    for sample in samples:
        by_source.setdefault(tags[sample[1]].source, []).append(sample)
    for source, mine in by_source.items():
        numbers[source] = numbers.get(source, 0) + 1
        yield Scan(
            source=source,
            epoch=1,
            number=numbers[source],
            received_ns=now_ns,
            rows=np.array([row for _, row, _, _ in mine], dtype=np.int32),
            values=np.array([value for _, _, value, _ in mine], dtype=np.float64),
            quality=np.array([quality for _, _, _, quality in mine], dtype=np.uint8),
            times_ns=np.array([time_ns for time_ns, _, _, _ in mine], dtype=np.int64),
            nature=tags[mine[0][1]].nature,
        )
