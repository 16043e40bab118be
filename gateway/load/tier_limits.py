"""Longest times by tier: whole numbers that may not grow with the tier.

Why: a graver alarm that may be quiet for longer than a lighter one is a slip of the pen, and nobody would notice.
"""

from collections.abc import Mapping

from alerting.model.tier import Tier
from edge.load.entry import Entry


def read_falling(given: Entry, defaults: Mapping[Tier, int], most: int, noun: str, what: str) -> tuple[int, ...]:
    """Read the longest time of each tier; one not named takes its default, or less where a lower tier has less.

    Args:
        given: The table with a number by name of the tier.
        defaults: By tier, from the lightest on; their order is that of what is given back.
        most: The greatest number that any of them may have.
        noun: What the numbers count, e.g. ``minutes``; ``what`` what lasts for so long, e.g. ``be quiet``.
    """
    found: list[int] = []
    tiers = tuple(defaults)
    for tier in tiers:
        number = given.whole_or_none(tier.name, 0, most, defaults[tier])
        default = min(defaults[tier], *found) if found else defaults[tier]
        if number is not None and found and number > found[-1]:
            lower = tiers[len(found) - 1].name
            given.wrong(
                tier.name,
                f"{tier.name} is {number}, which is longer than the {found[-1]} {noun} of {lower}; "
                f"a graver alarm may not {what} for longer.",
                f"Write at most {found[-1]}, or give {lower} more.",
            )
            number = None
        found.append(default if number is None else number)
    return tuple(found)
