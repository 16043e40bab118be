"""Crowd response: what ``[[crowd_response]]`` and its actions say of how a zone is kept from filling.

Why: an action that nobody can carry out, or that begins by itself and tells nobody, shows itself on the fullest day.
"""

from collections.abc import Collection
from typing import Final

from alerting.escalation.plan import LEADER
from alerting.model.crowd_policy import DENSITY_MOST, HORIZON_MIN, MEASURES, STALE_S, CrowdAction, CrowdResponse
from alerting.model.tier import Tier
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.config import Destination
from gateway.load.headquarters import who_of

ACTIONS_MOST: Final = 20
DENSITY: Final = Span(least=0.1, most=5.4)
HORIZON: Final = Span(least=1, most=240)
WIDTH: Final = Span(least=0, most=1_000)
STALE: Final = Span(least=5, most=3_600)
TIERS: Final = tuple(tier.name for tier in Tier if tier is not Tier.NONE)


def read_responses(
    root: Entry, units: Collection[str], channels: Collection[Destination], roster: RosterPlan
) -> tuple[CrowdResponse, ...]:  # fmt: skip
    """Read them.

    Args:
        root: The site file.
        units: Ids of the hazard units.
        channels: Ways by which people and programs are told.
        roster: Posts that carry actions out.
    """
    found: dict[str, CrowdResponse] = {}
    for entry in root.sections("crowd_response", "Crowd response"):
        entry.refuse_unknown(keys_of("crowd_response"))
        zone = entry.required("zone", ID_RULE, is_id)
        unit = entry.required("unit", "it is the id of a [[unit]]")
        if unit and unit not in units:
            entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        one = CrowdResponse(
            zone=zone,
            unit=unit,
            density_most=entry.number("density_most", DENSITY_MOST, DENSITY),
            horizon_min=entry.number("horizon_minutes", HORIZON_MIN, HORIZON),
            entry_m=entry.number("entry_m", 0.0, WIDTH),
            exit_m=entry.number("exit_m", 0.0, WIDTH),
            stale_s=entry.number("stale_s", STALE_S, STALE),
            actions=_actions(entry, channels, roster),
        )
        if zone in found:
            entry.wrong("zone", f"zone {show(zone)} stands twice.", "Name each zone once.")
        elif zone:
            found[zone] = one
    return tuple(found.values())


def _actions(entry: Entry, channels: Collection[Destination], roster: RosterPlan) -> tuple[CrowdAction, ...]:
    given = entry.sections("action", f"{entry.who}, action")
    if len(given) > ACTIONS_MOST:
        en = f"it has {len(given)} actions; a zone has {ACTIONS_MOST} at most."
        entry.wrong("action", en, "Keep those that people can carry out.")
    found: dict[str, CrowdAction] = {}
    names: set[str] = set()
    for each in given:
        each.refuse_unknown(keys_of("crowd_response.action"))
        name = each.required("id", ID_RULE, is_id)
        if name in names:
            each.wrong("id", "id stands twice.", "Give each action of a zone its own id.")
        names.add(name)
        made = _action(each, name, channels, roster)
        if name and made is not None:
            found.setdefault(name, made)
    return tuple(found.values())


def _action(entry: Entry, name: str, channels: Collection[Destination], roster: RosterPlan) -> CrowdAction | None:
    measure, tier = entry.choice("measure", MEASURES, ""), entry.choice("tier", TIERS, "")
    title, text = entry.titles("title", ""), entry.titles("text", "")
    if not title:
        entry.wrong("title", "title is missing; it says what people do.", 'Write title = { en = "…", zh = "…" }.')
    if measure == "announce" and not text:
        entry.wrong("text", "text is missing; it is what is announced.", 'Write text = { en = "…", zh = "…" }.')
    channel, is_automatic = entry.text("channel"), entry.flag("automatic", default=False)
    kinds = {one.id: one.reach.kind for one in channels if one.reach is not None}
    if channel and channel not in kinds:
        entry.wrong("channel", f"channel {show(channel)} does not exist.", meant(channel, tuple(kinds)))
    elif channel and kinds[channel] != "webhook":
        en = f"channel {show(channel)} is of kind {kinds[channel]}; a system of the site is told by a webhook."
        entry.wrong("channel", en, 'Name a [[channel]] with kind = "webhook".')
    elif measure == "stop_sales" and not channel:
        en = "stop_sales has no channel; the system that sells is told by a webhook."
        entry.wrong("channel", en, 'Name a [[channel]] with kind = "webhook".')
    if is_automatic and not channel:
        en = "automatic is given without channel; what people do waits for a person."
        entry.wrong("automatic", en, "Add channel, or remove automatic.")
    who = who_of(entry, "who", entry.text("who"), roster) if entry.has("who") else LEADER
    known = next((one for one in MEASURES if one == measure), None)
    if known is None or tier not in TIERS:
        return None
    return CrowdAction(
        id=name,
        measure=known,
        tier=Tier[tier],
        title=title,
        text=text,
        channel=channel,
        is_automatic=is_automatic,
        who=who,
    )
