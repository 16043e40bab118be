"""Incident: what ``[incident]`` says of when incidents open by themselves."""

from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from edge.load.entry import Entry
from edge.load.words import keys_of

TIERS = tuple(tier.name for tier in Tier)


def read_incident(root: Entry) -> IncidentPolicy:
    """Read it; without the section an incident opens at ORANGE."""
    section = root.section("incident")
    section.who = "Incident"
    section.refuse_unknown(keys_of("incident"))
    return IncidentPolicy(from_tier=Tier[section.choice("from_tier", TIERS, Tier.ORANGE.name) or Tier.ORANGE.name])
