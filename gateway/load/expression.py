"""EXPRESSION rules: what a ``[[rule]]`` says in ``when``, and what must hold for it.

Why: an expression over tags of two natures, or about the silence of a tag that cannot fall stale, would never ring.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerting.core.expression import Expression, ExpressionError, read
from alerting.model.rule import S_TO_NS, Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import NAME_RULE, is_name, keys_of
from gateway.load.rationale import KEYS as RATIONALE
from gateway.load.silent import keep_silent

#: Keys of a ``[[rule]]`` that an EXPRESSION has.
KNOWN: Final = (
    "tag",
    "kind",
    "name",
    "when",
    "tier",
    "on_delay_s",
    "off_delay_s",
    "latching",
    "response",
    *RATIONALE,
    "enable",
    "schedule",
)
DELAY: Final = Span(least=0, most=86_400)  # Longer than a day is a report, not an alarm.


@dataclass(frozen=True, slots=True)
class Asked:
    """An EXPRESSION that was read, and where it stands."""

    rule: Rule
    expression: Expression
    entry: Entry


class ExpressionReader:
    """Reads the EXPRESSION rules of a site."""

    def __init__(self, tags: Sequence[TagDraft]) -> None:
        self.tags: Mapping[str, TagDraft] = {draft.tag.name: draft for draft in tags}
        self.units = {name: draft.tag.eu for name, draft in self.tags.items()}
        self.found: dict[str, Asked] = {}

    def take(self, entry: Entry, tier: Tier) -> None:
        """Read one ``[[rule]]`` of kind EXPRESSION."""
        entry.refuse_unknown(keys_of("rule"))
        for key in entry.values:
            if key in keys_of("rule") and key not in KNOWN:
                remedy = "Write both sides into when." if key in ("setpoint", "deadband") else f"Remove {key}."
                entry.wrong(key, f"{key} is given; an EXPRESSION has none.", remedy)
        tag = entry.required("tag", "an alarm hangs on one tag")
        if tag and tag not in self.tags:
            entry.wrong("tag", f"tag {show(tag)} does not exist.", meant(tag, tuple(self.tags)))
        name = entry.required("name", NAME_RULE, is_name) if entry.has("name") else ""
        expression = self._read(entry, entry.required("when", "it is the condition, e.g. TK-101.level > 4.5"))
        on_delay_s = entry.number("on_delay_s", 0.0, DELAY)
        hold_s = 0.0
        if expression is not None:
            self._check(entry, tag, expression)
            hold_s = expression.without_hold()[1] / S_TO_NS
            if hold_s and entry.has("on_delay_s"):
                entry.wrong(
                    "on_delay_s",
                    f'on_delay_s is given, and when ends with "for {hold_s:g} s"; that is the same.',
                    "Remove one of the two.",
                )
        rule = Rule(
            id=f"{tag}.EXPRESSION:{name}" if name else f"{tag}.EXPRESSION",
            tag=tag,
            kind=Kind.EXPRESSION,
            setpoint=math.nan,
            tier=tier,
            name=name,
            when=expression.text if expression else "",
            asked=expression.tags if expression else (),
            on_delay_s=hold_s or on_delay_s,
            off_delay_s=entry.number("off_delay_s", 0.0, DELAY),
            is_latching=entry.flag("latching", default=False),
            response=entry.titles("response", ""),
        )
        if expression is None or tag not in self.tags:
            return
        if rule.id in self.found:
            place = self.found[rule.id].entry.place("when")
            entry.wrong(
                "name" if name else "kind",
                f"EXPRESSION {show(name) + ' ' if name else ''}of tag {tag} is given already, in "
                f"{place.file}:{place.line}.",
                "Give each a name of its own: it is a part of the alarm's identity.",
            )
            return
        self.found[rule.id] = Asked(rule, expression, entry)

    def settle(self, can_fall_stale: Iterable[str], learned: Collection[str] = ()) -> list[Rule]:
        """Give the rules, now that it is known which tags can fall stale; ``learned`` tags alone say a silent BLUE."""
        stale = set(can_fall_stale)
        for asked in self.found.values():
            for name in asked.expression.asks_silence_of():
                if name not in stale:
                    asked.entry.wrong(
                        "when",
                        f"is_stale({name}) is never true: the tag's stale_s is 0.",
                        "Give the tag a stale_s, or ask is_bad.",
                    )
        return [keep_silent(asked.rule, asked.entry, "tier", learned) for asked in self.found.values()]

    def _read(self, entry: Entry, text: str) -> Expression | None:
        if not text:
            return None
        try:
            return read(text, self.units)
        except ExpressionError as error:
            for fault in error.faults:
                entry.wrong("when", f"when, column {fault.column}: {fault.sentence}", fault.remedy)
            return None

    def _check(self, entry: Entry, tag: str, expression: Expression) -> None:
        if tag in self.tags and tag not in expression.tags:
            entry.wrong(
                "tag",
                f"tag {tag} does not appear in when; the alarm would show a value that it does not depend on.",
                f"Hang it on one of {', '.join(expression.tags[:8])}.",
            )
        natures = {self.tags[name].tag.nature: name for name in expression.tags}
        if len(natures) > 1:
            pairs = ", ".join(f"{name} is {nature}" for nature, name in natures.items())
            entry.wrong(
                "when",
                f"tags of different natures are asked together: {pairs}; natures never mix.",
                "Ask tags of one nature.",
            )
