"""Rationale: what a ``[[rule]]`` or ``[[vote]]`` says of why its alarm is there (``alerting.model.rationale``)."""

from dataclasses import replace
from typing import Final

from alerting.model.rationale import MINUTES_MOST, TEXTS, rationale
from alerting.model.rule import Kind, Rule
from edge.load.entry import Entry, Span

KEYS: Final = (*TEXTS, "respond_min")
MINUTES: Final = Span(above=0, most=MINUTES_MOST)


def give_rationale(rule: Rule, entry: Entry) -> Rule:
    """Give the rule with what its table says of why it is there; the row of a tag says nothing of it."""
    is_of_vote = "members" in entry.values and rule.kind is not Kind.VOTE  # its limits, and that it is lost
    if entry.is_row or is_of_vote or not any(entry.has(key) for key in KEYS):
        return rule
    texts = {name: entry.titles(name, "") for name in TEXTS}
    return replace(rule, rationale=rationale(texts, entry.number_or_none("respond_min", MINUTES) or 0.0))
