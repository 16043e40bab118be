"""Turn: what one tick does to the pure side of the road. Live, replay and simulation share it.

Flow: items in order of arrival, commands, one clock reading -> [admit, judge, obey, finish] -> Turned
Never: does I/O, reads a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from alerting.core import Changes
from alerting.core.batch import NONE_NS, Batch
from alerting.desk import Desk, Outcome
from alerting.model.command import Command
from edge.model import Link, Nature, Scan
from gateway.intake import Intake, Lane, take

Item: TypeAlias = Scan | Link
QUIET_SCANS_MIN = 2  # Below that much, bulk costs more than it saves.
QUIET_SAMPLES_MIN = 32


@dataclass(slots=True, kw_only=True)
class Turned:
    """What a tick did: the outcome to commit, and the samples that entered, by item.

    Attributes:
        entered: For each item, the parts of it that entered any lane, as the historian is to keep them.
        shown: Scans of the live lane and retained ones, for the live picture.
        derived: Samples of derived tags; they are no input's, so they stand beside the books of what came in.
    """

    outcome: Outcome
    entered: list[list[Scan]] = field(default_factory=list)
    shown: list[Scan] = field(default_factory=list)
    live: int = 0
    late: int = 0
    unjudged: int = 0
    retained: int = 0
    derived: int = 0


def take_turn(
    desk: Desk,
    intake: Intake,
    items: Sequence[Item],
    commands: Sequence[Command],
    now_ns: int,
    *,
    is_bulk: bool = True,
) -> Turned:
    """Carry everything that waits through intake and core.

    Args:
        is_bulk: Take in bulk first what needs no second thought; without it the same comes out, slower.
    """
    desk.begin(now_ns)
    turned = Turned(outcome=Outcome(number=desk.ticks, now_ns=now_ns))
    settled = settle(desk, intake, items) if is_bulk else {}
    for place, item in enumerate(items):
        kept: list[Scan] = []
        turned.entered.append(kept)
        if isinstance(item, Link):
            intake.note(item)
            continue
        part = settled.get(place)
        if part is not None:
            _keep_settled(desk, turned, kept, part)
            if part.rest is None:
                continue
        _admit(intake, desk, turned, kept, item, part)
    for command in commands:
        desk.obey(command)
    turned.outcome = desk.finish()
    return turned


@dataclass(slots=True)
class Settled:
    """What became of a scan in bulk.

    Attributes:
        scan: What was taken, perhaps empty.
        rest: What goes on as ever; None for nothing.
        newest_ns: Newest time of the samples that enter live; ``NONE_NS`` for none, or where it is noted already.
        changes: What the samples taken changed, before them and by them.
    """

    scan: Scan
    rest: Scan | None = None
    newest_ns: int = NONE_NS
    changes: tuple[Changes, Changes] | None = None


def _keep_settled(desk: Desk, turned: Turned, kept: list[Scan], part: Settled) -> None:
    """Let the marks and alarms follow what was taken in bulk, in the scan's turn."""
    if part.newest_ns != NONE_NS:
        desk.memory(part.scan.nature).mark(part.scan, part.newest_ns)
    if len(part.scan.rows):
        kept.append(part.scan)
        turned.live += len(part.scan.rows)
        turned.shown.append(part.scan)
    if part.rest is None and part.changes is not None:
        desk.fold(part.scan, part.changes)


def _admit(intake: Intake, desk: Desk, turned: Turned, kept: list[Scan], item: Scan, settled: Settled | None) -> None:
    """Carry a scan, or what is left of it, through intake and core."""
    changes = None if settled is None else settled.changes
    if settled is None or settled.rest is None:
        parts = intake.admit(item, desk)
    else:
        parts = intake.admit_rest(settled.rest, desk, is_part=len(settled.scan) > 0)
    for part in parts:
        kept.append(part.scan)
        match part.lane:
            case Lane.LIVE:
                derived = desk.take(part.scan, changes)
                changes = None
                turned.live += len(part.scan)
                turned.derived += sum(map(len, derived))
                turned.shown += [part.scan, *derived]
                kept += derived
            case Lane.LATE:
                assert part.gap is not None, part.scan.key
                desk.take_late(part.scan, part.gap)
                turned.late += len(part.scan)
            case Lane.UNJUDGED:
                turned.unjudged += len(part.scan)
            case Lane.RETAINED:
                turned.retained += len(part.scan)
                turned.shown.append(part.scan)
    if changes is not None:
        desk.fold(item, changes)


def settle(desk: Desk, intake: Intake, items: Sequence[Item]) -> dict[int, Settled]:
    """Take in bulk what needs no second thought, of all scans that simply follow (``alerting.core.guard``).

    Nothing can depend on the order of what is taken: each tag comes once and is no input of another tag's rule. What
    it changes is folded into alarms in the scan's turn.

    Returns:
        By place in ``items``: what became of each such scan. What is not taken goes on as ever.
    """
    by_nature: dict[Nature, dict[int, Scan]] = {}
    seen: set[str] = set()
    for place, item in enumerate(items):
        source = item.source
        if isinstance(item, Scan) and source not in seen and intake.is_plain(item, desk.memory(item.nature)):
            by_nature.setdefault(item.nature, {})[place] = item
        seen.add(source)  # A second scan of a source waits for what the first one does.
    settled: dict[int, Settled] = {}
    for nature, scans in by_nature.items():
        if len(scans) >= QUIET_SCANS_MIN or sum(map(len, scans.values())) >= QUIET_SAMPLES_MIN:
            settled |= _settle(desk, intake, nature, scans)
    return settled


def _settle(desk: Desk, intake: Intake, nature: Nature, scans: dict[int, Scan]) -> dict[int, Settled]:
    memory, mine = desk.memory(nature), list(scans.values())
    source = np.array([memory.source_of[scan.source] for scan in mine], dtype=np.int32)
    batch = Batch.of(mine, source, intake.note_plain(mine))
    taken = desk.take_batch(nature, batch)
    newest = taken.newest_ns
    if len(desk.table.many) == len(desk.derived) == 0:  # Nothing looks at another source's time within the tick.
        memory.mark_all(mine, source, newest)
        newest = np.full(len(mine), NONE_NS, dtype=np.int64)
    settled = {
        place: Settled(scan, None, newest_ns)
        for (place, scan), newest_ns in zip(scans.items(), newest.tolist(), strict=True)
    }
    places = list(scans)
    for at in np.flatnonzero(taken.left).tolist():
        mask = taken.is_taken[batch.first[at] : batch.first[at + 1]]
        part = settled[places[at]]
        part.scan, part.rest = take(mine[at], mask), take(mine[at], ~mask)
    for at, changes in taken.changes.items():
        settled[places[at]].changes = changes
    return settled
