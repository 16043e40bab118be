"""Turn: what one tick does to the pure side of the road. Live, replay and simulation share it.

Flow: items in order of arrival, commands, one clock reading -> [admit, judge, obey, finish] -> Turned
Never: does I/O, reads a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from alerting.core.batch import NONE_NS
from alerting.core.swap import Exchange
from alerting.desk import Desk, Outcome
from alerting.model.command import Command
from alerting.swap import Prepared
from edge.model import Link, Scan
from gateway.bulk import Item, Part, Settled, settle
from gateway.intake import Intake, Lane, take

__all__ = ["Item", "Turned", "moved", "take_turn"]


@dataclass(slots=True, kw_only=True)
class Turned:
    """What a tick did: the outcome to commit, and the samples that entered, by item.

    Attributes:
        entered: For each item, the parts of it that entered any lane, as the historian is to keep them.
        shown: Scans of the live lane and retained ones, for the live picture.
        made: Scans of votes that the clock led to.
        derived: Samples of derived tags and votes; they are no input's, so they stand beside the books of what came in.
    """

    outcome: Outcome
    entered: list[list[Scan]] = field(default_factory=list)
    shown: list[Scan] = field(default_factory=list)
    made: list[Scan] = field(default_factory=list)
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
    swap: Prepared | None = None,
    is_bulk: bool = True,
    away_ns: int = 0,
) -> Turned:
    """Carry everything that waits through intake and core.

    Args:
        swap: A revision of the configuration that takes over at the end of the turn; what ``entered`` and was ``shown``
            goes by the tag rows of before.
        is_bulk: Take in bulk first what needs no second thought; without it the same comes out, slower.
        away_ns: How long the road stood still before this turn; it is no silence of the plant.
    """
    desk.begin(now_ns, away_ns)
    turned = Turned(outcome=Outcome(number=desk.ticks, now_ns=now_ns))
    settled = settle(desk, intake, items) if is_bulk else Settled()
    turned.live += settled.samples
    passed = 0
    for place in settled.others(len(items)):
        _keep_whole(turned, items[passed:place])
        passed, item = place + 1, items[place]
        kept: list[Scan] = []
        turned.entered.append(kept)
        if isinstance(item, Link):
            intake.note(item)
            continue
        walk = settled.walks.get(place)
        if walk is not None:
            _keep_made(turned, kept, item, desk.take_rest(*walk))
            continue
        part = settled.parts.get(place)
        if part is not None:
            _keep_settled(desk, turned, kept, part)
            if part.rest is None:
                continue
        _admit(intake, desk, turned, kept, item, part)
    _keep_whole(turned, items[passed:])
    for command in commands:
        desk.obey(command)
    turned.outcome = desk.finish(swap)
    turned.made = turned.outcome.made
    turned.shown += turned.made
    turned.derived += sum(map(len, (*turned.made, *turned.outcome.made_after)))
    if swap is not None and swap.beside is not None:
        intake.follow(swap.exchange, swap.beside.sources, swap.beside.began)
    return turned


def moved(scans: Sequence[Scan], exchange: Exchange) -> list[Scan]:
    """Give scans by the rows of the table that has taken over, without tags that are no more or measured otherwise."""
    if exchange.old.tags is exchange.new.tags:
        return list(scans)
    to = np.full(len(exchange.old.tags), -1, dtype=np.int32)
    to[exchange.row_there] = exchange.row_here
    found = [replace(scan, rows=to[scan.rows]) for scan in scans]
    return [take(scan, scan.rows >= 0) for scan in found]


def _keep_whole(turned: Turned, items: Sequence[Item]) -> None:
    """Enter scans of which all was taken in bulk; most are."""
    scans = cast("Sequence[Scan]", items)  # A change of a link is never taken in bulk.
    turned.entered += [[scan] for scan in scans]
    turned.shown += scans


def _keep_made(turned: Turned, kept: list[Scan], scan: Scan, derived: Sequence[Scan]) -> None:
    """Enter a scan of the live lane, and what was derived from it."""
    kept += [scan, *derived]
    turned.live += len(scan)
    turned.derived += sum(map(len, derived))
    turned.shown += [scan, *derived]


def _keep_settled(desk: Desk, turned: Turned, kept: list[Scan], part: Part) -> None:
    """Let the marks and alarms follow what was taken in bulk, in the scan's turn."""
    if part.newest_ns != NONE_NS:
        desk.memory(part.scan.nature).mark(part.scan, part.newest_ns)
    if len(part.scan.rows):
        kept.append(part.scan)
        turned.live += len(part.scan.rows)
        turned.shown.append(part.scan)
    if part.rest is None and part.changes is not None:
        desk.fold(part.scan, part.changes)


def _admit(intake: Intake, desk: Desk, turned: Turned, kept: list[Scan], item: Scan, settled: Part | None) -> None:
    """Carry a scan, or what is left of it, through intake and core."""
    changes = None if settled is None else settled.changes
    if settled is None or settled.rest is None:
        parts = intake.admit(item, desk)
    else:
        parts = intake.admit_rest(settled.rest, desk, is_part=len(settled.scan) > 0)
    for part in parts:
        match part.lane:
            case Lane.LIVE:
                _keep_made(turned, kept, part.scan, desk.take(part.scan, changes))
                changes = None
            case Lane.LATE:
                assert part.gap is not None, part.scan.key
                kept.append(part.scan)
                desk.take_late(part.scan, part.gap)
                turned.late += len(part.scan)
            case Lane.UNJUDGED:
                kept.append(part.scan)
                turned.unjudged += len(part.scan)
            case Lane.RETAINED:
                kept.append(part.scan)
                turned.retained += len(part.scan)
                turned.shown.append(part.scan)
    if changes is not None:
        desk.fold(item, changes)
