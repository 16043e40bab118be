"""What the site says of its learned artefact, and whether the artefact still belongs to this site.

Why: a threshold or a model learnt with other tags or another rule means nothing here; it is refused before the start.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerting.model.drift import SETPOINT
from alerting.model.learned import Learned, digest_of_shape, digest_of_tags
from alerting.model.rule import Kind, Rule
from edge.load.entry import Entry
from edge.load.words import keys_of
from edge.model import Tag
from gateway.learn.artefact import AGAIN, ArtefactError, read

KEY_OF: Final = {Kind.DRIFT: "setpoint", Kind.TREND: "horizon_s"}  # What may be learned.
HORIZON_S: Final = 600.0  # Of a TREND while its own is being learnt.
OTHER: Final = "Run fengsui learn again, or name the artefact that was made with this configuration."


def read_learned(root: Entry, site: str, tags: Sequence[Tag]) -> tuple[Learned | None, Entry]:
    """Read the artefact that ``[learn]`` names; None where it names none or it cannot be used, which is a mistake.

    Returns:
        The artefact, and the entry of ``[learn]`` for what is found wrong with it later.
    """
    entry = root.section("learn")
    entry.who = "Learn"
    entry.refuse_unknown(keys_of("learn"))
    if not root.has("learn"):
        return None, entry
    name = entry.required("artefact", "it is the file that fengsui learn wrote")
    text = entry.reading.text(name, entry.place("artefact")) if name else None
    if text is None:
        return None, entry
    try:
        learned = read(text)
    except ArtefactError as failure:
        entry.wrong("artefact", f"artefact {name}: {failure}", AGAIN)
        return None, entry
    if learned.site != site:
        entry.wrong("artefact", f"artefact {name} was learnt for site {learned.site}, this is {site}.", OTHER)
        return None, entry
    if learned.tags != digest_of_tags(tags):
        entry.wrong(
            "artefact",
            f"artefact {name} was learnt with another tag list: names, kinds, units, periods or resolutions have "
            "changed since.",
            OTHER,
        )
        return None, entry
    return learned, entry


def settle_learned(rules: Sequence[Rule], tags: Sequence[Tag], learned: Learned | None, entry: Entry) -> list[Rule]:
    """Put learnt numbers where rules leave them to the artefact, and note what does not fit.

    Args:
        entry: The entry of ``[learn]``.
    """
    tag_of = {tag.name: tag for tag in tags}
    by_id = {rule.id: rule for rule in rules}
    if learned is not None:
        for each in learned.rules:
            rule = by_id.get(each.rule)
            if rule is None or each.shape != digest_of_shape(rule, tag_of[rule.tag]):
                has = "the site has no such rule" if rule is None else "its settings have changed since"
                entry.wrong("artefact", f"the artefact knows rule {each.rule}; {has}.", OTHER)
    return [_settled(rule, learned, entry) for rule in rules]


def _settled(rule: Rule, learned: Learned | None, entry: Entry) -> Rule:
    key = KEY_OF.get(rule.kind)
    if key is None or not math.isnan(getattr(rule, key)):
        return rule
    found = None if learned is None else learned.threshold(rule.id)
    if found is not None and found.value is not None:
        return replace(rule, **{key: found.value})  # type: ignore[arg-type]  # a number for a number
    if entry.has("artefact") and learned is None:
        return rule  # What is wrong with the artefact has been told.
    why = "there is no [learn] artefact"
    if found is not None:
        why = f"nothing could be learnt for it: {(found.refused or {}).get('en', 'no reason is given')}"
    elif learned is not None:
        why = "the artefact does not know the rule"
    remedy = "Run fengsui learn and name its artefact under [learn], or write a number."
    entry.wrong("artefact", f"rule {rule.id}: {key} is learned, but {why.rstrip('.')}.", remedy)
    return rule


def provisional(rules: Sequence[Rule]) -> list[Rule]:
    """Put the numbers of nobody's history where rules leave them to an artefact that is about to be made."""
    found = []
    for rule in rules:
        if rule.kind is Kind.DRIFT and math.isnan(rule.setpoint) and rule.drift is not None:
            found.append(replace(rule, setpoint=SETPOINT[rule.drift.detector]))
        elif rule.kind is Kind.TREND and math.isnan(rule.horizon_s):
            found.append(replace(rule, horizon_s=HORIZON_S))
        else:
            found.append(rule)
    return found
