"""Suppression by tickets: which alarms special work keeps quiet while its ticket is open and valid.

Why: welding beside a flame detector trips it; who knows that silences it by hand and forgets it. What a kind of work
    keeps quiet is written down beforehand, ends with the ticket, and names the ticket wherever the alarm is shown.
Never: an alarm that can be RED, unless the declaration says RED and names its tags one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerting.model.tier import Tier

#: Kinds of special work, GB 30871: those of the ledger of tickets.
WORKS: Final = ("hot", "space", "blind", "height", "lifting", "power", "soil", "road")
PREFIX: Final = "@ticket."
DESIGN_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSuppression:
    """What the tickets of one kind of work keep quiet.

    Attributes:
        id: Unique in the site.
        work: Kind of the work, one of ``WORKS``.
        units: Only tickets for one of these units, or for what is under it; empty for those of any unit.
        tags: These tags alone; empty for all of the ticket's unit and of what is under it. Where ``units`` are named
            too, a tag may belong to another unit: a gas detector that several tanks share.
        groups: Rule groups, e.g. ``high``; empty for all.
        tier_most: Alarms that can reach a higher tier go on ringing.
    """

    id: str
    work: str
    units: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tier_most: Tier = Tier.ORANGE


def design_of(code: str) -> str:
    """Give what alarms name that a ticket keeps quiet."""
    return f"{PREFIX}{code}"[:DESIGN_MAX]


def words_of(code: str, title: str) -> Mapping[str, str]:
    """Say by language which ticket keeps an alarm quiet."""
    return {"en": f"work ticket {code}: {title}", "zh": f"作业票 {code}：{title}"}


def of_work(declared: Sequence[TicketSuppression], work: str) -> list[TicketSuppression]:
    """Give those of one kind of work."""
    return [each for each in declared if each.work == work]
