"""Bulk: what of a tick can be judged in one pass, before its scans take their turns.

Flow: items in order of arrival -> [settle] -> whole scans taken, parts taken, the rest as ever
Why: a thousand quiet scans cost a thousand times less together than one after the other.
Never: changes what comes out: each tag comes once and is no input of another tag's rule, so nothing can depend on the
order in which samples are taken. What they change is folded into alarms in the scan's turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from alerting.abreast import Walk
from alerting.core import Changes
from alerting.core.backend import Backend
from alerting.core.batch import NONE_NS, Batch
from alerting.desk import Desk
from edge.model import Link, Nature, Scan
from gateway.intake import Intake, Plain, take

Item: TypeAlias = Scan | Link
SCANS_MIN = 3  # Of sources that have plain tags alone; below that much, bulk costs more than it saves.
SAMPLES_MIN = 128
ABREAST_MIN = 2


@dataclass(slots=True)
class Part:
    """A scan of which not all was taken, or which changed something.

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


@dataclass(slots=True)
class Settled:
    """What became of a tick's items in bulk, by their place.

    Attributes:
        whole: Scans of which all was taken and which changed nothing.
        samples: How many samples these have.
        parts: The other scans that were looked at.
        walks: Scans that were judged side by side, each with its place in the line.
    """

    whole: set[int] = field(default_factory=set)
    samples: int = 0
    parts: dict[int, Part] = field(default_factory=dict)
    walks: dict[int, tuple[Walk, int]] = field(default_factory=dict)

    def others(self, count: int) -> list[int]:
        """Give the places of all items but those that are whole, ascending."""
        whole = self.whole
        return [place for place in range(count) if place not in whole] if len(whole) < count else []


def settle(desk: Desk, intake: Intake, items: Sequence[Item]) -> Settled:
    """Take in bulk what needs no second thought, of all scans that simply follow (``alerting.core.guard``)."""
    settled = Settled()
    if len(items) < ABREAST_MIN and desk.backend is not Backend.COMPILED and _samples(items) < SAMPLES_MIN:
        return settled  # Never enough to pay.
    for nature, plain in intake.plain(items, desk).items():
        is_cheap = desk.backend is Backend.COMPILED  # Whatever there is; one sample costs less there than anywhere.
        if is_cheap or _pays(desk, nature, plain):
            intake.note_plain(plain)
            _settle(desk, intake, nature, plain, settled)
        elif len(plain.scans) > 1:
            _line_up(desk, intake, nature, plain, items, settled)
    return settled


def _line_up(desk: Desk, intake: Intake, nature: Nature, plain: Plain, items: Sequence[Item], settled: Settled) -> None:
    """Judge scans side by side that came at one moment and have nothing to do with each other."""
    ranks = desk.ranks(nature)
    if ranks is None:
        return
    free = ranks.pick(desk.memory(nature), [item.source for item in items if isinstance(item, Scan)])
    moment = plain.scans[0].received_ns
    picked = [at for at, scan in enumerate(plain.scans) if scan.received_ns == moment and scan.source in free]
    if len(picked) < ABREAST_MIN:
        return
    line = ranks.line_up([plain.scans[at] for at in picked])
    if line is None or not intake.follows_simply(line.scan, line.pattern.at, desk.memory(nature), plain, picked):
        return
    walk = desk.take_abreast(nature, line)
    for place, at in enumerate(picked):
        settled.walks[plain.places[at]] = walk, place


def _samples(items: Sequence[Item]) -> int:
    return sum(len(item.rows) for item in items if isinstance(item, Scan))


def _pays(desk: Desk, nature: Nature, plain: Plain) -> bool:
    """Tell whether array code that judges all scans at once saves more than it costs."""
    whole = desk.guard(nature).plain_sources(desk.memory(nature))[plain.source]
    return bool(np.count_nonzero(whole) >= SCANS_MIN) or sum(len(scan.rows) for scan in plain.scans) >= SAMPLES_MIN


def _settle(desk: Desk, intake: Intake, nature: Nature, plain: Plain, settled: Settled) -> None:
    memory, scans = desk.memory(nature), plain.scans
    batch = Batch.of(scans, plain.source, plain.received_ns, plain.lateness_ns, intake.room)
    taken = desk.take_batch(nature, batch)
    if intake.steps.is_any:
        intake.steps.clear(batch.rows[taken.is_taken])
    if (
        len(desk.table.many) == len(desk.derived) == len(desk.table.votes) == len(desk.table.gates.rules) == 0
    ):  # Nothing looks at another source's time within the tick.
        if len(scans) > 1:
            memory.mark_all(scans, plain.source, plain.received_ns, taken.newest_ns)
        elif (newest := int(taken.newest_ns[0])) != NONE_NS:
            memory.mark(scans[0], newest)
        odd = set(np.flatnonzero(taken.left).tolist()) | taken.changes.keys()
        newest_ns = dict.fromkeys(odd, NONE_NS)
    else:
        newest_ns = dict(enumerate(taken.newest_ns.tolist()))
    settled.whole.update(plain.places)
    settled.samples += len(batch)
    for at, newest in newest_ns.items():
        part = Part(scans[at], newest_ns=newest, changes=taken.changes.get(at))
        if taken.left[at]:
            mask = taken.is_taken[batch.first[at] : batch.first[at + 1]]
            part.scan, part.rest = take(scans[at], mask), take(scans[at], ~mask)
        settled.parts[plain.places[at]] = part
        settled.whole.discard(plain.places[at])
        settled.samples -= len(scans[at].rows)
