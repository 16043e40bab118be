"""Mix: what goes wrong with the instruments beside the story itself, drawn by chance.

Flow: scenario, site, seed -> [with_mix] -> the same story with one fault more
Why: rules that hold while every other instrument tells the truth hold on paper; losses say what they are worth.
"""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.random import Generator

from gateway.config import Site
from simulators.instrument import Fault
from simulators.scenario import Scenario

#: Kinds of one instrument that lies, and their amount as a share of its range.
LIES: Final = (("frozen", 0.0), ("bias", 0.05), ("noise", 0.02), ("cut", 0.0), ("nan", 0.0))
#: Kinds of a line that is poor, how long, s, and their amount.
LINES: Final = (("dropout", 60.0, 0.0), ("flapping", 120.0, 20.0), ("slow", 300.0, 2.0))
EARLY: Final = 0.5  # What is drawn begins in this first part of the time with the gateway.


class Mix(StrEnum):
    """What is wrong beside the story."""

    AS_WRITTEN = "as_written"  # nothing: the story's own faults alone
    ONE_LIES = "one_lies"  # one instrument, to the end
    POOR_LINE = "poor_line"  # one source, for some minutes


def with_mix(scenario: Scenario, site: Site, tags: Collection[str], mix: Mix, seed: int) -> Scenario:
    """Give the story with one fault more; the same for the same seed.

    Args:
        tags: What the plant measures.
        seed: Of the run; the draw has dice of its own, so that the plant's luck stays.
    """
    if mix is Mix.AS_WRITTEN:
        return scenario
    dice = np.random.default_rng([seed, list(Mix).index(mix)])
    from_s = float(dice.uniform(0.0, EARLY)) * scenario.lasts_s
    fault = _lie(scenario, site, tags, dice, from_s) if mix is Mix.ONE_LIES else _line(site, dice, from_s)
    return replace(scenario, faults=(*scenario.faults, fault))


def _lie(scenario: Scenario, site: Site, tags: Collection[str], dice: Generator, from_s: float) -> Fault:
    low, high = site.tags.range_lo, site.tags.range_hi
    taken = {fault.target for fault in scenario.faults}
    rows = {tag: site.tags.row_of[tag] for tag in tags if tag not in taken}
    able = [tag for tag, row in rows.items() if np.isfinite(high[row] - low[row])]
    tag = able[int(dice.integers(len(able)))]
    kind, share = LIES[int(dice.integers(len(LIES)))]
    way = 1.0 if kind == "noise" else float(dice.choice([-1.0, 1.0]))  # Noise has no direction.
    amount = way * share * float(high[rows[tag]] - low[rows[tag]])
    return Fault(kind=kind, target=tag, from_s=from_s, amount=amount, name=f"{kind}, drawn by chance")


def _line(site: Site, dice: Generator, from_s: float) -> Fault:
    source = site.sources[int(dice.integers(len(site.sources)))].id
    kind, lasts_s, amount = LINES[int(dice.integers(len(LINES)))]
    return Fault(
        kind=kind, target=source, from_s=from_s, until_s=from_s + lasts_s, amount=amount,
        name=f"{kind}, drawn by chance",
    )  # fmt: skip


def touched(scenario: Scenario, site: Site) -> frozenset[str]:
    """Give the tags about which an alarm is no false one: at fault, of a poor line, or judged with one of these."""
    at_fault = {fault.target for fault in scenario.faults}
    names = site.tags.names
    lines = {source.id for source in site.sources} & at_fault
    found = at_fault | {f"fengsui.link.{source}" for source in lines}
    for source in lines:
        found |= {names[row] for row in site.tags.rows_of_source(source)}
    for derivation in site.derived:  # They stand in the order in which they are computed.
        if any(tag in found for role in derivation.inputs.values() for tag in role):
            found.add(derivation.tag)
    by_id = {rule.id: rule for rule in site.rules}
    for rule in site.rules:
        asked = {rule.other, *rule.enable_asked, *(by_id[member].tag for member in rule.members)}
        if asked & found or any(tag in rule.when for tag in found):
            found.add(rule.tag)
    return frozenset(found)
