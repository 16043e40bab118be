"""Hidden hazards: what ``[hidden_hazards]`` and ``[[hazard_opening]]`` say of repeats and of alarms that open one."""

from collections.abc import Collection
from typing import Final

from alerting.model.absence import TIERS
from alerting.model.disposal import Cause
from alerting.model.hazard_policy import CONDITIONS, REPEAT_DAYS, HazardPolicy, Opening
from alerting.model.tier import Tier
from alerting.register.ledgers.hidden_hazards import TYPES
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of

REPEAT_MOST: Final = 3_660
MINUTES: Final = Span(least=0, most=30 * 1_440)
TIER_NAMES: Final = tuple(tier.name for tier in TIERS)


def read_hazards(root: Entry, units: Collection[str]) -> HazardPolicy:
    """Read both.

    Args:
        root: The site file.
        units: Ids of the hazard units.
    """
    section = root.section("hidden_hazards")
    section.who = "Hidden hazards"
    section.refuse_unknown(keys_of("hidden_hazards"))
    found: dict[str, Opening] = {}
    for entry in root.sections("hazard_opening", "Hazard opening"):
        entry.refuse_unknown(keys_of("hazard_opening"))
        opening = _opening(entry, units)
        if opening.id in found:
            entry.wrong("id", f"id {show(opening.id)} stands twice.", "Give each opening an id of its own.")
        elif opening.id:
            found[opening.id] = opening
    return HazardPolicy(
        repeat_days=section.whole("repeat_days", REPEAT_DAYS, 1, REPEAT_MOST), openings=tuple(found.values())
    )


def _opening(entry: Entry, units: Collection[str]) -> Opening:
    causes = _named(entry, "causes", tuple(cause.value for cause in Cause))
    if causes and entry.has("after_minutes"):
        entry.wrong(
            "after_minutes",
            "causes waits for the disposal, after_minutes for an alarm that stands; an opening waits for one of them.",
            "Keep one, or make two openings.",
        )
    tiers = _named(entry, "tiers", TIER_NAMES)
    if not tiers and not entry.has("tiers"):
        entry.wrong("tiers", "tiers is missing; it says which alarms open a hidden hazard.", 'Write tiers = ["RED"].')
    elif not tiers:
        entry.wrong("tiers", "tiers names none that there is.", 'Write tiers = ["RED"].')
    return Opening(
        id=entry.required("id", ID_RULE, is_id),
        tiers=frozenset(Tier[name] for name in tiers),
        conditions=frozenset(_named(entry, "conditions", CONDITIONS)),
        units=frozenset(_named(entry, "units", tuple(units))),
        after_s=entry.number("after_minutes", 0.0, MINUTES) * 60,
        causes=frozenset(Cause(name) for name in causes),
        type=entry.choice("type", tuple(each.code for each in TYPES), "") if entry.has("type") else "",
    )


def _named(entry: Entry, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of words; each that is not known is a mistake of its own."""
    found = []
    for place, name in enumerate(entry.texts(key)):
        if name in known:
            found.append(name)
        else:
            entry.wrong((key, place), f"{key}: {show(name)} does not exist.", meant(name, known))
    return tuple(found)
