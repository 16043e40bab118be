"""Shelving: what ``[shelving]`` says of how long alarms may be shelved."""

from alerting.model.shelving import MAX_MINUTES, MINUTES_MOST, TIERS, Shelving
from edge.load.entry import Entry
from edge.load.words import keys_of
from gateway.load.tier_limits import read_falling


def read_shelving(root: Entry) -> Shelving:
    """Read the longest shelf of each tier; one not named takes its default, or less where a lower tier has less.

    Args:
        root: The site file.
    """
    section = root.section("shelving")
    section.who = "Shelving"
    section.refuse_unknown(keys_of("shelving"))
    given = section.section("max_minutes")
    given.refuse_unknown(keys_of("shelving.max_minutes"))
    defaults = {tier: MAX_MINUTES[tier] for tier in TIERS}
    return Shelving(minutes=read_falling(given, defaults, MINUTES_MOST, "minutes", "be quiet"))
