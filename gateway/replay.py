"""Replay: recorded data down the same road, as fast as it goes.

Flow: recording (ours, or a foreign CSV) -> intake -> core -> event log
Why: a recording of ours gives live's events in every field but ``run``; a foreign file gives the same bytes each time.

A foreign file has no receive times: samples count as received at their own time, and the clock is read wherever a
delay or a silence falls due, so that the result does not depend on how fast the file is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from alerting.desk import Desk, Outcome
from alerting.model.rule import RuleTable
from edge.model import Scan, TagTable
from gateway.config import Site
from gateway.intake import Intake
from gateway.record import FORMAT, EventLog, item_of, restore_snapshot, rules_of, swap_of, tiering_of
from gateway.record_philosophy import philosophy_of
from gateway.record_site import authors_of
from gateway.recording import RecordingError, Samples, join, samples
from gateway.store.rows import command_of
from gateway.system import with_system
from gateway.turn import Item, take_turn

TAIL_NS = 3_600_000_000_000  # After the last sample the clock goes on for an hour, so that every delay has its end.


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
            snapshot["site"],
            RuleTable(rules_of(snapshot), site.tags, authors_of(snapshot)),
            site.units,
            site.tasks,
            snapshot["start_ns"],
            site.derived,
            tiering=tiering_of(snapshot),
            philosophy=philosophy_of(snapshot),
        )
        if snapshot.get("derived", []) != [each.identity for each in site.derived]:
            raise RecordingError(
                f"{recording}: its derived tags are computed otherwise than those of the configuration; use the one it "
                "was made with."
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
            commands = [command_of(command) for command in line["commands"]]
            turned = take_turn(
                desk, intake, items, commands, line["now_ns"],
                swap=swap_of(line, desk), away_ns=line.get("away_ns", 0),
            )  # fmt: skip
            _note(done, log, items, turned.outcome)
    done.refused = sum(intake.refused.values())
    return done


def _replay_foreign(site: Site, recording: Path, log: EventLog, until_ns: int | None) -> Replayed:
    desk: Desk | None = None
    intake = Intake(site.sources, site.tags)
    done = Replayed()
    now_ns = 0
    numbers: dict[str, int] = {}
    place_of: dict[str, int] = {}
    sources = np.array([place_of.setdefault(tag.source, len(place_of)) for tag in site.tags], dtype=np.int64)
    for at_ns, group in _by_time(recording, site.tags):
        if until_ns is not None and at_ns > until_ns:
            break
        if desk is None:
            desk = Desk(
                site.id,
                site.rules,
                site.units,
                site.tasks,
                at_ns,
                site.derived,
                tiering=site.tiering,
                philosophy=site.philosophy,
            )
            for memory in desk.memories.values():
                memory.is_watched[:] = False  # A tag that the file does not have is not silent.
        _wait(desk, intake, done, log, now_ns, at_ns)
        now_ns = max(now_ns, at_ns)
        scans: list[Item] = list(_scans(sources, site.tags, group, now_ns, numbers))
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
        due_ns = desk.next_due_ns()
        due_ns = to_ns if due_ns is None else max(due_ns, last_ns + 1)
        if due_ns >= to_ns:
            return
        _note(done, log, [], take_turn(desk, intake, [], [], due_ns).outcome)
        last_ns = due_ns


def _note(done: Replayed, log: EventLog, items: Iterable[Item], outcome: Outcome) -> None:
    log.write(outcome.events)
    done.ticks += 1
    done.events += len(outcome.events)
    done.samples += sum(len(item) for item in items if isinstance(item, Scan))


def _by_time(recording: Path, tags: TagTable) -> Iterator[tuple[int, Samples]]:
    """Group samples as they stand in the file: a change of time begins a new group."""
    held: list[Samples] = []  # The last time of a chunk may go on in the next.
    for chunk in samples(recording, tags):
        cuts = [0, *(np.flatnonzero(np.diff(chunk.times_ns)) + 1).tolist(), len(chunk)]
        for first, end in pairwise(cuts):
            group = chunk[first:end]
            if held and len(group) and held[0].times_ns[0] != group.times_ns[0]:
                yield int(held[0].times_ns[0]), join(held)
                held = []
            if len(group):
                held.append(group)
    if held:
        yield int(held[0].times_ns[0]), join(held)


def _scans(
    sources: NDArray[np.int64], tags: TagTable, group: Samples, now_ns: int, numbers: dict[str, int]
) -> Iterator[Scan]:
    """Give one scan a source, in the order of the site's tag table, however the file is laid out."""
    mine = sources[group.rows]
    _, first = np.unique(mine, return_index=True)
    for at in first:
        tag = tags[int(group.rows[at])]
        part = group[mine == mine[at]]
        numbers[tag.source] = numbers.get(tag.source, 0) + 1
        yield Scan(
            source=tag.source,
            epoch=1,
            number=numbers[tag.source],
            received_ns=now_ns,
            rows=part.rows,
            values=part.values,
            quality=part.quality,
            times_ns=part.times_ns,
            nature=tag.nature,
        )
