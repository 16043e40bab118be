"""Crowd policy of a site: which zones are watched against the capacity in force, and from when one is busy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alerting.model.tier import Tier

#: Share of its capacity from which a zone with no filed event is a finding, %, and how long; ours.
BUSY_PCT: Final = 80.0
BUSY_S: Final = 600.0
#: Under whose name a busy zone opens a hidden hazard.
BUSY_BY: Final = "rule:busy_zone"


#: What is done about a crowd: by people, or by a system of the site that is told of it.
Measure: TypeAlias = Literal["hold_gates", "one_way", "divert", "stop_sales", "announce"]
MEASURES: Final[tuple[Measure, ...]] = ("hold_gates", "one_way", "divert", "stop_sales", "announce")
#: Density up to which a zone is filled where the site says nothing, persons/m²; from there shocks run through a crowd.
DENSITY_MOST: Final = 4.0
#: Time over which the room that is left is given away, min; how old a head count may be, s; ours.
HORIZON_MIN: Final = 15.0
STALE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdAction:
    """What is offered from a tier of a zone's unit on.

    Attributes:
        title: By language.
        text: What is announced, by language; empty for nothing.
        channel: Webhook that is told when it begins and ends; empty for none: people alone do it.
        is_automatic: It begins without a person; only of one with a channel.
        who: Who carries it out and is told of it: ``leader`` for whoever leads the shift, ``post:ID``, ``person:NAME``.
    """

    id: str
    measure: Measure
    tier: Tier
    title: Mapping[str, str]
    text: Mapping[str, str]
    channel: str = ""
    is_automatic: bool = False
    who: str = "leader"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdResponse:
    """How a zone is kept from filling.

    Attributes:
        zone: Code in the ledger of crowd zones.
        unit: Hazard unit whose tier offers the actions.
        density_most: Density up to which it is filled, persons/m².
        horizon_min: Time over which the room that is left is given away, min.
        entry_m, exit_m: Clear widths of all entries and of all exits, m; 0 where they are not known.
        stale_s: A head count that is older says nothing, s.
    """

    zone: str
    unit: str
    density_most: float = DENSITY_MOST
    horizon_min: float = HORIZON_MIN
    entry_m: float = 0.0
    exit_m: float = 0.0
    stale_s: float = STALE_S
    actions: tuple[CrowdAction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdShare:
    """A zone whose head count is a tag of its own, in percent of the capacity in force.

    Attributes:
        zone: Code in the ledger of crowd zones.
        unit: Hazard unit of the site whose alarms it rings.
    """

    zone: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPolicy:
    """What a site lays down about its crowd zones.

    Attributes:
        is_watched: A busy zone without a filed event opens a hidden hazard.
    """

    is_watched: bool = False
    busy_pct: float = BUSY_PCT
    busy_s: float = BUSY_S
    shares: tuple[CrowdShare, ...] = ()
    responses: tuple[CrowdResponse, ...] = ()
