"""Learned detectors alone say a silent BLUE, whatever the kind of rule that asks them.

Why: nobody wrote a limit for them; what they call unusual may be so, and need not be dangerous (design §3).
"""

from collections.abc import Collection
from dataclasses import replace

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry


def keep_silent(rule: Rule, entry: Entry, key: str, learned: Collection[str]) -> Rule:
    """Give the rule as BLUE where it asks learned tags only; a higher tier that stands there is noted as a mistake.

    STALE and BAD rules stay as they are: no data is an alarm as of any tag.

    Args:
        entry: Where the rule stands.
        key: Key of its tier there.
        learned: Tags that only learned detectors speak for.
    """
    asked = rule.asked if rule.kind is Kind.VOTE else rule.inputs  # A vote's own tag is what its members say.
    is_heard = rule.kind in (Kind.STALE, Kind.BAD) or not all(tag in learned for tag in asked)
    if is_heard or rule.tier is Tier.BLUE:
        return rule
    if entry.has(key):
        entry.wrong(
            key,
            f"{key} of {rule.kind.name} is {rule.tier.name}; what a learned detector says alone is a silent BLUE.",
            f"Remove {key}; for what must be heard give a measured tag a limit, or ask both in an EXPRESSION.",
        )
    return replace(rule, tier=Tier.BLUE)
