"""Declared suppressions: what ``[[suppression]]`` says, and the hidden rules that judge their states.

Why: a suppression that covers nothing, or one whose state can fall silent unnoticed, would keep a plant quiet for ever.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from alerting.core.expression import Expression, ExpressionError, read
from alerting.covers import under
from alerting.model.by_design import DesignSuppression
from alerting.model.rule import GROUP, Kind, Rule
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import ID_RULE, is_id, keys_of

TIERS: Final = ("BLUE", "YELLOW", "ORANGE", "RED")
DELAY: Final = Span(least=0, most=86_400)
GROUPS: Final = tuple(dict.fromkeys(group for kind, group in GROUP.items() if kind not in (Kind.GATE, Kind.SCHEDULE)))


def read_suppressions(
    entries: Sequence[Entry], tags: Sequence[TagDraft], units: Sequence[HazardUnit], rules: Iterable[Rule]
) -> tuple[tuple[DesignSuppression, ...], list[Rule]]:
    """Read the declared suppressions; give them and the rules that judge their states.

    Args:
        rules: The rules of the site, to know which tags can fall stale and what there is to suppress.
    """
    known = list(rules)
    found: dict[str, DesignSuppression] = {}
    gates: list[Rule] = []
    for entry in entries:
        each, expression = _read(entry, tags, units)
        if each.id in found:
            entry.wrong("id", "id stands twice.", "Give each suppression its own id.")
        if expression is None or not each.id or each.id in found:
            continue
        gate = _gate(entry, each, expression, tags, {rule.tag for rule in known if rule.kind is Kind.STALE})
        _check_cover(entry, each, gate, tags, units, known)
        found[each.id] = each
        gates.append(gate)
    return tuple(found.values()), gates


def _read(
    entry: Entry, tags: Sequence[TagDraft], units: Sequence[HazardUnit]
) -> tuple[DesignSuppression, Expression | None]:
    entry.refuse_unknown(keys_of("suppression"))
    name = entry.required("id", ID_RULE, is_id)
    if not entry.has("reason"):
        entry.wrong("reason", "reason is missing; people read it beside what is quiet.", "Add reason = { en, zh }.")
    named = {"units": entry.texts("units"), "tags": entry.texts("tags")}
    if not any(named.values()):
        entry.wrong("units", "neither units nor tags; it would suppress nothing.", "Name the units, or the tags.")
    for key, there in (("units", [unit.id for unit in units]), ("tags", [draft.tag.name for draft in tags])):
        for one in named[key]:
            if one not in there:
                entry.wrong(key, f"{key} names {show(one)}, which does not exist.", meant(one, tuple(there)))
    groups = entry.texts("groups")
    for group in groups:
        if group not in GROUPS:
            entry.wrong(
                "groups", f"groups names {show(group)}; it is one of {', '.join(GROUPS)}.", meant(group, GROUPS)
            )
    expression = None
    text = entry.required("when", "it is the state of the plant, e.g. XS-101.mode == 3")
    if text:
        try:
            expression = read(text, {draft.tag.name: draft.tag.eu for draft in tags})
        except ExpressionError as error:
            for fault in error.faults:
                entry.wrong("when", f"when, column {fault.column}: {fault.sentence}", fault.remedy)
    return (
        DesignSuppression(
            id=name,
            when=expression.text if expression else text,
            units=named["units"],
            tags=named["tags"],
            groups=groups,
            tier_most=Tier[entry.choice("tier_most", TIERS, "ORANGE")],
            reason=entry.titles("reason", name),
        ),
        expression,
    )


def _gate(
    entry: Entry, each: DesignSuppression, expression: Expression, tags: Sequence[TagDraft], can_fall_stale: set[str]
) -> Rule:
    """Make the rule that judges the state; a state that nobody knows any more holds no longer."""
    for name in expression.tags:
        if name not in can_fall_stale:
            entry.wrong(
                "when",
                f"when asks {name}, whose stale_s is 0: it could fall silent unnoticed and keep alarms quiet for ever.",
                f"Give {name} a stale_s.",
            )
    natures = {draft.tag.name: draft.tag.nature for draft in tags}
    if len({natures[name] for name in expression.tags}) > 1:
        entry.wrong("when", "when asks tags of different natures; natures never mix.", "Ask tags of one nature.")
    unknown = " or ".join(f"is_bad({name}) or is_stale({name})" for name in expression.tags)
    judged = read(f"({expression.text}) and not ({unknown})", {draft.tag.name: draft.tag.eu for draft in tags})
    return Rule(
        id=each.gate,
        tag=expression.tags[0],
        kind=Kind.EXPRESSION,
        setpoint=math.nan,
        tier=Tier.NONE,
        name=each.gate,
        when=judged.text,
        asked=judged.tags,
        on_delay_s=entry.number("after_s", 0.0, DELAY),
        off_delay_s=entry.number("hold_s", 0.0, DELAY),
    )


def _check_cover(
    entry: Entry,
    each: DesignSuppression,
    gate: Rule,
    tags: Sequence[TagDraft],
    units: Sequence[HazardUnit],
    rules: Sequence[Rule],
) -> None:
    """Warn of a suppression that covers nothing."""
    of = {draft.tag.name: draft.tag for draft in tags}
    covered = set(under(each.units, units))
    names = {tag.name for tag in of.values() if tag.unit in covered and tag.nature is of[gate.tag].nature} | set(
        each.tags
    )
    highest: dict[tuple[str, str], Tier] = {}
    for rule in rules:
        if rule.tag in names and not rule.is_hidden:
            place = rule.tag, rule.group
            highest[place] = max(highest.get(place, Tier.NONE), rule.tier)
    meant_ones = [
        tier
        for (_, group), tier in highest.items()
        if tier <= each.tier_most and (not each.groups or group.split(":")[0] in each.groups)
    ]
    if not meant_ones and names:
        entry.warn(
            "units" if each.units else "tags",
            f"it covers no alarm: none there can reach {each.tier_most.name} at most"
            + (f" and is one of {', '.join(each.groups)}." if each.groups else "."),
            "Name other units, tags or groups, or raise tier_most.",
        )
