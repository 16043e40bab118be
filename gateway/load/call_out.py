"""Call-out: what ``[[call_out]]`` says of which posts are called for an incident, and who next.

Why: a line that calls a post that is not there, or waits for an answer for ever, shows itself at two in the morning.
"""

from collections.abc import Collection, Sequence
from typing import Final

from alerting.model.call_out import ANSWER_S, CallLine
from alerting.model.tier import Tier
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.load.headquarters import GRADE_LEAST, RULE, TYPES, who_of

LINES_MOST: Final = 60
INSTEAD_MOST: Final = 5
PERSONS_MOST: Final = 50
AFTER_MIN: Final = Span(least=0, most=240)
ANSWER_MIN: Final = Span(least=0.5, most=60)
TIERS: Final = tuple(tier.name for tier in Tier if tier is not Tier.NONE)


def read_call_out(
    entries: Sequence[Entry], roster: RosterPlan, channels: Collection[str], incident_channel: str
) -> tuple[CallLine, ...]:
    """Read the lines.

    Args:
        entries: The ``[[call_out]]`` of the site file.
        channels: Ids of the ways by which people are called.
        incident_channel: That of ``[incident]``, by which a line is called that names none.
    """
    found: dict[str, CallLine] = {}
    if len(entries) > LINES_MOST:
        en = f"there are {len(entries)} lines; a site has {LINES_MOST} at most."
        entries[LINES_MOST].wrong("id", en, "Call a post that calls the others.")
    for entry in entries:
        entry.refuse_unknown(keys_of("call_out"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each line its own id.")
        accidents = entry.texts("accidents")
        for place, code in enumerate(accidents):
            if code not in TYPES:
                entry.wrong(("accidents", place), f"type of accident {show(code)} does not exist.", meant(code, TYPES))
        if not entry.has("title"):
            entry.wrong("title", "title is missing; it says what is asked.", 'Write title = { en = "…", zh = "…" }.')
        channel = entry.text("channel")
        if channel and channel not in channels:
            entry.wrong("channel", f"channel {show(channel)} does not exist.", meant(channel, tuple(channels)))
        elif not channel and not incident_channel:
            en = "it has no channel, nor has [incident]; the page alone calls."
            entry.warn("channel", en, "Name a [[channel]] here or in [incident].")
        tier = entry.choice("from_tier", TIERS, Tier.ORANGE.name) or Tier.ORANGE.name
        one = CallLine(
            id=name,
            title=entry.titles("title", name or "-"),
            who=who_of(entry, "who", entry.required("who", RULE), roster),
            from_tier=Tier[tier],
            from_grade=entry.whole("from_grade", 0, 1, GRADE_LEAST),
            accidents=tuple(dict.fromkeys(accidents)),
            after_s=60 * entry.number("after_minutes", 0.0, AFTER_MIN),
            answer_s=60 * entry.number("answer_minutes", ANSWER_S / 60, ANSWER_MIN),
            instead=_instead(entry, roster),
            persons=entry.whole("persons", 1, 1, PERSONS_MOST),
            channel=channel,
        )
        found.setdefault(name, one)
    return tuple(one for name, one in found.items() if name)


def _instead(entry: Entry, roster: RosterPlan) -> tuple[str, ...]:
    given = entry.texts("instead")
    if len(given) > INSTEAD_MOST:
        en = f"instead names {len(given)}; {INSTEAD_MOST} at most are called one after the other."
        entry.wrong("instead", en, "Keep those that answer at night.")
    names: list[str] = []
    for place, name in enumerate(given):
        who_of(entry, ("instead", place), name, roster)
        if name in names or name == entry.values.get("who"):
            entry.wrong(("instead", place), f"{show(name)} is called twice.", "Name each once.")
        names.append(name)
    return tuple(names)
