"""Alarm philosophy of a site: what its file lays down about how alarms are handled.

Why: one section each, one mistake each; what is not written takes a default that asks for nothing more than before.
"""

from alerting.model.absence import HOURS_MOST, TIERS, Absence
from alerting.model.philosophy import Philosophy
from alerting.model.tier import Tier
from edge.load.entry import Entry
from edge.load.words import keys_of
from gateway.load.shelving import read_shelving
from gateway.load.tier_limits import read_falling

TIER_NAMES = tuple(tier.name for tier in TIERS)


def read_philosophy(root: Entry) -> Philosophy:
    """Read all of it.

    Args:
        root: The site file.
    """
    return Philosophy(shelving=read_shelving(root), absence=_read_absence(root))


def _read_absence(root: Entry) -> Absence:
    section = root.section("out_of_service")
    section.who = "Out of service"
    section.refuse_unknown(keys_of("out_of_service"))
    given = section.section("max_hours")
    given.refuse_unknown(keys_of("out_of_service.max_hours"))
    hours = read_falling(given, dict.fromkeys(TIERS, HOURS_MOST), HOURS_MOST, "hours", "be out of service")
    permit_from = Tier.NONE
    if section.has("permit_from"):
        permit_from = Tier[section.choice("permit_from", TIER_NAMES, "RED")]
    return Absence(hours=hours, permit_from=permit_from)
