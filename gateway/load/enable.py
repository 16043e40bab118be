"""Enable-conditions: what a ``[[rule]]`` or a row says in ``enable``, and what must hold for it.

Why: an enable-condition over a tag that does not exist, or of another nature, would leave its rules judged for ever, or
never.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from alerting.core.expression import Expression, ExpressionError, read
from alerting.model.rule import DATA_KINDS, Rule
from edge.load.entry import Entry
from edge.load.tag import TagDraft


@dataclass(frozen=True, slots=True)
class _Read:
    """An enable-condition that was read, and where it stands."""

    expression: Expression
    entry: Entry
    key: str


class EnableReader:
    """Reads the enable-conditions of a site."""

    def __init__(self, tags: Sequence[TagDraft]) -> None:
        self.tags: Mapping[str, TagDraft] = {draft.tag.name: draft for draft in tags}
        self.units = {name: draft.tag.eu for name, draft in self.tags.items()}
        self._read: dict[tuple[int, str], _Read | None] = {}  # by entry: the rules of a row share what it says

    def give(self, rule: Rule, entry: Entry) -> Rule:
        """Give a rule the enable-condition that its entry says, if it says one."""
        key = "enable"
        if entry.is_row and rule.kind in DATA_KINDS:
            key = "enable_no_data"
        if not entry.has(key):
            return rule
        place = (id(entry), key)
        if place not in self._read:
            self._read[place] = self._take(rule, entry, key)
        found = self._read[place]
        if found is None:
            return rule
        return replace(rule, enable=found.expression.text, enable_asked=found.expression.tags)

    def settle(self, can_fall_stale: Iterable[str], rows: Iterable[TagDraft]) -> None:
        """Note what can only be told now that all rules are known."""
        stale = set(can_fall_stale)
        for found in self._read.values():
            for name in found.expression.asks_silence_of() if found else ():
                if found is not None and name not in stale:
                    found.entry.wrong(
                        found.key,
                        f"{found.key}: is_stale({name}) is never true: the tag's stale_s is 0.",
                        "Give the tag a stale_s, or ask is_bad.",
                    )
        for draft in rows:
            row = draft.row
            if row.has("enable") and (id(row), "enable") not in self._read:
                row.wrong(
                    "enable",
                    "enable is given, but the row has neither a limit nor a rate nor a trend that it could enable.",
                    "Add a setpoint, write it into a [[rule]], or leave it empty.",
                )

    def _take(self, rule: Rule, entry: Entry, key: str) -> _Read | None:
        text = entry.required(key, "it says when the condition is judged, e.g. XV-1.open == 1")
        if not text:
            return None
        try:
            expression = read(text, self.units)
        except ExpressionError as error:
            for fault in error.faults:
                entry.wrong(key, f"{key}, column {fault.column}: {fault.sentence}", fault.remedy)
            return None
        own = self.tags[rule.tag].tag
        for name in expression.tags:
            nature = self.tags[name].tag.nature
            if nature is not own.nature:
                entry.wrong(
                    key,
                    f"{key}: tag {name} is of nature {nature}, tag {own.name} of nature {own.nature}; natures "
                    "never mix.",
                    "Ask tags of the same nature.",
                )
                return None
        return _Read(expression, entry, key)
