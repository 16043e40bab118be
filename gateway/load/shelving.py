"""Shelving: what ``[shelving]`` says of how long alarms may be shelved.

Why: a graver alarm that may be quiet for longer than a lighter one is a slip of the pen, and nobody would notice.
"""

from alerting.model.shelving import MAX_MINUTES, MINUTES_MOST, TIERS, Shelving
from edge.load.entry import Entry
from edge.load.words import keys_of


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
    minutes: list[int] = []
    for tier in TIERS:
        found = given.whole_or_none(tier.name, 0, MINUTES_MOST, MAX_MINUTES[tier])
        default = min(MAX_MINUTES[tier], *minutes) if minutes else MAX_MINUTES[tier]
        if found is not None and minutes and found > minutes[-1]:
            lower = TIERS[len(minutes) - 1].name
            given.wrong(
                tier.name,
                f"{tier.name} is {found}, which is longer than the {minutes[-1]} minutes of {lower}; "
                "a graver alarm may not be quiet for longer.",
                f"Write at most {minutes[-1]}, or give {lower} more.",
            )
            found = None
        minutes.append(default if found is None else found)
    return Shelving(minutes=tuple(minutes))
