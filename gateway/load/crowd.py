"""Crowds: what ``[crowd]`` and ``[[crowd_share]]`` say of crowd zones and the capacity in force."""

from collections.abc import Collection

from alerting.model.crowd_policy import BUSY_PCT, BUSY_S, CrowdPolicy, CrowdShare
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.config import Destination
from gateway.load.crowd_response import read_responses

PERCENT = Span(least=1, most=200)
MINUTES = Span(least=0, most=1_440)


def read_crowd(
    root: Entry, units: Collection[str], channels: Collection[Destination], roster: RosterPlan
) -> CrowdPolicy:
    """Read both; without the section a busy zone is shown and opens nothing.

    Args:
        root: The site file.
        units: Ids of the hazard units.
        channels: Ways by which people and programs are told.
        roster: Posts that carry actions out.
    """
    section = root.section("crowd")
    section.who = "Crowd"
    section.refuse_unknown(keys_of("crowd"))
    found: dict[str, CrowdShare] = {}
    for entry in root.sections("crowd_share", "Crowd share"):
        entry.refuse_unknown(keys_of("crowd_share"))
        zone = entry.required("zone", ID_RULE, is_id)
        unit = entry.required("unit", "it is the id of a [[unit]]")
        if unit and unit not in units:
            entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        if zone in found:
            entry.wrong("zone", f"zone {show(zone)} stands twice.", "Name each zone once.")
        elif zone:
            found[zone] = CrowdShare(zone=zone, unit=unit)
    return CrowdPolicy(
        is_watched=root.has("crowd"),
        busy_pct=section.number("busy_pct", BUSY_PCT, PERCENT),
        busy_s=section.number("busy_minutes", BUSY_S / 60, MINUTES) * 60,
        shares=tuple(found.values()),
        responses=read_responses(root, units, channels, roster),
    )
