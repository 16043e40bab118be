"""Turn: what one tick does to the pure side of the road. Live, replay and simulation share it.

Flow: items in order of arrival, commands, one clock reading -> [admit, judge, obey, finish] -> Turned
Never: does I/O, reads a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from alerting.desk import Desk, Outcome
from alerting.model.command import Command
from edge.model import Link, Scan
from gateway.intake import Intake, Lane

Item: TypeAlias = Scan | Link


@dataclass(slots=True, kw_only=True)
class Turned:
    """What a tick did: the outcome to commit, and the samples that entered, by item.

    Attributes:
        entered: For each item, the parts of it that entered any lane, as the historian is to keep them.
        shown: Scans of the live lane and retained ones, for the live picture.
    """

    outcome: Outcome
    entered: list[list[Scan]] = field(default_factory=list)
    shown: list[Scan] = field(default_factory=list)
    live: int = 0
    late: int = 0
    unjudged: int = 0
    retained: int = 0


def take_turn(desk: Desk, intake: Intake, items: Sequence[Item], commands: Sequence[Command], now_ns: int) -> Turned:
    """Carry everything that waits through intake and core."""
    desk.begin(now_ns)
    turned = Turned(outcome=Outcome(number=desk.ticks, now_ns=now_ns))
    for item in items:
        kept: list[Scan] = []
        turned.entered.append(kept)
        if isinstance(item, Link):
            intake.note(item)
            continue
        for part in intake.admit(item, desk):
            kept.append(part.scan)
            match part.lane:
                case Lane.LIVE:
                    desk.take(part.scan)
                    turned.live += len(part.scan)
                    turned.shown.append(part.scan)
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
