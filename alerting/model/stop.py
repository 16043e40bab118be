"""Stop: a device that is taken down or overhauled for a time that somebody declares beforehand (停用、检修).

Why: while a tank is open its alarms say nothing that anybody can act on, and an authority that sees no values asks why.
    One declaration keeps the device's alarms quiet by design (ISA-18.2, suppressed by design), says until when, and is
    what authorities keep as the stop history.
Never: outlives its end. When the end comes the alarms ring again by themselves; that somebody still has to say whether
    the device is back, or for how much longer it is away, is asked on every page until it is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from alerting.model import ticket_cover
from alerting.model.tier import Tier
from edge.model import Nature

PREFIX = "@stop."
#: Ours: a month. What is away for longer is a change of the configuration.
DAYS_MOST = 31
TAGS_MOST = 500


class StopKind(StrEnum):
    """Why a device is down."""

    STOPPED = "stopped"  # taken out of use for a while (停用)
    OVERHAUL = "overhaul"  # opened, repaired, tested (检修)
    TICKET = "ticket"  # special work under a ticket of the register (作业票); nobody declares it here


class StopState(StrEnum):
    """Where a declared stop stands."""

    PLANNED = "planned"
    RUNNING = "running"
    OVERDUE = "overdue"  # its end is past, its alarms ring again, nobody has said that the device is back
    ENDED = "ended"
    WITHDRAWN = "withdrawn"  # before it began


OPEN = frozenset({StopState.PLANNED, StopState.RUNNING, StopState.OVERDUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPolicy:
    """What declaring a stop asks for.

    Attributes:
        tier_most: Alarms that can reach a higher tier go on ringing.
        days_most: Longest from the declaration, and from an extension, on.
        needs_permit: Whether an overhaul is declared under the number of a permit.
    """

    tier_most: Tier = Tier.ORANGE
    days_most: int = DAYS_MOST
    needs_permit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody declares; it travels with the command.

    Attributes:
        unit: Hazard unit that is down with everything under it; empty where ``tags`` say it.
        tags: Tags of the device, where it is less than a unit.
        begins_ns: Receive time from which on; what is past means at once.
        work: Of a ticket the kind of its work; empty else.
    """

    kind: StopKind
    unit: str = ""
    tags: tuple[str, ...] = ()
    begins_ns: int = 0
    work: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One declared stop.

    Attributes:
        id: Hash of what was declared, 12 hexadecimal digits.
        unit: As in ``Plan``; where tags were named the unit of the first.
        tags: Tags that it stops: those that were named, or all of the unit and what is under it that have an alarm.
        is_whole: The unit was named, not tags.
        covered: How many alarms it keeps quiet; ``left`` how many go on ringing because they can be too grave.
        begins_ns, ends_ns: Receive times.
        began_ns: When it really began; 0 before.
        over_by, over_ns, note: Who said that the device is back, or withdrew it, when, and with which words.
        work: Of a ticket the kind of its work; its code is ``permit``, and what it covers says the configuration.
    """

    id: str
    kind: StopKind
    nature: Nature
    unit: str
    tags: tuple[str, ...]
    is_whole: bool
    covered: int
    left: int
    reason: str
    permit: str
    who: str
    confirmed_by: str
    declared_ns: int
    begins_ns: int
    ends_ns: int
    state: StopState
    began_ns: int = 0
    over_by: str = ""
    over_ns: int = 0
    note: str = ""
    work: str = ""

    @property
    def design(self) -> str:
        """What alarms name as what keeps them quiet."""
        return ticket_cover.design_of(self.permit) if self.kind is StopKind.TICKET else PREFIX + self.id

    @property
    def words(self) -> Mapping[str, str]:
        """Why, by language: in the words of who declared it; of a ticket with its code."""
        if self.kind is StopKind.TICKET:
            return ticket_cover.words_of(self.permit, self.reason)
        return {"en": self.reason, "zh": self.reason}
