"""Draft: a rule that was read, with the place of its parts, before all that it must agree with is known."""

from dataclasses import dataclass
from typing import Final

from alerting.model.rule import Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry

#: Tiers that an alarm may have.
TIERS: Final = tuple(tier.name for tier in Tier if tier is not Tier.NONE)


@dataclass(slots=True)
class RuleDraft:
    """A rule and where its parts stand: in the columns of a tag's row, or in a ``[[rule]]``."""

    rule: Rule
    entry: Entry
    setpoint_key: str
    tier_key: str


def tier_of(entry: Entry, key: str, default: Tier | None) -> Tier:
    """Read a tier; NONE where it must be given and is not."""
    return Tier[entry.choice(key, TIERS, "" if default is None else default.name) or Tier.NONE.name]
