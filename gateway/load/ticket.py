"""Suppression by tickets: what ``[[ticket_suppression]]`` says that special work keeps quiet.

Why: what is declared too widely would keep the gas detectors of a plant quiet while people weld; RED is asked for
    by name.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from alerting.covers import under
from alerting.model.rule import Rule
from alerting.model.ticket_cover import WORKS, TicketSuppression
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.load.suppression import GROUPS, TIERS

WORK_RULE: Final = "it is the kind of work, e.g. hot"


def read_ticket_suppressions(
    entries: Sequence[Entry], tags: Sequence[TagDraft], units: Sequence[HazardUnit], rules: Iterable[Rule]
) -> tuple[TicketSuppression, ...]:
    """Read them.

    Args:
        rules: The rules of the site, to know whether there is anything to keep quiet.
    """
    known = list(rules)
    found: dict[str, TicketSuppression] = {}
    for entry in entries:
        each = _read(entry, tags, units)
        if each.id in found:
            entry.wrong("id", "id stands twice.", "Give each suppression its own id.")
        elif each.id:
            _check_cover(entry, each, tags, units, known)
            found[each.id] = each
    return tuple(found.values())


def _read(entry: Entry, tags: Sequence[TagDraft], units: Sequence[HazardUnit]) -> TicketSuppression:
    entry.refuse_unknown(keys_of("ticket_suppression"))
    name = entry.required("id", ID_RULE, is_id)
    work = entry.required("work", WORK_RULE)
    if work and work not in WORKS:
        entry.wrong("work", f"work is {show(work)}; it is one of {', '.join(WORKS)}.", meant(work, WORKS))
    named = {"units": entry.texts("units"), "tags": entry.texts("tags"), "groups": entry.texts("groups")}
    there = {"units": [unit.id for unit in units], "tags": [draft.tag.name for draft in tags]}
    for key, known in there.items():
        for one in named[key]:
            if one not in known:
                entry.wrong(key, f"{key} names {show(one)}, which does not exist.", meant(one, tuple(known)))
    for group in named["groups"]:
        if group not in GROUPS:
            said = f"groups names {show(group)}; it is one of {', '.join(GROUPS)}."
            entry.wrong("groups", said, meant(group, GROUPS))
    tier = Tier[entry.choice("tier_most", TIERS, "ORANGE")]
    if tier is Tier.RED and not named["tags"]:
        entry.wrong(
            "tier_most",
            "tier_most is RED without tags; an alarm that can be RED falls quiet for a ticket by name alone.",
            "Name the tags, or leave tier_most out.",
        )
    return TicketSuppression(
        id=name, work=work, units=named["units"], tags=named["tags"], groups=named["groups"], tier_most=tier
    )


def _check_cover(
    entry: Entry, each: TicketSuppression, tags: Sequence[TagDraft], units: Sequence[HazardUnit], rules: Sequence[Rule]
) -> None:
    """Warn of one that keeps nothing quiet, whichever unit its ticket is for."""
    inside = set(under(each.units, units))
    names = set(each.tags) or {
        draft.tag.name for draft in tags if draft.tag.unit and (not inside or draft.tag.unit in inside)
    }
    highest: dict[tuple[str, str], Tier] = {}
    for rule in rules:
        if rule.tag in names and not rule.is_hidden:
            place = rule.tag, rule.group
            highest[place] = max(highest.get(place, Tier.NONE), rule.tier)
    if names and not any(
        tier <= each.tier_most and (not each.groups or group.split(":")[0] in each.groups)
        for (_, group), tier in highest.items()
    ):
        entry.warn(
            "tags" if each.tags else "work",
            f"it covers no alarm: none there can reach {each.tier_most.name} at most"
            + (f" and is one of {', '.join(each.groups)}." if each.groups else "."),
            "Name other units, tags or groups, or raise tier_most.",
        )
