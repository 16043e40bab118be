"""Crowd policy of a site: which zones are watched against the capacity in force, and from when one is busy."""

from dataclasses import dataclass
from typing import Final

#: Share of its capacity from which a zone with no filed event is a finding, %, and how long; ours.
BUSY_PCT: Final = 80.0
BUSY_S: Final = 600.0
#: Under whose name a busy zone opens a hidden hazard.
BUSY_BY: Final = "rule:busy_zone"


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
