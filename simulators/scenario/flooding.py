"""Flooding: refuses expectations of floods, first-outs and suppressed alarms that can never be met.

Flow: entry, draft -> [check] -> mistakes with line and remedy
"""

import math
from collections.abc import Sequence

from edge.load.entry import Entry
from edge.load.mistake import meant, show
from simulators.scenario.model import Expectation, Known, Tripping


def check_flood(entry: Entry, draft: Expectation, known: Known) -> None:
    """Refuse a flood or a first-out that the site cannot have."""
    flooding = known.flooding
    if flooding is None or not flooding.above:
        entry.wrong("see", "the site knows no floods.", "Give its [flood] a begins_above, or remove the expectation.")
        return
    if flooding.alarms <= flooding.above:
        entry.wrong(
            "see",
            f"the site has {flooding.alarms} alarms, and a flood begins above {flooding.above}.",
            "Lower begins_above of [flood], or remove the expectation.",
        )
    if draft.least > flooding.alarms:
        entry.wrong(
            "least",
            f"least is {draft.least}, and the site has {flooding.alarms} alarms.",
            f"Expect {flooding.alarms} at most.",
        )
    soonest_s = draft.from_s + flooding.window_s
    if math.isfinite(draft.over_by_s) and draft.over_by_s < soonest_s:
        entry.wrong(
            "over_by_s",
            f"over_by_s is {draft.over_by_s:g}; a flood that begins at {draft.from_s:g} s counts "
            f"{flooding.window_s:g} s.",
            f"Write {soonest_s:g} at least, or shorten window_s of the site's [flood].",
        )


def check_first_out(entry: Entry, draft: Expectation, known: Known, found: Sequence[Tripping]) -> None:
    """Refuse a first-out of a unit that the alarm does not belong to.

    Args:
        found: Rules that the expectation speaks of.
    """
    if not draft.unit:
        return
    if draft.unit not in known.units:
        entry.wrong("unit", f"the site has no unit {show(draft.unit)}.", meant(draft.unit, sorted(known.units)))
    elif found and all(rule.unit != draft.unit for rule in found):
        entry.wrong(
            "unit",
            f"{draft.tag} belongs to {found[0].unit}; it can never be the first-out of {draft.unit}.",
            f"Write {found[0].unit}, or expect another alarm first.",
        )


def check_suppressed(entry: Entry, draft: Expectation, known: Known, found: Sequence[Tripping]) -> None:
    """Refuse that something be suppressed which nothing at the site suppresses."""
    if found and not any(rule.rule in known.covered for rule in found):
        entry.wrong(
            "see",
            f"no [[suppression]] of the site covers {draft.rule or draft.tag}, so it always rings.",
            "Add a [[suppression]] that covers it and its tier, or expect it to ring.",
        )
