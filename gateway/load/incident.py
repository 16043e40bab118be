"""Incident: what ``[incident]`` says of when incidents open by themselves, and how headquarters are called."""

from collections.abc import Collection

from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import keys_of

TIERS = tuple(tier.name for tier in Tier)


def read_incident(root: Entry, channels: Collection[str]) -> IncidentPolicy:
    """Read it; without the section an incident opens at ORANGE.

    Args:
        channels: Ids of the ways by which people are called.
    """
    section = root.section("incident")
    section.who = "Incident"
    section.refuse_unknown(keys_of("incident"))
    channel = section.text("channel")
    if channel and channel not in channels:
        section.wrong("channel", f"channel {show(channel)} does not exist.", meant(channel, tuple(channels)))
    tier = section.choice("from_tier", TIERS, Tier.ORANGE.name) or Tier.ORANGE.name
    return IncidentPolicy(from_tier=Tier[tier], channel=channel)
