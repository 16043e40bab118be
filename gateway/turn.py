"""Turn: what one tick does to the pure side of the road. Live, replay and simulation share it.

Flow: items in order of arrival, commands, one clock reading -> [admit, judge, obey, finish] -> Turned
Never: does I/O, reads a clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from alerting.desk import Desk, Outcome
from alerting.model.command import Command
from edge.model import Link, Nature, Scan
from gateway.intake import Admitted, Intake, Lane, take

Item: TypeAlias = Scan | Link
QUIET_SCANS_MIN = 2  # Below that much, looking for quiet samples costs more than it saves.
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
        is_bulk: Settle quiet samples in bulk first; without it the same comes out, slower.
    """
    desk.begin(now_ns)
    turned = Turned(outcome=Outcome(number=desk.ticks, now_ns=now_ns))
    quiet = settle_quiet(desk, intake, items) if is_bulk else {}
    for place, item in enumerate(items):
        kept: list[Scan] = []
        turned.entered.append(kept)
        if isinstance(item, Link):
            intake.note(item)
            continue
        settled = quiet.get(place)
        if settled is not None and len(settled):
            kept.append(settled)
            turned.live += len(settled)
            turned.shown.append(settled)
            if len(settled) == len(item):
                continue
        for part in _admit(intake, desk, item, settled):
            kept.append(part.scan)
            match part.lane:
                case Lane.LIVE:
                    derived = desk.take(part.scan)
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
    for command in commands:
        desk.obey(command)
    turned.outcome = desk.finish()
    return turned


def _admit(intake: Intake, desk: Desk, item: Scan, settled: Scan | None) -> Iterator[Admitted]:
    """Admit a scan, or what is left of it."""
    if settled is None:
        return intake.admit(item, desk)
    rest = take(item, ~np.isin(item.rows, settled.rows))
    return intake.admit_rest(rest, desk, is_part=len(settled) > 0)


def settle_quiet(desk: Desk, intake: Intake, items: Sequence[Item]) -> dict[int, Scan]:
    """Settle in bulk the samples that change nothing (``alerting.core.guard``), of all scans that simply follow.

    Nothing can depend on their order: each tag comes once, changes no rule, and is no input of another tag's rule.

    Returns:
        By place in ``items``: the settled part of each plain scan, perhaps empty. What is not settled goes on as ever.
    """
    by_nature: dict[Nature, dict[int, Scan]] = {}
    seen: set[str] = set()
    for place, item in enumerate(items):
        source = item.source
        if isinstance(item, Scan) and source not in seen and intake.is_plain(item, desk.memory(item.nature)):
            by_nature.setdefault(item.nature, {})[place] = item
        seen.add(source)  # A second scan of a source waits for what the first one does.
    settled: dict[int, Scan] = {}
    for nature, scans in by_nature.items():
        if len(scans) >= QUIET_SCANS_MIN or sum(map(len, scans.values())) >= QUIET_SAMPLES_MIN:
            settled |= _settle(desk, intake, nature, scans)
    return settled


def _settle(desk: Desk, intake: Intake, nature: Nature, scans: dict[int, Scan]) -> dict[int, Scan]:
    memory, guard = desk.memory(nature), desk.guard(nature)
    mine = list(scans.values())
    counts = [len(scan) for scan in mine]
    rows = np.concatenate([scan.rows for scan in mine])
    values = np.concatenate([scan.values for scan in mine])
    quality = np.concatenate([scan.quality for scan in mine])
    times_ns = np.concatenate([scan.times_ns for scan in mine])
    received_ns = np.repeat(np.array([scan.received_ns for scan in mine], dtype=np.int64), counts)
    sources = np.repeat(np.array([intake.place_of(scan.source) for scan in mine], dtype=np.int32), counts)
    fine = intake.in_time(sources, rows, times_ns, received_ns)
    known = np.flatnonzero((rows >= 0) & (rows < len(desk.table.tags)))
    fine[known] &= guard.is_single(rows[known])  # A tag that comes twice is judged in order of time.
    counted_ns = np.minimum(times_ns, received_ns)
    quiet = np.zeros(len(rows), dtype=np.bool_)
    quiet[fine] = guard.is_quiet(memory, rows[fine], values[fine], quality[fine], times_ns[fine], counted_ns[fine])
    guard.settle(memory, rows[quiet], values[quiet], counted_ns[quiet])
    settled: dict[int, Scan] = {}
    start = 0
    for place, scan in scans.items():
        intake.note_plain(scan)
        mine_only = slice(start, start + len(scan))
        mask = quiet[mine_only]
        settled[place] = take(scan, mask)
        if mask.any():
            memory.mark(scan, int(counted_ns[mine_only][mask].max()))
        start += len(scan)
    return settled
